"""workspace/: the learner's own copies of the chapters. What is there is never overwritten.

workspace/.laid/ keeps each notebook as it was laid: with it, what a learner wrote can be told from what changed since.
A notebook without one there, for instance of an older workspace, came from a version that is not known any more.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time

from coursekit import places
from coursekit.store import unused_name

PAGE = "progress.ipynb"  # the learner's page: the whole course at a glance
PAGE_TEXT = "# Your progress\n\nRun the cell below with Shift+Enter. A click on a chapter opens it."
LAID = ".laid.json"  # sha256 of each chapter as it was when it was last laid into workspace/, or beside the learner's
KEPT = ".laid"  # folder with what the learner's own notebook began as, under the same name


def lay_out():
    """Copy each chapter that is not there yet. Returns lines that say what was done, and what could not be done.

    A chapter that changed since it was copied appears beside the learner's copy as `NAME.new.ipynb`
    (`NAME.new.2.ipynb`, … when that is taken). A file that a learner deleted comes back.
    """
    places.WORKSPACE.mkdir(exist_ok=True)
    laid, lines, problem = _read_record(), [], None
    contents = {path: path.read_bytes() for path in sorted(places.CHAPTERS.glob("*.ipynb"))}
    try:
        for chapter, content in (contents | {places.CHAPTERS / PAGE: page()}).items():
            now = hashlib.sha256(content).hexdigest()
            mine, kept = places.WORKSPACE / chapter.name, places.WORKSPACE / KEPT / chapter.name
            if not mine.exists():
                problem = _lay(mine, content) or problem
                lines.append(f"{chapter.name}: copied")
            elif mine.read_bytes() == content:
                problem = _keep(mine, content) or problem
            elif laid.get(chapter.name) != now:
                beside = unused_name(mine.with_name(f"{chapter.stem}.new.ipynb"))
                places.write_atomically(beside, content)
                lines.append(f"{chapter.name}: a newer version lies beside yours as {beside.name}")
            elif not kept.exists() and not any(places.WORKSPACE.glob(f"{chapter.stem}.new*.ipynb")):
                problem = _keep(mine, content) or problem  # an older workspace, which has only the sha256
            laid[chapter.name] = now
        _write_record(laid)
    except OSError as error:
        with contextlib.suppress(OSError):  # what was laid before is no newer version the next time
            _write_record(laid)
        lines.append(
            f"Not every chapter could be laid into {places.WORKSPACE.name}/ ({error.strerror}). What is there is as it "
            "was; mend that and start again."
        )
    if problem:
        lines.append(f"What the chapters were laid as could not be kept in {KEPT}/ ({problem.strerror}).")
    return lines


def mend_installation():
    """Let notebooks import the kit of this folder, after it was moved or copied. Returns lines that say what was done.

    `pip install --editable` noted where the kit lay then; a copy would use the kit of the original.
    """
    ask = "import importlib.util\nfound = importlib.util.find_spec('coursekit')\nprint(found.origin if found else '')"
    found = subprocess.run([sys.executable, "-P", "-c", ask], capture_output=True, text=True).stdout.strip()
    if found and pathlib.Path(found).resolve() == places.ROOT / "coursekit" / "__init__.py":
        return []
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    command = [sys.executable, "-m", "pip", "install", *options, "--editable", str(places.ROOT)]
    done = subprocess.run(command, env=os.environ | {"PYTHONWARNINGS": "ignore"}, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1][:200]
        return [f"Problem: notebooks do not find the kit of this folder, and pip could not mend that: {reason}"]
    return ["The course was moved or copied: its notebooks find the kit here again."]


def page():
    """The notebook progress.ipynb as bytes."""
    code = "import coursekit as ck\n\nck.progress()"
    cells = [{"cell_type": "markdown", "id": "progress-0", "metadata": {}, "source": PAGE_TEXT}]
    cells += [{"cell_type": "code", "id": "progress-1", "source": code} | {"metadata": {}, "outputs": []}]
    cells[1]["execution_count"] = None
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1).encode("utf8")


def start_again(name):
    """Keep the learner's notebook `name` under a name with the date, lay a fresh one. Returns where it is kept.

    Raises CourseError when that cannot be written; the learner's notebook is then as it was.
    """
    mine = places.WORKSPACE / f"{name}.ipynb"
    kept = unused_name(mine.with_name(f"{name}.kept-{time.strftime('%Y-%m-%d')}.ipynb"))
    content = (places.CHAPTERS / mine.name).read_bytes()
    try:
        if mine.exists():
            places.write_atomically(kept, mine.read_bytes())
        _lay(mine, content)
    except OSError as error:
        kept.unlink(missing_ok=True)
        raise places.CourseError(
            f"{mine.name} could not be started again ({error.strerror}). Your notebook is as it was."
        ) from None
    with contextlib.suppress(OSError):  # then a newer version lies beside it one day, which harms nobody
        _write_record(_read_record() | {mine.name: hashlib.sha256(content).hexdigest()})
    return kept


def _lay(mine, content):
    """Write the notebook `mine` and keep what it was laid as. Returns the OSError when it could not be kept, or None.

    What was kept before goes first: after a power cut or on a full disk nothing wrong is kept, rather nothing.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        (mine.parent / KEPT / mine.name).unlink()
    places.write_atomically(mine, content)
    return _keep(mine, content)


def _keep(mine, content):
    kept = mine.parent / KEPT / mine.name
    try:
        kept.parent.mkdir(exist_ok=True)
        if not kept.exists() or kept.read_bytes() != content:
            places.write_atomically(kept, content)
    except OSError as error:  # the learner can work without
        return error
    return None


def _read_record():
    try:
        return dict(json.loads((places.WORKSPACE / LAID).read_text(encoding="utf8")))
    except (OSError, TypeError, ValueError):
        return {}


def _write_record(laid):
    places.write_atomically(places.WORKSPACE / LAID, json.dumps(laid, indent=1, sort_keys=True).encode())


if __name__ == "__main__":
    for line in mend_installation() + lay_out():
        print(line)
