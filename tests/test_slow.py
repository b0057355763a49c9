"""What takes minutes: what is open in an untouched chapter runs to its end, and nbval notices planted mistakes.

Two run side by side, so time is not measured here: `make build` does, alone, and tests/test_chapters.py has the budget.
"""

import os
import subprocess
import sys

import nbformat
import pytest

from authoring import build, notebooks, reach
from authoring import chapter as chapters
from authoring.moved import texts
from coursekit import checking, manifest, places

pytestmark = pytest.mark.slow
SECONDS = 180  # three times what a chapter may take alone: something hangs


@pytest.mark.parametrize("name", chapters.names())
def test_an_untouched_chapter_runs_to_a_to_do_list(name, tmp_path):
    """Without the cells that run as they do in its solution; every night with them (`make test-untouched ALL=1`)."""
    notebook = nbformat.read(places.CHAPTERS / f"{name}.ipynb", as_version=4)
    if os.environ.get("COURSE_ALL_CELLS", "0") != "1":
        notebook.cells = [notebook.cells[index] for index in sorted(reach.open_cells(notebook))]
    took = build.execute(notebook, tmp_path, strict=False)
    topic = chapters.read(name).header.topic
    outputs = "\n".join(line for cell in notebook.cells if cell.cell_type == "code" for line in texts(cell))
    to_do = texts(notebooks.code_cells(notebook)[-1])
    for exercise in checking.items(topic, checking.Exercise):
        assert f"○ {exercise.name} · not attempted yet." in outputs
        assert f"| ○ | {manifest.title(exercise.name)} | not attempted |" in to_do
    assert sum(seconds for seconds, _ in took) <= SECONDS


PLANTED = {
    "another seed": ("SEED = 0", "SEED = 1"),
    "another optimizer": ("keras.optimizers.SGD()", "keras.optimizers.Adam()"),
    "a forgotten normalisation": ('x = x.reshape(-1, 784).astype("float32") / 255', "x = x.reshape(-1, 784) / 1.0"),
    "a changed data set": ("fashion_mnist(12_000, 5_000, seed)", "fashion_mnist(11_000, 5_000, seed)"),
}
# The experiment of chapter 01 into which they are planted: units that die.
KEPT = ("mean brightness", "came_back[row]", "came_back[name, step]")


@pytest.mark.parametrize("mistake", [None, *PLANTED], ids=str)
def test_nbval_notices(mistake, course):
    notebook = nbformat.read(places.SOLUTIONS / "01_activations.ipynb", as_version=4)
    wanted = [i for i, cell in enumerate(notebook.cells) if any(piece in cell.source for piece in KEPT)]
    notebook.cells = [notebook.cells[i] for i in sorted(reach.needed(notebook.cells, wanted))]
    for cell in notebook.cells if mistake else ():
        cell.source = cell.source.replace(*PLANTED[mistake])
    if mistake:
        assert PLANTED[mistake][1] in "\n".join(cell.source for cell in notebook.cells)
    path = places.SOLUTIONS / "planted.ipynb"
    nbformat.write(notebook, path)
    environment = os.environ | {"PYTHONPATH": str(course), "COURSEKIT_STRICT": "1"}
    options = ["-p", "nbval", "--nbval", "--nbval-current-env", "-q", "--rootdir", str(course), str(path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options], env=environment, cwd=course, capture_output=True, text=True
    )
    assert done.returncode == (1 if mistake else 0), done.stdout
    assert ("Cell outputs differ" in done.stdout) == bool(mistake), done.stdout
