# SPDX-License-Identifier: BSD-2-Clause
"""BPF instructions as programs: one instruction, compiled, with traps around its code."""

import dataclasses

import bpf
import machine
import target as targets
import term as T
from bpf import Insn


@dataclasses.dataclass
class Subject:
    """One instruction, and what the compiler made of it."""

    name: str  # of the theorem
    insn: Insn
    wide: int = None  # of a 64-bit immediate
    options: dict = dataclasses.field(default_factory=dict)
    dead_upper: bool = False  # nothing reads the upper half of the result
    answer: dict = None
    start: int = 0
    end: int = 0
    taken: int = 0
    code: bytes = b""
    paths: list = None
    error: str = None


EXIT = Insn(bpf.JMP | bpf.EXIT)
STORE = bpf.STX | bpf.MEM | 0x18


def program_of(subject, instead=None):
    """The instruction, then what reads all of every register, then an exit. returns: instructions, index behind it."""
    insns = list(instead or [subject.insn])
    behind = len(insns)
    if subject.wide is not None:
        behind += 1
        insns[0] = dataclasses.replace(subject.insn, imm=subject.wide & 0xFFFFFFFF)
        insns.append(Insn(0, imm=subject.wide >> 32))
    is_jump = subject.insn.cls in (bpf.JMP, bpf.JMP32) and subject.insn.opcode & 0xF0 not in (bpf.CALL, bpf.EXIT)
    if is_jump:
        insns.append(Insn(STORE, bpf.FP, 1, -16))  # what is jumped over
    if subject.dead_upper:
        insns += [Insn(bpf.ALU64 | bpf.MOV, reg, imm=0) for reg in range(10)]
    insns += [Insn(STORE, bpf.FP, reg, -8) for reg in range(10)]
    return [*insns, EXIT], behind


def compile_all(target, subjects, faults=None):
    """Compiles all, at addresses one behind the other. faults: by name, instructions to compile in a subject's place."""
    address = targets.CODE + 0x40
    for subject in subjects:
        insns, behind = program_of(subject, (faults or {}).get(subject.name))
        request = {
            "insns": "".join(insn.hex() for insn in insns),
            "address": address,
            "options": subject.options,
        }
        subject.answer = answer = target.compile(request)
        if "error" in answer:
            subject.error = answer["error"]
            continue
        offs = answer["offs"]
        subject.start, subject.end = address + offs[0], address + offs[behind]
        if subject.insn.cls in (bpf.JMP, bpf.JMP32):
            subject.taken = address + offs[behind + 1]
        subject.code = bytes.fromhex(answer["code"])[offs[0] : offs[behind]]
        address = (address + len(answer["code"]) // 2 + 0x1F) & ~0xF


def translate_all(target, subjects):
    """Finds all paths through the code of each, asking QEMU again while a jump goes where it has not been."""
    good = [subject for subject in subjects if not subject.error]
    pieces = [(subject.start, subject.code) for subject in good if subject.code]
    entries, blocks, known = [subject.start for subject in good], {}, set()
    todo = good
    while entries:
        known.update(entries)
        blocks.update(target.translate(pieces, entries))
        entries, again = [], []
        runner = machine.Machine(target.facts, blocks)
        for subject in todo:
            if not subject.code:
                subject.paths = [machine.Path(machine.State(), T.const(subject.end), "stop")]
                continue
            try:
                subject.paths = runner.run(subject.start, {subject.end, subject.taken}, machine.State())
            except (machine.Unknown, KeyError) as error:
                subject.error = f"{type(error).__name__}: {error}"
                continue
            inside = range(subject.start, subject.end)
            missing = {path.target.args[0] for path in subject.paths if path.kind == "leave" and path.target.op == "const"}
            missing = {pc for pc in missing if pc in inside and pc not in known}
            if missing:
                entries += missing
                again.append(subject)
        todo = again
    return blocks
