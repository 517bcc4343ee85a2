/* Desired notifications (2.11, 6.3): a session is told "up to version n" and reads what it has not
 * sent yet, so each patch goes out once and in order, whoever changed the twin and in whatever
 * order the words of it came. */
#include <stdlib.h>

#include "base/log.h"
#include "hub/twin_session.h"
#include "hub/twin_store.h"

#define PATCHES_A_READ 16
#define PATCH_MAX (512 * 1024)

struct session_twin *twin_session_part(struct session *s)
{
    if (s->twin)
        return s->twin;
    s->twin = calloc(1, sizeof *s->twin);
    if (s->twin)
        s->twin->session = s;
    return s->twin;
}

void twin_session_trim(struct session *s)
{
    const struct session_twin *t = s->twin;

    if (!t || t->notifies || t->is_sending || t->starts > 0 || t->first || t->is_marked ||
        t->is_writing)
        return;
    free(s->twin);
    s->twin = NULL;
}

/* --- sending -------------------------------------------------------------------------------- */

static void send_missing(struct session *s);

static bool wants(const struct session *s)
{
    return s->state == SESSION_LIVE && s->twin && s->twin->notifies;
}

static void deliver(struct session *s, int64_t version, slice patch)
{
    BUF_CLEANUP struct buf text = {.max = PATCH_MAX};

    if (version != s->twin->sent + 1)
        LOG_WARN("desired_patches_missed", LOG_TEXT("device", s->device_id),
                 LOG_INT("sent", s->twin->sent), LOG_INT("next", version));
    s->twin->sent = version;
    twin_write_versioned(patch, version, &text);
    if (!text.failed)
        s->ops->deliver_desired(s, version, buf_slice(&text));
}

static void on_patches(void *context, enum status status, struct rows *rows)
{
    struct session *s = context;
    int64_t before = s->twin->sent;
    bool more;

    while (status == ST_OK && wants(s) && rows_next(rows)) {
        int64_t version = rows_int(rows, 0);

        if (version > s->twin->sent)
            deliver(s, version, rows_bytes(rows, 1));
    }
    s->twin->is_sending = false;
    more = wants(s) && s->twin->sent > before && s->twin->told > s->twin->sent;
    if (more)
        send_missing(s);
    twin_session_trim(s);
    session_unhold(s);
}

static void send_missing(struct session *s)
{
    const struct hub_key key = session_key(s);

    s->twin->is_sending = true;
    session_hold(s);
    twin_store_read_patches(s->hub, &key, s->twin->sent, PATCHES_A_READ, on_patches, s);
}

void twin_session_told(struct session *s, int64_t version)
{
    if (!wants(s) || version <= s->twin->told)
        return;
    s->twin->told = version;
    if (!s->twin->is_sending && s->twin->sent > 0 && version > s->twin->sent)
        send_missing(s);
}

/* --- starting and stopping ------------------------------------------------------------------ */

struct starting {
    struct session *session;
    void (*on_ready)(struct session *s, void *context);
    void *context;
};

/* From here on the session is told: what was changed before, a read of the twin shows. */
static void note_version(struct session *s, enum status status, struct rows *rows)
{
    struct session_twin *t = s->twin;

    if (status != ST_OK) {
        LOG_WARN("desired_not_started", LOG_TEXT("device", s->device_id));
        session_end(s, SESSION_END_REVOKED); /* better none than one that misses changes */
    } else if (t->notifies && t->sent == 0) {
        t->sent = rows_next(rows) ? rows_int(rows, 0) : TWIN_FIRST_VERSION;
        t->told = t->told > t->sent ? t->told : t->sent;
    }
}

static void on_version(void *context, enum status status, struct rows *rows)
{
    struct starting *start = context;
    struct session *s = start->session;

    note_version(s, status, rows);
    start->on_ready(s, start->context);
    free(start);
    s->twin->starts--;
    if (wants(s) && s->twin->told > s->twin->sent && !s->twin->is_sending)
        send_missing(s);
    twin_session_trim(s);
    session_unhold(s);
}

static bool start_reading(struct session *s, void (*on_ready)(struct session *s, void *context),
                          void *context)
{
    const struct hub_key key = session_key(s);
    struct session_twin *t = twin_session_part(s);
    struct starting *start = t ? malloc(sizeof *start) : NULL;

    if (!start)
        return false;
    *start = (struct starting){s, on_ready, context};
    if (!t->notifies)
        t->sent = t->told = 0;
    t->notifies = true;
    t->starts++;
    session_hold(s);
    twin_store_read_version(s->hub, &key, on_version, start);
    return true;
}

void twin_session_start(struct session *s, void (*on_ready)(struct session *s, void *context),
                        void *context)
{
    if (s->twin && s->twin->notifies && s->twin->sent > 0) {
        on_ready(s, context);
    } else if (!start_reading(s, on_ready, context)) {
        session_end(s, SESSION_END_REVOKED);
        on_ready(s, context); /* finds the session closed, or closing */
    }
}

void twin_session_stop(struct session *s)
{
    if (!s->twin)
        return;
    s->twin->notifies = false;
    twin_session_trim(s);
}
