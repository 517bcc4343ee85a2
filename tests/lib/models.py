"""Templates for tests, and devices that have one."""

from urllib.parse import quote

from lib.server import unique_id

CONTEXT = ["dtmi:iotcentral:context;2", "dtmi:dtdl:context;2"]


def telemetry(name, schema="double", **members):
    return {"@type": "Telemetry", "name": name, "schema": schema, **members}


def setting(name, schema="double", **members):
    return {"@type": "Property", "name": name, "schema": schema, "writable": True, **members}


def read_only(name, schema="string", **members):
    return {"@type": "Property", "name": name, "schema": schema, **members}


def cloud(name, schema="string"):
    return {"@type": ["Property", "Cloud"], "name": name, "schema": schema}


def command(name, request=None, **members):
    if request:
        members["request"] = {"name": "request", "schema": request}
    return {"@type": "Command", "name": name, **members}


def component(name, contents, **members):
    """An interface of its own, inside the component."""
    return {"@type": "Component", "name": name,
            "schema": interface(f"dtmi:test:{unique_id('c').replace('-', '_')};1", contents),
            **members}


def interface(model_id, contents):
    return {"@context": CONTEXT, "@id": model_id, "@type": "Interface", "contents": list(contents)}


def publish_template(boss, contents, **members):
    """The ID of a published template with these contents."""
    model_id = f"dtmi:test:{unique_id('m').replace('-', '_')};1"
    body = {"@type": ["ModelDefinition", "DeviceModel"], "displayName": "Fan",
            "capabilityModel": interface(model_id, contents), **members}
    answer = boss.rest("PUT", f"deviceTemplates/{quote(model_id, safe='')}", body)
    assert answer.status == 200, answer
    return model_id


class ModelledDevice:
    """A device with a template, and what the application's API says of it."""

    def __init__(self, boss, contents=None, **members):
        self.boss = boss
        template = publish_template(boss, contents, **members) if contents is not None else None
        self.hub = boss.server.add_device(template=template)
        self.id = self.hub.id

    def rest(self, method, path, body=None, status=None, query=""):
        answer = self.boss.at(method, f"/api/devices/{self.id}/{path}?api-version=2022-07-31{query}",
                              body)
        assert status in (None, answer.status), answer
        return answer

    def own(self, method, path, body=None, status=None):
        answer = self.boss.own(method, f"devices/{self.id}/{path}", body)
        assert status in (None, answer.status), answer
        return answer

    def properties(self, component=None):
        path = f"components/{component}/properties" if component else "properties"
        return self.rest("GET", path, status=200).body

    def settings(self):
        """What the own API says of each, by "name" or "component.name"."""
        return {".".join(filter(None, [p["component"], p["name"]])): p
                for p in self.own("GET", "properties", status=200).body["value"]}
