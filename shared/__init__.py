"""The plumbing that all four services need identically, and the event contracts. Never a business rule."""

import sys

# PyMongo looks for pyOpenSSL, which is not among our packages, and loads cryptography before it finds that out: 10 MB.
sys.modules.setdefault("pymongo.pyopenssl_context", None)  # type: ignore[arg-type]
