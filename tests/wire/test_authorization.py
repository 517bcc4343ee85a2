"""Who may do what: every route that the server has, for every role, on devices of his own
organization and of another (SECURITY-MODEL O5; central.md 4.8; checklist "Access")."""

import re

import pytest
from lib.access import callers_by_role, create_caller, create_organization
from lib.caller import ADMINISTRATOR, OPERATOR, Caller
from lib.server import unique_id

SERVER_OPTIONS = ["--accepts-per-second=0", "--unauthenticated-per-address=100000"]

# By the permission's name, as 4.8 has it; independent of the server's own table.
ALLOWED = {
    "administrator": lambda permission, path: True,
    "builder": lambda permission, path: re.match(
        r"templates|devices|groups|jobs|connectivity\..*Instance|settings\.view|metrics",
        permission),
    "operator": lambda permission, path: re.match(
        r"templates\.view|devices|groups|jobs|connectivity\..*Instance", permission),
    "nothing": lambda permission, path: False,
    "administrator of a part": lambda permission, path: re.match(
        r"templates\.view|devices|connectivity\..*Instance|users|organizations|apiTokens|roles\.view",
        permission) and re.match(
        r"/api(/muster/v1)?/(devices|deviceTemplates|templates|users|roles|permissions|routes"
        r"|organizations|apiTokens|system/iothub/devices|system/iotedge/devices)(/|$)", path),
}

# Answers that go on for as long as somebody listens: their head is asked for.
STREAMS = re.compile(r"/(messages|events)$")


@pytest.fixture(scope="module")
def routes(boss):
    """(method, path, permission) of all that wants one."""
    answer = boss.own("GET", "routes")
    assert answer.status == 200, answer
    rows = [(row["method"], row["path"], row.get("permission")) for row in answer.body["value"]]
    assert [path for _, path, permission in rows if not permission] == ["/api/openapi.json"]
    return [row for row in rows if row[2]]


@pytest.fixture(scope="module")
def callers(boss):
    return callers_by_role(boss)


def call(who, method, path, *names):
    """With names for the first {}s, and names that nothing has for the others."""
    for name in names:
        path = path.replace("{}", name, 1)
    path = path.replace("{}", unique_id("none"))
    if method == "GET" and STREAMS.search(path):
        method = "HEAD"
    body = None if method in ("GET", "HEAD", "DELETE") else {}
    query = "" if path.startswith("/api/muster/") else "?api-version=2022-07-31"
    return who.at(method, path + query, body)


def test_the_routes_are_all_that_the_sources_have(routes):
    assert len(routes) == len(set(routes))
    assert len([row for row in routes if row[1].startswith("/api/muster/v1/")]) >= 60
    assert len([row for row in routes if not row[1].startswith("/api/muster/")]) >= 96


def test_no_route_is_for_strangers(boss, routes):
    strangers = [Caller(boss.server, "SharedAccessSignature sr=muster&sig=mst_00&skn=x&se=1"),
                 Caller(boss.server, "")]
    for method, path, _ in routes:
        for stranger in strangers:
            assert call(stranger, method, path).status == 401, (method, path)


@pytest.mark.parametrize("role", ALLOWED)
def test_C045_every_route_for_every_role(callers, routes, role):
    wrong = []
    for method, path, permission in routes:
        answer = call(callers[role], method, path)
        if ALLOWED[role](permission, path):
            # The administrator of a part is told by the domain what lies outside it.
            bad = (401, 405, 500) if "part" in role else (401, 403, 405, 500)
            bad = (401, 403, 500) if STREAMS.search(path) else bad
            is_right = answer.status not in bad
        else:
            is_right = answer.status == 403
        if not is_right:
            wrong.append((method, path, permission, answer.status))
    assert not wrong


# --- organizations -------------------------------------------------------------------------------

DEVICE = re.compile(r"^/api/(muster/v1/|system/\w+/)?devices/\{\}")


def about_devices(routes):
    """The routes about one device that somebody within an organization may ask."""
    return [(method, path, permission) for method, path, permission in routes
            if DEVICE.match(path) and ALLOWED["administrator of a part"](permission, path)]


@pytest.fixture(scope="module")
def parts(boss):
    """Two organizations side by side, and one below the first."""
    first, second = create_organization(boss), create_organization(boss)
    return {"own": first, "below": create_organization(boss, first), "other": second}


def create_device(boss, organization):
    device = unique_id("part")
    answer = boss.rest("PUT", f"devices/{device}", {"organizations": [organization]})
    assert answer.status == 200, answer
    return device


def test_C046_a_device_of_another_organization_is_not_there(boss, routes, parts):
    who = create_caller(boss, ADMINISTRATOR, parts["own"])
    device = create_device(boss, parts["other"])
    before = boss.rest("GET", f"devices/{device}").body
    about = about_devices(routes)
    assert len(about) >= 60
    for method, path, permission in about:
        answer = call(who, method, path, device)
        assert answer.status == 404, (method, path, permission, answer)
    assert boss.rest("GET", f"devices/{device}").body == before


@pytest.mark.parametrize("place", ["own", "below"])
def test_C046_a_device_of_his_own_is_as_for_an_administrator(boss, routes, parts, place):
    who = create_caller(boss, ADMINISTRATOR, parts["own"])
    for method, path, permission in about_devices(routes):
        his = call(who, method, path, create_device(boss, parts[place]))
        want = call(boss, method, path, create_device(boss, parts[place]))
        assert his.status == want.status, (method, path, permission, his, want)


@pytest.mark.parametrize("family", ["/api/devices?api-version=2022-07-31",
                                    "/api/devices?api-version=2022-07-31&$orderby=displayName",
                                    "/api/muster/v1/devices?top=1000",
                                    "/api/muster/v1/devices?status=registered&top=1000"])
def test_C046_lists_show_the_devices_of_the_organization(boss, parts, family):
    own, below = create_device(boss, parts["own"]), create_device(boss, parts["below"])
    other = create_device(boss, parts["other"])
    for organization, want in [(parts["own"], {own, below}), (parts["below"], {below}),
                               (parts["other"], {other})]:
        who = create_caller(boss, OPERATOR, organization)
        separator = "" if "muster" in family else "&$top=100"
        listed, address = set(), family + separator
        while address:
            answer = who.at("GET", address)
            assert answer.status == 200, answer
            listed |= {row["id"] for row in answer.body["value"]}
            link = answer.body.get("nextLink")
            address = link and re.sub(r"^https://[^/]*", "", link)
        assert want <= listed
        assert not ({own, below, other} - want) & listed


def test_C046_a_device_is_made_and_moved_within_the_organization(boss, parts):
    who = create_caller(boss, ADMINISTRATOR, parts["own"])
    device = unique_id("made")
    assert who.rest("PUT", f"devices/{device}", {}).body["organizations"] == [parts["own"]]
    moved = who.rest("PATCH", f"devices/{device}", {"organizations": [parts["below"]]})
    assert moved.body["organizations"] == [parts["below"]]
    assert who.rest("PATCH", f"devices/{device}", {"organizations": [parts["other"]]}).status == 400
    assert who.rest("PATCH", f"devices/{device}", {"organizations": []}).status == 403
    answer = who.own("POST", "devices", {"id": unique_id("made")})
    assert answer.status == 200, answer
    assert answer.body["organization"] == parts["own"]
    assert boss.rest("PATCH", f"devices/{device}", {"organizations": None}).status == 200
    assert who.rest("GET", f"devices/{device}").status == 404


def test_an_organization_with_devices_stays(boss):
    organization = create_organization(boss)
    device = create_device(boss, organization)
    assert boss.rest("DELETE", f"organizations/{organization}").status == 409
    assert boss.rest("DELETE", f"devices/{device}").status == 204
    assert boss.rest("DELETE", f"organizations/{organization}").status == 204


def test_a_device_goes_along_when_its_organization_moves(boss, parts):
    moving = create_organization(boss, parts["own"])
    device = create_device(boss, moving)
    who = create_caller(boss, OPERATOR, parts["other"])
    assert who.rest("GET", f"devices/{device}").status == 404
    assert boss.rest("PATCH", f"organizations/{moving}", {"parent": parts["other"]}).status == 200
    assert who.rest("GET", f"devices/{device}").status == 200


def test_organizations_on_the_command_line(server):
    top, below, device = unique_id("cmd"), unique_id("cmd"), unique_id("dev")
    shown = server.cli_json("organization", "add", top, "--name", "Top")
    assert shown == {"id": top, "displayName": "Top"}
    server.cli("organization", "add", below, "--parent", top)
    assert server.cli_json("organization", "show", below)["parent"] == top
    lines = server.cli("organization", "list").stdout.splitlines()
    assert [line.split() for line in lines if below in line] == [[below, below, top]]
    server.cli("device", "add", device)
    server.cli("organization", "move", device, below)
    assert server.device(device)["organization"] == below
    kept = server.cli("organization", "delete", below, check=False)
    assert kept.returncode == 1 and "devices are in it" in kept.stderr
    server.cli("organization", "move", device, "")
    assert server.device(device)["organization"] is None
    server.cli("organization", "set", below, "--parent", "", "--name", "Alone")
    assert "parent" not in server.cli_json("organization", "show", below)
    server.cli("organization", "delete", below)
    server.cli("organization", "delete", top)
    assert server.cli("organization", "show", top, check=False).returncode == 1
    assert server.cli("organization", "move", device, check=False).returncode == 2
