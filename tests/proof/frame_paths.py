# SPDX-License-Identifier: BSD-2-Clause
"""The code of frames as terms: an address of the stack is a variable and a constant. frame_claims.py follows it."""

import dataclasses

import machine
import target as targets
import tcg
import term as T

PIECES = 400  # that QEMU translates at once


@dataclasses.dataclass
class Piece:
    """The code of one part. blocks: what QEMU translated, by the address that it began at: [(address, Block)]."""

    address: int
    size: int
    blocks: dict = dataclasses.field(default_factory=dict)


class Machine(machine.Machine):
    """A load finds what one store made as a whole."""

    def load(self, state, address, size):
        return load(state, address, size)


def load(state, address, size):
    """As State.load(); where one store made all of it, that store's value as a whole."""
    for at, length, value in reversed(state.stores):
        off = T.sub(address, at)
        if off.op != "const":
            break
        low = T.signed(off.args[0], 64)
        if 0 <= low and low + size <= length:
            return T.extract(value, 8 * (low + size) - 1, 8 * low)
        if -size < low < length:
            break
    return state.load(address, size)


def split(block):
    """A block as [(address, block of one instruction)]."""
    starts = [at for at, op in enumerate(block.ops) if op[0] == "insn_start"]
    ends = [at + 1 for at in starts[1:]] + [len(block.ops)]
    return [
        (block.ops[start][3], tcg.Block({}, block.ops[start:end], {k: v - start for k, v in block.labels.items() if start <= v < end}))
        for start, end in zip(starts, ends)
    ]  # fmt: skip


class Code:
    """Parts of frames as QEMU translates them. Code that is the same is translated once."""

    def __init__(self, target):
        self.target = target
        self.pieces = {}

    def add(self, wanted):
        """wanted: {code: offsets where it is entered}."""
        missing = [(code, offs) for code, offs in wanted.items() if not offs <= self.entered(code)]
        for start in range(0, len(missing), PIECES):
            address, todo = targets.CODE + 0x40, []
            for code, offs in missing[start : start + PIECES]:
                todo.append((code, Piece(address, len(code)), offs))
                address += len(code) + 0x1F & ~0xF
            entries = [piece.address + off for _, piece, offs in todo for off in sorted(offs)]
            blocks = self.target.translate([(piece.address, code) for code, piece, _ in todo], entries)
            for code, piece, _ in todo:
                inside = range(piece.address, piece.address + piece.size)
                piece.blocks = {at: split(block) for at, block in blocks.items() if at in inside}
                self.pieces[code] = piece

    def entered(self, code):
        piece = self.pieces.get(code)
        return {at - piece.address for at in piece.blocks} if piece else set()


class Elsewhere(Exception):
    """A jump to code that is not translated yet."""

    def __init__(self, code, off):
        super().__init__(f"a jump to +{off:#x}")
        self.code, self.off = code, off


@dataclasses.dataclass
class Refuted(Exception):
    what: str
    values: dict
    trace: list
    verdict: str = "refuted"
