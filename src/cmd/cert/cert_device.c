/* muster cert device: what the words ask for, made ready, and all cores set to work. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "cmd/cert.h"
#include "cmd/cert/cert_authority.h"
#include "cmd/cert/cert_files.h"
#include "cmd/cert/cert_tally.h"
#include "crypto/key_file.h"

#define DEVICE_DAYS 365
#define THREADS_MAX 1024
#define PASS_PHRASE_MAX 1024

struct device_run {
    const struct cert_words *w;
    const char *out;
    struct cert_authority authority; /* empty when self-signed */
    struct evp_pkey_st *key;         /* of --key-file */
    char pass_phrase[PASS_PHRASE_MAX + 1];
    struct leaf_plan plan;
    struct leaf_files files;
    unsigned threads;
};

/* --- words that do not go together ------------------------------------------------------------ */

static bool nothing_named(const struct cert_words *w)
{
    return !w->csv && w->rest.count < 2;
}
static bool both_named(const struct cert_words *w)
{
    return w->csv && w->rest.count > 1;
}
static bool no_signer(const struct cert_words *w)
{
    return !w->ca == !w->self_signed;
}
static bool key_for_many(const struct cert_words *w)
{
    return w->key_file && (w->csv || w->rest.count != 2);
}
static bool phrase_without_p12(const struct cert_words *w)
{
    return w->pass_phrase_file && !w->p12;
}
static bool self_signed_authority(const struct cert_words *w)
{
    return w->edge && w->self_signed;
}

static const struct {
    bool (*broken)(const struct cert_words *w);
    const char *sentence;
} rules[] = {
    {nothing_named, "name the devices, or give --csv FILE"},
    {both_named, "either device IDs or --csv FILE"},
    {no_signer, "either --ca DIR or --self-signed"},
    {key_for_many, "--key-file is for one device"},
    {phrase_without_p12, "--pass-phrase-file goes with --p12"},
    {self_signed_authority, "an edge device needs --ca DIR"},
};

static bool check_rules(const struct cert_words *w)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        if (rules[i].broken(w)) {
            command_fail(&cert_command, EXIT_USAGE, "%s; --help tells more", rules[i].sentence);
            return false;
        }
    }
    return true;
}

/* IDs on the command line are judged before anything is made. */
static bool check_words(const struct device_run *r)
{
    const struct words *ids = &r->w->rest;

    for (size_t i = 1; i < ids->count; i++) {
        char id[CERT_ID_MAX];
        struct fault why;
        size_t len;
        bool changed;

        if (cert_id_take(slice_str(ids->items[i]), id, &len, &changed, &why) != ST_OK) {
            cert_fail(EXIT_USAGE, &why);
            return false;
        }
        if (!r->w->force && !r->w->key_file && cert_leaf_exists(&r->files, slice_of(id, len))) {
            command_fail(&cert_command, EXIT_USAGE,
                         "%s/%.*s.key or .pem is there already: choose another --out, renew it "
                         "with --key-file %s/%.*s.key, or --force a new one",
                         r->out, (int)len, id, r->out, (int)len, id);
            return false;
        }
    }
    return true;
}

/* --- ready ------------------------------------------------------------------------------------ */

static bool read_pass_phrase(struct device_run *r, struct fault *why)
{
    size_t len = 0;

    if (!r->w->pass_phrase_file)
        return true;
    if (key_file_read(r->w->pass_phrase_file, r->pass_phrase, PASS_PHRASE_MAX, &len, why) != ST_OK)
        return false;
    r->pass_phrase[len] = '\0';
    r->pass_phrase[strcspn(r->pass_phrase, "\r\n")] = '\0';
    return true;
}

/* One run at a time in a folder: two would take each other's half-made files for a crash's. */
static bool open_folder(struct device_run *r, struct fault *why)
{
    char *own = cert_path(r->out, "ca.key");

    if (!own || !cert_folder_make(r->out, why)) {
        free(own);
        return false;
    }
    r->files.is_authority = cert_file_exists(own);
    free(own);
    r->files.folder = open(r->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->files.folder < 0) {
        fault_set(why, ST_UNAVAILABLE, "%s: %s", r->out, strerror(errno));
        return false;
    }
    if (flock(r->files.folder, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return true;
    fault_set(why, ST_CONFLICT, "another muster cert is at work in %s", r->out);
    return false;
}

static bool open_inputs(struct device_run *r, struct fault *why)
{
    if (r->w->ca && !cert_authority_open(r->w->ca, &r->authority, why))
        return false;
    if (r->w->key_file) {
        r->key = cert_key_read(r->w->key_file, why);
        if (!r->key)
            return false;
    }
    return read_pass_phrase(r, why) && open_folder(r, why);
}

static void fill_files(struct device_run *r)
{
    r->files.folder_name = r->out;
    r->files.force = r->w->force;
    r->files.full_chain = r->w->full_chain;
    r->files.p12 = r->w->p12;
    r->files.chain_pem = buf_slice(&r->authority.chain_pem);
    r->files.chain = r->authority.chain;
    r->files.pass_phrase = r->pass_phrase;
    r->files.key = r->key;
    r->files.issuer = r->authority.certificate;
}

static int fill_plan(struct device_run *r)
{
    struct cert_span span;
    int code;

    if (!cert_key_kind(r->w, &r->plan.kind))
        return EXIT_USAGE;
    code = cert_span_of(r->w, DEVICE_DAYS, r->authority.not_after, &span);
    if (code != EXIT_DONE)
        return code;
    r->plan.role = r->w->edge ? ROLE_EDGE_DEVICE : ROLE_DEVICE;
    r->plan.issuer = r->authority.certificate;
    r->plan.issuer_key = r->authority.key;
    r->plan.not_before = span.not_before;
    r->plan.not_after = span.not_after;
    return EXIT_DONE;
}

/* IDs on the command line are few, and are reported in their order. */
static bool read_threads(struct device_run *r)
{
    int64_t jobs = r->w->csv ? cert_cores() : 1;

    if (r->w->jobs && !options_number(&cert_command, "--jobs", r->w->jobs, 1, THREADS_MAX, &jobs))
        return false;
    r->threads = (unsigned)jobs;
    return true;
}

/* --- go --------------------------------------------------------------------------------------- */

/* What was made outlives a power cut from here on. */
static bool sync_folder(const struct device_run *r, struct fault *why)
{
    if (syncfs(r->files.folder) == 0)
        return true;
    fault_set(why, ST_UNAVAILABLE, "%s: %s", r->out, strerror(errno));
    return false;
}

static int make_all(struct device_run *r)
{
    struct cert_tally tally;
    struct leaf_office office;
    struct fault why = {0};
    bool ran;

    if (!cert_tally_open(&tally, r->w, r->out, &why))
        return cert_fail(EXIT_FAILED, &why);
    office = cert_tally_office(&tally);
    ran = cert_batch_run(&r->plan, &r->files, &office, r->threads, &why) && sync_folder(r, &why);
    if (!ran)
        cert_fail(EXIT_FAILED, &why);
    return cert_tally_close(&tally, ran);
}

static int run(struct device_run *r)
{
    struct fault why = {0};
    int code;

    if (!read_threads(r))
        return EXIT_USAGE;
    if (!open_inputs(r, &why))
        return cert_fail(EXIT_FAILED, &why);
    fill_files(r);
    if (!check_words(r))
        return EXIT_USAGE;
    code = fill_plan(r);
    return code == EXIT_DONE ? make_all(r) : code;
}

int cert_device(const struct cert_words *w)
{
    struct device_run r = {.w = w, .out = w->out ? w->out : ".", .files.folder = -1};
    int code;

    if (!check_rules(w))
        return EXIT_USAGE;
    code = run(&r);
    if (r.files.folder >= 0)
        close(r.files.folder);
    cert_authority_close(&r.authority);
    private_key_free(r.key);
    explicit_bzero(r.pass_phrase, sizeof r.pass_phrase);
    return code;
}
