#include "identity/trust/ocsp_answers.h"

#include <assert.h>

#define TAG_BITS 16

/* --- answers --------------------------------------------------------------------------------- */

static_assert((OCSP_CACHE_MAX & (OCSP_CACHE_MAX - 1)) == 0 && OCSP_CACHE_MAX <= 1 << 16,
              "two bytes of the digest pick the bucket");

static uint32_t bucket_of(const uint8_t question[SHA256_LEN])
{
    return ((uint32_t)question[0] << 8 | question[1]) & (OCSP_CACHE_MAX - 1);
}

static bool is_about(const struct ocsp_answer *answer, const uint8_t question[SHA256_LEN])
{
    return memcmp(answer->question, question, SHA256_LEN) == 0;
}

static uint32_t place_of(const struct ocsp_answers *a, const uint8_t question[SHA256_LEN])
{
    uint32_t place = a->buckets[bucket_of(question)];

    while (place != 0 && !is_about(&a->ring[place - 1], question))
        place = a->ring[place - 1].next;
    return place;
}

static void drop(struct ocsp_answers *a, uint32_t place)
{
    struct ocsp_answer *answer = &a->ring[place - 1];
    uint32_t *link = &a->buckets[bucket_of(answer->question)];

    while (*link != place)
        link = &a->ring[*link - 1].next;
    *link = answer->next;
    *answer = (struct ocsp_answer){0};
}

const struct ocsp_answer *ocsp_answers_find(const struct ocsp_answers *a,
                                            const uint8_t question[SHA256_LEN], int64_t now_ms)
{
    uint32_t place = place_of(a, question);

    if (place == 0 || now_ms >= a->ring[place - 1].until_ms)
        return NULL;
    return &a->ring[place - 1];
}

void ocsp_answers_add(struct ocsp_answers *a, const struct ocsp_answer *answer)
{
    uint32_t known = place_of(a, answer->question), place = a->oldest + 1;
    uint32_t *bucket = &a->buckets[bucket_of(answer->question)];

    if (known != 0)
        drop(a, known);
    if (a->ring[place - 1].is_used)
        drop(a, place);
    a->ring[place - 1] = *answer;
    a->ring[place - 1].is_used = true;
    a->ring[place - 1].next = *bucket;
    *bucket = place;
    a->oldest = place % OCSP_CACHE_MAX;
}

/* --- pauses ---------------------------------------------------------------------------------- */

static uint64_t tag_of(uint64_t responder)
{
    return responder >> (64 - TAG_BITS);
}

void ocsp_answers_pause(struct ocsp_answers *a, uint64_t responder, int64_t until_ms)
{
    atomic_store_explicit(&a->pauses[responder % OCSP_PAUSES],
                          (uint64_t)until_ms << TAG_BITS | tag_of(responder), memory_order_relaxed);
}

bool ocsp_answers_paused(const struct ocsp_answers *a, uint64_t responder, int64_t now_ms)
{
    uint64_t pause =
        atomic_load_explicit(&a->pauses[responder % OCSP_PAUSES], memory_order_relaxed);

    return (pause & ((1U << TAG_BITS) - 1)) == tag_of(responder) &&
           now_ms < (int64_t)(pause >> TAG_BITS);
}
