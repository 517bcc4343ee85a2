"""Provisioning over HTTPS: provisioning.md 2.0, 2.1 and checklists "JSON" and "HTTPS"."""

import re
from email.utils import parsedate_to_datetime

import pytest
from lib import dps, sas
from lib.server import MusterServer, unique_id


@pytest.fixture(scope="module")
def group_key(server):
    return server.group_key()


@pytest.fixture
def registrant(server, group_key):
    device_id = unique_id()
    server.cli("device", "add", device_id)
    return dps.group_device(server, device_id, group_key)


@pytest.fixture
def stranger(server, group_key):
    """A device that nobody added: its registrations are refused until it is let in."""
    return dps.group_device(server, unique_id("stranger"), group_key)


@pytest.fixture(scope="module")
def polled():
    """A server that says 202 first, as the cloud does."""
    started = MusterServer("--answer=poll")
    try:
        yield started.start()
    finally:
        started.close()


@pytest.fixture
def slow(polled):
    """A device of the server that wants to be polled."""
    device_id = unique_id()
    polled.cli("device", "add", device_id)
    return dps.group_device(polled, device_id)


def no_nulls(value):
    if isinstance(value, dict):
        return all(map(no_nulls, value.values()))
    return value is not None


# --- JSON ----------------------------------------------------------------------------------------


def test_P014_P015_P016_P017_P018_P103_an_assigned_answer_is_whole(server, registrant):
    body = registrant.register().body
    state = body["registrationState"]
    assert body["status"] == state["status"] == "assigned"
    assert re.fullmatch(r"\d\.[0-9a-f]{16}\.[0-9a-f-]{36}", body["operationId"])
    assert (state["assignedHub"], state["deviceId"]) == ("localhost", registrant.id)
    assert state["registrationId"] == registrant.id
    assert state["substatus"] == "initialAssignment"
    assert state["symmetricKey"] == {"enrollmentGroupId": "SAS-IoT-Devices"}
    for name in ("createdDateTimeUtc", "lastUpdatedDateTimeUtc"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", state[name])
    assert no_nulls(body)
    assert "payload" not in state


def test_P014_P015_P016_P017_P018_a_refused_answer_is_whole(stranger):
    body = stranger.register().body
    dps.assert_refused(body)
    assert body["operationId"]
    assert body["registrationState"]["registrationId"] == stranger.id
    assert no_nulls(body)


def test_P014_P015_P016_an_answer_in_progress_is_whole(slow):
    body = slow.http_register().body
    assert body["status"] == "assigning"
    assert body["operationId"]
    assert no_nulls(body)


def test_P019_P103_a_payload_is_not_handed_back(registrant):
    answer = registrant.register({"payload": {"modelId": "dtmi:none;1"}})
    assert "payload" not in answer.body["registrationState"]


def test_P020_P032_every_error_has_a_body_and_its_code_in_a_header(server, registrant):
    token = registrant.token
    rows = [
        (401, registrant.http_register(token=token(key=sas.another_key()))),
        (401, registrant.http_register(token="")),
        (400, registrant.http_register("no json")),
        (400, registrant.http_register(query="api-version=yesterday")),
        (404, registrant.http_status("5.0000000000000000.00000000-0000-4000-8000-000000000000")),
        (405, registrant.http("DELETE", f"{registrant.path}/register?{dps.api_version}")),
    ]
    for status, answer in rows:
        body = answer.body
        assert answer.status == status == body["errorCode"] // 1000, answer
        assert body["trackingId"] and body["message"] and body["timestampUtc"].endswith("Z")
        assert answer.headers["x-ms-error-code"] == str(body["errorCode"])
        assert answer.headers["x-ms-request-id"]


@pytest.mark.parametrize("body", [
    b"", b"{}", '{"payload":null}', {"payload": {"modelId": "dtmi:a;1"}},
    {"data": {"iotcModelId": "dtmi:a;1"}},
])
def test_P021_every_form_of_body_is_taken(registrant, body):
    assert registrant.register(body).body["status"] == "assigned"


def test_P021_a_body_with_the_registration_id_is_taken(registrant):
    body = {"registrationId": registrant.id, "payload": None}
    assert registrant.register(body).body["status"] == "assigned"


def test_P022_a_body_that_names_another_device_is_refused(registrant):
    assert registrant.http_register({"registrationId": "another"}).status == 400


# --- HTTPS ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2018-11-01", "2019-01-15", "2019-03-31", "2021-06-01",
                                     "2021-10-01"])
def test_P023_every_api_version_is_taken(registrant, version):
    assert registrant.register(query=f"api-version={version}").body["status"] == "assigned"


def test_P023_a_missing_api_version_is_refused(registrant):
    assert registrant.http_register(query="").status == 400


def test_P024_scope_id_and_operation_may_be_percent_encoded(server, registrant):
    def encoded(text):
        return "".join(f"%{byte:02X}" for byte in text.encode())

    path = f"/{encoded(server.scope)}/registrations/{encoded(registrant.id)}"
    answer = registrant.http("PUT", f"{path}/register?{dps.api_version}", {})
    assert answer.body["status"] == "assigned"
    operation = encoded(answer.body["operationId"])
    answer = registrant.http("GET", f"{path}/operations/{operation}?{dps.api_version}")
    assert (answer.status, answer.body["status"]) == (200, "assigned")


def test_P025_force_registration_and_strange_headers_are_ignored(registrant):
    answer = registrant.register(
        query=f"{dps.api_version}&forceRegistration=true",
        headers={"Content-Encoding": "utf-8", "UserAgent": "c", "X-Unknown": "1"})
    assert answer.body["status"] == "assigned"


def test_P026_a_get_with_a_body_is_answered(registrant):
    operation = registrant.register().body["operationId"]
    answer = registrant.http("GET", f"{registrant.path}/operations/{operation}?{dps.api_version}", {})
    assert (answer.status, answer.body["status"]) == (200, "assigned")


def test_P027_an_immediate_result_is_200(registrant):
    assert registrant.http_register().status == 200


def test_P027_P028_P095_P108_a_registration_is_202_until_it_is_polled(polled, slow):
    answer = slow.http_register()
    assert answer.status == 202
    assert 3 <= int(answer.headers["Retry-After"]) <= 5
    assert re.fullmatch(rf"https://localhost(:\d+)?{slow.path}/register",
                        answer.headers["Location"])
    assert slow.register(deadline=20).body["status"] == "assigned"


def test_P028_a_refusal_is_polled_with_200(polled):
    stranger = dps.group_device(polled, unique_id("stranger"))
    answer = stranger.register()
    assert answer.status == 200
    dps.assert_refused(answer.body)


def test_P029_the_state_of_a_registration_can_be_looked_up(registrant):
    path = f"{registrant.path}?{dps.api_version}"
    unknown = registrant.http("POST", path, {"registrationId": registrant.id})
    assert (unknown.status, unknown.body["errorCode"]) == (404, 404201)
    registered = registrant.register().body["registrationState"]
    found = registrant.http("POST", path, {"registrationId": registrant.id})
    assert found.status == 200
    assert found.body["deviceId"] == registered["deviceId"]
    assert found.body["status"] == "assigned"


def test_P030_an_operation_of_another_device_is_not_found(server, registrant, stranger):
    operation = registrant.register().body["operationId"]
    answer = stranger.http_status(operation)
    assert (answer.status, answer.body["errorCode"]) == (404, 404202)


def test_P013_P031_answers_have_a_length_and_a_date(registrant):
    for answer in (registrant.register(), registrant.http_register(token="")):
        assert int(answer.headers["Content-Length"]) > 0
        assert "Transfer-Encoding" not in answer.headers
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        assert parsedate_to_datetime(answer.headers["Date"])


def test_P033_P109_overlapping_registrations_are_one_operation(slow):
    first, second = slow.http_register(), slow.http_register()
    assert first.status == second.status == 202
    assert first.body["operationId"] == second.body["operationId"]


def test_P097_a_poll_from_before_a_restart_is_answered(new_server):
    server = new_server("--answer=poll")
    device_id = unique_id()
    server.cli("device", "add", device_id)
    registrant = dps.group_device(server, device_id)
    operation = registrant.http_register().body["operationId"]
    server.restart()
    answer = registrant.http_status(operation)
    assert answer.status in (200, 202)
    assert answer.body["operationId"] == operation
