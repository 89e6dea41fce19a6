#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Proves what generated code does: scripts/prove builds what this needs, and says how it is called."""

import argparse
import collections
import json
import pathlib
import sys
import time

sys.dont_write_bytecode = True  # the source tree stays as it is

import jobs
import planted
import target as targets

FAST = {"states": 4, "limit": 8_000_000}
FRAMES_FAST = 401  # one of so many frames
FULL = {"states": 30, "limit": 100_000_000}
FRAMES_HEAD = "| convention | role | theorems | proved | refuted | unknown |"
HEAD = "| convention | theorems | proved | refuted | unknown | refused | random states | least for an instruction |"


def row_of(name, records):
    verdicts = collections.Counter(record["verdict"] for record in records)
    tally = collections.Counter()
    for record in records:
        tally.update(record["states"])
    least = min(tally.items(), key=lambda item: (item[1], item[0]), default=("none", 0))
    cells = [name, len(records) - verdicts["refused"], verdicts["proved"], verdicts["refuted"], verdicts["unknown"],
             verdicts["refused"], sum(tally.values()), f"{least[1]}, `{least[0]}`"]  # fmt: skip
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def rows_of_frames(name, records):
    for role in sorted({record["role"] for record in records}):
        verdicts = collections.Counter(record["verdict"] for record in records if record["role"] == role)
        cells = [name, role, sum(verdicts.values()), verdicts["proved"], verdicts["refuted"], verdicts["unknown"]]
        yield "| " + " | ".join(str(cell) for cell in cells) + " |"


def failures(name, records):
    """Lines about what is not proved, with counter-examples."""
    for record in records:
        if record["verdict"] in ("refuted", "unknown"):
            yield f"{name}: {record['verdict']}: {record['name']}: {record['detail']}"
        if record["verdict"] == "refuted":
            yield "    when " + ", ".join(f"{reg} = {value}" for reg, value in sorted(record["values"].items()))
            yield "    through " + " ".join(record["trace"])
        yield from (f"the model is wrong: {fault}" for fault in record["faults"])


def report(results, of_frames, seconds):
    head = FRAMES_HEAD if of_frames else HEAD
    print(head)
    print("|" + "---|" * (head.count("|") - 1))
    for name, records in results.items():
        for row in rows_of_frames(name, records) if of_frames else [row_of(name, records)]:
            print(row)
    for name, records in results.items():
        for line in failures(name, records):
            print(line)
    axioms = collections.Counter(axiom for records in results.values() for one in records for axiom in one["axioms"])
    print("axioms that proofs lean on: " + (", ".join(f"{name} ({count})" for name, count in sorted(axioms.items())) or "none"))
    print(f"{seconds:.0f} s", file=sys.stderr)


def good(results):
    """Nothing is refuted, and nothing differs from what QEMU did."""
    return not any(one["verdict"] == "refuted" or one["faults"] for records in results.values() for one in records)


def parse():
    parser = argparse.ArgumentParser(prog="scripts/prove")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("conventions", nargs="*", metavar="ARCH/CONVENTION")
    parser.add_argument("--opcode", type=lambda text: int(text, 16), metavar="HEX", help="of this opcode alone")
    parser.add_argument("--fast", action="store_true", help="each opcode once, and less time for the solver")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one of N theorems")
    parser.add_argument("--states", type=int, help="random states for each theorem")
    parser.add_argument("--jobs", type=int, help="processes; as many as there are processors")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="writes every theorem to FILE")
    parser.add_argument("--frames", action="store_true", help="theorems about frames instead of instructions")
    parser.add_argument("--planted", action="store_true", help="plants faults in the code, and shows what is said of them")
    return parser.parse_args()


def main():
    arguments = parse()
    start = time.monotonic()
    if arguments.planted:
        return all([planted.show(arguments.build, name) for name in arguments.conventions])
    every = max(arguments.every, FRAMES_FAST) if arguments.frames and arguments.fast else arguments.every
    how = FAST if arguments.fast else FULL
    settings = jobs.Settings(
        arguments.build, arguments.fast, how["states"] if arguments.states is None else arguments.states, how["limit"],
        arguments.opcode, every, arguments.frames,
    )  # fmt: skip
    cache = jobs.Cache(pathlib.Path(arguments.build) / "proof" / "theorems.jsonl")
    results = jobs.run(
        arguments.conventions, settings, cache, arguments.jobs,
        lambda text: print(f"\r{text} ", end="", file=sys.stderr, flush=True) if sys.stderr.isatty() else None,
    )  # fmt: skip
    report(results, arguments.frames, time.monotonic() - start)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    return good(results)


if __name__ == "__main__":
    try:
        sys.exit(0 if main() else 1)
    except (targets.Failed, FileNotFoundError) as error:
        sys.exit(f"prove: {error}")
