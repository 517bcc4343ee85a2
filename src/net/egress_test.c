#include "net/egress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* "127.0.0.1" or "::1", with a port. */
static union address address_of(const char *host, uint16_t port)
{
    union address a;
    struct fault why = {0};
    char text[80];

    snprintf(text, sizeof text, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
    if (!address_parse(slice_str(text), &a, &why))
        fail_msg("%s", why.text);
    return a;
}

static struct egress_rules rules_of(const char *allow)
{
    struct egress_rules rules;
    struct fault why = {0};

    if (!egress_rules_parse(slice_str(allow), SLICE(EGRESS_PORTS), &rules, &why))
        fail_msg("%s", why.text);
    return rules;
}

/* The first and the last address of every range, and their neighbours outside. */
static void every_special_range_has_its_edges(void **state)
{
    static const struct {
        const char *first, *last, *kind, *before, *behind;
    } rows[] = {
        {"0.0.0.0", "0.255.255.255", "unspecified", NULL, "1.0.0.0"},
        {"10.0.0.0", "10.255.255.255", "private", "9.255.255.255", "11.0.0.0"},
        {"100.64.0.0", "100.127.255.255", "private", "100.63.255.255", "100.128.0.0"},
        {"127.0.0.0", "127.255.255.255", "loopback", "126.255.255.255", "128.0.0.0"},
        {"169.254.0.0", "169.254.255.255", "link-local", "169.253.255.255", "169.255.0.0"},
        {"172.16.0.0", "172.31.255.255", "private", "172.15.255.255", "172.32.0.0"},
        {"192.0.0.0", "192.0.0.255", "reserved", "191.255.255.255", "192.0.1.0"},
        {"192.0.2.0", "192.0.2.255", "reserved", "192.0.1.255", "192.0.3.0"},
        {"192.88.99.0", "192.88.99.255", "reserved", "192.88.98.255", "192.88.100.0"},
        {"192.168.0.0", "192.168.255.255", "private", "192.167.255.255", "192.169.0.0"},
        {"198.18.0.0", "198.19.255.255", "private", "198.17.255.255", "198.20.0.0"},
        {"198.51.100.0", "198.51.100.255", "reserved", "198.51.99.255", "198.51.101.0"},
        {"203.0.113.0", "203.0.113.255", "reserved", "203.0.112.255", "203.0.114.0"},
        {"224.0.0.0", "239.255.255.255", "multicast", "223.255.255.255", NULL},
        {"240.0.0.0", "255.255.255.255", "reserved", NULL, NULL},
        {"::", "::", "unspecified", NULL, NULL},
        {"::1", "::1", "loopback", NULL, NULL},
        {"::2", "::7f00:1", "reserved", NULL, NULL},
        {"::ffff:0.0.0.0", "::ffff:255.255.255.255", "v4-mapped", NULL, NULL},
        {"::ffff:127.0.0.1", "::ffff:8.8.8.8", "v4-mapped", NULL, NULL},
        {"::1:0:0:0", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved", NULL, "2000::"},
        {"64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "reserved", NULL, NULL},
        {"64:ff9b::7f00:0", "64:ff9b::7fff:ffff", "loopback", "64:ff9b::7eff:ffff",
         "64:ff9b::8000:0"},
        {"64:ff9b::a00:0", "64:ff9b::aff:ffff", "private", "64:ff9b::9ff:ffff", "64:ff9b::b00:0"},
        {"64:ff9b::1:808:808", "64:ff9b::ffff:0:0", "reserved", NULL, NULL},
        {"2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved",
         "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"},
        {"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "reserved",
         "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
        {"2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved",
         "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"},
        {"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved",
         "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
        {"4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved",
         "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
        {"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "private", NULL, NULL},
        {"fe00::", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved", NULL, NULL},
        {"fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local", NULL, NULL},
        {"fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "private", NULL, NULL},
        {"ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast", NULL, NULL},
    };
    struct egress_rules rules = rules_of("");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *inside[] = {rows[i].first, rows[i].last};
        const char *outside[] = {rows[i].before, rows[i].behind};
        struct fault why = {0};

        for (size_t k = 0; k < 2; k++) {
            union address a = address_of(inside[k], 443);
            const char *kind = egress_special(&a);

            if (!kind || strcmp(kind, rows[i].kind) != 0)
                fail_msg("%s is %s, not %s", inside[k], kind ? kind : "public", rows[i].kind);
            if (egress_allows(&rules, &a, &why) || !strstr(why.text, rows[i].kind))
                fail_msg("%s may be dialled: %s", inside[k], why.text);
        }
        for (size_t k = 0; k < 2; k++) {
            union address a = address_of(outside[k] ? outside[k] : "2600::1", 443);

            if (!egress_allows(&rules, &a, &why))
                fail_msg("%s may not be dialled: %s", outside[k], why.text);
        }
    }
}

static void a_listed_range_opens_to_its_edges_and_no_further(void **state)
{
    static const struct {
        const char *allow, *address;
        bool allowed;
    } rows[] = {
        {"127.0.0.0/8", "126.255.255.255", true}, /* public */
        {"127.0.0.0/8", "127.0.0.0", true},
        {"127.0.0.0/8", "127.255.255.255", true},
        {"127.0.0.0/8", "10.0.0.1", false},
        {"127.0.0.0/8", "::1", false},
        {"127.0.0.0/8", "::ffff:127.0.0.1", true}, /* the same machine, written otherwise */
        {"127.0.0.0/8", "::ffff:10.0.0.1", false},
        {"10.1.2.3/32", "10.1.2.2", false},
        {"10.1.2.3/32", "10.1.2.3", true},
        {"10.1.2.3/32", "10.1.2.4", false},
        {"10.1.2.0/31", "10.1.2.1", true},
        {"10.1.2.0/31", "10.1.2.2", false},
        {"172.16.0.0/13", "172.23.255.255", true},
        {"172.16.0.0/13", "172.24.0.0", false},
        {"0.0.0.0/0", "10.0.0.1", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "::1", true},
        {"::/0", "127.0.0.1", false},
        {"::/0", "::ffff:127.0.0.1", false},
        {"fd00::/8", "fcff:ffff::1", false},
        {"fd00::/8", "fd00::", true},
        {"fd00::/8", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"fd00::/8", "fe80::1", false},
        {"fd00::12/127", "fd00::13", true},
        {"fd00::12/127", "fd00::14", false},
        {"::1/128", "::1", true},
        {"::1/128", "::2", false},
        {"10.0.0.0/8, ::1/128", "10.9.8.7", true},
        {"10.0.0.0/8, ::1/128", "::1", true},
        {"10.0.0.0/8, ::1/128", "192.168.0.1", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct egress_rules rules = rules_of(rows[i].allow);
        union address a = address_of(rows[i].address, 80);
        struct fault why = {0};

        if (egress_allows(&rules, &a, &why) != rows[i].allowed)
            fail_msg("%s with %s: expected allowed=%d; %s", rows[i].address, rows[i].allow,
                     rows[i].allowed, why.text);
    }
}

static void the_port_must_be_listed_too(void **state)
{
    static const struct {
        uint16_t port;
        bool allowed;
    } rows[] = {{80, true},   {443, true},   {8080, true},  {8443, true},
                {0, false},   {79, false},   {81, false},   {22, false},
                {442, false}, {8081, false}, {8444, false}, {65535, false}};
    struct egress_rules rules = rules_of("127.0.0.0/8"), own;
    struct fault why = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        union address listed = address_of("127.0.0.1", rows[i].port);
        union address public = address_of("9.9.9.9", rows[i].port);

        if (egress_allows(&rules, &listed, &why) != rows[i].allowed ||
            egress_allows(&rules, &public, &why) != rows[i].allowed)
            fail_msg("port %u: expected allowed=%d", rows[i].port, rows[i].allowed);
    }
    assert_true(egress_rules_parse(SLICE(""), SLICE("2560 ,9000"), &own, &why));
    union address a = address_of("9.9.9.9", 9000);
    assert_true(egress_allows(&own, &a, &why));
    address_set_port(&a, 443);
    assert_false(egress_allows(&own, &a, &why));
    assert_string_equal(why.text, "egress to 9.9.9.9:443 is not allowed: the port is not listed");
}

static void another_family_of_addresses_is_refused(void **state)
{
    struct egress_rules rules = rules_of("0.0.0.0/0,::/0");
    union address a = {.any.sa_family = AF_UNIX};

    (void)state;
    assert_false(egress_allows(&rules, &a, NULL));
}

static void bad_ranges_and_ports_are_told(void **state)
{
    static const struct {
        const char *allow, *ports, *told;
    } rows[] = {
        {"10.0.0.0", "80", "'10.0.0.0' is not an address range"},
        {"10.0.0.0/", "80", "'10.0.0.0/'"},
        {"10.0.0.0/33", "80", "'10.0.0.0/33'"},
        {"10.0.0.0/-1", "80", "'10.0.0.0/-1'"},
        {"10.0.0.0/8/8", "80", "'10.0.0.0/8/8'"},
        {"10.0.0.1/8", "80", "'10.0.0.1/8'"}, /* bits behind its length */
        {"10.0.0/8", "80", "'10.0.0/8'"},
        {"010.0.0.0/8", "80", "'010.0.0.0/8'"},
        {"/8", "80", "'/8'"},
        {"host/8", "80", "'host/8'"},
        {"fd00::/129", "80", "'fd00::/129'"},
        {"fd00::1/64", "80", "'fd00::1/64'"},
        {"[fd00::]/8", "80", "'[fd00::]/8'"},
        {"::ffff:0:0/96", "80", "'::ffff:0:0/96'"},
        {"::ffff:10.0.0.0/104", "80", "'::ffff:10.0.0.0/104'"},
        {"10.0.0.0/8,", "80", "''"},
        {",", "80", "''"},
        {"10.0.0.0/8 127.0.0.0/8", "80", "'10.0.0.0/8 127.0.0.0/8'"},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc/1", "80", "not an address"},
        {"", "", "''"},
        {"", "80,", "'80,'"},
        {"", "0", "'0'"},
        {"", "65536", "'65536'"},
        {"", "http", "'http'"},
        {"", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "at most 16 ports"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct egress_rules rules;
        struct fault why = {0};

        if (egress_rules_parse(slice_str(rows[i].allow), slice_str(rows[i].ports), &rules, &why) ||
            !strstr(why.text, rows[i].told))
            fail_msg("'%s' '%s': %s", rows[i].allow, rows[i].ports, why.text);
    }
}

static void more_ranges_than_there_is_room_for_are_refused(void **state)
{
    struct egress_rules rules;
    struct fault why = {0};
    char text[(EGRESS_RANGES_MAX + 1) * sizeof "10.0.0.0/8"] = "10.0.0.0/8";

    (void)state;
    for (size_t i = 1; i < EGRESS_RANGES_MAX; i++)
        strncat(text, ",10.0.0.0/8", sizeof text - strlen(text) - 1);
    assert_true(egress_rules_parse(slice_str(text), SLICE("80"), &rules, &why));
    assert_int_equal(rules.allowed_count, EGRESS_RANGES_MAX);
    strncat(text, ",10.0.0.0/8", sizeof text - strlen(text) - 1);
    assert_false(egress_rules_parse(slice_str(text), SLICE("80"), &rules, &why));
    assert_string_equal(why.text, "more than 64 address ranges");
}

static void urls_have_a_scheme_a_host_and_no_more_than_that(void **state)
{
    static const struct {
        const char *url;
        bool good;
    } rows[] = {
        {"http://ocsp.example.org", true},
        {"HTTP://ocsp.example.org", true},
        {"https://ocsp.example.org/", true},
        {"http://ocsp.example.org:8080/ocsp?ca=1", true},
        {"http://10.0.0.1:2560", true},
        {"http://[fd00::1]:8080/", true},
        {"http://[fd00::1]", true},
        {"http://host:65535/a:b@c", true}, /* an '@' behind the host is part of the path */
        {"http://host/[x]", true},
        {"", false},
        {"http://", false},
        {"http:///path", false},
        {"http:/host", false},
        {"host", false},
        {"ftp://host/", false},
        {"file:///etc/passwd", false},
        {"http://user@host/", false},
        {"http://user:word@host/", false},
        {"http://host:0/", false},
        {"http://host:65536/", false},
        {"http://host:99999999999999999999/", false},
        {"http://host:/", false},
        {"http://host:80x/", false},
        {"http://host:80:81/", false},
        {"http://:80/", false},
        {"http://host?query", false},
        {"http://host/#fragment", false},
        {"http://ho st/", false},
        {"http://host/a b", false},
        {"http://host/\r\nHost: other", false},
        {"http://host/\x7f", false},
        {"http://h\xc3\xb6st/", false},
        {"http://host\\@other/", false},
        {"http://.host/", false},
        {"http://-host/", false},
        {"http://[fd00::1", false},
        {"http://[]/", false},
        {"http://[host]/", false},
        {"http://[fd00::1%25eth0]/", false},
        {"http://[fd00::1]x:80/", false},
        {"http://[fd00::1]:/", false},
    };
    char text[EGRESS_URL_MAX + 2] = "http://host/";

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault why = {0};

        if (egress_url_check(slice_str(rows[i].url), &why) != rows[i].good)
            fail_msg("'%s': expected good=%d; %s", rows[i].url, rows[i].good, why.text);
        assert_true(rows[i].good == (why.text[0] == '\0'));
    }
    assert_false(egress_url_check(SLICE("http://host/\0x"), NULL));
    memset(text + strlen(text), 'a', EGRESS_URL_MAX - strlen(text));
    assert_true(egress_url_check(slice_of(text, EGRESS_URL_MAX), NULL));
    text[EGRESS_URL_MAX] = 'a';
    assert_false(egress_url_check(slice_of(text, EGRESS_URL_MAX + 1), NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_special_range_has_its_edges),
        cmocka_unit_test(a_listed_range_opens_to_its_edges_and_no_further),
        cmocka_unit_test(the_port_must_be_listed_too),
        cmocka_unit_test(another_family_of_addresses_is_refused),
        cmocka_unit_test(bad_ranges_and_ports_are_told),
        cmocka_unit_test(more_ranges_than_there_is_room_for_are_refused),
        cmocka_unit_test(urls_have_a_scheme_a_host_and_no_more_than_that),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
