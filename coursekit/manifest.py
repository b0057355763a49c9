"""The chapters of the course in their order, as `make build` writes them into chapters.json."""

import dataclasses
import functools
import json

from coursekit import places


@dataclasses.dataclass(frozen=True)
class Chapter:
    """A chapter; name: `01_activations`, number: `01`, part: the heading that it stands under.

    topic: the name before the dot in its exercises; minutes: to learn it; seconds: to run it on two CPU cores.
    exercises, questions: names, such as `activations.largest_share`; titles: of each exercise number and title, such as
    `1.4 · The largest share`.
    """

    name: str
    number: str
    part: str
    title: str
    promise: str
    topic: str
    minutes: int
    seconds: int
    exercises: tuple[str, ...]
    questions: tuple[str, ...]
    titles: dict[str, str]


def path():
    """Where the list lies."""
    return places.ROOT / "coursekit" / "chapters.json"


@functools.cache
def chapters():
    """All chapters, in order."""
    entries = json.loads(path().read_text(encoding="utf8"))
    return tuple(
        Chapter(**entry | {kind: tuple(entry[kind]) for kind in ("exercises", "questions")}) for entry in entries
    )


def title(exercise):
    """Number and title of an exercise, such as `1.4 · The largest share`; of one in no chapter, its name."""
    return next((chapter.titles[exercise] for chapter in chapters() if exercise in chapter.titles), exercise)


def cell_id(exercise):
    """The id of the cell in which the heading of an exercise stands; it stays when title or chapter change."""
    return f"exercise-{exercise.replace('.', '-')}"


def anchor(exercise):
    """What follows `#` in a link to an exercise, as JupyterLab reads it: it finds no heading with a sign such as ·."""
    return f"cell-id={cell_id(exercise)}"
