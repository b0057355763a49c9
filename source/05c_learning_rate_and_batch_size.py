# ---
# title: Learning rate and batch size
# promise: You will find a learning rate by a range test, see what the batch size changes, and test the linear scaling rule.
# built: You found a learning rate by a range test, measured the noise of a batch, and moved the rate with the batch size.
# minutes: 70
# prerequisites: [05b_how_sure_is_a_score]
# data: [fashion_mnist]
# articles: [a4 3.4, a4 9, a1 8]
# clinic: [05-2]
# topic: batch_size
# ---

# %% [markdown]
# **What you will be able to do**
#
# - find a learning rate with one short run, for SGD and for Adam;
# - say what the batch size (批量大小) does to speed, to noise and, in one small network, to the score;
# - move the rate with the batch size, and know where that stops working.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## Sixteen points lost, by reading more at a time
#
# Pictures of clothes again, from 0 to 1, minus the mean training picture. Three parts:

# %%
import inspect

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers, ops

(x, y), (x_test, y_test) = ck.data.fashion_mnist(train=14_336, test=10_000, seed=3)
x = x.reshape(-1, 784).astype("float32") / 255  # (examples, pixels)
mean_picture = x[:6_144].mean(axis=0)
x_train, y_train = x[:6_144] - mean_picture, y[:6_144]
x_validation, y_validation = x[6_144:] - mean_picture, y[6_144:]
x_test = x_test.reshape(-1, 784).astype("float32") / 255 - mean_picture
print(f"{len(x_train):,} pictures to learn from, {len(x_validation):,} to choose with, {len(x_test):,} to judge with")

# %% [markdown]
# One network, the rate 0.05, three passes over the same pictures in the same order. Only the batch size differs. **Guess
# first:** 16 or 512, which wins, and by how much?

# %%
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def new_network(seed):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((784,)), layers.Dense(64, "relu"), layers.Dense(10)])


def batches(size, passes, seed, pixels=x_train, labels=y_train):
    """Batches of `size` for some passes; for one seed the pictures come in the same order, whatever the size."""
    random = np.random.default_rng(seed)
    order = np.concatenate([random.permutation(len(pixels)) for _ in range(passes)])
    pixels, labels = tf.constant(pixels), tf.constant(labels)
    rows = tf.data.Dataset.from_tensor_slices(order).batch(size)
    return rows.map(lambda row: (tf.gather(pixels, row), tf.gather(labels, row)))


# %%
network = new_network(0)
network.compile(keras.optimizers.SGD(0.05), loss, steps_per_execution=12)
start = network.get_weights()
for size in [16, 512]:
    network.set_weights(start)
    network.fit(batches(size, 3, seed=0), shuffle=False, verbose=0)
    share = np.mean(network(x_validation).numpy().argmax(axis=-1) == y_validation)
    print(f"batch {size:3}: {3 * 6_144 // size:4} steps, {share:.0%} of the validation pictures right")
    assert (0.82 < share < 0.84) if size == 16 else (0.63 < share < 0.67)

# %% [markdown]
# It is often said that large batches train faster and generalise worse. Is this the proof? Both ran at one rate, which may
# suit one of them better. First we need a way to a good rate.
#
# ## A range test
#
# Smith (2017) lets the rate grow from step to step, from far too small to far too large, and watches the loss: the **range
# test** (学习率范围测试). With $T$ steps from $\eta_0$ to $\eta_1$:
#
# $$ \eta_t = \eta_0 \left(\eta_1 / \eta_0\right)^{t / (T - 1)}, \qquad t = 0, \dots, T - 1 $$
#
# A callback can do it. Mind one trap: the `loss` that Keras hands to it is the *mean since the epoch began*. We reset it before
# each step.


# %%
class RangeTest(keras.callbacks.Callback):
    """Give each step the next of `rates`, and note its loss; stop when the loss is three times the first."""

    def __init__(self, rates):
        super().__init__()
        self.rates, self.losses = rates, []

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate = self.rates[len(self.losses)]
        self.model.reset_metrics()

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(float(logs["loss"]))
        self.model.stop_training = not self.losses[-1] < 3 * self.losses[0]


tests = {}
for name, optimizer, lowest, highest in [("SGD", "sgd", 1e-4, 10), ("Adam", "adam", 1e-6, 0.1)]:
    tests[name] = RangeTest(np.geomspace(lowest, highest, 192))  # two passes, batches of 64
    network = new_network(0)
    network.compile(optimizer, loss)
    network.fit(batches(64, 2, seed=0), shuffle=False, verbose=0, callbacks=[tests[name]])

# %% [markdown]
# We average 15 neighbours. Where this curve is lowest, the rate is about to become too large. We step back and read off **a
# third** of it (others take the place of the steepest fall).


# %%
def read_off(test):
    """The smoothed curve, rates and losses, and a third of the rate where it is lowest."""
    smooth = np.convolve(test.losses, np.ones(15) / 15, "valid")
    rates = test.rates[7 : 7 + len(smooth)]
    return rates, smooth, rates[np.argmin(smooth)] / 3


# %%
readings = {}
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
for number, (axis, (name, test)) in enumerate(zip(axes, tests.items(), strict=True)):
    rates, smooth, readings[name] = read_off(test)
    axis.semilogx(test.rates[: len(test.losses)], test.losses, color="grey", linewidth=0.8, label="each step")
    axis.semilogx(rates, smooth, color=f"C{number}", label="mean of 15 steps")
    axis.axvline(readings[name], color="black", linestyle="--", label="a third of the lowest")
    axis.set(title=f"Range test, {name}", xlabel="learning rate (log scale)", ylabel="loss of the batch", ylim=(0, 4))
    axis.legend(fontsize=8, loc="lower left")
ck.show(
    figure,
    alt="Loss over rate for SGD and Adam: flat, then falling, then a steep rise; Adam's fall is at rates far lower",
)
print(f"read off: SGD ≈ {readings['SGD']:.2f}, Adam ≈ {readings['Adam']:.4f}")
assert 0.1 < readings["SGD"] < 0.3 and 0.001 < readings["Adam"] < 0.01
assert 50 < readings["SGD"] / readings["Adam"] < 100

# %% [markdown]
# Both curves have three parts: too small, useful, too large. Adam's reading is 50 to 100 times smaller: its rate is a step
# length for each weight (chapter 04b). Is it any good? We train at a tenth of it, at it, and at ten times it.

# %%
checked = {}
for name, optimizer in [("SGD", keras.optimizers.SGD()), ("Adam", keras.optimizers.Adam())]:
    network.compile(optimizer, loss, steps_per_execution=12)
    for factor in [0.1, 1, 10]:
        network.set_weights(start)
        for variable in optimizer.variables:
            variable.assign(ops.zeros_like(variable))
        optimizer.learning_rate = factor * readings[name]
        network.fit(batches(64, 3, seed=0), shuffle=False, verbose=0)
        checked[name, factor] = float(loss(y_validation, network(x_validation)))
    tenfold = f"≈ {checked[name, 10]:.2f}" if checked[name, 10] < 2 else "broke down"
    print(
        f"{name:4}: at a tenth ≈ {checked[name, 0.1]:.2f}, at the reading ≈ {checked[name, 1]:.2f}, at ten times {tenfold}"
    )
    assert min(checked[name, 0.1], np.nan_to_num(checked[name, 10], nan=9)) > checked[name, 1] + 0.04

# %% [markdown]
# One run of two passes found a usable rate for each, better after three passes than a tenth or ten times of it: a start, not
# the best.
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
# ## What a larger batch buys: speed
#
# We time single steps with four batch sizes on *this* machine, the best of fifteen tries.
# **Guess:** does a step with 1,024 pictures take 64 times as long as a step with 16?

# %%
import time

sizes, seconds = [16, 64, 256, 1_024], []
network.compile(keras.optimizers.SGD(0.05), loss)
for size in sizes:
    tries = []
    for _ in range(15):
        begin = time.perf_counter()
        network.train_on_batch(x_train[:size], y_train[:size])
        tries.append(time.perf_counter() - begin)
    seconds.append(min(tries))
steps_a_second = 1 / np.array(seconds)
pictures_a_second = steps_a_second * sizes
print("steps in one pass:", {size: 6_144 // size for size in sizes})

# %% [markdown]
# The left figure below shows what your machine says. A step has a fixed cost, which a large batch pays less often: it reads more
# pictures a second. But a network learns in *steps*, and a pass then has fewer of them.
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
# In chapter 04a the noise of one layer's gradient, its distance from the full gradient, fell like $1/\sqrt{B}$. Now the whole
# network, after one pass.


# %%
network.compile(keras.optimizers.SGD(0.1), loss, steps_per_execution=12)
network.set_weights(start)
network.fit(batches(64, 1, seed=0), shuffle=False, verbose=0)


@tf.function(reduce_retracing=True)
def gradient(pixels, labels):
    """The gradient of the mean loss, all weights and biases in one row, shape (50890,)."""
    with tf.GradientTape() as tape:
        value = loss(labels, network(pixels))
    parts = tape.gradient(value, [variable.value for variable in network.trainable_variables])
    return tf.concat([tf.reshape(part, [-1]) for part in parts], axis=0)


full, random = gradient(x_train, y_train).numpy(), np.random.default_rng(0)
batch_sizes, noise = np.array([4, 16, 64, 256, 1_024]), []
for size in batch_sizes:
    draws = random.integers(0, 6_144, (100, size))
    squares = [np.sum((gradient(x_train[draw], y_train[draw]).numpy() - full) ** 2) for draw in draws]
    noise.append(np.sqrt(np.mean(squares)) / np.linalg.norm(full))
slope = np.polyfit(np.log(batch_sizes), np.log(noise), 1)[0]
print(f"noise goes with the batch size to the power {slope:.1f}")
assert abs(slope + 0.5) < 0.03 and noise[0] > 8 and noise[2] > 2 and noise[4] < 0.95

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
left.loglog(sizes, pictures_a_second, "o-", label="pictures a second")
left.loglog(sizes, steps_a_second, "s--", label="steps a second")
more = pictures_a_second[3] / pictures_a_second[0]
left.set(
    title=f"This machine: batch 1,024 reads {more:.0f} times as fast",
    xlabel="batch size (log scale)",
    ylabel="number a second (log scale)",
)
left.legend()
right.loglog(batch_sizes, noise, "o", label="measured")
right.loglog(batch_sizes, noise[0] * np.sqrt(4 / batch_sizes), "--", label="first point · √(4/B)")
right.axhline(1, color="grey", linestyle=":", label="as long as the full gradient")
right.set(title="Noise of the gradient", xlabel="batch size B (log scale)", ylabel="noise / length of the gradient")
right.legend(fontsize=8)
ck.show(
    figure,
    alt="Left: with the batch size pictures a second rise and steps a second fall; right: noise falls as one over root B",
)

# %% [markdown]
# After this one pass, with 64 pictures the noise is still more than twice as long as the gradient; with 1,024 it is shorter.
# Beyond the size where both are equal, more pictures tell a step little that is new (McCandlish et al., 2018, who find that
# this size grows as the loss falls).
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
# Take $k$ batches. Small steps with rate $\eta$, or one step with all pictures and rate $k\eta$:
#
# $$ w_k = w_0 - \eta \sum_{j=1}^{k} \nabla L_{b_j}(w_{j-1}), \qquad
#    w' = w_0 - k\eta \cdot \frac{1}{k} \sum_{j=1}^{k} \nabla L_{b_j}(w_0) $$
#
# The sums differ only in *where* the gradients are taken. As $w_{j-1} - w_0$ is of order $\eta$, so is the difference of the
# gradients; with the $\eta$ in front, $w_k$ and $w'$ differ by order $\eta^2$. **Guess:** what if we halve the rate? (We take
# tanh, for ReLU's kink would blur the count.)

# %%
here = network.get_weights()
smooth_network = keras.Sequential([layers.Dense(64, "tanh", dtype="float64"), layers.Dense(10, dtype="float64")])
smooth_network.build((None, 784))


def walk(parts, rate):
    """One step for each part of the pictures, from `here`; all weights in one row."""
    smooth_network.set_weights(here)
    variables = [variable.value for variable in smooth_network.trainable_variables]
    for part in parts:
        with tf.GradientTape() as tape:
            logits = smooth_network(x_train[part].astype("float64"))
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(np.int32(y_train[part]), logits)
            value = tf.reduce_mean(each)
        gradients = tape.gradient(value, variables)
        for variable, gradient_there in zip(variables, gradients, strict=True):
            variable.assign_sub(rate * gradient_there)
    return np.concatenate([variable.numpy().ravel() for variable in variables])


# %%
pictures, origin, apart = np.arange(256), walk([], 1.0), []
for rate in [0.004, 0.002, 0.001, 0.0005]:
    small, large = walk(np.split(pictures, 8), rate), walk([pictures], 8 * rate)
    apart.append(np.linalg.norm(small - large) / np.linalg.norm(small - origin))
ratios = np.array(apart[:-1]) / apart[1:] * 2  # the way itself halves, so this is the ratio of the differences
print("each time the rate is halved, the difference is divided by about", np.round(ratios))
assert np.all((3.6 < ratios) & (ratios < 4.2)) and apart[0] < 0.08

# %% [markdown]
# Four for two, as predicted. This is the **linear scaling rule** (Goyal et al., 2017): *batch times $k$, rate times $k$.* The
# derivation also names its limit: $k\eta$ must stay small. How small, only a test tells.
#
# ### Exercise 5c.4 · A batch in parts · ●●○ · 6 minutes
# If memory is short, one computes a large batch in parts. Write `accumulate(gradients, sizes)`: the gradient of the whole
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
# Six batch sizes, seven rates, two seeds: 84 runs. To save time we train seven networks **side by side** in one model. They
# share the batches, but no weights. The loss is the sum of their losses, so each gets its own gradient; the rate is a column of
# seven numbers.


# %%
class RateOfEach(keras.optimizers.schedules.LearningRateSchedule):
    """A rate for each network, shape (networks, 1)."""

    def __init__(self, networks):
        self.rates = keras.Variable(np.zeros((networks, 1), "float32"), trainable=False)

    def __call__(self, step):
        return self.rates.value


# %%
def side_by_side(optimizer, networks, steps_at_once=12):
    """Several networks 784-64-10 in one compiled model, logits (examples, networks, 10), and the table of their rates."""
    table = RateOfEach(networks)
    model = keras.Sequential(
        [
            keras.Input((784,)),
            layers.EinsumDense("np,pru->nru", (networks, 64), activation="relu", bias_axes="ru"),
            layers.EinsumDense("nru,urc->nrc", (networks, 10), bias_axes="rc"),
        ]
    )

    def total_loss(labels, logits):
        return networks * loss(labels, logits)  # `loss` is a mean over the networks too; this makes it their sum

    model.compile(optimizer(table), total_loss, steps_per_execution=steps_at_once)
    model.optimizer.build(model.trainable_variables)
    return model, table


# %%
def run(group, size, rates, seed, passes=3, parts=1, note=None, pixels=x_train, labels=y_train):
    """Train from the start, one rate for each network; `note` is called after each of the `parts` of the run."""
    model, table = group
    model.set_weights([np.repeat(w[..., None, :], len(rates), axis=-2) for w in new_network(seed).get_weights()])
    for variable in model.optimizer.variables:
        variable.assign(ops.zeros_like(variable))
    table.rates.assign(np.float32(rates)[:, None])
    data = batches(size, passes, seed, pixels, np.repeat(labels[:, None], len(rates), axis=1))
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda part, logs: note() if note else None)
    steps = len(pixels) * passes // size // parts
    model.fit(data, epochs=parts, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[callback])


def losses(group, pixels=x_validation, labels=y_validation):
    """The mean loss of each network, shape (networks,); infinite where it is not a number."""
    logits = group[0](pixels)
    labels = np.repeat(labels[:, None], logits.shape[1], axis=1)
    each = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return np.nan_to_num(each.numpy().mean(axis=0), nan=np.inf)


# %% [markdown]
# Is a network in the group the same as one trained alone?

# %%
tried = np.array([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2])
with_sgd = side_by_side(keras.optimizers.SGD, len(tried))
run(with_sgd, 64, tried, seed=0, passes=1)
network.set_weights(start)
network.optimizer.learning_rate = 0.4
network.fit(batches(64, 1, seed=0), shuffle=False, verbose=0)
pairs = zip(network.get_weights(), with_sgd[0].get_weights(), strict=True)
assert all(np.allclose(alone, together[..., 3, :], atol=1e-4) for alone, together in pairs)
print("network 4 of the group has the weights of a network trained alone at its rate 0.4")

# %% [markdown]
# The best rate of batch 16 is our anchor; the rule scales it. **Guess:** up to which batch size will it hold?

# %%
sweep = {}  # batch size: validation loss, mean of two seeds, shape (rates,)


def sweep_rates(group, size, rates):
    found = []
    for seed in [0, 1]:
        run(group, size, rates, seed)
        found.append(losses(group))
    return np.mean(found, axis=0)


for size in [16, 32, 64]:
    sweep[size] = sweep_rates(with_sgd, size, tried)

# %%
for size in [128, 256, 512]:
    sweep[size] = sweep_rates(with_sgd, size, tried)
table = np.array(list(sweep.values()))  # (batch sizes, rates)

figure, axis = plt.subplots(figsize=(8, 4.2))
picture = axis.imshow(np.minimum(table, 1), cmap="viridis", aspect="auto", vmin=0.45, vmax=1)
axis.plot(range(1, 7), range(6), "o--", color="C1", label="linear scaling rule from batch 16")
for row, column in np.argwhere(table > 1.5):
    axis.text(column + 0.12, row, "fails", va="center", color="black", fontsize=9)
axis.set_xticks(range(7), tried)
axis.set_yticks(range(6), sweep)
axis.grid(False)
axis.set(title="SGD: validation loss after three passes", xlabel="learning rate", ylabel="batch size")
axis.legend(loc="lower left", fontsize=8)
figure.colorbar(picture, label="validation loss (1 and more: one colour)")
ck.show(figure, alt="Loss by batch and rate: low values run down a diagonal; 1.6 fails up to batch 256, 3.2 always")

# %%
anchor = tried[sweep[16].argmin()]
assert anchor == 0.1


def compared(excess):
    return "fails" if excess > 1 else f"≈ {excess:.2f} above the best"


print(f"batch   rule's rate   {'loss there':24} {f'loss at {anchor}, unchanged':24} rates that fail")
for size, found in sweep.items():
    by_rule, unchanged = (found[np.isclose(tried, rate)][0] - found.min() for rate in (anchor * size / 16, anchor))
    failing = tried[found > 1.5].tolist()
    print(f"{size:5} {anchor * size / 16:11.1f}     {compared(by_rule):24} {compared(unchanged):24} {failing}")
    assert by_rule < 0.009 if size <= 128 else by_rule > 1
    assert size <= 32 or unchanged > 0.04
    assert failing == ([1.6, 3.2] if size <= 256 else [3.2])
assert tried[sweep[512].argmin()] == 1.6

# %% [markdown]
# After three passes, from 16 to 128 the rule holds: batch times eight, rate times eight, and no other rate of the grid is better
# by 0.01. Then it breaks. It asks for 1.6 and 3.2, and there training fails. Is there a rate that is too large for all? 3.2
# fails at *every* size here. But 1.6 fails up to batch 256, and at 512 it trains and is the **best** of its row. So the largest
# rate that works depends on the batch too. McCandlish et al. (2018) expect both: a good rate grows with the batch while noise
# rules, and levels off where the steepness of the loss bounds a step even without noise (chapter 04a).
#
# Move the slider. The valley travels to the right. Where does it stop?


# %%
def valley(batch_size):
    figure, axis = plt.subplots(figsize=(7, 3.6))
    for found in sweep.values():
        axis.semilogx(tried, np.minimum(found, 9), color="grey", alpha=0.35, linewidth=1)
    axis.semilogx(tried, np.minimum(sweep[batch_size], 9), "o-", color="C0", label=f"batch {batch_size}")
    axis.axvline(anchor * batch_size / 16, color="C1", linestyle="--", label="linear rule from batch 16")
    axis.axvline(anchor * np.sqrt(batch_size / 16), color="C2", linestyle=":", label="square-root rule")
    axis.set(ylim=(0.4, 1.3), xlim=(0.04, 4), xlabel="learning rate (log scale)", ylabel="validation loss")
    axis.set(title=f"SGD, batch {batch_size}: {3 * 6_144 // batch_size:,} steps in three passes")
    axis.legend(title="grey: other batch sizes", fontsize=8)
    return figure


ck.explore(
    valley,
    alt="Validation loss over rate at the chosen batch size, with the rates that two rules predict; other sizes in grey",
    batch_size=list(sweep),
)

# %% [markdown]
# A stronger test: if only rate / batch counts, *whole* learning curves coincide, drawn over pictures seen. We take one rate for
# all, a gentle ratio, and the best ratio.

# %%
three = side_by_side(keras.optimizers.SGD, 3, steps_at_once=6)
curves = {}  # batch size: training loss after each half pass, shape (4, 3)
for size in sweep:
    noted = []
    scaled = [0.1, 0.0125 * size / 16, 0.1 * size / 16]

    def look(noted=noted):
        noted.append(losses(three, x_train[:2_048], y_train[:2_048]))

    run(three, size, scaled, seed=0, passes=2, parts=4, note=look)
    curves[size] = np.array(noted)

ends = np.array([curve[-1] for curve in curves.values()])  # (batch sizes, choices)
for name, spread in [("rate 0.1 for all", np.ptp(ends[:, 0])), ("gentle ratio", np.ptp(ends[:, 1]))]:
    print(f"{name:16}: the six training losses end ≈ {spread:.2f} apart")
assert np.ptp(ends[:, 1]) < 0.02 and np.ptp(ends[:, 0]) > 0.4 and np.ptp(ends[:4, 2]) < 0.06 and ends[4:, 2].min() > 1

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), sharey=True)
seen = np.arange(1, 5) * 3_072 / 1_000
for (size, curve), style in zip(curves.items(), ["o-", "s--", "^:", "D-", "v--", "P:"], strict=True):
    for axis, values in zip(axes, np.minimum(curve, 9).T, strict=True):
        axis.plot(seen, values, style, markersize=4, label=f"batch {size}")
for axis, title in zip(axes, ["rate 0.1 for all", "rate = batch / 1,280", "rate = batch / 160"], strict=True):
    axis.set(title=title, xlabel="pictures seen (thousands)", ylabel="training loss", ylim=(0.2, 1.8))
axes[0].legend(fontsize=8)
ck.show(
    figure, alt="Left: the curves of six batch sizes fan out; middle: all six coincide; right: four coincide, two fail"
)

# %% [markdown]
# Over these two passes: with the gentle ratio six curves become one; with the best ratio the first four end together, the other
# two fail. Goyal et al. used the rule, with a warm-up, up to batches of 8,192: on another network the limit lies elsewhere.
#
# ### Exercise 5c.5 · A rate for another batch · ●○○ · 5 minutes
# Write `scaled_rate(rate, batch, new_batch, rule)`: the rate for `new_batch` when `rate` is good for `batch`. `rule` is
# `"linear"` or `"square root"` (the rate grows with the square root of the batch size).


# %% tags=["exercise"]
def scaled_rate(rate, batch, new_batch, rule):
    ### BEGIN SOLUTION
    factor = new_batch / batch
    return rate * (factor if rule == "linear" else np.sqrt(factor))
    ### END SOLUTION


# %% tags=["check"]
ck.check("batch_size.scaled_rate", scaled_rate)

# %% [markdown]
# ## And Adam?
#
# For Adam and noisy gradients, theory proposes the **square root**: batch times 16, rate times 4 (Malladi et al., 2022).

# %%
tried_adam = np.array([0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032])
with_adam = side_by_side(keras.optimizers.Adam, len(tried_adam))
sweep_adam = {size: sweep_rates(with_adam, size, tried_adam) for size in [32, 128, 512]}

figure, axis = plt.subplots(figsize=(7, 3.6))
for number, (size, found) in enumerate(sweep_adam.items()):
    axis.semilogx(tried_adam, found, ["o-", "s--", "^:"][number], color=f"C{number}", label=f"batch {size}")
    axis.plot(0.001 * np.sqrt(size / 32), 0.4 - number / 50, "x", color=f"C{number}", markersize=10)
    axis.plot(0.001 * size / 32, 0.4 - number / 50, "|", color=f"C{number}", markersize=12)
axis.set(
    title="Adam after three passes", xlabel="learning rate (log scale)", ylabel="validation loss", ylim=(0.34, 1.1)
)
axis.legend(title="× square-root rule   | linear rule", fontsize=8)
ck.show(figure, alt="Adam: the valley moves to larger rates with the batch size, and is wider there")

# %%
assert tried_adam[sweep_adam[32].argmin()] == 0.001
print(f"batch   {'0.001, unchanged':24} {'square root':24} linear")
for size, found in sweep_adam.items():
    predictions = [0.001, 0.001 * np.sqrt(size / 32), 0.001 * size / 32]
    excess = [found[np.isclose(tried_adam, rate)][0] - found.min() for rate in predictions]
    print(f"{size:5}   " + " ".join(f"{compared(part):24}" for part in excess).rstrip())
    assert excess[2] < 0.012 and (size == 32 or excess[0] > 0.03)
    assert 0.02 < excess[1] < 0.04 if size == 512 else excess[1] < 0.012

# %% [markdown]
# After three passes an unchanged rate is behind for Adam too. At four times the batch the two rules can't be told apart; at 16
# times the linear one is better here, by less than 0.04. Don't take this for a law: batch 512 makes only 36 steps. Start at the
# square root, and try upward.
#
# ## Do large batches generalise worse?
#
# To make over-fitting possible we take only 1,024 pictures. Batch 32 makes 20 passes, batch 512 makes 80; we look on the way.

# %%
few = {"pixels": x_train[:1_024], "labels": y_train[:1_024]}
pair = side_by_side(keras.optimizers.SGD, 2, steps_at_once=10)
ways = {}  # batch size: losses of shape (seeds, looks, training or test, rates)
for size, passes in [(32, 20), (512, 80)]:
    ways[size] = []
    for seed in [1, 2, 3]:
        looks = []

        def look(looks=looks):
            looks.append([losses(pair, **few), losses(pair, x_test, y_test)])

        run(pair, size, [0.1, 0.4], seed, passes, parts=8, note=look, **few)
        ways[size].append(looks)
    ways[size] = np.array(ways[size])

# %% [markdown]
# Four comparisons with batch 32 at rate 0.1. Batch 512 gets equal passes at the same rate (a) and at a better one (b), equal
# steps at the same rate (c), equal rate times steps (d).

# %%
cases = {
    "batch  32, rate 0.1, 20 passes": ways[32][:, 7, :, 0],
    "a: 512, rate 0.1, 20 passes": ways[512][:, 1, :, 0],
    "b: 512, rate 0.4, 20 passes": ways[512][:, 1, :, 1],
    "batch  32, rate 0.1,  5 passes": ways[32][:, 1, :, 0],
    "c: 512, rate 0.1, 80 passes": ways[512][:, 7, :, 0],
    "d: 512, rate 0.4, 80 passes": ways[512][:, 7, :, 1],
}
print(f"{'':33}training   test   gap")
mean = {name: values.mean(axis=0) for name, values in cases.items()}
for name, (training, test) in mean.items():
    print(f"{name:33}{training:8.1f} {test:6.1f} {test - training:5.1f}")
reference, a, b, short, c, d = mean.values()
assert a[1] > reference[1] + 0.25 and a[1] > b[1] > reference[1] + 0.03  # more test loss …
assert a[0] > reference[0] + 0.5 and b[0] > reference[0] + 0.25  # … but more training loss too,
assert a[1] - a[0] < 0.1 and b[1] - b[0] < 0.2 < 0.35 < reference[1] - reference[0]  # and a smaller gap
assert abs(c[1] - short[1]) < 0.03 and np.abs(c - short).max() < 0.04 and np.abs(d - reference).max() < 0.03

# %%
figure, axis = plt.subplots(figsize=(7, 4))
for (size, rate), style in {(32, 0): "o-", (512, 0): "s--", (512, 1): "^:"}.items():
    color = {"o": "C0", "s": "C1", "^": "C2"}[style[0]]
    for seed in range(3):
        label = f"batch {size}, rate {[0.1, 0.4][rate]}" if seed == 0 else None
        axis.plot(*ways[size][seed, :, :, rate].T, style, color=color, markersize=4, linewidth=1, label=label)
axis.plot([0.15, 1], [0.15, 1], color="grey", linestyle="-.", label="no gap")
axis.set(title="Test loss at equal training loss, three seeds", xlabel="training loss", ylabel="test loss")
axis.set(xlim=(1.2, 0.1), ylim=(0.4, 1.2))
axis.legend(fontsize=8)
ck.show(
    figure, alt="Test loss against training loss: the ways of batch 32 and batch 512, at two rates, lie on one line"
)

# %% [markdown]
# **Train faster?** In pictures a second, yes; in passes, not here. **Generalise worse?** With equal passes (a, b) the test loss
# is higher, but so is the *training* loss, and the gap is smaller: it has learned less. With equal steps (c) both losses agree
# to 0.04, though one net read 16 times as much; with equal rate times steps (d) to 0.03. For this small network, 1,024 pictures
# and batches up to 512 we see no such effect. Keskar et al. (2017) report a difference for larger networks; Hoffer et al. (2017)
# close it by training longer.
#
# ### Exercise 5c.6 · Train at the scaled rate · ●●● · 12 minutes
# Rate 0.1 is good for batches of 16. Write `train_scaled(x, y, batch)`: build a network for `x` of shape `(examples, 784)`, 64
# ReLU units and ten logits, train it with plain SGD and `loss` for **one** pass in batches of `batch`, at the rate of the
# linear rule, and return it.


# %% tags=["exercise"]
def train_scaled(x, y, batch):
    ### BEGIN SOLUTION
    network = keras.Sequential([keras.Input((784,)), layers.Dense(64, "relu"), layers.Dense(10)])
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
# model's parameters. We ask Keras.

# %%
network.set_weights(start)
network.optimizer.learning_rate = 0.05
network.fit(x_train, y_train, batch_size=64, verbose=0)
changed = [not np.array_equal(before, after) for before, after in zip(start, network.get_weights(), strict=True)]
print("in network.weights:", [tuple(weight.shape) for weight in network.weights], "changed by training:", all(changed))
print("in the optimizer:  ", f"learning rate {float(network.optimizer.learning_rate):.2f}, unchanged")
held = [variable.name for variable in network.weights]
print("'learning_rate' or 'batch_size' in network.weights:", bool({"learning_rate", "batch_size"} & set(held)))
assert all(changed) and set(held) == {"kernel", "bias"} and np.isclose(float(network.optimizer.learning_rate), 0.05)
assert "batch_size" in inspect.signature(network.fit).parameters

# %% [markdown]
# **Right:** both are *hyperparameters*: we choose them. Training changes the parameters, weights and biases. The rate lives in
# the optimizer; the batch size is an argument of `fit`.
#
# ## How are learning rate and batch size related?
#
# An article (a4) asks this and leaves it open. Measured here, for one small network and a few passes:
#
# | Your case | Do | Shown in |
# |---|---|---|
# | no idea of the rate | range test; take a third of the lowest point | *A range test* |
# | new batch size, SGD | rate times the same factor, as long as it trains (here up to 128) | *The rule tested* |
# | the scaled rate fails | try the rates below it: the largest that works depends on the batch | *The rule tested* |
# | fewer steps in the same passes | make more passes | *Do large batches generalise worse?* |
# | new batch size, Adam | raise the rate: from the square root upward | *And Adam?* |
# | the large batch scores worse | compare at equal training loss first | *Do large batches generalise worse?* |
#
# ## Recap
#
# - One short range test finds a usable rate.
# - Noise falls as $1/\sqrt{B}$; a larger batch reads faster and makes fewer steps.
# - $k$ small steps are one step with rate $k\eta$, up to order $\eta^2$: the linear rule held from 16 to 128, then failed. Rate
#   1.6 failed up to batch 256 and was the best at 512: how large a rate may be depends on the batch.
# - With equal rate times steps, batches of 32 and 512 had the same test loss in our small network, to 0.03.
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
# - Keskar et al. (2017). On large-batch training for deep learning: Generalization gap and sharp minima. ICLR. arXiv:1609.04836
# - Hoffer, Hubara, Soudry (2017). Train longer, generalize better. NIPS. arXiv:1705.08741
# - McCandlish et al. (2018). An empirical model of large-batch training. arXiv:1812.06162
# - Malladi et al. (2022). On the SDEs and scaling rules for adaptive gradient algorithms. NeurIPS. arXiv:2205.10287
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("batch_size")
