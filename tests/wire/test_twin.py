"""Twins over MQTT: hub-device.md 2.11, 6.3 and checklist "MQTT twin and methods"."""

import json

import pytest
from lib import packets, twin
from lib.packets import Puback, Publish


@pytest.fixture
def client(device):
    with device.connect() as connected:
        connected.subscribe((twin.RESPONSES, 1))
        yield connected


def nested(depth):
    """{"l":{"l":...1}} with so many levels of objects."""
    value = 1
    for _ in range(depth):
        value = {"l": value}
    return value


def test_H072_get_is_answered_with_both_sections_and_their_versions(client):
    answer = twin.get(client)
    assert answer.status == 200
    assert answer.body == {"desired": {"$version": 1}, "reported": {"$version": 1}}


def test_H073_a_report_is_answered_with_204_and_the_new_version(client):
    answer = twin.report(client, {"a": 1}, rid="7")
    assert answer.publish.topic == "$iothub/twin/res/204/?$rid=7&$version=2"
    assert answer.publish.payload == b""


@pytest.mark.parametrize("rid", ["1", "0a1b-2c", "a b", "%41", "Ä", "x" * 200])
def test_H074_the_request_id_is_echoed_as_it_came(client, rid):
    assert twin.get(client, rid).rid == rid
    assert twin.report(client, {"a": 1}, rid).rid == rid


def test_H075_an_error_has_a_status_and_a_body_that_says_so(client):
    for patch in ("no json", "[1]", "{", '{"$version":1}', ""):
        answer = twin.report(client, patch)
        assert answer.status == 400, patch
        assert answer.body["errorCode"] // 1000 == 400
        assert answer.body["message"] and answer.body["trackingId"] and answer.body["timestampUtc"]


def test_H076_answers_and_notifications_are_qos_0(server, device, client):
    assert twin.get(client).publish.qos == 0
    assert twin.report(client, {"a": 1}).publish.qos == 0
    client.subscribe((twin.DESIRED, 1))
    server.set_desired(device.id, {"a": 1})
    assert client.receive_publish().qos == 0


def test_H077_each_desired_change_comes_once_and_in_order(server, device, client):
    client.subscribe(twin.DESIRED)
    for number in range(5):
        server.set_desired(device.id, {"n": number})
    found = [twin.receive_desired(client) for _ in range(5)]
    assert found == [(n + 2, {"n": n, "$version": n + 2}) for n in range(5)]
    client.expect_quiet()


def test_H078_nulls_of_the_patch_are_notified(server, device, client):
    server.set_desired(device.id, {"a": 1, "b": {"c": 2, "d": 3}})
    client.subscribe(twin.DESIRED)
    server.set_desired(device.id, {"a": None, "b": {"c": None}})
    assert twin.receive_desired(client) == (3, {"a": None, "b": {"c": None}, "$version": 3})
    assert twin.get(client).body["desired"] == {"b": {"d": 3}, "$version": 3}


def test_H079_changes_are_not_kept_for_a_device_that_is_away(server, device):
    with device.connect(clean=False) as client:
        client.subscribe(twin.DESIRED, twin.RESPONSES)
        client.disconnect()
    server.set_desired(device.id, {"a": 1})
    with device.connect(clean=False) as client:
        client.expect_quiet()
        assert twin.get(client).body["desired"] == {"a": 1, "$version": 2}


def test_H080_a_get_shows_what_was_notified_before(server, device, client):
    client.subscribe(twin.DESIRED)
    for number in range(5):
        server.set_desired(device.id, {"n": number})
        version, patch = twin.receive_desired(client)
        assert twin.get(client).body["desired"] == {"n": number, "$version": version}


def test_H084_the_body_of_a_get_is_ignored(client):
    for payload in (b"", b" ", b"{}", b"\xff"):
        assert twin.get(client, payload=payload).status == 200


def test_H051_a_report_at_qos_1_is_acknowledged_and_answered(client):
    topic = "$iothub/twin/PATCH/properties/reported/?$rid=1"
    client.send(packets.publish(topic, b'{"a":1}', 1, 9))
    found = {type(packet): packet for packet in (client.receive(), client.receive())}
    assert found[Puback].packet_id == 9
    assert found[Publish].topic.startswith("$iothub/twin/res/204/")


# --- what a patch does -----------------------------------------------------------------------------


def test_H136_patches_merge_and_null_deletes(client):
    twin.report(client, {"a": {"b": 1, "c": [1, 2]}, "d": "x"})
    twin.report(client, {"a": {"b": None, "c": [3], "e": True}, "d": None, "nothing": None})
    reported = twin.get(client).body["reported"]
    assert reported == {"a": {"c": [3], "e": True}, "$version": 3}


def test_H136_spelling_and_order_of_values_stay(client):
    text = '{"z":23.10,"a":9007199254740.25,"m":1e2,"date":"2026-01-01T00:00:00.000Z"}'
    twin.report(client, text)
    answer = twin.get(client).publish.payload.decode()
    assert text[1:-1] in answer


@pytest.mark.parametrize("name, patch", [
    ("a dot in a key", {"a.b": 1}),
    ("a blank in a key", {"a b": 1}),
    ("a dollar in a key", {"a$": 1}),
    ("a control character in a key", {"a\x01": 1}),
    ("a key of 1,025 bytes", {"k" * 1025: 1}),
    ("a string of 4,097 bytes", {"a": "x" * 4097}),
    ("an integer below the range", {"a": -4503599627370497}),
    ("an integer above the range", {"a": 4503599627370496}),
    ("eleven levels below the section", nested(12)),
    ("more than 32 KiB", {f"k{n}": "x" * 4000 for n in range(9)}),
])
def test_H137_a_patch_against_the_rules_is_refused_and_changes_nothing(client, name, patch):
    twin.report(client, {"before": 1})
    assert twin.report(client, patch).status == 400
    assert twin.get(client).body["reported"] == {"before": 1, "$version": 2}


@pytest.mark.parametrize("name, patch", [
    ("a key of 1,024 bytes", {"k" * 1024: 1}),
    ("a string of 4,096 bytes", {"a": "x" * 4096}),
    ("the least integer", {"a": -4503599627370496}),
    ("the greatest integer", {"a": 4503599627370495}),
    ("ten levels below the section", nested(11)),
    ("nearly 32 KiB", {f"k{n}": "x" * 4000 for n in range(8)}),
])
def test_H137_a_patch_at_the_limits_is_taken(client, name, patch):
    assert twin.report(client, patch).status == 204


def test_H137_a_patch_of_more_than_96_kib_is_too_large(client):
    answer = twin.report(client, json.dumps({"a": "x" * (96 * 1024)}))
    assert answer.status == 413
    assert answer.body["errorCode"] // 1000 == 413
    assert twin.get(client).body["reported"] == {"$version": 1}


@pytest.mark.parametrize("key", ["$version", "$metadata", "$any"])
def test_H138_H169_a_key_with_a_dollar_refuses_the_whole_patch(client, key):
    answer = twin.report(client, {"good": 1, key: 5})
    assert (answer.status, answer.body["errorCode"]) == (400, 400004)
    assert twin.get(client).body["reported"] == {"$version": 1}


def test_H139_each_section_counts_its_own_changes_and_keeps_times(server, device, client):
    twin.report(client, {"r": {"x": 1}})
    server.set_desired(device.id, {"d": 1})
    server.set_desired(device.id, {"e": {"y": 2}})
    document = server.twin(device.id)["properties"]
    assert document["reported"]["$version"] == 2
    assert document["desired"]["$version"] == 3
    assert document["reported"]["$metadata"]["r"]["x"]["$lastUpdated"]
    assert document["desired"]["$metadata"]["d"]["$lastUpdatedVersion"] == 2
    assert document["desired"]["$metadata"]["e"]["y"]["$lastUpdatedVersion"] == 3


def test_H159_a_base_version_guards_a_report(client):
    assert twin.report(client, {"a": 1}, version=1).version == 2
    stale = twin.report(client, {"a": 2}, version=1)
    assert (stale.status, stale.body["errorCode"]) == (412, 412001)
    assert twin.get(client).body["reported"] == {"a": 1, "$version": 2}


def test_H169_a_null_for_a_missing_member_leaves_an_empty_object(client):
    twin.report(client, {"a": {"b": None}})
    assert twin.get(client).body["reported"] == {"a": {}, "$version": 2}


def test_H170_clearing_desired_is_notified_as_nulls(server, device, client):
    server.set_desired(device.id, {"a": 1, "b": {"c": 2}})
    client.subscribe(twin.DESIRED)
    server.set_desired(device.id, None)
    assert twin.receive_desired(client) == (3, {"a": None, "b": None, "$version": 3})
    assert twin.get(client).body["desired"] == {"$version": 3}


def test_reported_properties_reach_the_operator(server, device, client):
    twin.report(client, {"firmware": "1.2"})
    assert server.twin(device.id)["properties"]["reported"]["firmware"] == "1.2"


def test_an_answer_without_subscription_is_dropped_and_the_report_kept(server, device):
    with device.connect() as client:
        client.publish("$iothub/twin/PATCH/properties/reported/?$rid=1", b'{"a":1}')
        client.expect_quiet()
    assert server.twin(device.id)["properties"]["reported"]["a"] == 1
