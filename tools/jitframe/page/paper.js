/* SPDX-License-Identifier: BSD-2-Clause */
/* What is printed: every function, its code whole, with the findings beneath their instructions. */

const PRINTED_MAX = 100; /* functions; those that are not sound come first */

function paperCode(fn) {
  const byInsn = findingsByInsn(fn);
  return el("table", { class: "code" }, el("tbody", null, (fn.code ?? []).map((insn, index) => {
    const findings = byInsn.get(index) ?? [];
    return [
      el("tr", { class: findings.length ? "found" : undefined },
        el("td", null, insn.offset.toString(16)), el("td", { class: "text" }, insn.text),
        el("td", null, whatItDoes(fn, insn))),
      findings.length ? el("tr", null, el("td"), el("td", { colspan: "2" }, notesOf(findings))) : null,
    ];
  }).flat().filter(Boolean)));
}

function paperFunction(fn) {
  const verdict = functionVerdict(fn);
  const landing = fn.landing ? landingOf(fn) : null;
  const index = fn.code ? tellingInsn(fn) : -1;
  return el("section", { class: "sheet" },
    el("h2", null, `${verdict.sign} ${fn.name}`),
    el("p", null, functionFacts(fn)),
    el("p", null, data.rules.map(({ number }) => `R${number} ${verdictOf(fn.rules[`R${number}`]).sign}`).join("  ")),
    el("ul", null, findingsList(fn)),
    el("div", { class: "columns" }, paperCode(fn),
      el("div", null, index >= 0 ? el("h3", null, `Frame before ${hex(fn.code[index].offset)}`) : null,
        frameWithWords(fn, index))),
    landing ? el("section", { class: "sheet" },
      el("h2", null, "Boundary and callback"), landingContent(landing)) : null);
}

function renderPaper() {
  const order = [...data.functions].sort((a, b) => a.sound - b.sound);
  byId("paper").replaceChildren(
    el("h1", null, `jitframe check ${data.input}`),
    el("p", null, `${data.target}. `, byId("verdict").textContent, "."),
    el("p", null, assumedText()),
    ...order.slice(0, PRINTED_MAX).map(paperFunction),
    order.length > PRINTED_MAX ? el("p", null, `and ${order.length - PRINTED_MAX} more functions`) : "");
  document.body.classList.add("printing");
}

function clearPaper() {
  document.body.classList.remove("printing");
  byId("paper").replaceChildren();
}
