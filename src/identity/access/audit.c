#include "identity/access/audit.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "codec/json.h"
#include "identity/identity_internal.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define TEXT_MAX 512 /* of a field that comes from a request */

static const struct sql add_sql = {
    "INSERT INTO audit (number, at, actor, action, target, entry, hash)"
    " SELECT newest.number + 1, ?1, ?2, ?3, ?4, ?5, sha256_hex(newest.hash || ' ' ||"
    " CAST(newest.number + 1 AS TEXT) || ' ' || ?5)"
    " FROM (SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1) newest"};
/* More go than come, so the past does not pile up; the start of the chain stays. */
static const struct sql forget_sql = {
    "DELETE FROM audit WHERE number IN (SELECT number FROM audit WHERE number > 0"
    " ORDER BY number LIMIT 2) AND at < ?1"};
static const struct sql bounds_sql = {"SELECT MIN(number), MAX(number) FROM audit"
                                      " WHERE number > 0"};
/* ?1 numbers below, ?2 and from, ?3 and ?4 time, ?5 actor, ?6 action, ?7 target, ?8 how many. The
 * row before is the one that the hash stands on. */
static const struct sql list_sql = {
    "SELECT a.number, a.entry, a.hash, COALESCE(p.hash, '') FROM audit a"
    " LEFT JOIN audit p ON p.number = a.number - 1"
    " WHERE a.number > 0 AND a.number < ?1 AND a.number >= ?2 AND a.at >= ?3 AND a.at < ?4"
    " AND (?5 = '' OR a.actor = ?5)"
    " AND (?6 = '' OR a.action = ?6 OR substr(a.action, 1, length(?6) + 1) = ?6 || '.')"
    " AND (?7 = '' OR a.target = ?7)"
    " ORDER BY a.number DESC LIMIT ?8"};

/* --- writing ---------------------------------------------------------------------------------- */

/* What a request says may be any bytes, and long. */
static slice tame(slice text, struct buf *to)
{
    slice start = slice_first(text, TEXT_MAX);

    while (start.len > 0 && start.len < text.len && (text.ptr[start.len] & 0xc0) == 0x80)
        start.len--; /* not in the middle of a character */
    if (start.len == 0)
        return SLICE("");
    if (utf8_valid(start))
        return start;
    percent_encode(start, to);
    return buf_slice(to);
}

static void put_facts(struct json_writer *w, slice name, slice json)
{
    if (json.len > 0)
        json_put_raw(w, name, json);
}

static void write_entry(const struct audit_entry *e, slice target, instant at, struct buf *to)
{
    struct json_writer w = {.to = to};
    char text[CLOCK_TEXT_MAX];

    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("at"), clock_iso(at, text));
    json_put_text(&w, SLICE("actor"), e->actor);
    json_put_text(&w, SLICE("source"), e->source);
    json_put_text(&w, SLICE("action"), e->action);
    json_put_text(&w, SLICE("target"), target);
    json_put_text(&w, SLICE("result"), e->result);
    json_put_text(&w, SLICE("requestId"), e->request_id);
    put_facts(&w, SLICE("before"), e->before);
    put_facts(&w, SLICE("after"), e->after);
    json_close(&w, '}');
}

void audit_unit_add(struct unit *unit, const struct audit_entry *e)
{
    BUF_CLEANUP struct buf entry = {.max = AUDIT_ENTRY_MAX}, encoded = {.max = 4 * TEXT_MAX};
    struct audit_entry less = *e;
    instant now = clock_wall_ms();
    slice target = tame(e->target, &encoded);

    write_entry(e, target, now, &entry);
    if (entry.failed) { /* too much to tell: who and what must do */
        less.before = less.after = (slice){0};
        buf_clear(&entry);
        write_entry(&less, target, now, &entry);
    }
    const struct sql_value values[] = {SQL_INT_(now), SQL_TEXT_(e->actor), SQL_TEXT_(e->action),
                                       SQL_TEXT_(target), SQL_TEXT_(buf_slice(&entry))};
    const struct sql_value oldest = SQL_INT_(now - AUDIT_KEPT_DAYS * DAY_MS);

    unit_add(unit, &add_sql, values, COUNT_OF(values), EXPECT_ONE);
    unit_add(unit, &forget_sql, &oldest, 1, EXPECT_ANY);
}

/* Who waits for a note. */
struct note {
    audit_noted_fn *on_noted;
    void *context;
};

static void finish_note(const struct note *n, enum status status)
{
    if (status != ST_OK)
        LOG_ERROR("audit_failed", LOG_STR("status", status_name(status)));
    if (n->on_noted)
        n->on_noted(n->context, status);
}

/* `context` NULL: nobody waits. */
static void on_unit_done(void *context, enum status status, struct unit *unit)
{
    static const struct note unheard;

    (void)unit;
    finish_note(context ? context : &unheard, status);
    free(context);
}

void audit_note(struct identity *id, const struct audit_entry *e, enum unit_urgency urgency,
                audit_noted_fn *on_noted, void *context)
{
    struct unit *unit = unit_create(id->store);
    struct note *n = on_noted ? malloc(sizeof *n) : NULL;

    if (!unit || (on_noted && !n)) {
        unit_destroy(unit);
        free(n);
        finish_note(&(struct note){on_noted, context}, ST_UNAVAILABLE);
        return;
    }
    if (n)
        *n = (struct note){on_noted, context};
    unit_set_urgency(unit, urgency);
    audit_unit_add(unit, e);
    unit_submit(unit, on_unit_done, n);
}

/* --- refusals --------------------------------------------------------------------------------- */

/* A slot counts the refusals of a second, of all sources whose hash leads there: so none is ever
 * told more often than it may be, and a few less than they might. */
static bool takes_denial(struct identity *id, slice source)
{
    uint64_t hash = slice_hash(host_without_port(source)); /* a new port is no new source */
    _Atomic uint64_t *slot = &id->denials[hash % COUNT_OF(id->denials)];
    uint64_t second = (uint64_t)clock_mono_ms() / 1000;
    uint64_t was = atomic_load_explicit(slot, memory_order_relaxed), now;

    do {
        uint64_t count = was >> 8 == second ? (was & 0xff) : 0;

        if (count >= AUDIT_DENIALS_A_SECOND)
            return false;
        now = second << 8 | (count + 1);
    } while (!atomic_compare_exchange_weak_explicit(slot, &was, now, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

void audit_note_denial(struct identity *id, const struct audit_entry *e)
{
    if (takes_denial(id, e->source))
        audit_note(id, e, UNIT_ORDINARY, NULL, NULL);
}

/* --- reading ---------------------------------------------------------------------------------- */

struct listing {
    struct identity *id;
    struct audit_filter filter;
    audit_fn *on_row;
    void *context;
    int64_t oldest, low; /* there is, and looked at this time */
    int64_t last;        /* given */
    unsigned given;
};

static void end(struct listing *l, enum status status, int64_t before)
{
    l->on_row(l->context, status, NULL, before);
    free(l);
}

static void on_rows(void *context, enum status status, struct rows *rows)
{
    struct listing *l = context;
    int64_t before;

    while (status == ST_OK && rows_next(rows)) {
        const struct audit_row r = {.number = rows_int(rows, 0),
                                    .entry = rows_bytes(rows, 1),
                                    .hash = rows_bytes(rows, 2),
                                    .previous = rows_bytes(rows, 3)};

        l->last = r.number;
        l->given++;
        l->on_row(l->context, ST_OK, &r, 0);
    }
    if (status == ST_OK)
        status = rows_status(rows);
    before = l->given >= l->filter.limit ? l->last : l->low;
    end(l, status, status == ST_OK && before > l->oldest ? before : 0);
}

static void list_window(struct listing *l, int64_t newest)
{
    const struct audit_filter *f = &l->filter;
    int64_t high = f->before > 0 && f->before <= newest ? f->before : newest + 1;

    l->low = high > AUDIT_WINDOW ? high - AUDIT_WINDOW : 1;
    const struct sql_value values[] = {
        SQL_INT_(high),
        SQL_INT_(l->low),
        SQL_INT_(f->from),
        SQL_INT_(f->to > 0 ? f->to : INT64_MAX),
        SQL_TEXT_(f->actor.ptr ? f->actor : SLICE("")),
        SQL_TEXT_(f->action.ptr ? f->action : SLICE("")),
        SQL_TEXT_(f->target.ptr ? f->target : SLICE("")),
        SQL_INT_(f->limit),
    };
    store_read(l->id->store, &list_sql, values, COUNT_OF(values), on_rows, l);
}

static void on_bounds(void *context, enum status status, struct rows *rows)
{
    struct listing *l = context;

    if (status == ST_OK && rows_next(rows) && !rows_is_null(rows, 0)) {
        l->oldest = rows_int(rows, 0);
        list_window(l, rows_int(rows, 1));
        return;
    }
    if (status == ST_OK)
        status = rows_status(rows);
    end(l, status, 0);
}

void audit_list(struct identity *id, const struct audit_filter *filter, audit_fn *on_row,
                void *context)
{
    struct listing *l = malloc(sizeof *l);

    if (!l) {
        on_row(context, ST_NO_MEMORY, NULL, 0);
        return;
    }
    *l = (struct listing){.id = id, .filter = *filter, .on_row = on_row, .context = context};
    store_read(id->store, &bounds_sql, NULL, 0, on_bounds, l);
}
