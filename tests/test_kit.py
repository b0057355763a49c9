"""The learner's kit: start and device, figures, progress lines, the doctor."""

import os
import re
import subprocess
import sys
import types

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import coursekit as ck
from coursekit import data, figures, health, places, runtime


def fake_tensorflow(gpus):
    """Just what choose_device asks of TensorFlow, with a list of what it was told."""
    told = []
    experimental = types.SimpleNamespace(
        set_memory_growth=lambda gpu, on: told.append((gpu, "grows", on)),
        enable_tensor_float_32_execution=lambda on: told.append(("tf32", on)),
    )
    config = types.SimpleNamespace(
        list_physical_devices=lambda kind: gpus,
        set_visible_devices=lambda devices, kind: told.append(("visible", devices, kind)),
        experimental=experimental,
    )
    return types.SimpleNamespace(config=config), told


@pytest.mark.parametrize(
    ("wanted", "gpus", "expected"),
    [
        ("auto", ["GPU:0"], ("GPU:0", "grows", True)),
        ("gpu", ["GPU:0"], ("GPU:0", "grows", True)),
        ("cpu", ["GPU:0"], ("visible", [], "GPU")),
        ("CPU", [], ("visible", [], "GPU")),
        ("auto", [], ("tf32", False)),
    ],
)
def test_the_device_is_the_one_asked_for(wanted, gpus, expected, monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", wanted)
    tensorflow, told = fake_tensorflow(gpus)
    runtime.choose_device(tensorflow)
    assert told[0] == expected
    assert told[-1] == ("tf32", False)


@pytest.mark.parametrize(("wanted", "message"), [("gpu", "finds no GPU"), ("tpu", "can be one of auto, cpu, gpu")])
def test_a_device_that_is_not_there_is_one_sentence(wanted, message, monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", wanted)
    with pytest.raises(places.CourseError, match=message):
        runtime.choose_device(fake_tensorflow([])[0])


def test_colours_can_be_told_apart_by_colour_blind_readers():
    # Machado, Oliveira, Fernandes (2009), severity 1.0: deuteranopia and protanopia, on linear RGB.
    kinds = {
        "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    }
    rgb = np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in figures.PALETTE])
    for matrix in kinds.values():
        seen = np.clip(rgb**2.2 @ np.array(matrix).T, 0, 1) ** (1 / 2.2)
        distance = np.linalg.norm(seen[:, None] - seen[None], axis=-1) + np.eye(len(seen))
        assert distance.min() > 0.1


def test_show_displays_a_picture_with_its_alt_text(monkeypatch):
    shown = []
    monkeypatch.setattr(figures.IPython.display, "display", lambda *args, **options: shown.append((args[0], options)))
    figure, axis = plt.subplots()
    axis.plot([1, 2])
    ck.show(figure, alt="A line that rises from 1 to 2")
    (bundle, options) = shown[0]
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert options["metadata"]["image/png"]["alt"] == "A line that rises from 1 to 2"
    assert shown[1][0]["text/html"] == "<small>A line that rises from 1 to 2</small>"
    assert not plt.get_fignums()
    with pytest.raises(ValueError, match="alt must be a sentence"):
        ck.show(figure, alt="line")


def test_a_slider_draws_anew(monkeypatch):
    shown = []
    monkeypatch.setattr(figures, "display_widget", lambda widget, static, metadata: shown.append((widget, static)))

    def draw(height):
        if height > 2:
            raise ValueError("too high")
        figure, axis = plt.subplots()
        axis.plot([0, height])
        return figure

    ck.explore(draw, alt="A line from 0 to the height chosen", height=[1, 2, 3])
    widget, static = shown[0]
    slider, image, caption = widget.children
    assert static["image/png"] == image.value
    slider.value = 1
    assert image.value != static["image/png"]
    slider.value = 3
    assert "could not be drawn: too high" in caption.value
    plt.close("all")


def test_training_leaves_one_line(capsys):
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    network.compile("sgd", "mse")
    x, y = np.zeros((4, 2)), np.ones(4)
    network.fit(x, y, epochs=1, verbose=0, callbacks=[ck.LiveProgress("zeros")])
    network.fit(x, y, epochs=2, verbose=0, validation_data=(x, y), callbacks=[ck.LiveProgress(digits=1)])
    assert capsys.readouterr().out == "zeros · 1 epoch · loss ≈ 1.00\n2 epochs · loss ≈ 0.9 · val_loss ≈ 0.9\n"


def test_the_doctor_is_content_here(capsys):
    assert health.report() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(health.CHECKS)
    assert all(line.startswith("OK ") for line in lines)


PROBLEMS = [
    (health, "NEWEST", (3, 10), "install one"),
    (health, "MEMORY_GIB", 1e6, "close other programs"),
    (health, "DISK_GIB", 1e9, "remove files"),
    (health, "REFERENCE_LOSS", 9.9, "expected 9.9"),
    (health, "locked_versions", lambda: {"keras": "1.0", "no-such-package": "2"}, "keras .* no-such-package none"),
    (data, "read_verified", None, "datasets: "),
]


@pytest.mark.parametrize(("module", "name", "value", "remedy"), PROBLEMS, ids=[row[1] for row in PROBLEMS])
def test_the_doctor_names_the_problem_and_the_remedy(module, name, value, remedy, monkeypatch, capsys):
    monkeypatch.setattr(module, name, value)
    assert health.report() == (2 if module is data else 1)
    problem = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("PROBLEM"))
    assert re.search(remedy, problem)


def test_the_doctor_exits_with_1_on_a_problem(course):
    (course / "datasets/fashion_mnist/t10k-labels-idx1-ubyte.gz").unlink()
    environment = os.environ | {"PYTHONPATH": str(course)}
    done = subprocess.run(
        [sys.executable, "-m", "coursekit.health"], cwd=course, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "PROBLEM  the file t10k-labels-idx1-ubyte.gz of data set fashion_mnist is missing" in done.stdout
