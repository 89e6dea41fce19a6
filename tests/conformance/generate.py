#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs in the protocol of conformance-plugin, and what RFC 9669 says they return.

Prints one vector a line: name | memory | program | result, all in hex, the result "refused" for a program
that must not run. A third telling of the standard, beside the library and the interpreter of tests/random:
what is expected is computed here, with Python's numbers, and by hand in hand_written().
"""

import struct

LD, LDX, ST, STX, ALU, JMP, JMP32, ALU64 = range(8)
K, X = 0x00, 0x08
W, H, B, DW = 0x00, 0x08, 0x10, 0x18
MEM, MEMSX, ATOMIC = 0x60, 0x80, 0xC0
ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR, MOV, ARSH, END = (n << 4 for n in range(14))
JA, JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE, CALL, EXIT, JLT, JLE, JSLT, JSLE = (n << 4 for n in range(14))
FETCH, XCHG, CMPXCHG, LOAD_ACQ, STORE_REL = 0x01, 0xE1, 0xF1, 0x100, 0x110
BITS = {B: 8, H: 16, W: 32, DW: 64}
SIZE_NAME = {B: 'b', H: 'h', W: 'w', DW: 'dw'}

M64 = (1 << 64) - 1
M32 = (1 << 32) - 1
MIN64, MIN32 = 1 << 63, 1 << 31
MULTIPLIER = 31  # results of one vector are the digits of one number

EDGES = [0, 1, 2, 3, 7, 31, 32, 33, 63, 64, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, MIN32 - 1, MIN32, M32,
         M32 + 1, MIN64 - 1, MIN64, M64, M64 - 1, 0xFFFFFFFF80000000, 0x0123456789ABCDEF, 0xFEDCBA9876543210]
IMMS = [0, 1, -1, 2, 7, 31, 32, 33, 63, 64, 0x7F, 0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0x7FFFFFFF, -0x80000000,
        -2048, -2049, 0x12345678]


def signed(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


# ---- instructions ------------------------------------------------------------------------------------


def insn(opcode, dst=0, src=0, off=0, imm=0):
    return struct.pack('<BBhI', opcode, src << 4 | dst, off, imm & M32)


def lddw(dst, value, src=0):
    return insn(LD | DW, dst, src, 0, value & M32) + insn(0, imm=value >> 32 & M32)


def mov(dst, imm):
    return insn(ALU64 | MOV | K, dst, imm=imm)


def mov_reg(dst, src):
    return insn(ALU64 | MOV | X, dst, src)


def exit_():
    return insn(JMP | EXIT)


def collect(reg):
    """r0 = r0 * MULTIPLIER + reg"""
    return insn(ALU64 | MUL | K, 0, imm=MULTIPLIER) + insn(ALU64 | ADD | X, 0, reg)


class Total:
    """What collect() makes."""

    def __init__(self):
        self.value = 0

    def add(self, value):
        self.value = (self.value * MULTIPLIER + value) & M64


vectors = []


def vector(name, program, result, memory=b''):
    vectors.append((name, memory, program, result))


# ---- what the standard says --------------------------------------------------------------------------


def quotient(a, b):
    """Towards zero, as the standard has signed division."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def compute(code, bits, is_signed, a, b):
    mask = (1 << bits) - 1
    a, b = a & mask, b & mask
    sa, sb = signed(a, bits), signed(b, bits)
    if code == DIV:
        value = 0 if b == 0 else quotient(sa, sb) if is_signed else a // b
    elif code == MOD:
        value = a if b == 0 else sa - quotient(sa, sb) * sb if is_signed else a % b
    else:
        value = {
            ADD: lambda: a + b, SUB: lambda: a - b, MUL: lambda: a * b, OR: lambda: a | b, AND: lambda: a & b,
            XOR: lambda: a ^ b, MOV: lambda: b, NEG: lambda: -a, LSH: lambda: a << (b % bits),
            RSH: lambda: a >> (b % bits), ARSH: lambda: sa >> (b % bits),
        }[code]()
    return value & mask


def holds(code, bits, a, b):
    mask = (1 << bits) - 1
    a, b = a & mask, b & mask
    sa, sb = signed(a, bits), signed(b, bits)
    return {JEQ: a == b, JNE: a != b, JGT: a > b, JGE: a >= b, JLT: a < b, JLE: a <= b, JSGT: sa > sb,
            JSGE: sa >= sb, JSLT: sa < sb, JSLE: sa <= sb, JSET: a & b != 0}[code]


# ---- vectors of every opcode -------------------------------------------------------------------------

ALU_NAMES = {ADD: 'add', SUB: 'sub', MUL: 'mul', DIV: 'div', OR: 'or', AND: 'and', LSH: 'lsh', RSH: 'rsh',
             MOD: 'mod', XOR: 'xor', MOV: 'mov', ARSH: 'arsh'}
JUMP_NAMES = {JEQ: 'jeq', JGT: 'jgt', JGE: 'jge', JSET: 'jset', JNE: 'jne', JSGT: 'jsgt', JSGE: 'jsge',
              JLT: 'jlt', JLE: 'jle', JSLT: 'jslt', JSLE: 'jsle'}


def registers(number):
    """Two different ones of R1-R9: each vector has another pair."""
    dst = 1 + number % 9
    return dst, 1 + (dst + number // 9 % 8) % 9


def pairs(salt):
    """Some of all pairs of edges, with the ones that matter most always among them."""
    always = [(MIN64, M64), (MIN32, M32), (5, 0), (M64, 0), (M64, M64), (MIN64, 1), (M64 - 6, 3),
              (7, M64 - 2)]
    rest = [(a, b) for i, a in enumerate(EDGES) for j, b in enumerate(EDGES)
            if (i * 7 + j * 3 + salt) % 11 == 0]
    return always + rest


def arithmetic():
    number = 0
    for cls, bits in ((ALU, 32), (ALU64, 64)):
        for code, name in ALU_NAMES.items():
            for off in (0, 1) if code in (DIV, MOD) else (0,):
                number += 1
                full = '%s%s%d' % ('s' if off else '', name, bits)
                dst, src = registers(number)
                program, total = mov(0, 0), Total()
                for a, b in pairs(number):
                    program += lddw(dst, a) + lddw(src, b)
                    program += insn(cls | code | X, dst, src, off) + collect(dst)
                    total.add(compute(code, bits, off, a, b))
                vector(full + '-reg', program + exit_(), total.value)
                program, total = mov(0, 0), Total()
                for a, _ in pairs(number)[::3]:
                    for imm in IMMS:
                        program += lddw(dst, a) + insn(cls | code | K, dst, 0, off, imm) + collect(dst)
                        total.add(compute(code, bits, off, a, imm & M64))
                vector(full + '-imm', program + exit_(), total.value)
                same, total = mov(0, 0), Total()
                for a in EDGES:
                    same += lddw(dst, a) + insn(cls | code | X, dst, dst, off) + collect(dst)
                    total.add(compute(code, bits, off, a, a))
                vector(full + '-same', same + exit_(), total.value)


def one_operand():
    forms = []
    for bits in (16, 32, 64):
        swapped = lambda v, n=bits // 8: int.from_bytes((v & ((1 << 8 * n) - 1)).to_bytes(n, 'little'), 'big')
        forms.append(('le%d' % bits, ALU | END | K, 0, bits, lambda v, b=bits: v & ((1 << b) - 1)))
        forms.append(('be%d' % bits, ALU | END | X, 0, bits, swapped))
        forms.append(('bswap%d' % bits, ALU64 | END | K, 0, bits, swapped))
    forms.append(('neg32', ALU | NEG, 0, 0, lambda v: -v & M32))
    forms.append(('neg64', ALU64 | NEG, 0, 0, lambda v: -v & M64))
    for number, (name, opcode, off, imm, expect) in enumerate(forms):
        dst, _ = registers(number)
        program, total = mov(0, 0), Total()
        for a in EDGES:
            program += lddw(dst, a) + insn(opcode, dst, 0, off, imm) + collect(dst)
            total.add(expect(a))
        vector(name, program + exit_(), total.value)
    for cls, bits, widths in ((ALU, 32, (8, 16)), (ALU64, 64, (8, 16, 32))):
        for width in widths:
            dst, src = registers(width + bits)
            program, total = mov(0, 0), Total()
            for a in EDGES:
                program += lddw(src, a) + insn(cls | MOV | X, dst, src, width) + collect(dst)
                total.add(signed(a, width) & ((1 << bits) - 1))
            vector('movsx%d-%d' % (width, bits), program + exit_(), total.value)


def jumps():
    number = 0
    for cls, bits in ((JMP32, 32), (JMP, 64)):
        for code, name in JUMP_NAMES.items():
            number += 1
            dst, src = registers(number)
            program, total = mov(0, 0), Total()
            for a, b in pairs(number):
                program += lddw(dst, a) + lddw(src, b) + insn(cls | code | X, dst, src, 1) + mov(dst, 2) + \
                    insn(ALU64 | AND | K, dst, imm=3) + collect(dst)
                total.add(a & 3 if holds(code, bits, a, b) else 2)
            vector('%s%d-reg' % (name, bits), program + exit_(), total.value)
            program, total = mov(0, 0), Total()
            for a in EDGES[::2]:
                for imm in IMMS:
                    program += lddw(dst, a) + insn(cls | code | K, dst, 0, 1, imm) + mov(dst, 2) + \
                        insn(ALU64 | AND | K, dst, imm=3) + collect(dst)
                    total.add(a & 3 if holds(code, bits, a, imm & M64) else 2)
            vector('%s%d-imm' % (name, bits), program + exit_(), total.value)


MEMORY = bytes((i * 37 + 0x81) & 0xFF for i in range(32))


def read(memory, at, size):
    return int.from_bytes(memory[at:at + BITS[size] // 8], 'little')


def write(memory, at, size, value):
    n = BITS[size] // 8
    memory[at:at + n] = (value & ((1 << 8 * n) - 1)).to_bytes(n, 'little')


def loads_and_stores():
    for size in (B, H, W, DW):
        for mode, name in ((MEM, 'ldx'), (MEMSX, 'ldxs')):
            if mode == MEMSX and size == DW:
                continue
            program, total = mov(0, 0), Total()
            for at in range(0, 24):
                program += insn(LDX | mode | size, 2, 1, at) + collect(2)
                value = read(MEMORY, at, size)
                total.add(signed(value, BITS[size]) & M64 if mode == MEMSX else value)
            vector(name + SIZE_NAME[size], program + exit_(), total.value, MEMORY)
        for form in ('st', 'stx'):
            memory, program = bytearray(MEMORY), mov(0, 0)
            for at, value in enumerate((0x11223344, -2, 0x7FFFFFFF, -0x80000000, 0x80, 0x8000)):
                if form == 'st':
                    program += insn(ST | MEM | size, 1, 0, 3 * at, value)
                else:
                    program += lddw(3, value * 0x100000001 & M64) + insn(STX | MEM | size, 1, 3, 3 * at)
                    value = value * 0x100000001
                write(memory, 3 * at, size, value)
            total = Total()
            for at in range(0, 32, 8):
                program += insn(LDX | MEM | DW, 2, 1, at) + collect(2)
                total.add(read(memory, at, DW))
            vector(form + SIZE_NAME[size], program + exit_(), total.value, MEMORY)


def atomics():
    codes = {ADD: 'add', OR: 'or', AND: 'and', XOR: 'xor'}
    for size in (W, DW):
        for code, name in codes.items():
            for fetch in (0, FETCH):
                full = 'lock-%s%s%d' % ('fetch-' if fetch else '', name, BITS[size])
                atomic_vector(full, size, code | fetch,
                              lambda old, value, c=code, s=size: compute(c, BITS[s], False, old, value))
        atomic_vector('lock-xchg%d' % BITS[size], size, XCHG, lambda old, value: value)
        cmpxchg_vector(size)
    for size in (B, H, W, DW):
        program, total = mov(0, 0), Total()
        for at in range(0, 24, 8):
            program += mov(2, -1) + insn(STX | ATOMIC | size, 2, 1, at, LOAD_ACQ) + collect(2)
            total.add(read(MEMORY, at, size))
        vector('load-acquire-' + SIZE_NAME[size], program + exit_(), total.value, MEMORY)
        memory, total = bytearray(MEMORY), Total()
        program = mov(0, 0) + lddw(2, 0x1122334455667788) + insn(STX | ATOMIC | size, 1, 2, 8, STORE_REL)
        write(memory, 8, size, 0x1122334455667788)
        for at in range(0, 24, 8):
            program += insn(LDX | MEM | DW, 2, 1, at) + collect(2)
            total.add(read(memory, at, DW))
        vector('store-release-' + SIZE_NAME[size], program + exit_(), total.value, MEMORY)


def atomic_vector(name, size, imm, result):
    memory, program, total = bytearray(MEMORY), mov(0, 0), Total()
    for index, value in enumerate(EDGES):
        at = index % 4 * 8
        program += lddw(2, value) + insn(STX | ATOMIC | size, 1, 2, at, imm) + collect(2)
        old = read(memory, at, size)
        write(memory, at, size, result(old, value))
        total.add(old if imm & FETCH else value)
    for at in range(0, 32, 8):
        program += insn(LDX | MEM | DW, 2, 1, at) + collect(2)
        total.add(read(memory, at, DW))
    vector(name, program + exit_(), total.value, MEMORY)


def cmpxchg_vector(size):
    """Collected in R6: R0 is what is compared."""
    memory, program, total = bytearray(MEMORY), mov(6, 0), Total()
    gather = insn(ALU64 | MUL | K, 6, imm=MULTIPLIER) + insn(ALU64 | ADD | X, 6, 0)
    for index, value in enumerate(EDGES):
        at = index % 4 * 8
        old = read(memory, at, size)
        # Every other one hits; 32-bit comparisons do not look at the upper half.
        expected = old ^ (index % 2) | (0xABCD << 48 if size == W else 0)
        program += lddw(0, expected) + lddw(2, value) + insn(STX | ATOMIC | size, 1, 2, at, CMPXCHG) + gather
        if index % 2 == 0:
            write(memory, at, size, value)
        total.add(old)
    for at in range(0, 32, 8):
        program += insn(LDX | MEM | DW, 0, 1, at) + gather
        total.add(read(memory, at, DW))
    vector('lock-cmpxchg%d' % BITS[size], program + mov_reg(0, 6) + exit_(), total.value, MEMORY)


# ---- and by hand -------------------------------------------------------------------------------------


def call_helper(number):
    return insn(JMP | CALL, imm=number)


def call_local(distance):
    return insn(JMP | CALL, src=1, imm=distance)


def hand_written():
    vector('exit', mov(0, 7) + exit_(), 7)
    vector('lddw', lddw(0, 0x1122334455667788) + exit_(), 0x1122334455667788)
    vector('lddw-minus-one', lddw(0, M64) + exit_(), M64)
    vector('memory-length', mov_reg(0, 2) + exit_(), 5, b'\1\2\3\4\5')
    vector('no-memory', mov_reg(0, 1) + insn(ALU64 | OR | X, 0, 2) + exit_(), 0)
    vector('memory-is-writable', insn(ST | MEM | B, 1, 0, 1, 9) + insn(LDX | MEM | H, 0, 1) + exit_(), 0x09AA,
           b'\xaa\xbb')
    vector('ja', mov(0, 1) + insn(JMP | JA, off=1) + mov(0, 2) + exit_(), 1)
    vector('ja-backwards', insn(JMP | JA, off=2) + mov(0, 3) + exit_() + insn(JMP | JA, off=-3), 3)
    vector('gotol', mov(0, 1) + insn(JMP32 | JA, imm=1) + mov(0, 2) + exit_(), 1)
    vector('gotol-far', mov(0, 1) + insn(JMP32 | JA, imm=40000) + mov(0, 2) * 40000 + exit_(), 1)
    vector('jump-far', mov(0, 1) + insn(JMP | JEQ | K, 0, off=32000, imm=1) + mov(0, 2) * 32000 + exit_(), 1)
    vector('stack', insn(ST | MEM | DW, 10, 0, -8, 0x55) + insn(LDX | MEM | B, 0, 10, -8) + exit_(), 0x55)
    vector('stack-deep', mov(1, 1) + insn(STX | MEM | DW, 10, 1, -512) +
           insn(LDX | MEM | DW, 0, 10, -512) + exit_(), 1)
    vector('loop', mov(0, 0) + mov(1, 10) + insn(ALU64 | ADD | X, 0, 1) + insn(ALU64 | ADD | K, 1, imm=-1) +
           insn(JMP | JNE | K, 1, off=-3) + exit_(), 55)
    helpers()
    calls()
    refused()


def helpers():
    args = b''.join(mov(reg, reg) for reg in range(1, 6))
    vector('helper-0', args + call_helper(0) + exit_(), 0x0102030405)
    vector('helper-1', insn(STX | MEM | DW, 10, 1, -8) + call_helper(1) + insn(LDX | MEM | DW, 1, 10, -8) +
           insn(LDX | MEM | W, 0, 1) + exit_(), 0x2E292B28 & M32, bytes((0x02, 0x01, 0x03, 0x04)))
    vector('helper-2', b''.join(mov(reg, reg) for reg in range(6, 10)) + call_helper(2) +
           b''.join(insn(ALU64 | ADD | X, 0, reg) for reg in range(6, 10)) + exit_(), 30)
    vector('helper-3', mov(1, 1000001) + call_helper(3) + exit_(), 1000)
    vector('helper-3-large', lddw(1, M64) + call_helper(3) + exit_(), M32)
    vector('helper-4-equal', mov_reg(2, 1) + call_helper(4) + exit_(), 0, b'abc\0')
    vector('helper-4-less', mov_reg(2, 1) + insn(ALU64 | ADD | K, 2, imm=4) + call_helper(4) +
           insn(ALU64 | RSH | K, 0, imm=63) + exit_(), 1, b'abc\0abd\0')
    vector('helper-5', lddw(1, 0x8877665544332211) + call_helper(5) + exit_(), 0x8877665544332211)
    for reg in range(0, 10):
        vector('callx-r%d' % reg, mov(1, -1) + mov(reg, 5) + insn(JMP | CALL | X, reg) + exit_(),
               5 if reg == 1 else M64)
    vector('callx-imm', mov(1, -3) + mov(2, 5) + insn(JMP | CALL | X, 0, imm=2) + exit_(), M64 - 2)
    vector('callx-saved', mov(1, 4) + mov(6, 3) + mov(7, 9) + mov(8, 5) + insn(JMP | CALL | X, 6) +
           insn(ALU64 | ADD | X, 0, 7) + insn(ALU64 | ADD | X, 0, 8) + exit_(), 16)
    vector('callx-nothing', mov(2, 99) + insn(JMP | CALL | X, 2) + exit_(), 'refused')


def calls():
    double = mov_reg(0, 1) + insn(ALU64 | ADD | X, 0, 1) + exit_()
    vector('local-call', mov(1, 21) + call_local(1) + exit_() + double, 42)
    vector('local-call-saves', b''.join(mov(reg, reg) for reg in range(6, 10)) + call_local(5) +
           b''.join(insn(ALU64 | ADD | X, 0, reg) for reg in range(6, 10)) + exit_() +
           b''.join(mov(reg, -1) for reg in range(6, 10)) + mov(0, 0) + exit_(), 30)
    vector('local-call-stack', insn(ST | MEM | DW, 10, 0, -8, 5) + call_local(2) +
           insn(LDX | MEM | DW, 0, 10, -8) + exit_() + insn(ST | MEM | DW, 10, 0, -8, 6) + exit_(), 5)
    # main -> second -> first, which stands between them: 3 * (2 * 5 + 1)
    vector('local-call-nested', mov(1, 5) + call_local(2 + 3) + insn(ALU64 | MUL | K, 0, imm=3) + exit_() +
           mov_reg(0, 1) + insn(ALU64 | ADD | X, 0, 1) + exit_() +
           call_local(-4) + insn(ALU64 | ADD | K, 0, imm=1) + exit_(), 33)
    # Down from 9: R0 of the innermost is 0, each call adds 1.
    vector('local-call-recursive', mov(1, 9) + call_local(1) + exit_() +
           mov(0, 0) + insn(JMP | JEQ | K, 1, off=3) + insn(ALU64 | ADD | K, 1, imm=-1) + call_local(-4) +
           insn(ALU64 | ADD | K, 0, imm=1) + exit_(), 9)
    vector('local-call-five', b''.join(mov(reg, reg) for reg in range(1, 6)) + call_local(1) + exit_() +
           mov(0, 0) + b''.join(insn(ALU64 | MUL | K, 0, imm=10) + insn(ALU64 | ADD | X, 0, reg)
                                for reg in range(1, 6)) + exit_(), 12345)
    vector('code-address', lddw(1, 6, src=4) + lddw(2, 4, src=4) + insn(ALU64 | SUB | X, 1, 2) +
           mov_reg(0, 1) + exit_() + exit_(), 0)


def refused():
    end = mov(0, 0) + exit_()
    for name, program in {
        'empty': b'',
        'half-an-instruction': exit_()[:4],
        'no-exit': mov(0, 0),
        'opcode-0': insn(0) + end,
        'opcode-ff': insn(0xFF) + end,
        'alu-code-e': insn(ALU64 | 0xE0) + end,
        'neg-reg': insn(ALU64 | NEG | X) + end,
        'bswap-reg': insn(ALU64 | END | X, imm=16) + end,
        'swap-width-8': insn(ALU | END, imm=8) + end,
        'add-offset': insn(ALU64 | ADD | X, off=1) + end,
        'add-imm-and-register': insn(ALU64 | ADD | X, imm=1) + end,
        'add-imm-with-source': insn(ALU64 | ADD | K, src=1) + end,
        'div-offset-2': insn(ALU64 | DIV | X, off=2) + end,
        'movsx-imm': insn(ALU64 | MOV | K, off=8) + end,
        'movsx-32-in-32': insn(ALU | MOV | X, off=32) + end,
        'movsx-24': insn(ALU64 | MOV | X, off=24) + end,
        'register-11': insn(ALU64 | MOV | X, src=11) + end,
        'register-15': insn(ALU64 | MOV | K, dst=15) + end,
        'write-r10': mov(10, 0) + end,
        'load-r10': insn(LDX | MEM | DW, 10, 10, -8) + end,
        'load-mode-6': insn(LDX | 0xE0 | DW, 0, 10, -8) + end,
        'load-sign-64': insn(LDX | MEMSX | DW, 0, 10, -8) + end,
        'load-imm': insn(LDX | MEM | DW, 0, 10, -8, 1) + end,
        'store-source': insn(ST | MEM | DW, 10, 1, -8, 0) + end,
        'atomic-code': insn(STX | ATOMIC | DW, 10, 0, -8, 0x20) + end,
        'atomic-8-bits': insn(STX | ATOMIC | B, 10, 0, -8, ADD) + end,
        'atomic-16-bits': insn(STX | ATOMIC | H, 10, 0, -8, ADD) + end,
        'atomic-xchg-without-fetch': insn(STX | ATOMIC | DW, 10, 0, -8, 0xE0) + end,
        'jump-out': insn(JMP | JA, off=2) + end,
        'jump-before': insn(JMP | JA, off=-2) + end,
        'jump-into-lddw': insn(JMP | JA, off=1) + lddw(0, 0) + exit_(),
        'jump-to-end': insn(JMP | JEQ | K, off=2) + end,
        'gotol-with-offset': insn(JMP32 | JA, off=1, imm=0) + end,
        'ja-reg': insn(JMP | JA | X) + end,
        'exit-32': insn(JMP32 | EXIT) + end,
        'call-32': insn(JMP32 | CALL, imm=5) + end,
        'exit-imm': mov(0, 0) + insn(JMP | EXIT, imm=1),
        'call-unknown-helper': insn(JMP | CALL, imm=77) + end,
        'call-unknown-kind': insn(JMP | CALL, src=5, imm=1) + end,
        'call-kfunc': insn(JMP | CALL, src=2, imm=1) + end,
        'call-out': insn(JMP | CALL, src=1, imm=9) + end,
        'call-before': insn(JMP | CALL, src=1, imm=-9) + end,
        'call-falls-off': insn(JMP | CALL, src=1, imm=1) + exit_() + mov(0, 0),
        'lddw-half': exit_() + insn(LD | DW),
        'lddw-second-half': insn(LD | DW) + insn(1) + end,
        'lddw-map': lddw(0, 1, src=1) + exit_(),
        'lddw-map-value': lddw(0, 1, src=2) + exit_(),
        'lddw-variable': lddw(0, 1, src=3) + exit_(),
        'lddw-map-index': lddw(0, 1, src=5) + exit_(),
        'lddw-kind-7': lddw(0, 1, src=7) + exit_(),
        'packet-absolute': insn(0x30) + end,
        'packet-indirect': insn(0x50) + end,
    }.items():
        vector('refused-' + name, program, 'refused')


def main():
    for make in (arithmetic, one_operand, jumps, loads_and_stores, atomics, hand_written):
        make()
    for name, memory, program, result in vectors:
        print('%s | %s | %s | %s' % (name, memory.hex(' '), program.hex(' '),
                                     result if result == 'refused' else '%x' % result))


main()
