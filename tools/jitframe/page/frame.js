/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame as the command has drawn it, completed by what holds now: contents, pointers, findings, accesses. */

const ROW = 26;
const GHOSTS_MAX = 8;
const POINTER_MAX = 11; /* characters */

/* Where in the drawing an offset from the CFA lies: {x, right, y(offset), bottom}. */
function geometry(svg, frame) {
  const boxes = [...svg.querySelectorAll("g.slot")].map((group) => {
    const rect = group.querySelector("rect");
    const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(rect.getAttribute(name)));
    return { x, y, width, height, slot: frame.slots[group.dataset.slot] };
  });
  const last = boxes.at(-1);
  return {
    x: boxes[0].x,
    right: boxes[0].x + boxes[0].width,
    top: boxes[0].y,
    bottom: last.y + last.height,
    lowest: last.slot.offset,
    y(offset) {
      const box = boxes.find(({ slot }) => offset >= slot.offset && offset <= slot.offset + slot.bytes);
      return box && box.y + (box.height * (box.slot.offset + box.slot.bytes - offset)) / box.slot.bytes;
    },
  };
}

/* Words, accesses and places of findings that are in no slot, below the frame: highest first. */
function ghostsOf(frame, shown) {
  const ghosts = new Map();
  const add = (offset, more) => {
    if (offset < 0 && slotAt(frame, offset) < 0)
      ghosts.set(offset, { offset, ...ghosts.get(offset), ...more });
  };
  for (const [offset, , value] of shown.words ?? [])
    add(offset, { held: shortText(data.values[value]) });
  for (const access of shown.accesses ?? [])
    add(access.offset, { access });
  for (const [offset, verdict] of shown.marks ?? [])
    add(offset, { verdict });
  return [...ghosts.values()].sort((a, b) => b.offset - a.offset).slice(0, GHOSTS_MAX);
}

/* In red or yellow, with the sign of the verdict in the box. */
function mark(group, box, verdict) {
  group.classList.add("marked", verdict.look);
  const at = { x: box.x + 6, y: box.y + box.height / 2 + 5 };
  group.append(svgEl("text", { ...at, class: "sign " + verdict.look }, verdict.sign));
}

function boxOf(group) {
  const rect = group.querySelector("rect");
  return Object.fromEntries(["x", "y", "width", "height"].map((name) => [name, Number(rect.getAttribute(name))]));
}

/* Name and contents share the box: as much of both as there is room for. The title has them whole. */
const NAME_EM = 6.7, HELD_EM = 6.2;
const cut = (text, room) => (text.length <= room ? text : text.slice(0, Math.max(room - 1, 1)) + "…");

function label(group, name, held) {
  const room = boxOf(group).width - 46;
  const [nameText, heldText] = group.querySelectorAll("text");
  if (name.length * NAME_EM + held.length * HELD_EM > room)
    name = name.split(",")[0];
  name = cut(name, Math.floor(Math.max(room - held.length * HELD_EM, room / 2) / NAME_EM));
  nameText.textContent = name;
  nameText.setAttribute("x", boxOf(group).x + 22);
  heldText.textContent = cut(held, Math.floor((room - name.length * NAME_EM) / HELD_EM));
}

function fillSlot(group, slot, shown) {
  const inside = (offset) => offset >= slot.offset && offset < slot.offset + slot.bytes;
  const word = (shown.words ?? []).find(([offset]) => offset === slot.offset);
  const access = (shown.accesses ?? []).find(({ offset }) => inside(offset));
  const verdict = [...(shown.marks ?? [])].filter(([offset]) => inside(offset)).map(([, found]) => found.name);
  const says = [`${cfa(slot.offset)}, ${slot.text}`];
  label(group, slot.text, word ? shortText(data.values[word[2]]) : "");
  if (word)
    says.push("holds " + data.values[word[2]].text);
  if (access) {
    group.classList.add(access.isStore ? "written" : "read");
    says.push(accessText(access));
  }
  if (verdict.length) {
    mark(group, boxOf(group), worstOf(verdict));
    says.push(worstOf(verdict).name);
  }
  if (shown.agreement?.has(slot.offset)) {
    const agrees = shown.agreement.get(slot.offset);
    group.classList.add(agrees ? "agrees" : "disagrees");
    if (!agrees && !verdict.length)
      mark(group, boxOf(group), verdicts[0]);
  }
  group.setAttribute("role", "listitem");
  group.setAttribute("aria-label", says.join("; "));
  group.append(svgEl("title", null, says.join("; ")));
}

function ghostRow(ghost, place, y) {
  const label = `${cfa(ghost.offset)}, outside of the frame`;
  const group = svgEl("g", { class: "slot ghost", role: "listitem", "aria-label": label },
    svgEl("rect", { x: place.x, y, width: place.right - place.x, height: ROW, class: "box" }),
    svgEl("text", { x: place.x + 22, y: y + 18 }, "outside of the frame"),
    svgEl("text", { x: place.right - 10, y: y + 18, class: "held" }, ghost.held ?? ""),
    svgEl("text", { x: place.x - 8, y: y + ROW + 4, class: "off" }, String(ghost.offset)));
  if (ghost.access)
    group.classList.add(ghost.access.isStore ? "written" : "read");
  if (ghost.verdict)
    mark(group, { x: place.x, y, width: place.right - place.x, height: ROW }, ghost.verdict);
  return group;
}

/* Which registers point where: [offset, "sp, fp"], highest first. */
function pointersOf(registers) {
  const names = new Map([[0, ["CFA"]]]);
  for (const id of registerOrder()) {
    const offset = registers[id]?.cfa;
    if (offset !== undefined)
      names.set(offset, [...(names.get(offset) ?? []), registerName(id)]);
  }
  return [...names].sort((a, b) => b[0] - a[0]).map(([offset, list]) => [offset, list.join(", ")]);
}

/* An address that a finding names: what a register holds, or should. */
function findingLine(place, y, offset, verdict) {
  return svgEl("g", { class: "finding-line " + verdict.look },
    svgEl("path", { d: `M${place.x} ${y}H${place.right + 2}` }),
    svgEl("title", null, `${cfa(offset)}: ${verdict.name}`));
}

function pointer(place, y, textY, text, isOut) {
  if (isOut)
    return svgEl("g", { class: "out" }, svgEl("text", { x: place.right + 90, y: textY + 12, class: "pointer" }, text));
  return svgEl("g", { class: "pointer-to" },
    svgEl("path", { d: `M${place.right + 4} ${y}l8 -4v8z`, class: "tip" }),
    svgEl("path", { d: `M${place.right + 10} ${y}L${place.right + 20} ${textY}`, class: "line" }),
    svgEl("text", { x: place.right + 24, y: textY + 4, class: "pointer" }, cut(text, POINTER_MAX)),
    svgEl("title", null, text));
}

/*
 * The drawing of a frame. shown: {name, words, registers, accesses, marks: Map offset -> verdict, lines: the same of
 * addresses, agreement: Map offset -> whether}; each may be missing.
 */
function drawFrame(frameIndex, shown) {
  const frame = data.frames[frameIndex];
  const svg = byId("frames").content.children[frameIndex].cloneNode(true);
  const place = geometry(svg, frame);
  const yOfGhost = new Map();
  let bottom = place.bottom;

  svg.setAttribute("role", "list");
  svg.setAttribute("aria-label", `Stack frame of ${shown.name}: ${frame.role}, ${frame.bytes} bytes`);
  for (const group of svg.querySelectorAll("g.slot"))
    fillSlot(group, frame.slots[group.dataset.slot], shown);
  for (const ghost of ghostsOf(frame, shown)) {
    svg.append(ghostRow(ghost, place, bottom + 6));
    bottom += ROW + 6;
    yOfGhost.set(ghost.offset, bottom);
  }
  let lastY = -Infinity;
  for (const [offset, text] of pointersOf(shown.registers ?? [])) {
    const inside = place.y(offset) ?? yOfGhost.get(offset);
    const y = inside ?? (offset > 0 ? place.top : bottom + 4);
    const textY = Math.max(y, lastY + 14);
    svg.append(pointer(place, y, textY, inside === undefined ? `${text} ${cfa(offset)}` : text, inside === undefined));
    lastY = textY;
  }
  for (const [offset, verdict] of shown.lines ?? [])
    if ((place.y(offset) ?? yOfGhost.get(offset)) !== undefined)
      svg.append(findingLine(place, place.y(offset) ?? yOfGhost.get(offset), offset, verdict));
  const [left, , width] = svg.getAttribute("viewBox").split(" ").map(Number);
  svg.setAttribute("viewBox", `${left} 0 ${width} ${Math.max(bottom, lastY) + 22}`);
  return svg;
}

/* Words that the drawing has no place for. */
function otherWords(frame, words) {
  return (words ?? []).filter(([offset]) => {
    const slot = slotAt(frame, offset);
    return frame ? (slot >= 0 ? frame.slots[slot].offset !== offset : offset >= 0) : true;
  });
}

function wordsTable(words) {
  return el("table", { class: "words" }, el("caption", null, "Other words of the stack"),
    el("tbody", null, words.map(([offset, bytes, value]) => el("tr", null,
      el("th", { scope: "row" }, cfa(offset)), el("td", null, `${bytes} bytes`),
      el("td", null, data.values[value].text)))));
}
