# ---
# title: Losses
# promise: You will derive squared error and cross-entropy from one idea, compute them safely, and choose a loss by measurement.
# built: You wrote losses and their gradients so that large logits do no harm, and gave one network the loss that its task needs.
# minutes: 85
# prerequisites: [01_activations]
# data: [fashion_mnist, diabetes]
# articles: [a0 3.1, a1 3.3, a4 3.3]
# clinic: [02-1, 02-2]
# topic: losses
# ---

# %% [markdown]
# **What you will be able to do**
#
# - write MSE, MAE, Huber and three cross-entropies, and derive MSE, MAE and cross-entropy from a likelihood;
# - derive the gradient of cross-entropy, and compute both so that they hold at ±100;
# - explain from a gradient why a network stands still;
# - choose the loss function (损失函数) for a task, and weigh rare classes.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## One wrong start, two losses
#
# A neuron learned to tell trousers from dresses, but the labels were swapped. Now they are repaired and training goes on,
# once with the **mean squared error** (MSE, 均方误差) of the probability, once with **binary cross-entropy** (二元交叉熵).
# All else is the same. **Guess first:** how many test pictures does each one name rightly after ten epochs?

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

(x_train, y_train), (x_test, y_test) = ck.data.fashion_mnist(train=12_000, test=10_000)
x_train = x_train.reshape(-1, 784).astype("float32") / 255  # (examples, pixels)
x_test = x_test.reshape(-1, 784).astype("float32") / 255


def pair(x, y, zero, one):
    """Pictures of two classes, and labels (examples, 1): 0.0 for the class `zero`, 1.0 for `one`."""
    chosen = np.isin(y, [zero, one])
    return x[chosen], (y[chosen] == one).astype("float32")[:, None]


x_pair, y_pair = pair(x_train, y_train, 1, 3)  # 1 is a trouser, 3 a dress
x_pair_test, y_pair_test = pair(x_test, y_test, 1, 3)
print(f"{len(x_pair):,} pictures to train, {len(x_pair_test):,} to test")

# %%
neuron = keras.Sequential([keras.Input((784,)), layers.Dense(1, "sigmoid", kernel_initializer="zeros")])
fair_start = neuron.get_weights()


def accuracy_by_epoch(name, loss, start, labels, epochs=10):
    """Train the neuron from the weights `start`; returns its test accuracy before and after each epoch."""
    keras.utils.set_random_seed(0)
    neuron.compile(keras.optimizers.SGD(0.1), loss, steps_per_execution=19)
    neuron.set_weights(start)
    curve = []

    def note(*_):
        curve.append(np.mean((neuron(x_pair_test).numpy() > 0.5) == y_pair_test))

    note()
    watch = keras.callbacks.LambdaCallback(on_epoch_end=note)
    neuron.fit(x_pair, labels, 64, epochs, verbose=0, callbacks=[watch, ck.LiveProgress(name)])
    return curve


# %%
accuracy_by_epoch("labels swapped", "binary_crossentropy", fair_start, 1 - y_pair)
wrong_start = neuron.get_weights()
curves = {
    "MSE, fair start": accuracy_by_epoch("MSE, fair start", "mse", fair_start, y_pair),
    "cross-entropy, wrong start": accuracy_by_epoch(
        "cross-entropy, wrong start", "binary_crossentropy", wrong_start, y_pair
    ),
    "MSE, wrong start": accuracy_by_epoch("MSE, wrong start", "mse", wrong_start, y_pair),
}

# %%
figure, axis = plt.subplots(figsize=(7, 3.6))
for (name, curve), style in zip(curves.items(), ["^:", "o-", "s--"], strict=True):
    axis.plot(np.array(curve) * 100, style, label=name)
    print(f"{name:28} before {curve[0]:4.0%}, after ten epochs {curve[-1]:4.0%}")
axis.set(title="Trouser or dress?", xlabel="epoch", ylabel="test accuracy (%)", ylim=(0, 102))
axis.legend(fontsize=9)
ck.show(
    figure,
    alt="Test accuracy by epoch: cross-entropy recovers within two epochs, MSE from the wrong start stays at 50 %",
)
assert curves["cross-entropy, wrong start"][-1] > 0.96 and curves["MSE, fair start"][-1] > 0.94
before, *after = curves["MSE, wrong start"]
assert before < 0.04 and 0.48 < min(after) and max(after) < 0.52

# %% [markdown]
# From a fair start MSE can train this neuron. From the wrong start it goes to 50 % and stays there for these ten epochs,
# and for 300 too (tried, not shown); cross-entropy recovers. The reason is one factor in a gradient; this chapter leads to it.
#
# ## Losses for numbers
#
# A loss says in one number how bad predictions are; training makes it small. With the error $e = \hat{y} - y$:
#
# | Loss | of one error | slope |
# |---|---|---|
# | MSE | $e^2$ | $2e$ |
# | MAE (mean absolute error, 平均绝对误差) | $\lvert e \rvert$ | $\mathrm{sign}(e)$ |
# | Huber | $e^2/2$ if $\lvert e \rvert \le \delta$, else $\delta \lvert e \rvert - \delta^2/2$ | $e$ inside, $\pm\delta$ outside |
#
# Each is averaged over the examples.

# %%
from scipy import stats

errors = np.linspace(-4, 4, 401)
formulas = {
    "MSE": lambda e: e**2,
    "MAE": lambda e: np.abs(e),
    "Huber": lambda e: np.where(np.abs(e) <= 1, e**2 / 2, np.abs(e) - 1 / 2),  # delta = 1
}
by_keras = {
    "MSE": keras.losses.MeanSquaredError(),
    "MAE": keras.losses.MeanAbsoluteError(),
    "Huber": keras.losses.Huber(delta=1.0),
}
for name, formula in formulas.items():
    value = float(by_keras[name](np.zeros_like(errors), errors))  # (targets, predictions)
    assert np.isclose(formula(errors).mean(), value, rtol=1e-6), name
print("three formulas agree with Keras")

# %% [markdown]
# Why squares, and why absolute values? Suppose that a target $y$ is the prediction plus noise from a normal
# distribution of deviation $\sigma$. Then an error $e$ has the density on the left. Targets that do not depend on each
# other have the **product** of their densities, the **likelihood** (似然). The best prediction makes what was observed
# most likely. A logarithm turns the product into a sum, and a minus makes the best the smallest:
#
# $$ \frac{1}{\sigma\sqrt{2\pi}}\, e^{-e_i^2 / 2\sigma^2}, \qquad
# -\log \prod_i \frac{1}{\sigma\sqrt{2\pi}}\, e^{-e_i^2 / 2\sigma^2}
# = n \log\left(\sigma\sqrt{2\pi}\right) + \frac{1}{2\sigma^2} \sum_i e_i^2 $$
#
# The first term does not depend on the prediction. So the most likely prediction has the smallest sum of squares: MSE.
# The Laplace distribution, $\frac{1}{2s}\, e^{-\lvert e \rvert / s}$, gives large errors more room. The same steps
# leave $n \log 2s + \frac{1}{s} \sum_i \lvert e_i \rvert$: MAE. A loss says **which errors you expect**.
#
# With numbers: the errors 1 and −3 have the sum of squares 10. With $\sigma = 1$ that is
# $2 \cdot 0.919 + 10/2 = 6.838$. SciPy must find the same.

# %%
two_errors = np.array([1.0, -3.0])
by_normal = -np.sum(stats.norm.logpdf(two_errors))
by_laplace = -np.sum(stats.laplace.logpdf(two_errors))
print(f"minus log-likelihood of the errors 1 and -3: normal {by_normal:.3f}, Laplace {by_laplace:.3f}")
assert np.isclose(by_normal, 2 * np.log(np.sqrt(2 * np.pi)) + np.sum(two_errors**2) / 2)
assert np.isclose(by_laplace, 2 * np.log(2) + np.sum(np.abs(two_errors)))

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.4))
for (name, formula), style in zip(formulas.items(), ["-", "--", "-."], strict=True):
    axes[0].plot(errors, formula(errors), style, label=name)
    axes[1].plot(errors[1:], np.diff(formula(errors)) / np.diff(errors), style, label=name)
axes[0].set(title="Loss of one error", xlabel="error e", ylabel="loss", ylim=(0, 8))
axes[1].set(title="Slope: how hard one example pulls", xlabel="error e", ylabel="slope")
axes[0].legend()
ck.show(
    figure,
    alt="MSE is a parabola, MAE a V, Huber a parabola with straight arms; only the slope of MSE grows without limit",
)

# %% [markdown]
# ### Exercise 2.1 · The slope of Huber's loss · ●○○ · 4 minutes
# Write `huber_slope(errors, delta)`: the slope of Huber's loss at each entry of the array `errors`.


# %% tags=["exercise"]
def huber_slope(errors, delta):
    ### BEGIN SOLUTION
    return np.clip(errors, -delta, delta)
    ### END SOLUTION


# %% tags=["check"]
ck.check("losses.huber_slope", huber_slope)

# %% [markdown]
# ## The surface that training walks on
#
# 353 patients: we predict how far diabetes went in a year from the body mass index (BMI), with a line of two parameters.
# Each pair of parameters has a loss: a surface. For some patients the decimal point of the target slipped (times 10).
# Move the slider. Which lowest point walks away?

# %%
(x_people, y_people), (x_people_test, y_people_test) = ck.data.diabetes()
average, spread = x_people.mean(axis=0), x_people.std(axis=0)
x_people, x_people_test = (x_people - average) / spread, (x_people_test - average) / spread  # (patients, 10)

order = np.random.default_rng(0).permutation(len(y_people))
slopes, levels = np.meshgrid(np.linspace(-20, 110, 53), np.linspace(100, 460, 73))  # (73, 53)
lines = levels[..., None] + slopes[..., None] * x_people[:, 2]  # (73, 53, patients)
with_delta_50 = {**formulas, "Huber": lambda e: np.where(np.abs(e) <= 50, e**2 / 2, 50 * np.abs(e) - 1250)}


def lowest_points(slipped):
    """Surfaces and lowest points {loss: ((73, 53), slope, level)} when `slipped` targets are ten times too large."""
    targets = y_people.copy()
    targets[order[:slipped]] *= 10
    found = {}
    for name, formula in with_delta_50.items():
        surface = formula(lines - targets).mean(axis=-1)
        lowest = np.unravel_index(surface.argmin(), surface.shape)
        found[name] = surface, slopes[lowest], levels[lowest]
    return found


# %%
clean = lowest_points(0)


def surfaces(slipped):
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), sharey=True)
    for axis, (name, (surface, slope, level)) in zip(axes, lowest_points(slipped).items(), strict=True):
        axis.contourf(slopes, levels, np.sqrt(surface), 14, cmap="cividis", alpha=0.7)  # root: only for the shades
        axis.plot(*clean[name][1:], "x", color="black", markersize=11, label="lowest, clean targets")
        axis.plot(slope, level, "o", color="C1", label=f"lowest, {slipped} slipped")
        axis.set(title=f"{name}: level {level:.0f}", xlabel="slope (points per SD of BMI)")
    axes[0].set(ylabel="level at the mean BMI (points)")
    axes[0].legend(fontsize=8, loc="upper right")
    return figure


ck.explore(
    surfaces,
    alt="Loss surfaces under MSE, MAE and Huber: with slipped targets the lowest point of MSE moves up, the others hardly",
    slipped=[0, 4, 9, 18, 35, 70],
)
moved = {name: point[2] - clean[name][2] for name, point in lowest_points(18).items()}
assert moved["MSE"] >= 50 and max(moved["MAE"], moved["Huber"]) <= 15

# %% [markdown]
# ### Exercise 2.2 · The best constant · ●○○ · 4 minutes
# The smallest model is a constant. Write `best_constant(targets, loss)`: the one with the smallest mean loss on the array
# `targets`, for the loss `"mse"` or `"mae"`.


# %% tags=["exercise"]
def best_constant(targets, loss):
    ### BEGIN SOLUTION
    return np.mean(targets) if loss == "mse" else np.median(targets)
    ### END SOLUTION


# %% tags=["check"]
ck.check("losses.best_constant", best_constant)

# %% [markdown]
# ## Outliers, measured
#
# Now all ten features and four kinds of damage to the **training** targets, each drawn ten times; test targets stay clean.
# We judge in two ways, by the mean absolute error (MAE's own measure) and by the root of the mean squared error (RMSE,
# that of MSE). One `Dense` layer of 50 units is 50 linear models side by side, one for each copy.
# **Guess:** which loss wins when nothing is damaged?


# %%
def damage(kind, random):
    """A damaged copy of the training targets, (patients,)."""
    y = y_people.copy()
    some = random.permutation(len(y))
    if kind == "noise on all, SD 50":
        return y + random.normal(0, 50, len(y))
    share = {"clean": 0, "5 % times 10": 0.05, "20 % times 10": 0.2, "5 % entered as 999": 0.05}[kind]
    hit = some[: int(share * len(y))]
    y[hit] = 999 if "999" in kind else y[hit] * 10
    return y


random = np.random.default_rng(1)
kinds = ["clean", "noise on all, SD 50", "5 % times 10", "20 % times 10", "5 % entered as 999"]
targets = np.stack([damage(kind, random) for kind in kinds for _ in range(10)], axis=1) / 100  # (patients, 50)

# %%
rows, epochs = 100, 5  # each epoch: 100 steps, each on all patients
x_repeated, targets_repeated = np.tile(x_people, (rows, 1)), np.tile(targets, (rows, 1))
people_mae, people_rmse = {}, {}
for name, loss in {"MSE": "mse", "MAE": "mae", "Huber": keras.losses.Huber(delta=0.5)}.items():
    keras.utils.set_random_seed(0)
    linear = keras.Sequential([keras.Input((10,)), layers.Dense(targets.shape[1])])
    rate = keras.optimizers.schedules.CosineDecay(0.1, rows * epochs)
    linear.compile(keras.optimizers.Adam(rate), loss, steps_per_execution=rows)
    linear.fit(x_repeated, targets_repeated, len(x_people), epochs, verbose=0, shuffle=False)
    error = linear(x_people_test).numpy() * 100 - y_people_test[:, None]  # (patients, 50)
    people_mae[name] = np.abs(error).mean(axis=0).reshape(len(kinds), 10).mean(axis=1)  # (kinds,), mean of ten draws
    people_rmse[name] = np.sqrt((error**2).mean(axis=0)).reshape(len(kinds), 10).mean(axis=1)

# %%
print("error on clean test patients (points), mean of ten draws")
print(f"{'':20}{'mean absolute error':>24}{'root mean squared error':>27}")
print(f"{'trained with':20}" + "".join(f"{name:>8}" for name in people_mae) * 2)
for row, kind in enumerate(kinds):
    cells = [table[name][row] for table in (people_mae, people_rmse) for name in table]
    print(f"{kind:20}" + "".join(f"{value:8.0f}" for value in cells))
for table in (people_mae, people_rmse):
    mse, mae, huber = table.values()
    assert max(np.ptp([mse[row], mae[row], huber[row]]) for row in (0, 1)) < 2
    assert mse[2] > 1.6 * mse[0] and mse[3] > 5 * mse[0] and mse[4] > 1.2 * mse[0]
    assert max(mae[2], mae[4]) < mae[0] + 1 and max(huber[2], huber[4]) < huber[0] + 1
    assert max(mae[3] - mae[0], huber[3] - huber[0]) < 6

# %% [markdown]
# Both judges say the same. On clean targets and under even noise the three lie within two points. With 5 % slipped points
# the error of MSE grows by more than 60 %; that of MAE and Huber hardly moves. With 20 % they lose up to six points, and
# that of MSE is more than five times as large. Huber's $\delta$ has the target's unit: 0.5 is 50 points here.
#
# ## Losses for classes
#
# A network says that example $i$ is of class 1 with probability $p_i$. So it gives the label $y_i$, 0 or 1, the probability
# $p_i^{y_i} (1 - p_i)^{1 - y_i}$, and all labels together the product: again a likelihood.
# The best network makes it largest. Logarithm, mean and minus turn it into a loss, binary cross-entropy:
#
# $$ L = -\frac{1}{n} \sum_i \left[ y_i \log p_i + (1 - y_i) \log (1 - p_i) \right] $$
#
# **Guess:** why not the product itself? Here are 2,400 labels with their true probabilities.

# %%
p = random.uniform(0.05, 0.95, 2_400)  # (examples,)
y = (random.random(2_400) < p).astype(float)
likelihood = np.prod(p**y * (1 - p) ** (1 - y))
binary = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

print(f"likelihood {likelihood}, cross-entropy {binary:.1f}")
assert likelihood == 0 and np.isclose(binary, float(keras.losses.BinaryCrossentropy()(y, p)), rtol=1e-5)

# %% [markdown]
# The product is too small for a computer; the mean of logarithms is not.
#
# And the name? $-\log p$ is the *surprise* at something to which we gave the probability $p$: 0 at $p = 1$, 0.69 at one
# half, 4.6 at 0.01. If the classes come with shares $q_k$ and a network says $p_k$, its mean surprise is
# $-\sum_k q_k \log p_k$, the cross-entropy of the two. For $p = q$ it is the entropy of $q$, and no $p$ goes below.
#
# With $K$ classes the prediction is a row $p_i$ that sums to 1, the label a row $y_i$ with a single 1 (*one-hot*).
# The same steps give **categorical** cross-entropy. Only the label's term is left of the inner sum; written with the
# label's number $c_i$ it is called **sparse**:
#
# $$ L = -\frac{1}{n} \sum_i \sum_k y_{ik} \log p_{ik} = -\frac{1}{n} \sum_i \log p_{i c_i} $$

# %%
p = random.dirichlet(np.ones(10), 500)  # (examples, classes), rows sum to 1
labels = random.integers(0, 10, 500)  # (examples,)
one_hot = np.eye(10)[labels]  # (examples, classes)

categorical = -np.mean(np.sum(one_hot * np.log(p), axis=-1))
sparse = -np.mean(np.log(p[np.arange(500), labels]))
assert np.isclose(categorical, sparse)
assert np.isclose(categorical, float(keras.losses.CategoricalCrossentropy()(one_hot, p)), rtol=1e-5)
assert np.isclose(sparse, float(keras.losses.SparseCategoricalCrossentropy()(labels, p)), rtol=1e-5)
print("categorical and sparse agree, in NumPy and in Keras")

# %% [markdown]
# ## Logits or probabilities?
#
# The neuron's sum before the sigmoid is its **logit** (对数几率) $z$. At $z = 100$ it is very sure of class 1. If the label
# is 0, the loss is $\log(1 + e^{100})$, about 100, and the slope 1. **Guess** what comes by way of $p$.

# %%
import warnings

for z, y in [(100.0, 0), (-100.0, 1)]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        p = 1 / (1 + np.exp(-np.float64(z)))
        naive = -(y * np.log(p) + (1 - y) * np.log(1 - p))
        naive_slope = (p - y) / (p * (1 - p)) * (p * (1 - p))  # chain rule: by p, times p by z
    stable = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    print(f"z = {z:4g}, label {y}: by way of p {naive:5.1f}, slope {naive_slope:4.1f}; rearranged {stable:.1f}")
    for message in dict.fromkeys(str(warning.message) for warning in caught):
        print("    warning:", message)
    assert stable == 100 and np.isfinite(naive) == (z < 0)

# %% [markdown]
# At +100 $p$ is rounded to exactly 1: loss `inf`, slope `nan`. The rearranged formula never meets $p$. Put
# $p = 1 / (1 + e^{-z})$ into the loss: $-\log p = \log(1 + e^{-z})$ and $-\log(1 - p) = z + \log(1 + e^{-z})$. So the loss
# is $\log(1 + e^{z}) - zy$, and $\log(1 + e^{z}) = \max(z, 0) + \log(1 + e^{-|z|})$ has no large power left.
# How does Keras do, with logits and with probabilities?

# %%
import tensorflow as tf


def value_and_slope(z, label, from_logits=False, to_output=lambda z: z):
    """Keras's binary cross-entropy of one logit, and its derivative by the logit."""
    z = tf.constant([[z]])
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = keras.losses.BinaryCrossentropy(from_logits=from_logits)(np.array([[label]]), to_output(z))
    return float(value), round(float(tape.gradient(value, z)[0, 0]))


print(f"{'':33}z = 100, label 0    z = -100, label 1")
for name, arguments in {
    "from logits": {"from_logits": True},
    "keras sigmoid, straight to loss": {"to_output": ops.sigmoid},
    "the same times 1.0": {"to_output": lambda z: ops.sigmoid(z) * 1.0},
}.items():
    pairs = [value_and_slope(100.0, 0.0, **arguments), value_and_slope(-100.0, 1.0, **arguments)]
    print(f"{name:31}", "".join(f"  loss {value:5.1f}, slope {slope:2}" for value, slope in pairs))
    assert [slope for _, slope in pairs] == ([0, 0] if "times" in name else [1, -1])

# %% [markdown]
# Keras clips bare probabilities. The loss stops near 16, **and the slope is 0**: the worst mistake teaches nothing.
# When its own sigmoid goes straight into the loss, Keras finds the logits; after a multiplication by 1.0 it cannot.
# Do not depend on it: end the network in logits and say `from_logits=True`.
#
# ### Exercise 2.3 · Cross-entropy from logits · ●●● · 12 minutes
# Write `cross_entropy(labels, logits)`: the mean sparse cross-entropy of integer `labels`, shape `(examples,)`, from
# `logits`, shape `(examples, classes)`, up to ±1000.


# %% tags=["exercise"]
def cross_entropy(labels, logits):
    ### BEGIN SOLUTION
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))  # log of softmax
    return -logs[np.arange(len(labels)), labels].mean()
    ### END SOLUTION


# %% tags=["check"]
ck.check("losses.cross_entropy", cross_entropy)

# %% [markdown]
# ## The gradient is p − y
#
# Of one example, binary cross-entropy is $\log(1 + e^z) - zy$, as above. Its derivative by the logit is
# $e^z / (1 + e^z) - y$, and the fraction is the sigmoid: what is left is the error itself. MSE of the probability goes
# through the sigmoid, and the chain rule leaves the sigmoid's slope $p(1 - p)$ in the product:
#
# $$ \frac{\partial L_{\text{cross-entropy}}}{\partial z} = p - y, \qquad
# \frac{\partial L_{\text{MSE}}}{\partial z} = 2\,(p - y)\,p(1 - p) $$
#
# With numbers: $z = 2$ and $y = 0$ give $p = 0.88$; cross-entropy pulls with 0.88, MSE with
# $2 \cdot 0.88 \cdot 0.88 \cdot 0.12 = 0.19$.
#
# Softmax behaves alike. The loss of label $c$ is $\log \sum_j e^{z_j} - z_c$. By the logit $z_k$ the first part has the
# slope $e^{z_k} / \sum_j e^{z_j} = p_k$, the second $-1$ if $k = c$ and else 0: together $p_k - y_k$.


# %%
def by_logits(loss, target, z):
    """Gradient of `loss(target, z)` by the logits, as GradientTape finds it; shape of `z`."""
    z = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = loss(target, z)
    return tape.gradient(value, z).numpy()


z, target = random.normal(0, 3, (500, 1)), random.integers(0, 2, (500, 1)).astype(float)
p = 1 / (1 + np.exp(-z))
binary_loss = keras.losses.BinaryCrossentropy(from_logits=True)
squared = keras.losses.MeanSquaredError()
assert np.allclose(by_logits(binary_loss, target, z), (p - target) / 500)
assert np.allclose(by_logits(lambda y, z: squared(y, ops.sigmoid(z)), target, z), 2 * (p - target) * p * (1 - p) / 500)

z = random.normal(0, 3, (500, 10))  # ten classes
p = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
sparse_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
assert np.allclose(by_logits(sparse_loss, labels, z), (p - one_hot) / 500, atol=1e-6)
print("GradientTape finds p - y, divided by the 500 examples")

# %% [markdown]
# ### Exercise 2.4 · The gradient by logits · ●●○ · 7 minutes
# Write `logit_gradient(labels, logits)`: the gradient of the mean sparse cross-entropy by each logit, shape
# `(examples, classes)`, without a tape. Logits up to ±1000.


# %% tags=["exercise"]
def logit_gradient(labels, logits):
    ### BEGIN SOLUTION
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = powers / powers.sum(axis=-1, keepdims=True)
    return (p - np.eye(logits.shape[-1])[labels]) / len(labels)
    ### END SOLUTION


# %% tags=["check"]
ck.check("losses.logit_gradient", logit_gradient)

# %% [markdown]
# ## Back to the wrong start
#
# The factor is $p(1-p)$. A neuron that is sure, rightly or wrongly, has it near 0.
# How hard does one picture pull, on average, at the wrong start, and where MSE got stuck?

# %%
stuck = neuron.get_weights()  # the last training was MSE from the wrong start
pull = {}
for place, weights in {"wrong start": wrong_start, "after MSE": stuck}.items():
    z = x_pair.astype("float64") @ weights[0] + weights[1]  # logits, (examples, 1)
    p = 1 / (1 + np.exp(-z))
    pull[place] = np.abs(p - y_pair).mean(), np.abs(2 * (p - y_pair) * p * (1 - p)).mean()
    print(f"{place}: mean pull {pull[place][0]:.2f} under cross-entropy, {pull[place][1]:.3f} under MSE")
same_answer = np.mean(p > 0.5)
print(f"after MSE {same_answer:.0%} of the pictures are called a dress")
assert pull["wrong start"][0] > 10 * pull["wrong start"][1] and pull["after MSE"][0] > 100 * pull["after MSE"][1]
assert same_answer > 0.98

# %% [markdown]
# MSE gave trousers up: nearly all pictures are called a dress, with almost no slope left. We draw its surface over two
# parameters: one stretches all logits, one is added to the bias.

# %%
z_start = (x_pair @ wrong_start[0] + wrong_start[1]).astype("float64")
stretches, shifts = np.meshgrid(np.linspace(-1.5, 1.5, 41), np.linspace(-12, 12, 41))


def losses_at(stretch, shift):
    """MSE and cross-entropy, and their gradients by (stretch, shift), of the logits stretch * z_start + shift."""
    z = stretch * z_start + shift
    p = 1 / (1 + np.exp(-z))
    squares, entropy = (p - y_pair) ** 2, np.logaddexp(0, z) - z * y_pair
    slopes = 2 * (p - y_pair) * p * (1 - p), p - y_pair
    gradients = [np.array([np.mean(slope * z_start), np.mean(slope)]) for slope in slopes]
    return squares.mean(), entropy.mean(), *gradients


def path(index, steps=300):
    """Gradient descent from the wrong start (1, 0), (steps + 1, 2)."""
    places = [np.array([1.0, 0.0])]
    for _ in range(steps):
        gradient = losses_at(*places[-1])[2 + index]
        places.append(places[-1] - np.array([0.01, 1.0]) * gradient)  # a smaller rate for the stretch, which is steeper
    return np.array(places)


# %%
grid = np.array([losses_at(*place)[:2] for place in zip(stretches.flat, shifts.flat, strict=True)])
paths = [path(0), path(1)]
figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
for index, (axis, name) in enumerate(zip(axes, ["MSE", "cross-entropy"], strict=True)):
    steps = np.linspace(0, 1, 11) if name == "MSE" else np.arange(0.0, 12.0)
    shades = axis.contourf(stretches, shifts, grid[:, index].reshape(41, 41), steps, cmap="cividis", alpha=0.7)
    axis.plot(*paths[index].T, ".-", color="C1", label="300 steps")
    axis.plot(1, 0, "s", color="black", label="wrong start")
    axis.plot(-1, 0, "*", color="black", markersize=12, label="its opposite")
    axis.set(title=name, xlabel="stretch of the logits")
    figure.colorbar(shades, ax=axis, label="mean loss", format="%.1f")
axes[0].set(ylabel="added to the bias")
axes[0].legend(fontsize=8)
ck.show(
    figure,
    alt="Two loss surfaces: under MSE the path from the wrong start ends on a plateau, under cross-entropy in the bowl",
)
assert paths[0][-1][0] > 0.5 and 0.45 < losses_at(*paths[0][-1])[0] < 0.55  # MSE: on the plateau
assert paths[1][-1][0] < -0.5 and losses_at(*paths[1][-1])[1] < 0.4  # cross-entropy: in the bowl

# %% [markdown]
# MSE has a plateau at 0.5, the loss of one answer for all, and after 300 steps the path is still there. Cross-entropy of
# this neuron is a bowl: it is convex in the weights.
#
# ## Label smoothing
#
# A one-hot target asks for $p = 1$, which no finite logit reaches.
# **Label smoothing** (标签平滑) with amount $\varepsilon$ asks for less: $y' = (1 - \varepsilon)\, y + \varepsilon / K$.
# **Guess:** what does it do to the confidence of *wrong* answers?

# %%
smooth = 0.9 * one_hot + 0.1 / 10  # amount 0.1, ten classes
z = random.normal(0, 3, (500, 10))
log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
by_keras = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)(one_hot, z)
assert np.isclose(-np.mean(np.sum(smooth * log_p, axis=-1)), float(by_keras), rtol=1e-5)

# %%
confidence = {}
for amount in [0.0, 0.1]:
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((784,)), layers.Dense(128, "relu"), layers.Dense(10)])
    network.compile(
        "adam", keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=amount), steps_per_execution=47
    )
    network.fit(x_train, np.eye(10)[y_train], 128, 5, verbose=0)
    p = ops.softmax(network(x_test)).numpy()  # (examples, classes)
    right, surest = p.argmax(axis=-1) == y_test, p.max(axis=-1)
    confidence[amount] = surest[right].mean(), surest[~right].mean(), right.mean()
    print("amount {}: mean confidence {:.1f} where right, {:.1f} where wrong".format(amount, *confidence[amount]))
fall = np.subtract(confidence[0.0], confidence[0.1])  # where right, where wrong, of the accuracy
assert np.all((fall[:2] > 0.05) & (fall[:2] < 0.16)) and abs(fall[2]) < 0.03

# %% [markdown]
# After five epochs right and wrong answers both have lost about 0.1 of confidence. The accuracies lie within three points.
#
# ### Exercise 2.5 · The lowest possible loss · ●●○ · 6 minutes
# With smoothed targets the loss cannot reach 0. Write `lowest_loss(classes, amount)`: the smallest categorical
# cross-entropy that is possible with this amount of smoothing (above 0).


# %% tags=["exercise"]
def lowest_loss(classes, amount):
    ### BEGIN SOLUTION
    target = np.full(classes, amount / classes)
    target[0] += 1 - amount
    return -np.sum(target * np.log(target))
    ### END SOLUTION


# %% tags=["check"]
ck.check("losses.lowest_loss", lowest_loss)

# %% [markdown]
# ## A rare class
#
# 1,200 coats and 60 shirts: one garment in 21 is a shirt, and we look for shirts. **Guess:** what accuracy has a model
# that never says "shirt"? A class weight multiplies the loss of each example: $\frac{1}{n} \sum_i w_{y_i} L_i$.

# %%
coats, shirts = np.flatnonzero(y_train == 4), np.flatnonzero(y_train == 6)[:60]
chosen = np.random.default_rng(5).permutation(np.concatenate([coats, shirts]))
x_rare, y_rare = x_train[chosen], (y_train[chosen] == 6).astype("float32")[:, None]
x_rare_test, y_rare_test = pair(x_test, y_test, 4, 6)  # 1,000 each: counted so that one in 21 is a shirt
is_shirt = y_rare_test[:, 0] == 1

z = random.normal(0, 3, (len(y_rare), 1))
weights = np.where(y_rare == 1, 20.0, 1.0)  # (examples, 1)
by_hand = np.mean(weights * (np.logaddexp(0, z) - z * y_rare))
assert np.isclose(by_hand, float(binary_loss(y_rare, z, sample_weight=weights)), rtol=1e-5)

# %%
found = {"never says shirt": (0.0, 1.0)}
for name, class_weight in {"no weights": None, "shirts times 20": {0: 1.0, 1: 20.0}}.items():
    keras.utils.set_random_seed(0)
    finder = keras.Sequential([keras.Input((784,)), layers.Dense(1)])  # one neuron, ending in a logit
    finder.compile("adam", binary_loss, steps_per_execution=20)
    finder.fit(x_rare, y_rare, 64, 15, class_weight=class_weight, verbose=0)
    logits = finder(x_rare_test).numpy()[:, 0]  # (examples,)
    for limit in [0.0] if class_weight else [0.0, -np.log(20)]:
        says_shirt = logits > limit
        row = name if limit == 0 else "the same, p > 1/21"
        found[row] = says_shirt[is_shirt].mean(), 1 - says_shirt[~is_shirt].mean()

# %%
print(f"{'':18} recall of shirts  precision  accuracy")
for name, (recall, recall_of_coats) in found.items():
    false_alarms = 20 * (1 - recall_of_coats)
    precision = f"{recall / (recall + false_alarms):.0%}" if recall else "–"
    print(f"{name:18} {recall:16.0%}  {precision:>9}  {(recall + 20 * recall_of_coats) / 21:8.0%}")
(blind, (few, sure), lowered, (many, less_sure)) = found.values()
assert 0.12 < few < 0.16 and 0.64 < many < 0.69 and 0.2 < many / (many + 20 * (1 - less_sure)) < 0.3
assert few + 20 * sure > 20 > many + 20 * less_sure  # 21 times the accuracy; 20: never says shirt
assert lowered[0] > many and lowered[1] < less_sure

# %% [markdown]
# After these 15 epochs the neuron without weights finds one shirt in seven (trained longer it finds more; not shown), and
# its accuracy looks fine. With weights it finds two of three; but three of four alarms are false, and accuracy falls
# **below** that of the model that never looks. Weights are not the only way: the row between them trains nothing anew and
# says "shirt" as soon as $p > 1/21$. It makes the same trade, here even further. Accuracy alone hides all of it.
#
# ### Exercise 2.6 · Weights for rare classes · ●●○ · 6 minutes
# Write `class_weights(labels)`: a dict `{class: weight}` for integer labels, such that all classes have the same total
# weight and the mean weight of the examples is 1.


# %% tags=["exercise"]
def class_weights(labels):
    ### BEGIN SOLUTION
    classes, counts = np.unique(labels, return_counts=True)
    return {int(label): len(labels) / (len(classes) * count) for label, count in zip(classes, counts, strict=True)}
    ### END SOLUTION


# %% tags=["check"]
ck.check("losses.class_weights", class_weights)

# %% [markdown]
# ## How do I choose a loss?
#
# | Task | Last layer | Loss in Keras | Shown in |
# |---|---|---|---|
# | a number, errors of one kind | linear | `MeanSquaredError` | Outliers, measured: rows 1, 2 |
# | a number, some targets grossly wrong | linear | `Huber`, `MeanAbsoluteError` | Outliers, measured: rows 3 to 5 |
# | yes or no | 1 logit | `BinaryCrossentropy` | One wrong start; Logits or probabilities? |
# | one of $K$, labels are integers | $K$ logits | `SparseCategoricalCrossentropy` | Losses for classes; Exercise 2.3 |
# | one of $K$, labels are rows | $K$ logits | `CategoricalCrossentropy` | Losses for classes; Label smoothing |
# | several of $K$ tags at once | $K$ logits | `BinaryCrossentropy` | Clinic 02-2; Exercise 2.7 |
# | a rare class counts | as above | as above, with `class_weight` | A rare class |
#
# All cross-entropies with `from_logits=True`.
#
# ### Exercise 2.7 · One network, three tasks · ●●● · 12 minutes
# Write `build_classifier(task)`: a compiled model for pictures `(batch, 784)` with a hidden layer, ending in logits.
# Tasks: `"boot"` (yes or no, labels `(batch, 1)`), `"garment"` (one of ten, integer labels `(batch,)`), `"tags"`
# (several of 20, labels `(batch, 20)` of 0 and 1). The check trains each for a few steps.


# %% tags=["exercise"]
def build_classifier(task):
    ### BEGIN SOLUTION
    units = {"boot": 1, "garment": 10, "tags": 20}[task]
    network = keras.Sequential([keras.Input((784,)), layers.Dense(64, "relu"), layers.Dense(units)])
    if task == "garment":
        network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    else:
        network.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("losses.build_classifier", build_classifier)

# %% [markdown]
# ## Article clinic
#
# ### 02-1 · Cross-entropy as a sum, without care for 0 and 1
# The article (a0, 3.1.2.2) adds the loss up over the data: the negative logarithm of the likelihood itself, with the same
# minimum as the mean. Sum or mean is a convention. But a rate that suits the one does not suit the other. And the article
# says nothing of predictions that are exactly 0 or 1. A model says 0.5 for 100, then for 10,000 examples: how large are
# the loss and the gradient of its bias? Then it says 1.

# %%
for n in [100, 10_000]:
    target = np.ones((n, 1))
    for reduction in ["sum", "sum_over_batch_size"]:
        loss = keras.losses.BinaryCrossentropy(from_logits=True, reduction=reduction)
        gradient = by_logits(loss, target, np.zeros((n, 1))).sum()  # every logit is 0 + bias
        name = "sum " if reduction == "sum" else "mean"
        print(f"n = {n:6,}: {name} {float(loss(target, np.zeros((n, 1)))):7.2f}, gradient of the bias {gradient:8.1f}")
        assert np.isclose(gradient, -0.5 * (n if reduction == "sum" else 1))

with np.errstate(all="ignore"):
    p = np.array([1.0, 1.0])
    y = np.array([0.0, 1.0])
    print("p = 1, label 0 and 1:", -(y * np.log(p) + (1 - y) * np.log(1 - p)))

# %% [markdown]
# The sum grows with the data, and so does its gradient: at one rate 10,000 examples make a step a hundred times as long as
# 100 do. Whoever sums must divide the rate by $n$. At $p = 1$ a wrong prediction costs infinity, which is what the formula
# means; but a **perfect** one gives `nan`, from $0 \cdot \log 0$.
# **Right:** sum or mean, said aloud; with the mean the rate need not follow the size of the data. Computed from logits.
#
# ### 02-2 · One formula of two
# The article (a0, 3.1.2.2) labels its formula as the one for two classes, and its program for ten digits (a0, 4) compiles
# with `categorical_crossentropy`: both are right. The formula for ten classes is missing. So what happens to a reader who
# takes the only formula there is, and puts the labels 0 to 9 into it?

# %%
for p in [0.5, 0.9, 0.99]:
    print(f"NumPy, label 9, p = {p}: binary formula gives {-(9 * np.log(p) + (1 - 9) * np.log(1 - p)):.1f}")
try:
    binary_loss(labels, np.zeros((500, 10)))
except ValueError as error:
    print("Keras, ten logits, labels (500,):", str(error).split(". ")[0])
accepted = float(binary_loss(np.full((500, 1), 9.0), np.full((500, 1), np.log(9))))  # p = 0.9
print(f"Keras, one logit, label 9, p = 0.9: {accepted:.1f}")

keras.utils.set_random_seed(0)
one_logit = keras.Sequential([keras.Input((784,)), layers.Dense(1)])
one_logit.compile("adam", binary_loss, steps_per_execution=47)
negative = one_logit.fit(x_train, y_train[:, None].astype("float32"), 128, 3, verbose=0).history["loss"]
print(
    "fit on the labels 0 to 9, loss of three epochs, about:", " ".join(f"{round(value, -1):.0f}" for value in negative)
)
assert np.isclose(accepted, -17.47, atol=0.01) and 0 > negative[0] > negative[1] > negative[2]

# %% [markdown]
# NumPy accepts label 9, and the loss falls below 0, where no cross-entropy can be. Keras refuses ten logits with labels of
# another **shape**. One logit with the labels 0 to 9 it takes without a word, and `fit` trains on a loss that has no floor.
#
# **Right:** categorical cross-entropy, $-\sum_k y_k \log p_k$. What joins the two: the binary one *is* the categorical one
# with two classes whose logits are 0 and $z$.

# %%
z, target = random.normal(0, 3, (500, 1)), random.integers(0, 2, (500, 1))
two_logits = np.concatenate([np.zeros((500, 1)), z], axis=-1)  # class 0 has the logit 0
assert np.isclose(float(binary_loss(target, z)), float(sparse_loss(target[:, 0], two_logits)), rtol=1e-5)
yes_or_no = float(binary_loss(one_hot, np.zeros((500, 10))))
one_of_ten = float(sparse_loss(labels, np.zeros((500, 10))))
print(f"ten logits of 0, one-hot labels: binary {yes_or_no:.2f} = log 2, categorical {one_of_ten:.2f} = log 10")
assert np.isclose(yes_or_no, np.log(2)) and np.isclose(one_of_ten, np.log(10))

# %% [markdown]
# On rows of ten labels the binary one asks ten separate questions: right for tags.
#
# ## Recap
#
# - A loss states which errors you expect: MSE normal noise, MAE larger errors (Laplace), cross-entropy labels.
# - MSE, MAE and cross-entropy come from the likelihood. Compute cross-entropy from logits: at ±100 probabilities lose
#   value and gradient.
# - Its gradient is $p - y$. MSE of a probability multiplies that by $2p(1-p)$ and stood still at a confident mistake.
# - Label smoothing lowered the confidence of right and wrong answers. Class weights, or a lower limit for $p$, buy recall
#   with false alarms. Read recall beside accuracy.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("losses.plateau")

# %% tags=["quiz"]
ck.quiz("losses.logits")

# %% tags=["quiz"]
ck.quiz("losses.outliers")

# %% tags=["quiz"]
ck.quiz("losses.rare")

# %% [markdown]
# ### References
#
# - Huber (1964). Robust estimation of a location parameter. Annals of Mathematical Statistics 35.
# - Glorot, Bengio (2010). Understanding the difficulty of training deep feedforward neural networks. AISTATS.
# - Szegedy, Vanhoucke, Ioffe, Shlens, Wojna (2016). Rethinking the Inception architecture for computer vision. CVPR.
#   arXiv:1512.00567
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("losses")
