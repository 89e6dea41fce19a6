# SPDX-License-Identifier: BSD-2-Clause
"""The rules about the form of files: licence lines, length, width, indentation, clang-format. Each yields what is wrong."""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess

from source import Skip, lines_with

LINES_MAX = 480
COLUMNS_MAX = 120
TAB_COLUMNS = 8
# Each version of clang-format has a form of its own; the tree has this one's.
FORMATTER = "14"

# Files that are one long table and would not be clearer in pieces.
LONG_FILES = {
    "backends/x86_64/insn.h",
}
# Kinds of files that have no place for a licence line: prose, data, and what their readers would take for content.
NO_LICENCE_LINE = {".md", ".txt", ".json", ".svg", ".data", ".orc", ".bin"}
NO_LICENCE_NAMES = {
    "LICENSE", ".gitignore", ".git-blame-ignore-revs", ".clang-format", ".clang-tidy", ".editorconfig",
    "changelog", "format",  # debian/: Debian's tools take no other line
}


def files_say_their_licence(tree):
    for name, text in tree.texts():
        path = pathlib.PurePath(name)
        if path.suffix in NO_LICENCE_LINE or path.name in NO_LICENCE_NAMES:
            continue
        if not any("SPDX-License-Identifier: BSD-2-Clause" in line for line in text.splitlines()[:3]):
            yield name


def files_are_not_long(tree):
    for name, text in tree.texts(".c", ".h", ".S", ".py", ".in", ".build"):
        count = text.count("\n")
        if count > LINES_MAX and name not in LONG_FILES:
            yield f"{name} has {count} lines"
        if count <= LINES_MAX and name in LONG_FILES:
            yield f"{name} has {count} lines now: take it off the list of long files"


def lines_end_where_they_seem_to(tree):
    for name, text in tree.texts():
        if text and not text.endswith("\n"):
            yield f"{name} does not end with a line feed"
        if "\r" in text:
            yield f"{name} has carriage returns"
        for number, line in lines_with(text, re.compile(r"[ \t]$")):
            yield f"{name}:{number} ends with blanks"


def c_is_indented_with_tabs(tree):
    for name, text in tree.texts(".c", ".h"):
        for number, line in lines_with(text, re.compile(r"^\t* {8}.*[^\\]$")):
            yield f"{name}:{number} has eight blanks for a tab"


def lines_of_c_are_not_wide(tree):
    for name, text in tree.texts(".c", ".h"):
        for number, line in enumerate(text.splitlines(), 1):
            columns = len(line.expandtabs(TAB_COLUMNS))
            if columns > COLUMNS_MAX:
                yield f"{name}:{number} has {columns} columns, and {COLUMNS_MAX} are the most"


def formatter():
    """The command of the one version that is asked, or a reason to skip."""
    others = []
    for command in (f"clang-format-{FORMATTER}", "clang-format"):
        if shutil.which(command):
            version = subprocess.run([command, "--version"], capture_output=True, text=True).stdout.strip()
            if re.search(rf"\bversion {FORMATTER}\.", version):
                return command
            others.append(version)
    raise Skip(f"clang-format {FORMATTER} is not there" + "".join(f"; {version} is" for version in others))


def c_has_the_formatters_form(tree):
    command = formatter()
    names = [name for name in tree.files if name.endswith((".c", ".h"))]
    jobs = os.cpu_count() or 1

    def run(chunk):
        return subprocess.run(
            [command, "--style=file", "--dry-run", "-Werror", "--ferror-limit=1", *chunk],
            cwd=tree.root, capture_output=True, text=True,
        )

    if len(names) < 100:
        yield f"only {len(names)} files of C were found"
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in pool.map(run, [names[first::jobs] for first in range(jobs)]):
            places = sorted(set(re.findall(r"^(\S+?:\d+):\d+: error", done.stderr, re.M)))
            for place in places:
                yield f"{place} is not in form: {command} -i {place.split(':')[0]}"
            if done.returncode and not places:
                yield done.stderr.strip() or f"{command} ended with {done.returncode}"
