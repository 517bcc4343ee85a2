"""What ends a live session that a certificate opened, and what must not: SECURITY-MODEL S5,
central.md 1.6 rows 23 and 24, provisioning.md 5.5; and a roll-over under load."""

import queue
import threading
import time

import pytest
from lib import certificates
from lib.certificates import Authority
from lib.dps import CertificateRegistrant, assert_assigned, assert_unauthorized
from lib.groups import CertificateGroup, Factory
from lib.server import CertificateDevice, unique_id

SERVER_OPTIONS = ["--accepts-per-second=0"]

LIMIT = 1  # second, from the order to the end of the session


@pytest.fixture
def factory(server):
    return Factory(server)


def registered(factory):
    device_id, leaf = factory.add_device()
    assert_assigned(CertificateRegistrant(factory.server, device_id, leaf).register())
    return CertificateDevice(factory.server, device_id, leaf)


def rolled(factory, device):
    """The same device with a leaf that is not registered: it comes by its chain."""
    leaf = factory.authority.leaf(device.id, name=f"{device.id}-rolled")
    return CertificateDevice(device.server, device.id, leaf)


def by_thumbprint(factory):
    return registered(factory)


def by_chain(factory):
    return rolled(factory, registered(factory))


either_way = pytest.mark.parametrize("device_of", [by_thumbprint, by_chain],
                                     ids=lambda make: make.__name__)


def assert_ends(client, order):
    """The session ends within a second of the order, which began it or came before its answer."""
    started = time.monotonic()
    order()
    answered = time.monotonic()
    client.expect_closed(deadline=5)
    ended = time.monotonic()
    assert min(ended - started, ended - answered) < LIMIT, (answered - started, ended - started)


def assert_stays(client, device):
    client.publish(device.events(), b"still here")


def assert_is_out(device):
    """Neither the hub nor the DPS lets it in."""
    assert device.refused() == 5
    assert_unauthorized(CertificateRegistrant(device.server, device.id, device.leaf)
                        .http_register())


def assert_is_in(device):
    device.connect().disconnect()
    assert_assigned(CertificateRegistrant(device.server, device.id, device.leaf).register())


# --- the deny list -------------------------------------------------------------------------------


@either_way
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_a_denied_thumbprint_ends_the_session_and_keeps_it_out(server, factory, device_of, digest):
    device, bystander = device_of(factory), registered(factory)
    with device.connect() as client, bystander.connect() as other:
        assert_ends(client, lambda: server.cli(
            "ca", "deny", "--thumbprint", certificates.thumbprint(device.leaf, digest),
            "--reason", "stolen"))
        assert_is_out(device)
        assert_stays(other, bystander)
    assert "stolen" in server.cli("ca", "denied").stdout
    allow_all(server)
    assert_is_in(device)


@either_way
def test_a_denied_serial_ends_the_session_and_keeps_it_out(server, factory, device_of):
    device, bystander = device_of(factory), registered(factory)
    with device.connect() as client, bystander.connect() as other:
        assert_ends(client, lambda: server.cli(
            "ca", "deny", "--group", factory.group.id, "--serial",
            certificates.serial(device.leaf)))
        assert_is_out(device)
        assert_stays(other, bystander)
    allow_all(server)
    assert_is_in(device)


def test_a_denied_intermediate_ends_what_came_through_it(server, factory):
    plant = factory.authority.intermediate("plant")
    device = registered(factory)
    leaf = plant.chained(plant.leaf(device.id))
    device = CertificateDevice(server, device.id, leaf)
    with device.connect() as client:
        assert_ends(client, lambda: server.cli(
            "ca", "deny", "--thumbprint", certificates.thumbprint(plant)))
        assert_is_out(device)
    allow_all(server)
    assert_is_in(device)


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_a_denied_leaf_does_not_come_back_under_another_signature(server, factory, digest):
    device = registered(factory)
    twin = certificates.twin(device.leaf)
    assert certificates.thumbprint(twin) != certificates.thumbprint(device.leaf)
    device = CertificateDevice(server, device.id, twin)
    with device.connect() as client:
        assert_ends(client, lambda: server.cli(
            "ca", "deny", "--thumbprint", certificates.thumbprint(device.leaf, digest)))
        assert_is_out(device)
    allow_all(server)
    with device.connect() as client:
        assert_ends(client, lambda: server.cli(
            "ca", "deny", "--thumbprint", certificates.thumbprint(
                certificates.twin(device.leaf), digest)))
        assert_is_out(device)
    allow_all(server)


def test_a_leaf_that_registered_under_another_signature_is_denied_by_its_own(server, factory):
    device_id, leaf = factory.add_device()
    twin = certificates.twin(leaf)
    assert_assigned(CertificateRegistrant(server, device_id, twin).register())
    device = CertificateDevice(server, device_id, twin)
    with device.connect() as client:
        assert_ends(client, lambda: server.cli("ca", "deny", "--certificate", leaf.certificate))
        assert_is_out(device)
    allow_all(server)


def test_a_denied_intermediate_does_not_come_back_under_another_signature(server, factory):
    plant = factory.authority.intermediate("plant")
    device_id, _ = factory.add_device()
    leaf = plant.leaf(device_id)
    chain = leaf.certificate.with_suffix(".twins.pem")
    chain.write_text(leaf.certificate.read_text() + certificates.twin(plant).certificate.read_text())
    leaf = certificates.Leaf(chain, leaf.key)
    assert_assigned(CertificateRegistrant(server, device_id, leaf).register())
    device = CertificateDevice(server, device_id, leaf)
    with device.connect() as client:
        assert_ends(client, lambda: server.cli(
            "ca", "deny", "--thumbprint", certificates.thumbprint(plant)))
        assert_is_out(device)
    allow_all(server)


def registered_through(factory, plant):
    """A device that registered with its chain and shows the hub its leaf alone, as it may."""
    device_id, _ = factory.add_device()
    leaf = plant.leaf(device_id)
    assert_assigned(CertificateRegistrant(factory.server, device_id, plant.chained(leaf)).register())
    return CertificateDevice(factory.server, device_id, leaf)


def test_a_denied_intermediate_ends_what_once_registered_through_it(server, factory):
    plant = factory.authority.intermediate("plant")
    device = registered_through(factory, plant)
    bystander = registered_through(factory, factory.authority.intermediate("other"))
    with device.connect() as client, bystander.connect() as other:
        assert_ends(client, lambda: server.cli(
            "ca", "deny", "--thumbprint", certificates.thumbprint(plant)))
        assert device.refused() == 5
        assert_stays(other, bystander)
    allow_all(server)
    device.connect().disconnect()


def allow_all(server):
    status, answer = server.api("GET", "deniedCertificates")
    assert status == 200, answer
    for row in answer["value"]:
        server.cli("ca", "allow", row["key"])
    assert server.api("GET", "deniedCertificates")[1]["value"] == []


# --- the revocation list -------------------------------------------------------------------------


@either_way
def test_a_revocation_list_ends_the_session_and_keeps_it_out(factory, device_of):
    device, bystander = device_of(factory), registered(factory)
    with device.connect() as client, bystander.connect() as other:
        assert_ends(client, lambda: factory.group.revoke(factory.authority, device.leaf))
        assert_is_out(device)
        assert_stays(other, bystander)
    crl = factory.group.slot()["crl"]
    assert (crl["number"], crl["entries"]) == ("01", 1)


def test_a_revoked_intermediate_takes_its_leaves_with_it(server, factory):
    plant = factory.authority.intermediate("plant")
    device = registered(factory)
    device = CertificateDevice(server, device.id, plant.chained(plant.leaf(device.id)))
    with device.connect() as client:
        assert_ends(client, lambda: factory.group.revoke(factory.authority, plant))
        assert_is_out(device)


def test_a_revoked_intermediate_takes_what_once_registered_through_it(factory):
    plant = factory.authority.intermediate("plant")
    device = registered_through(factory, plant)
    with device.connect() as client:
        assert_ends(client, lambda: factory.group.revoke(factory.authority, plant))
        assert device.refused() == 5


def test_a_list_is_taken_from_its_own_authority_only(server, factory):
    device = registered(factory)
    namesake = factory.authority.folder / "copy"
    namesake.mkdir()
    forger = Authority(namesake, factory.authority.folder.name)
    refused = server.cli("ca", "crl", factory.group.id, forger.revocation_list(device.leaf),
                         check=False)
    assert refused.returncode == 1
    assert factory.group.slot()["crl"] is None
    assert_is_in(device)


def test_an_older_list_does_not_take_the_place_of_a_newer_one(server, factory):
    first, second = registered(factory), registered(factory)
    old = factory.authority.revocation_list(first.leaf).read_text()
    factory.group.revoke(factory.authority, second.leaf)
    older = server.folder / unique_id("older")
    older.write_text(old)
    assert server.cli("ca", "crl", factory.group.id, older, check=False).returncode == 1
    assert factory.group.slot()["crl"]["entries"] == 2
    assert_is_out(second)


def test_a_list_of_the_secondary_finds_its_slot(server, factory):
    other = Authority(server.folder, unique_id("second"))
    factory.group.trust(other, slot="secondary")
    device_id = unique_id()
    server.cli("device", "add", device_id)
    device = CertificateDevice(server, device_id, other.leaf(device_id))
    assert_is_in_after_registration(device)
    with device.connect() as client:
        assert_ends(client, lambda: factory.group.revoke(other, device.leaf))
        assert_is_out(device)
    slots = factory.group.slots()
    assert slots["primary"]["crl"] is None and slots["secondary"]["crl"]["entries"] == 1


def assert_is_in_after_registration(device):
    assert_assigned(CertificateRegistrant(device.server, device.id, device.leaf).register())
    device.connect().disconnect()


# --- authorities that go -------------------------------------------------------------------------


@pytest.mark.parametrize("go", ["remove", "replace", "disable"])
def test_without_its_authority_a_registered_leaf_stays_and_others_go(server, factory, go):
    """central.md 1.6, rows 23 and 24: what the device registered is its own."""
    stays, goes = registered(factory), by_chain(factory)

    def order():
        if go == "remove":
            factory.group.remove()
        elif go == "replace":
            factory.group.trust(Authority(server.folder, unique_id("next")))
        else:
            factory.group.enable(False)

    with stays.connect() as client, goes.connect() as other:
        assert_ends(other, order)
        assert_stays(client, stays)
    assert goes.refused() == 5
    stays.connect().disconnect()


def test_a_deleted_group_ends_what_came_by_chain(server, factory):
    goes = by_chain(factory)
    with goes.connect() as client:
        assert_ends(client, lambda: server.cli("enrollment", "delete", factory.group.id))
    assert goes.refused() == 5


def test_a_block_ends_the_session_whatever_let_it_in(server, factory):
    for device in (registered(factory), by_chain(factory)):
        with device.connect() as client:
            assert_ends(client, lambda: server.cli("device", "block", device.id))
        assert device.refused() == 5
        server.cli("device", "unblock", device.id)
        device.connect().disconnect()


def test_what_does_not_concern_a_session_leaves_it_alone(server, factory):
    device, other = by_chain(factory), Factory(server)
    with device.connect() as client:
        other.group.revoke(other.authority, other.add_device()[1])
        server.cli("ca", "deny", "--thumbprint", "AB" * 32)
        other.group.remove()
        factory.group.add(Authority(server.folder, unique_id("next")).certificate, slot="secondary")
        factory.group.revoke(factory.authority, factory.add_device()[1])
        assert_stays(client, device)
    allow_all(server)


def test_revocation_survives_a_restart(new_server):
    server = new_server()
    factory = Factory(server)
    denied, revoked, free = (registered(factory) for _ in range(3))
    server.cli("ca", "deny", "--thumbprint", certificates.thumbprint(denied.leaf))
    factory.group.revoke(factory.authority, revoked.leaf)
    server.restart()
    assert_is_out(denied)
    assert_is_out(revoked)
    assert_is_in(free)


# --- many, and at the same moment ----------------------------------------------------------------


def test_two_hundred_sessions_end_within_a_second(server, factory):
    plant = factory.authority.intermediate("plant")
    ids = [unique_id("many") for _ in range(200)]
    leaves = tool_leaves(server, tool_folder(plant), ids, "--full-chain")
    clients = []
    for device_id, leaf in zip(ids, leaves):
        for method, path, body in (
                ("PUT", device_id, {"authentication": {"type": "certificateAuthority"}}),
                ("POST", f"{device_id}/connectionString", None)):
            assert server.api(method, f"devices/{path}", body)[0] == 200
        chain = leaf.certificate.with_name(f"{device_id}-chain.pem")
        device = CertificateDevice(server, device_id, certificates.Leaf(chain, leaf.key))
        clients.append(device.connect())
    stays = registered(factory)
    with stays.connect() as client:
        revoked = factory.authority.revocation_list(plant)
        started = time.monotonic()
        server.cli("ca", "crl", factory.group.id, revoked)
        for ended in clients:
            ended.expect_closed(deadline=5)
        assert time.monotonic() - started < LIMIT
        assert_stays(client, stays)


def tool_folder(authority):
    """An authority of openssl's as our tool keeps one."""
    folder = authority.folder / "of-the-tool"
    folder.mkdir()
    for name, file in (("ca.pem", authority.certificate), ("chain.pem", authority.certificate),
                       ("ca.key", authority.key)):
        (folder / name).write_text(file.read_text())
    (folder / "ca.key").chmod(0o600)
    return folder


@either_way
def test_a_denied_device_that_keeps_knocking_is_never_in(server, factory, device_of):
    """Between the decision and the session's first packet lies a moment; it must not be missed."""
    device = device_of(factory)
    body = {"thumbprint": certificates.thumbprint(device.leaf)}
    path = f"deniedCertificates/t:{body['thumbprint']}"
    stop = threading.Event()

    def keep_knocking():
        while not stop.is_set():
            client, answer = device.attempt()
            with client:
                if answer.code == 0:
                    client.expect_closed(deadline=30)

    knocking = [threading.Thread(target=keep_knocking) for _ in range(3)]
    for thread in knocking:
        thread.start()
    try:
        for _ in range(10):
            wait_for_connection(server, device, True)
            assert server.api("POST", "deniedCertificates", body)[0] in (200, 201)
            wait_for_connection(server, device, False)
            for _ in range(5):
                assert not is_connected(server, device)
            assert server.api("DELETE", path)[0] == 204
    finally:
        server.api("POST", "deniedCertificates", body)
        stop.set()
        for thread in knocking:
            thread.join(40)
            assert not thread.is_alive()
        server.api("DELETE", path)


def is_connected(server, device):
    return server.api("GET", f"devices/{device.id}")[1]["connected"]


def wait_for_connection(server, device, wanted):
    until = time.monotonic() + (10 if wanted else LIMIT)
    while is_connected(server, device) != wanted:
        assert time.monotonic() < until, f"not {wanted} in time"


# --- roll-over -----------------------------------------------------------------------------------


REGISTRATIONS, CONNECTIONS = 1000, 32


class Fleet:
    """Devices that register and connect, many at a time, over and over, until told to stop."""

    def __init__(self, server, devices):
        self.server, self.devices = server, queue.SimpleQueue()
        for device in devices:
            self.devices.put(device)
        self.outcomes, self.changed = [], threading.Condition()
        self.threads = [threading.Thread(target=self.work) for _ in range(CONNECTIONS)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while True:
            try:
                device = self.devices.get_nowait()
            except queue.Empty:
                return
            try:
                outcome = self.visit(device)
            except Exception as error:  # noqa: B902 (told by the test)
                outcome = repr(error)
            with self.changed:
                self.outcomes.append((device, outcome))
                self.changed.notify_all()

    def visit(self, device):
        """The status of a registration; every fourth device also comes to the hub and talks."""
        registrant = CertificateRegistrant(self.server, device.id, device.leaf)
        with registrant.connect() as client:
            answer = registrant.mqtt_register(client)
        if answer.status == 200 and device.number % 4 == 0:
            with device.connect() as client:
                client.publish(device.events(), b"here")
        return answer.body["status"] if answer.status == 200 else answer.status

    def wait_until(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.outcomes) >= count, timeout=60)

    def finish(self):
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()
        return self.outcomes


def tool_authority(server, folder):
    done = server.run("cert", "root", "--out", folder)
    assert done.returncode == 0, done.stderr


def tool_leaves(server, folder, ids, *options):
    """Leaves for all of a list, as a factory makes them: one command."""
    listed, out = folder / "devices.csv", folder / "leaves"
    listed.write_text("device_id\n" + "".join(f"{device_id}\n" for device_id in ids))
    done = server.run("cert", "device", "--csv", listed, "--ca", folder, "--out", out, *options)
    assert done.returncode == 0, done.stderr
    return [certificates.Leaf(out / f"{device_id}.pem", out / f"{device_id}.key")
            for device_id in ids]


def test_C073_replacing_the_primary_loses_no_device_of_the_secondary(new_server):
    server = new_server("--accepts-per-second=0")
    server.cli("settings", "set", "autoApprove", "true")
    server.cli("settings", "set", "requireTemplate", "never")
    group = CertificateGroup(server)
    fleets = {}
    for slot, count in (("old", REGISTRATIONS // 4), ("kept", REGISTRATIONS * 3 // 4)):
        folder = server.folder / slot
        tool_authority(server, folder)
        ids = [f"{slot}-{number:04d}" for number in range(count)]
        fleets[slot] = [CertificateDevice(server, device_id, leaf)
                        for device_id, leaf in zip(ids, tool_leaves(server, folder, ids))]
        for number, device in enumerate(fleets[slot]):
            device.number, device.slot = number, slot
    group.add(server.folder / "old/ca.pem", "--verified")
    group.add(server.folder / "kept/ca.pem", "--verified", slot="secondary")

    # One of the old authority's to three of the other's, as long as there are some.
    mixed = [device for number in range(REGISTRATIONS // 4)
             for device in (fleets["old"][number], *fleets["kept"][3 * number:3 * number + 3])]
    fleet = Fleet(server, mixed)
    fleet.wait_until(REGISTRATIONS // 4)
    replace_primary(server, group, server.folder / "new")
    seen = len(fleet.outcomes)
    outcomes = fleet.finish()

    kept = [outcome for device, outcome in outcomes if device.slot == "kept"]
    assert kept == ["assigned"] * len(fleets["kept"])
    old = [outcome for device, outcome in outcomes if device.slot == "old"]
    assert set(old) <= {"assigned", 401}, old
    late = [outcome for device, outcome in outcomes[seen + CONNECTIONS:] if device.slot == "old"]
    assert late and set(late) == {401}, "the replaced authority attests no longer"

    provisioned = set(server.device_ids("--status", "provisioned"))
    assert not {device.id for device in fleets["kept"]} - provisioned
    for device in fleets["kept"][::100] + [d for d, outcome in outcomes if outcome == "assigned"][:3]:
        device.connect().disconnect()
    registration_id = "new-0001"
    leaf, = tool_leaves(server, server.folder / "new", [registration_id])
    assert_assigned(CertificateRegistrant(server, registration_id, leaf).register())


def replace_primary(server, group, folder):
    """Upload, code, proof, verify: as an operator does it, while devices come and go."""
    tool_authority(server, folder)
    group.add(folder / "ca.pem", "--replace")
    done = server.run("cert", "verification", "--code", group.code(), "--ca", folder)
    assert done.returncode == 0, done.stderr
    group.verify(folder / "verification.pem")
