"""Accounts on this machine for a class: `sudo .venv/bin/python -m classroom.hub.accounts students.txt`.

The list has one name a line, with the word `teacher` behind the names of teachers. Prints the passwords of new
accounts; who has an account already keeps it as it is and is only put into the group.
"""

import argparse
import pathlib
import pwd
import re
import secrets
import subprocess
import sys

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
LINE = re.compile(r"([a-z][a-z0-9_-]{0,31})(?:\s+(teacher))?")


def read(text):
    """The list as {name: group}. Raises ValueError with one sentence."""
    people = {}
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        if not (found := LINE.fullmatch(line)):
            raise ValueError(f"line {number} is {line!r}; a name has lower-case letters, digits, - and _ only.")
        if found[1] in people:
            raise ValueError(f"line {number}: {found[1]} is there twice.")
        people[found[1]] = "teachers" if found[2] else "learners"
    if not people:
        raise ValueError("the list is empty.")
    return people


def make(people):
    """Make groups and missing accounts. Yields (name, password), with None for accounts that were there."""
    there = {account.pw_name: account.pw_uid for account in pwd.getpwall()}
    for name in people:
        if there.get(name, 1000) < 1000:
            raise ValueError(f"{name} is an account of the system itself.")
    for group in ("learners", "teachers"):
        subprocess.run(["groupadd", "--force", group], check=True)
    for name, group in people.items():
        password = None
        if name in there:
            subprocess.run(["usermod", "--append", "--groups", group, name], check=True)
        else:
            password = "".join(secrets.choice(LETTERS) for _ in range(12))
            options = ["--create-home", "--key", "HOME_MODE=0700", "--shell", "/bin/bash", "--groups", group]
            subprocess.run(["useradd", *options, name], check=True)
            subprocess.run(["chpasswd"], input=f"{name}:{password}\n", text=True, check=True)
        yield name, password


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", type=pathlib.Path)
    path = parser.parse_args().list
    try:
        for name, password in make(read(path.read_text(encoding="utf8"))):
            print(f"{name}  {password or '(had an account)'}")
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"Problem: {path} cannot be read ({getattr(error, 'strerror', None) or 'it is no text'}).")
    except ValueError as error:
        sys.exit(f"Problem: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"Problem: {error.cmd[0]} failed, see above. Only root can make accounts.")


if __name__ == "__main__":
    main()
