"""MQTT 3.1.1 packets: written as bytes, read without mercy."""

from collections import namedtuple

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 10, 11, 12, 13, 14

Connack = namedtuple("Connack", "session_present code")
Publish = namedtuple("Publish", "topic payload qos packet_id dup retain")
Puback = namedtuple("Puback", "packet_id")
Suback = namedtuple("Suback", "packet_id codes")
Unsuback = namedtuple("Unsuback", "packet_id")
Pingresp = namedtuple("Pingresp", "")
Will = namedtuple("Will", "topic payload qos retain", defaults=(b"", 0, False))


class Malformed(Exception):
    """The server broke MQTT 3.1.1."""


def u16(number):
    return number.to_bytes(2, "big")


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return u16(len(data)) + data


def remaining_length(length):
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(encoded)


def packet(kind, body=b"", flags=0):
    return bytes([kind << 4 | flags]) + remaining_length(len(body)) + body


def connect(client_id, username=None, password=None, clean=True, keep_alive=60, will=None,
            protocol="MQTT", level=4):
    flags = 0x02 if clean else 0
    payload = text(client_id)
    if will:
        flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
        payload += text(will.topic) + text(will.payload)
    if username is not None:
        flags |= 0x80
        payload += text(username)
    if password is not None:
        flags |= 0x40
        payload += text(password)
    return packet(CONNECT, text(protocol) + bytes([level, flags]) + u16(keep_alive) + payload)


def publish(topic, payload=b"", qos=0, packet_id=None, dup=False, retain=False):
    data = payload.encode() if isinstance(payload, str) else payload
    flags = (0x08 if dup else 0) | qos << 1 | (0x01 if retain else 0)
    return packet(PUBLISH, text(topic) + (u16(packet_id) if qos else b"") + data, flags)


def subscribe(packet_id, filters):
    body = b"".join(text(name) + bytes([qos]) for name, qos in filters)
    return packet(SUBSCRIBE, u16(packet_id) + body, 0x02)


def unsubscribe(packet_id, filters):
    return packet(UNSUBSCRIBE, u16(packet_id) + b"".join(map(text, filters)), 0x02)


def puback(packet_id):
    return packet(PUBACK, u16(packet_id))


def need(condition, complaint):
    if not condition:
        raise Malformed(complaint)


def number(body):
    need(len(body) == 2, f"a packet ID of {len(body)} bytes")
    return int.from_bytes(body, "big")


def read_connack(flags, body):
    need(len(body) == 2 and body[0] <= 1, f"CONNACK {body.hex()}")
    need(body[1] <= 5, f"CONNACK code {body[1]}")
    need(not (body[0] and body[1]), "CONNACK refuses, yet has a session")
    return Connack(bool(body[0]), body[1])


def read_publish(flags, body):
    qos, dup, retain = flags >> 1 & 3, bool(flags & 8), bool(flags & 1)
    need(qos < 3, "PUBLISH with QoS 3")
    need(not (dup and qos == 0), "PUBLISH with DUP at QoS 0")
    need(len(body) >= 2, "PUBLISH without a topic")
    end = 2 + int.from_bytes(body[:2], "big")
    need(len(body) >= end + (2 if qos else 0), "PUBLISH is too short")
    topic = body[2:end].decode("utf-8", "strict")
    need(topic and not set(topic) & set("#+\0"), f"PUBLISH to '{topic}'")
    packet_id = None
    if qos:
        packet_id, end = int.from_bytes(body[end:end + 2], "big"), end + 2
        need(packet_id, "PUBLISH with packet ID 0")
    return Publish(topic, body[end:], qos, packet_id, dup, retain)


def read_suback(flags, body):
    need(len(body) >= 3, "SUBACK is too short")
    need(all(code in (0, 1, 2, 0x80) for code in body[2:]), f"SUBACK codes {body[2:].hex()}")
    return Suback(int.from_bytes(body[:2], "big"), list(body[2:]))


def read_pingresp(flags, body):
    need(not body, "PINGRESP with a body")
    return Pingresp()


READERS = {
    CONNACK: read_connack,
    PUBLISH: read_publish,
    PUBACK: lambda flags, body: Puback(number(body)),
    SUBACK: read_suback,
    UNSUBACK: lambda flags, body: Unsuback(number(body)),
    PINGRESP: read_pingresp,
}


def read(first_byte, body):
    """A packet that a server may send, or Malformed."""
    kind, flags = first_byte >> 4, first_byte & 15
    need(kind in READERS, f"packet type {kind} from a server")
    need(kind == PUBLISH or flags == 0, f"packet type {kind} with flags {flags}")
    return READERS[kind](flags, body)
