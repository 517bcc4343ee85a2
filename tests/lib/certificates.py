"""Authorities and the certificates of devices, made with openssl's command line: what the server
reads here was not written by its own code."""

import hashlib
import ssl
import subprocess
import time
from collections import namedtuple
from datetime import datetime, timezone

Leaf = namedtuple("Leaf", "certificate key")  # files; `certificate` may hold intermediates too

AUTHORITY = ["basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign,cRLSign",
             "subjectKeyIdentifier=hash"]
DEVICE = ["basicConstraints=critical,CA:false", "keyUsage=critical,digitalSignature",
          "extendedKeyUsage=clientAuth"]
EDGE_DEVICE = ["basicConstraints=critical,CA:true",
               "keyUsage=critical,digitalSignature,keyCertSign", "extendedKeyUsage=clientAuth"]
KEYS = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"],
        "rsa1024": ["rsa:1024"], "ed25519": ["ed25519"]}

DATABASE = """
[ca]
default_ca = this
[this]
database = {folder}/index.txt
new_certs_dir = {folder}
crlnumber = {folder}/crlnumber
default_md = {digest}
default_crl_days = 30
policy = any
unique_subject = no
rand_serial = yes
[any]
commonName = supplied
[extensions]
{extensions}
"""


def openssl(*arguments, **options):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True,
                          **options)
    assert done.returncode == 0, f"openssl {arguments[0]}: {done.stderr}"
    return done.stdout


def moment(seconds_from_now):
    """As openssl wants its dates."""
    at = datetime.fromtimestamp(time.time() + seconds_from_now, timezone.utc)
    return at.strftime("%Y%m%d%H%M%SZ")


class Authority:
    """A certificate and its key that issue others; self-signed when `issuer` is none."""

    def __init__(self, folder, common_name, issuer=None, extensions=AUTHORITY, **dates):
        self.folder = folder / common_name.replace(" ", "-")
        self.folder.mkdir()
        self.open_books()
        self.above = issuer
        signer = issuer or self
        self.certificate, self.key = signer.sign(common_name, extensions, where=self.folder,
                                                 own=issuer is None, **dates)

    @classmethod
    def of_files(cls, folder, certificate, key):
        """One that another program made; its books are kept in `folder`."""
        authority = cls.__new__(cls)
        authority.folder, authority.above = folder, None
        authority.certificate, authority.key = certificate, key
        authority.open_books()
        return authority

    def open_books(self, digest="sha256", extensions=()):
        """What openssl keeps beside an authority; gives the configuration that names it."""
        for name, content in (("index.txt", ""), ("crlnumber", "01\n")):
            if not (self.folder / name).exists():
                (self.folder / name).write_text(content)
        configuration = self.folder / "database.cnf"
        configuration.write_text(DATABASE.format(folder=self.folder, digest=digest,
                                                 extensions="\n".join(extensions)))
        return configuration

    def sign(self, common_name, extensions=DEVICE, where=None, own=False, name=None, key="ec",
             begins_in=-60, ends_in=30 * 86400, digest="sha256"):
        """A certificate with a key of its own, in `where`, as `name`."""
        where = where or self.folder
        name = name or common_name.replace("/", "_").replace(" ", "-")
        certificate, private = where / f"{name}.pem", where / f"{name}.key"
        request, database = where / f"{name}.csr", self.open_books(digest, extensions)
        openssl("req", "-new", "-newkey", *KEYS[key], "-nodes", "-keyout", private,
                "-out", request, "-subj", f"/CN={common_name}")
        signer = (["-selfsign", "-keyfile", private] if own
                  else ["-cert", self.certificate, "-keyfile", self.key])
        openssl("ca", "-batch", "-notext", "-config", database, *signer,
                "-in", request, "-out", certificate, "-extensions", "extensions",
                "-startdate", moment(begins_in), "-enddate", moment(ends_in))
        request.unlink()
        return Leaf(certificate, private)

    def intermediate(self, common_name, **options):
        return Authority(self.folder, common_name, issuer=self, **options)

    def leaf(self, device_id, extensions=DEVICE, **options):
        """What a factory makes for a device: the leaf alone."""
        return self.sign(device_id, extensions, **options)

    def chained(self, leaf):
        """The same, followed by the authorities above it but for the root."""
        chain, authority = leaf.certificate.with_suffix(".chain.pem"), self
        text = leaf.certificate.read_text()
        while authority.above:
            text += authority.certificate.read_text()
            authority = authority.above
        chain.write_text(text)
        return Leaf(chain, leaf.key)

    def revocation_list(self, *leaves):
        """The file of a CRL that lists these, and all that were listed before."""
        common = ["ca", "-config", self.folder / "database.cnf", "-cert", self.certificate,
                  "-keyfile", self.key]
        for leaf in leaves:
            openssl(*common, "-revoke", leaf.certificate)
        crl = self.folder / "revoked.crl"
        openssl(*common, "-gencrl", "-out", crl)
        return crl


def verification_certificate(code, authority, key, folder):
    """The proof of possession as create_test_cert.js of Microsoft's Node SDK makes it. The script
    is on no package registry; these are the openssl commands that its `pem` library runs."""
    config, private = folder / "proof.cnf", folder / "proof.key"
    request, certificate = folder / "proof.csr", folder / "proof.pem"
    config.write_text(f"[req]\nreq_extensions = v3_req\ndistinguished_name = names\n"
                      f"[names]\ncommonName = {code}\n"
                      f"[v3_req]\nextendedKeyUsage = critical,clientAuth\n")
    openssl("genrsa", "-out", private, "2048")
    openssl("req", "-new", "-sha256", "-subj", f"/CN={code}", "-key", private, "-extensions",
            "v3_req", "-config", config, "-out", request)
    openssl("x509", "-req", "-sha256", "-days", "1", "-in", request, "-CA", authority, "-CAkey",
            key, "-set_serial", "0x" + f"{time.time_ns() % 10**9:040x}", "-extensions", "v3_req",
            "-extfile", config, "-out", certificate)
    return certificate


def self_signed(folder, common_name="stranger", key="ec", name=None):
    """One that nobody vouches for."""
    name = name or common_name
    certificate, private = folder / f"{name}.pem", folder / f"{name}.key"
    openssl("req", "-x509", "-newkey", *KEYS[key], "-nodes", "-keyout", private,
            "-out", certificate, "-days", "2", "-subj", f"/CN={common_name}")
    return Leaf(certificate, private)


def version_1(folder, common_name, key="ec"):
    """Self-signed, and of the version that has no extensions."""
    certificate, private = folder / f"{common_name}-{key}.pem", folder / f"{common_name}-{key}.key"
    request = folder / f"{common_name}-{key}.csr"
    openssl("req", "-new", "-newkey", *KEYS[key], "-nodes", "-keyout", private, "-out", request,
            "-subj", f"/CN={common_name}")
    openssl("x509", "-req", "-in", request, "-signkey", private, "-days", "2", "-out", certificate)
    assert "Version: 1" in openssl("x509", "-in", certificate, "-noout", "-text")
    return Leaf(certificate, private)


def forged(leaf):
    """The same certificate with a signature that is wrong in its last byte."""
    der = bytearray(to_der(leaf.certificate))
    der[-1] ^= 1
    certificate = leaf.certificate.with_suffix(".forged.pem")
    certificate.write_text(ssl.DER_cert_to_PEM_cert(bytes(der)))
    return Leaf(certificate, leaf.key)


ORDER_OF_P256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


def twin(leaf):
    """The same certificate with the other signature that is as good: (r, s) has (r, n - s). It takes
    no key to make. For what an authority with a P-256 key signed."""
    der = to_der(leaf.certificate)
    # A bit string without unused bits, and in it a sequence, up to the end.
    [signature] = [len(der) - size for size in range(60, 73)
                   if der[-size - 3:2 - size] == bytes([3, size + 1, 0, 0x30, size - 2])]
    bits = signature - 3
    assert der[0:2] == b"\x30\x82" and der[signature + 2] == 0x02
    end_of_r = signature + 4 + der[signature + 3]
    s = ORDER_OF_P256 - int.from_bytes(der[end_of_r + 2:], "big")
    number = s.to_bytes(s.bit_length() // 8 + 1, "big")
    pair = der[signature + 2:end_of_r] + bytes([2, len(number)]) + number
    pair = b"\x30" + bytes([len(pair)]) + pair
    body = der[4:bits] + bytes([3, len(pair) + 1, 0]) + pair
    certificate = leaf.certificate.with_suffix(".twin.pem")
    certificate.write_text(ssl.DER_cert_to_PEM_cert(
        b"\x30\x82" + len(body).to_bytes(2, "big") + body))
    return Leaf(certificate, leaf.key)


def to_der(certificate):
    """Of the first certificate in the file."""
    text = certificate.read_text()
    end = "-----END CERTIFICATE-----"
    return ssl.PEM_cert_to_DER_cert(text[:text.index(end)] + end)


def thumbprint(leaf, digest="sha256"):
    return hashlib.new(digest, to_der(leaf.certificate)).hexdigest().upper()


def serial(leaf):
    return openssl("x509", "-in", leaf.certificate, "-noout", "-serial").strip().split("=")[1]


def client_context(server, leaf):
    """TLS as a device with a certificate of its own."""
    context = ssl.create_default_context(cafile=server.ca_file)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # weak certificates are the server's to refuse
    context.load_cert_chain(*leaf)
    return context
