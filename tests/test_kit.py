"""The learner's kit: start and device, figures, what the server saves, progress lines, the doctor."""

import base64
import contextlib
import copy
import io
import json
import os
import re
import subprocess
import sys
import types

import ipywidgets
import keras
import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
from jupyter_server.services.contents.largefilemanager import LargeFileManager
from traitlets.config.loader import PyFileConfigLoader

import coursekit as ck
from coursekit import cards, data, figures, health, places, runtime


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


def test_show_displays_a_sharp_picture_with_its_size_and_alt_text(monkeypatch):
    shown = []
    monkeypatch.setattr(cards, "display", lambda *parts: shown.append(parts))
    figure, axis = plt.subplots(figsize=(5, 3))
    axis.plot([1, 2])
    ck.show(figure, alt="A line that rises from 1 to 2")
    bundle, metadata = shown[0]
    assert PIL.Image.open(io.BytesIO(bundle["image/png"])).size == (960, 576)
    size = {"width": 480, "height": 288}  # as large on the page as matplotlib means it
    assert metadata["image/png"] == {"alt": "A line that rises from 1 to 2"} | size
    assert shown[1][0]["text/html"] == "<small>A line that rises from 1 to 2</small>"
    assert not plt.get_fignums()
    with pytest.raises(ValueError, match="alt must be a sentence"):
        ck.show(figure, alt="line")


def test_a_widget_of_a_chapter_leaves_its_sentence(monkeypatch):
    shown = []
    monkeypatch.setattr(cards, "display", lambda *parts: shown.append(parts[0]))
    ck.show_widget(ipywidgets.Text(), alt="Here you can type a beginning")
    assert shown[0]["text/plain"] == "Here you can type a beginning"
    assert VIEW in shown[0]


def test_a_picture_is_stored_with_few_colours_only_where_nobody_sees_it():
    figure, axis = plt.subplots()
    for number in range(8):
        axis.plot([0, number])
    lines = figures.drawn(figure)
    dots = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 400, 3), dtype="uint8"))
    modes = [PIL.Image.open(io.BytesIO(figures.as_png(picture))).mode for picture in (lines, dots)]
    assert modes == ["P", "RGB"]


def draw(height):
    if height > 2:
        raise ValueError("too high")
    figure, axis = plt.subplots()
    axis.plot([0, height])
    return figure


@pytest.fixture
def explored(monkeypatch):
    """What explorers show: a list of (widget, static, metadata)."""
    shown = []
    monkeypatch.setattr(cards, "display_widget", lambda *parts: shown.append(parts))
    yield shown
    plt.close("all")


def test_a_slider_draws_anew(explored):
    ck.explore(draw, alt="A line from 0 to the height chosen", height=[1, 2, 3])
    widget, static, metadata = explored[0]
    slider, image, caption = widget.children
    assert static["image/png"] == image.value
    assert isinstance(static["image/png"], bytes)  # a view of bytes would not become base64
    assert metadata["image/png"] == {"alt": "A line from 0 to the height chosen", "width": 768, "height": 384}
    assert image.layout.width == "768px"
    slider.value = 1
    assert image.value != static["image/png"]
    slider.value = 3
    assert "could not be drawn: too high" in caption.value


def test_a_slider_of_few_states_leaves_a_picture_of_each(explored):
    ck.explore(draw, alt="A line from 0 to the height chosen", height=[1, 2, 3])
    page = explored[0][1]["text/html"]
    folds = re.findall(r'<details name="(\w+)"( open)?><summary>([^<]+)</summary>(.*?)</details>', page)
    assert [(opened, values) for _, opened, values, _ in folds] == [
        ("", "height = 1"),
        (" open", "height = 2"),
        ("", "height = 3"),
    ]
    assert len({name for name, *_ in folds}) == 1  # so one is open at a time
    assert folds[2][3] == "This figure could not be drawn: too high"
    for number, (*_, shown) in enumerate(folds[:2], start=1):
        assert f'alt="A line from 0 to the height chosen: height = {number}" width="768" height="384"' in shown
        frame = PIL.Image.open(io.BytesIO(as_bytes(shown)))
        assert len(frame.getcolors()) <= 16
        assert len(as_bytes(shown)) <= figures.FRAME_BYTES
    assert page.endswith("<small>A line from 0 to the height chosen</small></div>")
    assert "<script" not in page
    ck.explore(draw, alt="A line from 0 to the height chosen", height=np.linspace(0, 2, 12))
    ck.explore(draw, alt="A line from 0 to the height chosen", height=np.linspace(0, 2, 13))
    assert explored[1][1]["text/html"].count("<img") == 12
    assert "text/html" not in explored[2][1]


def as_bytes(shown):
    return base64.b64decode(re.search(r"base64,([\w+/=]+)", shown)[1])


def test_a_frame_keeps_the_colours_of_thin_lines_beside_large_shaded_areas():
    figures.set_style()
    figure, (left, right) = plt.subplots(1, 2)
    left.imshow(np.linspace(0, 1, 10_000).reshape(100, 100))
    for number in range(len(figures.PALETTE)):
        right.plot([0, number])
    frame = figures._few_colours(figures.drawn(figure)).convert("RGB")
    kept = {f"#{red:02X}{green:02X}{blue:02X}" for _, (red, green, blue) in frame.getcolors()}
    assert {*figures.PALETTE, "#FFFFFF"} <= kept


def test_a_frame_that_would_be_large_has_half_the_dots():
    noise = np.random.default_rng(0).integers(0, 255, (200, 400, 3), dtype="uint8")
    shown = figures._frame(PIL.Image.fromarray(noise), "Dots of all colours without any order")
    assert 'width="200" height="100"' in shown
    assert PIL.Image.open(io.BytesIO(as_bytes(shown))).size == (200, 100)


VIEW = "application/vnd.jupyter.widget-view+json"
ALIVE = {VIEW: {"model_id": "1", "version_major": 2, "version_minor": 0}}
CONFIG = PyFileConfigLoader("jupyter_server_config.py", str(places.ROOT / "coursekit")).load_config()


def notebook_with(*bundles, **metadata):
    outputs = [{"output_type": "display_data", "data": data, "metadata": {}} for data in bundles]
    cell = {"cell_type": "code", "source": "", "metadata": {}, "execution_count": 1, "outputs": outputs}
    text = {"cell_type": "markdown", "source": "text", "metadata": {}}
    return {"cells": [text, cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}


@pytest.fixture
def save(tmp_path):
    """Saves the content of a notebook as the course's server does; returns what the file then holds."""
    manager = LargeFileManager(root_dir=str(tmp_path), config=CONFIG)

    def save(content):
        manager.save({"type": "notebook", "format": "json", "content": content}, "saved.ipynb")
        return json.loads((tmp_path / "saved.ipynb").read_text(encoding="utf8"))

    return save


def test_no_view_is_saved_that_hides_a_picture_or_a_text(save):
    quiz, picture = {"text/html": ["<p>?</p>"], "text/plain": ["?"]}, {"image/png": "AAAA", "text/plain": ["Figure"]}
    own, bar = {"text/plain": ["IntSlider(value=0)"]} | ALIVE, ALIVE
    saved = save(notebook_with(quiz | ALIVE, bar, picture | ALIVE, own, {"text/plain": ["3"]}))
    outputs = saved["cells"][1]["outputs"]
    assert [output["data"] for output in outputs] == [quiz, picture, own, {"text/plain": ["3"]}]


def test_the_state_of_no_widgets_is_not_saved(save):
    kind = "application/vnd.jupyter.widget-state+json"
    state = {"1": {"model_name": "IntSliderModel", "model_module": "m", "state": {}}}
    versions = {"version_major": 2, "version_minor": 0}
    assert "widgets" not in save(notebook_with(widgets={kind: {"state": {}} | versions}))["metadata"]
    assert save(notebook_with(widgets={kind: {"state": state} | versions}))["metadata"]["widgets"][kind]["state"]


ODD = {
    "nbformat 3": {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [], "metadata": {}}]},
    "no metadata": {key: value for key, value in notebook_with(ALIVE).items() if key == "metadata"},
    "no cells": {"nbformat": 4, "metadata": {}},
    "cells without outputs": {"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code"}, {}]},
    "outputs of another kind": {"nbformat": 4, "cells": [*notebook_with(ALIVE)["cells"], {"outputs": [None, 3]}]},
    "data of another kind": {"nbformat": 4, "cells": [*notebook_with(ALIVE)["cells"], {"outputs": [{"data": 7}]}]},
    "widgets of another kind": notebook_with(ALIVE, widgets=["?"]),
    "a text": "no notebook",
    "nothing": None,
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
@pytest.mark.parametrize("kind", ["notebook", "file", "directory", None])
def test_an_odd_notebook_is_saved_as_it_is(content, kind):
    model = {"type": kind, "content": content}
    before = copy.deepcopy(model)
    with contextlib.suppress(Exception):  # which the server tells its log, and saves
        CONFIG.ContentsManager.pre_save_hook(model=model, path="odd.ipynb", contents_manager=None)
    assert model == before


def test_a_surprise_does_not_make_a_save_fail(save, caplog):
    odd = notebook_with({"text/html": "<p>?</p>"} | ALIVE, widgets=["?"])
    assert save(odd)["metadata"]["widgets"] == ["?"]
    assert "failed on saved.ipynb" in caplog.text
    assert save(ODD["nbformat 3"])["nbformat"] == 3


def test_make_lab_gives_the_server_its_settings():
    asked = ["make", "-n", "-W", "coursekit/jupyter_server_config.py", "lab"]
    done = subprocess.run(asked, cwd=places.ROOT, capture_output=True, text=True, check=True)
    assert "cp coursekit/jupyter_server_config.py .venv/etc/jupyter/jupyter_server_config.py" in done.stdout


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
