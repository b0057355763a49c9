"""What chapter 15 deploys, as far as files tell it: settings, manifest, Containerfile, stored benchmark."""

import copy
import json
import re
import shlex

import jsonschema
import pytest
import yaml

from benchmarks import serving as benchmark
from coursekit import data, places
from serving import export

SERVING = places.ROOT / "serving"
SCHEMA = json.loads((SERVING / "deploy" / "schema.json").read_text(encoding="utf8"))
MANIFEST = yaml.safe_load((SERVING / "deploy" / "inference_service.yaml").read_text(encoding="utf8"))
CONTAINER = MANIFEST["spec"]["predictor"]["containers"][0]


def instructions(folder=SERVING / "deploy"):
    """The Containerfile in `folder` as a list of (instruction, rest)."""
    text = (folder / "Containerfile").read_text(encoding="utf8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def test_the_manifest_keeps_to_its_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(MANIFEST, SCHEMA)


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        ((), "apiVersion", "serving.kserve.io/v1"),
        (("metadata",), "name", "Digits_and_Clothes"),
        (("spec",), "predictors", {}),
        (("spec", "predictor"), "minReplica", 1),
        (("spec", "predictor"), "scaleTarget", "16"),
        (("spec", "predictor"), "scaleMetric", "requests"),
        (("spec", "predictor", "containers", 0), "image", "registry.example.com/digits:latest"),
        (("spec", "predictor", "containers", 0), "image", "registry.example.com/digits"),
        (("spec", "predictor", "containers", 0, "resources", "limits"), "memory", "1 GB"),
        (("spec", "predictor", "containers", 0, "securityContext"), "runAsUser", 0),
    ],
)
def test_the_schema_finds_mistakes(where, name, value):
    spoilt = copy.deepcopy(MANIFEST)
    part = spoilt
    for step in where:
        part = part[step]
    part[name] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spoilt, SCHEMA)


def test_the_containerfile_is_sound():
    told = instructions()
    kinds = [kind for kind, _ in told]
    assert kinds[0] == "FROM"
    assert re.fullmatch(r"\S+:\d+\.\d+\.\d+-slim-\w+", told[0][1])  # a version, not `latest`
    assert kinds.count("FROM") == kinds.count("USER") == kinds.count("ENTRYPOINT") == 1
    assert "ADD" not in kinds
    assert set(kinds) <= {
        "FROM",
        "ENV",
        "WORKDIR",
        "COPY",
        "RUN",
        "USER",
        "EXPOSE",
        "HEALTHCHECK",
        "STOPSIGNAL",
        "ENTRYPOINT",
    }
    last = dict(told)
    assert kinds.index("RUN") < kinds.index("USER") < kinds.index("ENTRYPOINT")
    assert last["USER"].split(":")[0] == str(CONTAINER["securityContext"]["runAsUser"]) != "0"
    assert "--require-hashes" in last["RUN"]
    assert isinstance(json.loads(last["ENTRYPOINT"]), list)  # not through a shell: signals reach the server
    assert isinstance(json.loads(last["HEALTHCHECK"].partition("CMD ")[2]), list)
    ports = {str(port["containerPort"]) for port in CONTAINER["ports"]} | {
        MANIFEST["metadata"]["annotations"]["prometheus.io/port"]
    }
    assert ports <= set(last["EXPOSE"].split())


def test_the_image_holds_all_that_the_server_imports():
    copied = [source for kind, rest in instructions() if kind == "COPY" for source in shlex.split(rest)[:-1]]
    for source in copied:
        assert (places.ROOT / source).exists() or source == "serving/exported/", source
    modules = {source for source in copied if source.endswith(".py")}
    for module in modules:
        text = (places.ROOT / module).read_text(encoding="utf8")
        needed = re.findall(r"^from serving\.(\w+) import", text, re.MULTILINE)
        for names in re.findall(r"^from serving import (.+)", text, re.MULTILINE):
            needed += names.split(", ")
        assert {f"serving/{name}.py" for name in needed} <= modules, module
        assert "coursekit" not in text


def test_the_settings_of_each_model_fit_its_network():
    for name, labels in export.LABELS.items():
        told = json.loads((SERVING / "models" / name / "model-settings.json").read_text(encoding="utf8"))
        assert told["name"] == name
        assert told["parameters"]["extra"]["labels"] == labels
        assert told["parameters"]["uri"] == f"../../exported/{name}.tflite"
    settings = json.loads((SERVING / "models" / "settings.json").read_text(encoding="utf8"))
    assert settings["host"] == "127.0.0.1"


def test_the_locks_name_hashes_and_no_tensorflow():
    for name in ("", "-ray", "-npm"):
        text = (SERVING / f"requirements{name}.txt").read_text(encoding="utf8")
        pins = re.findall(r"^([\w.-]+)==", text, re.MULTILINE)
        assert len(re.findall(r"\\\n    --hash=sha256:", text)) >= len(pins) > 0
        assert not re.search(r"https?://|--(extra-)?index|--find-links", text)
        assert not {"tensorflow", "keras"} & set(pins)


def test_the_networks_are_small_and_good():
    stored = data.checkpoint("serving")
    for row in stored["rows"]:
        assert row["parameters"] == export.network(row["name"]).count_params() <= 100_000
        assert row["seconds"] <= 240
        assert row["test_accuracy"] >= {"digits": 0.975, "fashion": 0.91}[row["name"]]
        assert (places.CHECKPOINTS / f"serving_{row['name']}.npz").stat().st_size < 500_000


def test_the_stored_benchmark_reaches_its_goal():
    stored = data.benchmark("serving")
    assert [(row["server"], row["clients"]) for row in stored["rows"]] == [
        (server, clients) for server in ("FastAPI", "MLServer", "Ray Serve") for clients in benchmark.CLIENTS
    ]
    assert benchmark.faults(stored["rows"], stored["trials"]) == []
    assert stored["goal"] == benchmark.goal(stored["rows"])
    assert stored["settings"] == benchmark.settings()
    assert stored["goal"]["share_of_fastapi_at_16"] >= 0.6
    assert stored["goal"]["p99_ms_at_16"] <= 50
    text = (places.BENCHMARKS / "serving.md").read_text(encoding="utf8")
    assert text == benchmark.page(stored)


def test_the_benchmark_finds_faults():
    row = {"server": "x", "not_ok": 0, "other_classes": 0, "greatest_difference": 1e-6}
    assert benchmark.faults([row], {}) == []
    for name, value in (("not_ok", 1), ("other_classes", 1), ("greatest_difference", 0.1)):
        assert len(benchmark.faults([row | {name: value}], {})) == 1
    assert benchmark.faults([], {"one_replica_killed": {"lost": 1, "wrong": 0}}) == ["one_replica_killed: 1 lost"]
