"""Slides of the chapters, for a class and without a network (`make slides CHAPTERS=01`): build/slides/NAME.html.

nbconvert makes them from the executed solutions: nothing is executed, and of an exercise the task is shown, not the
solution. Everything that a page loads lies beside it in lib/, so the folder also works from a USB stick.
"""

import argparse
import copy
import html
import itertools
import re
import shutil
import sys

import nbformat
from nbconvert.exporters import SlidesExporter
from traitlets.config import Config

from authoring import chapter as chapters
from authoring import notebooks
from book import assemble
from coursekit import manifest, places
from serving import npm

FOLDER = places.ROOT / "build" / "slides"
TEMPLATES = places.ROOT / "classroom"
REVEAL = places.FETCHED / "reveal"
KINDS = ("regular", "italic", "semibold", "semibolditalic")
FONTS = ["source-sans-pro.css", *(f"source-sans-pro-{kind}.woff" for kind in KINDS)]
PACKAGES = {
    "reveal.js": (
        "5.2.1",
        "r7//6mIM5p34hFiDMvYfXgyjXqGRta+/psd9YtytsgRlrpRzFv4RbH76TXd2qD+7ZPZEbpBDhdRhJaFgfQ7zNQ==",
        [
            "dist/reveal.js",
            "dist/reveal.css",
            "dist/theme/white.css",
            *(f"dist/theme/fonts/source-sans-pro/{font}" for font in FONTS),
        ],
    )
}
LINES, WORDS = 22, 110  # that a slide holds: lines of code and output, words of text
SHORT = 40  # words of a text that still fits below a picture or a few lines of code
HEADING = re.compile(r"^(?=#{1,3} )", re.MULTILINE)
SKIPPED = ("### References", "### What is left to do")
SKIPPED_CODE = ("ck.progress(", "ck.hint(", "ck.solution(")


def deck(name):
    """The notebook of a chapter's slides."""
    solved = nbformat.read(places.SOLUTIONS / f"{name}.ipynb", as_version=4)
    tasks = {cell.id: cell for cell in nbformat.read(places.CHAPTERS / f"{name}.ipynb", as_version=4).cells}
    slides = []
    for cell in solved.cells:
        tags = chapters.tags(cell)
        if {"setup", "check", "guard", "guess", "parameters"} & tags or cell.source.startswith(SKIPPED_CODE):
            continue
        if cell.cell_type == "markdown":
            text = notebooks.LINK.sub(r"\1", cell.source)  # to notebooks, which do not lie beside the slides
            slides += _texts(text, room=bool(slides) and _has_room(slides[-1]))
        elif "quiz" in tags:
            slides.append(_slide(cell, "subslide", ["only-output"]))
        elif "exercise" in tags:
            slides.append(_slide(tasks[cell.id], "-"))
        elif notebooks.FOLDED & tags:
            slides.append(_slide(_without_captions(cell), "subslide", ["only-output"]))
        else:
            slides += _code(cell)
    for before, after in itertools.pairwise(slides):
        if before.source.startswith("#") and "\n" not in before.source and not _is_code(after):
            after.metadata["slideshow"]["slide_type"] = "-"  # a heading alone is no slide
    for number, cell in enumerate(slides):
        cell.id = f"slide-{number}"
    notebook = nbformat.v4.new_notebook(cells=slides, metadata=copy.deepcopy(solved.metadata))
    notebook.metadata["title"] = slides[0].source.splitlines()[0].lstrip("# ")
    return notebook


def _texts(source, room):
    """Slides of a Markdown cell: one for each heading, and a further one where a text is long.

    room: whether a short text without a heading may stand below what the slide before shows.
    """
    slides = []
    for part in HEADING.split(source):
        if not part.strip() or part.startswith(SKIPPED):
            continue
        first = "slide" if part.startswith(("# ", "## ")) else "subslide"
        if room and not slides and not part.startswith("#") and len(part.split()) <= SHORT:
            first = "-"
        for text in _shared_out(part):
            slides.append(_slide(nbformat.v4.new_markdown_cell(text), first))
            first = "subslide"
    return slides


def _has_room(slide):
    """Whether a few lines still fit below a slide: a picture that is not tall, or a little code."""
    pictures = [output for output in slide.get("outputs", []) if "image/png" in output.get("data", {})]
    texts = sum(len(output.get("text", "").splitlines()) for output in slide.get("outputs", []))
    return slide.cell_type == "code" and not pictures and len(slide.source.splitlines()) + texts <= LINES // 2


def _shared_out(text):
    """The paragraphs of `text` in groups of at most WORDS words."""
    groups = [[]]
    for paragraph in re.split(r"\n\n(?!\s)", text.strip()):
        alone = len(groups[-1]) == 1 and groups[-1][0].startswith("#")  # a heading keeps what follows it
        if groups[-1] and not alone and len(" ".join([*groups[-1], paragraph]).split()) > WORDS:
            groups.append([])
        groups[-1].append(paragraph)
    return ["\n\n".join(group) for group in groups]


def _code(cell):
    """Slides of a code cell: code and output together where both fit, else one after the other."""
    code = _without_captions(cell)
    outputs = code.outputs
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    lines = len(cell.source.splitlines()) + sum(len(output.get("text", "").splitlines()) for output in outputs)
    if not outputs or (lines <= LINES and not pictures):
        return [_slide(code, "subslide")]
    alone = copy.deepcopy(code)
    alone.outputs = []
    return [_slide(alone, "subslide"), _slide(code, "subslide", ["only-output"])]


def _without_captions(cell):
    """The cell without the sentences below its pictures; their alt texts as plain text."""
    cell = copy.deepcopy(cell)
    cell.outputs = [output for output in cell.outputs if not assemble.is_caption(output)]
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            output.metadata["image/png"]["alt"] = html.unescape(output.metadata["image/png"]["alt"])
    return cell


def _is_code(slide):
    """Whether a slide shows code."""
    return slide.cell_type == "code" and "only-output" not in slide.metadata["tags"]


def _slide(cell, kind, tags=()):
    cell = copy.deepcopy(cell)
    cell.metadata = nbformat.NotebookNode({"slideshow": {"slide_type": kind}, "tags": list(tags)})
    return cell


def write(name):
    """Write the slides of a chapter into build/slides/."""
    config = Config()
    config.TagRemovePreprocessor.remove_input_tags = {"only-output"}
    config.TagRemovePreprocessor.enabled = True
    exporter = SlidesExporter(
        config=config,
        template_name="slides_template",
        extra_template_basedirs=[str(TEMPLATES)],
        reveal_url_prefix="lib/reveal.js",
        reveal_theme="white",
    )
    page, _ = exporter.from_notebook_node(deck(name))
    places.write_atomically(FOLDER / f"{name}.html", page.encode("utf8"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chapters", nargs="*", help="names, or beginnings of names, of chapters; none: all")
    asked = tuple(parser.parse_args().chapters)
    known = [chapter.name for chapter in manifest.chapters()]
    chosen = [name for name in known if not asked or name.startswith(asked)]
    if not chosen:
        sys.exit(f"There is no chapter {asked[0]!r}; there are {', '.join(known)}.")
    npm.fetch(REVEAL, PACKAGES)
    assemble.fetch()
    for folder in (REVEAL, assemble.MATHJAX, assemble.MERMAID):
        shutil.copytree(folder, FOLDER / "lib", dirs_exist_ok=True)
    shutil.copy(TEMPLATES / "slides_template" / "slides.css", FOLDER / "lib")
    shutil.copy(assemble.DRAWINGS, FOLDER / "lib" / "mermaid")
    for name in chosen:
        write(name)
    print(f"build/slides/: {len(chosen)} decks")


if __name__ == "__main__":
    main()
