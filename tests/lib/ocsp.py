"""OCSP responders: openssl's own, for one authority each."""

import socket
import subprocess

from lib.lines import Lines


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Responder:
    """Speaks for one authority; knows what is in its books when it starts."""

    def __init__(self, authority, port):
        signer = authority.leaf("responder", name="responder", extensions=[
            "extendedKeyUsage=OCSPSigning", "keyUsage=critical,digitalSignature"])
        self.process = subprocess.Popen(
            ["openssl", "ocsp", "-port", str(port), "-index", authority.folder / "index.txt",
             "-CA", authority.certificate, "-rsigner", signer.certificate, "-rkey", signer.key,
             "-ndays", "1", "-ignore_err"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.log = Lines(self.process.stdout)
        self.log.wait_for(lambda line: "waiting for OCSP client connections" in line)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.wait()
        self.log.join()
