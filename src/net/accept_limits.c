#include "net/accept_limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>

#define SETS 2048
#define WAYS 8
#define SPARE_DESCRIPTORS 256
#define MILLI 1000
#define TELL_MS 60000
#define BURST_MAX (UINT32_MAX / MILLI)

struct entry {
    struct address_key key; /* family 0: free */
    uint32_t unauthenticated;
    uint32_t millitokens; /* new connections it may still make, in thousandths */
    int64_t filled_ms;
};

struct accept_limits {
    unsigned sockets_max;
    struct listener_limits limits;
    _Atomic unsigned sockets, unauthenticated;
    _Atomic int64_t tell_at_ms;
    uint64_t seed;
    pthread_mutex_t lock; /* over the entries */
    struct entry entries[SETS * WAYS];
};

static unsigned sockets_by_rlimit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > UINT32_MAX)
        return UINT32_MAX;
    return limit.rlim_cur > 2 * SPARE_DESCRIPTORS ? (unsigned)limit.rlim_cur - SPARE_DESCRIPTORS
                                                  : (unsigned)limit.rlim_cur / 2;
}

struct accept_limits *accept_limits_create(void)
{
    struct accept_limits *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->sockets_max = sockets_by_rlimit();
    l->limits = (struct listener_limits){.unauthenticated_max = 2048,
                                         .unauthenticated_per_address = 64,
                                         .accepts_per_address_s = 100,
                                         .accepts_per_address_burst = 200};
    if (getrandom(&l->seed, sizeof l->seed, 0) != (ssize_t)sizeof l->seed) {
        free(l);
        return NULL;
    }
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void accept_limits_destroy(struct accept_limits *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

void accept_limits_set(struct accept_limits *l, const struct listener_limits *limits)
{
    l->limits = *limits;
    if (l->limits.accepts_per_address_burst > BURST_MAX)
        l->limits.accepts_per_address_burst = BURST_MAX;
    if (l->limits.accepts_per_address_burst == 0)
        l->limits.accepts_per_address_burst = 1;
}

void accept_limits_set_sockets(struct accept_limits *l, unsigned max)
{
    l->sockets_max = max;
}

/* Counts one more unless that would pass `max`; 0 is no maximum. */
static bool count_up(_Atomic unsigned *count, unsigned max)
{
    if (atomic_fetch_add_explicit(count, 1, memory_order_relaxed) < max || max == 0)
        return true;
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
    return false;
}

static void count_down(_Atomic unsigned *count)
{
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
}

/* Seeded, so that nobody can choose addresses that share a set. */
static struct entry *set_of(struct accept_limits *l, struct address_key key)
{
    uint64_t hash = (key.bits ^ l->seed) * 0x9e3779b97f4a7c15;

    hash = ((hash ^ hash >> 32) + key.family) * 0xbf58476d1ce4e5b9;
    return &l->entries[(hash >> 48) % SETS * WAYS];
}

static bool key_equal(struct address_key a, struct address_key b)
{
    return a.bits == b.bits && a.family == b.family;
}

/* The address's entry, or a fresh one in place of the least recent that has nothing open; NULL
 * when all in its set have. */
static struct entry *entry_for(struct accept_limits *l, struct address_key key, int64_t now_ms)
{
    struct entry *set = set_of(l, key), *oldest = NULL;

    for (size_t i = 0; i < WAYS; i++) {
        if (key_equal(set[i].key, key))
            return &set[i];
        if (set[i].unauthenticated == 0 && (!oldest || set[i].filled_ms < oldest->filled_ms))
            oldest = &set[i];
    }
    if (oldest)
        *oldest = (struct entry){.key = key,
                                 .millitokens = l->limits.accepts_per_address_burst * MILLI,
                                 .filled_ms = now_ms};
    return oldest;
}

static bool take_token(const struct listener_limits *limits, struct entry *e, int64_t now_ms)
{
    uint64_t burst = (uint64_t)limits->accepts_per_address_burst * MILLI;
    uint64_t passed_ms = now_ms > e->filled_ms ? (uint64_t)(now_ms - e->filled_ms) : 0;
    uint64_t tokens = e->millitokens + passed_ms * limits->accepts_per_address_s;

    if (limits->accepts_per_address_s == 0)
        return true;
    tokens = tokens < burst ? tokens : burst;
    e->filled_ms = now_ms > e->filled_ms ? now_ms : e->filled_ms;
    e->millitokens = (uint32_t)(tokens < MILLI ? tokens : tokens - MILLI);
    return tokens >= MILLI;
}

static const char *enter_address(struct accept_limits *l, struct address_key key, int64_t now_ms,
                                 struct accept_place *place)
{
    unsigned max = l->limits.unauthenticated_per_address;
    const char *refused_by = NULL;
    struct entry *e;

    if (max == 0 && l->limits.accepts_per_address_s == 0)
        return NULL;
    pthread_mutex_lock(&l->lock);
    e = entry_for(l, key, now_ms);
    if (!e || (max != 0 && e->unauthenticated >= max)) {
        refused_by = "unauthenticated_per_address";
    } else if (!take_token(&l->limits, e, now_ms)) {
        refused_by = "accepts_per_second";
    } else {
        e->unauthenticated++;
        place->address = (uint32_t)(e - l->entries) + 1;
    }
    pthread_mutex_unlock(&l->lock);
    return refused_by;
}

const char *accept_limits_enter(struct accept_limits *l, const union address *peer, int64_t now_ms,
                                struct accept_place *ret)
{
    struct accept_place place = {.unauthenticated = true};
    const char *refused_by;

    if (!count_up(&l->sockets, l->sockets_max))
        return "open files (ulimit -n)";
    if (!count_up(&l->unauthenticated, l->limits.unauthenticated_max)) {
        count_down(&l->sockets);
        return "unauthenticated";
    }
    refused_by = enter_address(l, address_key(peer), now_ms, &place);
    if (refused_by) {
        count_down(&l->unauthenticated);
        count_down(&l->sockets);
        return refused_by;
    }
    *ret = place;
    return NULL;
}

bool accept_limits_may_tell(struct accept_limits *l, int64_t now_ms)
{
    int64_t next_ms = atomic_load_explicit(&l->tell_at_ms, memory_order_relaxed);

    return now_ms >= next_ms &&
           atomic_compare_exchange_strong(&l->tell_at_ms, &next_ms, now_ms + TELL_MS);
}

void accept_limits_authenticated(struct accept_limits *l, struct accept_place *place)
{
    if (!place->unauthenticated)
        return;
    place->unauthenticated = false;
    count_down(&l->unauthenticated);
    if (place->address == 0)
        return;
    pthread_mutex_lock(&l->lock);
    l->entries[place->address - 1].unauthenticated--;
    pthread_mutex_unlock(&l->lock);
    place->address = 0;
}

void accept_limits_leave(struct accept_limits *l, struct accept_place *place)
{
    accept_limits_authenticated(l, place);
    count_down(&l->sockets);
}
