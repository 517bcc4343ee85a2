/* Who acts within an organization: what there is for him, and which devices.
 *
 * A route that is not named here is about the whole application, and not for him. A device that is
 * not his is to him as one that does not exist. */
#include "front/http/exchange.h"
#include "identity/access/organization.h"

enum part {
    PART_WHOLE,   /* the whole application's */
    PART_DIVIDED, /* the handler or the domain tells what is whose */
    PART_DEVICE,  /* about the device that the first {} names */
};

/* Of both families: a pattern, and all that lie below it; the first that fits. */
static const struct {
    const char *base;
    enum part part;
} parts[] = {
    {"devices/{}", PART_DEVICE},
    {"devices", PART_DIVIDED},
    {"system/iothub/devices/{}", PART_DEVICE},
    {"system/iotedge/devices/{}", PART_DEVICE},
    {"deviceTemplates", PART_DIVIDED},
    {"templates", PART_DIVIDED},
    {"users", PART_DIVIDED},
    {"roles", PART_DIVIDED},
    {"permissions", PART_DIVIDED},
    {"routes", PART_DIVIDED},
    {"organizations", PART_DIVIDED},
    {"apiTokens", PART_DIVIDED},
};

static bool lies_below(slice pattern, slice base)
{
    return slice_starts_with(pattern, base) &&
           (pattern.len == base.len || pattern.ptr[base.len] == '/');
}

static enum part part_of(const struct http_route *route)
{
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (lies_below(slice_str(route->pattern), slice_str(parts[i].base)))
            return parts[i].part;
    }
    return PART_WHOLE;
}

static void refuse(struct exchange *x, enum status status, const char *sentence)
{
    struct fault why;

    fault_set(&why, status, "%s", sentence);
    exchange_answer_error(x, status, &why);
}

/* What is not there is for the handler to say, or to make. */
static void on_device(void *context, enum status status, const struct device *d)
{
    struct exchange *x = context;

    if (!exchange_is_wanted(x)) {
        exchange_release(x);
        return;
    }
    if (status == ST_OK &&
        !organization_covers(slice_str(x->principal.organization), d->organization_path))
        refuse(x, ST_DEVICE_NOT_FOUND, "no such device");
    else if (status == ST_OK || status == ST_DEVICE_NOT_FOUND)
        x->route->handle(x);
    else
        refuse(x, status, "the device could not be read");
    exchange_release(x);
}

void exchange_handle_within(struct exchange *x)
{
    switch (part_of(x->route)) {
    case PART_DIVIDED:
        x->route->handle(x);
        break;
    case PART_DEVICE:
        exchange_hold(x);
        device_find(x->front->options.identity, x->bound[0], on_device, x);
        break;
    case PART_WHOLE:
        refuse(x, ST_FORBIDDEN, "that is the whole application's, and not of your organization");
        break;
    }
}
