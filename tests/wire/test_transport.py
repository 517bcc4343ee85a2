"""TLS on both ports: hub-device.md 0.3 and checklist "Transport", provisioning.md 2.5."""

import socket
import ssl
import subprocess

import pytest
from lib import certificates, dps, packets
from lib.server import unique_id

PORTS = ["mqttsPort", "httpsPort"]


def handshake(server, port, context, name="localhost"):
    """The TLS version agreed on."""
    with socket.create_connection(("127.0.0.1", server.info[port]), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=name) as tls:
            return tls.version()


def client(server, version=None):
    context = ssl.create_default_context(cafile=server.ca_file)
    if version:
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("port", PORTS)
def test_H001_P062_tls_1_2_and_1_3_are_served(server, port):
    assert handshake(server, port, client(server, ssl.TLSVersion.TLSv1_2)) == "TLSv1.2"
    assert handshake(server, port, client(server, ssl.TLSVersion.TLSv1_3)) == "TLSv1.3"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("port", PORTS)
def test_H001_older_tls_is_refused(server, port):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(server, port, client(server, ssl.TLSVersion.TLSv1_1))


@pytest.mark.parametrize("port", PORTS)
def test_P062_no_server_name_is_needed(server, port):
    context = client(server)
    context.check_hostname = False
    assert handshake(server, port, context, name=None)


@pytest.mark.parametrize("port", PORTS)
def test_H002_plain_text_is_refused(server, port):
    words = {"mqttsPort": packets.connect("d1", "localhost/d1/", "x"),
             "httpsPort": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"}
    with socket.create_connection(("127.0.0.1", server.info[port]), timeout=10) as plain:
        plain.sendall(words[port])
        try:
            answer = plain.recv(100)
        except ConnectionResetError:
            answer = b""
    tls_alert = b"\x15\x03"
    assert answer == b"" or answer.startswith(tls_alert)


@pytest.mark.parametrize("port", PORTS)
def test_H003_P063_no_client_certificate_is_needed(server, port):
    assert handshake(server, port, client(server))


@pytest.mark.parametrize("port", PORTS)
def test_P063_a_client_certificate_is_asked_for(server, port):
    address = f"127.0.0.1:{server.info[port]}"
    seen = subprocess.run(["openssl", "s_client", "-connect", address, "-tls1_2"], input="",
                          capture_output=True, text=True, timeout=20).stdout
    assert "Client Certificate Types" in seen
    assert "No client certificate CA names sent" in seen


def test_H004_a_strange_certificate_passes_the_handshake_and_the_token_decides(server, device):
    stranger = certificates.self_signed(server.folder)
    with server.dial_mqtt(tls=certificates.client_context(server, stranger)) as connection:
        assert connection.connect(device.id, device.username(), device.token()).code == 0


def test_P064_a_strange_certificate_with_a_valid_token_provisions_by_the_token(server):
    registration_id = unique_id()
    server.cli("device", "add", registration_id)
    stranger = certificates.self_signed(server.folder, "another-stranger")
    registrant = dps.group_device(server, registration_id)
    with server.dial_mqtt(tls=certificates.client_context(server, stranger)) as connection:
        assert connection.connect(registrant.id, registrant.username(), registrant.token()).code == 0
        assert connection.subscribe(dps.RESPONSES) == [1]
        assert registrant.mqtt_register(connection).body["status"] in ("assigned", "assigning")
