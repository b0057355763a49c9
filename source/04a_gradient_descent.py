# ---
# title: Gradient descent
# promise: You will go down slopes, from one number to a network, with a rate that you compute for a quadratic and sweep for a net.
# built: You wrote gradient descent with a computed rate, with line searches and with mini-batches, and stopped it in time.
# minutes: 85
# prerequisites: [02_losses, 03_backpropagation]
# data: [diabetes, fashion_mnist]
# articles: [a0 3.2, a1 4.1, a4 3, a4 5]
# clinic: [04-3, 04-4]
# topic: gradient_descent
# ---

# %% [markdown]
# **What you will be able to do**
#
# - write gradient descent (梯度下降) from scratch, and show that it is what Keras's SGD does;
# - predict the largest learning rate (学习率) of a quadratic loss, and find a good one for a network;
# - compare line searches and stopping rules by what they cost;
# - say what a mini-batch (小批量) gains, what it loses, and why data is shuffled.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## One hundredth too much
#
# Below is a whole training program. It predicts from ten values of a patient how far diabetes will go in a year, and
# it has one number to choose, the rate. **Guess first:** 0.24 works. What will 0.25 do?

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers

(raw, y_patients), (raw_new, y_new) = ck.data.diabetes(train=353, test=89)
scaled = (raw - raw.mean(axis=0)) / raw.std(axis=0)
x_patients = np.column_stack([scaled, np.ones(len(raw))])  # (patients, 11): the column of ones carries the bias

errors = {}
for rate in [0.24, 0.25]:
    weights, errors[rate] = np.zeros(11), []
    for _ in range(300):
        residual = x_patients @ weights - y_patients  # (patients,)
        errors[rate].append(np.sqrt(np.mean(residual**2)))
        weights = weights - rate * 2 * x_patients.T @ residual / len(residual)
    print(f"rate {rate}: root mean squared error after 300 steps {errors[rate][-1]:.2g}")
assert 52 < errors[0.24][-1] < 54 and errors[0.25][-1] > 1e10

# %%
figure, axis = plt.subplots(figsize=(8, 3.4))
for (rate, values), line in zip(errors.items(), ["-", "--"], strict=True):
    axis.semilogy(values, line, label=f"rate {rate}")
axis.set(title="Two rates, one program", xlabel="step", ylabel="error (score points)")
axis.legend()
ck.show(figure, alt="Error by step, logarithmic: it falls at rate 0.24 and climbs without end at rate 0.25")

# %% [markdown]
# One hundredth more, and the error is in the billions. By the middle of this chapter you will compute the border to
# four digits **before** running anything.
#
# ## From a slope to a step
#
# The **gradient** (梯度) $g$ of a loss $f$ at a point $p$ holds one slope for each coordinate. It points uphill. So step
# the other way; $\eta$ is the learning rate:
#
# $$ p_{\text{new}} = p - \eta\, g, \qquad f(p) - f(p_{\text{new}}) \approx \eta\, \lVert g \rVert^2 $$
#
# The right half is a promise: this is how far the loss falls *if the slope does not change on the way*. Two test
# landscapes: a ravine, 25 times steeper across than along, and Rosenbrock's bent valley.

# %%
curvatures = np.array([1.0, 25.0])


def ravine(p):
    """(x² + 25 y²) / 2 with its lowest point at (0, 0); p (2,)."""
    return np.sum(curvatures * p * p) / 2


def ravine_gradient(p):
    return curvatures * p


def rosenbrock(p):
    """(1 - x)² + 100 (y - x²)² with its lowest point at (1, 1); p (2,)."""
    return (1 - p[0]) * (1 - p[0]) + 100 * (p[1] - p[0] * p[0]) * (p[1] - p[0] * p[0])


def rosenbrock_gradient(p):
    bend = p[1] - p[0] * p[0]
    return np.array([-2 * (1 - p[0]) - 400 * p[0] * bend, 200 * bend])


# %%
start = np.array([-1.2, 1.0])
with tf.GradientTape() as tape:
    point = tf.Variable(start)
    value = rosenbrock(point)
slopes = rosenbrock_gradient(start)
assert np.allclose(tape.gradient(value, point), slopes)

kept = {}
for rate in [1e-2, 1e-3, 1e-4, 1e-5, 1e-6]:
    fall = rosenbrock(start) - rosenbrock(start - rate * slopes)
    kept[rate] = fall / (rate * np.sum(slopes * slopes))
    print(f"rate {rate:.0e}: measured fall / promised fall = {kept[rate]:.3f}")
assert kept[1e-2] < 0 < kept[1e-3] < kept[1e-4] < kept[1e-5] < kept[1e-6] and kept[1e-6] > 0.99

# %% [markdown]
# Small steps keep the promise. At 0.01 the fall is negative: the step **climbed**. A slope is local news.
#
# ## How far? Ask the line
#
# A **line search** (线搜索) tries points along $-g$. On a quadratic the lowest point of the line is known exactly. It needs
# the **curvature**, which says how fast the slope itself changes: the second derivative. The ravine has the curvature 1
# along $x$ and 25 along $y$. With several parameters the curvatures form a matrix $A$; a move $d$ changes the gradient by
# $A d$. Along the line the quadratic is
#
# $$ f(p - \eta g) = f(p) - \eta\, g \cdot g + \tfrac{1}{2}\, \eta^2\, g \cdot A g $$
#
# and its slope by $\eta$, $-g \cdot g + \eta\, g \cdot A g$, is zero at $\eta = g \cdot g \,/\, (g \cdot A g)$. With
# $g = (10, 50)$: $2600 / (100 + 62500) = 0.042$. **Guess first:** how many steps does it save, compared with one fixed
# rate?


# %%
def steps_needed(choose_rate, gradient, start, small):
    """Steps until the gradient is shorter than `small`; choose_rate(p, g) returns the rate of each step."""
    p, steps = start, 0
    while np.sqrt(np.sum((g := gradient(p)) * g)) >= small:
        p, steps = p - choose_rate(p, g) * g, steps + 1
    return steps


def exact(p, g):
    return np.sum(g * g) / np.sum(curvatures * g * g)


needed = {}
for begin in [(10.0, 2.0), (25.0, 1.0)]:
    for name, rule in [("fixed rate 0.077", lambda p, g: 0.077), ("exact line search", exact)]:
        needed[name, begin] = steps_needed(rule, ravine_gradient, np.array(begin), small=1e-6)
        print(f"{name:18} from {begin}: {needed[name, begin]:3} steps")
assert list(needed.values()) == [228, 43, 221, 218]
assert np.isclose(exact(None, np.array([10.0, 50.0])), 2600 / 62600)
assert np.isclose(exact(begin, ravine_gradient(np.array(begin))), 0.077, atol=1e-3)

# %% [markdown]
# From one start it saves four steps of five, from the other next to none: there the best step on the line is 0.077, too.
#
# Most losses offer no formula. **Backtracking** begins with $\eta = 1$ and halves it until the step keeps a share $c$ of
# its promise (Armijo's rule): $f(p - \eta g) \le f(p) - c\,\eta\,\lVert g \rVert^2$.

# %%
asked = 0  # how often the loss was computed


def backtrack(p, g, share=0.1):
    """The first of the rates 1, 1/2, 1/4, … that keeps `share` of the promised fall on Rosenbrock's valley."""
    global asked
    rate, asked = 1.0, asked + 2
    while rosenbrock(p - rate * g) > rosenbrock(p) - share * rate * np.sum(g * g):
        rate, asked = rate / 2, asked + 1
    return rate


rules = {f"fixed rate {rate}": lambda p, g, rate=rate: rate for rate in [0.001, 0.0019]}
for name, rule in (rules | {"backtracking": backtrack}).items():
    needed[name] = steps_needed(rule, rosenbrock_gradient, start, small=1e-3)
    print(f"{name:17} {needed[name]:6,} gradients {asked:6,} losses")
assert 5.5 < needed["fixed rate 0.001"] / needed["backtracking"] < 6.5
assert 2.8 < needed["fixed rate 0.0019"] / needed["backtracking"] < 3.5 and 10 < asked / needed["backtracking"] < 12

# %% [markdown]
# Backtracking needs no rate. Beside the fixed rate 0.001 it makes a sixth of the steps; beside 0.0019, close to the largest
# rate that still settles at this valley's lowest point, a third. But it asks for about eleven losses a step. When one
# loss means a pass over all data, that is expensive: for networks one chooses a rate beforehand.
#
# ### Exercise 4a.1 · A step of exact length · ●●○ · 8 minutes
# Write `exact_step(x, y, weights)`: the exact line search for linear regression with the mean squared error, whose
# gradient is $g = 2\,x^\top (x w - y) / n$ and whose curvature matrix is $A = 2\,x^\top x / n$.


# %% tags=["exercise"]
def exact_step(x, y, weights):
    ### BEGIN SOLUTION
    gradient = 2 * x.T @ (x @ weights - y) / len(x)
    curvature = 2 * x.T @ x / len(x)
    return gradient @ gradient / (gradient @ curvature @ gradient)
    ### END SOLUTION


# %% tags=["check"]
ck.check("gradient_descent.exact_step", exact_step)

# %% [markdown]
# ## The same in Keras
#
# Keras calls it `SGD`. Is it our formula? One hundred steps on both landscapes, compared after each step.


# %%
def descend(gradient, start, rate, steps):
    """Gradient descent with a fixed rate. Returns the path, shape (steps + 1, *shape of start)."""
    path = [np.asarray(start, "float64")]
    for _ in range(steps):
        path.append(path[-1] - rate * gradient(path[-1]))
    return np.array(path)


for gradient, begin, rate in [(ravine_gradient, (10.0, 2.0), 0.07), (rosenbrock_gradient, start, 0.001)]:
    optimizer, point = keras.optimizers.SGD(rate), keras.Variable(begin, dtype="float64")
    path = [point.numpy().copy()]
    for _ in range(100):
        optimizer.apply([tf.constant(gradient(path[-1]))], [point])
        path.append(point.numpy().copy())
    assert np.allclose(path, descend(gradient, begin, rate, 100), rtol=0, atol=1e-6)
print("100 steps on each landscape agree to 0.000001")

# %% [markdown]
# ## How large may the rate be?
#
# Take one direction of a quadratic, with curvature $\lambda$, at the distance $d$ from its lowest point. There the slope
# is $\lambda d$, so one step leaves $d - \eta\lambda d$: it multiplies the distance by $1 - \eta\lambda$. With
# $\lambda = 25$ the rate 0.06 gives the factor $-0.5$: it jumps across and comes nearer; 0.1 gives $-1.5$: it jumps across
# and gets away. The distance shrinks only while $|1 - \eta\lambda| < 1$:
#
# $$ \eta < \frac{2}{\lambda_{\max}} $$
#
# For the ravine this predicts $2/25 = 0.08$. Below it, at it, above it:

# %%
across = {}
for rate in [0.078, 0.08, 0.082]:
    across[rate] = abs(descend(ravine_gradient, (10.0, 2.0), rate, 100)[-1, 1])
    print(f"rate {rate}: distance across the ravine 2 → {across[rate]:.3g}")
    assert np.isclose(across[rate], 2 * abs(1 - 25 * rate) ** 100, rtol=1e-6)  # the prediction
assert across[0.078] < 0.02 and np.isclose(across[0.08], 2) and 255 < across[0.082] < 265


# %%
def draw_path(axis, rate, steps=40):
    """The path of gradient descent on the ravine, over its contour lines."""
    path = descend(ravine_gradient, (10.0, 2.0), rate, steps)
    x, y = np.meshgrid(np.linspace(-11, 11, 120), np.linspace(-4, 4, 80))
    axis.contour(x, y, (x**2 + 25 * y**2) / 2, levels=np.geomspace(1, 250, 9), cmap="cividis", linewidths=0.8)
    axis.plot(path[:, 0], path[:, 1], "o-", color="C1", markersize=3, linewidth=1)
    axis.plot(0, 0, "*", color="black", markersize=11)
    title = f"rate {rate:g}: loss {ravine(path[0]):.0f} → {ravine(path[-1]):.2g}"
    axis.set(title=title, xlim=(-11, 11), ylim=(-4, 4), xlabel="x", ylabel="y")


figure, axes = plt.subplots(2, 2, figsize=(10, 5.4))
for axis, rate in zip(axes.flat, [0.01, 0.04, 0.077, 0.082], strict=True):
    draw_path(axis, rate)
ck.show(
    figure, alt="Forty steps at four rates: too slow, straight along the floor, zigzag across it, and out of the ravine"
)

# %% [markdown]
# Move the slider. Which rate leaves the least loss after forty steps, and why is it so near the cliff?


# %%
def path_and_loss(rate):
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
    draw_path(left, rate)
    losses = [ravine(p) for p in descend(ravine_gradient, (10.0, 2.0), rate, 40)]
    right.semilogy(losses, color="C1")
    right.set(title="Loss by step", xlabel="step", ylabel="loss", ylim=(1e-2, 1e6))
    return figure


ck.explore(
    path_and_loss,
    alt="Forty steps of gradient descent in the ravine at the chosen rate, and the loss after each step",
    rate=[0.002, 0.005, 0.01, 0.02, 0.04, 0.06, 0.07, 0.074, 0.077, 0.079, 0.08, 0.081, 0.085],
)

# %%
final = {rate: ravine(descend(ravine_gradient, (10.0, 2.0), rate, 40)[-1]) for rate in [0.04, 0.06, 0.07, 0.074, 0.077]}
assert min(final, key=final.get) == 0.074
print("lowest loss after 40 steps: rate", min(final, key=final.get))

# %% [markdown]
# The flat direction wants large steps, the steep one forbids them. The larger the ratio of the curvatures (here 25), the
# slower the descent.
#
# Now the patients, with the matrix $A = 2\,x^\top x / n$. Such a matrix has directions that it only stretches,
# $A d = \lambda d$; they are to it what the axes are to the ravine. The factors $\lambda$, its **eigenvalues** (特征值),
# are the curvatures along them; `np.linalg.eigvalsh` finds them in rising order.

# %%
largest = np.linalg.eigvalsh(2 * x_patients.T @ x_patients / len(x_patients))[-1]
limit = 2 / largest
print(f"largest curvature {largest:.2f}, so the limit is {limit:.4f}")


def patients_gradient(weights):
    return 2 * x_patients.T @ (x_patients @ weights - y_patients) / len(x_patients)


for factor in [0.99, 1.01]:
    last = descend(patients_gradient, np.zeros(11), factor * limit, 2_000)[-1]
    error = np.sqrt(np.mean((x_patients @ last - y_patients) ** 2))
    print(f"{factor} × limit: root mean squared error after 2,000 steps {error:.2g}")
    assert error < 54 if factor < 1 else error > 1e15
assert 0.24 < limit < 0.25 and round(limit, 4) == 0.2412

# %% [markdown]
# The border is 0.2412: 0.24 lies just below, 0.25 above.
#
# ### Exercise 4a.2 · The limit of the rate · ●●○ · 6 minutes
# Write `largest_rate(x)`: the limit of the learning rate for linear regression on the examples `x`, shape
# `(examples, values)`, when the loss is **half** the mean squared error. (Halving the loss halves its curvature.)


# %% tags=["exercise"]
def largest_rate(x):
    ### BEGIN SOLUTION
    return 2 / np.linalg.eigvalsh(x.T @ x / len(x))[-1]
    ### END SOLUTION


# %% tags=["check"]
ck.check("gradient_descent.largest_rate", largest_rate)

# %% [markdown]
# ## When to stop
#
# Gradient descent never arrives; somebody must stop it. To make it hard, we give the regression 65 values (the ten, their
# squares and products) and train on 250 patients. 103 others are validation data: a rule may look at them. The 89 that
# the first program left out are test data: no rule sees them, and they judge.

# %%
first, second = np.triu_indices(10)
all_scaled = np.concatenate([scaled, (raw_new - raw.mean(axis=0)) / raw.std(axis=0)])  # (442, 10)
wide = np.column_stack([all_scaled, all_scaled[:, first] * all_scaled[:, second]])  # (442, 65)
wide = (wide - wide[:250].mean(axis=0)) / wide[:250].std(axis=0)
wide = np.column_stack([wide, np.ones(len(wide))])
all_targets = np.concatenate([y_patients, y_new])
safe_rate = 1 / np.linalg.eigvalsh(2 * wide[:250].T @ wide[:250] / 250)[-1]  # half the limit


def record(rate, steps):
    """Length of the gradient; training, validation and test loss before each step; an array (steps, 4)."""
    weights, rows = np.zeros(66), []
    for _ in range(steps):
        residual = wide @ weights - all_targets
        gradient = 2 * wide[:250].T @ residual[:250] / 250
        squares = residual * residual
        losses = squares[:250].mean(), squares[250:353].mean(), squares[353:].mean()
        rows.append([np.sqrt(gradient @ gradient), *losses])
        weights = weights - rate * gradient
    return np.array(rows)


# %%
length, training, validation, test = record(safe_rate, 20_000).T
best = int(np.argmin(validation))
rules = {  # rule: (last step made, step whose weights are kept)
    "gradient shorter than 0.1": (int(np.argmax(length < 0.1)),) * 2,
    "loss falls by less than 0.1": (int(np.argmax(-np.diff(training) < 0.1)) + 1,) * 2,
    "1,000 steps": (1_000, 1_000),
    "patience of 50 steps": (best + 50, best),
}
print("rule                          steps   error: training  validation  test")
for rule, (last, used) in rules.items():
    cells = np.sqrt([training[used], validation[used], test[used]])
    print(f"{rule:28} {last:6,} {cells[0]:17.1f} {cells[1]:11.1f} {cells[2]:5.1f}")
assert np.all(validation[: best + 51] >= validation[best]) and np.all(np.diff(validation[: best + 1]) < 0)
assert [last for last, _ in rules.values()] == [17_928, 367, 1_000, 107]
assert [round(float(np.sqrt(validation[used])), 1) for _, used in rules.values()] == [66.8, 58.5, 59.2, 57.2]
assert [round(float(np.sqrt(test[used])), 1) for _, used in rules.values()] == [62.4, 57.9, 59.2, 55.9]

# %%
figure, axis = plt.subplots(figsize=(8, 3.6))
axis.semilogx(np.arange(1, 20_001), np.sqrt(training), label="training")
axis.semilogx(np.arange(1, 20_001), np.sqrt(validation), "--", label="validation")
for (rule, (_, used)), marker in zip(rules.items(), "os^D", strict=True):
    axis.plot(used + 1, np.sqrt(validation[used]), marker, color="black", label=rule)
axis.set(title="Where four rules stop", xlabel="step (log scale)", ylabel="error (score points)", ylim=(40, 100))
axis.legend(fontsize=8)
ck.show(figure, alt="Training error falls for 20,000 steps; validation error is lowest near step 60 and then rises")

# %% [markdown]
# The strictest rule paid the most steps for the **worst** predictions: it waits for the lowest *training* loss.
# Patience on validation data, or **early stopping** (早停), was the cheapest. That its validation error is the lowest
# proves nothing: it chose the lowest point of that very curve. The test patients chose nothing, and there it was the
# best too, 55.9 against 57.9, 59.2 and 62.4. With other random splits (not shown) the strictest rule stays the worst;
# patience is the best on most of them, not on all. Its price: a validation pass each step, and patients that may not be
# trained on.
#
# The second rule has a trap: a small rate makes small changes anywhere. We ask it again at a thousandth of the rate.

# %%
slow_length, slow_training, _, _ = record(safe_rate / 1_000, 30_000).T
for name, lengths, losses in [("safe rate", length, training), ("a thousandth", slow_length, slow_training)]:
    stop = int(np.argmax(-np.diff(losses) < 0.1)) + 1
    print(
        f"{name:12} stops with training error {np.sqrt(losses[stop]):.1f}, length of the gradient {lengths[stop]:.0f}"
    )
assert lengths[stop] > 40 and np.sqrt(losses[stop]) > 55

# %% [markdown]
# It stops too early. The length of the gradient does not depend on the rate; the change of the loss does.
#
# ### Exercise 4a.3 · When to stop · ●●○ · 8 minutes
# Write `stop_early(losses, patience)`. `losses` holds a validation loss for each pass. Training stops when `patience`
# passes in a row brought no new lowest loss, or when the list ends. Return the number of passes made, and the index
# (from 0) of the pass whose weights are kept. Of equals keep the earlier.


# %% tags=["exercise"]
def stop_early(losses, patience):
    ### BEGIN SOLUTION
    best = 0
    for index, loss in enumerate(losses):
        if loss < losses[best]:
            best = index
        if index - best >= patience:
            return index + 1, best
    return len(losses), best
    ### END SOLUTION


# %% tags=["check"]
ck.check("gradient_descent.stop_early", stop_early)

# %% [markdown]
# ## A rate for a network
#
# A network's loss is no quadratic: no formula gives the limit. We sweep: half a power of ten at a time, the same
# start, one pass over 12,000 pictures, a look at 10,000 validation pictures. **Guess first:** how far is the best rate
# from the first one that fails?

# %%
(x_train, y_train), (x_valid, y_valid) = ck.data.fashion_mnist(train=12_000, test=10_000)
x_train = x_train.reshape(-1, 784).astype("float32") / 255  # (examples, pixels)
x_valid = x_valid.reshape(-1, 784).astype("float32") / 255
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

keras.utils.set_random_seed(0)
hidden = [layers.Dense(256, "relu"), layers.Dense(128, "relu")]
network = keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(10)])
network.compile(keras.optimizers.SGD(), loss, steps_per_execution=47)
first_weights = network.get_weights()


def train(rate, pixels, labels, shuffle=True):
    """One pass with mini-batches of 128 from the first weights. Returns the logits of the validation pictures."""
    keras.utils.set_random_seed(0)
    network.set_weights(first_weights)
    network.optimizer.learning_rate = rate
    network.fit(pixels, labels, batch_size=128, epochs=1, shuffle=shuffle, verbose=0)
    return network(x_valid).numpy()  # (examples, classes)


# %%
rates = 10.0 ** np.arange(-4, 0.5, 0.5)
swept = np.array([loss(y_valid, train(rate, x_train, y_train)) for rate in rates])
guessing = np.log(10)  # the loss of one tenth for each class
for index in [0, 2, 4, 6, 7, 8]:
    value = f"validation loss {swept[index]:.1f}" if index < 8 else "failed: no better than guessing, or not a number"
    print(f"rate {rates[index]:6.4f}: {value}")
assert all(0.6 < value < 0.8 for value in swept[6:8]) and np.all(swept[:6] > 0.8)
assert not swept[8] < 2 and swept[2] > 2.1

# %%
figure, axis = plt.subplots(figsize=(8, 3.4))
axis.semilogx(rates[:8], swept[:8], "o-", label="validation loss")
failed = np.nan_to_num(swept[8:], nan=2.6, posinf=2.6).clip(max=2.6)  # at the upper edge when it has no number
axis.semilogx(
    rates[8:], failed, "X", color="C1", markersize=9, linestyle="none", label="failed (2.6: or above, or nan)"
)
axis.axhline(guessing, color="grey", linestyle=":", label="guessing")
axis.set(title="One pass at nine rates", xlabel="learning rate (log scale)", ylabel="validation loss")
axis.legend()
ck.show(figure, alt="Validation loss by learning rate, logarithmic: a slow fall from 0.0001 to 0.3, then failure at 1")

# %% [markdown]
# In this one pass, up to 0.001, the network hardly leaves its start. The best rates are 0.1 and 0.32, and the next one, 1,
# fails: **the best rates live beside the cliff.** After ten passes these two are still the best, 0.1 before 0.32 (one start,
# not shown). Sweep on a log scale, for as many steps as you mean to train, then step back.
#
# ## Few examples, many steps
#
# The full gradient needs a pass over all examples for one step. **Stochastic gradient descent** (随机梯度下降, SGD) takes
# one example, or a mini-batch, and steps at once. Its gradient is noisy, but right on average.
#
# We write it for one layer with softmax, whose gradient is $x^\top (p - y) / n$, and check loss and gradient against Keras.

# %%
x_small = np.column_stack([x_train[:2_000], np.ones(2_000)]).astype("float64")  # (examples, 785)
y_small = y_train[:2_000]


def probabilities(W, x):
    logits = x @ W
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def softmax_loss(W):
    return -np.mean(np.log(probabilities(W, x_small)[np.arange(2_000), y_small]))


def softmax_gradient(W, x, y):
    return x.T @ (probabilities(W, x) - np.eye(10)[y]) / len(y)  # (785, classes)


with tf.GradientTape() as tape:
    W_keras = tf.Variable(np.random.default_rng(0).normal(0, 0.1, (785, 10)))
    value = loss(y_small, x_small @ W_keras)
assert np.isclose(value, softmax_loss(W_keras.numpy()), atol=1e-5)
by_tape = tape.gradient(value, W_keras)
assert np.allclose(by_tape, softmax_gradient(W_keras.numpy(), x_small, y_small), atol=1e-5)

# %% [markdown]
# Three batch sizes, each at the best of three rates, five passes over the same 2,000 pictures: all see equally many
# examples. **Guess first:** which has the lowest loss?


# %%
def sgd_losses(batch_size, rate):
    """Loss on all 2,000 pictures before the first of five passes, and after each."""
    random, W = np.random.default_rng(0), np.zeros((785, 10))
    losses = [softmax_loss(W)]
    for _ in range(5):
        order = random.permutation(2_000)
        for begin in range(0, 2_000, batch_size):
            batch = order[begin : begin + batch_size]
            W = W - rate * softmax_gradient(W, x_small[batch], y_small[batch])
        losses.append(softmax_loss(W))
    return losses


curves = {}
for batch_size, choices in [(2_000, [0.03, 0.1, 0.3]), (32, [0.03, 0.1, 0.3]), (1, [0.003, 0.01, 0.03])]:
    tried = {rate: sgd_losses(batch_size, rate) for rate in choices}
    best_rate = min(choices, key=lambda rate: tried[rate][-1])
    curves[batch_size] = tried[best_rate]
    print(
        f"batch {batch_size:5,}, {int(np.ceil(2_000 / batch_size)):5,} steps a pass, best rate {best_rate:4}:", end=" "
    )
    print(f"loss {tried[best_rate][1]:.2g} after one pass, {tried[best_rate][-1]:.2g} after five")
    assert best_rate == choices[1]
assert curves[1][-1] < 0.5 < curves[32][-1] < 0.75 < 1.5 < curves[2_000][-1]
assert [5 * int(np.ceil(2_000 / size)) for size in curves] == [5, 315, 10_000] and W_keras.shape == (785, 10)

# %% [markdown]
# Equal reading, unequal progress: after five passes many rough steps are ahead of few exact ones. But single examples
# needed a tenth of the rate. And why does hardly anybody train with them? Look at what a step costs. Five passes wrote each
# of the 7,850 weights 10,000 times with single examples, 315 times with batches of 32, 5 times with all. Around each step
# there is a call, and the weights must be read and written; a batch shares that among its examples, and a processor
# computes their products side by side. So a pass with single examples takes the longest (chapter 05c comes back to it).
# How rough are the steps? We stand still and measure the noise: the distance from the batch's gradient to the full one.

# %%
random, W_here = np.random.default_rng(1), np.zeros((785, 10))
for _ in range(20):
    W_here = W_here - 0.03 * softmax_gradient(W_here, x_small, y_small)
full_gradient = softmax_gradient(W_here, x_small, y_small)

sizes, noise = np.array([1, 4, 16, 64, 256]), []
for size in sizes:
    batches = random.integers(0, 2_000, (60, size))
    gradients = np.array([softmax_gradient(W_here, x_small[batch], y_small[batch]) for batch in batches])
    squares = np.sum((gradients - full_gradient) ** 2, axis=(1, 2))  # (batches,)
    noise.append(np.sqrt(np.mean(squares) / np.sum(full_gradient**2)))
    print(f"batch {size:3}: noise {noise[-1]:4.1f} times the length of the full gradient")
power = np.polyfit(np.log(sizes), np.log(noise), 1)[0]
print(f"noise goes with the batch size to the power {power:.1f}")
assert 12 < noise[0] < 13 and 3 < noise[2] < 3.2 and 1.5 < noise[3] < 1.6 and abs(power + 0.5) < 0.02
parts = np.split(random.permutation(2_000), 125)  # one pass of batches of 16: their gradients average to the full one
average = np.mean([softmax_gradient(W_here, x_small[part], y_small[part]) for part in parts], axis=0)
assert np.allclose(average, full_gradient)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
for (batch_size, losses), style in zip(curves.items(), ["o-", "s--", "^:"], strict=True):
    left.plot(losses, style, label=f"batch {batch_size:,}")
left.set(title="Equally many examples", xlabel="passes over the data", ylabel="loss on the 2,000 pictures")
left.legend()
right.loglog(sizes, noise, "o", label="measured")
right.loglog(sizes, noise[0] / np.sqrt(sizes), "--", label="first point / √n")
right.set(title="Noise of the gradient", xlabel="batch size n (log scale)", ylabel="noise / length of gradient")
right.legend()
ck.show(figure, alt="Left: loss by pass falls fastest with single examples; right: noise falls as one over root n")

# %% [markdown]
# The noise falls as $1/\sqrt{n}$, as it must: the mean of $n$ independent numbers has a variance $n$ times smaller, so its
# deviation is $\sqrt{n}$ times smaller. Four times the work, half the noise: one reason why batches stay small.
#
# ### Exercise 4a.4 · A batch for less noise · ●○○ · 3 minutes
# Write `batch_for_noise(size, factor)`: with batches of `size` the gradient has some noise. Which batch size makes the
# noise `factor` times smaller?


# %% tags=["exercise"]
def batch_for_noise(size, factor):
    ### BEGIN SOLUTION
    return size * factor**2
    ### END SOLUTION


# %% tags=["check"]
ck.check("gradient_descent.batch_for_noise", batch_for_noise)

# %% [markdown]
# ## Why shuffle?
#
# "Right on average" holds only for batches drawn at random. Suppose that the file is sorted: all T-shirts first, all ankle
# boots last. Same network, same 12,000 pictures, rate 0.1. **Guess first:** what does the sorted net answer?

# %%
import inspect

by_label = np.argsort(y_train, kind="stable")
accuracy = {}
for name, shuffle in [("sorted", False), ("shuffled", True)]:
    answers = train(0.1, x_train[by_label], y_train[by_label], shuffle).argmax(axis=1)
    accuracy[name] = np.mean(answers == y_valid)
    print(f"{name:8} accuracy {accuracy[name]:.0%}, different answers: {len(np.unique(answers))}")
    assert shuffle or np.all(answers == 9)
assert accuracy["sorted"] == 0.1 and 0.75 < accuracy["shuffled"] < 0.79
assert inspect.signature(network.fit).parameters["shuffle"].default is True

# %% [markdown]
# Sorted, after this one pass the network calls **every** picture an ankle boot, the last thing it saw. `fit` shuffles unless told not to; your
# own loop must do it itself.
#
# ### Exercise 4a.5 · Shuffled mini-batches · ●●○ · 8 minutes
# Write `mini_batches(x, y, size, random)`: a list of pairs `(x_batch, y_batch)` for one pass in random order, each
# example exactly once, the last batch shorter if need be. `random` is a NumPy generator (`np.random.default_rng`).


# %% tags=["exercise"]
def mini_batches(x, y, size, random):
    ### BEGIN SOLUTION
    order = random.permutation(len(x))
    parts = [order[begin : begin + size] for begin in range(0, len(x), size)]
    return [(x[part], y[part]) for part in parts]
    ### END SOLUTION


# %% tags=["check"]
ck.check("gradient_descent.mini_batches", mini_batches)

# %% [markdown]
# ### Exercise 4a.6 · Plain descent in Keras · ●●● · 12 minutes
# Write `fit_line(x, y, rate, steps)`: build a Keras model with one `Dense` unit whose weights and bias start at zero,
# train it with `steps` steps of **plain gradient descent** (every step sees all examples) on the mean squared error, and
# return it. Mind what `fit` does when you give it no batch size.


# %% tags=["exercise"]
def fit_line(x, y, rate, steps):
    ### BEGIN SOLUTION
    line = keras.Sequential([keras.Input((x.shape[1],)), layers.Dense(1, kernel_initializer="zeros")])
    line.compile(keras.optimizers.SGD(rate), "mse")
    line.fit(x, y, batch_size=len(x), epochs=steps, verbose=0)
    return line
    ### END SOLUTION


# %% tags=["check"]
ck.check("gradient_descent.fit_line", fit_line)

# %% [markdown]
# ## Article clinic
#
# ### 04-3 · Three examples, and "the" solution
# The article (a4, 5) fits three examples whose second value is twice the first, without a bias, by gradient descent and by
# Adam (chapter 04b; here it is only a second optimizer). Its gradient descent is right. It does not say that these
# examples leave the answer open. The same here: rate 0.01, from zeros, the gradient of the mean squared error.

# %%
x_article, y_article = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]), np.array([1.0, 3.0, 5.0])


def keras_minimum(optimizer, x):
    """Where 1,000 full-batch steps of a Keras optimizer end, from zeros, in float64; shape (2,)."""
    theta = keras.Variable(np.zeros(2), dtype="float64")
    optimizer.build([theta])

    @tf.function
    def thousand_steps():
        for _ in tf.range(1_000):
            residual = tf.linalg.matvec(x, theta) - y_article
            optimizer.apply([2 * tf.linalg.matvec(x, residual, transpose_a=True) / 3], [theta])

    thousand_steps()
    return theta.numpy()


ends = {"SGD": keras_minimum(keras.optimizers.SGD(0.01), x_article)}
ends["Adam"] = keras_minimum(keras.optimizers.Adam(0.01), x_article)
for name, theta in ends.items():
    print(f"{name:4} ends at {np.round(theta, 5)}, loss {np.mean((x_article @ theta - y_article) ** 2):.6f}")
assert np.allclose(ends["SGD"], [0.31429, 0.62857], atol=6e-6) and np.allclose(ends["Adam"], 0.52381, atol=6e-6)

# %% [markdown]
# Two results, one loss, $1/7$. Both are right, and so are infinitely many others: $x\,(2, -1)^\top = 0$. Along such a
# direction of the **null space** (零空间) the loss is flat.

# %%
flat = np.array([2.0, -1.0])
print("rank", np.linalg.matrix_rank(x_article), "  x @ (2, -1) =", x_article @ flat)
for distance in [-100, 0, 0.10476, 100]:
    theta = ends["SGD"] + distance * flat
    loss_there = np.mean((x_article @ theta - y_article) ** 2)
    print(f"SGD's end + {distance:7} × (2, -1): loss {loss_there:.6f}")
    assert np.isclose(loss_there, 1 / 7)
assert np.allclose(ends["Adam"] - ends["SGD"], 0.10476 * flat, atol=1e-5)

with_bias = np.column_stack([x_article[:, 0], np.ones(3)])  # (examples, 2): one value, and ones for the bias
for name, optimizer in {"SGD": keras.optimizers.SGD(0.1), "Adam": keras.optimizers.Adam(0.1)}.items():
    theta = keras_minimum(optimizer, with_bias)
    print(f"full rank, bias: {name:4} ends at ({theta[0]:.3f}, {theta[1]:.3f})")
    assert np.allclose(theta, [2, -1], atol=1e-4)

# %% [markdown]
# **Right:** look at the rank before you compare parameters. With a bias in place of the doubled column there is one
# lowest point, and both reach it: $y = 2x - 1$.
#
# ### 04-4 · "SGD", run on the full batch
# One article (a0, 3.2.2) defines SGD rightly, by random examples, and shows no program. Another (a1, 4.1) has a program
# that names `optim.SGD` and gives it all data in every step. That trains, too; but who reads both may think that the class
# makes it stochastic. In Keras the program's way is `batch_size=len(x)`. We compare the weights after
# **each** step with plain gradient descent.


# %%
def keras_path(batch_size, passes):
    """Weights and bias after each step of Keras's SGD on the patients, from zeros; shape (steps, 11)."""
    keras.utils.set_random_seed(0)
    line = keras.Sequential([keras.Input((10,)), layers.Dense(1, kernel_initializer="zeros")])
    line.compile(keras.optimizers.SGD(0.1), "mse")
    path = []

    def note(batch, logs=None):
        path.append(np.concatenate([part.ravel() for part in line.get_weights()]))

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=note)
    line.fit(scaled, y_patients, batch_size, passes, verbose=0, callbacks=[callback])
    return np.array(path)


by_hand = descend(patients_gradient, np.zeros(11), 0.1, 10)[1:]
full, mini = keras_path(len(scaled), 10), keras_path(32, 10)
assert len(full) == 10 and np.allclose(full, by_hand, atol=1e-3)
apart = np.abs(mini[11::12] - by_hand).max(axis=1)  # after each pass of 12 mini-batches
print(f"batch_size=353: {len(full):3} steps in 10 passes, the weights of plain gradient descent after each")
print(f"batch_size=32:  {len(mini):3} steps in 10 passes, one weight is {apart[-1]:.0f} score points off")
assert len(mini) == 120 and np.all(apart > 15)

# %% [markdown]
# **Right:** the class is called SGD, but the *batches* make it stochastic. With all data in each batch it is plain
# gradient descent, at every step. Shuffled mini-batches made twelve times as many steps, on another path.
#
# ## Recap
#
# - A step of $-\eta g$ lowers the loss if $\eta$ is small; on a quadratic the limit is 2 / largest curvature.
# - Line searches choose the step and pay in losses; a network's rate comes from a sweep on a log scale.
# - Watch validation data to stop; a small change of the loss may only mean a small rate.
# - Mini-batches: noise $1/\sqrt{n}$, many more steps for the same reading, a smaller cost a pass than single examples.
#   Shuffle.
# - Without full rank, many answers have the same loss.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("gradient_descent.limit")

# %% tags=["quiz"]
ck.quiz("gradient_descent.stopping")

# %% tags=["quiz"]
ck.quiz("gradient_descent.noise")

# %% tags=["quiz"]
ck.quiz("gradient_descent.full_batch")

# %% [markdown]
# ### References
#
# - Cauchy (1847). Méthode générale pour la résolution des systèmes d'équations simultanées. Comptes rendus 25.
# - Robbins, Monro (1951). A stochastic approximation method. Annals of Mathematical Statistics 22.
# - Rosenbrock (1960). An automatic method for finding the greatest or least value of a function. The Computer Journal 3.
# - Armijo (1966). Minimization of functions having Lipschitz continuous first partial derivatives. Pacific J. Math. 16.
# - Prechelt (1998). Early stopping – but when? In: Neural Networks: Tricks of the Trade. Springer.
# - Bottou, Curtis, Nocedal (2018). Optimization methods for large-scale machine learning. SIAM Review 60. arXiv:1606.04838
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("gradient_descent")
