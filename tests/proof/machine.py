# SPDX-License-Identifier: BSD-2-Clause
"""What QEMU's operations do, as terms: one path at a time from an address to where the code is left.

Total: an operation, a condition, a helper or a piece of the processor's state that is not known stops with its name.
Source of what the operations mean: QEMU's docs/devel/tcg-ops.rst.
"""

import dataclasses
import re

import term as T
from operations import (
    COMMON, DIVISIONS, EXTENSIONS, INVERTED_RESULT, INVERTED_SECOND, SHIFTS, Unknown, compare, swap_bytes, zeroes,
)  # fmt: skip

MEMOP = re.compile(r"(?:noat|at)\+(?:un|al|al(?P<bytes>\d+))\+(?P<kind>ub|sb|(?:le|be)?(?:u|s)?[wlqo])")
SIZES = {"b": 1, "w": 2, "l": 4, "q": 8, "o": 16}


@dataclasses.dataclass(frozen=True)
class Access:
    is_store: bool
    address: T.Term
    bytes: int
    aligned: bool
    insn: int


class State:
    """Registers (QEMU's globals), the rest of the processor by byte, memory, and how the path came here."""

    def __init__(self, other=None):
        self.globals = dict(other.globals) if other else {}
        self.env = dict(other.env) if other else {}
        self.temps = dict(other.temps) if other else {}
        self.stores = list(other.stores) if other else []
        self.accesses = list(other.accesses) if other else []
        self.conditions = list(other.conditions) if other else []
        self.obligations = list(other.obligations) if other else []
        self.trace = list(other.trace) if other else []

    # Memory: stores as they came; a load looks through them for each byte.
    def byte(self, address):
        value = T.initial(address)
        for at, size, stored in self.stores:
            off = T.sub(address, at)
            if off.op == "const":
                if off.args[0] < size:
                    value = T.extract(stored, 8 * off.args[0] + 7, 8 * off.args[0])
                continue
            for i in range(size):
                hit = T.condition("eq", off, T.const(i))
                value = T.ite(hit, T.extract(stored, 8 * i + 7, 8 * i), value)
        return value

    def load(self, address, size):
        return T.concat(*(self.byte(T.add(address, T.const(i))) for i in reversed(range(size))))

    def store(self, address, size, value):
        self.stores.append((address, size, value))

    # The rest of the processor.
    def env_byte(self, off):
        if off not in self.env:
            self.env[off] = T.var(f"env+{off:#x}", 8)
        return self.env[off]

    def require(self, condition, what):
        """What QEMU's operations leave undefined must not happen."""
        if not T.is_const(condition, 1):
            self.obligations.append((condition, what))


@dataclasses.dataclass
class Path:
    state: State
    target: T.Term  # of the jump that ended it, or where it was stopped
    kind: str  # "stop", "leave", "trap"


class Machine:
    """arch: the module of tests/arch/ARCH/proof.py."""

    def __init__(self, arch, blocks):
        self.arch = arch
        self.blocks = blocks
        self.steps_max = 5000

    # ---- operands

    def get(self, state, name, width):
        if name.startswith("$"):
            return T.const(int(name[1:], 16), width)
        if re.fullmatch(r"(tmp|loc)\d+", name):
            if name not in state.temps:
                raise Unknown(f"{name} is read before it is written")
            value = state.temps[name]
        else:
            value = self.register(state, name, width)
        if value.width != width:
            raise Unknown(f"{name} has {value.width} bits, not {width}")
        return value

    def register(self, state, name, width=64):
        if name not in state.globals:
            state.globals[name] = T.var(name, width)
        return state.globals[name]

    def put(self, state, name, value):
        (state.temps if re.fullmatch(r"(tmp|loc)\d+", name) else state.globals)[name] = value

    # ---- one operation that only computes; returns the results in their order

    def compute(self, state, name, width, args):
        def operand(i, bits=width):
            return self.get(state, args[i], bits)

        if name == "mov":
            return [operand(1)]
        if name in COMMON:
            return [T.binary(COMMON[name], operand(1), operand(2))]
        if name in INVERTED_SECOND:
            return [T.binary(INVERTED_SECOND[name], operand(1), T.invert(operand(2)))]
        if name in INVERTED_RESULT:
            return [T.invert(T.binary(INVERTED_RESULT[name], operand(1), operand(2)))]
        if name in SHIFTS:
            return [self.shift(SHIFTS[name], operand(1), operand(2))]
        if name in ("rotl", "rotr"):
            count = operand(2)
            other = T.binary("and", T.sub(T.const(0, width), count), T.const(width - 1, width))
            left, right = (count, other) if name == "rotl" else (other, count)
            return [T.binary("or", self.shift("shl", operand(1), left), self.shift("lshr", operand(1), right))]
        if name in DIVISIONS:
            return [self.divide(state, DIVISIONS[name], operand(1), operand(2))]
        if name in EXTENSIONS:
            bits, extend = EXTENSIONS[name]
            return [extend(T.extract(operand(1), bits - 1, 0), width)]
        if name == "neg":
            return [T.sub(T.const(0, width), operand(1))]
        if name == "not":
            return [T.invert(operand(1))]
        if name in ("setcond", "negsetcond"):
            holds = compare(args[3], operand(1), operand(2))
            return [(T.sext if name == "negsetcond" else T.zext)(holds, width)]
        if name == "movcond":
            return [T.ite(compare(args[5], operand(1), operand(2)), operand(3), operand(4))]
        if name == "ext_i32_i64":
            return [T.sext(operand(1, 32), 64)]
        if name == "extu_i32_i64":
            return [T.zext(operand(1, 32), 64)]
        if name == "extrl_i64_i32":
            return [T.extract(operand(1, 64), 31, 0)]
        if name == "extrh_i64_i32":
            return [T.extract(operand(1, 64), 63, 32)]
        return self.compute_fields(state, name, width, args, operand)

    def compute_fields(self, state, name, width, args, operand):
        def number(i):
            return int(args[i][1:], 16)

        if name in ("extract", "sextract"):
            low, count = number(2), number(3)
            return [(T.sext if name == "sextract" else T.zext)(T.extract(operand(1), low + count - 1, low), width)]
        if name == "extract2":
            return [T.extract(T.concat(operand(2), operand(1)), number(3) + width - 1, number(3))]
        if name == "deposit":
            low, count = number(3), number(4)
            whole, part = operand(1), T.extract(operand(2), count - 1, 0)
            above = [T.extract(whole, width - 1, low + count)] if low + count < width else []
            return [T.concat(*above, part, *([T.extract(whole, low - 1, 0)] if low else []))]
        match = re.fullmatch(r"bswap(16|32|64)", name)
        if match:
            bits = int(match.group(1))
            swapped = swap_bytes(T.extract(operand(1), bits - 1, 0))
            if bits == width:
                return [swapped]
            if "oz" in args[2:] or "os" in args[2:]:
                return [(T.zext if "oz" in args[2:] else T.sext)(swapped, width)]
            return [T.concat(self.fresh(width - bits), swapped)]
        if name in ("clz", "ctz"):
            return [zeroes(name, operand(1), operand(2))]
        return self.compute_pairs(state, name, width, operand)

    def compute_pairs(self, state, name, width, operand):
        if not width:
            raise Unknown(f"operation {name}")
        wide = 2 * width
        if name in ("mulu2", "muls2", "muluh", "mulsh"):
            extend = T.zext if "u" in name[3:] else T.sext
            first = 2 if name.endswith("2") else 1
            a, b = operand(first), operand(first + 1)
            product = T.binary("mul", extend(a, wide), extend(b, wide))
            high = T.extract(product, wide - 1, width)
            return [T.binary("mul", a, b), high] if first == 2 else [high]
        if name in ("div2", "divu2"):
            low, high, divisor = operand(2), operand(3), operand(4)
            kinds = ("sdiv", "srem") if name == "div2" else ("udiv", "urem")
            plain = T.binary("ashr", low, T.const(width - 1, width)) if name == "div2" else T.const(0, width)
            if high is not plain:
                raise Unknown(f"{name} of a number that is really wide")
            return [self.divide(state, kind, low, divisor) for kind in kinds]
        if name in ("add2", "sub2"):
            a, b = T.concat(operand(3), operand(2)), T.concat(operand(5), operand(4))
            total = T.binary(name[:3], a, b)
            return [T.extract(total, width - 1, 0), T.extract(total, wide - 1, width)]
        raise Unknown(f"operation {name}")

    def shift(self, kind, value, count):
        """By the width or more: any value."""
        fits = T.condition("ult", count, T.const(value.width, value.width))
        return T.ite(fits, T.binary(kind, value, count), value if T.is_const(fits, 1) else self.fresh(value.width))

    def divide(self, state, kind, a, b):
        width = a.width
        state.require(T.invert(T.condition("eq", b, T.const(0, width))), "division by 0")
        if kind[0] == "s":
            overflow = T.binary(
                "and",
                T.condition("eq", a, T.const(1 << (width - 1), width)),
                T.condition("eq", b, T.const(-1, width)),
            )
            state.require(T.invert(overflow), "division of the least number by -1")
        return T.binary(kind, a, b)

    fresh_count = 0

    def fresh(self, width):
        """A value of which nothing is known."""
        Machine.fresh_count += 1
        return T.var(f"any{Machine.fresh_count}", width)

    # ---- operations with memory

    def address(self, term):
        """Of an access, or where a jump goes. Addresses are a process's: what the processor takes off is taken off."""
        base, off = T.split(term)
        if base is not None and base.op == "and" and self.arch.ADDRESS_BITS < 64:
            for one, other in (base.args, base.args[::-1]):
                if T.sext(T.extract(other, self.arch.ADDRESS_BITS, 0), 64) is one:
                    return T.add(other, T.const(off))
        return term

    def load(self, state, address, size):
        return state.load(address, size)

    def memory(self, state, name, width, args, insn):
        """128 bits: two words, each in an operand of its own."""
        pair = width == 128
        match = MEMOP.fullmatch(args[3 if pair else 2])
        if not match or match.group("kind").startswith("be"):
            raise Unknown(f"access {args}")
        kind = match.group("kind")
        address, size = self.address(self.get(state, args[2 if pair else 1], 64)), SIZES[kind[-1]]
        state.accesses.append(Access(name == "qemu_st", address, size, "+al" in ",".join(args), insn))
        parts = [(args[0], address, size, width)]
        if pair:
            parts = [(args[0], address, 8, 64), (args[1], T.add(address, T.const(8)), 8, 64)]
        for operand, at, count, bits in parts:
            if name == "qemu_st":
                state.store(at, count, T.resize(self.get(state, operand, bits), 8 * count))
            else:
                extend = T.sext if "s" in kind[:-1] else T.zext
                self.put(state, operand, extend(self.load(state, at, count), bits))

    def processor(self, state, name, width, args):
        """Loads and stores of the processor's own state. Below it lies the emulator's: whether to stop, what to count."""
        match = re.fullmatch(r"(ld|st)(8|16|32)?([us])?", name)
        if not match or args[1] != "env":
            raise Unknown(f"{name} of {args[1]}")
        size = int(match.group(2) or width) // 8
        off = T.signed(int(args[2][1:], 16), 64)
        if off < 0:
            if name == "ld" and off == -16:
                self.put(state, args[0], T.const(0, width))
            elif name != "st8" or off != -12:
                raise Unknown(f"{name} at {off} of the emulator")
            return
        if off in self.arch.ALIASES:
            if size != 8:
                raise Unknown(f"{name} of {size} bytes at {off:#x}")
            alias = self.arch.ALIASES[off]
            if match.group(1) == "ld":
                self.put(state, args[0], self.register(state, alias))
            else:
                self.put(state, alias, self.get(state, args[0], 64))
            return
        if match.group(1) == "ld":
            value = T.concat(*(state.env_byte(off + i) for i in reversed(range(size))))
            extend = T.sext if match.group(3) == "s" else T.zext
            self.put(state, args[0], extend(value, width))
            return
        value = self.get(state, args[0], width)
        for i in range(size):
            state.env[off + i] = T.extract(value, 8 * i + 7, 8 * i)

    def vector(self, state, name, args):
        """Operands: bits, size of an element, then those of the operation. What is known: moves of zeroes, stores."""
        bits = int(args[0][1:])
        if name == "mov_vec" and args[3].endswith("$0x0"):
            self.put(state, args[2], T.const(0, bits))
        elif name == "st_vec" and args[3] == "env":
            off = int(args[4][1:], 16)
            for i in range(bits // 8):
                state.env[off + i] = T.extract(state.temps[args[2]], 8 * i + 7, 8 * i)
        else:
            raise Unknown(f"operation {name} {','.join(args)}")

    # ---- calls of QEMU's helpers

    def call(self, state, args):
        """returns: whether the path ends here: the helper raises an exception."""
        name, flags, count = args[0], int(args[1][1:], 16), int(args[2][1:], 16)
        if name == "lookup_tb_ptr":
            self.put(state, args[3], T.const(0))
            return False
        if flags & 8:
            return True
        helper = self.arch.HELPERS.get(name)
        if not helper:
            raise Unknown(f"helper {name}")
        results = helper(self, state, list(args[3 + count :]))
        for target, value in zip(args[3 : 3 + count], results):
            self.put(state, target, value)
        return False

    # ---- paths

    def run(self, entry, stops, state=None):
        """All paths from `entry` to one of the addresses `stops`, or out of what QEMU has translated."""
        done, waiting, steps = [], [(self.blocks[entry], 0, state or State())], 0
        while waiting:
            block, index, state = waiting.pop()
            while True:
                steps += 1
                if steps > self.steps_max:
                    raise Unknown("a loop without an end")
                name, width, args, insn = block.ops[index]
                index += 1
                if name == "insn_start":
                    if insn in stops and state.trace:
                        done.append(Path(state, T.const(insn), "stop"))
                        break
                    state.trace.append(insn)
                elif name == "br":
                    index = block.labels[args[0]]
                elif name == "brcond":
                    holds = compare(args[2], self.get(state, args[0], width), self.get(state, args[1], width))
                    if holds.op == "const":
                        index = block.labels[args[3]] if holds.args[0] else index
                        continue
                    other = State(state)
                    other.conditions.append(holds)
                    waiting.append((block, block.labels[args[3]], other))
                    state.conditions.append(T.invert(holds))
                elif name in ("exit_tb", "goto_ptr"):
                    target, state.temps = self.register(state, self.arch.PC), {}
                    pc = target.args[0] if target.op == "const" else None
                    if pc in self.blocks and pc not in stops:
                        block, index = self.blocks[pc], 0
                        continue
                    done.append(Path(state, target, "stop" if pc in stops else "leave"))
                    break
                elif name == "call":
                    if self.call(state, args):
                        done.append(Path(state, T.const(insn), "trap"))
                        break
                else:
                    self.plain(state, name, width, args, insn)
        return done

    def plain(self, state, name, width, args, insn):
        if name in ("set_label", "goto_tb", "mb"):
            return
        if name == "discard":
            self.put(state, args[0], self.fresh(self.arch.WIDTHS.get(args[0], 64)))
        elif name in ("qemu_ld", "qemu_st"):
            self.memory(state, name, width, args, insn)
        elif name.endswith("_vec"):
            self.vector(state, name, args)
        elif args and len(args) == 3 and args[1] == "env":
            self.processor(state, name, width, args)
        else:
            results = self.compute(state, name, width, args)
            for target, value in zip(args, results):
                self.put(state, target, value)
