"""Exercises and quiz of chapter 08a."""

import numpy as np

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import judge_classifier, sums_to_one

_RANDOM = np.random.default_rng(8)
_PICTURE = _RANDOM.integers(0, 10, size=(5, 7)).astype("float64")
_KERNEL = np.array([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 3.0, -1.0]])
_BATCH = _RANDOM.integers(-9, 10, size=(2, 4, 6, 2)).astype("float64")
_ODD = _RANDOM.integers(-9, 0, size=(1, 7, 5, 1)).astype("float64")


def _slide(picture, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(picture, kernel.shape)
    return np.einsum("ijab,ab->ij", windows, kernel)


def _output_size(n, k, padding, stride, dilation):
    return len(range(0, n + 2 * padding - dilation * (k - 1), stride))


def _pool(x, size, reduce):
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))
    return reduce(windows[:, ::size, ::size], axis=(-2, -1))


def _max_pool(x, size):
    return _pool(x, size, np.max)


def _receptive_field(stack):
    seen = {0}  # positions that one output sees, from the last layer back to the picture
    for kernel, stride, dilation in reversed(stack):
        seen = {position * stride + tap * dilation for position in seen for tap in range(kernel)}
    return max(seen) - min(seen) + 1


def _compare_sizes(side, k, channels, filters):
    pixels = side**2
    return (k**2 * channels + 1) * filters, (pixels * channels + 1) * pixels * filters


def _field(stack, jump_first=False, dilated=True, strided=True):
    field, jump = 1, 1
    for kernel, stride, dilation in stack:
        if jump_first and strided:
            jump *= stride
        field += (dilation if dilated else 1) * (kernel - 1) * jump
        if not jump_first and strided:
            jump *= stride
    return field


def _judge_convnet(answer):
    import keras

    x, y = np.random.default_rng(0).random((32, 28, 28, 1), "float32") / 4, np.arange(32) % 10
    for picture, label in zip(x, y, strict=True):  # a bright bar, whose height in the picture is the class
        picture[2 * label + 2 : 2 * label + 6] = 1
    network = judge_classifier(answer, (), x, y, classes=10)
    if sums_to_one(np.asarray(network(x))):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for.")
    if network.count_params() >= 10_000:
        raise NotYet(
            f"The model has {network.count_params():,} parameters; fewer than **10,000** were asked for. "
            "Fewer filters, or pooling before `Flatten`, make the dense layer at the end small."
        )
    kinds = [type(layer) for layer in network.layers]
    if sum(issubclass(kind, keras.layers.Conv2D) for kind in kinds) != 2:
        raise NotYet("I expected two `Conv2D` layers, and a dense layer only at the end.")
    pools = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
    if sum(issubclass(kind, pools) for kind in kinds) < 2:
        raise NotYet("I expected a pooling layer after each of the two convolutions.")
    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    if np.asarray(first(x)).min() < 0:
        raise NotYet("The first convolution puts out negative numbers: its activation should be ReLU.")


ITEMS = [
    Exercise(
        "convolution.slide",
        hints=(
            "Two loops over the positions (i, j); at each one `picture[i : i + k, j : j + k]` is the patch.",
            "`(patch * kernel).sum()` is the entry (i, j) of the output, which has `height - k + 1` rows.",
        ),
        reference=_slide,
        cases=((np.arange(16.0).reshape(4, 4), np.eye(2)), (_PICTURE, _KERNEL), (_PICTURE, np.array([[2.0]]))),
        mistakes={
            "It looks as if the kernel was turned by 180° first; the formula above does not.": lambda p, k: _slide(
                p, k[::-1, ::-1]
            ),
            "It looks as if the kernel was turned over its diagonal: rows of the kernel go with rows of the patch.": (
                lambda p, k: _slide(p, k.T)
            ),
            "It looks as if the mean was taken, not the sum.": lambda p, k: _slide(p, k) / k.size,
            "It looks as if the kernel jumped by its own size; it moves by one pixel.": lambda p, k: _slide(p, k)[
                :: len(k), :: len(k)
            ],
            "It looks as if the last row and column of positions were left out: there are height − k + 1 of them.": (
                lambda p, k: _slide(p, k)[:-1, :-1]
            ),
        },
    ),
    Exercise(
        "convolution.output_size",
        hints=(
            "With dilation the kernel spans `dilation * (k - 1) + 1` pixels; padding adds to both sides.",
            "`//` divides and rounds down: `(n + 2 * padding - dilation * (k - 1) - 1) // stride + 1`.",
        ),
        reference=_output_size,
        cases=(
            (28, 3, 0, 1, 1),
            (28, 3, 1, 1, 1),
            (28, 5, 2, 2, 1),
            (28, 3, 2, 1, 2),
            (10, 4, 0, 3, 2),
            (7, 3, 0, 3, 1),
        ),
        mistakes={
            "It looks as if padding was counted on one side only.": lambda n, k, p, s, d: (
                (n + p - d * (k - 1) - 1) // s + 1
            ),
            "It looks as if dilation was left out.": lambda n, k, p, s, d: (n + 2 * p - k) // s + 1,
            "It looks as if the division was not rounded down.": lambda n, k, p, s, d: (
                (n + 2 * p - d * (k - 1) - 1) / s + 1
            ),
            "It looks as if the 1 at the end was forgotten: the first position counts too.": lambda n, k, p, s, d: (
                (n + 2 * p - d * (k - 1) - 1) // s
            ),
            "It looks as if the kernel spans d·k pixels; its gaps lie between its entries: d(k − 1) + 1.": (
                lambda n, k, p, s, d: (n + 2 * p - d * k) // s + 1
            ),
        },
        tolerance=1e-9,
    ),
    Exercise(
        "convolution.max_pool",
        hints=(
            "Cut off what is left over: `x[:, : rows * size, : columns * size]` with `rows = height // size`.",
            "`reshape(pictures, rows, size, columns, size, channels)`, then `.max(axis=(2, 4))`.",
        ),
        reference=_max_pool,
        cases=((_BATCH, 2), (_ODD, 2), (_BATCH, 3)),
        mistakes={
            "It looks as if the mean was taken; max pooling keeps the largest entry.": lambda x, size: _pool(
                x, size, np.mean
            ),
            "It looks as if the blocks overlap: they lie side by side.": lambda x, size: np.max(
                np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2)), axis=(-2, -1)
            ),
            "It looks as if only the top left entry of each block was kept.": lambda x, size: x[
                :, : x.shape[1] // size * size : size, : x.shape[2] // size * size : size
            ],
            "It looks as if the rest at the end became a block of its own, filled with zeros; it is left out.": (
                lambda x, size: _max_pool(
                    np.pad(x, ((0, 0), (0, -x.shape[1] % size), (0, -x.shape[2] % size), (0, 0))), size
                )
            ),
            "It looks as if the largest of all channels was taken; each channel is pooled on its own.": lambda x, size: (
                _max_pool(x, size).max(axis=-1, keepdims=True) + np.zeros(x.shape[-1])
            ),
        },
    ),
    Exercise(
        "convolution.receptive_field",
        hints=(
            "Keep two numbers, the field and the jump, both 1 at the beginning.",
            "For each layer: add `dilation * (kernel - 1) * jump` to the field, and only then multiply the jump.",
        ),
        reference=_receptive_field,
        cases=(
            ([(3, 1, 1)],),
            ([(3, 1, 1), (3, 1, 1), (3, 1, 1)],),
            ([(3, 1, 1), (2, 2, 1), (5, 1, 1)],),
            ([(3, 1, 1), (3, 1, 2), (3, 1, 4)],),
            ([(7, 2, 1), (3, 2, 1), (3, 1, 3), (3, 1, 1)],),
        ),
        mistakes={
            "It looks as if the jump grew before the field: a layer's own stride counts only for later layers.": (
                lambda stack: _field(stack, jump_first=True)
            ),
            "It looks as if strides were left out: after a stride of 2 each later pixel counts twice.": lambda stack: (
                _field(stack, strided=False)
            ),
            "It looks as if dilation was left out.": lambda stack: _field(stack, dilated=False),
            "It looks as if the kernels were added up; each layer adds its kernel minus one.": lambda stack: sum(
                kernel for kernel, _, _ in stack
            ),
            "It looks as if the field started at 0; a picture's own pixel sees itself.": lambda stack: (
                _field(stack) - 1
            ),
        },
        tolerance=1e-9,
    ),
    Exercise(
        "convolution.compare_sizes",
        hints=(
            "A filter has k·k weights for each channel and one bias, wherever it looks.",
            "The Dense layer has side·side·channels inputs and side·side·filters outputs.",
        ),
        reference=_compare_sizes,
        cases=((28, 3, 1, 32), (8, 5, 3, 4), (1, 1, 2, 3)),
        mistakes={
            "It looks as if the biases were forgotten.": lambda n, k, c, f: (k * k * c * f, n**4 * c * f),
            "It looks as if every position had a bias of its own; a filter has one.": lambda n, k, c, f: (
                k * k * c * f + n * n * f,
                (n * n * c + 1) * n * n * f,
            ),
            "It looks as if a filter looked at one channel only; it looks at all of them.": lambda n, k, c, f: (
                (k * k + 1) * f,
                (n * n * c + 1) * n * n * f,
            ),
            "It looks as if the two numbers came in the other order: the convolution first.": lambda n, k, c, f: (
                _compare_sizes(n, k, c, f)[::-1]
            ),
            "It looks as if the Dense layer had one output a filter; it needs one at each position.": (
                lambda n, k, c, f: ((k * k * c + 1) * f, (n * n * c + 1) * f)
            ),
        },
        tolerance=1e-9,
    ),
    Exercise(
        "convolution.build_convnet",
        hints=(
            '`layers.Conv2D(8, 3, padding="same", activation="relu")`, `layers.MaxPooling2D(2)`, the same with 16 filters.',
            "`layers.Flatten()`, `layers.Dense(10)` without activation; then `network.compile(…)` and `return network`.",
        ),
        judge=_judge_convnet,
    ),
    Quiz(
        "convolution.sum",
        "A 3×3 kernel lies on an area where every pixel is 0.4. Its entries sum to 0. What comes out?",
        {
            "0.4": (False, "That needs entries that sum to 1, as those of blur and sharpen do."),
            "0": (True, "Every pixel is the same, so the sum is 0.4 times the sum of the entries."),
            "It depends on where the negative entries stand": (
                False,
                "Not on a flat area: each entry meets the same pixel.",
            ),
        },
    ),
    Quiz(
        "convolution.shuffle",
        "All pictures get their pixels in one new random order. Which of our networks suffered?",
        {
            "All, about equally": (
                False,
                "The dense ones stayed within three points: they never knew which pixels are neighbours.",
            ),
            "The dense ones": (
                False,
                "Order means nothing to it: the rows of its weights change place, and that is all.",
            ),
            "The convolutional one": (
                True,
                "Neighbours no longer belong together, so its promise about them is broken.",
            ),
        },
    ),
    Quiz(
        "convolution.field",
        "Two 3×3 convolutions, stride 1, no dilation: how wide is the receptive field?",
        {
            "3": (False, "That is one of them alone."),
            "5": (True, "1 + 2 + 2. Two of them see as far as one 5×5, with 18 weights in place of 25."),
            "6": (False, "Each layer adds its kernel minus one, not its kernel."),
        },
    ),
    Quiz(
        "convolution.shared",
        "A convolution from 1 to 32 channels with 3×3 kernels and biases: what happens to its 320 parameters when the picture is twice as wide?",
        {
            "Nothing": (True, "The weights are shared by all positions; only the output grows."),
            "They double": (
                False,
                "A dense layer's would grow; a convolution uses the same weights at every position.",
            ),
            "They become four times as many": (False, "Width and height enter the output, not the kernel."),
        },
    ),
]
