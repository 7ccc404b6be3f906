"""`python -m deploy.local.mailsink --smtp-port 1025 --http-port 8025 --directory DIR`."""

import argparse
from pathlib import Path

import uvicorn

from deploy.local.mailsink.page import build
from deploy.local.mailsink.store import MailStore


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(prog="mailsink")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    args = parser.parse_args()
    app = build(MailStore(args.directory), host=args.host, smtp_port=args.smtp_port)
    uvicorn.run(app, host=args.host, port=args.http_port, access_log=False, timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main()
