#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What readers that others wrote make of the ELF files for debuggers: elf.py ELF_FILES DWARFDUMP READELF

Prints TAP, a test for each architecture.
"""

import pathlib
import re
import subprocess
import sys
import tempfile


def lines_of(*command):
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode or "arning" in run.stderr:
        yield f"{' '.join(map(str, command))}: {run.returncode}: {run.stdout}{run.stderr}"
    yield from run.stdout.splitlines()


def symbols(readelf, path):
    """Values and ends by name."""
    for line in lines_of(readelf, "-sW", path):
        fields = line.split()
        if len(fields) == 8 and fields[3] == "FUNC":
            yield fields[7], int(fields[1], 16), int(fields[1], 16) + int(fields[2])


def line_rows(dwarfdump, path):
    """Address, file, line and column of every row but those that end a sequence."""
    files = {}
    for line in lines_of(dwarfdump, "--debug-line", path):
        entry = re.match(r"file_names\[ *(\d+)\]", line)
        named = re.match(r' *name: "(.*)"', line)
        row = re.match(r"0x([0-9a-f]{16}) +(\d+) +(\d+) +(\d+)(?!.*end_sequence)", line)
        if line.startswith("debug_line["):
            files = {}
        elif entry:
            number = int(entry.group(1))
        elif named:
            files[number] = named.group(1)
        elif row:
            address, at, column, file = int(row.group(1), 16), *map(int, row.groups()[1:])
            yield address, files[file], at, column


def ranges_of_units(dwarfdump, path):
    for line in lines_of(dwarfdump, "--debug-aranges", path):
        pair = re.match(r"\[0x([0-9a-f]+), *0x([0-9a-f]+)\)", line)
        if pair:
            yield int(pair.group(1), 16), int(pair.group(2), 16)


def set_of_units(functions, rows):
    """A unit for each function that has lines."""
    return {(start, end) for _, start, end in functions if any(start <= row[0] < end for row in rows)}


def covered(readelf, path):
    """The code that .eh_frame describes."""
    for line in lines_of(readelf, "-wf", path):
        entry = re.search(r"FDE .*pc=([0-9a-f]+)\.\.([0-9a-f]+)", line)
        if entry:
            yield int(entry.group(1), 16), int(entry.group(2), 16)


def faults(arch, wanted, path, dwarfdump, readelf):
    functions = {(f[1], int(f[2], 16), int(f[3], 16)) for f in wanted if f[0] == "function"}
    rows = [(int(f[1], 16), f[2], int(f[3]), int(f[4])) for f in wanted if f[0] == "line"]
    if len(functions) != 3 or len(rows) < 7:
        yield f"{arch}: elf_files says little: {wanted}"
    verified = "\n".join(lines_of(dwarfdump, "--verify", path))
    if "No errors." not in verified:
        yield verified
    for what, found, expected in (
        ("symbols", sorted(symbols(readelf, path)), sorted(functions)),
        ("lines", list(line_rows(dwarfdump, path)), rows),
        ("ranges of units", sorted(ranges_of_units(dwarfdump, path)), sorted(set_of_units(functions, rows))),
        ("frames", sorted(covered(readelf, path)), sorted((start, end) for _, start, end in functions)),
    ):
        if found != expected:
            yield f"{what}: {found}, not {expected}"


def main(elf_files, dwarfdump, readelf):
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([elf_files, folder], capture_output=True, text=True, check=True)
        wanted = {}
        for line in run.stdout.splitlines():
            arch, *fields = line.split()
            wanted.setdefault(arch, []).append(fields)
        print(f"1..{len(wanted)}")
        for number, (arch, fields) in enumerate(sorted(wanted.items()), 1):
            found = list(faults(arch, fields, pathlib.Path(folder, f"{arch}.elf"), dwarfdump, readelf))
            print(f"{'not ok' if found else 'ok'} {number} - {arch}")
            for line in "\n".join(found).splitlines():
                print(f"# {line}")


if __name__ == "__main__":
    main(*sys.argv[1:])
