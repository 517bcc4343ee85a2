"""Device groups: a filter with a name, and who belongs to it (central.md 6.3, 6.4; checklist
C105)."""

import pytest
from lib.caller import BUILDER, Caller
from lib.openapi import CheckedCaller, describe
from lib.server import unique_id

SERVER_OPTIONS = ["--accepts-per-second=0"]

ALL = "SELECT * FROM devices"


@pytest.fixture(scope="module")
def boss(server):
    return CheckedCaller(server, describe(server))


def put(boss, group_id, status=200, **members):
    answer = boss.rest("PUT", f"deviceGroups/{group_id}", {"displayName": "Pumps", "filter": ALL,
                                                           **members})
    assert answer.status == status, answer
    return answer.body


def members(boss, group_id):
    items, _ = boss.rest_all(f"deviceGroups/{group_id}/devices", top=3)
    return [item["id"] for item in items]


def test_C105_a_group_is_made_changed_listed_and_removed(boss):
    group_id = unique_id("group")
    made = put(boss, group_id, description="all of them")
    assert made == {"id": group_id, "displayName": "Pumps", "filter": ALL,
                    "description": "all of them", "etag": made["etag"]}
    assert boss.rest("GET", f"deviceGroups/{group_id}").body == made
    changed = boss.rest("PATCH", f"deviceGroups/{group_id}", {"displayName": "Valves"})
    assert changed.status == 200
    assert changed.body == {**made, "displayName": "Valves", "etag": changed.body["etag"]}
    assert changed.body["etag"] != made["etag"]
    removed = boss.rest("PATCH", f"deviceGroups/{group_id}", {"description": None}).body
    assert "description" not in removed
    assert removed["id"] in [g["id"] for g in boss.rest_all("deviceGroups")[0]]
    assert boss.rest("DELETE", f"deviceGroups/{group_id}").status == 204
    assert boss.rest("GET", f"deviceGroups/{group_id}").code == "NotFound"
    assert boss.rest("DELETE", f"deviceGroups/{group_id}").status == 404
    assert boss.rest("PATCH", f"deviceGroups/{group_id}", {}).status == 404


def test_C105_C112_another_etag_changes_nothing(boss):
    group_id = unique_id("group")
    old = put(boss, group_id)["etag"]
    put(boss, group_id, displayName="New", etag=old)
    assert put(boss, group_id, status=412, displayName="Newer", etag=old)
    answer = boss.rest("PATCH", f"deviceGroups/{group_id}", {"displayName": "x", "etag": "nonsense"})
    assert answer.status == 412
    assert boss.rest("GET", f"deviceGroups/{group_id}").body["displayName"] == "New"


@pytest.mark.parametrize("body, about", [
    ({"displayName": "x"}, "filter"),
    ({"filter": ALL}, "displayName"),
    ({"displayName": 7, "filter": ALL}, "displayName"),
    ({"displayName": "x", "filter": "SELECT $id FROM devices"}, "character 8"),
    ({"displayName": "x", "filter": f"{ALL} WHERE $template = dtmi"}, "character 41"),
    ({"displayName": "x", "filter": f"{ALL} WHERE temperature > 5"}, "character 29"),
    ({"displayName": "x", "filter": ALL, "organizations": ["north"]}, "organizations"),
    ({"displayName": "x" * 200, "filter": ALL}, "148"),
])
def test_C105_what_is_wrong_with_a_group_is_said(boss, body, about):
    answer = boss.rest("PUT", f"deviceGroups/{unique_id('group')}", body)
    assert (answer.status, answer.code) == (400, "InvalidBody"), answer
    assert about in answer.body["error"]["message"]


def test_C105_an_id_that_the_path_does_not_allow_is_refused(boss):
    assert boss.rest("PUT", "deviceGroups/a.b", {"displayName": "x", "filter": ALL}).status == 400


def test_C105_C109_members_are_whoever_fits_now(server, boss):
    ids = sorted(unique_id("member") for _ in range(7))
    for device_id in ids:
        server.cli("device", "add", device_id, "--name", f"Name of {device_id}")
    group_id = unique_id("group")
    put(boss, group_id, filter=f'{ALL} WHERE STARTS_WITH($id, "member-")')
    assert members(boss, group_id) == ids
    server.cli("device", "block", ids[0])
    server.cli("device", "associate", ids[1], "--template", "generic")
    cases = {
        "$enabled = true": ids[1:],
        'STARTS_WITH($id, "member") AND $template = "generic"': [ids[1]],
        '$template = "generic" AND $provisioned = true': [],
        '$template = "generic" OR $enabled = false': ids[:2],
        f'$id IN ["{ids[3]}", "{ids[5]}", "nobody"]': [ids[3], ids[5]],
        f"CONTAINS($displayName, 'Name of {ids[4]}')": [ids[4]],
        "$template = null": [i for i in ids if i != ids[1]],
    }
    for where, expected in cases.items():
        put(boss, group_id, filter=f"{ALL} WHERE {where}")
        assert members(boss, group_id) == expected, where
    server.cli("device", "delete", ids[6])
    put(boss, group_id, filter=f'{ALL} WHERE $id = "{ids[6]}"')
    assert members(boss, group_id) == []
    assert boss.rest("GET", "deviceGroups/none/devices").status == 404


def test_C105_a_member_is_a_device_as_the_api_shows_it(server, boss):
    device_id = unique_id("shown")
    server.cli("device", "add", device_id)
    group_id = unique_id("group")
    put(boss, group_id, filter=f'{ALL} WHERE $id = "{device_id}"')
    shown = boss.rest("GET", f"deviceGroups/{group_id}/devices").body["value"]
    assert shown == [boss.rest("GET", f"devices/{device_id}").body]


def test_C105_changes_are_in_the_audit(boss):
    group_id = unique_id("group")
    put(boss, group_id)
    put(boss, group_id, displayName="Again")
    boss.rest("DELETE", f"deviceGroups/{group_id}")
    rows = boss.own("GET", f"audit?target={group_id}").body["value"]
    assert [row["entry"]["action"] for row in rows] == ["groups.delete", "groups.update", "groups.create"]


def test_C105_groups_are_the_whole_application_s(server, boss):
    organization = unique_id("org")
    assert boss.rest("PUT", f"organizations/{organization}", {"displayName": "x"}).status == 200
    token = boss.rest("PUT", f"apiTokens/{unique_id('token')}",
                      {"roles": [{"role": BUILDER, "organization": organization}]}).body["token"]
    assert Caller(server, token).rest("GET", "deviceGroups").status == 403
    assert Caller(server, "").rest("GET", "deviceGroups").status == 401


def test_a_large_group_is_listed_whole_where_few_may_connect(new_server, tmp_path):
    """One connection and pages of a hundred; what the limit refuses is made good by waiting, and
    the log tells of it."""
    server = new_server("--accepts-per-second=1", "--accepts-burst=3")
    file = tmp_path / "fleet.csv"
    file.write_text("IOTC_DEVICEID\n" + "".join(f"unit-{n:04}\n" for n in range(1001)))
    server.cli("device", "import", file)
    server.cli("device-group", "add", "all", "--filter", "SELECT * FROM devices")
    for _ in range(4):
        assert len(server.cli("device-group", "devices", "all").stdout.splitlines()) == 1001
    told = [line for line in server.log.lines if "connections_refused" in line]
    assert len(told) == 1 and "limit=accepts_per_second" in told[0]
