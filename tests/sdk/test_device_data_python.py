"""Telemetry, settings and commands of a device that has a template, with Microsoft's SDK for Python,
unmodified."""

import json
import queue
import threading

import pytest
from azure.iot.device import IoTHubDeviceClient, Message, MethodResponse
from lib.caller import Caller
from lib.models import ModelledDevice, command, component, read_only, setting, telemetry
from lib.wait import until

MODEL = [telemetry("temperature"), telemetry("count", "long"), setting("targetTemperature"),
         read_only("serial"), command("reboot", "integer"), command("sleep", durable=True),
         component("pump", [telemetry("flow"), setting("limit"), command("prime")])]


@pytest.fixture(scope="module")
def device(sdk_server):
    return ModelledDevice(Caller(sdk_server), MODEL)


class SdkDevice:
    """The SDK's client, with queues of what it was told."""

    def __init__(self, server, device, ca_text):
        text = f"HostName={server.host};DeviceId={device.id};SharedAccessKey={device.hub.key}"
        self.client = IoTHubDeviceClient.create_from_connection_string(
            text, server_verification_cert=ca_text, connection_retry=False)
        self.desired, self.requests, self.messages = queue.Queue(), queue.Queue(), queue.Queue()

    def connect(self):
        self.client.connect()
        self.client.on_twin_desired_properties_patch_received = self.desired.put
        self.client.on_method_request_received = self.requests.put
        self.client.on_message_received = self.messages.put

    def acknowledge(self, name, value, version, code=200, component=None):
        answer = {name: {"value": value, "ac": code, "av": version, "ad": "told by the device"}}
        self.client.patch_twin_reported_properties(
            {component: {"__t": "c", **answer}} if component else answer)

    def answer(self, status, payload):
        request = self.requests.get(timeout=10)
        response = MethodResponse.create_from_method_request(request, status, payload)
        self.client.send_method_response(response)
        return request


@pytest.fixture
def sdk(sdk_server, device, ca_text):
    made = SdkDevice(sdk_server, device, ca_text)
    made.connect()
    yield made
    made.client.shutdown()


class Running(threading.Thread):
    def __init__(self, device, path, body):
        super().__init__(target=self.call, args=(device, path, body))
        self.start()

    def call(self, device, path, body):
        self.answer = device.rest("POST", path, body)

    def result(self):
        self.join(40)
        assert self.answer.status == 201, self.answer
        return self.answer.body


def test_C088_C092_telemetry_of_root_and_component(device, sdk):
    sdk.client.send_message(json.dumps({"temperature": 21.5, "count": 2**63 - 1}))
    of_pump = Message(json.dumps({"flow": 3}))
    of_pump.custom_properties["$.sub"] = "pump"
    of_pump.custom_properties["iothub-creation-time-utc"] = "2026-01-01T00:00:00Z"
    sdk.client.send_message(of_pump)
    until(lambda: device.rest("GET", "components/pump/telemetry/flow").status == 200)
    assert device.rest("GET", "telemetry/temperature").body["value"] == 21.5
    assert device.rest("GET", "telemetry/count").body["value"] == 2**63 - 1
    flow = device.rest("GET", "components/pump/telemetry/flow").body
    assert (flow["value"], flow["timestamp"][:10]) == (3, "2026-01-01")


def test_C093_C097_settings_meet_their_device(device, sdk):
    device.rest("PATCH", "properties", {"targetTemperature": 20, "pump": {"limit": 4}}, 202)
    patch = sdk.desired.get(timeout=10)
    assert (patch["targetTemperature"], patch["pump"]) == (20, {"limit": 4, "__t": "c"})
    assert device.settings()["targetTemperature"]["state"] == "pending"
    sdk.acknowledge("targetTemperature", 20, patch["$version"])
    sdk.acknowledge("limit", 4, patch["$version"], component="pump")
    sdk.client.patch_twin_reported_properties({"serial": "A1"})
    states = {name: p["state"] for name, p in device.settings().items()}
    assert states == {"targetTemperature": "synced", "pump.limit": "synced", "serial": "deviceValue"}
    assert device.properties("pump")["$metadata"]["limit"]["ackDescription"] == "told by the device"


def test_C098_a_setting_waits_for_a_device_that_is_away(device, sdk):
    sdk.client.disconnect()
    device.rest("PATCH", "properties", {"targetTemperature": 23}, 202)
    assert device.settings()["targetTemperature"]["state"] == "pending"
    sdk.connect()
    desired = sdk.client.get_twin()["desired"]
    assert desired["targetTemperature"] == 23
    sdk.acknowledge("targetTemperature", 23, desired["$version"])
    assert device.settings()["targetTemperature"]["state"] == "synced"


def test_C099_C100_commands_are_answered_at_once_or_later(device, sdk):
    running = Running(device, "components/pump/commands/prime", {"connectionTimeout": 10})
    assert sdk.answer(200, {"primed": True}).name == "pump*prime"
    assert running.result()["response"] == {"primed": True}
    running = Running(device, "commands/reboot", {"request": 5, "connectionTimeout": 10})
    request = sdk.answer(202, None)
    assert (request.name, request.payload) == ("reboot", 5)
    assert running.result()["responseCode"] == 202
    sdk.client.patch_twin_reported_properties({"reboot": {"value": "done"}})
    [run] = device.rest("GET", "commands/reboot").body["value"]
    assert run["response"] == "done"


def test_C101_a_durable_command_is_a_message_with_its_name(device, sdk):
    sdk.client.disconnect()
    device.rest("POST", "commands/sleep", {"request": {"minutes": 5}}, 201)
    device.rest("POST", "commands/sleep", {}, 201)
    sdk.connect()
    found = [sdk.messages.get(timeout=10) for _ in range(2)]
    assert [m.custom_properties["method-name"] for m in found] == ["sleep", "sleep"]
    assert [m.data for m in found] == [b'{"minutes": 5}', b"@"]
