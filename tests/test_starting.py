"""A start that says what is wrong around it: own files, interrupts, folders, settings, a course that was moved."""

import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import time
import types

import matplotlib
import pytest
from jupyter_client import manager

import coursekit as ck
from coursekit import bars, figures, places, store, surroundings, workspace

HERE = places.ROOT
READY = re.compile(r"Ready: (CPU with \d+ cores?|GPU: .+), started in \d+\.\d s\.\n")
START = "import coursekit as ck\n\nck.start()"
RESTART = "restart the kernel (Kernel → Restart Kernel)."
INTERRUPTED = f"Problem: the start was interrupted: {RESTART}"


def run(code, folder, **environment):
    """Run `code` as a script of `folder`, with the kit of this course."""
    (folder / "script.py").write_text(code, encoding="utf8")
    environment = os.environ | {"PYTHONPATH": str(places.ROOT)} | environment
    command = [sys.executable, "script.py"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf8", errors="replace")


class Notebook:
    """A kernel as JupyterLab and VS Code start it. `shown`: the data of each message of the last cell."""

    def __init__(self, folder, root=places.ROOT, **environment):
        environment = os.environ | {"PYTHONPATH": str(root)} | environment
        self.kernel, self.client = manager.start_new_kernel(cwd=str(folder), env=environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stop_channels()
        self.kernel.shutdown_kernel(now=True)

    def run(self, code, stop_after=None):
        """Run a cell, and press stop after some seconds. Returns what it showed."""
        asked, told, self.shown = self.client.execute(code), [], []
        stop_at = time.monotonic() + stop_after if stop_after is not None else None
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=0.05)
            except queue.Empty:
                if stop_at and time.monotonic() > stop_at:
                    self.kernel.interrupt_kernel()
                    stop_at = None
                continue
            content = message["content"]
            if message["parent_header"].get("msg_id") != asked:
                continue
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                return "".join(told)
            self.shown.append(content.get("data", {}))
            told += [content.get("text", ""), content.get("data", {}).get("text/plain", "")]
            told += content.get("traceback", ())


def test_the_start_ends_with_one_line_every_time(capsys):
    for _ in range(2):
        ck.start()
        assert READY.fullmatch(capsys.readouterr().out)


def test_the_start_is_quiet_and_fixes_the_seed(tmp_path):
    code = f"{START[:-1]}3)\nimport keras\nprint(keras.random.uniform((1,)).numpy())"
    runs = [run(code, tmp_path) for _ in range(2)]
    assert [done.stderr for done in runs] == ["", ""]
    numbers = [READY.sub("", done.stdout) for done in runs]
    assert numbers[0] == numbers[1]
    assert re.fullmatch(r"\[[\d.]+\]\n", numbers[0])


@pytest.mark.parametrize("file", ["keras.py", "numpy/__init__.py", "wrapt.py"])
def test_an_own_file_that_hides_a_library_is_named(file, tmp_path):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("x = 1\n", encoding="utf8")
    name = file.partition("/")[0]
    what = "folder" if "/" in file else "file"
    library = name.removesuffix(".py")
    with Notebook(tmp_path) as notebook:
        told = notebook.run(START)
    assert told == (
        f"Problem: the {what} {name} beside your notebook hides the library {library}: rename it, then {RESTART}"
    )


def test_other_own_files_hide_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    for name in ("helpers", "tests", "random", "tools"):
        (tmp_path / f"{name}.py").touch()
    (tmp_path / "keras").mkdir()  # without an __init__.py, Python prefers the library
    assert surroundings.hiding(surroundings.LIBRARIES) == []
    for name in ("numpy", "tensorflow"):
        (tmp_path / f"{name}.py").touch()
    assert [path.name for path in surroundings.hiding(surroundings.LIBRARIES)] == ["numpy.py", "tensorflow.py"]


@pytest.mark.parametrize("seconds", [0.3, 1.5, 4])
def test_an_interrupted_start_asks_for_a_restart(seconds, tmp_path):
    with Notebook(tmp_path) as notebook:
        first = notebook.run(START, stop_after=seconds)
        if READY.fullmatch(first):
            pytest.skip("this machine had started by then")
        again = notebook.run(START)
    assert first == again == INTERRUPTED


def test_the_start_can_be_interrupted_where_a_library_swallows_it():
    code = """
import os, signal
from coursekit import places, surroundings
for attempt in range(2):
    try:
        with surroundings.importing():
            try:
                os.kill(os.getpid(), signal.SIGINT)
                import time; time.sleep(1)
            except BaseException:
                pass
    except places.CourseError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=places.ROOT, capture_output=True, encoding="utf8")
    assert done.stdout == f"{INTERRUPTED.removeprefix('Problem: ')}\n" * 2


def test_an_interrupt_elsewhere_is_an_interrupt(tmp_path):
    with Notebook(tmp_path) as notebook:
        notebook.run(START)
        assert "KeyboardInterrupt" in notebook.run("import time\ntime.sleep(20)", stop_after=0.5)
        assert notebook.run("ck.start()").startswith("Ready: ")


@pytest.fixture
def kernel_in(monkeypatch):
    """A function that lets the kit believe that it runs in a kernel which began in the folder given."""
    import IPython

    def begin(folder):
        shell = types.SimpleNamespace(user_ns={}, starting_dir=str(folder))
        monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
        return shell

    return begin


def test_the_start_says_where_nothing_is_kept(course, kernel_in, monkeypatch, capsys):
    def told(folder):
        kernel_in(folder)
        ck.start()
        return READY.sub("", capsys.readouterr().out)

    assert told(course) == "Progress is not kept, for there is no workspace/ yet: `make lab` lays it out.\n"
    workspace.lay_out()
    for name in ("chapters", "solutions"):
        assert told(course / name).startswith(f"You are in {name}/. Your work belongs in workspace/ (`make lab`")
    for folder in (course, course / "workspace", course.parent):
        assert told(folder) == ""
    monkeypatch.setenv("COURSEKIT_STRICT", "1")
    assert told(course / "solutions") == ""


def test_a_notebook_that_uses_the_kit_of_another_course_says_so(course, tmp_path, kernel_in, capsys):
    (tmp_path / "copy" / "workspace").mkdir(parents=True)
    shutil.copytree(course / "coursekit", tmp_path / "copy" / "coursekit")
    kernel_in(tmp_path / "copy" / "workspace")
    ck.start()
    told = capsys.readouterr().out
    assert f"lies in the course at {tmp_path / 'copy'}, but uses the kit of the one at {places.ROOT}." in told
    assert f"`make lab` in {tmp_path / 'copy'} mends that." in told


def test_progress_is_kept_whatever_the_kernels_folder_is(course, kernel_in, tmp_path):
    mine = course / "workspace" / "mine.ipynb"
    mine.parent.mkdir()
    mine.touch()
    shell = kernel_in(course)  # as in VS Code, when the course's root is open there
    assert store.folder() == mine.parent
    shell.starting_dir = str(tmp_path)  # elsewhere, but VS Code tells which notebook it is
    assert store.folder() == tmp_path
    shell.user_ns["__vsc_ipynb_file__"] = str(mine)
    assert store.folder() == mine.parent
    shell.user_ns["__vsc_ipynb_file__"] = str(course / "chapters" / "01_activations.ipynb")
    assert store.folder() is None


def test_progress_is_kept_after_a_cell_went_elsewhere(course):
    (course / "workspace").mkdir()
    check = 'ck.check("activations.largest_share", lambda layers: 0.25**layers)'
    with Notebook(course, course, COURSE_WORKSPACE="") as notebook:
        assert READY.fullmatch(notebook.run(START))
        notebook.run("import os\nos.chdir('/')")
        assert "correct" in notebook.run(check)
    assert "activations.largest_share" in (course / "workspace" / "progress.json").read_text(encoding="utf8")


def test_figures_do_not_depend_on_the_users_settings(tmp_path):
    settings = "font.family: SimHei\naxes.unicode_minus: False\nsavefig.dpi: 30\n"
    (tmp_path / "matplotlibrc").write_text(settings, encoding="utf8")
    code = f"""{START}
import hashlib
import matplotlib.pyplot as plt
from coursekit import figures
figure, axis = plt.subplots()
axis.plot([-1, 2])
axis.set(title="a title", xlabel="x")
print(hashlib.sha256(figures.as_png(figures.drawn(figure))).hexdigest())
"""
    plain = tmp_path / "plain"
    plain.mkdir()
    told = {}
    for folder, more in [(plain, {}), (tmp_path, {}), (plain, {"HOME": "/dev/null", "MPLCONFIGDIR": "/dev/null/x"})]:
        done = run(code, folder, **more)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        told[READY.sub("", done.stdout)] = folder
    assert len(told) == 1


def test_the_style_forgets_what_was_set_before():
    matplotlib.rcParams["font.family"] = "SimHei"
    figures.set_style()
    assert matplotlib.rcParams["font.family"] == ["sans-serif"]
    assert matplotlib.rcParams["image.cmap"] == "gray"


@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
def test_a_script_prints_in_any_encoding(encoding, tmp_path):
    done = run(f"{START}\nprint('✓ right, ≈ 3')", tmp_path, PYTHONIOENCODING=f"{encoding}:strict")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("? right")


def test_a_bar_gives_each_step_and_needs_no_notebook(tmp_path):
    assert list(bars.bar([3, 1], "steps")) == [3, 1]
    with Notebook(tmp_path) as notebook:
        shown = notebook.run("import coursekit as ck\nprint([n for n in ck.bar(n for n in range(3))])")
    assert shown == "[0, 1, 2]\n"


VIEW = "application/vnd.jupyter.widget-view+json"


def test_a_kernel_that_cannot_be_listened_to_has_no_clock(kernel_in, tmp_path, monkeypatch):
    monkeypatch.delenv("COURSEKIT_STRICT", raising=False)
    shell = kernel_in(tmp_path)
    bars.watch()
    assert not hasattr(shell, "silence")


def test_a_cell_that_shows_nothing_for_three_seconds_says_how_long_it_runs(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSEKIT_STRICT", raising=False)
    with Notebook(tmp_path) as notebook:
        notebook.run("from coursekit import bars\nbars.watch()\nimport time")

        def clocks(code):
            """How many widgets a cell shows, and what the last of them said."""
            assert notebook.run(code) == ""
            told = [data["state"]["value"] for data in notebook.shown if data.get("state", {}).get("value")]
            return sum(VIEW in data for data in notebook.shown), told[-1:]

        assert clocks("time.sleep(2)") == (0, [])
        views, told = clocks("time.sleep(5.5)")
        assert views == 1
        assert re.fullmatch(r"<small>running for \d s</small>", told[0])
        assert [data for data in notebook.shown if data][-1]["state"] == {"display": "none"}  # gone at the end
        assert clocks("for _ in bars.bar([1, 2], 'steps'): time.sleep(2)")[0] == 1  # the bar alone


@pytest.fixture
def installed(course):
    """A copied course with an environment in which pip has noted where it lies, as `make lab` leaves it.

    Its packages are those of this environment, which stays as it is.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", course / ".venv"], check=True)
    (packages,) = (course / ".venv").glob("lib/python3*/site-packages")
    (packages / "packages.pth").write_text(f"{pathlib.Path(pytest.__file__).parents[1]}\n")
    shutil.copytree(pathlib.Path(sys.prefix) / "share/jupyter/kernels", course / ".venv/share/jupyter/kernels")
    shutil.copy(HERE / "pyproject.toml", course)
    assert "find the kit here again" in module(course, "workspace").stdout
    return course


def module(course, name):
    """Run a module of the kit in a course, with its own environment and no help from outside."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "COURSE_WORKSPACE")}
    python = course / ".venv/bin/python"
    command = [python, "-m", f"coursekit.{name}"]
    return subprocess.run(command, cwd=course, env=environment, capture_output=True, encoding="utf8")


@pytest.mark.parametrize("way", ["moved", "copied"])
def test_the_doctor_finds_a_course_that_was_moved_or_copied_and_make_lab_mends_it(way, installed):
    other = installed.parent / "other course"
    shutil.move(installed, other) if way == "moved" else shutil.copytree(installed, other, symlinks=True)
    sick = module(other, "health")
    assert sick.returncode == 1
    problem = "notebooks find no coursekit" if way == "moved" else f"notebooks use the kit in {installed}/coursekit"
    assert sick.stdout.startswith(f"PROBLEM  {problem}")
    assert "`make lab` mends that" in sick.stdout
    assert "find the kit here again" in module(other, "workspace").stdout
    assert "find the kit" not in module(other, "workspace").stdout
    if way == "moved":
        assert module(other, "health").returncode == 0


def test_the_doctor_names_an_own_file_in_workspace(installed):
    (installed / "workspace" / "keras.py").touch()
    sick = module(installed, "health")
    assert sick.returncode == 1
    assert sick.stdout.startswith("PROBLEM  the file keras.py beside your notebook hides the library keras: rename it")


def test_jupyterlab_itself_takes_no_file_of_a_learner_for_its_own():
    assert "$(IN) -P -m jupyterlab" in (places.ROOT / "Makefile").read_text(encoding="utf8")
