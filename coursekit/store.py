"""What a learner has done: a JSON file beside the learner's notebooks, and nowhere else."""

import json
import pathlib
import re
import time

import filelock

from coursekit import places

NAME = "progress.json"
STATES = ("not attempted", "not yet", "correct")
PAUSE = 15 * 60  # seconds; a longer gap between two events of a topic counts as a break
LARGEST = 10_000_000  # bytes of a progress file
EXERCISE = re.compile(r"[a-z0-9_]{1,40}\.[a-z0-9_]{1,40}")


def folder():
    """Return the folder in which progress is kept, or None: in the course's own folders nothing is kept."""
    here = pathlib.Path.cwd()
    if here == places.WORKSPACE or places.WORKSPACE in here.parents:
        return places.WORKSPACE
    return None if places.strict() or here == places.ROOT or places.ROOT in here.parents else here


class Store:
    """Records {name: {"status", "tries", "hints", "mistake"}}; kept on disk where `folder()` allows, else in memory.

    Beside them the file keeps, for each topic, {"seconds", "last"}: the sum of the gaps between its events, breaks left
    out, and when the last event was (seconds since 1970).
    """

    def __init__(self):
        self.memory = {"exercises": {}, "time": {}}

    def read(self):
        """Return all records. A damaged file is set aside under another name, never deleted."""
        return self.read_all()["exercises"]

    def read_all(self):
        """Return {"exercises": all records, "time": time by topic}."""
        if (place := folder()) is None:
            return self.memory
        path = place / NAME
        try:
            return _parsed(path.read_bytes())
        except FileNotFoundError:
            return {"exercises": {}, "time": {}}
        except OSError as error:
            raise places.CourseError(f"{NAME} cannot be read ({error.strerror}).") from None
        except ValueError:
            aside = unused_name(path.with_name("progress.damaged.json"))
            path.rename(aside)
            print(
                f"{NAME} was damaged. It is kept as {aside.name}; your notebooks are untouched; progress starts anew."
            )
            return {"exercises": {}, "time": {}}

    def update(self, name, **changes):
        """Change the record `name`, and return it."""
        if (place := folder()) is None:
            return self._in_memory(name, changes)
        try:
            with filelock.FileLock(place / f".{NAME}.lock", timeout=10):
                everything = self.read_all()
                record = everything["exercises"].setdefault(name, {})
                record.update(changes)
                _count_time(everything["time"], name.partition(".")[0])
                self._write(place, everything)
        except OSError as error:  # filelock's Timeout is one too
            print(f"Progress could not be kept: {NAME} cannot be written ({error.strerror or 'it is locked'}).")
            return self._in_memory(name, changes)
        return record

    def forget(self, name):
        """Remove the record `name`; the file as it was is kept under a name with the date."""
        if (place := folder()) is None:
            self.memory["exercises"].pop(name, None)
            return None
        with filelock.FileLock(place / f".{NAME}.lock", timeout=10):
            everything = self.read_all()
            kept = self._keep(place, everything)
            everything["exercises"].pop(name, None)
            self._write(place, everything)
        return kept

    def take_in(self, other):
        """Unite what is kept with `other` (as `read_file` returns it). Returns where the file as it was is kept."""
        place = folder()
        if place is None:
            raise places.CourseError("progress can be taken in only in workspace/ or beside your own notebooks.")
        with filelock.FileLock(place / f".{NAME}.lock", timeout=10):
            everything = self.read_all()
            kept = self._keep(place, everything)
            for name, record in other["exercises"].items():
                if EXERCISE.fullmatch(name):
                    everything["exercises"][name] = _united(everything["exercises"].get(name, {}), _clean(record))
            for topic, spent in other["time"].items():
                mine = everything["time"].get(topic, {"seconds": 0, "last": 0})
                everything["time"][topic] = {key: max(mine[key], spent[key]) for key in ("seconds", "last")}
            self._write(place, everything)
        return kept

    def _in_memory(self, name, changes):
        record = self.memory["exercises"].setdefault(name, {})
        record.update(changes)
        return record

    def _keep(self, place, everything):
        kept = unused_name(place / f"progress.{time.strftime('%Y-%m-%d')}.json")
        self._write(place, everything, kept.name)
        return kept

    @staticmethod
    def _write(place, everything, name=NAME):
        places.write_atomically(place / name, as_bytes(everything))


def read_file(path):
    """What a progress file holds: {"learner": text, "exercises": records, "time": time by topic}.

    path: a progress.json, or a file that `ck.export_progress` wrote. Raises CourseError with one sentence.
    """
    path = pathlib.Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise places.CourseError(f"{path.name} is too large for a progress file.")
        everything = _parsed(path.read_bytes())
        learner = json.loads(path.read_bytes()).get("learner", "")
    except OSError as error:
        raise places.CourseError(f"{path.name} cannot be read ({error.strerror}).") from None
    except ValueError:
        raise places.CourseError(f"{path.name} is not a progress file, or it is damaged.") from None
    return {"learner": learner if isinstance(learner, str) else "", **everything}


def as_bytes(everything):
    """The text of a progress file."""
    return json.dumps(everything, indent=1, ensure_ascii=False, sort_keys=True).encode("utf8")


def unused_name(path):
    """Return `path`, or `name.2.ext`, `name.3.ext` … when it is taken."""
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_name(f"{path.stem}.{number}{path.suffix}")
        number += 1
    return candidate


def _parsed(content):
    """The records and times in the bytes of a progress file; raises ValueError when they are not what they must be."""
    try:
        everything = json.loads(content.decode("utf8"))
        records, times = everything["exercises"], everything.get("time", {})
        if not isinstance(records, dict) or not all(isinstance(record, dict) for record in records.values()):
            raise ValueError("not a record of exercises")
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    known = {}
    for topic, spent in times.items() if isinstance(times, dict) else ():
        if isinstance(spent, dict) and all(_is_number(spent.get(key)) for key in ("seconds", "last")):
            known[topic] = spent
    return {"exercises": records, "time": known}


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e11


def _clean(record):
    """Of a record from elsewhere, what a record can hold."""
    kept = {key: int(record[key]) for key in ("tries", "hints") if _is_number(record.get(key))}
    kept |= {"status": record["status"]} if record.get("status") in STATES else {}
    return kept | ({"mistake": record["mistake"][:400]} if isinstance(record.get("mistake"), str) else {})


def _count_time(times, topic):
    now = int(time.time())
    spent = times.setdefault(topic, {"seconds": 0, "last": now})
    gap = now - spent["last"]
    spent["seconds"] += gap if 0 < gap <= PAUSE else 0
    spent["last"] = now


def _united(mine, other):
    """One record of two: what is further on counts, and nothing is counted twice."""

    def rank(record):
        return STATES.index(record["status"]) if record.get("status") in STATES else -1

    first, second = (mine, other) if rank(mine) >= rank(other) else (other, mine)
    record = {**second, **first}
    for key in ("tries", "hints"):
        numbers = [part[key] for part in (mine, other) if _is_number(part.get(key))]
        record |= {key: max(numbers)} if numbers else {}
    return record


STORE = Store()
