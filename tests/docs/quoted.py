#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a page of the documentation quotes, against what the commands print now: quoted.py PAGE JITFRAME FOLDER

In PAGE, lines indented by four blanks behind a "$ jitframe ..." are that command's output, standard error after standard
output, and "(exit status N)" unless that is 0. The command runs in FOLDER, through the shell. A picture that the command
writes with "--svg FILE" is held to the FILE beside PAGE. Prints TAP. With JF_REBASE=1 in the environment page and
pictures are written anew.
"""

import os
import pathlib
import re
import subprocess
import sys

INDENT = "    "
PROMPT = INDENT + "$ jitframe "
OTHERS = " --jit "  # needs a kernel tree: tests/kernel-jit/page.py


def output_of(command, jitframe, folder):
    done = subprocess.run(
        ["bash", "-c", command.replace("jitframe ", f"'{jitframe}' ", 1)],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )
    text = (done.stdout + done.stderr).rstrip("\n")
    lines = text.split("\n") if text else []
    if done.returncode:
        lines.append(f"(exit status {done.returncode})")
    return lines


def blocks(lines):
    """Where each quoted output is: (line of the command, first line of its output, line behind it)."""
    at = 0
    while at < len(lines):
        if not lines[at].startswith(PROMPT) or OTHERS in lines[at]:
            at += 1
            continue
        end = at + 1
        while end < len(lines) and not lines[end].startswith(PROMPT) and (
            lines[end].startswith(INDENT) or (not lines[end] and end + 1 < len(lines) and lines[end + 1].startswith(INDENT))
        ):
            end += 1
        while end > at + 1 and not lines[end - 1]:
            end -= 1
        yield at, at + 1, end
        at = end


def pictures_of(command, page, folder):
    """The files that the command writes: (where the command writes one, where the page has it)."""
    return [(folder / name, page.parent / name) for name in re.findall(r"--svg[ =](\S+)", command)]


def compare_pictures(pictures, rebase):
    """returns: what differs."""
    differ = []
    for written, committed in pictures:
        if not written.is_file() or not committed.is_file() or written.read_bytes() != committed.read_bytes():
            differ.append(committed)
        if rebase and written.is_file():
            committed.write_bytes(written.read_bytes())
    return differ


def main():
    page, jitframe, folder = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    rebase = os.environ.get("JF_REBASE") == "1"
    lines = page.read_text().split("\n")
    found = list(blocks(lines))
    new = lines[: found[0][0]] if found else []
    failed = not found
    print(f"1..{len(found)}")
    for number, (command_at, start, end) in enumerate(found, 1):
        command = lines[command_at][len(INDENT) + 2:]
        pictures = pictures_of(command, page, folder)
        for picture, _ in pictures:
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.unlink(missing_ok=True)
        got = [(INDENT + line).rstrip() for line in output_of(command, jitframe, folder)]
        wanted = lines[start:end]
        # Nobody said that there is a build of that architecture: see tests/exec/command.h.
        skipped = "JITFRAME_RUNNER_PATH" not in os.environ and any("JITFRAME_RUNNER_PATH can name" in line for line in got)
        differ = compare_pictures(pictures, rebase)
        good = skipped or (got == wanted and not differ)
        failed |= not good
        following = found[number][0] if number < len(found) else len(lines)
        new += [lines[command_at]] + (wanted if skipped else got) + lines[end:following]
        reason = " # SKIP no build for its architecture: scripts/test makes one" if skipped else ""
        print(f"{'' if good else 'not '}ok {number} - {command}{reason}")
        if not good:
            print("# JF_REBASE=1 in the environment writes the page anew; look at what it changed")
            print("\n".join("# wanted: " + line for line in wanted))
            print("\n".join("# got:    " + line for line in got))
            print("\n".join(f"# {path} is another picture" for path in differ))
    if rebase and found:
        page.write_text("\n".join(new))
    return failed


sys.exit(main())
