# ---
# title: The Transformer, piece by piece
# promise: You will build every piece of a Transformer in NumPy, show that Keras computes the same, and train one.
# built: You built every piece of a Transformer in NumPy, joined them into a block, and trained an encoder.
# minutes: 90
# prerequisites: [10a_attention]
# data: [movie_sentences]
# articles: [a3 3.5, a3 4.5]
# clinic: ["11-1", "11-2"]
# topic: transformer
# ---

# %% [markdown]
# **What you will be able to do**
#
# - say why attention needs positions (位置编码), and code them in two ways;
# - compute multi-head attention (多头注意力), feed-forward network (前馈网络) and layer normalisation (层归一化) by hand;
# - join them with residual connections (残差连接) into a block, before or after the norm, and count its parameters;
# - train a Transformer encoder (编码器) and find out whether it uses the order of the words;
# - read the picture of a decoder (解码器): causal mask and cross-attention (交叉注意力).
#
# The article (a3) calls the Transformer 变压器. That is the electrical device: a mistranslation. The name stays
# "Transformer" in Chinese too.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## Who bit whom?
#
# Attention treats all words alike (chapter 10a). Three words, each a vector of 8 numbers, go through a real attention layer
# of Keras. Then we read the sentence backwards.
# **Guess:** do the words' new vectors know who was bitten?

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

words = ["man", "bites", "dog"]
keras.utils.set_random_seed(0)
vectors = layers.Embedding(3, 8)(np.array([[0, 1, 2]]))  # (1, 3, 8)
attention = layers.MultiHeadAttention(num_heads=2, key_dim=4)
forward = ops.convert_to_numpy(attention(vectors, vectors))  # (batch, time, width)
backward = ops.convert_to_numpy(attention(vectors[:, ::-1], vectors[:, ::-1]))

same = np.allclose(forward, backward[:, ::-1], atol=1e-6)
print("'man' is the same in 'man bites dog' and 'dog bites man':", same)
assert same

# %% [markdown]
# To attention alone, a sentence is a bag of words: which words and how often, in no order. So each word must carry
# its place.
#
# ## Sinusoidal positions
#
# The code of place $p$ is added to the word's vector. Pair $i$ of its $d$ numbers turns like the hand of a clock; each
# clock is slower than the one before:
#
# $$ c_{p,2i} = \sin(\omega_i p), \qquad c_{p,2i+1} = \cos(\omega_i p), \qquad \omega_i = 10000^{-2i/d} $$


# %%
def sinusoidal(places, width):
    """The codes of places 0 to places - 1, shape (places, width)."""
    speed = 10_000.0 ** (-np.arange(0, width, 2) / width)  # (width / 2,)
    angle = np.arange(places)[:, None] * speed  # (places, width / 2)
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(places, width)


code = sinusoidal(100, 32)
likeness = code @ code.T  # (places, places)
figure, axes = plt.subplots(1, 2, figsize=(10, 3.6))
picture = axes[0].imshow(code.T, aspect="auto", cmap="RdBu", vmin=-1, vmax=1)
axes[0].set(title="The code of 100 places", xlabel="place", ylabel="number in the code")
figure.colorbar(picture, ax=axes[0])
for place in [20, 50]:
    axes[1].plot(likeness[place], label=f"place {place}")
axes[1].set(title="Dot product with the other places", xlabel="other place", ylabel="dot product")
axes[1].legend()
ck.show(
    figure,
    alt="Waves, fast at the top and slow below; the dot product has its peak at the place itself, waves elsewhere",
)
assert np.allclose(likeness[20, 20:60], likeness[50, 50:90]) and (likeness.argmax(axis=1) == np.arange(100)).all()

# %% [markdown]
# Both curves have one shape, asserted: the dot product depends on the *distance* alone, and is highest at distance 0.
#
# Why? $k$ places further, clock $i$ has turned by $\omega_i k$. A turn is a matrix, the same one at every place:

# %%
k, speed = 7, 10_000.0 ** (-np.arange(0, 32, 2) / 32)
shift = np.zeros((32, 32))
for i, angle in enumerate(speed * k):
    turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    shift[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = turn

assert np.allclose(code[:-k] @ shift, code[k:])  # place p times one matrix is place p + 7, for every p
print(f"one matrix moves all {len(code) - k} codes by {k} places")

# %% [markdown]
# So a layer can learn "look seven words back" with one matrix of weights.
#
# The other way is a **learned** table with a row for each place. It needs no formula, but has no row for a place beyond
# the longest sentence. Does the dog bite now?

# %%
places = layers.Embedding(3, 8)(np.arange(3))  # (time, width): what an untrained table holds
for name, table in {"sinusoidal": sinusoidal(3, 8).astype("float32"), "learned": places}.items():
    one, other = vectors + table, vectors[:, ::-1] + table
    moved = np.abs(attention(one, one).numpy() - attention(other, other).numpy()[:, ::-1]).max()
    print(f"{name:10}: both sentences give the same vectors: {moved < 1e-6}")
    assert moved > 1e-5

# %% [markdown]
# ## Several heads
#
# One softmax gives one pattern of looking. $h$ heads (头) give $h$ patterns: each has its own, narrower projections.
# Their outputs are set side by side and mixed by $W_O$ (Vaswani and others, 2017):
#
# $$ H_j = \mathrm{softmax}\!\left(\frac{Q_j K_j^\top}{\sqrt{d/h}}\right) V_j, \quad Q_j = X W^Q_j + b^Q_j, \ \ldots \qquad
# \mathrm{output} = [H_1, \ldots, H_h]\, W_O + b_O $$


# %%
def softmax(scores):
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def multi_head(x, source, parameters, allowed=True):
    """x (batch, n, width) looks at source (batch, m, width). Returns the output and the weights (batch, heads, n, m)."""
    W_q, b_q, W_k, b_k, W_v, b_v, W_o, b_o = parameters  # W_q (width, heads, size), W_o (heads, size, width)
    outputs, looks = [], []
    for head in range(W_q.shape[1]):
        q = x @ W_q[:, head] + b_q[head]  # (batch, n, size)
        k = source @ W_k[:, head] + b_k[head]  # (batch, m, size)
        v = source @ W_v[:, head] + b_v[head]
        scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])  # (batch, n, m)
        looks.append(softmax(np.where(allowed, scores, -np.inf)))
        outputs.append(looks[-1] @ v)
    side_by_side = np.concatenate(outputs, axis=-1)  # (batch, n, heads · size)
    return side_by_side @ W_o.reshape(side_by_side.shape[-1], -1) + b_o, np.stack(looks, axis=1)


# %% [markdown]
# The parameters come out of a Keras layer. Its biases start at 0, which would hide a mistake, so all get random numbers:

# %%
random = np.random.default_rng(0)
x = random.normal(size=(2, 6, 32)).astype("float32")  # (batch, time, width)


def with_random_weights(layer, *inputs):
    layer(*inputs)  # builds it
    layer.set_weights([random.normal(0, 0.3, w.shape) for w in layer.get_weights()])
    return layer


attention = with_random_weights(layers.MultiHeadAttention(num_heads=4, key_dim=8), x, x)
by_hand, looks = multi_head(x, x, attention.get_weights())
by_keras, keras_looks = attention(x, x, return_attention_scores=True)
assert np.allclose(by_hand, by_keras, atol=1e-5) and np.allclose(looks, keras_looks, atol=1e-5)
print("Keras's kernels:", [w.shape for w in attention.get_weights()[::2]])
print("output", by_hand.shape, "weights of the looking", looks.shape)
counts = [layers.MultiHeadAttention(h, 32 // h) for h in [1, 4, 32]]
counts = [with_random_weights(layer, x, x).count_params() for layer in counts]
print("parameters with 1, 4 and 32 heads:", counts)
assert counts == [4 * 32 * 32 + 4 * 32] * 3

# %% [markdown]
# Equal to 0.00001. Because each head has $d/h$ numbers, more heads cost no more parameters: $4d^2 + 4d$.
#
# ### Exercise 11a.1 · Heads without a loop · ●●○ · 8 minutes
# Frameworks split the heads without a loop. Write `split_heads(x, heads)`: from `(batch, time, width)` to
# `(batch, heads, time, width / heads)`. Head 0 gets the first `width / heads` numbers of each position.


# %% tags=["exercise"]
def split_heads(x, heads):
    ### BEGIN SOLUTION
    batch, time, width = x.shape
    return x.reshape(batch, time, heads, width // heads).transpose(0, 2, 1, 3)
    ### END SOLUTION


# %% tags=["check"]
ck.check("transformer.split_heads", split_heads)

# %% [markdown]
# ## The feed-forward network
#
# Attention moves information between positions. Then each position thinks alone: two dense layers, with four times the
# width between them, $\mathrm{relu}(x W_1 + b_1) W_2 + b_2$.


# %%
def feed_forward(x, W_1, b_1, W_2, b_2):
    return np.maximum(x @ W_1 + b_1, 0) @ W_2 + b_2


wide, narrow = layers.Dense(128, "relu"), layers.Dense(32)
with_random_weights(narrow, with_random_weights(wide, x)(x))
by_hand = feed_forward(x, *wide.get_weights(), *narrow.get_weights())
assert np.allclose(by_hand, narrow(wide(x)), atol=1e-4)
alone = feed_forward(x[:, 2:3], *wide.get_weights(), *narrow.get_weights())
assert np.allclose(by_hand[:, 2:3], alone, atol=1e-5)
print("the network gives position 2 the same answer with and without its neighbours")

# %% [markdown]
# ## Layer normalisation
#
# Each position is shifted to mean 0 and scaled to variance 1 over its own numbers, then $\gamma$ and $\beta$, both
# learned, scale and shift it (Ba and others, 2016). No other example takes part, unlike in batch normalisation.
#
# $$ y = \gamma \odot \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta $$
#
# ### Exercise 11a.2 · Layer normalisation · ●○○ · 6 minutes
# Write `normalise(x, gamma, beta, epsilon)`. `x` has any number of axes, the last one is the width.


# %% tags=["exercise"]
def normalise(x, gamma, beta, epsilon):
    ### BEGIN SOLUTION
    centred = x - x.mean(axis=-1, keepdims=True)
    return gamma * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon) + beta
    ### END SOLUTION


# %% tags=["check"]
ck.check("transformer.normalise", normalise)


# %%
def layer_norm(x, gamma, beta, epsilon=1e-3):
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


norm = with_random_weights(layers.LayerNormalization(), x)
assert np.allclose(layer_norm(x, *norm.get_weights()), norm(x), atol=1e-5)
small = 0.01 * x  # variance about 0.0001
for epsilon in [1e-3, 1e-6]:
    size = layer_norm(small, 1, 0, epsilon).std()
    print(f"epsilon {epsilon:g}: numbers of size 0.01 come out with size {size:.1f}")
assert norm.epsilon == 1e-3

# %% [markdown]
# Keras's $\varepsilon$ is 0.001, PyTorch's 0.00001: with the larger one, small signals stay small. Look at it when you
# copy weights from another framework.
#
# ## The block: where does the norm stand?
#
# A **residual connection** adds a step's output to its input: $x + \mathrm{step}(x)$. The first Transformer put the
# norm behind the sum (*post-norm*), GPT-2 and most later ones in front of the step (*pre-norm*):
#
# $$ \text{post-norm: } x \leftarrow \mathrm{norm}(x + \mathrm{step}(x)) \qquad \text{pre-norm: } x \leftarrow x + \mathrm{step}(\mathrm{norm}(x)) $$


# %%
def block(x, parameters, wiring):
    """One encoder block in NumPy. parameters: a list of weights for each of its five layers."""
    attention, norm_1, wide, narrow, norm_2 = parameters
    steps = [lambda x: multi_head(x, x, attention)[0], lambda x: feed_forward(x, *wide, *narrow)]
    for step, norm in zip(steps, [norm_1, norm_2], strict=True):
        if wiring == "pre-norm":
            x = x + step(layer_norm(x, *norm))
        elif wiring == "post-norm":
            x = layer_norm(x + step(x), *norm)
        elif wiring == "residual, no norm":
            x = x + step(x)
        elif wiring == "norm, no residual":
            x = layer_norm(step(x), *norm)
        else:
            x = step(x)
    return x


# %% [markdown]
# The same two blocks in Keras:


# %%
def keras_block(width, heads, wiring):
    """An encoder block as a model, and its layers in the order attention, norm, wide, narrow, norm."""
    attention, wide = layers.MultiHeadAttention(heads, width // heads), layers.Dense(4 * width, "relu")
    narrow, norm_1, norm_2 = layers.Dense(width), layers.LayerNormalization(), layers.LayerNormalization()
    x = keras.Input((None, width))
    if wiring == "pre-norm":
        normed = norm_1(x)
        middle = x + attention(normed, normed)
        y = middle + narrow(wide(norm_2(middle)))
    else:
        middle = norm_1(x + attention(x, x))
        y = norm_2(middle + narrow(wide(middle)))
    return keras.Model(x, y), [attention, norm_1, wide, narrow, norm_2]


for wiring in ["pre-norm", "post-norm"]:
    model, parts = keras_block(32, 4, wiring)
    with_random_weights(model, x)
    assert np.allclose(block(x, [part.get_weights() for part in parts], wiring), model(x), rtol=1e-5, atol=1e-5)
print("both blocks by hand equal Keras's")

# %% [markdown]
# Now 24 blocks on top of each other, untrained: weights with variance $1/\text{inputs}$, biases 0. Five wirings, three
# seeds. Two measurements: the *size* of the numbers, and how *alike* the positions are (mean cosine between two of
# them; 1 is identical). **Guess:** what happens with a norm but no residual?

# %%
WIRINGS = ["pre-norm", "post-norm", "residual, no norm", "norm, no residual", "neither"]


def new_parameters(random, width=32, heads=4):
    def draw(*shape, inputs=width):
        return random.normal(0, inputs**-0.5, shape)

    into = [draw(width, heads, width // heads), np.zeros((heads, width // heads))]
    attention = [draw(*w.shape) if w.ndim == 3 else w for w in into * 3]
    attention += [draw(heads, width // heads, width), np.zeros(width)]
    norm = [np.ones(width), np.zeros(width)]
    return [attention, norm, [draw(width, 128), np.zeros(128)], [draw(128, width, inputs=128), np.zeros(width)], norm]


def likeness_of_positions(x):
    unit = x / np.linalg.norm(x, axis=-1, keepdims=True)
    cosine = unit @ unit.swapaxes(1, 2)  # (batch, time, time)
    return cosine[:, ~np.eye(x.shape[1], dtype=bool)].mean()


# %%
depths = {wiring: np.zeros((3, 25, 2)) for wiring in WIRINGS}  # (seeds, blocks, measurements)
for wiring in WIRINGS:
    for seed in range(3):
        random = np.random.default_rng(seed)
        signal = random.normal(size=(4, 8, 32))
        for depth in range(25):
            depths[wiring][seed, depth] = signal.std(), likeness_of_positions(signal)
            signal = block(signal, new_parameters(random), wiring)

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4))
for wiring, style in zip(WIRINGS, ["-", "--", "-.", ":", (0, (5, 1))], strict=True):
    for axis, values in zip(axes, depths[wiring].mean(axis=0).T, strict=True):
        axis.plot(values, linestyle=style, linewidth=4 if style == ":" else 2, label=wiring)
axes[0].set(title="Size of the signal", xlabel="blocks", ylabel="standard deviation", yscale="log")
axes[1].set(title="How alike the positions are", xlabel="blocks", ylabel="mean cosine")
axes[0].legend(fontsize=9)
ck.show(
    figure,
    alt="Size by depth: grows slowly with pre-norm, stays 1 with post-norm, explodes without a norm, "
    "vanishes with neither; without residuals the positions soon are all alike",
)
for depth in [4, 24]:
    print(f"after {depth} blocks:")
    for wiring, (size, alike) in {w: v[:, depth].mean(axis=0) for w, v in depths.items()}.items():
        print(f"   {wiring:18} size {size:6.1g}, alike {alike:.2f}")
sizes, alike = ({w: v[:, -1, number] for w, v in depths.items()} for number in [0, 1])
assert min(sizes["residual, no norm"]) > 1e5 and max(sizes["neither"]) < 1e-4 and max(sizes["pre-norm"]) < 10
assert max(alike["pre-norm"]) < 0.95 and min(alike[w].min() for w in WIRINGS[1:]) > 0.99
assert depths["norm, no residual"][:, 4, 1].min() > 0.99 > 0.85 > depths["post-norm"][:, 4, 1].max()

# %% [markdown]
# With this start, residuals without a norm explode, to over 100,000; with neither the signal is nearly gone. A norm
# alone keeps the size, but after four blocks all positions are nearly the same (Dong and others, 2021): attention
# averages, and nothing brings the word itself back. Post-norm keeps them apart for longer, yet not for 24 blocks;
# pre-norm still does. This is the start that training has to work with, not its result, and another variance of the
# weights moves the depths.
#
# ## How many parameters?
#
# Four matrices of $d^2$ in the attention, two of $4d^2$ in the feed-forward network, two norms: with all biases a block
# has $12d^2 + 13d$ parameters, whatever the number of heads (if it divides $d$) and the length of the text.

# %%
for width in [16, 64, 256]:
    model, _ = keras_block(width, 4, "pre-norm")
    print(f"width {width:3}: {model.count_params():9,}")
    assert model.count_params() == 12 * width**2 + 13 * width

# %% [markdown]
# ### Exercise 11a.3 · Count an encoder · ●●○ · 8 minutes
# Write `encoder_parameters(vocabulary, length, width, hidden, blocks)`: all parameters of a pre-norm encoder: a table of
# `vocabulary` words, a learned table of `length` places, `blocks` blocks whose feed-forward network has `hidden` units
# between its two layers, and one more layer norm at the end. All layers have their biases.


# %% tags=["exercise"]
def encoder_parameters(vocabulary, length, width, hidden, blocks):
    ### BEGIN SOLUTION
    attention = 4 * (width * width + width)
    feed_forward = width * hidden + hidden + hidden * width + width
    norm = 2 * width
    return (vocabulary + length) * width + blocks * (attention + feed_forward + 2 * norm) + norm
    ### END SOLUTION


# %% tags=["check"]
ck.check("transformer.encoder_parameters", encoder_parameters)

# %% [markdown]
# ## A Transformer for film reviews
#
# The task, the split and the vocabulary of chapter 09c: 7,168 sentences to learn from, good or bad? There a GRU stayed
# below TF-IDF after two epochs. Our encoder: words plus learned places, width 16, one pre-norm block with two heads,
# the mean over the real words, one logit. Padding is masked.

# %%
(sentences, ratings), (test_sentences, test_ratings) = ck.data.movie_sentences()
y, y_test = (ratings > 0).astype("float32"), (test_ratings > 0).astype("float32")  # 1 is good
TRAIN, WORDS, LENGTH = 7_168, 5_000, 32
vectorizer = layers.TextVectorization(max_tokens=WORDS, output_sequence_length=LENGTH)
vectorizer.adapt(sentences[:TRAIN])
x_train, x_test = (ops.convert_to_numpy(vectorizer(part)) for part in [sentences[:TRAIN], test_sentences])


def encoder(positions, width=16, heads=2):
    ids = keras.Input((LENGTH,), dtype="int32")
    real = ops.not_equal(ids, 0)  # (batch, time)
    x = layers.Embedding(WORDS, width)(ids)  # (batch, time, width)
    if positions:
        places = ops.cumsum(ops.ones_like(ids), axis=1) - 1  # 0, 1, 2, … in each row
        x = x + layers.Embedding(LENGTH, width)(places)
    normed = layers.LayerNormalization()(x)
    x = x + layers.MultiHeadAttention(heads, width // heads)(normed, normed, attention_mask=real[:, None, :])
    x = x + layers.Dense(width)(layers.Dense(4 * width, "relu")(layers.LayerNormalization()(x)))
    mean = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x), mask=real)  # (batch, width)
    return keras.Model(ids, layers.Dense(1)(mean))


# %%
class Trainer:
    """One compiled network for several runs, each from a new start (as in chapter 09c)."""

    def __init__(self, positions):
        self.positions, self.network, self.optimizer = positions, encoder(positions), keras.optimizers.Adam(0.003)
        self.optimizer.build(self.network.trainable_variables)
        self.fresh = [ops.convert_to_numpy(variable) for variable in self.optimizer.variables]
        self.network.compile(self.optimizer, keras.losses.BinaryCrossentropy(from_logits=True), steps_per_execution=28)

    def run(self, seed, epochs, x=x_train, y=y[:TRAIN]):
        keras.utils.set_random_seed(seed)
        self.network.set_weights(encoder(self.positions).get_weights())
        for variable, value in zip(self.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)
        self.network.fit(x, y, 256, epochs, verbose=0)
        return self

    def accuracy(self, x, y):
        """Percent of the sentences with the logit on the right side of 0."""
        return 100 * np.mean((self.network(x).numpy()[:, 0] > 0) == y)


# %% [markdown]
# Two epochs, as for the GRU, three seeds, with and without positions; rate and width are not tuned. Then the test
# sentences come with their words shuffled. **Guess:** what do positions add, and what does the shuffling cost?

# %%
random = np.random.default_rng(0)
shuffled = x_test.copy()
for row, length in zip(shuffled, (x_test != 0).sum(axis=1), strict=True):
    row[:length] = random.permutation(row[:length])

trainers, scores, changed = {"with positions": Trainer(True)}, {}, {}


def judge_shuffled(name):
    """Three seeds: the accuracy in order and shuffled, and the largest share of answers that changed (%)."""
    scores[name], moved = [], []
    for seed in range(3):
        trainer = trainers[name].run(seed, 2)
        scores[name].append([trainer.accuracy(part, y_test) for part in [x_test, shuffled]])
        one, other = (trainer.network(part).numpy() > 0 for part in [x_test, shuffled])
        moved.append(100 * np.mean(one != other))
    scores[name], changed[name] = np.array(scores[name]), max(moved)  # (seeds, 2)


judge_shuffled("with positions")

# %%
trainers["without"] = Trainer(False)
judge_shuffled("without")

# %% [markdown]
# Two counts to compare with: single words, and words together with pairs of neighbours, which hold some order. How much
# a count trusts rare words (`C`) is chosen on the validation part.


# %%
def in_order_and_shuffled(longest):
    """Test accuracy (%) of TF-IDF with n-grams up to `longest` words, in order and with the words shuffled."""
    features = TfidfVectorizer(ngram_range=(1, longest)).fit(sentences[:TRAIN])
    learn, check = (features.transform(part) for part in [sentences[:TRAIN], sentences[TRAIN:]])
    models = [LogisticRegression(C=C, solver="liblinear").fit(learn, y[:TRAIN]) for C in [1, 10]]
    best = max(models, key=lambda model: model.score(check, y[TRAIN:]))
    mixed = [" ".join(random.permutation(str(sentence).split())) for sentence in test_sentences]
    return [100 * best.score(features.transform(part), y_test) for part in [test_sentences, mixed]]


counts = {"TF-IDF, words": in_order_and_shuffled(1), "TF-IDF, words and pairs": in_order_and_shuffled(2)}
for name, (in_order, mixed) in counts.items():
    print(f"{name:23} in order {in_order:.1f} %, shuffled {mixed:.1f} %")
tfidf = counts["TF-IDF, words"][0]

# %%
figure, axis = plt.subplots(figsize=(8, 2.8))
for number, values in enumerate(scores.values()):
    for column, label in enumerate(["in order", "shuffled"]):
        height = np.full(3, number + 0.2 * column - 0.1)
        axis.plot(values[:, column], height, "os"[column], color=f"C{column}", label=None if number else label)
for (name, (in_order, _)), style in zip(counts.items(), ["--", ":"], strict=True):
    axis.axvline(in_order, color="black", linestyle=style, label=name)
axis.set_yticks([0, 1], list(scores))
axis.set(title="Transformer encoder, three seeds", xlabel="test accuracy (%)", ylabel="encoder", xlim=(70, 84))
axis.legend(fontsize=8, loc="upper left")
ck.show(
    figure,
    alt="Test accuracy with and without positions, words in order and shuffled: all below counted words and pairs",
)

# %%
for name, values in scores.items():
    for seed, (in_order, mixed) in enumerate(values):
        print(f"{name:14} seed {seed}: in order ≈ {in_order:.1f} %, shuffled ≈ {mixed:.1f} %")
    print(f"{name:14} answers that the shuffling changed, at most ≈ {changed[name]:.1f} %")
    assert 73 < values.min() and values.max() < min(79, counts["TF-IDF, words and pairs"][0])
    assert np.abs(values[:, 0] - values[:, 1]).max() < 2 and values[:, 0].mean() < tfidf + 0.5
assert changed["without"] == 0 and 0 < changed["with positions"] < 20
lost = counts["TF-IDF, words and pairs"][0] - counts["TF-IDF, words and pairs"][1]
assert counts["TF-IDF, words"][0] == counts["TF-IDF, words"][1] and lost > 1

# %% [markdown]
# After two epochs, with this width and rate, the encoder does **not** beat counting, no more than the GRU did.
# Positions bring nothing that three seeds could show, and shuffling costs it less than two points. That is not because
# the task has no order: the count with pairs is better in order than shuffled. From 7,168 sentences, in this time, our
# encoder did not learn that.
#
# *Can* it use order? The twins of chapter 09c: "starts good and ends bad" against "starts bad and ends good".

# %%
good = ["good", "great", "funny", "moving", "smart", "warm", "fresh", "clever"]
bad = ["bad", "dull", "boring", "stupid", "weak", "cold", "silly", "flat"]
pairs = [(one, other) for one in good for other in bad]  # 64
twins = [[f"starts {one} and ends {other}", f"starts {other} and ends {one}"] for one, other in pairs]
twins = np.array(twins, object)[random.permutation(64)]  # (pairs, 2)
learn, judge = (ops.convert_to_numpy(vectorizer(part.ravel())) for part in [twins[:48], twins[48:]])
drawn = random.integers(0, 96, TRAIN)
can = {}
for name, trainer in trainers.items():
    trainer.run(0, 3, learn[drawn], np.tile([0.0, 1.0], 48)[drawn])
    can[name] = trainer.accuracy(judge, np.tile([0.0, 1.0], 16))
    print(f"{name:14}: {can[name]:.0f} % of new twins")
assert can["with positions"] > 95 and abs(can["without"] - 50) < 1e-6

# %% [markdown]
# It can, and only with positions: without them both sentences of a twin are one bag of words, by construction.
#
# ### Exercise 11a.4 · A post-norm encoder · ●●● · 15 minutes
# Write `build_encoder(words, length, width, heads)`: a compiled Keras model for ids `(batch, length)` from 0 to
# `words - 1`, where 0 is padding behind the words. Word table plus learned places, **one post-norm block** with
# `4 * width` hidden units, the mean over real words, one logit. Nobody may look at padding. Binary cross-entropy from
# logits, Adam. The check counts parameters, trains, and swaps words.


# %% tags=["exercise"]
def build_encoder(words, length, width, heads):
    ### BEGIN SOLUTION
    ids = keras.Input((length,), dtype="int32")
    real = ops.not_equal(ids, 0)
    places = ops.cumsum(ops.ones_like(ids), axis=1) - 1
    x = layers.Embedding(words, width)(ids) + layers.Embedding(length, width)(places)
    seen = layers.MultiHeadAttention(heads, width // heads)(x, x, attention_mask=real[:, None, :])
    x = layers.LayerNormalization()(x + seen)
    thought = layers.Dense(width)(layers.Dense(4 * width, "relu")(x))
    x = layers.LayerNormalization()(x + thought)
    network = keras.Model(ids, layers.Dense(1)(layers.GlobalAveragePooling1D()(x, mask=real)))
    network.compile(keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(from_logits=True))
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("transformer.build_encoder", build_encoder)

# %% [markdown]
# ## The other half: a decoder
#
# A decoder writes, one token (词元) after another. Its block has three steps: attention to what is written so far,
# where a **causal mask** (因果掩码) hides the future; **cross-attention**, whose queries come from the decoder, keys and
# values from the encoder's output; the feed-forward network. Leave cross-attention out and you have a GPT.

# %%
COLUMNS = {
    "encoder": ["words + places", "self-attention", "feed-forward", "memory"],
    "decoder": ["written + places", "causal self-attention", "cross-attention", "feed-forward", "next token"],
    "GPT": ["written + places", "causal self-attention", "feed-forward", "next token"],
}
figure, axes = plt.subplots(1, 4, figsize=(12, 4), width_ratios=[2.6, 1, 1, 1])
for column, (name, boxes) in enumerate(COLUMNS.items()):
    for row, text in enumerate(boxes):
        frame = {"boxstyle": "round", "facecolor": "white", "edgecolor": f"C{column}"}
        axes[0].text(column, row, text, ha="center", va="center", fontsize=7.5, bbox=frame)
        if row:
            axes[0].annotate("", (column, row - 0.2), (column, row - 0.8), arrowprops={"arrowstyle": "->"})
    axes[0].text(column, -0.7, name, ha="center", weight="bold")
axes[0].annotate("", (0.7, 2.05), (0.24, 3), arrowprops={"arrowstyle": "->", "linestyle": "--"})
axes[0].set(xlim=(-0.5, 2.5), ylim=(-1, 4.5), title="One block of each kind", xticks=[], yticks=[])
axes[0].set(xlabel="kind", ylabel="way of the data")
masks = {"encoder": np.ones((5, 5)), "decoder, causal": np.tri(4), "cross": np.ones((4, 5))}
for axis, (title, mask) in zip(axes[1:], masks.items(), strict=True):
    axis.imshow(mask, cmap="cividis", vmin=0, vmax=1)
    axis.grid(False)
    axis.set(title=title, xlabel="looked at (position)", ylabel="looking (position)")
ck.show(
    figure,
    alt="Blocks of encoder, decoder and GPT as columns of boxes; masks: all allowed, lower triangle, all allowed",
)

# %% [markdown]
# Yellow may be looked at. A pre-norm decoder block in Keras:


# %%
width, heads = 32, 4
written, memory = keras.Input((None, width)), keras.Input((None, width))
normed = layers.LayerNormalization()(written)
z = written + layers.MultiHeadAttention(heads, width // heads)(normed, normed, use_causal_mask=True)
crossing = layers.MultiHeadAttention(heads, width // heads)
seen, cross_looks = crossing(layers.LayerNormalization()(z), memory, return_attention_scores=True)
z = z + seen
z = z + layers.Dense(width)(layers.Dense(4 * width, "relu")(layers.LayerNormalization()(z)))
decoder_block = keras.Model([written, memory], [z, cross_looks])

random = np.random.default_rng(1)
text, source = random.normal(size=(1, 4, width)), random.normal(size=(1, 5, width))
before, looks = (ops.convert_to_numpy(part) for part in decoder_block([text, source]))
text[:, 2] = random.normal(size=width)  # another token at place 2
after = ops.convert_to_numpy(decoder_block([text, source])[0])
print("output changed, place by place:", [bool(change > 1e-4) for change in np.abs(after - before)[0].max(axis=1)])
print("cross-attention looks", looks.shape, "and each row sums to 1:", np.allclose(looks.sum(axis=-1), 1, atol=1e-5))
moved = np.abs(after - before)[0].max(axis=1)
assert moved[:2].max() < 1e-6 and moved[2:].min() > 1e-3 and looks.shape == (1, heads, 4, 5)
assert decoder_block.count_params() == 16 * width**2 + 19 * width

# %% [markdown]
# Places before the change do not notice it. Chapter 11b uses this block, chapter 11c the one without cross-attention.
#
# ### Exercise 11a.5 · Cross-attention by hand · ●●○ · 8 minutes
# Write `cross_attention(text, memory, W_q, W_k, W_v)`: one head without biases and masks. `text` is `(batch, n, width)`, from the decoder,
# `memory` is `(batch, m, width)`, from the encoder, the matrices are `(width, size)`. The result is `(batch, n, size)`.


# %% tags=["exercise"]
def cross_attention(text, memory, W_q, W_k, W_v):
    ### BEGIN SOLUTION
    q, k, v = text @ W_q, memory @ W_k, memory @ W_v
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])  # (batch, n, m)
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True) @ v
    ### END SOLUTION


# %% tags=["check"]
ck.check("transformer.cross_attention", cross_attention)

# %% [markdown]
# ## Article clinic
#
# ### 11-1 · Q = W_Q X K + b_Q
# The article (a3, 3.5) gives queries, keys and values a matrix and a bias each, which is right. But its formulas are
# $Q = W_Q X K + b_Q$, and for $K$ and $V$ likewise: surely a slip of the pen, for so $K$ stands on both sides. Could
# one compute it all the same? With 4 words of width 4 the shapes fit, and it is an equation for $K$:

# %%
random = np.random.default_rng(0)
X, W, b = (random.normal(size=shape) for shape in [(4, 4), (4, 4), (1, 4)])
for name, matrix in {"W": W, "W / 4": W / 4}.items():
    K = random.normal(size=(4, 4))
    for _ in range(200):
        K = matrix @ X @ K + b  # put in, take out, put in again
    solution = np.linalg.solve(np.eye(4) - matrix @ X, np.tile(b, (4, 1)))  # of K = W X K + b
    same = np.allclose(K, solution)
    print(f"{name:6} a solution exists; 200 repetitions end there: {same}, largest number {np.abs(K).max():.0e}")
    assert same == (name == "W / 4") and np.allclose(matrix @ X @ solution + b, solution)
try:
    np.ones((4, 4)) @ np.ones((3, 4)) @ np.ones((3, 4))
except ValueError as problem:
    print("3 words of width 4:", type(problem).__name__)

x = random.normal(size=(1, 3, 32))  # 3 words of width 32
output, looks = multi_head(x, x, attention.get_weights())
print("attention matrix of one head", looks[0, 0].shape, "row sums", looks[0, 0].sum(axis=-1).round(2))
print("output of the layer", output[0].shape, "row sums", output[0].sum(axis=-1).round(2))

# %% [markdown]
# So with small matrices even the printed formula has an answer. But $X$ and $K$ have one shape, and $XK$ exists only
# where a sentence has as many words as its vectors have numbers: no program could mean it. **Right:** $Q = XW^Q + b^Q$,
# and likewise $K$ and $V$, each from $X$ alone. The *attention matrix* is the softmax of $QK^\top / \sqrt{d_k}$, words
# by words, with rows that sum to 1; the article gives that name to the output, which is words by width. Heads and $W_O$
# are missing.
#
# ### 11-2 · A Transformer that runs, in parts
# The article's program (a3, 4.5) has the right parts: an embedding, positions, attention with several heads, a
# residual, dense layers. It has width 5 and 8 heads, which PyTorch refuses. It feeds floats into the embedding, and
# computes the positions from the values. In Keras, all three are accepted:

# %%
odd = layers.MultiHeadAttention(num_heads=8, key_dim=5)
five = random.normal(size=(1, 5, 5)).astype("float32")  # 5 words of width 5
odd(five, five)
print("width 5, 8 heads of 5: kernel", odd.get_weights()[0].shape, "parameters", odd.count_params())
assert odd.count_params() == 3 * (5 * 40 + 40) + 40 * 5 + 5
assert with_random_weights(layers.MultiHeadAttention(1, 5), five, five).count_params() == 120

table = layers.Embedding(10, 5)
print("rows of 1.2 and 1.9 are equal:", np.array_equal(*table(np.array([1.2, 1.9], "float32")).numpy()))


def coded_from_values(ids):
    """The waves of the sinusoidal code, (batch, time, 5), but turned by the value of each id, not by its place."""
    angle = ids[:, :, None] * 10_000.0 ** (-np.arange(5) / 5)
    return np.where(np.arange(5) % 2 == 0, np.sin(angle), np.cos(angle)).astype("float32")


forward, backward = np.array([[3, 7, 5]]), np.array([[5, 7, 3]])
one, other = (table(ids) + coded_from_values(ids) for ids in [forward, backward])
same = np.allclose(odd(one, one), odd(other, other)[:, ::-1], atol=1e-6)
print("positions from values, both directions give the same:", same)
assert same

# %% [markdown]
# Keras builds 8 heads of 5 each: 40 columns for a width of 5, 925 parameters in place of the 120 of one head. Legal,
# but was it meant? A float is cut to a whole number without a word. And a code computed from the value is the same
# wherever the word stands: it tells no place.
#
# Next: PyTorch's attention reads its input as (time, batch, width) unless it is told `batch_first=True`. The article
# does not tell it, so its one row of 5 words is 5 sequences of length 1. Then it adds the *weights* to the output.

# %%
import warnings

five_sequences = five.reshape(5, 1, 5)  # Keras's order (batch, time, width): 5 sequences, 1 word each
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    output, looks = odd(five_sequences, five_sequences, return_attention_scores=True)
print("Keras warns:", str(told[0].message).split(". ")[1])
output, weights = output.numpy(), looks.numpy().mean(axis=1)  # (5, 1, 5), mean over the heads (5, 1, 1)
print("weights", looks.shape, "all of them 1:", np.allclose(looks, 1))
print("output + weights = output + 1:", np.allclose(output + weights, output + 1))
print("in PyTorch's order (time 1, batch 5, width 5) + (5, 1, 1):", (output.reshape(1, 5, 5) + weights).shape)
assert np.allclose(looks, 1) and np.allclose(output + weights, output + 1)

# %% [markdown]
# And its dense layers have no non-linearity between them:

# %%
first, second = with_random_weights(layers.Dense(20), five), layers.Dense(5)
with_random_weights(second, first(five))
(W_1, b_1), (W_2, b_2) = first.get_weights(), second.get_weights()
one_matrix = five @ (W_1 @ W_2) + (b_1 @ W_2 + b_2)
print("two dense layers equal one matrix:", np.allclose(one_matrix, second(first(five)), atol=1e-4))
assert np.allclose(one_matrix, second(first(five)), atol=1e-4)

# %% [markdown]
# A softmax over one word is 1, whatever the word: nobody looks at anybody. Adding these weights adds 1 to each number,
# and the word itself is not brought back, which is what a residual is for. **Right:** a width that the heads divide;
# ids in; places counted 0, 1, 2 …; time on the axis where the layer expects it; the residual adds the block's *input*
# to the attention's *output*; a ReLU between the dense layers; layer norms.
#
# ## Recap
#
# - Attention alone sees a bag of words. Sinusoidal codes make "$k$ places further" one fixed matrix; learned tables do
#   without a formula.
# - Heads split the width: several patterns for $4d^2 + 4d$ parameters. A whole block has $12d^2 + 13d$.
# - Untrained and 24 blocks deep, residuals without norm exploded, a norm without residuals made all positions alike.
# - On 7,168 film sentences, after two epochs, the encoder did not beat TF-IDF, and shuffling the words moved its
#   accuracy by less than two points. A count of word pairs does use the order there.
# - It can use order: over 95 % of new twins with positions, 50 % without.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("transformer.order")

# %% tags=["quiz"]
ck.quiz("transformer.heads")

# %% tags=["quiz"]
ck.quiz("transformer.residual")

# %% tags=["quiz"]
ck.quiz("transformer.cross")

# %% [markdown]
# ### References
#
# - He et al. (2016). Deep residual learning for image recognition. CVPR. arXiv:1512.03385
# - Ba, Kiros, Hinton (2016). Layer normalization. arXiv:1607.06450
# - Vaswani et al. (2017). Attention is all you need. NeurIPS. arXiv:1706.03762
# - Xiong et al. (2020). On layer normalization in the Transformer architecture. ICML. arXiv:2002.04745
# - Dong, Cordonnier, Loukas (2021). Attention is not all you need: pure attention loses rank doubly exponentially with
#   depth. ICML. arXiv:2103.03404
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("transformer")
