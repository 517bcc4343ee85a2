"""What devices sent and what they were told, kept outside of the server.

A load of devices runs until the server is gone; each writes down what was acknowledged to it.
Afterwards the ledger is held against what the server still knows."""

import json
import subprocess
import threading
from collections import deque

from lib import dps, packets, twin
from lib.mqtt import Closed
from lib.server import MUSTER, HubDevice, unique_id


class Load(threading.Thread):
    """A part of the load: `work` runs until the connection ends, which is no failure."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.connected = threading.Event()
        self.failure = None

    def run(self):
        try:
            self.work()
        except TimeoutError as error:
            self.failure = error
        except (Closed, OSError):
            pass
        except BaseException as error:  # noqa: B902 (told by finish)
            self.failure = error
        finally:
            self.connected.set()

    def finish(self, deadline=30):
        self.join(deadline)
        assert not self.is_alive(), "a device still waits for a server that is gone"
        if self.failure:
            raise self.failure


# --- telemetry -----------------------------------------------------------------------------------


class TelemetryBook:
    """A device that numbers its messages and sends again what was not acknowledged."""

    def __init__(self, device):
        self.device = device
        self.sent = 0           # messages bear numbers: 1, 2, 3, ...
        self.acknowledged = 0   # all up to this one; the server acknowledges in order

    def end_round(self):
        """Sends what was not acknowledged, and a last message; its number."""
        with self.device.connect() as client:
            for number in range(self.acknowledged + 1, self.sent + 1):
                client.publish(self.device.events(), body(number), dup=True)
            self.sent += 1
            client.publish(self.device.events(), body(self.sent))
        self.acknowledged = self.sent
        return self.sent

    def check(self, numbers):
        """`numbers` as they lie in the log: each acknowledged one, first comers in order."""
        first_comers = list(dict.fromkeys(numbers))
        assert first_comers == sorted(first_comers), f"{self.device.id}: not in order"
        lost = set(range(1, self.acknowledged + 1)) - set(numbers)
        assert not lost, f"{self.device.id}: acknowledged, yet lost: {sorted(lost)[:20]}"
        invented = [number for number in first_comers if number > self.sent]
        assert not invented, f"{self.device.id}: never sent: {invented[:20]}"


class TelemetryLoad(Load):
    in_flight = 24

    def __init__(self, server, book):
        super().__init__(server)
        self.book = book

    def work(self):
        book, device = self.book, self.book.device
        waiting = deque()
        with device.connect() as client:
            self.connected.set()
            while True:
                fresh = range(book.sent + 1, book.sent + 1 + self.in_flight - len(waiting))
                book.sent = max(book.sent, fresh.stop - 1)
                client.send(b"".join(self.packet(number, waiting) for number in fresh))
                for _ in range(max(len(waiting) // 2, 1)):
                    number = waiting.popleft()
                    answer = client.expect(packets.Puback)
                    assert answer.packet_id == packet_id(number), "acknowledged out of order"
                    book.acknowledged = number

    def packet(self, number, waiting):
        waiting.append(number)
        return packets.publish(self.book.device.events(), body(number), 1, packet_id(number))


def body(number):
    return f'{{"n":{number}}}'


def packet_id(number):
    return (number - 1) % 65535 + 1


# --- twins ---------------------------------------------------------------------------------------


class TwinBook:
    """A device that reports 1, 2, 3, ...: one patch makes one version."""

    def __init__(self, device):
        self.device = device
        self.sent = 0
        self.value = 0      # of the last acknowledged patch
        self.version = 1    # that it made

    def check(self):
        """Then the next round goes on from what is there."""
        reported = self.device.server.twin(self.device.id)["properties"]["reported"]
        version, value = reported["$version"], reported.get("value", 0)
        where = f"{self.device.id}: version {version}, value {value}"
        assert version >= self.version, f"{where}; acknowledged was version {self.version}"
        assert value - self.value == version - self.version, f"{where}; was {self.value}"
        assert value <= self.sent, f"{where}; sent were {self.sent}"
        self.sent, self.value, self.version = value, value, version


class TwinLoad(Load):
    in_flight = 6

    def __init__(self, server, book):
        super().__init__(server)
        self.book = book

    def work(self):
        book = self.book
        with book.device.connect() as client:
            client.subscribe(twin.RESPONSES)
            self.connected.set()
            while True:
                while book.sent - book.value < self.in_flight:
                    self.send(client)
                answer = twin.parse_answer(client.receive_publish())
                assert answer.status == 204, answer
                assert answer.version == book.version + 1 and int(answer.rid) == book.value + 1
                book.value, book.version = int(answer.rid), answer.version

    def send(self, client):
        self.book.sent += 1
        client.publish(f"$iothub/twin/PATCH/properties/reported/?$rid={self.book.sent}",
                       json.dumps({"value": self.book.sent}), qos=0)


# --- registrations -------------------------------------------------------------------------------


class RegistrationLoad(Load):
    """A factory's line: one device after another provisions; those told so are kept."""

    def __init__(self, server, group_key):
        super().__init__(server)
        self.group_key = group_key
        self.assigned = []

    def work(self):
        self.connected.set()
        while True:
            device = dps.group_device(self.server, unique_id("factory"), self.group_key)
            with device.connect() as client:
                answer = device.mqtt_register(client)
                assert (answer.status, answer.body["status"]) == (200, "assigned"), answer
            told = answer.body["registrationState"]["deviceId"]
            self.assigned.append(HubDevice(self.server, told, device.key))


def check_assigned(server, devices):
    provisioned = set(server.device_ids("--status", "provisioned"))
    lost = [device.id for device in devices if device.id not in provisioned]
    assert not lost, f"told 'assigned', yet not provisioned: {lost[:20]}"


# --- the log -------------------------------------------------------------------------------------


def read_log(server, last):
    """{device ID: the numbers in its messages}, read until the number `last[ID]` of each ID."""
    found, missing = {device: [] for device in last}, dict(last)
    command = [MUSTER, "monitor", "--json", "--from-start", "--data", str(server.data)]
    reader = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(60, reader.kill)
    watchdog.start()
    try:
        for line in reader.stdout:
            message = json.loads(line)
            device, number = message["deviceId"], message["body"]["n"]
            found[device].append(number)
            if missing.get(device) == number:
                del missing[device]
                if not missing:
                    return found
    finally:
        watchdog.cancel()
        reader.kill()
        reader.wait()
        reader.stdout.close()
    raise AssertionError(f"the log ends before {missing}")
