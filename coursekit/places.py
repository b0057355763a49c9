"""Where things lie. Every other module asks here."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"
SOLUTIONS = ROOT / "solutions"
DATASETS = ROOT / "datasets"
BENCHMARKS = ROOT / "benchmarks"
CHECKPOINTS = ROOT / "checkpoints"
FETCHED = ROOT / ".data"
# On JupyterHub one course serves many learners, each with a folder of their own.
WORKSPACE = pathlib.Path(os.environ.get("COURSE_WORKSPACE") or ROOT / "workspace").resolve()


def notebook_folder():
    """Where the notebook that runs lies, whatever a cell's os.chdir did since; in a script the current folder."""
    import IPython

    shell = IPython.get_ipython()
    if shell is None:
        return pathlib.Path.cwd()
    notebook = pathlib.Path(shell.user_ns.get("__vsc_ipynb_file__", ""))  # VS Code says it; its kernels begin elsewhere
    return (notebook.parent if notebook.is_file() else pathlib.Path(shell.starting_dir)).resolve()


def strict():
    """Whether a wrong answer raises (grading, CI) in place of only telling."""
    return os.environ.get("COURSEKIT_STRICT") == "1"


class CourseError(Exception):
    """A problem that one sentence explains; notebooks show that sentence and no traceback."""

    def _render_traceback_(self):  # IPython asks an exception for this
        return [f"Problem: {self}"]


def write_atomically(path, data):
    """Write `data` (bytes) to `path` so that a reader sees the old file or the new one, never half of one."""
    path = pathlib.Path(path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(partial, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
