"""One live connection an identity, and its end when the right to it ends: hub-device.md 2.3."""

import time

from lib import sas, twin
from lib.server import HubModule


def test_a_newer_connection_takes_over(device):
    older = device.connect()
    newer = device.connect()
    older.expect_closed(deadline=2)
    newer.publish(device.events(), b"{}")
    newer.disconnect()


def test_H038_only_an_authenticated_connection_takes_over(device):
    live = device.connect()
    assert device.refused(password=device.token(key=sas.another_key())) == 5
    live.expect_quiet()
    live.disconnect()


def test_H039_a_device_and_its_modules_do_not_replace_each_other(device):
    module = HubModule(device, "m1")
    with device.connect() as device_client, module.connect() as module_client:
        device_client.ping()
        module_client.publish(module.events(), b"{}")
        device_client.publish(device.events(), b"{}")


def test_fifty_take_overs_leave_the_last_one(server, device):
    clients = [device.connect(clean=False) for _ in range(50)]
    for client in clients[:-1]:
        client.expect_closed(deadline=5)
    clients[-1].subscribe(twin.DESIRED)
    server.set_desired(device.id, {"a": 1})
    assert twin.receive_desired(clients[-1])[0] == 2
    assert server.device(device.id)["connected"]
    clients[-1].disconnect()


def ends_within_a_second(client, act):
    started = time.monotonic()
    act()
    client.expect_closed(deadline=5)
    assert time.monotonic() - started < 1


def test_H024_blocking_closes_the_connection(server, device):
    client = device.connect()
    ends_within_a_second(client, lambda: server.cli("device", "block", device.id))
    assert device.refused() == 5


def test_H024_deleting_closes_the_connection(server, device):
    client = device.connect()
    ends_within_a_second(client, lambda: server.cli("device", "delete", device.id))
    assert device.refused() == 5


def test_H024_blocking_closes_the_connections_of_modules(server, device):
    module = HubModule(device, "m1")
    client = module.connect()
    ends_within_a_second(client, lambda: server.cli("device", "block", device.id))
    assert module.refused() == 5

