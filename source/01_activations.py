# ---
# title: Activations
# promise: You will know what an activation function does to a network, write eight of them, and choose one from measurements.
# minutes: 75
# prerequisites: []
# data: [fashion_mnist]
# articles: [a0 3.1, a2 2]
# clinic: [01-1, 01-2]
# topic: activations
# ---

# %% [markdown]
# **What you will be able to do**
#
# - compute a neuron (神经元) and a layer by hand, and count their parameters (参数);
# - write sigmoid, tanh, ReLU, leaky ReLU, ELU, GELU, SiLU and softmax so that they survive large numbers;
# - measure vanishing gradients and dead units in a network;
# - choose the activation function (激活函数) of a hidden layer and of an output layer, and give the reason.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## One line of code, 10 % or 88 %
#
# A published experiment trains one network on pictures of clothes several times. Only the activation function changes.
# With ReLU it names 88.6 % of the test pictures rightly, with tanh 87.6 %.
# With sigmoid it stays at 10.0 %, which is what guessing gives: there are ten classes
# (University of Amsterdam, Deep Learning tutorial 3).
#
# So why does sigmoid fail there? At the end of this chapter you will have made it fail, and cured it in two ways.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

(x_train, y_train), (x_test, y_test) = ck.data.fashion_mnist(train=12_000, test=10_000)
class_names = ck.data.card("fashion_mnist")["classes"]
x_train = x_train.reshape(-1, 784).astype("float32") / 255  # (examples, pixels), 0 is black, 1 is white
x_test = x_test.reshape(-1, 784).astype("float32") / 255
print(f"{len(x_train):,} pictures to train, {len(x_test):,} to test, {x_train.shape[1]} pixels each")

# %%
figure, axes = plt.subplots(1, 10, figsize=(10, 1.6))
for label, axis in enumerate(axes):
    axis.imshow(x_train[y_train == label][0].reshape(28, 28))
    axis.set_title(class_names[label], fontsize=8)
    axis.axis("off")
ck.show(figure, alt="One grey picture of each of the ten classes, from T-shirt to ankle boot")

# %% [markdown]
# ## A neuron
#
# A neuron weighs its inputs, adds a bias (偏置) and bends the sum with an activation function $f$. A layer does this for
# many neurons at once. As in Keras, the rows of $x$ are examples:
#
# $$ a = f(x W + b), \qquad x: (n, p), \quad W: (p, u), \quad b: (u,), \quad a: (n, u) $$
#
# The parameters are the weights (权重) $W$ **and** the biases $b$: $p \cdot u + u$ numbers.
# **Before you run the next cell, guess:** how many parameters has a layer of 3 neurons on our 784 pixels?

# %%
random = np.random.default_rng(0)
W = random.normal(0, 0.05, (784, 3)).astype("float32")  # (pixels, units)
b = np.array([-0.5, 0.0, 0.5], "float32")  # (units,)
by_hand = np.tanh(x_train[:5] @ W + b)  # (5, 3)

layer = layers.Dense(3, activation="tanh")
layer.build((None, 784))
layer.set_weights([W, b])
by_keras = ops.convert_to_numpy(layer(x_train[:5]))

assert np.allclose(by_hand, by_keras, atol=1e-6)
print(f"parameters: {layer.count_params():,}")
assert layer.count_params() == 784 * 3 + 3

# %% [markdown]
# ## Why bend at all?
#
# Take $f$ away. Two layers then compute $(x W_1 + b_1) W_2 + b_2 = x (W_1 W_2) + (b_1 W_2 + b_2)$: one layer with other
# numbers in it. The cell shows it for three.

# %%
sizes = [784, 64, 32, 10]
stack = [(random.normal(0, 0.05, (i, o)), random.normal(0, 1, o)) for i, o in zip(sizes, sizes[1:], strict=False)]

deep = x_train[:100]
W_all, b_all = np.eye(784), np.zeros(784)
for W_one, b_one in stack:
    deep = deep @ W_one + b_one
    W_all, b_all = W_all @ W_one, b_all @ W_one + b_one
shallow = x_train[:100] @ W_all + b_all

print("one matrix of shape", W_all.shape, "replaces three layers")
assert np.allclose(deep, shallow)

# %% [markdown]
# Without a bend, depth buys nothing.
#
# ## Eight functions
#
# | Name | Formula | Range |
# |---|---|---|
# | sigmoid | $\sigma(x) = 1 / (1 + e^{-x})$ | 0 to 1 |
# | tanh | $(e^x - e^{-x}) / (e^x + e^{-x})$ | −1 to 1 |
# | ReLU | $\max(0, x)$ | 0 and above |
# | leaky ReLU | $x$ if $x \ge 0$, else $0.2\,x$ | all numbers |
# | ELU | $x$ if $x \ge 0$, else $e^x - 1$ | above −1 |
# | GELU | $x\,\Phi(x)$, $\Phi$ the normal distribution function | above −0.17 |
# | SiLU (swish) | $x\,\sigma(x)$ | above −0.28 |
# | softmax | $e^{x_i} / \sum_j e^{x_j}$ | 0 to 1, each row sums to 1 |

# %%
from scipy import special

formulas = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
    "relu": lambda x: np.maximum(0, x),
    "leaky_relu": lambda x: np.where(x >= 0, x, 0.2 * x),
    "elu": lambda x: np.where(x >= 0, x, np.exp(x) - 1),
    "gelu": lambda x: x * (1 + special.erf(x / np.sqrt(2))) / 2,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
}

x = np.linspace(-5, 5, 1_000).reshape(10, 100)
for name, formula in formulas.items():
    keras_value = ops.convert_to_numpy(keras.activations.get(name)(ops.convert_to_tensor(x)))
    assert np.allclose(formula(x), keras_value, atol=1e-6), name
print(f"{len(formulas)} formulas agree with Keras to 0.000001")

# %% [markdown]
# The slope (derivative) matters as much as the value: while a network learns, each layer multiplies what it passes back by
# the slope of its activation function. We let TensorFlow compute the slopes.

# %%
import tensorflow as tf


def slope(name, x):
    """Derivative of an elementwise activation at each entry of `x`, same shape."""
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = keras.activations.get(name)(x)
    return tape.gradient(y, x).numpy()


elementwise = [name for name in formulas if name != "softmax"]
grid = np.linspace(-6, 6, 601)
sigma = formulas["sigmoid"](grid)
assert np.allclose(slope("sigmoid", grid), sigma * (1 - sigma))  # the textbook derivative
print("largest slope:", {name: round(float(slope(name, grid).max()), 2) for name in elementwise})

# %% [markdown]
# Sigmoid passes back **at most a quarter** of what reaches it.

# %%
figure, axes = plt.subplots(2, 4, figsize=(10, 4.6), sharex=True)
for name, axis in zip(elementwise, axes.flat, strict=False):
    axis.plot(grid, formulas[name](grid), label="value")
    axis.plot(grid, slope(name, grid), "--", label="slope")
    axis.set(title=name, ylim=(-1.3, 2.5), xlabel="x (input)", ylabel="output")
axes.flat[0].legend(fontsize=8)
axes.flat[-1].axis("off")
ck.show(
    figure,
    alt="Seven activation functions and their slopes from -6 to 6: the slopes of sigmoid and tanh fade at both ends",
)

# %% [markdown]
# Where the slope is nearly zero a unit is **saturated** (饱和): it hardly reacts, and hardly learns. Move the sliders.
# Which functions saturate on both sides, which on one, which on none?


# %%
def tangent(activation, input):
    figure, axis = plt.subplots(figsize=(7, 3.6))
    steepness = slope(activation, np.array([input]))[0]
    value = formulas[activation](np.array([input]))[0]
    saturated = np.abs(slope(activation, grid)) < 0.05
    axis.fill_between(grid, -2, 4, where=saturated, color="C4", alpha=0.25, label="saturated: slope within ±0.05")
    axis.plot(grid, formulas[activation](grid), label=activation)
    axis.plot(grid, value + steepness * (grid - input), "--", label="tangent")
    axis.plot(input, value, "o", color="black")
    axis.set(ylim=(-2, 4), xlabel="x (input)", ylabel="output", title=f"slope {steepness:.2f} at x = {input:g}")
    axis.legend(loc="upper left", fontsize=8)
    return figure


ck.explore(
    tangent,
    alt="An activation function with its tangent; the zones where it is saturated are shaded",
    activation=["tanh", "relu", "leaky_relu", "sigmoid", "elu", "gelu", "silu"],
    input=np.arange(-5, 5.5, 0.5),
)

# %% [markdown]
# ### Exercise 1.1 · ●○○ · 5 minutes
# Write `relu_gradient(x)`: the slope of ReLU at each entry of the array `x`. At exactly 0 take 0, as Keras does.
# No loop is needed.


# %% tags=["exercise"]
def relu_gradient(x):
    ### BEGIN SOLUTION
    return np.where(x > 0, 1.0, 0.0)
    ### END SOLUTION


# %% tags=["check"]
ck.check("activations.relu_gradient", relu_gradient)

# %% [markdown]
# ## Numbers that are too large
#
# The formulas above are right on paper. A computer holds numbers only up to a limit: $e^{1000}$ is too large for it.
# **Guess first:** what do the formulas of tanh and softmax give at 1000?

# %%
import warnings

for name, value in [("sigmoid", [-1000.0]), ("tanh", [1000.0]), ("softmax", [0.0, 1000.0])]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = formulas[name](np.array(value))
    by_keras = ops.convert_to_numpy(keras.activations.get(name)(ops.array([value])))[0]
    print(f"{name:8} at {value}: formula {result}, Keras {by_keras}, warning: {caught[0].message}")

# %% [markdown]
# Sigmoid comes out right with a warning; tanh and softmax give `nan`, *not a number*, and one `nan` spoils every weight
# that it meets. The cure is algebra: never let $e$ have a large positive exponent.
#
# ### Exercise 1.2 · ●●○ · 8 minutes
# Write `stable_tanh(x)` from `np.exp`, without `np.tanh`, so that it holds from −1000 to 1000. Divide numerator and
# denominator by $e^{|x|}$ and look which exponents are left.


# %% tags=["exercise"]
def stable_tanh(x):
    ### BEGIN SOLUTION
    small = np.exp(-2 * np.abs(x))  # between 0 and 1
    return np.sign(x) * (1 - small) / (1 + small)
    ### END SOLUTION


# %% tags=["check"]
ck.check("activations.stable_tanh", stable_tanh)

# %% [markdown]
# ### Exercise 1.3 · ●●○ · 8 minutes
# Write `softmax(x)` for an array of shape `(examples, classes)`, with rows that sum to 1, so that it survives ±1000.
# Softmax does not change when the same number is subtracted from all entries of a row. Which number helps?


# %% tags=["exercise"]
def softmax(x):
    ### BEGIN SOLUTION
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
    ### END SOLUTION


# %% tags=["check"]
ck.check("activations.softmax", softmax)

# %% [markdown]
# ## Outputs that are never negative
#
# Sigmoid has a second weakness: its outputs are all positive, so they are not *zero-centred*. The gradient of a weight is
# the layer's input times an error that all weights of the unit share. If all inputs are positive, all weights of a unit
# must grow together, or shrink together. We look at the gradient of one unit, behind sigmoid and behind tanh.

# %%
for name in ["sigmoid", "tanh"]:
    keras.utils.set_random_seed(0)
    hidden = layers.Dense(64, activation=name)(x_train[:1])  # (1, 64)
    unit = layers.Dense(1)
    with tf.GradientTape() as tape:
        error = (unit(hidden) - 1.0) ** 2
    gradient = tape.gradient(error, unit.kernel.value).numpy()  # (64, 1)
    same = max(np.mean(gradient > 0), np.mean(gradient < 0))
    print(f"{name:8} mean output {abs(hidden.numpy().mean()):.1f}, weights that move the same way: {same:.0%}")
    assert (same == 1) == (name == "sigmoid")

# %% [markdown]
# ## Gradients that vanish
#
# Ten layers, each of 100 units, before any training. One batch goes forward, the gradient comes back, and we note its size
# in each layer: the root of its mean square. The starting weights are drawn in two ways, Glorot's and He's
# (He's are larger, made for ReLU). **Guess:** how much smaller is sigmoid's gradient in layer 1 than in layer 10?

# %%
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def gradient_sizes(activation, initializer):
    """Root mean square of the gradient of the weights in each of ten hidden layers, shape (10,)."""
    keras.utils.set_random_seed(0)
    hidden = [layers.Dense(100, activation, kernel_initializer=initializer) for _ in range(10)]
    network = keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(10)])
    with tf.GradientTape() as tape:
        value = loss(y_train[:512], network(x_train[:512]))
    gradients = tape.gradient(value, [layer.kernel.value for layer in hidden])
    return np.array([np.sqrt(np.mean(gradient.numpy() ** 2)) for gradient in gradients])


# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
ratio = {}
for axis, initializer in zip(axes, ["glorot_uniform", "he_normal"], strict=True):
    for name, marker in zip(elementwise, "os^vDPX", strict=True):
        sizes = gradient_sizes(name, initializer)
        ratio[name, initializer] = sizes[0] / sizes[-1]
        axis.semilogy(range(1, 11), sizes, marker=marker, label=name)
    axis.set(title=initializer, xlabel="layer (1 is next to the picture)", ylabel="size of the gradient")
axes[1].legend(fontsize=8, ncol=2)
ck.show(
    figure,
    alt="Gradient size by layer, logarithmic: sigmoid loses five powers of ten from layer 10 to layer 1, the others stay level",
)

# %%
for name in elementwise:
    cells = [f"{initializer} {ratio[name, initializer]:8.0e}" for initializer in ["glorot_uniform", "he_normal"]]
    print(f"{name:10} layer 1 / layer 10:  {'   '.join(cells)}")
assert 1e-6 < ratio["sigmoid", "glorot_uniform"] < 4e-6 and 1e-5 < ratio["sigmoid", "he_normal"] < 4e-5
assert all(0.1 < value < 10 for (name, _), value in ratio.items() if name != "sigmoid")

# %% [markdown]
# Behind ten sigmoids about one part in 500,000 is left (one in 50,000 with He's start). The first layer, which sees the
# picture, learns next to nothing. The other six keep their gradient within a factor of ten, whatever the start.
#
# ### Exercise 1.4 · ●○○ · 4 minutes
# Write `largest_share(layers)`: the largest part of a gradient that can pass back through the activations of `layers`
# sigmoid layers, if the weights neither shrink nor stretch it.


# %% tags=["exercise"]
def largest_share(layers):
    ### BEGIN SOLUTION
    return 0.25**layers
    ### END SOLUTION


# %% tags=["check"]
ck.check("activations.largest_share", largest_share)

# %% [markdown]
# ## Units that die
#
# ReLU has its own illness. A unit whose input is negative for *every* picture puts out 0, has slope 0 and never changes
# again: it is **dead**. One step that is too large can push units there. We take one step of size 0.1 or 10 on all pictures,
# then train for two epochs with small steps. How many units of the first layer have a negative input for every picture,
# right after the first step, and at the end? For comparison: leaky ReLU.


# %%
def small_network(activation):
    """784 pixels, two hidden layers, ten logits; the same starting weights every time."""
    keras.utils.set_random_seed(0)
    hidden = [layers.Dense(256, activation), layers.Dense(128, activation)]
    return keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(10)])


def train(label, network, optimizer, epochs, pixels=x_train, batch_size=128):
    network.compile(optimizer, loss, metrics=["accuracy"], steps_per_execution=47)
    network.fit(pixels, y_train, batch_size, epochs, verbose=0, callbacks=[ck.LiveProgress(label)])


def test_accuracy(network, pixels=x_test):
    """Share of the test pictures whose largest logit is at the right class."""
    return np.mean(network(pixels).numpy().argmax(axis=-1) == y_test)


# %%
def negative_units(network):
    """Which units of the first layer have a negative input for every training picture, shape (256,)."""
    return network.layers[0](x_train).numpy().max(axis=0) <= 0


dead, learned = {}, {}
for name, step in [("relu", 0.1), ("relu", 10.0), ("leaky_relu", 10.0)]:
    network = small_network(name)
    variables = network.trainable_variables
    with tf.GradientTape() as tape:
        value = loss(y_train, network(x_train))
    gradients = tape.gradient(value, [variable.value for variable in variables])
    keras.optimizers.SGD(step).apply(gradients, variables)  # the one step
    before = negative_units(network)
    network.compile(keras.optimizers.SGD(0.1), loss, steps_per_execution=47)
    network.fit(x_train, y_train, batch_size=128, epochs=2, verbose=0)
    still = before & negative_units(network)
    dead[name, step], learned[name, step] = (before.sum(), still.sum()), test_accuracy(network)
    at_the_end = "all of them" if np.array_equal(before, still) else "less than a quarter of them"
    print(
        f"{name:10} first step {step:4g}: {before.sum():2} of 256 negative for every picture, {at_the_end} at the end"
    )

# %%
assert dead["relu", 0.1] == (0, 0)
assert dead["relu", 10.0][0] == dead["relu", 10.0][1] and 50 < dead["relu", 10.0][0] < 60
assert 40 < dead["leaky_relu", 10.0][0] > 4 * dead["leaky_relu", 10.0][1]
assert learned["relu", 0.1] - learned["relu", 10.0] > 0.05

# %% [markdown]
# One step killed about a fifth of the layer, and not one unit came back: the pictures never change, and no gradient reaches
# those weights. The net learns with what is left, and learns worse. Leaky ReLU's units have a slope on the left, and most
# came back.
#
# ### Exercise 1.5 · ●●○ · 6 minutes
# Write `dead_units(activations)`: how many units of a ReLU layer are dead, given its outputs of shape `(examples, units)`.


# %% tags=["exercise"]
def dead_units(activations):
    ### BEGIN SOLUTION
    return np.sum(np.all(activations == 0, axis=0))
    ### END SOLUTION


# %% tags=["check"]
ck.check("activations.dead_units", dead_units)

# %% [markdown]
# ## Seven activations, one network
#
# Now the experiment of the beginning, at our size: the same two-layer net, start and data, 12,000 pictures, three epochs
# of Adam. **Before you run it, guess the order.** Will sigmoid stay at 10 %?

# %%
accuracy = {}
for name in elementwise:
    network = small_network(name)
    train(name, network, "adam", epochs=3)
    accuracy[name] = test_accuracy(network)

# %%
published = {"sigmoid": 10.0, "tanh": 87.6, "relu": 88.6, "leaky_relu": 88.9, "elu": 87.3, "silu": 88.7}
print("activation    here   published")
for name in elementwise:
    print(f"{name:12} {accuracy[name]:5.0%}   {published.get(name, '–'):>7}")
assert 0.75 < accuracy["sigmoid"]
others = [value for name, value in accuracy.items() if name != "sigmoid"]
assert 0.82 < min(others) and max(others) < 0.87 and max(others) - min(others) < 0.03

# %% [markdown]
# The six others lie within three points of each other. One run each cannot rank them (chapter 04c uses
# several seeds). And sigmoid learns. So what differs from the published run?
#
# | | published | here |
# |---|---|---|
# | hidden layers | 512, 256, 256, 128 | 256, 128 |
# | optimizer | SGD, rate 0.01, momentum 0.9 | Adam, rate 0.001 |
# | starting weights | uniform, $\pm 1/\sqrt{p}$ | Glorot |
# | pixels | −1 to 1 | 0 to 1 |
# | data, batch, epochs | 50,000, 256, up to 50 | 12,000, 128, 3 |
#
# ## Why it failed there
#
# We rebuild the published net, then change **one thing at a time**.


# %%
def published_network(hidden=(512, 256, 256, 128), start=None):
    keras.utils.set_random_seed(0)

    def dense(units, activation=None):
        # uniform in ±1/√p, p inputs: a variance of 1/(3p)
        initializer = start or keras.initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")
        return layers.Dense(units, activation, kernel_initializer=initializer)

    return keras.Sequential([keras.Input((784,)), *(dense(units, "sigmoid") for units in hidden), dense(10)])


def sgd():
    return keras.optimizers.SGD(0.01, momentum=0.9)


changes = {
    "as published": (published_network(), sgd(), -1),
    "Glorot start": (published_network(start="glorot_uniform"), sgd(), -1),
    "pixels 0 to 1": (published_network(), sgd(), 0),
    "two layers": (published_network(hidden=(256, 128)), sgd(), -1),
    "Adam": (published_network(), "adam", -1),
}

# %%
reached = {}
for change, (network, optimizer, darkest) in changes.items():
    train(change, network, optimizer, 4, pixels=x_train * (1 - darkest) + darkest, batch_size=256)
    reached[change] = test_accuracy(network, x_test * (1 - darkest) + darkest)

# %%
for change, value in reached.items():
    print(f"{change:14} {value:5.0%}")
assert all(abs(reached[name] - 0.1) < 0.005 for name in ["as published", "Glorot start", "pixels 0 to 1"])
assert reached["two layers"] > 0.3 and reached["Adam"] > 0.55

# %% [markdown]
# Starting weights and pixels change nothing. **Fewer layers or another optimizer** set it free: with two layers less the
# gradient vanishes less, and Adam makes each weight's step independent of how small its gradient is (chapter 04b).
# Sigmoid fails there because a deep stack of sigmoids meets an optimizer whose step shrinks with the gradient.
#
# ### Exercise 1.6 · ●●● · 12 minutes
# Write `build_network(activation)`: a compiled Keras model for pictures of shape `(batch, 784)`, with two hidden layers of
# 64 units, the given activation, and ten logits (no activation at the output). Compile it with Adam and the loss `loss`.
# The check trains it for a few steps.


# %% tags=["exercise"]
def build_network(activation):
    ### BEGIN SOLUTION
    network = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(64, activation),
            layers.Dense(64, activation),
            layers.Dense(10),
        ]
    )
    network.compile("adam", loss)
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("activations.build_network", build_network)

# %% [markdown]
# ## The last layer is another matter
#
# In a hidden layer we ask what learns well. At the output we ask what the number means: a probability, one of several
# classes, any real number. ReLU at the output can never say a negative number; tanh can never say 5.
#
# ### Exercise 1.7 · ●●○ · 5 minutes
# Write `output_activation(task)`. It gets one of `"temperature"` (degrees Celsius), `"spam"` (the probability that a
# mail is spam), `"digit"` (which of ten digits, as probabilities) or `"tags"` (for each of 20 tags the probability that a
# picture has it; several may hold) and returns the Keras name: `"linear"`, `"sigmoid"`, `"softmax"` or `"tanh"`.


# %% tags=["exercise"]
def output_activation(task):
    ### BEGIN SOLUTION
    return {"temperature": "linear", "spam": "sigmoid", "digit": "softmax", "tags": "sigmoid"}[task]
    ### END SOLUTION


# %% tags=["check"]
ck.check("activations.output_activation", output_activation)

# %% [markdown]
# ## Article clinic
#
# ### 01-1 · "ReLU is a linear function, usually for multi-class problems"
# The article calls ReLU linear, and gives sigmoid and tanh to binary classification. A linear function obeys
# $f(u + v) = f(u) + f(v)$. Let us ask ReLU, and let us ask tanh for a probability.

# %%
relu = formulas["relu"]
print("relu(-1 + 2) =", relu(-1.0 + 2.0), "  relu(-1) + relu(2) =", relu(-1.0) + relu(2.0))
assert relu(-1.0 + 2.0) != relu(-1.0) + relu(2.0)

linear_network = small_network("linear")
train("linear", linear_network, "adam", epochs=1)
print(
    "tanh(-2) =",
    round(float(np.tanh(-2.0)), 2),
    "  softmax row sums to",
    special.softmax([2.0, -1.0, 0.5]).sum().round(6),
)
assert np.tanh(-2.0) < 0
(W1, b1), (W2, b2), (W3, b3) = (layer.get_weights() for layer in linear_network.layers)
one_layer = x_test[:100] @ (W1 @ W2 @ W3) + (b1 @ W2 + b2) @ W3 + b3
assert np.allclose(one_layer, linear_network(x_test[:100]), atol=1e-3)

# %% [markdown]
# **Right:** ReLU is linear in pieces, with a bend at 0, and that bend is all that a network needs. It is a choice for
# *hidden* layers of any task. A net with truly linear units, trained above, is one matrix. For several classes the *output*
# is softmax, for two it is sigmoid. Tanh gives negative numbers: no probability.
#
# ### 01-2 · "The parameters are the weights of the connections"
# Keras counts more.

# %%
dense = layers.Dense(10)
dense.build((None, 64))
print({variable.name: tuple(variable.shape) for variable in dense.weights}, "parameters:", dense.count_params())
assert dense.count_params() == 64 * 10 + 10

# %% [markdown]
# **Right:** weights and biases. Without $b$ every neuron's bend would be nailed to the same place.
#
# ## Recap
#
# - Without activation functions, layers collapse to one matrix.
# - Sigmoid passes back at most a quarter per layer and is not zero-centred; ReLU passes all or nothing, and can die.
# - Tanh, ReLU and its relatives were within three points of each other here; depth and optimizer decided over sigmoid.
# - Hidden layers: start with ReLU, or with GELU or SiLU in deep nets. Output: what the number must mean.
# - Exponentials overflow: use the stable forms, or Keras's own.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("activations.collapse")

# %% tags=["quiz"]
ck.quiz("activations.quarter")

# %% tags=["quiz"]
ck.quiz("activations.dead")

# %% tags=["quiz"]
ck.quiz("activations.cure")

# %% [markdown]
# ### References
#
# - Glorot, Bengio (2010). Understanding the difficulty of training deep feedforward neural networks. AISTATS.
# - Nair, Hinton (2010). Rectified linear units improve restricted Boltzmann machines. ICML.
# - Maas, Hannun, Ng (2013). Rectifier nonlinearities improve neural network acoustic models. ICML workshop.
# - He, Zhang, Ren, Sun (2015). Delving deep into rectifiers. ICCV. arXiv:1502.01852
# - Clevert, Unterthiner, Hochreiter (2016). Fast and accurate deep network learning by exponential linear units. ICLR. arXiv:1511.07289
# - Hendrycks, Gimpel (2016). Gaussian error linear units. arXiv:1606.08415
# - Ramachandran, Zoph, Le (2017). Searching for activation functions. arXiv:1710.05941
# - Lippe (2020 and on). UvA Deep Learning Tutorials, tutorial 3: the published row.
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("activations")
