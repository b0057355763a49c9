"""Write coursekit/chapters.json, the one list of chapters: README, progress page, book and slides read it."""

import json

from authoring import chapter as chapters
from coursekit import checking, places
from coursekit.manifest import path

PARTS = {
    "Begin here": "00",
    "One neuron and how it learns": "01 02 03 04",
    "Training with care": "05 06",
    "Networks for pictures and sequences": "07 08 09",
    "Attention and Transformers": "10 11",
    "Large and pretrained models": "12",
    "Scale, shrink, ship": "13 14 15",
}


def entries():
    """The entry of each chapter as a dict, in order. Raises SourceError for a chapter that belongs to no part."""
    runs = json.loads((places.SOLUTIONS / "runs.json").read_text(encoding="utf8"))
    return [_entry(chapters.read(name), runs.get(name, {}).get("seconds", 0)) for name in chapters.names()]


def _entry(chapter, seconds):
    header = chapter.header
    part = next((part for part, numbers in PARTS.items() if chapter.number[:2] in numbers.split()), None)
    if part is None:
        raise chapters.SourceError(
            f"{chapter.path.name}: no part of authoring/manifest.py holds chapter {chapter.number}"
        )
    names = {
        kind: [item.name for item in checking.items(header.topic, known)]
        for kind, known in (("exercises", checking.Exercise), ("questions", checking.Quiz))
    }
    return {
        "name": chapter.name,
        "number": chapter.number,
        "part": part,
        "title": header.title,
        "promise": header.promise,
        "topic": header.topic,
        "minutes": header.minutes,
        "seconds": seconds,
        "titles": {name: f"{match['number']} · {match['title']}" for name, match in chapter.titles().items()},
    } | names


def text():
    """The manifest as JSON."""
    return json.dumps(entries(), indent=1, ensure_ascii=False) + "\n"


def write():
    """Write the manifest if it changed."""
    new = text().encode("utf8")
    if not path().exists() or path().read_bytes() != new:
        places.write_atomically(path(), new)
