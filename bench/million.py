"""A data folder with a million registered devices, made once and kept between runs."""

import hashlib
import shutil
import sqlite3

from servers import Load, Muster

COUNT = 1_000_000
HUB = "main"

# Devices with a certificate of their own: a row of such a one needs no key that only the server
# could seal. Everything else is what the server itself writes for a device that was registered.
FACTS = {
    "module_id": "", "hub": HUB, "version": 1, "enabled": 1, "approved": 1, "blocked": 0,
    "provisioned": 1, "simulated": 0, "iot_edge": 0, "template_id": "", "model_id": "",
    "origin": 3, "auth": 1, "keys": b"", "secondary_thumbprint": "", "enrollment_kind": 2,
    "enrollment_id": "factory", "credential_generation": 1, "subscriptions": 0,
    "method_filters": "", "created_at": 1, "updated_at": 1, "first_provisioned_at": 1,
    "last_activity_at": 0, "attempt_at": 1, "attempt_count": 1, "attempt_result": "assigned",
    "attempt_reason": "", "attempt_protocol": "mqtt", "attempt_address": "127.0.0.1",
}
OWN = ("device_key", "device_id", "display_name", "generation_id", "primary_thumbprint")


def device_id(number):
    return f"fleet-{number:07}"


def rows():
    for number in range(COUNT):
        name = device_id(number)
        digest = hashlib.sha256(name.encode()).hexdigest().upper()
        yield name, name, name, f"{number:018}", digest


def schema_of(database):
    """What tells a folder made for another version of the server."""
    with sqlite3.connect(database) as db:
        found = db.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL ORDER BY name")
        text = "\n".join(row[0] for row in found)
    return hashlib.sha256(text.encode()).hexdigest()


def literal(value):
    """A fact as it stands in SQL; none of them holds a quote."""
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return f"'{value}'" if isinstance(value, str) else str(value)


def fill(database):
    columns = ", ".join([*OWN, *FACTS])
    values = ", ".join(["?"] * len(OWN) + [literal(value) for value in FACTS.values()])
    db = sqlite3.connect(database)
    with db:
        db.executemany(f"INSERT INTO device ({columns}) VALUES ({values})", rows())
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def make(bench, folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    folder.chmod(0o700)
    with Muster(bench, folder) as server:
        server.let_everyone_in()
        Load(bench, server, server.group_key(), server.scope).run("dps", "-n", 1, "--poll-ms", 0)
    fill(folder / "muster.db")


def folder_of(bench):
    """Where the million is; made anew when there is none for this schema."""
    folder, marker = bench.folder / "million", bench.folder / "million.schema"
    schema = schema_of(bench.fleet / "muster.db")
    if not marker.exists() or marker.read_text() != schema:
        marker.unlink(missing_ok=True)
        make(bench, folder)
        marker.write_text(schema)
    return folder
