"""Signing in at an OpenID Connect issuer: a certified provider, and one that lies (SECURITY-MODEL O1,
C8, E1; OpenID Connect Core 3.1)."""

import html
import http.client
import os
import re
import shutil
import ssl
import time
import urllib.parse

import pytest
from lib.browser import Browser
from lib.caller import ADMINISTRATOR, OPERATOR, Caller
from lib.issuer import Issuer, code
from lib.server import MusterServer, unique_id

SECRET = "a secret: with % and spaces"
CALLBACK = "/api/muster/v1/signIn/oidc/callback"
BEGIN = "/api/muster/v1/signIn/oidc"

PEOPLE = {
    "ann": {"email": "ann@example.org", "email_verified": True},
    "bob": {"email": "Bob@Example.org", "email_verified": True},
    "eve": {"email": "eve@evil.example", "email_verified": True},
    "mallory": {"email": "mallory@example.org", "email_verified": False},
    "anonymous": {},
}
AUDIENCE = "https://apps.example.org"
ROLES = "ann@example.org=administrator,@example.org=operator"


def serve(request, options, secret=None):
    server = MusterServer(*options)
    if secret:
        file = server.folder / "oidc-secret"
        file.write_text(secret + "\n")
        file.chmod(0o600)
        if os.geteuid() == 0:  # the user that the server becomes
            try:
                shutil.chown(file, "muster")
            except LookupError:
                shutil.chown(file, "nobody")
        server.options.append(f"--oidc-client-secret-file={file}")
    request.addfinalizer(server.close)
    return server.start()


@pytest.fixture(scope="module")
def provider(request):
    issuer = Issuer()
    request.addfinalizer(issuer.close)
    server = serve(request, issuer.options(**{"oidc-roles": ROLES}), SECRET)
    issuer.begin(kind="provider", people=PEOPLE, client={
        "client_id": "muster", "client_secret": SECRET,
        "redirect_uris": [Browser(server).origin + CALLBACK]})
    issuer.server = server
    return issuer


@pytest.fixture(scope="module")
def liar(request):
    issuer = Issuer()
    request.addfinalizer(issuer.close)
    issuer.server = serve(request, issuer.options(**{"oidc-roles": ROLES,
                                                     "oidc-audience": AUDIENCE}))
    issuer.begin(kind="liar")
    return issuer


# --- the provider's pages, as a browser walks through them ---------------------------------------


class Walk:
    """Follows the provider's redirections and sends its forms until it leads back to us."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.cookies = {}
        self.context = ssl.create_default_context(cafile=issuer.ca_file)

    def ask(self, method, address, body=None):
        connection = http.client.HTTPSConnection("localhost", self.issuer.port,
                                                 context=self.context, timeout=30)
        headers = {"Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, address.removeprefix(self.issuer.url), body=body,
                           headers=headers)
        response = connection.getresponse()
        text = response.read().decode()
        for line in response.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
        connection.close()
        return response.headers.get("Location"), text

    def sign_in(self, address, login):
        """Where the provider sends the browser at the end."""
        location, text = self.ask("GET", address)
        for _ in range(12):
            if location and not location.startswith(("/", self.issuer.url)):
                return location
            if location:
                location, text = self.ask("GET", location)
                continue
            [action] = re.findall(r'<form[^>]*action="([^"]+)"', text)
            [prompt] = re.findall(r'name="prompt" value="(\w+)"', text)
            form = {"prompt": prompt, "login": login, "password": "x"}
            location, text = self.ask("POST", html.unescape(action),
                                      urllib.parse.urlencode(form))
        raise AssertionError(f"the provider does not lead back: {text}")


def begin(browser):
    """The issuer's address to which the browser is sent."""
    answer = browser.at("GET", BEGIN)
    assert answer.status == 302, answer
    return answer.headers["Location"]


def come_back(browser, location):
    """As another site's page leads: what is SameSite=Strict stays at home."""
    session = browser.cookies.pop("__Host-muster", None)
    answer = browser.at("GET", location.removeprefix(browser.origin),
                        headers={"Sec-Fetch-Site": "cross-site", "Origin": None})
    assert answer.status == 302, answer
    if session and "__Host-muster" not in browser.cookies:
        browser.cookies["__Host-muster"] = session
    return answer.headers["Location"]


def sign_in(issuer, login):
    """(where it ends, the browser)"""
    browser = Browser(issuer.server)
    back = Walk(issuer).sign_in(begin(browser), login)
    assert back.startswith(browser.origin + CALLBACK)
    return come_back(browser, back), browser


def test_a_user_comes_and_is_what_the_rows_say(provider):
    end, browser = sign_in(provider, "ann")
    assert end == "/app"
    me = browser.own("GET", "session").body
    assert (me["email"], me["roles"]) == ("ann@example.org", [{"role": ADMINISTRATOR}])
    browser.csrf = me["csrfToken"]
    device = unique_id("pump")
    assert browser.own("PUT", f"devices/{device}", {}).status == 200
    [entry] = [row["entry"] for row in browser.own("GET", f"audit?target={device}").body["value"]]
    assert entry["actor"] == f"user:{me['id']}"
    told = [row["entry"] for row in browser.own("GET", f"audit?target={me['id']}").body["value"]]
    assert [(e["action"], e["actor"]) for e in told] == [
        ("session.create", f"user:{me['id']}"), ("users.create", "oidc")]
    again = sign_in(provider, "ann")[1].own("GET", "session").body
    assert again["id"] == me["id"]


def test_an_address_of_the_domain_gets_the_domains_role(provider):
    end, browser = sign_in(provider, "bob")
    assert end == "/app"
    me = browser.own("GET", "session").body
    assert (me["email"], me["roles"]) == ("Bob@Example.org", [{"role": OPERATOR}])


@pytest.mark.parametrize("login", ["eve", "mallory", "anonymous"])
def test_others_stay_outside(provider, login):
    end, browser = sign_in(provider, login)
    assert end == "/app/sign-in?error=refused"
    assert "__Host-muster" not in browser.cookies
    emails = [u["email"] for u in Caller(provider.server).rest_all("users")[0]]
    assert not [email for email in emails if email.startswith(login)]


def test_the_cookies_are_for_this_site_and_the_flow_is_sealed(provider):
    browser = Browser(provider.server)
    location = begin(browser)
    [cookie] = browser.set_cookies
    assert cookie.startswith("__Host-muster-oidc=")
    assert set(cookie.split("; ")[1:]) == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax",
                                           "Max-Age=600"}
    query = dict(urllib.parse.parse_qsl(location.split("?")[1]))
    assert query["response_type"] == "code" and query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == browser.origin + CALLBACK
    for hidden in (query["state"], query["nonce"]):
        assert hidden not in cookie
    back = Walk(provider).sign_in(location, "ann")
    assert come_back(browser, back) == "/app"
    assert any("SameSite=Strict" in line for line in browser.set_cookies)
    assert "__Host-muster-oidc" not in browser.cookies


def test_a_code_is_good_once_and_in_the_browser_that_began(provider):
    browser, other = Browser(provider.server), Browser(provider.server)
    back = Walk(provider).sign_in(begin(browser), "ann")
    begin(other)
    assert come_back(other, back) == "/app/sign-in?error=refused"  # another's state
    assert come_back(Browser(provider.server), back) == "/app/sign-in?error=refused"  # no cookie
    flow = dict(browser.cookies)
    assert come_back(browser, back) == "/app"
    browser.cookies = flow
    assert come_back(browser, back) == "/app/sign-in?error=refused"  # the provider knows it


def test_a_sign_in_that_the_user_breaks_off(provider):
    browser = Browser(provider.server)
    state = re.search(r"state=([\w-]+)", begin(browser)).group(1)
    end = come_back(browser, f"{CALLBACK}?error=access_denied&state={state}")
    assert end == "/app/sign-in?error=refused"


def test_what_the_sign_in_page_offers(provider, server):
    assert Browser(provider.server).own("GET", "signIn").body == {"password": True, "oidc": True}
    assert Browser(server).own("GET", "signIn").body == {"password": True, "oidc": False}
    for address in (BEGIN, CALLBACK):
        answer = Browser(server).at("GET", address)
        assert answer.headers["Location"] == "/app/sign-in?error=off"


def test_the_browser_is_not_led_to_another_host(provider):
    answer = Browser(provider.server).at("GET", BEGIN, headers={"Host": "evil.example"})
    assert answer.status == 400


# --- an issuer that lies -------------------------------------------------------------------------


def lie(liar, state=None, **how):
    """Where a sign-in ends whose token is what `how` says."""
    browser = Browser(liar.server)
    query = dict(urllib.parse.parse_qsl(begin(browser).split("?")[1]))
    assert query["theme"] == "dark"
    how.setdefault("challenge", query["code_challenge"])
    how["claims"] = {"nonce": query["nonce"], **how.get("claims", {})}
    back = urllib.parse.urlencode({"state": state or query["state"], "code": code(**how)})
    return come_back(browser, f"{CALLBACK}?{back}"), browser


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_of_each_algorithm_is_taken(liar, algorithm):
    end, browser = lie(liar, alg=algorithm)
    assert end == "/app"
    assert browser.own("GET", "session").body["email"] == "ann@example.org"


LIES = {
    "no signature at all": {"alg": "none"},
    "a public key as a secret": {"alg": "HS256"},
    "a stranger's signature": {"signer": "stranger"},
    "a key that is not there": {"header": {"kid": "nothing"}},
    "an algorithm of another key": {"alg": "ES256", "signer": "RS256"},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "another client": {"claims": {"aud": "another"}},
    "another sign-in": {"claims": {"nonce": "x"}},
    "ended": {"claims": {"exp": 1700000000}},
    "not verified": {"claims": {"email_verified": False}},
    "no address": {"claims": {"email": None}},
    "no address but a name": {"claims": {"email": "ann"}},
    "nobody": {"claims": {"sub": ""}},
    "somebody else with the address": {"claims": {"sub": "not ann"}},
    "another verifier": {"challenge": "x"},
    "no token": {"raw": {"token_type": "Bearer"}},
    "no JSON": {"raw": "<html>"},
}


@pytest.mark.parametrize("how", LIES.values(), ids=LIES.keys())
def test_a_lie_is_not_believed(liar, how):
    assert lie(liar)[0] == "/app"  # ann has come before
    end, browser = lie(liar, **how)
    assert end in ("/app/sign-in?error=refused", "/app/sign-in?error=unavailable")
    assert "__Host-muster" not in browser.cookies


def test_another_state_is_refused_whatever_the_code_is_good_for(liar):
    assert lie(liar)[0] == "/app"
    for state in ("x", "A" * 43):
        assert lie(liar, state=state)[0] == "/app/sign-in?error=refused"


def test_an_issuer_that_fails_is_said_to(liar):
    assert lie(liar, raw="oh", status=500)[0] == "/app/sign-in?error=unavailable"
    assert lie(liar, length=200000)[0] == "/app/sign-in?error=unavailable"


def test_who_is_a_user_already_keeps_his_roles_and_a_changed_address_is_still_him(liar):
    boss = Caller(liar.server)
    body = {"type": "email", "email": "Carl@Other.example", "roles": [{"role": OPERATOR}]}
    assert boss.rest("PUT", "users/carl", body).status == 200
    claims = {"sub": "carl-7", "email": "carl@other.example"}
    for email in ("carl@other.example", "carl@elsewhere.example"):
        end, browser = lie(liar, claims={**claims, "email": email})
        assert end == "/app"
        me = browser.own("GET", "session").body
        assert (me["id"], me["roles"]) == ("carl", [{"role": OPERATOR}])
    assert boss.rest("DELETE", "users/carl").status == 204
    assert browser.own("GET", "session").status == 401
    assert lie(liar, claims=claims)[0] == "/app/sign-in?error=refused"


# --- access tokens -------------------------------------------------------------------------------


def bearer(liar, **how):
    """What a caller with a token for the API is answered."""
    how["claims"] = {"aud": AUDIENCE, "azp": "another program", **how.get("claims", {})}
    return Caller(liar.server, "Bearer " + liar.token(**how))


@pytest.fixture(scope="module")
def known(liar):
    """Ann has signed in, so that her subject is known."""
    assert lie(liar)[0] == "/app"
    return liar


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_an_access_token_lets_its_user_call_both_families(known, algorithm):
    caller = bearer(known, alg=algorithm)
    me = caller.own("GET", "session").body
    assert (me["type"], me["email"]) == ("user", "ann@example.org")
    assert "csrfToken" not in me
    device = unique_id("pump")
    assert caller.rest("PUT", f"devices/{device}", {}).status == 200
    [entry] = [r["entry"] for r in caller.own("GET", f"audit?target={device}").body["value"]]
    assert entry["actor"] == f"user:{me['id']}"
    assert caller.own("DELETE", "session").status == 400
    assert caller.own("GET", "deviceExport").status == 200


BAD_TOKENS = {
    "for the sign-in": {"claims": {"aud": "muster"}},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "ended": {"claims": {"exp": 1700000000}},
    "no end": {"claims": {"exp": None}},
    "nobody": {"claims": {"sub": ""}},
    "who never signed in": {"claims": {"sub": "dora"}},
    "a stranger's signature": {"signer": "stranger"},
    "no signature": {"alg": "none"},
    "a public key as a secret": {"alg": "HS256"},
}


@pytest.mark.parametrize("how", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
def test_an_access_token_that_is_none_is_refused(known, how):
    assert bearer(known, **how).own("GET", "session").status == 401


def test_an_old_access_token_exports_no_keys(known):
    caller = bearer(known, claims={"iat": int(time.time()) - 301})
    assert caller.own("GET", "devices").status == 200
    assert caller.own("GET", "deviceExport").code == "SignInAgain"


def test_an_access_token_of_a_user_who_went_is_refused(liar):
    boss = Caller(liar.server)
    body = {"type": "email", "email": "finn@other.example", "roles": [{"role": OPERATOR}]}
    assert boss.rest("PUT", "users/finn", body).status == 200
    claims = {"sub": "finn-1", "email": "finn@other.example"}
    assert lie(liar, claims=claims)[0] == "/app"
    caller = bearer(liar, claims=claims)
    assert caller.own("GET", "devices").status == 200
    assert boss.rest("DELETE", "users/finn").status == 204
    assert caller.own("GET", "devices").status == 401


def test_new_keys_of_the_issuer_are_asked_for(known):
    old = bearer(known)
    assert old.own("GET", "session").status == 200
    known.begin(kind="liar")
    new = bearer(known)
    deadline = time.monotonic() + 30
    while new.own("GET", "session").status != 200:  # the issuer is asked every ten seconds, at most
        assert time.monotonic() < deadline, "the new keys are not taken"
    while old.own("GET", "session").status != 401:  # by the other worker, too
        assert new.own("GET", "session").status in (200, 401)
        assert time.monotonic() < deadline, "the old keys are still taken"


def test_without_an_audience_no_access_token_is_taken(provider):
    caller = Caller(provider.server, "Bearer eyJhbGciOiJSUzI1NiJ9.e30.YQ")
    assert caller.own("GET", "session").status == 401


# --- the configuration ---------------------------------------------------------------------------


def test_the_issuer_must_be_allowed_by_the_egress_rules_and_trusted(request, liar):
    for change in ({"egress-allow": ""}, {"oidc-ca-file": ""}):
        options = [o for o in liar.options(**change) if not o.endswith("=")]
        server = serve(request, options)
        answer = Browser(server).at("GET", BEGIN)
        assert answer.headers["Location"] == "/app/sign-in?error=unavailable"
        server.log.wait_for(lambda line: "event=oidc_failed" in line)


@pytest.mark.parametrize("options, cause", [
    (["--oidc-issuer=https://login.example.org"], "go together"),
    (["--oidc-issuer=http://login.example.org", "--oidc-client-id=m"], "https://"),
    (["--oidc-issuer=https://login.example.org", "--oidc-client-id=m", "--oidc-audience=m"],
     "must not be the client ID"),
    (["--oidc-roles=ann=operator"], "ADDRESS=ROLE"),
    (["--oidc-roles=ann@example.org"], "ADDRESS=ROLE"),
    (["--oidc-issuer=https://login.example.org", "--oidc-client-id=m",
      "--oidc-client-secret-file=/nowhere"], "/nowhere"),
])
def test_a_configuration_that_is_wrong_does_not_start(server, options, cause):
    done = server.run("serve", "--data", server.folder / "other", "--https=127.0.0.1:0",
                      "--mqtts=127.0.0.1:0", *options)
    assert done.returncode != 0 and cause in done.stderr
