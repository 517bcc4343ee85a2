"""`If-None-Match: *`: what is to be made is made only if it is not there; and so do the `add` verbs
of the command line (central.md 6.1)."""

import base64
import json
import os

import pytest
from lib.caller import OPERATOR, Caller
from lib.server import unique_id

SERVER_OPTIONS = ["--accepts-per-second=0", "--unauthenticated-per-address=1000"]

TEMPLATE = {"@type": ["ModelDefinition", "DeviceModel"], "displayName": "Pump", "capabilityModel": {
    "@context": ["dtmi:iotcentral:context;2", "dtmi:dtdl:context;2"],
    "@id": "dtmi:new:pump;1", "@type": "Interface", "contents": []}}


@pytest.fixture(scope="module")
def boss(server):
    return Caller(server)


@pytest.fixture(scope="module")
def parts(server, boss):
    """What others name: a device, another, a group of devices."""
    one, two, group = unique_id("part"), unique_id("part"), unique_id("group")
    for device in (one, two):
        server.cli("device", "add", device)
    server.cli("device-group", "add", group, "--filter", 'SELECT * FROM devices WHERE $id = "x"')
    return {"one": one, "two": two, "group": group}


def keys():
    primary, secondary = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    return {"type": "symmetricKey",
            "symmetricKey": {"primaryKey": primary, "secondaryKey": secondary}}


BODIES = {
    "devices/{new}": lambda parts: {"displayName": "d"},
    "users/{new}": lambda parts: {"type": "email", "email": f"{unique_id('u')}@example.org",
                                  "roles": [{"role": OPERATOR}]},
    "organizations/{new}": lambda parts: {"displayName": "o"},
    "deviceGroups/{new}": lambda parts: {"displayName": "g", "filter": "SELECT * FROM devices"},
    "deviceTemplates/{new}": lambda parts: TEMPLATE,
    "apiTokens/{new}": lambda parts: {"roles": [{"role": OPERATOR}]},
    "enrollmentGroups/{new}": lambda parts: {"displayName": "g", "type": "iot",
                                             "attestation": keys()},
    "devices/{one}/relationships/{new}": lambda parts: {"target": parts["two"]},
    "devices/{two}/attestation": lambda parts: keys(),
    "jobs/{new}": lambda parts: {"displayName": "j", "group": parts["group"], "data": [
        {"type": "deviceTemplateMigration", "template": "generic"}]},
}


@pytest.mark.parametrize("path", BODIES)
def test_what_is_there_is_not_put_again(boss, parts, path):
    address = path.format(new=unique_id("new"), **parts)
    made = boss.rest("PUT", address, BODIES[path](parts), headers={"If-None-Match": "*"})
    assert made.status == 200, made
    shown = boss.rest("GET", address)
    again = boss.rest("PUT", address, BODIES[path](parts), headers={"If-None-Match": "*"})
    assert (again.status, again.code) == (412, "PreconditionFailed"), again
    if not path.startswith("jobs"):  # it goes on
        assert boss.rest("GET", address).body == shown.body


def test_roles_and_drafts_of_our_own_likewise(boss):
    for path, body in [(f"roles/{unique_id('role')}", {"permissions": ["jobs.view"]}),
                       (f"templates/{unique_id('t')}/draft", TEMPLATE)]:
        for status in (200, 412):
            answer = boss.own("PUT", path, body, headers={"If-None-Match": "*"})
            assert answer.status == status, answer


def test_the_properties_of_a_device_are_always_there(boss, parts):
    answer = boss.rest("PUT", f"devices/{parts['one']}/properties", {},
                       headers={"If-None-Match": "*"})
    assert answer.status == 412


def test_the_add_verbs_change_nothing_that_is_there(server, boss, tmp_path):
    name = unique_id("thing")
    file = tmp_path / "t.json"
    file.write_text(json.dumps(TEMPLATE))
    for verb, words in [
            ("set", ["user", "add", name, "--email", f"{name}@example.org", "--role", "operator"]),
            ("set", ["role", "add", name, "jobs.view"]),
            ("set", ["organization", "add", name]),
            ("set", ["template", "add", file, "--id", name]),
            ("set", ["template", "add", file, "--id", f"{name}-draft", "--draft"]),
            ("update", ["device-group", "add", name, "--filter", "SELECT * FROM devices"])]:
        server.cli(*words)
        again = server.cli(*words, check=False)
        assert again.returncode == 1, words
        assert f"exists already, use '{verb}'" in again.stderr, again.stderr


def test_set_changes_a_template_that_is_there(server, tmp_path):
    name = unique_id("thing")
    file = tmp_path / "t.json"
    file.write_text(json.dumps(TEMPLATE))
    assert server.cli("template", "set", file, "--id", name, check=False).returncode == 1
    server.cli("template", "add", file, "--id", name)
    file.write_text(json.dumps({**TEMPLATE, "displayName": "Other"}))
    assert "Other" in server.cli("template", "set", file, "--id", name).stdout
