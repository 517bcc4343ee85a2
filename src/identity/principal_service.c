/* Services and operators: what a principal may do, and who a policy's token makes one. */
#include <inttypes.h>
#include <stdlib.h>

#include "identity/access/organization.h"
#include "identity/identity_internal.h"
#include "identity/principal.h"

/* --- rights ---------------------------------------------------------------------------------- */

/* Who may write there may read there (contract/provisioning.md 1.7). */
static const struct {
    unsigned has, implies;
} implied_rights[] = {
    {RIGHT_ENROLLMENT_WRITE, RIGHT_ENROLLMENT_READ},
    {RIGHT_REGISTRATION_WRITE, RIGHT_REGISTRATION_READ},
};

bool may(const struct principal *p, enum right right)
{
    unsigned asked = right, has;

    if (!p || asked == RIGHT_NONE)
        return false;
    has = p->rights;
    for (size_t i = 0; i < COUNT_OF(implied_rights); i++) {
        if (has & implied_rights[i].has)
            has |= implied_rights[i].implies;
    }
    return (has & asked) == asked;
}

/* What is divided among organizations: who acts within one, acts on its part. Templates are the
 * whole application's, to look at for everyone. */
static const permission_set divided =
    PERMISSION(PERM_TEMPLATES_VIEW) | PERMISSION(PERM_DEVICES_VIEW) |
    PERMISSION(PERM_DEVICES_UPDATE) | PERMISSION(PERM_DEVICES_CREATE) |
    PERMISSION(PERM_DEVICES_DELETE) | PERMISSION(PERM_DEVICES_COMMAND) |
    PERMISSION(PERM_DEVICES_RAW) | PERMISSION(PERM_CONNECTIVITY_READ_INSTANCE) |
    PERMISSION(PERM_CONNECTIVITY_MANAGE_INSTANCE) | PERMISSION(PERM_ROLES_VIEW) |
    PERMISSION(PERM_USERS_VIEW) | PERMISSION(PERM_USERS_ADD) | PERMISSION(PERM_USERS_UPDATE) |
    PERMISSION(PERM_USERS_DELETE) | PERMISSION(PERM_ORGANIZATIONS_VIEW) |
    PERMISSION(PERM_ORGANIZATIONS_UPDATE) | PERMISSION(PERM_ORGANIZATIONS_CREATE) |
    PERMISSION(PERM_ORGANIZATIONS_DELETE) | PERMISSION(PERM_TOKENS_VIEW) |
    PERMISSION(PERM_TOKENS_CREATE) | PERMISSION(PERM_TOKENS_DELETE);

bool may_do(const struct principal *p, enum permission permission)
{
    permission_set has;

    if (!p || (unsigned)permission >= PERM_COUNT)
        return false;
    has = p->organization[0] ? p->permissions & divided : p->permissions;
    return (has & PERMISSION(permission)) != 0;
}

bool may_grant(const struct principal *p, permission_set permissions, slice organization)
{
    return (permission_complete(permissions) & ~p->permissions) == 0 &&
           organization_covers(slice_str(p->organization), organization);
}

/* --- tokens ---------------------------------------------------------------------------------- */

/* One call under way; the token borrows from `bytes`. */
struct call {
    struct identity *id;
    service_principal_fn *on_principal;
    void *context;
    const struct hub_name *hub; /* that answers to the host, or NULL */
    struct sas_token token;
    bool covers_hub, covers_dps;
    uint8_t bytes[];
};

static void refuse(struct call *c, const struct fault *why)
{
    c->on_principal(c->context, why->status, NULL, why);
    free(c);
}

static void accept(struct call *c, const struct policy *p, const struct hub_name *hub)
{
    const struct fault none = {.status = ST_OK};
    struct principal principal = {.rights = p->rights, .hub = hub};
    size_t len = p->name.len < sizeof principal.name ? p->name.len : sizeof principal.name - 1;

    memcpy(principal.name, p->name.ptr, len);
    c->on_principal(c->context, ST_OK, &principal, &none);
    free(c);
}

static void on_policy(void *context, enum status status, const struct policy *p)
{
    static const struct secret absent = {.len = 0};
    struct call *c = context;
    struct fault why;
    bool by_primary, by_secondary, is_dps = p && slice_equal(p->scope, SLICE(DPS_SCOPE));

    if (status != ST_OK && status != ST_NOT_FOUND) {
        fault_set(&why, ST_UNAVAILABLE, "the policies could not be read: %s", status_name(status));
        refuse(c, &why);
        return;
    }
    by_primary = token_signed_by(c->id, &c->token, p ? &p->primary : &absent);
    by_secondary = token_signed_by(c->id, &c->token, p ? &p->secondary : &absent);
    if ((by_primary || by_secondary) && (is_dps ? c->covers_dps : c->covers_hub)) {
        accept(c, p, is_dps ? NULL : c->hub);
        return;
    }
    fault_set(&why, ST_UNAUTHORIZED,
              p ? "the token of policy '%.*s' has another key or resource"
                : "no such policy: '%.*s'",
              SLICE_FMT(slice_first(c->token.policy, 64)));
    refuse(c, &why);
}

/* The hub's names or, at the DPS, the one that was called; there IDs have no case. */
static void note_coverage(struct call *c, slice host, const slice *segments, size_t count)
{
    struct sas_resource resource = {.segments = segments, .segment_count = count};
    slice called = host_without_port(host);

    if (c->hub) {
        resource.hosts = c->hub->hosts;
        resource.host_count = c->hub->host_count;
        c->covers_hub = sas_token_covers(&c->token, &resource);
    }
    resource.hosts = &called;
    resource.host_count = 1;
    resource.nocase = true;
    c->covers_dps = sas_token_covers(&c->token, &resource);
}

static enum status check_token(const struct call *c, struct fault *why)
{
    int64_t now_s = clock_wall_ms() / 1000;

    if (c->token.policy.len == 0)
        return fault_set(why, ST_UNAUTHORIZED, "the token names no policy");
    if (!c->covers_hub && !c->covers_dps)
        return fault_set(why, ST_UNAUTHORIZED, "the token is for another resource: '%.*s'",
                         SLICE_FMT(slice_first(c->token.scope, 100)));
    if (sas_token_expired(&c->token, now_s, identity_sas_tolerance_s(c->id)))
        return fault_set(why, ST_UNAUTHORIZED,
                         "the token expired at %" PRId64 ", this server's clock says %" PRId64,
                         c->token.expires_at, now_s);
    return ST_OK;
}

static struct call *create_call(struct identity *id, slice host, slice authorization)
{
    struct call *c = malloc(sizeof *c + authorization.len);

    if (!c)
        return NULL;
    *c = (struct call){.id = id, .hub = identity_hub_by_host(id, host)};
    memcpy(c->bytes, authorization.ptr, authorization.len);
    return c;
}

void identity_authenticate_service(struct identity *id, slice host, slice authorization,
                                   const slice *segments, size_t segment_count,
                                   service_principal_fn *on_principal, void *context)
{
    struct fault why = {.status = ST_UNAUTHORIZED, .text = "no token, or one that is too long"};
    struct call *c = NULL;

    if (authorization.len > 0 && authorization.len <= SAS_TOKEN_MAX) {
        c = create_call(id, host, authorization);
        if (!c)
            fault_set(&why, ST_UNAVAILABLE, "out of memory");
    }
    if (!c) {
        on_principal(context, why.status, NULL, &why);
        return;
    }
    c->on_principal = on_principal;
    c->context = context;
    if (sas_token_parse(slice_of(c->bytes, authorization.len), &c->token, &why) != ST_OK) {
        refuse(c, &why);
        return;
    }
    note_coverage(c, host, segments, segment_count);
    if (check_token(c, &why) == ST_OK)
        policy_find(id, c->hub, c->token.policy, on_policy, c);
    else
        refuse(c, &why);
}
