"""What our image is and is not."""

import json

import pytest

from tests.compose.composition import OURS, Composition
from tests.compose.telling import figure

LARGEST_MB = 250.0
TOOLS = """gcc g++ cc c++ cpp clang ld as make cmake ninja rustc cargo go node npm npx corepack git curl wget
pip pip3 pip3.11 wheel hatchling easy_install uv poetry maturin"""
MODULES = ("pip", "setuptools", "wheel", "hatchling", "ensurepip", "pytest", "mypy")

_FOUND = """
import importlib.util, json, os, sys
tools, modules = set(sys.argv[1].split()), sys.argv[2].split()
files = [os.path.join(at, name) for at, folders, names in os.walk("/") for name in names
         if not at.startswith(("/proc", "/sys"))]
found = [file for file in files if os.path.basename(file) in tools and os.access(file, os.X_OK)]
found += [file for file in files if file.endswith((".whl", ".o", ".a"))]
print(json.dumps(found + [name for name in modules if importlib.util.find_spec(name)]))
"""
_WRITTEN = """
import errno, os
taken = []
for at, folders, names in os.walk("/"):
    folders[:] = [one for one in folders if at != "/" or one not in ("proc", "sys", "dev", "tmp")]
    try:
        open(os.path.join(at, ".written"), "w").close()
        taken.append(at)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM, errno.EBUSY):
            raise
print(taken)
"""


def test_it_is_at_most_250_mb_beyond_its_base(built: Composition) -> None:
    base = built.images.megabytes(built.images.base("python"))
    whole = built.images.megabytes(built.images.ours)
    figure(f"image {whole:.0f} MB, {whole - base:.0f} MB beyond its base ({base:.0f} MB); allowed {LARGEST_MB:.0f} MB")
    assert whole - base <= LARGEST_MB


def test_it_holds_no_build_tools(built: Composition) -> None:
    """Neither as a program, nor as a module, nor packed."""
    script = [built.images.ours, "-c", _FOUND, TOOLS, " ".join(MODULES)]
    said = built.docker("run", "--rm", "--network=none", "--user=0:0", "--entrypoint=python", *script)
    assert json.loads(said) == []
    figure(f"none of {len(TOOLS.split())} build tools and {len(MODULES)} modules of them in the image")


def test_it_names_a_user_who_is_not_root(built: Composition) -> None:
    assert built.docker.inspect(built.images.ours)["Config"]["User"] == "10001:10001"


@pytest.mark.parametrize("service", OURS)
def test_a_service_runs_as_that_user_without_any_privilege(running: Composition, service: str) -> None:
    status = running.inside(service, "python", "-c", "print(open('/proc/1/status').read())")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["10001"] * 4
    assert fields["Gid"].split() == ["10001"] * 4
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1"


@pytest.mark.parametrize("service", OURS)
def test_a_services_root_file_system_takes_no_write_even_from_root(running: Composition, service: str) -> None:
    assert running.container(service)["HostConfig"]["ReadonlyRootfs"] is True
    assert running.inside(service, "python", "-c", _WRITTEN, user="0:0").strip() == "[]"
    mounts = running.inside(service, "python", "-c", "print(open('/proc/mounts').read())").splitlines()
    [root] = [line.split()[3] for line in mounts if " / " in line]
    assert "ro" in root.split(",")
