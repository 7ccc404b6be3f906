"""A stack whose services reach their servers by ways that can be broken."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local import ports
from deploy.local.component import Component
from deploy.local.stack import Stack
from tests.chaos.mailserver import MailServer
from tests.chaos.proxy import Way

_PROPERTIES = """
listeners=PLAINTEXT://127.0.0.1:{port},WAY://127.0.0.1:{door},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},WAY://127.0.0.1:{way}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,WAY:PLAINTEXT,CONTROLLER:PLAINTEXT
"""
"""A second door of Kafka: whoever comes by the way is told to go on by it."""


class Remote(Stack):
    """`ways` by server; the stack's own addresses, `kafka` and `mongo`, lead past them.

    A Kafka that runs elsewhere has no second door, so there is no way to it. `post` is a mail server of moods
    with the same mailbox as the sink, for times in which the way for mails leads to it.
    """

    def __init__(self, home: Path, env: Mapping[str, str], spare: Sequence[str] = ()) -> None:
        super().__init__(home, spare=spare, env=env)
        self.ways = {"mongo": Way(lambda: _port(self.mongo)), "mail": Way(lambda: _port(self.smtp))}
        if not env.get("MIGLOBE_KAFKA"):
            self.ways["kafka"] = Way(lambda: self._more["door"])
        self._more = ports.free(["door", "post"], {})
        self.post = MailServer(self.mail_dir, self._more["post"])

    def env(self) -> dict[str, str]:
        own = super().env()
        own["MIGLOBE_MONGO"] = f"mongodb://127.0.0.1:{self.ways['mongo'].port}/?directConnection=true"
        own["MIGLOBE_SMTP"] = f"smtp://127.0.0.1:{self.ways['mail'].port}"
        if "kafka" in self.ways:
            own["MIGLOBE_KAFKA"] = f"127.0.0.1:{self.ways['kafka'].port}"
        return own

    def stop(self) -> None:
        super().stop()
        self.post.close()
        for way in self.ways.values():
            way.close()
        self._more.release()

    def _begin(self) -> None:
        self.post.open()
        for way in self.ways.values():
            way.open()
        super()._begin()

    def _build(self, name: str) -> Component | None:
        component = super()._build(name)
        if name == "kafka":
            own = {"port": self._ports["kafka"], "controller": self._ports["kafka-controller"]}
            with (self.home.path / "kafka" / "server.properties").open("a") as settings:  # what comes last counts
                settings.write(_PROPERTIES.format(door=self._more["door"], way=self.ways["kafka"].port, **own))
        return component


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port
