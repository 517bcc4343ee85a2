"""SDKs dial fixed ports: the server of the stories listens there, on loopback."""

import socket

import pytest
from lib.server import MusterServer

HTTPS, MQTTS = "127.0.0.1:443", "127.0.0.1:8883"


def can_bind(address):
    host, port = address.split(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except PermissionError:
            return False
    return True


@pytest.fixture(scope="module")
def sdk_server(request):
    if not can_bind(HTTPS):
        pytest.fail("port 443, which the SDKs insist on, may not be bound by this user")
    failures = request.session.testsfailed
    started = MusterServer(https=HTTPS, mqtts=MQTTS)
    try:
        yield started.start()
    finally:
        if request.session.testsfailed > failures:
            print(f"\n--- log of the server\n{started.log.tail(80)}")
        started.close()


@pytest.fixture
def factory(sdk_server):
    """What a factory knows: makes a device's key, offline, from the key of the group."""

    def make_key(device_id):
        done = sdk_server.run("keygen", f"-mk:{sdk_server.group_key()}", f"-di:{device_id}")
        assert done.returncode == 0, done.stderr
        return done.stdout.split()[-1]

    return make_key


@pytest.fixture
def ca_text(sdk_server):
    with open(sdk_server.ca_file, encoding="ascii") as file:
        return file.read()
