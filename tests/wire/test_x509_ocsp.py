"""OCSP, where an administrator named a responder: SECURITY-MODEL C4 and E1. openssl plays it."""

import pytest
from lib.certificates import Authority
from lib.dps import CertificateRegistrant, assert_assigned, assert_unauthorized
from lib.groups import Factory
from lib.ocsp import Responder, free_port
from lib.server import CertificateDevice, unique_id

PORT = free_port()
SERVER_OPTIONS = ["--accepts-per-second=0", "--egress-allow=127.0.0.0/8", f"--egress-ports={PORT}"]
URL = f"http://127.0.0.1:{PORT}/"


@pytest.fixture
def factory(server):
    return Factory(server)


def ask(group, *options):
    group.server.cli("ca", "ocsp", group.id, "--slot", "primary", "--url", URL, *options)


def register(server, device_id, leaf):
    return CertificateRegistrant(server, device_id, leaf).http_register()


@pytest.mark.parametrize("options", [[], ["--fail-closed"]], ids=["fail open", "fail closed"])
def test_a_certificate_that_its_responder_revoked_is_refused(server, factory, options):
    (good, good_leaf), (bad, bad_leaf) = factory.add_device(), factory.add_device()
    factory.authority.revocation_list(bad_leaf)  # in the responder's books
    ask(factory.group, *options)
    with Responder(factory.authority, PORT):
        assert_assigned(register(server, good, good_leaf))
        assert_unauthorized(register(server, bad, bad_leaf))
        assert CertificateDevice(server, bad, bad_leaf).refused() == 5
        CertificateDevice(server, good, good_leaf).connect().disconnect()


def test_a_certificate_that_its_responder_does_not_know_is_as_good_as_no_answer(server, factory):
    device_id, leaf = factory.add_device()
    (factory.authority.folder / "index.txt").write_text("")
    with Responder(factory.authority, PORT):
        ask(factory.group, "--fail-closed")
        assert_unauthorized(register(server, device_id, leaf))
        ask(factory.group)
        assert_assigned(register(server, device_id, leaf))


def test_at_the_hub_a_leaf_that_comes_by_its_chain_is_asked_for(server, factory):
    device_id, leaf = factory.add_device()
    assert_assigned(register(server, device_id, leaf))
    good, bad = (factory.authority.leaf(device_id, name=f"{device_id}-{name}")
                 for name in ("good", "bad"))
    factory.authority.revocation_list(bad)
    ask(factory.group)
    with Responder(factory.authority, PORT):
        CertificateDevice(server, device_id, good).connect().disconnect()
        assert CertificateDevice(server, device_id, bad).refused() == 5


def test_without_an_answer_devices_come_in_unless_told_otherwise(server, factory):
    open_device = factory.add_device()
    ask(factory.group)
    assert_assigned(register(server, *open_device))
    strict = Factory(server)
    device_id, leaf = strict.add_device()
    ask(strict.group, "--fail-closed")
    answer = register(server, device_id, leaf)
    assert answer.body.get("status") != "assigned", answer
    shown = strict.group.slot()["ocsp"]
    assert shown == {"url": URL, "failClosed": True}


def test_the_answer_of_another_authoritys_responder_is_none(server, factory):
    device_id, leaf = factory.add_device()
    forger = Authority(server.folder, unique_id("forger"))
    ask(factory.group, "--fail-closed")
    with Responder(forger, PORT):
        answer = register(server, device_id, leaf)
        assert answer.body.get("status") != "assigned", answer


def test_this_machine_is_not_dialled_unless_the_operator_allows_it(new_server):
    server = new_server("--accepts-per-second=0")
    factory = Factory(server)
    device_id, leaf = factory.add_device()
    ask(factory.group, "--fail-closed")
    with Responder(factory.authority, PORT) as responder:
        answer = register(server, device_id, leaf)
        assert answer.body.get("status") != "assigned", answer
        assert not any("OCSP" in line and "GET" in line for line in responder.log.lines)
