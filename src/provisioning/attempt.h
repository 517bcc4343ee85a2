/* Registration attempts, with the steps of their judgement: what the operator reads when a device
 * does not come in. The newest ATTEMPTS_MAX are kept. Wrong credentials are sampled, as anybody
 * can send them (registration_note.c). */
#ifndef MUSTER_PROVISIONING_ATTEMPT_H
#define MUSTER_PROVISIONING_ATTEMPT_H

#include "base/clock.h"
#include "identity/trust/trace.h"
#include "store/store.h"

#define ATTEMPTS_MAX 20000

struct attempt {
    int64_t number; /* grows */
    instant at;
    slice registration_id;
    slice result;     /* "assigned", "refused", "unauthorized" */
    slice reason;     /* a sentence for people */
    slice enrollment; /* that decided; empty: none */
    slice protocol, address;
    slice steps; /* the JSON array of trace_write */
};
/* Adds the row, and now and then the removal of the oldest. */
void attempt_unit_add(struct unit *unit, const struct attempt *a);

/* The newest first, then NULL. `registration_id` empty: of all; `before` 0: from the newest. */
typedef void attempt_fn(void *context, enum status status, const struct attempt *a);
void attempt_list(struct store *st, slice registration_id, int64_t before, unsigned limit,
                  attempt_fn *on_attempt, void *context);

#endif
