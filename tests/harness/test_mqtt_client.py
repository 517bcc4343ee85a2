"""The strict client against a broker that is not ours: its bytes are MQTT to others too."""

import pathlib
import shutil
import socket
import subprocess
import tempfile

import pytest
from lib import packets
from lib.lines import Lines
from lib.mqtt import MqttClient

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def broker():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", folder / "key.pem", "-out", folder / "certificate.pem",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
            check=True, capture_output=True)
        port = free_port()
        (folder / "mosquitto.conf").write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\nlog_type all\n"
            f"cafile {folder}/certificate.pem\ncertfile {folder}/certificate.pem\n"
            f"keyfile {folder}/key.pem\n")
        process = subprocess.Popen([MOSQUITTO, "-c", folder / "mosquitto.conf"], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        Lines(process.stdout).wait_for(lambda line: "running" in line)
        yield lambda: MqttClient(port, folder / "certificate.pem")
        process.terminate()
        process.wait()


def test_a_conversation_of_every_packet(broker):
    with broker() as client:
        assert client.connect("one", None) == packets.Connack(False, 0)
        assert client.subscribe(("a/#", 1), ("b/+", 0)) == [1, 0]
        client.publish("c", b"nobody listens")
        client.publish("a/b", b"hello", qos=0)
        found = client.receive_publish()
        assert (found.topic, found.payload, found.qos) == ("a/b", b"hello", 0)
        client.unsubscribe("a/#")
        client.publish("a/b", b"not any more", qos=0)
        client.expect_quiet()
        client.disconnect()


def test_long_packets_and_packets_sent_byte_by_byte(broker):
    with broker() as client:
        for byte in packets.connect("two"):
            client.send(bytes([byte]))
        assert client.expect(packets.Connack).code == 0
        assert client.subscribe("big") == [1]
        client.publish("big", bytes(20000), qos=0)
        assert client.receive_publish().payload == bytes(20000)


def test_a_will_is_published_when_the_connection_is_dropped(broker):
    with broker() as watcher:
        watcher.connect("watcher", None)
        watcher.subscribe("last/words")
        client = broker()
        client.connect("three", None, will=packets.Will("last/words", b"goodbye", 1))
        client.drop()
        assert watcher.receive_publish().payload == b"goodbye"


def test_a_session_is_kept_without_clean_session(broker):
    with broker() as client:
        client.connect("four", None, clean=False)
        client.subscribe("kept")
        client.disconnect()
    with broker() as client:
        assert client.connect("four", None, clean=False).session_present


def test_a_closed_connection_is_noticed(broker):
    with broker() as client:
        client.connect("five", None)
        client.send(packets.connect("five"))
        client.expect_closed()


def test_reading_is_without_mercy():
    for first, body in [(0x10, b""), (0x21, b"\0\0"), (0x20, b"\0\6"), (0x20, b"\2\0"),
                        (0x36, b"\0\1a\0\1"), (0x38, b"\0\1a"), (0x30, b"\0\0"), (0x30, b"\0\1#"),
                        (0x32, b"\0\1a\0\0"), (0x40, b"\0"), (0x90, b"\0\1\3"), (0xd0, b"x")]:
        with pytest.raises(packets.Malformed):
            packets.read(first, body)
