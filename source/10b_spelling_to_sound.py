# ---
# title: Spelling to sound
# promise: You will train a network that pronounces words it has never seen, with and without attention, and see where it looks.
# built: You trained an encoder–decoder that pronounces new words, with and without attention, and scored it with error rates of your own.
# minutes: 85
# prerequisites: [10a_attention]
# data: [cmudict]
# articles: [a3 3.4]
# clinic: []
# topic: spelling
# ---

# %% [markdown]
# **What you will be able to do**
#
# - build an encoder–decoder (编码器-解码器) that turns one sequence into another of a different length;
# - train it with teacher forcing and let it speak alone;
# - judge it by phoneme and word error rate (音素错误率, 词错误率), which you write from scratch;
# - compare one fixed vector with attention, over the length of the words;
# - read an alignment (对齐): which letters a sound was made from.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## Five words that end alike
#
# How is a word spoken that no dictionary lists? A machine that reads texts aloud meets new names every day. English
# makes it hard:

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

(words, spoken), (test_words, test_spoken) = ck.data.pronunciations()
listed = dict(zip([*words, *test_words], [*spoken, *test_spoken], strict=True))
for word in ["tough", "though", "through", "cough", "bough"]:
    print(f"{word:8}", "  or  ".join(listed[word]))
print(f"source: CMU Pronouncing Dictionary, {len(listed):,} words")

# %% [markdown]
# Each sign such as *AH* is a phoneme (音素), one of 39 sounds; the stress is left out. The number of sounds differs from
# the number of letters, and nothing says which letter makes which sound. To train in seconds we take only words
# of 3 to 10 letters, and 14,336 of them: less to learn from than in published work, and no long words to get wrong.

# %%
LETTERS, SOUNDS, UNITS, BATCH = 10, 12, 64, 256  # longest word and longest pronunciation with its end, in ids
PADDING, START, END = 0, 1, 2
phonemes = ["", "", "", *sorted({sound for several in spoken for one in several for sound in one.split()})]


def letter_ids(word):
    """The ids of a word, (LETTERS,): a is 1, z is 26, 0 fills the row."""
    return np.array([ord(letter) - 96 for letter in word] + [PADDING] * (LETTERS - len(word)), "int32")


def sound_ids(one):
    """The ids of a pronunciation such as "T AH F"."""
    return [phonemes.index(sound) for sound in one.split()]


# %%
def suits(word, several):
    short = all(len(one.split()) < SOUNDS for one in several)
    return word.isascii() and word.isalpha() and 3 <= len(word) <= LETTERS and short


suitable = [number for number in range(len(words)) if suits(words[number], spoken[number])]
chosen = suitable[:14_336]  # 56 batches
tested = [number for number in range(len(test_words)) if suits(test_words[number], test_spoken[number])][:2_000]
x, x_test = (np.stack([letter_ids(word) for word in part]) for part in (words[chosen], test_words[tested]))
several = [[sound_ids(one) for one in test_spoken[number]] for number in tested]  # all listed pronunciations
print(
    f"{len(phonemes) - 3} phonemes; {len(suitable):,} training words would suit, we take {len(x):,}; {len(x_test):,} to judge"
)
assert len(phonemes) == 42 and 6 < len(suitable) / len(x) < 7

# %% [markdown]
# ### Exercise 10b.1 · A pair for the teacher · ●○○ · 6 minutes
# The decoder is trained with the teacher of chapter 09b: its input is the *true* sequence, one step late. Write
# `teacher_pair(sounds, start, end, length)`: from a list of ids the pair of rows `(input, target)`, both of `length`
# ids, filled with 0. The input begins with `start`; the target ends with `end`; step for step the target is the id
# that follows the input. The list has fewer than `length` ids.


# %% tags=["exercise"]
def teacher_pair(sounds, start, end, length):
    ### BEGIN SOLUTION
    padding = [0] * (length - len(sounds) - 1)
    return [start, *sounds, *padding], [*sounds, end, *padding]
    ### END SOLUTION


# %% tags=["check"]
ck.check("spelling.teacher_pair", teacher_pair)

# %%
rows = [sound_ids(spoken[number][0]) for number in chosen]  # of several pronunciations the first
said, target = np.zeros((2, len(rows), SOUNDS), "int32")
for number, row in enumerate(rows):
    said[number, : len(row) + 1] = [START, *row]
    target[number, : len(row) + 1] = [*row, END]
print("letters ", x[0], "=", words[chosen[0]])
print("input   ", said[0])
print("target  ", target[0])
assert np.array_equal(said[:, 1:][target[:, :-1] > END], target[:, :-1][target[:, :-1] > END])

# %% [markdown]
# ## How wrong is wrong?
#
# *T AH F* for *T AO F* is nearly right. The edit distance (编辑距离; Levenshtein, 1966) counts the fewest insertions,
# deletions and replacements that turn one sequence into the other. Let $D_{i,j}$ be the distance of the first $i$ signs
# of $a$ from the first $j$ of $b$:
#
# $$ D_{i,0} = i, \quad D_{0,j} = j, \qquad
# D_{i,j} = \min\big(D_{i-1,j} + 1,\; D_{i,j-1} + 1,\; D_{i-1,j-1} + (a_i \ne b_j)\big) $$
#
# ### Exercise 10b.2 · The edit distance · ●●○ · 12 minutes
# Write `edit_distance(one, other)` for two lists (or texts) of any length, also empty ones.


# %% tags=["exercise"]
def edit_distance(one, other):
    ### BEGIN SOLUTION
    row = list(range(len(other) + 1))  # D for i = 0
    for i, a in enumerate(one, start=1):
        above, row = row, [i]
        for j, b in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]
    ### END SOLUTION


# %% tags=["check"]
ck.check("spelling.edit_distance", edit_distance)

# %% [markdown]
# - **Phoneme error rate:** the sum of the edit distances, divided by the number of phonemes that would be right.
# - **Word error rate:** the share of words with any mistake.
#
# Some words have several right pronunciations. The nearest one counts; a word is right when it equals one of them.
#
# ### Exercise 10b.3 · Two error rates · ●●○ · 10 minutes
# Write `error_rates(answers, several, distance)`: the pair (phoneme error rate, word error rate), both from 0 to 1 or
# above. `answers` is a list of sequences, `several` a list of lists: all right sequences of each word.
# `distance(one, other)` is given. When two are equally near, take the first listed.


# %% tags=["exercise"]
def error_rates(answers, several, distance):
    ### BEGIN SOLUTION
    edits = length = wrong = 0
    for answer, right in zip(answers, several, strict=True):
        nearest = min(right, key=lambda one: distance(answer, one))
        edits += distance(answer, nearest)
        length += len(nearest)
        wrong += distance(answer, nearest) > 0
    return edits / length, wrong / len(answers)
    ### END SOLUTION


# %% tags=["check"]
ck.check("spelling.error_rates", error_rates)

# %% [markdown]
# The chapter needs millions of distances. The same table, filled for all pairs at once:


# %%
def distances(one, other):
    """Edit distances of the rows of ids one (pairs, n) and other (pairs, m), filled with 0: (pairs,)."""
    table = np.zeros((one.shape[1] + 1, other.shape[1] + 1, len(one)), "int16")
    table[:, 0] = np.arange(one.shape[1] + 1)[:, None]
    table[0, :] = np.arange(other.shape[1] + 1)[:, None]
    for i in range(one.shape[1]):
        for j in range(other.shape[1]):
            replaced = table[i, j] + (one[:, i] != other[:, j])
            table[i + 1, j + 1] = np.minimum(replaced, 1 + np.minimum(table[i, j + 1], table[i + 1, j]))
    return table[(one != 0).sum(axis=1), (other != 0).sum(axis=1), np.arange(len(one))]


# %%
owner = np.repeat(np.arange(len(several)), [len(right) for right in several])  # (listed pronunciations,)
right_ids = np.zeros((len(owner), SOUNDS), "int32")
for line, one in zip(right_ids, [one for right in several for one in right], strict=True):
    line[: len(one)] = one


def judge(answers):
    """Edits, length of the nearest right pronunciation and whether it is wrong, for each test word: (3, words)."""
    edits, sizes = distances(answers[owner], right_ids), (right_ids != 0).sum(axis=1)
    order = np.lexsort((np.arange(len(owner)), edits, owner))
    nearest = order[np.unique(owner[order], return_index=True)[1]]
    return np.stack([edits[nearest], sizes[nearest], edits[nearest] > 0])


assert distances(np.array([letter_ids("kitten")]), np.array([letter_ids("sitting")])) == 3
print("kitten and sitting are 3 edits apart; listed pronunciations a word:", round(len(owner) / len(several), 1))

# %% [markdown]
# ## Two baselines without a network
#
# - *letter by letter:* each letter always makes the same sound, its most frequent one in words with as many letters as
#   sounds;
# - *nearest word:* find the training word with the fewest edits in spelling and copy its pronunciation (300 test words).
#
# **Guess first:** how many words does each get wrong?


# %%
def percent(result):
    """Phoneme and word error rate in percent of what `judge` gave."""
    return np.array([100 * result[0].sum() / result[1].sum(), 100 * result[2].mean()])


together = np.zeros((27, len(phonemes)), int)
lengths = (x != 0).sum(axis=1)
for number in np.flatnonzero(lengths == [len(row) for row in rows]):
    np.add.at(together, (x[number, : lengths[number]], rows[number]), 1)
always = together.argmax(axis=1) * (np.arange(27) > 0)  # the sound of each letter, (27,)
by_letter = judge(always[x_test])

copied = np.zeros((len(x_test), SOUNDS), "int32")
for number in range(300):
    nearest = distances(np.broadcast_to(x_test[number], x.shape), x).argmin()
    copied[number, : len(rows[nearest])] = rows[nearest]
by_neighbour = judge(copied)[:, :300]
for name, result in [("letter by letter", by_letter), ("nearest word", by_neighbour)]:
    print(f"{name:17} phoneme error rate {percent(result)[0]:.0f} %, word error rate {percent(result)[1]:.0f} %")
    assert percent(result)[1] > 90 and 40 < percent(result)[0] < 55

# %% [markdown]
# Rules of one letter are not enough, and a neighbour that differs in a letter nearly always differs in a sound too.
#
# ## Encoder and decoder
#
# The encoder is a bidirectional GRU over the letters. Its two last states, side by side, are one vector of 64
# numbers: all that a decoder without attention gets of the word (Sutskever et al., 2014; Cho et al., 2014). With
# attention (Bahdanau et al., 2015) it gets the *memory*: 64 numbers for **each letter**.
#
# We change nothing but that. Without attention the memory has one row, the last states. Softmax over a single row is
# always 1.


# %%
def build_encoder(attention):
    """Letters (batch, m) to memory (batch, m or 1, UNITS), what of it is real (batch, m or 1), state (batch, UNITS)."""
    letters = keras.Input((LETTERS,), dtype="int32")
    real = ops.not_equal(letters, PADDING)
    gru = layers.GRU(UNITS // 2, return_sequences=True, return_state=True)
    states, forward, backward = layers.Bidirectional(gru)(layers.Embedding(27, 32)(letters), mask=real)
    state = ops.concatenate([forward, backward], axis=-1)  # (batch, UNITS)
    if attention:
        memory = states * ops.cast(real, "float32")[:, :, None]
    else:
        memory, real = state[:, None], real[:, :1]
    return keras.Model(letters, [memory, real, state])


def build_decoder():
    """Sounds so far (batch, n), state, memory, real to logits of the next (batch, n, sounds), new state, weights."""
    said, state = keras.Input((None,), dtype="int32"), keras.Input((UNITS,))
    memory, real = keras.Input((None, UNITS)), keras.Input((None,), dtype="bool")
    gru = layers.GRU(UNITS, return_sequences=True, return_state=True)
    query, new_state = gru(layers.Embedding(len(phonemes), 32)(said), initial_state=state)
    scores = ops.matmul(layers.Dense(UNITS, use_bias=False)(query), ops.transpose(memory, (0, 2, 1))) / UNITS**0.5
    weights = ops.softmax(ops.where(real[:, None, :], scores, -1e9))  # (batch, n, m or 1)
    joined = ops.concatenate([query, ops.matmul(weights, memory)], axis=-1)
    logits = layers.Dense(len(phonemes))(layers.Dense(UNITS, "tanh")(joined))
    return keras.Model([said, state, memory, real], [logits, new_state, weights])


# %% [markdown]
# For training both are joined. Padding does not count in the loss (`ignore_class`), and the rate falls to 0 along a
# cosine (chapter 04c).


# %%
def train(attention, epochs=8):
    """Returns encoder, decoder, and both joined, trained with the teacher."""
    keras.utils.set_random_seed(0)
    encoder, decoder = build_encoder(attention), build_decoder()
    letters, said_input = keras.Input((LETTERS,), dtype="int32"), keras.Input((None,), dtype="int32")
    memory, real, state = encoder(letters)
    both = keras.Model([letters, said_input], decoder([said_input, state, memory, real])[0])
    rate = keras.optimizers.schedules.CosineDecay(0.01, epochs * len(x) // BATCH)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=PADDING)
    both.compile(keras.optimizers.Adam(rate), loss, steps_per_execution=28)
    history = both.fit([x, said], target, batch_size=BATCH, epochs=epochs, verbose=0).history["loss"]
    return encoder, decoder, both, history


without = train(attention=False)

# %%
with_attention = train(attention=True)
assert without[2].count_params() == with_attention[2].count_params()
print(f"{without[2].count_params():,} parameters each")
for name, model in [("one vector", without), ("attention", with_attention)]:
    print(f"{name:10} loss of epochs 1, 4, 8:", ", ".join(f"≈ {model[3][epoch - 1]:.2f}" for epoch in [1, 4, 8]))
assert with_attention[3][-1] < 2 / 3 * without[3][-1]

# %% [markdown]
# ## Speaking alone
#
# Now there is no teacher. *Greedy decoding* (贪心解码): start with START, take the most probable sound, feed it back, until
# END comes.


# %%
def speak(model, letters):
    """Greedy pronunciations of letters (words, LETTERS): ids without END (words, SOUNDS), weights (words, SOUNDS, m)."""
    encoder, decoder = model[:2]
    memory, real, state = encoder(ops.convert_to_tensor(letters))
    token, going, answers, looks = ops.full((len(letters), 1), START, "int32"), np.ones(len(letters), bool), [], []
    for _ in range(SOUNDS):
        logits, state, weights = decoder([token, state, memory, real])
        token = ops.cast(ops.argmax(logits, axis=-1), "int32")
        sound = ops.convert_to_numpy(token)[:, 0]
        going = going & (sound > END)
        answers.append(np.where(going, sound, 0))
        looks.append(ops.convert_to_numpy(weights)[:, 0])
    return np.stack(answers, axis=1), np.stack(looks, axis=1)


answers, looks = speak(with_attention, x_test)
by_attention, by_vector = judge(answers), judge(speak(without, x_test)[0])


# %% [markdown]
# ### Exercise 10b.4 · Greedy decoding · ●●○ · 8 minutes
# Write `greedy(step, state, start, end, longest)` for one word. `step(token, state)` returns the scores of all ids
# for the next place, shape `(ids,)`, and the new state. Return the list of ids, without `start` and `end`, at most
# `longest` of them.


# %% tags=["exercise"]
def greedy(step, state, start, end, longest):
    ### BEGIN SOLUTION
    answer, token = [], start
    for _ in range(longest):
        scores, state = step(token, state)
        token = int(np.argmax(scores))
        if token == end:
            break
        answer.append(token)
    return answer
    ### END SOLUTION


# %% tags=["check"]
ck.check("spelling.greedy", greedy)

# %% [markdown]
# **Guess first:** after eight epochs the loss with attention is under two thirds of the other. What does that make of
# the words? Is the gap in phonemes larger at 4 letters or at 10?

# %%
results = {"letter by letter": by_letter, "one vector": by_vector, "attention": by_attention}
sizes, letters_of = np.arange(4, LETTERS + 1), (x_test != 0).sum(axis=1)
over = {name: np.array([percent(one[:, letters_of == n]) for n in sizes]) for name, one in results.items()}
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8))
for column, (axis, kind) in enumerate(zip(axes, ["phoneme error rate", "word error rate"], strict=True)):
    for (name, table), style in zip(over.items(), ["^:", "s--", "o-"], strict=True):
        axis.plot(sizes, table[:, column], style, label=name)
    axis.set(title=kind, xlabel="letters of the word", ylabel=f"{kind} (%)", ylim=(0, 105))
axes[0].legend(fontsize=9)
ck.show(
    figure,
    alt="Error rates over the length of the word: with one vector the phoneme error more than doubles from 4 to 10 "
    "letters; with attention it is lower at every length, and rises far less",
)

# %%
print("errors after eight epochs")
for name, table in over.items():
    phoneme_error, word_error = percent(results[name])
    print(f"{name:17} words ≈ {word_error:.0f} %, phonemes ≈ {phoneme_error:.0f} %;", end=" ")
    print(f"phonemes of words with 4 letters ≈ {table[0, 0]:.0f} %, with 10 letters ≈ {table[-1, 0]:.0f} %")
gap = over["one vector"][:, 0] - over["attention"][:, 0]
assert 60 < percent(by_vector)[1] < 78 and 40 < percent(by_attention)[1] < 57
assert percent(by_attention)[0] < 2 / 3 * percent(by_vector)[0] < 2 / 3 * 35
assert gap[-1] > 2 * gap[0] and gap.min() > 0

# %% [markdown]
# After eight epochs attention is ahead at every length, and in phonemes over twice as far at 10 letters as at 4. One
# vector has 64 numbers for four letters and for ten; with attention it need not hold the word: the decoder goes back
# and looks. (One seed each, one split, one width; whether more epochs or a wider vector would close the gap is not
# measured.) Both are far better than the baselines.
#
# Published for CMUdict without stress, with test words of their own (README of cmusphinx/g2p-seq2seq): a WFST, a method
# that joins pieces of letters with pieces of sounds (Novak et al., 2016), 33.9 % of words wrong, a Transformer about
# 31 %. Chapter 11b trains that. Ours learned from 14,336 words, and was not asked the long ones: no comparison, a
# direction.
#
# ## What the teacher hides
#
# In training the decoder saw only true sounds. Alone it must go on from its own mistakes. We take the words with a
# single listed pronunciation, let the network with attention say them with the teacher and alone, and look at the
# places **behind the first mistake**. **Guess first:** how many sounds there are right, with the teacher and alone?

# %%
single = np.flatnonzero([len(right) == 1 for right in several])
truth = right_ids[np.searchsorted(owner, single)]  # (words, SOUNDS)
place, length = np.arange(SOUNDS), (truth != 0).sum(axis=1)[:, None]
told = np.concatenate([np.full((len(single), 1), START), truth[:, :-1]], axis=1)
goal = np.where(place == length, END, truth)
logits = with_attention[2]([ops.convert_to_tensor(x_test[single]), ops.convert_to_tensor(told)])
taught = ops.convert_to_numpy(ops.argmax(logits, axis=-1))  # (words, SOUNDS)
alone = np.where(place == (answers[single] != 0).sum(axis=1)[:, None], END, answers[single])

wholly = {"with the teacher": ((taught == goal) | (place > length)).all(axis=1), "alone": (alone == goal).all(axis=1)}
same = np.mean(wholly["with the teacher"] == wholly["alone"])
first = ((alone != goal) & (place <= length)).argmax(axis=1)[:, None]  # place of the first mistake
behind = {}
for name, sounds in {"with the teacher": taught, "alone": alone}.items():
    counted = [(place == first + step) & (place < length) & ~wholly["alone"][:, None] for step in range(1, 6)]
    behind[name] = np.array([100 * np.mean((sounds == goal)[mask]) for mask in counted])
print(f"wholly right with the teacher, wholly right alone: the same for ≈ {100 * same:.1f} % of the words")
assert same > 0.99

# %%
figure, axis = plt.subplots(figsize=(7, 3.6))
for (name, rates), style in zip(behind.items(), ["s--", "o-"], strict=True):
    axis.plot(range(1, 6), rates, style, label=name)
axis.set(title="Behind the first mistake", xlabel="places behind it", ylabel="sounds right (%)", ylim=(0, 100))
axis.set_xticks(range(1, 6))
axis.legend()
ck.show(
    figure,
    alt="Behind the first mistake the share of right sounds is high with the teacher, and much lower alone",
)
for name, rates in behind.items():
    print(f"{name:16} right at 1 to 5 places behind it:", ", ".join(f"≈ {rate:.0f} %" for rate in rates))
difference = behind["with the teacher"] - behind["alone"]
assert difference.min() > 0 and difference[:4].min() > 10

# %% [markdown]
# The *words* that are wholly right are the same: until the first mistake the inputs are the same. Behind it the teacher
# hands the decoder the true sounds again; alone it goes on from its own mistake, and at the first four places over ten
# points fewer sounds are right. Training never showed it such inputs, which is called exposure bias (Ranzato et al.,
# 2016). (Part of the gap has other reasons: the true sounds tell something too, and a sound too many shifts all that
# follows.) So a score with the teacher is no score of the task.
#
# ## Where does it look?
#
# Each sound came with weights over the letters. Nobody told the network which letters make which sound.


# %%
def draw(axis, word):
    """The map of where the network looks for each sound of `word`."""
    sounds, weights = speak(with_attention, letter_ids(word)[None])
    names = [phonemes[sound] for sound in sounds[0] if sound] + ["end"]
    axis.imshow(weights[0, : len(names), : len(word)], cmap="viridis", vmin=0, vmax=1, aspect="auto")
    axis.set_xticks(range(len(word)), word)
    axis.set_yticks(range(len(names))[:SOUNDS], names[:SOUNDS])
    axis.set(title=f"{word}: {' '.join(names[:-1])}", xlabel="letter", ylabel="sound")
    axis.grid(False)


figure, axes = plt.subplots(1, 3, figsize=(11, 3.6))
for axis, word in zip(axes, ["phone", "knight", "shaking"], strict=True):
    draw(axis, word)
figure.colorbar(axes[-1].images[0], ax=axes, label="weight")
ck.show(
    figure,
    alt="For three words the weights of each sound over the letters: bright fields run from the upper left to the lower "
    "right",
)

# %% [markdown]
# The bright fields run down a diagonal: both sequences have the same order. How reliably?
#
# ### Exercise 10b.5 · Does attention go forward? · ●○○ · 5 minutes
# Write `forward_share(weights)`: for `weights` `(steps, letters)` of one word, in which share of its steps, from the
# second on, the letter looked at most is not before that of the step before?


# %% tags=["exercise"]
def forward_share(weights):
    ### BEGIN SOLUTION
    return np.mean(np.diff(weights.argmax(axis=1)) >= 0)
    ### END SOLUTION


# %% tags=["check"]
ck.check("spelling.forward_share", forward_share)

# %%
moves = np.diff(looks.argmax(axis=2), axis=1)[answers[:, 1:] != 0]  # letters moved between two sounds
onward = 100 * np.mean(moves >= 0)
pairs = {"sh": "SH", "ch": "CH", "th": "TH", "ph": "F"}
sound_of = [phonemes.index(pairs.get(word[:2], "")) for word in test_words[tested]]
begins = (answers[:, 0] == sound_of) & (np.array(sound_of) > 0)  # begin with a pair of letters, and with its one sound
on_pair = 100 * looks[begins, 0, :2].sum(axis=1).mean()
print(f"steps that do not go back: ≈ {onward:.0f} %")
print(f"first sound SH, CH, TH or F from a pair of letters: ≈ {on_pair:.0f} % of the weight is on the pair")
assert onward > 90 and begins.sum() > 20 and on_pair > 80

# %% [markdown]
# Choose a word; some of them do not exist. Add your own to the list (a to z, 3 to 10 letters) and run the cell again.
# **Try:** where does it look for the sound of *sh*, for a silent *e*, for *x* (two sounds)?


# %%
def look(word):
    figure, axis = plt.subplots(figsize=(6, 4))
    draw(axis, word)
    figure.colorbar(axis.images[0], ax=axis, label="weight")
    return figure


ck.explore(
    look,
    alt="The weights of each sound over the letters of one word",
    word=[
        "queue",
        "wug",
        "blorfing",
        "taxi",
        "nation",
        "phlox",
        "shape",
        "rhythm",
        "chocolate",
        "attention",
        "zyzzyva",
    ],
)

# %% [markdown]
# ### Exercise 10b.6 · A speller from two GRUs · ●●● · 15 minutes
# Write `build_speller(letters, sounds)`: a compiled encoder–decoder with the inputs `[read, said]`: `read` holds ids
# `(batch, m)` below `letters`, `said` ids `(batch, n)` below `sounds`, any `m` and `n`, 0 is padding. Embeddings of
# 16 numbers, GRUs of 32 units; the encoder's last state starts the decoder. Output: logits `(batch, n, sounds)`. The
# loss is `keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)`, the optimizer Adam with rate
# 0.01. More padding behind the letters must change nothing. Attention is welcome, not asked. The check trains it.


# %% tags=["exercise"]
def build_speller(letters, sounds):
    ### BEGIN SOLUTION
    read, said = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    state = layers.GRU(32)(layers.Embedding(letters, 16, mask_zero=True)(read))
    states = layers.GRU(32, return_sequences=True)(layers.Embedding(sounds, 16)(said), initial_state=state)
    network = keras.Model([read, said], layers.Dense(sounds)(states))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    network.compile(keras.optimizers.Adam(0.01), loss)
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("spelling.build_speller", build_speller)

# %% [markdown]
# ## Recap
#
# - An encoder reads, a decoder writes, one step late: its input is the target shifted by one.
# - Without attention 64 numbers stand for the whole word: after eight epochs over 60 % of words wrong. With it, under
#   57 %, with the same number of parameters and epochs, and the gap in phonemes is over twice as large at 10 letters as
#   at 4 (one seed).
# - Phoneme error rate: edits by length, summed first and divided once. The nearest listed pronunciation counts.
# - Greedy decoding feeds its own mistakes back; a score with the teacher hides what follows from them.
# - Nobody gave an alignment: in the network that we trained, over nine of ten steps do not go back.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("spelling.vector")

# %% tags=["quiz"]
ck.quiz("spelling.teacher")

# %% tags=["quiz"]
ck.quiz("spelling.word_error")

# %% tags=["quiz"]
ck.quiz("spelling.rates")

# %% [markdown]
# ### References
#
# - Levenshtein (1966). Binary codes capable of correcting deletions, insertions, and reversals. Soviet Physics
#   Doklady 10
# - Williams, Zipser (1989). A learning algorithm for continually running fully recurrent neural networks. Neural
#   Computation 1
# - Sutskever, Vinyals, Le (2014). Sequence to sequence learning with neural networks. NeurIPS. arXiv:1409.3215
# - Cho et al. (2014). Learning phrase representations using RNN encoder–decoder for statistical machine translation.
#   EMNLP. arXiv:1406.1078
# - Bahdanau, Cho, Bengio (2015). Neural machine translation by jointly learning to align and translate. ICLR.
#   arXiv:1409.0473
# - Ranzato et al. (2016). Sequence level training with recurrent neural networks. ICLR. arXiv:1511.06732
# - Novak, Minematsu, Hirose (2016). Phonetisaurus: Exploring grapheme-to-phoneme conversion with joint n-gram models in
#   the WFST framework. Natural Language Engineering 22
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("spelling")
