/* From a path to its handler: the family by the first segments, then the family's table. */
#include "front/http/exchange.h"

#include "base/log.h"

static bool is_one_of(slice segment, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(segment, slice_str(names[i])))
            return true;
    }
    return false;
}

/* Paths of the hub and DPS APIs begin at the root; the application keeps to /api. */
static const struct http_family *family_of(const struct http_path *path)
{
    static const char *const operations[] = {"metrics", "healthz", "readyz"};
    static const char *const sign_in[] = {"session", "signIn", "invitations"};

    if (path->count == 0)
        return &operations_family;
    if (path->count >= 3 && slice_equal(path->segments[0], SLICE("api")) &&
        slice_equal(path->segments[1], SLICE("muster")) &&
        slice_equal(path->segments[2], SLICE("v1")))
        return path->count > 3 && is_one_of(path->segments[3], sign_in, COUNT_OF(sign_in))
                   ? &sign_in_family
                   : &application_family;
    if (slice_equal(path->segments[0], SLICE("api")))
        return &rest_family;
    if (path->count == 1 && is_one_of(path->segments[0], operations, COUNT_OF(operations)))
        return &operations_family;
    if (path->count >= 2 && slice_equal_nocase(path->segments[1], SLICE("registrations")))
        return &dps_family;
    return &operations_family;
}

static bool matches(const struct http_family *family, const char *pattern,
                    const struct http_path *path, slice bound[ROUTE_BOUND_MAX])
{
    size_t at = family->base_segments, count = 0;

    memset(bound, 0, ROUTE_BOUND_MAX * sizeof *bound);
    for (slice rest = slice_str(pattern); rest.ptr; at++) {
        slice want = slice_split(&rest, '/');

        if (want.len == 0 && !rest.ptr)
            break; /* the pattern of the base itself */
        if (at >= path->count)
            return false;
        if (slice_equal(want, SLICE("{}")))
            bound[count++] = path->segments[at];
        else if (family->nocase ? !slice_equal_nocase(want, path->segments[at])
                                : !slice_equal(want, path->segments[at]))
            return false;
    }
    return at == path->count;
}

size_t exchange_body_max(struct exchange *x)
{
    static const size_t unrouted_body_max = 4096;
    slice bound[ROUTE_BOUND_MAX];

    if (!http_path_parse(x->request->path, &x->arena, &x->path))
        return unrouted_body_max;
    x->family = family_of(&x->path);
    for (size_t i = 0; i < x->family->body_limit_count; i++) {
        const struct http_body_limit *limit = &x->family->body_limits[i];

        if (!matches(x->family, limit->pattern, &x->path, bound))
            continue;
        x->streams_body = limit->is_streamed;
        return limit->max;
    }
    return x->family->body_max;
}

const struct http_route *http_family_route(const struct http_family *family, size_t index)
{
    if (family->route_at)
        return family->route_at(index);
    return index < family->route_count ? &family->routes[index] : NULL;
}

/* ST_METHOD_NOT_ALLOWED when only the method does not fit. */
static enum status find_route(struct exchange *x)
{
    enum status status = ST_NOT_FOUND;
    const struct http_route *route;

    for (size_t i = 0; (route = http_family_route(x->family, i)); i++) {
        if (!matches(x->family, route->pattern, &x->path, x->bound))
            continue;
        if (route->method == x->request->method ||
            (route->method == HTTP_GET && x->request->method == HTTP_HEAD)) {
            x->route = route;
            return ST_OK;
        }
        status = ST_METHOD_NOT_ALLOWED;
    }
    return status;
}

void exchange_dispatch(struct exchange *x)
{
    struct fault why;

    if (!exchange_is_wanted(x))
        return;
    if (x->route->permission != ROUTE_OPEN && !may_do(&x->principal, x->route->permission)) {
        fault_set(&why, ST_FORBIDDEN, "you lack %s", permission_name(x->route->permission));
        exchange_answer_error(x, ST_FORBIDDEN, &why);
        return;
    }
    if (x->route->permission != ROUTE_OPEN && x->principal.organization[0])
        exchange_handle_within(x);
    else
        x->route->handle(x);
}

void exchange_route(struct exchange *x)
{
    enum status status;
    struct fault why;

    exchange_hold(x);
    if (!x->family) {
        x->family = &operations_family;
        fault_set(&why, ST_BAD_REQUEST, "the path has a bad escape or too many segments");
        exchange_answer_error(x, ST_BAD_REQUEST, &why);
    } else if ((status = find_route(x)) != ST_OK) {
        fault_set(&why, status, status == ST_NOT_FOUND ? "no such path" : "not with this method");
        exchange_answer_error(x, status, &why);
    } else if (x->family->authenticate) {
        x->family->authenticate(x);
    } else {
        exchange_dispatch(x);
    }
    exchange_release(x);
}
