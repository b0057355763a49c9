"""The long run of chapter 12c: every architecture of the course on one task, sentences of film reviews, good or bad.

`make long-run RUN=finetuning` runs all methods; `python -m checkpoints.finetuning tfidf lora` only these, and the rows
of the others stay as they are. Writes checkpoints/finetuning.json with the scores, and the weights of the probe and of
LoRA as finetuning_probe.npz and finetuning_lora.npz. The test part is judged once for each method and seed.
"""

import argparse
import functools
import json
import time

import coursekit as ck

ck.start()

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from authoring import report
from coursekit import places

RESULTS = places.CHECKPOINTS / "finetuning.json"
PROBE, LORA = (places.CHECKPOINTS / f"finetuning_{name}.npz" for name in ("probe", "lora"))
SEED = 0  # of the split, and of all drawing; networks have seeds of their own
TRAIN = 7_168  # chapter 09c's split: 7,168 to learn from, 904 to choose with, 2,000 to judge with
WORDS, WORD_LENGTH = 5_000, 32  # chapter 09c's vocabulary, for the networks from scratch
WIDTH, DEPTH, HEADS, HIDDEN, LONGEST, PIECES = 384, 6, 12, 1_536, 512, 30_522  # all-MiniLM-L6-v2
PIECE_LENGTH = 48  # word pieces kept of a sentence: 98 % of the sentences are shorter
BATCH, RANK = 32, 2
SIZES, DRAWS = [100, 300, 1_000, 3_000, TRAIN], 3  # of the learning curve
SCRATCH_SEEDS, TUNED_SEEDS = [0, 1, 2], [0, 1]  # LoRA and full fine-tuning take minutes each: two seeds

# Sentences in pairs that mean nearly the same; none is about films. Written for this course.
PAIRS = [
    ("The train was late because of snow on the tracks.", "Snow on the line delayed the railway service."),
    (
        "Boil the pasta for nine minutes in salted water.",
        "Cook the noodles in water with salt until nine minutes have passed.",
    ),
    (
        "The doctor asked the patient to take the pills twice a day.",
        "The medicine has to be swallowed each morning and evening, said the physician.",
    ),
    (
        "House prices in the city rose sharply last year.",
        "Buying a flat in town became much more expensive over the past twelve months.",
    ),
    ("The moon pulls the water of the oceans and makes the tides.", "Ebb and flood are caused by lunar gravity."),
    (
        "Our team lost the final after a penalty shoot-out.",
        "We were beaten in the last match of the cup, on penalties.",
    ),
    (
        "Please restart the computer after you install the update.",
        "Once the new version is set up, reboot your machine.",
    ),
    ("The farmer planted wheat in the northern field.", "Grain was sown on the land to the north of the farm."),
    ("The museum is closed on Mondays.", "You cannot visit the exhibition at the start of the week."),
    ("He forgot his umbrella and got wet in the rain.", "Without anything to keep the shower off, he was soaked."),
    (
        "The bridge was built in two years by eight hundred workers.",
        "Eight hundred labourers needed two years to put up the crossing.",
    ),
    (
        "Bees collect nectar from flowers and turn it into honey.",
        "Honey is made by insects from the sweet juice of blossoms.",
    ),
    ("The court sentenced the thief to three years in prison.", "The judge sent the burglar to jail for three years."),
    ("My phone battery is empty by noon.", "The charge of my mobile does not last past midday."),
    (
        "The plane landed safely although one engine had failed.",
        "Despite a broken engine, the aircraft came down without harm.",
    ),
    ("Drinking enough water helps against headaches.", "If your head aches, you should take in more fluids."),
    (
        "The teacher praised the pupils for their careful drawings.",
        "Children were commended at school for precise pictures.",
    ),
    (
        "Electric cars need fewer repairs than cars with a petrol engine.",
        "Vehicles that run on batteries break down less often than those with combustion engines.",
    ),
    ("The library lends books for four weeks.", "Volumes may be borrowed for a month."),
    (
        "Volcanic ash covered the village after the eruption.",
        "When the mountain erupted, the houses disappeared under cinders.",
    ),
    ("She learned to play the violin when she was six.", "At the age of six she began to study a string instrument."),
    ("The shop sells fresh bread every morning.", "Newly baked loaves can be bought there early each day."),
    ("The company dismissed a tenth of its employees.", "One worker in ten lost the job at the firm."),
    ("Ice is lighter than water, so it floats.", "Frozen water stays on the surface because its density is lower."),
]
NEGATIONS = ["good", "not good", "bad", "not bad", "not good, bad", "not bad, good"]  # chapter 09c's hard cases


def judged(logits, y):
    """Percent of right answers. logits (n,), y (n,) of 0 and 1."""
    return round(100 * float(np.mean((np.ravel(logits) > 0) == y)), 2)


class Task:
    """The data, as raw sentences, as ids of words (chapter 09c) and as ids of word pieces (MiniLM)."""

    def __init__(self):
        (sentences, ratings), (self.test_sentences, test_ratings) = ck.data.movie_sentences()
        y, self.y_test = (ratings > 0).astype("float32"), (test_ratings > 0).astype("float32")
        self.sentences, self.y, self.y_validation = sentences[:TRAIN], y[:TRAIN], y[TRAIN:]
        self.validation_sentences = sentences[TRAIN:]
        random = np.random.default_rng(SEED)
        self.shuffled_sentences = [" ".join(random.permutation(text.split())) for text in self.test_sentences]
        self.draws = [[random.permutation(TRAIN)[:size] for _ in range(DRAWS)] for size in SIZES[:-1]]
        self.draws.append([np.arange(TRAIN)])

    @functools.cached_property
    def vectors(self):
        """Frozen MiniLM's vectors of the training, validation and test sentences, each (n, 384)."""
        minilm, tokenizer = pretrained()
        parts = [self.sentences, self.validation_sentences, self.test_sentences]
        return [in_parts(minilm, to_ids(tokenizer, part)) for part in parts]


# From scratch: the vectors of words, then one of six bodies, then one logit


def encoder_block(x, mask, heads=2):
    """A Transformer encoder block on vectors (batch, time, features), normalised first (chapter 11a)."""
    seen = layers.MultiHeadAttention(heads, x.shape[-1] // heads, dropout=0.1)(
        *[layers.LayerNormalization()(x)] * 2, attention_mask=mask[:, None, :]
    )
    x = x + seen
    hidden = layers.Dense(4 * x.shape[-1], "relu")(layers.LayerNormalization()(x))
    return x + layers.Dropout(0.1)(layers.Dense(x.shape[-1])(hidden))


def from_scratch(name):
    """An uncompiled network: ids of words (batch, 32) to one logit (batch, 1)."""
    ids = keras.Input((WORD_LENGTH,), dtype="int32")
    mask = ops.not_equal(ids, 0)
    width = 32 if name == "transformer" else 16
    x = layers.Embedding(WORDS, width)(ids)
    if name == "average":
        x = layers.GlobalAveragePooling1D()(x, mask=mask)
    elif name == "dense":
        x = layers.GlobalAveragePooling1D()(x, mask=mask)
        x = layers.Dense(16, "relu")(x)
    elif name == "cnn":
        x = layers.Conv1D(16, 3, padding="same", activation="relu")(x * ops.cast(mask, x.dtype)[:, :, None])
        x = layers.GlobalMaxPooling1D()(x)
    elif name == "gru":
        x = layers.GRU(16)(x, mask=mask)
    elif name == "bidirectional":
        x = layers.Bidirectional(layers.GRU(16))(x, mask=mask)
    elif name == "transformer":
        place = ops.cumsum(ops.ones_like(ids), axis=1) - 1
        x = layers.Dropout(0.1)(x + layers.Embedding(WORD_LENGTH, width)(place))
        x = encoder_block(encoder_block(x, mask), mask)
        x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x), mask=mask)
    return keras.Model(ids, layers.Dense(1)(x))


SCRATCH = {"average": 0.006, "dense": 0.006, "cnn": 0.003, "gru": 0.006, "bidirectional": 0.006, "transformer": 0.001}
LABELS = {
    "tfidf": "TF-IDF, logistic regression",
    "average": "average of word vectors",
    "dense": "average, then a dense layer",
    "cnn": "convolution over word vectors",
    "gru": "GRU",
    "bidirectional": "bidirectional GRU",
    "transformer": "Transformer encoder, 2 blocks",
    "probe": "MiniLM frozen, linear probe",
    "lora": "MiniLM with LoRA",
    "full": "MiniLM, all weights trained",
}


def train_from_scratch(name, seed, sentences, y, task):
    """Train until the validation loss has not fallen for three epochs; keep its lowest.

    Returns the vectorizer, the network and the number of epochs that were kept.
    """
    keras.utils.set_random_seed(seed)
    vectorizer = layers.TextVectorization(max_tokens=WORDS, output_sequence_length=WORD_LENGTH)
    vectorizer.adapt(sentences)
    network = from_scratch(name)
    batch = 128 if len(y) >= 1_000 else 16
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(SCRATCH[name]), loss, steps_per_execution=max(1, len(y) // batch))
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    check = (ops.convert_to_numpy(vectorizer(task.validation_sentences)), task.y_validation)
    x = ops.convert_to_numpy(vectorizer(sentences))
    network.fit(
        x, y, batch, 40, verbose=0, validation_data=check, validation_batch_size=len(check[1]), callbacks=[stopping]
    )
    return vectorizer, network, stopping.best_epoch + 1


def scratch_rows(name, task):
    runs = []
    for seed in SCRATCH_SEEDS:
        began, processor = time.perf_counter(), time.process_time()
        vectorizer, network, epochs = train_from_scratch(name, seed, task.sentences, task.y, task)
        run = {"seed": seed, "epochs": epochs, **clock(began, processor)}

        def logits(sentences, vectorizer=vectorizer, network=network):
            return network(ops.convert_to_numpy(vectorizer(list(sentences)))).numpy()[:, 0]

        runs.append(run | scores(logits, task))
    return row(name, network.count_params(), network.count_params(), runs)


# TF-IDF


def fit_tfidf(sentences, y):
    return make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1_000)).fit(sentences, y)


def tfidf_rows(task):
    began, processor = time.perf_counter(), time.process_time()
    pipeline = fit_tfidf(task.sentences, task.y)
    run = {"seed": None, "epochs": None, **clock(began, processor)} | scores(pipeline.decision_function, task)
    parameters = pipeline[1].coef_.size + 1
    return row("tfidf", parameters, parameters, [run])


# MiniLM: chapter 12b's network, shorter


def build_minilm():
    """Ids of word pieces (batch, time), filled with 0, to sentence vectors (batch, 384) of length 1."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    real = ops.not_equal(ids, 0)
    place = ops.cumsum(ops.ones_like(ids), axis=1) - 1
    x = layers.Embedding(PIECES, WIDTH, name="pieces")(ids) + layers.Embedding(LONGEST, WIDTH, name="places")(place)
    x = x + layers.Embedding(2, WIDTH, name="types")(ops.zeros_like(ids))
    x = layers.LayerNormalization(epsilon=1e-12, name="norm")(x)
    for n in range(DEPTH):
        attention = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, name=f"attention_{n}")
        x = x + attention(x, x, attention_mask=real[:, None, :])
        x = layers.LayerNormalization(epsilon=1e-12, name=f"attention_norm_{n}")(x)
        x = x + layers.Dense(WIDTH, name=f"narrow_{n}")(layers.Dense(HIDDEN, "gelu", name=f"widen_{n}")(x))
        x = layers.LayerNormalization(epsilon=1e-12, name=f"norm_{n}")(x)
    mean = layers.GlobalAveragePooling1D(name="mean")(x, mask=real)
    return keras.Model(ids, layers.UnitNormalization(name="unit")(mean), name="minilm")


def load_minilm(network, weights):
    """Fill the network from the published tensors. Returns the names of those that it does not use."""
    left = dict(weights)

    def pair(name):
        return [left.pop(f"{name}.weight"), left.pop(f"{name}.bias")]

    def dense(name):
        matrix, bias = pair(name)
        return [matrix.T, bias]  # stored as (outputs, inputs)

    for layer, name in [("pieces", "word"), ("places", "position"), ("types", "token_type")]:
        network.get_layer(layer).set_weights([left.pop(f"embeddings.{name}_embeddings.weight")])
    network.get_layer("norm").set_weights(pair("embeddings.LayerNorm"))
    for n in range(DEPTH):
        block, values = f"encoder.layer.{n}", []
        for part in ["query", "key", "value"]:
            matrix, bias = dense(f"{block}.attention.self.{part}")
            values += [matrix.reshape(WIDTH, HEADS, -1), bias.reshape(HEADS, -1)]
        matrix, bias = dense(f"{block}.attention.output.dense")
        network.get_layer(f"attention_{n}").set_weights([*values, matrix.reshape(HEADS, -1, WIDTH), bias])
        network.get_layer(f"attention_norm_{n}").set_weights(pair(f"{block}.attention.output.LayerNorm"))
        network.get_layer(f"widen_{n}").set_weights(dense(f"{block}.intermediate.dense"))
        network.get_layer(f"narrow_{n}").set_weights(dense(f"{block}.output.dense"))
        network.get_layer(f"norm_{n}").set_weights(pair(f"{block}.output.LayerNorm"))
    return sorted(left)


def pretrained():
    """Returns MiniLM, filled, and its tokenizer."""
    weights, tokenizer, _ = ck.data.minilm()
    minilm = build_minilm()
    load_minilm(minilm, weights)
    return minilm, tokenizer


def to_ids(tokenizer, sentences):
    """Ids of word pieces (n, 48), filled with 0."""
    table = np.zeros((len(sentences), PIECE_LENGTH), "int32")
    tokenizer.no_padding()
    tokenizer.enable_truncation(PIECE_LENGTH)
    for line, coded in zip(table, tokenizer.encode_batch(list(sentences)), strict=True):
        line[: len(coded.ids)] = coded.ids
    return table


def in_parts(network, ids, size=64):
    """network(ids) for many sentences, those of about the same length together. Returns (n, …)."""
    lengths = (ids != 0).sum(axis=1)
    order, call, parts = np.argsort(lengths, kind="stable"), tf.function(network, reduce_retracing=True), []
    for start in range(0, len(ids), size):
        chosen = order[start : start + size]
        parts.append(ops.convert_to_numpy(call(ops.convert_to_tensor(ids[chosen, : lengths[chosen].max()]))))
    return np.concatenate(parts)[np.argsort(order)]


def batches(ids, y, seed):
    """Batches of sentences of about the same length, in a new order each epoch. ids (n, 48), y (n,)."""
    pairs = tf.data.Dataset.from_tensor_slices((ids, y[:, None])).shuffle(len(y), seed=seed)
    pairs = pairs.bucket_by_sequence_length(
        lambda row, _: tf.math.count_nonzero(row, dtype=tf.int32), [16, 20, 24, 28, 32, 36, 42], [BATCH] * 8
    )
    return pairs.map(lambda rows, y: (rows[:, : tf.reduce_max(tf.math.count_nonzero(rows, axis=1))], y)).prefetch(4)


def fit_probe(vectors, y, task_vectors, y_validation):
    """Logistic regression on sentence vectors; how strongly it is held back is chosen on the validation part."""
    tried = [LogisticRegression(C=strength, max_iter=2_000).fit(vectors, y) for strength in [0.3, 1, 3, 10, 30]]
    return max(tried, key=lambda probe: probe.score(task_vectors, y_validation))


def probe_rows(task):
    minilm, tokenizer = pretrained()
    began, processor = time.perf_counter(), time.process_time()
    train, validation, _ = task.vectors
    probe = fit_probe(train, task.y, validation, task.y_validation)
    run = {"seed": None, "epochs": None, **clock(began, processor), "C": probe.C}

    def logits(sentences):
        return probe.decision_function(in_parts(minilm, to_ids(tokenizer, sentences)))

    np.savez(PROBE, kernel=probe.coef_.T.astype("float32"), bias=probe.intercept_.astype("float32"))
    run["validation_accuracy"] = judged(probe.decision_function(validation), task.y_validation)
    run |= scores(logits, task) | forgetting(minilm, minilm, tokenizer, task)
    return row("probe", minilm.count_params() + WIDTH + 1, WIDTH + 1, [run])


def classifier(minilm):
    """MiniLM and one logit that begins with the weights of the probe."""
    stored = np.load(PROBE)
    head = layers.Dense(1, name="head")
    network = keras.Model(minilm.input, head(minilm.output))
    head.set_weights([stored["kernel"], stored["bias"]])
    return network


def add_lora(minilm, rank):
    """Rank-`rank` changes of the output of attention and of both feed-forward layers; all else is frozen."""
    for n in range(DEPTH):
        for layer in [
            minilm.get_layer(f"attention_{n}").output_dense,
            minilm.get_layer(f"widen_{n}"),
            minilm.get_layer(f"narrow_{n}"),
        ]:
            layer.enable_lora(rank)
    for weight in minilm.weights:
        weight.trainable = "lora" in weight.path


def tuned_rows(name, task, seeds):
    before, tokenizer = pretrained()
    ids, checked = to_ids(tokenizer, task.sentences), to_ids(tokenizer, task.validation_sentences)
    epochs, peak = (2, 1e-3) if name == "lora" else (2, 5e-5)
    runs = []
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        minilm, _ = pretrained()
        if name == "lora":
            add_lora(minilm, RANK)
        network = classifier(minilm)
        steps = epochs * (len(ids) // BATCH)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, steps - steps // 10, warmup_target=peak, warmup_steps=steps // 10
        )
        network.compile(
            keras.optimizers.AdamW(rate, weight_decay=0.01), keras.losses.BinaryCrossentropy(from_logits=True)
        )
        began, processor = time.perf_counter(), time.process_time()
        losses = network.fit(batches(ids, task.y, seed), epochs=epochs, verbose=2, shuffle=False).history["loss"]
        run = {"seed": seed, "epochs": epochs, **clock(began, processor), "losses": [round(loss, 4) for loss in losses]}
        run["validation_accuracy"] = judged(in_parts(network, checked), task.y_validation)

        def logits(sentences, network=network):
            return in_parts(network, to_ids(tokenizer, sentences))[:, 0]

        run |= scores(logits, task) | forgetting(before, minilm, tokenizer, task)
        if name == "lora" and seed == 0:
            kept = {weight.path: ops.convert_to_numpy(weight) for weight in network.trainable_weights}
            np.savez(LORA, **{path.replace("/", "|"): value for path, value in kept.items()})
        print(name, run, flush=True)
        runs.append(run)
    trainable = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    return row(name, network.count_params(), trainable, runs, rank=RANK if name == "lora" else None, peak_rate=peak)


# What is measured


def scores(logits, task):
    """Test accuracy, with the words in order and shuffled, and the verdict on chapter 09c's hard cases."""
    return {
        "accuracy": judged(logits(task.test_sentences), task.y_test),
        "shuffled_accuracy": judged(logits(task.shuffled_sentences), task.y_test),
        "negations": {text: round(float(value), 2) for text, value in zip(NEGATIONS, logits(NEGATIONS), strict=True)},
    }


def forgetting(before, after, tokenizer, task):
    """What training has done to the sentence vectors.

    pairs_found: percent of the pairs whose second sentence is the nearest of all second sentences to the first, and
    the other way round; neighbours_kept: percent of the ten nearest neighbours of 500 test sentences that are the same.
    """
    found, kept = [], []
    for one, other in [(0, 1), (1, 0)]:
        first, second = (in_parts(after, to_ids(tokenizer, [pair[side] for pair in PAIRS])) for side in (one, other))
        found.append(np.mean(np.argmax(first @ second.T, axis=1) == np.arange(len(PAIRS))))
    nearest = []
    for network in (before, after):
        vectors = in_parts(network, to_ids(tokenizer, task.test_sentences[:500]))
        nearest.append(np.argsort(-(vectors @ vectors.T - 2 * np.eye(len(vectors))), axis=1)[:, :10])
    kept = [len(set(a) & set(b)) / 10 for a, b in zip(*nearest, strict=True)]
    same = np.sum(first * second, axis=1)
    others = (np.sum(first @ second.T) - np.sum(same)) / (len(same) * (len(same) - 1))
    return {
        "pairs_found": round(100 * float(np.mean(found)), 1),
        "neighbours_kept": round(100 * float(np.mean(kept)), 1),
        "cosine_of_pairs": round(float(np.mean(same)), 3),
        "cosine_of_others": round(float(others), 3),
    }


def curves(task):
    """Test accuracy by number of labelled sentences: {name: {size: list of accuracies, one a draw}}."""
    train, validation, test = task.vectors
    result = {"tfidf": {}, "probe": {}, "gru": {}, "transformer": {}}
    for size, draws in zip(SIZES, task.draws, strict=True):
        for name in result:
            result[name][str(size)] = []
        for number, chosen in enumerate(draws):
            few, y = task.sentences[chosen], task.y[chosen]
            result["tfidf"][str(size)].append(
                judged(fit_tfidf(few, y).decision_function(task.test_sentences), task.y_test)
            )
            probe = fit_probe(train[chosen], y, validation, task.y_validation)
            result["probe"][str(size)].append(judged(probe.decision_function(test), task.y_test))
            for name in ["gru", "transformer"] if size < TRAIN else []:
                vectorizer, network, _ = train_from_scratch(name, number, few, y, task)
                logits = network(ops.convert_to_numpy(vectorizer(list(task.test_sentences))))
                result[name][str(size)].append(judged(logits, task.y_test))
        print(size, {name: values[str(size)] for name, values in result.items()}, flush=True)
    return result


def clock(began, processor):
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
    }


def row(name, parameters, trainable, runs, **more):
    return {
        "method": name,
        "label": LABELS[name],
        "parameters": int(parameters),
        "trainable": int(trainable),
        "runs": runs,
        **more,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", help=f"of {', '.join(LABELS)}, curve; all if none is named")
    chosen = parser.parse_args().methods or [*LABELS, "curve"]
    task = Task()
    for name in chosen:
        began = time.perf_counter()
        if name == "curve":
            part = curves(task)
        elif name == "tfidf":
            part = tfidf_rows(task)
        elif name in SCRATCH:
            part = scratch_rows(name, task)
        elif name == "probe":
            part = probe_rows(task)
        else:
            part = tuned_rows(name, task, TUNED_SEEDS)
        print(name, f"{(time.perf_counter() - began) / 60:.1f} minutes", json.dumps(part), flush=True)
        store(name, part)


def store(name, part):
    """Put the part of one method into the report; the others stay."""
    old = json.loads(RESULTS.read_text(encoding="utf8")) if RESULTS.is_file() else {}
    methods, curve = old.get("methods", {}), old.get("curve", {})
    if name == "curve":
        curve = part
    else:
        methods[name] = part
    report.write(
        RESULTS,
        "make long-run RUN=finetuning",
        SEED,
        [path.name for path in (PROBE, LORA) if path.is_file()],
        ("tensorflow", "keras", "numpy", "scikit-learn", "tokenizers"),
        split={"train": TRAIN, "validation": 904, "test": 2_000},
        pairs=PAIRS,
        methods={name: methods[name] for name in LABELS if name in methods},
        curve=curve,
    )


if __name__ == "__main__":
    main()
