"""Long runs: their reports are of the code that is there, and reach their goals."""

import keras
import numpy as np
import pytest

from authoring import chapter as chapters
from checkpoints import ablations, batch_size, gpt, scaling, sigmoid, small_models, spelling
from coursekit import data, places


@pytest.mark.parametrize("path", sorted(places.CHECKPOINTS.glob("*.json")), ids=lambda path: path.stem)
def test_every_report_tells_how_to_get_it_again(path):
    report = data.checkpoint(path.stem)
    assert {"command", "date", "seed", "machine", "versions"} <= set(report)
    assert path.stem in report["command"]
    assert (places.CHECKPOINTS / f"{path.stem}.py").is_file() or (places.ROOT / path.stem / "run.py").is_file()
    page = (places.CHECKPOINTS / "README.md").read_text(encoding="utf8")
    assert f"`{path.stem}`" in page
    sources = "".join(file.read_text(encoding="utf8") for file in chapters.SOURCE.glob("*.py"))
    assert f'ck.data.checkpoint("{path.stem}")' in sources  # a run that no chapter shows is not kept


def test_checkpoints_are_small():
    files = [path for path in places.CHECKPOINTS.iterdir() if path.is_file()]
    assert max(path.stat().st_size for path in files) < 8 * 2**20


def test_the_spelling_run_reaches_its_goal():
    report = data.checkpoint("spelling")
    assert [row["beam"] for row in report["rows"]] == list(spelling.BEAMS)
    assert report["epochs"] == spelling.EPOCHS == len(report["validation_loss"])
    assert min(row["word_error"] for row in report["rows"]) <= 30
    assert report["minutes"] <= 90
    assert sum(group["words"] for group in report["by_length"].values()) == report["test_words"] == 12_605


def test_the_sigmoid_run_trained_the_networks_of_its_chapter():
    report = data.checkpoint("sigmoid")
    code = chapters.long_run_code("01_activations")
    assert [(row["change"], row["seed"]) for row in report["rows"]] == [
        (change, seed) for seed in sigmoid.SEEDS for change in code.CHANGES
    ]
    for row in report["rows"]:
        assert len(row["loss"]) == len(row["validation_accuracy"]) == sigmoid.EPOCHS[row["change"]]
    (x_train, _), (x_validation, _), _ = code.pictures(0)
    assert report["steps"] == sigmoid.STEPS == len(x_train) / code.BATCH_SIZE
    assert len(x_validation) == 2_000
    copy = code.published_network()
    assert [layer.units for layer in copy.layers[1:]] == [512, 256, 256, 128, 10]
    limit = 1 / np.sqrt(256)
    for weights in copy.layers[3].get_weights():  # PyTorch's rule, biases too
        assert 0.9 * limit < np.abs(weights).max() <= limit


def test_the_sweep_of_batch_sizes_is_whole_and_of_the_code_of_its_chapter():
    report = data.checkpoint("batch_size")
    wanted = [("SGD", *item) for item in batch_size.SGD.items()] + [("Adam", *item) for item in batch_size.ADAM.items()]
    rates = [(optimizer, size, rate) for optimizer, size, rates in wanted for rate in rates]
    assert {(row["optimizer"], row["batch"], row["rate"], row["seed"]) for row in report["sweep"]} == {
        (*which, seed) for which in rates for seed in batch_size.SEEDS
    }
    assert {(row["batch"], row["rate"], row["seed"]) for row in report["few"]} == {
        (size, rate, seed) for size, (_, rates) in batch_size.FEW.items() for rate in rates for seed in batch_size.SEEDS
    }
    code = chapters.long_run_code("05c_batch_size")
    network, (training, validation, _) = code.new_network(keras.optimizers.SGD()), code.pictures(0)
    code.train(network, training, 512, 0.2, 1, 0)  # a cell of the table again
    (row,) = (
        row
        for row in report["sweep"]
        if (row["optimizer"], row["batch"], row["rate"], row["seed"]) == ("SGD", 512, 0.2, 0)
    )
    assert abs(network.evaluate(*validation, 1_024, verbose=0)[0] - row["validation_loss"][0]) < 0.001


def test_the_gpt_trained_and_counted_with_the_code_of_its_chapter():
    report = data.checkpoint("gpt")
    code = chapters.long_run_code("11c_a_small_gpt")
    assert [row["seed"] for row in report["rows"]] == list(gpt.SEEDS)
    for row in [*report["rows"], report["further"]]:
        assert len(row["training_bits"]) + 1 == len(row["validation_bits"]) == gpt.EPOCHS + 1
        assert list(map(int, row["samples"])) == list(gpt.SAMPLED)
    stored = keras.saving.load_model(report["weights"])
    assert stored.count_params() == code.build_gpt().count_params()
    assert not stored.compiled
    validation = code.encode(code.texts(0)[1])
    assert abs(code.judge(stored, validation) - report["rows"][0]["validation_bits"][-1]) < 0.001


def test_the_ablations_are_of_the_variants_that_there_are():
    report = data.checkpoint("ablations")
    assert [(row["name"], row["seed"]) for row in report["rows"]] == ablations.runs()


@pytest.mark.parametrize("name", ablations.VARIANTS)
def test_a_variant_differs_from_the_whole_in_what_its_name_says(name):
    make, _ = ablations.VARIANTS[name]
    whole = ablations.whole().transformer(12, 15, 16, 1, 4, 0.0)[2]
    variant = make().transformer(12, 15, 16, 1, 4, 0.0)[2]
    norms = 2 * 16
    fewer = {"no positions": 2 * 32 * 16, "no normalisation": 7 * norms}.get(name, 0)
    assert whole.count_params() - variant.count_params() == fewer


def test_the_scaling_run_trained_the_networks_of_its_chapter():
    report = data.checkpoint("scaling")
    build = chapters.long_run_code("12a_large_models").gpt
    assert {row["name"]: row["width"] for row in report["rows"]} == {
        name: width for name, (width, _) in scaling.configurations().items()
    }
    for row in report["rows"]:
        network = build(
            report["vocabulary"], report["context"], row["width"], report["depth"], max(1, row["width"] // 16)
        )
        assert network.count_params() == row["parameters"]


def test_the_small_models_are_those_of_their_chapter_and_reach_their_goal():
    report = data.checkpoint("small_models")
    code = chapters.long_run_code("14b_compression")
    (x, y) = data.fashion_mnist(train=10, test=2_000)[1]
    built = {small_models.TEACHER: code.teacher_network(), small_models.STUDENT: code.student_network()}
    for file, network in built.items():
        kept = keras.saving.load_model(report["files"][file])
        network.set_weights(kept.get_weights())
        pictures = x[..., None].astype("float32") / 255
        assert np.mean(kept.predict(pictures, batch_size=500, verbose=0).argmax(axis=1) == y) > 0.88
        assert not kept.compiled  # the optimizer's state would triple the file
    parts = report["parts"]
    assert list(parts) == small_models.names()
    assert parts["teacher"]["accuracy"] > 91
    assert parts["teacher"]["parameters"] <= 225_000
    for name, part in list(parts.items())[1:]:
        epochs, seeds = small_models.STUDENTS[part["pictures"]]
        assert name == f"{part['method']}_{part['pictures']}"
        assert 10 * part["parameters"] < parts["teacher"]["parameters"]
        assert [(run["seed"], run["epochs"]) for run in part["runs"]] == [(seed, epochs) for seed in seeds]
