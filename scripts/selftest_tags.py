# SPDX-License-Identifier: BSD-2-Clause
"""
What an object of Linux's BPF selftests says of its programs in declaration tags, as the tree's test_loader reads them:
which programs a verifier takes, and what the programs give. scripts/count-selftests.py and scripts/kernel-jit use it.
"""

import collections
import os
import re
import struct

# As test_loader has it: so many bytes of zeros; without the Ethernet header where a program does not see it.
PACKET_BYTES = {"xdp": 64, "tc": 64, "tcx": 64, "classifier": 64, "action": 64, "socket": 50, "cgroup_skb": 50}
SKB_DATA_END = 80
# prog_tests/verifier.c fills in these maps: struct test_val, an index and eleven numbers.
PRESET = {"verifier_array_access": "map_array_ro", "verifier_value_ptr_arith": "map_array_48b"}
TEST_VALUE = struct.pack("<12I", 28, 0, 0, 0, 0, 0, 0, 0xABCDEF12, 0, 0, 0, 0)
FUNCTION = 2  # a symbol's type
POINTER = 0xBADCAFE  # "some pointer": nothing to compare with


def sections(data):
    """(name, bytes) of every section of an ELF file, in the file's order."""
    shoff, = struct.unpack_from("<Q", data, 40)
    entry, count, names = struct.unpack_from("<HHH", data, 58)
    heads = [struct.unpack_from("<IIQQQQ", data, shoff + i * entry) for i in range(count)]
    for name, _, _, _, off, size in heads:
        at = heads[names][4] + name
        yield data[at:data.index(b"\0", at)].decode(), data[off:off + size]


def programs(path):
    """(name, section) of every program: libbpf's are the functions outside of .text."""
    found = list(sections(path.read_bytes()))
    names, by_name = [name for name, _ in found], dict(found)
    for at in range(0, len(by_name[".symtab"]), 24):
        name, info, _, index = struct.unpack_from("<IBBH", by_name[".symtab"], at)
        if info & 15 == FUNCTION and index < len(names) and names[index] != ".text":
            yield by_name[".strtab"][name:].partition(b"\0")[0].decode(), names[index]


def read(path):
    """Function -> its tags, by BTF. The bytes behind a type's head depend on its kind."""
    with open(path, "rb") as file:
        btf = dict(sections(file.read())).get(".BTF")
    if not btf:
        return {}
    head, type_off, type_len, str_off = struct.unpack_from("<4xIIII", btf)
    per_kind = {1: (4, 0), 3: (12, 0), 4: (0, 12), 5: (0, 12), 6: (0, 8), 13: (0, 8), 14: (4, 0), 15: (0, 12), 17: (4, 0),
                19: (0, 12)}

    def text(off):
        at = head + str_off + off
        return btf[at:btf.index(b"\0", at)].decode()

    at, types = head + type_off, [None]
    while at < head + type_off + type_len:
        name, info, other = struct.unpack_from("<III", btf, at)
        once, each = per_kind.get(info >> 24 & 31, (0, 0))
        types.append((info >> 24 & 31, name, other))
        at += 12 + once + each * (info & 0xFFFF)
    found = collections.defaultdict(list)
    for kind, name, other in types[1:]:
        if kind == 17 and types[other][0] == 12:
            found[text(types[other][1])].append(re.sub(r"^comment:(\d+:)?", "", text(name)))
    return found


def number(text):
    """The value of a constant as the preprocessor leaves it; nothing for what is none."""
    text = re.sub(r"(?<=[0-9a-fA-F])[uUlL]+\b", "", text)
    if not re.fullmatch(r"[0-9a-fA-FxX\s()+\-*|&<>~]+", text):
        return None
    try:
        return int(eval(text, {"__builtins__": {}}))  # pylint: disable=eval-used
    except (SyntaxError, TypeError, NameError, ValueError):
        return None


def is_refused(tags):
    """Whether a verifier refuses the program."""
    return "test_expect_failure" in tags


def stated(tags):
    """The result that the selftest states, nothing where there is none to compare with."""
    values = [number(tag.split("=", 1)[1]) for tag in tags if tag.startswith("test_retval=")]
    return values[0] if values and values[0] != POINTER else None


def agrees(got, wanted):
    """test_loader compares 32 bits."""
    return (got ^ wanted) & 0xFFFFFFFF == 0


def packet_options(section_name, tags=()):
    """What `jitframe run` is told of the packet that a program of that section gets, and of how much of it is linear:
    a size that counts the Ethernet header, and that the context's data_end has, as for BPF_PROG_TEST_RUN."""
    stem = re.split(r"[/.]", section_name.lstrip("?"))[0]
    if stem not in PACKET_BYTES:
        return []
    options = ["--packet", "00" * PACKET_BYTES[stem]]
    for size in (number(tag.split("=", 1)[1]) for tag in tags if tag.startswith("test_linear_size=")):
        linear = max(size - 64 + PACKET_BYTES[stem], 1)
        options += ["--ctx", "00" * SKB_DATA_END + struct.pack("<I", linear).hex()]
    return options


def preset(path):
    """What `jitframe run` sets first in programs of an object, as the test that loads the object does."""
    name = PRESET.get(os.path.basename(path).split(".")[0])
    return ["--set", f"{name}[0]=hex:{TEST_VALUE.hex()}"] if name else []
