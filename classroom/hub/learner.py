"""What JupyterHub starts for each learner, as that learner: chapters into their own folder, then JupyterLab there.

As in `make lab`, nothing of theirs is overwritten: a chapter that changed lies beside theirs as NAME.new.ipynb.
"""

import os
import pathlib
import sys

from coursekit import places, workspace


def main():
    folder = pathlib.Path(os.environ["JUPYTERHUB_ROOT_DIR"]).expanduser()
    try:
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        os.environ["COURSE_WORKSPACE"] = str(folder.resolve())  # for the kit in the learner's kernels
        places.WORKSPACE = folder.resolve()
        print("\n".join(workspace.lay_out()), flush=True)
    except OSError as error:  # a full disk, say; what is there can still be worked on
        print(f"Problem: the chapters could not be laid into {folder} ({error.strerror}).", flush=True)
    # A new program in this process: what was imported above would only cost memory.
    os.execv(sys.executable, [sys.executable, "-m", "jupyterhub.singleuser", *sys.argv[1:]])


if __name__ == "__main__":
    main()
