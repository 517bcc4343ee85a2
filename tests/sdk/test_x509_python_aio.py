"""A device with a certificate, played by Microsoft's SDK for Python, unmodified, in its
asynchronous form."""

import asyncio
import json
import time

import pytest
from azure.iot.device import Message, X509, exceptions
from azure.iot.device.aio import IoTHubDeviceClient, ProvisioningDeviceClient
from lib.factories import FACTORIES, Device


async def register(device, x509, ca_text):
    client = ProvisioningDeviceClient.create_from_x509_certificate(
        provisioning_host=device.server.info["provisioningHost"], registration_id=device.id,
        id_scope=device.server.scope, x509=x509, server_verification_cert=ca_text)
    return await client.register()


async def story(device, ca_text):
    server = device.server
    x509 = X509(cert_file=str(device.leaf.certificate), key_file=str(device.leaf.key))

    # The operator works beside the device: her commands must not hold up its event loop.
    async def operator(act, *words):
        return await asyncio.to_thread(act, *words)

    # Unknown, it is refused when it is switched on; its operator sees it and lets it in.
    if not device.added_before:
        with pytest.raises(exceptions.ClientError):
            await register(device, x509, ca_text)
        seen = await operator(server.device, device.id)
        assert (seen["status"], seen["approved"], seen["template"]) == ("registered", False, None)
        await operator(server.cli, "device", "approve", device.id)
        await operator(server.cli, "device", "associate", device.id, "--template", "generic")

    # It is assigned, connects with the same certificate, and its telemetry is seen. Left to itself
    # the SDK tries to come back beside the story, and the two get in each other's way.
    result = await register(device, x509, ca_text)
    assert (result.status, result.registration_state.device_id) == ("assigned", device.id)
    client = IoTHubDeviceClient.create_from_x509_certificate(
        x509=x509, hostname=result.registration_state.assigned_hub, device_id=device.id,
        server_verification_cert=ca_text, connection_retry=False)
    loop, connection_changes = asyncio.get_running_loop(), asyncio.Queue()

    async def note_connection():
        loop.call_soon_threadsafe(connection_changes.put_nowait, client.connected)

    async def next_change():
        return await asyncio.wait_for(connection_changes.get(), 10)

    async def connect():
        # The SDK tells of a refused connection too: its ends before this one are passed over.
        await client.connect()
        while await next_change() is False:
            pass

    client.on_connection_state_change = note_connection
    await connect()
    await client.send_message(Message(json.dumps({"temperature": 21.5})))
    found = await operator(server.messages, device.id, 1)
    assert json.loads(found[0].body) == {"temperature": 21.5}

    async def assert_cut_off(words):
        started = time.monotonic()
        await operator(server.cli, *words)
        assert await next_change() is False
        assert time.monotonic() - started < 1
        with pytest.raises(exceptions.CredentialError):
            await client.connect()

    # Blocked, it is cut off within a second and refused; unblocked, it works again.
    await assert_cut_off(["device", "block", device.id])
    await operator(server.cli, "device", "unblock", device.id)
    await connect()
    await client.send_message("back")
    assert [m.body for m in await operator(server.messages, device.id, 2)][1] == b"back"

    # Revoked by its authority, it is cut off within a second and cannot come back.
    *before, last = device.revocation
    for words in before:
        await operator(server.cli, *words)
    await assert_cut_off(last)
    with pytest.raises(exceptions.ClientError):
        await register(device, x509, ca_text)
    await client.shutdown()


@pytest.mark.parametrize("maker, added_before", [("tool", True), ("openssl", False)],
                         ids=["tool, added", "openssl, unknown"])
def test_P100_P101_H154_C003_C004_the_x509_story_of_an_asynchronous_python_device(
        sdk_server, ca_text, maker, added_before):
    assert maker in FACTORIES
    device = Device(sdk_server, f"aio-{maker}", maker, added_before)
    asyncio.run(story(device, ca_text))
