"""The networks of chapters 07 and 08 beside published ones, on all of Fashion-MNIST, in one run (`make bench`).

Each published configuration is rebuilt from its description; where a whole training is too long for one sitting, a
fraction of an epoch is timed and the published accuracy stands in the table. Seconds are those of `fit`, tracing
included; the course's configurations run many steps in one call of Keras, the published ones one. No configuration has
a validation part: epochs and rates were not chosen on pictures kept apart, so small differences prove nothing. Writes
benchmarks/fashion_mnist.json (what the chapters show) and the table in benchmarks/README.md.
"""

import argparse
import dataclasses
import time

import coursekit as ck

ck.start()

import keras
import numpy as np
from keras import layers, losses, optimizers

from authoring import report
from coursekit import places

RESULTS = places.BENCHMARKS / "fashion_mnist.json"
SEED = 0


@dataclasses.dataclass
class Configuration:
    """A network and how it is trained.

    published: its test accuracy there. build: returns an uncompiled network with ten logits.
    optimizer: takes the number of epochs and of steps in an epoch. train: how many of the 60,000 training pictures.
    fraction: the part of one epoch that is timed, None for all epochs.
    """

    name: str
    source: str
    published: str | None
    goal_of: str | None
    build: callable
    optimizer: callable
    batch: int
    epochs: int
    train: int = 60_000
    steps_per_execution: int = 1
    fraction: float | None = None


def published_mlp():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(300, "relu"),
            layers.Dense(100, "relu"),
            layers.Dense(10),
        ]
    )


def course_mlp():
    """300-100 again; batch normalisation instead of biases, and dropout."""
    network = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten()])
    for units in (300, 100):
        network.add(layers.Dense(units, use_bias=False))
        network.add(layers.BatchNormalization(momentum=0.9))
        network.add(layers.ReLU())
        network.add(layers.Dropout(0.2))
    network.add(layers.Dense(10))
    return network


def published_cnn():
    def convolution(filters, kernel_size):
        return layers.Conv2D(filters, kernel_size, padding="same", activation="relu", kernel_initializer="he_normal")

    network = keras.Sequential([keras.Input((28, 28, 1)), convolution(64, 7), layers.MaxPooling2D()])
    for filters in (128, 256):
        network.add(convolution(filters, 3))
        network.add(convolution(filters, 3))
        network.add(layers.MaxPooling2D())
    network.add(layers.Flatten())
    for units in (128, 64):
        network.add(layers.Dense(units, "relu", kernel_initializer="he_normal"))
        network.add(layers.Dropout(0.5))
    network.add(layers.Dense(10))
    return network


def course_cnn():
    """Three convolutions with batch normalisation, the last one inside a residual block."""

    def convolution(x, filters):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))

    inputs = keras.Input((28, 28, 1))
    x = layers.MaxPooling2D()(convolution(inputs, 32))
    x = layers.MaxPooling2D()(convolution(x, 64))
    x = layers.Add()([x, convolution(x, 64)])
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    x = layers.Dropout(0.3)(layers.Dense(64, "relu")(x))
    return keras.Model(inputs, layers.Dense(10)(x))


def lenet(activation, pooling):
    """LeNet-5 (LeCun et al., 1998) for 28 by 28 pixels, 61,706 parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation=activation),
            pooling(2),
            layers.Conv2D(16, 5, activation=activation),
            pooling(2),
            layers.Flatten(),
            layers.Dense(120, activation),
            layers.Dense(84, activation),
            layers.Dense(10),
        ]
    )


def adam_with_cosine(peak):
    """Adam, one epoch of warm-up to `peak`, then cosine decay to 0."""

    def optimizer(epochs, steps):
        schedule = optimizers.schedules.CosineDecay(
            peak / 10, (epochs - 1) * steps, warmup_target=peak, warmup_steps=steps
        )
        return optimizers.Adam(schedule)

    return optimizer


HANDSON = "Géron, Hands-On Machine Learning, 3rd edition"
D2L = "Dive into Deep Learning, TensorFlow builds"
CONFIGURATIONS = [
    Configuration(
        name="MLP 300-100, published",
        source=f"{HANDSON}, chapter 10",
        published="0.8864",
        goal_of=None,
        build=published_mlp,
        optimizer=lambda epochs, steps: optimizers.SGD(0.01),
        batch=32,
        epochs=30,
        train=55_000,
    ),
    Configuration(
        name="MLP 300-100, course",
        source="chapter 07",
        published=None,
        goal_of="MLP 300-100, published",
        build=course_mlp,
        optimizer=adam_with_cosine(4e-3),
        batch=512,
        epochs=12,
        steps_per_execution=59,
    ),
    Configuration(
        name="CNN 64-128-256, published",
        source=f"{HANDSON}, chapter 14",
        published="0.9117",
        goal_of=None,
        build=published_cnn,
        optimizer=lambda epochs, steps: optimizers.Nadam(),
        batch=32,
        epochs=10,
        train=55_000,
        fraction=0.1,
    ),
    Configuration(
        name="CNN 32-64-64, course",
        source="chapter 08",
        published=None,
        goal_of="CNN 64-128-256, published",
        build=course_cnn,
        optimizer=adam_with_cosine(3e-3),
        batch=256,
        epochs=8,
        steps_per_execution=47,
    ),
    Configuration(
        name="LeNet, sigmoid, published",
        source=D2L,
        published="0.805 to 0.829",
        goal_of=None,
        build=lambda: lenet("sigmoid", layers.AveragePooling2D),
        optimizer=lambda epochs, steps: optimizers.SGD(0.9),
        batch=256,
        epochs=10,
    ),
    Configuration(
        name="LeNet, ReLU, course",
        source="chapter 08",
        published=None,
        goal_of="LeNet, sigmoid, published",
        build=lambda: lenet("relu", layers.MaxPooling2D),
        optimizer=adam_with_cosine(3e-3),
        batch=256,
        epochs=6,
        steps_per_execution=47,
    ),
]


def measure(configuration, data):
    """Train one configuration. Returns its row of the table; accuracy is None where only a fraction was timed."""
    (x_train, y_train), (x_test, y_test) = data
    keras.utils.set_random_seed(SEED)
    x, y = x_train[: configuration.train], y_train[: configuration.train]
    epochs = configuration.epochs
    if configuration.fraction:
        x, y = x[: int(len(x) * configuration.fraction)], y[: int(len(y) * configuration.fraction)]
        epochs = 1
    network = configuration.build()
    steps = -(-len(x) // configuration.batch)
    network.compile(
        configuration.optimizer(epochs, steps),
        losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=configuration.steps_per_execution,
    )
    began = time.perf_counter()
    network.fit(x, y, batch_size=configuration.batch, epochs=epochs, verbose=0)
    seconds = time.perf_counter() - began
    accuracy = None
    if configuration.fraction:
        seconds *= configuration.epochs / configuration.fraction
    else:
        logits = network.predict(x_test, batch_size=1_000, verbose=0)
        accuracy = round(float(np.mean(logits.argmax(axis=1) == y_test)), 4)
    return {
        "name": configuration.name,
        "source": configuration.source,
        "parameters": network.count_params(),
        "batch": configuration.batch,
        "epochs": configuration.epochs,
        "timed": f"{configuration.fraction:g} of one epoch, scaled up" if configuration.fraction else "whole",
        "published_accuracy": configuration.published,
        "test_accuracy": accuracy,
        "seconds": round(seconds, 1),
        "compared_with": configuration.goal_of,
    }


def table(rows):
    """The rows as Markdown; ratio: seconds of a course's row over those of the published row beside it."""
    seconds = {row["name"]: row["seconds"] for row in rows}
    lines = [
        "| Configuration | Parameters | Epochs | Test accuracy (published) | Seconds | Ratio |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        published = f" ({row['published_accuracy']})" if row["published_accuracy"] else ""
        accuracy = row["test_accuracy"] or "–"
        ratio = f"{row['seconds'] / seconds[row['compared_with']]:.2f}" if row["compared_with"] else ""
        about = "" if row["timed"] == "whole" else f" ({row['timed']})"
        lines.append(
            f"| {row['name']} | {row['parameters']:,} | {row['epochs']} | {accuracy}{published} "
            f"| {row['seconds']:.0f}{about} | {ratio} |"
        )
    return "\n".join(lines)


def page(report):
    """benchmarks/README.md: how it was measured, and the table."""
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return f"""# Beside published networks, on all of Fashion-MNIST

Written by `{report["command"]}` on {report["date"]}: one run, seed {report["seed"]}, {report["machine"]}; {versions}.
Seconds are those of `fit`. Ratio: seconds over those of the published configuration above it.
Published accuracies: {HANDSON}, chapters 10 and 14; {D2L}.
Each configuration keeps its own batch size and number of steps in one call of Keras, so the seconds are not of equal
conditions. None has a validation part: epochs and rates were not chosen on pictures kept apart.

{table(report["rows"])}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="a word of the names to run; nothing is written then")
    only = parser.parse_args().only
    (x_train, y_train), (x_test, y_test) = ck.data.fashion_mnist()
    order = np.random.default_rng(SEED).permutation(len(y_train))
    x_train, y_train = x_train[order], y_train[order]
    scaled = [x[..., None].astype("float32") / 255 for x in (x_train, x_test)]
    data = (scaled[0], y_train.astype("int32")), (scaled[1], y_test.astype("int32"))
    rows = []
    for configuration in CONFIGURATIONS:
        if not only or only in configuration.name:
            rows.append(measure(configuration, data))
            print(rows[-1], flush=True)
    if not only:
        written = report.write(RESULTS, "make bench", SEED, rows=rows)
        places.write_atomically(RESULTS.with_name("README.md"), page(written).encode("utf8"))
        print(table(rows))


if __name__ == "__main__":
    main()
