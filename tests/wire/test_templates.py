"""Device templates: drafts, publishing, versions, association (central.md 5; checklist "Templates"
and "Model id and gateways")."""

import copy
import json
from urllib.parse import quote

import pytest
from lib import dps
from lib.caller import BUILDER, OPERATOR, VERSION, Caller
from lib.server import HubDevice, unique_id

SERVER_OPTIONS = ["--accepts-per-second=0", "--unauthenticated-per-address=1000"]

CONTEXT = ["dtmi:iotcentral:context;2", "dtmi:dtdl:context;2"]


@pytest.fixture(scope="module")
def group_key(server):
    return server.group_key()


def telemetry(name, schema="double", **members):
    return {"@type": "Telemetry", "name": name, "schema": schema, **members}


def interface(model_id, contents=(), **members):
    return {"@context": CONTEXT, "@id": model_id, "@type": "Interface",
            "contents": list(contents), **members}


def template(model_id, contents=(), **members):
    return {"@type": ["ModelDefinition", "DeviceModel"], "displayName": "Pump",
            "capabilityModel": interface(model_id, contents), **members}


def model_name():
    return f"dtmi:test:{unique_id('m').replace('-', '_')};1"


@pytest.fixture
def model_id():
    return model_name()


@pytest.fixture
def published(boss, model_id):
    """A published template whose ID is its model's."""
    put(boss, model_id, template(model_id, [telemetry("level")]))
    return model_id


def at(template_id):
    return f"deviceTemplates/{quote(template_id, safe='')}"


def own(template_id, rest=""):
    return f"templates/{quote(template_id, safe='')}{rest}"


def put(boss, template_id, body, status=200):
    answer = boss.rest("PUT", at(template_id), body)
    assert answer.status == status, answer
    return answer.body


def put_draft(boss, template_id, body):
    answer = boss.own("PUT", own(template_id, "/draft"), body)
    assert answer.status == 200, answer
    return answer.body


def without_etag(document):
    return {name: value for name, value in document.items() if name != "etag"}


# A model of our own with one of everything that the cloud's editor writes.
FULL = {
    "@id": "dtmi:modelDefinition:test:boiler",
    "@type": ["ModelDefinition", "DeviceModel"],
    "displayName": {"en": "Boiler", "de": "Kessel"},
    "description": "Makes steam",
    "solutionModel": {"cloudProperties": [], "overrides": [{"x": None}]},
    "capabilityModel": {
        "@context": CONTEXT, "@id": "dtmi:test:Boiler;1", "@type": "Interface",
        "displayName": "Boiler",
        "extends": [interface("dtmi:test:Base;1", [telemetry("uptime", "long")])],
        "contents": [
            {"@type": ["Telemetry", "Temperature", "NumberValue"], "name": "temperature",
             "schema": "double", "unit": "degreeCelsius", "decimalPlaces": 1, "color": "#ff0000"},
            {"@type": ["Telemetry", "Event", "Sparkling"], "name": "alarm", "schema": "string",
             "severity": "warning", "sparkle": {"deep": [1, 2.5, 9007199254740993]}},
            {"@type": ["Telemetry", "State"], "name": "mode", "schema": {
                "@type": "Enum", "valueSchema": "string",
                "enumValues": [{"name": "on", "enumValue": "1"}, {"name": "off", "enumValue": "0"}]}},
            {"@type": ["Telemetry", "Location"], "name": "place", "schema": "geopoint"},
            {"@type": "Property", "name": "serial", "schema": "string"},
            {"@type": "Property", "name": "target", "schema": "double", "writable": True},
            {"@type": ["Property", "Cloud", "StringValue"], "name": "customer", "schema": "string"},
            {"@type": "Command", "name": "restart", "durable": True,
             "request": {"@type": "CommandPayload", "name": "in", "schema": "integer"}},
            {"@type": "Component", "name": "pump",
             "schema": interface("dtmi:test:PumpPart;1", [telemetry("speed", "integer")])},
        ],
    },
}


# --- documents ------------------------------------------------------------------------------------


def test_C081_a_document_comes_back_as_it_went(boss, server, tmp_path):
    file, out = tmp_path / "in.json", tmp_path / "out.json"
    file.write_text(json.dumps(FULL, indent=2))
    server.cli("template", "add", file)
    server.cli("template", "export", FULL["@id"], "--out", out)
    assert json.loads(out.read_text()) == FULL
    assert json.loads(server.cli("template", "export", FULL["@id"]).stdout) == FULL
    assert without_etag(boss.rest("GET", at(FULL["@id"])).body) == FULL
    assert "9007199254740993" in out.read_text()


def test_an_interface_or_several_become_a_template(boss, server, tmp_path):
    root, part, base = model_name(), model_name(), model_name()
    file = tmp_path / "models.json"
    file.write_text(json.dumps([
        interface(part, [telemetry("speed")], extends=base),
        interface(base, [telemetry("age")]),
        interface(root, [{"@type": "Component", "name": name, "schema": part}
                         for name in ("left", "right")], displayName="Cart"),
    ]))
    assert server.cli("template", "add", file, check=False).returncode == 2
    server.cli("template", "add", file, "--id", root)
    stored = boss.rest("GET", at(root)).body
    assert stored["displayName"] == "Cart"
    contents = stored["capabilityModel"]["contents"]
    assert contents[0]["schema"]["@id"] == contents[1]["schema"] == part
    assert contents[0]["schema"]["extends"]["@id"] == base
    overview = boss.own("GET", own(root)).body["views"][1]
    assert [(tile["component"], tile["name"]) for tile in overview["tiles"]] == [
        ("left", "speed"), ("left", "age"), ("right", "speed"), ("right", "age")]


@pytest.mark.parametrize("contents,path,words", [
    ([telemetry("t" * 65)], "contents[0].name", "64"),
    ([telemetry("t"), telemetry("t")], "contents[1]", "'t'"),
    ([telemetry("t", "decimals")], "contents[0].schema", "'t'"),
    ([telemetry(f"t{i}") for i in range(301)], "capabilityModel", "300"),
    ([{"@type": "Property", "name": "p", "schema": {"@type": "Array", "elementSchema": "long"}}],
     "contents[0]", "'p'"),
])
def test_C080_a_refusal_names_the_element(boss, model_id, contents, path, words):
    answer = boss.rest("PUT", at(model_id), template(model_id, contents))
    assert (answer.status, answer.code) == (400, "InvalidBody")
    assert path in answer.body["error"]["message"] and words in answer.body["error"]["message"]
    assert boss.rest("GET", at(model_id)).status == 404
    draft = put_draft(boss, model_id, template(model_id, contents))
    assert draft["errorCount"] >= 1
    assert path in draft["errors"][0]["path"]
    publish = boss.own("POST", own(model_id, "/publish"))
    assert (publish.status, publish.code) == (400, "InvalidBody")
    assert path in publish.body["error"]["message"]


def test_bodies_that_are_no_templates_are_refused(boss, model_id):
    for body in ({}, [], 7, "x", {"a": 1}, {"capabilityModel": 7}, {"capabilityModel": {}},
                 {"@type": "DeviceModel"}, [interface(model_id), interface(model_name())]):
        answer = boss.rest("PUT", at(model_id), body)
        assert (answer.status, answer.code) == (400, "InvalidBody"), (body, answer)
    assert boss.rest("GET", at(model_id)).code == "NotFound"


def test_a_large_document_is_stored_and_listed(boss):
    large = [model_name() for _ in range(3)]
    for model_id in large:
        put(boss, model_id, template(model_id, [telemetry("x")], comment2="y" * 700_000))
    templates, pages = boss.rest_all("deviceTemplates", top=100)
    assert set(large) <= {one["@id"] for one in templates}
    assert pages >= 3
    too_large = template(model_name(), [], comment2="y" * 950_000)
    answer = boss.rest("PUT", at("too-large"), too_large)
    assert (answer.status, answer.code) == (413, "PayloadTooLarge")
    for model_id in large:
        assert boss.rest("DELETE", at(model_id)).status == 204


# --- drafts, publishing, versions -----------------------------------------------------------------


def test_C083_a_draft_reaches_nobody_before_it_is_published(boss, server, model_id, group_key):
    draft = put_draft(boss, model_id, template(model_id, [telemetry("level")]))
    assert (draft["published"], draft["hasDraft"], draft["errors"]) == (False, True, [])
    assert boss.rest("GET", at(model_id)).status == 404
    assert model_id not in [one["@id"] for one in boss.rest_all("deviceTemplates")[0]]
    device = server.add_device()
    refused = server.cli("device", "associate", device.id, "--template", model_id, check=False)
    assert refused.returncode == 1
    first = dps.group_device(server, unique_id(), group_key)
    first.register({"payload": {"modelId": model_id}})
    assert server.device(first.id)["template"] is None

    assert boss.own("POST", own(model_id, "/publish")).status == 200
    server.cli("device", "associate", device.id, "--template", model_id)
    server.cli("device", "approve", first.id)
    answer = first.register({"payload": {"modelId": model_id}})
    assert answer.body["status"] == "assigned"
    assert server.device(first.id)["template"] == model_id

    put_draft(boss, model_id, template(model_id, []))
    assert boss.rest("GET", at(model_id)).body["capabilityModel"]["contents"] != []
    assert boss.own("GET", own(model_id, "/draft")).body["capabilityModel"]["contents"] == []
    assert boss.own("DELETE", own(model_id, "/draft")).body["hasDraft"] is False
    assert boss.own("GET", own(model_id, "/draft")).status == 404


def test_C084_a_version_is_another_template_without_devices(boss, server, published):
    device = server.add_device(template=published)
    made = boss.own("POST", own(published, "/versions"), {})
    assert made.status == 200, made
    second = published[:-1] + "2"
    assert (made.body["id"], made.body["modelId"]) == (second, second)
    assert (made.body["published"], made.body["hasDraft"]) == (False, True)
    assert boss.own("GET", own(second, "/draft")).body["capabilityModel"]["@id"] == second
    assert boss.own("POST", own(published, "/versions"), {}).status == 409
    assert boss.own("POST", own(second, "/publish")).status == 200
    assert server.device(device.id)["template"] == published
    assert device.id not in server.device_ids("--template", second)
    named = boss.own("POST", own(published, "/versions"),
                     {"id": unique_id("t"), "modelId": model_name(), "displayName": "Third"})
    assert named.body["displayName"] == "Third"
    assert boss.own("POST", own(published, "/versions"), {"id": 5}).status == 400


def test_C085_publishing_is_looked_at_before(boss, server, published):
    put_draft(boss, published, template(published, [telemetry("level", "string"),
                                                    telemetry("flow")]))
    changes = boss.own("GET", own(published, "/changes")).body
    assert (changes["breaking"], changes["additive"]) == (1, 1)
    assert {(one["kind"], one["name"]) for one in changes["changes"]} == {
        ("breaking", "level"), ("additive", "flow")}
    refused = boss.own("POST", own(published, "/publish"))
    assert (refused.status, refused.code) == (409, "Conflict")
    assert "level: " in refused.body["error"]["message"]
    assert "flow" not in refused.body["error"]["message"]
    said = server.cli("template", "publish", published, check=False)
    assert said.returncode == 1 and "breaking: level" in said.stderr
    server.cli("template", "publish", published, "--force")
    assert boss.own("GET", own(published, "/changes")).status == 404


def test_C085_a_put_breaks_nothing_unless_by_force(boss, server, published, tmp_path):
    device = server.add_device(unique_id("pump"), template=published)
    other, more = (template(published, [telemetry(name) for name in names])
                   for names in (["flow"], ["level", "flow"]))
    refused = boss.rest("PUT", at(published), other)
    assert (refused.status, refused.code) == (409, "Conflict")
    assert "devices have this template" in refused.body["error"]["message"]
    assert "level" in refused.body["error"]["message"]
    put(boss, published, more)
    file = tmp_path / "t.json"
    file.write_text(json.dumps(other))
    words = ["template", "set", file, "--id", published]
    assert server.cli(*words, check=False).returncode == 1
    server.cli(*words, "--force")
    assert boss.rest("PUT", at(published), more, query=VERSION + "&force=true").status == 200
    server.cli("device", "delete", device.id)


def test_C087_put_publishes_and_makes_three_views(boss):
    put(boss, "full", FULL)
    shown = boss.own("GET", own("full")).body
    assert (shown["published"], shown["modelId"]) == (True, "dtmi:test:Boiler;1")
    views = {view["displayName"]: [(tile["type"], tile["name"]) for tile in view["tiles"]]
             for view in shown["views"]}
    assert views == {
        "Commands": [("command", "restart")],
        "Overview": [("lineChart", "temperature"), ("eventChart", "alarm"), ("stateChart", "mode"),
                     ("map", "place"), ("lineChart", "uptime"), ("lineChart", "speed")],
        "About": [("property", "serial"), ("property", "target")],
    }


# --- REST -----------------------------------------------------------------------------------------


def test_the_five_operations_of_templates(boss, model_id):
    body = template(model_id, [telemetry("level")])
    made = put(boss, model_id, body)
    assert without_etag(made) == {"@id": model_id, **body}
    assert boss.rest("GET", at(model_id)).body == made
    patched = boss.rest("PATCH", at(model_id), {"displayName": "Other", "description": "d"})
    assert (patched.status, patched.body["displayName"]) == (200, "Other")
    patched = boss.rest("PATCH", at(model_id), {"description": None})
    assert "description" not in patched.body
    cloud = {"@type": ["Property", "Cloud", "StringValue"], "name": "owner", "schema": "string"}
    contents = body["capabilityModel"]["contents"]
    patched = boss.rest("PATCH", at(model_id), {"capabilityModel": {"contents": [*contents, cloud]}})
    assert patched.status == 200, patched
    refused = boss.rest("PATCH", at(model_id), {"capabilityModel": {"contents": [cloud]}})
    assert (refused.status, refused.code) == (400, "InvalidBody")
    assert "level" in refused.body["error"]["message"]
    removed = boss.rest("DELETE", at(model_id))
    assert (removed.status, removed.text) == (204, "")
    for method in ("GET", "DELETE"):
        assert boss.rest(method, at(model_id)).code == "NotFound"
    assert boss.rest("PATCH", at(model_id), {}).code == "NotFound"


def test_C112_a_stale_etag_changes_nothing(boss, model_id):
    first = put(boss, model_id, template(model_id))
    second = put(boss, model_id, first)
    assert second["etag"] != first["etag"]
    for method in ("PUT", "PATCH"):
        stale = boss.rest(method, at(model_id), {**template(model_id), "etag": first["etag"],
                                                 "displayName": "stale"})
        assert (stale.status, stale.code) == (412, "PreconditionFailed")
    foreign = boss.rest("PATCH", at(model_id), {"etag": "IjA4MDUwMTJi", "displayName": "stale"})
    assert foreign.status == 412
    assert boss.rest("GET", at(model_id)).body == second
    assert boss.rest("PATCH", at(model_id), {"etag": second["etag"]}).status == 200


def test_C109_templates_are_listed_page_by_page(boss):
    made = sorted(model_name() for _ in range(5))
    for model_id in made:
        put(boss, model_id, template(model_id))
    templates, pages = boss.rest_all("deviceTemplates", top=2)
    ids = [one["@id"] for one in templates]
    assert pages >= 3 and ids == sorted(set(ids))
    assert set(made) <= set(ids) and "generic" in ids
    own_ids = [one["id"] for one in boss.own("GET", "templates").body["value"]]
    assert set(ids) <= set(own_ids)
    refused = boss.rest("GET", "deviceTemplates", query="api-version=2022-07-31&$filter=x")
    assert (refused.status, refused.code) == (400, "InvalidParameter")


def test_a_template_with_devices_and_the_generic_one_stay(boss, server, published):
    device = server.add_device(template=published)
    for template_id in (published, "generic"):
        refused = boss.rest("DELETE", at(template_id))
        assert (refused.status, refused.code) == (409, "Conflict")
    assert server.cli("template", "delete", published, check=False).returncode == 1
    server.cli("device", "delete", device.id)
    server.cli("template", "delete", published)
    assert boss.rest("GET", at(published)).status == 404


def test_operators_look_and_builders_change(boss, server, model_id):
    for role, status in ((OPERATOR, 403), (BUILDER, 200)):
        token = boss.rest("PUT", f"apiTokens/{unique_id('token')}", {"roles": [{"role": role}]}).body
        caller = Caller(server, token["token"])
        assert caller.rest("GET", "deviceTemplates").status == 200
        assert caller.rest("PUT", at(model_id), template(model_id)).status == status
        assert caller.own("PUT", own(model_id, "/draft"), template(model_id)).status == status
        assert caller.own("POST", own(model_id, "/publish")).status == status


# --- association ----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [
    {"payload": {"modelId": "M"}},
    {"payload": {"iotcModelId": "M"}},
    {"payload": {"iotcModelId": "dtmi:none:x;1", "modelId": "M"}},
    {"data": {"iotcModelId": "M/1"}},
    {"payload": {"__iot:interfaces": {"CapabilityModelId": "M"}}},
    {"payload": json.dumps({"modelId": "M"})},
], ids=["modelId", "iotcModelId", "both", "data", "interfaces", "string"])
def test_C029_C030_C031_C032_C033_an_announced_model_brings_its_template(
        boss, server, group_key, model_id, body):
    template_id = unique_id("template")
    put(boss, template_id, template(model_id, [telemetry("level")]))
    device = dps.group_device(server, unique_id(), group_key)
    said = json.loads(json.dumps(copy.deepcopy(body)).replace("M\\\"", f"{model_id}\\\"")
                      .replace('"M"', f'"{model_id}"').replace('"M/1"', f'"{model_id}/1"'))
    dps.assert_refused(device.register(said).body)  # nobody approved it
    assert server.device(device.id)["template"] == template_id
    server.cli("device", "approve", device.id)
    assert device.register(said).body["status"] == "assigned"


def test_C034_C035_other_payloads_leave_a_device_unassociated(server, group_key):
    for payload in ({"modelId": "dtmi:nobody:knows;1"}, {"modelId": 7}, {"modelId": ""},
                    "{iotcModelId : 'x'}", [1], None):
        device = dps.group_device(server, unique_id(), group_key)
        dps.assert_refused(device.register({"payload": payload}).body)
        assert server.device(device.id)["template"] is None


def test_C038_a_model_in_the_user_name_of_the_hub_associates(server, published):
    device = server.add_device()
    assert server.device(device.id)["template"] is None
    query = f"?api-version=2021-04-12&model-id={quote(published, safe='')}"
    with device.connect(username=device.username(query)):
        for _ in range(200):
            if server.device(device.id)["template"]:
                break
    assert server.device(device.id)["template"] == published


def test_C025_a_provisioned_device_moves_to_another_template(boss, server, group_key, published):
    other = model_name()
    put(boss, other, template(other))
    device_id = unique_id()
    server.cli("device", "add", device_id, "--template", published)
    registrant = dps.group_device(server, device_id, group_key)
    body = registrant.register().body
    device = HubDevice(server, body["registrationState"]["deviceId"], registrant.key)
    with device.connect() as client:
        server.cli("device", "associate", device_id, "--template", other)
        client.publish(device.events(), b"still here")
    shown = server.device(device_id)
    assert (shown["status"], shown["template"]) == ("provisioned", other)
    assert server.messages(device_id, 1)[0].body == b"still here"


# --- the command line, and a restart --------------------------------------------------------------


def test_the_command_line_tells_of_drafts_and_errors(boss, server, tmp_path, model_id):
    file = tmp_path / "t.json"
    file.write_text(json.dumps(template(model_id, [telemetry("_x")])))
    refused = server.cli("template", "add", file, "--id", model_id, check=False)
    assert refused.returncode == 1 and "contents[0]" in refused.stderr
    draft = server.cli("template", "add", file, "--id", model_id, "--draft")
    assert "error: capabilityModel.contents[0]" in draft.stderr
    assert server.cli("template", "publish", model_id, check=False).returncode == 1
    listed = {one["id"]: one for one in server.cli_json("template", "list")}
    assert listed[model_id]["published"] is False and listed["generic"]["published"] is True
    assert model_id in server.cli("template", "list").stdout
    file.write_text(json.dumps(template(model_id, [telemetry("x")])))
    server.cli("template", "set", file, "--id", model_id)
    shown = server.cli("template", "show", model_id).stdout
    assert "changed" in shown and "lineChart" in shown
    exported = json.loads(server.cli("template", "export", model_id, "--draft").stdout)
    assert exported["capabilityModel"]["contents"][0]["name"] == "_x"
    assert server.cli("template", "add", tmp_path / "none", check=False).returncode == 2


def test_a_type_of_the_cloud_without_its_context_is_told(server, tmp_path, model_id):
    body = template(model_id, [{"@type": ["Property", "Cloud"], "name": "owner",
                                "schema": "string"}])
    body["capabilityModel"]["@context"] = "dtmi:dtdl:context;2"
    file = tmp_path / "t.json"
    file.write_text(json.dumps(body))
    said = server.cli("template", "add", file, "--id", model_id).stderr
    assert "note: capabilityModel.contents[0]" in said and "dtmi:iotcentral:context;2" in said


def test_templates_are_there_after_a_restart(new_server):
    server = new_server()
    boss, model_id = Caller(server), model_name()
    put(boss, model_id, template(model_id, [telemetry("level")]))
    put_draft(boss, model_id, template(model_id, [telemetry("other")]))
    before = boss.rest("GET", at(model_id)).body, boss.own("GET", own(model_id)).body
    server.restart()
    assert (boss.rest("GET", at(model_id)).body, boss.own("GET", own(model_id)).body) == before
    assert boss.own("GET", own(model_id, "/draft")).status == 200
