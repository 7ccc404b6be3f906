"""mongod on a disk of its own, which gets full. Needs root: for others the ground is left out."""

import asyncio
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import ProcessDied
from deploy.local.stack import Stack
from tests.chaos.faults import Fault, Ground, Kind, Letters
from tests.chaos.world import Observer

SIZE = 2_000_000_000
"""Bytes, of memory as far as they are used: journal and oplog take some hundred millions."""
_NEW_MOUNTS = 0x00020000
GOOD = 4
"""So many writes one after the other show that it goes on."""
SPAN = (5.0, 90.0)
"""Checkpoints come each minute."""


def _lacks() -> str:
    if os.geteuid() != 0:
        return "a file system for mongod needs root"
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True, check=False
    )
    return f"no tmpfs can be mounted here: {tried.stderr.strip()}" if tried.returncode else ""


@contextmanager
def small_disk(home: Path) -> Iterator[None]:
    """mongod's folder in the home of a stack that is still to be started; nothing where there is no such disk."""
    if DISK.lacks:
        yield
        return
    data = home / "mongo"
    data.mkdir()
    _keep_mounts_here()
    _mount("-t", "tmpfs", "-o", f"size={SIZE}", "miglobe-chaos", str(data))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)


@contextmanager
def _stack(home: Path, env: Mapping[str, str]) -> Iterator[Stack]:
    with small_disk(home), Stack(home, env=env) as stack:
        yield stack


def _keep_mounts_here() -> None:
    """What is mounted from now on only this process and its children see; it goes with the last of them."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_MOUNTS):
        raise OSError(ctypes.get_errno(), "unshare")
    _mount("--make-rprivate", "/")


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


async def _full(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    """Not a byte is free. A mongod that dies of it is begun anew when there is room again, as by its supervisor."""
    data = stack.home.path / fault.victim
    await asyncio.to_thread(_fill, data)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        _mount("-o", f"remount,size={SIZE}", str(data))
    if await _dies(stack, fault.victim, observer):
        await asyncio.to_thread(stack.kill, fault.victim)
        await asyncio.to_thread(stack.start_one, fault.victim)
    return set()


async def _dies(stack: Stack, name: str, observer: Observer) -> bool:
    """Whether mongod has died or is about to: while it writes down why, it may still answer now and then."""
    good = 0
    while good < GOOD:
        if _has_died(stack, name):
            return True
        good = good + 1 if await observer.writes() else 0
        await asyncio.sleep(0.5)
    return False


def _fill(data: Path) -> None:
    """Makes the disk as small as what lies on it, again if mongod was faster."""
    while shutil.disk_usage(data).free:
        subprocess.run(
            ["mount", "-o", f"remount,size={shutil.disk_usage(data).used}", str(data)], check=False, capture_output=True
        )


def _has_died(stack: Stack, name: str) -> bool:
    try:
        stack.check_alive()
    except ProcessDied as error:
        if error.name != name:
            raise
        return True
    return False


DISK = Ground("disk", (Kind("full", _full, ("mongo",), SPAN),), _stack, _lacks())
