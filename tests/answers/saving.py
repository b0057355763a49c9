"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 15a."""

import hashlib
import hmac

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _foreign_loop(config):
    found, waiting = [], list(config["config"]["layers"])
    while waiting:
        layer = waiting.pop(0)
        head = str(layer["module"]).split(".")[0]
        if head != "keras" or layer["class_name"] == "Lambda":
            found.append(layer["config"]["name"])
        waiting = layer["config"].get("layers", []) + waiting
    return found


def _foreign(config, deep=True, ours=lambda module: module.split(".")[0] == "keras", lambdas=True):
    found = []
    for layer in config["config"]["layers"]:
        if (lambdas and layer["class_name"] == "Lambda") or not ours(layer["module"] or ""):
            found.append(layer["config"]["name"])
        if deep and "layers" in layer["config"]:
            found += _foreign(layer, deep, ours, lambdas)
    return found


def _functional_rescaling(model):
    pixels = keras.Input(model.input_shape[1:])
    return keras.Model(pixels, model(pixels / 255.0))


def _rescaled(scale, offset=0.0):
    return lambda model: keras.Sequential(
        [keras.Input(model.input_shape[1:]), layers.Rescaling(scale, offset), model],
    )


def _with_lambda(model):
    return keras.Sequential([keras.Input(model.input_shape[1:]), layers.Lambda(lambda x: x / 255), model])


def _train(activation="softmax", epochs=30, when="after", save=True, give=True, convolution=False):
    def train_and_save(x, y, path):
        model = keras.Sequential([keras.Input((8, 8, 1))])
        if convolution:
            model.add(layers.Conv2D(8, 3, activation="relu"))
        model.add(layers.Flatten())
        model.add(layers.Dense(3, activation))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=activation is None)
        model.compile(keras.optimizers.Adam(0.01), loss)
        if save and when == "before":
            model.save(path)
        model.fit(x, y, 32, epochs, verbose=0)
        if save and when == "after":
            model.save(path)
        return model if give else None

    return train_and_save


def _by_hand(x, y, path):
    image = keras.Input((8, 8, 1))
    model = keras.Model(image, layers.Softmax()(layers.Dense(3)(layers.Flatten()(image))))
    optimizer, loss = keras.optimizers.SGD(0.1, momentum=0.9), keras.losses.SparseCategoricalCrossentropy()
    for _ in range(100):
        with tf.GradientTape() as tape:
            value = loss(y, model(x, training=True))
        optimizer.apply(tape.gradient(value, model.trainable_variables), model.trainable_variables)
    keras.saving.save_model(model, path)
    return model


def _weights_alone(x, y, path):
    model = _train(save=False)(x, y, path)
    np.savez(path[:-6], *model.get_weights())
    return model


RIGHT = {
    "kilobytes": [
        lambda weights: np.sum([array.nbytes for array in weights]) / 2**10,
        lambda weights: len(b"".join(array.tobytes() for array in weights)) / 1024,
    ],
    "agreement": [
        lambda p, q: (
            tf.reduce_mean(tf.cast(tf.argmax(p, 1) == tf.argmax(q, 1), "float32")),
            tf.reduce_max(tf.abs(tf.constant(p) - q)),
        ),
        lambda p, q: [
            sum(np.argmax(a) == np.argmax(b) for a, b in zip(p, q, strict=True)) / len(p),
            ops.max(abs(p - q)),
        ],
    ],
    "with_rescaling": [_functional_rescaling, _rescaled(1 / 255.0)],
    "verified": [
        lambda content, sha256: hmac.compare_digest(hashlib.sha256(content).hexdigest(), sha256.lower()),
        lambda content, sha256: hashlib.new("sha256", content).hexdigest().upper() == sha256.upper(),
    ],
    "foreign_layers": [_foreign_loop, _foreign],
    "train_and_save": [_by_hand, _train(convolution=True)],
}

WRONG = {
    "kilobytes": [
        (lambda weights: 4 * sum(array.size for array in weights) / 1024, "look at the type"),
        (lambda weights: sum(array.nbytes for array in weights), "divide by 1,024"),
        (lambda weights: sum(array.nbytes for array in weights) / 1000, "1,024 bytes"),
        (lambda weights: sum(len(array) for array in weights) / 1024, "expected"),
    ],
    "agreement": [
        (lambda p, q: (np.mean(p.argmax(axis=1) == q.argmax(axis=1)), np.abs(p - q).mean()), "mean difference"),
        (lambda p, q: (np.mean(p.argmax(axis=1) == q.argmax(axis=1)), (p - q).max()), "the sign was kept"),
        (lambda p, q: np.mean(p.argmax(axis=1) == q.argmax(axis=1)), "I expected 2 values"),
        (lambda p, q: (np.mean(p == q), np.abs(p - q).max()), "value 1 of 2 is off"),
    ],
    "with_rescaling": [
        (lambda model: model, "divide them by 255 on the way"),
        (_rescaled(255.0), "multiplied by 255"),
        (_rescaled(1 / 255**2), "twice"),
        (_rescaled(1 / 127.5, -1), "The answers differ"),
        (_with_lambda, "safe mode"),
        (lambda model: print(model.name), "return"),
    ],
    "verified": [
        (lambda content, sha256: hashlib.sha256(content).hexdigest() == sha256, "capital letters"),
        (lambda content, sha256: hashlib.sha256(content).hexdigest().startswith(sha256.lower()), "only the beginning"),
        (lambda content, sha256: hashlib.md5(content).hexdigest() == sha256.lower(), "expected"),
        (lambda content, sha256: hashlib.sha256(content).hexdigest(), "expected numbers"),
    ],
    "foreign_layers": [
        (lambda config: _foreign(config, deep=False), "within the model"),
        (lambda config: _foreign(config, ours=lambda module: module.startswith("keras")), "mind the dot"),
        (lambda config: _foreign(config, lambdas=False), "`Lambda` was trusted"),
        (lambda config: len(_foreign(config)), "I expected 1 values"),
        (
            lambda config: [
                one["config"]["name"] for one in config["config"]["layers"] if "keras" not in one["module"]
            ],
            "raised `TypeError|expected",
        ),
    ],
    "train_and_save": [
        (_train(when="before"), "Was it saved before the training?"),
        (_train(save=False), "There is no file at `path`"),
        (_train(activation=None), "no probabilities"),
        (_train(epochs=1), "Train longer"),
        (_train(give=False), "Return the trained model"),
        (_weights_alone, "There is no file at `path`"),
    ],
}
