"""All operations of the published API (central.md 6.3), each with its status and its answer held
against the server's own document; and those that are known and not built."""

import re
import threading

import pytest
from lib import certificates, twin
from lib.caller import OPERATOR, Caller
from lib.models import ModelledDevice, command, component, setting, telemetry
from lib.openapi import CheckedCaller, describe
from lib.server import unique_id
from lib.wait import until

SERVER_OPTIONS = ["--accepts-per-second=0", "--unauthenticated-per-address=100000"]

# Of 6.3: rank, method, path below /api (a {} for each parameter), status.
TABLE = """
M GET apiTokens 200
M GET apiTokens/{} 200
M PUT apiTokens/{} 200
M DELETE apiTokens/{} 204
N GET deviceGroups 200
N GET deviceGroups/{} 200
N PUT deviceGroups/{} 200
N PATCH deviceGroups/{} 200
N DELETE deviceGroups/{} 204
N GET deviceGroups/{}/devices 200
M GET deviceTemplates 200
M GET deviceTemplates/{} 200
M PUT deviceTemplates/{} 200
M PATCH deviceTemplates/{} 200
M DELETE deviceTemplates/{} 204
M GET devices 200
M GET devices/{} 200
M PUT devices/{} 200
M PATCH devices/{} 200
M DELETE devices/{} 204
M GET devices/{}/attestation 200
M PUT devices/{}/attestation 200
M PATCH devices/{}/attestation 200
M DELETE devices/{}/attestation 204
M GET devices/{}/credentials 200
M GET devices/{}/properties 200
M PUT devices/{}/properties 202
M PATCH devices/{}/properties 202
M GET devices/{}/telemetry/{} 200
M GET devices/{}/commands/{} 200
M POST devices/{}/commands/{} 201
N GET devices/{}/components 200
N GET devices/{}/components/{}/properties 200
N PUT devices/{}/components/{}/properties 202
N PATCH devices/{}/components/{}/properties 202
N GET devices/{}/components/{}/telemetry/{} 200
N GET devices/{}/components/{}/commands/{} 200
N POST devices/{}/components/{}/commands/{} 201
N GET devices/{}/relationships 200
N GET devices/{}/relationships/{} 200
N PUT devices/{}/relationships/{} 200
N PATCH devices/{}/relationships/{} 200
N DELETE devices/{}/relationships/{} 204
F GET devices/{}/modules 200
F GET devices/{}/modules/{}/properties 200
F PUT devices/{}/modules/{}/properties 202
F PATCH devices/{}/modules/{}/properties 202
F GET devices/{}/modules/{}/telemetry/{} 200
F GET devices/{}/modules/{}/commands/{} 200
F POST devices/{}/modules/{}/commands/{} 201
F GET devices/{}/modules/{}/components 200
F GET devices/{}/modules/{}/components/{}/properties 200
F PUT devices/{}/modules/{}/components/{}/properties 202
F PATCH devices/{}/modules/{}/components/{}/properties 202
F GET devices/{}/modules/{}/components/{}/telemetry/{} 200
F GET devices/{}/modules/{}/components/{}/commands/{} 200
F POST devices/{}/modules/{}/components/{}/commands/{} 201
M GET enrollmentGroups 200
M GET enrollmentGroups/{} 200
M PUT enrollmentGroups/{} 200
M PATCH enrollmentGroups/{} 200
M DELETE enrollmentGroups/{} 204
M GET enrollmentGroups/{}/certificates/{} 200
M PUT enrollmentGroups/{}/certificates/{} 200
M DELETE enrollmentGroups/{}/certificates/{} 204
M POST enrollmentGroups/{}/certificates/{}/generateVerificationCode 200
M POST enrollmentGroups/{}/certificates/{}/verify 204
F GET fileUploads 200
F PUT fileUploads 200
F PATCH fileUploads 200
F DELETE fileUploads 204
N GET jobs 200
N GET jobs/{} 200
N PUT jobs/{} 200
N GET jobs/{}/devices 200
N PUT jobs/{}/rerun/{} 200
N POST jobs/{}/resume 204
N POST jobs/{}/stop 204
N GET organizations 200
N GET organizations/{} 200
N PUT organizations/{} 200
N PATCH organizations/{} 200
N DELETE organizations/{} 204
M GET roles 200
M GET roles/{} 200
F GET scheduledJobs 200
F GET scheduledJobs/{} 200
F PUT scheduledJobs/{} 200
F PATCH scheduledJobs/{} 200
F DELETE scheduledJobs/{} 204
F GET scheduledJobs/{}/jobs 200
M GET users 200
M GET users/{} 200
M PUT users/{} 200
M PATCH users/{} 200
M DELETE users/{} 204
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


@pytest.fixture(scope="module")
def boss(server):
    return CheckedCaller(server, describe(server))


def operation_of(boss, method, path):
    wanted = "/" + re.sub(r"\{\}", "x", path)
    return boss.description.operation(method, wanted)


def of_rank(boss, *ranks):
    return {operation_of(boss, method, path)["operationId"]
            for rank, method, path, _ in ROWS if rank in ranks}


def test_the_table_is_that_of_the_contract():
    ranks = [row[0] for row in ROWS]
    assert [ranks.count(rank) for rank in "MNF"] == [42, 30, 24]


@pytest.mark.parametrize("rank, method, path, status", ROWS)
def test_an_operation_has_its_status(boss, rank, method, path, status):
    operation = operation_of(boss, method, path)
    assert operation, f"{method} {path}"
    if not operation.get("x-not-implemented"):
        assert set(operation["responses"]) == {status, "default"}


# --- each of them, once --------------------------------------------------------------------------


def ask(boss, method, path, body=None, status=None):
    answer = boss.rest(method, path, body)
    wanted = status or {"DELETE": 204}.get(method, 200)
    assert answer.status == wanted, (method, path, answer)
    return answer.body


def walk(boss, path, body, change):
    """The four of one thing, and its list."""
    for method, sent in [("PUT", body), ("PATCH", change), ("GET", None)]:
        ask(boss, method, path, sent)
    ask(boss, "GET", path.rsplit("/", 1)[0])
    ask(boss, "DELETE", path)


def walk_access(boss):
    user = {"type": "email", "email": f"{unique_id('u')}@example.org", "roles": [{"role": OPERATOR}]}
    walk(boss, f"users/{unique_id('user')}", user, {"roles": [{"role": OPERATOR}]})
    walk(boss, f"organizations/{unique_id('org')}", {"displayName": "A"}, {"displayName": "B"})
    ask(boss, "GET", "roles")
    ask(boss, "GET", f"roles/{OPERATOR}")
    token = f"apiTokens/{unique_id('token')}"
    ask(boss, "PUT", token, {"roles": [{"role": OPERATOR}]})
    ask(boss, "GET", token)
    ask(boss, "GET", "apiTokens")
    ask(boss, "DELETE", token)


def walk_groups(boss):
    keys = {"displayName": "Keys", "type": "iot", "attestation": {"type": "symmetricKey"}}
    walk(boss, f"enrollmentGroups/{unique_id('keys')}", keys, {"enabled": False})
    group = f"enrollmentGroups/{unique_id('ca')}"
    ask(boss, "PUT", group, {"displayName": "CA", "type": "iot", "attestation": {"type": "x509"}})
    authority = certificates.Authority(boss.server.folder, unique_id("root"))
    slot = f"{group}/certificates/primary"
    ask(boss, "PUT", slot, {"certificate": authority.certificate.read_text()})
    ask(boss, "GET", slot)
    code = ask(boss, "POST", f"{slot}/generateVerificationCode", {})["verificationCode"]
    proof = authority.leaf(code, name=unique_id("proof"))
    ask(boss, "POST", f"{slot}/verify", {"certificate": proof.certificate.read_text()}, 204)
    ask(boss, "DELETE", slot)


def walk_device(boss):
    device, other = unique_id("dev"), unique_id("dev")
    ask(boss, "PUT", f"devices/{other}", {})
    ask(boss, "PUT", f"devices/{device}", {"template": "generic"})
    ask(boss, "GET", f"devices/{device}/credentials")
    path = f"devices/{device}/attestation"
    for method, body in [("PUT", {"type": "symmetricKey"}), ("PATCH", {"symmetricKey": {}}),
                         ("GET", None), ("DELETE", None)]:
        ask(boss, method, path, body)
    walk(boss, f"devices/{device}/relationships/port", {"target": other}, {"target": other})
    walk(boss, f"devices/{device}", {"displayName": "A"}, {"displayName": "B"})


def run_command(boss, device, path):
    with device.hub.connect() as client:
        client.subscribe(twin.METHODS)
        running = threading.Thread(target=ask, args=(boss, "POST", path, {"request": 1}, 201))
        running.start()
        call = twin.receive_method(client)
        twin.answer_method(client, call, 200, b"{}")
        running.join(30)
    ask(boss, "GET", path)


def send_telemetry(device):
    with device.hub.connect() as client:
        client.publish(device.hub.events(), b'{"level": 1.5}', qos=1)
        client.publish(device.hub.events("$.sub=pump"), b'{"flow": 2.5}', qos=1)


def ask_until_there(boss, path):
    """What was sent becomes a value a little later."""
    until(lambda: boss.rest("GET", path).status != 404)
    ask(boss, "GET", path)


def walk_data(boss):
    device = ModelledDevice(Caller(boss.server), [
        telemetry("level"), setting("limit"), command("reboot", "integer"),
        component("pump", [telemetry("flow"), setting("speed"), command("prime", "integer")])])
    base = f"devices/{device.id}"
    send_telemetry(device)
    for part, name, flow, act in [("", "limit", "level", "reboot"),
                                  ("/components/pump", "speed", "flow", "prime")]:
        ask(boss, "PATCH", f"{base}{part}/properties", {name: 7}, 202)
        ask(boss, "PUT", f"{base}{part}/properties", {name: 8}, 202)
        ask(boss, "GET", f"{base}{part}/properties")
        ask_until_there(boss, f"{base}{part}/telemetry/{flow}")
        run_command(boss, device, f"{base}{part}/commands/{act}")
    ask(boss, "GET", f"{base}/components")


def walk_templates(boss):
    model = "dtmi:test:operations;1"
    body = {"@type": ["ModelDefinition", "DeviceModel"], "displayName": "Tank",
            "capabilityModel": {"@context": ["dtmi:iotcentral:context;2", "dtmi:dtdl:context;2"],
                                "@id": model, "@type": "Interface",
                                "contents": [telemetry("level")]}}
    walk(boss, f"deviceTemplates/{model}", body, {"displayName": "Tank 2"})


def walk_jobs(boss):
    group, job = unique_id("group"), unique_id("job")
    body = {"displayName": "All", "filter": "SELECT * FROM devices"}
    ask(boss, "PUT", f"deviceGroups/{group}", body)
    ask(boss, "GET", f"deviceGroups/{group}/devices")
    made = {"displayName": "Job", "group": group, "data": [
        {"type": "cloudProperty", "target": "generic", "path": "owner", "value": "north"}]}
    ask(boss, "PUT", f"jobs/{job}", made)
    for ending in ("", "/devices"):
        ask(boss, "GET", f"jobs/{job}{ending}")
    ask(boss, "GET", "jobs")
    walk(boss, f"deviceGroups/{unique_id('group')}", body, {"description": "of all"})


def test_C104_all_operations_that_must_be_answer_as_the_table_says(boss):
    for part in (walk_access, walk_groups, walk_device, walk_templates, walk_data):
        part(boss)
    assert of_rank(boss, "M") <= boss.seen


def test_C105_and_those_that_come_next(boss):
    """Stop, resume and rerun want a job that goes on for long, or failed: test_jobs.py."""
    walk_jobs(boss)
    told_elsewhere = {"Jobs_Stop", "Jobs_Resume", "Jobs_Rerun"}
    assert of_rank(boss, "N") - told_elsewhere <= boss.seen


@pytest.mark.parametrize("method, path", [row[1:3] for row in ROWS if row[0] == "F"] + [
    ("POST", "query"), ("GET", "dashboards"), ("GET", "dataExport/exports"),
    ("GET", "deploymentManifests"), ("POST", "system/iothub/devices/{}/manual-failover"),
    ("POST", "system/iotedge/devices/{}/modules/$edgeAgent/directmethods")])
def test_C106_what_is_not_built_says_so(boss, method, path):
    body = None if method in ("GET", "DELETE") else {}
    answer = boss.rest(method, path.replace("{}", "x"), body)
    assert (answer.status, answer.code) == (501, "NotImplemented")


# --- rules common to all -------------------------------------------------------------------------


@pytest.mark.parametrize("version, known", [
    ("2022-07-31", True), ("2022-05-31", True), ("1.0", True), ("2022-10-31-preview", True),
    ("2022-06-30-preview", True), ("1.2-preview", True), ("1.1-preview", True),
    ("2021-04-30", False), ("", False), ("2022-07-31x", False)])
def test_C107_the_version_must_be_one_that_there_is(boss, version, known):
    answer = boss.rest("GET", "devices", query=f"api-version={version}")
    assert answer.status == (200 if known else 400)
    assert known or answer.code == "InvalidApiVersion"
    assert boss.rest("GET", "devices", query="").code == "InvalidApiVersion"


def test_C108_every_error_has_the_one_shape(boss):
    """The caller checks the shape of each."""
    stranger = CheckedCaller(boss.server, boss.description, "SharedAccessSignature sr=x")
    nobody = CheckedCaller(boss.server, boss.description, "")
    for who, method, path, body, want in [
            (boss, "GET", "devices/none", None, (404, "NotFound")),
            (boss, "GET", "nothing", None, (404, "NotFound")),
            (boss, "POST", "devices", {}, (405, "MethodNotAllowed")),
            (boss, "PUT", "devices/UPPER", {}, (400, "InvalidBody")),
            (boss, "PUT", "devices/x", [], (400, "InvalidBody")),
            (boss, "PUT", "devices/x", {"etag": "7"}, (412, "PreconditionFailed")),
            (boss, "GET", "devices/%ff", None, (400, "InvalidParameter")),
            (boss, "GET", "fileUploads", None, (501, "NotImplemented")),
            (boss, "PUT", "devices/x", {"displayName": "x" * 1_100_000}, (413, "PayloadTooLarge")),
            (stranger, "GET", "devices", None, (401, "Unauthorized")),
            (nobody, "GET", "devices", None, (401, "Unauthorized"))]:
        answer = who.rest(method, path, body)
        assert (answer.status, answer.code) == want, (path, answer)


def test_C116_the_sequence_of_a_public_migration_tool(boss):
    device = unique_id("scope")
    ask(boss, "PUT", f"devices/{device}", {"displayName": device, "enabled": True})
    assert ask(boss, "GET", f"devices/{device}/credentials")["idScope"] == boss.server.scope
    ask(boss, "DELETE", f"devices/{device}")

    keys = {"primaryKey": "bWlncmF0ZWQga2V5IG9mIDMyIGJ5dGVzLCBmaXJzdCE=",
            "secondaryKey": "bWlncmF0ZWQga2V5IG9mIDMyIGJ5dGVzLCBzZWNvbmQ="}
    group = {"displayName": "Migrated", "enabled": True, "type": "iot", "attestation": {
        "type": "symmetricKey", "symmetricKey": keys}}
    made = ask(boss, "PUT", f"enrollmentGroups/{unique_id('migrated')}", group)
    assert made["attestation"]["symmetricKey"] == keys
    ask(boss, "PUT", f"enrollmentGroups/{unique_id('migrated')}", group, 409)

    model = ModelledDevice(Caller(boss.server), [command("DeviceMove", "string")])
    template = ask(boss, "GET", f"devices/{model.id}")["template"]
    devices = unique_id("group")
    ask(boss, "PUT", f"deviceGroups/{devices}", {
        "displayName": "Moving", "filter": f'SELECT * FROM devices WHERE $template = "{template}"'})
    job = ask(boss, "PUT", f"jobs/{unique_id('move')}", {
        "displayName": "Move", "group": devices, "batch": {"type": "percentage", "value": 10},
        "cancellationThreshold": {"type": "percentage", "value": 100, "batch": False},
        "data": [{"type": "command", "target": template, "path": "DeviceMove",
                  "value": boss.server.scope}]})
    assert job["data"][0]["path"] == "DeviceMove"


# --- the field's command line --------------------------------------------------------------------
# Its extension is on no package registry: these are its requests, and its rules for what it shows
# (central.md 0.3, 1.5, 6.1, 6.6).


def shown_status(device):
    if not device["enabled"]:
        return "blocked"
    if not device.get("template"):
        return "unassociated"
    return "provisioned" if device["provisioned"] else "registered"


def test_C027_the_words_that_the_command_line_derives(boss):
    registered, unassociated, blocked = (unique_id("az") for _ in range(3))
    ask(boss, "PUT", f"devices/{registered}", {"template": "generic"})
    ask(boss, "PUT", f"devices/{unassociated}", {})
    ask(boss, "PUT", f"devices/{blocked}", {"template": "generic", "enabled": False})
    provisioned = boss.server.add_device(template="generic").id
    want = {registered: "registered", unassociated: "unassociated", blocked: "blocked",
            provisioned: "provisioned"}
    for device, word in want.items():
        assert shown_status(ask(boss, "GET", f"devices/{device}")) == word
    listed = {device["id"]: shown_status(device) for device in boss.all("devices")}
    assert want.items() <= listed.items()


def test_the_requests_of_the_command_line(boss, server):
    device, group, organization = unique_id("az"), unique_id("az"), unique_id("az")
    ask(boss, "PUT", f"devices/{device}", {
        "displayName": device, "simulated": False, "enabled": True, "organizations": []})
    ask(boss, "PATCH", f"devices/{device}", {"displayName": "Renamed"})
    edges = boss.filtered("devices", "type eq 'GatewayDevice' or type eq 'EdgeDevice'")
    assert edges == []
    ask(boss, "GET", f"devices/{device}/credentials")
    ask(boss, "GET", "deviceTemplates/generic")
    ask(boss, "PUT", f"organizations/{organization}", {"displayName": "Plant"})
    ask(boss, "PUT", f"enrollmentGroups/{group}", {
        "displayName": "Line", "type": "iot", "enabled": True,
        "attestation": {"type": "symmetricKey"}})
    ask(boss, "PATCH", f"enrollmentGroups/{group}", {"displayName": "Line 2"})
    ask(boss, "PUT", f"apiTokens/{unique_id('az')}", {
        "roles": [{"role": OPERATOR, "organization": organization}]})
    connected = server.add_device()
    answer = boss.rest("GET", f"system/iothub/devices/{connected.id}/get-twin",
                       query="extendedInfo=true&api-version=2022-06-30-preview")
    assert answer.status == 200
    ask(boss, "DELETE", f"system/iothub/devices/{connected.id}/c2d", status=200)
    for ending, body in [("manual-failover", {"ttl": 10}), ("manual-failback", {})]:
        ask(boss, "POST", f"system/iothub/devices/{connected.id}/{ending}", body, 501)
