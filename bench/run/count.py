#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How many instructions emitted code executes, under QEMU, which other architectures have no processor here for.

    count.py FIGURES FOLDER ARCH COMMAND...     adds a table to the figures of scripts/bench run, FIGURES

FOLDER is what bench_emit has written; COMMAND is bench_code of the architecture, behind its emulator. The emulator
writes a line for each instruction that it executes in the code's pages: one instruction is a block of its own then.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HEADER = pathlib.Path(__file__).with_name("programs.h").read_text(encoding="utf-8")
ADDRESS, BYTES = (re.search(rf"#define {name} +(0x\w+)", HEADER).group(1) for name in ("CODE_ADDRESS", "CODE_BYTES"))


def count(command, code, data):
    """(instructions, what the code returns: of a kernel's program the lower 32 bits count)"""
    with tempfile.NamedTemporaryFile() as log:
        words = [command[0], "-one-insn-per-tb", "-d", "exec,nochain", "-dfilter", f"{ADDRESS}+{BYTES}", "-D", log.name]
        done = subprocess.run(words + command[1:] + [code, data], capture_output=True, text=True, timeout=120, check=True)
        return log.read().count(b"Trace "), int(done.stdout, 16) & 0xFFFFFFFF


def table_of(folder, arch, command):
    rows = []
    for ours in sorted((folder / arch).glob("*.jitframe")):
        first, result = count(command, ours, folder / "data")
        if not first:
            sys.exit(f"{arch}: the emulator has counted nothing of {ours.stem}")
        for who, path in [("jitframe", ours), ("Linux's JIT", ours.with_suffix(".linux"))]:
            if not path.exists():
                continue
            number, other = count(command, path, folder / "data")
            if other != result:
                sys.exit(f"{arch}: {ours.stem} by {who} returns {other:x}, by jitframe {result:x}")
            ratio = number / first
            rows.append({"x": ours.stem, "who": who, "median": number, "low": number, "high": number, "min": number,
                         "runs": 1, "ratio": ratio, "ratio_low": ratio, "ratio_high": ratio})
    return {"title": f"Executed instructions, {arch}", "x": "program", "unit": "instructions", "rows": rows}


def main():
    figures, folder, arch, *command = sys.argv[1:]
    path = pathlib.Path(figures)
    bench = json.loads(path.read_text(encoding="utf-8"))
    bench["tables"].append(table_of(pathlib.Path(folder), arch, command))
    path.write_text(json.dumps(bench, indent=2) + "\n", encoding="utf-8")


main()
