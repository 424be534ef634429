"""Signs messages as Standard Webhooks describes it, so that its libraries verify ours.

Signed is `ID.TIMESTAMP.BODY` by HMAC-SHA256, sent in base64 after `v1,`. A secret that begins with `whsec_` is the
base64 of the key, as that specification has it; any other is the key itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from backend.errors import InvalidInput

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """Return the key that a secret stands for."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise InvalidInput(
            f"EIGENSCOPE_WEBHOOK_SECRET begins with {PREFIX} but what follows is no base64; take it without "
            "the prefix, or the whole secret"
        ) from None


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature's header; `timestamp` in whole seconds since 1970."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
