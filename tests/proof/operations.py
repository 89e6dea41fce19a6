# SPDX-License-Identifier: BSD-2-Clause
"""Operations that QEMU and BPF have in common, as terms; and what QEMU calls those that terms have."""

import term as T


class Unknown(Exception):
    """Something of QEMU's that has no row here."""


COMMON = {op: op for op in ("add", "sub", "mul", "and", "or", "xor")}
INVERTED_SECOND = {"andc": "and", "orc": "or", "eqv": "xor"}
INVERTED_RESULT = {"nand": "and", "nor": "or"}
SHIFTS = {"shl": "shl", "shr": "lshr", "sar": "ashr"}
DIVISIONS = {"div": "sdiv", "divu": "udiv", "rem": "srem", "remu": "urem"}
EXTENSIONS = {
    "ext8s": (8, T.sext), "ext8u": (8, T.zext), "ext16s": (16, T.sext), "ext16u": (16, T.zext),
    "ext32s": (32, T.sext), "ext32u": (32, T.zext),
}  # fmt: skip


def compare(name, a, b):
    def either(op, x, y, negated):
        found = T.condition(op, x, y)
        return T.invert(found) if negated else found

    zero = T.const(0, a.width)
    rows = {
        "eq": ("eq", a, b, False), "ne": ("eq", a, b, True),
        "lt": ("slt", a, b, False), "ge": ("slt", a, b, True), "gt": ("slt", b, a, False), "le": ("slt", b, a, True),
        "ltu": ("ult", a, b, False), "geu": ("ult", a, b, True), "gtu": ("ult", b, a, False), "leu": ("ult", b, a, True),
    }  # fmt: skip
    if name in ("tsteq", "tstne"):
        return either("eq", T.binary("and", a, b), zero, name == "tstne")
    if name not in rows:
        raise Unknown(f"condition {name}")
    return either(*rows[name])


def swap_bytes(value):
    return T.concat(*(T.extract(value, i + 7, i) for i in range(0, value.width, 8)))


def zeroes(name, value, otherwise):
    """How many are above the highest one, or below the lowest."""
    result, width = otherwise, value.width
    for bit in range(width) if name == "clz" else reversed(range(width)):
        result = T.ite(T.extract(value, bit, bit), T.const(width - 1 - bit if name == "clz" else bit, width), result)
    return result
