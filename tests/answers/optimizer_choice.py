"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 04c."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


class _Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Warm-up and cosine written by hand."""

    def __init__(self, steps):
        self.steps, self.warmup = steps, steps // 10

    def __call__(self, step):
        step = ops.cast(step, "float32")
        share = ops.clip((step - self.warmup) / (self.steps - self.warmup), 0.0, 1.0)
        return ops.where(step < self.warmup, 0.03 * step / self.warmup, 0.015 * (1 + ops.cos(np.pi * share)))

    def get_config(self):
        return {"steps": self.steps}


def _cosine(steps, decay=None, warmup=None, peak=0.03, alpha=0.0):
    warmup = steps // 10 if warmup is None else warmup
    decay = steps - warmup if decay is None else decay
    if warmup == 0:
        return keras.optimizers.schedules.CosineDecay(peak, decay, alpha)
    return keras.optimizers.schedules.CosineDecay(0.0, decay, alpha, warmup_target=peak, warmup_steps=warmup)


def _network(schedule=_cosine, optimizer=keras.optimizers.Adam, hidden=64, last=None, compiled=True):
    def scheduled_network(steps):
        inputs = keras.Input((784,))
        outputs = layers.Dense(10, last)(layers.Dense(hidden, "relu")(inputs))
        network = keras.Model(inputs, outputs)
        if compiled:
            rate = schedule(steps) if callable(schedule) else schedule
            network.compile(optimizer(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return network

    return scheduled_network


def _clip_tf(gradients, limit):
    clipped, _ = tf.clip_by_global_norm([tf.cast(gradient, "float32") for gradient in gradients], limit)
    return clipped


def _clip_flat(gradients, limit):
    length = np.linalg.norm(np.concatenate([np.ravel(gradient) for gradient in gradients]))
    return list(gradients) if length <= limit else [(g * (limit / length)).astype("float32") for g in gradients]


def _step_loop(step, start, factor, every):
    rate = start
    for _ in range(every, step + 1, every):
        rate = rate * factor
    return rate


RIGHT = {
    "best_rate": [
        lambda rates, accuracy: ops.take(rates, ops.argmax(ops.mean(accuracy, axis=0))),
        lambda rates, accuracy: max(zip(accuracy.sum(axis=0), rates, strict=True))[1],
    ],
    "separated": [
        lambda a, b: max(a) < min(b) or max(b) < min(a),
        lambda a, b: tf.reduce_min(a) > tf.reduce_max(b) or tf.reduce_min(b) > tf.reduce_max(a),
    ],
    "usable_range": [
        lambda rates, accuracy, points: np.divide(
            np.max(rates[np.max(accuracy) - accuracy <= points]), np.min(rates[np.max(accuracy) - accuracy <= points])
        ),
        lambda rates, accuracy, points: ops.exp(
            ops.max(ops.log(rates[accuracy + points >= max(accuracy)]))
            - ops.min(ops.log(rates[accuracy + points >= max(accuracy)]))
        ),
    ],
    "step_decay": [_step_loop, lambda step, start, factor, every: start * ops.power(factor, ops.floor(step / every))],
    "scheduled_network": [_network(), _network(schedule=_Schedule)],
    "clip_gradients": [_clip_tf, _clip_flat],
}

WRONG = {
    "best_rate": [
        (lambda rates, accuracy: rates[accuracy.max(axis=0).argmax()], "single best run"),
        (lambda rates, accuracy: accuracy.mean(axis=0).argmax(), "place of the rate"),
        (lambda rates, accuracy: rates[accuracy[0].argmax()], "first seed"),
        (lambda rates, accuracy: accuracy.mean(axis=0).max(), "accuracy was returned"),
        (lambda rates, accuracy: rates[0], "expected **0.01**"),
    ],
    "separated": [
        (lambda a, b: a.min() > b.max(), "`b` may be the better one"),
        (lambda a, b: b.min() > a.max(), "`a` may be the better one"),
        (lambda a, b: a.mean() != b.mean(), "means were compared"),
        (lambda a, b: a.min() >= b.max() or b.min() >= a.max(), "Touching"),
        (lambda a, b: a > b, "expected the shape"),
    ],
    "usable_range": [
        (lambda rates, accuracy, points: (accuracy >= accuracy.max() - points).sum(), "counted"),
        (lambda rates, accuracy, points: np.ptp(rates[accuracy >= accuracy.max() - points]), "subtracted"),
        (lambda rates, accuracy, points: rates.max() / rates.min(), "all rates"),
        (lambda rates, accuracy, points: rates[accuracy >= accuracy.max() - points], "expected the shape"),
    ],
    "step_decay": [
        (lambda step, start, factor, every: start * factor ** (step / every), "falls at every step"),
        (lambda step, start, factor, every: start * factor * (step // every), "taken to that power"),
        (lambda step, start, factor, every: start * factor ** (step // every + 1), "begins at once"),
        (lambda step, start, factor, every: start if step < every else start * factor, "never again"),
    ],
    "scheduled_network": [
        (_network(schedule=0.03), "at every step"),
        (_network(schedule=lambda steps: _cosine(steps, warmup=0)), "rise during a warm-up"),
        (_network(schedule=lambda steps: _cosine(steps, decay=steps)), "counts the steps after the warm-up"),
        (_network(schedule=lambda steps: _cosine(steps, peak=0.1)), "expected the rate **0.0150**"),
        (_network(schedule=lambda steps: _cosine(steps, alpha=0.1)), "down to 0"),
        (_network(schedule=lambda steps: _cosine(steps, warmup=5)), "expected the rate"),
        (_network(optimizer=keras.optimizers.SGD), "expected Adam"),
        (_network(last="softmax"), "ten logits"),
        (_network(hidden=32), "parameters"),
        (_network(compiled=False), "not compiled"),
        (lambda steps: [steps], "expected a Keras model"),
    ],
    "clip_gradients": [
        (lambda gradients, limit: [g * limit / max(np.linalg.norm(g), limit) for g in gradients], "own length"),
        (lambda gradients, limit: [np.clip(g, -limit, limit) for g in gradients], "cut off"),
        (
            lambda gradients, limit: [
                g * limit / max(np.sqrt(sum(np.sum(h**2) for h in gradients)), 1e-12) for g in gradients
            ],
            "stretched",
        ),
        (lambda gradients, limit: gradients, "expected"),
        (lambda gradients, limit: gradients[0], "expected 2 values"),
    ],
}
