#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Puts patches into copies of the files that the patches name: patched.py TREE COPIES PATCH...

A file that TREE does not have is left out and named: a series may change documentation and other parts of a tree that
nobody has unpacked here. What is new, and what the tree has, has to go in.
"""
import pathlib
import re
import shutil
import subprocess
import sys

FILE = re.compile(r"^--- (\S+).*\n\+\+\+ (\S+).*\n(?=@@ )", re.M)
NOTHING = "/dev/null"


def files(text):
    """For each file of a patch its name in the tree, whether the file is new, and the file's part of the patch."""
    matches = list(FILE.finditer(text))
    for match, following in zip(matches, matches[1:] + [None]):
        old, new = match.groups()
        name = (old if new == NOTHING else new).partition("/")[2]
        part = text[match.start() : following.start() if following else len(text)]
        # What stands in front of the next file is no line of this one.
        part = re.split(r"^(?:diff --git |From [0-9a-f]{40} |-- $)", part, maxsplit=1, flags=re.M)[0]
        yield name, old == NOTHING, part


def put_in(tree, copies, path):
    """returns: the names that the tree does not have."""
    missing = []
    parts = list(files(path.read_text(errors="surrogateescape")))
    if not parts:
        sys.exit(f"kernel-jit: {path}: it is no patch")
    for name, is_new, part in parts:
        copy = copies / name
        if not is_new and not copy.exists():
            if not (tree / name).is_file():
                missing.append(name)
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tree / name, copy)
        done = subprocess.run(
            ["patch", "-p1", "-f", "-s", "--no-backup-if-mismatch", "-d", str(copies)],
            input=part, capture_output=True, text=True, errors="surrogateescape",
        )
        if done.returncode:
            sys.exit(f"{done.stdout}{done.stderr}kernel-jit: {path}: it does not go into {name} of {tree}")
    return missing


def main():
    tree, copies = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    copies.mkdir(parents=True)
    for path in map(pathlib.Path, sys.argv[3:]):
        if not path.is_file():
            sys.exit(f"kernel-jit: there is no patch {path}")
        for name in put_in(tree, copies, path):
            print(f"kernel-jit: {path}: left out {name}, which {tree} does not have", file=sys.stderr)


if __name__ == "__main__":
    main()
