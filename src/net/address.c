#include "net/address.h"

#include <arpa/inet.h>
#include <stdio.h>

#define HOST_TEXT_MAX 46

static bool split(slice text, slice *ret_host, slice *ret_port)
{
    size_t at = text.len;

    while (at > 0 && text.ptr[at - 1] != ':')
        at--;
    if (at == 0)
        return false;
    *ret_host = slice_first(text, at - 1);
    *ret_port = slice_from(text, at);
    return true;
}

static bool parse_v4(slice host, union address *a)
{
    char name[HOST_TEXT_MAX + 1];

    if (host.len > HOST_TEXT_MAX)
        return false;
    snprintf(name, sizeof name, "%.*s", SLICE_FMT(host));
    a->v4.sin_family = AF_INET;
    return inet_pton(AF_INET, name, &a->v4.sin_addr) == 1;
}

static bool parse_v6(slice host, union address *a)
{
    char name[HOST_TEXT_MAX + 1];

    a->v6.sin6_family = AF_INET6;
    if (host.len == 0)
        return true; /* all zero: every address */
    if (host.len < 2 || host.len > HOST_TEXT_MAX || host.ptr[host.len - 1] != ']')
        return false;
    snprintf(name, sizeof name, "%.*s", SLICE_FMT(slice_first(slice_from(host, 1), host.len - 2)));
    return inet_pton(AF_INET6, name, &a->v6.sin6_addr) == 1;
}

bool address_parse(slice text, union address *ret, struct fault *why)
{
    union address a = {0};
    slice host, port_text;
    uint64_t port;
    bool is_v6;

    if (!split(text, &host, &port_text) || !slice_to_u64(port_text, &port) || port > UINT16_MAX) {
        fault_set(why, ST_BAD_REQUEST, "'%.*s' is not an address and a port", SLICE_FMT(text));
        return false;
    }
    is_v6 = host.len == 0 || host.ptr[0] == '[';
    if (!(is_v6 ? parse_v6(host, &a) : parse_v4(host, &a))) {
        fault_set(why, ST_BAD_REQUEST, "'%.*s' is not an IP address", SLICE_FMT(host));
        return false;
    }
    address_set_port(&a, (uint16_t)port);
    *ret = a;
    return true;
}

socklen_t address_len(const union address *a)
{
    return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

uint16_t address_port(const union address *a)
{
    return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

void address_set_port(union address *a, uint16_t port)
{
    if (a->any.sa_family == AF_INET6)
        a->v6.sin6_port = htons(port);
    else
        a->v4.sin_port = htons(port);
}

void address_unmap(union address *a)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};

    if (a->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
        return;
    v4.sin_port = a->v6.sin6_port;
    memcpy(&v4.sin_addr, &a->v6.sin6_addr.s6_addr[12], sizeof v4.sin_addr);
    a->v4 = v4;
}

slice address_text(const union address *a, char buffer[ADDRESS_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN] = "";
    bool is_v6 = a->any.sa_family == AF_INET6;
    int len;

    if (is_v6)
        inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof host);
    else
        inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof host);
    len = snprintf(buffer, ADDRESS_TEXT_MAX, is_v6 ? "[%s]:%u" : "%s:%u", host, address_port(a));
    return slice_of(buffer, (size_t)len);
}

struct address_key address_key(const union address *a)
{
    struct address_key key = {.family = a->any.sa_family};

    if (a->any.sa_family == AF_INET6)
        memcpy(&key.bits, &a->v6.sin6_addr, sizeof key.bits);
    else
        key.bits = a->v4.sin_addr.s_addr;
    return key;
}
