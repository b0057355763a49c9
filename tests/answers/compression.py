"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 14b."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _mask_argpartition(w, keep):
    chosen = np.argpartition(-np.abs(w).ravel(), keep - 1)[:keep]
    mask = np.zeros(w.size, dtype=int)
    mask[chosen] = 1
    return mask.reshape(w.shape)


def _mask_tf(w, keep):
    top = tf.math.top_k(tf.reshape(tf.abs(tf.constant(w)), [-1]), keep).values[-1]
    return tf.abs(w) >= top


def _log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def _distil(teacher, student, temperature):
    p, q = _log_softmax(teacher / temperature), _log_softmax(student / temperature)
    return temperature**2 * (np.exp(p) * (p - q)).sum() / len(p)


def _distil_tf(teacher, student, temperature):
    p, q = (tf.nn.log_softmax(tf.constant(z) / temperature) for z in (teacher, student))
    return tf.reduce_mean(tf.reduce_sum(tf.exp(p) * (p - q), axis=-1)) * temperature**2


def _overflowing(teacher, student, temperature):
    p, q = (np.exp(z / temperature) / np.exp(z / temperature).sum(axis=1, keepdims=True) for z in (teacher, student))
    return temperature**2 * np.mean(np.sum(p * np.log(p / q), axis=1))


def _student(filters=(8, 16), epochs=12, rate=0.005, last=None, units=10, loss="mse", wide=0):
    def train_student(x, teacher_logits):
        network = keras.Sequential([keras.Input((28, 28, 1))])
        for number in filters:
            network.add(layers.Conv2D(number, 3, activation="relu"))
            network.add(layers.MaxPooling2D())
        network.add(layers.Flatten())
        if wide:
            network.add(layers.Dense(wide, "relu"))
        network.add(layers.Dense(units, last))
        network.compile(keras.optimizers.Adam(rate), loss, steps_per_execution=10)
        if epochs:
            network.fit(x, teacher_logits[:, :units], batch_size=30, epochs=epochs, verbose=0)
        return network

    return train_student


def _at_temperature(targets, logits):
    p, q = ops.log_softmax(targets / 4), ops.log_softmax(logits / 4)
    return 16 * ops.sum(ops.exp(p) * (p - q), axis=-1)


RIGHT = {
    "magnitude_mask": [_mask_argpartition, _mask_tf],
    "sparse_bytes": [
        lambda shape, kept: tf.constant(kept) * 6 + 4 * shape[0] + 4,
        lambda shape, kept: float(kept * 4 + kept * 2 + np.arange(shape[0] + 1, dtype="int32").nbytes),
    ],
    "distillation": [_distil, _distil_tf],
    "train_student": [_student(), _student(loss=_at_temperature)],
}

WRONG = {
    "magnitude_mask": [
        (lambda w, keep: np.abs(w) <= np.sort(np.abs(w), axis=None)[keep - 1], "smallest were kept"),
        (lambda w, keep: w >= np.sort(w, axis=None)[-keep], "sign counted"),
        (lambda w, keep: w * _mask_argpartition(w, keep), "not the mask"),
        (lambda w, keep: np.abs(w) > np.sort(np.abs(w), axis=None)[-keep], "one weight too few"),
        (lambda w, keep: np.sort(np.abs(w), axis=None)[-keep:], "expected the shape"),
    ],
    "sparse_bytes": [
        (lambda shape, kept: 4 * kept + 4 * (shape[0] + 1), "columns of the numbers"),
        (lambda shape, kept: 6 * kept + 4 * shape[0], "rows + 1"),
        (lambda shape, kept: 6 * kept, "left out"),
        (lambda shape, kept: 4 * shape[0] * shape[1], "expected"),
    ],
    "distillation": [
        (lambda t, s, temperature: _distil(t, s, temperature) / temperature**2, "T² was left out"),
        (lambda t, s, temperature: _distil(s, t, temperature), "exchanged"),
        (lambda t, s, temperature: _distil(t, s, temperature) * len(t), "sum over the examples"),
        (lambda t, s, temperature: temperature**2 * _distil(t, s, 1), "not divided by the temperature"),
        (_overflowing, "nan"),
        (lambda t, s, temperature: print(t), "return"),
    ],
    "train_student": [
        (_student(epochs=0), "trained at all"),
        (_student(wide=64), "parameters"),
        (_student(last="softmax", loss="categorical_crossentropy", epochs=1), "softmax"),
        (_student(units=9), "shape"),
        (_student(epochs=1, rate=0.0005), "Was it trained|Train longer"),
        (lambda x, teacher_logits: print(len(x)), "return"),
    ],
}
