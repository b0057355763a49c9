"""The chapters of the course in their order, as `make build` writes them into chapters.json."""

import dataclasses
import functools
import json

from coursekit import places


@dataclasses.dataclass(frozen=True)
class Chapter:
    """A chapter; name: `01_activations`, number: `01`, part: the heading that it stands under.

    topic: the name before the dot in its exercises; minutes: to learn it; seconds: to run it on two CPU cores;
    questions: those of its quiz.
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
