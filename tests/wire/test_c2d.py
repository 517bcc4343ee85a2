"""Cloud-to-device messages over MQTT: hub-device.md 2.8, 2.10, 6.2 and checklist "MQTT C2D"."""

import time
from urllib.parse import unquote

from lib.server import HubModule


def bag_of(publish):
    """[(key, value)] of the topic, in order, still encoded."""
    bag = publish.topic.split("/messages/devicebound/", 1)[1]
    return [tuple(pair.split("=", 1)) for pair in bag.split("&")]


def subscribed(device, **options):
    client = device.connect(**options)
    client.subscribe(device.c2d_filter)
    return client


def test_H062_H064_a_message_without_properties_has_to_in_its_topic(server, device):
    with subscribed(device) as client:
        server.send_c2d(device.id, "hello")
        found = client.receive_publish()
    assert found.topic == (f"devices/{device.id}/messages/devicebound/"
                           f"%24.to=%2Fdevices%2F{device.id}%2Fmessages%2FdeviceBound")
    assert (found.payload, found.qos, found.dup, found.retain) == (b"hello", 1, False, False)


def test_H065_H071_H161_system_properties_come_first_then_those_of_the_sender(server, device):
    with subscribed(device) as client:
        server.send_c2d(device.id, "x", messageId="m-1", correlationId="c-1", userId="u-1",
                        contentType="application/json", contentEncoding="utf-8", ack="full",
                        properties={"b": "2", "a": "1"})
        found = bag_of(client.receive_publish())
    keys = [key for key, value in found]
    assert keys[:6] == ["%24.mid", "%24.cid", "%24.uid", "%24.to", "%24.ct", "%24.ce"]
    assert dict(found)["iothub-ack"] == "full"
    assert keys.index("iothub-ack") < min(keys.index("a"), keys.index("b"))
    assert set(keys[6:]) - {"%24.exp"} == {"iothub-ack", "a", "b"}


def test_H161_nothing_is_added_to_what_the_sender_gave(server, device):
    with subscribed(device) as client:
        server.send_c2d(device.id, "x", messageId="only", properties={"a": "1"})
        found = dict(bag_of(client.receive_publish()))
    assert found.pop("%24.to") and found.pop("%24.mid") == "only" and found.pop("a") == "1"
    assert set(found) <= {"%24.exp"}


def test_H066_H157_values_are_percent_encoded_with_blanks_as_20(server, device):
    values = {"all": "a b+c/d&e=f%g", "letters": "Grüße"}
    with subscribed(device) as client:
        server.send_c2d(device.id, "x", properties=values, contentType="text/plain; a=b")
        found = dict(bag_of(client.receive_publish()))
    assert found["all"] == "a%20b%2Bc%2Fd%26e%3Df%25g"
    assert unquote(found["letters"]) == values["letters"]
    assert unquote(found["%24.ct"]) == "text/plain; a=b"


def test_H063_sixteen_messages_at_most_wait_for_their_acknowledgement(server, device):
    for number in range(18):
        server.send_c2d(device.id, str(number))
    with subscribed(device) as client:
        held = [client.receive_publish(acknowledge=False) for _ in range(16)]
        client.expect_quiet()
        assert [found.payload for found in held] == [str(n).encode() for n in range(16)]
        acknowledge(client, held[0])
        assert client.receive_publish().payload == b"16"


def acknowledge(client, publish):
    client.send(b"\x40\x02" + publish.packet_id.to_bytes(2, "big"))


def test_H067_queued_messages_come_after_a_reconnect_without_a_new_subscription(server, device):
    subscribed(device, clean=False).disconnect()
    server.send_c2d(device.id, "while away")
    with device.connect(clean=False) as client:
        assert client.session_present
        assert client.receive_publish(deadline=8).payload == b"while away"


def test_H068_nothing_is_delivered_before_a_first_subscription(server, device):
    server.send_c2d(device.id, "early")
    with device.connect(clean=False) as client:
        client.expect_quiet()
        client.subscribe(device.c2d_filter)
        assert client.receive_publish().payload == b"early"


def test_H069_an_acknowledged_message_is_done(server, device):
    server.send_c2d(device.id, "one")
    with subscribed(device) as client:
        client.receive_publish()
        client.disconnect()
    with subscribed(device) as client:
        client.expect_quiet()


def test_H069_an_unacknowledged_message_comes_again_as_a_duplicate(server, device):
    server.send_c2d(device.id, "again")
    with subscribed(device) as client:
        assert not client.receive_publish(acknowledge=False).dup
        client.drop()
    with subscribed(device) as client:
        found = client.receive_publish()
        assert (found.payload, found.dup) == (b"again", True)


def test_H070_queued_messages_wait_for_the_subscription_after_a_reconnect(server, device):
    subscribed(device, clean=False).disconnect()
    server.send_c2d(device.id, "held")
    with device.connect(clean=False) as client:
        client.expect_quiet()
        client.subscribe(device.c2d_filter)
        assert client.receive_publish().payload == b"held"


def test_qos_0_delivery_completes_the_message(server, device):
    with device.connect() as client:
        assert client.subscribe((device.c2d_filter, 0)) == [0]
        server.send_c2d(device.id, "once")
        assert client.receive_publish().qos == 0
        client.disconnect()
    with subscribed(device) as client:
        client.expect_quiet()


def test_H132_the_51st_message_is_refused(server, device):
    for number in range(50):
        server.send_c2d(device.id, str(number))
    status, answer = server.api("POST", f"devices/{device.id}/messages", {"body": "one too many"})
    assert (status, answer["error"]["code"]) == (403, "QueueFull")


def feedback(server, device_id, deadline=10):
    """What the sender is told, asked for until there is something: it is committed after the
    message is settled."""
    end = time.monotonic() + deadline
    told = []
    while not told and time.monotonic() < end:
        _, answer = server.api("GET", f"devices/{device_id}/feedback")
        told = [(record["originalMessageId"], record["statusCode"]) for record in answer["value"]]
    return told


def test_H134_an_expired_message_is_not_delivered_and_its_sender_is_told(server, device):
    server.send_c2d(device.id, "late", ack="full", messageId="late-1",
                    expiryTimeUtc="2020-01-01T00:00:00Z")
    with subscribed(device) as client:
        client.expect_quiet()
    assert feedback(server, device.id) == [("late-1", "Expired")]


def test_H134_feedback_of_a_completed_message_is_success(server, device):
    with subscribed(device) as client:
        server.send_c2d(device.id, "x", ack="positive", messageId="done-1")
        client.receive_publish()
        client.disconnect()
    assert feedback(server, device.id) == [("done-1", "Success")]


def test_H160_a_module_has_a_queue_of_its_own(server, device):
    module = HubModule(device, "m1")
    with subscribed(device) as device_client, subscribed(module) as module_client:
        server.send_c2d(f"{device.id}/modules/m1", "for the module")
        found = module_client.receive_publish()
        assert found.payload == b"for the module"
        assert found.topic.startswith(f"devices/{device.id}/modules/m1/messages/devicebound/")
        assert dict(bag_of(found))["%24.to"] == (
            f"%2Fdevices%2F{device.id}%2Fmodules%2Fm1%2Fmessages%2FdeviceBound")
        device_client.expect_quiet()
