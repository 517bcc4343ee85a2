"""The whole story with Microsoft's SDK for Python, unmodified, in its synchronous form."""

import json
import queue
import time

import pytest
from azure.iot.device import (IoTHubDeviceClient, Message, MethodResponse,
                              ProvisioningDeviceClient, exceptions)

ID = "python-sync"


def register(server, ca_text, key):
    client = ProvisioningDeviceClient.create_from_symmetric_key(
        provisioning_host=server.info["provisioningHost"], registration_id=ID,
        id_scope=server.scope, symmetric_key=key, server_verification_cert=ca_text)
    return client.register()


def test_P100_H154_H157_the_story_of_a_python_device(sdk_server, factory, ca_text):
    server = sdk_server
    key = factory(ID)

    # Switched on for the first time it is refused, and its operator sees it.
    with pytest.raises(exceptions.ClientError):
        register(server, ca_text, key)
    seen = server.device(ID)
    assert (seen["status"], seen["approved"], seen["template"]) == ("registered", False, None)

    # Approved and associated, it is assigned with the next attempt.
    server.cli("device", "approve", ID)
    server.cli("device", "associate", ID, "--template", "generic")
    result = register(server, ca_text, key)
    assert result.status == "assigned"
    assert result.registration_state.device_id == ID
    assert server.device(ID)["status"] == "provisioned"

    # It connects, and its telemetry is seen. Left to itself the SDK reconnects beside the story.
    client = IoTHubDeviceClient.create_from_symmetric_key(
        symmetric_key=key, hostname=result.registration_state.assigned_hub, device_id=ID,
        server_verification_cert=ca_text, connection_retry=False)
    connection_changes = queue.Queue()
    client.on_connection_state_change = lambda: connection_changes.put(client.connected)
    client.connect()
    assert connection_changes.get(timeout=10) is True
    telemetry = Message(json.dumps({"temperature": 21.5}), content_type="application/json")
    telemetry.custom_properties["alarm"] = "no & yes"
    with server.monitor(ID, from_start=True) as monitor:
        client.send_message(telemetry)
        found = monitor.next()
    assert json.loads(found.body) == {"temperature": 21.5}
    assert found.properties == {"alarm": "no & yes"}
    assert found.system["content-type"] == "application/json"

    # Its reported property is seen, and it receives a desired setting.
    client.patch_twin_reported_properties({"firmware": "1.2"})
    assert server.twin(ID)["properties"]["reported"]["firmware"] == "1.2"
    settings = queue.Queue()
    client.on_twin_desired_properties_patch_received = settings.put
    server.set_desired(ID, {"fan": 7})
    assert settings.get(timeout=10)["fan"] == 7
    assert client.get_twin()["desired"]["fan"] == 7

    # It answers a method.
    requests = queue.Queue()
    client.on_method_request_received = requests.put
    call = server.start_cli("device", "invoke", ID, "reboot", "--payload", '{"delay": 1}')
    request = requests.get(timeout=10)
    assert (request.name, request.payload) == ("reboot", {"delay": 1})
    client.send_method_response(MethodResponse.create_from_method_request(request, 200, {"ok": 1}))
    status, out, err = call.result()
    assert (status, json.loads(out)) == (0, {"status": 200, "payload": {"ok": 1}}), err

    # It receives a cloud-to-device message.
    messages = queue.Queue()
    client.on_message_received = messages.put
    server.send_c2d(ID, "hello", messageId="m-1", properties={"note": "a b+c&d=e%f"})
    message = messages.get(timeout=10)
    assert (message.data, message.message_id) == (b"hello", "m-1")
    assert message.custom_properties["note"] == "a b+c&d=e%f"

    # Blocked, it is cut off within a second and refused.
    started = time.monotonic()
    server.cli("device", "block", ID)
    assert connection_changes.get(timeout=5) is False
    assert time.monotonic() - started < 1
    with pytest.raises(exceptions.CredentialError):
        client.connect()
    with pytest.raises(exceptions.ClientError):
        register(server, ca_text, key)
    assert server.device(ID)["status"] == "blocked"

    # Unblocked, it is what it was, and works again.
    server.cli("device", "unblock", ID)
    assert server.device(ID)["status"] == "provisioned"
    client.connect()
    with server.monitor(ID, from_start=True) as monitor:
        client.send_message("back")
        assert [monitor.next().body for _ in range(2)][1] == b"back"
    client.shutdown()
