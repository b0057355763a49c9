"""The page that `ck.progress()` shows: all chapters, what is solved, the time spent, and where to go on."""

import os
import pathlib
import re
import time

import matplotlib.pyplot as plt

from coursekit import cards, checking, figures, guesses, manifest, places, store


def show():
    """Show the page: next step, table, chart."""
    everything = store.STORE.read_all()
    states = {name: record.get("status") for name, record in everything["exercises"].items()}
    course, spent = manifest.chapters(), everything["time"]
    solved = sum(_solved(chapter.exercises, states) for chapter in course)
    total = sum(len(chapter.exercises) for chapter in course)
    seconds = sum(spent.get(chapter.topic, {}).get("seconds", 0) for chapter in course)
    guessed = guesses.counted(everything["guesses"])
    lines = [
        f"**{solved} of {total} exercises solved**, in about {_minutes(seconds)}."
        + (f" Guesses: {guessed}." if guessed else ""),
        "",
        next_step(course, states, spent),
    ]
    lines += ["", "| | chapter | exercises | quiz | time | last |", "|---|---|---|---|---|---|"]
    for chapter in course:
        mine = spent.get(chapter.topic, {})
        last = time.strftime("%Y-%m-%d", time.localtime(mine["last"])) if mine.get("last") else "–"
        done, right = _solved(chapter.exercises, states), _solved(chapter.questions, states)
        lines.append(
            f"| {chapter.number} | {_link(chapter.title, chapter)} "
            f"| {done} of {len(chapter.exercises)} | {right} of {len(chapter.questions)} "
            f"| {_minutes(mine['seconds']) if mine else '–'} | {last} |"
        )
    lines += [
        "",
        f"Time runs between checks, hints and quiz answers; breaks of over {store.PAUSE // 60} minutes are left out.",
    ]
    _display(lines)
    chart(course, states, [spent.get(chapter.topic, {}).get("seconds", 0) / 60 for chapter in course])


def to_do(topic):
    """Show the exercises of a chapter, with links to them in the same notebook."""
    records = store.STORE.read()
    states, answers = (
        {item.name: records.get(item.name, {}).get("status", "not attempted") for item in checking.items(topic, kind)}
        for kind in (checking.Exercise, checking.Quiz)
    )
    solved, right = _solved(states, states), _solved(answers, answers)
    lines = [
        f"**{topic}**: {solved} of {len(states)} exercises solved, {right} of {len(answers)} questions right.",
        "",
        "| | exercise | state |",
        "|---|---|---|",
    ]
    for name, state in states.items():
        lines.append(f"| {cards.SIGNS[state]} | [{manifest.title(name)}](#{manifest.anchor(name)}) | {state} |")
    _display(lines)


def next_step(course, states, spent):
    """One sentence: go on in the chapter where the learner was last; if nothing is open there, in the next that is."""
    open_ones = [chapter for chapter in course if _solved(chapter.exercises, states) < len(chapter.exercises)]
    if not open_ones:
        return "**Next step:** none. Every exercise is solved."
    last = max(course, key=lambda chapter: spent.get(chapter.topic, {}).get("last", 0))  # a new learner's is the first
    chapter = next((chapter for chapter in course[course.index(last) :] if chapter in open_ones), open_ones[0])
    exercise = next(name for name in chapter.exercises if states.get(name) != "correct")
    link = _link(f"exercise {manifest.title(exercise)}", chapter, f"#{manifest.anchor(exercise)}")
    return f"**Next step:** {link}, in {_link(f'{chapter.number} · {chapter.title}', chapter)}."


def chart(course, states, minutes):
    """Show two bars for each chapter: exercises solved, tried and still wrong, open; and the minutes spent."""
    figures.set_style()
    figure, (left_axis, right_axis) = plt.subplots(
        1, 2, figsize=(9, 0.6 + 0.24 * len(course)), width_ratios=[3, 2], sharey=True
    )
    rows, left = range(len(course)), [0] * len(course)
    kinds = {"solved": ("correct", "C0", ""), "not yet": ("not yet", "C4", "///")}
    for label, (state, colour, hatch) in kinds.items():
        counts = [sum(states.get(name) == state for name in chapter.exercises) for chapter in course]
        left_axis.barh(rows, counts, left=left, color=colour, hatch=hatch, edgecolor="white", label=label)
        left = [before + count for before, count in zip(left, counts, strict=True)]
    rest = [len(chapter.exercises) - done for chapter, done in zip(course, left, strict=True)]
    left_axis.barh(rows, rest, left=left, color="white", edgecolor="grey", label="open")
    left_axis.set_yticks(rows, [f"{chapter.number} {chapter.title}" for chapter in course], fontsize=8)
    most = max(len(chapter.exercises) for chapter in course)
    left_axis.set(xlabel="exercises", title="Exercises", xlim=(0, most + 0.2))
    left_axis.legend(fontsize=8, ncol=3, loc="lower center", bbox_to_anchor=(0.5, -0.12))
    right_axis.barh(rows, minutes, color="C1")
    right_axis.set(xlabel="minutes", title="Time spent", xlim=(0, max(10, *minutes) * 1.05))
    for axis in (left_axis, right_axis):
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(False)
        axis.margins(y=0.01)
    left_axis.invert_yaxis()
    done, total = sum(_solved(chapter.exercises, states) for chapter in course), sum(left) + sum(rest)
    told = f"{done} of {total} exercises are solved, in {sum(minutes):.0f} minutes"
    figures.show(figure, f"A bar for each of {len(course)} chapters: {told}")


def _display(lines):
    """Show lines of Markdown; where no browser is, without its signs."""
    text = "\n".join(lines)
    cards.display({"text/markdown": text, "text/plain": re.sub(r"\*\*|\]\([^)]*\)|\[", "", text)})


def _link(text, chapter, fragment=""):
    """A link to the learner's copy of a chapter, from where the notebook is; where there is no copy, only the text."""
    here = places.notebook_folder()
    for folder in (here, places.WORKSPACE):
        copy = folder / f"{chapter.name}.ipynb"
        if copy.is_file() and (folder == here or folder in here.parents):
            return f"[{text}]({pathlib.Path(os.path.relpath(copy, here)).as_posix()}{fragment})"
    return text


def _solved(names, states):
    return sum(states.get(name) == "correct" for name in names)


def _minutes(seconds):
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
