"""Enrollment groups that attest by certificate, as their operator handles them."""

from lib import certificates
from lib.server import unique_id


def problem(answer):
    """The code of a refusal of central.md 4.5, as in "C06"."""
    return answer["error"]["message"][:3]


class CertificateGroup:
    """A group with two slots for authorities. `primary` given: added there, verified on upload."""

    def __init__(self, server, primary=None):
        self.server, self.id = server, unique_id("group")
        server.cli("enrollment", "add", self.id, "--attestation", "x509")
        if primary:
            self.trust(primary)

    def add(self, file, *options, slot="primary", **how):
        return self.server.cli("ca", "add", self.id, file, "--slot", slot, *options, **how)

    def trust(self, authority, slot="primary"):
        self.add(authority.certificate, "--verified", "--replace", slot=slot)

    def code(self, slot="primary"):
        return self.server.cli("ca", "code", self.id, "--slot", slot).stdout.strip()

    def verify(self, file, slot="primary", **how):
        return self.server.cli("ca", "verify", self.id, file, "--slot", slot, **how)

    def prove(self, authority, slot="primary"):
        """The whole proof of possession."""
        self.add(authority.certificate, slot=slot)
        proof = authority.leaf(self.code(slot), name="proof")
        self.verify(proof.certificate, slot=slot)

    def remove(self, slot="primary"):
        self.server.cli("ca", "remove", self.id, "--slot", slot)

    def revoke(self, authority, *leaves):
        self.server.cli("ca", "crl", self.id, authority.revocation_list(*leaves))

    def slots(self):
        status, answer = self.server.api("GET", f"enrollmentGroups/{self.id}/certificates")
        assert status == 200, answer
        return answer

    def slot(self, slot="primary"):
        return self.slots()[slot]

    def put(self, file_or_text, slot="primary", **members):
        """(status, answer) of an upload over the API."""
        text = file_or_text if isinstance(file_or_text, str) else file_or_text.read_text()
        return self.server.api("PUT", f"enrollmentGroups/{self.id}/certificates/{slot}",
                               {"certificate": text, **members})

    def put_proof(self, file, slot="primary"):
        return self.server.api("POST", f"enrollmentGroups/{self.id}/certificates/{slot}/verify",
                               {"certificate": file.read_text()})

    def enable(self, enabled=True):
        self.server.cli("enrollment", "enable" if enabled else "disable", self.id)


class Factory:
    """A group, the authority that it trusts, and devices with leaves of that authority."""

    def __init__(self, server, name="root"):
        self.server = server
        self.authority = certificates.Authority(server.folder, f"{name} {unique_id('ca')}")
        self.group = CertificateGroup(server, self.authority)

    def add_device(self, device_id=None):
        """(ID, leaf) of one that its operator added."""
        device_id = device_id or unique_id()
        self.server.cli("device", "add", device_id)
        return device_id, self.authority.leaf(device_id)
