# ---
# title: More out of little data
# promise: You will make more out of little data, see when that hurts, and read a learning curve.
# built: You changed training pictures in NumPy and inside a model, measured what helps and what hurts, and read a learning curve.
# minutes: 75
# prerequisites: [06a_overfitting]
# data: [fashion_mnist, mnist_digits]
# articles: [a0 6, a1 8, a4 3.5, a4 8]
# clinic: [06-1]
# topic: augmentation
# ---

# %% [markdown]
# **What you will be able to do**
#
# - shift, crop, mirror and turn training pictures, in NumPy and with Keras layers;
# - measure which change helps, which does nothing and which hurts, and give a likely reason;
# - recognise a change that makes the label wrong;
# - read a learning curve and predict what more data will bring;
# - recognise a net that is held back too much, and tell weight decay from an L2 penalty.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## Which of these are nines?
#
# An article (a0, 6) advises to make more pictures by random crops, flips and rotations, and names no condition. Here are
# eight handwritten digits. Some are nines. Some are sixes, rotated as far as one can: by 180°. **Write down** which
# letters you take for nines.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers, ops

(x_digits, y_digits), (x_digits_test, y_digits_test) = ck.data.mnist_digits(train=1_500, test=3_500, seed=1)
sixes, nines = x_digits[y_digits == 6][:4], x_digits[y_digits == 9][:4]
mixed = np.concatenate([sixes[:, ::-1, ::-1], nines])  # (8, 28, 28)
order = np.array([5, 0, 1, 7, 4, 2, 6, 3])  # 0 to 3 are the turned sixes

figure, axes = plt.subplots(1, 8, figsize=(10, 1.7))
for letter, number, axis in zip("ABCDEFGH", order, axes, strict=True):
    axis.imshow(mixed[number])
    axis.set_title(letter)
    axis.axis("off")
ck.show(figure, alt="Eight handwritten digits, A to H, which all look more or less like a nine")

# %% [markdown]
# The answer comes below. First clothes, and only 1,000 pictures.
#
# ## New pictures from old ones
#
# **Data augmentation** (数据增强) shows the network changed copies of its training pictures: changed so that a person
# would still give the same label. We take three sets of 1,000 pictures, one for each seed, and all 10,000 test
# pictures.

# %%
(x, y), (x_test, y_test) = ck.data.fashion_mnist(train=24_000, test=10_000, seed=1)
parts = [(x[part::3], y[part::3]) for part in range(3)]  # for each seed 8,000 pictures of its own
little = [(pictures[:1_000], labels[:1_000]) for pictures, labels in parts]
print(
    f"{len(parts)} seeds, {len(little[0][0]):,} pictures each, values {x.min()} to {x.max()}, {len(x_test):,} to test"
)

# %% [markdown]
# A random crop: add a dark frame, then cut out a window of the old size at a random place. The picture moves by up to
# `most` pixels. A flip is a slice that runs backwards, and we flip half of the pictures, chosen by chance.


# %%
def random_crop(most):
    def change(pictures, random):
        framed = np.pad(pictures, ((0, 0), (most, most), (most, most)))
        top, left = random.integers(0, 2 * most + 1, (2, len(pictures), 1))
        rows, columns = top + np.arange(28), left + np.arange(28)  # (pictures, 28)
        return framed[np.arange(len(pictures))[:, None, None], rows[:, :, None], columns[:, None, :]]

    return change


def every_second(changed):
    def change(pictures, random):
        chosen = random.random(len(pictures)) < 0.5
        return np.where(chosen[:, None, None], changed(pictures), pictures)

    return change


mirror = every_second(lambda pictures: pictures[:, :, ::-1])
upside_down = every_second(lambda pictures: pictures[:, ::-1])

# %% [markdown]
# ### Exercise 6b.1 · Move the pictures · ●●○ · 8 minutes
# Write `shift(pictures, dx, dy)`: all pictures, of shape `(n, height, width)`, moved by `dx` pixels to the right and
# `dy` pixels down (negative: left, up; each less than the size). What leaves the picture is lost, and zeros fill the
# gap.


# %% tags=["exercise"]
def shift(pictures, dx, dy):
    ### BEGIN SOLUTION
    height, width = pictures.shape[1:]
    framed = np.pad(pictures, ((0, 0), (abs(dy), abs(dy)), (abs(dx), abs(dx))))
    top, left = abs(dy) - dy, abs(dx) - dx
    return framed[:, top : top + height, left : left + width]
    ### END SOLUTION


# %% tags=["check"]
ck.check("augmentation.shift", shift)

# %% [markdown]
# Keras has layers for this: `RandomFlip`, `RandomTranslation`, `RandomCrop`, `RandomRotation`. Inside a model they
# change pictures while it trains, and do nothing when it is used. We check both, and that Keras's flip is our slice.

# %%
batch = x[:64, :, :, None].astype("float32")  # (pictures, 28, 28, 1)
for layer in [layers.RandomFlip("horizontal"), layers.RandomTranslation(0.1, 0.1), layers.RandomRotation(10 / 360)]:
    in_use, first, second = (ops.convert_to_numpy(layer(batch, training=mode)) for mode in (False, True, True))
    assert np.array_equal(in_use, batch) and not np.array_equal(first, second)
    print(f"{type(layer).__name__:17} in use: unchanged; in training: different at each call")

flipped = ops.convert_to_numpy(layers.RandomFlip("horizontal", seed=0)(batch, training=True))
as_slice = np.all(np.isclose(flipped, batch[:, :, ::-1]), axis=(1, 2, 3))
untouched = np.all(np.isclose(flipped, batch), axis=(1, 2, 3))
assert np.all(as_slice | untouched) and 16 < as_slice.sum() < 48

# %% [markdown]
# We let these layers, or NumPy, make 30 versions of each picture **before** we train; then a run only trains.


# %%
def turn(degrees):
    def change(pictures, random):
        layer = layers.RandomRotation(degrees / 360, fill_mode="constant", seed=int(random.integers(1_000)))
        turned = layer(pictures[..., None].astype("float32"), training=True)
        return ops.convert_to_numpy(turned)[..., 0].round().clip(0, 255).astype("uint8")

    return change


def unchanged(pictures, random):
    return pictures


ways = {
    "unchanged": unchanged,
    "crop, 1 pixel": random_crop(1),
    "mirror": mirror,
    "turn, 10°": turn(10),
    "upside down": upside_down,
}

# %%
figure, axes = plt.subplots(5, 10, figsize=(9, 5))
for (name, change), row in zip(ways.items(), axes, strict=True):
    shown = np.concatenate([x[y == 7][:1].repeat(5, axis=0), x[y == 0][2:3].repeat(5, axis=0)])
    for picture, axis in zip(change(shown, np.random.default_rng(3)), row, strict=True):
        axis.imshow(picture)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
ck.show(
    figure,
    alt="A shoe and a shirt, five versions of each, for five ways to change them; cropped ones are moved a little",
)

# %% [markdown]
# ## Which change helps?
#
# One small network, put back to its start for each run as in chapter 04c, 600 steps of 250 pictures. The learning rate
# falls along half a cosine, so that the last steps do not shake the result.


# %%
class Cosine(keras.optimizers.schedules.LearningRateSchedule):
    """From 0.004 down to 0 along half a cosine, in as many steps as `total` says."""

    def __init__(self):
        self.total = keras.Variable(1.0, trainable=False)

    def __call__(self, step):
        return 0.002 * (1 + ops.cos(np.pi * ops.cast(step, "float32") / self.total))


loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
BATCH, SEEDS = 250, range(3)


def new_network(seed, units=64, dropout=0.0, l2=0.0):
    keras.utils.set_random_seed(seed)
    hidden = layers.Dense(units, "relu", kernel_regularizer=keras.regularizers.L2(l2))
    first = [keras.Input((28, 28)), layers.Rescaling(1 / 255), layers.Flatten()]
    return keras.Sequential([*first, hidden, layers.Dropout(dropout), layers.Dense(10)])


# %%
class Learner:
    """One compiled network with its optimizer, for as many runs as you like."""

    def __init__(self, **options):
        self.starts = [new_network(seed, **options).get_weights() for seed in SEEDS]
        self.network, self.schedule = new_network(0, **options), Cosine()
        self.optimizer = keras.optimizers.Adam(self.schedule)
        self.optimizer.build(self.network.trainable_variables)
        self.fresh = [ops.convert_to_numpy(variable) for variable in self.optimizer.variables]
        self.network.compile(self.optimizer, loss, steps_per_execution=50)

    def run(self, pictures, labels, seed, steps=400):
        self.network.set_weights(self.starts[seed])
        for variable, value in zip(self.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)
        self.schedule.total.assign(steps)
        random, passes = np.random.default_rng(seed), -(-steps * BATCH // len(labels))
        order = np.concatenate([random.permutation(len(labels)) for _ in range(passes)])[: steps * BATCH]
        self.network.fit(pictures[order], labels[order], BATCH, epochs=1, shuffle=False, verbose=0)

    def score(self, pictures, labels):
        """Percent of the pictures that the network names rightly."""
        return 100 * np.mean(self.network(pictures).numpy().argmax(axis=-1) == labels)


# %% [markdown]
# We score each net on its own unchanged training pictures, on the test pictures, and on test pictures that were moved
# by up to two pixels, as a careless photographer would. We compare five ways and keep none, so the test pictures may
# judge; who picks the best of them needs a validation part (chapter 05a). **Guess first:** which of the four changes
# gains most, and which loses?

# %%
learner = Learner()
moved_test = random_crop(2)(x_test, np.random.default_rng(0))
clothes = {name: np.zeros((3, 3)) for name in ways}  # percent: (seeds; train, test, moved test)


def race(name):
    for seed, (pictures, labels) in enumerate(little):
        versions = ways[name](np.tile(pictures, (30, 1, 1)), np.random.default_rng(seed))
        learner.run(versions, np.tile(labels, 30), seed, steps=600)
        for number, data in enumerate([(pictures, labels), (x_test, y_test), (moved_test, y_test)]):
            clothes[name][seed, number] = learner.score(*data)


race("unchanged")
race("crop, 1 pixel")

# %%
for name in ["mirror", "turn, 10°", "upside down"]:
    race(name)
print(5 * 3, "runs done")

# %%
gain = {name: scores - clothes["unchanged"] for name, scores in clothes.items()}  # same seed, same pictures
gap = {name: np.mean(scores[:, 0] - scores[:, 1]) for name, scores in clothes.items()}
figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), sharey=True)
for number, (name, scores) in enumerate(clothes.items()):
    axes[0].plot(scores[:, 0], [name] * 3, "s", color="C1", fillstyle="none", label="train" if number == 0 else None)
    axes[0].plot(scores[:, 1], [name] * 3, "o", color="C0", alpha=0.7, label="test" if number == 0 else None)
    for axis, column in zip(axes[1:], [1, 2], strict=True):
        axis.plot(gain[name][:, column], [name] * 3, "o", color="C0", alpha=0.7)
        axis.axvline(0, color="grey", linestyle="--", linewidth=1)
axes[0].set(title="three seeds", xlabel="score (%)", ylabel="training pictures")
axes[0].legend(fontsize=8, loc="upper center")
axes[1].set(title="test as it is", xlabel="gain over unchanged (points)")
axes[2].set(title="test moved by up to 2 pixels", xlabel="gain over unchanged (points)")
ck.show(
    figure,
    alt="Scores and gains of three seeds: crops gain about a point, over ten on moved pictures; upside down loses",
)

# %%
print("mean of 3 seeds   train ≈   test ≈   moved test ≈   percent")
for name, (train, test, moved) in {name: scores.mean(axis=0) for name, scores in clothes.items()}.items():
    print(f"{name:15} {train:9.1f} {test:8.1f} {moved:14.1f}")
assert 0.4 < min(gain["crop, 1 pixel"][:, 1]) and gain["crop, 1 pixel"][:, 1].mean() < 1.4
assert gain["crop, 1 pixel"][:, 2].min() > 10
assert all(abs(gain[name][:, 1].mean()) < 0.8 for name in ["mirror", "turn, 10°"])
assert -3 < gain["upside down"][:, 1].mean() < -1 and gain["upside down"][:, 1].max() < -0.9
assert 18 < gap["unchanged"] < 21 and 10 < gap["crop, 1 pixel"] < 13 and gap["turn, 10°"] < gap["unchanged"] - 2

# %% [markdown]
# After 600 steps, on three sets of 1,000 pictures of clothes:
#
# - Small crops gain about one point, in all three seeds, and over ten on moved pictures. The gap falls from about 20
#   points to 11.
# - Small turns close the gap too, by more than two points, and move the test score by less than one. A smaller gap is
#   **no proof of use**.
# - Mirrors move it by less than a point as well: with three seeds, nothing to build on.
# - Upside down costs one to three points. An upside-down shirt is still a shirt, but the test never shows one: the
#   net learns a harder task than it is asked.
#
# **Augment with what the net will meet.**
#
# ### Exercise 6b.2 · Augmentation inside the model · ●●● · 12 minutes
# Write `build_augmented_network()`: a compiled Keras model for pictures of shape `(batch, 28, 28, 1)` with values 0 to
# 255. While it trains it mirrors pictures left-right by chance, and moves them by chance, by at most 10 % of the size
# (the gap may be filled as you like); in use it does neither. Then values from 0 to 1, `Flatten`, 32 ReLU units, ten
# logits; Adam and `loss`.


# %% tags=["exercise"]
def build_augmented_network():
    ### BEGIN SOLUTION
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.RandomFlip("horizontal"),
            layers.RandomTranslation(0.1, 0.1, fill_mode="constant"),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(32, "relu"),
            layers.Dense(10),
        ]
    )
    network.compile("adam", loss)
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("augmentation.build_augmented_network", build_augmented_network)

# %% [markdown]
# ## Changes that change the label
#
# Now digits, 500 for each seed, and 3,500 to test. Here are the letters from above:

# %%
print("turned sixes:", " ".join(sorted("ABCDEFGH"[place] for place, number in enumerate(order) if number < 4)))

# %% [markdown]
# How many did you get right? A turned 6 that keeps the label 6 is a wrong label for most readers. **Guess first:** 300
# steps, once with crops of two pixels, once with small turns, once with mirrors, once with half of the pictures turned
# by 180°. What happens to *upright* sixes and nines in the test?

# %%
digit_ways = {
    "unchanged": unchanged,
    "crop, 2 pixels": random_crop(2),
    "turn, 10°": turn(10),
    "mirror": mirror,
    "half turn": every_second(lambda pictures: pictures[:, ::-1, ::-1]),
}
called = {name: np.zeros((3, 10, 10)) for name in digit_ways}  # percent: (seeds, true digit, answer)
upright_nets = []
for name, change in digit_ways.items():
    for seed in SEEDS:
        pictures, labels = x_digits[seed::3], y_digits[seed::3]
        learner.run(
            change(np.tile(pictures, (30, 1, 1)), np.random.default_rng(seed)), np.tile(labels, 30), seed, steps=300
        )
        answers = learner.network(x_digits_test).numpy().argmax(axis=-1)
        for digit in range(10):
            share = np.bincount(answers[y_digits_test == digit], minlength=10) / np.sum(y_digits_test == digit)
            called[name][seed, digit] = 100 * share
        upright_nets += [learner.network.get_weights()] if name == "unchanged" else []

# %%
per_digit = {name: np.diagonal(table, axis1=1, axis2=2) for name, table in called.items()}  # (seeds, digits)
digit_gain = {name: (values - per_digit["unchanged"]).mean(axis=1) for name, values in per_digit.items()}


def swapped(name, a, b):
    """Percent of the digits a and b that are taken for each other."""
    return (called[name][:, a, b].mean() + called[name][:, b, a].mean()) / 2


for name, difference in list(digit_gain.items())[1:]:
    print(f"{name:14} mean gain ≈ {difference.mean():+.1f} points, seeds from ≈ {min(difference):+.1f}", end="")
    print(f" to ≈ {max(difference):+.1f}")
print(
    f"6 and 9 swapped ≈ {swapped('unchanged', 6, 9):.1f} % before, ≈ {swapped('half turn', 6, 9):.1f} % with half turns"
)
assert digit_gain["crop, 2 pixels"].min() > 2 and max(digit_gain["mirror"].max(), digit_gain["half turn"].max()) < -3
assert digit_gain["turn, 10°"].min() > 0.4
assert 10 * swapped("unchanged", 6, 9) < 3.5 < swapped("half turn", 6, 9) < 6.5
assert swapped("mirror", 3, 5) > swapped("unchanged", 3, 5) + 4

# %%
change_by_digit = {name: (values - per_digit["unchanged"]).mean(axis=0) for name, values in per_digit.items()}
figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
for axis, name, style in zip(axes, ["half turn", "mirror"], ["C1", "C2"], strict=True):
    axis.bar(np.arange(10) - 0.2, per_digit["unchanged"].mean(axis=0), 0.4, color="C0", label="unchanged")
    axis.bar(np.arange(10) + 0.2, per_digit[name].mean(axis=0), 0.4, color=style, hatch="//", label=name)
    axis.set(title=f"Trained with: {name}", xlabel="digit", xticks=range(10), ylim=(50, 105))
    axis.legend(loc="upper center", fontsize=8, ncol=2)
axes[0].set_ylabel("right (% of upright test digits)")
ck.show(figure, alt="Share of each test digit named rightly: half turns hurt 1 and 4 least, mirrors hurt 3 and 5 most")
assert set(np.argsort(change_by_digit["mirror"])[:2]) == {3, 5}
assert -12 < change_by_digit["half turn"][[6, 9]].mean() < -6
assert max(abs(change_by_digit["half turn"][1]), abs(change_by_digit["mirror"][1])) < 3
assert set(np.argsort(change_by_digit["half turn"])[-2:]) == {1, 4}

# %% [markdown]
# Crops keep the label and gain more than two points in every seed, more than on clothes. So do small turns, and gain
# about one, in every seed. Mirrors and half turns cost more than three. With half turns 6 and 9 are swapped more than ten times as often. Why only about one in twenty, not
# one in two? A turned six is not quite a nine, as you may have seen above. With mirrors 3 and 5 suffer most: they are
# taken for each other. The 1, nearly the same in every pose, hardly loses.
#
# Where does a 6 become a 9? Turn a test digit, and see what the three nets say that were trained on upright digits.

# %%
from scipy import ndimage

angles = np.arange(0, 195, 15)
examples = {}  # digit: turned pictures (angles, 28, 28) and mean probabilities (angles, 10)
for digit in [2, 9, 6, 8]:
    picture = x_digits_test[y_digits_test == digit][3].astype("float32")
    turned = np.stack([ndimage.rotate(picture, angle, reshape=False, order=1) for angle in angles])
    votes = []
    for weights in upright_nets:
        learner.network.set_weights(weights)
        votes.append(ops.convert_to_numpy(ops.softmax(learner.network(turned))))
    examples[str(digit)] = turned, np.mean(votes, axis=0)


# %%
def turned_digit(digit, angle):
    pictures, probabilities = examples[digit]
    place = int(np.argmin(np.abs(angles - angle)))
    figure, axes = plt.subplots(1, 2, figsize=(8, 3), width_ratios=[1, 2])
    axes[0].imshow(pictures[place])
    axes[0].set(title=f"a {digit}, turned by {angle:g}°", xticks=[], yticks=[])
    bars = axes[1].bar(range(10), probabilities[place], color="C0")
    bars[int(probabilities[place].argmax())].set(color="C1", hatch="//")
    axes[1].set(title=f"the nets say {probabilities[place].argmax()}", xticks=range(10), ylim=(0, 1))
    axes[1].set(xlabel="answer", ylabel="probability")
    return figure


ck.explore(
    turned_digit,
    alt="A handwritten digit, turned by the chosen angle, and how probable each of the ten answers is to the nets",
    digit=list(examples),
    angle=angles,
)

# %% [markdown]
# ### Exercise 6b.3 · Is the label still right? · ●○○ · 5 minutes
# Write `keeps_label(digit, change)`: True if a person would still read the same digit. `digit` is 0, 3, 6, 7, 8 or 9;
# `change` is `"crop"` (two pixels), `"mirror"` (left-right) or `"half turn"` (180°).


# %% tags=["exercise"]
def keeps_label(digit, change):
    ### BEGIN SOLUTION
    return change == "crop" or digit in (0, 8)
    ### END SOLUTION


# %% tags=["check"]
ck.check("augmentation.keeps_label", keeps_label)

# %% [markdown]
# ## Too little data? Ask the learning curve
#
# Two articles ask what to do about too little data. Before you collect more, find out what more would bring. A
# **learning curve** (学习曲线) shows the score over the number of training pictures. We double from 125 to 8,000. Each net
# gets at least 200 steps and 20 passes, for a fixed number of steps would starve the large sets.

# %%
sizes = np.array([125, 250, 500, 1_000, 2_000, 4_000, 8_000])
curve = np.zeros((2, 3, 7))  # percent: (train and test, seeds, sizes)
for seed, (pictures, labels) in enumerate(parts):
    for number, size in enumerate(sizes):
        learner.run(pictures[:size], labels[:size], seed, steps=max(200, 20 * size // BATCH))
        curve[0, seed, number] = learner.score(pictures[:size], labels[:size])
        curve[1, seed, number] = learner.score(x_test, y_test)

# %%
mean_test = curve[1].mean(axis=0)
doubling = np.diff(mean_test)
for size, value in zip(sizes, mean_test, strict=True):
    print(f"{size:5,} pictures: {value:.0f} % of the test pictures right")
assert 3 < doubling[0] < 6 and 1 < doubling[-1] < 2.5 and doubling.min() > 0.5
assert min(curve[1, :, 6]) > max(curve[1, :, 3]) + 2

# %% [markdown]
# The first doubling brings about four points, the last between one and two and a half. On logarithmic axes the *error*
# of many networks falls along a line: a power law, $\text{error} \approx a\, n^{-b}$ (Hestness et al., 2017). **Guess
# first:** fit the line to the first three sizes, or to the first six. How well does each predict the error at 8,000?


# %%
def power_law(sizes, errors):
    """Fit error = a n^-b by a line through the logarithms. Returns a function of n."""
    slope, level = np.polyfit(np.log(sizes), np.log(errors), 1)
    return lambda n: np.exp(level + slope * np.log(n))


error = 100 - mean_test
fits = {3: power_law(sizes[:3], error[:3]), 6: power_law(sizes[:6], error[:6])}
figure, axis = plt.subplots(figsize=(8, 3.8))
axis.loglog(sizes, (100 - curve[1]).T, "o", color="grey", alpha=0.5)
axis.loglog(sizes, error, "o-", color="C0", label="measured (grey: single seeds)")
for (used, fit), style in zip(fits.items(), ["--", ":"], strict=True):
    axis.loglog(sizes, fit(sizes), style, color=f"C{used // 3}", label=f"fitted to the first {used} sizes")
axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
axis.set_yticks([10, 15, 20, 30], ["10", "15", "20", "30"])
axis.minorticks_off()
axis.set(title="Learning curve", xlabel="training pictures", ylabel="test error (%)")
axis.legend()
ck.show(
    figure,
    alt="Test error over six doublings, from about 28 to 15 percent; a line through three sizes falls too steeply",
)

# %%
off = {used: error[6] - fit(8_000) for used, fit in fits.items()}
print(f"error at 8,000: measured ≈ {error[6]:.1f} %", end="")
print(f", predicted from three sizes ≈ {fits[3](8_000):.1f} %, from six sizes ≈ {fits[6](8_000):.1f} %")
assert 1.3 < off[3] < 4 and abs(off[6]) < 0.9
assert doubling[3] > gain["crop, 1 pixel"][:, 1].mean() + 0.2

# %% [markdown]
# Four doublings ahead this line promised too much; one doubling ahead, and with three more points, it was right within a
# point. **Trust an extrapolation for one doubling, hardly for four.** Then compare the price: at 1,000 pictures,
# doubling the data (200 steps each) brought more than crops did (600 steps each), but crops need no new labels.
#
# That answers the articles: augment with label-keeping changes that the net will meet, measure the curve before you
# collect, and start from a net that was trained on other data (pretraining, chapter 12).

# %% [markdown]
# ### Exercise 6b.4 · How many more pictures? · ●●○ · 10 minutes
# Write `data_needed(sizes, errors, goal)`: how many pictures would bring the error down to `goal`, if the power law
# holds? Fit a line to the logarithms, as above, and solve it for $n$.


# %% tags=["exercise"]
def data_needed(sizes, errors, goal):
    ### BEGIN SOLUTION
    slope, level = np.polyfit(np.log(sizes), np.log(errors), 1)
    return np.exp((np.log(goal) - level) / slope)
    ### END SOLUTION


# %% tags=["check"]
ck.check("augmentation.data_needed", data_needed)

# %% [markdown]
# ## When regularisation hurts
#
# A net may also be held back so much that it cannot learn its own training pictures: **under-fitting** (欠拟合). A small
# net of 16 units, the same 1,000 pictures. Dropout of 0.8 leaves about three units at work; an L2 penalty of 0.3
# presses hard; or we stop after ten steps.

# %%
small_net = Learner(units=16)
held_back = {
    "free": (small_net, 300),
    "dropout 0.8": (Learner(units=16, dropout=0.8), 300),
    "L2 0.3": (Learner(units=16, l2=0.3), 300),
    "ten steps": (small_net, 10),
}
under = {name: np.zeros((3, 2)) for name in held_back}  # percent: (seeds, train and test)
for name, (small, steps) in held_back.items():
    for seed, (pictures, labels) in enumerate(little):
        small.run(pictures, labels, seed, steps)
        under[name][seed] = small.score(pictures, labels), small.score(x_test, y_test)

# %%
print("percent       train ≈   test ≈   gap ≈")
for name, (train, test) in {name: scores.mean(axis=0) for name, scores in under.items()}.items():
    print(f"{name:11} {train:9.1f} {test:8.1f} {train - test:7.1f}")
free = under["free"]
assert free[:, 0].min() > 90 and all(under[name][:, 0].max() < 85 for name in held_back if name != "free")
assert all(max(under[name][:, 1] - free[:, 1]) < -2 for name in held_back if name != "free")

# %% [markdown]
# All three have a smaller gap than the free net, and a worse test score. The sign of under-fitting is a low
# **training** score. Then look for what holds the net back: loosen the penalty, widen the net, train longer.
#
# ### Exercise 6b.5 · A short diagnosis · ●○○ · 4 minutes
# Write `diagnosis(train, test, wanted)`, scores in percent. Return `"under-fitting"` if the training score is below
# `wanted`; otherwise `"over-fitting"` if the gap is above 5 points; otherwise `"fine"`.


# %% tags=["exercise"]
def diagnosis(train, test, wanted):
    ### BEGIN SOLUTION
    if train < wanted:
        return "under-fitting"
    return "over-fitting" if train - test > 5 else "fine"
    ### END SOLUTION


# %% tags=["check"]
ck.check("augmentation.diagnosis", diagnosis)

# %% [markdown]
# ## Weight decay is not L2
#
# Chapter 04b met AdamW. Now the reason for it. An L2 penalty $\frac{\lambda}{2} w^2$ adds $\lambda w$ to the gradient
# $g$. Weight decay takes $\eta \lambda w$ from the weight itself. Under SGD that is one and the same step:
#
# $$ w - \eta\,(g + \lambda w) = w - \eta g - \eta \lambda w $$
#
# Mind the factor: Keras's `L2(l)` is $l\,w^2$, without the half.

# %%
RATE, DECAY = 0.01, 0.1
w, g = np.array([1.0, -2.0], "float32"), np.array([0.5, 3.0], "float32")
with_penalty, with_decay = keras.Variable(w), keras.Variable(w)
with tf.GradientTape() as tape:
    penalty = keras.regularizers.L2(DECAY / 2)(with_penalty)
from_penalty = ops.convert_to_numpy(tape.gradient(penalty, with_penalty.value))

keras.optimizers.SGD(RATE).apply([g + from_penalty], [with_penalty])
keras.optimizers.SGD(RATE, weight_decay=DECAY).apply([g], [with_decay])
assert np.allclose(from_penalty, DECAY * w)
assert np.allclose(with_penalty, with_decay, atol=1e-7) and np.allclose(with_decay, w - RATE * (g + DECAY * w))
print("SGD: L2 with half the factor and weight decay take the same step")

# %% [markdown]
# Adam divides by $\sqrt{\hat v}$, the usual size of the gradient. The penalty's part is divided too. Two weights, both
# 1; the gradients of one swing between 10 and −10, of the other between 0.1 and −0.1. What does one step take for the
# penalty's sake?

# %%
weights, usual_size = np.array([1.0, 1.0]), np.array([10.0, 0.1])
taken_by_l2 = RATE * DECAY * weights / usual_size
taken_by_decay = RATE * DECAY * weights
print("gradient size  L2 takes  decay takes")
for size, by_l2, by_decay in zip(usual_size, taken_by_l2, taken_by_decay, strict=True):
    print(f"{size:13.1f}  {by_l2:8.4f}  {by_decay:11.4f}")
assert np.isclose(taken_by_l2[1] / taken_by_l2[0], 100) and taken_by_decay[0] == taken_by_decay[1]

# %% [markdown]
# The weight with the large gradients is spared. So L2 under Adam is an *adaptive regularisation*, a strength for each
# weight (a trend that an article names), but nobody chose it. AdamW decouples the two (Loshchilov and Hutter, 2019).
# By hand, beside Keras, for 300 swinging steps:


# %%
def adam_direction(gradient, memory, step):
    """What Adam multiplies by the rate and subtracts. `memory`: m and v, updated."""
    memory["m"] = 0.9 * memory["m"] + 0.1 * gradient
    memory["v"] = 0.999 * memory["v"] + 0.001 * gradient**2
    return memory["m"] / (1 - 0.9**step) / (np.sqrt(memory["v"] / (1 - 0.999**step)) + 1e-7)


l2_weights, decayed = np.ones(2), np.ones(2)
memories = [{"m": np.zeros(2), "v": np.zeros(2)} for _ in range(2)]
in_keras, adamw = keras.Variable(np.ones(2, "float32")), keras.optimizers.AdamW(RATE, weight_decay=DECAY)
for step in range(1, 301):
    gradient = usual_size * (-1) ** step
    l2_weights = l2_weights - RATE * adam_direction(gradient + DECAY * l2_weights, memories[0], step)
    decayed = decayed - RATE * DECAY * decayed - RATE * adam_direction(gradient, memories[1], step)
    adamw.apply([gradient.astype("float32")], [in_keras])
assert np.allclose(decayed, in_keras, atol=1e-4)
print("left by L2:   ", l2_weights.round(2), " gradient size", usual_size)
print("left by AdamW:", decayed.round(2))
assert l2_weights[0] > 0.9 and abs(l2_weights[1]) < 0.3 and np.ptp(decayed) < 0.01

# %% [markdown]
# ### Exercise 6b.6 · Two kinds of decay · ●●○ · 8 minutes
# Write `two_steps(w, gradient, scale, rate, decay)`: a pair, the weights after one step with L2 in the gradient and
# after one step with decoupled decay. In both, what is called gradient is divided by `scale` (Adam's $\sqrt{\hat v}$,
# without its average $m$). The penalty is $\frac{\lambda}{2} w^2$ with $\lambda$ = `decay`. All but `rate` and `decay`
# are arrays.


# %% tags=["exercise"]
def two_steps(w, gradient, scale, rate, decay):
    ### BEGIN SOLUTION
    with_l2 = w - rate * (gradient + decay * w) / scale
    decoupled = w - rate * gradient / scale - rate * decay * w
    return with_l2, decoupled
    ### END SOLUTION


# %% tags=["check"]
ck.check("augmentation.two_steps", two_steps)

# %% [markdown]
# ## Article clinic
#
# ### 06-1 · Crops, flips and rotations, without a condition
# Article a0 (6) names three changes. The first, random crops, helped here on both data sets, and it needs no new labels:
# good advice. What the list lacks is a condition for the other two. It gives no angle; 10° is our mild case, 180° our
# extreme one. We collect what each did here, after 600 steps on clothes and 300 on digits.

# %%
points = {f"clothes, {name}": change[:, 1].mean() for name, change in gain.items() if name != "unchanged"}
points |= {f"digits, {name}": change.mean() for name, change in digit_gain.items() if name != "unchanged"}
for case, value in points.items():
    print(f"{case:23} {f'≈ {value:+.1f} points' if abs(value) > 0.6 else 'less than a point'}")
assert min(points[case] for case in ["clothes, crop, 1 pixel", "digits, crop, 2 pixels", "digits, turn, 10°"]) > 0.4
assert max(points[case] for case in ["clothes, upside down", "digits, mirror", "digits, half turn"]) < -1

# %% [markdown]
# So a rotation may help (digits, 10°) or harm (digits, 180°): the angle and the data decide.
#
# **Right:** augmentation must keep the label, and should show what the net will meet. Ask for each change: would a
# person give the same label? Can such a picture come up in use? Then measure, on a validation part: one change, several
# seeds.
#
# ## Recap
#
# - Augmentation shows changed copies in training only. Crops of one pixel gained about a point on clothes; mirrors
#   and small turns moved the score by less; upside down lost. On digits crops and small turns gained.
# - Half turns make nets swap 6 and 9, mirrors 3 and 5: the label no longer holds.
# - A small gap is no goal in itself: an under-fitting net has it too.
# - A learning curve tells what a doubling brings. Trust its line for one doubling; four ahead ours was too hopeful.
# - Weight decay equals L2 under SGD, not under Adam.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("augmentation.label")

# %% tags=["quiz"]
ck.quiz("augmentation.gap")

# %% tags=["quiz"]
ck.quiz("augmentation.doubling")

# %% tags=["quiz"]
ck.quiz("augmentation.decay")

# %% [markdown]
# ### References
#
# - LeCun, Bottou, Bengio, Haffner (1998). Gradient-based learning applied to document recognition. Proceedings of the
#   IEEE 86(11).
# - Shorten, Khoshgoftaar (2019). A survey on image data augmentation for deep learning. Journal of Big Data 6, 60.
# - Cortes, Jackel, Solla, Vapnik, Denker (1993). Learning curves: Asymptotic values and rate of convergence. NIPS 6.
# - Hestness et al. (2017). Deep learning scaling is predictable, empirically. arXiv:1712.00409
# - Loshchilov, Hutter (2019). Decoupled weight decay regularization. ICLR. arXiv:1711.05101
# - Xiao, Rasul, Vollgraf (2017). Fashion-MNIST: A novel image dataset for benchmarking machine learning algorithms.
#   arXiv:1708.07747
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("augmentation")
