"""source/ → solutions/ → chapters/ → list of chapters, README's table (`make build`). Executes only what changed."""

import argparse
import itertools
import json
import os
import sys
import time

import nbclient
import nbformat
import tqdm

from authoring import chapter as chapters
from authoring import manifest, moved, notebooks, readme
from coursekit import places

# Of each chapter: key of its stored outputs, work that its cells do, seconds, seconds of its slowest cell. Of builds
# that did the same work the fastest counts: a busy or slow machine adds seconds and never takes any away.
RUNS = places.SOLUTIONS / "runs.json"
SECONDS_A_CELL = 300
CHAPTER_SECONDS, CELL_SECONDS = (
    60,
    20,
)  # the budget of a chapter from top to bottom, and of one cell, on two quiet cores
HEADING = "Stored outputs that moved, old beside new (≈: a number that may move within its tolerance):"
SLOW = 2.0  # seconds; slower cells are listed
SILENT = 3.0  # seconds without a sign of progress; a cell that leaves its reader alone for longer is listed


class Client(nbclient.NotebookClient):
    """Notes when a running cell shows something, and whether it is a bar."""

    bar, signs = False, ()

    def process_message(self, message, cell, cell_index):
        if message["msg_type"] in ("stream", "display_data", "update_display_data"):
            self.signs.append(time.perf_counter())
            self.bar = self.bar or notebooks.WIDGET_VIEW in message["content"].get("data", {})
        return super().process_message(message, cell, cell_index)

    def execute_timed(self, cell, index):
        """Run a cell. Returns its seconds, and how many of them its reader saw nothing move (none with a bar)."""
        began = time.perf_counter()
        self.bar, self.signs = False, [began]
        self.execute_cell(cell, index)
        self.signs.append(time.perf_counter())
        silence = max(later - before for before, later in itertools.pairwise(self.signs))
        return self.signs[-1] - began, 0.0 if self.bar else silence


def execute(notebook, folder, strict=True):
    """Run all cells of `notebook` in `folder` in a fresh kernel. Returns for each cell what `execute_timed` says.

    Raises SourceError with the number of the cell and the traceback when a cell fails.
    """
    environment = os.environ | {"COURSEKIT_STRICT": "1" if strict else "0", "COURSE_DEVICE": "cpu"}
    client = Client(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
        coalesce_streams=True,
    )
    with client.setup_kernel(env=environment):
        took = []
        for index, cell in enumerate(notebook.cells):
            try:
                took.append(client.execute_timed(cell, index))
            except nbclient.exceptions.CellExecutionError as error:
                raise chapters.SourceError(f"cell {index} failed:\n{cell.source}\n\n{error}") from None
            except nbclient.exceptions.CellTimeoutError:
                raise chapters.SourceError(f"cell {index} took over {SECONDS_A_CELL} s:\n{cell.source}") from None
    return took


def build(name, force=False):
    """Build one chapter. Returns the lines of its table of moved outputs (empty when nothing moved)."""
    chapter = chapters.read(name)
    target = places.SOLUTIONS / f"{name}.ipynb"
    fresh = notebooks.solution(chapter)
    bare = notebooks.learner(fresh)
    key = notebooks.key(chapter, fresh)
    stored = nbformat.read(target, as_version=4) if target.exists() else None
    lines = []
    if force or stored is None or read_runs().get(name, {}).get("key") != key:
        print(f"{name}: executing …", flush=True)
        try:
            seconds, silence = zip(*execute(fresh, places.SOLUTIONS), strict=True)
        except chapters.SourceError as error:
            raise chapters.SourceError(f"{chapter.path.name}: {error}") from None
        notebooks.tidy(fresh)
        lines = moved.table(stored, fresh) if stored else []
        record(name, key, notebooks.work(chapter, fresh), seconds)
        slow = [f"cell {index}: {value:.1f} s" for index, value in enumerate(seconds) if value > SLOW]
        print(f"{name}: {sum(seconds):.1f} s from top to bottom; {', '.join(slow)}")
        run = read_runs()[name]
        if run["seconds"] > CHAPTER_SECONDS or run["slowest"] > CELL_SECONDS:
            told = f"at best {run['seconds']} s, its slowest cell {run['slowest']} s"
            print(f"{name}: (advice) {told}; the budget is {CHAPTER_SECONDS} and {CELL_SECONDS}: make it lighter")
        for index, value in enumerate(silence):
            if value > SILENT and not notebooks.starts(fresh.cells[index]):
                print(f"{name}: (advice) cell {index} shows nothing for {value:.1f} s: print as it goes, or show a bar")
    else:
        for new, old in zip(notebooks.code_cells(fresh), notebooks.code_cells(stored), strict=True):
            new.outputs = old.outputs
    notebooks.tidy(fresh)
    write(target, notebooks.as_text(fresh))
    write(places.CHAPTERS / target.name, notebooks.as_text(bare))
    return lines


def record(name, key, work, seconds):
    """Note in runs.json what the cells of chapter `name` took; of builds with the same `work` the faster one stays."""
    runs = read_runs()
    took = {"seconds": round(sum(seconds)), "slowest": round(max(seconds))}
    before = runs.get(name, {})
    if before.get("work") == work:
        took = {part: min(took[part], before[part]) for part in took}
    runs[name] = {"key": key, "work": work} | took
    write(RUNS, json.dumps({name: runs[name] for name in sorted(runs)}, indent=1) + "\n")


def read_runs():
    """What solutions/runs.json holds."""
    return json.loads(RUNS.read_text(encoding="utf8")) if RUNS.exists() else {}


def write(path, text):
    """Write `text` unless the file already holds it."""
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.read_bytes() != text.encode("utf8"):
        places.write_atomically(path, text.encode("utf8"))


def remove_what_has_no_source():
    """Remove generated notebooks and recorded runs of chapters that are gone."""
    for path in [*places.SOLUTIONS.glob("*.ipynb"), *places.CHAPTERS.glob("*.ipynb")]:
        if path.stem not in chapters.names():
            path.unlink()
    runs = {name: run for name, run in read_runs().items() if name in chapters.names()}
    write(RUNS, json.dumps(runs, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chapters", nargs="*", help="names, or beginnings of names, of chapters; none: all")
    parser.add_argument("--force", action="store_true", help="execute even what did not change")
    asked = parser.parse_args()
    chosen = [name for name in chapters.names() if not asked.chapters or name.startswith(tuple(asked.chapters))]
    if not chosen:
        sys.exit(f"There is no chapter {asked.chapters}; there are {', '.join(chapters.names())}.")
    report = []
    try:
        for name in tqdm.tqdm(chosen, desc="chapters", leave=False, disable=not sys.stderr.isatty()):
            report += [f"{name} · {line}" for line in build(name, asked.force)]
        remove_what_has_no_source()
        manifest.write()
        readme.write()
    except chapters.SourceError as error:
        sys.exit(f"source/{error}")
    print("\n".join(["", HEADING, *report]) if report else "No stored output moved.")


if __name__ == "__main__":
    main()
