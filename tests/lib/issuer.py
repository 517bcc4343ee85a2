"""An OpenID Connect issuer for a test, on loopback: a real provider, or a liar."""

import base64
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import urllib.parse

from lib import certificates
from lib.lines import Lines

MODULES = os.environ.get("MUSTER_OIDC_FOLDER",
                         str(pathlib.Path(__file__).parents[2] / "build" / "oidc"))
SCRIPT = pathlib.Path(__file__).parents[1] / "oidc" / "issuer.mjs"

SERVER = ["basicConstraints=critical,CA:false", "subjectAltName=DNS:localhost",
          "extendedKeyUsage=serverAuth"]


class Issuer:
    def __init__(self):
        self.begun = 0
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="muster-issuer-"))
        self.folder.chmod(0o755)
        authority = certificates.Authority(self.folder, "Issuer CA")
        leaf = authority.leaf("localhost", SERVER)
        self.ca_file = self.folder / "ca.pem"
        shutil.copy(authority.certificate, self.ca_file)
        self.ca_file.chmod(0o644)
        self.process = subprocess.Popen(
            ["node", str(SCRIPT), MODULES, str(leaf.certificate), str(leaf.key)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.output = Lines(self.process.stdout)
        line = self.output.wait_for(lambda line: line.startswith("listening"), deadline=20)
        self.port = int(line.split()[1])
        self.url = f"https://localhost:{self.port}"

    def begin(self, **settings):
        print(json.dumps(settings), file=self.process.stdin, flush=True)
        self.begun += 1
        self.output.wait_for(lambda line: line == f"ready {self.begun}", deadline=20)

    def token(self, **how):
        """A liar's token, as `how` says."""
        verifier = "v" * 43
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        connection = http.client.HTTPSConnection(
            "localhost", self.port, context=ssl.create_default_context(cafile=self.ca_file))
        form = {"code_verifier": verifier, "code": code(challenge=challenge, **how)}
        connection.request("POST", "/token", urllib.parse.urlencode(form))
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer["id_token"]

    def options(self, **more):
        """For `muster serve`: this issuer, at which the server is known as `muster`."""
        options = {"oidc-issuer": self.url, "oidc-client-id": "muster",
                   "oidc-ca-file": self.ca_file, "egress-allow": "127.0.0.0/8",
                   "egress-ports": self.port, "sign-ins-per-minute": 0,
                   "accepts-per-second": 0, **more}
        return [f"--{name}={value}" for name, value in options.items()]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.output.join()
        shutil.rmtree(self.folder, ignore_errors=True)


def code(**how):
    """The code for which a liar gives the token that it describes."""
    return base64.urlsafe_b64encode(json.dumps(how).encode()).decode().rstrip("=")
