# ---
# title: How sure is a score?
# promise: You will know how sure a score is, and make a model better one measured change at a time.
# built: You wrote cross-validation, measured how far a score may be off, and improved a model one change at a time.
# minutes: 80
# prerequisites: [05a_a_model_from_a_table]
# data: [fashion_mnist]
# articles: [a0 3.3, a1 8]
# clinic: []
# topic: workflow
# ignored: ["05b shows TensorBoard: the address of its page is another one in each run"]
# ---

# %% [markdown]
# **What you will be able to do**
#
# - write cross-validation (交叉验证) from scratch, and say how far its score may be off;
# - tell whether one model is better than another, and how many scores you need to see it;
# - keep a diary of changes, and keep only those that beat the noise;
# - stop training at the right time, save the best model, and watch a run with callbacks (回调) and TensorBoard;
# - read the score of a hyperparameter search with the right suspicion.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## 74 % or 82 %?
#
# You have 2,000 pictures of clothes. You keep 200 of them for validation, train on the rest, and report one accuracy.
# Somebody else draws *other* 200 pictures. **Guess first:** how far apart can the two reports be?
#
# For once we own a luxury that real projects lack: 10,000 more pictures, which tell us how good a network really is.

# %%
import tempfile

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers, ops

(pictures, labels), (x_test, y_test) = ck.data.fashion_mnist(train=22_000, test=10_000, seed=3)
pixels = pictures.reshape(-1, 784).astype("float32")  # (examples, pixels), 0 to 255
x_test = x_test.reshape(-1, 784).astype("float32")
x, y = pixels[:2_000], labels[:2_000]  # all that we have
x_more, y_more = pixels[2_000:12_000], labels[2_000:12_000]  # the luxury
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
print(f"{len(x):,} pictures to work with, {len(x_more):,} more to know the truth")

# %% [markdown]
# As in chapter 04c, each network is compiled **once** and put back to a new start before each run. One seed fixes the
# starting weights and the order of the pictures.


# %%
class Trial:
    """One compiled network, for as many runs as you like."""

    def __init__(self, hidden=(64,), activation="relu", optimizer=None, steps=120, batch=60, scale=1 / 255, drop=0.0):
        dense = [layers.Dense(units, activation) for units in hidden]
        first, last = layers.Rescaling(scale), [layers.Dropout(drop), layers.Dense(10)]
        self.network = keras.Sequential([keras.Input((784,)), first, *dense, *last])
        self.optimizer, self.shape = optimizer or keras.optimizers.Adam(0.003), (steps, batch)
        self.optimizer.build(self.network.trainable_variables)
        self.fresh = [ops.convert_to_numpy(variable) for variable in self.optimizer.variables]
        self.network.compile(self.optimizer, loss, steps_per_execution=40)

    def run(self, x, y, seed):
        random, size = np.random.default_rng(seed), np.prod(self.shape)
        for variable in self.network.trainable_variables:  # Glorot's uniform start
            limit = np.sqrt(6 / sum(variable.shape)) if len(variable.shape) == 2 else 0
            variable.assign(random.uniform(-limit, limit, variable.shape))
        for variable, value in zip(self.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)
        order = np.concatenate([random.permutation(len(x)) for _ in range(size // len(x) + 1)])[:size]
        batches = tf.data.Dataset.from_tensor_slices((x[order.reshape(self.shape)], y[order.reshape(self.shape)]))
        self.network.fit(batches, epochs=1, shuffle=False, verbose=0)
        return self


# %%
def accuracy(network, x, y):
    """Percent of the pictures that the network names rightly."""
    return 100 * np.mean(network(x).numpy().argmax(axis=-1) == y)


relu = Trial()
one_split, truth = np.zeros(10), np.zeros(10)
for seed in range(10):
    order = np.random.default_rng(seed).permutation(2_000)
    kept, rest = order[:200], order[200:]
    relu.run(x[rest], y[rest], seed)
    one_split[seed], truth[seed] = accuracy(relu.network, x[kept], y[kept]), accuracy(relu.network, x_more, y_more)

# %%
figure, axis = plt.subplots(figsize=(8, 3))
axis.plot(one_split, np.ones(10), "o", color="C0", markersize=9, alpha=0.7)
axis.plot(truth, np.zeros(10), "s", color="C1", markersize=9, alpha=0.7)
axis.set_yticks([1, 0], ["200 pictures kept aside", "10,000 more pictures"])
axis.set(title="The same ten networks, judged twice", xlabel="accuracy (%)", ylabel="judged on", ylim=(-0.6, 1.6))
ck.show(
    figure, alt="Ten networks: on their own 200 pictures they lie from 74 to 83 %, on 10,000 pictures closer together"
)

by_formula = 100 * np.sqrt(0.78 * 0.22 / 200)
print(f"spread expected from the choice of 200 pictures alone: {by_formula:.1f} points")
assert np.ptp(one_split) > 6 and one_split.min() < 75.5 and one_split.max() > 80.5
assert np.std(truth, ddof=1) < 2.2 < 2.4 < np.std(one_split, ddof=1) < 3.6

# %% [markdown]
# The ten reports lie more than six points apart, with the same recipe and the same 2,000 pictures. Most of it is the
# draw of the 200 judges: a share $p$ counted on $n$ pictures has a **standard error** (标准误差) of $\sqrt{p(1-p)/n}$,
# here 2.9 points. One split is one draw.
#
# ## Every picture judges once
#
# Cut the rows into $k$ **folds**. Train $k$ times, each time without one fold, and judge on that fold. In the end
# each picture has judged exactly once, and no network has seen its judges.


# %%
def k_fold(rows, folds, seed):
    """A list of `folds` arrays of row numbers: shuffled, disjoint, together all rows."""
    return np.array_split(np.random.default_rng(seed).permutation(rows), folds)


from sklearn.model_selection import KFold, StratifiedKFold

ours = k_fold(2_003, 10, seed=0)
theirs = [judges for _, judges in KFold(10, shuffle=True, random_state=0).split(np.zeros(2_003))]
assert np.array_equal(np.sort(np.concatenate(ours)), np.arange(2_003))  # each row once: disjoint, nothing left out
assert [len(fold) for fold in ours] == [len(fold) for fold in theirs]
print("sizes of ten folds of 2,003 rows:", [len(fold) for fold in ours])

plain = [np.bincount(y[fold], minlength=10) for fold in k_fold(2_000, 10, seed=0)]  # (folds, classes)
stratified = [np.bincount(y[judges], minlength=10) for _, judges in StratifiedKFold(10).split(x, y)]
apart = [int(np.ptp(counts, axis=0).max()) for counts in (plain, stratified)]
print(f"pictures of one class, fullest fold minus emptiest: plain up to {apart[0]}, stratified up to {apart[1]}")
assert apart[0] > 10 and apart[1] == 1

# %% [markdown]
# *Stratified* folds hold each class in its share, and remove one part of the luck. Use them when you classify.
#
# ### Exercise 5b.1 · Folds with equal classes · ●●○ · 10 minutes
# Write `stratified_folds(labels, folds)`: an array that gives each row its fold, a number from 0 to `folds - 1`. In
# each class the sizes of the folds differ by one row at most. No shuffling is needed.


# %% tags=["exercise"]
def stratified_folds(labels, folds):
    ### BEGIN SOLUTION
    numbers = np.zeros(len(labels), int)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        numbers[members] = np.arange(len(members)) % folds
    return numbers
    ### END SOLUTION


# %% tags=["check"]
ck.check("workflow.stratified_folds", stratified_folds)

# %% [markdown]
# Ten folds, ten scores: we report their mean and its standard error, the spread $s$ of the scores divided by
# $\sqrt{k}$. We deal the folds twice, since more scores will be wanted soon.

# %%
folds = [pair for deal in range(2) for pair in StratifiedKFold(10, shuffle=True, random_state=deal).split(x, y)]


def fold_scores(trial):
    """Accuracy on each fold of a network trained on the other nine, shape (20,): two deals of ten folds."""
    scores = []
    for seed, (rest, judges) in enumerate(folds):
        trial.run(x[rest], y[rest], seed)
        scores.append(accuracy(trial.network, x[judges], y[judges]))
    return np.array(scores)


scores = {"ReLU": fold_scores(relu)}
first_deal = scores["ReLU"][:10]
print(f"standard error of the mean of ten folds: {first_deal.std(ddof=1) / np.sqrt(10):.0f} point")
assert 76.5 < first_deal.mean() < 79.5 and 0.6 < first_deal.std(ddof=1) / np.sqrt(10) < 1.3

# %% [markdown]
# ### Exercise 5b.2 · The error of a mean · ●○○ · 4 minutes
# Write `standard_error(scores)`: the standard error of the mean of an array of scores. The spread of a sample divides
# by $k - 1$, not by $k$.


# %% tags=["exercise"]
def standard_error(scores):
    ### BEGIN SOLUTION
    return np.std(scores, ddof=1) / np.sqrt(len(scores))
    ### END SOLUTION


# %% tags=["check"]
ck.check("workflow.standard_error", standard_error)

# %% [markdown]
# ## Which of two models is better?
#
# Four rivals of our network with 64 ReLU units: GELU in place of ReLU, no hidden layer, two hidden layers, and SGD at
# rate 0.1 in place of Adam. All get the same 120 steps and the same folds, so we may subtract fold by fold: **paired
# differences**. **Guess first:** which rivals differ?

# %%
rivals = {
    "GELU": Trial(activation="gelu"),
    "no hidden layer": Trial(hidden=()),
    "two hidden layers": Trial(hidden=(64, 64)),
    "SGD": Trial(optimizer=keras.optimizers.SGD(0.1)),
}
for name, trial in rivals.items():
    scores[name] = fold_scores(trial)
gain = {name: scores[name] - scores["ReLU"] for name in rivals}  # points, shape (20,)

# %%
first, second = gain["GELU"][:10], gain["GELU"][10:]
error = first.std(ddof=1) / np.sqrt(10)
print(f"GELU, first fold: {gain['GELU'][0]:+.0f} points")
print(f"first ten folds: ≈ {first.mean():.1f} points ahead, twice the standard error ≈ {2 * error:.1f}")
error = second.std(ddof=1) / np.sqrt(10)
print(f"next ten folds:  ≈ {abs(second.mean()):.1f} points apart, twice the standard error ≈ {2 * error:.1f}")
assert gain["GELU"][0] > 1 and 1 < first.mean() < 2.1 and abs(second.mean()) < min(0.7, 2 * error)
assert first.mean() > 2 * first.std(ddof=1) / np.sqrt(10)

# %% [markdown]
# A lead of three points after one fold, of about 1.6 after ten, beyond two standard errors, and in the next ten folds
# nothing to see. Luck alone carries a mean beyond two standard errors now and then, and we look at four rivals.
# Choose a rival, and watch its lead settle.


# %%
def lead(rival, folds_judged):
    count, differences = int(folds_judged), gain[rival][: int(folds_judged)]
    error = differences.std(ddof=1) / np.sqrt(count)
    figure, axis = plt.subplots(figsize=(7, 3.6))
    axis.axhspan(differences.mean() - 2 * error, differences.mean() + 2 * error, color="C0", alpha=0.2)
    axis.axhline(differences.mean(), color="C0", label="mean ± 2 standard errors")
    axis.axhline(0, color="black", linestyle="--", label="no difference")
    axis.plot(np.arange(1, count + 1), differences, "o", color="C1", label="one fold")
    axis.set(xlim=(0, 21), xticks=range(0, 21, 5), ylim=(-13, 13), title=f"{rival}: {count} folds")
    axis.set(xlabel="fold", ylabel="points ahead of ReLU")
    axis.legend(fontsize=8, loc="upper right")
    return figure


ck.explore(
    lead,
    alt="Differences between a rival and the ReLU network, fold by fold, with their mean ± two standard errors",
    rival=list(rivals),
    folds_judged=[2, 3, 5, 7, 10, 13, 16, 20],
)

# %% [markdown]
# ## How many scores does a difference need?
#
# To see a measured difference $d$, it should be two standard errors: $d \ge 2 s / \sqrt{k}$, so $k \ge (2 s / d)^2$
# scores. Half the difference needs four times the scores. Pairing makes $s$ small: a fold that is hard is hard for both.

# %%
paired = gain["GELU"].std(ddof=1)
unpaired = np.hypot(scores["GELU"].std(ddof=1), scores["ReLU"].std(ddof=1))
needed = {"paired": (2 * paired / 1) ** 2, "unpaired": (2 * unpaired / 1) ** 2}  # to see one point
print(f"scores to see one point: paired ≈ {needed['paired']:.0f}, unpaired ≈ {needed['unpaired']:.0f}")
assert 7 < needed["paired"] < 16 and 65 < needed["unpaired"] < 125 and needed["unpaired"] > 5 * needed["paired"]

random, least = np.random.default_rng(0), int(np.ceil(needed["paired"]))
for count in [least, 2 * least]:
    drawn = random.normal(1, paired, (20_000, count))  # 20,000 series of scores; the true difference is one point
    seen = np.mean(drawn.mean(axis=1) > 2 * drawn.std(axis=1, ddof=1) / np.sqrt(count))
    print(f"a true point is seen with ≈ {count} paired scores in ≈ {100 * seen:.0f} % of the series")
    assert 0.45 < seen < 0.65 if count == least else 0.75 < seen < 0.95

# %% [markdown]
# To see one point between GELU and ReLU takes about ten paired scores, or about ninety unpaired ones. That is the least:
# if the true difference is exactly $d$, luck makes the measured one smaller about every second time, and then it is
# missed. With twice as many scores we miss about one true difference in five.
#
# ### Exercise 5b.3 · How many scores? · ●●○ · 8 minutes
# Write `scores_needed(differences, d)`: how many independent scores (a whole number) are needed at least, so that a
# measured difference `d` is two standard errors. `differences` is an array of paired differences that you have measured.


# %% tags=["exercise"]
def scores_needed(differences, d):
    ### BEGIN SOLUTION
    return int(np.ceil((2 * np.std(differences, ddof=1) / d) ** 2))
    ### END SOLUTION


# %% tags=["check"]
ck.check("workflow.scores_needed", scores_needed)

# %% [markdown]
# ## A caution: old pictures, dealt again
#
# Then deal the folds 100 times, and every difference becomes sure? The formula wants *independent* scores, and folds
# share most of their training rows. We test it with a model that needs no training, the nearest neighbour: 100 sets
# of 200 fresh pictures, ten folds, dealt once or ten times. How far do the 100 means really scatter, and what does
# the formula say?

# %%
small = pictures.reshape(-1, 7, 4, 7, 4).sum(axis=(2, 4)).reshape(-1, 49).astype("float64")  # sums of 4 x 4 pixels


def neighbour_scores(x, y, deals):
    """Scores of ten folds, dealt `deals` times: does the nearest picture of the other folds have the same label?"""
    squares = np.sum(x**2, axis=1)
    distance = squares[:, None] + squares - 2 * x @ x.T  # (examples, examples)
    found = []
    for seed in range(deals):
        fold = np.random.default_rng(seed).permutation(len(x)) % 10
        nearest = np.where(fold[:, None] == fold, np.inf, distance).argmin(axis=1)
        found += [100 * np.mean((y[nearest] == y)[fold == number]) for number in range(10)]
    return np.array(found)


sets = np.arange(20_000).reshape(100, 200)
all_scores = np.array([neighbour_scores(small[rows], labels[rows], deals=10) for rows in sets])  # (sets, scores)

# %%
for count in [10, 100]:
    part = all_scores[:, :count]
    spread = part.std(axis=1, ddof=1)
    real = part.mean(axis=1).std(ddof=1)
    stated, corrected = np.mean(spread / np.sqrt(count)), np.mean(spread * np.sqrt(1 / count + 1 / 9))
    print(f"{count:3} scores: real {real:.1f}, formula {stated:.1f}, corrected {corrected:.1f} points")
    assert 0.75 < corrected / real < 1.35

assert stated < real / 3

# %% [markdown]
# Ten times the scores, and the mean is hardly surer: the pictures are the same 200. The formula promises less than a
# third of the real scatter. A spread over folds is a rough guide. For repeated random splits Nadeau and Bengio (2003)
# add what repeats cannot remove; we use it as a rule of thumb for folds, and here it is right to a third:
#
# $$ \text{corrected error} = s\,\sqrt{\frac{1}{k} + \frac{n_{judge}}{n_{train}}} \qquad
# \text{(ten folds: } n_{judge}/n_{train} = 1/9 \text{)} $$


# %%
def corrected_error(differences, judge_share):
    """Standard error of the mean of differences; judge_share: rows that judge / rows that train."""
    return np.std(differences, ddof=1) * np.sqrt(1 / len(differences) + judge_share)


for name, differences in gain.items():
    sure = abs(differences.mean()) > 2 * corrected_error(differences, 1 / 9)
    print(f"{name:18} {'differs from ReLU' if sure else 'no difference shown'}")
    assert sure == (name == "SGD")
assert -5 < gain["SGD"].mean() < -2.8

# %% [markdown]
# SGD's four points stay, with more folds and with the larger error. (That is its lag after 120 steps; half and twice
# the rate do not make it up, not shown here.) The other three vanish. So the article's question, *how do I choose an
# architecture, by cross-validation?* (a1), is answered: yes, on the same folds, by paired differences. But 2,000
# pictures and 120 steps cannot tell no, one and two hidden layers apart. Then take the smallest, or get more data.
# (Chapter 12c compares all architectures.)
#
# ## A diary of one change at a time
#
# *How do I make a model perform better?* asks the same article. Our way: one change, measured on several splits, kept
# only if its gain is over twice its corrected error. We take 10,000 unused pictures and five splits of 8,000 to train
# and 2,000 to validate, each with its own start. The test part stays closed.

# %%
x_diary, y_diary = pixels[12_000:], labels[12_000:]
splits = [np.split(np.random.default_rng(seed).permutation(10_000), [8_000]) for seed in range(5)]


def validate(trial):
    """Validation and training accuracy on the five splits, shape (2, 5)."""
    scores = []
    for seed, (rest, judges) in enumerate(splits):
        trial.run(x_diary[rest], y_diary[rest], seed)
        scores.append([accuracy(trial.network, x_diary[part], y_diary[part]) for part in (judges, rest)])
    return np.array(scores).T


settings = {"hidden": (32,), "scale": 1.0, "steps": 160, "optimizer": ("SGD", 0.01), "drop": 0.0}


def new_trial(hidden, scale, steps, optimizer, drop):
    kind, rate = optimizer
    rate = keras.optimizers.schedules.CosineDecay(*rate) if isinstance(rate, tuple) else rate
    return Trial(hidden, "relu", getattr(keras.optimizers, kind)(rate), steps, batch=50, scale=scale, drop=drop)


# %%
changes = {
    "pixels from 0 to 1": {"scale": 1 / 255},
    "SGD, rate 0.1": {"optimizer": ("SGD", 0.1)},
    "Adam, rate 0.001": {"optimizer": ("Adam", 0.001)},
    "three times the steps": {"steps": 480},
    "cosine decay from 0.006": {"optimizer": ("Adam", (0.006, 480))},
    "64 units": {"hidden": (64,)},
    "dropout 0.3": {"drop": 0.3},
}
first_trial = best_trial = new_trial(**settings)
best, training = validate(first_trial)
diary = {"start: raw pixels, SGD 0.01": (best, training, np.zeros(5), True)}  # what: (scores, on training, gains, kept)
for title, change in changes.items():
    trial = new_trial(**settings | change)
    reached, training = validate(trial)
    kept = np.mean(reached - best) > 2 * corrected_error(reached - best, 2_000 / 8_000)
    diary[title] = (reached, training, reached - best, kept)
    if kept:
        best, best_trial, settings = reached, trial, settings | change

# %%
print(f"{'':28}  validation ≈  training ≈  twice the error ≈")
for title, (reached, training, gains, kept) in diary.items():
    twice = 2 * corrected_error(gains, 2_000 / 8_000)
    print(
        f"{title:28}  {reached.mean():12.1f}  {training.mean():10.1f}  {twice:17.1f}  {'kept' if kept else 'not kept'}"
    )
level = {title: reached.mean() for title, (reached, *_) in diary.items()}
assert [title for title in diary if not diary[title][-1]] == ["64 units", "dropout 0.3"]
expected = [10.7, 64.2, 73.3, 77.7, 82.4, 84.0, 84.7, 81.2]
assert all(abs(value - about) < 1.2 for value, about in zip(level.values(), expected, strict=True))
assert abs(diary["cosine decay from 0.006"][1].mean() - level["cosine decay from 0.006"]) < 2

# %%
figure, axis = plt.subplots(figsize=(8, 4))
for number, (reached, *_, kept) in enumerate(diary.values()):
    style = {"marker": "o", "color": "C0"} if kept else {"marker": "x", "color": "C1"}
    axis.scatter(reached, [number] * 5, **style, alpha=0.8)
    axis.text(reached.max() + 1.5, number, f"{reached.mean():.1f}", va="center", fontsize=9)
axis.set_yticks(range(len(diary)), list(diary))
axis.invert_yaxis()
axis.set(
    title="Diary: ● kept, × not kept", xlabel="validation accuracy (%), five splits; number: mean", ylabel="change"
)
axis.set(xlim=(0, 100))
ck.show(
    figure,
    alt="Accuracy of eight diary entries: from 11 % over 64, 73, 78 and 82 to 84 %; two changes are not kept",
)

# %% [markdown]
# In this order: scaling gave more than 50 points, ten times the rate about nine, Adam four, more steps five, a schedule
# less than two. Without the second entry Adam would have got the praise for SGD's bad rate. In another order the same
# changes would share the gain in another way, and after 480 steps SGD lags less (not shown). The wider layer gained less
# than its noise. That does not prove it useless: so small a gain needs more data to be seen. Dropout did harm: it cures
# over-fitting, and after 480 steps the training score is less than two points above validation.
#
# Now the test part is opened, **once**, for the first and the last entry.

# %%
tested = {}
rest, _ = splits[0]
for name, trial in {"first": first_trial, "last": best_trial}.items():
    trial.run(x_diary[rest], y_diary[rest], 0)
    tested[name] = accuracy(trial.network, x_test, y_test)
    print(f"{name} entry: over 80 % of the test pictures: {tested[name] > 80}")
assert tested["first"] < 15 and 81.5 < tested["last"] < 84 and best.mean() > tested["last"]
assert abs(100 * np.sqrt(0.83 * 0.17 / len(y_test)) - 0.4) < 0.05

# %% [markdown]
# The test part says 10 % for the first and about 83 % for the last entry, a point less than validation. Its own standard
# error is 0.4 points. How much of the rest is chance, and how much the price of choosing? We come back to that.
#
# ## Callbacks: look in while it trains
#
# A callback is an object whose methods Keras calls during `fit`, for example after each epoch. This one notes how
# large the weights are, in a net that will over-fit: two layers, 1,000 pictures, 40 epochs.


# %%
class WeightSize(keras.callbacks.Callback):
    """Notes the spread of the first layer's weights after each epoch."""

    def on_train_begin(self, logs=None):
        self.sizes = []

    def on_epoch_end(self, epoch, logs=None):
        self.sizes.append(float(ops.std(self.model.layers[0].kernel)))


def over_fitter():
    keras.utils.set_random_seed(0)
    hidden = [layers.Dense(128, "relu"), layers.Dense(128, "relu")]
    network = keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(10)])
    network.compile("adam", loss, metrics=["accuracy"], steps_per_execution=20)
    return network


def learn():
    """1,000 pictures in batches of 50, shuffled anew for each epoch, alike for each network."""
    return tf.data.Dataset.from_tensor_slices((x[:1_000] / 255, y[:1_000])).shuffle(1_000, seed=0).batch(50)


watch = (x[1_000:] / 255, y[1_000:])  # validation
watched = tf.data.Dataset.from_tensors(watch)

# %% [markdown]
# Two callbacks of Keras run beside it. `ModelCheckpoint` writes a **checkpoint** (检查点), the whole model in a `.keras`
# file, whenever the validation loss is the best so far. `TensorBoard` writes a log, which we shall open. **Guess
# first:** what will the validation loss do?

# %%
folder = tempfile.mkdtemp()
weight_size = WeightSize()
network = over_fitter()
to_disk = keras.callbacks.ModelCheckpoint(f"{folder}/best.keras", monitor="val_loss", save_best_only=True)
to_log = keras.callbacks.TensorBoard(f"{folder}/logs", write_graph=False)
run = network.fit(
    learn(), epochs=40, validation_data=watched, shuffle=False, verbose=0, callbacks=[weight_size, to_disk, to_log]
)
history = {name: np.array(values) for name, values in run.history.items()}
best_epoch = history["val_loss"].argmin() + 1

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.6))
epochs = np.arange(1, 41)
axes[0].plot(epochs, history["loss"], "--", label="training")
axes[0].plot(epochs, history["val_loss"], label="validation")
axes[0].plot(best_epoch, history["val_loss"].min(), "o", color="black", label="checkpoint kept")
axes[0].set(title="Loss", xlabel="epoch", ylabel="cross-entropy (nats)", ylim=(0, None))
axes[0].legend()
axes[1].plot(epochs, weight_size.sizes)
axes[1].set(title="First layer, seen by our callback", xlabel="epoch", ylabel="spread of the weights", ylim=(0, None))
ck.show(
    figure,
    alt="Training loss falls towards 0; validation loss is lowest early, then rises; the weights grow all the time",
)

# %%
saved = keras.saving.load_model(f"{folder}/best.keras", safe_mode=True)


def cross_entropy(network):
    return float(loss(watch[1], network(watch[0])))


at_best, at_end = cross_entropy(saved), cross_entropy(network)
assert np.isclose(at_best, history["val_loss"].min(), rtol=1e-4)  # the file holds the best epoch
right_best, right_end = accuracy(saved, *watch), accuracy(network, *watch)
print(f"validation loss at its best ≈ {at_best:.2f}, after 40 epochs ≈ {at_end:.2f}")
assert 4 < best_epoch < 25 and at_end > 1.15 * at_best and abs(right_best - right_end) < 3
assert history["loss"][-1] < 0.2 and all(np.diff(weight_size.sizes) > 0)

# %% [markdown]
# The best epoch came among the first 25. Then the training loss went on towards 0 and the validation loss rose, while
# the accuracy moved by less than three points. The weights grew in every epoch. The file holds the best epoch, the
# network the last.
#
# ### Early stopping
#
# Why train on after the best epoch? **Early stopping** waits `patience` epochs for a better one, then stops.
# `restore_best_weights=True` then goes back to the best. Without it you keep the last epoch's weights.

# %%
stopper = keras.callbacks.EarlyStopping(monitor="val_loss", patience=8, restore_best_weights=True)
stopped = over_fitter()
run = stopped.fit(learn(), epochs=40, validation_data=watched, shuffle=False, verbose=0, callbacks=[stopper])
losses = np.array(run.history["val_loss"])
assert len(losses) == losses.argmin() + 1 + 8 < 40
assert np.allclose(losses, history["val_loss"][: len(losses)], rtol=0.01)  # the same run, cut short
assert np.isclose(cross_entropy(stopped), losses.min(), rtol=1e-4) and at_end > 1.15 * losses.min()
print("stopped 8 epochs after its best one; holds the weights of the best one")
print(f"validation loss of these weights ≈ {losses.min():.2f}, after all 40 epochs ≈ {at_end:.2f}")

# %% [markdown]
# ### Exercise 5b.4 · Where training stops · ●●○ · 8 minutes
# Write `stop_epoch(losses, patience)`: two numbers, the epoch after which early stopping ends the training, and the
# epoch whose weights it restores. `losses` are the validation losses that the epochs would have; epochs count from 1.


# %% tags=["exercise"]
def stop_epoch(losses, patience):
    ### BEGIN SOLUTION
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        if epoch - best >= patience:
            return epoch + 1, best + 1
    return len(losses), best + 1
    ### END SOLUTION


# %% tags=["check"]
ck.check("workflow.stop_epoch", stop_epoch)

# %% [markdown]
# ### Exercise 5b.5 · Stop at a gap · ●●○ · 8 minutes
# Write `gap_stopper(points)`: it returns a callback that stops the training after an epoch in which the training
# accuracy lies more than `points` percentage points above the validation accuracy. `logs` holds shares under
# `"accuracy"` and `"val_accuracy"`; a callback stops by `self.model.stop_training = True`.


# %% tags=["exercise"]
def gap_stopper(points):
    ### BEGIN SOLUTION
    class GapStopper(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if 100 * (logs["accuracy"] - logs["val_accuracy"]) > points:
                self.model.stop_training = True

    return GapStopper()
    ### END SOLUTION


# %% tags=["check"]
ck.check("workflow.gap_stopper", gap_stopper)

# %% [markdown]
# ### Exercise 5b.6 · Train with early stopping · ●●● · 12 minutes
# Write `fit_best(x, y, x_validation, y_validation)`: build a Keras model with one hidden layer of 64 ReLU units and
# ten logits, compile it with Adam at rate 0.01 and `loss`, and train it for up to 40 epochs with early stopping,
# patience 5, back to the best weights. Return the model and the list of validation losses of all epochs that ran.


# %% tags=["exercise"]
def fit_best(x, y, x_validation, y_validation):
    ### BEGIN SOLUTION
    network = keras.Sequential([keras.Input((x.shape[1],)), layers.Dense(64, "relu"), layers.Dense(10)])
    network.compile(keras.optimizers.Adam(0.01), loss)
    stopper = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    validation = (x_validation, y_validation)
    run = network.fit(x, y, epochs=40, validation_data=validation, verbose=0, callbacks=[stopper])
    return network, run.history["val_loss"]
    ### END SOLUTION


# %% tags=["check"]
ck.check("workflow.fit_best", fit_best)

# %% [markdown]
# ### TensorBoard
#
# TensorBoard serves a page from inside this kernel and ends with it. Under *Scalars* `epoch_loss` shows two curves, `train`
# falling and `validation` turning upwards, as above. Nothing is stored or compared here. A frame without data?
# Open JupyterLab as `localhost`, not by a number.

# %% tags=["nbval-ignore-output"]
from IPython.display import IFrame, display
from tensorboard import program

board = program.TensorBoard()
board.configure(argv=[None, "--logdir", f"{folder}/logs", "--port", "0", "--load_fast=false"])
display(IFrame(board.launch(), "100%", 600))

# %% [markdown]
# ## Let a program search
#
# KerasTuner compares settings by itself: `RandomSearch` draws units and rate at random and keeps the best on
# validation. It gets four runs. Beside it, four runs by hand: 64 units and four rates as in chapter 04c. **Guess
# first:** who wins?

# %%
import keras_tuner

shuffled = np.random.default_rng(0).permutation(2_000)
kept, rest = shuffled[:200], shuffled[200:]
order = np.concatenate([np.random.default_rng(seed).permutation(rest) for seed in range(4)]).reshape(120, 60)
batches = tf.data.Dataset.from_tensor_slices((x[order] / 255, y[order]))


def build(choices):
    keras.utils.set_random_seed(0)
    units = choices.Choice("units", [16, 32, 64, 128, 256])
    rate = choices.Float("rate", 3e-4, 1e-2, sampling="log")
    network = keras.Sequential([keras.Input((784,)), layers.Dense(units, "relu"), layers.Dense(10)])
    network.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"], steps_per_execution=40)
    return network


tuner = keras_tuner.RandomSearch(
    build, "val_accuracy", max_trials=4, seed=2, directory=folder, project_name="search", overwrite=True
)
judges = tf.data.Dataset.from_tensors((x[kept] / 255, y[kept]))
tuner.search(batches, epochs=1, validation_data=judges, shuffle=False, verbose=0)
winner = tuner.oracle.get_best_trials(1)[0]

# %%
by_hand = {}
for rate in [0.0003, 0.001, 0.003, 0.01]:
    trial = Trial(optimizer=keras.optimizers.Adam(rate))
    by_hand[rate] = (accuracy(trial.run(x[rest], y[rest], 0).network, x[kept], y[kept]), trial)
hand_score, hand_trial = max(by_hand.values(), key=lambda pair: pair[0])
chosen = winner.hyperparameters.values
search_trial = Trial(hidden=(chosen["units"],), optimizer=keras.optimizers.Adam(chosen["rate"]))

own = {"search": 100 * winner.score, "by hand": hand_score}
honest = {}
for name, trial in {"search": search_trial, "by hand": hand_trial}.items():
    honest[name] = [accuracy(trial.run(x[rest], y[rest], seed).network, x_more, y_more) for seed in range(1, 5)]

# %%
figure, axis = plt.subplots(figsize=(8, 2.8))
for number, name in enumerate(honest):
    axis.plot(honest[name], [number] * 4, "o", color="C0", label="four new starts, 10,000 more pictures")
    axis.plot(own[name], number, "D", color="C1", label="the score it was chosen by, 200 pictures")
axis.set_yticks([0, 1], list(honest))
axis.set(title="Two winners of four runs each", xlabel="accuracy (%)", ylabel="found", ylim=(-0.6, 1.6))
axis.legend(*[part[:2] for part in axis.get_legend_handles_labels()], fontsize=8, loc="center left")
ck.show(
    figure,
    alt="The winners of the search and of the hand-made list overlap when they are judged on 10,000 more pictures",
)
difference = np.mean(honest["search"]) - np.mean(honest["by hand"])
print(f"on the new pictures the two winners are ≈ {abs(difference):.1f} points apart")
for name in own:
    print(f"{name:8} chosen by ≈ {own[name]:.0f} %, on new pictures ≈ {np.mean(honest[name]):.0f} %")
assert abs(difference) < 2 and min(own[name] - np.mean(honest[name]) for name in own) > 1

# %% [markdown]
# No difference to see in this one trial: four random draws found as much as four guesses. And both winners lose more than
# a point on new pictures: 200 pictures and one start chose them. Is that a rule? On each of the 20 folds, let the best of our
# five models win. How far is the winning score above the winner's mean on the *other* deal of folds?

# %%
table = np.stack(list(scores.values()))  # (models, folds)
winners = table.argmax(axis=0)
other_deal = np.stack([table[:, 10:].mean(axis=1), table[:, :10].mean(axis=1)])  # (deals, models)
optimism = table.max(axis=0) - other_deal[np.arange(20) // 10, winners]
print(f"a winning score is too high by ≈ {optimism.mean():.1f} points")
assert 1 < optimism.mean() < 4

random = np.random.default_rng(0)
for tries in [1, 4, 20, 100]:
    counted = random.binomial(200, 0.8, (10_000, tries)) / 2  # percent right of 200 pictures, all models truly 80 %
    print(f"best of {tries:3} equally good models: {counted.max(axis=1).mean():.0f} %")
assert counted.max(axis=1).mean() > 86

# %% [markdown]
# The more one tries, the better the winner *looks*. Judge the winner on pictures that did not choose it.
#
# ## Recap
#
# - One split is one draw: ten splits of the same 2,000 pictures gave scores more than six points apart.
# - In cross-validation each row judges once. Compare models by paired differences on the same folds.
# - Half the difference needs four times the scores; with only $(2s/d)^2$ of them a true $d$ is missed about every second
#   time. Dealing the same pictures again does not make them new.
# - Change one thing, keep it if it beats twice its error, open the test part once: from 10 to about 83 % here.
# - Early stopping with `restore_best_weights=True` gives back the best epoch; `ModelCheckpoint` has it on disk.
# - The best of many tries looks better than it is.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("workflow.paired")

# %% tags=["quiz"]
ck.quiz("workflow.repeats")

# %% tags=["quiz"]
ck.quiz("workflow.restore")

# %% tags=["quiz"]
ck.quiz("workflow.winner")

# %% [markdown]
# ### References
#
# - Stone (1974). Cross-validatory choice and assessment of statistical predictions. J. Royal Statistical Society B 36.
# - Dietterich (1998). Approximate statistical tests for comparing supervised classification learning algorithms.
#   Neural Computation 10.
# - Nadeau, Bengio (2003). Inference for the generalization error. Machine Learning 52.
# - Bengio, Grandvalet (2004). No unbiased estimator of the variance of K-fold cross-validation. JMLR 5.
# - Prechelt (1998). Early stopping, but when? In: Neural Networks: Tricks of the Trade. Springer.
# - Bergstra, Bengio (2012). Random search for hyper-parameter optimization. JMLR 13.
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("workflow")
