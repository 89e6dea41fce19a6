# SPDX-License-Identifier: BSD-2-Clause
"""Names of anybody stay text, and nothing runs that is not the page's."""

import dumps

HOSTILE = [
    "</script><script>window.hit = 1</script>", "<img src=x onerror='window.hit = 1'>", "\"'><svg onload=window.hit=1>",
    "<!--<script>", "\u2028\u2029 </template><script>window.hit=1</script>", "${window.hit = 1}",
    "&lt;b&gt; &amp; {{frames}}",
    "__proto__", "\\\"};window.hit=1;//",
]


def names_stay_text(t):
    code = bytes.fromhex(t.command.emitted(t.targets[0], "boundary")["code"])
    path = dumps.write(t.folder / "a '\"<b>&.json", {name: code for name in HOSTILE})
    page, wanted = t.command.page(str(path), "--target", t.targets[0])
    t.open(page)
    names = t.js("[...document.querySelectorAll('#functions .name')].map((name) => name.textContent)")
    if names != HOSTILE or [function["name"] for function in wanted["functions"]] != HOSTILE:
        yield f"the names are {names}"
    titles = t.js("""[...document.querySelectorAll("#functions button")].map((button) => {
        button.click(); return document.querySelector("#summary h2").textContent.slice(2); })""")
    if titles != HOSTILE:
        yield f"the titles are {titles}"
    t.js("dispatchEvent(new Event('beforeprint'))")
    found = t.js("[window.hit ?? 0, document.querySelectorAll('img, svg[onload], h1 b, h2 b, li b').length,"
                 " document.querySelectorAll('script').length]")
    if found != [0, 0, 2]:
        yield f"a name got in: {found}"
    if str(path) not in t.js("document.title"):
        yield f"the title is {t.js('document.title')}"
    yield from t.quiet()


def the_browser_refuses_what_is_not_the_pages(t):
    page, _ = t.command.page(str(t.dump("-switch")[0]))
    t.open(page)
    t.js("document.head.append(Object.assign(document.createElement('script'), {textContent: 'window.hit = 1'}))")
    if t.js("window.hit ?? 0") or not any("Content Security Policy" in problem for problem in t.browser.problems):
        yield "another script runs"
    if t.js("fetch('data:,x').then(() => 1, () => 0)"):
        yield "the page may fetch"
