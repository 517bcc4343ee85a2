"""Files of a million devices: import beside telemetry, export, and lists of what is there."""

import csv
import http.client
import json
import random
import sqlite3
import ssl
import statistics
import threading
import time
from urllib.parse import quote

from servers import HOST, Load, MeasureError, Muster

ROWS = 1_000_000
RATE = 20_000            # messages a second meanwhile
ALONE_SECONDS = 10       # of telemetry before the import
BESIDE_SECONDS = 40      # of telemetry, in which the import runs
ANSWER_SECONDS = 120
WORDS = ["north", "south", "cold", "warm", "old", "new", "inlet", "outlet", "pump", "valve",
         "boiler", "meter"]
LOOKS = 40               # of each kind of list


def device_id(number):
    return f"import-{number:07}"


def make_file(bench):
    path = bench.tmp / "devices.csv"
    if not path.exists():
        chance = random.Random(1)
        with open(path, "w", newline="") as file:
            file.write("IOTC_DEVICEID,IOTC_DEVICENAME\r\n")
            for number in range(ROWS):
                name = " ".join(chance.sample(WORDS, 3))
                file.write(f"{device_id(number)},{name} {chance.randrange(100_000)}\r\n")
    return path


class Caller:
    """The own API, over one connection."""

    def __init__(self, server):
        self.headers = {"Authorization": (server.data / "api-token").read_text().strip()}
        port = int(server.url.rpartition(":")[2].strip("/"))
        self.connection = http.client.HTTPSConnection(
            HOST, port, timeout=ANSWER_SECONDS,
            context=ssl.create_default_context(cafile=str(server.bench.certificate)))

    def call(self, method, path, body=None, content_type="application/json"):
        self.connection.request(method, "/api/muster/v1/" + path, body,
                                self.headers | {"Content-Type": content_type})
        response = self.connection.getresponse()
        answer = response.read()
        if response.status not in (200, 202):
            raise MeasureError(f"{method} {path}: {response.status} {answer[:200]}")
        return answer

    def json(self, *request, **options):
        return json.loads(self.call(*request, **options))


# --- import ---------------------------------------------------------------------------------------


def sqlite_rate(bench, path, database):
    """Rows a second of SQLite itself: the file into the same table with the same indexes, in one
    transaction. What the server makes of its own for each row is the same value in every row."""
    own = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    schema = [row[0] for row in own.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'device' AND type <> 'trigger'"
        " AND sql NOT NULL")]
    cursor = own.execute("SELECT * FROM device WHERE module_id = '' LIMIT 1")
    columns = [column[0] for column in cursor.description]
    facts = dict(zip(columns, cursor.fetchone()))
    own.close()
    parameters = {"device_key": "?1", "device_id": "?1", "display_name": "?2"}
    db = sqlite3.connect(bench.tmp / "sqlite.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    for statement in schema:
        db.execute(statement)
    values = [parameters.get(column, f"?{at + 3}") for at, column in enumerate(columns)]
    rest = [facts[column] for column in columns]
    insert = f"INSERT INTO device ({', '.join(columns)}) VALUES ({', '.join(values)})"
    with open(path, newline="") as file:
        rows = csv.reader(file)
        next(rows)
        began = time.monotonic()
        db.execute("BEGIN")
        db.executemany(insert, (row + rest for row in rows))
        db.execute("COMMIT")
        seconds = time.monotonic() - began
    db.close()
    for name in ("sqlite.db", "sqlite.db-wal", "sqlite.db-shm"):
        (bench.tmp / name).unlink(missing_ok=True)
    return ROWS / seconds


class Telemetry(threading.Thread):
    """Telemetry beside what is measured."""

    def __init__(self, bench, server):
        super().__init__()
        self.tool = Load(bench, server, bench.group_key, bench.scope)
        self.error = None

    def publish(self, seconds):
        answer = self.tool.run("publish", "-n", 1000, "-w", 4, "-s", 128, "--rate", RATE,
                               "-t", seconds, "--threads", 1)
        return answer["publish"]["p99_us"]

    def run(self):
        try:
            self.p99 = self.publish(BESIDE_SECONDS)
        except Exception as error:
            self.error = error

    def beside(self):
        self.join()
        if self.error:
            raise MeasureError(f"telemetry beside the import: {self.error}")
        return self.p99


def watch(caller, server, operation, until):
    """The operation at its end, or at that time; and the most memory there was."""
    peak = 0
    while not operation["finished"] and until():
        operation = caller.json("GET", f"operations/{operation['id']}")
        peak = max(peak, server.resident_bytes())
        time.sleep(0.05)
    return operation, peak


def import_beside_telemetry(bench, number):
    """Once: a round is two minutes. The rate is that of the time in which both went on; what is
    left then is imported alone, for the measures behind this one."""
    if number > 0:
        return {}
    path = make_file(bench)
    with bench.fresh_muster("imported") as server:
        caller, telemetry = Caller(server), Telemetry(bench, server)
        alone = telemetry.publish(ALONE_SECONDS)
        telemetry.start()
        time.sleep(1)
        idle, began = server.resident_bytes(), time.monotonic()
        with open(path, "rb") as file:
            operation = caller.json("POST", "deviceImports", file, content_type="text/csv")
        operation, peak = watch(caller, server, operation, telemetry.is_alive)
        rate = operation["processed"] / (time.monotonic() - began)
        beside = telemetry.beside()
        operation, later = watch(caller, server, operation, lambda: True)
        if operation["state"] != "done" or operation["counts"]["added"] != ROWS:
            raise MeasureError(f"import: {operation}")
        database = server.data / "muster.db"
        sqlite = sqlite_rate(bench, path, database)
    return {"import_rate": {"muster": rate, "sqlite": sqlite},
            "import_memory": {"muster": (max(peak, later) - idle) / 1e6},
            "import_p99": {"muster": beside, "telemetry alone": alone}}


# --- what is there afterwards ---------------------------------------------------------------------


def imported(bench):
    """A server over the folder with a million devices, all of them indexed."""
    folder = bench.tmp / "imported"
    if not folder.exists():
        with bench.fresh_muster("imported") as server:
            caller = Caller(server)
            with open(make_file(bench), "rb") as file:
                operation = caller.json("POST", "deviceImports", file, content_type="text/csv")
            watch(caller, server, operation, lambda: True)
    server = Muster(bench, folder)
    wait_until_indexed(bench, folder / "muster.db")
    return server


def wait_until_indexed(bench, database):
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    while db.execute("SELECT (SELECT MAX(rowid) FROM device) > upto"
                     " FROM device_search_state").fetchone()[0]:
        bench.seconds_left()
        time.sleep(0.1)
    db.close()


def export(bench, number):
    """All devices with their keys, beside the rate of the import of the same."""
    with imported(bench) as server:
        caller, began = Caller(server), time.monotonic()
        lines = caller.call("GET", "deviceExport").count(b"\n")
        rate = lines / (time.monotonic() - began)
        if lines < ROWS:
            raise MeasureError(f"export: {lines} lines")
    return {"export_rate": {"muster": rate}}


def looks(chance):
    """Lists as an operator asks for them, one of each kind a turn."""
    number = chance.randrange(ROWS)
    words = " ".join(chance.sample(WORDS, 2))
    yield "devices?top=50"
    yield f"devices?top=50&after={device_id(number)}"
    yield "devices?top=50&order=name"
    yield f"devices?top=50&order=-name&after={quote(words)}%0A{device_id(number)}"
    yield f"devices?top=50&search={device_id(number)}"
    yield f"devices?top=50&search={number:06}"
    yield f"devices?top=50&search={quote(words)}"
    yield f"devices?top=50&search={quote(words)}%20{number % 1000}&order=name"
    yield f"devices?top=50&search={chance.choice(WORDS)[:4]}&status=registered"
    yield f"devices?top=50&search=nothing{number}"
    yield "devices?top=50&status=blocked"
    yield "devices?top=50&status=provisioned"
    yield "devices?top=50&unassociated=true"
    yield "devices?top=50&template=generic"


def lists(bench, number):
    """The time of an answer, as it is seen over a connection that is open."""
    chance, times = random.Random(number), []
    with imported(bench) as server:
        caller = Caller(server)
        for _ in range(LOOKS):
            for path in looks(chance):
                began = time.monotonic()
                caller.call("GET", path)
                times.append((time.monotonic() - began) * 1e3)
    return {"list_p99": {"muster": statistics.quantiles(times, n=100)[98]}}
