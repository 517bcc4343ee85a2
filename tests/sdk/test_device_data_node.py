"""Settings of the older family, answered by a device with the SDK for Node (node/settings_story.mjs)."""

import json
import os
import pathlib
import subprocess

from lib.caller import Caller
from lib.models import ModelledDevice, setting

STORY = pathlib.Path(__file__).parent / "node" / "settings_story.mjs"


def test_C095_a_device_of_2018_meets_its_settings(sdk_server):
    fan = ModelledDevice(Caller(sdk_server), [setting("fanSpeed", "integer")],
                         propertyFormat="legacy")
    text = f"HostName={sdk_server.host};DeviceId={fan.id};SharedAccessKey={fan.hub.key}"
    environment = {**os.environ, "NODE_OPTIONS": "--dns-result-order=ipv4first"}
    story = subprocess.Popen(["node", STORY, text, sdk_server.ca_file], env=environment,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(story.stdout.readline()) == {"ready": True}
        # The SDK subscribes when its handler is set: what comes before is in the twin it reads.
        for speed, state in [(7, "synced"), (11, "error"), (8, "synced")]:
            fan.rest("PATCH", "properties", {"fanSpeed": speed}, 202)
            assert json.loads(story.stdout.readline()) == {"name": "fanSpeed", "value": speed,
                                                           "error": None}
            shown = fan.settings()["fanSpeed"]
            assert (shown["state"], shown["reported"]) == (state, speed)
            assert shown["description"] == f"set to {speed}"
    finally:
        story.communicate(timeout=20)
    assert story.returncode == 0
