"""A mail server that takes everything and keeps nothing, for more mails than a folder should hold.

python -m tests.bench.blackhole PORT
"""

import signal
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Nothing:
    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:
        return "250 accepted"


def main() -> None:
    ended = threading.Event()
    controller = Controller(Nothing(), hostname="127.0.0.1", port=int(sys.argv[1]))
    controller.start()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended.wait()
    controller.stop()


if __name__ == "__main__":
    main()
