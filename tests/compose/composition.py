"""docker-compose.yml as it is, under names, a secret and an address of its own."""

import json
import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.tools import ROOT
from tests.compose.docker import Docker, DockerError
from tests.compose.images import Images
from tests.compose.telling import figure, say

PORTS = {
    "site": 8000,
    "intake": 8001,
    "matching": 8002,
    "notifications": 8003,
    "reporting": 8004,
    "mail": 8025,
    "keycloak": 8080,
}
OURS = ("intake", "matching", "notifications", "reporting")
JOBS = ("topics", "mongo-init")
SERVERS = ("kafka", "mongo", "mailpit", "keycloak", "site")
HEALTHY_SECONDS = 420.0


@dataclass
class Composition:
    """`up` builds and starts; `down` removes containers, networks, volumes."""

    docker: Docker
    images: Images
    command: Sequence[str]
    work: Path
    secret: str = field(default_factory=lambda: secrets.token_hex(32))

    def __post_init__(self) -> None:
        self.project = f"miglobetest{secrets.token_hex(4)}"
        # any address of the loopback network will do, so that whatever has the usual ports keeps them
        own = f"127.{77 + secrets.randbelow(100)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"
        self.bind, self.host = ("0.0.0.0", self.docker.address) if _remote(self.docker) else (own, own)
        self.urls = {name: f"http://{self.host}:{port}" for name, port in PORTS.items()}
        override = {"image": self.images.ours, "build": {"network": "host"}}
        self._override = self.work / "override.json"
        self._override.write_text(json.dumps({"services": dict.fromkeys((*OURS, *JOBS), override)}))

    def __call__(self, *arguments: str, timeout: float = 900) -> str:
        files = ["--file", str(ROOT / "docker-compose.yml"), "--file", str(self._override)]
        command = [*self.command, *files, "--project-directory", str(ROOT), "--project-name", self.project]
        urls = {f"MIGLOBE_{name.upper()}_URL": self.urls[name] for name in ("site", *OURS)}
        given = {"MIGLOBE_SECRET": self.secret, "MIGLOBE_BIND": self.bind, **urls, **self._login()}
        return self.docker.run([*command, *arguments], cwd=ROOT, timeout=timeout, **given)

    def _login(self) -> dict[str, str]:
        """Where browsers find Keycloak; with a daemon elsewhere nobody logs in, for http is for this machine only."""
        issuer = "" if _remote(self.docker) else f"{self.urls['keycloak']}/realms/miglobe"
        return {"MIGLOBE_KEYCLOAK_URL": self.urls["keycloak"], "MIGLOBE_OIDC_ISSUER": issuer}

    def build(self) -> None:
        begun = time.monotonic()
        bases = {f"{what.upper()}_IMAGE": self.images.base(what) for what in ("python", "node")}
        proxied = {name: os.environ[name] for name in os.environ if name.lower().endswith("_proxy")}
        arguments = [one for item in (bases | proxied).items() for one in ("--build-arg", "=".join(item))]
        self("build", *arguments, "intake")
        figure(f"image built in {time.monotonic() - begun:.0f} s")

    def up(self) -> None:
        begun = time.monotonic()
        try:
            self("up", "--detach", "--no-build")
        except DockerError as error:
            made = [name for name in (*OURS, *SERVERS) if self._found(name)]
            said = "\n".join(f"{name} is not healthy:\n{self.logs(name)}" for name in made if not self._healthy(name))
            raise AssertionError(f"{error}\n{said}") from error
        for name in (*OURS, *SERVERS):
            self.until_healthy(name)
        figure(f"composition healthy {time.monotonic() - begun:.0f} s after `up`")

    def down(self) -> None:
        self("down", "--volumes", "--timeout", "30")

    def container(self, service: str) -> Any:
        """What `docker inspect` says of a service's only container."""
        found = self._found(service)
        assert len(found) == 1, f"{service}: {found}"
        return self.docker.inspect(found[0])

    def inside(self, service: str, *command: str, user: str | None = None) -> str:
        """Runs `command` in a service's container."""
        as_user = ["--user", user] if user else []
        return self.docker("exec", *as_user, self.container(service)["Id"], *command)

    def kill(self, service: str) -> None:
        """SIGKILL from outside for the main process; `docker kill` would count as wanted, and stay down.

        By a container that sees the host's processes, since the daemon's host need not be this one.
        """
        pid = self.container(service)["State"]["Pid"]
        script = f"import os; os.kill({pid}, 9)"
        alone = ["--rm", "--pid=host", "--network=none", "--user=0:0", "--entrypoint=python"]
        self.docker("run", *alone, self.images.base("python"), "-c", script)
        say(f"killed {service}, process {pid}")

    def restarted(self, service: str, times: int = 1) -> None:
        """Returns when it was started again so often by the daemon and is healthy."""
        until(f"{service} to be started again", lambda: self.container(service)["RestartCount"] >= times)
        self.until_healthy(service)

    def until_healthy(self, service: str) -> None:
        try:
            until(f"{service} to be healthy", lambda: self._healthy(service))
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.logs(service)}") from None

    def _found(self, service: str) -> list[str]:
        mine = [f"label=com.docker.compose.{name}" for name in (f"project={self.project}", f"service={service}")]
        return self.docker("ps", "--all", "--quiet", *(f"--filter={one}" for one in mine)).split()

    def _healthy(self, service: str) -> bool:
        state = self.container(service)["State"]
        return bool(state["Running"]) and state.get("Health", {"Status": "healthy"})["Status"] == "healthy"

    def logs(self, service: str) -> str:
        return self("logs", "--no-color", "--tail=30", service)


def _remote(docker: Docker) -> bool:
    return docker.host.startswith(("tcp://", "http://", "https://"))


def until(what: str, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + HEALTHY_SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited {HEALTHY_SECONDS:.0f} s for {what}"
        time.sleep(0.3)
