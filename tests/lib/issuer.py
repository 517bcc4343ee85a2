"""An OpenID Connect issuer for a test, on loopback: a real provider, or a liar."""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from lib import certificates
from lib.lines import Lines

MODULES = os.environ.get("MUSTER_OIDC_FOLDER",
                         str(pathlib.Path(__file__).parents[2] / "build" / "oidc"))
SCRIPT = pathlib.Path(__file__).parents[1] / "oidc" / "issuer.mjs"

SERVER = ["basicConstraints=critical,CA:false", "subjectAltName=DNS:localhost",
          "extendedKeyUsage=serverAuth"]


class Issuer:
    def __init__(self):
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
        self.output.wait_for(lambda line: line == "ready", deadline=20)

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
