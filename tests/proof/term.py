# SPDX-License-Identifier: BSD-2-Clause
"""Bit-vector terms: made by both sides of a theorem, evaluated over integers, and translated to a solver's.

A term is a node of a graph in which equal terms are one object. A condition is a term of one bit. OPS has one row for
each operation: its meaning over integers, as an expression of Python, and over a solver's terms.
"""


class Term:
    __slots__ = ("op", "args", "width", "number")

    def __repr__(self):
        if self.op == "const":
            return hex(self.args[0])
        return self.args[0] if self.op == "var" else f"{self.op}({', '.join(map(str, self.args))})"


_made = {}


def _make(op, width, *args):
    key = (op, width, args)
    term = _made.get(key)
    if term is None:
        term = Term()
        term.op, term.args, term.width, term.number = op, args, width, len(_made)
        _made[key] = term
    return term


def forget():
    """Frees all terms. What was made before is equal to nothing that is made afterwards."""
    _made.clear()


def mask(width):
    return (1 << width) - 1


def signed(value, width):
    return value - (1 << width) if value >> (width - 1) else value


def const(value, width=64):
    return _make("const", width, value & mask(width))


def var(name, width=64):
    return _make("var", width, name)


def initial(address):
    """The byte that memory holds at the address before the first instruction."""
    return _make("initial", 8, address)


# Operation: (over integers: {0}, {1} operands, {m} mask of the width, {w} width; over a solver: z3 and operands).
# Divisions: the divisor is not 0, as an obligation says, and the quotient of MIN by -1 wraps.
OPS = {
    "add": ("({0} + {1}) & {m}", lambda z, a, b: a + b),
    "sub": ("({0} - {1}) & {m}", lambda z, a, b: a - b),
    "mul": ("({0} * {1}) & {m}", lambda z, a, b: a * b),
    "and": ("{0} & {1}", lambda z, a, b: a & b),
    "or": ("{0} | {1}", lambda z, a, b: a | b),
    "xor": ("{0} ^ {1}", lambda z, a, b: a ^ b),
    "shl": ("({0} << {1}) & {m} if {1} < {w} else 0", lambda z, a, b: a << b),
    "lshr": ("{0} >> {1} if {1} < {w} else 0", lambda z, a, b: z.LShR(a, b)),
    "ashr": ("(signed({0}, {w}) >> min({1}, {w})) & {m}", lambda z, a, b: a >> b),
    "udiv": ("udiv({0}, {1}, {w})", lambda z, a, b: z.UDiv(a, b)),
    "urem": ("urem({0}, {1}, {w})", lambda z, a, b: z.URem(a, b)),
    "sdiv": ("sdiv({0}, {1}, {w})", lambda z, a, b: a / b),
    "srem": ("srem({0}, {1}, {w})", lambda z, a, b: z.SRem(a, b)),
    "not": ("{0} ^ {m}", lambda z, a: ~a),
}
CONDITIONS = {
    "eq": ("int({0} == {1})", lambda z, a, b: a == b),
    "ult": ("int({0} < {1})", lambda z, a, b: z.ULT(a, b)),
    "slt": ("int(signed({0}, {v}) < signed({1}, {v}))", lambda z, a, b: a < b),
}
COMMUTES = {"add", "mul", "and", "or", "xor", "eq"}


# What a solver makes of a divisor of 0 (SMT-LIB, FixedSizeBitVectors), so that both agree on every operand.
def udiv(a, b, width):
    return a // b if b else mask(width)


def urem(a, b, width):
    return a % b if b else a


def sdiv(a, b, width):
    x, y = signed(a, width), signed(b, width)
    if not y:
        return 1 if x < 0 else mask(width)
    return (abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)) & mask(width)


def srem(a, b, width):
    x, y = signed(a, width), signed(b, width)
    if not y:
        return a
    return (abs(x) % abs(y) * (-1 if x < 0 else 1)) & mask(width)


_FOLD = {
    name: eval("lambda w, v, *a: " + row[0].format("a[0]", "a[1]", m="mask(w)", w="w", v="v"))
    for name, row in {**OPS, **CONDITIONS}.items()
}


def is_const(term, value=None):
    return term.op == "const" and (value is None or term.args[0] == value & mask(term.width))


def split(term):
    """A sum as (what is not constant, or None; the constant)."""
    if term.op == "const":
        return None, term.args[0]
    if term.op == "add" and term.args[1].op == "const":
        return term.args[0], term.args[1].args[0]
    return term, 0


def binary(op, a, b):
    assert a.width == b.width, (op, a.width, b.width)
    width = a.width
    if op in ("and", "or", "xor") and a.op == b.op == "zext" and a.args[0].width == b.args[0].width:
        return zext(binary(op, a.args[0], b.args[0]), width)
    if a.op == "const" and b.op == "const":
        return const(_FOLD[op](width, width, a.args[0], b.args[0]), width)
    if op in COMMUTES and (a.op == "const" or (b.op != "const" and a.number > b.number)):
        a, b = b, a
    simple = _SIMPLE.get(op)
    found = simple(a, b, width) if simple else None
    return found if found is not None else _make(op, width, a, b)


def _add(a, b, width):
    base, first = split(a)
    other, second = split(b)
    if other is None:
        total = first + second
        if total & mask(width) == 0:
            return base
        return _make("add", width, base, const(total, width))
    if first or second:
        return add(add(base, other), const(first + second, width))
    if other.op == "sub" and other.args[1] is base:
        return other.args[0]
    if base.op == "sub" and base.args[1] is other:
        return base.args[0]
    return None


def _sub(a, b, width):
    if a is b:
        return const(0, width)
    base, first = split(a)
    other, second = split(b)
    if other is None:
        return add(a, const(-second, width))
    if base is other:
        return const(first - second, width)
    if other.op == "and" and other.args[1].op == "const":
        # x - (x & ~15) = x & 15
        whole, low = other.args[0], invert(other.args[1]).args[0]
        if low & (low + 1) == 0 and split(whole)[0] is base:
            return add(binary("and", whole, const(low, width)), const(first - second - split(whole)[1], width))
    if first or second:
        return add(sub(base if base else const(0, width), other), const(first - second, width))
    return None


def _and(a, b, width):
    if a is b:
        return a
    if b.op == "const":
        value = b.args[0]
        if value in (0, mask(width)):
            return b if value == 0 else a
        if value & (value + 1) == 0:
            return zext(extract(a, value.bit_length() - 1, 0), width)
        if a.op == "and" and a.args[1].op == "const":
            return binary("and", a.args[0], const(value & a.args[1].args[0], width))
        if a.op == "zext" and value & mask(a.args[0].width) == mask(a.args[0].width):
            return a
    return None


def _or(a, b, width):
    if a is b or is_const(b, 0):
        return a
    return b if is_const(b, -1) else None


def _xor(a, b, width):
    if a is b:
        return const(0, width)
    return a if is_const(b, 0) else None


def _mul(a, b, width):
    if is_const(b, 0):
        return b
    return a if is_const(b, 1) else None


def _shift(op):
    def simplify(a, b, width):
        if is_const(b, 0) or is_const(a, 0):
            return a
        if b.op == "const" and b.args[0] < width:
            count = b.args[0]
            if op == "shl":
                return concat(extract(a, width - count - 1, 0), const(0, count))
            part = extract(a, width - 1, count)
            return zext(part, width) if op == "lshr" else sext(part, width)
        return None

    return simplify


_SIMPLE = {
    "add": _add,
    "sub": _sub,
    "and": _and,
    "or": _or,
    "xor": _xor,
    "mul": _mul,
    "shl": _shift("shl"),
    "lshr": _shift("lshr"),
    "ashr": _shift("ashr"),
}


def add(a, b):
    return binary("add", a, b)


def sub(a, b):
    return binary("sub", a, b)


def invert(a):
    if a.op == "const":
        return const(~a.args[0], a.width)
    if a.op == "not":
        return a.args[0]
    return _make("not", a.width, a)


def most(term):
    """An upper bound of the value."""
    if term.op == "const":
        return term.args[0]
    if term.op == "zext":
        return most(term.args[0])
    if term.op == "and":
        return min(most(term.args[0]), most(term.args[1]))
    if term.op == "ite":
        return max(most(term.args[1]), most(term.args[2]))
    return mask(term.width)


def condition(op, a, b):
    """eq, ult or slt, of one bit."""
    assert a.width == b.width, (op, a.width, b.width)
    width = a.width
    if a.op == "const" and b.op == "const":
        return const(_FOLD[op](1, width, a.args[0], b.args[0]), 1)
    if a is b:
        return const(op == "eq", 1)
    if op == "ult" and b.op == "const":
        if b.args[0] == 0 or most(a) < b.args[0]:
            return const(b.args[0] != 0, 1)
    if op == "eq" and (a.op == "const" or (b.op != "const" and a.number > b.number)):
        a, b = b, a
    if op == "eq" and b.op == "const":
        if width == 1:
            return a if b.args[0] else invert(a)
        if a.op == "zext":
            inner = a.args[0]
            if b.args[0] > mask(inner.width):
                return const(0, 1)
            return condition("eq", inner, const(b.args[0], inner.width))
        if a.op == "sext":
            inner = a.args[0]
            low = const(b.args[0], inner.width)
            return condition("eq", inner, low) if sext(low, width) is b else const(0, 1)
        if a.op == "ite" and any(arm.op == "const" for arm in a.args[1:]):
            cond, first, second = a.args[0], condition("eq", a.args[1], b), condition("eq", a.args[2], b)
            return binary("or", binary("and", cond, first), binary("and", invert(cond), second))
    if op == "eq" and b.op == "const" and a.op == "add" and a.args[1].op == "const":
        if (b.args[0] - a.args[1].args[0]) & mask(width) > most(a.args[0]):
            return const(0, 1)
    if op == "eq" and split(a)[0] is split(b)[0]:
        return const(split(a)[1] == split(b)[1], 1)
    return _make(op, 1, a, b)


def ite(cond, a, b):
    assert a.width == b.width and cond.width == 1
    if cond.op == "const":
        return a if cond.args[0] else b
    if a is b:
        return a
    if cond.op == "not":
        return ite(cond.args[0], b, a)
    if a.width == 1 and a.op == "const" and b.op == "const":
        return cond if a.args[0] else invert(cond)
    for op, extend in (("zext", zext), ("sext", sext)):
        inner = min((arm.args[0].width for arm in (a, b) if arm.op == op), default=0)
        if inner:
            arms = [extract(arm, inner - 1, 0) for arm in (a, b)]
            if extend(arms[0], a.width) is a and extend(arms[1], b.width) is b:
                return extend(ite(cond, *arms), a.width)
    return _make("ite", a.width, cond, a, b)


def extract(a, high, low):
    width = high - low + 1
    if width == a.width:
        return a
    if a.op == "const":
        return const(a.args[0] >> low, width)
    if a.op == "extract":
        return extract(a.args[0], a.args[2] + high, a.args[2] + low)
    if a.op == "concat":
        parts = []
        at = a.width
        for part in a.args:
            at -= part.width
            if at <= high and at + part.width > low:
                parts.append(extract(part, min(high - at, part.width - 1), max(low - at, 0)))
        return concat(*parts)
    if a.op in ("zext", "sext"):
        inner = a.args[0]
        if high < inner.width:
            return extract(inner, high, low)
        if a.op == "zext" and low >= inner.width:
            return const(0, width)
        if a.op == "zext":
            return zext(extract(inner, inner.width - 1, low), width)
        if low < inner.width:
            return sext(extract(inner, inner.width - 1, low), width)
    if low == 0 and a.op in ("add", "sub", "mul"):
        return binary(a.op, *(extract(arg, high, 0) for arg in a.args))
    if a.op in ("and", "or", "xor"):
        return binary(a.op, *(extract(arg, high, low) for arg in a.args))
    if a.op == "not":
        return invert(extract(a.args[0], high, low))
    if a.op == "ite":
        return ite(a.args[0], extract(a.args[1], high, low), extract(a.args[2], high, low))
    return _make("extract", width, a, high, low)


def concat(*parts):
    """The first part is the highest."""
    flat = []
    for part in parts:
        for piece in part.args if part.op == "concat" else (part,):
            if flat and flat[-1].op == "const" and piece.op == "const":
                last = flat.pop()
                piece = const(last.args[0] << piece.width | piece.args[0], last.width + piece.width)
            elif flat and flat[-1].op == "extract" and piece.op == "extract" and flat[-1].args[0] is piece.args[0]:
                if flat[-1].args[2] == piece.args[1] + 1:
                    last = flat.pop()
                    piece = extract(piece.args[0], last.args[1], piece.args[2])
            flat.append(piece)
    if len(flat) == 1:
        return flat[0]
    if is_const(flat[0], 0):
        return zext(concat(*flat[1:]), sum(part.width for part in flat))
    return _make("concat", sum(part.width for part in flat), *flat)


def zext(a, width):
    if a.width == width:
        return a
    if a.op == "const":
        return const(a.args[0], width)
    if a.op == "zext":
        return zext(a.args[0], width)
    return _make("zext", width, a)


def sext(a, width):
    if a.width == width:
        return a
    if a.op == "const":
        return const(signed(a.args[0], a.width), width)
    if a.op in ("sext", "zext"):
        return (sext if a.op == "sext" else zext)(a.args[0], width)
    return _make("sext", width, a)


def resize(a, width):
    """Cut, or extended by zeroes."""
    return extract(a, width - 1, 0) if width <= a.width else zext(a, width)
