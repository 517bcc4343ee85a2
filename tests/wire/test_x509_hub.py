"""Devices that connect to the hub with a certificate: hub-device.md 1.3 and checklist
"Authentication"."""

import socket
import ssl

import pytest
from lib import certificates
from lib.certificates import Authority
from lib.dps import CertificateRegistrant, assert_assigned
from lib.groups import CertificateGroup, Factory
from lib.server import CertificateDevice, HubModule, unique_id

SERVER_OPTIONS = ["--accepts-per-second=0", "--log-level=debug"]


@pytest.fixture(scope="module")
def factory(server):
    return Factory(server)


def provisioned(factory, **options):
    """A device of the factory's group that has registered."""
    device_id, leaf = factory.add_device(**options)
    assert_assigned(CertificateRegistrant(factory.server, device_id, leaf).register())
    return CertificateDevice(factory.server, device_id, leaf)


def identity(server, leaf, device_id=None, **authentication):
    """A device that its operator added with an authentication of its own, assigned to the hub."""
    device_id = device_id or unique_id()
    status, answer = server.api("PUT", f"devices/{device_id}", {"authentication": authentication})
    assert status == 200, answer
    server.cli("device", "connection-string", device_id)
    return CertificateDevice(server, device_id, leaf)


def pinned(server, primary, secondary=None, device_id=None):
    """One that is known by thumbprints."""
    second = {"secondaryThumbprint": secondary} if secondary else {}
    return identity(server, None, device_id, type="selfSigned", primaryThumbprint=primary, **second)


def with_leaf(device, leaf):
    return CertificateDevice(device.server, device.id, leaf)


# --- the registered certificate ------------------------------------------------------------------


@pytest.mark.parametrize("password", [None, ""], ids=["missing", "empty"])
def test_H042_with_a_certificate_the_password_is_missing_or_empty(factory, password):
    device = provisioned(factory)
    device.connect(password=password).disconnect()


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_H020_a_thumbprint_of_either_hash_and_slot_is_taken(server, digest):
    leaves = [certificates.self_signed(server.folder, "localhost", name=unique_id("leaf"))
              for _ in range(3)]
    primary, secondary, _ = (certificates.thumbprint(leaf, digest) for leaf in leaves)
    device = pinned(server, primary.lower(), secondary)
    for leaf in leaves[:2]:
        with_leaf(device, leaf).connect().disconnect()
    assert with_leaf(device, leaves[2]).refused() == 5


@pytest.mark.parametrize("make", [
    lambda folder: certificates.version_1(folder, "localhost", "rsa"),
    lambda folder: certificates.version_1(folder, "localhost", "ec"),
    lambda folder: certificates.self_signed(folder, "somebody else", "rsa"),
    lambda folder: certificates.self_signed(folder, "somebody else", "ed25519"),
    lambda folder: Authority(folder, unique_id("unknown")).leaf("localhost"),
    lambda folder: Authority(folder, unique_id("unknown")).leaf("localhost", begins_in=86400),
    lambda folder: Authority(folder, unique_id("unknown")).leaf(
        "localhost", extensions=["extendedKeyUsage=serverAuth"]),
], ids=["v1 RSA", "v1 EC", "RSA", "Ed25519", "of an authority", "not begun", "of a server"])
def test_H167_any_certificate_of_the_hash_is_taken_and_no_other(server, make):
    """Another is refused after a completed handshake."""
    leaf = make(server.folder)
    device = pinned(server, certificates.thumbprint(leaf))
    with_leaf(device, leaf).connect().disconnect()
    other = certificates.self_signed(server.folder, device.id)
    assert with_leaf(device, other).refused() == 5


def test_H020_a_leaf_is_bound_to_its_device(server, factory):
    one, other = provisioned(factory), provisioned(factory)
    assert with_leaf(one, other.leaf).refused() == 5
    assert with_leaf(other, one.leaf).refused() == 5


def test_H022_a_device_with_a_certificate_is_not_let_in_without(server, factory):
    device = provisioned(factory)
    client = server.dial_mqtt()
    with client:
        assert client.connect(device.id, device.username()).code == 5
        client.expect_closed()


def test_H020_an_expired_leaf_is_refused(server):
    authority = Authority(server.folder, unique_id("root"))
    leaf = authority.leaf("expired", begins_in=-86400, ends_in=-310)
    assert with_leaf(pinned(server, certificates.thumbprint(leaf)), leaf).refused() == 5
    leaf = authority.leaf("expiring", begins_in=-86400, ends_in=-280)
    with_leaf(pinned(server, certificates.thumbprint(leaf)), leaf).connect().disconnect()


def test_a_leaf_registered_long_ago_is_good_though_its_authority_left(server):
    """A CA that leaves its slot vouches for no further leaf; the registered one goes on."""
    factory = Factory(server)
    device = provisioned(factory)
    rolled = with_leaf(device, factory.authority.leaf(device.id, name=f"{device.id}-rolled"))
    rolled.connect().disconnect()
    factory.group.remove()
    device.connect().disconnect()
    assert rolled.refused() == 5


# --- the chain -----------------------------------------------------------------------------------


def test_H021_a_device_of_any_verified_authority_comes_with_a_leaf_of_its_name(server, factory):
    device = identity(server, None, type="certificateAuthority")
    region = factory.authority.intermediate(unique_id("region"))
    leaf = region.leaf(device.id)
    with_leaf(device, region.chained(leaf)).connect().disconnect()
    assert with_leaf(device, leaf).refused() == 5
    bare = factory.authority.sign(device.id, extensions=["subjectKeyIdentifier=hash"],
                                  name=f"{device.id}-bare")
    with_leaf(device, bare).connect().disconnect()
    for other in (factory.authority.leaf(device.id + "x"),
                  certificates.self_signed(server.folder, device.id),
                  Authority(server.folder, unique_id("unknown")).leaf(device.id)):
        assert with_leaf(device, other).refused() == 5


def test_H021_a_rolled_leaf_of_a_trusted_authority_is_taken_before_it_registers(server, factory):
    device = provisioned(factory)
    rolled = factory.authority.leaf(device.id, name=f"{device.id}-rolled")
    with with_leaf(device, rolled).connect() as client:
        client.publish(device.events(), b"rolled")
    assert server.messages(device.id, 1)[0].body == b"rolled"


def test_H021_intermediates_sent_by_the_client_are_used(factory):
    device = provisioned(factory)
    region = factory.authority.intermediate(unique_id("region"))
    plant = region.intermediate("plant")
    leaf = plant.leaf(device.id, name=f"{device.id}-rolled")
    with_leaf(device, plant.chained(leaf)).connect().disconnect()
    assert with_leaf(device, leaf).refused() == 5


def test_H021_the_common_name_must_be_the_device_id_exactly(factory):
    device = provisioned(factory)
    for name in (device.id.upper(), device.id + "x", device.id[:-1]):
        leaf = factory.authority.leaf(name, name=f"{device.id}-as-{name}")
        assert with_leaf(device, leaf).refused() == 5


def test_H021_a_leaf_of_another_groups_authority_is_refused(server, factory):
    device, other = provisioned(factory), Factory(server)
    assert with_leaf(device, other.authority.leaf(device.id)).refused() == 5


def test_H021_an_unverified_authority_vouches_for_nothing(server, factory):
    device = provisioned(factory)
    authority = Authority(server.folder, unique_id("root"))
    factory.group.add(authority.certificate, slot="secondary")
    rolled = with_leaf(device, authority.leaf(device.id))
    assert rolled.refused() == 5
    factory.group.trust(authority, slot="secondary")
    rolled.connect().disconnect()
    factory.group.remove("secondary")
    assert rolled.refused() == 5


def test_H021_leaves_of_both_slots_are_taken(server):
    old, new = (Authority(server.folder, unique_id(name)) for name in ("old", "new"))
    factory = Factory(server)
    factory.group.trust(old)
    factory.group.trust(new, slot="secondary")
    factory.authority = old
    device = provisioned(factory)
    for authority in (old, new):
        leaf = authority.leaf(device.id, name=f"{device.id}-rolled")
        with_leaf(device, leaf).connect().disconnect()


def test_H021_a_disabled_group_vouches_for_nothing(server):
    factory = Factory(server)
    device = provisioned(factory)
    rolled = with_leaf(device, factory.authority.leaf(device.id, name=f"{device.id}-rolled"))
    factory.group.enable(False)
    assert rolled.refused() == 5
    device.connect().disconnect()
    factory.group.enable()
    rolled.connect().disconnect()


def test_H016_a_certificate_of_the_device_is_none_of_its_modules(server, factory):
    device = provisioned(factory)
    module = HubModule(device, "m1")
    module.connect().disconnect()
    assert CertificateDevice(server, module.id, device.leaf).refused() == 5


def test_H023_a_device_of_a_group_without_a_registration_is_refused(server, factory):
    """Row 6 of central.md 1.6: no identity until the application let it in."""
    device_id = unique_id()
    assert CertificateDevice(server, device_id, factory.authority.leaf(device_id)).refused() == 5
    server.cli("device", "add", device_id)
    assert CertificateDevice(server, device_id, factory.authority.leaf(
        device_id, name=f"{device_id}-b")).refused() == 5


# --- what the operator sees of a refusal ----------------------------------------------------------


def until_refusal(server, device_id, reason):
    """The note is written behind the device's answer."""
    for _ in range(200):
        refusal = server.device(device_id)["lastHubRefusal"]
        if refusal and reason in refusal["reason"]:
            return refusal
    raise AssertionError(refusal)


def test_the_operator_reads_why_the_hub_turned_a_device_away(server, factory):
    device = provisioned(factory)
    assert server.device(device.id)["lastHubRefusal"] is None
    stranger = with_leaf(device, Authority(server.folder, unique_id("other")).leaf(device.id))
    assert stranger.refused() == 5
    refusal = until_refusal(server, device.id, "neither here nor sent")
    assert (refusal["result"], refusal["protocol"]) == ("refusedByHub", "mqtt")
    server.cli("device", "block", device.id)
    assert device.refused() == 5
    until_refusal(server, device.id, "blocked by an operator")
    assert server.device(device.id)["lastProvisioningAttempt"]["result"] == "assigned"


def test_refusals_of_strangers_leave_no_trace(server, factory):
    device_id = unique_id()
    assert CertificateDevice(server, device_id, factory.authority.leaf(device_id)).refused() == 5
    status, answer = server.api("GET", f"registrationAttempts?registrationId={device_id}")
    assert (status, answer["value"]) == (200, [])


# --- resumption ----------------------------------------------------------------------------------


def dial(server, device, context, session=None):
    """(the TLS stream, the return code of CONNECT)"""
    plain = socket.create_connection(("127.0.0.1", server.info["mqttsPort"]), timeout=10)
    tls = context.wrap_socket(plain, server_hostname="localhost", session=session)
    with server.dial_mqtt() as client:  # for its reading and writing
        client.socket.close()
        client.socket = tls
        code = client.connect(device.id, device.username()).code
        session = tls.session
        return session, tls.session_reused, code


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3],
                         ids=["1.2", "1.3"])
def test_P065_a_session_with_a_certificate_is_never_resumed(server, factory, version):
    device = provisioned(factory)
    context = device.tls()
    context.minimum_version = context.maximum_version = version
    session, reused, code = dial(server, device, context)
    assert (reused, code) == (False, 0)
    assert not session.has_ticket and not session.id
    # The second connection presents its certificate again, and is judged by it again.
    assert dial(server, device, context, session)[1:] == (False, 0)
    server.cli("device", "block", device.id)
    assert dial(server, device, context, session)[1:] == (False, 5)


def test_P065_a_session_without_a_certificate_is_resumed(server):
    """So the tests above would see a resumption."""
    device, context = server.add_device(), ssl.create_default_context(cafile=server.ca_file)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    session = dial(server, device, context)[0]
    assert dial(server, device, context, session)[1] is True


# --- two groups, one hub -------------------------------------------------------------------------


def test_H021_the_group_that_decides_is_the_one_the_device_belongs_to(server):
    """An intermediate in a group of its own takes its leaves with it."""
    root = Authority(server.folder, unique_id("root"))
    factory = Factory(server)
    factory.authority = root
    factory.group.trust(root)
    device = provisioned(factory)
    plant = root.intermediate("plant")
    rolled = with_leaf(device, plant.chained(plant.leaf(device.id)))
    rolled.connect().disconnect()
    CertificateGroup(server, plant)
    assert rolled.refused() == 5
