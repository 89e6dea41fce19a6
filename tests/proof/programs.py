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
    second: int = None  # the constant of its second half, where that is not `wide`
    wide_of: object = None  # of (address, answer of code.c): `wide`
    dead_upper: bool = False  # nothing reads the upper half of the result
    type: object = None  # of what is called: calls.Type, or None
    before: tuple = ()  # instructions in front of it
    skipped: tuple = ()  # what a branch jumps over; a store where that is nothing
    in_callee: bool = False  # the program is that of a function that another one calls
    start: int = 0
    end: int = 0
    taken: int = 0  # where a branch or a call goes
    at: int = 0  # the address of `code`
    code: bytes = b""
    answer: dict = None  # of code.c, but for the code
    begins: list = None  # [(address, state)]: where paths begin
    paths: list = None
    to_callee: list = None  # of a call: the paths to the callee, as `paths` are those behind its return
    straight: list = None  # the paths without a call
    error: str = None

    @property
    def is_call(self):
        """Of C, or of a function."""
        return self.insn.cls == bpf.JMP and self.insn.opcode & 0xF0 == bpf.CALL and not self.is_tail_call

    @property
    def is_tail_call(self):
        return (self.insn.opcode, self.insn.src, self.insn.imm) == (bpf.JMP | bpf.CALL, 0, bpf.TAIL_CALL)

    @property
    def is_may_goto(self):
        return self.insn.opcode == bpf.JMP | bpf.JCOND

    @property
    def is_transfer(self):
        """To code that is not the instruction's own: theorems about these have parts."""
        return self.is_call or self.is_tail_call or self.is_may_goto

    @property
    def branches(self):
        return self.insn.cls in (bpf.JMP, bpf.JMP32) and self.insn.opcode & 0xF0 not in (bpf.CALL, bpf.EXIT)

    @property
    def distance(self):
        """Of a branch, in instructions."""
        return self.insn.imm if self.insn.opcode == bpf.JMP32 | bpf.JA else self.insn.off

    @property
    def frame_bytes(self):
        """SP is so far below the CFA."""
        return self.answer["frame_bytes"]


EXIT = Insn(bpf.JMP | bpf.EXIT)
ZERO = Insn(bpf.ALU64 | bpf.MOV, 0).hex()
STORE = bpf.STX | bpf.MEM | 0x18


def program_of(subject, instead=None):
    """What is in front, the instruction, what reads all of every register, an exit. returns: instructions, index behind it."""
    insns = [*subject.before, *(instead or [subject.insn])]
    behind = len(insns)
    if subject.second is not None:
        behind += 1
        insns.append(Insn(0, imm=subject.second))
    elif subject.wide is not None:
        behind += 1
        insns[-1] = dataclasses.replace(subject.insn, imm=subject.wide & 0xFFFFFFFF)
        insns.append(Insn(0, imm=subject.wide >> 32))
    if subject.branches:
        insns += subject.skipped or [Insn(STORE, bpf.FP, 1, -16)]
    if subject.dead_upper:
        insns += [Insn(bpf.ALU64 | bpf.MOV, reg, imm=0) for reg in range(10)]
    # What is behind a call may not read what the call has lost.
    loses = subject.is_call or subject.is_tail_call
    insns += [Insn(STORE, bpf.FP, reg, -8) for reg in range(10) if not loses or reg not in range(1, 6)]
    return [*insns, EXIT], behind


def request_of(subject, insns, address):
    text, other = "".join(insn.hex() for insn in insns), ZERO + EXIT.hex()
    functions = (other, text) if subject.in_callee else (text, other)
    request = {
        "insns": functions[0], "others": [functions[1]], "about": int(subject.in_callee), "address": address,
        "options": subject.options,
    }  # fmt: skip
    if subject.type:
        request["import"] = subject.type.request()
    return request


def compile_all(target, subjects, faults=None):
    """Compiles all, at addresses one behind the other. faults: by name, instructions to compile in a subject's place."""
    address = targets.CODE + 0x40
    for subject in subjects:
        insns, behind = program_of(subject, (faults or {}).get(subject.name))
        answer = target.compile(request_of(subject, insns, address))
        if "error" in answer:
            subject.error = answer["error"]
            continue
        place(target, subject, answer, bytes.fromhex(answer.pop("code")), address, behind)
        address = (address + subject.answer["bytes"] + 0x1F) & ~0xF


def place(target, subject, answer, code, address, behind):
    """Where the instruction begins and ends, and where it goes; the code that QEMU is to have."""
    offs, front = answer.pop("offs"), len(subject.before)
    subject.answer = {**answer, "bytes": len(code)}
    subject.start, subject.end = address + offs[front], address + offs[behind]
    subject.at, subject.code = subject.start, code[offs[front] : offs[behind]]
    if subject.is_call:
        # Stubs on the way to C lie behind the functions. What is behind the call and what is called are traps.
        stubs = answer["starts"][2] if len(answer["starts"]) > 2 else len(code)
        hole = target.trap * ((stubs - offs[behind]) // len(target.trap))
        subject.at, subject.code = address, code[: offs[behind]] + hole + code[stubs:]
        subject.taken = subject.type.address if subject.type else address + answer["starts"][1]
    elif subject.insn.opcode == bpf.JMP | bpf.EXIT:
        subject.taken = address + offs[-1]
    elif subject.branches:
        subject.taken = address + offs[behind + subject.distance]
    if subject.wide_of:
        subject.wide = subject.wide_of(address, answer)
    subject.begins = [(subject.start, machine.State())]


def translate_all(target, subjects):
    """Finds all paths through the code of each, asking QEMU again while a jump goes where it has not been."""
    good = [subject for subject in subjects if not subject.error]
    pieces = [(subject.at, subject.code) for subject in good if subject.code]
    entries, blocks, known = {pc for subject in good for pc, _ in subject.begins}, {}, set()
    todo = good
    while entries:
        known |= entries
        blocks.update(target.translate(pieces, sorted(entries)))
        entries, again = set(), []
        runner = machine.Machine(target.facts, blocks)
        for subject in todo:
            try:
                subject.paths = find_paths(runner, subject)
            except machine.Unknown as error:
                subject.error = str(error)
                continue
            missing = {path.target.args[0] for path in subject.paths if path.kind == "leave" and path.target.op == "const"}
            missing = {pc for pc in missing if pc - subject.at in range(len(subject.code)) and pc not in known}
            if missing:
                entries |= missing
                again.append(subject)
        todo = again
    return blocks


def find_paths(runner, subject):
    paths = []
    for pc, state in subject.begins:
        if pc == subject.end:
            paths.append(machine.Path(state, T.const(subject.end), "stop"))
        elif pc not in runner.blocks:
            raise machine.Unknown(f"QEMU has translated nothing at {pc:#x}")
        else:
            paths += runner.run(pc, {subject.end, subject.taken}, machine.State(state))
    return paths
