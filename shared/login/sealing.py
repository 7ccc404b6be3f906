"""Sealed texts, tokens of forms, and the keys of both. Pure but for randomness."""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any


def new_secret() -> str:
    """256 bits, 43 characters that are safe in a cookie and a URL."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """By what a secret is known in the database, which can't give it back."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def seal(secret: str, purpose: str, value: Any) -> str:
    """`value`, which JSON can express, readable by `unseal` with the same secret and purpose only."""
    from joserfc import jwe
    from joserfc.jwk import OctKey  # with its cryptography 15 MB, which a service without logins does without

    key = OctKey.import_key(_key(secret, purpose))
    return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, json.dumps(value).encode(), key)


def unseal(secret: str, purpose: str, text: str) -> Any:
    """None for what was not sealed so."""
    from joserfc import jwe
    from joserfc.errors import JoseError
    from joserfc.jwk import OctKey

    try:
        return json.loads(jwe.decrypt_compact(text, OctKey.import_key(_key(secret, purpose))).plaintext or b"null")
    except (JoseError, ValueError):
        return None


@dataclass(frozen=True)
class FormToken:
    """What a form's token says: made for this session of this account. Names neither."""

    session: str
    account: str

    @classmethod
    def of(cls, secret: str, session_id: str, account: str) -> "FormToken":
        return cls(_mac(secret, "form-session", session_id), _mac(secret, "form-account", account))

    def text(self, secret: str) -> str:
        return f"{self.session}.{self.account}.{_mac(secret, 'form', self.session, self.account)}"

    @classmethod
    def read(cls, secret: str, text: str) -> "FormToken | None":
        """None for what we did not make."""
        session, _, rest = text.partition(".")
        account, _, mac = rest.partition(".")
        expected = _mac(secret, "form", session, account)
        return cls(session, account) if hmac.compare_digest(mac.encode(errors="replace"), expected.encode()) else None


def _key(secret: str, purpose: str) -> bytes:
    return hmac.new(secret.encode(errors="replace"), f"seal:{purpose}".encode(), hashlib.sha256).digest()


def _mac(secret: str, purpose: str, *parts: str) -> str:
    text = "\x1f".join((purpose, *parts)).encode(errors="replace")
    return base64.urlsafe_b64encode(hmac.new(b"login:" + secret.encode(), text, hashlib.sha256).digest()[:18]).decode()
