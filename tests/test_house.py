"""The house: who may import whom, sizes of modules, commands, the handout, the lock files."""

import os
import pathlib
import re
import subprocess
import sys
import tomllib
import zipfile

import pytest

from authoring import handout, robust
from coursekit import health, places

KIT = sorted((places.ROOT / "coursekit").glob("*.py"))


def test_the_kit_never_imports_the_authoring_side():
    for path in [*KIT, *(places.ROOT / "coursekit" / "checks").glob("*.py")]:
        assert not re.search(r"^\s*(from|import) authoring", path.read_text(encoding="utf8"), re.MULTILINE), path


def test_modules_of_the_kit_are_small():
    assert all(len(path.read_text(encoding="utf8").splitlines()) < 250 for path in KIT)


def test_nothing_loads_pickles():
    for folder in ("coursekit", "authoring", "source"):
        for path in (places.ROOT / folder).rglob("*.py"):
            if path.stem == "15a_saving_a_model":  # clinic 15-2 shows why not
                continue
            text = path.read_text(encoding="utf8")
            assert not re.search(r"^\s*import pickle|allow_pickle=True|joblib|safe_mode=False", text, re.MULTILINE), (
                path
            )


def test_make_alone_lists_the_commands():
    listed = subprocess.run(["make"], cwd=places.ROOT, capture_output=True, text=True, check=True).stdout
    commands = [line.split()[0] for line in listed.splitlines()]
    assert {"lab", "test", "test-browser", "build", "robust", "doctor", "format", "handout", "data"} <= set(commands)


@pytest.mark.parametrize(
    ("target", "command", "without"),
    [
        ("test-notebooks", "--nbval", "authoring.robust"),
        ("test-notebooks SETTING=today", "authoring.robust today", "--nbval"),
        ("test-notebooks SETTING=sse41 CHAPTERS=05a", "authoring.robust sse41 --chapters 05a", "--nbval"),
        ("test-untouched", "COURSE_ALL_CELLS=0", "COURSE_ALL_CELLS=1"),
        ("test-untouched ALL=1", "COURSE_ALL_CELLS=1", "COURSE_ALL_CELLS=0"),
    ],
)
def test_solutions_and_untouched_chapters_run_as_asked(target, command, without):
    of_the_run = {"MAKEFLAGS", "MAKEOVERRIDES", "SETTING", "ALL", "CHAPTERS"}  # when `make test ALL=1` runs this test
    environment = {name: value for name, value in os.environ.items() if name not in of_the_run}
    done = subprocess.run(
        ["make", "-n", *target.split()], cwd=places.ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert command in done.stdout
    assert without not in done.stdout


def test_ci_runs_the_test_command_of_the_readme_and_the_solutions_once():
    assert re.search(r"^make test  ", (places.ROOT / "README.md").read_text(encoding="utf8"), re.MULTILINE)
    ci = (places.ROOT / ".ci" / "run").read_text(encoding="utf8")
    assert re.search(r"^part make test SETTING=today$", ci, re.MULTILINE)
    assert "make robust" not in ci
    nightly = (places.ROOT / ".github" / "workflows" / "nightly.yml").read_text(encoding="utf8")
    assert "- run: make test ALL=1\n" in nightly


def is_a_clone():
    return (
        subprocess.run(
            ["git", "ls-files", "--error-unmatch", "Makefile"], cwd=places.ROOT, capture_output=True
        ).returncode
        == 0
    )


needs_a_clone = pytest.mark.skipif(not is_a_clone(), reason="a handout holds what git tracks; this folder is no clone")


@pytest.mark.parametrize("git", ["knows nothing of the folder", "is missing"])
def test_without_git_the_handout_says_why_it_is_not_made(git, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(places, "ROOT", tmp_path)
    if git == "is missing":
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="Problem: a handout holds what git tracks"):
        handout.main()
    assert not list(tmp_path.iterdir())


@needs_a_clone
def test_the_handout_holds_no_solutions_and_no_sources(tmp_path):
    one, two = handout.pack(tmp_path / "a.zip"), handout.pack(tmp_path / "b.zip")
    assert one.read_bytes() == two.read_bytes()
    names = zipfile.ZipFile(one).namelist()
    assert all(name.startswith(f"{handout.NAME}/") for name in names)
    inside = {name.split("/")[1] for name in names}
    assert inside == {*handout.PARTS, *handout.FILES}
    assert b"BEGIN SOLUTION" not in b"".join(zipfile.ZipFile(one).read(name) for name in names if "chapters" in name)


@needs_a_clone
def test_a_handout_lays_out_a_workspace(tmp_path):
    zipfile.ZipFile(handout.pack(tmp_path / "a.zip")).extractall(tmp_path)
    root = tmp_path / handout.NAME
    command = [sys.executable, "-c", "from coursekit import workspace; print(*workspace.lay_out(), sep='\\n')"]
    said = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=True)
    assert said.stdout.count(": copied") == len(list(places.CHAPTERS.glob("*.ipynb"))) + 1  # progress.ipynb


def test_the_lock_names_no_registry_and_holds_what_pyproject_asks():
    project = tomllib.loads((places.ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]
    wanted = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}
    assert wanted <= set(health.locked_versions())
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (places.ROOT / name).read_text(encoding="utf8")
        assert not re.search(r"https?://|--(extra-)?index|--find-links", text)
        pins = re.findall(r"^[\w.-]+==", text, re.MULTILINE)
        assert len(re.findall(r"\\\n    --hash=sha256:", text)) >= len(pins) > 100


def test_robust_names_the_cells_that_moved(monkeypatch, capsys):
    output = "x\nFAILED solutions/01_activations.ipynb::Cell 12\nFAILED solutions/02_losses.ipynb::Cell 3\n2 failed\n"
    done = subprocess.CompletedProcess([], 1, stdout=output, stderr="")
    told, commands = [], []

    def run(command, **options):
        told.append(options["env"])
        commands.append(command)
        return done

    monkeypatch.setattr(robust.subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["robust", "sse41", "--chapters", "01", "02"])
    with pytest.raises(SystemExit) as stopped:
        robust.main()
    assert stopped.value.code
    assert told[0]["ONEDNN_MAX_CPU_ISA"] == "SSE41"
    assert [pathlib.Path(word).stem for word in commands[0][-2:]] == ["01_activations", "02_losses"]
    assert "sse41: 2 cells moved\n  solutions/01_activations.ipynb: Cell 12\n" in capsys.readouterr().out


def test_robust_takes_one_setting_in_rotation(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(robust, "run", lambda setting, paths: asked.append(setting) or (True, [], ""))
    monkeypatch.setattr(sys, "argv", ["robust", "today"])
    with pytest.raises(SystemExit) as stopped:
        robust.main()
    assert not stopped.value.code
    assert len(asked) == 1
    assert asked[0] in robust.SETTINGS
    monkeypatch.setattr(sys, "argv", ["robust", "fast"])
    with pytest.raises(SystemExit, match="no setting 'fast'"):
        robust.main()
    monkeypatch.setattr(sys, "argv", ["robust", "today", "--chapters", "99"])
    with pytest.raises(SystemExit, match="no chapter"):
        robust.main()
