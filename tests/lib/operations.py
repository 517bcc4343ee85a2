"""Imports, exports and acts on many devices, as somebody who calls the application's API."""

import csv
import http.client
import io
import json
import ssl
from urllib.parse import urlencode

from lib.caller import Caller
from lib.wait import until

COLUMNS = ["IOTC_DEVICEID", "IOTC_DEVICENAME", "IOTC_SASKEY_PRIMARY", "IOTC_SASKEY_SECONDARY",
           "IOTC_X509THUMBPRINT_PRIMARY", "IOTC_X509THUMBPRINT_SECONDARY"]


def rows_of(text):
    """A CSV file as we write it: BOM, CR LF; as a list of dictionaries."""
    assert text.startswith("\ufeff"), text[:20]
    assert "\n" not in text.replace("\r\n", "")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


class Operations(Caller):
    """Calls to the own API, with files as bodies."""

    def connect(self):
        context = ssl.create_default_context(cafile=self.server.ca_file)
        return http.client.HTTPSConnection(self.server.host, self.server.info["httpsPort"],
                                           context=context, timeout=60)

    def token(self):
        if self.authorization is not None:
            return self.authorization
        return (self.server.data / "api-token").read_text().strip()

    def upload(self, file, content_type="text/csv", **options):
        """(status, answer) of the upload alone. `file`: text, bytes, or an iterable: chunked."""
        connection = self.connect()
        body = file.encode() if isinstance(file, str) else file
        connection.request("POST", f"/api/muster/v1/deviceImports?{urlencode(options)}", body=body,
                           headers={"Authorization": self.token(), "Content-Type": content_type})
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        return response.status, json.loads(answer) if answer else None

    def import_file(self, file, **options):
        """The operation at its end."""
        status, answer = self.upload(file, **options)
        assert status == 202, answer
        return self.finished(answer["id"])

    def operation(self, operation_id):
        answer = self.own("GET", f"operations/{operation_id}")
        assert answer.status == 200, answer
        return answer.body

    def finished(self, operation_id, deadline=60):
        def look():
            operation = self.operation(operation_id)
            return operation if operation["finished"] else None

        return until(look, deadline, lambda: self.operation(operation_id))

    def act(self, kind, **body):
        """A bulk act at its end."""
        answer = self.own("POST", f"operations/{kind}", body)
        assert answer.status == 202, answer
        return self.finished(answer.body["id"])

    def errors(self, operation):
        answer = self.own("GET", f"operations/{operation['id']}/errors")
        assert answer.status == 200, answer
        return rows_of(answer.text)

    def findings(self, operation):
        """(code, line, column) of each."""
        return [(row["CODE"], int(row["LINE"]), row["COLUMN"]) for row in self.errors(operation)]

    def rejected(self, operation):
        answer = self.own("GET", f"operations/{operation['id']}/rejected")
        assert answer.status == 200, answer
        return answer.text

    def export(self, path="deviceExport", **options):
        answer = self.own("GET", f"{path}?{urlencode(options)}")
        assert answer.status == 200, answer
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.text
