# SPDX-License-Identifier: BSD-2-Clause
"""What tests/proof needs to know of QEMU's model of this architecture (QEMU 10.0: target/arm)."""

import machine
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


TPIDR_EL0 = 0x518


def cpu_base(convention):
    """(per-CPU base, what is read to find it): the thread's register. The kernel's is not for programs."""
    if convention != "user":
        raise machine.Unknown("TPIDR_EL1, which a program may not read")
    return T.concat(*(machine.State().env_byte(TPIDR_EL0 + i) for i in reversed(range(8)))), []


def divide(kind):
    """By 0: 0. The least number by -1: itself."""

    def helper(machine, state, args):
        a, b = (machine.get(state, arg, 64) for arg in args)
        zero = T.const(0)
        return [T.ite(T.condition("eq", b, zero), zero, T.binary(kind, a, b))]

    return helper


def float_register(name, hw):
    """A floating-point register's bytes: the lower ones of its vector register."""
    return 0xCF0 + 0x100 * hw


# ---- signed return addresses: what is known is that authentication gives back what was signed with the same SP

SIGNED = {}  # what a signature makes of an address: (the address, the modifier)


def signed(value, modifier):
    made = T.var(f"signed({value}, {modifier})")
    SIGNED[made] = (value, modifier)
    return made


def sign(machine, state, args):
    return [signed(*(machine.get(state, arg, 64) for arg in args[1:]))]


def authenticate(machine, state, args):
    value, modifier = (machine.get(state, arg, 64) for arg in args[1:])
    address, with_what = SIGNED.get(value, (None, None))
    return [address if address and with_what is modifier else machine.fresh(64)]


HELPERS = {
    "udiv64": divide("udiv"),
    "sdiv64": divide("sdiv"),
    "pacia": sign,
    "autia": authenticate,
    "guarded_page_br": lambda machine, state, args: [],  # of pages with landing pads: there are none
}
