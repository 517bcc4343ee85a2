"""Jobs: the same change or command for every device of a group (central.md 6.3, 6.4, 7.6;
checklist C105)."""

import json
import threading

import pytest
from lib import twin
from lib.jobs import ALL, Jobs, command_of, property_of
from lib.openapi import CheckedCaller, describe
from lib.server import unique_id

SERVER_OPTIONS = ["--accepts-per-second=0", "--unauthenticated-per-address=1000"]

PUMP, OTHER = "dtmi:jobs:pump:t", "dtmi:jobs:other:t"


def template(model_id):
    valve = {"@type": "Interface", "@id": f"{model_id[:-2]}:valve;1", "contents": [
        {"@type": "Property", "name": "open", "schema": "boolean", "writable": True}]}
    return {"@type": ["ModelDefinition", "DeviceModel"], "displayName": model_id,
            "capabilityModel": {
                "@context": ["dtmi:iotcentral:context;2", "dtmi:dtdl:context;2"],
                "@id": model_id, "@type": "Interface", "contents": [
                    {"@type": "Property", "name": "target", "schema": "integer", "writable": True},
                    {"@type": "Property", "name": "serial", "schema": "string"},
                    {"@type": ["Property", "Cloud"], "name": "owner", "schema": "string"},
                    {"@type": "Command", "name": "reboot",
                     "request": {"name": "delay", "schema": "integer"}},
                    {"@type": "Component", "name": "valve", "schema": valve}]}}


class CheckedJobs(Jobs, CheckedCaller):
    """Every answer is as the server describes it."""


@pytest.fixture(scope="module")
def boss(server):
    caller = CheckedJobs(server, describe(server))
    for name in (PUMP, OTHER):
        answer = caller.rest("PUT", f"deviceTemplates/{name}", template(name[:-2] + ";1"))
        assert answer.status == 200, answer
    return caller


@pytest.fixture
def fleet(server, boss):
    """Five devices of the template and their group."""
    prefix = unique_id("fleet")
    return [server.add_device(f"{prefix}-{n}", template=PUMP) for n in range(5)], \
        boss.group(f'STARTS_WITH($id, "{prefix}-")')


def desired(server, device):
    section = server.twin(device.id)["properties"]["desired"]
    return {name: value for name, value in section.items() if not name.startswith("$")}


# --- what a job does ----------------------------------------------------------------------------


def test_C105_properties_reach_every_device_of_the_group(server, boss, fleet):
    devices, group = fleet
    job = boss.run(group, property_of(PUMP, "target", 7), property_of(PUMP, "valve.open", True),
                   {"type": "cloudProperty", "target": PUMP, "path": "owner", "value": "north"})
    assert job["status"] == "complete"
    assert job["progress"] == {"total": 5, "pending": 0, "completed": 5, "failed": 0}
    assert (job["group"], job["displayName"]) == (group, "Job")
    assert job["start"] <= job["end"]
    for device in devices:
        assert desired(server, device) == {"target": 7, "valve": {"__t": "c", "open": True}}
        shown = boss.rest("GET", f"devices/{device.id}/properties").body
        assert shown["owner"] == "north"
    assert boss.devices(job["id"]) == {device.id: "completed" for device in devices}
    assert job["id"] in [item["id"] for item in boss.rest_all("jobs", top=2)[0]]


def answer_methods(client, code, seen):
    found = twin.receive_method(client)
    seen.append((found.name, json.loads(found.body)))
    twin.answer_method(client, found, code, b"{}")


def test_C105_a_command_runs_where_somebody_is(server, boss, fleet):
    devices, group = fleet
    seen, threads, clients = [], [], []
    for device, code in zip(devices, [200, 200, 500]):
        client = device.connect()
        client.subscribe(twin.METHODS)
        clients.append(client)
        threads.append(threading.Thread(target=answer_methods, args=(client, code, seen)))
        threads[-1].start()
    job = boss.run(group, command_of(PUMP, "reboot", value=5))
    for thread in threads:
        thread.join()
    for client in clients:
        client.disconnect()
    assert seen == [("reboot", 5)] * 3
    assert job["status"] == "complete"
    assert job["progress"] == {"total": 5, "pending": 0, "completed": 2, "failed": 3}
    states = boss.devices(job["id"])
    assert [states[device.id] for device in devices] == ["completed"] * 2 + ["failed"] * 3
    own = boss.own("GET", f"jobs/{job['id']}/devices").body["value"]
    messages = {row["id"]: row["message"] for row in own}
    assert messages[devices[0].id] is None
    assert "500" in messages[devices[2].id] and messages[devices[3].id]


def test_C105_devices_migrate_to_another_template(server, boss, fleet):
    devices, group = fleet
    job = boss.run(group, {"type": "deviceTemplateMigration", "template": OTHER})
    assert job["progress"]["completed"] == 5
    assert {server.device(device.id)["template"] for device in devices} == {OTHER}
    wrong = boss.run(group, property_of(PUMP, "target", 1))
    assert wrong["progress"]["failed"] == 5
    assert all(desired(server, device) == {} for device in devices)


def test_C105_a_value_that_does_not_fit_any_more_fails_and_says_why(boss, fleet):
    devices, group = fleet
    for device in devices:
        boss.rest("PATCH", f"devices/{device.id}", {"template": OTHER})
    job = boss.run(group, property_of(PUMP, "target", 1))
    assert job["progress"]["failed"] == 5
    row = boss.own("GET", f"jobs/{job['id']}/devices?top=1").body["value"][0]
    assert "template" in row["message"]


def test_C105_older_clients_names_of_kinds_count(server, boss, fleet):
    devices, group = fleet
    data = property_of(PUMP, "target", 3)
    assert boss.run(group, {**data, "type": "PropertyJobData"})["progress"]["completed"] == 5


def test_C105_members_are_those_of_the_beginning(server, boss, fleet):
    devices, group = fleet
    server.cli("device", "delete", devices[0].id)
    job = boss.run(group, property_of(PUMP, "target", 3))
    assert job["progress"]["total"] == 4
    server.cli("device", "delete", devices[1].id)
    assert devices[1].id in boss.devices(job["id"])
    assert boss.run(boss.group('$id = "nobody"'), property_of(PUMP, "target", 3))["progress"] == \
        {"total": 0, "pending": 0, "completed": 0, "failed": 0}


# --- batches and thresholds ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowd(server, boss):
    """200 devices that nobody is, and their group: every command fails."""
    prefix = unique_id("crowd")
    file = server.folder / "crowd.csv"
    file.write_text("IOTC_DEVICEID\n" + "\n".join(f"{prefix}-{n:03}" for n in range(200)) + "\n")
    server.cli("device", "import", file, "--template", PUMP)
    return boss.group(f'STARTS_WITH($id, "{prefix}-")')


@pytest.mark.parametrize("members, status, done", [
    ({}, "complete", 200),
    ({"cancellationThreshold": {"type": "number", "value": 60}}, "cancelled", 100),
    ({"cancellationThreshold": {"type": "percentage", "value": 20}}, "cancelled", 50),
    ({"batch": {"type": "number", "value": 20},
      "cancellationThreshold": {"type": "number", "value": 19, "batch": True}}, "cancelled", 20),
    ({"batch": {"type": "number", "value": 20},
      "cancellationThreshold": {"type": "number", "value": 20, "batch": True}}, "complete", 200),
    ({"batch": {"type": "percentage", "value": 5},
      "cancellationThreshold": {"type": "percentage", "value": 99, "batch": True}}, "cancelled", 10),
])
def test_C105_a_threshold_ends_a_job(boss, crowd, members, status, done):
    job = boss.run(crowd, command_of(PUMP, "reboot"), **members)
    assert (job["status"], job["progress"]["failed"]) == (status, done)
    assert job["progress"]["pending"] == 200 - done
    for name, value in members.items():
        assert job[name] == value


# --- stop, resume, rerun ------------------------------------------------------------------------


def test_C105_a_job_stops_and_goes_on(server, boss, fleet):
    devices, group = fleet
    with devices[0].connect() as client:
        client.subscribe(twin.METHODS)
        job_id = boss.begin(group, command_of(PUMP, "reboot"), batch={"type": "number", "value": 1})
        found = twin.receive_method(client)
        assert boss.job(job_id)["status"] == "running"
        assert boss.rest("POST", f"jobs/{job_id}/resume").status == 409
        assert boss.rest("POST", f"jobs/{job_id}/stop").status == 204
        twin.answer_method(client, found, 200, b"{}")
        job = boss.ended(job_id)
        assert job["status"] == "stopped"
        assert job["progress"] == {"total": 5, "pending": 4, "completed": 1, "failed": 0}
        assert boss.rest("POST", f"jobs/{job_id}/stop").status == 409
        assert boss.rest("POST", f"jobs/{job_id}/resume").status == 204
        job = boss.ended(job_id)
        assert job["progress"] == {"total": 5, "pending": 0, "completed": 1, "failed": 4}
        client.expect_quiet()


def test_C105_a_rerun_is_for_those_that_failed(server, boss, fleet):
    devices, group = fleet
    seen = []
    with devices[0].connect() as client:
        client.subscribe(twin.METHODS)
        thread = threading.Thread(target=answer_methods, args=(client, 200, seen))
        thread.start()
        first = boss.run(group, command_of(PUMP, "reboot"))
        thread.join()
    assert first["progress"]["failed"] == 4
    rerun_id = unique_id("rerun")
    answer = boss.rest("PUT", f"jobs/{first['id']}/rerun/{rerun_id}")
    assert answer.status == 200 and answer.body["id"] == rerun_id
    job = boss.ended(rerun_id)
    assert job["data"] == first["data"]
    assert set(boss.devices(rerun_id)) == {device.id for device in devices[1:]}
    assert boss.rest("PUT", f"jobs/{first['id']}/rerun/{rerun_id}").status == 409
    fine = boss.run(group, property_of(PUMP, "target", 1))
    assert boss.rest("PUT", f"jobs/{fine['id']}/rerun/{unique_id('rerun')}").status == 409
    assert boss.rest("PUT", f"jobs/none/rerun/{unique_id('rerun')}").status == 404


# --- what is refused ----------------------------------------------------------------------------


GOOD = property_of(PUMP, "target", 1)


@pytest.mark.parametrize("body, about", [
    ({"data": [GOOD]}, "group"),
    ({"group": "none", "data": [GOOD]}, "group"),
    ({"group": None}, "group"),
    ({"data": None}, "data"),
    ({"data": []}, "data"),
    ({"data": {}}, "data"),
    ({"data": [{"type": "dance"}]}, "data[0]"),
    ({"data": [GOOD, {"type": "property", "path": "a", "value": 1}]}, "data[1]: target"),
    ({"data": [{"type": "property", "target": PUMP, "value": 1}]}, "path"),
    ({"data": [{"type": "property", "target": PUMP, "path": "a"}]}, "value"),
    ({"data": [{"type": "deviceTemplateMigration"}]}, "template"),
    ({"data": [{"type": "deviceTemplateMigration", "template": "none"}]}, "template"),
    ({"data": [GOOD] * 21}, "20"),
    ({"data": [GOOD, property_of(PUMP, "nonsense", 3)]}, "data[1]: 'nonsense'"),
    ({"data": [property_of(PUMP, "target", "much")]}, "data[0]: 'target'"),
    ({"data": [property_of(PUMP, "serial", "x")]}, "only the device"),
    ({"data": [property_of("none", "target", 1)]}, "template"),
    ({"data": [command_of(PUMP, "dance")]}, "no such command"),
    ({"data": [command_of(PUMP, "reboot", value="soon")]}, "does not fit"),
    ({"batch": {"type": "dozen", "value": 1}}, "batch"),
    ({"batch": {"type": "number", "value": 0}}, "batch"),
    ({"batch": {"type": "percentage", "value": 101}}, "batch"),
    ({"batch": 5}, "batch"),
    ({"cancellationThreshold": {"type": "number"}}, "cancellationThreshold"),
    ({"displayName": "x" * 200}, "148"),
])
def test_C105_what_is_wrong_with_a_job_is_said(boss, fleet, body, about):
    whole = {"group": fleet[1], "data": [GOOD], **body} if "group" in body or body != \
        {"data": [GOOD]} else body
    answer = boss.rest("PUT", f"jobs/{unique_id('job')}", whole)
    assert (answer.status, answer.code) == (400, "InvalidBody"), answer
    assert about in answer.body["error"]["message"]


def test_C105_a_target_that_the_group_cannot_have_is_refused(boss):
    group = boss.group(f'$template = "{OTHER}"')
    answer = boss.rest("PUT", f"jobs/{unique_id('job')}", {"group": group, "data": [GOOD]})
    assert answer.status == 400 and OTHER in answer.body["error"]["message"]


def test_C105_a_job_is_made_once(boss, fleet):
    job_id = boss.begin(fleet[1], GOOD)
    answer = boss.rest("PUT", f"jobs/{job_id}", {"group": fleet[1], "data": [GOOD]})
    assert (answer.status, answer.code) == (409, "Conflict")
    boss.ended(job_id)
    for path in ("none", "none/devices"):
        assert boss.rest("GET", f"jobs/{path}").status == 404
    for act in ("stop", "resume"):
        assert boss.rest("POST", f"jobs/none/{act}").status == 404
    assert boss.rest("PUT", "jobs/a.b", {"group": fleet[1], "data": [GOOD]}).status == 400


def test_C105_a_job_does_nothing_that_its_caller_may_not(server, boss, fleet):
    role = unique_id("role")
    assert boss.own("PUT", f"roles/{role}", {"displayName": role, "permissions": [
        "jobs.execute", "jobs.view", "devices.update"]}).status == 200
    token = boss.rest("PUT", f"apiTokens/{unique_id('token')}", {"roles": [{"role": role}]})
    caller = Jobs(server, token.body["token"])
    body = {"group": fleet[1], "data": [command_of(PUMP, "reboot")]}
    answer = caller.rest("PUT", f"jobs/{unique_id('job')}", body)
    assert answer.status == 403 and "devices.command" in answer.body["error"]["message"]
    failed = boss.run(fleet[1], command_of(PUMP, "reboot"))
    assert caller.rest("PUT", f"jobs/{failed['id']}/rerun/{unique_id('rerun')}").status == 403
    assert caller.run(fleet[1], GOOD)["progress"]["completed"] == 5


# --- the command line ---------------------------------------------------------------------------


def test_the_command_line_has_groups_and_jobs(server, boss, fleet):
    devices, group = fleet
    where = f'{ALL} WHERE $id = "{devices[0].id}"'
    mine = unique_id("mine")
    server.cli("device-group", "add", mine, "--filter", where, "--name", "Mine")
    assert server.cli_json("device-group", "show", mine)["filter"] == where
    assert mine in server.cli("device-group", "list").stdout
    assert devices[0].id in server.cli("device-group", "devices", mine).stdout
    job_id = unique_id("job")
    done = server.cli("job", "run", job_id, "--group", mine, "--property", "target=21",
                      "--target", PUMP)
    assert "complete" in done.stdout
    assert desired(server, devices[0]) == {"target": 21}
    assert server.cli_json("job", "show", job_id)["progress"]["completed"] == 1
    told = server.cli("job", "show", job_id).stdout
    assert all(word in told for word in (mine, "target = 21", "start", "end")), told
    assert job_id in server.cli("job", "list").stdout
    assert devices[0].id in server.cli("job", "devices", job_id).stdout
    failing = unique_id("job")
    done = server.cli("job", "run", failing, "--group", mine, "--command", "reboot", "--target",
                      PUMP, check=False)
    assert done.returncode == 1 and "1 failed" in done.stdout
    assert "NotFound" not in server.cli("job", "devices", failing).stdout
    server.cli("job", "rerun", failing, unique_id("rerun"), check=False)
    assert server.cli("job", "stop", job_id, check=False).returncode == 1
    assert server.cli("job", "resume", job_id, check=False).returncode == 1
    server.cli("device-group", "delete", mine)
    assert server.cli("job", "run", "x", check=False).returncode == 2
