"""Exercises and quizzes of chapter 14a."""

import numpy as np

from coursekit import checks
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz

_LOSS = 1.1
_random = np.random.default_rng(0)
_KERNEL = _random.normal(0, 1, (3, 3, 4, 5)).round(3).astype("float32")
_KERNEL[1, 1, 0, 3] = 9.0
_Q_X = _random.integers(-128, 128, (3, 40)).astype("int8")
_Q_W = _random.integers(-127, 128, (4, 40)).astype("int8")
_S_W = np.array([0.01, 0.02, 0.004, 0.001])


def _affine(low, high):
    low, high = np.minimum(low, 0), np.maximum(high, 0)
    scale = (high - low) / 255
    return float(scale), int(np.round(-128 - low / scale))


def _affine_with(low, high, steps=255, start=-128, stretch=True, sign=-1):
    low, high = (min(low, 0), max(high, 0)) if stretch else (low, high)
    scale = (high - low) / steps
    return scale, round(start + sign * low / scale)


def _per_channel(kernel, axis=(0, 1, 2), top=127):
    scales = np.abs(kernel).max(axis=axis) / top
    return np.round(kernel / scales), scales


def _per_tensor(kernel):
    scale = np.abs(kernel).max() / 127
    return np.round(kernel / scale), np.full(kernel.shape[-1], scale)


def _real_output(q_x, s_x, z_x, q_w, s_w):
    return np.einsum("ni,ui->nu", s_x * (q_x.astype("float64") - z_x), q_w * np.asarray(s_w)[:, None])


def _in_int8(q_x, s_x, z_x, q_w, s_w):
    return s_x * s_w * ((q_x - np.int8(z_x)) @ q_w.T)


def _bits_needed(inputs):
    bits = 1
    while 2 ** (bits - 1) - 1 < inputs * 255 * 127:
        bits += 1
    return bits


def _judge_four_bits(answer):
    import keras

    from coursekit import data

    (x, y), (x_new, y_new) = data.fashion_mnist(train=600, test=300, seed=4)
    x, x_new = (part.reshape(-1, 784).astype("float32") / 255 for part in (x, x_new))
    network = checks.build(answer, x, y)
    if not isinstance(network, keras.Model):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    logits = checks.forward(network, x_new)
    if logits.shape != (300, 10):
        raise NotYet(f"For 300 pictures I expected outputs of shape **(300, 10)**, got **{logits.shape}**.")
    if checks.sums_to_one(logits):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for.")
    as_float = _loss(y_new, logits)
    weights = network.get_weights()
    network.set_weights([_four_bits(weight) if weight.ndim > 1 else weight for weight in weights])
    in_four_bits = _loss(y_new, checks.forward(network, x_new))
    network.set_weights(weights)
    if in_four_bits < _LOSS:
        return
    if as_float < _LOSS:
        raise NotYet(
            f"With floats its loss on 300 new pictures is {as_float:.2f}, with 4-bit kernels **{in_four_bits:.2f}**; below "
            f"{_LOSS} was asked. Which weights are much larger than the others of their unit?"
        )
    advice = "Was it trained at all?" if not as_float < 2.2 else "Train longer, or with another rate."
    raise NotYet(f"Already with floats its loss on 300 new pictures is **{as_float:.2f}**. {advice}")


def _loss(y, logits):
    top = logits.max(axis=1, keepdims=True)
    shares = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
    return float(-shares[np.arange(len(y)), y].mean())


def _four_bits(kernel):
    scale = np.abs(kernel).max(axis=tuple(range(kernel.ndim - 1))) / 7
    return np.round(kernel / np.where(scale == 0, 1, scale)) * scale


ITEMS = [
    Exercise(
        "quantisation.affine_with_zero",
        hints=(
            "`min(low, 0)` and `max(high, 0)` stretch the range; then it is `affine` of above.",
            "The scale is (high − low)/255, the zero point `round(-128 - low / scale)`.",
        ),
        reference=_affine,
        cases=((0.0, 1.0), (2.0, 6.0), (-1.0, 3.0), (-5.0, -1.0), (-0.5, 0.5)),
        mistakes={
            "It looks as if the range was not stretched to hold 0.": lambda low, high: _affine_with(
                low, high, stretch=False
            ),
            "It looks as if the range was cut into 256 steps; 256 values have 255 steps between them.": (
                lambda low, high: _affine_with(low, high, steps=256)
            ),
            "It looks as if the integers began at 0; int8 begins at −128.": lambda low, high: _affine_with(
                low, high, start=0
            ),
            "It looks as if `low / scale` was added; the zero point is −128 − low/scale.": lambda low, high: (
                _affine_with(low, high, sign=1)
            ),
        },
    ),
    Exercise(
        "quantisation.per_channel",
        hints=(
            "The largest weight of each output channel: `np.abs(kernel).max(axis=…)` over all axes but the last.",
            "`scales = np.abs(kernel).max(axis=(0, 1, 2)) / 127`, then `np.round(kernel / scales), scales`.",
        ),
        reference=lambda kernel: _per_channel(kernel.astype("float64")),
        cases=((_KERNEL[..., :3],), (_KERNEL,), (_KERNEL[:1, :1],)),
        mistakes={
            "It looks as if one scale was taken for the whole kernel.": _per_tensor,
            "It looks as if the largest weight was divided by 128; the integers go from −127 to 127.": (
                lambda kernel: _per_channel(kernel, top=128)
            ),
            "It looks as if the largest weight was looked for without `abs`.": lambda kernel: (
                np.round(kernel / (kernel.max(axis=(0, 1, 2)) / 127)),
                kernel.max(axis=(0, 1, 2)) / 127,
            ),
            "It looks as if the numbers were not rounded to whole ones.": lambda kernel: (
                kernel / _per_channel(kernel)[1],
                _per_channel(kernel)[1],
            ),
        },
    ),
    Exercise(
        "quantisation.real_output",
        hints=(
            "x = s_x · (q_x − z_x) and w = s_w · q_w. The scales come out of the sum.",
            '`(q_x.astype("int32") - z_x) @ q_w.T.astype("int32")`, then times `s_x * s_w`.',
        ),
        reference=_real_output,
        cases=((_Q_X, 0.05, -128, _Q_W, _S_W), (_Q_X, 0.1, 7, _Q_W, _S_W), (_Q_X[:1, :2], 1.0, 0, _Q_W[:, :2], _S_W)),
        mistakes={
            "It looks as if the sum was taken in int8, where it wraps around: take int32.": _in_int8,
            "It looks as if the zero point was left out: x = s_x · (q_x − z_x).": lambda q_x, s_x, z_x, q_w, s_w: (
                _real_output(q_x, s_x, 0, q_w, s_w)
            ),
            "It looks as if the zero point was added; it is taken away.": lambda q_x, s_x, z_x, q_w, s_w: _real_output(
                q_x, s_x, -z_x, q_w, s_w
            ),
            "It looks as if the scale of x is missing.": lambda q_x, s_x, z_x, q_w, s_w: _real_output(
                q_x, 1, z_x, q_w, s_w
            ),
            "It looks as if the scales of w are missing.": lambda q_x, s_x, z_x, q_w, s_w: _real_output(
                q_x, s_x, z_x, q_w, np.ones_like(s_w)
            ),
        },
    ),
    Exercise(
        "quantisation.bits_needed",
        hints=(
            "The largest sum is inputs · 255 · 127. Which n has 2ⁿ⁻¹ − 1 at least as large?",
            "Python's `int.bit_length` counts the bits of a positive number; one more is for the sign.",
        ),
        reference=_bits_needed,
        cases=((784,), (1,), (100,), (66_000,)),
        mistakes={
            "It looks as if the bit for the sign is missing.": lambda inputs: _bits_needed(inputs) - 1,
            "It looks as if one product was counted, not the sum of all.": lambda inputs: _bits_needed(1),
            "It looks as if one bit too many was counted.": lambda inputs: _bits_needed(inputs) + 1,
            "It looks as if the largest sum was returned; its bits were asked for.": lambda inputs: inputs * 255 * 127,
        },
    ),
    Exercise(
        "quantisation.train_for_four_bits",
        hints=(
            "A network that is trained well enough loses little with 4 bits; a hidden layer of 64 units is plenty.",
            "Compile with Adam at 0.002 and the loss from logits; `fit` eight epochs in batches of 30; `return network`.",
        ),
        judge=_judge_four_bits,
    ),
    Quiz(
        "quantisation.zero_point",
        "Activations behind ReLU go from 0 to 5.1. What are scale and zero point?",
        {
            "Scale 0.02, zero point −128": (True, "5.1/255 = 0.02, and the real 0, the lowest value, is −128."),
            "Scale 0.04, zero point 0": (
                False,
                "Then −128 to −1 would stand for negative numbers, which never come: half of the values are wasted.",
            ),
            "Scale 50, zero point −128": (False, "The scale is the real size of one step: 5.1/255."),
        },
    ),
    Quiz(
        "quantisation.outlier",
        "One weight of a matrix is a thousand times larger than all others. What helps?",
        {
            "A wider range for the activations": (False, "The weights are what is rounded to 0."),
            "One scale for each unit in place of one for the matrix": (
                True,
                "Then only the unit with the outlier suffers.",
            ),
            "A zero point other than 0": (False, "It moves the integers; the step is as large as before."),
        },
    ),
    Quiz(
        "quantisation.calibration",
        "The representative data set was not divided by 255. What happens?",
        {
            "The converter raises an error": (False, "It has no way to know. No error was raised."),
            "The accuracy falls to guessing, and nothing is said": (
                True,
                "The scale of the input is 255 times too large, so a picture from 0 to 1 becomes two values.",
            ),
            "Little: only the weights matter": (False, "In full int8 the activations are integers too."),
        },
    ),
    Quiz(
        "quantisation.training",
        "Weights were kept in int8 while SGD trained with rate 0.01. Why did the loss hardly fall?",
        {
            "int8 cannot hold trained weights": (False, "It can: our trained network lost less than half a point."),
            "The gradient was computed wrongly": (False, "The same gradient works at rate 0.1."),
            "Most updates were smaller than half a step and were rounded away": (
                True,
                "With float weights behind the rounded ones, or thin float matrices beside them, small updates add up.",
            ),
        },
    ),
]
