/* A worker's sessions by serial. Serials count up, so their low bits spread them evenly. */
#include <stdlib.h>

#include "hub/hub_internal.h"

#define FIRST_BUCKETS 64

static struct session **bucket_of(struct session **buckets, size_t count, uint64_t serial)
{
    return &buckets[serial & (count - 1)];
}

static bool grow(struct session_table *t)
{
    size_t count = t->bucket_count ? t->bucket_count * 2 : FIRST_BUCKETS;
    struct session **buckets = calloc(count, sizeof(struct session *));

    if (!buckets)
        return t->bucket_count > 0; /* longer chains will do */
    for (size_t i = 0; i < t->bucket_count; i++) {
        for (struct session *s = t->buckets[i], *next; s; s = next) {
            struct session **to = bucket_of(buckets, count, s->serial);

            next = s->next_in_bucket;
            s->next_in_bucket = *to;
            *to = s;
        }
    }
    free(t->buckets);
    t->buckets = buckets;
    t->bucket_count = count;
    return true;
}

bool session_table_insert(struct session_table *t, struct session *s)
{
    struct session **bucket;

    if (t->count >= t->bucket_count && !grow(t))
        return false;
    bucket = bucket_of(t->buckets, t->bucket_count, s->serial);
    s->next_in_bucket = *bucket;
    *bucket = s;
    t->count++;
    return true;
}

/* One that is not in it is no mistake: it was refused before it came to that. */
void session_table_remove(struct session_table *t, struct session *s)
{
    struct session **at;

    if (t->count == 0)
        return;
    at = bucket_of(t->buckets, t->bucket_count, s->serial);
    while (*at && *at != s)
        at = &(*at)->next_in_bucket;
    if (!*at)
        return;
    *at = s->next_in_bucket;
    s->next_in_bucket = NULL;
    t->count--;
}

struct session *session_table_find(const struct session_table *t, uint64_t serial)
{
    struct session *s;

    if (t->count == 0)
        return NULL;
    s = *bucket_of(t->buckets, t->bucket_count, serial);
    while (s && s->serial != serial)
        s = s->next_in_bucket;
    return s;
}
