#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What an example prints: printed.py NAME PROGRAM [ARGUMENT...]

NAME is the example's, as "foreign". Runs the program, under the emulator of a cross build, and holds each line to its
pattern.
"""

import os
import re
import shlex
import subprocess
import sys

PERCENT = r" *\d+\.\d%  "
ROW = r"  \+0x[0-9a-f]+  (CFA=\S+ .*|CFA=\S+|not known)"

# Patterns of whole lines, in this order. Lines that follow each other and match one pattern with a + count as one.
LINES = {
    "embed": [r"\w+/user: check\(2\) -> 42", r"\w+/user: check\(9\) throws -> 91"],
    "foreign": [r"  #0   c          .*", r"  #1   subprogram inner\+0x[0-9a-f]+",
                r"  #2   subprogram outer\+0x[0-9a-f]+", r"outer\(20\) = 22", r"outer\(150\) threw 151"],
    "derived": [r"\d+ rows, derived from \d+ bytes:", f"({ROW})+", r"sum\(4\) = 42", r"sum\(10\) threw 6"],
    "profiler": [r"100 samples; with the function on the stack:", f"({PERCENT}.*)+"],
    "plugin": [r"main\(21\) = 42", r"main\(150\) threw 150", r"jf_try\(\) caught 7"],
}
# And what has to be somewhere.
WORDS = {
    "derived": ["CFA="],
    "profiler": [f"{PERCENT}main \\(BPF\\)\n", f"{PERCENT}mix \\(BPF\\)\n", f"{PERCENT}burn\n"],
}


def check(name, text):
    """Raises AssertionError with what is wrong."""
    lines = text.splitlines()
    at = 0
    for pattern in LINES[name]:
        many = pattern.endswith(")+")
        assert at < len(lines) and re.fullmatch(pattern, lines[at]), f"no line {pattern!r} at {lines[at:at + 1]}"
        at += 1
        while many and at < len(lines) and re.fullmatch(pattern, lines[at]):
            at += 1
    assert at == len(lines), f"more lines: {lines[at:]}"
    for word in WORDS.get(name, []):
        assert re.search(word, text), f"{word!r} is not in:\n{text}"


def main():
    name, *command = sys.argv[1:]
    wrapper = shlex.split(os.environ.get("MESON_EXE_WRAPPER", ""))
    done = subprocess.run([*wrapper, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
    check(name, done.stdout)


if __name__ == "__main__":
    main()
