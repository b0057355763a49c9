"""The notebooks of a chapter: the solution (not yet executed) and the learner's, as deterministic JSON."""

import copy
import hashlib
import json
import re

import nbformat
from nbgrader.preprocessors import ClearSolutions

from authoring import chapter as chapters
from coursekit import claims, manifest, places

STUB = "...  # your code here"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
FOLDED = {"conclusion", "figure"}  # cells of which a learner sees the output first, in JupyterLab and on Colab
LINK = re.compile(r"\[([^\]\n]+)\]\((\w+)\.ipynb\)")  # from one chapter to another
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def solution(chapter):
    """The notebook with every exercise solved, its outputs still empty."""
    notebook = nbformat.v4.new_notebook(metadata=copy.deepcopy(METADATA))
    notebook.nbformat_minor = 5
    cells = [_title(chapter), *_told(chapter), _closing(chapter)]
    for position, cell in enumerate(cells):
        cell.id = f"{chapter.name.replace('_', '-')[:50]}-{position:03d}"
        ignored = {"nbval-ignore-output"} if starts(cell) else set()
        kept = {"tags": sorted(chapters.tags(cell) | ignored), "approximate": cell.metadata.get("approximate")}
        cell.metadata = nbformat.from_dict({key: value for key, value in kept.items() if value})
        if FOLDED & chapters.tags(cell):
            cell.metadata |= {"jupyter": nbformat.NotebookNode({"source_hidden": True}), "cellView": "form"}
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    for position, cell in enumerate(cells):
        if "exercise" in chapters.tags(cell):
            exercise = re.search(r'"([\w.]+)"', cells[position + 1].source)[1]
            name = exercise.replace(".", "-")
            points = chapters.EXERCISE_TITLE.search(cells[position - 1].source)["difficulty"].count("●")
            cells[position - 1].id = manifest.cell_id(exercise)
            cell.metadata["nbgrader"] = _nbgrader(name, solution=True)
            cells[position + 1].metadata["nbgrader"] = _nbgrader(f"check-{name}", grade=True, points=points)
    notebook.cells = cells
    return notebook


def learner(solved):
    """The learner's notebook for a solution notebook: solutions replaced by a stub, no outputs, no guards."""
    notebook = copy.deepcopy(solved)
    notebook.cells = [cell for cell in notebook.cells if "guard" not in chapters.tags(cell)]
    clear = ClearSolutions(code_stub={"python": STUB})
    notebook, _ = clear.preprocess(notebook, {})
    for cell in notebook.cells:
        cell.metadata.get("nbgrader", {}).pop("checksum", None)
        cell.metadata.pop("approximate", None)  # for the comparison of outputs, which are not here
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    return notebook


def as_text(notebook):
    """The notebook as JSON: keys sorted, one space of indentation, a newline at the end."""
    lines = json.loads(nbformat.writes(notebook))  # nbformat splits texts into lines
    return json.dumps(lines, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def tidy(notebook):
    """Remove from executed outputs what differs from run to run: times, views of widgets. Number the cells from 1.

    The numbers are needed: nbval refuses outputs of a cell that has no execution count. Outputs that nbval does not
    compare tell of this machine, so they are not stored.
    """
    for number, cell in enumerate(code_cells(notebook), start=1):
        cell.metadata.pop("execution", None)
        cell.execution_count = number
        compared = "nbval-ignore-output" not in cell.metadata.get("tags", [])
        kept = []
        for output in cell.outputs if compared else []:
            if "execution_count" in output:
                output["execution_count"] = number
            if "data" in output:
                live = output["data"].pop(WIDGET_VIEW, None)
                if live and not output["data"]:
                    continue
            kept.append(output)
        cell.outputs = kept
    notebook.metadata = nbformat.from_dict(copy.deepcopy(METADATA))
    return notebook


def starts(cell):
    """Whether a cell calls ck.start(), which tells of this machine and of the seconds that it took."""
    return cell.cell_type == "code" and bool(re.search(r"^ck\.start\(", cell.source, re.MULTILINE))


def code_cells(notebook):
    """The code cells of a notebook, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def work(chapter, notebook):
    """A hash of what the cells of a chapter do, whatever the kit around them says: code cells, data, versions."""
    cards = [places.DATASETS / name / "card.toml" for name in chapter.header.data]
    parts = [cell.source for cell in code_cells(notebook)]
    parts += [path.read_text(encoding="utf8") for path in [*cards, places.ROOT / "requirements.txt"]]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def key(chapter, notebook):
    """A hash of what the outputs depend on: code cells, coursekit, the topic's checks, data, long runs, versions."""
    parts = [cell.source for cell in code_cells(notebook)]
    shown = reports("".join(parts))
    kit = places.ROOT / "coursekit"
    files = [*sorted(kit.glob("*.py")), kit / "checks" / "__init__.py", kit / "checks" / f"{chapter.header.topic}.py"]
    files += [places.DATASETS / name / "card.toml" for name in chapter.header.data]
    files += [path for path in [evidence(chapter.name)] if path.exists()]
    parts += [path.read_text(encoding="utf8") for path in [*files, *shown, places.ROOT / "requirements.txt"]]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def reports(code):
    """The stored reports of benchmarks and long runs that `code` shows."""
    runs = [("benchmark", places.BENCHMARKS), ("checkpoint", places.CHECKPOINTS)]
    found = [(call, path) for call, folder in runs for path in sorted(folder.glob("*.json"))]
    return [path for call, path in found if f'{call}("{path.stem}")' in code]


def evidence(name):
    """Where the repeats of a chapter's claims lie, which its outputs show."""
    return places.ROOT / "coursekit" / claims.EVIDENCE / f"{name}.json"


def _title(chapter):
    header = chapter.header
    before = ", ".join(map(_link, header.prerequisites)) or "none"
    title = f"# {chapter.number} · {header.title}\n\n*{header.promise}*"
    return nbformat.v4.new_markdown_cell(f"{title}\n\n{header.minutes} minutes · Before this: {before}")


def _told(chapter):
    """The cells as written, but the heading of an exercise begins a cell of its own: links lead to it."""
    for cell in copy.deepcopy(chapter.notebook.cells):
        heading = chapters.EXERCISE_TITLE.search(cell.source) if cell.cell_type == "markdown" else None
        if heading and heading.start():
            yield nbformat.v4.new_markdown_cell(cell.source[: heading.start()].rstrip())
            cell.source = cell.source[heading.start() :]
        yield cell


def _closing(chapter):
    """The last cell: what was built, and where to go on."""
    later = [name for name in chapters.names() if name > chapter.name]
    further = f"**Next:** {_link(later[0])}" if later else "This is the last chapter of the course."
    return nbformat.v4.new_markdown_cell(f"### What you built\n\n{chapter.header.built}\n\n{further}")


def _link(name):
    return f"[{name.partition('_')[0]} · {chapters.read_header(name).title}]({name}.ipynb)"


def _nbgrader(grade_id, grade=False, solution=False, points=None):
    cell = {"schema_version": 3, "grade_id": grade_id, "grade": grade, "solution": solution}
    cell |= {"locked": not solution, "task": False}
    return cell | ({"points": points} if grade else {})
