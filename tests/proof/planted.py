# SPDX-License-Identifier: BSD-2-Clause
"""Faults that are put into code on purpose: each theorem about such code has to be refuted."""

import bpf
import frame_faults
import programs
import theorem
from bpf import Insn

ADD, SUB, MOV = bpf.ALU64 | bpf.X, bpf.ALU64 | 0x10 | bpf.X, bpf.ALU64 | bpf.MOV | bpf.X
LOAD, STORE = bpf.LDX | bpf.MEM | 0x08, bpf.STX | bpf.MEM | 0x18
# What is said of the fault: (the instruction of the theorem, the instructions whose code stands in its place).
FAULTS = {
    "the operands of a subtraction change places": (Insn(SUB, 1, 2), [Insn(MOV, 3, 2), Insn(SUB, 2, 1), Insn(MOV, 1, 2)]),
    "the upper half of a 32-bit sum is not cleared": (Insn(bpf.ALU32 | bpf.X, 1, 2), [Insn(ADD, 1, 2)]),
    "a branch is taken when both are equal": (
        Insn(bpf.JMP | 0xC0 | bpf.X, 1, 2, 1), [Insn(bpf.JMP | 0xD0 | bpf.X, 1, 2, 1)],
    ),
    "a load extends the sign": (Insn(LOAD, 1, 2, -8), [Insn(bpf.LDX | bpf.MEMSX | 0x08, 1, 2, -8)]),
    "a store writes eight bytes too low": (Insn(STORE, 1, 2, -8), [Insn(STORE, 1, 2, -16)]),
    "a move overwrites another register": (Insn(MOV, 1, 2), [Insn(MOV, 1, 2), Insn(MOV, 3, 2)]),
    "a comparison reads half of its operands": (
        Insn(bpf.JMP | 0x10 | bpf.X, 1, 2, 1), [Insn(bpf.JMP32 | 0x10 | bpf.X, 1, 2, 1)],
    ),
}  # fmt: skip


LIMIT = 2_000_000  # of the solver


def refute(target):
    """Yields (fault, instruction, result)."""
    subjects = [programs.Subject(fault, insn) for fault, (insn, _) in FAULTS.items()]
    programs.compile_all(target, subjects, {fault: instead for fault, (_, instead) in FAULTS.items()})
    programs.translate_all(target, [subject for subject in subjects if not subject.error])
    for subject in subjects:
        if subject.error:
            yield subject.name, subject.insn, theorem.Result(subject.name, "unknown", 0.0, subject.error)
        else:
            yield subject.name, subject.insn, theorem.Prover(LIMIT).prove(target, subject)
    for fault, result in frame_faults.refute(target, LIMIT):
        yield fault, result.name, result


def show(build, name):
    """Prints what is said of each. returns: whether all are refuted."""
    import target as targets

    target = targets.Target(build, name)
    results = list(refute(target))
    target.close()
    for fault, about, result in results:
        print(f"{name}: {fault}: {result.verdict}: {about}: {result.detail}")
        if result.values:
            print("    when " + ", ".join(f"{reg} = {value}" for reg, value in sorted(result.values.items())))
    return all(result.verdict == "refuted" for _, _, result in results)
