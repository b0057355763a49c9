# ---
# title: Quantisation
# promise: You will turn a network into 8-bit integers by hand, get LiteRT's own numbers, and break it with a single weight.
# built: You turned a network into 8-bit integers by hand, calibrated it, and broke it with a single weight.
# minutes: 80
# prerequisites: [08b_convolutional_networks]
# data: [fashion_mnist]
# articles: [a0 6, a4 8]
# clinic: ["14-1"]
# topic: quantisation
# ---

# %% [markdown]
# **What you will be able to do**
#
# - map real numbers to 8-bit integers with a scale (缩放因子) and a zero point (零点), and bound the error;
# - quantise (量化) weights per tensor and per channel (逐通道), and get the same integers as LiteRT;
# - compute a whole network in integers;
# - calibrate (校准) with a representative data set, and see what a wrong one does;
# - say what quantisation is good for in use and in training, and how it fails.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## How many different values does a weight need?
#
# A network for Fashion-MNIST with 79,510 parameters. Each takes 32 bits, so it could be one of four billion values.

# %%
import pathlib
import tempfile
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from keras import layers, ops

(pixels, y_train), (test_pixels, y_test) = ck.data.fashion_mnist(train=12_000, test=4_000)
pixels, test_pixels = pixels.reshape(-1, 784), test_pixels.reshape(-1, 784)
x_train, x_test = (part.astype("float32") / 255 for part in (pixels, test_pixels))


def build(dense=layers.Dense):
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((784,)), dense(100, "relu"), dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(0.002), loss, steps_per_execution=20)
    return network


# %%
network = build()
network.fit(x_train, y_train, 100, 6, verbose=0)
(kernel, bias), (kernel_2, bias_2) = (layer.get_weights() for layer in network.layers)


def forward(x, kernel, kernel_2):
    """Logits (examples, 10) of the network with other kernels and its own biases."""
    return np.maximum(x @ kernel + bias, 0) @ kernel_2 + bias_2


def accuracy(logits):
    return 100 * np.mean(logits.argmax(axis=1) == y_test)


logits = forward(x_test, kernel, kernel_2)
assert np.allclose(logits, network(x_test), atol=1e-3)
print(f"{network.count_params():,} parameters, accuracy ≈ {accuracy(logits):.1f} %")
assert 80 < accuracy(logits) < 88

# %% [markdown]
# With $b$ bits we allow the whole numbers from $-(2^{b-1}-1)$ to $2^{b-1}-1$, times one step for each matrix. **Guess:**
# how far can we go down from 32 bits before the network suffers: 16, 8, 4 or 2?


# %%
def symmetric(w, bits=8, axis=None):
    """Integers (as floats) and scale of w. axis: the largest weight is looked for along it; None: one scale for all."""
    scale = np.abs(w).max(axis=axis, keepdims=True) / (2 ** (bits - 1) - 1)
    return np.round(w / scale), scale


def rounded(w, bits=8, axis=None):
    q, scale = symmetric(w, bits, axis)
    return q * scale


widths = [8, 7, 6, 5, 4, 3, 2]
by_bits = {
    name: [accuracy(forward(x_test, rounded(kernel, bits, axis), rounded(kernel_2, bits, axis))) for bits in widths]
    for name, axis in {"one scale a matrix": None, "one scale a unit": 0}.items()
}

# %%
figure, axis = plt.subplots(figsize=(7.5, 3.6))
for (name, values), style in zip(by_bits.items(), ["o-", "s--"], strict=True):
    axis.plot(widths, values, style, label=name)
axis.axhline(accuracy(logits), color="black", linestyle=":", label="32-bit floats")
axis.set(title="Rounded weights", xlabel="bits a weight", ylabel="accuracy (%)", ylim=(0, 100))
axis.invert_xaxis()
axis.legend()
ck.show(figure, alt="Accuracy against bits a weight: flat from 8 down to 4 bits, a little lower at 3, collapsed at 2")

eight, four, two = (by_bits["one scale a matrix"][widths.index(bits)] for bits in (8, 4, 2))
print(
    f"accuracy: 32 bits ≈ {accuracy(logits):.1f} %, 8 bits ≈ {eight:.1f} %, 4 bits ≈ {four:.1f} %, 2 bits ≈ {two:.0f} %"
)
assert abs(accuracy(logits) - eight) < 0.5 and accuracy(logits) - four < 3 and accuracy(logits) - two > 40

# %% [markdown]
# For this network 255 values are as good as four billion. That is a quarter of the memory for next to nothing.
#
# ## Scale and zero point
#
# Weights lie on both sides of 0. Activations often do not: behind ReLU none is negative, and half of the integers would
# be wasted. So the map gets an offset, the integer that stands for the real 0. It is called affine (仿射) quantisation:
#
# $$ x \approx s\,(q - z), \qquad q = \mathrm{clip}\!\left(\mathrm{round}\!\left(\frac{x}{s}\right) + z,\, -128,\, 127\right) $$
#
# $s$ is the scale, $z$ the zero point. A range from $l$ to $h$ has 255 steps: $s = (h - l)/255$, and $l$ goes to $-128$.
# A pixel, stored as a byte, is between 0 and 1 for our network. **Guess** $s$ and $z$.


# %%
def affine(low, high):
    scale = (high - low) / 255
    return scale, int(np.round(-128 - low / scale))


def quantise(x, scale, zero_point):
    return np.clip(np.round(x / scale) + zero_point, -128, 127).astype("int8")


def dequantise(q, scale, zero_point):
    return scale * (q.astype("float32") - zero_point)


s_x, z_x = affine(0.0, 1.0)
q_x = quantise(x_test, s_x, z_x)
assert np.array_equal(q_x, test_pixels.astype("int16") - 128)
print(f"scale 1/{1 / s_x:.0f}, zero point {z_x}: the integers are the bytes of the file minus 128")

# %% [markdown]
# Pictures were quantised all along. What is lost elsewhere? Inside the range at most half a step, outside it everything
# beyond the end:

# %%
scale, zero_point = affine(-1.0, 3.0)
line = np.linspace(-2, 4, 2_001)
error = dequantise(quantise(line, scale, zero_point), scale, zero_point) - line
inside = np.abs(line - 1) <= 2 - scale

figure, axis = plt.subplots(figsize=(7.5, 3.2))
axis.plot(line, error)
axis.set(title="Range −1 to 3 in 8 bits", xlabel="real number", ylabel="error after there and back")
ck.show(figure, alt="The error is nearly 0 from -1 to 3 and grows steadily outside this range")
print(f"largest error inside: {np.abs(error[inside]).max() / scale:.2f} steps; error at 4: {error[-1]:.2f}")
assert np.abs(error[inside]).max() <= 0.501 * scale and abs(error[-1] + 1) < 0.02

# %% [markdown]
# ### Exercise 14a.1 · A range with zero · ●●○ · 8 minutes
# Real zeros are frequent: padding, ReLU, black. They must have no error, so the range must hold 0. Write
# `affine_with_zero(low, high)`: first stretch the range so that it holds 0 (2 to 6 becomes 0 to 6), then return scale
# and zero point (a whole number).


# %% tags=["exercise"]
def affine_with_zero(low, high):
    ### BEGIN SOLUTION
    low, high = min(low, 0), max(high, 0)
    scale = (high - low) / 255
    return scale, round(-128 - low / scale)
    ### END SOLUTION


# %% tags=["check"]
ck.check("quantisation.affine_with_zero", affine_with_zero)

# %% [markdown]
# ## The same with LiteRT
#
# LiteRT (once TensorFlow Lite) runs networks on telephones and in browsers, from one file. Keras exports it; its
# converter can quantise on the way. *Dynamic-range* quantisation stores weights as int8, all else stays float.
#
# `ck.silent_log` keeps out of the notebook what the converter writes past Python.


# %%
def export(network, **options):
    """The bytes of the LiteRT file of a network."""
    with tempfile.TemporaryDirectory() as folder, ck.silent_log():
        path = pathlib.Path(folder) / "network.tflite"
        network.export(path, format="litert", verbose=False, **options)
        return path.read_bytes()


# %%
def run(model, x):
    """Run a LiteRT file on x (examples, …). Returns its output, and {(dtype, shape): (values, scales, zero points)} of
    all quantised tensors inside."""
    engine = Interpreter(
        model_content=model,
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    (taken,), (given,) = engine.get_input_details(), engine.get_output_details()
    engine.resize_tensor_input(taken["index"], x.shape)
    engine.allocate_tensors()
    engine.set_tensor(taken["index"], x)
    engine.invoke()
    inside = {}
    for tensor in engine.get_tensor_details():
        numbers = tensor["quantization_parameters"]
        if len(numbers["scales"]):
            key = tensor["dtype"].__name__, tuple(map(int, tensor["shape"]))
            inside[key] = engine.get_tensor(tensor["index"]), numbers["scales"], numbers["zero_points"]
    return engine.get_tensor(given["index"]), inside


# %%
shrink = {"optimizations": [tf.lite.Optimize.DEFAULT]}
as_float, dynamic = export(network), export(network, **shrink)
assert np.allclose(run(as_float, x_test)[0], logits, atol=1e-3)
output, inside = run(dynamic, x_test)
factor, lost = len(as_float) / len(dynamic), abs(accuracy(logits) - accuracy(output))
print(f"{len(as_float) / 1000:.0f} kB as floats, {factor:.1f} times smaller as int8")
print(f"accuracy: floats ≈ {accuracy(logits):.1f} %, int8 ≈ {accuracy(output):.1f} %")
print("quantised tensors:", list(inside))
assert 3.6 < factor < 3.8 and lost < 0.5

# %% [markdown]
# Only the large matrix was quantised, stored as (units, inputs); the converter leaves the 1,000 weights of the last layer
# alone. Are its integers ours?

# %%
q, scales, zero_points = inside["int8", (100, 784)]
ours, our_scales = symmetric(kernel, axis=0)  # one scale a unit
assert np.allclose(our_scales[0], scales, rtol=1e-5) and not zero_points.any()
differ = np.abs(ours.T - q)
print(f"{q.size:,} integers, equal ≈ {100 * np.mean(differ == 0):.2f} %, none apart by more than 1")
assert differ.max() <= 1 and np.mean(differ == 0) > 0.999

# %% [markdown]
# LiteRT's numbers are the ones of our two lines of NumPy: one scale for each unit, zero point 0, from −127 to 127. For a
# convolution the channel of the output takes the place of the unit, hence *per channel*.
#
# ### Exercise 14a.2 · A scale for each channel · ●●○ · 8 minutes
# Write `per_channel(kernel)` for a convolution kernel `(height, width, channels in, channels out)`: the whole numbers
# from −127 to 127, in the same shape, and the scales `(channels out,)`.


# %% tags=["exercise"]
def per_channel(kernel):
    ### BEGIN SOLUTION
    scales = np.abs(kernel).max(axis=(0, 1, 2)) / 127
    return np.round(kernel / scales), scales
    ### END SOLUTION


# %% tags=["check"]
ck.check("quantisation.per_channel", per_channel)

# %% [markdown]
# ## A network without a float
#
# *Full int8*: activations become integers too. Their range is not in the weights. The converter runs the network on a
# few hundred typical inputs, the representative data set, and notes lowest and highest value of each activation.


# %%
def representative(x):
    """A function that yields the pictures one by one, as the converter asks for them."""
    return lambda: ([picture[None]] for picture in x)


integers = {"inference_input_type": tf.int8, "inference_output_type": tf.int8}
full = export(network, representative_dataset=representative(x_train[:500]), **shrink, **integers)
q_logits, inside = run(full, q_x)
_, (s_h,), (z_h,) = inside["int8", (4_000, 100)]
_, (s_y,), (z_y,) = inside["int8", (4_000, 10)]

seen = np.maximum(x_train[:500] @ kernel + bias, 0)
seen_logits = forward(x_train[:500], kernel, kernel_2)
for low, high, found in [(0.0, seen.max(), (s_h, z_h)), (seen_logits.min(), seen_logits.max(), (s_y, z_y))]:
    assert np.allclose(affine(low, high), found, rtol=1e-3)
print(f"hidden layer: zero point {z_h}; logits: another scale and zero point, both as by our formula")
assert z_h == -128

# %% [markdown]
# And the arithmetic? Put $x = s_x(q_x - z_x)$ and $w = s_w q_w$ into $y = xw + b$; the scales come out of the sum:
#
# $$ q_y = z_y + \frac{s_x s_w}{s_y} \Big( \sum (q_x - z_x)\, q_w + q_b \Big), \qquad q_b = \frac{b}{s_x s_w} $$
#
# Inside the bracket are only integers, products of 8-bit numbers, added up in 32 bits. One multiplication follows for
# each output. The whole network in integers:


# %%
def integer_dense(q_x, z_x, q_w, q_b, factor, z_y):
    """int8 (examples, inputs) to int8 (examples, units). q_w (units, inputs) int8, q_b (units,) int32."""
    total = (q_x.astype("int32") - z_x) @ q_w.T.astype("int32") + q_b  # (examples, units) int32
    return np.clip(z_y + np.round(total * factor), -128, 127).astype("int8")


(q_1, s_1, _), (q_2, s_2, _) = inside["int8", (100, 784)], inside["int8", (10, 100)]
q_b1, q_b2 = (np.round(b / (s * w)).astype("int32") for b, s, w in [(bias, s_x, s_1), (bias_2, s_h, s_2)])
assert np.abs(q_b1 - inside["int32", (100,)][0]).max() <= 1 and np.abs(q_b2 - inside["int32", (10,)][0]).max() <= 1

hidden = integer_dense(q_x, z_x, q_1, q_b1, s_x * s_1 / s_h, z_h)
ours = integer_dense(hidden, z_h, q_2, q_b2, s_h * s_2 / s_y, z_y)
differ = np.abs(ours.astype("int32") - q_logits)
print(
    f"NumPy and LiteRT: {differ.size:,} logits, equal ≈ {100 * np.mean(differ == 0):.2f} %, none apart by more than 1"
)
assert differ.max() <= 1 and np.mean(differ == 0) > 0.99
lost = accuracy(logits) - accuracy(q_logits)
print(f"accuracy: floats ≈ {accuracy(logits):.1f} %, integers ≈ {accuracy(q_logits):.1f} %")
assert abs(lost) < 1

# %% [markdown]
# Where is ReLU? It is the clip: the hidden layer's zero point is −128, so what is below 0 cannot be said.
#
# The few logits that are one apart lie at the edge of rounding: LiteRT also replaces the factor by an integer and a
# shift (Jacob et al., 2018).
#
# ### Exercise 14a.3 · Back to real numbers · ●●○ · 8 minutes
# Write `real_output(q_x, s_x, z_x, q_w, s_w)`: the **real** numbers $xw$, shape `(examples, units)`, from the integers. `q_x` is
# `(examples, inputs)` int8 with scale `s_x` and zero point `z_x`, `q_w` is `(units, inputs)` int8 with one scale a unit, `s_w`.
# Mind the type in which the sum is taken.


# %% tags=["exercise"]
def real_output(q_x, s_x, z_x, q_w, s_w):
    ### BEGIN SOLUTION
    total = (q_x.astype("int32") - z_x) @ q_w.T.astype("int32")
    return s_x * s_w * total
    ### END SOLUTION


# %% tags=["check"]
ck.check("quantisation.real_output", real_output)

# %% [markdown]
# ### Exercise 14a.4 · Bits for a sum · ●●○ · 7 minutes
# How wide must the sum be? Write `bits_needed(inputs)`: the bits of the narrowest signed integer that holds the sum of
# `inputs` products in the worst case. One factor, $q_x - z_x$, lies between −255 and 255, the other between −127 and 127.
# A signed integer of $n$ bits holds up to $2^{n-1}-1$.


# %% tags=["exercise"]
def bits_needed(inputs):
    ### BEGIN SOLUTION
    return (inputs * 255 * 127).bit_length() + 1
    ### END SOLUTION


# %% tags=["check"]
ck.check("quantisation.bits_needed", bits_needed)

# %%
total = (q_x.astype("int32") - z_x) @ q_1.T.astype("int32") + q_b1
wrapped = total.astype("int16")  # what an adder of 16 bits would hold
broken = np.clip(z_h + np.round(wrapped * (s_x * s_1 / s_h)), -128, 127).astype("int8")
in_16_bits = accuracy(integer_dense(broken, z_h, q_2, q_b2, s_h * s_2 / s_y, z_y))
print(f"largest sum {np.abs(total).max() / 1e6:.0f} million; accuracy with 16 bits ≈ {in_16_bits:.0f} %")
assert in_16_bits < 50

# %% [markdown]
# ## How it fails
#
# **One outlier (离群值).** The first pixel, a corner, is black in nearly every picture, so its weights do nothing. We set
# **one** of them to 100. **Guess:** what does that do to the float network, and what to its int8 versions?

# %%
print(f"pictures with a black corner: {100 * np.mean(x_test[:, 0] == 0):.1f} %")
spoiled = kernel.copy()
spoiled[0, 7] = 100.0
outlier = {
    "float": accuracy(forward(x_test, spoiled, kernel_2)),
    "int8 per tensor": accuracy(forward(x_test, rounded(spoiled), kernel_2)),
    "int8 per channel": accuracy(forward(x_test, rounded(spoiled, axis=0), kernel_2)),
}
left = np.count_nonzero(symmetric(spoiled)[0])
print(f"one scale for all: of {kernel.size:,} weights ≈ {left} are not rounded to 0")
assert left < kernel.size / 1_000

# %% [markdown]
# **A wrong representative data set.** Somebody forgets to divide by 255, or takes black pictures.

# %%
samples = {"bytes, 0 to 255": 255 * x_train[:100], "black pictures": 0 * x_train[:100], "ten pictures": x_train[:10]}
calibrated = {}
for name, sample in samples.items():
    model = export(network, representative_dataset=representative(sample), **shrink)
    calibrated[name] = accuracy(run(model, x_test)[0])

# %%
results = [("outlier, " + name, value) for name, value in outlier.items()]
results += [("calibrated: " + name, value) for name, value in calibrated.items()]
figure, axis = plt.subplots(figsize=(8, 3.4))
for name, value in results:
    axis.barh(name, value, color="C0" if value > 75 else "C1")
axis.axvline(accuracy(logits), color="black", linestyle=":", label="untouched float network")
axis.invert_yaxis()
axis.set(title="4,000 test pictures", xlabel="accuracy (%)", ylabel="network", xlim=(0, 100))
axis.legend(loc=(0.5, 0.28))
ck.show(
    figure,
    alt="Accuracy of six networks: an outlier weight ruins int8 with one scale, not with one a channel; black pictures as "
    "representative data ruin it, ten real pictures suffice",
)
for name, value in results:
    print(f"{name:32}", "as the float network, within a point" if accuracy(logits) - value < 1 else "below 30 %")
    assert abs(accuracy(logits) - value) < 1 or value < 30
assert outlier["int8 per tensor"] < 30 < outlier["int8 per channel"]
assert max(calibrated["bytes, 0 to 255"], calibrated["black pictures"]) < 30 < calibrated["ten pictures"]

# %% [markdown]
# The float network does not notice the outlier. With one scale for all, a step is 100/127, and nearly every other weight
# becomes 0. With one scale a unit, 99 of 100 units are as before: one reason to use it, as LiteRT does. For activations
# LiteRT has one scale a layer; in large language models they have outliers, which LLM.int8() keeps as floats (Dettmers et
# al., 2022).
#
# Calibration needs the right inputs more than many: here ten real pictures did, a hundred wrong ones did not. No error was
# raised. **Measure every quantised network on test data.**
#
# ### Exercise 14a.5 · Ready for four bits · ●●● · 15 minutes
# Write `train_for_four_bits(x, y)`: build a network for pictures `(batch, 784)` with ten logits, train it on `x` and `y`, and
# return it. The check calls it with 600 pictures, rounds every kernel to 4 bits with one scale a unit, and wants a loss
# below 1.1 on 300 others.


# %% tags=["exercise"]
def train_for_four_bits(x, y):
    ### BEGIN SOLUTION
    network = keras.Sequential([keras.Input((784,)), layers.Dense(64, "relu"), layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(0.002), loss, steps_per_execution=10)
    network.fit(x, y, batch_size=30, epochs=8, verbose=0)
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("quantisation.train_for_four_bits", train_for_four_bits)

# %% [markdown]
# ## Article clinic
#
# ### 14-1 · "Quantised optimisation may make training more efficient"
# The article (a4, 8) names it as a trend, and as a trend it is right, as we shall see. It does not say how. The first idea is
# to keep the weights in 8 bits: after each step of SGD they go back to the nearest of 255 values. **Guess:** does the
# network learn?


# %%
class BackToInt8(keras.callbacks.Callback):
    """After each step, round all kernels to multiples of 1/127 of the largest weight at the start."""

    def on_train_begin(self, logs=None):
        self.kernels = [layer.kernel for layer in self.model.layers]
        self.scales = [ops.max(ops.abs(kernel)) / 127 for kernel in self.kernels]
        self.moved = []  # share of the weights of one kernel that a step has changed

    def on_train_batch_begin(self, batch, logs=None):
        self.before = [ops.convert_to_numpy(kernel) for kernel in self.kernels]

    def on_train_batch_end(self, batch, logs=None):
        for kernel, scale, before in zip(self.kernels, self.scales, self.before, strict=True):
            kernel.assign(ops.round(kernel / scale) * scale)
            self.moved.append(np.mean(ops.convert_to_numpy(kernel) != before))


# %%
class StraightThrough(layers.Dense):
    """Computes with rounded weights; the gradient goes to the float weights behind them."""

    def call(self, x):
        scale = ops.max(ops.abs(self.kernel), axis=0) / 127
        change = ops.round(self.kernel / scale) * scale - self.kernel
        return self.activation(x @ (self.kernel + ops.stop_gradient(change)) + self.bias)


# %%
ways = {"float": (layers.Dense, []), "int8": (layers.Dense, [BackToInt8()]), "straight-through": (StraightThrough, [])}
losses, moved = {}, {}
for rate in (0.1, 0.01):
    for name, (dense, callbacks) in ways.items():
        candidate = build(dense)
        candidate.compile(keras.optimizers.SGD(rate), candidate.loss)
        losses[name, rate] = candidate.fit(x_train, y_train, 100, 2, verbose=0, callbacks=callbacks).history["loss"][-1]
    moved[rate] = np.median(ways["int8"][1][0].moved)
    ratio = {name: losses[name, rate] / losses["float", rate] for name in ways}
    told = ", ".join(f"{name} ≈ {losses[name, rate]:.2f}" for name in ways)
    print(f"rate {rate}: loss: {told}; an int8 step moves ≈ {100 * moved[rate]:.1f} % of the weights")
    assert ratio["straight-through"] < 1.06
assert losses["int8", 0.1] < 1.06 * losses["float", 0.1] and losses["int8", 0.01] > 1.5 * losses["float", 0.01]
assert moved[0.01] < 0.01 < 0.1 < moved[0.1]

# %% [markdown]
# It depends on the step. At rate 0.1 many weights reach their next value. At rate 0.01 (and training ends with small
# steps) an update is nearly always smaller than half a step, and rounding swallows it. The *straight-through* way learned
# like the floats at both rates in these two epochs, because it keeps float weights and only computes with rounded ones. It is
# called quantisation-aware training (量化感知训练): a way to a better int8 network; as written here it makes no step cheaper.
#
# So small steps need a place where they add up. Keras has two ways that leave one. `quantize("float8")` keeps float weights
# and multiplies in 8-bit **floats**, with a scale that follows the numbers. `quantize("int8")` freezes a kernel in one byte a
# number; `enable_lora` puts two thin float matrices beside it, and only these are trained (chapter 12c; with 4 bits it is
# called QLoRA: Dettmers et al., 2023). **Guess:** which of them learns?


# %%
def in_few_bits(mode=None, rank=None):
    """A fresh network, quantised before its training, and its loss after two epochs."""
    candidate = build()
    for layer in candidate.layers:
        if mode:
            layer.quantize(mode)
        if rank:
            layer.enable_lora(rank)
    candidate.compile(keras.optimizers.Adam(0.002), candidate.loss, steps_per_execution=20)
    return candidate, candidate.fit(x_train, y_train, 100, 2, verbose=0).history["loss"][-1]


def kernels_of(candidate, trained):
    """Bytes of the kernels and their LoRA matrices, trained or frozen."""
    chosen = candidate.trainable_weights if trained else candidate.non_trainable_weights
    found = [weight for weight in chosen if "kernel" in weight.name and len(weight.shape) == 2]
    return sum(int(np.prod(weight.shape)) * np.dtype(weight.dtype).itemsize for weight in found)


# %%
ended = {}
for name, mode, rank in [
    ("floats", None, None),
    ("float8", "float8", None),
    ("int8, LoRA", "int8", 4),
    ("int8", "int8", None),
]:
    candidate, ended[name] = in_few_bits(mode, rank)
    print(
        f"{name:11} kernels trained: {kernels_of(candidate, True):7,} bytes, frozen: {kernels_of(candidate, False):7,}"
    )
print(f"loss with float8 within 5 % of that with floats: {abs(ended['float8'] / ended['floats'] - 1) < 0.05}")
print(f"loss with int8 and LoRA: {ended['int8, LoRA'] / np.log(10):.1f} of what guessing gives, "
      f"int8 and biases alone: {ended['int8'] / np.log(10):.1f}")  # fmt: skip
assert abs(ended["float8"] / ended["floats"] - 1) < 0.05
assert ended["int8, LoRA"] < 0.4 * np.log(10) and ended["int8"] > ended["int8, LoRA"]

# %% [markdown]
# Both learn. What do they save? float8 keeps as many trained bytes; it wins time where the hardware multiplies in 8-bit floats
# (Micikevicius et al., 2022), which this machine may not do. int8 with LoRA saves **memory**: one byte for a frozen number,
# and gradients and Adam's moments only for the thin matrices. (Here it started from random weights, to make it hard; one
# uses it on a pretrained network.) A third way keeps Adam's moments in 8 bits (Dettmers et al., 2022b). So the article's
# trend has come true; only rounding the weights themselves, step by step, does not work with small steps.
#
# And in use? There int8 also changes the time:


# %%
def inference_seconds(model, x, repeats=15):
    """Median seconds of one run over x, with LiteRT's fastest kernels."""
    with ck.silent_log():
        engine = Interpreter(model_content=model, num_threads=1)
        (taken,) = engine.get_input_details()
        engine.resize_tensor_input(taken["index"], x.shape)
        engine.allocate_tensors()
        engine.set_tensor(taken["index"], x)
        engine.invoke()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        engine.invoke()
        times.append(time.perf_counter() - began)
    return np.median(times)


used = {"float": inference_seconds(as_float, x_test), "int8": inference_seconds(full, q_x)}

# %%
figure, axis = plt.subplots(figsize=(6, 2))
axis.barh(list(used), [1_000 * value for value in used.values()], color="C2")
axis.set(title="4,000 pictures with LiteRT on this machine, one thread", xlabel="time (ms)", ylabel="numbers")
ck.show(figure, alt="Milliseconds that LiteRT takes for 4,000 pictures, with floats and with 8-bit integers")

# %% [markdown]
# These bars are your processor's: whether int8 is faster, and by how much, depends on its instructions. What is certain is the
# quarter of the bytes.
#
# ## Recap
#
# - $x \approx s\,(q - z)$: inside the range at most half a step of error, outside the range all that is beyond it.
# - Weights: zero point 0, one scale a unit or channel. Activations: one scale and zero point, from representative data.
# - Integer products are added in 32 bits; ReLU is a clip. NumPy and LiteRT agree.
# - One outlier ruins a shared scale, wrong calibration data ruin everything, and neither raises an error.
# - In use int8 takes a quarter of the bytes, and less time where the processor is made for it. In training, rounding the
#   weights after each step swallows small steps; float8 and LoRA on a frozen int8 kernel leave them a place, and learn.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("quantisation.zero_point")

# %% tags=["quiz"]
ck.quiz("quantisation.outlier")

# %% tags=["quiz"]
ck.quiz("quantisation.calibration")

# %% tags=["quiz"]
ck.quiz("quantisation.training")

# %% [markdown]
# ### References
#
# - Jacob et al. (2018). Quantization and training of neural networks for efficient integer-arithmetic-only inference. CVPR.
#   arXiv:1712.05877
# - Krishnamoorthi (2018). Quantizing deep convolutional networks for efficient inference: A whitepaper. arXiv:1806.08342
# - Dettmers, Lewis, Belkada, Zettlemoyer (2022). LLM.int8(): 8-bit matrix multiplication for Transformers at scale. NeurIPS.
#   arXiv:2208.07339
# - Dettmers, Lewis, Shleifer, Zettlemoyer (2022b). 8-bit optimizers via block-wise quantization. ICLR. arXiv:2110.02861
# - Micikevicius et al. (2022). FP8 formats for deep learning. arXiv:2209.05433
# - Dettmers, Pagnoni, Holtzman, Zettlemoyer (2023). QLoRA: Efficient finetuning of quantized LLMs. NeurIPS. arXiv:2305.14314
# - Google AI Edge. LiteRT 8-bit quantization specification
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("quantisation")
