"""The real JupyterHub with learners in headless Chromium: each works in their own chapters and reaches nobody else's.

As root, hubs run in mount and process namespaces of their own, with accounts that exist only there; as anyone else,
only the trial is tested. Screenshots of a failure lie in build/screenshots/.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest

from classroom.hub import accounts, measure
from coursekit import places
from tests import test_browser
from tests.test_serving import free_port

pytestmark = pytest.mark.classroom
browser = test_browser.browser  # the fixture
HUB = places.ROOT / "classroom" / "hub"
MEMORY = json.loads((HUB / "memory.json").read_text(encoding="utf8"))
CHAPTER = "00_start_here"
FOLDER = "big-models-small-steps"
PEOPLE = "ada\nben  # sits beside ada\nkim teacher\n"
HOMES = pathlib.Path("/mnt")  # in the namespaces: the folder of all homes
# JupyterLab draws only the cells in view; let it draw all of them, so that every output can be read.
SETTINGS = ".jupyter/lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
# Homes, accounts and the hub's state, which vanish with the namespaces.
PRIVATE = """
set -e
mount -t tmpfs -o mode=755 none {homes}
mkdir {homes}/etc {homes}/state
cp -a /etc/. {homes}/etc/ && mount --bind {homes}/etc /etc
mount --bind {homes}/state /var/lib
{open}
"""
CLASS = """
useradd -D --base-dir {homes} >/dev/null
mkdir -p /etc/skel/$(dirname {settings}) && echo '{{"windowingMode": "none"}}' >/etc/skel/{settings}
useradd --create-home --shell /bin/bash carl && echo carl:a-stranger | chpasswd
{hub} >{log}/refused 2>&1 || true
{python} -m classroom.hub.accounts {log}/students.txt >{log}/passwords
{python} -m classroom.hub.accounts {log}/students.txt >{log}/again
{hub} >{log}/hub.log 2>&1 &
wait $! || true
{python} -c {left} >{log}/left
"""
TRIAL = "{hub} >{log}/hub.log 2>&1"
# What still runs twenty seconds after the hub has ended, but for the shell that started it.
LEFT = """
import psutil, time
for _ in range(100):
    others = [one for one in psutil.process_iter() if one.pid not in (1, psutil.Process().pid)]
    left = [one.cmdline() for one in others if one.status() != psutil.STATUS_ZOMBIE]
    if not left:
        break
    time.sleep(0.2)
print(left)
"""
ATTACK = """
import json, os, pathlib, urllib.error, urllib.request
import zmq

told = json.loads(pathlib.Path("told.json").read_text())
found = {}


def attempt(name, action):
    try:
        action()
        found[name] = "done"
    except urllib.error.HTTPError as error:
        found[name] = error.code
    except OSError as error:
        found[name] = type(error).__name__


for name, path in told["read"].items():
    attempt(name, lambda: open(path, "rb").read(1))
for name, path in told["list"].items():
    attempt(name, lambda: os.listdir(path))
for name, path in told["write"].items():
    attempt(name, lambda: open(path, "ab").close())
for name, address in told["ask"].items():
    header = {"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"]}
    attempt(name, lambda: urllib.request.urlopen(urllib.request.Request(address, headers=header), timeout=60))
strangers = [p for p in pathlib.Path("/proc").glob("[0-9]*") if p.stat().st_uid not in (0, os.getuid())]
found["secrets of processes"] = []
for process in strangers:
    attempt("", (process / "environ").read_bytes)
    found["secrets of processes"].append(found.pop(""))
listener = zmq.Context().socket(zmq.SUB)
listener.subscribe(b"")
listener.connect(told["listen"])
print("listening", flush=True)
found["heard"] = bool(listener.poll(20_000))
print(json.dumps(found))
"""


@dataclasses.dataclass
class Hub:
    """A running hub. homes: the folder of all homes, seen from here; passwords: {name: password}."""

    address: str
    process: psutil.Process
    homes: pathlib.Path
    passwords: dict

    def folder(self, name):
        return self.homes / name / FOLDER

    def uid(self, name):
        return (self.homes / name).stat().st_uid

    def processes(self, name):
        """The processes of a learner's account."""
        return [one for one in self.process.children(recursive=True) if self.uid(name) in one.uids()]


def no_namespaces():
    """Why there can be no accounts of our own here, or None."""
    if os.getuid() != 0:
        return "making accounts needs root"
    trial = ["unshare", "--mount", "--pid", "--fork", "true"]
    if not shutil.which("unshare") or subprocess.run(trial, capture_output=True).returncode:
        return "this machine allows no namespaces"
    if places.ROOT.stat().st_mode & 0o005 != 0o005:
        return "other accounts cannot read the course's folder"
    return None


def opened():
    """Commands that let other accounts reach the course and its Python where a folder above them is closed to them."""
    closed, lines = {}, []
    for tree in (places.ROOT, pathlib.Path(sys.prefix), pathlib.Path(sys.base_prefix)):
        if shut := [folder for folder in tree.parents if not folder.stat().st_mode & stat.S_IXOTH]:
            closed.setdefault(shut[-1], []).append(tree)
    for folder, trees in closed.items():
        kept = [(shlex.quote(str(tree)), f"{HOMES}/tree{number}") for number, tree in enumerate(trees)]
        lines += [f"mkdir {copy} && mount --bind {tree} {copy}" for tree, copy in kept]
        lines += [f"mount -t tmpfs -o mode=755 none {shlex.quote(str(folder))}"]
        lines += [
            f"mkdir -p {tree} && mount --bind {copy} {tree} && umount {copy} && rmdir {copy}" for tree, copy in kept
        ]
    return "\n".join(lines)


def wait_until(condition, seconds, said):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, said()
        time.sleep(0.2)
    return found


def answers(address):
    try:
        return urllib.request.urlopen(f"{address}/hub/login", timeout=5).status == 200
    except OSError:
        return False


@contextlib.contextmanager
def running(folder, script, private=True, as_whom=""):
    """Start a hub by a shell script, in namespaces of its own unless private is False; yields (address, process)."""
    port, config = free_port(), HUB / "jupyterhub_config.py"
    words = {"homes": HOMES, "root": places.ROOT, "python": sys.executable, "log": folder, "settings": SETTINGS}
    words = {name: shlex.quote(str(value)) for name, value in words.items()}
    words |= {"left": shlex.quote(LEFT), "open": opened()}
    words["hub"] = f"{as_whom} {words['python']} -m jupyterhub -f {shlex.quote(str(config))}"
    command = ["bash", "-c", (PRIVATE * private + f"cd {words['root']}\n" + script).format(**words)]
    if private:
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", *command]
    with open(folder / "shell.log", "w") as log:
        shell = subprocess.Popen(command, env=os.environ | {"PORT": str(port)}, stdout=log, stderr=log)

    def said():
        return "\n".join(path.read_text(errors="replace") for path in sorted(folder.glob("*.log")))

    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(address) or shell.poll() is not None, 180, said)
        assert shell.poll() is None, said()
        started = [psutil.Process(shell.pid), *psutil.Process(shell.pid).children(recursive=True)]
        process = next(one for one in started if one.cmdline()[1:4] == ["-m", "jupyterhub", "-f"])
        yield address, process
        assert "Traceback" not in said(), said()
        process.terminate()
        shell.wait(120)
    finally:
        if shell.poll() is None:
            for one in [*psutil.Process(shell.pid).children(recursive=True), shell]:
                one.kill()
            shell.wait(30)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """The hub for a class with two learners and a teacher; at its end it must leave no process behind."""
    if reason := no_namespaces():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("hub")
    (folder / "students.txt").write_text(PEOPLE)
    with running(folder, CLASS) as (address, process):
        lines = (folder / "passwords").read_text().splitlines()
        passwords = dict(line.split("  ") for line in lines) | {"carl": "a-stranger"}
        yield Hub(address, process, pathlib.Path(f"/proc/{process.pid}/root{HOMES}"), passwords)
    assert "Problem: this machine has no group 'learners'" in (folder / "refused").read_text()
    assert (folder / "again").read_text() == "".join(f"{name}  (had an account)\n" for name in ("ada", "ben", "kim"))
    assert (folder / "left").read_text() == "[]\n"


class Desk(test_browser.Desk):
    """A learner's JupyterLab in a browser context of its own."""

    def __init__(self, browser, hub, name):
        self.hub, self.name = hub, name
        page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
        page.set_default_timeout(180_000)
        super().__init__(page, f"{hub.address}/user/{name}", hub.folder(name))

    def ask(self, path, method="GET"):
        assert method == "GET"
        return self.page.context.request.get(f"{self.address}/api/{path}").json()

    def log_in(self, password=None):
        self.page.goto(f"{self.hub.address}/hub/login")
        self.page.fill("#username_input", self.name)
        self.page.fill("#password_input", password or self.hub.passwords[self.name])
        self.page.click("#login_submit")

    def files(self):
        """What the file browser lists, once it shows the chapters."""
        names = self.page.locator(".jp-DirListing-itemText")
        names.filter(has_text=CHAPTER).first.wait_for()
        return set(names.all_inner_texts())

    def solve(self, body):
        """Run the set-up cell, write an answer to the first exercise, check it; returns the verdict."""
        self.run(self.cell("ck.start()"))
        self.write(self.cell("def line"), f"def line(x, w, b):\n    return {body}")
        self.run(self.cell("def line"))
        check = self.cell('ck.check("start.line"')
        self.run(check)
        return self.output(check)


@pytest.fixture(scope="module")
def desks(browser, hub):
    """Ada and Ben, both logged in, both with chapter 00 open."""
    ada, ben = Desk(browser, hub, "ada"), Desk(browser, hub, "ben")
    ada.log_in("not-her-password")
    ada.page.get_by_text("Invalid username or password").wait_for()
    ada.log_in()
    ben.log_in()
    for desk in (ada, ben):
        desk.page.wait_for_url(f"{desk.address}/lab**")
        desk.files()
        desk.open(CHAPTER)
    yield ada, ben
    for desk in (ada, ben):
        desk.page.context.close()


@pytest.fixture(autouse=True)
def screenshot_on_failure(request):
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed and "desks" in request.fixturenames:
        test_browser.SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for desk in request.getfixturevalue("desks"):
            name = re.sub(r"[^a-z0-9_]+", "-", request.node.name)
            desk.page.screenshot(path=test_browser.SCREENSHOTS / f"{name}-{desk.name}.png")


def test_who_is_not_in_the_class_stays_outside(browser, hub):
    stranger = Desk(browser, hub, "carl")
    stranger.log_in()
    stranger.page.get_by_text("Invalid username or password").wait_for()
    assert not stranger.hub.processes("carl")
    stranger.page.context.close()


def test_each_has_all_chapters_in_a_folder_of_their_own(desks, hub):
    chapters = {path.name for path in places.CHAPTERS.glob("*.ipynb")}
    for desk in desks:
        assert chapters <= desk.files()
        assert chapters <= {path.name for path in hub.folder(desk.name).iterdir()}
        assert stat.S_IMODE(hub.folder(desk.name).stat().st_mode) == 0o700
        assert hub.folder(desk.name).stat().st_uid == hub.uid(desk.name) >= 1000
        assert desk.page.get_by_text("Would you like to").count() == 0  # nobody asks for news
        assert desk.page.get_by_text("Validate").count() == 0  # nbgrader's, which would call a blank chapter solved


def test_both_work_at_the_same_time(desks, hub):
    ada, ben = desks
    assert "correct." in ada.solve("x * w + b")
    assert "b was left out" in ben.solve("x * w")
    for desk, status in ((ada, "correct"), (ben, "not yet")):
        desk.page.keyboard.press("Control+S")
        records = json.loads((hub.folder(desk.name) / "progress.json").read_text())["exercises"]
        assert records["start.line"]["status"] == status


def test_a_chapter_can_be_reset_and_nothing_is_lost(desks, hub):
    ada, _ = desks
    mine = hub.folder("ada") / "01_activations.ipynb"
    mine.write_text("my work")
    ada.write(ada.cell("def line"), f"def line(x, w, b):\n    return x * w + b\nck.reset({mine.stem!r})")
    ada.run(ada.cell("def line"))
    told = re.search(r"is kept as (\S+\.ipynb)\.", ada.output(ada.cell("def line")))
    assert (hub.folder("ada") / told[1]).read_text() == "my work"
    assert mine.read_bytes() == (places.CHAPTERS / mine.name).read_bytes()


def test_neither_reaches_what_the_other_has(desks, hub):
    ada, ben = desks
    ada.write(ada.cell("def line"), "open('mine.txt', 'w').write('mine'); import os; os.getpid()")
    ada.run(ada.cell("open('mine.txt'"))
    (connection,) = (hub.folder("ada").parent / ".local/share/jupyter/runtime").glob("kernel-*.json")
    inside = HOMES / "ada" / FOLDER
    told = {
        "read": {
            "own notebook": f"{CHAPTER}.ipynb",
            "course": str(places.CHAPTERS / f"{CHAPTER}.ipynb"),
            "notebook": str(inside / f"{CHAPTER}.ipynb"),
            "file": str(inside / "mine.txt"),
            "kernel's key": str(inside.parent / ".local/share/jupyter/runtime" / connection.name),
            "cookie secret": "/var/lib/big-models-hub/cookie_secret",
            "tokens": "/var/lib/big-models-hub/jupyterhub.sqlite",
        },
        "list": {"own folder": ".", "home": str(inside.parent), "folder": str(inside)},
        "write": {
            "course's chapter": str(places.CHAPTERS / f"{CHAPTER}.ipynb"),
            "kit": str(places.ROOT / "coursekit" / "x"),
        },
        "ask": {
            "own server": f"{ben.address}/api/contents",
            "server": f"{ada.address}/api/contents",
            "server's kernels": f"{ada.address}/api/kernels",
            "proxy": re.sub(r"\d+$", lambda port: f"{int(port[0]) + 1}", hub.address) + "/api/routes",
            "all users": f"{hub.address}/hub/api/users",
        },
        "listen": f"tcp://127.0.0.1:{json.loads(connection.read_text())['iopub_port']}",
    }
    for name, text in (("told.json", json.dumps(told)), ("attack.py", ATTACK)):
        (hub.folder("ben") / name).write_text(text)
        os.chown(hub.folder("ben") / name, hub.uid("ben"), hub.uid("ben"))
    attack = ben.cell("def line")
    ben.write(attack, "exec(open('attack.py').read())")
    attack = ben.cell("attack.py")
    attack.locator(".cm-content").click()
    ben.page.keyboard.press("Shift+Enter")
    attack.get_by_text("listening").wait_for()
    for _ in range(3):  # something to listen to
        ada.run(ada.cell("open('mine.txt'"))
    ben.wait_for_kernel()
    found = json.loads(attack.locator(".jp-OutputArea-output").last.inner_text().splitlines()[-1])
    assert set(found.pop("secrets of processes")) == {"PermissionError"}
    allowed = {name: found.pop(name) for name in ("own notebook", "course", "own folder", "own server")}
    assert set(allowed.values()) == {"done"}
    assert {found.pop(name) for name in ("server", "server's kernels", "proxy", "all users")} <= {401, 403}
    assert found.pop("heard") is False
    assert set(found.values()) == {"PermissionError"}, found
    assert "mine.txt" in ada.files()
    assert "mine.txt" not in ben.files()


def test_a_learner_cannot_open_the_page_of_another(desks, hub):
    ada, ben = desks
    page = ben.page.context.new_page()
    answer = page.goto(f"{ada.address}/lab")
    assert answer.status in (403, 404)
    assert page.locator(".jp-DirListing-item").count() == 0
    assert page.goto(f"{hub.address}/hub/admin").status == 403
    page.close()


def test_all_listen_on_this_machine_only(desks, hub):
    addresses = {
        connection.laddr.ip
        for process in [hub.process, *hub.process.children(recursive=True)]
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


def test_a_teacher_sees_who_is_there(browser, desks, hub):
    teacher = Desk(browser, hub, "kim")
    teacher.page.goto(f"{hub.address}/hub/login?next=/hub/admin")
    teacher.page.fill("#username_input", "kim")
    teacher.page.fill("#password_input", hub.passwords["kim"])
    teacher.page.click("#login_submit")
    for name in ("ada", "ben"):
        teacher.page.get_by_text(name, exact=True).first.wait_for()
    teacher.page.context.close()


def test_work_is_still_there_after_log_out_and_log_in(desks, hub):
    ada, _ = desks
    ada.page.keyboard.press("Control+S")
    ada.page.wait_for_timeout(2_000)
    ada.page.goto(f"{hub.address}/hub/logout")
    ada.page.locator("#username_input").wait_for()
    wait_until(lambda: not hub.processes("ada"), 90, lambda: "Ada's server still runs")
    folder = hub.folder("ada")
    # As if chapter 01 had been an older one when Ada came first, and chapter 02 had been deleted by her.
    older = folder / "01_activations.ipynb"
    older.write_text(older.read_text().replace("Activations", "Activations, and my notes", 1))
    laid = json.loads((folder / ".laid.json").read_text())
    (folder / ".laid.json").write_text(json.dumps(laid | {older.name: "0"}))
    (folder / "02_losses.ipynb").unlink()
    ada.log_in()
    ada.page.wait_for_url(f"{ada.address}/lab**")
    assert {"mine.txt", "01_activations.new.ipynb", "02_losses.ipynb"} <= ada.files()
    assert "and my notes" in older.read_text()
    assert "open('mine.txt'" in (folder / f"{CHAPTER}.ipynb").read_text()
    assert json.loads((folder / "progress.json").read_text())["exercises"]["start.line"]["status"] == "correct"


def test_a_learner_needs_the_memory_that_is_stored(desks, hub):
    """What memory.json says of JupyterLab and of a kernel after ck.start() holds here too, roughly."""
    server, *others = sorted(hub.processes("ben"), key=lambda one: one.create_time())
    (kernel,) = (one for one in others if "ipykernel_launcher" in one.cmdline())
    started = MEMORY["rows"][0]["started_own_mib"]
    assert 0.5 < measure.memory(psutil.Process(kernel.pid))[0] / started < 1.5
    assert 0.5 < (measure.memory(server)[0] - measure.memory(kernel)[0]) / MEMORY["server"]["own_mib"] < 1.5


def test_a_trial_needs_no_accounts(browser, tmp_path):
    """Any name, one password, and nothing of it outside the home of whoever started it."""
    home, private, as_whom = tmp_path, False, f"HOME={shlex.quote(str(tmp_path))}"
    if os.getuid() == 0:
        if reason := no_namespaces():
            pytest.skip(reason)
        home, private = HOMES / "state", True
        as_whom = f"chown 65534 {home} && exec setpriv --reuid=65534 --regid=65534 --clear-groups env HOME={home}"
    with running(tmp_path, TRIAL, private, as_whom=as_whom) as (address, process):
        password = re.search(rf"{re.escape(address)}, any name, password (\w+)\.", (tmp_path / "hub.log").read_text())[
            1
        ]
        homes = pathlib.Path(f"/proc/{process.pid}/root{home}" if private else home) / "big-models-hub-trial"
        desk = Desk(browser, Hub(address, process, homes, {"dora": password}), "dora")
        desk.log_in("another-password")
        desk.page.get_by_text("Invalid username or password").wait_for()
        desk.log_in()
        assert {path.name for path in places.CHAPTERS.glob("*.ipynb")} <= desk.files()
        assert (homes / "dora" / FOLDER / f"{CHAPTER}.ipynb").is_file()
        desk.page.context.close()
    assert not process.is_running()


def test_a_taken_port_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for port in (str(taken.getsockname()[1]), "99999999", "eighty"):
            command = [sys.executable, "-m", "jupyterhub", "-f", str(HUB / "jupyterhub_config.py")]
            environment = os.environ | {"PORT": port, "HOME": str(tmp_path)}
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            assert done.returncode == 1
            assert f"Problem: the port {port} and the next two are not free." in done.stderr
            assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the list is empty"),
        ("# nobody\n\n", "the list is empty"),
        ("ada\nAda Lovelace\n", "line 2 is 'Ada Lovelace'"),
        ("ada\nben\nada teacher\n", "line 3: ada is there twice"),
        ("ada; reboot", "line 1 is 'ada; reboot'"),
        ("-rf", "line 1 is '-rf'"),
    ],
)
def test_a_list_with_a_mistake_makes_no_account(text, problem):
    with pytest.raises(ValueError, match=problem):
        accounts.read(text)


def test_no_account_of_the_system_becomes_a_learner():
    with pytest.raises(ValueError, match="root is an account of the system itself"):
        next(accounts.make(accounts.read("root teacher")))
