"""muster cert, judged by openssl's command line: what it makes, what it refuses, how it resumes."""

import hashlib
import json
import os
import pty
import signal
import stat
import subprocess
import time

import pytest
from lib.server import MUSTER


def cert(*words, cwd=None, **options):
    return subprocess.run([MUSTER, "cert", *map(str, words)], capture_output=True, text=True, cwd=cwd,
                          timeout=120, **options)


def done(*words, **options):
    ran = cert(*words, **options)
    assert ran.returncode == 0, f"cert {words}: {ran.stderr}"
    return ran


def refused(code, *words, **options):
    """Gives the one line that says why."""
    ran = cert(*words, **options)
    assert ran.returncode == code, f"cert {words}: exit {ran.returncode}, {ran.stderr}{ran.stdout}"
    assert ran.stderr.count("\n") == 1 and ran.stderr.startswith("muster cert: "), ran.stderr
    return ran.stderr


def openssl(*words, **options):
    ran = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, **options)
    assert ran.returncode == 0, f"openssl {words}: {ran.stderr}"
    return ran.stdout


def text_of(certificate):
    return openssl("x509", "-in", certificate, "-noout", "-text")


def subject_of(certificate):
    return openssl("x509", "-in", certificate, "-noout", "-subject", "-nameopt", "RFC2253").strip()


def days_left(certificate):
    end = openssl("x509", "-in", certificate, "-noout", "-enddate").strip().removeprefix("notAfter=")
    return round((time.mktime(time.strptime(end, "%b %d %H:%M:%S %Y GMT")) - time.timezone
                  - time.time()) / 86400)


def verify(certificate, root, untrusted=None, purpose="sslclient"):
    chain = ["-untrusted", untrusted] if untrusted else []
    openssl("verify", "-x509_strict", "-check_ss_sig", "-purpose", purpose, "-CAfile", root, *chain,
            certificate)


def assert_belong_together(certificate, key):
    openssl("pkey", "-in", key, "-check", "-noout")
    assert openssl("pkey", "-in", key, "-pubout") == openssl("x509", "-in", certificate, "-noout",
                                                             "-pubkey")


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A root and an intermediate below it, for tests that leave them as they are."""
    folder = tmp_path_factory.mktemp("authority")
    done("root", "--out", folder / "root", "--cn", "Test root")
    done("intermediate", "--ca", folder / "root", "--out", folder / "plant", "--cn", "Test plant")
    return folder


# --- authorities -----------------------------------------------------------------------------------


def test_a_root_is_what_openssl_calls_a_root(authority):
    root = authority / "root"
    assert names_in(root) == ["ca.key", "ca.pem"]
    assert mode_of(root) == 0o700 and mode_of(root / "ca.key") == 0o600
    assert subject_of(root / "ca.pem") == "subject=CN=Test root"
    assert "CA:TRUE" in text_of(root / "ca.pem") and "pathlen" not in text_of(root / "ca.pem")
    assert days_left(root / "ca.pem") == 3650
    verify(root / "ca.pem", root / "ca.pem", purpose="any")
    assert_belong_together(root / "ca.pem", root / "ca.key")


@pytest.mark.parametrize("kind, words", [
    ("ec", ["ASN1 OID: prime256v1", "ecdsa-with-SHA256"]),
    ("p384", ["ASN1 OID: secp384r1", "ecdsa-with-SHA384"]),
    ("rsa2048", ["Public-Key: (2048 bit)", "sha256WithRSAEncryption"]),
    ("rsa3072", ["Public-Key: (3072 bit)", "sha256WithRSAEncryption"]),
    ("rsa4096", ["Public-Key: (4096 bit)", "sha256WithRSAEncryption"]),
    ("ed25519", ["ED25519 Public-Key", "Signature Algorithm: ED25519"]),
])
def test_every_kind_of_key_carries_root_and_device(tmp_path, kind, words):
    done("root", "--out", tmp_path / "root", "--key", kind)
    done("device", "pump-1", "--ca", tmp_path / "root", "--out", tmp_path, "--key", kind)
    for certificate, key in [("root/ca.pem", "root/ca.key"), ("pump-1.pem", "pump-1.key")]:
        for word in words:
            assert word in text_of(tmp_path / certificate)
        assert_belong_together(tmp_path / certificate, tmp_path / key)
    verify(tmp_path / "pump-1.pem", tmp_path / "root/ca.pem")


def test_intermediates_stand_on_each_other(tmp_path):
    above = tmp_path / "1"
    done("root", "--out", above)
    for depth in range(2, 6):
        done("intermediate", "--ca", above, "--out", tmp_path / str(depth))
        above = tmp_path / str(depth)
    done("device", "pump-1", "--ca", above, "--out", tmp_path, "--full-chain")
    verify(tmp_path / "pump-1.pem", tmp_path / "1/ca.pem", above / "chain.pem")
    assert (above / "chain.pem").read_text().count("BEGIN CERTIFICATE") == 4
    assert (tmp_path / "pump-1-chain.pem").read_text() == (
        (tmp_path / "pump-1.pem").read_text() + (above / "chain.pem").read_text())


def test_a_path_length_is_kept_to(tmp_path):
    done("root", "--out", tmp_path / "root", "--path-length", 1)
    done("intermediate", "--ca", tmp_path / "root", "--out", tmp_path / "plant", "--path-length", 0)
    assert "CA:TRUE, pathlen:0" in text_of(tmp_path / "plant/ca.pem")
    assert "path length 0" in refused(1, "intermediate", "--ca", tmp_path / "plant", "--out",
                                      tmp_path / "below")
    assert not (tmp_path / "below").exists()
    done("device", "pump-1", "--ca", tmp_path / "plant", "--out", tmp_path)
    verify(tmp_path / "pump-1.pem", tmp_path / "root/ca.pem", tmp_path / "plant/ca.pem")


def test_authorities_without_a_name_get_different_ones(tmp_path):
    for name in "ab":
        done("root", "--out", tmp_path / name)
    assert subject_of(tmp_path / "a/ca.pem") != subject_of(tmp_path / "b/ca.pem")


def test_nothing_outlives_its_issuer(tmp_path):
    done("root", "--out", tmp_path / "root", "--days", 10)
    said = done("intermediate", "--ca", tmp_path / "root", "--out", tmp_path / "plant", "--days", 20)
    assert "ends with its authority" in said.stderr
    done("device", "pump-1", "--ca", tmp_path / "plant", "--out", tmp_path)
    assert days_left(tmp_path / "plant/ca.pem") == days_left(tmp_path / "pump-1.pem") == 10


def test_an_authoritys_key_is_never_replaced_in_silence(tmp_path):
    root = tmp_path / "root"
    done("root", "--out", root)
    before = (root / "ca.key").read_bytes(), (root / "ca.pem").read_bytes()
    assert "--force" in refused(2, "root", "--out", root)
    assert "--force" in refused(2, "intermediate", "--ca", root, "--out", root)
    assert ((root / "ca.key").read_bytes(), (root / "ca.pem").read_bytes()) == before
    done("root", "--out", root, "--force")
    assert (root / "ca.key").read_bytes() != before[0]
    assert_belong_together(root / "ca.pem", root / "ca.key")


def test_an_authority_is_renewed_with_its_key(tmp_path):
    root = tmp_path / "root"
    done("root", "--out", root, "--cn", "Same", "--days", 5)
    done("device", "pump-1", "--ca", root, "--out", tmp_path)
    key = (root / "ca.key").read_bytes()
    done("root", "--out", root, "--cn", "Same", "--key-file", root / "ca.key")
    assert (root / "ca.key").read_bytes() == key and days_left(root / "ca.pem") == 3650
    verify(tmp_path / "pump-1.pem", root / "ca.pem")
    done("root", "--out", tmp_path / "other")
    assert "another key" in refused(2, "root", "--out", tmp_path / "other", "--key-file",
                                    root / "ca.key")


def test_a_leaf_is_no_authority(authority, tmp_path):
    done("device", "pump-1", "--ca", authority / "root", "--out", tmp_path)
    os.rename(tmp_path / "pump-1.pem", tmp_path / "ca.pem")
    os.rename(tmp_path / "pump-1.key", tmp_path / "ca.key")
    assert "no authority" in refused(1, "device", "pump-2", "--ca", tmp_path)


def test_an_authority_of_plain_openssl_serves(tmp_path):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "ca.key", "-out",
            tmp_path / "ca.pem", "-days", 9, "-subj", "/O=Plant/CN=By hand", "-addext", "keyUsage=critical,keyCertSign")
    os.chmod(tmp_path / "ca.key", 0o600)
    done("device", "pump-1", "--ca", tmp_path, "--out", tmp_path / "out", "--full-chain")
    verify(tmp_path / "out/pump-1.pem", tmp_path / "ca.pem")
    assert (tmp_path / "out/pump-1-chain.pem").read_bytes() == (
        tmp_path / "out/pump-1.pem").read_bytes()


def test_a_key_that_others_can_read_is_refused(authority, tmp_path):
    done("root", "--out", tmp_path / "root")
    os.chmod(tmp_path / "root/ca.key", 0o644)
    assert "0600" in refused(1, "device", "pump-1", "--ca", tmp_path / "root")


# --- devices ---------------------------------------------------------------------------------------


def test_a_device_gets_a_leaf_for_clients(authority, tmp_path):
    said = done("device", "Pump-7", "--ca", authority / "plant", "--out", tmp_path / "out")
    assert "Pump-7 becomes pump-7" in said.stderr
    out = tmp_path / "out"
    assert names_in(out) == ["pump-7.key", "pump-7.pem"]
    assert mode_of(out) == 0o700 and mode_of(out / "pump-7.key") == 0o600
    assert mode_of(out / "pump-7.pem") == 0o644
    text = text_of(out / "pump-7.pem")
    for word in ["CA:FALSE", "Digital Signature", "TLS Web Client Authentication"]:
        assert word in text
    assert "Key Encipherment" not in text and "Server Authentication" not in text
    assert subject_of(out / "pump-7.pem") == "subject=CN=pump-7"
    assert days_left(out / "pump-7.pem") == 365
    verify(out / "pump-7.pem", authority / "root/ca.pem", authority / "plant/chain.pem")
    assert_belong_together(out / "pump-7.pem", out / "pump-7.key")


def test_an_edge_device_may_sign_and_serve(authority, tmp_path):
    done("device", "edge-1", "--ca", authority / "plant", "--out", tmp_path, "--edge")
    for purpose in ["sslclient", "sslserver"]:
        verify(tmp_path / "edge-1.pem", authority / "root/ca.pem", authority / "plant/ca.pem", purpose)
    assert "CA:TRUE" in text_of(tmp_path / "edge-1.pem")


@pytest.mark.parametrize("device_id, word", [
    ("a" * 65, "64"), ("pump 1", "letters"), ("pump/1", "letters"), ("pump.", "end"), ("", "no device"),
    ("pümp", "letters"), ("../pump", "letters"), ("a=b", "letters"), ("a\x1b[2J", "letters"),
])
def test_ids_that_no_certificate_can_name_are_refused(authority, tmp_path, device_id, word):
    said = refused(2, "device", "good", device_id, "--ca", authority / "plant", "--out",
                   tmp_path / "out")
    assert word in said and "\x1b" not in said
    assert not list((tmp_path / "out").iterdir()), "nothing is made of a command that is refused"


@pytest.mark.parametrize("device_id", ["a" * 64, "a:b.c_d-e", ".a", "7", "-"])
def test_ids_that_a_certificate_can_name_are_taken(authority, tmp_path, device_id):
    done("device", device_id, "--ca", authority / "plant", "--out", tmp_path)
    assert subject_of(tmp_path / f"{device_id}.pem") == f"subject=CN={device_id}"


def test_a_self_signed_leaf_tells_its_thumbprints(tmp_path):
    said = done("device", "pump-1", "--self-signed", "--out", tmp_path).stdout
    verify(tmp_path / "pump-1.pem", tmp_path / "pump-1.pem", purpose="any")
    der = subprocess.run(["openssl", "x509", "-in", tmp_path / "pump-1.pem", "-outform", "der"],
                         capture_output=True, check=True).stdout
    assert hashlib.sha1(der).hexdigest().upper() in said
    assert hashlib.sha256(der).hexdigest().upper() in said


@pytest.mark.parametrize("phrase", [None, "correct horse"])
def test_a_p12_holds_key_leaf_and_intermediates(authority, tmp_path, phrase):
    words = []
    if phrase:
        (tmp_path / "phrase").write_text(phrase + "\n")
        os.chmod(tmp_path / "phrase", 0o600)
        words = ["--pass-phrase-file", tmp_path / "phrase"]
    done("device", "pump-1", "--ca", authority / "plant", "--out", tmp_path, "--p12", *words)
    assert mode_of(tmp_path / "pump-1.p12") == 0o600
    found = openssl("pkcs12", "-in", tmp_path / "pump-1.p12", "-passin", f"pass:{phrase or ''}", "-nodes")
    assert found.count("BEGIN CERTIFICATE") == 2 and found.count("BEGIN PRIVATE KEY") == 1
    assert (tmp_path / "pump-1.pem").read_text() in found
    assert (tmp_path / "pump-1.key").read_text() in found
    assert (authority / "plant/ca.pem").read_text() in found


def test_a_devices_key_is_never_replaced_in_silence(authority, tmp_path):
    words = ["device", "pump-1", "--ca", authority / "plant", "--out", tmp_path]
    done(*words)
    before = (tmp_path / "pump-1.key").read_bytes()
    assert "--force" in refused(2, *words)
    assert (tmp_path / "pump-1.key").read_bytes() == before
    done(*words, "--force")
    assert (tmp_path / "pump-1.key").read_bytes() != before
    assert_belong_together(tmp_path / "pump-1.pem", tmp_path / "pump-1.key")


def test_a_device_is_renewed_with_its_key(authority, tmp_path):
    words = ["device", "pump-1", "--ca", authority / "plant", "--out", tmp_path]
    done(*words, "--days", 5)
    key = (tmp_path / "pump-1.key").read_bytes()
    done(*words, "--key-file", tmp_path / "pump-1.key")
    assert (tmp_path / "pump-1.key").read_bytes() == key and days_left(tmp_path / "pump-1.pem") == 365
    assert_belong_together(tmp_path / "pump-1.pem", tmp_path / "pump-1.key")
    done("device", "pump-2", "--ca", authority / "plant", "--out", tmp_path, "--key-file",
         tmp_path / "pump-1.key")
    assert (tmp_path / "pump-2.key").read_bytes() == key, "the key is put beside its certificate"
    done("device", "pump-3", "--ca", authority / "plant", "--out", tmp_path)
    assert "--force" in refused(2, "device", "pump-3", "--ca", authority / "plant", "--out", tmp_path)
    assert "not the key" in refused(1, "device", "pump-3", "--ca", authority / "plant", "--out",
                                    tmp_path, "--key-file", tmp_path / "pump-1.key")


def test_a_renewal_leaves_no_older_certificate_beside_it(authority, tmp_path):
    words = ["device", "pump-1", "--ca", authority / "plant", "--out", tmp_path]
    done(*words, "--full-chain", "--p12", "--days", 5)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    renewal = [*words, "--key-file", tmp_path / "pump-1.key"]
    assert "--p12" in refused(1, *renewal)
    assert "--p12" in refused(1, *words, "--force")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    done(*renewal, "--p12")
    leaf = (tmp_path / "pump-1.pem").read_text()
    assert days_left(tmp_path / "pump-1.pem") == 365
    assert (tmp_path / "pump-1-chain.pem").read_text() == leaf + (authority / "plant/ca.pem").read_text()
    assert leaf in openssl("pkcs12", "-in", tmp_path / "pump-1.p12", "-passin", "pass:", "-nodes")


def test_a_renewal_leaves_a_device_alone_that_is_called_like_a_chain(authority, tmp_path):
    words = ["--ca", authority / "plant", "--out", tmp_path]
    done("device", "pump", "pump-chain", *words)
    leaf = (tmp_path / "pump-chain.pem").read_bytes()
    done("device", "pump", *words, "--key-file", tmp_path / "pump.key")
    assert (tmp_path / "pump-chain.pem").read_bytes() == leaf


@pytest.mark.parametrize("device_id", ["ca", "chain", "verification"])
def test_a_device_cannot_take_an_authoritys_own_files(tmp_path, device_id):
    root, plant = tmp_path / "root", tmp_path / "plant"
    done("root", "--out", root)
    done("intermediate", "--ca", root, "--out", plant)
    files = {name: (plant / name).read_bytes() for name in names_in(plant)}
    ran = cert("device", device_id, "--ca", plant, "--out", plant, "--force")
    assert ran.returncode == 1 and "authority's own" in ran.stderr
    assert {name: (plant / name).read_bytes() for name in names_in(plant)} == files


def test_a_chain_file_does_not_hide_another_device(authority, tmp_path):
    words = ["--ca", authority / "plant", "--out", tmp_path]
    done("device", "pump-chain", *words)
    leaf = (tmp_path / "pump-chain.pem").read_bytes()
    assert "another device" in refused(1, "device", "pump", "--full-chain", *words)
    assert (tmp_path / "pump-chain.pem").read_bytes() == leaf


def test_the_proof_of_possession_names_the_code(authority, tmp_path):
    code = "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"
    said = done("verification", "--code", code, "--ca", authority / "root", "--out", tmp_path)
    assert said.stdout.strip() == str(tmp_path / "verification.pem")
    assert subject_of(tmp_path / "verification.pem") == f"subject=CN={code}"
    verify(tmp_path / "verification.pem", authority / "root/ca.pem")
    done("verification", "--nonce", "again", "--ca", authority / "root", "--out", tmp_path)
    assert names_in(tmp_path) == ["verification.pem"]


@pytest.mark.parametrize("words", [
    [], ["leaf"], ["root"], ["intermediate", "--out", "x"], ["device", "--ca", "{ca}"],
    ["device", "a"], ["device", "a", "--ca", "{ca}", "--self-signed"],
    ["device", "a", "--csv", "f", "--ca", "{ca}"], ["device", "a", "b", "--ca", "{ca}", "--key-file", "k"],
    ["device", "a", "--ca", "{ca}", "--key", "dsa"], ["device", "a", "--ca", "{ca}", "--days", "0"],
    ["device", "a", "--ca", "{ca}", "--pass-phrase-file", "f"], ["device", "a", "--ca", "{ca}", "--jobs", "0"],
    ["verification", "--ca", "{ca}"], ["verification", "--ca", "{ca}", "--code", "c" * 65], ["show"],
    ["root", "--out", "x", "--cn", "c" * 65], ["root", "--out", "x", "--what"],
])
def test_wrong_words_are_refused_with_a_line(authority, tmp_path, words):
    words = [word.replace("{ca}", str(authority / "plant")) for word in words]
    refused(2, *words, cwd=tmp_path)
    assert not list(tmp_path.glob("*.key"))


def test_help_is_on_standard_output():
    said = done("--help").stdout
    for word in ["root", "intermediate", "device", "verification", "show", "--csv", "--force"]:
        assert word in said


# --- many ------------------------------------------------------------------------------------------


def write_csv(path, count):
    path.write_text("IOTC_DEVICEID,IOTC_DEVICENAME\n" +
                    "".join(f"Pump-{i},Pump number {i}\n" for i in range(count)))
    return [f"pump-{i}" for i in range(count)]


def assert_whole(folder, ids):
    """Every device has a key and a certificate that belong together, and nothing else is there."""
    assert names_in(folder) == sorted(f"{i}.{ending}" for i in ids for ending in ["key", "pem"])
    keys = {(folder / f"{i}.key").read_bytes() for i in ids}
    assert len(keys) == len(ids)


def test_a_batch_makes_a_leaf_for_each_row(authority, tmp_path):
    ids = write_csv(tmp_path / "devices.csv", 300)
    words = ["device", "--csv", tmp_path / "devices.csv", "--ca", authority / "plant", "--out",
             tmp_path / "out", "--json"]
    summary = json.loads(done(*words).stdout)
    assert summary["made"] == summary["lowerCased"] == 300 and summary["refused"] == 0
    assert_whole(tmp_path / "out", ids)
    for device_id in ids[::50]:
        pair = [tmp_path / "out" / f"{device_id}.{ending}" for ending in ["pem", "key"]]
        assert_belong_together(*pair)
        assert subject_of(pair[0]) == f"subject=CN={device_id}"
        verify(pair[0], authority / "root/ca.pem", authority / "plant/ca.pem")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    summary = json.loads(done(*words).stdout)
    assert summary["made"] == 0 and summary["thereAlready"] == 300
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_bad_rows_are_named_and_the_rest_is_made(authority, tmp_path):
    (tmp_path / "devices.csv").write_bytes(
        b"\xef\xbb\xbfname,\"deviceId\"\r\nOne,pump-1\r\nTwo,pump 2\r\n\r\nThree,\r\nFour,\"pump-4\"\r\n"
        b"Five," + b"x" * 70 + b"\r\nSix,Pump-1\r\n")
    ran = cert("device", "--csv", tmp_path / "devices.csv", "--ca", authority / "plant", "--out",
               tmp_path / "out", "--jobs", "1")
    assert ran.returncode == 1
    assert [line.split(":")[1] for line in ran.stderr.splitlines()] == [" line 3", " line 5", " line 7"]
    assert_whole(tmp_path / "out", ["pump-1", "pump-4"])
    assert "2 made" in ran.stdout and "1 there already" in ran.stdout and "3 refused" in ran.stdout


@pytest.mark.parametrize("content, told", [
    ("serial,name\n0001,Pump\n", "names no column"),
    ("pump-1;Pump\npump-2;Pump\n", "names no column"),
    (b"PK\x03\x04" + bytes(60), "workbook"),
    (b"id\npump-1\nM\xfcnchen\n", "not UTF-8"),
])
def test_a_file_that_is_no_table_of_devices_is_refused(authority, tmp_path, content, told):
    file = tmp_path / "devices.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    said = refused(1, "device", "--csv", file, "--ca", authority / "plant", "--out", tmp_path / "out")
    assert told in said and str(file) in said
    assert names_in(tmp_path / "out") == []


def test_a_certificate_is_no_table_of_devices(authority, tmp_path):
    assert "PEM file" in refused(1, "device", "--csv", authority / "root/ca.pem", "--ca",
                                 authority / "plant", "--out", tmp_path)


def test_a_first_line_that_becomes_a_device_is_told(authority, tmp_path):
    words = ["device", "--csv", "-", "--ca", authority / "plant", "--out", tmp_path]
    assert "first line is the device 'serial'" in done(*words, input="serial\n0001\n").stderr
    assert done(*words, input="id\n0002\n").stderr == ""


def test_what_another_authority_issued_is_not_there_already(authority, tmp_path):
    words = ["device", "--csv", "-", "--out", tmp_path]
    done(*words, "--ca", authority / "plant", input="pump-1\n")
    before = (tmp_path / "pump-1.pem").read_bytes()
    for signer in (["--ca", authority / "root"], ["--self-signed"]):
        ran = cert(*words, *signer, input="pump-1\n")
        assert ran.returncode == 1 and "1 refused" in ran.stdout + ran.stderr
        assert "line 1: pump-1.pem is there and not" in ran.stderr
    assert (tmp_path / "pump-1.pem").read_bytes() == before
    assert "1 there already" in done(*words, "--ca", authority / "plant", input="pump-1\n").stdout


def test_rows_come_from_standard_input_too(authority, tmp_path):
    done("device", "--csv", "-", "--ca", authority / "plant", "--out", tmp_path / "out",
         input="pump-1\npump-2\n")
    assert_whole(tmp_path / "out", ["pump-1", "pump-2"])


def test_a_file_without_devices_is_a_failure(authority, tmp_path):
    refused(1, "device", "--csv", "-", "--ca", authority / "plant", "--out", tmp_path, input="id\n")
    refused(1, "device", "--csv", tmp_path / "none.csv", "--ca", authority / "plant", "--out", tmp_path)


def test_self_signed_rows_become_a_table_of_thumbprints(tmp_path):
    ran = done("device", "--csv", "-", "--self-signed", "--out", tmp_path, input="a\nb\n")
    rows = dict(line.split(",", 1) for line in ran.stdout.splitlines())
    for device_id in "ab":
        prints = [openssl("x509", "-in", tmp_path / f"{device_id}.pem", "-noout", "-fingerprint", kind)
                  .strip().split("=")[1].replace(":", "") for kind in ["-sha1", "-sha256"]]
        assert rows[device_id] == ",".join(prints)


def test_a_device_named_often_is_made_once(authority, tmp_path):
    ids = [f"pump-{i}" for i in range(1000)]
    ran = done("device", "--csv", "-", "--ca", authority / "plant", "--out", tmp_path / "out", "--jobs",
               "8", "--json", input="".join(f"{i}\n{i.upper()}\n{i}\n" for i in ids))
    summary = json.loads(ran.stdout)
    assert (summary["made"], summary["forKeys"], summary["thereAlready"]) == (1000, 0, 2000)
    assert_whole(tmp_path / "out", ids)


def test_a_batch_that_was_killed_is_finished_by_the_same_command(authority, tmp_path):
    ids = write_csv(tmp_path / "devices.csv", 20000)
    out = tmp_path / "out"
    words = [MUSTER, "cert", "device", "--csv", tmp_path / "devices.csv", "--ca", authority / "plant",
             "--out", out]
    for at_least in [100, 1000]:
        process = subprocess.Popen([*words, "--jobs", "1"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            while process.poll() is None and (not out.exists() or len(os.listdir(out)) < at_least):
                pass
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert 1000 <= len(os.listdir(out)) < 40000, "killed on its way"
    whole = {p.name: p.read_bytes() for p in out.glob("*.pem")}
    summary = json.loads(done(*words[2:], "--json").stdout)
    assert summary["thereAlready"] == len(whole)
    assert summary["made"] + summary["forKeys"] == 20000 - len(whole)
    assert all((out / name).read_bytes() == content for name, content in whole.items())
    assert_whole(out, ids)
    for device_id in [*ids[::4000], *(name.removesuffix(".pem") for name in list(whole)[-3:])]:
        assert_belong_together(out / f"{device_id}.pem", out / f"{device_id}.key")


BEGIN = "-----BEGIN {}-----\nMIGHAgEAMBMGByqGSM49"


@pytest.mark.parametrize("name, key, certificate, made", [
    ("whole key alone", "whole", None, "forKeys"),
    ("whole key, torn certificate", "whole", BEGIN.format("CERTIFICATE"), "forKeys"),
    ("empty key", "", None, "made"),
    ("torn key", BEGIN.format("PRIVATE KEY"), None, "made"),
    ("zeroed key, whole certificate", "\0" * 241, "whole", "made"),
    ("both empty", "", "", "made"),
    ("strange key", "a poem", None, "refused"),
    ("strange certificate", "whole", "a poem", "refused"),
    ("certificate alone", None, "whole", "refused"),
])
def test_what_a_crash_leaves_is_made_whole_and_the_rest_left_alone(authority, tmp_path, name, key,
                                                                   certificate, made):
    words = ["device", "--csv", "-", "--ca", authority / "plant", "--out", tmp_path, "--json"]
    done(*words, input="pump-1\n")
    for ending, content in [("key", key), ("pem", certificate)]:
        path = tmp_path / f"pump-1.{ending}"
        if content is None:
            path.unlink()
        elif content != "whole":
            path.write_text(content)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    ran = cert(*words, input="pump-1\n")
    assert json.loads(ran.stdout)[made] == 1, name
    assert ran.returncode == (1 if made == "refused" else 0)
    if made == "refused":
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
        done(*words, "--force", input="pump-1\n")
    elif key == "whole":
        assert (tmp_path / "pump-1.key").read_bytes() == before["pump-1.key"]
    assert_whole(tmp_path, ["pump-1"])
    assert_belong_together(tmp_path / "pump-1.pem", tmp_path / "pump-1.key")


def test_a_second_run_may_want_more_files(authority, tmp_path):
    words = ["device", "--csv", "-", "--ca", authority / "plant", "--out", tmp_path]
    done(*words, input="pump-1\n")
    leaf = (tmp_path / "pump-1.pem").read_text()
    done(*words, "--full-chain", "--p12", input="pump-1\n")
    assert (tmp_path / "pump-1.pem").read_text() == leaf
    assert (tmp_path / "pump-1-chain.pem").read_text().startswith(leaf)
    assert leaf in openssl("pkcs12", "-in", tmp_path / "pump-1.p12", "-passin", "pass:", "-nodes")


def test_a_full_disk_stops_the_batch_and_the_next_run_finishes_it(authority, tmp_path):
    write_csv(tmp_path / "devices.csv", 50)
    words = ["device", "--csv", str(tmp_path / "devices.csv"), "--ca", str(authority / "plant"), "--out",
             str(tmp_path / "out")]
    limited = f"ulimit -f 0; trap '' XFSZ; exec {MUSTER} cert {' '.join(words)}"
    ran = subprocess.run(["bash", "-c", limited], capture_output=True, text=True)
    assert ran.returncode == 1 and "stopped" in ran.stderr
    assert ran.stderr.count("\n") < 10, "not a line for each of the others"
    assert json.loads(done(*words, "--json").stdout)["made"] == 50


def test_two_runs_in_one_folder_do_not_mix(authority, tmp_path):
    words = [MUSTER, "cert", "device", "--csv", "-", "--ca", authority / "plant", "--out", tmp_path]
    first = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    first.stdin.write("pump-1\n" * 4096)  # more than it buffers: it has begun when we go on
    first.stdin.flush()
    while not (tmp_path / "pump-1.pem").exists():
        assert first.poll() is None
    assert "at work" in refused(1, *words[2:], input="pump-2\n")
    first.communicate()
    assert first.returncode == 0
    assert_whole(tmp_path, ["pump-1"])


def test_a_terminal_sees_a_bar(authority, tmp_path):
    write_csv(tmp_path / "devices.csv", 10000)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [MUSTER, "cert", "device", "--csv", tmp_path / "devices.csv", "--ca", authority / "plant", "--out",
         tmp_path / "out"], stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # Linux says so when the other end is closed
            break
        seen += part
        if not part:
            break
    os.close(ours)
    assert process.wait() == 0
    assert b" % " in seen and b"/s" in seen and b" left" in seen
    assert seen.endswith(b"\r\x1b[K"), "the bar is gone at the end"


# --- show ------------------------------------------------------------------------------------------


def shown(path):
    return json.loads(done("show", path, "--json").stdout)


def test_show_tells_what_openssl_tells(authority, tmp_path):
    done("device", "pump-1", "--ca", authority / "plant", "--out", tmp_path)
    facts, = shown(tmp_path / "pump-1.pem")
    serial = openssl("x509", "-in", tmp_path / "pump-1.pem", "-noout", "-serial").strip()
    assert f"serial={facts['serial']}" == serial
    assert facts["subject"] == "CN=pump-1" and facts["issuer"] == "CN=Test plant"
    assert facts["key"] == "EC P-256" and facts["signature"] == "ecdsa-with-SHA256"
    der = tmp_path / "pump-1.der"
    openssl("x509", "-in", tmp_path / "pump-1.pem", "-outform", "der", "-out", der)
    assert facts["sha256Thumbprint"] == hashlib.sha256(der.read_bytes()).hexdigest().upper()
    assert shown(der) == [facts]
    for word in [facts["serial"], facts["sha1Thumbprint"], "CN=pump-1", "as device    yes"]:
        assert word in done("show", der).stdout


def test_show_judges_authorities_and_leaves(authority, tmp_path):
    done("device", "pump-1", "--ca", authority / "plant", "--out", tmp_path, "--full-chain")
    leaf, plant = shown(tmp_path / "pump-1-chain.pem")
    assert leaf["asDevice"]["good"] and not leaf["asAuthority"]["good"]
    assert plant["asAuthority"]["good"] and not plant["asDevice"]["good"]
    assert "as a chain   yes" in done("show", tmp_path / "pump-1-chain.pem").stdout


@pytest.mark.parametrize("name, request_words, reason", [
    ("server's leaf", ["-addext", "extendedKeyUsage=serverAuth"], "wrong_purpose"),
    ("weak key", ["-newkey", "rsa:1024"], "weak_key"),
    ("weak signature", ["-sha1"], "weak_signature"),
    ("bad name", ["-subj", "/CN=pump 1"], "bad_name"),
    ("no name", ["-subj", "/O=pump"], "bad_name"),
])
def test_show_says_why_dps_would_refuse(tmp_path, name, request_words, reason):
    words = ["-newkey", "rsa:2048", "-subj", "/CN=pump-1", "-days", "9"]
    for i in range(0, len(request_words), 2):
        if request_words[i] in words:
            words[words.index(request_words[i]) + 1] = request_words[i + 1]
        else:
            words += request_words[i:i + 2]
    openssl("req", "-x509", "-nodes", "-keyout", tmp_path / "key", "-out", tmp_path / "leaf.pem",
            "-addext", "basicConstraints=critical,CA:FALSE", *words)
    verdict = shown(tmp_path / "leaf.pem")[0]["asDevice"]
    assert (verdict["good"], verdict.get("reason")) == (False, reason), verdict
    assert verdict["text"] in done("show", tmp_path / "leaf.pem").stdout


def test_show_refuses_what_is_no_certificate(authority, tmp_path):
    assert "private key" in refused(1, "show", authority / "root/ca.key")
    (tmp_path / "poem").write_text("roses")
    refused(1, "show", tmp_path / "poem")
    refused(1, "show", tmp_path / "none")
