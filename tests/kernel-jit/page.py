#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
What a page quotes of `scripts/kernel-jit`, and of commands that take what the script has built, against what the commands
print: page.py SOURCE_ROOT JITFRAME FOLDER PAGE...

In a page, lines indented by four blanks behind "$ scripts/kernel-jit ..." or "$ jitframe ... --jit ..." are that command's
output, standard error behind standard output, and "(exit status N)" unless that is 0; "..." stands for lines that are left
out. ~/linux and exceptions.patch are what JITFRAME_KERNEL_TREE and JITFRAME_KERNEL_PATCH name, and
JITFRAME_KERNEL_VMLINUX is a kernel with BTF, where the script is to have another one than its own. Without a tree or a
patch all is skipped. `jitframe` runs in FOLDER.
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT, JITFRAME, FOLDER = (pathlib.Path(path).resolve() for path in sys.argv[1:4])
COMMAND = re.compile(r"^    \$ (scripts/kernel-jit .*|jitframe .* --jit .*)$")
TREE, PATCH, VMLINUX = (os.environ.get(f"JITFRAME_KERNEL_{name}") for name in ("TREE", "PATCH", "VMLINUX"))


def blocks(text):
    """(command, quoted lines) of a page, in the page's order."""
    found, current = [], None
    for line in text.split("\n"):
        match = COMMAND.match(line)
        if match:
            current = []
            found.append((match.group(1), current))
        elif not line.startswith("    ") or line.startswith("    $ "):
            current = None
        elif current is not None:
            current.append(line[4:])
    return [(command, lines) for command, lines in found if lines]


def output_of(command):
    if command.startswith("scripts/"):
        words = command.replace("~/linux", f"'{TREE}'").replace("exceptions.patch", f"'{PATCH}'")
        words += f" --vmlinux '{VMLINUX}'" if VMLINUX else ""
        folder = ROOT
    else:
        words = command.replace("jitframe", f"'{JITFRAME}'", 1).replace("build/kernel-jit", f"'{ROOT}/build/kernel-jit'")
        folder = FOLDER
    done = subprocess.run(["bash", "-c", words], cwd=folder, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).rstrip("\n").split("\n")
    return lines + ([f"(exit status {done.returncode})"] if done.returncode else [])


def missing(quoted, got):
    """The first quoted line that does not follow those in front of it; "..." lets lines between them be."""
    at, loose = 0, False
    for line in quoted:
        if line == "...":
            loose = True
            continue
        places = range(at, len(got)) if loose else range(at, min(at + 1, len(got)))
        found = next((place for place in places if got[place].rstrip() == line.rstrip()), None)
        if found is None:
            return line
        at, loose = found + 1, False
    return None if loose or at == len(got) else f"nothing more behind {quoted[-1]}"


def main():
    quoted = [(page, *block) for page in sys.argv[4:] for block in blocks(pathlib.Path(page).read_text())]
    if not TREE or not PATCH:
        print("1..0 # SKIP JITFRAME_KERNEL_TREE and JITFRAME_KERNEL_PATCH name no tree and no patch with exceptions")
        return 0
    print(f"1..{len(quoted)}")
    for number, (page, command, lines) in enumerate(quoted, 1):
        got = output_of(command)
        wrong = missing(lines, got)
        print(f"{'not ' if wrong else ''}ok {number} - {pathlib.Path(page).name}: {command}")
        if wrong:
            print(f"# wanted: {wrong}")
            print("".join(f"# got:    {line}\n" for line in got), end="")
    return not quoted


sys.exit(main())
