"""A conclusion that an experiment supports, shown with the repeats in which it held."""

import functools
import html
import json
import os

import numpy as np

from coursekit import cards, places

EVIDENCE = "evidence"  # folder of this package: what `make sceptic` found, NAME.json for each chapter
RECORD = "COURSE_CLAIMS"  # environment variable: the file into which a repeat writes its claims


class ClaimFell(AssertionError):
    """A claim that did not hold where it must (CI); a notebook shows one line and no traceback."""

    def _render_traceback_(self):
        return [f"Did not hold: {self}"]


def claim(sentence, condition, measured=None, fixed=()):
    """State a conclusion, say whether it held here, and in how many repeats it held.

    sentence: what a learner shall remember. condition: whether this run supports it, a truth value.
    measured: {what: number}, the numbers that the condition compares. fixed: names of parameters that the sentence
    takes as its condition; repeats that change one of them are not counted.
    A claim that does not hold says so and does not raise, unless COURSEKIT_STRICT=1 is set (CI): then AssertionError.
    """
    held, measured = _checked(sentence, condition, measured or {})
    if path := os.environ.get(RECORD):
        _record(path, sentence, held, measured, list(fixed))
        return
    repeats = evidence().get(sentence, [])
    cards.display(
        {"text/html": _card(sentence, held, measured, repeats)}
        | {"text/plain": _plain(sentence, held, measured, repeats)}
    )
    if places.strict() and not held:
        raise ClaimFell(f"{sentence} ({_numbers(measured)})")


@functools.cache
def evidence():
    """{sentence of a claim: its repeats}, each {"changed": {parameter: value}, "held": bool, "measured": {…}}."""
    found = {}
    for path in sorted((places.ROOT / "coursekit" / EVIDENCE).glob("*.json")):
        for sentence, claimed in json.loads(path.read_text(encoding="utf8"))["claims"].items():
            found[sentence] = claimed["repeats"]
    return found


def summary(repeats):
    """How a claim fared, e.g. `held in 8 of 8 repeats: 6 other seeds, EPOCHS = 18, DEPTH = 6`."""
    held = sum(repeat["held"] for repeat in repeats)
    seeds = sum(set(repeat["changed"]) == {"SEED"} for repeat in repeats)
    kinds = [f"{seeds} other seed{'s' if seeds != 1 else ''}"] if seeds else []
    kinds += [changes(repeat) for repeat in repeats if set(repeat["changed"]) != {"SEED"}]
    return f"held in {held} of {len(repeats)} repeats: {', '.join(kinds)}"


def changes(repeat):
    """What a repeat changed, as `EPOCHS = 18`."""
    return ", ".join(f"{name} = {value}" for name, value in repeat["changed"].items())


def _checked(sentence, condition, measured):
    if not isinstance(sentence, str) or not sentence.strip():
        raise places.CourseError("the first argument of ck.claim is its sentence, a text.")
    if not isinstance(condition, (bool, np.bool_)) and not (
        np.ndim(condition) == 0 and np.asarray(condition).dtype == bool
    ):
        raise places.CourseError(f"the condition of a claim is True or False, not {type(condition).__name__}.")
    try:
        numbers = {str(name): float(value) for name, value in measured.items()}
    except (AttributeError, TypeError, ValueError):
        raise places.CourseError("`measured` is a dict of names and numbers, e.g. {'with attention': 52.3}.") from None
    return bool(condition), numbers


def _record(path, sentence, held, measured, fixed):
    line = {"sentence": sentence, "held": held, "measured": measured, "fixed": fixed}
    with open(path, "a", encoding="utf8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _numbers(measured):
    return ", ".join(f"{name} {short(value)}" for name, value in measured.items())


def short(value):
    """A number with three digits that count, e.g. 52.3, 0.0148, 12,300."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _where_it_was_measured():
    import tensorflow

    if not tensorflow.config.get_visible_devices("GPU"):
        return ""
    return " The repeats were run on a CPU, and this is a GPU: please report it."


def _told(held, measured, repeats):
    """What stands behind the sentence."""
    counted = summary(repeats) if repeats else "not repeated yet"
    if held:
        return f"{counted[0].upper()}{counted[1:]}."
    return f"It did not come out so here: {_numbers(measured)}. On our machine it {counted}.{_where_it_was_measured()}"


def _plain(sentence, held, measured, repeats):
    return f"{'✓' if held else '✗'} {sentence}. {_told(held, measured, repeats)}"


def _card(sentence, held, measured, repeats):
    """The claim as HTML: the sentence, and behind a click the table of repeats. It needs no kernel."""
    colour, sign = ("#009E73", "✓") if held else ("#D55E00", "✗")
    line = f"<b>{sign} {html.escape(sentence)}.</b> <i>{html.escape(_told(held, measured, repeats))}</i>"
    style = f"border-left: 4px solid {colour}; padding: 4px 0 4px 10px; margin: 4px 0"
    if not repeats:
        return f'<div style="{style}">{line}</div>'
    columns = list(dict.fromkeys(name for repeat in repeats for name in repeat["measured"]))
    head = "".join(f"<th>{html.escape(text)}</th>" for text in ("repeat", "held", *columns))
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{html.escape(text)}</td>"
            for text in (
                changes(repeat),
                "✓" if repeat["held"] else "✗",
                *(short(repeat["measured"][name]) if name in repeat["measured"] else "–" for name in columns),
            )
        )
        + "</tr>"
        for repeat in repeats
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<details style="{style}"><summary>{line}</summary>{table}</details>'
