#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Figures of scripts/bench, as people read them.

    report.py FOLDER NAME...                   tables of FOLDER/NAME.json on the terminal, plots into FOLDER/NAME.svg
    report.py FOLDER NAME... --json FILE       all figures in one file besides
    report.py FOLDER NAME... --docs DOCS       DOCS/performance.md and its plots besides
    report.py --compare OLD NEW NAME...        OLD/NAME-ROUND.json against NEW/NAME-ROUND.json

bench/measure.h has the form of the JSON.
"""
import argparse
import json
import statistics
import sys
from pathlib import Path

import page
import plot
from figures import OURS, SPREAD, cell, number, read, sides, spread, xs


def print_table(table):
    """A line for each x, a column for each side."""
    names = sides(table)
    lines = [[table["x"]] + names]
    for x in xs(table):
        by_who = {row["who"]: row for row in table["rows"] if row["x"] == x}
        lines.append([x] + [cell(by_who.get(who)) for who in names])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    print(f"\n{table['title']}, {table['unit']}")
    for line in lines:
        print("  " + "  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())


def print_bench(bench):
    print(f"\n== {bench['bench']}")
    for missing in bench["missing"]:
        print(f"missing: {missing}")
    noisy = 0
    for table in bench["tables"]:
        print_table(table)
        noisy += sum(spread(row) > SPREAD for row in table["rows"])
    if noisy:
        print(f"\n! at {noisy} figures: the quartiles are more than {SPREAD:.0%} of the median apart")


def report(args):
    benches = [read(args.paths[0], name) for name in args.paths[1:]]
    for bench in benches:
        print_bench(bench)
        plot.draw(bench, Path(args.paths[0]) / f"{bench['bench']}.svg")
    print("\nmedian (quartiles), then how many times jitframe's time, bytes or instructions that is; x of one run")
    if args.json:
        Path(args.json).write_text(json.dumps({bench["bench"]: bench for bench in benches}, indent=2) + "\n")
    if args.docs:
        page.write(benches, Path(args.docs))


# ---- two revisions -------------------------------------------------------------------------------------------------


def rounds(folder, name):
    """(table, x, who) -> the medians of all rounds, of what is ours."""
    figures = {}
    for path in sorted(Path(folder).glob(f"{name}-*.json")):
        for table in json.loads(path.read_text())["tables"]:
            for row in table["rows"]:
                if row["who"].startswith(OURS):
                    figures.setdefault((table["title"], row["x"], row["who"]), []).append(row["median"])
    return figures


def compare(old_folder, new_folder, names):
    for name in names:
        old, new = rounds(old_folder, name), rounds(new_folder, name)
        if not old or not new:
            sys.exit(f"{name}: there is nothing to compare")
        print(f"\n== {name}: old, new, new by old (lowest and highest of {len(next(iter(new.values())))} rounds)")
        for key in old:
            if key not in new:
                continue
            ratios = sorted(b / a for a, b in zip(old[key], new[key]) if a)
            if not ratios:
                continue
            print(f"  {', '.join(key):<76} {number(statistics.median(old[key])):>9} {number(statistics.median(new[key])):>9}"
                  f"  {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--json")
    parser.add_argument("--docs")
    parser.add_argument("paths", nargs="+")
    args = parser.parse_args()
    if args.compare:
        compare(args.paths[0], args.paths[1], args.paths[2:])
    else:
        report(args)


if __name__ == "__main__":
    main()
