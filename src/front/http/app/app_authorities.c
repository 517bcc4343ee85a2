/* The two certificate slots of an X.509 enrollment group: upload, proof of possession, revocation
 * (contract/central.md 4.5, 4.6). */
#include "provisioning/authority.h"

#include "base/text.h"
#include "front/http/application.h"

struct authority_call {
    struct exchange *x;
    struct authority_request request;
};

static const char *const slot_names[] = {
    [AUTHORITY_PRIMARY] = "primary",
    [AUTHORITY_SECONDARY] = "secondary",
};

/* --- writing --------------------------------------------------------------------------------- */

static void write_verification(struct json_writer *w, const struct authority_row *row,
                               bool with_code)
{
    json_put_bool(w, SLICE("verified"), row->verified_at != 0);
    app_put_time(w, SLICE("verifiedAt"), row->verified_at);
    app_put_text_or_null(w, SLICE("verifiedBy"), row->verified_by);
    json_put_bool(w, SLICE("selfAttested"), row->self_attested);
    app_put_text_or_null(w, SLICE("verificationCode"), with_code ? row->code : (slice){0});
    app_put_time(w, SLICE("verificationCodeAt"), row->code_at);
}

static void write_revocation(struct json_writer *w, const struct authority_row *row)
{
    if (row->crl_this_update == 0) {
        json_put_null(w, SLICE("crl"));
    } else {
        json_open(w, SLICE("crl"), '{');
        app_put_text_or_null(w, SLICE("number"), row->crl_number);
        app_put_time(w, SLICE("thisUpdate"), row->crl_this_update);
        app_put_time(w, SLICE("nextUpdate"), row->crl_next_update);
        json_put_int(w, SLICE("entries"), (int64_t)(row->crl.len / sizeof(uint64_t)));
        json_close(w, '}');
    }
    if (row->ocsp_url.len == 0) {
        json_put_null(w, SLICE("ocsp"));
    } else {
        json_open(w, SLICE("ocsp"), '{');
        json_put_text(w, SLICE("url"), row->ocsp_url);
        json_put_bool(w, SLICE("failClosed"), row->ocsp_strict);
        json_close(w, '}');
    }
}

static void write_facts(struct json_writer *w, const struct certificate_facts *f)
{
    const struct thumbprints *t = &f->thumbprints;

    json_put_text(w, SLICE("subject"), f->subject);
    json_put_text(w, SLICE("issuer"), f->issuer);
    json_put_text(w, SLICE("serial"), f->serial);
    json_put_text(w, SLICE("sha1Thumbprint"), slice_of(t->sha1, sizeof t->sha1));
    json_put_text(w, SLICE("sha256Thumbprint"), slice_of(t->sha256, sizeof t->sha256));
    app_put_time(w, SLICE("notBefore"), f->not_before);
    app_put_time(w, SLICE("notAfter"), f->not_after);
    json_put_text(w, SLICE("key"), f->key);
    json_put_text(w, SLICE("signature"), f->signature);
}

/* The code is for those who may use it: it proves nothing by itself, but it is theirs. */
static void write_slot(struct exchange *x, struct json_writer *w, slice name,
                       const struct authority_view *v)
{
    if (!v->row || !v->facts) {
        json_put_null(w, name);
        return;
    }
    json_open(w, name, '{');
    json_put_text(w, SLICE("slot"), slice_str(slot_names[v->slot]));
    json_put_text(w, SLICE("state"), slice_str(authority_state_name(v->state)));
    write_facts(w, v->facts);
    write_verification(w, v->row, may_do(&x->principal, PERM_CONNECTIVITY_MANAGE_GLOBAL));
    app_put_text_or_null(w, SLICE("warning"), slice_str(v->warning));
    write_revocation(w, v->row);
    app_put_etag(w, v->row->version);
    json_close(w, '}');
}

static const struct authority_view *view_of(const struct authority_view views[2],
                                            enum authority_slot slot)
{
    return views[0].slot == slot ? &views[0] : &views[1];
}

/* --- answers --------------------------------------------------------------------------------- */

static void on_both(void *context, enum status status, const struct authority_view views[2],
                    const struct fault *why)
{
    struct authority_call *call = context;
    struct app_answer a;

    if (!app_answer_begin(&a, call->x, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    write_slot(a.x, &a.w, SLICE("primary"), view_of(views, AUTHORITY_PRIMARY));
    write_slot(a.x, &a.w, SLICE("secondary"), view_of(views, AUTHORITY_SECONDARY));
    json_close(&a.w, '}');
    app_answer_end(&a);
}

static void on_slot(void *context, enum status status, const struct authority_view views[2],
                    const struct fault *why)
{
    struct authority_call *call = context;
    struct app_answer a;

    if (!app_answer_begin(&a, call->x, status, why))
        return;
    write_slot(a.x, &a.w, (slice){0}, view_of(views, call->request.slot));
    app_answer_end(&a);
}

static void on_code(void *context, enum status status, const struct authority_view views[2],
                    const struct fault *why)
{
    struct authority_call *call = context;
    const struct authority_row *row = NULL;
    struct app_answer a;

    if (status == ST_OK)
        row = view_of(views, call->request.slot)->row;
    if (status == ST_OK && !row)
        status = ST_INTERNAL;
    if (!app_answer_begin(&a, call->x, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    json_put_text(&a.w, SLICE("verificationCode"), row->code);
    json_close(&a.w, '}');
    app_answer_end(&a);
}

static void on_removed(void *context, enum status status, const struct authority_view views[2],
                       const struct fault *why)
{
    struct authority_call *call = context;

    (void)views;
    app_answer_done(call->x, status, why);
}

/* --- requests -------------------------------------------------------------------------------- */

static struct authority_call *begin(struct exchange *x, enum authority_act act)
{
    struct authority_call *call = arena_alloc(&x->arena, sizeof *call);

    if (!call) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return NULL;
    }
    call->x = x;
    call->request.act = act;
    call->request.group = x->bound[0];
    call->request.by = slice_str(x->principal.name);
    return call;
}

/* The same for a path that names a slot; `ret_body` NULL: the body does not count. */
static struct authority_call *begin_slot(struct exchange *x, enum authority_act act,
                                         struct json **ret_body)
{
    struct authority_call *call = begin(x, act);
    struct fault why;

    if (!call)
        return NULL;
    for (int s = AUTHORITY_PRIMARY; s <= AUTHORITY_SECONDARY; s++) {
        if (slice_equal(x->bound[1], slice_str(slot_names[s])))
            call->request.slot = (enum authority_slot)s;
    }
    if (call->request.slot == 0) {
        fault_set(&why, ST_NOT_FOUND, "the slots are primary and secondary");
        exchange_answer_error(x, ST_NOT_FOUND, &why);
        return NULL;
    }
    if (ret_body && !exchange_json(x, ret_body))
        return NULL;
    return app_read_version(x, ret_body ? *ret_body : NULL, &call->request.version) ? call : NULL;
}

static void carry_out(struct authority_call *call, authority_fn *on_views)
{
    exchange_hold(call->x);
    authority_do(call->x->front->options.provisioning, &call->request, on_views, call);
}

void app_authorities_get(struct exchange *x)
{
    struct authority_call *call = begin(x, AUTHORITY_SHOW);

    if (call)
        carry_out(call, on_both);
}

/* An upload or a verification: both bring a certificate. */
static void put_certificate(struct exchange *x, enum authority_act act)
{
    struct json *body;
    struct authority_call *call = begin_slot(x, act, &body);

    if (!call)
        return;
    json_get_bool(body, SLICE("verified"), &call->request.verified);
    json_get_bool(body, SLICE("replace"), &call->request.replace);
    if (json_get_text(body, SLICE("certificate"), &call->request.file))
        carry_out(call, on_slot);
    else
        app_wrong(x, "send {\"certificate\": \"PEM, or base64 of DER\"}");
}

void app_authority_put(struct exchange *x)
{
    put_certificate(x, AUTHORITY_UPLOAD);
}

void app_authority_verify(struct exchange *x)
{
    put_certificate(x, AUTHORITY_VERIFY);
}

void app_authority_issue_code(struct exchange *x)
{
    struct authority_call *call = begin_slot(x, AUTHORITY_ISSUE_CODE, NULL);

    if (call)
        carry_out(call, on_code);
}

void app_authority_delete(struct exchange *x)
{
    struct authority_call *call = begin_slot(x, AUTHORITY_REMOVE, NULL);

    if (call)
        carry_out(call, on_removed);
}

void app_authority_ocsp_put(struct exchange *x)
{
    struct json *body;
    struct authority_call *call = begin_slot(x, AUTHORITY_SET_OCSP, &body);

    if (!call)
        return;
    json_get_bool(body, SLICE("failClosed"), &call->request.ocsp_strict);
    if (json_get_text(body, SLICE("url"), &call->request.ocsp_url))
        carry_out(call, on_slot);
    else
        app_wrong(x, "send {\"url\": \"http://...\", \"failClosed\": false}; an empty url: off");
}

/* --- revocation lists ------------------------------------------------------------------------ */

void app_authority_crl_delete(struct exchange *x)
{
    struct authority_call *call = begin_slot(x, AUTHORITY_SET_CRL, NULL);

    if (call)
        carry_out(call, on_slot);
}

static instant changed_at(const struct authority_view *v)
{
    return v->row ? v->row->updated_at : 0;
}

/* The signature says whose list it is, so the caller need not: the slot that changed just now. */
static void on_crl(void *context, enum status status, const struct authority_view views[2],
                   const struct fault *why)
{
    struct authority_call *call = context;

    call->request.slot = AUTHORITY_PRIMARY;
    if (status == ST_OK && changed_at(view_of(views, AUTHORITY_SECONDARY)) >
                               changed_at(view_of(views, AUTHORITY_PRIMARY)))
        call->request.slot = AUTHORITY_SECONDARY;
    on_slot(call, status, views, why);
}

/* Base64 without armour becomes DER here; what is neither is for crl_read to name. */
static bool read_crl(struct exchange *x, slice text, slice *ret)
{
    size_t len, room = text.len / 4 * 3 + 3;
    uint8_t *der = arena_alloc(&x->arena, room);

    if (!der) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return false;
    }
    *ret = base64_decode(slice_trim(text), der, room, &len) ? slice_of(der, len) : text;
    return true;
}

void app_crl_put(struct exchange *x)
{
    struct authority_call *call = begin(x, AUTHORITY_SET_CRL);
    struct json *body;
    slice text;

    if (!call || !exchange_json(x, &body))
        return;
    if (!json_get_text(body, SLICE("crl"), &text) || text.len == 0) {
        app_wrong(x, "send {\"crl\": \"PEM, or base64 of DER\"}");
        return;
    }
    if (read_crl(x, text, &call->request.file))
        carry_out(call, on_crl);
}
