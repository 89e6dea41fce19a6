/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the reader is, and the keys. The address keeps the place: #FUNCTION+0xOFFSET, with "b" behind that in the view
 * of boundary and callback. */

const here = { fn: -1, insn: -1, tab: "step", back: [] };
const current = () => data.functions[here.fn];

function address() {
  const insn = current().code?.[here.insn];
  return `#${here.fn}${insn ? hex(insn.offset) : ""}${here.tab === "landing" ? "b" : ""}`;
}

function showTab(tab) {
  here.tab = tab === "landing" && landingOf(current()) ? "landing" : "step";
  for (const name of ["step", "landing"]) {
    const isShown = here.tab === name;
    byId(name).hidden = !isShown;
    byId(`tab-${name}`).setAttribute("aria-selected", String(isShown));
    byId(`tab-${name}`).tabIndex = isShown ? 0 : -1;
  }
}

function say() {
  const insn = current().code?.[here.insn];
  if (!insn)
    return;
  const found = findingsByInsn(current()).get(here.insn) ?? [];
  const parts = [`${hex(insn.offset)} ${insn.text}`, whatItDoes(current(), insn), ...found.map(({ text }) => text)];
  byId("now").textContent = parts.filter(Boolean).join("; ");
}

/* Where a function opens: at the first thing that is worth a look. */
function firstInsn(fn) {
  const found = sortedFindings(fn).map((finding) => insnAt(fn, finding.offset)).find((index) => index >= 0);
  return found ?? (fn.code?.length ? 0 : -1);
}

function keepPlace() {
  try {
    history.replaceState(null, "", address());
  } catch {
    /* Inside of another page's frame there may be no address to keep it in. */
  }
}

/* to: {fn, insn, tab}, of which those that are missing stay as they are. how: see selectLine(). */
function go(to, how) {
  const isOther = to.fn !== undefined && to.fn !== here.fn;

  if (isOther) {
    here.fn = to.fn;
    here.back = [];
    renderSummary(current());
    renderCode(current());
    renderLanding(current());
    for (const button of byId("functions").querySelectorAll("button"))
      button.removeAttribute("aria-current");
    byId(`function-${here.fn}`)?.setAttribute("aria-current", "true");
    byId(`function-${here.fn}`)?.scrollIntoView({ block: "nearest" });
  }
  const before = here.insn;
  here.insn = to.insn ?? (isOther ? firstInsn(current()) : here.insn);
  showTab(to.tab ?? here.tab);
  if (isOther)
    selectLine(here.insn, how ?? (to.insn === undefined ? "open" : "jump"));
  else
    selectLine(here.insn, Math.abs(here.insn - before) <= 1 ? "step" : "jump");
  renderFrame(current(), here.insn);
  renderRegisters(current(), here.insn);
  say();
  keepPlace();
}

function goToFinding(fn, finding) {
  const insn = insnAt(fn, finding.offset);
  go({ fn: data.functions.indexOf(fn), insn: insn >= 0 ? insn : undefined, tab: "step" });
  if (insn < 0)
    byId("now").textContent = finding.text;
}

function step(by) {
  const last = (current().code?.length ?? 0) - 1;
  if (last >= 0)
    go({ insn: Math.min(Math.max(here.insn + by, 0), last), tab: "step" });
}

/* All findings that have a place, in the order of functions and code. */
function nextFinding(by) {
  const placesOf = (fn, at) => fn.findings.map((finding) => ({ fn: at, insn: insnAt(fn, finding.offset) }));
  const places = data.functions.flatMap(placesOf).filter(({ insn }) => insn >= 0)
    .sort((a, b) => a.fn - b.fn || a.insn - b.insn);
  const after = (place) => (place.fn - here.fn || place.insn - here.insn) * by > 0;
  const next = by > 0 ? places.find(after) ?? places[0] : places.findLast(after) ?? places.at(-1);
  if (next)
    go({ ...next, tab: "step" });
}

function otherFunction(by) {
  go({ fn: (here.fn + by + data.functions.length) % data.functions.length });
}

function follow() {
  const to = insnAt(current(), current().code?.[here.insn]?.to);
  if (to < 0)
    return;
  here.back.push(here.insn);
  go({ insn: to, tab: "step" });
}

const keys = {
  j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
  Home: () => step(-Infinity), End: () => step(Infinity),
  n: () => nextFinding(1), p: () => nextFinding(-1), "]": () => otherFunction(1), "[": () => otherFunction(-1),
  g: follow, u: () => here.back.length && go({ insn: here.back.pop(), tab: "step" }),
  b: () => go({ tab: here.tab === "step" ? "landing" : "step" }), "?": () => byId("help").showModal(),
};

/* Panes that scroll and tabs have use of their own for the keys that are no letters. */
function onKey(event) {
  const own = event.key.length > 1 && event.target.closest("#frame, #registers, #landing, [role=tab], #functions");
  if (event.ctrlKey || event.altKey || event.metaKey || own || byId("help").open || !keys[event.key])
    return;
  keys[event.key]();
  event.preventDefault();
}

function onTabKey(event) {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight")
    return;
  go({ tab: here.tab === "step" ? "landing" : "step" });
  byId(`tab-${here.tab}`).focus();
}

function fromAddress() {
  const match = /^#(\d+)(?:\+0x([0-9a-f]+))?(b?)$/.exec(location.hash);
  const fn = data.functions[match?.[1]];
  if (!fn)
    return null;
  const insn = match[2] ? insnAt(fn, parseInt(match[2], 16)) : -1;
  return { fn: Number(match[1]), insn: insn >= 0 ? insn : undefined, tab: match[3] ? "landing" : "step" };
}

function worstFunction() {
  const ranks = data.functions.map((fn) => verdicts.indexOf(functionVerdict(fn)));
  return ranks.indexOf(Math.min(...ranks));
}

function start() {
  renderHeader();
  if (!data.functions.length)
    return;
  renderFunctions();
  go(fromAddress() ?? { fn: worstFunction() }, "open");
  document.addEventListener("keydown", onKey);
  byId("tabs").addEventListener("keydown", onTabKey);
  byId("tab-step").addEventListener("click", () => go({ tab: "step" }));
  byId("tab-landing").addEventListener("click", () => go({ tab: "landing" }));
  byId("keys").addEventListener("click", () => byId("help").showModal());
  addEventListener("hashchange", () => go(fromAddress() ?? {}));
  addEventListener("beforeprint", renderPaper);
  addEventListener("afterprint", clearPaper);
  byId("lines")?.focus({ preventScroll: true });
}

start();
