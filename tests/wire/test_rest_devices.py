"""Devices over the compatible REST API: lists and filters, one device, its attestation,
credentials and relationships (central.md 1.5, 6; checklist "REST")."""

import base64
import re
import threading
import urllib.parse

import pytest
from lib import certificates
from lib.caller import VERSION
from lib.dps import Registrant, assert_assigned, assert_refused, group_device
from lib.openapi import CheckedCaller, describe
from lib.server import unique_id
from lib.wait import until

SERVER_OPTIONS = ["--accepts-per-second=0", "--unauthenticated-per-address=100000",
                  "--register-burst=0"]


@pytest.fixture(scope="module")
def boss(server):
    return CheckedCaller(server, describe(server))


def put_device(boss, device=None, **members):
    device = device or unique_id("pump")
    answer = boss.rest("PUT", f"devices/{device}", members)
    assert answer.status == 200, answer
    return device


def get_device(boss, device):
    answer = boss.rest("GET", f"devices/{device}")
    assert answer.status == 200, answer
    return answer.body


# --- one device ----------------------------------------------------------------------------------


def test_a_device_is_made_read_changed_and_removed(boss):
    device = unique_id("pump")
    made = boss.rest("PUT", f"devices/{device}", {"displayName": "Pump", "template": "generic"})
    assert made.body == {"id": device, "etag": made.body["etag"], "displayName": "Pump",
                         "template": "generic", "enabled": True, "provisioned": False,
                         "simulated": False}
    assert get_device(boss, device) == made.body
    changed = boss.rest("PATCH", f"devices/{device}", {"displayName": "Pump 2"})
    assert changed.body == {**made.body, "displayName": "Pump 2", "etag": changed.body["etag"]}
    assert changed.body["etag"] != made.body["etag"]
    again = boss.rest("PUT", f"devices/{device}", {"displayName": "Pump 3"})
    assert (again.status, again.body["displayName"]) == (200, "Pump 3")
    assert boss.rest("DELETE", f"devices/{device}").status == 204
    assert boss.rest("GET", f"devices/{device}").status == 404
    assert boss.rest("PATCH", f"devices/{device}", {"displayName": "x"}).status == 404
    assert boss.rest("DELETE", f"devices/{device}").status == 404


@pytest.mark.parametrize("device, body", [
    ("upper-CASE", {}),
    ("with.dot", {}),
    ("d" * 129, {}),
    ("name-too-long", {"displayName": "n" * 149}),
    ("name-of-no-text", {"displayName": 7}),
    ("no-such-template", {"template": "dtmi:no:such;1"}),
    ("enabled-of-no-flag", {"enabled": "yes"}),
    ("organization-of-none", {"organizations": ["nobody"]}),
    ("organizations-two", {"organizations": ["a", "b"]}),
    ("organizations-no-list", {"organizations": "a"}),
])
def test_a_device_that_breaks_a_rule_is_refused(boss, device, body):
    answer = boss.rest("PUT", f"devices/{device}", body)
    assert (answer.status, answer.code) == (400, "InvalidBody")
    assert boss.rest("GET", f"devices/{device}").status == 404


def test_a_simulated_device_stays_one(boss):
    device = put_device(boss, simulated=True)
    assert get_device(boss, device)["provisioned"]
    assert boss.rest("PATCH", f"devices/{device}", {"simulated": False}).status == 400
    assert boss.rest("PUT", f"devices/{device}", {"simulated": True}).status == 200


def test_C112_a_stale_etag_changes_nothing(boss):
    device = put_device(boss, displayName="one")
    old = get_device(boss, device)["etag"]
    assert boss.rest("PATCH", f"devices/{device}", {"displayName": "two", "etag": old}).status == 200
    for method in ("PATCH", "PUT"):
        for etag in (old, '"IjA4MDUwMTJi"'):
            answer = boss.rest(method, f"devices/{device}", {"displayName": "three", "etag": etag})
            assert (answer.status, answer.code) == (412, "PreconditionFailed")
    assert get_device(boss, device)["displayName"] == "two"
    absent = boss.rest("PUT", f"devices/{unique_id('none')}", {"etag": "1"})
    assert absent.status == 412


def test_C113_null_removes(boss):
    device = put_device(boss, displayName="Pump", template="generic")
    changed = boss.rest("PATCH", f"devices/{device}", {"displayName": None, "template": None}).body
    assert "template" not in changed
    assert changed["displayName"] == device


def test_C001_a_device_that_is_added_is_registered(boss, server):
    device = put_device(boss)
    shown = get_device(boss, device)
    assert (shown["enabled"], shown["provisioned"]) == (True, False)
    assert server.device(device)["status"] == "registered"


def test_C118_enabled_blocks_unblocks_and_approves(boss, server):
    device = put_device(boss)
    assert boss.rest("PATCH", f"devices/{device}", {"enabled": False}).body["enabled"] is False
    assert server.device(device)["status"] == "blocked"
    assert boss.rest("PATCH", f"devices/{device}", {"enabled": True}).body["enabled"] is True
    assert server.device(device)["status"] == "registered"

    waiting = unique_id("waits")
    assert_refused(group_device(server, waiting).http_register().body)
    assert get_device(boss, waiting)["enabled"] is False
    boss.rest("PATCH", f"devices/{waiting}", {"enabled": False})
    assert server.device(waiting)["blocked"] and not server.device(waiting)["approved"]
    assert boss.rest("PATCH", f"devices/{waiting}", {"enabled": True}).body["enabled"] is True
    shown = server.device(waiting)
    assert shown["approved"] and not shown["blocked"]


def test_blocking_over_REST_ends_the_connection(boss, server):
    device = server.add_device()
    with device.connect() as client:
        assert boss.rest("PATCH", f"devices/{device.id}", {"enabled": False}).status == 200
        client.expect_closed()
    assert device.refused()
    assert boss.rest("PATCH", f"devices/{device.id}", {"enabled": True}).body["provisioned"]
    with device.connect():
        pass


# --- lists ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fleet(boss):
    """1,000 devices, by one file."""
    lines = "IOTC_DEVICEID,IOTC_DEVICENAME\n" + "".join(
        f"fleet-{i:04},Fleet {(i * 7919) % 1000:04}\n" for i in range(1000))
    path = boss.server.folder / "fleet.csv"
    path.write_text(lines)
    boss.server.cli("device", "import", path)
    return [f"fleet-{i:04}" for i in range(1000)]


FLEET = "indexof(displayName,'Fleet ') eq 0"


@pytest.mark.parametrize("query, size", [("", 25), ("&$top=100", 100), ("&maxpagesize=40", 40)])
def test_C109_every_device_once(boss, fleet, query, size):
    pages = list(boss.pages("devices", query))
    assert all(len(page) == size for page in pages[:-1])
    assert 0 < len(pages[-1]) <= size
    listed = [device["id"] for page in pages for device in page]
    assert len(listed) == len(set(listed))
    assert set(fleet) <= set(listed)


def test_C109_pages_are_stable_while_devices_come(boss, fleet):
    done = threading.Event()

    def add():
        while not done.is_set():
            put_device(boss, f"extra-{unique_id()}")

    adder = threading.Thread(target=add)
    adder.start()
    try:
        listed = [device["id"] for device in boss.filtered("devices", FLEET, "&$top=100")]
    finally:
        done.set()
        adder.join()
    assert listed == fleet


@pytest.mark.parametrize("order", ["displayName", "displayName%20asc", "displayName%20desc"])
def test_C111_in_order_of_the_name(boss, fleet, order):
    devices = boss.filtered("devices", FLEET, f"&$top=100&$orderby={order}")
    names = [device["displayName"] for device in devices]
    assert sorted(device["id"] for device in devices) == fleet
    assert names == sorted(names, reverse=order.endswith("desc"))
    answer = boss.rest("GET", "devices", query=VERSION + "&$orderby=id")
    assert (answer.status, answer.code) == (400, "InvalidParameter")


def test_names_that_are_alike_are_listed_once_each(boss):
    made = sorted(put_device(boss, displayName="Same / name") for _ in range(7))
    for order in ("displayName", "displayName%20desc"):
        found = boss.filtered("devices", "displayName eq 'Same / name'",
                              f"&$top=2&$orderby={order}")
        assert [d["id"] for d in found] == (made if order == "displayName" else made[::-1])


def test_C110_filters(boss, fleet):
    blocked = put_device(boss, displayName="It's a 'filter'", enabled=False)
    boxed = put_device(boss, displayName="Filter box", template="generic")
    simulated = put_device(boss, displayName="Filter twin", simulated=True)
    mine = f"(id eq '{blocked}' or id eq '{boxed}' or id eq '{simulated}')"
    for text, want in [
        ("displayName eq 'It''s a ''filter'''", {blocked}),
        ("displayName ne 'Filter box'", {blocked, simulated}),
        ("enabled eq false", {blocked}),
        ("enabled ne false and provisioned eq true", {simulated}),
        ("simulated eq true or template eq 'generic'", {simulated, boxed}),
        ("template eq null", {blocked, simulated}),
        ("template eq 'generic'", {boxed}),
        ("indexof(displayName,'Filter') ge 0", {boxed, simulated}),
        ("indexof(displayName,'twin') gt 0", {simulated}),
        ("contains(displayName,'box')", {boxed}),
        ("displayName lt 'Filter c'", {boxed}),
        ("displayName ge 'Filter c' and displayName le 'Filter u'", {simulated}),
        ("type eq 'GatewayDevice' or type eq 'EdgeDevice'", set()),
        ("scopes eq null", {blocked, boxed, simulated}),
    ]:
        found = {d["id"] for d in boss.filtered("devices", f"{mine} and ({text})")}
        assert found == want, text


@pytest.mark.parametrize("text, place", [
    ("displayName", "12"), ("nothing eq 'x'", "1"), ("enabled eq 'x'", "15"),
    ("displayName eq 'x' and", "23"), ("(displayName eq 'x'", "20"),
])
def test_C110_a_bad_filter_says_where(boss, text, place):
    answer = boss.rest("GET", "devices", query=VERSION + "&$filter=" + urllib.parse.quote(text))
    assert (answer.status, answer.code) == (400, "InvalidParameter")
    assert re.search(rf"\b{place}\b", answer.body["error"]["message"]), answer


def test_a_link_says_again_all_that_was_asked(boss, fleet):
    query = "&maxpagesize=10&filter=" + urllib.parse.quote(FLEET) + "&orderby=displayName"
    first = boss.rest("GET", "devices", query=VERSION + query).body
    link = urllib.parse.urlsplit(first["nextLink"])
    asked = urllib.parse.parse_qs(link.query)
    assert link.netloc == f"localhost:{boss.server.info['httpsPort']}"
    assert asked["api-version"] == ["2022-07-31"]
    assert asked["filter"] == [FLEET] and asked["orderby"] == ["displayName"]
    assert asked["maxpagesize"] == ["10"]
    assert "nextLink" not in boss.rest("GET", "devices", query=VERSION + "&$filter=id%20eq%20'none'"
                                       ).body


def test_a_page_that_ends_the_list_has_no_link(boss):
    made = [put_device(boss, displayName="End of list") for _ in range(4)]
    pages = list(boss.pages("devices", "&$top=2&$filter=displayName%20eq%20'End%20of%20list'"))
    assert [[d["id"] for d in page] for page in pages] == [made[:2], made[2:]]


# --- attestation, credentials --------------------------------------------------------------------


def new_key():
    return base64.b64encode(unique_id("key").ljust(32, "k").encode()).decode()


def test_C115_credentials_of_a_device_that_never_connected(boss, server):
    device = put_device(boss)
    credentials = boss.rest("GET", f"devices/{device}/credentials").body
    assert credentials["idScope"] == server.scope
    assert set(credentials["symmetricKey"]) == {"primaryKey", "secondaryKey"}
    boss.rest("PATCH", f"devices/{device}", {"template": "generic"})
    key = credentials["symmetricKey"]["primaryKey"]
    assert_assigned(Registrant(server, device, key).register())


def test_an_attestation_with_keys(boss, server):
    device, keys = put_device(boss), {"primaryKey": new_key(), "secondaryKey": new_key()}
    path = f"devices/{device}/attestation"
    assert boss.rest("GET", path).status == 404
    body = {"type": "symmetricKey", "symmetricKey": keys}
    assert boss.rest("PUT", path, body).body == body
    assert boss.rest("GET", path).body == body
    assert boss.rest("GET", f"devices/{device}/credentials").body["symmetricKey"] == keys
    assert_assigned(Registrant(server, device, keys["primaryKey"]).register())
    other = new_key()
    patched = boss.rest("PATCH", path, {"symmetricKey": {"secondaryKey": other}})
    assert patched.body["symmetricKey"] == {**keys, "secondaryKey": other}
    assert boss.rest("DELETE", path).status == 204
    assert boss.rest("GET", path).status == 404
    assert boss.rest("DELETE", path).status == 404


def test_an_attestation_whose_keys_are_made(boss):
    path = f"devices/{put_device(boss)}/attestation"
    made = boss.rest("PUT", path, {"type": "symmetricKey"}).body
    assert len(base64.b64decode(made["symmetricKey"]["primaryKey"])) == 64
    assert boss.rest("GET", path).body == made


@pytest.mark.parametrize("body", [
    {}, {"type": "tpm"}, {"type": "x509"}, {"type": "symmetricKey", "symmetricKey": {
        "primaryKey": "short"}}, {"type": 7},
    {"type": "x509", "x509": {"clientCertificates": {"primary": {"certificate": "none"}}}},
])
def test_an_attestation_that_is_none_is_refused(boss, body):
    path = f"devices/{put_device(boss)}/attestation"
    assert boss.rest("PUT", path, body).status == 400
    assert boss.rest("GET", path).status == 404
    assert boss.rest("PUT", f"devices/{unique_id('none')}/attestation", body).status == 404


def test_an_attestation_by_certificate_takes_the_place_of_keys(boss):
    device = put_device(boss)
    path = f"devices/{device}/attestation"
    assert boss.rest("PUT", path, {"type": "symmetricKey"}).status == 200
    leaf = certificates.self_signed(boss.server.folder, device)
    text = leaf.certificate.read_text().replace("\n", "\\n")
    put = boss.rest("PUT", path, {"type": "x509", "x509": {
        "clientCertificates": {"primary": {"certificate": text}}}})
    assert put.status == 200, put
    assert put.body["x509"]["clientCertificates"] == {"primary": {}}
    assert "symmetricKey" not in boss.rest("GET", f"devices/{device}/credentials").body


# --- relationships -------------------------------------------------------------------------------


def test_relationships_of_a_gateway(boss):
    gateway, sensors = put_device(boss), [put_device(boss) for _ in range(3)]
    path = f"devices/{gateway}/relationships"
    for number, sensor in enumerate(sensors):
        made = boss.rest("PUT", f"{path}/port-{number}", {"source": gateway, "target": sensor})
        assert made.body == {"id": f"port-{number}", "source": gateway, "target": sensor}
    assert [r["target"] for r in boss.all(path, "&$top=2")] == sensors
    assert boss.rest("GET", f"{path}/port-1").body["target"] == sensors[1]
    changed = boss.rest("PATCH", f"{path}/port-1", {"target": sensors[0]})
    assert changed.body["target"] == sensors[0]
    assert boss.rest("DELETE", f"{path}/port-1").status == 204
    assert boss.rest("DELETE", f"{path}/port-1").status == 404
    assert boss.rest("GET", f"{path}/port-1").status == 404
    assert boss.rest("DELETE", f"devices/{sensors[2]}").status == 204
    assert [r["id"] for r in boss.all(path)] == ["port-0"]
    assert boss.rest("DELETE", f"devices/{gateway}").status == 204
    assert boss.rest("GET", path).status == 404


@pytest.mark.parametrize("body", [{}, {"target": "nobody"}, {"target": 7},
                                  {"source": "other", "target": "nobody"}])
def test_a_relationship_to_nothing_is_refused(boss, body):
    gateway = put_device(boss)
    assert boss.rest("PUT", f"devices/{gateway}/relationships/r", body).status == 400
    itself = boss.rest("PUT", f"devices/{gateway}/relationships/r", {"target": gateway})
    assert itself.status == 400
    assert boss.all(f"devices/{gateway}/relationships") == []


def test_C037_a_registration_says_which_gateway_it_is_behind(boss, server):
    first, second, child = put_device(boss), put_device(boss), unique_id("child")

    def say(gateway):
        payload = {"iotcGateway": {"iotcGatewayId": gateway}, "modelId": "dtmi:no:model;1"}
        assert_refused(group_device(server, child).register({"payload": payload}).body)

    def children(gateway, want):
        until(lambda: boss.all(f"devices/{gateway}/relationships") == want)

    say(first)
    children(first, [{"id": child, "source": first, "target": child}])
    say(second)
    children(second, [{"id": child, "source": second, "target": child}])
    children(first, [])
    say("nobody")
    server.log.wait_for(lambda line: "gateway_unknown" in line and child in line)
    children(second, [{"id": child, "source": second, "target": child}])


# --- paths that are documented nowhere -----------------------------------------------------------


def test_twin_and_purge_as_the_fields_command_line_calls_them(boss, server):
    device = server.add_device()
    twin = boss.rest("GET", f"system/iothub/devices/{device.id}/get-twin",
                     query=VERSION + "&extendedInfo=true")
    assert twin.body["deviceId"] == device.id and "desired" in twin.body["properties"]
    server.send_c2d(device.id, "one")
    server.send_c2d(device.id, "two")
    purged = boss.rest("DELETE", f"system/iothub/devices/{device.id}/c2d")
    assert purged.body == {"deviceId": device.id, "totalMessagesPurged": 2}
    tokens = boss.rest("POST", "system/iothubs/generateEventSasTokens", {})
    assert (tokens.status, tokens.code) == (501, "NotImplemented")
