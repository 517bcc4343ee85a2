"""The servers that are compared, each as one process of its own on 127.0.0.1 with the same TLS
certificate, and the load generator that is pointed at them."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

BENCH = pathlib.Path(__file__).resolve().parent
HOST = "localhost"
GROUP = "SAS-IoT-Devices"
START_SECONDS = 30
STOP_SECONDS = 30

# What is lifted for the benchmark and nothing else: one address plays the whole fleet, and every
# device registers once a round.
LIFTED = {
    "limits": ["unauthenticated", "unauthenticated_per_address", "accepts_per_second",
               "accepts_burst"],
    "dps": ["register_burst"],
}


class MeasureError(Exception):
    """A figure that cannot be trusted, or a server that did not do its part."""


def scratch_folder():
    """build/bench; elsewhere when the user that muster becomes cannot go there."""
    folder = BENCH.parent / "build" / "bench"
    if os.geteuid() == 0 and not all(f.stat().st_mode & 0o001 for f in BENCH.parents):
        folder = pathlib.Path(tempfile.gettempdir()) / "muster-bench"
    folder.mkdir(parents=True, exist_ok=True)
    os.chmod(folder, 0o755)
    return folder


def build_tools(folder):
    """mqload, mqfloor, limits and keys, compiled when their source is newer."""
    for source, libraries in (("mqload/mqload.c", ["-lssl", "-lcrypto", "-lpthread"]),
                              ("mqload/mqfloor.c", ["-lssl", "-lcrypto", "-lpthread"]),
                              ("limits.c", ["-lsqlite3"]), ("keys.c", ["-lcrypto"])):
        path = BENCH / source
        program = folder / path.stem
        if program.exists() and program.stat().st_mtime > path.stat().st_mtime:
            continue
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-std=c17", "-Wall", "-Wextra",
                        "-o", str(program), str(path), *libraries], check=True)


def make_certificate(folder):
    """A P-256 key for the benchmark alone: readable, for mosquitto and muster drop root."""
    certificate, key = folder / "server.pem", folder / "server.key"
    if not certificate.exists() or time.time() - certificate.stat().st_mtime > 20 * 86400:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                        f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
                        "-keyout", str(key), "-out", str(certificate)],
                       check=True, capture_output=True)
        os.chmod(key, 0o644)
    return certificate, key


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A started process. Use with `with`: it is ended, by its ID, whatever happens."""

    name = None

    def __init__(self, bench):
        self.bench = bench
        self.process = None
        self.port = None

    def launch(self, command):
        self.log = self.bench.tmp / f"{self.name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(word) for word in command], stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL)

    def wait_until(self, is_ready):
        end = time.monotonic() + START_SECONDS
        while not is_ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise MeasureError(f"{self.name} did not start: {self.log_tail()}")
            time.sleep(0.001)

    def log_tail(self):
        return self.log.read_text(errors="replace")[-400:]

    def accepts(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    @property
    def pid(self):
        return self.process.pid

    def resident_bytes(self):
        pages = pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise MeasureError(f"{self.name} did not end when told to") from None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()


class Mosquitto(Server):
    name = "mosquitto"

    def __init__(self, bench):
        super().__init__(bench)
        self.port = free_port()
        config = bench.tmp / "mosquitto.conf"
        config.write_text("\n".join([
            "set_tcp_nodelay true", "per_listener_settings false", "allow_anonymous true",
            "persistence false", "log_type error", "sys_interval 0",
            f"listener {self.port} 127.0.0.1", f"certfile {bench.certificate}",
            f"keyfile {bench.key}", ""]))
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.launch([program, "-c", config])
        self.wait_until(self.accepts)


class Floor(Server):
    """The least that a server can do for the same traffic; with a log, durably."""

    name = "floor"

    def __init__(self, bench, wal=False, client_ca=None):
        super().__init__(bench)
        self.port = free_port()
        options = ["--wal", bench.tmp / "floor.wal"] if wal else []
        options += ["--client-ca", client_ca] if client_ca else []
        self.launch([bench.tool("mqfloor"), "--port", self.port, "--cert", bench.certificate,
                     "--key", bench.key, *options])
        self.wait_until(self.accepts)


class Muster(Server):
    """`muster serve` over a data folder."""

    name = "muster"

    def __init__(self, bench, data):
        super().__init__(bench)
        self.data = data
        config = bench.tmp / "muster.ini"
        config.write_text(self.config_text())
        began = time.monotonic()
        self.launch([bench.muster, "serve", "--config", config, "--data", data])
        self.wait_until(lambda: b"event=ready" in self.log.read_bytes())
        self.start_seconds = time.monotonic() - began
        info = json.loads((data / "instance.json").read_text())
        self.port, self.scope, self.url = info["mqttsPort"], info["idScope"], info["httpsUrl"]

    def config_text(self):
        lines = ["[server]", f"host = {HOST}", "https = 127.0.0.1:0", "mqtts = 127.0.0.1:0",
                 "[tls]", f"certificate = {self.bench.certificate}", f"key = {self.bench.key}"]
        for section, keys in LIFTED.items():
            lines += [f"[{section}]", *(f"{key} = 0" for key in keys)]
        return "\n".join(lines) + "\n"

    def command(self, *words):
        """`muster WORDS`, as an operator who is told where the server is: its certificate is the
        benchmark's and not one of its own CA."""
        where = {"MUSTER_URL": self.url, "MUSTER_CA": str(self.bench.certificate),
                 "MUSTER_TOKEN": (self.data / "api-token").read_text().strip()}
        done = subprocess.run([str(self.bench.muster), *words], env=os.environ | where,
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise MeasureError(f"muster {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def let_everyone_in(self):
        """A device of the group is assigned at its first registration."""
        self.command("settings", "set", "autoApprove", "true")
        self.command("settings", "set", "requireTemplate", "never")

    def group_key(self):
        shown = self.command("enrollment", "show", GROUP, "--keys", "--json")
        return json.loads(shown)["primaryKey"]


class Load:
    """mqload against one server; the devices of every run prove themselves alike, whether the
    server looks at it or not, so that the bytes on the wire are the same."""

    def __init__(self, bench, server, group_key, scope="0ne00000000", leaves=None):
        self.bench, self.server = bench, server
        self.identity = ["--hub-host", HOST, "--scope", scope]
        if leaves:
            self.identity += ["--cert", leaves / "{id}.pem", "--key", leaves / "{id}.key"]
        else:
            self.identity += ["--sas-group-key", group_key]

    def run(self, mode, *options):
        command = [self.bench.tool("mqload"), mode, "--port", self.server.port, "--tls", "1.3",
                   "--server-pid", self.server.pid, "--json", "--max-time", 90,
                   *self.identity, *options]
        if mode != "dps":
            command += ["--preset", "hub"]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              timeout=self.bench.seconds_left())
        if not done.stdout.startswith("{"):
            raise MeasureError(f"mqload {mode} at {self.server.name}: {done.stderr.strip()}")
        answer = json.loads(done.stdout)
        complaints = self.complaints(answer, mode)
        if complaints:
            raise MeasureError(f"mqload {mode} at {self.server.name}: {', '.join(complaints)}")
        return answer

    @staticmethod
    def complaints(answer, mode):
        """Whatever says that not all was served as it should have been."""
        found = [f"{count} {what}" for what, count in answer["fails"].items()]
        found += [f"{answer[what]} {what}" for what in ("failed", "unfinished", "lost")
                  if answer[what]]
        if answer["timed_out"]:
            found.append("no time left")
        if answer["last_connack"] or answer["last_status"]:
            found.append(f"last answers {answer['last_connack']}, {answer['last_status']}")
        if answer.get(mode, {}).get("misordered"):
            found.append(f"{answer[mode]['misordered']} acknowledgements out of order")
        return found
