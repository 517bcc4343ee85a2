#include "identity/trust/ocsp_check.h"

#include <stdlib.h>

#include "base/log.h"
#include "crypto/certificate_read.h"
#include "crypto/crypto.h"
#include "identity/identity_internal.h"
#include "identity/trust/ocsp_answers.h"
#include "net/egress.h"
#include "net/http_client.h"

#define WAITERS_MAX 64 /* of one question */
#define HTTP_OK 200

struct waiter {
    struct waiter *next;
    ocsp_check_fn *on_verdict;
    void *context;
};

/* A question on its way. The worker owns it; between submit and done the pool works on it. */
struct asking {
    struct pool_job job; /* first */
    struct asking *next;
    struct identity *id;
    struct ocsp_cache *cache;
    uint8_t question[SHA256_LEN];
    uint64_t responder;
    struct waiter *waiters;
    size_t waiter_count;
    char *url;
    struct x509_st *certificate, *issuer;

    enum status status; /* what came of it */
    enum ocsp_verdict verdict;
    int64_t until_ms;  /* monotonic: how long that holds */
    bool was_not_sent; /* the responder is paused */
    struct fault why;
};

struct ocsp_cache {
    struct ocsp_answers answers;
    struct asking *asking;
};

struct ocsp_cache *ocsp_cache_create(void)
{
    return calloc(1, sizeof(struct ocsp_cache));
}

static void asking_destroy(struct asking *q)
{
    while (q->waiters) {
        struct waiter *next = q->waiters->next;

        free(q->waiters);
        q->waiters = next;
    }
    certificate_free(q->certificate);
    certificate_free(q->issuer);
    free(q->url);
    free(q);
}

void ocsp_cache_destroy(struct ocsp_cache *cache)
{
    if (!cache)
        return;
    while (cache->asking) { /* the pool ended before their answers could be told */
        struct asking *next = cache->asking->next;

        asking_destroy(cache->asking);
        cache->asking = next;
    }
    free(cache);
}

/* --- on the pool ----------------------------------------------------------------------------- */

/* All workers learn it at once, and those who wait in the pool's queue too. */
static void pause_responder(const struct asking *q)
{
    int64_t until_ms = clock_mono_ms() + OCSP_PAUSE_MS;

    for (unsigned i = 0; i < q->id->worker_count; i++)
        ocsp_answers_pause(&q->id->workers[i].ocsp->answers, q->responder, until_ms);
}

static enum status post(struct asking *q, slice request, struct http_answer *ret)
{
    static const struct egress_rules nowhere;
    const struct egress_rules *rules = q->id->options.egress;
    const struct http_call call = {
        .method = "POST",
        .url = q->url,
        .may_be_plain = true, /* answers are signed */
        .accept = "application/ocsp-response",
        .body = request,
        .content_type = "application/ocsp-request",
        .timeout_s = OCSP_TIMEOUT_S,
        .answer_max = OCSP_ANSWER_MAX,
        .egress = rules ? rules : &nowhere,
    };
    enum status status = http_call(&call, ret, &q->why);

    if (status == ST_OK && ret->status != HTTP_OK) {
        buf_deinit(&ret->body);
        status = fault_set(&q->why, ST_UNAVAILABLE, "%.100s: HTTP status %d", q->url, ret->status);
    }
    if (status == ST_UNAVAILABLE)
        pause_responder(q);
    return status;
}

/* Until nextUpdate, an hour at most. What the responder does not know, or what cannot be used, is
 * asked again sooner: another device's answer may be good meanwhile. */
static int64_t life_ms(const struct asking *q, instant until, instant now)
{
    int64_t life = until - now;

    if (q->status != ST_OK)
        return OCSP_PAUSE_MS;
    if (q->verdict == OCSP_UNKNOWN && life > OCSP_PAUSE_MS)
        return OCSP_PAUSE_MS;
    return life > OCSP_LIFE_MS ? OCSP_LIFE_MS : life;
}

static void judge(struct asking *q, slice answer, const uint8_t nonce[OCSP_NONCE_LEN])
{
    instant now = clock_wall_ms(), until = 0;

    q->status =
        ocsp_judge(answer, q->certificate, q->issuer, nonce, now, &q->verdict, &until, &q->why);
    if (q->status == ST_OK || q->status == ST_BAD_ANSWER)
        q->until_ms = clock_mono_ms() + life_ms(q, until, now);
}

static void on_pool(struct pool_job *job)
{
    struct asking *q = (struct asking *)job;
    struct ocsp_question question;
    struct http_answer answer;

    q->was_not_sent = ocsp_answers_paused(&q->cache->answers, q->responder, clock_mono_ms());
    if (q->was_not_sent) {
        q->status = fault_set(&q->why, ST_UNAVAILABLE, "%.100s did not answer just now", q->url);
        return;
    }
    q->status = ocsp_ask(q->certificate, q->issuer, &question, &q->why);
    if (q->status != ST_OK)
        return;
    q->status = post(q, buf_slice(&question.request), &answer);
    if (q->status == ST_OK) {
        judge(q, buf_slice(&answer.body), question.nonce);
        buf_deinit(&answer.body);
    }
    buf_deinit(&question.request);
}

/* --- on the worker --------------------------------------------------------------------------- */

static void give_none(ocsp_check_fn *on_verdict, void *context, const char *cause)
{
    struct fault why;

    fault_set(&why, ST_UNAVAILABLE, "%s", cause);
    on_verdict(context, ST_UNAVAILABLE, OCSP_UNKNOWN, &why);
}

static void forget_asking(struct asking *q)
{
    struct asking **link = &q->cache->asking;

    while (*link != q)
        link = &(*link)->next;
    *link = q->next;
}

static void remember(struct asking *q)
{
    struct ocsp_answer answer = {
        .until_ms = q->until_ms, .verdict = q->verdict, .is_usable = q->status == ST_OK};

    if (q->until_ms <= clock_mono_ms())
        return;
    memcpy(answer.question, q->question, sizeof answer.question);
    ocsp_answers_add(&q->cache->answers, &answer);
}

static void on_done(struct pool_job *job)
{
    struct asking *q = (struct asking *)job;

    forget_asking(q);
    remember(q);
    if (q->status != ST_OK && !q->was_not_sent)
        LOG_LIMITED(LOG_LEVEL_WARN, "ocsp_failed", LOG_STR("url", q->url), LOG_FAULT(&q->why));
    for (const struct waiter *w = q->waiters; w; w = w->next)
        w->on_verdict(w->context, q->status == ST_OK ? ST_OK : ST_UNAVAILABLE, q->verdict, &q->why);
    asking_destroy(q);
}

/* One who waits more. In the order in which they came. */
static bool add_waiter(struct asking *q, ocsp_check_fn *on_verdict, void *context)
{
    struct waiter **end = &q->waiters, *w;

    if (q->waiter_count == WAITERS_MAX)
        return false;
    w = malloc(sizeof *w);
    if (!w)
        return false;
    *w = (struct waiter){.on_verdict = on_verdict, .context = context};
    while (*end)
        end = &(*end)->next;
    *end = w;
    q->waiter_count++;
    return true;
}

static struct asking *asking_create(struct identity *id, slice url, struct x509_st *certificate,
                                    struct x509_st *issuer, const uint8_t question[SHA256_LEN])
{
    struct asking *q = calloc(1, sizeof *q);

    if (!q)
        return NULL;
    q->job = (struct pool_job){.work = on_pool, .done = on_done};
    q->id = id;
    q->cache = id->workers[worker_index(worker_current())].ocsp;
    memcpy(q->question, question, sizeof q->question);
    q->responder = slice_hash(url);
    q->url = slice_to_cstr(url);
    q->certificate = certificate_share(certificate);
    q->issuer = certificate_share(issuer);
    if (q->url)
        return q;
    asking_destroy(q);
    return NULL;
}

static void ask(struct asking *q, ocsp_check_fn *on_verdict, void *context)
{
    const char *cause = NULL;

    if (!q || !add_waiter(q, on_verdict, context))
        cause = "no memory";
    else if (!pool_submit(q->id->ws, &q->job))
        cause = "too many questions wait";
    if (cause) {
        if (q)
            asking_destroy(q);
        give_none(on_verdict, context, cause);
        return;
    }
    q->next = q->cache->asking;
    q->cache->asking = q;
}

static void join(struct asking *q, ocsp_check_fn *on_verdict, void *context)
{
    if (!add_waiter(q, on_verdict, context))
        give_none(on_verdict, context, "too many wait for this answer");
}

static bool tell_known(const struct ocsp_cache *cache, const uint8_t question[SHA256_LEN],
                       ocsp_check_fn *on_verdict, void *context)
{
    const struct ocsp_answer *a = ocsp_answers_find(&cache->answers, question, clock_mono_ms());

    if (a && a->is_usable)
        on_verdict(context, ST_OK, a->verdict, NULL);
    else if (a)
        give_none(on_verdict, context, "the responder's last answer was not usable");
    return a != NULL;
}

static bool digest_question(slice url, const struct x509_st *certificate,
                            const struct x509_st *issuer, uint8_t ret[SHA256_LEN])
{
    BUF_CLEANUP struct buf text = {.max = 2 * THUMBPRINT_MAX + EGRESS_URL_MAX};
    struct thumbprints of_certificate, of_issuer;

    if (!certificate_thumbprints(certificate, &of_certificate) ||
        !certificate_thumbprints(issuer, &of_issuer))
        return false;
    buf_append(&text, slice_of(of_certificate.sha256, THUMBPRINT_SHA256_LEN));
    buf_append(&text, slice_of(of_issuer.sha256, THUMBPRINT_SHA256_LEN));
    buf_append(&text, url);
    sha256(buf_slice(&text), ret);
    return !text.failed;
}

static struct asking *find_asking(const struct ocsp_cache *cache,
                                  const uint8_t question[SHA256_LEN])
{
    struct asking *q = cache->asking;

    while (q && memcmp(q->question, question, SHA256_LEN) != 0)
        q = q->next;
    return q;
}

void ocsp_check(struct identity *id, slice url, struct x509_st *certificate, struct x509_st *issuer,
                ocsp_check_fn *on_verdict, void *context)
{
    struct ocsp_cache *cache = id->workers[worker_index(worker_current())].ocsp;
    uint8_t question[SHA256_LEN];
    struct asking *q;

    if (!digest_question(url, certificate, issuer, question)) {
        give_none(on_verdict, context, "the question cannot be made");
        return;
    }
    if (tell_known(cache, question, on_verdict, context))
        return;
    q = find_asking(cache, question);
    if (q)
        join(q, on_verdict, context);
    else if (ocsp_answers_paused(&cache->answers, slice_hash(url), clock_mono_ms()))
        give_none(on_verdict, context, "the responder did not answer just now");
    else
        ask(asking_create(id, url, certificate, issuer, question), on_verdict, context);
}
