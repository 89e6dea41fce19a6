# SPDX-License-Identifier: BSD-2-Clause
"""What tests/proof needs to know of QEMU's model of this architecture (QEMU 10.0: target/loongarch)."""

import term as T

QEMU = "10.0"  # the version whose model this is
CPU = "max"
PC = "pc"
# Of addresses this many bits count; the kernel's are not for programs.
ADDRESS_BITS = 64
WIDTHS = {}


def register(name, hw):
    """QEMU's name of an integer register."""
    return f"r{hw}"


def cpu_base(convention):
    """(per-CPU base, what is read to find it): $tp, or what the kernel has in r21."""
    return T.var("r2" if convention == "user" else "r21"), []


def float_register(name, hw):
    """A floating-point register's bytes: the lower ones of its vector register."""
    return 0x110 + 0x20 * hw


# Parts of the processor that QEMU's code reaches in two ways: by name, and by offset (of 8 bytes).
ALIASES = {0x800: "lladdr", 0x808: "llval"}
# What generated code may leave in any state, of the parts that have no name: none.
SCRATCH = ()
HELPERS = {}
