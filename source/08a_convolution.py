# ---
# title: Convolution
# promise: You will write convolution and pooling from scratch, equal to Keras, and know what a filter sees, costs and cannot see.
# built: You wrote convolution and pooling, computed what a layer sees and costs, and built a small convolutional network.
# minutes: 75
# prerequisites: [07b_calibration]
# data: [mnist_digits, fashion_mnist]
# articles: [a3 3.2, a3 4.2]
# clinic: []
# topic: convolution
# ---

# %% [markdown]
# **What you will be able to do**
#
# - slide a kernel (卷积核) over a picture by hand, and get what Keras gets;
# - predict the size of an output from padding (填充), stride (步幅) and dilation (空洞率);
# - write max and average pooling (池化);
# - compute the receptive field (感受野) of a stack of layers, and measure it;
# - say what a convolution assumes about pictures, and measure what that is worth when it is true and when it is false.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## A picture with its pixels shuffled
#
# Take one random order of the 784 pixels and use it for *every* picture. Nobody can read such a digit. How much worse will
# a dense network read it? **Guess first.**

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

(x_train, y_train), (x_test, y_test) = ck.data.mnist_digits(train=3_000, test=2_000)
x_train = x_train[..., None].astype("float32") / 255  # (pictures, height, width, channels)
x_test = x_test[..., None].astype("float32") / 255
order = np.random.default_rng(0).permutation(784)


def shuffled(pictures):
    """Every picture with its pixels in the same new order, same shape."""
    return pictures.reshape(-1, 784)[:, order].reshape(pictures.shape)


# %%
figure, axes = plt.subplots(2, 6, figsize=(8, 3))
for column in range(6):
    axes[0, column].imshow(x_train[column, ..., 0])
    axes[1, column].imshow(shuffled(x_train[column : column + 1])[0, ..., 0])
    axes[0, column].set_title(f"a {y_train[column]}")
for axis in axes.flat:
    axis.axis("off")
ck.show(figure, alt="Six digits, and below each one the same pixels in a shuffled order, which look like noise")


# %%
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def train(network):
    """Train on digits as they are, then from the same start on shuffled ones. Returns both test accuracies."""
    start, accuracy = network.get_weights(), {}
    for name, change in {"as they are": lambda x: x, "shuffled": shuffled}.items():
        keras.utils.set_random_seed(0)
        network.set_weights(start)
        network.compile(keras.optimizers.Adam(0.003), loss, steps_per_execution=47)
        network.fit(change(x_train), y_train, batch_size=64, epochs=6, verbose=0)
        accuracy[name] = np.mean(network(change(x_test)).numpy().argmax(axis=-1) == y_test)
        print(f"{name:12} {accuracy[name]:.0%}")
    return accuracy


keras.utils.set_random_seed(0)
dense = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(11, "relu"), layers.Dense(10)])
dense_accuracy = train(dense)
assert 0.87 < min(dense_accuracy.values()) and max(dense_accuracy.values()) < 0.92
assert abs(dense_accuracy["as they are"] - dense_accuracy["shuffled"]) < 0.025

# %% [markdown]
# The dense network hardly notices: it never knew which pixels are neighbours. To us neighbours are everything. A
# **convolution** (卷积) builds that knowledge in.
#
# ## One kernel, one position
#
# A kernel is a small matrix of weights. Lay it on a patch of the picture, multiply entry by entry, add up. Then move it by
# one pixel and do the same again:
#
# $$ y_{ij} = \sum_{a=0}^{k-1} \sum_{b=0}^{k-1} x_{i+a,\,j+b}\, K_{ab} $$

# %%
picture = np.array([[0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 9, 9]])  # dark on the left, bright on the right
edge = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])  # right column minus left column
for j in range(2):
    patch = picture[0:3, j : j + 3]
    print(f"patch from column {j}: {(patch * edge).sum()}")
assert (picture[0:3, 0:3] * edge).sum() == 27

# %% [markdown]
# The kernel answers where brightness rises from left to right. A 4×4 picture has 2×2 positions for a 3×3 kernel.
#
# ### Exercise 8a.1 · Slide a kernel · ●●○ · 8 minutes
# Write `slide(picture, kernel)`: the sum above for every position where the kernel lies inside the picture. `picture` has
# the shape `(height, width)`, `kernel` `(k, k)`; the result `(height − k + 1, width − k + 1)`.


# %% tags=["exercise"]
def slide(picture, kernel):
    ### BEGIN SOLUTION
    k = len(kernel)
    rows, columns = picture.shape[0] - k + 1, picture.shape[1] - k + 1
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            output[i, j] = (picture[i : i + k, j : j + k] * kernel).sum()
    return output
    ### END SOLUTION


# %% tags=["check"]
ck.check("convolution.slide", slide)

# %% [markdown]
# Mathematicians turn the kernel by 180° before they slide it, and call only that a convolution; ours is a
# *cross-correlation*. A network learns its kernel, so it does not care which way round. But which one does Keras compute?

# %%
from scipy import signal

random = np.random.default_rng(0)
x, K = random.normal(size=(10, 12)), random.normal(size=(3, 3))
keras_value = ops.convert_to_numpy(ops.conv(x[None, ..., None], K[..., None, None]))[0, ..., 0]
print("Keras does not turn the kernel:", np.allclose(keras_value, signal.correlate2d(x, K, mode="valid"), atol=1e-5))
print("Keras turns the kernel:        ", np.allclose(keras_value, signal.convolve2d(x, K, mode="valid"), atol=1e-5))
assert np.allclose(keras_value, signal.correlate2d(x, K, mode="valid"), atol=1e-5)
assert np.allclose(keras_value, signal.convolve2d(x, K[::-1, ::-1], mode="valid"), atol=1e-5)

# %% [markdown]
# ## A playground
#
# Six kernels and five garments. **Before you move the menu,** guess what `sharpen` does to a flat grey area: its
# entries sum to 1.

# %%
(clothes, labels), _ = ck.data.fashion_mnist(train=200, test=100)
names = ck.data.card("fashion_mnist")["classes"]
kernels = {
    "blur": np.full((3, 3), 1 / 9),
    "left to right edge": edge,
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "top to bottom edge": edge.T,
    "spots": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    "move right": np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]]),
}


def draw(kernel, garment):
    original = clothes[labels == names.index(garment)][0] / 255
    result = signal.correlate2d(original, kernels[kernel], mode="same")
    figure, axes = plt.subplots(1, 3, figsize=(9, 3))
    axes[0].imshow(original, vmin=0, vmax=1)
    axes[1].imshow(kernels[kernel], cmap="RdBu", vmin=-8, vmax=8)
    for (row, column), value in np.ndenumerate(kernels[kernel]):
        axes[1].text(column, row, f"{value:.2g}", ha="center", va="center")
    axes[2].imshow(result, vmin=min(0, result.min()), vmax=max(1, result.max()))
    for axis, title in zip(axes, [garment, f"kernel: {kernel}", "output"], strict=True):
        axis.set_title(title)
        axis.axis("off")
    return figure


# %%
ck.explore(
    draw,
    alt="A garment, a kernel of three by three numbers, and the output of sliding one over the other",
    kernel=list(kernels),
    garment=["Sandal", "Ankle boot", "Shirt", "Bag", "Dress"],
)
flat = np.full((5, 5), 0.5)
assert np.allclose(signal.correlate2d(flat, kernels["sharpen"], mode="valid"), 0.5)
assert np.allclose(signal.correlate2d(flat, edge, mode="valid"), 0)

# %% [markdown]
# A kernel whose entries sum to 1 leaves flat areas as they are; one whose entries sum to 0 makes them 0 and keeps changes.
# Nobody will choose kernels from here on: gradient descent does.
#
# ## Many channels, many filters
#
# A picture has channels (one for grey, three for colour), and a layer has many kernels, called **filters**. Each filter looks
# at all channels at once and has one bias:
#
# $$ y_{ijf} = b_f + \sum_{a,b,c} x_{i+a,\,j+b,\,c}\, K_{abcf} $$
#
# This is $x W + b$ again, for every patch, with the same $W$.


# %%
def convolve(x, K, b):
    """Valid convolution: x (pictures, height, width, channels), K (k, k, channels, filters), b (filters,)."""
    k = K.shape[0]
    patches = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))  # (pictures, i, j, channels, a, b)
    return np.einsum("nijcab,abcf->nijf", patches, K) + b


x = random.normal(size=(5, 9, 8, 3)).astype("float32")
layer = layers.Conv2D(4, 3)
keras_value = ops.convert_to_numpy(layer(x))
K, b = layer.get_weights()
print("kernels", K.shape, " biases", b.shape, " output", keras_value.shape)
assert np.allclose(convolve(x, K, b), keras_value, atol=1e-5)

# %% [markdown]
# ## Padding, stride, dilation
#
# Three knobs. **Padding** puts $p$ rows of zeros around the picture, so that the output does not shrink. **Stride** $s$ moves
# the kernel by $s$ pixels at a time. **Dilation** $d$ pulls the kernel apart: it reads every $d$-th pixel, and spans
# $d(k-1)+1$ pixels with $k$ weights. The output along one side of $n$ pixels has
#
# $$ \left\lfloor \frac{n + 2p - d(k-1) - 1}{s} \right\rfloor + 1 $$
#
# entries. We ask Keras, with explicit zeros around the picture.

# %%
print("  n  k  p  s  d   output")
for n, k, p, s, d in [(28, 3, 0, 1, 1), (28, 3, 1, 1, 1), (28, 5, 2, 2, 1), (28, 3, 2, 1, 2), (29, 4, 0, 3, 1)]:
    padded = layers.ZeroPadding2D(p)(np.zeros((1, n, n, 1), "float32"))
    output = ops.conv(padded, np.zeros((k, k, 1, 1), "float32"), strides=s, dilation_rate=d)
    size = (n + 2 * p - d * (k - 1) - 1) // s + 1
    print(f"{n:3} {k:2} {p:2} {s:2} {d:2} {size:8}")
    assert output.shape[1:3] == (size, size)

same = [layers.Conv2D(1, 3, strides=s, padding="same")(np.zeros((1, 28, 28, 1))).shape[1] for s in (1, 2, 3)]
print("padding='same', strides 1, 2, 3:", same)
assert same == [-(-28 // s) for s in (1, 2, 3)]  # n / s, rounded up

# %% [markdown]
# ### Exercise 8a.2 · The size of the output · ●○○ · 5 minutes
# Write `output_size(n, k, padding, stride, dilation)` with the formula above: one side of the output, a whole number.


# %% tags=["exercise"]
def output_size(n, k, padding, stride, dilation):
    ### BEGIN SOLUTION
    return (n + 2 * padding - dilation * (k - 1) - 1) // stride + 1
    ### END SOLUTION


# %% tags=["check"]
ck.check("convolution.output_size", output_size)

# %% [markdown]
# ## Pooling
#
# Pooling makes a picture smaller: of each block of 2×2 entries it keeps the largest (**max pooling**) or the mean
# (**average pooling**). It has no weights. With NumPy: cut each side into blocks, then reduce inside the blocks.

# %%
x = random.normal(size=(5, 8, 6, 3)).astype("float32")
blocks = x.reshape(5, 4, 2, 3, 2, 3)  # (pictures, block row, row in block, block column, column in block, channels)
assert np.allclose(blocks.mean(axis=(2, 4)), layers.AveragePooling2D(2)(x), atol=1e-6)
print("average pooling:", x.shape, "becomes", blocks.mean(axis=(2, 4)).shape)

# %% [markdown]
# ### Exercise 8a.3 · Max pooling by hand · ●●○ · 8 minutes
# Write `max_pool(x, size)` for `x` of shape `(pictures, height, width, channels)`: the largest entry of each block of
# `size` by `size`. When a side is no multiple of `size`, the rest at its end is left out, as Keras does by default.


# %% tags=["exercise"]
def max_pool(x, size):
    ### BEGIN SOLUTION
    pictures, height, width, channels = x.shape
    rows, columns = height // size, width // size
    x = x[:, : rows * size, : columns * size]
    return x.reshape(pictures, rows, size, columns, size, channels).max(axis=(2, 4))
    ### END SOLUTION


# %% tags=["check"]
ck.check("convolution.max_pool", max_pool)

# %% [markdown]
# ## What one output sees
#
# One number in a deep layer depends on a patch of the picture: its **receptive field**. Go through the layers from the
# picture on. Start with a field $r = 1$ and a jump $j = 1$ (how many pixels apart two neighbours of this layer are). A layer
# with kernel $k$, stride $s$ and dilation $d$ makes
#
# $$ r \leftarrow r + d\,(k-1)\,j, \qquad j \leftarrow j\,s $$
#
# Pooling counts as a layer with its size as kernel and stride. Is it true? We measure: the gradient of one output with
# respect to the picture is not zero exactly where that output can see. With all weights 1, nothing cancels.

# %%
import tensorflow as tf

stacks = {  # (kernel, stride, dilation) of each layer
    "one 3×3": [(3, 1, 1)],
    "three 3×3": [(3, 1, 1)] * 3,
    "3×3, pool, 3×3": [(3, 1, 1), (2, 2, 1), (3, 1, 1)],
    "dilations 1, 2, 4": [(3, 1, 1), (3, 1, 2), (3, 1, 4)],
    "(3×3, pool) twice, 3×3": [(3, 1, 1), (2, 2, 1), (3, 1, 1), (2, 2, 1), (3, 1, 1)],
}


def sight(stack, size=33):
    """Gradient of one output in the middle with respect to the picture, shape (size, size)."""
    picture = tf.ones((1, size, size, 1))
    with tf.GradientTape() as tape:
        tape.watch(picture)
        x = picture
        for k, s, d in stack:
            x = ops.conv(x, np.ones((k, k, 1, 1), "float32"), strides=s, dilation_rate=d)
        middle = x[0, x.shape[1] // 2, x.shape[2] // 2, 0]
    return tape.gradient(middle, picture).numpy()[0, ..., 0]


# %%
fields, measured = {}, {}
for name, stack in stacks.items():
    r, j = 1, 1
    for k, s, d in stack:
        r, j = r + d * (k - 1) * j, j * s
    seen = np.flatnonzero(sight(stack).any(axis=0))
    fields[name], measured[name] = r, seen.max() - seen.min() + 1
    print(f"{name:24} computed {r:2}   measured {measured[name]:2}")
assert fields == measured


# %%
def draw(stack):
    seen = sight(stacks[stack])
    figure, axis = plt.subplots(figsize=(4.5, 4))
    image = axis.imshow(seen / seen.max(), cmap="viridis")
    figure.colorbar(image, label="gradient, largest = 1")
    axis.set(title=f"{stack}: {fields[stack]} pixels wide", xlabel="column (pixels)", ylabel="row (pixels)")
    axis.grid(False)
    return figure


ck.explore(
    draw, alt="Which pixels of the picture one output sees: a square, brighter in its middle", stack=list(stacks)
)

# %% [markdown]
# The field grows by 2 with each 3×3 layer of stride 1; a pooling of 2 doubles what later layers add, and dilation widens it
# at no cost in weights. With equal weights the middle of the field counts most: more paths lead there.
#
# ### Exercise 8a.4 · How much a layer sees · ●●○ · 7 minutes
# Write `receptive_field(stack)`: the width $r$ for a list of layers, each `(kernel, stride, dilation)`, first layer first.


# %% tags=["exercise"]
def receptive_field(stack):
    ### BEGIN SOLUTION
    field, jump = 1, 1
    for kernel, stride, dilation in stack:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field
    ### END SOLUTION


# %% tags=["check"]
ck.check("convolution.receptive_field", receptive_field)

# %% [markdown]
# ## A dense layer with two promises
#
# A convolution is linear, so it *is* a dense layer, with a particular matrix. We find that matrix by sending each
# one-pixel picture through it: 6×6 pixels in, 4×4 numbers out. **Guess first:** of its 576 entries, how many are not zero,
# and how many different values do these have?

# %%
K = random.normal(size=(3, 3, 1, 1)).astype("float32")
units = np.eye(36, dtype="float32").reshape(36, 6, 6, 1)  # 36 pictures with one bright pixel each
W = ops.convert_to_numpy(ops.conv(units, K)).reshape(36, 16)  # (inputs, outputs)
x = random.normal(size=(5, 6, 6, 1)).astype("float32")
assert np.allclose(x.reshape(5, 36) @ W, ops.convert_to_numpy(ops.conv(x, K)).reshape(5, 16), atol=1e-5)
print(f"{W.size} entries, {np.count_nonzero(W)} not zero, {len(np.unique(W[W != 0]))} different values")
assert (W.size, np.count_nonzero(W), len(np.unique(W[W != 0]))) == (576, 144, 9)

# %% [markdown]
# Two promises about pictures: an output needs its **neighbourhood** only (zeros), and what is worth finding is worth
# finding **everywhere** (shared weights). The second one has a consequence: when the picture moves, the output moves along.
# A function that does this is **equivariant** (等变) to shifts. At stride 1 it holds for each shift, but for the border.

# %%
moved = np.roll(x_test[:100], 2, axis=2)  # two pixels to the right; the border of a digit is empty
weights = random.normal(size=(3, 3, 1, 4)).astype("float32")
here, there = (ops.convert_to_numpy(ops.conv(pictures, weights)) for pictures in (x_test[:100], moved))
assert np.allclose(there[:, :, 4:-2], here[:, :, 2:-4], atol=1e-5)
print("a picture moved by 2 pixels gives an output moved by 2 pixels, apart from the border")

# %% [markdown]
# ### Exercise 8a.5 · Convolution beside dense · ●○○ · 6 minutes
# Write `compare_sizes(side, k, channels, filters)` for a picture of `side`×`side` pixels with `channels` channels and a
# convolution with padding "same", stride 1 and biases. Return two numbers: the parameters of the convolution, and those of a
# Dense layer that has the same inputs and as many outputs.


# %% tags=["exercise"]
def compare_sizes(side, k, channels, filters):
    ### BEGIN SOLUTION
    inputs, outputs = side * side * channels, side * side * filters
    return k * k * channels * filters + filters, inputs * outputs + outputs
    ### END SOLUTION


# %% tags=["check"]
ck.check("convolution.compare_sizes", compare_sizes)

# %%
convolution = layers.Conv2D(32, 3, padding="same")
convolution.build((None, 28, 28, 1))
dense_parameters = (28 * 28 + 1) * 28 * 28 * 32
print(f"convolution: {convolution.count_params():,}   dense layer of the same shape: {dense_parameters:,} parameters")
assert convolution.count_params() == 320 and dense_parameters == 19_694_080

# %% [markdown]
# ## When the promises are broken
#
# Now a convolutional network. What is an equal opponent? The dense network of the beginning has about as many parameters,
# but far fewer multiplications, for a convolution uses each weight at every position. So a second dense network stands
# beside it, with as many multiplications: 365 units. **Guess first:** how will the three read digits as they are, and
# shuffled ones?

# %%
keras.utils.set_random_seed(0)
convolutional = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(10),
    ]
)
keras.utils.set_random_seed(0)
wide = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(365, "relu"), layers.Dense(10)])
multiplications = {  # for one picture: a convolution uses each weight at each position of its output
    convolutional: 28 * 28 * (3 * 3 * 1 * 8) + 14 * 14 * (3 * 3 * 8 * 16) + 784 * 10,
    dense: (784 + 10) * 11,
    wide: (784 + 10) * 365,
}
for name, network in {"convolutional": convolutional, "dense, 11 units": dense, "dense, 365 units": wide}.items():
    print(f"{name:16} {network.count_params():7,} parameters, {multiplications[network]:7,} multiplications")

# %%
print("convolutional:")
accuracy = train(convolutional)
print("dense, 365 units:")
wide_accuracy = train(wide)

# %%
assert abs(convolutional.count_params() / dense.count_params() - 1) < 0.05
assert abs(multiplications[wide] / multiplications[convolutional] - 1) < 0.01
assert 33 < multiplications[convolutional] / multiplications[dense] < 34
assert 0.94 < accuracy["as they are"] < 0.97 and 0.86 < accuracy["shuffled"] < 0.91
assert accuracy["as they are"] - dense_accuracy["as they are"] > 0.04
assert 0.02 < accuracy["as they are"] - wide_accuracy["as they are"] < 0.06
assert abs(accuracy["shuffled"] - dense_accuracy["shuffled"]) < 0.03
assert wide_accuracy["shuffled"] - accuracy["shuffled"] > 0.015

# %% [markdown]
# On digits as they are the convolutional network is ahead: by over four points of the dense network with as many
# parameters, by two to six of the one with as many multiplications. (For other starts the second lead can be smaller; not
# shown here.) On shuffled pixels it has no lead: it comes level with the small dense network and falls **behind** the wide
# one. So the gain comes from the promises, and where they are false they cost something. Where neighbours mean nothing
# (columns of a patient's table, say), there is no reason to expect a gain from a convolution.
#
# ### Exercise 8a.6 · A small convolutional network · ●●○ · 10 minutes
# Write `build_convnet()`: a compiled Keras model for pictures `(batch, 28, 28, 1)` with two convolutions (ReLU), a pooling
# layer after each, and ten logits. It must have fewer than 10,000 parameters. Compile it with Adam and `loss`, as above.


# %% tags=["exercise"]
def build_convnet():
    ### BEGIN SOLUTION
    network = keras.Sequential([keras.Input((28, 28, 1))])
    for filters in (8, 16):
        network.add(layers.Conv2D(filters, 5, activation="relu"))
        network.add(layers.MaxPooling2D(2))
    network.add(layers.Flatten())
    network.add(layers.Dense(10))
    network.compile(keras.optimizers.Adam(0.003), loss)
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("convolution.build_convnet", build_convnet)

# %% [markdown]
# ## Recap
#
# - A convolution is $x W + b$ for every patch with one shared $W$; Keras does not turn the kernel.
# - Padding, stride and dilation set the size of the output; one formula holds for all.
# - Pooling shrinks, without weights. The receptive field grows with depth, faster after pooling or with dilation.
# - A 3×3 convolution from 1 to 32 channels has 320 parameters; the dense layer of that shape has almost 20 million.
# - It assumes neighbourhood and the same meaning everywhere. On our digits that was worth over four points at equal
#   parameters, and over two at equal multiplications; on shuffled pixels it fell behind at equal multiplications.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("convolution.sum")

# %% tags=["quiz"]
ck.quiz("convolution.shuffle")

# %% tags=["quiz"]
ck.quiz("convolution.field")

# %% tags=["quiz"]
ck.quiz("convolution.shared")

# %% [markdown]
# ### References
#
# - Fukushima (1980). Neocognitron: A self-organizing neural network model for a mechanism of pattern recognition unaffected by shift in position. Biological Cybernetics 36.
# - LeCun, Bottou, Bengio, Haffner (1998). Gradient-based learning applied to document recognition. Proceedings of the IEEE 86(11).
# - Dumoulin, Visin (2016). A guide to convolution arithmetic for deep learning. arXiv:1603.07285
# - Yu, Koltun (2016). Multi-scale context aggregation by dilated convolutions. ICLR. arXiv:1511.07122
# - Araujo, Norris, Sim (2019). Computing receptive fields of convolutional neural networks. Distill.
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("convolution")
