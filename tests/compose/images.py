"""The images that docker-compose.yml and the Dockerfile name: there, pulled, or stood in for."""

import re
import secrets
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.install import need_package
from deploy.local.tools import ROOT, Tools
from tests.compose import hostside, keycloak
from tests.compose.docker import Docker, DockerError
from tests.compose.telling import say

STANDINS = Path(__file__).parent / "standins"
_MAIL = "aiosmtpd anyio atpublic attrs click h11 idna jinja2 markupsafe starlette typing-extensions uvicorn"
_PACKAGES = {"mailpit": _MAIL}


def named() -> dict[str, str]:
    """caddy, kafka, keycloak, mongo, mailpit, prometheus, python, node → the official name with its tag."""
    compose = re.findall(r"^\s+image: (\S+:\S+)$", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE)
    bases = re.findall(r"^ARG \w+_IMAGE=(\S+)$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    found = {name.partition(":")[0].rpartition("/")[2]: name for name in (*compose, *bases)}
    del found["grafana"]  # nothing here can stand in for it
    assert set(found) == {"caddy", "kafka", "keycloak", "mongo", "mailpit", "prometheus", "python", "node"}, found
    return found


@dataclass
class Images:
    """`made`: what is to be removed at the end. Pulled ones stay, as after any pull."""

    docker: Docker
    work: Path
    names: dict[str, str] = field(default_factory=named)
    made: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._run = f"miglobe-test-{secrets.token_hex(4)}"
        self.ours = self.tag("image")

    def tag(self, what: str) -> str:
        return f"{self._run}/{what}:latest"

    def provide(self) -> None:
        """Raises DockerError, StackError."""
        with ThreadPoolExecutor(len(self.names)) as pool:
            there = dict(zip(self.names, pool.map(self._there, self.names.values()), strict=True))
        missing = [what for what, found in there.items() if not found]
        if missing:
            say(f"images: stand-ins for {', '.join(self.names[what] for what in missing)}")
            self._stand_in(missing)
        for what in ("python", "node"):
            if what not in missing:  # a stand-in has this machine's settings already
                self._layer(self.names[what], what)

    def base(self, what: str) -> str:
        """What our image is built on: the official image, where packages are reached as from here."""
        return self.tag(what) if self.tag(what) in self.made else self.names[what]

    def remove(self) -> None:
        for tag in [*reversed(self.made), self.ours]:
            if self.docker.has_image(tag):
                self.docker("image", "rm", "--force", tag)

    def _there(self, name: str) -> bool:
        if self.docker.has_image(name, official=True):
            say(f"images: {name} is there")
            return True
        try:
            self.docker("pull", "--quiet", name, timeout=900)
        except DockerError:
            return False
        say(f"images: {name} pulled")
        return True

    def _stand_in(self, missing: list[str]) -> None:
        files: dict[str, dict[str, Path]] = {
            "caddy": {},
            "kafka": {"libs": Tools().kafka_libs, "kafka.sh": STANDINS / "kafka.sh"},
            "mongo": {"mongod": Path(Tools().mongod()), "mongo.sh": STANDINS / "mongo.sh"},
            "mailpit": {"deploy": ROOT / "deploy", "mailpit.py": STANDINS / "mailpit.py"},
            "prometheus": {},
            "node": {},
        }
        if "keycloak" in missing:
            version = self.names["keycloak"].rpartition(":")[2]
            files["keycloak"] = {"keycloak": keycloak.fetch(version, self.work / "keycloak-release")}
        debian = self._debian()

        def on_python() -> None:
            if "python" in missing:
                self._build("python", {}, BASE=debian)
                python = self.names["python"]
            else:
                python = self._layer(self.names["python"], "python")
            for what in {"node", "mailpit"} & set(missing):
                self._build(what, files[what], PYTHON=python)

        with ThreadPoolExecutor(3) as pool:
            on_debian = [what for what in ("keycloak", "caddy", "kafka", "mongo", "prometheus") if what in missing]
            tasks = [pool.submit(self._build, what, files[what], BASE=debian) for what in on_debian]
            for task in [*tasks, pool.submit(on_python)]:
                task.result()

    def _build(self, what: str, files: dict[str, Path], **arguments: str) -> None:
        context = self.work / what
        context.mkdir()
        for name, source in files.items():
            if source.is_dir():
                shutil.copytree(source, context / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, context / name)
        if what in _PACKAGES:
            (context / "requirements.txt").write_text(_locked(_PACKAGES[what]))
        self.docker.build(self.names[what], context, STANDINS / f"{what}.Dockerfile", **arguments)
        self.made.append(self.names[what])
        say(f"images: {self.names[what]} stood in for, {self.megabytes(self.names[what]):.0f} MB")

    def _layer(self, name: str, what: str) -> str:
        if self.tag(what) not in self.made:
            hostside.layer(self.docker, name, self.tag(what), self.work)
            self.made.append(self.tag(what))
        return self.tag(what)

    def _debian(self) -> str:
        """Debian's smallest system, of the mirror that this machine uses."""
        need_package("debootstrap", "debootstrap")
        root, bare = self.work / "debian", self.tag("debian-bare")
        try:
            self.docker.run(
                ["debootstrap", "--variant=minbase", hostside.DEBIAN, str(root), hostside.mirror()], timeout=900
            )
            packed = subprocess.Popen(
                ["tar", "--create", "--numeric-owner", f"--directory={root}", "."], stdout=subprocess.PIPE
            )
            with packed:
                subprocess.run(
                    ["docker", "import", "-", bare],
                    stdin=packed.stdout,
                    env=self.docker.env,
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
        finally:
            hostside.unmount(root)
            shutil.rmtree(root, ignore_errors=True)
        self.made.append(bare)
        return self._layer(bare, "debian")

    def megabytes(self, name: str) -> float:
        return float(self.docker.inspect(name)["Size"]) / 1_000_000


def _locked(names: str) -> str:
    """Of requirements-dev.txt the packages named, with their hashes."""
    kept, keep, wanted = [], False, set(names.split())
    for line in (ROOT / "requirements-dev.txt").read_text().splitlines():
        if re.match(r"[a-z]", line):
            keep = line.partition("==")[0] in wanted
        if keep:
            kept.append(line)
    return "\n".join(kept) + "\n"
