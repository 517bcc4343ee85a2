/* What a registration makes of the facts: the rows of contract/central.md 1.6, as a pure function.
 *
 *     no record       -> Registered (waiting)   refused       a group's device that nobody knows
 *                     -> Provisioned            assigned      approved, template there or not
 * needed Registered      -> Provisioned            assigned      the gate lets it through
 *                     -> the same               refused
 *     Provisioned     -> the same               assigned      again; or refused: blocked, group off
 *
 * The plan says what to write in one unit of work; its device change is guarded by the version
 * that was read, so a block that comes between makes the plan void. */
#ifndef MUSTER_PROVISIONING_REGISTRATION_PLAN_H
#define MUSTER_PROVISIONING_REGISTRATION_PLAN_H

#include "identity/device.h"
#include "identity/trust/trace.h"
#include "provisioning/registration_store.h"

#define ERROR_REFUSED 400209 /* "unauthorized" to the C SDK */
#define ERROR_NO_HUB 400208  /* "hub not specified" */

#define REFUSAL_COALESCE_MS 1000

/* Everything that the decision rests on; borrowed. */
struct plan_input {
    slice registration_id;
    slice model_id; /* announced; empty: none */
    slice protocol, address;
    instant now;
    bool by_operator; /* assigned by an operator's wish: no attempt of the device is noted */
    bool answer_at_once;
    slice operation_id;                       /* for a new operation */
    const struct registration_record *record; /* NULL: none */
    const struct device *device;              /* NULL: unknown */
    const struct enrollment *enrollment;
    const struct gate_view *view;
    const struct secret *primary, *secondary; /* the device's keys from now on, */
    slice thumbprints[2];                     /* or its certificates, by the attestation */
    slice issuer_marks;                       /* with a chain: see device.h */
    bool credential_differs;                  /* from what the device row has */
    bool overlaps;                            /* the record changed while this one ran */
    slice hub;                                /* name of the hub to assign; empty: there is none */
};

struct registration_plan {
    const char *refusal;  /* for the operator; NULL: assigned */
    enum step refused_at; /* with a refusal: the step that it comes from */
    bool repeats;         /* the same refusal as a moment ago, or part of another registration */
    bool writes;          /* else the record as it is, is the answer */
    bool inserts;         /* the device is new */
    bool initial;         /* an initial assignment: the first twin is written */
    struct device_new insert;
    struct device_change change;
    struct registration_record record; /* as it is to be stored and answered */
    unsigned events;                   /* enum lifecycle_event */
};

/* What a device that comes by this enrollment signs in with at the hub. */
enum device_auth plan_auth(const struct enrollment *e);
/* The device ID that the enrollment gives to this registration. */
slice plan_device_id(const struct enrollment *e, slice registration_id);

void registration_plan(const struct plan_input *in, struct registration_plan *ret);

#endif
