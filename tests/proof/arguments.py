# SPDX-License-Identifier: BSD-2-Clause
"""Arguments after the fifth: BPF code puts the n-th of them at R11 - 8 * n, and the callee gets it at R11 + 8 * n."""

import dataclasses

import bpf
import term as T


def place(target, number):
    """
    Where the caller has the argument at a call: (register, None), or (None, bytes from SP).

    The convention's registers behind the five of R1 to R5, in the ABI's order; then a word each, from SP up.
    """
    in_registers = target.conv["extra_arg_regs"]
    if number <= in_registers:
        return target.conv["args"][4 + number], None
    return None, 8 * (number - in_registers - 1)


def number_of(insn):
    return abs(insn.off) // 8


def instead(target, subject):
    """(instruction, R11) of which the RFC's table knows the meaning: a move or an access, by R11 as its register."""
    conv, insn = target.conv, subject.insn
    register, off = place(target, number_of(insn))
    if register:
        kind = bpf.ALU64 | bpf.MOV | (0 if insn.cls == bpf.ST else bpf.X)
        return dataclasses.replace(insn, opcode=kind, off=0), T.var(target.qemu_name(register))
    if bpf.ARGUMENTS == insn.dst:
        base = T.var(target.qemu_name(conv["sp"]))
    else:
        # The caller's SP at the call is the callee's CFA.
        base = T.sub(T.var(target.qemu_name(conv["fp"])), T.const(conv["fp_off"]))
    return dataclasses.replace(insn, off=off), base


def in_registers(target, subject):
    """[(QEMU's name, 0)] where the theorem is about an argument in a register."""
    if bpf.ARGUMENTS not in (subject.insn.dst, subject.insn.src):
        return []
    register, _ = place(target, number_of(subject.insn))
    return [(target.qemu_name(register), 0)] if register else []


def before_call(target, number, start):
    """The value of an argument in the state in front of a call."""
    register, off = place(target, number)
    if register:
        return T.var(target.qemu_name(register))
    return start.load(T.add(T.var(target.qemu_name(target.conv["sp"])), T.const(off)), 8)
