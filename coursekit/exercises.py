"""What a learner calls: check, hint, solution, quiz, reset, progress, export_progress, import_progress."""

import functools
import json
import pathlib
import random

from coursekit import calling, cards, checking, manifest, places, workspace
from coursekit.cards import SIGNS
from coursekit.checking import Exercise, Quiz
from coursekit.store import STORE, as_bytes, folder, one_line, read_file

TRIES_BEFORE_SOLUTION = 3
NO_SOLUTIONS = "This copy of the course holds no solutions; ask your teacher."


def check(name, answer):
    """Say whether `answer` solves the exercise `name`: not attempted, not yet (and why), or correct.

    Never raises because of the answer, unless COURSEKIT_STRICT=1 is set (grading, CI): then AssertionError.
    """
    exercise = checking.find(name, Exercise)
    verdict = checking.judge(exercise, answer)
    solved = STORE.read().get(name, {}).get("status") == "correct"
    STORE.keep_verdict(name, verdict, calling.fingerprint(answer, verdict.message))
    cards.show(_card(name, verdict, solved), hint=_next_hint, solution=_solution)
    if places.strict() and verdict.status != "correct":
        raise AssertionError(f"{name}: {verdict.status}. {verdict.message}".strip())


def verdict(name, answer):
    """Return what a check would say of `answer`, as a text; nothing is kept."""
    found = checking.judge(checking.find(name, Exercise), answer)
    return cards.as_plain(f"{found.status}. {found.message}".strip())


def _card(name, verdict, solved):
    """The card of a verdict: the misconception comes first, and what the table shows is not said twice."""
    table = {"input": verdict.given, "expected": verdict.expected, "got": verdict.got}
    told = verdict.note if verdict.expected or verdict.got else verdict.message.replace(verdict.mistake, "").strip()
    stays = "You solved this exercise before, and it stays solved." if solved and verdict.status == "not yet" else ""
    texts = tuple(filter(None, [verdict.mistake, told, stays]))
    if places.strict():
        return cards.Card(name, verdict.status, texts, table)
    calls = {} if verdict.status == "correct" else {"Hint": f'ck.hint("{name}")'}
    calls["Solution"] = f'ck.solution("{name}")'
    return cards.Card(name, verdict.status, texts, table, calls, _next(name))


def _next(name):
    """The anchor of the exercise after `name` in its chapter, or None."""
    names = [item.name for item in checking.items(name.partition(".")[0], Exercise)]
    following = names[names.index(name) + 1 :]
    return manifest.anchor(following[0]) if following else None


def hint(name):
    """Show the next hint of an exercise; after the last one, all of them again."""
    _say(_next_hint(name))


def _next_hint(name):
    hints = checking.find(name, Exercise).hints
    seen = STORE.read().get(name, {}).get("hints", 0)
    if seen < len(hints):
        STORE.update(name, hints=seen + 1)
    numbered = [f"Hint {number} of {len(hints)}: {text}" for number, text in enumerate(hints, start=1)]
    ending = [f"That was the last one. {_way_to_solution(name)}"] if seen + 1 >= len(hints) else []
    return "\n\n".join((numbered[seen : seen + 1] or numbered) + ending)


def _way_to_solution(name):
    """One sentence: how the solution can be had now."""
    if _exercise_cell(name, places.SOLUTIONS) is None:
        return NO_SOLUTIONS
    return _closed(name) or f'The solution is open: `ck.solution("{name}")` shows it.'


def _closed(name):
    """How many tries are left before the solution opens, as a sentence; empty when it is open."""
    record = STORE.read().get(name, {})
    left = TRIES_BEFORE_SOLUTION - record.get("tries", 0)
    if left <= 0 or record.get("status") == "correct":
        return ""
    return f"The solution opens after {left} more {'try' if left == 1 else 'tries'}."


def solution(name, now=False):
    """Show a solution once the exercise was solved or tried three times; with `now=True` at once."""
    _say(_solution(name, now))


def _solution(name, now=False):
    checking.find(name, Exercise)
    if (source := _exercise_cell(name, places.SOLUTIONS)) is None:
        return NO_SOLUTIONS
    if not now and (closed := _closed(name)):
        return f'{closed} The same answer again is no new try. To see it now: `ck.solution("{name}", now=True)`.'
    text = "\n".join(line for line in source.splitlines() if not line.strip().startswith("### "))
    return f"One way to solve **{name}**:\n\n```python\n{text}\n```"


def quiz(name):
    """Ask a question; a click on a choice says whether it is right, and why."""
    question = checking.find(name, Quiz)
    # The same order every time, but not the order in which the choices were written.
    order = random.Random(name).sample(list(question.choices), len(question.choices))
    folded = "".join(
        f"<details><summary>{cards.as_html(choice)}</summary><p>{SIGNS['correct' if right else 'not yet']} "
        f"{cards.as_html(reason)}</p></details>"
        for choice, (right, reason) in ((choice, question.choices[choice]) for choice in order)
    )
    asked = f"<b>{cards.as_html(question.question)}</b>"
    plain = "\n".join([question.question, *(f"- {choice}" for choice in order)])
    static = {"text/html": f"<p>{asked}</p>{folded}", "text/plain": plain}
    if not cards.in_notebook():
        cards.display(static)
        return
    import ipywidgets

    verdict = ipywidgets.HTML()

    def answer(choice):
        right, reason = question.choices[choice]
        status = "correct" if right else "not yet"
        solved = STORE.read().get(name, {}).get("status") == "correct"
        STORE.update(name, status="correct" if solved else status)
        stays = "" if right or not solved else " You answered this before, and it stays right in your progress."
        verdict.value = f"<b>{SIGNS[status]} {status}.</b> {cards.as_html(reason)}{stays}"

    buttons = []
    for choice in order:
        # Code signs do not show on a button, so they are left out there.
        button = ipywidgets.Button(description=choice.replace("`", ""), tooltip=choice.replace("`", ""))
        button.layout = {"width": "auto", "max_width": "40em", "height": "auto"}
        button.on_click(functools.partial(lambda choice, button: answer(choice), choice))
        buttons.append(button)
    cards.display_widget(ipywidgets.VBox([ipywidgets.HTML(asked), *buttons, verdict]), static)


def progress(topic=None):
    """Without a topic: the page of all chapters, with the next step. With one: the to-do list of its exercises."""
    from coursekit import progress_page

    if topic is None:
        progress_page.show()
        return
    if topic not in checking.topics():
        raise places.CourseError(f"there is no topic {topic!r}; there are {', '.join(checking.topics())}.")
    progress_page.to_do(topic)


def export_progress(path, learner=""):
    """Write your progress into one file, for another machine or for your teacher.

    path: e.g. `my_progress.json`; a file that is there already is never overwritten. learner: your name, if you like.
    """
    path = pathlib.Path(path)
    if path.exists():
        raise places.CourseError(f"{path.name} is there already. Choose another name, or delete it first.")
    if not path.parent.is_dir():
        raise places.CourseError(f"there is no folder {path.parent}.")
    content = as_bytes({"learner": one_line(learner, 80)} | STORE.read_all())
    try:
        places.write_atomically(path, content)
    except OSError as error:
        raise places.CourseError(f"{path.name} cannot be written ({error.strerror}).") from None
    _say(f"Your progress is in `{path.name}`.")


def import_progress(path):
    """Unite your progress with a file that `export_progress` wrote: of each exercise what is further on counts."""
    kept = STORE.take_in(read_file(path))
    _say(f"Taken in. Your progress as it was is kept as `{kept.name}`.")


def reset(name):
    """Start again: an exercise (its tries and verdict are forgotten) or a whole chapter such as `01_activations`.

    Nothing is lost: a copy of the progress file, or of your notebook, is kept under a name that says so.
    """
    if (places.CHAPTERS / f"{name}.ipynb").is_file():
        if folder() != places.WORKSPACE:
            raise places.CourseError("a chapter can be reset only in workspace/ (`make lab` opens it).")
        kept = workspace.start_again(name)
        _say(f"Your notebook is kept as `{kept.name}`. A fresh {name}.ipynb lies beside it: close and open that one.")
        return
    checking.find(name, Exercise)
    kept = STORE.forget(name)
    text = f"**{name}** starts again." + (f" Your progress so far is kept as `{kept.name}`." if kept else "")
    if (source := _exercise_cell(name, places.CHAPTERS)) is not None:
        text += f" The cell looked like this:\n\n```python\n{source}\n```"
    _say(text)


def _exercise_cell(name, where):
    """Source of the exercise cell of `name` in the notebooks in folder `where`, or None."""
    wanted = name.replace(".", "-")
    for path in [where / f"{chapter.name}.ipynb" for chapter in manifest.chapters() if name in chapter.exercises]:
        for cell in json.loads(path.read_text(encoding="utf8"))["cells"] if path.is_file() else ():
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == wanted:
                return "".join(cell["source"])
    return None


def _say(text):
    """Show Markdown in a notebook, and the same text without its marks elsewhere."""
    cards.display({"text/markdown": text, "text/plain": cards.as_plain(text)})
