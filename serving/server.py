"""Start MLServer for the networks of chapter 15, with what it lacks against careless and hostile clients.

`make serve` runs it: on 127.0.0.1, with the page of step 4 under /page/. Beside MLServer's own settings (settings.json,
models/*/model-settings.json) there are here: a list of the paths that are answered, a limit on the size of a body,
patience with slow clients that ends, and errors in one sentence. Ctrl-C or `make serve-stop` ends it.
"""

import argparse
import asyncio
import fcntl
import gc
import json
import logging
import os
import pathlib
import re
import signal
import socket
import sys
import threading
import time
import urllib.request

import mlserver
from fastapi.exceptions import RequestValidationError
from mlserver.cli.serve import load_settings
from mlserver.errors import MLServerError
from mlserver.utils import install_uvloop_event_loop
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving import measures
from serving.classifier import EXPECTED, EXPORTED, Refused, verified

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 16 * 2**20  # bytes of a body
PATIENCE = 20  # seconds in which a client must send a whole request, or take an answer
PID = ROOT / "build" / "serving.pid"
PAGE = {
    "/page/exported": EXPORTED,
    "/page/litert": ROOT / ".data" / "litert_js",
    "/page": ROOT / "serving" / "page",
}
MODEL = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?(/infer|/ready|/docs/dataplane\.json)?")
OTHERS = re.compile(r"/v2|/v2/health/(live|ready)|/v2/docs/dataplane\.json|/|/page(/.*)?")


class Guard:
    """ASGI middleware before all of MLServer: only known paths, bodies of at most LIMIT bytes."""

    def __init__(self, app, models):
        self._app = app
        self._versions = {model.name: model.version for model in models}

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message):
            if message["type"] == "http.response.start" and message["status"] >= 400:
                measures.REFUSED.labels(message["status"]).inc()
            await send(message)

        status, sentence = self._refused(scope)
        if not sentence and scope["method"] == "POST":
            body, sentence = await _body(receive)
            status, receive = 413, _replay(body, receive)
        if sentence:
            answer = JSONResponse({"error": sentence}, status, {"connection": "close"} if status == 413 else None)
            await answer(scope, receive, counted)
        elif scope["path"] in ("/", "/page"):
            await JSONResponse({}, 307, {"location": "/page/"})(scope, receive, counted)
        else:
            await self._app(scope, receive, counted)

    def _refused(self, scope):
        """Return (status, sentence) when the request is refused by its first lines, else (200, "")."""
        path, headers = scope["path"], dict(scope["headers"])
        known = " and ".join(self._versions)
        asked = MODEL.fullmatch(path)
        if not asked and not OTHERS.fullmatch(path):
            return 404, f"There is nothing here; expected POST /v2/models/NAME/infer with NAME {known}, or GET /v2."
        if asked and asked[1] not in self._versions:
            return 404, f"There is no model of this name; expected {known}."
        if asked and asked[2] not in (None, self._versions[asked[1]]):
            return 404, f"There is no such version of {asked[1]}; expected version {self._versions[asked[1]]}."
        wanted = ("POST",) if asked and asked[3] == "/infer" else ("GET", "HEAD")
        if scope["method"] not in wanted:
            return 405, f"The method {scope['method']} is not possible here; expected {wanted[0]}."
        if headers.get(b"content-encoding", b"identity") != b"identity":  # MLServer would unpack any amount of zeros
            return 415, "The body is packed; expected JSON as it is, without Content-Encoding."
        if scope["method"] == "POST" and b"json" not in headers.get(b"content-type", b"json").lower():
            return 415, "The body is not announced as JSON; expected the header Content-Type: application/json."
        return 200, ""


async def _body(receive):
    """Read a body. What is over the limit is thrown away, up to four times as much, so that the client hears why."""
    chunks, size, more = [], 0, True
    while more and size <= 4 * LIMIT:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
        if size <= LIMIT:
            chunks.append(message.get("body", b""))
    return b"".join(chunks), "" if size <= LIMIT else f"The body is too long; expected at most {LIMIT:,} bytes."


def _replay(body, receive):
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def again():
        return messages.pop() if messages else await receive()

    return again


class Patient(HttpToolsProtocol):
    """uvicorn's protocol, which would wait for ever for the rest of a request, or for a client that does not read."""

    _running = None  # the request that is worked on; others of the same connection wait behind it

    def connection_made(self, transport):
        super().connection_made(transport)
        self._gone, self._since = False, self.loop.time()
        self._watch()

    def connection_lost(self, error):
        self._gone = True
        if self._running:
            self._running.disconnected = True
        super().connection_lost(error)

    def _start_asgi_task(self, cycle, app):
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self):
        self._since = self.loop.time()
        super().on_response_complete()

    def _waits_for_client(self):
        cycle = self._running
        return not cycle or cycle.more_body or cycle.response_complete or self.flow.write_paused

    def _watch(self):
        """Look once a second whose turn it is, and drop a client that has had its turn for too long."""
        if self._gone:
            return
        if not self._waits_for_client():
            self._since = self.loop.time()
        if self.loop.time() - self._since > PATIENCE:
            self.transport.abort()
        else:
            self.loop.call_later(1, self._watch)

    def shutdown(self):
        if self._waits_for_client():
            self.transport.abort()
        else:
            super().shutdown()


async def _invalid(request, error):
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:5]) or "the body"
    if first["type"] == "json_invalid":
        return JSONResponse(
            {"error": f"The body is no JSON (NaN and Infinity are none either); expected {EXPECTED}."}, 400
        )
    return JSONResponse({"error": f"{where}: {first['msg'][:200]}; expected {EXPECTED}."}, 400)


async def _refused(request, error):
    return JSONResponse({"error": f"{error.detail}; expected {EXPECTED}."}, error.status_code)


async def _failed(request, error):
    return JSONResponse({"error": "The server failed; its log says why."}, 500)


class SwitchedOff(MLServerError):
    """What a client of gRPC hears who asks for more than Guard lets through over HTTP."""

    def __init__(self, *given, **more):
        super().__init__("Loading, unloading and streaming are switched off; expected ModelInfer.")


def switch_off(server):
    """Refuse over gRPC, too, whatever would change the server for everybody, and streams."""

    def refuse(*given, **more):
        raise SwitchedOff

    handlers = server._model_repository_handlers  # as `_rest_server`, without a public way
    handlers.load = handlers.unload = server._data_plane.infer_stream = refuse
    # MLServer logs each refusal with a traceback.
    logging.getLogger("mlserver.grpc").addFilter(lambda record: not isinstance(record.msg, SwitchedOff))


async def serve(folder, host, port):
    """Serve the models below `folder` until a signal comes: HTTP on `port`, gRPC and metrics on the next two ports."""
    settings, models = await load_settings(str(folder))
    settings.host = host
    settings.http_port, settings.grpc_port, settings.metrics_port = port, port + 1, port + 2
    options = {"http": Patient, "lifespan": "off", "log_level": "error"}
    options |= {"timeout_graceful_shutdown": 5, "timeout_keep_alive": PATIENCE}
    settings._custom_rest_server_settings = options
    settings._custom_metrics_server_settings = options
    server = mlserver.MLServer(settings)
    logging.getLogger("mlserver").setLevel(logging.ERROR)
    switch_off(server)
    app = server._rest_server._app  # MLServer 1.7.1 has no public way to it
    for path, files in PAGE.items():
        app.mount(path, StaticFiles(directory=files, html=True, check_dir=False))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _failed)
    app.add_middleware(Guard, models=models)
    threading.Thread(target=announce, args=(port, [model.name for model in models]), daemon=True).start()
    await server.start(models)


def announce(port, names):
    """Wait until all models are ready, then tell where they are."""
    address = f"http://127.0.0.1:{port}"
    for name in names:
        while True:
            try:
                urllib.request.urlopen(f"{address}/v2/models/{name}/ready", timeout=5)
                break
            except OSError:
                time.sleep(0.1)
    gc.collect()
    gc.freeze()  # what start-up made stays; else the collector looks through it, and p99 is several times as long
    request = os.path.relpath(EXPORTED / "digits_request.json")
    print(
        f"MLServer answers. Ask it which digit stands in a test picture:\n"
        f"  curl -s {address}/v2/models/digits/infer -H 'Content-Type: application/json' -d @{request}\n"
        f"Metrics: http://127.0.0.1:{port + 2}/metrics\n"
        f"The page, which asks no server: {address}/page/\n"
        f"Ctrl-C or `make serve-stop` ends it.",
        flush=True,
    )


def check(folder, port):
    """Raise Refused when a port is taken or a model file is not the one that was exported."""
    for number, use in enumerate(("HTTP", "gRPC", "metrics"), port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError as error:
                remedy = "Another program uses it; `make serve PORT=8090` takes other ports."
                raise Refused(f"port {number} ({use}) on 127.0.0.1 is taken ({error.strerror}). {remedy}") from None
    for path in sorted(folder.glob("*/model-settings.json")):
        uri = json.loads(path.read_text(encoding="utf8"))["parameters"]["uri"]
        verified((path.parent / uri).resolve())


def stop(pid):
    """End the server that `make serve` started; say so when there is none."""
    try:
        with open(pid, encoding="ascii") as file:
            number = int(file.read())
            for attempt in range(150):
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the server holds it as long as it lives
                    print("The server has ended." if attempt else "No server of ours runs.")
                    return
                except OSError:
                    if attempt == 0:
                        os.kill(number, signal.SIGTERM)
                    time.sleep(0.1)
    except (OSError, ValueError):
        print("No server of ours runs.")
        return
    sys.exit(f"Problem: the server (process {number}) has not ended within 15 s.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "serving" / "models")
    parser.add_argument("--host", default="127.0.0.1", help="another address only within a container")
    parser.add_argument("--port", type=int, default=8080, help="HTTP; gRPC and metrics take the next two")
    parser.add_argument("--pid", type=pathlib.Path, default=PID, help="file that holds the process id while it runs")
    parser.add_argument("--stop", action="store_true", help="end the server that runs")
    asked = parser.parse_args()
    if asked.stop:
        stop(asked.pid)
        return
    asked.pid.parent.mkdir(exist_ok=True)
    with open(asked.pid, "a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            check(asked.folder, asked.port)
        except BlockingIOError:
            file.seek(0)
            sys.exit(f"Problem: a server of ours runs already (process {file.read()}); `make serve-stop` ends it.")
        except Refused as refusal:
            sys.exit(f"Problem: {refusal}")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        install_uvloop_event_loop()
        asyncio.run(serve(asked.folder, asked.host, asked.port))


if __name__ == "__main__":
    main()
