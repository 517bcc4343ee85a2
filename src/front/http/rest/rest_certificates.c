/* The certificates of an enrollment group in the compatible REST API (contract/central.md 4.6). */
#include "front/http/application.h"
#include "front/http/rest.h"
#include "provisioning/authority.h"

struct certificate_call {
    struct exchange *x;
    struct authority_request request;
};

/* --- writing ---------------------------------------------------------------------------------- */

void rest_write_certificate(struct json_writer *w, slice name, const struct authority_view *v)
{
    json_open(w, name, '{');
    json_put_bool(w, SLICE("verified"), v->row->verified_at != 0);
    if (v->facts) {
        json_open(w, SLICE("info"), '{');
        json_put_text(w, SLICE("sha1Thumbprint"),
                      slice_of(v->facts->thumbprints.sha1, sizeof v->facts->thumbprints.sha1));
        json_close(w, '}');
    }
    app_put_etag(w, v->row->version);
    json_close(w, '}');
}

static const struct authority_view *view_of(const struct certificate_call *call,
                                            const struct authority_view views[2])
{
    return views[0].slot == call->request.slot ? &views[0] : &views[1];
}

static void on_slot(void *context, enum status status, const struct authority_view views[2],
                    const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct certificate_call *call = context;
    struct json_writer w = {.to = &body};
    struct fault none;

    if (status == ST_OK && !view_of(call, views)->row) {
        status = fault_set(&none, ST_NOT_FOUND, "there is no certificate");
        why = &none;
    }
    if (status == ST_OK)
        rest_write_certificate(&w, (slice){0}, view_of(call, views));
    rest_end(call->x, status, &body, why);
}

static void on_code(void *context, enum status status, const struct authority_view views[2],
                    const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct certificate_call *call = context;
    struct json_writer w = {.to = &body};

    if (status == ST_OK) {
        json_open(&w, (slice){0}, '{');
        json_put_text(&w, SLICE("verificationCode"), view_of(call, views)->row->code);
        json_close(&w, '}');
    }
    rest_end(call->x, status, &body, why);
}

static void on_done(void *context, enum status status, const struct authority_view views[2],
                    const struct fault *why)
{
    struct certificate_call *call = context;

    (void)views;
    rest_end(call->x, status, NULL, why);
}

/* --- requests --------------------------------------------------------------------------------- */

/* The certificate of the body is wanted for an upload and for a verification. */
static bool read_request(struct certificate_call *call, enum authority_act act)
{
    struct authority_request *request = &call->request;
    struct exchange *x = call->x;
    bool has_verified;
    struct json *body;

    if (act != AUTHORITY_UPLOAD && act != AUTHORITY_VERIFY)
        return true;
    if (!exchange_json(x, &body) || !rest_read_certificate(x, body, &request->file) ||
        !rest_read_flag(x, body, "verified", &has_verified, &request->verified))
        return false;
    request->version = rest_version(x, body);
    request->must_be_new = act == AUTHORITY_UPLOAD && exchange_wants_new(x);
    return request->file.len > 0 || rest_wrong(x, "the body needs a certificate");
}

static enum authority_slot slot_of(slice entry)
{
    if (slice_equal(entry, SLICE("primary")))
        return AUTHORITY_PRIMARY;
    return slice_equal(entry, SLICE("secondary")) ? AUTHORITY_SECONDARY : 0;
}

static void start(struct exchange *x, enum authority_act act, authority_fn *on_views)
{
    struct certificate_call *call = arena_alloc(&x->arena, sizeof *call);
    struct fault why;

    if (!call) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    call->x = x;
    call->request = (struct authority_request){
        .act = act,
        .group = x->bound[0],
        .slot = slot_of(x->bound[1]),
        .replace = true,
        .by = slice_str(x->principal.name),
    };
    if (call->request.slot == 0) {
        fault_set(&why, ST_NOT_FOUND, "the entries are primary and secondary");
        exchange_answer_error(x, ST_NOT_FOUND, &why);
    } else if (read_request(call, act)) {
        exchange_hold(x);
        authority_do(x->front->options.provisioning, &call->request, on_views, call);
    }
}

static void certificate_get(struct exchange *x)
{
    start(x, AUTHORITY_SHOW, on_slot);
}

static void certificate_put(struct exchange *x)
{
    start(x, AUTHORITY_UPLOAD, on_slot);
}

static void certificate_delete(struct exchange *x)
{
    start(x, AUTHORITY_REMOVE, on_done);
}

static void code_issue(struct exchange *x)
{
    start(x, AUTHORITY_ISSUE_CODE, on_code);
}

static void certificate_verify(struct exchange *x)
{
    start(x, AUTHORITY_VERIFY, on_done);
}

/* --- schemas ---------------------------------------------------------------------------------- */

static const struct rest_schema schemas[] = {
    {"SigningX509Certificate", "",
     "'verified':{'type':'boolean','default':false},"
     "'certificate':{'type':'string','writeOnly':true},"
     "'info':@X509CertificateInfo,'etag':{'type':'string'}"},
    {"X509VerificationCode", "", "'verificationCode':{'type':'string','readOnly':true}"},
    {"X509VerificationCertificate", "'certificate'", "'certificate':{'type':'string'}"},
};

/* --- routes ----------------------------------------------------------------------------------- */

#define CERTIFICATE "enrollmentGroups/{}/certificates/{}"

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,    CERTIFICATE,                               PERM_CONNECTIVITY_READ_GLOBAL,   certificate_get},    "EnrollmentGroups_GetX509",                      NULL,                          "SigningX509Certificate", 200, 0},
    {{HTTP_PUT,    CERTIFICATE,                               PERM_CONNECTIVITY_MANAGE_GLOBAL, certificate_put},    "EnrollmentGroups_CreateX509",                   "SigningX509Certificate",      "SigningX509Certificate", 200, 0},
    {{HTTP_DELETE, CERTIFICATE,                               PERM_CONNECTIVITY_MANAGE_GLOBAL, certificate_delete}, "EnrollmentGroups_RemoveX509",                   NULL,                          NULL,                     204, 0},
    {{HTTP_POST,   CERTIFICATE "/generateVerificationCode",   PERM_CONNECTIVITY_MANAGE_GLOBAL, code_issue},         "EnrollmentGroups_GenerateVerificationCodeX509", NULL,                          "X509VerificationCode",   200, 0},
    {{HTTP_POST,   CERTIFICATE "/verify",                     PERM_CONNECTIVITY_MANAGE_GLOBAL, certificate_verify}, "EnrollmentGroups_VerifyX509",                   "X509VerificationCertificate", NULL,                     204, 0},
};
/* clang-format on */

const struct rest_table rest_certificates = {routes, COUNT_OF(routes), schemas, COUNT_OF(schemas)};
