"""The long run of chapter 11c: its small GPT, 16 passes over the text, beside counts of n-grams.

`make long-run RUN=gpt` trains it with three seeds, which also draw which sentences are for training, validation and
test, and writes gpt.json: bits after every pass over the text, samples of what it writes, and how it does on the test
text, which is judged once; and the bits of the counts on the same characters. The network of the first seed is kept.
Plain Keras, as in the chapter.
"""

import time

import coursekit as ck

ck.start()

import keras
import numpy as np

from authoring import chapter, report
from coursekit import places

SEEDS = (0, 1, 2)
EPOCHS = 16  # passes over the training text
SAMPLED = (0, 1, 2, 4, 8, 16)  # passes after which it writes
BEGINNINGS = ("the film is ", "it 's ", "a ")
SYMBOLS, TEMPERATURE = 90, 0.7  # of each sample
CONTEXTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 48, 64)  # last symbols that the network sees
EVERY = 23  # of the test symbols, for the contexts
RESULTS = places.CHECKPOINTS / "gpt.json"
NETWORK = "gpt.keras"


class Watch(keras.callbacks.Callback):
    """After each pass: bits on the validation text; after some: what the network writes."""

    def __init__(self, code, validation, seed):
        super().__init__()
        self.code, self.validation, self.seed = code, validation, seed
        self.bits, self.samples = [], {}

    def note(self, passes):
        self.bits.append(round(float(self.code.judge(self.model, self.validation)), 4))
        if passes in SAMPLED:
            self.samples[passes] = [
                "".join(self.code.write(self.model, beginning, SYMBOLS, TEMPERATURE, self.seed))
                for beginning in BEGINNINGS
            ]
        print(self.seed, passes, self.bits[-1], self.samples.get(passes), flush=True)

    def on_train_begin(self, logs=None):
        self.note(0)

    def on_epoch_end(self, epoch, logs=None):
        self.note(epoch + 1)


def train(code, seed, weights=None):
    """Train the network, from fresh weights or from `weights`. Returns it and its row: the curves and the samples."""
    train_ids, validation_ids, _ = (code.encode(text) for text in code.texts(seed))
    x, y = code.windows(train_ids, step=code.LENGTH)
    keras.utils.set_random_seed(seed)
    network = code.compiled(steps=EPOCHS * (len(x) // code.BATCH_SIZE))
    if weights is not None:
        network.set_weights(weights)
    watch = Watch(code, validation_ids, seed)
    began = time.perf_counter()
    history = network.fit(x, y, code.BATCH_SIZE, epochs=EPOCHS, verbose=2, callbacks=[watch]).history
    return network, {
        "seed": seed,
        "characters": [len(train_ids), len(validation_ids)],
        "minutes": round((time.perf_counter() - began) / 60, 1),
        "training_bits": [round(value / np.log(2), 4) for value in history["loss"]],
        "validation_bits": watch.bits,
        "samples": watch.samples,
    }


def on_test(code, network, seed):
    """Bits on the test text, with 32 symbols or more before; and with only the last few symbols before."""
    ids = code.encode(code.texts(seed)[2])
    ends = np.arange(code.LENGTH, len(ids), EVERY)
    by_context = {}
    for context in CONTEXTS:
        x = ids[ends[:, None] + np.arange(-context, 0)]  # (symbols, context)
        y = ids[ends[:, None] + np.arange(1 - context, 1)]
        by_context[context] = round(float(code.bits_of(network, x, y)[:, -1].mean()), 4)
    return {"test_bits": round(float(code.judge(network, ids)), 4), "test_bits_by_context": by_context}


def counted(code, seed):
    """What the counts keep and need: how many n-grams, and {recipe: {part: bits for each order}}.

    The bits are those of the characters that judge the network.
    """
    train_text, *others = code.texts(seed)
    entries = sum(len(code.count(train_text, n)) for n in code.ORDERS)
    bits = {recipe: {} for recipe in code.RECIPES}
    for part, text in zip(("validation", "test"), others, strict=True):
        for recipe, values in code.bits_by_order(train_text, text).items():
            bits[recipe][part] = [round(value, 4) for value in values]
    return {"entries": entries, "counts": bits}


def main():
    code = chapter.long_run_code("11c_a_small_gpt")
    rows, minutes, further = [], 0, None
    for seed in SEEDS:
        network, row = train(code, seed)
        rows.append(row | on_test(code, network, seed) | counted(code, seed))
        minutes += row["minutes"]
        if seed == SEEDS[0]:
            bare = code.build_gpt()  # not compiled: the optimizer's state would triple the file
            bare.set_weights(network.get_weights())
            bare.save(places.CHECKPOINTS / NETWORK)
            again, further = train(code, seed, network.get_weights())
            further["test_bits"] = on_test(code, again, seed)["test_bits"]
            minutes += further["minutes"]
        report.write(
            RESULTS,
            "make long-run RUN=gpt",
            list(SEEDS),
            files=[NETWORK],
            minutes=round(minutes),
            epochs=EPOCHS,
            beginnings=list(BEGINNINGS),
            temperature=TEMPERATURE,
            rows=rows,
            further=further,
        )
        print(seed, rows[-1], flush=True)


if __name__ == "__main__":
    main()
