# ---
# title: Translation, honestly
# promise: You will train a Transformer to translate English into Chinese, score it, and face it with a baseline.
# built: You trained a Transformer to translate English into Chinese, wrote a score for it, and compared it with a search that does not translate.
# minutes: 75
# prerequisites: [11b_training_a_transformer]
# data: [hsk_sentences]
# articles: [a3 3.5, a3 6]
# clinic: []
# topic: translation
# ignored: ["11d shows what the trained network says: one character near a tie could be another one elsewhere"]
# ---

# %% [markdown]
# **What you will be able to do**
#
# - count what a test sentence contains that no training sentence did (out of vocabulary, 未登录词);
# - write a score for translations (chrF) and show where it errs;
# - face a translator with a baseline (基线) that does not translate at all;
# - use one table for the characters that come in and go out (weight tying, 权重共享);
# - compare training sentences with new ones, and write a small summariser (文本摘要).

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## How far do 4,000 sentences go?
#
# The Transformer was invented for translation (机器翻译). Vaswani et al. (2017) trained on 4.5 million sentence pairs,
# English and German. We have fewer than 4,000, written for people who learn Chinese.
#
# **Guess first:** out of 400 new sentences, how many will our network translate acceptably after ten epochs of
# training: most, some, hardly any?

# %%
import collections
import re

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from matplotlib import font_manager
from sklearn.feature_extraction.text import TfidfVectorizer

(english, chinese), (test_english, test_chinese) = ck.data.english_chinese()
for number in [4, 12, 21, 30]:
    print(f"{english[number]:34} {chinese[number]}")
print("source: hsk-sentences-audio 1.0.0, CC BY-SA 4.0")
print(f"{len(english):,} pairs to learn from, {len(test_english)} to judge with")

# %% [markdown]
# ## Tokens
#
# English is cut at spaces, signs apart. Chinese writes no spaces, so each character (字) is a token.


# %%
def words(sentence):
    """Lower-case words and signs of an English sentence."""
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)*|[^\w\s]", sentence.lower())


def unseen(tokens, count):
    """For each list of tokens: how many of them were never counted."""
    return np.array([sum(token not in count for token in row) for row in tokens])


# %%
words_learn, words_judge = ([words(sentence) for sentence in part] for part in [english, test_english])
characters_learn, characters_judge = ([list(sentence) for sentence in part] for part in [chinese, test_chinese])
table = {}
for name, learn, judge in [
    ("English words", words_learn, words_judge),
    ("Chinese characters", characters_learn, characters_judge),
]:
    count = collections.Counter(token for row in learn for token in row)
    new = unseen(judge, count)
    once = np.mean([times == 1 for times in count.values()])
    table[name] = len(count), 100 * once, 100 * new.sum() / sum(map(len, judge)), 100 * np.mean(new > 0)
print("                    different  once only  unseen in test  test sentences with an unseen one")
for name, (size, once, share, sentences) in table.items():
    print(f"{name:18} {size:10,} {once:8.0f} % {share:13.1f} % {sentences:19.1f} %")
assert 50 < table["English words"][1] < 55 and 8 < table["English words"][2] < 9 and 44 < table["English words"][3] < 45
assert 6 < table["Chinese characters"][3] < 7

# %% [markdown]
# One English word in twelve of the test part was never seen, and **more than four in ten test sentences have such a
# word**. Nothing in the training part tells what it means. Over half of the known words came only once.
#
# For the network each token becomes an id. Four ids are reserved: padding, start, end, unknown.

# %%
START, END, UNKNOWN, LONGEST = 1, 2, 3, 20  # 0 is padding


def numbered(tokens):
    """A dict from each token to its id, from 4 on."""
    return {token: number for number, token in enumerate(sorted({token for row in tokens for token in row}), start=4)}


def encode(tokens, ids, around=False):
    """Lists of tokens to an array (sentences, longest), padded with 0; `around` adds the start and the end sign."""
    rows = [[ids.get(token, UNKNOWN) for token in row] for row in tokens]
    rows = [[START, *row, END] for row in rows] if around else rows
    array = np.zeros((len(rows), max(map(len, rows))), "int32")
    for line, row in zip(array, rows, strict=True):
        line[: len(row)] = row
    return array


english_ids, chinese_ids = numbered(words_learn), numbered(characters_learn)
print(encode([words("He has a flurbl.")], english_ids), "the unknown word became", UNKNOWN)

# %% [markdown]
# ## A score from scratch
#
# How good is a translation? chrF (Popović, 2015) compares pieces of neighbouring characters, *n-grams*, with a
# translation by a person. Of the n-grams that were said, the *precision* $P_n$ is the share that is in the right
# answer; of those in the right answer, the *recall* $R_n$ is the share that was said. Both are averaged over $n$, then
#
# $$ \mathrm{chrF} = \frac{(1 + \beta^2)\, P R}{\beta^2 P + R} $$
#
# The usual choice is $n = 1 \ldots 6$ for writing with letters, and $\beta = 2$: recall counts more. A Chinese word is
# mostly one or two characters and our sentences are short, so we take $n = 1, 2$ and keep $\beta = 2$. Signs are left
# out, or the 。 at nearly every end would earn points.
#
# ### Exercise 11d.1 · N-grams in common · ●○○ · 6 minutes
# Write `shared(said, right, n)`: how many n-grams two texts have in common. One that comes 2 times in one text and 3
# times in the other counts 2 times. "天天好" has the 2-grams 天天 and 天好.


# %% tags=["exercise"]
def shared(said, right, n):
    ### BEGIN SOLUTION
    one, other = ([text[start : start + n] for start in range(len(text) - n + 1)] for text in [said, right])
    return sum(min(one.count(gram), other.count(gram)) for gram in set(one))
    ### END SOLUTION


# %% tags=["check"]
ck.check("translation.shared", shared)

# %% [markdown]
# ### Exercise 11d.2 · The score chrF · ●●○ · 10 minutes
# Write `chrf_score(said, right)`: chrF from 0 to 1, with $n = 1, 2$ and $\beta = 2$, for two texts without signs. $P$
# is the mean of $P_1$ and $P_2$, $R$ likewise. A share of nothing (no n-grams) is 0, and so is the score when nothing
# is shared.


# %% tags=["exercise"]
def chrf_score(said, right):
    ### BEGIN SOLUTION
    precision, recall = 0, 0
    for n in [1, 2]:
        one, other = ([text[start : start + n] for start in range(len(text) - n + 1)] for text in [said, right])
        common = sum(min(one.count(gram), other.count(gram)) for gram in set(one))
        precision += common / max(1, len(one)) / 2
        recall += common / max(1, len(other)) / 2
    return 5 * precision * recall / (4 * precision + recall) if precision + recall else 0.0
    ### END SOLUTION


# %% tags=["check"]
ck.check("translation.chrf_score", chrf_score)


# %%
def n_grams(text, n):
    return collections.Counter(text[start : start + n] for start in range(len(text) - n + 1))


def chrf(said, right, longest=2, beta=2):
    """Character n-gram F-score in percent, signs left out."""
    said, right = (re.sub("[、，！？。]", "", text) for text in [said, right])
    grams = [(n_grams(said, n), n_grams(right, n)) for n in range(1, longest + 1)]
    precision = np.mean([(one & other).total() / max(1, one.total()) for one, other in grams])
    recall = np.mean([(one & other).total() / max(1, other.total()) for one, other in grams])
    return 100 * (1 + beta**2) * precision * recall / (beta**2 * precision + recall) if precision + recall else 0.0


pairs = {
    "the same": ("他不在家。", "他不在家。"),
    "bites man": ("狗咬人。", "人咬狗。"),
    "at home": ("他不在家。", "他在家。"),
    "bus to work": ("他天天乘巴士去工作。", "他每天坐公共汽车上班。"),
}
for name, (said, right) in pairs.items():
    print(f"{name:12} {chrf(said, right):4.0f} %   {said} for {right}")
assert chrf(*pairs["at home"]) > 65 and chrf(*pairs["bus to work"]) < 15

# %% [markdown]
# The last three show the limits. "The dog bites the man" is half right as "the man bites the dog". 他不在家 (he is *not*
# at home) scores high where 他在家 (he is at home) is right. And 他天天乘巴士去工作, a good translation of "he takes the
# bus to work every day" in other words, scores low. **The score is cheap and blind to meaning**: use it to compare
# systems over many sentences, not to judge one.
#
# ## The baseline: no translation at all
#
# Look up the training sentence whose English is nearest, and give *its* Chinese. Nearest: the cosine (余弦相似度) of two
# rows of TF-IDF (chapter 09c), $\cos(a, b) = a \cdot b \,/\, (|a|\,|b|)$.
#
# ### Exercise 11d.3 · The nearest sentence · ●●○ · 7 minutes
# Write `nearest(queries, rows)`: for each query `(q, features)` the index of the row `(n, features)` with the largest
# cosine. The rows have different lengths; none is zero. The result has the shape `(q,)`.


# %% tags=["exercise"]
def nearest(queries, rows):
    ### BEGIN SOLUTION
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return (queries @ rows.T).argmax(axis=1)  # the length of a query changes no order
    ### END SOLUTION


# %% tags=["check"]
ck.check("translation.nearest", nearest)

# %% [markdown]
# **Guess:** what does it score? For comparison we also give one and the same sentence to all: of every eighth training
# sentence, the one that scores best on other training sentences.

# %%
tfidf = TfidfVectorizer(analyzer=words).fit(english)  # rows come out with length 1
cosines = (tfidf.transform(test_english) @ tfidf.transform(english).T).toarray()  # (400, 3846)


def looked_up(size):
    """chrF of each test sentence when only the first `size` training sentences can be looked up."""
    found = chinese[cosines[:, :size].argmax(axis=1)]
    return np.array([chrf(said, right) for said, right in zip(found, test_chinese, strict=True)])


def mean_score(said):
    return np.mean([chrf(said, right) for right in chinese[1:1_000:10]])


baseline = looked_up(len(english))
common = max(chinese[::8], key=mean_score)
always = np.mean([chrf(common, right) for right in test_chinese])
print(f"nearest sentence: {baseline.mean():.0f} %, always the same sentence: {always:.0f} %")
assert 24 < baseline.mean() < 25.5 and 6 < always < 8 and baseline.mean() > 3 * always

# %% [markdown]
# A quarter without any learning, and over three times as much as one sentence for all. This is the number to beat.
#
# ## The network
#
# The parts are those of chapter 11b, with one thing new. The decoder needs a table of vectors for the characters that
# come in, and a matrix that gives one logit for each character that may come out. Both have a row or column for each
# character; *tied* they are one table $E$ (Press, Wolf, 2017), with the state $h$ of a place:
#
# $$ \mathrm{logits} = h E^\top $$
#
# ### Exercise 11d.4 · Logits from the table · ●○○ · 5 minutes
# Write `tied_logits(states, table)`: `states` is `(batch, time, width)`, `table` is `(characters, width)`, the result
# `(batch, time, characters)`.


# %% tags=["exercise"]
def tied_logits(states, table):
    ### BEGIN SOLUTION
    return states @ table.T
    ### END SOLUTION


# %% tags=["check"]
ck.check("translation.tied_logits", tied_logits)

# %%
keras.utils.set_random_seed(0)
both = layers.ReversibleEmbedding(6, 3)
states = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")  # (batch, time, width)
looked = both(np.array([[1, 5]]))  # (1, 2, 3): ids to vectors
logits = ops.convert_to_numpy(both(states, reverse=True))  # (2, 4, 6): states to logits
(rows,) = both.get_weights()
assert np.allclose(logits, states @ rows.T, atol=1e-6) and np.allclose(looked, rows[[[1, 5]]])
print(f"Keras: ReversibleEmbedding, one table of shape {rows.shape} for both directions")


# %%
def embed(ids, table, dropout):
    """Ids (batch, time) to vectors (batch, time, width): which token, plus where it stands."""
    place = ops.cumsum(ops.ones_like(ids), axis=1) - 1
    return layers.Dropout(dropout)(table(ids) + layers.Embedding(LONGEST, table.output_dim)(place))


def attend(x, source, dropout, **mask):
    """x + attention of the normalised x to `source` (None: to itself); the weights (batch, heads, n, m) on a source."""
    normed = layers.LayerNormalization()(x)
    attention = layers.MultiHeadAttention(4, x.shape[-1] // 4)
    if source is None:
        seen, weights = attention(normed, normed, **mask), None
    else:
        seen, weights = attention(normed, source, return_attention_scores=True, **mask)
    return x + layers.Dropout(dropout)(seen), weights


def feed_forward(x, dropout):
    hidden = layers.Dense(2 * x.shape[-1], "relu")(layers.LayerNormalization()(x))
    return x + layers.Dropout(dropout)(layers.Dense(x.shape[-1])(hidden))


# %%
def translator(width, dropout=0.1):
    """(English, Chinese so far) to the logits of the next character; and to the weights of the decoder on the words."""
    read, said = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    real = ops.not_equal(read, 0)[:, None, :]  # (batch, 1, m): nobody looks at padding
    x = embed(read, layers.Embedding(len(english_ids) + 4, width), dropout)
    x, _ = attend(x, None, dropout, attention_mask=real)
    memory = layers.LayerNormalization()(feed_forward(x, dropout))

    table = layers.ReversibleEmbedding(len(chinese_ids) + 4, width)
    y = embed(said, table, dropout)
    y, _ = attend(y, None, dropout, use_causal_mask=True)
    y, weights = attend(y, memory, dropout, attention_mask=real)
    logits = table(layers.LayerNormalization()(feed_forward(y, dropout)), reverse=True)
    return keras.Model([read, said], logits), keras.Model([read, said], weights)


WIDTH = 64
network, looker = translator(WIDTH)
tables = WIDTH * (len(english_ids) + len(chinese_ids) + 8)
saved = WIDTH * (len(chinese_ids) + 4)
print(f"{network.count_params():,} parameters, {tables / network.count_params():.0%} of them in the tables of tokens")
print(f"a second table for the output would add {saved:,}")
assert 0.75 < tables / network.count_params() < 0.9

# %% [markdown]
# Most of the network is a dictionary: one row a token, and over half of the English rows will be trained by one single
# sentence.
#
# ## Training
#
# Sentences with more than 12 words or 13 characters are left out, which keeps the arrays small. Ten epochs, batches of
# 64, the warm-up and cosine decay of chapter 11b.

# %%
EPOCHS, BATCH = 10, 64
short = [n for n in range(len(english)) if len(words_learn[n]) <= 12 and len(chinese[n]) <= 13]
short = short[: len(short) // BATCH * BATCH]
read = encode([words_learn[n] for n in short], english_ids)
said = encode([characters_learn[n] for n in short], chinese_ids, around=True)
steps = EPOCHS * len(short) // BATCH
rate = keras.optimizers.schedules.CosineDecay(0.0, 9 * steps // 10, warmup_target=0.008, warmup_steps=steps // 10)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)


def train(network, first, last):
    """Train from epoch `first` to epoch `last`. Returns the loss of each epoch."""
    bar = ck.LiveProgress(digits=0)
    options = {"initial_epoch": first, "verbose": 0, "callbacks": [bar]}
    return network.fit([read, said[:, :-1]], said[:, 1:], BATCH, last, **options).history["loss"]


keras.utils.set_random_seed(0)
network, looker = translator(WIDTH)
network.compile(keras.optimizers.Adam(rate), loss, steps_per_execution=len(short) // BATCH)
print(f"{len(short):,} pairs, {steps:,} steps")
losses = train(network, 0, 5)

# %%
losses += train(network, 5, EPOCHS)
for epoch in [1, 4, 7, 10]:
    print(f"loss of epoch {epoch:2}: ≈ {losses[epoch - 1]:.1f}")
assert np.all(np.diff(losses) < 0) and losses[-1] > 2

# %% [markdown]
# The loss fell in every epoch and is far from 0: what follows is the state **after ten epochs**, not the end of
# learning.
#
# First with help: the decoder reads the right characters up to a place and says the next one (teacher forcing).
# **Guess:** on training sentences, and on new ones?


# %%
def next_right(network, read, said):
    """Percent of the next characters that are right, the right ones before them given; 。 and the end do not count."""
    best = network.predict([read, said[:, :-1]], batch_size=200, verbose=0).argmax(axis=-1)
    counted = (said[:, 1:] >= UNKNOWN) & (said[:, 1:] != chinese_ids["。"])
    return 100 * np.mean((best == said[:, 1:])[counted])


test_read = encode(words_judge, english_ids)
test_said = encode(characters_judge, chinese_ids, around=True)
helped = {
    "training": next_right(network, read[:400], said[:400]),
    "test": next_right(network, test_read, test_said),
}
gap = helped["training"] - helped["test"]
for name, share in helped.items():
    print(f"with help, {name} sentences: ≈ {share:.0f} % of the next characters right")
assert 20 < helped["test"] < 30 and gap > 5

# %% [markdown]
# With the right beginning given, about one new character in four is right, out of 1,770. Training sentences go better,
# by more than five points: a part of what it learned is these sentences.
#
# ## Without help
#
# Now it reads what it said itself, greedily (贪心): the likeliest character, again and again, until the end sign.

# %%
characters = {number: token for token, number in chinese_ids.items()}


def translate(network, read):
    """Greedy translations of rows of ids (sentences, m), as texts."""
    said = np.full((len(read), 1), START, "int32")
    while said.shape[1] < LONGEST and not (said == END).any(axis=1).all():
        following = ops.convert_to_numpy(network([read, said])[:, -1]).argmax(axis=-1)
        said = np.concatenate([said, following[:, None].astype("int32")], axis=1)
    rows = [row[1 : row.index(END)] if END in row else row[1:] for row in said.tolist()]
    return ["".join(characters.get(number, "") for number in row) for row in rows]


def scores(network, read, right):
    return np.array([chrf(one, other) for one, other in zip(translate(network, read), right, strict=True)])


trained = scores(network, read[:400], chinese[short[:400]])
judged = scores(network, test_read, test_chinese)
print(f"chrF after {EPOCHS} epochs: training sentences ≈ {trained.mean():.0f} %, new sentences ≈ {judged.mean():.0f} %")
print(f"nearest sentence, on new sentences: {baseline.mean():.0f} %")
assert 12 < judged.mean() < 19 and baseline.mean() - judged.mean() > 6
assert 1 < trained.mean() - judged.mean() and trained.mean() < baseline.mean()

# %%
figure, axis = plt.subplots(figsize=(8, 3.2))
bars = {
    "always the same sentence": always,
    "nearest sentence": baseline.mean(),
    f"Transformer, {EPOCHS} epochs, new": judged.mean(),
    f"Transformer, {EPOCHS} epochs, training": trained.mean(),
}
axis.barh(list(bars), list(bars.values()), color=["grey", "grey", "C0", "C1"])
axis.set(title="English to Chinese, 400 sentences each", xlabel="chrF (%)", ylabel="who translates", xlim=(0, 100))
ck.show(
    figure,
    alt="chrF: always the same sentence 7 %, nearest sentence 25 %; the Transformer after ten epochs lies between, on training "
    "sentences a little above its score on new ones",
)

# %% [markdown]
# **After ten epochs the look-up is ahead**, by more than six points (one seed). The look-up answers with whole
# sentences of the data set; the network has to put each sentence together.
#
# Is that for want of pairs? This comparison cannot tell. On its own *training* sentences the network scores little more
# than on new ones, so it has not even learned these by heart: its training is not at its end. With fifty epochs the
# same network knows nearly all training sentences by heart, and on new ones it comes up to the look-up (one run, not
# shown here).
#
# What does it say? Here are sentences of our own; the words are known, the sentences are new. (This output is the only
# one of the chapter that may differ on your machine.) Write others: `say("…")`.


# %% tags=["nbval-ignore-output"]
def say(*sentences):
    rows = encode([words(sentence) for sentence in sentences], english_ids)
    for sentence, answer in zip(sentences, translate(network, rows), strict=True):
        print(f"{sentence:22} {answer}")


own = ["He is a teacher.", "This book is good.", "I like music.", "She is not happy.", "We have a new house."]
assert not unseen([words(sentence) for sentence in own], english_ids).any() and not set(own) & set(english)
say(*own)

# %% [markdown]
# ## What is missing?
#
# Still after ten epochs. **Guess:** how much does one unseen word cost the network, and how much the look-up?

# %%
new_words = unseen(words_judge, english_ids)
groups = {"0": new_words == 0, "1": new_words == 1, "2 or more": new_words >= 2}
figure, axis = plt.subplots(figsize=(7, 3.4))
for (name, values), style in zip({"Transformer": judged, "nearest sentence": baseline}.items(), "os", strict=True):
    means = [values[chosen].mean() for chosen in groups.values()]
    errors = [values[chosen].std() / np.sqrt(chosen.sum()) for chosen in groups.values()]
    axis.errorbar(list(groups), means, errors, marker=style, capsize=4, label=name)
sizes = [int(chosen.sum()) for chosen in groups.values()]
axis.set(title="Test sentences by unseen words (bars: one standard error)", xlabel="unseen words", ylabel="chrF (%)")
axis.set(ylim=(0, 40))
axis.legend()
ck.show(
    figure,
    alt="chrF of test sentences with 0, 1 and 2 or more unseen words, for the Transformer after ten epochs and the nearest "
    "sentence: without unseen words the Transformer is far behind",
)
print("test sentences with 0, 1, 2 or more unseen words:", sizes)
by_network, by_look_up = ([values[chosen].mean() for chosen in groups.values()] for values in (judged, baseline))
print("nearest sentence:", ", ".join(f"{value:.0f} %" for value in by_look_up))
print(f"Transformer, {EPOCHS} epochs:", ", ".join(f"≈ {value:.0f} %" for value in by_network))
assert sizes == [222, 147, 31] and (np.diff(by_look_up) < 0).all() and abs(by_network[0] - by_network[1]) < 4
assert by_network[0] < by_look_up[0] - 6

# %% [markdown]
# Unseen words cost the look-up much. The network, after ten epochs, is weak already where every word is known, so
# unseen words are not yet what holds it back. Trained longer, it falls with each unseen word as the look-up does (not
# shown here).
#
# Would more pairs help? The look-up costs no training, so we can ask it for a learning curve (学习曲线):

# %%
amounts = [120, 240, 480, 960, 1_920, 3_840]
curve = [looked_up(amount).mean() for amount in amounts]
steps_up = np.diff(curve)
figure, axis = plt.subplots(figsize=(7, 3))
axis.semilogx(amounts, curve, "s-", color="C1")
axis.set(title="Nearest sentence", xlabel="pairs to look up (each point twice the last)", ylabel="chrF (%)")
axis.set_xticks(amounts, [f"{amount:,}" for amount in amounts])
axis.minorticks_off()
ck.show(figure, alt="The score of the nearest sentence rises by a few points with each doubling of the pairs")
print("pairs:", ", ".join(f"{amount:,}" for amount in amounts))
print("chrF: ", ", ".join(f"{score:.1f} %" for score in curve))
assert steps_up.min() > 1 and steps_up.max() < 5

# %% [markdown]
# One to five points for each doubling of what can be looked up, and no sign of an end. From 3,840 to 4.5 million are
# about ten doublings. What they would bring, to the look-up or to the network, we have not measured.
#
# ## Where does it look?
#
# For each character the decoder weighs the English words (cross-attention, 交叉注意力). Five pairs of our own, the
# Chinese given, the mean of four heads. Row $i$ is the place from which character $i$ is said. If a Chinese font is
# installed, you see characters; otherwise numbers, with this key:

# %%
given = {
    "He is a teacher.": "他是老师。",
    "My mom likes this book.": "我妈妈喜欢这本书。",
    "The weather is cold today.": "今天天气很冷。",
    "Please open the door.": "请打开门。",
    "There are many people in the park.": "公园里有很多人。",
}
for line in given.values():
    print(" ".join(f"{number} {token}" for number, token in enumerate(line, start=1)))
assert not unseen([words(sentence) for sentence in given], english_ids).any()
installed = {font.name for font in font_manager.fontManager.ttflist}
usual = ["Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei"]
font = next((name for name in usual if name in installed), None)


# %%
def look(sentence):
    line = given[sentence]
    weights = looker([encode([words(sentence)], english_ids), encode([line], chinese_ids, around=True)[:, :-1]])
    mean = ops.convert_to_numpy(weights)[0].mean(axis=0)[: len(line)]  # (characters, words)
    figure, axis = plt.subplots(figsize=(7, 4.2))
    image = axis.imshow(mean, cmap="viridis", vmin=0, aspect="auto")
    axis.set_xticks(range(len(words(sentence))), words(sentence))
    labels = list(line) if font else [str(number) for number in range(1, len(line) + 1)]
    axis.set_yticks(range(len(line)), labels, **({"fontfamily": font} if font else {}))
    axis.grid(False)
    axis.set(title="Weights of the decoder on the English words", xlabel="word", ylabel="character said next")
    figure.colorbar(image, label="weight, mean of four heads")
    return figure


ck.explore(
    look, alt="For each Chinese character the weights on the English words of the sentence", sentence=list(given)
)

# %% [markdown]
# Do the rows follow the meaning, or the order of the words? These are weights, not reasons (chapter 10a).
#
# ## Summaries
#
# To summarise, the same network reads a long text and writes a short one; only the pairs are others. They are rarer
# still. What can be done without any? An *extractive* summary (抽取式摘要) writes nothing: it chooses a sentence. Which?
# The one that is most like the others.
#
# ### Exercise 11d.5 · The most central sentence · ●●○ · 7 minutes
# Write `central(rows)`: the index of the sentence whose mean cosine to the other sentences is largest. `rows` is
# `(sentences, features)`, TF-IDF, each row of length 1.


# %% tags=["exercise"]
def central(rows):
    ### BEGIN SOLUTION
    cosines = rows @ rows.T  # (sentences, sentences)
    return int((cosines.sum(axis=1) - np.diag(cosines)).argmax())
    ### END SOLUTION


# %% tags=["check"]
ck.check("translation.central", central)

# %%
story = [
    "Anna got up early.",
    "The old bridge over the river was closed on Monday.",
    "Engineers had found a crack in the old bridge.",
    "Buses now take the long way round, and many people came late.",
    "The town will repair the bridge over the river by May.",
    "Nobody was hurt.",
]


def summary(sentences):
    rows = TfidfVectorizer().fit_transform(sentences).toarray()
    similar = rows @ rows.T
    return sentences[int((similar.sum(axis=1) - 1).argmax())]


print("summary:    ", summary(story))
chat = ["I like tea with milk.", "I like tea with lemon.", "I like tea with milk and lemon.", "I like tea."]
print("with chat:  ", summary(story + chat))
print("without not:", summary([line.replace("was closed", "was not closed") for line in story]))
assert summary(story) == story[1] and summary(story + chat) in chat

# %% [markdown]
# A sensible choice, by counting shared words. It is as blind as our score: four sentences about tea outvote the bridge,
# and a *not* changes nothing. It can't join two sentences into one; a decoder could, given pairs to learn from.
#
# ## Build your own
#
# ### Exercise 11d.6 · A translator of your own · ●●● · 15 minutes
# Write `build_translator(english, chinese)`: a compiled Keras model of your own design, from English ids `(batch, m)`
# and Chinese ids so far `(batch, n)` to logits `(batch, n, chinese)` of the next character. `english` and `chinese` are
# the sizes of the tables; id 0 is padding, `m` and `n` are at most 20. **One** table serves the characters that come in
# and go out. No look into the future, padding of the English changes nothing, the loss leaves out padding. The check
# trains it for 40 steps.


# %% tags=["exercise"]
def build_translator(english, chinese):
    ### BEGIN SOLUTION
    read, said = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    real = ops.not_equal(read, 0)[:, None, :]
    table, places = layers.ReversibleEmbedding(chinese, 32), layers.Embedding(20, 32)

    def place(ids):
        return places(ops.cumsum(ops.ones_like(ids), axis=1) - 1)

    def look(x, source, **mask):
        return layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 16)(x, source, **mask))

    memory, x = layers.Embedding(english, 32)(read) + place(read), table(said) + place(said)
    memory = look(memory, memory, attention_mask=real)
    x = look(look(x, x, use_causal_mask=True), memory, attention_mask=real)
    network = keras.Model([read, said], table(x, reverse=True))
    masked = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    network.compile(keras.optimizers.Adam(0.005), masked)
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("translation.build_translator", build_translator)

# %% [markdown]
# ## What a real translator does differently
#
# - It learns from millions of pairs, often after *pretraining* on text without translations (chapter 12).
# - It cuts rare words into *subwords* (子词), pieces that were seen: "unhappiness" could become "un", "happi", "ness"
#   (Sennrich et al., 2016). Our unseen words would become known pieces.
# - It searches with a beam (chapter 11b), and people judge it, not n-grams alone.
#
# With little data, neural translation was found to be worse than older methods that count phrases (Koehn, Knowles,
# 2017).
#
# ## Recap
#
# - 45 % of the test sentences have a word that no training sentence had; 53 % of the known words came once.
# - chrF compares n-grams of characters. It is cheap, and blind to meaning and to other words for the same.
# - The nearest training sentence scores 25 % without translating; each doubling of the pairs gave it 1 to 5 points.
# - After ten epochs a Transformer from scratch scored over six points less than that look-up, and little more on its
#   own training sentences than on new ones: its training was not at its end, so the number of pairs is not shown to be
#   the cause.
# - One table for input and output saves a matrix. An extractive summary chooses a sentence and writes none.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("translation.score")

# %% tags=["quiz"]
ck.quiz("translation.baseline")

# %% tags=["quiz"]
ck.quiz("translation.memory")

# %% tags=["quiz"]
ck.quiz("translation.tied")

# %% [markdown]
# ### References
#
# - Erkan, Radev (2004). LexRank: Graph-based lexical centrality as salience in text summarization. Journal of Artificial
#   Intelligence Research 22
# - Popović (2015). chrF: character n-gram F-score for automatic MT evaluation. WMT
# - Popović (2016). chrF deconstructed: beta parameters and n-gram weights. WMT
# - Sennrich, Haddow, Birch (2016). Neural machine translation of rare words with subword units. ACL. arXiv:1508.07909
# - Koehn, Knowles (2017). Six challenges for neural machine translation. First Workshop on Neural Machine Translation.
#   arXiv:1706.03872
# - Press, Wolf (2017). Using the output embedding to improve language models. EACL. arXiv:1608.05859
# - Vaswani et al. (2017). Attention is all you need. NeurIPS. arXiv:1706.03762
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("translation")
