"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 05b."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from sklearn.model_selection import StratifiedKFold


def _by_sklearn(labels, folds):
    numbers = np.zeros(len(labels), "float32")
    for number, (_, judges) in enumerate(StratifiedKFold(folds).split(labels, labels)):
        numbers[judges] = number
    return numbers


def _by_order(labels, folds):
    numbers = np.empty(len(labels), int)
    numbers[np.argsort(labels, kind="stable")] = np.arange(len(labels)) % folds
    return tf.constant(numbers)


def _patient(losses, patience):
    best, best_epoch, waited = float("inf"), 0, 0
    for epoch, loss in enumerate(losses, start=1):
        best, best_epoch, waited = (loss, epoch, 0) if loss < best else (best, best_epoch, waited + 1)
        if waited == patience:
            break
    return [epoch, best_epoch]


def _by_numpy(losses, patience):
    losses = np.array(losses)
    best_so_far = np.array([losses[: epoch + 1].argmin() for epoch in range(len(losses))])
    late = np.flatnonzero(np.arange(len(losses)) - best_so_far >= patience)
    stop = late[0] if len(late) else len(losses) - 1
    return np.int64(stop + 1), ops.convert_to_tensor(best_so_far[stop] + 1)


def _stopper(condition, base=keras.callbacks.Callback, make=True):
    def gap_stopper(points):
        class Stopper(base):
            def on_epoch_end(self, epoch, logs=None):
                if condition(logs["accuracy"], logs["val_accuracy"], points):
                    self.model.stop_training = True

        return Stopper() if make else Stopper

    return gap_stopper


def _lambda_stopper(points):
    class Limit(keras.callbacks.Callback):
        def __init__(self, share):
            super().__init__()
            self.share = share

        def on_epoch_end(self, epoch, logs):
            self.model.stop_training = bool(ops.subtract(logs["accuracy"], logs["val_accuracy"]) > self.share)

    return Limit(points / 100)


def _fit(stopper=None, units=64, last=None, result="both", key="val_loss", batch=32):
    def fit_best(x, y, x_validation, y_validation):
        network = keras.Sequential([keras.Input((x.shape[1],)), layers.Dense(units, "relu"), layers.Dense(10, last)])
        network.compile(
            keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=last is None)
        )
        options = stopper if stopper is not None else {"patience": 5, "restore_best_weights": True}
        callbacks = [keras.callbacks.EarlyStopping(**options)] if options else []
        validation = (x_validation, y_validation)
        epochs = 40 if options else 12
        run = network.fit(x, y, batch, epochs, validation_data=validation, verbose=0, callbacks=callbacks)
        return (network, run.history[key]) if result == "both" else network

    return fit_best


def _functional(x, y, x_validation, y_validation):
    inputs = keras.Input((x.shape[1],))
    hidden = layers.ReLU()(layers.Dense(64)(inputs))
    network = keras.Model(inputs, layers.Dense(10)(hidden))
    network.compile(
        keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    training = tf.data.Dataset.from_tensors((x, y))
    watched = tf.data.Dataset.from_tensors((x_validation, y_validation))
    stopper = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    run = network.fit(training, epochs=40, shuffle=False, validation_data=watched, verbose=0, callbacks=[stopper])
    return [network, np.array(run.history["val_loss"], "float32")]


RIGHT = {
    "stratified_folds": [_by_sklearn, _by_order],
    "standard_error": [
        lambda scores: np.sqrt(np.sum((scores - scores.mean()) ** 2) / (len(scores) - 1) / len(scores)),
        lambda scores: ops.std(scores) / np.sqrt(len(scores) - 1),
    ],
    "scores_needed": [
        lambda g, d: int(np.floor(4 * np.var(g, ddof=1) / d**2)) + 1,
        lambda g, d: tf.math.ceil((2 * tf.constant(np.std(g, ddof=1)) / d) ** 2),
    ],
    "stop_epoch": [_patient, _by_numpy],
    "gap_stopper": [_stopper(lambda a, v, points: a - v > points / 100), _lambda_stopper],
    "fit_best": [_functional, _fit(batch=40)],
}

WRONG = {
    "stratified_folds": [
        (lambda labels, folds: np.arange(len(labels)) % folds, "Deal the rows of each class on their own"),
        (lambda labels, folds: np.sort(np.arange(len(labels)) % folds), "differ by more than one"),
        (lambda labels, folds: _by_sklearn(labels, folds) + 1, "must be the numbers 0 to 4"),
        (lambda labels, folds: np.array_split(np.arange(len(labels)), folds)[0], "a fold for each row"),
        (lambda labels, folds: labels * 0, "must be the numbers"),
    ],
    "standard_error": [
        (lambda scores: np.std(scores) / len(scores) ** 0.5, "a sample divides by k − 1"),
        (lambda scores: np.std(scores, ddof=1), "spread of single scores"),
        (lambda scores: np.std(scores, ddof=1) / len(scores), "take its square root"),
        (lambda scores: print(scores.mean()), "Is a `return` missing?"),
    ],
    "scores_needed": [
        (lambda g, d: np.ceil(2 * np.std(g, ddof=1) / d), "the square was forgotten"),
        (lambda g, d: np.ceil((np.std(g, ddof=1) / d) ** 2), "one standard error was taken"),
        (lambda g, d: int((2 * np.std(g, ddof=1) / d) ** 2), "round up"),
        (lambda g, d: (2 * np.std(g, ddof=1) / d) ** 2, "not rounded"),
        (lambda g, d: len(g), "I expected"),
    ],
    "stop_epoch": [
        (lambda losses, patience: tuple(np.array(_patient(losses, patience)) - 1), "counted from 0"),
        (lambda losses, patience: _patient(losses, patience + 1), "one epoch too late"),
        (lambda losses, patience: [_patient(losses, patience)[0]] * 2, "last epoch was restored"),
        (lambda losses, patience: _patient(losses, patience)[0], "I expected 2 values"),
    ],
    "gap_stopper": [
        (_stopper(lambda a, v, points: a - v > points), "a gap of 30 points is larger than 10"),
        (_stopper(lambda a, v, points: abs(a - v) > points / 100), "mind the sign"),
        (_stopper(lambda a, v, points: v - a > points / 100), "a gap of 30 points is larger than 10"),
        (_stopper(lambda a, v, points: a - v > 0.1), "is `points` used?"),
        (_stopper(lambda a, v, points: True), "although training and validation accuracy are equal"),
        (_stopper(lambda a, v, points: False), "the training goes on"),
        (_stopper(lambda a, v, points: a - v > points / 100, make=False), "got its class"),
        (_stopper(lambda a, v, points: a - v > points / 100, base=object), "keras.callbacks.Callback"),
        (_stopper(lambda a, v, points: logs["accuracy"] > points), "`logs` is not defined"),  # noqa: F821
    ],
    "fit_best": [
        (_fit({"patience": 5}), "Did you ask for the best weights back?"),
        (_fit({"patience": 2, "restore_best_weights": True}), "with patience 5 it is 5"),
        (
            _fit({"monitor": "loss", "patience": 5, "restore_best_weights": True}),
            "All 40 epochs ran|does EarlyStopping",
        ),
        (_fit(key="loss"), "Are these the validation losses"),
        (_fit(units=32), "parameters"),
        (_fit(last="softmax"), "ten logits were asked for"),
        (_fit(result="network"), "I expected two values"),
        (_fit({}), "All 40 epochs ran|with patience 5 it is 5"),
    ],
}
