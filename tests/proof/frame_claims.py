# SPDX-License-Identifier: BSD-2-Clause
"""What is claimed of one frame: a claim is a term of one bit that has to be 1 on every path.

CFA, return address and registers of the caller are variables.
"""

import machine
import term as T
from frame_paths import Code, Elsewhere, Machine, Refuted, load

BELOW = 4096  # bytes below SP that calls of a body overwrite


class Frames:
    """One convention. facts: of frame_code.c; conv: of code.c."""

    def __init__(self, target, facts, prover):
        self.target, self.facts, self.conv, self.arch = target, facts, target.conv, target.facts
        self.code = Code(target)
        self.machine = Machine(self.arch, {})
        self.prover = prover
        align, bits = target.insn_align, self.arch.ADDRESS_BITS
        self.pc_bits = (align.bit_length() - 1, min(bits, 63))
        self.ra = self.code_address("return address")
        self.kept = [name for name, reg in target.regs.items() if reg["is_kept"] and name not in (self.conv["sp"],)]
        self.cfa = T.var("CFA")
        self.claims = 0

    def code_address(self, name):
        low, high = self.pc_bits
        term = T.var(f"{name} >> {low}", high + 1 - low if high == 63 else high - low)
        return T.zext(T.concat(term, T.const(0, low)) if low else term, 64)

    # ---- registers: of any class

    def get(self, state, name):
        if name == self.conv["ra"] and self.conv["ra_pushed"]:
            raise machine.Unknown(f"{name} in a register")
        reg = self.target.regs[name]
        place = self.target.qemu_name(name) if reg["is_int"] else self.arch.float_register(name, reg["hw"])
        if isinstance(place, str):
            return self.machine.register(state, place)
        return T.concat(*(state.env_byte(place + i) for i in reversed(range(reg["bytes"]))))

    def put(self, state, name, value):
        reg = self.target.regs[name]
        place = self.target.qemu_name(name) if reg["is_int"] else self.arch.float_register(name, reg["hw"])
        if isinstance(place, str):
            state.globals[place] = value
            return
        for i in range(reg["bytes"]):
            state.env[place + i] = T.extract(value, 8 * i + 7, 8 * i)

    def caller(self, name):
        """What the caller has in the register."""
        if name == self.conv["ra"]:
            return self.ra
        return self.get(machine.State(), name)

    def any(self, state, name, whose):
        bits = 64 if self.target.regs[name]["is_int"] else 8 * self.target.regs[name]["bytes"]
        self.put(state, name, T.var(f"{whose} {name}", bits))

    def integers(self):
        for name, reg in self.target.regs.items():
            if reg["is_int"] and not reg["is_zero"]:
                yield name

    # ---- claims

    def claim(self, state, claim, what, trace):
        self.claims += 1
        if T.is_const(claim, 1):
            return
        low = T.extract(self.cfa, self.facts["stack_align"].bit_length() - 2, 0)
        given = [T.condition("eq", low, T.const(0, low.width)), *state.conditions]
        if self.arch.ADDRESS_BITS < 64:
            top = T.extract(self.cfa, 63, self.arch.ADDRESS_BITS - 1)
            given.append(T.condition("eq", top, T.const(0, top.width)))
        model = self.prover.counterexample(given, claim)
        if model is None:
            return
        if model == "unknown":
            raise Refuted(what, {}, trace, "unknown")
        values = {str(one): hex(model[one].as_long()) for one in model.decls() if one.arity() == 0}
        raise Refuted(what, values, trace)

    def same(self, state, got, want, what, trace):
        self.claim(state, T.condition("eq", got, want), what, trace)

    def unsigned(self, value, signed):
        return self.arch.SIGNED.get(value, (value,))[0] if signed and hasattr(self.arch, "SIGNED") else value

    def row(self, frame, part, off, state, trace):
        """R10: the row in force before the instruction at `off`."""
        row = [row for row in frame[part]["rows"] if row["off"] <= off][-1]
        if row["unknown"]:
            return
        where = f"{part}+{off:#x}"
        cfa = T.add(self.get(state, row["reg"]), T.const(row["cfa_off"]))
        self.same(state, cfa, self.cfa, f"R10: the CFA of the row at {where}", trace)
        saved = set()
        for slot in (frame["slots"][number] for number in row["saved"]):
            saved.add(slot["reg"])
            value = load(state, T.add(self.cfa, T.const(slot["off"])), slot["bytes"])
            value = self.unsigned(value, row["signed"] and slot["kind"] == "return")
            self.same(state, T.resize(value, self.caller(slot["reg"]).width), self.caller(slot["reg"]),
                      f"R10: the row at {where} says that {slot['reg']} is at CFA{slot['off']:+}", trace)  # fmt: skip
        keeps = [self.conv["fp"]] if row["lost"] and row["fp_kept"] else [] if row["lost"] else self.kept
        for name in keeps:
            if name not in saved:
                self.same(state, self.get(state, name), self.caller(name), f"R10: the row at {where} says that {name} is kept", trace)
        if self.conv["ra"] not in saved and not self.conv["ra_pushed"]:
            value = self.unsigned(self.get(state, self.conv["ra"]), row["signed"])
            self.same(state, value, self.ra, f"R10: the row at {where} says that the return address is in its register", trace)

    def bounds(self, state, before, trace):
        """R8, and no store but into the frame."""
        sp = self.get(state, self.conv["sp"])
        for access in state.accesses:
            base, off = T.split(T.sub(access.address, self.cfa)) if T.split(access.address)[0] is self.cfa else (1, 0)
            if base is not None:
                if access.is_store:
                    self.claim(state, T.const(0, 1), "R8: a store goes into the frame", trace)
                continue
            off = T.signed(off, 64)
            lows = [T.signed(T.split(one)[1], 64) for one in (before, sp) if T.split(one)[0] is self.cfa]
            low = min(lows) - self.facts["red_zone"] if lows else off
            self.claim(state, T.const(off >= low, 1), f"R8: an access at CFA{off:+} is not below SP", trace)
            if access.is_store:
                self.claim(state, T.const(off + access.bytes <= 0, 1), "R8: a store is below the CFA", trace)

    # ---- one part, instruction by instruction

    def walk(self, frame, part, off, state, until=None):
        """Yields (state, where it jumps to or None at `until` and the end, trace)."""
        code = frame[part]["code"]
        piece = self.code.pieces[code]
        stops = {piece.address + (piece.size if until is None else until)}
        waiting = [(piece.address + off, None, state, [])]
        while waiting:
            address, rest, state, trace = waiting.pop()
            if address in stops:
                yield state, None, trace
                continue
            if not rest:
                if address not in piece.blocks:
                    raise Elsewhere(code, address - piece.address)
                rest = piece.blocks[address]
            trace = [*trace, f"{part}+{address - piece.address:#x}"]
            self.row(frame, part, address - piece.address, state, trace)
            before = self.get(state, self.conv["sp"])
            state.trace, state.accesses, state.temps = [], [], {**state.temps}
            self.machine.blocks = {address: rest[0][1]}
            following = rest[1][0] if len(rest) > 1 else 0
            for path in self.machine.run(address, {following}, state):
                for condition, what in path.state.obligations:
                    self.claim(path.state, condition, f"never happens: {what}", trace)
                if path.kind == "trap":
                    self.claim(path.state, T.const(0, 1), "no instruction raises an exception", trace)
                    continue
                self.bounds(path.state, before, trace)
                goes = path.target
                if path.kind == "stop" and following:
                    waiting.append((following, rest[1:], path.state, trace))
                elif goes.op == "const" and piece.address <= goes.args[0] <= piece.address + piece.size:
                    waiting.append((goes.args[0], None, path.state, trace))
                else:
                    yield path.state, self.machine.address(goes), trace

    # ---- states

    def entry(self, frame):
        state = machine.State()
        self.put(state, self.conv["sp"], T.sub(self.cfa, T.const(self.facts["cfa_at_entry"])))
        if self.conv["ra_pushed"]:
            state.store(T.sub(self.cfa, T.const(self.facts["cfa_at_entry"])), 8, self.ra)
        else:
            self.put(state, self.conv["ra"], self.ra)
        return state

    def landing(self, boundary, signed):
        """What a callback finds: the boundary's slots, three arguments, and registers that others have used."""
        state = machine.State()
        saved = {slot["reg"] for slot in boundary["slots"] if slot["kind"] == "save"}
        for name in self.integers():
            if name in saved or name not in self.kept:
                self.any(state, name, "the thrower's")
        for name in saved - set(self.integers()):
            self.any(state, name, "the thrower's")
        args = self.facts["args"]
        self.put(state, args[0], T.var("cookie"))
        landing = T.var("landing SP") if self.facts["adopts"] else T.add(self.cfa, T.const(boundary["landing_sp_off"]))
        self.put(state, args[1], landing)
        self.put(state, args[2], T.add(self.cfa, T.const(self.conv["fp_off"])))
        for slot in boundary["slots"]:
            at = T.add(self.cfa, T.const(slot["off"]))
            if slot["kind"] == "save":
                state.store(at, slot["bytes"], T.resize(self.caller(slot["reg"]), 8 * slot["bytes"]))
            elif slot["kind"] == "return":
                state.store(at, 8, self.arch.signed(self.ra, self.cfa) if signed else self.ra)
            elif slot["kind"] in ("count", "pointer"):
                state.store(at, slot["bytes"], T.var(f"boundary's {slot['kind']}", 8 * slot["bytes"]))
        return state

    def body(self, frame, state):
        """Whatever a body may change has any value."""
        saved = {slot["reg"] for slot in frame["slots"] if slot["kind"] == "save"} - {self.conv["fp"]}
        used = {self.conv["bpf"][number] for number in range(6, 10) if frame["spec"]["regs"] >> number & 1}
        fixed = {self.conv["sp"], self.conv["fp"]}
        for name in self.integers():
            if name in saved | used or (name not in self.kept and name not in fixed):
                self.any(state, name, "the body's")
        for name in saved - set(self.integers()):
            self.any(state, name, "the body's")
        known = {self.target.qemu_name(name) for name in self.integers()} | {self.arch.PC}
        for name in list(state.globals):
            if name not in known and not name.startswith("f"):
                state.globals[name] = T.var(f"the body's {name}", state.globals[name].width)
        for slot in frame["slots"]:
            if slot["kind"] in ("bpf", "args", "count", "pad", "throw"):
                at = T.add(self.cfa, T.const(slot["off"]))
                state.store(at, slot["bytes"], T.var(f"the body's {slot['kind']} {slot['off']}", 8 * slot["bytes"]))
        sp = self.get(state, self.conv["sp"])
        state.store(T.sub(sp, T.const(BELOW)), BELOW, T.var("below SP", 8 * BELOW))

    # ---- theorems

    def at_body(self, frame, state, trace):
        sp, fp = self.get(state, self.conv["sp"]), self.get(state, self.conv["fp"])
        self.same(state, sp, T.sub(self.cfa, T.const(frame["size"])), "R8: SP is at the frame's end in the body", trace)
        self.same(state, fp, T.add(self.cfa, T.const(self.conv["fp_off"])), "R2: FP is the frame's in the body", trace)
        low = T.extract(sp, self.facts["frame_align"].bit_length() - 2, 0)
        self.same(state, low, T.const(0, low.width), "R7: SP is aligned in the body", trace)
        for slot in frame["slots"]:
            if slot["kind"] in ("save", "return"):
                value = load(state, T.add(self.cfa, T.const(slot["off"])), slot["bytes"])
                value, want = self.unsigned(value, slot["kind"] == "return"), self.caller(slot["reg"])
                # A slot may be wider than its register, or hold the register's lower half.
                bits = min(value.width, want.width)
                value, want = T.extract(value, bits - 1, 0), T.extract(want, bits - 1, 0)
                self.same(state, value, want, f"R3: {slot['reg']} of the caller is in its slot", trace)
        spec = frame["spec"]
        if spec["role"] == "boundary":
            saved = {slot["reg"] for slot in frame["slots"]} | set(self.facts["unsaved"])
            for name in self.kept:
                self.claim(state, T.const(name in saved, 1), f"R3: {name} is saved", trace)
            self.same(state, T.add(sp, T.const(frame["args_bytes"])), T.add(self.cfa, T.const(frame["landing_sp_off"])),
                      "R13: a throw hands on the SP that the frame has", trace)  # fmt: skip
        # Where FP stands for R10, code adds the distance at each use of R10.
        if frame["bpf_stack"] and self.conv["bpf"][10] != self.conv["fp"]:
            got = self.get(state, self.conv["bpf"][10])
            self.same(state, got, T.add(self.cfa, T.const(frame["bpf_fp_off"])), "R11: R10 is above the BPF stack", trace)
        if spec["arena"]:
            self.same(state, self.get(state, self.conv["arena"]), T.const(frame["arena_base"]), "R15: the arena's base", trace)

    def returned(self, frame, state, goes, trace):
        self.same(state, goes, self.ra, "R5: the exit goes to the return address", trace)
        self.same(state, self.get(state, self.conv["sp"]), self.cfa, "R5: SP is the caller's", trace)
        for name in self.kept:
            self.same(state, self.get(state, name), self.caller(name), f"R5: {name} is the caller's", trace)
        result, r0 = self.get(state, self.conv["result"]), T.var(f"the body's {self.conv['bpf'][0]}")
        want = T.sext(T.extract(r0, 31, 0), 64) if self.conv["result_bits"] == 32 else r0
        self.same(state, result, want, "R14: the result is R0", trace)

    def through(self, frame, start, off, ref):
        """From a state at `off` of the prologue to the exits."""
        if frame["spec"]["private_stack"]:
            self.arch.cpu_base(self.conv["convention"])  # raises where a program cannot run what finds the stack
        for state, goes, trace in self.walk(frame, "prologue", off, start):
            self.claim(state, T.const(goes is None, 1), "the prologue ends at the body", trace)
            self.at_body(frame, state, trace)
            self.body(frame, state)
            if ref is not None:
                self.tail_exit(frame, machine.State(state), trace, ref)
            for after, goes, more in self.walk(frame, "epilogue", 0, machine.State(state)):
                self.claim(after, T.const(goes is not None, 1), "the epilogue ends in a return", trace + more)
                self.returned(frame, after, goes, trace + more)

    def tail_exit(self, frame, state, trace, ref):
        plain, at = ref
        self.put(state, self.facts["target"], self.code_address("target"))
        for after, goes, more in self.walk(frame, "tail_exit", 0, state):
            more = trace + more
            self.claim(after, T.const(goes is not None, 1), "R16: the tail exit ends in a jump", more)
            entry = T.add(self.code_address("target"), T.const(plain["tail_entry"]))
            self.same(after, goes, entry, "R16: the tail exit goes to the tail entry", more)
            names = [self.conv["sp"], *self.kept] + ([] if self.conv["ra_pushed"] else [self.conv["ra"]])
            for name in names:
                want = self.unsigned(self.get(at, name), True)
                if name != self.conv["ra"] or self.in_register(plain, at):
                    self.same(after, self.unsigned(self.get(after, name), True), want, f"R16: {name} is as the tail entry wants it", more)
            for slot in self.kept_slots(plain):
                where = T.add(self.cfa, T.const(slot["off"]))
                got, want = (load(one, where, slot["bytes"]) for one in (after, at))
                self.same(after, got, want, f"R16: the slot of {slot['reg']} stays over the tail call", more)

    def kept_slots(self, plain):
        return [slot for slot in plain["slots"][: self.facts["tail_keeps"]] if slot["kind"] in ("save", "return")]

    def in_register(self, plain, at):
        return not any(slot["kind"] == "return" for slot in self.kept_slots(plain))

    def reference(self, plain):
        """The state at the tail entry of the plainest main program."""
        found = list(self.walk(plain, "prologue", 0, self.entry(plain), plain["tail_entry"]))
        return found[0][0]

    def entered(self, plain, at):
        """The state at a tail entry, of which nothing is known but what a tail exit brings about."""
        state = machine.State(at)
        for name in self.integers():
            if name not in self.kept and name not in (self.conv["sp"], self.conv["ra"]):
                self.any(state, name, "the caller's")
        if self.facts["cfa_at_entry"] == 0 and not self.in_register(plain, at):
            self.any(state, self.conv["ra"], "the caller's")
        state.stores = [one for one in state.stores if one[0] in self.places(plain)]
        return state

    def places(self, plain):
        low = min((slot["off"] for slot in self.kept_slots(plain)), default=0)
        return {T.add(self.cfa, T.const(off)) for off in range(low, 0)}
