"""The slots for authorities: central.md 4.5, provisioning.md 5.2 and checklist "Certificates".
Devices are what they are tried with: an authority that attests is one whose leaves provision."""

import base64
import json
import time

import pytest
from lib import certificates
from lib.certificates import Authority, openssl
from lib.dps import CertificateRegistrant, assert_assigned, assert_unauthorized
from lib.groups import CertificateGroup, problem
from lib.server import unique_id

SERVER_OPTIONS = ["--accepts-per-second=0"]

VALIDITY_TOLERANCE = 300


@pytest.fixture(scope="module")
def root(server):
    return Authority(server.folder, unique_id("root"))


@pytest.fixture
def group(server):
    return CertificateGroup(server)


def added(server):
    device_id = unique_id()
    server.cli("device", "add", device_id)
    return device_id


def register(server, authority):
    device_id = added(server)
    return CertificateRegistrant(server, device_id, authority.leaf(device_id)).http_register()


# --- upload --------------------------------------------------------------------------------------


def as_der(authority):
    file = authority.folder / "authority.cer"
    openssl("x509", "-in", authority.certificate, "-outform", "DER", "-out", file)
    return file


@pytest.mark.parametrize("form", ["root PEM", "root DER", "intermediate PEM", "intermediate DER"])
def test_C067_root_and_intermediate_are_taken_as_pem_and_der(server, group, form):
    authority = Authority(server.folder, unique_id("root"))
    if form.startswith("intermediate"):
        authority = authority.intermediate("plant")
    group.add(as_der(authority) if form.endswith("DER") else authority.certificate)
    slot = group.slot()
    assert slot["state"] == "unverified" and not slot["verified"]
    assert slot["sha256Thumbprint"] == certificates.thumbprint(authority)
    assert slot["sha1Thumbprint"] == certificates.thumbprint(authority, "sha1")
    assert slot["serial"] == certificates.serial(authority)
    group.verify(authority.leaf(group.code(), name="proof").certificate)
    assert group.slot()["state"] in ("verified", "expiring")
    assert_assigned(register(server, authority))


@pytest.mark.parametrize("write", [
    lambda pem, der: base64.b64encode(der).decode(),
    lambda pem, der: base64.b64encode(pem.encode()).decode(),
    lambda pem, der: pem.replace("\n", "\\n"),
    lambda pem, der: "Subject: someone\n\n" + pem.replace("\n", "\r\n"),
], ids=["base64 DER", "base64 PEM", "escaped line ends", "words before, CRLF"])
def test_C067_the_api_takes_every_string_form_of_a_certificate(server, group, write):
    authority = Authority(server.folder, unique_id("root"))
    text = write(authority.certificate.read_text(), certificates.to_der(authority.certificate))
    status, slot = group.put(text)
    assert status == 200, slot
    assert slot["sha256Thumbprint"] == certificates.thumbprint(authority)


def test_C072_verified_on_upload_is_told_from_proven(server, group):
    attested, proven = (Authority(server.folder, unique_id("root")) for _ in range(2))
    group.trust(attested)
    group.prove(proven, slot="secondary")
    slots = group.slots()
    assert (slots["primary"]["verified"], slots["primary"]["selfAttested"]) == (True, True)
    assert (slots["secondary"]["verified"], slots["secondary"]["selfAttested"]) == (True, False)
    for slot in slots.values():
        assert slot["verifiedAt"] and slot["verifiedBy"]
    for authority in (attested, proven):
        assert_assigned(register(server, authority))


# --- proof of possession -------------------------------------------------------------------------


def proof_of_node_sdk(server, authority, code):
    return certificates.verification_certificate(code, authority.certificate, authority.key,
                                                 authority.folder)


def proof_of_c_sdk(server, authority, code):
    """certGen.sh: `openssl ca` with the extensions of its section usr_cert."""
    return authority.leaf(code, name="proof", key="rsa", extensions=[
        "basicConstraints=CA:FALSE", "nsCertType=client,email", "subjectKeyIdentifier=hash",
        "authorityKeyIdentifier=keyid,issuer",
        "keyUsage=critical,nonRepudiation,digitalSignature,keyEncipherment",
        "extendedKeyUsage=clientAuth,emailProtection"]).certificate


def proof_of_our_tool(server, authority, code):
    folder = authority.folder / "as-the-tool-keeps-it"
    folder.mkdir()
    (folder / "ca.pem").write_text(authority.certificate.read_text())
    (folder / "ca.key").write_text(authority.key.read_text())
    (folder / "ca.key").chmod(0o600)
    done = server.run("cert", "verification", "--code", code, "--ca", folder)
    assert done.returncode == 0, done.stderr
    return folder / "verification.pem"


@pytest.mark.parametrize("prove", [
    pytest.param(proof_of_node_sdk, id="create_test_cert"),
    pytest.param(proof_of_c_sdk, id="certGen"),
    pytest.param(proof_of_our_tool, id="muster"),
])
def test_P091_C068_C069_code_certificate_verify_verified(server, group, prove):
    authority = Authority(server.folder, unique_id("root"))
    group.add(authority.certificate)
    code = group.code()
    assert len(code) == 48 and set(code) <= set("0123456789ABCDEF")
    assert group.slot()["state"] == "codeIssued"
    group.verify(prove(server, authority, code))
    slot = group.slot()
    assert slot["verified"] is True and slot["selfAttested"] is False
    assert not slot.get("verificationCode")
    assert_assigned(register(server, authority))


def test_C069_an_authority_that_our_tool_made_is_verified_by_our_tool(server, group):
    folder = server.folder / unique_id("ours")
    for words in (["root", "--out", folder], ["verification", "--ca", folder, "--code"]):
        if words[-1] == "--code":
            group.add(folder / "ca.pem")
            words.append(group.code())
        done = server.run("cert", *words)
        assert done.returncode == 0, done.stderr
    group.verify(folder / "verification.pem")
    assert group.slot()["verified"] is True


def test_P092_C077_a_new_code_voids_the_one_before(server, group, root):
    group.add(root.certificate)
    old, new = group.code(), group.code()
    assert old != new
    status, answer = group.put_proof(root.leaf(old, name="old-proof").certificate)
    assert (status, problem(answer)) == (400, "C06"), answer
    assert group.put_proof(root.leaf(new, name="new-proof").certificate)[0] == 200
    group.remove()


def test_P092_a_replaced_certificate_voids_all_codes_and_starts_unverified(server, group):
    first, second = (Authority(server.folder, unique_id("root")) for _ in range(2))
    group.add(first.certificate)
    code = group.code()
    group.add(second.certificate)
    for authority in (first, second):
        status, answer = group.put_proof(authority.leaf(code, name="late").certificate)
        assert (status, problem(answer)) == (400, "C08"), answer
    group.prove(second)
    status, answer = group.put(first.certificate)
    assert (status, answer["error"]["code"]) == (409, "Conflict"), answer
    assert group.slot()["verified"] is True
    assert group.put(first.certificate, replace=True)[0] == 200
    assert group.slot()["state"] == "unverified"
    assert_unauthorized(register(server, second))


def test_P092_a_code_is_used_once(server, group):
    authority = Authority(server.folder, unique_id("root"))
    group.add(authority.certificate)
    proof = authority.leaf(group.code(), name="proof").certificate
    assert group.put_proof(proof)[0] == 200
    assert group.put_proof(proof)[0] == 400
    assert group.slot()["verified"] is True


# --- refusals: each with its code, and the slot as it was ----------------------------------------


def text(file):
    return file.read_text()


def weak(server, **options):
    return Authority(server.folder, unique_id("weak"), **options).certificate


UPLOADS = {
    "C01 no certificate": lambda server, root: "not a certificate",
    "C01 half a certificate": lambda server, root: text(root.certificate)[:300],
    "C01 several": lambda server, root: text(root.certificate) * 2,
    "C02 a leaf": lambda server, root: text(root.leaf(unique_id()).certificate),
    "C02 without extensions": lambda server, root: text(
        certificates.version_1(server.folder, unique_id("v1")).certificate),
    "C03 expired": lambda server, root: text(weak(server, begins_in=-7200, ends_in=-310)),
    "C03 not yet valid": lambda server, root: text(weak(server, begins_in=3600)),
    "C04 a short key": lambda server, root: text(weak(server, key="rsa1024")),
    "C04 SHA-1": lambda server, root: text(weak(server, digest="sha1")),
    "C09 with its key": lambda server, root: text(root.certificate) + text(root.key),
    "C09 a key alone": lambda server, root: text(root.key),
}


@pytest.mark.parametrize("held", [False, True], ids=["empty slot", "verified slot"])
@pytest.mark.parametrize("case", UPLOADS)
def test_P093_C070_a_bad_upload_has_its_code_and_changes_nothing(server, group, case, held):
    authority = Authority(server.folder, unique_id("root"))
    if held:
        group.trust(authority)
    before = group.slots()
    status, answer = group.put(UPLOADS[case](server, authority))
    assert (status, problem(answer)) == (400, case[:3]), answer
    assert group.slots() == before
    assert "PRIVATE KEY" not in json.dumps(answer)


def test_C070_the_same_certificate_in_the_other_slot_is_a_warning(server, group, root):
    group.add(root.certificate)
    group.add(root.certificate, slot="secondary")
    assert group.slot("secondary")["warning"]
    for slot in ("primary", "secondary"):
        group.remove(slot)


def test_C070_the_same_certificate_in_another_group_is_an_error(server, group, root):
    group.add(root.certificate)
    other = CertificateGroup(server)
    status, answer = other.put(root.certificate)
    assert (status, problem(answer)) == (409, "C05"), answer
    assert other.slot() is None
    group.remove()


PROOFS = {
    "C06 another code": lambda root, other, code: root.leaf("0" * 48, name="p"),
    "C06 a code and more": lambda root, other, code: root.leaf(code + "0", name="p"),
    "C07 of another authority": lambda root, other, code: other.leaf(code, name="p"),
    "C07 self-signed": lambda root, other, code: certificates.self_signed(root.folder, code),
    "C07 badly signed": lambda root, other, code: certificates.forged(root.leaf(code, name="p")),
    "C03 expired": lambda root, other, code: root.leaf(code, name="p", begins_in=-7200,
                                                       ends_in=-310),
    "C03 not yet valid": lambda root, other, code: root.leaf(code, name="p", begins_in=3600),
    "C07 of a certificate below": lambda root, other, code:
        root.intermediate("below").leaf(code, name="p"),
}


@pytest.mark.parametrize("case", PROOFS)
def test_P091_C070_a_bad_proof_has_its_code_and_changes_nothing(server, group, case):
    authority, other = (Authority(server.folder, unique_id("root")) for _ in range(2))
    group.add(authority.certificate)
    code = group.code()
    before = group.slots()
    status, answer = group.put_proof(PROOFS[case](authority, other, code).certificate)
    assert (status, problem(answer)) == (400, case[:3]), answer
    assert group.slots() == before
    group.verify(authority.leaf(code, name="right").certificate)


def test_C070_a_proof_without_a_code_is_told_to_ask_for_one(server, group, root):
    group.add(root.certificate)
    status, answer = group.put_proof(root.leaf("A" * 48, name="no-code").certificate)
    assert (status, problem(answer)) == (400, "C08"), answer
    group.remove()


# --- time ----------------------------------------------------------------------------------------


def test_C075_an_expired_authority_is_shown_as_expired_and_attests_no_longer(server, group):
    """It is past its end, and within the tolerance for a few seconds more."""
    authority = Authority(server.folder, unique_id("ending"), begins_in=-86400,
                          ends_in=8 - VALIDITY_TOLERANCE)
    group.trust(authority)
    assert group.slot()["state"] == "expired"
    registration_id = added(server)
    leaf = authority.leaf(registration_id)
    until = time.monotonic() + 20
    while explain(server, leaf)["result"] == "assigned":
        assert time.monotonic() < until
    registrant = CertificateRegistrant(server, registration_id, leaf)
    assert_unauthorized(registrant.http_register())


def explain(server, leaf):
    status, answer = server.api("POST", "explain", {"certificate": leaf.certificate.read_text()})
    assert status == 200, answer
    return answer


def test_an_authority_near_its_end_is_shown_as_expiring(server, group):
    group.trust(Authority(server.folder, unique_id("ending"), ends_in=30 * 86400))
    assert group.slot()["state"] == "expiring"
    group.trust(Authority(server.folder, unique_id("lasting"), ends_in=365 * 86400))
    assert group.slot()["state"] == "verified"


def test_a_denial_names_a_group_that_takes_certificates(server):
    for group, why in (("nobody", "no enrollment group 'nobody'"),
                       ("SAS-IoT-Devices", "takes keys, not certificates")):
        done = server.cli("ca", "deny", "--group", group, "--serial", "1F", check=False)
        assert done.returncode == 1 and why in done.stderr, done.stderr
