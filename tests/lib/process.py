"""What a running server uses, as the kernel tells it."""

import os
import pathlib
import re


def status(server, name):
    text = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return re.search(rf"^{name}:\s+(.*)$", text, re.MULTILINE).group(1)


def resident_bytes(server):
    return int(status(server, "VmRSS").removesuffix(" kB")) * 1024


def user_ids(server):
    """Real, effective, saved and file system user ID."""
    return [int(user) for user in status(server, "Uid").split()]


def group_ids(server):
    return [int(group) for group in status(server, "Gid").split()]


def descriptors(server):
    """How many it has open; the server forbids others to look, root may."""
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def metric(server, name):
    """The sum over all label sets."""
    code, text = server.get("/metrics")
    assert code == 200, text
    values = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
    assert values, f"no metric {name}"
    return sum(map(float, values))
