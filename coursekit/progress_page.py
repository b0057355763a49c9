"""The page that `ck.progress()` shows: all chapters, what is solved, the time spent, and where to go on."""

import dataclasses
import functools
import json
import re
import time

import IPython.display
import matplotlib.pyplot as plt

from coursekit import figures, places, store

TITLE = re.compile(r"# (\d\d\w?) · (.+)")
CHECK = re.compile(r'ck\.check\("([\w.]+)"')
QUIZ = re.compile(r'ck\.quiz\("([\w.]+)"\)')


@dataclasses.dataclass(frozen=True)
class Chapter:
    """A chapter as its notebook tells it; name: `01_activations`, topic: the name before the dot in its exercises."""

    name: str
    number: str
    title: str
    topic: str
    exercises: tuple[str, ...]
    questions: tuple[str, ...]


@functools.cache
def chapters(folder):
    """All chapters in `folder` in order; a notebook without a chapter's title is left out."""
    found = []
    for path in sorted(folder.glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf8"))["cells"]
        title = TITLE.match("".join(cells[0]["source"]) if cells else "")
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        exercises, questions = (tuple(kind.findall(code)) for kind in (CHECK, QUIZ))
        if title and exercises:
            topic = exercises[0].partition(".")[0]
            found.append(Chapter(path.stem, title[1], title[2].strip(), topic, exercises, questions))
    return tuple(found)


def show():
    """Show the page: next step, table, chart."""
    everything = store.STORE.read_all()
    states = {name: record.get("status") for name, record in everything["exercises"].items()}
    course, spent = chapters(places.CHAPTERS), everything["time"]
    solved = sum(_solved(chapter.exercises, states) for chapter in course)
    total = sum(len(chapter.exercises) for chapter in course)
    seconds = sum(spent.get(chapter.topic, {}).get("seconds", 0) for chapter in course)
    lines = [
        f"**{solved} of {total} exercises solved**, in about {_minutes(seconds)}.",
        "",
        next_step(course, states, spent),
    ]
    lines += ["", "| | chapter | exercises | quiz | time | last |", "|---|---|---|---|---|---|"]
    for chapter in course:
        mine = spent.get(chapter.topic, {})
        last = time.strftime("%Y-%m-%d", time.localtime(mine["last"])) if mine.get("last") else "–"
        exercises, questions = _solved(chapter.exercises, states), _solved(chapter.questions, states)
        lines.append(
            f"| {chapter.number} | [{chapter.title}]({chapter.name}.ipynb) "
            f"| {exercises} of {len(chapter.exercises)} | {questions} of {len(chapter.questions)} "
            f"| {_minutes(mine['seconds']) if mine else '–'} | {last} |"
        )
    lines += ["", "Time is counted between checks, hints and quiz answers; breaks of over 15 minutes are left out."]
    text = "\n".join(lines)
    IPython.display.display({"text/markdown": text, "text/plain": re.sub(r"\*\*|\]\([^)]*\)|\[", "", text)}, raw=True)
    chart(course, states)


def next_step(course, states, spent):
    """One sentence: the open exercise to go on with, in the chapter where the learner was last, or in the next one."""
    open_ones = [chapter for chapter in course if _solved(chapter.exercises, states) < len(chapter.exercises)]
    if not open_ones:
        return "**Next step:** none. Every exercise is solved."
    begun = [chapter for chapter in open_ones if spent.get(chapter.topic, {}).get("last")]
    chapter = max(begun, key=lambda chapter: spent[chapter.topic]["last"]) if begun else open_ones[0]
    exercise = next(name for name in chapter.exercises if states.get(name) != "correct")
    return f"**Next step:** exercise `{exercise}` in [{chapter.number} · {chapter.title}]({chapter.name}.ipynb)."


def chart(course, states):
    """Show a bar for each chapter: exercises solved, tried and still wrong, open."""
    figures.set_style()
    figure, axis = plt.subplots(figsize=(8, 0.6 + 0.24 * len(course)))
    left = [0] * len(course)
    kinds = {"solved": ("correct", "C0", ""), "not yet": ("not yet", "C4", "///")}
    for label, (state, colour, hatch) in kinds.items():
        counts = [sum(states.get(name) == state for name in chapter.exercises) for chapter in course]
        axis.barh(range(len(course)), counts, left=left, color=colour, hatch=hatch, edgecolor="white", label=label)
        left = [before + count for before, count in zip(left, counts, strict=True)]
    rest = [len(chapter.exercises) - done for chapter, done in zip(course, left, strict=True)]
    axis.barh(range(len(course)), rest, left=left, color="white", edgecolor="grey", label="open")
    axis.set_yticks(range(len(course)), [f"{chapter.number} {chapter.title}" for chapter in course], fontsize=8)
    axis.set(xlabel="exercises", title="Exercises by chapter")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.invert_yaxis()
    axis.grid(False)
    axis.legend(fontsize=8, ncol=3, loc="lower center", bbox_to_anchor=(0.5, -0.12))
    done = sum(_solved(chapter.exercises, states) for chapter in course)
    figures.show(figure, f"A bar for each of {len(course)} chapters with its exercises: {done} are solved in all")


def _solved(names, states):
    return sum(states.get(name) == "correct" for name in names)


def _minutes(seconds):
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
