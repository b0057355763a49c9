"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 08a."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from scipy import signal


def _network(filters=(8, 16), pools=2, outputs=10, last=None, compiled=True, activation="relu", rate=1e-3, kind=None):
    def build_convnet():
        network = keras.Sequential([keras.Input((28, 28, 1))])
        for number, count in enumerate(filters):
            network.add(layers.Conv2D(count, 3, padding="same", activation=activation))
            if number < pools:
                network.add((kind or layers.MaxPooling2D)(2))
        network.add(layers.Flatten())
        network.add(layers.Dense(outputs, last))
        if compiled:
            network.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return network

    return build_convnet


def _functional():
    inputs = keras.Input((28, 28, 1))
    x = layers.AveragePooling2D(2)(layers.ReLU()(layers.Conv2D(6, 5, activation="relu")(inputs)))
    x = layers.MaxPooling2D(2)(layers.Conv2D(12, 3, activation="relu")(x))
    network = keras.Model(inputs, layers.Dense(10)(layers.Flatten()(x)))
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return network


def _slide_keras(picture, kernel):
    picture, kernel = (np.asarray(value, "float32") for value in (picture, kernel))
    return ops.conv(picture[None, ..., None], kernel[..., None, None])[0, ..., 0]


def _pool_tf(x, size):
    return tf.nn.max_pool2d(tf.cast(x, "float32"), size, size, "VALID")


def _field_backwards(stack):
    field = 1
    for kernel, stride, dilation in stack[::-1]:
        field = (field - 1) * stride + dilation * (kernel - 1) + 1
    return field


def _field_jump_first(stack):
    field, jump = 1, 1
    for kernel, stride, dilation in stack:
        jump *= stride
        field += dilation * (kernel - 1) * jump
    return field


RIGHT = {
    "slide": [_slide_keras, lambda picture, kernel: signal.correlate2d(picture, kernel, mode="valid")],
    "output_size": [
        lambda n, k, padding, stride, dilation: int(np.floor((n + 2 * padding - dilation * (k - 1) - 1) / stride)) + 1,
        lambda n, k, padding, stride, dilation: np.arange(n + 2 * padding - dilation * (k - 1))[::stride].size,
    ],
    "max_pool": [_pool_tf, lambda x, size: layers.MaxPooling2D(size)(ops.cast(x, "float32"))],
    "receptive_field": [
        _field_backwards,
        lambda stack: 1 + sum(d * (k - 1) * np.prod([s for _, s, _ in stack[:i]]) for i, (k, _, d) in enumerate(stack)),
    ],
    "compare_sizes": [
        lambda side, k, channels, filters: [
            (k * k * channels + 1) * filters,
            (side**2 * channels + 1) * side**2 * filters,
        ],
        lambda side, k, channels, filters: np.array(
            [k**2 * channels * filters + filters, side**4 * channels * filters + side**2 * filters]
        ).tolist(),
    ],
    "build_convnet": [_functional, _network(kind=layers.AveragePooling2D, rate=3e-3)],
}

WRONG = {
    "slide": [
        (lambda picture, kernel: signal.convolve2d(picture, kernel, mode="valid"), "turned by 180°"),
        (lambda picture, kernel: signal.correlate2d(picture, kernel.T, mode="valid"), "turned over its diagonal"),
        (lambda picture, kernel: signal.correlate2d(picture, kernel, mode="same"), "expected the shape"),
        (lambda picture, kernel: signal.correlate2d(picture, kernel, mode="valid") / kernel.size, "mean was taken"),
        (lambda picture, kernel: picture * kernel, "raised `ValueError"),
    ],
    "output_size": [
        (lambda n, k, p, s, d: (n + p - d * (k - 1) - 1) // s + 1, "one side only"),
        (lambda n, k, p, s, d: (n + 2 * p - k) // s + 1, "dilation was left out"),
        (lambda n, k, p, s, d: (n + 2 * p - d * (k - 1) - 1) / s + 1, "not rounded down"),
        (lambda n, k, p, s, d: (n + 2 * p - d * (k - 1) - 1) // s, "the first position counts"),
    ],
    "max_pool": [
        (lambda x, size: layers.AveragePooling2D(size)(ops.cast(x, "float32")), "mean was taken"),
        (lambda x, size: layers.MaxPooling2D(size, strides=1)(ops.cast(x, "float32")), "blocks overlap"),
        (lambda x, size: x.max(axis=(1, 2)), "expected the shape"),
        (
            lambda x, size: x.reshape(len(x), x.shape[1] // size, size, x.shape[2] // size, size, -1).max(axis=(2, 4)),
            "raised `ValueError",
        ),
    ],
    "receptive_field": [
        (_field_jump_first, "a layer's own stride counts only for later layers"),
        (lambda stack: 1 + sum(d * (k - 1) for k, _, d in stack), "strides were left out"),
        (lambda stack: sum(k for k, _, _ in stack), "kernels were added up"),
        (lambda stack: _field_backwards(stack) - 1, "started at 0"),
    ],
    "compare_sizes": [
        (lambda n, k, c, f: (k * k * c * f, n * n * c * n * n * f), "biases were forgotten"),
        (lambda n, k, c, f: ((n * n * c + 1) * n * n * f, (k * k * c + 1) * f), "in the other order"),
        (lambda n, k, c, f: ((k * k + 1) * f, (n * n * c + 1) * n * n * f), "one channel only"),
        (lambda n, k, c, f: ((k * k * c + 1) * f, (n * n * c + 1) * f), "one at each position"),
        (lambda n, k, c, f: (k * k * c + 1) * f, "expected 2 values"),
    ],
    "build_convnet": [
        (_network(pools=0), "10,000"),
        (_network(pools=1), "10,000|pooling layer after each"),
        (_network(filters=(8, 8, 8)), "two `Conv2D`"),
        (_network(last="softmax"), "ten logits"),
        (_network(activation=None), "should be ReLU"),
        (_network(compiled=False), "not compiled"),
        (_network(outputs=1), "outputs of shape"),
        (_network(rate=0.0), "does not learn"),
        (lambda: print("built"), "return"),
    ],
}
