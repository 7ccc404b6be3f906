"""The embedded stack as an object: start it, hurt it, stop it.

    with Stack(home, services=()) as stack:
        client = AsyncMongoClient(stack.mongo)

All methods block; from async code call them by `asyncio.to_thread`.
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.local import parts, ports
from deploy.local.component import Component
from deploy.local.crew import Crew
from deploy.local.errors import StackError
from deploy.local.tools import Tools

SERVICES = ("intake", "matching", "notifications", "reporting")
_INFRASTRUCTURE = ("kafka", "mongo", "mail", "provider")


class Stack(Crew):
    """Kafka, mongod, the mail sink, the OpenID provider and services, started in order, each awaited by asking it.

    home: data, logs, ports and secret; a second start with the same home finds its data again.
    services: the ones to start, after `miglobe topics apply`; () starts none, no provider, and applies nothing.
    site: one address in front of the services, by Caddy, where it is installed; all four must be started then.
    spare: further processes of services, such as "matching-2", which start_one() starts; on free ports only.
    free_ports: take any free ports (the same ones again at the next start, if possible) instead of the
        defaults shifted by `port_offset`.
    env: laid over this process's environment, for the stack and for its processes. Where MIGLOBE_KAFKA,
        MIGLOBE_MONGO, MIGLOBE_SMTP or MIGLOBE_OIDC_ISSUER is set, that server is used instead of starting one; ""
        unsets it.
    report: gets one line per component that is ready.

    Attributes, from start() on: kafka (host:port), mongo (URI), smtp (smtp://host:port), issuer (the
    provider's URL), urls (base URL of each service, of "provider", and of the inbox as "mail"), mail_dir (one .eml
    file per mail).
    """

    servers = _INFRASTRUCTURE

    def __init__(
        self,
        home: Path,
        services: Sequence[str] = SERVICES,
        *,
        site: bool = False,
        spare: Sequence[str] = (),
        free_ports: bool = True,
        port_offset: int = 0,
        env: Mapping[str, str] | None = None,
        tools: Tools | None = None,
        report: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(home, report)
        self.services = tuple(services)
        self.spare = tuple(spare)
        self.tools = tools or Tools()
        self.site = site and set(SERVICES) <= set(services) and self.tools.caddy() is not None
        self.kafka = self.mongo = self.smtp = self.issuer = ""
        self.urls: dict[str, str] = {}
        self._env = {**os.environ, **(env or {})}
        self._free_ports, self._port_offset = free_ports, port_offset

    @property
    def mail_dir(self) -> Path:
        """One file per mail that the sink took, in the order of arrival by name."""
        return self.home.mail

    def env(self) -> dict[str, str]:
        """The whole environment for a process that is to work with this stack."""
        urls = {f"MIGLOBE_{name.upper()}_URL": self.urls[name] for name in SERVICES if name in self.urls}
        site = {"MIGLOBE_SITE_URL": self.urls["site"]} if "site" in self.urls else {}
        return {
            "MIGLOBE_WEBHOOK_LOOPBACK": "true",
            **urls,
            **site,
            **self._env,
            "MIGLOBE_KAFKA": self.kafka,
            "MIGLOBE_MONGO": self.mongo,
            "MIGLOBE_SMTP": self.smtp,
            **self._login(),
            "MIGLOBE_SECRET": self._env.get("MIGLOBE_SECRET") or self.home.secret(),
        }

    def _login(self) -> dict[str, str]:
        """With our own provider its settings, and the command line's tokens beside it: the stack is for one machine."""
        if not self.issuer or self._env.get(parts.SETTING["provider"]):
            return {}
        own = {"MIGLOBE_OIDC_CLIENT_SECRET": "any", "MIGLOBE_LOCAL_TOKENS": "true"}
        return {"MIGLOBE_OIDC_ISSUER": self.issuer} | {name: self._env.get(name) or own[name] for name in own}

    def env_of(self, name: str) -> Mapping[str, str]:
        """The environment of one component; a subclass may tell services apart."""
        if name == "site":
            return self._env | parts.site_env(self.home, self._ports)
        return self._env if name in _INFRASTRUCTURE else self.env()

    def apply_topics(self) -> None:
        """Create Kafka's topics. Raises: StackError."""
        began = time.monotonic()
        command = [parts.miglobe(), "topics", "apply"]
        done = subprocess.run(command, env=self.env(), capture_output=True, text=True, check=False, timeout=120)
        if done.returncode != 0:
            lines = (done.stdout + done.stderr).strip().splitlines()[-20:]
            raise StackError("`miglobe topics apply` failed:\n" + "\n".join(f"    {line}" for line in lines))
        self._report(f"{'topics':<14} applied in {time.monotonic() - began:4.1f} s")

    def _begin(self) -> None:
        self._choose()
        self._together(self._servers(), self._provide)
        if self.services:
            self.apply_topics()
            self._together([*self.services, "site"] if self.site else self.services, self.start_one)

    def _servers(self) -> tuple[str, ...]:
        """Nobody logs in where no service runs."""
        return _INFRASTRUCTURE if self.services else _INFRASTRUCTURE[:-1]

    def _choose(self) -> None:
        own = [name for name in self._servers() if not self._env.get(parts.SETTING[name])]
        self.tools.require(own)
        names = [name for part in own for name in parts.PORTS[part]] + [*self.services, *self.spare]
        if self.site:
            names.insert(0, "site")
        if self._free_ports:
            self._ports = ports.free(names, self.home.ports())
        else:
            self._ports = ports.fixed(names, self._port_offset)
        self.home.remember(self._ports.by_name)
        self.urls = {name: f"http://127.0.0.1:{self._ports[name]}" for name in names if name in parts.HTTP}

    def _provide(self, name: str) -> None:
        """Start one of the servers; or ask for the one that the environment names."""
        address = self._env.get(parts.SETTING[name], "")
        if address:
            parts.ask(name, address)
            self._report(f"{name:<14} {address} answers")
        else:
            address = parts.address(name, self._ports)
            self.start_one(name)
        setattr(self, {"mail": "smtp", "provider": "issuer"}.get(name, name), address)

    def _build(self, name: str) -> Component | None:
        if not self._ports.knows(name):
            return None
        command, probe = parts.recipe(name, self.home, self._ports, self.tools)
        return Component(
            name,
            command,
            log=self.home.log(name),
            probe=probe,
            env={**self.env_of(name), **self.home.mark},
            abort=self._abort,
        )

    def _where(self, name: str) -> str:
        return self.urls.get(name) or parts.address(name, self._ports)
