"""Who may use the application: users, roles, organizations, API tokens, and what is told of all
that they do (central.md 4.8, 6; checklist "Access")."""

import datetime
import json
import re
import time

import pytest
from lib import dps, twin
from lib.access import (callers_by_role, create_caller, create_organization, create_role,
                        create_token)
from lib.caller import ADMINISTRATOR, BUILDER, OPERATOR, VERSION, Caller, end_of
from lib.server import unique_id

SERVER_OPTIONS = ["--accepts-per-second=0", "--unauthenticated-per-address=1000"]


def entries(boss, **filters):
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    answer = boss.own("GET", f"audit?{query}")
    assert answer.status == 200, answer
    return [row["entry"] for row in answer.body["value"]]


# --- the family ----------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "api-version=2019-01-01", "api-version="])
def test_a_version_must_be_stated(boss, query):
    answer = boss.rest("GET", "roles", query=query)
    assert (answer.status, answer.code) == (400, "InvalidApiVersion")
    assert answer.headers["x-ms-error-code"] == "InvalidApiVersion"


def test_errors_have_the_one_shape(boss):
    for answer, want in [(boss.rest("GET", "users/nobody"), (404, "NotFound")),
                         (boss.rest("POST", "users/nobody"), (405, "MethodNotAllowed")),
                         (boss.rest("GET", "nothing"), (404, "NotFound")),
                         (boss.rest("PUT", "users/u.1", {}), (400, "InvalidBody")),
                         (Caller(boss.server, "").rest("GET", "users"), (401, "Unauthorized"))]:
        assert (answer.status, answer.code) == want, answer
        error = answer.body["error"]
        assert set(error) == {"code", "message", "requestId", "time"}
        assert answer.headers["x-ms-error-code"] == error["code"]
        assert answer.headers["x-ms-request-id"] == error["requestId"]


def test_a_list_is_read_page_by_page_by_its_links(boss):
    role = create_role(boss, "audit.view")
    made = sorted(f"page-{i:02}" for i in range(7))
    for user in made:
        body = {"type": "email", "email": f"{user}@example.org", "roles": [{"role": role}]}
        assert boss.rest("PUT", f"users/{user}", body).status == 200
    users, pages = boss.rest_all("users", top=3)
    assert [user["id"] for user in users if user["id"] in made] == made
    assert pages >= 3
    assert boss.rest("GET", "users", query=VERSION + "&$top=0").code == "InvalidParameter"
    assert boss.rest("GET", "users", query=VERSION + "&maxpagesize=101").code == "InvalidParameter"
    assert len(boss.rest("GET", "users", query=VERSION + "&maxpagesize=2").body["value"]) == 2


# --- users, roles, organizations -----------------------------------------------------------------


def test_a_user_is_added_changed_and_removed(boss):
    user = unique_id("user")
    body = {"type": "email", "email": f"{user}@example.org", "roles": [{"role": OPERATOR}]}
    added = boss.rest("PUT", f"users/{user}", body)
    assert (added.status, added.body) == (200, {"id": user, **body})
    changed = boss.rest("PATCH", f"users/{user}", {"roles": [{"role": BUILDER}]})
    assert changed.body == {"id": user, **body, "roles": [{"role": BUILDER}]}
    assert boss.rest("GET", f"users/{user}").body == changed.body
    removed = boss.rest("DELETE", f"users/{user}")
    assert (removed.status, removed.text) == (204, "")
    assert boss.rest("GET", f"users/{user}").status == 404
    assert boss.rest("PATCH", f"users/{user}", {"email": "a@b"}).status == 404


@pytest.mark.parametrize("body", [
    {"type": "servicePrincipal", "tenantId": "t", "objectId": "o", "roles": [{"role": OPERATOR}]},
    {"type": "email", "email": "a@b", "roles": [{"role": "nobody"}]},
    {"type": "email", "email": "a@b", "roles": []},
    {"type": "email", "email": "a@b", "roles": "all"},
    {"type": "email", "email": "a@b", "roles": [OPERATOR]},
    {"type": "email", "email": "a@b", "roles": [{"role": OPERATOR, "organization": 7}]},
    {"type": "email", "email": "a@b"},
    {"type": "email", "roles": [{"role": OPERATOR}]},
])
def test_a_user_that_is_none_is_refused(boss, body):
    assert boss.rest("PUT", f"users/{unique_id('user')}", body).status == 400


def test_C122_the_last_administrator_stays(boss):
    user = unique_id("user")
    body = {"type": "email", "email": f"{user}@example.org", "roles": [{"role": ADMINISTRATOR}]}
    assert boss.rest("PUT", f"users/{user}", body).status == 200
    assert boss.rest("DELETE", f"users/{user}").status == 409
    assert boss.rest("PATCH", f"users/{user}", {"roles": [{"role": OPERATOR}]}).status == 409


def test_the_built_in_roles_have_the_fields_IDs(boss):
    own = create_role(boss, "jobs.view")
    roles = {role["id"]: role for role in boss.rest_all("roles")[0]}
    assert roles[ADMINISTRATOR] == {"id": ADMINISTRATOR, "displayName": "Administrator"}
    assert roles[BUILDER]["displayName"] == "Builder"
    assert roles[OPERATOR]["displayName"] == "Operator"
    assert boss.rest("GET", f"roles/{own}").body == {"id": own, "displayName": own}
    assert boss.rest("GET", "roles/nobody").status == 404
    assert boss.own("DELETE", f"roles/{ADMINISTRATOR}").status == 403


def test_a_role_brings_along_what_it_implies(boss):
    role = create_role(boss, "devices.command")
    assert set(boss.own("GET", f"roles/{role}").body["permissions"]) == {
        "devices.command", "devices.view", "templates.view", "groups.view"}
    names = {p["name"]: set(p["implies"]) for p in boss.own("GET", "permissions").body["value"]}
    assert names["devices.command"] == {"devices.view", "templates.view", "groups.view"}
    assert names["audit.view"] == set()


def test_organizations_are_a_tree(boss):
    top = create_organization(boss)
    below = create_organization(boss, top)
    assert boss.rest("GET", f"organizations/{below}").body == {
        "id": below, "displayName": "Works", "parent": top}
    assert boss.rest("DELETE", f"organizations/{top}").status == 409
    renamed = boss.rest("PATCH", f"organizations/{below}", {"displayName": "Plant"}).body
    assert renamed == {"id": below, "displayName": "Plant", "parent": top}
    moved = boss.rest("PATCH", f"organizations/{below}", {"parent": None}).body
    assert moved == {"id": below, "displayName": "Plant"}
    assert boss.rest("PATCH", f"organizations/{top}", {"parent": below}).body["parent"] == below
    assert boss.rest("PATCH", f"organizations/{below}", {"parent": top}).status == 400
    assert boss.rest("DELETE", f"organizations/{top}").status == 204
    assert boss.rest("DELETE", f"organizations/{below}").status == 204


def test_C046_organizations_do_not_see_each_other(boss):
    here, there = create_organization(boss), create_organization(boss)
    inside = create_organization(boss, here)
    clerk = create_caller(boss, ADMINISTRATOR, here)
    user = unique_id("user")
    body = {"type": "email", "email": f"{user}@example.org",
            "roles": [{"role": OPERATOR, "organization": there}]}
    assert boss.rest("PUT", f"users/{user}", body).status == 200
    other = create_token(boss, OPERATOR, there)["id"]

    assert {o["id"] for o in clerk.rest_all("organizations")[0]} == {here, inside}
    assert clerk.rest("GET", f"organizations/{there}").status == 404
    assert user not in [u["id"] for u in clerk.rest_all("users")[0]]
    assert clerk.rest("GET", f"users/{user}").status == 404
    assert clerk.rest("DELETE", f"users/{user}").status == 404
    assert other not in [t["id"] for t in clerk.rest_all("apiTokens")[0]]
    assert clerk.rest("DELETE", f"apiTokens/{other}").status == 404
    mine = clerk.rest("PUT", f"users/{user}-2", {**body, "email": "2" + body["email"]})
    assert mine.status == 403
    mine = clerk.rest("PUT", f"users/{user}-2", {
        **body, "email": "2" + body["email"], "roles": [{"role": OPERATOR, "organization": inside}]})
    assert mine.status == 200
    assert clerk.own("GET", "settings").status == 403


# --- API tokens ----------------------------------------------------------------------------------


def test_C114_a_token_is_shown_once_and_ends_in_milliseconds(boss):
    token = create_token(boss, OPERATOR)
    fields = dict(part.split("=", 1) for part in token["token"].split(" ", 1)[1].split("&"))
    assert token["token"].startswith("SharedAccessSignature ")
    assert fields["skn"] == token["id"]
    ends = datetime.datetime.fromisoformat(token["expiry"][:19] + "+00:00").timestamp()
    assert abs(int(fields["se"]) / 1000 - ends) < 2
    assert abs(ends - time.time() - 90 * 86400) < 120
    shown = boss.rest("GET", f"apiTokens/{token['id']}").body
    assert shown == {"id": token["id"], "roles": [{"role": OPERATOR}], "expiry": token["expiry"]}
    assert shown in boss.rest_all("apiTokens")[0]
    assert boss.rest("PUT", f"apiTokens/{token['id']}",
                     {"roles": [{"role": OPERATOR}]}).status == 409


def test_C114_a_revoked_token_is_refused_at_once(boss):
    token = create_token(boss, OPERATOR)
    operator = Caller(boss.server, token["token"])
    assert operator.own("GET", "devices").status == 200
    assert boss.rest("DELETE", f"apiTokens/{token['id']}").status == 204
    assert operator.own("GET", "devices").status == 401
    assert operator.rest("GET", "users").status == 401


def test_C114_an_expired_token_is_refused(boss):
    ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)
    token = create_token(boss, OPERATOR, expiry=ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    operator = Caller(boss.server, token["token"])
    deadline = time.monotonic() + 10
    while operator.own("GET", "devices").status != 401:
        assert time.monotonic() < deadline, "the token outlives its end"
    assert time.time() > ends.timestamp() - 0.001  # which it was told in whole milliseconds


@pytest.mark.parametrize("expiry", ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "soon", 7])
def test_a_token_ends_within_a_year(boss, expiry):
    answer = boss.rest("PUT", f"apiTokens/{unique_id('token')}",
                       {"roles": [{"role": OPERATOR}], "expiry": expiry})
    assert answer.status == 400


def test_C114_a_revoked_token_loses_its_streams_and_another_does_not(boss):
    token, other = create_token(boss, OPERATOR), create_token(boss, OPERATOR)
    streams = [Caller(boss.server, t["token"]).open("GET", "/api/muster/v1/messages")
               for t in (token, other)]
    assert all(response.status == 200 for response, _ in streams)
    first, second = (end_of(response) for response, _ in streams)
    assert boss.rest("DELETE", f"apiTokens/{token['id']}").status == 204
    assert first.wait(1)
    assert not second.wait(1)
    for _, connection in streams:
        connection.sock.close()


def test_a_stream_ends_when_its_role_may_no_longer(boss):
    role = create_role(boss, "devices.raw")
    response, _ = create_caller(boss, role).open("GET", "/api/muster/v1/messages")
    assert response.status == 200
    ended = end_of(response)
    assert boss.own("PATCH", f"roles/{role}", {"permissions": ["devices.view"]}).status == 200
    assert ended.wait(1)


def test_C123_nobody_hands_out_more_than_he_has(boss):
    role = create_role(boss, "apiTokens.create", "users.add", "users.update", "roles.create",
                     "roles.update", "devices.view")
    clerk = create_caller(boss, role)
    for more in (ADMINISTRATOR, OPERATOR, BUILDER):
        roles = {"roles": [{"role": more}]}
        assert clerk.rest("PUT", f"apiTokens/{unique_id('t')}", roles).status == 403
        user = {"type": "email", "email": f"{unique_id('u')}@example.org", **roles}
        assert clerk.rest("PUT", f"users/{unique_id('u')}", user).status == 403
    assert clerk.own("PUT", f"roles/{unique_id('r')}", {"permissions": ["audit.view"]}).status == 403
    assert clerk.own("PATCH", f"roles/{role}", {"permissions": ["audit.view"]}).status == 403
    assert clerk.rest("PUT", f"apiTokens/{unique_id('t')}", {"roles": [{"role": role}]}).status == 200


def test_C123_keys_that_may_write_are_not_for_those_who_only_read(boss):
    reader = create_caller(boss, create_role(boss, "connectivity.readGlobal"))
    keeper = create_caller(boss, create_role(boss, "connectivity.manageGlobal"))
    assert reader.own("GET", "enrollmentGroups").status == 200
    for policy in ("policies/hub:main/iothubowner", "policies/hub:main/service"):
        assert reader.own("GET", policy).status == 403
        assert keeper.own("GET", policy).status == 200
        told = entries(boss, target=policy.partition("/")[2])
        assert [entry["result"] for entry in told[:2]] == ["ok", "denied"]
        assert told[0]["action"] == "policies.read"


def test_who_may_not_block_does_not_block_by_an_edit(boss, server):
    waiting = unique_id("waits")
    assert dps.group_device(server, waiting).register().body["status"] != "assigned"
    clerk = create_caller(boss, create_role(boss, "devices.update"))
    keeper = create_caller(boss, create_role(boss, "devices.update", "connectivity.manageInstance"))
    # It is not enabled, so this seems to change nothing.
    edited = clerk.rest("PATCH", f"devices/{waiting}", {"enabled": False, "displayName": "W"})
    assert (edited.status, edited.body["displayName"]) == (200, "W")
    assert boss.own("GET", f"devices/{waiting}").body["blocked"] is False
    assert clerk.rest("PATCH", f"devices/{waiting}", {"enabled": True}).status == 403
    assert keeper.rest("PATCH", f"devices/{waiting}", {"enabled": False}).status == 200
    assert boss.own("GET", f"devices/{waiting}").body["blocked"] is True


def test_C046_an_enrollment_is_that_of_the_device_that_it_names(boss, server):
    """Not of another organization's that is named like the enrollment."""
    victim, name = unique_id("victim"), unique_id("name")
    boss.rest("PUT", f"devices/{victim}", {"displayName": "V"})
    made = boss.own("PUT", f"individualEnrollments/{name}", {"deviceId": victim}).body
    victims = boss.own("POST", f"devices/{victim}/connectionString").text
    clerk = create_caller(boss, OPERATOR, create_organization(boss))
    assert clerk.rest("PUT", f"devices/{name}", {"displayName": "N"}).status == 200
    assert clerk.rest("GET", f"devices/{name}/attestation").status == 404
    for path in ("credentials", "connectionString"):
        answer = clerk.own("GET" if path == "credentials" else "POST", f"devices/{name}/{path}")
        assert answer.status == 200 and victim not in answer.text, answer
        assert made["primaryKey"] not in answer.text and answer.text != victims
    assert clerk.rest("PUT", f"devices/{name}/attestation", {"type": "symmetricKey"}).status == 409
    assert clerk.rest("PATCH", f"devices/{name}/attestation", {"type": "symmetricKey"}).status == 404
    assert clerk.rest("DELETE", f"devices/{name}/attestation").status == 404
    assert boss.own("GET", f"individualEnrollments/{name}?keys=true").body == made
    exported = boss.at("GET", "/api/muster/v1/deviceExport").text
    [row] = [row for row in exported.splitlines() if row.startswith(name + ",")]
    assert made["primaryKey"] not in row


def test_C046_templates_are_not_one_organizations_to_change(boss):
    part = create_caller(boss, BUILDER, create_organization(boss))
    template = f"dtmi:test:{unique_id('t').replace('-', '_')};1"
    model = {"@id": template, "@type": ["ModelDefinition", "DeviceModel"], "displayName": "T",
             "capabilityModel": {"@id": template + "0", "@type": "Interface", "displayName": "T",
                                 "@context": ["dtmi:iotcentral:context;2", "dtmi:dtdl:context;2"],
                                 "contents": []}}
    assert boss.rest("PUT", f"deviceTemplates/{template}", model).status == 200
    assert part.rest("GET", f"deviceTemplates/{template}").status == 200
    assert part.own("GET", "templates").status == 200
    for method, body in (("PUT", model), ("PATCH", {"displayName": "X"}), ("DELETE", None)):
        assert part.rest(method, f"deviceTemplates/{template}", body).status == 403
    for method, path in (("PUT", "draft"), ("DELETE", "draft"), ("POST", "publish"),
                         ("POST", "versions")):
        assert part.own(method, f"templates/{template}/{path}", model).status == 403
    assert boss.rest("GET", f"deviceTemplates/{template}").body["displayName"] == "T"


# --- metrics: of the server itself ----------------------------------------------------------------


@pytest.fixture(scope="module")
def callers(boss):
    return callers_by_role(boss)


def test_metrics_are_for_those_who_may_see_them(callers):
    for role, who in callers.items():
        assert who.at("GET", "/metrics").status == (200 if role in ("administrator", "builder")
                                                    else 403)


# --- the audit -----------------------------------------------------------------------------------


def test_what_is_done_is_told(boss, server):
    device = unique_id("pump")
    server.cli("device", "add", device)
    server.cli("device", "block", device)
    server.cli("device", "credentials", device)
    server.cli("device", "delete", device)
    told = entries(boss, target=device)
    assert [entry["action"] for entry in told] == [
        "devices.delete", "devices.credentials.read", "devices.block", "devices.put"]
    for entry in told:
        assert (entry["actor"], entry["result"]) == ("cli", "ok")
        assert entry["source"].startswith("127.0.0.1")


def test_what_is_done_to_devices_every_day_is_told(boss, server):
    device = server.add_device(unique_id("pump"))
    at = f"devices/{device.id}"
    asked = [boss.rest("PATCH", f"{at}/properties", {"speed": 5}),
             boss.own("PATCH", f"{at}/twin", {"properties": {"desired": {"x": 1}}}),
             boss.own("POST", f"{at}/messages", {"body": "x"}),
             boss.own("DELETE", f"{at}/messages"),
             boss.own("GET", f"{at}/twin")]
    assert all(answer.status < 300 for answer in asked), asked
    assert [entry["action"] for entry in entries(boss, target=device.id)][:4] == [
        "devices.messages.delete", "devices.messages", "devices.twin.update",
        "devices.properties.update"]


def test_a_command_is_told_though_the_device_is_slow_to_answer(boss, server):
    device = server.add_device(unique_id("pump"))
    client = device.connect()
    client.subscribe(twin.METHODS)
    late = boss.rest("POST", f"devices/{device.id}/commands/reboot", {"responseTimeout": 5})
    twin.receive_method(client)
    client.disconnect()
    assert late.status == 504
    told = entries(boss, target=f"{device.id}/reboot")
    assert [(entry["action"], entry["result"]) for entry in told] == [
        ("devices.commands.create", "failed")]


def test_a_refusal_names_the_permission(boss, server):
    viewer = create_caller(boss, create_role(boss, "devices.view"))
    device = server.add_device(unique_id("pump"))
    for answer, lacks in [(viewer.own("POST", f"devices/{device.id}/methods"), "devices.command"),
                          (viewer.rest("GET", "users"), "users.view")]:
        assert (answer.status, answer.code) == (403, "Forbidden")
        assert lacks in answer.body["error"]["message"]


def test_an_entry_has_the_ID_of_the_request_and_what_changed(boss):
    role = create_role(boss, "jobs.view")
    answer = boss.own("PATCH", f"roles/{role}", {"permissions": ["audit.view"]})
    [changed, made] = entries(boss, target=role)
    assert changed["requestId"] == answer.headers["x-ms-request-id"]
    assert changed["before"] == {"displayName": role, "permissions": ["jobs.view"]}
    assert changed["after"] == {"displayName": role, "permissions": ["audit.view"]}
    assert "before" not in made


def test_refusals_are_told_but_not_without_end(boss):
    nobody, device = create_caller(boss, create_role(boss)), unique_id("pump")
    began, told, asked = time.monotonic(), [], 0
    while asked < 60 or not told:  # other tests may have used this second up
        assert nobody.own("POST", f"devices/{device}/block").status == 403
        asked += 1
        assert time.monotonic() < began + 20
        if asked >= 60:
            told = entries(boss, target=device, top=1000)
    assert {(entry["action"], entry["result"]) for entry in told} == {("devices.block", "denied")}
    assert len(told) <= 10 * (time.monotonic() - began + 2)  # of each second that has begun


def test_what_fails_for_a_reason_of_the_caller_is_not_told(boss):
    device = unique_id("pump")
    assert boss.own("POST", f"devices/{device}/block").status == 404
    assert boss.own("PUT", f"devices/{device}_", {}).status == 400
    assert entries(boss, target=device) == []


def test_C121_who_looked_at_keys_is_told(boss):
    group = unique_id("group")
    assert boss.own("PUT", f"enrollmentGroups/{group}", {}).status == 200
    assert boss.own("GET", f"enrollmentGroups/{group}?keys=true").status == 200
    assert [entry["action"] for entry in entries(boss, target=group)] == [
        "enrollmentGroups.read", "enrollmentGroups.put"]


def test_filters_and_pages_of_the_audit(boss, server):
    for _ in range(5):
        create_role(boss, "jobs.view")
    page = boss.own("GET", "audit?top=2&action=roles.create").body
    assert len(page["value"]) == 2
    after = boss.own("GET", f"audit?top=2&action=roles.create&after={page['next']}").body
    numbers = [row["number"] for row in page["value"] + after["value"]]
    assert numbers == sorted(numbers, reverse=True) and len(set(numbers)) == 4
    assert entries(boss, action="role") == []
    assert entries(boss, actor="nobody") == []
    assert entries(boss, to="2020-01-01T00:00:00Z") == []
    assert boss.own("GET", "audit?from=yesterday").status == 400
    assert boss.own("GET", "audit?after=x").status == 400
    lines = server.cli("audit", "--action", "roles", "--count", "3").stdout.splitlines()
    assert len(lines) == 3 and all(" roles." in line for line in lines)


def test_the_chain_is_whole_after_a_kill(new_server):
    server = new_server(*SERVER_OPTIONS)
    boss = Caller(server)
    for _ in range(20):
        create_role(boss, "jobs.view")
    server.kill()
    server.start()
    create_role(Caller(server), "jobs.view")
    done = server.cli("audit", "verify")
    count, newest = re.match(r"(\d+) entries, whole; newest hash ([0-9a-f]{64})",
                             done.stdout).groups()
    assert int(count) == len(Caller(server).own("GET", "audit?top=1000").body["value"]) == 22
    assert Caller(server).own("GET", "audit?top=1").body["value"][0]["hash"] == newest


def test_a_change_behind_the_servers_back_is_found(new_server):
    sqlite3 = pytest.importorskip("sqlite3")
    server = new_server(*SERVER_OPTIONS)
    for _ in range(5):
        create_role(Caller(server), "jobs.view")
    for change in ("UPDATE audit SET entry = replace(entry, 'cli', 'eve') WHERE number = 3",
                   "DELETE FROM audit WHERE number = 4"):
        server.stop()
        with sqlite3.connect(server.data / "muster.db") as database:
            database.execute(change)
        database.close()
        server.start()
        done = server.cli("audit", "verify", check=False)
        assert done.returncode == 1 and "broken at entry" in done.stderr


def test_the_audit_cannot_be_changed(boss):
    for method in ("PUT", "PATCH", "POST", "DELETE"):
        assert boss.own(method, "audit").status == 405
        assert boss.own(method, "audit/1").status == 404


# --- the command line ----------------------------------------------------------------------------


def test_users_by_the_command_line(server):
    user = unique_id("user")
    server.cli("user", "add", user, "--email", f"{user}@example.org", "--role", "operator")
    assert server.cli_json("user", "show", user)["roles"] == [{"role": OPERATOR}]
    server.cli("user", "set", user, "--role", "Builder")
    assert "Builder" in server.cli("user", "show", user).stdout
    assert user in server.cli("user", "list").stdout
    server.cli("user", "delete", user)
    assert server.cli("user", "show", user, check=False).returncode == 1
    assert server.cli("user", "add", user, check=False).returncode == 2
    assert server.cli("user", "set", user, "--organization", "x", check=False).returncode == 2


def test_users_are_named_by_their_addresses_too(server, boss):
    address = f"{unique_id('Ann')}@example.org"
    made = server.cli_json("user", "add", address, "--role", "operator")
    assert made["email"] == address
    again = server.cli("user", "add", address, "--role", "administrator", check=False)
    assert again.returncode == 1 and "e-mail address" in again.stderr
    assert server.cli_json("user", "show", address.lower())["id"] == made["id"]
    server.cli("user", "set", address, "--role", "builder")
    assert boss.rest("GET", f"users/{made['id']}").body["roles"] == [{"role": BUILDER}]
    assert server.cli("audit", "--actor", address).stdout == ""
    server.cli("user", "delete", address)
    for words in (["user", "show", address], ["audit", "--actor", address]):
        gone = server.cli(*words, check=False)
        assert gone.returncode == 1 and f"no user has the e-mail address {address}" in gone.stderr


def test_roles_by_the_command_line(server):
    role = unique_id("role")
    server.cli("role", "add", role, "jobs.execute", "--name", f"Night {role}")
    assert f"Night {role}: jobs.view jobs.execute" in server.cli("role", "show", role).stdout
    server.cli("role", "set", role, "audit.view")
    assert server.cli_json("role", "show", role)["permissions"] == ["audit.view"]
    assert "administrator" in server.cli("role", "list").stdout.lower()
    assert "devices.view" in server.cli("role", "permissions").stdout
    server.cli("role", "delete", role)
    done = server.cli("role", "add", role, "no.such", check=False)
    assert done.returncode == 1 and "permissions" in done.stderr


def test_C114_tokens_by_the_command_line(server):
    token_id = unique_id("ci")
    token = server.cli("token", "api", "create", token_id, "--role", "operator",
                       "--days", "7").stdout.strip()
    operator = Caller(server, token)
    assert operator.own("GET", "devices").status == 200
    assert operator.own("GET", "audit").status == 403
    listed = server.cli("token", "api", "list").stdout
    assert token_id in listed and "mst_" not in listed
    server.cli("token", "api", "revoke", token_id)
    assert operator.own("GET", "devices").status == 401
    assert server.cli("token", "api", "create", token_id, check=False).returncode == 2
    assert server.cli("token", "api", check=False).returncode == 2


def test_many_users_are_listed_by_the_command_line(server, boss):
    role = create_role(boss, "jobs.view")
    made = {unique_id("many") for _ in range(30)}  # more than a page
    for user in made:
        server_body = {"type": "email", "email": f"{user}@example.org", "roles": [{"role": role}]}
        assert boss.rest("PUT", f"users/{user}", server_body).status == 200
    lines = server.cli("user", "list", "--json").stdout.splitlines()
    assert made <= {json.loads(line)["id"] for line in lines}


def test_the_commands_own_token_is_made_anew_when_it_ends_soon(new_server):
    sqlite3 = pytest.importorskip("sqlite3")
    server = new_server(*SERVER_OPTIONS)
    token = (server.data / "api-token").read_text()
    server.restart()
    assert (server.data / "api-token").read_text() == token
    server.stop()
    soon = int((time.time() + 29 * 86400) * 1000)
    with sqlite3.connect(server.data / "muster.db") as database:
        database.execute("UPDATE api_token SET expires_at = ? WHERE token_id = 'cli'", [soon])
    database.close()
    server.start()
    assert (server.data / "api-token").read_text() != token
    assert Caller(server, token.strip()).own("GET", "info").status == 401
    assert server.cli("info").returncode == 0
    assert Caller(server).own("GET", "roles").status == 200
