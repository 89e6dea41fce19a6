/* SPDX-License-Identifier: BSD-2-Clause */
/* The data of the page, and what holds at an instruction. */

const data = JSON.parse(document.getElementById("data").textContent);

/* Verdicts as the command names them, the worst first. Their signs do not go by colour alone. */
const verdicts = [
  { name: "broken", sign: "✗", look: "bad" },
  { name: "not decidable", sign: "?", look: "open" },
  { name: "holds", sign: "✓", look: "good" },
  { name: "not applicable", sign: "–", look: "none" },
];
const verdictOf = (name) => verdicts.find((verdict) => verdict.name === name) ?? verdicts[1];
const worstOf = (names) => verdicts.find((verdict) => names.includes(verdict.name)) ?? verdicts[2];

/* Not every number is a rule's. */
const ruleOf = (finding) => data.rules.find((rule) => rule.number === finding.rule);

/* What nobody asks about (--except) does not count. */
const isAsked = (finding) => finding.rule === 0 || ruleOf(finding).asked;

function functionVerdict(fn) {
  const names = fn.findings.filter(isAsked).map((finding) => finding.verdict);
  if (fn.doubtful)
    names.push("not decidable");
  if (!fn.sound && !names.length)
    names.push("not decidable");
  return worstOf(names);
}

/* The findings of an instruction, by its index in the code; those of no instruction under -1. */
function findingsByInsn(fn) {
  const byInsn = new Map();
  for (const finding of fn.findings) {
    const index = insnAt(fn, finding.offset);
    byInsn.set(index, [...(byInsn.get(index) ?? []), finding]);
  }
  return byInsn;
}

/* The instruction at an offset, -1: there is none. */
function insnAt(fn, offset) {
  if (offset === undefined || !fn.code)
    return -1;
  fn.indexes ??= new Map(fn.code.map((insn, index) => [insn.offset, index]));
  return fn.indexes.get(offset) ?? -1;
}

/*
 * What holds before instruction `index`: {registers: value by register id, words: [[offset, bytes, value]...]}, or null
 * where no path leads. Each instruction has what differs from the one above, so every so often a whole state is kept.
 */
const KEPT_EVERY = 256;

function stateAt(fn, index) {
  if (!fn.code?.[index]?.registers)
    return null;
  fn.kept ??= [{ registers: [], words: [] }];
  let from = Math.min(Math.floor(index / KEPT_EVERY), fn.kept.length - 1);
  let { registers, words } = fn.kept[from];
  registers = registers.slice();
  for (let at = from * KEPT_EVERY; at <= index; at++) {
    const insn = fn.code[at];
    if (at % KEPT_EVERY === 0 && at / KEPT_EVERY === fn.kept.length)
      fn.kept.push({ registers: registers.slice(), words });
    for (let i = 0; i < (insn.registers?.length ?? 0); i += 2)
      registers[insn.registers[i]] = insn.registers[i + 1];
    words = insn.words ?? words;
  }
  return { registers: registers.map((value) => data.values[value]), words, missing: fn.code[index].words_missing };
}

/* The registers that hold something else than before the instruction above. */
function changedAt(fn, index) {
  const registers = index > 0 ? fn.code[index].registers ?? [] : [];
  return new Set(registers.filter((_, i) => i % 2 === 0));
}

function accessesOf(insn) {
  return (insn.accesses ?? []).map(([offset, bytes, isStore, register, value]) =>
    ({ offset, bytes, isStore: isStore === 1, register, value: data.values[value] }));
}

/* SP, FP and the return address, then what a callee keeps, then the others. */
function registerOrder() {
  const first = data.first_registers;
  const rank = (id) => (first.includes(id) ? first.indexOf(id) : data.registers[id].callee_saved ? 3 : 4);
  return data.registers.map((_, id) => id).sort((a, b) => rank(a) - rank(b) || a - b);
}

const registerName = (id) => data.registers[id]?.name ?? "?";
const frameOf = (fn) => (typeof fn.frame === "number" ? data.frames[fn.frame] : null);

/* The slot that an offset from the CFA is in, -1: none. */
function slotAt(frame, offset) {
  return frame ? frame.slots.findIndex((slot) => offset >= slot.offset && offset < slot.offset + slot.bytes) : -1;
}

/* "s0 ← CFA-24": what an instruction does to the frame, in short. */
function accessText(access) {
  const name = access.register < 0 ? "?" : registerName(access.register);
  return access.isStore ? `${cfa(access.offset)} ← ${name}` : `${name} ← ${cfa(access.offset)}`;
}

const shortText = (value) => value.text.replace(/^the /, "");
