/* What the provisioning service would say to a credential, and why, without a registration. */
#include "provisioning/explain.h"

#include "base/clock.h"
#include "crypto/chain.h"
#include "front/http/application.h"

static const char *result_of(enum status status)
{
    switch (status) {
    case ST_OK:
        return "assigned";
    case ST_REFUSED:
        return "refused";
    case ST_UNAUTHORIZED:
        return "unauthorized";
    default:
        return "failed";
    }
}

static void write_enrollment(struct json_writer *w, const struct explanation *e)
{
    app_put_text_or_null(w, SLICE("enrollment"), e->enrollment);
    if (e->enrollment.len == 0)
        json_put_null(w, SLICE("enrollmentKind"));
    else
        json_put_text(w, SLICE("enrollmentKind"),
                      e->enrollment_kind == ENROLLMENT_GROUP ? SLICE("group")
                                                             : SLICE("individual"));
}

static void on_explanation(void *context, enum status status, const struct explanation *e,
                           const struct fault *why)
{
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    json_put_text(&a.w, SLICE("result"), slice_str(result_of(e->status)));
    app_put_text_or_null(&a.w, SLICE("registrationId"), e->registration_id);
    write_enrollment(&a.w, e);
    app_put_text_or_null(&a.w, SLICE("reason"), e->reason);
    trace_write(e->trace, &a.w, SLICE("steps"));
    json_close(&a.w, '}');
    app_answer_end(&a);
}

/* --- the credential -------------------------------------------------------------------------- */

/* Whether `first` issued one of the others: the file stands on its head. */
static bool is_above(const struct x509_st *first, const struct stack_st_X509 *others)
{
    for (size_t i = 0; i < certificates_count(others); i++) {
        const struct x509_st *other = certificates_at(others, i);

        if (chain_is_issued_by(other, first) && !chain_is_issued_by(first, other))
            return true;
    }
    return false;
}

/* A leaf with the certificates above it in one file is what devices hold. */
static bool read_bundle(struct exchange *x, slice text, struct registration_request *r)
{
    enum certificate_problem problem =
        certificates_read(text, CERTIFICATE_CHAIN_MAX, &r->intermediates);

    if (problem != CERTIFICATE_FINE)
        return app_wrong(x, app_certificate_problem(problem));
    r->certificate = certificate_from_pem(text);
    if (!r->certificate)
        return app_wrong(x, "several certificates: send the device's own as certificate and the "
                            "others as chain");
    return !is_above(r->certificate, r->intermediates) ||
           app_wrong(x, "the first certificate is an authority, which issued another one of them: "
                        "the device's own must come first");
}

static bool read_chain(struct exchange *x, slice text, struct registration_request *r)
{
    enum certificate_problem problem;

    if (r->intermediates)
        return app_wrong(x, "the certificate holds its chain already: leave out one of them");
    problem = certificates_read(text, CERTIFICATE_CHAIN_MAX, &r->intermediates);
    return problem == CERTIFICATE_FINE || app_wrong(x, app_certificate_problem(problem));
}

static bool read_credential(struct exchange *x, const struct json *body,
                            struct registration_request *r)
{
    enum certificate_problem problem;
    slice text;

    json_get_text(body, SLICE("registrationId"), &r->registration_id);
    json_get_text(body, SLICE("sas"), &r->sas_token);
    if (json_get_text(body, SLICE("certificate"), &text)) {
        problem = certificate_read(text, &r->certificate);
        if (problem == CERTIFICATE_TOO_MANY) {
            if (!read_bundle(x, text, r))
                return false;
        } else if (problem != CERTIFICATE_FINE) {
            return app_wrong(x, app_certificate_problem(problem));
        }
    }
    if (r->sas_token.len == 0 && !r->certificate)
        return app_wrong(x, "send sas or certificate");
    return !json_get_text(body, SLICE("chain"), &text) || read_chain(x, text, r);
}

void app_explain(struct exchange *x)
{
    struct registration_request request = {
        .id_scope = provisioning_id_scope(x->front->options.provisioning),
        .protocol = SLICE("explain"),
        .address = exchange_peer(x),
        .now = clock_wall_ms(),
    };
    struct json *body;

    if (exchange_json(x, &body) && read_credential(x, body, &request)) {
        exchange_hold(x);
        registration_explain(x->front->options.provisioning, &request, on_explanation, x);
    }
    certificate_free(request.certificate);
    certificates_free(request.intermediates);
}
