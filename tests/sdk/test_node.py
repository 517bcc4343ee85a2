"""The story with the SDK for Node, told by node/story.mjs, once for each way to provision."""

import os
import pathlib
import subprocess

import pytest
from lib.server import MUSTER

STORY = pathlib.Path(__file__).parent / "node" / "story.mjs"


@pytest.mark.parametrize("transport", ["mqtt", "http"])
def test_P100_H154_H157_the_story_of_a_node_device(sdk_server, transport):
    environment = {
        **os.environ,
        "MUSTER": MUSTER,
        "MUSTER_DATA": str(sdk_server.data),
        "NODE_EXTRA_CA_CERTS": sdk_server.ca_file,
        "NODE_OPTIONS": "--dns-result-order=ipv4first",
    }
    done = subprocess.run(["node", STORY, transport], env=environment, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
