"""Put together what Sphinx reads: build/book_source/, from the executed solutions. Nothing is executed."""

import html
import itertools
import re
import shutil

import nbformat

from authoring import build, notebooks, sceptic
from authoring import chapter as chapters
from book import glossary
from coursekit import claims as shown
from coursekit import manifest, places
from serving import npm

SOURCE = places.ROOT / "build" / "book_source"
MATHJAX = places.FETCHED / "mathjax"
PACKAGES = {
    "mathjax": (
        "3.2.2",
        "Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
        ["es5/tex-svg.js"],
    )
}
MERMAID = places.FETCHED / "mermaid"
MERMAID_PACKAGES = {
    "mermaid": (
        "11.16.1",  # as in JupyterLab
        "TQsq6u22fAn3rek5VOubrhKPo1g5hwC3FXUN9hiyupTckcYiGuuKGkNQrKYwGJkXUxZdojwRG46gsSCFZMDp4g==",
        ["dist/mermaid.min.js"],
    )
}
DRAWINGS = places.ROOT / "book" / "drawings.js"
VERSIONS = ("tensorflow", "keras", "numpy", "scikit-learn", "matplotlib", "ai-edge-litert", "onnxruntime", "tokenizers")
DESCRIBED = re.compile(r"<small>.*</small>", re.DOTALL)
MARKER = re.compile(rf"^ *({chapters.BEGIN}|{chapters.END})\n?", re.MULTILINE)


def page(name):
    """The solution notebook of a chapter, made ready for readers: solutions folded, checks and to-do list left out."""
    notebook = nbformat.read(places.SOLUTIONS / f"{name}.ipynb", as_version=4)
    cells = []
    for cell in notebook.cells:
        tags = chapters.tags(cell)
        if cell.cell_type == "code":
            if {"check", "guard"} & tags or ("setup" in tags and cell.source.startswith("ck.progress")):
                continue
            cell.source = MARKER.sub("", cell.source).rstrip()
            cell.metadata = nbformat.NotebookNode(_shown(cell, tags))
            cell.outputs = [output for output in cell.outputs if not is_caption(output)]
        else:
            cell.source = cell.source.removesuffix("### What is left to do").rstrip()
            cell.metadata = nbformat.NotebookNode()
        cells.append(cell)
    notebook.cells = cells
    return notebook


def _shown(cell, tags):
    """The metadata by which MyST-NB folds a cell, and knows the alt text of its pictures."""
    shown = {}
    if "exercise" in tags:
        prompts = {"code_prompt_show": "Show a solution", "code_prompt_hide": "Hide the solution"}
        shown = {"tags": ["hide-input"], "mystnb": prompts}
    if notebooks.FOLDED & tags:
        prompts = {"code_prompt_show": "Show the code", "code_prompt_hide": "Hide the code"}
        shown = {"tags": ["hide-input"], "mystnb": prompts}
    if {"quiz", "guess"} & tags:
        shown = {"tags": ["remove-input"]}
    pictures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
    texts = [output.metadata["image/png"]["alt"] for output in pictures]
    if texts:
        shown["mystnb"] = shown.get("mystnb", {}) | {"image": {"alt": html.unescape(" ".join(texts))}}
    return shown


def is_caption(output):
    """Whether an output is the sentence that ck.show prints below its picture; the page has it as alt text."""
    return bool(DESCRIBED.fullmatch(output.get("data", {}).get("text/html", "").strip()))


def facts():
    """The page of measured facts: what each chapter takes, and with which versions it was run last."""
    slowest = {name: run["slowest"] for name, run in build.read_runs().items()}
    locked = (places.ROOT / "requirements.txt").read_text(encoding="utf8")
    found = {name: re.search(rf"^{re.escape(name)}==([\w.]+)", locked, re.MULTILINE)[1] for name in VERSIONS}
    lines = [
        "# What was measured",
        "",
        "Every chapter is executed again at every change, and its outputs are compared.",
    ]
    lines += ["The seconds are those of a whole run on two CPU cores, without a GPU.", ""]
    lines += ["| Chapter | Seconds to run | Longest cell | Exercises | Minutes to learn |", "|---|---|---|---|---|"]
    for chapter in manifest.chapters():
        title = f"[{chapter.number} · {chapter.title}](chapters/{chapter.name})"
        numbers = f"{chapter.seconds} | {slowest[chapter.name]} s | {len(chapter.exercises)} | {chapter.minutes}"
        lines.append(f"| {title} | {numbers} |")
    lines += ["", "Last verified with Python 3.11 and", "", "| Package | Version |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {version} |" for name, version in found.items()), ""])


def claims():
    """The page of all claims with the repeats in which they were tried."""
    lines = ["# What was claimed", ""]
    lines += ["A conclusion of a chapter is repeated with other seeds and under other conditions before it may stand."]
    lines += ["Below each stands how often it held, and behind it, what was changed and measured.", ""]
    for name in chapters.names():
        evidence = sceptic.stored(name)
        if evidence is None:
            continue
        chapter = chapters.read(name)
        lines += [f"## [{chapter.number} · {chapter.header.title}](chapters/{name})", ""]
        for sentence, claimed in evidence["claims"].items():
            repeats = claimed["repeats"]
            rows = [{"changed": {}, "held": claimed["held"], "measured": claimed["measured"]}, *repeats]
            columns = list(dict.fromkeys(name for row in rows for name in row["measured"]))
            lines += [f"### {sentence}", "", shown.summary(repeats).capitalize() + ".", ""]
            lines += [f"| repeat | held | {' | '.join(columns)} |", "|---|---|" + "---|" * len(columns)]
            for row in rows:
                measured = {name: shown.short(value) for name, value in row["measured"].items()}
                cells = [shown.changes(row) or "as in the chapter", "✓" if row["held"] else "✗"]
                lines.append(f"| {' | '.join([*cells, *(measured.get(name, '–') for name in columns)])} |")
            lines.append("")
    return "\n".join(lines)


def index():
    """The first page: what the course is, and its chapters."""
    readme = (places.ROOT / "README.md").read_text(encoding="utf8")
    what = readme.split("\n\n")[1]
    lines = ["# Big Models, Small Steps", "", what, ""]
    lines += [
        "This site is for reading: every number and picture comes from a run of the notebooks. To run them yourself"
    ]
    lines += ["and to have your answers checked, take the course and type `make lab`.", ""]
    for part, group in itertools.groupby(manifest.chapters(), lambda chapter: chapter.part):
        names = (f"chapters/{chapter.name}" for chapter in group)
        lines += ["```{toctree}", f":caption: {part}", ":maxdepth: 1", "", *names, "```", ""]
    return "\n".join([*lines, "```{toctree}", ":caption: To look up", "", "glossary", "claims", "facts", "```", ""])


def fetch():
    """Fetch what draws formulas and schemes in the book and on the slides."""
    npm.fetch(MATHJAX, PACKAGES)
    npm.fetch(MERMAID, MERMAID_PACKAGES)


def main():
    fetch()
    shutil.rmtree(SOURCE, ignore_errors=True)
    (SOURCE / "chapters").mkdir(parents=True)
    (SOURCE / "_static").mkdir()
    for name in chapters.names():
        nbformat.write(page(name), SOURCE / "chapters" / f"{name}.ipynb")
    for name, text in {"index": index(), "glossary": glossary.page(), "claims": claims(), "facts": facts()}.items():
        (SOURCE / f"{name}.md").write_text(text, encoding="utf8")
    shutil.copy(MATHJAX / "mathjax" / "es5" / "tex-svg.js", SOURCE / "_static" / "mathjax.js")
    (SOURCE / "_static" / "mermaid" / "dist").mkdir(parents=True)
    shutil.copy(MERMAID / "mermaid" / "dist" / "mermaid.min.js", SOURCE / "_static" / "mermaid" / "dist")
    shutil.copy(DRAWINGS, SOURCE / "_static" / "mermaid")
    shutil.copy(places.ROOT / "book" / "conf.py", SOURCE / "conf.py")
    shutil.copy(places.ROOT / "book" / "narrow.css", SOURCE / "_static" / "narrow.css")


if __name__ == "__main__":
    main()
