"""A long run of chapter 11b: a small Transformer for spelling, and what is left when one part is taken out.

`make long-run RUN=ablations` writes ablations.json. Each variant is trained on the same words, for the same steps and
with the same rates; nothing is tuned for a variant. The whole network is trained with three seeds, which shows how far
two runs of one network differ; each variant with one. So a variant can be told from the whole only where it differs by
far more than the seeds do, and by more than the 1.6 points of standard error that 1,000 words leave.
"""

import functools
import types

import coursekit as ck

ck.start()

import keras
import numpy as np
from keras import layers

from authoring import chapter, report
from coursekit import places

WIDTH, DEPTH, HEADS = 64, 2, 4
WORDS, JUDGES, LONGEST_WORD = 12_000, 1_000, 7
BATCH, EPOCHS, PEAK, WARM_UP = 125, 5, 4e-3, 60
SEEDS = (0, 1, 2)  # for the whole network; a variant has the first one
RESULTS = places.CHECKPOINTS / "ablations.json"


def whole():
    """The chapter's code, afresh, so that a variant spoils only its own copy."""
    return chapter.long_run_code("11b_training_a_transformer")


def without_positions():
    code = whole()
    code.embed = lambda ids, size, width, dropout: layers.Embedding(size, width)(ids)
    return code


def without_causal_mask():
    code = whole()
    attend = code.attend
    code.attend = lambda x, source, heads, dropout, use_causal_mask=False, **mask: attend(
        x, source, heads, dropout, **mask
    )
    return code


def without_residual():
    code = whole()
    attend, feed_forward = code.attend, code.feed_forward
    code.attend = lambda x, *given, **mask: attend(x, *given, **mask) - x
    code.feed_forward = lambda x, dropout: feed_forward(x, dropout) - x
    return code


def without_normalisation():
    code = whole()
    code.layers = types.SimpleNamespace(**vars(layers) | {"LayerNormalization": lambda: lambda x: x})
    return code


def one_head():
    code = whole()
    attend = code.attend
    code.attend = lambda x, source, heads, dropout, **mask: attend(x, source, 1, dropout, **mask)
    return code


def post_norm():
    """x ← LayerNorm(x + work(x)), as in Vaswani et al. (2017)."""
    code = whole()
    bare = without_normalisation()
    code.attend = lambda x, *given, **mask: layers.LayerNormalization()(bare.attend(x, *given, **mask))
    code.feed_forward = lambda x, dropout: layers.LayerNormalization()(bare.feed_forward(x, dropout))
    return code


VARIANTS = {
    "whole": (whole, WARM_UP),
    "no warm-up": (whole, 0),
    "post-norm": (post_norm, WARM_UP),
    "post-norm, no warm-up": (post_norm, 0),
    "one head": (one_head, WARM_UP),
    "no positions": (without_positions, WARM_UP),
    "no normalisation": (without_normalisation, WARM_UP),
    "no residual": (without_residual, WARM_UP),
    "no causal mask": (without_causal_mask, WARM_UP),
}


@functools.cache
def task():
    """Letters and said as arrays of ids, then letters of the judging words and all their pronunciations."""
    code = whole()
    (words, spoken), _ = ck.data.pronunciations()
    alphabet = sorted(set("".join(words)))
    phonemes = sorted({phoneme for listed in spoken for one in listed for phoneme in one.split()})
    short = [number for number, word in enumerate(words) if len(word) <= LONGEST_WORD]
    learn, judge = short[:WORDS], short[WORDS : WORDS + JUDGES]

    def spell(numbers):
        return code.padded([[alphabet.index(letter) + 1 for letter in words[number]] for number in numbers])

    def speak(pronunciation):
        return [phonemes.index(phoneme) + 3 for phoneme in pronunciation.split()]

    said = code.padded([[code.START, *speak(spoken[number][0]), code.END] for number in learn])
    sizes = len(alphabet) + 1, len(phonemes) + 3
    return sizes, spell(learn), said, spell(judge), [[speak(one) for one in spoken[number]] for number in judge]


def measure(name, seed):
    """Train and judge one variant. Returns its row."""
    make, warm_up = VARIANTS[name]
    sizes, letters, said, judge_letters, listed = task()
    code = make()
    keras.utils.set_random_seed(seed)
    encoder, decoder, network = code.transformer(*sizes, WIDTH, DEPTH, HEADS, 0.0)
    steps = EPOCHS * len(letters) // BATCH
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warm_up else PEAK, steps - warm_up, warmup_target=PEAK if warm_up else None, warmup_steps=warm_up
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    network.compile(keras.optimizers.AdamW(schedule, weight_decay=0.01), loss, steps_per_execution=WORDS // BATCH)
    history = network.fit([letters, said[:, :-1]], said[:, 1:], BATCH, EPOCHS, verbose=0).history
    edits, wrong = code.errors(code.beam_search(encoder, decoder, judge_letters, 1), listed)
    return {
        "name": name,
        "seed": seed,
        "parameters": network.count_params(),
        "loss": [round(value, 3) for value in history["loss"]],
        "word_error": round(100 * float(np.mean(wrong)), 1),
        "phoneme_error": round(100 * float(edits.sum() / sum(len(one[0]) for one in listed)), 1),
    }


def runs():
    """(name, seed) of all runs, in order."""
    return [(name, seed) for name in VARIANTS for seed in (SEEDS if name == "whole" else SEEDS[:1])]


def main():
    rows = []
    for name, seed in runs():
        rows.append(measure(name, seed))
        print(rows[-1], flush=True)
    settings = {"words": WORDS, "judged_words": JUDGES, "longest_word": LONGEST_WORD, "epochs": EPOCHS, "peak": PEAK}
    report.write(RESULTS, "make long-run RUN=ablations", list(SEEDS), **settings, rows=rows)


if __name__ == "__main__":
    main()
