"""muster device telemetry, properties, command: the words of an operator."""

import json

import pytest
from lib import twin
from lib.caller import Caller
from lib.models import ModelledDevice, command, component, setting, telemetry
from lib.wait import until

MODEL = [telemetry("t"), setting("speed"), command("go", "integer"),
         command("later", durable=True),
         component("pump", [setting("limit"), command("prime", durable=True)])]


@pytest.fixture
def device(server):
    return ModelledDevice(Caller(server), MODEL)


def shown(server, *words):
    return json.loads(server.cli("device", *words, "--json").stdout)


def test_telemetry_last_points_and_chart(server, device):
    with device.hub.connect() as client:
        client.publish(device.hub.events(), b'{"t": 21.50}')
    until(lambda: shown(server, "telemetry", device.id))
    [value] = shown(server, "telemetry", device.id)
    assert (value["name"], value["value"], value["state"]) == ("t", 21.5, "modeled")
    assert [p["value"] for p in shown(server, "telemetry", device.id, "t")] == [21.5]
    chart = shown(server, "telemetry", device.id, "t", "--buckets", "4")
    assert (len(chart), sum(b["count"] for b in chart)) == (4, 1)
    text = server.cli("device", "telemetry", device.id).stdout
    assert "21.50" in text and "NAME" in text
    done = server.cli("device", "telemetry", device.id, "nonsense", check=False)
    assert done.returncode == 1 and "nonsense" in done.stderr
    assert '{"t":21.50}' in server.cli("device", "raw-data", device.id).stdout


def test_properties_are_shown_and_set(server, device):
    answer = shown(server, "properties", device.id, "--set", '{"speed": 7}')
    assert answer == {"$metadata": {"speed": {"desiredValue": 7}}}
    server.cli("device", "properties", device.id, "--component", "pump", "--set", '{"limit": 3}')
    states = {p["name"]: (p["component"], p["desired"], p["state"])
              for p in shown(server, "properties", device.id)}
    assert states == {"speed": (None, 7, "pending"), "limit": ("pump", 3, "pending")}
    assert "pending" in server.cli("device", "properties", device.id).stdout
    done = server.cli("device", "properties", device.id, "--set", '{"speed": "x"}', check=False)
    assert done.returncode == 1 and "'speed'" in done.stderr
    assert server.cli("device", "properties", device.id, "--set", "{", check=False).returncode == 2


def test_commands_are_run_and_listed(server, device):
    with device.hub.connect() as client:
        client.subscribe(twin.METHODS)
        call = server.start_cli("device", "command", device.id, "go", "--payload", "5")
        found = twin.receive_method(client)
        assert (found.name, found.body) == ("go", b"5")
        twin.answer_method(client, found, 200, b'"gone"')
        status, out, err = call.result()
        assert (status, out.split()) == (0, ["200", "gone"]), err
    assert "queued" in server.cli("device", "command", device.id, "later").stdout
    assert [(r["name"], r["state"]) for r in shown(server, "commands", device.id)] == [
        ("later", "queued"), ("go", "completed")]
    server.cli("device", "command", device.id, "pump.prime")
    newest = shown(server, "commands", device.id)[0]
    assert (newest["component"], newest["name"]) == ("pump", "prime")
    done = server.cli("device", "command", device.id, "go", "--payload", "5", check=False)
    assert done.returncode == 1 and "not" in done.stderr


def test_a_monitor_says_that_its_device_is_not_there(server):
    watching = server.start_cli("monitor", "--device", "nobody-yet", "--count", "1")
    assert "no device 'nobody-yet'" in watching.process.stderr.readline()
    watching.process.terminate()
    watching.process.communicate(timeout=20)
