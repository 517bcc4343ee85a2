#include "net/listener.h"

#include "net/address.h"
#include "net/test_support.h"

static void addresses_are_read_and_shown(void **state)
{
    static const struct {
        const char *text, *shown; /* NULL: refused */
    } rows[] = {
        {"127.0.0.1:8883", "127.0.0.1:8883"},
        {"[::1]:443", "[::1]:443"},
        {":8883", "[::]:8883"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"[2001:db8::7]:65535", "[2001:db8::7]:65535"},
        {"", NULL},
        {"8883", NULL},
        {"127.0.0.1", NULL},
        {"127.0.0.1:", NULL},
        {"127.0.0.1:65536", NULL},
        {"127.0.0.1:-1", NULL},
        {"127.0.0:1", NULL},
        {"localhost:8883", NULL},
        {"::1:443", NULL},
        {"[::1:443", NULL},
        {"[]:443", NULL},
        {"[:443", NULL},
        {"[127.0.0.1]:443", NULL},
        {"1.1.1.1111111111111111111111111111111111111111111111111:1", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char buffer[ADDRESS_TEXT_MAX];
        union address a;
        struct fault why = {0};

        if (address_parse(slice_str(rows[i].text), &a, &why) != (rows[i].shown != NULL))
            fail_msg("%s: expected %s", rows[i].text, rows[i].shown ? rows[i].shown : "a refusal");
        if (!rows[i].shown)
            assert_true(strlen(why.text) > 0);
        else if (!slice_equal(address_text(&a, buffer), slice_str(rows[i].shown)))
            fail_msg("%s is shown as %s", rows[i].text, buffer);
    }
}

/* ---- limits */

static union address peer_of(const char *text)
{
    union address a;

    assert_true(address_parse(slice_str(text), &a, NULL));
    address_unmap(&a);
    return a;
}

struct limit_row {
    const char *name;
    struct listener_limits limits;
    unsigned sockets_max;
    const char *first, *other; /* the peers of all but the last, and of the last */
    unsigned before;           /* how many of `first` come in */
    bool other_comes_in;
};

static const struct limit_row limit_rows[] = {
    {"none", {0}, 0, "10.0.0.1:1", "10.0.0.1:2", 300, true},
    {"sockets", {0}, 5, "10.0.0.1:1", "10.0.0.2:1", 5, false},
    {"in all", {5, 0, 0, 0}, 0, "10.0.0.1:1", "10.0.0.2:1", 5, false},
    {"an address", {0, 5, 0, 0}, 0, "10.0.0.1:1", "10.0.0.1:2", 5, false},
    {"another address", {0, 5, 0, 0}, 0, "10.0.0.1:1", "10.0.0.2:1", 5, true},
    {"the same /64", {0, 5, 0, 0}, 0, "[2001:db8::1]:1", "[2001:db8::2]:1", 5, false},
    {"another /64", {0, 5, 0, 0}, 0, "[2001:db8::1]:1", "[2001:db8:0:1::1]:1", 5, true},
    {"mapped", {0, 5, 0, 0}, 0, "10.0.0.1:1", "[::ffff:10.0.0.1]:1", 5, false},
    {"a burst", {0, 0, 10, 20}, 0, "10.0.0.1:1", "10.0.0.1:2", 20, false},
    {"a burst elsewhere", {0, 0, 10, 20}, 0, "10.0.0.1:1", "10.0.0.2:1", 20, true},
};

static void run_limit_row(const struct limit_row *row)
{
    struct accept_limits *l = accept_limits_create();
    union address first = peer_of(row->first), other = peer_of(row->other);
    struct accept_place places[301];

    assert_non_null(l);
    accept_limits_set(l, &row->limits);
    accept_limits_set_sockets(l, row->sockets_max);
    for (unsigned i = 0; i < row->before; i++) {
        if (accept_limits_enter(l, &first, 1000, &places[i]))
            fail_msg("%s: number %u was refused", row->name, i + 1);
    }
    if (!accept_limits_enter(l, &other, 1000, &places[300]) != row->other_comes_in)
        fail_msg("%s: expected %d", row->name, row->other_comes_in);
    accept_limits_destroy(l);
}

static void limits_hold_at_their_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(limit_rows); i++)
        run_limit_row(&limit_rows[i]);
}

static void whoever_authenticates_or_leaves_makes_room(void **state)
{
    static const struct listener_limits limits = {.unauthenticated_per_address = 1};
    struct accept_limits *l = accept_limits_create();
    union address peer = peer_of("10.0.0.1:1");
    struct accept_place first, second, third;

    (void)state;
    accept_limits_set(l, &limits);
    assert_null(accept_limits_enter(l, &peer, 0, &first));
    assert_non_null(accept_limits_enter(l, &peer, 0, &second));
    accept_limits_authenticated(l, &first);
    accept_limits_authenticated(l, &first);
    assert_null(accept_limits_enter(l, &peer, 0, &second));
    assert_non_null(accept_limits_enter(l, &peer, 0, &third));
    accept_limits_leave(l, &second);
    assert_null(accept_limits_enter(l, &peer, 0, &third));
    accept_limits_leave(l, &third);
    accept_limits_leave(l, &first);
    accept_limits_destroy(l);
}

static void a_refusal_takes_no_place(void **state)
{
    static const struct listener_limits limits = {.unauthenticated_max = 2,
                                                  .unauthenticated_per_address = 1};
    struct accept_limits *l = accept_limits_create();
    union address greedy = peer_of("10.0.0.1:1"), other = peer_of("10.0.0.2:1");
    struct accept_place place;

    (void)state;
    accept_limits_set(l, &limits);
    accept_limits_set_sockets(l, 2);
    assert_null(accept_limits_enter(l, &greedy, 0, &place));
    for (int i = 0; i < 5; i++)
        assert_non_null(accept_limits_enter(l, &greedy, 0, &place));
    assert_null(accept_limits_enter(l, &other, 0, &place));
    accept_limits_destroy(l);
}

static void tokens_come_back_with_time(void **state)
{
    static const struct listener_limits limits = {.accepts_per_address_s = 10,
                                                  .accepts_per_address_burst = 2};
    static const struct {
        int64_t at_ms;
        bool comes_in;
    } rows[] = {
        {0, true},     {0, true},     {0, false},     {99, false},    {100, true},
        {100, false},  {199, false},  {300, true},    {300, true},    {300, false},
        {90000, true}, {90000, true}, {90000, false}, {80000, false},
    };
    struct accept_limits *l = accept_limits_create();
    union address peer = peer_of("10.0.0.1:1");
    struct accept_place place;

    (void)state;
    accept_limits_set(l, &limits);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!accept_limits_enter(l, &peer, rows[i].at_ms, &place) != rows[i].comes_in)
            fail_msg("row %zu at %d ms", i, (int)rows[i].at_ms);
    }
    accept_limits_destroy(l);
}

/* More addresses than the table has places for: those with nothing open give theirs up. */
static void a_refusal_names_the_limit_and_is_told_once_a_minute(void **state)
{
    static const struct {
        struct listener_limits limits;
        const char *name;
    } rows[] = {
        {{.unauthenticated_max = 1}, "unauthenticated"},
        {{.unauthenticated_per_address = 1}, "unauthenticated_per_address"},
        {{.accepts_per_address_s = 1, .accepts_per_address_burst = 1}, "accepts_per_second"},
    };
    struct accept_limits *l = accept_limits_create();
    union address peer = peer_of("192.0.2.1:1");
    struct accept_place places[2];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct accept_limits *of_row = accept_limits_create();

        accept_limits_set(of_row, &rows[i].limits);
        assert_null(accept_limits_enter(of_row, &peer, 0, &places[0]));
        assert_string_equal(accept_limits_enter(of_row, &peer, 0, &places[1]), rows[i].name);
        accept_limits_destroy(of_row);
    }
    assert_true(accept_limits_may_tell(l, 5));
    assert_false(accept_limits_may_tell(l, 60004));
    assert_true(accept_limits_may_tell(l, 60005));
    assert_false(accept_limits_may_tell(l, 60006));
    accept_limits_destroy(l);
}

static void many_addresses_share_the_table(void **state)
{
    static const struct listener_limits limits = {.unauthenticated_per_address = 1};
    struct accept_limits *l = accept_limits_create();
    union address peer = {.v4.sin_family = AF_INET};
    struct accept_place place;

    (void)state;
    accept_limits_set(l, &limits);
    for (uint32_t i = 0; i < 100000; i++) {
        peer.v4.sin_addr.s_addr = htonl(0x0a000000 + i);
        assert_null(accept_limits_enter(l, &peer, i, &place));
        accept_limits_leave(l, &place);
    }
    accept_limits_destroy(l);
}

static size_t refused_clients(uint16_t port, unsigned count)
{
    size_t refused = 0;

    for (unsigned i = 0; i < count; i++) {
        int fd = tcp_connect(port);
        char byte;

        if (fd < 0)
            continue;
        if (recv(fd, &byte, 1, 0) <= 0)
            refused++;
        close(fd);
    }
    return refused;
}

static void refused_connections_leave_nothing_behind(void **state)
{
    enum { COUNT = 1000 };
    static const struct listener_limits one = {.unauthenticated_max = 1};
    int64_t before = metric_value(METRIC_ACCEPTS_REFUSED);
    struct test_server t;
    struct test_client c;
    size_t descriptors;

    (void)state;
    server_init(&t, 2);
    listener_set_limits(t.workers, &one);
    server_start(&t);
    client_open(&c, t.port);
    assert_true(wait_for(&t, &t.opened, 1));
    descriptors = open_descriptors();
    assert_int_equal(refused_clients(t.port, COUNT), COUNT);
    assert_int_equal(metric_value(METRIC_ACCEPTS_REFUSED), before + COUNT);
    assert_int_equal(open_descriptors(), descriptors);
    client_deinit(&c);
    assert_ended(&t, 1, STREAM_END_PEER);
    client_open(&c, t.port); /* the place is free again */
    client_deinit(&c);
    server_deinit(&t);
}

static void sockets_that_send_one_byte_leave_nothing_behind(void **state)
{
    enum { COUNT = 1000 };
    struct test_server t;
    size_t descriptors;
    int fds[COUNT];

    (void)state;
    server_init(&t, 2);
    server_start(&t);
    descriptors = open_descriptors();
    for (int i = 0; i < COUNT; i++) {
        fds[i] = tcp_connect(t.port);
        assert_true(fds[i] >= 0);
        assert_int_equal(send(fds[i], "\x16", 1, MSG_NOSIGNAL), 1);
    }
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    assert_true(wait_for(&t, &t.ended, COUNT));
    for (int64_t until = clock_mono_ms() + PATIENCE_MS; open_descriptors() > descriptors;)
        assert_true(clock_mono_ms() < until);
    assert_int_equal(peek(&t, &t.ended), COUNT);
    server_deinit(&t);
}

static void out_of_descriptors_pauses_and_recovers(void **state)
{
    int64_t before = metric_value(METRIC_ACCEPTS_REFUSED);
    struct rlimit usual, none;
    struct test_server t;
    struct test_client c;
    char byte;
    int fd;

    (void)state;
    server_init(&t, 1);
    server_start(&t);
    getrlimit(RLIMIT_NOFILE, &usual);
    none = usual;
    fd = socket(AF_INET, SOCK_STREAM, 0); /* the lowest free one: all below are taken */
    none.rlim_cur = (rlim_t)fd + 1;
    close(fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    fd = tcp_connect(t.port);
    assert_int_equal(recv(fd, &byte, 1, 0), 0); /* taken off the queue by the reserve */
    setrlimit(RLIMIT_NOFILE, &usual);
    close(fd);
    client_open(&c, t.port);
    client_deinit(&c);
    assert_ended(&t, 1, STREAM_END_PEER);
    assert_int_equal(metric_value(METRIC_ACCEPTS_REFUSED), before + 1);
    server_deinit(&t);
}

/* ---- listening */

static void a_taken_port_is_a_clear_fault(void **state)
{
    struct test_server t;
    struct fault why = {0};
    char text[32];

    (void)state;
    server_init(&t, 2);
    snprintf(text, sizeof text, "127.0.0.1:%u", t.port);
    assert_null(listener_create(t.workers, slice_str(text), t.tls, server_on_accept, &t, &why));
    assert_non_null(strstr(why.text, "127.0.0.1:"));
    assert_non_null(strstr(why.text, "in use"));
    server_deinit(&t);
}

static void all_addresses_are_reached_and_the_port_is_one(void **state)
{
    struct test_server t;
    struct listener *all;
    struct fault why = {0};
    struct test_client c;

    (void)state;
    server_init(&t, 4);
    all = listener_create(t.workers, SLICE(":0"), t.tls, server_on_accept, &t, &why);
    if (!all)
        fail_msg("%s", why.text);
    assert_int_not_equal(listener_port(all), 0);
    server_start(&t);
    for (unsigned i = 0; i < 20; i++) {
        client_open(&c, listener_port(all));
        client_deinit(&c);
        assert_ended(&t, i + 1, STREAM_END_PEER);
    }
    listener_destroy(all); /* while the workers run */
    server_deinit(&t);
}

static void a_stopped_listener_keeps_open_connections(void **state)
{
    struct test_server t;
    struct test_client c;
    char answer[2];

    (void)state;
    server_init(&t, 2);
    server_start(&t);
    client_open(&c, t.port);
    listener_stop_accepting(t.listener);
    listener_stop_accepting(t.listener);
    for (int64_t until = clock_mono_ms() + PATIENCE_MS;;) { /* both sockets close soon */
        int fd = tcp_connect(t.port);

        if (fd < 0)
            break;
        close(fd);
        assert_true(clock_mono_ms() < until);
    }
    client_write(&c, SLICE("hi"));
    assert_true(client_read(&c, answer, 2));
    client_deinit(&c);
    server_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_shown),
        cmocka_unit_test(limits_hold_at_their_number),
        cmocka_unit_test(whoever_authenticates_or_leaves_makes_room),
        cmocka_unit_test(a_refusal_takes_no_place),
        cmocka_unit_test(tokens_come_back_with_time),
        cmocka_unit_test(a_refusal_names_the_limit_and_is_told_once_a_minute),
        cmocka_unit_test(many_addresses_share_the_table),
        cmocka_unit_test(refused_connections_leave_nothing_behind),
        cmocka_unit_test(sockets_that_send_one_byte_leave_nothing_behind),
        cmocka_unit_test(out_of_descriptors_pauses_and_recovers),
        cmocka_unit_test(a_taken_port_is_a_clear_fault),
        cmocka_unit_test(all_addresses_are_reached_and_the_port_is_one),
        cmocka_unit_test(a_stopped_listener_keeps_open_connections),
    };

    return cmocka_run_group_tests(tests, ignore_sigpipe, NULL);
}
