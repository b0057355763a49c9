"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 09b."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _fill_with_pandas(values):
    import pandas

    return pandas.Series(values).interpolate().to_numpy()


def _fill_float32(values):
    filled = values.astype("float32")
    known = np.flatnonzero(~np.isnan(values))
    for left, right in zip(known, known[1:], strict=False):
        filled[left : right + 1] = np.linspace(values[left], values[right], right - left + 1)
    return filled


def _windows_with_tf(series, length, horizon):
    both = tf.signal.frame(tf.constant(series), length + horizon, 1)
    return both[:, :length, tf.newaxis], both[:, length:]


def _windows_with_keras(series, length, horizon):
    at = np.arange(len(series) - length - horizon + 1)[:, None]
    series = ops.convert_to_tensor(series, "float32")
    inputs = ops.take(series, at + np.arange(length))
    return ops.expand_dims(inputs, -1), ops.take(series, at + np.arange(length, length + horizon))


def _scale_with_keras(series, border):
    past = ops.convert_to_tensor(series[:border], "float32")
    return (ops.cast(series, "float32") - ops.mean(past)) / ops.std(past)


def _season_in_a_loop(series, season, horizon):
    series = list(series)
    for _ in range(horizon):
        series.append(series[-season])
    return np.array(series[-horizon:])


def _mase_with_keras(truth, forecast, past, season):
    error = ops.mean(keras.losses.mean_absolute_error(truth[None], forecast[None]))
    return error / ops.mean(ops.abs(past[season:] - past[:-season]))


def _roll_list(one_step, window, horizon):
    window, forecasts = list(window), []
    while len(forecasts) < horizon:
        forecasts.append(float(one_step(np.array(window))))
        window = [*window[1:], forecasts[-1]]
    return forecasts and np.array(forecasts)


def _roll_with_numpy(one_step, window, horizon):
    window, forecasts = window.copy(), np.zeros(horizon, "float32")
    for step in range(horizon):
        forecasts[step] = one_step(window)
        window[:-1], window[-1] = window[1:].copy(), forecasts[step]
    return forecasts


def _roll_in_place(one_step, window, horizon):
    forecasts = []
    for _ in range(horizon):
        forecasts.append(one_step(window))
        window[:-1] = window[1:].copy()
        window[-1] = forecasts[-1]
    return np.array(forecasts)


def _forecaster(*middle, last=None, optimizer="adam", loss="mse", compiled=True, time=None, outputs=None):
    def build_forecaster(horizon):
        stack = [make() for make in middle]
        network = keras.Sequential([keras.Input((time, 1)), *stack, layers.Dense(outputs or horizon, last)])
        if compiled:
            network.compile(optimizer, loss)
        return network

    return build_forecaster


def _functional(horizon):
    window = keras.Input((None, 1))
    hidden = layers.LSTM(12, return_sequences=True)(window)
    network = keras.Model(window, layers.Dense(horizon)(layers.SimpleRNN(12)(hidden)))
    network.compile(keras.optimizers.Adam(0.003), keras.losses.MeanAbsoluteError())
    return network


def _no_head(horizon):
    network = keras.Sequential([keras.Input((None, 1)), layers.GRU(horizon)])
    network.compile("adam", "mse")
    return network


RIGHT = {
    "fill_gaps": [_fill_with_pandas, _fill_float32],
    "windows": [_windows_with_tf, _windows_with_keras],
    "scale_by_past": [
        _scale_with_keras,
        lambda series, border: (series - sum(series[:border]) / border) / np.sqrt(np.var(series[:border])),
    ],
    "seasonal_naive": [
        _season_in_a_loop,
        lambda series, season, horizon: np.tile(series[-season:], horizon // season + 1)[:horizon],
    ],
    "mase": [
        _mase_with_keras,
        lambda truth, forecast, past, season: (
            np.abs(np.float32(truth - forecast)).mean()
            / np.mean([abs(past[i] - past[i - season]) for i in range(season, len(past))])
        ),
    ],
    "roll_forward": [_roll_list, _roll_with_numpy],
    "build_forecaster": [_functional, _forecaster(lambda: layers.GRU(24), optimizer="rmsprop", loss="mae")],
}

WRONG = {
    "fill_gaps": [
        (lambda values: np.nan_to_num(values, nan=0.0), "filled with 0"),
        (lambda values: np.where(np.isnan(values), np.nanmean(values), values), "mean of all values"),
        (lambda values: values[~np.isnan(values)], "must keep its length"),
        (lambda values: values, "expected"),
    ],
    "windows": [
        (
            lambda series, length, horizon: tuple(part[:-1] for part in _windows_with_keras(series, length, horizon)),
            "last window was lost",
        ),
        (
            lambda series, length, horizon: (
                _windows_with_tf(series, length, horizon)[0][:, :, 0],
                _windows_with_tf(series, length, horizon)[1],
            ),
            "no axis for the feature",
        ),
        (lambda series, length, horizon: _windows_with_tf(series, length, horizon)[0], "2 values"),
        (
            lambda series, length, horizon: (
                _windows_with_tf(series, length, horizon)[0],
                _windows_with_tf(series, length - 1, horizon)[1][:-1],
            ),
            "begins with the last value of its window",
        ),
    ],
    "scale_by_past": [
        (lambda series, border: (series - np.mean(series)) / np.std(series), "the future leaks in"),
        (lambda series, border: series - np.mean(series[:border]), "division by the standard deviation is missing"),
        (lambda series, border: series[:border] / 2, "expected the shape"),
        (lambda series, border: (series - series.min()) / np.ptp(series), "expected"),
    ],
    "seasonal_naive": [
        (lambda series, season, horizon: np.repeat(series[-1], horizon), "without a season"),
        (lambda series, season, horizon: series[-season:][:horizon], "the season repeats"),
        (lambda series, season, horizon: np.resize(series[:season], horizon), "first season of the series"),
        (lambda series, season, horizon: [series[-season + step] for step in range(horizon)], "expected|raised"),
    ],
    "mase": [
        (lambda truth, forecast, past, season: np.mean(np.abs(truth - forecast)), "division is missing"),
        (
            lambda truth, forecast, past, season: (
                np.mean(np.abs(truth - forecast)) / np.mean(np.abs(past[1:] - past[:-1]))
            ),
            "season was left out",
        ),
        (
            lambda truth, forecast, past, season: (
                np.mean((truth - forecast) ** 2) / np.mean((past[season:] - past[:-season]) ** 2)
            ),
            "squares were averaged",
        ),
        (lambda truth, forecast, past, season: print(1.0), "Is a `return` missing?"),
    ],
    "roll_forward": [
        (lambda one_step, window, horizon: np.array([one_step(window)] * horizon), "never moved"),
        (lambda one_step, window, horizon: one_step(window), "expected the shape"),
        (_roll_in_place, "changed its argument"),
        (
            lambda one_step, window, horizon: np.append(window, _roll_list(one_step, window, horizon)),
            "came back together",
        ),
    ],
    "build_forecaster": [
        (_forecaster(lambda: layers.GRU(8, return_sequences=True)), "at each step of the window"),
        (_forecaster(layers.Flatten, lambda: layers.Dense(8), time=20), "with windows of 13 it fails"),
        (_forecaster(layers.GlobalAveragePooling1D), "the order is not used"),
        (_forecaster(lambda: layers.GRU(8), last="relu"), "never negative"),
        (_no_head, "cannot leave the range"),
        (_forecaster(lambda: layers.GRU(8), outputs=1), "outputs of shape"),
        (_forecaster(lambda: layers.GRU(8), compiled=False), "not compiled"),
        (_forecaster(lambda: layers.GRU(8), optimizer=keras.optimizers.SGD(0.0)), "does not learn"),
        (lambda horizon: print(horizon), "return"),
    ],
}
