# SPDX-License-Identifier: BSD-2-Clause
"""Themes, paper, small windows, the keyboard's way through the page."""

import look


def both_themes_can_be_read(t):
    backgrounds = set()
    for ending, fragment in (("-small-64", "#0"), ("-small-64", "#1b"), ("-switch", "#0"), ("-small-64", "#0+0x5c"),
                             ("-private-exceptions", "#0")):
        page, _ = t.command.page(str(t.dump(ending)[0]))
        for theme in ("light", "dark"):
            t.open(page, fragment, prefers_color_scheme=theme)
            seen = t.js(look.CONTRAST)
            backgrounds.add((theme, t.js("getComputedStyle(document.documentElement).backgroundColor")))
            if seen["texts"] < 60:
                yield f"{theme}: only {seen['texts']} texts"
            for fault in seen["faults"][:5]:
                yield f"{page.name}{fragment} in {theme}: {fault}"
    if len({colour for _, colour in backgrounds}) != 2:
        yield f"the themes have {backgrounds}"


def paper_has_everything(t):
    page, wanted = t.command.page(str(t.dump("-small-64")[0]))
    t.open(page, prefers_color_scheme="dark")
    pdf = t.browser.call("Page.printToPDF", printBackground=True)["data"]
    if not pdf.startswith("JVBERi0") or t.js("document.querySelector('#paper').textContent") != "":
        yield "printing leaves something behind"
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    t.browser.call("Emulation.setEmulatedMedia", media="print", features=dark)
    t.js("dispatchEvent(new Event('beforeprint'))")
    paper = t.js("document.querySelector('#paper').innerText")
    for function in wanted["functions"]:
        for text in (function["name"], *(finding["text"] for finding in function["findings"])):
            if text not in paper:
                yield f"the paper lacks {text}"
    count = lambda selector: t.js(f"document.querySelectorAll('#paper {selector}').length")
    if count(".code .text") != sum(function["instructions"] for function in wanted["functions"]):
        yield f"the paper has {count('.code .text')} instructions"
    if count(".code .note") != sum(len(function["findings"]) for function in wanted["functions"]):
        yield f"the paper has {count('.code .note')} findings in the code"
    if count("svg") != 4:  # of each function, and of both where the callback lands
        yield f"the paper has {count('svg')} frames"
    if t.js("getComputedStyle(document.documentElement).backgroundColor") != "rgb(255, 255, 255)":
        yield "the paper is dark"
    if t.js("getComputedStyle(document.querySelector('#app')).display") != "none":
        yield "the panes are printed, too"
    yield from t.js(look.CONTRAST)["faults"][:5]


def no_window_needs_scrolling_sideways(t):
    page, _ = t.command.page(str(t.dump("-small-64")[0]))
    for width in (1280, 1600):
        t.open(page, width=width)
        for pane in ("code", "frame", "registers"):
            if t.js(f"document.querySelector('#{pane}').scrollWidth > document.querySelector('#{pane}').clientWidth"):
                yield f"the pane {pane} is too narrow at {width}"
    for path in (t.dump("-small-64")[0], t.dump("-switch")[0]):
        page, _ = t.command.page(str(path))
        for fragment in ("", "#0b"):
            t.open(page, fragment, width=420, height=800)
            if t.js("scrollY") or not t.js(look.IN_VIEW % "#assumed"):
                yield f"{path.name}{fragment}: it opens somewhere below"
            if t.js("document.documentElement.scrollWidth") > 420:
                yield f"{path.name}{fragment}: {t.js('document.documentElement.scrollWidth')} pixels wide"


def the_keyboard_reaches_everything(t):
    page, _ = t.command.page(str(t.dump("-small-64")[0]))
    t.open(page)
    t.js("document.activeElement.blur()")
    seen = set()
    for _ in range(60):
        t.key("Tab")
        found = t.js(look.FOCUS)
        seen.add(found["what"])
        if not found["name"]:
            yield f"{found['what']} has no name"
        if not found["outlined"]:
            yield f"{found['what']} does not show that it has the focus"
    wanted = {"keys", "functions", "rules", "findings", "tabs", "lines", "frame", "registers"}
    if not wanted <= seen:
        yield f"no way to {wanted - seen}"
    t.js("document.querySelector('#tab-step').focus()")
    t.key("ArrowRight")
    if not t.js("document.querySelector('#landing').checkVisibility()"):
        yield "arrow keys do not choose a tab"
    for role in ("listbox", "option", "tablist", "tab", "tabpanel", "status", "navigation", "main"):
        tags = {"navigation": "nav", "main": "main"}
        if not t.js(f"document.querySelector('{tags.get(role, f'[role={role}]')}') !== null"):
            yield f"nothing has the role {role}"
