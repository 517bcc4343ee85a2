#include "net/egress.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ifaddrs.h>
#include <stdio.h>

#define V4_PREFIX_BITS 96 /* of ::ffff:0:0/96 */

/* --- ranges ---------------------------------------------------------------------------------- */

static bool range_has(const struct egress_range *range, const uint8_t address[16])
{
    unsigned whole = range->length / 8, rest = range->length % 8;

    if (memcmp(range->bytes, address, whole) != 0)
        return false;
    return rest == 0 || (range->bytes[whole] ^ address[whole]) >> (8 - rest) == 0;
}

/* A range that says more than its length would cover less than its writer thinks. */
static bool has_bits_behind(const struct egress_range *range)
{
    for (unsigned bit = range->length; bit < 128; bit++) {
        if (range->bytes[bit / 8] & (0x80 >> bit % 8))
            return true;
    }
    return false;
}

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

static void map_v4(const void *v4, uint8_t ret[16])
{
    memcpy(ret, v4_prefix, sizeof v4_prefix);
    memcpy(ret + sizeof v4_prefix, v4, 4);
}

static bool is_mapped(const uint8_t address[16])
{
    return memcmp(address, v4_prefix, sizeof v4_prefix) == 0;
}

/* "192.168.0.0/16", "fd00::/8". A range of IPv6 holds no IPv4: "::/0" lets no 10.0.0.1 in. */
static bool range_parse(slice text, struct egress_range *ret)
{
    char address[INET6_ADDRSTRLEN];
    struct egress_range range = {0};
    uint64_t length;
    uint8_t v4[4];
    size_t slash;

    if (!slice_find(text, '/', &slash) || slash >= sizeof address ||
        memchr(text.ptr, 0, text.len) || !slice_to_u64(slice_from(text, slash + 1), &length))
        return false;
    snprintf(address, sizeof address, "%.*s", SLICE_FMT(slice_first(text, slash)));
    if (inet_pton(AF_INET, address, v4) == 1 && length <= 32) {
        map_v4(v4, range.bytes);
        length += V4_PREFIX_BITS;
    } else if (inet_pton(AF_INET6, address, range.bytes) != 1 || length > 128 ||
               is_mapped(range.bytes)) {
        return false;
    }
    range.length = (unsigned)length;
    *ret = range;
    return !has_bits_behind(&range);
}

static bool range_is_v4(const struct egress_range *range)
{
    return range->length >= V4_PREFIX_BITS && is_mapped(range->bytes);
}

/* --- rules ----------------------------------------------------------------------------------- */

static bool parse_ranges(slice text, struct egress_rules *r, struct fault *why)
{
    for (slice rest = text; rest.ptr && text.len > 0;) {
        slice part = slice_trim(slice_split(&rest, ','));

        if (r->allowed_count == EGRESS_RANGES_MAX) {
            fault_set(why, ST_BAD_REQUEST, "more than %d address ranges", EGRESS_RANGES_MAX);
            return false;
        }
        if (!range_parse(part, &r->allowed[r->allowed_count++])) {
            fault_set(why, ST_BAD_REQUEST,
                      "'%.*s' is not an address range such as 10.0.0.0/8 or fd00::/8",
                      SLICE_FMT(slice_first(part, 60)));
            return false;
        }
    }
    return true;
}

static bool parse_ports(slice text, struct egress_rules *r, struct fault *why)
{
    slice rest = text;

    do {
        slice part = slice_trim(slice_split(&rest, ','));
        uint64_t port;

        if (!slice_to_u64(part, &port) || port == 0 || port > UINT16_MAX ||
            r->port_count == EGRESS_PORTS_MAX) {
            fault_set(why, ST_BAD_REQUEST, "'%.*s' is not a list of at most %d ports",
                      SLICE_FMT(slice_first(text, 60)), EGRESS_PORTS_MAX);
            return false;
        }
        r->ports[r->port_count++] = (uint16_t)port;
    } while (rest.ptr);
    return true;
}

bool egress_rules_parse(slice allow, slice ports, struct egress_rules *ret, struct fault *why)
{
    struct egress_rules rules = {0};

    if (!parse_ranges(allow, &rules, why) || !parse_ports(ports, &rules, why))
        return false;
    *ret = rules;
    return true;
}

/* --- addresses ------------------------------------------------------------------------------- */

/* What is no public unicast address; the first row that has it names it. Of IPv6 only 2000::/3 is
 * given out: the last rows are all the rest. Sources: IANA, IPv4 and IPv6 Special-Purpose Address
 * Registries. */
static const struct special_range {
    const char *range, *kind;
} special_ranges[] = {
    {"0.0.0.0/8", "unspecified"},
    {"10.0.0.0/8", "private"},
    {"100.64.0.0/10", "private"},
    {"127.0.0.0/8", "loopback"},
    {"169.254.0.0/16", "link-local"},
    {"172.16.0.0/12", "private"},
    {"192.0.0.0/24", "reserved"},
    {"192.0.2.0/24", "reserved"},
    {"192.88.99.0/24", "reserved"},
    {"192.168.0.0/16", "private"},
    {"198.18.0.0/15", "private"},
    {"198.51.100.0/24", "reserved"},
    {"203.0.113.0/24", "reserved"},
    {"224.0.0.0/4", "multicast"},
    {"240.0.0.0/4", "reserved"},
    {"::/128", "unspecified"},
    {"::1/128", "loopback"},
    {"fc00::/7", "private"},
    {"fe80::/10", "link-local"},
    {"fec0::/10", "private"},
    {"ff00::/8", "multicast"},
    {"2001::/23", "reserved"}, /* Teredo among others, which carries IPv4 */
    {"2001:db8::/32", "reserved"},
    {"2002::/16", "reserved"}, /* 6to4, which carries IPv4 */
    {"3fff::/20", "reserved"},
    {"::/3", "reserved"},
    {"4000::/2", "reserved"},
    {"8000::/1", "reserved"},
};

/* 64:ff9b::/96: where only IPv6 leads out, every IPv4 peer has such an address (RFC 6052). */
static const uint8_t nat64_prefix[12] = {[1] = 0x64, [2] = 0xff, [3] = 0x9b};

static const char *special_kind(const uint8_t bytes[16], bool is_v4)
{
    for (size_t i = 0; i < COUNT_OF(special_ranges); i++) {
        struct egress_range range;
        bool parsed = range_parse(slice_str(special_ranges[i].range), &range);

        assert(parsed);
        if (range_is_v4(&range) == is_v4 && range_has(&range, bytes))
            return special_ranges[i].kind;
    }
    return NULL;
}

static void bytes_of(const union address *a, uint8_t ret[16])
{
    if (a->any.sa_family == AF_INET6)
        memcpy(ret, &a->v6.sin6_addr, 16);
    else
        map_v4(&a->v4.sin_addr, ret);
}

const char *egress_special(const union address *a)
{
    uint8_t bytes[16];

    if (a->any.sa_family != AF_INET && a->any.sa_family != AF_INET6)
        return "unknown";
    bytes_of(a, bytes);
    if (a->any.sa_family == AF_INET)
        return special_kind(bytes, true);
    if (is_mapped(bytes))
        return "v4-mapped";
    if (memcmp(bytes, nat64_prefix, sizeof nat64_prefix) != 0)
        return special_kind(bytes, false);
    map_v4(bytes + sizeof nat64_prefix, bytes);
    return special_kind(bytes, true);
}

/* Also when this machine cannot tell. */
static bool is_own(const uint8_t bytes[16])
{
    struct ifaddrs *all = NULL;
    bool own = getifaddrs(&all) != 0;

    for (const struct ifaddrs *one = all; one && !own; one = one->ifa_next) {
        const union address *a = (const union address *)(const void *)one->ifa_addr;
        uint8_t its[16];

        if (!a || (a->any.sa_family != AF_INET && a->any.sa_family != AF_INET6))
            continue;
        bytes_of(a, its);
        own = memcmp(its, bytes, sizeof its) == 0;
    }
    freeifaddrs(all);
    return own;
}

static bool is_listed(const struct egress_rules *rules, const uint8_t bytes[16])
{
    bool is_v4 = is_mapped(bytes);

    for (size_t i = 0; i < rules->allowed_count; i++) {
        if (range_is_v4(&rules->allowed[i]) == is_v4 && range_has(&rules->allowed[i], bytes))
            return true;
    }
    return false;
}

static bool refuse(const union address *to, const char *kind, struct fault *why)
{
    char text[ADDRESS_TEXT_MAX];

    fault_set(why, ST_FORBIDDEN, "egress to %.*s is not allowed: %s",
              SLICE_FMT(address_text(to, text)), kind);
    return false;
}

bool egress_allows(const struct egress_rules *rules, const union address *to, struct fault *why)
{
    const char *special = egress_special(to);
    uint8_t bytes[16];
    bool port_listed = false;

    if (to->any.sa_family != AF_INET && to->any.sa_family != AF_INET6)
        return refuse(to, "unknown kind of address", why);
    for (size_t i = 0; i < rules->port_count; i++)
        port_listed = port_listed || rules->ports[i] == address_port(to);
    if (!port_listed)
        return refuse(to, "the port is not listed", why);
    bytes_of(to, bytes);
    if (is_listed(rules, bytes))
        return true;
    if (special)
        return refuse(to, special, why);
    return is_own(bytes) ? refuse(to, "an address of this machine", why) : true;
}

/* --- URLs ------------------------------------------------------------------------------------ */

static bool is_url_text(slice url)
{
    for (size_t i = 0; i < url.len; i++) {
        if (url.ptr[i] <= ' ' || url.ptr[i] > '~' || strchr("\"<>\\^`{|}#", url.ptr[i]))
            return false;
    }
    return true;
}

static bool is_host_name(slice host)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";

    for (size_t i = 0; i < host.len; i++) {
        if (!strchr(allowed, host.ptr[i]))
            return false;
    }
    return host.len > 0 && host.len <= 253 && host.ptr[0] != '.' && host.ptr[0] != '-';
}

static bool is_v6_literal(slice host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (host.len < 2 || host.len - 2 >= sizeof text || !slice_ends_with(host, SLICE("]")))
        return false;
    snprintf(text, sizeof text, "%.*s", SLICE_FMT(slice_first(slice_from(host, 1), host.len - 2)));
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* "host", "host:8080", "[v6]:8080". */
static bool is_host_and_port(slice text)
{
    size_t end = text.len;
    uint64_t port;

    while (end > 0 && text.ptr[end - 1] >= '0' && text.ptr[end - 1] <= '9')
        end--;
    if (end > 0 && text.ptr[end - 1] == ':' && !slice_ends_with(text, SLICE("]"))) {
        if (!slice_to_u64(slice_from(text, end), &port) || port == 0 || port > UINT16_MAX)
            return false;
        text = slice_first(text, end - 1);
    }
    return slice_starts_with(text, SLICE("[")) ? is_v6_literal(text) : is_host_name(text);
}

bool egress_url_check(slice url, struct fault *why)
{
    const char *cause = NULL;
    slice rest = {0};

    if (slice_starts_with_nocase(url, SLICE("http://")))
        rest = slice_from(url, strlen("http://"));
    else if (slice_starts_with_nocase(url, SLICE("https://")))
        rest = slice_from(url, strlen("https://"));
    if (url.len > EGRESS_URL_MAX)
        cause = "is longer than 512 bytes";
    else if (!rest.ptr)
        cause = "does not begin with http:// or https:// and a host";
    else if (!is_url_text(url))
        cause = "holds a character that no URL has, or a fragment";
    else if (!is_host_and_port(slice_split(&rest, '/')))
        cause = "has no good host and port behind its scheme";
    if (cause)
        fault_set(why, ST_BAD_REQUEST, "the URL %s", cause);
    return !cause;
}
