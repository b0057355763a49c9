# ---
# title: Convolutional networks
# promise: You will train LeNet and a small modern convolutional network, test them on shifted pictures, and look inside.
# built: You trained LeNet and a small modern network, wrote a residual block, and tested both kinds of network on shifted pictures.
# minutes: 80
# prerequisites: [08a_convolution]
# data: [fashion_mnist]
# articles: [a3 3.2, a3 4.2]
# clinic: [08-1]
# topic: convnets
# ---

# %% [markdown]
# **What you will be able to do**
#
# - build LeNet, a convolutional neural network (卷积神经网络) of 1998, and say which of its parts to replace today;
# - look at its filters and at the feature maps (特征图) of a picture;
# - write a residual connection (残差连接) and global average pooling (全局平均池化) with the Functional API;
# - measure what a shift of a few pixels does to a dense and to a convolutional network;
# - give a network the output layer that its labels need.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## The same sleeve, four pixels to the right
#
# Chapter 08a slid one kernel over the whole picture: an edge gives the same answer wherever it stands. So a network of
# convolutions should not care where a shirt stands.
#
# **Guess first:** a dense and a convolutional network name over 75 % of the test pictures rightly. Now each picture
# moves four pixels to the side. How much is left of each score? Write down two numbers.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers, ops

(x_train, y_train), (x_test, y_test) = ck.data.fashion_mnist(train=4_000, test=4_000)
class_names = ck.data.card("fashion_mnist")["classes"]
x_train = x_train[..., None].astype("float32") / 255  # (examples, 28, 28, 1): one channel
x_test = x_test[..., None].astype("float32") / 255
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
print("pictures to train:", x_train.shape, "to test:", x_test.shape)

# %% [markdown]
# ## LeNet-5
#
# In LeNet-5 (LeCun et al., 1998) two pairs of convolution and pooling make features, three dense layers name them. Two
# places stay open: the activation and the kind of pooling.


# %%
def lenet(activation, pooling, seed=0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation=activation),
            pooling(2),
            layers.Conv2D(16, 5, activation=activation),
            pooling(2),
            layers.Flatten(),
            layers.Dense(120, activation),
            layers.Dense(84, activation),
            layers.Dense(10),
        ]
    )


published = lenet("sigmoid", layers.AveragePooling2D)
for layer in published.layers:
    print(f"{layer.name.rstrip('_0123456789'):18} {layer.output.shape!s:22} {layer.count_params():7,}")

# %% [markdown]
# By hand: a convolution has (height · width · channels in + 1) · channels out parameters, whatever the size of the
# picture. **Which layer holds most of the parameters?**

# %%
convolutions = (5 * 5 * 1 + 1) * 6 + (5 * 5 * 6 + 1) * 16
dense_layers = (400 + 1) * 120 + (120 + 1) * 84 + (84 + 1) * 10
assert published.count_params() == convolutions + dense_layers == 61_706
share = convolutions / published.count_params()
print(f"{convolutions + dense_layers:,} parameters, {share:.0%} of them in the convolutions")
assert 400 * 120 / published.count_params() > 0.75

# %% [markdown]
# The 400 flattened features meet 120 units: that one matrix is over three quarters of the network.
#
# ### Exercise 8b.1 · Parameters of a stack · ●○○ · 5 minutes
# Write `stack_parameters(channels, filters, kernel)`: the parameters, biases included, of convolutions one after
# another. The picture has `channels` channels, `filters` is a list with the number of filters of each layer, and every
# kernel is `kernel` × `kernel`.


# %% tags=["exercise"]
def stack_parameters(channels, filters, kernel):
    ### BEGIN SOLUTION
    total = 0
    for number in filters:
        total += (kernel * kernel * channels + 1) * number
        channels = number  # the next layer sees these
    return total
    ### END SOLUTION


# %% tags=["check"]
ck.check("convnets.stack_parameters", stack_parameters)

# %% [markdown]
# ### Exercise 8b.2 · The last map · ●●○ · 7 minutes
# Write `map_size(size, steps)`: the height of the last feature map for a square picture of height `size`. Each step is
# a pair: `("same", 5)` and `("valid", 5)` are convolutions with a 5 × 5 kernel, stride 1, and that padding; `("pool",
# 2)` is a pooling of 2 × 2 with stride 2, which drops what is left over at the edge.


# %% tags=["exercise"]
def map_size(size, steps):
    ### BEGIN SOLUTION
    for kind, width in steps:
        if kind == "valid":
            size = size - width + 1
        elif kind == "pool":
            size = size // width
    return size
    ### END SOLUTION


# %% tags=["check"]
ck.check("convnets.map_size", map_size)

# %% [markdown]
# ## One change at a time
#
# A published rebuild, sigmoid and average pooling with SGD at rate 0.9, reports 0.805 to 0.829 after ten epochs of the
# full data (Dive into Deep Learning, TensorFlow builds). We have 4,000 pictures and three epochs, 240 small batches.
# That is a tenth of the steps of the published run. We change one part, then three.
#
# With ReLU the gradient is far larger, so its row gets SGD at rate 0.1 in place of 0.9: two changes, not one.


# %%
def first_gradient(network, examples=500):
    """Root mean square of the gradient in the network's first kernel, before training."""
    kernel = network.trainable_variables[0]
    with tf.GradientTape() as tape:
        value = loss(y_train[:examples], network(x_train[:examples]))
    return float(np.sqrt(np.mean(tape.gradient(value, kernel.value).numpy() ** 2)))


ratio = first_gradient(lenet("relu", layers.AveragePooling2D)) / first_gradient(published)
print(f"first layer, gradient with ReLU over gradient with sigmoid: {ratio:.0f}")
assert ratio > 10


# %%
def train(network, optimizer, x=x_train, y=y_train, epochs=3):
    """Train in batches of 50. Returns the loss of each epoch."""
    network.compile(optimizer, loss, steps_per_execution=20)
    return network.fit(x, y, batch_size=50, epochs=epochs, verbose=0).history["loss"]


def accuracy(network, x=x_test, y=y_test):
    """Share of rightly named pictures, computed in pieces of 1,000."""
    pieces = [network(x[start : start + 1_000]).numpy() for start in range(0, len(x), 1_000)]
    return np.mean(np.concatenate(pieces).argmax(axis=-1) == y)


sgd, adam, average, largest = keras.optimizers.SGD, keras.optimizers.Adam, layers.AveragePooling2D, layers.MaxPooling2D
parts = {
    "as published": ("sigmoid", average, sgd(0.9)),
    "max pooling": ("sigmoid", largest, sgd(0.9)),
    "ReLU, rate 0.1": ("relu", average, sgd(0.1)),
    "Adam": ("sigmoid", average, adam(0.003)),
    "all three": ("relu", largest, adam(0.003)),
}

# %% [markdown]
# **Guess first:** after 240 steps, which rows have left the 10 % of guessing?

# %%
lenets, curves, reached = {}, {}, {}
for name, (activation, pooling, optimizer) in parts.items():
    lenets[name] = lenet(activation, pooling)
    curves[name] = train(lenets[name], optimizer)
    reached[name] = accuracy(lenets[name])

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8))
for number, (name, style) in enumerate(zip(parts, ["o-", "s--", "^:", "D-.", "P-"], strict=True)):
    axes[0].plot([1, 2, 3], curves[name], style, color=f"C{number}", label=name)
    axes[1].bar_label(axes[1].barh(name, 100 * reached[name], color=f"C{number}"), fmt="%.0f", padding=2)
axes[0].set(title="training loss", xlabel="epoch", ylabel="cross-entropy (nats)", xticks=[1, 2, 3])
axes[0].legend(fontsize=8)
axes[1].set(title="4,000 test pictures", xlabel="accuracy (%)", ylabel="LeNet, 61,706 parameters")
axes[1].invert_yaxis()
ck.show(
    figure,
    alt="Loss and accuracy of five LeNets: as published and with max pooling nothing is learned, with all three changes most",
)

# %%
assert all(network.count_params() == 61_706 for network in lenets.values())
at_least = {"ReLU, rate 0.1": 60, "Adam": 50, "all three": 75}
for name, value in reached.items():
    print(f"{name:15}", f"above {at_least[name]} %" if name in at_least else f"{value:.0%}, as guessing gives")
    assert 100 * value > at_least.get(name, 9.5)
assert max(reached["as published"], reached["max pooling"]) < 0.12
assert reached["all three"] - max(reached["ReLU, rate 0.1"], reached["Adam"]) > 0.03

# %% [markdown]
# In 240 steps the published configuration has not left its start, and with max pooling it has not either: where both
# rows still guess, nothing can be told about pooling. With ReLU at its rate, or with Adam, the net learns, and all three
# together do best after these steps: same layers, same 61,706 parameters. The published run is slow, not dead: see its
# full run below.
#
# ## Look inside
#
# A first-layer filter is a little picture itself: 5 × 5 weights. One filter slid over the picture gives one **feature
# map**.

# %%
best = lenets["all three"]
filters = best.layers[0].get_weights()[0]  # (5, 5, 1, 6)
limit = np.abs(filters).max()
figure, axes = plt.subplots(1, 6, figsize=(10, 2.1))
for number, axis in enumerate(axes):
    picture = axis.imshow(filters[:, :, 0, number], cmap="RdBu", vmin=-limit, vmax=limit)
    axis.set_title(f"filter {number + 1}", fontsize=9)
    axis.axis("off")
figure.colorbar(picture, ax=axes, label="weight")
ck.show(figure, alt="Six filters of 5 by 5 weights after training, in red (negative) and blue (positive) patches")

# %% [markdown]
# After 240 steps some have a positive and a negative side; clean edges they are not. The maps tell more. Choose a layer
# and a picture.

# %%
inner = keras.Model(best.inputs[0], [layer.output for layer in best.layers[:4]])
stages = {"convolution 1": 0, "pooling 1": 1, "convolution 2": 2, "pooling 2": 3}


def feature_maps(stage, picture):
    maps = inner(x_test[picture : picture + 1])[stages[stage]].numpy()[0]  # (height, width, channels)
    figure, axes = plt.subplots(1, 7, figsize=(10, 2.2))
    axes[0].imshow(x_test[picture, :, :, 0])
    axes[0].set_title(f"picture: {class_names[y_test[picture]]}", fontsize=8)
    for number, axis in enumerate(axes[1:]):
        axis.imshow(maps[:, :, number], cmap="viridis")
        axis.set_title(f"map {number + 1}", fontsize=9)
    for axis in axes:
        axis.axis("off")
    figure.suptitle(f"{stage}: {maps.shape[0]} × {maps.shape[1]} places, {maps.shape[2]} maps (6 shown)", fontsize=10)
    return figure


assert inner(x_test[:1])[3].shape == (1, 5, 5, 16)
ck.explore(
    feature_maps,
    alt="A test picture beside six feature maps of the chosen layer, which keep its outline and grow coarser with depth",
    stage=list(stages)[::-1],
    picture=[int(np.flatnonzero(y_test == label)[0]) for label in (0, 1, 7, 8, 9)],
)

# %% [markdown]
# The first maps keep the outline of the picture; the last ones are 5 × 5 places.
#
# ## Three modern parts
#
# **Batch normalisation** (Ioffe and Szegedy, 2015) brings each channel to mean 0 and variance 1, then gives it a scale
# $\gamma$ and an offset $\beta$, which are learned. In a convolutional network mean and variance run over examples
# *and* places: $y = \gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta$.

# %%
maps = np.random.default_rng(0).normal(3, 2, (20, 7, 7, 4)).astype("float32")  # (examples, height, width, channels)
mean, variance = maps.mean(axis=(0, 1, 2)), maps.var(axis=(0, 1, 2))
by_hand = (maps - mean) / np.sqrt(variance + 1e-3)  # gamma 1, beta 0 at the start

normalise = layers.BatchNormalization(momentum=0.9)
assert np.allclose(by_hand, normalise(maps, training=True), atol=1e-4)
assert np.allclose(normalise.moving_mean, 0.1 * mean, atol=1e-5)  # 0.9 · 0 + 0.1 · mean of this batch
print("training: the batch's own mean; a running mean is kept for testing, after one batch at a tenth of it")

# %% [markdown]
# Keras's own momentum, 0.99, follows ten times more slowly: too slow for our short runs.
#
# **Global average pooling** (Lin et al., 2014) replaces flatten: each map becomes one number, its mean.


# %%
def head_parameters(pool):
    head = keras.Sequential([keras.Input((7, 7, 32)), pool, layers.Dense(10)])
    return head.count_params()


flat, pooled = head_parameters(layers.Flatten()), head_parameters(layers.GlobalAveragePooling2D())
print(f"ten logits from 32 maps of 7 × 7: flatten {flat:,} parameters, global average {pooled:,}")
assert (flat, pooled) == ((7 * 7 * 32 + 1) * 10, (32 + 1) * 10)

# %% [markdown]
# ### Exercise 8b.3 · The average of each map · ●○○ · 4 minutes
# Write `global_average(maps)` in NumPy: from `(examples, height, width, channels)` to `(examples, channels)`.


# %% tags=["exercise"]
def global_average(maps):
    ### BEGIN SOLUTION
    return maps.mean(axis=(1, 2))
    ### END SOLUTION


# %% tags=["check"]
ck.check("convnets.global_average", global_average)

# %% [markdown]
# **A residual connection** (He et al., 2016) adds the input of a block to its output: $\mathrm{ReLU}(x + F(x))$. If $F$
# gives 0, the block lets $x \ge 0$ pass, and the gradient backwards. We stack up to eight blocks of two convolutions,
# with the plus and without it, and look at the first layer's gradient before training.


# %%
def deep_network(blocks, residual, start):
    keras.utils.set_random_seed(0)

    def convolution(x, activation=None):
        return layers.Conv2D(8, 3, padding="same", activation=activation, kernel_initializer=start)(x)

    inputs = keras.Input((28, 28, 1))
    x = layers.MaxPooling2D(4)(convolution(inputs, "relu"))
    for _ in range(blocks):
        change = convolution(convolution(x, "relu"))
        x = layers.ReLU()(layers.Add()([x, change]) if residual else change)
    return keras.Model(inputs, layers.Dense(10)(layers.Flatten()(x)))


depths, starts = [1, 2, 4, 8], {"Keras's start": "glorot_uniform", "He's start": "he_normal"}
gradient = {
    (name, residual): [first_gradient(deep_network(blocks, residual, start), 100) for blocks in depths]
    for name, start in starts.items()
    for residual in (True, False)
}

# %%
figure, axis = plt.subplots(figsize=(7.5, 3.8))
for (name, residual), style in zip(gradient, ["o-", "s--", "^-", "v--"], strict=True):
    axis.semilogy(depths, gradient[name, residual], style, label=f"{'residual' if residual else 'plain'}, {name}")
axis.set(title="before training", xlabel="blocks of two convolutions", ylabel="gradient of the first layer")
axis.set_xticks(depths)
axis.legend(fontsize=8)
ck.show(
    figure,
    alt="Gradient of the first layer against depth: it falls in plain stacks and grows in residual ones",
)

for name in starts:
    growth = {residual: gradient[name, residual][-1] / gradient[name, residual][0] for residual in (True, False)}
    print(f"{name:13} from one block to eight: plain times {growth[False]:.2g}, residual times {growth[True]:.2g}")
    assert growth[False] < 1 and growth[True] > 5

# %% [markdown]
# In the plain stack the gradient shrinks with depth, less with He's larger starting weights. With the plus it does not
# shrink, it **grows**: each block adds to what it got. Is the shrinking gradient why deep plain stacks train badly? He and
# others (2016) think not: their plain networks had batch normalisation and healthy gradients, and still got worse with
# depth, on the training data too. They call it a difficulty of optimisation; with the plus a block has only to learn what
# to *change*. What the figure shows is the state before training, without normalisation. (Trained for three epochs, eight
# residual blocks were ahead of eight plain ones; not shown here.)
#
# ### Exercise 8b.4 · A residual block · ●●● · 10 minutes
# Write `residual_block(x)` with the Functional API. `x` is a symbolic Keras tensor of shape `(batch, height, width,
# channels)`. Two 3 × 3 convolutions, padding `"same"`, each with as many filters as `x` has channels and with a bias;
# ReLU after the first; then add `x`; then ReLU. No batch normalisation here. Return the new tensor.


# %% tags=["exercise"]
def residual_block(x):
    ### BEGIN SOLUTION
    channels = x.shape[-1]
    change = layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
    change = layers.Conv2D(channels, 3, padding="same")(change)
    return layers.ReLU()(layers.Add()([x, change]))
    ### END SOLUTION


# %% tags=["check"]
ck.check("convnets.residual_block", residual_block)

# %% [markdown]
# ## A small modern network
#
# The three parts together. Pooling comes before normalisation, which saves work. The head stays open.


# %%
def convolution(x, filters, pool=False):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)  # beta is the bias
    x = layers.MaxPooling2D()(x) if pool else x
    return layers.BatchNormalization(momentum=0.9)(x)


def modern(head):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((28, 28, 1))
    x = layers.ReLU()(convolution(inputs, 16, pool=True))
    x = layers.ReLU()(convolution(x, 32, pool=True))  # (batch, 7, 7, 32)
    change = convolution(layers.ReLU()(convolution(x, 32)), 32)
    x = layers.ReLU()(layers.Add()([x, change]))
    return keras.Model(inputs, layers.Dense(10)(head()(x)))


def dense_network():
    keras.utils.set_random_seed(0)
    hidden = [layers.Dense(300, "relu"), layers.Dense(100, "relu")]
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), *hidden, layers.Dense(10)])


# %% [markdown]
# The dense 300-100 stands beside them. All get Adam with one and the same rate, 0.003, which falls to 0, and the same 240
# steps. No rate was tuned for any of them.

# %%
EPOCHS, RATE = 3, 0.003
networks = {
    "dense 300-100": dense_network(),
    "modern, flatten": modern(layers.Flatten),
    "modern, global average": modern(layers.GlobalAveragePooling2D),
}
for network in networks.values():
    train(network, adam(keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * 80)), epochs=EPOCHS)

# %%
straight = {name: accuracy(network) for name, network in networks.items()}
for name, network in networks.items():
    print(f"{name:23} {network.count_params():8,} parameters, above 75 %: {straight[name] > 0.75}")
    assert 0.75 < straight[name] < 0.90
assert max(straight.values()) - min(straight.values()) < 0.08
assert networks["dense 300-100"].count_params() > 10 * networks["modern, global average"].count_params()

# %% [markdown]
# After 240 steps on so few pictures the three scores lie within eight points of each other; longer training or another rate
# can change their order. The network with global average pooling has less than a tenth of the dense network's parameters.
#
# ## Shifted pictures
#
# Now the question of the beginning. Columns that come in are black; we shift to the right and to the left and take the
# mean.


# %%
def shifted(x, columns):
    """Pictures moved to the right (or left, if negative) by `columns` pixels; black comes in."""
    moved = np.zeros_like(x)
    width = x.shape[2]
    moved[:, :, max(columns, 0) : width + min(columns, 0)] = x[:, :, max(-columns, 0) : width - max(columns, 0)]
    return moved


def shift_scores(network, pictures=1_000):
    x, y = x_test[:pictures], y_test[:pictures]
    both = [[accuracy(network, shifted(x, side * k), y) for side in {1, -1 if k else 1}] for k in range(5)]
    return [np.mean(pair) for pair in both]


scores = {name: shift_scores(network) for name, network in networks.items()}


# %%
def shift_figure(pixels):
    pixels = int(pixels)
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), width_ratios=[1, 2.6])
    axes[0].imshow(shifted(x_test[:1], pixels)[0, :, :, 0])
    axes[0].set_title(f"moved by {pixels} pixels", fontsize=10)
    axes[0].axis("off")
    for number, (name, style) in enumerate(zip(scores, ["o-", "s--", "^:"], strict=False)):
        axes[1].plot(range(5), 100 * np.array(scores[name]), style, color=f"C{number}", label=name)
        axes[1].plot(pixels, 100 * scores[name][pixels], "o", markersize=14, fillstyle="none", color="black")
    axes[1].set(title="1,000 test pictures", xlabel="shift (pixels)", ylabel="accuracy (%)", ylim=(0, 100))
    axes[1].set_xticks(range(5))
    axes[1].legend(fontsize=8, loc="lower left")
    return figure


ck.explore(
    shift_figure,
    alt="A shifted picture and the accuracy of three networks by shift: dense and flatten fall steeply, global average slowly",
    pixels=[0, 1, 2, 3, 4],
)

# %%
lost = {name: 100 * (values[0] - values[4]) for name, values in scores.items()}
for name, points in lost.items():
    print(f"{name:23} loses at four pixels", "less than 25 points" if points < 25 else "more than 35 points")
assert min(lost["dense 300-100"], lost["modern, flatten"]) > 35 and lost["modern, global average"] < 25
at_two = [100 * values[2] for values in scores.values()]
assert at_two[1] - at_two[0] > 5

# %% [markdown]
# At two pixels the convolutional network with flatten holds on better than the dense one, yet at four pixels both have
# lost over 35 points. A convolution moves its map along with the picture (it is *equivariant*, chapter 08a), but
# flatten hands each **place** of the map to its own weights. The dense head has learned where things stand. Global
# averaging forgets the place, and loses less than 25 points. Why does it lose any?

# %%
keras.utils.set_random_seed(0)
spot = np.zeros((1, 28, 28, 1), "float32")
spot[0, 10:14, 10:14, 0] = np.random.default_rng(1).random((4, 4))
filter_bank, mean_of_maps = layers.Conv2D(8, 3, padding="same", activation="relu"), layers.GlobalAveragePooling2D()
for name, steps in [("convolution", [filter_bank]), ("convolution, pooling", [filter_bank, layers.MaxPooling2D()])]:
    pipeline = keras.Sequential([*steps, mean_of_maps])
    still = [bool(np.allclose(pipeline(shifted(spot, k)), pipeline(spot), atol=1e-6)) for k in (1, 2)]
    print(f"{name + ', global average':37} same after 1 pixel: {still[0]!s:5}  after 2 pixels: {still[1]}")
    assert still == [name == "convolution", True]

# %% [markdown]
# With an empty frame around it, convolution and global average are **invariant**; one pooling of 2 × 2 breaks that for
# a shift of 1.
#
# A dense network can also learn shifts from data: pictures moved by up to four pixels both ways, another move in each
# of five passes (augmentation, chapter 06b).

# %%
random = np.random.default_rng(0)
moves = random.integers(-4, 5, (5, len(x_train), 2))
padded = np.pad(x_train, ((0, 0), (4, 4), (4, 4), (0, 0)))  # (4000, 36, 36, 1)
many = np.concatenate(
    [[picture[4 - i : 32 - i, 4 - j : 32 - j] for picture, (i, j) in zip(padded, move, strict=True)] for move in moves]
)
augmented = dense_network()
train(augmented, adam(keras.optimizers.schedules.CosineDecay(RATE, 400)), many, np.tile(y_train, 5), epochs=1)
scores["dense, augmented"] = shift_scores(augmented)
change = 100 * (np.array(scores["dense, augmented"]) - scores["dense 300-100"])
print("augmented dense network, at 4 pixels more than 35 points better:", bool(change[4] > 35))
print("augmented dense network, unmoved pictures: lower by more than 1.5 points:", bool(change[0] < -1.5))
assert change[4] > 35 and change[0] < -1.5

# %% [markdown]
# It learns what convolution and averaging had built in, and pays with a lower score on unmoved pictures. That is the price
# after 400 steps; trained four times as long it was smaller (not shown here).
#
# ### Exercise 8b.5 · Accuracy on moved pictures · ●●○ · 8 minutes
# Write `shifted_accuracy(predict, x, y, columns)`: the share of pictures named rightly after all moved `columns` ≥ 0
# pixels to the right. `x` is `(examples, height, width)`, black (0) comes in, `predict(x)` gives logits `(examples,
# classes)`.


# %% tags=["exercise"]
def shifted_accuracy(predict, x, y, columns):
    ### BEGIN SOLUTION
    moved = np.zeros_like(x)
    moved[:, :, columns:] = x[:, :, : x.shape[2] - columns]
    return np.mean(predict(moved).argmax(axis=-1) == y)
    ### END SOLUTION


# %% tags=["check"]
ck.check("convnets.shifted_accuracy", shifted_accuracy)

# %% [markdown]
# ## What the full data gives
#
# `make bench` trained these on all of Fashion-MNIST, in one run on one machine. For the large published network only a
# tenth of an epoch was timed and scaled up; its accuracy is the published one. No row had a validation part.

# %%
rows = {row["name"]: row for row in ck.data.benchmark("fashion_mnist")["rows"] if not row["name"].startswith("MLP")}
print(f"{'':25} parameters  epochs  seconds  ratio  test   published")
for name, row in rows.items():
    score = f"{row['test_accuracy']:.3f}" if row["test_accuracy"] else "–"
    other = rows.get(row["compared_with"])
    ratio = f"{row['seconds'] / other['seconds']:.1g}" if other else "1"
    seconds = float(f"{row['seconds']:.2g}")
    numbers = f"{row['parameters']:10,} {row['epochs']:7} {seconds:8,.0f}  {ratio:5}  {score:5}"
    print(f"{name:25} {numbers}  {row['published_accuracy'] or ''}".rstrip())

course, lenet_course = rows["CNN 32-64-64, course"], rows["LeNet, ReLU, course"]
assert course["test_accuracy"] >= 0.9117 and course["seconds"] <= rows["CNN 64-128-256, published"]["seconds"] / 5
assert lenet_course["test_accuracy"] >= 0.88
assert lenet_course["seconds"] <= rows["LeNet, sigmoid, published"]["seconds"]
assert lenet_course["parameters"] == 61_706 and 0.7 < rows["LeNet, sigmoid, published"]["test_accuracy"] < 0.85

# %% [markdown]
# The published LeNet does learn, given enough steps. With ReLU, max pooling and Adam the same 61,706 parameters get
# above 0.88 in six epochs in place of ten. The course's network (32, 64 and 64 filters, batch normalisation, one residual
# connection) reaches the published 0.9117 of a larger network in less than a fifth of the time that we reckoned for it.
# The seconds are not of equal conditions: the course's rows run 47 updates in one call of Keras, and beside the larger
# network batches of 256 in place of 32. And it is one run each, without a validation part that chose epochs and rate.
#
# ### Exercise 8b.6 · Train with few parameters · ●●● · 15 minutes
# Write `train_convnet(x, y)`: build a convolutional network with **at most 6,000 parameters** for pictures of shape
# `(batch, 28, 28, 1)` with ten logits, train it on `x` and `y`, and return it. The check calls it with 600 pictures and
# wants a loss below 1.2 on 300 others; guessing gives 2.3.


# %% tags=["exercise"]
def train_convnet(x, y):
    ### BEGIN SOLUTION
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    network.compile(keras.optimizers.Adam(0.003), loss, steps_per_execution=10)
    network.fit(x, y, batch_size=30, epochs=10, verbose=0)
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("convnets.train_convnet", train_convnet)

# %% [markdown]
# ## Article clinic
#
# ### 08-1 · A feature map in place of classes
# The article (a3, 3.2) explains convolution and pooling for pictures, and its program (4.2) uses both. But the program ends
# with a feature map, flattened to 640 numbers with a ReLU in front, and takes these as the logits of ten labels. It also
# begins with 32 input channels.
# We rebuild the end with a map of 8 × 8 places and 10 channels. The article uses PyTorch, which puts channels first, so we
# do that before we flatten. **Guess:** will Keras complain? Will the loss fall?


# %%
def clinic_network(*head):
    keras.utils.set_random_seed(0)
    body = [layers.ZeroPadding2D(2), layers.Conv2D(8, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
    body += [layers.Conv2D(10, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
    body += [layers.Permute((3, 1, 2)), layers.Flatten()]  # (batch, channels, height, width), as PyTorch has it
    return keras.Sequential([keras.Input((28, 28, 1)), *body, *head])


few = x_train[:3_000], y_train[:3_000]
heads = {"640 outputs": (), "10 with ReLU": (layers.Dense(10, "relu"),), "10 logits": (layers.Dense(10),)}
clinic, falls = {}, {}
for name, head in heads.items():
    clinic[name] = clinic_network(*head)
    history = train(clinic[name], adam(0.003), *few, epochs=2)
    falls[name] = history[-1] < history[0]
    print(f"{name:13} output {clinic[name].output_shape}, the loss falls: {falls[name]}")
assert all(falls.values()) and clinic["640 outputs"].output_shape == (None, 640)

# %% [markdown]
# No error, and every loss falls. Are they classifiers?

# %%
logits = {name: network(x_test[:2_000]).numpy() for name, network in clinic.items()}
right = {name: np.mean(value.argmax(axis=-1) == y_test[:2_000]) for name, value in logits.items()}
print(f"right answers: 640 outputs about {10 * round(10 * right['640 outputs'])} %", end=", ")
print("10 logits above 65 %:", bool(right["10 logits"] > 0.65))
assert right["640 outputs"] < 0.15 and right["10 logits"] > 0.65

repainted = 1 - x_test[:100]  # white for black
repainted[:, :9] = x_test[:100, :9]  # but not in the nine rows at the top
outputs = clinic["640 outputs"](repainted).numpy()
assert np.allclose(outputs[:, :10], logits["640 outputs"][:100, :10], atol=1e-5)
assert not np.allclose(outputs[:, 10:], logits["640 outputs"][:100, 10:], atol=0.1)
probability = np.asarray(ops.softmax(logits["640 outputs"]))[:, 10:].sum(axis=1).mean()
print(f"probability given to labels that do not exist: more than a third: {bool(probability > 1 / 3)}")
assert probability > 1 / 3

# %% [markdown]
# Labels 0 to 9 are the first ten of the flattened numbers: ten places of **one channel**, the eight of its top row and two
# more below. Together they see nothing under the ninth row of the picture. We painted all of that anew, and the ten
# outputs did not move. A large part of the probability goes to 630 labels that do not exist. (Keras itself puts channels
# last: there the ten would be the ten channels of the upper left place, with 5 × 5 pixels to see.)
#
# And ReLU on logits? Ten outputs with ReLU are a classifier. Look at its largest logits:

# %%
never = np.sum(logits["10 with ReLU"].max(axis=0) <= 0)
print("10 with ReLU: classes whose logit is 0 for every picture: at least one:", bool(never >= 1))
print("10 with ReLU: more than 3 points below 10 logits:", bool(right["10 logits"] - right["10 with ReLU"] > 0.03))
assert never >= 1 and right["10 logits"] - right["10 with ReLU"] > 0.03
assert not (logits["640 outputs"] < 0).any() and (logits["10 logits"] < 0).any()
assert 639 * 0.9 / 0.1 > np.exp(8.6)  # the logit that 90 % needs when 639 others are 0

# %% [markdown]
# Behind ReLU a logit of 0 gets no gradient (chapter 01's dead units): a class whose logit is 0 for every picture is named at
# best when all others are 0 too, and only a change in the layers before it can bring it back. How many classes that hits,
# and how many points it costs, depends on the start: from a few points to over thirty in four starts that we tried (not
# shown here). And since no logit can be negative, the net cannot say "surely not": with 639 others at 0, a label needs a
# logit above 8.6 for 90 %.
#
# The 32 input channels remain. A grey picture has one. Repeat it 32 times, and the layer adds its 32 kernels:

# %%
wide, narrow = layers.Conv2D(4, 3), layers.Conv2D(4, 3)
grey = x_test[:10]
from_32 = wide(np.repeat(grey, 32, axis=-1))
narrow.build(grey.shape)
narrow.set_weights([wide.kernel.numpy().sum(axis=2, keepdims=True), wide.bias.numpy()])
assert np.allclose(from_32, narrow(grey), atol=1e-4)
print(f"{wide.count_params():,} parameters compute what {narrow.count_params()} compute")

# %% [markdown]
# **Right:** a dense head with 10 logits for 10 labels, no activation on them, and as many input channels as the picture
# has: 1 for grey, 3 for colour. A falling loss proves nothing; a held-out score does.
#
# ## Recap
#
# - After 240 steps LeNet's 61,706 parameters still guess with sigmoid and SGD, and score over 75 % with ReLU, max pooling and
#   Adam; over three quarters of them sit in one dense layer.
# - Batch normalisation, residual connections and global average pooling make a small modern network.
# - Convolution moves its maps with the picture; flatten remembers the place, global averaging forgets it.
# - Shift augmentation teaches a dense network the same, after 400 steps at a price on unmoved pictures.
# - Ten labels, ten logits, no activation on them.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("convnets.parameters")

# %% tags=["quiz"]
ck.quiz("convnets.shift")

# %% tags=["quiz"]
ck.quiz("convnets.zero_block")

# %% tags=["quiz"]
ck.quiz("convnets.logits")

# %% [markdown]
# ### References
#
# - LeCun, Bottou, Bengio, Haffner (1998). Gradient-based learning applied to document recognition. Proceedings of the IEEE 86(11).
# - Lin, Chen, Yan (2014). Network in network. ICLR. arXiv:1312.4400
# - Ioffe, Szegedy (2015). Batch normalization. ICML. arXiv:1502.03167
# - He, Zhang, Ren, Sun (2016). Deep residual learning for image recognition. CVPR. arXiv:1512.03385
# - Zhang, Lipton, Li, Smola. Dive into Deep Learning: LeNet, the published row.
# - Géron (2022). Hands-on machine learning, third edition, chapter 14: the published convolutional network.
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("convnets")
