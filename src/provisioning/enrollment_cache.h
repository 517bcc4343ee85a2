/* The enrollment groups with their keys open, as one worker knows them.
 *
 * A registration reads the set's version anyway; the cache reads the groups again only when that
 * moved. So a change of a group acts on the very next registration. */
#ifndef MUSTER_PROVISIONING_ENROLLMENT_CACHE_H
#define MUSTER_PROVISIONING_ENROLLMENT_CACHE_H

#include "base/arena.h"
#include "provisioning/enrollment.h"

struct enrollment_cache {
    int64_t version; /* of the set; 0: never read */
    struct arena arena;
    struct enrollment *groups; /* in order of their IDs */
    size_t count;
};

/* Called once the cache is at least as new as asked; may run inside. What `cache` points to holds
 * until the callback returns. */
typedef void enrollment_cache_fn(void *context, enum status status,
                                 const struct enrollment_cache *cache);
/* Of the calling worker. */
void enrollment_cache_at(struct provisioning *p, int64_t version, enrollment_cache_fn *on_cache,
                         void *context);
/* Reads the groups whatever the version: for a change that must see all of them. */
void enrollment_cache_refresh(struct provisioning *p, enrollment_cache_fn *on_cache, void *context);
/* On a thread that may wait, into a cache of the caller's. */
CHECKED enum status enrollment_cache_read_now(struct provisioning *p, struct enrollment_cache *ret);
void enrollment_cache_deinit(struct enrollment_cache *cache);

/* The group of that ID, without case; NULL when there is none. */
const struct enrollment *enrollment_cache_find(const struct enrollment_cache *cache, slice id);

#endif
