/* What was checked of a credential, in order, and where it failed: for `explain`, and for the
 * operator who looks at an attempt. A step that passed costs a few words; only the one that
 * failed makes sentences. A NULL trace takes and gives nothing. */
#ifndef MUSTER_IDENTITY_TRACE_H
#define MUSTER_IDENTITY_TRACE_H

#include "base/status.h"
#include "codec/json.h"

enum step {
    STEP_ID_SCOPE,
    STEP_REGISTRATION_ID,
    STEP_CREDENTIAL,     /* one was presented: which kind */
    STEP_TOKEN_FORM,     /* SAS: it parses */
    STEP_TOKEN_RESOURCE, /* sr names this registration */
    STEP_TOKEN_EXPIRY,
    STEP_INDIVIDUAL,  /* an individual enrollment of that ID: found or none */
    STEP_KEY,         /* signed by a key of an enrollment: which */
    STEP_LEAF,        /* the certificate: dates, key */
    STEP_COMMON_NAME, /* CN = registration ID */
    STEP_THUMBPRINT,  /* of an individual enrollment */
    STEP_PATH,        /* chain to a verified authority */
    STEP_AUTHORITY,   /* which slot of which group decides */
    STEP_ISSUERS,     /* no issuer below the authority is a device */
    STEP_REVOCATION,  /* CRL and deny list */
    STEP_OCSP,
    STEP_ENROLLMENT, /* the entry that decides, enabled or not */
    STEP_DEVICE,     /* known, new, blocked */
    STEP_APPROVAL,
    STEP_TEMPLATE,
    STEP_HUB,
    STEP_COUNT
};
const char *step_name(enum step step); /* "common name" */

#define TRACE_STEPS_MAX STEP_COUNT
#define TRACE_TEXT_MAX 200
#define TRACE_VALUES_MAX 1024

struct trace_step {
    enum step step;
    bool passed;
    uint16_t value_at, value_len; /* what was seen or found: in `values`, see trace_value */
};
/* Owns its bytes and points at nothing that goes away, so it may be copied and kept. */
struct trace {
    size_t count;
    struct trace_step steps[TRACE_STEPS_MAX];
    size_t values_len;
    char values[TRACE_VALUES_MAX];
    char expected[TRACE_TEXT_MAX], received[TRACE_TEXT_MAX]; /* of the step that failed */
    const char *mend;                                        /* what to do about it */
};

void trace_begin(struct trace *t);
/* Copies `value`, as far as there is room. Beyond TRACE_STEPS_MAX steps are dropped. */
void trace_pass(struct trace *t, enum step step, slice value);
/* The first failure ends the trace: later steps are not taken. `mend` lives for ever. */
void trace_fail(struct trace *t, enum step step, slice expected, slice received, const char *mend);
bool trace_failed(const struct trace *t);
slice trace_value(const struct trace *t, size_t step);

/* An array of {"step","passed","value"}; the failed one with "expected","received","fix". */
void trace_write(const struct trace *t, struct json_writer *w, slice name);

#endif
