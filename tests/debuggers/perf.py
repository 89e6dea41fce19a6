#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""perf's files of BPF code: perf.py PERF READELF JITFRAME RUNNERS ARCH OBJECT SOURCE

The files that a run of seen.bpf.c leaves are read back, on any architecture; on this one `perf` reads them too, where
PERF is not empty and the kernel lets it sample. Prints TAP.
"""

import pathlib
import re
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree stays as it is

from seen import RESULT, SECONDS, Seen

NAMES = ["inner", "outer", "seen", "spin"]
LOAD, DEBUG_INFO, CLOSE, UNWINDING_INFO = 0, 2, 3, 4


class Failure(Exception):
    pass


class Skip(Exception):
    pass


def need(good, text):
    if not good:
        raise Failure(text)


def output_of(command, folder, env=None):
    run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=folder, env=env)
    need(run.returncode == 0, f"{' '.join(command)}: {run.returncode}: {run.stdout}{run.stderr}")
    return run.stdout


# ---- read back --------------------------------------------------------------------------------------------------


def records(dump):
    """Kind, time and body of each record behind the header."""
    at = 40
    while at < len(dump):
        kind, size, time = struct.unpack_from("<IIQ", dump, at)
        need(size >= 16 and at + size <= len(dump), f"byte {at}: a record of {size} bytes")
        yield kind, time, dump[at + 16 : at + size]
        at += size


def text_at(data, at):
    end = data.index(b"\0", at)
    return data[at:end].decode(), end + 1


def check_lines(seen, body, start, size):
    """A debug info record: its lines lie in the code, go up, and are lines of the source."""
    address, count = struct.unpack_from("<QQ", body)
    need(address == start and count > 1, f"lines of {address:#x}, {count} of them")
    at, last = 16, 0
    for _ in range(count):
        place, number, _ = struct.unpack_from("<QII", body, at)
        file, at = text_at(body, at + 16)
        need(start <= place <= start + size and place >= last, f"a line at {place:#x}")
        need(file.endswith(seen.source) and 0 < number <= len(seen.lines), f"{file}:{number}")
        last = place
    need(at == len(body) and last == start + size, f"the lines end at {last:#x}")


def check_frames(body, start, size):
    """An unwinding record: a search table whose one entry leads to an FDE of this code."""
    total, table_size, mapped = struct.unpack_from("<QQQ", body)
    data = body[24 : 24 + total]
    frames = data[: total - table_size]
    table = data[total - table_size :]
    need(mapped == 0 and len(body) % 8 == 0, f"{mapped} bytes are mapped, {len(body)} in the record")
    at_frames = start + (size + 7) // 8 * 8
    at_table = at_frames + len(frames)
    version, *encodings = table[:4]
    need((version, encodings) == (1, [0x1B, 0x03, 0x3B]), "another form of search table")
    to_frames, count, first, entry = struct.unpack_from("<iIii", table, 4)
    need(at_table + 4 + to_frames == at_frames and count == 1, f"{count} entries")
    need(at_table + first == start, "the entry is of other code")
    fde = at_table + entry - at_frames
    length, _, distance, code = struct.unpack_from("<IIiI", frames, fde)
    need(at_frames + fde + 8 + distance == start and code == size, "the FDE is of other code")
    need(fde + 4 + length + 4 == len(frames), "something lies behind the FDE")


def check_dump(seen, dump, pid):
    """returns: the functions, by name."""
    magic, version, size, machine, _, owner = struct.unpack_from("<IIIIII", dump)
    need((magic, version, size) == (0x4A695444, 1, 40), "the header is none")
    need(machine == seen.arch["elf_machine"] and owner == pid, f"machine {machine}, process {owner}")
    functions, pending, times = {}, {}, []
    for kind, time, body in records(dump):
        times.append(time)
        if kind != LOAD:
            pending[kind] = body
            continue
        owner, _, vma, start, size, index = struct.unpack_from("<IIQQQQ", body)
        name, at = text_at(body, 40)
        need(owner == pid and vma == start and index == len(functions), f"{name}: process {owner}, number {index}")
        need(len(body) - at == size > 0, f"{name}: {size} bytes of code, {len(body) - at} in the record")
        check_frames(pending.pop(UNWINDING_INFO), start, size)
        check_lines(seen, pending.pop(DEBUG_INFO), start, size)
        functions[name] = (start, size)
    need(list(pending) == [CLOSE], f"records at the end: {list(pending)}")
    need(times == sorted(times), "time goes back")
    need(sorted(functions) == NAMES, f"functions {sorted(functions)}")
    return functions


def reads_back(seen, folder):
    output = output_of(seen.command("--publish", "perf", "--publish-folder", folder, rounds=1), folder, seen.env)
    need(RESULT in output, output)
    (dump,), (names,) = pathlib.Path(folder).glob("jit-*.dump"), pathlib.Path(folder).glob("perf-*.map")
    pid = int(re.search(r"\d+", dump.name).group())
    need(names.name == f"perf-{pid}.map", f"{names.name} beside {dump.name}")
    functions = check_dump(seen, dump.read_bytes(), pid)
    found = {}
    for line in names.read_text(encoding="utf-8").splitlines():
        start, size, name = line.split(" ", 2)
        found[name] = (int(start, 16), int(size, 16))
    need(found == functions, f"the map has {found}, the dump {functions}")


# ---- perf itself ------------------------------------------------------------------------------------------------


def record(perf, seen, folder, *options, callers="fp"):
    """A run that spends its time in spin(). callers: how perf finds them. returns: perf's file."""
    data = f"{folder}/perf.data"
    command = [perf, "record", "-q", "-e", "cpu-clock", "-F", "1000", "-k", "mono", "--call-graph", callers, "-o", data]
    command += seen.command("--publish", "perf-dump", *options, rounds=60_000_000)
    run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=folder,
                         env=seen.env)
    if run.returncode:
        raise Skip(f"perf record: {(run.stderr.splitlines() or ['failed'])[-1]}")
    return data


def perf_names_functions_and_lines(perf, seen, folder):
    data, injected = record(perf, seen, folder, "--publish-folder", folder), f"{folder}/injected.data"
    output_of([perf, "inject", "--jit", "-i", data, "-o", injected], folder)
    text = output_of([perf, "script", "-i", injected, "-F", "ip,sym,srcline"], folder)
    stack = rf" spin\n +\S*{seen.source}:(\d+)\n.* seen\n +\S*{seen.source}:{seen.line('spin(ctx->a[1])')}\n"
    lines = {int(number) for number in re.findall(stack, text)}
    need(seen.line("opaque(sum * 5 + i)") in lines, f"lines of spin: {lines}\n{text[:2000]}")


def perf_unwinds_by_the_tables(perf, seen, folder):
    """From BPF code through its tables, and on to the first function of the process. perf's unwinder by libdw finds the
    files of a dump in /tmp alone."""
    built = output_of([perf, "version", "--build-options"], folder)
    if re.search(r"libunwind: \[ on ", built):
        raise Skip(f"{output_of([perf, 'version'], folder).strip()} unwinds by libunwind, and not by libdw")
    data, injected = record(perf, seen, folder, callers="dwarf"), f"{folder}/injected.data"
    dumps = re.findall(r"/tmp/jit-(\d+)\.dump", output_of([perf, "script", "-i", data, "--show-mmap-events"], folder))
    need(dumps, "no event names the dump")
    try:
        output_of([perf, "inject", "--jit", "-i", data, "-o", injected], folder)
        text = output_of([perf, "script", "-i", injected, "--no-inline", "-F", "ip,sym"], folder)
    finally:
        for file in [f"jit-{dumps[0]}.dump", *(f"jitted-{dumps[0]}-{number}.so" for number in range(len(NAMES)))]:
            pathlib.Path("/tmp", file).unlink(missing_ok=True)
    need(re.search(r" spin\n.* seen\n.* jf_native_enter\n(.*\n)+.* main\n(.*\n)+.* _start\n", text), text[-2000:])


def files_of_perf_have_true_tables(readelf, folder):
    """What `perf inject` made of the dump: each .eh_frame is of its .text, byte for byte."""
    files = list(pathlib.Path(folder).glob("jitted-*.so"))
    need(len(files) == len(NAMES), f"{len(files)} files")
    for file in files:
        sections = output_of([readelf, "-SW", str(file)], folder)
        start, size = re.search(r" \.text +PROGBITS +([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+)", sections).groups()
        frames = output_of([readelf, "-wf", str(file)], folder)
        end = f"{int(start, 16) + int(size, 16):016x}"
        need(f"pc={start}..{end}" in frames, f"{file}: {start}, {end}: {frames}")


def main(perf, readelf, *arguments):
    seen = Seen(*arguments)
    if seen.why_not():
        print(f"1..0 # SKIP {seen.why_not()}")
        return
    with tempfile.TemporaryDirectory() as own, tempfile.TemporaryDirectory() as perfs:
        tests = {"reads_back": lambda: reads_back(seen, own)}
        if perf and seen.arch["host"]:
            tests["perf_names_functions_and_lines"] = lambda: perf_names_functions_and_lines(perf, seen, perfs)
            tests["files_of_perf_have_true_tables"] = lambda: files_of_perf_have_true_tables(readelf, perfs)
            tests["perf_unwinds_by_the_tables"] = lambda: perf_unwinds_by_the_tables(perf, seen, perfs)
        print(f"1..{len(tests)}")
        left_out = ""
        for number, (name, test) in enumerate(tests.items(), 1):
            try:
                if not left_out:
                    test()
                print(f"ok {number} - {name}{left_out}")
            except Skip as reason:
                left_out = f" # SKIP {reason}"
                print(f"ok {number} - {name}{left_out}")
            except Failure as failure:
                print(f"not ok {number} - {name}")
                print("\n".join(f"# {line}" for line in str(failure).splitlines()))


if __name__ == "__main__":
    main(*sys.argv[1:])
