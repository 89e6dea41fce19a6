# SPDX-License-Identifier: BSD-2-Clause
"""docs/performance.md: targets with what was measured, then the tables and plots of each subject."""
import datetime
import fnmatch
import json
from pathlib import Path

import plot
from figures import SPREAD, cell, number, shown, sides

SUBJECTS = {
    "throw": "Throwing to a boundary, against `longjmp()` and C++ exceptions. `returns` is the same program when nothing is "
             "thrown.",
    "walk": "Walking from the innermost frame to the thread's outermost one. Everybody walks the same stack, whose BPF "
            "frames are published (`JF_PUBLISH_CFI`, `JF_PUBLISH_LIBUNWIND`). `cached rules alone` is the idea of framehop's cache: each rule is "
            "there before the time is taken, and gives SP, FP and the return address.",
    "lookup": "Finding a range in the code map, and an entry in an ORC table.",
    "load": "Loading and unloading programs of two instructions.",
    "cfi": "Reading `.eh_frame`, from an object of which nothing is known.",
    "compile": "Compiling, per BPF instruction. DPDK's `rte_bpf_load()` also verifies the program.",
    "run": "Running what was emitted. `clang -O2` compiles the same C for the machine, without BPF between.",
    "check": "Checking machine code against the contract, and finding its rows.",
    "memory": "What an embedding takes that loads one program, in memory that no file has.",
    "objects": "What the objects of a process cost `jf_load()`, beside a large library.",
    "size": "Bytes of code. [size.md](size.md) says what is counted.",
}


def matches(title, pattern):
    return fnmatch.fnmatchcase(title, pattern + "*")


def rows_of(benches, target, who):
    return [
        row
        for bench in benches if bench["bench"] == target["bench"]
        for table in bench["tables"] if matches(table["title"], target["table"])
        for row in table["rows"] if row["who"] == who and target["x"] in ("*", row["x"])
    ]


def unit_of(benches, target):
    return next((table["unit"] for bench in benches if bench["bench"] == target["bench"]
                 for table in bench["tables"] if matches(table["title"], target["table"])), "")


def judge(benches, target, aim):
    """(what is wanted, what was measured, whether that is enough; None: not measured)"""
    rows = rows_of(benches, target, aim["who"])
    if "value" in aim:
        unit = unit_of(benches, target)
        wanted = f"at most {number(aim['value'])} {unit}"
        if not rows:
            return wanted, "not measured", None
        worst = max(row["median"] for row in rows)
        return wanted, f"{number(worst)} {unit}", worst <= aim["value"]
    rows = [row for row in rows if "ratio" in row]
    if "faster" in aim:
        wanted = f"{aim['who']} takes {number(aim['faster'])} times as much"
        if not rows:
            return wanted, "not measured", None
        worst = min(row["ratio"] for row in rows)
        return wanted, f"{number(worst)} times", worst >= aim["faster"]
    wanted = f"at most {number(aim['at_most'])} times {aim['who']}"
    if not rows:
        return wanted, "not measured", None
    least = min(row["ratio"] for row in rows)
    if least <= 0:
        return wanted, f"{aim['who']} takes nothing", False
    worst = 1 / least
    return wanted, f"{number(worst)} times", worst <= aim["at_most"]


def target_lines(benches):
    lines = ["| what | wanted | measured | |", "|---|---|---|---|"]
    for target in json.loads(Path(__file__).with_name("targets.json").read_text()):
        if not any(bench["bench"] == target["bench"] for bench in benches):
            continue
        missed = False
        for i, aim in enumerate(target["targets"]):
            wanted, measured, met = judge(benches, target, aim)
            missed |= met is False
            verdict = {True: "met", False: "missed", None: "-"}[met]
            lines.append(f"| {target['what'] if not i else ''} | {wanted} | {measured} | {verdict} |")
        if missed and target["why"]:
            lines.append(f"| | | | {target['why']} |")
    return lines


def table_lines(table):
    names = sides(table)
    lines = [f"**{table['title']}**, {table['unit']}", "", f"| {table['x']} | " + " | ".join(names) + " |",
             "|---" * (len(names) + 1) + "|"]
    for x in shown(table):
        by_who = {row["who"]: row for row in table["rows"] if row["x"] == x}
        lines.append(f"| {x} | " + " | ".join(cell(by_who.get(who)) for who in names) + " |")
    return lines + [""]


def subject_lines(bench, drawn):
    lines = [f"## {bench['bench']}", "", SUBJECTS[bench["bench"]], ""]
    if drawn:
        lines += [f"![Plot of the tables below](performance/{bench['bench']}.svg)", ""]
    for missing in bench["missing"]:
        lines += [f"Missing: {missing}", ""]
    for table in bench["tables"]:
        lines += table_lines(table)
    return lines


def machine_lines(benches):
    machine = benches[0]["machine"]
    loads = [bench["machine"]["load"] for bench in benches]
    return [
        f"{machine['processor']}, {machine['processors']} processors, cache {machine['cache']}, memory {machine['memory']}; Linux "
        f"{machine['kernel']}, {machine['machine']}; GCC {machine['compiler']}; {datetime.date.today():%d %B %Y}. One process ran "
        f"at a time, on one processor. The system's load was {min(loads):.1f} to {max(loads):.1f}, where 1 is this program alone.",
    ]


def write(benches, docs):
    (docs / "performance").mkdir(parents=True, exist_ok=True)
    lines = [
        "# Performance", "",
        "`scripts/bench --docs` measures everything and writes this page with its plots. Ratios between jitframe and another",
        "library are of one run, in which both took turns; they say more than the nanoseconds, which are this machine's.", "",
        *machine_lines(benches), "",
        "A figure is a median, with the quartiles behind it. `3x` behind a peer's figure is the median, over all turns, of the",
        f"peer's sample by jitframe's: the peer takes three times as long. `!` marks quartiles more than {SPREAD:.0%} of the median",
        "apart: such a figure was disturbed.", "",
        "## Targets", "", *target_lines(benches), "",
    ]
    for bench in benches:
        lines += subject_lines(bench, plot.draw(bench, docs / "performance" / f"{bench['bench']}.svg"))
    (docs / "performance.md").write_text("\n".join(lines).rstrip() + "\n")
