"""Docker's command line, towards one daemon."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LABEL = "miglobe.test"


class DockerError(Exception):
    """A command failed; str() has its last words."""


@dataclass(frozen=True)
class Docker:
    """`host`: what DOCKER_HOST is to be, "" for the default."""

    host: str = ""
    own: bool = False
    env: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        named = {"DOCKER_HOST": self.host} if self.host else {}
        object.__setattr__(self, "env", os.environ | named)

    @property
    def address(self) -> str:
        """Where the ports of its containers are."""
        return urlsplit(self.host).hostname or "127.0.0.1"

    def __call__(self, *arguments: str, timeout: float = 600) -> str:
        """`docker arguments`; its output."""
        return self.run(["docker", *arguments], timeout=timeout)

    def run(self, command: Sequence[str], *, cwd: Path | None = None, timeout: float = 600, **env: str) -> str:
        """Raises DockerError."""
        try:
            done = subprocess.run(
                command, cwd=cwd, env={**self.env, **env}, capture_output=True, text=True, check=False, timeout=timeout
            )
        except FileNotFoundError as error:
            raise DockerError(f"{command[0]} is missing") from error
        except subprocess.TimeoutExpired as error:
            raise DockerError(f"{' '.join(command[:3])} took longer than {timeout:.0f} s") from error
        if done.returncode != 0:
            words = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise DockerError(f"{' '.join(command[:4])} … ended with {done.returncode}:\n{words}")
        return done.stdout

    def answers(self) -> bool:
        try:
            return bool(self("version", "--format", "{{.Server.Version}}", timeout=20).strip())
        except DockerError:
            return False

    def inspect(self, name: str) -> Any:
        """A container or image. Raises DockerError when there is none."""
        return json.loads(self("inspect", name))[0]

    def has_image(self, name: str, *, official: bool = False) -> bool:
        """official: not one of ours that a run before left behind."""
        found = self("image", "ls", "--quiet", name).strip()
        ours = self("image", "ls", "--quiet", f"--filter=label={LABEL}", name).strip()
        return bool(found) and not (official and ours)

    def build(self, tag: str, context: Path, dockerfile: Path, **arguments: str) -> None:
        """On the host's network, so that whatever reaches package mirrors here reaches them there."""
        given = [one for name, value in (proxies() | arguments).items() for one in ("--build-arg", f"{name}={value}")]
        self(
            "build",
            "--quiet",
            "--network=host",
            f"--label={LABEL}",
            *given,
            f"--tag={tag}",
            f"--file={dockerfile}",
            str(context),
        )


def proxies() -> dict[str, str]:
    """Docker takes these build arguments without their being declared."""
    names = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    return {name: os.environ[name] for one in names for name in (one, one.lower()) if os.environ.get(name)}
