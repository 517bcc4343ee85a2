/* Enrollments: which credentials may provision. Groups and individual ones (provisioning.md
 * 3, 4.2).
 *
 * Keys are sealed at rest. Two groups never share a key (409). What registrations need of all
 * groups is kept unsealed by each worker and refreshed when the version of the set changes. */
#ifndef MUSTER_PROVISIONING_ENROLLMENT_H
#define MUSTER_PROVISIONING_ENROLLMENT_H

#include "base/clock.h"
#include "crypto/crypto.h"
#include "identity/device.h"
#include "identity/principal.h"

struct provisioning;

#define ENROLLMENT_ID_MAX 255
#define ENROLLMENT_GROUPS_MAX 100 /* of each attestation */

enum attestation { ATTEST_SYMMETRIC_KEY, ATTEST_X509, ATTEST_TPM };
const char *attestation_name(enum attestation a);

struct enrollment {
    enum enrollment_kind kind;
    slice id; /* group ID or registration ID */
    slice display_name;
    enum attestation attestation;
    bool enabled;
    bool gated; /* made by the application: its gate applies (central.md 1.11) */
    bool iot_edge;
    slice device_id;                     /* individual; empty: the registration ID */
    slice hub;                           /* empty: the default hub */
    bool has_auto_approve, auto_approve; /* overrides the setting */
    slice initial_tags, initial_desired; /* JSON objects; empty: none */
    int64_t version;                     /* the ETag */
    instant created_at, updated_at;
    struct secret primary, secondary; /* with the keys asked for; wiped after the callback */
    /* Individual X.509: SHA-256 or SHA-1 of the client certificates, upper-case hex. */
    slice primary_thumbprint, secondary_thumbprint;
    bool expired_leaf_allowed; /* for devices whose clocks and certificates are done */
};

/* `e` is NULL unless ST_OK; ST_NOT_FOUND. On a worker. */
typedef void enrollment_fn(void *context, enum status status, const struct enrollment *e,
                           const struct fault *why);
void enrollment_get(struct provisioning *p, enum enrollment_kind kind, slice id, bool with_keys,
                    enrollment_fn *on_enrollment, void *context);
/* The enrollment by which a device comes: its individual one, else the group that it came by, else
 * SAS-IoT-Devices; ST_NOT_FOUND when there is none of these. `d` is borrowed for the call. */
void enrollment_of_device(struct provisioning *p, const struct device *d, bool with_keys,
                          enrollment_fn *on_enrollment, void *context);
/* Whether it is the individual enrollment of that device: of the one that it names, not of one that
 * is named like it. */
bool enrollment_stands_for(const struct enrollment *e, slice device_id);
/* Once each, in order of ID, then NULL. */
void enrollment_list(struct provisioning *p, enum enrollment_kind kind, slice after, unsigned limit,
                     enrollment_fn *on_enrollment, void *context);
/* Creates (version 0) or replaces (the version read before, else ST_PRECONDITION_FAILED). Absent
 * keys are generated (64 bytes) on create and kept on replace. ST_CONFLICT: exists, or the key
 * serves another group. Gives the stored one, with its keys. An individual enrollment of a device
 * that the application does not know yet makes no device row. */
void enrollment_put(struct provisioning *p, const struct enrollment *e,
                    enrollment_fn *on_enrollment, void *context);
/* With the registration records that it made. SAS-IoT-Devices cannot be deleted: ST_CONFLICT. */
void enrollment_delete(struct provisioning *p, enum enrollment_kind kind, slice id,
                       enrollment_fn *on_done, void *context);
/* New random key in `slot`; the callback gets the enrollment with its keys. */
void enrollment_regenerate_key(struct provisioning *p, enum enrollment_kind kind, slice id,
                               enum credential_slot slot, enrollment_fn *on_enrollment,
                               void *context);

#endif
