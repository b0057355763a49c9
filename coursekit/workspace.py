"""workspace/: the learner's own copies of the chapters. What is there is never overwritten."""

import hashlib
import json
import shutil
import time

from coursekit import places
from coursekit.store import unused_name

PAGE = "progress.ipynb"  # the learner's page: the whole course at a glance
PAGE_TEXT = "# Your progress\n\nRun the cell below with Shift+Enter. A click on a chapter opens it."
LAID = ".laid.json"  # sha256 of each chapter as it was when it was laid into workspace/


def lay_out():
    """Copy each chapter that is not there yet. Returns lines that say what was done.

    A chapter that changed since it was copied appears beside the learner's copy as `NAME.new.ipynb`
    (`NAME.new.2.ipynb`, … when that is taken). A file that a learner deleted comes back.
    """
    places.WORKSPACE.mkdir(exist_ok=True)
    record = places.WORKSPACE / LAID
    try:
        laid = dict(json.loads(record.read_text(encoding="utf8")))
    except (OSError, ValueError):
        laid = {}
    lines = []
    contents = {path: path.read_bytes() for path in sorted(places.CHAPTERS.glob("*.ipynb"))}
    for chapter, content in (contents | {places.CHAPTERS / PAGE: page()}).items():
        now = hashlib.sha256(content).hexdigest()
        mine = places.WORKSPACE / chapter.name
        if not mine.exists():
            places.write_atomically(mine, content)
            lines.append(f"{chapter.name}: copied")
        elif laid.get(chapter.name) != now and mine.read_bytes() != content:
            beside = unused_name(mine.with_name(f"{chapter.stem}.new.ipynb"))
            places.write_atomically(beside, content)
            lines.append(f"{chapter.name}: a newer version lies beside yours as {beside.name}")
        laid[chapter.name] = now
    places.write_atomically(record, json.dumps(laid, indent=1, sort_keys=True).encode())
    return lines


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
    """Keep the learner's notebook `name` under a name with the date, lay a fresh one. Returns where it is kept."""
    mine = places.WORKSPACE / f"{name}.ipynb"
    kept = unused_name(mine.with_name(f"{name}.kept-{time.strftime('%Y-%m-%d')}.ipynb"))
    if mine.exists():
        shutil.copy2(mine, kept)
    places.write_atomically(mine, (places.CHAPTERS / mine.name).read_bytes())
    return kept


if __name__ == "__main__":
    for line in lay_out():
        print(line)
