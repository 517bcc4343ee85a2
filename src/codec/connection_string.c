#include "codec/connection_string.h"

#define CONNECTION_STRING_MAX 4096
#define X509_KEY "x509"

/* The keys, in the order in which they are written. */
static const struct {
    const char *name;
    size_t offset;
} keys[] = {
    {"HostName", offsetof(struct connection_string, host_name)},
    {"DeviceId", offsetof(struct connection_string, device_id)},
    {"ModuleId", offsetof(struct connection_string, module_id)},
    {"SharedAccessKey", offsetof(struct connection_string, shared_access_key)},
    {"SharedAccessKeyName", offsetof(struct connection_string, shared_access_key_name)},
    {"SharedAccessSignature", offsetof(struct connection_string, shared_access_signature)},
    {"GatewayHostName", offsetof(struct connection_string, gateway_host_name)},
};

static slice *field_of(struct connection_string *c, size_t key)
{
    return (slice *)((char *)c + keys[key].offset);
}

static const slice *field_in(const struct connection_string *c, size_t key)
{
    return (const slice *)((const char *)c + keys[key].offset);
}

static bool set_x509(struct connection_string *c, slice value, bool *seen)
{
    bool yes = slice_equal_nocase(value, SLICE("true"));

    if (*seen || (!yes && !slice_equal_nocase(value, SLICE("false"))))
        return false;
    *seen = true;
    c->x509 = yes;
    return true;
}

/* False when the key was there before; unknown keys are passed over. */
static bool set_field(struct connection_string *c, slice name, slice value)
{
    for (size_t k = 0; k < COUNT_OF(keys); k++) {
        if (!slice_equal_nocase(name, slice_str(keys[k].name)))
            continue;
        if (field_of(c, k)->ptr)
            return false;
        *field_of(c, k) = value;
        return true;
    }
    return true;
}

enum status connection_string_parse(slice text, struct connection_string *ret, struct fault *why)
{
    struct connection_string parsed = {0};
    bool seen_x509 = false;

    if (text.len > CONNECTION_STRING_MAX)
        return fault_set(why, ST_BAD_REQUEST, "connection string is longer than %d bytes",
                         CONNECTION_STRING_MAX);
    for (slice rest = text; rest.ptr;) {
        slice value = slice_trim(slice_split(&rest, ';'));
        slice name;

        if (value.len == 0) /* a ';' at the end */
            continue;
        name = slice_split(&value, '=');
        if (!value.ptr)
            return fault_set(why, ST_BAD_REQUEST, "connection string: a part without '='");
        if (slice_equal_nocase(name, SLICE(X509_KEY)) ? !set_x509(&parsed, value, &seen_x509)
                                                      : !set_field(&parsed, name, value))
            return fault_set(why, ST_BAD_REQUEST, "connection string: %.*s twice or unreadable",
                             SLICE_FMT(slice_first(name, 32)));
    }
    if (parsed.host_name.len == 0)
        return fault_set(why, ST_BAD_REQUEST, "connection string without HostName");
    *ret = parsed;
    return ST_OK;
}

static void write_field(const char *name, slice value, bool *first, struct buf *to)
{
    if (!*first)
        buf_append_byte(to, ';');
    *first = false;
    buf_append_str(to, name);
    buf_append_byte(to, '=');
    buf_append(to, value);
}

void connection_string_write(const struct connection_string *c, struct buf *to)
{
    bool first = true;

    for (size_t k = 0; k < COUNT_OF(keys); k++) {
        if (field_in(c, k)->len > 0)
            write_field(keys[k].name, *field_in(c, k), &first, to);
    }
    if (c->x509)
        write_field(X509_KEY, SLICE("true"), &first, to);
}
