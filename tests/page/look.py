# SPDX-License-Identifier: BSD-2-Clause
"""What a reader would see, asked of the page: expressions for it to answer."""

# Whether all of an element is in the window, and nothing hides its beginning. One selector goes in.
IN_VIEW = """(() => {
    const element = document.querySelector(`%s`);
    if (!element) return false;
    const r = element.getBoundingClientRect();
    if (!r.width || r.left < 0 || r.top < 0 || r.bottom > innerHeight || r.left > innerWidth) return false;
    const there = document.elementFromPoint(r.left + 3, r.top + r.height / 2);
    return element === there || element.contains(there) || there.contains(element);
})()"""

# The contrast of every text that is shown with what is behind: 4.5 at least (WCAG 2.2, 1.4.3).
CONTRAST = """(() => {
    const parse = (text) => {
        const n = text.match(/[\\d.]+/g).map(Number);
        return { rgb: n.slice(0, 3), a: n[3] ?? 1 };
    };
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const light = ({ rgb }) => {
        const [r, g, b] = rgb.map((c) => linear(c / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ratio = (a, b) => {
        const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
        return (x + 0.05) / (y + 0.05);
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.a === 1) return colour;
        }
        return parse(getComputedStyle(document.documentElement).backgroundColor);
    };
    const faults = [];
    let texts = 0;
    for (const element of document.querySelectorAll("body *")) {
        if (!element.checkVisibility?.() || element.closest("dialog, script, template, title")) continue;
        if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
        const style = getComputedStyle(element), isSvg = element.namespaceURI.includes("svg");
        const rect = isSvg && element.closest("g.slot")?.querySelector("rect");
        const inside = rect && !element.matches(".off");
        const fill = inside ? getComputedStyle(rect).fill : "none";
        const back = fill !== "none" ? parse(fill) : behind(element);
        const found = ratio(parse(isSvg ? style.fill : style.color), back);
        texts++;
        if (found < 4.5)
            faults.push(`${element.tagName}.${element.getAttribute("class")} "${element.textContent.slice(0, 30)}": ` +
                found.toFixed(2));
    }
    return { texts, faults };
})()"""

# What has the focus: the nearest thing with a name, what a screen reader would say, and whether it is outlined.
FOCUS = """(() => {
    const element = document.activeElement;
    const marked = element.id === "lines" ? element.querySelector("[aria-selected=true]") : element;
    return {
        what: element === document.body ? "body" : element.closest("[id]").id.replace(/^(function|tab)-.*/, "$1s"),
        name: element === document.body ? "page" : element.getAttribute("aria-label") ?? element.textContent.trim(),
        outlined: element === document.body || parseFloat(getComputedStyle(marked).outlineWidth) > 0 &&
            getComputedStyle(marked).outlineStyle !== "none",
    };
})()"""
