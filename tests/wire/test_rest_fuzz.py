"""The compatible REST API asked for all that its own document allows, by schemathesis: no answer of
the 5xx kind but 501, none that the document does not describe."""

import re
import subprocess
import sys

import pytest
from lib.caller import Caller
from lib.openapi import describe
from lib.server import unique_id

SERVER_OPTIONS = ["--accepts-per-second=0", "--unauthenticated-per-address=100000",
                  "--register-burst=0"]

CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance",
          "response_headers_conformance", "response_schema_conformance"]

# What makes requests from the document costs far more than their answers: a bounded walk.
WALKS = {
    "the edges of what is allowed": ["--phases", "coverage", "--mode", "positive"],
    "guesses, allowed and not": ["--phases", "fuzzing", "--mode", "all", "--max-examples", "4"],
}


@pytest.fixture(scope="module")
def stocked(server):
    """Something of each kind that a guess may hit."""
    boss = Caller(server)
    for path, body in [("devices/0", {"template": "generic"}), ("devices/1", {}),
                       ("devices/0/relationships/0", {"target": "1"}),
                       ("organizations/00", {"displayName": "Works"}),
                       ("enrollmentGroups/0", {"displayName": "0", "type": "iot", "attestation": {
                           "type": "symmetricKey"}}),
                       ("enrollmentGroups/1", {"displayName": "1", "type": "iot", "attestation": {
                           "type": "x509", "x509": {"signingCertificates": {}}}})]:
        answer = boss.rest("PUT", path, body)
        assert answer.status == 200, answer
    return server


def left_out(document):
    """What is not built; and what takes away the token that all of it is asked with, as its ID is
    learned from a list."""
    return ["ApiTokens_Remove", *(
        operation["operationId"] for methods in document["paths"].values()
        for operation in methods.values() if operation.get("x-not-implemented"))]


@pytest.mark.parametrize("walk", WALKS)
def test_what_the_document_allows_is_answered_as_it_says(stocked, walk):
    folder = stocked.folder / unique_id("fuzz")
    folder.mkdir()
    command = [
        sys.executable, "-m", "schemathesis.cli", "run",
        f"https://{stocked.host}:{stocked.info['httpsPort']}/api/openapi.json",
        "--header", "Authorization: " + (stocked.data / "api-token").read_text().strip(),
        "--tls-verify", stocked.ca_file, "--checks", ",".join(CHECKS), *WALKS[walk],
        "--workers", "2", "--seed", "1", "--suppress-health-check", "all", "--no-shrink",
        "--request-timeout", "20", "--generation-database", "none", "--no-color"]
    for operation in left_out(describe(stocked).document):
        command += ["--exclude-operation-id", operation]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-4000:]
    assert "Authentication failed" not in done.stdout
    generated = int(re.search(r"(\d+) generated", done.stdout)[1])
    assert generated > 200, done.stdout[-2000:]
