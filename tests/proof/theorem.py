# SPDX-License-Identifier: BSD-2-Clause
"""Theorems: what the code of a BPF instruction does is what the RFC says, whatever registers and memory hold."""

import dataclasses
import time

import arguments
import bpf
import machine
import meaning
import term as T

LEMMAS = ("narrow", "one", "product", "remainder")
# Of these the solver is told no more than lemmas, before it is asked with their whole meaning.
HARD = ("mul", "udiv", "urem", "sdiv", "srem")


@dataclasses.dataclass
class Result:
    name: str
    verdict: str  # proved, refuted, unknown
    seconds: float
    detail: str = ""
    axioms: tuple = ()
    values: dict = None  # of a counter-example
    trace: list = None  # its instructions


def arms(term):
    """What a term may be: the ends of its choices, a few at most."""
    if term.op != "ite":
        return [term]
    return (arms(term.args[1]) + arms(term.args[2]))[:4]


def lemmas(terms):
    """Facts about the products and divisions among the terms, and about those that they may be: (name, fact)."""
    for term in terms:
        if term.op in HARD:
            may_be = [T.binary(term.op, a, b) for a in arms(term.args[0]) for b in arms(term.args[1])]
            for same in {term, *may_be}:
                if same.op == term.op:
                    yield from (product_lemmas if term.op == "mul" else division_lemmas)(same)


def unless(term, value, fact):
    return T.binary("or", T.condition("eq", term, T.const(value, term.width)), fact)


def when(term, value, fact):
    return T.binary("or", T.invert(T.condition("eq", term, T.const(value, term.width))), fact)


def product_lemmas(term):
    """product: a * 0 = 0, a * 1 = a, a * -1 = -a."""
    zero = T.const(0, term.width)
    for a, b in (term.args, term.args[::-1]):
        for factor, value in ((0, zero), (1, a), (-1, T.sub(zero, a))):
            yield "product", when(b, factor, T.condition("eq", term, value))


def division_lemmas(term):
    """
    one        a / 1 = a, a % 1 = 0, a s/ -1 = -a, a s% -1 = 0
    remainder  a % b = a - a / b * b, for b other than 0
    narrow     64-bit division of operands that are extended from 32 bits is 32-bit division, extended; b is not 0
    """
    a, b = term.args
    zero, divides = T.const(0, a.width), term.op.endswith("div")
    yield "one", when(b, 1, T.condition("eq", term, a if divides else zero))
    if term.op[0] == "s":
        yield "one", when(b, -1, T.condition("eq", term, T.sub(zero, a) if divides else zero))
    if not divides:
        quotient = T.binary(term.op[0] + "div", a, b)
        whole = T.sub(a, T.binary("mul", quotient, b))
        yield "remainder", unless(b, 0, T.condition("eq", term, whole))
    extend = T.zext if term.op[0] == "u" else T.sext
    narrow = [narrowed(one, extend) for one in (a, b)]
    if term.width == 64 and all(narrow):
        small = T.binary(term.op, *narrow)
        same = T.condition("eq", T.extract(term, 31, 0), small)
        if term.op[0] == "u":
            same = T.condition("eq", term, T.zext(small, 64))
        yield "narrow", unless(b, 0, same)


def narrowed(term, extend):
    """The 32-bit term that `term` is extended from; None."""
    low = T.extract(term, 31, 0)
    return low if extend(low, 64) is term else None


class Prover:
    """limit: of one question to the solver, in its own units, so that a busy machine gives the same answers."""

    def __init__(self, limit):
        import z3

        self.z3 = z3
        self.limit = limit
        self.axioms = set()
        self.proved = {}  # lemmas that were used, by the form of the question

    def counterexample(self, assumptions, claim):
        """None when the claim follows; else a model, or "unknown". Adds what it leaned on to self.axioms."""
        if not T.is_const(claim, 1):
            claim = meaning.substitute(claim, meaning.known_from(assumptions))
        if T.is_const(claim, 1):
            return None
        terms = [*assumptions, T.invert(claim)]
        if any(T.is_const(one, 0) for one in terms):
            return None
        form = meaning.form(terms)
        if form not in self.proved:
            used = set()
            model = self._counterexample(terms, used)
            if model is not None:
                return model
            self.proved[form] = used
        self.axioms |= self.proved[form]
        return None

    def _counterexample(self, terms, used):
        if any(term.op in HARD for term in meaning.in_order(terms)):
            # What is asked first is quickest: that both sides divide the same numbers is often enough.
            facts = list(lemmas(meaning.in_order(terms)))
            facts += list(lemmas(meaning.in_order([fact for _, fact in facts])))
            for names in ((), ("narrow",), ("one", "product"), ("narrow", "one", "product"), LEMMAS):
                chosen = [(name, fact) for name, fact in facts if name in names]
                limit = self.limit if names == LEMMAS else self.limit // 20
                if self._ask(terms + [fact for _, fact in chosen], HARD, limit) is None:
                    used |= {f"lemma {name}" for name, _ in chosen}
                    return None
        return self._ask(terms, (), self.limit)

    def _ask(self, terms, uninterpreted, limit):
        translation = meaning.Solver(self.z3, uninterpreted)
        solver = self.z3.Solver()
        solver.set("rlimit", limit)
        for term in terms:
            solver.add(translation.translate(term) == 1)
        answer = solver.check()
        if answer == self.z3.unsat:
            return None
        return solver.model() if answer == self.z3.sat else "unknown"

    # ---- one instruction

    def prove(self, target, subject):
        start, self.axioms = time.monotonic(), set()
        try:
            for path, assumptions, claim, what in claims_of(target, subject):
                model = self.counterexample(assumptions, claim)
                if model is not None:
                    return self._failed(target, subject, path, what, model, start)
        except machine.Unknown as error:
            return Result(subject.name, "unknown", time.monotonic() - start, str(error))
        return Result(subject.name, "proved", time.monotonic() - start, axioms=tuple(sorted(self.axioms)))

    def _failed(self, target, subject, path, what, model, start):
        seconds = time.monotonic() - start
        if model == "unknown":
            return Result(subject.name, "unknown", seconds, f"{what}: no answer within {self.limit:,} of the solver's steps")
        names = register_names(target)
        values = {
            names.get(str(one), str(one)): hex(model[one].as_long()) for one in model.decls() if one.arity() == 0
        }
        return Result(subject.name, "refuted", seconds, what, values=values, trace=list(path.state.trace))


USER_BASE = 0x123456789ABC0000  # code.c's: of the arena, as user space sees it


def spec_of(target, subject):
    """What the RFC says of the instruction."""
    insn, regs, cpu_base, read = subject.insn, registers(target, subject), None, []
    if insn.opcode == bpf.ALU64 | bpf.MOV | bpf.X and insn.off == bpf.PER_CPU:
        cpu_base, read = target.facts.cpu_base(target.conv["convention"])
    if bpf.ARGUMENTS in (insn.dst, insn.src):
        insn, place = arguments.instead(target, subject)
        regs.append(place)
    spec = bpf.step(insn, regs, arena(target), subject.wide, USER_BASE, cpu_base)
    spec.reads += read
    return spec


def register_names(target):
    """How a counter-example calls QEMU's registers: "a0 (R1)"."""
    bpf_of = {name: f" (R{number})" for number, name in enumerate(target.conv["bpf"][:11])}
    return {target.qemu_name(name): name + bpf_of.get(name, "") for name, reg in target.regs.items() if reg["is_int"]}


def registers(target, subject):
    """BPF registers at the start, as terms over the machine's."""
    regs = [T.var(target.qemu_name(name)) for name in target.conv["bpf"][: bpf.FP]]
    name, off = r10(target, subject)
    return [*regs, T.add(T.var(name), T.const(off))]


def r10(target, subject):
    """QEMU's name of the register that R10 is reckoned from, and how far R10 is from it."""
    name = subject.answer["r10"]
    return target.qemu_name(name), subject.answer["r10_from_fp"] if name == target.conv["fp"] else 0


def of_frame(target, subject):
    """What holds in the body of a function, as theorems about frames show: SP, FP and R10 are as far apart as it says."""
    sp, fp = (T.var(target.qemu_name(target.conv[name])) for name in ("sp", "fp"))
    yield T.condition("eq", fp, T.add(sp, T.const(subject.frame_bytes + target.conv["fp_off"])))
    if not subject.answer["is_private"]:
        where = T.add(fp, T.const(subject.answer["r10_from_fp"]))
        yield T.condition("eq", registers(target, subject)[bpf.FP], where)


def arena(target):
    name = target.conv["arena"]
    return T.var(target.qemu_name(name)) if name else T.const(0)


def within(address, size, ranges):
    """Whether [address, size) lies in one of the ranges."""
    inside = T.const(0, 1)
    for start, length in ranges:
        if size > length:
            continue
        off = T.sub(address, start)
        fits = T.condition("ult", off, T.const(length - size + 1))
        inside = T.binary("or", inside, fits)
    return inside


def claims_of(target, subject):
    """Yields (path, assumptions, claim, what it says)."""
    import calls
    import transfers

    if subject.is_transfer:
        yield from (calls if subject.is_call else transfers).claims(target, subject)
        return
    spec = spec_of(target, subject)
    for path in subject.paths:
        for claim in claims(target, subject, path, spec):
            yield path, *claim


def claims(target, subject, path, spec):
    """Yields (assumptions, claim, what it says) of one path."""
    state = path.state
    taken = spec.taken if spec.taken is not None else T.const(0, 1)
    given = assumed(target, spec) + state.conditions
    if not {bpf.FP, bpf.ARGUMENTS}.isdisjoint((subject.insn.dst, subject.insn.src)):
        given += of_frame(target, subject)
    for condition, what in state.obligations:
        yield given, condition, f"never happens: {what}"
    if path.target.op != "const":
        yield given, T.const(0, 1), "goes to a place that is known"
        return
    goes = path.target.args[0]
    here = T.const(0, 1)
    if goes == subject.end:
        here = T.binary("or", here, T.invert(taken))
    if goes == subject.taken:
        here = T.binary("or", here, taken)
    yield given, here, "goes on where the RFC says"
    places = [(target.qemu_name(name), 0) for name in target.conv["bpf"][: bpf.FP]] + [r10(target, subject)]
    places += arguments.in_registers(target, subject)
    for number, ((name, off), want) in enumerate(zip(places, spec.regs)):
        got = T.add(state.globals.get(name, T.var(name)), T.const(off))
        if subject.dead_upper and number == subject.insn.dst:
            got, want = T.extract(got, 31, 0), T.extract(want, 31, 0)
        yield given, T.condition("eq", got, want), f"R{number} is what the RFC says"
    yield from kept(target, given, state)
    yield from memory_claims(target, given, state, spec)


def assumed(target, spec):
    """Of addresses: they are a process's; an atomic access is aligned."""
    given = []
    for address, size in spec.reads + spec.writes:
        if target.facts.ADDRESS_BITS < 64:
            # What is longer than an access does not end above, either.
            top = T.extract(address, 63, target.facts.ADDRESS_BITS - int(size > 8))
            given.append(T.condition("eq", top, T.const(0, top.width)))
        if spec.aligned and size > 1:
            low = T.extract(address, size.bit_length() - 2, 0)
            given.append(T.condition("eq", low, T.const(0, low.width)))
    return given


def kept(target, given, state):
    """SP, FP, the arena's base, callee-saved registers; and what has no name."""
    conv = target.conv
    names = {conv["sp"], conv["fp"], conv["arena"]}
    names |= {name for name, reg in target.regs.items() if reg["is_int"] and reg["is_kept"]}
    for name in sorted(names - set(conv["bpf"][:11]) - {None}):
        qemu = target.qemu_name(name)
        if qemu in state.globals:
            yield given, T.condition("eq", state.globals[qemu], T.var(qemu)), f"{name} is kept"
    for off in sorted(set(state.env) - set(target.facts.SCRATCH)):
        yield given, T.condition("eq", state.env[off], T.var(f"env+{off:#x}", 8)), f"the processor's byte {off:#x} is kept"


def memory_claims(target, given, state, spec):
    sp = T.var(target.qemu_name(target.conv["sp"]))

    def depth_of(address):
        """How far below SP; 0: elsewhere."""
        base, off = T.split(address)
        return max(0, -T.signed(off, 64)) if base is sp else 0

    depth = max((depth_of(access.address) for access in state.accesses), default=0)
    pushed = [(T.sub(sp, T.const(depth)), depth)] if depth else []
    for address, size in spec.reads + spec.writes if depth else ():
        # What is pushed lies below SP, where BPF's memory is not.
        length = depth + size - 1
        apart = T.condition("ult", T.sub(address, T.sub(sp, T.const(length))), T.const(length))
        given = [*given, T.invert(apart)]
    for access in state.accesses:
        ranges = spec.writes if access.is_store else spec.reads + spec.writes
        what = "writes" if access.is_store else "reads"
        yield given, within(access.address, access.bytes, [*ranges, *pushed]), f"{what} no memory but the RFC's"
    stores = [store for store in state.stores if not depth_of(store[0])]
    if [size for _, size, _ in stores] == [size for _, size, _ in spec.memory.stores]:
        for (address, _, value), (place, _, wanted) in zip(stores, spec.memory.stores):
            yield given, T.condition("eq", address, place), "writes where the RFC says"
            yield given, T.condition("eq", value, wanted), "writes what the RFC says"
        return
    place = T.var("place")
    given = [*given, *(T.invert(within(place, 1, [one])) for one in pushed)]
    same = T.condition("eq", state.byte(place), spec.memory.byte(place))
    yield given, same, "memory is what the RFC says"
