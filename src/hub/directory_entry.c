/* The table of a directory's shard. A device and its modules share a chain. */
#include <stdlib.h>

#include "hub/directory.h"

#define FIRST_BUCKETS 256

/* --- words: protocols and client types, kept once ------------------------------------------- */

struct word {
    struct word *next;
    size_t references;
    slice text;
    uint8_t bytes[];
};

static struct word **word_bucket(struct directory *d, slice text)
{
    return &d->words[slice_hash(text) % DIRECTORY_WORD_BUCKETS];
}

static struct word *word_take(struct directory *d, slice text)
{
    struct word **bucket = word_bucket(d, text), *word = *bucket;

    while (word && !slice_equal(word->text, text))
        word = word->next;
    if (!word) {
        word = malloc(sizeof *word + text.len);
        if (!word)
            return NULL;
        if (text.len)
            memcpy(word->bytes, text.ptr, text.len);
        *word = (struct word){.next = *bucket, .text = {word->bytes, text.len}};
        *bucket = word;
    }
    word->references++;
    return word;
}

static void word_give(struct directory *d, struct word *word)
{
    struct word **at;

    if (!word || --word->references > 0)
        return;
    at = word_bucket(d, word->text);
    while (*at != word)
        at = &(*at)->next;
    *at = word->next;
    free(word);
}

slice directory_word(const struct word *word)
{
    return word ? word->text : (slice){0};
}

/* --- entries -------------------------------------------------------------------------------- */

uint64_t directory_device_hash(slice hub, slice device_id)
{
    return slice_hash(hub) * 31 ^ slice_hash(device_id);
}

uint64_t directory_identity_hash(const struct session_message *m)
{
    return directory_device_hash(m->hub, m->device_id) * 31 ^ slice_hash(m->module_id);
}

static slice entry_device(const struct directory_entry *e)
{
    return slice_of(e->text, e->device_len);
}

static slice entry_module(const struct directory_entry *e)
{
    return slice_of(e->text + e->device_len, e->module_len);
}

slice directory_peer(const struct directory_entry *e)
{
    return slice_of(e->text + e->device_len + e->module_len, e->peer_len);
}

/* The low bits chose the shard: the others choose the bucket. */
static struct directory_entry **bucket_of(struct directory_entry **buckets, size_t count,
                                          uint64_t hash)
{
    return &buckets[hash >> 16 & (count - 1)];
}

struct directory_entry **directory_chain(struct directory *d, const struct session_message *m)
{
    return bucket_of(d->buckets, d->bucket_count, directory_device_hash(m->hub, m->device_id));
}

bool directory_is_device(const struct directory_entry *e, const struct session_message *m)
{
    return slice_equal(entry_device(e), m->device_id) && slice_equal(e->hub, m->hub);
}

bool directory_is_identity(const struct directory_entry *e, const struct session_message *m)
{
    return directory_is_device(e, m) && slice_equal(entry_module(e), m->module_id);
}

struct directory_entry *directory_find(struct directory *d, const struct session_message *m)
{
    struct directory_entry *e = *directory_chain(d, m);

    while (e && !directory_is_identity(e, m))
        e = e->next;
    return e;
}

static void grow(struct directory *d)
{
    size_t count = d->bucket_count * 2;
    struct directory_entry **buckets = calloc(count, sizeof(struct directory_entry *));

    if (!buckets)
        return; /* longer chains will do */
    for (size_t i = 0; i < d->bucket_count; i++) {
        for (struct directory_entry *e = d->buckets[i], *next; e; e = next) {
            uint64_t hash = directory_device_hash(e->hub, entry_device(e));
            struct directory_entry **to = bucket_of(buckets, count, hash);

            next = e->next;
            e->next = *to;
            *to = e;
        }
    }
    free(d->buckets);
    d->buckets = buckets;
    d->bucket_count = count;
}

static struct directory_entry *entry_create(struct directory *d, const struct session_message *m)
{
    const struct hub_name *hub = identity_hub_by_name(d->w->hub->identity, m->hub);
    slice peer = slice_first(m->peer, UINT8_MAX);
    struct directory_entry *e;
    uint8_t *at;

    if (!hub || m->device_id.len > UINT8_MAX || m->module_id.len > UINT8_MAX)
        return NULL;
    e = malloc(sizeof *e + m->device_id.len + m->module_id.len + peer.len);
    if (!e)
        return NULL;
    *e = (struct directory_entry){
        .hub = hub->name,
        .serial = m->serial,
        .credential_generation = m->number,
        .connected_at = clock_wall_ms(),
        .protocol = word_take(d, m->name),
        .client_type = word_take(d, m->text),
        .slot = (uint8_t)m->slots,
        .device_len = (uint8_t)m->device_id.len,
        .module_len = (uint8_t)m->module_id.len,
        .peer_len = (uint8_t)peer.len,
    };
    at = e->text;
    memcpy(at, m->device_id.ptr, m->device_id.len);
    at += m->device_id.len;
    if (m->module_id.len)
        memcpy(at, m->module_id.ptr, m->module_id.len);
    at += m->module_id.len;
    if (peer.len)
        memcpy(at, peer.ptr, peer.len);
    return e;
}

void directory_entry_destroy(struct directory *d, struct directory_entry *e)
{
    word_give(d, e->protocol);
    word_give(d, e->client_type);
    free(e);
}

struct directory_entry *directory_insert(struct directory *d, const struct session_message *m)
{
    struct directory_entry *e = entry_create(d, m), **chain;

    if (!e)
        return NULL;
    if (d->entry_count >= d->bucket_count)
        grow(d);
    chain = directory_chain(d, m);
    e->next = *chain;
    *chain = e;
    d->entry_count++;
    return e;
}

void directory_unlink(struct directory *d, struct directory_entry *e)
{
    uint64_t hash = directory_device_hash(e->hub, entry_device(e));
    struct directory_entry **at = bucket_of(d->buckets, d->bucket_count, hash);

    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    d->entry_count--;
}

bool directory_table_create(struct directory *d)
{
    d->bucket_count = FIRST_BUCKETS;
    d->buckets = calloc(FIRST_BUCKETS, sizeof(struct directory_entry *));
    return d->buckets != NULL;
}
