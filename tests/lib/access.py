"""Roles, organizations, and callers who have them."""

from lib.caller import ADMINISTRATOR, BUILDER, OPERATOR, Caller
from lib.server import unique_id


def create_token(boss, role, organization=None, token_id=None, **members):
    role = {"role": role, **({"organization": organization} if organization else {})}
    answer = boss.rest("PUT", f"apiTokens/{token_id or unique_id('token')}",
                       {"roles": [role], **members})
    assert answer.status == 200, answer
    return answer.body


def create_caller(boss, role, organization=None):
    return Caller(boss.server, create_token(boss, role, organization)["token"])


def create_role(boss, *permissions):
    role_id = unique_id("role")
    answer = boss.own("PUT", f"roles/{role_id}",
                      {"displayName": role_id, "permissions": list(permissions)})
    assert answer.status == 200, answer
    return role_id


def create_organization(boss, parent=None):
    organization = unique_id("org")
    answer = boss.rest("PUT", f"organizations/{organization}",
                       {"displayName": "Works", **({"parent": parent} if parent else {})})
    assert answer.status == 200, answer
    return organization


def callers_by_role(boss):
    return {
        "administrator": create_caller(boss, ADMINISTRATOR),
        "builder": create_caller(boss, BUILDER),
        "operator": create_caller(boss, OPERATOR),
        "nothing": create_caller(boss, create_role(boss)),
        "administrator of a part": create_caller(boss, ADMINISTRATOR, create_organization(boss)),
    }
