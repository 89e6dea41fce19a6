# SPDX-License-Identifier: BSD-2-Clause
"""The source tree, as its tests read it."""

import pathlib
import re
import shlex
import shutil
import subprocess

# Not text: no rule about lines applies.
BINARY = {".o", ".elf", ".bin", ".orc", ".gz", ".png"}

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


class Skip(Exception):
    """A test that this machine cannot make; the text says why."""


class Tree:
    def __init__(self, root, library, nm, cc, cxx):
        self.root = pathlib.Path(root)
        self.library = library
        self.nm = shlex.split(nm)
        self.cc = shlex.split(cc)
        self.cxx = shlex.split(cxx)
        self.files = sorted(self.list_files())

    def list_files(self):
        """Everything that is in the repository or would be added to it; outside of one, everything."""
        git = shutil.which("git") and subprocess.run(
            ["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            text=True,
        )
        if git and git.returncode == 0:
            names = [name for name in git.stdout.split("\0") if name]
        else:
            names = [str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()]
            names = [name for name in names if not name.startswith(("build/", ".git/")) and "__pycache__" not in name]
        return [name for name in names if (self.root / name).is_file()]

    def text(self, name):
        return (self.root / name).read_text(encoding="utf-8")

    def texts(self, *suffixes):
        for name in self.files:
            path = pathlib.PurePath(name)
            if path.suffix not in BINARY and (not suffixes or path.suffix in suffixes):
                yield name, self.text(name)

    def under(self, *folders):
        return [name for name in self.files if name.startswith(folders)]

    def headers(self):
        return [name for name in self.under("include/jitframe/") if name.endswith(".h")]

    def compile(self, command, source):
        run = subprocess.run(
            [*command, "-I", self.root / "include", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-"],
            input=source,
            capture_output=True,
            text=True,
        )
        return run.stderr.strip() if run.returncode else ""


def lines_with(text, pattern):
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


def without_comments(text):
    return COMMENT.sub(lambda match: "\n" * match.group().count("\n"), text)
