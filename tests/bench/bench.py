#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The programs of scripts/bench with tiny sizes, and what is made of their figures: bench.py SOURCE NAME=PROGRAM[,INPUT]...

What the figures say is nobody's business here; that they are there, and are put together rightly, is.
"""

import copy
import glob
import json
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

SOURCE = pathlib.Path(sys.argv[1])
sys.path[:0] = [str(SOURCE / "tests/packaging"), str(SOURCE / "bench")]

import page  # pylint: disable=wrong-import-position
from tap import Skip, run_tests  # pylint: disable=wrong-import-position

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="jitframe-bench-"))
PROGRAMS = dict(argument.split("=", 1) for argument in sys.argv[2:])
ARCH, EMIT, CODE, OBJECT = (PROGRAMS.pop(name, "") for name in ("arch", "emit", "code", "object"))

# Figures that a reader can check by hand: the peer takes twice and three times as long, once with a wide spread.
MADE_UP = {
    "bench": "throw",
    "machine": {"processor": "P", "cache": "1 KB", "machine": "m", "processors": 2, "memory": "1 kB", "kernel": "k",
                "compiler": "c", "load": 1.0},
    "missing": ["a peer: its package"],
    "tables": [{"title": "Call, throw, return: BPF frames", "x": "frames", "unit": "ns", "rows": [
        {"x": x, "who": who, "median": m, "low": low, "high": high, "min": low, "runs": 9, "ratio": r, "ratio_low": r,
         "ratio_high": r}
        for x, who, m, low, high, r in [
            ("1", "jitframe", 10, 9.9, 10.1, 1), ("1", "_setjmp + longjmp", 20, 19.9, 20.1, 2),
            ("1", "C++ throw and catch", 30, 25, 35, 3), ("1000", "jitframe", 1234, 1230, 1240, 1),
            ("1000", "_setjmp + longjmp", 2468, 2460, 2470, 2)]]}],
}


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300, check=False)
    check(done.returncode == 0, f"{words[0]}: status {done.returncode}\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


def measured(name, command):
    """Each program ends well, and each row has what bench/measure.h says."""
    program, *inputs = command.split(",")
    file = FOLDER / f"{name}.json"
    files = [path for pattern in inputs for path in sorted(glob.glob(pattern))]
    check(bool(files) == bool(inputs), f"there is no {inputs}")
    run(program, "--tiny", "--json", file, *files)
    bench = json.loads(file.read_text())
    check(bench["bench"] == name, f"the figures are of {bench['bench']}")
    check(bench["tables"], "there is no table")
    for table in bench["tables"]:
        check(table["rows"], f"{table['title']} has no row")
        ours = [row for row in table["rows"] if row["who"].startswith("jitframe")]
        check(ours, f"{table['title']} has no figure of jitframe's")
        for row in table["rows"]:
            check(row["min"] <= row["low"] <= row["median"] <= row["high"], f"{table['title']}, {row}: not in order")
            check(row["runs"] > 0, f"{row}: no runs")
            check(row["who"] != "jitframe" or row.get("ratio", 1) in (0, 1), f"{row}: jitframe's own ratio is 1")
        # Two rows of one side at one x, and one would be lost in a table.
        keys = [(row["x"], row["who"]) for row in table["rows"]]
        check(len(keys) == len(set(keys)), f"{table['title']}: a side is there twice")
    check(name in page.SUBJECTS, f"bench/page.py says nothing of {name}")


def instructions_are_counted():
    """On this machine's own architecture, by its emulator."""
    emulator = shutil.which(f"qemu-{platform.machine()}")
    if not emulator or not all((EMIT, CODE, OBJECT)):
        raise Skip(f"qemu-{platform.machine()}, or clang, is missing")
    figures, code = FOLDER / "run.json", FOLDER / "code"
    run(EMIT, code, OBJECT)
    run(sys.executable, SOURCE / "bench/run/count.py", figures, code, ARCH, emulator, CODE)
    counts = {row["x"]: row["median"] for row in json.loads(figures.read_text())["tables"][-1]["rows"]
              if row["who"] == "jitframe"}
    # A loop of 256 turns, each of some instructions; and code that goes forwards, of less than 100 BPF instructions.
    check(256 * 3 < counts["hash_fnv"] < 256 * 12, f"hash_fnv: {counts['hash_fnv']}")
    check(10 < counts["parse_packet"] < 200, f"parse_packet: {counts['parse_packet']}")


def unknown_arguments_are_refused():
    program = next(iter(PROGRAMS.values())).split(",")[0]
    done = subprocess.run([program, "--frobnicate"], capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 1 and "--frobnicate" in done.stderr, f"{done.returncode}, {done.stderr}")


def made_up():
    (FOLDER / "throw.json").write_text(json.dumps(MADE_UP))
    return run(sys.executable, SOURCE / "bench/report.py", FOLDER, "throw", "--json", FOLDER / "all.json", "--docs", FOLDER)


def tables_say_medians_ratios_and_spread():
    text = made_up()
    for wanted in ["missing: a peer: its package", "10 (9.9 to 10.1)", "20 (19.9 to 20.1), 2x", "30 (25 to 35), 3x !",
                   "1,230 (1,230 to 1,240)", "! at 1 figures"]:
        check(wanted in text, f"the table lacks {wanted!r}:\n{text}")
    check(json.loads((FOLDER / "all.json").read_text()) == {"throw": MADE_UP}, "--json FILE has other figures")


def page_judges_targets():
    made_up()
    text = (FOLDER / "performance.md").read_text()
    for wanted in ["| at most 1.2 times _setjmp + longjmp | 0.5 times | met |", "| C++ throw and catch takes 40 times as much | 3 times | missed |",
                   "| 1 | 10 (9.9 to 10.1) | 20 (19.9 to 20.1), 2x | 30 (25 to 35), 3x ! |", "P, 2 processors", "Missing: a peer"]:
        check(wanted in text, f"the page lacks {wanted!r}:\n{text}")


def each_target_finds_its_table():
    """A title that was changed would turn a target into "not measured"."""
    benches = [json.loads((FOLDER / f"{name}.json").read_text()) for name in PROGRAMS if (FOLDER / f"{name}.json").exists()]
    titles = {(bench["bench"], table["title"]) for bench in benches for table in bench["tables"]}
    for target in json.loads((SOURCE / "bench/targets.json").read_text()):
        # Tiny sizes have libc, and no large library.
        pattern = target["table"].replace("libLLVM", "libc.so.6")
        found = [title for bench, title in titles if bench == target["bench"] and page.matches(title, pattern)]
        if pattern.startswith("Executed") and not shutil.which(f"qemu-{platform.machine()}"):
            continue
        check(found or target["bench"] not in PROGRAMS, f"{target['what']}: no table of {target['bench']} is {pattern}")


def plots_are_pictures():
    made_up()
    if not shutil.which("gnuplot"):
        raise Skip("gnuplot is missing (gnuplot-nox)")
    for path in [FOLDER / "throw.svg", FOLDER / "performance/throw.svg"]:
        text = "".join(xml.etree.ElementTree.parse(path).getroot().itertext())
        for wanted in ["_setjmp + longjmp", "jitframe", "frames", "Call, throw, return: BPF frames"]:
            check(wanted in text, f"{path.name} lacks {wanted!r}")
    check("![Plot of the tables below](performance/throw.svg)" in (FOLDER / "performance.md").read_text(), "no plot in the page")


def plots_of_what_was_measured():
    if not shutil.which("gnuplot"):
        raise Skip("gnuplot is missing (gnuplot-nox)")
    names = [name for name in PROGRAMS if (FOLDER / f"{name}.json").exists()]
    run(sys.executable, SOURCE / "bench/report.py", FOLDER, *names)
    for name in names:
        xml.etree.ElementTree.parse(FOLDER / f"{name}.svg")


def two_revisions():
    for side, factor in [("old", 1), ("new", 0.5)]:
        (FOLDER / side).mkdir()
        for number in (1, 2, 3):
            figures = copy.deepcopy(MADE_UP)
            for row in figures["tables"][0]["rows"]:
                row["median"] *= factor
            (FOLDER / side / f"throw-{number}.json").write_text(json.dumps(figures))
    text = run(sys.executable, SOURCE / "bench/report.py", "--compare", FOLDER / "old", FOLDER / "new", "throw")
    check("0.500 (0.500 to 0.500)" in text and "3 rounds" in text, text)
    check("longjmp" not in text, "a peer is compared with itself")


def main():
    failed = run_tests(
        *((measured, name, command) for name, command in PROGRAMS.items()),
        instructions_are_counted, unknown_arguments_are_refused, each_target_finds_its_table, plots_of_what_was_measured,
        tables_say_medians_ratios_and_spread, page_judges_targets, plots_are_pictures, two_revisions,
    )
    shutil.rmtree(FOLDER)
    return failed


sys.exit(main())
