/* Deletes what is too old and what was forgotten, a few rows at a time, so that no commit becomes
 * long. On one worker. */
#include "base/log.h"
#include "central/telemetry/projection_internal.h"
#include "central/telemetry/projection_store.h"

#define LOOK_EVERY_MS 1000
#define ROWS_AT_ONCE 64

static void on_timer(struct timer *timer);

static void look_again(struct projection_retention *r)
{
    timer_arm(workers_at(r->projection->ws, 0), &r->timer, LOOK_EVERY_MS, on_timer);
}

static void on_deleted(void *context, enum status status, struct unit *unit)
{
    struct projection_retention *r = context;

    (void)unit;
    if (status == ST_OK) { /* there may be more */
        worker_post(workers_at(r->projection->ws, 0), &r->mail);
        return;
    }
    if (status != ST_CONFLICT) /* with the projection, which deletes what is too much */
        LOG_LIMITED(LOG_LEVEL_WARN, "history_retention_failed",
                    LOG_STR("status", status_name(status)));
    look_again(r);
}

static unsigned add_rows(struct unit *unit, struct rows *rows)
{
    unsigned count = 0;

    for (; rows_next(rows); count++) {
        if (rows_is_null(rows, 1))
            projection_unit_end_series(unit, rows_int(rows, 0));
        else
            projection_unit_delete_history(unit, rows_int(rows, 0), rows_int(rows, 1),
                                           rows_int(rows, 2), rows_int(rows, 3));
    }
    return count;
}

/* Urgent, because it is what makes room again when the disk is nearly full. True: a unit is on its
 * way. */
static bool delete_rows(struct projection_retention *r, enum status status, struct rows *rows)
{
    struct unit *unit = status == ST_OK ? unit_create(r->projection->st) : NULL;

    if (!unit)
        return false;
    unit_set_urgency(unit, UNIT_URGENT);
    if (add_rows(unit, rows) == 0) {
        unit_destroy(unit);
        return false;
    }
    unit_submit(unit, on_deleted, r);
    return true;
}

static void on_aged(void *context, enum status status, struct rows *rows)
{
    struct projection_retention *r = context;

    if (!delete_rows(r, status, rows))
        look_again(r);
}

static void on_gone(void *context, enum status status, struct rows *rows)
{
    struct projection_retention *r = context;

    if (!delete_rows(r, status, rows))
        projection_read_aged(r->projection->st,
                             clock_wall_ms() - r->projection->options.retention_ms, ROWS_AT_ONCE,
                             on_aged, r);
}

static void look(struct projection_retention *r)
{
    projection_read_gone(r->projection->st, ROWS_AT_ONCE, on_gone, r);
}

static void on_timer(struct timer *timer)
{
    look((struct projection_retention *)timer);
}

static void on_mail(struct mail *mail)
{
    look((struct projection_retention *)((char *)mail -
                                         offsetof(struct projection_retention, mail)));
}

void projection_retention_start(struct projection *p)
{
    p->retention.projection = p;
    p->retention.mail.run = on_mail;
    look_again(&p->retention);
}
