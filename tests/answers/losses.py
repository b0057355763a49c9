"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 02."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, losses, ops
from scipy import special


def _classifier(units=None, last=None, loss=None, rate=1e-3, compiled=True):
    """A learner's build_classifier with one thing changed, for the tasks that `units` or `loss` name."""
    right = {
        "boot": losses.BinaryCrossentropy,
        "garment": losses.SparseCategoricalCrossentropy,
        "tags": losses.BinaryCrossentropy,
    }

    def build_classifier(task):
        outputs = ({"boot": 1, "garment": 10, "tags": 20} | (units or {}))[task]
        network = keras.Sequential([keras.Input((784,)), layers.Dense(32, "relu"), layers.Dense(outputs, last)])
        if compiled:
            network.compile(keras.optimizers.Adam(rate), (loss or {}).get(task) or right[task](from_logits=True))
        return network

    return build_classifier


def _functional(task):
    inputs = keras.Input((784,))
    hidden = layers.Dropout(0.2)(layers.Dense(128, "gelu")(inputs))
    if task == "garment":
        network = keras.Model(inputs, layers.Dense(10)(hidden))
        network.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        return network
    network = keras.Model(inputs, layers.Dense(1 if task == "boot" else 20)(hidden))
    network.compile("rmsprop", losses.BinaryCrossentropy(from_logits=True), metrics=["binary_accuracy"])
    return network


def _by_function(task):
    network = keras.Sequential([layers.Dense(48, "tanh"), layers.Dense({"boot": 1, "garment": 10}.get(task, 20))])
    network.build((None, 784))
    several = task == "garment"
    sparse, binary = keras.losses.sparse_categorical_crossentropy, keras.losses.binary_crossentropy
    network.compile("adam", lambda y, z: (sparse if several else binary)(y, z, from_logits=True))
    return network


def _huber_tape(errors, delta):
    errors = tf.constant(errors)
    with tf.GradientTape() as tape:
        tape.watch(errors)
        size = tf.abs(errors)
        value = tf.where(size <= delta, errors**2 / 2, delta * size - delta**2 / 2)
    return tape.gradient(value, errors)


def _gradient_tape(labels, logits):
    z = tf.constant(logits, "float32")
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = losses.SparseCategoricalCrossentropy(from_logits=True)(labels, z)
    return tape.gradient(value, z).numpy()


def _keras_lowest(classes, amount):
    target = np.eye(classes)[:1] * (1 - amount) + amount / classes
    return losses.CategoricalCrossentropy()(target, target)


def _counted(labels):
    values = [int(label) for label in labels]
    return {label: np.float32(len(values) / len(set(values)) / values.count(label)) for label in set(values)}


def _loop_cross_entropy(labels, logits):
    return float(np.mean([special.logsumexp(row) - row[label] for label, row in zip(labels, logits, strict=True)]))


def _softmax(z):
    return special.softmax(z, axis=-1)


def _own(p, labels):
    return p[np.arange(len(labels)), labels]


RIGHT = {
    "huber_slope": [_huber_tape, lambda e, d: ops.clip(ops.cast(e, "float32"), -d, d)],
    "best_constant": [
        lambda targets, loss: (
            float(sum(targets) / len(targets)) if loss == "mse" else sorted(targets)[len(targets) // 2]
        ),
        lambda targets, loss: ops.mean(targets) if loss == "mse" else ops.median(targets),
    ],
    "cross_entropy": [
        lambda labels, z: losses.SparseCategoricalCrossentropy(from_logits=True)(labels, z),
        _loop_cross_entropy,
        lambda labels, z: -np.mean(_own(tf.nn.log_softmax(tf.cast(z, "float32")).numpy(), labels)),
    ],
    "logit_gradient": [
        _gradient_tape,
        lambda labels, z: (ops.softmax(z, axis=-1) - ops.one_hot(labels, z.shape[-1], dtype="float64")) / len(labels),
    ],
    "lowest_loss": [
        _keras_lowest,
        lambda k, a: -(1 - a + a / k) * np.log(1 - a + a / k) - (k - 1) * a / k * np.log(a / k),
    ],
    "class_weights": [
        _counted,
        lambda labels: {k: len(labels) / (len(set(labels)) * np.sum(labels == k)) for k in np.unique(labels)},
    ],
    "build_classifier": [_functional, _by_function],
}

WRONG = {
    "huber_slope": [
        (lambda e, d: 2 * e, "slope of MSE was returned"),
        (lambda e, d: np.where(np.abs(e) <= d, e**2 / 2, d * np.abs(e) - d**2 / 2), "loss itself was returned"),
        (lambda e, d: np.where(np.abs(e) <= d, e, np.sign(e)), "outside was taken as ±1"),
        (lambda e, d: np.minimum(np.abs(e), d), "sign was lost"),
        (lambda e, d: np.minimum(e, d), "only large positive errors"),
        (lambda e, d: np.where(np.abs(e) <= d, 2 * e, d * np.sign(e)), "inside was doubled"),
        (lambda e, d: d, "expected the shape"),
    ],
    "best_constant": [
        (lambda targets, loss: np.mean(targets), "mean was returned for both"),
        (lambda targets, loss: np.median(targets), "median was returned for both"),
        (lambda targets, loss: np.median(targets) if loss == "mse" else np.mean(targets), "two were swapped"),
        (lambda targets, loss: print(targets.mean()), "Is a `return` missing?"),
        (lambda targets, loss: np.mean((targets - targets.mean()) ** 2), "I expected **19.9**"),
    ],
    "cross_entropy": [
        (lambda y, z: -np.mean(np.log(_own(np.exp(z) / np.exp(z).sum(-1, keepdims=True), y))), "e^1000 overflows"),
        (lambda y, z: -np.mean(np.log(_own(_softmax(z), y))), "its logarithm as −inf"),
        (lambda y, z: -np.sum(_own(special.log_softmax(z, axis=-1), y)), "sum over the examples"),
        (lambda y, z: np.mean(_own(special.log_softmax(z, axis=-1), y)), "minus is missing"),
        (lambda y, z: -_own(special.log_softmax(z, axis=-1), y), "one value per example"),
        (lambda y, z: -np.mean(_own(_softmax(z), y)), "the logarithm is missing"),
        (lambda y, z: -special.log_softmax(z, axis=-1).sum(axis=-1).mean(), "all classes were summed"),
        (lambda y, z: losses.SparseCategoricalCrossentropy()(y, z), "I expected **"),
    ],
    "logit_gradient": [
        (lambda y, z: _softmax(z) - np.eye(z.shape[-1])[y], "mean over the examples was forgotten"),
        (lambda y, z: (_softmax(z) - np.eye(z.shape[-1])[y]) / z.size, "number of entries"),
        (lambda y, z: (np.eye(z.shape[-1])[y] - _softmax(z)) / len(y), "sign is wrong"),
        (lambda y, z: _softmax(z) / len(y), "y was not subtracted"),
        (
            lambda y, z: (np.exp(z) / np.exp(z).sum(-1, keepdims=True) - np.eye(z.shape[-1])[y]) / len(y),
            "e^1000 overflows",
        ),
        (lambda y, z: (_own(_softmax(z), y) - 1) / len(y), "expected the shape"),
    ],
    "lowest_loss": [
        (lambda k, a: 0, "Zero is the lowest loss of a hard target"),
        (lambda k, a: -(1 - a + a / k) * np.log(1 - a + a / k), "only the class of the label"),
        (lambda k, a: -(1 - a) * np.log(1 - a) - a * np.log(a / (k - 1)), "among the other classes only"),
        (lambda k, a: special.entr([1 - a + a / k, a / k]).sum(), "counted as one"),
        (lambda k, a: special.entr([1 - a + a / k] + [a / k] * (k - 1)).sum() / np.log(2), "base 2"),
        (lambda k, a: np.log(k), "I expected **"),
    ],
    "class_weights": [
        (lambda y: {int(k): len(y) / np.sum(y == k) for k in set(y)}, "number of classes was left out"),
        (lambda y: {int(k): np.mean(y == k) for k in set(y)}, "frequent classes got the large weights"),
        (lambda y: {int(k): 1 / np.sum(y == k) for k in set(y)}, "weight is 1/count"),
        (lambda y: {int(k): np.bincount(y).max() / np.sum(y == k) for k in set(y)}, "most frequent class was given"),
        (lambda y: [1.0, 2.0], "I expected a dict"),
        (lambda y: {0: 1.0, 1: 20.0}, "entry 0 is off"),
    ],
    "build_classifier": [
        (_classifier(last="sigmoid"), "has a sigmoid, and logits"),
        (_classifier(last="relu"), "has an activation"),
        (
            _classifier(units={"boot": 2}, loss={"boot": losses.SparseCategoricalCrossentropy(from_logits=True)}),
            "shape **(32, 1)**",
        ),
        (_classifier(units={"tags": 10}), 'task "tags"'),
        (_classifier(loss={"boot": losses.BinaryCrossentropy()}), "`from_logits=True` is missing"),
        (_classifier(loss={"garment": losses.SparseCategoricalCrossentropy()}), "`from_logits=True` is missing"),
        (
            _classifier(loss={"garment": losses.CategoricalCrossentropy(from_logits=True)}),
            'task "garment": Your function raised',
        ),
        (_classifier(loss={"tags": losses.CategoricalCrossentropy(from_logits=True)}), "20 tags share one 100 %"),
        (_classifier(loss={"boot": losses.MeanSquaredError()}), "mean squared error"),
        (_classifier(loss={"tags": losses.MeanAbsoluteError()}), "Which loss fits this task"),
        (_classifier(compiled=False), "not compiled"),
        (_classifier(rate=0.0), "does not learn"),
        (lambda task: print(task), "return"),
    ],
}
