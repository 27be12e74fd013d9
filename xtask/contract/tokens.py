"""The tokens of Balefire's three kinds of callers: short-lived, so that each request gets its own."""

import base64
import hashlib
import hmac
import json
import time
import uuid


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(header, claims, secret):
    """A JWT by HS256."""
    parts = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    digest = hmac.new(secret.encode(), parts.encode(), hashlib.sha256).digest()
    return f"{parts}.{b64(digest)}"


def of_issuer(issuer, secret):
    """A client's or a service's token: who asks, and when."""
    header = {"typ": "JWT", "alg": "HS256"}
    return sign(header, {"iss": issuer, "iat": int(time.time())}, secret)


def of_person(client, secret, person, method, target, body):
    """A person's token for this one request."""
    now = int(time.time())
    claims = {
        "iss": client,
        "sub": person,
        "aud": "balefire",
        "iat": now,
        "exp": now + 30,
        "jti": str(uuid.uuid4()),
        "htm": method,
        "htu": target,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return sign({"typ": "balefire-assertion+jwt", "alg": "HS256"}, claims, secret)
