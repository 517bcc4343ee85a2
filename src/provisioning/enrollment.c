#include "provisioning/enrollment.h"

#include <stdlib.h>

#include "base/text.h"
#include "codec/json.h"
#include "codec/topic.h"
#include "provisioning/enrollment_store.h"
#include "provisioning/provisioning_internal.h"

#define TASK_MAX_BYTES (1024 * 1024)
#define INITIAL_TWIN_MAX_BYTES (32 * 1024) /* of tags, and of desired */
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
        enrollment_read_first(p->st, text_lower(&arena, individual), text_lower(&arena, group),
                              on_one, q);
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

/* --- what may be written ---------------------------------------------------------------------- */

static bool is_printable(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return false;
    }
    return utf8_valid(text);
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool id_is_valid(enum enrollment_kind kind, slice id)
{
    if (kind == ENROLLMENT_INDIVIDUAL)
        return registration_id_valid(id) && is_alphanumeric(id.ptr[0]);
    return id.len > 0 && id.len <= ENROLLMENT_ID_MAX && is_printable(id);
}

static bool key_is_valid(const struct secret *key)
{
    return key->len == 0 || (key->len >= 16 && key->len <= SECRET_MAX);
}

static bool is_object_or_absent(slice json)
{
    struct arena ARENA_CLEANUP arena = {.max = 4 * 1024 * 1024};
    struct json *root;

    if (json.len == 0)
        return true;
    return json.len <= INITIAL_TWIN_MAX_BYTES &&
           json_parse(json, JSON_REFUSE_DUPLICATES, &arena, &root, NULL) == ST_OK &&
           root->kind == JSON_OBJECT;
}

static bool hub_is_known(const struct identity *id, slice hub)
{
    return hub.len == 0 || identity_hub_by_name(id, hub) || identity_hub_by_host(id, hub);
}

static enum status check_wanted(const struct provisioning *p, const struct enrollment *e,
                                struct fault *why)
{
    if (e->kind != ENROLLMENT_INDIVIDUAL && e->kind != ENROLLMENT_GROUP)
        return fault_set(why, ST_BAD_REQUEST, "neither a group nor an individual enrollment");
    if (!id_is_valid(e->kind, e->id))
        return fault_set(why, ST_BAD_REQUEST, "not an ID of an enrollment");
    if (e->attestation != ATTEST_SYMMETRIC_KEY)
        return fault_set(why, ST_BAD_REQUEST, "attestation '%s' is not supported",
                         attestation_name(e->attestation));
    if (!key_is_valid(&e->primary) || !key_is_valid(&e->secondary))
        return fault_set(why, ST_BAD_REQUEST, "a key has 16 to 64 bytes");
    if (e->kind == ENROLLMENT_INDIVIDUAL && e->device_id.len > 0 && !device_id_valid(e->device_id))
        return fault_set(why, ST_BAD_REQUEST, "not a device ID");
    if (!hub_is_known(p->id, e->hub))
        return fault_set(why, ST_BAD_REQUEST, "no such hub");
    if (!is_object_or_absent(e->initial_tags) || !is_object_or_absent(e->initial_desired))
        return fault_set(why, ST_BAD_REQUEST, "the initial twin is no JSON object");
    return ST_OK;
}

static bool same_key(const struct secret *a, const struct secret *b)
{
    return a->len == b->len && a->len > 0 && secret_equal(a->bytes, b->bytes, a->len);
}

static bool share_a_key(const struct enrollment *a, const struct enrollment *b)
{
    return same_key(&a->primary, &b->primary) || same_key(&a->primary, &b->secondary) ||
           same_key(&a->secondary, &b->primary) || same_key(&a->secondary, &b->secondary);
}

/* A key finds its group, so it can serve one only. */
static enum status check_groups(const struct enrollment_task *t,
                                const struct enrollment_cache *groups, struct fault *why)
{
    for (size_t i = 0; i < groups->count; i++) {
        const struct enrollment *other = &groups->groups[i];

        if (!slice_equal_nocase(other->id, t->id) && share_a_key(other, t->changed))
            return fault_set(why, ST_CONFLICT, "a key serves group '%.*s' already",
                             SLICE_FMT(other->id));
    }
    if (!t->stored && groups->count >= ENROLLMENT_GROUPS_MAX)
        return fault_set(why, ST_QUOTA, "there are %d groups already", ENROLLMENT_GROUPS_MAX);
    return ST_OK;
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
    finish(t, status, t->changed);
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
    unit_submit(unit, on_changed, t);
}

static void on_groups(void *context, enum status status, const struct enrollment_cache *groups)
{
    struct enrollment_task *t = context;

    if (status == ST_OK)
        status = check_groups(t, groups, &t->why);
    if (status != ST_OK)
        finish(t, status, NULL);
    else
        submit(t, groups);
}

/* Keys that are not given are kept, or made. */
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
    complete_key(&e->primary, t->stored ? &t->stored->primary : NULL);
    complete_key(&e->secondary, t->stored ? &t->stored->secondary : NULL);
    e->version = t->stored ? t->stored->version : 1;
    e->created_at = t->stored ? t->stored->created_at : t->now;
    e->updated_at = t->now;
    return ST_OK;
}

static enum status check_stored(struct enrollment_task *t)
{
    if (t->act != ENROLLMENT_PUT)
        return t->stored ? ST_OK : fault_set(&t->why, ST_NOT_FOUND, "no such enrollment");
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
    status = check_wanted(p, e, &t->why);
    if (status == ST_OK) {
        t->wanted = enrollment_copy(&t->arena, e);
        if (!t->wanted)
            status = fault_set(&t->why, ST_NO_MEMORY, "no memory for an enrollment");
    }
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
    if (kind == ENROLLMENT_GROUP)
        enrollment_unit_touch_set(unit);
    unit_submit(unit, on_deleted, t);
}
