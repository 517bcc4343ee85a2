"""Who may connect to the hub: hub-device.md 1.2 and checklist "Authentication"."""

import pytest
from lib import certificates, sas
from lib.server import HubModule, unique_id

ALIAS = "hub.example.test"
SERVER_OPTIONS = [f"--aliases={ALIAS}", "--log-level=debug"]


@pytest.mark.parametrize("spelling", ["raw", "upper", "lower"])
@pytest.mark.parametrize("order", [("sr", "sig", "se"), ("sig", "se", "sr"), ("se", "sr", "sig")])
def test_H011_a_token_is_taken_in_any_spelling_and_order(device, spelling, order):
    device.connect(password=device.token(spelling=spelling, order=order)).disconnect()


def test_H011_a_token_with_a_changed_resource_is_refused(device):
    # Signed over the raw text: the same resource, spelled otherwise, is another message.
    changed = device.token(spelling="upper").replace("%2F", "/")
    assert device.refused(password=changed) == 5


def test_H012_the_secondary_key_is_taken(server, device):
    secondary = sas.derive_key(server.group_key(secondary=True), device.id)
    assert secondary != device.key
    device.connect(password=device.token(key=secondary)).disconnect()


def test_H013_a_policy_lets_in_with_the_right_to_connect_only(server, device):
    for policy, code in (("device", 0), ("iothubowner", 0), ("service", 5), ("registryRead", 5)):
        token = device.token(resource="localhost", policy=policy, key=server.policy_key(policy))
        client, answer = device.attempt(password=token)
        client.socket.close()
        assert answer.code == code, policy
    assert device.refused(password=device.token(policy="nobody")) == 5


def test_H014_an_empty_policy_name_is_none(device):
    device.connect(password=device.token(policy="")).disconnect()


def test_H015_a_resource_covers_whole_segments_only(server):
    short = unique_id()
    longer = server.add_device(short + "b")
    assert longer.refused(password=longer.token(resource=f"localhost/devices/{short}")) == 5


def test_H016_a_device_and_its_modules_have_tokens_of_their_own(device):
    module = HubModule(device, "m1")
    module.connect().disconnect()
    assert module.refused(password=device.token()) == 5
    assert module.refused(password=module.token(key=device.key)) == 5
    assert device.refused(password=module.token()) == 5
    assert device.refused(password=device.token(key=module.key)) == 5


def test_H017_an_expired_token_is_taken_for_300_seconds(device):
    device.connect(password=device.token(expires_in=-240)).disconnect()
    assert device.refused(password=device.token(expires_in=-320)) == 5


def test_H018_a_last_segment_api_version_is_ignored_and_no_other(device):
    with_version = device.token(resource=f"{device.resource}/api-version=2016-11-14")
    device.connect(password=with_version).disconnect()
    with_another = device.token(resource=f"{device.resource}/version=2016-11-14")
    assert device.refused(password=with_another) == 5


def test_H019_every_alias_of_the_host_is_taken_without_case(device):
    for host in (ALIAS, ALIAS.upper(), "LocalHost"):
        token = device.token(resource=f"{host}/devices/{device.id}")
        device.connect(username=f"{host}/{device.id}/?api-version=2021-04-12",
                       password=token).disconnect()
    foreign = device.token(resource=f"hub.elsewhere.test/devices/{device.id}")
    assert device.refused(password=foreign) == 5


def test_H022_a_device_with_keys_is_not_let_in_by_a_certificate(server, device):
    pair = certificates.self_signed(server.folder, device.id)
    with server.dial_mqtt(tls=certificates.client_context(server, pair)) as connection:
        assert connection.connect(device.id, device.username()).code == 5
        connection.expect_closed()


def test_H023_a_blocked_device_is_refused(server, device):
    server.cli("device", "block", device.id)
    assert device.refused() == 5


def test_H025_no_key_and_no_token_is_logged(server, device):
    good, bad = device.token(), device.token(key=sas.another_key())
    device.connect(password=good).disconnect()
    device.refused(password=bad)
    server.log.wait_for(lambda line: device.id in line)
    log = "\n".join(server.log.lines)
    for secret in (device.key, good, bad, "sig=", server.group_key()):
        assert secret not in log


def test_H156_a_repeated_bad_token_is_refused_again_and_again(device):
    bad = device.token(key=sas.another_key())
    assert {device.refused(password=bad) for _ in range(10)} == {5}
    device.connect().disconnect()


def test_H172_a_device_is_usable_as_soon_as_it_is_added(server):
    server.add_device().connect().disconnect()
