"""Exercises and quiz of chapter 09b."""

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import SECONDS_FOR_A_MODEL, build, judge_compiled

_nan = np.nan
_GAPS = np.array([1.0, _nan, 3.0, 5.0, _nan, _nan, _nan, 1.0, 2.0])
_NO_GAPS = np.array([2.0, 5.0, 3.0])
_SERIES = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])
_RISING = np.array([1.0, 5.0, 2.0, 4.0, 8.0, 5.0, 7.0, 11.0, 9.0])
_TRUTH = np.array([9.0, 12.0, 10.0, 15.0])
_FORECAST = np.array([8.0, 14.0, 9.5, 12.0])


def _fill_gaps(values):
    filled = values.copy()
    for place in np.flatnonzero(np.isnan(values)):
        before, after = place, place
        while np.isnan(values[before]):
            before -= 1
        while np.isnan(values[after]):
            after += 1
        share = (place - before) / (after - before)
        filled[place] = (1 - share) * values[before] + share * values[after]
    return filled


def _fill_forward(values):
    known = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(len(values))))
    return values[known]


def _windows(series, length, horizon):
    both = np.lib.stride_tricks.sliding_window_view(series, length + horizon)
    return both[:, :length, None], both[:, length:]


def _cut(series, length, starts, first, horizon):
    inputs = np.stack([series[start : start + length] for start in starts])
    targets = np.stack([series[start + first : start + first + horizon] for start in starts])
    return inputs[:, :, None], targets


def _scale_by_past(series, border):
    past = series[:border]
    return (series - past.mean()) / past.std()


def _each_by_its_own(series, border):
    parts = [series[:border], series[border:]]
    return np.concatenate([(part - part.mean()) / part.std() for part in parts])


def _seasonal_naive(series, season, horizon):
    return np.resize(series[-season:], horizon)


def _mase(truth, forecast, past, season):
    return np.abs(truth - forecast).mean() / np.abs(past[season:] - past[:-season]).mean()


def _roll_forward(one_step, window, horizon):
    values = list(window)
    for _ in range(horizon):
        values.append(one_step(np.array(values[-len(window) :])))
    return np.array(values[len(window) :])


def sum_of_the_last_two(window):
    return window[-1] + window[-2]


def mean_of_the_window(window):
    return np.mean(window)


def oldest_plus_one(window):
    return window[0] + 1


def _growing(one_step, window, horizon):
    for _ in range(horizon):
        window = np.append(window, one_step(window))
    return window[-horizon:]


def _drop_the_newest(one_step, window, horizon):
    forecasts = []
    for _ in range(horizon):
        forecasts.append(one_step(window))
        window = np.append(forecasts[-1], window[:-1])
    return np.array(forecasts)


def _judge_forecaster(answer):
    network = build(answer, 4)
    if not callable(network):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    random = np.random.default_rng(0)
    x = random.normal(0, 1, (64, 20, 1)).astype("float32")
    output = _forecast(network, x)
    if output.shape == (64, 20, 4):
        raise NotYet(
            "I got a forecast at each step of the window. Only the last state is wanted (no return_sequences)."
        )
    if output.shape == (64, 4):
        try:
            other = _forecast(network, x[:, :13])
        except NotYet:
            raise NotYet(
                "With windows of 20 steps it works, with windows of 13 it fails: leave the time open in "
                "`keras.Input((None, 1))`, and let a recurrent layer read it."
            ) from None
        if other.shape != (64, 4):
            raise NotYet(f"With windows of 13 steps the output has the shape {other.shape}, not (64, 4).")
        if np.allclose(output, _forecast(network, x[:, ::-1]), atol=1e-6):
            raise NotYet(
                "A window read backwards gives the same forecast: the order is not used. Which layer minds it?"
            )
        if output.min() >= 0:
            raise NotYet("The forecasts are never negative: does the last layer have an activation?")
        if _is_bounded(network, x):
            raise NotYet(
                "The forecasts cannot leave the range from −1 to 1. End with a Dense layer without activation."
            )
    y = 0.5 * x[:, -1] + np.array([0.4, -0.4, 0.8, -0.8], "float32")  # (64, 4)
    judge_compiled(network, x, y, (64, 4), learning_steps=30)


def _forecast(network, x):
    return calling.call(lambda: np.asarray(network(x)), seconds=SECONDS_FOR_A_MODEL)[0]


def _is_bounded(network, x):
    """Whether outputs stay within ±1 though all weights are 1,000 times larger."""
    weights = network.get_weights()
    network.set_weights([1_000 * values for values in weights])
    largest = np.abs(_forecast(network, x)).max()
    network.set_weights(weights)
    return largest < 1.001


ITEMS = [
    Exercise(
        "forecasting.fill_gaps",
        hints=(
            "First find the places where a number is known: `np.flatnonzero(~np.isnan(values))`.",
            "`np.interp(x, known_x, known_y)` draws straight lines between known points and reads them at `x`.",
        ),
        reference=_fill_gaps,
        cases=((_GAPS,), (_NO_GAPS,), (np.array([0.0, _nan, _nan, 9.0]),)),
        mistakes={
            "It looks as if gaps were filled with 0.": lambda values: np.nan_to_num(values),
            "It looks as if the last known value was repeated; a straight line to the next one is asked for.": (
                _fill_forward
            ),
            "It looks as if the mean of all values was filled in.": lambda values: np.where(
                np.isnan(values), np.nanmean(values), values
            ),
            "It looks as if the missing values were left out: the array must keep its length.": lambda values: values[
                ~np.isnan(values)
            ],
        },
    ),
    Exercise(
        "forecasting.windows",
        hints=(
            "A series of n values has n - length - horizon + 1 windows whose target still fits.",
            "Window number i is `series[i : i + length]`, its target `series[i + length : i + length + horizon]`; "
            "`inputs[:, :, None]` adds the axis for the feature.",
        ),
        reference=_windows,
        cases=((_SERIES, 3, 1), (_SERIES, 2, 3), (_SERIES, 4, 3), (_RISING, 4, 2)),
        mistakes={
            "It looks as if the last window was lost: n − length − horizon **+ 1** of them fit.": (
                lambda series, length, horizon: tuple(part[:-1] for part in _windows(series, length, horizon))
            ),
            "It looks as if the target begins with the last value of its window: it must begin one step later.": (
                lambda series, length, horizon: _cut(
                    series, length, range(len(series) - length - horizon + 1), length - 1, horizon
                )
            ),
            "It looks as if one value is skipped between a window and its target.": (
                lambda series, length, horizon: _cut(
                    series, length, range(len(series) - length - horizon), length + 1, horizon
                )
            ),
            "The inputs have no axis for the feature: `(examples, length, 1)`.": lambda series, length, horizon: (
                _windows(series, length, horizon)[0][:, :, 0],
                _windows(series, length, horizon)[1],
            ),
            "It looks as if the next window begins where the last one ended; it begins one step later.": (
                lambda series, length, horizon: tuple(part[::length] for part in _windows(series, length, horizon))
            ),
        },
    ),
    Exercise(
        "forecasting.scale_by_past",
        hints=(
            "Which numbers would you know at the border, and which not yet?",
            "`past = series[:border]`, then `(series - np.mean(past)) / np.std(past)`.",
        ),
        reference=_scale_by_past,
        cases=((_RISING, 5), (_SERIES, 4)),
        mistakes={
            "Mean and deviation come from the whole series: the future leaks in.": lambda series, border: (
                (series - series.mean()) / series.std()
            ),
            "It looks as if each part was scaled by its own numbers: the future's are not known yet.": _each_by_its_own,
            "It looks as if mean and deviation come from the future part.": lambda series, border: (
                (series - series[border:].mean()) / series[border:].std()
            ),
            "Only the past came back; the whole series, scaled, is asked for.": lambda series, border: (
                (series[:border] - series[:border].mean()) / series[:border].std()
            ),
            "It looks as if the division by the standard deviation is missing.": lambda series, border: (
                series - series[:border].mean()
            ),
        },
    ),
    Exercise(
        "forecasting.seasonal_naive",
        hints=(
            "The last season is `series[-season:]`. After one season the forecast begins again at its first value.",
            "`step % season` counts 0, 1, …, season − 1, 0, 1, …",
        ),
        reference=_seasonal_naive,
        cases=((_SERIES, 3, 2), (_SERIES, 3, 3), (_SERIES, 3, 8), (_RISING, 4, 6), (_RISING, 1, 3)),
        mistakes={
            "It looks as if the last value was repeated: that is the naive forecast, without a season.": (
                lambda series, season, horizon: np.full(horizon, series[-1])
            ),
            "It looks as if the first season of the series was taken: the newest known one is asked for.": (
                lambda series, season, horizon: np.resize(series[:season], horizon)
            ),
            "The forecast ends after one season; `horizon` may be longer, then the season repeats.": (
                lambda series, season, horizon: series[-season:][:horizon]
            ),
            "It looks as if the last `horizon` values were taken: begin one season back.": (
                lambda series, season, horizon: series[-horizon:]
            ),
        },
    ),
    Exercise(
        "forecasting.mase",
        hints=(
            "The numerator is the mean absolute error of the forecast.",
            "`past[season:] - past[:-season]` is what the seasonal-naive forecast missed at each step of the past.",
        ),
        reference=_mase,
        cases=((_TRUTH, _FORECAST, _RISING, 1), (_TRUTH, _FORECAST, _RISING, 3), (_TRUTH, _TRUTH, _SERIES, 2)),
        mistakes={
            "It looks as if the season was left out: the past is compared with itself `season` steps earlier.": (
                lambda truth, forecast, past, season: _mase(truth, forecast, past, 1)
            ),
            "It looks as if the scale comes from the truth; it comes from the past.": (
                lambda truth, forecast, past, season: _mase(truth, forecast, truth, season)
            ),
            "It looks as if squares were averaged, not absolute values.": lambda truth, forecast, past, season: (
                np.mean((truth - forecast) ** 2) / np.mean((past[season:] - past[:-season]) ** 2)
            ),
            "That is the plain mean absolute error: the division is missing.": lambda truth, forecast, past, season: (
                np.abs(truth - forecast).mean()
            ),
            "It looks as if absolute values are missing: errors up and down cancel.": (
                lambda truth, forecast, past, season: (
                    np.mean(truth - forecast) / np.mean(past[season:] - past[:-season])
                )
            ),
        },
    ),
    Exercise(
        "forecasting.roll_forward",
        hints=(
            "In a loop: ask `one_step` for the next value, keep it, then move the window on by one.",
            "`window = np.append(window[1:], value)` drops the oldest value and adds the newest at the end.",
        ),
        reference=_roll_forward,
        cases=(
            (sum_of_the_last_two, np.array([1.0, 1.0, 2.0]), 5),
            (mean_of_the_window, np.array([0.0, 4.0, 8.0]), 4),
            (oldest_plus_one, np.array([1.0, 5.0, 3.0]), 6),
            (sum_of_the_last_two, np.array([1.0, 2.0]), 1),
        ),
        mistakes={
            "It looks as if the window never moved: each forecast must enter it.": (
                lambda one_step, window, horizon: np.full(horizon, one_step(window))
            ),
            "It looks as if the window grew: drop the oldest value when a new one enters.": _growing,
            "It looks as if the newest value was dropped, or put at the front: the newest stands at the end.": (
                _drop_the_newest
            ),
            "Only the last forecast came back; all of them are asked for.": lambda one_step, window, horizon: (
                _roll_forward(one_step, window, horizon)[-1:]
            ),
            "The window came back together with the forecasts.": lambda one_step, window, horizon: np.concatenate(
                [window, _roll_forward(one_step, window, horizon)]
            ),
        },
    ),
    Exercise(
        "forecasting.build_forecaster",
        hints=(
            "`keras.Input((None, 1))` leaves the length open; a recurrent layer reads the window to one last state.",
            "`layers.GRU(16)`, then `layers.Dense(horizon)` without activation, then `compile` with `adam` and `mse`.",
        ),
        judge=_judge_forecaster,
    ),
    Quiz(
        "forecasting.leak",
        "Perfect memory: 0.4 ppm after a random split, 10 after a split in time. Which one is its error in use?",
        {
            "The mean of both, about 5": (False, "Nothing in use mixes the two. In use all training weeks are older."),
            "0.4, for a random sample is the fairest": (
                False,
                "The weeks around a test window were in the training part, with its targets.",
            ),
            "10, for in use the future is unknown": (
                True,
                "In use there is no window from next week to copy from. The random split leaks it.",
            ),
        },
    ),
    Quiz(
        "forecasting.ceiling",
        "Why did the GRU on levels fall behind the truth?",
        {
            "It had too few epochs for the new years": (
                False,
                "It never trains on the new years, and no input lifts it: for a year at 430 ppm it stayed below 400.",
            ),
            "Its state is bounded, so its output has a ceiling": (
                True,
                "States lie between −1 and 1. Changes stay in the range that it saw, so they have no such trouble.",
            ),
            "The interpolated gaps misled it": (False, "The same gaps are in the changes, and there it kept up."),
        },
    ),
    Quiz(
        "forecasting.alone",
        "Three GRUs are equally good one week ahead, on true values. What follows for their forecasts 52 weeks ahead?",
        {
            "Little: it must be measured, on their own outputs": (
                True,
                "On their own outputs the errors more than tripled, and on average passed a year ago + drift.",
            ),
            "They are equally good there too": (False, "Look at the dashed lines: they part after some weeks."),
            "Their error is 52 times as large": (False, "It more than tripled; it did not grow in proportion."),
        },
    ),
    Quiz(
        "forecasting.baseline",
        "A GRU forecasts the sea 24 hours ahead in January. MAE 0.19 °C; 'no change' has 0.18 °C. What do you use?",
        {
            "The GRU: 0.19 °C is a small error": (
                False,
                "Small beside what? The forecast without any model is better.",
            ),
            "No change, and I go on watching": (
                True,
                "It won in winter. In summer the models won: the judgement must be repeated.",
            ),
            "The GRU, with more units": (False, "Perhaps; but first it must beat the naive forecast, measured."),
        },
    ),
]
