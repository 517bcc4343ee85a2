"""MQTT CONNECT and what follows it: hub-device.md 2.1-2.4, 2.9 and checklist "MQTT connect"."""

import time
from urllib.parse import quote

import pytest
from lib import packets, sas
from lib.packets import Will

MODEL = "dtmi:com:example:Pump;1"


@pytest.mark.parametrize("rest", [
    "/?api-version=2021-04-12&DeviceClientType=node%2F1.18",
    "/?api-version=2019-10-01&DeviceClientType=py&model-id=" + quote(MODEL, safe=""),
    "/?api-version=2020-09-30&DeviceClientType=c%2f1.15&auth-chain=x%3by",
    "/?api-version=2020-09-30",
    "/?unknown=1&api-version=2017-11-08-preview",
    "/api-version=2016-11-14&DeviceClientType=old",
    "/?DeviceClientType=only",
    "",
])
def test_H026_every_form_of_user_name_is_taken(device, rest):
    device.connect(username=f"localhost/{device.id}{rest}").disconnect()


@pytest.mark.parametrize("query", [
    f"?api-version=2021-04-12&model-id={MODEL}&DeviceClientType=test%2F1.0",
    f"?DeviceClientType=test%2F1.0&model-id={quote(MODEL, safe='')}&api-version=2020-09-30",
    f"?model-id={quote(MODEL, safe='').lower()}&api-version=2020-09-30&DeviceClientType=test%2f1.0",
])
def test_H027_H028_model_id_and_product_are_read_in_any_order_and_kept(server, device, query):
    model = MODEL.lower() if "%3a" in query else MODEL
    client = device.connect(username=device.username(query))
    shown = server.device(device.id)
    assert shown["modelId"] == model
    assert shown["connection"]["clientType"] == "test/1.0"
    client.disconnect()


def test_H029_session_present_tells_whether_subscriptions_are_stored(device):
    def session_present(clean):
        client = device.connect(clean=clean)
        present = client.session_present
        if not clean:
            client.subscribe(device.c2d_filter)
        client.disconnect()
        return present

    assert [session_present(clean) for clean in (False, False, True, False)] == [
        False, True, False, False]


def test_H030_H032_permanent_refusals_are_5_and_close(server, device):
    stranger = type(device)(server, "nobody-of-that-name", device.key)
    assert device.refused(password=device.token(key=sas.another_key())) == 5
    assert device.refused(password="no token at all") == 5
    assert device.refused(password="") == 5
    assert device.refused(client_id="") == 5
    assert stranger.refused() == 5


def test_H030_an_unknown_hub_is_refused_with_3(device):
    assert device.refused(username=f"hub.elsewhere.test/{device.id}/?api-version=2021-04-12") == 3


@pytest.mark.parametrize("protocol, level", [("MQTT", 5), ("MQTT", 3), ("MQIsdp", 3)])
def test_H031_other_protocol_levels_get_1(device, protocol, level):
    assert device.refused(protocol=protocol, level=level) == 1


def test_H033_connect_is_answered_within_2_seconds(device):
    started = time.monotonic()
    device.connect().disconnect()
    assert time.monotonic() - started < 2


def test_H034_silence_after_the_handshake_is_ended_after_30_seconds(server):
    with server.dial_mqtt() as client:
        client.expect_closed(deadline=33)


def test_H035_a_second_connect_closes(device):
    with device.connect() as client:
        client.send(packets.connect(device.id, device.username(), device.token()))
        client.expect_closed()


@pytest.mark.parametrize("name, data", [
    ("packet type 0", b"\x00\x00"),
    ("packet type 15", b"\xf0\x00"),
    ("a CONNACK from a client", b"\x20\x02\x00\x00"),
    ("a remaining length of five bytes", b"\x30\x80\x80\x80\x80\x01"),
    ("SUBSCRIBE without its flags", packets.packet(8, b"\0\1\0\1a\0")),
    ("SUBSCRIBE with packet ID 0", packets.subscribe(0, [("$iothub/twin/res/#", 0)])),
    ("SUBSCRIBE without filters", packets.packet(8, b"\0\1", 2)),
    ("SUBSCRIBE with QoS 3", packets.subscribe(1, [("$iothub/twin/res/#", 3)])),
    ("PUBLISH with QoS 3", packets.packet(3, b"\0\1a\0\1", 6)),
    ("PUBLISH whose topic is longer than the packet", packets.packet(3, b"\0\x09a")),
    ("PUBLISH with packet ID 0", packets.publish("devices/d/messages/events/", b"", 1, 0)),
    ("PINGREQ with a body", b"\xc0\x01\x00"),
])
def test_H036_malformed_packets_close(device, name, data):
    with device.connect() as client:
        client.send(data)
        client.expect_closed()


def test_H036_a_malformed_connect_is_not_answered(server):
    good = packets.connect("d", "localhost/d/", "x")
    reserved_flag = good[:9] + bytes([good[9] | 1]) + good[10:]
    for data in (reserved_flag, b"\x10\x02\0\4", packets.packet(packets.PINGREQ)):
        with server.dial_mqtt() as client:
            client.send(data)
            client.expect_closed()


def test_H037_client_id_and_user_name_must_agree(device):
    assert device.refused(client_id=device.id + "x") == 5
    assert device.refused(client_id=device.id.upper()) == 5


def test_H040_silence_is_ended_after_one_and_a_half_keep_alives(device):
    with device.connect(keep_alive=2) as client:
        started = time.monotonic()
        client.expect_closed(deadline=6)
        assert 2.9 <= time.monotonic() - started <= 5


def test_H040_any_packet_starts_the_keep_alive_anew(device):
    with device.connect(keep_alive=1) as client:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                client.receive(deadline=1)
            client.publish(device.events(), b"{}")


def test_H041_a_ping_is_answered(device):
    with device.connect() as client:
        started = time.monotonic()
        client.ping()
        assert time.monotonic() - started < 5


def test_H043_a_will_with_a_foreign_topic_is_refused(device):
    for topic in ("devices/another/messages/events/", "last/words", "$iothub/twin/GET/?$rid=1"):
        assert device.refused(will=Will(topic, b"x")) == 5


def test_H043_H044_a_will_is_published_when_the_device_is_lost(server, device):
    client = device.connect(will=Will(device.events("a=1"), b"goodbye", 1))
    client.drop()
    with server.monitor(device.id, from_start=True) as monitor:
        will = monitor.next()
    assert will.body == b"goodbye"
    assert will.properties["a"] == "1"
    assert will.system["iothub-MessageType"] == "Will"


def test_H043_no_will_is_published_after_disconnect(server, device):
    device.connect(will=Will(device.events(), b"goodbye", 1)).disconnect()
    with device.connect() as client:
        client.publish(device.events(), b"later")
    assert [message.body for message in server.messages(device.id, 1)] == [b"later"]
