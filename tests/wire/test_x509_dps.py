"""Devices that provision with a certificate: provisioning.md 2.5, 3.3, 5.4 and checklist
"Attestation"."""

import time

import pytest
from lib import certificates, dps
from lib.certificates import AUTHORITY, Authority
from lib.dps import CertificateRegistrant, assert_assigned, assert_unauthorized, register_over
from lib.groups import CertificateGroup, Factory, problem
from lib.server import CertificateDevice, unique_id

SERVER_OPTIONS = ["--accepts-per-second=0"]  # all knock from one address

TRANSPORTS = ["https", "mqtt"]
over_both = pytest.mark.parametrize("transport", TRANSPORTS)


@pytest.fixture(scope="module")
def factory(server):
    return Factory(server)


def added(server):
    """The ID of a device that its operator added: good credentials are all it needs."""
    device_id = unique_id()
    server.cli("device", "add", device_id)
    return device_id


def deciding_group(server, device_id):
    return server.device(device_id)["enrollment"]["id"]


# --- the way in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("password", [None, ""], ids=["missing", "empty"])
def test_P035_with_a_certificate_the_password_is_missing_or_empty(server, factory, password):
    registrant = CertificateRegistrant(server, *factory.add_device())
    with registrant.connect(password=password) as client:
        assert_assigned(registrant.mqtt_register(client))


@over_both
def test_C004_an_unknown_device_of_a_trusted_authority_waits_for_its_operator(
        server, factory, transport):
    registration_id = unique_id("unknown")
    registrant = CertificateRegistrant(server, registration_id,
                                       factory.authority.leaf(registration_id))
    dps.assert_refused(register_over(transport, registrant).body)
    seen = server.device(registration_id)
    assert (seen["status"], seen["approved"], seen["template"]) == ("registered", False, None)
    assert registration_id in server.device_ids("--unassociated")
    server.cli("device", "approve", registration_id)
    server.cli("device", "associate", registration_id, "--template", "generic")
    assert_assigned(register_over(transport, registrant))


@over_both
def test_C010_an_unknown_device_of_an_unknown_authority_leaves_no_record(
        server, factory, transport):
    stranger = Authority(server.folder, unique_id("nobodys"))
    registration_id = unique_id("stranger")
    registrant = CertificateRegistrant(server, registration_id, stranger.leaf(registration_id))
    assert_unauthorized(register_over(transport, registrant))
    assert server.cli("device", "show", registration_id, check=False).returncode == 1


def test_an_unknown_individual_waits_for_nobody(server):
    """An individual enrollment names its device, and so counts as its approval."""
    registration_id = unique_id()
    leaf = certificates.self_signed(server.folder, registration_id)
    enroll(server, registration_id, leaf)
    server.cli("settings", "set", "requireTemplate", "never")
    try:
        assert_assigned(CertificateRegistrant(server, registration_id, leaf).register())
    finally:
        server.cli("settings", "set", "requireTemplate", "deviceOrigin")


@pytest.mark.parametrize("count, passes", [(8, True), (9, False)])
def test_P064_a_chain_of_8_passes_the_handshake_and_is_judged_later(server, count, passes):
    authority = Authority(server.folder, unique_id("stranger"))
    leaf = authority.leaf("device")
    chain = leaf.certificate.with_suffix(".long.pem")
    chain.write_text(leaf.certificate.read_text() + authority.certificate.read_text() * (count - 1))
    registrant = CertificateRegistrant(server, unique_id(), certificates.Leaf(chain, leaf.key))
    if passes:
        assert_unauthorized(registrant.http_register())
    else:
        with pytest.raises(OSError):
            registrant.http_register()


@pytest.mark.parametrize("key, passes", [("rsa", True), ("ed25519", True), ("rsa1024", False)])
def test_P064_keys_of_every_kind_that_is_long_enough_pass_the_handshake(
        server, factory, key, passes):
    registration_id = added(server)
    registrant = CertificateRegistrant(server, registration_id,
                                       factory.authority.leaf(registration_id, key=key))
    if passes:
        assert_assigned(registrant.http_register())
    else:
        with pytest.raises(OSError):
            registrant.http_register()


@over_both
def test_an_operation_is_polled_with_the_certificate_it_began_with(new_server, transport):
    """As the cloud does it: 202 first."""
    server = new_server("--answer=poll", "--accepts-per-second=0")
    factory = Factory(server)
    one, other = (CertificateRegistrant(server, *factory.add_device()) for _ in range(2))
    began = register_over(transport, one)
    assert (began.status, began.body["status"]) == (202, "assigning")
    operation = began.body["operationId"]
    other.id = one.id
    assert_unauthorized(other.http_status(operation))
    assert_assigned(one.register() if transport == "https" else one.register_by_mqtt())


# --- the name ------------------------------------------------------------------------------------


@over_both
def test_P068_C074_the_common_name_must_be_the_registration_id(server, factory, transport):
    leaf = factory.authority.leaf(unique_id("another"))
    for registration_id in (added(server), unique_id("unknown")):
        registrant = CertificateRegistrant(server, registration_id, leaf)
        assert_unauthorized(register_over(transport, registrant))


def test_P066_P068_the_common_name_is_compared_without_case(server, factory):
    registration_id = added(server)
    for written, named in ((registration_id, registration_id.upper()),
                           (registration_id.upper(), registration_id)):
        leaf = factory.authority.leaf(named, name=f"{registration_id}-{named}")
        assert_assigned(CertificateRegistrant(server, written, leaf).register())


def test_P068_two_common_names_are_none(server, factory):
    registration_id = added(server)
    leaf = factory.authority.leaf(f"{registration_id}/CN={registration_id}")
    assert_unauthorized(CertificateRegistrant(server, registration_id, leaf).register())


# --- which group decides -------------------------------------------------------------------------


@over_both
def test_P069_the_group_of_the_certificate_nearest_the_leaf_decides(server, transport):
    root = Authority(server.folder, unique_id("root"))
    plant = root.intermediate("plant")
    upper, lower = CertificateGroup(server, root), CertificateGroup(server, plant)
    registration_id = added(server)
    leaf = plant.leaf(registration_id)
    for shown in (plant.chained(leaf), leaf):
        assert_assigned(register_over(transport,
                                      CertificateRegistrant(server, registration_id, shown)))
        assert deciding_group(server, registration_id) == lower.id
    # Switched off, it stops the search: the group above is not asked.
    lower.enable(False)
    registrant = CertificateRegistrant(server, registration_id, plant.chained(leaf))
    dps.assert_refused(register_over(transport, registrant).body)
    lower.enable()
    assert_assigned(register_over(transport, registrant))
    # A leaf of the root itself is the upper group's.
    sibling = added(server)
    assert_assigned(CertificateRegistrant(server, sibling, root.leaf(sibling)).register())
    assert deciding_group(server, sibling) == upper.id


@over_both
def test_P070_C073_leaves_of_both_slots_provision(server, transport):
    old, new = (Authority(server.folder, unique_id(name)) for name in ("old", "new"))
    group = CertificateGroup(server, old)
    group.trust(new, slot="secondary")
    registrants = {}
    for authority in (old, new):
        registration_id = added(server)
        registrants[authority] = CertificateRegistrant(server, registration_id,
                                                       authority.leaf(registration_id))
        assert_assigned(register_over(transport, registrants[authority]))
    group.remove("primary")
    assert_unauthorized(register_over(transport, registrants[old]))
    assert_assigned(register_over(transport, registrants[new]))


@over_both
def test_P071_C071_an_authority_attests_when_it_is_verified_and_not_before(server, transport):
    authority = Authority(server.folder, unique_id("root"))
    group = CertificateGroup(server)
    group.add(authority.certificate)
    registration_id = added(server)
    registrant = CertificateRegistrant(server, registration_id, authority.leaf(registration_id))
    assert_unauthorized(register_over(transport, registrant))
    code = group.code()
    assert_unauthorized(register_over(transport, registrant))
    group.verify(authority.leaf(code, name="proof").certificate)
    assert_assigned(register_over(transport, registrant))


def test_P071_an_unverified_intermediate_of_a_verified_authority_counts_as_verified(server):
    root = Authority(server.folder, unique_id("root"))
    plant = root.intermediate("plant")
    CertificateGroup(server, root)
    lower = CertificateGroup(server)
    lower.add(plant.certificate)
    registration_id = added(server)
    registrant = CertificateRegistrant(server, registration_id, plant.leaf(registration_id))
    assert_assigned(registrant.register())
    assert deciding_group(server, registration_id) == lower.id


def test_C005_one_certificate_is_never_in_two_groups(server, factory):
    other = CertificateGroup(server)
    status, answer = other.put(factory.authority.certificate)
    assert (status, problem(answer)) == (409, "C05"), answer
    assert other.slot() is None


# --- the path ------------------------------------------------------------------------------------


@over_both
def test_C076_intermediates_come_with_the_leaf_in_any_order(server, factory, transport):
    region = factory.authority.intermediate(unique_id("region"))
    plant = region.intermediate("plant")
    registration_id = added(server)
    leaf = plant.leaf(registration_id)
    in_order = plant.chained(leaf)
    shuffled = leaf.certificate.with_suffix(".shuffled.pem")
    stranger = certificates.self_signed(server.folder, unique_id("stranger"))
    shuffled.write_text("".join(certificate.read_text() for certificate in (
        leaf.certificate, region.certificate, stranger.certificate, plant.certificate,
        factory.authority.certificate)))
    for shown in (in_order, certificates.Leaf(shuffled, leaf.key)):
        assert_assigned(register_over(transport,
                                      CertificateRegistrant(server, registration_id, shown)))


def incomplete(root, registration_id):
    return root.intermediate(f"unseen {registration_id}").leaf(registration_id)


def expired(root, registration_id):
    return root.leaf(registration_id, begins_in=-7200, ends_in=-310)


def not_yet_valid(root, registration_id):
    return root.leaf(registration_id, begins_in=3600)


def badly_signed(root, registration_id):
    return certificates.forged(root.leaf(registration_id))


def issued_by_a_leaf(root, registration_id):
    issuer = root.intermediate(f"no authority {registration_id}",
                               extensions=["basicConstraints=critical,CA:false"])
    return issuer.chained(issuer.leaf(registration_id))


def issued_by_one_without_constraints(root, registration_id):
    issuer = root.intermediate(f"silent {registration_id}",
                               extensions=["keyUsage=critical,keyCertSign"])
    return issuer.chained(issuer.leaf(registration_id))


def issued_by_one_that_expired(root, registration_id):
    issuer = root.intermediate(f"old {registration_id}", begins_in=-7200, ends_in=-310)
    return issuer.chained(issuer.leaf(registration_id))


def issued_by_one_too_deep(root, registration_id):
    shallow = root.intermediate(
        f"shallow {registration_id}",
        extensions=["basicConstraints=critical,CA:true,pathlen:0", *AUTHORITY[1:]])
    deep = shallow.intermediate("deep")
    return deep.chained(deep.leaf(registration_id))


def issued_with_sha1(root, registration_id):
    issuer = root.intermediate(f"weak {registration_id}", digest="sha1")
    return issuer.chained(issuer.leaf(registration_id))


def of_a_namesake(root, registration_id):
    """Another authority with the same name and another key."""
    folder = root.folder / f"copy-{registration_id}"
    folder.mkdir()
    return Authority(folder, root.folder.name).leaf(registration_id)


BAD_PATHS = [incomplete, expired, not_yet_valid, badly_signed, issued_by_a_leaf,
             issued_by_one_without_constraints, issued_by_one_that_expired, issued_by_one_too_deep,
             issued_with_sha1, of_a_namesake]


@over_both
@pytest.mark.parametrize("make", BAD_PATHS, ids=lambda make: make.__name__)
def test_P072_a_path_that_does_not_hold_is_refused(server, factory, make, transport):
    registration_id = added(server)
    leaf = make(factory.authority, registration_id)
    assert_unauthorized(register_over(transport,
                                      CertificateRegistrant(server, registration_id, leaf)))


def test_P072_the_operator_reads_the_failed_step_before_and_after_an_attempt(new_server):
    """`explain` and the recorded attempt agree; a server of its own, as attempts are sampled."""
    server = new_server("--accepts-per-second=0")
    factory = Factory(server)
    for make in BAD_PATHS:
        registration_id = added(server)
        leaf = make(factory.authority, registration_id)
        explained = explain(server, leaf)
        assert explained["result"] == "unauthorized", make.__name__
        step = failed_step(explained["steps"])
        assert step["expected"] and step["received"] and step["fix"], step
        assert_unauthorized(CertificateRegistrant(server, registration_id, leaf).http_register())
        recorded = failed_step(last_attempt(server, registration_id)["steps"])
        assert without_clock(recorded) == without_clock(step), make.__name__


def without_clock(step):
    return {**step, "received": step["received"].split(", now it is")[0]}


def last_attempt(server, registration_id):
    """The device has its answer before the note of it is written."""
    until, rows = time.monotonic() + 5, []
    while not rows:
        assert time.monotonic() < until, "no attempt was recorded"
        status, answer = server.api(
            "GET", f"registrationAttempts?registrationId={registration_id}&top=1")
        assert status == 200, answer
        rows = answer["value"]
    return rows[0]


def explain(server, leaf):
    status, answer = server.api("POST", "explain", {"certificate": leaf.certificate.read_text()})
    assert status == 200, answer
    return answer


def failed_step(steps):
    failed = [step for step in steps if not step["passed"]]
    assert len(failed) == 1 and failed[0] == steps[-1], steps
    return failed[0]


@pytest.mark.parametrize("ends_in", [-280, 3600])
def test_P072_clocks_may_differ_by_300_seconds(server, factory, ends_in):
    registration_id = added(server)
    leaf = factory.authority.leaf(registration_id, begins_in=-7200 if ends_in < 0 else 280,
                                  ends_in=ends_in)
    assert_assigned(CertificateRegistrant(server, registration_id, leaf).register())


@over_both
@pytest.mark.parametrize("extensions, taken", [
    (certificates.EDGE_DEVICE, True),
    (["basicConstraints=CA:true"], True),
    (["basicConstraints=critical,CA:false"], True),
    (["extendedKeyUsage=clientAuth,emailProtection"], True),
    (["extendedKeyUsage=critical,clientAuth"], True),
    (["extendedKeyUsage=serverAuth"], False),
    (["extendedKeyUsage=codeSigning,emailProtection"], False),
], ids=["edge", "CA", "no purpose", "with mail", "critical", "server", "code"])
def test_P094_the_purpose_of_a_leaf_is_free_or_a_client(
        server, factory, extensions, taken, transport):
    registration_id = added(server)
    leaf = factory.authority.leaf(registration_id, extensions=extensions)
    answer = register_over(transport, CertificateRegistrant(server, registration_id, leaf))
    (assert_assigned if taken else assert_unauthorized)(answer)


def test_an_edge_device_cannot_make_other_devices(server, factory):
    edge = unique_id("edge")
    server.cli("device", "add", edge)
    captured = factory.authority.intermediate(edge, extensions=certificates.EDGE_DEVICE)
    own = certificates.Leaf(captured.certificate, captured.key)
    assert_assigned(CertificateRegistrant(server, edge, own).register())
    for victim in (added(server), unique_id("new")):
        made = captured.chained(captured.leaf(victim))
        assert_unauthorized(CertificateRegistrant(server, victim, made).http_register())
        assert CertificateDevice(server, victim, made).refused() == 5


# --- individual enrollments ----------------------------------------------------------------------


def enroll(server, registration_id, primary, secondary=None, *options):
    second = ["--secondary-certificate", secondary.certificate] if secondary else []
    server.cli("enrollment", "add", registration_id, "--attestation", "x509", "--individual",
               "--certificate", primary.certificate, *second, *options)


@over_both
def test_P073_either_certificate_of_an_individual_enrollment_is_taken(server, transport):
    registration_id = added(server)
    first, second, third = (
        certificates.self_signed(server.folder, registration_id, name=f"{registration_id}-{n}")
        for n in range(3))
    enroll(server, registration_id, first, second)
    for leaf in (first, second):
        assert_assigned(register_over(transport,
                                      CertificateRegistrant(server, registration_id, leaf)))
    assert_unauthorized(register_over(transport,
                                      CertificateRegistrant(server, registration_id, third)))


def test_P067_P073_a_leaf_of_the_group_is_none_of_the_individual_enrollment(server, factory):
    registration_id, of_group = factory.add_device()
    own = certificates.self_signed(server.folder, registration_id, name=f"{registration_id}-own")
    enroll(server, registration_id, own)
    assert_unauthorized(CertificateRegistrant(server, registration_id, of_group).http_register())
    assert_assigned(CertificateRegistrant(server, registration_id, own).register())
    # Switched off it decides all the same.
    server.cli("enrollment", "disable", registration_id, "--individual")
    for leaf in (own, of_group):
        answer = CertificateRegistrant(server, registration_id, leaf).http_register()
        assert answer.body.get("status") != "assigned", answer
    server.cli("enrollment", "delete", registration_id, "--individual")
    assert_assigned(CertificateRegistrant(server, registration_id, of_group).register())


def test_P073_an_expired_certificate_is_taken_where_its_enrollment_says_so(server, factory):
    registration_id = added(server)
    leaf = factory.authority.leaf(registration_id, begins_in=-86400, ends_in=-3600)
    enroll(server, registration_id, leaf)
    assert_unauthorized(CertificateRegistrant(server, registration_id, leaf).http_register())
    server.cli("enrollment", "delete", registration_id, "--individual")
    enroll(server, registration_id, leaf, None, "--allow-expired")
    assert_assigned(CertificateRegistrant(server, registration_id, leaf).register())
    CertificateDevice(server, registration_id, leaf).connect().disconnect()


# --- what a registration leaves behind -----------------------------------------------------------


@over_both
def test_P101_C003_the_device_connects_with_its_leaf_alone(server, factory, transport):
    plant = factory.authority.intermediate(unique_id("plant"))
    registration_id = added(server)
    leaf = plant.leaf(registration_id)
    registrant = CertificateRegistrant(server, registration_id, plant.chained(leaf))
    answer = register_over(transport, registrant)
    assert_assigned(answer)
    state = answer.body["registrationState"]
    assert state["x509"] and "symmetricKey" not in state
    device = CertificateDevice(server, state["deviceId"], leaf)
    with device.connect() as client:
        client.publish(device.events(), b"first")
    assert server.messages(device.id, 1)[0].body == b"first"


def test_P101_individual_the_device_connects_with_its_leaf(server):
    registration_id = added(server)
    leaf = certificates.self_signed(server.folder, registration_id)
    enroll(server, registration_id, leaf)
    assert_assigned(CertificateRegistrant(server, registration_id, leaf).register())
    CertificateDevice(server, registration_id, leaf).connect().disconnect()


@over_both
def test_a_rolled_leaf_with_the_same_name_is_the_same_device(server, factory, transport):
    registration_id, first = factory.add_device()
    before = register_over(transport, CertificateRegistrant(server, registration_id, first))
    assert_assigned(before)
    rolled = factory.authority.leaf(registration_id, name=f"{registration_id}-rolled")
    after = register_over(transport, CertificateRegistrant(server, registration_id, rolled))
    assert_assigned(after)
    for member in ("deviceId", "assignedHub", "createdDateTimeUtc", "substatus"):
        assert after.body["registrationState"][member] == before.body["registrationState"][member]
    CertificateDevice(server, registration_id, rolled).connect().disconnect()
