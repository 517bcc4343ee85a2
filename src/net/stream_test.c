#include "net/stream.h"

#include "net/test_support.h"

static uint8_t *pattern(size_t len)
{
    uint8_t *bytes = malloc(len);

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    return bytes;
}

/* Units of one length byte and that many bytes, answered whole. */
static size_t units_on_input(void *owner, slice input)
{
    struct test_connection *c = owner;
    struct test_server *t = c->server;
    size_t taken = 0;

    while (input.len > taken && input.len - taken > input.ptr[taken]) {
        size_t len = 1 + (size_t)input.ptr[taken];

        stream_write(c->stream, slice_of(input.ptr + taken, len));
        taken += len;
    }
    count_input(t, input.len, taken);
    return taken;
}

static const struct stream_handler units_handler = {
    .on_open = server_on_open, .on_input = units_on_input, .on_end = server_on_end};

static void input_split_anywhere_is_put_together(void **state)
{
    static const uint8_t units[] = {3, 'a', 'b', 'c', 0, 1, 'd', 5, 'e', 'f', 'g', 'h', 'i'};
    struct test_server t;
    struct test_client c;

    (void)state;
    server_init(&t, 1);
    t.handler = &units_handler;
    t.input_max = 6;
    server_start(&t);
    client_open(&c, t.port);
    for (size_t at = 0; at <= sizeof units; at++) {
        uint8_t answer[sizeof units];
        size_t seen = peek_size(&t, &t.offered);

        client_write(&c, slice_of(units, at));
        assert_true(at == 0 || wait_for_size(&t, &t.offered, seen + 1));
        client_write(&c, slice_of(units + at, sizeof units - at));
        assert_true(client_read(&c, answer, sizeof answer));
        assert_memory_equal(answer, units, sizeof units);
    }
    client_deinit(&c);
    server_deinit(&t);
}

/* Takes nothing until `input_max` bytes are there, then all. */
static size_t gather_on_input(void *owner, slice input)
{
    struct test_connection *c = owner;
    struct test_server *t = c->server;
    size_t taken = input.len >= t->input_max ? input.len : 0;

    if (taken) {
        t->input = malloc(input.len);
        t->input_len = input.len;
        memcpy(t->input, input.ptr, input.len);
    }
    count_input(t, input.len, taken);
    return taken;
}

static const struct stream_handler gather_handler = {.on_input = gather_on_input,
                                                     .on_end = server_on_end};

static void a_large_unit_in_small_pieces_arrives_whole(void **state)
{
    enum { LEN = 256 * 1024, PIECE = 1000 };
    uint8_t *sent = pattern(LEN);
    struct test_server t;
    struct test_client c;

    (void)state;
    server_init(&t, 1);
    t.handler = &gather_handler;
    t.input_max = LEN;
    server_start(&t);
    client_open(&c, t.port);
    for (size_t at = 0; at < LEN; at += PIECE)
        client_write(&c, slice_first(slice_of(sent + at, PIECE), LEN - at));
    assert_true(wait_for_size(&t, &t.taken, LEN));
    assert_int_equal(t.input_len, LEN);
    assert_memory_equal(t.input, sent, LEN);
    client_deinit(&c);
    server_deinit(&t);
    free(sent);
}

static size_t refuse_on_input(void *owner, slice input)
{
    count_input(((struct test_connection *)owner)->server, input.len, 0);
    return 0;
}

static const struct stream_handler refusing_handler = {.on_input = refuse_on_input,
                                                       .on_end = server_on_end};

static void a_left_over_part_past_the_maximum_ends_the_stream(void **state)
{
    static const size_t maxima[] = {1, 100, 4095, 4096, 20000, 100000};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(maxima); i++) {
        uint8_t *sent = pattern(maxima[i] + 1);
        struct test_server t;
        struct test_client c;

        server_init(&t, 1);
        t.handler = &refusing_handler;
        t.input_max = maxima[i];
        server_start(&t);
        client_open(&c, t.port);
        client_write(&c, slice_of(sent, maxima[i] - 1));
        client_write(&c, slice_of(sent, 1));
        assert_true(wait_for_size(&t, &t.offered, maxima[i]));
        assert_int_equal(peek(&t, &t.ended), 0);
        client_write(&c, slice_of(sent, 1));
        assert_ended(&t, 1, STREAM_END_OVERFLOW);
        client_deinit(&c);
        server_deinit(&t);
        free(sent);
    }
}

static void write_max(void *context)
{
    struct test_server *t = context;
    uint8_t *bytes = pattern(STREAM_OUTPUT_MAX);

    stream_write(t->stream, slice_of(bytes, STREAM_OUTPUT_MAX - 1));
    stream_write(t->stream, slice_of(bytes, 1));
    assert_int_equal(stream_output_len(t->stream), STREAM_OUTPUT_MAX);
    free(bytes);
}

static void write_past_max(void *context)
{
    struct test_server *t = context;

    write_max(context);
    stream_write(t->stream, SLICE("x"));
    stream_write(t->stream, SLICE("more, which nobody minds"));
    assert_int_equal(t->ended, 0); /* never inside stream_write */
}

static void output_past_the_maximum_ends_the_stream(void **state)
{
    struct test_server t;
    struct test_client c;

    (void)state;
    server_init(&t, 1);
    server_start(&t);
    client_open(&c, t.port);
    assert_true(wait_for(&t, &t.opened, 1));
    on_worker(&t, write_past_max);
    assert_ended(&t, 1, STREAM_END_OVERFLOW);
    client_deinit(&c);
    server_deinit(&t);
}

static void much_output_arrives_whole_and_is_drained_once(void **state)
{
    uint8_t *want = pattern(STREAM_OUTPUT_MAX), *got = malloc(STREAM_OUTPUT_MAX);
    struct test_server t;
    struct test_client c;

    (void)state;
    server_init(&t, 1);
    server_start(&t);
    client_open(&c, t.port);
    assert_true(wait_for(&t, &t.opened, 1));
    on_worker(&t, write_max);
    assert_true(client_read(&c, got, STREAM_OUTPUT_MAX));
    assert_memory_equal(got, want, STREAM_OUTPUT_MAX - 1);
    assert_true(wait_for(&t, &t.drained, 1));
    client_write(&c, SLICE("x"));
    assert_true(client_read(&c, got, 1));
    assert_int_equal(peek(&t, &t.drained), 1);
    client_deinit(&c);
    server_deinit(&t);
    free(want);
    free(got);
}

static void write_and_close(void *context)
{
    struct test_server *t = context;

    write_max(context);
    stream_close(t->stream);
    stream_close(t->stream);
    stream_write(t->stream, SLICE("too late"));
    assert_int_equal(t->ended, 0); /* never inside stream_close */
}

static void closing_sends_what_waits_though_input_is_unread(void **state)
{
    uint8_t *got = malloc(STREAM_OUTPUT_MAX);
    struct test_server t;
    struct test_client c;

    (void)state;
    server_init(&t, 1);
    server_start(&t);
    client_open(&c, t.port);
    assert_true(wait_for(&t, &t.opened, 1));
    on_worker(&t, write_and_close);
    client_write(&c, SLICE("which the server will not read"));
    assert_true(client_read(&c, got, STREAM_OUTPUT_MAX));
    assert_int_equal(client_read_end(&c), SSL_ERROR_ZERO_RETURN);
    assert_int_equal(peek_size(&t, &t.offered), 0);
    client_deinit(&c);
    assert_ended(&t, 1, STREAM_END_LOCAL);
    server_deinit(&t);
    free(got);
}

static size_t close_on_input(void *owner, slice input)
{
    struct test_connection *c = owner;
    struct test_server *t = c->server;

    stream_write(c->stream, SLICE("bye"));
    stream_close(c->stream);
    count_input(t, input.len, 0);
    return 12345; /* whatever it likes */
}

static const struct stream_handler closing_handler = {
    .on_open = server_on_open, .on_input = close_on_input, .on_end = server_on_end};

static void a_handler_may_close_its_own_stream(void **state)
{
    struct test_server t;
    struct test_client c;
    char answer[3];

    (void)state;
    server_init(&t, 1);
    t.handler = &closing_handler;
    server_start(&t);
    client_open(&c, t.port);
    client_write(&c, SLICE("hello"));
    assert_true(client_read(&c, answer, 3));
    assert_memory_equal(answer, "bye", 3);
    assert_int_equal(client_read_end(&c), SSL_ERROR_ZERO_RETURN);
    client_deinit(&c);
    assert_ended(&t, 1, STREAM_END_LOCAL);
    server_deinit(&t);
}

static void write_and_abort(void *context)
{
    struct test_server *t = context;

    stream_write(t->stream, SLICE("lost"));
    stream_abort(t->stream);
    stream_abort(t->stream);
    assert_int_equal(t->ended, 0);
}

static void aborting_resets_the_connection(void **state)
{
    struct test_server t;
    struct test_client c;

    (void)state;
    server_init(&t, 1);
    server_start(&t);
    client_open(&c, t.port);
    assert_true(wait_for(&t, &t.opened, 1));
    on_worker(&t, write_and_abort);
    assert_ended(&t, 1, STREAM_END_LOCAL);
    errno = 0;
    assert_int_equal(client_read_end(&c), SSL_ERROR_SYSCALL);
    assert_int_equal(errno, ECONNRESET);
    client_deinit(&c);
    server_deinit(&t);
}

static void pause_stream(void *context)
{
    struct test_server *t = context;

    stream_pause(t->stream);
}

static void resume_stream(void *context)
{
    struct test_server *t = context;

    stream_resume(t->stream);
}

/* Writes until the connection takes no more. */
static size_t fill_connection(struct test_client *c)
{
    static const uint8_t bytes[16384];
    static const struct timeval briefly = {.tv_usec = 200000};
    size_t total = 0, written;

    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &briefly, sizeof briefly);
    SSL_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    while (SSL_write_ex(c->ssl, bytes, sizeof bytes, &written) == 1)
        total += written;
    return total;
}

static size_t swallow_on_input(void *owner, slice input)
{
    count_input(((struct test_connection *)owner)->server, input.len, input.len);
    return input.len;
}

static const struct stream_handler swallowing_handler = {
    .on_open = server_on_open, .on_input = swallow_on_input, .on_end = server_on_end};

static void a_paused_stream_reads_nothing_until_the_last_resume(void **state)
{
    struct test_server t;
    struct test_client c;
    size_t total;

    (void)state;
    server_init(&t, 1);
    t.handler = &swallowing_handler;
    server_start(&t);
    client_open(&c, t.port);
    assert_true(wait_for(&t, &t.opened, 1));
    on_worker(&t, pause_stream);
    on_worker(&t, pause_stream);
    total = fill_connection(&c);
    assert_true(total > 0);
    assert_int_equal(peek_size(&t, &t.offered), 0);
    on_worker(&t, resume_stream);
    on_worker(&t, write_max); /* another turn, and output is not paused */
    assert_int_equal(peek_size(&t, &t.offered), 0);
    on_worker(&t, resume_stream);
    assert_true(wait_for_size(&t, &t.taken, total));
    client_deinit(&c);
    server_deinit(&t);
}

/* The share of a turn is sixteen full records; a short one waits behind them, in the socket or read
 * ahead by TLS. */
static void input_past_the_share_of_a_turn_comes_in_the_next(void **state)
{
    enum { LEN = 256 * 1024 + 50, RECORD = 16384 };
    uint8_t *sent = pattern(LEN);
    struct test_server t;
    struct test_client c;

    (void)state;
    server_init(&t, 1);
    t.handler = &swallowing_handler;
    server_start(&t);
    client_open(&c, t.port);
    assert_true(wait_for(&t, &t.opened, 1));
    on_worker(&t, pause_stream);
    for (size_t at = 0; at < LEN; at += RECORD)
        client_write(&c, slice_first(slice_of(sent + at, RECORD), LEN - at));
    on_worker(&t, resume_stream);
    assert_true(wait_for_size(&t, &t.taken, LEN));
    client_deinit(&c);
    server_deinit(&t);
    free(sent);
}

/* One byte, then the others have their turn. */
static size_t one_byte_on_input(void *owner, slice input)
{
    struct test_connection *c = owner;
    struct test_server *t = c->server;

    stream_pause(c->stream);
    stream_resume(c->stream);
    count_input(t, input.len, 1);
    return 1;
}

static const struct stream_handler one_byte_handler = {
    .on_open = server_on_open, .on_input = one_byte_on_input, .on_end = server_on_end};

static void a_handler_that_pauses_and_resumes_is_offered_the_rest_again(void **state)
{
    uint8_t *sent = pattern(3000);
    struct test_server t;
    struct test_client c;

    (void)state;
    server_init(&t, 1);
    t.handler = &one_byte_handler;
    t.input_max = 10; /* what waits its turn is no left-over part */
    server_start(&t);
    client_open(&c, t.port);
    client_write(&c, slice_of(sent, 3000));
    assert_true(wait_for_size(&t, &t.taken, 3000));
    assert_int_equal(peek(&t, &t.ended), 0);
    client_deinit(&c);
    server_deinit(&t);
    free(sent);
}

static size_t upgrade_on_input(void *owner, slice input)
{
    struct test_connection *c = owner;
    struct test_server *t = c->server;

    stream_set_handler(c->stream, &echo_handler, c, t->input_max);
    count_input(t, input.len, 7);
    return 7;
}

static const struct stream_handler upgrading_handler = {
    .on_open = server_on_open, .on_input = upgrade_on_input, .on_end = server_on_end};

static void what_follows_an_upgrade_goes_to_the_new_handler(void **state)
{
    struct test_server t;
    struct test_client c;
    char answer[8];

    (void)state;
    server_init(&t, 1);
    t.handler = &upgrading_handler;
    server_start(&t);
    client_open(&c, t.port);
    client_write(&c, SLICE("upgradebehind"));
    assert_true(client_read(&c, answer, 6));
    assert_memory_equal(answer, "behind", 6);
    client_write(&c, SLICE("later"));
    assert_true(client_read(&c, answer, 5));
    assert_memory_equal(answer, "later", 5);
    client_deinit(&c);
    assert_ended(&t, 1, STREAM_END_PEER);
    server_deinit(&t);
}

static void a_handshake_that_takes_too_long_is_ended(void **state)
{
    struct test_server t;
    char byte;
    int fd;

    (void)state;
    server_init(&t, 1);
    t.workers->timeouts.handshake_ms = 100;
    server_start(&t);
    fd = tcp_connect(t.port);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    assert_ended(&t, 1, STREAM_END_HANDSHAKE);
    close(fd);
    server_deinit(&t);
}

/* Until the kernel takes no more. */
static void write_until_blocked(void *context)
{
    struct test_server *t = context;
    uint8_t *bytes = pattern(STREAM_OUTPUT_MAX / 2);

    if (t->stream && stream_output_len(t->stream) == 0)
        stream_write(t->stream, slice_of(bytes, STREAM_OUTPUT_MAX / 2));
    free(bytes);
}

static void output_that_nobody_takes_ends_the_stream(void **state)
{
    struct test_server t;
    struct test_client c;

    (void)state;
    server_init(&t, 1);
    t.workers->timeouts.stalled_ms = 200;
    server_start(&t);
    client_open(&c, t.port);
    assert_true(wait_for(&t, &t.opened, 1));
    for (int i = 0; i < 32; i++)
        on_worker(&t, write_until_blocked);
    assert_ended(&t, 1, STREAM_END_STALLED);
    client_deinit(&c);
    server_deinit(&t);
}

static void closing_gives_up_on_a_peer_that_does_not_read(void **state)
{
    struct test_server t;
    struct test_client c;

    (void)state;
    server_init(&t, 1);
    t.workers->timeouts.close_ms = 100;
    server_start(&t);
    client_open(&c, t.port);
    assert_true(wait_for(&t, &t.opened, 1));
    on_worker(&t, write_and_close);
    assert_ended(&t, 1, STREAM_END_LOCAL);
    client_deinit(&c);
    server_deinit(&t);
}

static void streams_still_open_at_the_stop_are_ended_once(void **state)
{
    struct test_client clients[5];
    struct test_server t;
    int half_open;

    (void)state;
    server_init(&t, 2);
    server_start(&t);
    for (unsigned i = 0; i < COUNT_OF(clients); i++)
        client_open(&clients[i], t.port);
    half_open = tcp_connect(t.port);
    assert_true(wait_for(&t, &t.opened, COUNT_OF(clients)));
    workers_stop(t.workers);
    assert_true(t.ended == COUNT_OF(clients) || t.ended == COUNT_OF(clients) + 1);
    assert_int_equal(client_read_end(&clients[0]), SSL_ERROR_ZERO_RETURN);
    for (unsigned i = 0; i < COUNT_OF(clients); i++)
        client_deinit(&clients[i]);
    close(half_open);
    server_deinit(&t);
}

static void check_peer(void *context)
{
    struct test_server *t = context;

    assert_true(slice_starts_with(stream_peer(t->stream), SLICE("127.0.0.1:")));
    assert_true(stream_last_input_ms(t->stream) <= clock_mono_ms());
    assert_true(stream_last_input_ms(t->stream) > clock_mono_ms() - PATIENCE_MS);
    assert_ptr_equal(stream_worker(t->stream), workers_at(t->workers, 0));
    stream_set_authenticated(t->stream);
    stream_set_authenticated(t->stream);
}

static void a_stream_knows_its_peer(void **state)
{
    struct test_server t;
    struct test_client c;

    (void)state;
    server_init(&t, 1);
    server_start(&t);
    client_open(&c, t.port);
    assert_true(wait_for(&t, &t.opened, 1));
    on_worker(&t, check_peer);
    client_deinit(&c);
    server_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_split_anywhere_is_put_together),
        cmocka_unit_test(a_large_unit_in_small_pieces_arrives_whole),
        cmocka_unit_test(a_left_over_part_past_the_maximum_ends_the_stream),
        cmocka_unit_test(output_past_the_maximum_ends_the_stream),
        cmocka_unit_test(much_output_arrives_whole_and_is_drained_once),
        cmocka_unit_test(closing_sends_what_waits_though_input_is_unread),
        cmocka_unit_test(a_handler_may_close_its_own_stream),
        cmocka_unit_test(aborting_resets_the_connection),
        cmocka_unit_test(a_paused_stream_reads_nothing_until_the_last_resume),
        cmocka_unit_test(input_past_the_share_of_a_turn_comes_in_the_next),
        cmocka_unit_test(a_handler_that_pauses_and_resumes_is_offered_the_rest_again),
        cmocka_unit_test(what_follows_an_upgrade_goes_to_the_new_handler),
        cmocka_unit_test(a_handshake_that_takes_too_long_is_ended),
        cmocka_unit_test(output_that_nobody_takes_ends_the_stream),
        cmocka_unit_test(closing_gives_up_on_a_peer_that_does_not_read),
        cmocka_unit_test(streams_still_open_at_the_stop_are_ended_once),
        cmocka_unit_test(a_stream_knows_its_peer),
    };

    return cmocka_run_group_tests(tests, ignore_sigpipe, NULL);
}
