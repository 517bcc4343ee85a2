"""Devices that provision, over HTTPS and over MQTT (contract: provisioning.md 2)."""

import http.client
import itertools
import json
import re
import ssl
import time
from collections import namedtuple
from urllib.parse import quote

from lib import certificates, sas

HttpAnswer = namedtuple("HttpAnswer", "status headers body")
MqttAnswer = namedtuple("MqttAnswer", "status rid retry_after body publish")

RESPONSES = "$dps/registrations/res/#"
REGISTER = "$dps/registrations/PUT/iotdps-register/?$rid={rid}"
STATUS = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid={rid}&operationId={operation}"

api_version = "api-version=2019-03-31"


class Registrant:
    """A device as it left the factory: scope, registration ID, key."""

    def __init__(self, server, registration_id, key):
        self.server, self.id, self.key = server, registration_id, key
        self.rids = itertools.count(1)

    @property
    def resource(self):
        return f"{self.server.scope}/registrations/{self.id}"

    def token(self, **options):
        options.setdefault("key", self.key)
        options.setdefault("policy", "registration")
        return sas.token(options.pop("resource", self.resource), options.pop("key"), **options)

    def tls(self):
        return ssl.create_default_context(cafile=self.server.ca_file)

    # --- HTTPS -------------------------------------------------------------------------------------

    @property
    def path(self):
        return f"/{self.server.scope}/registrations/{quote(self.id, safe='')}"

    def http(self, method, path, body=None, token=None, headers=None):
        """One request on a connection of its own. `body` is text, or JSON when no text."""
        connection = http.client.HTTPSConnection(
            self.server.host, self.server.info["httpsPort"], context=self.tls(), timeout=30)
        sent = {"Content-Type": "application/json; charset=utf-8"}
        token = self.token() if token is None else token
        if token:
            sent["Authorization"] = token
        sent.update(headers or {})
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        try:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            text = response.read()
            return HttpAnswer(response.status, response.headers, json.loads(text) if text else None)
        finally:
            connection.close()

    def http_register(self, body={}, query=api_version, **options):  # noqa: B006 (not changed)
        return self.http("PUT", f"{self.path}/register?{query}", body, **options)

    def http_status(self, operation, **options):
        return self.http("GET", f"{self.path}/operations/{operation}?{api_version}", **options)

    def register(self, body={}, deadline=20, **options):  # noqa: B006 (not changed)
        """Registers and polls as told; gives the final answer (or the error)."""
        until = time.monotonic() + deadline
        answer = self.http_register(body, **options)
        while answer.status == 202:
            assert time.monotonic() < until, f"not finished in {deadline} s"
            time.sleep(int(answer.headers["Retry-After"]))
            answer = self.http_status(answer.body["operationId"])
        return answer

    # --- MQTT --------------------------------------------------------------------------------------

    def username(self, rest="/api-version=2019-03-31&ClientVersion=test"):
        return f"{self.resource}{rest}"

    def attempt(self, username=None, password=None, client_id=None, **options):
        client = self.server.dial_mqtt(tls=self.tls())
        answer = client.connect(client_id or self.id, username or self.username(),
                                self.token() if password is None else password, **options)
        return client, answer

    def connect(self, subscribe=True, **options):
        client, answer = self.attempt(**options)
        assert answer.code == 0, f"refused with {answer.code}:\n{self.server.log.tail(10)}"
        assert not answer.session_present
        if subscribe:
            assert client.subscribe(RESPONSES) == [1]
        return client

    def mqtt_register(self, client, body=b"{}", rid=None, qos=1):
        rid = rid or str(next(self.rids))
        client.publish(REGISTER.format(rid=rid), body, qos=qos)
        return self.receive(client, rid)

    def mqtt_status(self, client, operation, body=b" ", rid=None, qos=1):
        rid = rid or str(next(self.rids))
        client.publish(STATUS.format(rid=rid, operation=operation), body, qos=qos)
        return self.receive(client, rid)

    def receive(self, client, rid):
        publish = client.receive_publish(deadline=20)
        match = re.fullmatch(
            r"\$dps/registrations/res/(\d{3})/\?\$rid=([^&$]*)(?:&retry-after=(\d+))?", publish.topic)
        assert match, f"no answer of the DPS: {publish.topic}"
        status, echoed, retry_after = match.groups()
        assert echoed == rid
        body = json.loads(publish.payload)
        return MqttAnswer(int(status), echoed, int(retry_after or 0), body, publish)

    def register_by_mqtt(self, deadline=20):
        """The whole conversation; gives the final answer."""
        until = time.monotonic() + deadline
        with self.connect() as client:
            answer = self.mqtt_register(client)
            while answer.status == 202:
                assert time.monotonic() < until, f"not finished in {deadline} s"
                time.sleep(answer.retry_after)
                answer = self.mqtt_status(client, answer.body["operationId"])
            client.disconnect()
        return answer


def register_over(transport, registrant):
    """The first answer to a registration, over "https" or "mqtt"."""
    if transport == "https":
        return registrant.http_register()
    with registrant.connect() as client:
        return registrant.mqtt_register(client)


class CertificateRegistrant(Registrant):
    """A device that the factory gave a certificate: TLS shows it, and there is no token."""

    def __init__(self, server, registration_id, leaf):
        super().__init__(server, registration_id, key=None)
        self.leaf = leaf

    def tls(self):
        return certificates.client_context(self.server, self.leaf)

    def token(self):
        return None


def group_device(server, registration_id, group_key=None):
    """A device whose key was made from the default group's, offline, as in a factory."""
    group_key = group_key or server.group_key()
    return Registrant(server, registration_id, sas.derive_key(group_key, registration_id))


def assert_assigned(answer):
    assert (answer.status, answer.body["status"]) == (200, "assigned"), answer


def assert_unauthorized(answer):
    """D4: the credential is no good; more is not told."""
    assert (answer.status, answer.body["errorCode"]) == (401, 401002), answer


def assert_refused(body):
    """D2 of central.md: what a waiting, blocked or unassociated device is told."""
    state = body["registrationState"]
    assert body["status"] == state["status"] == "failed"
    assert state["errorCode"] == 400209
    assert state["errorMessage"] == "Custom allocation failed with status code: 401"
    assert "assignedHub" not in state and "deviceId" not in state
