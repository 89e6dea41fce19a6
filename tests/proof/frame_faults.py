# SPDX-License-Identifier: BSD-2-Clause
"""Faults that are put into frames on purpose: a theorem about such a frame has to be refuted."""

import copy

import frames
import theorem


def swapped(frame):
    """Two registers that the frame saves change slots: the code stores each where the other belongs."""
    saves = [slot for slot in frame["slots"] if slot["kind"] == "save"]
    one, other = saves[-2:]
    one["reg"], other["reg"] = other["reg"], one["reg"]


def row_off(frame):
    """The last row of the prologue puts the CFA eight bytes too high."""
    frame["prologue"]["rows"][-1]["cfa_off"] += 8


FAULTS = {
    "two saved registers change slots": swapped,
    "a row is eight bytes off": row_off,
}


SAMPLE = 53  # of so many frames, one


def refute(target, limit):
    """Yields (fault, result) of a main program that uses R6 to R9."""
    everything = frames.emitted(target, SAMPLE)
    good = next(frame for frame in everything[1] if frame["spec"]["role"] == "main" and frame["spec"]["regs"] >> 6 == 15)
    for fault, plant in FAULTS.items():
        bad = copy.deepcopy(good)
        plant(bad)
        yield fault, next(frames.theorems(target, [bad], everything, theorem.Prover(limit))).prove()
