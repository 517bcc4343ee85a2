"""An application moved from elsewhere: central.md checklist, "Administration", 128.

The other side is a second Muster: it speaks the API of section 6, as IoT Central does."""

import base64
import http.server
import json
import os
import ssl
import threading

import pytest
from lib import certificates, dps
from lib.caller import Caller

MODEL = "dtmi:com:example:Pump;1"
TEMPLATE = {
    "@id": MODEL, "@type": ["ModelDefinition", "DeviceModel"], "displayName": "Pump",
    "capabilityModel": {
        "@id": "dtmi:com:example:PumpModel;1", "@type": "Interface", "displayName": "Pump",
        "@context": ["dtmi:iotcentral:context;2", "dtmi:dtdl:context;2"],
        "contents": [{"@type": "Telemetry", "name": "pressure", "schema": "double"}]},
}


def random_key():
    return base64.b64encode(os.urandom(32)).decode()


def put(server, path, body):
    answer = Caller(server).rest("PUT", path, body)
    assert answer.status == 200, (path, answer)
    return answer.body


def get(server, path):
    answer = Caller(server).rest("GET", path)
    assert answer.status == 200, (path, answer)
    return answer.body


@pytest.fixture
def old(new_server):
    """An application with one of everything, and a child listed before its parent."""
    server = new_server()
    put(server, "organizations/zeta", {"displayName": "Zeta"})
    put(server, "organizations/alpha", {"displayName": "Alpha", "parent": "zeta"})
    put(server, f"deviceTemplates/{MODEL}", TEMPLATE)
    put(server, "enrollmentGroups/line-1", {
        "displayName": "Line 1", "type": "iot", "enabled": True,
        "attestation": {"type": "symmetricKey", "symmetricKey": {
            "primaryKey": random_key(), "secondaryKey": random_key()}}})
    put(server, "enrollmentGroups/plant", {
        "displayName": "Plant", "type": "iot", "attestation": {"type": "x509"}})
    for number in range(60):
        put(server, f"devices/pump-{number:02}", {
            "displayName": f"Pump {number}", "template": MODEL, "organizations": ["alpha"]})
    put(server, "devices/own", {"displayName": "Own keys", "enabled": False})
    put(server, "devices/own/attestation", {"type": "symmetricKey", "symmetricKey": {
        "primaryKey": random_key(), "secondaryKey": random_key()}})
    put(server, "deviceGroups/pumps", {
        "displayName": "Pumps", "filter": f'SELECT * FROM devices WHERE $template = "{MODEL}"'})
    return server


def migrate(old, new, *options, check=True):
    token = new.folder / "old-token"
    token.write_text((old.data / "api-token").read_text())
    return new.cli("migrate", "--from", old.info["httpsUrl"], "--from-ca", old.ca_file,
                   "--token-file", token, *options, "--json", check=check)


def test_C128_an_application_moves_with_all_it_has(old, new_server):
    new = new_server()
    told = json.loads(migrate(old, new, "--dry-run").stdout)
    assert get(new, "devices")["value"] == []
    assert (told["devices"]["copied"], told["organizations"]["copied"]) == (61, 2)

    for _ in range(2):  # a second time changes nothing, and is no failure
        done = migrate(old, new)
        told = json.loads(done.stdout)
        assert told["devices"] == {"copied": 61, "failed": 0}
        assert told["deviceGroups"] == {"copied": 1, "failed": 0}
    assert get(new, "organizations/alpha")["parent"] == "zeta"
    assert get(new, f"deviceTemplates/{MODEL}")["displayName"] == "Pump"
    pump, there = get(new, "devices/pump-59"), get(old, "devices/pump-59")
    for member in ["displayName", "template", "organizations", "enabled"]:
        assert pump[member] == there[member]
    assert get(new, "devices/own")["enabled"] is False
    for path in ["devices/own/attestation", "enrollmentGroups/line-1"]:
        here, there = get(new, path), get(old, path)
        assert here.get("attestation", here)["symmetricKey"] == (
            there.get("attestation", there)["symmetricKey"])
    assert get(new, "deviceGroups/pumps")["filter"] == get(old, "deviceGroups/pumps")["filter"]


def test_C128_a_device_of_the_old_group_comes_in_with_its_key(old, new_server):
    new = new_server()
    new.cli("settings", "set", "requireTemplate", "never")
    migrate(old, new)
    key = get(old, "enrollmentGroups/line-1")["attestation"]["symmetricKey"]["primaryKey"]
    answer = dps.group_device(new, "pump-07", key).register()
    dps.assert_assigned(answer)


def test_C128_what_is_not_shown_is_told(old, new_server):
    authority = certificates.Authority(old.folder, "Plant")
    put(old, "enrollmentGroups/plant/certificates/primary",
        {"certificate": authority.certificate.read_text(), "verified": True})
    new = new_server()
    done = migrate(old, new)
    certificate = "certificate" in get(old, "enrollmentGroups/plant/certificates/primary")
    assert certificate or "ca add" in done.stderr


def test_what_cannot_be_copied_is_told_and_the_rest_goes_on(old, new_server):
    new = new_server()
    new.cli("settings", "set", "deviceIdCase", "lower")
    old.cli("settings", "set", "deviceIdCase", "any")
    put(old, "devices/Loud", {"displayName": "Loud"})
    done = migrate(old, new, check=False)
    assert done.returncode == 1
    assert "devices/Loud" in done.stderr
    assert json.loads(done.stdout)["devices"] == {"copied": 61, "failed": 1}


def test_a_few_connections_are_enough(new_server):
    limits = ["--accepts-per-second=1", "--accepts-burst=5"]
    old, new = new_server(), new_server(*limits)
    old.cli("device", "add", *[f"pump-{n:03}" for n in range(150)])
    old.stop()
    old.options += limits
    old.start()
    told = json.loads(migrate(old, new).stdout)
    assert told["devices"] == {"copied": 150, "failed": 0}


def test_without_a_good_token_nothing_is_copied(old, new_server):
    new = new_server()
    token = new.folder / "bad-token"
    token.write_text("SharedAccessSignature sr=x&sig=mst_00&skn=x&se=99999999999999\n")
    done = new.cli("migrate", "--from", old.info["httpsUrl"], "--from-ca", old.ca_file,
                   "--token-file", token, check=False)
    assert done.returncode == 1 and "401" in done.stderr
    assert done.stdout == ""  # no table of what was not even looked at


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """An application of another make: it shows what `answers` has below a path, else a 404."""

    def do_GET(self):
        body = self.server.answers.get(self.path.partition("?")[0])
        text = json.dumps(body or {}).encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture
def elsewhere(tmp_path):
    """(its answers, its URL, the file of its authority)"""
    authority = certificates.Authority(tmp_path, "Elsewhere")
    leaf = authority.leaf("elsewhere", extensions=["subjectAltName=DNS:localhost"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*leaf)
    server = http.server.ThreadingHTTPServer(("localhost", 0), Elsewhere)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.answers = {f"/api/{kind}": {"value": []} for kind in (
        "organizations", "deviceTemplates", "enrollmentGroups", "devices", "deviceGroups")}
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.answers, f"https://localhost:{server.server_port}", authority.certificate
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_authority_that_was_not_verified_there_is_not_here(elsewhere, new_server, tmp_path):
    answers, url, ca = elsewhere
    answers["/api/enrollmentGroups"] = {"value": [
        {"id": "plant", "displayName": "Plant", "type": "iot", "attestation": {"type": "x509"}}]}
    for slot, shown in (("primary", {"verified": False}), ("secondary", {"verified": True})):
        pem = certificates.Authority(tmp_path, slot).certificate.read_text()
        answers[f"/api/enrollmentGroups/plant/certificates/{slot}"] = {"certificate": pem, **shown}
    new = new_server()
    token = tmp_path / "token"
    token.write_text("SharedAccessSignature sr=x&sig=x&skn=x&se=1\n")
    done = new.cli("migrate", "--from", url, "--from-ca", ca, "--token-file", token, "--json")
    group = "enrollmentGroups/plant/certificates"
    assert get(new, f"{group}/primary")["verified"] is False
    assert get(new, f"{group}/secondary")["verified"] is True
    assert "primary" in done.stderr and "secondary" not in done.stderr
