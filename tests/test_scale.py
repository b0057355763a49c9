"""`make scale`: what its stored report claims, and what it says where it cannot run. The runs need .venv-scale."""

import json
import re
import subprocess

import numpy as np
import pytest

from coursekit import data, places
from scale import run, train


def test_the_report_bears_out_what_the_chapter_tells():
    report = data.checkpoint("scale")
    runs = report["runs"]
    assert list(runs) == ["alone", "together", "killed", "ray"]
    assert {"tensorflow-cpu", "keras", "ray"} <= set(report["versions"])
    assert report["seconds"] <= 360
    assert all(one["steps"] == train.EPOCHS * train.STEPS_PER_EPOCH for one in runs.values())
    assert runs["alone"]["start"] == runs["together"]["start"] == 0
    for name in ("killed", "ray"):
        one = runs[name]
        assert 0 < one["start"] == one["killed_at"] // train.EVERY * train.EVERY
        assert one["killed_at"] % train.STEPS_PER_EPOCH  # in mid-epoch
        assert one["test_loss"] == pytest.approx(runs["together"]["test_loss"], abs=1e-6)
    assert runs["alone"]["test_loss"] == pytest.approx(runs["together"]["test_loss"], abs=0.01)


def test_the_shares_of_a_step_are_the_whole_batch_and_follow_from_its_number():
    whole = train.rows_of(415, 0, 1)
    shares = [train.rows_of(415, rank, 2) for rank in range(2)]
    assert len(whole) == train.BATCH
    assert sorted(np.concatenate(shares)) == sorted(whole)
    assert not np.array_equal(whole, train.rows_of(415 - train.STEPS_PER_EPOCH, 0, 1))
    epoch = [train.rows_of(step, 0, 1) for step in range(train.STEPS_PER_EPOCH)]
    assert np.array_equal(np.sort(np.concatenate(epoch)), np.arange(60_000))


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_get_one_sentence(system):
    with pytest.raises(run.Stop, match="needs Linux"):
        run.check("python", system)


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(run.shutil, "which", lambda command: None)
    with pytest.raises(run.Stop, match="unshare"):
        run.check("python", "linux")
    monkeypatch.setattr(run.shutil, "which", lambda command: command)
    refused = subprocess.CompletedProcess([], 1, stderr="unshare failed: Operation not permitted\n")
    monkeypatch.setattr(run.subprocess, "run", lambda *command, **options: refused)
    with pytest.raises(run.Stop, match=r"does not allow namespaces to this user \(unshare failed"):
        run.check("python", "linux")
    refused.returncode = 0
    with pytest.raises(run.Stop, match=r"there is no .*python"):
        run.check(str(tmp_path / "python"), "linux")


def test_a_worker_that_fails_is_named_with_its_last_line(tmp_path):
    (tmp_path / "log-0").write_text("one line\nValueError: no such data\n")
    with pytest.raises(run.Stop, match=r"worker 0 failed.*ValueError: no such data"):
        run.finish([subprocess.Popen(["false"]), subprocess.Popen(["sleep", "60"])], tmp_path)


def test_runs_that_do_not_agree_are_not_stored(tmp_path):
    same = {"start": 0, "test_loss": 0.4, "weights": "a", "versions": {}}
    runs = {name: dict(same) for name in ("alone", "together", "killed", "ray")}
    with pytest.raises(run.Stop, match="'killed' did not go on from a checkpoint"):
        run.store(runs, 100, tmp_path / "scale.json")
    runs["killed"]["start"] = runs["ray"]["start"] = 375
    runs["ray"]["test_loss"] = 0.5
    with pytest.raises(run.Stop, match="'ray' ended with another loss"):
        run.store(runs, 100, tmp_path / "scale.json")
    runs["ray"]["test_loss"] = 0.4
    run.store(runs, 100, tmp_path / "scale.json")
    assert json.loads((tmp_path / "scale.json").read_text())["runs"]["ray"]["start"] == 375


def test_different_weights_are_noticed(tmp_path):
    for rank in range(2):
        (tmp_path / f"result-{rank}.json").write_text(json.dumps({"weights": str(rank)}))
    with pytest.raises(run.Stop, match="different weights"):
        run.results(tmp_path)


def test_ray_is_in_its_own_environment_alone():
    locked = {name: (places.ROOT / name).read_text("utf8") for name in ("requirements.txt", "scale/requirements.txt")}
    pins = {name: dict(re.findall(r"^([\w-]+)==([\w.]+)", text, re.MULTILINE)) for name, text in locked.items()}
    learner, scale = pins.values()
    assert "ray" in scale
    assert "ray" not in learner
    assert {name: scale[name] for name in ("keras", "numpy")} == {name: learner[name] for name in ("keras", "numpy")}
    assert scale["tensorflow-cpu"] == learner["tensorflow"]
