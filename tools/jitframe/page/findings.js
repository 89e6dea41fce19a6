/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions, verdicts and findings. */

function badge(verdict, text) {
  return el("span", { class: "badge " + verdict.look }, `${verdict.sign} ${text}`);
}

function renderHeader() {
  const unsound = data.functions.filter((fn) => !fn.sound);
  const verdict = data.sound ? verdicts[2] : worstOf(unsound.map((fn) => functionVerdict(fn).name));

  document.title = `${verdict.sign} ${data.input} - jitframe check`;
  byId("input").textContent = data.input;
  byId("target").textContent = data.target;
  byId("verdict").className = "badge " + verdict.look;
  byId("verdict").textContent = data.sound ? `${verdict.sign} all rules hold` :
    `${verdict.sign} ${unsound.length} of ${data.functions.length} functions: not all rules hold`;
  byId("assumed").replaceChildren(...assumedText());
}

function assumedText() {
  if (data.assumed === null)
    return ["Compiled by jitframe itself: nothing is taken for granted."];
  return [el("b", null, "Taken for granted: "), data.assumed];
}

/* ---- functions ---------------------------------------------------------------------------------------------- */

function kindText(fn) {
  return fn.kind === "function" ? fn.spec.role : fn.kind;
}

/* The kernel's names begin with the program's tag, which is not what tells one from the other. */
function nameWithTag(name) {
  const [, tag, rest] = /^(bpf_prog_[0-9a-f]{16}_)(.+)$/s.exec(name) ?? [null, "", name];
  return el("span", { class: "name" }, el("span", { class: "tag" }, tag), rest);
}

function renderFunctions() {
  byId("functions").replaceChildren(el("ul", null, data.functions.map((fn, index) => {
    const verdict = functionVerdict(fn);
    const attributes = { type: "button", id: `function-${index}`, title: fn.name, click: () => go({ fn: index }) };
    return el("li", null, el("button", attributes,
      el("span", { class: "sign " + verdict.look, "aria-label": verdict.name }, verdict.sign),
      nameWithTag(fn.name), el("small", null, kindText(fn))));
  })));
  document.body.classList.toggle("one-function", data.functions.length === 1);
}

/* ---- one function --------------------------------------------------------------------------------------------- */

function inferredText(fn) {
  if (!fn.inferred)
    return null;
  const { found, instructions } = fn.prologue;
  return `Inferred from the code: ${found} of ${instructions} instructions of this spec's prologue are there.`;
}

function ruleChip(fn, rule) {
  const number = rule.number;
  const name = fn.rules[`R${number}`];
  const verdict = verdictOf(name);
  const first = fn.findings.find((finding) => finding.rule === number);
  const label = `R${number} ${rule.name}: ${name}. ${rule.text}${rule.asked ? "" : " (not asked about)"}`;
  return el("li", null, el("button", {
    type: "button", class: `rule ${verdict.look}${rule.asked ? "" : " except"}`, title: label, "aria-label": label,
    click: () => (first ? goToFinding(fn, first) : sayRule(label)),
  }, `R${number} ${verdict.sign}`));
}

/* A rule without a finding: its sentence in the line at the bottom. */
function sayRule(label) {
  byId("now").textContent = label;
}

function findingText(finding) {
  return finding.rule ? `R${finding.rule} ${ruleOf(finding).name}` : "code";
}

function findingItem(fn, finding) {
  const verdict = verdictOf(finding.verdict);
  const attributes = { type: "button", class: "finding " + verdict.look, click: () => goToFinding(fn, finding) };
  return el("li", null, el("button", attributes,
    badge(verdict, `${findingText(finding)}: ${finding.verdict}`),
    el("span", { class: "sentence" }, finding.text),
    finding.instruction ? el("code", null, finding.instruction) : null,
    finding.to_decide ? el("span", { class: "decide" }, `To decide: ${finding.to_decide}`) : null));
}

/* Of one rule, the same words at many places: the worst first, then in the order of the code. */
function sortedFindings(fn) {
  return [...fn.findings].sort((a, b) =>
    verdicts.indexOf(verdictOf(a.verdict)) - verdicts.indexOf(verdictOf(b.verdict)));
}

function findingsList(fn) {
  const items = sortedFindings(fn).map((finding) => findingItem(fn, finding));
  if (fn.doubtful)
    items.unshift(el("li", { class: "finding open" }, badge(verdicts[1], "undecided"),
      el("span", { class: "sentence" }, "It may be another frame: --role, --stack and --uses say which.")));
  if (fn.more_findings)
    items.push(el("li", { class: "finding" }, `and ${fn.more_findings} more findings`));
  if (!items.length)
    items.push(el("li", { class: "finding good" },
      badge(verdicts[2], "nothing is found: every rule that applies holds")));
  return items;
}

const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

function functionFacts(fn) {
  const size = `${fn.size_bytes} bytes, ${count(fn.instructions, "instruction")}, ${count(fn.calls, "call")}`;
  return [`${fn.spec_text ?? fn.kind}; ${size}.`, inferredText(fn)].filter(Boolean).join(" ");
}

function renderSummary(fn) {
  const verdict = functionVerdict(fn);
  byId("summary").replaceChildren(
    el("h2", null,
      el("span", { class: "sign " + verdict.look, "aria-label": verdict.name }, verdict.sign), " ", fn.name),
    el("p", { class: "facts" }, functionFacts(fn)),
    el("ul", { id: "rules", "aria-label": "Rules of the exception contract" },
      data.rules.map((rule) => ruleChip(fn, rule))),
    el("ul", { id: "findings", "aria-label": "Findings" }, findingsList(fn)));
}
