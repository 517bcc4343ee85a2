"""What a registration does: provisioning.md 3 and checklists "Semantics", "Load", "Entries"."""

import threading
import time

import pytest
from lib import dps, sas
from lib.server import HubDevice, unique_id


@pytest.fixture(scope="module")
def group_key(server):
    return server.group_key()


@pytest.fixture
def registrant(server, group_key):
    device_id = unique_id()
    server.cli("device", "add", device_id)
    return dps.group_device(server, device_id, group_key)


def individual(server, registration_id, device_id=None):
    """An individual enrollment of a device that the operator added."""
    options = ["--device-id", device_id] if device_id else []
    server.cli("device", "add", device_id or registration_id, check=False)
    server.cli("enrollment", "add", registration_id, "--individual", *options)
    keys = server.cli_json("enrollment", "show", registration_id, "--individual", "--keys")
    return dps.Registrant(server, registration_id, keys["primaryKey"])


def test_P066_registration_ids_are_compared_without_case_and_keep_their_first_spelling(
        server, registrant, group_key):
    assert registrant.register().body["registrationState"]["registrationId"] == registrant.id
    upper = dps.group_device(server, registrant.id.upper(), group_key)
    state = upper.register().body["registrationState"]
    assert (state["registrationId"], state["deviceId"]) == (registrant.id, registrant.id)
    assert registrant.register().body["registrationState"]["deviceId"] == registrant.id


def test_P067_an_individual_enrollment_decides_before_the_group(server, registrant):
    own = individual(server, registrant.id)
    assert registrant.http_register().status == 401
    assert own.register().body["status"] == "assigned"


def test_P067_a_disabled_individual_enrollment_stops_the_search(server, registrant):
    own = individual(server, registrant.id)
    server.cli("enrollment", "disable", registrant.id, "--individual")
    dps.assert_refused(own.register().body)
    assert registrant.http_register().status == 401


def test_P074_the_device_id_of_an_individual_enrollment_is_used(server):
    device_id = unique_id("pump")
    named = individual(server, unique_id(), device_id=device_id)
    assert named.register().body["registrationState"]["deviceId"] == device_id
    unnamed = individual(server, unique_id())
    assert unnamed.register().body["registrationState"]["deviceId"] == unnamed.id


def test_P075_a_second_registration_changes_nothing(registrant):
    first = registrant.register().body["registrationState"]
    second = registrant.register().body["registrationState"]
    for name in ("assignedHub", "deviceId", "createdDateTimeUtc", "substatus"):
        assert first[name] == second[name]
    assert first["etag"] != second["etag"]


def test_P081_refusals_of_the_application_are_indistinguishable(server, group_key):
    def shape(device_id):
        body = dps.group_device(server, device_id, group_key).register().body
        for names in (body, body["registrationState"]):
            for name in ("operationId", "registrationId", "createdDateTimeUtc",
                         "lastUpdatedDateTimeUtc", "etag"):
                names.pop(name, None)
        return body

    waiting, blocked, unassociated = (unique_id(name) for name in ("w", "b", "u"))
    server.cli("device", "add", blocked)
    server.cli("device", "block", blocked)
    shape(unassociated)
    server.cli("device", "approve", unassociated)
    assert shape(waiting) == shape(blocked) == shape(unassociated)


def test_P082_an_unknown_id_and_a_wrong_key_look_alike(server, registrant):
    unknown = dps.Registrant(server, unique_id("nobody"), sas.another_key())
    known = dps.Registrant(server, registrant.id, sas.another_key())
    answers = [unknown.http_register(), known.http_register()]
    for answer in answers:
        for name in ("trackingId", "timestampUtc"):
            answer.body.pop(name)
    assert answers[0].status == answers[1].status == 401
    assert answers[0].body == answers[1].body


def test_P098_P108_a_registration_is_finished_within_20_seconds(registrant):
    started = time.monotonic()
    assert registrant.register().body["status"] == "assigned"
    assert registrant.register_by_mqtt().body["status"] == "assigned"
    assert time.monotonic() - started < 20


def test_P101_the_device_connects_as_soon_as_it_is_assigned(server, registrant):
    state = registrant.register().body["registrationState"]
    device = HubDevice(server, state["deviceId"], registrant.key)
    device.connect().disconnect()


def test_P102_deleting_an_enrollment_deletes_its_registrations(server):
    registration_id = unique_id()
    registrant = individual(server, registration_id)
    first = registrant.register().body["registrationState"]
    server.cli("enrollment", "delete", registration_id, "--individual")
    again = individual(server, registration_id)
    look_up = again.http("POST", f"{again.path}?{dps.api_version}", {})
    assert (look_up.status, look_up.body["errorCode"]) == (404, 404201)
    state = again.register().body["registrationState"]
    assert state["substatus"] == "initialAssignment"
    assert state["createdDateTimeUtc"] > first["createdDateTimeUtc"]


def test_P102_a_registration_whose_device_is_gone_is_an_initial_one(server, group_key, registrant):
    registrant.register()
    server.cli("device", "delete", registrant.id)
    server.cli("device", "add", registrant.id)
    state = registrant.register().body["registrationState"]
    assert state["substatus"] == "initialAssignment"


def test_P109_overlapping_registrations_all_succeed(registrant):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(registrant.register()))
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.body["status"] for answer in answers] == ["assigned"] * 4
