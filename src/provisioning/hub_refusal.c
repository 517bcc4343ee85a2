#include "provisioning/hub_refusal.h"

#include <stdlib.h>

#include "provisioning/attempt.h"
#include "provisioning/provisioning_internal.h"

#define SAME_AGAIN_MS 60000
#define NOTE_MAX_BYTES 4096

struct note {
    struct provisioning *p;
    struct arena arena;
    struct hub_refusal refusal; /* in the arena */
};

static void destroy(struct note *n)
{
    arena_deinit(&n->arena);
    free(n);
}

/* --- what was noted a moment ago -------------------------------------------------------------- */

static uint64_t cause_of(const struct hub_refusal *r)
{
    return slice_hash(r->device_id) ^ slice_hash(r->reason);
}

/* Small: of two devices that share a place, each may be noted more often than it need be. */
static struct refusal_memory *memory_of(struct provisioning_part *part, const struct hub_refusal *r)
{
    return &part->refusals[slice_hash(r->device_id) % COUNT_OF(part->refusals)];
}

static bool is_repeated(struct provisioning_part *part, const struct hub_refusal *r)
{
    const struct refusal_memory *m = memory_of(part, r);

    return m->cause == cause_of(r) && clock_mono_ms() < m->until_ms;
}

static void remember(struct provisioning_part *part, const struct hub_refusal *r)
{
    *memory_of(part, r) = (struct refusal_memory){cause_of(r), clock_mono_ms() + SAME_AGAIN_MS};
}

/* --- the note --------------------------------------------------------------------------------- */

static void write_note(const struct note *n, const struct device *d)
{
    struct unit *unit = unit_create(n->p->st);
    const struct attempt a = {
        .at = clock_wall_ms(),
        /* the name by which its page looks for attempts */
        .registration_id = d->enrollment_kind == ENROLLMENT_INDIVIDUAL ? d->enrollment_id : d->id,
        .result = SLICE(HUB_REFUSAL_RESULT),
        .reason = n->refusal.reason,
        .enrollment = d->enrollment_id,
        .protocol = n->refusal.protocol,
        .address = n->refusal.address,
        .steps = SLICE("[]"),
    };

    if (!unit)
        return; /* a note may be lost */
    attempt_unit_add(unit, &a);
    unit_submit(unit, NULL, NULL);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct note *n = context;

    /* Only who is known uses up the bucket: the others cost a read. */
    if (status == ST_OK && provisioning_take_note(provisioning_part(n->p))) {
        remember(provisioning_part(n->p), &n->refusal);
        write_note(n, d);
    }
    destroy(n);
}

void hub_refusal_note(struct provisioning *p, const struct hub_refusal *refusal)
{
    struct hub_refusal *r;
    struct note *n;

    if (is_repeated(provisioning_part(p), refusal))
        return;
    n = calloc(1, sizeof *n);
    if (!n)
        return;
    n->p = p;
    arena_init(&n->arena, NOTE_MAX_BYTES);
    r = &n->refusal;
    r->device_id = arena_copy(&n->arena, refusal->device_id);
    r->reason = arena_copy(&n->arena, refusal->reason);
    r->protocol = arena_copy(&n->arena, refusal->protocol);
    r->address = arena_copy(&n->arena, refusal->address);
    if (n->arena.failed)
        destroy(n);
    else
        device_find(p->id, r->device_id, on_device, n);
}
