/* New operations, and what is asked of those that there are: on any worker. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "central/operation/operation_internal.h"
#include "central/operation/operation_store.h"
#include "identity/access/audit.h"

/* One call, until its answer. */
struct asking {
    struct operations *ops;
    operation_fn *on_operation;
    void *context;
    size_t id_len;
    uint8_t id[OPERATION_ID_LEN];
};

static struct asking *ask(struct operations *ops, slice id, operation_fn *on_operation,
                          void *context)
{
    struct asking *a = malloc(sizeof *a);
    struct fault why = {ST_NO_MEMORY, "no memory for an operation"};

    if (!a) {
        on_operation(context, ST_NO_MEMORY, NULL, &why);
        return NULL;
    }
    *a = (struct asking){.ops = ops, .on_operation = on_operation, .context = context};
    a->id_len = id.len <= sizeof a->id ? id.len : 0;
    if (a->id_len > 0)
        memcpy(a->id, id.ptr, a->id_len);
    return a;
}

static slice id_of(const struct asking *a)
{
    return slice_of(a->id, a->id_len);
}

static void refuse(struct asking *a, enum status status, const char *sentence)
{
    struct fault why;

    (void)fault_set(&why, status, "%s", sentence);
    a->on_operation(a->context, status, NULL, &why);
    free(a);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void on_one(void *context, enum status status, struct rows *rows)
{
    struct asking *a = context;
    struct fault why = {0};
    struct operation o;

    if (status == ST_OK && !rows_next(rows)) {
        status = rows_status(rows);
        if (status == ST_OK) {
            refuse(a, ST_NOT_FOUND, "no such operation");
            return;
        }
    }
    if (status != ST_OK) {
        refuse(a, status, "the operation could not be read");
        return;
    }
    operation_from_row(rows, &o);
    a->on_operation(a->context, ST_OK, &o, &why);
    free(a);
}

void operation_get(struct operations *ops, slice id, operation_fn *on_operation, void *context)
{
    struct asking *a = ask(ops, id, on_operation, context);

    if (a)
        operation_read_one(ops->c->st, id_of(a), on_one, a);
}

static void on_list(void *context, enum status status, struct rows *rows)
{
    struct asking *a = context;
    struct fault why = {status, "the operations could not be read"};
    struct operation o;

    while (status == ST_OK && rows_next(rows)) {
        operation_from_row(rows, &o);
        a->on_operation(a->context, ST_OK, &o, &why);
    }
    if (status == ST_OK)
        status = rows_status(rows);
    a->on_operation(a->context, status, NULL, &why);
    free(a);
}

void operation_list(struct operations *ops, slice before, unsigned limit,
                    operation_fn *on_operation, void *context)
{
    struct asking *a = ask(ops, before, on_operation, context);

    if (a)
        operation_read_list(ops->c->st, id_of(a), limit, on_list, a);
}

/* --- reports ---------------------------------------------------------------------------------- */

struct part_query {
    struct operations *ops;
    enum operation_report report;
    report_fn *on_part;
    void *context;
    size_t id_len;
    uint8_t id[OPERATION_ID_LEN];
};

static void give_part(struct part_query *q, int64_t number, slice content)
{
    BUF_CLEANUP struct buf open = {.max = UNIT_MAX_BYTES};
    enum status status = ST_OK;
    struct fault why;

    if (q->report == REPORT_REJECTED) {
        status =
            operation_open_part(q->ops, slice_of(q->id, q->id_len), number, content, &open, &why);
        content = buf_slice(&open);
    }
    q->on_part(q->context, status, number, content);
    if (open.ptr)
        explicit_bzero(open.ptr, open.len);
}

static void on_part_row(void *context, enum status status, struct rows *rows)
{
    struct part_query *q = context;

    if (status == ST_OK && rows_next(rows)) {
        give_part(q, rows_int(rows, 0), rows_bytes(rows, 1));
    } else {
        if (status == ST_OK)
            status = rows_status(rows);
        q->on_part(q->context, status, 0, (slice){0});
    }
    free(q);
}

void operation_read_report(struct operations *ops, slice id, enum operation_report report,
                           int64_t after, report_fn *on_part, void *context)
{
    struct part_query *q = malloc(sizeof *q);

    if (!q) {
        on_part(context, ST_NO_MEMORY, 0, (slice){0});
        return;
    }
    *q = (struct part_query){.ops = ops, .report = report, .on_part = on_part, .context = context};
    q->id_len = id.len <= sizeof q->id ? id.len : 0;
    if (q->id_len > 0)
        memcpy(q->id, id.ptr, q->id_len);
    operation_read_part(ops->c->st, slice_of(q->id, q->id_len), report, after, on_part_row, q);
}

/* --- cancelling ------------------------------------------------------------------------------- */

struct cancel_mail {
    struct mail mail;
    struct asking asking;
};

/* At home: the step that is under way is the last. */
static void on_cancel_mail(struct mail *mail)
{
    struct cancel_mail *m = (struct cancel_mail *)mail;

    for (struct operation_run *r = m->asking.ops->runs; r; r = r->next) {
        if (slice_equal(r->id, id_of(&m->asking)))
            r->is_cancelled = true;
    }
    free(m);
}

static void tell_home(const struct asking *a)
{
    struct cancel_mail *m = malloc(sizeof *m);

    if (!m)
        return; /* the row says so, and the next start looks there */
    m->mail.run = on_cancel_mail;
    m->asking = *a;
    worker_post(a->ops->home, &m->mail);
}

static void on_cancelled(void *context, enum status status, struct unit *unit)
{
    struct asking *a = context;

    (void)unit;
    if (status == ST_CONFLICT) {
        refuse(a, ST_CONFLICT, "there is no such operation, or it is finished");
        return;
    }
    if (status != ST_OK) {
        refuse(a, status, "the operation could not be cancelled");
        return;
    }
    tell_home(a);
    operation_read_one(a->ops->c->st, id_of(a), on_one, a);
}

void operation_cancel(struct operations *ops, slice id, operation_fn *on_operation, void *context)
{
    struct asking *a = ask(ops, id, on_operation, context);
    struct unit *unit;

    if (!a)
        return;
    unit = unit_create(ops->c->st);
    if (!unit) {
        refuse(a, ST_UNAVAILABLE, "the store has no room");
        return;
    }
    unit_set_urgency(unit, UNIT_URGENT);
    operation_unit_cancel(unit, id_of(a));
    unit_submit(unit, on_cancelled, a);
}

/* --- beginning -------------------------------------------------------------------------------- */

/* IDs are in the order of time. */
void operation_make_id(char to[OPERATION_ID_LEN])
{
    char text[32];
    uint32_t random;

    random_bytes(&random, sizeof random);
    snprintf(text, sizeof text, "%011" PRIx64 "%05" PRIx32,
             (uint64_t)clock_wall_ms() & 0xfffffffffff, random & 0xfffff);
    memcpy(to, text, OPERATION_ID_LEN);
}

struct beginning {
    struct asking *asking;
    struct operation_run *run;
    instant now;
};

static void tell_begun(struct asking *a, const struct operation_run *r, instant now)
{
    BUF_CLEANUP struct buf counts = {.max = 4096};
    struct fault why = {0};

    operation_write_counts(r->type, r->progress.counts, &counts);
    const struct operation o = {
        .id = r->id,
        .kind = r->kind,
        .actor = r->actor,
        .parameters = r->parameters,
        .counts = counts.failed ? SLICE("{}") : buf_slice(&counts),
        .total = -1,
        .created_at = now,
        .updated_at = now,
    };

    a->on_operation(a->context, ST_OK, &o, &why);
    free(a);
}

static void on_begun(void *context, enum status status, struct unit *unit)
{
    struct beginning b = *(struct beginning *)context;

    (void)unit;
    free(context);
    if (status == ST_OK) {
        tell_begun(b.asking, b.run, b.now);
        operation_run_send(b.run);
        return;
    }
    operation_run_destroy(b.run);
    if (status == ST_CONFLICT)
        refuse(
            b.asking, ST_THROTTLED,
            "another import is under way, or too many operations; see which with GET operations");
    else
        refuse(b.asking, status, "the operation could not be stored");
}

static void add_audit(const struct operation_new *n, const struct operation_run *r,
                      struct unit *unit)
{
    const struct audit_entry e = {
        .actor = r->actor,
        .source = n->who->source,
        .action = slice_str(operation_action(n->kind)),
        .target = r->id,
        .result = SLICE("begun"),
        .request_id = n->who->request_id,
        .after = r->parameters,
    };

    audit_unit_add(unit, &e);
}

static void submit(struct asking *a, const struct operation_new *n, struct operation_run *r)
{
    struct unit *unit = unit_create(a->ops->c->st);
    struct beginning *b = malloc(sizeof *b);

    if (!unit || !b) {
        unit_destroy(unit);
        free(b);
        operation_run_destroy(r);
        refuse(a, ST_UNAVAILABLE, "no room for an operation");
        return;
    }
    *b = (struct beginning){.asking = a, .run = r, .now = clock_wall_ms()};
    operation_unit_insert(unit, r, b->now);
    add_audit(n, r, unit);
    if (n->add)
        n->add(n->add_context, unit);
    unit_submit(unit, on_begun, b);
}

void operation_begin(struct operations *ops, const struct operation_new *n,
                     operation_fn *on_operation, void *context)
{
    struct asking *a = ask(ops, (slice){0}, on_operation, context);
    char fresh[OPERATION_ID_LEN];
    struct operation_run *r;
    slice id = n->id;

    if (!a)
        return;
    if (id.len == 0) {
        operation_make_id(fresh);
        id = slice_of(fresh, sizeof fresh);
    }
    r = operation_run_create(ops, n->kind, id, slice_str(n->who->by->name), n->parameters,
                             n->items);
    if (r)
        submit(a, n, r);
    else
        refuse(a, ST_NO_MEMORY, "no memory for an operation");
}
