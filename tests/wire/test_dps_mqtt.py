"""Provisioning over MQTT: provisioning.md 2.2 and checklist "MQTT"."""

import pytest
from lib import dps, packets, sas
from lib.packets import Puback, Publish
from lib.server import MusterServer, unique_id


@pytest.fixture(scope="module")
def group_key(server):
    return server.group_key()


@pytest.fixture
def registrant(server, group_key):
    device_id = unique_id()
    server.cli("device", "add", device_id)
    return dps.group_device(server, device_id, group_key)


@pytest.fixture(scope="module")
def polled():
    """A server that says 202 first, as the cloud does."""
    started = MusterServer("--answer=poll")
    try:
        yield started.start()
    finally:
        started.close()


@pytest.mark.parametrize("rest", [
    "/api-version=2019-03-31",
    "/api-version=2019-03-31&ClientVersion=azure-iot-device%2F1.0",
    "/api-version=2021-06-01&ClientVersion=1.15.0",
    "/api-version=2019-03-31&ClientVersion=2019-03-31&Unknown=1",
])
def test_P034_every_form_of_user_name_is_taken(registrant, rest):
    with registrant.connect(username=registrant.username(rest)) as client:
        assert registrant.mqtt_register(client).body["status"] == "assigned"


def test_P036_no_session_is_ever_present(registrant):
    for _ in range(2):
        client, answer = registrant.attempt(clean=False)
        assert answer == packets.Connack(False, 0)
        client.subscribe(dps.RESPONSES)
        client.disconnect()


@pytest.mark.parametrize("qos, granted", [(0, 0), (1, 1), (2, 1)])
def test_P037_qos_1_is_granted_at_most(registrant, qos, granted):
    with registrant.connect(subscribe=False) as client:
        assert client.subscribe((dps.RESPONSES, qos)) == [granted]


@pytest.mark.parametrize("qos", [0, 1])
def test_P038_P040_both_topics_are_taken_at_qos_0_and_1(registrant, qos):
    with registrant.connect() as client:
        answer = registrant.mqtt_register(client, qos=qos)
        assert answer.status == 200
        again = registrant.mqtt_status(client, answer.body["operationId"], qos=qos)
        assert (again.status, again.body["status"]) == (200, "assigned")
        assert (again.publish.qos, again.publish.dup, again.publish.retain) == (1, False, False)


def test_P039_the_acknowledgement_comes_before_the_answer(registrant):
    with registrant.connect() as client:
        client.send(packets.publish(dps.REGISTER.format(rid="1"), b"{}", 1, 5))
        assert client.expect(Puback).packet_id == 5
        client.expect(Publish)


@pytest.mark.parametrize("rid", ["1", "0f3a9c12-77d4-4be6-a03f-0c2c1e8d0e4c", "a.b_c-D", "x" * 100])
def test_P040_the_request_id_comes_first_and_as_it_was(registrant, rid):
    with registrant.connect() as client:
        answer = registrant.mqtt_register(client, rid=rid)
        assert answer.publish.topic == f"$dps/registrations/res/200/?$rid={rid}"


def test_P040_P041_P095_retry_after_is_a_whole_number_of_seconds(polled):
    device_id = unique_id()
    polled.cli("device", "add", device_id)
    registrant = dps.group_device(polled, device_id)
    with registrant.connect() as client:
        answer = registrant.mqtt_register(client)
        assert (answer.status, answer.body["status"]) == (202, "assigning")
        assert 3 <= answer.retry_after <= 5
    assert registrant.register_by_mqtt(deadline=20).body["status"] == "assigned"


def test_P042_every_request_is_answered_though_its_id_repeats(registrant):
    with registrant.connect() as client:
        operation = registrant.mqtt_register(client, rid="1").body["operationId"]
        for _ in range(3):
            assert registrant.mqtt_status(client, operation, rid="1").status == 200


@pytest.mark.parametrize("body", [b"", b" ", b"{}", b'{"registrationId":"another"}', b"\xff"])
def test_P043_the_body_of_a_status_request_is_ignored(registrant, body):
    with registrant.connect() as client:
        operation = registrant.mqtt_register(client).body["operationId"]
        assert registrant.mqtt_status(client, operation, body).status == 200


def test_P020_P044_wrong_credentials_are_told_on_the_topic(server, registrant):
    for token in (registrant.token(key=sas.another_key()), registrant.token(expires_in=-400)):
        with registrant.connect(password=token) as client:
            answer = registrant.mqtt_register(client)
            assert (answer.status, answer.body["errorCode"]) == (401, 401002)
            assert answer.body["trackingId"] and answer.body["timestampUtc"]


def test_P045_the_user_name_must_agree_with_the_client_id(registrant):
    client, answer = registrant.attempt(client_id="another")
    assert answer.code == 5
    client.expect_closed()


def test_P045_the_client_id_is_compared_without_case(registrant):
    with registrant.connect(client_id=registrant.id.upper()) as client:
        client.ping()


def test_P044_an_unknown_scope_is_refused(server, registrant):
    registrant_elsewhere = f"0ne00000000/registrations/{registrant.id}/api-version=2019-03-31"
    client, answer = registrant.attempt(username=registrant_elsewhere)
    assert answer.code == 5
    client.expect_closed()


def test_P047_another_filter_is_not_granted(registrant):
    with registrant.connect(subscribe=False) as client:
        assert client.subscribe("$dps/registrations/#", "devices/d/messages/devicebound/#",
                                dps.RESPONSES) == [0x80, 0x80, 1]


@pytest.mark.parametrize("topic, qos", [
    ("$dps/registrations/PUT/iotdps-register/", 2),
    ("$dps/registrations/PUT/something/?$rid=1", 1),
    ("devices/d/messages/events/", 1),
    ("$iothub/twin/GET/?$rid=1", 0),
])
def test_P047_a_publish_to_another_topic_closes(registrant, topic, qos):
    with registrant.connect() as client:
        client.send(packets.publish(topic, b"{}", qos, 1))
        client.expect_closed()


def test_P014_P017_a_refusal_is_a_finished_operation(server, group_key):
    stranger = dps.group_device(server, unique_id("stranger"), group_key)
    answer = stranger.register_by_mqtt()
    assert answer.status == 200
    dps.assert_refused(answer.body)
