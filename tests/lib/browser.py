"""Somebody who signs in: a browser as far as the server can tell, with cookies and an origin."""

import http.client
import http.cookies
import json
import re
import ssl

from lib.caller import VERSION, Answer

PASSWORD = "vexed okapi on a tandem"


def setup_code(server):
    """The code of the link that the server printed last."""
    links = [line for line in server.log.lines if "/app/setup#" in line]
    return re.search(r"/app/setup#(\S+)", links[-1]).group(1) if links else None


class Browser:
    def __init__(self, server):
        self.server = server
        self.cookies = {}
        self.csrf = None
        self.set_cookies = []  # of the last answer

    @property
    def origin(self):
        return f"https://{self.server.host}:{self.server.info['httpsPort']}"

    def connect(self):
        context = ssl.create_default_context(cafile=self.server.ca_file)
        return http.client.HTTPSConnection(self.server.host, self.server.info["httpsPort"],
                                           context=context, timeout=60)

    def take_cookies(self, response):
        self.set_cookies = response.headers.get_all("Set-Cookie") or []
        for line in self.set_cookies:
            for name, morsel in http.cookies.SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value

    def open(self, method, address, body=None, headers=None):
        """`headers`: in place of those that a page of ours would send; None leaves one out."""
        sent = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        if body is not None:
            sent["Content-Type"] = "application/json"
        if self.csrf:
            sent["X-Muster-CSRF"] = self.csrf
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent.update(headers or {})
        connection = self.connect()
        connection.request(method, address, body=None if body is None else json.dumps(body),
                           headers={name: value for name, value in sent.items() if value})
        response = connection.getresponse()
        self.take_cookies(response)
        return response, connection

    def at(self, method, address, body=None, headers=None):
        response, connection = self.open(method, address, body, headers)
        answer = Answer(response)
        connection.close()
        return answer

    def own(self, method, path, body=None, headers=None):
        return self.at(method, f"/api/muster/v1/{path}", body, headers)

    def rest(self, method, path, body=None, headers=None):
        return self.at(method, f"/api/{path}?{VERSION}", body, headers)

    # --- a user's steps ----------------------------------------------------------------------------

    def redeem(self, code, password=PASSWORD, email=None):
        body = {"code": code, "password": password, **({"email": email} if email else {})}
        return self.own("POST", "invitations/redeem", body)

    def try_sign_in(self, email, password=PASSWORD):
        answer = self.own("POST", "session", {"email": email, "password": password})
        if answer.status == 200:
            self.csrf = answer.body["csrfToken"]
        return answer

    def sign_in(self, email, password=PASSWORD):
        answer = self.try_sign_in(email, password)
        assert answer.status == 200, answer
        return self

    def sign_out(self):
        answer = self.own("DELETE", "session")
        assert answer.status == 204, answer
        self.csrf = None
