"""Client certificates for the tests, made with openssl's command line."""

import ssl
import subprocess


def self_signed(folder, common_name="stranger"):
    """(certificate file, key file) that nobody vouches for."""
    certificate, key = folder / f"{common_name}.pem", folder / f"{common_name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={common_name}"],
        check=True, capture_output=True)
    return certificate, key


def client_context(server, pair):
    """TLS as a device with a certificate of its own."""
    context = ssl.create_default_context(cafile=server.ca_file)
    context.load_cert_chain(*pair)
    return context
