"""What operators get wrong: wrong words, wrong files, wrong folders. Each is told in one line."""

import os
import shutil
import subprocess

import pytest
from lib.server import MUSTER, temporary_folder

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def muster(*words, timeout=30, **environment):
    """A command, without the operator's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
    return subprocess.run([MUSTER, *map(str, words)], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=timeout, env={**kept, **environment})


def assert_told(done, code, *parts):
    """Exit status, and beside the log one line on standard error that starts with our name."""
    told = f"{done.args[1:]}: {done.returncode}\n{done.stderr}{done.stdout}"
    assert done.returncode == code, told
    lines = [line for line in done.stderr.splitlines() if not line.startswith("time=")]
    assert len(lines) == 1 and lines[0].startswith("muster"), told
    for part in parts:
        assert part in lines[0], told
    return lines[0]


@pytest.fixture
def folder():
    made = temporary_folder()
    yield made
    shutil.rmtree(made)


# --- words ---------------------------------------------------------------------------------------

WRONG_USAGE = [
    ["dance"],
    ["--dance"],
    ["serve", "--dance"],
    ["serve", "dance"],
    ["serve", "--host"],
    ["serve", "--workers", "many"],
    ["serve", "--workers", "65"],
    ["serve", "--workers=-1"],
    ["serve", "--log-level", "chatty"],
    ["serve", "--dps-answer", "now"],
    ["serve", "--unknown-filter", "maybe"],
    ["serve", "--egress-allow"],
    ["serve", "--egress-allow", "10.0.0.0"],
    ["serve", "--egress-allow", "10.0.0.1/8"],
    ["serve", "--egress-allow=10.0.0.0/8,", "--data", "{data}"],
    ["serve", "--egress-ports", "http"],
    ["serve", "--config"],
    ["serve", "--config", "/nonexistent/muster.ini"],
    ["info", "word"],
    ["info", "--data"],
    ["info", "--dance"],
    ["enrollment"],
    ["enrollment", "dance"],
    ["enrollment", "add"],
    ["enrollment", "add", "a", "b"],
    ["enrollment", "list", "a"],
    ["enrollment", "show"],
    ["enrollment", "enable"],
    ["enrollment", "disable"],
    ["enrollment", "delete"],
    ["enrollment", "add", "a", "--primary-key"],
    ["enrollment", "add", "a", "--individual=yes"],
    ["enrollment", "add", "a", "--device-id", "d", "--data", "{data}"],
    ["enrollment", "add", "a", "--certificate", "c.pem", "--data", "{data}"],
    ["enrollment", "add", "a", "--attestation", "x509", "--certificate", "c", "--data", "{data}"],
    ["enrollment", "add", "a", "--attestation", "x509", "--individual", "--data", "{data}"],
    ["enrollment", "add", "a", "--attestation", "x509", "--primary-key", KEY, "--data", "{data}"],
    ["enrollment", "add", "a", "--allow-expired", "--data", "{data}"],
    ["enrollment", "attempts", "a", "b"],
    ["enrollment", "attempts", "--count", "few", "--data", "{data}"],
    ["enrollment", "attempts", "--count", "0", "--data", "{data}"],
    ["ca"],
    ["ca", "dance"],
    ["ca", "add"],
    ["ca", "add", "g", "c.pem"],
    ["ca", "add", "g", "--slot", "primary"],
    ["ca", "add", "g", "c.pem", "--slot", "third"],
    ["ca", "add", "g", "/nonexistent/c.pem", "--slot", "primary", "--data", "{data}"],
    ["ca", "code", "g"],
    ["ca", "code", "--slot", "primary"],
    ["ca", "verify", "g", "c.pem"],
    ["ca", "verify", "g", "--slot", "primary"],
    ["ca", "show"],
    ["ca", "show", "g", "h"],
    ["ca", "remove", "g"],
    ["ca", "crl", "g", "--data", "{data}"],
    ["ca", "crl", "g", "--off", "--data", "{data}"],
    ["ca", "crl", "g", "c.crl", "--slot", "primary", "--off", "--data", "{data}"],
    ["ca", "ocsp", "g", "--url", "http://x/"],
    ["ca", "ocsp", "g", "--slot", "primary", "--data", "{data}"],
    ["ca", "ocsp", "g", "--slot", "primary", "--url", "http://x/", "--off", "--data", "{data}"],
    ["ca", "ocsp", "g", "--slot", "primary", "--off", "--fail-closed", "--data", "{data}"],
    ["ca", "deny", "--data", "{data}"],
    ["ca", "deny", "--group", "g", "--data", "{data}"],
    ["ca", "deny", "--serial", "01", "--data", "{data}"],
    ["ca", "deny", "--thumbprint", "AB", "--group", "g", "--data", "{data}"],
    ["ca", "deny", "word"],
    ["ca", "denied", "word"],
    ["ca", "allow"],
    ["ca", "show", "g", "--dance"],
    ["explain"],
    ["explain", "word"],
    ["explain", "--cert"],
    ["explain", "--cert", "/nonexistent/c.pem"],
    ["explain", "--cert", "c.pem", "--sas", "token"],
    ["explain", "--sas", "token", "--chain", "c.pem"],
    ["device"],
    ["device", "dance"],
    ["device", "add"],
    ["device", "add", "d", "--thumbprint", "A", "--certificate-authority", "--data", "{data}"],
    ["device", "add", "d", "--secondary-thumbprint", "A", "--data", "{data}"],
    ["device", "add", "d", "e", "--thumbprint", "A", "--data", "{data}"],
    ["device", "add", "d", "--certificate", "/nonexistent/c.pem", "--data", "{data}"],
    ["device", "add", "d", "--certificate", "/dev/null", "--data", "{data}"],
    ["device", "list", "word"],
    ["device", "list", "--status"],
    ["device", "show"],
    ["device", "import"],
    ["device", "import", "a.csv", "b.csv"],
    ["device", "import", "/nonexistent/d.csv", "--data", "{data}"],
    ["device", "import", "/dev/null", "--data", "{data}"],
    ["device", "import", "/", "--data", "{data}"],
    ["device", "import", "/etc/hostname", "--skip", "--update", "--data", "{data}"],
    ["device", "export", "word"],
    ["device", "export", "--out", "/nonexistent/out.csv", "--data", "{data}"],
    ["device", "block", "--matching", "--data", "{data}"],
    ["device", "block", "--matching", "d1", "--data", "{data}"],
    ["device", "associate", "--matching", "--status", "blocked", "--data", "{data}"],
    ["operation"],
    ["operation", "dance"],
    ["operation", "list", "word"],
    ["operation", "list", "--count", "many", "--data", "{data}"],
    ["operation", "list", "--count", "0", "--data", "{data}"],
    ["operation", "show"],
    ["operation", "show", "a", "b"],
    ["operation", "cancel"],
    ["operation", "watch"],
    ["operation", "errors"],
    ["operation", "rejected", "a", "b"],
    ["device", "approve"],
    ["device", "associate"],
    ["device", "associate", "d1", "--data", "{data}"],
    ["device", "block"],
    ["device", "unblock"],
    ["device", "delete"],
    ["device", "twin"],
    ["device", "twin", "d1", "d2"],
    ["device", "twin", "d1", "--desired", "{bad", "--data", "{data}"],
    ["device", "invoke", "d1"],
    ["device", "invoke", "d1", "m", "--payload", "{bad", "--data", "{data}"],
    ["device", "invoke", "d1", "m", "--timeout", "soon", "--data", "{data}"],
    ["device", "invoke", "d1", "m", "--timeout", "4", "--data", "{data}"],
    ["device", "send", "d1"],
    ["device", "purge"],
    ["device", "feedback"],
    ["device", "module", "d1"],
    ["device", "credentials"],
    ["device", "connection-string"],
    ["device", "show", "d1", "--dance"],
    ["monitor", "word"],
    ["monitor", "--count"],
    ["monitor", "--count", "few"],
    ["monitor", "--count", "0"],
    ["monitor", "--device"],
    ["template"],
    ["template", "dance"],
    ["template", "list", "word"],
    ["settings", "dance"],
    ["settings", "set"],
    ["settings", "set", "autoApprove"],
    ["keygen"],
    ["keygen", "dance"],
    ["keygen", "--key"],
    ["keygen", "--key", KEY],
    ["keygen", "--device", "d1"],
    ["keygen", "--key", "no base64!", "--device", "d1"],
    ["keygen", "--key", KEY, "--device", "no spaces allowed"],
    ["keygen", "--device-key", KEY, "--device", "d1"],
    ["keygen", "--key", KEY, "--device", "d1", "--scope", "0ne1"],
    ["token"],
    ["token", "dance"],
    ["token", "device"],
    ["token", "device", "--hub", "h", "--device", "d", "--key", "no base64!"],
    ["token", "device", "--hub", "h", "--device", "d", "--key", KEY, "--life", "long"],
    ["token", "registration", "--scope", "0ne1"],
    ["token", "service", "--host", "h"],
    ["token", "connection-string"],
    ["token", "connection-string", "nonsense"],
    ["backup", "--data", "{data}"],
    ["backup", "word", "--out", "f", "--data", "{data}"],
    ["backup", "--out", "f", "--data", "/nonexistent"],
    ["restore"],
    ["restore", "f"],
    ["restore", "f", "--check"],
    ["restore", "f", "--master-key", "k"],
    ["restore", "f", "--master-key", "k", "--check", "--data", "d"],
]


@pytest.mark.parametrize("words", WRONG_USAGE, ids=" ".join)
def test_wrong_words_are_answered_with_2_and_one_line(server, words):
    assert_told(muster(*(str(server.data) if word == "{data}" else word for word in words)), 2)


def test_no_word_at_all_is_answered_with_the_help():
    done = muster()
    assert done.returncode == 2 and "usage: muster COMMAND" in done.stderr


NEED_A_SERVER = [
    ["enrollment", "list"], ["enrollment", "add", "a"], ["enrollment", "show", "a"],
    ["enrollment", "enable", "a"], ["enrollment", "disable", "a"], ["enrollment", "delete", "a"],
    ["enrollment", "attempts"], ["enrollment", "attempts", "a"],
    ["ca", "code", "g", "--slot", "primary"], ["ca", "show", "g"],
    ["ca", "remove", "g", "--slot", "primary"], ["ca", "crl", "g", "--slot", "primary", "--off"],
    ["ca", "ocsp", "g", "--slot", "primary", "--off"], ["ca", "deny", "--thumbprint", "A"],
    ["ca", "denied"], ["ca", "allow", "k"], ["explain", "--sas", "token"],
    ["device", "add", "d1"], ["device", "list"], ["device", "show", "d1"],
    ["device", "approve", "d1"], ["device", "associate", "d1", "--template", "t"],
    ["device", "block", "d1"], ["device", "unblock", "d1"], ["device", "delete", "d1"],
    ["device", "twin", "d1"], ["device", "invoke", "d1", "m"], ["device", "send", "d1", "t"],
    ["device", "purge", "d1"], ["device", "feedback", "d1"], ["device", "module", "d1", "m"],
    ["device", "credentials", "d1"], ["device", "connection-string", "d1"],
    ["monitor"], ["template", "list"], ["settings"], ["settings", "set", "autoApprove", "true"],
]


@pytest.mark.parametrize("words", [*NEED_A_SERVER, ["info"]], ids=" ".join)
def test_a_wrong_data_folder_is_named(folder, words):
    missing = folder / "not-there"
    assert_told(muster(*words, "--data", missing), 2, str(missing), "--data")


@pytest.mark.parametrize("words", NEED_A_SERVER, ids=" ".join)
def test_a_server_that_does_not_run_is_said(words):
    line = assert_told(muster(*words, MUSTER_URL="https://127.0.0.1:1", MUSTER_TOKEN="t"), 1)
    assert "127.0.0.1" in line


REFUSED = [
    (["device", "show", "nobody"], "no such device"),
    (["device", "block", "nobody"], ""),
    (["device", "add", "blank inside"], ""),
    (["device", "add", "x" * 129], ""),
    (["device", "twin", "nobody"], ""),
    (["device", "invoke", "nobody", "m"], ""),
    (["device", "send", "nobody", "text"], ""),
    (["device", "connection-string", "nobody"], ""),
    (["device", "credentials", "nobody"], ""),
    (["device", "list", "--status", "dancing"], ""),
    (["enrollment", "show", "nobody"], ""),
    (["enrollment", "delete", "nobody"], ""),
    (["enrollment", "add", "bad-key", "--primary-key", "x"], ""),
    (["enrollment", "add", "bad-kind", "--attestation", "smile"], ""),
    (["ca", "show", "nobody"], ""),
    (["ca", "code", "nobody", "--slot", "primary"], ""),
    (["ca", "remove", "nobody", "--slot", "primary"], ""),
    (["ca", "ocsp", "nobody", "--slot", "primary", "--off"], ""),
    (["ca", "crl", "nobody", "--slot", "primary", "--off"], ""),
    (["ca", "deny", "--thumbprint", "AB"], "40 (SHA-1) or 64 (SHA-256)"),
    (["ca", "deny", "--group", "g", "--serial", "no hex"], "hex"),
    (["device", "add", "d-weak", "--thumbprint", "AB"], "40 (SHA-1) or 64 (SHA-256)"),
    (["settings", "set", "autoApprove", "perhaps"], ""),
    (["settings", "set", "noSuchSetting", "true"], ""),
]


@pytest.mark.parametrize(("words", "part"), REFUSED, ids=lambda value: " ".join(value)[:60])
def test_what_the_server_refuses_ends_with_1_and_its_reason(server, words, part):
    assert_told(muster(*words, "--data", server.data), 1, part, "(HTTP 4")


def test_a_wrong_token_ends_with_1(server):
    line = assert_told(muster("device", "list", MUSTER_URL=server.info["httpsUrl"],
                              MUSTER_TOKEN="SharedAccessSignature sr=x&sig=eA%3D%3D&skn=x&se=1",
                              MUSTER_CA=server.ca_file), 1)
    assert "401" in line


def test_a_server_whose_certificate_nobody_vouches_for_is_refused(server):
    assert_told(muster("device", "list", MUSTER_URL=server.info["httpsUrl"], MUSTER_TOKEN="t"), 1)


# --- configuration files -------------------------------------------------------------------------

CONFIGURATIONS = {
    "unknown section": ("[server]\nhost = h\n[dance]\nspeed = 1\n", 4, "[dance] speed"),
    "unknown key": ("[server]\n\nhots = h\n", 3, "[server] hots"),
    "key of another section": ("[server]\npartitions = 4\n", 2, "[server] partitions"),
    "bad number": ("[server]\nworkers = many\n", 2, "whole number from 0 to 64"),
    "out of range": ("# a comment\n[log]\npartitions = 33\n", 3, "from 1 to 32"),
    "empty number": ("[log]\npartitions =\n", 2, "from 1 to 32"),
    "word that is no choice": ("[hub]\nunknown_filter = maybe\n", 2, "close fail"),
    "a range with bits behind it": ("[egress]\negress_allow = 10.0.0.1/8\n", 2, "10.0.0.1/8"),
    "no ini file": ("{\"server\": 1}\n", 1, "line 1"),
    "section without an end": ("[server\nhost = h\n", 1, "line 1"),
    "key without a section": ("host = h\n", 1, "line 1"),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_wrong_configuration_file_is_told_with_its_line(folder, name):
    text, line, part = CONFIGURATIONS[name]
    file = folder / "muster.ini"
    file.write_text(text)
    done = muster("serve", "--config", file, "--data", folder / "data")
    assert_told(done, 2, str(file), f"line {line}:", part)
    assert not (folder / "data").exists()


def test_a_missing_configuration_file_is_named(folder):
    assert_told(muster("serve", "--config", folder / "absent.ini"), 2, str(folder / "absent.ini"))


# --- data folders --------------------------------------------------------------------------------


def serve(data, *options):
    """`muster serve`, which must not come up."""
    return muster("serve", "--data", data, "--https=127.0.0.1:0", "--mqtts=127.0.0.1:0", *options)


@pytest.fixture
def used_folder(make_server):
    """The data folder of a server that has run."""
    server = make_server().start()
    server.stop()
    return server.data


def test_a_data_folder_that_others_may_enter_is_refused(used_folder):
    used_folder.chmod(0o755)
    assert_told(serve(used_folder), 1, str(used_folder), "chmod 700")


def test_a_data_folder_that_is_a_file_is_refused(folder):
    (folder / "data").write_text("")
    assert_told(serve(folder / "data"), 1, str(folder / "data"))


def test_a_folder_of_other_things_is_refused_and_left_as_it_was(folder):
    other = folder / "authority"
    other.mkdir(mode=0o700)
    (other / "ca.key").write_text("not ours")
    owner = (other / "ca.key").stat().st_uid
    assert_told(serve(other), 1, str(other), "empty folder")
    assert [file.name for file in other.iterdir()] == ["ca.key"]
    assert (other / "ca.key").stat().st_uid == owner


def test_a_data_folder_in_a_missing_folder_is_refused(folder):
    assert_told(serve(folder / "absent" / "data"), 1, str(folder / "absent"))


def test_a_master_key_that_others_may_read_is_refused(used_folder):
    (used_folder / "master.key").chmod(0o644)
    assert_told(serve(used_folder), 1, "master.key", "0644")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_master_key_of_another_size_is_refused(used_folder, size):
    key = used_folder / "master.key"
    key.write_bytes(bytes(size))
    assert_told(serve(used_folder), 1, "master.key")


def test_a_foreign_master_key_is_refused(used_folder):
    """Another key of the right size: the secrets cannot be opened, so the server says so."""
    (used_folder / "master.key").write_bytes(os.urandom(32))
    assert_told(serve(used_folder), 1, "master key")


def test_a_missing_master_key_is_refused(used_folder):
    (used_folder / "master.key").unlink()
    assert_told(serve(used_folder), 1, "master.key")
    assert not (used_folder / "master.key").exists(), "a new key would seal the old one's secrets"


def overwrite(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


DAMAGES = {
    "no database at all": lambda path: path.write_text("not a database, " * 1000),
    "damaged header": lambda path: overwrite(path, 0, b"\xff" * 100),
    "damaged schema page": lambda path: overwrite(path, 100, b"\xff" * 3996),
    "cut in the middle": lambda path: os.truncate(path, path.stat().st_size // 2),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_database_is_refused_with_a_sentence(used_folder, name):
    DAMAGES[name](used_folder / "muster.db")
    assert_told(serve(used_folder), 1, "muster.db")


def test_a_second_server_on_the_same_data_folder_is_refused(server):
    assert_told(serve(server.data), 1, str(server.data))
    assert server.get("/healthz")[0] == 200


def test_a_port_that_is_taken_is_refused_and_named(server, folder):
    port = server.info["mqttsPort"]
    assert_told(muster("serve", "--data", folder / "data", "--https=127.0.0.1:0",
                       f"--mqtts=127.0.0.1:{port}"), 1, str(port))


def test_a_missing_certificate_is_named(folder):
    absent = folder / "absent.pem"
    assert_told(serve(folder / "data", "--certificate", absent, "--key", absent), 1, "absent.pem")


@pytest.mark.parametrize("option", ["--certificate", "--key", "--rsa-certificate", "--rsa-key"])
def test_a_certificate_without_its_key_is_refused(folder, option):
    assert_told(serve(folder / "data", option, folder / "absent.pem"), 2, "together")
