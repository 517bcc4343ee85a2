/* What people upload as certificates, thumbprints and serials, in the forms in which they have
 * them. */
#include "front/http/application.h"
#include "provisioning/enrollment.h"

static const char *const problems[] = {
    [CERTIFICATE_FINE] = "",
    [CERTIFICATE_NONE] = "no certificate can be read: send PEM, or base64 of DER",
    [CERTIFICATE_TOO_MANY] = "several certificates: send one",
    [CERTIFICATE_PRIVATE_KEY] =
        "a private key is in the file: keep it where it is and send the certificate alone",
    [CERTIFICATE_OVERSIZED] = "a certificate file has at most 64 KiB",
};

const char *app_certificate_problem(enum certificate_problem problem)
{
    return problems[problem];
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* 0 for what is no hex digit. */
static uint8_t upper_hex(uint8_t c)
{
    if (is_digit(c) || (c >= 'A' && c <= 'F'))
        return c;
    return c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 'A') : 0;
}

bool app_read_hex(struct exchange *x, slice text, slice *ret)
{
    uint8_t *digits = arena_alloc(&x->arena, text.len + 1);
    size_t count = 0;

    if (!digits) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ':' || text.ptr[i] == ' ')
            continue;
        digits[count] = upper_hex(text.ptr[i]);
        if (digits[count++] == 0)
            return app_wrong(x, "thumbprints and serials are written in hex");
    }
    *ret = slice_of(digits, count);
    return true;
}

bool app_read_thumbprint(struct exchange *x, slice text, slice *ret)
{
    if (!app_read_hex(x, text, ret))
        return false;
    return ret->len == THUMBPRINT_SHA1_LEN || ret->len == THUMBPRINT_SHA256_LEN ||
           app_wrong(x, "a thumbprint has 40 (SHA-1) or 64 (SHA-256) hex digits");
}

bool app_read_certificate(struct exchange *x, slice text, struct x509_st **ret)
{
    enum certificate_problem problem = certificate_read(text, ret);

    return problem == CERTIFICATE_FINE || app_wrong(x, problems[problem]);
}

static bool pin(struct exchange *x, slice text, slice *ret)
{
    struct thumbprints thumbprints;
    struct x509_st *certificate;
    bool allowed, hashed;

    if (!app_read_certificate(x, text, &certificate))
        return false;
    allowed = certificate_key_allowed(certificate);
    hashed = certificate_thumbprints(certificate, &thumbprints);
    certificate_free(certificate);
    if (!allowed)
        return app_wrong(x, "the key of the client certificate is weak, or of a kind that is not "
                            "taken: RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519");
    if (hashed)
        *ret = arena_copy(&x->arena, slice_of(thumbprints.sha256, sizeof thumbprints.sha256));
    if (hashed && ret->len > 0)
        return true;
    exchange_answer_error(x, ST_NO_MEMORY, NULL);
    return false;
}

bool app_read_pin(struct exchange *x, const struct json *object, slice *ret)
{
    slice text;

    if (json_get_text(object, SLICE("certificate"), &text))
        return pin(x, text, ret);
    if (json_get_text(object, SLICE("thumbprint"), &text))
        return app_read_thumbprint(x, text, ret);
    return app_wrong(x, "a client certificate is given by its \"certificate\" or \"thumbprint\"");
}

bool app_read_pins(struct exchange *x, const struct json *body, struct enrollment *to)
{
    const struct json *pins =
        json_path(body, (slice[]){SLICE("x509"), SLICE("clientCertificates")}, 2);
    const struct json *primary = json_member(pins, SLICE("primary"));
    const struct json *secondary = json_member(pins, SLICE("secondary"));

    if (primary && !app_read_pin(x, primary, &to->primary_thumbprint))
        return false;
    if (secondary && secondary->kind == JSON_NULL)
        to->secondary_thumbprint = (slice){0};
    else if (secondary && !app_read_pin(x, secondary, &to->secondary_thumbprint))
        return false;
    return true;
}
