"""Which stored outputs moved between two runs of a notebook, old beside new."""

import difflib
import re

from authoring import approximate

NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
NOTHING = approximate.Line("(nothing)", (), "(nothing)")


def texts(cell):
    """The text outputs of a cell, by line."""
    return [line for output in cell.get("outputs", []) for line in _text(output).splitlines()]


def _text(output, *preferred):
    """The text of one output, of the first kind that it has."""
    bundle = output.get("data", {})
    kinds = [bundle.get(kind) for kind in (*preferred, "text/plain")]
    return "".join(next(filter(None, [output.get("text"), *kinds, output.get("traceback")]), ""))


def table(old, new):
    """Lines `cell 12: accuracy 0.86 → 0.87` for every output line of `new` that differs from `old`.

    Cells are matched by their code, so that a cell that moved down does not count as changed.
    """
    before, after = ([cell for cell in notebook.cells if cell.cell_type == "code"] for notebook in (old, new))
    matcher = difflib.SequenceMatcher(None, [c.source for c in before], [c.source for c in after], autojunk=False)
    rows = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "delete":
            rows += [f"a cell is gone: {cell.source.splitlines()[0]}" for cell in before[a:b] if cell.source]
            continue
        pairs = zip(before[a:b], after[c:d], strict=False)
        for cell_before, cell_after in pairs:
            place = f"cell {new.cells.index(cell_after)}"
            tolerance = approximate.tolerance(cell_after)
            rows += [f"{place}: {row}" for row in _compare(_lines(cell_before), _lines(cell_after), tolerance)]
    return rows


def _lines(cell):
    """The text outputs of a cell, by line, with the numbers that may move; a table in Markdown as such."""
    return [line for output in cell.get("outputs", []) for line in approximate.lines(_text(output, "text/markdown"))]


def _compare(before, after, tolerance):
    old, new = ([line.text.rstrip("\n") for line in lines] for lines in (before, after))
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for number in range(max(b - a, d - c)):
            left = before[a + number] if a + number < b else NOTHING
            right = after[c + number] if c + number < d else NOTHING
            if (changes := _changes(left, right, tolerance)) is None:
                yield f"{left.text.strip()[:100]}  →  {right.text.strip()[:100]}"
            else:
                yield f"{', '.join(changes)}   in: {right.text.strip()[:100]}"


def _changes(left, right, tolerance):
    """`1 → 2` for each exact number that moved, `≈ 1.0 → 1.1` for the others; None if more than numbers changed."""
    one, two = left.rest, right.rest
    if len(left.numbers) != len(right.numbers):
        return None
    exact = []
    if not approximate.same_rest(left, right):
        if NUMBER.sub("#", one) != NUMBER.sub("#", two):
            return None
        pairs = zip(NUMBER.findall(one), NUMBER.findall(two), strict=True)
        exact = [f"{old} → {new}" for old, new in pairs if old != new]
    return exact + [str(change) for change in approximate.changes(left, right, tolerance)]
