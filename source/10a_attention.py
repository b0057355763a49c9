# ---
# title: Attention
# promise: You will write attention from scratch, equal to three Keras layers, and measure what each part of its formula is for.
# built: You wrote attention with its masks, and trained a network that chooses by itself which words of a sentence count.
# minutes: 80
# prerequisites: [09c_text]
# data: [movie_sentences]
# articles: [a3 3.4, a3 4.4]
# clinic: [10-1]
# topic: attention
# ---

# %% [markdown]
# **What you will be able to do**
#
# - explain attention (注意力) as a look-up with query, key and value (查询, 键, 值), and compute it in NumPy and in Keras;
# - show what the factor $1/\sqrt d$ prevents;
# - hide padding and the future with masks, and test that nothing leaks;
# - compare additive with dot-product attention, and attention with recurrence, by counting;
# - let a network choose which words of a sentence count, and judge whether it helped.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## A dictionary for keys that it does not have
#
# How warm is it when the wind comes from the north-east? Our dictionary knows four directions (made-up temperatures).

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers, ops

temperatures = {"north": 2, "east": 8, "south": 18, "west": 12}  # degrees Celsius
try:
    temperatures["north-east"]
except KeyError as problem:
    print("KeyError:", problem)

# %% [markdown]
# A soft look-up always answers. Write each key as a vector $k_j$, the question as a vector $q$ (the query), and
# compare: the dot product $q \cdot k_j$ is large when both point the same way. Softmax turns the scores into weights
# that sum to 1, and the answer is the weighted mean of the values. **Guess first:** what comes out for north-east, 45
# degrees?


# %%
def softmax(scores):
    """Softmax over the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def arrow(degrees):
    """The direction of the wind as a vector, (…, 2); 0 is north, 90 is east."""
    return np.stack([np.sin(np.radians(degrees)), np.cos(np.radians(degrees))], axis=-1)


keys, values = arrow([0, 90, 180, 270]), np.array([2.0, 8, 18, 12])  # (4, 2), (4,)
for sharpness in [0, 1, 3, 30]:
    weights = softmax(sharpness * (keys @ arrow(45)))  # (4,)
    print(f"sharpness {sharpness:2}: weights {np.round(weights, 2)}, answer {weights @ values:.1f} °C")
assert np.isclose(softmax(0 * keys @ arrow(45)) @ values, 10) and np.isclose(weights @ values, 5)

# %% [markdown]
# At sharpness 0 every key counts the same: 10 °C, the mean of all. At 30 only the two nearest count: 5 °C. Turn the
# wind:


# %%
def look_up(wind, sharpness):
    angles = np.arange(0, 361, 5)
    curve = softmax(sharpness * arrow(angles) @ keys.T) @ values  # (angles,)
    weights = softmax(sharpness * arrow(wind) @ keys.T)
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6))
    axes[0].bar(list(temperatures), weights, color="C0")
    axes[0].set(title="Weights of the four keys", xlabel="key", ylabel="weight", ylim=(0, 1))
    axes[1].plot(angles, curve, color="C0", label="soft look-up")
    axes[1].plot([0, 90, 180, 270], values, "ks", label="entries of the dictionary")
    axes[1].plot(wind, weights @ values, "o", color="C1", markersize=10, label="this query")
    axes[1].set(title=f"Answer: {weights @ values:.1f} °C", xlabel="wind from (degrees)", ylabel="answer (°C)")
    axes[1].set_ylim(0, 20)
    axes[1].legend(fontsize=9, loc="lower center")
    return figure


ck.explore(
    look_up,
    alt="Weights of four wind directions for one query, and the answer over all directions: a smooth curve",
    wind=list(range(0, 361, 15)),
    sharpness=[0, 0.5, 1, 2, 4, 8, 16, 64],
)

# %% [markdown]
# With a high sharpness the curve becomes a staircase: an ordinary dictionary again, which answers with the nearest
# entry.
#
# ## Scaled dot-product attention
#
# Queries are the rows of a matrix $Q$, keys and values the rows of $K$ and $V$. With $d$ numbers a key, scaled
# dot-product attention (缩放点积注意力; Vaswani et al., 2017) is:
#
# $$ \mathrm{Attention}(Q, K, V) = A V, \qquad A = \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt d}\right)
# \text{ over each row} $$
#
# $A$ is the attention matrix: one row for each query, one column for each key. The name $W$ is kept for matrices that a
# layer learns. In a network $Q$, $K$ and $V$ come from dense layers; when all three come from one sequence, it is
# *self-attention* (自注意力).


# %%
def attention_weights(query, key, mask=None):
    """Weights (…, n, m) of query (…, n, d) for key (…, m, d). mask: False where a query must not look."""
    scores = query @ np.swapaxes(key, -1, -2) / np.sqrt(query.shape[-1])
    return softmax(scores if mask is None else np.where(mask, scores, -np.inf))


def attention(query, key, value, mask=None):
    """One row for each query, (…, n, v): the weighted mean of the rows of value (…, m, v)."""
    return attention_weights(query, key, mask) @ value


random = np.random.default_rng(0)
query, key, value = random.normal(size=(3, 2, 6, 8)).astype("float32")  # each (batch 2, time 6, features 8)
weights, ours = attention_weights(query, key), attention(query, key, value)
print("weights", weights.shape, "answers", ours.shape)
print("sums of the rows:", *[f"{total:.3f}" for total in weights[0].sum(axis=-1)])
assert np.allclose(weights.sum(axis=-1), 1)

# %% [markdown]
# Keras has it three times. `ops.dot_product_attention` wants an axis for heads (chapter 11). `layers.Attention` wants
# the order query, *value*, key, and does **not** divide by $\sqrt d$. `MultiHeadAttention` (多头注意力) brings dense
# layers of its own for $Q$, $K$, $V$ and the result; we set them to do nothing.

# %%
with_head = [part[:, :, None] for part in (query, key, value)]  # (batch, time, heads 1, features)
by_ops = ops.dot_product_attention(*with_head)[:, :, 0]
by_layer = layers.Attention()([query / np.sqrt(8), value, key])

multi_head = layers.MultiHeadAttention(num_heads=1, key_dim=8)
multi_head.build(query.shape, value.shape, key.shape)
same, nothing = np.eye(8)[:, None], np.zeros((1, 8))  # (features, heads, key_dim), (heads, key_dim)
multi_head.set_weights([same, nothing] * 3 + [np.eye(8)[None], np.zeros(8)])  # query, key, value, output
by_multi_head, their_weights = multi_head(query, value, key, return_attention_scores=True)

for theirs in [by_ops, by_layer, by_multi_head]:
    assert np.allclose(theirs, ours, atol=1e-5)
assert np.allclose(their_weights[:, 0], weights, atol=1e-5)
assert not np.allclose(layers.Attention()([query, value, key]), ours, atol=1e-2)
print("three ways in Keras agree with the formula to 0.00001; layers.Attention only after the division")

# %% [markdown]
# ## Why divide by √d?
#
# Let query and key hold independent numbers of variance 1. Then $q \cdot k$ is a sum of $d$ products, each with
# variance 1: the variance of a score is $d$. And softmax of large scores is nearly 0 and 1.
#
# We measure three things for 16 keys: the variance of the scores; the entropy (熵) of the weights,
# $-\sum_j w_j \ln w_j$, which is $\ln 16$ when all count the same and 0 when one takes all; and the slope of softmax, the length of
# all derivatives $\partial w_i / \partial s_j$, which are $w_i ((i = j) - w_j)$. The gradient goes through this
# slope. **Guess first:** how much of it is left at $d = 1024$ without the division?


# %%
def slope(weights):
    """Length of the derivatives of softmax at weights (…, m): root of the sum of squares, shape (…,)."""
    derivatives = np.eye(weights.shape[-1]) * weights[..., None] - weights[..., :, None] * weights[..., None, :]
    return np.sqrt((derivatives**2).sum(axis=(-2, -1)))


scores = tf.constant(random.normal(size=5))
with tf.GradientTape() as tape:
    tape.watch(scores)
    output = tf.nn.softmax(scores)
assert np.isclose(slope(output.numpy()), np.linalg.norm(tape.jacobian(output, scores)))

sizes, measured = [1, 4, 16, 64, 256, 1024], {"divided by √d": [], "not divided": []}
for d in sizes:
    queries, sixteen = random.normal(size=(500, 1, d)), random.normal(size=(500, 16, d))
    raw = (queries @ np.swapaxes(sixteen, 1, 2))[:, 0]  # (queries 500, keys 16)
    for name, scores in [("not divided", raw), ("divided by √d", raw / np.sqrt(d))]:
        weights = softmax(scores)
        entropy = -(weights * np.log(weights + 1e-300)).sum(axis=-1).mean()
        measured[name].append([scores.var(), entropy, slope(weights).mean()])
measured = {name: np.array(rows) for name, rows in measured.items()}  # (sizes, 3)

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.6))
quantities = ["variance of the scores", "entropy of the weights", "slope of softmax"]
for column, (axis, quantity) in enumerate(zip(axes, quantities, strict=True)):
    for (name, rows), style in zip(measured.items(), ["o-", "s--"], strict=True):
        axis.semilogx(sizes, rows[:, column], style, label=name)
    unit = "nats" if column == 1 else "no unit"
    axis.set(title=quantity, xlabel="d (numbers in a key)", ylabel=f"{quantity} ({unit})")
axes[0].set_yscale("log")
axes[1].axhline(np.log(16), color="grey", linestyle=":", label="all the same")
axes[1].legend(fontsize=9)
ck.show(
    figure,
    alt="Without the division the variance grows with d, entropy and slope fall towards 0; with it all three stay level",
)
divided, raw = measured["divided by √d"], measured["not divided"]
kept = raw[-1, 2] / divided[-1, 2]
print(f"at d = 1024, without the division: {100 * kept:.0f} % of the slope that is there with it")
assert np.allclose(divided[:, 0], 1, atol=0.15) and np.allclose(raw[:, 0], sizes, rtol=0.15)
assert raw[-1, 1] < 0.2 and divided[-1, 1] > 2 and kept < 1 / 4

# %% [markdown]
# For such numbers the division keeps the variance at 1. Without it, at $d = 1024$, one key takes nearly all of the
# weight before anything is learned, and little gradient is left to change that.
#
# ### Exercise 10a.1 · How spread is attention? · ●○○ · 6 minutes
# Write `attention_entropy(weights)`: the entropy of each row of `weights`, shape `(n, m)`; the result has shape `(n,)`.
# A weight of exactly 0 adds 0 (masks make such weights).


# %% tags=["exercise"]
def attention_entropy(weights):
    ### BEGIN SOLUTION
    weights = np.asarray(weights)
    logarithms = np.log(np.where(weights > 0, weights, 1))  # ln 1 = 0 where the weight is 0
    return -(weights * logarithms).sum(axis=-1)
    ### END SOLUTION


# %% tags=["check"]
ck.check("attention.attention_entropy", attention_entropy)

# %% [markdown]
# ## Two masks
#
# A *padding mask* (填充掩码) hides places where there is no word. A *causal mask* (因果掩码) hides the future: row $i$ may
# look at places up to $i$, as a network must that predicts the next word. Forbidden scores become $-\infty$, so their
# weights are exactly 0.

# %%
causal = np.tri(6, dtype=bool)  # (time, time): True on and below the diagonal
real = np.arange(6) < np.array([[4], [6]])  # (batch, time): the first sequence has 4 words
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), sharey=True)
masks = {"no mask": None, "padding": real[:, None, :], "causal and padding": causal & real[:, None, :]}
for axis, (name, mask) in zip(axes, masks.items(), strict=True):
    picture = axis.imshow(attention_weights(query, key, mask)[0], cmap="viridis", vmin=0, vmax=1)
    axis.set(title=name, xlabel="key (place)")
    axis.grid(False)
axes[0].set_ylabel("query (place)")
figure.colorbar(picture, ax=axes, label="weight")
ck.show(
    figure,
    alt="Three maps of weights for a sequence of four words and two places of padding: the masks empty columns, the "
    "causal mask also empties everything above the diagonal",
)

# %% [markdown]
# **The test:** change what must be invisible, and see whether any output moves that must not.

# %%
changed_key, changed_value = key.copy(), value.copy()
changed_key[:, 4:] += 100 * random.normal(size=(2, 2, 8))
changed_value[:, 4:] += 100  # places 4 and 5: the future of 0 to 3, and the padding of sequence 0

before, after = (attention(query, *pair, causal) for pair in [(key, value), (changed_key, changed_value)])
assert np.array_equal(before[:, :4], after[:, :4]) and not np.allclose(before[:, 4:], after[:, 4:])
print("causal: places 0 to 3 did not move at all, places 4 and 5 did")

padding = real[:, None, :]  # (batch, 1, time)
before, after = (attention(query, *pair, padding) for pair in [(key, value), (changed_key, changed_value)])
assert np.array_equal(before[0], after[0]) and not np.allclose(before[1], after[1])
print("padding: sequence 0 did not move at all, sequence 1, which has words there, did")

both = attention(query, key, value, causal & padding)
assert np.allclose(ops.dot_product_attention(*with_head, mask=(causal & padding)[:, None])[:, :, 0], both, atol=1e-5)
assert np.allclose(multi_head(query, value, key, attention_mask=padding, use_causal_mask=True), both, atol=1e-5)
keras_layer = layers.Attention()([query / np.sqrt(8), value, key], mask=[None, real], use_causal_mask=True)
assert np.allclose(keras_layer, both, atol=1e-5)
print("three ways in Keras agree with both masks")

# %% [markdown]
# One trap is left: a row that may look at **nothing**, such as an empty sentence. **Guess:** an error, or zeros?

# %%
nowhere = np.zeros((2, 1, 6), bool)
with np.errstate(invalid="ignore"):
    by_numpy = attention(query, key, value, nowhere)
by_keras = ops.convert_to_numpy(multi_head(query, value, key, attention_mask=nowhere))
forbidden = value.mean(axis=1)  # the mean of all values, none of which may be looked at
print("NumPy, -inf:       ", by_numpy[0, 0, :4])
print("Keras:             ", by_keras[0, 0, :4].round(3))
print("mean of all values:", forbidden[0, :4].round(3))
assert np.isnan(by_numpy).all() and np.allclose(by_keras, value.mean(axis=1)[:, None], atol=1e-5)

# %% [markdown]
# In NumPy nan tells that something is wrong. Keras's layer replaces $-\infty$ by a very low number; when all scores are
# equally low, all weights are equal, and the answer is the mean of exactly what the mask forbade. No warning.
#
# ### Exercise 10a.2 · Neither future nor padding · ●●○ · 8 minutes
# Write `allowed(ids)`: the mask for causal self-attention over `ids`, `(batch, time)`, where 0 is padding. The result
# has shape `(batch, time, time)`, True where query place $i$ may look at key place $j$: not the future, not padding.


# %% tags=["exercise"]
def allowed(ids):
    ### BEGIN SOLUTION
    causal = np.tri(ids.shape[1], dtype=bool)  # (time, time)
    return causal & (ids != 0)[:, None, :]
    ### END SOLUTION


# %% tags=["check"]
ck.check("attention.allowed", allowed)

# %% [markdown]
# ### Exercise 10a.3 · Rows that see nothing · ●●● · 12 minutes
# Write `safe_attention(query, key, value, mask)`: scaled dot-product attention for `query` `(n, d)`, `key` `(m, d)`,
# `value` `(m, v)` and `mask` `(n, m)`, in which a row that may look at nothing gets **zeros**.


# %% tags=["exercise"]
def safe_attention(query, key, value, mask):
    ### BEGIN SOLUTION
    scores = np.where(mask, query @ key.T / np.sqrt(query.shape[1]), -1e9)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True)) * mask  # 0 where forbidden
    return powers @ value / np.maximum(powers.sum(axis=1, keepdims=True), 1e-9)
    ### END SOLUTION


# %% tags=["check"]
ck.check("attention.safe_attention", safe_attention)

# %% [markdown]
# ## Attention does not know the order
#
# **Guess first:** we shuffle the places of a sequence and apply self-attention. What happens to the outputs?

# %%
order = random.permutation(6)
plain, shuffled = attention(query, key, value), attention(query[:, order], key[:, order], value[:, order])
assert np.allclose(shuffled, plain[:, order], atol=1e-6)
print("self-attention: shuffle in, the same shuffle out")
assert np.allclose(attention(query, key[:, order], value[:, order]), plain, atol=1e-6)
print("only keys and values shuffled: nothing changes")
hidden = attention(query, key, value, causal)
hidden_shuffled = attention(query[:, order], key[:, order], value[:, order], causal)
assert not np.allclose(hidden_shuffled, hidden[:, order], atol=1e-2)
print("with a causal mask it is no longer so: place i sees i + 1 keys")

# %% [markdown]
# This is called permutation equivariance (置换等变性). In "dog bites man" and "man bites dog" each word gets the same
# vector. So order must come from somewhere: chapter 11 adds it to the input.
#
# ## Additive attention
#
# The first attention in translation (Bahdanau et al., 2015) compares with a small network in place of a dot product,
# for each pair of query and key:
#
# $$ s_{ij} = \tanh(q_i W_q + k_j W_k) \cdot v $$
#
# Keras's `AdditiveAttention` is the tanh and the $v$ (its `scale`); $W_q$ and $W_k$ are dense layers before it.

# %%
keras.utils.set_random_seed(0)
to_query, to_key = layers.Dense(8, use_bias=False), layers.Dense(8, use_bias=False)
additive = layers.AdditiveAttention()
theirs, their_weights = additive([to_query(query), value, to_key(key)], return_attention_scores=True)
(W_query,), (W_key,), (v,) = (layer.get_weights() for layer in (to_query, to_key, additive))

pairs = np.tanh((query @ W_query)[:, :, None] + (key @ W_key)[:, None])  # (batch, n, m, hidden)
weights = softmax(pairs @ v)  # (batch, n, m)
assert np.allclose(their_weights, weights, atol=1e-5) and np.allclose(theirs, weights @ value, atol=1e-5)
print("additive attention agrees with Keras to 0.00001")


def count(kind, n, d):
    """Parameters; numbers held; multiplications for the scores of n queries and n keys, with hidden size d."""
    if kind == "additive":  # two d × d matrices and v; one tanh vector for each pair
        return 2 * d * d + d, n * n * d, 2 * n * d * d + n * n * d
    if kind == "dot, two layers":  # dense layers for queries and keys, as in a Transformer
        return 2 * d * d, n * n, 2 * n * d * d + n * n * d
    return 0, n * n, n * n * d


for kind in ["additive", "dot, two layers", "dot alone"]:
    parameters, held, multiplications = count(kind, 256, 64)
    print(f"{kind:15} {parameters:6,} parameters, {held:9,} numbers held, {multiplications:9,} multiplications")
assert (W_query.size + W_key.size + v.size, pairs.size // 2) == count("additive", 6, 8)[:2]  # a batch of 2

# %% [markdown]
# With the dense layers for $Q$ and $K$ that a Transformer has, the dot product counts as many multiplications as
# additive attention, and $d$ parameters fewer. The difference lies elsewhere: its scores are one matrix product, and
# additive attention holds a whole vector for each pair and takes a tanh of each number in it.
#
# ### Exercise 10a.4 · Additive attention · ●●○ · 8 minutes
# Write `additive_weights(query, key, W_query, W_key, v)`: the weights `(n, m)` for `query` `(n, d)` and `key` `(m, e)`.
# `v` has shape `(hidden,)`. Here $d$ and $e$ may differ; a dot product could not do that.


# %% tags=["exercise"]
def additive_weights(query, key, W_query, W_key, v):
    ### BEGIN SOLUTION
    hidden = np.tanh((query @ W_query)[:, None, :] + (key @ W_key)[None, :, :])  # (n, m, hidden)
    powers = np.exp(hidden @ v)
    return powers / powers.sum(axis=1, keepdims=True)
    ### END SOLUTION


# %% tags=["check"]
ck.check("attention.additive_weights", additive_weights)

# %% [markdown]
# ## Attention against recurrence: count
#
# Self-attention compares every place with every place. A recurrent layer reads once along, but each step must wait for
# the one before. We count, with a product that keeps books:

# %%
books = {"multiplications": 0, "steps": 0}


def product(one, other):
    """one @ other, and an entry in the books. Products that wait for each other are separate steps."""
    books["multiplications"] += one.shape[0] * one.shape[1] * other.shape[1]
    books["steps"] += 1
    return one @ other


def self_attention(x, W_joined, W_output):
    query, key, value = np.split(product(x, W_joined), 3, axis=1)  # three projections in one product
    return product(product(softmax(product(query, key.T) / np.sqrt(x.shape[1])), value), W_output)


def gru_like(x, W, U):
    from_input, h = product(x, W), np.zeros((1, U.shape[0]))  # (n, 3d), (1, d)
    for row in from_input:
        z, _, candidate = np.split(row + product(h, U), 3, axis=1)  # what a GRU multiplies; its gates simplified
        h = np.tanh(z) * h + np.tanh(candidate)
    return h


# %%
def entries(function, n, d, *shapes):
    books.update(multiplications=0, steps=0)
    function(np.ones((n, d)), *(np.full(shape, 0.01) for shape in shapes))
    return books["multiplications"], books["steps"]


D, lengths = 64, np.array([8, 16, 32, 64, 128, 256, 512])
of_attention = np.array([entries(self_attention, n, D, (D, 3 * D), (D, D)) for n in lengths])
of_gru = np.array([entries(gru_like, n, D, (D, 3 * D), (D, 3 * D)) for n in lengths])
assert np.array_equal(of_attention[:, 0], 4 * lengths * D**2 + 2 * lengths**2 * D)
assert np.array_equal(of_gru[:, 0], 6 * lengths * D**2)
assert lengths[of_attention[:, 0] == of_gru[:, 0]] == [D]

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.6))
held = {"attention": lengths**2, "GRU": np.full(7, D)}  # numbers besides inputs, outputs and parameters
panels = ["multiplications", "steps that wait for each other", "numbers held"]
for column, (axis, title) in enumerate(zip(axes, panels, strict=True)):
    for name, table, style in [("attention", of_attention, "o-"), ("GRU", of_gru, "s--")]:
        axis.loglog(lengths, held[name] if column == 2 else table[:, column], style, label=name)
    axis.set(title=title, xlabel="length n (places)", ylabel="count")
axes[0].axvline(D, color="grey", linestyle=":", label="n = d")
axes[0].legend(fontsize=9)
ck.show(
    figure,
    alt="Attention needs more multiplications than a GRU from n = d on, four steps at any length where the GRU needs "
    "n + 1, and n squared numbers for its weights",
)

# %% [markdown]
# $4 n d^2 + 2 n^2 d$ against $6 n d^2$: they cross at $n = d$. Behind that attention multiplies more, but in 4 steps
# whatever the length, where the GRU takes $n + 1$. And on the clock?

# %%
import time

x = random.normal(size=(4, 256, D)).astype("float32")
self_layer, gru_layer = layers.MultiHeadAttention(1, D), layers.GRU(D, return_sequences=True)
graphs = {"attention": tf.function(lambda x: self_layer(x, x)), "GRU": tf.function(gru_layer)}
seconds = {}
for name, graph in graphs.items():
    graph(tf.constant(x))  # the first call builds the graph
    seconds[name] = []
    for _ in range(7):
        begin = time.perf_counter()
        graph(tf.constant(x)).numpy()
        seconds[name].append(time.perf_counter() - begin)
counted = (4 * D**2 + 2 * 256 * D) / (6 * D**2)
print(f"256 places: attention makes {counted:.0f} times the multiplications of the GRU")
assert counted == 2
figure, axis = plt.subplots(figsize=(7, 2))
axis.barh(list(seconds), [1_000 * min(times) for times in seconds.values()], color=["C0", "C1"])
axis.set(title="Best of seven calls, on this machine", xlabel="milliseconds", ylabel="layer")
ck.show(figure, alt="Milliseconds of one call of self-attention and of a GRU over 256 places, on this machine")

# %% [markdown]
# On the two cores where this chapter was built, attention made twice the multiplications and was done first: a few
# large products against 256 small ones that wait. The clock of your machine may say otherwise, the count may not.
#
# ### Exercise 10a.5 · The price of cross-attention · ●○○ · 5 minutes
# Write `multiplications(n, m, d)` for *cross-attention* (交叉注意力): `n` queries from one sequence look at `m` keys and
# values from another, all with `d` numbers. Count the four projections (`d` to `d`, each on its own sequence; the
# output has `n` rows), the scores and the weighted means.


# %% tags=["exercise"]
def multiplications(n, m, d):
    ### BEGIN SOLUTION
    projections = (2 * n + 2 * m) * d * d  # query and output on n rows, key and value on m rows
    return projections + 2 * n * m * d
    ### END SOLUTION


# %% tags=["check"]
ck.check("attention.multiplications", multiplications)

# %% [markdown]
# ## What attention does for a learner
#
# Back to the film sentences of chapter 09c. There the average of the word vectors counted every word the same. We let
# **one learned query** decide instead: score each word vector against it, softmax over the real words, weighted mean.
# The query is the kernel of a `Dense(1)` without bias, the same for all sentences: the smallest attention there is.
# Words that ask each other are the subject of chapter 11. **Guess first:** better than the average? Better than TF-IDF,
# 78 %?

# %%
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

(sentences, ratings), (test_sentences, test_ratings) = ck.data.movie_sentences()
y, y_test = (ratings > 0).astype("float32"), (test_ratings > 0).astype("float32")  # 1 is good
TRAIN = 7_168  # the rest of the first part is the validation part, as in chapter 09c
vectorizer = layers.TextVectorization(max_tokens=5_000, output_sequence_length=32)
vectorizer.adapt(sentences[:TRAIN])
x, x_test = (ops.convert_to_numpy(vectorizer(part)) for part in (sentences, test_sentences))
baseline = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1_000)).fit(sentences[:TRAIN], y[:TRAIN])
tfidf_accuracy = 100 * baseline.score(test_sentences, y_test)


# %%
def pooled(kind):
    """A network that joins the word vectors by `kind`, "average" or "attention", and one that shows the weights."""
    ids = keras.Input((None,), dtype="int32")
    real = ops.not_equal(ids, 0)[:, :, None]  # (batch, time, 1)
    vectors = layers.Embedding(5_000, 16)(ids)  # (batch, time, 16)
    scores = layers.Dense(1, use_bias=False)(vectors) / 4  # the query; 4 is the root of 16
    weights = layers.Softmax(axis=1)(scores if kind == "attention" else 0 * scores, mask=real)  # (batch, time, 1)
    logit = layers.Dense(1)(ops.sum(weights * vectors, axis=1))
    return keras.Model(ids, logit), keras.Model(ids, [weights, vectors])


def learn(kind, seed):
    """Train until the validation loss is lowest. Returns the accuracy (%) on the test part, and both networks."""
    keras.utils.set_random_seed(seed)
    network, inside = pooled(kind)
    network.compile(keras.optimizers.Adam(0.006), keras.losses.BinaryCrossentropy(True), steps_per_execution=28)
    lowest = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    validation = {"validation_data": (x[TRAIN:], y[TRAIN:]), "validation_batch_size": len(x) - TRAIN}
    network.fit(x[:TRAIN], y[:TRAIN], 256, 8, verbose=0, callbacks=[lowest], **validation)
    return 100 * np.mean((network(x_test).numpy()[:, 0] > 0) == y_test), network, inside


# %%
runs = {"average": [learn("average", seed) for seed in range(3)]}

# %%
runs["attention"] = [learn("attention", seed) for seed in range(3)]
scores = {kind: np.array([accuracy for accuracy, _, _ in three]) for kind, three in runs.items()}
print(f"TF-IDF    {tfidf_accuracy:.1f} %")
for kind, three in scores.items():
    print(f"{kind:9} three seeds:", ", ".join(f"≈ {accuracy:.1f} %" for accuracy in three))
difference = scores["attention"].mean() - scores["average"].mean()
print(f"attention and average, means of three seeds: ≈ {abs(difference):.1f} points apart")
assert 77 < tfidf_accuracy < 80 and abs(difference) < 1
assert all((abs(three - tfidf_accuracy) < 2).all() for three in scores.values())

# %% [markdown]
# As a score, **attention with one query gained nothing** here: less than a point between the means of three seeds. What
# did it learn, then? Its score for each of the 300 most frequent words; and a test by erasing: we replace one word of
# each test sentence by `[UNK]`, the one with the largest weight or a random one, and count how many answers change.

# %%
_, reader, inside = runs["attention"][0]
vocabulary = [str(word) for word in vectorizer.get_vocabulary()]
table, query_kernel = reader.get_weights()[:2]  # (5000, 16), (16, 1)
word_scores = (table @ query_kernel)[:, 0] / 4  # (5000,)
order = np.argsort(word_scores[2:302]) + 2

lengths, changed = (x_test != 0).sum(axis=1), {"largest weight": [], "random": []}
for _, network, shows in runs["attention"]:
    weights = ops.convert_to_numpy(shows(x_test)[0])[:, :, 0]  # (sentences, time)
    chosen = {"largest weight": weights.argmax(axis=1), "random": (random.random(len(x_test)) * lengths).astype(int)}
    answers = network(x_test).numpy()[:, 0] > 0
    for name, place in chosen.items():
        erased = x_test.copy()
        erased[np.arange(len(x_test)), place] = 1  # [UNK]
        changed[name].append(100 * np.mean((network(erased).numpy()[:, 0] > 0) != answers))

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4.6))
shown = [*order[:9], *order[-9:]]
axes[0].barh([vocabulary[number] for number in shown], word_scores[shown], color=["C1"] * 9 + ["C0"] * 9)
axes[0].set(title="Lowest and highest of 300 frequent words", xlabel="score (a step of 1: 2.7 times the weight)")
axes[0].set_ylabel("word")
for number, (name, three) in enumerate(changed.items()):
    axes[1].bar(name, np.mean(three), color=["C0", "grey"][number], alpha=0.6)
    axes[1].plot([name] * 3, three, "o", color="black", markersize=4)
axes[1].set(title="One word erased (dots: three seeds)", xlabel="which word", ylabel="answers that change (%)")
ck.show(
    figure,
    alt="Lowest scores: of, to, the, a, and; highest: dull, worst, bad, too. Erasing the word with the largest weight "
    "changes over twice as many answers as erasing a random word",
)

# %%
passed_over, listened_to = (["the", "of", "a", "and"], ["bad", "dull", "worst", "too"])
for name, words, group in [("lowest", passed_over, order[:20]), ("highest", listened_to, order[-20:])]:
    found = {vocabulary[number] for number in group}
    print(f"among the {name:7} 20 of 300:", [word for word in words if word in found])
    assert found >= set(words)
for _, network, _ in runs["attention"]:  # with each seed
    of_word = dict(zip(vocabulary, (network.get_weights()[0] @ network.get_weights()[1])[:, 0], strict=True))
    middle = np.median([of_word[word] for word in vocabulary[2:302]])
    assert max(of_word[word] for word in passed_over) < middle < min(of_word[word] for word in listened_to)
for by_weight, by_chance in zip(*changed.values(), strict=True):
    print(f"one word erased, answers that change: largest weight ≈ {by_weight:.0f} %, random ≈ {by_chance:.0f} %")
    assert by_weight > 2 * by_chance
for seed, (_, network, _) in enumerate(runs["average"]):
    vectors, _, kernel, _ = network.get_weights()  # (5000, 16), the query (not used here), (16, 1), bias
    votes = dict(zip(vocabulary, np.abs(vectors @ kernel)[:, 0], strict=True))
    small, large = (np.mean([votes[word] for word in group]) for group in (passed_over, listened_to))
    print(f"average, seed {seed}: size of a vote: the, of, a, and ≈ {small:.1f}; bad, dull, worst, too ≈ {large:.1f}")
    assert small < large / 4

# %% [markdown]
# Nobody gave it a list of stop words or an inverse document frequency: it learned to pass over *the* and *of*. With
# each seed *the, of, a, and* score below the middle of the 300, *bad, dull, worst, too* above.
#
# Why did that gain nothing against the average? The average can pass over a word too. Its answer is the mean of the
# *votes*, what the last layer makes of one word's vector, and a vote may be small, as the last three lines show.
# So one query that is the same for all sentences adds little that the vectors cannot learn by themselves. This fits the
# tie; it does not prove its cause.
#
# With attention the answer is the sum of weight times vote, plus a bias. The menu shows both for each word.
# **Try:** does *not* get weight? Does it turn *good*?


# %%
def word_by_word(sentence):
    ids = ops.convert_to_numpy(vectorizer([sentence]))[:, : len(sentence.split())]
    weights, vectors = (ops.convert_to_numpy(part)[0] for part in inside(ids))  # (time, 1), (time, 16)
    votes = (vectors @ reader.get_weights()[2])[:, 0]
    answer = 1 / (1 + np.exp(-reader(ids).numpy()[0, 0]))
    figure, axes = plt.subplots(2, 1, figsize=(8, 4.8), sharex=True)
    axes[0].bar(range(len(votes)), 100 * weights[:, 0], color="C0")
    axes[0].axhline(100 / len(votes), color="grey", linestyle=":", label="all the same")
    axes[0].set(title=f"probably good: {100 * answer:.0f} %", ylabel="weight (%)")
    axes[0].legend(fontsize=9)
    axes[1].bar(range(len(votes)), votes, color=np.where(votes > 0, "C0", "C1"))
    axes[1].set(xlabel="word", ylabel="vote (logit)")
    axes[1].set_xticks(range(len(votes)), sentence.split(), rotation=30, ha="right")
    return figure


ck.explore(
    word_by_word,
    alt="The weight of each word of a sentence, and below it the vote of each word for good or bad",
    sentence=[
        "not a good film",
        "the film is not bad",
        "a moving story told with great wit",
    ],
)

# %% [markdown]
# A weight says how much of a vector is mixed in; whether it is a reason is disputed (Jain, Wallace, 2019). And votes of
# single words cannot join *not* with *good*: for that the words must look at each other (chapter 11).
#
# ### Exercise 10a.6 · Several learned queries · ●●● · 15 minutes
# Write `build_pooling(words, queries)`: a compiled model like ours, for ids `(batch, time)` of any length, but with
# **several** learned queries (no bias). Each has its own softmax over the words and pools 16 numbers; all of them side
# by side go to one logit. Binary cross-entropy from logits, Adam with rate 0.01. The check trains it.


# %% tags=["exercise"]
def build_pooling(words, queries):
    ### BEGIN SOLUTION
    ids = keras.Input((None,), dtype="int32")
    vectors = layers.Embedding(words, 16)(ids)  # (batch, time, 16)
    scores = layers.Dense(queries, use_bias=False)(vectors) / 4  # (batch, time, queries)
    weights = layers.Softmax(axis=1)(scores, mask=ops.not_equal(ids, 0)[:, :, None])
    pooled = ops.matmul(ops.transpose(weights, (0, 2, 1)), vectors)  # (batch, queries, 16)
    network = keras.Model(ids, layers.Dense(1)(layers.Flatten()(pooled)))
    network.compile(keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(from_logits=True))
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("attention.build_pooling", build_pooling)

# %% [markdown]
# ## Article clinic
#
# ### 10-1 · Attention on pictures
# The article's program (a3, 4.4) makes query, key and value from one picture by 1×1 convolutions: one dense layer for
# all pixels, which is right. Then come scores, a softmax and a weighted sum, as they should. But the convolutions are
# made for 32 channels, and the picture has 3:

# %%
convolution = layers.Conv2D(32, 1)
convolution.build((None, 8, 8, 32))
try:
    convolution(np.zeros((1, 8, 8, 3), "float32"))
except ValueError as problem:
    print("1. ValueError:", str(problem).partition(": ")[2])
fitting = layers.Conv2D(32, 1)(random.random((1, 8, 8, 3)).astype("float32"))  # not built before: takes 3 channels
places = ops.convert_to_numpy(ops.reshape(fitting, (1, 64, 32)))  # one row for each pixel
print("   built for 3 channels it gives", places.shape)

# %% [markdown]
# Next the scores, whose last axis is 32, go through one more linear layer, `Linear(64, 1)`: from 64 numbers to one.

# %%
rows = random.normal(size=(1, 32, 32)).astype("float32")
scores = rows @ np.swapaxes(rows, 1, 2)  # (1, queries 32, keys 32)
extra = layers.Dense(1)
extra.build((None, 32, 64))
try:
    extra(scores)
except ValueError as problem:
    print("2. ValueError:", str(problem).partition(": ")[2])
one_number = ops.convert_to_numpy(layers.Dense(1)(scores))  # the same layer, made for 32
print("   made for 32 it gives", one_number.shape, "and a softmax over its last axis", np.unique(softmax(one_number)))
try:
    softmax(one_number) @ rows
except ValueError as problem:
    print("   weights times values:", type(problem).__name__)
assert one_number.shape == (1, 32, 1) and (softmax(one_number) == 1).all()

# %% [markdown]
# Two things would run without a message: no division by $\sqrt d$, and a softmax over a wrong axis, such as the
# queries.

# %%
long_query, long_key = random.normal(size=(2, 6, 512))
softened, sharp = attention_weights(long_query, long_key), softmax(long_query @ long_key.T)
for name, rows in [("with", softened), ("no", sharp)]:
    print(f"3. {name:4} 1/√d at d = 512: the largest weight of a row is {rows.max(axis=1).mean():.2f} on average")
assert sharp.max(axis=1).mean() > 0.9 and softened.max(axis=1).mean() < 0.7

scaled = query[0] @ key[0].T / np.sqrt(8)  # (6, 6)
wrong = softmax(scaled.T).T  # over the queries
print("4. softmax over the queries, sums of the rows:   ", *[f"{total:.2f}" for total in wrong.sum(axis=1)])
print("                             sums of the columns:", *[f"{total:.2f}" for total in wrong.sum(axis=0)])
hidden = np.where(causal, scaled, -np.inf)
other = hidden.copy()
other[5] += 2  # only the last query changes
before, after = (softmax(part.T).T @ value[0] for part in (hidden, other))
moved = np.abs(after[0] - before[0]).max()
print(f"   under a causal mask the last query changes, and the first output moves by {moved:.3f}")
assert not np.allclose(wrong.sum(axis=1), 1, atol=0.1) and np.allclose(wrong.sum(axis=0), 1) and moved > 0.01

# %% [markdown]
# 1 stops the program. With 1 repaired, 2 stops it: a linear layer over the keys makes one number of all the scores of a
# query. Made to fit, it leaves no axis of keys to weigh the values with, and the next product fails too: the layer has
# to go. 3 is the saturated softmax. 4 gives no mean, and where a causal mask is used **the future leaks through it**,
# for a later query takes weight from an earlier one.
#
# **Right:** one row for each pixel, $\mathrm{softmax}(QK^\top/\sqrt d)$ over each row:

# %%
right = attention_weights(places, places)
assert np.allclose(right.sum(axis=-1), 1, atol=1e-5)
assert np.allclose(layers.Attention()([places / np.sqrt(32), places]), right @ places, atol=1e-5)
print("64 pixels look at 64 pixels, each row sums to 1:", right.shape)

# %% [markdown]
# ## Recap
#
# - Attention is a soft look-up: softmax of query times key, then a weighted mean of the values.
# - For independent numbers of variance 1 the scores have the variance $d$; without $1/\sqrt d$, at $d = 1024$, under a
#   quarter of the slope of softmax is left.
# - Test a mask by changing what it hides. A row that may look at nothing gets, in Keras's `MultiHeadAttention`, the
#   mean of what was forbidden.
# - Attention does not know order. Behind $n = d$ it multiplies more than recurrence, in 4 steps where that takes $n + 1$.
# - With one learned query, on 7,168 film sentences, it learned which words to pass over, and ended level with the average
#   and within two points of TF-IDF (three seeds).
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("attention.scale")

# %% tags=["quiz"]
ck.quiz("attention.leak")

# %% tags=["quiz"]
ck.quiz("attention.nothing")

# %% tags=["quiz"]
ck.quiz("attention.order")

# %% tags=["quiz"]
ck.quiz("attention.cost")

# %% [markdown]
# ### References
#
# - Bahdanau, Cho, Bengio (2015). Neural machine translation by jointly learning to align and translate. ICLR.
#   arXiv:1409.0473
# - Luong, Pham, Manning (2015). Effective approaches to attention-based neural machine translation. EMNLP.
#   arXiv:1508.04025
# - Vaswani et al. (2017). Attention is all you need. NeurIPS. arXiv:1706.03762
# - Jain, Wallace (2019). Attention is not explanation. NAACL. arXiv:1902.10186
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("attention")
