"""The glossary: terms with a Chinese name, as the chapters introduce them (book/terms.toml has their meanings)."""

import functools
import itertools
import re
import sys
import tomllib

from authoring import chapter as chapters
from coursekit import places

TERMS = places.ROOT / "book" / "terms.toml"
CHINESE = re.compile("[一-鿿]")
BRACKET = re.compile(r"([^()]*)\(([^()]*[一-鿿][^()]*)\)")
WORDS = 3  # before a Chinese name, among which its term stands: "warm a learning rate up (学习率预热)"


def terms():
    """{Chinese name: (English term, meaning)}"""
    return {name: tuple(line) for name, line in tomllib.loads(TERMS.read_text(encoding="utf8")).items()}


def introduced():
    """{Chinese name: list of (chapter, the words at it)}, in the order of the chapters.

    A bracket may hold several names, `query, key and value (查询, 键, 值)`, and English, `(teacher forcing, 教师强制)`.
    """
    return _introduced(chapters.SOURCE)


@functools.cache
def _introduced(source):  # one result for each folder of sources
    found = {}
    for name in chapters.names():
        for _, cell in chapters.read(name).cells("markdown"):
            for before, inside in BRACKET.findall(cell.source):
                parts = [part.strip() for part in re.split("[,;]", inside)]
                known = [part for part in parts if CHINESE.search(part)]
                words = before.split()[-WORDS * len(known) :] + [part for part in parts if part not in known]
                for chinese in known:
                    found.setdefault(chinese, []).append((name, " ".join(words)))
    return found


def page():
    """The glossary as Markdown, in the order of the alphabet; each term links to the chapters, the first one first.

    Ends Python with a sentence when a chapter names what terms.toml does not hold.
    """
    known, entries = terms(), []
    for chinese, found in introduced().items():
        if chinese not in known:
            sys.exit(f"Problem: {chinese} of chapter {found[0][0]} has no line in book/terms.toml. Write one.")
        term, meaning = known[chinese]
        names = dict.fromkeys(name for name, _ in found)
        links = ", ".join(f"[{name.partition('_')[0]}](chapters/{name})" for name in names)
        word = "Chapter" if len(names) == 1 else "Chapters"
        entries.append((term.casefold(), f"{term} {chinese}\n  {meaning} {word} {links}.\n"))
    lines = ["# Glossary", "", f"{len(entries)} terms, as the chapters introduce them.", ""]
    for letter, group in itertools.groupby(sorted(entries), lambda entry: entry[0][0]):
        lines += [f"## {letter.upper()}", "", "```{glossary}", *(entry for _, entry in group), "```", ""]
    return "\n".join(lines)
