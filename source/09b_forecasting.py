# ---
# title: Forecasting
# promise: You will forecast real series one step and many steps ahead, and face the naive forecasts.
# built: You cut real series into windows, wrote the naive forecasts, and measured a GRU beside them one and many steps ahead.
# minutes: 80
# prerequisites: [09a_recurrent_cells]
# data: [co2, sea_temperature, sunspots]
# articles: [a3 3.3, a3 4.3]
# clinic: []
# topic: forecasting
# ---

# %% [markdown]
# **What you will be able to do**
#
# - fill gaps in a time series (时间序列), cut it into windows, and split it in time without a leak;
# - judge a forecast (预测) beside the naive ones, in its own unit and as MASE;
# - train a GRU that can follow a trend and a season (趋势, 季节性);
# - forecast many steps ahead in two ways, and measure what teacher forcing (教师强制) hides;
# - say when no network is needed.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## A forecaster with a perfect memory
#
# Since 1958 the air on Mauna Loa, Hawaii, is measured for carbon dioxide (CO2), in parts per million (ppm). How much
# will there be in each of the next 52 weeks? In a moment a very plain method will miss by only 0.4 ppm on weeks that
# it was not given. Then the same method will miss by 10. Only the split changes. First the data.

# %%
import types

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

weeks, measured = ck.data.co2()  # (weeks,) each
missing = np.isnan(measured)
edges = np.flatnonzero(np.diff(np.concatenate([[0], missing, [0]])))
gaps = edges[1::2] - edges[::2]  # the length of each gap
assert (len(weeks), missing.sum(), len(gaps), gaps.max()) == (2284, 59, 22, 18)
assert np.all(np.diff(weeks).astype(int) == 7)
print(f"{len(weeks):,} weeks, {missing.sum()} missing in {len(gaps)} gaps, the longest {gaps.max()} weeks")

# %% [markdown]
# A network cannot read `nan`. We fill each gap with a straight line between its neighbours (interpolation). That is a
# guess with help from the future, so it must not touch the weeks we judge by: those from 1990 on have no gap, the
# next cell checks.
#
# ### Exercise 9b.1 · Fill the gaps · ●○○ · 5 minutes
# Write `fill_gaps(values)`: a copy of the array in which each run of `nan` lies on the straight line between the
# number before it and the number after it. The first and the last value are given.


# %% tags=["exercise"]
def fill_gaps(values):
    ### BEGIN SOLUTION
    known = np.flatnonzero(~np.isnan(values))
    return np.interp(np.arange(len(values)), known, values[known])
    ### END SOLUTION


# %% tags=["check"]
ck.check("forecasting.fill_gaps", fill_gaps)

# %%
co2 = np.interp(np.arange(len(weeks)), np.flatnonzero(~missing), measured[~missing])
border = int(np.flatnonzero(weeks >= np.datetime64("1990-01-01"))[0])  # before: the past; from here: to judge by
assert not missing[border:].any() and len(co2) - border == 626

figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), width_ratios=[3, 2])
axes[0].plot(weeks[:border], co2[:border], label="past")
axes[0].plot(weeks[border:], co2[border:], "--", label="to judge by")
axes[0].set(title="CO2 at Mauna Loa", xlabel="year", ylabel="CO2 (ppm)")
axes[0].legend()
for number, year in enumerate([1986, 1987, 1988]):
    inside = weeks.astype("datetime64[Y]") == np.datetime64(str(year))
    axes[1].plot(co2[inside], ["-", "--", ":"][number], color=f"C{number}", label=str(year))
axes[1].set(title="Three years: season and trend", xlabel="week of the year", ylabel="CO2 (ppm)")
axes[1].legend()
ck.show(
    figure, alt="CO2 rises from 316 to 371 ppm in a yearly wave; three single years have the same shape, each higher"
)

# %% [markdown]
# Two things repeat: the trend (up every year) and the season (high in May, low in autumn).
#
# ## Windows
#
# A window is `length` values in a row; the target is the next `horizon` values. Sliding on by one step gives the next
# example:
#
# $$ \text{input}_i = (s_i, \dots, s_{i+L-1}), \qquad \text{target}_i = (s_{i+L}, \dots, s_{i+L+H-1}) $$
#
# ### Exercise 9b.2 · Cut the windows · ●●○ · 8 minutes
# Write `windows(series, length, horizon)`. It returns two arrays: inputs `(examples, length, 1)`, the shape that a
# recurrent layer reads (one feature), and targets `(examples, horizon)`. Use every window whose target still fits.


# %% tags=["exercise"]
def windows(series, length, horizon):
    ### BEGIN SOLUTION
    starts = range(len(series) - length - horizon + 1)
    inputs = np.stack([series[start : start + length] for start in starts])
    targets = np.stack([series[start + length : start + length + horizon] for start in starts])
    return inputs[:, :, None], targets
    ### END SOLUTION


# %% tags=["check"]
ck.check("forecasting.windows", windows)

# %%
LENGTH = 52  # steps in every window of this chapter


def windows_of(series, horizon):
    """Inputs (examples, 52) and targets (examples, horizon) of all windows of `series`."""
    both = np.lib.stride_tricks.sliding_window_view(series, LENGTH + horizon)
    return both[:, :LENGTH], both[:, LENGTH:]


inputs, targets = windows_of(co2, 1)
by_keras = keras.utils.timeseries_dataset_from_array(co2[:-1], co2[LENGTH:], LENGTH, batch_size=None)
keras_inputs, keras_targets = zip(*by_keras.as_numpy_iterator(), strict=True)
assert np.allclose(inputs, keras_inputs) and np.allclose(targets[:, 0], keras_targets)
print(f"{len(inputs):,} windows, the same as Keras's; windows 0 and 1 share {LENGTH - 1} of {LENGTH} values")

# %% [markdown]
# ## Split in time
#
# Now the perfect memory. It keeps all training windows; for a new one it finds the most similar and repeats what
# followed. We test it twice on a quarter of the windows: a random quarter, and the last quarter. **Guess first:** how
# large is the difference?


# %%
def recall(seen, followed, asked):
    """What followed the most similar window that was seen, for each window asked."""
    squared = (seen**2).sum(axis=1) - 2 * asked @ seen.T  # distance, up to a part that is the same for all
    return followed[squared.argmin(axis=1)]


def mean_error(truth, forecast):
    return float(np.mean(np.abs(truth - forecast)))  # MAE, in the unit of the series


inputs, targets = windows_of(co2, 52)
count = 3 * len(inputs) // 4
shuffled = np.random.default_rng(0).permutation(len(inputs))
kept = {"random split": shuffled[:count], "split in time": np.arange(count - 103)}  # no target reaches over the border
memory = {}
for name, chosen in kept.items():
    rest = shuffled[count:] if name == "random split" else np.arange(count, len(inputs))
    memory[name] = mean_error(targets[rest], recall(inputs[chosen], targets[chosen], inputs[rest]))
    no_change = mean_error(targets[rest], inputs[rest, -1:])
    print(f"{name}: memory misses by {memory[name]:4.1f} ppm, 'no change' by {no_change:.1f} ppm")
assert 0.39 < memory["random split"] < 0.41 and 10 < memory["split in time"] < 10.4

# %% [markdown]
# A random split claims 0.4 ppm; split in time it is 10. The window that starts one week earlier is in the training
# part and holds nearly the same numbers, *target included*. That is leakage. So: **the past trains, the future
# judges**, nothing is shuffled across the border, and no target reaches over it. Scales are fitted on the past too.
#
# ### Exercise 9b.3 · Scale by the past · ●○○ · 4 minutes
# Write `scale_by_past(series, border)`: the whole series, minus a mean, divided by a standard deviation (`np.std`);
# both come from `series[:border]` alone.


# %% tags=["exercise"]
def scale_by_past(series, border):
    ### BEGIN SOLUTION
    past = series[:border]
    return (series - np.mean(past)) / np.std(past)
    ### END SOLUTION


# %% tags=["check"]
ck.check("forecasting.scale_by_past", scale_by_past)

# %% [markdown]
# ## The forecasts to beat
#
# - **naive**: no change, the last value stays;
# - **seasonal-naive**: as a year ago. A window of 52 weeks *is* this forecast for the next 52;
# - **a year ago + drift**: plus the mean yearly rise of the past.
#
# We forecast from every week from 1990 on.

# %%
recent, truth = windows_of(co2[border - LENGTH :], 52)  # (575, 52) each
drift = np.mean(co2[52:border] - co2[: border - 52])
one_year = {"naive": recent[:, -1:], "a year ago": recent, "a year ago + drift": recent + drift}
print(f"mean yearly rise before 1990: {drift:.1f} ppm")
for name, forecast in one_year.items():
    print(f"{name:18} {mean_error(truth, forecast):.1f} ppm, mean over the next 52 weeks")
assert 2.6 < mean_error(truth, one_year["naive"]) < 2.7 and 1.5 < mean_error(truth, recent) < 1.54
assert 0.68 < mean_error(truth, one_year["a year ago + drift"]) < 0.71

# %% [markdown]
# One number of the past takes the error from 2.7 to 0.7 ppm. This is what a network must face.
#
# ### Exercise 9b.4 · The seasonal naive forecast · ●●○ · 6 minutes
# Write `seasonal_naive(series, season, horizon)`: the forecast of the next `horizon` values, each the newest *known*
# value of the same place in the season. `horizon` may be longer than `season`.


# %% tags=["exercise"]
def seasonal_naive(series, season, horizon):
    ### BEGIN SOLUTION
    last_season = series[-season:]
    return np.array([last_season[step % season] for step in range(horizon)])
    ### END SOLUTION


# %% tags=["check"]
ck.check("forecasting.seasonal_naive", seasonal_naive)

# %% [markdown]
# Is 0.7 ppm good? The *mean absolute scaled error* divides by what the (seasonal-)naive forecast missed one season
# ahead in the past (Hyndman, Koehler, 2006), so series in ppm and in °C can be compared:
#
# $$ \mathrm{MASE} = \frac{\text{mean}\,|y - \hat y|}{\text{mean}_{t \ge m}\,|s_t - s_{t-m}|}, \qquad m: \text{season,
# 1 for no season} $$
#
# ### Exercise 9b.5 · An error with a scale · ●●○ · 6 minutes
# Write `mase(truth, forecast, past, season)`; `past` is the series before the border.


# %% tags=["exercise"]
def mase(truth, forecast, past, season):
    ### BEGIN SOLUTION
    naive_error = np.mean(np.abs(past[season:] - past[:-season]))
    return np.mean(np.abs(truth - forecast)) / naive_error
    ### END SOLUTION


# %% tags=["check"]
ck.check("forecasting.mase", mase)

# %% [markdown]
# ## A small recurrent network
#
# A GRU of 16 units reads 52 values, a dense layer turns its last state into `horizon` numbers. As in chapter 04c, one
# compiled network is put back to a new start for each run.


# %%
class Forecaster:
    """GRU(16) and a dense layer: windows (examples, 52) to forecasts (examples, horizon)."""

    def __init__(self, horizon):
        self.network = keras.Sequential([keras.Input((LENGTH, 1)), layers.GRU(16), layers.Dense(horizon)])
        self.network.compile("adam", "mse", jit_compile=True)  # compiled by XLA, once for many runs

    def fit(self, inputs, targets, epochs, seed):
        keras.utils.set_random_seed(seed)
        self.network.set_weights(keras.models.clone_model(self.network).get_weights())
        for variable in self.network.optimizer.variables:
            variable.assign(ops.zeros_like(variable))
        size = len(inputs) // 64 * 64  # whole batches; the oldest windows are left out
        self.unit = targets.std()  # of the past: the network puts out small numbers
        x, y = inputs[-size:, :, None].astype("float32"), (targets[-size:] / self.unit).astype("float32")
        cosine = keras.callbacks.LearningRateScheduler(lambda epoch: 0.005 * (1 + np.cos(np.pi * epoch / epochs)))
        self.network.fit(x, y, 64, epochs, verbose=0, callbacks=[cosine])

    def __call__(self, inputs):
        return self.network(inputs[:, :, None].astype("float32")).numpy() * self.unit


one_step = Forecaster(horizon=1)
assert one_step.network.count_params() == 929

# %% [markdown]
# ## Levels: a ceiling
#
# First we feed it the scaled values themselves, one week ahead. **Guess:** the past never exceeds 356 ppm, the later
# years reach 374. Will the network follow?

# %%
mean, deviation = co2[:border].mean(), co2[:border].std()
scaled = (co2 - mean) / deviation
past_inputs, past_targets = windows_of(scaled[:border], 1)
future_inputs, future_targets = windows_of(scaled[border - LENGTH :], 1)
next_week = future_targets * deviation + mean  # (626, 1), ppm
levels, at_430 = [], []
for seed in [0, 1]:
    one_step.fit(past_inputs, past_targets, epochs=12, seed=seed)
    levels.append(one_step(future_inputs) * deviation + mean)
    at_430.append(one_step(np.full((1, LENGTH), (430 - mean) / deviation)).item() * deviation + mean)

first, last = slice(0, 52), slice(-52, None)
for name, part, low, high in [("first", first, 0.3, 1), ("last", last, 3, 10)]:
    errors = [mean_error(next_week[part], forecast[part]) for forecast in levels]
    assert low < min(errors) and max(errors) < high
    print(f"error in the {name} year: {low} to {high} ppm")
assert co2[:border].max() < 356.1 and co2[border:].max() > 373.5 and max(at_430) < 400
print(f"largest truth {next_week.max():.0f} ppm, largest forecast below 371:", max(map(np.max, levels)) < 371)
assert max(map(np.max, levels)) < 371

# %%
figure, axis = plt.subplots(figsize=(8, 3.6))
axis.plot(weeks[border:], next_week, color="black", label="truth")
for seed, style in enumerate(["--", ":"]):
    axis.plot(weeks[border:], levels[seed], style, color=f"C{seed}", label=f"GRU on levels, seed {seed}")
axis.axhline(co2[:border].max(), color="grey", linewidth=1, label="highest value of the past")
axis.set(title="One week ahead, every week: the network stays behind", xlabel="year", ylabel="CO2 (ppm)")
axis.legend(fontsize=8)
ck.show(figure, alt="Forecasts of CO2 flatten above the highest value of the training years, while the truth rises on")

# %% [markdown]
# The hidden state lies between −1 and 1, so the output has a ceiling, however high the input, and it flattens on the
# way there: for a year at 430 ppm both networks forecast less than 400.
#
# The cure is to forecast what does not grow: the **change** from week to week. The forecast is then the last value
# plus the change: the change has a ceiling too, the level has none. A linear model gets the same windows of changes.


# %%
def prepare(values, border, horizon, stop=None):
    """Changes for the models, levels for the baselines; the scale comes from before `border`."""
    values = values[:stop]
    changes = np.diff(values)  # changes[i] leads from value i to value i + 1
    scale = changes[: border - 1].std()
    inputs, ahead = windows_of(changes[: border - 1], horizon)
    future, _ = windows_of(changes[border - 1 - LENGTH :], horizon)
    recent, truth = windows_of(values[border - LENGTH :], horizon)
    return types.SimpleNamespace(
        past=(inputs / scale, ahead.cumsum(axis=1)), future=future / scale, scale=scale, recent=recent, truth=truth
    )


def linear_forecast(past, future):
    """Least squares from the window (and a constant) to each step of the horizon."""
    weights, *_ = np.linalg.lstsq(np.c_[past[0], np.ones(len(past[0]))], past[1], rcond=None)
    return np.c_[future, np.ones(len(future))] @ weights


# %%
week = prepare(co2, border, 1)
seeds, own_outputs, one_step_errors = [0, 1, 2], [], []


def continue_alone(forecaster, inputs, horizon, scale):
    """The network reads the true window, then `horizon` steps of its own output. Changes from the last true value."""
    gru, dense = forecaster.network.layers
    state, steps = gru(inputs[:, :, None].astype("float32")), []  # (windows, 16)
    for _ in range(horizon):
        steps.append(dense(state) * forecaster.unit)  # (windows, 1)
        state, _ = gru.cell(steps[-1] / scale, [state])
    return np.cumsum(np.concatenate(steps, axis=1), axis=1)


for seed in seeds:
    one_step.fit(*week.past, epochs=20, seed=seed)
    one_step_errors.append(np.abs(week.truth - week.recent[:, -1:] - one_step(week.future)).ravel())  # (626,)
    own_outputs.append(continue_alone(one_step, week.future[:575], 52, week.scale))  # (575, 52), used below
    assert np.allclose(own_outputs[-1][:, :1], one_step(week.future[:575]), atol=1e-3)  # step 1 is the same


# %%
def in_band(errors, low, high):
    """`low to high`, after checking that the error of every seed lies inside."""
    assert low < min(errors) and max(errors) < high, errors
    return f"{low} to {high}"


unit = np.mean(np.abs(np.diff(co2[:border])))  # what the naive forecast missed in the past: the unit of MASE
naive = mean_error(week.truth, week.recent[:, -1:])
linear = mean_error(week.truth, week.recent[:, -1:] + linear_forecast(week.past, week.future))
gru = [errors.mean() for errors in one_step_errors]
print("one week ahead    ppm            MASE")
print(f"naive             {naive:.2f}           {naive / unit:.2f}")
print(f"linear            {linear:.2f}           {linear / unit:.2f}")
print(f"GRU, three seeds  {in_band(gru, 0.28, 0.35)}   {in_band(np.array(gru) / unit, 0.75, 0.95)}")
assert 0.41 < naive < 0.42 and 0.31 < linear < 0.32 and abs(np.mean(gru) / linear - 1) < 0.08
assert max(np.mean(gru), linear) < 0.8 * naive and LENGTH + 1 == 53 and one_step.network.count_params() == 929

# %% [markdown]
# A quarter less error than the naive forecast. But the linear model does as well: 53 numbers against 929.
#
# ### Exercise 9b.6 · Step after step · ●●○ · 8 minutes
# How do we get from one step to many? **Recursively**: forecast one step, treat it as if it were measured, forecast
# the next. Write `roll_forward(one_step, window, horizon)`. `one_step` turns a window, shape `(length,)`, into the
# next value; return the next `horizon` values. The window keeps its length and always ends with the newest value.


# %% tags=["exercise"]
def roll_forward(one_step, window, horizon):
    ### BEGIN SOLUTION
    forecasts = []
    for _ in range(horizon):
        forecasts.append(one_step(window))
        window = np.append(window[1:], forecasts[-1])
    return np.array(forecasts)
    ### END SOLUTION


# %% tags=["check"]
ck.check("forecasting.roll_forward", roll_forward)

# %% [markdown]
# ## A year ahead: teacher forcing, and the net alone
#
# Our GRU was trained with the *true* value at every input. This is **teacher forcing** (Williams, Zipser, 1989): the
# teacher's value, not the network's own, goes in. In use there is no teacher: the function `continue_alone` above
# feeds each forecast back. It does so in another way than Exercise 9b.6: it reads the true window once and then
# **carries the state on**, one step of the cell for each week. `roll_forward` slides the window and would read 52 values
# anew, from a state of zeros, each week: nearer to the training, and 52 times the work. The numbers differ (sliding
# missed less in week 52, and the order of the methods was the same; not shown here). The other way is **direct**: 52
# outputs, one for each week, trained together. **Guess:** which misses less?

# %%
year = prepare(co2, border, 52)
direct_net, direct = Forecaster(horizon=52), []
for seed in [0, 1]:
    direct_net.fit(*year.past, epochs=20, seed=seed)
    direct.append(direct_net(year.future))  # (575, 52)

last_value = year.recent[:, -1:]
runs = {
    "naive": [last_value],
    "a year ago + drift": [year.recent + drift],
    "linear, direct": [last_value + linear_forecast(year.past, year.future)],
    "GRU, direct": [last_value + changes for changes in direct],
    "GRU on its own outputs": [last_value + changes for changes in own_outputs],
}
assert np.array_equal(year.truth, truth)
by_horizon = {name: [np.abs(truth - run).mean(axis=0) for run in some] for name, some in runs.items()}

# %%
unit = np.mean(np.abs(co2[52:border] - co2[: border - 52]))  # seasonal-naive in the past
year_error = {name: [curve.mean() for curve in curves] for name, curves in by_horizon.items()}
print("52 weeks ahead (mean)     ppm           MASE")
for name in ["naive", "a year ago + drift", "linear, direct"]:
    print(f"{name:24}  {year_error[name][0]:.2f}          {year_error[name][0] / unit:.2f}")
for name, low, high in [("GRU, direct", 0.57, 0.63), ("GRU on its own outputs", 0.7, 1.5)]:
    print(f"{name:24}  {in_band(year_error[name], low, high)}")
assert 0.55 < year_error["linear, direct"][0] < 0.57 < min(year_error["GRU, direct"])
alone = year_error["GRU on its own outputs"]
assert max(year_error["GRU, direct"]) < year_error["a year ago + drift"][0] < np.mean(alone)
assert min(alone) > max(year_error["GRU, direct"])

# %% [markdown]
# How sure are these differences? Neighbouring windows share 51 of 52 weeks, so 575 windows are not 575 trials. We take
# the mean of each start year: eleven numbers that overlap far less, and their standard error (chapter 05b).

# %%
start_year = weeks[border : border + 575].astype("datetime64[Y]").astype(int) + 1970


def by_year(name):
    error = np.mean([np.abs(truth - run).mean(axis=1) for run in runs[name]], axis=0)  # (575,), mean over the seeds
    return np.array([error[start_year == number].mean() for number in range(1990, 2001)])


differences = {
    (worse, better): by_year(worse) - by_year(better)
    for worse, better in [("a year ago + drift", "linear, direct"), ("GRU, direct", "linear, direct")]
}
in_errors = {pair: d.mean() / (d.std(ddof=1) / np.sqrt(11)) for pair, d in differences.items()}
drift_and_linear, gru_and_linear = in_errors
above = (differences[drift_and_linear] > 0).sum()
print(
    f"a year ago + drift minus linear: {in_errors[drift_and_linear]:.0f} standard errors, above 0 in {above} of 11 years"
)
print(f"GRU, direct minus linear: within 1.5 standard errors: {abs(in_errors[gru_and_linear]) < 1.5}")
assert in_errors[drift_and_linear] > 2.5 and above == 10 and abs(in_errors[gru_and_linear]) < 1.5

# %%
figure, axis = plt.subplots(figsize=(8, 4))
ahead = np.arange(1, 53)
for number, (name, style) in enumerate(zip(list(runs)[1:], ["-.", ":", "-", "--"], strict=True)):
    for seed, curve in enumerate(by_horizon[name]):
        axis.plot(ahead, curve, style, color=f"C{number}", label=None if seed else name)
taught = np.mean([[errors[step : step + 575].mean() for step in range(52)] for errors in one_step_errors], axis=0)
axis.plot(ahead, taught, color="black", label="GRU with the true values (teacher)")
axis.set(title="Error by horizon; one line for each seed", xlabel="weeks ahead", ylabel="mean error (ppm)")
axis.legend(fontsize=8)
ck.show(
    figure,
    alt="With true values the GRU's error stays near 0.3 ppm; on its own outputs it rises above the other models",
)
alone = np.mean(by_horizon["GRU on its own outputs"], axis=0)  # (52,)
assert np.all((0.27 < taught) & (taught < 0.37)) and alone[0] < 0.36 and alone[-1] > 3 * taught[-1]
assert np.ptp([curve[0] for curve in by_horizon["GRU on its own outputs"]]) < 0.04

# %% [markdown]
# One training, two errors. With the teacher the error stays near 0.3 ppm, in week 52 as in week 1. Alone it grows more
# than threefold and, on average, passes the plain "a year ago + drift". The network was never trained on windows that
# hold its own small mistakes. In week 1 the three seeds lie within 0.04 ppm, later they part: **a one-step score does
# not tell what happens after 52 steps.**
#
# The linear model beats "a year ago + drift", in ten of eleven years. The direct GRU comes close to the linear model: their
# difference lies within one and a half of its standard errors, so the two are not told apart. A weighted sum of 52 changes can already
# carry the season on; what a network could add must bend, and this GRU, 20 epochs on some 1,500 windows, adds nothing that
# we could see.
#
# Move the start year: where does the lonely GRU lose the season?

# %%
starts = {int(year): int(np.argmax(weeks[border:] >= np.datetime64(f"{year}-01-01"))) for year in range(1990, 2001)}


def one_forecast(start_year):
    figure, axis = plt.subplots(figsize=(8, 4))
    start = starts[start_year]
    axis.plot(np.arange(-51, 1), year.recent[start], color="grey", label="last year")
    axis.plot(ahead, truth[start], color="black", label="truth")
    for number, (name, style) in enumerate(zip(list(runs)[1:], ["-.", ":", "-", "--"], strict=True)):
        axis.plot(ahead, runs[name][0][start], style, color=f"C{number}", label=name)
    axis.set(title=f"Forecast from January {start_year}", xlabel="weeks from now", ylabel="CO2 (ppm)")
    axis.legend(fontsize=8, ncol=3, loc="upper center", bbox_to_anchor=(0.5, -0.18))
    return figure


ck.explore(
    one_forecast,
    alt="Four forecasts of one year of CO2 beside the truth; the GRU on its own outputs leaves the others",
    start_year=list(starts),
)

# %% [markdown]
# ## The sea: when nothing beats "no change"
#
# A buoy off New England measures the temperature of the sea every half hour. Three steps are not half an hour: one
# reading is there twice, one is missing, and once half a day is lost. We average by hours and fill the empty hours.

# %%
times, degrees = ck.data.sea_temperature()
steps = np.diff(times).astype(int)  # minutes
assert sorted(steps[steps != 30]) == [0, 60, 720]

hour = times.astype("datetime64[h]")
place = (hour - hour[0]).astype(int)  # hours since the start
readings = np.bincount(place)
full = np.flatnonzero(readings)
hourly = np.bincount(place, weights=degrees)[full] / readings[full]
sea = np.interp(np.arange(len(readings)), full, hourly)  # (hours,)
assert len(sea) == 9625 and len(sea) - len(full) == 11
print(f"{len(sea):,} hours, {len(sea) - len(full)} of them filled")


def hour_number(day):
    return int((np.datetime64(day, "h") - hour[0]).astype(int))


periods = {
    "summer": (hour_number("2016-08-01"), hour_number("2016-10-01")),  # learn before August, judge August, September
    "winter": (hour_number("2017-01-01"), len(sea)),  # learn before 2017, judge January to March
}

# %% [markdown]
# The same models, one hour and 24 hours ahead, in two periods. The seasonal-naive forecast is now "as yesterday".

# %%
one_day, hours_ahead = Forecaster(horizon=24), {}


def compare(period, horizon, forecaster):
    """Mean error of each forecast; two seeds for the GRU."""
    start, stop = periods[period]
    case = prepare(sea, start, horizon, stop)
    last_value = case.recent[:, -1:]
    error = {"naive": mean_error(case.truth, last_value)}
    error["yesterday"] = mean_error(case.truth, case.recent[:, -24 : LENGTH - 24 + horizon])
    error["linear"] = mean_error(case.truth, last_value + linear_forecast(case.past, case.future))
    thinned = [part[::4] for part in case.past]  # every fourth window: neighbours are nearly the same
    error["GRU"] = []
    for seed in [0, 1]:
        forecaster.fit(*thinned, epochs=8, seed=seed)
        error["GRU"].append(mean_error(case.truth, last_value + forecaster(case.future)))
    hours_ahead[period, horizon] = error


compare("summer", 1, one_step)
compare("summer", 24, one_day)

# %%
compare("winter", 1, one_step)
compare("winter", 24, one_day)

# %%
bands = {("summer", 1): (0.09, 0.115), ("summer", 24): (0.40, 0.47)}
bands |= {("winter", 1): (0.036, 0.042), ("winter", 24): (0.18, 0.21)}
print("mean error (°C)        naive  yesterday  linear  GRU, two seeds")
for (period, horizon), error in hours_ahead.items():
    row = f"{error['naive']:.3f}  {error['yesterday']:9.3f}  {error['linear']:6.3f}"
    print(f"{period}, {horizon:2} h ahead    {row}  {in_band(error['GRU'], *bands[period, horizon])}")
summer, winter = hours_ahead["summer", 24], hours_ahead["winter", 24]
assert max(hours_ahead["summer", 1]["GRU"]) < 0.95 * hours_ahead["summer", 1]["naive"]
assert summer["linear"] < 0.92 * summer["naive"] and max(summer["GRU"]) < summer["naive"]
assert winter["naive"] < winter["linear"] < min(winter["GRU"]) < winter["yesterday"]
assert round(winter["linear"] - winter["naive"], 3) == 0.003

# %%
rhythm = {}
for period, (start, stop) in periods.items():
    days = sea[start:stop][: (stop - start) // 24 * 24].reshape(-1, 24)  # (days, hours)
    rhythm[period] = np.ptp((days - days.mean(axis=1, keepdims=True)).mean(axis=0))
    print(f"{period}: the mean day swings by {rhythm[period]:.2f} °C")
assert rhythm["summer"] > 5 * rhythm["winter"]

# %% [markdown]
# In summer both models beat "no change". In winter, 24 hours ahead, **nobody does**: the daily rhythm is almost gone,
# 0.08 °C in place of 0.65, so little is left that a model could know in advance. The linear model misses only 0.003 °C
# more, which says nothing in one winter of overlapping windows; but neither model is worth its effort there. "As yesterday"
# is worst in both periods: it throws the newest value away. A forecaster that won in August must face "no change" again
# in January.
#
# ## Sunspots: 309 numbers
#
# One number a year. We learn from the first 250 years, judge the last 59, one year ahead. How many years should the linear
# model look back? We choose that on the past: learn from 150 and from 200 years, judge the 50 that follow each time.

# %%
years, spots = ck.data.sunspots()
mean, deviation = spots[:250].mean(), spots[:250].std()
scaled = (spots - mean) / deviation
past, (future, next_year) = windows_of(scaled[:250], 1), windows_of(scaled[250 - LENGTH :], 1)


def look_back(order, learn, judge):
    """Linear forecasts from the last `order` years for the years `learn` to `judge`; years before `learn` train it."""
    both = np.lib.stride_tricks.sliding_window_view(scaled[:judge], order + 1)
    known, new = both[: learn - order], both[learn - order :]
    forecast = linear_forecast((known[:, :-1], known[:, -1:]), new[:, :-1])
    return forecast, np.mean(np.abs(new[:, -1:] - forecast))


on_the_past = [np.mean([look_back(order, cut, cut + 50)[1] for cut in (150, 200)]) for order in range(1, 31)]
order = 1 + int(np.argmin(on_the_past))
print(f"chosen on the past, out of 1 to 30 years: {order}")
assert order == 9

# %%
forecasts = {"naive": future[:, -1:], "eleven years ago": future[:, -11][:, None]}
forecasts["linear, 9 years"], _ = look_back(9, 250, len(scaled))
assert np.ptp([look_back(order, 250, len(scaled))[1] for order in range(8, 31)]) * deviation < 2
forecasts["linear, 52 years"] = linear_forecast(past, future)
errors = {name: np.abs(next_year - forecast) * deviation for name, forecast in forecasts.items()}
print({name: round(float(values.mean())) for name, values in errors.items()})

gaps, repeated = [], [np.tile(part, (8, 1)) for part in past]  # eight copies: longer epochs
for seed in [0, 1, 2]:
    one_step.fit(*repeated, epochs=5, seed=seed)
    gap = errors["linear, 9 years"] - np.abs(next_year - one_step(future)) * deviation
    gaps.append(abs(gap.mean()) / (gap.std() / np.sqrt(len(gap))))  # in standard errors
    assert 11.5 < (np.abs(next_year - one_step(future)) * deviation).mean() < 16.5
print("GRU, three seeds: 11.5 to 16.5; within two standard errors of linear, 9 years:", max(gaps) < 2)
assert max(gaps) < 2 and len(past[0]) == 198

# %% [markdown]
# All models beat both naive forecasts. With 52 inputs the linear model has 53 weights for 198 windows, and misses
# more than with 9. The GRU and the short linear model cannot be told apart: 59 years are too few to say more.
# (Look-backs from 8 to 30 years lie within two sunspots of each other on these 59 years: 9 is nothing special.)
#
# ### Exercise 9b.7 · A forecaster of your own · ●●● · 12 minutes
# Write `build_forecaster(horizon)`: a compiled Keras model with a recurrent layer of your choice. It takes windows of
# *any* length, `(batch, time, 1)`, and puts out `(batch, horizon)` numbers that can be of any size and sign; a loss
# for numbers, any optimizer that learns. Then try it: can it beat our GRU on the sea in winter?


# %% tags=["exercise"]
def build_forecaster(horizon):
    ### BEGIN SOLUTION
    network = keras.Sequential([keras.Input((None, 1)), layers.GRU(16), layers.Dense(horizon)])
    network.compile(keras.optimizers.Adam(0.01), "mse")
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("forecasting.build_forecaster", build_forecaster)

# %% [markdown]
# ## Recap
#
# - Fill gaps, cut windows, split in time. A random split claimed 0.4 ppm for a method that misses by 10.
# - Naive, seasonal-naive and drift come first. "A year ago + drift" misses CO2 by 0.7 ppm, "no change" by 2.7.
# - A GRU on levels has a ceiling. With the last value plus a forecast change the level has none.
# - One week ahead and a year ahead our GRU and the linear model were not told apart; a year ahead the linear model beat
#   "a year ago + drift". In the winter sea, 24 hours ahead, nobody beat "no change".
# - Teacher forcing hides what happens alone. For many steps, measure many steps; direct was better here.
#
# The article a3 (3.3, 4.3) presents the recurrent network. Whether a series needs one, only a baseline can tell.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("forecasting.leak")

# %% tags=["quiz"]
ck.quiz("forecasting.ceiling")

# %% tags=["quiz"]
ck.quiz("forecasting.alone")

# %% tags=["quiz"]
ck.quiz("forecasting.baseline")

# %% [markdown]
# ### References
#
# - Williams, Zipser (1989). A learning algorithm for continually running fully recurrent neural networks. Neural
#   Computation 1(2), 270–280.
# - Cho et al. (2014). Learning phrase representations using RNN encoder–decoder for statistical machine translation.
#   EMNLP. arXiv:1406.1078
# - Hyndman, Koehler (2006). Another look at measures of forecast accuracy. International Journal of Forecasting
#   22(4), 679–688.
# - Ben Taieb, Bontempi, Atiya, Sorjamaa (2012). A review and comparison of strategies for multi-step ahead time
#   series forecasting based on the NN5 forecasting competition. Expert Systems with Applications 39(8).
#   arXiv:1108.3259
# - Makridakis, Spiliotis, Assimakopoulos (2018). Statistical and machine learning forecasting methods: Concerns and
#   ways forward. PLoS ONE 13(3).
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("forecasting")
