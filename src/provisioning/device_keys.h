/* The keys that devices sign with, of many at once: for exports and imports.
 *
 * What is read here is what enrollment_of_device and enrollment_device_keys say of one device. */
#ifndef MUSTER_PROVISIONING_DEVICE_KEYS_H
#define MUSTER_PROVISIONING_DEVICE_KEYS_H

#include "base/arena.h"
#include "crypto/crypto.h"
#include "identity/device.h"
#include "provisioning/provisioning.h"

/* A device has keys or thumbprints; neither when certificates of an authority let it in. */
struct device_key_pair {
    struct secret primary, secondary;
    slice primary_thumbprint, secondary_thumbprint;
};

/* On a thread that may wait. The pairs are in the order of the devices; thumbprints lie in the
 * arena or are the devices'. Wiped by the caller, whatever the status: device_key_pairs_wipe. */
CHECKED enum status device_keys_now(struct provisioning *p, const struct device *const *devices,
                                    size_t count, struct arena *arena,
                                    struct device_key_pair *pairs, struct fault *why);
void device_key_pairs_wipe(struct device_key_pair *pairs, size_t count);

/* On a thread that may wait: which of these IDs are registration IDs of an individual enrollment
 * that stands for a device of another name, so that no device may be enrolled under them. */
typedef void device_keys_foreign_fn(void *context, slice registration_id);
CHECKED enum status device_keys_find_foreign_now(struct provisioning *p, const slice *device_ids,
                                                 size_t count, device_keys_foreign_fn *on_foreign,
                                                 void *context);
/* Adds an individual enrollment with these keys, made by the application, in place of one that may
 * be there. Any thread. */
void device_keys_unit_enroll(struct unit *unit, const struct provisioning *p, slice device_id,
                             const struct secret *primary, const struct secret *secondary,
                             instant now);

#endif
