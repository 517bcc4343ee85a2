"""How an operator handles certificates: the REST API and the command line of authorities, denied
certificates, enrollments and devices by certificate, explanations and attempts."""

import base64
import json
import subprocess

import pytest
from lib import certificates
from lib.certificates import Authority, openssl
from lib.dps import CertificateRegistrant, assert_assigned, assert_refused, group_device
from lib.groups import CertificateGroup, Factory, problem
from lib.server import MUSTER, unique_id

SERVER_OPTIONS = ["--accepts-per-second=0"]


@pytest.fixture(scope="module")
def root(server):
    return Authority(server.folder, unique_id("root"))


@pytest.fixture(scope="module")
def factory(server):
    return Factory(server)


@pytest.fixture
def group(server):
    """Emptied afterwards: one certificate is never in two groups."""
    made = CertificateGroup(server)
    yield made
    for slot, held in made.slots().items():
        if held:
            made.remove(slot)


def refused(done, code=1):
    """The one line that tells why."""
    told = f"{done.args}: {done.returncode}\n{done.stderr}"
    assert done.returncode == code, told
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("muster "), told
    return done.stderr


def path(group, slot="primary", behind=""):
    return f"enrollmentGroups/{group.id}/certificates/{slot}{behind}"


def as_der(certificate, kind="x509"):
    file = certificate.with_suffix(".der")
    openssl(kind, "-in", certificate, "-outform", "DER", "-out", file)
    return file


def as_base64(file):
    return base64.b64encode(file.read_bytes()).decode()


# --- slots ---------------------------------------------------------------------------------------


def test_a_new_group_has_two_empty_slots(server, group):
    assert group.slots() == {"primary": None, "secondary": None}
    shown = server.cli("ca", "show", group.id).stdout
    assert shown == "primary: empty\nsecondary: empty\n"


def test_a_slot_says_what_its_certificate_says(server, group, root):
    group.add(root.certificate)
    slot = group.slot()
    assert slot["subject"] == slot["issuer"] == f"CN={root.folder.name}"
    assert (slot["slot"], slot["state"], slot["key"]) == ("primary", "unverified", "EC P-256")
    assert slot["notBefore"] < slot["notAfter"] and "SHA256" in slot["signature"].upper()
    assert (slot["crl"], slot["ocsp"], slot["warning"] is None) == (None, None, False)
    shown = server.cli("ca", "show", group.id).stdout
    assert shown.startswith("primary: unverified\n") and shown.endswith("secondary: empty\n")
    for name in ("subject", "serial", "sha1Thumbprint", "sha256Thumbprint", "notAfter"):
        assert f"{name} " in shown and slot[name] in shown


def test_the_command_line_goes_through_the_states(server, group, root):
    assert group.add(root.certificate).stdout.startswith("primary: unverified\n")
    code = server.cli("ca", "code", group.id, "--slot", "primary").stdout
    assert len(code) == 49 and code.isupper() and code.endswith("\n")
    slot = server.cli_json("ca", "show", group.id)["primary"]
    assert (slot["state"], slot["verificationCode"]) == ("codeIssued", code.strip())
    assert slot["verificationCodeAt"]
    proof = root.leaf(code.strip(), name=unique_id("proof")).certificate
    assert group.verify(as_der(proof)).stdout.startswith("primary: ")
    slot = group.slot()
    assert (slot["verified"], slot["selfAttested"]) == (True, False)
    assert slot["verificationCode"] is None
    assert server.cli("ca", "remove", group.id, "--slot", "primary").stdout == ""
    assert group.slot() is None


def test_verified_on_upload_is_said_in_so_many_words(server, group, root):
    slot = json.loads(group.add(root.certificate, "--verified", "--json").stdout)
    assert (slot["verified"], slot["selfAttested"]) == (True, True)
    assert slot["verifiedBy"] and slot["verifiedAt"]


def test_replacing_loses_code_list_and_responder(server, group):
    first, second = (Authority(server.folder, unique_id("root")) for _ in range(2))
    group.trust(first)
    group.revoke(first)
    server.cli("ca", "ocsp", group.id, "--slot", "primary", "--url", "http://127.0.0.1:1/")
    group.code()
    held = group.slot()
    assert held["crl"] and held["ocsp"] and held["verificationCode"]
    assert "say replace" in refused(group.add(second.certificate, check=False))
    assert group.slot() == held
    shown = group.add(second.certificate, "--replace").stdout
    assert f"in place of         {held['subject']}\n" in shown
    held = group.slot()
    assert (held["crl"], held["ocsp"], held["verificationCode"]) == (None, None, None)
    assert held["state"] == "unverified"


def test_the_same_certificate_again_keeps_what_was_verified(server, group, root):
    group.trust(root)
    group.add(root.certificate)
    assert group.slot()["verified"] is True


# --- what is not there, and what changed meanwhile -----------------------------------------------

ON_A_SLOT = [
    ("PUT", "", {"certificate": "x"}),
    ("POST", "/generateVerificationCode", None),
    ("POST", "/verify", {"certificate": "x"}),
    ("DELETE", "", None),
    ("PUT", "/ocsp", {"url": ""}),
    ("DELETE", "/crl", None),
]


@pytest.mark.parametrize(("method", "behind", "body"), ON_A_SLOT, ids=str)
def test_no_such_group_and_no_such_slot_are_404(server, group, method, behind, body):
    for where in ("enrollmentGroups/nobody/certificates/primary",
                  "enrollmentGroups/SAS-IoT-Devices/certificates/primary",
                  path(group, "third")):
        status, answer = server.api(method, where + behind, body)
        assert (status, answer["error"]["code"]) == (404, "NotFound"), where


@pytest.mark.parametrize(("method", "behind", "body"), ON_A_SLOT[1:], ids=str)
def test_an_empty_slot_is_404(server, group, method, behind, body):
    status, answer = server.api(method, path(group) + behind, body)
    assert (status, answer["error"]["message"]) == (404, "the slot is empty")


def test_slots_of_no_certificate_group_are_404(server):
    for name in ("nobody", "SAS-IoT-Devices"):
        assert server.api("GET", f"enrollmentGroups/{name}/certificates")[0] == 404
        assert "(HTTP 404)" in refused(server.cli("ca", "show", name, check=False))


def test_a_stale_etag_is_412_and_changes_nothing(server, group, root):
    group.add(root.certificate)
    stale = group.slot()["etag"]
    group.code()
    before = group.slots()
    assert before["primary"]["etag"] != stale
    pem = root.certificate.read_text()
    for method, behind, body in [
            ("PUT", "", {"certificate": pem, "verified": True, "etag": stale}),
            ("POST", "/verify", {"certificate": pem, "etag": stale}),
            ("PUT", "/ocsp", {"url": "http://127.0.0.1/", "etag": stale})]:
        status, answer = server.api(method, path(group) + behind, body)
        assert (status, answer["error"]["code"]) == (412, "PreconditionFailed")
    for method, behind in (("DELETE", ""), ("POST", "/generateVerificationCode")):
        assert with_etag(server, method, path(group) + behind, stale) == 412
        assert with_etag(server, method, path(group) + behind, "no number") == 400
    assert group.slots() == before
    assert with_etag(server, "DELETE", path(group), before["primary"]["etag"]) == 204


def with_etag(server, method, where, etag):
    """The status of a call without a body that says which version it means."""
    done = subprocess.run(
        ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", server.ca_file,
         "-X", method, "-H", f'If-Match: "{etag}"', "-H",
         "Authorization: " + (server.data / "api-token").read_text().strip(),
         f"{server.info['httpsUrl']}/api/muster/v1/{where}"],
        check=True, capture_output=True, text=True)
    return int(done.stdout)


# --- refusals on the command line ----------------------------------------------------------------


def write(server, content):
    file = server.folder / unique_id("file")
    file.write_text(content)
    return file


def make(server, **options):
    return Authority(server.folder, unique_id("odd"), **options).certificate


BAD_UPLOADS = {
    "C01 no certificate": lambda server, root: write(server, "not a certificate"),
    "C01 several": lambda server, root: write(server, root.certificate.read_text() * 2),
    "C02 a leaf": lambda server, root: root.leaf(unique_id()).certificate,
    "C03 expired": lambda server, root: make(server, begins_in=-7200, ends_in=-310),
    "C04 a short key": lambda server, root: make(server, key="rsa1024"),
    "C09 with its key": lambda server, root: write(
        server, root.key.read_text() + root.certificate.read_text()),
}


@pytest.mark.parametrize("case", BAD_UPLOADS)
def test_C070_a_bad_file_is_told_by_its_code_in_one_line(server, group, root, case):
    before = group.slots()
    done = group.add(BAD_UPLOADS[case](server, root), check=False)
    assert case[:3] in refused(done)
    assert group.slots() == before


def test_C070_the_same_certificate_elsewhere_is_told(server, group, root):
    group.add(root.certificate)
    assert "warning" in group.add(root.certificate, slot="secondary").stdout
    assert "C05" in refused(CertificateGroup(server).add(root.certificate, check=False))


def test_C070_a_bad_proof_is_told_by_its_code_in_one_line(server, group, root):
    other = Authority(server.folder, unique_id("root"))
    group.add(root.certificate)
    unasked = root.leaf("A" * 48, name=unique_id("proof"))
    assert "C08" in refused(group.verify(unasked.certificate, check=False))
    code = group.code()
    for expected, proof in (("C06", unasked), ("C07", other.leaf(code, name="proof"))):
        assert expected in refused(group.verify(proof.certificate, check=False))
    assert group.slot()["verificationCode"] == code


def test_a_private_key_never_leaves_the_operators_machine(server, root):
    """Said before anything is asked of the server, which is not there."""
    both = write(server, root.certificate.read_text() + root.key.read_text())
    done = server.run("explain", "--cert", both, "--data", server.folder / "not-there")
    assert "C09" in refused(done)


def test_a_slot_that_is_none_is_named(server, group, root):
    assert "'primry'" in refused(group.add(root.certificate, slot="primry", check=False), code=2)


def test_a_file_that_is_missing_empty_or_too_large_is_wrong_usage(server, group):
    for file in (server.folder / "absent.pem", write(server, ""), write(server, "x" * 65537)):
        assert str(file) in refused(group.add(file, check=False), code=2)


# --- revocation lists ----------------------------------------------------------------------------


def put_crl(group, text):
    return group.server.api("PUT", f"enrollmentGroups/{group.id}/crl", {"crl": text})


def test_a_list_goes_to_the_slot_that_signed_it(server, group):
    authorities = {slot: Authority(server.folder, unique_id("root"))
                   for slot in ("primary", "secondary")}
    for slot, authority in authorities.items():
        group.trust(authority, slot=slot)
    for slot, authority in authorities.items():
        leaves = [authority.leaf(unique_id()) for _ in range(2)]
        status, answer = put_crl(group, authority.revocation_list(*leaves).read_text())
        assert (status, answer["slot"], answer["crl"]["entries"]) == (200, slot, 2), answer
        assert answer["crl"]["thisUpdate"] < answer["crl"]["nextUpdate"]
        assert group.slot(slot)["crl"] == answer["crl"]
    server.cli("ca", "crl", group.id, "--slot", "primary", "--off")
    assert (group.slot()["crl"], group.slot("secondary")["crl"]["number"]) == (None, "01")


def test_a_list_is_taken_as_pem_and_as_der(server, group, root):
    group.trust(root)
    file = root.revocation_list(root.leaf(unique_id()))
    for number, form in enumerate([lambda: file.read_text(),
                                   lambda: file.read_text().replace("\n", "\\n"),
                                   lambda: as_base64(as_der(file, "crl"))]):
        status, answer = put_crl(group, form())
        assert status == 200, (number, answer)
    shown = server.cli("ca", "crl", group.id, as_der(root.revocation_list(), "crl")).stdout
    assert "crl " in shown and " entries, number " in shown


def test_a_list_of_others_and_what_is_none_are_refused(server, group, root):
    group.trust(root)
    stranger = Authority(server.folder, unique_id("root")).revocation_list()
    assert put_crl(group, stranger.read_text())[0] == 400
    assert put_crl(group, "no list")[0] == 400
    assert put_crl(group, "")[0] == 400
    assert put_crl(group, root.certificate.read_text())[0] == 400
    assert put_crl(CertificateGroup(server), stranger.read_text())[0] == 404
    assert "(HTTP 400)" in refused(server.cli("ca", "crl", group.id, stranger, check=False))
    assert group.slot()["crl"] is None


def test_a_list_of_nearly_1_MiB_fits(server, group):
    authority = Authority(server.folder, unique_id("large"))
    group.trust(authority)
    dates = "400101000000Z\t240101000000Z"
    rows = (f"R\t{dates}\t{number + 2**159:040X}\tunknown\t/CN=device-{number}\n"
            for number in range(26000))
    (authority.folder / "index.txt").write_text("".join(rows))
    file = as_der(authority.revocation_list(), "crl")
    assert 900 * 1024 < file.stat().st_size <= 1024 * 1024
    slot = json.loads(server.cli("ca", "crl", group.id, file, "--json").stdout)
    assert slot["crl"]["entries"] == 26000
    assert server.api("PUT", f"enrollmentGroups/{group.id}", {"x": "y" * 1024 * 1024})[0] == 413


# --- responders ----------------------------------------------------------------------------------


def test_a_responder_is_set_and_taken_away(server, group, root):
    group.trust(root)
    words = ["ca", "ocsp", group.id, "--slot", "primary"]
    shown = server.cli(*words, "--url", "http://127.0.0.1:1/ocsp", "--fail-closed").stdout
    assert "http://127.0.0.1:1/ocsp (no answer: refused)" in shown
    assert group.slot()["ocsp"] == {"url": "http://127.0.0.1:1/ocsp", "failClosed": True}
    server.cli(*words, "--url", "http://127.0.0.1:1/ocsp")
    assert group.slot()["ocsp"]["failClosed"] is False
    assert "(HTTP 400)" in refused(server.cli(*words, "--url", "ldap://x", check=False))
    server.cli(*words, "--off")
    assert group.slot()["ocsp"] is None
    assert group.slot()["verified"] is True


# --- denied certificates -------------------------------------------------------------------------


def denied(server):
    lines = server.cli("ca", "denied", "--json").stdout.splitlines()
    return {row["key"]: row for row in map(json.loads, lines)}


def test_a_thumbprint_is_denied_and_allowed_again_however_it_is_written(server, root):
    thumbprint = certificates.thumbprint(root.leaf(unique_id()))
    colons = ":".join(thumbprint[i:i + 2] for i in range(0, 64, 2)).lower()
    key = server.cli("ca", "deny", "--thumbprint", colons, "--reason", "lost").stdout.strip()
    row = denied(server)[key]
    assert (row["thumbprint"], row["reason"]) == (thumbprint, "lost")
    assert row["by"] and row["at"]
    assert key in server.cli("ca", "denied").stdout
    assert server.cli("ca", "allow", key).stdout == ""
    assert key not in denied(server)
    assert "nothing is denied" in refused(server.cli("ca", "allow", key, check=False))
    assert server.api("DELETE", f"deniedCertificates/{key}")[0] == 404


def test_a_certificate_is_denied_by_its_file_and_by_what_openssl_prints(server, root):
    leaf = root.leaf(unique_id())
    printed = openssl("x509", "-in", leaf.certificate, "-noout", "-fingerprint", "-sha1").strip()
    for words in (["--certificate", leaf.certificate], ["--thumbprint", printed]):
        key = server.cli("ca", "deny", *words).stdout.strip()
        assert key in denied(server)
        assert server.cli("ca", "allow", *words).stdout == ""
        assert key not in denied(server)
    assert "say one of" in refused(
        server.cli("ca", "deny", "--certificate", leaf.certificate, *words, check=False), code=2)


def test_allow_takes_what_deny_took(server, factory):
    serial = certificates.serial(factory.authority.leaf(unique_id()))
    other = Factory(server).group.id
    deny = [["ca", "deny", "--group", group, "--serial", serial] for group in (factory.group.id, other)]
    keys = [server.cli(*words).stdout.strip() for words in deny]
    assert "2 denials are meant" in refused(server.cli("ca", "allow", serial, check=False))
    server.cli("ca", "allow", "--group", other.upper(), "--serial", f"serial=00{serial.lower()}")
    assert keys[0] in denied(server) and keys[1] not in denied(server)
    server.cli("ca", "allow", serial)
    assert "nothing is denied" in refused(server.cli("ca", "allow", serial, check=False))


@pytest.mark.parametrize("spell", [str.lower, lambda serial: "00" + serial], ids=["case", "zeros"])
def test_a_serial_is_denied_within_its_group(server, factory, spell):
    serial = certificates.serial(factory.authority.leaf(unique_id()))
    group = factory.group.id
    key = server.cli("ca", "deny", "--group", group, "--serial", spell(serial)).stdout.strip()
    row = denied(server)[key]
    assert (row["group"], row["serial"], row["reason"]) == (group, serial, None)
    server.cli("ca", "allow", key)


def test_denied_certificates_come_in_pages(server):
    keys = [server.cli("ca", "deny", "--thumbprint", f"{n:040X}").stdout.strip() for n in range(3)]
    found, after = [], ""
    while after is not None:
        status, answer = server.api("GET", f"deniedCertificates?top=2{after}")
        assert status == 200 and len(answer["value"]) <= 2
        found += [row["key"] for row in answer["value"]]
        after = f"&after={answer['next']}" if "next" in answer else None
    assert set(keys) <= set(found) and len(found) == len(set(found))
    for key in keys:
        server.cli("ca", "allow", key)


@pytest.mark.parametrize("body", [
    {}, {"reason": "x"}, {"thumbprint": "AB"}, {"thumbprint": "Z" * 40}, {"serial": "01"},
    {"group": "g"}, {"group": "g", "serial": ""}, {"group": "g", "serial": "1" * 41},
    {"thumbprint": "A" * 40, "group": "g", "serial": "01"},
    {"thumbprint": "A" * 40, "reason": "x" * 201},
], ids=str)
def test_what_names_no_certificate_is_400(server, body):
    assert server.api("POST", "deniedCertificates", body)[0] == 400


# --- enrollments by certificate ------------------------------------------------------------------


def test_an_individual_enrollment_knows_thumbprints_and_no_keys(server):
    own, second = (certificates.self_signed(server.folder, unique_id()) for _ in range(2))
    registration_id = unique_id()
    server.cli("enrollment", "add", registration_id, "--attestation", "x509", "--individual",
               "--certificate", as_der(own.certificate), "--allow-expired")
    where = f"individualEnrollments/{registration_id}"
    status, shown = server.api("GET", f"{where}?keys=true")
    pins = {"primary": {"thumbprint": certificates.thumbprint(own)}}
    assert (status, shown["attestation"]) == (200, "x509")
    assert shown["x509"] == {"clientCertificates": pins} and shown["expiredLeafAllowed"] is True
    assert "primaryKey" not in shown
    change = {"x509": {"clientCertificates": {
        "secondary": {"thumbprint": certificates.thumbprint(second, "sha1").lower()}}}}
    status, shown = server.api("PATCH", where, change)
    assert status == 200, shown
    pins["secondary"] = {"thumbprint": certificates.thumbprint(second, "sha1")}
    assert shown["x509"] == {"clientCertificates": pins}
    text = server.cli("enrollment", "show", registration_id, "--individual").stdout
    assert all(pin["thumbprint"] in text for pin in pins.values())
    change["x509"]["clientCertificates"]["secondary"] = None
    del pins["secondary"]
    assert server.api("PATCH", where, change)[1]["x509"] == {"clientCertificates": pins}


def test_an_individual_certificate_is_rolled_on_the_command_line(server):
    device_id = unique_id()
    own, second = (certificates.self_signed(server.folder, unique_id()) for _ in range(2))
    server.cli("enrollment", "add", device_id, "--attestation", "x509", "--individual",
               "--certificate", own.certificate, "--allow-expired")
    where = f"individualEnrollments/{device_id}"

    def pins():
        shown = server.api("GET", where)[1]
        assert shown["expiredLeafAllowed"] is True
        return {slot: pin["thumbprint"] for slot, pin in shown["x509"]["clientCertificates"].items()}

    server.cli("enrollment", "update", device_id, "--secondary-certificate", second.certificate)
    old, new = certificates.thumbprint(own), certificates.thumbprint(second)
    assert pins() == {"primary": old, "secondary": new}
    server.cli("enrollment", "update", device_id, "--individual", "--certificate", second.certificate)
    assert pins() == {"primary": new, "secondary": new}
    refused(server.cli("enrollment", "update", device_id, check=False), code=2)


def test_an_enrollment_of_the_other_kind_is_pointed_to(server, group):
    device_id = unique_id()
    server.cli("enrollment", "add", device_id, "--individual")
    said = server.cli("enrollment", "show", device_id, check=False).stderr
    assert said.startswith(f"muster enrollment: {device_id}: ") and "say --individual" in said
    said = server.cli("enrollment", "disable", group.id, "--individual", check=False).stderr
    assert "leave out --individual" in said
    assert "--individual" not in server.cli("enrollment", "show", "nobody", check=False).stderr


@pytest.mark.parametrize("pin", [
    {}, None, "text", {"certificate": "none"}, {"thumbprint": "AB"}, {"thumbprint": "Z" * 64},
], ids=str)
def test_a_client_certificate_that_cannot_be_read_is_400(server, pin):
    body = {"attestation": "x509", "x509": {"clientCertificates": {"primary": pin}}}
    assert server.api("PUT", f"individualEnrollments/{unique_id()}", body)[0] == 400


def test_a_client_certificate_with_a_weak_key_is_told(server):
    weak = certificates.self_signed(server.folder, unique_id(), key="rsa1024")
    done = server.cli("enrollment", "add", unique_id(), "--attestation", "x509", "--individual",
                      "--certificate", weak.certificate, check=False)
    assert "weak" in refused(done)


# --- devices by certificate ----------------------------------------------------------------------


def test_a_device_is_added_by_file_by_thumbprint_and_by_authority(server):
    own, second = (certificates.self_signed(server.folder, unique_id()) for _ in range(2))
    pins = [certificates.thumbprint(own), certificates.thumbprint(second)]
    for words, shown in [
            ([], {"type": "sas"}),
            (["--certificate", own.certificate, "--secondary-certificate", second.certificate],
             {"type": "selfSigned", "primaryThumbprint": pins[0], "secondaryThumbprint": pins[1]}),
            (["--thumbprint", pins[0].lower()],
             {"type": "selfSigned", "primaryThumbprint": pins[0], "secondaryThumbprint": None}),
            (["--certificate-authority"], {"type": "certificateAuthority"})]:
        device_id = unique_id()
        assert json.loads(server.cli("device", "add", device_id, *words, "--json").stdout)[
            "authentication"] == shown
        assert server.device(device_id)["authentication"] == shown
        assert f"credential    {shown['type']}" in server.cli("device", "show", device_id).stdout


def test_the_next_step_is_said_to_whoever_gives_a_device_its_certificate(server):
    own = certificates.self_signed(server.folder, unique_id())
    device_id = unique_id()
    said = server.cli("device", "add", device_id, "--certificate", own.certificate).stderr
    assert f"muster device connection-string {device_id}" in said
    assert server.cli("device", "add", unique_id()).stderr == ""


def test_of_several_devices_the_one_that_fails_is_named(server):
    known, strange = unique_id(), unique_id()
    server.cli("device", "add", known)
    done = server.cli("device", "block", strange, known, check=False)
    assert refused(done).startswith(f"muster device: {strange}: ")
    assert server.device(known)["status"] == "blocked"


def test_without_a_server_a_list_is_an_error_alone():
    done = subprocess.run(
        [MUSTER, "device", "list"], capture_output=True, text=True,
        env={"MUSTER_URL": "https://127.0.0.1:1", "MUSTER_TOKEN": "x"})
    assert "is the server running" in refused(done) and done.stdout == ""


@pytest.mark.parametrize("authentication", [
    {"type": "dance"}, {"type": "selfSigned"}, {"type": "selfSigned", "primaryThumbprint": "AB"},
    {"type": "selfSigned", "secondaryThumbprint": "A" * 40},
    {"type": "sas", "primaryThumbprint": "A" * 40},
    {"type": "certificateAuthority", "primaryThumbprint": "A" * 64},
], ids=str)
def test_an_authentication_that_does_not_fit_is_400(server, authentication):
    status, answer = server.api("PUT", f"devices/{unique_id()}", {"authentication": authentication})
    assert status == 400, answer


def test_the_credentials_of_a_device_with_a_certificate_are_no_keys(server):
    own = certificates.self_signed(server.folder, unique_id())
    device_id = unique_id()
    server.cli("device", "add", device_id, "--certificate", own.certificate)
    shown = json.loads(server.cli("device", "credentials", device_id).stdout)
    assert shown == {"idScope": server.scope, "x509": {
        "type": "selfSigned", "primaryThumbprint": certificates.thumbprint(own),
        "secondaryThumbprint": None}}
    text = server.cli("device", "connection-string", device_id).stdout
    assert text == f"HostName={server.host};DeviceId={device_id};x509=true\n"
    assert server.device(device_id)["authentication"]["type"] == "selfSigned"


# --- explanations --------------------------------------------------------------------------------


def explain(server, *words, check=True):
    return server.cli("explain", *words, check=check)


def failing_lines(text):
    """The line of the step that failed, and those that say more of it."""
    lines = text.splitlines()
    failed = [at for at, line in enumerate(lines) if line.startswith("FAILED")]
    assert len(failed) == 1, text
    assert all(line.startswith("ok ") for line in lines[:failed[0]]), text
    return lines[failed[0]], dict(line.split(maxsplit=1) for line in lines[failed[0] + 1:])


def test_a_good_certificate_is_explained_by_its_steps(server, factory):
    device_id, leaf = factory.add_device()
    for words in (["--cert", leaf.certificate], ["--cert", as_der(leaf.certificate)],
                  ["--cert", leaf.certificate, "--id", device_id.upper()]):
        lines = explain(server, *words).stdout.splitlines()
        assert lines[-1] == f"{lines[-1].split()[0]} would be assigned, by group {factory.group.id}"
        assert lines[-2] == "" and all(line.startswith("ok ") for line in lines[:-2]), lines
    assert server.device(device_id)["lastProvisioningAttempt"] is None
    answer = json.loads(explain(server, "--cert", leaf.certificate, "--json").stdout)
    assert (answer["result"], answer["registrationId"]) == ("assigned", device_id)
    assert (answer["enrollment"], answer["enrollmentKind"]) == (factory.group.id, "group")
    assert all(step["passed"] for step in answer["steps"])


def test_the_chain_may_be_in_the_file_or_beside_it(server, group):
    authority = Authority(server.folder, unique_id("root"))
    group.trust(authority)
    plant = authority.intermediate("plant")
    device_id = unique_id()
    server.cli("device", "add", device_id)
    leaf = plant.leaf(device_id)
    alone = explain(server, "--cert", leaf.certificate, check=False)
    assert alone.returncode == 1
    explain(server, "--cert", leaf.certificate, "--chain", plant.certificate)
    explain(server, "--cert", plant.chained(leaf).certificate)
    status, answer = server.api("POST", "explain", {
        "certificate": plant.chained(leaf).certificate.read_text(),
        "chain": plant.certificate.read_text()})
    assert status == 400, answer


def test_a_chain_on_its_head_is_told(server, group):
    authority = Authority(server.folder, unique_id("root"))
    plant = authority.intermediate("plant")
    leaf = plant.leaf(unique_id())
    file = write(server, plant.certificate.read_text() + leaf.certificate.read_text())
    assert "must come first" in refused(explain(server, "--cert", file, check=False))


def test_what_fails_says_what_was_expected_what_came_and_what_to_do(server, factory):
    device_id, leaf = factory.add_device()
    done = explain(server, "--cert", leaf.certificate, "--id", "another", check=False)
    assert "another would not be assigned (unauthorized)" in refused(done)
    failed, more = failing_lines(done.stdout)
    assert "common name" in failed
    assert "another" in more["expected"] and device_id in more["received"] and more["fix"]


def test_a_token_is_explained_without_a_registration(server):
    device = group_device(server, unique_id())
    done = explain(server, "--sas", device.token(), check=False)
    assert "(refused)" in refused(done)
    assert server.cli("device", "show", device.id, check=False).returncode == 1
    server.cli("device", "add", device.id)
    assert "would be assigned" in explain(server, "--sas", device.token()).stdout
    done = explain(server, "--sas", device.token(key="AAAA"), check=False)
    assert "(unauthorized)" in refused(done)
    failing_lines(done.stdout)


def test_an_explanation_of_nothing_is_400(server, root):
    for body in ({}, {"registrationId": "x"}, {"certificate": "none"},
                 {"certificate": root.certificate.read_text(), "chain": "none"},
                 {"certificate": root.key.read_text()}):
        assert server.api("POST", "explain", body)[0] == 400, body


# --- attempts ------------------------------------------------------------------------------------


def test_the_last_attempt_is_shown_with_its_steps(server, factory):
    device_id = unique_id()
    registrant = CertificateRegistrant(server, device_id, factory.authority.leaf(device_id))
    assert_refused(registrant.register().body)
    attempt = server.device(device_id)["lastProvisioningAttempt"]
    assert (attempt["result"], attempt["count"]) == ("refused", 1)
    assert (attempt["enrollment"], attempt["protocol"]) == (factory.group.id, "https")
    failed = [step for step in attempt["steps"] if not step["passed"]]
    assert failed == attempt["steps"][-1:]
    assert failed[0]["step"] == "approval" and failed[0]["fix"]
    shown = server.cli("device", "show", device_id).stdout
    assert "last attempt  " in shown and "FAILED  approval" in shown and failed[0]["fix"] in shown


def test_attempts_are_listed_the_newest_first(server, factory):
    device_id = unique_id()
    registrant = CertificateRegistrant(server, device_id, factory.authority.leaf(device_id))
    assert_refused(registrant.register().body)
    server.cli("device", "approve", device_id)
    server.cli("device", "associate", device_id, "--template", "generic")
    assert_assigned(registrant.register())
    where = f"registrationAttempts?registrationId={device_id.upper()}"
    rows = server.api("GET", where)[1]["value"]
    assert [row["result"] for row in rows] == ["assigned", "refused"]
    assert {row["registrationId"] for row in rows} == {device_id}
    first = server.api("GET", f"{where}&top=1")[1]
    assert first["value"] == rows[:1]
    assert server.api("GET", f"{where}&before={first['next']}")[1]["value"] == rows[1:]
    lines = server.cli("enrollment", "attempts", "--json", "--count", "1000").stdout.splitlines()
    assert rows[0] in [json.loads(line) for line in lines]
    shown = server.cli("enrollment", "attempts", device_id).stdout
    assert shown.index(" assigned\n") < shown.index("ok      common name") < shown.index(" refused: ")
    assert "FAILED" not in shown
    shown = server.cli("enrollment", "attempts", device_id, "--steps").stdout
    assert shown.index(" refused: ") < shown.index("FAILED  approval")
    shown = server.cli("enrollment", "attempts").stdout
    assert device_id in shown and "FAILED" not in shown


def test_that_no_attempt_is_kept_is_said(server):
    done = server.cli("enrollment", "attempts", unique_id())
    assert done.stdout == "" and "muster explain" in done.stderr


def test_attempts_are_asked_for_by_number_only(server):
    for query in ("before=x", "before=-1", "top=0", "top=1001"):
        assert server.api("GET", f"registrationAttempts?{query}")[0] == 400
