"""A muster of its own for a test: started on free ports, stopped cleanly, its log kept."""

import base64
import http.client
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import tempfile

from lib import certificates, sas
from lib.lines import Lines
from lib.mqtt import MqttClient

MUSTER = os.environ.get("MUSTER", str(pathlib.Path(__file__).parents[2] / "build" / "muster"))
DEFAULT_GROUP = "SAS-IoT-Devices"

# What a sanitizer writes when it found something.
SANITIZER = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:")

numbers = itertools.count(1)


def temporary_folder():
    """Under the build folder; elsewhere when the user that the server becomes cannot go there."""
    base = pathlib.Path(os.environ.get("MUSTER_TEST_TMP", pathlib.Path(MUSTER).parent / "tmp"))
    base.mkdir(parents=True, exist_ok=True)
    open_to_all = all(folder.stat().st_mode & 0o001 for folder in [base, *base.parents])
    if os.geteuid() == 0 and not open_to_all:
        base = pathlib.Path(tempfile.gettempdir())
    folder = tempfile.mkdtemp(prefix="muster-", dir=base)
    os.chmod(folder, 0o755)
    return pathlib.Path(folder)


class MusterServer:
    def __init__(self, *options, host="localhost", https="127.0.0.1:0", mqtts="127.0.0.1:0"):
        self.folder = temporary_folder()
        self.data = self.folder / "data"
        self.options = [f"--host={host}", f"--https={https}", f"--mqtts={mqtts}", *options]
        self.host = host
        self.wrapper = []  # a command before the server's own, as prlimit
        self.process = None
        self.log = None

    # --- life ------------------------------------------------------------------------------------

    def start(self):
        command = [*self.wrapper, MUSTER, "serve", "--data", str(self.data), *self.options]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", start_new_session=True)
        self.log = Lines(self.process.stdout)
        self.log.wait_for(lambda line: re.search(r"\bready\b", line), deadline=30)
        self.info = self.cli_json("info")
        return self

    def stop(self):
        """SIGTERM drains and exits with 0; no process and no sanitizer's complaint is left."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError("the server did not stop:\n" + self.log.tail()) from None
        self.log.join()
        assert status == 0, f"the server ended with {status}:\n{self.log.tail()}"
        complaints = [line for line in self.log.lines if SANITIZER.search(line)]
        assert not complaints, "\n".join(self.log.lines)
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        raise AssertionError("the server left a process behind")

    def kill(self):
        """kill -9: what a power cut does to the program."""
        process, self.process = self.process, None
        process.kill()
        process.wait()
        self.log.join()

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- the command line ------------------------------------------------------------------------

    def run(self, *arguments, timeout=60):
        """`muster ARGUMENTS`: the finished process."""
        return subprocess.run([MUSTER, *map(str, arguments)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout)

    def cli(self, *arguments, check=True, timeout=60):
        """`muster ARGUMENTS --data DIR`, which must succeed unless `check` is false."""
        done = self.run(*arguments, "--data", self.data, timeout=timeout)
        if check:
            assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stderr}{done.stdout}"
        return done

    def cli_json(self, *arguments):
        return json.loads(self.cli(*arguments, "--json").stdout)

    def start_cli(self, *arguments):
        """A command that goes on while the test does its part."""
        return CommandInProgress([MUSTER, *map(str, arguments), "--data", str(self.data)])

    def api(self, method, path, body=None):
        """(status, answer) of a call to the REST API with the operator's token."""
        context = ssl.create_default_context(cafile=self.ca_file)
        connection = http.client.HTTPSConnection(self.host, self.info["httpsPort"],
                                                 context=context, timeout=30)
        headers = {"Authorization": (self.data / "api-token").read_text().strip(),
                   "Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        connection.request(method, f"/api/muster/v1/{path}", body=text, headers=headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        return response.status, json.loads(answer) if answer else None

    def get(self, path, authorization=None):
        """(status, text) of any address of the HTTPS port, asked with the operator's token."""
        if authorization is None:
            authorization = (self.data / "api-token").read_text().strip()
        context = ssl.create_default_context(cafile=self.ca_file)
        connection = http.client.HTTPSConnection(self.host, self.info["httpsPort"],
                                                 context=context, timeout=30)
        connection.request("GET", path, headers={"Authorization": authorization})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text

    def device(self, device_id):
        return self.cli_json("device", "show", device_id)

    def device_ids(self, *options):
        lines = self.cli("device", "list", *options, "--json").stdout.splitlines()
        return [json.loads(line)["id"] for line in lines]

    def twin(self, device_id):
        return self.cli_json("device", "twin", device_id)

    def set_desired(self, device_id, patch):
        self.cli("device", "twin", device_id, "--desired", json.dumps(patch))

    def send_c2d(self, device_id, text, **members):
        """Through the API, which can state every property; gives the sequence number."""
        status, answer = self.api("POST", f"devices/{device_id}/messages", {"body": text, **members})
        assert status == 200, answer
        return answer["sequence"]

    def monitor(self, device_id=None, from_start=False):
        return Monitor(self, device_id, *(["--from-start"] if from_start else []))

    def messages(self, device_id, count):
        """The first `count` messages that a device ever sent, from the log."""
        with Monitor(self, device_id, "--from-start", "--count", str(count)) as monitor:
            return [monitor.next() for _ in range(count)]

    # --- where it is, and who may come in ----------------------------------------------------------

    @property
    def ca_file(self):
        return self.info["caFile"]

    @property
    def scope(self):
        return self.info["idScope"]

    def group_key(self, group=DEFAULT_GROUP, secondary=False):
        keys = self.cli_json("enrollment", "show", group, "--keys")
        return keys["secondaryKey" if secondary else "primaryKey"]

    def policy_key(self, name, scope="hub:main"):
        status, answer = self.api("GET", f"policies/{scope}/{name}")
        assert status == 200, answer
        return answer["primaryKey"]

    def dial_mqtt(self, **options):
        return MqttClient(self.info["mqttsPort"], self.ca_file, host=self.host, **options)

    def add_device(self, device_id=None, template=None):
        """A device that an operator added, provisioned, with its key."""
        device_id = device_id or unique_id()
        self.cli("device", "add", device_id, *(["--template", template] if template else []))
        text = self.cli("device", "connection-string", device_id).stdout
        fields = dict(part.split("=", 1) for part in text.strip().split(";"))
        return HubDevice(self, fields["DeviceId"], fields["SharedAccessKey"])


class CommandInProgress:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def result(self, timeout=60):
        """(exit status, standard output, standard error)"""
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, err


class Monitor:
    """`muster monitor --json`: device-to-cloud messages as they become durable."""

    def __init__(self, server, device_id=None, *options):
        command = [MUSTER, "monitor", "--json", "--data", str(server.data), *options]
        if device_id:
            command += ["--device", device_id]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        self.output = Lines(self.process.stdout)
        self.read = 0

    def next(self, deadline=15):
        place, self.read = self.read, self.read + 1
        self.output.wait_for(lambda line: len(self.output.lines) > place, deadline)
        return Message(self.output.lines[place])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        self.process.wait()
        self.output.join()


class Message:
    """A device-to-cloud message as `monitor --json` shows it."""

    def __init__(self, line):
        self.shown = json.loads(line)
        self.device_id = self.shown["deviceId"]
        self.properties = self.shown["properties"]
        self.system = self.shown["system"]

    @property
    def body(self):
        """The bytes that the device sent (of JSON: without its blanks)."""
        if "bodyBase64" in self.shown:
            return base64.b64decode(self.shown["bodyBase64"])
        body = self.shown["body"]
        text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
        return text.encode()


class HubDevice:
    """A device of the hub: its ID, its key, and its usual way in."""

    def __init__(self, server, device_id, key):
        self.server, self.id, self.key = server, device_id, key

    @property
    def resource(self):
        return f"{self.server.host}/devices/{self.id}"

    def tls(self):
        """None: nothing but the server's certificate is checked."""
        return None

    def token(self, **options):
        options.setdefault("key", self.key)
        return sas.token(options.pop("resource", self.resource), options.pop("key"), **options)

    def username(self, query="?api-version=2021-04-12"):
        return f"{self.server.host}/{self.id}/{query}"

    def attempt(self, username=None, password=None, client_id=None, **options):
        """A connection and the CONNACK it got."""
        client = self.server.dial_mqtt(tls=self.tls())
        answer = client.connect(
            self.id if client_id is None else client_id, username or self.username(),
            self.token() if password is None else password, **options)
        return client, answer

    def connect(self, **options):
        """A connection that was let in."""
        client, answer = self.attempt(**options)
        assert answer.code == 0, f"refused with {answer.code}:\n{self.server.log.tail(10)}"
        client.session_present = answer.session_present
        return client

    def refused(self, **options):
        """The CONNACK code of an attempt that must fail, and after which the server closes."""
        client, answer = self.attempt(**options)
        with client:
            assert answer.code != 0, "let in"
            client.expect_closed()
        return answer.code

    # --- topics ----------------------------------------------------------------------------------

    def events(self, bag=""):
        return f"devices/{self.id}/messages/events/{bag}"

    @property
    def c2d_filter(self):
        return f"devices/{self.id}/messages/devicebound/#"


class CertificateDevice(HubDevice):
    """One that TLS proves; it sends no password."""

    def __init__(self, server, device_id, leaf):
        super().__init__(server, device_id, key=None)
        self.leaf = leaf

    def tls(self):
        return certificates.client_context(self.server, self.leaf)

    def token(self, **options):
        return None


class HubModule(HubDevice):
    """A module of a device: an identity with keys, a twin and connections of its own."""

    def __init__(self, device, module_id):
        status, answer = device.server.api("PUT", f"devices/{device.id}/modules/{module_id}")
        assert status == 200, answer
        super().__init__(device.server, f"{device.id}/{module_id}", answer["primaryKey"])
        self.device_id, self.module_id = device.id, module_id

    @property
    def resource(self):
        return f"{self.server.host}/devices/{self.device_id}/modules/{self.module_id}"

    def events(self, bag=""):
        return f"devices/{self.device_id}/modules/{self.module_id}/messages/events/{bag}"

    @property
    def c2d_filter(self):
        return f"devices/{self.device_id}/modules/{self.module_id}/messages/devicebound/#"


def unique_id(prefix="dev"):
    return f"{prefix}-{next(numbers):03d}"
