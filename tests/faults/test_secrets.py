"""Canaries: keys and tokens with a known face, looked for wherever they must not be
(SECURITY-MODEL K, L): in what the server writes to its log, to its disk, and to strangers."""

import base64
import json
import os
import re
import stat
from urllib.parse import quote, unquote

import pytest
from lib import dps, process, sas, twin
from lib.server import HubDevice, HubModule, MusterServer

# The server's own: they are secrets in the clear, and the files are there for that.
KEPT_IN_THE_CLEAR = {"api-token", "master.key", "tls/ca.key", "tls/server-p256.key",
                     "tls/server-rsa.key"}

# Handed to every device anyway.
PUBLIC_CERTIFICATES = {"ca.pem", "server-p256.pem", "server-rsa.pem"}


def canary(word):
    """A key of 32 bytes that nobody else would make."""
    return base64.b64encode(f"canary of {word:<22}".encode()).decode()


def forms(key):
    """How a key could leak: base64, the same in a URL, hexadecimal, raw."""
    raw = base64.b64decode(key)
    return {key.encode(), quote(key, safe="").encode(), key.rstrip("=").encode(),
            base64.urlsafe_b64encode(raw).rstrip(b"="), raw.hex().encode(),
            raw.hex().upper().encode(), raw}


def signature_forms(token):
    signature = re.search(r"sig=([^&]*)", token).group(1)
    return {signature.encode(), unquote(signature).encode(), signature.lower().encode()}


class Canaries:
    """name -> byte strings of which none may appear."""

    def __init__(self):
        self.forms = {}
        self.answers = []  # bodies of refusals

    def key(self, name, key=None):
        key = key or canary(name)
        self.forms[f"key of {name}"] = forms(key)
        return key

    def token(self, name, token):
        self.forms[f"token of {name}"] = signature_forms(token)
        return token

    def assert_silent(self, where, data):
        for name, forms_of_it in self.forms.items():
            for form in forms_of_it:
                assert form not in data, f"{where} has the {name}: {form!r}"


def enroll(server, canaries):
    group = [canaries.key("group, primary"), canaries.key("group, secondary")]
    own = [canaries.key("individual, primary"), canaries.key("individual, second")]
    server.cli("enrollment", "add", "pumps", "--primary-key", group[0], "--secondary-key", group[1])
    server.cli("enrollment", "add", "pump-0", "--individual", "--primary-key", own[0],
               "--secondary-key", own[1])
    server.cli("settings", "set", "autoApprove", "true")
    server.cli("settings", "set", "requireTemplate", "never")
    return group, own


def provision(server, canaries, registration_id, key):
    registrant = dps.Registrant(server, registration_id, key)
    token = canaries.token(registration_id, registrant.token())
    answer = registrant.http_register(token=token)
    assert answer.body["status"] == "assigned", answer
    assert registrant.register_by_mqtt().body["status"] == "assigned"
    return HubDevice(server, answer.body["registrationState"]["deviceId"], key)


def live(canaries, device):
    """Connects, talks, comes again with a token that the ledger of canaries knows."""
    password = canaries.token(f"{device.id}, hub", device.token())
    with device.connect(password=password) as client:
        client.publish(device.events("a=b"), b"{}")
        client.subscribe(twin.RESPONSES, twin.METHODS)
        twin.report(client, {"value": 1})
        twin.get(client)
        client.disconnect()


def fail_in_every_way(server, canaries, device):
    """Each with secrets in hand that must not come back."""
    wrong = canaries.key("stranger")
    stranger = dps.Registrant(server, device.id, wrong)
    bad = canaries.token("stranger, DPS", stranger.token())
    canaries.answers += [stranger.http_register(token=bad).body,
                         stranger.http_register(token=bad + "&").body,
                         stranger.http_register(token=bad.replace("sig=", "sgi=")).body]
    stranger.attempt(password=bad)[0].socket.close()
    forged = canaries.token("stranger, hub", device.token(key=wrong))
    late = canaries.token("late, hub", device.token(expires_in=-4000))
    for password in (forged, late, forged[:-5], forged.replace("se=", "es="), wrong, device.key):
        assert device.refused(password=password)
    # Put where an ID belongs, by a device that was set up in the wrong order.
    client, _ = device.attempt(client_id=device.id, username=device.username(f"?key={wrong}"))
    client.socket.close()
    call_the_api_wrongly(server, canaries)


def call_the_api_wrongly(server, canaries):
    forged = canaries.token("stranger, API", sas.token("muster", canary("stranger"), "cli"))
    for authorization in (forged, forged[:-4], "Bearer " + canary("stranger"), ""):
        status, text = server.get("/api/muster/v1/devices", authorization=authorization)
        assert status == 401
        canaries.answers.append(text)
    for path, body in [("enrollmentGroups/broken", {"attestation": "symmetricKey",
                                                    "primaryKey": canary("stranger")}),
                       ("enrollmentGroups/broken", {"primaryKey": canary("stranger") + "!"}),
                       ("devices/pump-0", {"primaryKey": canary("stranger")})]:
        status, answer = server.api("PUT", path, body)
        if status >= 400:
            canaries.answers.append(answer)


def administer(server, canaries):
    """What the audit log is told of; it lists itself before the server stops."""
    token = canaries.token("integration", server.cli(
        "token", "api", "create", "integration", "--role", "operator").stdout)
    assert server.get("/api/muster/v1/devices", authorization=token.strip())[0] == 200
    assert server.get("/api/muster/v1/settings", authorization=token.strip())[0] == 403
    server.cli("device", "credentials", "pump-1")
    server.api("POST", "enrollmentGroups/pumps/regenerateKey", {"slot": "secondary"})
    canaries.key("group, secondary, second", server.group_key("pumps", secondary=True))
    server.cli("token", "api", "revoke", "integration")
    canaries.audit = server.get("/api/muster/v1/audit?top=1000")[1]
    canaries.answers.append(server.cli("audit", "--count", "1000").stdout)


@pytest.fixture(scope="module")
def story():
    """A whole little life at log level debug; the server is stopped, so that all is written."""
    server, canaries = MusterServer("--log-level=debug"), Canaries()
    try:
        server.start()
        group, own = enroll(server, canaries)
        derived = canaries.key("pump-1", sas.derive_key(group[0], "pump-1"))
        devices = [provision(server, canaries, "pump-0", own[0]),
                   provision(server, canaries, "pump-1", derived)]
        devices.append(server.add_device("pump-2"))
        canaries.key("pump-2", devices[2].key)
        module = HubModule(devices[2], "m1")
        canaries.key("module", module.key)
        canaries.key("policy", server.policy_key("iothubowner"))
        canaries.key("default group", server.group_key())
        canaries.token("operator", (server.data / "api-token").read_text())
        for device in [*devices, module]:
            live(canaries, device)
        fail_in_every_way(server, canaries, devices[0])
        administer(server, canaries)
        user = process.user_ids(server)
        modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in files_of(server)}
        server.stop()
        yield server, canaries, user, modes
    finally:
        server.close()


def files_of(server):
    return [path for path in server.data.rglob("*") if path.is_file()]


def test_the_log_has_no_key_and_no_signature(story):
    server, canaries, _, _ = story
    text = "\n".join(server.log.lines)
    assert "connect_refused" in text, "the errors are not in this log"
    canaries.assert_silent("the log", text.encode())


def test_no_file_has_a_key_in_the_clear(story):
    server, canaries, _, _ = story
    looked_at = 0
    for path in files_of(server):
        if str(path.relative_to(server.data)) not in KEPT_IN_THE_CLEAR:
            canaries.assert_silent(path.name, path.read_bytes())
            looked_at += 1
    assert looked_at >= 4


def test_no_refusal_tells_a_secret(story):
    _, canaries, _, _ = story
    assert len(canaries.answers) > 6
    for answer in canaries.answers:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        canaries.assert_silent("a refusal", text.encode())


def test_C120_the_audit_has_no_secret(story):
    _, canaries, _, _ = story
    entries = [row["entry"] for row in json.loads(canaries.audit)["value"]]
    told = {entry["action"] for entry in entries}
    assert {"apiTokens.create", "apiTokens.delete", "devices.credentials.read",
            "enrollmentGroups.put", "enrollmentGroups.regenerateKey"} <= told
    assert "denied" in {entry["result"] for entry in entries}
    canaries.assert_silent("the audit log", canaries.audit.encode())
    assert "mst_" not in canaries.audit


def test_a_canary_would_be_found(story):
    """The search itself: the operator's token is where it belongs."""
    server, canaries, _, _ = story
    with pytest.raises(AssertionError, match="token of operator"):
        canaries.assert_silent("api-token", (server.data / "api-token").read_bytes())


def test_the_data_folder_is_for_its_owner_alone(story):
    server, _, _, modes = story
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.data / "tls").stat().st_mode) == 0o700
    public = {server.data / "tls" / name for name in PUBLIC_CERTIFICATES}
    wrong = {str(path): oct(mode) for path, mode in modes.items()
             if mode & (0o133 if path in public else 0o177)}
    assert not wrong
    assert server.data / "api-token" in modes


@pytest.mark.skipif(os.geteuid() != 0, reason="the tests were not started by root")
def test_started_by_root_it_runs_as_somebody_else(story):
    server, _, user_ids, _ = story
    assert 0 not in user_ids
    assert {path.lstat().st_uid for path in files_of(server)} == {user_ids[0]}
