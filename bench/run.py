#!/usr/bin/env python3
"""Muster beside mosquitto, beside a server that does the least possible, and beside SQLite.

Every figure is a ratio of two that were measured in the same run: absolute ones say more of the
machine than of the program. Writes bench/results.json; exit status 1 when a gate is missed."""

import argparse
import fcntl
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections import namedtuple

import servers
from measures import FLEET, MEASURES
from servers import Load, MeasureError, Muster

TIME_MAX_SECONDS = 900
BUSY_LOAD = 0.5  # beside us, before we begin
MOST, LEAST = "at most", "at least"

# `against` is None where the bound is on the figure itself; a bound of None asks nothing.
Check = namedtuple("Check", "measure figure text unit against sense gate want")
CHECKS = (
    Check("a", "connect_cpu", "CPU a connect", "us", "floor", MOST, 1.3, 1.15),
    Check("a", "connect_cpu", "CPU a connect", "us", "mosquitto", MOST, 1.0, None),
    Check("a", "connect_rate", "connects", "/s", "floor", LEAST, 0.85, None),
    Check("b", "telemetry_100x10_rate", "messages, 100 x 10", "/s", "mosquitto", LEAST, 2.0, None),
    Check("b", "telemetry_100x10_rate", "messages, 100 x 10", "/s", "floor", LEAST, None, 0.7),
    Check("b", "telemetry_100x10_cpu", "CPU a message, 100 x 10", "us", "mosquitto", MOST, 0.6,
          None),
    Check("b", "telemetry_1000x1_rate", "messages, 1000 x 1", "/s", "mosquitto", LEAST, 0.9, None),
    Check("b", "telemetry_1000x1_cpu", "CPU a message, 1000 x 1", "us", "mosquitto", MOST, 1.1,
          None),
    Check("c", "idle_memory", "memory of an idle device", "B", "floor", MOST, 1.15, 1.0),
    Check("d", "register_cpu", "CPU a first registration", "us", "floor", MOST, 1.6, None),
    Check("d", "register_rate", "first registrations", "/s", "floor", LEAST, 0.6, 0.9),
    Check("e", "report_rate", "reported patches, 100 x 4", "/s", "sqlite", LEAST, 0.4, 0.8),
    Check("f", "start_seconds", "start with 1,000,000 devices", "s", None, MOST, 1.0, 0.05),
    Check("f", "start_memory", "memory after that start", "MB", None, MOST, 100, None),
    Check("g", "growth_cpu", "CPU a message, 19,000 connected", "us", "muster at 1,000", MOST,
          1.25, None),
    Check("h", "certificate_cpu", "CPU a registration, X.509", "us", "floor", MOST, None, 1.6),
    Check("h", "certificate_rate", "registrations, X.509", "/s", "floor", LEAST, 0.7, 0.9),
    Check("i", "leaf_rate", "device certificates, a core", "/s", "openssl", LEAST, 0.7, None),
    Check("j", "import_rate", "rows imported, 20,000 msg/s beside", "/s", None, LEAST, 20_000,
          None),
    Check("j", "import_rate", "the same", "/s", "sqlite", LEAST, None, 0.7),
    Check("j", "import_memory", "memory above idle, import", "MB", None, MOST, 64, None),
    Check("j", "import_p99", "p99 of that telemetry", "us", "telemetry alone", MOST, 2.0, None),
    Check("k", "export_rate", "rows exported", "/s", None, LEAST, 20_000, None),
    Check("l", "list_p99", "p99 of lists, 1,000,000 devices", "ms", None, MOST, 100, 30),
    Check("m", "reads_p99", "p99 of 1,000 mixed reads a second, 100,000 devices", "ms", None, MOST,
          50, 10),
)


class Bench:
    """The folders, programs and credentials of one run, and its time."""

    def __init__(self, muster):
        self.muster = muster
        self.end = time.monotonic() + TIME_MAX_SECONDS
        self.folder = servers.scratch_folder()
        self.tmp = self.folder / "tmp"
        self.fleet = self.tmp / "fleet"
        self.cold = None
        self.take_machine()
        shutil.rmtree(self.tmp, ignore_errors=True)
        self.tmp.mkdir()
        self.tmp.chmod(0o755)
        servers.build_tools(self.folder)
        self.certificate, self.key = servers.make_certificate(self.folder)

    def take_machine(self):
        """Two benchmarks at a time would measure each other, and share a folder."""
        self.lock = open(self.folder / "lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MeasureError("another benchmark is running") from None

    def tool(self, name):
        return self.folder / name

    def command(self, *words):
        """`muster WORDS` without a server; gives the processor time that it took."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([str(self.muster), *map(str, words)], capture_output=True, text=True,
                              timeout=self.seconds_left())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            raise MeasureError(f"muster {words[0]} {words[1]}: {done.stderr.strip()}")
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def seconds_left(self):
        left = self.end - time.monotonic()
        if left <= 0:
            raise MeasureError(f"not done within {TIME_MAX_SECONDS} s")
        return left

    def register_fleet(self, size):
        """The data folder that every other is copied from: `size` devices of a group."""
        with Muster(self, self.fleet) as server:
            server.let_everyone_in()
            self.group_key, self.scope = server.group_key(), server.scope
            Load(self, server, self.group_key, self.scope).run(
                "dps", "-n", size, "-k", 64, "--threads", 2, "--poll-ms", 0)

    def fresh_muster(self, purpose):
        """A server over a copy of the fleet's folder that nothing has written to yet."""
        data = self.tmp / purpose
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(self.fleet, data)
        return Muster(self, data)


# --- figures and what they should be --------------------------------------------------------------


def collect(bench, letters, rounds):
    """{figure: {subject: [a value a round]}} and what went wrong, by measure."""
    samples, errors = {}, {}
    for number in range(rounds):
        for letter in letters:
            print(f"round {number + 1} of {rounds}: {MEASURES[letter].__name__}", file=sys.stderr)
            try:
                bench.seconds_left()
                taken = MEASURES[letter](bench, number)
            except (MeasureError, subprocess.SubprocessError) as error:
                errors.setdefault(letter, str(error))
                continue
            for figure, values in taken.items():
                for subject, value in values.items():
                    samples.setdefault(figure, {}).setdefault(subject, []).append(value)
    return samples, errors


def holds(check, value, bound):
    if bound is None:
        return None
    return value <= bound if check.sense == MOST else value >= bound


def judge(check, samples):
    """A row of the results: medians, the median ratio with its extremes, and the verdicts."""
    row = check._asdict()
    figure = samples.get(check.figure)
    if not figure:
        return row | {"ok": False, "wanted": False}
    values = figure["muster"]
    row["muster"] = statistics.median(values)
    if check.against:
        others = figure[check.against]
        row["other"] = statistics.median(others)
        values = [value / other for value, other in zip(values, others)]
    row["ratio"] = statistics.median(values)
    row["least"], row["most"] = min(values), max(values)
    row["ok"] = holds(check, row["ratio"], check.gate) is not False
    row["wanted"] = holds(check, row["ratio"], check.want)
    return row


# --- the machine ----------------------------------------------------------------------------------


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout or done.stderr).partition("\n")[0].strip()


def machine():
    processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    mosquitto = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    return {
        "cores": os.cpu_count(),
        "processor": processor[1] if processor else platform.machine(),
        "kernel": platform.release(),
        "openssl": first_line("openssl", "version"),
        "mosquitto": first_line(mosquitto, "-h"),
    }


# --- telling --------------------------------------------------------------------------------------


def amount(value, unit):
    digits = 0 if value >= 1000 else 1 if value >= 20 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f} {unit}"


def bound_text(check, bound):
    return "" if bound is None else f"{'<=' if check.sense == MOST else '>='} {bound:g}"


def print_row(row):
    check = Check(**{name: row[name] for name in Check._fields})
    if "muster" not in row:
        print(f"{check.measure}  {check.text:32} no figure")
        return
    other = f"{check.against} {amount(row['other'], check.unit)}" if check.against else ""
    marks = "ok" if row["ok"] else "MISSED"
    if row["wanted"]:
        marks += ", as wanted"
    print(f"{check.measure}  {check.text:32} {amount(row['muster'], check.unit):>13}  {other:27}"
          f" {row['ratio']:6.2f} [{row['least']:.2f}-{row['most']:.2f}]"
          f"  {bound_text(check, check.gate):>7} {bound_text(check, check.want):>7}  {marks}")


def print_table(results):
    facts = results["machine"]
    print(f"{facts['cores']} cores, {facts['processor']}, Linux {facts['kernel']}, "
          f"{facts['openssl']}, {facts['mosquitto']}; {results['rounds']} round(s), medians; "
          f"load average {results['load_average'][0]:.1f} before and "
          f"{results['load_average'][1]:.1f} after")
    print("Lifted for the benchmark, since one address plays the fleet: "
          + ", ".join(results["lifted"]))
    if results["load_average"][0] > BUSY_LOAD:
        print("Something else was running: these figures are not to be trusted.")
    if results["cold"] is False:
        print("The caches were warm at the start with 1,000,000 devices: only root may drop them.")
    print(f"{'':3}{'figure':32} {'muster':>13}  {'beside':27} {'ratio':>6} {'':11}  {'gate':>7}"
          f" {'want':>7}")
    for row in results["checks"]:
        print_row(row)
    for letter, error in results["errors"].items():
        print(f"{letter}: {error}", file=sys.stderr)


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    root = servers.BENCH.parent
    parser.add_argument("--only", default=",".join(MEASURES), help="measures: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="[%(default)s]")
    parser.add_argument("--muster", type=pathlib.Path, default=root / "build" / "muster")
    parser.add_argument("--results", type=pathlib.Path, default=servers.BENCH / "results.json")
    arguments = parser.parse_args()
    arguments.letters = arguments.only.split(",")
    unknown = set(arguments.letters) - set(MEASURES)
    if unknown:
        parser.error(f"no such measure: {', '.join(sorted(unknown))}")
    return arguments


def run(arguments):
    bench = Bench(arguments.muster.resolve())
    before = os.getloadavg()[0]
    bench.register_fleet(FLEET)
    samples, errors = collect(bench, arguments.letters, arguments.rounds)
    return {
        "machine": machine(),
        "rounds": arguments.rounds,
        "load_average": [before, os.getloadavg()[0]],
        "lifted": [f"{section}.{key}" for section, keys in servers.LIFTED.items()
                   for key in keys],
        "cold": bench.cold,
        "checks": [judge(check, samples) for check in CHECKS if check.measure in arguments.letters],
        "samples": samples,
        "errors": errors,
    }


def main():
    arguments = read_arguments()
    try:
        results = run(arguments)
    except (MeasureError, subprocess.SubprocessError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    arguments.results.write_text(json.dumps(results, indent=1) + "\n")
    print_table(results)
    return 0 if all(row["ok"] for row in results["checks"]) and not results["errors"] else 1


if __name__ == "__main__":
    sys.exit(main())
