# ---
# title: What a classifier knows
# promise: You will train the classic 300-100 network with today's recipe, and find out how far its probabilities can be trusted.
# built: You trained a 300-100 network, measured how far its probabilities can be trusted, and corrected them with one number.
# minutes: 75
# prerequisites: [07a_dense_networks]
# data: [fashion_mnist, mnist_digits]
# articles: [a0 4, a3 4.1]
# clinic: []
# topic: calibration
# ---

# %% [markdown]
# **What you will be able to do**
#
# - train a dense network with today's recipe, and compare it fairly with a published one;
# - write a confusion matrix (混淆矩阵), and look at the pictures that the network gets most wrong;
# - measure the calibration (校准) of its probabilities, and repair it with one number;
# - let a network say "I do not know", and measure what its confidence is worth on things that it has never met.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## "I am 99 % sure"
#
# A network names a picture and gives the probability 0.99. We collect all pictures about which it is at least that sure.
# **Guess first:** how many in a hundred of these are right, if the network was trained for long on few pictures?

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from scipy import optimize, special

(x, y), (x_test, y_test) = ck.data.fashion_mnist(train=16_000, test=10_000)
names = ck.data.card("fashion_mnist")["classes"]
x, x_test = (pixels.reshape(-1, 784).astype("float32") / 255 for pixels in (x, x_test))  # (examples, pixels)
x_train, y_train, x_validation, y_validation = x[:12_000], y[:12_000], x[12_000:], y[12_000:]
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
print(f"{len(x_train):,} pictures to learn from, {len(x_validation):,} to choose with, {len(x_test):,} to judge with")


# %%
def published_network():
    """300-100 as in Géron's book, chapter 10."""
    hidden = [layers.Dense(300, "relu"), layers.Dense(100, "relu")]
    return keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(10)])


def logits_of(network):
    """Logits of all test pictures as float64, shape (10000, 10)."""
    return network(x_test).numpy().astype("float64")


keras.utils.set_random_seed(0)
long_trained = published_network()
long_trained.compile(keras.optimizers.Adam(0.002), loss, steps_per_execution=47)
after_epoch = {}  # logits of the test pictures on the way


def keep(epoch, logs):
    if epoch + 1 in (3, 25):
        after_epoch[epoch + 1] = logits_of(long_trained)


callback = keras.callbacks.LambdaCallback(on_epoch_end=keep)
history = long_trained.fit(x_train, y_train, batch_size=256, epochs=25, verbose=0, callbacks=[callback])

# %%
logits = after_epoch[25]
probability = special.softmax(logits, axis=1)
confidence, right = probability.max(axis=1), probability.argmax(axis=1) == y_test  # (examples,)
very_sure = confidence >= 0.99
print(f"at least 99 % sure of {10 * np.floor(10 * very_sure.mean()):.0f} % of the test pictures, or more")
print(f"wrong among these: more than {np.floor(100 * (1 - right[very_sure].mean())):.0f} in a hundred")

# %% [markdown]
# The network is "at least 99 % sure" of more than half the pictures. If its probabilities were true, at most one in a hundred
# of these would be wrong. Two or three are. We will come back to that, after a better network.

# %%
assert very_sure.mean() > 0.5 and 0.97 < right[very_sure].mean() < 0.98

# %% [markdown]
# ## The classic, and today's recipe
#
# Géron's book trains this 300-100 network with SGD, rate 0.01, batches of 32, for 30 epochs of 55,000 pictures, and reaches
# 88.64 % on the test set. What do the earlier chapters suggest? Adam with warm-up and a falling rate (04c), batch
# normalisation and dropout (06a), larger batches (05c). **Guess first:** which recipe is ahead after ten epochs of 12,000?
# (That is a small part of the training for which the published recipe was made.)

# %%
EPOCHS, STEPS = 10, 47  # 12,000 pictures in batches of 256


def course_network():
    """300-100 with batch normalisation, which makes biases needless, and dropout."""
    network = keras.Sequential([keras.Input((784,))])
    for units in (300, 100):
        network.add(layers.Dense(units, use_bias=False))
        network.add(layers.BatchNormalization(momentum=0.9))
        network.add(layers.ReLU())
        network.add(layers.Dropout(0.2))
    network.add(layers.Dense(10))
    return network


keras.utils.set_random_seed(0)
published, course = published_network(), course_network()
published.compile(keras.optimizers.SGD(0.01), loss, steps_per_execution=75)
published.fit(x_train, y_train, batch_size=32, epochs=EPOCHS, verbose=0)
schedule = keras.optimizers.schedules.CosineDecay(0.0004, (EPOCHS - 1) * STEPS, warmup_target=0.004, warmup_steps=STEPS)
course.compile(keras.optimizers.Adam(schedule), loss, steps_per_execution=STEPS)
history = course.fit(x_train, y_train, batch_size=256, epochs=EPOCHS, verbose=0)

# %%
accuracy = {
    name: np.mean(logits_of(network).argmax(axis=1) == y_test)
    for name, network in {"published": published, "course": course}.items()
}
print(f"today's recipe is ahead by more than two points: {accuracy['course'] - accuracy['published'] > 0.02}")
print(
    f"today's recipe: {accuracy['course']:.0%} after {EPOCHS * STEPS} updates; the published one had {EPOCHS * 375:,}"
)
assert accuracy["course"] - accuracy["published"] > 0.02 and 0.86 < accuracy["course"] < 0.88
assert published.count_params() == 266_610 and course.count_params() == 267_810

# %% [markdown]
# Several things differ, so this does not say which one helped. The rate alone is not it: with rates of 0.03 and 0.1 the
# published recipe stayed behind as well (not shown here).
#
# ### Exercise 7b.1 · The 200-50 network · ●●○ · 10 minutes
# Write `build_mlp()`: the network `course_network` once more, but with units 200 and 50, and compiled, with Adam (rate 0.004)
# and `keras.losses.SparseCategoricalCrossentropy(from_logits=True)`.


# %% tags=["exercise"]
def build_mlp():
    ### BEGIN SOLUTION
    network = keras.Sequential([keras.Input((784,))])
    for units in (200, 50):
        network.add(layers.Dense(units, use_bias=False))
        network.add(layers.BatchNormalization(momentum=0.9))
        network.add(layers.ReLU())
        network.add(layers.Dropout(0.2))
    network.add(layers.Dense(10))
    network.compile(keras.optimizers.Adam(0.004), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("calibration.build_mlp", build_mlp)

# %% [markdown]
# And on all 60,000 pictures? That takes minutes, so it is a benchmark (`make bench`), not a cell. Here is what its last run
# stored. Both rows come from the same machine.

# %%
benchmark = ck.data.benchmark("fashion_mnist")
classic, ours = (row for row in benchmark["rows"] if row["name"].startswith("MLP"))
for row in (classic, ours):
    print(
        f"{row['name']:23} {row['parameters']:,} parameters, test accuracy {row['test_accuracy']}, {row['epochs']} epochs"
    )
print(f"time of today's recipe: 1/{classic['seconds'] / ours['seconds']:.0f} of the other's")
updates = [row["epochs"] * -(-pictures // row["batch"]) for row, pictures in [(classic, 55_000), (ours, 60_000)]]
print(f"updates: {updates[0]:,} in batches of {classic['batch']}, {updates[1]:,} in batches of {ours['batch']}")
assert (classic["batch"], ours["batch"], round(updates[0] / updates[1])) == (32, 512, 36)
assert ours["test_accuracy"] >= 0.89 > classic["test_accuracy"] and classic["published_accuracy"] == "0.8864"
assert ours["seconds"] <= classic["seconds"] / 8

# %% [markdown]
# Over 89 %, where the published recipe has 88.64 % in the book and less in our run, in about an eighth of the time. No new
# architecture: the same 300-100. But read the comparison with care. The time is saved by fewer epochs and by batches of 512
# in place of 32, which need 36 times fewer updates; these also run 59 in one call of Keras, the others one by one. It is
# one run each. And neither had a validation part, so nothing shows that epochs and rate were chosen without a look at the
# test set; a lead of one or two points would need that.
#
# ## Which classes are taken for which?
#
# The confusion matrix counts: row = true class, column = the class that the network named.
#
# ### Exercise 7b.2 · The confusion matrix · ●○○ · 6 minutes
# Write `confusion_matrix(y, predicted, classes)`: an array `(classes, classes)` of counts, for labels 0 to `classes − 1`.


# %% tags=["exercise"]
def confusion_matrix(y, predicted, classes):
    ### BEGIN SOLUTION
    matrix = np.zeros((classes, classes), int)
    for true, named in zip(y, predicted, strict=True):
        matrix[true, named] += 1
    return matrix
    ### END SOLUTION


# %% tags=["check"]
ck.check("calibration.confusion_matrix", confusion_matrix)

# %%
from sklearn import metrics

matrix = metrics.confusion_matrix(y_test, logits_of(course).argmax(axis=1))  # (true, named)
figure, axis = plt.subplots(figsize=(7, 6))
image = axis.imshow(matrix, cmap="cividis", vmax=300)
figure.colorbar(image, label="test pictures (300 and more look alike)")
for (row, column), count in np.ndenumerate(matrix):
    axis.text(column, row, count, ha="center", va="center", fontsize=8, color="black" if count > 150 else "white")
axis.set(title="Confusion matrix", xlabel="named", ylabel="true", xticks=range(10), yticks=range(10))
axis.set_xticklabels(names, rotation=45, ha="right")
axis.set_yticklabels(names)
axis.grid(False)
ck.show(figure, alt="Confusion matrix of ten classes: large counts on the diagonal; shirts are taken for other tops")

# %%
recall = np.diag(matrix) / matrix.sum(axis=1)
errors = matrix - np.diag(np.diag(matrix))
tops = [0, 2, 4, 6]  # T-shirt, pullover, coat, shirt
share = errors[np.ix_(tops, tops)].sum() / errors.sum()
print(f"hardest class: {names[recall.argmin()]}")
print(f"more than half of all errors lie among {', '.join(names[k] for k in tops)}: {share > 0.5}")
print(f"over 90 % of the trousers found: {recall[names.index('Trouser')] > 0.9}", end="; ")
print(f"fewer than 75 % of the shirts: {recall[names.index('Shirt')] < 0.75}")
assert names[recall.argmin()] == "Shirt" and 0.53 < share < 0.7
assert recall[names.index("Trouser")] > 0.9 and recall[names.index("Shirt")] < 0.75

# %% [markdown]
# Four kinds of tops make more than half of the errors. "87 %" hides that: of the trousers over 90 % are found, of the shirts
# fewer than 75 %.
#
# ## The most wrong pictures
#
# Where was the network surest, and wrong? **Guess first:** will you agree with the network or with the label?

# %%
probability = special.softmax(logits_of(course), axis=1)
confidence, named = probability.max(axis=1), probability.argmax(axis=1)
wrong = np.flatnonzero(named != y_test)
worst = wrong[np.argsort(-confidence[wrong])[:10]]
figure, axes = plt.subplots(2, 5, figsize=(9, 4.6))
for axis, index in zip(axes.flat, worst, strict=True):
    axis.imshow(x_test[index].reshape(28, 28))
    axis.set_title(f"label: {names[y_test[index]]}\nnamed: {names[named[index]]}", fontsize=9)
    axis.axis("off")
ck.show(
    figure, alt="Ten test pictures with their label and the class that the network named wrongly with most confidence"
)
assert confidence[worst].min() > 0.95

# %% [markdown]
# Some labels look doubtful to human eyes too. Looking at the worst errors is the cheapest way to learn about data.
#
# ## Calibration
#
# A classifier is calibrated when, of all pictures that it gives the probability $p$, the share $p$ is right. We sort the test
# pictures into ten bins by confidence and compare, in each bin, the mean confidence with the share that is right. The
# **expected calibration error** is the mean distance, weighted by how many pictures lie in the bin $B$ (Guo et al., 2017):
#
# $$ \mathrm{ECE} = \sum_B \frac{|B|}{n} \, \bigl| \text{accuracy}(B) - \text{confidence}(B) \bigr| $$


# %%
def bins(confidence, right, count=10):
    """Share of pictures, mean confidence and accuracy of each bin that is not empty, three arrays."""
    number = np.minimum((confidence * count).astype(int), count - 1)
    used = np.unique(number)
    share = np.array([np.mean(number == k) for k in used])
    return share, *(np.array([v[number == k].mean() for k in used]) for v in (confidence, right))


def calibration_error(logits, labels):
    """ECE with ten bins, in percent."""
    probability = special.softmax(logits, axis=1)
    share, sure, accurate = bins(probability.max(axis=1), probability.argmax(axis=1) == labels)
    return 100 * np.sum(share * np.abs(accurate - sure))


error = {epoch: calibration_error(some, y_test) for epoch, some in after_epoch.items()}
for epoch, value in error.items():
    print(f"one network, after {epoch:2} epochs: calibration error about {2 * round(value / 2)} points")
assert 1 < error[3] < 3 and 5 < error[25] < 7
assert 2.5 < calibration_error(logits_of(course), y_test) < 4  # today's recipe, ten epochs

# %% [markdown]
# The same network, the same pictures: the longer it trains, the further its confidence runs ahead of its accuracy.
#
# ### Exercise 7b.3 · How far confidence is off · ●●○ · 10 minutes
# Write `expected_calibration_error(confidence, right, count)` with `count` bins of equal width from 0 to 1 (a confidence of
# exactly 1 belongs to the last bin): a number from 0 to 1. `right` holds True or False. Empty bins count nothing.


# %% tags=["exercise"]
def expected_calibration_error(confidence, right, count):
    ### BEGIN SOLUTION
    number = np.minimum((confidence * count).astype(int), count - 1)
    total = 0.0
    for k in range(count):
        members = number == k
        if members.any():
            total += members.mean() * abs(right[members].mean() - confidence[members].mean())
    return total
    ### END SOLUTION


# %% tags=["check"]
ck.check("calibration.expected_calibration_error", expected_calibration_error)

# %% [markdown]
# ## One number repairs it
#
# Divide all logits by a temperature (温度) $T$ before the softmax. $T > 1$ makes the network less sure; the largest logit stays
# the largest, so not one answer changes. Which $T$? The one with the smallest cross-entropy on the **validation** pictures.

# %%
held_out = long_trained(x_validation).numpy().astype("float64")


def cross_entropy(temperature):
    logarithms = special.log_softmax(held_out / temperature, axis=1)
    return -logarithms[np.arange(len(y_validation)), y_validation].mean()


temperature = optimize.minimize_scalar(cross_entropy, bounds=(0.5, 5), method="bounded").x
repaired = calibration_error(logits / temperature, y_test)
print(f"temperature {temperature:.1f}; calibration error now about {repaired:.0f} point")
assert 1.5 < temperature < 2 and repaired < 1.5
assert np.array_equal((logits / temperature).argmax(axis=1), logits.argmax(axis=1))


# %%
def reliability(temperature):
    probability = special.softmax(logits / temperature, axis=1)
    share, sure, accurate = bins(probability.max(axis=1), right)
    figure, axis = plt.subplots(figsize=(5.5, 4.2))
    axis.plot([0, 100], [0, 100], "--", color="grey", label="calibrated")
    axis.plot(100 * sure, 100 * accurate, "-", color="C0", label="long trained")
    axis.scatter(100 * sure, 100 * accurate, s=20 + 600 * share, color="C0")
    title = f"temperature {temperature:g}: error {calibration_error(logits / temperature, y_test):.1f} points"
    axis.set(title=title, xlabel="confidence (%)", ylabel="right (%)", xlim=(0, 102), ylim=(0, 102))
    axis.legend()
    return figure


ck.explore(
    reliability,
    alt="Share of right answers over confidence; at temperature 1 the points lie below the diagonal: too sure",
    temperature=[0.25, 0.5, 0.75, 0.9, 1.0, 1.25, 1.5, 1.75, 2.0],
)

# %% [markdown]
# Training from 3 to 25 epochs made this network too sure. One division, chosen on validation pictures, brings the error
# below 1.5 points.
#
# ### Exercise 7b.4 · Probabilities at a temperature · ●○○ · 5 minutes
# Write `cool(logits, temperature)`: probabilities `(examples, classes)` at that temperature, safe for logits such as 1,000.


# %% tags=["exercise"]
def cool(logits, temperature):
    ### BEGIN SOLUTION
    scaled = logits / temperature
    exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
    ### END SOLUTION


# %% tags=["check"]
ck.check("calibration.cool", cool)

# %% [markdown]
# ## "I do not know"
#
# Confidence is good for something else: let the network answer only where it is sure, and hand the rest to a person.

# %%
order = np.argsort(-confidence, kind="stable")  # today's recipe, surest first
coverage = np.arange(1, 10_001) / 10_000
kept = np.cumsum((named == y_test)[order]) / np.arange(1, 10_001)
figure, axis = plt.subplots()
axis.plot(100 * coverage[200:], 100 * kept[200:])
axis.set(title="Answering only where it is sure", xlabel="share of pictures answered (%)", ylabel="right (%)")
ck.show(figure, alt="The share of right answers falls from almost 100 percent to 87 as more pictures are answered")
print(f"all pictures: {kept[-1]:.0%} right; the surest 60 %: {kept[5_999]:.0%}")
assert kept[5_999] > 0.97

# %% [markdown]
# ### Exercise 7b.5 · How many can be answered? · ●●○ · 7 minutes
# Write `coverage_for(confidence, right, wanted)`: the largest share of pictures, surest first, that one can answer so that at
# least the share `wanted` of the answered ones is right; 0 if there is none.


# %% tags=["exercise"]
def coverage_for(confidence, right, wanted):
    ### BEGIN SOLUTION
    order = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(order) + 1)
    good = np.cumsum(right[order]) / answered >= wanted
    return answered[good].max() / len(order) if good.any() else 0.0
    ### END SOLUTION


# %% tags=["check"]
ck.check("calibration.coverage_for", coverage_for)

# %% [markdown]
# Does it also know that it does not know? We show the networks what they never met: handwritten digits, and noise. Take one
# picture of clothes and one strange one: in how many of ten such pairs is the network surer about the clothes? Five of ten
# would be chance. (This share of pairs is the AUROC, the area under the ROC curve.) **Guess first,** for digits and for
# noise.

# %%
(digits, _), _ = ck.data.mnist_digits(train=2_000, test=100)
strange = {"digits": digits.reshape(-1, 784).astype("float32") / 255}
strange["noise"] = np.random.default_rng(0).random((2_000, 784)).astype("float32")


def probabilities(network, pixels):
    return special.softmax(network(pixels).numpy().astype("float64"), axis=1)


surer = {}
for name, network in {"long trained": long_trained, "today's recipe": course}.items():
    clothes = probabilities(network, x_test).max(axis=1)
    for kind, pixels in strange.items():
        odd = probabilities(network, pixels).max(axis=1)
        surer[name, kind] = metrics.roc_auc_score(np.repeat([1, 0], [len(clothes), len(odd)]), np.append(clothes, odd))
    print(f"{name:15} surer about clothes than about digits: {10 * surer[name, 'digits']:.0f} of 10 pairs")
print("today's recipe  surer about clothes than about noise in fewer than 3 of 10 pairs:", end=" ")
print(surer["today's recipe", "noise"] < 0.3)
print("what most of the noise is said to be:", names[probabilities(course, strange["noise"]).sum(axis=0).argmax()])
assert 0.75 < surer["long trained", "digits"] < 0.85 > surer["today's recipe", "digits"] > 0.75
assert surer["today's recipe", "noise"] < 0.3

# %% [markdown]
# So confidence is worth something on digits, though not enough to rely on: two pairs of ten come out the wrong way. On noise
# it misleads: today's recipe is surer about noise than about clothes. Why? Nothing in training asked for doubt away from
# the data. And beyond its last kinks a ReLU network is linear (chapter 07a): on the way outwards its logits grow, so do
# their differences, and softmax turns a large difference into near certainty (Hein, Andriushchenko, Bitterwolf, 2019).
# Then a brighter picture should make it surer. Is that so?

# %%
brightness = [0.25, 0.5, 1, 2, 4]
sure = {
    (name, kind): [np.mean(probabilities(network, factor * pixels).max(axis=1) > 0.9) for factor in brightness]
    for name, network in {"long trained": long_trained, "today's recipe": course}.items()
    for kind, pixels in strange.items()
}
figure, axis = plt.subplots(figsize=(7, 3.6))
for (name, kind), style in zip(sure, ["o-", "s-", "o--", "s--"], strict=True):
    axis.semilogx(brightness, 100 * np.array(sure[name, kind]), style, label=f"{kind}, {name}", base=2)
axis.set(title="Strange pictures, made darker and brighter", xlabel="brightness (1: as they are)")
axis.set_ylabel("more than 90 % sure (% of pictures)")
axis.legend(fontsize=8)
ck.show(
    figure, alt="The share of strange pictures named with over 90 percent rises with brightness, for noise and digits"
)
rises = [shares[-1] - shares[0] for shares in sure.values()]
print(
    f"cases in which the share at brightness 4 is over 20 points above that at 1/4: {np.sum(np.array(rises) > 0.2)} of 4"
)
assert min(rises) > 0.2

# %% [markdown]
# It is. Calibration holds for pictures *like the test pictures*. For others confidence may help or mislead; which of the two
# must be measured.
#
# ## Recap
#
# - With batch normalisation, dropout, Adam, a schedule and large batches the 300-100 network went over 89 % in one run, with
#   36 times fewer updates.
# - A confusion matrix shows where the errors are: more than half lie among four kinds of tops.
# - From 3 to 25 epochs our network became too sure. A temperature, fitted on validation pictures, repaired that and changed
#   no answer.
# - Answer only where it is sure, and more than 97 % of the surest 60 % are right.
# - On strange inputs confidence may help (digits: 8 of 10 pairs) or mislead (noise): far out the logits of a ReLU network
#   grow, and softmax grows sure.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("calibration.temperature")

# %% tags=["quiz"]
ck.quiz("calibration.meaning")

# %% tags=["quiz"]
ck.quiz("calibration.noise")

# %% [markdown]
# ### References
#
# - Géron (2022). Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow, 3rd edition, chapter 10: the published row.
# - Guo, Pleiss, Sun, Weinberger (2017). On calibration of modern neural networks. ICML. arXiv:1706.04599
# - Hein, Andriushchenko, Bitterwolf (2019). Why ReLU networks yield high-confidence predictions far away from the training data and how to mitigate the problem. CVPR. arXiv:1812.05720
# - Hendrycks, Gimpel (2017). A baseline for detecting misclassified and out-of-distribution examples in neural networks. ICLR. arXiv:1610.02136
# - Nguyen, Yosinski, Clune (2015). Deep neural networks are easily fooled. CVPR. arXiv:1412.1897
# - Xiao, Rasul, Vollgraf (2017). Fashion-MNIST. arXiv:1708.07747
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("calibration")
