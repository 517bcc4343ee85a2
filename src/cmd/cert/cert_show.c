/* muster cert show: what certificates say, and what provisioning would make of each. */
#include <inttypes.h>
#include <stdio.h>

#include "cmd/cert.h"
#include "cmd/cert/cert_files.h"
#include "codec/json.h"
#include "codec/topic.h"
#include "crypto/chain.h"

#define FACTS_MAX (1024 * 1024)
#define OUTPUT_MAX (4 * 1024 * 1024)
#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* One verdict: good, or why not and what mends it. */
struct verdict {
    enum chain_reason reason;
    struct fault why;
    const char *mend;
};

struct shown {
    struct certificate_facts facts;
    struct verdict as_authority, as_device;
};

static void judge(const struct x509_st *certificate, instant now, struct shown *ret)
{
    slice name = ret->facts.common_name;
    struct verdict *device = &ret->as_device, *authority = &ret->as_authority;

    authority->reason = chain_check_authority(certificate, now, false, &authority->why);
    authority->mend = chain_reason_mend(authority->reason);
    device->reason = chain_check_leaf(certificate, now, &device->why);
    device->mend = chain_reason_mend(device->reason);
    if (device->reason == CHAIN_GOOD && !registration_id_valid(name)) {
        device->reason = CHAIN_BAD_NAME;
        fault_set(&device->why, ST_UNAUTHORIZED, "its CN is no registration ID");
        device->mend = "take letters, digits, - . _ : and a letter, digit or - at the end";
    }
}

static bool has_upper_case(slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z')
            return true;
    }
    return false;
}

/* --- for people ------------------------------------------------------------------------------- */

/* A certificate of a stranger must not give orders to the terminal. */
static void print_line(const char *label, slice text)
{
    printf("  %-12s ", label);
    for (size_t i = 0; i < text.len; i++)
        putchar(text.ptr[i] >= ' ' && text.ptr[i] != 0x7f ? text.ptr[i] : '?');
    putchar('\n');
}

static void print_validity(const struct certificate_facts *f, instant now)
{
    char from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];
    int64_t days = (f->not_after - now) / DAY_MS;

    printf("  %-12s %.19sZ to %.19sZ, ", "valid", (const char *)clock_iso(f->not_before, from).ptr,
           (const char *)clock_iso(f->not_after, until).ptr);
    if (now > f->not_after)
        puts("expired");
    else
        printf("%" PRId64 " days left\n", days);
}

static void print_authority(const struct certificate_facts *f)
{
    if (!f->is_ca)
        printf("  %-12s no\n", "is a CA");
    else if (f->path_length < 0)
        printf("  %-12s yes, of any path length\n", "is a CA");
    else
        printf("  %-12s yes, path length %d\n", "is a CA", f->path_length);
}

/* How to mend it is said only of what the certificate means to be. */
static void print_verdict(const char *as, const struct verdict *v, bool meant, const char *good)
{
    if (v->reason == CHAIN_GOOD) {
        printf("  %-12s yes%s\n", as, good);
        return;
    }
    printf("  %-12s no (%s): %s\n", as, chain_reason_name(v->reason), v->why.text);
    if (meant && v->mend && v->mend[0])
        printf("  %-12s %s\n", "", v->mend);
}

static void print_shown(const struct shown *s, size_t number, size_t count, instant now)
{
    const struct certificate_facts *f = &s->facts;
    const struct thumbprints *t = &f->thumbprints;

    if (count > 1)
        printf("certificate %zu of %zu\n", number, count);
    print_line("subject", f->subject);
    print_line("issuer", f->issuer);
    print_line("serial", f->serial);
    print_validity(f, now);
    print_line("key", f->key);
    print_line("signature", f->signature);
    print_authority(f);
    print_line("SHA-1", slice_of(t->sha1, sizeof t->sha1));
    print_line("SHA-256", slice_of(t->sha256, sizeof t->sha256));
    print_verdict("as authority", &s->as_authority, f->is_ca, ": a group's slot takes it");
    print_verdict(
        "as device", &s->as_device, !f->is_ca,
        has_upper_case(f->common_name)
            ? ", but of a leaf that is not registered the hub reads the CN by case: make it lower"
            : ": its CN is the registration ID");
}

/* --- for programs ----------------------------------------------------------------------------- */

static void put_verdict(struct json_writer *j, slice name, const struct verdict *v)
{
    json_open(j, name, '{');
    json_put_bool(j, SLICE("good"), v->reason == CHAIN_GOOD);
    if (v->reason != CHAIN_GOOD) {
        json_put_text(j, SLICE("reason"), slice_str(chain_reason_name(v->reason)));
        json_put_text(j, SLICE("text"), slice_str(v->why.text));
    }
    json_close(j, '}');
}

static void put_shown(struct json_writer *j, const struct shown *s)
{
    const struct certificate_facts *f = &s->facts;
    const struct thumbprints *t = &f->thumbprints;
    char text[CLOCK_TEXT_MAX];

    json_open(j, (slice){0}, '{');
    json_put_text(j, SLICE("subject"), f->subject);
    json_put_text(j, SLICE("commonName"), f->common_name);
    json_put_text(j, SLICE("issuer"), f->issuer);
    json_put_text(j, SLICE("serial"), f->serial);
    json_put_text(j, SLICE("notBefore"), clock_iso(f->not_before, text));
    json_put_text(j, SLICE("notAfter"), clock_iso(f->not_after, text));
    json_put_text(j, SLICE("key"), f->key);
    json_put_text(j, SLICE("signature"), f->signature);
    json_put_bool(j, SLICE("isAuthority"), f->is_ca);
    if (f->path_length >= 0)
        json_put_int(j, SLICE("pathLength"), f->path_length);
    json_put_text(j, SLICE("sha1Thumbprint"), slice_of(t->sha1, sizeof t->sha1));
    json_put_text(j, SLICE("sha256Thumbprint"), slice_of(t->sha256, sizeof t->sha256));
    put_verdict(j, SLICE("asAuthority"), &s->as_authority);
    put_verdict(j, SLICE("asDevice"), &s->as_device);
    json_close(j, '}');
}

/* --- the file --------------------------------------------------------------------------------- */

static const char *const problems[] = {
    [CERTIFICATE_FINE] = "",
    [CERTIFICATE_NONE] = "holds no certificate that can be read (PEM, DER or base64)",
    [CERTIFICATE_TOO_MANY] = "holds more certificates than a device may send",
    [CERTIFICATE_PRIVATE_KEY] = "holds a private key: certificates travel without",
    [CERTIFICATE_OVERSIZED] = "has more bytes than certificates may",
};

static bool read_file(const char *path, struct stack_st_X509 **ret, struct fault *why)
{
    CERT_SECRET_CLEANUP struct buf content = {0}; /* there may be a key in it */
    enum certificate_problem problem;

    if (cert_file_read(path, &content, why) != ST_OK)
        return false;
    problem = certificates_read(buf_slice(&content), CERTIFICATE_CHAIN_MAX, ret);
    if (problem != CERTIFICATE_FINE)
        fault_set(why, ST_BAD_REQUEST, "%s %s", path, problems[problem]);
    return problem == CERTIFICATE_FINE;
}

/* Whether the first leads up to the last, as a device would send them. */
static void print_chain(const struct stack_st_X509 *all, size_t count, instant now)
{
    struct x509_st *last = certificates_at(all, count - 1);
    const struct chain_input in = {
        .leaf = certificates_at(all, 0),
        .presented = (struct stack_st_X509 *)all,
        .anchors = &last,
        .anchor_count = 1,
        .now = now,
    };
    struct chain_path path;
    struct verdict v = {0};

    v.reason = chain_build(&in, &path, &v.why);
    v.mend = chain_reason_mend(v.reason);
    puts("the file");
    print_verdict("as a chain", &v, true, ": the first leads up to the last");
    chain_path_deinit(&path);
}

static bool show_one(const struct x509_st *certificate, instant now, struct arena *arena,
                     struct shown *ret, struct fault *why)
{
    *ret = (struct shown){0};
    if (certificate_facts_read(certificate, arena, &ret->facts, why) != ST_OK)
        return false;
    judge(certificate, now, ret);
    return true;
}

static int show_all(const struct cert_words *w, const struct stack_st_X509 *all)
{
    ARENA_CLEANUP struct arena arena = {.max = FACTS_MAX};
    BUF_CLEANUP struct buf text = {.max = OUTPUT_MAX};
    struct json_writer j = {.to = &text};
    size_t count = certificates_count(all);
    instant now = clock_wall_ms();

    json_open(&j, (slice){0}, '[');
    for (size_t i = 0; i < count; i++) {
        struct fault why = {0};
        struct shown s;

        if (!show_one(certificates_at(all, i), now, &arena, &s, &why))
            return cert_fail(EXIT_FAILED, &why);
        if (w->json)
            put_shown(&j, &s);
        else
            print_shown(&s, i + 1, count, now);
    }
    json_close(&j, ']');
    if (w->json)
        printf("%.*s\n", (int)text.len, (const char *)text.ptr);
    else if (count > 1)
        print_chain(all, count, now);
    return EXIT_DONE;
}

int cert_show(const struct cert_words *w)
{
    struct stack_st_X509 *all = NULL;
    struct fault why = {0};
    int code;

    if (w->rest.count != 2)
        return command_fail(&cert_command, EXIT_USAGE, "show needs one FILE; --help tells more");
    if (!read_file(w->rest.items[1], &all, &why))
        return cert_fail(EXIT_FAILED, &why);
    code = show_all(w, all);
    certificates_free(all);
    return code;
}
