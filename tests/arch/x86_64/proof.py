# SPDX-License-Identifier: BSD-2-Clause
"""What tests/proof needs to know of QEMU's model of this architecture (QEMU 10.0: target/i386)."""

import machine
import term as T

QEMU = "10.0"  # the version whose model this is
CPU = "max"
PC = "rip"
# Of addresses this many bits count; the kernel's are not for programs.
ADDRESS_BITS = 64
WIDTHS = {"cc_op": 32}


def register(name, hw):
    """QEMU's name of an integer register."""
    return name


# Parts of the processor that QEMU's code reaches in two ways: by name, and by offset (of 8 bytes).
ALIASES = {}
# What generated code may leave in any state, of the parts that have no name: none.
SCRATCH = ()


# MXCSR's bytes, and a place that QEMU does not have, for the x87 control word: helpers alone read and write it.
CONTROL = {"mxcsr": 0x354, "fcw": 0x100000}


def cpu_base(convention):
    """(per-CPU base, what is read to find it): the first word of the segment, which holds the segment's address."""
    address = T.var("fs_base" if convention == "user" else "gs_base")
    return machine.State().load(address, 8), [(address, 8)]


def float_register(name, hw):
    """A control word's bytes."""
    return CONTROL[name]


def load_control(name, size):
    def helper(machine, state, args):
        value = machine.get(state, args[1], 32)
        for i in range(size):
            state.env[CONTROL[name] + i] = T.extract(value, 8 * i + 7, 8 * i)
        return []

    return helper


def store_control(machine, state, args):
    return [T.zext(T.concat(*(state.env_byte(CONTROL["fcw"] + i) for i in (1, 0))), 32)]


def divide(kind, width):
    """div and idiv: of a dividend that fits one register, as `cqo` or a cleared rdx make it."""

    def helper(machine, state, args):
        low = T.extract(machine.register(state, "rax"), width - 1, 0)
        high = T.extract(machine.register(state, "rdx"), width - 1, 0)
        divisor = T.extract(machine.get(state, args[1], 64), width - 1, 0)
        sign = T.const(0, width) if kind == "u" else T.binary("ashr", low, T.const(width - 1, width))
        state.require(T.condition("eq", high, sign), "a dividend of two registers")
        state.globals["rax"] = T.zext(machine.divide(state, kind + "div", low, divisor), 64)
        state.globals["rdx"] = T.zext(T.binary(kind + "rem", low, divisor), 64)
        return []

    return helper


# Values of cc_op from here on come in fours, for results of 1, 2, 4 and 8 bytes; below, flags are in one word.
CC_OP_RESULTS = 4


def not_zero(machine_, state, args):
    """Whether the last result that set the flags was other than 0."""
    result, kind = machine_.get(state, args[0], 64), machine_.get(state, args[2], 32)
    if kind.op != "const" or kind.args[0] < CC_OP_RESULTS:
        raise machine.Unknown(f"cc_compute_nz of {kind}")
    return [T.zext(T.extract(result, (8 << (kind.args[0] & 3)) - 1, 0), 64)]


def unknown(width):
    """Flags in one word: nothing that branches asks for them so."""
    return lambda machine, state, args: [machine.fresh(width)]


HELPERS = {
    "divq_EAX": divide("u", 64),
    "divl_EAX": divide("u", 32),
    "idivq_EAX": divide("s", 64),
    "idivl_EAX": divide("s", 32),
    "cc_compute_all": unknown(64),
    "cc_compute_nz": not_zero,
    "ldmxcsr": load_control("mxcsr", 4),
    "update_mxcsr": lambda machine, state, args: [],  # of the exceptions that happened, which nobody is to keep
    "fldcw": load_control("fcw", 2),
    "fnstcw": store_control,
}
