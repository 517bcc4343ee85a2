/* The provisioning service: a device switched on for the first time finds its hub.
 *
 * Attest the credential, find the enrollment that decides, ask the application's gate, assign a
 * hub, and put all of it into one unit of work: device, registration, first twin. Bad credentials
 * leave no record. The order of checks is fixed (SECURITY-MODEL D5): ID scope, attestation, then
 * status; whoever fails the first two learns nothing of the third. */
#ifndef MUSTER_PROVISIONING_PROVISIONING_H
#define MUSTER_PROVISIONING_PROVISIONING_H

#include "hub/hub.h"
#include "identity/device.h"
#include "identity/identity.h"
#include "provisioning/enrollment.h"

struct provisioning;
struct x509_st;
struct stack_st_X509;

/* --- the gate: central fills it in, serve hands it over --------------------------------------- */

/* What the application knows of the moment, gathered before the decision. */
struct gate_view {
    bool auto_approve;
    enum { TEMPLATE_NEVER, TEMPLATE_DEVICE_ORIGIN, TEMPLATE_ALWAYS } require_template;
    slice template_id; /* of the announced model, published; empty: none matched */
    int64_t version;   /* of the settings */
};
typedef void gate_view_fn(void *context, enum status status, const struct gate_view *view);
struct provisioning_gate {
    void *context;
    /* Asks for the view, given the payload's model ID (may be empty). */
    void (*view)(void *context, slice model_id, gate_view_fn *on_view, void *view_context);
    /* NULL: not asked. A device, registered just now, says which gateway it is behind. */
    void (*behind_gateway)(void *context, slice gateway_id, slice device_id);
};
/* admit = approved && !blocked && group enabled && (template or none required): 1.2. NULL when it
 * passes, else the reason in words for the operator: "waiting for approval". */
const char *gate_refusal(const struct gate_view *view, const struct device *d,
                         const struct enrollment *e);

#define PROVISIONING_REGISTER_BURST 10
#define PROVISIONING_REGISTER_REFILL_MS 6000

struct provisioning_options {
    slice id_scope;
    slice service_host;  /* the DPS's own name, for service tokens */
    bool answer_at_once; /* false: 202 first, the result at the first poll */
    /* Per device: this many registrations at once, then one more every so many milliseconds.
     * 0: no limit, on polls neither. PROVISIONING_REGISTER_* are the defaults. */
    unsigned register_burst, register_refill_ms;
};

extern const struct store_schema provisioning_schema;

/* Before workers_start. Makes the default group SAS-IoT-Devices at first start. */
CHECKED struct provisioning *provisioning_create(struct workers *ws, struct store *st,
                                                 struct bus *bus, const struct sealer *sealer,
                                                 struct identity *id, struct hub *hub,
                                                 const struct provisioning_gate *gate,
                                                 const struct provisioning_options *options,
                                                 struct fault *why);
void provisioning_destroy(struct provisioning *p);
slice provisioning_id_scope(const struct provisioning *p);

/* --- devices ---------------------------------------------------------------------------------- */

/* What a device presents. Slices are borrowed for the call. */
struct registration_request {
    slice id_scope, registration_id;
    slice sas_token;                     /* empty: none */
    struct x509_st *certificate;         /* NULL: none; shared while the request runs */
    struct stack_st_X509 *intermediates; /* that came with it; NULL: none */
    slice body;                          /* JSON of the request; may be empty */
    slice protocol, address;             /* "mqtt", "127.0.0.1:4242": for the operator */
    instant now;
};

enum registration_state { REG_ASSIGNING, REG_ASSIGNED, REG_FAILED, REG_DISABLED };

/* An answer. `status` ST_OK: an operation with a state. Else an error of the DPS family:
 * ST_UNAUTHORIZED, ST_BAD_REQUEST, ST_NOT_FOUND, ST_THROTTLED, ST_UNAVAILABLE ... */
struct registration {
    enum status status;
    enum registration_state state;
    slice operation_id, registration_id;
    slice assigned_hub, device_id, substatus;
    slice enrollment_group; /* empty for an individual enrollment */
    bool by_certificate;    /* the answer has "x509" in place of "symmetricKey" */
    int error_code;         /* 400209 with REG_FAILED */
    slice error_message;
    instant created_at, updated_at;
    int64_t etag;
    unsigned retry_after_s; /* with REG_ASSIGNING and ST_THROTTLED: 3..5, random */
};
typedef void registration_fn(void *context, const struct registration *r, const struct fault *why);

/* Register: decides and commits, then answers (durable before "assigned"). */
void registration_register(struct provisioning *p, const struct registration_request *request,
                           registration_fn *on_answer, void *context);
/* The state of an operation of this device; another's, or unknown: ST_NOT_FOUND. */
void registration_status(struct provisioning *p, const struct registration_request *request,
                         slice operation_id, registration_fn *on_answer, void *context);
/* The registration record (POST state lookup); never registered: ST_NOT_FOUND. */
void registration_lookup(struct provisioning *p, const struct registration_request *request,
                         registration_fn *on_answer, void *context);
/* Whether the credential would be taken, for MQTT's verdict at CONNECT: only `status` counts. */
void registration_attest(struct provisioning *p, const struct registration_request *request,
                         registration_fn *on_answer, void *context);

/* The JSON of an answer: operation form (2.0), or with `bare` the registrationState alone. For an
 * error status: the DPS error body, with the tracking ID. */
void registration_write_json(const struct registration *r, bool bare, slice tracking_id,
                             instant now, struct buf *to);

/* --- the application's side ------------------------------------------------------------------ */

/* Assign a device that the gate lets through, as a registration would (central.md 1.11). The
 * callback's assigned_hub and device_id; ST_REFUSED with the gate's reason in `why`. */
void registration_assign(struct provisioning *p, slice device_id, registration_fn *on_answer,
                         void *context);
/* Adds the removal of what provisioning keeps of a device: registration record and individual
 * enrollment (1.6 row 21). */
void provisioning_unit_forget(struct unit *unit, slice device_id);

#endif
