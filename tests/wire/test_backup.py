"""A backup made while devices work, restored elsewhere: central.md checklist, "Administration"."""

import os
import shutil
import subprocess

import pytest
from lib import dps, ledger
from lib.server import HubDevice, MusterServer, unique_id


def back_up(server, name="backup"):
    file = server.folder / name
    server.cli("backup", "--out", file)
    return file


def keep_key(server):
    """The master key, kept apart, as its keeper would: his own."""
    key = server.folder / "kept.key"
    shutil.copyfile(server.data / "master.key", key)
    os.chmod(key, 0o600)
    return key


def restored(server, backup, key):
    """A server of the same name on what was restored, not yet started."""
    other = MusterServer(host=server.host)
    done = other.run("restore", backup, "--master-key", key, "--data", other.data)
    assert done.returncode == 0, done.stderr
    return other


def test_C127_devices_reconnect_untouched_after_a_restore(new_server):
    server = new_server()
    scope, group_key = server.scope, server.group_key()
    device = server.add_device()
    server.set_desired(device.id, {"interval": 7})
    book = ledger.TelemetryBook(device)
    load = ledger.TelemetryLoad(server, book)
    load.start()
    assert load.connected.wait(30)
    with server.monitor(device.id) as monitor:
        for _ in range(100):
            monitor.next()
    certain = book.acknowledged
    assert certain > 0
    file, key = back_up(server), keep_key(server)
    assert load.is_alive()
    server.kill()
    load.finish()

    other = restored(server, file, key)
    try:
        other.start()
        assert (other.scope, other.group_key()) == (scope, group_key)
        assert other.twin(device.id)["properties"]["desired"]["interval"] == 7
        numbers = [int(message.shown["body"]["n"]) for message in other.messages(device.id, certain)]
        assert set(numbers) == set(range(1, certain + 1))
        again = HubDevice(other, device.id, device.key)
        with again.connect() as client:
            client.publish(again.events(), b"{}")
    finally:
        other.close()


def test_C127_a_factory_line_goes_on_after_a_restore(new_server):
    server = new_server()
    server.cli("settings", "set", "autoApprove", "true")
    server.cli("settings", "set", "requireTemplate", "never")
    registrant = dps.group_device(server, unique_id())
    before = registrant.register().body["registrationState"]
    file, key = back_up(server), keep_key(server)
    server.stop()
    other = restored(server, file, key)
    try:
        other.start()
        answer = dps.Registrant(other, registrant.id, registrant.key).register()
        dps.assert_assigned(answer)
        after = answer.body["registrationState"]
        for member in ["deviceId", "assignedHub", "createdDateTimeUtc"]:
            assert after[member] == before[member]
    finally:
        other.close()


@pytest.fixture
def backup(new_server):
    """(server, backup, key) of a server that does not run."""
    server = new_server()
    server.stop()
    return server, back_up(server), keep_key(server)


def check(server, file, key):
    return server.run("restore", file, "--master-key", key, "--check")


def test_a_backup_can_be_checked_and_leaves_nothing_behind(backup):
    server, file, key = backup
    before = sorted(server.folder.iterdir())
    done = check(server, file, key)
    assert done.returncode == 0, done.stderr
    assert sorted(server.folder.iterdir()) == before
    assert not (server.data / "backup.part").exists()


@pytest.mark.parametrize("damage", ["cut off", "changed", "longer", "empty"])
def test_a_damaged_backup_puts_nothing_in_place(backup, damage):
    server, file, key = backup
    content = file.read_bytes()
    file.write_bytes({"cut off": content[:-1], "longer": content + b"x", "empty": b"",
                      "changed": content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
                      }[damage])
    target = server.folder / "target"
    done = server.run("restore", file, "--master-key", key, "--data", target)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert not target.exists() and not (server.folder / "target.restoring").exists()


def test_another_servers_key_does_not_open_it(backup, new_server):
    server, file, _ = backup
    other = new_server()
    done = check(server, file, keep_key(other))
    assert done.returncode == 1 and "master key" in done.stderr


@pytest.mark.parametrize("key_is_there", [True, False], ids=["with the key", "with no key"])
@pytest.mark.parametrize("way", ["--data", "--check"])
def test_what_stands_where_it_would_unpack_is_left_alone(backup, way, key_is_there):
    server, file, key = backup
    beside = server.folder / ("target.restoring" if way == "--data" else f"{file.name}.checking")
    (beside / "tls").mkdir(mode=0o700, parents=True)
    names = ["id-scope", "master.key", "muster.db", "tls/ca.key"]
    for name in names:
        (beside / name).write_text("precious")
    target = ["--data", server.folder / "target"] if way == "--data" else ["--check"]
    done = server.run("restore", file, "--master-key",
                      key if key_is_there else server.folder / "missing", *target)
    assert done.returncode == 1
    assert (str(beside) if key_is_there else "missing") in done.stderr
    assert all((beside / name).read_text() == "precious" for name in names)


def test_a_folder_that_holds_something_is_not_replaced(backup):
    server, file, key = backup
    target = server.folder / "target"
    target.mkdir(mode=0o700)
    (target / "precious").write_text("x")
    done = server.run("restore", file, "--master-key", key, "--data", target)
    assert done.returncode == 1 and "move it away" in done.stderr
    assert [entry.name for entry in target.iterdir()] == ["precious"]
    (target / "precious").unlink()
    done = server.run("restore", file, "--master-key", key, "--data", target)
    assert done.returncode == 0, done.stderr


def test_a_backup_does_not_replace_a_file_and_keeps_its_secrets(backup):
    server, file, _ = backup
    content = file.read_bytes()
    done = server.cli("backup", "--out", file, check=False)
    assert done.returncode == 1 and file.read_bytes() == content
    assert file.stat().st_mode & 0o777 == 0o600
    for secret in [b"PRIVATE KEY", (server.data / "api-token").read_bytes()[-30:],
                   (server.data / "master.key").read_bytes(), b"SQLite format"]:
        assert secret not in content


def test_a_copy_of_a_newer_schema_is_refused(backup):
    server, file, key = backup
    target = server.folder / "target"
    assert server.run("restore", file, "--master-key", key, "--data", target).returncode == 0
    script = ("import sqlite3, sys; db = sqlite3.connect(sys.argv[1]);"
              "db.execute(\"INSERT INTO schema_step VALUES ('hub', 99, 0)\"); db.commit()")
    subprocess.run(["python3", "-c", script, target / "muster.db"], check=True)
    newer = server.folder / "newer"
    done = server.run("backup", "--data", target, "--out", newer)
    assert done.returncode == 0, done.stderr
    done = check(server, newer, key)
    assert done.returncode == 1 and "newer version" in done.stderr
