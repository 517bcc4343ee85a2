/* Devices and modules: the rows, the facts of their life cycle, their keys.
 *
 * Four independent facts and one derived status (contract/central.md 1.1): nothing stores a
 * status word, so unblocking needs no memory of what was before.
 *
 *     blocked                       -> Blocked
 *     not approved                  -> Registered with a mark (profile seed), Waiting (later)
 *     provisioned                   -> Provisioned
 *     otherwise                     -> Registered
 *
 * `enabled` is the hub registry's own fact beside them: a device may connect if it is Provisioned
 * (only then does the hub know it: central.md 1.6) and enabled; a module, if it is enabled and its
 * device may. Every change is guarded by the row's version (the ETag) and is either a function
 * here or a statement that another module adds to its own unit of work with device_unit_*. */
#ifndef MUSTER_IDENTITY_DEVICE_H
#define MUSTER_IDENTITY_DEVICE_H

#include "base/arena.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "identity/identity.h"
#include "store/store.h"

#define DEVICE_ID_MAX 128

enum device_origin { ORIGIN_UI, ORIGIN_IMPORT, ORIGIN_API, ORIGIN_DEVICE };
enum device_auth { AUTH_SAS, AUTH_SELF_SIGNED, AUTH_CERTIFICATE_AUTHORITY, AUTH_NONE };
enum enrollment_kind { ENROLLMENT_NONE, ENROLLMENT_INDIVIDUAL, ENROLLMENT_GROUP };
enum device_status { DEVICE_REGISTERED, DEVICE_PROVISIONED, DEVICE_BLOCKED, DEVICE_WAITING };

const char *device_origin_name(enum device_origin origin);
const char *device_status_name(enum device_status status);

/* How the last registration attempt ended, for the operator. */
struct device_attempt {
    instant at; /* 0: never */
    int64_t count;
    slice result; /* "assigned", "refused", "unauthorized", "failed" */
    slice reason; /* a sentence for people: "waiting for approval" */
    slice protocol, address;
};

/* A row as read. Slices borrow from the callback's memory. A device has an empty module_id. */
struct device {
    slice hub; /* name of the hub */
    slice id, module_id;
    slice generation_id;
    int64_t version; /* the ETag */
    slice display_name;
    bool enabled, approved, blocked, provisioned, simulated, iot_edge;
    slice template_id; /* empty: Unassociated */
    slice model_id;
    slice organization, organization_path; /* empty: of the application itself */
    enum device_origin origin;
    enum device_auth auth;
    slice sealed_keys;                              /* open with device_keys */
    slice primary_thumbprint, secondary_thumbprint; /* SHA-256 or SHA-1, upper-case hex */
    bool expired_leaf_allowed;                      /* as its individual enrollment says */
    slice issuer_marks; /* of the chain by which it registered: uint64_t each (trust.h) */
    enum enrollment_kind enrollment_kind;
    slice enrollment_id;
    /* Grows when a key or the right to connect changes: the time of the change in ms, or one more
     * than before. So a device's and its modules' can be compared. */
    int64_t credential_generation;
    unsigned subscriptions; /* persistent MQTT subscriptions: enum hub_subscription bits */
    slice method_filters;   /* names of per-method filters, joined by '\n' */
    instant created_at, updated_at, first_provisioned_at, last_activity_at;
    struct device_attempt attempt;
};

enum device_status device_status_of(const struct device *d, bool later_profile);
bool device_may_connect(const struct device *d);
/* The credential generation after a change of this row at `now`. */
int64_t device_next_generation(const struct device *was, instant now);

/* Both keys, wiped by the caller. ST_INTERNAL when they do not open; len 0 when there are none. */
CHECKED enum status device_keys(const struct identity *id, const struct device *d,
                                struct secret *ret_primary, struct secret *ret_secondary,
                                struct fault *why);

/* --- reading: on a worker, callbacks may run before the call returns -------------------------- */

/* `d` is NULL unless status is ST_OK; ST_DEVICE_NOT_FOUND / ST_MODULE_NOT_FOUND when absent. */
typedef void device_fn(void *context, enum status status, const struct device *d);
void device_get(struct identity *id, slice hub, slice device_id, slice module_id,
                device_fn *on_device, void *context);
/* A device in any hub whose ID equals this one without case (registration IDs, operators). */
void device_find(struct identity *id, slice device_id, device_fn *on_device, void *context);

enum device_order { DEVICE_BY_ID, DEVICE_BY_NAME, DEVICE_BY_NAME_DOWN };
struct device_filter {
    slice after;        /* IDs greater than this; empty: from the first */
    unsigned limit;     /* 1..1000 */
    bool unassociated;  /* only those without a template */
    slice template_id;  /* empty: any */
    int status;         /* enum device_status, or -1 for any */
    bool later_profile; /* how `status` is derived */
    slice search;       /* a part of ID or name, ASCII letters without case; empty: any */
    slice within;       /* path of an organization; empty: the whole application */
    enum device_order order;
    slice after_name; /* with an order by name: of the device `after` */
    /* What else counts; NULL: nothing. Called until the end of the list. */
    bool (*fits)(void *context, const struct device *d);
    void *fits_context;
};
/* Once a device, in order of ID without case or of display name; then once with d == NULL and the
 * final status. Modules are left out. What few devices have is gathered over several loop turns. */
void device_list(struct identity *id, const struct device_filter *filter, device_fn *on_device,
                 void *context);
/* The first `limit` simulated devices that may connect, likewise. */
void device_list_simulated(struct identity *id, unsigned limit, device_fn *on_device,
                           void *context);
/* A device's modules, likewise. */
void device_list_modules(struct identity *id, slice hub, slice device_id, device_fn *on_device,
                         void *context);

/* On a thread that may wait: those of the devices that there are, in any order, found without case.
 * What is longer than an ID may be is passed over. `d` is never NULL. */
typedef void device_found_fn(void *context, const struct device *d);
CHECKED enum status device_find_some_now(struct identity *id, const slice *device_ids, size_t count,
                                         device_found_fn *on_found, void *context);
/* How many there are, likewise. Reads an index from end to end. */
CHECKED enum status device_count_now(struct identity *id, int64_t *ret);

/* --- changing ------------------------------------------------------------------------------- */

struct device_new {
    slice hub, id, module_id, display_name; /* an empty name becomes the ID */
    bool enabled, approved, blocked, provisioned, simulated, iot_edge;
    slice template_id, model_id, organization;
    enum device_origin origin;
    enum device_auth auth;
    struct secret primary, secondary; /* both absent with AUTH_SAS: generated, 32 bytes each */
    slice primary_thumbprint, secondary_thumbprint;
    bool expired_leaf_allowed;
    slice issuer_marks;
    enum enrollment_kind enrollment_kind;
    slice enrollment_id;
    struct device_attempt attempt;
    instant now;
};
/* Adds the INSERT to a unit; a device of that ID (without case) makes the unit ST_CONFLICT. A
 * module's device must exist (else ST_CONFLICT). Keys are sealed here. Once it is committed:
 * identity_forget_refusals, for the device may have knocked before. */
void device_unit_insert(struct unit *unit, const struct identity *id, const struct device_new *n);

/* Which columns of an update count. */
enum {
    DEVICE_SET_ENABLED = 1 << 0,
    DEVICE_SET_APPROVED = 1 << 1,
    DEVICE_SET_BLOCKED = 1 << 2,
    DEVICE_SET_PROVISIONED = 1 << 3,
    DEVICE_SET_TEMPLATE = 1 << 4,
    DEVICE_SET_DISPLAY_NAME = 1 << 5,
    DEVICE_SET_KEYS = 1 << 6, /* auth, keys, and all about certificates */
    DEVICE_SET_ENROLLMENT = 1 << 7,
    DEVICE_SET_MODEL = 1 << 8,
    DEVICE_SET_ATTEMPT = 1 << 9,
    DEVICE_SET_HUB = 1 << 10,
    DEVICE_BUMP_CREDENTIAL = 1 << 11, /* to device_next_generation */
    DEVICE_SET_ORGANIZATION = 1 << 12,
};
struct device_change {
    unsigned set; /* DEVICE_SET_* */
    struct device_new to;
};
/* Adds the UPDATE, guarded: exactly the row as it was read (`was->version`), else ST_CONFLICT. */
void device_unit_update(struct unit *unit, const struct identity *id, const struct device *was,
                        const struct device_change *change);
/* Adds the DELETE of a device with its modules, or of one module; guarded likewise. */
void device_unit_delete(struct unit *unit, const struct device *was);

/* Persistent MQTT subscriptions of an identity; unguarded, does not change the version. False:
 * the store takes nothing just now, and `on_saved` does not come. */
CHECKED bool device_save_subscriptions(struct identity *id, slice hub, slice device_id,
                                       slice module_id, unsigned subscriptions,
                                       slice method_filters, unit_done_fn *on_saved, void *context);
/* Notes activity of many devices at once, behind; unguarded, does not change the version. */
struct device_activity {
    slice hub, device_id, module_id;
    instant at;
};
void device_save_activity(struct identity *id, const struct device_activity *list, size_t count);

#endif
