# SPDX-License-Identifier: BSD-2-Clause
"""Which instructions are proved: every opcode, registers whose choice can change the code, constants by their length."""

import bpf
import calls
from bpf import Insn
from programs import Subject

CAP_ARENA, CAP_ATOMIC_INSNS = 1 << 2, 1 << 10

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
    yield Insn(bpf.JMP | bpf.JA, off=1)
    yield Insn(bpf.JMP32 | bpf.JA, imm=1)
    yield Insn(bpf.JMP | bpf.EXIT)


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


def called(fast):
    for insn, kind, name in calls.callees(fast):
        yield Subject(f"{insn}, {name}", insn, type=kind)


def subjects(conv, fast):
    """All instructions of a convention, as jf-prove-code describes it."""
    plain = [*arithmetic(fast), *jumps(fast), *accesses(fast, (bpf.MEM, bpf.MEMSX))]
    atomic = list(atomics(fast, bpf.ATOMIC))
    if conv["caps"] & CAP_ARENA:
        plain += [*casts(fast), *accesses(fast, (bpf.ARENA, bpf.ARENA_SX))]
        atomic += list(atomics(fast, bpf.ARENA_ATOMIC))
    for insn in plain + atomic:
        yield Subject(str(insn), insn)
    if conv["caps"] & CAP_ATOMIC_INSNS:
        for insn in atomic:
            yield Subject(f"{insn}, atomic instructions", insn, options={"atomic_insns": True})
    for insn in arithmetic(True) if conv["skips_dead_uppers"] else ():
        if insn.cls == bpf.ALU32 and insn.opcode & 0xF0 != bpf.END:
            yield Subject(f"{insn}, upper half not read", insn, dead_upper=True)
    yield from called(fast)
    yield from references()
    for wide in WIDE[-1:] if fast else WIDE:
        for dst in (1,) if fast else (0, 1, 3, 6):
            wide &= (1 << 64) - 1
            yield Subject(f"18 dst={dst} imm64={wide:#x}", Insn(bpf.LD | 0x18, dst), wide=wide)
