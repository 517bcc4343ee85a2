"""SUBSCRIBE and PUBLISH: hub-device.md 2.5-2.7 and checklist "MQTT subscribe and publish"."""

import pytest
from lib import packets, twin

LIMIT = 262144


def stored(server, device, bag, payload=b"{}"):
    """What the log holds of a message published with this bag."""
    with device.connect() as client:
        client.publish(device.events(bag), payload)
    return server.messages(device.id, 1)[0]


# --- subscribe -----------------------------------------------------------------------------------


def test_H045_H047_each_filter_of_a_device_gets_its_code_in_order(device):
    with device.connect() as client:
        assert client.subscribe((device.c2d_filter, 1), (twin.RESPONSES, 0), (twin.DESIRED, 1),
                                (twin.METHODS, 0)) == [1, 0, 1, 0]


def test_H046_qos_2_is_granted_as_1(device):
    with device.connect() as client:
        assert client.subscribe((device.c2d_filter, 2)) == [1]


@pytest.mark.parametrize("name", ["#", "+/+", "devices/another/messages/devicebound/#",
                                  "$iothub/unknown/#", "$dps/registrations/res/#"])
def test_H048_an_unknown_filter_closes(device, name):
    with device.connect() as client:
        client.send(packets.subscribe(1, [(name, 0)]))
        client.expect_closed()


def test_H049_nothing_is_delivered_after_unsubscribe(server, device):
    with device.connect() as client:
        client.subscribe(twin.DESIRED, device.c2d_filter)
        client.unsubscribe(twin.DESIRED, device.c2d_filter)
        server.set_desired(device.id, {"a": 1})
        server.send_c2d(device.id, "hello")
        client.expect_quiet()


# --- publish -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rest, properties", [
    ("events", {}),
    ("events/", {}),
    ("events/a=1&b=2", {"a": "1", "b": "2"}),
    ("events/a=1&b=2/", {"a": "1", "b": "2"}),
    ("events/?a=1", {"a": "1"}),
])
def test_H050_every_form_of_the_events_topic_is_taken(server, device, rest, properties):
    with device.connect() as client:
        client.publish(f"devices/{device.id}/messages/{rest}", b"{}")
    assert server.messages(device.id, 1)[0].properties == properties


def test_H051_qos_1_is_acknowledged_on_every_topic(device):
    with device.connect() as client:
        client.publish(device.events(), b"{}")
        client.publish("$iothub/twin/GET/?$rid=1", b" ")
        client.publish("$iothub/twin/PATCH/properties/reported/?$rid=2", b'{"a":1}')
        client.publish("$iothub/methods/res/200/?$rid=unknown", b"{}")


@pytest.mark.parametrize("topic", ["devices/{id}/messages/events/", "$iothub/twin/GET/?$rid=1"])
def test_H052_qos_2_closes(device, topic):
    with device.connect() as client:
        client.send(packets.publish(topic.format(id=device.id), b"{}", 2, 1))
        client.expect_closed()


@pytest.mark.parametrize("topic", [
    "devices/another/messages/events/",
    "devices/{id}/modules/m1/messages/events/",
    "devices/{id}/messages/devicebound/",
    "$iothub/twin/res/200/?$rid=1",
    "$dps/registrations/PUT/iotdps-register/?$rid=1",
    "somewhere",
])
def test_H053_a_foreign_or_unknown_topic_closes(device, topic):
    with device.connect() as client:
        client.send(packets.publish(topic.format(id=device.id), b"{}", 1, 1))
        client.expect_closed()


def test_H054_H146_what_was_acknowledged_survives_kill_9(new_server):
    server = new_server()
    device = server.add_device()
    sent = [f"message {number}".encode() for number in range(20)]
    with device.connect() as client:
        for payload in sent:
            client.publish(device.events(), payload)
        server.kill()
    server.start()
    assert [message.body for message in server.messages(device.id, 20)] == sent


def test_H055_H145_the_order_of_a_connection_is_kept(server, device):
    sent = [f"{number}".encode() for number in range(100)]
    with device.connect() as client:
        client.send(b"".join(packets.publish(device.events(), payload, 1, number)
                             for number, payload in enumerate(sent, start=1)))
        acknowledged = [client.expect(packets.Puback).packet_id for _ in sent]
    assert acknowledged == list(range(1, 101))
    assert [message.body for message in server.messages(device.id, 100)] == sent


@pytest.mark.parametrize("dollar", ["$", "%24"])
def test_H056_H158_system_keys_are_decoded_and_mapped(server, device, dollar):
    keys = {"mid": "message-id", "cid": "correlation-id", "uid": "user-id", "ct": "content-type",
            "ce": "content-encoding", "sub": "dt-subject", "on": "iothub-outputname",
            "schema": "iothub-message-schema"}
    bag = "&".join(["before=1"] + [f"{dollar}.{key}=v{key}" for key in keys] + ["after=2"])
    message = stored(server, device, bag)
    assert message.properties == {"before": "1", "after": "2"}
    for key, name in keys.items():
        assert message.system[name] == f"v{key}", name


def test_H056_the_times_a_device_states_are_mapped(server, device):
    message = stored(server, device, "%24.exp=2031-01-02T03%3A04%3A05Z&$.ctime=2030-01-02T03:04:05Z")
    assert message.system["absolute-expiry-time"].startswith("2031-01-02T03:04:05")
    assert message.system["iothub-creation-time-utc"].startswith("2030-01-02T03:04:05")


def test_H057_slash_equals_and_plus_stay_in_values(server, device):
    message = stored(server, device, "path=a/b/c&sum=1+1=2&base64=ab+/==")
    assert message.properties == {"path": "a/b/c", "sum": "1+1=2", "base64": "ab+/=="}


def test_H058_an_invalid_percent_sequence_stays_as_it_is(server, device):
    message = stored(server, device, "a=100%&b=%zz&c=%2&d=%41")
    assert message.properties == {"a": "100%", "b": "%zz", "c": "%2", "d": "A"}


def test_H059_a_retained_publish_is_marked_and_not_retained(server, device):
    with device.connect() as client:
        client.publish(device.events(), b"kept?", retain=True)
    assert server.messages(device.id, 1)[0].properties == {"mqtt-retain": "true"}


def test_H060_a_repeated_publish_after_a_reconnect_is_taken(server, device):
    with device.connect(clean=False) as client:
        client.publish(device.events(), b"once", packet_id=7)
        client.drop()
    with device.connect(clean=False) as client:
        client.publish(device.events(), b"once", packet_id=7, dup=True)
    assert [message.body for message in server.messages(device.id, 2)] == [b"once", b"once"]


def test_H061_a_message_of_the_largest_size_is_taken(server, device):
    with device.connect() as client:
        client.publish(device.events(), bytes(LIMIT))
        client.publish(device.events("ab=cd&%24.mid=ef"), bytes(LIMIT - 6))
    assert [len(message.body) for message in server.messages(device.id, 2)] == [LIMIT, LIMIT - 6]


@pytest.mark.parametrize("bag, size", [("", LIMIT + 1), ("ab=cd&%24.mid=ef", LIMIT - 5)])
def test_H061_a_message_one_byte_larger_closes(device, bag, size):
    with device.connect() as client:
        client.send(packets.publish(device.events(bag), bytes(size), 1, 1))
        client.expect_closed()
