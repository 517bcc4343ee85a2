/* One registration, poll, look-up, assignment or explanation while it runs: the request's copy,
 * what was read, and the steps that they share.
 *
 *     create -> [attest: read the facts, open the groups, verify] -> steps of its own -> answer
 *
 * A task belongs to one worker. Reads may answer at once or later; every step ends in another or
 * in exactly one task_answer or task_fail, which free it. */
#ifndef MUSTER_PROVISIONING_REGISTRATION_TASK_H
#define MUSTER_PROVISIONING_REGISTRATION_TASK_H

#include "crypto/thumbprint.h"
#include "provisioning/attest.h"
#include "provisioning/registration_plan.h"

enum task_kind {
    TASK_REGISTER,
    TASK_STATUS,
    TASK_LOOKUP,
    TASK_ATTEST,
    TASK_ASSIGN,
    TASK_EXPLAIN, /* a registration that stops before it writes */
};

struct registration_task {
    struct provisioning *p;
    enum task_kind kind;
    struct arena arena;                  /* all that the task keeps */
    struct registration_request request; /* its certificates are shared */
    slice key;                           /* the registration ID in lower case */
    slice operation_id;                  /* asked for, or of a new operation */
    slice model_id, gateway_id;          /* announced */
    registration_fn *on_answer;
    void *context;
    struct fault why;
    struct trace trace; /* of this round */

    /* the round: once more after a conflict */
    unsigned rounds;
    int64_t first_version; /* of the record in the first round; 0: none */
    struct registration_read read;
    int64_t set_version;                /* of the enrollment groups */
    struct registration_record *record; /* NULL: none */
    struct enrollment *individual;      /* NULL: none; with its keys */
    struct enrollment *enrollment;      /* that decides, without keys */
    struct secret primary, secondary;   /* the device's */
    slice verdict_group;                /* that the certificate's chain leads to, in lower case */
    char leaf[THUMBPRINT_SHA256_LEN];   /* thumbprint of the certificate that attested */
    bool has_leaf;
    slice issuer_marks;    /* of the chain that attested */
    struct device *device; /* NULL: unknown */
    struct gate_view view;
    struct registration_plan plan;
    unsigned changed_slots; /* enum credential_slot: those that the device row has no more */

    void (*on_facts)(struct registration_task *t, const struct enrollment_cache *groups);
    void (*on_attested)(struct registration_task *t);
};

/* Copies the request and checks scope and ID. NULL when it has been answered already. */
struct registration_task *task_create(struct provisioning *p, enum task_kind kind,
                                      const struct registration_request *request,
                                      registration_fn *on_answer, void *context);

/* Reads record, individual enrollment and groups, then `on_facts`. */
void task_read_facts(struct registration_task *t,
                     void (*on_facts)(struct registration_task *t,
                                      const struct enrollment_cache *groups));
/* The same and verifies the credential: `on_attested` when it holds, else the task ends. Comes back
 * to this for every round. */
void task_attest(struct registration_task *t, void (*on_attested)(struct registration_task *t));
/* Takes what decides; the enrollment is copied without its keys. False after failing the task. */
CHECKED bool task_set_decider(struct registration_task *t, const struct enrollment *e,
                              const struct secret *primary, const struct secret *secondary);
/* By the certificate: in attest_certificate.c. */
void task_attest_certificate(struct registration_task *t);
/* The credential is none of an enrollment's: `t->why` and the trace say why. */
void task_refuse_credential(struct registration_task *t);

void task_answer(struct registration_task *t, const struct registration *answer);
/* With a status; `t->why` holds the cause. */
void task_fail(struct registration_task *t, enum status status);
/* Answers a registration whose credential is wrong, and afterwards notes the attempt, also on the
 * page of the device if there is one; now and then only, for anybody can send such. Unknown devices
 * get no row (central.md 1.6, rows 7 and 15). In registration_note.c. */
void task_fail_unauthorized(struct registration_task *t);
/* Notes now and then an attempt that has no unit of work of its own; `result` as attempt.h. */
void task_note_attempt(struct registration_task *t, slice result);
/* Adds the attempt with its steps. */
void task_add_attempt(struct registration_task *t, struct unit *unit, slice result, slice reason);
/* The answer of TASK_EXPLAIN: what was found out. In explain.c. */
void task_explain(const struct registration_task *t, enum status status);
/* The steps of the gate's judgement, by the plan. In registration_trace.c. */
void task_trace_plan(struct registration_task *t);
/* 404 with a sub-code of its own. */
void task_fail_unknown(struct registration_task *t, int error_code, slice message);
/* 429 or its kin: come again after so long. */
void task_fail_throttled(struct registration_task *t, int64_t wait_ms);
/* The record as the device is told it. */
void task_answer_record(struct registration_task *t, const struct registration_record *r);
void task_destroy(struct registration_task *t);

/* Whole seconds, 1 to 300: more is lost on some clients (provisioning.md 7.2). */
unsigned retry_after_s(int64_t wait_ms);

#endif
