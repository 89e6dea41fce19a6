# SPDX-License-Identifier: BSD-2-Clause
"""The rules about pages: paths and links that they name exist. Each yields what is wrong."""

import fnmatch
import pathlib
import re

from source import COMMENT

PATH_START = ("src/", "backends/", "include/", "tools/", "tests/", "scripts/", "docs/", "examples/", "bench/")
# A word that begins with one of the tree's folders; not a part of a longer path or of an address.
PATH_WORD = re.compile(r"(?<![\w./-])(?:%s)(?:[\w./*-]|\[\w+\])*" % "|".join(PATH_START))
LINK = re.compile(r"\]\(([^)\s]+)\)|\b(?:src|href)=\"([^\"]+)\"")


def pages(tree):
    """What people read: pages, and the comments of public and internal headers."""
    yield from tree.texts(".md")
    for name in tree.under("include/", "src/"):
        if name.endswith(".h"):
            yield name, "\n".join(match.group() for match in COMMENT.finditer(tree.text(name)))


def pages_name_paths_that_exist(tree):
    """ARCH stands for the folder of every backend, "*" and "[ch]" for what a shell makes of them."""
    names = set(tree.files)
    for name in tree.files:
        names.update(f"{parent}/" for parent in pathlib.PurePath(name).parents)
    archs = sorted({pathlib.PurePath(name).parts[1] for name in tree.under("backends/") if name.count("/") == 2})
    count = 0
    for page, text in pages(tree):
        for word in PATH_WORD.findall(text):
            path = word.rstrip(".,:;-")
            count += 1
            for wanted in [path.replace("ARCH", arch) for arch in archs] if "ARCH" in path else [path]:
                if not fnmatch.filter(names, wanted) and f"{wanted}/" not in names:
                    yield f"{page} names {wanted}, which is not there"
    if count < 50:
        yield f"only {count} paths were found"


def pages_link_to_what_exists(tree):
    count = 0
    for page, text in tree.texts(".md"):
        for link in (first or second for first, second in LINK.findall(text)):
            if re.match(r"[a-z]+:", link):
                continue
            count += 1
            path, _, anchor = link.partition("#")
            target = (tree.root / page).parent / path if path else tree.root / page
            if not target.exists():
                yield f"{page} links to {link}, which is not there"
            elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
                yield f"{page} links to {link}: no such heading"
    if count < 20:
        yield f"only {count} links were found"


def anchors(text):
    """Of the headings of a page, as forges make them."""
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        yield re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


def the_index_lists_every_page(tree):
    index, installed = tree.text("docs/README.md"), tree.text("docs/meson.build")
    for name in tree.under("docs/"):
        page = name.removeprefix("docs/")
        if page.endswith(".md") and page != "README.md" and f"]({page})" not in index:
            yield f"docs/README.md does not list {page}"
        if page.endswith((".md", ".svg")) and f"'{page}'" not in installed:
            yield f"docs/meson.build does not install {page}"


def the_glossary_is_in_order_and_linked(tree):
    """Every word is one that some page, or another word, links to."""
    words = re.findall(r"^## (.*)$", tree.text("docs/glossary.md"), re.M)
    linked = {link.partition("#")[2] for _, text in tree.texts(".md") for link in re.findall(r"\]\(([^)\s]*)\)", text)
              if link.startswith(("glossary.md#", "docs/glossary.md#", "#"))}
    if words != sorted(words, key=str.lower):
        yield "docs/glossary.md is not in alphabetical order"
    for word, anchor in zip(words, anchors("\n".join(f"## {word}" for word in words))):
        if anchor not in linked:
            yield f"no page links to {word} of docs/glossary.md"


STRUCT = re.compile(r"^(?:JF_EXTENSION )?struct (jf_\w+) \{", re.M)


def the_page_of_compatibility_names_every_struct(tree):
    """Of each struct in a public header the page says whether it may grow."""
    page = "docs/compatibility.md"
    named = set(re.findall(r"`(jf_\w+)`", tree.text(page)))
    there = {struct: name for name in tree.headers() for struct in STRUCT.findall(tree.text(name))}
    for struct in sorted(there.keys() - named):
        yield f"{page} says nothing of struct {struct} ({there[struct]})"
    if len(there) < 50:
        yield f"only {len(there)} structs were found"
