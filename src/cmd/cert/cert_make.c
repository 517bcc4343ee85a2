/* Authorities and the proof that one has their key: one key, one certificate at a time. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cert.h"
#include "cmd/cert/cert_authority.h"
#include "cmd/cert/cert_files.h"
#include "crypto/certificate_read.h"
#include "crypto/crypto.h"
#include "crypto/key_file.h"

#define ROOT_DAYS 3650
#define INTERMEDIATE_DAYS 1825
#define VERIFICATION_DAYS 30
#define PATH_LENGTH_MAX 100
#define NAME_TEXT_MAX 64
#define CODE_MAX 64

/* --- root and intermediate -------------------------------------------------------------------- */

struct paths {
    char *certificate, *key, *chain;
};

static void free_paths(struct paths *p)
{
    free(p->certificate);
    free(p->key);
    free(p->chain);
}

/* The key that was asked for by --key-file, or a fresh one. */
static struct evp_pkey_st *choose_key(const struct cert_words *w, struct fault *why)
{
    enum key_kind kind;
    struct evp_pkey_st *key;

    if (w->key_file)
        return cert_key_read(w->key_file, why);
    if (!cert_key_kind(w, &kind)) {
        why->text[0] = '\0'; /* it was said */
        return NULL;
    }
    key = private_key_make(kind);
    if (!key)
        fault_set(why, ST_NO_MEMORY, "cannot make a key");
    return key;
}

/* What is there stays, unless the words say that it may go. */
static bool may_write(const struct cert_words *w, const struct paths *p,
                      const struct evp_pkey_st *key, struct fault *why)
{
    struct evp_pkey_st *there;
    bool same;

    if (w->force)
        return true;
    if (!cert_file_exists(p->key)) {
        if (!cert_file_exists(p->certificate))
            return true;
        fault_set(why, ST_CONFLICT, "choose another --out, or --force: there is already %s",
                  p->certificate);
        return false;
    }
    if (!w->key_file) {
        fault_set(why, ST_CONFLICT,
                  "choose another --out, keep the key with --key-file, or --force a new one: there "
                  "is already %s",
                  p->key);
        return false;
    }
    there = cert_key_read(p->key, why);
    same = there && cert_key_same(there, key);
    private_key_free(there);
    if (there && !same)
        fault_set(why, ST_CONFLICT,
                  "choose another --out, or --force: another key is already in %s", p->key);
    return same;
}

static bool write_key(const char *path, const struct evp_pkey_st *key, struct fault *why)
{
    CERT_SECRET_CLEANUP struct buf pem = {.max = CERT_FILE_MAX};
    enum key_file_mode mode = cert_file_exists(path) ? KEY_FILE_REPLACE : KEY_FILE_NEW;

    private_key_to_pem(key, &pem);
    if (pem.failed)
        fault_set(why, ST_NO_MEMORY, "no memory for %s", path);
    return !pem.failed && key_file_write(path, mode, buf_slice(&pem), why) == ST_OK;
}

static bool write_certificate(const char *path, const struct x509_st *certificate, slice behind,
                              struct fault *why)
{
    BUF_CLEANUP struct buf pem = {.max = 2 * CERT_FILE_MAX};

    certificate_to_pem(certificate, &pem);
    buf_append(&pem, behind);
    if (pem.failed)
        fault_set(why, ST_NO_MEMORY, "no memory for %s", path);
    return !pem.failed && key_file_write(path, PUBLIC_FILE, buf_slice(&pem), why) == ST_OK;
}

/* The certificate comes last: where it is, there is its key. */
static bool write_all(const struct paths *p, const struct certificate_order *order,
                      const struct cert_authority *issuer, struct fault *why)
{
    struct x509_st *made = certificate_make(order, why);
    bool written = made && write_key(p->key, order->key, why);

    if (written && issuer)
        written = write_certificate(p->chain, made, buf_slice(&issuer->chain_pem), why);
    written = written && write_certificate(p->certificate, made, (slice){0}, why);
    certificate_free(made);
    return written;
}

/* A name of its own: authorities of one name would be taken for each other in a roll-over. */
static slice default_name(const char *kind, char to[NAME_TEXT_MAX])
{
    uint8_t random[4];

    random_bytes(random, sizeof random);
    snprintf(to, NAME_TEXT_MAX, "Muster %s %02X%02X%02X%02X", kind, random[0], random[1], random[2],
             random[3]);
    return slice_str(to);
}

static int usage_error(const char *text)
{
    return command_fail(&cert_command, EXIT_USAGE, "%s; --help tells more", text);
}

/* The words that both kinds share. `issuer` NULL: a root. */
static int read_order(const struct cert_words *w, const struct cert_authority *issuer,
                      char name[NAME_TEXT_MAX], struct certificate_order *ret)
{
    const char *given = w->cn ? w->cn : w->rest.count > 1 ? w->rest.items[1] : NULL;
    int64_t path_length = -1;
    struct cert_span span;
    int code;

    if (w->path_length && !options_number(&cert_command, "--path-length", w->path_length, 0,
                                          PATH_LENGTH_MAX, &path_length))
        return EXIT_USAGE;
    code = cert_span_of(w, issuer ? INTERMEDIATE_DAYS : ROOT_DAYS, issuer ? issuer->not_after : 0,
                        &span);
    if (code != EXIT_DONE)
        return code;
    *ret = (struct certificate_order){
        .role = ROLE_AUTHORITY,
        .common_name =
            given ? slice_str(given) : default_name(issuer ? "intermediate CA" : "root CA", name),
        .issuer = issuer ? issuer->certificate : NULL,
        .issuer_key = issuer ? issuer->key : NULL,
        .not_before = span.not_before,
        .not_after = span.not_after,
        .path_length = (int)path_length,
    };
    return EXIT_DONE;
}

static void tell(const struct cert_words *w, const struct paths *p,
                 const struct certificate_order *order)
{
    if (!w->json)
        printf("%.*s\n  certificate  %s\n  key          %s\n", SLICE_FMT(order->common_name),
               p->certificate, p->key);
}

static int make_in(const struct cert_words *w, const struct cert_authority *issuer,
                   struct certificate_order *order, const struct paths *p)
{
    struct fault why = {0};
    struct evp_pkey_st *key = cert_folder_make(w->out, &why) ? choose_key(w, &why) : NULL;
    int code = EXIT_FAILED;

    order->key = key;
    if (!key)
        code = why.text[0] ? cert_fail(EXIT_FAILED, &why) : EXIT_USAGE;
    else if (!may_write(w, p, key, &why))
        code = cert_fail(EXIT_USAGE, &why);
    else if (!write_all(p, order, issuer, &why))
        code = cert_fail(why.status == ST_BAD_REQUEST ? EXIT_USAGE : EXIT_FAILED, &why);
    else
        code = EXIT_DONE;
    if (code == EXIT_DONE)
        tell(w, p, order);
    private_key_free(key);
    return code;
}

static int make_authority(const struct cert_words *w, const struct cert_authority *issuer)
{
    struct certificate_order order;
    char name[NAME_TEXT_MAX];
    struct paths p;
    int code;

    if (w->rest.count > 2 || (w->cn && w->rest.count > 1))
        return usage_error("one name at most: quote it when it has blanks");
    code = read_order(w, issuer, name, &order);
    if (code != EXIT_DONE)
        return code;
    p = (struct paths){cert_path(w->out, "ca.pem"), cert_path(w->out, "ca.key"),
                       cert_path(w->out, "chain.pem")};
    code = p.certificate && p.key && p.chain ? make_in(w, issuer, &order, &p) : EXIT_FAILED;
    free_paths(&p);
    return code;
}

int cert_root(const struct cert_words *w)
{
    if (!w->out)
        return usage_error("a root needs --out DIR");
    return make_authority(w, NULL);
}

int cert_intermediate(const struct cert_words *w)
{
    struct cert_authority issuer;
    struct fault why = {0};
    int code;

    if (!w->out || !w->ca)
        return usage_error("an intermediate needs --ca DIR (its issuer) and --out DIR");
    if (!cert_authority_open(w->ca, &issuer, &why))
        return cert_fail(EXIT_FAILED, &why);
    if (issuer.path_length == 0) {
        fault_set(&why, ST_FORBIDDEN, "the authority in %s may have none below it (path length 0)",
                  w->ca);
        code = cert_fail(EXIT_FAILED, &why);
    } else {
        code = make_authority(w, &issuer);
    }
    cert_authority_close(&issuer);
    return code;
}

/* --- the proof of possession ------------------------------------------------------------------ */

/* Nobody needs its key: it is made, written into the certificate, and forgotten. */
static bool make_verification(const struct cert_words *w, const struct cert_authority *authority,
                              const struct cert_span *span, const char *path, struct fault *why)
{
    struct evp_pkey_st *key = private_key_make(KEY_P256);
    const struct certificate_order order = {
        .role = ROLE_VERIFICATION,
        .common_name = slice_str(w->code),
        .key = key,
        .issuer = authority->certificate,
        .issuer_key = authority->key,
        .not_before = span->not_before,
        .not_after = span->not_after,
        .path_length = -1,
    };
    struct x509_st *made = key ? certificate_make(&order, why) : NULL;
    bool written = made && write_certificate(path, made, (slice){0}, why);

    if (!key)
        fault_set(why, ST_NO_MEMORY, "cannot make a key");
    certificate_free(made);
    private_key_free(key);
    return written;
}

static int verify_with(const struct cert_words *w, const struct cert_authority *authority)
{
    const char *folder = w->out ? w->out : w->ca;
    struct fault why = {0};
    struct cert_span span;
    char *path = cert_path(folder, "verification.pem");
    int code = cert_span_of(w, VERIFICATION_DAYS, authority->not_after, &span);

    if (code == EXIT_DONE) {
        if (path && cert_folder_make(folder, &why) &&
            make_verification(w, authority, &span, path, &why))
            printf("%s\n", path);
        else
            code = cert_fail(EXIT_FAILED, &why);
    }
    free(path);
    return code;
}

int cert_verification(const struct cert_words *w)
{
    struct cert_authority authority;
    struct fault why = {0};
    int code;

    if (!w->code || !w->code[0] || !w->ca)
        return usage_error("a verification needs --code CODE and --ca DIR");
    if (strlen(w->code) > CODE_MAX)
        return usage_error("a verification code has at most 64 characters");
    if (!cert_authority_open(w->ca, &authority, &why))
        return cert_fail(EXIT_FAILED, &why);
    code = verify_with(w, &authority);
    cert_authority_close(&authority);
    return code;
}
