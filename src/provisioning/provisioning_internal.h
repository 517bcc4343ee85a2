/* Inside provisioning/: what its files share.
 *
 *     provisioning.c        create, destroy
 *     provisioning_start.c  the tables, the default groups of the first start
 *     enrollment.c          reading and changing enrollments
 *     enrollment_check.c    what an enrollment may be
 *     enrollment_store.c    their rows and SQL
 *     enrollment_cache.c    the groups with their keys open, one cache a worker
 *     device_keys.c         the keys of many devices at once
 *     authority.c           the certificate slots of groups: acts, their units of work
 *     authority_plan.c      what an act makes of a slot: pure
 *     authority_view.c      the slots as people see them
 *     denial.c              the deny list
 *     hex_text.c            thumbprints and serials as people write them
 *     attest.c              SAS token -> the enrollment that decides
 *     attest_certificate.c  certificate -> the enrollment that decides
 *     registration.c        a registration: checks, attestation, then the flow
 *     registration_flow.c   from the deciding enrollment to the answer
 *     registration_note.c   what failed, noted for the operator now and then
 *     hub_refusal.c         and devices that the hub turned away
 *     registration_trace.c  the steps of the gate's judgement
 *     registration_task.c   one registration, poll or look-up: its memory and the reads they share
 *     registration_plan.c   what a registration makes of the facts: pure
 *     registration_poll.c   operation status, look-up, attestation alone
 *     registration_assign.c assignment by an operator
 *     explain.c             a registration that only says how it would end
 *     attempt.c             attempts with their steps, kept for the operator
 *     registration_store.c  registration records and their SQL
 *     registration_body.c   the request's JSON
 *     registration_json.c   the answer's JSON
 *     model_id.c            the payload forms that announce a model
 *     gate.c                why the application refuses
 *     throttle.c            token buckets of devices
 *     lifecycle.c           events for those who listen
 *     device_copy.c         a device row kept beyond its callback */
#ifndef MUSTER_PROVISIONING_PROVISIONING_INTERNAL_H
#define MUSTER_PROVISIONING_PROVISIONING_INTERNAL_H

#include "provisioning/enrollment_cache.h"
#include "provisioning/provisioning.h"
#include "provisioning/throttle.h"

#define DEFAULT_GROUP "SAS-IoT-Devices" /* its keys feed the Connect dialog: never deleted */
#define DEFAULT_EDGE_GROUP "SAS-IoT-Edge-Devices"

#define OPERATION_PREFIX_LEN 19 /* "5.<16 hex>." */
#define OPERATION_ID_LEN (OPERATION_PREFIX_LEN + UUID_LEN)

#define REFUSALS_REMEMBERED 256

/* A cause that was noted, not to be noted again before so long. */
struct refusal_memory {
    uint64_t cause; /* of which device, and why */
    int64_t until_ms;
};

/* What a worker keeps for itself. */
struct provisioning_part {
    struct enrollment_cache cache;
    struct throttle *throttle; /* NULL: no limits */
    /* Bad credentials written down: of devices that are known, and of all others. */
    struct token_bucket notes, strangers;
    struct refusal_memory refusals[REFUSALS_REMEMBERED];
};

struct provisioning {
    struct workers *ws;
    struct store *st;
    struct bus *bus;
    const struct sealer *sealer;
    struct identity *id;
    struct hub *hub;
    struct provisioning_gate gate;
    char *id_scope, *service_host;
    bool answer_at_once;
    char operation_prefix[OPERATION_PREFIX_LEN];
    struct provisioning_part *parts; /* one a worker */
};

/* Makes the default groups unless the tables have seen a first start before. Blocking. */
CHECKED bool provisioning_make_defaults(struct provisioning *p, struct fault *why);

/* The calling worker's. */
struct provisioning_part *provisioning_part(struct provisioning *p);

/* Whether one more note of a known device may be written now: all of them share a bucket. */
CHECKED bool provisioning_take_note(struct provisioning_part *part);

/* The ASCII lower-case form: how IDs are compared. Empty when the arena is full. */
slice text_lower(struct arena *arena, slice text);
/* Whether it is UTF-8 without control characters: a name, a reason. */
bool text_is_printable(slice text);

#endif
