"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 13a."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _epoch_loop(load, step, steps, prefetch):
    clock = loaded = 0.0
    for _ in range(steps):
        loaded = (loaded if prefetch else clock) + load
        start = max(clock, loaded)
        loaded, clock = (start if prefetch else loaded), start + step
    return clock


def _pipeline_parallel(pictures, load, augment, batch):
    loaded = pictures.map(load, num_parallel_calls=2).cache()
    return loaded.map(augment, num_parallel_calls=2).batch(batch)


def _pipeline_in_memory(pictures, load, augment, batch):
    loaded = np.stack([load(picture).numpy() for picture in pictures])
    return tf.data.Dataset.from_tensor_slices(loaded).map(augment).batch(batch).prefetch(1)


def _accumulate(network, loss, x, y, size, weigh=None, scale=1.0):
    total = None
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        with tf.GradientTape() as tape:
            value = loss(y[part], network(x[part]))
        share = weigh(len(x[part])) if weigh else len(x[part]) / len(x)
        new = [share * scale * each for each in tape.gradient(value, network.trainable_weights)]
        total = new if total is None else [old + each for old, each in zip(total, new, strict=True)]
    return total


def _accumulate_numpy(network, loss, x, y, size):
    return [np.asarray(each, "float64") for each in _accumulate(network, loss, x, y, size)]


def _accumulate_dataset(network, loss, x, y, size):
    total = [ops.zeros(weight.shape) for weight in network.trainable_weights]
    for rows, labels in tf.data.Dataset.from_tensor_slices((x, y)).batch(size):
        with tf.GradientTape() as tape:
            value = loss(labels, network(rows)) * float(len(rows))
        total = [old + new for old, new in zip(total, tape.gradient(value, network.trainable_weights), strict=True)]
    return [each / len(x) for each in total]


def _whole(network, loss, x, y, size):
    return _accumulate(network, loss, x, y, len(x))


def _mixed(
    policy="mixed_float16", last="float32", scaled=True, units=64, softmax=None, compiled=True, from_logits=True
):
    def build_mixed():
        network = keras.Sequential(
            [
                keras.Input((784,)),
                layers.Dense(units, "relu", dtype=policy),
                layers.Dense(10, softmax, dtype=last),
            ]
        )
        adam = keras.optimizers.Adam()
        if compiled:
            network.compile(
                keras.optimizers.LossScaleOptimizer(adam) if scaled else adam,
                keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits),
            )
        return network

    return build_mixed


def _functional():
    inputs = keras.Input((784,))
    hidden = layers.ReLU(dtype=keras.DTypePolicy("mixed_float16"))(layers.Dense(64)(inputs))
    network = keras.Model(inputs, layers.Dense(10, dtype="float32")(hidden))
    network.compile(
        keras.optimizers.Adam(loss_scale_factor=1024.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return network


RIGHT = {
    "epoch_seconds": [
        _epoch_loop,
        lambda load, step, steps, prefetch: np.where(
            prefetch, min(load, step) + steps * max(load, step), steps * (load + step)
        ),
    ],
    "pipeline": [_pipeline_parallel, _pipeline_in_memory],
    "accumulated": [_accumulate_numpy, _accumulate_dataset],
    "spacing": [
        lambda x, fraction_bits: 2.0 ** (math.frexp(x)[1] - 1 - fraction_bits),
        lambda x, fraction_bits: ops.power(2.0, ops.floor(ops.log2(x)) - float(fraction_bits)),
    ],
    "next_scale": [
        lambda scale, good, finite, every: (
            (np.float32(scale) * (2 if good + 1 == every else 1), (good + 1) % every) if finite else (scale / 2, 0)
        ),
        lambda scale, good, finite, every: [
            tf.constant(scale) / 2 if not finite else scale * 2.0 if good + 1 >= every else scale,
            good + 1 if finite and good + 1 < every else 0,
        ],
    ],
    "build_mixed": [_functional, _mixed()],
}

WRONG = {
    "epoch_seconds": [
        (lambda load, step, steps, prefetch: steps * (load + step), "made no difference"),
        (
            lambda load, step, steps, prefetch: steps * (max(load, step) if prefetch else load + step),
            "must be waited for",
        ),
        (
            lambda load, step, steps, prefetch: load + steps * step if prefetch else steps * (load + step),
            "hides only behind a longer step",
        ),
        (lambda load, step, steps, prefetch: print(load), "Is a `return` missing?"),
    ],
    "pipeline": [
        (lambda p, load, augment, batch: p.map(load).map(augment).cache().batch(batch), "the cache comes after"),
        (lambda p, load, augment, batch: p.map(load).map(augment).batch(batch).prefetch(1), "were loaded 14 times"),
        (lambda p, load, augment, batch: p.map(load).cache().batch(batch), "not augmented"),
        (lambda p, load, augment, batch: p.batch(batch).map(load).cache().map(augment), "one picture at a time"),
        (lambda p, load, augment, batch: p.map(augment).batch(batch), "`load` was called 0 times"),
        (
            lambda p, load, augment, batch: p.map(load).cache().map(augment).batch(batch, drop_remainder=True),
            "batches of 3, 3 and 1",
        ),
        (
            lambda p, load, augment, batch: p.map(load).cache().shuffle(7, seed=1).map(augment).batch(batch),
            "same order",
        ),
        (lambda p, load, augment, batch: list(p), "I expected a tf.data.Dataset"),
    ],
    "accumulated": [
        (lambda n, loss, x, y, size: _accumulate(n, loss, x, y, size, weigh=lambda rows: 1.0), "not divided"),
        (
            lambda n, loss, x, y, size: _accumulate(n, loss, x, y, size, weigh=lambda rows: 1 / -(-len(x) // size)),
            "counted as much as the others",
        ),
        (
            lambda n, loss, x, y, size: _accumulate(
                n, loss, x[: len(x) // size * size], y[: len(x) // size * size], size
            ),
            "was left out",
        ),
        (_whole, "more than fits"),
        (lambda n, loss, x, y, size: print(size), "list of 4 gradients"),
    ],
    "spacing": [
        (lambda x, fraction_bits: 2.0**-fraction_bits, "the same everywhere"),
        (lambda x, fraction_bits: x * 2.0**-fraction_bits, "in proportion to x"),
        (lambda x, fraction_bits: 2.0 ** (np.ceil(np.log2(x)) - fraction_bits), "rounded up"),
        (lambda x, fraction_bits: 2.0 ** (int(np.log2(x)) - fraction_bits), "cut towards 0"),
        (lambda x, fraction_bits: 2.0 ** (np.floor(np.log2(x)) + fraction_bits), "expected"),
    ],
    "next_scale": [
        (
            lambda scale, good, finite, every: (
                (scale / 2, good) if not finite else (scale * 2, 0) if good + 1 == every else (scale, good + 1)
            ),
            "After an overflow the count",
        ),
        (
            lambda scale, good, finite, every: (
                (scale / 2, 0) if not finite else (scale * 2, 0) if good == every else (scale, good + 1)
            ),
            "one step too late",
        ),
        (
            lambda scale, good, finite, every: (
                (scale / 2, 0) if not finite else (scale * (2 if good + 1 == every else 1), good + 1)
            ),
            "After doubling",
        ),
        (lambda scale, good, finite, every: scale / 2, "2 values"),
    ],
    "build_mixed": [
        (_mixed(policy="float32"), "float16 was asked for"),
        (_mixed(policy="float16"), "keeps its weights in float16"),
        (_mixed(policy="mixed_bfloat16"), "float16 was asked for"),
        (_mixed(last="mixed_float16"), "logits come as float16"),
        (_mixed(scaled=False), "does not scale the loss"),
        (_mixed(units=32), "50,890"),
        (_mixed(softmax="softmax", from_logits=False), "has a softmax"),
        (_mixed(from_logits=False), "cross-entropy is"),
        (_mixed(compiled=False), "not compiled"),
        (lambda: print("built"), "return"),
    ],
}
