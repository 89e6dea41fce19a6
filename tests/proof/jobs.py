# SPDX-License-Identifier: BSD-2-Clause
"""The work of a run: parts of a catalogue, proved in parallel, with what was proved before taken from a file."""

import concurrent.futures
import dataclasses
import functools
import hashlib
import json
import os
import pathlib

import calls
import catalogue
import programs
import states
import target as targets
import theorem

JOB_THEOREMS = 60


@dataclasses.dataclass(frozen=True)
class Settings:
    build: str
    fast: bool
    states: int  # for each theorem
    limit: int  # of the solver, for one question
    opcode: int = None
    every: int = 1  # of so many theorems, one


@functools.cache
def translator_hash():
    """Of all that turns code into a theorem, but for the code."""
    import z3

    digest = hashlib.sha256(z3.get_version_string().encode())
    here = pathlib.Path(__file__).parent
    for path in sorted([*here.glob("*.py"), *here.parent.glob("arch/*/proof.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def key_of(target, subject, settings):
    facts = (translator_hash(), target.version(), json.dumps(target.conv, sort_keys=True), subject.name,
             subject.code.hex(), subject.taken - subject.start, settings.limit, settings.states)  # fmt: skip
    return hashlib.sha256(repr(facts).encode()).hexdigest()


class Cache:
    """A line of JSON for each theorem, in a file to which runs add: a run that is stopped goes on from there."""

    def __init__(self, path):
        self.path = path
        self.known = {}
        if path.is_file():
            for line in path.read_text().splitlines():
                try:
                    record = json.loads(line)
                except json.JSONDecodeError:
                    continue  # the last run was stopped in the middle of the line
                self.known[record["key"]] = record

    def add(self, records):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            for record in records:
                if record["key"] not in self.known:
                    file.write(json.dumps(record) + "\n")
                    self.known[record["key"]] = record


def chosen(target, settings):
    listed = catalogue.subjects(target.conv, settings.fast)
    return [one for one in listed if settings.opcode in (None, one.insn.opcode)][:: settings.every]


def record_of(subject, key, result, tally=None, faults=()):
    values = result.values or {}
    trace = [f"{pc - subject.start:#x}" for pc in result.trace or ()]
    return {
        "key": key, "name": result.name, "verdict": result.verdict, "detail": result.detail,
        "seconds": round(result.seconds, 3), "axioms": list(result.axioms), "values": values, "trace": trace,
        "states": dict(tally or {}), "faults": list(faults),
    }  # fmt: skip


def prove_part(name, start, end, settings, known):
    """Theorems [start, end) of a convention's catalogue, as records."""
    target = targets.Target(settings.build, name)
    try:
        subjects = chosen(target, settings)[start:end]
        programs.compile_all(target, subjects)
        keys = {subject.name: key_of(target, subject, settings) for subject in subjects}
        records = [known[keys[subject.name]] for subject in subjects if keys[subject.name] in known]
        new = [subject for subject in subjects if keys[subject.name] not in known]
        for subject in new:
            if subject.error:
                result = theorem.Result(subject.name, "refused", 0.0, subject.error)
                records.append(record_of(subject, keys[subject.name], result))
        new = [subject for subject in new if not subject.error]
        return records + [record_of(one, keys[one.name], *rest) for one, *rest in prove_new(target, new, settings)]
    finally:
        target.close()


def prove_new(target, subjects, settings):
    """Yields (subject, result, states by mnemonic, faults)."""
    prover = theorem.Prover(settings.limit)
    blocks = programs.translate_all(target, subjects)
    good = [subject for subject in subjects if not subject.error]
    runs = states.compare(target, good, blocks, settings.states) if good else []
    called = [subject for subject in good if subject.is_call]
    if called:
        calls.translate_returns(target, called)
    for subject, (tally, faults) in zip(good, runs):
        if subject.error:
            continue
        result = prover.prove(target, subject, calls.claims(target, subject) if subject.is_call else None)
        yield subject, result, tally, faults
    for subject in subjects:
        if subject.error:
            yield subject, theorem.Result(subject.name, "unknown", 0.0, subject.error)


def run(conventions, settings, cache, jobs, tell):
    """Proves all. returns: {convention: records}. tell(text) is called now and then."""
    parts, results = [], {name: [] for name in conventions}
    for name in conventions:
        target = targets.Target(settings.build, name)
        count = len(chosen(target, settings))
        target.close()
        parts += [(name, start, min(start + JOB_THEOREMS, count)) for start in range(0, count, JOB_THEOREMS)]
    with concurrent.futures.ProcessPoolExecutor(jobs or os.cpu_count()) as pool:
        waiting = {pool.submit(prove_part, *part, settings, cache.known): part for part in parts}
        for done, future in enumerate(concurrent.futures.as_completed(waiting), 1):
            name = waiting[future][0]
            records = future.result()
            results[name] += records
            cache.add(records)
            tell(f"{done} of {len(parts)} parts")
    return results
