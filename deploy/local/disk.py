"""Is there room enough?"""

import shutil
from pathlib import Path

from deploy.local.errors import StackError


def need_space(directory: Path, megabytes: int, purpose: str) -> None:
    """Raises: StackError, if the file system of an existing directory has less than that free."""
    free = shutil.disk_usage(directory).free // 1_000_000
    if free < megabytes:
        raise StackError(
            f"Only {free} MB are free under {directory}, {purpose} needs {megabytes} MB: "
            "make room there, or check out onto another disk."
        )
