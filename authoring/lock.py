"""Compile requirements.txt (learners) and requirements-dev.txt (maintainers) from pyproject.toml (`make lock`)."""

import subprocess
import sys

from coursekit import places

OPTIONS = ["--universal", "--fork-strategy", "fewest", "--generate-hashes", "--python-version", "3.11", "--quiet"]
HEADER = ["--custom-compile-command", "make lock"]
FILES = {"requirements.txt": [], "requirements-dev.txt": ["--group", "dev", "--constraint", "requirements.txt"]}


def main():
    for name, options in FILES.items():
        command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *OPTIONS, *HEADER, *options]
        subprocess.run([*command, "--upgrade", "--output-file", name], cwd=places.ROOT, check=True)
        print(f"{name} is up to date")


if __name__ == "__main__":
    main()
