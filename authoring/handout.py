"""Pack what a class needs into dist/: chapters, kit and data, without solutions/ and source/ (`make handout`)."""

import subprocess
import sys
import zipfile

from coursekit import places

PARTS = ("benchmarks", "chapters", "checkpoints", "coursekit", "datasets", "serving")
FILES = ("LICENSE", "LICENSE-text.md", "Makefile", "README.md", "pyproject.toml", "requirements.txt")
NAME = "big-models-small-steps"


class NoClone(Exception):
    """The course does not lie in a clone of its repository."""


def files():
    """Paths, relative to the root, of all that goes into the handout: what git tracks of it, and nothing else.

    Raises NoClone where git does not know the course.
    """
    command = ["git", "ls-files", "-z", *PARTS, *FILES]
    try:
        listed = subprocess.run(command, cwd=places.ROOT, check=True, capture_output=True).stdout.decode("utf8")
    except (OSError, subprocess.CalledProcessError):
        listed = ""
    if not listed:
        raise NoClone(
            "a handout holds what git tracks, and nothing of your own; git does not know this folder. "
            "Clone the course, and make the handout there."
        )
    return sorted(name for name in listed.split("\0") if name)


def pack(target):
    """Write the zip `target`; the same files give the same bytes."""
    names = files()
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            info = zipfile.ZipInfo(f"{NAME}/{name}", date_time=(2020, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, (places.ROOT / name).read_bytes())
    return target


def main():
    try:
        target = pack(places.ROOT / "dist" / f"{NAME}.zip")
    except NoClone as problem:
        sys.exit(f"Problem: {problem}")
    print(f"dist/{target.name}: {target.stat().st_size / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
