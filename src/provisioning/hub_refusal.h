/* Devices that the hub turned away, noted among their attempts: the operator who wonders why a
 * device does not come in finds the cause on its page. Of known devices only, one note a minute
 * for the same cause, and within the bounds of all notes (registration_note.c). */
#ifndef MUSTER_PROVISIONING_HUB_REFUSAL_H
#define MUSTER_PROVISIONING_HUB_REFUSAL_H

#include "provisioning/provisioning.h"

#define HUB_REFUSAL_RESULT "refusedByHub"

/* On a worker; the slices are copied. */
struct hub_refusal {
    slice device_id;
    slice reason; /* a sentence for people */
    slice protocol, address;
};
void hub_refusal_note(struct provisioning *p, const struct hub_refusal *refusal);

#endif
