/* A shard of the directory: which identities have a live session, and on which worker.
 *
 *     OPEN --nobody there--------------------------------------> entry, OPENED to the opener
 *     OPEN --somebody there--> END to the old one ... CLOSED --> entry, OPENED to the opener
 *                                   |
 *                                   `--> nothing for 2 s: as if closed, so that no worker that
 *                                        hangs can lock a device out
 *
 * The newest wins: a third opener replaces one that still waits. A device and its modules share a
 * shard and a chain, so that a revocation finds all of them. Any call out of here may come back
 * in, when the other side lives on the same worker: so telling is always the last thing done. */
#include "hub/directory.h"

#include <stdlib.h>

#include "base/log.h"

#define FIRST_BUCKETS 256
#define TAKE_OVER_TIMEOUT_MS HUB_ANSWER_TIMEOUT_MS

/* --- words: protocols and client types, kept once ----------------------------------------------
 */

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

static slice word_text(const struct word *word)
{
    return word ? word->text : (slice){0};
}

/* --- entries -----------------------------------------------------------------------------------
 */

uint64_t directory_device_hash(slice hub, slice device_id)
{
    return slice_hash(hub) * 31 ^ slice_hash(device_id);
}

static uint64_t identity_hash(const struct session_message *m)
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

static slice entry_peer(const struct directory_entry *e)
{
    return slice_of(e->text + e->device_len + e->module_len, e->peer_len);
}

static struct directory_entry **chain_of(struct directory *d, const struct session_message *m)
{
    return &d->buckets[directory_device_hash(m->hub, m->device_id) & (d->bucket_count - 1)];
}

static bool is_device(const struct directory_entry *e, const struct session_message *m)
{
    return slice_equal(entry_device(e), m->device_id) && slice_equal(e->hub, m->hub);
}

static bool is_identity(const struct directory_entry *e, const struct session_message *m)
{
    return is_device(e, m) && slice_equal(entry_module(e), m->module_id);
}

struct directory_entry *directory_find(struct directory *d, const struct session_message *m)
{
    struct directory_entry *e = *chain_of(d, m);

    while (e && !is_identity(e, m))
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

            next = e->next;
            e->next = buckets[hash & (count - 1)];
            buckets[hash & (count - 1)] = e;
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

static void entry_destroy(struct directory *d, struct directory_entry *e)
{
    word_give(d, e->protocol);
    word_give(d, e->client_type);
    free(e);
}

static struct directory_entry *entry_insert(struct directory *d, const struct session_message *m)
{
    struct directory_entry *e = entry_create(d, m), **chain;

    if (!e)
        return NULL;
    if (d->entry_count >= d->bucket_count)
        grow(d);
    chain = chain_of(d, m);
    e->next = *chain;
    *chain = e;
    d->entry_count++;
    return e;
}

static void entry_unlink(struct directory *d, struct directory_entry *e)
{
    struct directory_entry **at =
        &d->buckets[directory_device_hash(e->hub, entry_device(e)) & (d->bucket_count - 1)];

    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    d->entry_count--;
}

/* --- revocations: remembered, so that what was authenticated before is not let in after ---------
 */

static void remember(struct directory *d, const struct session_message *m)
{
    d->revocations[d->next_revocation % DIRECTORY_REVOCATIONS] = (struct revocation){
        .hash = m->flag ? directory_device_hash(m->hub, m->device_id) : identity_hash(m),
        .generation = m->number,
        .until_ms = worker_now_ms(d->w->worker) + DIRECTORY_REVOCATION_MS,
        .slots = m->slots,
    };
    d->next_revocation++;
}

static bool is_revoked(const struct directory *d, const struct session_message *m)
{
    uint64_t device = directory_device_hash(m->hub, m->device_id), identity = identity_hash(m);
    int64_t now = worker_now_ms(d->w->worker);

    for (size_t back = 1; back <= DIRECTORY_REVOCATIONS && back <= d->next_revocation; back++) {
        const struct revocation *r =
            &d->revocations[(d->next_revocation - back) % DIRECTORY_REVOCATIONS];

        if (r->until_ms <= now)
            return false; /* all others are older */
        if ((r->hash == device || r->hash == identity) && (r->slots & m->slots) &&
            m->number < r->generation)
            return true;
    }
    return false;
}

/* A revocation that waits for sessions to close: one share in it for each, and one while it is
 * being set up. */
struct revoke {
    uint64_t token;
    size_t shares;
};

static void revoke_less(struct directory *d, struct revoke *r)
{
    const struct session_message m = {.kind = MESSAGE_REVOKED, .token = r->token};

    if (--r->shares > 0)
        return;
    free(r);
    hub_tell_asker(d->w, &m);
}

struct revoke_share {
    struct revoke_share *next;
    struct revoke *revoke;
};

static void give_shares(struct directory *d, struct revoke_share *shares)
{
    while (shares) {
        struct revoke_share *next = shares->next;
        struct revoke *revoke = shares->revoke;

        free(shares);
        shares = next;
        revoke_less(d, revoke);
    }
}

/* --- opening -----------------------------------------------------------------------------------
 */

struct opening {
    struct timer timer;
    struct directory *directory;
    struct directory_entry *entry;
    struct session_message message; /* borrows from `bytes` */
    uint8_t bytes[];
};

static void answer_open(struct directory *d, uint64_t serial, enum status status)
{
    const struct session_message m = {.kind = MESSAGE_OPENED, .serial = serial, .status = status};

    hub_tell_session(d->w, &m);
}

static void tell_end(struct directory *d, uint64_t serial, enum session_end why)
{
    const struct session_message m = {.kind = MESSAGE_END, .serial = serial, .number = why};

    hub_tell_session(d->w, &m);
}

static void on_open(struct directory *d, const struct session_message *m);

/* The old session is gone: who waited is let in. */
static void vacate(struct directory *d, struct directory_entry *e)
{
    struct opening *waiting = e->opening;
    struct revoke_share *shares = e->shares;

    entry_unlink(d, e);
    entry_destroy(d, e);
    if (waiting) {
        timer_cancel(&waiting->timer);
        on_open(d, &waiting->message);
        free(waiting);
    }
    give_shares(d, shares);
}

static void on_take_over_late(struct timer *t)
{
    struct opening *o = (struct opening *)t;

    LOG_WARN("take_over_forced", LOG_TEXT("device", o->message.device_id));
    vacate(o->directory, o->entry);
}

static struct opening *opening_create(struct directory *d, const struct session_message *m)
{
    struct buf *bytes = &d->w->message;
    struct opening *o;

    buf_clear(bytes);
    session_message_encode(m, bytes);
    o = bytes->failed ? NULL : malloc(sizeof *o + bytes->len);
    if (!o)
        return NULL;
    *o = (struct opening){.directory = d};
    memcpy(o->bytes, bytes->ptr, bytes->len);
    if (session_message_decode(slice_of(o->bytes, bytes->len), &o->message))
        return o;
    free(o);
    return NULL;
}

/* Takes the waiting opener out; its serial, or 0 when nobody waited. */
static uint64_t stop_waiting(struct directory_entry *e)
{
    struct opening *o = e->opening;
    uint64_t serial = o ? o->message.serial : 0;

    if (!o)
        return 0;
    e->opening = NULL;
    timer_cancel(&o->timer);
    free(o);
    return serial;
}

static void take_over(struct directory *d, struct directory_entry *e,
                      const struct session_message *m)
{
    struct opening *o = opening_create(d, m);
    uint64_t old = e->serial, replaced;
    bool is_ending = e->is_ending;

    if (!o) {
        answer_open(d, m->serial, ST_UNAVAILABLE);
        return;
    }
    replaced = stop_waiting(e);
    o->entry = e;
    e->opening = o;
    e->is_ending = true;
    timer_arm(d->w->worker, &o->timer, TAKE_OVER_TIMEOUT_MS, on_take_over_late);
    if (replaced)
        answer_open(d, replaced, ST_UNAVAILABLE);
    if (!is_ending)
        tell_end(d, old, SESSION_END_TAKEN_OVER);
}

static void on_open(struct directory *d, const struct session_message *m)
{
    struct directory_entry *e;

    if (is_revoked(d, m)) {
        answer_open(d, m->serial, ST_UNAUTHORIZED);
        return;
    }
    e = directory_find(d, m);
    if (e) {
        take_over(d, e, m);
        return;
    }
    if (!entry_insert(d, m)) {
        answer_open(d, m->serial, ST_UNAVAILABLE);
        return;
    }
    answer_open(d, m->serial, ST_OK);
}

static void on_closed(struct directory *d, const struct session_message *m)
{
    struct directory_entry *e = directory_find(d, m);

    if (e && e->serial == m->serial)
        vacate(d, e);
    else if (e && e->opening && e->opening->message.serial == m->serial)
        stop_waiting(e);
}

/* --- revoking ----------------------------------------------------------------------------------
 */

static bool is_meant(const struct directory_entry *e, const struct session_message *revoke)
{
    return revoke->flag ? is_device(e, revoke) : is_identity(e, revoke);
}

static bool is_outdated(unsigned slots, int64_t generation, const struct session_message *revoke)
{
    return (slots & revoke->slots) && (revoke->number == 0 || generation < revoke->number);
}

static void take_share(struct directory_entry *e, struct revoke *revoke)
{
    struct revoke_share *share = malloc(sizeof *share);

    if (!share)
        return; /* the asker's time-out answers */
    *share = (struct revoke_share){.next = e->shares, .revoke = revoke};
    e->shares = share;
    revoke->shares++;
}

/* Marks what is to end and refuses who waits; the refused one's serial, or 0. */
static uint64_t condemn(struct directory_entry *e, const struct session_message *m,
                        struct revoke *revoke)
{
    const struct opening *o = e->opening;

    if (is_outdated(e->slot, e->credential_generation, m)) {
        e->is_condemned = true;
        take_share(e, revoke);
    }
    if (o && is_outdated(o->message.slots, o->message.number, m))
        return stop_waiting(e);
    return 0;
}

/* The next one to be told. The chain is walked anew each time, for telling may change it. */
static struct directory_entry *next_condemned(struct directory *d, const struct session_message *m)
{
    struct directory_entry *e = *chain_of(d, m);

    while (e && !(is_meant(e, m) && e->is_condemned))
        e = e->next;
    return e;
}

static struct revoke *revoke_create(const struct session_message *m)
{
    struct revoke *revoke = malloc(sizeof *revoke);

    if (revoke)
        *revoke = (struct revoke){.token = m->token, .shares = 1};
    return revoke;
}

static void on_revoke(struct directory *d, const struct session_message *m)
{
    struct revoke *revoke = revoke_create(m);
    struct directory_entry *e;

    remember(d, m);
    if (!revoke) {
        LOG_ERROR("revoke_failed", LOG_TEXT("device", m->device_id));
        return;
    }
    for (e = *chain_of(d, m); e; e = e->next) {
        uint64_t refused = is_meant(e, m) ? condemn(e, m, revoke) : 0;

        if (refused)
            answer_open(d, refused, ST_UNAUTHORIZED);
    }
    while ((e = next_condemned(d, m))) {
        e->is_condemned = false;
        e->is_ending = true;
        tell_end(d, e->serial, SESSION_END_REVOKED);
    }
    revoke_less(d, revoke);
}

/* --- the rest ----------------------------------------------------------------------------------
 */

static void on_query(struct directory *d, const struct session_message *m)
{
    const struct directory_entry *e = directory_find(d, m);
    struct session_message about = {.kind = MESSAGE_INFO, .token = m->token};

    if (!e) {
        hub_tell_asker(d->w, &about);
        return;
    }
    about.kind = MESSAGE_DESCRIBE;
    about.serial = e->serial;
    about.at = e->connected_at;
    about.name = word_text(e->protocol);
    about.text = word_text(e->client_type);
    about.peer = entry_peer(e);
    hub_tell_session(d->w, &about);
}

static void on_changed(struct directory *d, const struct session_message *m)
{
    const struct directory_entry *e = directory_find(d, m);
    const struct session_message told = {
        .kind = m->number ? MESSAGE_DESIRED : MESSAGE_C2D,
        .serial = e ? e->serial : 0,
        .number = m->number,
    };

    if (e)
        hub_tell_session(d->w, &told);
}

static void on_online(struct directory *d, const struct session_message *m)
{
    struct directory_entry *e = directory_find(d, m);

    if (!e || e->serial != m->serial)
        return;
    e->is_callable = m->flag;
    if (m->flag)
        directory_calls_run(d, m);
}

void directory_receive(struct directory *d, const struct session_message *m)
{
    switch (m->kind) {
    case MESSAGE_OPEN:
        on_open(d, m);
        break;
    case MESSAGE_CLOSED:
        on_closed(d, m);
        break;
    case MESSAGE_ONLINE:
        on_online(d, m);
        break;
    case MESSAGE_QUERY:
        on_query(d, m);
        break;
    case MESSAGE_REVOKE:
        on_revoke(d, m);
        break;
    case MESSAGE_CHANGED:
        on_changed(d, m);
        break;
    case MESSAGE_CALL:
        directory_calls_add(d, m);
        break;
    default:
        break;
    }
}

/* --- life --------------------------------------------------------------------------------------
 */

struct directory *directory_create(struct hub_worker *w)
{
    struct directory *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->w = w;
    d->bucket_count = FIRST_BUCKETS;
    d->buckets = calloc(FIRST_BUCKETS, sizeof(struct directory_entry *));
    if (d->buckets)
        return d;
    free(d);
    return NULL;
}

static void destroy_entry_parts(struct directory_entry *e)
{
    stop_waiting(e);
    while (e->shares) {
        struct revoke_share *next = e->shares->next;

        if (--e->shares->revoke->shares == 0)
            free(e->shares->revoke);
        free(e->shares);
        e->shares = next;
    }
}

void directory_destroy(struct directory *d)
{
    if (!d)
        return;
    directory_calls_destroy(d);
    for (size_t i = 0; i < d->bucket_count; i++) {
        for (struct directory_entry *e = d->buckets[i], *next; e; e = next) {
            next = e->next;
            destroy_entry_parts(e);
            entry_destroy(d, e);
        }
    }
    free(d->buckets);
    free(d);
}
