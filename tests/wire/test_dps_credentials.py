"""Credentials of devices that provision: provisioning.md 1 and checklist "Credentials"."""

import base64

import pytest
from lib import dps, sas
from lib.dps import assert_assigned, assert_unauthorized
from lib.server import unique_id


@pytest.fixture(scope="module")
def group_key(server):
    return server.group_key()


@pytest.fixture
def registrant(server, group_key):
    """A device that the operator added: its registration is assigned."""
    device_id = unique_id()
    server.cli("device", "add", device_id)
    return dps.group_device(server, device_id, group_key)


@pytest.mark.parametrize("spelling", ["raw", "upper", "lower"])
def test_P001_P002_every_spelling_of_the_resource_is_taken(registrant, spelling):
    assert_assigned(registrant.register(token=registrant.token(spelling=spelling)))


def test_P002_mixed_case_hex_and_a_lower_case_scope_are_taken(server, registrant):
    resource = f"{server.scope.lower()}%2fregistrations%2F{registrant.id}"
    assert_assigned(registrant.register(token=registrant.token(resource=resource, spelling="raw")))


@pytest.mark.parametrize("policy, order", [
    ("registration", ("sr", "sig", "skn", "se")),
    ("registration", ("se", "skn", "sig", "sr")),
    (None, ("sr", "sig", "se")),
    ("", ("sr", "sig", "se", "skn")),
])
def test_P003_fields_come_in_any_order_with_or_without_skn(registrant, policy, order):
    assert_assigned(registrant.register(token=registrant.token(policy=policy, order=order)))


def test_P003_names_of_fields_are_read_without_case(registrant):
    token = registrant.token()
    for name in ("sr=", "sig=", "se=", "skn="):
        token = token.replace(name, name.upper(), 1)
    assert_assigned(registrant.register(token=token))


def test_P004_a_plus_in_the_signature_is_a_plus(registrant):
    expiry = 1893456000
    while "%2B" not in registrant.token(expiry=str(expiry)):
        expiry += 1
    token = registrant.token(expiry=str(expiry))
    for spelling in ("%2B", "%2b", "+"):
        assert_assigned(registrant.register(token=token.replace("%2B", spelling)))


def test_P005_P006_keys_are_derived_from_the_id_as_the_device_writes_it(server, group_key):
    device_id = unique_id()
    server.cli("device", "add", device_id)
    upper = dps.group_device(server, device_id.upper(), group_key)
    assert upper.key != sas.derive_key(group_key, device_id)
    assert_assigned(upper.register())
    lower_key = dps.Registrant(server, device_id.upper(), sas.derive_key(group_key, device_id))
    assert_assigned(lower_key.register())


def test_P005_muster_keygen_derives_the_documented_keys(server):
    group_key = base64.b64encode(bytes(range(64))).decode()
    rows = {"dev-001": "E39QatCTEm7t/ejZBZgJQreX8WqJDe8a/oHSRHFfROw=",
            "DEV-001": "GQA7sy3OP6Gkmp3HbYozec+EEpw1jC99lm71rBgPd/I=",
            "sn:00.7_a-b": "ELf7QZtlWu7tdtw8/t02ZlR0V6vzwje1a8jDQZ/YmQE="}
    for registration_id, key in rows.items():
        done = server.run("keygen", f"-mk:{group_key}", f"-di:{registration_id}")
        assert (done.returncode, done.stdout.split()[-1]) == (0, key)


def test_P007_the_secondary_key_of_the_group_is_taken(server, registrant):
    secondary = sas.derive_key(server.group_key(secondary=True), registrant.id)
    assert_assigned(registrant.register(token=registrant.token(key=secondary)))


def test_P007_the_secondary_key_of_an_individual_enrollment_is_taken(server):
    keys = add_individual(server, unique_id())
    for slot in ("primaryKey", "secondaryKey"):
        assert_assigned(dps.Registrant(server, keys["id"], keys[slot]).register())


def add_individual(server, registration_id):
    server.cli("device", "add", registration_id)
    server.cli("enrollment", "add", registration_id, "--individual")
    return server.cli_json("enrollment", "show", registration_id, "--individual", "--keys")


def test_P008_an_expired_token_is_taken_for_300_seconds(registrant):
    assert_assigned(registrant.register(token=registrant.token(expires_in=-240)))
    assert_unauthorized(registrant.http_register(token=registrant.token(expires_in=-320)))


def test_P009_a_token_for_something_else_is_refused(server, registrant):
    for resource in (f"{server.scope}/registrations/another",
                     f"{server.scope}/registrations/{registrant.id[:-1]}",
                     f"{server.scope}/registrations",
                     f"0ne00000000/registrations/{registrant.id}"):
        token = registrant.token(resource=resource)
        assert_unauthorized(registrant.http_register(token=token))


def test_P011_keys_that_are_not_base64_of_16_to_64_bytes_are_refused_on_write(server):
    def add(key):
        return server.cli("enrollment", "add", unique_id("group"), "--primary-key", key,
                          "--secondary-key", sas.another_key(), check=False).returncode

    for key in ("no base64!", base64.b64encode(bytes(15)).decode(),
                base64.b64encode(bytes(65)).decode()):
        assert add(key) == 1, key


def test_P011_keys_of_16_and_64_bytes_are_taken(server):
    shortest, longest = (base64.b64encode(bytes([7]) * size).decode() for size in (16, 64))
    server.cli("enrollment", "add", unique_id("group"), "--primary-key", shortest,
               "--secondary-key", longest)
