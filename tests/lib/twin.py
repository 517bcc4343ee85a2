"""Twin and method conversations of a device over MQTT (hub-device.md 2.11, 2.12)."""

import json
import re
from collections import namedtuple

RESPONSES = "$iothub/twin/res/#"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"
METHODS = "$iothub/methods/POST/#"

Answer = namedtuple("Answer", "status rid version body publish")
MethodCall = namedtuple("MethodCall", "name rid body publish")


def parse_answer(publish):
    match = re.fullmatch(r"\$iothub/twin/res/(\d{3})/\?\$rid=([^&]*)(?:&\$version=(\d+))?",
                         publish.topic)
    assert match, f"no twin answer: {publish.topic}"
    status, rid, version = match.groups()
    body = json.loads(publish.payload) if publish.payload else None
    return Answer(int(status), rid, int(version) if version else None, body, publish)


def get(client, rid="1", payload=b" "):
    """GET at QoS 0; the answer must come next."""
    client.publish(f"$iothub/twin/GET/?$rid={rid}", payload, qos=0)
    return parse_answer(client.receive_publish())


def report(client, patch, rid="1", version=None):
    """PATCH reported at QoS 0; `patch` is JSON text or a dictionary."""
    topic = f"$iothub/twin/PATCH/properties/reported/?$rid={rid}"
    topic += f"&$version={version}" if version is not None else ""
    client.publish(topic, patch if isinstance(patch, (str, bytes)) else json.dumps(patch), qos=0)
    return parse_answer(client.receive_publish())


def receive_desired(client):
    """(version in the topic, the patch)"""
    publish = client.receive_publish()
    match = re.fullmatch(r"\$iothub/twin/PATCH/properties/desired/\?\$version=(\d+)", publish.topic)
    assert match, f"no desired patch: {publish.topic}"
    assert publish.qos == 0 and not publish.retain
    return int(match.group(1)), json.loads(publish.payload)


def receive_method(client):
    publish = client.receive_publish()
    match = re.fullmatch(r"\$iothub/methods/POST/([^/]+)/\?\$rid=([A-Za-z0-9-]+)", publish.topic)
    assert match, f"no method request: {publish.topic}"
    return MethodCall(match.group(1), match.group(2), publish.payload, publish)


def answer_method(client, call, status=200, payload=b"null", qos=0):
    client.publish(f"$iothub/methods/res/{status}/?$rid={call.rid}", payload, qos=qos)
