"""Nothing acknowledged is lost, whenever the power goes: hub-device.md checklist "Semantics"."""

import os
import random
import threading

from lib import ledger

ROUNDS = int(os.environ.get("MUSTER_LEDGER_ROUNDS", "20"))
SEED = int(os.environ.get("MUSTER_LEDGER_SEED", random.SystemRandom().randrange(1 << 32)))

SENDERS, REPORTERS, FACTORY_LINES = 8, 4, 2


def run_until_killed(server, loads, chance):
    """The devices work; at a moment that nobody planned the server is gone."""
    for load in loads:
        load.start()
    for load in loads:
        assert load.connected.wait(30)
    killer = threading.Timer(chance.uniform(0.02, 0.6), server.kill)
    killer.start()
    killer.join()
    for load in loads:
        load.finish()


def check_messages(server, books):
    last = {book.device.id: book.end_round() for book in books}
    numbers = ledger.read_log(server, last)
    for book in books:
        book.check(numbers[book.device.id])


def test_H146_H054_H145_nothing_acknowledged_is_lost_by_kill_9(make_server):
    print(f"seed: MUSTER_LEDGER_SEED={SEED}")
    chance, server = random.Random(SEED), make_server().start()
    server.cli("settings", "set", "autoApprove", "true")
    server.cli("settings", "set", "requireTemplate", "never")
    senders = [ledger.TelemetryBook(server.add_device()) for _ in range(SENDERS)]
    reporters = [ledger.TwinBook(server.add_device()) for _ in range(REPORTERS)]
    group_key, assigned = server.group_key(), []
    for number in range(ROUNDS):
        lines = [ledger.RegistrationLoad(server, group_key) for _ in range(FACTORY_LINES)]
        loads = [ledger.TelemetryLoad(server, book) for book in senders]
        loads += [ledger.TwinLoad(server, book) for book in reporters]
        run_until_killed(server, loads + lines, chance)
        server.start()
        fresh = [device for line in lines for device in line.assigned]
        assigned += fresh
        print(f"round {number}: {[book.acknowledged for book in senders]} messages, "
              f"{[book.version for book in reporters]} versions, {len(assigned)} devices")
        ledger.check_assigned(server, assigned)
        for device in fresh:
            device.connect().drop()
        for book in reporters:
            book.check()
        check_messages(server, senders)
