"""Jobs go on behind what was recorded, whenever the power goes, and send no command twice:
central.md 7.6, checklist 126."""

import os
import random
import time

from lib.caller import Caller
from lib.jobs import Jobs, command_of, property_of
from lib.models import command, publish_template, setting

DEVICES = int(os.environ.get("MUSTER_JOB_DEVICES", "5000"))
SEED = int(os.environ.get("MUSTER_JOB_SEED", random.SystemRandom().randrange(1 << 32)))
KILLS_MIN = 3


def make_fleet(server):
    """Their IDs, the group that they are, and its template: none of them is there."""
    boss = Jobs(server)
    template = publish_template(boss, [setting("target", "integer"), command("wake", durable=True)])
    ids = [f"kill-{number:05}" for number in range(DEVICES)]
    file = server.folder / "devices.csv"
    file.write_text("IOTC_DEVICEID\n" + "\n".join(ids) + "\n")
    server.cli("device", "import", file, "--template", template)
    return ids, boss.group(f'$template = "{template}"'), template


def run_under_fire(server, chance, group, data):
    """The job at its end, and how often it was killed on the way."""
    job_id = Jobs(server).begin(group, data)
    for kills in range(1000):
        job = Jobs(server).job(job_id)
        if job["status"] not in ("pending", "running"):
            return kills, job
        print(f"{kills} kills: {job['progress']}")
        time.sleep(chance.uniform(0.005, 0.1))  # a moment that nobody planned
        server.kill()
        server.start()
    raise AssertionError("it never ends")


def test_C126_a_job_that_is_killed_again_and_again_changes_every_device(make_server):
    print(f"seed: MUSTER_JOB_SEED={SEED}")
    chance, server = random.Random(SEED), make_server().start()
    ids, group, template = make_fleet(server)
    kills, job = run_under_fire(server, chance, group, property_of(template, "target", 7))
    assert kills >= KILLS_MIN, "too fast to be killed: give it more devices"
    assert job["status"] == "complete"
    assert job["progress"] == {"total": DEVICES, "pending": 0, "completed": DEVICES, "failed": 0}
    assert Jobs(server).devices(job["id"]) == {device_id: "completed" for device_id in ids}
    for device_id in chance.sample(ids, 20):
        assert server.twin(device_id)["properties"]["desired"]["target"] == 7


def queued(server, device_id):
    """How many messages wait for the device; they are taken away."""
    answer = Caller(server).own("DELETE", f"devices/{device_id}/messages")
    assert answer.status == 200, answer
    return answer.body["purged"]


def test_C126_a_job_that_is_killed_again_and_again_sends_no_command_twice(make_server):
    print(f"seed: MUSTER_JOB_SEED={SEED}")
    chance, server = random.Random(SEED), make_server().start()
    ids, group, template = make_fleet(server)
    kills, job = run_under_fire(server, chance, group, command_of(template, "wake"))
    assert kills >= KILLS_MIN, "too fast to be killed: give it more devices"
    assert job["status"] == "complete"
    states = Jobs(server).devices(job["id"])
    assert sorted(states) == ids
    failed = [device_id for device_id in ids if states[device_id] == "failed"]
    assert job["progress"] == {"total": DEVICES, "pending": 0, "failed": len(failed),
                               "completed": DEVICES - len(failed)}
    print(f"{kills} kills, {len(failed)} devices that may or may not have it")
    assert len(failed) <= kills * 50
    for device_id in failed:
        assert queued(server, device_id) <= 1
    for device_id in chance.sample([i for i in ids if i not in failed], 400):
        assert queued(server, device_id) == 1
    rows = Jobs(server).own("GET", f"jobs/{job['id']}/devices?top=1000").body["value"]
    assert all("not sent again" in row["message"] for row in rows if row["status"] == "failed")
