"""Keycloak's release, from Maven Central, where its image can't be pulled."""

import subprocess
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.install import need_package

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack"


def fetch(version: str, folder: Path) -> Path:
    """Unpacks the release into `folder`; returns its home. Raises StackError."""
    need_package("mvn", "maven")
    artifact = f"org.keycloak:keycloak-quarkus-dist:{version}:zip"
    command = ["mvn", "--quiet", "--batch-mode", "--strict-checksums", _PLUGIN]
    done = subprocess.run(
        [*command, f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if done.returncode != 0:
        raise StackError(f"Maven could not fetch {artifact}: {done.stdout[-500:]}")
    return folder / f"keycloak-{version}"
