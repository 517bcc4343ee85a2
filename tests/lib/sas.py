"""Shared access signatures, as devices and services make them (contract: provisioning.md 1)."""

import base64
import hashlib
import hmac
import re
import time
from urllib.parse import quote


def hmac_base64(key, message):
    digest = hmac.new(base64.b64decode(key), message.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def derive_key(group_key, registration_id):
    """A device's key from its group's: what dps-keygen prints."""
    return hmac_base64(group_key, registration_id)


def lower_hex(text):
    return re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), text)


# How SDKs write the resource: Node's provisioning and C send it raw, C's DPS client in lower hex.
SPELLINGS = {
    "raw": lambda text: text,
    "upper": lambda text: quote(text, safe=""),
    "lower": lambda text: lower_hex(quote(text, safe="")),
}


def token(resource, key, policy=None, expires_in=3600, expiry=None, spelling="upper",
          order=("sr", "sig", "se", "skn")):
    """`policy` None leaves skn out, "" sends it empty. `expiry` is the literal se."""
    fields = {"sr": SPELLINGS[spelling](resource)}
    fields["se"] = expiry if expiry is not None else str(int(time.time()) + expires_in)
    fields["sig"] = quote(hmac_base64(key, f"{fields['sr']}\n{fields['se']}"), safe="")
    if policy is not None:
        fields["skn"] = policy
    pairs = [f"{name}={fields[name]}" for name in order if name in fields]
    return "SharedAccessSignature " + "&".join(pairs)


def another_key():
    """A valid key that is nobody's."""
    return base64.b64encode(bytes(range(32))).decode()
