"""A strict MQTT 3.1.1 client that says bytes and expects packets, each within a deadline.

It hides nothing: it acknowledges, pings and retries only when the test says so.
"""

import itertools
import socket
import ssl
import struct
import time

from lib import packets


class Closed(Exception):
    """The server ended the connection where a packet was expected."""


class MqttClient:
    deadline = 10  # seconds, for whatever is expected

    def __init__(self, port, ca_file, host="localhost", tls=None):
        context = tls or ssl.create_default_context(cafile=ca_file)
        connection = socket.create_connection(("127.0.0.1", port), timeout=self.deadline)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(connection, server_hostname=host)
        self.received = b""
        self.packet_ids = itertools.count(1)

    # --- bytes -----------------------------------------------------------------------------------

    def send(self, data):
        self.socket.sendall(data)

    def read_bytes(self, count, until):
        while len(self.received) < count:
            self.socket.settimeout(max(until - time.monotonic(), 0.001))
            try:
                data = self.socket.recv(65536)
            except (ssl.SSLError, ConnectionError) as error:
                if isinstance(error, TimeoutError):
                    raise
                raise Closed(str(error)) from error
            if not data:
                raise Closed("the server closed the connection")
            self.received += data
        data, self.received = self.received[:count], self.received[count:]
        return data

    def receive(self, deadline=None):
        """The next packet."""
        until = time.monotonic() + (deadline or self.deadline)
        first = self.read_bytes(1, until)[0]
        length = shift = 0
        while True:
            digit = self.read_bytes(1, until)[0]
            length |= (digit & 127) << shift
            shift += 7
            packets.need(shift <= 28, "a remaining length of more than 4 bytes")
            if not digit & 128:
                break
        packets.need(shift == 7 or digit, "a remaining length longer than it must be")
        return packets.read(first, self.read_bytes(length, until))

    # --- what is expected ------------------------------------------------------------------------

    def expect(self, kind, deadline=None):
        """The next packet, which must be of this kind."""
        found = self.receive(deadline)
        assert isinstance(found, kind), f"expected {kind.__name__}, got {found}"
        return found

    def expect_closed(self, deadline=None):
        """No further packet, and the end of the connection."""
        try:
            found = self.receive(deadline)
        except Closed:
            self.socket.close()
            return
        raise AssertionError(f"expected the end of the connection, got {found}")

    def expect_quiet(self):
        """Nothing was on its way to us: the answer to a ping is the next packet."""
        self.ping()

    # --- conversations ---------------------------------------------------------------------------

    def connect(self, client_id, username, password=None, **options):
        self.send(packets.connect(client_id, username, password, **options))
        return self.expect(packets.Connack)

    def subscribe(self, *filters):
        """Each filter a name (QoS 1) or (name, QoS). Gives the granted codes."""
        packet_id = next(self.packet_ids)
        pairs = [(f, 1) if isinstance(f, str) else f for f in filters]
        self.send(packets.subscribe(packet_id, pairs))
        answer = self.expect(packets.Suback)
        assert answer.packet_id == packet_id
        return answer.codes

    def unsubscribe(self, *filters):
        packet_id = next(self.packet_ids)
        self.send(packets.unsubscribe(packet_id, filters))
        assert self.expect(packets.Unsuback).packet_id == packet_id

    def publish(self, topic, payload=b"", qos=1, **options):
        """With QoS 1 waits for the PUBACK, which must come next."""
        packet_id = options.pop("packet_id", None) or (next(self.packet_ids) if qos else None)
        self.send(packets.publish(topic, payload, qos, packet_id, **options))
        if qos:
            assert self.expect(packets.Puback).packet_id == packet_id

    def receive_publish(self, acknowledge=True, deadline=None):
        found = self.expect(packets.Publish, deadline)
        if acknowledge and found.qos:
            self.send(packets.puback(found.packet_id))
        return found

    def ping(self):
        self.send(packets.packet(packets.PINGREQ))
        self.expect(packets.Pingresp)

    # --- endings ---------------------------------------------------------------------------------

    def disconnect(self):
        """The polite end."""
        self.send(packets.packet(packets.DISCONNECT))
        self.expect_closed()

    def drop(self):
        """The end of a device that lost its power: a reset, no word before it."""
        linger = struct.pack("ii", 1, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()
