# ---
# title: Start here
# promise: You will know how a chapter works, warm up in arrays and slopes, and see a layer find better features than ours.
# built: You had your first answers checked, measured a slope, and trained a layer that finds its own features.
# minutes: 30
# prerequisites: []
# data: [digits, fashion_mnist]
# articles: [a0 2, a1 6, a3 2, a4 7]
# clinic: []
# topic: start
# ignored: ["the doctor's report tells of this machine"]
# ---

# %% [markdown]
# **What you will be able to do**
#
# - run a chapter, solve an exercise, ask for a hint, and find your progress again;
# - read the notation of the course, and compute with arrays: shape, axis, broadcasting, matrix product, masks;
# - measure a slope, and say why the smallest step is not the best one;
# - say what deep learning adds to machine learning, from an experiment of your own.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## How a chapter works
#
# A chapter asks a question and answers it in small steps: a formula, NumPy, Keras, a trial on real data. Exercises come
# where their idea is met; a quiz and your to-do list end it. Click into the grey cell above and press **Shift +
# Enter**: it runs, and the next cell is chosen. Run the cells **from top to bottom**; if something looks strange,
# choose *Restart Kernel and Run All Cells* in the menu *Kernel*.
#
# Where the text says **Guess first**, decide on an answer before you run the cell. And change things: `Ctrl + Z`
# repairs a cell. The numbers in the text are checked: a line that begins with `assert` stops the chapter if it is not
# true.
#
# ## Is this machine ready?
#
# The doctor looks at Python, packages, memory, disk, device and data, and trains a small network. Each line says
# **OK**, or **PROBLEM** and what to do. A GPU is used when there is one; no chapter needs it. The environment variable
# `COURSE_DEVICE=cpu`, set before JupyterLab starts, keeps to the CPU.

# %% tags=["nbval-ignore-output"]
ck.doctor()

# %% [markdown]
# ## How exercises answer
#
# An exercise asks for a function. The cell below it checks what your function *does*, never how it is written, and
# gives one of three verdicts: **not attempted**, **not yet** or **correct**.
#
# Our first exercise will be `line(x, w, b)`: it shall return $w x + b$ for each number in the array `x`. Here are three
# poor answers, judged without a trace in your progress. **Guess first:** what is wrong with each?


# %%
def untouched(x, w, b): ...


def prints_only(x, w, b):
    print(x * w + b)


def short_of_b(x, w, b):
    return x * w


for attempt in [untouched, prints_only, short_of_b]:
    verdict = ck.verdict("start.line", attempt)
    print(f"{attempt.__name__}: {verdict}")
assert verdict.startswith("not yet") and "b was left out" in verdict

# %% [markdown]
# A *not yet* names the input, what was expected, what came, and often the misunderstanding behind it. It costs nothing.
# When you are stuck: each call of `ck.hint` shows one hint more; `ck.solution` waits for three tries, or opens at once
# with `now=True`.

# %%
ck.hint("start.line")
ck.solution("start.line")

# %% [markdown]
# ### Exercise 0.1 · A straight line · ●○○ · 2 minutes
# Now rightly: write `line(x, w, b)`. Replace the dots by your code, run the cell, then run the check below it.
# One to three black dots in a title tell how hard an exercise is.


# %% tags=["exercise"]
def line(x, w, b):
    ### BEGIN SOLUTION
    return x * w + b
    ### END SOLUTION


# %% tags=["check"]
ck.check("start.line", line)

# %% [markdown]
# ## Where your work is kept
#
# `make lab` opens the folder `workspace/`: work there. Your verdicts are in `workspace/progress.json`, on this machine
# only: the chapters need no network. Nothing that you wrote is overwritten: when a chapter changes, the new one appears
# beside yours, e.g. as `00_start_here.new.ipynb`.
#
# | You call | and get |
# |---|---|
# | `ck.progress()` | all chapters at a glance, and your next step; `progress.ipynb` is a page for it |
# | `ck.progress("start")` | the list of one chapter |
# | `ck.quiz("start.axis")` | a question; a click on a choice says whether it is right, and why |
# | `ck.reset("start.line")` | this exercise once more, its verdict forgotten |
# | `ck.reset("00_start_here")` | a fresh chapter; yours is kept under a name with the date |
#
# ## The course
#
# | Chapter | Question |
# |---|---|
# | 00 Start here | How does this work? |
# | 01 Activations | What bends a network, and what if it bends too much? |
# | 02 Losses | What does "wrong" mean, as a number? |
# | 03 Back-propagation | Which way must each weight move? |
# | 04a Gradient descent | How far? |
# | 04b From momentum to Adam | How does a step learn from the steps before? |
# | 04c Choosing an optimizer | Which one, on real pictures? |
# | 05 to 06 | May I trust a score, and what closes the gap between training and test? |
# | 07 to 09 | Which network for tables, pictures, sequences and text? |
# | 10 to 12 | How does attention become a Transformer, and a Transformer a large model? |
# | 13 to 15 | How is a model trained by many, made small, and served? |
#
# The course grew from five Chinese articles about large models; a section *Article clinic* runs what they say and mends
# what does not hold.
#
# ## Warm-up 1: arrays
#
# Here are handwritten digits, 8 by 8 pixels, from 0 (no ink) to 16 (full ink). Can you read this one from its numbers?

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

(digits, labels), _ = ck.data.digits()
print("shape of all pictures:", digits.shape)  # (examples, rows, columns)
picture = digits[9]
print("shape of one picture: ", picture.shape)  # (rows, columns)
print(picture.astype(int))

# %% [markdown]
# `axis` names the axis that **disappears**. The mean over axis 0 of a picture runs down each column: one number per
# column. Over axis 1 it leaves one number per row. **Guess first:** which shapes do these four means have?

# %%
print("one picture, axis 0:     ", picture.mean(axis=0).shape)
print("all pictures, axis 0:    ", digits.mean(axis=0).shape)  # the average picture
print("all pictures, axes 1, 2: ", digits.mean(axis=(1, 2)).shape)  # the ink of each picture
print("the same with keepdims:  ", digits.mean(axis=(1, 2), keepdims=True).shape)

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 3.2))
axes[0].imshow(picture, cmap="gray", vmin=0, vmax=16)
axes[0].set(title=f"a picture of a {labels[9]}", xlabel="column", ylabel="row")
axes[0].grid(False)
axes[1].barh(range(8), picture.mean(axis=1), color="C0")
axes[1].set(title="mean over axis 1", xlabel="mean ink (0 to 16)", ylabel="row")
axes[1].invert_yaxis()
axes[2].bar(range(8), picture.mean(axis=0), color="C1")
axes[2].set(title="mean over axis 0", xlabel="column", ylabel="mean ink (0 to 16)")
ck.show(
    figure, alt="A digit of 8 by 8 pixels, the mean ink of each of its rows, and the mean ink of each of its columns"
)

# %% [markdown]
# **Broadcasting** (广播): when two shapes differ, NumPy compares them from the right, and stretches an axis that has
# length 1 or is missing. That saves loops, and it can go wrong in silence: `(8, 8) - (8,)` gives each *column* one of
# the eight numbers, whatever you meant. We want each row of a picture to have the mean 0.

# %%
wrong = picture - picture.mean(axis=1)  # (8, 8) - (8,): no error
right = picture - picture.mean(axis=1, keepdims=True)  # (8, 8) - (8, 1)
print("rows have mean 0 without keepdims:", np.allclose(wrong.mean(axis=1), 0))
print("rows have mean 0 with keepdims:   ", np.allclose(right.mean(axis=1), 0))
assert np.allclose(right.mean(axis=1), 0) and not np.allclose(wrong.mean(axis=1), 0)

# %% [markdown]
# A comparison gives an array of True and False, a **mask**. A mask chooses examples; its mean is a share.

# %%
is_zero = labels == 0  # (examples,), True or False
print("zeros:", is_zero.sum(), "of", len(labels), f"pictures, that is {is_zero.mean():.0%}")
print("shape of the zeros:", digits[is_zero].shape)
middle = digits[:, 3:5, 3:5].mean(axis=(1, 2))  # (examples,), ink of the four pixels in the middle
print(f"ink in the middle: {middle[is_zero].mean():.1f} in zeros, {middle[~is_zero].mean():.1f} in the others")
assert middle[is_zero].mean() < 2 < 8 < middle[~is_zero].mean()

# %% [markdown]
# A zero is empty in the middle. One number that we thought of says much about a class: it is a **feature**.
#
# ### Exercise 0.2 · Rows that sum to 1 · ●○○ · 5 minutes
# Write `row_shares(x)`: divide each row of the array `x`, shape `(rows, columns)`, by the sum of that row, so that
# every row sums to 1. No loop is needed. (Chapter 01 builds softmax from this line.)


# %% tags=["exercise"]
def row_shares(x):
    ### BEGIN SOLUTION
    return x / x.sum(axis=1, keepdims=True)
    ### END SOLUTION


# %% tags=["check"]
ck.check("start.row_shares", row_shares)

# %% [markdown]
# ## The notation
#
# | Written | Meaning | In code |
# |---|---|---|
# | $x: (n, p)$ | $n$ examples, one in each **row**, with $p$ numbers each | `x.shape` |
# | $W: (p, u)$, $b: (u,)$ | weights and biases of a layer of $u$ units | `layer.kernel`, `layer.bias` |
# | $x W + b: (n, u)$ | matrix product, then $b$ is added to each row | `x @ W + b` |
# | $\lvert a \rvert$, $\lVert v \rVert$ | absolute value; length of a vector, $\sqrt{v_1^2 + v_2^2 + \dots}$ | `np.abs`, `np.linalg.norm` |
# | $\log$ | the natural logarithm, to the base $e$ | `np.log` |
# | $\partial L / \partial W$ | how fast the loss $L$, a number for "how wrong", changes with each weight: **the shape of $W$** | `tape.gradient` |
#
# In `x @ W` each entry is a row of `x` times a column of `W`, number by number, summed: `(n, p) @ (p, u)` gives `(n, u)`.
# With numbers:
#
# $$ \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \begin{pmatrix} 5 & 0 \\ 6 & 1 \end{pmatrix} =
# \begin{pmatrix} 1 \cdot 5 + 2 \cdot 6 & 1 \cdot 0 + 2 \cdot 1 \\ 3 \cdot 5 + 4 \cdot 6 & 3 \cdot 0 + 4 \cdot 1 \end{pmatrix} =
# \begin{pmatrix} 17 & 2 \\ 39 & 4 \end{pmatrix} $$
#
# The articles write $W x + b$: one example is a column, and the matrix is turned over. Both say the same, as the cell
# checks. It also meets TensorFlow's `GradientTape`, which writes down each computation and then returns the slopes of its
# result (chapter 03 builds such a thing).

# %%
import tensorflow as tf

product = np.array([[1, 2], [3, 4]]) @ np.array([[5, 0], [6, 1]])
assert product.tolist() == [[17, 2], [39, 4]]

random = np.random.default_rng(0)
x = random.normal(size=(5, 3)).astype("float32")  # (examples, inputs)
W = random.normal(size=(3, 2)).astype("float32")  # (inputs, units)
b = np.array([1.0, -1.0], "float32")  # (units,)
assert all(np.allclose((x @ W + b)[i], W.T @ x[i] + b, atol=1e-6) for i in range(5))  # row i = the articles' column

weights = tf.Variable(W)
with tf.GradientTape() as tape:
    loss = tf.reduce_mean((x @ weights + b) ** 2)
gradient = tape.gradient(loss, weights)
print(x.shape, "@", W.shape, "+", b.shape, "gives", (x @ W + b).shape)
print("the gradient has the shape", tuple(gradient.shape), "as W has")
assert gradient.shape == W.shape and np.log(np.e) == 1

# %% [markdown]
# Five words come in every chapter. Training shows a network its examples in **batches**, say 256 at a time, and after each
# batch makes one small **step** that lowers the loss. One pass over all examples is an **epoch**: 12,000 examples in
# batches of 256 are 47 steps. In Keras `compile` names the loss and the rule for the steps, `fit` then runs the epochs.
# The last numbers of a network, before they are turned into probabilities, are its **logits**; the class with the largest
# logit is the answer.
#
# ## Warm-up 2: slopes
#
# To learn, a network must know: if I turn this weight up a little, how does the loss change? That is a slope, a
# **derivative** (导数). Take $f(x) = x^3 - 3x$; on paper $f'(x) = 3x^2 - 3$. A computer can also measure it: go a step
# $h$ to the right and divide the rise by the step. That is the slope of a *secant*, a line through two points:
#
# $$ f'(x) \approx \frac{f(x + h) - f(x)}{h} $$
#
# Make $h$ smaller and watch the secant turn into the tangent.


# %%
def f(x):
    return x * x * x - 3 * x


def secant_slope(x, h):
    return (f(x + h) - f(x)) / h


# %%
def draw_secant(x, h):
    figure, axis = plt.subplots(figsize=(7, 3.6))
    grid = np.linspace(-2.5, 2.5, 201)
    axis.plot(grid, f(grid), label="$f(x) = x^3 - 3x$")
    axis.plot(grid, f(x) + (3 * x * x - 3) * (grid - x), "--", label=f"tangent, slope {3 * x * x - 3:.2f}")
    axis.plot(grid, f(x) + secant_slope(x, h) * (grid - x), "-.", label=f"secant, slope {secant_slope(x, h):.2f}")
    axis.plot([x, x + h], [f(x), f(x + h)], "o", color="black")
    axis.set(ylim=(-6, 6), xlabel="x", ylabel="f(x)", title=f"secant through x = {x:g} and x + h = {x + h:g}")
    figure.legend(loc="outside lower center", ncol=3, fontsize=9)
    return figure


ck.explore(
    draw_secant,
    alt="The curve of f with its tangent at x and the secant through x and x + h",
    x=[-1.5, -1.0, 0.0, 0.5, 1.0, 1.5],
    h=[1.5, 1.25, 1.0, 0.75, 0.5, 0.1, 0.01],
)

# %% [markdown]
# With numbers, at $x = 2$, where the slope is 9. A second way looks to both sides, $(f(x + h) - f(x - h)) / 2h$.
# **Guess first:** when $h$ becomes ten times smaller, how much smaller does each error become?


# %%
def central_slope(x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


for h in [1.0, 0.1, 0.01]:
    print(f"h = {h:4}: to the right {secant_slope(2.0, h):8.4f}, to both sides {central_slope(2.0, h):8.4f}")
    assert np.isclose(secant_slope(2.0, h) - 9, 6 * h + h * h) and np.isclose(central_slope(2.0, h) - 9, h * h)

# %% [markdown]
# To the right the error is about $6h$: ten times smaller. To both sides it is $h^2$: a hundred times smaller.
# **Guess first:** should $h$ be as small as possible?

# %%
steps = 10.0 ** -np.arange(0, 16)
ways = {"to the right": secant_slope, "to both sides": central_slope}
errors = {way: np.array([abs(slope(2.0, h) - 9) for h in steps]) for way, slope in ways.items()}

figure, axis = plt.subplots(figsize=(7, 3.4))
for (way, error), style in zip(errors.items(), ["o-", "s--"], strict=True):
    axis.loglog(steps, np.maximum(error, 1e-13), style, label=way)
axis.set(title="Error of a measured slope", xlabel="step h (logarithmic)", ylabel="error (logarithmic)")
axis.legend()
ck.show(
    figure, alt="Error against step, logarithmic: both ways first improve as h shrinks, then get worse below a best h"
)

best = {way: steps[np.argmin(error)] for way, error in errors.items()}
assert 1e-10 < best["to the right"] < 1e-6 and 1e-7 < best["to both sides"] < 1e-3
assert errors["to the right"][-1] > 0.1 and 1e-16 < np.finfo(float).eps < 1e-15  # about 16 digits

# %% [markdown]
# There is a best step. A computer keeps about 16 digits; when $h$ is tiny, $f(x + h)$ and $f(x)$ agree in nearly all of
# them, and their difference is rounding noise. Chapter 03 uses measured slopes to test a network's gradients.
#
# ## Where deep learning stands
#
# - **Artificial intelligence** (人工智能) is the aim: programs that do what seems to need thought.
# - **Machine learning** (机器学习) is one means: behaviour that comes from examples, not from written rules.
# - **Deep learning** (深度学习) is one kind of it: networks of several layers, which also learn how to *describe* their
#   input. That part is called **feature learning** (特征学习).
# - **Big data** (大数据) means more examples than anyone could look through. How much they help, we measure below.
#
# A framework (框架) does the arithmetic and the derivatives for you. Four names that you will meet:
#
# | | What it is | What you write | Licence |
# |---|---|---|---|
# | TensorFlow | arrays with automatic derivatives, run line by line or as a compiled graph | functions on tensors, `tf.GradientTape`, `tf.function` | Apache 2.0 |
# | PyTorch | arrays with automatic derivatives, run line by line or compiled | `nn.Module` classes, a training loop, `torch.compile` | BSD |
# | Keras | layers, losses, optimizers and training, on top of TensorFlow, JAX or PyTorch | layers, then `compile` and `fit` | Apache 2.0 |
# | Hugging Face Transformers | the code of many large models, with weights that others trained | `from_pretrained`, then use it or train it further | Apache 2.0 |
#
# The first two compute, Keras stands on top of either, Transformers brings whole models. This course writes Keras on
# TensorFlow, and NumPy where you should see inside. One layer, written three times:

# %%
by_numpy = x @ W + b
by_tensorflow = tf.matmul(x, W) + b
by_keras = ops.matmul(x, W) + b
print("Keras computes with:", keras.backend.backend())
assert np.allclose(by_numpy, by_tensorflow, atol=1e-6) and np.allclose(by_numpy, by_keras, atol=1e-6)

# %% [markdown]
# ## Experiment: features by hand, features learned
#
# Pictures of clothes, ten classes. We describe each picture by features, and always put the **same** classifier on top:
# one layer with ten outputs. First our own ideas: how much ink is in each row and column, how many edges, and how far
# is the picture from its mirror image?

# %%
(x_train, y_train), (x_test, y_test) = ck.data.fashion_mnist(train=12_000, test=10_000)
x_train, x_test = x_train.astype("float32") / 255, x_test.astype("float32") / 255  # 0 is black, 1 is white


def hand_made(pictures):
    """Ink, edges and symmetry of `pictures` (n, 28, 28) by row and by column: features (n, 222)."""
    sideways = np.abs(np.diff(pictures, axis=2))  # (n, 28, 27)
    downwards = np.abs(np.diff(pictures, axis=1))  # (n, 27, 28)
    mirror = np.abs(pictures - pictures[:, :, ::-1])  # (n, 28, 28)
    parts = [pictures, sideways, downwards, mirror]
    return np.concatenate([part.mean(axis=axis) for part in parts for axis in (1, 2)], axis=1)


flat_train, flat_test = x_train.reshape(-1, 784), x_test.reshape(-1, 784)
features = {"pixels": (flat_train, flat_test), "hand-made": (hand_made(x_train), hand_made(x_test))}
count = features["hand-made"][0].shape[1]
print("hand-made features:", count)
assert count == 222

# %% [markdown]
# Then the learned ones: a layer of 222 units looks at the pixels and is trained together with a classifier. We note
# what it puts out **before** and **after** training; before is our control. (Chapters 01, 02 and 04 explain ReLU, the
# loss and Adam.)


# %%
def classifier_on(*hidden, inputs, rate):
    """A compiled network: `inputs` numbers, the layers `hidden`, ten logits."""
    network = keras.Sequential([keras.Input((inputs,)), *hidden, layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(rate), loss, steps_per_execution=47)
    return network


# %%
def learned_layer(size, label):
    """Outputs of a layer before and after training on the first `size` pictures: pairs (train, test); the layer."""
    keras.utils.set_random_seed(0)
    hidden = layers.Dense(count, "relu")
    network = classifier_on(hidden, inputs=784, rate=0.002)
    before = hidden(flat_train).numpy(), hidden(flat_test).numpy()
    chosen = np.arange(12_000) % size  # with fewer pictures, each is seen more often: the same number of steps
    bar = ck.LiveProgress(label, digits=1)
    network.fit(flat_train[chosen], y_train[chosen], batch_size=256, epochs=8, verbose=0, callbacks=[bar])
    return before, (hidden(flat_train).numpy(), hidden(flat_test).numpy()), hidden


# %%
features["untrained layer"], features["learned layer"], hidden = learned_layer(12_000, "learned layer")

# %% [markdown]
# Now the classifier, four times, judged on 10,000 pictures that no training has seen.
# **Guess first:** put pixels, hand-made, untrained and learned in order.


# %%
def score(train, test, size=12_000):
    """Train one layer on the features of the first `size` pictures. Returns the share of right test pictures."""
    keras.utils.set_random_seed(0)
    mean, spread = train[:size].mean(axis=0), train[:size].std(axis=0) + 0.01  # (features,)
    chosen = np.arange(12_000) % size  # (12000,)
    classifier = classifier_on(inputs=train.shape[1], rate=0.003)
    classifier.fit((train[chosen] - mean) / spread, y_train[chosen], batch_size=256, epochs=10, verbose=0)
    return np.mean(classifier((test - mean) / spread).numpy().argmax(axis=1) == y_test)


accuracy = {name: score(*pair) for name, pair in features.items()}
for name, value in accuracy.items():
    print(f"{name:16} {features[name][0].shape[1]} numbers a picture: {value:.0%} of the test pictures")

assert min(accuracy, key=accuracy.get) == "untrained layer" and 0.80 < accuracy["untrained layer"] < 0.83
assert abs(accuracy["hand-made"] - accuracy["pixels"]) < 0.015 and 0.82 < accuracy["pixels"] < 0.85
assert 0.01 < accuracy["learned layer"] - accuracy["hand-made"] < 0.03

# %% [markdown]
# Our 222 numbers serve about as well as all 784 pixels. The learned layer gains about two points more, and nobody told
# it of rows, edges or symmetry. With these 222 units it is the *learning* that does it: untrained, the same layer is last.
# (Width helps without learning, too: a much wider untrained layer passes the pixels. Tried, not shown here.)
#
# What does a unit answer to? Below its weights stands the average of the 50 training pictures with the largest output.

# %%
kernel = hidden.kernel.numpy()  # (pixels, units)
by_hand, learned = features["hand-made"][0], features["learned layer"][0]  # (examples, 222) each
row_9 = np.zeros((28, 28))
row_9[9] = 1 / 28
columns = [("by hand: ink of row 9", row_9, by_hand[:, 28 + 9])]
for number, unit in enumerate(np.argsort(-kernel.std(axis=0))[:5], start=1):  # the five with the largest weights
    columns.append((f"learned {number}", kernel[:, unit].reshape(28, 28), learned[:, unit]))

figure, axes = plt.subplots(2, 6, figsize=(9.5, 3.6))
shares = []  # of the most frequent class among the 50 pictures
for (title, weight, output), (above, below) in zip(columns, axes.T, strict=True):
    top = np.argsort(-output)[:50]
    shares.append(np.bincount(y_train[top]).max() / 50)
    above.imshow(weight, cmap="RdBu", vmin=-np.abs(weight).max(), vmax=np.abs(weight).max())
    below.imshow(x_train[top].mean(axis=0), cmap="gray")
    above.set_title(title, fontsize=9)
    above.axis("off")
    below.axis("off")
figure.suptitle("Above: weights (red negative, blue positive). Below: the average of 50 pictures", fontsize=10)
ck.show(
    figure,
    alt="One hand-made feature and five learned ones: weights above, the average picture below: a shoe, a shirt, a bag",
)
assert np.sum(np.array(shares[1:]) > 0.8) == 4

# %% [markdown]
# Our stripe answers to whatever is bright in one row. Four of the five learned units answer to pictures that are nearly
# all of one class.
#
# And the part of the data? **Guess first:** with 1,000 training pictures in place of 12,000, which loses more, the
# hand-made features or the learned ones?

# %%
_, learned_from_few, _ = learned_layer(1_000, "learned from 1,000")
few = {
    "hand-made": score(*features["hand-made"], size=1_000),
    "learned layer": score(*learned_from_few, size=1_000),
}
for name, value in few.items():
    print(f"{name:14} 1,000 pictures: {value:.0%}   12,000 pictures: {accuracy[name]:.0%}")
assert all(0.04 < accuracy[name] - few[name] < 0.06 for name in few)
assert 0.01 < few["learned layer"] - few["hand-made"] < 0.03

# %% [markdown]
# Both lose about five points. Here twelve times the data gained more than the better features did.
#
# **What this does not show:** that learned features always win. Ours were ten lines; somebody who knows pictures may
# write better ones, and each number is one run on one data set. It shows that a layer *can* find its own description of
# the input, from examples alone. How it does that is the subject of this course.
#
# ## Recap
#
# - Run from top to bottom, guess first, let the check tell you; your work stays on this machine.
# - `axis` disappears, `keepdims` keeps it as 1. Rows are examples: `x @ W + b`.
# - A derivative can be measured, with a step that is small but not the smallest.
# - A trained layer of 222 units found features that beat ours by about two points here; untrained, it came last.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("start.axis")

# %% tags=["quiz"]
ck.quiz("start.experiment")

# %% [markdown]
# ### References
#
# - Abadi et al. (2016). TensorFlow: a system for large-scale machine learning. OSDI. arXiv:1605.08695
# - Paszke et al. (2019). PyTorch: an imperative style, high-performance deep learning library. NeurIPS.
#   arXiv:1912.01703
# - Chollet et al. (2015 and on). Keras. https://keras.io
# - Wolf et al. (2020). Transformers: state-of-the-art natural language processing. EMNLP, system demonstrations.
#   arXiv:1910.03771
# - Bengio, Courville, Vincent (2013). Representation learning: a review and new perspectives. IEEE TPAMI 35(8).
#   arXiv:1206.5538
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("start")
