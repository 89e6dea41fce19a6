#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compiles and runs the programs of BPF objects, and counts what came of it by reason.

count-selftests.py [--jobs N] [--list FILE] JITFRAME TARGET OBJECT...

What an object says of its programs in declaration tags (test_loader of Linux's selftests) tells which of them a
verifier takes and what they give. Programs that a verifier refuses do not count. Exit status 1: some program that counts
was not compiled, or gave something else.
"""

import argparse
import collections
import concurrent.futures
import json
import re
import struct
import subprocess
import sys

# As test_loader has it: so many bytes of zeros; without the Ethernet header where a program does not see it.
PACKET_BYTES = {"xdp": 64, "tc": 64, "tcx": 64, "classifier": 64, "action": 64, "socket": 50, "cgroup_skb": 50}
POINTER = 0xBADCAFE  # "some pointer": nothing to compare with
SECONDS = 20


def section(data, wanted):
    """The bytes of an ELF section, or none."""
    shoff, = struct.unpack_from("<Q", data, 40)
    entry, count, names = struct.unpack_from("<HHH", data, 58)
    heads = [struct.unpack_from("<IIQQQQ", data, shoff + i * entry) for i in range(count)]
    for name, _, _, _, off, size in heads:
        at = heads[names][4] + name
        if data[at:data.index(b"\0", at)] == wanted:
            return data[off:off + size]
    return b""


def tags(data):
    """Function -> its tags, by BTF. The bytes behind a type's head depend on its kind."""
    btf = section(data, b".BTF")
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


def reason(message):
    """A message without what is different from program to program."""
    message = message.strip().splitlines()[-1] if message.strip() else "no message"
    message = re.sub(r"^jitframe: \S+: ", "", message)
    message = re.sub(r"^(function )?\S+: (instruction \d+[:,]? ?)?", "", message)
    return re.sub(r"\b\d+\b", "N", message)


def command(*words):
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None, "", f"over {SECONDS} seconds"
    return done.returncode, done.stdout, done.stderr


def run(jitframe, target, path, name, kind, wanted):
    """One program. returns: what it came to."""
    words = [jitframe, "run", path, name, "--target", target, "--json"]
    stem = re.split(r"[/.]", kind.lstrip("?"))[0]
    if stem in PACKET_BYTES:
        words += ["--packet", "00" * PACKET_BYTES[stem]]
    status, out, err = command(*words)
    if status != 0:
        return "not run: " + reason(err)
    got = int(json.loads(out)["result"]["r0"], 16)
    return "gives it" if (got ^ wanted) & 0xFFFFFFFF == 0 else "gives something else"


def one(jitframe, target, path):
    """All programs of one object. returns: lists of (program, what it came to), compiled and run."""
    with open(path, "rb") as file:
        known = tags(file.read())
    status, out, err = command(jitframe, "compile", path, "--target", target, "--json")
    compiled = {}
    if out:
        compiled = {program["name"]: program["section"] for program in json.loads(out)["programs"]}
    made = [(name, "compiled") for name in compiled if "test_expect_failure" not in known.get(name, [])]
    for line in err.splitlines():
        name = re.match(r"jitframe: \S+: (?:function )?([^:]+):", line)
        if not name or "test_expect_failure" not in known.get(name[1], []):
            made.append((name[1] if name else path, reason(line)))
    ran = []
    for name, kind in compiled.items():
        values = [number(tag.split("=", 1)[1]) for tag in known.get(name, []) if tag.startswith("test_retval=")]
        if values and values[0] not in (None, POINTER) and "test_expect_failure" not in known[name]:
            ran.append((name, run(jitframe, target, path, name, kind, values[0])))
    return made, ran


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", help="a file for every program that counts, with what it came to")
    parser.add_argument("jitframe")
    parser.add_argument("target")
    parser.add_argument("objects", nargs="+")
    args = parser.parse_args()
    made, ran, lines = collections.Counter(), collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = pool.map(lambda path: one(args.jitframe, args.target, path), args.objects)
        for path, (compiled, gave) in zip(args.objects, results):
            made.update(what for _, what in compiled)
            ran.update(what for _, what in gave)
            lines += [f"{path} {name}: {what}\n" for name, what in compiled + gave]
    if args.list:
        with open(args.list, "w", encoding="utf-8") as file:
            file.writelines(lines)
    print(f"{args.target}: {len(args.objects)} objects, {made.total()} programs that a verifier takes")
    for what, count in made.most_common():
        print(f"{count:6} {what}")
    print(f"{ran.total()} of them with a stated result")
    for what, count in ran.most_common():
        print(f"{count:6} {what}")
    sys.exit(0 if made["compiled"] == made.total() and ran["gives it"] == ran.total() else 1)


if __name__ == "__main__":
    main()
