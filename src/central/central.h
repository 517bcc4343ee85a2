/* The application: what an operator does with devices.
 *
 * Every act is one guarded change of the device's row (central.md 1.6, 1.9): two operators racing
 * get one success and one ST_CONFLICT. An act that takes a right away (block, delete, key change)
 * answers only when the live sessions are closed. */
#ifndef MUSTER_CENTRAL_CENTRAL_H
#define MUSTER_CENTRAL_CENTRAL_H

#include "hub/hub.h"
#include "identity/device.h"
#include "provisioning/provisioning.h"

struct central;

extern const struct store_schema central_schema;

/* Before workers_start; makes the template `generic` at first start. The gate may be given to
 * provisioning_create before central_bind. */
CHECKED struct central *central_create(struct workers *ws, struct store *st, struct bus *bus,
                                       struct identity *id, struct hub *hub, struct fault *why);
void central_bind(struct central *c, struct provisioning *p);
void central_destroy(struct central *c);
struct provisioning_gate central_gate(struct central *c);

/* --- settings (1.2) -------------------------------------------------------------------------- */

enum lifecycle_profile { PROFILE_SEED, PROFILE_LATER };
struct central_settings {
    enum lifecycle_profile profile;
    bool auto_approve;
    int require_template; /* TEMPLATE_* of struct gate_view */
    bool auto_associate;
    bool device_id_any_case;
    int64_t version;
};
typedef void settings_fn(void *context, enum status status, const struct central_settings *s,
                         const struct fault *why);
void central_get_settings(struct central *c, settings_fn *on_settings, void *context);
/* One setting by its name in 1.2 ("autoApprove") and its value as text. ST_BAD_REQUEST says what
 * is allowed. Takes effect with the next registration. */
void central_set(struct central *c, slice name, slice value, settings_fn *on_settings,
                 void *context);

/* --- acts on one device ---------------------------------------------------------------------- */

struct device_view {
    const struct device *device; /* NULL unless ST_OK */
    enum device_status status;
    const char *refusal; /* why the gate would refuse now, NULL when it would not */
    bool connected;
    instant last_activity_at;
    slice protocol, client_type, peer;
    slice enrollment_group; /* where its keys derive from */
};
typedef void device_view_fn(void *context, enum status status, const struct device_view *v,
                            const struct fault *why);
/* The device as the operator sees it, with its live connection. IDs without case here. */
void central_device_get(struct central *c, slice device_id, device_view_fn *on_view, void *context);
/* Each device of a page, then once with v == NULL. Connection facts are not gathered. */
void central_device_list(struct central *c, const struct device_filter *filter,
                         device_view_fn *on_view, void *context);

struct device_add {
    slice id;           /* empty: ten random lower-case letters and digits */
    slice display_name; /* at most 148 characters; empty: the ID */
    slice template_id;
    bool simulated;
    enum device_origin origin;
    enum device_auth auth;
    slice primary_thumbprint, secondary_thumbprint; /* with AUTH_SELF_SIGNED: upper-case hex */
    slice organization;                             /* empty: the application itself */
    bool blocked;
};
/* Approved, Registered (1.6 row 1). ST_CONFLICT: exists; ST_BAD_REQUEST: the ID or name breaks a
 * rule of 3.3, or thumbprints and `auth` do not fit, said in `why`. */
void central_device_add(struct central *c, const struct device_add *a, device_view_fn *on_view,
                        void *context);

enum device_act { ACT_APPROVE, ACT_ASSOCIATE, ACT_BLOCK, ACT_UNBLOCK, ACT_DELETE, ACT_DEPROVISION };
/* `template_id` counts for ACT_ASSOCIATE (must be published: else ST_BAD_REQUEST). Idempotent: what
 * holds already is ST_OK. After ACT_DELETE v is NULL. */
void central_device_act(struct central *c, slice device_id, enum device_act act, slice template_id,
                        device_view_fn *on_view, void *context);

/* Several facts at once, in one guarded change. */
enum {
    DEVICE_EDIT_NAME = 1 << 0,
    DEVICE_EDIT_TEMPLATE = 1 << 1,
    DEVICE_EDIT_ENABLED = 1 << 2,
    DEVICE_EDIT_ORGANIZATION = 1 << 3,
};
struct device_edit {
    unsigned set;       /* DEVICE_EDIT_* */
    slice display_name; /* empty: the ID */
    slice template_id;  /* must be published; empty: Unassociated */
    bool enabled;       /* true unblocks and approves, false blocks (1.5) */
    slice organization; /* empty: the application itself */
    int64_t version;    /* that the caller knows; 0: whatever it is */
};
/* ST_DEVICE_NOT_FOUND, ST_PRECONDITION_FAILED for another version, ST_BAD_REQUEST for a rule. As
 * an act, it answers when a right that it took away is used no more. */
void central_device_edit(struct central *c, slice device_id, const struct device_edit *edit,
                         device_view_fn *on_view, void *context);

/* The keys a device signs with: its individual enrollment's, else those derived from the group
 * that it came by, else from SAS-IoT-Devices (2.7); shown before it ever connected. A device that
 * comes with certificates has no keys. */
struct device_credentials {
    slice id_scope;
    enum device_auth auth;
    struct secret primary, secondary;               /* with AUTH_SAS */
    slice primary_thumbprint, secondary_thumbprint; /* with AUTH_SELF_SIGNED */
};
typedef void credentials_fn(void *context, enum status status, const struct device_credentials *k,
                            const struct fault *why);
void central_device_credentials(struct central *c, slice device_id, credentials_fn *on_keys,
                                void *context);

/* --- templates ------------------------------------------------------------------------------- */

struct template_row {
    slice id, display_name;
    bool published;
};
typedef void template_fn(void *context, enum status status, const struct template_row *t);
/* Once each in order of ID, then NULL. */
void central_template_list(struct central *c, template_fn *on_template, void *context);

#endif
