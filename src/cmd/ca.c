/* muster ca: which authorities vouch for the devices of an enrollment group, and which
 * certificates are refused all the same. */
#include "cmd/ca.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/certificate_file.h"
#include "cmd/options.h"
#include "crypto/crl.h"

#define BODY_MAX (2 * CRL_FILE_MAX)

static int run(int argc, char **argv);

const struct command ca_command = {
    .name = "ca",
    .summary = "certificate authorities of enrollment groups: add, verify, show, crl, deny, ...",
    .usage =
        "usage: muster ca add GROUP FILE --slot primary|secondary [--verified] [--replace]\n"
        "       muster ca code GROUP --slot S          prints a new verification code, alone\n"
        "       muster ca verify GROUP FILE --slot S   with the certificate made for that code\n"
        "       muster ca show GROUP\n"
        "       muster ca remove GROUP --slot S\n"
        "       muster ca crl GROUP FILE               the revocation list of either authority\n"
        "       muster ca crl GROUP --slot S --off     drops the list\n"
        "       muster ca ocsp GROUP --slot S --url URL [--fail-closed]\n"
        "       muster ca ocsp GROUP --slot S --off\n"
        "       muster ca deny --thumbprint X | --certificate FILE | --group GROUP --serial N\n"
        "                      [--reason TEXT]\n"
        "       muster ca denied\n"
        "       muster ca allow KEY                    takes a row of `denied` back; or say it as\n"
        "                                              it was denied, by thumbprint or serial\n\n"
        "Files are PEM or DER. An authority is a root or an intermediate; only a verified one "
        "lets\n"
        "devices in. --verified: you vouch that you hold its key; else prove it with `code`, then\n"
        "`muster cert verification --code CODE --ca DIR`, then `verify`. The second slot is for\n"
        "rolling over: devices under either verified authority come in. --replace: in place of a\n"
        "verified one, which lets no device in from then on. A revocation list and a denied\n"
        "certificate act at once, on connected devices too. With --fail-closed, devices are "
        "refused\n"
        "while the OCSP responder does not answer.\n"
        "Also: --data DIR, --json.\n",
    .run = run,
};

static int usage(const char *sentence)
{
    return command_fail(&ca_command, EXIT_USAGE, "%s", sentence);
}

/* --- printing -------------------------------------------------------------------------------- */

static void print_members(struct client *c, const struct json *object, const char *const *members,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct json *member = json_member(object, slice_str(members[i]));

        if (member && member->kind != JSON_NULL && member->kind != JSON_OBJECT)
            printf("  %-19s %s\n", members[i], client_text(c, object, members[i]));
    }
}

static void print_revocation(struct client *c, const struct json *slot)
{
    const struct json *crl = json_member(slot, SLICE("crl"));
    const struct json *ocsp = json_member(slot, SLICE("ocsp"));
    bool strict = false;

    if (crl && crl->kind == JSON_OBJECT)
        printf("  %-19s %s entries, number %s, of %s, next %s\n", "crl",
               client_text(c, crl, "entries"), client_text(c, crl, "number"),
               client_text(c, crl, "thisUpdate"), client_text(c, crl, "nextUpdate"));
    json_get_bool(ocsp, SLICE("failClosed"), &strict);
    if (ocsp && ocsp->kind == JSON_OBJECT)
        printf("  %-19s %s (%s)\n", "ocsp", client_text(c, ocsp, "url"),
               strict ? "no answer: refused" : "no answer: let in");
}

static void print_slot(struct client *c, const char *name, const struct json *slot)
{
    static const char *const members[] = {
        "subject",
        "issuer",
        "serial",
        "sha1Thumbprint",
        "sha256Thumbprint",
        "notBefore",
        "notAfter",
        "key",
        "signature",
        "verifiedAt",
        "verifiedBy",
        "selfAttested",
        "verificationCode",
        "verificationCodeAt",
        "etag",
        "warning",
    };

    if (!slot || slot->kind != JSON_OBJECT) {
        printf("%s: empty\n", name);
        return;
    }
    printf("%s: %s\n", name, client_text(c, slot, "state"));
    print_members(c, slot, members, COUNT_OF(members));
    print_revocation(c, slot);
}

/* --- calls ----------------------------------------------------------------------------------- */

static void group_path(const struct ca_words *w, struct buf *path)
{
    client_path(path, "enrollmentGroups/%s", w->first);
}

static void slot_path(const struct ca_words *w, const char *behind, struct buf *path)
{
    group_path(w, path);
    client_path(path, "/certificates/%s", w->slot);
    buf_append_str(path, behind);
}

/* A call whose answer is a slot. */
static int call_for_slot(struct client *c, const struct ca_words *w, const char *method, slice path,
                         const struct buf *body)
{
    struct json *answer = NULL;
    int code = client_call(c, method, path, body, &answer);

    if (code != EXIT_DONE || !answer)
        return code;
    if (w->json)
        client_print_json(answer);
    else
        print_slot(c, client_text(c, answer, "slot"), answer);
    return code;
}

/* add and verify send a certificate. */
static int send_certificate(struct client *c, const struct ca_words *w, const char *method,
                            const char *behind)
{
    BUF_CLEANUP struct buf path = {.max = 4096}, body = {.max = BODY_MAX};
    struct json_writer writer = {.to = &body};
    int code;

    slot_path(w, behind, &path);
    json_open(&writer, (slice){0}, '{');
    if (!certificate_file_put(&ca_command, w->second, CERTIFICATE_FILE_MAX, &writer,
                              SLICE("certificate"), &code))
        return code;
    if (w->verified)
        json_put_bool(&writer, SLICE("verified"), true);
    if (w->replace)
        json_put_bool(&writer, SLICE("replace"), true);
    json_close(&writer, '}');
    return call_for_slot(c, w, method, buf_slice(&path), &body);
}

/* The subject of the certificate in the slot that is meant, to be freed; NULL: empty, or out of
 * memory. */
static char *subject_in_slot(struct client *c, const struct ca_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *slots = NULL;
    slice subject;
    int code;

    group_path(w, &path);
    buf_append_str(&path, "/certificates");
    c->quiet = true;
    code = client_call(c, "GET", buf_slice(&path), NULL, &slots);
    c->quiet = false;
    if (code != EXIT_DONE ||
        !json_get_text(json_member(slots, slice_str(w->slot)), SLICE("subject"), &subject))
        return NULL;
    return slice_to_cstr(subject);
}

static int add(struct client *c, const struct ca_words *w)
{
    char *before = w->replace ? subject_in_slot(c, w) : NULL;
    int exit_code = send_certificate(c, w, "PUT", "");

    if (exit_code == EXIT_DONE && before && !w->json)
        printf("  %-19s %s\n", "in place of", client_printable(c, slice_str(before)));
    free(before);
    return exit_code;
}

static int verify(struct client *c, const struct ca_words *w)
{
    return send_certificate(c, w, "POST", "/verify");
}

static int code(struct client *c, const struct ca_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *answer = NULL;
    int exit_code;

    slot_path(w, "/generateVerificationCode", &path);
    exit_code = client_call(c, "POST", buf_slice(&path), NULL, &answer);
    if (exit_code != EXIT_DONE)
        return exit_code;
    if (w->json)
        client_print_json(answer);
    else
        printf("%s\n", client_text(c, answer, "verificationCode"));
    return exit_code;
}

static int show(struct client *c, const struct ca_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *answer = NULL;
    int exit_code;

    group_path(w, &path);
    buf_append_str(&path, "/certificates");
    exit_code = client_call(c, "GET", buf_slice(&path), NULL, &answer);
    if (exit_code != EXIT_DONE)
        return exit_code;
    if (w->json) {
        client_print_json(answer);
        return exit_code;
    }
    print_slot(c, "primary", json_member(answer, SLICE("primary")));
    print_slot(c, "secondary", json_member(answer, SLICE("secondary")));
    return exit_code;
}

static int remove_slot(struct client *c, const struct ca_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};

    slot_path(w, "", &path);
    return call_for_slot(c, w, "DELETE", buf_slice(&path), NULL);
}

static int crl(struct client *c, const struct ca_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096}, body = {.max = BODY_MAX};
    struct json_writer writer = {.to = &body};
    int exit_code;

    if (w->off ? w->second || !w->slot : !w->second || w->slot)
        return usage("say crl GROUP FILE, or crl GROUP --slot S --off");
    if (w->off) {
        slot_path(w, "/crl", &path);
        return call_for_slot(c, w, "DELETE", buf_slice(&path), NULL);
    }
    group_path(w, &path);
    buf_append_str(&path, "/crl");
    json_open(&writer, (slice){0}, '{');
    if (!certificate_file_put(&ca_command, w->second, CRL_FILE_MAX, &writer, SLICE("crl"),
                              &exit_code))
        return exit_code;
    json_close(&writer, '}');
    return call_for_slot(c, w, "PUT", buf_slice(&path), &body);
}

static int ocsp(struct client *c, const struct ca_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096}, body = {.max = BODY_MAX};
    struct json_writer writer = {.to = &body};

    if (!w->url == !w->off)
        return usage("ocsp needs either --url URL or --off");
    if (w->off && w->fail_closed)
        return usage("--fail-closed goes with --url");
    slot_path(w, "/ocsp", &path);
    json_open(&writer, (slice){0}, '{');
    json_put_text(&writer, SLICE("url"), slice_str(w->url ? w->url : ""));
    json_put_bool(&writer, SLICE("failClosed"), w->fail_closed);
    json_close(&writer, '}');
    return call_for_slot(c, w, "PUT", buf_slice(&path), &body);
}

/* --- verbs ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(struct client *c, const struct ca_words *w);
    size_t min, max; /* words behind the verb */
    bool needs_slot;
    const char *takes;
} verbs[] = {
    {"add", add, 2, 2, true, "GROUP FILE --slot primary|secondary"},
    {"code", code, 1, 1, true, "GROUP --slot primary|secondary"},
    {"verify", verify, 2, 2, true, "GROUP FILE --slot primary|secondary"},
    {"show", show, 1, 1, false, "GROUP"},
    {"remove", remove_slot, 1, 1, true, "GROUP --slot primary|secondary"},
    {"crl", crl, 1, 2, false, "GROUP FILE, or GROUP --slot S --off"},
    {"ocsp", ocsp, 1, 1, true, "GROUP --slot primary|secondary and --url URL or --off"},
    {"deny", ca_deny, 0, 0, false, "no further word"},
    {"denied", ca_denied, 0, 0, false, "no further word"},
    {"allow", ca_allow, 0, 1, false, "a KEY as `muster ca denied` prints it"},
};

static bool is_a_slot(const char *word)
{
    return strcmp(word, "primary") == 0 || strcmp(word, "secondary") == 0;
}

static int run_verb(const struct ca_words *w, size_t verb, size_t words)
{
    struct client client;
    int exit_code;

    if (w->slot && !is_a_slot(w->slot))
        return command_fail(&ca_command, EXIT_USAGE, "--slot is primary or secondary, not '%s'",
                            w->slot);
    if (words < verbs[verb].min || words > verbs[verb].max || (verbs[verb].needs_slot && !w->slot))
        return command_fail(&ca_command, EXIT_USAGE, "'%s' takes %s", verbs[verb].name,
                            verbs[verb].takes);
    if (!client_open(&client, &ca_command, w->folder, &exit_code))
        return exit_code;
    exit_code = verbs[verb].run(&client, w);
    client_close(&client);
    return exit_code;
}

static int run(int argc, char **argv)
{
    struct ca_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder},
        {.name = "--slot", .value = &w.slot},
        {.name = "--verified", .flag = &w.verified},
        {.name = "--replace", .flag = &w.replace},
        {.name = "--url", .value = &w.url},
        {.name = "--fail-closed", .flag = &w.fail_closed},
        {.name = "--off", .flag = &w.off},
        {.name = "--thumbprint", .value = &w.thumbprint},
        {.name = "--certificate", .value = &w.certificate},
        {.name = "--group", .value = &w.group},
        {.name = "--serial", .value = &w.serial},
        {.name = "--reason", .value = &w.reason},
        {.name = "--json", .flag = &w.json},
    };
    struct words words;
    int exit_code;

    if (!options_read(&ca_command, argc, argv, specs, COUNT_OF(specs), &words, &exit_code))
        return exit_code;
    for (size_t i = 0; i < COUNT_OF(verbs) && words.count > 0; i++) {
        if (strcmp(words.items[0], verbs[i].name) != 0)
            continue;
        w.first = words.count > 1 ? words.items[1] : NULL;
        w.second = words.count > 2 ? words.items[2] : NULL;
        return run_verb(&w, i, words.count - 1);
    }
    return usage("say add, code, verify, show, remove, crl, ocsp, deny, denied or allow; --help "
                 "tells more");
}
