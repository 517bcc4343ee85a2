"""The document of the compatible REST API: whole, valid, and that of the rows that dispatch."""

import json
import re

import openapi_spec_validator
import pytest
from lib.caller import Caller

SERVER_OPTIONS = ["--accepts-per-second=0", "--unauthenticated-per-address=1000"]


@pytest.fixture(scope="module")
def document(server):
    answer = Caller(server, "").at("GET", "/api/openapi.json")
    assert answer.status == 200
    return answer.body


def operations(document):
    return [(path, method, operation) for path, methods in document["paths"].items()
            for method, operation in methods.items()]


def test_the_document_is_valid_and_open(document):
    openapi_spec_validator.validate(document)


def test_every_operation_is_described(document):
    identifiers = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(identifiers)) == len(identifiers)
    for path, method, operation in operations(document):
        assert operation["x-permission"] and operation["responses"]["default"], path
        assert len(re.findall(r"\{(\w+)\}", path)) == len(set(re.findall(r"\{(\w+)\}", path)))
        is_built = not operation.get("x-not-implemented")
        if is_built and method != "delete":
            good = [status for status in operation["responses"] if status.startswith("2")]
            assert len(good) == 1, path
        if is_built and method in ("put", "patch") and operation["operationId"] != "Jobs_Rerun":
            assert operation["requestBody"], path  # a rerun is what the other job was


def test_no_schema_is_missing_or_left_over(document):
    text = json.dumps(document)
    used = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert used == set(document["components"]["schemas"])


def test_the_document_has_the_routes_that_dispatch(server, document):
    routes = Caller(server).own("GET", "routes").body["value"]
    dispatched = {(route["method"].lower(), re.sub(r"^/api", "", route["path"]))
                  for route in routes if not route["path"].startswith("/api/muster/")}
    described = {(method, re.sub(r"\{\w+\}", "{}", path))
                 for path, method, _ in operations(document)}
    assert dispatched - described == {("get", "/openapi.json")}
    assert described <= dispatched
