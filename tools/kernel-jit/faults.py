#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Faults planted in a tree's JIT, one at a time: each has to make the table of selftests.py red, by the checker alone.
scripts/kernel-jit calls this.

arch/ARCH/faults.conf has the faults; a # begins a remark:

    programs PATTERN...         the selftests that show the faults
    fault NAME                  a fault begins
    says WORDS                  what is wrong then
    in FILE FUNCTION            where, in the tree
    change PATTERN => TEXT      what the pattern finds becomes the text; the function has the pattern once
    rules RULE...               rules that are to be broken, one of them at least

Exit status 0: every fault fits the tree, and breaks one of its rules somewhere where nothing broke that rule before.
"""
import argparse
import dataclasses
import fnmatch
import os
import pathlib
import re
import shutil
import sys

sys.dont_write_bytecode = True
import build  # noqa: E402
import cut  # noqa: E402
import judge  # noqa: E402
import selftests  # noqa: E402


@dataclasses.dataclass
class Fault:
    name: str
    says: str = ""
    file: str = ""
    function: str = ""
    pattern: str = ""
    text: str = ""
    rules: tuple[int, ...] = ()


def read(text):
    """returns: the faults, and the patterns of the selftests that show them."""
    faults, sources = [], []
    for line in text.splitlines():
        key, _, rest = line.partition(" ")
        if not line or line.startswith("#"):
            continue
        if key == "programs":
            sources += rest.split()
        elif key == "fault":
            faults.append(Fault(rest))
        elif key == "says":
            faults[-1].says = rest
        elif key == "in":
            faults[-1].file, faults[-1].function = rest.split()
        elif key == "change":
            faults[-1].pattern, _, faults[-1].text = rest.partition(" => ")
        elif key == "rules":
            faults[-1].rules = tuple(int(rule.removeprefix("R")) for rule in rest.split())
        else:
            sys.exit(f"kernel-jit: faults.conf: there is no line {key}")
    return faults, sources


def plant(fault, text):
    """The text of fault.file with the fault. Raises build.Failed where the fault does not fit."""
    lines = text.splitlines(keepends=True)
    place = cut.find(text.splitlines(), f"fn:{fault.function}")
    if not place:
        raise build.Failed(f"{fault.file} has no function {fault.function}")
    first, last = place[0], place[1] + 1
    changed, count = re.subn(fault.pattern, fault.text, "".join(lines[first:last]), flags=re.S)
    if count != 1:
        raise build.Failed(f"{fault.file}: {fault.function} has {count} places like {fault.pattern}, not one")
    return "".join(lines[:first]) + changed + "".join(lines[last:])


def compile_with(fault, arch, tops, out):
    """A JIT with the fault. returns: the folder."""
    found = build.Tree(*tops).text(fault.file)
    if found is None:
        raise build.Failed(f"there is no {fault.file}")
    copies = out / "tree"
    copy = copies / fault.file
    shutil.rmtree(out, ignore_errors=True)
    copy.parent.mkdir(parents=True)
    copy.write_text(plant(fault, found))
    build.build(arch, build.Tree(copies, *tops), out / arch, {}, os.environ.get("CC", "gcc"))
    return out / arch


def new_findings(before, after):
    """What is broken now, in programs where nothing broke that rule before."""
    known = {(row.program, rule) for row in before for rule in row.rules()}
    return [(row, finding) for row in after for finding in row.findings if (row.program, finding["rule"]) not in known]


def verdict(fault, before, after):
    """returns: whether the table is red as it has to be, and lines about that."""
    found = new_findings(before, after)
    wanted = [(row, finding) for row, finding in found if finding["rule"] in fault.rules]
    programs = {row.program for row, _ in found}
    rules = sorted({finding["rule"] for _, finding in found})
    lines = [f"red: {len(programs)} programs break " + " ".join(f"R{rule}" for rule in rules)] if found else ["not red"]
    if found and not wanted:
        lines.append("none of these is one of " + " ".join(f"R{rule}" for rule in fault.rules))
    for row, finding in (wanted or found)[:1]:
        lines.append(f"R{finding['rule']} in {row.program}, {finding['function']}: {finding['text']}")
        if "instruction" in finding:
            lines.append(f"    {finding['offset']:x}:  {finding['instruction']}")
    return bool(wanted), lines


def main():
    parser = argparse.ArgumentParser(prog="kernel-jit faults")
    parser.add_argument("--jitframe", required=True, help="the command")
    parser.add_argument("--jits", type=pathlib.Path, required=True, help="the folder with ARCH/jit")
    parser.add_argument("--objects", type=pathlib.Path, required=True, help="the folder with NAME.bpf.o")
    parser.add_argument("--tree", action="append", required=True, help="a file comes from the first one that has it")
    parser.add_argument("--arch", required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    faults, sources = read((build.HERE / "arch" / args.arch / "faults.conf").read_text())
    wanted = [
        program
        for program in selftests.all_programs(args.tree, args.objects)
        if any(fnmatch.fnmatch(program.source, pattern) for pattern in sources)
    ]

    def rows_of(folder):
        command = judge.Command(args.jitframe, folder, selftests.about(folder))
        return judge.judge_all(command, wanted, args.jobs, runs=False)

    before, good = rows_of(args.jits / args.arch), 0
    for fault in faults:
        try:
            folder = compile_with(fault, args.arch, args.tree, args.jits / "faults" / fault.name)
            red, lines = verdict(fault, before, rows_of(folder))
        except build.Failed as failed:
            red, lines = False, ["it does not fit this tree", *str(failed).splitlines()]
        good += red
        print(f"{'ok' if red else 'NOT OK'}: {fault.name}: {fault.says}")
        print("".join(f"    {line}\n" for line in lines), end="", flush=True)
    print(f"{args.arch}: {good} of {len(faults)} faults make the table red, by {len(wanted)} programs")
    sys.exit(good != len(faults) or not faults)


if __name__ == "__main__":
    main()
