"""Matching that halts once in the midst of a decision: `python -m tests.matching.halting_process PORT FILE`.

It begins FILE when it has decided for the first time and stored nothing yet. Then it stops itself by SIGSTOP, or where
FILE's name ends with `.slow` that decision waits until FILE is gone, while everything else goes on.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from services.matching.handlers import matching
from shared import cli

DECIDE = matching.choose


def main(port: str, halted: Path) -> None:
    before: list[bool] = []

    def choose(*given: Any, **named: Any) -> Any:
        verdict = DECIDE(*given, **named)
        _, seekers, *_ = given
        if seekers and not before:
            before.append(True)
            halted.touch()
            if halted.suffix != ".slow":
                os.kill(os.getpid(), signal.SIGSTOP)
            while halted.suffix == ".slow" and halted.exists():
                time.sleep(0.05)
        return verdict

    matching.choose = choose
    cli.serve("matching", port=int(port))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
