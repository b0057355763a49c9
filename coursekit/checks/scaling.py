"""Exercises and quiz of chapter 13b."""

import math

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz, require_function, to_array
from coursekit.checks import SECONDS_FOR_A_MODEL


def _best_interval(save, between, workers):
    return (2 * save * between / workers) ** 0.5


def _ring_bytes(parameters, bytes_each, workers):
    return 2 * (parameters * bytes_each - parameters * bytes_each / workers)


def _speed_up(serial, workers):
    return workers / (1 + serial * (workers - 1))


def _bytes_a_worker(parameters, workers, stage):
    split = (0, 12, 14, 16)[stage]
    return parameters * (16 - split + split / workers)


def _judge_rows(answer):
    require_function(answer, ITEMS[0])
    for count, workers in ((12, 3), (10, 4), (128, 1), (3, 5)):
        rows = np.random.default_rng(count).permutation(100 + count)[:count]
        parts = []
        for rank in range(workers):
            got, _ = calling.call(answer, rows.copy(), rank, workers)
            if got is None:
                raise NotYet("Your function returned nothing (None). Is a `return` missing?")
            parts.append(np.ravel(to_array(got)) if np.size(got) else np.array([], rows.dtype))
        where = f"{count} rows for {workers} worker{'s' if workers > 1 else ''}:"
        sizes, taken = [len(part) for part in parts], np.concatenate(parts)
        if not np.isin(taken, rows).all():
            raise NotYet(
                f"{where} a part holds {taken[~np.isin(taken, rows)][0]}, which is none of `rows`. Places, not rows?"
            )
        if len(np.unique(taken)) < len(taken):
            raise NotYet(f"{where} some row is taken more than once.")
        if len(taken) < count:
            raise NotYet(f"{where} {count - len(taken)} of them are taken by nobody.")
        if max(sizes) - min(sizes) > 1:
            raise NotYet(f"{where} the parts have the sizes {sizes}; they may differ by one at most.")


def _judge_together(answer):
    import keras

    require_function(answer, ITEMS[1])
    random = np.random.default_rng(0)
    x, y = random.normal(size=(41, 6)).astype("float32"), random.integers(0, 3, 41)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def networks(count):
        made = []
        for _ in range(count):
            keras.utils.set_random_seed(0)
            layers = [keras.Input((6,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(3)]
            made.append(keras.Sequential(layers))
        return made

    for count, batch in ((2, 10), (3, 8)):
        seen = []

        def watched(y, output, seen=seen):
            seen.append(len(y))
            return loss(y, output)

        def on_new_networks(*arguments, count=count):
            return answer(networks(count), *arguments)

        got, _ = calling.call(on_new_networks, watched, x, y, batch, 0.5, seconds=SECONDS_FOR_A_MODEL)
        if not isinstance(got, (list, tuple)) or len(got) != count or not all(isinstance(n, keras.Model) for n in got):
            raise NotYet(f"I expected the list of {count} networks and got {type(got).__name__}.")
        where = f"{count} networks, 41 rows in batches of {batch}:"
        share = -(-batch // count)
        if max(seen, default=0) > share:
            raise NotYet(f"{where} one worker computed on {max(seen)} rows at once; its share is {share} at most.")
        _compare_weights(where, got, _plain(networks(1)[0], loss, x, y, batch, 0.5), networks(1)[0])


def _plain(network, loss, x, y, batch, rate):
    import tensorflow as tf

    for start in range(0, len(x), batch):
        rows = slice(start, start + batch)
        with tf.GradientTape() as tape:
            value = loss(y[rows], network(x[rows]))
        for weight, gradient in zip(
            network.trainable_weights, tape.gradient(value, network.trainable_weights), strict=True
        ):
            weight.assign(weight - rate * gradient)
    return network


def _compare_weights(where, got, expected, start):
    def apart(one, other):
        return max(np.abs(a - b).max() for a, b in zip(one.get_weights(), other.get_weights(), strict=True))

    if apart(got[0], start) < 1e-6:
        raise NotYet(f"{where} the weights did not change.")
    if max(apart(got[0], network) for network in got) > 1e-5:
        raise NotYet(f"{where} the networks are no longer equal: all must make the same step.")
    if apart(got[0], expected) > 1e-4:
        raise NotYet(
            f"{where} the networks agree, but not with one network that reads whole batches (largest difference "
            f"{apart(got[0], expected):.2g}). Is each share weighed by its number of rows? Is the last, smaller batch read?"
        )


ITEMS = [
    Exercise(
        "scaling.my_rows",
        hints=("Every `workers`-th row, beginning with number `rank`.", "A slice with a step: `rows[rank::workers]`."),
        judge=_judge_rows,
    ),
    Exercise(
        "scaling.train_together",
        hints=(
            "For each batch: a gradient from each network on its rows, weighed by its share of the rows; add them up; "
            "then every network makes the step with the sum.",
            "`loss(y[mine], network(x[mine])) * len(mine) / len(rows)`; a worker without rows adds nothing.",
        ),
        judge=_judge_together,
    ),
    Exercise(
        "scaling.best_interval",
        hints=("With more workers failures come more often: M is `between / workers`.", "`math.sqrt(2 * save * M)`"),
        reference=_best_interval,
        cases=((60.0, 1.8e8, 1_000), (10.0, 3_600.0, 1), (30.0, 1e7, 64)),
        mistakes={
            "That is for one worker: with more of them failures come more often.": lambda save, between, workers: (
                math.sqrt(2 * save * between)
            ),
            "It looks as if more workers made failures rarer.": lambda save, between, workers: math.sqrt(
                2 * save * between * workers
            ),
            "It looks as if the 2 is missing.": lambda save, between, workers: math.sqrt(save * between / workers),
            "It looks as if the root is missing.": lambda save, between, workers: 2 * save * between / workers,
        },
    ),
    Exercise(
        "scaling.ring_bytes",
        hints=(
            "The gradient is cut into `workers` pieces; count how many pieces one worker sends.",
            "Twice `workers - 1` pieces of `parameters * bytes_each / workers` bytes.",
        ),
        reference=_ring_bytes,
        cases=((84_060, 4, 2), (7_000_000_000, 2, 1_000), (1_000, 4, 1), (90, 4, 3)),
        mistakes={
            "That is one round; the complete pieces go round once more.": lambda parameters, bytes_each, workers: (
                (workers - 1) / workers * parameters * bytes_each
            ),
            "That is what all workers send together.": lambda parameters, bytes_each, workers: (
                2 * (workers - 1) * parameters * bytes_each
            ),
            "Each of the 2 (R − 1) messages is one piece, not the whole gradient and not R − 1 of them.": (
                lambda parameters, bytes_each, workers: 2 * parameters * bytes_each
            ),
            "These are numbers, not bytes.": lambda parameters, bytes_each, workers: (
                2 * (workers - 1) / workers * parameters
            ),
        },
    ),
    Exercise(
        "scaling.speed_up",
        hints=(
            "On one worker the work takes 1; on many it takes the serial share plus the rest divided by the workers.",
            "`1 / (serial + (1 - serial) / workers)`",
        ),
        reference=_speed_up,
        cases=((0.1, 10), (0.0, 8), (0.5, 1_000), (1.0, 16), (0.2, 1)),
        mistakes={
            "That is the time, not the speed-up.": lambda serial, workers: serial + (1 - serial) / workers,
            "It looks as if the serial share was forgotten.": lambda serial, workers: workers,
            "It looks as if the serial part was divided, and the rest was not.": lambda serial, workers: (
                1 / (1 - serial + serial / workers)
            ),
            "The part that shrinks is 1 − serial.": lambda serial, workers: 1 / (serial + 1 / workers),
        },
    ),
    Exercise(
        "scaling.bytes_a_worker",
        hints=(
            "Stage 0: 16 bytes a parameter. Each further stage divides one more part by the number of workers.",
            "Stage 1: `4 + 12 / workers`; stage 2: `2 + 14 / workers`; stage 3: `16 / workers`.",
        ),
        reference=_bytes_a_worker,
        cases=(*((7_000_000_000, 64, stage) for stage in range(4)), (1_000, 1, 2)),
        mistakes={
            "It looks as if each stage split only its own part; stage 2 splits the optimizer too.": (
                lambda parameters, workers, stage: (
                    parameters * (16 - (0, 12, 2, 2)[stage] + (0, 12, 2, 2)[stage] / workers)
                )
            ),
            "It looks as if everything was split from stage 1 on.": lambda parameters, workers, stage: (
                parameters * 16 / (workers if stage else 1)
            ),
            "It looks as if nothing was split.": lambda parameters, workers, stage: 16 * parameters,
            "These are the bytes of all workers together.": lambda parameters, workers, stage: (
                _bytes_a_worker(parameters, workers, stage) * workers
            ),
        },
    ),
    Quiz(
        "scaling.slower",
        "Two workers on our two cores took longer for a step than one alone. Why?",
        {
            "Data parallelism computes a different, harder gradient": (False, "The same gradient, to 1e-5."),
            "They share the cores, and exchanging the gradient costs more than the short step saves": (
                True,
                "A step of milliseconds, and 677 kilobytes to send. With other machines and longer steps it turns.",
            ),
            "Python cannot run two processes at the same time": (False, "It can: processes do not share a lock."),
        },
    ),
    Quiz(
        "scaling.resume",
        "A checkpoint holds the weights alone. What differs after a restart?",
        {
            "Nothing: the weights are the model": (False, "They are the model, not the training."),
            "Only the time it takes": (False, "The path differs too."),
            "Adam begins without its moments, and the data begins from its first batch": (
                True,
                "So weights, optimizer and the step's number belong together.",
            ),
        },
    ),
    Quiz(
        "scaling.ring",
        "From 10 to 1,000 workers: how do the bytes change that one worker sends in a ring?",
        {
            "They grow a hundred times": (False, "That is what all of them send together."),
            "They grow by 11 %": (
                True,
                "From 1.8 to 1.998 times the gradient. The number of messages grows a hundred times.",
            ),
            "They shrink a hundred times": (False, "The pieces do; there are a hundred times as many."),
        },
    ),
    Quiz(
        "scaling.zero",
        "A model does not fit into one device's memory, but each step is fast enough. What helps?",
        {
            "More workers with plain data parallelism": (False, "Each of them holds all of it."),
            "A larger batch": (False, "It needs more memory for activations."),
            "Sharding the optimizer's state, as ZeRO 1 does": (
                True,
                "12 of 16 bytes a parameter are divided among the workers, and in a ring no more is sent.",
            ),
        },
    ),
]
