"""Mixed reads of the compatible REST API: devices, pages in both orders, properties, groups; by
processes of their own, each request at its time whether the one before was late or not."""

import multiprocessing
import random
import socket
import ssl
import threading
import time

from servers import HOST, MeasureError

DEVICES = 100_000
RATE = 1_000             # requests a second
SECONDS = 8
PROCESSES = 2
CONNECTIONS = 8          # of each
VERSION = "api-version=2022-07-31"


def device_id(number):
    return f"read-{number:06}"


def make_file(bench):
    path = bench.tmp / "reads.csv"
    with open(path, "w", newline="") as file:
        file.write("IOTC_DEVICEID,IOTC_DEVICENAME\r\n")
        for number in range(DEVICES):
            file.write(f"{device_id(number)},Pump {number * 7919 % DEVICES:06}\r\n")
    return path


def choose(chance):
    device = device_id(chance.randrange(DEVICES))
    return chance.choices([
        f"devices/{device}?{VERSION}",
        f"devices?{VERSION}&$skiptoken={device}",
        f"devices?{VERSION}&$orderby=displayName&$skiptoken={device}/Pump%20{device[-6:]}",
        f"devices/{device}/properties?{VERSION}",
        f"enrollmentGroups?{VERSION}"], [70, 15, 5, 5, 5])[0]


def read_answer(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    left = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) - len(body)
    while left > 0:
        left -= len(connection.recv(65536))
    return head.split(b" ", 2)[1]


def ask(place, chance, until, waits):
    """One connection's part of the requests; what each took from when it was due."""
    port, certificate, token = place
    context = ssl.create_default_context(cafile=certificate)
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port)),
                                     server_hostname=HOST)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    gap = PROCESSES * CONNECTIONS / RATE
    due = time.perf_counter() + chance.random() * gap
    while due < until:
        time.sleep(max(0, due - time.perf_counter()))
        connection.sendall((f"GET /api/{choose(chance)} HTTP/1.1\r\nHost: {HOST}\r\n"
                            f"Authorization: {token}\r\n\r\n").encode())
        status = read_answer(connection)
        waits.append(time.perf_counter() - due if status == b"200" else status.decode())
        due += gap
    connection.close()


def run_process(place, seed, answers):
    waits, until = [], time.perf_counter() + SECONDS
    threads = [threading.Thread(target=ask, args=(place, random.Random(seed + number), until, waits))
               for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.put(waits)


def reads(bench, number):
    """The checklist's C119: on two cores, with what asks on the same two."""
    with bench.fresh_muster("reads") as server:
        server.command("device", "import", str(make_file(bench)))
        place = (int(server.url.rpartition(":")[2].strip("/")), str(bench.certificate),
                 (server.data / "api-token").read_text().strip())
        answers = multiprocessing.Queue()
        processes = [multiprocessing.Process(target=run_process, args=(place, 100 * seed, answers))
                     for seed in range(PROCESSES)]
        for process in processes:
            process.start()
        waits = [wait for _ in processes for wait in answers.get()]
        for process in processes:
            process.join()
    failed = [wait for wait in waits if isinstance(wait, str)]
    if failed or len(waits) < 0.95 * RATE * SECONDS:
        raise MeasureError(f"{len(waits)} reads, of which failed: {failed[:3]}")
    return {"reads_p99": {"muster": sorted(waits)[int(len(waits) * 0.99)] * 1000}}
