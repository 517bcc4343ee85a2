"""Fixtures of the tests that break things on purpose."""

import pytest
from lib.server import MusterServer

# One machine plays a whole fleet, faster than any one address may otherwise.
NO_ADDRESS_LIMITS = ("--unauthenticated=0", "--unauthenticated-per-address=0",
                     "--accepts-per-second=0", "--register-burst=0")


@pytest.fixture
def make_server():
    """make_server(options...): one that is not started yet, for a test to prepare."""
    made = []

    def make(*options):
        made.append(MusterServer(*NO_ADDRESS_LIMITS, *options))
        return made[-1]

    yield make
    for server in made:
        if server.log:
            print(f"\n--- log of the server in {server.folder}\n{server.log.tail(60)}")
        server.close()
