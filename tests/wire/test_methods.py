"""Direct methods over MQTT: hub-device.md 2.12, 6.4."""

import json
import time

import pytest
from lib import twin


@pytest.fixture
def client(device):
    with device.connect() as connected:
        connected.subscribe(twin.METHODS)
        yield connected


def invoke(server, device, name="reboot", payload=None, timeout=10):
    options = ["--payload", json.dumps(payload)] if payload is not None else []
    return server.start_cli("device", "invoke", device.id, name, "--timeout", timeout, *options)


def test_H076_H081_a_call_reaches_the_device_and_its_answer_the_caller(server, device, client):
    call = invoke(server, device, "reboot", {"delay": 5})
    found = twin.receive_method(client)
    assert (found.name, json.loads(found.body)) == ("reboot", {"delay": 5})
    assert (found.publish.qos, found.publish.retain) == (0, False)
    twin.answer_method(client, found, 207, b'{"done": 23.10}')
    status, out, err = call.result()
    assert status == 0, err
    assert json.loads(out) == {"status": 207, "payload": {"done": 23.1}}
    assert "23.10" in out


def test_H081_a_call_without_payload_has_null_for_a_body(server, device, client):
    call = invoke(server, device)
    found = twin.receive_method(client)
    assert found.body == b"null"
    twin.answer_method(client, found, 200, b"")
    status, out, err = call.result()
    assert (status, json.loads(out)) == (0, {"status": 200, "payload": None})


def test_H081_H141_a_device_without_subscription_is_not_online(server, device):
    with device.connect() as client:
        status, answer = server.api("POST", f"devices/{device.id}/methods", {"methodName": "x"})
        assert (status, answer["error"]["code"]) == (404, "DeviceNotOnline")
        client.subscribe(twin.METHODS)
        client.unsubscribe(twin.METHODS)
        status, answer = server.api("POST", f"devices/{device.id}/methods", {"methodName": "x"})
        assert (status, answer["error"]["code"]) == (404, "DeviceNotOnline")
        client.expect_quiet()


def test_H082_answers_are_taken_at_qos_1_and_unknown_ones_dropped(server, device, client):
    client.publish("$iothub/methods/res/200/?$rid=unknown", b"{}", qos=0)
    client.publish("$iothub/methods/res/200/?$rid=unknown", b"{}", qos=1)
    call = invoke(server, device)
    found = twin.receive_method(client)
    twin.answer_method(client, found, 200, b"1", qos=1)
    assert json.loads(call.result()[1]) == {"status": 200, "payload": 1}
    twin.answer_method(client, found, 200, b"2", qos=1)
    client.expect_quiet()


def test_H083_a_filter_may_name_one_method(server, device):
    with device.connect() as client:
        assert client.subscribe(("$iothub/methods/POST/known/#", 0)) == [0]
        call = invoke(server, device, "known")
        twin.answer_method(client, twin.receive_method(client))
        assert call.result()[0] == 0
        status, answer = server.api("POST", f"devices/{device.id}/methods", {"methodName": "other"})
        assert (status, answer["error"]["code"]) == (404, "DeviceNotOnline")


def test_a_component_command_keeps_its_star(server, device, client):
    call = invoke(server, device, "pump*start")
    found = twin.receive_method(client)
    assert found.name.replace("%2A", "*") == "pump*start"
    twin.answer_method(client, found)
    assert call.result()[0] == 0


@pytest.mark.parametrize("members", [
    {"responseTimeoutInSeconds": 4}, {"responseTimeoutInSeconds": 301},
    {"connectTimeoutInSeconds": -1}, {"connectTimeoutInSeconds": 301},
])
def test_H140_time_outs_outside_their_range_are_refused(server, device, members):
    status, answer = server.api("POST", f"devices/{device.id}/methods",
                                {"methodName": "x", **members})
    assert status == 400


def test_H140_the_connect_time_out_waits_for_the_device(server, device):
    call = server.start_cli("device", "invoke", device.id, "hello", "--connect-timeout", 10)
    with device.connect() as client:
        client.subscribe(twin.METHODS)
        twin.answer_method(client, twin.receive_method(client))
        assert call.result()[0] == 0


def test_H141_a_silent_device_is_a_time_out(server, device, client):
    started = time.monotonic()
    status, answer = server.api("POST", f"devices/{device.id}/methods",
                                {"methodName": "x", "responseTimeoutInSeconds": 5})
    assert (status, answer["error"]["code"]) == (504, "RequestTimeout")
    assert 5 <= time.monotonic() - started < 7


def test_H141_an_unknown_device_is_not_found(server):
    assert server.api("POST", "devices/nobody/methods", {"methodName": "x"})[0] == 404
