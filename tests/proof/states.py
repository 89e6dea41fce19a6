# SPDX-License-Identifier: BSD-2-Clause
"""Terms against QEMU: pieces of code run from random states, and what they leave compared with what the terms say."""

import collections
import random

import meaning
import target as targets
import term as T

MIDDLE = targets.MEMORY + targets.MEMORY_BYTES // 2
TRIES = 40


class Elsewhere(Exception):
    """An access that does not hit the memory that is there."""


class Values(dict):
    """Of variables. A value of which nothing is known is some value; what no register stands for has none."""

    def __missing__(self, name):
        if name.startswith("any"):
            return 0x5A
        raise Elsewhere(name)


def initial_byte(address):
    if not targets.MEMORY <= address < targets.MEMORY + targets.MEMORY_BYTES:
        return 0
    return targets.scatter(address & ~7) >> 8 * (address & 7) & 0xFF


def random_value(rng):
    kind = rng.randrange(6)
    value = rng.getrandbits(64)
    if kind < 2:
        return value
    if kind == 2:
        return value & (63 if value >> 63 else 56)
    if kind == 3:
        return -(value & 0xFFFF) & T.mask(64)
    if kind == 4:
        return rng.choice((0, 1, T.mask(64), 1 << 63, 1 << 31, T.mask(32), T.mask(31), 1 << 32))
    return MIDDLE + (value & 0x7F8)


class Prediction:
    """What one path says of registers and memory."""

    def __init__(self, target, path):
        state = path.state
        self.target = path.target.args[0]
        self.leaves = path.kind in ("trap", "leave")  # by an exception that is none of a trap of ours, or a jump
        self.trace = set(state.trace)
        self.regs = {}
        for name, reg in target.regs.items():
            if reg["is_int"] and not reg["is_zero"]:
                term = state.globals.get(target.qemu_name(name))
                if term is not None:
                    self.regs[name] = term
        self.stores = [(address, size) for address, size, _ in state.stores]
        self.accesses = [(access.bytes, access.aligned) for access in state.accesses]
        self.holds = meaning.compiled(state.conditions)
        self.fine = meaning.compiled([condition for condition, _ in state.obligations])
        self.where = meaning.compiled([access.address for access in state.accesses])
        self.results = meaning.compiled(list(self.regs.values()))
        self.stored = meaning.compiled([part for address, _, value in state.stores for part in (address, value)])

    def of(self, values):
        """(registers, words of memory), or None when the path is another. Raises Elsewhere."""
        if not all(self.holds(values, initial_byte)):
            return None
        if self.leaves:
            raise Elsewhere("no trap of ours")
        if not all(self.fine(values, initial_byte)):
            raise Elsewhere("undefined")
        for address, (size, aligned) in zip(self.where(values, initial_byte), self.accesses):
            inside = targets.MEMORY <= address <= targets.MEMORY + targets.MEMORY_BYTES - size
            if not inside or (aligned and address % size):
                raise Elsewhere("memory")
        words = {}
        stored = self.stored(values, initial_byte)
        for (_, size), address, value in zip(self.stores, stored[::2], stored[1::2]):
            for i in range(size):
                at, shift = address + i & ~7, 8 * (address + i & 7)
                word = words.get(at, targets.scatter(at))
                words[at] = word & ~(0xFF << shift) | (value >> 8 * i & 0xFF) << shift
        words = {at: word for at, word in words.items() if word != targets.scatter(at)}
        return dict(zip(self.regs, self.results(values, initial_byte))), words


def states_of(target, subject, predictions, count, rng):
    """Yields (registers, what is predicted)."""
    names = [name for name, reg in target.regs.items() if reg["is_int"] and not reg["is_zero"]]
    for _ in range(count):
        for _ in range(TRIES):
            regs = {name: random_value(rng) for name in names}
            values = Values((target.qemu_name(name), value) for name, value in regs.items())
            try:
                found = [(one, one.of(values)) for one in predictions]
            except Elsewhere:
                continue
            found = [(one, what) for one, what in found if what]
            if len(found) != 1:
                raise targets.Failed(f"{target.name}: {subject.name}: {len(found)} paths for one state")
            prediction, (after, words) = found[0]
            yield regs, {**regs, **after}, words, prediction
            break


def difference(shot, after, words, pc):
    if shot.signal != targets.SIGTRAP or shot.pc != pc:
        return f"signal {shot.signal} at {shot.pc:#x}, not at {pc:#x}"
    for name, value in after.items():
        if shot.regs[name] != value:
            return f"{name} is {shot.regs[name]:#x}, not {value:#x}"
    if shot.memory != words:
        return f"memory is {shot.memory}, not {words}"
    return None


def compare(target, subjects, blocks, count, seed=1):
    """
    Runs each subject from `count` states. returns: for each subject, in order, ({mnemonic: states}, faults).
    """
    rng, shots, wanted, results = random.Random(seed), [], [], []
    pieces = [(subject.at, subject.code) for subject in subjects]
    mnemonics = {pc: mnemonic(text) for block in blocks.values() for pc, text in block.insns.items()}
    for number, subject in enumerate(subjects):
        predictions = [Prediction(target, path) for path in subject.paths]
        watch = int(any(one.stores for one in predictions))
        results.append((collections.Counter(), []))
        for regs, after, words, prediction in states_of(target, subject, predictions, count, rng):
            shots.append((subject.start, watch, regs))
            wanted.append((number, regs, after, words, prediction.target))
            results[-1][0].update(mnemonics[pc] for pc in prediction.trace)
    for shot, (number, regs, after, words, pc) in zip(target.fire(pieces, shots), wanted):
        wrong = difference(shot, after, words, pc)
        if wrong:
            before = ", ".join(f"{name}={value:#x}" for name, value in regs.items())
            results[number][1].append(f"{target.name}: {subjects[number].name}: {wrong}; before: {before}")
    return results


def mnemonic(text):
    """Of a line of the log, where the bytes of an instruction stand before its name."""
    words = text.split()
    while len(words) > 1 and len(words[0]) in (2, 4, 8) and all(c in "0123456789abcdef" for c in words[0]):
        words.pop(0)
    return words[0]
