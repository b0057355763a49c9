"""What a learner has done: a JSON file beside the learner's notebooks, and nowhere else."""

import contextlib
import json
import pathlib
import re
import time

import filelock

from coursekit import places
from coursekit.records import MOST_CHECKED, STATES, VERSION, as_bytes, nothing, one_line, parsed

NAME = "progress.json"
PAUSE = 15 * 60  # seconds; a longer gap between two events counts as a break
LARGEST = 1_000_000  # bytes of a progress file; the whole course solved takes less than a tenth
EXERCISE = re.compile(r"[a-z0-9_]{1,40}\.[a-z0-9_]{1,40}")


def folder():
    """Return the folder in which progress is kept, or None.

    It is workspace/ for every notebook of the course, wherever its kernel began, but those in chapters/ and solutions/,
    which are nobody's own. A copy elsewhere has its progress beside it.
    """
    here = places.notebook_folder()
    if here.is_relative_to(places.WORKSPACE):
        return places.WORKSPACE
    if places.strict() or here.is_relative_to(places.CHAPTERS) or here.is_relative_to(places.SOLUTIONS):
        return None
    if here.is_relative_to(places.ROOT):
        return places.WORKSPACE if places.WORKSPACE.is_dir() else None
    return here


class Store:
    """Records {name: {"status", "tries", "hints", "mistake", "checked"}}, on disk where `folder()` allows.

    "checked" holds short hashes of the last answers, so that the same answer counts as one try.

    Beside them the file keeps, for each topic, {"seconds", "last"}: the sum of the gaps before its events (breaks left
    out), and when its last event was (seconds since 1970); and for each guess {"value", "near"}.
    """

    def __init__(self):
        self.memory = nothing()

    def read(self):
        """Return all records. A damaged file is set aside under another name, never deleted."""
        return self.read_all()["exercises"]

    def read_all(self):
        """Return {"exercises": all records, "time": time by topic, "guesses": all guesses}."""
        if (place := folder()) is None:
            return self.memory
        path = place / NAME
        try:
            return parsed(path.read_bytes())
        except FileNotFoundError:
            return nothing()
        except OSError as error:
            raise places.CourseError(f"{NAME} cannot be read ({error.strerror}).") from None
        except ValueError:
            aside = unused_name(path.with_name("progress.damaged.json"))
            path.rename(aside)
            print(
                f"{NAME} was damaged. It is kept as {aside.name}; your notebooks are untouched; progress starts anew."
            )
            return nothing()

    def update(self, name, **changes):
        """Change the record of the exercise or question `name`, and return it."""
        return self._change("exercises", name, changes)

    def keep_verdict(self, name, verdict, mark):
        """Keep a verdict: the same answer (`mark`) is one try, and what was solved stays solved."""
        record = self.read().get(name, {})
        if not verdict.counts:
            if not record:
                self.update(name, status="not attempted")
            return
        solved, checked = record.get("status") == "correct", record.get("checked", [])
        changes = {"status": "correct" if solved else verdict.status, "mistake": "" if solved else verdict.mistake}
        if mark not in checked:
            changes |= {"tries": record.get("tries", 0) + 1, "checked": [*checked, mark][-MOST_CHECKED:]}
        self.update(name, **changes)

    def keep_guess(self, name, **changes):
        """Change the record of the guess `name`, and return it."""
        return self._change("guesses", name, changes)

    def _change(self, kind, name, changes):
        if (place := folder()) is None:
            return self._in_memory(kind, name, changes)
        try:
            with filelock.FileLock(place / f".{NAME}.lock", timeout=10):
                everything = self.read_all()
                record = everything[kind].setdefault(name, {})
                record.update(changes)
                if kind == "exercises":
                    _count_time(everything["time"], name.partition(".")[0])
                self._write(place, everything)
        except OSError as error:  # filelock's Timeout is one too
            print(f"Progress could not be kept: {NAME} cannot be written ({error.strerror or 'it is locked'}).")
            return self._in_memory(kind, name, changes)
        return record

    def forget(self, name):
        """Remove the record `name`; the file as it was is kept under a name with the date."""
        if (place := folder()) is None:
            self.memory["exercises"].pop(name, None)
            return None
        with _locked(place):
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
        with _locked(place):
            everything = self.read_all()
            kept = self._keep(place, everything)
            for name, record in other["exercises"].items():
                everything["exercises"][name] = _united(everything["exercises"].get(name, {}), record)
            for topic, spent in other["time"].items():
                mine = everything["time"].get(topic, {"seconds": 0, "last": 0})
                everything["time"][topic] = {key: max(mine[key], spent[key]) for key in ("seconds", "last")}
            everything["guesses"] = other["guesses"] | everything["guesses"]
            self._write(place, everything)
        return kept

    def _in_memory(self, kind, name, changes):
        record = self.memory[kind].setdefault(name, {})
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
    """What a progress file from elsewhere holds: the learner's name, exercises, time by topic, guesses.

    path: a progress.json, or a file that `ck.export_progress` wrote. Raises CourseError with one sentence.
    """
    path = pathlib.Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise places.CourseError(f"{path.name} is too large for a progress file.")
        content = path.read_bytes()
        everything, told = parsed(content), json.loads(content)
    except OSError as error:
        raise places.CourseError(f"{path.name} cannot be read ({error.strerror}).") from None
    except ValueError:
        raise places.CourseError(f"{path.name} is not a progress file, or it is damaged.") from None
    if told.get("version", VERSION) != VERSION:
        raise places.CourseError(
            f"{path.name} comes from another version of the course. Update yours, or export again."
        )
    known = {name: record for name, record in everything["exercises"].items() if EXERCISE.fullmatch(name)}
    return everything | {"learner": one_line(told.get("learner"), 80), "exercises": known}


def unused_name(path):
    """Return `path`, or `name.2.ext`, `name.3.ext` … when it is taken."""
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_name(f"{path.stem}.{number}{path.suffix}")
        number += 1
    return candidate


@contextlib.contextmanager
def _locked(place):
    """Keep others from the progress file in `place` while it is read and written; raises CourseError if that fails."""
    try:
        with filelock.FileLock(place / f".{NAME}.lock", timeout=10):
            yield
    except OSError as error:  # filelock's Timeout is one too
        why = error.strerror or "it is locked"
        raise places.CourseError(f"{NAME} cannot be written ({why}). Nothing was changed.") from None


def _count_time(times, topic):
    """Add the time since the last event, which may be another topic's: with two in turn no time counts twice."""
    now = int(time.time())
    gap = now - max((spent["last"] for spent in times.values()), default=now)
    spent = times.setdefault(topic, {"seconds": 0, "last": now})
    spent["seconds"] += gap if gap <= PAUSE else 0
    spent["last"] = now


def _united(mine, other):
    """One record of two: what is further on counts, and nothing is counted twice."""

    def rank(record):
        return STATES.index(record["status"]) if "status" in record else -1

    first, second = (mine, other) if rank(mine) >= rank(other) else (other, mine)
    most = {key: max(part.get(key, 0) for part in (mine, other)) for key in ("tries", "hints") if key in mine | other}
    return {**second, **first, **most}


STORE = Store()
