"""Lay out a class for nbgrader (`make classroom`): a course folder with every chapter as an assignment.

What is there is never overwritten: a teacher may change it.
"""

import argparse
import pathlib
import secrets

import nbformat

from authoring import chapter as chapters
from authoring import notebooks
from coursekit import places

FOLDER = places.ROOT / "class"
COURSE = "big-models"
HIDDEN = """\
### BEGIN HIDDEN TESTS
from classroom import kernel as grader

grader.check{arguments}
### END HIDDEN TESTS
"""
CONFIG = '''\
"""nbgrader for this class; what each setting does: `nbgrader --help-all`. Yours to change."""

import os
import pathlib
import sys

from coursekit import places

sys.path.insert(0, str(places.ROOT))  # for the package classroom
os.environ["PATH"] = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])  # for alembic
os.environ.setdefault("COURSE_DEVICE", "cpu")
os.environ.setdefault("COURSE_GRADING", "1")  # 0: a submission's experiments run too, in full (about a minute each)
os.environ.setdefault("COURSE_HIDDEN_SEED", "{seed}")  # from it the hidden inputs are drawn: keep it to yourself
os.environ["COURSEKIT_STRICT"] = "1"

c = get_config()  # noqa: F821
folder = pathlib.Path(__file__).resolve().parent
c.CourseDirectory.root = str(folder)
c.CourseDirectory.course_id = "{course}"
c.Exchange.root = str(folder / "exchange")  # a folder that teacher and learners share
c.IncludeHeaderFooter.enabled = False
c.ClearSolutions.code_stub = {{"python": "{stub}"}}
c.ClearSolutions.enforce_metadata = True
c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.ClearOutput",
    "classroom.grading.Mend",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "classroom.grading.ExecuteAnswers",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.pre_convert_hook = "classroom.grading.begin"
c.Autograde.post_convert_hook = "classroom.grading.end"
if "autograde" in sys.argv:
    from classroom import grading

    grading.forget_what_changed(folder)
'''
CONFIG_OF_A_LEARNER = '''\
"""nbgrader for a learner: goes into their home as ~/.jupyter/nbgrader_config.py, or into /etc/jupyter/ for all."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "{course}"
c.Exchange.root = {exchange!r}
c.ExchangeSubmit.strict = True  # a notebook under another name is refused when it is submitted
strict = 'import os; os.environ["COURSEKIT_STRICT"] = "1"'  # else `nbgrader validate` would call a blank chapter solved
c.Execute.extra_arguments = ["--HistoryManager.hist_file=:memory:", "--IPKernelApp.exec_lines=" + strict]
'''
OVERVIEW = [
    "# Who solved what\n\n"
    "From the submissions that nbgrader graded in this folder, and from the progress files that learners sent you: put "
    'them into `progress/` (one writes it with `ck.export_progress("my_progress.json", learner="…")`). Run all cells.',
    "import sys\n\nimport pandas\nfrom coursekit import places\n\nsys.path.insert(0, str(places.ROOT))\n"
    "from classroom import overview\n\n"
    'graded, problems = overview.from_nbgrader(".")\nsent, unreadable = overview.from_progress("progress")\n'
    "results = pandas.concat([graded, sent])\n"
    'print(f"{results.learner.nunique()} learners, {len(results)} answers")\nprint("\\n".join(problems + unreadable))',
    "## Exercises solved, by topic",
    "print(overview.solved(results).to_string())",
    "## The most common misconceptions\n\nOnly those that the checks know by name.",
    "for row in overview.mistakes(results).head(15).itertuples():\n"
    '    print(f"{row.learners:3} learners · {row.exercise} · {row.mistake}")',
    "## Topic by topic",
    "for topic in overview.solved(results).columns:\n    overview.picture(results, topic)",
]


def overview_notebook():
    """The teacher's notebook that shows the class."""
    notebook = nbformat.v4.new_notebook(metadata=notebooks.METADATA)
    for number, text in enumerate(OVERVIEW):
        new = nbformat.v4.new_code_cell if number % 2 else nbformat.v4.new_markdown_cell
        notebook.cells.append(new(text, id=f"overview-{number}"))
    return notebook


def assignment(name):
    """The teacher's notebook of a chapter: exercises solved, before each check its hidden test, and no guards.

    nbgrader keeps each chapter in a folder of its own: so the links from one to another.
    """
    notebook = notebooks.solution(chapters.read(name))
    notebook.cells = [cell for cell in notebook.cells if "guard" not in chapters.tags(cell)]
    for cell in notebook.cells:
        if "check" in chapters.tags(cell):
            cell.source = HIDDEN.format(arguments=cell.source.removeprefix("ck.check")) + cell.source
        if cell.cell_type == "markdown":
            cell.source = notebooks.LINK.sub(r"[\1](../\2/\2.ipynb)", cell.source)
    return notebook


def lay_out(folder):
    """Write what is missing in `folder`. Returns lines that say what was done."""
    exchange = folder / "exchange"
    exchange.mkdir(parents=True, exist_ok=True)
    (folder / "progress").mkdir(exist_ok=True)
    exchange.chmod(0o777)  # each learner writes their own submission into it
    config = CONFIG.format(seed=secrets.randbelow(10**6), stub=notebooks.STUB, course=COURSE)
    for_learners = CONFIG_OF_A_LEARNER.format(exchange=str(exchange), course=COURSE)
    wanted = {folder / "nbgrader_config.py": config, folder / "for_learners" / "nbgrader_config.py": for_learners}
    wanted[folder / "overview.ipynb"] = notebooks.as_text(overview_notebook())
    for name in chapters.names():
        wanted[folder / "source" / name / f"{name}.ipynb"] = notebooks.as_text(assignment(name))
    lines = []
    for path, text in wanted.items():
        here = path.relative_to(folder)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            places.write_atomically(path, text.encode("utf8"))
            lines.append(f"{here}: written")
        elif path.parent.parent.name == "source" and path.read_text(encoding="utf8") != text:
            newer = folder / "newer" / path.name  # outside source/, where nbgrader would take it for a second notebook
            newer.parent.mkdir(exist_ok=True)
            places.write_atomically(newer, text.encode("utf8"))
            lines.append(f"{here}: left as it is; the chapter as it is now lies in {newer.relative_to(folder)}")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=FOLDER, help="where (default: class/)")
    folder = parser.parse_args().folder.resolve()
    lines = lay_out(folder)
    print("\n".join(lines) or "Everything is there already.")
    print(f"Next: `. .venv/bin/activate`, `cd {folder.name}`, then what classroom/README.md says.")


if __name__ == "__main__":
    main()
