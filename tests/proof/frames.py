# SPDX-License-Identifier: BSD-2-Clause
"""Theorems about frames: prologue, a body that changes what it may, and an exit give the caller everything back.

frame_code.c emits the frames; frame_claims.py says what is claimed of each.
"""

import collections
import dataclasses
import functools
import json
import subprocess
import time

import machine
import target as targets
import theorem
from frame_claims import Frames
from frame_paths import Elsewhere, Refuted


@functools.cache
def _emitted(build, name, every):
    program = build / "native/tests/proof/jf-prove-frames"
    run = subprocess.run([program, name, str(every)], capture_output=True, text=True, check=False)
    if run.returncode:
        raise targets.Failed(f"{name}: {run.stderr}")
    first, *lines = run.stdout.splitlines()
    frames = [json.loads(line) for line in lines]
    for frame in frames:
        for part in ("prologue", "epilogue", "tail_exit"):
            if part in frame:
                frame[part]["code"] = bytes.fromhex(frame[part]["code"])
    return json.loads(first), frames


def emitted(target, every=1):
    """(facts of the convention, frames)."""
    return _emitted(target.build, target.name, every)


def shared(frame):
    """What all functions of a program share."""
    return tuple(frame["spec"][option] for option in ("tail_calls", "landing_pads", "sign_return"))


def text(frame):
    spec = frame["spec"]
    options = [name.replace("_", " ") for name, value in spec.items() if value is True]
    regs = "".join(f" R{n}" for n in range(6, 11) if spec["regs"] >> n & 1)
    return ", ".join([f"{spec['role']}, stack {spec['stack']}, registers{regs or ' none'}, out args {spec['out_args']}", *options])


def looks(frame, adopts):
    """What a callback can tell of a boundary."""
    slots = tuple((slot["kind"], slot["reg"], slot["off"], slot["bytes"]) for slot in frame["slots"]
                  if slot["kind"] in ("save", "return", "count", "pointer"))  # fmt: skip
    return shared(frame), None if adopts else frame["landing_sp_off"], slots


def is_plain(frame):
    spec = frame["spec"]
    return spec["role"] == "main" and not (spec["stack"] or spec["regs"] or spec["out_args"] or spec["arena"] or spec["private_stack"] or spec["cleanups"])


@dataclasses.dataclass
class Theorem:
    role: str
    name: str
    about: tuple  # the frames
    function: object
    frames: Frames
    wanted: dict

    def prove(self):
        """returns: theorem.Result."""
        start = time.monotonic()

        def result(verdict, *more):
            return theorem.Result(self.name, verdict, time.monotonic() - start, *more)

        while True:
            try:
                self.function()
            except Elsewhere as place:
                if place.off in self.wanted[place.code]:
                    return result("unknown", str(place))
                self.wanted[place.code].add(place.off)
                self.frames.code.add({place.code: self.wanted[place.code]})
                continue
            except Refuted as found:
                return result(found.verdict, found.what, (), found.values, found.trace)
            except (machine.Unknown, KeyError, AttributeError) as error:
                return result("unknown", f"{type(error).__name__}: {error}")
            return result("proved")


def judge(frames, frame, plain, boundaries):
    """All theorems about one frame: (what, the frames, function)."""
    spec = frame["spec"]
    if spec["role"] == "callback":
        for boundary in boundaries:
            yield f"lands in {text(boundary)}", (frame, boundary), lambda boundary=boundary: frames.through(
                frame, frames.landing(boundary, spec["sign_return"]), 0, None)  # fmt: skip
        return
    ref = plain.get(shared(frame)) if "tail_exit" in frame else None
    yield "", (frame, ref), lambda: frames.through(frame, frames.entry(frame), 0, ref and (ref, frames.reference(ref)))
    if frame["tail_entry"] >= 0 and "tail_exit" in frame:
        yield "entered by a tail call", (frame, ref), lambda: frames.through(
            frame, frames.entered(ref, frames.reference(ref)), frame["tail_entry"], None)  # fmt: skip


def theorems(target, chosen, everything, prover):
    """Yields a Theorem for each that there is about the chosen frames. everything: emitted()."""
    facts, everything = everything
    frames = Frames(target, facts, prover)
    plain = {shared(frame): frame for frame in everything if is_plain(frame)}
    classes = {looks(frame, facts["adopts"]): frame for frame in everything if frame["spec"]["role"] == "boundary"}
    by_shared = collections.defaultdict(list)
    for key, frame in classes.items():
        by_shared[key[0]].append(frame)
    wanted = collections.defaultdict(set)
    for frame in [*plain.values(), *chosen]:
        for part in ("prologue", "epilogue", "tail_exit"):
            if part in frame:
                wanted[frame[part]["code"]].add(0)
        if frame["tail_entry"] >= 0:
            wanted[frame["prologue"]["code"]].add(frame["tail_entry"])
    frames.code.add(wanted)
    for frame in chosen:
        for what, about, function in judge(frames, frame, plain, by_shared[shared(frame)]):
            name = text(frame) + (f"; {what}" if what else "")
            yield Theorem(frame["spec"]["role"], name, (facts, *about), function, frames, wanted)
