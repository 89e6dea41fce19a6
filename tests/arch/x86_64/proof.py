# SPDX-License-Identifier: BSD-2-Clause
"""What tests/proof needs to know of QEMU's model of this architecture (QEMU 10.0: target/i386)."""

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


def unknown(width):
    """Flags in one word: nothing that branches asks for them so."""
    return lambda machine, state, args: [machine.fresh(width)]


HELPERS = {
    "divq_EAX": divide("u", 64),
    "divl_EAX": divide("u", 32),
    "idivq_EAX": divide("s", 64),
    "idivl_EAX": divide("s", 32),
    "cc_compute_all": unknown(64),
}
