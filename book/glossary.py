"""The glossary: terms with a Chinese name, as the chapters introduce them (book/terms.toml has their meanings)."""

import re
import tomllib

from authoring import chapter as chapters
from coursekit import places

TERMS = places.ROOT / "book" / "terms.toml"
NAMED = re.compile(r"([^()]{0,60})\(([一-鿿]+)\)")


def terms():
    """{Chinese name: (English term, meaning)}"""
    return {name: tuple(line) for name, line in tomllib.loads(TERMS.read_text(encoding="utf8")).items()}


def introduced():
    """{Chinese name: list of (chapter, the words before it)}, in the order of the chapters."""
    found = {}
    for name in chapters.names():
        for _, cell in chapters.read(name).cells("markdown"):
            for words, chinese in NAMED.findall(" ".join(cell.source.split())):
                found.setdefault(chinese, []).append((name, words))
    return found


def page():
    """The glossary as Markdown: one row a term, in the order of the alphabet, with links to the chapters."""
    known, rows = terms(), []
    for chinese, places_of in introduced().items():
        term, meaning = known[chinese]
        links = ", ".join(
            f"[{name.partition('_')[0]}](chapters/{name})" for name in dict.fromkeys(n for n, _ in places_of)
        )
        rows.append((term.lower(), f"| {term} {chinese} | {meaning} | {links} |"))
    head = ["# Glossary", "", f"{len(rows)} terms, as the chapters introduce them.", ""]
    return "\n".join(
        [*head, "| Term 中文 | Meaning | Chapter |", "|---|---|---|", *(row for _, row in sorted(rows)), ""]
    )
