# SPDX-License-Identifier: BSD-2-Clause
"""What tests/proof needs to know of QEMU's model of this architecture (QEMU 10.0: target/arm)."""

import term as T

QEMU = "10.0"  # the version whose model this is
CPU = "max"
PC = "pc"
# Of addresses this many bits count: a load or store ignores the top byte and takes bit 55 for all above.
ADDRESS_BITS = 55
WIDTHS = {"CF": 32, "NF": 32, "VF": 32, "ZF": 32}


def register(name, hw):
    """QEMU's name of an integer register."""
    return {"x30": "lr", "x31": "sp"}.get(f"x{hw}", f"x{hw}")


# Parts of the processor that QEMU's code reaches in two ways: by name, and by offset (of 8 bytes).
ALIASES = {}
# What generated code may leave in any state, of the parts that have no name: none.
SCRATCH = ()


def divide(kind):
    """By 0: 0. The least number by -1: itself."""

    def helper(machine, state, args):
        a, b = (machine.get(state, arg, 64) for arg in args)
        zero = T.const(0)
        return [T.ite(T.condition("eq", b, zero), zero, T.binary(kind, a, b))]

    return helper


HELPERS = {"udiv64": divide("udiv"), "sdiv64": divide("sdiv")}
