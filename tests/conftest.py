"""Fixtures of all the tests from outside."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from lib.caller import Caller  # noqa: E402
from lib.server import MusterServer  # noqa: E402


def closing(server, request, failures_before):
    if request.session.testsfailed > failures_before and server.log:
        print(f"\n--- log of the server in {server.folder}\n{server.log.tail(120)}")
    server.close()


@pytest.fixture(scope="module")
def server(request):
    """One server for all tests of a file; each test takes a device of its own."""
    failures = request.session.testsfailed
    started = MusterServer(*getattr(request.module, "SERVER_OPTIONS", []))
    try:
        yield started.start()
    finally:
        closing(started, request, failures)


@pytest.fixture(scope="module")
def boss(server):
    """An administrator, by the token in the data folder."""
    return Caller(server)


@pytest.fixture
def new_server(request):
    """Makes servers for one test: new_server(options...) gives a started one."""
    failures, made = request.session.testsfailed, []

    def make(*options, **addresses):
        made.append(MusterServer(*options, **addresses))
        return made[-1].start()

    yield make
    for started in made:
        closing(started, request, failures)


@pytest.fixture
def device(server):
    """A device that an operator added, provisioned: it may connect to the hub."""
    return server.add_device()
