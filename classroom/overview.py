"""Who solved what, and which misconceptions are most common: for the teacher's notebook, class/overview.ipynb.

A table of results has one row for a learner and an exercise, with the columns learner, exercise
(`activations.softmax`), status (`correct`, `not yet`, `not attempted`, as in a chapter) and mistake (the sentence that
names it, or an empty text).
"""

import pathlib

import matplotlib.colors
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas
from nbgrader.api import Gradebook

from classroom.kernel import VERDICT
from coursekit import figures, places, store

COLUMNS = ["learner", "exercise", "status", "mistake"]
STATES = ["not attempted", "not yet", "correct"]


def from_nbgrader(course):
    """Results of the submissions graded in the course folder `course`; a teacher's own marks count.

    Returns a table of results, and a list of sentences about submissions that could not be graded.
    """
    course, rows, problems = pathlib.Path(course).resolve(), [], []
    if not (course / "gradebook.db").is_file():
        return pandas.DataFrame(columns=COLUMNS), ["Nothing is graded yet: the course folder has no gradebook.db."]
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        for assignment in gradebook.assignments:
            for submission in gradebook.assignment_submissions(assignment.name):
                for notebook in submission.notebooks:
                    learner = submission.student.id
                    path = course / "autograded" / learner / assignment.name / f"{notebook.name}.ipynb"
                    if not path.is_file():
                        problems.append(f"{learner}: {notebook.name} could not be graded; open what was submitted.")
                        continue
                    verdicts = _verdicts(path)
                    for grade in notebook.grades:
                        exercise = grade.name.removeprefix("check-").replace("-", ".", 1)
                        status, mistake = verdicts.get(exercise, ("not yet", ""))
                        if grade.score >= grade.max_score:  # by the check, or by the teacher
                            status, mistake = "correct", ""
                        elif status == "correct":  # the teacher, or the grader, thought otherwise
                            status = "not yet"
                        rows.append((learner, exercise, status, mistake))
    return pandas.DataFrame(rows, columns=COLUMNS), problems


def from_progress(folder):
    """Results from progress files in `folder`: what learners exported, or copies of their progress.json.

    Returns a table of results, and a list of sentences about files that could not be read.
    """
    rows, problems = [], []
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        try:
            progress = store.read_file(path)
        except places.CourseError as error:
            problems.append(str(error))
            continue
        for exercise, record in progress["exercises"].items():
            row = (progress.get("learner") or path.stem, exercise, record.get("status"), record.get("mistake") or "")
            rows += [row] if record.get("status") in STATES else []
    return pandas.DataFrame(rows, columns=COLUMNS), problems


def solved(results):
    """How many exercises each learner solved in each topic: a table, learners down, topics across."""
    if results.empty:
        return pandas.DataFrame()
    topic = results["exercise"].str.partition(".")[0].rename("topic")
    right = (results["status"] == "correct").astype(int)
    return right.groupby([results["learner"], topic]).sum().unstack(fill_value=0)


def mistakes(results):
    """How many learners show each misconception, the most common one first: columns exercise, mistake, learners."""
    named = results[(results["status"] == "not yet") & (results["mistake"] != "")]
    counted = named.groupby(["exercise", "mistake"])["learner"].nunique().rename("learners").reset_index()
    return counted.sort_values(["learners", "exercise", "mistake"], ascending=[False, True, True], ignore_index=True)


def picture(results, topic):
    """Show one topic: learners down, exercises across, a sign for each state; above, how many solved each exercise."""
    figures.set_style()
    part = results[results["exercise"].str.startswith(f"{topic}.")]
    if part.empty:
        print(
            f"Nobody has worked on {topic!r} yet; there is {', '.join(sorted(solved(results).columns)) or 'nothing'}."
        )
        return
    names = list(dict.fromkeys(part["exercise"]))
    state = part["status"].map(STATES.index)
    table = state.groupby([part["learner"], part["exercise"]]).max().unstack(fill_value=0)[names]
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(9, 2.2 + 0.3 * len(table)), height_ratios=[1.2, 0.3 * len(table)], sharex=True
    )
    count = (table == 2).sum()
    above.bar(range(len(names)), count, color="C0")
    above.set(title=f"{topic}: solved by how many of {len(table)}", ylabel="learners", ylim=(0, len(table)))
    colours = matplotlib.colors.ListedColormap(["#EEEEEE", figures.PALETTE[4], figures.PALETTE[5]])
    below.imshow(table, cmap=colours, vmin=0, vmax=2, aspect="auto")
    for (row, column), value in np.ndenumerate(table.to_numpy()):
        below.text(column, row, "○✗✓"[value], ha="center", va="center")
    below.set_xticks(range(len(names)), [name.partition(".")[2] for name in names], rotation=30, ha="right")
    below.set_yticks(range(len(table)), table.index)
    below.set(title="○ not attempted   ✗ not yet   ✓ solved", xlabel="exercise", ylabel="learner")
    below.grid(False)
    alt = (
        f"Exercises of {topic}, solved by {', '.join(map(str, count))} of {len(table)} learners; below, who solved what"
    )
    figures.show(figure, alt)


def _verdicts(path):
    """{exercise: (status, mistake)} as the grader signed them in an autograded notebook."""
    found = {}
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            if (verdict := output.get("data", {}).get(VERDICT)) is not None:
                found[verdict["exercise"]] = (verdict["status"], verdict["mistake"])
    return found
