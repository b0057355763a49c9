"""The teacher's notes keep to their chapters: minutes, headings, exercises, misconceptions are its own."""

import pathlib
import re

import pytest

from authoring import chapter as chapters
from coursekit import checking, checks, places

FOLDER = places.ROOT / "classroom" / "notes"
HEADINGS = ["On the screen", "Where it goes wrong", "Two questions", "If time is short"]
EXERCISE = re.compile(r"[Ee]xercises? (\d\d?[a-d]?\.\d)")


def note(name):
    return (FOLDER / f"{name}.md").read_text(encoding="utf8")


def parts(text):
    """{heading: text below it}"""
    pieces = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def flat(text):
    return " ".join(text.split())


def test_every_chapter_has_its_note_and_there_is_no_other():
    assert sorted(path.stem for path in FOLDER.iterdir()) == chapters.names()


@pytest.mark.parametrize("name", chapters.names())
def test_title_minutes_and_headings(name):
    header, text = chapters.read(name).header, note(name)
    assert text.startswith(f"# {chapters.read(name).number} · {header.title}\n")
    total, *shares = map(int, re.search(r"\*\*(\d+) minutes:\*\* (\d+) together, (\d+) alone, (\d+) to", text).groups())
    assert total == header.minutes == sum(shares)
    assert list(parts(text)) == HEADINGS
    assert 120 <= len(text.split()) <= 330  # a page


@pytest.mark.parametrize("name", chapters.names())
def test_exercises_are_those_of_the_chapter(name):
    cells = chapters.read(name).notebook.cells
    titles = [match for cell in cells if (match := chapters.EXERCISE_TITLE.search(cell.source))]
    named = EXERCISE.findall(note(name))
    assert set(named) <= {match["number"] for match in titles}
    assert len(EXERCISE.findall(parts(note(name))["Where it goes wrong"])) >= 2 or name.startswith("00")
    alone = int(re.search(r"(\d+) alone", note(name))[1])
    assert alone >= sum(int(match["minutes"]) for match in titles)


@pytest.mark.parametrize("name", chapters.names())
def test_misconceptions_are_quoted_as_the_checker_says_them(name):
    topic = chapters.read(name).header.topic
    known = [sentence for item in checking.items(topic, checking.Exercise) for sentence in item.mistakes]
    source = pathlib.Path(checks.__path__[0], f"{topic}.py").read_text(encoding="utf8")
    known.append(re.sub(r'"\s*f?"', "", flat(source)))  # adjacent texts of a message are joined
    quoted = [flat(text) for text in re.findall(r'"([^"]{20,})"', parts(note(name))["Where it goes wrong"])]
    assert len(quoted) >= 2
    for text in quoted:
        assert any(text in flat(sentence) for sentence in known), text


@pytest.mark.parametrize("name", chapters.names())
def test_sections_in_italics_are_headings_of_the_chapter(name):
    text = "\n".join(cell.source for _, cell in chapters.read(name).cells("markdown"))
    headings = {line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("#")}
    short = parts(note(name))["On the screen"] + parts(note(name))["If time is short"]
    for heading in re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", short):
        assert flat(heading) in {flat(line) for line in headings}, heading
