"""Factories that make devices with certificates, offline: with our tool, or with openssl alone."""

from lib import certificates
from lib.certificates import Authority, Leaf


class ToolFactory:
    """All by `muster cert`: a root at the headquarters, an intermediate in the plant, and devices
    that show their leaf with the intermediate behind it."""

    def __init__(self, server, folder):
        self.server, self.root, self.plant = server, folder / "root", folder / "plant"
        self.cert("root", "--out", self.root, "--cn", f"Root of {folder.name}")
        self.cert("intermediate", "--out", self.plant, "--ca", self.root, "--cn",
                  f"Plant of {folder.name}")
        self.authority = self.root / "ca.pem"

    def cert(self, *words):
        done = self.server.run("cert", *words)
        assert done.returncode == 0, f"cert {words}: {done.stderr}"

    def prove(self, code):
        self.cert("verification", "--code", code, "--ca", self.root)
        return self.root / "verification.pem"

    def make(self, device_id):
        self.cert("device", device_id, "--ca", self.plant, "--out", self.plant, "--full-chain")
        return Leaf(self.plant / f"{device_id}-chain.pem", self.plant / f"{device_id}.key")

    def revocation(self, group, leaf):
        """The commands that revoke it. The plant's list counts when the plant is in a slot."""
        plant = Authority.of_files(self.plant, self.plant / "ca.pem", self.plant / "ca.key")
        return [["ca", "add", group, plant.certificate, "--slot", "secondary", "--verified"],
                ["ca", "crl", group, plant.revocation_list(leaf)]]


class OpensslFactory:
    """All by openssl: one root, and devices that show their leaf alone."""

    def __init__(self, server, folder):
        self.root = Authority(folder, f"Root of {folder.name}")
        self.authority = self.root.certificate

    def prove(self, code):
        return certificates.verification_certificate(code, self.root.certificate, self.root.key,
                                                     self.root.folder)

    def make(self, device_id):
        return self.root.leaf(device_id)

    def revocation(self, group, leaf):
        return [["ca", "crl", group, self.root.revocation_list(leaf)]]


FACTORIES = {"tool": ToolFactory, "openssl": OpensslFactory}


class Device:
    """The seed's first three steps: an authority is added and verified, the device registered by
    its operator, or not, and its leaf made."""

    def __init__(self, server, device_id, maker, added_before):
        folder = server.folder / device_id
        folder.mkdir()
        self.server, self.id, self.group = server, device_id, f"x509-{device_id}"
        factory = FACTORIES[maker](server, folder)
        server.cli("enrollment", "add", self.group, "--attestation", "x509")
        server.cli("ca", "add", self.group, factory.authority, "--slot", "primary")
        code = server.cli("ca", "code", self.group, "--slot", "primary").stdout.strip()
        server.cli("ca", "verify", self.group, factory.prove(code), "--slot", "primary")
        if added_before:
            server.cli("device", "add", device_id)
        self.leaf = factory.make(device_id)
        self.revocation = factory.revocation(self.group, self.leaf)
        self.added_before = added_before

    def revoke(self):
        for words in self.revocation:
            self.server.cli(*words)
