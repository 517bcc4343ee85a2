"""Peers that are slow, mad or hostile: each costs little, is shown the door, and disturbs nobody
(SECURITY-MODEL R1, R2, B1)."""

import os
import random
import socket
import ssl
import threading

import pytest
from lib import packets, process
from lib.server import MusterServer

MIB = 1024 * 1024
SEED = int(os.environ.get("MUSTER_CORPUS_SEED", "20240229"))
PORTS = ["mqttsPort", "httpsPort"]
# MQTT waits 30 s for a CONNECT, HTTPS 10 s for a request's head; a machine may be busy.
CLOSED_WITHIN_S = 45


@pytest.fixture
def server(make_server):
    return make_server().start()


@pytest.fixture(scope="module")
def one_server():
    """For tests that leave the server as it was."""
    started = MusterServer().start()
    yield started
    started.close()


class Guest:
    """A device that works all the while, and is answered within the client's deadline."""

    def __init__(self, server):
        self.device = server.add_device()
        self.enough = threading.Event()
        self.published = 0
        self.failure = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            with self.device.connect() as client:
                while not self.enough.is_set() or self.published < 10:
                    client.publish(self.device.events(), b"{}")
                    self.published += 1
                    self.enough.wait(0.02)
                client.disconnect()
        except BaseException as error:  # noqa: B902 (told at the end)
            self.failure = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.enough.set()
        self.thread.join(30)
        assert not self.thread.is_alive() and self.failure is None, f"not served: {self.failure}"


def plain(server, port):
    return socket.create_connection(("127.0.0.1", server.info[port]), timeout=CLOSED_WITHIN_S)


def secure(server, port, context):
    return context.wrap_socket(plain(server, port), server_hostname="localhost")


def trusting(server):
    return ssl.create_default_context(cafile=server.ca_file)


def careless():
    """TLS that looks at no certificate: a crowd comes sooner."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def read_to_end(connection, most=MIB):
    """All that the server still says; it must end."""
    said = b""
    try:
        while len(said) < most:
            data = connection.recv(65536)
            if not data:
                return said
            said += data
    except TimeoutError:
        raise AssertionError("the connection was left open") from None
    except (OSError, ssl.SSLError):
        return said
    raise AssertionError("the server does not stop talking")


def close_all(connections):
    for connection in connections:
        connection.close()


def assert_descriptors_return(server, before):
    """Every look is a request of its own, so this waits for the server, not for a clock."""
    for _ in range(500):
        if process.descriptors(server) <= before:
            return
        server.get("/healthz")
    raise AssertionError(f"{process.descriptors(server)} descriptors open, before {before}")


def settled_descriptors(server):
    """After a first request, so that what is opened once is open."""
    server.get("/healthz")
    assert server.cli("device", "list").returncode == 0
    return process.descriptors(server)


# --- slow ones -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("port", "first"), [("mqttsPort", b"\x10"), ("httpsPort", b"G")],
                         ids=PORTS)
def test_a_thousand_that_send_one_byte_and_wait(server, port, first):
    """At most 64 KiB each and what TLS needs: 100 MiB for all."""
    context, before = careless(), settled_descriptors(server)
    size = process.resident_bytes(server)
    with Guest(server) as guest:
        connections = []
        for _ in range(1000):
            connections.append(secure(server, port, context))
            connections[-1].sendall(first)
        # On a slow machine the first of them are gone by now.
        assert process.metric(server, "muster_connections") >= 300
        grown = process.resident_bytes(server) - size
        assert grown < 100 * MIB, f"{grown / MIB:.0f} MiB for 1000 connections"
        published = guest.published
        for connection in connections:
            read_to_end(connection)
        assert guest.published > published, "nobody else was served meanwhile"
    close_all(connections)
    assert_descriptors_return(server, before)


@pytest.mark.parametrize("port", PORTS)
def test_those_that_never_shake_hands_are_closed(server, port):
    before = settled_descriptors(server)
    with Guest(server):
        connections = [plain(server, port) for _ in range(200)]
        for connection in connections[:100]:
            connection.sendall(b"\x16\x03\x01")  # the beginning of a ClientHello
        for connection in connections:
            read_to_end(connection)
    close_all(connections)
    assert_descriptors_return(server, before)


# --- announced lengths ---------------------------------------------------------------------------

HUGE = bytes.fromhex("30ffffff7f") + b"x"
# As large as a CONNECT may be, so that the server waits for the rest of it.
PROMISED_CONNECT = bytes([0x10]) + packets.remaining_length(80_000) + b"x"


@pytest.mark.parametrize(("sent", "is_closed"), [(HUGE, True), (PROMISED_CONNECT, False)],
                         ids=["a packet of 256 MiB", "a large CONNECT"])
def test_nothing_is_allocated_for_an_announced_length(server, sent, is_closed):
    context = careless()
    connections = [secure(server, "mqttsPort", context) for _ in range(500)]
    size = process.resident_bytes(server)
    with Guest(server):
        for connection in connections:
            connection.sendall(sent)
        server.get("/healthz")
        if is_closed:
            for connection in connections:
                assert read_to_end(connection) == b""
        grown = process.resident_bytes(server) - size
    assert grown < 16 * MIB, f"{grown / MIB:.0f} MiB"
    close_all(connections)


def test_nor_for_one_that_a_device_announces(server):
    """Let in, a device may send 256 KiB; a promise of them costs nothing yet."""
    devices = [server.add_device() for _ in range(20)]
    clients = [device.connect() for device in devices]
    size = process.resident_bytes(server)
    for client in clients:
        client.send(bytes([0x32]) + packets.remaining_length(256 * 1024) + b"\x00")
    server.get("/healthz")
    assert process.resident_bytes(server) - size < 2 * MIB
    with devices[0].connect() as client:
        client.send(HUGE)
        client.expect_closed()
    for client in clients:
        client.drop()


TOO_LARGE = {
    "body": "PUT /0ne/registrations/d/register?api-version=2019-03-31 HTTP/1.1\r\n"
            "Host: localhost\r\nContent-Length: 2147483647\r\n\r\n{",
    "target": "GET /" + "a" * 200_000,
    "number of headers": "GET / HTTP/1.1\r\nHost: localhost\r\n" + "X: y\r\n" * 50_000,
    "header": "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "y" * 200_000,
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_an_http_request_that_is_too_large_is_refused(server, name):
    context = trusting(server)
    size = process.resident_bytes(server)
    for _ in range(20):
        with secure(server, "httpsPort", context) as connection:
            try:
                connection.sendall(TOO_LARGE[name].encode())
            except OSError:
                continue  # closed before all was said: as good
            said = read_to_end(connection)
            assert said == b"" or said.startswith(b"HTTP/1.1 4"), said[:100]
    assert process.resident_bytes(server) - size < 16 * MIB


# --- malformed ones ------------------------------------------------------------------------------

HTTP_REQUESTS = [
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"PUT /0ne/registrations/d/register?api-version=2019-03-31 HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /api/muster/v1/devices HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n0\r\n\r\n",
]
MQTT_PACKETS = [
    packets.connect("d", "localhost/d/?api-version=2021-04-12", "SharedAccessSignature sr=x&sig=y"),
    packets.connect("d", "0ne/registrations/d/api-version=2019-03-31", "x"),
    packets.connect("d", "u", "p", will=packets.Will("devices/d/messages/events/", b"w", 1)),
    packets.publish("devices/d/messages/events/", b"{}", 1, 1),
    packets.subscribe(1, [("$iothub/twin/res/#", 0)]),
]


def mutated(chance, sample):
    """A few bytes changed, cut, doubled or put in."""
    data = bytearray(sample)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        act = chance.randrange(4)
        if act == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif act == 1:
            del data[at:at + chance.randint(1, 8)]
        elif act == 2:
            data[at:at] = chance.randbytes(chance.randint(1, 16))
        else:
            data[at:at] = data[at:at + chance.randint(1, 32)]
    return bytes(data)


def corpus(samples, count=100):
    """Half of it mutated samples, half bytes that nobody thought of; the same each time."""
    chance = random.Random(SEED)
    for number in range(count):
        if number % 2:
            yield mutated(chance, chance.choice(samples))
        else:
            yield chance.randbytes(chance.choice([1, 2, 5, 50, 500, 5000, 50_000]))


def say_and_leave(connection, words):
    """Says it, and that nothing more comes; the server must end the connection."""
    with connection:
        try:
            connection.sendall(words)
            if isinstance(connection, ssl.SSLSocket):
                connection.unwrap()
            else:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            return
        read_to_end(connection)


@pytest.mark.parametrize("before_tls", [True, False], ids=["before TLS", "in TLS"])
@pytest.mark.parametrize(("port", "samples"), [("mqttsPort", MQTT_PACKETS),
                                               ("httpsPort", HTTP_REQUESTS)], ids=PORTS)
def test_malformed_bytes_disturb_nobody(server, port, samples, before_tls):
    print(f"seed: MUSTER_CORPUS_SEED={SEED}")
    context, before = trusting(server), settled_descriptors(server)
    if before_tls:
        samples = [*samples, client_hello(context)]
    with Guest(server):
        for words in corpus(samples):
            say_and_leave(plain(server, port) if before_tls else secure(server, port, context),
                          words)
    assert_descriptors_return(server, before)
    assert server.process.poll() is None


def client_hello(context):
    sent = ssl.MemoryBIO()
    talk = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        talk.do_handshake()
    return sent.read()


WRONG_PACKETS = {
    "reserved type 0": b"\x00\x00",
    "reserved type 15": b"\xf0\x00",
    "QoS 3": packets.packet(packets.PUBLISH, packets.text("t") + b"\0\1", 6),
    "QoS 2": packets.publish("t", b"", 2, 1),
    "packet ID 0": packets.publish("t", b"", 1, 0),
    "topic that is too long": packets.packet(packets.PUBLISH, b"\xff\xfft"),
    "topic with NUL": packets.publish("a\0b", b"", 1, 1),
    "topic that is no UTF-8": packets.publish("x", b"", 0)[:4] + b"\xc3",
    "length in five bytes": b"\x30\x80\x80\x80\x80\x01",
    "SUBSCRIBE without filters": packets.packet(packets.SUBSCRIBE, b"\0\1", 2),
    "SUBSCRIBE with wrong flags": packets.packet(packets.SUBSCRIBE, b"\0\1\0\1a\0", 0),
    "a second CONNECT": packets.connect("d", "u", "p"),
    "CONNACK from a client": b"\x20\x02\x00\x00",
}


@pytest.mark.parametrize("name", WRONG_PACKETS)
def test_a_device_that_sends_a_wrong_packet_is_closed(one_server, name):
    device = one_server.add_device()
    with device.connect() as client:
        client.send(WRONG_PACKETS[name])
        client.expect_closed()
    with device.connect() as client:
        client.ping()


def test_devices_that_go_mad_after_they_were_let_in(one_server):
    chance, devices = random.Random(SEED), [one_server.add_device() for _ in range(5)]
    for number in range(60):
        with devices[number % 5].connect() as client:
            sample = chance.choice(MQTT_PACKETS[3:])
            client.send(mutated(chance, sample) + chance.randbytes(chance.randint(1, 200)))
            client.drop() if number % 2 else say_and_leave(client.socket, b"")
    with devices[0].connect() as client:
        client.ping()
