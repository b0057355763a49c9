"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 13b."""

import numpy as np
import tensorflow as tf
from keras import ops


def _gradients(network, loss, x, y):
    with tf.GradientTape() as tape:
        value = loss(y, network(x))
    return tape.gradient(value, network.trainable_weights)


def _together(networks, loss, x, y, batch, rate, weigh=True, exchange=True, last=True):
    for start in range(0, len(x) if last else len(x) // batch * batch, batch):
        xs, ys = x[start : start + batch], y[start : start + batch]
        shares = [part for part in np.array_split(np.arange(len(xs)), len(networks)) if len(part)]
        each = [
            [
                g * (len(part) / len(xs) if weigh else 1 / len(shares))
                for g in _gradients(network, loss, xs[part], ys[part])
            ]
            for network, part in zip(networks, shares, strict=False)
        ]
        total = [sum(parts) for parts in zip(*each, strict=True)]
        for number, network in enumerate(networks):
            step = total if exchange else each[min(number, len(each) - 1)]
            for weight, gradient in zip(network.trainable_weights, step, strict=True):
                weight.assign_sub(rate * gradient)
    return networks


def _together_numpy(networks, loss, x, y, batch, rate):
    """One network computes every share, then hands its weights to the others."""
    for start in range(0, len(x), batch):
        rows = np.arange(len(x))[start : start + batch]
        total = [0.0] * len(networks[0].trainable_weights)
        for rank in range(len(networks)):
            mine = rows[rank :: len(networks)]
            if len(mine) == 0:
                continue
            for number, gradient in enumerate(_gradients(networks[rank], loss, x[mine], y[mine])):
                total[number] = total[number] + np.asarray(gradient) * len(mine)
        weights = [w - rate * g / len(rows) for w, g in zip(networks[0].get_weights(), total, strict=True)]
        for network in networks:
            network.set_weights(weights)
    return tuple(networks)


def _only_first(networks, loss, x, y, batch, rate):
    _together(networks[:1], loss, x, y, batch, rate)
    return networks


RIGHT = {
    "my_rows": [
        lambda rows, rank, workers: np.array_split(rows, workers)[rank],
        lambda rows, rank, workers: [int(row) for place, row in enumerate(rows) if place % workers == rank],
        lambda rows, rank, workers: tf.constant(rows)[rank::workers],
    ],
    "train_together": [_together, _together_numpy],
    "best_interval": [
        lambda save, between, workers: np.sqrt(2 * save * (between / workers)),
        lambda save, between, workers: ops.sqrt(2.0 * save * between / workers),
    ],
    "ring_bytes": [
        lambda parameters, bytes_each, workers: sum([parameters / workers * bytes_each] * (workers - 1) * 2),
        lambda parameters, bytes_each, workers: np.float64(2 - 2 / workers) * parameters * bytes_each,
    ],
    "speed_up": [
        lambda serial, workers: workers / (workers * serial + 1 - serial),
        lambda serial, workers: np.reciprocal(serial + np.divide(1 - serial, workers)),
    ],
    "bytes_a_worker": [
        lambda parameters, workers, stage: parameters * [16, 4 + 12 / workers, 2 + 14 / workers, 16 / workers][stage],
        lambda parameters, workers, stage: (
            np.dot([12, 2, 2], [1 / workers if stage > n else 1.0 for n in range(3)]) * parameters
        ),
    ],
}

WRONG = {
    "my_rows": [
        (lambda rows, rank, workers: rows[: len(rows) // workers], "more than once"),
        (lambda rows, rank, workers: rows[rank * (len(rows) // workers) :][: len(rows) // workers], "taken by nobody"),
        (lambda rows, rank, workers: rows, "more than once"),
        (lambda rows, rank, workers: np.arange(len(rows))[rank::workers], "none of `rows`|more than once"),
        (
            lambda rows, rank, workers: rows[rank * -(-len(rows) // workers) :][: -(-len(rows) // workers)],
            "may differ by one",
        ),
        (lambda rows, rank, workers: print(rank), "returned nothing"),
    ],
    "train_together": [
        (lambda *arguments: _together(*arguments, weigh=False), "weighed by its number of rows"),
        (lambda *arguments: _together(*arguments, exchange=False), "no longer equal"),
        (lambda *arguments: _together(*arguments, last=False), "smaller batch read"),
        (_only_first, "computed on 10 rows"),
        (lambda networks, loss, x, y, batch, rate: networks, "did not change"),
        (lambda networks, loss, x, y, batch, rate: networks[0], "list of 2 networks"),
        (lambda networks, loss, x, y, batch, rate: print(rate), "list of 2 networks"),
    ],
    "best_interval": [
        (lambda save, between, workers: (2 * save * between) ** 0.5, "for one worker"),
        (lambda save, between, workers: (save * between / workers) ** 0.5, "the 2 is missing"),
        (lambda save, between, workers: 2 * save * between / workers, "the root is missing"),
        (lambda save, between, workers: (2 * save * between * workers) ** 0.5, "failures rarer"),
    ],
    "ring_bytes": [
        (
            lambda parameters, bytes_each, workers: (workers - 1) / workers * parameters * bytes_each,
            "go round once more",
        ),
        (
            lambda parameters, bytes_each, workers: 2 * (workers - 1) * parameters * bytes_each,
            "all workers send together",
        ),
        (lambda parameters, bytes_each, workers: 2 * (workers - 1) / workers * parameters, "not bytes"),
        (lambda parameters, bytes_each, workers: parameters * bytes_each, "expected"),
    ],
    "speed_up": [
        (lambda serial, workers: serial + (1 - serial) / workers, "the time, not the speed-up"),
        (lambda serial, workers: workers, "was forgotten"),
        (lambda serial, workers: 1 / (1 - serial + serial / workers), "serial part was divided"),
        (lambda serial, workers: 1 / (serial + 1 / workers), "1 − serial"),
    ],
    "bytes_a_worker": [
        (lambda parameters, workers, stage: 16 * parameters / (workers if stage else 1), "from stage 1 on"),
        (lambda parameters, workers, stage: 16 * parameters, "nothing was split"),
        (
            lambda parameters, workers, stage: (
                parameters * [16, 4 + 12 / workers, 14 + 2 / workers, 14 + 2 / workers][stage]
            ),
            "split only its own part",
        ),
        (
            lambda parameters, workers, stage: (
                parameters * [16 * workers, 4 * workers + 12, 2 * workers + 14, 16][stage]
            ),
            "all workers together",
        ),
    ],
}
