"""Files of devices, in and out, and acts on many (central.md 1.9, 2.6, 3; checklist D)."""

import base64
import json
import random
import threading
import time
from urllib.parse import quote, urlencode

import pytest
from lib import dps, sas
from lib.access import create_role, create_token
from lib.caller import OPERATOR
from lib.operations import COLUMNS, Operations, rows_of
from lib.server import unique_id
from lib.wait import until

NAMES = 100_000
SERVER_OPTIONS = ["--accepts-per-second=0", "--unauthenticated-per-address=1000",
                  "--register-burst=0"]

# As Azure-Samples/iot-central-docs-samples has it: BOM, CR LF, upper case.
SAMPLE = b"\xef\xbb\xbfIOTC_DEVICEID,IOTC_DEVICENAME\r\n%s,Sensor one\r\n"


@pytest.fixture(scope="module")
def boss(server):
    return Operations(server)


def key(fill, length=32):
    return base64.b64encode(bytes([fill]) * length).decode()


def ids(count):
    start = unique_id("d")
    return [f"{start}-{number:05d}" for number in range(count)]


def names(boss, *device_ids):
    return [boss.own("GET", f"devices/{device_id}").body["displayName"] for device_id in device_ids]


def caller(boss, *permissions):
    token = create_token(boss, create_role(boss, *permissions))
    return Operations(boss.server, token["token"])


# --- the three generations -----------------------------------------------------------------------


def test_C050_the_published_sample_file_imports_its_device(boss):
    device_id = unique_id()
    operation = boss.import_file(SAMPLE % device_id.encode())
    assert operation["state"] == "done"
    assert (operation["total"], operation["processed"], operation["failed"]) == (1, 1, 0)
    assert names(boss, device_id) == ["Sensor one"]


def test_C002_an_imported_device_is_registered(boss):
    device_id = unique_id()
    boss.import_file(f"IOTC_DEVICEID\n{device_id}\n", template="generic")
    device = boss.own("GET", f"devices/{device_id}").body
    assert (device["status"], device["approved"], device["origin"]) == ("registered", True, "import")
    assert device["template"] == "generic"


def test_C051_C054_the_first_header_imports_and_the_name_is_the_id_where_there_is_none(boss):
    one, two = ids(2)
    assert boss.import_file(f"IOTC_DeviceID,IOTC_DeviceName\n{one},Pump\n{two},\n")["failed"] == 0
    assert names(boss, one, two) == ["Pump", two]


def test_C052_a_file_of_one_column_needs_no_header(boss):
    one, two = ids(2)
    assert boss.import_file(f"{one}\n{two}")["counts"]["added"] == 2
    assert names(boss, one, two) == [one, two]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_C053_other_separators_are_read(boss, separator):
    device_id = unique_id()
    boss.import_file(f"IOTC_DEVICENAME{separator}IOTC_DEVICEID\nA, b{separator}{device_id}\n")
    assert names(boss, device_id) == ["A, b"]


def test_utf_16_is_read(boss):
    device_id = unique_id()
    boss.import_file(f"IOTC_DEVICEID,IOTC_DEVICENAME\r\n{device_id},Ümläut\r\n".encode("utf-16"))
    assert names(boss, device_id) == ["Ümläut"]


def test_a_file_comes_in_chunks(boss):
    some = ids(2000)
    chunks = (f"{device_id}\n".encode() for device_id in some)
    assert boss.import_file(chunks)["counts"]["added"] == 2000


# --- findings ------------------------------------------------------------------------------------


def row_case(code, line, column, text, **options):
    return pytest.param(code, line, column, text, options, id=code)


HEAD = "IOTC_DEVICEID,IOTC_DEVICENAME,MUSTER_TEMPLATE,IOTC_SASKEY_PRIMARY,IOTC_SASKEY_SECONDARY\n"


@pytest.mark.parametrize("code, line, column, text, options", [
    row_case("R01", 3, "IOTC_DEVICEID", ",a,,,\n"),
    row_case("R02", 3, "IOTC_DEVICEID", "x" * 129 + ",,,,\n"),
    row_case("R03", 3, "IOTC_DEVICEID", "a_b,,,,\n"),
    row_case("R04", 3, "IOTC_DEVICEID", "Upper,,,,\n"),
    row_case("R05", 3, "IOTC_DEVICENAME", "r05," + "n" * 149 + ",,,\n"),
    row_case("R06", 3, "IOTC_DEVICEID", "{good},,,,\n"),
    row_case("R07", 3, "IOTC_DEVICEID", "{there},,,,\n"),
    row_case("R08", 3, "", "r08,a,b\n"),
    row_case("R09", 3, "IOTC_SASKEY_PRIMARY", f"r09,,,{key(1, 15)},{key(2)}\n",
             individualEnrollments="true"),
    row_case("R10", 3, "MUSTER_TEMPLATE", "r10,,nothing,,\n"),
    row_case("W02", 3, "IOTC_DEVICEID", "{upper},,,,\n", lowerCase="true"),
    row_case("W03", 3, "IOTC_DEVICEID", "{there},,,,\n", existing="skip"),
])
def test_C055_each_finding_of_a_row_has_its_code_line_and_column(boss, code, line, column, text,
                                                                 options):
    good, there, upper = unique_id("good"), unique_id("there"), unique_id("UPPER")
    boss.import_file(there)
    text = text.format(good=good, there=there, upper=upper)
    operation = boss.import_file(HEAD + f"{good},,,,\n" + text, **options)
    found = [finding for finding in boss.findings(operation) if finding[0] != "W01"]
    assert found == [(code, line, column)]
    assert operation["counts"][code] == 1
    assert operation["failed"] == (1 if code[0] == "R" else 0)
    assert boss.own("GET", f"devices/{good}").status == 200, "one bad row does not stop the rest"


@pytest.mark.parametrize("code, file", [
    ("F01", b"IOTC_DEVICEID\nabc\xff\xfe\n"),
    ("F02", b"name,place\na,b\n"),
    ("F03", b"IOTC_DEVICEID,iotc_deviceid\na,b\n"),
])
def test_C055_a_file_that_is_no_table_of_devices_changes_nothing(boss, code, file):
    device_id = unique_id()
    operation = boss.import_file(file.replace(b"abc", device_id.encode()))
    assert operation["state"] == "failed"
    assert operation["message"].startswith(code)
    assert [row["CODE"] for row in boss.errors(operation)] == [code]
    assert boss.own("GET", f"devices/{device_id}").status == 404


def test_C055_F04_a_file_with_too_many_rows_changes_nothing(boss):
    def rows():
        yield b"zzz-first\n"
        block = b"\n".join(b"%x" % number for number in range(1 << 16)) + b"\n"
        for number in range(31):
            yield b"".join(b"%x-" % number + line + b"\n" for line in block.split())
    operation = boss.import_file(rows())
    assert (operation["state"], operation["message"][:3]) == ("failed", "F04")
    assert boss.own("GET", "devices/zzz-first").status == 404


def test_C055_F04_a_file_that_is_too_large_is_not_taken(boss):
    connection = boss.connect()
    connection.putrequest("POST", "/api/muster/v1/deviceImports")
    for name, value in [("Authorization", boss.token()), ("Content-Type", "text/csv"),
                        ("Content-Length", str((200 << 20) + 1))]:
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_C055_F05_a_template_that_is_not_there_is_told_before_the_upload(boss):
    status, answer = boss.upload("a\n", template="nothing")
    assert status == 400
    assert answer["error"]["message"].startswith("F05")


def test_C055_R11_no_more_devices_than_are_allowed(new_server):
    boss = Operations(new_server("--device-limit=3"))
    operation = boss.import_file("a1\na2\nA3\na4\na5\n")
    assert boss.findings(operation) == [("R04", 3, "IOTC_DEVICEID"), ("R11", 5, "IOTC_DEVICEID")]
    assert boss.server.device_ids() == ["a1", "a2", "a4"]


def test_C056_upper_case_is_refused_or_converted(boss):
    device_id = unique_id("Pump")
    refused = boss.import_file(device_id)
    assert refused["failed"] == 1
    assert device_id.lower() in boss.errors(refused)[0]["MESSAGE"]
    assert boss.import_file(device_id, lowerCase="true")["counts"]["W02"] == 1
    assert boss.own("GET", f"devices/{device_id.lower()}").body["id"] == device_id.lower()


def test_C057_counts_are_right(boss):
    some = ids(1500)
    rows = [device_id.upper() if number % 10 == 3 else device_id
            for number, device_id in enumerate(some)]
    operation = boss.import_file("\n".join(rows))
    assert operation["state"] == "doneWithErrors"
    assert (operation["total"], operation["processed"], operation["failed"]) == (1500, 1500, 150)
    assert operation["counts"]["added"] == 1350
    assert operation["counts"]["R04"] == 150


def test_C058_rejected_rows_once_corrected_import(boss):
    one, two, three = ids(3)
    operation = boss.import_file(f"IOTC_DEVICEID,IOTC_DEVICENAME\n{one},A\n{two.upper()},\"B;c\"\n"
                                 f"{three}_x,D\n")
    rejected = boss.rejected(operation)
    assert rejected == (f"\ufeffIOTC_DEVICEID,IOTC_DEVICENAME\r\n{two.upper()},\"B;c\"\r\n"
                        f"{three}_x,D\r\n")
    corrected = rejected.replace(two.upper(), two).replace("_x", "")
    assert boss.import_file(corrected)["state"] == "done"
    assert names(boss, one, two, three) == ["A", "B;c", "D"]


def test_columns_of_what_devices_have_not_are_told_of(boss):
    operation = boss.import_file("IOTC_DEVICEID,MUSTER_GATEWAY,MUSTER_CLOUD_site,colour\n"
                                 f"{unique_id()},gw,here,red\n")
    assert [row["CODE"] for row in boss.errors(operation)] == ["W01"] * 3
    assert operation["state"] == "done"


# --- devices that are there ----------------------------------------------------------------------


def test_the_same_file_again_changes_nothing(boss):
    some = ids(1200)
    file = "\n".join(some)
    assert boss.import_file(file)["counts"]["added"] == 1200
    again = boss.import_file(file)
    assert (again["counts"]["R07"], again["counts"]["added"], again["failed"]) == (1200, 0, 1200)
    skipped = boss.import_file(file, existing="skip")
    assert (skipped["counts"]["W03"], skipped["counts"]["skipped"]) == (1200, 1200)
    assert skipped["state"] == "done"


def test_an_update_changes_name_and_template_and_nothing_that_the_file_does_not_say(boss):
    one, two, three = ids(3)
    boss.import_file(f"IOTC_DEVICEID,IOTC_DEVICENAME\n{one},A\n{two},B\n{three},C\n")
    operation = boss.import_file(f"IOTC_DEVICEID,IOTC_DEVICENAME,MUSTER_TEMPLATE\n"
                                 f"{one},A2,\n{two},,generic\n{three},C,\n", existing="update")
    assert (operation["counts"]["updated"], operation["counts"]["unchanged"]) == (2, 1)
    assert names(boss, one, two, three) == ["A2", "B", "C"]
    assert boss.own("GET", f"devices/{two}").body["template"] == "generic"


def test_a_device_that_is_there_may_be_called_what_a_new_one_may_not(boss):
    """R07 comes before R03 and R04, so that every export can be imported again."""
    device_id = unique_id("Old_Pump")
    boss.own("PUT", "settings/deviceIdCase", {"value": "any"})
    registrant = dps.group_device(boss.server, device_id)
    registrant.register()
    boss.own("PUT", "settings/deviceIdCase", {"value": "lower"})
    assert boss.own("GET", f"devices/{device_id}").status == 200
    assert [row["CODE"] for row in boss.errors(boss.import_file(device_id))] == ["R07"]


def test_ids_that_differ_in_case_are_one_device(boss):
    device_id = unique_id("pump")
    boss.own("PUT", "settings/deviceIdCase", {"value": "any"})
    operation = boss.import_file(f"{device_id}\n{device_id.upper()}\n")
    boss.own("PUT", "settings/deviceIdCase", {"value": "lower"})
    assert boss.findings(operation) == [("R06", 2, "IOTC_DEVICEID")]


def test_a_dry_run_tells_and_changes_nothing(boss):
    one, two = ids(2)
    operation = boss.import_file(f"{one}\n{two.upper()}\n", dryRun="true")
    assert (operation["counts"]["added"], operation["counts"]["R04"]) == (1, 1)
    assert boss.own("GET", f"devices/{one}").status == 404


# --- export --------------------------------------------------------------------------------------


def test_C059_an_export_has_the_six_columns_and_comes_back_as_it_was(new_server):
    boss = Operations(new_server())
    chance = random.Random(59)
    alphabet = "ab =+-@'\",;\tÜ€𝄞"
    some = {device_id: "".join(chance.choices(alphabet, k=chance.randrange(1, 40)))
            for device_id in ids(NAMES)}
    lines = ["IOTC_DEVICEID,IOTC_DEVICENAME"]
    for device_id, name in some.items():
        lines.append(device_id + ',"' + name.replace('"', '""') + '"')
    assert boss.import_file("\r\n".join(lines), rawNames="true")["failed"] == 0
    text = boss.export()
    assert text.split("\r\n")[0] == "\ufeff" + ",".join(COLUMNS)
    again = boss.import_file("\r\n".join(text.split("\r\n")[:1001]))
    assert set(again["counts"]) - {"added", "updated", "unchanged", "skipped"} == {"R07", "W01"}
    other = Operations(new_server())
    other.import_file(text)
    stored = {row["IOTC_DEVICEID"]: row["IOTC_DEVICENAME"]
              for row in rows_of(other.export("deviceExport/withoutKeys", rawNames="true"))}
    assert stored == some


def test_C060_an_exported_key_provisions_its_device(boss):
    device_id = unique_id()
    boss.import_file(device_id)
    row = next(row for row in rows_of(boss.export()) if row["IOTC_DEVICEID"] == device_id)
    assert row["IOTC_SASKEY_PRIMARY"] == sas.derive_key(boss.server.group_key(), device_id)
    assert row["IOTC_SASKEY_SECONDARY"] == sas.derive_key(boss.server.group_key(secondary=True),
                                                          device_id)
    registrant = dps.Registrant(boss.server, device_id, row["IOTC_SASKEY_PRIMARY"])
    dps.assert_assigned(registrant.register())


def test_C061_a_name_that_would_be_a_formula_is_neutralized(boss):
    device_id = unique_id("-d")
    boss.import_file(f"IOTC_DEVICEID,IOTC_DEVICENAME\n{device_id},=1+1\n")
    assert names(boss, device_id) == ["=1+1"]
    text = boss.export()
    assert f"\"{device_id}\",\"'=1+1\"" in text
    assert f"\"{device_id}\",\"=1+1\"" in boss.export(rawNames="true")


def test_an_export_without_keys_and_with_more_columns(boss):
    device_id = unique_id()
    boss.import_file(device_id, template="generic")
    rows = rows_of(boss.export("deviceExport/withoutKeys", extra="true", template="generic"))
    row = next(row for row in rows if row["IOTC_DEVICEID"] == device_id)
    assert row["IOTC_SASKEY_PRIMARY"] == row["IOTC_SASKEY_SECONDARY"] == ""
    assert row["MUSTER_IDSCOPE"] == boss.server.scope
    assert row["MUSTER_PROVISIONING_HOST"] == boss.server.host
    assert (row["MUSTER_STATUS"], row["MUSTER_TEMPLATE"]) == ("registered", "generic")
    assert list(row)[:6] == COLUMNS


def test_an_export_shows_what_each_device_comes_by(boss):
    one, two = ids(2)
    thumbprint = "AB" * 20
    boss.server.cli("device", "add", one, "--thumbprint", thumbprint)
    boss.own("PUT", f"individualEnrollments/{two}", {
        "attestation": "symmetricKey", "primaryKey": key(3), "secondaryKey": key(4)})
    boss.import_file(two)
    rows = {row["IOTC_DEVICEID"]: row for row in rows_of(boss.export())}
    assert rows[one]["IOTC_X509THUMBPRINT_PRIMARY"] == thumbprint
    assert rows[one]["IOTC_SASKEY_PRIMARY"] == ""
    assert rows[two]["IOTC_SASKEY_PRIMARY"] == key(3)


def test_C063_keys_in_the_file_become_enrollments(boss):
    one, two, existing = ids(3)
    boss.import_file(existing)
    file = "IOTC_DEVICEID,IOTC_SASKEY_PRIMARY,IOTC_SASKEY_SECONDARY\n" + "".join(
        f"{device_id},{key(fill)},{key(fill + 1)}\n"
        for device_id, fill in [(one, 11), (two, 13), (existing, 15)])
    operation = boss.import_file(file, individualEnrollments="true", existing="skip")
    assert operation["counts"]["added"] == 2
    for device_id, fill in [(one, 11), (two, 14)]:
        dps.assert_assigned(dps.Registrant(boss.server, device_id, key(fill)).register())
    dps.assert_unauthorized(dps.Registrant(boss.server, existing, key(15)).register())
    ignored = boss.import_file(file.replace(one, one + "x"), existing="skip")
    assert ignored["counts"]["W01"] == 1


def test_C064_C121_an_export_is_audited_with_who_and_when(boss):
    boss.export()
    entry = boss.own("GET", "audit?action=devices.export&top=1").body["value"][0]["entry"]
    assert (entry["actor"], entry["result"], entry["after"]) == ("cli", "ok", {"keys": True})


def test_C120_keys_of_a_rejected_row_are_in_no_file_and_no_log(boss):
    device_id, secret = unique_id("UPPER"), key(77)
    operation = boss.import_file(
        f"IOTC_DEVICEID,IOTC_SASKEY_PRIMARY,IOTC_SASKEY_SECONDARY\n{device_id},{secret},{secret}\n",
        individualEnrollments="true")
    assert secret in boss.rejected(operation)
    assert secret not in json.dumps(boss.errors(operation)) + "\n".join(boss.server.log.lines)
    for file in boss.server.data.rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes(), file
    assert not list((boss.server.data / "imports").iterdir())


# --- who may -------------------------------------------------------------------------------------


def test_rights_beyond_the_route(boss):
    clerk = caller(boss, "devices.create")
    assert clerk.upload("a-1\n", existing="update")[0] == 403
    assert clerk.upload("a-1\n", individualEnrollments="true")[0] == 403
    operation = clerk.import_file(unique_id())
    assert operation["by"] != "cli"
    assert clerk.own("GET", "deviceExport").status == 403
    assert clerk.own("GET", "deviceExport/withoutKeys").status == 200
    assert clerk.own("GET", f"operations/{operation['id']}/rejected").status == 403
    assert clerk.own("POST", "operations/block", {"ids": ["a"]}).status == 403


def test_what_is_no_csv_is_not_taken(boss):
    assert boss.upload("{}", content_type="application/json")[0] == 415
    assert boss.upload("a", existing="maybe")[0] == 400
    assert boss.upload("a", dryRun="perhaps")[0] == 400
    assert boss.own("POST", "operations/block", {}).status == 400
    assert boss.own("POST", "operations/block", {"ids": [], "filter": {}}).status == 400
    assert boss.own("POST", "operations/block", {"ids": ["a\nb"]}).status == 400
    assert boss.own("POST", "operations/associate", {"ids": ["a"]}).status == 400
    assert boss.own("GET", "operations/nothing").status == 404
    assert boss.own("POST", "operations/nothing/cancel").status == 409
    assert boss.own("GET", "operations/nothing/errors").status == 404


# --- one at a time, and ends ---------------------------------------------------------------------


def slow_upload(boss, started, go_on):
    def rows():
        yield f"{unique_id()}\n".encode()
        started.set()
        go_on.wait(30)
        yield f"{unique_id()}\n".encode()
    return boss.upload(rows())


def test_one_import_at_a_time(new_server):
    boss = Operations(new_server())
    status, first = boss.upload("\n".join(ids(60000)))
    assert status == 202
    status, answer = boss.upload("a\n")
    assert (status, answer["error"]["code"]) == (429, "TooManyRequests")
    assert boss.finished(first["id"])["state"] == "done"
    assert boss.upload("a\n")[0] == 202


def test_an_upload_that_breaks_off_leaves_nothing(boss):
    connection = boss.connect()
    connection.putrequest("POST", "/api/muster/v1/deviceImports")
    for name, value in [("Authorization", boss.token()), ("Content-Type", "text/csv"),
                        ("Content-Length", "1000000")]:
        connection.putheader(name, value)
    connection.endheaders(b"a\n" * 300000)
    folder = boss.server.data / "imports"
    until(lambda: list(folder.iterdir()))
    assert [oct(file.stat().st_mode & 0o777) for file in folder.iterdir()] == ["0o600"]
    connection.sock.close()
    connection.close()
    until(lambda: not list(folder.iterdir()))


def test_a_refused_upload_is_answered_before_its_body(boss):
    stranger = Operations(boss.server, "SharedAccessSignature sr=muster&sig=mst_00&skn=x&se=1")
    started, go_on, answers = threading.Event(), threading.Event(), []
    go_on.set()
    thread = threading.Thread(
        target=lambda: answers.append(slow_upload(stranger, started, go_on)))
    thread.start()
    thread.join(20)
    assert answers[0][0] == 401


def test_C062_a_cancelled_import_says_what_was_done(new_server):
    boss = Operations(new_server())
    some = ids(100000)
    status, operation = boss.upload("\n".join(some))
    assert status == 202
    until(lambda: boss.operation(operation["id"])["processed"])
    began = time.monotonic()
    assert boss.own("POST", f"operations/{operation['id']}/cancel").status == 200
    operation = boss.finished(operation["id"])
    assert time.monotonic() - began < 2
    assert operation["state"] == "cancelled"
    done = operation["counts"]["added"]
    assert 0 < done < 100000
    assert boss.server.device_ids() == sorted(some)[:done]
    assert boss.own("POST", f"operations/{operation['id']}/cancel").status == 409


def test_operations_are_listed_the_newest_first(boss):
    one, two = boss.import_file(unique_id()), boss.import_file(unique_id())
    page = boss.own("GET", "operations?top=1").body
    assert page["value"] == [two]
    assert boss.own("GET", f"operations?top=1&after={page['next']}").body["value"] == [one]


# --- acts on many --------------------------------------------------------------------------------


def test_C042_bulk_approve_has_progress_and_counts_and_a_second_run_changes_nothing(new_server):
    boss = Operations(new_server())
    some = ids(9999)
    for device_id in some[:5]:
        dps.group_device(boss.server, device_id).register()
    boss.import_file("\n".join(some[5:]))
    first = boss.act("approve", ids=[*some, "nobody-1"])
    assert first["counts"] == {"changed": 5, "unchanged": 9994}
    assert (first["total"], first["processed"], first["failed"]) == (10000, 10000, 1)
    assert first["state"] == "doneWithErrors"
    assert [(row["LINE"], row["IOTC_DEVICEID"], row["CODE"]) for row in boss.errors(first)] == [
        ("10000", "nobody-1", "NotFound")]
    second = boss.act("approve", ids=some)
    assert second["counts"] == {"changed": 0, "unchanged": 9999}


def test_C043_a_filter_acts_on_all_that_it_names(new_server):
    boss = Operations(new_server())
    some = ids(250)
    boss.import_file("\n".join(some[:200]))
    boss.import_file("\n".join(some[200:]), template="generic")
    associated = boss.act("associate", template="generic", filter={"unassociated": True})
    assert (associated["total"], associated["counts"]["changed"]) == (200, 200)
    blocked = boss.act("block", filter={"template": "generic"})
    assert blocked["counts"]["changed"] == 250
    assert boss.act("unblock", filter={"status": "blocked"})["counts"]["changed"] == 250
    deleted = boss.act("delete", filter={})
    assert (deleted["total"], deleted["counts"]["changed"]) == (250, 250)
    assert boss.server.device_ids() == []


def test_a_bulk_block_closes_what_is_connected_before_it_is_done(boss, server):
    device = server.add_device()
    client = device.connect()
    operation = boss.act("block", ids=[device.id])
    assert operation["counts"]["changed"] == 1
    client.expect_closed()
    assert boss.act("unblock", ids=[device.id])["counts"]["changed"] == 1


def test_a_bulk_act_with_a_template_that_is_not_there_fails(boss):
    operation = boss.act("associate", template="nothing", ids=["a"])
    assert operation["state"] == "failed"
    assert "template" in operation["message"]


def test_bulk_acts_are_audited(boss):
    device_id = unique_id()
    boss.import_file(device_id)
    operation = boss.act("block", ids=[device_id])
    entries = [row["entry"] for row in
               boss.own("GET", f"audit?target={operation['id']}").body["value"]]
    assert [entry["result"] for entry in entries] == ["done", "begun"]
    assert {entry["action"] for entry in entries} == {"devices.block"}


# --- links and lists -----------------------------------------------------------------------------


def test_C064_an_export_link_is_its_users_alone_and_audited(boss):
    device_id = unique_id()
    boss.import_file(device_id, template="generic")
    answer = boss.own("POST", "deviceExport/links?template=generic")
    assert answer.status == 200
    path = answer.body["link"].removeprefix("/api/muster/v1/")
    followed = boss.own("GET", path)
    assert device_id in [row["IOTC_DEVICEID"] for row in rows_of(followed.text)]
    assert followed.headers["Cache-Control"] == "no-store"
    other = caller(boss, "connectivity.readInstance", "devices.view")
    assert other.own("GET", path).status == 403
    assert boss.own("GET", path.replace("template=generic", "extra=true")).status == 404
    actions = [row["entry"]["action"] for row in boss.own("GET", "audit?top=10").body["value"]]
    assert "devices.export" in actions


def found(boss, **options):
    answer = boss.own("GET", f"devices?{urlencode(options, quote_via=quote)}")
    assert answer.status == 200, answer
    return [row["id"] for row in answer.body["value"]]


def test_devices_are_found_by_a_part_of_their_id_or_name(boss):
    one, two, three = ids(3)
    word = unique_id("w")
    boss.import_file(f"IOTC_DEVICEID,IOTC_DEVICENAME\n{one},Cold {word} b\n{two},Warm {word} a\n"
                     f"{three},c\n", template="generic")
    assert found(boss, search=word) == [one, two]
    assert found(boss, search=word.upper(), order="name") == [one, two]
    assert found(boss, search=word, order="-name") == [two, one]
    assert found(boss, search=f"ld {word}") == [one]
    assert found(boss, search=three[2:]) == [three]
    assert found(boss, search=word, status="registered", template="generic") == [one, two]
    assert found(boss, search=word, status="blocked") == []
    page = boss.own("GET", f"devices?search={word}&order=-name&top=1").body
    assert [row["id"] for row in page["value"]] == [two]
    assert found(boss, search=word, order="-name", after=page["next"]) == [one]
    blocked = boss.act("block", filter={"search": word})
    assert blocked["counts"] == {"changed": 2, "unchanged": 0}
    boss.act("delete", filter={"search": word})
    assert found(boss, search=word) == []


@pytest.mark.parametrize("query", ["search=", "search=%00", "search=" + "x" * 513, "order=size",
                                   "order=name&after=x"])
def test_a_list_that_cannot_be_is_refused(boss, query):
    assert boss.own("GET", f"devices?{query}").status == 400


# --- the command line ----------------------------------------------------------------------------


def test_the_commands(server, tmp_path):
    one, two = ids(2)
    file, out = tmp_path / "devices.csv", tmp_path / "out.csv"
    file.write_text(f"IOTC_DEVICEID,IOTC_DEVICENAME\n{one},A\n{two.upper()},B\n")
    dry = server.cli("device", "import", file, "--dry-run", check=False)
    assert dry.returncode == 1 and "R04" in dry.stdout
    done = server.cli("device", "import", file, "--lower-case", "--template", "generic")
    assert "added                2" in done.stdout
    again = json.loads(server.cli("device", "import", file, "--lower-case", "--skip",
                                  "--json").stdout)
    assert (again["state"], again["counts"]["skipped"]) == ("done", 2)
    assert server.cli("operation", "show", again["id"]).stdout.startswith(f"import {again['id']}")
    assert again["id"] in server.cli("operation", "list").stdout
    assert "W03" in server.cli("operation", "errors", again["id"]).stdout
    assert server.cli("operation", "cancel", again["id"], check=False).returncode == 1
    server.cli("device", "export", "--out", out, "--template", "generic")
    assert oct(out.stat().st_mode & 0o777) == "0o600"
    assert {one, two} <= {row["IOTC_DEVICEID"]
                          for row in rows_of(out.read_bytes().decode())}
    assert server.cli("device", "export", "--without-keys", "--extra").stdout.count("\n") > 2
    assert server.cli("device", "import", tmp_path / "none.csv", check=False).returncode == 2
    assert server.cli("device", "import", file, "--skip", "--update", check=False).returncode == 2
    assert server.cli("device", "block", "--matching", check=False).returncode == 2
    matched = server.cli("device", "block", "--matching", "--template", "generic", "--json")
    assert json.loads(matched.stdout)["counts"]["changed"] >= 2


def test_the_command_says_which_columns_it_passed_over(server, tmp_path):
    file, out = tmp_path / "devices.csv", tmp_path / "found.csv"
    file.write_text("IOTC_DEVICEID,IOTC_SASKEY_PRIMARY,IOTC_SASKEY_SECONDARY,colour\n"
                    f"{unique_id()},{key(1)},{key(2)},red\n")
    done = server.cli("device", "import", file, "--dry-run")
    assert "IOTC_SASKEY_PRIMARY" in done.stderr and "colour" in done.stderr
    assert "--individual-enrollments" in done.stderr and '"' not in done.stderr
    taken = server.cli("device", "import", file, "--individual-enrollments")
    assert "SASKEY" not in taken.stderr and "colour" in taken.stderr
    operation = server.cli_json("operation", "list", "--count", "1")["id"]
    server.cli("operation", "errors", operation, "--out", out)
    assert out.read_bytes().decode() == server.cli("operation", "errors", operation).stdout.replace(
        "\n", "\r\n")
    assert oct(out.stat().st_mode & 0o777) == "0o600"


def test_an_operator_may_import(boss):
    answer = boss.rest("PUT", f"apiTokens/{unique_id('token')}", {"roles": [{"role": OPERATOR}]})
    assert Operations(boss.server, answer.body["token"]).import_file(unique_id())["failed"] == 0
