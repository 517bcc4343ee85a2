"""A device with a certificate, played by the SDK for Node and told by node/x509_story.mjs, once for
each way to provision, each maker of certificates, and with and without an operator's addition."""

import json
import os
import pathlib
import subprocess

import pytest
from lib.factories import FACTORIES, Device
from lib.server import MUSTER

STORY = pathlib.Path(__file__).parent / "node" / "x509_story.mjs"


@pytest.mark.parametrize("added_before", [True, False], ids=["added", "unknown"])
@pytest.mark.parametrize("maker", FACTORIES)
@pytest.mark.parametrize("transport", ["mqtt", "http"])
def test_P100_P101_H154_C003_C004_the_x509_story_of_a_node_device(
        sdk_server, transport, maker, added_before):
    device = Device(sdk_server, f"node-{transport}-{maker}-{'ab'[added_before]}", maker,
                    added_before)
    environment = {
        **os.environ,
        "MUSTER": MUSTER,
        "MUSTER_DATA": str(sdk_server.data),
        "NODE_EXTRA_CA_CERTS": sdk_server.ca_file,
        "NODE_OPTIONS": "--dns-result-order=ipv4first",
        "DEVICE": json.dumps({
            "id": device.id, "addedBefore": added_before,
            "certificate": str(device.leaf.certificate), "key": str(device.leaf.key),
            "revocation": [[str(word) for word in words] for words in device.revocation]}),
    }
    done = subprocess.run(["node", STORY, transport], env=environment, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
