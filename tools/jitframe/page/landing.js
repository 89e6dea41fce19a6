/* SPDX-License-Identifier: BSD-2-Clause */
/* Boundary and callback: a throw enters the callback in the boundary's frame, so both have to use the same slots. */

/* {boundary: function or null, callback: function, frame: index of the boundary's, known}, or null. */
function landingOf(fn) {
  const index = data.functions.indexOf(fn);
  const callback = fn.landing ? fn : data.functions.find((other) => other.landing && other.landing.function === index);

  if (!callback || callback.landing.frame === null)
    return null;
  const boundary = callback.landing.function;
  return {
    callback, boundary: boundary === null ? null : data.functions[boundary], frame: callback.landing.frame,
    known: callback.landing.known,
  };
}

/* Where a function saves or restores each register: Map register -> [{offset, insn, good}]. */
function movesOf(fn, isStore) {
  const moves = new Map();
  (fn?.code ?? []).forEach((insn, index) => {
    for (const access of accessesOf(insn)) {
      const register = isStore ? access.value.entry : access.register;
      if (access.isStore !== isStore || register === undefined || register < 0)
        continue;
      const move = { offset: access.offset, insn: index, good: access.value.entry === register };
      moves.set(register, [...(moves.get(register) ?? []), move]);
    }
  });
  return moves;
}

/* SP at the calls of a function, as offsets from the CFA. */
function callsOf(fn) {
  const calls = [];
  (fn?.code ?? []).forEach((insn, index) => {
    const sp = insn.call ? stateAt(fn, index)?.registers[data.first_registers[0]] : null;
    if (sp)
      calls.push({ offset: sp.cfa, text: sp.text, insn: index, good: true });
  });
  return calls;
}

/* The rules that are broken at a slot, by either function: "R4, R8". */
function brokenAt(landing, offset) {
  const findings = [landing.boundary, landing.callback].flatMap((fn) =>
    (fn?.findings ?? []).filter((finding) => finding.verdict === "broken" && finding.slots.includes(offset)));
  return [...new Set(findings.map((finding) => `R${finding.rule}`))].join(", ");
}

/* The return address is in the slot when the boundary begins, where calls push it. */
function isPushed(fn, slot) {
  const first = fn?.code?.[0] ? stateAt(fn, 0) : null;
  return first?.words.some(([offset, , value]) => offset === slot.offset && data.values[value].entry === slot.register);
}

/* One row for each slot of the boundary that a callback has to restore from. */
function slotRows(landing) {
  const frame = data.frames[landing.frame];
  const saves = movesOf(landing.boundary, true);
  const restores = movesOf(landing.callback, false);

  const slots = frame.slots.filter((slot) => slot.saved).sort((a, b) => b.offset - a.offset);
  return slots.map((slot) => {
    const saved = saves.get(slot.register) ?? [];
    const restored = (restores.get(slot.register) ?? []);
    const pushed = isPushed(landing.boundary, slot);
    const savesThere = !landing.boundary?.code || pushed || saved.some((move) => move.offset === slot.offset);
    const restoresThere = !landing.callback.code ||
      restored.some((move) => move.offset === slot.offset && move.good);
    const differs = !savesThere || !restoresThere, broken = brokenAt(landing, slot.offset);
    return { slot, saved, restored, pushed, savesThere, restoresThere, differs, broken, agrees: !differs && !broken };
  });
}

/* ---- as a table -------------------------------------------------------------------------------------------------- */

/* A register may also be moved elsewhere: that is as it should be where it is moved to the right place, too. */
function moveButtons(fn, moves, isGood, isThere) {
  return moves.map((move) => el("button", {
    type: "button", class: isGood(move) ? "place" : isThere ? "place other" : "place bad",
    title: `${fn.name}, at ${hex(fn.code[move.insn].offset)}: ${fn.code[move.insn].text}`,
    click: () => go({ fn: data.functions.indexOf(fn), insn: move.insn, tab: "step" }),
  }, move.offset === undefined ? move.text : cfa(move.offset)));
}

function cell(fn, moves, isGood, isThere, pushed, nothing) {
  const buttons = fn?.code ? moveButtons(fn, moves, isGood, isThere) : [];
  if (pushed && !buttons.length)
    buttons.push("by the call");
  if (!buttons.length)
    buttons.push(fn?.code ? nothing : "not in this file");
  return el("td", { class: isThere ? undefined : "bad" }, buttons);
}

function outcome(agrees, broken) {
  return el("td", { class: agrees ? "good" : "bad" }, agrees ? "✓ agree" : broken ? `✗ ${broken}` : "✗ differ");
}

function slotRow(landing, row) {
  const isThere = (move) => move.offset === row.slot.offset;
  return el("tr", { class: row.agrees ? "agrees" : "disagrees" },
    el("th", { scope: "row", title: row.slot.text }, registerName(row.slot.register)),
    el("td", null, cfa(row.slot.offset)),
    cell(landing.boundary, row.saved, isThere, row.savesThere, row.pushed, "nowhere"),
    cell(landing.callback, row.restored, (move) => isThere(move) && move.good, row.restoresThere, false, "nowhere"),
    outcome(row.agrees, row.differs ? "" : row.broken));
}

/* The stack pointer that a throw hands on: whether R4 has found it where the callback does not look. */
function stackPointerDiffers(landing) {
  return Boolean(landing.boundary?.findings.some((finding) => finding.rule === 4 && finding.verdict === "broken" &&
    finding.addresses.includes(data.frames[landing.frame].landing_sp)));
}

function stackPointerRow(landing) {
  const differs = stackPointerDiffers(landing);
  return el("tr", { class: differs ? "disagrees" : "agrees" },
    el("th", { scope: "row" }, registerName(data.first_registers[0])),
    el("td", null, cfa(data.frames[landing.frame].landing_sp)),
    cell(landing.boundary, callsOf(landing.boundary), () => !differs, !differs, false, "no call"),
    el("td", null, "argument 2"), outcome(!differs, ""));
}

function landingTable(landing, rows) {
  const heads = ["", "belongs at", "boundary saves", "callback restores", "result"];
  return el("table", { class: "landing" },
    el("caption", null, "What has to be the same in both"),
    el("thead", null, el("tr", null, heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", null, rows.map((row) => slotRow(landing, row)), stackPointerRow(landing)));
}

/* ---- side by side ------------------------------------------------------------------------------------------ */

/* The instruction that shows most: the worst finding; else, of a callback, the first one that restores something; else
 * the last call; else the last one that is reached. */
function tellingInsn(fn) {
  const found = sortedFindings(fn).map((finding) => insnAt(fn, finding.offset)).find((index) => index >= 0);
  const restores = fn.landing ? fn.code.findIndex((insn) => accessesOf(insn).some((access) => !access.isStore)) : -1;
  const call = fn.code.findLastIndex((insn) => insn.call && insn.registers);
  return found ?? [restores, call].find((index) => index >= 0) ?? fn.code.findLastIndex((insn) => insn.registers);
}

/* Both in the boundary's frame: this is where the callback runs. */
function side(title, fn, landing, agreement) {
  const index = fn?.code ? tellingInsn(fn) : -1;
  const shown = fn?.code ? shownAt(fn, index) : { name: title };
  return el("section", { class: "side" },
    el("h3", null, `${title}${index >= 0 ? ", before " + hex(fn.code[index].offset) : ""}`),
    el("p", { class: "facts" }, fn ? fn.name : "not in this file"),
    drawFrame(landing.frame, { ...shown, accesses: [], agreement }));
}

function outcomeText(landing, rows) {
  const differ = rows.filter((row) => row.differs).length, broken = rows.filter((row) => row.broken).length;
  const bad = (text) => el("p", { class: "outcome bad" }, "✗ " + text);
  if (differ)
    return bad(`${differ} of ${rows.length} slots differ: after a throw the boundary's caller gets something else ` +
      "back than what was saved.");
  if (stackPointerDiffers(landing))
    return bad("The slots are at the same places, and the callback looks for them elsewhere: SP at the boundary's " +
      "call is another one.");
  if (broken)
    return bad(`All ${rows.length} slots are at the same places, and a rule is broken at ${broken} of them.`);
  return el("p", { class: "outcome good" }, `✓ All ${rows.length} slots are at the same places in both.`);
}

function landingContent(landing) {
  const rows = slotRows(landing);
  const agreement = new Map(rows.map((row) => [row.slot.offset, row.agrees]));
  return [
    landing.known ? null : el("p", { class: "hint" },
      "Nobody says which boundary this callback lands in: the plainest one is shown, and every other was checked."),
    outcomeText(landing, rows),
    el("div", { class: "sides" },
      side("Boundary", landing.boundary, landing, agreement),
      landingTable(landing, rows),
      side("Callback", landing.callback, landing, agreement)),
  ];
}

function renderLanding(fn) {
  const landing = landingOf(fn);
  byId("tab-landing").hidden = !landing;
  byId("tabs").hidden = !landing;
  byId("landing").replaceChildren(...(landing ? landingContent(landing).filter(Boolean) : []));
}
