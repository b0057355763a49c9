"""The long run of chapter 12a: its causal Transformers in several sizes, on several amounts of text.

`make long-run RUN=scaling` trains all of them, one after the other, and writes checkpoints/scaling.json with their
losses; no weights are kept. `python -m checkpoints.scaling --only width-8 --part FILE` trains one and adds its row to
FILE; `--collect FILE` makes the report from such rows.
"""

import argparse
import collections
import json
import pathlib
import time

import coursekit as ck

ck.start()

import keras
import numpy as np

from authoring import chapter, report
from coursekit import places

REPORT = places.CHECKPOINTS / "scaling.json"
CONTEXT, DEPTH, BATCH, STEPS, EVERY, WARM_UP = 32, 2, 64, 2_500, 100, 100
VALIDATION, RARE = 500, 20  # sentences; characters that occur less often are one and the same id, 0
SEED = 0
WIDTHS = (8, 12, 16, 24, 32, 48, 64)  # on all of the text; the last two are held out of the chapter's fit
SHARES = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4)  # of the text, for width 32; all of it is among WIDTHS


def texts():
    """Ids of the training, validation and test text, and the number of different ids."""
    (sentences, _), (test, _) = ck.data.movie_sentences()
    parts = ["\n".join(part).lower() for part in (sentences[:-VALIDATION], sentences[-VALIDATION:], test)]
    frequent = sorted(letter for letter, count in collections.Counter(parts[0]).items() if count >= RARE)
    number = {letter: place for place, letter in enumerate(frequent, start=1)}
    return [np.array([number.get(letter, 0) for letter in part], "int32") for part in parts], len(frequent) + 1


def windows(ids, starts):
    """Rows of CONTEXT + 1 ids from each start: (rows, context) to read, (rows, context) to predict."""
    rows = ids[starts[:, None] + np.arange(CONTEXT + 1)]
    return rows[:, :-1], rows[:, 1:]


def train(train_ids, validation_ids, test_ids, vocabulary, width):
    """Train one model; return the row of the report. The weights with the best validation loss are judged."""
    keras.utils.set_random_seed(SEED)
    random = np.random.default_rng(SEED)
    network = chapter.long_run_code("12a_large_models").gpt(vocabulary, CONTEXT, width, DEPTH, max(1, width // 16))
    peak = rate(width)
    schedule = keras.optimizers.schedules.CosineDecay(0.0, STEPS - WARM_UP, warmup_target=peak, warmup_steps=WARM_UP)
    network.compile(
        keras.optimizers.Adam(schedule, clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=50,
    )
    check, judge = (windows(ids, np.arange(0, len(ids) - CONTEXT - 1, CONTEXT)) for ids in (validation_ids, test_ids))
    best, best_step, weights = np.inf, 0, None
    began, processor = time.perf_counter(), time.process_time()
    for step in range(EVERY, STEPS + 1, EVERY):
        x, y = windows(train_ids, random.integers(0, len(train_ids) - CONTEXT, EVERY * BATCH))
        network.fit(x, y, BATCH, shuffle=False, verbose=0)
        loss = network.evaluate(*check, batch_size=256, verbose=0)
        if loss < best:
            best, best_step, weights = loss, step, network.get_weights()
        elif step - best_step >= 5 * EVERY:  # five checks without a better one
            break
    network.set_weights(weights)
    return {
        "width": width,
        "parameters": network.count_params(),
        "characters": len(train_ids),
        "rate": peak,
        "best_step": best_step,
        "validation_loss": round(best, 4),
        "test_loss": round(network.evaluate(*judge, batch_size=256, verbose=0), 4),
        "seconds": round(time.perf_counter() - began),
        "processor_seconds": round(time.process_time() - processor),
    }


def rate(width):
    """Peak learning rate; from a few tries at widths 8 and 32."""
    return round(min(0.02, 0.2 / width), 5)


def configurations():
    """{name: (width, share of the text)}."""
    sizes = {f"width-{width}": (width, 1.0) for width in WIDTHS}
    return sizes | {f"share-1/{round(1 / share)}": (32, share) for share in SHARES}


def collect(rows):
    """Write the report; the rows may come in any order."""
    order = list(configurations())
    rows = sorted(rows, key=lambda row: order.index(row["name"]))
    parts, vocabulary = texts()
    report.write(
        REPORT,
        "make long-run RUN=scaling",
        SEED,
        context=CONTEXT,
        depth=DEPTH,
        vocabulary=vocabulary,
        batch=BATCH,
        most_steps=STEPS,
        characters=[len(ids) for ids in parts],
        rows=rows,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", default=list(configurations()))
    parser.add_argument("--part", type=pathlib.Path)
    parser.add_argument("--collect", type=pathlib.Path)
    chosen = parser.parse_args()
    if chosen.collect:
        return collect([json.loads(line) for line in chosen.collect.read_text("utf8").splitlines()])
    (train_ids, *others), vocabulary = texts()
    rows = []
    for name in chosen.only:
        width, share = configurations()[name]
        rows.append({"name": name} | train(train_ids[: round(share * len(train_ids))], *others, vocabulary, width))
        print(rows[-1], flush=True)
        if chosen.part:
            with chosen.part.open("a", encoding="utf8") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    if not chosen.part:
        collect(rows)


if __name__ == "__main__":
    main()
