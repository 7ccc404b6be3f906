"""The Caddyfile, on the real Caddy, before four servers that say who was asked for what."""

import http.server
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.local.stack import SERVICES
from deploy.local.tools import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("caddy"), reason="caddy is missing: `make install` brings it")
Site = Callable[..., httpx.Client]


_SEEN = threading.Event()
_POLICY = "default-src 'self'"
"""What a service says of its page."""


class _Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/operations/stream":
            self._stream()
            return
        body = f"{self.server.name} {self.path} {self.headers['X-Forwarded-Proto']}".encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        """One event, and the second once the first was seen; else the word that it never was."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: 1\n\n")
        self.wfile.flush()
        self.wfile.write(b"data: 2\n\n" if _SEEN.wait(20) else b"data: unseen\n\n")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _upstream(name: str) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        server.name = name  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Starts Caddy with these settings on top; a client of it."""
    with ExitStack() as running:
        upstreams = {f"MIGLOBE_TO_{name.upper()}": running.enter_context(_upstream(name)) for name in SERVICES}

        def start(scheme: str = "http", **env: str) -> httpx.Client:
            port, home = _free(), tmp_path_factory.mktemp("caddy")
            where = f"{scheme}://:{port}" if scheme == "http" else f"https://127.0.0.1:{port}"
            own = {
                "MIGLOBE_SITE": where,
                "MIGLOBE_SITE_BIND": "127.0.0.1",
                "MIGLOBE_SITE_HTTP_PORT": str(_free()),
                "XDG_DATA_HOME": str(home),
                "XDG_CONFIG_HOME": str(home),
            }
            command = ["caddy", "run", "--adapter=caddyfile", f"--config={ROOT / 'deploy' / 'Caddyfile'}"]
            with (home / "log").open("w") as log:
                process = subprocess.Popen(command, env=os.environ | upstreams | own | env, stderr=log)
            running.callback(process.wait, 20)
            running.callback(process.terminate)
            client = httpx.Client(base_url=f"{scheme}://127.0.0.1:{port}", verify=False, trust_env=False)
            _await(client, home / "log")
            return client

        yield start


def _await(client: httpx.Client, log: Path) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            client.get("/")
            return
        except httpx.TransportError:
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)


@pytest.fixture(scope="module")
def plain(site: Site) -> httpx.Client:
    return site()


@pytest.mark.parametrize(
    ("path", "service", "there"),
    [
        ("/", "intake", "/"),
        ("/requests/1?token=x", "intake", "/requests/1?token=x"),
        ("/static/look.css?v=1", "intake", "/static/look.css?v=1"),
        ("/privacy", "intake", "/privacy"),
        ("/intake/login", "intake", "/intake/login"),
        ("/intake/api/municipalities?q=x", "intake", "/api/municipalities?q=x"),
        ("/advisor", "matching", "/advisor"),
        ("/coordination/requests/1", "matching", "/coordination/requests/1"),
        ("/assignments/1/answer?token=x", "matching", "/assignments/1/answer?token=x"),
        ("/matching/login?to=/advisor", "matching", "/matching/login?to=/advisor"),
        ("/matching/api/requests", "matching", "/api/requests"),
        ("/matching/docs", "matching", "/docs"),
        ("/matching/static/swagger.js", "matching", "/static/swagger.js"),
        ("/messages/1", "notifications", "/messages/1"),
        ("/notifications/api/messages", "notifications", "/api/messages"),
        ("/reporting", "reporting", "/reporting"),
        ("/reporting/figures/1", "reporting", "/reporting/figures/1"),
        ("/reporting/api/facts", "reporting", "/api/facts"),
        ("/operations", "reporting", "/operations"),
        ("/advisors-of-elsewhere", "intake", "/advisors-of-elsewhere"),
    ],
)
def test_paths_lead_to_their_service(plain: httpx.Client, path: str, service: str, there: str) -> None:
    assert plain.get(path).text == f"{service} {there} http"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/api/requests", "/docs", "/openapi.json"])
def test_what_is_not_for_the_public_is_not_there(plain: httpx.Client, path: str) -> None:
    answer = plain.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_body_of_a_megabyte_is_too_large(plain: httpx.Client) -> None:
    assert plain.post("/intake/api/requests", content=b"x" * 1_000_000).status_code == 413


def test_a_service_that_is_away_is_said_in_a_sentence(site: Site) -> None:
    answer = site(MIGLOBE_TO_MATCHING="127.0.0.1:1").get("/advisor")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Es ist nichts verloren" in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_with_tls_browsers_are_told_to_keep_to_it(site: Site) -> None:
    client = site("https", MIGLOBE_SITE_TLS="internal")
    answer = client.get("/advisor")
    assert answer.text == "matching /advisor https"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "server" not in answer.headers


def test_its_own_authority_can_be_believed_and_http_leads_to_https(site: Site, tmp_path: Path) -> None:
    port = _free()
    env = {"MIGLOBE_SITE_TLS": "internal", "MIGLOBE_SITE_HTTP_PORT": str(port), "XDG_DATA_HOME": str(tmp_path)}
    address = site("https", **env).base_url
    _by_https(str(address), port, tmp_path / "caddy" / "pki" / "authorities" / "local" / "root.crt")


def test_a_certificate_of_the_operators_is_shown(site: Site, tmp_path: Path) -> None:
    port, certificate, key = _free(), tmp_path / "cert.pem", tmp_path / "key.pem"
    _sign(certificate, key)
    files = {"MIGLOBE_SITE_TLS": "files", "MIGLOBE_SITE_CERT": str(certificate), "MIGLOBE_SITE_KEY": str(key)}
    address = site("https", **files, MIGLOBE_SITE_HTTP_PORT=str(port)).base_url
    _by_https(str(address), port, certificate)


def _by_https(address: str, http_port: int, authority: Path) -> None:
    """The page as a browser gets it that believes this authority alone, and that came by http."""
    trust = ssl.create_default_context(cafile=str(authority))
    with httpx.Client(verify=trust, trust_env=False, follow_redirects=True) as client:
        answer = client.get(f"http://127.0.0.1:{http_port}/advisor?token=x")
    assert [each.status_code for each in answer.history] == [308]
    assert str(answer.url) == f"{address}/advisor?token=x"
    assert answer.text == "matching /advisor?token=x https"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers.get_list("content-security-policy") == [_POLICY], "the service's own word passes"
    with (
        httpx.Client(trust_env=False) as stranger,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        stranger.get(str(answer.url))


def _sign(certificate: Path, key: Path) -> None:
    """A certificate for 127.0.0.1, as an operator brings it along."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, form, plain))


def test_without_tls_they_are_not(plain: httpx.Client) -> None:
    assert "strict-transport-security" not in plain.get("/").headers


def test_a_stream_arrives_event_by_event(plain: httpx.Client) -> None:
    with plain.stream("GET", "/operations/stream", headers={"accept-encoding": "gzip"}) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "data: 1"
        assert not _SEEN.is_set()
        _SEEN.set()
        assert [line for line in lines if line] == ["data: 2"]
