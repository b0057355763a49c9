# ---
# title: From momentum to Adam
# promise: You will write five optimizers from scratch, equal to Keras's step by step, and know what each one remembers.
# built: You wrote momentum, Nesterov's momentum, RMSprop, Adam and AdamW, and each takes the same steps as the one in Keras.
# minutes: 85
# prerequisites: [04a_gradient_descent]
# data: [fashion_mnist]
# articles: [a0 3.2, a4 3.2, a4 5]
# clinic: [04-1, 04-2, 04-5]
# topic: optimizers
# ---

# %% [markdown]
# **What you will be able to do**
#
# - write momentum (动量), Nesterov's momentum, RMSprop, Adam and AdamW in a few lines each, and prove them against Keras;
# - compute what a running average remembers, and correct its start;
# - say which optimizers (优化器) notice a loss times 1000, and which notice a ravine that does not lie along the axes;
# - repair an Adam that has stopped learning.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## The same ravine, 100 times steeper
#
# Gradient descent (chapter 04a) has one rate $\eta$ for all parameters, and no memory. We send it down the ravine
# $(x^2 + s\,y^2)/2$ at the rate $2 / (1 + s)$, just below where it diverges, and count the steps until it stays within
# 0.1 of the lowest point. **Guess first:** how many more does it need if $s$ grows from 25 to 2500?

# %%
import warnings

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers, ops

START = {"ravine": np.array([10.0, 2.0]), "Rosenbrock": np.array([-1.2, 1.0])}
LOWEST = {"ravine": np.array([0.0, 0.0]), "Rosenbrock": np.array([1.0, 1.0])}


def gradient(surface, p, steepness=25.0):
    """Slopes of a surface at the points p (..., 2), same shape."""
    x, y = p[..., 0], p[..., 1]
    if surface == "ravine":
        return np.stack([x, steepness * y], axis=-1)
    return np.stack([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)], axis=-1)


# %%
def descend(rule, surface="ravine", steps=100, steepness=25.0, **settings):
    """The path (steps + 1, 2) of an optimizer: `rule(p, g, memory, **settings)` returns the next point."""
    path, memory = [START[surface] + 0.0 * settings["rate"]], {}  # many rates (rates, 1): many points (rates, 2)
    with np.errstate(all="ignore"):
        for _ in range(steps):
            path.append(rule(path[-1], gradient(surface, path[-1], steepness), memory, **settings))
    return np.array(path)


def steps_needed(path, within=0.1):
    """Steps until the path comes within this distance of (0, 0) and stays there."""
    return int(np.max(np.flatnonzero(~(np.hypot(path[:, 0], path[:, 1]) < within)))) + 1


def gradient_descent(p, g, memory, rate):
    return p - rate * g


plain = {s: steps_needed(descend(gradient_descent, steps=8_000, steepness=s, rate=2 / (1 + s))) for s in [25, 2500]}
print(f"steps of gradient descent: {plain[25]:,} at steepness 25, {plain[2500]:,} at 2500")
assert plain == {25: 58, 2500: 5_781}

# %% [markdown]
# A hundred times as many: the steep direction forces a small rate, and along the floor it crawls. Two ideas help:
# remember the direction (momentum), and give each parameter its own step (RMSprop). Adam has both.
#
# ## Momentum
#
# Momentum keeps a velocity $m$: what points the same way adds up, what zigzags cancels. Nesterov's form looks one step
# ahead:
#
# $$ m \leftarrow \beta\, m - \eta\, g, \qquad p \leftarrow p + m \quad \text{(momentum)}, \qquad
#    p \leftarrow p + \beta\, m - \eta\, g \quad \text{(Nesterov)} $$

# %%
# Keras rounds some settings to float32. We give both sides numbers that float32 holds: 0.9 becomes 0.89999998.
BETA_1, BETA_2 = float(np.float32(0.9)), float(np.float32(0.999))


def momentum(p, g, memory, rate, beta=BETA_1):
    memory["m"] = beta * memory.get("m", 0.0) - rate * g
    return p + memory["m"]


def nesterov(p, g, memory, rate, beta=BETA_1):
    memory["m"] = beta * memory.get("m", 0.0) - rate * g
    return p + beta * memory["m"] - rate * g


# %% [markdown]
# Is that what Keras does? We compare 100 steps down the ravine, in float64.


# %%
def keras_path(optimizer, steps=100):
    """The path (steps + 1, 2) of a Keras optimizer down the ravine, in float64."""
    p = keras.Variable(START["ravine"], dtype="float64")
    path = [START["ravine"]]
    for _ in range(steps):
        optimizer.apply([ops.convert_to_tensor(gradient("ravine", path[-1]))], [p])
        path.append(p.numpy())
    return np.array(path)


def compare(rule, optimizer, **settings):
    """Assert that a rule of ours and a Keras optimizer take the same 100 steps, to 0.000001."""
    assert np.allclose(descend(rule, **settings), keras_path(optimizer), rtol=0, atol=1e-6)
    print(f"{rule.__name__:9} agrees with Keras over 100 steps")


compare(gradient_descent, keras.optimizers.SGD(0.0625), rate=0.0625)
compare(momentum, keras.optimizers.SGD(0.03125, momentum=BETA_1), rate=0.03125)
compare(nesterov, keras.optimizers.SGD(0.03125, momentum=BETA_1, nesterov=True), rate=0.03125)

# %% [markdown]
# ### Exercise 4b.1 · Momentum in the long run · ●○○ · 4 minutes
# While the gradient stays the same, momentum's steps grow until $m = \beta m - \eta g$. Write `long_run_gain(beta)`:
# how many times longer than the plain step $\eta g$ are they then?


# %% tags=["exercise"]
def long_run_gain(beta):
    ### BEGIN SOLUTION
    return 1 / (1 - beta)
    ### END SOLUTION


# %% tags=["check"]
ck.check("optimizers.long_run_gain", long_run_gain)

# %% [markdown]
# Most programs set $\beta = 0.9$. **Guess first:** is that best for our ravine? For each $\beta$ we keep the best of 40
# rates.

# %%
betas, rates = np.arange(0, 1, 0.05), np.linspace(0.005, 0.2, 40)[:, None]  # (20,), (rates, 1)
needed = []
for beta in betas:
    paths = descend(momentum, steps=400, rate=rates, beta=beta)  # (steps + 1, rates, 2)
    needed.append(min(steps_needed(paths[:, index]) for index in range(len(rates))))

figure, axis = plt.subplots(figsize=(8, 3.4))
axis.plot(betas, needed, marker="o")
axis.set(
    title="Momentum down the ravine, best of 40 rates",
    xlabel="beta (what is kept of the velocity)",
    ylabel="steps needed",
)
ck.show(
    figure,
    alt="Steps needed against beta: from 60 without momentum down to 12 near 0.5, and up steeply after 0.8",
)
print({f"beta {beta:g}": needed[round(beta / 0.05)] for beta in [0.0, 0.5, 0.9, 0.95]})
assert min(needed) == needed[10] == 12 and needed[0] == 60 and needed[18] == 79
in_theory = {steepness: ((np.sqrt(steepness) - 1) / (np.sqrt(steepness) + 1)) ** 2 for steepness in [25, 2500]}
print("best beta in theory:", {f"steepness {steepness}": f"{beta:.2f}" for steepness, beta in in_theory.items()})

# %% [markdown]
# On this ravine $\beta = 0.5$ needs twelve steps in place of 60, but 0.9 needs 79: it overshoots. The best $\beta$ depends
# on the ravine; for steepness $s$ theory gives $((\sqrt{s} - 1) / (\sqrt{s} + 1))^2$ (Polyak, 1964), which is 0.44 here
# and 0.92 on the ravine that is 100 times steeper. $\beta$ is a number to tune.
#
# ## What a running average remembers
#
# RMSprop and Adam keep running averages (指数移动平均), $a \leftarrow \beta a + (1 - \beta)\,g$. There the gradient of $k$
# steps ago has the weight $(1 - \beta)\,\beta^k$.

# %%
back = np.arange(5_000)
figure, axis = plt.subplots(figsize=(8, 3.4))
for beta, line in [(0.9, "-"), (0.99, "--"), (0.999, ":")]:
    weight = (1 - beta) * beta**back
    half = int(np.argmax(np.cumsum(weight) >= 0.5)) + 1
    assert half == {0.9: 7, 0.99: 69, 0.999: 693}[beta]
    axis.loglog(back + 1, weight, line, label=f"beta = {beta}: the last {half} steps hold half of the weight")
    print(f"beta {beta}: half of the weight lies on the last {half} gradients")
axis.set(title="Weight of a past gradient", xlabel="age of the gradient (steps)", ylabel="weight", ylim=(1e-6, 1))
axis.legend(fontsize=9)
ck.show(
    figure,
    alt="Weight by age for three betas, both axes logarithmic: the larger beta, the flatter and longer the curve",
)

# %% [markdown]
# ### Exercise 4b.2 · How much is remembered · ●●○ · 8 minutes
# Write `steps_remembered(beta, share)`: how many of the latest gradients hold, together, at least `share` of the
# weight? The last $n$ hold $1 - \beta^n$.


# %% tags=["exercise"]
def steps_remembered(beta, share):
    ### BEGIN SOLUTION
    steps = 1
    while 1 - beta**steps < share:
        steps += 1
    return steps
    ### END SOLUTION


# %% tags=["check"]
ck.check("optimizers.steps_remembered", steps_remembered)

# %% [markdown]
# ## RMSprop: to each parameter its own step
#
# RMSprop divides each gradient by its own usual size, the root of a running mean of squares. Keras puts the $\epsilon$
# that prevents a division by zero inside the root:
#
# $$ v \leftarrow \rho\, v + (1 - \rho)\, g^2, \qquad p \leftarrow p - \eta\, \frac{g}{\sqrt{v + \epsilon}} $$


# %%
def rmsprop(p, g, memory, rate, rho=0.9, epsilon=1e-7):
    memory["v"] = rho * memory.get("v", 0.0) + (1 - rho) * g**2
    return p - rate * g / np.sqrt(memory["v"] + epsilon)


compare(rmsprop, keras.optimizers.RMSprop(0.25), rate=0.25)
first = np.diff(descend(rmsprop, steps=2, rate=0.25), axis=0)[0]
print("gradient at the start:", gradient("ravine", START["ravine"]), "  first step:", first.round(2))
assert np.allclose(first, -0.25 / np.sqrt(0.1))

# %% [markdown]
# The gradients 10 and 50 give the **same** step. But it is 3.16 rates long: $v$ starts at zero and holds only a tenth
# of the first square. Adam repairs that.
#
# ### Exercise 4b.3 · The path of AdaGrad · ●●○ · 8 minutes
# AdaGrad, RMSprop's elder, forgets nothing: $v \leftarrow v + g^2$, $p \leftarrow p - \eta\, g / (\sqrt{v} + 10^{-7})$,
# from $v = 0$. Write `adagrad_path(start, gradients, rate)`, with `start` of shape `(parameters,)` and `gradients`
# `(steps, parameters)`. Return the points after each step, `(steps, parameters)`.


# %% tags=["exercise"]
def adagrad_path(start, gradients, rate):
    ### BEGIN SOLUTION
    p, v, path = start, 0.0, []
    for g in gradients:
        v = v + g**2
        p = p - rate * g / (np.sqrt(v) + 1e-7)
        path.append(p)
    return np.array(path)
    ### END SOLUTION


# %% tags=["check"]
ck.check("optimizers.adagrad_path", adagrad_path)

# %% [markdown]
# ## Adam
#
# Adam keeps two running means: $m$ of the gradients, $v$ of their squares. Both start at zero, hence too small: after
# $t$ steps the weights sum to $1 - \beta^t$. The **bias correction** (偏差修正) divides by that:
#
# $$ m \leftarrow \beta_1 m + (1 - \beta_1)\, g, \quad v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2, \quad
#    \hat m = \frac{m}{1 - \beta_1^t}, \quad \hat v = \frac{v}{1 - \beta_2^t}, \quad
#    p \leftarrow p - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon} $$


# %%
def adam(p, g, memory, rate, beta_1=BETA_1, beta_2=BETA_2, epsilon=1e-7, correct=True):
    t = memory["t"] = memory.get("t", 0) + 1
    memory["m"] = beta_1 * memory.get("m", 0.0) + (1 - beta_1) * g
    memory["v"] = beta_2 * memory.get("v", 0.0) + (1 - beta_2) * g**2
    m_hat = memory["m"] / (1 - beta_1**t if correct else 1)  # a new name: the averages stay as they are
    v_hat = memory["v"] / (1 - beta_2**t if correct else 1)
    return p - rate * m_hat / (np.sqrt(v_hat) + epsilon)


# Keras adds epsilon to the uncorrected root of v (the paper's epsilon hat). When it is tiny, both forms are one.
compare(adam, keras.optimizers.Adam(0.25, BETA_1, BETA_2, epsilon=1e-10), rate=0.25, epsilon=1e-10)

# %% [markdown]
# Without correction $m$ starts ten times too small, $\sqrt{v}$ 32 times. **Guess:** are the first steps too long or too
# short? And for how long?

# %%
measured = {}
for correct in [True, False]:
    path = descend(adam, steps=3_000, rate=0.001, correct=correct)
    measured[correct] = -np.diff(path[:, 0]) / 0.001  # length of each step along x, in rates
for t in [1, 2, 5, 10, 20, 100, 1000]:
    print(f"step {t:5}: {measured[True][t - 1]:.2f} rates with correction, {measured[False][t - 1]:.2f} without")
t = np.arange(1, 10_000)
ratio = (1 - 0.9**t) / np.sqrt(1 - 0.999**t)  # for a gradient that stays the same
print(
    f"same gradient: at most {ratio.max():.2f} (step {ratio.argmax() + 1}), above 1.1 until step {t[ratio > 1.1][-1]}"
)
assert abs(measured[False][0] - 0.1 / np.sqrt(0.001)) < 1e-3 and abs(measured[True][0] - 1) < 1e-3
assert 6.56 < ratio.max() < 6.58 and ratio.argmax() == 11 and t[ratio > 1.1][-1] == 1750

# %%
figure, axis = plt.subplots(figsize=(8, 3.4))
for correct, line, label in [(True, "-", "with bias correction"), (False, "--", "without")]:
    axis.semilogx(np.arange(1, 3_001), measured[correct], line, label=label)
axis.set(title="Adam's steps along the floor of the ravine", xlabel="step number", ylabel="length of the step (rates)")
axis.legend()
ck.show(
    figure,
    alt="Length of Adam's steps: one rate with correction; without it 3.2 rates, then over 6, then slowly falling",
)

# %% [markdown]
# Too long: 3.2 rates at once, 6.6 by step 12, and above 1.1 until step 1750. With correction the steps are one
# rate long from the start.
#
# ### Exercise 4b.4 · A corrected running average · ●●○ · 8 minutes
# Write `bias_corrected(values, beta)`: the running average after each entry of `values`, shape `(steps,)`, with bias
# correction. The average starts at zero.


# %% tags=["exercise"]
def bias_corrected(values, beta):
    ### BEGIN SOLUTION
    average, corrected = 0.0, []
    for step, value in enumerate(values, start=1):
        average = beta * average + (1 - beta) * value
        corrected.append(average / (1 - beta**step))
    return np.array(corrected)
    ### END SOLUTION


# %% tags=["check"]
ck.check("optimizers.bias_corrected", bias_corrected)

# %% [markdown]
# ## AdamW: decay that is not a gradient
#
# Weight decay (权重衰减) pulls weights to zero. An L2 penalty in the loss adds $\lambda p$ to the gradient; under Adam it
# is then divided by $\sqrt{\hat v}$ like all the rest. AdamW subtracts $\eta \lambda p$ from the parameter itself. The
# test: weights of 1, and gradients of pure noise, weak or strong. **Guess** what is left after 500 steps.


# %%
def adamw(p, g, memory, rate, decay=0.1, epsilon=1e-7):
    return adam(p, g, memory, rate, epsilon=epsilon) - rate * decay * p


in_keras = keras.optimizers.AdamW(0.25, weight_decay=0.1, beta_1=BETA_1, beta_2=BETA_2, epsilon=1e-10)
compare(adamw, in_keras, rate=0.25, epsilon=1e-10)

random = np.random.default_rng(2)
left = {}
for noise in [0.1, 1.0, 10.0]:
    penalised, decayed = np.ones(10_000), np.ones(10_000)
    memories = {}, {}
    for _ in range(500):
        g = noise * random.normal(size=10_000)
        penalised = adam(penalised, g + 0.1 * penalised, memories[0], rate=0.01)
        decayed = adamw(decayed, g, memories[1], rate=0.01)
    left[noise] = penalised.mean(), decayed.mean()
    print(f"gradient noise {noise:4}: L2 in the loss leaves {left[noise][0]:.2f}, AdamW leaves {left[noise][1]:.2f}")
assert all(abs(value - (1 - 0.01 * 0.1) ** 500) < 0.01 for _, value in left.values())
assert left[0.1][0] < 0.02 and 0.94 < left[10.0][0] < 0.97

# %% [markdown]
# Under Adam the penalty leaves next to nothing of the weights with weak gradients, and hardly touches those with strong
# ones. AdamW shrinks all alike, to $(1 - \eta \lambda)^{500} = 0.61$: decay and gradient are **decoupled**.
#
# ## All of them, on two surfaces
#
# Each optimizer gets the best of 20 rates: fewest steps until the loss stays below 0.01.

# %%
RULES = {
    "gradient descent": gradient_descent,
    "momentum": momentum,
    "Nesterov": nesterov,
    "Adam": adam,
    "RMSprop": rmsprop,
    "AdamW": adamw,
}


def loss_on(surface, p):
    x, y = p[..., 0], p[..., 1]
    return (x * x + 25 * y * y) / 2 if surface == "ravine" else (1 - x) ** 2 + 100 * (y - x * x) ** 2


rates, best, needed = np.outer([0.0001, 0.001, 0.01, 0.1], [1, 2, 3, 5, 7]).reshape(-1, 1), {}, {}
for surface in START:
    for name, rule in RULES.items():
        with np.errstate(all="ignore"):
            losses = np.nan_to_num(loss_on(surface, descend(rule, surface, 2_000, rate=rates)), nan=np.inf)
        steps = len(losses) - np.argmax((losses >= 0.01)[::-1], axis=0)  # (rates,)
        index = np.lexsort((losses[-1], steps))[0]
        best[surface, name], needed[surface, name] = rates[index, 0], int(steps[index])

# %%
print(f"{'':18}  ravine   Rosenbrock")
for name in RULES:
    cells = [str(needed[surface, name]) if needed[surface, name] <= 2_000 else "–" for surface in START]
    print(f"{name:18} {cells[0]:>7} {cells[1]:>12}")
away = np.linalg.norm(descend(adamw, "Rosenbrock", 2_000, rate=best["Rosenbrock", "AdamW"])[-1] - LOWEST["Rosenbrock"])
print(f"AdamW ends {away:.2f} away from Rosenbrock's lowest point")
assert needed["Rosenbrock", "gradient descent"] == 1_923 and needed["Rosenbrock", "momentum"] == 132
assert needed["Rosenbrock", "AdamW"] > 2_000 and 0.4 < away < 0.6
assert needed["ravine", "AdamW"] < needed["ravine", "Adam"]

# %% [markdown]
# In the bent valley, from this start, momentum needs 132 steps in place of 1,923; the picture shows how wild a ride. AdamW
# does not arrive in 2,000: its decay pulls to $(0, 0)$. On the ravine that is a gift, for there the lowest point **is**
# $(0, 0)$.

# %%
VIEW = {"ravine": ((-4, 11), (-2.6, 2.6)), "Rosenbrock": ((-1.7, 1.7), (-0.8, 2.2))}
MARKS = ["C0o-", "C1s--", "C2^-.", "C3D-", "C4v--", "C5P:"]
LINES = {name: (mark[:2], mark[3:], mark[2]) for name, mark in zip(RULES, MARKS, strict=True)}


def draw(axis, surface, name, steps, factor=1.0):
    """One path over the contour lines of a surface; `factor` multiplies the optimizer's best rate."""
    (left, right), (bottom, top) = VIEW[surface]
    x, y = np.meshgrid(np.linspace(left, right, 120), np.linspace(bottom, top, 120))
    height = loss_on(surface, np.stack([x, y], axis=-1))
    axis.contour(x, y, height, levels=np.geomspace(0.1, height.max(), 9), colors="grey", linewidths=0.5)
    rate = best[surface, name] * factor
    path = np.clip(descend(RULES[name], surface, steps, rate=rate), -1e3, 1e3)
    colour, line, marker = LINES[name]
    axis.plot(path[:, 0], path[:, 1], line, color=colour, marker=marker, ms=3, lw=1.2, label=name)
    axis.plot(*LOWEST[surface], "*", color="black", ms=10)
    axis.set(xlim=(left, right), ylim=(bottom, top), xlabel="x", ylabel="y", title=f"{name}, rate {rate:.2g}")
    return path


# %%
figure, axes = plt.subplots(4, 3, figsize=(10, 10.5))
for row, (surface, half) in enumerate([("ravine", 0), ("ravine", 3), ("Rosenbrock", 0), ("Rosenbrock", 3)]):
    for axis, name in zip(axes[row], list(RULES)[half : half + 3], strict=True):
        draw(axis, surface, name, steps=60 if surface == "ravine" else 400)
ck.show(figure, alt="Paths of six optimizers: 60 steps down the ravine above, 400 along Rosenbrock's bent valley below")

# %% [markdown]
# Move the sliders: `factor` multiplies the best rate. Who leaves the picture at four times its best rate?


# %%
def walk(surface, optimizer, steps, factor):
    figure, axis = plt.subplots(figsize=(7, 4))
    path = draw(axis, surface, optimizer, steps, factor)
    axis.set_title(f"{axis.get_title()}: loss {loss_on(surface, path[-1]):.2g} after {steps} steps")
    return figure


ck.explore(
    walk,
    alt="The path of the chosen optimizer over the contour lines of the surface; a star marks the lowest point",
    surface=["Rosenbrock", "ravine"],
    optimizer=list(RULES),
    steps=[5, 10, 20, 50, 100, 200, 400],
    factor=[0.1, 0.25, 0.5, 1, 2, 4, 10],
)

# %% [markdown]
# ## Adam does not see the scale of an axis
#
# Adam did not win. Why then do so many start with it? Back to the ravine that gets 100 times steeper.

# %%
rows = [(momentum, lambda s: 2 / (1 + s)), (rmsprop, lambda s: 0.1), (adam, lambda s: 0.1)]
steeper = {"gradient_descent": plain}
for rule, rate in rows:
    paths = {s: descend(rule, steps=8_000, steepness=s, rate=rate(s)) for s in [25, 2500]}
    steeper[rule.__name__] = {s: steps_needed(path) for s, path in paths.items()}
for name, steps in steeper.items():
    print(f"{name:17} {steps[25]:5,} steps at steepness 25, {steps[2500]:5,} at 2500")
assert steeper["adam"] == {25: 213, 2500: 213} and steeper["rmsprop"] == {25: 223, 2500: 223}
assert steeper["momentum"] == {25: 82, 2500: 539}

# %% [markdown]
# On the steep ravine momentum with $\beta = 0.9$ needs a tenth of gradient descent's steps. RMSprop and Adam did not
# even notice: multiply all gradients along $y$ by 100, and the 100 cancels between $m$ and $\sqrt{v}$.
#
# But our ravine lies exactly along the axes: one parameter has the small slopes, the other the large ones. We turn it
# about its lowest point, and the start with it. Gradient descent does not notice a turn at all: it has no axes.
# **Guess:** does Adam?


# %%
def descend_turned(rule, degrees, steepness, steps=6_000, **settings):
    """The path (steps + 1, 2) on a ravine that is turned about its lowest point, and its start with it."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cosine, -sine], [sine, cosine]])
    curvature = turn @ np.diag([1.0, steepness]) @ turn.T  # (2, 2)
    path, memory = [turn @ START["ravine"]], {}
    for _ in range(steps):
        path.append(rule(path[-1], curvature @ path[-1], memory, **settings))
    return np.array(path)


turned = {}
for degrees in [0, 10, 45]:
    for s in [25, 2500]:
        turned[degrees, s] = steps_needed(descend_turned(adam, degrees, s, rate=0.1))
    print(
        f"Adam, ravine turned by {degrees:2}°: {turned[degrees, 25]:4} steps at 25, {turned[degrees, 2500]:5,} at 2500"
    )
same = steps_needed(descend_turned(gradient_descent, 45, 2500, rate=2 / 2501))
print(f"gradient descent, turned by 45°: {same:,} steps at 2500")
assert turned[0, 25] == turned[0, 2500] == 213 and abs(same - plain[2500]) <= 1
assert turned[10, 2500] > 5 * turned[10, 25] and turned[45, 2500] > 10 * turned[45, 25]

# %% [markdown]
# Turned by 10° or 45° the steeper ravine costs Adam many times as many steps, with a better rate too (not shown). Each
# gradient then mixes the steep and the flat direction, $\sqrt{v}$ is large for both parameters, and nothing cancels. So
# **Adam takes away the scale of each parameter, not the ravine**. In a network that helps, for the gradients of its layers
# often differ in scale by large factors, as the next section shows.
#
# ### Exercise 4b.5 · Adam's first step · ●○○ · 5 minutes
# Write `first_step(gradient, rate)`: what Adam adds to each parameter in its very first step, for a gradient of any
# shape. Leave $\epsilon$ out. Put $t = 1$ into the formulas: hardly anything remains.


# %% tags=["exercise"]
def first_step(gradient, rate):
    ### BEGIN SOLUTION
    return -rate * np.sign(gradient)
    ### END SOLUTION


# %% tags=["check"]
ck.check("optimizers.first_step", first_step)

# %% [markdown]
# ## One step of the sigmoid network
#
# Chapter 01 has a deep sigmoid net, with starting weights uniform in $\pm 1/\sqrt{p}$ for $p$ inputs. In its long run, SGD
# with momentum at rate 0.01 left 10 % after some 3,000 steps, Adam at 0.001 within the first 40, with each of three seeds. We build
# such a net and take **one** step with each. How far does each layer move?

# %%
(x_train, y_train), (x_test, y_test) = ck.data.fashion_mnist(train=12_000, test=10_000)
x_train = x_train.reshape(-1, 784).astype("float32") / 255  # (examples, pixels)
x_test = x_test.reshape(-1, 784).astype("float32") / 255
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

keras.utils.set_random_seed(0)
start = keras.initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")
hidden = [layers.Dense(units, "sigmoid", kernel_initializer=start) for units in (512, 256, 256, 128)]
network = keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(10, kernel_initializer=start)])
kernels = [layer.kernel for layer in network.layers]
with tf.GradientTape() as tape:
    value = loss(y_train[:512], network(2 * x_train[:512] - 1))  # pixels from -1 to 1, as published
gradients = tape.gradient(value, [kernel.value for kernel in kernels])


def size(change):
    return np.sqrt(np.mean(np.square(change)))  # root mean square


# %%
moves = {}
optimizers = {
    "SGD": keras.optimizers.SGD(0.01),
    "Adam": keras.optimizers.Adam(0.001),
    "tiny epsilon": keras.optimizers.Adam(0.001, epsilon=1e-12),
}
for name, optimizer in optimizers.items():
    before = [kernel.numpy() for kernel in kernels]
    optimizer.apply(gradients, kernels)
    moves[name] = [size(kernel.numpy() - old) for kernel, old in zip(kernels, before, strict=True)]
    for kernel, old in zip(kernels, before, strict=True):
        kernel.assign(old)
print("layer   gradient   SGD moves   Adam moves (in rates)   with a tiny epsilon")
for layer, (g, by_sgd, by_adam, tiny) in enumerate(zip(gradients, *moves.values(), strict=True), start=1):
    print(f"{layer:5} {size(g):10.0e} {by_sgd:11.0e} {by_adam / 0.001:23.2f} {tiny / 0.001:21.2f}")
assert 4_000 < moves["SGD"][-1] / moves["SGD"][0] < 7_000 and 2.8 < moves["Adam"][-1] / moves["Adam"][0] < 3.5
assert np.allclose(moves["tiny epsilon"], 0.001, rtol=0.01) and moves["Adam"][0] > 10_000 * moves["SGD"][0]

# %% [markdown]
# From the last layer to the first the gradient shrinks more than 4,000 times, and SGD's steps with it. Adam's shrink
# three times, and that is only $\epsilon$: with a tiny one all layers move by one rate. At these two rates Adam's first
# step moves layer 1 more than 10,000 times as far as SGD's. **A step that does not depend on the gradient's scale** is why
# Adam leaves 10 % early there. It is not the only way: with Glorot's starting weights, or with two layers less, SGD at this
# very rate leaves 10 % many times earlier too (chapter 01).
#
# ### The loss times 1000
# Now a whole training: 128 ReLU units, two epochs, the loss as it is and times 1000. **Guess** the four accuracies.

# %%
accuracy = {}
for name, optimizer in [("SGD", keras.optimizers.SGD), ("Adam", keras.optimizers.Adam)]:
    for factor in [1.0, 1000.0]:
        keras.utils.set_random_seed(0)
        network = keras.Sequential([keras.Input((784,)), layers.Dense(128, "relu"), layers.Dense(10)])
        rate = 0.1 if name == "SGD" else 0.001
        network.compile(optimizer(rate), loss, loss_weights=factor, steps_per_execution=47)
        network.fit(x_train, y_train, 128, 2, verbose=0)
        accuracy[name, factor] = np.mean(network(x_test).numpy().argmax(axis=-1) == y_test)
for name in ["SGD", "Adam"]:
    print(f"{name:5} loss: {accuracy[name, 1.0]:.0%}   1000 × loss: {accuracy[name, 1000.0]:.0%}")
assert accuracy["SGD", 1000.0] == 0.1 and 0.76 < accuracy["SGD", 1.0] < 0.80
assert all(0.80 < accuracy["Adam", factor] < 0.84 for factor in [1.0, 1000.0])

# %% [markdown]
# SGD's rate of 0.1 fits one scale of the loss: with the loss times 1000 the network names one class for all pictures.
# Adam reached 82 % on both after these two epochs.
#
# ### Exercise 4b.6 · Train with any optimizer · ●●○ · 10 minutes
# Write `train_network(x, y, optimizer)`: a network for pictures `x`, shape `(examples, 784)`, with one hidden layer of
# 32 ReLU units and ten logits, compiled with the given optimizer and a loss for whole-number labels `y`. Train it for
# five epochs in batches of 32 and return it.


# %% tags=["exercise"]
def train_network(x, y, optimizer):
    ### BEGIN SOLUTION
    network = keras.Sequential([keras.Input((784,)), layers.Dense(32, "relu"), layers.Dense(10)])
    network.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    network.fit(x, y, batch_size=32, epochs=5, verbose=0)
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("optimizers.train_network", train_network)

# %% [markdown]
# ## Article clinic
#
# ### 04-1 · Adam without its first moment
# The article (a0, 3.2.3) rightly keeps a running average of the gradient and one of its square, and divides by a root. But
# it has one name for both averages, uses the raw gradient in the end, and corrects nothing, though its letters carry hats.
# We run it as printed, then with two names.


# %%
def as_printed(p, g, memory, rate):
    average = BETA_1 * memory.get("average", 0.0) + (1 - BETA_1) * g
    average = memory["average"] = BETA_2 * average + (1 - BETA_2) * g**2  # the same name again
    return p - rate * g / (np.sqrt(average) + 1e-7)


def two_names(p, g, memory, rate):
    memory["v"] = BETA_2 * memory.get("v", 0.0) + (1 - BETA_2) * g**2
    return p - rate * g / (np.sqrt(memory["v"]) + 1e-7)  # m would be computed, and never used


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    printed = as_printed(np.ones(2), np.array([-10.0, 10.0]), {}, rate=0.1)
print("as printed, gradients -10 and 10: the point becomes", printed.round(2), "·", caught[0].message)
start = np.ones(2)
lengths = {rule.__name__: abs(rule(start, np.ones(2), {}, rate=0.1) - start)[0] / 0.1 for rule in (two_names, adam)}
assert np.isnan(printed[0]) and 31 < lengths["two_names"] < 32
print("first step, in rates:", {name: round(float(length), 1) for name, length in lengths.items()})

# %% [markdown]
# The same name for both puts a negative number under the root. With two names the first step is 32 rates long (no
# correction), and the direction is never averaged. Take the slope 0.1 under noise of size 1: how often does a step go
# uphill?

# %%
uphill, walked = {}, {}
for rule in (two_names, adam):
    random, p, memory, changes = np.random.default_rng(0), np.zeros(1_000), {}, []
    for _ in range(1_000):
        new = rule(p, 0.1 + random.normal(size=1_000), memory, rate=0.01)
        changes.append(new - p)
        p = new
    late = np.array(changes[200:])  # (steps, parameters), after the start
    uphill[rule.__name__], walked[rule.__name__] = np.mean(late > 0), np.mean(abs(late)) / -np.mean(late)
    share = f"{uphill[rule.__name__]:.0%} of the steps go uphill"
    print(f"{rule.__name__:9}: {share}; all steps together are {walked[rule.__name__]:.1f} times the way forward")
assert 0.45 < uphill["two_names"] < 0.47 and 0.32 < uphill["adam"] < 0.34
assert 7 < walked["two_names"] < 9 and 1.9 < walked["adam"] < 2.1

# %% [markdown]
# Two articles (a0, 3.2.3; a4, 3.2) call $\epsilon$ a regularisation term. A regulariser moves the goal. Does $\epsilon$?

# %%
for name, rule, settings in [
    ("epsilon 1e-7", adam, {"epsilon": 1e-7}),
    ("epsilon 0.1", adam, {"epsilon": 0.1}),
    ("decay 0.1", adamw, {"decay": 0.1}),
]:
    end = descend(rule, "Rosenbrock", 5_000, rate=0.05, **settings)[-1]
    print(f"{name:12} ends at", end.round(2))
    assert np.allclose(end, 1, atol=1e-3) == (rule is adam)
with np.errstate(invalid="ignore"):
    print("gradient 0, epsilon 0:   ", adam(1.0, np.float64(0.0), {}, rate=0.1, epsilon=0.0))
print("gradient 0, epsilon 1e-7:", adam(1.0, np.float64(0.0), {}, rate=0.1))

# %% [markdown]
# **Right:** $\hat m$ in the numerator, $m$ and $v$ in two variables, both corrected. $\epsilon$ is numerical: it
# prevents $0/0$, and even 0.1 leaves the goal where it is; decay moves it.
#
# ### 04-2 · The average that was overwritten
# In this article (a4, 5.2) the formula is right, but the program stores the corrected value back into the running average:

# %%
X, y = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]), np.array([1.0, 3.0, 5.0])


def fit(epochs, store_back):
    theta, m, v = np.zeros(2), np.zeros(2), np.zeros(2)
    for t in range(1, epochs + 1):
        g = 2 / 3 * X.T @ (X @ theta - y)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        if store_back:
            m, v = m_hat, v_hat  # the fault
        theta = theta - 0.01 * m_hat / (np.sqrt(v_hat) + 1e-7)  # epsilon as in the article
    return theta, np.mean((X @ theta - y) ** 2), v


# %%
for epochs, right in [(10, 7.712), (100, 0.14303), (1000, 0.142857)]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        theta, wrong_loss, v = fit(epochs, store_back=True)
    _, right_loss, _ = fit(epochs, store_back=False)
    print(f"{epochs:4} epochs, right:       loss {right_loss:.6f}")
    print(f"{epochs:4} epochs, stored back: loss {wrong_loss:.3f}, theta {theta.round(5)}, largest v {v.max():.0e}")
    for message in sorted({str(warning.message) for warning in caught}):
        print("     warning:", message)
    assert np.allclose(theta, 0.01287, atol=1e-5) and abs(wrong_loss - 11.107) < 5e-4
    assert abs(right_loss - right) < 5e-5 * right and v.max() > 1e20
assert np.isinf(v).all() and "overflow" in str(caught[0].message)

# %% [markdown]
# $v$ is divided by about $0.001\,t$ again and again: it explodes, and the step dies. Ten epochs or a thousand, the
# program stands at 0.01287, without an error. One warning comes, far too late.
#
# **Right:** keep $m$ and $v$, correct into new names, as `adam` above does.
#
# ### 04-5 · "Combines gradient descent and RMSprop"
# So the article (a4, 3.2) introduces Adam. Its next sentence names the moving average of the gradient, and its formula is
# right. What is lost if one remembers the first sentence only? RMSprop *is* gradient descent with scaled steps. Take the
# first moment out of Keras's Adam with `beta_1=0`:


# %%
def corrected_rmsprop(p, g, memory, rate, rho=BETA_1):
    t = memory["t"] = memory.get("t", 0) + 1
    return rmsprop(p, g, memory, rate * np.sqrt(1 - rho**t), rho, epsilon=0.0)


without_m = keras_path(keras.optimizers.Adam(0.25, beta_1=0.0, beta_2=BETA_1, epsilon=1e-10))
assert np.allclose(without_m, descend(corrected_rmsprop, rate=0.25), rtol=0, atol=1e-6)
print("Adam with beta_1 = 0 is RMSprop with bias correction, step by step, to 0.000001")
for beta_1 in [0.0, 0.9]:
    end = descend(adam, "Rosenbrock", 1_000, rate=0.03, beta_1=beta_1, beta_2=0.9)[-1]
    distance = np.linalg.norm(end - 1)
    print(f"beta_1 = {beta_1}: after 1,000 steps {distance:.1f} away from Rosenbrock's lowest point")
    assert (distance > 0.3) == (beta_1 == 0)

# %% [markdown]
# **Right:** Adam = momentum + RMSprop + bias correction. The momentum, which the first sentence leaves out, makes the
# difference here.
#
# ## Recap
#
# - Momentum adds up what points the same way: $1 / (1 - \beta)$ times longer steps.
# - A running average with $\beta$ = 0.9, 0.99, 0.999 holds half of its weight on 7, 69, 693 gradients.
# - RMSprop divides by the gradient's usual size. Adam adds momentum, and corrects a start that would be 3.2 rates long.
# - Adam's step does not depend on the scale of each parameter's gradient: 213 steps on both ravines along the axes, 82 %
#   with both losses. On a turned ravine it pays for the steepness.
# - AdamW shrinks all weights alike; L2 under Adam does not.
# - Correct into a new name. Chapter 04c lets the optimizers race on Fashion-MNIST.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("optimizers.first_steps")

# %% tags=["quiz"]
ck.quiz("optimizers.scale")

# %% tags=["quiz"]
ck.quiz("optimizers.parts")

# %% tags=["quiz"]
ck.quiz("optimizers.decay")

# %% [markdown]
# ### References
#
# - Polyak (1964). Some methods of speeding up the convergence of iteration methods. USSR Comput. Math. Math. Phys.
# - Nesterov (1983). A method for solving the convex programming problem with convergence rate O(1/k²). Sov. Math. Dokl.
# - Duchi, Hazan, Singer (2011). Adaptive subgradient methods for online learning and stochastic optimization. JMLR.
# - Tieleman, Hinton (2012). Lecture 6.5: RMSprop. Coursera, Neural networks for machine learning.
# - Kingma, Ba (2015). Adam: a method for stochastic optimization. ICLR. arXiv:1412.6980
# - Loshchilov, Hutter (2019). Decoupled weight decay regularization. ICLR. arXiv:1711.05101
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("optimizers")
