# ---
# title: A small GPT
# promise: You will train a decoder-only Transformer that writes, judge it against counting, and save it work.
# built: You trained a small GPT, judged it beside counts of n-grams, and let it write with a cache of keys and values.
# minutes: 90
# prerequisites: [11a_transformer]
# data: [movie_sentences]
# articles: [a3 3.5]
# clinic: []
# topic: language_model
# ---

# %% [markdown]
# **What you will be able to do**
#
# - judge a language model (语言模型) in bits per character and perplexity (困惑度), against counts of n-grams (n元语法);
# - train a decoder-only Transformer, and show why one pass trains all positions (teacher forcing, 教师强制);
# - draw from a distribution with temperature (温度), top-k and nucleus (核采样) sampling;
# - write a key–value cache (键值缓存) and count what it saves.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## What comes next?
#
# A language model gives each possible next token (词元) a probability. Our tokens are single characters of film reviews:
# the vocabulary is small, every new word can be spelled, and we can see the model learn to spell.

# %%
import collections
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

(sentences, _), (test_sentences, _) = ck.data.movie_sentences()
text, test_text = ("\n" + "\n".join(part).lower() + "\n" for part in [sentences, test_sentences])
often = sorted(symbol for symbol, count in collections.Counter(text).items() if count >= 50 and symbol != "?")
SYMBOLS = ["?", *often]  # rare ones become "?"
SIZE = len(SYMBOLS)
number_of = {symbol: number for number, symbol in enumerate(SYMBOLS)}


def encode(text):
    return np.array([number_of.get(symbol, 0) for symbol in text], "int64")


ids, test_ids = encode(text), encode(test_text)  # (characters,)
print(f"{len(ids):,} characters to learn from, {len(test_ids):,} to judge with, {SIZE} symbols")
print("source: Hutto, Gilbert (2014), sentences from Pang, Lee (2004)")

# %% [markdown]
# The new line begins and ends each sentence. How good is a model? It is the better, the higher the probability it gave to
# what came. The mean of $-\log_2 p$ is its **bits per character**; $2^{\text{bits}}$ is the **perplexity**: among how many equally
# likely symbols it was, on average, choosing.
#
# ### Exercise 11c.1 · Perplexity from probabilities · ●○○ · 5 minutes
# Write `perplexity(probabilities)`: from the probabilities that a model gave to the tokens that came.


# %% tags=["exercise"]
def perplexity(probabilities):
    ### BEGIN SOLUTION
    return 2 ** -np.mean(np.log2(probabilities))
    ### END SOLUTION


# %% tags=["check"]
ck.check("language_model.perplexity", perplexity)

# %% [markdown]
# ## The baseline: counting
#
# An n-gram model counts which character followed the last $n - 1$ ones. Many contexts were never seen, so each order leans on the
# next shorter one (Witten, Bell, 1991). With $N_h$ the number of times the context $h$ was seen, $T_h$ the number of different characters
# behind it, and $h'$ the context without its first character (before the shortest, all are equally likely):
#
# $$ p(c \mid h) = \frac{\mathrm{count}(h, c) + T_h\, p(c \mid h')}{N_h + T_h} $$
#
# The code writes an n-gram as one number, as digits make a number: with ten symbols the 3-gram 4, 0, 7 would be 407,
# and its context, without the last digit, 40. Here there are 47 "digits".
#
# **Guess:** how many bits does a character cost with 1, 2, 3, … 6 characters counted?


# %%
ORDER = 6


def keys(ids, n):
    """Each n-gram that ends at place ORDER - 1 or later, as one number; its last character is the lowest digit."""
    return sum(ids[ORDER - 1 - j : len(ids) - j] * SIZE**j for j in range(n))


def look_up(keys, known, values):
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[place] == keys, values[place], 0)


def count_models(ids, test_ids):
    """For n = 1 to ORDER: the probability that the n-gram model of `ids` gave to each character of `test_ids`."""
    p = 1 / SIZE
    for n in range(1, ORDER + 1):
        grams, counts = np.unique(keys(ids, n), return_counts=True)
        contexts, owner = np.unique(grams // SIZE, return_inverse=True)
        seen = look_up(keys(test_ids, n), grams, counts)
        total = look_up(keys(test_ids, n) // SIZE, contexts, np.bincount(owner, counts))
        kinds = look_up(keys(test_ids, n) // SIZE, contexts, np.bincount(owner))
        p = np.where(total > 0, (seen + kinds * p) / np.maximum(total + kinds, 1), p)
        yield p


# %%
counted = [-np.log2(p).mean() for p in count_models(ids, test_ids)]
for n, bits in enumerate(counted, start=1):
    print(f"{n}-gram: {bits:.2f} bits, perplexity {2**bits:4.1f}")
assert 4.2 < counted[0] < 4.4 and 1.9 < counted[5] < 2.1 < counted[0] / 2

# %% [markdown]
# Five more characters of memory save more than half of the bits. These are the lines to beat.
#
# ## A GPT
#
# The blocks of chapter 11a without cross-attention: tables of symbols and places, pre-norm blocks with a causal mask, and
# for each place the logits of the next symbol. The table of places is learned, but starts from the sinusoidal code.

# %%
LENGTH, WIDTH, BLOCKS, HEADS = 64, 64, 2, 4
angle = np.arange(LENGTH)[:, None] * 10_000.0 ** (-np.arange(0, WIDTH, 2) / WIDTH)  # chapter 11a
code = np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(LENGTH, WIDTH)
from_code, wide_start = keras.initializers.Constant(code), keras.initializers.RandomNormal(stddev=1.0)


def build_gpt():
    ids = keras.Input((None,), dtype="int32")  # (batch, time)
    places = ops.cumsum(ops.ones_like(ids), axis=1) - 1
    x = layers.Embedding(SIZE, WIDTH, wide_start, name="symbols")(ids)  # (batch, time, width)
    x = x + layers.Embedding(LENGTH, WIDTH, from_code, name="places")(places)
    for b in range(BLOCKS):
        normed = layers.LayerNormalization(name=f"norm_1_{b}")(x)
        attention = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, name=f"attention_{b}")
        x = x + attention(normed, normed, use_causal_mask=True)
        hidden = layers.Dense(4 * WIDTH, "relu", name=f"wide_{b}")(layers.LayerNormalization(name=f"norm_2_{b}")(x))
        x = x + layers.Dense(WIDTH, name=f"narrow_{b}")(hidden)
    return keras.Model(ids, layers.Dense(SIZE, name="logits")(layers.LayerNormalization(name="norm")(x)))


keras.utils.set_random_seed(0)
network = build_gpt()
formula = (SIZE + LENGTH) * WIDTH + BLOCKS * (12 * WIDTH**2 + 13 * WIDTH) + 2 * WIDTH + (WIDTH + 1) * SIZE
print(f"{network.count_params():,} parameters")
assert network.count_params() == formula

# %% [markdown]
# ### Exercise 11c.2 · Pieces to learn from · ●●○ · 7 minutes
# It learns from pieces of the text; the target of each place is the symbol one place later. Write `pieces(ids, length)`:
# from an array of ids the arrays `x` and `y`, both `(pieces, length)`, as many whole pieces as there are, without overlap, from the
# first id on.


# %% tags=["exercise"]
def pieces(ids, length):
    ### BEGIN SOLUTION
    number = (len(ids) - 1) // length
    x = ids[: number * length].reshape(number, length)
    y = ids[1 : number * length + 1].reshape(number, length)
    return x, y
    ### END SOLUTION


# %% tags=["check"]
ck.check("language_model.pieces", pieces)

# %% [markdown]
# ## One pass trains all places
#
# In training each place sees the *true* symbols before it, not the model's own guesses: teacher forcing (Williams, Zipser,
# 1989). The causal mask lets one pass do this for all 64 places. **Guess:** we change the symbol at place 40. At which
# places do the logits move?


# %%
def cut(ids, start=0):
    """Inputs and targets, (pieces, LENGTH) each, from place `start` on."""
    number = (len(ids) - 1 - start) // LENGTH
    rows = np.stack([ids[start + j : start + j + number * LENGTH].reshape(number, LENGTH) for j in (0, 1)])
    return rows[0], rows[1]


x_test, y_test = cut(test_ids)
piece = x_test[:1].copy()
before = ops.convert_to_numpy(network(piece))[0]  # (time, symbols)
piece[0, 40] = (piece[0, 40] + 1) % SIZE
moved = np.abs(ops.convert_to_numpy(network(piece))[0] - before).max(axis=1)  # (time,)
print("places whose logits moved: from", np.flatnonzero(moved > 1e-5).min(), "to", np.flatnonzero(moved > 1e-5).max())
assert moved[:40].max() < 1e-6 and (moved[40:] > 1e-5).all()

alone = [ops.convert_to_numpy(network(x_test[:1, :n]))[0, -1] for n in (1, 10, 40)]  # each beginning on its own
assert np.allclose(alone, before[[0, 9, 39]], atol=1e-5)
print("one pass over 64 places gives the logits of each beginning read alone")

# %% [markdown]
# So one pass is 64 examples, and none of them sees its own answer.
#
# ## Training
#
# One pass over the pieces of the text, in random order, in six parts. The rate rises for 50 steps and then falls.

# %%
BATCH, PARTS = 16, 6
x, y = cut(ids)
steps = len(x) // BATCH
schedule = keras.optimizers.schedules.CosineDecay(0.0, steps - 50, warmup_target=8e-3, warmup_steps=50)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
network.compile(keras.optimizers.Adam(schedule, beta_2=0.99), loss, steps_per_execution=20)


def bits_of(x, y):
    """Bits for each character, (pieces, time)."""
    logits = network.predict(x, batch_size=512, verbose=0)
    logits = logits - logits.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(logits, y[:, :, None], axis=-1)[:, :, 0]
    return (np.log(np.exp(logits).sum(axis=-1)) - chosen) / np.log(2)


parts = np.array_split(np.random.default_rng(0).permutation(len(x)), PARTS)
learned = [bits_of(x_test[:256], y_test[:256]).mean()]
for part in parts[:3]:
    network.fit(x[part], y[part], BATCH, verbose=0)
    learned.append(bits_of(x_test[:256], y_test[:256]).mean())

# %%
for part in parts[3:]:
    network.fit(x[part], y[part], BATCH, verbose=0)
    learned.append(bits_of(x_test[:256], y_test[:256]).mean())

# %%
bits = bits_of(x_test, y_test)  # (pieces, time)
by_place = bits.mean(axis=0)
shifted = bits_of(*cut(test_ids, 32))  # cut half a piece later
late = np.concatenate([bits[:, 32:].ravel(), shifted[:, 32:].ravel()])  # at least 32 symbols seen before
figure, axes = plt.subplots(1, 2, figsize=(11, 4))
axes[0].plot(np.linspace(0, len(ids) / 1_000, PARTS + 1), learned, "o-", label="GPT")
for n, value in enumerate(counted[:5], start=1):
    axes[0].axhline(value, color="grey", linestyle=":")
    axes[0].text(len(ids) / 1_000, value + 0.03, f"{n}-gram" if n < 5 else "5- and 6-gram", ha="right", fontsize=9)
axes[0].set(title="Held-out sentences", xlabel="characters read (thousands)", ylabel="bits per character")
axes[1].plot(range(1, LENGTH + 1), by_place, label="GPT")
for n, style in [(3, "--"), (4, ":")]:
    axes[1].axhline(counted[n - 1], color="black", linestyle=style, label=f"{n}-gram, all places")
axes[1].set(title="By place in the piece", xlabel="symbols seen", ylabel="bits per character")
axes[1].legend()
ck.show(
    figure,
    alt="After one pass the GPT's bits are below those of the 3-gram, not of the 4-gram; in a piece they fall over the first "
    "five places and then stay level",
)

# %%
print(f"untrained ≈ {learned[0]:.1f} bits; log2 of {SIZE} symbols is {np.log2(SIZE):.1f}")
print(
    f"after one pass: all places ≈ {bits.mean():.2f} bits, places with at least 32 symbols before them ≈ {late.mean():.2f}"
)
print(f"3-gram {counted[2]:.2f} bits, 4-gram {counted[3]:.2f} bits")
print("256 held-out pieces after each sixth of the text:", ", ".join(f"≈ {value:.2f}" for value in learned[1:]))
assert learned[-1] < learned[-2] < learned[-3]
for first, last in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 8), (9, 16), (17, 32), (33, 64)]:
    print(f"symbols seen {first:2} to {last:2}: ≈ {by_place[first - 1 : last].mean():.2f} bits")
assert counted[3] + 0.05 < late.mean() < bits.mean() < counted[2] - 0.02 and by_place[0] > counted[2] and learned[0] > 5
assert abs(by_place[4:8].mean() - by_place[32:].mean()) < 0.15 < by_place[1] - by_place[4:8].mean()

# %% [markdown]
# The pieces are cut anywhere, so at its first places the GPT has seen next to nothing, while the n-grams always have
# the characters before. For a fair comparison we also cut the pieces a second time, half a piece later, and count only
# the second halves: there 32 symbols or more came before.
#
# **After one pass** over 907,920 characters (one run, one seed) our GPT passes the 3-gram and does not reach the
# 4-gram. One pass is little for a network that starts with no idea of what a letter is: the bits fell up to the last
# sixth. This says what one pass buys, not who wins: with eight passes the same network gets below the 4-gram (not shown
# here).
#
# On the right: the first five symbols of context help a lot; behind them the curve is flat. So far it spells; it does
# not follow a thought.
#
# ## Drawing a symbol
#
# The model gives probabilities; to write, one symbol must be drawn. Three ways to change the odds first, shown on one
# fixed distribution: what follows a space and an *s* in the training text.
#
# - **Temperature**: $p_i^{1/T}$, divided by the sum. Small $T$ sharpens, large $T$ flattens.
# - **Top-k**: keep the $k$ likeliest, set the rest to 0.
# - **Nucleus** (top-p; Holtzman and others, 2020): keep the fewest symbols whose probabilities sum to at least $p$.


# %%
def normalised(p):
    return p / p.sum(axis=-1, keepdims=True)


def with_temperature(p, temperature):
    logits = np.log(np.maximum(p, 1e-30)) / temperature
    return normalised(np.exp(logits - logits.max(axis=-1, keepdims=True)))


def top_k(p, k):
    return normalised(np.where(p >= np.sort(p)[-k], p, 0))


def nucleus(p, share):
    order = np.argsort(-p)
    mass_before = np.cumsum(p[order]) - p[order]  # of the likelier ones
    kept = np.zeros_like(p)
    kept[order[mass_before < share]] = p[order[mass_before < share]]
    return normalised(kept)


after = ids[2:][(ids[:-2] == number_of[" "]) & (ids[1:-1] == number_of["s"])]
p = normalised(np.bincount(after, minlength=SIZE).astype("float64"))  # (symbols,)

# %%
likeliest = np.argsort(-p)[:14]
ways = {
    "as counted": p,
    "temperature 0.5": with_temperature(p, 0.5),
    "temperature 2": with_temperature(p, 2),
    "top-k, k = 4": top_k(p, 4),
    "nucleus, 0.8": nucleus(p, 0.8),
}
figure, axes = plt.subplots(1, 5, figsize=(12, 3), sharey=True)
for number, (axis, (name, values)) in enumerate(zip(axes, ways.items(), strict=True)):
    axis.bar([SYMBOLS[i] for i in likeliest], 100 * values[likeliest], color=f"C{number}")
    axis.set(title=name, xlabel="next symbol", ylabel="probability (%)" if number == 0 else None)
    axis.tick_params(axis="x", labelsize=8)
ck.show(
    figure, alt="Five bar charts of one distribution: sharper, flatter, cut after four symbols, cut at 80 % of the mass"
)


# %%
def entropy(p):
    return -np.sum(p * np.log2(np.maximum(p, 1e-30)))


entropies = [entropy(with_temperature(p, t)) for t in [0.01, 0.5, 1, 2, 100]]
assert np.all(np.diff(entropies) > 0) and entropies[0] < 0.01 and np.allclose(with_temperature(p, 1), p)
kept = np.sort(p)[::-1][: np.count_nonzero(nucleus(p, 0.8))]
assert np.count_nonzero(top_k(p, 4)) == 4 and kept.sum() >= 0.8 > kept[:-1].sum()
print(f"nucleus 0.8 keeps {len(kept)} of {np.count_nonzero(p)} symbols")

# %% [markdown]
# Temperature keeps the order and every symbol; the other two cut the tail. Top-k always keeps $k$; the nucleus keeps few
# where the model is sure and many where it is not.
#
# ### Exercise 11c.3 · Cut by min-p · ●○○ · 5 minutes
# One more: *min-p*. Write `min_p(p, share)`: keep the symbols whose probability is at least `share` times the
# largest one, set the rest to 0, and make the sum 1 again. `p` is `(symbols,)`.


# %% tags=["exercise"]
def min_p(p, share):
    ### BEGIN SOLUTION
    kept = np.where(p >= share * p.max(), p, 0)
    return kept / kept.sum()
    ### END SOLUTION


# %% tags=["check"]
ck.check("language_model.min_p", min_p)

# %% [markdown]
# ## The cache
#
# Writing is one symbol at a time, and each pass reads the whole beginning again. But keys and values of earlier places do
# not change: the causal mask keeps later symbols out. So we keep them, and each pass computes one new row. The trained
# network in NumPy, with and without cache:

# %%
parameters = {layer.name: layer.get_weights() for layer in network.layers}


def layer_norm(x, gamma, beta, epsilon=1e-3):
    return gamma * (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + epsilon) + beta


# %%
def read(ids, cache=None):
    """Read new symbols (texts, new) behind those in the cache. Returns logits (texts, new, symbols), cache, looks."""
    past, new = (cache[0][0].shape[2] if cache else 0), ids.shape[1]
    x = parameters["symbols"][0][ids] + parameters["places"][0][past : past + new]  # (texts, new, width)
    may_look, cached, looks = np.tri(new, past + new, past, dtype=bool), [], []
    for b in range(BLOCKS):
        W_q, b_q, W_k, b_k, W_v, b_v, W_o, b_o = parameters[f"attention_{b}"]
        normed = layer_norm(x, *parameters[f"norm_1_{b}"])
        projected = [np.tensordot(normed, W, 1) + bias for W, bias in [(W_q, b_q), (W_k, b_k), (W_v, b_v)]]
        q, k, v = (part.swapaxes(1, 2) for part in projected)  # (texts, heads, new, size)
        if cache:
            k, v = (np.concatenate(pair, axis=2) for pair in zip(cache[b], (k, v), strict=True))
        cached.append((k, v))  # (texts, heads, past + new, size)
        scores = np.where(may_look, q @ k.swapaxes(2, 3) / q.shape[-1] ** 0.5, -np.inf)
        looks.append(normalised(np.exp(scores - scores.max(axis=-1, keepdims=True))))
        x = x + np.tensordot((looks[-1] @ v).swapaxes(1, 2), W_o, 2) + b_o
        (W_1, b_1), (W_2, b_2) = parameters[f"wide_{b}"], parameters[f"narrow_{b}"]
        x = x + np.maximum(layer_norm(x, *parameters[f"norm_2_{b}"]) @ W_1 + b_1, 0) @ W_2 + b_2
    return layer_norm(x, *parameters["norm"]) @ parameters["logits"][0] + parameters["logits"][1], cached, looks


# %%
texts = x_test[:8]  # (texts, time)
by_keras = ops.convert_to_numpy(network(texts))
whole, _, _ = read(texts)
cache, steps = None, []
for t in range(LENGTH):
    logits, cache, _ = read(texts[:, t : t + 1], cache)
    steps.append(logits[:, 0])
assert np.allclose(whole, by_keras, atol=1e-3) and np.allclose(np.stack(steps, axis=1), whole, atol=1e-4)
print("Keras, NumPy and NumPy with cache give the same logits")

# %% [markdown]
# What does it save? Writing $n$ symbols with $B$ blocks of width $d$: a place costs $12d^2$ multiplications in a block, and each
# pair of places $2d$ (score and sum). Without a cache pass $t$ has $t$ places and $t^2$ pairs; with it one place and $t$ pairs:
#
# $$ \text{without: } B \sum_{t=1}^{n} (12 d^2 t + 2 d t^2) \qquad \text{with: } B \sum_{t=1}^{n} (12 d^2 + 2 d t) $$


# %%
def multiplications(n, width, blocks, cached):
    t = np.arange(1, n + 1, dtype="float64")
    return blocks * np.sum(12 * width**2 + 2 * width * t if cached else 12 * width**2 * t + 2 * width * t**2)


lengths = np.unique(np.geomspace(1, 2_048, 40).astype(int))
figure, axis = plt.subplots(figsize=(7, 3.6))
for cached, style in [(False, "-"), (True, "--")]:
    counts = [multiplications(n, WIDTH, BLOCKS, cached) for n in lengths]
    axis.loglog(lengths, counts, style, label="with cache" if cached else "without")
axis.set(title="Writing with our GPT's blocks", xlabel="symbols written", ylabel="multiplications")
axis.legend()
ck.show(
    figure,
    alt="Multiplications by length: without cache they grow with the square and then the cube, with it far slower",
)
fewer = multiplications(LENGTH, WIDTH, BLOCKS, False) / multiplications(LENGTH, WIDTH, BLOCKS, True)
print(f"for {LENGTH} symbols: {fewer:.0f} times fewer multiplications")
assert 30 < fewer < 36

# %%
seconds = dict.fromkeys(["without", "with cache"], np.inf)
for name in ["without", "with cache", "with cache"]:
    began, cache = time.perf_counter(), None
    for t in range(LENGTH):
        logits, cache, _ = read(texts[:, t : t + 1], cache) if name == "with cache" else read(texts[:, : t + 1])
    seconds[name] = min(seconds[name], time.perf_counter() - began)
figure, axis = plt.subplots(figsize=(7, 2))
axis.barh(list(seconds), [1_000 * second for second in seconds.values()], color=["C0", "C1"])
axis.set(
    title=f"Writing {LENGTH} symbols of {len(texts)} texts, on this machine", xlabel="milliseconds", ylabel="cache"
)
ck.show(figure, alt="Milliseconds of writing 64 symbols without and with the cache, on this machine")

# %% [markdown]
# On the two cores where this chapter was built the clock gained less than the count, for it also counts calls and
# moving numbers about. The price is memory: the cache holds a key and a value for each place of each block.
#
# ### Exercise 11c.4 · The memory of the cache · ●○○ · 5 minutes
# Write `cache_bytes(texts, length, width, blocks, bytes_each)`: the memory of the cache when `texts` texts of `length` tokens are
# written at once; heads divide the width among them, and each number takes `bytes_each` bytes.


# %% tags=["exercise"]
def cache_bytes(texts, length, width, blocks, bytes_each):
    ### BEGIN SOLUTION
    return 2 * texts * length * width * blocks * bytes_each
    ### END SOLUTION


# %% tags=["check"]
ck.check("language_model.cache_bytes", cache_bytes)

# %% [markdown]
# ## It writes
#
# A hundred held-out sentences, their first 8 characters given; the GPT writes 56 more at five temperatures. We measure which
# share of its whole words occurs in the training text, and which share of its words are different ones.
# **Guess** both curves.


# %%
def write(starts, temperature, random, most=LENGTH):
    """Continue starts (texts, time) up to `most` symbols."""
    written, cache, new = starts, None, starts
    while written.shape[1] < most:
        logits, cache, _ = read(new, cache)
        p = normalised(np.exp((logits[:, -1] - logits[:, -1].max(axis=-1, keepdims=True)) / temperature))
        new = (random.random((len(p), 1)) < p.cumsum(axis=-1)).argmax(axis=-1)[:, None]
        written = np.concatenate([written, new], axis=1)
    return written


def words_of(rows):
    """The whole words of rows of ids, without punctuation; the last one may be cut and is left out."""
    lines = ["".join(SYMBOLS[number] for number in row) for row in rows]
    return [word.strip(".,;:!?()'\"-") for line in lines for word in line.split()[:-1]]


# %%
known = set(words_of([ids]))
starts = np.stack([encode("\n" + sentence.lower())[:8] for sentence in test_sentences[:100]])
temperatures = [0.01, 0.4, 0.7, 1.0, 1.5]
shares = []
for temperature in temperatures:
    words = words_of(write(starts, temperature, np.random.default_rng(0))[:, 8:])
    shares.append([100 * np.mean([word in known for word in words]), 100 * len(set(words)) / len(words)])
shares = np.array(shares)
real = words_of([encode("\n" + sentence.lower())[8:LENGTH] for sentence in test_sentences[:100]])
real_shares = [100 * np.mean([word in known for word in real]), 100 * len(set(real)) / len(real)]
print(f"real sentences: {real_shares[0]:.0f} % of the words known, {real_shares[1]:.0f} % different")
for temperature, (share_known, share_different) in zip(temperatures, shares, strict=True):
    print(f"temperature {temperature:4}: known words ≈ {share_known:.0f} %, different words ≈ {share_different:.0f} %")
assert np.all(np.diff(shares[:, 0]) < 0) and np.all(np.diff(shares[:, 1]) > 0)
assert not np.any(np.all(shares >= real_shares, axis=1))
assert shares[0, 0] > 85 > 45 > shares[-1, 0] and shares[0, 1] < 15 < 65 < shares[-1, 1]

# %%
figure, axis = plt.subplots(figsize=(7, 3.8))
for values, human, name, style in zip(
    shares.T, real_shares, ["known words", "different words"], ["o-", "s--"], strict=True
):
    line = axis.plot(temperatures, values, style, label=name)[0]
    axis.axhline(human, color=line.get_color(), linestyle=":")
axis.set(
    title="What the GPT writes (dotted: the real sentences)", xlabel="temperature", ylabel="share (%)", ylim=(0, 100)
)
axis.legend()
ck.show(figure, alt="With temperature the share of known words falls and the share of different words rises")


# %% [markdown]
# Near 0 it writes known words, the same few again and again: *greedy* decoding repeats itself. At 1.5 fewer than half
# of its words are known. None of the five temperatures reaches the real sentences in both. See for yourself:


# %%
def page(start, temperature, seed):
    starts = np.repeat(encode("\n" + start)[None], 6, axis=0)
    rows = write(starts, temperature, np.random.default_rng(int(seed)))
    figure, axis = plt.subplots(figsize=(8, 2.8))
    for number, row in enumerate(rows):
        line = "".join(SYMBOLS[i] for i in row).strip().replace("\n", " / ").replace("$", "S")
        axis.text(0, -number, line, family="monospace", fontsize=11)
    axis.set(
        title=f"temperature {temperature:g}", xlim=(0, 10), ylim=(-5.6, 0.8), xlabel="six drawings", ylabel="drawing"
    )
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    return figure


ck.explore(
    page,
    alt="Six sentences that the model wrote from the chosen beginning at the chosen temperature",
    start=["it is ", "the film ", "a "],
    temperature=[0.01, 0.3, 0.6, 1.0, 1.5],
    seed=[0, 1, 2, 3, 4],
)

# %% [markdown]
# ## What a head looks at
#
# How much weight does each of the 8 heads give to the symbol itself (0 back), the one before (1 back), and so on? The mean
# over 200 held-out pieces, and the head that looks most at the symbol before, on one sentence:

# %%
_, _, looks = read(x_test[:200])
heads = np.concatenate(looks, axis=1).mean(axis=0)  # (blocks · heads, time, time)
back = np.array([[np.mean(np.diagonal(head, -k)[16:]) for k in range(9)] for head in heads])  # (heads, steps back)
previous = back[:, 1].argmax()
sentence = "the film is a small wonder"
_, _, looks = read(encode("\n" + sentence)[None])
look = np.concatenate(looks, axis=1)[0, previous]  # (time, time)

figure, axes = plt.subplots(1, 2, figsize=(11, 4.2))
for number, values in enumerate(back):
    axes[0].plot(values, marker="os^Dv<>p"[number], label=f"block {number // HEADS + 1}, head {number % HEADS + 1}")
axes[0].set(title="Mean weight by distance", xlabel="symbols back", ylabel="weight", ylim=(0, 1))
axes[0].legend(fontsize=8)
axes[1].imshow(look, cmap="viridis", vmin=0, vmax=1)
letters = ["↵", *sentence.replace(" ", "_")]
axes[1].set_xticks(range(len(letters)), letters, fontsize=8)
axes[1].set_yticks(range(len(letters)), letters, fontsize=8)
axes[1].set(title="The head that looks one back", xlabel="looked at", ylabel="looking")
axes[1].grid(False)
ck.show(figure, alt="Weights by distance for eight heads; one head's weights on a sentence lie just below the diagonal")
near = back[:, :4].sum(axis=1).reshape(BLOCKS, HEADS).mean(axis=1)  # weight on the last four symbols, by block
print(f"weight on the last four symbols: block 1 ≈ {100 * near[0]:.0f} %, block 2 ≈ {100 * near[1]:.0f} %")
print(f"the head that looks most at the symbol before gives it ≈ {100 * back[previous, 1]:.0f} %")
assert near[0] > 0.6 > near[1] and back[previous, 1] > 0.2 and 0.025 < np.mean(1 / np.arange(17, LENGTH + 1)) < 0.03

# %% [markdown]
# Nobody told the network to look at the symbol before; an equal share would be about 3 %. Here block 1 gathers the
# nearest symbols, block 2 looks further. What a head "does" is read off here from one average of one small model: treat
# such stories with care.
#
# ### Exercise 11c.5 · One table, used twice · ●●● · 15 minutes
# Many language models use one table twice: for reading symbols and, transposed, for the logits (*weight tying*; Press,
# Wolf, 2017). Write `build_tied(symbols, length, width, heads)`: a compiled Keras model for ids `(batch, length)`: table of symbols
# plus learned places, **one pre-norm block** with causal mask and `4 * width` hidden units, a layer norm, and logits
# `(batch, length, symbols)` that are the product with the same table, without bias. Adam, and cross-entropy from logits. The check
# trains it, changes a later symbol, and doubles a row of the table.


# %% tags=["exercise"]
def build_tied(symbols, length, width, heads):
    ### BEGIN SOLUTION
    ids = keras.Input((length,), dtype="int32")
    table = layers.ReversibleEmbedding(symbols, width)
    x = table(ids) + layers.Embedding(length, width)(ops.cumsum(ops.ones_like(ids), axis=1) - 1)
    normed = layers.LayerNormalization()(x)
    x = x + layers.MultiHeadAttention(heads, width // heads)(normed, normed, use_causal_mask=True)
    x = x + layers.Dense(width)(layers.Dense(4 * width, "relu")(layers.LayerNormalization()(x)))
    network = keras.Model(ids, table(layers.LayerNormalization()(x), reverse=True))
    network.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("language_model.build_tied", build_tied)

# %% [markdown]
# ## And the big ones?
#
# GPT-2 and GPT-3 are the same drawing. Depth, width and context from the papers; the parameters of the blocks from our
# formula, without tables:

# %%
PAPERS = {  # blocks, width, context in tokens, parameters as the authors give them (GPT-2: corrected later)
    "GPT-2 (2019)": (48, 1_600, 1_024, 1.558e9),
    "GPT-3 (2020)": (96, 12_288, 2_048, 175e9),
}
ours = ("ours", (BLOCKS, WIDTH, LENGTH, network.count_params()))
for name, (blocks, width, context, stated) in [ours, *PAPERS.items()]:
    formula = blocks * (12 * width**2 + 13 * width)
    gigabytes = 2 * 2 * blocks * width * context / 1e9  # key and value, two bytes each
    print(
        f"{name:13} context {context:5,}, blocks {formula:15,}, in all {stated:15,.0f}, cache {gigabytes:6.3f} GB a text"
    )
    assert 0.9 < formula / stated < 1

# %% [markdown]
# What differs: tokens are pieces of words (byte-pair encoding, about 50,000 kinds), GELU in place of ReLU, GPT-3
# alternates full attention with sparse attention, and above all the text: 40 GB of web pages for GPT-2, 300 billion
# tokens seen in training for GPT-3. What more text and more parameters bring is measured in chapter 12a. Ours saw under
# a million characters, once. A cache of nearly 10 GB for one text of GPT-3 is a reason why later models let several
# heads share one key and one value (grouped-query attention; Ainslie et al., 2023).
#
# ## Recap
#
# - Bits per character judge a language model: 4.3 when single characters are counted, 2.0 with 6-grams.
# - After one pass our GPT was better than 3-grams, not than 4-grams; it was not trained to its end. Its context helped
#   over about five symbols.
# - The causal mask makes one pass 64 examples, and makes keys and values of the past safe to keep.
# - For 64 symbols the cache needs 33 times fewer multiplications; GPT-3's would take 9.7 GB a text.
# - Here low temperature repeated, high temperature invented; top-k, nucleus and min-p cut the tail.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("language_model.teacher")

# %% tags=["quiz"]
ck.quiz("language_model.nucleus")

# %% tags=["quiz"]
ck.quiz("language_model.cache")

# %% tags=["quiz"]
ck.quiz("language_model.baseline")

# %% [markdown]
# ### References
#
# - Williams, Zipser (1989). A learning algorithm for continually running fully recurrent neural networks. Neural
#   Computation 1
# - Witten, Bell (1991). The zero-frequency problem: Estimating the probabilities of novel events in adaptive text
#   compression. IEEE Transactions on Information Theory 37
# - Press, Wolf (2017). Using the output embedding to improve language models. EACL. arXiv:1608.05859
# - Radford et al. (2019). Language models are unsupervised multitask learners. OpenAI, with the corrected counts in
#   github.com/openai/gpt-2
# - Brown et al. (2020). Language models are few-shot learners. NeurIPS. arXiv:2005.14165
# - Holtzman et al. (2020). The curious case of neural text degeneration. ICLR. arXiv:1904.09751
# - Ainslie et al. (2023). GQA: Training generalized multi-query Transformer models from multi-head checkpoints. EMNLP.
#   arXiv:2305.13245
# - Nguyen et al. (2025). Turning up the heat: Min-p sampling for creative and coherent LLM outputs. ICLR.
#   arXiv:2407.01082
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("language_model")
