"""Exercises and quiz of chapter 00."""

import numpy as np

from coursekit.checking import Exercise, Quiz


def _line(x, w, b):
    return np.polyval([w, b], x)


def _row_shares(x):
    return np.array([row / np.sum(row) for row in x])


ITEMS = [
    Exercise(
        "start.line",
        hints=(
            "Two steps: multiply, then add. NumPy does both for all numbers of the array at once.",
            "`return x * w + b`; the cell above forgot one part of it.",
        ),
        reference=_line,
        cases=((np.array([0.0, 1.0, 2.0]), 2.0, 1.0), (np.array([-1.0, 0.5]), -3.0, 0.5)),
        mistakes={
            "It looks as if b was left out: the line then runs through 0.": lambda x, w, b: x * w,
            "It looks as if w and b changed places.": lambda x, w, b: x * b + w,
            "It looks as if b was added before the multiplication.": lambda x, w, b: (x + b) * w,
            "It looks as if w was added: it multiplies x.": lambda x, w, b: x + w + b,
            "It looks as if b was subtracted.": lambda x, w, b: x * w - b,
        },
    ),
    Exercise(
        "start.row_shares",
        hints=(
            "The sum of each row leaves one number per row: which axis disappears?",
            "`x.sum(axis=1, keepdims=True)` has shape (rows, 1) and divides each row by its own sum.",
        ),
        reference=_row_shares,
        cases=((np.array([[1.0, 3.0], [2.0, 8.0]]),), (np.array([[1.0, 2.0, 5.0], [3.0, 0.0, 1.0], [4.0, 4.0, 2.0]]),)),
        mistakes={
            "It looks as if keepdims is missing: on a square array each column was divided by a row's sum, in silence.": (
                lambda x: x / x.sum(axis=1)
            ),
            "It looks as if all entries were summed; each row must sum to 1 on its own.": lambda x: x / x.sum(),
            "It looks as if the columns sum to 1; the rows must.": lambda x: x / x.sum(axis=0),
            "It looks as if each row was divided by its maximum, not by its sum.": lambda x: (
                x / x.max(axis=1, keepdims=True)
            ),
            "It looks as if each row was divided by its mean: it then sums to the number of columns.": lambda x: (
                x / x.mean(axis=1, keepdims=True)
            ),
        },
    ),
    Quiz(
        "start.axis",
        "`pictures` has the shape (100, 8, 8). Which shape has `pictures.mean(axis=(1, 2), keepdims=True)`?",
        {
            "(100, 1, 1)": (True, "Axes 1 and 2 are averaged away, and keepdims leaves a 1 in place of each."),
            "(100,)": (False, "That is the shape without keepdims."),
            "(8, 8)": (False, "That is the mean over axis 0: the average picture."),
        },
    ),
    Quiz(
        "start.experiment",
        "What did the experiment show?",
        {
            "A layer can find features by itself that beat ours here": (
                True,
                "The learned layer had the best score, and nobody told it about rows, edges or symmetry.",
            ),
            "Learned features always beat hand-made ones": (
                False,
                "One data set, one layer, and ideas of ten lines: it shows what is possible, not what is always so.",
            ),
            "These 222 units are enough, trained or not": (
                False,
                "The same units untrained are the control, and they had the lowest score of all.",
            ),
        },
    ),
]
