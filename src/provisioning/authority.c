#include "provisioning/authority.h"

#include <stdlib.h>

#include "base/log.h"
#include "provisioning/authority_plan.h"
#include "provisioning/authority_view.h"
#include "provisioning/enrollment_store.h"
#include "provisioning/provisioning_internal.h"

#define ROUND_MAX_BYTES                                                                            \
    (4 * 1024 * 1024)                     /* two slots with their lists, and what is made of them  \
                                           */
#define FILE_MAX_BYTES (2 * CRL_FILE_MAX) /* in base64 too */
#define CHANGE_ROUNDS 5

/* One act: group and slots -> plan -> unit of work -> the slots again, as they are then. */
struct authority_task {
    struct pool_job job; /* first: the plan of a file is made on the pool */
    struct provisioning *p;
    struct arena kept, round; /* of the request; of one reading of the slots */
    struct authority_request request;
    struct buf file; /* the request's: wiped, for people upload keys by mistake */
    slice key;       /* of the group */
    struct authority_facts facts;
    struct authority_plan plan;
    enum status planned;
    bool done; /* committed: what is left is to show it */
    unsigned rounds;
    authority_fn *on_views;
    void *context;
    struct fault why;
};

static void begin(struct authority_task *t);

static void task_free(struct authority_task *t)
{
    authority_plan_deinit(&t->plan);
    if (t->file.ptr)
        explicit_bzero(t->file.ptr, t->file.len);
    buf_deinit(&t->file);
    arena_deinit(&t->round);
    arena_deinit(&t->kept);
    free(t);
}

static void finish(struct authority_task *t, enum status status,
                   const struct authority_view views[AUTHORITY_SLOTS])
{
    t->on_views(t->context, status, views, &t->why);
    task_free(t);
}

static void fail(struct authority_task *t, enum status status)
{
    finish(t, status, NULL);
}

static void show(struct authority_task *t)
{
    struct authority_view views[AUTHORITY_SLOTS];
    enum status status = authority_views(t->facts.slots, t->facts.now, &t->round, views, &t->why);

    finish(t, status, status == ST_OK ? views : NULL);
}

/* --- the audit -------------------------------------------------------------------------------- */

static const char *attested_as(const struct authority_row *row)
{
    if (row->verified_at == 0)
        return "no";
    return row->self_attested ? "self-attested" : "by possession";
}

static void note(const struct authority_task *t)
{
    static const char *const events[] = {
        [AUTHORITY_SHOW] = "",
        [AUTHORITY_UPLOAD] = "authority_uploaded",
        [AUTHORITY_ISSUE_CODE] = "authority_code_issued",
        [AUTHORITY_VERIFY] = "authority_verified",
        [AUTHORITY_REMOVE] = "authority_removed",
        [AUTHORITY_SET_CRL] = "authority_crl_set",
        [AUTHORITY_SET_OCSP] = "authority_ocsp_set",
    };
    const struct authority_plan *plan = &t->plan;

    LOG_INFO(
        events[t->request.act], LOG_TEXT("group", t->request.group),
        LOG_STR("slot", plan->slot == AUTHORITY_PRIMARY ? "primary" : "secondary"),
        LOG_TEXT("thumbprint", plan->row.thumbprint), LOG_STR("verified", attested_as(&plan->row)),
        LOG_INT("revoked", plan->row.crl.len / sizeof(uint64_t)), LOG_TEXT("by", t->request.by));
}

/* --- the unit of work ------------------------------------------------------------------------- */

/* The thumbprint that was to be stored is looked for in all other groups: C05. */
static void on_elsewhere(void *context, enum status status, const struct authority_row *row)
{
    struct authority_task *t = context;

    if (row) {
        if (slice_equal(row->thumbprint, t->plan.row.thumbprint) &&
            !slice_equal(row->group, t->key))
            t->planned = fault_set(&t->why, ST_CONFLICT,
                                   "C05: the certificate is in a slot of group '%.*s' already",
                                   SLICE_FMT(slice_first(row->group, 100)));
        return;
    }
    if (status != ST_OK)
        t->planned = fault_set(&t->why, status, "the certificates could not be read");
    if (t->planned == ST_OK && ++t->rounds == CHANGE_ROUNDS)
        t->planned = fault_set(&t->why, ST_UNAVAILABLE, "the slot changed again and again");
    if (t->planned != ST_OK)
        fail(t, t->planned);
    else
        begin(t);
}

static void on_committed(void *context, enum status status, struct unit *unit)
{
    struct authority_task *t = context;

    (void)unit;
    if (status == ST_CONFLICT) {
        authority_read(t->p->st, (slice){0}, on_elsewhere, t);
        return;
    }
    if (status != ST_OK) {
        fail(t, fault_set(&t->why, status, "the slot could not be stored"));
        return;
    }
    trust_changed(t->p->id);
    note(t);
    t->done = true;
    begin(t);
}

static bool revokes(const struct authority_task *t)
{
    return t->request.act == AUTHORITY_REMOVE || t->request.act == AUTHORITY_SET_CRL;
}

static void submit(struct authority_task *t)
{
    const struct authority_plan *plan = &t->plan;
    struct unit *unit = unit_create(t->p->st);

    if (!unit) {
        fail(t, fault_set(&t->why, ST_UNAVAILABLE, "the store has no room"));
        return;
    }
    enrollment_unit_guard_x509(unit, t->key, t->facts.enabled);
    if (plan->change == AUTHORITY_DELETE)
        authority_unit_delete(unit, t->key, plan->slot, plan->was_version);
    else
        authority_unit_put(unit, &plan->row, plan->was_version);
    trust_unit_move(unit);
    if (revokes(t))
        unit_set_urgency(unit, UNIT_URGENT);
    unit_submit(unit, on_committed, t);
}

/* --- the plan --------------------------------------------------------------------------------- */

static void make_plan(struct pool_job *job)
{
    struct authority_task *t = (struct authority_task *)job;

    t->planned = authority_plan(&t->request, &t->facts, &t->round, &t->plan, &t->why);
}

static void on_planned(struct pool_job *job)
{
    struct authority_task *t = (struct authority_task *)job;

    if (t->planned != ST_OK)
        fail(t, t->planned);
    else if (t->plan.change == AUTHORITY_KEEP)
        show(t);
    else
        submit(t);
}

static void plan(struct authority_task *t)
{
    t->job = (struct pool_job){.owner = worker_current(), .work = make_plan, .done = on_planned};
    if (t->request.file.len == 0) {
        make_plan(&t->job);
        on_planned(&t->job);
    } else if (!pool_submit(t->p->ws, &t->job)) {
        fail(t, fault_set(&t->why, ST_UNAVAILABLE, "too much is being read just now"));
    }
}

/* --- what is there ---------------------------------------------------------------------------- */

static void on_slot(void *context, enum status status, const struct authority_row *row)
{
    struct authority_task *t = context;

    if (row) {
        t->facts.slots[row->slot == AUTHORITY_PRIMARY ? 0 : 1] = authority_row_copy(&t->round, row);
        return;
    }
    if (status == ST_OK && t->round.failed)
        status = ST_NO_MEMORY;
    if (status != ST_OK)
        fail(t, fault_set(&t->why, status, "the slots could not be read"));
    else if (t->done)
        show(t);
    else
        plan(t);
}

static void on_group(void *context, enum status status, struct rows *rows)
{
    struct authority_task *t = context;
    struct enrollment_row row = {0};
    bool found = status == ST_OK && rows_next(rows) && enrollment_row_read(rows, 0, &row);

    if (status == ST_OK && !found)
        status = rows_status(rows);
    if (status == ST_OK)
        status = authority_check_group(found ? &row.e : NULL, t->request.group, &t->why);
    if (status != ST_OK) {
        fail(t, status);
        return;
    }
    t->facts.enabled = row.e.enabled;
    authority_read(t->p->st, t->key, on_slot, t);
}

static void begin(struct authority_task *t)
{
    authority_plan_deinit(&t->plan);
    t->plan = (struct authority_plan){0};
    arena_reset(&t->round);
    t->planned = ST_OK;
    t->facts = (struct authority_facts){.group = t->key, .now = clock_wall_ms()};
    enrollment_read(t->p->st, ENROLLMENT_GROUP, t->key, on_group, t);
}

/* --- the request ------------------------------------------------------------------------------ */

static enum status copy_request(struct authority_task *t, const struct authority_request *from)
{
    struct authority_request *r = &t->request;

    *r = *from;
    r->group = arena_copy(&t->kept, from->group);
    r->ocsp_url = arena_copy(&t->kept, from->ocsp_url);
    r->by = arena_copy(&t->kept, from->by);
    t->key = text_lower(&t->kept, from->group);
    if (from->file.len > FILE_MAX_BYTES)
        return fault_set(&t->why, ST_TOO_LARGE, "the file is too large");
    buf_append(&t->file, from->file);
    r->file = buf_slice(&t->file);
    return t->file.failed || t->kept.failed
               ? fault_set(&t->why, ST_NO_MEMORY, "no memory for a certificate")
               : ST_OK;
}

void authority_do(struct provisioning *p, const struct authority_request *request,
                  authority_fn *on_views, void *context)
{
    struct authority_task *t = calloc(1, sizeof *t);
    struct fault why = {ST_NO_MEMORY, "no memory for a certificate"};
    enum status status;

    if (!t) {
        on_views(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    t->p = p;
    t->on_views = on_views;
    t->context = context;
    arena_init(&t->kept, ROUND_MAX_BYTES);
    arena_init(&t->round, ROUND_MAX_BYTES);
    buf_init(&t->file, FILE_MAX_BYTES);
    status = copy_request(t, request);
    if (status != ST_OK)
        fail(t, status);
    else
        begin(t);
}
