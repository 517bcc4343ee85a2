"""Where a server goes when it asks a responder: SECURITY-MODEL C4 and E1."""

import socket

import pytest
from lib.dps import CertificateRegistrant, assert_assigned
from lib.groups import Factory
from lib.ocsp import Responder, free_port
from lib.server import CertificateDevice

# What one worker was told, another would have to ask for itself.
ONE_WORKER = ["--workers=1", "--accepts-per-second=0"]
LOOPBACK = "--egress-allow=127.0.0.0/8"


def url(port):
    return f"http://127.0.0.1:{port}/"


def ask(group, port, *options, **how):
    return group.server.cli("ca", "ocsp", group.id, "--slot", "primary", "--url", url(port),
                            *options, **how)


def assert_not_now(answer):
    """A strict authority's responder gave no verdict: to be tried again."""
    assert answer.status >= 500 or answer.body.get("status") == "failed", answer


@pytest.fixture
def listener():
    """An address where somebody listens and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)
        listening.setblocking(False)
        yield listening


def was_dialled(listening):
    try:
        listening.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def test_an_answer_outlives_its_responder(new_server):
    port = free_port()
    server = new_server(*ONE_WORKER, LOOPBACK, f"--egress-ports={port}")
    factory = Factory(server)
    device_id, leaf = factory.add_device()
    ask(factory.group, port, "--fail-closed")
    with Responder(factory.authority, port):
        assert_assigned(CertificateRegistrant(server, device_id, leaf).http_register())
    assert_assigned(CertificateRegistrant(server, device_id, leaf).http_register())
    CertificateDevice(server, device_id, leaf).connect().disconnect()


def test_a_silent_responder_is_given_up(new_server, listener):
    port = listener.getsockname()[1]
    server = new_server(*ONE_WORKER, LOOPBACK, f"--egress-ports={port}")
    factory = Factory(server)
    device_id, leaf = factory.add_device()
    ask(factory.group, port, "--fail-closed")
    assert_not_now(CertificateRegistrant(server, device_id, leaf).http_register())
    assert was_dialled(listener)
    server.log.wait_for(lambda line: "ocsp_failed" in line and "timed out" in line)


@pytest.mark.parametrize("options", [
    [],
    ["--egress-ports={port}"],
    [LOOPBACK],
    ["--egress-allow=127.0.0.2/32", "--egress-ports={port}"],
], ids=["nothing listed", "port alone", "range alone", "a neighbour"])
def test_neither_address_nor_port_is_dialled_unless_listed(new_server, listener, options):
    port = listener.getsockname()[1]
    server = new_server(*ONE_WORKER, *(option.format(port=port) for option in options))
    factory = Factory(server)
    device_id, leaf = factory.add_device()
    ask(factory.group, port, "--fail-closed")
    assert_not_now(CertificateRegistrant(server, device_id, leaf).http_register())
    assert not was_dialled(listener)
    server.log.wait_for(lambda line: "ocsp_failed" in line and "is not allowed" in line)


def test_an_address_inside_a_certificate_is_not_followed(new_server, listener):
    port = listener.getsockname()[1]
    server = new_server(*ONE_WORKER, LOOPBACK, f"--egress-ports={port}")
    factory = Factory(server)
    device_id, _ = factory.add_device()
    leaf = factory.authority.leaf(device_id, name="pointing", extensions=[
        "extendedKeyUsage=clientAuth", f"authorityInfoAccess=OCSP;URI:{url(port)}",
        f"crlDistributionPoints=URI:{url(port)}crl"])
    assert_assigned(CertificateRegistrant(server, device_id, leaf).http_register())
    assert not was_dialled(listener)


@pytest.mark.parametrize("address", [
    "ftp://host/", "file:///etc/passwd", "host", "http://", "http://user@host/", "http://host:0/",
    "http://host/#part", "http://ho st/", f"http://host/{'a' * 512}"])
def test_an_address_without_the_form_of_one_is_not_stored(server, address):
    factory = Factory(server)
    done = server.cli("ca", "ocsp", factory.group.id, "--slot", "primary", "--url", address,
                      check=False)
    assert done.returncode != 0 and "URL" in done.stderr, done
    assert factory.group.slot()["ocsp"] is None
