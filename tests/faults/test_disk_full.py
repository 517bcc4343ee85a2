"""A disk that fills: writes are refused before it is too late, what was acknowledged stays, and
the operator can still lock a device out (SECURITY-MODEL R4)."""

import contextlib
import errno
import os
import subprocess
import threading

import pytest
from lib import ledger, packets, twin
from lib.mqtt import Closed

DISK_MIB, KEPT_FREE_MIB = 200, 64  # as by default: more than a checkpoint adds at once
PAYLOAD = 64 * 1024


@pytest.fixture
def small_disk(make_server):
    """A server whose data folder is a file system of its own."""
    server = make_server(f"--disk-free-mib={KEPT_FREE_MIB}", "--disk-free-percent=0")
    server.data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0700", "muster-test",
                    server.data], check=True)
    try:
        yield server.start()
        server.stop()
    finally:
        if server.process:
            server.kill()
        subprocess.run(["umount", server.data], check=True)


@contextlib.contextmanager
def ballast(server, leave_mib):
    """Somebody else's file that leaves so much space; gone at the end."""
    path = server.data / "ballast"
    with open(path, "wb") as file:
        while not take_all_but(file, leave_mib << 20):
            pass  # the server took some meanwhile: measure again
    try:
        yield
    finally:
        path.unlink()


def take_all_but(file, leave_bytes):
    about = os.statvfs(file.fileno())
    size = about.f_bavail * about.f_frsize - leave_bytes
    try:
        os.posix_fallocate(file.fileno(), 0, max(size, 1))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return size <= 1
    return True


def event(name):
    return lambda line: f"event={name}" in line


def send_until_refused(device, numbers):
    """The numbers that were acknowledged; ends when the server closes, or is silent for 3 s."""
    acknowledged = []
    with device.connect() as client:
        for number in numbers:
            body = f'{{"n":{number},"fill":"{"x" * PAYLOAD}"}}'
            client.send(packets.publish(device.events(), body, 1, number))
            try:
                client.expect(packets.Puback, deadline=3)
            except (Closed, TimeoutError, OSError):
                return acknowledged
            acknowledged.append(number)
    raise AssertionError("the disk is full, yet everything was acknowledged")


def test_a_full_disk_is_met_before_it_comes(small_disk):
    server = small_disk
    sender, culprit, reader = (server.add_device() for _ in range(3))
    with culprit.connect() as client:
        client.subscribe(twin.RESPONSES)
        twin.report(client, {"value": 1})
    doomed = culprit.connect()
    assert server.get("/readyz")[0] == 200
    with ballast(server, leave_mib=KEPT_FREE_MIB + 8):
        acknowledged = send_until_refused(sender, range(1, 1000))
        assert acknowledged, "refused too early"
        server.log.wait_for(event("store_space_low"), deadline=3)
        status, text = server.get("/readyz")
        assert status == 503 and "degraded" in text
        assert server.get("/healthz")[0] == 200

        # Reads work, writes are refused with a reason, connections are served.
        assert server.twin(culprit.id)["properties"]["reported"]["value"] == 1
        assert server.cli("device", "list").stdout
        refusal = server.cli("device", "add", "one-too-many", check=False)
        assert refusal.returncode == 1 and "nearly full" in refusal.stderr, refusal.stderr
        with reader.connect() as client:
            client.subscribe(twin.RESPONSES)
            assert twin.get(client).body["reported"]
            assert twin.report(client, {"value": 2}).status in (429, 500, 503)

        # And with not one block left, a device is locked out nevertheless.
        with ballast_to_the_brim(server):
            server.cli("device", "block", culprit.id)
            doomed.expect_closed()
            assert culprit.refused()
    server.log.wait_for(event("store_space_back"))
    assert server.get("/readyz")[0] == 200
    with sender.connect() as client:
        client.publish(sender.events(), '{"n":1000}')
    assert server.device(culprit.id)["status"] == "blocked"
    found = ledger.read_log(server, {sender.id: 1000})[sender.id]
    assert set(acknowledged) <= set(found)
    server.cli("device", "unblock", culprit.id)
    culprit.connect().drop()


@contextlib.contextmanager
def ballast_to_the_brim(server):
    path = server.data / "brim"
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as file:
        while True:
            file.write(bytes(64 * 1024))
    with contextlib.suppress(OSError), open(path, "ab", buffering=0) as file:
        while True:
            file.write(bytes(1))
    try:
        yield
    finally:
        path.unlink()


def test_C121_keys_that_nobody_would_hear_of_are_not_shown(small_disk):
    """A look at keys is told of, or it is none; locking out is never refused for want of a note."""
    server = small_disk
    device = server.add_device()
    with ballast(server, leave_mib=KEPT_FREE_MIB - 4):
        server.log.wait_for(event("store_space_low"))
        refusal = server.cli("device", "credentials", device.id, check=False)
        assert refusal.returncode == 1 and device.key not in refusal.stdout + refusal.stderr
        server.cli("device", "block", device.id)
        told = server.cli("audit", "--target", device.id).stdout
        assert "devices.block" in told and "credentials.read" not in told


def test_H054_a_load_into_a_full_disk_loses_nothing(small_disk):
    """Many at once, the server killed while the disk is full: the ledger still holds."""
    server = small_disk
    books = [ledger.TelemetryBook(server.add_device()) for _ in range(6)]
    loads = [ledger.TelemetryLoad(server, book) for book in books]
    for load in loads:
        load.start()
        assert load.connected.wait(30)
    with ballast(server, leave_mib=4):
        server.log.wait_for(event("store_space_low"))
        killer = threading.Timer(1, server.kill)
        killer.start()
        killer.join()
        for load in loads:
            load.finish()
    server.start()
    last = {book.device.id: book.end_round() for book in books}
    found = ledger.read_log(server, last)
    for book in books:
        book.check(found[book.device.id])
