"""JupyterHub as far as files tell it: values for a cluster, image, locks, and the arithmetic of memory and cores."""

import copy
import json
import re
import shlex
import stat
import statistics
import sys

import jsonschema
import pytest

from authoring import chapter as chapters
from authoring import handout
from classroom.hub import arithmetic, learner
from coursekit import data, places
from tests.test_serving_files import instructions

HUB = places.ROOT / "classroom" / "hub"
SCHEMA = json.loads((HUB / "schema.json").read_text(encoding="utf8"))
MEMORY, VALUES = arithmetic.read()
README = (HUB / "README.md").read_text(encoding="utf8")


def test_the_values_keep_to_their_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(VALUES, SCHEMA)


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        ((), "singleUser", {}),
        ((), "ingress", {"enabled": True}),
        (("hub", "config", "JupyterHub"), "authenticator_class", "dummy"),
        (("hub", "config", "Authenticator"), "allowed_users", []),
        (("hub", "config", "GenericOAuthenticator"), "client_secret", "in-a-file"),
        (("hub", "config", "GenericOAuthenticator"), "token_url", "http://login.example.org/token"),
        (("hub", "config", "KubeSpawner"), "args", ["cull_idle_timeout=3600"]),
        (("proxy", "https"), "enabled", False),
        (("singleuser",), "uid", 0),
        (("singleuser",), "allowPrivilegeEscalation", True),
        (("singleuser",), "cmd", "jupyterhub-singleuser"),
        (("singleuser", "image"), "tag", "latest"),
        (("singleuser", "image"), "name", "big models"),
        (("singleuser", "memory"), "limit", "3Gi"),
        (("singleuser", "memory"), "requests", "1G"),
        (("singleuser", "cpu"), "guarantee", "250m"),
        (("singleuser", "storage"), "capacity", "1G"),
        (("singleuser", "storage"), "type", "none"),
        (("singleuser", "networkPolicy"), "enabled", False),
        (("singleuser", "networkPolicy", "egressAllowRules"), "privateIPs", True),
        (("prePuller",), "continuous", True),
        (("scheduling", "userPlaceholder"), "replicas", -1),
        (("scheduling", "userPods", "nodeAffinity"), "matchNodePurpose", "required"),
        (("cull",), "enabled", False),
        (("cull",), "timeout", "1h"),
    ],
)
def test_the_schema_finds_mistakes(where, name, value):
    spoilt = copy.deepcopy(VALUES)
    part = spoilt
    for step in where:
        part = part[step]
    part[name] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spoilt, SCHEMA)


@pytest.mark.parametrize("part", ["hub", "proxy", "singleuser", "prePuller", "scheduling", "cull", "custom"])
def test_the_schema_misses_what_is_missing(part):
    with pytest.raises(jsonschema.ValidationError, match="required"):
        jsonschema.validate({name: value for name, value in VALUES.items() if name != part}, SCHEMA)


def test_the_containerfile_is_sound():
    told, pod = instructions(HUB), VALUES["singleuser"]
    kinds, last = [kind for kind, _ in told], dict(told)
    assert kinds[0] == "FROM"
    assert re.fullmatch(r"\S+:\d+\.\d+\.\d+-slim-\w+", told[0][1])  # a version, not `latest`
    assert kinds.count("FROM") == kinds.count("RUN") == kinds.count("USER") == kinds.count("ENTRYPOINT") == 1
    assert set(kinds) == {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "ENTRYPOINT"}
    assert kinds.index("RUN") < kinds.index("USER") < kinds.index("ENTRYPOINT")
    assert last["USER"] == f"{pod['uid']}:{pod['fsGid']}"
    assert f"--uid {pod['uid']} --gid {pod['fsGid']}" in last["RUN"]
    assert "--require-hashes" in last["RUN"]
    assert last["WORKDIR"] == pod["storage"]["homeMountPath"]
    assert f"HOME={pod['storage']['homeMountPath']} PYTHONPATH=/srv/course" in last["ENV"]
    assert json.loads(last["ENTRYPOINT"]) == pod["cmd"] == ["python", "/srv/course/classroom/hub/learner.py"]


def test_the_image_holds_what_a_learner_needs_and_nothing_else():
    copies = [shlex.split(rest) for kind, rest in instructions(HUB) if kind == "COPY"]
    copied = {source for *sources, _ in copies for source in sources}
    assert all(target in (source, "./") or source.rpartition("/")[0] + "/" == target for source, target in copies)
    fetched = {f".data/{name}/" for name in data.names() if "fetch" in data.card(name)}
    files = {"requirements.txt", "classroom/hub/requirements-image.txt", "classroom/hub/learner.py"}
    assert copied == {f"{part}/" for part in handout.PARTS} | fetched | files


@pytest.mark.parametrize("setting", ["OVERRIDES", "NO_VALIDATE"])
def test_jupyterlab_in_the_image_has_the_settings_of_the_course(setting):
    makefile = (places.ROOT / "Makefile").read_text(encoding="utf8")
    (value,) = re.findall(rf"^{setting} := (.+)$", makefile, re.MULTILINE)
    assert f"echo '{value}'" in dict(instructions(HUB))["RUN"]


def test_the_server_in_the_image_has_the_settings_of_the_course():
    (folder,) = re.findall(r"JUPYTER_CONFIG_PATH=/srv/course/(\S+)", dict(instructions(HUB))["ENV"])
    assert (places.ROOT / folder / "jupyter_server_config.py").is_file()


def pins(path):
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", path.read_text(encoding="utf8"), re.MULTILINE))


def test_the_image_has_the_packages_of_the_course():
    course, image = pins(places.ROOT / "requirements.txt"), pins(HUB / "requirements-image.txt")
    assert course.items() <= image.items()
    assert image["nbgrader"] == pins(places.ROOT / "requirements-dev.txt")["nbgrader"]
    # The chart's hub and the learner's server must have the same major version.
    (hub,) = re.findall(r"chart \S+ \(JupyterHub (\d+)\.", (HUB / "values.yaml").read_text(encoding="utf8"))
    assert image["jupyterhub"].split(".")[0] == hub


def test_the_locks_name_hashes_and_no_registry():
    text = (HUB / "requirements-image.txt").read_text(encoding="utf8")
    assert not re.search(r"https?://|--(extra-)?index|--find-links", text)
    assert len(re.findall(r"\\\n    --hash=sha256:", text)) >= len(pins(HUB / "requirements-image.txt")) > 100
    packages = json.loads((HUB / "package-lock.json").read_text(encoding="utf8"))["packages"]
    asked = json.loads((HUB / "package.json").read_text(encoding="utf8"))["dependencies"]
    assert packages.pop("")["dependencies"] == asked
    assert packages["node_modules/configurable-http-proxy"]["version"] == asked["configurable-http-proxy"]
    assert all(one["integrity"].startswith("sha512-") and "resolved" not in one for one in packages.values())


def test_the_memory_of_every_chapter_was_measured():
    assert [row["chapter"] for row in MEMORY["rows"]] == [
        path.stem for path in sorted(places.SOLUTIONS.glob("*.ipynb"))
    ]
    for row in MEMORY["rows"]:
        assert 0 < row["started_own_mib"] < row["started_mib"] < row["peak_mib"]
        assert row["started_own_mib"] < row["peak_own_mib"] < row["peak_mib"]


def test_a_pod_gets_what_a_learner_needs():
    needs, pod = arithmetic.cluster(MEMORY, VALUES), VALUES["singleuser"]
    assert needs["a_learner_needs"] <= arithmetic.mib(pod["memory"]["guarantee"]) < 1.25 * needs["a_learner_needs"]
    assert needs["a_learner_may_need"] <= arithmetic.mib(pod["memory"]["limit"])
    assert needs["learners_on_a_node"] <= 100  # Kubernetes allows 110 pods on a node, unless told otherwise
    assert needs["disk_gib"] == VALUES["custom"]["course"]["learners"]


def test_the_arithmetic_by_hand():
    rows = [
        {"started_own_mib": 300, "peak_own_mib": peak, "peak_mib": peak + 400, "cpu_seconds": 30}
        for peak in (600, 700, 800)
    ]
    memory = {"server": {"own_mib": 100, "mib": 120}, "rows": rows}
    assert arithmetic.mib("1.5G") == 1536
    assert arithmetic.learner(memory) == 800
    assert arithmetic.learner(memory, kernels=3) == 1400
    assert arithmetic.on_one_machine(memory, 16) == (
        (16384 - arithmetic.SYSTEM) // 800,
        (16384 - arithmetic.SYSTEM) // 400,
    )
    values = copy.deepcopy(VALUES)
    values["custom"]["course"] |= {"learners": 50, "at_once": 40, "kernels": 2}
    values["custom"]["course"] |= {"node": {"cores": 8, "memory_gib": 18}, "reserved": {"cores": 2, "memory_gib": 2}}
    values["singleuser"]["memory"]["guarantee"] = "1G"
    values["singleuser"]["cpu"]["guarantee"] = 0.5
    values["scheduling"]["userPlaceholder"]["replicas"] = 0
    found = arithmetic.cluster(memory, values)
    assert found["a_learner_needs"] == 100 + 700 + 300
    assert found["a_learner_may_need"] == 120 + 1200 + 300
    assert found["learners_on_a_node"] == 12  # 16 by memory, 12 by cores
    assert (found["nodes"], found["cores"], found["memory_gib"], found["disk_gib"]) == (4, 32, 72, 50)
    assert found["all_at_once_seconds"] == 40 * 30 / 24


def test_the_readme_tells_these_numbers():
    peaks, first = [row["peak_own_mib"] for row in MEMORY["rows"]], MEMORY["rows"][0]
    needs, pod, course = arithmetic.cluster(MEMORY, VALUES), VALUES["singleuser"], VALUES["custom"]["course"]
    minutes = statistics.median(chapters.read(row["chapter"]).header.minutes for row in MEMORY["rows"])
    shared = first["started_mib"] - first["started_own_mib"]
    guarantee, limit = (arithmetic.mib(pod["memory"][name]) for name in ("guarantee", "limit"))
    told = [
        f"JupyterLab's server {MEMORY['server']['own_mib']}, a kernel after `ck.start()` {first['started_own_mib']}",
        f"at its peak {min(peaks)} to {max(peaks)}, half of them below {statistics.median(peaks):.0f}.",
        f"The files of the packages, {shared} MiB,",
        f"With {arithmetic.SYSTEM} MiB for the system and the hub",
        f"takes {arithmetic.typical(MEMORY, 'cpu_seconds'):.0f} seconds of one core, of the {minutes:.0f} minutes",
        f"For {course['learners']} learners, of whom at most {course['at_once']} are logged in at once (assumed):",
        f"{needs['a_learner_needs']:.0f} MiB; guaranteed are {guarantee:.0f} |",
        f"{needs['a_learner_may_need']:.0f} MiB; the limit is {limit:.0f} |",
        f"of {course['node']['cores']} cores and {course['node']['memory_gib']} GiB | {needs['learners_on_a_node']} |",
        f"with room for {VALUES['scheduling']['userPlaceholder']['replicas']} who come at once |",
        f"| {needs['nodes']}: {needs['cores']} cores, {needs['memory_gib']} GiB |",
        f"if all {course['at_once']} press Run All at the same moment | {needs['all_at_once_seconds']:.0f} seconds",
        f"{course['learners']} × {pod['storage']['capacity'].removesuffix('Gi')} GiB = {needs['disk_gib']} GiB |",
    ]
    for gib in arithmetic.MACHINES:
        told.append("| {} | {} | {} |".format(gib, *arithmetic.on_one_machine(MEMORY, gib)))
    flowing = " ".join(README.split())
    assert [line for line in told if line not in flowing] == []


@pytest.mark.parametrize("full", [False, True])
def test_a_learner_s_server_starts_even_on_a_full_disk(tmp_path, monkeypatch, capfd, full):
    started = []
    monkeypatch.setattr(learner.os, "execv", lambda *command: started.append(command))
    monkeypatch.setattr(learner.sys, "argv", ["learner.py", "--some=option"])
    monkeypatch.setattr(places, "WORKSPACE", places.WORKSPACE)  # is put back
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JUPYTERHUB_ROOT_DIR", VALUES["hub"]["config"]["KubeSpawner"]["notebook_dir"])
    if full:
        monkeypatch.setattr(
            places, "write_atomically", lambda *_: (_ for _ in ()).throw(OSError(28, "the disk is full"))
        )
    learner.main()
    assert started == [(sys.executable, [sys.executable, "-m", "jupyterhub.singleuser", "--some=option"])]
    folder, said = tmp_path / "big-models-small-steps", capfd.readouterr().out
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert ("Not every chapter could be laid into" in said) == full
    assert {path.name for path in places.CHAPTERS.glob("*.ipynb")} <= {path.name for path in folder.iterdir()} or full
