# SPDX-License-Identifier: BSD-2-Clause
"""Which instructions are proved: every opcode, registers whose choice can change the code, constants by their length."""

import bpf
import calls
from bpf import Insn
from programs import Subject

CAP_ARENA, CAP_OUT_ARGS, CAP_ATOMIC_INSNS = 1 << 2, 1 << 5, 1 << 10

# Where an encoder takes another form: powers of two and what is beside them, runs of ones, halves that are empty.
CONSTANTS = (
    0, 1, -1, 2, 3, -2, 5, 7, 8, 9, 16, 31, 32, 63, 64, 100, 127, 128, -128, -129, 255, 256, -255, -256, 511, 512, 1000,
    2047, 2048, -2047, -2048, -2049, 4094, 4095, 4096, -4095, -4096, -4097, 0x7FFF, 0x8000, -0x8000, -0x8001, 0xFFFF,
    0x10000, 0xFF00, 0x0FF0, 0xF000F, 0xFFFFF, 0x7FFFF000, 0x7FFFF7FF, 0x7FFFF800, 0x7FFFFFFF, -0x80000000,
    -0x7FFFFFFF, -0x7FFFF800, 0x12345678, -0x12345678, 0x55555555, -0x55555556, 0x00FF0000, -0x10000,
)  # fmt: skip
WIDE = (
    0, 1, -1, 0x7FF, 0x800, 0xFFF, 0x1000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000, 0x123456789, -0x80000000,
    -0x80000001, 0x7FFFFFFFF7FF, 0xFFFF00000000, 0x1234567800000000, 0x8000000000000000, 0x123456789ABCDEF0,
    0x7FFFFFFFFFFFFFFF, 0xFFFFFFFF00000000, 0x0000FFFFFFFF0000, 0xFFFF0000FFFF0000, 0x5555555555555555,
    0x000F00000000000F, 0x0010000000000000, 0xFFF0000000000000, 0x00000FFF80000000, 0xFFFFFFFFFFFFF800,
)  # fmt: skip
OFFSETS = (
    0, 1, 2, 4, 8, -1, -4, -8, 127, 128, -128, -129, 255, 256, -256, -257, 2040, 2047, 2048, -2048, -2049, 4088, 4094,
    4095, 4096, -4095, -4096, -4097, 8190, 8191, 16380, 16384, 32760, 32764, 32767, -32768, -32767,
)  # fmt: skip
ALL_PAIRS = tuple((dst, src) for dst in range(10) for src in range(10))
# Registers that have a part of their own in some machine, each as either operand, and the same as both.
PAIRS = ((1, 2), (2, 1), (0, 3), (3, 0), (4, 4), (0, 0), (3, 3), (4, 1), (1, 4), (6, 7), (5, 0), (9, 3))
SIZES = (0x10, 0x08, 0x00, 0x18)
OUT_ARGS = 7
LDDW = bpf.LD | 0x18
# What a branch jumps over, as many times: code that is longer than each form of a branch reaches.
WIDE_MOVE = (Insn(LDDW, 1, imm=0x1ABCDEF0), Insn(0, imm=0x12345678))
MODULO = (Insn(bpf.ALU64 | 0x90 | bpf.X, 1, 2, 1),)
LENGTHS = ((WIDE_MOVE, 60), (WIDE_MOVE, 420), (WIDE_MOVE, 2300), (WIDE_MOVE, 8600), (MODULO, 32000))


def _picked(full, some, fast):
    return some[:1] if fast else full


def arithmetic(fast):
    for cls in (bpf.ALU64, bpf.ALU32):
        width = 64 if cls == bpf.ALU64 else 32
        for code, off in bpf.ALU:
            for dst, src in _picked(ALL_PAIRS + ((1, 10),), PAIRS, fast):
                yield Insn(cls | code | bpf.X, dst, src, off)
            # The constants that a program may have: shifts below the width, divisors that are not 0.
            is_shift, is_division = code in (0x60, 0x70, 0xC0), code in (0x30, 0x90)
            constants = [imm for imm in CONSTANTS if (0 <= imm < width or not is_shift) and (imm or not is_division)]
            for imm in [5] if fast else constants:
                for dst, _ in _picked(PAIRS[:3], PAIRS, fast):
                    yield Insn(cls | code, dst, 0, off, imm)
        for bits in (8, 16, 32):
            for dst, src in _picked(ALL_PAIRS, PAIRS, fast) if bits < width else ():
                yield Insn(cls | bpf.MOV | bpf.X, dst, src, bits)
        for dst in [1] if fast else range(10):
            yield Insn(cls | bpf.NEG, dst)
    for opcode in (bpf.ALU32 | bpf.END, bpf.ALU32 | bpf.END | bpf.X, bpf.ALU64 | bpf.END):
        for bits in (16, 32, 64):
            for dst in [1] if fast else range(10):
                yield Insn(opcode, dst, imm=bits)


def jumps(fast):
    for cls in (bpf.JMP, bpf.JMP32):
        for code in bpf.JUMPS:
            for dst, src in _picked(ALL_PAIRS, PAIRS, fast):
                yield Insn(cls | code | bpf.X, dst, src, 1)
            for imm in [5] if fast else CONSTANTS:
                for dst, _ in _picked(PAIRS[:2], PAIRS, fast):
                    yield Insn(cls | code, dst, 0, 1, imm)
    yield Insn(bpf.JMP | bpf.JCOND, off=1)
    yield Insn(bpf.JMP | bpf.JA, off=1)
    yield Insn(bpf.JMP32 | bpf.JA, imm=1)
    yield Insn(bpf.JMP | bpf.EXIT)


def far_branches(fast):
    """Over code of some length, forwards and backwards."""
    conditions = [cls | code | bpf.X for cls in (bpf.JMP, bpf.JMP32) for code in bpf.JUMPS]
    for insns, count in LENGTHS[:1] if fast else LENGTHS:
        far = insns * count
        for opcode in conditions[:1] if fast else [*conditions, bpf.JMP | bpf.JA, bpf.JMP | bpf.JCOND]:
            dst, src = (1, 2) if opcode in conditions else (0, 0)
            forth, back = Insn(opcode, dst, src, len(far)), Insn(opcode, dst, src, -len(far) - 1)
            yield Subject(f"{forth}, {count} times as far", forth, skipped=far)
            yield Subject(f"{back}, {count} times as far", back, before=far)


def stack(fast):
    """What is below R10, which may have no register of its own."""
    for size in SIZES[3:] if fast else SIZES:
        for off in (-8,) if fast else (-8, -16, -64, -256, -264, -504, -512):
            for reg in (1,) if fast else range(10):
                yield Insn(bpf.LDX | bpf.MEM | size, reg, 10, off)
                yield Insn(bpf.STX | bpf.MEM | size, 10, reg, off)
                if size != 0x18:
                    yield Insn(bpf.LDX | bpf.MEMSX | size, reg, 10, off)
            yield Insn(bpf.ST | bpf.MEM | size, 10, 0, off, 5)
    for code in (bpf.FETCH,) if fast else (0, bpf.FETCH, bpf.XCHG, bpf.CMPXCHG):
        yield Insn(bpf.STX | bpf.ATOMIC | 0x18, 10, 1, -8, code)


def arguments(conv, fast):
    """Arguments after the fifth: at R11 - 8 * n in the caller, at R11 + 8 * n in the callee."""
    for number in (1, 2) if fast else range(1, OUT_ARGS + 1):
        for reg in (1,) if fast else range(10):
            if conv["caps"] & CAP_OUT_ARGS:
                put = Insn(bpf.STX | bpf.MEM | 0x18, bpf.ARGUMENTS, reg, -8 * number)
                yield Subject(f"{put}, outgoing argument", put)
            get = Insn(bpf.LDX | bpf.MEM | 0x18, reg, bpf.ARGUMENTS, 8 * number)
            yield Subject(f"{get}, incoming argument", get, in_callee=True)
        for imm in (5,) if fast else CONSTANTS[::4]:
            if conv["caps"] & CAP_OUT_ARGS:
                put = Insn(bpf.ST | bpf.MEM | 0x18, bpf.ARGUMENTS, 0, -8 * number, imm)
                yield Subject(f"{put}, outgoing argument", put)


def transfers(fast):
    """Tail calls, by a program and by a function that it calls."""
    for in_callee in (False,) if fast else (False, True):
        insn = Insn(bpf.JMP | bpf.CALL, imm=bpf.TAIL_CALL)
        yield Subject(f"{insn}, tail call{' of a function' if in_callee else ''}", insn, in_callee=in_callee)


def per_cpu(fast):
    for dst, src in _picked(ALL_PAIRS, PAIRS, fast):
        yield Insn(bpf.ALU64 | bpf.MOV | bpf.X, dst, src, bpf.PER_CPU)


def _places(fast):
    """(registers, offset): every pair with a plain offset, every offset with some pairs."""
    if fast:
        return [(PAIRS[0], -8)]
    return [(pair, -8) for pair in ALL_PAIRS] + [(pair, off) for off in OFFSETS for pair in PAIRS[:3]]


def accesses(fast, modes):
    """modes: of loads, sign-extending loads and stores."""
    plain, extending = modes
    for size in SIZES:
        for (dst, src), off in _places(fast):
            yield Insn(bpf.LDX | plain | size, dst, src, off)
            yield Insn(bpf.STX | plain | size, dst, src, off)
            if size != 0x18:
                yield Insn(bpf.LDX | extending | size, dst, src, off)
        for imm in (5,) if fast else CONSTANTS[::4]:
            for off in (-8,) if fast else OFFSETS[::9]:
                for dst in (1,) if fast else (0, 1):
                    yield Insn(bpf.ST | plain | size, dst, 0, off, imm)


def atomics(fast, mode):
    codes = [code | fetch for code in bpf.ATOMICS for fetch in (0, bpf.FETCH)] + [bpf.XCHG, bpf.CMPXCHG]
    for size in SIZES[2:]:
        for code in codes:
            for (dst, src), off in _places(fast):
                yield Insn(bpf.STX | mode | size, dst, src, off, code)
    for size in SIZES:
        for code in (bpf.LOAD_ACQUIRE, bpf.STORE_RELEASE):
            for (dst, src), off in _places(fast):
                yield Insn(bpf.STX | mode | size, dst, src, off, code)


def casts(fast):
    for imm in (bpf.CAST_TO_ARENA, bpf.CAST_TO_USER):
        for dst, src in _picked(ALL_PAIRS, PAIRS, fast):
            yield Insn(bpf.ALU64 | bpf.MOV | bpf.X, dst, src, 1, imm)


def references():
    """64-bit constants that stand for something: code.c's map, a value in it, a function."""
    kinds = (
        (1, 0, lambda address, answer: 0x1122334455667788),
        (2, 24, lambda address, answer: 0x7FFF12345678 + 24),
        (4, 0, lambda address, answer: address + answer["starts"][1]),
    )
    for src, second, wide_of in kinds:
        insn = Insn(bpf.LD | 0x18, 1, src, imm=1 if src == 4 else 0)
        yield Subject(str(insn), insn, second=second, wide_of=wide_of)


def called(conv, fast):
    for insn, kind, name in calls.callees(fast):
        before = calls.before(insn, kind)
        if conv["caps"] & CAP_OUT_ARGS or not before:
            yield Subject(f"{insn}, {name}", insn, type=kind, before=before)


def subjects(conv, fast):
    """All instructions of a convention, as jf-prove-code describes it."""
    plain = [*arithmetic(fast), *jumps(fast), *accesses(fast, (bpf.MEM, bpf.MEMSX)), *stack(fast), *per_cpu(fast)]
    atomic = list(atomics(fast, bpf.ATOMIC))
    if conv["caps"] & CAP_ARENA:
        plain += [*casts(fast), *accesses(fast, (bpf.ARENA, bpf.ARENA_SX))]
        atomic += list(atomics(fast, bpf.ARENA_ATOMIC))
    for insn in plain + atomic:
        yield Subject(str(insn), insn)
    if conv["caps"] & CAP_ATOMIC_INSNS:
        for insn in atomic:
            yield Subject(f"{insn}, atomic instructions", insn, options={"atomic_insns": True})
    if conv["r10_private"] not in (None, conv["bpf"][bpf.FP]):
        for insn in stack(fast):
            yield Subject(f"{insn}, private stack", insn, options={"private_stack": True})
    for insn in arithmetic(True) if conv["skips_dead_uppers"] else ():
        if insn.cls == bpf.ALU32 and insn.opcode & 0xF0 != bpf.END:
            yield Subject(f"{insn}, upper half not read", insn, dead_upper=True)
    yield from called(conv, fast)
    yield from far_branches(fast)
    yield from arguments(conv, fast)
    yield from transfers(fast)
    yield from references()
    for wide in WIDE[-1:] if fast else WIDE:
        for dst in (1,) if fast else (0, 1, 3, 6):
            wide &= (1 << 64) - 1
            yield Subject(f"18 dst={dst} imm64={wide:#x}", Insn(bpf.LD | 0x18, dst), wide=wide)
