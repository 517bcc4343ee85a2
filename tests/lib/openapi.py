"""A caller whose every answer is held against the server's own description of its API."""

import email.utils
import re
import urllib.parse

import jsonschema
from lib.caller import VERSION, Caller


class Description:
    """/api/openapi.json: which operation a call is, and what it may answer."""

    def __init__(self, document):
        self.document = document
        self.operations = [
            (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", re.escape(path)
                                               .replace(r"\{", "{").replace(r"\}", "}")) + "$"),
             operation)
            for path, methods in document["paths"].items() for method, operation in methods.items()]

    def operation(self, method, path):
        fitting = [operation for its_method, pattern, operation in self.operations
                   if its_method == method and pattern.match(path)]
        # A literal segment is meant where one fits: it has the fewest parameters.
        return min(fitting, key=lambda operation: len(operation["parameters"]), default=None)

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def check(self, schema, body):
        whole = {**schema, "components": self.document["components"]}
        jsonschema.Draft7Validator(whole).validate(body)
        self.check_members(schema, body)

    def check_members(self, schema, body):
        """Nothing is there that the schema does not name."""
        schema = self.resolve(schema)
        if isinstance(body, list):
            for item in body:
                self.check_members(schema.get("items", {}), item)
        elif isinstance(body, dict) and "properties" in schema:
            members = schema["properties"]
            if not schema.get("additionalProperties"):
                assert set(body) <= set(members), f"{set(body) - set(members)} of {body}"
            for name in set(body) & set(members):
                self.check_members(members[name], body[name])


def describe(server):
    answer = Caller(server, "").at("GET", "/api/openapi.json")
    assert answer.status == 200, answer
    return Description(answer.body)


class CheckedCaller(Caller):
    """Notes in `seen` which operations succeeded."""

    def __init__(self, server, description, authorization=None):
        super().__init__(server, authorization)
        self.description = description
        self.seen = set()

    def rest(self, method, path, body=None, query=VERSION):
        answer = super().rest(method, path, body, query)
        operation = self.description.operation(method, "/" + path)
        if answer.status >= 400:
            self.check_error(answer)
        else:
            assert operation, f"{method} {path} is not described"
            self.check_success(operation, answer)
        return answer

    def check_success(self, operation, answer):
        assert str(answer.status) in operation["responses"], (operation["operationId"], answer)
        content = operation["responses"][str(answer.status)].get("content")
        if content:
            assert answer.headers["Content-Type"].startswith("application/json")
            self.description.check(content["application/json"]["schema"], answer.body)
        else:
            assert answer.text == ""
        self.seen.add(operation["operationId"])

    def check_error(self, answer):
        self.description.check({"$ref": "#/components/schemas/Error"}, answer.body)
        error = answer.body["error"]
        assert answer.headers["x-ms-error-code"] == error["code"]
        assert answer.headers["x-ms-request-id"] == error["requestId"]
        assert email.utils.parsedate_to_datetime(error["time"])

    def pages(self, path, query=""):
        """The items of each page, by following the links as they are."""
        address = f"/api/{path}?{VERSION}{query}"
        while address:
            answer = self.at("GET", address)
            assert answer.status == 200, answer
            self.check_success(self.description.operation("GET", "/" + path), answer)
            yield answer.body["value"]
            link = answer.body.get("nextLink")
            assert link is None or link.startswith("https://")
            address = link and re.sub(r"^https://[^/]*", "", link)

    def all(self, path, query=""):
        return [item for page in self.pages(path, query) for item in page]

    def filtered(self, path, text, query=""):
        return self.all(path, "&$filter=" + urllib.parse.quote(text) + query)
