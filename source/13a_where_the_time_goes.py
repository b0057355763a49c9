# ---
# title: Where the time goes
# promise: You will find out what a training step waits for, mend it, and see which numbers get lost in 16 bits.
# built: You built a pipeline that does not keep the training waiting, added up gradients of small parts, and trained in mixed precision.
# minutes: 80
# prerequisites: [05c_batch_size]
# data: [fashion_mnist]
# articles: [a0 6, a4 8]
# clinic: []
# topic: speed
# ---

# %% [markdown]
# **What you will be able to do**
#
# - build a data pipeline (数据管道) that does not keep the training waiting: cache, batch, prefetch (预取);
# - say what XLA joins and what `steps_per_execution` leaves out, and what neither can mend;
# - train with a batch that does not fit into memory (gradient accumulation, 梯度累积);
# - train in mixed precision (混合精度), and know what bfloat16 and float16 each lose.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## What does a step wait for?
#
# 6,400 pictures of clothes, 100 batches of 64. Each picture is brought to mean 0 and variance 1. The first way is the one
# that comes to mind: a Python generator that yields one picture after the other. **Guess:** how many batches a second does
# it deliver on your machine? And the same work in `tf.data`, and with a cache?

# %%
import time

import keras
import matplotlib.pyplot as plt
import ml_dtypes
import numpy as np
import tensorflow as tf
from keras import layers, ops

(x, y), _ = ck.data.fashion_mnist(train=6_400, test=10)


def one_by_one():
    for picture, label in zip(x, y, strict=True):
        picture = picture.astype("float32") / 255
        yield (picture - picture.mean()) / np.sqrt(picture.var() + 1e-6), label


def standardised(picture, label):
    picture = tf.cast(picture, "float32") / 255
    mean, variance = tf.nn.moments(picture, [0, 1])
    return (picture - mean) / tf.sqrt(variance + 1e-6), label


# %%
signature = (tf.TensorSpec((28, 28), "float32"), tf.TensorSpec((), "uint8"))
source = tf.data.Dataset.from_tensor_slices((x, y))
ways = {
    "Python generator": tf.data.Dataset.from_generator(one_by_one, output_signature=signature).batch(64),
    "tf.data: map, batch": source.map(standardised).batch(64),
    "tf.data: map, batch, cache, prefetch": source.map(standardised).batch(64).cache().prefetch(2),
}


def batches_a_second(dataset, repeats):
    """The best of some passes; the first one, which fills caches, does not count."""
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        count = sum(1 for _ in dataset)
        times.append(time.perf_counter() - began)
    return count / min(times[1:])


rates = {name: batches_a_second(dataset, 1 if "Python" in name else 3) for name, dataset in ways.items()}
first = [next(iter(dataset))[0].numpy() for dataset in ways.values()]
assert all(np.allclose(first[0], other, atol=1e-4) for other in first)

# %%
figure, axis = plt.subplots(figsize=(8, 2.6))
axis.barh(list(rates), list(rates.values()), color=["C0", "C1", "C2"])
axis.invert_yaxis()
axis.set(title="The same batches, three ways", xlabel="batches a second (log scale)", ylabel="pipeline", xscale="log")
ck.show(figure, alt="Batches a second on this machine: fewest by the generator, more by tf.data, most with a cache")

# %% [markdown]
# The bars are your machine's, so no number of them stands here. What can be counted is the work. How often is a picture
# standardised in three epochs?

# %%
done = {}
for name, cached in [("map", False), ("map, cache", True)]:
    counter = tf.Variable(0)

    def counted(picture, label, counter=counter):
        counter.assign_add(1)
        return standardised(picture, label)

    dataset = source.map(counted).batch(64)
    dataset = dataset.cache() if cached else dataset
    for _ in range(3):
        batches = sum(1 for _ in dataset)
    done[name] = int(counter.numpy())
    print(f"{name:11} {done[name]:6,} pictures standardised in 3 epochs of {batches} batches")
assert done == {"map": 3 * 6_400, "map, cache": 6_400}
print(f"the cache holds {6_400 * 784 * 4 / 1e6:.0f} MB")

# %% [markdown]
# The same numbers came out of all three ways, to 1e-4. The generator pays for Python and for a hand-over *per picture*. `map`
# runs in compiled code. `cache` does the work once, in the first epoch, and needs the memory to hold the result.
#
# Compare your first bar with the steps that your network makes in a second. Where a step is shorter than a batch of the
# generator takes, one measures the generator.
#
# ## Prefetch: load while the device computes
#
# Say a batch needs 20 ms to load (a disk, a network) and a step 20 ms to compute. We take naps in place of both, so that
# nothing else plays a part. `prefetch` loads the next batch in another thread. tf.data adds a prefetch by itself where one forgot
# it; to see what it is worth, we switch this off (`inject_prefetch`). **Guess:** 25 steps without and with it?


# %%
computing, hidden = False, 0  # is a step under way? how many loads went on meanwhile?


def load_slowly(number):
    global hidden
    time.sleep(0.01)
    hidden += computing  # in the middle of the load
    time.sleep(0.01)
    return np.float32(number)


def epoch_of(dataset):
    """Seconds of an epoch, and how many of its loads went on while a step was under way."""
    global computing, hidden
    hidden, began = 0, time.perf_counter()
    for _ in dataset:
        computing = True
        time.sleep(0.02)  # the step
        computing = False
    return time.perf_counter() - began, hidden


# %%
options = tf.data.Options()
options.experimental_optimization.inject_prefetch = False
loading = tf.data.Dataset.range(25).map(lambda n: tf.numpy_function(load_slowly, [n], tf.float32)).with_options(options)
epochs = {"without prefetch": epoch_of(loading), "with prefetch": epoch_of(loading.prefetch(1))}
figure, axis = plt.subplots(figsize=(7, 1.8))
bars = axis.barh(list(epochs), [seconds for seconds, _ in epochs.values()])
axis.bar_label(
    bars, [f"{during} of 25 loads during a step" for _, during in epochs.values()], label_type="center", color="white"
)
axis.axvline(25 * 0.04, color="black", linestyle="--", label="25 times 40 ms")
axis.axvline(0.02 + 25 * 0.02, color="black", linestyle=":", label="20 ms and 25 times 20 ms")
axis.set(title="25 steps on this machine", xlabel="time (s)", ylabel="pipeline", xlim=(0, None))
axis.legend(fontsize=8)
ck.show(
    figure, alt="Seconds of 25 steps: without prefetch at the line of 1 s or later, with it near the line of 0.52 s"
)
(_, shared), (_, shared_with_prefetch) = epochs.values()
print(f"loads during a step: without prefetch {shared} of 25; with it as many as stand on the bar")
assert shared == 0 and shared_with_prefetch > 12

# %% [markdown]
# Without prefetch no load went on during a step, with it most did: loading hides behind computing. By the arithmetic of the
# two lines that is 1.0 s against 0.52 s; the bars show what your machine made of it. Prefetch can hide no more than the
# shorter of the two works.
#
# ### Exercise 13a.1 · The seconds of an epoch · ●○○ · 5 minutes
# Write `epoch_seconds(load, step, steps, prefetch)`: seconds of an epoch of `steps` steps, when a batch takes `load` seconds to
# load and a step `step` seconds. With `prefetch` true, the next batch is loaded during the step; the first must be waited for.


# %% tags=["exercise"]
def epoch_seconds(load, step, steps, prefetch):
    ### BEGIN SOLUTION
    if not prefetch:
        return steps * (load + step)
    return load + (steps - 1) * max(load, step) + step
    ### END SOLUTION


# %% tags=["check"]
ck.check("speed.epoch_seconds", epoch_seconds)

# %% [markdown]
# The order of the parts matters. What comes before `cache` is done once. What is random, such as augmentation (chapter 06b),
# must come after it, or each epoch sees the same "random" pictures.
#
# ### Exercise 13a.2 · A pipeline with a cache · ●●○ · 8 minutes
# Write `pipeline(pictures, load, augment, batch)`. `pictures` is a `tf.data.Dataset`; `load` and `augment` take one element and
# return one. The result is a dataset of batches, in the same order: each picture is loaded **once**, however many epochs there
# are, and augmented anew in **each** epoch.


# %% tags=["exercise"]
def pipeline(pictures, load, augment, batch):
    ### BEGIN SOLUTION
    return pictures.map(load).cache().map(augment).batch(batch).prefetch(tf.data.AUTOTUNE)
    ### END SOLUTION


# %% tags=["check"]
ck.check("speed.pipeline", pipeline)

# %% [markdown]
# ## Python between the steps
#
# After each step Keras comes back to Python: callbacks, the next batch, the next call. For a tiny network this can be most
# of the time. `steps_per_execution=50` makes 50 steps in one call. **Guess** the gain on your machine, and what is lost.

# %%
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
pixels = x.reshape(-1, 784).astype("float32") / 255
batches = tf.data.Dataset.from_tensor_slices((pixels, y)).batch(16).cache().prefetch(2)
seconds, calls, weights = {}, {}, {}
for steps in [1, 50]:
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((784,)), layers.Dense(16, "relu"), layers.Dense(10)])
    network.compile(keras.optimizers.Adam(), loss, steps_per_execution=steps)
    seen, times = [], []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs, seen=seen: seen.append(batch))
    for _ in range(3):
        began = time.perf_counter()
        network.fit(batches, verbose=0, shuffle=False, callbacks=[count])
        times.append(time.perf_counter() - began)
    seconds[steps], calls[steps], weights[steps] = min(times[1:]), len(seen) // 3, network.get_weights()
print(f"calls of a callback in an epoch of 400 steps: {calls}")
assert calls == {1: 400, 50: 8}
assert all(np.allclose(one, other, atol=1e-5) for one, other in zip(weights[1], weights[50], strict=True))

# %%
figure, axis = plt.subplots(figsize=(7, 1.6))
axis.barh(["1 step a call", "50 steps a call"], [seconds[1], seconds[50]])
axis.set(title="An epoch of 400 small steps on this machine", xlabel="time (s)", ylabel="training")
ck.show(figure, alt="Seconds of an epoch of 400 steps: longer with one step in each call than with fifty")

# %% [markdown]
# The weights are the same; a callback that wants to look at each step sees one in fifty. The larger the network, the smaller
# the gain in proportion: the time between the steps stays, the steps grow.
#
# ## XLA: many operations, one loop
#
# TensorFlow runs one compiled kernel per operation, and each writes its whole result to memory. XLA (Accelerated Linear Algebra)
# compiles the function as a whole and *fuses* (算子融合) operations: one loop, one write.


# %%
def chain(v):
    return ops.mean(ops.tanh(v) * ops.sigmoid(v) + ops.sqrt(ops.abs(v) + 1) * ops.exp(-v * v) / (1 + v * v))


values = tf.random.normal((100_000,), seed=0)
plain, compiled = tf.function(chain), tf.function(chain, jit_compile=True)
assert np.isclose(plain(values), compiled(values), rtol=1e-5)

nothing_to_do = {"Placeholder", "Const", "Identity", "NoOp"}
graph = plain.get_concrete_function(values).graph
asked = sum(operation.type not in nothing_to_do for operation in graph.get_operations())
program = compiled.experimental_get_compiler_ir(values)(stage="optimized_hlo")
run = program.partition("ENTRY")[2].count(" fusion(")
print(f"operations in the graph: {asked}; loops that XLA runs ≈ {run}")
assert asked >= 12 and 0 < run <= 5

# %% [markdown]
# Same result to 1e-5, and fewer passes over memory. How much time that saves is not measured here; it depends on the
# network and the device, and a program may also become slower: measure, with your network, on your machine. Keras uses XLA by
# `compile(jit_compile=True)`, and by default (`"auto"`) where it thinks it can. Compiling takes time once, and again for each
# new shape.
#
# ## A batch that does not fit
#
# Gradient accumulation: split the batch into parts, add up gradients, make one step. For $k$ equal parts
#
# $$ \nabla L = \frac{1}{k} \sum_{j=1}^{k} \nabla L_j $$


# %%
def new_network():
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((784,)), layers.Dense(64, "relu"), layers.Dense(10)])


def gradients(network, x, y):
    with tf.GradientTape() as tape:
        value = loss(y, network(x))
    return tape.gradient(value, network.trainable_weights)


network = new_network()
whole = gradients(network, pixels[:256], y[:256])
parts = [gradients(network, pixels[start : start + 64], y[start : start + 64]) for start in range(0, 256, 64)]
by_parts = [np.mean(each, axis=0) for each in zip(*parts, strict=True)]
assert all(np.allclose(one, other, atol=1e-5) for one, other in zip(whole, by_parts, strict=True))
print("four parts of 64 give the gradient of the batch of 256, to 1e-5")

# %% [markdown]
# ### Exercise 13a.3 · Gradients in parts · ●●○ · 8 minutes
# Write `accumulated(network, loss, x, y, size)`: the gradient of the mean loss over all of `x`, computed in parts of `size` rows.
# The last part may be smaller. `loss(y, output)` is a mean over the rows it gets. Return a list, one gradient for each of
# `network.trainable_weights`.


# %% tags=["exercise"]
def accumulated(network, loss, x, y, size):
    ### BEGIN SOLUTION
    total = [0.0] * len(network.trainable_weights)
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        with tf.GradientTape() as tape:
            value = loss(y[part], network(x[part])) * len(x[part]) / len(x)
        total = [old + new for old, new in zip(total, tape.gradient(value, network.trainable_weights), strict=True)]
    return total
    ### END SOLUTION


# %% tags=["check"]
ck.check("speed.accumulated", accumulated)

# %% [markdown]
# Keras does it with `gradient_accumulation_steps`. Five steps of 256, and twenty of 64, of which each fourth changes the
# weights:

# %%
ended = {}
for size, parts_a_step in [(256, None), (64, 4)]:
    network = new_network()
    network.compile(keras.optimizers.Adam(gradient_accumulation_steps=parts_a_step), loss)
    network.fit(pixels[:1_280], y[:1_280], size, shuffle=False, verbose=0)
    ended[size] = network.get_weights()
moved = [np.abs(after - before).max() for after, before in zip(ended[256], new_network().get_weights(), strict=True)]
apart = [np.abs(one - other).max() for one, other in zip(ended[256], ended[64], strict=True)]
print("largest change in each array of weights ≈", ", ".join(f"{change:.3f}" for change in moved))
print(f"large batch and parts differ by {max(apart):.4f}")
assert min(moved) > 1e-3 and max(apart) < 1e-5

# %% [markdown]
# Equal, with activations of 64 pictures in memory at a time in place of 256, and the same multiplications. One exception:
# batch normalisation (chapter 08b) sees only 64 pictures at a time.
#
# ## Half the bits
#
# float32 spends 8 bits on the exponent, which gives the range, and 23 on the fraction, which gives the digits. There are two
# ways to save half:

# %%
for name in ["float32", "bfloat16", "float16"]:
    info = ml_dtypes.finfo(name)
    print(
        f"{name:9}{info.bits} bits, exponent {info.nexp}, fraction {info.nmant:2}; next after 1: 1 + {float(info.eps):.1e};"
        f" largest {float(info.max):.0e}, smallest {float(info.smallest_subnormal):.0e}"
    )
assert ml_dtypes.finfo("bfloat16").nexp == ml_dtypes.finfo("float32").nexp

# %% [markdown]
# bfloat16 keeps the range and gives up digits; float16 keeps more digits and gives up range. Between powers of two, numbers
# stand at equal distances.
#
# ### Exercise 13a.4 · The next larger number · ●●○ · 7 minutes
# Write `spacing(x, fraction_bits)`: the distance from a positive number `x` of this format to the next larger one. In $[1, 2)$ it is
# $2^{-\text{bits}}$, in $[2, 4)$ twice as much, and so on. Ignore the ends of the range.


# %% tags=["exercise"]
def spacing(x, fraction_bits):
    ### BEGIN SOLUTION
    return 2.0 ** (np.floor(np.log2(x)) - fraction_bits)
    ### END SOLUTION


# %% tags=["check"]
ck.check("speed.spacing", spacing)

# %% [markdown]
# ### What bfloat16 loses: small steps
#
# A change of less than half a spacing is rounded away, each time anew. **Guess:** 100 steps of SGD with rate 0.003. How many
# weights of the first layer move, when all is kept in bfloat16? And in *mixed* precision, where weights stay float32 and only
# the computing is done in bfloat16?


# %%
def train(policy, activation, optimizer, weight=1.0, count=6_400):
    """One pass in order; policies of the hidden layer and of its ReLU. Returns the loss, the share of weights that moved."""
    keras.utils.set_random_seed(0)
    hidden = layers.Dense(32, dtype=policy)
    relu = layers.Activation("relu", dtype=activation)
    network = keras.Sequential([keras.Input((784,)), hidden, relu, layers.Dense(10, dtype="float32")])
    network.compile(optimizer, loss, loss_weights=[weight], jit_compile="float16" != activation)
    before = ops.convert_to_numpy(hidden.kernel)
    network.fit(pixels[:count], y[:count], 64, shuffle=False, verbose=0)
    share = np.mean(before != ops.convert_to_numpy(hidden.kernel))
    return float(loss(y[:1_000], network.predict_on_batch(pixels[:1_000]))), share


for policy in ["float32", "mixed_bfloat16", "bfloat16"]:
    ended, share = train(policy, policy, keras.optimizers.SGD(0.003))
    print(f"{policy:15}weights that moved ≈ {100 * share:.0f} %")
    assert share < 0.5 if policy == "bfloat16" else share > 0.95

# %% [markdown]
# In pure bfloat16 most weights stood still in these 100 steps: their steps were too small for the grid. With larger steps fewer
# would. Mixed precision keeps a float32 copy as the sum.
#
# ### What float16 loses: small gradients
#
# We train a network for three epochs and look at the gradients of the loss by its logits, for a batch of 1,024: small where
# the network is sure. What is too small for float16 becomes 0: *underflow* (下溢).

# %%
network = new_network()
network.compile(keras.optimizers.Adam(), loss)
network.fit(pixels, y, 64, epochs=3, verbose=0)
logits = network(pixels[:1_024])
with tf.GradientTape() as tape:
    tape.watch(logits)
    value = loss(y[:1_024], logits)
exact = np.abs(tape.gradient(value, logits).numpy().ravel())
exact = exact[exact > 0]
lost = {scale: np.mean((exact * scale).astype("float16") == 0) for scale in [1, 2**10, 2**15]}

figure, axis = plt.subplots(figsize=(8, 3.2))
axis.hist(np.log2(exact), bins=50, color="C0")
for power, label, style in [(-24, "smallest of float16", "--"), (-14, "below: fewer digits", ":")]:
    axis.axvline(power, color="black", linestyle=style, label=label)
axis.set(title="Gradients of a batch", xlabel="log2 of the size", ylabel="gradients (count)")
axis.legend()
ck.show(figure, alt="Sizes of gradients from 2 to the -40 to 2 to the -10; a part is left of float16's smallest number")
for scale, part in lost.items():
    print(f"gradients times {scale:6,}: lost in float16 ≈ {100 * part:.1f} %")
assert 0.1 < lost[1] < 0.4 and lost[2**10] < lost[1] / 3 and lost[2**15] < 0.01

# %% [markdown]
# *Loss scaling* (损失缩放): multiply the loss by a large number $S$ before the backward pass, so that all gradients are $S$ times
# larger, and divide by $S$ in float32 before the step (Micikevicius et al., 2018). Which $S$? As large as nothing
# overflows: found on the way.
#
# ### Exercise 13a.5 · The next loss scale · ●●○ · 8 minutes
# Write `next_scale(scale, good, finite, every)`: the scale and the count of good steps after a step. Not `finite` (a gradient is
# inf or nan): half the scale, count 0. Else count one more; when the count reaches `every`, double the scale and count from 0
# again.


# %% tags=["exercise"]
def next_scale(scale, good, finite, every):
    ### BEGIN SOLUTION
    if not finite:
        return scale / 2, 0
    if good + 1 == every:
        return scale * 2, 0
    return scale, good + 1
    ### END SOLUTION


# %% tags=["check"]
ck.check("speed.next_scale", next_scale)

# %% [markdown]
# Keras's `LossScaleOptimizer` follows this rule. A step with an infinite gradient is left out:

# %%
weight = keras.Variable([1.0])
scaler = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=8.0, dynamic_growth_steps=3)
scaler.build([weight])
scales, places = [], []
for gradient in [1.0, 1.0, 1.0, 1.0, np.inf, 1.0]:
    scaler.apply([ops.convert_to_tensor([gradient * float(scaler.dynamic_scale)], "float32")], [weight])
    scales.append(float(scaler.dynamic_scale))
    places.append(round(float(weight[0]), 4))
print("scale: ", scales)
print("weight:", places)
assert scales == [8, 8, 16, 16, 8, 8] and np.allclose(places, [0.9, 0.8, 0.7, 0.6, 0.6, 0.5])

# %% [markdown]
# ### Does it matter?
#
# A loss with a small weight, as one has when several losses are added, makes all gradients small. Adam does not mind in
# float32: it divides by their size. Only the hidden ReLU computes in 16 bits now. **Guess** who still learns with weight 1e-6:
# float32, bfloat16, float16, float16 with loss scaling?


# %%
def adam():
    return keras.optimizers.Adam(3e-3, epsilon=1e-12)


runs = {
    "float32": ("float32", adam()),
    "bfloat16": ("bfloat16", adam()),
    "float16": ("float16", adam()),
    "float16, loss scaling": ("float16", keras.optimizers.LossScaleOptimizer(adam())),
}
for name, (activation, optimizer) in runs.items():
    ended, share = train("float32", activation, optimizer, weight=1e-6)
    print(f"{name:22}hidden weights that moved ≈ {100 * share:3.0f} %, loss ≈ {ended:.2f}")
    assert share == 0 if name == "float16" else share > 0.9 and ended < 1.5

# %% [markdown]
# In float16 not one hidden weight moved: all their gradients were 0, without any error message. Loss scaling mends it;
# bfloat16, with float32's range, did not need it here. Mind a trap: `compile` adds loss scaling by itself only when the
# **whole model** has the policy `mixed_float16`.


# %%
def optimizer_of(policy_of_all, policy_of_layer):
    keras.config.set_dtype_policy(policy_of_all)
    network = keras.Sequential([keras.Input((784,)), layers.Dense(10, dtype=policy_of_layer)])
    network.compile("adam", loss)
    keras.config.set_dtype_policy("float32")
    return type(network.optimizer).__name__


print("policy of one layer:", optimizer_of("float32", "mixed_float16"))
print("policy of all:", optimizer_of("mixed_float16", None))
assert optimizer_of("float32", "mixed_float16") == "Adam"
assert optimizer_of("mixed_float16", None) == "LossScaleOptimizer"

# %% [markdown]
# ### Exercise 13a.6 · A network in mixed precision · ●●○ · 9 minutes
# Write `build_mixed()`: 784 inputs, a dense layer of 64, its ReLU as a layer of its own (`layers.Activation`) that computes in
# float16 (not every CPU can multiply matrices in it), 10 logits; all weights in float32. Compiled with cross-entropy from logits
# and Adam, with loss scaling.


# %% tags=["exercise"]
def build_mixed():
    ### BEGIN SOLUTION
    network = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(64),
            layers.Activation("relu", dtype="float16"),
            layers.Dense(10),
        ]
    )
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())
    network.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("speed.build_mixed", build_mixed)

# %% [markdown]
# Half the bytes for each activation that is kept in 16 bits. Time is won only where the hardware computes in these formats, as
# most GPUs and some processors do; this chapter does not measure it without one. If you have a GPU, the next cell multiplies two
# matrices on it:

# %%
if tf.config.list_logical_devices("GPU"):
    for name in ["float32", "bfloat16", "float16"]:
        matrix = tf.cast(tf.random.normal((4_096, 4_096)), name)
        float(tf.reduce_sum(matrix @ matrix))
        began = time.perf_counter()
        for _ in range(10):
            product = matrix @ matrix
        float(tf.reduce_sum(product))
        print(f"{name:9}{20 * 4_096**3 / (time.perf_counter() - began) / 1e12:6.1f} TFLOP/s")
else:
    print("no GPU here: nothing to compare")

# %% [markdown]
# ## Recap
#
# - First find what the step waits for: a Python generator, a pipeline without a cache, loading that does not overlap, Python
#   between the steps. Count and measure on your machine.
# - `cache` what is always the same, augment after it, `prefetch` last.
# - Gradient accumulation equals the large batch, to 1e-5 (without batch normalisation). It saves memory, not work.
# - bfloat16 loses digits: keep the weights in float32. float16 loses small gradients: scale the loss too.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("speed.faster_device")

# %% tags=["quiz"]
ck.quiz("speed.cache_order")

# %% tags=["quiz"]
ck.quiz("speed.accumulation")

# %% tags=["quiz"]
ck.quiz("speed.bfloat16")

# %% [markdown]
# ### References
#
# - Kalamkar et al. (2019). A study of BFLOAT16 for deep learning training. arXiv:1905.12322.
# - Micikevicius, Narang, Alben, Diamos, Elsen, Garcia, Ginsburg, Houston, Kuchaiev, Venkatesh, Wu (2018). Mixed precision training. ICLR.
# - Murray, Šimša, Klimovic, Indyk (2021). tf.data: a machine learning data processing framework. Proceedings of the VLDB Endowment 14, 2945–2958.
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("speed")
