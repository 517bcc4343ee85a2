"""A device with a certificate, played by Microsoft's SDK for Python, unmodified, in its synchronous
form: the seed's four steps, and its flow for devices that nobody registered."""

import json
import queue
import time

import pytest
from azure.iot.device import IoTHubDeviceClient, Message, ProvisioningDeviceClient, X509, exceptions
from lib.factories import FACTORIES, Device


def register(device, x509, ca_text):
    client = ProvisioningDeviceClient.create_from_x509_certificate(
        provisioning_host=device.server.info["provisioningHost"], registration_id=device.id,
        id_scope=device.server.scope, x509=x509, server_verification_cert=ca_text)
    return client.register()


def connect(client, connection_changes):
    """The SDK tells of a refused connection too: its ends before this one are passed over."""
    client.connect()
    while connection_changes.get(timeout=10) is False:
        pass


@pytest.mark.parametrize("added_before", [True, False], ids=["added", "unknown"])
@pytest.mark.parametrize("maker", FACTORIES)
def test_P100_P101_H154_C003_C004_the_x509_story_of_a_python_device(
        sdk_server, ca_text, maker, added_before):
    server = sdk_server
    device = Device(server, f"sync-{maker}-{'added' if added_before else 'unknown'}", maker,
                    added_before)
    x509 = X509(cert_file=str(device.leaf.certificate), key_file=str(device.leaf.key))

    # Unknown, it is refused when it is switched on; its operator sees it and lets it in.
    if not added_before:
        with pytest.raises(exceptions.ClientError):
            register(device, x509, ca_text)
        seen = server.device(device.id)
        assert (seen["status"], seen["approved"], seen["template"]) == ("registered", False, None)
        assert device.id in server.device_ids("--unassociated")
        server.cli("device", "approve", device.id)
        server.cli("device", "associate", device.id, "--template", "generic")

    # It is assigned, and known by its leaf from now on.
    result = register(device, x509, ca_text)
    assert (result.status, result.registration_state.device_id) == ("assigned", device.id)
    assert server.device(device.id)["status"] == "provisioned"

    # It connects with the same certificate, and its telemetry is seen. Left to itself the SDK tries
    # to come back beside the story, and the two get in each other's way.
    client = IoTHubDeviceClient.create_from_x509_certificate(
        x509=x509, hostname=result.registration_state.assigned_hub, device_id=device.id,
        server_verification_cert=ca_text, connection_retry=False)
    connection_changes = queue.Queue()
    client.on_connection_state_change = lambda: connection_changes.put(client.connected)
    connect(client, connection_changes)
    with server.monitor(device.id, from_start=True) as monitor:
        client.send_message(Message(json.dumps({"temperature": 21.5})))
        assert json.loads(monitor.next().body) == {"temperature": 21.5}

    def assert_cut_off(order):
        started = time.monotonic()
        order()
        assert connection_changes.get(timeout=5) is False
        assert time.monotonic() - started < 1
        with pytest.raises(exceptions.CredentialError):
            client.connect()
        with pytest.raises(exceptions.ClientError):
            register(device, x509, ca_text)

    # Blocked, it is cut off within a second and refused; unblocked, it works again.
    assert_cut_off(lambda: server.cli("device", "block", device.id))
    server.cli("device", "unblock", device.id)
    connect(client, connection_changes)
    client.send_message("back")
    assert server.messages(device.id, 2)[1].body == b"back"

    # Revoked by its authority, it is cut off within a second and cannot come back.
    *before, last = device.revocation
    for words in before:
        server.cli(*words)
    assert_cut_off(lambda: server.cli(*last))
    client.shutdown()
