# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's log of what it translated: `qemu-ARCH -d in_asm,op`, as blocks of operations by address."""

import dataclasses
import re


@dataclasses.dataclass
class Block:
    """What QEMU translated at once. insns: {address: text}; ops: (name, width, operands, address of the instruction)."""

    insns: dict
    ops: list
    labels: dict


class UnknownForm(Exception):
    """A line of the log that this does not know."""


_INSN = re.compile(r"0x([0-9a-f]+): +(.*)")
_START = re.compile(r" ---- ([0-9a-f]+)")
_OP = re.compile(r" (\w+?)(?:_i(32|64|128))?(?: (\S.*))?$")
# Names that end as those of types do, and are whole.
_WHOLE = {"ext_i32_i64", "extu_i32_i64", "extrl_i64_i32", "extrh_i64_i32"}


def _op(line, address):
    match = _OP.fullmatch(line)
    if not match:
        raise UnknownForm(line)
    name, width, rest = match.groups()
    whole = line.split()[0]
    if whole in _WHOLE:
        name, width = whole, None
    # x1/ra,x2/sp: no operand has a comma of its own.
    return name, int(width) if width else None, tuple(rest.split(",")) if rest else (), address


def blocks(log):
    """{address of the first instruction: Block}. What was translated twice counts as it was last."""
    found, insns, ops, labels, address, part = {}, {}, [], {}, None, None

    def finish():
        if insns and ops:
            found[next(iter(insns))] = Block(insns, ops, labels)

    for line in log:
        line = line.rstrip("\n")
        if line.startswith("IN:"):
            finish()
            insns, ops, labels, address, part = {}, [], {}, None, "in"
        elif line.startswith("OP:"):
            part = "op"
        elif part == "in" and line.startswith("0x"):
            match = _INSN.match(line)
            insns[int(match.group(1), 16)] = match.group(2)
        elif part == "op" and line.startswith(" ---- "):
            address = int(_START.match(line).group(1), 16)
            ops.append(("insn_start", None, (), address))
        elif part == "op" and line.startswith(" "):
            op = _op(line, address)
            if op[0] == "set_label":
                labels[op[2][0]] = len(ops)
            ops.append(op)
        elif line and not line.startswith("-----"):
            part = None
    finish()
    return found
