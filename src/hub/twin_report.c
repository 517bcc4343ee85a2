/* Reported patches of a device (6.3). What a session reports in one turn, and while an earlier
 * batch is being written, is one batch: the row is read, the patches are merged one after the
 * other, each with a version of its own, and the result is written once, guarded by the version
 * that was read. So a device may have many reports in flight and pays for one write. */
#include <stdlib.h>

#include "base/metrics.h"
#include "codec/twin_merge.h"
#include "hub/twin_session.h"
#include "hub/twin_store.h"

#define PATCH_BYTES_MAX (96 * 1024)
#define REPORTS_MAX 128                /* waiting in a session */
#define REPORT_BYTES_MAX (1024 * 1024) /* of them */
#define BATCH_MAX 64
#define ATTEMPTS_MAX 8

struct report {
    struct report *next;
    twin_report_fn *on_done;
    void *context;
    uint64_t token;
    int64_t base_version; /* -1: none */
    int64_t version;      /* after it, once merged */
    enum status status;
    bool is_decided; /* refused: is not merged, waits for its turn to be answered */
    slice patch;     /* lies behind */
    char cause[FAULT_TEXT_MAX];
    uint8_t bytes[];
};

/* --- the queue ------------------------------------------------------------------------------ */

static void append(struct session_twin *t, struct report *r)
{
    if (t->last)
        t->last->next = r;
    else
        t->first = r;
    t->last = r;
    t->report_count++;
    t->report_bytes += r->patch.len;
}

static struct report *take_first(struct session_twin *t)
{
    struct report *r = t->first;

    t->first = r->next;
    if (!t->first)
        t->last = NULL;
    t->report_count--;
    t->report_bytes -= r->patch.len;
    return r;
}

static void refuse(struct report *r, enum status status, const struct fault *why)
{
    r->is_decided = true;
    r->status = status;
    memcpy(r->cause, why->text, sizeof r->cause);
}

/* --- merging -------------------------------------------------------------------------------- */

struct merging {
    struct hub_worker *w;
    const struct twin *row;
    struct json *reported, *metadata;
    int64_t version;
    size_t merged;
};

static enum status load(struct merging *m, struct fault *why)
{
    struct arena *arena = &m->w->scratch;
    enum status status;

    arena_reset(arena);
    m->version = m->row->reported_version;
    m->merged = 0;
    status = json_parse(m->row->reported, JSON_LAST_WINS, arena, &m->reported, why);
    if (status == ST_OK)
        status = json_parse(m->row->reported_metadata, JSON_LAST_WINS, arena, &m->metadata, why);
    return status == ST_OK ? ST_OK : fault_set(why, ST_INTERNAL, "the stored twin is damaged");
}

static enum status check(const struct merging *m, const struct report *r, struct json **ret,
                         struct fault *why)
{
    enum status status = json_parse(r->patch, JSON_LAST_WINS, &m->w->scratch, ret, why);

    if (status == ST_OK)
        status = twin_patch_check(*ret, why);
    if (status == ST_OK && r->base_version >= 0 && r->base_version != m->version)
        return fault_set(why, ST_PRECONDITION_FAILED, "reported is at version %lld",
                         (long long)m->version);
    return status;
}

/* A merge that fails leaves half a tree behind: *ret_broken. */
static enum status merge_one(struct merging *m, struct report *r, instant now, bool *ret_broken,
                             struct fault *why)
{
    const struct twin_stamp stamp = {.at = now};
    struct json *patch;
    enum status status = check(m, r, &patch, why);

    *ret_broken = m->w->scratch.failed;
    if (status != ST_OK)
        return status;
    status =
        twin_merge(m->reported, m->metadata, patch, stamp, TWIN_SECTION_MAX, &m->w->scratch, why);
    *ret_broken = status != ST_OK;
    if (status != ST_OK)
        return status;
    r->version = ++m->version;
    m->merged++;
    return ST_OK;
}

/* How many reports the batch is to hold. When a merge breaks the trees after others had gone
 * well, the batch ends there and is merged anew without the one that broke them: two rounds at
 * most, whatever a device sends. */
static enum status merge_batch(struct merging *m, struct session_twin *t, instant now,
                               struct fault *why)
{
    size_t limit = t->report_count < BATCH_MAX ? t->report_count : BATCH_MAX, at = 0;
    struct report *r = t->first;
    enum status status = load(m, why);

    while (status == ST_OK && at < limit) {
        bool is_broken = false, had_others = m->merged > 0;
        struct fault cause;
        enum status one = r->is_decided ? ST_OK : merge_one(m, r, now, &is_broken, &cause);

        if (one != ST_OK)
            refuse(r, one, &cause);
        at++;
        r = r->next;
        if (!is_broken)
            continue;
        status = load(m, why);
        if (had_others) {
            limit = at;
            at = 0;
            r = t->first;
        }
    }
    t->batched = limit;
    return status;
}

/* --- a batch's way through the store -------------------------------------------------------- */

static void mark(struct session *s);
static void start_batch(struct session *s);

static void answer(struct session *s, struct report *r, enum status status)
{
    struct fault why = {.status = r->status};

    if (!r->is_decided && status != ST_OK)
        fault_set(&why, status, "the twin could not be written");
    else
        memcpy(why.text, r->cause, sizeof why.text);
    if (!r->is_decided && status == ST_OK)
        metric_add(METRIC_TWIN_REPORTED, 1);
    if (s->state == SESSION_LIVE)
        r->on_done(r->context, r->token, r->is_decided ? r->status : status, r->version, &why);
    free(r);
}

/* The batch is over: answers, and the next one. */
static void finish_batch(struct session *s, enum status status)
{
    struct session_twin *t = s->twin;

    t->attempts = 0;
    while (t->batched > 0 && t->first) {
        t->batched--;
        answer(s, take_first(t), status);
    }
    t->batched = 0;
    t->is_writing = false; /* only now: until here a closing session keeps its part */
    if (t->first && s->state == SESSION_LIVE)
        mark(s);
    twin_session_trim(s);
    session_unhold(s);
}

/* What was refused for the version that another writer has moved since is judged anew. */
static void reconsider(struct session_twin *t)
{
    for (struct report *r = t->first; r; r = r->next) {
        if (r->status == ST_PRECONDITION_FAILED)
            r->is_decided = false;
    }
}

static void on_written(void *context, enum status status, struct unit *unit)
{
    struct session *s = context;

    (void)unit;
    if (status == ST_CONFLICT && ++s->twin->attempts < ATTEMPTS_MAX && s->state == SESSION_LIVE) {
        reconsider(s->twin);
        start_batch(s);
        session_unhold(s);
        return;
    }
    finish_batch(s, status == ST_CONFLICT ? ST_UNAVAILABLE : status);
}

static enum status write_batch(struct session *s, struct merging *m, instant now)
{
    const struct hub_key key = session_key(s);
    struct buf *text = &m->w->text, *metadata = &m->w->metadata;
    struct twin t = {.reported_version = m->version, .reported_at = now};
    struct unit *unit;

    buf_clear(text);
    buf_clear(metadata);
    json_write(m->reported, text);
    json_write(m->metadata, metadata);
    if (text->failed || metadata->failed)
        return ST_NO_MEMORY;
    t.reported = buf_slice(text);
    t.reported_metadata = buf_slice(metadata);
    unit = unit_create(s->hub->store);
    if (!unit)
        return ST_UNAVAILABLE;
    twin_unit_put_reported(unit, &key, &t, m->row->reported_version);
    unit_submit(unit, on_written, s);
    return ST_OK;
}

static void on_row(void *context, enum status status, struct rows *rows)
{
    struct session *s = context;
    instant now = clock_wall_ms();
    struct merging m = {.w = hub_worker_of(s)};
    struct twin row = {0};
    struct fault why;

    m.row = &row;
    s->twin->batched = s->twin->report_count;
    if (status == ST_OK && !twin_row_read(rows, &row))
        status = ST_INTERNAL;
    if (status == ST_OK)
        status = merge_batch(&m, s->twin, now, &why);
    if (status == ST_OK && m.merged > 0 && s->state == SESSION_LIVE)
        status = write_batch(s, &m, now);
    else
        m.merged = 0;
    if (status != ST_OK || m.merged == 0)
        finish_batch(s, status);
}

static void start_batch(struct session *s)
{
    const struct hub_key key = session_key(s);

    s->twin->is_writing = true;
    session_hold(s);
    twin_store_read(s->hub, &key, on_row, s);
}

/* --- the turn's end ------------------------------------------------------------------------- */

static void mark(struct session *s)
{
    struct hub_worker *w = hub_worker_of(s);

    if (s->twin->is_marked || s->twin->is_writing)
        return;
    s->twin->is_marked = true;
    s->twin->next_marked = w->reports;
    w->reports = s->twin;
    session_hold(s);
    worker_at_turn_end(w->worker, &w->report_hook);
}

void twin_reports_run(struct turn_hook *hook)
{
    struct hub_worker *w =
        (struct hub_worker *)((char *)hook - offsetof(struct hub_worker, report_hook));
    struct session_twin *marked = w->reports;

    w->reports = NULL;
    while (marked) {
        struct session *s = marked->session;

        marked = marked->next_marked;
        s->twin->is_marked = false;
        if (s->state == SESSION_LIVE && s->twin->first && !s->twin->is_writing)
            start_batch(s);
        else
            twin_session_trim(s);
        session_unhold(s);
    }
}

/* --- the door ------------------------------------------------------------------------------- */

static struct report *report_create(slice patch)
{
    slice kept = patch.len > PATCH_BYTES_MAX ? (slice){0} : patch;
    struct report *r = malloc(sizeof *r + kept.len);

    if (!r)
        return NULL;
    *r = (struct report){.base_version = -1};
    if (kept.len)
        memcpy(r->bytes, kept.ptr, kept.len);
    r->patch = slice_of(r->bytes, kept.len);
    return r;
}

void twin_report(struct session *s, slice patch, bool has_base, int64_t base_version,
                 twin_report_fn *on_done, void *context, uint64_t token)
{
    struct session_twin *t = s->state == SESSION_LIVE ? twin_session_part(s) : NULL;
    struct report *r = NULL;
    struct fault why;

    if (s->state != SESSION_LIVE)
        return;
    if (t && t->report_count < REPORTS_MAX && t->report_bytes < REPORT_BYTES_MAX)
        r = report_create(patch);
    if (!r) {
        fault_set(&why, t ? ST_THROTTLED : ST_UNAVAILABLE, "too many reports in flight");
        on_done(context, token, why.status, 0, &why);
        return;
    }
    r->on_done = on_done;
    r->context = context;
    r->token = token;
    if (has_base)
        r->base_version = base_version < 0 ? INT64_MAX : base_version;
    if (patch.len > PATCH_BYTES_MAX) {
        fault_set(&why, ST_TOO_LARGE, "reported patch of %zu bytes", patch.len);
        refuse(r, ST_TOO_LARGE, &why);
    }
    s->last_activity_ms = worker_now_ms(s->worker);
    append(t, r);
    mark(s);
}

/* What is being written goes on; nobody is told of it any more. */
void twin_session_close(struct session *s)
{
    if (!s->twin)
        return;
    while (s->twin->first)
        free(take_first(s->twin));
    s->twin->batched = 0;
    s->twin->notifies = false;
    twin_session_trim(s);
}
