# SPDX-License-Identifier: BSD-2-Clause
"""What BPF instructions do, as terms: RFC 9669, and Linux's own accesses and casts of arena pointers.

Tables: ALU, JUMPS, ATOMICS. step() reads them. The names of sections are the RFC's.
"""

import dataclasses
import struct

import machine
import operations
import term as T

# Opcode fields (section 3).
LD, LDX, ST, STX, ALU32, JMP, JMP32, ALU64 = range(8)
X = 0x08
SIZES = {0x10: 1, 0x08: 2, 0x00: 4, 0x18: 8}
MEM, MEMSX, ATOMIC = 0x60, 0x80, 0xC0
ARENA, ARENA_SX, ARENA_ATOMIC = 0xA0, 0xC0, 0xE0  # Linux's: loads with 0xc0 are sign-extending
MOV, NEG, END = 0xB0, 0x80, 0xD0
JA, CALL, EXIT, JCOND = 0x00, 0x80, 0x90, 0xE0
FETCH = 0x01
XCHG, CMPXCHG, LOAD_ACQUIRE, STORE_RELEASE = 0xE1, 0xF1, 0x100, 0x110
FP, ARGUMENTS = 10, 11
AX = 11  # what code that nobody wrote has for itself: in lists of machine registers
TAIL_CALL = 12  # the helper's number
PER_CPU = -1  # the offset of a move
CAST_TO_ARENA, CAST_TO_USER = 1, 0x10000


class NoInstruction(Exception):
    """An instruction that the tables do not have."""


@dataclasses.dataclass(frozen=True)
class Insn:
    opcode: int
    dst: int = 0
    src: int = 0
    off: int = 0
    imm: int = 0

    @property
    def cls(self):
        return self.opcode & 7

    def hex(self):
        imm = T.signed(self.imm & T.mask(32), 32)
        return struct.pack("<BBhi", self.opcode, self.dst | self.src << 4, self.off, imm).hex()

    def __str__(self):
        return f"{self.opcode:02x} dst={self.dst} src={self.src} off={self.off} imm={self.imm:#x}"


@dataclasses.dataclass
class Outcome:
    """Registers and memory behind the instruction; whether it jumps: a condition, or None for what never does."""

    regs: list
    memory: machine.State
    taken: T.Term = None
    reads: list = dataclasses.field(default_factory=list)  # (address, bytes)
    writes: list = dataclasses.field(default_factory=list)
    aligned: bool = False  # the access is atomic, and so its address is a multiple of its size


# ---- arithmetic (section 4.1) ---------------------------------------------------------------------------------


def unless_zero(divisor, result, otherwise):
    return T.ite(T.condition("eq", divisor, T.const(0, divisor.width)), otherwise, result)


def division(kind):
    """By 0: 0 of a division, the dividend of a modulo. MIN / -1 = MIN, MIN % -1 = 0: as terms have it."""

    def compute(a, b):
        return unless_zero(b, T.binary(kind, a, b), a if kind.endswith("rem") else T.const(0, a.width))

    return compute


def shift(kind):
    """Shift counts are masked."""
    return lambda a, b: T.binary(kind, a, T.binary("and", b, T.const(a.width - 1, a.width)))


# (code, offset): dst = dst OP operand. An offset of 1 is signed division and modulo.
ALU = {
    (0x00, 0): T.add,
    (0x10, 0): T.sub,
    (0x20, 0): lambda a, b: T.binary("mul", a, b),
    (0x30, 0): division("udiv"),
    (0x30, 1): division("sdiv"),
    (0x40, 0): lambda a, b: T.binary("or", a, b),
    (0x50, 0): lambda a, b: T.binary("and", a, b),
    (0x60, 0): shift("shl"),
    (0x70, 0): shift("lshr"),
    (0x90, 0): division("urem"),
    (0x90, 1): division("srem"),
    (0xA0, 0): lambda a, b: T.binary("xor", a, b),
    (MOV, 0): lambda a, b: b,
    (0xC0, 0): shift("ashr"),
}


def alu(insn, dst, src):
    """dst and src of 64 bits; the result too, of 32-bit operations zero-extended."""
    width = 64 if insn.cls == ALU64 else 32
    code = insn.opcode & 0xF0
    a = T.extract(dst, width - 1, 0)
    b = T.extract(src, width - 1, 0) if insn.opcode & X else T.const(insn.imm, width)
    if code == NEG:
        return T.zext(T.sub(T.const(0, width), a), 64)
    if code == MOV and insn.off in (8, 16, 32) and insn.off < width and insn.opcode & X:
        return T.zext(T.sext(T.extract(b, insn.off - 1, 0), width), 64)
    if (code, insn.off) not in ALU:
        raise NoInstruction(str(insn))
    return T.zext(ALU[code, insn.off](a, b), 64)


def byte_order(insn, value):
    """Section 4.2, on a little-endian machine."""
    part = T.extract(value, insn.imm - 1, 0)
    is_swap = insn.cls == ALU64 or insn.opcode & X
    return T.zext(operations.swap_bytes(part) if is_swap else part, 64)


# ---- jumps (section 4.3) --------------------------------------------------------------------------------------

JUMPS = {
    0x10: "eq", 0x20: "gtu", 0x30: "geu", 0x40: "tstne", 0x50: "ne", 0x60: "gt", 0x70: "ge",
    0xA0: "ltu", 0xB0: "leu", 0xC0: "lt", 0xD0: "le",
}  # fmt: skip


def jump(insn, dst, src):
    code = insn.opcode & 0xF0
    if code == JA or insn.opcode == JMP | EXIT:
        return T.const(1, 1)
    width = 64 if insn.cls == JMP else 32
    b = T.extract(src, width - 1, 0) if insn.opcode & X else T.const(insn.imm, width)
    if code not in JUMPS:
        raise NoInstruction(str(insn))
    return operations.compare(JUMPS[code], T.extract(dst, width - 1, 0), b)


# ---- memory (section 5) ---------------------------------------------------------------------------------------

ATOMICS = {0x00: "add", 0x40: "or", 0x50: "and", 0xA0: "xor"}


def atomic(insn, out, address, size):
    """Section 5.3, one after the other; load-acquire and store-release are Linux's."""
    if insn.imm == LOAD_ACQUIRE:
        out.reads.append((address, size))
        out.regs[insn.dst] = T.zext(out.memory.load(address, size), 64)
        return
    operand = T.extract(out.regs[insn.src], 8 * size - 1, 0)
    out.writes.append((address, size))
    if insn.imm == STORE_RELEASE:
        out.memory.store(address, size, operand)
        return
    if size < 4:
        raise NoInstruction(str(insn))
    out.reads.append((address, size))
    old = out.memory.load(address, size)
    if insn.imm == CMPXCHG:
        same = T.condition("eq", old, T.extract(out.regs[0], 8 * size - 1, 0))
        out.memory.store(address, size, T.ite(same, operand, old))
        out.regs[0] = T.zext(old, 64)
    elif insn.imm == XCHG:
        out.memory.store(address, size, operand)
        out.regs[insn.src] = T.zext(old, 64)
    elif insn.imm & ~FETCH in ATOMICS:
        out.memory.store(address, size, T.binary(ATOMICS[insn.imm & ~FETCH], old, operand))
        if insn.imm & FETCH:
            out.regs[insn.src] = T.zext(old, 64)
    else:
        raise NoInstruction(str(insn))


def memory(insn, out, arena):
    size, mode = SIZES[insn.opcode & 0x18], insn.opcode & 0xE0
    is_load = insn.cls == LDX or (insn.cls == STX and mode in (ATOMIC, ARENA_ATOMIC) and insn.imm == LOAD_ACQUIRE)
    address = T.add(out.regs[insn.src if is_load else insn.dst], T.const(insn.off))
    is_atomic = insn.cls == STX and mode in (ATOMIC, ARENA_ATOMIC)
    in_arena = mode == ARENA or (insn.cls == LDX and mode == ARENA_SX) or (is_atomic and mode == ARENA_ATOMIC)
    if in_arena:
        address = T.add(address, arena)
    if is_atomic:
        out.aligned = True
        atomic(insn, out, address, size)
    elif insn.cls == LDX and mode in (MEM, MEMSX, ARENA, ARENA_SX):
        out.reads.append((address, size))
        extend = T.sext if mode in (MEMSX, ARENA_SX) else T.zext
        out.regs[insn.dst] = extend(out.memory.load(address, size), 64)
    elif insn.cls in (ST, STX) and mode in (MEM, ARENA):
        out.writes.append((address, size))
        value = out.regs[insn.src] if insn.cls == STX else T.const(insn.imm)
        out.memory.store(address, size, T.extract(value, 8 * size - 1, 0))
    else:
        raise NoInstruction(str(insn))


# ---- an instruction -------------------------------------------------------------------------------------------


def cast_to_user(value, user_base):
    """Linux: the lower half with the upper half of the arena's address in user space; NULL stays NULL."""
    low = T.extract(value, 31, 0)
    whole = T.concat(T.const(user_base >> 32, 32), low)
    return T.ite(T.condition("eq", low, T.const(0, 32)), T.const(0), whole)


def step(insn, regs, arena, wide=None, user_base=0, cpu_base=None):
    """The outcome of one instruction. wide: the constant of a 64-bit immediate (section 5.4). cpu_base: Linux's."""
    out = Outcome(list(regs), machine.State())
    dst, src = insn.dst, insn.src
    code = insn.opcode & 0xF0
    if insn.cls in (ALU32, ALU64):
        if code == END:
            out.regs[dst] = byte_order(insn, regs[dst])
        elif insn.opcode == ALU64 | MOV | X and insn.off == PER_CPU:
            out.regs[dst] = T.add(regs[src], cpu_base)
        elif insn.opcode == ALU64 | MOV | X and insn.off == 1:
            low = T.zext(T.extract(regs[src], 31, 0), 64)
            out.regs[dst] = low if insn.imm == CAST_TO_ARENA else cast_to_user(regs[src], user_base)
        else:
            out.regs[dst] = alu(insn, regs[dst], regs[src])
    elif insn.cls in (JMP, JMP32):
        out.taken = jump(insn, regs[dst], regs[src])
    elif insn.opcode == LD | 0x18:
        out.regs[dst] = T.const(wide)
    else:
        memory(insn, out, arena)
    return out
