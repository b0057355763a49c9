"""Rules for chapters: each a small function that yields what is wrong (`python -m authoring.lint`).

A rule takes a Chapter and its executed solution notebook (or None before the first build). The rules of NEW hold for
the chapters that not_rewritten.txt does not list; those of ADVICE only warn.
"""

import ast
import re
import sys

import nbformat

from authoring import chapter as chapters
from authoring import moved
from coursekit import checking, places

LONGEST_CELL = 30  # lines
WIDEST_LINE = 88  # columns: what JupyterLab and the book show without scrolling
CODE_CELLS = (15, 45)
WORDS = (1_000, 2_600)
EXERCISES = (4, 7)
QUESTIONS = (3, 5)
IGNORED_OUTPUTS = 3  # in the whole course
TOUR = "00"  # chapter 00 is exempt from counts and clinic
SETUP = "import coursekit as ck\n\nck.start()"
COLOURS = re.compile(r"C[0-7]|black|grey|white|none")
COLOUR_MAPS = {"viridis", "cividis", "gray", "RdBu"}
# Terms that a chapter introduces, with their Chinese name, before it uses them, unless an earlier chapter did.
INTRODUCED = (
    "轮次",
    "批次",
    "梯度",
    "对数几率",
    "验证集",
    "学习率",
    "特征值",
    "过拟合",
    "正则化",
    "损失函数",
    "优化器",
)
VERDICT = re.compile(r"\b(?:True|False)\b|\bbetween \S+ and \S+")
UNSTABLE = {
    "an absolute path": r"(?<![\w.])/(?:tmp|root|home|work|opt|usr|Users)/[\w.\-/]+|[A-Z]:\\\w",
    "a memory address": r"0x[0-9a-f]{8,}",
    "a clock time or a date": r"\b\d{1,2}:\d{2}:\d{2}\b|\b20\d\d-\d\d-\d\d\b",
    "a duration": r"\b\d+(\.\d+)?\s?(ms|µs|s)/(step|epoch)\b",
    "a progress bar": r"━{3,}|\d+/\d+ \[=|it/s\]|\d+%\|",
    "a negative zero": r"(?<![\d.])-0\.0*(?![\d])",
}


def cell_length(chapter, solved):
    for index, cell in chapter.cells():
        lines = len(cell.source.splitlines())
        if lines > LONGEST_CELL:
            yield f"line {chapter.lines[index]}: a code cell of {lines} lines; {LONGEST_CELL} at most"


def code_width(chapter, solved):
    for index, cell in chapter.cells(without=()):
        widest = max(map(len, cell.source.splitlines()), default=0)
        if widest > WIDEST_LINE:
            yield f"line {chapter.lines[index]}: a line of code of {widest} columns; {WIDEST_LINE} at most"


def printed_verdicts(chapter, solved):
    for index, cell in _outputs(solved):
        if not {"check", "quiz", "conclusion"} & chapters.tags(cell):
            for line in moved.texts(cell):
                if VERDICT.search(line) and not line.startswith("Figure:"):
                    yield f"cell {index}: prints a verdict where a number is meant: {line.strip()[:80]}"


def plain_training(chapter, solved):
    for index, cell in chapter.cells():
        for node in ast.walk(ast.parse(cell.source)):
            bases = [ast.unparse(base) for base in getattr(node, "bases", ())]
            if isinstance(node, ast.ClassDef) and not any(base.startswith(("keras.", "layers.")) for base in bases):
                yield f"line {chapter.lines[index]}: class {node.name}: train with compile, fit and callbacks"


def introduced_terms(chapter, solved):
    from book import glossary

    known, before = glossary.terms(), chapters.names()[: chapters.names().index(chapter.name)]
    text = re.sub(r"`[^`]*`", "", _markdown(chapter))
    for chinese in INTRODUCED:
        if chinese not in known or any(name in before for name, _ in glossary.introduced().get(chinese, ())):
            continue
        used = re.search(rf"\b{known[chinese][0]}s?\b", text, re.IGNORECASE)
        place = text.find(chinese)
        if used and (place < 0 or used.start() < place - 120):
            yield f"{known[chinese][0]!r} is used before it is introduced with its Chinese name, {chinese}"


def length(chapter, solved):
    for what, number, (least, most) in [
        ("code cells", sum(1 for _ in chapter.cells()), CODE_CELLS),
        ("words", word_count(chapter), WORDS),
    ]:
        if not least <= number <= most and chapter.number != TOUR:
            yield f"{number} {what}; most chapters have {least} to {most}: would two parts read better?"


def counts(chapter, solved):
    if chapter.number == TOUR:
        return
    exercises, questions = (
        sum(tag in chapters.tags(c) for c in chapter.notebook.cells) for tag in ("exercise", "quiz")
    )
    for what, number, (least, most) in [
        ("exercises", exercises, EXERCISES),
        ("quiz questions", questions, QUESTIONS),
    ]:
        if not least <= number <= most:
            yield f"{number} {what}; {least} to {most} are asked for"


def word_count(chapter):
    """Words of the chapter's Markdown."""
    return sum(len(re.findall(r"\w+", cell.source)) for _, cell in chapter.cells("markdown"))


def setup_cell(chapter, solved):
    first = next((cell.source for _, cell in chapter.cells()), "")
    if first != SETUP:
        yield f"the first code cell must be exactly: {SETUP!r}"


def clinic(chapter, solved):
    text = _markdown(chapter)
    found = re.findall(r"^### (\d\d-\d+) · ", text, re.MULTILINE)
    if sorted(found) != sorted(chapter.header.clinic):
        yield f"the clinic has {found}, the header says {list(chapter.header.clinic)}"
    if found and "## Article clinic" not in text:
        yield "the heading `## Article clinic` is missing"


def closing(chapter, solved):
    text = _markdown(chapter)
    for heading in ["## Recap", "### Quiz", "### References"]:
        if not re.search(f"^{heading}$", text, re.MULTILINE) and chapter.number != TOUR:
            yield f"the heading `{heading}` is missing"
    code = [cell.source for _, cell in chapter.cells()]
    if code and code[-1] != f'ck.progress("{chapter.header.topic}")':
        yield f'the last cell must be ck.progress("{chapter.header.topic}")'


def exercises_known(chapter, solved):
    known = [item.name for item in checking.items(chapter.header.topic, checking.Exercise)]
    asked = re.findall(r'^ck\.check\("([\w.]+)"', "\n".join(_code(chapter, {"check"})), re.MULTILINE)
    if known != asked:
        yield f"checks/{chapter.header.topic}.py has the exercises {known}, the chapter asks {asked}, in this order"
    known = [item.name for item in checking.items(chapter.header.topic, checking.Quiz)]
    asked = re.findall(r'^ck\.quiz\("([\w.]+)"\)', "\n".join(_code(chapter, {"quiz"})), re.MULTILINE)
    if known != asked:
        yield f"checks/{chapter.header.topic}.py has the questions {known}, the chapter asks {asked}, in this order"
    for item in checking.items(chapter.header.topic, checking.Quiz):
        right = sum(is_right for is_right, _ in item.choices.values())
        if right != 1 or len(item.choices) < 3:
            yield f"{item.name}: {len(item.choices)} choices, {right} of them right; at least 3 and exactly 1"
    for item in checking.items(chapter.header.topic, checking.Exercise):
        if len(item.hints) < 2:
            yield f"{item.name}: two hints at least"


def figures(chapter, solved):
    for index, cell in chapter.cells():
        place = f"line {chapter.lines[index]}"
        if "plt.show" in cell.source:
            yield f"{place}: a figure is shown with ck.show(figure, alt=…), not with plt.show"
        made = re.search(r"^\s*figure.* = plt\.(subplots|figure)", cell.source, re.MULTILINE)
        if made and not re.search(r"ck\.show\(|ck\.explore\(|return figure", cell.source):
            yield f"{place}: a figure that is neither shown with ck.show nor returned"


def palette(chapter, solved):
    for index, cell in chapter.cells(without=()):
        for colour in re.findall(r"""\b(?:color|edgecolor|facecolor|c|ecolor)=["']([^"']+)["']""", cell.source):
            if not COLOURS.fullmatch(colour):
                yield f"line {chapter.lines[index]}: colour {colour!r}; use C0 to C7, black, grey (told apart by all)"
        for name in re.findall(r"""\bcmap=["']([^"']+)["']""", cell.source):
            if name not in COLOUR_MAPS:
                yield f"line {chapter.lines[index]}: colour map {name!r}; use one of {sorted(COLOUR_MAPS)}"


def style(chapter, solved):
    for index, cell in chapter.cells(without=()):
        if "tf.keras" in cell.source or "from tensorflow import keras" in cell.source:
            yield f"line {chapter.lines[index]}: `import keras`, never tf.keras"
        shows_why_not = chapter.header.topic == "saving"  # clinic 15-2 holds the course's only pickle
        if "allow_pickle" in cell.source or (re.search(r"\bimport pickle\b", cell.source) and not shows_why_not):
            yield f"line {chapter.lines[index]}: no pickle"


def plain_words(chapter, solved):
    for index, cell in chapter.cells("markdown"):
        for word in re.findall(
            r"\b(?:simply|obviously|of course|trivial(?:ly)?|amazing|powerful|leverage)\b", cell.source, re.I
        ):
            yield f"line {chapter.lines[index]}: the word {word!r} helps nobody"


def exercise_titles(chapter, solved):
    titles = [match["title"] for match in chapter.titles().values()]
    for title in titles:
        if not 2 <= len(title.split()) <= 5 or titles.count(title) > 1:
            yield f"exercise {title!r}: a title has two to five words and is the only one of its kind in a chapter"


def drawings(chapter, solved):
    for index, cell in chapter.cells("markdown"):
        for after in re.findall(r"^```mermaid\n.*?^```$(.*)", cell.source, re.MULTILINE | re.DOTALL):
            if not re.match(r"\n\n\w", after):
                yield f"line {chapter.lines[index]}: below a Mermaid drawing a paragraph must say the same in words"


def ignored_outputs(chapter, solved):
    tagged = sum("nbval-ignore-output" in chapters.tags(cell) for cell in chapter.notebook.cells)
    if tagged != len(chapter.header.ignored):
        yield f"{tagged} outputs are not compared, but the header gives {len(chapter.header.ignored)} reasons"
    if tagged > IGNORED_OUTPUTS:
        yield f"{tagged} outputs are not compared; {IGNORED_OUTPUTS} at most in the whole course"


def stable_outputs(chapter, solved):
    for index, cell in _outputs(solved):
        if "nbval-ignore-output" in chapters.tags(cell):
            continue
        for line in moved.texts(cell):
            for what, pattern in UNSTABLE.items():
                if re.search(pattern, line):
                    yield f"cell {index}: the output holds {what}: {line.strip()[:80]}"


def clean_outputs(chapter, solved):
    for index, cell in _outputs(solved):
        for output in cell.outputs:
            if output.get("name") == "stderr":
                yield f"cell {index}: something was written to stderr: {output.text[:80]!r}"
            if output.output_type == "error":
                yield f"cell {index}: a stored traceback ({output.ename})"
            if output.output_type == "execute_result":
                yield f"cell {index}: ends with a bare expression; print it, or assign it"


def alt_text(chapter, solved):
    for index, cell in _outputs(solved):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
                if len(alt) < 20:
                    yield f"cell {index}: a picture without alt text"


RULES = (
    cell_length,
    counts,
    setup_cell,
    clinic,
    closing,
    exercises_known,
    figures,
    palette,
    style,
    plain_words,
    exercise_titles,
    drawings,
    ignored_outputs,
    stable_outputs,
    clean_outputs,
    alt_text,
)

NEW = (code_width, printed_verdicts, plain_training, introduced_terms)
ADVICE = (length,)
NOT_REWRITTEN = places.ROOT / "authoring" / "not_rewritten.txt"


def not_rewritten():
    """Names of the chapters that wait to be told again."""
    return NOT_REWRITTEN.read_text(encoding="utf8").split()


def lint(chapter, solved):
    """All that is wrong with a chapter, as lines."""
    rules = RULES if chapter.name in not_rewritten() else RULES + NEW
    return _lines(rules, chapter, solved)


def advice(chapter, solved):
    """What may be worth a thought, as lines."""
    return _lines(ADVICE, chapter, solved)


def _lines(rules, chapter, solved):
    return [f"{chapter.path.name}: {rule.__name__}: {line}" for rule in rules for line in rule(chapter, solved)]


def stored(name):
    """The executed solution notebook of a chapter, or None."""
    path = places.SOLUTIONS / f"{name}.ipynb"
    return nbformat.read(path, as_version=4) if path.exists() else None


def _markdown(chapter):
    return "\n\n".join(cell.source for _, cell in chapter.cells("markdown"))


def _code(chapter, wanted):
    return [cell.source for cell in chapter.notebook.cells if wanted & chapters.tags(cell)]


def _outputs(solved):
    for index, cell in enumerate(solved.cells if solved else []):
        if cell.cell_type == "code":
            yield index, cell


def main():
    lines = []
    for name in sys.argv[1:] or chapters.names():
        chapter, solved = chapters.read(name), stored(name)
        lines += lint(chapter, solved)
        print("".join(f"(advice) {line}\n" for line in advice(chapter, solved)), end="")
    print("\n".join(lines) or "Nothing to complain about.")
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()
