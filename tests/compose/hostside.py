"""How this machine reaches package mirrors, brought into images: certificates, pip, npm and apt settings.

Nothing of it is in the repository; the images that hold it are removed at the end.
"""

import re
import subprocess
import sys
from pathlib import Path

from tests.compose.docker import Docker

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
THERE = Path("/etc/ssl/of-the-host.crt")
"""Not the usual place: Debian's package of certificates would write over it."""
DEBIAN, MIRROR = "bookworm", "http://deb.debian.org/debian"
_PIP = {"index-url", "extra-index-url", "trusted-host", "proxy", "timeout"}
_NPM = re.compile(r"^(@\S+:)?(registry|proxy|https-proxy|noproxy|strict-ssl)\s*=|^//\S+:_\w+\s*=")
_APT = re.compile(r"^Acquire::(http|https|Check-)")

_DOCKERFILE = """\
ARG FROM
FROM ${FROM}
COPY files /
ENV PIP_CERT=%(bundle)s NODE_EXTRA_CA_CERTS=%(bundle)s SSL_CERT_FILE=%(bundle)s
"""


def layer(docker: Docker, image: str, tag: str, work: Path) -> None:
    """`tag` is `image` with this machine's settings."""
    files = {
        "etc/pip.conf": "[global]\n" + "".join(f"{line}\n" for line in _pip()),
        "usr/local/etc/npmrc": "".join(f"{line}\n" for line in _npm()),
        "etc/apt/apt.conf.d/90-of-the-host": "".join(f"{line}\n" for line in _apt()),
    }
    context = work / f"layer-{tag.replace('/', '-').replace(':', '-')}"
    for name, text in files.items():
        place = context / "files" / name
        place.parent.mkdir(parents=True)
        place.write_text(text)
    bundle = context / "files" / THERE.relative_to("/")
    bundle.parent.mkdir(parents=True)
    bundle.write_bytes(CERTIFICATES.read_bytes() if CERTIFICATES.exists() else b"")
    dockerfile = context / "Dockerfile"
    dockerfile.write_text(_DOCKERFILE % {"bundle": THERE})
    docker.build(tag, context, dockerfile, FROM=image)


def mirror() -> str:
    """Where this machine takes Debian's packages from."""
    for line in _said("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Identifier: Packages"):
        uri, _, release = line.partition(" ")
        if release == DEBIAN:
            return uri
    return MIRROR


def unmount(folder: Path) -> None:
    """Whatever a daemon or debootstrap that was broken off left mounted below."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((one for one in mounted if one.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False)


def _pip() -> list[str]:
    found = {}
    for line in _said(sys.executable, "-m", "pip", "config", "list"):
        name, _, value = line.partition("=")
        key = name.rpartition(".")[2]
        if key in _PIP:
            found[key] = value.strip("'").replace("\\n", "\n    ")
    return [f"{key} = {value}" for key, value in found.items()]


def _npm() -> list[str]:
    lines = [f"registry={url}" for url in _said("npm", "config", "get", "registry")[:1]]
    user = Path.home() / ".npmrc"
    text = user.read_text() if user.exists() else ""
    return lines + [line for line in text.splitlines() if _NPM.match(line) and not line.startswith("registry")]


def _apt() -> list[str]:
    return [line for line in _said("apt-config", "dump") if _APT.match(line)]


def _said(*command: str) -> list[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
