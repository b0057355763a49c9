"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 07a."""

import functools

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _forward_keras(x, weights):
    x = ops.cast(x, "float32")
    for number, (W, b) in enumerate(weights, start=1):
        x = ops.matmul(x, ops.cast(W, "float32")) + ops.cast(b, "float32")
        x = x if number == len(weights) else ops.relu(x)
    return x


def _forward_recursive(x, weights):
    (W, b), *rest = weights
    a = tf.constant(x) @ tf.constant(W) + b
    return _forward_recursive(tf.nn.relu(a), rest) if rest else a


def _relu_everywhere(x, weights):
    return functools.reduce(lambda a, layer: np.maximum(0, a @ layer[0] + layer[1]), weights, x)


def _count_keras(sizes):
    network = keras.Sequential([keras.Input((sizes[0],)), *[layers.Dense(units) for units in sizes[1:]]])
    return network.count_params(), sum(layer.kernel.shape[0] * layer.kernel.shape[1] for layer in network.layers)


def _count_loop(sizes):
    parameters = multiplications = 0
    for i in range(len(sizes) - 1):
        parameters += (sizes[i] + 1) * sizes[i + 1]
        multiplications += sizes[i] * sizes[i + 1]
    return np.array(parameters), float(multiplications)


def _parameters(i, o, d, w):
    return (i + 1) * w + (d - 1) * (w + 1) * w + (w + 1) * o


def _width_root(i, o, d, b):
    roots = np.roots([d - 1, i + d + o, o - b]) if d > 1 else np.array([(b - o) / (i + 1 + o)])
    return int(np.floor(roots.real.max() + 1e-9))


def _hat_float32(left, middle, right):
    scale = np.array([1 / (middle - left), 1 / (right - middle) + 1 / (middle - left), 1 / (right - middle)], "float32")
    W1, b1 = scale[None], (-scale * [left, middle, right]).astype("float32")
    return [(W1, b1), (np.array([[1], [-1], [1]], "float32"), np.zeros(1, "float32"))]


def _hat_tensors(left, middle, right):
    """From the other side: units that are on to the left of their kink."""
    rise, fall = 1 / (middle - left), -1 / (right - middle)
    first = (-ops.ones((1, 3)), ops.convert_to_tensor([left, middle, right]))
    return first, (ops.convert_to_tensor([[rise], [fall - rise], [-fall]]), ops.zeros(1))


def _hat_with(factors):
    def hat(left, middle, right):
        rise, fall = 1 / (middle - left), -1 / (right - middle)
        W2 = np.array(factors(rise, fall), "float64")[:, None]
        return [(np.ones((1, 3)), -np.array([left, middle, right])), (W2, np.zeros(1))]

    return hat


def _classifier(scaled=True, units=(64, 64), last=None, epochs=15, compiled=True, outputs=10):
    def train_classifier(x, y, largest):
        scaling = [layers.Rescaling(1 / largest)] if scaled else []
        hidden = [layers.Dense(unit, "relu") for unit in units]
        model = keras.Sequential([keras.Input((64,)), *scaling, *hidden, layers.Dense(outputs, last)])
        if compiled:
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=last != "softmax")
            model.compile(keras.optimizers.Adam(0.005), loss, steps_per_execution=10)
            if epochs:
                model.fit(x, y, batch_size=30, epochs=epochs, verbose=0)
        return model

    return train_classifier


def _functional(x, y, largest):
    inputs = keras.Input((64,))
    hidden = layers.Dense(64, "relu")(inputs / largest)
    model = keras.Model(inputs, layers.Dense(10)(layers.Dense(64, "relu")(hidden)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss, metrics=["accuracy"], steps_per_execution=10)
    model.fit(x, y, batch_size=30, epochs=15, verbose=0)
    return model


def _normalised(x, y, largest):
    scaling = layers.Normalization(axis=None)  # one mean for all pixels: some pixels never change
    scaling.adapt(x)
    model = keras.Sequential(
        [keras.Input((64,)), scaling, layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(10)]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), steps_per_execution=10)
    model.fit(x, y, batch_size=30, epochs=15, verbose=0)
    return model


RIGHT = {
    "forward": [_forward_keras, _forward_recursive],
    "count": [_count_keras, _count_loop],
    "width_for_budget": [
        _width_root,
        lambda i, o, d, b: max(w for w in range(1, 300) if _parameters(i, o, d, w) <= b),
    ],
    "starting_scale": [
        lambda inputs, units: (ops.sqrt(2 / inputs), ops.sqrt(6 / (inputs + units))),
        lambda inputs, units: [np.float32(2 / inputs) ** 0.5, tf.sqrt(6 / (inputs + units))],
    ],
    "hat": [_hat_float32, _hat_tensors],
    "train_classifier": [_functional, _normalised],
}

WRONG = {
    "forward": [
        (_relu_everywhere, "the last layer has a ReLU too"),
        (lambda x, weights: functools.reduce(lambda a, layer: a @ layer[0] + layer[1], weights, x), "straight line"),
        (lambda x, weights: x @ weights[0][0] + weights[0][1], "expected the shape"),
        (lambda x, weights: print(x.shape), "Is a `return` missing?"),
    ],
    "count": [
        (lambda sizes: (sum(p * u for p, u in zip(sizes, sizes[1:], strict=False)),) * 2, "biases were left out"),
        (lambda sizes: _count_loop(sizes)[::-1], "in the other order"),
        (lambda sizes: (_count_loop(sizes)[0],) * 2, "they are added"),
        (lambda sizes: _count_loop(sizes)[0], "expected 2 values"),
    ],
    "width_for_budget": [
        (lambda i, o, d, b: _width_root(i, o, d, b) + 1, "exceed the budget"),
        (lambda i, o, d, b: max(w for w in range(300) if _parameters(i, o, d, w) < b), "to the last parameter"),
        (lambda i, o, d, b: max(w for w in range(300) if _parameters(i, o, d + 1, w) <= b), "there are depth − 1"),
        (lambda i, o, d, b: (b - o) // (i + 1 + o), "the depth was left out"),
    ],
    "starting_scale": [
        (lambda inputs, units: (2 / inputs, 6 / (inputs + units)), "take the roots"),
        (lambda inputs, units: (np.sqrt(2 / inputs), np.sqrt(2 / (inputs + units))), "its standard deviation"),
        (lambda inputs, units: (np.sqrt(2 / units), np.sqrt(6 / (inputs + units))), "it looks at the inputs"),
        (lambda inputs, units: np.sqrt(2 / inputs), "expected 2 values"),
    ],
    "hat": [
        (_hat_with(lambda rise, fall: (rise, fall, 0)), "*change* of the slope"),
        (_hat_with(lambda rise, fall: (rise, fall - rise, 0)), "goes on falling"),
        (_hat_with(lambda rise, fall: (rise, -rise, 0)), "never comes down"),
        (_hat_with(lambda rise, fall: (1, -2, 1)), "slope 1"),
        (lambda left, middle, right: [(np.ones(3), np.zeros(3)), (np.ones(3), 0.0)], "W1 of shape"),
        (lambda left, middle, right: print(left), "two pairs"),
    ],
    "train_classifier": [
        (_classifier(scaled=False), "divided by `largest`"),
        (_classifier(last="softmax"), "ten logits were asked for"),
        (_classifier(epochs=0), "Is the model trained"),
        (_classifier(units=(64,)), "parameters"),
        (_classifier(outputs=11), "outputs of shape"),
        (_classifier(compiled=False), "Is the model trained"),
        (lambda x, y, largest: print("trained"), "return"),
    ],
}
