"""What a progress file holds: its format, and how one from elsewhere is cleaned."""

import json
import re
import time

STATES = ("not attempted", "not yet", "correct")
VERSION = 1  # of the file that `as_bytes` writes
CHECKED = re.compile(r"[0-9a-f]{12}")  # an answer that was checked, as calling.fingerprint writes it
MOST_CHECKED = 10
GUESS = re.compile(r"[a-z0-9_]{1,40}")


def nothing():
    """What is kept of a learner who has just begun."""
    return {"exercises": {}, "time": {}, "guesses": {}}


def as_bytes(everything):
    """The text of a progress file."""
    text = json.dumps({"version": VERSION} | everything, indent=1, ensure_ascii=False, sort_keys=True)
    return text.encode("utf8", errors="replace")  # half a character, which only a damaged file holds, becomes "?"


def one_line(value, longest):
    """A text as one line of at most `longest` characters; what is no text becomes an empty one."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text[:longest].encode("utf8", errors="replace").decode("utf8")


def parsed(content):
    """The records and times in the bytes of a progress file, cleaned.

    What a record or a time cannot hold is left out; raises ValueError when the file as a whole is not what it must be.
    """
    try:
        everything = json.loads(content.decode("utf8"))
        records, times, guesses = everything["exercises"], everything.get("time", {}), everything.get("guesses", {})
        if not isinstance(records, dict) or not all(isinstance(record, dict) for record in records.values()):
            raise ValueError("not a record of exercises")
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    known, now = {}, int(time.time())
    for topic, spent in times.items() if isinstance(times, dict) else ():
        if isinstance(spent, dict) and all(_is_number(spent.get(key)) for key in ("seconds", "last")):
            last = min(int(spent["last"]), now)  # some clocks are wrong
            known[topic] = {"seconds": int(spent["seconds"]), "last": last}
    return {
        "exercises": {name: _clean(record) for name, record in records.items()},
        "time": known,
        "guesses": _clean_guesses(guesses),
    }


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e10


def _clean(record):
    """Of a record in a file, what a record can hold."""
    kept = {key: int(record[key]) for key in ("tries", "hints") if _is_number(record.get(key))}
    kept |= {"status": record["status"]} if record.get("status") in STATES else {}
    checked = record.get("checked") if isinstance(record.get("checked"), list) else []
    if checked := [mark for mark in checked if isinstance(mark, str) and CHECKED.fullmatch(mark)]:
        kept["checked"] = checked[-MOST_CHECKED:]
    return kept | ({"mistake": one_line(record["mistake"], 400)} if isinstance(record.get("mistake"), str) else {})


def _clean_guesses(guesses):
    """Of the guesses in a file, what a guess can hold: a number, a choice or an order, and whether it was near."""
    kept = {}
    for name, guess in guesses.items() if isinstance(guesses, dict) else ():
        value = guess.get("value") if isinstance(guess, dict) else None
        order = isinstance(value, list) and all(isinstance(item, str) for item in value)
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")
        if GUESS.fullmatch(name) and (order or number or isinstance(value, str)):
            near = {"near": guess["near"]} if isinstance(guess.get("near"), bool) else {}
            cleaned = [one_line(item, 80) for item in value] if order else value if number else one_line(value, 80)
            kept[name] = {"value": cleaned} | near
    return kept
