#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Puts patches into copies of the files that the patches name: patched.py TREE COPIES PATCH...

A file that TREE does not have is left out and named: a series may change documentation and other parts of a tree that
nobody has unpacked here. What is new, and what the tree has, has to go in. A patch of which nothing goes in is refused.
"""
import pathlib
import re
import shutil
import subprocess
import sys

FILE = re.compile(r"^--- (\S+).*\n\+\+\+ (\S+).*\n(?=@@ )", re.M)
NOTHING = "/dev/null"
# Renames, new modes and binary files, which have no text to be put in.
HEAD = re.compile(r"^diff --git a/(\S+) b/(\S+)$", re.M)


def name_of(path):
    """A file's name in the tree: as `patch -p1` has it."""
    return path.partition("/")[2]


def files(text):
    """For each file of a patch its names in the tree, old and new, None for none, and the file's part of the patch."""
    matches = list(FILE.finditer(text))
    for match, following in zip(matches, matches[1:] + [None]):
        old, new = (None if path == NOTHING else name_of(path) for path in match.groups())
        part = text[match.start() : following.start() if following else len(text)]
        # What stands in front of the next file is no line of this one.
        part = re.split(r"^(?:diff --git |From [0-9a-f]{40} |-- $)", part, maxsplit=1, flags=re.M)[0]
        yield old, new, part


def put_part_in(copies, path, name, part):
    done = subprocess.run(
        ["patch", "-p1", "-f", "--no-backup-if-mismatch", "-d", str(copies)],
        input=part, capture_output=True, text=True, errors="surrogateescape",
    )
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}kernel-jit: {path}: it does not go into {name}")
    for line in done.stdout.splitlines():
        if " with fuzz " in line:
            print(f"kernel-jit: {path}: {name}: {line}: other lines stand around", file=sys.stderr)


def copy_of(tree, copies, old, new):
    """Makes the copy that a part goes into. returns: False when neither tree nor copies have the file."""
    if (copies / new).exists():
        return True
    # A new file that is there already is copied, too: so `patch` refuses to make it.
    source = next((top / (old or new) for top in (copies, tree) if (top / (old or new)).is_file()), None)
    if source:
        (copies / new).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copies / new)
    return source is not None or old is None


def put_in(tree, copies, path):
    """returns: what is left out, as sentences."""
    text = path.read_text(errors="surrogateescape")
    parts = list(files(text))
    if not parts:
        sys.exit(f"kernel-jit: {path}: it is no patch")
    left_out = []
    for old, new, part in parts:
        if not all(name is None or name and ".." not in name.split("/") for name in (old, new)):
            sys.exit(f"kernel-jit: {path}: {new or old} is no name in a tree, with a/ or b/ in front")
        if new is None:
            left_out.append(f"that {old} goes: the tree's own stays")
        elif copy_of(tree, copies, old, new):
            put_part_in(copies, path, new, part)
        else:
            left_out.append(f"{new}, which {tree} does not have")
    if len(left_out) == len(parts):
        sys.exit(f"kernel-jit: {path}: {tree} has no file of it: names begin with a/ and b/, as git writes them")
    with_text = {name for old, new, _ in parts for name in (old, new)}
    for old, new in HEAD.findall(text):
        if not {old, new} & with_text:
            left_out.append(f"{new}, which the patch changes without lines of text")
    return left_out


def main():
    tree, copies = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    copies.mkdir(parents=True)
    for path in map(pathlib.Path, sys.argv[3:]):
        for what in put_in(tree, copies, path):
            print(f"kernel-jit: {path}: left out {what}", file=sys.stderr)


if __name__ == "__main__":
    main()
