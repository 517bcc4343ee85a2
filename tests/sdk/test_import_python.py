"""Devices that came by a file, and come with Microsoft's SDK for Python, unmodified."""

import base64

from azure.iot.device import IoTHubDeviceClient, ProvisioningDeviceClient
from lib.operations import Operations, rows_of


def come(server, ca_text, device_id, key):
    """Registers and connects: what a device does when it is switched on."""
    registered = ProvisioningDeviceClient.create_from_symmetric_key(
        provisioning_host=server.info["provisioningHost"], registration_id=device_id,
        id_scope=server.scope, symmetric_key=key, server_verification_cert=ca_text).register()
    assert registered.status == "assigned"
    client = IoTHubDeviceClient.create_from_symmetric_key(
        symmetric_key=key, hostname=registered.registration_state.assigned_hub,
        device_id=device_id, server_verification_cert=ca_text, connection_retry=False)
    client.connect()
    client.send_message("{}")
    client.shutdown()
    assert server.device(device_id)["status"] == "provisioned"


def test_C060_a_python_device_comes_with_its_exported_key(sdk_server, ca_text):
    boss = Operations(sdk_server)
    boss.import_file("IOTC_DEVICEID,IOTC_DEVICENAME\npython-exported,Pump\n", template="generic")
    row = next(row for row in rows_of(boss.export())
               if row["IOTC_DEVICEID"] == "python-exported")
    come(sdk_server, ca_text, "python-exported", row["IOTC_SASKEY_PRIMARY"])


def test_C063_a_python_device_comes_with_the_keys_of_its_row(sdk_server, ca_text):
    primary, secondary = (base64.b64encode(bytes([fill]) * 32).decode() for fill in (7, 8))
    boss = Operations(sdk_server)
    operation = boss.import_file(
        "IOTC_DEVICEID,IOTC_SASKEY_PRIMARY,IOTC_SASKEY_SECONDARY\n"
        f"python-keyed,{primary},{secondary}\n", template="generic", individualEnrollments="true")
    assert operation["state"] == "done"
    come(sdk_server, ca_text, "python-keyed", secondary)
