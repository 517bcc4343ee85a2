"""The whole story with Microsoft's SDK for Python, unmodified, in its asynchronous form."""

import asyncio
import json
import time

import pytest
from azure.iot.device import Message, MethodResponse, exceptions
from azure.iot.device.aio import IoTHubDeviceClient, ProvisioningDeviceClient

ID = "python-aio"


async def register(server, ca_text, key):
    client = ProvisioningDeviceClient.create_from_symmetric_key(
        provisioning_host=server.info["provisioningHost"], registration_id=ID,
        id_scope=server.scope, symmetric_key=key, server_verification_cert=ca_text)
    return await client.register()


class Mailbox:
    """What the SDK's handlers get, for the story's event loop: handlers run on another one."""

    def __init__(self):
        self.loop, self.queue = asyncio.get_running_loop(), asyncio.Queue()

    async def put(self, item):
        self.loop.call_soon_threadsafe(self.queue.put_nowait, item)

    async def get(self, seconds=10):
        return await asyncio.wait_for(self.queue.get(), seconds)


async def story(server, key, ca_text):
    # The operator works beside the device: her commands must not hold up its event loop.
    async def operator(act, *words):
        return await asyncio.to_thread(act, *words)

    # Switched on for the first time it is refused, and its operator sees it.
    with pytest.raises(exceptions.ClientError):
        await register(server, ca_text, key)
    seen = await operator(server.device, ID)
    assert (seen["status"], seen["approved"], seen["template"]) == ("registered", False, None)

    # Approved and associated, it is assigned with the next attempt.
    await operator(server.cli, "device", "approve", ID)
    await operator(server.cli, "device", "associate", ID, "--template", "generic")
    result = await register(server, ca_text, key)
    assert (result.status, result.registration_state.device_id) == ("assigned", ID)

    # It connects, and its telemetry is seen. Left to itself the SDK reconnects beside the story.
    client = IoTHubDeviceClient.create_from_symmetric_key(
        symmetric_key=key, hostname=result.registration_state.assigned_hub, device_id=ID,
        server_verification_cert=ca_text, connection_retry=False)
    connection_changes, settings, requests, messages = (Mailbox() for _ in range(4))

    async def note_connection():
        await connection_changes.put(client.connected)

    client.on_connection_state_change = note_connection
    await client.connect()
    assert await connection_changes.get() is True
    await client.send_message(Message(json.dumps({"temperature": 21.5})))
    found = await operator(server.messages, ID, 1)
    assert json.loads(found[0].body) == {"temperature": 21.5}

    # Its reported property is seen, and it receives a desired setting.
    await client.patch_twin_reported_properties({"firmware": "1.2"})
    twin = await operator(server.twin, ID)
    assert twin["properties"]["reported"]["firmware"] == "1.2"
    client.on_twin_desired_properties_patch_received = settings.put
    await operator(server.set_desired, ID, {"fan": 7})
    assert (await settings.get())["fan"] == 7

    # It answers a method.
    client.on_method_request_received = requests.put
    call = server.start_cli("device", "invoke", ID, "reboot", "--connect-timeout", "10")
    request = await requests.get()
    assert (request.name, request.payload) == ("reboot", None)
    await client.send_method_response(MethodResponse.create_from_method_request(request, 202))
    status, out, err = await operator(call.result)
    assert (status, json.loads(out)) == (0, {"status": 202, "payload": None}), err

    # It receives a cloud-to-device message.
    client.on_message_received = messages.put
    await operator(server.send_c2d, ID, "hello")
    assert (await messages.get()).data == b"hello"

    # Blocked, it is cut off within a second and refused.
    started = time.monotonic()
    await operator(server.cli, "device", "block", ID)
    assert await connection_changes.get(5) is False
    assert time.monotonic() - started < 1
    with pytest.raises(exceptions.CredentialError):
        await client.connect()

    # Unblocked, it is what it was, and works again.
    await operator(server.cli, "device", "unblock", ID)
    assert (await operator(server.device, ID))["status"] == "provisioned"
    await client.connect()
    await client.send_message("back")
    assert [m.body for m in await operator(server.messages, ID, 2)][1] == b"back"
    await client.shutdown()


def test_P100_H154_the_story_of_an_asynchronous_python_device(sdk_server, factory, ca_text):
    asyncio.run(story(sdk_server, factory(ID), ca_text))
