# SPDX-License-Identifier: BSD-2-Clause
"""Theorems about frames: prologue, a body that changes what it may, and an exit give the caller everything back.

frame_code.c emits the frames; frame_claims.py says what is claimed of each.
"""

import collections
import dataclasses
import json
import subprocess

import machine
import target as targets
from frame_claims import Frames
from frame_paths import Elsewhere, Refuted


def emitted(target, name):
    """(facts of the convention, frames)."""
    program = target.build / "native/tests/proof/jf-prove-frames"
    run = subprocess.run([program, name], capture_output=True, text=True, check=False)
    if run.returncode:
        raise targets.Failed(f"{name}: {run.stderr}")
    first, *lines = run.stdout.splitlines()
    frames = [json.loads(line) for line in lines]
    for frame in frames:
        for part in ("prologue", "epilogue", "tail_exit"):
            if part in frame:
                frame[part]["code"] = bytes.fromhex(frame[part]["code"])
    return json.loads(first), frames


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
class Verdict:
    role: str
    name: str
    verdict: str
    detail: str = ""
    values: dict = None
    trace: list = None


def judge(frames, frame, plain, boundaries):
    """All theorems about one frame: (what, function)."""
    spec = frame["spec"]
    if spec["role"] == "callback":
        for boundary in boundaries:
            yield f"lands in {text(boundary)}", lambda boundary=boundary: frames.through(
                frame, frames.landing(boundary, spec["sign_return"]), 0, None)  # fmt: skip
        return
    ref = plain.get(shared(frame)) if "tail_exit" in frame else None
    yield "", lambda: frames.through(frame, frames.entry(frame), 0, ref and (ref, frames.reference(ref)))
    if frame["tail_entry"] >= 0 and "tail_exit" in frame:
        yield "entered by a tail call", lambda: frames.through(
            frame, frames.entered(ref, frames.reference(ref)), frame["tail_entry"], None)  # fmt: skip


def prove(target, facts, chosen, everything, limit=2_000_000):
    """Yields a Verdict for each theorem about the chosen frames."""
    frames = Frames(target, facts, limit)
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
        for what, function in judge(frames, frame, plain, by_shared[shared(frame)]):
            yield run(frames, frame, what, function, wanted)


def run(frames, frame, what, function, wanted):
    name = text(frame) + (f"; {what}" if what else "")
    while True:
        try:
            function()
        except Elsewhere as place:
            if place.off in wanted[place.code]:
                return Verdict(frame["spec"]["role"], name, "unknown", str(place))
            wanted[place.code].add(place.off)
            frames.code.add({place.code: wanted[place.code]})
            continue
        except Refuted as found:
            return Verdict(frame["spec"]["role"], name, found.verdict, found.what, found.values, found.trace)
        except (machine.Unknown, KeyError, AttributeError) as error:
            return Verdict(frame["spec"]["role"], name, "unknown", f"{type(error).__name__}: {error}")
        return Verdict(frame["spec"]["role"], name, "proved")


def show(build, name, every):
    """Prints a row for each role, and what is not proved. returns: whether nothing is refuted."""
    target = targets.Target(build, name)
    facts, everything = emitted(target, name)
    verdicts = list(prove(target, facts, everything[::every], everything))
    target.close()
    for role in sorted({one.role for one in verdicts}):
        count = collections.Counter(one.verdict for one in verdicts if one.role == role)
        options = sum(frame["spec"]["role"] == role for frame in everything[::every])
        cells = [name, role, options, sum(count.values()), count["proved"], count["refuted"], count["unknown"]]
        print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)
    for one in verdicts:
        if one.verdict == "proved":
            continue
        print(f"{name}: {one.verdict}: {one.name}: {one.detail}")
        if one.values is not None:
            print("    when " + ", ".join(f"{key} = {value}" for key, value in sorted(one.values.items())))
            print("    through " + " ".join(one.trace))
    return not any(one.verdict == "refuted" for one in verdicts)
