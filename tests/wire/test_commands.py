"""Commands: methods, messages that wait, and what becomes of them (central.md 7.3)."""

import json
import sqlite3
import threading
import time

import pytest
from lib import twin
from lib.caller import OPERATOR, Caller
from lib.models import ModelledDevice, command, component, telemetry


MODEL = [telemetry("level"), command("reboot", "integer"), command("sleep", "integer", durable=True),
         component("pump", [command("prime"), command("rest", durable=True)])]


@pytest.fixture
def device(boss):
    return ModelledDevice(boss, MODEL)


@pytest.fixture
def client(device):
    with device.hub.connect() as connected:
        connected.subscribe(twin.METHODS, twin.RESPONSES)
        yield connected


class Running:
    """A command that goes on while the test plays the device."""

    def __init__(self, device, path, body=None):
        self.thread = threading.Thread(target=self.call, args=(device, path, body))
        self.thread.start()

    def call(self, device, path, body):
        self.answer = device.rest("POST", path, body if body is not None else {})

    def result(self, status=201):
        self.thread.join(40)
        assert self.answer.status == status, self.answer
        return self.answer.body


def history(device, path):
    return device.rest("GET", path, status=200).body["value"]


def test_C099_a_command_is_a_method_with_the_raw_request(device, client):
    running = Running(device, "commands/reboot", {"request": 5})
    call = twin.receive_method(client)
    assert (call.name, call.body) == ("reboot", b"5")
    twin.answer_method(client, call, 200, b'{"ok": 23.10}')
    body = running.result()
    assert (body["responseCode"], body["response"], body["request"]) == (200, {"ok": 23.1}, 5)
    assert (body["connectionTimeout"], body["responseTimeout"]) == (0, 30)
    assert history(device, "commands/reboot") == [body]


def test_C099_a_component_s_command_has_the_component_in_its_name(device, client):
    running = Running(device, "components/pump/commands/prime")
    call = twin.receive_method(client)
    assert (call.name, call.body) == ("pump*prime", b"null")
    twin.answer_method(client, call, 200, b"null")
    assert running.result()["responseCode"] == 200
    assert len(history(device, "components/pump/commands/prime")) == 1
    assert device.rest("GET", "commands/prime").status == 404


def test_C099_who_is_away_is_not_found_and_who_is_silent_times_out(device):
    answer = device.rest("POST", "commands/reboot", {"request": 1}, 404)
    assert answer.code == answer.headers["x-ms-error-code"] == "NotFound"
    with device.hub.connect() as client:
        client.subscribe(twin.METHODS)
        running = Running(device, "commands/reboot", {"request": 1, "responseTimeout": 5})
        twin.receive_method(client)
        assert running.result(504)["error"]["code"] == "RequestTimeout"
    runs = device.own("GET", "commands?top=10", status=200).body["value"]
    assert [(r["name"], r["state"], r["failure"]) for r in runs] == [
        ("reboot", "failed", "timeout"), ("reboot", "failed", "not_online")]


def test_C100_a_command_that_was_accepted_ends_with_a_report(device, client):
    running = Running(device, "commands/reboot", {"request": 1})
    twin.answer_method(client, twin.receive_method(client), 202, b"null")
    assert running.result()["responseCode"] == 202
    assert device.own("GET", "commands", status=200).body["value"][0]["state"] == "accepted"
    twin.report(client, {"reboot": {"value": "up again"}})
    [run] = history(device, "commands/reboot")
    assert (run["responseCode"], run["response"]) == (202, "up again")
    shown = device.own("GET", "commands", status=200).body["value"][0]
    assert (shown["state"], shown["response"]) == ("completed", "up again")
    assert "reboot" not in device.properties()
    # The next run is another one, though the report stands in the twin.
    running = Running(device, "commands/reboot", {"request": 2})
    twin.answer_method(client, twin.receive_method(client), 202, b"null")
    running.result()
    runs = history(device, "commands/reboot")
    assert [(r["request"], r.get("response")) for r in runs] == [(2, None), (1, "up again")]


def test_C082_C101_a_durable_command_waits_for_its_device(device):
    body = device.rest("POST", "commands/sleep", {"request": 60}, 201).body
    assert "responseCode" not in body and body["request"] == 60
    device.rest("POST", "components/pump/commands/rest", {}, 201)
    with device.hub.connect(clean=False) as client:
        client.subscribe(device.hub.c2d_filter)
        found = [client.receive_publish() for _ in range(2)]
    assert [f.payload for f in found] == [b"60", b"@"]
    assert "method-name=sleep" in found[0].topic
    assert "method-name=pump%2Arest" in found[1].topic
    shown = device.own("GET", "commands", status=200).body["value"]
    assert [(r["component"], r["name"], r["state"]) for r in shown] == [
        ("pump", "rest", "queued"), (None, "sleep", "queued")]


def test_C101_a_durable_command_lives_a_day(server, device):
    device.rest("POST", "commands/sleep", {"request": 60}, 201)
    with sqlite3.connect(f"file:{server.data}/muster.db?mode=ro", uri=True) as store:
        rows = store.execute("SELECT expires_at FROM c2d_message WHERE device_id = ?", [device.id])
        [[expires_at]] = rows.fetchall()
    assert abs(expires_at / 1000 - time.time() - 24 * 3600) < 120


def test_a_request_must_fit_its_schema_and_the_command_the_template(device):
    answer = device.rest("POST", "commands/reboot", {"request": "soon"}, 400)
    assert "request" in answer.body["error"]["message"]
    assert device.rest("POST", "commands/unheard", {}, 404).code == "NotFound"
    assert device.rest("POST", "commands/level", {}, 404).code == "NotFound"
    for body in [{"responseTimeout": 4}, {"responseTimeout": 31}, {"connectionTimeout": 31},
                 {"connectionTimeout": "1"}]:
        device.rest("POST", "commands/reboot", {"request": 1, **body}, 400)
    assert device.own("GET", "commands", status=200).body["value"] == []


def test_without_a_template_any_method_may_be_called(boss):
    device = ModelledDevice(boss)
    with device.hub.connect() as client:
        client.subscribe(twin.METHODS)
        running = Running(device, "commands/anything", {"request": {"a": 1}})
        call = twin.receive_method(client)
        assert (call.name, json.loads(call.body)) == ("anything", {"a": 1})
        twin.answer_method(client, call, 404, b'"no such"')
        body = running.result()
        assert (body["responseCode"], body["response"]) == (404, "no such")


def test_the_history_comes_in_pages_and_says_who(server, boss, device):
    token = boss.rest("PUT", "apiTokens/commander", {"roles": [{"role": OPERATOR}]}).body["token"]
    operator = Caller(server, token)
    path = f"devices/{device.id}/commands/sleep"
    for number in range(5):
        answer = operator.rest("POST", path, {"request": number})
        assert answer.status == 201, answer
    runs, pages = boss.rest_all(path, top=2)
    assert ([r["request"] for r in runs], pages) == ([4, 3, 2, 1, 0], 3)
    shown = device.own("GET", "commands", status=200).body["value"]
    assert {r["by"] for r in shown} == {"commander"}
    first = device.own("GET", "commands?top=3", status=200).body
    second = device.own("GET", f"commands?top=3&after={first['next']}", status=200).body
    assert [r["request"] for r in first["value"] + second["value"]] == [4, 3, 2, 1, 0]
    assert "next" not in second
