"""Predict, then reveal: a guess is kept before an experiment and shown beside the measurement after it."""

import html
import math
import os

from coursekit import cards, places
from coursekit.claims import RECORD, short
from coursekit.records import GUESS
from coursekit.store import STORE

_asked = {}  # {name: Question} of this kernel
DECADES = 1_000  # from this ratio of high to low on the scale is logarithmic


class Question:
    """A question with one kind of answer: a number on a scale, a choice, or an order (the largest first)."""

    def __init__(self, text, low, high, choices, order):
        self.text, self.low, self.high = text, low, high
        self.choices, self.order = list(choices or ()), list(order or ())

    @property
    def logarithmic(self):
        """Whether the scale counts powers of ten."""
        return bool(self.low) and self.low > 0 and self.high / self.low >= DECADES

    def how(self):
        """How it is answered, for a page where nothing runs."""
        if self.choices:
            return "Your choice: " + " · ".join(self.choices)
        if self.order:
            return "Your order, the largest first: " + " · ".join(self.order)
        return f"Your number, from {self.low:g} to {self.high:g}."

    def near(self, guess, measured):
        """Near: within a tenth of the scale, the right choice, at most one pair of neighbours exchanged."""
        if self.choices:
            return guess == measured
        if self.order:
            right = self.ranking(measured)
            pairs = [(a, b) for place, a in enumerate(guess) for b in guess[place + 1 :]]
            return sum(right.index(a) > right.index(b) for a, b in pairs) <= 1
        if self.logarithmic:
            return abs(math.log(guess / measured)) <= math.log(self.high / self.low) / 10 if measured > 0 else False
        return abs(guess - measured) <= (self.high - self.low) / 10

    def ranking(self, measured):
        """The items of an order, the largest first, from {item: number}."""
        return sorted(self.order, key=lambda item: -measured[item])

    def fits(self, guess):
        """Whether what is kept answers this question (a question may have changed since)."""
        if self.choices:
            return guess in self.choices
        if self.order:
            return isinstance(guess, list) and sorted(guess) == sorted(self.order)
        return isinstance(guess, (int, float)) and self.low <= guess <= self.high


def guess(name, question, low=None, high=None, choices=None, order=None):
    """Ask for a guess before an experiment; `ck.reveal(name, measured)` shows it beside the measurement.

    Give one of these: `low` and `high`, a number on that scale (by powers of ten when high is 1,000 low or more);
    `choices`, a list of texts; `order`, a list of texts that the learner sorts, the largest first.
    Nobody is marked, and not guessing blocks nothing.
    """
    if sum([low is not None and high is not None, bool(choices), bool(order)]) != 1 or not GUESS.fullmatch(name):
        raise places.CourseError("ck.guess needs a short name and one of: low and high, choices, order.")
    _asked[name] = asked = Question(question, low, high, choices, order)
    import ipywidgets

    kept = STORE.read_all()["guesses"].get(name, {}).get("value")
    controls, read = _controls(ipywidgets, asked, kept if asked.fits(kept) else None)
    keep = ipywidgets.Button(description="Keep my guess", icon="check")
    told = ipywidgets.HTML("" if kept is None else f"Kept: {html.escape(_as_text(kept))}.")

    def click(button):
        value = read()
        if not asked.fits(value):
            told.value = "Choose one." if asked.choices else "Each of them once, please."
            return
        STORE.keep_guess(name, value=value)
        told.value = f"Kept: {html.escape(_as_text(value))}. Now run on."

    keep.on_click(click)
    title = ipywidgets.HTML(f"<b>Your guess first: {html.escape(question)}</b>")
    text = f"Your guess first: {question} {asked.how()}"
    static = {"text/html": f"<p><b>Your guess first: {html.escape(question)}</b><br>{html.escape(asked.how())}</p>"}
    cards.display_widget(ipywidgets.VBox([title, *controls, keep, told]), static | {"text/plain": text})


def reveal(name, measured):
    """Show the guess `name` beside what was measured: a number, a choice, or {item: number} for an order."""
    if os.environ.get(RECORD):
        return  # a repeat of the claims asks nobody
    if name not in _asked:
        raise places.CourseError(f"there was no guess {name!r} in this notebook; run the cell with its question first.")
    asked = _asked[name]
    if asked.order:
        ranked = asked.ranking(measured)
        shown = "Measured, the largest first: " + ", ".join(f"{item} ≈ {short(measured[item])}" for item in ranked)
    elif asked.choices:
        shown = f"Measured: {measured}"
    else:
        measured = float(measured)
        shown = f"Measured ≈ {short(measured)}"
    mine = STORE.read_all()["guesses"].get(name, {}).get("value")
    if mine is None or not asked.fits(mine):
        ending = "You kept no guess."
    else:
        near = bool(asked.near(mine, measured))
        STORE.keep_guess(name, value=mine, near=near)
        ending = f"Your guess: {_as_text(mine)}. {'Near.' if near else 'Not near: why?'}"
    text = f"{shown} · {ending}"
    cards.display({"text/markdown": f"**{asked.text}** {text}", "text/plain": f"{asked.text} {text}"})


def counted(guesses):
    """How often a learner was near, e.g. `near in 41 of 121`, from the records of guesses; empty before the first."""
    seen = [record["near"] for record in guesses.values() if "near" in record]
    return f"near in {sum(seen)} of {len(seen)}" if seen else ""


def _controls(ipywidgets, asked, kept):
    """The widgets of a question, and a function that reads the guess from them."""
    wide = {"layout": {"width": "30em"}, "style": {"description_width": "9em"}}
    if asked.choices:
        buttons = ipywidgets.RadioButtons(options=asked.choices, value=kept, layout={"width": "max-content"})
        return [buttons], lambda: buttons.value
    if asked.order:
        menus = [
            ipywidgets.Dropdown(
                options=asked.order, value=kept[number] if kept else None, description=f"{number + 1}.", **wide
            )
            for number in range(len(asked.order))
        ]
        return menus, lambda: [menu.value for menu in menus]
    if asked.logarithmic:
        low, high = math.log10(asked.low), math.log10(asked.high)
        slider = ipywidgets.FloatLogSlider(
            value=kept or 10 ** ((low + high) / 2),
            min=low,
            max=high,
            step=(high - low) / 100,
            readout_format=".1e",
            **wide,
        )
    else:
        step = (asked.high - asked.low) / 100
        middle = (asked.low + asked.high) / 2 if kept is None else kept
        slider = ipywidgets.FloatSlider(
            value=middle, min=asked.low, max=asked.high, step=step, readout_format="g", **wide
        )
    return [slider], lambda: min(max(slider.value, asked.low), asked.high)


def _as_text(value):
    return ", ".join(value) if isinstance(value, list) else value if isinstance(value, str) else short(value)
