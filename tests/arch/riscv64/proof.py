# SPDX-License-Identifier: BSD-2-Clause
"""What tests/proof needs to know of QEMU's model of this architecture (QEMU 10.0: target/riscv)."""

import term as T

# With Ztso there would be a barrier behind every access.
QEMU = "10.0"  # the version whose model this is
CPU = "max,ztso=off"
PC = "pc"
# Of addresses this many bits count; the kernel's are not for programs.
ADDRESS_BITS = 64
WIDTHS = {}


def register(name, hw):
    """QEMU's name of an integer register."""
    return f"x{hw}/{'s0' if hw == 8 else name}"


def cpu_base(convention):
    """(per-CPU base, what is read to find it): tp."""
    return T.var("x4/tp"), []


def float_register(name, hw):
    """QEMU's name of a floating-point register."""
    return f"f{hw}/{name}"


# Parts of the processor that QEMU's code reaches in two ways: by name, and by offset (of 8 bytes).
ALIASES = {}
# What generated code may leave in any state, of the parts that have no name: none.
SCRATCH = ()
HELPERS = {}
