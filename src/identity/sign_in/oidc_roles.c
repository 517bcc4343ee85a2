/* Which role an address gets that signs in for the first time: the whole address first, then its
 * domain. */
#include "identity/sign_in/oidc_internal.h"

#include "net/egress.h"

/* "ann@example.org" or "@example.org" of "ann@example.org=operator". */
static bool split_row(slice row, slice *ret_address, slice *ret_role)
{
    slice rest = slice_trim(row);

    *ret_address = slice_trim(slice_split(&rest, '='));
    *ret_role = rest.ptr ? slice_trim(rest) : (slice){0};
    return ret_role->len > 0;
}

static slice role_id_of(slice word)
{
    for (size_t i = 0; i < builtin_role_count; i++) {
        if (slice_equal_nocase(word, slice_str(builtin_roles[i].name)))
            return slice_str(builtin_roles[i].id);
    }
    return word;
}

bool oidc_roles_check(slice roles, struct fault *why)
{
    for (slice rest = roles; rest.ptr && rest.len > 0;) {
        slice row = slice_split(&rest, ','), address, role;
        size_t at;

        if (split_row(row, &address, &role) && slice_find(address, '@', &at) &&
            at + 1 < address.len && role_id_valid(role_id_of(role)))
            continue;
        fault_set(why, ST_BAD_REQUEST,
                  "'%.*s' is not ADDRESS=ROLE or @DOMAIN=ROLE, several separated by commas",
                  SLICE_FMT(slice_first(row, 80)));
        return false;
    }
    return true;
}

bool oidc_role_of(slice roles, slice email, slice *ret_role_id)
{
    bool found = false;

    for (slice rest = roles; rest.ptr && rest.len > 0;) {
        slice address, role;
        bool is_domain;

        if (!split_row(slice_split(&rest, ','), &address, &role))
            continue;
        if (address.ptr[0] != '@' && slice_equal_nocase(address, email)) {
            *ret_role_id = role_id_of(role);
            return true;
        }
        is_domain = address.ptr[0] == '@' && email.len > address.len &&
                    slice_equal_nocase(slice_from(email, email.len - address.len), address);
        if (is_domain && !found)
            *ret_role_id = role_id_of(role);
        found = found || is_domain;
    }
    return found;
}

bool oidc_issuer_check(slice url, struct fault *why)
{
    if (url.len == 0)
        return true;
    if (!egress_url_check(url, why))
        return false;
    if (slice_starts_with(url, SLICE("https://")))
        return true;
    fault_set(why, ST_BAD_REQUEST, "an issuer's address begins with https://");
    return false;
}
