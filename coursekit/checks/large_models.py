"""Exercises and quiz of chapter 12a."""

import numpy as np

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build, forward, judge_compiled, judge_loss_of_classes, sums_to_one

_SIZES = np.array([2_000.0, 5_000.0, 20_000.0, 60_000.0])
_LOSSES = 9.0 * _SIZES**-0.15
_NOISY = _LOSSES * np.array([1.01, 0.99, 1.0, 1.02])
_VOCABULARY, _CONTEXT, _BUDGET = 60, 16, 64_000


def _count(vocabulary, context, width, depth):
    return vocabulary * width + context * width + depth * (12 * width**2 + 13 * width) + 2 * width


def _widest(parameters, vocabulary, context, depth, step=8, count=_count, above=False):
    widths = [0, *range(step, 20_000, step)]
    fitting = [width for width in widths if width == 0 or count(vocabulary, context, width, depth) <= parameters]
    return fitting[-1] + (step if above else 0)


def _training_days(parameters, tokens, devices, peak, utilisation):
    return 6 * parameters * tokens / devices / peak / utilisation / (24 * 60 * 60)


def _cache_bytes(depth, width, tokens, sequences, bytes_each):
    return depth * (width + width) * tokens * sequences * bytes_each


def _fit_power_law(sizes, losses):
    slope, start = np.polyfit(np.log(sizes), np.log(losses), 1)
    return float(np.exp(start)), float(-slope)


def _judge_budget(answer):
    random = np.random.default_rng(0)
    starts = random.integers(1, _VOCABULARY, (32, 1))
    rows = (starts + np.arange(_CONTEXT + 1)) % (_VOCABULARY - 1) + 1  # each id is the one before plus 1
    x, y = rows[:, :-1], rows[:, 1:]
    network = build(answer, _VOCABULARY, _CONTEXT, _BUDGET)
    output = forward(network, x)
    if sums_to_one(output):
        raise NotYet("The output is probabilities already: leave the softmax out, logits were asked for.")
    if hasattr(network, "count_params") and output.shape == (32, _CONTEXT, _VOCABULARY):
        _judge_count(network.count_params())
        _judge_causal(network, x)
        judge_loss_of_classes(network, y, _VOCABULARY)
    judge_compiled(network, x, y, (32, _CONTEXT, _VOCABULARY), learning_steps=30)


def _judge_count(count):
    if count > _BUDGET:
        raise NotYet(f"The budget is {_BUDGET:,} parameters, and your model has **{count:,}**: too many.")
    if count < 0.9 * _BUDGET:
        raise NotYet(f"Your model has **{count:,}** parameters and leaves over a tenth of the {_BUDGET:,} unused.")


def _judge_causal(network, x):
    other = x.copy()
    other[:, -1] = other[:, -1] % (_VOCABULARY - 1) + 1
    if not np.allclose(forward(network, x)[:, :-1], forward(network, other)[:, :-1], atol=1e-5):
        raise NotYet("Changing the last id moved earlier outputs: the model sees the future. Is the mask causal?")
    other = x.copy()
    other[:, 0] = other[:, 0] % (_VOCABULARY - 1) + 1
    if np.allclose(forward(network, x)[:, -1], forward(network, other)[:, -1], atol=1e-7):
        raise NotYet("Changing the first id did not move the last output: the model does not look back.")


ITEMS = [
    Exercise(
        "large_models.widest",
        hints=(
            "The count grows with the width, so try 8, 16, 24, … until it is over the budget.",
            "`sum(parts(vocabulary, context, width, depth).values())` is the count; return the last width that fits.",
        ),
        reference=_widest,
        cases=(
            (100_000, 51, 32, 2),
            (1_000_000, 51, 32, 2),
            (_count(1_000, 128, 96, 5), 1_000, 128, 5),
            (124_000_000, 50_257, 1_024, 12),
            (500, 51, 32, 2),
        ),
        mistakes={
            "It looks as if the first width over the budget was returned, not the last that fits.": lambda n, v, c, d: (
                _widest(n, v, c, d, above=True)
            ),
            "It looks as if every whole number was tried; the width is a multiple of 8.": lambda n, v, c, d: _widest(
                n, v, c, d, step=1
            ),
            "It looks as if the two tables were left out; they are parameters too.": lambda n, v, c, d: _widest(
                n, 0, 0, d
            ),
            "It looks as if a model that uses the whole budget was refused; at most means up to and with.": (
                lambda n, v, c, d: _widest(n - 1, v, c, d)
            ),
            "It looks as if one block was counted; there are `depth` of them.": lambda n, v, c, d: _widest(n, v, c, 1),
            "It looks as if the token table was counted twice; a GPT uses one table at both ends.": lambda n, v, c, d: (
                _widest(n, 2 * v, c, d)
            ),
        },
    ),
    Exercise(
        "large_models.training_days",
        hints=(
            "Operations divided by operations a second gives seconds; a day has 86,400.",
            "All devices together reach `devices * peak * utilisation` FLOP/s.",
        ),
        reference=_training_days,
        cases=(
            (174.6e9, 300e9, 1_000, 312e12, 0.4),
            (109e6, 131e9, 16, 45e12, 0.3),
            (1e9, 20e9, 1, 1e14, 0.5),
        ),
        mistakes={
            "It looks as if only the forward pass was counted: 2 N D; training takes 6.": lambda *a: (
                _training_days(*a) / 3
            ),
            "It looks as if N D was counted once; it is 6 N D.": lambda *a: _training_days(*a) / 6,
            "It looks as if the peak was taken as reached; multiply it by the utilisation.": lambda n, t, d, p, u: (
                _training_days(n, t, d, p, 1)
            ),
            "It looks as if one device did all the work.": lambda n, t, d, p, u: _training_days(n, t, 1, p, u),
            "It looks as if seconds were returned; a day has 86,400.": lambda *a: _training_days(*a) * 86_400,
            "It looks as if hours were returned.": lambda *a: _training_days(*a) * 24,
            "It looks as if the time was multiplied by the utilisation; a low one makes it longer.": (
                lambda n, t, d, p, u: _training_days(n, t, d, p, u) * u**2
            ),
        },
    ),
    Exercise(
        "large_models.cache_bytes",
        hints=(
            "How many numbers does one layer keep for one token? Then multiply up to all layers, tokens and texts.",
            "A key and a value: `2 * width` numbers a layer and token, `bytes_each` bytes a number.",
        ),
        reference=_cache_bytes,
        cases=((96, 12_288, 2_048, 1, 2), (12, 768, 1_024, 8, 4), (2, 64, 10, 3, 1)),
        mistakes={
            "It looks as if only the keys (or only the values) were counted.": lambda *a: _cache_bytes(*a) / 2,
            "It looks as if the query was kept too; nobody asks for an old query.": lambda *a: _cache_bytes(*a) * 1.5,
            "It looks as if one layer was counted.": lambda d, w, t, s, b: _cache_bytes(1, w, t, s, b),
            "It looks as if one text was counted.": lambda d, w, t, s, b: _cache_bytes(d, w, t, 1, b),
            "It looks as if numbers were counted, not bytes.": lambda d, w, t, s, b: _cache_bytes(d, w, t, s, 1),
            "It looks as if the square of the tokens was taken; the cache keeps keys and values, not scores.": (
                lambda d, w, t, s, b: _cache_bytes(d, w, t * t, s, b)
            ),
        },
    ),
    Exercise(
        "large_models.fit_power_law",
        hints=(
            "Logarithms make it a line: log loss = log coefficient − exponent · log size.",
            "`slope, start = np.polyfit(np.log(sizes), np.log(losses), 1)`; the exponent is `-slope`.",
        ),
        reference=_fit_power_law,
        cases=((_SIZES, _LOSSES), (_SIZES, _NOISY), (_SIZES[:2], np.array([4.0, 1.0]))),
        tolerance=1e-4,
        mistakes={
            "It looks as if the sign of the exponent is missing: it is positive when the loss falls.": (
                lambda x, y: (_fit_power_law(x, y)[0], -_fit_power_law(x, y)[1])
            ),
            "It looks as if the logarithm of the coefficient was returned; undo it with exp.": lambda x, y: (
                np.log(_fit_power_law(x, y)[0]),
                _fit_power_law(x, y)[1],
            ),
            "It looks as if the two are in the other order: first the coefficient.": lambda x, y: _fit_power_law(x, y)[
                ::-1
            ],
            "It looks as if a line was fitted to the numbers themselves, without logarithms.": lambda x, y: (
                np.polyfit(x, y, 1)[1],
                -np.polyfit(x, y, 1)[0],
            ),
            "It looks as if only the loss was taken to logarithms.": lambda x, y: (
                np.exp(np.polyfit(x, np.log(y), 1)[1]),
                -np.polyfit(x, np.log(y), 1)[0],
            ),
        },
    ),
    Exercise(
        "large_models.build_to_budget",
        hints=(
            "`widest` (or `parts`) tells the width for a depth; the chapter's `gpt` builds the model.",
            "Take depth 2, `gpt(vocabulary, context, widest(...), 2, 2)`, and compile it with Adam and "
            "`keras.losses.SparseCategoricalCrossentropy(from_logits=True)`. Too few? Another depth, or a finer width.",
        ),
        judge=_judge_budget,
    ),
    Quiz(
        "large_models.six",
        "Why 6 N FLOPs a token in training, and not 2 N?",
        {
            "Adam makes four more operations a weight": (
                False,
                "Adam works once a step, whatever the number of tokens in the batch.",
            ),
            "The backward pass has two more products for each product of the forward pass": (
                True,
                "One for the gradient of the weights, one for that of the inputs: the graph had exactly three times as many.",
            ),
            "Each batch is read three times": (False, "Once; but the error goes back through each layer."),
        },
    ),
    Quiz(
        "large_models.width",
        "All layers of a GPT become twice as wide. What happens to the parameters of its blocks and of its token table?",
        {
            "Both double": (False, "The matrices of a block have d rows and d columns: both double."),
            "About four times in the blocks, twice in the table": (
                True,
                "12 d² against V d: this is why the table hardly counts in GPT-3.",
            ),
            "Four times in both": (False, "The table has V rows, whatever the width; only its columns double."),
        },
    ),
    Quiz(
        "large_models.reach",
        "A power law of five small models, each trained for 2,500 steps, predicts two larger ones well. What may you say of "
        "a model a million times larger?",
        {
            "Its loss, with the same small error": (
                False,
                "The law was tested on less than four times the largest size it had seen, on one data set.",
            ),
            "Nothing that we measured: other data, other tokens, far outside the tested range": (
                True,
                "Published laws come from runs that span many powers of ten, and they too were revised. Ours holds for "
                "2,500 steps and one seed.",
            ),
            "Which tasks it can do": (False, "The law speaks of a loss. It names no task at all."),
        },
    ),
    Quiz(
        "large_models.threshold",
        '"Large means more than 100 million parameters." What does this say about what a model can do?',
        {
            "That it is better than one with 50 million": (
                False,
                "Within one family, trained alike, larger was better. The count alone does not say it: we gave a network a "
                "hundred times the parameters and not one answer changed.",
            ),
            "By itself nothing: the number says how much memory it takes": (
                True,
                "What it can do has to be measured on a task, against a baseline.",
            ),
            "That it understands language": (False, "A count of numbers says nothing about language."),
        },
    ),
]
