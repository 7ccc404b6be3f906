"""What the stack is made of: each component's command, ports, question and address."""

import smtplib
import sys
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

from deploy.local import kafka, mongod
from deploy.local.errors import NotReachable, StackError
from deploy.local.home import Home
from deploy.local.ports import Ports
from deploy.local.tools import ROOT, Tools

# The setting that names a server elsewhere, and the ports that one of ours takes.
SETTING = {
    "kafka": "MIGLOBE_KAFKA",
    "mongo": "MIGLOBE_MONGO",
    "mail": "MIGLOBE_SMTP",
    "provider": "MIGLOBE_OIDC_ISSUER",
}
PORTS = {
    "kafka": ("kafka", "kafka-controller"),
    "mongo": ("mongo",),
    "mail": ("smtp", "mail"),
    "provider": ("provider",),
}
HTTP = ("site", "mail", "provider", "intake", "matching", "notifications", "reporting")

# The way to ourselves leads through no proxy, whatever the environment says.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Recipe = tuple[list[str], Callable[[], bool]]


def recipe(name: str, home: Home, ports: Ports, tools: Tools) -> Recipe:
    """The command that runs a component and the question whether it is ready. Raises: NotInstalled."""
    if name == "kafka":
        return kafka_node(home.path / "kafka", [(ports["kafka"], ports["kafka-controller"])], 1, tools)
    if name == "mongo":
        return mongod_node(home.path / "mongo", [ports["mongo"]], 1, tools)
    if name == "mail":
        listen = [f"--smtp-port={ports['smtp']}", f"--http-port={ports['mail']}", f"--directory={home.mail}"]
        command = [sys.executable, "-m", "deploy.local.mailsink", *listen]
        return command, lambda: _ok(f"http://127.0.0.1:{ports['mail']}/livez")
    if name == "site":
        command = ["caddy", "run", "--adapter=caddyfile", f"--config={ROOT / 'deploy' / 'Caddyfile'}"]
        return command, lambda: _says(f"http://127.0.0.1:{ports['site']}/livez") == 404
    if name == "provider":
        command = [sys.executable, "-m", "deploy.local.provider", f"--port={ports['provider']}"]
        return command, lambda: _ok(discovery(address(name, ports)))
    service, _, _ = name.partition("-")
    command = [miglobe(), "serve", service, "--host", "127.0.0.1", "--port", str(ports[name])]
    return command, lambda: _ok(f"http://127.0.0.1:{ports[name]}/readyz")


def kafka_node(home: Path, nodes: Sequence[kafka.Ports], number: int, tools: Tools) -> Recipe:
    """The `number`th of `nodes`, each (its port, its controller's); all of them together are one cluster."""
    return kafka.prepare(home, nodes, number, tools), lambda: kafka.is_member(nodes[number - 1][0])


def mongod_node(home: Path, members: Sequence[int], number: int, tools: Tools) -> Recipe:
    """The `number`th of the replica set that has these ports."""
    return mongod.prepare(home, members[number - 1], tools), lambda: mongod.is_ready(members, number)


def address(name: str, ports: Ports) -> str:
    """Where a component listens, in the form that its setting wants."""
    if name == "mongo":
        return mongod.uri(ports["mongo"])
    if name == "mail":
        return f"smtp://127.0.0.1:{ports['smtp']}"
    if name == "provider":
        return f"http://127.0.0.1:{ports['provider']}"
    return f"127.0.0.1:{ports[name]}"


def discovery(issuer: str) -> str:
    """Where an OpenID provider describes itself."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def miglobe() -> str:
    """The operator's command of this environment. Raises: StackError."""
    path = Path(sys.executable).with_name("miglobe")
    if not path.exists():
        raise StackError(f"{path} is missing: run `make install`.")
    return str(path)


def ask(name: str, address: str) -> None:
    """Raises: NotReachable, unless the server elsewhere answers."""
    try:
        if _answers[name](address):
            return
    except (OSError, ValueError):
        pass
    raise NotReachable(
        f"Nothing answers at {SETTING[name]}={_without_password(address)}: start that server, "
        f"or unset {SETTING[name]} so that one is started here."
    )


def _smtp_answers(address: str) -> bool:
    parts = urlsplit(address)
    tls = parts.scheme == "smtps"
    port = parts.port or (465 if tls else 587 if parts.username else 25)
    with (smtplib.SMTP_SSL if tls else smtplib.SMTP)(parts.hostname or "", port, timeout=5) as smtp:
        return smtp.noop()[0] == 250


_answers: dict[str, Callable[[str], bool]] = {
    "kafka": kafka.answers,
    "mongo": mongod.answers,
    "mail": _smtp_answers,
    "provider": lambda issuer: _ok(discovery(issuer)),
}


def _without_password(address: str) -> str:
    secret = urlsplit(address).password if "://" in address else None
    return address.replace(secret, "***") if secret else address


def site_env(home: Home, ports: Ports) -> dict[str, str]:
    """What the Caddyfile wants to be told."""
    services = ("intake", "matching", "notifications", "reporting")
    return {
        "MIGLOBE_SITE": f"http://:{ports['site']}",
        "MIGLOBE_SITE_BIND": "127.0.0.1",
        **{f"MIGLOBE_TO_{name.upper()}": f"127.0.0.1:{ports[name]}" for name in services},
        "XDG_DATA_HOME": str(home.path / "site"),
        "XDG_CONFIG_HOME": str(home.path / "site"),
    }


def _says(url: str) -> int:
    try:
        with _direct.open(url, timeout=2) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def _ok(url: str) -> bool:
    with _direct.open(url, timeout=2) as answer:  # an answer ≥ 400 is an OSError too
        return bool(answer.status == 200)
