"""The harness signs as SDKs do: the vectors of provisioning.md 1.8."""

import base64

from lib import sas

K32 = base64.b64encode(bytes(range(32))).decode()
G64 = base64.b64encode(bytes(range(64))).decode()
D2 = "E39QatCTEm7t/ejZBZgJQreX8WqJDe8a/oHSRHFfROw="
RESOURCE = "0ne00AB12CD/registrations/dev-001"


def test_keys_are_derived_from_the_group_key():
    assert sas.derive_key(G64, "dev-001") == D2
    assert sas.derive_key(G64, "DEV-001") == "GQA7sy3OP6Gkmp3HbYozec+EEpw1jC99lm71rBgPd/I="


def test_tokens_are_signed_over_the_resource_as_written():
    rows = {
        "raw": "dBsNh8d85t3hdja%2FheBeoXHycYU29DeGCeo3MEBrvDU%3D",
        "upper": "EEpY887XudeVTfj7Ejh9jLcZcEvzbiSGnYg7USlBIjE%3D",
        "lower": "DakekyiUlDks8f9IG80982ZdI%2F4a6KJrD0GHQTgz3MI%3D",
    }
    for spelling, signature in rows.items():
        token = sas.token(RESOURCE, D2, expiry="1893456000", spelling=spelling)
        assert f"sig={signature}&se=1893456000" in token
