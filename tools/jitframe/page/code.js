/* SPDX-License-Identifier: BSD-2-Clause */
/* The code, one line for each instruction, and the registers before it. */

function notesOf(findings) {
  return findings.map((finding) => {
    const verdict = verdictOf(finding.verdict);
    const rule = finding.rule ? `R${finding.rule}` : "code";
    return el("span", { class: "note " + verdict.look }, `${verdict.sign} ${rule} ${finding.text}`);
  });
}

function whatItDoes(fn, insn) {
  const parts = accessesOf(insn).map(accessText);
  if (insn.to !== undefined)
    parts.push("→ " + hex(insn.to));
  if (!insn.registers)
    parts.push("not reached");
  return parts.join(", ");
}

function codeLine(fn, insn, index, findings) {
  const worst = findings.length ? worstOf(findings.map((finding) => finding.verdict)) : null;
  return el("li", {
    id: `insn-${index}`, role: "option", "aria-selected": "false",
    class: [worst?.look, insn.registers ? "" : "dead"].filter(Boolean).join(" ") || undefined,
    click: () => go({ insn: index }),
  },
  el("span", { class: "sign", "aria-label": worst?.name }, worst?.sign ?? ""),
  el("span", { class: "offset" }, insn.offset.toString(16)),
  el("span", { class: "bytes", title: insn.bytes }, insn.bytes),
  el("span", { class: "text" }, insn.text),
  el("span", { class: "does" }, whatItDoes(fn, insn)),
  notesOf(findings));
}

function renderCode(fn) {
  const code = byId("code");
  const byInsn = findingsByInsn(fn);

  if (!fn.code) {
    code.replaceChildren(el("p", { class: "hint" },
      "The page has no room for the code of so many functions. Name this one on the command line."));
    return;
  }
  code.replaceChildren(el("ol", {
    id: "lines", role: "listbox", tabindex: "0", "aria-label": `Code of ${fn.name}`, "aria-keyshortcuts": "j k n p",
  }, fn.code.map((insn, index) => codeLine(fn, insn, index, byInsn.get(index) ?? []))));
}

/*
 * how: "open": the window stays at its top, and the line is in the middle of the pane; "step": scrolls by a line; else
 * the line is brought to the middle.
 */
function selectLine(index, how) {
  const lines = byId("lines"), line = byId(`insn-${index}`);

  if (!line)
    return;
  for (const other of lines.querySelectorAll("[aria-selected=true]"))
    other.setAttribute("aria-selected", "false");
  line.setAttribute("aria-selected", "true");
  lines.setAttribute("aria-activedescendant", line.id);
  if (how === "open") {
    const pane = byId("code");
    pane.scrollTop = line.offsetTop - (pane.clientHeight - line.offsetHeight) / 2;
  } else {
    line.scrollIntoView({ block: how === "step" ? "nearest" : "center" });
  }
}

/* ---- registers ------------------------------------------------------------------------------------------- */

/* R10 is somewhere else with a private stack. */
function bpfName(fn, id) {
  const register = data.registers[id];
  if (fn.spec.private_stack && (register.private_fp || register.bpf === "R10"))
    return register.private_fp ? "R10" : "";
  return register.bpf;
}

/* Left out: what is no integer, or never changes, and is as the caller left it. */
function isWorthARow(id, value) {
  const register = data.registers[id];
  return data.first_registers.includes(id) || (!register.fixed && (register.integer || (value && value.entry !== id)));
}

function changedSign() {
  return el("span", { title: "changed by the instruction above", "aria-label": "changed:" }, "• ");
}

function renderRegisters(fn, index) {
  const state = stateAt(fn, index);
  const pane = byId("registers");

  if (!state) {
    pane.replaceChildren(el("p", { class: "hint" }, "No path leads to this instruction."));
    return;
  }
  const changed = changedAt(fn, index);
  pane.replaceChildren(el("table", { class: "registers" },
    el("thead", null, el("tr", null, el("th", { scope: "col" }, "register"), el("th", { scope: "col" }, "BPF"),
      el("th", { scope: "col" }, "holds"))),
    el("tbody", null, registerOrder().filter((id) => isWorthARow(id, state.registers[id])).map((id) => {
      const value = state.registers[id];
      const own = value?.entry === id;
      return el("tr", { class: [own ? "own" : "", changed.has(id) ? "changed" : ""].join(" ").trim() || undefined },
        el("th", { scope: "row" }, registerName(id)), el("td", null, bpfName(fn, id)),
        el("td", { class: value && shortText(value).length < 16 ? "short" : undefined },
          changed.has(id) ? changedSign() : null,
          value ? shortText(value) : ""));
    }))));
}

/* ---- the frame of the function ------------------------------------------------------------------------------ */

/* Places and the worst verdict on each: Map offset -> verdict. */
function placesWith(findings, placesOf) {
  const marks = new Map();
  for (const finding of findings)
    for (const offset of placesOf(finding))
      marks.set(offset, worstOf([finding.verdict, marks.get(offset)?.name]));
  return marks;
}

function shownAt(fn, index) {
  const state = stateAt(fn, index) ?? { words: [], registers: [] };
  const atInsn = findingsByInsn(fn).get(index) ?? [];
  return {
    name: fn.name, words: state.words, registers: state.registers,
    accesses: fn.code?.[index] ? accessesOf(fn.code[index]) : [],
    marks: placesWith(fn.findings, (finding) => finding.slots),
    lines: placesWith(atInsn, (finding) => finding.addresses),
  };
}

/* What the drawing cannot show: findings that name no place in the frame. */
function placeless(fn) {
  return fn.findings.filter((finding) => !finding.slots.length && !finding.addresses.length);
}

/* With --rows: the derived row that is in force. */
function rowAt(fn, index) {
  const row = fn.rows?.findLast(({ offset }) => offset <= fn.code[index].offset);
  return row ? [el("p", { class: "frame-note" }, "Unwind row: ", el("code", null, row.row))] : [];
}

function frameWithWords(fn, index) {
  const shown = shownAt(fn, index);
  const frame = frameOf(fn);
  const others = otherWords(frame, shown.words);
  const parts = [
    frame ? drawFrame(fn.frame, shown) : el("p", { class: "hint" }, "A stub has no frame of its convention: the words that it has stored are below."),
    placeless(fn).map((finding) => {
      const verdict = verdictOf(finding.verdict);
      return el("p", { class: "frame-note " + verdict.look },
        `${verdict.sign} ${finding.rule ? "R" + finding.rule : "code"} ${finding.text}`);
    }),
    fn.code?.[index] ? rowAt(fn, index) : [],
    others.length ? wordsTable(others) : [],
  ];
  return parts.flat();
}

function renderFrame(fn, index) {
  const insn = fn.code?.[index];
  byId("frame-title").textContent = insn ? `Frame before ${hex(insn.offset)}` : "Frame";
  byId("registers-title").textContent = insn ? `Registers before ${hex(insn.offset)}` : "Registers";
  byId("frame").replaceChildren(...frameWithWords(fn, index));
}
