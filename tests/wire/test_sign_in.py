"""Users who sign in: the first link, passwords, sessions, and what a browser must not be made to do
(SECURITY-MODEL K4, K6, O1-O7; checklist "Access")."""

import contextlib
import re
import sqlite3
import threading
import time

import pytest
from lib.browser import PASSWORD, Browser, setup_code
from lib.caller import ADMINISTRATOR, BUILDER, OPERATOR, Caller, end_of
from lib.server import unique_id

SERVER_OPTIONS = ["--accepts-per-second=0", "--unauthenticated-per-address=1000",
                  "--sign-ins-per-minute=0"]

FIRST = "Ann@Example.org"


@pytest.fixture(scope="module")
def first(server):
    """The first administrator, signed in."""
    browser = Browser(server)
    answer = browser.redeem(setup_code(server), email=FIRST)
    assert (answer.status, answer.body) == (200, {"email": FIRST})
    return browser.sign_in("ann@example.org")


@pytest.fixture(scope="module")
def boss(server, first):
    """The token of the data folder; once there is a first user, who must be the first."""
    return Caller(server)


def invite(boss, email, role=OPERATOR, organization=None):
    """A user of his own for a test: his ID and the code of his link."""
    user = unique_id("user")
    role = {"role": role, **({"organization": organization} if organization else {})}
    answer = boss.rest("PUT", f"users/{user}", {"type": "email", "email": email, "roles": [role]})
    assert answer.status == 200, answer
    return user, invite_again(boss, user)


def invite_again(boss, user):
    answer = boss.own("POST", f"users/{user}/invitation")
    assert answer.status == 200, answer
    return re.search(r"^https://[^/]+/app/invitation#(\S{43})$", answer.body["link"]).group(1)


def make_user(boss, role=OPERATOR, organization=None):
    """(ID, address) of one who has set his password."""
    email = f"{unique_id('user')}@example.org"
    user, code = invite(boss, email, role, organization)
    assert Browser(boss.server).redeem(code).status == 200
    return user, email


def signed_in(boss, role=OPERATOR, organization=None):
    _, email = make_user(boss, role, organization)
    return Browser(boss.server).sign_in(email)


def entries(boss, **filters):
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return [row["entry"] for row in boss.own("GET", f"audit?{query}").body["value"]]


# --- told by address -------------------------------------------------------------------------------


def test_the_audit_finds_a_user_by_the_address(boss, server):
    user, email = make_user(boss)
    Browser(server).sign_in(email)
    lines = server.cli("audit", "--actor", email.upper()).stdout.splitlines()
    assert lines and all(f"user:{user}" in line for line in lines)


# --- the first start -------------------------------------------------------------------------------


def test_the_first_link_makes_an_administrator_and_is_good_once(new_server):
    server = new_server()
    code, browser = setup_code(server), Browser(server)
    assert re.fullmatch(r"[\w-]{43}", code)
    assert browser.redeem(code).status == 400  # no address
    assert browser.redeem(code, email="nobody").status == 400
    assert browser.redeem(code, password="short", email=FIRST).status == 400
    assert browser.redeem(code[:-1] + ("A" if code[-1] != "A" else "B"), email=FIRST).status == 401
    assert browser.redeem(code, email=FIRST).status == 200
    assert browser.redeem(code, email="b@example.org").status == 401
    browser.sign_in(FIRST)
    me = browser.own("GET", "session").body
    assert (me["type"], me["email"], me["roles"]) == ("user", FIRST, [{"role": ADMINISTRATOR}])
    assert browser.own("GET", "audit").status == 200
    server.log.lines.clear()
    server.restart()
    assert setup_code(server) is None
    assert browser.own("GET", "session").status == 200  # sessions outlive the server


def test_the_link_is_shown_again_while_there_is_no_user(new_server):
    server = new_server()
    old = setup_code(server)
    server.restart()
    new = setup_code(server)
    assert new != old
    assert Browser(server).redeem(old, email=FIRST).status == 401
    assert Browser(server).redeem(new, email=FIRST).status == 200


def test_one_of_two_who_come_first_at_once_is_the_first(new_server):
    server = new_server()
    code, got = setup_code(server), []

    def come(email):
        got.append(Browser(server).redeem(code, email=email).status)

    threads = [threading.Thread(target=come, args=(f"{name}@example.org",)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [200, 401, 401]
    assert len(Caller(server).rest_all("users")[0]) == 1


# --- links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["elevenchars", "Password2024!", "x" * 129, "qwertyuiop123",
                                      "P@ssw0rd1234"])
def test_a_password_that_may_not_be_one_leaves_the_link_good(boss, password):
    _, code = invite(boss, f"{unique_id('user')}@example.org")
    answer = Browser(boss.server).redeem(code, password)
    assert (answer.status, answer.code) == (400, "InvalidBody")
    assert password not in answer.text
    assert Browser(boss.server).redeem(code, "Ünïcødé ist erlaubt").status == 200


def test_a_new_link_takes_the_old_ones_place_and_ends_sessions_once_used(boss):
    user, email = make_user(boss)
    browser = Browser(boss.server).sign_in(email)
    old, new = invite_again(boss, user), invite_again(boss, user)
    assert browser.own("GET", "session").status == 200
    assert Browser(boss.server).redeem(old).status == 401
    assert Browser(boss.server).redeem(new, "another okapi altogether").status == 200
    assert browser.own("GET", "session").status == 401
    assert browser.try_sign_in(email).status == 401
    browser.sign_in(email, "another okapi altogether")


def test_a_link_is_for_the_user_as_he_was(boss):
    """Who may invite him, and no more, must not become him when he is given more."""
    user, code = invite(boss, f"{unique_id('user')}@example.org")
    same = {"roles": [{"role": OPERATOR}], "email": f"{unique_id('user')}@example.org"}
    assert boss.rest("PATCH", f"users/{user}", same).status == 200
    assert boss.rest("PATCH", f"users/{user}", {"roles": [{"role": ADMINISTRATOR}]}).status == 200
    assert Browser(boss.server).redeem(code).status == 401
    assert Browser(boss.server).redeem(invite_again(boss, user)).status == 200


def test_a_link_needs_the_right_to_make_the_user_what_he_is(boss):
    user, _ = make_user(boss, ADMINISTRATOR)
    role = unique_id("role")
    permissions = ["users.update", "users.view", "devices.view"]
    assert boss.own("PUT", f"roles/{role}", {"permissions": permissions}).status == 200
    clerk = signed_in(boss, role)
    assert clerk.own("POST", f"users/{user}/invitation").status == 403
    assert clerk.own("POST", "users/nobody/invitation").status == 404


def test_invite_on_the_command_line(boss, server):
    email = f"{unique_id('user')}@example.org"
    done = server.cli("user", "invite", email, check=False)
    assert done.returncode == 1 and "--role" in done.stderr
    link = server.cli("user", "invite", email, "--role", "builder").stdout.strip()
    browser = Browser(server)
    assert browser.redeem(link.split("#")[1]).status == 200
    assert browser.sign_in(email).own("GET", "session").body["roles"] == [{"role": BUILDER}]
    done = server.cli("user", "invite", email, "--role", "administrator", check=False)
    assert done.returncode == 1 and "user set" in done.stderr
    again = server.cli_json("user", "invite", email.upper())
    assert again["link"].split("#")[0] == link.split("#")[0]
    assert browser.redeem(again["link"].split("#")[1]).status == 200


# --- sessions --------------------------------------------------------------------------------------


def test_the_cookie_is_for_this_site_alone(boss):
    browser = signed_in(boss)
    [cookie] = browser.set_cookies
    name, attributes = cookie.split("=", 1)
    assert name == "__Host-muster"
    assert set(attributes.split("; ")[1:]) == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"}
    assert re.fullmatch("[0-9a-f]{64}", attributes.split(";")[0])


def test_a_session_is_good_on_both_families_and_nowhere_else(boss):
    browser = signed_in(boss, ADMINISTRATOR)
    assert browser.own("GET", "devices").status == 200
    assert browser.rest("GET", "users").status == 200
    user = unique_id("user")
    body = {"type": "email", "email": f"{user}@example.org", "roles": [{"role": OPERATOR}]}
    assert browser.rest("PUT", f"users/{user}", body).status == 200
    assert browser.rest("DELETE", f"users/{user}").status == 204
    assert browser.at("GET", "/metrics").status == 401
    assert browser.own("GET", "devices", headers={"Authorization": "Bearer x"}).status == 401


def test_C045_a_user_may_what_his_role_may(boss):
    browser = signed_in(boss, OPERATOR)
    permissions = browser.own("GET", "session").body["permissions"]
    assert "devices.view" in permissions and "users.view" not in permissions
    assert browser.own("GET", "devices").status == 200
    assert browser.rest("GET", "users").status == 403


def test_C046_a_user_of_an_organization_sees_his_part(boss):
    organizations = [unique_id("org"), unique_id("org")]
    for organization in organizations:
        assert boss.rest("PUT", f"organizations/{organization}", {}).status == 200
    mine, _ = make_user(boss, OPERATOR, organizations[0])
    other, _ = make_user(boss, OPERATOR, organizations[1])
    clerk = signed_in(boss, ADMINISTRATOR, organizations[0])
    assert clerk.own("GET", "session").body["organization"] == f"/{organizations[0]}/"
    assert clerk.rest("GET", f"users/{mine}").status == 200
    assert clerk.rest("GET", f"users/{other}").status == 404
    assert clerk.own("POST", f"users/{other}/invitation").status == 404
    assert clerk.own("POST", f"users/{mine}/invitation").status == 200
    assert [o["id"] for o in clerk.rest("GET", "organizations").body["value"]] == organizations[:1]


def test_signing_out_ends_the_session_on_the_server(boss):
    browser = signed_in(boss)
    cookies, csrf = dict(browser.cookies), browser.csrf
    browser.sign_out()
    assert browser.cookies == {}
    browser.cookies, browser.csrf = cookies, csrf
    assert browser.own("GET", "session").status == 401
    assert browser.own("DELETE", "session").status == 401


def test_a_sixth_session_ends_the_first(boss):
    _, email = make_user(boss)
    browsers = [Browser(boss.server).sign_in(email) for _ in range(6)]
    assert [b.own("GET", "session").status for b in browsers] == [401] + 5 * [200]


def test_C124_a_session_has_a_new_ID_at_each_sign_in_and_none_that_was_brought(boss):
    _, email = make_user(boss)
    browser = Browser(boss.server)
    planted = "ab" * 32
    browser.cookies["__Host-muster"] = planted
    browser.sign_in(email)
    first = browser.cookies["__Host-muster"]
    browser.sign_in(email)
    assert len({planted, first, browser.cookies["__Host-muster"]}) == 3
    browser.cookies["__Host-muster"] = planted
    assert browser.own("GET", "session").status == 401


def test_other_roles_end_sessions_and_the_same_ones_do_not(boss):
    user, email = make_user(boss)
    browser = Browser(boss.server).sign_in(email)
    assert boss.rest("PATCH", f"users/{user}", {"roles": [{"role": OPERATOR}]}).status == 200
    assert browser.own("GET", "session").status == 200
    assert boss.rest("PATCH", f"users/{user}", {"roles": [{"role": BUILDER}]}).status == 200
    assert browser.own("GET", "session").status == 401


def test_a_user_that_is_removed_is_out(boss):
    user, email = make_user(boss)
    browser = Browser(boss.server).sign_in(email)
    assert boss.rest("DELETE", f"users/{user}").status == 204
    assert browser.own("GET", "session").status == 401
    assert browser.try_sign_in(email).status == 401
    body = {"type": "email", "email": email, "roles": [{"role": OPERATOR}]}
    assert boss.rest("PUT", f"users/{user}", body).status == 200  # of the same ID, without password
    assert browser.try_sign_in(email).status == 401


def test_a_stream_ends_with_its_session(boss):
    browser = signed_in(boss)
    response, connection = browser.open("GET", "/api/muster/v1/messages")
    assert response.status == 200
    ended = end_of(response)
    browser.sign_out()
    assert ended.wait(5)
    connection.close()


def test_the_password_is_changed_by_who_knows_it(boss):
    _, email = make_user(boss)
    browser, other = Browser(boss.server).sign_in(email), Browser(boss.server).sign_in(email)
    new = "a tandem without okapi"
    wrong = browser.own("PUT", "session/password", {"current": "not that one at all", "new": new})
    assert (wrong.status, wrong.code) == (403, "WrongPassword")
    assert browser.own("PUT", "session/password",
                       {"current": PASSWORD, "new": "too short"}).status == 400
    assert browser.own("PUT", "session/password", {"current": PASSWORD}).status == 400
    old = dict(browser.cookies)
    changed = browser.own("PUT", "session/password", {"current": PASSWORD, "new": new})
    assert changed.status == 200
    browser.csrf = changed.body["csrfToken"]
    assert browser.own("GET", "session").status == 200
    assert browser.cookies != old
    assert other.own("GET", "session").status == 401
    assert other.try_sign_in(email).status == 401
    other.sign_in(email, new)


def test_a_token_has_no_session(boss):
    me = boss.own("GET", "session").body
    assert (me["type"], me["id"]) == ("apiToken", "cli")
    assert "csrfToken" not in me
    assert boss.own("DELETE", "session").status == 400
    assert boss.own("PUT", "session/password", {"current": "a", "new": "b"}).status == 400
    assert Caller(boss.server, "").own("GET", "session").status == 401


# --- time ------------------------------------------------------------------------------------------


def age_sessions(server, **ages_s):
    """While the server is away, as if so much time had passed since."""
    server.stop()
    with contextlib.closing(sqlite3.connect(server.data / "muster.db")) as store, store:
        for column, age_s in ages_s.items():
            store.execute(f"UPDATE user_session SET {column} = ?", ((time.time() - age_s) * 1000,))
    server.start()


@pytest.mark.parametrize("ages_s, status", [
    ({"seen_at": 29 * 60}, 200),
    ({"seen_at": 30 * 60}, 401),
    ({"created_at": 12 * 3600 - 60}, 200),
    ({"created_at": 12 * 3600}, 401),
], ids=["29 minutes unused", "30 minutes unused", "nearly 12 hours old", "12 hours old"])
def test_a_session_ends_by_itself(new_server, ages_s, status):
    server = new_server()
    browser = Browser(server)
    assert browser.redeem(setup_code(server), email=FIRST).status == 200
    browser.sign_in(FIRST)
    age_sessions(server, **ages_s)
    assert browser.own("GET", "session").status == status
    if "seen_at" in ages_s and status == 200:  # which was a use
        age_sessions(server)
        assert browser.own("GET", "devices").status == 200
        server.stop()
        with contextlib.closing(sqlite3.connect(server.data / "muster.db")) as store:
            [[seen_at]] = store.execute("SELECT seen_at FROM user_session")
        assert time.time() - seen_at / 1000 < 60


def test_keys_are_exported_soon_after_signing_in_and_not_later(new_server):
    server = new_server()
    browser = Browser(server)
    assert browser.redeem(setup_code(server), email=FIRST).status == 200
    browser.sign_in(FIRST)
    assert browser.own("GET", "deviceExport").status == 200
    age_sessions(server, created_at=5 * 60)
    later = browser.own("GET", "deviceExport")
    assert (later.status, later.code) == (403, "SignInAgain")
    assert browser.own("POST", "deviceExport/links", {}).code == "SignInAgain"
    assert browser.own("GET", "deviceExport/withoutKeys").status == 200
    assert Caller(server).own("GET", "deviceExport").status == 200
    browser.sign_in(FIRST)
    assert browser.own("GET", "deviceExport").status == 200


# --- a browser that another site leads ---------------------------------------------------------------

FOREIGN = [
    ("no header", {"X-Muster-CSRF": None}),
    ("a wrong one", {"X-Muster-CSRF": "0" * 64}),
    ("another site's origin", {"Origin": "https://evil.example", "Sec-Fetch-Site": None}),
    ("a sandboxed frame's origin", {"Origin": "null", "Sec-Fetch-Site": None}),
    ("the same host without TLS", {"Origin": "http://localhost", "Sec-Fetch-Site": None}),
    ("a sister's page", {"Sec-Fetch-Site": "same-site"}),
    ("another site's page", {"Sec-Fetch-Site": "cross-site", "Origin": None}),
    ("neither says where from", {"Sec-Fetch-Site": None, "Origin": None}),
    ("a form", {"Content-Type": "application/x-www-form-urlencoded"}),
    ("a form of text", {"Content-Type": "text/plain"}),
    ("no content type", {"Content-Type": None}),
]


@pytest.mark.parametrize("name, headers", FOREIGN, ids=[row[0] for row in FOREIGN])
def test_C124_another_site_cannot_act_for_a_user(boss, first, name, headers):
    device = unique_id("pump")
    for method, path in (("PUT", f"devices/{device}"), ("POST", "devices"),
                         ("PUT", "session/password")):
        answer = first.own(method, path, {"id": device}, headers)
        assert (answer.status, answer.code) == (403, "CsrfCheckFailed"), answer
    user = first.rest("PUT", f"users/{device}", {"type": "email"}, headers)
    assert (user.status, user.code) == (403, "CsrfCheckFailed")
    assert boss.own("GET", f"devices/{device}").status == 404
    if "Content-Type" not in headers:
        assert first.own("DELETE", "session", headers=headers).status == 403
        assert first.own("GET", "session").status == 200


def test_C124_either_of_origin_and_fetch_site_will_do(first):
    for left_out in ("Origin", "Sec-Fetch-Site"):
        device = unique_id("pump")
        assert first.own("PUT", f"devices/{device}", {}, {left_out: None}).status == 200


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": None},
    {"Content-Type": "text/plain"},
    {"Content-Type": None},
])
def test_C124_another_site_cannot_sign_a_browser_in(boss, headers):
    _, email = make_user(boss)
    browser = Browser(boss.server)
    answer = browser.own("POST", "session", {"email": email, "password": PASSWORD}, headers)
    assert (answer.status, browser.cookies) == (403, {})


def test_C124_what_a_browser_is_told_to_do_with_answers(first):
    want = {
        "Content-Security-Policy":
            "default-src 'none'; script-src 'self'; style-src 'self' "
            "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; img-src 'self' data:; "
            "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
            "frame-ancestors 'none'",
        "Strict-Transport-Security": "max-age=31536000",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    for answer in (first.own("GET", "session"), first.own("GET", "devices"), first.at("GET", "/"),
                   first.rest("GET", "users"), first.own("GET", "nothing"),
                   first.at("GET", "/app"), Browser(first.server).own("GET", "session")):
        assert {name: answer.headers.get(name) for name in want} == want
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


# --- tries -------------------------------------------------------------------------------------------


def test_who_is_unknown_gets_the_answer_of_a_wrong_password_after_the_same_work(boss):
    _, email = make_user(boss)
    _, _ = invite(boss, f"{unique_id('user')}@example.org")
    took, answers = {}, []
    for who in (email, "nobody@example.org"):
        began = time.monotonic()
        answer = Browser(boss.server).try_sign_in(who, "not the right password")
        took[who] = time.monotonic() - began
        answers.append((answer.status, answer.code, answer.body["error"]["message"]))
    assert answers[0] == answers[1] == (401, "Unauthorized",
                                        "the e-mail address or the password is wrong")
    slow, fast = max(took.values()), min(took.values())
    assert slow < 5 * fast, took  # both hash; without, it is a thousandth


def test_an_account_is_closed_for_a_while_after_five_tries(boss):
    for email in (make_user(boss)[1], f"{unique_id('nobody')}@example.org"):
        browser = Browser(boss.server)
        for _ in range(5):
            assert browser.try_sign_in(email, "not the right password").status == 401
        closed = browser.try_sign_in(email.upper())
        assert (closed.status, closed.code) == (429, "TooManyRequests")
        assert 50 <= int(closed.headers["Retry-After"]) <= 60


def test_a_new_link_opens_the_account_again(boss):
    user, email = make_user(boss)
    for _ in range(5):
        assert Browser(boss.server).try_sign_in(email, "not the right password").status == 401
    assert Browser(boss.server).try_sign_in(email).status == 429
    assert Browser(boss.server).redeem(invite_again(boss, user)).status == 200
    Browser(boss.server).sign_in(email)


def test_an_address_has_twenty_tries_a_minute(new_server):
    server = new_server("--accepts-per-second=0")
    got = [Browser(server).redeem("x").status for _ in range(45)]  # two minutes, at the most
    assert 429 in got and got[:20] == 20 * [401]
    assert Browser(server).try_sign_in("a@example.org").status == 429


# --- what is told ------------------------------------------------------------------------------------


def test_C121_signing_in_is_told_with_who_when_and_from_where(boss):
    user, email = make_user(boss)
    browser = Browser(boss.server)
    assert browser.try_sign_in(email, "not the right password").status == 401
    browser.sign_in(email)
    device = unique_id("pump")
    assert browser.own("PUT", f"devices/{device}", {}).status == 200
    assert browser.own("GET", f"devices/{device}/credentials").status == 200
    new = "a tandem without okapi"
    changed = browser.own("PUT", "session/password", {"current": PASSWORD, "new": new})
    browser.csrf = changed.body["csrfToken"]
    browser.sign_out()
    told = [(e["action"], e["target"], e["result"]) for e in entries(boss, actor=f"user:{user}")]
    assert told == [
        ("session.delete", user, "ok"),
        ("users.password", user, "ok"),
        ("devices.credentials.read", device, "ok"),
        ("devices.put", device, "ok"),
        ("session.create", user, "ok"),
        ("session.create", user, "denied"),
        ("users.password", user, "ok"),
    ]
    [invited] = entries(boss, target=user, action="users.invitation")
    assert (invited["actor"], invited["result"]) == ("cli", "ok")
    assert all(e["source"].startswith("127.0.0.1:") for e in entries(boss, target=user))


def test_C120_no_password_and_no_code_is_told_or_kept(boss, server):
    email, secret = f"{unique_id('user')}@example.org", "canary-okapi-4711-tandem"
    _, code = invite(boss, email)
    browser = Browser(server)
    assert browser.redeem(code, secret).status == 200
    browser.sign_in(email, secret)
    browser.try_sign_in(email, secret + "x")
    secrets = [secret, code, browser.cookies["__Host-muster"], browser.csrf]
    kept = b"".join(file.read_bytes() for file in server.data.glob("muster.db*"))
    log = "\n".join(server.log.lines)
    told = boss.own("GET", "audit?top=1000").text
    for canary in secrets:
        assert canary.encode() not in kept
        assert canary not in log and canary not in told
