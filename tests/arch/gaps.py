#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What an architecture has not got yet, as TAP: gaps.py ROOT JITFRAME

One line for each part of each architecture that `jitframe archs` lists: ok, or skipped with what is missing.
"""

import json
import pathlib
import subprocess
import sys

# Files of tests/arch/ARCH, and what nothing holds to anything without them.
FILES = {
    "insn.c": "no encoder is held to LLVM MC",
    "prologue.c": "rows of prologues and epilogues are held to nothing but the golden files",
    "proof.py": "nothing is proved of its code: docs/proof.md",
    "body.c": "what BPF instructions become is held to nothing but programs that run",
}
DECODER_FILES = {
    "decode.c": "the decoder is not held to LLVM",
    "rows.s": "the command that judges unwind rows has no rows of this architecture to judge",
    "encoders.c": "effects of instructions are not held to what their encoders stand for",
}
ORC_FILES = {
    "orc.s": "ORC tables are not held to objtool's",
    "orc.txt": "there is nothing that orc.s could be held to",
}


def gaps(root, arch):
    """Yields (part, what is missing or None)."""
    name = arch["name"]
    folder = root / "tests" / "arch" / name

    def files(listed):
        for file, lost in listed.items():
            there = (folder / file).is_file()
            yield f"tests/arch/{name}/{file}", None if there else f"it is not there: {lost}"

    yield from files(FILES)
    if arch["decoder"]:
        yield from files(DECODER_FILES)
    else:
        yield "decoder", f"backends/{name} has none: code cannot be checked, the catalogue and the oracle have no subject"
    if arch["orc"]:
        yield from files(ORC_FILES)
    for conv in arch["conventions"]:
        golden = root / "tests" / "golden" / name / f"{conv['name']}.txt"
        yield f"tests/golden/{name}/{conv['name']}.txt", (
            None if golden.is_file() else "it is not there: JF_REBASE=1 meson test -C build/native golden writes it"
        )
    captures = [capture.split(":")[0] for capture in arch["platform"].get("captures", "").split()]
    for capture in captures:
        there = (root / "tests" / "size" / f"{capture}.txt").is_file()
        yield f"tests/size/{capture}.txt", None if there else f"it is not there: scripts/capture-jit {capture} writes it"
    if not captures:
        yield "captures", f"backends/{name}/platform.conf names none: code is not compared with Linux's"


def main(root, jitframe):
    run = subprocess.run([jitframe, "archs", "--json"], capture_output=True, text=True, check=True)
    lines = [
        (arch["name"], part, missing)
        for arch in json.loads(run.stdout)["archs"]
        for part, missing in gaps(pathlib.Path(root), arch)
    ]
    print(f"1..{len(lines)}")
    for number, (arch, part, missing) in enumerate(lines, 1):
        print(f"ok {number} - {arch}: {part}" + (f" # SKIP {missing}" if missing else ""))


if __name__ == "__main__":
    main(*sys.argv[1:])
