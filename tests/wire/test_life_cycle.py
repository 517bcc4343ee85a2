"""The life of a device in the application: central.md 1 and checklist "Life cycle"."""

import threading
import time

import pytest
from lib import dps, sas, twin
from lib.server import HubDevice, unique_id

# One address knocks more often than a stranger may.
SERVER_OPTIONS = ["--accepts-per-second=0"]


@pytest.fixture(scope="module")
def group_key(server):
    return server.group_key()


@pytest.fixture
def stranger(server, group_key):
    """A device made in a factory, with a key of the group, that nobody added."""
    return dps.group_device(server, unique_id("factory"), group_key)


def refused(registrant):
    dps.assert_refused(registrant.register().body)


def assigned(registrant):
    """The device of the hub that a registration gives."""
    body = registrant.register().body
    assert body["status"] == "assigned", body
    return HubDevice(registrant.server, body["registrationState"]["deviceId"], registrant.key)


def status(server, device_id):
    return server.device(device_id)["status"]


def test_C003_a_registered_device_is_provisioned_and_sends(server, group_key):
    device_id = unique_id()
    server.cli("device", "add", device_id)
    assert status(server, device_id) == "registered"
    device = assigned(dps.group_device(server, device_id, group_key))
    shown = server.device(device_id)
    assert (shown["status"], shown["provisioned"]) == ("provisioned", True)
    with device.connect() as client:
        client.publish(device.events(), b"first")
    assert server.messages(device_id, 1)[0].body == b"first"


def test_C004_an_unknown_device_is_refused_and_appears(server, stranger):
    refused(stranger)
    shown = server.device(stranger.id)
    assert (shown["status"], shown["approved"], shown["template"]) == ("registered", False, None)
    assert shown["refusal"]
    assert shown["lastProvisioningAttempt"]["result"] == "refused"
    assert stranger.id in server.device_ids("--unassociated")


def test_C005_C007_C028_approved_then_associated_is_assigned_at_once(server, stranger):
    refused(stranger)
    server.cli("device", "approve", stranger.id)
    refused(stranger)
    server.cli("device", "associate", stranger.id, "--template", "generic")
    device = assigned(stranger)
    assert status(server, stranger.id) == "provisioned"
    with device.connect() as client:
        client.publish(device.events(), b"first")
    assert server.messages(device.id, 1)[0].body == b"first"


def test_C006_C028_associated_then_approved_is_assigned_at_once(server, stranger):
    refused(stranger)
    server.cli("device", "associate", stranger.id, "--template", "generic")
    refused(stranger)
    server.cli("device", "approve", stranger.id)
    assigned(stranger)


def test_C010_a_wrong_key_leaves_no_record(server, stranger):
    before = server.device_ids()
    forger = dps.Registrant(server, stranger.id, sas.another_key())
    for number in range(20):
        forger.id = f"{stranger.id}-{number}"
        answer = forger.http_register()
        assert (answer.status, answer.body["errorCode"]) == (401, 401002)
    assert server.device_ids() == before
    assert server.cli("device", "show", stranger.id, check=False).returncode == 1


def test_C011_C022_a_disabled_group_refuses_as_for_waiting_and_enabling_lets_in(server):
    group = unique_id("group")
    server.cli("enrollment", "add", group)
    device_id = unique_id()
    server.cli("device", "add", device_id)
    registrant = dps.group_device(server, device_id, server.group_key(group))
    server.cli("enrollment", "disable", group)
    refused(registrant)
    server.cli("enrollment", "enable", group)
    assigned(registrant)


def test_C012_C014_a_blocked_device_is_cut_off_and_unblocked_is_as_before(server, group_key):
    device_id = unique_id()
    server.cli("device", "add", device_id)
    registrant = dps.group_device(server, device_id, group_key)
    device = assigned(registrant)
    client = device.connect()
    started = time.monotonic()
    server.cli("device", "block", device_id)
    client.expect_closed(deadline=2)
    assert time.monotonic() - started < 1
    assert status(server, device_id) == "blocked"
    assert device.refused() == 5
    refused(registrant)
    server.cli("device", "unblock", device_id)
    assert status(server, device_id) == "provisioned"
    device.connect().disconnect()


def test_C015_a_device_blocked_while_registered_is_registered_again(server, group_key):
    device_id = unique_id()
    server.cli("device", "add", device_id)
    server.cli("device", "block", device_id)
    registrant = dps.group_device(server, device_id, group_key)
    refused(registrant)
    server.cli("device", "unblock", device_id)
    assert status(server, device_id) == "registered"
    assigned(registrant)


def test_C016_a_device_blocked_while_waiting_waits_again(server, stranger):
    refused(stranger)
    server.cli("device", "block", stranger.id)
    assert status(server, stranger.id) == "blocked"
    server.cli("device", "unblock", stranger.id)
    shown = server.device(stranger.id)
    assert (shown["status"], shown["approved"]) == ("registered", False)
    refused(stranger)


def test_C017_a_device_may_be_associated_while_blocked(server, device):
    server.cli("device", "block", device.id)
    server.cli("device", "associate", device.id, "--template", "generic")
    server.cli("device", "unblock", device.id)
    shown = server.device(device.id)
    assert (shown["status"], shown["template"]) == ("provisioned", "generic")


def test_C018_never_connected_while_the_last_answered_act_is_block(server, group_key):
    device_id = unique_id()
    server.cli("device", "add", device_id)
    registrant = dps.group_device(server, device_id, group_key)
    device = assigned(registrant)
    stop = threading.Event()

    def keep_knocking():
        while not stop.is_set():
            client, answer = device.attempt()
            with client:
                stop.wait(0.03)

    knocking = [threading.Thread(target=keep_knocking) for _ in range(2)]
    for thread in knocking:
        thread.start()
    try:
        for _ in range(100):
            server.api("POST", f"devices/{device_id}/block")
            assert not server.device(device_id)["connected"]
            server.api("POST", f"devices/{device_id}/unblock")
    finally:
        stop.set()
        for thread in knocking:
            thread.join()
    assert status(server, device_id) == "provisioned"


def test_C019_a_deleted_device_is_gone_and_comes_back_as_a_new_one(server, stranger):
    refused(stranger)
    server.cli("device", "approve", stranger.id)
    server.cli("device", "associate", stranger.id, "--template", "generic")
    device = assigned(stranger)
    client = device.connect()
    server.cli("device", "delete", device.id)
    client.expect_closed(deadline=2)
    assert server.api("GET", f"devices/{device.id}")[0] == 404
    assert device.refused() == 5
    refused(stranger)
    assert server.device(device.id)["approved"] is False


def test_C020_deleting_a_device_removes_its_individual_enrollment(server):
    device_id = unique_id()
    server.cli("device", "add", device_id)
    server.cli("enrollment", "add", device_id, "--individual")
    keys = server.cli_json("enrollment", "show", device_id, "--individual", "--keys")
    assigned(dps.Registrant(server, device_id, keys["primaryKey"]))
    server.cli("device", "delete", device_id)
    assert server.api("GET", f"individualEnrollments/{device_id}")[0] == 404


def test_C021_a_regenerated_group_key_counts_from_the_next_registration_on(server):
    group = unique_id("group")
    server.cli("enrollment", "add", group)
    device_id = unique_id()
    server.cli("device", "add", device_id)
    old = dps.group_device(server, device_id, server.group_key(group))
    device = assigned(old)
    with device.connect() as client:
        answer = server.api("POST", f"enrollmentGroups/{group}/regenerateKey", {"slot": "primary"})
        assert answer[0] == 200
        client.publish(device.events(), b"still here")
    device.connect().disconnect()
    assert old.http_register().status == 401
    new = dps.group_device(server, device_id, server.group_key(group))
    assert new.key != old.key
    assigned(new).connect().disconnect()


def test_C023_an_individual_enrollment_overrides_the_group(server, group_key):
    device_id = unique_id()
    server.cli("device", "add", device_id)
    server.cli("enrollment", "add", device_id, "--individual")
    keys = server.cli_json("enrollment", "show", device_id, "--individual", "--keys")
    assert dps.group_device(server, device_id, group_key).http_register().status == 401
    assigned(dps.Registrant(server, device_id, keys["primaryKey"]))


def test_C008_C078_auto_approval_changes_what_happens_at_once(new_server):
    server = new_server()
    server.cli("settings", "set", "autoApprove", "true")
    server.cli("settings", "set", "requireTemplate", "never")
    first = dps.group_device(server, "first")
    assigned(first)
    server.cli("settings", "set", "autoApprove", "false")
    second = dps.group_device(server, "second")
    refused(second)
    assert server.device("second")["approved"] is False
    server.cli("device", "approve", "second")
    assigned(second)


def test_C008_C009_the_later_profile(new_server):
    server = new_server()
    server.cli("settings", "set", "lifecycleProfile", "later")
    server.cli("settings", "set", "requireTemplate", "never")
    server.cli("settings", "set", "autoApprove", "true")
    assigned(dps.group_device(server, "first"))
    assert status(server, "first") == "provisioned"
    server.cli("settings", "set", "autoApprove", "false")
    second = dps.group_device(server, "second")
    refused(second)
    assert status(server, "second") == "waiting"
    server.cli("device", "approve", "second")
    assigned(second)
    assert status(server, "second") == "provisioned"


def test_the_operator_sees_why_an_attempt_failed(server, group_key):
    device_id = unique_id()
    server.cli("device", "add", device_id)
    forger = dps.Registrant(server, device_id, sas.another_key())
    assert forger.http_register().status == 401
    attempt = server.device(device_id)["lastProvisioningAttempt"]
    assert attempt["result"] == "unauthorized"
    assert attempt["reason"]


def test_a_desired_property_waits_for_a_device_that_is_not_there_yet(server, stranger):
    refused(stranger)
    server.cli("device", "approve", stranger.id)
    server.cli("device", "associate", stranger.id, "--template", "generic")
    server.set_desired(stranger.id, {"fan": 7})
    device = assigned(stranger)
    with device.connect() as client:
        client.subscribe(twin.RESPONSES)
        assert twin.get(client).body["desired"]["fan"] == 7
