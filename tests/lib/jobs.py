"""Jobs over a device group, as somebody who calls the application's API."""

from lib.caller import Caller
from lib.server import unique_id
from lib.wait import until

ALL = "SELECT * FROM devices"
ENDED = ("stopped", "complete", "failed", "cancelled")


class Jobs(Caller):
    def group(self, where):
        group_id = unique_id("group")
        answer = self.rest("PUT", f"deviceGroups/{group_id}",
                           {"displayName": group_id, "filter": f"{ALL} WHERE {where}"})
        assert answer.status == 200, answer
        return group_id

    def begin(self, group, *data, job_id=None, **members):
        answer = self.rest("PUT", f"jobs/{job_id or unique_id('job')}",
                           {"displayName": "Job", "group": group, "data": list(data), **members})
        assert answer.status == 200, answer
        return answer.body["id"]

    def job(self, job_id):
        answer = self.rest("GET", f"jobs/{job_id}")
        assert answer.status == 200, answer
        return answer.body

    def ended(self, job_id, deadline=60):
        def look():
            job = self.job(job_id)
            return job if job["status"] in ENDED else None

        return until(look, deadline, lambda: self.job(job_id))

    def run(self, group, *data, **members):
        """The job at its end."""
        return self.ended(self.begin(group, *data, **members))

    def devices(self, job_id):
        """What became of each."""
        items, _ = self.rest_all(f"jobs/{job_id}/devices", top=50)
        assert len({item["id"] for item in items}) == len(items)
        return {item["id"]: item["status"] for item in items}


def property_of(template, path, value):
    return {"type": "property", "target": template, "path": path, "value": value}


def command_of(template, path, **value):
    return {"type": "command", "target": template, "path": path, **value}
