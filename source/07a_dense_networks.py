# ---
# title: Dense networks
# promise: You will build a feed-forward network whole, count what it costs, and know what it can and cannot fit.
# built: You computed whole networks by hand, fitted their size to a budget, and trained one that takes raw pixels.
# minutes: 80
# prerequisites: [06b_augmentation]
# data: [digits, fashion_mnist]
# articles: [a0 4, a3 3.1, a3 4.1]
# clinic: [07-1, 07-2]
# topic: dense
# ---

# %% [markdown]
# **What you will be able to do**
#
# - compute a whole network by hand, and count its parameters and multiplications;
# - choose depth and width under a budget, and starting weights that keep a deep network alive;
# - write down a network that follows a curve on a range, and say where it will fail;
# - turn a program that only *runs* into an experiment that tells something.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## A good fit, and one step further
#
# We made this curve ourselves, so we know it everywhere: $y = \sin 3x$. A network with 50 hidden units gets 200 points of it,
# all between −2 and 2. **Guess first:** it fits them well. What will it say at $x = 4$?
#
# This network has two layers: 50 ReLU units that read $x$, and one output that adds them up with weights of its own,
# $y = \max(0, x W_1 + b_1)\, W_2 + b_2$. Many short trainings lie before us. The class below compiles a network once and
# puts it back to given starting weights before each run; otherwise it is `compile` and `fit`, as before.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops


# %%
class Trainer:
    """One compiled network, trained from a given start as often as you like."""

    def __init__(self, network, optimizer, loss, steps=20):
        self.network, self.optimizer = network, optimizer
        optimizer.build(network.trainable_variables)
        self.fresh = [ops.convert_to_numpy(variable) for variable in optimizer.variables]
        network.compile(optimizer, loss, steps_per_execution=steps)

    def run(self, start, x, y, passes, batch):
        """Train for `passes` over (x, y) in a fixed random order; returns the trained weights."""
        self.network.set_weights(start)
        for variable, value in zip(self.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)
        random = np.random.default_rng(0)
        order = np.concatenate([random.permutation(len(x)) for _ in range(passes)])
        self.network.fit(x[order], y[order], batch_size=batch, shuffle=False, verbose=0)
        return self.network.get_weights()


# %%
x_wave = np.linspace(-2, 2, 200, dtype="float32")[:, None]  # (examples, 1)
y_wave = np.sin(3 * x_wave)
far = np.linspace(-8, 8, 801)[:, None]


def wave_start(units):
    """Starting weights of a 1-50-1 net: kinks spread over the range; the units beyond `units` are all zero."""
    random = np.random.default_rng(0)
    used = np.arange(50) < units
    W = random.choice([-1, 1], 50) * random.uniform(1, 2, 50) * used
    kinks = np.pad(np.linspace(-2, 2, units + 2)[1:-1], (0, 50 - units))
    V = random.normal(0, 1, 50) / np.sqrt(units) * used
    return [W[None], -W * kinks, V[:, None], np.zeros(1)]


def wave_trainer(activation):
    network = keras.Sequential([keras.Input((1,)), layers.Dense(50, activation), layers.Dense(1)])
    return Trainer(network, keras.optimizers.Adam(0.01), "mse", steps=100)


# %%
relu_wave, tanh_wave = wave_trainer("relu"), wave_trainer("tanh")
wave_weights = {("relu", 50): relu_wave.run(wave_start(50), x_wave, y_wave, 1_000, 200)}
inside = np.abs(relu_wave.network(x_wave).numpy() - y_wave).max()
at_4 = relu_wave.network(np.array([[4.0]])).numpy()[0, 0] - np.sin(12)
print(f"largest error where it has seen points, from x = -2 to 2 ≈ {inside:.3f}; the curve goes from -1 to 1")
print(f"error at x = 4 ≈ {abs(at_4):.1f}")
assert inside < 0.1 and abs(at_4) > 2

# %% [markdown]
# Almost no error where it has seen points, and a wrong answer next door, given just as calmly. This chapter explains both
# halves. First: what is such a network?
#
# ## Layer after layer
#
# In a **feed-forward network** (前馈神经网络) each layer feeds the next one; nothing flows back. Layer $l$ does what one layer
# did in chapter 01:
#
# $$ a_0 = x, \qquad a_l = f_l(a_{l-1} W_l + b_l), \qquad y = a_L $$
#
# One of the articles has a classifier with layers of 64, 64 and 10 units. We build it for digits of 8×8 = 64 pixels, and
# compute it a second time without Keras.

# %%
(x, y), (x_test, y_test) = ck.data.digits(train=1_297, test=500)
x, x_test = (pictures.reshape(-1, 64).astype("float32") for pictures in (x, x_test))  # (pictures, pixels), 0 to 16


def dense_network(sizes, seed=0, **options):
    """A network with ReLU in its hidden layers; sizes: inputs, units of each layer."""
    keras.utils.set_random_seed(seed)
    hidden = [layers.Dense(units, "relu", **options) for units in sizes[1:-1]]
    return keras.Sequential([keras.Input((sizes[0],)), *hidden, layers.Dense(sizes[-1], **options)])


network = dense_network([64, 64, 64, 10])
weights = network.get_weights()  # W1, b1, W2, b2, W3, b3
a = x_test / 16
for number, (W, b) in enumerate(zip(weights[::2], weights[1::2], strict=True), start=1):
    a = a @ W + b
    if number < 3:  # no activation at the output: ten logits
        a = np.maximum(0, a)
    print(f"after layer {number}: {a.shape}")
assert np.allclose(a, network(x_test / 16), atol=1e-5)

# %% [markdown]
# ### Exercise 7a.1 · Forward through all layers · ●●○ · 8 minutes
# Write `forward(x, weights)`: the output for `x` of shape `(examples, inputs)`. `weights` is a list of pairs `(W, b)`, as
# many as there are layers. ReLU in the hidden layers, no activation in the last one.


# %% tags=["exercise"]
def forward(x, weights):
    ### BEGIN SOLUTION
    for W, b in weights[:-1]:
        x = np.maximum(0, x @ W + b)
    W, b = weights[-1]
    return x @ W + b
    ### END SOLUTION


# %% tags=["check"]
ck.check("dense.forward", forward)

# %% [markdown]
# ## What does it cost?
#
# A layer from $p$ to $u$ has $p\,u + u$ parameters. For one example it multiplies $p\,u$ times: each weight is used once.
# **Guess first:** which of the three layers costs most?

# %%
sizes = [64, 64, 64, 10]
print("layer   parameters   multiplications")
for layer, p, u in zip(network.layers, sizes, sizes[1:], strict=False):
    print(f"{p} → {u}   {layer.count_params():10,}   {layer.kernel.shape[0] * layer.kernel.shape[1]:15,}")
    assert layer.count_params() == p * u + u
multiplications = sum(p * u for p, u in zip(sizes, sizes[1:], strict=False))
print(f"all       {network.count_params():10,}   {multiplications:15,}")
assert (network.count_params(), multiplications) == (8_970, 8_832)

# %% [markdown]
# The first two cost the same, the last one little. In a dense network parameters and multiplications are nearly one number.
#
# ### Exercise 7a.2 · Parameters and multiplications · ●○○ · 5 minutes
# Write `count(sizes)` for a list such as `[64, 64, 64, 10]` (inputs first). Return two numbers: parameters, and
# multiplications for one example.


# %% tags=["exercise"]
def count(sizes):
    ### BEGIN SOLUTION
    multiplications = sum(p * u for p, u in zip(sizes, sizes[1:], strict=False))
    return multiplications + sum(sizes[1:]), multiplications
    ### END SOLUTION


# %% tags=["check"]
ck.check("dense.count", count)

# %% [markdown]
# Do the seconds follow the multiplications? We send 2,000 pictures of clothes, made half as high and wide, through one hidden layer
# of 1 to 1,024 units. That is 1,024 times the multiplications. **Guess:** and how many times the seconds? The title of
# the figure gives the number for this machine.

# %%
import time

(clothes, labels), (clothes_test, labels_test) = ck.data.fashion_mnist(train=5_000, test=10_000)


def half_size(pictures):
    """Means of 2×2 pixels, 0 to 1: (pictures, 28, 28) becomes (pictures, 196)."""
    return (pictures.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196) / 255).astype("float32")


clothes, clothes_test = half_size(clothes), half_size(clothes_test)
units, seconds = [1, 4, 16, 64, 256, 1_024], []
for u in units:
    one_layer, tries = dense_network([196, u, 10]), []
    for _ in range(6):
        begin = time.perf_counter()
        one_layer(clothes[:2_000])
        tries.append(time.perf_counter() - begin)
    seconds.append(min(tries))

# %%
figure, axis = plt.subplots(figsize=(7, 3.6))
costs = np.array([206 * u for u in units])
axis.loglog(costs, seconds, "o-", label="measured")
axis.loglog(costs, seconds[-1] * costs / costs[-1], "--", label="in proportion")
title = f"2,000 pictures: 1,024 times the multiplications, {seconds[-1] / seconds[0]:.0f} times the seconds"
axis.set(title=title, xlabel="multiplications for one picture", ylabel="time (seconds)")
axis.legend()
ck.show(
    figure, alt="Time against multiplications: small networks take far more time than their multiplications explain"
)

# %% [markdown]
# Far fewer than 1,024 times: a small network spends most of its time on calling, not on multiplying. Multiplications
# count once matrices are large.
#
# ## Deep or wide?
#
# Take about 50,000 parameters. Should they stand in one wide layer or in eight narrow ones? First we need the widths.
#
# ### Exercise 7a.3 · A width for a budget · ●●● · 12 minutes
# Write `width_for_budget(inputs, outputs, depth, budget)`: the largest width $w$ such that a network with `depth` hidden
# layers of $w$ units each has at most `budget` parameters. At least one unit always fits.


# %% tags=["exercise"]
def width_for_budget(inputs, outputs, depth, budget):
    ### BEGIN SOLUTION
    width = 1
    while True:
        w = width + 1
        parameters = (inputs + 1) * w + (depth - 1) * (w + 1) * w + (w + 1) * outputs
        if parameters > budget:
            return width
        width = w
    ### END SOLUTION


# %% tags=["check"]
ck.check("dense.width_for_budget", width_for_budget)

# %%
widths = {1: 241, 2: 142, 4: 98, 8: 70}
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
depth_accuracy = {depth: [] for depth in widths}
for depth, width in widths.items():
    sizes = [196] + [width] * depth + [10]
    trainer = Trainer(dense_network(sizes), keras.optimizers.Adam(0.003), loss, steps=40)
    for seed in range(3):
        trainer.run(dense_network(sizes, seed).get_weights(), clothes, labels, passes=5, batch=125)
        predicted = trainer.network(clothes_test).numpy().argmax(axis=-1)
        depth_accuracy[depth].append(np.mean(predicted == labels_test))
    print(f"{depth} × {width:3}: {trainer.network.count_params():,} parameters")
    assert 49_000 < trainer.network.count_params() <= 50_000

# %%
figure, axis = plt.subplots(figsize=(7, 3.4))
for seed, marker in enumerate("os^"):
    points = [100 * values[seed] for values in depth_accuracy.values()]
    axis.semilogx(list(widths), points, marker, color=f"C{seed}", label=f"seed {seed}")
axis.set(title="The same budget, four depths", xlabel="hidden layers", ylabel="test accuracy (%)")
axis.set_xticks(list(widths), [str(depth) for depth in widths])
axis.minorticks_off()
axis.legend()
ck.show(figure, alt="Test accuracy by depth: one, two and four layers are close together, eight layers lie lower")
mean = {depth: np.mean(values) for depth, values in depth_accuracy.items()}
shallow = [mean[depth] for depth in (1, 2, 4)]
for depth, values in depth_accuracy.items():
    seeds = ", ".join(f"≈ {100 * value:.1f}" for value in values)
    print(f"hidden layers {depth}: mean accuracy ≈ {100 * mean[depth]:.1f} %, three seeds {seeds}")
assert max(shallow) - min(shallow) < 0.02 and mean[8] < min(shallow) - 0.01
assert 0.79 < min(shallow) and max(shallow) < 0.84

# %% [markdown]
# After five passes one, two and four layers lie within two points of each other, and eight are behind. This is one rate and
# five short passes for all, and chapter 04c taught us what that means: it judges these runs, not depth. (There are tasks
# for which depth saves many units; this one at this size does not show it.) Why are eight layers slow at the start? One
# reason lies in the weights before the first step.
#
# ## Starting weights
#
# **Initialisation** (初始化) is the choice of the weights before the first step. Suppose they have standard deviation $s$ and
# mean 0. With $p$ inputs, ReLU and biases 0, one layer changes the mean square of the activations by the factor
#
# $$ \frac{\overline{a_l^2}}{\overline{a_{l-1}^2}} \approx \frac{p\,s^2}{2} $$
#
# ReLU lets half of it through. Glorot and Bengio (2010) chose $s^2 = 2/(p + u)$ for functions like tanh; He et al. (2015) took
# the half into account: $s^2 = 2/p$. Twenty layers of 256 units, nothing trained. **Guess:** how small is the signal at the
# end with Glorot's weights?

# %%
scales = {"too small": 0.02, "Glorot": np.sqrt(2 / 512), "He": np.sqrt(2 / 256), "too large": 0.2}
signal = {}
print("weights       size after 20 layers   formula")
for name, s in scales.items():
    random = np.random.default_rng(0)
    a = random.normal(size=(500, 256))
    signal[name] = [np.sqrt(np.mean(a**2))]
    for _ in range(20):
        a = np.maximum(0, a @ random.normal(0, s, (256, 256)))
        signal[name].append(np.sqrt(np.mean(a**2)))
    formula = (256 * s**2 / 2) ** 10
    print(f"{name:10}   {signal[name][-1]:20.1g}   {formula:7.0g}")
    assert 0.5 < signal[name][-1] / signal[name][0] / formula < 2
assert signal["Glorot"][-1] < 0.002 and 0.5 < signal["He"][-1] < 2

# %%
figure, axis = plt.subplots(figsize=(7, 3.8))
for (name, values), style in zip(signal.items(), ["o-", "s--", "^-", "v:"], strict=True):
    axis.semilogy(values, style, markersize=4, label=f"{name} (s = {scales[name]:.3f})")
axis.set(title="Signal in 20 ReLU layers before training", xlabel="layer", ylabel="root mean square of activations")
axis.set_xticks(range(0, 21, 5))
axis.legend()
ck.show(figure, alt="Size of activations by layer: He's weights keep it near 1, Glorot's lose it slowly, others fast")

# %% [markdown]
# Glorot's weights lose a factor of about 1,000 here, He's keep the size. Keras starts Dense with Glorot's, drawn evenly from
# $\pm\sqrt{6/(p+u)}$; `"he_normal"` is He's.

# %%
p, u = 300, 100
glorot = ops.convert_to_numpy(keras.initializers.GlorotUniform(seed=0)((p, u)))
he = ops.convert_to_numpy(keras.initializers.HeNormal(seed=0)((p, u)))
assert 0.99 < np.abs(glorot).max() / np.sqrt(6 / (p + u)) <= 1.000001
assert abs(glorot.std() / np.sqrt(2 / (p + u)) - 1) < 0.02
assert abs(he.std() / np.sqrt(2 / p) - 1) < 0.02
print("Keras's starting weights have the sizes of both formulas, within 2 %")

# %% [markdown]
# So was it the start that held the eight layers back? The same network, trained in the same way, from He's weights:

# %%
he_accuracy = []
for seed in range(3):
    start = dense_network(sizes, seed, kernel_initializer="he_normal").get_weights()  # sizes: still the 8 layers
    trainer.run(start, clothes, labels, passes=5, batch=125)
    he_accuracy.append(np.mean(trainer.network(clothes_test).numpy().argmax(axis=-1) == labels_test))
print(
    f"8 layers, mean accuracy: Glorot's start ≈ {100 * mean[8]:.1f} %, He's start ≈ {100 * np.mean(he_accuracy):.1f} %"
)
print(f"the worst of the shallow ones ≈ {100 * min(shallow):.1f} %")
assert mean[8] + 0.005 < np.mean(he_accuracy) < min(shallow)

# %% [markdown]
# It was part of the reason: after five passes the gap is smaller, not gone. Is the rest a matter of patience? One layer and
# eight, both from Glorot's start, five times as long:

# %%
patient = {}
for depth in (1, 8):
    sizes = [196] + [widths[depth]] * depth + [10]
    trainer = Trainer(dense_network(sizes), keras.optimizers.Adam(0.003), loss, steps=40)
    patient[depth] = []
    for seed in range(2):
        trainer.run(dense_network(sizes, seed).get_weights(), clothes, labels, passes=25, batch=125)
        predicted = trainer.network(clothes_test).numpy().argmax(axis=-1)
        patient[depth].append(100 * np.mean(predicted == labels_test))
gap = 100 * (mean[1] - mean[8]), np.mean(patient[1]) - np.mean(patient[8])
print(f"8 layers behind one layer: ≈ {gap[0]:.0f} points after 5 passes, ≈ {gap[1]:.0f} after 25")
assert gap[0] - gap[1] > 1 and np.mean(patient[8]) > 100 * mean[1]

# %% [markdown]
# About half of the gap was unfinished training: after 25 passes the eight layers are above what one layer had after five.
#
# ### Exercise 7a.4 · The scale of first weights · ●○○ · 4 minutes
# Write `starting_scale(inputs, units)`. Return two numbers: the standard deviation of He's weights, and the limit of
# Glorot's even distribution.


# %% tags=["exercise"]
def starting_scale(inputs, units):
    ### BEGIN SOLUTION
    return np.sqrt(2 / inputs), np.sqrt(6 / (inputs + units))
    ### END SOLUTION


# %% tags=["check"]
ck.check("dense.starting_scale", starting_scale)

# %% [markdown]
# Why random at all? We train the 64-64-10 net from zeros, from one constant, and from random weights, and count how many
# *different* units the first layer has at the end. **Guess first.**

# %%
x_train, y_train, x_validation, y_validation = x[:1_000], y[:1_000], x[1_000:], y[1_000:]
adam = Trainer(network, keras.optimizers.Adam(0.003), loss)
starts = {
    "zeros": [np.zeros_like(w) for w in weights],
    "constant": [np.full_like(w, 0.05 if w.ndim == 2 else 0) for w in weights],
    "random": weights,
}
different = {}
for name, start in starts.items():
    W1 = adam.run(start, x_train / 16, y_train, passes=10, batch=50)[0]  # (pixels, units)
    different[name] = len(np.unique(W1.round(3), axis=1).T)
    assert np.any(W1 != start[0]) == (name != "zeros")  # from zeros, the weights of this layer never move
    print(f"{name:9} {different[name]:3} different units of 64")
assert different == {"zeros": 1, "constant": 1, "random": 64}

# %% [markdown]
# Units that start alike get the same gradient, so they stay alike for ever: 64 units act as one. From zeros the gradient of
# this layer is even 0. Random weights break the tie.
#
# ## Any curve
#
# A ReLU unit $\max(0, wx + b)$ is flat, then a straight line, with a **kink** at $x = -b/w$. So a sum of $n$ of them is a line
# with $n$ kinks. To follow any smooth curve, put kinks on it and change the slope at each one. No training is needed:


# %%
def written_down(units):
    """Weights of a 1-units-1 ReLU net that joins units + 1 points of sin 3x by straight lines."""
    knots = np.linspace(-2, 2, units + 1)
    values = np.sin(3 * knots)
    slopes = np.diff(values) / np.diff(knots)
    V = np.diff(slopes, prepend=0)  # the change of slope at each kink
    return [np.ones((1, units)), -knots[:-1], V[:, None], values[:1]]


def curve(weights, x, activation="relu"):
    """Output of a 1-units-1 network in NumPy, shape (examples, 1)."""
    W, b, V, c = (np.asarray(w, "float64") for w in weights)
    hidden = x @ W + b
    return (np.maximum(0, hidden) if activation == "relu" else np.tanh(hidden)) @ V + c


fine = np.linspace(-2, 2, 2_001)[:, None]
for units in [10, 50, 250]:
    error = np.abs(curve(written_down(units), fine) - np.sin(3 * fine)).max()
    print(f"{units:3} units: largest error {error:.1g}")
    bound = (4 / units) ** 2 / 8 * 9  # distance between kinks² / 8 times the largest curvature, 9
    assert 0.9 * bound < error <= bound

# %% [markdown]
# Five times the units, about 25 times less error. As small as you like: this is **universal approximation** (通用近似). One
# hidden layer comes as close as you want to any continuous function of any number of inputs *on a bounded range*, if it is
# wide enough. Cybenko (1989) proved it for sigmoids, Hornik (1991) for bounded activations, and neither covers ReLU, which
# is not bounded. Leshno, Lin, Pinkus and Schocken (1993) did: any continuous activation will do that is not a polynomial.
# The theorem says that such weights **exist**. It does not say that training finds them.
#
# ### Exercise 7a.5 · A hat from three units · ●●● · 12 minutes
# Write `hat(left, middle, right)`: weights `[(W1, b1), (W2, b2)]` of a ReLU network with one input and three hidden units. Its
# output is 0 up to `left`, rises in a straight line to 1 at `middle`, falls to 0 at `right`, and stays 0.


# %% tags=["exercise"]
def hat(left, middle, right):
    ### BEGIN SOLUTION
    rise, fall = 1 / (middle - left), -1 / (right - middle)
    W1, b1 = np.ones((1, 3)), -np.array([left, middle, right])
    W2 = np.array([[rise], [fall - rise], [-fall]])  # changes of the slope
    return [(W1, b1), (W2, np.zeros(1))]
    ### END SOLUTION


# %% tags=["check"]
ck.check("dense.hat", hat)

# %% [markdown]
# And what does training find? The same curve, 1, 3, 10 and 50 units. Units with all weights zero get no gradient, as you
# have seen, so one network of 50 serves for all four.

# %%
for units in [1, 3, 10]:
    wave_weights["relu", units] = relu_wave.run(wave_start(units), x_wave, y_wave, 1_000, 200)
    assert not wave_weights["relu", units][0][0, units:].any()  # the others are still zero
wave_weights["tanh", 50] = tanh_wave.run(wave_start(50), x_wave, y_wave, 1_000, 200)
longer = relu_wave.run(wave_start(10), x_wave, y_wave, 4_000, 200)


def wave_error(weights, activation="relu"):
    return np.sqrt(np.mean((curve(weights, x_wave, activation) - y_wave) ** 2))


errors = {(kind, units): wave_error(trained, kind) for (kind, units), trained in wave_weights.items()}
order = [errors["relu", units] for units in (1, 3, 10, 50)]
print("error after 1,000 steps, 1, 3, 10, 50 units:", [f"{error:.1g}" for error in order])
on_paper, later = wave_error(written_down(10)), wave_error(longer)
print(f"10 units: written down {on_paper:.2f}, after 4,000 steps {later:.2f}")
assert later < 0.8 * on_paper < 0.6 * order[2]
assert order[0] > 0.4 and order[1] > 0.1 and order[3] < 0.03 and order == sorted(order, reverse=True)


# %%
def draw(units, shown_range):
    grid = far[np.abs(far[:, 0]) <= shown_range]
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
    for axis, source in zip(axes, ["written down", "trained"], strict=True):
        weights = written_down(units) if source == "written down" else wave_weights["relu", units]
        axis.plot(grid, np.sin(3 * grid), color="grey", label="sin 3x")
        axis.plot(grid, curve(weights, grid), "--", color="C1", label="network")
        axis.axvspan(-2, 2, color="C4", alpha=0.15, label="training range")
        axis.set(title=f"{source}, {units} units", xlabel="x", ylabel="y", ylim=(-6, 6))
    axes[0].legend(loc="upper left", fontsize=8)
    return figure


ck.explore(
    draw,
    alt="A wave and ReLU networks: more units follow it better inside the training range, and none outside of it",
    units=[1, 3, 10, 50],
    shown_range=[2, 4, 8],
)

# %% [markdown]
# With 10 units and this start, 1,000 steps do not reach the weights that we wrote down; 4,000 steps do better than these.
# Other starts are slower or faster. So a bad fit may be a matter of patience, and of luck with the start. With 50 units
# there are kinks to spare.
#
# ## Where it fails
#
# An answer outside the range of the training data is an **extrapolation** (外推). Beyond its last kink a ReLU network of one
# input has nothing left to bend: it goes on as a straight line for ever. Tanh units saturate, so the output flattens.
# Second differences show it: they are 0 on a straight line.

# %%
W, b = wave_weights["relu", 50][:2]
last_kink = np.abs(b / W[0]).max()
print(f"the outermost of the 50 kinks lies ≈ {last_kink:.1f} from 0")
outside = np.linspace(3, 8, 101)[:, None]
bend = {"right": np.diff(curve(wave_weights["relu", 50], outside), 2, axis=0)}
bend["left"] = np.diff(curve(wave_weights["relu", 50], -outside), 2, axis=0)
bend["inside"] = np.diff(curve(wave_weights["relu", 50], fine), 2, axis=0)
print(
    f"largest bend between -2 and 2 ≈ {np.abs(bend['inside']).max():.4f}; from 3 to 8 and from -8 to -3 it is 0 to 1e-9"
)
assert last_kink < 3 and np.abs(bend["right"]).max() < 1e-9 > np.abs(bend["left"]).max()
assert np.abs(bend["inside"]).max() > 1e-4

steps = {  # what the last unit of x on the way to 40 still changes
    kind: abs(np.diff(curve(wave_weights[kind, 50], np.array([[39.0], [40.0]]), kind), axis=0)).item()
    for kind in ["relu", "tanh"]
}
print(f"from x = 39 to 40 the ReLU net moves by ≈ {steps['relu']:.2f}, the tanh net by ≈ {steps['tanh']:.4f}")
assert steps["tanh"] < 0.001 and steps["relu"] > 0.1

# %%
figure, axis = plt.subplots(figsize=(8, 3.6))
axis.plot(far, np.sin(3 * far), color="grey", label="sin 3x")
for activation, style in [("relu", "--"), ("tanh", "-.")]:
    axis.plot(far, curve(wave_weights[activation, 50], far, activation), style, label=f"{activation}, 50 units")
axis.axvspan(-2, 2, color="C4", alpha=0.15, label="training range")
axis.set(title="Inside and outside the training range", xlabel="x", ylabel="y", ylim=(-8, 8))
axis.legend(loc="lower left", fontsize=8)
ck.show(figure, alt="Both networks follow the wave from -2 to 2; outside ReLU goes on as a line and tanh levels off")

# %% [markdown]
# Neither knows that the wave goes on. Outside its data the activation gives the shape of the answer, a line or a plateau;
# how steep or how high it is depends on the weights, and no data point has tested them there.
#
# ## Article clinic
#
# ### 07-1 · A classifier without data
#
# One article (a0 4) ends with a 64-64-10 classifier. Its layers and its loss fit ten classes, and it asks for a score on test
# data. But it is trained on an `x_train` which nobody defines:

# %%
try:
    exec("network.fit(x_train, y_train)", {"network": network})  # nothing else is defined
except NameError as error:
    print("NameError:", error)

# %% [markdown]
# **Right:** real data in three parts, scaled pixels, a score on data the net never saw, and a plain baseline to beat. Ours
# takes the nearest of the ten mean pictures. **Guess** how good that is.

# %%
means = np.stack([x_train[y_train == digit].mean(axis=0) for digit in range(10)])  # (classes, pixels)
distances = ((x_test[:, None] - means) ** 2).sum(axis=-1)  # (pictures, classes)
baseline = np.mean(distances.argmin(axis=-1) == y_test)

article_net = dense_network([64, 64, 64, 10])
article_net.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"], steps_per_execution=20)
history = article_net.fit(
    x_train / 16,
    y_train,
    batch_size=50,
    epochs=12,
    validation_data=(x_validation / 16, y_validation),
    validation_batch_size=297,
    verbose=0,
).history
article_score = np.mean(article_net(x_test / 16).numpy().argmax(axis=-1) == y_test)
print(f"nearest mean picture: {baseline:.0%} of 500 test digits")
print(f"the network after 12 epochs ≈ {100 * article_score:.1f} %")
assert 0.92 < baseline < 0.94 and 0.945 < article_score < 0.99
assert history["val_accuracy"][-1] > 0.93 and history["val_loss"][-1] < history["val_loss"][0]

# %%
figure, axis = plt.subplots(figsize=(7, 3.4))
epochs = range(1, 13)
axis.plot(epochs, history["loss"], "o-", label="training")
axis.plot(epochs, history["val_loss"], "s--", label="validation")
axis.set(title="64-64-10 on 1,000 digits", xlabel="epoch", ylabel="cross-entropy (nats)")
axis.legend()
ck.show(figure, alt="Training loss falls over all twelve epochs; validation loss falls too and then levels off")

# %% [markdown]
# The baseline is strong; one learns that only by trying it. A linear model is a second one. Is the network ahead of that too?

# %%
from sklearn.linear_model import LogisticRegression

linear = LogisticRegression(max_iter=1_000).fit(x_train.reshape(-1, 64), y_train)
linear_score = linear.score(x_test.reshape(-1, 64), y_test)
print(f"logistic regression ≈ {100 * linear_score:.1f} %, the network after 12 epochs ≈ {100 * article_score:.1f} %")
assert 0.96 < linear_score < 0.98 and abs(article_score - linear_score) < 0.02

# %% [markdown]
# After 12 epochs it is not. Now the scaling. We stretch the pixels to 0–255, as most pictures come, and train again, for 20
# epochs and from three starts each.

# %%
sgd = Trainer(dense_network([64, 64, 64, 10]), keras.optimizers.SGD(0.1), loss)
table = {}
for name, trainer in {"SGD": sgd, "Adam": adam}.items():
    for largest in [1, 255]:
        scores = []
        for seed in range(3):
            start = dense_network([64, 64, 64, 10], seed).get_weights()
            trainer.run(start, x_train / 16 * largest, y_train, passes=20, batch=50)
            predicted = trainer.network(x_test / 16 * largest).numpy().argmax(axis=-1)
            scores.append(np.mean(predicted == y_test))
        table[name, largest] = scores
        print(f"{name:4}  pixels 0 to {largest:3}: {np.mean(scores):4.0%}")
assert min(table["SGD", 1]) > 0.94 and max(table["SGD", 255]) < 0.3
assert 0.96 < min(table["Adam", 1]) and np.mean(table["Adam", 1]) - np.mean(table["Adam", 255]) > 0.01
assert abs(np.mean(table["Adam", 1]) - linear_score) < 0.02

# %% [markdown]
# With raw pixels SGD learns nothing at this rate: its gradients grow with the pixels, and so do its steps.
# Adam's steps do not grow with the gradient (chapter 04b), so it learns, but after 20 epochs it stands lower. One division
# costs nothing. And the linear model? With scaled pixels, Adam and 20 epochs the network comes within two points of it,
# ahead by a handful of the 500 test digits. On 1,000 small digits the hidden layers bring little.
#
# ### Exercise 7a.6 · A classifier for raw pixels · ●●○ · 12 minutes
# Write `train_classifier(x, y, largest)`: a 64-64-10 Keras model, compiled and **trained**, for pictures `x` of shape
# `(n, 64)` with pixels from 0 to `largest`. It must take such raw pixels: put the scaling *inside*, as a first layer. Ten
# logits. The check trains it on 300 digits with pixels up to 65,535 and looks at digits that it has not seen.


# %% tags=["exercise"]
def train_classifier(x, y, largest):
    ### BEGIN SOLUTION
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Rescaling(1 / largest),
            layers.Dense(64, "relu"),
            layers.Dense(64, "relu"),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.005), loss, steps_per_execution=10)
    model.fit(x, y, batch_size=30, epochs=15, verbose=0)
    return model
    ### END SOLUTION


# %% tags=["check"]
ck.check("dense.train_classifier", train_classifier)

# %% [markdown]
# ### 07-2 · A loss that falls, and means nothing
#
# Another article (a3 4.1 to 4.3) shows how each network is built and stepped through, which is what its programs are good
# for. They train on one random sample for 100 epochs, and the falling loss is all that they report. We do that: 64 random
# numbers, a random label. **Guess** the final loss, and the share of real digits the network then names rightly.

# %%
random = np.random.default_rng(0)
noise, noise_label = random.random((1, 64)).astype("float32"), random.integers(0, 10, 1)
adam.run(weights, noise, noise_label, passes=100, batch=1)
after = float(loss(noise_label, adam.network(noise)))
predicted = adam.network(x_test / 16).numpy().argmax(axis=-1)
held_out = np.mean(predicted == y_test)
print(f"loss of guessing: {np.log(10):.1f}; loss after 100 epochs ≈ {after:.4f}")
print(f"real digits called a {noise_label[0]}: {np.mean(predicted == noise_label):.0%}")
print("right answers on real digits:", f"{held_out:.0%}")
assert after < 0.01 and np.mean(predicted == noise_label) > 0.9 and held_out < 0.15

# %% [markdown]
# The loss falls to almost 0 and the network knows one sentence: "it is that label". A falling training loss shows that the
# code runs and that the network can fit these examples. About others it says nothing. **Right:** data with something to
# learn, a held-out score, and a baseline beside it, as in 07-1.
#
# ## Recap
#
# - A feed-forward network is $f(xW + b)$, layer after layer; $p\,u + u$ parameters and $p\,u$ multiplications a layer.
# - At equal parameters and after five passes one, two and four layers came out alike; eight were behind, less so from He's
#   start and after 25 passes.
# - He's weights keep the signal through deep ReLU stacks; equal weights make equal units for ever.
# - One hidden layer, wide enough, can follow any continuous curve on a range. Beyond its last kink a ReLU network of one
#   input is a straight line; far out a tanh network is a constant.
# - A score needs data, a held-out part, scaling and a baseline.
#
# Chapter 07b trains a larger dense network and asks what its probabilities are worth.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("dense.cost")

# %% tags=["quiz"]
ck.quiz("dense.alike")

# %% tags=["quiz"]
ck.quiz("dense.outside")

# %% tags=["quiz"]
ck.quiz("dense.falling")

# %% [markdown]
# ### References
#
# - Cybenko, G. (1989). Approximation by superpositions of a sigmoidal function. *Mathematics of Control, Signals and
#   Systems* 2.
# - Hornik, K. (1991). Approximation capabilities of multilayer feedforward networks. *Neural Networks* 4.
# - Leshno, M., Lin, V., Pinkus, A., Schocken, S. (1993). Multilayer feedforward networks with a nonpolynomial activation
#   function can approximate any function. *Neural Networks* 6.
# - Glorot, X., Bengio, Y. (2010). Understanding the difficulty of training deep feedforward neural networks. *AISTATS*.
# - He, K., Zhang, X., Ren, S., Sun, J. (2015). Delving deep into rectifiers: surpassing human-level performance on ImageNet
#   classification. *ICCV*, arXiv:1502.01852.
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("dense")
