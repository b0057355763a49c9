"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 04b."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _by_keras_adagrad(start, gradients, rate):
    p = keras.Variable(np.asarray(start, "float32"))
    optimizer = keras.optimizers.Adagrad(rate, initial_accumulator_value=0.0, epsilon=1e-14)
    path = []
    for g in gradients:
        optimizer.apply([ops.convert_to_tensor(g, "float32")], [p])
        path.append(p.numpy())
    return path


def _adagrad(start, gradients, rate, keep=1.0, root=True, epsilon=1e-7, last=False):
    v, p, path = np.zeros_like(start), start, []
    for g in gradients:
        v = keep * v + g * g
        p = p - rate * g / ((np.sqrt(v) if root else v) + epsilon)
        path.append(p)
    return p if last else np.stack(path)


def _corrected(values, beta, store_back=False, first=1, correct=True):
    average, results = 0.0, []
    for t, value in enumerate(values, first):
        average = beta * average + (1 - beta) * value
        corrected = average / (1 - beta**t) if correct else average
        if store_back:
            average = corrected
        results.append(corrected)
    return results


def _by_weights(values, beta):
    return [
        sum((1 - beta) * beta**k * float(values[t - k]) for k in range(t + 1)) / (1 - beta ** (t + 1))
        for t in range(len(values))
    ]


def _adam_once(gradient, rate):
    p = keras.Variable(np.zeros(gradient.shape, "float32"))
    keras.optimizers.Adam(rate, epsilon=1e-14).apply([ops.convert_to_tensor(gradient, "float32")], [p])
    return p.numpy()


def _training(
    units=32, outputs=10, activation="relu", last=None, epochs=5, batch=32, own=False, logits=True, give="network"
):
    def train_network(x, y, optimizer):
        network = keras.Sequential([keras.Input((784,)), layers.Dense(units, activation), layers.Dense(outputs, last)])
        network.compile("sgd" if own else optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=logits))
        history = network.fit(x, y, batch_size=batch, epochs=epochs, verbose=0) if epochs else None
        return {"network": network, "history": history, "nothing": None}[give]

    return train_network


def _own_loop(x, y, optimizer):
    inputs = keras.Input((784,))
    network = keras.Model(inputs, layers.Dense(10)(layers.ReLU()(layers.Dense(32)(inputs))))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    variables = network.trainable_variables
    for _ in range(5):
        for begin in range(0, len(x), 32):
            with tf.GradientTape() as tape:
                value = loss(y[begin : begin + 32], network(x[begin : begin + 32]))
            optimizer.apply(tape.gradient(value, [variable.value for variable in variables]), variables)
    return network


RIGHT = {
    "long_run_gain": [lambda beta: sum(beta**k for k in range(5_000)), lambda beta: tf.constant(1.0) / (1.0 - beta)],
    "steps_remembered": [
        lambda beta, share: int(np.ceil(np.log(1 - share) / np.log(beta) - 1e-9)),
        lambda beta, share: next(n for n in range(1, 10**6) if 1 - beta**n >= share),
    ],
    "adagrad_path": [_by_keras_adagrad, _adagrad],
    "bias_corrected": [_by_weights, lambda values, beta: ops.convert_to_tensor(_corrected(values, beta), "float32")],
    "first_step": [_adam_once, lambda gradient, rate: -rate * ops.sign(gradient)],
    "train_network": [_own_loop, _training(activation=layers.ReLU())],
}

WRONG = {
    "long_run_gain": [
        (lambda beta: beta / (1 - beta), "step itself was left out"),
        (lambda beta: 1 + beta, "only two steps were added"),
        (lambda beta: 1 - beta, "upside down"),
        (lambda beta: 10.0, "expected **1.** and got **10.**"),
    ],
    "steps_remembered": [
        (lambda beta, share: int(np.log(1 - share) / np.log(beta) + 1e-9), "rounded down"),
        (lambda beta, share: int(np.ceil(np.log(share) / np.log(beta) - 1e-9)), "what is left over"),
        (lambda beta, share: round(1 / (1 - beta)), "rule of thumb"),
        (lambda beta, share: np.log(1 - share) / np.log(beta), "rounded up to whole steps"),
        (lambda beta, share: int(np.ceil(np.log(1 - share) / np.log(beta) - 1e-9)) + 1, "one step too many"),
    ],
    "adagrad_path": [
        (lambda start, gradients, rate: _adagrad(start, gradients, rate, keep=0.0), "only the latest square"),
        (lambda start, gradients, rate: _adagrad(start, gradients, rate, root=False), "root was left out"),
        (lambda start, gradients, rate: _adagrad(start, gradients, rate, epsilon=0.0), "small number is missing"),
        (lambda start, gradients, rate: _adagrad(start, gradients, rate, last=True), "Only the last point"),
        (
            lambda start, gradients, rate: np.vstack([start, _adagrad(start, gradients, rate)]),
            "starting point was returned too",
        ),
        (lambda start, gradients, rate: _adagrad(start, -gradients, rate), "uphill"),
    ],
    "bias_corrected": [
        (lambda values, beta: _corrected(values, beta, store_back=True), "written back into the running average"),
        (lambda values, beta: _corrected(values, beta, correct=False), "correction is missing"),
        (lambda values, beta: np.array(_corrected(values, beta)) * (1 - beta), "expected"),
        (lambda values, beta: _corrected(values, beta, first=0), "division"),
        (lambda values, beta: _corrected(values, beta)[-1], "expected the shape"),
    ],
    "first_step": [
        (lambda gradient, rate: -rate * gradient, "SGD's step"),
        (lambda gradient, rate: rate * np.sign(gradient), "uphill"),
        (lambda gradient, rate: -rate * np.sign(gradient) * 0.1 / np.sqrt(0.001), "correction is missing"),
        (lambda gradient, rate: -rate, "expected"),
    ],
    "train_network": [
        (_training(give="history"), "return the network"),
        (_training(give="nothing"), "return"),
        (_training(own=True), "took no step"),
        (_training(epochs=0), "took no step"),
        (_training(epochs=1), "epochs"),
        (_training(batch=200), "batch_size"),
        (_training(units=64), "parameters"),
        (_training(last="softmax", logits=False), "ten logits were asked for"),
        (_training(activation=None), "one straight line"),
        (_training(outputs=11), "outputs of shape"),
    ],
}
