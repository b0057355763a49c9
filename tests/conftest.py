"""What all tests share: the CPU, a quiet TensorFlow, and a copy of the course that a test may spoil."""

import os
import shutil

import pytest

os.environ["COURSE_DEVICE"] = "cpu"
os.environ.pop("COURSEKIT_STRICT", None)

from coursekit import places, runtime, workspace

runtime.prepare()
PARTS = (
    "authoring",
    "benchmarks",
    "chapters",
    "checkpoints",
    "coursekit",
    "datasets",
    "serving",
    "solutions",
    "source",
)


def link(source, target):
    """A second name for a file, which costs nothing, or a copy if the file system has none. Unlink it to spoil it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A copy of the course with a space and a non-ASCII letter in its path; the kit and the pipeline work on it."""
    root = tmp_path / "my cöurse"
    root.mkdir()
    for part in PARTS:
        shutil.copytree(places.ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("README.md", "conftest.py", "requirements.txt"):
        shutil.copy(places.ROOT / file, root / file)
    if places.FETCHED.exists():
        shutil.copytree(places.FETCHED, root / ".data", copy_function=link)
    names = {
        "BENCHMARKS": "benchmarks",
        "CHAPTERS": "chapters",
        "CHECKPOINTS": "checkpoints",
        "SOLUTIONS": "solutions",
        "DATASETS": "datasets",
        "FETCHED": ".data",
    }
    for name, folder in (names | {"WORKSPACE": "workspace", "ROOT": "."}).items():
        monkeypatch.setattr(places, name, (root / folder).resolve())
    return root


@pytest.fixture
def desk(course, monkeypatch):
    """workspace/ of a copied course, with the chapters laid out, as the current folder."""
    from coursekit import exercises

    monkeypatch.setattr(exercises.STORE, "memory", {"exercises": {}, "time": {}, "guesses": {}})
    workspace.lay_out()
    monkeypatch.chdir(places.WORKSPACE)
    return places.WORKSPACE
