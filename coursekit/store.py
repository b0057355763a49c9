"""What a learner has done: a JSON file beside the learner's notebooks, and nowhere else."""

import json
import pathlib
import time

import filelock

from coursekit import places

NAME = "progress.json"


def folder():
    """Return the folder in which progress is kept, or None: in the course's own folders nothing is kept."""
    here = pathlib.Path.cwd()
    if here == places.WORKSPACE or places.WORKSPACE in here.parents:
        return places.WORKSPACE
    return None if places.strict() or here == places.ROOT or places.ROOT in here.parents else here


class Store:
    """Records {name: {"status", "tries", "hints", "mistake"}}; kept on disk where `folder()` allows, else in memory."""

    def __init__(self):
        self.memory = {}

    def read(self):
        """Return all records. A damaged file is set aside under another name, never deleted."""
        if (place := folder()) is None:
            return self.memory
        path = place / NAME
        try:
            records = json.loads(path.read_text(encoding="utf8"))["exercises"]
            if not isinstance(records, dict) or not all(isinstance(record, dict) for record in records.values()):
                raise ValueError("not a record of exercises")
            return records
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise places.CourseError(f"{NAME} cannot be read ({error.strerror}).") from None
        except (ValueError, KeyError, TypeError):
            aside = unused_name(path.with_name("progress.damaged.json"))
            path.rename(aside)
            print(
                f"{NAME} was damaged. It is kept as {aside.name}; your notebooks are untouched; progress starts anew."
            )
            return {}

    def update(self, name, **changes):
        """Change the record `name`, and return it."""
        if (place := folder()) is None:
            record = self.memory.setdefault(name, {})
            record.update(changes)
            return record
        try:
            with filelock.FileLock(place / f".{NAME}.lock", timeout=10):
                records = self.read()
                record = records.setdefault(name, {})
                record.update(changes)
                self._write(place, records)
        except OSError as error:  # filelock's Timeout is one too
            print(f"Progress could not be kept: {NAME} cannot be written ({error.strerror or 'it is locked'}).")
            record = self.memory.setdefault(name, {})
            record.update(changes)
        return record

    def forget(self, name):
        """Remove the record `name`; the file as it was is kept under a name with the date."""
        if (place := folder()) is None:
            self.memory.pop(name, None)
            return None
        with filelock.FileLock(place / f".{NAME}.lock", timeout=10):
            records = self.read()
            kept = unused_name(place / f"progress.{time.strftime('%Y-%m-%d')}.json")
            self._write(place, records, kept.name)
            records.pop(name, None)
            self._write(place, records)
        return kept

    @staticmethod
    def _write(place, records, name=NAME):
        text = json.dumps({"exercises": records}, indent=1, ensure_ascii=False, sort_keys=True)
        places.write_atomically(place / name, text.encode("utf8"))


def unused_name(path):
    """Return `path`, or `name.2.ext`, `name.3.ext` … when it is taken."""
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_name(f"{path.stem}.{number}{path.suffix}")
        number += 1
    return candidate


STORE = Store()
