#include "provisioning/enrollment.h"

#include <stdlib.h>

#include "identity/trust/authority_store.h"
#include "provisioning/enrollment_check.h"
#include "provisioning/enrollment_store.h"
#include "provisioning/provisioning_internal.h"

#define TASK_MAX_BYTES (1024 * 1024)
#define CHANGE_ROUNDS 5

/* --- reading ---------------------------------------------------------------------------------- */

struct enrollment_query {
    struct provisioning *p;
    bool with_keys;
    enrollment_fn *on_enrollment;
    void *context;
};

static bool query_create(struct provisioning *p, bool with_keys, enrollment_fn *on_enrollment,
                         void *context, struct enrollment_query **ret)
{
    struct fault why = {ST_NO_MEMORY, "no memory for an enrollment"};

    *ret = malloc(sizeof **ret);
    if (!*ret) {
        on_enrollment(context, ST_NO_MEMORY, NULL, &why);
        return false;
    }
    **ret = (struct enrollment_query){p, with_keys, on_enrollment, context};
    return true;
}

static void on_one(void *context, enum status status, struct rows *rows)
{
    struct enrollment_query *q = context;
    struct enrollment_row row = {0};
    struct fault why = {0};

    if (status == ST_OK && !(rows_next(rows) && enrollment_row_read(rows, 0, &row))) {
        status = rows_status(rows);
        if (status == ST_OK)
            status = fault_set(&why, ST_NOT_FOUND, "no such enrollment");
    }
    if (status == ST_OK && q->with_keys)
        status = enrollment_row_open(q->p->sealer, &row, &why);
    q->on_enrollment(q->context, status, status == ST_OK ? &row.e : NULL, &why);
    secret_wipe(&row.e.primary);
    secret_wipe(&row.e.secondary);
    free(q);
}

void enrollment_get(struct provisioning *p, enum enrollment_kind kind, slice id, bool with_keys,
                    enrollment_fn *on_enrollment, void *context)
{
    struct arena ARENA_CLEANUP arena = {.max = 4096};
    struct enrollment_query *q;

    if (query_create(p, with_keys, on_enrollment, context, &q))
        enrollment_read(p->st, kind, text_lower(&arena, id), on_one, q);
}

void enrollment_of_device(struct provisioning *p, const struct device *d, bool with_keys,
                          enrollment_fn *on_enrollment, void *context)
{
    struct arena ARENA_CLEANUP arena = {.max = 4096};
    slice individual = d->enrollment_kind == ENROLLMENT_INDIVIDUAL ? d->enrollment_id : d->id;
    slice group = d->enrollment_kind == ENROLLMENT_GROUP ? d->enrollment_id : (slice){0};
    struct enrollment_query *q;

    if (query_create(p, with_keys, on_enrollment, context, &q))
        enrollment_read_first(p->st, text_lower(&arena, individual), text_lower(&arena, d->id),
                              text_lower(&arena, group), on_one, q);
}

bool enrollment_stands_for(const struct enrollment *e, slice device_id)
{
    return e->kind == ENROLLMENT_INDIVIDUAL &&
           slice_equal_nocase(e->device_id.len > 0 ? e->device_id : e->id, device_id);
}

static void on_each(void *context, enum status status, struct rows *rows)
{
    struct enrollment_query *q = context;
    struct enrollment_row row;
    struct fault why = {0};

    while (status == ST_OK && rows_next(rows)) {
        if (enrollment_row_read(rows, 0, &row))
            q->on_enrollment(q->context, ST_OK, &row.e, &why);
    }
    if (status == ST_OK)
        status = rows_status(rows);
    q->on_enrollment(q->context, status, NULL, &why);
    free(q);
}

void enrollment_list(struct provisioning *p, enum enrollment_kind kind, slice after, unsigned limit,
                     enrollment_fn *on_enrollment, void *context)
{
    struct arena ARENA_CLEANUP arena = {.max = 4096};
    struct enrollment_query *q;

    if (query_create(p, false, on_enrollment, context, &q))
        enrollment_read_list(p->st, kind, text_lower(&arena, after), limit, on_each, q);
}

/* --- changing: the stored one is read, the new one made of it, both guarded ------------------- */

enum enrollment_act { ENROLLMENT_PUT, ENROLLMENT_REGENERATE, ENROLLMENT_DELETE };

struct enrollment_task {
    struct provisioning *p;
    enum enrollment_act act;
    struct arena arena;
    enum enrollment_kind kind;
    slice id, key;
    struct enrollment *wanted;  /* ENROLLMENT_PUT */
    enum credential_slot slot;  /* ENROLLMENT_REGENERATE */
    struct enrollment *stored;  /* as it is now; NULL: none */
    struct enrollment *changed; /* as it is to be */
    instant now;
    unsigned rounds;
    bool moves_trust; /* its certificates count from now on, or no longer */
    enrollment_fn *on_enrollment;
    void *context;
    struct fault why;
};

static void begin(struct enrollment_task *t);

static void wipe(struct enrollment *e)
{
    if (!e)
        return;
    secret_wipe(&e->primary);
    secret_wipe(&e->secondary);
}

static void finish(struct enrollment_task *t, enum status status, const struct enrollment *e)
{
    t->on_enrollment(t->context, status, status == ST_OK ? e : NULL, &t->why);
    wipe(t->wanted);
    wipe(t->stored);
    wipe(t->changed);
    arena_deinit(&t->arena);
    free(t);
}

static struct enrollment_task *change_create(struct provisioning *p, enum enrollment_act act,
                                             enum enrollment_kind kind, slice id,
                                             enrollment_fn *on_enrollment, void *context)
{
    struct enrollment_task *t = calloc(1, sizeof *t);
    struct fault why = {ST_NO_MEMORY, "no memory for an enrollment"};

    if (!t) {
        on_enrollment(context, ST_NO_MEMORY, NULL, &why);
        return NULL;
    }
    *t = (struct enrollment_task){.p = p,
                                  .act = act,
                                  .kind = kind,
                                  .now = clock_wall_ms(),
                                  .on_enrollment = on_enrollment,
                                  .context = context};
    arena_init(&t->arena, TASK_MAX_BYTES);
    t->id = arena_copy(&t->arena, id);
    t->key = text_lower(&t->arena, id);
    return t;
}

/* --- the unit --------------------------------------------------------------------------------- */

static void on_changed(void *context, enum status status, struct unit *unit)
{
    struct enrollment_task *t = context;

    (void)unit;
    if (status == ST_CONFLICT && ++t->rounds < CHANGE_ROUNDS) {
        begin(t);
        return;
    }
    if (status != ST_OK)
        (void)fault_set(&t->why, status, "the enrollment could not be stored");
    else if (t->stored)
        t->changed->version++;
    if (status == ST_OK && t->moves_trust)
        trust_changed(t->p->id);
    finish(t, status, t->changed);
}

/* The authorities of a group vouch for as long as it is enabled. */
static void add_trust(struct enrollment_task *t, struct unit *unit)
{
    t->moves_trust = t->kind == ENROLLMENT_GROUP && t->stored &&
                     t->changed->attestation == ATTEST_X509 &&
                     t->changed->enabled != t->stored->enabled;
    if (!t->moves_trust)
        return;
    authority_unit_enable(unit, t->key, t->changed->enabled);
    trust_unit_move(unit);
    if (!t->changed->enabled)
        unit_set_urgency(unit, UNIT_URGENT);
}

static void submit(struct enrollment_task *t, const struct enrollment_cache *groups)
{
    struct unit *unit = unit_create(t->p->st);

    if (!unit) {
        (void)fault_set(&t->why, ST_UNAVAILABLE, "the store has no room");
        finish(t, ST_UNAVAILABLE, NULL);
        return;
    }
    if (groups)
        enrollment_unit_move_set(unit, groups->version);
    if (t->stored)
        enrollment_unit_update(unit, t->p->sealer, t->changed, t->now);
    else
        enrollment_unit_insert(unit, t->p->sealer, t->changed, t->now);
    add_trust(t, unit);
    unit_submit(unit, on_changed, t);
}

static void on_groups(void *context, enum status status, const struct enrollment_cache *groups)
{
    struct enrollment_task *t = context;

    if (status == ST_OK)
        status = enrollment_check_among(groups, t->changed, !t->stored, &t->why);
    if (status != ST_OK)
        finish(t, status, NULL);
    else
        submit(t, groups);
}

/* A key that is not given is kept, or made. */
static void complete_key(struct secret *key, const struct secret *stored)
{
    if (key->len == 0 && stored)
        *key = *stored;
    if (key->len == 0)
        secret_generate(key, SECRET_MAX);
}

static enum status make_changed(struct enrollment_task *t)
{
    const struct enrollment *from = t->act == ENROLLMENT_PUT ? t->wanted : t->stored;
    struct enrollment *e = enrollment_copy(&t->arena, from);

    t->changed = e;
    if (!e)
        return fault_set(&t->why, ST_NO_MEMORY, "no memory for an enrollment");
    if (t->act == ENROLLMENT_REGENERATE)
        secret_generate(t->slot == CREDENTIAL_PRIMARY ? &e->primary : &e->secondary, SECRET_MAX);
    if (e->attestation == ATTEST_SYMMETRIC_KEY) {
        complete_key(&e->primary, t->stored ? &t->stored->primary : NULL);
        complete_key(&e->secondary, t->stored ? &t->stored->secondary : NULL);
    }
    e->version = t->stored ? t->stored->version : 1;
    e->created_at = t->stored ? t->stored->created_at : t->now;
    e->updated_at = t->now;
    return ST_OK;
}

static enum status check_regenerated(struct enrollment_task *t)
{
    if (!t->stored)
        return fault_set(&t->why, ST_NOT_FOUND, "no such enrollment");
    if (t->stored->attestation != ATTEST_SYMMETRIC_KEY)
        return fault_set(&t->why, ST_BAD_REQUEST, "an enrollment for certificates has no keys");
    return ST_OK;
}

static enum status check_stored(struct enrollment_task *t)
{
    if (t->act == ENROLLMENT_REGENERATE)
        return check_regenerated(t);
    if (t->wanted->version == 0)
        return t->stored ? fault_set(&t->why, ST_CONFLICT, "the enrollment exists") : ST_OK;
    if (!t->stored || t->stored->version != t->wanted->version)
        return fault_set(&t->why, ST_PRECONDITION_FAILED, "the enrollment changed meanwhile");
    if (t->stored->attestation != t->wanted->attestation)
        return fault_set(&t->why, ST_BAD_REQUEST, "the attestation cannot change");
    return ST_OK;
}

static enum status keep_stored(struct enrollment_task *t, struct rows *rows)
{
    struct enrollment_row row = {0};
    enum status status;

    wipe(t->stored);
    wipe(t->changed);
    t->stored = t->changed = NULL;
    if (!rows_next(rows) || !enrollment_row_read(rows, 0, &row))
        return rows_status(rows);
    status = enrollment_row_open(t->p->sealer, &row, &t->why);
    if (status == ST_OK) {
        t->stored = enrollment_copy(&t->arena, &row.e);
        if (!t->stored)
            status = fault_set(&t->why, ST_NO_MEMORY, "no memory for an enrollment");
    }
    wipe(&row.e);
    return status;
}

static void on_stored(void *context, enum status status, struct rows *rows)
{
    struct enrollment_task *t = context;

    if (status == ST_OK)
        status = keep_stored(t, rows);
    if (status == ST_OK)
        status = check_stored(t);
    if (status == ST_OK)
        status = make_changed(t);
    if (status != ST_OK)
        finish(t, status, NULL);
    else if (t->kind == ENROLLMENT_GROUP)
        enrollment_cache_refresh(t->p, on_groups, t);
    else
        submit(t, NULL);
}

static void begin(struct enrollment_task *t)
{
    enrollment_read(t->p->st, t->kind, t->key, on_stored, t);
}

void enrollment_put(struct provisioning *p, const struct enrollment *e,
                    enrollment_fn *on_enrollment, void *context)
{
    struct enrollment_task *t =
        change_create(p, ENROLLMENT_PUT, e->kind, e->id, on_enrollment, context);
    enum status status;

    if (!t)
        return;
    t->wanted = enrollment_copy(&t->arena, e);
    status = t->wanted ? enrollment_check(p->id, t->wanted, &t->arena, &t->why)
                       : fault_set(&t->why, ST_NO_MEMORY, "no memory for an enrollment");
    if (status != ST_OK)
        finish(t, status, NULL);
    else
        begin(t);
}

void enrollment_regenerate_key(struct provisioning *p, enum enrollment_kind kind, slice id,
                               enum credential_slot slot, enrollment_fn *on_enrollment,
                               void *context)
{
    struct enrollment_task *t =
        change_create(p, ENROLLMENT_REGENERATE, kind, id, on_enrollment, context);

    if (!t)
        return;
    t->slot = slot;
    begin(t);
}

/* --- deleting --------------------------------------------------------------------------------- */

static void on_deleted(void *context, enum status status, struct unit *unit)
{
    struct enrollment_task *t = context;

    (void)unit;
    if (status == ST_CONFLICT)
        status = fault_set(&t->why, ST_NOT_FOUND, "no such enrollment");
    if (status == ST_OK && t->kind == ENROLLMENT_GROUP)
        trust_changed(t->p->id);
    finish(t, status, NULL);
}

void enrollment_delete(struct provisioning *p, enum enrollment_kind kind, slice id,
                       enrollment_fn *on_done, void *context)
{
    struct enrollment_task *t = change_create(p, ENROLLMENT_DELETE, kind, id, on_done, context);
    struct unit *unit;

    if (!t)
        return;
    if (kind == ENROLLMENT_GROUP && slice_equal_nocase(id, SLICE(DEFAULT_GROUP))) {
        finish(
            t,
            fault_set(&t->why, ST_CONFLICT, "%s cannot be deleted, only disabled", DEFAULT_GROUP),
            NULL);
        return;
    }
    unit = unit_create(p->st);
    if (!unit) {
        finish(t, fault_set(&t->why, ST_UNAVAILABLE, "the store has no room"), NULL);
        return;
    }
    enrollment_unit_delete(unit, kind, id);
    if (kind == ENROLLMENT_GROUP) {
        enrollment_unit_touch_set(unit);
        authority_unit_forget(unit, t->key);
        trust_unit_move(unit);
        unit_set_urgency(unit, UNIT_URGENT);
    }
    unit_submit(unit, on_deleted, t);
}
