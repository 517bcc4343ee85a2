"""Telemetry as the application shows it: last values, history, raw data (central.md 7.2, 2.9)."""

import json

import pytest
from lib.caller import Caller
from lib.models import ModelledDevice, component, telemetry
from lib.wait import until

BIG = 9223372036854775807


MODEL = [telemetry("temperature"), telemetry("count", "long"), telemetry("place", "geopoint"),
         component("pump", [telemetry("flow")])]


@pytest.fixture
def device(boss):
    return ModelledDevice(boss, MODEL)


def send(device, *bodies, bag=""):
    with device.hub.connect() as client:
        for body in bodies:
            client.publish(device.hub.events(bag), body if isinstance(body, bytes) else body.encode())


def eventually(look, want, deadline=10):
    """What is built behind the acknowledgement is there soon."""
    until(lambda: look() == want, deadline, lambda: f"{look()}, not {want}")


def value_of(device, path):
    answer = device.rest("GET", path)
    return answer.body["value"] if answer.status == 200 else answer.code


def last(device):
    values = device.own("GET", "telemetry", status=200).body["value"]
    return {".".join(filter(None, [v["component"], v["name"]])): v for v in values}


def raw(device, query=""):
    return device.own("GET", f"rawData{query}", status=200).body["value"]


def test_C088_root_and_component_have_last_values_and_history(device):
    send(device, '{"temperature": 21.50}')
    send(device, '{"flow": 3}', bag="%24.sub=pump")
    eventually(lambda: value_of(device, "components/pump/telemetry/flow"), 3)
    assert value_of(device, "telemetry/temperature") == 21.5
    assert "21.50" in device.rest("GET", "telemetry/temperature").text
    assert value_of(device, "telemetry/flow") == "NotFound"
    assert value_of(device, "components/pump/telemetry/temperature") == "NotFound"
    assert value_of(device, "telemetry/count") == "NotFound"
    points = device.own("GET", "telemetry/flow?component=pump", status=200).body["value"]
    assert [p["value"] for p in points] == [3]
    assert device.own("GET", "telemetry/flow", status=200).body["value"] == []


def test_C088_the_time_is_the_one_the_device_states(device):
    send(device, '{"temperature": 1}', bag="iothub-creation-time-utc=2020-01-01T00%3A00%3A10Z")
    send(device, '{"temperature": 2}', bag="%24.ctime=2020-01-01T00%3A00%3A20Z")
    eventually(lambda: value_of(device, "telemetry/temperature"), 2)
    assert device.rest("GET", "telemetry/temperature").body["timestamp"].startswith(
        "2020-01-01T00:00:20")
    path = "telemetry/temperature?from=2020-01-01T00:00:00Z&to=2020-01-01T00:00:15Z"
    points = device.own("GET", path, status=200).body["value"]
    assert [(p["value"], p["at"][:19]) for p in points] == [(1, "2020-01-01T00:00:10")]


def test_C088_a_chart_has_the_least_the_most_and_the_mean_of_each_part(device):
    start = "2020-03-01T00:00:"
    with device.hub.connect() as client:
        for second, value in [(0, 1), (1, 5), (9, 3), (10, 7), (25, '"no number"'), (29, 9)]:
            client.publish(device.hub.events(
                f"iothub-creation-time-utc={start.replace(':', '%3A')}{second:02}Z"),
                f'{{"temperature": {value}}}'.encode())
    eventually(lambda: value_of(device, "telemetry/temperature"), 9)
    path = f"telemetry/temperature/buckets?from={start}00Z&to={start}30Z&count=3"
    answer = device.own("GET", path, status=200).body
    assert [(b["count"], b["min"], b["max"], b["average"]) for b in answer["value"]] == [
        (3, 1, 5, 3), (1, 7, 7, 7), (1, 9, 9, 9)]
    assert answer["value"][1]["from"].startswith("2020-03-01T00:00:10")
    [whole] = device.own("GET", f"telemetry/temperature/buckets?from={start}01Z&to={start}10Z&count=1",
                         status=200).body["value"]
    assert (whole["count"], whole["min"], whole["max"]) == (2, 3, 5)  # from is in it, to is not
    empty = device.own("GET", "telemetry/temperature/buckets?from=2019-01-01T00:00:00Z"
                       "&to=2019-01-02T00:00:00Z", status=200).body["value"]
    assert len(empty) == 50 and all(b["count"] == 0 and b["min"] is None for b in empty)
    for bad in ["count=0", "count=2000", "from=yesterday&to=today",
                "from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z"]:
        device.own("GET", f"telemetry/temperature/buckets?{bad}", status=400)


def test_C089_C090_C091_what_no_definition_fits_is_kept_as_unmodelled(device):
    send(device, '{"temperature": "hot", "pressure": 3, "User": 1, "$version": 2, "count": 4}')
    eventually(lambda: value_of(device, "telemetry/count"), 4)
    assert value_of(device, "telemetry/temperature") == "NotFound"
    shown = last(device)
    assert {name: v["state"] for name, v in shown.items()} == {
        "temperature": "mismatch", "pressure": "unmodeled", "count": "modeled"}
    send(device, '{"temperature": "hotter", "count": 5}', '{"temperature": 3, "count": 6}')
    eventually(lambda: value_of(device, "telemetry/count"), 6)
    assert device.own("GET", "telemetry").body["mismatches"] == 2
    assert value_of(device, "telemetry/temperature") == 3
    message = raw(device)[-1]
    assert message["body"]["pressure"] == 3
    assert message["_unmodeleddata"] == {"temperature": "hot", "pressure": 3}
    assert message["mismatches"] == 1
    with Stream(device, query="?from=start&count=1") as stream:
        assert json.loads(stream.line())["body"] == message["body"]


def test_C092_the_largest_integer_survives(device):
    send(device, f'{{"count": {BIG}}}')
    eventually(lambda: value_of(device, "telemetry/count"), BIG)
    assert str(BIG) in device.own("GET", "rawData").text
    points = device.own("GET", "telemetry/count", status=200)
    assert str(BIG) in points.text


def test_batches_and_lines_are_several_values(device):
    send(device, '[{"temperature": 1}, {"temperature": 2}]', '{"temperature": 3}\n{"count": 1}')
    eventually(lambda: value_of(device, "telemetry/count"), 1)
    points = device.own("GET", "telemetry/temperature", status=200).body["value"]
    assert [p["value"] for p in points] == [3, 1, 2]


def test_raw_data_shows_what_is_no_json_and_pages_backwards(device):
    send(device, *[f'{{"count": {n}}}' for n in range(5)], b"no json", b"\xff\x00")
    eventually(lambda: len(raw(device)), 7)
    shown = raw(device)
    assert shown[0]["bodyBase64"] == "/wA=" and shown[1]["body"] == "no json"
    assert shown[0]["isJson"] is False and shown[2]["isJson"] is True
    first = device.own("GET", "rawData?top=4", status=200).body
    rest = device.own("GET", f"rawData?top=4&before={first['next']}", status=200).body
    assert [m["offset"] for m in first["value"] + rest["value"]] == [m["offset"] for m in shown]
    assert rest["next"] is None


def test_C103_a_path_has_an_alias(device):
    send(device, '{"m": [{"x y": 7}, {"x y": 8}]}')
    eventually(lambda: len(raw(device)), 1)
    path = '$["m"][1]["x y"]'
    device.own("PUT", "aliases/second", {"path": path}, status=200)
    [message] = raw(device)
    assert message["_mappeddata"] == {"second": 8}
    assert device.own("GET", "aliases", status=200).body["value"] == [
        {"alias": "second", "path": path}]
    assert device.own("PUT", "aliases/other", {"path": path}).status == 409
    assert device.own("PUT", "aliases/second", {"path": '$["m"]'}).status == 409
    for bad in ["", "m", '$[m]', '$["a"', '$["a"]x', '$["a\\"]', "$", '$[-1]', '$["' + "a" * 1000 + '"]']:
        assert device.own("PUT", "aliases/bad", {"path": bad}).status == 400, bad
    assert device.own("PUT", f"aliases/{'a' * 65}", {"path": '$["b"]'}).status == 400
    device.own("DELETE", "aliases/second", status=204)
    assert device.own("DELETE", "aliases/second").status == 404
    assert "_mappeddata" not in raw(device)[0]


def test_C086_a_template_is_made_of_what_a_device_sent(boss):
    from lib import twin
    device = ModelledDevice(boss)
    send(device, '{"t": 21.5, "n": 3, "on": true, "name": "a", "at": "2026-01-01T00:00:00Z",'
         ' "place": {"lat": 1.5, "lon": 2}, "box": {"w": 1, "h": "x"}, "list": [1, 2]}')
    send(device, '{"flow": 3}', bag="%24.sub=pump")
    with device.hub.connect() as client:
        client.subscribe(twin.RESPONSES)
        twin.report(client, {"serial": "A1", "speed": {"value": 3, "ac": 200, "av": 1}})
    eventually(lambda: "pump.flow" in last(device), True)
    preview = device.own("POST", "template", {"displayName": "Made", "preview": True}, status=200).body
    contents = {c["name"]: c for c in preview["capabilityModel"]["contents"]}
    assert {n: c["schema"] if isinstance(c["schema"], str) else c["schema"]["@type"]
            for n, c in contents.items()} == {
        "t": "double", "n": "double", "on": "boolean", "name": "string", "at": "dateTime",
        "place": "geopoint", "box": "Object", "serial": "string", "speed": "double",
        "list": "Array"}
    assert contents["speed"]["writable"] is True and "writable" not in contents["serial"]
    assert boss.own("GET", f"devices/{device.id}").body["template"] is None
    made = device.own("POST", "template", {"displayName": "Made"}, status=200).body
    assert boss.own("GET", f"devices/{device.id}").body["template"] == made["@id"]
    assert all(v["state"] == "modeled" for n, v in last(device).items() if n != "pump.flow")


class Stream:
    """The live stream of a device, as lines come."""

    def __init__(self, device, accept=None, query=""):
        self.response, self.connection = device.boss.open(
            "GET", f"/api/muster/v1/devices/{device.id}/events{query}",
            **({"accept": accept} if accept else {}))
        assert self.response.status == 200, self.response.read()

    def line(self):
        return self.response.readline().decode().rstrip("\n")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.connection.close()


def test_C102_a_live_stream_tells_who_came_what_it_sent_and_that_it_left(boss, device):
    other = ModelledDevice(boss)
    with Stream(device) as stream:
        send(other, '{"temperature": 1}')
        send(device, '{"temperature": 2}')
        found = [json.loads(stream.line()) for _ in range(3)]
    assert [m.get("event", "telemetry") for m in found].count("telemetry") == 1
    assert {m["deviceId"] for m in found} == {device.id}
    assert [m["event"] for m in found if "event" in m] == ["connected", "disconnected"]
    assert [m["body"] for m in found if "body" in m] == [{"temperature": 2}]


def test_C102_screens_get_the_stream_as_server_sent_events(device):
    send(device, '{"temperature": 2}')
    with Stream(device, "text/event-stream", "?from=start&count=1") as stream:
        assert stream.response.getheader("Content-Type").startswith("text/event-stream")
        assert stream.line() == "event: telemetry"
        name, _, data = stream.line().partition(": ")
        assert (name, json.loads(data)["body"]) == ("data", {"temperature": 2})
        assert stream.line() == ""
        assert stream.response.read() == b""


def test_a_stream_of_no_device_is_not_found(boss):
    answer = boss.own("GET", "devices/nobody/events")
    assert (answer.status, answer.code) == (404, "NotFound")


def test_C102_the_device_page_says_whether_it_is_connected_and_how(boss, device):
    assert boss.own("GET", f"devices/{device.id}").body["connected"] is False
    with device.hub.connect():
        shown = boss.own("GET", f"devices/{device.id}").body
        assert (shown["connected"], shown["connection"]["protocol"]) == (True, "mqtt")
    eventually(lambda: boss.own("GET", f"devices/{device.id}").body["connected"], False)


def test_after_a_power_cut_each_message_is_there_once(new_server):
    server = new_server()
    boss = Caller(server)
    device = ModelledDevice(boss, MODEL)
    acknowledged = 0
    for _ in range(3):
        with device.hub.connect() as client:
            for _ in range(40):
                client.publish(device.hub.events(), f'{{"count": {acknowledged}}}'.encode())
                acknowledged += 1
            server.kill()
        server.start()
    eventually(lambda: value_of(device, "telemetry/count"), acknowledged - 1)
    points = device.own("GET", "telemetry/count?top=1000", status=200).body["value"]
    assert [p["value"] for p in points] == list(range(acknowledged))[::-1]
