"""Sockets run out: those that are open are served, new ones come in again when others have left
(SECURITY-MODEL R2)."""

import resource
import socket
import subprocess

from lib import process
from lib.mqtt import Closed

FEW = 300


def refused(dial):
    try:
        dial().socket.close()
    except (OSError, Closed):
        return True
    return False


def fill(dial, most):
    """Connections until one is refused."""
    clients = []
    while len(clients) < most:
        try:
            clients.append(dial())
        except (OSError, Closed):
            return clients
    raise AssertionError(f"{most} connections, and none was refused")


def limit_descriptors(server, limit):
    """Of the running server, as its own user, who needs no right for that."""
    user, group = process.user_ids(server)[0], process.group_ids(server)[0]
    subprocess.run(["prlimit", f"--pid={server.process.pid}", f"--nofile={limit}:"],
                   user=user, group=group, extra_groups=[], check=True)


def leave(server, clients):
    """Until the server has noticed."""
    before = process.descriptors(server)
    for client in clients:
        client.drop()
    until_fewer(server, before - len(clients))


def until_fewer(server, wanted):
    """Each look is a whole request, so this is no busy loop."""
    for _ in range(500):
        if process.descriptors(server) <= wanted + 2:
            return
        try:
            server.get("/healthz")
        except OSError:
            pass
    raise AssertionError(f"{process.descriptors(server)} descriptors, not {wanted}")


def assert_served(device, client):
    client.publish(device.events(), b"{}")
    client.ping()


def test_a_low_limit_on_descriptors_leaves_room_for_the_rest(make_server):
    """The server counts sockets, and keeps descriptors for its files."""
    server = make_server()
    server.wrapper = ["prlimit", f"--nofile={FEW}:{FEW}"]
    device = server.start().add_device()
    with device.connect() as served:
        clients = fill(server.dial_mqtt, FEW)
        assert len(clients) > FEW // 4, "refused far too early"
        assert process.descriptors(server) < FEW
        assert_served(device, served)
        assert refused(server.dial_mqtt)
        assert_served(device, served)
        leave(server, clients)
        assert process.metric(server, "muster_accepts_refused_total") >= 2
        with server.add_device().connect() as late:
            late.ping()
        assert_served(device, served)


def test_out_of_descriptors_is_survived_and_said(make_server):
    """accept fails with EMFILE: no spin, no end; the log says so, and all go on afterwards."""
    server = make_server().start()
    device = server.add_device()
    with device.connect() as served:
        limit_descriptors(server, process.descriptors(server) + 20)
        clients = [client.socket for client in fill(server.dial_mqtt, 40)]
        server.log.wait_for(lambda line: "event=accept_paused" in line)
        assert_served(device, served)
        clients += knock(server, 20)
        assert_served(device, served)
        limit_descriptors(server, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        for client in clients:
            client.close()
        with server.add_device().connect() as late:
            late.ping()
        assert_served(device, served)
        assert process.metric(server, "muster_accepts_refused_total") >= 1


def knock(server, count):
    """TCP connections that wait in the kernel's queue."""
    for _ in range(count):
        yield socket.create_connection(("127.0.0.1", server.info["mqttsPort"]), timeout=10)
