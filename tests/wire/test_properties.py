"""Properties and settings, from the caller to the device and back (central.md 7.4)."""

import pytest
from lib import twin
from lib.models import (ModelledDevice, cloud, command, component, publish_template, read_only,
                        setting, telemetry)


FAN = [setting("fanSpeed"), read_only("maker"), cloud("owner"), telemetry("speed"),
       component("pump", [setting("limit", "integer"), read_only("serial")]), command("go")]


@pytest.fixture
def fan(boss):
    return ModelledDevice(boss, FAN)


@pytest.fixture
def client(fan):
    with fan.hub.connect() as connected:
        connected.subscribe(twin.RESPONSES, twin.DESIRED)
        yield connected


def state(device, name="fanSpeed"):
    return device.settings()[name]["state"]


def acknowledge(client, value, version, code=200, text=None, name="fanSpeed"):
    answer = {"value": value, "ac": code, "av": version}
    twin.report(client, {name: {**answer, **({"ad": text} if text else {})}})


def test_C093_a_setting_is_pending_until_its_device_says_done(fan, client):
    answer = fan.rest("PATCH", "properties", {"fanSpeed": 7}, 202).body
    assert answer == {"$metadata": {"fanSpeed": {"desiredValue": 7}}}
    version, patch = twin.receive_desired(client)
    assert patch == {"fanSpeed": 7, "$version": version}
    assert state(fan) == "pending"
    acknowledge(client, 6, version, 202, "spinning up")
    shown = fan.settings()["fanSpeed"]
    assert (shown["state"], shown["description"], shown["reported"]) == ("pending", "spinning up", 6)
    acknowledge(client, 7, version, 200)
    assert state(fan) == "synced"
    acknowledge(client, 6, version, 400, "too fast")
    shown = fan.settings()["fanSpeed"]
    assert (shown["state"], shown["code"], shown["description"]) == ("error", 400, "too fast")


def test_C094_an_acknowledgement_counts_from_the_version_of_its_setting_on(fan, client):
    fan.rest("PATCH", "properties", {"fanSpeed": 7}, 202)
    first, _ = twin.receive_desired(client)
    fan.rest("PATCH", "properties", {"fanSpeed": 8}, 202)
    second, _ = twin.receive_desired(client)
    acknowledge(client, 7, first)
    assert state(fan) == "pending"
    acknowledge(client, 8, second + 5)
    assert state(fan) == "synced"


def test_C095_a_legacy_template_wraps_what_it_asks_for_and_reads_its_words(boss):
    fan = ModelledDevice(boss, [setting("fanSpeed", "integer")], propertyFormat="legacy")
    with fan.hub.connect() as client:
        client.subscribe(twin.RESPONSES, twin.DESIRED)
        fan.rest("PATCH", "properties", {"fanSpeed": 7}, 202)
        version, patch = twin.receive_desired(client)
        assert patch == {"fanSpeed": {"value": 7}, "$version": version}
        assert state(fan) == "pending"
        twin.report(client, {"fanSpeed": {"value": 7, "status": "completed",
                                          "desiredVersion": version, "message": "done"}})
        shown = fan.settings()["fanSpeed"]
        assert (shown["state"], shown["desired"], shown["reported"]) == ("synced", 7, 7)
        assert fan.properties()["fanSpeed"] == 7
        twin.report(client, {"fanSpeed": {"value": 7, "status": "stuck", "desiredVersion": version,
                                          "message": "no"}})
        assert state(fan) == "error"


def test_C096_an_acknowledgement_in_both_families_is_understood(fan, client):
    fan.rest("PATCH", "properties", {"fanSpeed": 7}, 202)
    version, _ = twin.receive_desired(client)
    twin.report(client, {"fanSpeed": {"status": "completed", "desiredVersion": version, "ad": "ok",
                                      "av": version, "ac": 200, "value": {"value": 7}}})
    shown = fan.settings()["fanSpeed"]
    assert (shown["state"], shown["reported"], shown["description"]) == ("synced", 7, "ok")


def test_C097_a_component_is_marked_and_answers_inside_its_object(fan, client):
    answer = fan.rest("PATCH", "properties", {"pump": {"limit": 3}}, 202).body
    assert answer == {"pump": {"$metadata": {"limit": {"desiredValue": 3}}}}
    version, patch = twin.receive_desired(client)
    assert patch == {"pump": {"limit": 3, "__t": "c"}, "$version": version}
    twin.report(client, {"pump": {"__t": "c", "serial": "A1",
                                  "limit": {"value": 3, "ac": 200, "av": version}}})
    shown = fan.properties()
    assert {k: v for k, v in shown["pump"].items() if k != "$metadata"} == {"serial": "A1",
                                                                            "limit": 3}
    assert shown["pump"]["$metadata"]["limit"]["ackVersion"] == version
    assert fan.properties("pump") == shown["pump"]
    assert state(fan, "pump.limit") == "synced"
    answer = fan.rest("PUT", "components/pump/properties", {"limit": 4}, 202).body
    assert answer == {"$metadata": {"limit": {"desiredValue": 4}}}
    assert twin.receive_desired(client)[1]["pump"] == {"limit": 4, "__t": "c"}
    assert fan.rest("GET", "components/none/properties").code == "NotFound"
    assert [c["name"] for c in fan.rest("GET", "components", status=200).body["value"]] == ["pump"]


def test_C098_what_is_asked_while_a_device_is_away_waits_for_it(fan):
    fan.rest("PATCH", "properties", {"fanSpeed": 9}, 202)
    assert fan.properties()["$metadata"]["fanSpeed"]["desiredValue"] == 9
    assert "fanSpeed" not in fan.properties()
    with fan.hub.connect() as client:
        client.subscribe(twin.RESPONSES)
        document = twin.get(client).body
        assert document["desired"]["fanSpeed"] == 9
        version = document["desired"]["$version"]
        acknowledge(client, 9, version, 200, "done")
    shown = fan.properties()
    facts = shown["$metadata"]["fanSpeed"]
    assert shown["fanSpeed"] == 9
    assert set(facts) == {"lastUpdateTime", "desiredValue", "desiredVersion", "ackVersion",
                          "ackCode", "ackDescription"}
    assert (facts["desiredVersion"], facts["ackVersion"], facts["ackCode"]) == (version, version, 200)


def test_put_takes_back_what_it_does_not_name(fan, client):
    fan.rest("PATCH", "properties", {"fanSpeed": 7, "owner": "Ann", "pump": {"limit": 3}}, 202)
    twin.receive_desired(client)
    fan.rest("PUT", "properties", {"pump": {"limit": 4}}, 202)
    _, patch = twin.receive_desired(client)
    assert (patch["fanSpeed"], patch["pump"]) == (None, {"limit": 4, "__t": "c"})
    shown = fan.properties()
    assert "owner" not in shown and "fanSpeed" not in shown
    fan.rest("PUT", "properties", {}, 202)
    _, patch = twin.receive_desired(client)
    assert patch["pump"] is None


def test_cloud_properties_stay_at_home(fan, client):
    assert fan.rest("PATCH", "properties", {"owner": "Ann"}, 202).body == {"owner": "Ann"}
    assert fan.properties()["owner"] == "Ann"
    assert "owner" not in fan.properties().get("$metadata", {})
    assert "owner" not in str(fan.boss.server.twin(fan.id)["properties"])
    client.expect_quiet()
    fan.rest("PATCH", "properties", {"owner": None}, 202)
    assert "owner" not in fan.properties()


@pytest.mark.parametrize("body, word", [
    ({"maker": "me"}, "maker"), ({"speed": 3}, "speed"), ({"unheard": 3}, "unheard"),
    ({"fanSpeed": "fast"}, "fanSpeed"), ({"pump": {"limit": 1.5}}, "pump.limit"), ({"pump": 3}, "pump"),
])
def test_what_cannot_be_set_is_refused_by_name_and_nothing_changes(fan, body, word):
    answer = fan.rest("PATCH", "properties", {"owner": "Ann", **body})
    assert (answer.status, answer.code) == (400, "InvalidBody")
    assert f"'{word}'" in answer.body["error"]["message"]
    assert fan.properties() == {}


def test_without_a_template_anything_may_be_asked_and_is_shown(boss):
    device = ModelledDevice(boss)
    with device.hub.connect() as client:
        client.subscribe(twin.RESPONSES, twin.DESIRED)
        device.rest("PATCH", "properties", {"a": {"b": 1}, "c": {"__t": "c", "d": 2}}, 202)
        _, patch = twin.receive_desired(client)
        assert (patch["a"], patch["c"]) == ({"b": 1}, {"__t": "c", "d": 2})
        twin.report(client, {"maker": "me", "c": {"__t": "c", "d": {"value": 2, "ac": 200, "av": 9}}})
        shown = device.properties()
        assert (shown["maker"], shown["c"]["d"]) == ("me", 2)
        assert state(device, "a") == "pending" and state(device, "c.d") == "synced"


def test_a_deleted_device_leaves_nothing_to_the_next_of_its_name(server, boss, fan):
    fan.rest("PATCH", "properties", {"owner": "Ann", "fanSpeed": 7}, 202)
    fan.own("PUT", "aliases/a", {"path": '$["b"]'}, 200)
    server.cli("device", "delete", fan.id)
    assert fan.rest("GET", "properties").status == 404
    template = publish_template(boss, FAN)
    server.cli("device", "add", fan.id, "--template", template)
    assert fan.properties() == {}
    assert fan.own("GET", "aliases").body["value"] == []
    fan.own("PUT", "aliases/a", {"path": '$["b"]'}, 200)
    fan.rest("PATCH", "properties", {"owner": "Bob"}, 202)
    assert fan.properties() == {"owner": "Bob"}


def test_values_keep_their_digits(boss):
    device = ModelledDevice(boss, [setting("gain"), read_only("count", "long")])
    with device.hub.connect() as client:
        client.subscribe(twin.RESPONSES)
        twin.report(client, '{"count": 4503599627370495, "gain": 23.10}')
        text = device.rest("GET", "properties", status=200).text
        assert "4503599627370495" in text and "23.10" in text
