# SPDX-License-Identifier: BSD-2-Clause
"""
Theorems about calls: up to the callee's first instruction, and from there on behind the return, with anything in all
that a callee may change.

    start ... call  -> callee: arguments as its type says, SP and what is kept as they were, the place to return to
    callee returns  -> end: R0 is the result as its type says, R6 to R10 and what is kept as they were
"""

import dataclasses

import arguments
import bpf
import machine
import target as targets
import term as T
import theorem
from bpf import Insn

NEAR = targets.CODE  # where traps are: below all programs
FAR = (0x2F0000000, 0x7F0012345678)  # what one branch does not reach, and what no sum with the pc does


@dataclasses.dataclass(frozen=True)
class Type:
    """Of a C function: (bytes, whether it is signed) of the result and of the arguments."""

    result: tuple
    args: tuple
    address: int = NEAR

    def request(self):
        return {"address": self.address, "result": list(self.result), "args": [list(arg) for arg in self.args]}


WIDTHS = ((8, 0), (4, 1), (4, 0), (2, 1), (2, 0), (1, 1), (1, 0))
FURTHER = (((4, 1), 12), *((width, count) for width in WIDTHS for count in (6, 7, 9, 12)))
THROUGH = bpf.JMP | bpf.CALL | bpf.X
HELPER, KFUNC, LOCAL = (Insn(bpf.JMP | bpf.CALL, 0, src, 0, imm) for src, imm in ((0, 1), (2, 0), (1, 1)))


def callees(fast):
    """(instruction, type, name): each width as result and as argument in each place."""
    for width in WIDTHS[:2] if fast else WIDTHS:
        yield HELPER, Type(width, (width,) * 5), f"call of C, all of {width[0]} bytes, {'signed' if width[1] else 'unsigned'}"
    for number, width in enumerate(WIDTHS[1:2] if fast else WIDTHS[1:]):
        args = [(8, 0)] * 5
        args[number % 5] = width
        yield KFUNC, Type((8, 0), tuple(args)), f"call of C, argument {number % 5 + 1} of {width[0]} bytes"
    for address in () if fast else FAR:
        yield HELPER, Type((8, 0), ((8, 0),) * 5, address), f"call of C at {address:#x}"
    for reg in (2,) if fast else range(10):
        for through in (Insn(THROUGH, reg), *([Insn(THROUGH, imm=reg)] if reg else [])):
            yield through, Type((8, 0), ((8, 0),) * 6), f"callx r{reg}"
    for width, count in FURTHER[:1] if fast else FURTHER:
        kind = Type((8, 0), ((8, 0),) * 5 + (width,) * (count - 5))
        yield KFUNC, kind, f"call of C, {count} arguments, those after the fifth of {width[0]} bytes, signed {width[1]}"
    yield LOCAL, None, "call of a function"


def before(insn, kind):
    """The instructions in front of a call that hand over the arguments after the fifth."""
    count = len(kind.args) - 5 if insn == KFUNC else 0
    return tuple(Insn(bpf.STX | bpf.MEM | 0x18, bpf.ARGUMENTS, 1, -8 * number) for number in range(1, count + 1))


# ---- what is said at the callee ---------------------------------------------------------------------------------


def extended(conv, value, kind):
    """(bits that count, what they are) of an argument."""
    size, is_signed = kind
    if size in (0, 8):
        return 64, value
    low, bits = T.extract(value, 8 * size - 1, 0), max(8 * size, 8 * conv["extended_bytes"])
    sign = is_signed or (size == 4 and conv["words_signed"])
    return bits, (T.sext if sign else T.zext)(low, bits)


def result_of(value, kind):
    size, is_signed = kind
    return value if size in (0, 8) else (T.sext if is_signed else T.zext)(T.extract(value, 8 * size - 1, 0), 64)


def register(target, state, name):
    return state.globals.get(target.qemu_name(name), T.var(target.qemu_name(name)))


def return_address(target, state):
    """Where the callee will return to: the link register, or the word at SP."""
    if target.conv["ra_pushed"]:
        return state.load(register(target, state, target.conv["sp"]), 8)
    return register(target, state, target.conv["ra"])


def argument(target, state, number):
    """Where C looks for an argument: the ABI's registers, then words from SP up, above a return address."""
    names = target.conv["args"]
    if number < len(names):
        return register(target, state, names[number])
    sp = T.add(register(target, state, target.conv["sp"]), T.const(8 if target.conv["ra_pushed"] else 0))
    return state.load(T.add(sp, T.const(8 * (number - len(names)))), 8)


def further(target, subject, regs):
    """What the arguments after the fifth are in front of the call."""
    if subject.insn.opcode == THROUGH:
        return [regs[subject.insn.imm or subject.insn.dst]]
    start = machine.State()
    return [arguments.before_call(target, number, start) for number in range(1, len(subject.type.args) - 4)]


def aligned(value, to):
    if to == 1:
        return T.const(1, 1)
    low = T.extract(value, to.bit_length() - 2, 0)
    return T.condition("eq", low, T.const(0, low.width))


def kept_names(target):
    conv = target.conv
    names = {conv["fp"], conv["arena"], *conv["bpf"][6:11]}
    names |= {name for name, reg in target.regs.items() if reg["is_int"] and reg["is_kept"]}
    return sorted(names - {None, conv["sp"]})


def at_callee(target, subject, path):
    """Yields (assumptions, claim, what) of a path that has come to the callee."""
    conv, state, given = target.conv, path.state, path.state.conditions
    regs = theorem.registers(target, subject)
    if subject.type:
        passed = [*regs[1:6], *further(target, subject, regs)]
        for number, (value, kind) in enumerate(zip(passed, subject.type.args)):
            bits, want = extended(conv, value, kind)
            got = T.extract(argument(target, state, number), bits - 1, 0)
            yield given, T.condition("eq", got, want), f"argument {number + 1} is what its type says"
    else:
        for number in range(1, 6):
            got = register(target, state, conv["bpf"][number])
            yield given, T.condition("eq", got, regs[number]), f"R{number} comes to the function"
        if conv["arena"]:
            base = T.condition("eq", register(target, state, conv["arena"]), theorem.arena(target))
            yield given, base, "the arena's base comes to the function"
    sp = register(target, state, conv["sp"])
    here = T.var(target.qemu_name(conv["sp"]))
    lower = T.condition("ult", T.sub(here, sp), T.const(64))
    yield given, lower, "SP is where it was, or a little below"
    if subject.type:
        # R7: a convention keeps SP aligned, and C may count on the platform's alignment.
        pushed = T.add(sp, T.const(8 if conv["ra_pushed"] else 0))
        yield [*given, aligned(here, conv["frame_align"])], aligned(pushed, conv["stack_align"]), "SP is aligned for C"
    yield given, T.const(int(return_address(target, state).op == "const"), 1), "the place to return to is known"
    yield from touched(target, subject, given, state)


def touched(target, subject, given, state):
    """The count of tail calls, or its address, is in the frame. What C gets on the stack is at the frame's end."""
    here = T.var(target.qemu_name(target.conv["sp"]))
    for access in state.accesses:
        ranges = [(T.sub(here, T.const(64)), 64 + subject.answer["out_args_bytes"])]
        if not access.is_store:
            ranges.append((here, subject.frame_bytes))
        what = "writes no memory but below SP and outgoing arguments" if access.is_store else "reads no memory but its frame"
        yield given, theorem.within(access.address, access.bytes, ranges), what


def after_return(target, path, keep):
    """The state behind the callee's return, and where: what the callee does not keep is anything."""
    state = machine.State(path.state)
    back = return_address(target, state)
    keep = {target.qemu_name(name) for name in keep}
    for name, reg in target.regs.items():
        if reg["is_int"] and not reg["is_zero"] and target.qemu_name(name) not in keep:
            if name != target.conv["sp"]:
                state.globals[target.qemu_name(name)] = T.var(f"returned {name}")
    if target.conv["ra_pushed"]:
        sp = target.qemu_name(target.conv["sp"])
        state.globals[sp] = T.add(register(target, state, target.conv["sp"]), T.const(8))
    state.globals = {name: value for name, value in state.globals.items() if value.width == 64}
    state.accesses, state.temps, state.trace = [], {}, []
    return state, back.args[0] if back.op == "const" else None


def at_end(target, subject, path):
    """Yields (assumptions, claim, what) of a path from the return to the end."""
    conv, state, given = target.conv, path.state, path.state.conditions
    yield given, T.const(int(path.target is T.const(subject.end)), 1), "goes on behind the call"
    result = T.var(f"returned {conv['result'] if subject.type else conv['bpf'][0]}")
    if not subject.type and conv["result_bits"] == 64:
        # An epilogue copies R0 to the ABI's register: R14.
        given = [*given, T.condition("eq", T.var(f"returned {conv['result']}"), result)]
    want = result_of(result, subject.type.result) if subject.type else result
    yield given, T.condition("eq", register(target, state, conv["bpf"][0]), want), "R0 is what the result's type says"
    for name in [*kept_names(target), conv["sp"]]:
        yield given, T.condition("eq", register(target, state, name), T.var(target.qemu_name(name))), f"{name} is kept"
    yield from touched(target, subject, given, state)


def comes_to_callee(subject, path):
    """Of calls all paths do. Of may_goto those do that leave for the stub, whose address nobody has told."""
    return not subject.is_may_goto or (path.kind == "leave" and path.target.op == "const")


def translate_returns(target, subjects):
    """In place: the paths of each become (those to the callee, those without a call, those from the return on)."""
    for subject in subjects:
        if subject.error:
            continue
        subject.to_callee = [path for path in subject.paths if comes_to_callee(subject, path)]
        subject.straight = [path for path in subject.paths if not comes_to_callee(subject, path)]
        # The stub of may_goto keeps every BPF register but AX.
        keep = [*kept_names(target), *(target.conv["bpf"][:10] if subject.is_may_goto else ())]
        subject.begins = []
        for path in subject.to_callee:
            state, back = after_return(target, path, keep)
            if back is None or not (subject.is_may_goto or path.target is T.const(subject.taken)):
                subject.error = "a path does not come to the callee" if back else "the place to return to is not known"
                break
            subject.begins.append((back, state))
    import programs

    programs.translate_all(target, subjects)


def claims(target, subject):
    """Yields (path, assumptions, claim, what)."""
    for path in subject.to_callee:
        for claim in at_callee(target, subject, path):
            yield path, *claim
    for path in subject.paths:
        for claim in at_end(target, subject, path):
            yield path, *claim
