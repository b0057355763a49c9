"""Do the conclusions hold? Each claim again, with other seeds and other conditions (`make sceptic CHAPTERS=01`).

papermill runs, in a clean kernel for each repeat, the cells that the claims of a chapter need, with one parameter of
its header's `repeats` changed. What came out goes into coursekit/evidence/NAME.json, which the claims show.
"""

import argparse
import hashlib
import importlib.metadata
import json
import logging
import os
import pathlib
import sys
import tempfile
import unittest.mock

import nbformat
import papermill
import tqdm

from authoring import chapter as chapters
from authoring import experiments, notebooks, reach
from coursekit import claims as shown
from coursekit import places, runtime

PARTIAL = places.ROOT / "build" / "sceptic"  # the repeats of an evidence that is not finished
PACKAGES = ("tensorflow", "keras", "numpy")
KIT = ("claims", "data", "parsers", "runtime", "subsets", "training")  # modules of coursekit that can move a number
LEAST = 6  # repeats without which a claim does not count
ENOUGH = 3600  # seconds that one cell may take


def cells(chapter, changes=None):
    """The cells that the claims of `chapter` need, without guards, and the claims.

    changes: of a repeat; then only the claims that these parameters reach.
    """
    kept = [cell for cell in notebooks.solution(chapter).cells if "guard" not in chapters.tags(cell)]
    claimed = experiments.claims(kept)
    wanted = {claim.index for claim in claimed}
    if changes:
        wanted &= _reached(kept, changes)
    begin = [i for i, cell in enumerate(kept) if {"parameters", "setup"} & chapters.tags(cell)]
    wanted |= {i for i in begin if not kept[i].source.startswith("ck.progress")}
    return [kept[index] for index in sorted(reach.needed(kept, wanted))], claimed


def _reached(kept, changes):
    """Indices of the cells that the parameters in `changes` reach."""
    place = next(index for index, cell in enumerate(kept) if "parameters" in chapters.tags(cell))
    alone = nbformat.v4.new_code_cell("\n".join(f"{name} = None" for name in changes))
    return reach.reached([*kept[:place], alone, *kept[place + 1 :]], {place})


def key(chapter):
    """A hash of what the claims of `chapter` depend on; a reworded text, hint or verdict is not among it."""
    needed, _ = cells(chapter)
    code = "".join(cell.source for cell in needed)
    parts = [cell.source for cell in needed] + [json.dumps(chapter.header.repeats, sort_keys=True)]
    parts += [(places.ROOT / "coursekit" / f"{name}.py").read_text(encoding="utf8") for name in KIT]
    parts += [(places.DATASETS / name / "card.toml").read_text(encoding="utf8") for name in chapter.header.data]
    parts += [path.read_text(encoding="utf8") for path in notebooks.reports(code)]
    parts += [f"{name} {version}" for name, version in versions().items()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def versions():
    """{package: version} of what computes."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def repeats(chapter):
    """The changes of all repeats, the unchanged run first."""
    return [{}, *({name: value} for name, values in chapter.header.repeats.items() for value in values)]


def repeat(chapter, changes):
    """Run the claims of `chapter` with changed parameters. Returns {"claims": […]} or {"stopped": sentence}."""
    notebook = nbformat.v4.new_notebook(cells=cells(chapter, changes)[0], metadata=notebooks.METADATA)
    with tempfile.TemporaryDirectory() as folder:
        source, record = pathlib.Path(folder, "repeat.ipynb"), pathlib.Path(folder, "claims.jsonl")
        nbformat.write(notebook, source)
        record.touch()
        environment = {"COURSE_DEVICE": "cpu", "PYTHONPATH": str(places.ROOT), shown.RECORD: str(record)}
        try:
            # The kernel inherits both; what it logs there would tear the progress bar.
            with unittest.mock.patch.dict(os.environ, environment), runtime.silent_log():
                papermill.execute_notebook(
                    source,
                    None,
                    parameters=changes,
                    kernel_name="python3",
                    cwd=places.SOLUTIONS,
                    progress_bar=False,
                    execution_timeout=ENOUGH,
                )
        except papermill.PapermillExecutionError as error:
            first = error.source.strip().splitlines()[0]
            return {"stopped": f"{error.ename}: {error.evalue} in the cell that begins with `{first}`"}
        return {"claims": [json.loads(line) for line in record.read_text(encoding="utf8").splitlines()]}


def run(chapter, show=print):
    """Run the repeats of `chapter` that are not known yet, and write its evidence. Returns what is wrong with it."""
    found = key(chapter)
    partial = PARTIAL / f"{chapter.name}-{found}.json"
    known = json.loads(partial.read_text(encoding="utf8")) if partial.exists() else []
    plan = repeats(chapter)
    for changes in tqdm.tqdm(plan[len(known) :], initial=len(known), total=len(plan), desc=chapter.name):
        known.append({"changed": changes} | repeat(chapter, changes))
        partial.parent.mkdir(parents=True, exist_ok=True)
        places.write_atomically(partial, json.dumps(known, ensure_ascii=False).encode())
        for line in told(known[-1]):
            show(line)
    evidence = gathered(chapter, known) | {"key": found}
    text = json.dumps(evidence, indent=1, ensure_ascii=False) + "\n"
    path = notebooks.evidence(chapter.name)
    path.parent.mkdir(exist_ok=True)
    places.write_atomically(path, text.encode("utf8"))
    return problems(evidence)


def told(outcome):
    """Lines that say how one repeat went."""
    changed = shown.changes(outcome) or "as the chapter has it"
    if "stopped" in outcome:
        return [f"{changed}: stopped. {outcome['stopped']}"]
    marks = "".join("✓" if claim["held"] else "✗" for claim in outcome["claims"])
    fallen = [f"   fell: {claim['sentence']}: {claim['measured']}" for claim in outcome["claims"] if not claim["held"]]
    return [f"{changed}: {marks}", *fallen]


def gathered(chapter, known):
    """The evidence of a chapter. A repeat that moves no number of a claim is not counted for it."""
    stopped = [{"changed": outcome["changed"], "why": outcome["stopped"]} for outcome in known if "stopped" in outcome]
    if "stopped" in known[0]:
        raise chapters.SourceError(f"{chapter.path.name}: the chapter's own run stopped: {known[0]['stopped']}")
    claimed = {}
    for here in known[0]["claims"]:
        others = []
        for outcome in known[1:]:
            there = next((c for c in outcome.get("claims", ()) if c["sentence"] == here["sentence"]), None)
            if there and not set(outcome["changed"]) & set(here["fixed"]) and there["measured"] != here["measured"]:
                others.append(
                    {"changed": outcome["changed"], "held": there["held"], "measured": rounded(there["measured"])}
                )
        claimed[here["sentence"]] = {
            "held": here["held"],
            "measured": rounded(here["measured"]),
            "fixed": here["fixed"],
            "repeats": others,
        }
    return {"device": "cpu", "versions": versions(), "claims": claimed, "stopped": stopped}


def rounded(measured):
    """Measured numbers with five digits that count."""
    return {name: float(f"{value:.5g}") for name, value in measured.items()}


def problems(evidence):
    """What is wrong with an evidence, as lines: claims that fell or had too few repeats; repeats that stopped."""
    lines = [f"{shown.changes(missing)} stopped: {missing['why']}" for missing in evidence["stopped"]]
    for sentence, claimed in evidence["claims"].items():
        fallen = [shown.changes(repeat) for repeat in claimed["repeats"] if not repeat["held"]]
        if not claimed["held"]:
            fallen.insert(0, "the chapter's own run")
        if fallen:
            lines.append(f"fell ({'; '.join(fallen)}): {sentence}")
        if len(claimed["repeats"]) < LEAST:
            lines.append(f"tried in only {len(claimed['repeats'])} repeats, {LEAST} are asked for: {sentence}")
    return lines


def stored(name):
    """The evidence of a chapter as it is stored, or None."""
    path = notebooks.evidence(name)
    return json.loads(path.read_text(encoding="utf8")) if path.exists() else None


def with_claims(names):
    """The chapters among `names` that hold claims."""
    read = [chapters.read(name) for name in names]
    return [chapter for chapter in read if experiments.claims(chapter.notebook.cells)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chapters", nargs="*", help="names, or beginnings of names, of chapters; none: all")
    asked = tuple(parser.parse_args().chapters)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    lines = []
    for chapter in with_claims([name for name in chapters.names() if not asked or name.startswith(asked)]):
        if (stored(chapter.name) or {}).get("key") == key(chapter):
            print(f"{chapter.name}: nothing changed since its evidence")
            lines += [f"{chapter.name} · {line}" for line in problems(stored(chapter.name))]
            continue
        try:
            lines += [f"{chapter.name} · {line}" for line in run(chapter, tqdm.tqdm.write)]
        except chapters.SourceError as error:
            sys.exit(f"source/{error}")
    print("\n".join(lines) or "Every claim held in every repeat.")
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()
