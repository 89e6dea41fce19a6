# SPDX-License-Identifier: BSD-2-Clause
"""The work of a run: parts of a catalogue, proved in parallel, with what was proved before taken from a file."""

import concurrent.futures
import dataclasses
import functools
import hashlib
import json
import os
import pathlib

import bpf
import calls
import catalogue
import frames
import programs
import states
import target as targets
import term
import theorem

JOB_THEOREMS = 60
JOB_FRAMES = 100


@dataclasses.dataclass(frozen=True)
class Settings:
    build: str
    fast: bool
    states: int  # for each theorem
    limit: int  # of the solver, for one question
    opcode: int = None
    every: int = 1  # of so many theorems or frames, one
    frames: bool = False  # theorems about frames instead of instructions


@functools.cache
def translator_hash():
    """Of all that turns code into a theorem, but for the code."""
    import z3

    digest = hashlib.sha256(z3.get_version_string().encode())
    here = pathlib.Path(__file__).parent
    for path in sorted([*here.glob("*.py"), *here.parent.glob("arch/*/proof.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


# What a convention's description has for other readers.
NO_PART_OF_THEOREMS = {"convention", "caps", "runs", "skips_dead_uppers"}


def hashed(*facts):
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def key_of(target, subject, settings):
    """Conventions of an architecture that have the same code of an instruction share the theorem."""
    conv = {name: value for name, value in target.conv.items() if name not in NO_PART_OF_THEOREMS}
    answer = {name: value for name, value in (subject.answer or {}).items() if name not in ("starts", "bytes")}
    per_cpu = subject.insn.off == bpf.PER_CPU and target.conv["convention"]
    return hashed(translator_hash(), target.version(), json.dumps(conv, sort_keys=True), json.dumps(answer, sort_keys=True),
                  subject.name, subject.code.hex(), subject.start - subject.at, subject.taken - subject.start, per_cpu,
                  settings.limit, settings.states)  # fmt: skip


class Cache:
    """A line of JSON for each theorem, in a file to which runs add: a run that is stopped goes on from there."""

    def __init__(self, path):
        self.path, self.known, self.read_to = path, {}, 0
        self.refresh()

    def refresh(self):
        """What others have added."""
        if not self.path.is_file():
            return
        with self.path.open("rb") as file:
            file.seek(self.read_to)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # the last run was stopped in the middle of the line, or another is writing
                self.read_to += len(line)
                try:
                    record = json.loads(line)
                except json.JSONDecodeError:
                    continue
                self.known[record["key"]] = record

    def add(self, records):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            for record in records:
                if record["key"] not in self.known:
                    file.write(json.dumps(record) + "\n")
                    self.known[record["key"]] = record


@functools.cache
def shared_cache(path):
    """Of a process that proves part after part."""
    return Cache(path)


@functools.cache
def shared_prover(limit):
    """It remembers the forms of what it has proved."""
    return theorem.Prover(limit)


def chosen(target, settings):
    if settings.frames:
        return frames.emitted(target)[1][:: settings.every]
    listed = {one.name: one for one in catalogue.subjects(target.conv, settings.fast)}.values()
    return [one for one in listed if settings.opcode in (None, one.insn.opcode)][:: settings.every]


def record_of(key, result, tally=None, faults=(), start=0, role=None):
    trace = [f"{pc - start:#x}" if isinstance(pc, int) else pc for pc in result.trace or ()]
    return {
        "key": key, "name": result.name, "role": role, "verdict": result.verdict, "detail": result.detail,
        "seconds": round(result.seconds, 3), "axioms": list(result.axioms), "values": result.values or {}, "trace": trace,
        "states": dict(tally or {}), "faults": list(faults),
    }  # fmt: skip


def prove_part(name, start, end, settings, path):
    """Theorems [start, end) of a convention's catalogue, or those about frames [start, end), as records."""
    target, cache = targets.Target(settings.build, name), shared_cache(path)
    try:
        cache.refresh()
        term.forget()
        part = chosen(target, settings)[start:end]
        return list((prove_frames if settings.frames else prove_subjects)(target, part, settings, cache.known))
    finally:
        target.close()


def prove_subjects(target, subjects, settings, known):
    programs.compile_all(target, subjects)
    keys = {subject.name: key_of(target, subject, settings) for subject in subjects}
    yield from (known[keys[subject.name]] for subject in subjects if keys[subject.name] in known)
    new = [subject for subject in subjects if keys[subject.name] not in known]
    for subject in new:
        if subject.error:
            yield record_of(keys[subject.name], theorem.Result(subject.name, "refused", 0.0, subject.error))
    for subject, result, *rest in prove_new(target, [one for one in new if not one.error], settings):
        yield record_of(keys[subject.name], result, *rest, start=subject.start)


def prove_new(target, subjects, settings):
    """Yields (subject, result, states by mnemonic, faults)."""
    prover = shared_prover(settings.limit)
    blocks = programs.translate_all(target, subjects)
    good = [subject for subject in subjects if not subject.error]
    runs = states.compare(target, good, blocks, settings.states) if good else []
    called = [subject for subject in good if subject.is_call or subject.is_may_goto]
    if called:
        calls.translate_returns(target, called)
    for subject, (tally, faults) in zip(good, runs):
        if not subject.error:
            yield subject, prover.prove(target, subject), tally, faults
    for subject in subjects:
        if subject.error:
            yield subject, theorem.Result(subject.name, "unknown", 0.0, subject.error)


def prove_frames(target, part, settings, known):
    facts = (translator_hash(), target.version(), json.dumps(target.conv, sort_keys=True), settings.limit)
    for claim in frames.theorems(target, part, frames.emitted(target), shared_prover(settings.limit)):
        key = hashed(*facts, claim.name, claim.about)
        yield known.get(key) or record_of(key, claim.prove(), role=claim.role)


def run(conventions, settings, cache, jobs, tell):
    """Proves all. returns: {convention: records}. tell(text) is called now and then."""
    parts, results = [], {name: [] for name in conventions}
    size = JOB_FRAMES if settings.frames else JOB_THEOREMS
    for name in conventions:
        target = targets.Target(settings.build, name)
        count = len(chosen(target, settings))
        target.close()
        parts += [(name, start, min(start + size, count)) for start in range(0, count, size)]
    with concurrent.futures.ProcessPoolExecutor(jobs or os.cpu_count()) as pool:
        waiting = {pool.submit(prove_part, *part, settings, cache.path): part for part in parts}
        for done, future in enumerate(concurrent.futures.as_completed(waiting), 1):
            name = waiting[future][0]
            records = future.result()
            results[name] += records
            cache.add(records)
            tell(f"{done} of {len(parts)} parts")
    return results
