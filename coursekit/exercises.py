"""What a learner calls: check, hint, solution, quiz, reset, progress, export_progress, import_progress."""

import functools
import html
import json
import pathlib
import random
import re

import IPython.display

from coursekit import checking, places, workspace
from coursekit.checking import Exercise, Quiz
from coursekit.store import STORE, as_bytes, folder, one_line, read_file

SIGNS = {"not attempted": "○", "not yet": "✗", "correct": "✓"}
TRIES_BEFORE_SOLUTION = 3


def check(name, answer):
    """Say whether `answer` solves the exercise `name`: not attempted, not yet (and why), or correct.

    Never raises because of the answer, unless COURSEKIT_STRICT=1 is set (grading, CI): then AssertionError.
    """
    exercise = checking.find(name, Exercise)
    verdict = checking.judge(exercise, answer)
    record = STORE.read().get(name, {})
    if verdict.status != "not attempted":
        STORE.update(name, status=verdict.status, tries=record.get("tries", 0) + 1, mistake=verdict.mistake)
    elif not record:
        STORE.update(name, status=verdict.status)
    ending = {
        "not attempted": f'not attempted yet. Hint: `ck.hint("{name}")`',
        "not yet": f"not yet. {verdict.message}",
        "correct": f"correct. {verdict.message}",
    }[verdict.status]
    _say(f"{SIGNS[verdict.status]} **{name}** · {ending.strip()}")
    if places.strict() and verdict.status != "correct":
        raise AssertionError(f"{name}: {verdict.status}. {verdict.message}".strip())


def verdict(name, answer):
    """Return what a check would say of `answer`, as a text; nothing is kept."""
    found = checking.judge(checking.find(name, Exercise), answer)
    return re.sub(r"\*\*|`", "", f"{found.status}. {found.message}".strip())


def hint(name):
    """Show the next hint of an exercise; after the last one, all of them again."""
    hints = checking.find(name, Exercise).hints
    seen = STORE.read().get(name, {}).get("hints", 0)
    if seen >= len(hints):
        for number, text in enumerate(hints, start=1):
            _say(f"Hint {number} of {len(hints)}: {text}")
        _say(f'That was the last one. `ck.solution("{name}")` shows a solution.')
    else:
        _say(f"Hint {seen + 1} of {len(hints)}: {hints[seen]}")
        STORE.update(name, hints=seen + 1)


def solution(name, now=False):
    """Show a solution once the exercise was solved or tried three times; with `now=True` at once."""
    checking.find(name, Exercise)
    record = STORE.read().get(name, {})
    left = TRIES_BEFORE_SOLUTION - record.get("tries", 0)
    if not (now or left <= 0 or record.get("status") == "correct"):
        plural = "try" if left == 1 else "tries"
        _say(f'The solution opens after {left} more {plural}. To see it now: `ck.solution("{name}", now=True)`.')
        return
    source = _exercise_cell(name, places.SOLUTIONS)
    if source is None:
        _say("This copy of the course holds no solutions; ask your teacher.")
    else:
        text = "\n".join(line for line in source.splitlines() if not line.strip().startswith("### "))
        _say(f"One way to solve **{name}**:\n\n```python\n{text}\n```")


def quiz(name):
    """Ask a question; a click on a choice says whether it is right, and why."""
    question = checking.find(name, Quiz)
    import ipywidgets

    from coursekit.figures import display_widget

    verdict = ipywidgets.HTML()
    # The same order every time, but not the order in which the choices were written.
    order = random.Random(name).sample(list(question.choices), len(question.choices))

    def answer(choice):
        right, reason = question.choices[choice]
        status = "correct" if right else "not yet"
        STORE.update(name, status=status)
        verdict.value = f"<b>{SIGNS[status]} {status}.</b> {_as_html(reason)}"

    buttons = []
    for choice in order:
        # Code signs do not show on a button, so they are left out there.
        button = ipywidgets.Button(description=choice.replace("`", ""), tooltip=choice.replace("`", ""))
        button.layout = {"width": "auto", "max_width": "40em", "height": "auto"}
        button.on_click(functools.partial(lambda choice, button: answer(choice), choice))
        buttons.append(button)
    asked = ipywidgets.HTML(f"<b>{_as_html(question.question)}</b>")
    box = ipywidgets.VBox([asked, *buttons, verdict])
    folded = "".join(
        f"<details><summary>{_as_html(choice)}</summary><p>{SIGNS['correct' if right else 'not yet']} "
        f"{_as_html(reason)}</p></details>"
        for choice, (right, reason) in ((choice, question.choices[choice]) for choice in order)
    )
    plain = "\n".join([question.question, *(f"- {choice}" for choice in order)])
    display_widget(box, {"text/html": f"<p><b>{_as_html(question.question)}</b></p>{folded}", "text/plain": plain})


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
    for path in sorted(where.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf8"))["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == wanted:
                return "".join(cell["source"])
    return None


def _say(text):
    """Show Markdown in a notebook, and the same text without its signs elsewhere."""
    # Every second piece between two ``` is code, where ** and ` mean something else.
    pieces = re.split(r"```(?:python\n)?", text)
    plain = "".join(piece if number % 2 else re.sub(r"\*\*|`", "", piece) for number, piece in enumerate(pieces))
    IPython.display.display({"text/markdown": text, "text/plain": plain}, raw=True)


def _as_html(text):
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
