"""The servers of chapter 15, as they are started: the real MLServer, FastAPI, and the page in headless Chromium.

Needs .venv-serving and serving/exported/ (`make serve-test` makes both).
"""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest

from coursekit import places
from tests import test_browser

pytestmark = pytest.mark.serving
browser = test_browser.browser  # the fixture
SERVING = places.ROOT / "serving"
EXPORTED = SERVING / "exported"
PYTHON = places.ROOT / ".venv-serving" / "bin" / "python"
EXPECTED = "expected"  # stands in each refusal


def free_port(count=3):
    """A port such that it and the next ones are free."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                for number in range(port + 1, port + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
            except (OSError, OverflowError):
                continue
            return port


def start(tmp_path, port, *options):
    """Start MLServer as `make serve` does. Returns the process; its output goes into tmp_path/log."""
    with open(tmp_path / "log", "w", encoding="utf8") as log:
        command = [PYTHON, "-m", "serving.server", "--port", str(port), "--pid", tmp_path / "pid", *options]
        return subprocess.Popen(command, cwd=places.ROOT, stdout=log, stderr=log, start_new_session=True)


def wait_until_it_answers(process, tmp_path):
    for _ in range(600):
        said = (tmp_path / "log").read_text(encoding="utf8")
        if "Ctrl-C" in said:
            return said
        assert process.poll() is None, said
        time.sleep(0.1)
    pytest.fail(f"no answer within 60 s: {said}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """MLServer; yields its port. At the end Ctrl-C must end it."""
    folder = tmp_path_factory.mktemp("server")
    port = free_port()
    process = start(folder, port)
    try:
        wait_until_it_answers(process, folder)
        yield port
        errors = (folder / "log").read_text(encoding="utf8")
        assert "Traceback" not in errors, errors
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(20)


def send(port, path="/v2/models/digits/infer", body=None, headers=None, method=None):
    """One HTTP request. body: bytes, or what becomes JSON. Returns (status, what the JSON answer says or text)."""
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode("utf8")
    told = {"Content-Type": "application/json"} if body is not None else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", content, told | (headers or {}), method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text.decode("utf8", "replace")


def image(datatype="FP32", shape=(1, 28, 28, 1), data=None, **more):
    data = [0.5] * 784 if data is None else data
    return {"inputs": [{"name": "image", "datatype": datatype, "shape": list(shape), "data": data} | more]}


def works(port):
    status, answer = send(port, body=image())
    return status == 200 and len(answer["outputs"][0]["data"]) == 10


def test_pictures_get_the_answers_of_keras(server):
    from serving import export

    for name in export.LABELS:
        x, _ = export.pictures(name)
        x = x[:50]
        wanted = export.trained(name).predict(x, verbose=0)
        body = image(shape=(50, 28, 28, 1), data=np.rint(x * 255).astype(int).ravel().tolist(), datatype="UINT8")
        status, answer = send(server, f"/v2/models/{name}/infer", body)
        assert status == 200
        probabilities, label = answer["outputs"]
        assert probabilities["shape"] == [50, 10]
        np.testing.assert_allclose(np.reshape(probabilities["data"], (50, 10)), wanted, atol=1e-5)
        assert label["data"] == [export.LABELS[name][number] for number in wanted.argmax(axis=1)]


def test_crowded_batches_of_many_pictures_are_answered(server):
    """Joined requests may hold more pictures than one request may."""
    body, got = image("UINT8", (64, 28, 28, 1), [7] * 64 * 784), []
    threads = [threading.Thread(target=lambda: got.append(send(server, body=body))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status for status, _ in got] == [200] * 20
    assert {len(answer["outputs"][1]["data"]) for _, answer in got} == {64}


def test_many_clients_at_once_each_get_their_own_answer(server):
    from serving import export

    x, _ = export.pictures("digits")
    x = x[:64]
    wanted = export.trained("digits").predict(x, verbose=0)
    got = [None] * len(x)

    def ask(number):
        body = image(data=x[number].ravel().astype(float).tolist())
        got[number] = send(server, body=body)[1]["outputs"][0]["data"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(x))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose(got, wanted, atol=1e-5)
    text = urllib.request.urlopen(f"http://127.0.0.1:{server + 2}/metrics", timeout=9).read().decode("utf8")
    runs = float(re.search(r'batch_pictures_count\{model="digits"\} (\S+)', text)[1])
    pictures = float(re.search(r'batch_pictures_sum\{model="digits"\} (\S+)', text)[1])
    assert pictures > runs  # some of them were joined


def test_the_protocol_the_metrics_and_the_openapi_answer(server):
    assert send(server, "/v2/health/live")[0] == send(server, "/v2/health/ready")[0] == 200
    assert send(server, "/v2")[1]["name"] == "mlserver"
    status, told = send(server, "/v2/models/fashion/versions/1")
    assert (status, told["platform"]) == (200, "litert")
    assert told["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [-1, 28, 28, 1]}]
    assert send(server, "/v2/models/fashion/ready")[0] == 200
    assert "/v2/models/{model_name}/infer" in json.dumps(send(server, "/v2/docs/dataplane.json")[1])
    assert send(server, "/v2/models/digits/docs/dataplane.json")[1]["openapi"].startswith("3.")
    assert works(server)
    body = image(id="mine") | {"id": "my request"}
    status, answer = send(server, "/v2/models/digits/versions/1/infer", body)
    assert (status, answer["id"], answer["model_name"], answer["model_version"]) == (200, "my request", "digits", "1")
    text = urllib.request.urlopen(f"http://127.0.0.1:{server + 2}/metrics", timeout=9).read().decode("utf8")
    for metric in ("model_infer_request_success_total", "rest_server_requests_total", "network_seconds_bucket"):
        assert metric in text, metric


FLAT = [0.5] * 784
BAD = {
    "no JSON": (b"digit, please", {}, 400, "no JSON"),
    "cut JSON": (json.dumps(image()).encode("ascii")[:-9], {}, 400, "no JSON"),
    "not UTF-8": (b'{"inputs": "\xff\xfe"}', {}, 400, "no JSON"),
    "very deep": (b"[" * 100_000, {}, 400, "no JSON"),
    "empty body": (b"", {}, 400, ""),
    "a list": ([], {}, 400, "dictionary"),
    "no inputs": ({}, {}, 400, "inputs: Field required"),
    "inputs empty": ({"inputs": []}, {}, 400, "the inputs are []"),
    "two inputs": ({"inputs": image()["inputs"] * 2}, {}, 400, "the inputs are"),
    "another name": (image(name="picture"), {}, 400, "the inputs are ['picture']"),
    "NaN": (json.dumps(image(data=[*FLAT[1:], float("nan")])).encode("ascii"), {}, 400, "no JSON"),
    "infinity": (json.dumps(image(data=[*FLAT[1:], float("inf")])).encode("ascii"), {}, 400, "no JSON"),
    "overflow": (json.dumps(image()).replace("0.5", "1e999", 1).encode("ascii"), {}, 400, "expected"),
    "null for NaN": (image(data=[*FLAT[1:], None]), {}, 400, "numbers alone"),
    "text for a number": (image(data=[*FLAT[1:], "0.5"]), {}, 400, "numbers alone"),
    "an object for numbers": (image(data={"a": 1}), {}, 400, "no list of numbers"),
    "one number": (image(data=10**12), {}, 400, "no list of numbers"),
    "one number as UINT8": (image("UINT8", data=10**12), {}, 400, "no list of numbers"),
    "no data": (image(data=[]), {}, 400, "numbers alone"),
    "an unknown type": (image("FP31"), {}, 400, "datatype"),
    "a wrong type": (image("INT64"), {}, 400, "datatype is INT64"),
    "bytes": (image("BYTES", data=["AAAA"]), {}, 400, "datatype is BYTES"),
    "a wrong shape": (image(shape=(1, 27, 28, 1)), {}, 400, "shape is [1, 27, 28, 1]"),
    "no batch": (image(shape=(28, 28, 1)), {}, 400, "shape is [28, 28, 1]"),
    "a negative shape": (image(shape=(-1, 28, 28, 1)), {}, 400, "shape is [-1, 28, 28, 1]"),
    "a huge shape": (image(shape=(10**30, 28, 28, 1)), {}, 400, "expected"),
    "no picture": (image(shape=(0, 28, 28, 1), data=[]), {}, 400, "shape is [0, 28, 28, 1]"),
    "data and shape disagree": (image(shape=(2, 28, 28, 1)), {}, 400, "data holds 784 numbers, shape asks for 1568"),
    "unequal rows": (image(data=[[0.5] * 783, [0.5]]), {}, 400, "equal length"),
    "too many pictures": (image(shape=(65, 28, 28, 1), data=FLAT * 65), {}, 400, "65 pictures are too many"),
    "pixels of 255 as FP32": (image(data=[255.0] * 784), {}, 400, "pixels go from 255 to 255"),
    "a negative pixel": (image(data=[-0.1, *FLAT[1:]]), {}, 400, "pixels go from -0.1"),
    "fractions as UINT8": (image("UINT8"), {}, 400, "fractions"),
    "a great number as UINT8": (image("UINT8", data=[256] + [0] * 783), {}, 400, "pixels go from 0 to 256"),
    "packed": (b"\x1f\x8b", {"Content-Encoding": "gzip"}, 415, "Content-Encoding"),
    "a form": (b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "application/json"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_is_told_what_was_expected(server, name):
    body, headers, status, words = BAD[name]
    got, answer = send(server, body=body, headers=headers)
    assert got == status, answer
    assert words in answer["error"]
    assert EXPECTED in answer["error"]
    assert len(answer["error"]) < 600
    assert works(server)


def test_unknown_models_versions_paths_and_methods_are_named(server):
    for path, words in {
        "/v2/models/dogs/infer": "expected digits and fashion",
        "/v2/models/digits/versions/7/infer": "expected version 1",
        "/v2/repository/models/digits/unload": "expected POST /v2/models",
        "/v2/models/digits/infer_stream": "expected POST /v2/models",
        "/no%00thing": "expected POST /v2/models",
    }.items():
        status, answer = send(server, path, image())
        assert status == 404, path
        assert words in answer["error"]
    for path, method in (("/v2/models/digits/infer", "GET"), ("/v2", "POST"), ("/v2/models/digits", "DELETE")):
        status, answer = send(server, path, image() if method == "POST" else None, method=method)
        assert status == 405
        assert EXPECTED in answer["error"]
    assert works(server)


@pytest.mark.parametrize(
    ("service", "method", "request_"),
    [
        ("GRPCInferenceService", "RepositoryModelUnload", b"\x12\x06digits"),
        ("GRPCInferenceService", "RepositoryModelLoad", b"\x12\x06digits"),
        ("model_repository.ModelRepositoryService", "RepositoryModelUnload", b"\x12\x06digits"),
        ("GRPCInferenceService", "ModelStreamInfer", b"\x0a\x06digits"),
    ],
)
def test_over_grpc_nobody_changes_the_server_for_others(server, service, method, request_):
    with grpc.insecure_channel(f"127.0.0.1:{server + 1}") as channel:
        path = f"/inference.{service}/{method}"
        stream = channel.stream_stream(path)(iter([request_]), timeout=20)  # the wire knows streams alone
        with pytest.raises(grpc.RpcError) as refusal:
            next(stream)
        assert refusal.value.details() == "Loading, unloading and streaming are switched off; expected ModelInfer."
        ready = channel.unary_unary("/inference.GRPCInferenceService/ModelReady")(b"\x0a\x06digits", timeout=20)
    assert ready == b"\x08\x01"  # the message's first field is true


def test_bad_requests_in_a_crowd_spoil_no_other_answer(server):
    """Adaptive batching joins requests: a wrong one among them must fail alone."""
    bodies = [image(), image(data=[2.0] * 784), image("UINT8", data=[9] * 784), image(shape=(2, 28, 28, 1)), {}] * 12
    got = [None] * len(bodies)

    def ask(number):
        got[number] = send(server, body=bodies[number])[0]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [200, 400, 200, 400, 400] * 12


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_refused(server, announced):
    size = 16 * 2**20 + 1

    def chunks():
        for _ in range(size // 2**16 + 1):
            yield b"7" * 2**16

    if announced:
        status, answer = send(server, body=b"7" * size)
    else:
        told = {"Transfer-Encoding": "chunked", "Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{server}/v2/models/digits/infer", chunks(), told)
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(request, timeout=30)
        status, answer = error.value.code, json.load(error.value)
    assert status == 413
    assert "at most 16,777,216 bytes" in answer["error"]
    assert works(server)


def test_a_body_just_under_the_limit_is_read(server):
    body = json.dumps(image()).encode("ascii")
    status, _ = send(server, body=body + b" " * (16 * 2**20 - len(body)))
    assert status == 200


HEAD = b"POST /v2/models/digits/infer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
HEAD += b"Content-Length: 9000\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "drip", "half"),
    [(b"", b"", False), (b"POST /v2 HT", b"", False), (HEAD, b" ", False), (HEAD[:40], b"x", False), (HEAD, b"", True)],
    ids=["silent", "half a line", "slow body", "slow header", "half-closed"],
)
def test_a_slow_or_half_closed_client_is_dropped_while_others_are_served(server, first, drip, half):
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server)) as client:
        client.sendall(first)
        if half:
            client.shutdown(socket.SHUT_WR)
        client.settimeout(1)
        while True:
            assert time.monotonic() - began < 30, "still connected after 30 s"
            assert works(server)
            try:
                if drip:
                    client.sendall(drip)
                if not client.recv(1000):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    assert works(server)


def test_a_client_that_never_reads_is_dropped(server):
    ask = b"GET /page/litert/core/wasm/litert_wasm_internal.wasm HTTP/1.1\r\nHost: x\r\n\r\n"  # nine megabytes
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server)) as client:
        client.settimeout(1)
        while True:
            assert time.monotonic() - began < 30, "still connected after 30 s"
            try:
                client.sendall(ask)
                time.sleep(1)
                assert works(server)
            except OSError:
                break
    assert works(server)


def test_rubbish_instead_of_http_is_refused(server):
    with socket.create_connection(("127.0.0.1", server), timeout=9) as client:
        client.sendall(b"\x16\x03\x01 rubbish\r\n\r\n")
        assert b" 400 " in client.recv(1000)
    assert works(server)


def copied_models(tmp_path):
    """A copy of models and exported files, which a test may spoil. Returns (folder of the models, exported)."""
    shutil.copytree(SERVING / "models", tmp_path / "serving" / "models")
    shutil.copytree(EXPORTED, tmp_path / "serving" / "exported")
    return tmp_path / "serving" / "models", tmp_path / "serving" / "exported"


@pytest.mark.parametrize("spoil", ["flipped", "missing", "no manifest"])
def test_a_model_file_that_is_not_the_exported_one_is_refused_at_start(tmp_path, spoil):
    models, exported = copied_models(tmp_path)
    file = exported / "fashion.tflite"
    if spoil == "flipped":
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    else:
        (file if spoil == "missing" else exported / "manifest.json").unlink()
    process = start(tmp_path, free_port(), "--folder", models)
    assert process.wait(30) == 1
    said = (tmp_path / "log").read_text(encoding="utf8")
    assert said.startswith("Problem: the model file ")
    assert len(said.splitlines()) == 1
    if spoil == "flipped":
        assert "fashion.tflite is not the one that was exported" in said


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_port_that_is_taken_is_named(tmp_path, which):
    port = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + which))
        other.listen()
        process = start(tmp_path, port)
        assert process.wait(30) == 1
    said = (tmp_path / "log").read_text(encoding="utf8")
    assert said.startswith(f"Problem: port {port + which} ")
    assert "make serve PORT=" in said
    assert len(said.splitlines()) == 1


def test_a_second_server_is_refused_and_the_first_can_still_be_stopped(tmp_path):
    first = start(tmp_path, free_port())
    wait_until_it_answers(first, tmp_path)
    (tmp_path / "log").rename(tmp_path / "log of the first")
    second = start(tmp_path, free_port())
    assert second.wait(30) == 1
    assert (tmp_path / "log").read_text(encoding="utf8") == (
        f"Problem: a server of ours runs already (process {first.pid}); `make serve-stop` ends it.\n"
    )
    command = [PYTHON, "-m", "serving.server", "--stop", "--pid", tmp_path / "pid"]
    done = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True, timeout=60)
    assert "The server has ended." in done.stdout
    first.wait(15)


@pytest.mark.parametrize("way", ["Ctrl-C", "Ctrl-C under load", "serve-stop"])
def test_it_ends_and_leaves_no_process_behind(tmp_path, way):
    port = free_port()
    process = start(tmp_path, port)
    said = wait_until_it_answers(process, tmp_path)
    assert f"curl -s http://127.0.0.1:{port}/v2/models/digits/infer" in said
    if "load" in way:
        slow = socket.create_connection(("127.0.0.1", port))
        slow.sendall(HEAD)
        load = [PYTHON, "-m", "serving.load", "--port", str(port), "--clients", "8", "--seconds", "30"]
        loading = subprocess.Popen(load, cwd=places.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(2)
    if way == "serve-stop":
        command = [PYTHON, "-m", "serving.server", "--stop", "--pid", tmp_path / "pid"]
        done = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True, timeout=60)
        assert "The server has ended." in done.stdout
        done = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True, timeout=60)
        assert "No server of ours runs." in done.stdout
    else:
        os.killpg(process.pid, signal.SIGINT)
    process.wait(15)
    if "load" in way:
        slow.close()
        loading.kill()
        loading.wait()
    with pytest.raises(ProcessLookupError):  # no one of its process group is left
        os.killpg(process.pid, 0)
    assert "Traceback" not in (tmp_path / "log").read_text(encoding="utf8")
    with pytest.raises(OSError):  # noqa: PT011
        socket.create_connection(("127.0.0.1", port), timeout=2)


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="Linux tells it there")
def test_it_listens_on_127_0_0_1_alone(server):
    lines = [
        line for path in ("tcp", "tcp6") for line in pathlib.Path(f"/proc/net/{path}").read_text().splitlines()[1:]
    ]
    places_of = [line.split()[1].split(":") for line in lines if line.split()[3] == "0A"]  # 0A: listening
    ours = [place for place, port in places_of if int(port, 16) in range(server, server + 3)]
    assert len(ours) == 3
    assert all(place.endswith("0100007F") for place in ours)


@pytest.fixture(scope="module")
def fastapi_server():
    port = free_port(1)
    command = [PYTHON, "-m", "uvicorn", "serving.app:app", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, cwd=places.ROOT)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def test_fastapi_answers_as_mlserver_does(server, fastapi_server):
    from serving import export

    x, _ = export.pictures("fashion")
    pixels = x[:20].reshape(20, 784).astype(float)
    status, answer = send(fastapi_server, "/fashion", {"pixels": pixels.tolist()})
    assert status == 200
    other = send(server, "/v2/models/fashion/infer", image(shape=(20, 28, 28, 1), data=pixels.ravel().tolist()))[1]
    np.testing.assert_allclose(np.ravel(answer["probabilities"]), other["outputs"][0]["data"], atol=1e-6)


@pytest.mark.parametrize(
    "pixels",
    [
        [],
        [FLAT[1:]],
        [FLAT] * 65,
        [[2.0] * 784],
        [["a"] * 784],
        [[float("nan")] * 784],
        [[float("inf")] * 784],
        None,
        "x",
    ],
    ids=["none", "too few", "too many", "range", "text", "NaN", "infinity", "null", "no list"],
)
def test_fastapi_refuses_in_one_sentence(fastapi_server, pixels):
    status, answer = send(fastapi_server, "/digits", {"pixels": pixels})
    assert status == 422
    assert "expected 1 to 64 lists of 784 pixels from 0 to 1" in answer["error"]
    assert send(fastapi_server, "/dogs", {"pixels": [FLAT]})[0] == 422
    assert send(fastapi_server, "/digits", b"{")[0] == 422


def test_the_environment_has_no_tensorflow_and_is_small():
    site = next((places.ROOT / ".venv-serving" / "lib").glob("python3*/site-packages"))
    assert not list(site.glob("tensorflow*"))
    assert not list(site.glob("keras*"))
    size = sum(file.stat().st_size for file in site.rglob("*") if file.is_file())
    assert size < 350e6, f"{size / 1e6:.0f} MB"


def test_the_runtime_that_plain_mlserver_loads_refuses_a_flipped_file(tmp_path):
    """Also without serving/server.py, by the runtime alone."""
    _, exported = copied_models(tmp_path)
    file = exported / "digits.tflite"
    file.write_bytes(file.read_bytes()[:-1] + b"\x07")
    code = f"from serving import classifier; classifier.Classifier({str(file)!r})"
    done = subprocess.run([PYTHON, "-c", code], cwd=places.ROOT, capture_output=True, text=True)
    assert "is not the one that was exported" in done.stderr


def test_the_manifest_names_every_file_and_the_request_works(server):
    manifest = json.loads((EXPORTED / "manifest.json").read_text(encoding="utf8"))
    for name, sha256 in manifest["files"].items():
        assert hashlib.sha256((EXPORTED / name).read_bytes()).hexdigest() == sha256
    status, answer = send(server, body=(EXPORTED / "digits_request.json").read_bytes())
    assert status == 200
    assert answer["outputs"][1]["data"][0] in [str(digit) for digit in range(10)]


@pytest.fixture
def page(browser, server):
    """The page in a fresh browser, loaded. After the test: no other address was asked, and no error was logged."""
    context = browser.new_context(has_touch=True, viewport={"width": 1100, "height": 1000})
    page, asked, errors = context.new_page(), [], []
    page.set_default_timeout(30_000)
    context.on("request", lambda request: asked.append(request.url))
    ours = re.compile("Content Security Policy|Failed to load|TypeError|ReferenceError")  # LiteRT logs to console.error
    page.on("console", lambda message: errors.append(message.text) if ours.search(message.text) else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"http://127.0.0.1:{server}/")
    page.get_by_text("The networks are loaded.").wait_for()
    page.asked = asked
    yield page
    context.close()
    assert asked
    assert [url for url in asked if not url.startswith((f"http://127.0.0.1:{server}/", "data:"))] == []
    assert errors == []


def most_probable(page, name):
    return page.locator(f"#{name}-answer [role=status]").inner_text()


def test_the_browser_gives_the_classes_of_python(page):
    from serving import export

    for name in export.LABELS:
        x, _ = export.pictures(name)
        x = x[:40]
        wanted = export.trained(name).predict(x, verbose=0)
        code = "([name, pictures]) => Promise.all(pictures.map((pixels) => classify(name, pixels)))"
        got = page.evaluate(code, [name, x.reshape(len(x), -1).astype(float).tolist()])
        np.testing.assert_allclose(got, wanted, atol=1e-4)
        assert (np.argmax(got, axis=1) == wanted.argmax(axis=1)).all()


def test_the_page_needs_no_network_once_it_is_loaded(page):
    before = len(page.asked)
    page.context.set_offline(True)
    page.locator("#garments button").nth(21).click()
    assert "Most probable: " in most_probable(page, "fashion")
    assert [url for url in page.asked[before:] if not url.startswith("data:")] == []


def test_a_garment_is_picked_with_the_keyboard(page):
    shown = json.loads((EXPORTED / "samples.json").read_text(encoding="utf8"))["fashion"]
    buttons = page.locator("#garments button")
    assert buttons.count() == len(shown["pictures"])
    right = 0
    for number, picture in enumerate(shown["pictures"]):
        if number == 0:
            buttons.first.focus()
        else:
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_function(
            "n => document.querySelectorAll('#garments button')[n].ariaPressed === 'true'", arg=number
        )
        page.wait_for_timeout(60)
        right += f"Most probable: {shown['labels'][picture['label']]} (" in most_probable(page, "fashion")
    assert right >= 24


def test_a_digit_is_drawn_with_the_mouse(page):
    box = page.locator("#pad").bounding_box()
    for points, digit in {((140, 40), (140, 240)): 1, ((80, 50), (200, 50), (120, 240)): 7}.items():
        page.get_by_role("button", name="Clear").click()
        page.get_by_text("Nothing is drawn yet.").wait_for()
        page.mouse.move(box["x"] + points[0][0], box["y"] + points[0][1])
        page.mouse.down()
        for x, y in points[1:]:
            page.mouse.move(box["x"] + x, box["y"] + y, steps=10)
        page.mouse.up()
        page.get_by_text(f"Most probable: {digit} (").wait_for()


def test_a_digit_is_drawn_with_the_keyboard(page):
    page.locator("#pad").focus()
    for key in ["ArrowUp"] * 9 + [" "] + ["ArrowDown"] * 18 + [" "]:
        page.keyboard.press(key)
    page.get_by_text("Most probable: 1 (").wait_for()
    assert page.locator("#pen").inner_text() == "Pen up, column 14, row 23"
    page.keyboard.press("Delete")
    page.get_by_text("Nothing is drawn yet.").wait_for()


def test_a_digit_is_drawn_with_a_finger(page):
    box, session = page.locator("#pad").bounding_box(), page.context.new_cdp_session(page)
    path = [(80, 60), (130, 60), (200, 60), (180, 110), (160, 160), (140, 200), (120, 245)]
    for number, (x, y) in enumerate(path):
        point = [{"x": box["x"] + x, "y": box["y"] + y}]
        kind = "touchStart" if number == 0 else "touchMove"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": point})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.get_by_text("Most probable: 7 (").wait_for()


def test_everything_on_the_page_has_a_name(page):
    assert page.locator("html").get_attribute("lang") == "en"
    assert all(page.locator("img").evaluate_all("all => all.map(one => one.alt)"))
    assert all(page.locator("canvas").evaluate_all("all => all.map(one => one.ariaLabel)"))
    page.locator("#garments button").first.click()
    meters = page.locator("#fashion-answer meter")
    meters.first.wait_for()
    assert len(set(meters.evaluate_all("all => all.map(one => one.ariaLabel)"))) == 10
    headings = page.locator("h1, h2").evaluate_all("all => all.map(one => one.tagName)")
    assert headings == ["H1", "H2", "H2"]
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360  # a telephone
    test_browser.SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=test_browser.SCREENSHOTS / "serving_page_narrow.png", full_page=True)


def test_a_page_that_cannot_load_its_networks_says_so(browser, server):
    page = browser.new_page()
    page.route("**/*.tflite", lambda route: route.abort())
    page.goto(f"http://127.0.0.1:{server}/page/")
    page.get_by_text("The networks could not be loaded").wait_for()
    page.close()


def test_a_changed_package_of_the_page_is_refused(tmp_path):
    from serving import fetch_page, npm

    assert not npm.is_there(tmp_path / "litert_js", fetch_page.PACKAGES)
    archive = tmp_path / "litertjs-core-2.5.3.tgz"
    archive.write_bytes(b"something else")
    with pytest.raises(SystemExit, match="is not the one on record"):
        npm.unpack(archive, tmp_path / "litert_js" / "core", fetch_page.PACKAGES["@litertjs/core"])
    assert not (tmp_path / "litert_js").exists()
