"""Compile the locks of learners, maintainers and the image of a class from pyproject.toml (`make lock`)."""

import subprocess
import sys

from coursekit import places

OPTIONS = ["--universal", "--fork-strategy", "fewest", "--generate-hashes", "--python-version", "3.11", "--quiet"]
HEADER = ["--custom-compile-command", "make lock"]
IMAGE = "classroom/hub/requirements-image"
FILES = {
    "requirements.txt": [],
    "requirements-dev.txt": ["--group", "dev", "--constraint", "requirements.txt"],
    f"{IMAGE}.txt": [f"{IMAGE}.in", "--constraint", "requirements.txt"],
}


def main():
    for name, options in FILES.items():
        command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *OPTIONS, *HEADER, *options]
        subprocess.run([*command, "--upgrade", "--output-file", name], cwd=places.ROOT, check=True)
        print(f"{name} is up to date")


if __name__ == "__main__":
    main()
