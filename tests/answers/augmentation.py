"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 06b."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


class _AlwaysFlip(layers.RandomFlip):
    def call(self, inputs, training=True):
        return super().call(inputs, training=True)


def _network(
    flip="horizontal", move=0.1, scale=1 / 255, units=32, last=None, compiled=True, always=False, rate=1e-3, outputs=10
):
    def build_augmented_network():
        inputs = keras.Input((28, 28, 1))
        hidden = inputs
        if flip:
            hidden = (_AlwaysFlip(flip) if always else layers.RandomFlip(flip))(hidden)
        if move:
            hidden = layers.RandomTranslation(move, move)(hidden)
        hidden = layers.Flatten()(layers.Rescaling(scale)(hidden))
        network = keras.Model(inputs, layers.Dense(outputs, last)(layers.Dense(units, "relu")(hidden)))
        if compiled:
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            network.compile(keras.optimizers.Adam(rate), loss)
        return network

    return build_augmented_network


def _cropping():
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.RandomTranslation(0.07, 0.07, fill_mode="constant", interpolation="nearest"),
            layers.RandomFlip("horizontal"),
            layers.Flatten(),
            layers.Dense(32),
            layers.ReLU(),
            layers.Dense(10),
        ]
    )
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return network


def _shift_by_slices(pictures, dx, dy):
    moved = np.zeros_like(pictures)
    height, width = pictures.shape[1:]
    for row in range(height):
        for column in range(width):
            if 0 <= row - dy < height and 0 <= column - dx < width:
                moved[:, row, column] = pictures[:, row - dy, column - dx]
    return moved


def _shift_by_tensors(pictures, dx, dy):
    rows, columns = pictures.shape[1:]
    framed = tf.pad(tf.cast(pictures, "float32"), [[0, 0], [rows, rows], [columns, columns]])
    return framed[:, rows - dy : 2 * rows - dy, columns - dx : 2 * columns - dx]


def _needed_by_least_squares(sizes, errors, goal):
    table = np.stack([np.ones(len(sizes)), np.log(sizes)], axis=1)
    (level, slope), *_ = np.linalg.lstsq(table, np.log(errors), rcond=None)
    return (goal / np.exp(level)) ** (1 / slope)


def _needed_by_sums(sizes, errors, goal):
    x, y = np.log2(sizes), np.log2(errors)
    slope = np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2)
    return ops.power(2.0, float(x.mean() + (np.log2(goal) - y.mean()) / slope))


def _steps_by_tensors(w, gradient, scale, rate, decay):
    w, gradient, scale = (ops.cast(value, "float32") for value in (w, gradient, scale))
    return w - rate * (gradient + decay * w) / scale, (1 - rate * decay) * w - rate * gradient / scale


RIGHT = {
    "shift": [_shift_by_slices, _shift_by_tensors],
    "build_augmented_network": [_network(), _cropping],
    "keeps_label": [
        lambda digit, change: digit in {"crop": range(10), "mirror": [0, 8], "half turn": [0, 8]}[change],
        lambda digit, change: np.bool_(change == "crop") or np.isin(digit, [0, 8]),
    ],
    "data_needed": [_needed_by_least_squares, _needed_by_sums],
    "diagnosis": [
        lambda train, test, wanted: ["fine", "over-fitting", "under-fitting"][
            2 if train < wanted else int(train - test > 5)
        ],
        lambda train, test, wanted: (
            "fine" if train >= wanted and train - test <= 5 else "Over-fitting" if train >= wanted else "Under-fitting"
        ),
    ],
    "two_steps": [
        _steps_by_tensors,
        lambda w, g, s, r, d: [w - r * g / s - r * d * w / s, w * (1 - r * d) - r * g / s],
    ],
}

WRONG = {
    "shift": [
        (lambda pictures, dx, dy: np.roll(pictures, (dy, dx), (1, 2)), "comes back on the other"),
        (lambda pictures, dx, dy: _shift_by_slices(pictures, -dx, -dy), "positive dx moves to the right"),
        (lambda pictures, dx, dy: _shift_by_slices(pictures, dy, dx), "dx and dy are exchanged"),
        (lambda pictures, dx, dy: pictures[:, abs(dy) :, abs(dx) :], "expected the shape"),
        (lambda pictures, dx, dy: print(dx), "return"),
    ],
    "build_augmented_network": [
        (_network(flip=None), "never mirrors"),
        (_network(move=None), "not moved"),
        (_network(flip=None, move=None), "nothing is changed by chance"),
        (_network(flip="horizontal_and_vertical"), "upside down"),
        (_network(flip="vertical"), "upside down"),
        (_network(always=True), "In use the network changes pictures too"),
        (_network(scale=1.0), "very large"),
        (_network(last="softmax"), "ten logits were asked for"),
        (_network(units=64), "parameters"),
        (_network(outputs=1), "outputs of shape"),
        (_network(compiled=False), "not compiled"),
        (_network(rate=0.0), "does not learn"),
        (lambda: print("built"), "return"),
    ],
    "keeps_label": [
        (lambda digit, change: True, "every change were allowed"),
        (
            lambda digit, change: (
                change == "crop" or (digit in (0, 6, 8, 9) and change == "half turn") or digit in (0, 8)
            ),
            "6 a 9",
        ),
        (lambda digit, change: change != "half turn" or digit in (0, 8), "mirrored 3 or 7"),
        (lambda digit, change: digit in (0, 8), "A crop by two pixels"),
    ],
    "data_needed": [
        (
            lambda sizes, errors, goal: (goal - np.polyfit(sizes, errors, 1)[1]) / np.polyfit(sizes, errors, 1)[0],
            "not to their logarithms",
        ),
        (lambda sizes, errors, goal: np.log(_needed_by_least_squares(sizes, errors, goal)), "undo it with np.exp"),
        (lambda sizes, errors, goal: sizes[-1] * errors[-1] / goal, "expected"),
    ],
    "diagnosis": [
        (lambda train, test, wanted: "over-fitting" if train - test > 5 else "fine", "only the gap"),
        (
            lambda train, test, wanted: (
                "under-fitting" if test < wanted else "over-fitting" if train - test > 5 else "fine"
            ),
            "test score was compared",
        ),
        (lambda train, test, wanted: train < wanted, "over-fitting"),
    ],
    "two_steps": [
        (lambda w, g, s, r, d: (w * (1 - r * d) - r * g / s, w - r * (g + d * w) / s), "exchanged"),
        (lambda w, g, s, r, d: (w - r * (g + d * w) / s, w - r * (g + d * w) / s), "what decoupling avoids"),
        (lambda w, g, s, r, d: (w - r * (g + d * w) / s, w - r * g / s - d * w), "misses the learning rate"),
        (lambda w, g, s, r, d: w - r * (g + d * w) / s, "expected 2 values"),
    ],
}
