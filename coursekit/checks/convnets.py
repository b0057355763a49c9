"""Exercises and quizzes of chapter 08b."""

import numpy as np

from coursekit import calling, checks
from coursekit.calling import NotAttempted, NotYet
from coursekit.checking import Exercise, Quiz

_BUDGET, _LOSS = 6_000, 1.2
_random = np.random.default_rng(0)
_MAPS = _random.normal(0, 1, (3, 4, 5, 2))
_PICTURES = _random.random((60, 6, 6))


_WEIGHTS = _random.normal(0, 1, (36, 6))


def _every_pixel(x):
    return np.asarray(x).reshape(len(x), 36) @ _WEIGHTS


def _left_half(x):
    return _every_pixel(np.asarray(x) * (np.arange(6) < 3))


_MOVED = np.pad(_PICTURES, ((0, 0), (0, 0), (1, 0)))[:, :, :6]
_LABELS = np.where(np.arange(60) % 3 > 0, _every_pixel(_MOVED).argmax(axis=1), np.arange(60) % 6)


def _stack_parameters(channels, filters, kernel):
    sizes = [channels, *filters]
    return sum(kernel**2 * a * b + b for a, b in zip(sizes, sizes[1:], strict=False))


def _map_size(size, steps):
    from keras import layers

    shape = (1, size, size, 1)
    for kind, width in steps:
        layer = layers.MaxPooling2D(width) if kind == "pool" else layers.Conv2D(1, width, padding=kind)
        shape = layer.compute_output_shape(shape)
    return shape[1]


def _sizes(size, steps, valid=lambda size, width: size - width + 1, same=lambda size, width: size, pool=None):
    for kind, width in steps:
        change = {"valid": valid, "same": same, "pool": pool or (lambda size, width: size // width)}[kind]
        size = change(size, width)
    return size


def _global_average(maps):
    return np.einsum("nhwc->nc", maps) / (maps.shape[1] * maps.shape[2])


def _shifted_accuracy(predict, x, y, columns):
    moved = np.pad(x, ((0, 0), (0, 0), (columns, 0)))[:, :, : x.shape[2]]
    return _share(predict, moved, y)


def _share(predict, x, y):
    return np.mean(predict(x).argmax(axis=-1) == y)


def _left(predict, x, y, columns):
    return _share(predict, np.pad(x, ((0, 0), (0, 0), (0, columns)))[:, :, columns:], y)


def _down(predict, x, y, columns):
    return _share(predict, np.pad(x, ((0, 0), (columns, 0), (0, 0)))[:, : x.shape[1]], y)


def _judge_residual_block(answer):
    import keras

    if not callable(answer):
        raise NotYet("I expected the function itself, without parentheses behind its name.")

    def assemble():
        inputs = keras.Input((6, 6, 3))
        return inputs, answer(inputs)

    (inputs, outputs), _ = calling.call(assemble, seconds=checks.SECONDS_FOR_A_MODEL)
    if outputs is ...:
        raise NotAttempted
    if type(outputs).__name__ != "KerasTensor":
        raise NotYet(f"I expected a symbolic Keras tensor and got {type(outputs).__name__}. Is a `return` missing?")
    if tuple(outputs.shape) != (None, 6, 6, 3):
        raise NotYet(f"For a tensor of shape (None, 6, 6, 3) I expected the same shape and got **{outputs.shape}**.")
    network = keras.Model(inputs, outputs)
    shapes = sorted(tuple(weight.shape) for weight in network.weights)
    if shapes != [(3,), (3,), (3, 3, 3, 3), (3, 3, 3, 3)]:
        raise NotYet(
            "For 3 channels I expected two kernels of shape (3, 3, 3, 3) and two biases of shape (3,), and got the shapes "
            f"**{shapes}**."
        )
    _compare_blocks(network)


def _compare_blocks(network):
    """Compare the learner's block with ReLU(x + F(x)), and name the variant that it equals if it is a wrong one."""
    random = np.random.default_rng(0)
    x = random.normal(0, 1, (2, 6, 6, 3)).astype("float32")
    weights = [random.normal(0, 0.4, weight.shape).astype("float32") for weight in network.weights]
    network.set_weights(weights)
    got = np.asarray(network(x))
    kernels = [weight for weight in weights if weight.ndim == 4]
    biases = [weight for weight in weights if weight.ndim == 1]

    def equals(variant):
        orders = (kernels + biases, kernels[::-1] + biases[::-1])  # the two convolutions may be listed either way
        return any(np.allclose(got, variant(x, *order), atol=1e-3) for order in orders)

    if equals(_block):
        return
    for sentence, variant in _BLOCKS.items():
        if equals(variant):
            raise NotYet(sentence, sentence)
    network.set_weights([np.zeros_like(weight) for weight in weights])
    passed = np.allclose(np.asarray(network(x)), np.maximum(x, 0), atol=1e-6)
    raise NotYet(
        "The output is not ReLU(x + F(x)). "
        + ("With all weights 0 it is ReLU(x), as it should be: look at F." if passed else _NOT_PASSED)
    )


_NOT_PASSED = (
    "With all weights 0 it should be ReLU(x), and it is something else: is `x` itself added, and ReLU at the end?"
)


def _convolve(x, kernel, bias):
    from keras import ops

    return np.asarray(ops.conv(x, kernel, padding="same")) + bias


def _relu(x):
    return np.maximum(x, 0)


def _change(x, first, second, bias, other):
    return _convolve(_relu(_convolve(x, first, bias)), second, other)


def _block(x, *weights):
    return _relu(x + _change(x, *weights))


_BLOCKS = {
    "It looks as if `x` was never added: this is a plain stack of two convolutions.": lambda x, *weights: _relu(
        _change(x, *weights)
    ),
    "It looks as if there is neither an addition of `x` nor a ReLU at the end.": _change,
    "It looks as if the last ReLU is missing: it comes after the addition.": lambda x, *weights: (
        x + _change(x, *weights)
    ),
    "It looks as if the second ReLU comes before the addition; it comes after it.": lambda x, *weights: (
        x + _relu(_change(x, *weights))
    ),
    "It looks as if there is a ReLU before the addition and one after it; before it, F may be negative.": (
        lambda x, *weights: _relu(x + _relu(_change(x, *weights)))
    ),
    "It looks as if the ReLU between the two convolutions is missing: they collapse to one.": (
        lambda x, first, second, bias, other: _relu(x + _convolve(_convolve(x, first, bias), second, other))
    ),
}


def _judge_train_convnet(answer):
    import keras

    from coursekit import data

    (x, y), (x_new, y_new) = data.fashion_mnist(train=600, test=300, seed=4)
    x, x_new = (part[..., None].astype("float32") / 255 for part in (x, x_new))
    network = checks.build(answer, x, y)
    if network is None or not isinstance(network, keras.Model):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    logits = calling.call(lambda: np.asarray(network(x_new)), seconds=checks.SECONDS_FOR_A_MODEL)[0]
    if logits.shape != (300, 10):
        raise NotYet(f"For 300 pictures I expected outputs of shape **(300, 10)**, got **{logits.shape}**.")
    if checks.sums_to_one(logits):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for.")
    if network.count_params() > _BUDGET:
        raise NotYet(
            f"Your network has **{network.count_params():,}** parameters; at most {_BUDGET:,} were allowed. "
            "Where do most of them sit?"
        )
    if not any(len(weight.shape) == 4 for weight in network.trainable_weights):
        raise NotYet("None of its weights is a convolution kernel (height, width, channels in, channels out).")
    loss = float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y_new, logits))
    if not loss < _LOSS:
        advice = "Was it trained at all?" if not loss < 2.2 else "Train longer, or with another rate."
        raise NotYet(f"On 300 new pictures its loss is **{loss:.2f}**; below {_LOSS} was asked. {advice}")


ITEMS = [
    Exercise(
        "convnets.stack_parameters",
        hints=(
            "One filter has kernel · kernel weights for each channel that it sees, and one bias.",
            "The first layer sees the picture's channels; every other layer sees as many as the layer before has filters.",
        ),
        reference=_stack_parameters,
        cases=((1, [6, 16], 5), (3, [8, 16, 32], 3), (1, [4], 1)),
        mistakes={
            "It looks as if the biases were left out: one for each filter.": lambda channels, filters, kernel: sum(
                kernel**2 * a * b for a, b in zip([channels, *filters], filters, strict=False)
            ),
            "It looks as if a filter saw one channel only; it sees all channels of the layer before.": (
                lambda channels, filters, kernel: sum((kernel**2 + 1) * number for number in filters)
            ),
            "It looks as if every layer saw the picture; from the second on, it sees the maps of the layer before.": (
                lambda channels, filters, kernel: sum((kernel**2 * channels + 1) * number for number in filters)
            ),
            "It looks as if the kernel counted once, not kernel · kernel.": lambda channels, filters, kernel: (
                _stack_parameters(channels, filters, kernel**0.5)
            ),
        },
    ),
    Exercise(
        "convnets.map_size",
        hints=(
            'With "same" the size stays; with "valid" a kernel of width k fits in size − k + 1 places.',
            "Pooling: `size // width`. Go through the steps with a `for` loop and overwrite `size`.",
        ),
        reference=_map_size,
        cases=(
            (28, [("same", 5), ("pool", 2), ("valid", 5), ("pool", 2)]),
            (28, [("valid", 3), ("pool", 2), ("valid", 3), ("pool", 2)]),
            (32, [("same", 3), ("same", 3)]),
            (11, [("pool", 2), ("pool", 2)]),
        ),
        mistakes={
            "It looks as if size − k was taken; a kernel of width k fits in size − k + 1 places.": lambda size, steps: (
                _sizes(size, steps, valid=lambda size, width: size - width)
            ),
            'It looks as if padding "same" made the map smaller; it keeps the size.': lambda size, steps: _sizes(
                size, steps, same=lambda size, width: size - width + 1
            ),
            "It looks as if pooling rounded up; what is left over at the edge is dropped.": lambda size, steps: _sizes(
                size, steps, pool=lambda size, width: -(-size // width)
            ),
            "It looks as if pooling gave fractions of a pixel; what is left over is dropped.": lambda size, steps: (
                _sizes(size, steps, pool=lambda size, width: size / width)
            ),
            "It looks as if the poolings were left out.": lambda size, steps: _sizes(
                size, steps, pool=lambda size, width: size
            ),
        },
    ),
    Exercise(
        "convnets.global_average",
        hints=(
            "The mean runs over height and width; examples and channels stay.",
            "`maps.mean(axis=…)` takes a tuple of axes.",
        ),
        reference=_global_average,
        cases=((_MAPS,), (np.arange(8.0).reshape(1, 2, 2, 2),)),
        mistakes={
            "It looks as if the sum was taken, not the mean.": lambda maps: maps.sum(axis=(1, 2)),
            "It looks as if the maximum was taken, not the mean.": lambda maps: maps.max(axis=(1, 2)),
            "It looks as if the mean ran over the channels too; each channel keeps its own.": lambda maps: maps.mean(
                axis=(1, 2, 3)
            ),
            "It looks as if the mean ran over the examples too; each example keeps its own.": lambda maps: maps.mean(
                axis=(0, 1, 2)
            ),
            "It looks as if the mean ran over width and channels; the axes of height and width are 1 and 2.": (
                lambda maps: maps.mean(axis=(2, 3))
            ),
        },
    ),
    Exercise(
        "convnets.residual_block",
        hints=(
            '`layers.Conv2D(x.shape[-1], 3, padding="same", activation="relu")(x)` is the first of the two.',
            "`layers.Add()([x, change])` adds; the ReLU comes after it, so the second convolution has no activation.",
        ),
        judge=_judge_residual_block,
    ),
    Exercise(
        "convnets.shifted_accuracy",
        hints=(
            "Make an array of zeros like `x`, and write the left part of `x` into its right part.",
            "`moved[:, :, columns:] = x[:, :, : width - columns]`; then compare `argmax` over the last axis with `y`.",
        ),
        reference=_shifted_accuracy,
        cases=(
            (_every_pixel, _PICTURES, _LABELS, 1),
            (_left_half, _PICTURES, _LABELS, 2),
            (_every_pixel, _PICTURES, _LABELS, 0),
        ),
        mistakes={
            "It looks as if what leaves on the right came in on the left (np.roll); black should come in.": (
                lambda predict, x, y, columns: _share(predict, np.roll(x, columns, axis=2), y)
            ),
            "It looks as if the pictures moved to the left.": _left,
            "It looks as if the pictures moved down; columns are the last axis.": _down,
            "It looks as if the pictures were not moved.": lambda predict, x, y, columns: _share(predict, x, y),
            "It looks as if the answer is in percent; a share lies between 0 and 1.": lambda *arguments: (
                100 * _shifted_accuracy(*arguments)
            ),
            "It looks as if the pictures were counted; a share was asked.": lambda predict, x, y, columns: (
                len(y) * _shifted_accuracy(predict, x, y, columns)
            ),
        },
    ),
    Exercise(
        "convnets.train_convnet",
        hints=(
            "Two pairs of Conv2D (8, then 16 filters) and MaxPooling2D leave little to flatten; a dense hidden layer has many parameters.",
            "Compile with Adam at 0.003 and the loss from logits; `fit` ten epochs in batches of 30; then `return network`.",
        ),
        judge=_judge_train_convnet,
    ),
    Quiz(
        "convnets.parameters",
        "Where do most of LeNet's 61,706 parameters sit?",
        {
            "In the two convolutions": (False, "They hold 2,572, about 4 %: a kernel is used again at every place."),
            "In the layer of ten logits": (False, "That one has (84 + 1) · 10 = 850."),
            "In the first dense layer, behind flatten": (
                True,
                "400 · 120 weights: over three quarters. Global average pooling shrinks such a layer most.",
            ),
        },
    ),
    Quiz(
        "convnets.shift",
        "The picture moves by four pixels. Which change made the convolutional network lose much less?",
        {
            "Global average pooling in place of flatten": (
                True,
                "Its head does not know places; flatten gives each place its own weights.",
            ),
            "Convolutions in place of dense layers": (
                False,
                "With flatten behind them they lost over 35 points, like the dense network.",
            ),
            "More filters": (False, "Both heads had the same filters in front of them."),
        },
    ),
    Quiz(
        "convnets.zero_block",
        "All weights and biases of a residual block ReLU(x + F(x)) are 0. What does it put out?",
        {
            "0 everywhere": (False, "That is what a plain stack does. Here x is still added."),
            "ReLU(x)": (True, "F(x) is 0, so x passes, and the last ReLU cuts off what is negative."),
            "x + 1": (False, "Nothing in the block makes a 1."),
        },
    ),
    Quiz(
        "convnets.logits",
        "640 outputs, labels 0 to 9, sparse cross-entropy. What happens?",
        {
            "Keras raises an error, for 640 is not 10": (
                False,
                "It ran without one: every label below 640 is accepted.",
            ),
            "The loss falls, so the network has learned to classify": (
                False,
                "The loss fell, and the test score stayed at about that of guessing.",
            ),
            "It trains, and only the first ten outputs ever are a right answer": (
                True,
                "The other 630 take probability away and mean nothing.",
            ),
        },
    ),
]
