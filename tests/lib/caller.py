"""Somebody who calls the application's API with a token of his own, over both families."""

import http.client
import json
import re
import ssl
import threading

VERSION = "api-version=2022-07-31"

ADMINISTRATOR = "ca310b8d-2f4a-44e0-a36e-957c202cd8d4"
BUILDER = "344138e9-8de4-4497-8c54-5237e96d6aaf"
OPERATOR = "ae2c9854-393b-4f97-8c42-479d70ce626e"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = dict(response.getheaders())
        self.text = response.read().decode()

    @property
    def body(self):
        return json.loads(self.text) if self.text else None

    @property
    def code(self):
        return self.body["error"]["code"]

    def __repr__(self):
        return f"{self.status} {self.text}"


class Caller:
    """`authorization` None: the operator's own token; "": none."""

    def __init__(self, server, authorization=None):
        self.server = server
        self.authorization = authorization

    def open(self, method, address, body=None, accept=None, headers=None):
        """The answer as it comes, and its connection: for streams."""
        if self.authorization is None:
            token = (self.server.data / "api-token").read_text().strip()
        else:
            token = self.authorization
        context = ssl.create_default_context(cafile=self.server.ca_file)
        connection = http.client.HTTPSConnection(self.server.host, self.server.info["httpsPort"],
                                                 context=context, timeout=30)
        headers = {"Content-Type": "application/json", **({"Authorization": token} if token else {}),
                   **({"Accept": accept} if accept else {}), **(headers or {})}
        connection.request(method, address, body=None if body is None else json.dumps(body),
                           headers=headers)
        return connection.getresponse(), connection

    def at(self, method, address, body=None, headers=None):
        response, connection = self.open(method, address, body, headers=headers)
        answer = Answer(response)
        connection.close()
        return answer

    def own(self, method, path, body=None, headers=None):
        return self.at(method, f"/api/muster/v1/{path}", body, headers)

    def rest(self, method, path, body=None, query=VERSION, headers=None):
        return self.at(method, f"/api/{path}{'?' if query else ''}{query}", body, headers)

    def rest_all(self, path, top=None):
        """Every item of a list, by following its links as they are; how many pages there were."""
        query = VERSION + (f"&$top={top}" if top else "")
        items, pages, address = [], 0, f"/api/{path}?{query}"
        while address:
            answer = self.at("GET", address)
            assert answer.status == 200, answer
            items += answer.body["value"]
            pages += 1
            link = answer.body.get("nextLink")
            assert link is None or link.startswith("https://")
            address = link and re.sub(r"^https://[^/]*", "", link)
        return items, pages


def end_of(stream):
    """The event of an answer that goes on coming to its end."""
    ended = threading.Event()

    def read():
        try:
            stream.read()
        except Exception:
            pass
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    return ended
