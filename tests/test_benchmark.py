"""Benchmarks: their configurations are what the stored tables say, and the stored tables reach their goals."""

import numpy as np
import pytest

from benchmarks import fashion_mnist as benchmark
from benchmarks import five_in_torch, five_programs
from coursekit import data, places

ROWS = {row["name"]: row for row in data.benchmark("fashion_mnist")["rows"]}
CONFIGURATIONS = {configuration.name: configuration for configuration in benchmark.CONFIGURATIONS}
# name: parameters as published, least test accuracy, largest share of the published configuration's seconds
GOALS = {
    "MLP 300-100, course": (0.89, 1 / 8),
    "CNN 32-64-64, course": (0.9117, 1 / 5),
    "LeNet, ReLU, course": (0.88, 1),
}
PUBLISHED_PARAMETERS = {"MLP 300-100, published": 266_610, "LeNet, sigmoid, published": 61_706}


def test_the_table_holds_each_configuration_as_it_is():
    assert list(ROWS) == list(CONFIGURATIONS)
    for name, configuration in CONFIGURATIONS.items():
        row = ROWS[name]
        assert row["parameters"] == configuration.build().count_params()
        assert (row["batch"], row["epochs"]) == (configuration.batch, configuration.epochs)
        assert row["published_accuracy"] == configuration.published


def test_the_page_shows_the_stored_run():
    text = (places.BENCHMARKS / "README.md").read_text(encoding="utf8")
    assert text == benchmark.page(data.benchmark("fashion_mnist"))
    assert "0.1 of one epoch, scaled up" in text


@pytest.mark.parametrize("name", PUBLISHED_PARAMETERS)
def test_published_nets_have_their_published_size(name):
    assert ROWS[name]["parameters"] == PUBLISHED_PARAMETERS[name]


@pytest.mark.parametrize("name", GOALS)
def test_the_stored_run_reaches_its_goal(name):
    row, (accuracy, share) = ROWS[name], GOALS[name]
    assert row["test_accuracy"] >= accuracy
    assert row["seconds"] <= share * ROWS[row["compared_with"]]["seconds"]


def test_lenet_keeps_its_parameters():
    assert ROWS["LeNet, ReLU, course"]["parameters"] == ROWS["LeNet, sigmoid, published"]["parameters"]


def test_a_measurement_is_whole_or_says_that_it_is_not():
    x = np.random.default_rng(0).random((640, 28, 28, 1), "float32")
    pictures = (x, np.arange(640) % 10), (x[:100], np.arange(100) % 10)
    whole = benchmark.measure(CONFIGURATIONS["MLP 300-100, course"], pictures)
    assert whole["timed"] == "whole"
    assert 0 <= whole["test_accuracy"] <= 1
    part = benchmark.measure(CONFIGURATIONS["CNN 64-128-256, published"], pictures)
    assert part["timed"] == "0.1 of one epoch, scaled up"
    assert part["test_accuracy"] is None
    text = benchmark.table([part, whole | {"compared_with": part["name"]}])
    assert f"| {part['name']} | 1,413,834 | 10 | – (0.9117) |" in text
    assert f"| {whole['seconds'] / part['seconds']:.2f} |" in text


def test_five_programs_are_measured_as_they_are():
    report = data.benchmark("five_programs")
    pairs = [(row["program"], row["framework"]) for row in report["rows"]]
    assert pairs == [(program, name) for program in five_in_torch.GOALS for name in ("Keras", "PyTorch")]
    networks = five_programs.networks()
    for row in report["rows"][::2]:
        build, _ = networks[row["program"]]
        assert row["parameters"] == build().count_params()
        assert row["goal"] == five_in_torch.GOALS[row["program"]]
    assert "torch" in report["versions"]


def test_the_page_of_the_five_programs_shows_the_stored_run():
    text = (places.BENCHMARKS / "five_programs.md").read_text(encoding="utf8")
    assert text == five_programs.page(data.benchmark("five_programs"))


def test_seconds_to_an_accuracy_count_the_epochs_before_it():
    epochs = [(4.0, 0.5), (1.0, 0.79), (1.0, 0.81), (1.0, 0.9)]
    assert five_programs.seconds_to(0.8, epochs) == 6
    assert five_programs.seconds_to(0.95, epochs) == float("inf")
    run = {"parameters": 7, "epochs": [[4.0, 0.5], [1.88, 0.9], [3.76, 0.9]], "megabytes": 100.0}
    figures = five_programs.medians("Transformer", [run, run | {"megabytes": 300.0}, run | {"megabytes": 200.0}])
    assert figures["milliseconds_a_step"] == 15  # the median of 10 and 20; the first epoch is left out
    assert (figures["seconds_to_goal"], figures["megabytes"]) == (5.9, 200)


def test_a_program_learns_in_keras():
    random = np.random.default_rng(0)
    y = np.arange(five_in_torch.TRAIN) % 10
    x = random.normal(0, 0.1, (len(y), 28, 28)).astype("float32")
    x[np.arange(len(y)), y] += 1  # the label is the bright row
    pictures = {"x": x, "y": y, "x_test": x[:200], "y_test": y[:200]}
    parameters, epochs = five_programs.train_in_keras("dense", pictures, 0)
    assert parameters == 266_610
    assert len(epochs) == five_in_torch.EPOCHS
    assert epochs[-1][1] > 0.9
