"""Device-to-cloud messages as they arrive: hub-device.md 6.5, 6.8 and checklist "Semantics"."""

import json
from urllib.parse import quote

import pytest
from lib.server import HubModule

MODEL = "dtmi:com:example:Pump;1"


def sent(server, device, bag="", payload=b"{}", query=None):
    options = {"username": device.username(query)} if query else {}
    with device.connect(**options) as client:
        client.publish(device.events(bag), payload)
    return server.messages(device.id, 1)[0]


def test_H142_a_message_is_stamped_with_who_sent_it_and_when(server, device):
    message = sent(server, device, query=f"?api-version=2021-04-12&model-id={quote(MODEL)}")
    stamp = message.system
    assert stamp["iothub-connection-device-id"] == message.device_id == device.id
    assert stamp["iothub-connection-auth-generation-id"]
    method = json.loads(stamp["iothub-connection-auth-method"])
    assert (method["scope"], method["type"], method["issuer"]) == ("device", "sas", "iothub")
    assert stamp["iothub-message-source"] == "Telemetry"
    assert stamp["dt-dataschema"] == MODEL
    assert message.shown["enqueuedTimeUtc"].endswith("Z")


def test_H142_what_a_device_claims_of_these_is_dropped(server, device):
    claims = {"iothub-connection-device-id": "another", "iothub-enqueuedtime": "2001-01-01T00:00:00Z",
              "iothub-message-source": "twinChangeEvents", "%24.cdid": "another", "$.cmid": "m"}
    bag = "&".join(f"{key}={value}" for key, value in claims.items()) + "&real=1"
    message = sent(server, device, bag)
    assert message.properties == {"real": "1"}
    assert message.system["iothub-connection-device-id"] == device.id
    assert message.system["iothub-message-source"] == "Telemetry"
    assert not message.shown["enqueuedTimeUtc"].startswith("2001")
    assert "iothub-connection-module-id" not in message.system


def test_H142_a_module_is_named(server, device):
    module = HubModule(device, "m1")
    with module.connect() as client:
        client.publish(module.events(), b"{}")
    message = server.messages(device.id, 1)[0]
    assert message.system["iothub-connection-module-id"] == "m1"


def test_H144_connected_tells_the_truth(server, device):
    assert not server.device(device.id)["connected"]
    client = device.connect()
    shown = server.device(device.id)
    assert shown["connected"] and shown["lastActivity"]
    client.disconnect()
    assert not server.device(device.id)["connected"]


def test_H146_messages_survive_a_restart(new_server):
    server = new_server()
    device = server.add_device()
    with device.connect() as client:
        client.publish(device.events(), b"before")
    server.restart()
    with device.connect() as client:
        client.publish(device.events(), b"after")
    assert [message.body for message in server.messages(device.id, 2)] == [b"before", b"after"]


ODD_NAME, ODD_VALUE = "!#$%&'*+-^_`|~", '()<>@,;:\\"/[]?={} \t'


@pytest.mark.parametrize("bag, name, values", [
    ("flag", "flag", [None, ""]),
    ("empty=", "empty", [""]),
    (f"{quote(ODD_NAME, safe='')}={quote(ODD_VALUE, safe='')}", ODD_NAME, [ODD_VALUE]),
])
def test_H162_odd_properties_pass(server, device, bag, name, values):
    found = sent(server, device, bag).properties
    assert list(found) == [name]
    assert found[name] in values


def test_H162_an_empty_body_passes(server, device):
    assert sent(server, device, payload=b"").body == b""


def test_H163_messages_of_the_security_agent_are_acknowledged_and_shown_to_nobody(server, device):
    with device.connect() as client:
        interface = quote("urn:azureiot:Security:SecurityAgent:1", safe="")
        client.publish(device.events(f"%24.ifid={interface}"), b"secret")
        client.publish(device.events(), b"open")
    assert server.messages(device.id, 1)[0].body == b"open"


def test_live_messages_reach_a_monitor(server, device):
    with server.monitor(device.id) as monitor, device.connect() as client:
        # The monitor tells nothing when it is ready: send until it shows one.
        found = None
        for number in range(100):
            client.publish(device.events(), f'{{"n":{number}}}'.encode())
            try:
                found = monitor.next(deadline=0.1)
                break
            except AssertionError:
                monitor.read = 0
        assert found and found.device_id == device.id
