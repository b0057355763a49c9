"""Exercises and quiz of chapter 13a."""

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz, compare, require_function, to_array
from coursekit.checks import SECONDS_FOR_A_MODEL, build, judge_compiled

_PICTURES = (10.0 * np.arange(1, 8)[:, None, None] * np.ones((1, 3, 2))).astype("float32")  # (7, 3, 2)


def _epoch_seconds(load, step, steps, prefetch):
    return load + step + (steps - 1) * (max(load, step) if prefetch else load + step)


def _spacing(x, fraction_bits):
    _, exponent = np.frexp(x)  # x = a 2**exponent with a in [0.5, 1)
    return float(np.ldexp(1.0, int(exponent) - 1 - fraction_bits))


def _next_scale(scale, good, finite, every):
    good = good + 1 if finite else 0
    factor = 0.5 if not finite else 2.0 if good >= every else 1.0
    return scale * factor, good % every


def _judge_pipeline(answer):
    import tensorflow as tf

    calls, odd = {"load": 0, "augment": 0}, []
    random = np.random.default_rng(0)

    def counted(name, change):
        def run(picture):
            calls[name] += 1
            return change(picture).astype("float32")

        def element(picture):
            if picture.shape.as_list() != [3, 2]:
                odd.append(f"`{name}` got a tensor of shape {picture.shape}")
                return picture
            done = tf.numpy_function(run, [picture], tf.float32)
            done.set_shape((3, 2))
            return done

        return element

    load = counted("load", lambda picture: picture)
    augment = counted("augment", lambda picture: picture + 5 * random.random(picture.shape))
    require_function(answer, ITEMS[1])

    def on_pictures():  # a Dataset is no argument that can be copied
        return answer(tf.data.Dataset.from_tensor_slices(_PICTURES), load, augment, 3)

    dataset, _ = calling.call(on_pictures, seconds=SECONDS_FOR_A_MODEL)
    if not isinstance(dataset, tf.data.Dataset):
        raise NotYet(f"I expected a tf.data.Dataset and got {type(dataset).__name__}. Is a `return` missing?")
    if odd:
        raise NotYet(f"{odd[0]}: give it one picture at a time, and batch afterwards.")
    epochs = [
        calling.call(lambda: [np.asarray(batch) for batch in dataset.take(100)], seconds=SECONDS_FOR_A_MODEL)[0]
        for _ in range(2)
    ]
    for batches in epochs:
        if [batch.shape for batch in batches] != [(3, 3, 2), (3, 3, 2), (1, 3, 2)]:
            shapes = [batch.shape for batch in batches[:4]]
            raise NotYet(f"7 pictures in batches of 3: I expected batches of 3, 3 and 1, and got the shapes {shapes}.")
        joined = np.concatenate(batches)
        if not np.allclose(np.floor(joined / 10), _PICTURES / 10):
            raise NotYet("The pictures are not those of the input, in the same order.")
        if np.array_equal(joined, _PICTURES):
            raise NotYet("The pictures were not augmented.")
    if np.array_equal(epochs[0][0], epochs[1][0]):
        raise NotYet(
            "Both epochs saw the same augmented pictures: the cache comes after `augment`; it must come before."
        )
    if calls["load"] > len(_PICTURES):
        raise NotYet(
            f"In two epochs 7 pictures were loaded {calls['load']} times; once each is enough. What keeps them?"
        )
    if calls["load"] < len(_PICTURES):
        raise NotYet(f"7 pictures, and `load` was called {calls['load']} times: each must be loaded.")


def _judge_accumulated(answer):
    import keras

    random = np.random.default_rng(0)
    x, y = random.normal(size=(20, 6)).astype("float32"), random.integers(0, 3, 20)
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    seen = []

    def watched(y, output):
        seen.append(len(y))
        return loss(y, output)

    weights = network.trainable_weights
    for size in (5, 8):
        seen.clear()
        got = build(answer, network, watched, x, y, size)
        if not isinstance(got, (list, tuple)) or len(got) != len(weights):
            raise NotYet(f"I expected a list of {len(weights)} gradients and got {type(got).__name__}.")
        got = [to_array(each) for each in got]
        if max(seen, default=0) > size:
            raise NotYet(f"With size={size} a part had {max(seen)} rows: that is more than fits.")
        expected = _gradients(network, loss, x, y)
        try:
            compare(expected, got)
        except NotYet as problem:
            raise NotYet(f"For 20 rows in parts of {size} {problem}{_why(network, loss, x, y, size, got)}") from None


def _gradients(network, loss, x, y):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        value = loss(y, network(x))
    return [np.asarray(each) for each in tape.gradient(value, network.trainable_weights)]


def _why(network, loss, x, y, size, got):
    parts = [_gradients(network, loss, x[s : s + size], y[s : s + size]) for s in range(0, len(x), size)]
    known = {
        " It looks as if the gradients were added up and not divided.": [
            sum(each) for each in zip(*parts, strict=True)
        ],
        " It looks as if the last, smaller part counted as much as the others.": [
            np.mean(each, axis=0) for each in zip(*parts, strict=True)
        ],
        " It looks as if the last, smaller part was left out.": [
            np.mean(each, axis=0)
            for each in zip(*[part for n, part in enumerate(parts) if (n + 1) * size <= len(x)], strict=True)
        ],
        " It looks as if only the last part was kept.": parts[-1],
    }
    for sentence, wrong in known.items():
        if all(
            one.shape == other.shape and np.allclose(one, other, atol=1e-5)
            for one, other in zip(got, wrong, strict=True)
        ):
            return sentence
    return ""


def _judge_mixed(answer):
    import keras
    from keras import ops

    random = np.random.default_rng(0)
    x, y = random.normal(size=(64, 784)).astype("float32"), np.arange(64) % 10
    network = build(answer)
    if not isinstance(network, keras.Model):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    if network.count_params() != 784 * 64 + 64 + 64 * 10 + 10 or len(dense) != 2:
        raise NotYet(f"I expected two dense layers, **50,890** parameters, and got **{network.count_params():,}**.")
    if dense[0].variable_dtype != "float32":
        raise NotYet(
            f"The hidden layer keeps its weights in {dense[0].variable_dtype}; mixed precision keeps them in float32."
        )
    computes = [layer.compute_dtype for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
    if "float16" not in computes[:-1]:
        raise NotYet(f"The layers compute in {', '.join(computes)}; float16 was asked for in the hidden ReLU.")
    output, _ = calling.call(lambda: network(x), seconds=SECONDS_FOR_A_MODEL)
    if keras.backend.standardize_dtype(output.dtype) != "float32":
        raise NotYet(f"The logits come as {output.dtype.name}; the last layer shall have float32.")
    values = ops.convert_to_numpy(output)
    if (values >= 0).all() and np.allclose(values.sum(axis=-1), 1, atol=1e-4):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for.")
    if getattr(network, "optimizer", None) is None:
        raise NotYet("The model is not compiled: call `compile` with an optimizer and a loss before you return it.")
    network.optimizer.build(network.trainable_variables)
    if not float(ops.convert_to_numpy(network.optimizer.scale_loss(1.0))) > 1:
        raise NotYet(
            "The optimizer does not scale the loss. When a layer has the policy, `compile` does not do it by itself."
        )
    expected = float(np.mean(np.logaddexp.reduce(values, axis=1) - values[np.arange(64), y]))
    got = float(network.compute_loss(y=y, y_pred=output))
    if not np.isclose(expected, got, rtol=0.02):
        raise NotYet(f"From these logits the cross-entropy is {expected:.3f}, and your loss gives {got:.3f}.")
    judge_compiled(network, x, y, (64, 10))


ITEMS = [
    Exercise(
        "speed.epoch_seconds",
        hints=(
            "Without prefetch nothing overlaps: each of the steps costs both times.",
            "With it: the first load, then the longer of both for each step but the last, then the last step.",
        ),
        reference=_epoch_seconds,
        cases=(
            (0.02, 0.02, 25, False),
            (0.02, 0.02, 25, True),
            (0.5, 2.0, 10, True),
            (3.0, 1.0, 4, True),
            (1.0, 2.0, 1, True),
        ),
        mistakes={
            "It looks as if `prefetch` made no difference.": lambda load, step, steps, prefetch: steps * (load + step),
            "The first batch must be waited for, and after the last load there is one more step.": (
                lambda load, step, steps, prefetch: steps * (max(load, step) if prefetch else load + step)
            ),
            "It looks as if loading took no time with prefetch; it hides only behind a longer step.": (
                lambda load, step, steps, prefetch: load + steps * step if prefetch else steps * (load + step)
            ),
            "One step too many: the first load and the last step stand beside steps − 1 pairs.": (
                lambda load, step, steps, prefetch: (
                    load + step + steps * max(load, step) if prefetch else steps * (load + step)
                )
            ),
        },
    ),
    Exercise(
        "speed.pipeline",
        hints=(
            "`map`, `cache`, `map`, `batch`, `prefetch`: what comes before `cache` happens once.",
            "`pictures.map(load).cache().map(augment).batch(batch).prefetch(tf.data.AUTOTUNE)`",
        ),
        judge=_judge_pipeline,
    ),
    Exercise(
        "speed.accumulated",
        hints=(
            "A part of n rows is n / len(x) of the whole: weigh its loss, or its gradients, by that.",
            "`for start in range(0, len(x), size):` with the rows `x[start : start + size]`; add the gradients up.",
        ),
        judge=_judge_accumulated,
    ),
    Exercise(
        "speed.spacing",
        hints=(
            "`np.floor(np.log2(x))` is e with 2**e ≤ x < 2**(e + 1).",
            "From 2**e to 2**(e + 1) there are 2**bits equal steps.",
        ),
        reference=_spacing,
        cases=((1.0, 7), (1.5, 7), (2.0, 7), (100.0, 10), (0.3, 7), (0.001, 23)),
        mistakes={
            "It looks as if the spacing was the same everywhere; it doubles at each power of two.": (
                lambda x, fraction_bits: 2.0**-fraction_bits
            ),
            "It looks as if the spacing grew in proportion to x; between powers of two it is constant.": (
                lambda x, fraction_bits: x * 2.0**-fraction_bits
            ),
            "The exponent was rounded up; the power of two below x counts.": (
                lambda x, fraction_bits: 2.0 ** (np.ceil(np.log2(x)) - fraction_bits)
            ),
            "The exponent was rounded to the nearest; the power of two below x counts.": (
                lambda x, fraction_bits: 2.0 ** (np.round(np.log2(x)) - fraction_bits)
            ),
            "It looks as if the exponent was cut towards 0; below 1 it must be rounded down.": (
                lambda x, fraction_bits: 2.0 ** (np.trunc(np.log2(x)) - fraction_bits)
            ),
            "That is half the spacing.": lambda x, fraction_bits: _spacing(x, fraction_bits + 1),
        },
        tolerance=1e-9,
    ),
    Exercise(
        "speed.next_scale",
        hints=(
            "Three cases: not finite; finite and the count is full; finite and it is not.",
            "`if not finite: return scale / 2, 0`. Then compare `good + 1` with `every`.",
        ),
        reference=_next_scale,
        cases=(
            (1024.0, 5, False, 10),
            (1024.0, 9, True, 10),
            (1024.0, 3, True, 10),
            (8.0, 0, True, 1),
            (64.0, 8, True, 10),
        ),
        mistakes={
            "After an overflow the count starts again from 0.": lambda scale, good, finite, every: (
                _next_scale(scale, good, True, every) if finite else (scale / 2, good)
            ),
            "The scale is doubled one step too late: this step counts too.": lambda scale, good, finite, every: (
                (scale / 2, 0) if not finite else (scale * 2, 0) if good == every else (scale, good + 1)
            ),
            "After doubling, the count starts again from 0.": lambda scale, good, finite, every: (
                (scale / 2, 0) if not finite else (scale * (2 if good + 1 == every else 1), good + 1)
            ),
            "It goes the wrong way: after an overflow the scale must shrink.": lambda scale, good, finite, every: (
                (scale * 2, 0) if not finite else (scale / 2, 0) if good + 1 == every else (scale, good + 1)
            ),
            "It looks as if the scale was doubled after each good step.": lambda scale, good, finite, every: (
                (scale / 2, 0) if not finite else (scale * 2, 0)
            ),
        },
    ),
    Exercise(
        "speed.build_mixed",
        hints=(
            '`layers.Dense(64)`, `layers.Activation("relu", dtype="float16")`, `layers.Dense(10)`.',
            "`keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())`",
        ),
        judge=_judge_mixed,
    ),
    Quiz(
        "speed.faster_device",
        "Loading a batch takes 30 ms, a step 10 ms, with prefetch. A new device halves the step. What is gained?",
        {
            "An epoch takes half the time": (False, "Only if the step were what one waits for."),
            "Nearly nothing": (
                True,
                "With prefetch one waits for the longer of the two: still 30 ms a batch. Mend the loading first.",
            ),
            "An epoch takes three quarters of the time": (False, "Without prefetch it would take 35 of 40."),
        },
    ),
    Quiz(
        "speed.cache_order",
        "`pictures.map(augment).cache()`, ten epochs. What does the network see?",
        {
            "Ten different augmentations of each picture": (False, "The cache keeps what came out in the first epoch."),
            "The same augmented picture ten times": (
                True,
                "What comes before the cache happens once. Augment after it.",
            ),
            "The pictures without augmentation": (False, "They were augmented, once."),
        },
    ),
    Quiz(
        "speed.accumulation",
        "Four parts of 64 in place of a batch of 256: what changes?",
        {
            "The memory for activations, not the gradient": (
                True,
                "Equal to 1e-5, as shown. Only what looks at the batch as a whole differs, as batch normalisation.",
            ),
            "The gradient is noisier": (False, "It is the mean over the same 256 pictures."),
            "A step takes a quarter of the time": (False, "The same pictures are computed, one part after the other."),
        },
    ),
    Quiz(
        "speed.bfloat16",
        "A weight of 1.0 in bfloat16 (7 bits of fraction) gets a hundred updates of 0.001. Where is it then?",
        {
            "About 1.1": (False, "That is what float32 gives."),
            "1.0": (
                True,
                "The next number is 1.0078; 0.001 is less than half the way, and is rounded away a hundred times.",
            ),
            "1.0078": (False, "Each update alone is rounded: none reaches the next number."),
        },
    ),
]
