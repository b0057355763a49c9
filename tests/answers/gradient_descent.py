"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 04a."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _exact_by_tape(x, y, weights):
    w = tf.Variable(weights)
    with tf.GradientTape() as tape:
        value = tf.reduce_mean((tf.linalg.matvec(x, w) - y) ** 2)
    g = tape.gradient(value, w)
    return tf.reduce_sum(g * g) / (2 * tf.reduce_mean(tf.linalg.matvec(x, g) ** 2))


def _exact_in_float32(x, y, weights):
    x, y, weights = (ops.cast(value, "float32") for value in (x, y, weights))
    gradient = 2 * ops.matmul(ops.transpose(x), ops.matmul(x, weights) - y) / len(x)
    return float(ops.sum(gradient**2) / (2 * ops.mean(ops.matmul(x, gradient) ** 2)))


def _exact(x, y, weights, gradient_factor=2.0, curvature_factor=2.0, n=None):
    g = gradient_factor * x.T @ (x @ weights - y) / len(x)
    return g @ g / (g @ (curvature_factor * x.T @ x / (n or len(x))) @ g)


def _largest_by_tf(x):
    return 2 / tf.reduce_max(tf.linalg.eigvalsh(tf.matmul(x, x, transpose_a=True) / len(x)))


def _stop_with_counter(losses, patience):
    lowest, kept, waited = float("inf"), 0, 0
    for passes, loss in enumerate(losses, start=1):
        if loss < lowest:
            lowest, kept, waited = loss, passes - 1, 0
        else:
            waited += 1
            if waited >= patience:
                break
    return passes, kept


def _stop_with_numpy(losses, patience):
    for made in range(1, len(losses) + 1):
        best = np.argmin(losses[:made])
        if made - 1 - best >= patience:
            break
    return np.array(made), np.array(best)


def _stop(losses, patience, wait=0, kept=None, reset=True, previous=False):
    best, waited, made = 0, 0, len(losses)
    for index in range(1, len(losses)):
        better = losses[index] < losses[index - 1 if previous else best]
        if losses[index] < losses[best]:
            best = index
        waited = (0 if reset else waited) if better else waited + 1
        if waited >= patience + wait:
            made = index + 1
            break
    return made, {"last": made - 1, "all": int(np.argmin(losses))}.get(kept, best)


def _batches_by_split(x, y, size, random):
    order = np.arange(len(x))
    random.shuffle(order)
    return [(x[part], y[part]) for part in np.split(order, range(size, len(x), size))]


def _batches_as_tensors(x, y, size, random):
    order = random.permutation(len(x))
    data = tf.data.Dataset.from_tensor_slices((x[order], y[order])).batch(size)
    return [(ops.cast(x_batch, "float32"), y_batch) for x_batch, y_batch in data]


def _batches(x, y, size, random, last=True, shuffled="both", replace=False):
    order = random.choice(len(x), len(x), replace=replace) if shuffled else np.arange(len(x))
    other = random.permutation(len(x)) if shuffled == "apart" else order
    stops = range(0, len(x) if last else len(x) - len(x) % size, size)
    return [(x[order[begin : begin + size]], y[other[begin : begin + size]]) for begin in stops]


def _fixed_order(x, y, size, random):
    order = np.random.default_rng(0).permutation(len(x))
    return [(x[order[begin : begin + size]], y[order[begin : begin + size]]) for begin in range(0, len(x), size)]


def _line(batch=True, start="zeros", optimizer=keras.optimizers.SGD, loss="mse", units=1, trained=True, use_bias=True):
    def fit_line(x, y, rate, steps):
        line = keras.Sequential(
            [keras.Input((x.shape[1],)), layers.Dense(units, kernel_initializer=start, use_bias=use_bias)]
        )
        line.compile(optimizer(rate), loss)
        if trained:
            line.fit(x, y, batch_size=len(x) if batch else None, epochs=steps, verbose=0)
        return line

    return fit_line


def _functional(x, y, rate, steps):
    inputs = keras.Input((x.shape[1],))
    line = keras.Model(inputs, layers.Dense(1, kernel_initializer=keras.initializers.Zeros())(inputs))
    line.compile(keras.optimizers.SGD(learning_rate=rate), keras.losses.MeanSquaredError())
    for _ in range(steps):
        line.train_on_batch(x, y)
    return line


def _by_tape(x, y, rate, steps):
    line = keras.Sequential([keras.Input((x.shape[1],)), layers.Dense(1, kernel_initializer="zeros")])
    optimizer = keras.optimizers.SGD(rate)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            value = ops.mean((ops.squeeze(line(x), -1) - y) ** 2)
        variables = line.trainable_variables
        optimizer.apply(tape.gradient(value, [variable.value for variable in variables]), variables)
    return line


def _summed(rate):
    return keras.optimizers.SGD(rate * 50)


def _default_rate(rate):
    return keras.optimizers.SGD()


RIGHT = {
    "exact_step": [_exact_by_tape, _exact_in_float32],
    "largest_rate": [_largest_by_tf, lambda x: 2 * len(x) / np.linalg.svd(x.astype("float32"))[1][0] ** 2],
    "stop_early": [_stop_with_counter, _stop_with_numpy],
    "batch_for_noise": [
        lambda size, factor: ops.array(size * factor * factor),
        lambda size, factor: np.float32(size) * factor**2,
    ],
    "mini_batches": [_batches_by_split, _batches_as_tensors],
    "fit_line": [_functional, _by_tape],
}

WRONG = {
    "exact_step": [
        (lambda x, y, weights: _exact(x, y, weights, curvature_factor=1.0), "lost its factor 2"),
        (lambda x, y, weights: _exact(x, y, weights, n=1), "not divided by the number of examples"),
        (lambda x, y, weights: 1 / _exact(x, y, weights), "upside down"),
        (lambda x, y, weights: 1 / np.linalg.eigvalsh(2 * x.T @ x / len(x))[-1], "I expected"),
        (lambda x, y, weights: 2 / np.linalg.eigvalsh(2 * x.T @ x / len(x))[-1], "the limit of the fixed rate"),
        (lambda x, y, weights: print(_exact(x, y, weights)), "Is a `return` missing?"),
    ],
    "largest_rate": [
        (lambda x: 2 / np.linalg.eigvalsh(2 * x.T @ x / len(x))[-1], "It is half the limit"),
        (lambda x: 2 / np.linalg.eigvalsh(x.T @ x)[-1], "number of examples is missing"),
        (lambda x: 2 / np.linalg.eigvalsh(x.T @ x / len(x))[0], "smallest curvature"),
        (lambda x: np.linalg.eigvalsh(x.T @ x / len(x))[-1], "curvature itself"),
        (lambda x: 2 / np.linalg.eigvalsh(x.T @ x / len(x)), "expected the shape"),
    ],
    "stop_early": [
        (lambda losses, patience: _stop(losses, patience, previous=True), "worse than the one **before**"),
        (lambda losses, patience: _stop(losses, patience, reset=False), "not set back to 0"),
        (lambda losses, patience: _stop(losses, patience, kept="last"), "not the best"),
        (lambda losses, patience: _stop(losses, patience, kept="all"), "cannot know"),
        (lambda losses, patience: _stop(losses, patience, wait=1), "one pass too long"),
        (lambda losses, patience: _stop(losses, patience)[::-1], "wrong order"),
        (lambda losses, patience: _stop(losses, patience)[0], "I expected 2 values"),
    ],
    "batch_for_noise": [
        (lambda size, factor: size * factor, "as if noise fell as 1/n"),
        (lambda size, factor: size * factor**0.5, "the square is needed"),
        (lambda size, factor: size / factor**2, "less noise needs more"),
        (lambda size, factor: size, "expected **128** and got **32**"),
    ],
    "mini_batches": [
        (lambda x, y, size, random: _batches(x, y, size, random, last=False), "shorter batch is missing"),
        (lambda x, y, size, random: _batches(x, y, size, random, shuffled=""), "nothing is shuffled"),
        (lambda x, y, size, random: _batches(x, y, size, random, shuffled="apart"), "torn apart"),
        (lambda x, y, size, random: _batches(x, y, size, random, replace=True), "came twice"),
        (_fixed_order, "Draw the order from `random`"),
        (lambda x, y, size, random: [part for part, _ in _batches(x, y, size, random)], "list of pairs"),
        (lambda x, y, size, random: print(size), "Is a `return` missing?"),
        (lambda x, y, size, random: random.shuffle(x), "changed its argument"),
    ],
    "fit_line": [
        (_line(batch=False), "I asked for 8 steps, and the optimizer made 16"),
        (_line(start="glorot_uniform"), "Do all weights start at zero"),
        (_line(optimizer=keras.optimizers.Adam), "without anything more"),
        (_line(optimizer=_default_rate), "Keras's default"),
        (_line(optimizer=_summed), "summed"),
        (_line(trained=False), "was not trained"),
        (_line(units=2), "Dimensions must be equal"),
        (_line(units=2, trained=False), "outputs of shape"),
        (_line(use_bias=False), "three weights, one bias"),
        (lambda x, y, rate, steps: [rate] * steps, "Keras model"),
    ],
}
