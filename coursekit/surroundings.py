"""What surrounds a notebook and can spoil its start: files that hide a library, an interrupted import, its folder."""

import contextlib
import importlib.machinery
import logging
import pathlib
import signal
import sys
import threading

from coursekit import places

# Libraries that the chapters use. Any other one is named only when an import has failed.
LIBRARIES = {
    "IPython",
    "ai_edge_litert",
    "filelock",
    "ipywidgets",
    "keras",
    "keras_tuner",
    "matplotlib",
    "numpy",
    "onnx",
}
LIBRARIES |= {"onnxruntime", "pandas", "safetensors", "scipy", "sklearn", "statsmodels", "tensorboard", "tensorflow"}
LIBRARIES |= {"tf2onnx", "tokenizers", "tqdm"}
RESTART = "restart the kernel (Kernel → Restart Kernel)"
_interrupted = False


@contextlib.contextmanager
def importing():
    """Around the import of large libraries: what goes wrong there is said in one sentence, as a CourseError.

    An import that was interrupted leaves halves behind, which no second try mends: from then on only a restart is asked
    for. What matplotlib logs about folders that cannot be written is not shown: it finds others.
    """
    global _interrupted
    if _interrupted:
        raise places.CourseError(f"the start was interrupted: {RESTART}.")
    _refuse(hiding(LIBRARIES))
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with _noticing_interrupts():
        try:
            yield
        except Exception:
            if not _interrupted:
                _refuse(hiding())
                raise
        except KeyboardInterrupt:
            _interrupted = True
        finally:
            logger.setLevel(level)
    if _interrupted:
        raise places.CourseError(f"the start was interrupted: {RESTART}.") from None


@contextlib.contextmanager
def _noticing_interrupts():
    """Some libraries catch the KeyboardInterrupt, or turn it into another exception, and stay half done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number, frame):
        global _interrupted
        _interrupted = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def hiding(names=None):
    """Files in the current folder that hide a library: Python finds them before the library of the same name.

    names: of the libraries that count; all that are installed, if None.
    """
    try:
        here = pathlib.Path.cwd()
        order = [pathlib.Path(entry).resolve() for entry in sys.path]  # "" is the current folder
    except OSError:  # a folder that is gone holds no files
        return []
    if here not in order:
        return []
    later = [str(entry) for entry in order[order.index(here) + 1 :] if entry != here]
    files = {path.stem: path for path in here.glob("*.py")} | {
        path.parent.name: path for path in here.glob("*/__init__.py")
    }
    return [
        files[name]
        for name in sorted(files)
        if (names is None or name in names) and importlib.machinery.PathFinder.find_spec(name, later)
    ]


def _refuse(files):
    if files:
        file = files[0] if files[0].stem != "__init__" else files[0].parent
        kind = "file" if file.is_file() else "folder"
        raise places.CourseError(
            f"the {kind} {file.name} beside your notebook hides the library {file.stem}: rename it, then {RESTART}."
        )


def remark():
    """One sentence on the notebook's folder where something is to be said: another course's kit, progress not kept."""
    import IPython

    from coursekit import store

    if IPython.get_ipython() is None:
        return ""
    here = places.notebook_folder()
    for folder in (here, *here.parents):
        if (folder / "coursekit" / "places.py").is_file():
            if folder != places.ROOT:
                return (
                    f"This notebook lies in the course at {folder}, but uses the kit of the one at {places.ROOT}. "
                    f"`make lab` in {folder} mends that."
                )
            break
    if store.folder() is not None or places.strict():
        return ""
    if places.WORKSPACE.is_dir():
        return (
            f"You are in {here.relative_to(places.ROOT).parts[0]}/. Your work belongs in workspace/ (`make lab` opens "
            "it); progress is not kept here."
        )
    return "Progress is not kept, for there is no workspace/ yet: `make lab` lays it out."
