"""Enrollment groups, their keys and certificates over the compatible REST API (central.md 4, 6)."""

import base64

import pytest
from lib import certificates
from lib.dps import CertificateRegistrant, assert_assigned, group_device
from lib.openapi import CheckedCaller, describe
from lib.server import DEFAULT_GROUP, unique_id

SERVER_OPTIONS = ["--accepts-per-second=0", "--unauthenticated-per-address=100000"]


@pytest.fixture(scope="module")
def boss(server):
    return CheckedCaller(server, describe(server))


@pytest.fixture(scope="module")
def authority(server):
    return certificates.Authority(server.folder, "root of the REST tests")


def new_key():
    return base64.b64encode(unique_id("key").ljust(48, "k").encode()).decode()


def keys_group(**members):
    return {"displayName": "Keys", "type": "iot", "attestation": {"type": "symmetricKey"}, **members}


def put_certificates_group(boss):
    group = unique_id("group")
    answer = boss.rest("PUT", f"enrollmentGroups/{group}", {
        "displayName": "Certificates", "type": "iot",
        "attestation": {"type": "x509", "x509": {"signingCertificates": {}}}})
    assert answer.status == 200, answer
    return group


# --- groups --------------------------------------------------------------------------------------


def test_a_group_is_made_read_changed_and_removed(boss):
    path = f"enrollmentGroups/{unique_id('group')}"
    made = boss.rest("PUT", path, keys_group(type="iotEdge", enabled=False))
    assert (made.status, made.body["type"], made.body["enabled"]) == (200, "iotEdge", False)
    assert len(base64.b64decode(made.body["attestation"]["symmetricKey"]["primaryKey"])) == 64
    assert boss.rest("GET", path).body == made.body
    changed = boss.rest("PATCH", path, {"displayName": "Keys 2", "enabled": True})
    assert changed.body == {**made.body, "displayName": "Keys 2", "enabled": True,
                            "etag": changed.body["etag"]}
    again = boss.rest("PUT", path, keys_group())
    assert again.body["attestation"] == made.body["attestation"]
    assert boss.rest("DELETE", path).status == 204
    assert boss.rest("GET", path).status == 404
    assert boss.rest("PATCH", path, {"enabled": True}).status == 404
    assert boss.rest("DELETE", path).status == 404


def test_the_default_group_is_listed_and_stays(boss, server):
    groups = {group["id"]: group for group in boss.all("enrollmentGroups")}
    assert groups[DEFAULT_GROUP]["attestation"] == {"type": "symmetricKey"}
    shown = boss.rest("GET", f"enrollmentGroups/{DEFAULT_GROUP}").body
    assert shown["attestation"]["symmetricKey"]["primaryKey"] == server.group_key()
    assert boss.rest("DELETE", f"enrollmentGroups/{DEFAULT_GROUP}").status == 409


def test_groups_are_listed_page_by_page(boss):
    made = [unique_id("paged") for _ in range(5)]
    for group in made:
        assert boss.rest("PUT", f"enrollmentGroups/{group}", keys_group()).status == 200
    listed = [group["id"] for group in boss.all("enrollmentGroups", "&$top=2")]
    assert set(made) <= set(listed) and len(listed) == len(set(listed))


def test_C066_a_group_with_keys_of_its_own_and_none_twice(boss, server):
    keys = {"primaryKey": new_key(), "secondaryKey": new_key()}
    body = keys_group(attestation={"type": "symmetricKey", "symmetricKey": keys})
    made = boss.rest("PUT", f"enrollmentGroups/{unique_id('group')}", body)
    assert made.body["attestation"]["symmetricKey"] == keys
    twice = boss.rest("PUT", f"enrollmentGroups/{unique_id('group')}", body)
    assert (twice.status, twice.code) == (409, "Conflict")

    device = unique_id("dev")
    assert boss.rest("PUT", f"devices/{device}", {"template": "generic"}).status == 200
    assert_assigned(group_device(server, device, keys["primaryKey"]).register())


@pytest.mark.parametrize("body", [
    {}, {"displayName": "x", "type": "iot"},
    {"displayName": "x", "type": "iot", "attestation": {}},
    {"displayName": "x", "type": "iot", "attestation": {"type": "tpm"}},
    {"displayName": "x", "type": "boat", "attestation": {"type": "symmetricKey"}},
    {"displayName": 7, "type": "iot", "attestation": {"type": "symmetricKey"}},
    {"displayName": "x", "type": "iot", "enabled": 1, "attestation": {"type": "symmetricKey"}},
    {"displayName": "x", "type": "iot", "attestation": {
        "type": "symmetricKey", "symmetricKey": {"primaryKey": "AA=="}}},
])
def test_a_group_that_is_none_is_refused(boss, body):
    path = f"enrollmentGroups/{unique_id('group')}"
    assert boss.rest("PUT", path, body).status == 400
    assert boss.rest("GET", path).status == 404


def test_C112_a_stale_etag_of_a_group_changes_nothing(boss):
    path = f"enrollmentGroups/{unique_id('group')}"
    old = boss.rest("PUT", path, keys_group()).body["etag"]
    assert boss.rest("PATCH", path, {"displayName": "two", "etag": old}).status == 200
    for method, body in [("PATCH", {}), ("PUT", keys_group())]:
        assert boss.rest(method, path, {**body, "displayName": "x", "etag": old}).status == 412
    assert boss.rest("GET", path).body["displayName"] == "two"
    assert boss.rest("PUT", f"enrollmentGroups/{unique_id('group')}",
                     keys_group(etag="1")).status == 412


def test_how_a_group_attests_does_not_change(boss):
    path = f"enrollmentGroups/{unique_id('group')}"
    assert boss.rest("PUT", path, keys_group()).status == 200
    changed = boss.rest("PATCH", path, {"attestation": {"type": "x509"}})
    assert changed.status == 400


# --- certificates --------------------------------------------------------------------------------


def test_a_certificate_is_uploaded_proved_and_removed(boss, server, authority):
    path = f"enrollmentGroups/{put_certificates_group(boss)}/certificates/primary"
    assert boss.rest("GET", path).status == 404
    text = authority.certificate.read_text()
    put = boss.rest("PUT", path, {"certificate": text.replace("\n", "\\n")})
    assert put.body["verified"] is False
    assert len(put.body["info"]["sha1Thumbprint"]) == 40
    code = boss.rest("POST", f"{path}/generateVerificationCode").body["verificationCode"]
    assert len(code) == 48
    wrong = authority.leaf("another-code", name=unique_id("proof"))
    refused = boss.rest("POST", f"{path}/verify", {"certificate": wrong.certificate.read_text()})
    assert refused.status == 400 and refused.body["error"]["message"].startswith("C06")
    assert boss.rest("POST", f"{path}/verify", {}).status == 400
    proof = authority.leaf(code, name=unique_id("proof"))
    verified = boss.rest("POST", f"{path}/verify", {"certificate": proof.certificate.read_text()})
    assert verified.status == 204
    assert boss.rest("GET", path).body["verified"] is True
    group = boss.rest("GET", path.rsplit("/", 2)[0]).body
    assert group["attestation"]["x509"]["signingCertificates"]["primary"]["verified"] is True
    assert boss.rest("DELETE", path).status == 204
    assert boss.rest("GET", path).status == 404


def test_a_certificate_takes_the_place_of_another(boss, server, authority):
    path = f"enrollmentGroups/{put_certificates_group(boss)}/certificates/secondary"
    other = certificates.Authority(server.folder, unique_id("other"))
    first = boss.rest("PUT", path, {"certificate": authority.certificate.read_text(),
                                    "verified": True}).body
    assert first["verified"] is True
    second = boss.rest("PUT", path, {"certificate": other.certificate.read_text()})
    assert second.status == 200 and second.body["verified"] is False
    assert second.body["info"] != first["info"]
    stale = boss.rest("PUT", path, {"certificate": authority.certificate.read_text(),
                                    "etag": first["etag"]})
    assert stale.status == 412
    assert boss.rest("DELETE", path).status == 204


def test_a_group_is_made_with_its_certificate(boss, server, authority):
    def body(text):
        return {"displayName": "At once", "type": "iot", "attestation": {
            "type": "x509", "x509": {"signingCertificates": {
                "primary": {"verified": True, "certificate": text}}}}}

    path = f"enrollmentGroups/{unique_id('group')}"
    assert boss.rest("PUT", path, body("no certificate")).status == 400
    assert boss.rest("GET", path).status == 404, "it was taken back"
    made = boss.rest("PUT", path, body(authority.certificate.read_text()))
    assert made.body["attestation"]["x509"]["signingCertificates"]["primary"]["verified"] is True
    device = unique_id("leaf")
    assert boss.rest("PUT", f"devices/{device}", {"template": "generic"}).status == 200
    assert_assigned(CertificateRegistrant(server, device, authority.leaf(device)).register())


def test_entries_are_primary_and_secondary(boss):
    group = put_certificates_group(boss)
    for method, ending in [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/verify"),
                           ("POST", "/generateVerificationCode")]:
        body = {} if method in ("PUT", "POST") else None
        path = f"enrollmentGroups/{group}/certificates/third{ending}"
        assert boss.rest(method, path, body).status == 404
