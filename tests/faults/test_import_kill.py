"""Operations go on behind what was committed, whenever the power goes: central.md 3.4, checklist
62 and 126."""

import os
import random
import threading
import time

from lib import dps
from lib.operations import Operations

ROWS = int(os.environ.get("MUSTER_IMPORT_ROWS", "50000"))
SEED = int(os.environ.get("MUSTER_IMPORT_SEED", random.SystemRandom().randrange(1 << 32)))
KILLS_MIN = 3


def kill_and_go_on(server, chance):
    time.sleep(chance.uniform(0.01, 0.1))  # a moment that nobody planned
    server.kill()
    server.start()


def go_on_until_finished(server, operation_id, chance):
    """How often it was killed, and the operation at its end."""
    for kills in range(1000):
        operation = Operations(server).operation(operation_id)
        if operation["finished"]:
            return kills, operation
        print(f"{kills} kills: {operation['processed']} of {operation['total']}")
        kill_and_go_on(server, chance)
    raise AssertionError("it never ends")


def file_of(good, bad):
    rows = [f"{device_id},Name of {device_id}" for device_id in good]
    for number, device_id in enumerate(bad):
        rows.insert(number * 97, f"{device_id},x")
    return "IOTC_DEVICEID,IOTC_DEVICENAME\n" + "\n".join(rows) + "\n"


def begin_import(server, file, chance):
    """The answer says that it was taken, whatever happens to the server in that moment."""
    while True:
        killer = threading.Timer(chance.uniform(0.005, 0.2), server.kill)
        killer.start()
        try:
            status, answer = Operations(server).upload(file)
        except (OSError, ValueError):
            status, answer = None, None
        killer.join()
        server.start()
        begun = Operations(server).own("GET", "operations").body["value"]
        if status == 202:
            assert [operation["id"] for operation in begun] == [answer["id"]]
        if begun:
            return begun[0]["id"]


def test_C062_C126_an_import_that_is_killed_again_and_again_does_all_of_it_once(make_server):
    print(f"seed: MUSTER_IMPORT_SEED={SEED}")
    chance, server = random.Random(SEED), make_server().start()
    good = [f"kill-{number:06d}" for number in range(ROWS)]
    bad = [f"Bad-{number}" for number in range(ROWS // 100)]
    operation_id = begin_import(server, file_of(good, bad), chance)
    kills, operation = go_on_until_finished(server, operation_id, chance)
    assert kills >= KILLS_MIN, "too fast to be killed: give it more rows"
    assert operation["state"] == "doneWithErrors"
    assert operation["total"] == operation["processed"] == ROWS + len(bad)
    assert operation["failed"] == operation["counts"]["R04"] == len(bad)
    assert operation["counts"]["added"] == ROWS
    assert server.device_ids() == good
    boss = Operations(server)
    assert [row["IOTC_DEVICEID"] for row in boss.errors(operation)] == bad
    assert boss.rejected(operation).split("\r\n")[1:-1] == [f"{device_id},x" for device_id in bad]
    assert not list((server.data / "imports").iterdir())


def test_C126_a_bulk_act_that_is_killed_again_and_again_does_all_of_it_once(make_server):
    print(f"seed: MUSTER_IMPORT_SEED={SEED}")
    chance, server = random.Random(SEED), make_server().start()
    boss = Operations(server)
    some = [f"kill-{number:06d}" for number in range(ROWS // 5)]
    boss.import_file("\n".join(some), template="generic")
    answer = boss.own("POST", "operations/block", {"filter": {"template": "generic"}})
    assert answer.status == 202
    kills, operation = go_on_until_finished(server, answer.body["id"], chance)
    print(f"{kills} kills")
    assert operation["state"] == "done"
    assert operation["counts"] == {"changed": len(some), "unchanged": 0}
    assert server.device_ids("--status", "blocked") == some
    dps.assert_refused(dps.group_device(server, some[-1]).register().body)
