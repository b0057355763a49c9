"""Numbers that may move on another machine, in the text of an output: those after `≈` or in a column of `≈`.

After `≈` there may be spaces, marks of bold type and a sign before the number; the number ends before its unit, and
only the first number after `≈` is meant: `loss ≈ 1.5e-04`, `≈ -3 %`, `≈ 12,345 bytes`.

A line is the header of a table if a column's title in it ends with `≈` and no number stands after a `≈`. Titles, and
the fields of the rows below, are parted by two or more spaces. A field belongs to the title that it overlaps; where it
overlaps several, each of its numbers does by itself, and one below two titles may move only if both end with `≈`. In a
Markdown table (the header has a `|`) a cell belongs to the title with as many `|` before it. The table ends at an empty
line, at the next header, or with the output. A number that stands below no title is exact: so are names like `10
layers` in a first column without a title, and tables that are out of line.

Such a number agrees with the stored one if they differ by at most a tenth of the stored one or two of its last printed
digits, whichever is wider. All else has to be equal, also signs, and `nan` and `inf`, which are no numbers here. Where
a number became longer or shorter, the padding of its line may differ.
"""

import dataclasses
import re
from decimal import Decimal

TOLERANCE = 0.1  # relative
LAST_DIGITS = 2
NUMBER = re.compile(r"(?<![\w.])(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
SIGN = "[-+−±]?"
BEFORE = rf"≈[ \t]*[*`]*{SIGN}"
AFTER_SIGN = re.compile(rf"{BEFORE}(?P<number>{NUMBER.pattern})")
NO_HEADER = re.compile(rf"{BEFORE}(?:[0-9]|nan\b|inf\b)", re.IGNORECASE)
FIELD = re.compile(r"\S+(?: \S+)*")
BAR = re.compile(r"(?<!\\)\|")
HOLE = "\0"


@dataclasses.dataclass(frozen=True)
class Line:
    """A line with its end; numbers: those in it that may move; rest: the line with a HOLE in the place of each."""

    text: str
    numbers: tuple[str, ...]
    rest: str


@dataclasses.dataclass(frozen=True)
class Moved:
    """A number that moved, old and new as they were printed, and the new line in which it stands."""

    old: str
    new: str
    inside: bool
    line: str

    def __str__(self):
        return f"≈ {self.old} → {self.new}" + ("" if self.inside else " (beyond its tolerance)")


def same(stored, fresh, tolerance=TOLERANCE):
    """Whether two texts agree: numbers that may move within `tolerance` (relative), all else exactly."""
    if stored == fresh or "≈" not in stored:
        return stored == fresh
    before, after = lines(stored), lines(fresh)
    return len(before) == len(after) and all(
        same_rest(*pair) and all(change.inside for change in changes(*pair, tolerance))
        for pair in zip(before, after, strict=True)
    )


def moved(stored, fresh, tolerance=TOLERANCE):
    """Yield a `Moved` for each number that differs, also inside its tolerance, in lines that are else the same."""
    if stored != fresh and "≈" in stored:
        for pair in zip(lines(stored), lines(fresh), strict=False):
            if same_rest(*pair):
                yield from changes(*pair, tolerance)


def lines(text):
    """A `Line` for each line of an output's text."""
    result, header = [], None
    for line in text.splitlines(keepends=True):
        spans = {match.span("number") for match in AFTER_SIGN.finditer(line)}
        if not line.strip() or _header(line):
            header = _header(line)
        elif header:
            spans |= {match.span() for match in NUMBER.finditer(line) if header.lets_move(line, match.span())}
        rest, end = "", 0
        for start, stop in sorted(spans):
            rest, end = f"{rest}{line[end:start]}{HOLE}", stop
        result.append(Line(line, tuple(line[slice(*span)] for span in sorted(spans)), rest + line[end:]))
    return result


def same_rest(stored, fresh):
    """Whether two lines agree but for their numbers that may move."""
    widths = [[len(number) for number in line.numbers] for line in (stored, fresh)]
    if widths[0] == widths[1]:
        return stored.rest == fresh.rest
    return len(widths[0]) == len(widths[1]) and _without_padding(stored.rest) == _without_padding(fresh.rest)


def changes(stored, fresh, tolerance=TOLERANCE):
    """Yield a `Moved` for each number that may move and differs between two lines with as many of them."""
    for old, new in zip(stored.numbers, fresh.numbers, strict=True):
        if old != new:
            yield Moved(old, new, _close(old, new, tolerance), fresh.text.strip())


def tolerance(cell):
    """The tolerance that a cell of a notebook asks for in its metadata, else the usual one."""
    return cell.metadata.get("approximate", {}).get("tolerance", TOLERANCE)


def _close(stored, fresh, tolerance):
    """Decimals, since 52.5 − 52.3 as floats is more than 0.2."""
    old, new = (Decimal(text.replace(",", "")) for text in (stored, fresh))
    last_digits = LAST_DIGITS * Decimal(1).scaleb(old.as_tuple().exponent)
    return abs(new - old) <= max(Decimal(str(tolerance)) * abs(old), last_digits)


def _without_padding(rest):
    """No spaces beside a number that may move, and elsewhere one in place of several."""
    rest = re.sub(rf"[ \t]*({SIGN}){HOLE}[ \t]*", rf"\1{HOLE}", rest)
    return re.sub(r"[ \t]+", " ", rest)


def _header(line):
    """The `_Header` that a line is, or None."""
    if "≈" not in line or NO_HEADER.search(line):
        return None
    bars = bool(BAR.search(line))
    fields = enumerate(BAR.split(line)) if bars else ((match.span(), match[0]) for match in FIELD.finditer(line))
    titles = tuple((place, text.rstrip(" \t\n*`").endswith("≈")) for place, text in fields)
    return _Header(bars, titles) if any(may_move for _, may_move in titles) else None


@dataclasses.dataclass(frozen=True)
class _Header:
    """titles: (place, whether it ends with `≈`); its place counts the bars before it, or is its (start, end)."""

    bars: bool
    titles: tuple

    def lets_move(self, line, number):
        """Whether the number at `number` (start, end) of a row `line` stands in a column of `≈`."""
        if self.bars:
            return bool(BAR.search(line)) and dict(self.titles).get(len(BAR.findall(line[: number[0]])), False)
        field = next(match.span() for match in FIELD.finditer(line) if match.start() <= number[0] < match.end())
        above = [title for title in self.titles if _overlap(title[0], field) > 0]
        if len(above) > 1:
            above = [title for title in above if _overlap(title[0], number) > 0]
        return bool(above) and all(may_move for _, may_move in above)


def _overlap(one, other):
    return min(one[1], other[1]) - max(one[0], other[0])
