"""The long run of chapter 11b: its Transformer learns nine tenths of CMUdict and is judged on the last tenth.

`make long-run RUN=spelling` writes spelling.weights.h5 and the report spelling.json. No setting was chosen by the test
words; 2,000 of the words to learn from are left out for the validation loss.
"""

import time

import coursekit as ck

ck.start()

import keras
import numpy as np
import tensorflow as tf

from authoring import chapter, report
from coursekit import places

WIDTH, DEPTH, HEADS, DROPOUT = 128, 3, 4, 0.1
BATCH, EPOCHS, WARM_UP, PEAK = 256, 24, 1_000, 2e-3
SEED = 0
BEAMS = (1, 2, 4)
LENGTHS = [(1, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 28)]  # letters, for the error by length
RESULTS = places.CHECKPOINTS / "spelling.json"
WEIGHTS = "spelling.weights.h5"
code = chapter.long_run_code("11b_training_a_transformer")


class Task:
    """The words as ids. train, validation: lists of (letters, said); test: letters, and all listed pronunciations."""

    def __init__(self):
        (words, spoken), (test_words, test_spoken) = ck.data.pronunciations()
        self.alphabet = sorted(set("".join(words)))
        self.phonemes = sorted({phoneme for listed in spoken for one in listed for phoneme in one.split()})
        pairs = [
            [(self.spell(word), [code.START, *self.speak(one), code.END]) for one in listed]
            for word, listed in zip(words, spoken, strict=True)
        ]
        self.train = [pair for of_word in pairs[:-2_000] for pair in of_word]
        self.validation = [of_word[0] for of_word in pairs[-2_000:]]
        self.test_letters = [self.spell(word) for word in test_words]
        self.test_listed = [[self.speak(one) for one in listed] for listed in test_spoken]

    def spell(self, word):
        return [self.alphabet.index(letter) + 1 for letter in word]

    def speak(self, pronunciation):
        return [self.phonemes.index(phoneme) + 3 for phoneme in pronunciation.split()]

    def build(self):
        return code.transformer(len(self.alphabet) + 1, len(self.phonemes) + 3, WIDTH, DEPTH, HEADS, DROPOUT)


def batches(read, said):
    """Batches ((letters, phonemes so far), next phonemes) of words of about the same length, in a new order each epoch.

    read, said: (pairs, longest), filled with 0. Words of one batch have the same number of letters, or nearly: less
    padding is computed, which halves the time of an epoch.
    """
    bounds = [6, 7, 8, 9, 10, 12, 14]  # letters

    def trimmed(table):
        return table[:, : tf.reduce_max(tf.math.count_nonzero(table, axis=1))]

    def length(read, said):
        return tf.math.count_nonzero(read, dtype=tf.int32)

    pairs = tf.data.Dataset.from_tensor_slices((read, said)).shuffle(len(read), seed=SEED)
    pairs = pairs.bucket_by_sequence_length(length, bounds, [BATCH] * (len(bounds) + 1))
    pairs = pairs.map(lambda read, said: (trimmed(read), trimmed(said)))
    return pairs.map(lambda read, said: ((read, said[:, :-1]), said[:, 1:])).prefetch(4)


def train(task):
    """Train and store the weights. Returns what it took."""
    keras.utils.set_random_seed(SEED)
    _, _, network = task.build()
    steps = EPOCHS * (len(task.train) // BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(0.0, steps - WARM_UP, warmup_target=PEAK, warmup_steps=WARM_UP)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    network.compile(keras.optimizers.AdamW(schedule, weight_decay=0.01), loss)
    read, said = (code.padded(rows) for rows in zip(*task.validation, strict=True))
    began, processor = time.perf_counter(), time.process_time()
    history = network.fit(
        batches(*(code.padded(rows) for rows in zip(*task.train, strict=True))),
        epochs=EPOCHS,
        validation_data=((read, said[:, :-1]), said[:, 1:]),
        verbose=2,
    ).history
    _, _, bare = task.build()  # not compiled: the optimizer's state would triple the file
    bare.set_weights(network.get_weights())
    bare.save_weights(places.CHECKPOINTS / WEIGHTS)
    return {
        "minutes": round((time.perf_counter() - began) / 60, 1),
        "processor_minutes": round((time.process_time() - processor) / 60, 1),
        "loss": [round(value, 4) for value in history["loss"]],
        "validation_loss": [round(value, 4) for value in history["val_loss"]],
    }


def judge(task):
    """Load the stored weights and speak all test words. Returns the error rates (percent) by beam width and length."""
    encoder, decoder, network = task.build()
    network.load_weights(places.CHECKPOINTS / WEIGHTS)
    lengths = np.array([len(letters) for letters in task.test_letters])
    order = np.argsort(lengths, kind="stable")
    rows, first_200 = [], None
    for width in BEAMS:
        answers = [None] * len(order)
        for start in range(0, len(order), 500):
            chosen = order[start : start + 500]
            letters = code.padded([task.test_letters[number] for number in chosen])
            for number, answer in zip(chosen, code.beam_search(encoder, decoder, letters, width), strict=True):
                answers[number] = answer
        edits, wrong = code.errors(answers, task.test_listed)
        first_200 = int(wrong[:200].sum()) if width == 1 else first_200
        phonemes = sum(len(listed[0]) for listed in task.test_listed)
        row = {"beam": width, "word_error": rate(np.mean(wrong)), "phoneme_error": rate(np.sum(edits) / phonemes)}
        rows.append(row | {"one_phoneme_off": rate(np.sum(edits == 1) / np.sum(wrong))})
        print(rows[-1], flush=True)
    groups = {f"{low} to {high}": (lengths >= low) & (lengths <= high) for low, high in LENGTHS}
    by_length = {
        name: {"words": int(mask.sum()), "word_error": rate(wrong[mask].mean())} for name, mask in groups.items()
    }
    return {
        "parameters": network.count_params(),
        "test_words": len(order),
        "rows": rows,
        "wrong_of_first_200": first_200,  # greedy; chapter 11b repeats them
        "by_length": by_length,
    }


def rate(share):
    return round(100 * float(share), 2)


def main():
    task = Task()
    took = train(task)
    report.write(RESULTS, "make long-run RUN=spelling", SEED, [WEIGHTS], epochs=EPOCHS, **took, **judge(task))


if __name__ == "__main__":
    main()
