#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compiles and runs the programs of BPF objects, and counts what came of it by reason.

count-selftests.py [--jobs N] [--list FILE] [--compile-only] JITFRAME TARGET OBJECT...

selftest_tags.py tells which of the programs a verifier takes and what they give. Programs that a verifier refuses do
not count. Exit status 1: some program that counts was not compiled, or gave something else.
"""

import argparse
import collections
import concurrent.futures
import json
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import selftest_tags  # noqa: E402

SECONDS = 60  # far more than anything takes: other processes may keep the machine busy
NO_PROGRAMS = "there are no functions in it"  # an object that holds maps and types for others


def reason(message):
    """A message without what is different from program to program."""
    message = message.strip().splitlines()[-1] if message.strip() else "no message"
    message = re.sub(r"^jitframe: \S+: ", "", message)
    message = re.sub(r"^(function )?\S+: (instruction \d+[:,]? ?)?", "", message)
    return re.sub(r"\b\d+\b", "N", message)


def command(*words):
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None, "", f"over {SECONDS} seconds"
    return done.returncode, done.stdout, done.stderr


def run(jitframe, target, path, name, kind, tags):
    """One program. returns: what it came to."""
    options = selftest_tags.packet_options(kind, tags) + selftest_tags.preset(path)
    status, out, err = command(jitframe, "run", path, name, "--target", target, "--json", *options)
    if status != 0:
        return "not run: " + reason(err)
    got = int(json.loads(out)["result"]["r0"], 16)
    return "gives it" if selftest_tags.agrees(got, selftest_tags.stated(tags)) else "gives something else"


def one(jitframe, target, path, compile_only):
    """All programs of one object. returns: lists of (program, what it came to), compiled and run."""
    known = selftest_tags.read(path)
    status, out, err = command(jitframe, "compile", path, "--target", target, "--json")
    if status is None or status < 0:
        return [(path, err if status is None else f"jitframe ended by signal {-status}")], []
    compiled = {}
    if out:
        compiled = {program["name"]: program["section"] for program in json.loads(out)["programs"]}
    made = [(name, "compiled") for name in compiled if not selftest_tags.is_refused(known.get(name, []))]
    for line in err.splitlines():
        if NO_PROGRAMS in line:
            continue
        name = re.match(r"jitframe: \S+: (?:function )?([^:]+):", line)
        if not name or not selftest_tags.is_refused(known.get(name[1], [])):
            made.append((name[1] if name else path, reason(line)))
    ran = []
    for name, kind in () if compile_only else compiled.items():
        tags = known.get(name, [])
        if selftest_tags.stated(tags) is not None and not selftest_tags.is_refused(tags):
            ran.append((name, run(jitframe, target, path, name, kind, tags)))
    return made, ran


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", help="a file for every program that counts, with what it came to")
    parser.add_argument("--compile-only", action="store_true", help="run nothing")
    parser.add_argument("jitframe")
    parser.add_argument("target")
    parser.add_argument("objects", nargs="+")
    args = parser.parse_args()
    made, ran, lines = collections.Counter(), collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = pool.map(lambda path: one(args.jitframe, args.target, path, args.compile_only), args.objects)
        for path, (compiled, gave) in zip(args.objects, results):
            made.update(what for _, what in compiled)
            ran.update(what for _, what in gave)
            lines += [f"{path} {name}: {what}\n" for name, what in compiled + gave]
    if args.list:
        with open(args.list, "w", encoding="utf-8") as file:
            file.writelines(lines)
    print(f"{args.target}: {len(args.objects)} objects, {made.total()} programs that a verifier takes")
    for what, count in made.most_common():
        print(f"{count:6} {what}")
    if args.compile_only:
        sys.exit(0 if made["compiled"] == made.total() else 1)
    print(f"{ran.total()} of them with a stated result")
    for what, count in ran.most_common():
        print(f"{count:6} {what}")
    sys.exit(0 if made["compiled"] == made.total() and ran["gives it"] == ran.total() else 1)


if __name__ == "__main__":
    main()
