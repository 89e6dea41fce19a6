#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The manual page and bash's completion, held to what the command says of itself: manual.py JITFRAME PAGE COMPLETION

Prints TAP.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from tap import Skip, run_tests

JITFRAME, PAGE, COMPLETION = sys.argv[1:]
COMPLETE = pathlib.Path(__file__).resolve().parent / "complete.sh"
# Sections of the page with options that several commands have.
SHARED = {"Options of a frame": {"frame", "emit", "check"}}
EVERY = "Options of every command"


def jitframe(*arguments):
    env = {**os.environ, "ARGP_HELP_FMT": "rmargin=4000"}
    return subprocess.run([JITFRAME, *arguments], capture_output=True, text=True, check=False, env=env)


def commands():
    return re.findall(r"^  ([a-z]+) +", jitframe("help").stdout, re.M)


def options_by_help(command):
    """{long name: (short name, argument)}"""
    found = re.findall(r"^ +(?:-(.), )?--([a-z-]+)(?:=(\S+))?(?: |$)", jitframe(command, "--help").stdout, re.M)
    return {name: (short, argument) for short, name, argument in found}


def options_by_page():
    """{section of COMMANDS: {long name: (short name, argument)}}"""
    sections, now = {}, None
    for line in pathlib.Path(PAGE).read_text(encoding="utf-8").split("\n"):
        if line.startswith((".Sh ", ".Ss ")):
            now = sections.setdefault(line[4:], {})
        item = re.fullmatch(r"\.It Fl (?:(?:\\&)?(\S) , Fl )?-([a-z-]+)(?: Ns = Ns Ar (\S+))?", line)
        if item:
            now[item[2]] = (item[1] or "", item[3] or "")
    return sections


def the_page_has_each_option():
    sections = options_by_page()
    for command in commands():
        assert command in sections, f"the page has no section of {command}"
        told = {**sections[command], **sections[EVERY]}
        for section, of in SHARED.items():
            told |= sections[section] if command in of else {}
        real = options_by_help(command)
        assert real, command
        for name in sorted(set(told) | set(real)):
            assert told.get(name) == real.get(name), (
                f"jitframe {command} --{name}: the page has {told.get(name)}, --help {real.get(name)}")


def the_page_has_each_command():
    names = set(re.findall(r"^\.Nm\n\.Cm ([a-z]+)$", pathlib.Path(PAGE).read_text(encoding="utf-8"), re.M))
    assert names == {*commands(), "help"}, names ^ {*commands(), "help"}


def mandoc_finds_nothing_wrong():
    if not shutil.which("mandoc"):
        raise Skip("there is no mandoc")
    text = subprocess.run(["mandoc", "-Tlint", "-Wstyle", PAGE], capture_output=True, text=True, check=False).stdout
    # Which other pages this system has is no fault.
    wrong = [line for line in text.split("\n") if line and "referenced manual not found" not in line]
    assert not wrong, "\n".join(wrong)


def complete(*words):
    done = subprocess.run(["bash", COMPLETE, COMPLETION, JITFRAME, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return set(done.stdout.split("\n")) - {""}


def the_completion_offers_commands():
    assert complete("") == {*commands(), "help", "--help", "--version"}, complete("")
    assert complete("che") == {"check"}
    assert complete("help", "") == set(commands())


def the_completion_offers_each_option():
    for command in commands():
        real = {"--" + name for name in options_by_help(command)}
        assert complete(command, "--") == real, f"{command}: {complete(command, '--') ^ real}"


def the_completion_offers_arguments():
    roles = {"main", "subprogram", "boundary", "callback"}
    targets = set(re.findall(r"^(\S+?/\S+): ", jitframe("archs", "--brief").stdout, re.M))
    assert len(targets) > 4, targets
    for words, wanted in (
        (["frame", "--role", ""], roles), (["frame", "--role", "=", "bo"], {"boundary"}), (["frame", "--role", "="], roles),
        (["compile", "-t", ""], targets), (["run", "--target", "="], targets), (["emit", ""], targets),
        (["run", "--publish", ""], {"cfi", "gdb", "perf-map", "perf-dump", "libunwind"}),
        (["orc", ""], {"dump", "find"}), (["rows", ""], {"verify", "make"}),
        (["frame", "--uses", "r6,r"], {"r6,r6", "r6,r7", "r6,r8", "r6,r9"}),
        # Files and numbers.
        (["frame", "--svg", ""], set()), (["frame", "--stack", ""], set()), (["compile", ""], set()),
    ):
        assert complete(*words) == wanted, f"{words}: {complete(*words)}"


def the_command_takes_what_the_completion_offers():
    tried = 0
    for command in commands():
        for name, (_, argument) in options_by_help(command).items():
            for word in complete(command, "--" + name, "") if argument else ():
                # A word for a part of the argument.
                text = jitframe(command, f"--{name}={word}=0-1" if "=" in argument else f"--{name}={word}").stderr
                assert f"--{name} {word}" not in text, text
                tried += 1
    assert tried > 20, tried


sys.exit(run_tests(
    the_page_has_each_command, the_page_has_each_option, mandoc_finds_nothing_wrong, the_completion_offers_commands,
    the_completion_offers_each_option, the_completion_offers_arguments, the_command_takes_what_the_completion_offers))
