"""What is measured: one function a measure, each one round of it.

A round gives samples: {figure: {subject: value}}. The servers are asked in the order mosquitto,
floor, muster, so that what the machine does meanwhile falls upon all alike."""

import os
import pathlib
import statistics
import subprocess
import tempfile

import bulk
import million
import reads
from servers import Floor, Load, MeasureError, Mosquitto, Muster

FLEET = 19_000           # devices registered before, as many as one process may hold sockets for
SPREAD = ["--src", "127.0.0.2", "--src-count", 8]
REGISTRATIONS = 4_000
LEAVES = 20_000          # certificates made in one run of the tool


def load(bench, server):
    return Load(bench, server, bench.group_key, bench.scope)


def each_server(bench, *makers):
    """(subject, load generator aimed at it) for one server after the other."""
    for make in makers:
        with make() as server:
            yield server.name, load(bench, server)


def connect(bench, number):
    """Full TLS 1.3 handshakes with a P-256 key; muster checks the signature, looks the device up
    and opens a session."""
    cpu, rate = {}, {}
    for name, tool in each_server(bench, lambda: Mosquitto(bench), lambda: Floor(bench),
                                  lambda: bench.fresh_muster("connect")):
        answer = tool.run("connect", "-n", 4000, "-k", 64, "--threads", 2, "--close")["connect"]
        cpu[name], rate[name] = answer["server_us_per_op"], answer["per_s"]
    return {"connect_cpu": cpu, "connect_rate": rate}


def telemetry(bench, number):
    """QoS 1, 128 bytes, acknowledged by muster and the floor once it is on disk; mosquitto keeps
    nothing."""
    samples = {}
    for connections, window in ((100, 10), (1000, 1)):
        shape = f"{connections}x{window}"
        cpu, rate = {}, {}
        for name, tool in each_server(bench, lambda: Mosquitto(bench),
                                      lambda: Floor(bench, wal=True),
                                      lambda: bench.fresh_muster("telemetry")):
            answer = tool.run("publish", "-n", connections, "-w", window, "-s", 128, "-t", 3)
            cpu[name] = answer["publish"]["server_us_per_msg"]
            rate[name] = answer["publish"]["per_s"]
        samples |= {f"telemetry_{shape}_cpu": cpu, f"telemetry_{shape}_rate": rate}
    return samples


def idle(bench, number):
    """Resident memory of 10,000 quiet connections, over a server just started."""
    memory = {}
    for name, tool in each_server(bench, lambda: Floor(bench),
                                  lambda: bench.fresh_muster("idle")):
        answer = tool.run("connect", "-n", 10_000, "--threads", 2, "--settle", 2, *SPREAD)
        memory[name] = answer["memory"]["rss_bytes_per_conn"]
    return {"idle_memory": memory}


def register(bench, number):
    """Devices nobody has seen, over MQTT, each with a connection of its own."""
    cpu, rate = {}, {}
    for name, tool in each_server(bench, lambda: Floor(bench),
                                  lambda: bench.fresh_muster("register")):
        answer = tool.run("dps", "-n", REGISTRATIONS, "-k", 64, "--threads", 2, "--poll-ms", 0,
                          "--id", f"new-{number}-{{i}}")["connect"]
        cpu[name], rate[name] = answer["server_us_per_op"], answer["per_s"]
    return {"register_cpu": cpu, "register_rate": rate}


def report(bench, number):
    """Reported properties, answered once durable, beside what SQLite does in batches."""
    done = subprocess.run([str(bench.tool("limits")), str(bench.tmp), "2"], check=True,
                          capture_output=True, text=True, timeout=bench.seconds_left())
    rate = {"sqlite": float(done.stdout)}
    for name, tool in each_server(bench, lambda: bench.fresh_muster("report")):
        rate[name] = tool.run("rpc", "-n", 100, "-w", 4, "-t", 3)["rpc"]["per_s"]
    return {"report_rate": rate}


def drop_caches():
    """True when the next start finds nothing in memory; only root may ask for that."""
    if os.geteuid() != 0:
        return False
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("3")
    return True


def start(bench, number):
    """From the start of the process to its ready line, with a million devices registered."""
    folder = million.folder_of(bench)
    bench.cold = drop_caches()
    with Muster(bench, folder) as server:
        memory = server.resident_bytes()
        server.command("device", "show", million.device_id(million.COUNT // 2))
        Load(bench, server, server.group_key()).run("connect", "-n", 1, "--close")
    return {"start_seconds": {"muster": server.start_seconds},
            "start_memory": {"muster": memory / 1e6}}


def growth(bench, number):
    """The same 20,000 messages a second from few connections and from many."""
    cpu = {}
    for connections, subject in ((1000, "muster at 1,000"), (FLEET, "muster")):
        for _, tool in each_server(bench, lambda: bench.fresh_muster("growth")):
            answer = tool.run("publish", "-n", connections, "-w", 4, "-s", 128, "--rate", 20_000,
                              "-t", 10, "--threads", 2, *SPREAD)
            cpu[subject] = answer["publish"]["server_us_per_msg"]
    return {"growth_cpu": cpu}


def authority(bench):
    """The folder of a P-256 authority and of its devices' leaves, made once a run."""
    folder = bench.tmp / "authority"
    if not folder.exists():
        bench.command("cert", "root", "--out", folder, "--cn", "Bench Root")
        ids = bench.tmp / "ids.csv"
        ids.write_text("".join(f"leaf-{i}\n" for i in range(REGISTRATIONS)))
        bench.command("cert", "device", "--csv", ids, "--ca", folder, "--out", folder / "leaves")
    return folder


def trusting_muster(bench, folder):
    server = bench.fresh_muster("certificates")
    server.command("enrollment", "add", "factory", "--attestation", "x509")
    server.command("ca", "add", "factory", str(folder / "ca.pem"), "--slot", "primary",
                   "--verified")
    return server


def register_by_certificate(bench, number):
    """First registrations by a client certificate of a P-256 chain of two, which the floor
    verifies in its handshake, and does no more about."""
    folder = authority(bench)
    cpu, rate = {}, {}
    for make in (lambda: Floor(bench, client_ca=folder / "ca.pem"),
                 lambda: trusting_muster(bench, folder)):
        with make() as server:
            tool = Load(bench, server, None, bench.scope, folder / "leaves")
            answer = tool.run("dps", "-n", REGISTRATIONS, "-k", 64, "--threads", 2,
                              "--poll-ms", 0, "--id", "leaf-{i}")["connect"]
            cpu[server.name] = answer["server_us_per_op"]
            rate[server.name] = answer["per_s"]
    return {"certificate_cpu": cpu, "certificate_rate": rate}


def make_leaves(bench, number):
    """Device certificates made and written, for each second of processor time, beside the
    cryptography alone. In memory: what a disk does with many small files is not measured."""
    folder, ids = authority(bench), bench.tmp / "many.csv"
    ids.write_text("".join(f"many-{number}-{i}\n" for i in range(LEAVES)))
    with tempfile.TemporaryDirectory(prefix="muster-bench-", dir="/dev/shm") as leaves:
        spent = bench.command("cert", "device", "--csv", ids, "--ca", folder, "--out", leaves)
        made = len(list(pathlib.Path(leaves).glob("*.pem")))
    if made != LEAVES:
        raise MeasureError(f"{made} certificates in place of {LEAVES}")
    # On all cores as well: two threads that share a core each get less done in their seconds.
    tools = [subprocess.Popen([str(bench.tool("keys")), "2"], stdout=subprocess.PIPE, text=True)
             for _ in range(os.cpu_count())]
    limits = [float(tool.communicate(timeout=bench.seconds_left())[0]) for tool in tools]
    return {"leaf_rate": {"openssl": statistics.mean(limits), "muster": made / spent}}


MEASURES = {"a": connect, "b": telemetry, "c": idle, "d": register, "e": report, "f": start,
            "g": growth, "h": register_by_certificate, "i": make_leaves,
            "j": bulk.import_beside_telemetry, "k": bulk.export, "l": bulk.lists, "m": reads.reads}
