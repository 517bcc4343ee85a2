/* Certificate -> the enrollment that decides (contract/provisioning.md 3.1 to 3.3).
 *
 *     individual enrollment --> common name --> thumbprint --> dates, deny list
 *     none                  --> common name --> path, revocation --> the group it leads to
 *
 * An individual enrollment decides before any group, also when the certificate is not its own.
 * What a certificate is worth says identity/trust/certificate_check.h; the answer may come later.
 */
#include "crypto/certificate_read.h"
#include "identity/trust/certificate_check.h"
#include "provisioning/provisioning_internal.h"
#include "provisioning/registration_task.h"

static void refuse(struct registration_task *t, enum step step, slice expected, slice received,
                   const char *mend)
{
    trace_fail(&t->trace, step, expected, received, mend);
    task_refuse_credential(t);
}

static void use(struct registration_task *t, const struct enrollment *e)
{
    const struct secret none = {0};

    if (task_set_decider(t, e, &none, &none))
        t->on_attested(t);
}

/* False after ending the task. */
static bool is_good(struct registration_task *t, enum status status,
                    const struct certificate_verdict *verdict, const struct fault *why)
{
    if (status != ST_OK) {
        if (why)
            t->why = *why;
        if (status == ST_UNAUTHORIZED)
            task_refuse_credential(t);
        else
            task_fail(t, status);
        return false;
    }
    memcpy(t->leaf, verdict->thumbprints.sha256, sizeof t->leaf);
    t->has_leaf = true;
    return true;
}

static struct trust_claim claim_of(const struct registration_task *t)
{
    return (struct trust_claim){
        .leaf = t->request.certificate,
        .intermediates = t->request.intermediates,
        .now = t->request.now,
    };
}

/* --- by an individual enrollment -------------------------------------------------------------- */

static void on_pinned(void *context, enum status status, const struct certificate_verdict *verdict,
                      const struct fault *why)
{
    struct registration_task *t = context;

    if (is_good(t, status, verdict, why))
        use(t, t->individual);
}

static bool is_registered(const struct enrollment *e, const struct thumbprints *leaf)
{
    return thumbprint_matches(leaf, e->primary_thumbprint) ||
           thumbprint_matches(leaf, e->secondary_thumbprint);
}

static void try_individual(struct registration_task *t, const struct certificate_facts *leaf)
{
    const struct enrollment *e = t->individual;
    const slice sha256 = slice_of(leaf->thumbprints.sha256, sizeof leaf->thumbprints.sha256);
    const struct trust_claim claim = claim_of(t);

    if (!is_registered(e, &leaf->thumbprints)) {
        (void)fault_set(&t->why, ST_UNAUTHORIZED,
                        "the certificate is none of the individual enrollment '%.*s'",
                        SLICE_FMT(e->id));
        refuse(t, STEP_THUMBPRINT, e->primary_thumbprint, sha256,
               "store the device's new certificate in the individual enrollment, or delete that");
        return;
    }
    trace_pass(&t->trace, STEP_THUMBPRINT, sha256);
    certificate_check_pinned(t->p->id, &claim, e->expired_leaf_allowed, &t->trace, on_pinned, t);
}

/* --- by a group ------------------------------------------------------------------------------- */

static const struct enrollment *find_group(const struct registration_task *t,
                                           const struct enrollment_cache *groups)
{
    const struct enrollment *group = enrollment_cache_find(groups, t->verdict_group);

    return group && group->attestation == ATTEST_X509 ? group : NULL;
}

/* Trust may know a group that was made after the groups were read for this registration. */
static void on_fresh_groups(void *context, enum status status,
                            const struct enrollment_cache *groups)
{
    struct registration_task *t = context;
    const struct enrollment *group = status == ST_OK ? find_group(t, groups) : NULL;

    if (status != ST_OK) {
        (void)fault_set(&t->why, status, "the enrollment groups could not be read");
        task_fail(t, status);
    } else if (group) {
        use(t, group);
    } else {
        (void)fault_set(&t->why, ST_UNAUTHORIZED, "the enrollment group '%.*s' is gone",
                        SLICE_FMT(t->verdict_group));
        refuse(t, STEP_ENROLLMENT, SLICE("an enrollment group for certificates"), t->verdict_group,
               "make the group again");
    }
}

static void on_groups(void *context, enum status status, const struct enrollment_cache *groups)
{
    struct registration_task *t = context;
    const struct enrollment *group = status == ST_OK ? find_group(t, groups) : NULL;

    if (group)
        use(t, group);
    else
        enrollment_cache_refresh(t->p, on_fresh_groups, t);
}

static void on_path(void *context, enum status status, const struct certificate_verdict *verdict,
                    const struct fault *why)
{
    struct registration_task *t = context;

    if (!is_good(t, status, verdict, why))
        return;
    t->verdict_group = arena_copy(&t->arena, verdict->group);
    t->issuer_marks = arena_copy(&t->arena, trust_marks_bytes(verdict->marks));
    enrollment_cache_at(t->p, t->set_version, on_groups, t);
}

static void try_groups(struct registration_task *t)
{
    const struct trust_claim claim = claim_of(t);

    certificate_check(t->p->id, &claim, &t->trace, on_path, t);
}

/* --- both ------------------------------------------------------------------------------------- */

/* False after ending the task. */
static bool takes_certificates(struct registration_task *t)
{
    const struct enrollment *e = t->individual;

    if (!e || e->attestation == ATTEST_X509) {
        trace_pass(&t->trace, STEP_INDIVIDUAL, e ? e->id : SLICE("none"));
        return true;
    }
    (void)fault_set(&t->why, ST_UNAUTHORIZED,
                    "the individual enrollment '%.*s' takes keys, not certificates",
                    SLICE_FMT(e->id));
    refuse(t, STEP_INDIVIDUAL, SLICE("a SAS token"), SLICE("a certificate"),
           "sign with the key of the individual enrollment, or delete that");
    return false;
}

static bool is_named_so(struct registration_task *t, const struct certificate_facts *leaf)
{
    const slice id = t->request.registration_id;

    if (leaf->common_name.len > 0 && slice_equal_nocase(leaf->common_name, id)) {
        trace_pass(&t->trace, STEP_COMMON_NAME, leaf->common_name);
        return true;
    }
    (void)fault_set(&t->why, ST_UNAUTHORIZED,
                    "the certificate's common name '%.*s' is not the registration ID",
                    SLICE_FMT(leaf->common_name));
    refuse(t, STEP_COMMON_NAME, id, leaf->common_name.len > 0 ? leaf->common_name : leaf->subject,
           "issue a certificate with exactly one common name: the registration ID");
    return false;
}

void task_attest_certificate(struct registration_task *t)
{
    struct certificate_facts leaf;
    enum status status;

    if (!takes_certificates(t))
        return;
    status = certificate_facts_read(t->request.certificate, &t->arena, &leaf, &t->why);
    if (status == ST_NO_MEMORY) {
        task_fail(t, status);
    } else if (status != ST_OK) {
        refuse(t, STEP_LEAF, SLICE("a certificate that can be read"), slice_str(t->why.text),
               "issue another certificate");
    } else if (is_named_so(t, &leaf)) {
        if (t->individual)
            try_individual(t, &leaf);
        else
            try_groups(t);
    }
}
