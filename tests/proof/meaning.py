# SPDX-License-Identifier: BSD-2-Clause
"""What is done with terms: replaced by what is known, evaluated over integers, translated to Z3's."""

import hashlib

from term import (
    CONDITIONS, OPS, Term, binary, concat, condition, const, extract, initial, invert, ite, mask, sdiv, sext, signed, srem,
    udiv, urem, zext,
)  # fmt: skip


def in_order(terms):
    """Every term below `terms`, operands first."""
    seen, order, stack = set(), [], [(term, False) for term in terms]
    while stack:
        term, ready = stack.pop()
        if ready:
            order.append(term)
        elif term not in seen:
            seen.add(term)
            stack.append((term, True))
            stack += [(arg, False) for arg in term.args if isinstance(arg, Term)]
    return order


def form(terms):
    """
    A hash of the terms with variables numbered in the order in which they come: terms of one form hold for the same
    values, whatever registers their variables are called after.
    """
    number, names, lines = {}, {}, []
    for one in in_order(terms):
        number[one] = len(number)
        if one.op == "var":
            args = [names.setdefault(one.args[0], len(names))]
        else:
            args = [("term", number[arg]) if isinstance(arg, Term) else arg for arg in one.args]
        lines.append((one.op, one.width, *args))
    roots = [number[term] for term in terms]
    return hashlib.blake2b(repr((lines, roots)).encode(), digest_size=16).digest()


def known_from(conditions):
    """{term: constant} that follows from conditions that hold."""
    known, waiting = {}, list(conditions)
    while waiting:
        one = waiting.pop()
        if one.op == "and":
            waiting += one.args
        elif one.op == "not":
            known[one.args[0]] = const(0, 1)
        elif one.op != "const":
            known[one] = const(1, 1)
            if one.op == "eq" and one.args[1].op == "const" and one.args[0].op == "var":
                known[one.args[0]] = one.args[1]
    return known


_BUILD = {
    "initial": initial, "ite": ite, "concat": concat, "not": invert,
    **{op: (lambda op: lambda *args: binary(op, *args))(op) for op in OPS if op != "not"},
    **{op: (lambda op: lambda *args: condition(op, *args))(op) for op in CONDITIONS},
}  # fmt: skip


def substitute(term, known):
    """The term with constants for what is known."""
    new = {}
    for one in in_order([term]):
        if one in known:
            new[one] = known[one]
        elif one.op in ("const", "var"):
            new[one] = one
        else:
            args = [new[arg] if isinstance(arg, Term) else arg for arg in one.args]
            if one.op == "extract":
                new[one] = extract(*args)
            elif one.op in ("zext", "sext"):
                new[one] = (zext if one.op == "zext" else sext)(args[0], one.width)
            else:
                new[one] = _BUILD[one.op](*args)
    return new[term]


def compiled(terms):
    """A function of (values by a variable's name, byte of memory by address) that gives the terms' values."""
    lines, name = [], {}
    for term in in_order(terms):
        args = [name.get(arg, arg) for arg in term.args]
        if term.op == "const":
            name[term] = hex(term.args[0])
            continue
        if term.op == "var":
            value = f"values[{term.args[0]!r}]"
        elif term.op == "initial":
            value = f"memory({args[0]})"
        elif term.op == "ite":
            value = f"{args[1]} if {args[0]} else {args[2]}"
        elif term.op == "extract":
            value = f"({args[0]} >> {args[2]}) & {mask(term.width):#x}"
        elif term.op == "concat":
            value, at = [], term.width
            for arg, part in zip(term.args, args):
                at -= arg.width
                value.append(f"{part} << {at}")
            value = " | ".join(value)
        elif term.op == "zext":
            value = str(args[0])
        elif term.op == "sext":
            value = f"signed({args[0]}, {term.args[0].width}) & {mask(term.width):#x}"
        else:
            row = OPS.get(term.op) or CONDITIONS[term.op]
            inner = term.args[0].width
            value = row[0].format(*args, m=hex(mask(term.width)), w=term.width, v=inner)
        name[term] = f"t{term.number}"
        lines.append(f"    {name[term]} = {value}")
    body = "\n".join(lines)
    scope = {"signed": signed, "udiv": udiv, "urem": urem, "sdiv": sdiv, "srem": srem}
    results = "".join(str(name[term]) + ", " for term in terms)
    exec(f"def f(values, memory):\n{body}\n    return ({results})", scope)
    return scope["f"]


class Solver:
    """Terms as Z3's. `uninterpreted`: operations of which nothing is known but that equal operands give equal results."""

    def __init__(self, z3, uninterpreted=()):
        self.z3 = z3
        self.uninterpreted = set(uninterpreted)
        self.memory = z3.Function("memory", z3.BitVecSort(64), z3.BitVecSort(8))
        self.known = {}
        self.functions = {}

    def _unknown(self, op, width, args):
        key = (op, width)
        if key not in self.functions:
            sort = self.z3.BitVecSort(width)
            self.functions[key] = self.z3.Function(f"{op}{width}", *[sort] * len(args), sort)
        return self.functions[key](*args)

    def _one(self, term):
        z3, args = self.z3, [self.known.get(arg, arg) if isinstance(arg, Term) else arg for arg in term.args]
        if term.op == "const":
            return z3.BitVecVal(term.args[0], term.width)
        if term.op == "var":
            return z3.BitVec(term.args[0], term.width)
        if term.op == "initial":
            return self.memory(args[0])
        if term.op == "ite":
            return z3.If(args[0] == 1, args[1], args[2])
        if term.op == "extract":
            return z3.Extract(term.args[1], term.args[2], args[0])
        if term.op == "concat":
            return z3.Concat(*args)
        if term.op in ("zext", "sext"):
            extend = z3.ZeroExt if term.op == "zext" else z3.SignExt
            return extend(term.width - term.args[0].width, args[0])
        if term.op in CONDITIONS:
            return z3.If(CONDITIONS[term.op][1](z3, *args), z3.BitVecVal(1, 1), z3.BitVecVal(0, 1))
        if term.op in self.uninterpreted:
            return self._unknown(term.op, term.width, args)
        return OPS[term.op][1](z3, *args)

    def translate(self, term):
        for one in in_order([term]):
            if one not in self.known:
                self.known[one] = self._one(one)
        return self.known[term]
