"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 06a."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _loss():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _network(
    units=64, last=None, compiled=True, rate=1e-3, l1=0, l2=1, head=1, bias=0, fixed=None, swap=False, drop="hidden"
):
    def build_regularised_network(p, strength):
        strength = fixed or strength

        def penalty(factor=1):
            return keras.regularizers.L1L2(l1=l1 * strength, l2=factor * l2 * strength)

        share = 1 - p if swap else p
        network = keras.Sequential([keras.Input((784,))])
        if drop == "input":
            network.add(layers.Dropout(share))
        paid = keras.regularizers.L2(bias * strength)
        network.add(layers.Dense(units, "relu", kernel_regularizer=penalty(), bias_regularizer=paid))
        if drop in ("hidden", "fixed"):
            network.add(layers.Dropout(share if drop == "hidden" else 0.5))
        network.add(layers.Dense(10, last, kernel_regularizer=penalty(head) if head else None, bias_regularizer=paid))
        if drop == "always":
            network = _always(network, p)
        if compiled:
            network.compile(keras.optimizers.Adam(rate), _loss())
        return network

    return build_regularised_network


def _always(network, p):
    inputs = keras.Input((784,))
    hidden = layers.Dropout(p)(network.layers[0](inputs), training=True)
    return keras.Model(inputs, network.layers[1](hidden))


def _functional(p, strength):
    inputs = keras.Input((784,))
    hidden = layers.Dense(64, kernel_regularizer=keras.regularizers.l2(strength))(inputs)
    hidden = layers.Dropout(p)(layers.ReLU()(hidden))
    network = keras.Model(inputs, layers.Dense(10, kernel_regularizer=keras.regularizers.l2(strength))(hidden))
    network.compile("adam", _loss(), metrics=["accuracy"])
    return network


class _Price(keras.Regularizer):
    def __init__(self, strength):
        self.strength = strength

    def __call__(self, weight):
        return self.strength * ops.sum(ops.square(weight))


def _own_regularizer(p, strength):
    price = _Price(strength)
    network = keras.Sequential(
        [
            layers.Dense(64, kernel_regularizer=price),
            layers.Dropout(p),
            layers.Activation("relu"),
            layers.Dense(10, kernel_regularizer=price),
        ]
    )
    network.build((None, 784))
    network.compile(keras.optimizers.Adam(3e-3), _loss())
    return network


def _count_down(losses, patience):
    lowest, best, left = float("inf"), 0, patience
    for epoch in range(len(losses)):
        if losses[epoch] < lowest:
            lowest, best, left = losses[epoch], epoch, patience
        else:
            left -= 1
        if left == 0:
            return best
    return best


def _with_slices(losses, patience):
    for epoch in range(len(losses)):
        best = int(np.argmin(losses[: epoch + 1]))
        if epoch - best >= patience:
            return best
    return int(np.argmin(losses))


def _too_late(losses, patience):
    best = 0
    for epoch, value in enumerate(losses):
        if value < losses[best]:
            best = epoch
        if epoch - best > patience:
            break
    return best


def _compared_with_last(losses, patience):
    best = waited = 0
    for epoch in range(1, len(losses)):
        waited = 0 if losses[epoch] < losses[epoch - 1] else waited + 1
        best = epoch if losses[epoch] < losses[best] else best
        if waited == patience:
            break
    return best


def _ops_norm(x, gamma, beta, epsilon):
    mean, variance = ops.moments(x, axes=[0])
    return gamma * (x - mean) / ops.sqrt(variance + epsilon) + beta


def _layer_norm(x, gamma, beta, epsilon):
    layer = layers.BatchNormalization(epsilon=epsilon, dtype="float64")
    layer.build(x.shape)
    layer.set_weights([gamma, beta, np.zeros(x.shape[1]), np.ones(x.shape[1])])
    return layer(x, training=True)


def _test_mode(x, gamma, beta, epsilon):
    return gamma * x / np.sqrt(1 + epsilon) + beta


RIGHT = {
    "gap": [
        lambda logits, labels, is_train: (
            100
            * float(
                np.sum((np.argmax(logits, 1) == labels) & is_train) / is_train.sum()
                - np.sum((np.argmax(logits, 1) == labels) & ~is_train) / np.sum(~is_train)
            )
        ),
        lambda logits, labels, is_train: (
            100
            * (
                ops.mean(ops.cast(ops.equal(ops.argmax(logits[is_train], -1), labels[is_train]), "float32"))
                - ops.mean(ops.cast(ops.equal(ops.argmax(logits[~is_train], -1), labels[~is_train]), "float32"))
            )
        ),
    ],
    "best_epoch": [_count_down, _with_slices],
    "l1_step": [
        lambda w, g, rate, strength: w - rate * g - rate * strength * ((w > 0) * 1.0 - (w < 0) * 1.0),
        lambda w, g, rate, strength: (
            tf.constant(w, "float32")
            - rate * (tf.constant(g, "float32") + strength * tf.sign(tf.constant(w, "float32")))
        ),
    ],
    "dropout": [
        lambda x, kept, p: x * kept.astype("float32") / (1 - p),
        lambda x, kept, p: ops.where(kept, ops.cast(x, "float32") / (1 - p), 0.0),
    ],
    "batch_norm": [_ops_norm, _layer_norm],
    "build_regularised_network": [_functional, _own_regularizer],
}

WRONG = {
    "gap": [
        (
            lambda logits, labels, is_train: (
                np.mean((logits.argmax(-1) == labels)[is_train]) - np.mean((logits.argmax(-1) == labels)[~is_train])
            ),
            "percentage points are 100 times that",
        ),
        (
            lambda logits, labels, is_train: (
                100
                * (np.mean((logits.argmax(-1) == labels)[~is_train]) - np.mean((logits.argmax(-1) == labels)[is_train]))
            ),
            "the sign is turned round",
        ),
        (
            lambda logits, labels, is_train: (
                100
                * abs(
                    np.mean((logits.argmax(-1) == labels)[~is_train]) - np.mean((logits.argmax(-1) == labels)[is_train])
                )
            ),
            "the sign was dropped",
        ),
        (
            lambda logits, labels, is_train: (
                100
                * (
                    np.mean((logits.argmax(-1) == labels) & is_train)
                    - np.mean((logits.argmax(-1) == labels) & ~is_train)
                )
            ),
            "divided by all rows",
        ),
        (
            lambda logits, labels, is_train: 100 * np.mean((logits.argmax(-1) == labels)[is_train]),
            "the train score was returned",
        ),
        (lambda logits, labels, is_train: logits.argmax(0) == labels, "raised|expected"),
    ],
    "best_epoch": [
        (lambda losses, patience: losses.index(min(losses)), "all losses were looked at"),
        (lambda losses, patience: _count_down(losses, patience) + 1, "the first epoch was called 1"),
        (
            lambda losses, patience: min(_count_down(losses, patience) + patience, len(losses) - 1),
            "the epoch of the stop was returned",
        ),
        (_too_late, "one epoch too late"),
        (_compared_with_last, "compare with the lowest so far"),
        (lambda losses, patience: min(losses), "expected **2**"),
        (lambda losses, patience: losses.sort(), "nothing"),
    ],
    "l1_step": [
        (lambda w, g, rate, strength: w - rate * (g + 2 * strength * w), "L2 was used"),
        (lambda w, g, rate, strength: w - rate * (g - strength * np.sign(w)), "pushes weights away"),
        (lambda w, g, rate, strength: w - rate * (g + strength * np.abs(w)), "value of the penalty was added"),
        (lambda w, g, rate, strength: w - rate * g - strength * np.sign(w), "does not multiply the penalty"),
        (lambda w, g, rate, strength: w - rate * (g + strength * np.abs(w).sum()), "expected"),
        (lambda w, g, rate, strength: w - rate * strength * np.sign(w), "left out"),
    ],
    "dropout": [
        (lambda x, kept, p: x * kept, "nothing was scaled"),
        (lambda x, kept, p: x * kept / p, "the division is by p"),
        (lambda x, kept, p: x * kept * (1 - p), "they must grow"),
        (lambda x, kept, p: x * ~kept / (1 - p), "turned round"),
        (lambda x, kept, p: x[kept] / (1 - p), "expected the shape"),
    ],
    "batch_norm": [
        (
            lambda x, gamma, beta, epsilon: gamma * (x - x.mean(0)) / (x.std(0) + epsilon) + beta,
            "epsilon stands outside the root",
        ),
        (lambda x, gamma, beta, epsilon: (x - x.mean(0)) / np.sqrt(x.var(0) + epsilon), "gamma and beta were left out"),
        (
            lambda x, gamma, beta, epsilon: gamma * (x - x.mean()) / np.sqrt(x.var() + epsilon) + beta,
            "each unit has its own",
        ),
        (
            lambda x, gamma, beta, epsilon: gamma * (x - x.mean(0)) / (x.var(0) + epsilon) + beta,
            "the root is missing",
        ),
        (_test_mode, "expected"),
        (lambda x, gamma, beta, epsilon: gamma * (x - x.mean(1)) / np.sqrt(x.var(1) + epsilon), "raised|expected"),
    ],
    "build_regularised_network": [
        (_network(last="softmax"), "ten logits were asked for"),
        (_network(units=32), "parameters"),
        (_network(compiled=False), "not compiled"),
        (_network(rate=0.0), "does not learn"),
        (_network(l2=0), "No layer carries"),
        (_network(head=0), "only one of the two Dense layers pays"),
        (_network(bias=1), "the biases pay too"),
        (_network(l1=1, l2=0), "this is L1"),
        (_network(fixed=0.01), "the strength is fixed"),
        (_network(drop="none"), "no dropout is at work"),
        (_network(drop="always"), "gave two results"),
        (_network(drop="input"), "right behind the hidden layer"),
        (_network(drop="fixed"), "is `p` used"),
        (_network(swap=True), "1 − p used in place of p"),
        (lambda p, strength: print("built"), "return"),
    ],
}
