"""Which stored outputs moved between two runs of a notebook, old beside new."""

import difflib
import re

NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def texts(cell):
    """The text outputs of a cell, by line."""
    lines = []
    for output in cell.get("outputs", []):
        bundle = output.get("data", {})
        text = output.get("text") or bundle.get("text/plain") or "".join(output.get("traceback", []))
        lines += "".join(text).splitlines()
    return lines


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
            rows += [f"{place}: {row}" for row in _compare(texts(cell_before), texts(cell_after))]
    return rows


def _compare(before, after):
    for tag, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for number in range(max(b - a, d - c)):
            left = before[a + number] if a + number < b else "(nothing)"
            right = after[c + number] if c + number < d else "(nothing)"
            if NUMBER.sub("#", left) == NUMBER.sub("#", right):
                pairs = zip(NUMBER.findall(left), NUMBER.findall(right), strict=True)
                changes = ", ".join(f"{one} → {two}" for one, two in pairs if one != two)
                yield f"{changes}   in: {right.strip()[:100]}"
            else:
                yield f"{left.strip()[:100]}  →  {right.strip()[:100]}"
