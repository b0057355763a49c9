"""Pack what a class needs into dist/: chapters, kit and data, without solutions/ and source/ (`make handout`)."""

import subprocess
import zipfile

from coursekit import places

PARTS = ("benchmarks", "chapters", "checkpoints", "coursekit", "datasets", "serving")
FILES = ("LICENSE", "LICENSE-text.md", "Makefile", "README.md", "pyproject.toml", "requirements.txt")
NAME = "big-models-small-steps"


def files():
    """Paths, relative to the root, of all that goes into the handout: what git tracks of it, and nothing else."""
    command = ["git", "ls-files", "-z", *PARTS, *FILES]
    listed = subprocess.run(command, cwd=places.ROOT, check=True, capture_output=True).stdout.decode("utf8")
    return sorted(name for name in listed.split("\0") if name)


def pack(target):
    """Write the zip `target`; the same files give the same bytes."""
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in files():
            info = zipfile.ZipInfo(f"{NAME}/{name}", date_time=(2020, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, (places.ROOT / name).read_bytes())
    return target


def main():
    target = pack(places.ROOT / "dist" / f"{NAME}.zip")
    print(f"dist/{target.name}: {target.stat().st_size / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
