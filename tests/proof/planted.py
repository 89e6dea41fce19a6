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


def refute(target, limit=2_000_000):
    """Yields (fault, instruction, result)."""
    for fault, (insn, instead) in FAULTS.items():
        subject = programs.Subject(str(insn), insn)
        programs.compile_all(target, [subject], {subject.name: instead})
        programs.translate_all(target, [subject])
        if subject.error:
            yield fault, insn, theorem.Result(subject.name, "unknown", 0.0, subject.error)
        else:
            yield fault, insn, theorem.Prover(limit).prove(target, subject)


def show(build, name):
    """Prints what is said of each. returns: whether all are refuted."""
    import target as targets

    target = targets.Target(build, name)
    results = list(refute(target))
    of_frames = list(frame_faults.refute(target))
    target.close()
    for fault, insn, result in results:
        values = ", ".join(f"{reg} = {value}" for reg, value in sorted((result.values or {}).items()))
        print(f"{name}: {fault}: {result.verdict}: {insn}: {result.detail}\n    when {values}")
    for fault, result in of_frames:
        print(f"{name}: {fault}: {result.verdict}: {result.name}: {result.detail}")
    return all(result.verdict == "refuted" for result in [*(one[-1] for one in results), *(one[-1] for one in of_frames)])
