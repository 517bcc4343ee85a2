"""Devices that are not there: those that the server plays, and the fleets of `muster simulate`
(central.md 1.6 row 2, S6; checklist C024)."""

import json
import signal

import pytest
from lib import dps
from lib.caller import Caller
from lib.server import unique_id
from lib.wait import until

SERVER_OPTIONS = ["--accepts-per-second=0", "--unauthenticated-per-address=1000"]

TEMPLATE = "dtmi:sim:pump:t"
MODEL = "dtmi:sim:pump;1"
VALVE = {"@type": "Interface", "@id": "dtmi:sim:valve;1", "contents": [
    {"@type": "Telemetry", "name": "flow", "schema": "double"}]}


@pytest.fixture(scope="module")
def boss(server):
    """With a template: telemetry of its own and of a component, properties, a command."""
    caller = Caller(server)
    answer = caller.rest("PUT", f"deviceTemplates/{TEMPLATE}", {
        "@type": ["ModelDefinition", "DeviceModel"], "displayName": "Pump",
        "capabilityModel": {
            "@context": ["dtmi:iotcentral:context;2", "dtmi:dtdl:context;2"],
            "@id": MODEL, "@type": "Interface", "contents": [
                {"@type": ["Telemetry", "Temperature"], "name": "heat", "schema": "double",
                 "unit": "degreeCelsius"},
                {"@type": "Property", "name": "serial", "schema": "string"},
                {"@type": "Property", "name": "target", "schema": "integer", "writable": True},
                {"@type": "Command", "name": "count",
                 "response": {"name": "n", "schema": "integer"}},
                {"@type": "Component", "name": "valve", "schema": VALVE}]}})
    assert answer.status == 200, answer
    return caller


def add_simulated(server, template=TEMPLATE):
    device_id = unique_id("ghost")
    server.cli("device", "add", device_id, "--template", template, "--simulated")
    return device_id


def is_connected(server, device_id):
    done = server.cli("device", "show", device_id, "--json", check=False)
    return done.returncode == 0 and json.loads(done.stdout)["connected"]


# --- played by the server -----------------------------------------------------------------------


@pytest.mark.parametrize("known", ["unblocked", "blocked"])
def test_C024_a_simulated_device_never_provisions_from_outside(server, boss, known):
    device_id = add_simulated(server)
    assert server.device(device_id)["status"] == "provisioned"
    if known == "blocked":
        server.cli("device", "block", device_id)
    outsider = dps.group_device(server, device_id, server.group_key())
    dps.assert_refused(outsider.register().body)
    assert server.device(device_id)["lastProvisioningAttempt"]["result"] == "refused"


def test_C024_it_speaks_as_its_template_says(server, boss):
    device_id = add_simulated(server)
    messages = [m.shown for m in server.messages(device_id, 2)]
    bodies = {m["system"].get("dt-subject", ""): m["body"] for m in messages}
    assert 15 <= bodies[""]["heat"] <= 30
    assert list(bodies["valve"]) == ["flow"]
    reported = until(lambda: server.twin(device_id)["properties"]["reported"].get("target"))
    assert reported["ac"] == 203
    server.set_desired(device_id, {"target": 21})
    until(lambda: server.twin(device_id)["properties"]["reported"]["target"]
          == {"value": 21, "ac": 200, "av": 2})
    answer = json.loads(server.cli("device", "invoke", device_id, "count").stdout)
    assert answer["status"] == 200 and isinstance(answer["payload"], int)


def test_C024_it_is_silent_while_blocked_and_gone_when_deleted(server, boss):
    device_id = add_simulated(server)
    until(lambda: is_connected(server, device_id))
    server.cli("device", "block", device_id)
    assert not is_connected(server, device_id)
    server.cli("device", "unblock", device_id)
    until(lambda: is_connected(server, device_id))
    server.cli("device", "delete", device_id)
    later = add_simulated(server)
    until(lambda: is_connected(server, later))  # all that were to begin before it have begun
    server.cli("device", "add", device_id, "--template", TEMPLATE)
    assert not is_connected(server, device_id)


def test_C024_it_goes_on_after_a_restart(server, boss):
    device_id = add_simulated(server)
    until(lambda: is_connected(server, device_id))
    server.set_desired(device_id, {"target": 7})
    server.restart()
    until(lambda: is_connected(server, device_id))
    until(lambda: server.twin(device_id)["properties"]["reported"]["target"].get("value") == 7)


# --- muster simulate ----------------------------------------------------------------------------


def fleet(server, *options):
    return server.start_cli("simulate", "--json", "--start-rate", 100, *options)


def end(run):
    run.process.send_signal(signal.SIGINT)
    status, out, err = run.result()
    assert not err, err
    return status, json.loads(out)


def test_a_fleet_comes_in_by_the_real_protocols_and_leaves_in_order(server, boss):
    run = fleet(server, "--count", 20, "--rate", 100, "--seed", 77, "--add", "--template", TEMPLATE)
    ids = [f"sim-77-{n:05}" for n in range(1, 21)]
    until(lambda: all(is_connected(server, device_id) for device_id in ids))
    server.set_desired(ids[0], {"target": 12})
    until(lambda: server.twin(ids[0])["properties"]["reported"]["target"].get("ac") == 200)
    answer = json.loads(server.cli("device", "invoke", ids[1], "count").stdout)
    assert answer["status"] == 200 and isinstance(answer["payload"], int)
    server.send_c2d(ids[2], "hello", ack="positive")
    until(lambda: server.messages(ids[3], 4))
    until(lambda: server.api("GET", f"devices/{ids[2]}/feedback")[1]["value"])
    status, counts = end(run)
    assert status == 0
    assert counts["registered"] == counts["connected"] == 20
    assert (counts["refused"], counts["failed"], counts["dropped"]) == (0, 0, 0)
    assert counts["sent"] == counts["acknowledged"] > 40
    assert (counts["desired"], counts["commands"], counts["c2d"]) == (1, 1, 1)
    assert not any(is_connected(server, device_id) for device_id in ids)
    shown = server.device(ids[0])
    assert (shown["status"], shown["modelId"]) == ("provisioned", MODEL)


def test_a_silent_fleet_is_there_and_told_of(server):
    done = server.cli("simulate", "--count", "2", "--rate", "0", "--seed", "71", "--add",
                      "--duration", "3")
    assert done.stderr == "all 2 connected\n"
    assert "sent          0" in done.stdout


def test_why_a_connection_was_dropped_is_said(server):
    run = server.start_cli("simulate", "--prefix", "drop", "--rate", "0", "--add")
    until(lambda: is_connected(server, "drop-00001"))
    server.cli("device", "block", "drop-00001")
    until(lambda: not is_connected(server, "drop-00001"))
    # The other end has heard of it when it comes again.
    until(lambda: server.device("drop-00001")["lastHubRefusal"])
    run.process.send_signal(signal.SIGINT)
    _, out, err = run.result()
    assert "dropped       1" in out and "dropped: the server closed it" in err


def values(server, device_id, count):
    return [json.loads(m.body)["heat"] for m in server.messages(device_id, 2 * count)
            if "dt-subject" not in m.system]


def test_a_seed_repeats_a_run(new_server, boss, server):
    seen = []
    for seed in ("5", "5", "6"):
        other = new_server(*SERVER_OPTIONS)
        template = boss.rest("GET", f"deviceTemplates/{TEMPLATE}").body
        template.pop("etag")
        assert Caller(other).rest("PUT", f"deviceTemplates/{TEMPLATE}", template).status == 200
        run = fleet(other, "--count", 2, "--rate", 20, "--seed", seed, "--prefix", "same", "--add",
                    "--template", TEMPLATE)
        seen.append(values(other, "same-00001", 12))
        end(run)
        other.close()
    first, again, different = seen
    # The first slots may pass before a device is there: then one run begins a little later.
    joined = json.dumps(first)[1:-1] + ";" + json.dumps(again)[1:-1]
    assert json.dumps(again[4:8])[1:-1] in joined.split(";")[0] or \
        json.dumps(first[4:8])[1:-1] in joined.split(";")[1]
    assert json.dumps(different[4:8])[1:-1] not in joined


def test_devices_that_nobody_let_in_knock_and_wait(server, boss):
    run = fleet(server, "--count", 2, "--prefix", "knock", "--template", TEMPLATE)
    until(lambda: {"knock-00001", "knock-00002"} <= set(server.device_ids()))
    server.cli("device", "approve", "knock-00001")
    until(lambda: is_connected(server, "knock-00001"), deadline=60)
    status, counts = end(run)
    assert (status, counts["registered"]) == (0, 1)
    assert counts["refused"] >= 2


def test_a_fleet_comes_back_after_the_server_was_away(server, boss):
    run = fleet(server, "--count", 5, "--prefix", "back", "--rate", 10, "--add")
    ids = [f"back-{n:05}" for n in range(1, 6)]
    until(lambda: all(is_connected(server, device_id) for device_id in ids))
    for door in ("https", "mqtts"):
        server.options = [option.replace(f"--{door}=127.0.0.1:0",
                                         f"--{door}=127.0.0.1:{server.info[door + 'Port']}")
                          for option in server.options]
    server.restart()
    until(lambda: all(is_connected(server, device_id) for device_id in ids), deadline=40)
    status, counts = end(run)
    assert status == 0
    assert counts["connected"] >= 10 and counts["dropped"] == 5


@pytest.mark.parametrize("words, about", [
    (["--count", "0"], "--count"),
    (["--count", "100001"], "--count"),
    (["--rate", "fast"], "--rate"),
    (["--rate", "-1"], "--rate"),
    (["--prefix", "a/b"], "a/b"),
    (["--mqtts", "nowhere"], "--mqtts"),
    (["more"], "more"),
])
def test_wrong_words_are_said(server, words, about):
    done = server.cli("simulate", *words, check=False)
    assert done.returncode == 2 and about in done.stderr


def test_a_template_or_group_that_is_not_there_is_said(server):
    for words in (["--template", "none"], ["--group", "none"]):
        done = server.cli("simulate", *words, check=False)
        assert done.returncode == 1 and done.stderr
