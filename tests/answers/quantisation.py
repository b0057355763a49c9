"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 14a."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _affine_tf(low, high):
    low, high = tf.minimum(tf.constant(low, tf.float64), 0), tf.maximum(tf.constant(high, tf.float64), 0)
    scale = (high - low) / 255
    return scale, tf.cast(tf.round(-128 - low / scale), "int32")


def _affine(low, high, steps=255, start=-128, stretch=True):
    low, high = (min(low, 0), max(high, 0)) if stretch else (low, high)
    scale = (high - low) / steps
    return scale, np.round(start - low / scale)


def _channel_loop(kernel):
    scales = np.array([np.abs(kernel[..., channel]).max() / 127 for channel in range(kernel.shape[-1])], "float64")
    return np.stack([np.rint(kernel[..., n] / scale) for n, scale in enumerate(scales)], -1).astype("int8"), scales


def _channel_ops(kernel):
    scales = ops.max(ops.abs(kernel), axis=(0, 1, 2)) / 127
    return ops.round(kernel / scales), scales


def _real(q_x, s_x, z_x, q_w, s_w):
    return s_x * (q_x.astype("float32") - z_x) @ (q_w.astype("float32") * s_w[:, None]).T


def _real_tf(q_x, s_x, z_x, q_w, s_w):
    total = tf.matmul(tf.cast(q_x, tf.int32) - z_x, tf.cast(q_w, tf.int32), transpose_b=True)
    return tf.cast(total, tf.float64) * s_x * s_w


def _train(epochs=8, units=10, last=None, rate=0.002, spoil=False, hidden=64):
    def train_for_four_bits(x, y):
        network = keras.Sequential([keras.Input((784,)), layers.Dense(hidden, "relu"), layers.Dense(units, last)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=last is None)
        network.compile(keras.optimizers.Adam(rate), loss, steps_per_execution=10)
        network.fit(x, y, batch_size=30, epochs=epochs, verbose=0)
        if spoil:
            kernel, bias = network.layers[0].get_weights()
            kernel[0] = 100.0  # a pixel that is black
            network.layers[0].set_weights([kernel, bias])
        return network

    return train_for_four_bits


def _convolutional(x, y):
    pixels = keras.Input((784,))
    maps = layers.MaxPooling2D()(layers.Conv2D(8, 3, activation="relu")(layers.Reshape((28, 28, 1))(pixels)))
    network = keras.Model(pixels, layers.Dense(10)(layers.Flatten()(maps)))
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), steps_per_execution=10)
    network.fit(x, y, batch_size=20, epochs=6, verbose=0)
    return network


RIGHT = {
    "affine_with_zero": [_affine_tf, _affine],
    "per_channel": [_channel_loop, _channel_ops],
    "real_output": [_real, _real_tf],
    "bits_needed": [
        lambda inputs: math.ceil(math.log2(inputs * 255 * 127 + 1)) + 1,
        lambda inputs: tf.math.ceil(tf.math.log(tf.constant(inputs * 32_385.0, tf.float64)) / math.log(2)) + 1,
        lambda inputs: len(bin(inputs * 255 * 127)[2:]) + 1,
    ],
    "train_for_four_bits": [_convolutional, _train(hidden=100, epochs=6)],
}

WRONG = {
    "affine_with_zero": [
        (lambda low, high: _affine(low, high, stretch=False), "not stretched"),
        (lambda low, high: _affine(low, high, steps=256), "255 steps"),
        (lambda low, high: _affine(low, high, start=0), "begins at −128"),
        (lambda low, high: _affine(low, high)[0], "expected 2 values"),
        (lambda low, high: _affine(low, high)[::-1], "value 1 of 2"),
    ],
    "per_channel": [
        (lambda kernel: (np.round(kernel / (np.abs(kernel).max() / 127)), np.abs(kernel).max() / 127), "expected"),
        (
            lambda kernel: (
                np.round(kernel * 128 / np.abs(kernel).max(axis=(0, 1, 2))),
                np.abs(kernel).max(axis=(0, 1, 2)) / 128,
            ),
            "divided by 128",
        ),
        (lambda kernel: (kernel / _channel_loop(kernel)[1], _channel_loop(kernel)[1]), "not rounded"),
        (lambda kernel: _channel_loop(kernel)[0], "expected 2 values"),
        (lambda kernel: print(kernel.shape), "return"),
    ],
    "real_output": [
        (lambda q_x, s_x, z_x, q_w, s_w: s_x * s_w * ((q_x - np.int8(z_x)) @ q_w.T), "int8, where it wraps"),
        (lambda q_x, s_x, z_x, q_w, s_w: _real(q_x, s_x, 0, q_w, s_w), "zero point was left out"),
        (lambda q_x, s_x, z_x, q_w, s_w: _real(q_x, s_x, -z_x, q_w, s_w), "it is taken away"),
        (lambda q_x, s_x, z_x, q_w, s_w: _real(q_x, 1, z_x, q_w, s_w), "scale of x is missing"),
        (lambda q_x, s_x, z_x, q_w, s_w: q_x @ q_w, "raised `ValueError"),
    ],
    "bits_needed": [
        (lambda inputs: (inputs * 255 * 127).bit_length(), "sign is missing"),
        (lambda inputs: (255 * 127).bit_length() + 1, "one product"),
        (lambda inputs: inputs * 255 * 127, "its bits were asked for"),
        (lambda inputs: 32, "expected"),
    ],
    "train_for_four_bits": [
        (_train(epochs=0), "trained at all"),
        (_train(last="softmax"), "softmax"),
        (_train(units=12), "shape"),
        (_train(spoil=True), "much larger than the others"),
        (_train(epochs=1, rate=0.0003), "Train longer"),
        (lambda x, y: print(len(x)), "return"),
    ],
}
