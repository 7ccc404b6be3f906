"""Which port each component listens on."""

import random
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from deploy.local.errors import PortInUse, StackError

DEFAULTS = {
    "site": 8000,
    "kafka": 9092,
    "kafka-controller": 9093,
    "mongo": 27017,
    "smtp": 1025,
    "mail": 8025,
    "provider": 9400,
    "intake": 8001,
    "matching": 8002,
    "notifications": 8003,
    "reporting": 8004,
}

# Below the range from which the kernel takes the ports of outgoing connections, so none is lost to those.
_FREE_RANGE = range(20_000, 32_000)


@dataclass
class Ports:
    """The ports of one stack; `claims` keeps other stacks of this machine from choosing the same ones."""

    by_name: dict[str, int]
    claims: list[socket.socket] = field(default_factory=list)

    def __getitem__(self, name: str) -> int:
        return self.by_name[name]

    def knows(self, name: str) -> bool:
        """Whether a port of this name was chosen."""
        return name in self.by_name

    def release(self) -> None:
        """Give the claims up; the ports themselves are free once the processes have ended."""
        for claim in self.claims:
            claim.close()
        self.claims.clear()


def fixed(names: Iterable[str], offset: int) -> Ports:
    """The default ports, shifted by `offset`.

    Raises: PortInUse, if somebody listens on one; StackError, if the offset leads out of 1..65535.
    """
    ports = Ports({name: DEFAULTS[name] + offset for name in names})
    for name, port in ports.by_name.items():
        if not 0 < port < 65536:
            raise StackError(f"PORT_OFFSET={offset} moves {name} to port {port}; choose one that stays below 65536.")
        claim = _claim(port)
        if claim is None or not _is_free(port):
            ports.release()
            raise PortInUse(
                f"Port {port} ({name}) is in use: stop what listens there, or shift all ports, "
                f"e.g. `PORT_OFFSET={offset + 1000} make up`."
            )
        ports.claims.append(claim)
    return ports


def free(names: Iterable[str], remembered: Mapping[str, int]) -> Ports:
    """Free ports; the remembered ones where they are still free."""
    ports = Ports({})
    for name in names:
        wish = remembered.get(name)
        wishes = [wish] if wish else []
        for port in wishes + random.sample(_FREE_RANGE, 200):
            claim = _claim(port)
            if claim and _is_free(port):
                ports.by_name[name] = port
                ports.claims.append(claim)
                break
            if claim:
                claim.close()
        else:
            ports.release()
            raise PortInUse(f"No free port found between {_FREE_RANGE.start} and {_FREE_RANGE.stop}.")
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do it: a connection in TIME_WAIT is no obstacle, a listener is.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _claim(port: int) -> socket.socket | None:
    """A name in Linux's abstract namespace: taken by one stack at a time, gone with its process."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0miglobe-port-{port}".encode())
    except OSError:
        claim.close()
        return None
    return claim
