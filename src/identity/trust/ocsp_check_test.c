#include "identity/trust/ocsp_check.h"

#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/certificate_make.h"
#include "crypto/ocsp_testing.h"
#include "crypto/thumbprint.h"
#include "identity/identity_internal.h"
#include "identity/trust/ocsp_answers.h"
#include "net/egress.h"

#define WORKERS 2
#define POOL_HOLDS (2 + 64) /* questions: under way, and in the queue */

/* --- a responder ------------------------------------------------------------------------------ */

struct responder {
    int fd;
    pthread_t thread;
    char url[64], status[32];
    struct buf answer;
    atomic_uint requests;
    bool is_held; /* answers only when `go` is posted, once for each */
    sem_t go, seen;
};

/* A whole request; false when the client left. */
static bool read_request(int fd)
{
    char text[4096];
    size_t len = 0;

    for (;;) {
        ssize_t got = recv(fd, text + len, sizeof text - 1 - len, 0);
        const char *end, *length;

        if (got <= 0)
            return false;
        len += (size_t)got;
        text[len] = '\0';
        end = strstr(text, "\r\n\r\n");
        length = strstr(text, "Content-Length: ");
        if (end && length && (size_t)(text + len - end - 4) >= strtoul(length + 16, NULL, 10))
            return true;
    }
}

static void answer_one(struct responder *r, int fd)
{
    BUF_CLEANUP struct buf text = {.max = 65536};

    if (!read_request(fd))
        return;
    atomic_fetch_add(&r->requests, 1);
    sem_post(&r->seen);
    if (r->is_held)
        sem_wait(&r->go);
    buf_printf(&text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", r->status,
               r->answer.len);
    buf_append(&text, buf_slice(&r->answer));
    assert_false(text.failed);
    (void)!send(fd, text.ptr, text.len, MSG_NOSIGNAL);
}

static void *responder_main(void *context)
{
    struct responder *r = context;
    int fd;

    while ((fd = accept(r->fd, NULL, NULL)) >= 0) {
        answer_one(r, fd);
        close(fd);
    }
    return NULL;
}

/* Gives its port. */
static uint16_t responder_bind(struct responder *r)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    r->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(r->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(r->fd, POOL_HOLDS), 0);
    assert_int_equal(getsockname(r->fd, (struct sockaddr *)&at, &len), 0);
    snprintf(r->url, sizeof r->url, "http://127.0.0.1:%u/", ntohs(at.sin_port));
    snprintf(r->status, sizeof r->status, "200 OK");
    sem_init(&r->go, 0, 0);
    sem_init(&r->seen, 0, 0);
    return ntohs(at.sin_port);
}

static void responder_stop(struct responder *r)
{
    shutdown(r->fd, SHUT_RDWR);
    pthread_join(r->thread, NULL);
    close(r->fd);
    sem_destroy(&r->go);
    sem_destroy(&r->seen);
    buf_deinit(&r->answer);
}

/* --- an identity of which only this part is there ----------------------------------------------
 */

enum { LEAF, SIBLING, LEAVES };

struct fixture {
    struct workers *workers;
    struct identity *id;
    struct egress_rules rules;
    struct responder responder;
    struct evp_pkey_st *key;
    struct x509_st *issuer, *leaves[LEAVES];
};

static struct x509_st *make(struct fixture *f, enum certificate_role role, slice name)
{
    const struct certificate_order order = {
        .role = role,
        .common_name = name,
        .key = f->key,
        .issuer = role == ROLE_AUTHORITY ? NULL : f->issuer,
        .issuer_key = f->key,
        .not_before = clock_wall_ms() - 3600 * 1000,
        .not_after = clock_wall_ms() + 3600 * 1000,
        .path_length = -1,
    };
    struct fault why = {0};
    struct x509_st *made = certificate_make(&order, &why);

    if (!made)
        fail_msg("%s", why.text);
    return made;
}

static void set_answer(struct fixture *f, int about, int verdict, int64_t life_s)
{
    const struct ocsp_recipe recipe = {
        .certificate = f->leaves[about],
        .issuer = f->issuer,
        .signer = f->issuer,
        .signer_key = f->key,
        .verdict = verdict,
        .from_s = clock_wall_ms() / 1000,
        .until_s = life_s == OCSP_NO_END ? OCSP_NO_END : clock_wall_ms() / 1000 + life_s,
    };

    buf_deinit(&f->responder.answer);
    f->responder.answer = ocsp_answer_make(&recipe);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct fault why = {0};
    char port[8];

    assert_non_null(f);
    signal(SIGPIPE, SIG_IGN);
    f->key = private_key_make(KEY_P256);
    f->issuer = make(f, ROLE_AUTHORITY, SLICE("Issuer"));
    f->leaves[LEAF] = make(f, ROLE_DEVICE, SLICE("pump-07"));
    f->leaves[SIBLING] = make(f, ROLE_DEVICE, SLICE("pump-08"));
    snprintf(port, sizeof port, "%u", responder_bind(&f->responder));
    set_answer(f, LEAF, V_OCSP_CERTSTATUS_GOOD, 3600);
    assert_true(egress_rules_parse(SLICE("127.0.0.0/8"), slice_str(port), &f->rules, &why));
    f->workers = workers_create(WORKERS);
    f->id = calloc(1, sizeof *f->id + WORKERS * sizeof f->id->workers[0]);
    assert_non_null(f->id);
    f->id->ws = f->workers;
    f->id->options.egress = &f->rules;
    f->id->worker_count = WORKERS;
    for (unsigned i = 0; i < WORKERS; i++) {
        f->id->workers[i].ocsp = ocsp_cache_create();
        assert_non_null(f->id->workers[i].ocsp);
    }
    assert_true(workers_start(f->workers, &why));
    assert_int_equal(pthread_create(&f->responder.thread, NULL, responder_main, &f->responder), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    workers_stop(f->workers);
    for (unsigned i = 0; i < WORKERS; i++)
        ocsp_cache_destroy(f->id->workers[i].ocsp);
    free(f->id);
    workers_destroy(f->workers);
    responder_stop(&f->responder);
    for (size_t i = 0; i < LEAVES; i++)
        certificate_free(f->leaves[i]);
    certificate_free(f->issuer);
    private_key_free(f->key);
    free(f);
    return 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

struct check {
    struct fixture *f;
    unsigned worker;
    int leaf;
    char url[80];
    sem_t told;
    unsigned times;
    enum status status;
    enum ocsp_verdict verdict;
    struct fault why;
};

static void on_verdict(void *context, enum status status, enum ocsp_verdict verdict,
                       const struct fault *why)
{
    struct check *c = context;

    c->times++;
    c->status = status;
    c->verdict = verdict;
    if (why)
        c->why = *why;
    assert_true((status == ST_OK) == (c->why.text[0] == '\0'));
    sem_post(&c->told);
}

static void run_check(void *context)
{
    struct check *c = context;

    ocsp_check(c->f->id, slice_str(c->url), c->f->leaves[c->leaf], c->f->issuer, on_verdict, c);
}

static void begin(struct check *c, struct fixture *f, unsigned worker, int leaf, const char *path)
{
    *c = (struct check){.f = f, .worker = worker, .leaf = leaf};
    sem_init(&c->told, 0, 0);
    snprintf(c->url, sizeof c->url, "%s%s", f->responder.url, path);
    worker_call(workers_at(f->workers, worker), run_check, c);
}

static bool is_told(struct check *c)
{
    return sem_trywait(&c->told) == 0;
}

static void end(struct check *c)
{
    sem_wait(&c->told);
    assert_int_equal(c->times, 1);
    sem_destroy(&c->told);
}

/* Asks, and waits for what comes of it. */
static struct check ask(struct fixture *f, unsigned worker, int leaf)
{
    struct check c;

    begin(&c, f, worker, leaf, "");
    end(&c);
    return c;
}

static unsigned requests(struct fixture *f)
{
    return atomic_load(&f->responder.requests);
}

/* --- the tests -------------------------------------------------------------------------------- */

static void a_verdict_is_kept_by_the_worker_that_asked(void **state)
{
    static const struct {
        int said;
        enum ocsp_verdict verdict;
    } rows[] = {{V_OCSP_CERTSTATUS_GOOD, OCSP_GOOD}, {V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture *f;
        struct check c;

        setup(state);
        f = *state;
        set_answer(f, LEAF, rows[i].said, 3600);
        c = ask(f, 0, LEAF);
        if (c.status != ST_OK)
            fail_msg("%s", c.why.text);
        assert_int_equal(c.verdict, rows[i].verdict);
        assert_int_equal(requests(f), 1);
        begin(&c, f, 0, LEAF, "");
        assert_true(is_told(&c)); /* inside the call */
        assert_int_equal(c.verdict, rows[i].verdict);
        assert_int_equal(requests(f), 1);
        c = ask(f, 1, LEAF);
        assert_int_equal(c.verdict, rows[i].verdict);
        assert_int_equal(requests(f), 2);
        teardown(state);
    }
}

static void an_answer_without_an_end_is_good_for_one_decision(void **state)
{
    struct fixture *f = *state;

    set_answer(f, LEAF, V_OCSP_CERTSTATUS_GOOD, OCSP_NO_END);
    assert_int_equal(ask(f, 0, LEAF).status, ST_OK);
    assert_int_equal(ask(f, 0, LEAF).status, ST_OK);
    assert_int_equal(requests(f), 2);
}

static void the_same_question_is_asked_once_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct check first, second, third;

    f->responder.is_held = true;
    begin(&first, f, 0, LEAF, "");
    sem_wait(&f->responder.seen);
    begin(&second, f, 0, LEAF, "");
    begin(&third, f, 0, LEAF, "");
    assert_false(is_told(&first) || is_told(&second) || is_told(&third));
    sem_post(&f->responder.go);
    end(&first);
    end(&second);
    end(&third);
    assert_int_equal(first.status, ST_OK);
    assert_int_equal(third.status, ST_OK);
    assert_int_equal(requests(f), 1);
}

static void another_certificate_is_another_question(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, 0, LEAF).status, ST_OK);
    set_answer(f, SIBLING, V_OCSP_CERTSTATUS_REVOKED, 3600);
    assert_int_equal(ask(f, 0, SIBLING).verdict, OCSP_REVOKED);
    assert_int_equal(ask(f, 0, LEAF).verdict, OCSP_GOOD);
    assert_int_equal(requests(f), 2);
}

static void a_responder_that_failed_is_left_alone_by_all_workers(void **state)
{
    struct fixture *f = *state;
    struct check c;

    snprintf(f->responder.status, sizeof f->responder.status, "503 Service Unavailable");
    c = ask(f, 0, LEAF);
    assert_int_equal(c.status, ST_UNAVAILABLE);
    assert_non_null(strstr(c.why.text, "HTTP status 503"));
    for (unsigned worker = 0; worker < WORKERS; worker++) {
        begin(&c, f, worker, SIBLING, "");
        assert_true(is_told(&c));
        assert_int_equal(c.status, ST_UNAVAILABLE);
        assert_string_equal(c.why.text, "the responder did not answer just now");
    }
    assert_int_equal(requests(f), 1);
}

/* Who waits in the pool's queue does not wait for the time-outs of those before. */
static void what_waits_behind_a_failure_is_not_sent(void **state)
{
    struct fixture *f = *state;
    struct check checks[8];

    f->responder.is_held = true;
    snprintf(f->responder.status, sizeof f->responder.status, "500 Broken");
    begin(&checks[0], f, 0, LEAF, "");
    sem_wait(&f->responder.seen);
    begin(&checks[1], f, 0, SIBLING, "");
    for (int i = 2; i < 8; i++) /* both threads of the pool are busy */
        begin(&checks[i], f, 1, i % 2, "");
    sem_post(&f->responder.go);
    end(&checks[0]);
    sem_post(&f->responder.go); /* for the one that may be on its way */
    for (int i = 1; i < 8; i++) {
        end(&checks[i]);
        assert_int_equal(checks[i].status, ST_UNAVAILABLE);
    }
    assert_true(requests(f) <= 2);
}

static void an_unusable_answer_does_not_silence_the_responder(void **state)
{
    struct fixture *f = *state;
    struct check c;

    set_answer(f, SIBLING, V_OCSP_CERTSTATUS_GOOD, 3600);
    c = ask(f, 0, LEAF);
    assert_int_equal(c.status, ST_UNAVAILABLE);
    assert_string_equal(c.why.text, "the answer is about another certificate");
    begin(&c, f, 0, LEAF, "");
    assert_true(is_told(&c));
    assert_string_equal(c.why.text, "the responder's last answer was not usable");
    assert_int_equal(ask(f, 0, SIBLING).status, ST_OK);
    assert_int_equal(requests(f), 2);
}

static void a_responder_that_is_not_allowed_is_not_dialled(void **state)
{
    struct fixture *f = *state;
    struct check c;

    f->rules.allowed_count = 0;
    c = ask(f, 0, LEAF);
    assert_int_equal(c.status, ST_UNAVAILABLE);
    assert_non_null(strstr(c.why.text, "is not allowed: loopback"));
    f->id->options.egress = NULL;
    begin(&c, f, 0, LEAF, "other");
    end(&c);
    assert_non_null(strstr(c.why.text, "is not allowed"));
    assert_int_equal(requests(f), 0);
}

/* Different paths, so different questions. The responder takes one after the other. */
static void a_full_queue_is_an_answer_at_once(void **state)
{
    struct fixture *f = *state;
    struct check *checks = calloc(POOL_HOLDS + 1, sizeof *checks);
    unsigned refused = 0;

    assert_non_null(checks);
    f->responder.is_held = true;
    for (unsigned i = 0; i < POOL_HOLDS + 1; i++) {
        char path[16];

        snprintf(path, sizeof path, "%u", i);
        begin(&checks[i], f, i % WORKERS, LEAF, path);
        if (checks[i].times == 0)
            continue;
        assert_string_equal(checks[i].why.text, "too many questions wait");
        refused++;
    }
    assert_true(refused >= 1 && refused <= 3);
    for (unsigned i = 0; i < POOL_HOLDS + 1 - refused; i++)
        sem_post(&f->responder.go);
    for (unsigned i = 0; i < POOL_HOLDS + 1; i++)
        end(&checks[i]);
    assert_int_equal(requests(f), POOL_HOLDS + 1 - refused);
    free(checks);
}

static void so_many_wait_for_one_answer_and_no_more(void **state)
{
    struct fixture *f = *state;
    struct check *checks = calloc(65, sizeof *checks);

    assert_non_null(checks);
    f->responder.is_held = true;
    for (unsigned i = 0; i < 65; i++)
        begin(&checks[i], f, 0, LEAF, "");
    assert_string_equal(checks[64].why.text, "too many wait for this answer");
    sem_post(&f->responder.go);
    for (unsigned i = 0; i < 65; i++) {
        end(&checks[i]);
        assert_int_equal(checks[i].status, i < 64 ? ST_OK : ST_UNAVAILABLE);
    }
    free(checks);
}

/* --- the memory ------------------------------------------------------------------------------- */

static struct ocsp_answer answer_number(unsigned number, int64_t until_ms)
{
    struct ocsp_answer answer = {.until_ms = until_ms, .is_usable = true};

    /* Many in each bucket, so that chains are walked; the newest falls into that of the oldest. */
    answer.question[0] = (uint8_t)(number % 64);
    memcpy(answer.question + 8, &number, sizeof number);
    return answer;
}

static const struct ocsp_answer *find_number(const struct ocsp_answers *a, unsigned number)
{
    struct ocsp_answer answer = answer_number(number, 0);

    return ocsp_answers_find(a, answer.question, 0);
}

static void the_oldest_answer_makes_room(void **state)
{
    struct ocsp_answers *a = calloc(1, sizeof *a);

    (void)state;
    assert_non_null(a);
    for (unsigned i = 0; i < OCSP_CACHE_MAX + 10; i++) {
        struct ocsp_answer answer = answer_number(i, 1000);

        ocsp_answers_add(a, &answer);
    }
    for (unsigned i = 0; i < OCSP_CACHE_MAX + 10; i += i < 20 ? 1 : 97) {
        if ((find_number(a, i) != NULL) != (i >= 10))
            fail_msg("answer %u", i);
    }
    free(a);
}

static void a_newer_answer_takes_the_place_of_what_was_known(void **state)
{
    struct ocsp_answers *a = calloc(1, sizeof *a);
    struct ocsp_answer old = answer_number(1, 1000), fresh = answer_number(1, 5000);

    (void)state;
    assert_non_null(a);
    fresh.verdict = OCSP_REVOKED;
    ocsp_answers_add(a, &old);
    ocsp_answers_add(a, &fresh);
    assert_true(!a->ring[0].is_used && a->ring[1].is_used);
    assert_int_equal(ocsp_answers_find(a, old.question, 999)->verdict, OCSP_REVOKED);
    assert_non_null(ocsp_answers_find(a, old.question, 4999));
    assert_null(ocsp_answers_find(a, old.question, 5000));
    for (unsigned i = 2; i < OCSP_CACHE_MAX; i++) { /* up to the place of the old one */
        struct ocsp_answer answer = answer_number(i, 1000);

        ocsp_answers_add(a, &answer);
    }
    assert_non_null(find_number(a, 1));
    free(a);
}

static void a_pause_ends_and_is_one_responders(void **state)
{
    struct ocsp_answers *a = calloc(1, sizeof *a);
    const uint64_t one = 0x1234000000000001, same_place = 0x1235000000000001;

    (void)state;
    assert_non_null(a);
    assert_false(ocsp_answers_paused(a, 0, 0));
    ocsp_answers_pause(a, one, 5000);
    assert_true(ocsp_answers_paused(a, one, 4999));
    assert_false(ocsp_answers_paused(a, one, 5000));
    assert_false(ocsp_answers_paused(a, same_place, 4999));
    ocsp_answers_pause(a, same_place, 5000);
    assert_false(ocsp_answers_paused(a, one, 4999));
    free(a);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_is_kept_by_the_worker_that_asked),
        WITH_FIXTURE(an_answer_without_an_end_is_good_for_one_decision),
        WITH_FIXTURE(the_same_question_is_asked_once_at_a_time),
        WITH_FIXTURE(another_certificate_is_another_question),
        WITH_FIXTURE(a_responder_that_failed_is_left_alone_by_all_workers),
        WITH_FIXTURE(what_waits_behind_a_failure_is_not_sent),
        WITH_FIXTURE(an_unusable_answer_does_not_silence_the_responder),
        WITH_FIXTURE(a_responder_that_is_not_allowed_is_not_dialled),
        WITH_FIXTURE(a_full_queue_is_an_answer_at_once),
        WITH_FIXTURE(so_many_wait_for_one_answer_and_no_more),
        cmocka_unit_test(the_oldest_answer_makes_room),
        cmocka_unit_test(a_newer_answer_takes_the_place_of_what_was_known),
        cmocka_unit_test(a_pause_ends_and_is_one_responders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
