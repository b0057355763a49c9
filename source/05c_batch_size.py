# ---
# title: Learning rate and batch size
# promise: You will find a learning rate by a range test, say what the batch size changes, and know how far a rate may grow with the batch.
# built: You found a learning rate by a range test, measured the noise of a batch, and moved the rate with the batch size.
# minutes: 75
# prerequisites: [05b_how_sure_is_a_score]
# data: [fashion_mnist]
# articles: [a4 3.4, a4 9, a1 8]
# clinic: [05-2]
# topic: batch_size
# repeats: {SEED: [1, 2, 3, 4, 5, 6], PASSES: [9], UNITS: [256], INPUTS: [400], FEW_PASSES: [60]}
# ---

# %% [markdown]
# **What you will be able to do**
#
# - find a learning rate with one short run, for SGD and for Adam;
# - say what the batch size (批量大小) does to speed, to noise and to the number of steps, and why a batch of 1 is rare;
# - move the rate with the batch size, and say with a formula how far this can work.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% tags=["parameters"]
SEED = 0  # of the weights, the batches and the choice of pictures
PASSES = 3  # over the training pictures, in the experiments of this chapter
UNITS = 64  # of the hidden layer
INPUTS = 100  # of a single neuron, on which we test a formula
FEW_PASSES = 20  # over 1,024 pictures

# %% [markdown]
# ## The same pictures, more at a time
#
# Pictures of clothes again: 6,144 to learn from, 4,096 for validation, 4,096 for the test. The pixels go from 0 to 1,
# and the mean training picture is taken away. One network with one hidden layer learns from them:

# %% tags=["long-run"]
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers

loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def pictures(seed):
    """Training, validation and test part, each (x, y): x (pictures, 784), centred."""
    (x, y), (x_test, y_test) = ck.data.fashion_mnist(10_240, 4_096, seed)
    x = x.reshape(-1, 784).astype("float32") / 255
    x_test = x_test.reshape(-1, 784).astype("float32") / 255
    mean_picture = x[:6_144].mean(axis=0)
    x, x_test = x - mean_picture, x_test - mean_picture
    return (x[:6_144], y[:6_144]), (x[6_144:], y[6_144:]), (x_test, y_test)


# %% tags=["long-run"]
def new_network(optimizer, hidden=64, **speed):
    """784 pixels, one hidden layer, ten logits, compiled."""
    network = keras.Sequential(
        [keras.Input((784,)), layers.Dense(hidden, "relu"), layers.Dense(10)]
    )
    network.compile(optimizer, loss, metrics=["accuracy"], **speed)
    return network


def train(network, data, batch_size, rate, passes, seed, **more):
    """Train from the start, and return the history of `fit`."""
    ck.restart(network, seed)
    network.optimizer.learning_rate = rate
    fitted = network.fit(*data, batch_size=batch_size, epochs=passes, verbose=0, **more)
    return fitted.history


# %% [markdown]
# One pass, or epoch, reads every picture once. We train twice, three passes each, with the rate 0.05. Only the batch size
# differs: 16 or 512. Which of the two classifies more of the validation pictures correctly, and by how many points?

# %% tags=["guess"]
ck.guess("hook", "Batch 16 minus batch 512, in points of accuracy", low=-30, high=30)

# %%
(x_train, y_train), validation, test = pictures(SEED)
training = (x_train, y_train)
speed = {"steps_per_execution": 12, "jit_compile": False}  # for speed only
network = new_network(keras.optimizers.SGD(), UNITS, **speed)

accuracy, training_accuracy = {}, {}
for batch_size in [16, 512]:
    progress = ck.LiveProgress(f"batch {batch_size}")
    train(network, training, batch_size, 0.05, PASSES, SEED, callbacks=[progress])
    for part, scores in [(validation, accuracy), (training, training_accuracy)]:
        scores[batch_size] = 100 * network.evaluate(*part, 1_024, verbose=0)[1]

print("batch   steps   training ≈   validation ≈")
for batch_size in [16, 512]:
    steps = PASSES * 6_144 // batch_size
    line = f"{training_accuracy[batch_size]:10.0f} % {accuracy[batch_size]:12.0f} %"
    print(f"{batch_size:5} {steps:7,} {line}")

# %% tags=["conclusion"]
# What came out
ck.reveal("hook", accuracy[16] - accuracy[512])
ck.claim(
    "At the rate 0.05 and with equal passes, batch 512 is over five points behind "
    "batch 16, on the validation pictures and on the training pictures too",
    accuracy[512] + 5 < accuracy[16]
    and training_accuracy[512] + 5 < training_accuracy[16],
    measured={
        "validation, 16": accuracy[16],
        "validation, 512": accuracy[512],
        "training, 16": training_accuracy[16],
        "training, 512": training_accuracy[512],
    },
)

# %% tags=["guard"]
assert 80 < accuracy[16] < 86 and 60 < accuracy[512] < 74

# %% [markdown]
# It is often said that large batches generalise worse. But here batch 512 is behind on the very pictures it has
# learned from: in 36 steps it has learned less. And both ran at one rate, which may suit one of them better. First we
# need a way to a good rate.
#
# ## A range test
#
# Let the rate grow from step to step, from far too small to far too large, and watch the loss: a **range test**
# (学习率范围测试). Smith (2017) proposed it; he let the rate grow linearly and watched the accuracy. We take equal *factors*:
# with $T$ steps from $\eta_0$ to $\eta_1$
#
# $$ \eta_t = \eta_0 \left(\eta_1 / \eta_0\right)^{t / (T - 1)}, \qquad t = 0, \dots, T - 1 $$
#
# From 0.01 to 1 in $T = 5$ steps: $100^{1/4} \approx 3.16$ is the factor, so 0.01, 0.032, 0.1, 0.32, 1.
#
# A callback can do it. Mind one trap: the `loss` that Keras hands to it is the *mean since the epoch began*. We reset it
# before each step.


# %%
class RangeTest(keras.callbacks.Callback):
    """Give each step the next of `rates`, and note its loss; stop at 3 × the first."""

    def __init__(self, rates):
        super().__init__()
        self.rates, self.losses = rates, []

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate = self.rates[len(self.losses)]
        self.model.reset_metrics()

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(float(logs["loss"]))
        self.model.stop_training = not self.losses[-1] < 3 * self.losses[0]


# %%
optimizers = {"SGD": keras.optimizers.SGD, "Adam": keras.optimizers.Adam}
ends = {"SGD": (1e-4, 10), "Adam": (1e-6, 0.1)}  # lowest and highest rate
range_tests = {"SGD": [], "Adam": []}
walkers = {
    name: new_network(optimizers[name](), UNITS, jit_compile=False) for name in ends
}
for name, trial in ck.bar(
    [("SGD", 0), ("SGD", 1), ("SGD", 2), ("Adam", 0)], "range tests"
):
    range_test = RangeTest(np.geomspace(*ends[name], 192))  # two passes, batches of 64
    seed = SEED + 100 * trial  # other weights, another order of the batches
    train(walkers[name], training, 64, 0.001, 2, seed, callbacks=[range_test])
    range_tests[name].append(range_test)

# %% [markdown]
# Single losses are noisy, so we average 15 neighbours. Where this curve is lowest, the rate is about to become too large.
# We step back and read off **a third** of it. (Others take the place of the steepest fall. Both are rules of thumb, not
# laws.)
# We made SGD's test three times: how much do the readings differ?


# %%
def smoothed(range_test):
    """Rates and losses, each loss the mean of 15 neighbours."""
    losses = np.convolve(range_test.losses, np.ones(15) / 15, "valid")
    return range_test.rates[7 : 7 + len(losses)], losses


readings = {"SGD": [], "Adam": []}
for name, trials in range_tests.items():
    for range_test in trials:
        rates, losses = smoothed(range_test)
        readings[name].append(rates[np.argmin(losses)] / 3)
    line = ", ".join(f"≈ {rate:.4f}" for rate in readings[name])
    print(f"{name:4} a third of the rate where the curve is lowest: {line}")
reading = {name: found[0] for name, found in readings.items()}

# %% tags=["figure"]
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
for number, (axis, name) in enumerate(zip(axes, range_tests, strict=True)):
    losses = range_tests[name][0].losses
    seen = range_tests[name][0].rates[: len(losses)]
    axis.semilogx(seen, losses, color="grey", linewidth=0.8, label="each step")
    axis.semilogx(
        *smoothed(range_tests[name][0]), color=f"C{number}", label="mean of 15 steps"
    )
    axis.axvline(reading[name], color="black", linestyle="--", label="the reading")
    axis.set(title=f"Range test, {name}", xlabel="learning rate (log scale)")
    axis.set(ylabel="loss of the batch", ylim=(0, 4))
    axis.legend(fontsize=8, loc="lower left")
ck.show(
    figure,
    alt="Loss over rate for SGD and Adam: flat, then falling, then rising steeply; "
    "Adam's fall is at much lower rates",
)

# %% [markdown]
# Both curves have three parts: too small, useful, too large. Adam's rates are far lower: its rate is a step length for
# each weight (chapter 04b). Are the readings any good? We train with the first of each, with a tenth and with ten times
# of it, and with two rates between.

# %%
factors = [0.1, 0.3, 1, 3, 10]
at = {}  # (optimizer, factor): validation loss
runs = [(name, factor) for name in optimizers for factor in factors]
trained = {name: new_network(optimizers[name](), UNITS, **speed) for name in optimizers}
for name, factor in ck.bar(runs, "trainings"):
    train(trained[name], training, 64, factor * reading[name], PASSES, SEED)
    at[name, factor] = trained[name].evaluate(*validation, 1_024, verbose=0)[0]


def told(validation_loss):
    """The loss in two digits; above ln 10 = 2.3 a network is worse than guessing."""
    return f"≈ {validation_loss:.2f}" if validation_loss < np.log(10) else "fails"


behind = {}  # how far the loss at the reading lies above the best of the five
print("validation loss at so many times the reading")
for name in optimizers:
    line = ", ".join(f"{factor:g} ×: {told(at[name, factor])}" for factor in factors)
    print(f"{name:4} {line}")
    behind[name] = at[name, 1] - np.nanmin([at[name, factor] for factor in factors])

# %% tags=["conclusion"]
# What came out
ck.claim(
    "Of five rates from a tenth to ten times of the reading, none gives a validation "
    "loss that is lower by more than 0.1, with SGD and with Adam",
    max(behind.values()) <= 0.1,
    measured={f"{name}, above the best": value for name, value in behind.items()}
    | {f"{name}, reading": value for name, value in reading.items()},
)
ck.claim(
    "Three range tests of SGD, with other weights and another order of the batches, "
    "read rates that differ by a factor below four",
    max(readings["SGD"]) < 4 * min(readings["SGD"]),
    measured={"lowest": min(readings["SGD"]), "highest": max(readings["SGD"])},
)

# %% tags=["guard"]
assert 0.08 < reading["SGD"] < 0.5 and 0.0008 < reading["Adam"] < 0.01

# %% [markdown]
# We tried five rates for each; three times more or less costs a few hundredths. So one run of two passes finds the *order
# of magnitude*: a good start, and not a measurement of the best rate. Below, a sweep of many runs shows where that lies.
#
# ### Exercise 5c.1 · Rates of a range test · ●○○ · 4 minutes
# Write `range_rate(step, steps, lowest, highest)`: the rate of step number `step` (from 0 to `steps - 1`) of a range test.


# %% tags=["exercise"]
def range_rate(step, steps, lowest, highest):
    ### BEGIN SOLUTION
    return lowest * (highest / lowest) ** (step / (steps - 1))
    ### END SOLUTION


# %% tags=["check"]
ck.check("batch_size.range_rate", range_rate)

# %% [markdown]
# ## What a larger batch buys: fewer steps
#
# A step with one picture and a step with 64 have something in common: around each there is a call, and each reads and
# writes all 50,890 weights. How many weights does one pass over our 6,144 pictures write?

# %%
parameters = network.count_params()
print("batch   steps in a pass   weights written in a pass")
for batch_size in [1, 16, 64, 512]:
    steps = 6_144 // batch_size
    print(f"{batch_size:5} {steps:12,} {steps * parameters / 1e6:21.1f} million")

# %% [markdown]
# The multiplications that a pass needs are the same for every batch size. But with one picture, each weight that is
# fetched from memory serves one multiplication in the forward pass; with 64 pictures it serves 64, side by side. And each
# step is a call from Python. The next figure times single steps on *this* machine, call included, the best of fifteen
# tries.

# %%
import time

sizes, seconds = [1, 4, 16, 64, 256, 1_024], []
timed = new_network(keras.optimizers.SGD(0.05), UNITS, jit_compile=False)
for size in ck.bar(sizes, "batch sizes"):
    tries = []
    for _ in range(15):
        begin = time.perf_counter()
        timed.train_on_batch(x_train[:size], y_train[:size])
        tries.append(time.perf_counter() - begin)
    seconds.append(min(tries))

# %% tags=["figure"]
pictures_a_second = np.array(sizes) / seconds
more = pictures_a_second[3] / pictures_a_second[0]
figure, axis = plt.subplots(figsize=(7, 3.6))
axis.loglog(sizes, pictures_a_second, "o-", label="pictures a second")
axis.loglog(sizes, 1 / np.array(seconds), "s--", label="steps a second")
axis.set(xlabel="batch size (log scale)", ylabel="number a second (log scale)")
axis.set_title(f"This machine: batch 64 reads {more:.0f} times as fast as batch 1")
axis.legend()
ck.show(
    figure,
    alt="With the batch size, pictures a second rise and steps a second fall, first "
    "slowly, then faster",
)

# %% [markdown]
# A larger batch reads more pictures a second. But a network learns in *steps*, and a pass then has fewer of them.
# The rest of this chapter weighs one against the other.
#
# ### Exercise 5c.2 · Counting the steps · ●○○ · 4 minutes
# Write `steps_made(examples, batch, passes)`: how many steps does `fit` make? The last batch of a pass may be smaller.


# %% tags=["exercise"]
def steps_made(examples, batch, passes):
    ### BEGIN SOLUTION
    return passes * int(np.ceil(examples / batch))
    ### END SOLUTION


# %% tags=["check"]
ck.check("batch_size.steps_made", steps_made)

# %% [markdown]
# ## What a larger batch buys: less noise
#
# The gradient of a batch of $B$ examples is the mean of $B$ single gradients $g_i$. Draw them independently, and call
# $g$ their mean over all examples, $s^2$ the mean of the squared distances $\lVert g_i - g \rVert^2$. In the square
# of $\frac{1}{B} \sum_i (g_i - g)$ the mixed terms are 0 on average, and $B$ terms of the mean $s^2 / B^2$ are left:
#
# $$ \mathbb{E}\,\lVert g_B - g \rVert^2 = s^2 / B, \qquad \text{so the noise is } s / \sqrt{B}. $$
#
# **With numbers:** let $g$ have the length 1 and $s = 16$. A batch of 64 is off by $16 / 8 = 2$, twice the length of what
# it estimates; one of 256 is off by 1, and one of 1,024 by ½. Four times the pictures, half the noise. And in our network?


# %%
train(network, training, 64, 0.1, PASSES, SEED)


def gradient(pixels, labels):
    """The gradient of the mean loss, all weights and biases in one row."""
    with tf.GradientTape() as tape:
        mean_loss = loss(labels, network(pixels))
    weights = [weight.value for weight in network.trainable_weights]
    parts = tape.gradient(mean_loss, weights)
    return np.concatenate([part.numpy().ravel() for part in parts])


full = gradient(x_train, y_train)
random = np.random.default_rng(SEED)
batch_sizes, noise = np.array([1, 4, 16, 64, 256, 1_024]), []
for batch_size in ck.bar(batch_sizes, "batch sizes"):
    squares = []
    for _ in range(50):
        drawn = random.integers(0, 6_144, batch_size)
        distance = gradient(x_train[drawn], y_train[drawn]) - full
        squares.append(np.sum(distance**2))
    noise.append(np.sqrt(np.mean(squares)) / np.linalg.norm(full))
    print(f"batch {batch_size:5,}: noise ≈ {noise[-1]:.1f} × the gradient's length")

power = np.polyfit(np.log(batch_sizes), np.log(noise), 1)[0]
print(f"noise goes with the batch size to the power {power:.1f}")
assert abs(power + 0.5) < 0.05

# %% [markdown]
# The power is −½, as derived. Once the noise is shorter than the gradient, more pictures tell a step little that
# is new. The batch size where both are equal grows as the loss falls (McCandlish et al., 2018).
#
# ### Exercise 5c.3 · As much noise as gradient · ●●○ · 8 minutes
# Write `equal_noise(gradients)`: the batch size at which noise and full gradient are equally long. `gradients`, shape
# `(examples, parameters)`, holds one gradient for each example; the full gradient is their mean. You need the mean squared
# distance from it, and its squared length.


# %% tags=["exercise"]
def equal_noise(gradients):
    ### BEGIN SOLUTION
    full = gradients.mean(axis=0)
    spread = np.mean(np.sum((gradients - full) ** 2, axis=1))
    return spread / np.sum(full**2)
    ### END SOLUTION


# %% tags=["check"]
ck.check("batch_size.equal_noise", equal_noise)

# %% [markdown]
# ## One large step for many small ones
#
# Which rate belongs to which batch? Take $k$ batches $b_1, \dots, b_k$ of equal size. Either make $k$ small steps with
# the rate $\eta$, one with each batch, or one large step with all their pictures and the rate $k\eta$:
#
# $$ w_k = w_0 - \eta \sum_{j=1}^{k} \nabla L_{b_j}(w_{j-1}), \qquad
#    w' = w_0 - k\eta \cdot \frac{1}{k} \sum_{j=1}^{k} \nabla L_{b_j}(w_0). $$
#
# The two sums differ only in *where* the gradients are taken: the small steps look again after each move. A move has the
# size $\eta$ times a gradient, so the gradients differ by about $\eta$ times something, and with the $\eta$ in front $w_k$
# and $w'$ differ by order $\eta^2$. This is the **linear scaling rule** (线性缩放规则; Goyal et al., 2017,
# who add a warm-up, chapter 04c): *batch times $k$, rate
# times $k$.*
#
# **With numbers:** $L(w) = w^2/2$ has the gradient $w$. From $w_0 = 1$ two steps with $\eta = 0.1$ lead to $0.9^2 =
# 0.81$, one step with 0.2 to 0.8: a difference of $0.01 = \eta^2$. With $\eta = 0.05$ they lead to 0.9025 and 0.9: a
# quarter of it. But for $k = 32$ and $\eta = 0.1$ the small steps lead to $0.9^{32} = 0.03$, the large one to $1 - 3.2 =
# -2.2$: past the goal, and further away than before. The rule needs $k\eta$ to be small.
#
# In a network: eight batches of 32 pictures, or one step with all 256. We halve the rate again and again. By what is
# the difference between both ends divided each time?

# %% tags=["guess"]
ck.guess(
    "halved",
    "Rate halved: the difference of the two ends is divided by about",
    choices=["1 (it stays)", "2", "4", "8"],
)

# %%
smooth = keras.Sequential(  # tanh, because the kink of ReLU would blur the count
    [
        keras.Input((784,), dtype="float64"),
        layers.Dense(64, "tanh", dtype="float64"),
        layers.Dense(10, dtype="float64"),
    ]
)
exact_loss = keras.losses.SparseCategoricalCrossentropy(True, dtype="float64")
smooth.compile(keras.optimizers.SGD(), exact_loss, jit_compile=False)
ck.restart(smooth, SEED)
smooth.fit(x_train, y_train, batch_size=64, verbose=0)
here = smooth.get_weights()


def end_of(parts, rate):
    """One step for each part of the pictures, from `here`; all weights in one row."""
    smooth.set_weights(here)
    smooth.optimizer.learning_rate = rate
    for part in parts:
        smooth.train_on_batch(x_train[part].astype("float64"), y_train[part])
    return np.concatenate([weight.ravel() for weight in smooth.get_weights()])


# %%
apart = {}
for rate in [0.004, 0.002, 0.001, 0.0005]:
    small_steps = end_of(np.split(np.arange(256), 8), rate)
    large_step = end_of([np.arange(256)], 8 * rate)
    apart[rate] = np.linalg.norm(small_steps - large_step)
    print(f"rate {rate:.4f}: difference ≈ {apart[rate]:.7f}", end="")
    print(f", divided by ≈ {apart[2 * rate] / apart[rate]:.1f}" if rate < 0.004 else "")
assert 3.6 < apart[0.001] / apart[0.0005] < 4.4

# %% tags=["conclusion"]
# What came out
ck.reveal("halved", f"{apart[0.001] / apart[0.0005]:.0f}")

# %% [markdown]
# Half the rate, a quarter of the difference, as an error of order $\eta^2$ must.
#
# ### Exercise 5c.4 · A batch in parts · ●●○ · 6 minutes
# If memory is short, one computes a large batch in parts: **gradient accumulation** (梯度累积). Write
# `accumulate(gradients, sizes)`: the gradient of the whole
# batch, from its parts' gradients of the mean loss, shape `(parts, parameters)`, and their numbers of examples `(parts,)`.


# %% tags=["exercise"]
def accumulate(gradients, sizes):
    ### BEGIN SOLUTION
    return sizes @ gradients / np.sum(sizes)
    ### END SOLUTION


# %% tags=["check"]
ck.check("batch_size.accumulate", accumulate)

# %% [markdown]
# ## The rule tested
#
# If only rate / batch counts, batches of 16, 64, 256 and 512 must end at one place. We take one rate for all, 0.1, and
# then a gentle ratio: rate = batch / 1,280, which is 0.0125 for 16 and 0.4 for 512.

# %%
rules = {"one rate": [0.1] * 4, "rate = batch / 1,280": [0.0125, 0.05, 0.2, 0.4]}
runs = []  # (rule, batch size, rate)
for rule, rates in rules.items():
    runs += [(rule, *pair) for pair in zip([16, 64, 256, 512], rates, strict=True)]
curves = {rule: {} for rule in rules}  # mean training loss of each pass
ended = {rule: {} for rule in rules}  # training loss at the end
for rule, size, rate in ck.bar(runs, "trainings"):
    history = train(network, training, size, rate, PASSES, SEED)
    curves[rule][size] = history["loss"]
    ended[rule][size] = network.evaluate(*training, 1_024, verbose=0)[0]

gap = {}  # largest minus smallest training loss
for rule, losses in ended.items():
    line = ", ".join(f"≈ {losses[size]:.2f} (batch {size})" for size in losses)
    gap[rule] = max(losses.values()) - min(losses.values())
    print(f"{rule:21} {line}")

# %% tags=["figure"]
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
for axis, (rule, by_size) in zip(axes, curves.items(), strict=True):
    for (size, curve), style in zip(
        by_size.items(), ["o-", "s--", "^:", "D-."], strict=True
    ):
        axis.plot(range(1, PASSES + 1), curve, style, label=f"batch {size}")
    axis.set(title=rule, xlabel="pass", ylabel="mean training loss of the pass")
    axis.set_xticks(range(1, PASSES + 1))
axes[0].legend(fontsize=8)
ck.show(
    figure,
    alt="Training loss by pass for four batch sizes: with one rate the curves fan out, "
    "with the rate in proportion to the batch they lie close together",
)

# %% tags=["conclusion"]
# What came out
ck.claim(
    "With a gentle rate in proportion to the batch, batches from 16 to 512 end within "
    "0.03 of each other; with one rate for all they end over ten times as far apart",
    gap["rate = batch / 1,280"] < 0.03
    and gap["one rate"] > 10 * gap["rate = batch / 1,280"],
    measured=gap,
)

# %% [markdown]
# Gentle rates leave one thing open: does the rule still hold for the *best* rates? That takes hundreds of runs. A longer
# run of ours made them, with the functions `pictures`, `new_network` and `train` from above: batch sizes from 1 to 512,
# eight to eleven rates each, twelve passes, and three seeds that draw the weights, the batches and the pictures
# (`make long-run RUN=batch_size`).
#
# For batch 4 the largest rate that trained with all seeds was 0.2. At the next one of the list, 0.4, the loss became
# infinite or ended above 2.3, which is worse than guessing. By the linear rule batch 512 could take 128 times as much.
# Which rate do you expect to be the largest that trains there?

# %% tags=["guess"]
ck.guess("wall", "The largest rate at which batch 512 trains", low=0.1, high=100)

# %%
stored = ck.data.checkpoint("batch_size")
batch_sizes = [1, 4, 16, 32, 64, 128, 256, 512]


def stored_losses(optimizer, batch_size, rate, passes):
    """Validation losses of the three seeds, infinite where it failed; [] if not run."""
    look = stored["looks"].index(passes)
    wanted, losses = (optimizer, batch_size, rate), []
    for row in stored["sweep"]:
        if (row["optimizer"], row["batch"], row["rate"]) == wanted:
            value = row["validation_loss"][look]
            failed = value is None or value > np.log(10)
            losses.append(np.inf if failed else value)
    return losses


def mean_losses(optimizer, batch_size, passes):
    """{rate: mean loss of the three seeds, infinite if one of them failed}."""
    means = {}
    for row in stored["sweep"]:
        if (row["optimizer"], row["batch"]) == (optimizer, batch_size):
            losses = stored_losses(optimizer, batch_size, row["rate"], passes)
            means[row["rate"]] = np.mean(losses)
    return dict(sorted(means.items()))


# %%
largest_that_trains = {}
for size in batch_sizes:
    losses = mean_losses("SGD", size, 12)
    largest_that_trains[size] = max(rate for rate in losses if losses[rate] < np.inf)
    print(f"batch {size:3}: trains with all seeds up to {largest_that_trains[size]}")

# %% tags=["figure"]
rates = sorted({row["rate"] for row in stored["sweep"] if row["optimizer"] == "SGD"})
figure, axes = plt.subplots(2, 1, figsize=(10, 8.4))
for axis, passes in zip(axes, [3, 12], strict=True):
    table = np.full((len(batch_sizes), len(rates)), np.nan)
    for row, size in enumerate(batch_sizes):
        losses = mean_losses("SGD", size, passes)
        best = min(losses, key=losses.get)
        for rate, value in losses.items():
            column = rates.index(rate)
            table[row, column] = min(value, 1) if value < np.inf else np.nan  # white
            failed = np.isinf(stored_losses("SGD", size, rate, passes)).sum()
            text = f"{failed} fail" if failed else f"{value:.2f}"
            color = "black" if value > 0.72 else "white"  # infinite too
            axis.text(column, row, text, ha="center", va="center", color=color)
        axis.plot(rates.index(best), row, "o", markersize=30, mfc="none", mec="C1")
    axis.imshow(table, cmap="viridis", aspect="auto", vmin=0.42, vmax=1)
    axis.set_xticks(range(len(rates)), [f"{rate:.3g}" for rate in rates], fontsize=8)
    axis.set_yticks(range(len(batch_sizes)), batch_sizes)
    axis.grid(False)
    axis.set(xlabel="learning rate", ylabel="batch size")
    axis.set_title(f"SGD: validation loss after {passes} passes, mean of three seeds")
ck.show(
    figure,
    alt="Two tables of validation loss by batch size and learning rate, after three "
    "and twelve passes: the best rate of each size is circled, and the circles run "
    "along a diagonal; at the right end of each row training fails",
)

# %% tags=["conclusion"]
# What came out
ck.reveal("wall", largest_that_trains[512])

# %% [markdown]
# On the right is a wall, where it says *fail*: at these rates training does not work. (Empty cells were not run. "Trains"
# means here that the validation loss stays below 2.3.)
#
# First the diagonals, on which rate / batch is the same. For gentle rates the loss on a diagonal is the same to 0.01; in
# the last cells before the wall it rises (after twelve passes from 0.43 to 0.47 on one, from 0.62 to 0.70 on another). The
# circles run along a diagonal, and leave it near the wall. How far does the rule hold for the best rates? We take the best
# rate of batch 16 and scale it.

# %%
for passes in [3, 12]:
    losses = mean_losses("SGD", 16, passes)
    anchor = min(losses, key=losses.get)
    print(f"after {passes} passes; batch 16 has its best rate at {anchor}")
    print("batch   best rate   loss there   rule's rate   loss there")
    for size in batch_sizes:
        losses = mean_losses("SGD", size, passes)
        best = min(losses, key=losses.get)
        by_rule = round(anchor * size / 16, 8)
        there = losses.get(by_rule, np.nan)
        told_there = "fails" if there == np.inf else f"{there:.3f}"
        told_there = "not run" if np.isnan(there) else told_there
        line = f"{best:11.4g} {losses[best]:12.3f} {by_rule:13.4g} {told_there:>12}"
        print(f"{size:5} {line}")

# %% [markdown]
# After three passes the rule holds from batch 1 to 128: at its rate the loss is within 0.02 of the best of the row. For
# 256 it asks for 1.6, and there training fails. After twelve passes the best rate of batch 16 is a quarter of what it
# was. From this gentler start the rule names the best rate of every row from 1 to 256, and the losses there agree to
# 0.01; at 512 the best rate lies close to the wall, at 1.13, and the rule's loses 0.02. So how far the rule holds depends on
# how long you train. How does the best rate change with the length of the training?

# %%
print("batch   best rate after 3, 6, 12 passes   rate × steps")
for size in batch_sizes:
    best_rates, products = [], []
    for passes in [3, 6, 12]:
        losses = mean_losses("SGD", size, passes)
        best_rates.append(min(losses, key=losses.get))
        products.append(best_rates[-1] * passes * 6_144 / size)
    line = "".join(f"{rate:11.4g}" for rate in best_rates)
    print(f"{size:5} {line}     ", *[f"{product:7.1f}" for product in products])

print("batch 16 at rate 0.1: training loss of the pass, validation loss after it")
for passes in [3, 6, 12]:
    training_losses = [
        row["loss"][passes - 1]
        for row in stored["sweep"]
        if (row["optimizer"], row["batch"], row["rate"]) == ("SGD", 16, 0.1)
    ]
    line = f"{np.mean(training_losses):.3f}, {mean_losses('SGD', 16, passes)[0.1]:.3f}"
    print(f"{passes:2} passes: {line}")

# %% [markdown]
# For batches from 1 to 16 four times the passes want a quarter of the rate, from 32 to 256 a half; at 512, close to the
# wall, the best rate grew. (The list goes in factors of two.) A rate that is right for three passes goes too far in twelve:
# for batch 16 at 0.1 the training loss falls on, and the validation loss turns up again. That is over-fitting (过拟合), the
# subject of chapter 06a. A product of rate and steps is not all, though: for batch 16 it is 115 each time, and the gentler
# rate ends lower (0.471 after three passes, 0.431 after twelve). One likely reason comes below: with a gentle rate the
# weights rest nearer to their goal.
#
# How near were the readings of the range test, at batch 64?

# %%
best_at_64 = {}  # (optimizer, passes): best rate of the stored run
for name in optimizers:
    for passes in [3, 12]:
        losses = mean_losses(name, 64, passes)
        best_at_64[name, passes] = min(losses, key=losses.get)
    read = ", ".join(f"≈ {rate:.4f}" for rate in readings[name])
    line = f"after 3 passes {best_at_64[name, 3]}, after 12 {best_at_64[name, 12]}"
    print(f"{name:4} read {read}; best of the sweep {line}")
far_off = {}
for passes in [3, 12]:
    ratios = np.array(readings["SGD"]) / best_at_64["SGD", passes]
    far_off[passes] = max(ratios.max(), 1 / ratios.min())

# %% tags=["conclusion"]
# What came out
ck.claim(
    "SGD's range tests read rates that differ from the best rates of the sweep at "
    "batch 64, after 3 and after 12 passes, by a factor below four",
    max(far_off.values()) < 4,
    measured={
        f"largest factor, {passes} passes": far_off[passes] for passes in far_off
    },
)

# %% [markdown]
# Now the right side of the table, the wall. After twelve passes, from batch 1 to 16 the largest rate of the list that trains
# grows as the batch does: 0.05, 0.2, 0.8 (the next ones of the list are 0.1, 0.4, 1.13). From 32 to 256 it stays: 1.13
# trains, 1.6 fails with all three seeds. At 512 one of the three seeds trains at 1.6. So for small batches the wall depends
# on the batch, and for large ones it hardly does.
#
# Is it the same with your seed? Some cells of the table again, with the same code.

# %%
here_losses = {}  # 9 where it is larger, infinite or not a number
cells = [(512, rate) for rate in [0.1, 0.2, 0.4, 0.8, 3.2]] + [(4, 0.8)]
for size, rate in ck.bar(cells, "trainings"):
    train(network, training, size, rate, PASSES, SEED)
    here_loss = network.evaluate(*validation, 1_024, verbose=0)[0]
    here_losses[size, rate] = here_loss if here_loss < 9 else 9
    line = f"validation loss {told(here_loss)}"
    if losses_there := stored_losses("SGD", size, rate, 3):
        seeds = ", ".join("fails" if v == np.inf else f"{v:.2f}" for v in losses_there)
        line += f" (stored, three seeds: {seeds})"
    print(f"batch {size:3}, rate {rate}: {line}")

# %% tags=["conclusion"]
# What came out
ck.claim(
    "At the rate 0.8 batch 512 learns and batch 4 fails; at 3.2, to which the linear "
    "rule takes 0.1 from batch 16 to 512, batch 512 fails too",
    here_losses[512, 0.8] < 1
    and min(here_losses[4, 0.8], here_losses[512, 3.2]) > np.log(10),
    measured={
        f"batch {size}, rate {rate}": validation_loss
        for (size, rate), validation_loss in here_losses.items()
    },
)

# %% [markdown]
# ### Why there is a wall
#
# A batch does not only blur the gradient: each batch has a *curvature* of its own. A single neuron shows what follows.
# It has $d$ weights and no bias; its inputs $x$ are independent standard normal numbers, its targets are 0, so the best
# weights are 0 and $\lVert w \rVert$ is the distance from them. For one example $L = (x \cdot w)^2 / 2$ and the gradient
# is $(x \cdot w)\,x$. A step with a batch is
#
# $$ w' = w - \eta H_B\, w, \qquad H_B = \frac{1}{B} \sum_{i=1}^{B} x_i^\top x_i \quad (d \times d). $$
#
# On average $H_B$ is the identity matrix: all curvatures $\lambda$ are 1, and without noise every rate up to
# $2 / \lambda = 2$ brings $w$ nearer (chapter 04a). With noise we need the mean of $\lVert w' \rVert^2$, and so of
# $H_B^2$, a sum over all pairs of examples. A pair of two different ones gives the identity. An example with itself gives
# $\lVert x \rVert^2 x^\top x$, whose mean is $(d + 2)$ times the identity (along one axis: $\mathbb{E}[x_1^4] = 3$, and
# $\mathbb{E}[x_1^2 x_j^2] = 1$ for the $d - 1$ others). Of the $B^2$ pairs, $B$ are of this kind:
#
# $$ \mathbb{E}\,\lVert w' \rVert^2 = \Big( 1 - 2\eta + \eta^2 \Big( 1 + \frac{d + 1}{B} \Big) \Big) \lVert w \rVert^2,
#    \qquad \text{smaller than } \lVert w \rVert^2 \text{ if } \eta < \frac{2}{1 + (d + 1) / B}. $$
#
# **With numbers:** $d = 100$. For $B = 1$ the limit is $2/102 \approx 0.02$; for $B = 4$ it is 0.076, nearly four times
# as much. For $B = 1,024$ it is 1.82 and for more it stays below 2. While $B$ is far below $d + 1$ the random
# curvature of the batch sets the
# limit, and it grows *in proportion* to the batch. Far above, the mean curvature sets it, and a larger batch gains next to
# nothing.
# A simulation, with new examples in each step, shows whether this is right.


# %%
def distance_after(batch_size, rate, steps=200):
    """How far the neuron's weights are from 0 after `steps`; they begin at 1."""
    random = np.random.default_rng(SEED)
    w = np.ones(INPUTS) / np.sqrt(INPUTS)
    for _ in range(steps):
        x = random.normal(size=(batch_size, INPUTS))
        w = w - rate * (x @ w) @ x / batch_size
    return np.linalg.norm(w)


formula, largest, ratios = {}, {}, {}
for size in ck.bar([1, 4, 16, 64, 256], "batch sizes"):
    formula[size] = 2 / (1 + (INPUTS + 1) / size)
    for factor in np.arange(0.7, 1.4, 0.05):
        if distance_after(size, factor * formula[size]) < 1:
            largest[size] = factor * formula[size]
    line = f"formula {formula[size]:.4f}, largest rate that came nearer"
    print(f"batch {size:3}: {line} ≈ {largest[size]:.4f}")
    ratios[f"batch {size}"] = largest[size] / formula[size]

# %% tags=["conclusion"]
# What came out
ck.claim(
    "For batches of 1 to 256, the largest rate at which the neuron comes nearer to its "
    "goal is what the formula says, to a tenth",
    all(0.9 <= ratio <= 1.1 for ratio in ratios.values()),
    measured=ratios,
)

# %% [markdown]
# Our network is not this neuron: it has many curvatures, and they change while it learns, so the formula gives no
# number for it. But the shape is that of the table: in proportion to the batch first, then flat. Ma, Bassily and Belkin
# (2018) derive these two regimes for quadratic losses that can be fitted exactly, as here.
#
# ### And where SGD comes to rest
#
# Give the targets of such a neuron some noise, and the weights never stop at the best place: each batch pulls elsewhere.
# Take one weight at the distance $w$ from its best value, with the curvature $\lambda$ and a gradient noise of the
# variance $\sigma^2 / B$. A step makes of it $(1 - \eta\lambda)\,w - \eta \cdot \text{noise}$. At rest the mean square
# $r^2$ of the distance no longer changes:
#
# $$ r^2 = (1 - \eta\lambda)^2 r^2 + \frac{\eta^2 \sigma^2}{B} \qquad \Rightarrow \qquad
#    r^2 = \frac{\eta\, \sigma^2}{B\, \lambda\, (2 - \eta\lambda)} \approx \frac{\eta}{B} \cdot \frac{\sigma^2}{2\lambda}
#    \quad \text{for gentle rates.} $$
#
# Again it is the *ratio* rate / batch that counts. This noise keeps the weight away from its goal; it does not drive it off.
# **With numbers:** $\lambda = \sigma = 1$, $\eta = 0.1$, $B = 1$: $r^2 = 0.1 / 1.9 = 0.053$. We iterate the equation, and
# scale rate and batch together:

# %%
random = np.random.default_rng(SEED)
for size, rate in [(1, 0.1), (4, 0.1), (4, 0.4), (16, 0.4)]:
    w, squares = 0.0, []
    for _ in range(20_000):
        w = (1 - rate) * w - rate * random.normal() / np.sqrt(size)
        squares.append(w**2)
    formula_says = rate / (size * (2 - rate))
    print(f"batch {size:2}, rate {rate}: formula {formula_says:.4f}", end="")
    print(f", simulated ≈ {np.mean(squares):.4f}")
    assert np.isclose(np.mean(squares), formula_says, rtol=0.1)

# %% [markdown]
# Nearly equal at equal rate / batch: 0.053 and 0.063.
#
# ### Exercise 5c.5 · A rate for another batch · ●○○ · 5 minutes
# Write `scaled_rate(rate, batch, new_batch, rule)`: the rate for `new_batch` when `rate` is good for `batch`. `rule` is
# `"linear"` or `"square root"` (the rate grows with the square root of the batch size; you meet it below).


# %% tags=["exercise"]
def scaled_rate(rate, batch, new_batch, rule):
    ### BEGIN SOLUTION
    factor = new_batch / batch
    return rate * (factor if rule == "linear" else np.sqrt(factor))
    ### END SOLUTION


# %% tags=["check"]
ck.check("batch_size.scaled_rate", scaled_rate)

# %% [markdown]
# ## Why a batch of 1 is rare
#
# Batch 1 is noisy, and it needs small rates. Does it learn worse for that? Give it what every other size got: its own
# best rate.

# %% tags=["guess"]
ck.guess(
    "single",
    "Validation loss after 12 passes, each at its best rate: batch 1 against batch 64",
    choices=["over 0.05 lower", "within 0.05", "over 0.05 higher"],
)

# %%
print("          loss at its own best rate")
print("batch   3 passes   12 passes   steps in 12 passes")
best_loss = {}
for size in batch_sizes:
    after_3 = min(mean_losses("SGD", size, 3).values())
    best_loss[size] = min(mean_losses("SGD", size, 12).values())
    steps = 12 * 6_144 // size
    print(f"{size:5} {after_3:10.3f} {best_loss[size]:11.3f} {steps:20,}")
difference = best_loss[1] - best_loss[64]
answers = ["over 0.05 lower", "within 0.05", "over 0.05 higher"]
measured_answer = answers[int(np.digitize(difference, [-0.05, 0.05]))]

# %% tags=["conclusion"]
# What came out
ck.reveal("single", measured_answer)

# %% [markdown]
# Picture for picture, batch 1 at its own rate learns as well as the others; after three passes it is even ahead of the
# large ones. What it costs is *time*: 73,728 steps where batch 64 makes 1,152, each with its call, each reading and writing
# all weights; the figure with the clock shows what a single step costs on your machine. A graphics processor, which
# computes thousands of products side by side, is used even less by one picture. After twelve passes the sizes up to 256 are
# as good to 0.01, in far fewer steps; after three a large batch is still behind (0.465 for batch 1, 0.506 for 256). So one
# takes a larger batch where the time for enough steps is there.
#
# ## And Adam?
#
# Adam divides each step by the root of the mean squared gradient, and where noise rules, that root is the noise. A batch
# $k$ times as large has a noise $\sqrt{k}$ times smaller, so Adam's steps grow by $\sqrt{k}$ on their own, and the other
# $\sqrt{k}$ of the linear rule is left for us: **batch times $k$, rate times $\sqrt{k}$** (Malladi et al., 2022, who
# move Adam's other constants, too; we do not). Batch 16 to 256: by this rule rate times 4, not 16. The same stored run,
# with Adam:

# %%
for passes in [3, 12]:
    losses = mean_losses("Adam", 16, passes)
    anchor = min(losses, key=losses.get)
    print(
        f"{passes} passes; batch 16 is best at {anchor}; loss above the best of the row"
    )
    print("batch   best rate   rate unchanged   square-root rule   linear rule")
    for size in [16, 64, 256]:
        losses = mean_losses("Adam", size, passes)
        best = min(losses, key=losses.get)
        line = f"{size:5} {best:11}"
        for width, factor in [(17, 1), (19, (size / 16) ** 0.5), (14, size / 16)]:
            line += f"{losses[anchor * factor] - losses[best]:{width}.3f}"
        print(line)

# %% tags=["figure"]
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
for axis, passes in zip(axes, [3, 12], strict=True):
    for number, size in enumerate([16, 64, 256]):
        rates = list(mean_losses("Adam", size, passes))
        for seed in range(3):
            losses = [stored_losses("Adam", size, rate, passes)[seed] for rate in rates]
            label = f"batch {size}" if seed == 0 else None
            style = ["o-", "s--", "^:"][number]
            axis.semilogx(
                rates, losses, style, color=f"C{number}", markersize=4, label=label
            )
    axis.set(title=f"Adam after {passes} passes", xlabel="learning rate (log scale)")
    axis.set(ylabel="validation loss", ylim=(0.38, 0.75))
axes[0].legend(fontsize=8)
ck.show(
    figure,
    alt="Adam's validation loss over the learning rate for three batch sizes, three "
    "seeds each, after three and after twelve passes",
)

# %% [markdown]
# For 16 times the batch the best rate grows by 8, between the two rules. The bottom of each curve is flat: the square
# root's rates lose about 0.01 at most, the linear rule's up to 0.03. Three sizes and one network make no law. Start at the
# square root, and try the neighbours.
#
# ## Do large batches generalise worse?
#
# To make over-fitting possible we take only 1,024 pictures. Batch 32 makes 20 passes at the rate 0.1. Batch 512 gets the
# same number of *passes* at the same rate (a), or the same *rate times steps* (b): four times the rate, a quarter of the
# steps.

# %%
few = x_train[:1_024], y_train[:1_024]
ways = {
    "batch 32": (32, 0.1, FEW_PASSES),
    "a: 512, equal passes": (512, 0.1, FEW_PASSES),
    "b: 512, equal rate × steps": (512, 0.4, 4 * FEW_PASSES),
}
fast = {"steps_per_execution": 2, "jit_compile": False}
fitted = new_network(keras.optimizers.SGD(), UNITS, **fast)
learned, tested = {}, {}
print(f"{'':27} passes   steps   training loss ≈   test loss ≈")
for way, (size, rate, passes) in ck.bar(ways.items(), "trainings"):
    train(fitted, few, size, rate, passes, SEED)
    learned[way] = fitted.evaluate(*few, 1_024, verbose=0)[0]
    tested[way] = fitted.evaluate(*test, 1_024, verbose=0)[0]
    line = f"{passes:6} {passes * 1_024 // size:7} {learned[way]:17.2f}"
    print(f"{way:27} {line} {tested[way]:13.2f}")
usual, equal_passes, equal_product = ways

# %% tags=["conclusion"]
# What came out
ck.claim(
    "After 20 passes over 1,024 pictures at one rate, batch 512 has the higher test "
    "loss; but its training loss is further behind still",
    0 < tested[equal_passes] - tested[usual] < learned[equal_passes] - learned[usual],
    measured={
        "training, 32": learned[usual],
        "training, 512": learned[equal_passes],
        "test, 32": tested[usual],
        "test, 512": tested[equal_passes],
    },
    fixed=("FEW_PASSES",),
)
ck.claim(
    "With equal rate times steps, batches of 32 and 512 end within 0.06 of each other, "
    "in training loss and in test loss",
    abs(learned[equal_product] - learned[usual]) < 0.06
    and abs(tested[equal_product] - tested[usual]) < 0.06,
    measured={
        "training, 32": learned[usual],
        "training, 512": learned[equal_product],
        "test, 32": tested[usual],
        "test, 512": tested[equal_product],
    },
)

# %% [markdown]
# With equal passes at one rate the test loss is higher (a), but the training loss is further behind still: batch 512 has
# learned *less*. With equal rate times steps both have learned the same, and are worth the same (b).
#
# Is that a matter of these rates, and of a short training? The stored run trained batches of 4, 32 and 512 on 1,024
# pictures, each at three or four rates and with three seeds, far into over-fitting. For each batch size the validation part
# chooses the rate and when to stop; the test part tells what that is worth.


# %%
def few_at(size, rate, passes):
    """{part: losses of the three seeds} of the stored run with 1,024 pictures."""
    look = stored["few_looks"][str(size)].index(passes)
    losses = {"training": [], "validation": [], "test": []}
    for row in stored["few"]:
        if (row["batch"], row["rate"]) == (size, rate):
            for part in losses:
                losses[part].append(row[part][look])
    return losses


print("batch   rate   passes   rate × steps   training   test loss, three seeds")
for size in [4, 32, 512]:
    candidates = []  # (mean validation loss, rate, passes)
    for rate in sorted({row["rate"] for row in stored["few"] if row["batch"] == size}):
        for passes in stored["few_looks"][str(size)]:
            mean = np.mean(few_at(size, rate, passes)["validation"])
            candidates.append((mean, rate, passes))
    _, rate, passes = min(candidates)
    losses = few_at(size, rate, passes)
    product = rate * passes * 1_024 / size
    seeds = ", ".join(f"{value:.3f}" for value in losses["test"])
    line = f"{product:14.0f} {np.mean(losses['training']):10.3f}   {seeds}"
    print(f"{size:5} {rate:6} {passes:8} {line}")

# %% tags=["figure"]
figure, axis = plt.subplots(figsize=(8, 4.2))
shown_runs = [(4, 0.0125, "o-"), (32, 0.1, "s--"), (512, 0.4, "^:"), (512, 0.8, "D-.")]
for number, (size, rate, style) in enumerate(shown_runs):
    for row in stored["few"]:
        if (row["batch"], row["rate"]) == (size, rate):
            label = f"batch {size}, rate {rate}" if row["seed"] == 0 else None
            axis.semilogx(
                row["training"],
                row["test"],
                style,
                color=f"C{number}",
                markersize=4,
                linewidth=1,
                label=label,
            )
axis.invert_xaxis()
axis.set(xlabel="training loss (log scale, falling to the right)", ylabel="test loss")
axis.set_title("Stored run, 1,024 pictures: test loss at equal training loss")
axis.legend(fontsize=8)
ck.show(
    figure,
    alt="Test loss against training loss for batches of 4, 32 and 512, three seeds "
    "each: it falls, and then rises while the training loss goes on falling; the "
    "curves of all batch sizes lie close together",
)

# %% [markdown]
# Chosen by the validation part, all three sizes have the same training loss and, seed by seed, nearly the same test loss.
# (Batches 4 and 32 chose the lowest rate of their lists, so a lower one may do better still.) The curves of the gentle
# rates lie on each other far into over-fitting. The largest rate of *each* size takes a worse way at first: 512 at 0.8, which
# is drawn here, and in the stored run 32 at 0.4 and 4 at 0.05, too. So for this small network and 1,024 pictures we see no
# harm in a large batch, once it has its rate and its steps. Keskar et al. (2017) report a difference for larger networks;
# Hoffer et al. (2017) close it with more steps, a larger rate and another batch normalisation; Shallue et al. (2019) tuned
# each size on its own, for many networks, and found no harm either.
#
# ### Exercise 5c.6 · Train at the scaled rate · ●●● · 12 minutes
# Rate 0.1 is good for batches of 16. Write `train_scaled(x, y, batch)`: build a network for `x` of shape `(examples, 784)`, 64
# ReLU units and ten logits, train it with plain SGD and `loss` for **one** pass in batches of `batch`, at the rate of the
# linear rule, and return it.


# %% tags=["exercise"]
def train_scaled(x, y, batch):
    ### BEGIN SOLUTION
    network = keras.Sequential(
        [keras.Input((784,)), layers.Dense(64, "relu"), layers.Dense(10)]
    )
    network.compile(keras.optimizers.SGD(0.1 * batch / 16), loss)
    network.fit(x, y, batch_size=batch, epochs=1, verbose=0)
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("batch_size.train_scaled", train_scaled)

# %% [markdown]
# ## Article clinic
#
# ### 05-2 · Parameters or hyperparameters?
# Article a1 (8.2) is right that learning rate and batch size are to be set, and that they matter. It counts both among the
# model's parameters. We ask Keras what a training changes.

# %%
asked = new_network(keras.optimizers.SGD(0.05), UNITS, jit_compile=False)
before = asked.get_weights()
asked.fit(x_train[:640], y_train[:640], batch_size=64, verbose=0)
print("in network.weights, and the share that training changed:")
for weight, old in zip(asked.weights, before, strict=True):
    changed = np.mean(weight.numpy() != old)
    print(f"  {weight.name:6} {tuple(weight.shape)!s:11} ≈ {100 * changed:.0f} %")
kept_rate = float(asked.optimizer.learning_rate)
print(f"in network.optimizer: learning_rate {kept_rate:.2f}, as before")
names = [weight.name for weight in asked.weights]
assert "learning_rate" not in names and "batch_size" not in names
assert np.isclose(kept_rate, 0.05)

# %% [markdown]
# **Right:** both are *hyperparameters*: we choose them. Training changes the parameters, weights and biases. The rate
# lives in the optimizer, and training left it as it was; the batch size is an argument of `fit`.
#
# ## How are learning rate and batch size related?
#
# An article (a4) asks this and leaves it open. For one small network and the trainings above:
#
# | Your case | Do | Shown in |
# |---|---|---|
# | no idea of the rate | range test; a third of the lowest point | *A range test* |
# | new batch size, SGD | rate times the same factor, while the rate is gentle | *The rule tested* |
# | the scaled rate fails | a smaller rate and more passes, or a warm-up (04c); from batch 32 on a larger batch hardly moved the wall | *The rule tested* |
# | more passes | try half and a quarter of the rate | *The rule tested* |
# | new batch size, Adam | rate times the square root of the factor, and its neighbours | *And Adam?* |
# | the large batch scores worse | compare at equal rate times steps first | *Do large batches generalise worse?* |
#
# ## Recap
#
# - One short range test finds the order of magnitude of a usable rate: for SGD at batch 64, within a factor of four of the
#   best rate of the sweep.
# - The noise of a batch gradient falls as $1/\sqrt{B}$: four times the pictures, half the noise.
# - $k$ small steps are one step with the rate $k\eta$, up to order $\eta^2$: the linear scaling rule, for gentle rates.
# - For a single neuron, steps come nearer to the goal below $2 / (1 + (d + 1)/B)$: the random curvature of a
#   batch limits small batches, the mean curvature large ones. Our network's table has the same shape.
# - At its own best rate batch 1 learned as well as the others in our stored run; it needs 64 times the steps of batch
#   64.
# - With equal rate times steps, batches of 32 and 512 had training and test losses within 0.06 of each other, on 1,024
#   pictures.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("batch_size.hook")

# %% tags=["quiz"]
ck.quiz("batch_size.wall")

# %% tags=["quiz"]
ck.quiz("batch_size.sixteen")

# %% tags=["quiz"]
ck.quiz("batch_size.hyperparameter")

# %% [markdown]
# ### References
#
# - Smith (2017). Cyclical learning rates for training neural networks. WACV. arXiv:1506.01186
# - Goyal et al. (2017). Accurate, large minibatch SGD: Training ImageNet in 1 hour. arXiv:1706.02677
# - Ma, Bassily, Belkin (2018). The power of interpolation: Understanding the effectiveness of SGD in modern over-parametrized learning. ICML. arXiv:1712.06559
# - Keskar et al. (2017). On large-batch training for deep learning: Generalization gap and sharp minima. ICLR. arXiv:1609.04836
# - Shallue et al. (2019). Measuring the effects of data parallelism on neural network training. Journal of Machine Learning
#   Research 20. arXiv:1811.03600
# - Hoffer, Hubara, Soudry (2017). Train longer, generalize better. NIPS. arXiv:1705.08741
# - McCandlish et al. (2018). An empirical model of large-batch training. arXiv:1812.06162
# - Malladi et al. (2022). On the SDEs and scaling rules for adaptive gradient algorithms. NeurIPS. arXiv:2205.10287
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("batch_size")
