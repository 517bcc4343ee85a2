/* muster enrollment: which credentials may provision. */
#include <stdio.h>

#include "cmd/certificate_file.h"
#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/steps.h"

#define ATTEMPTS_DEFAULT "20"

static int run(int argc, char **argv);

const struct command enrollment_command = {
    .name = "enrollment",
    .summary = "enrollment groups and individual enrollments: add, list, show, attempts, ...",
    .usage =
        "usage: muster enrollment add ID [--primary-key KEY --secondary-key KEY]\n"
        "       muster enrollment add ID --attestation x509\n"
        "       muster enrollment add ID --individual [--device-id D] [--primary-key KEY ...]\n"
        "       muster enrollment add ID --individual --attestation x509 --certificate FILE\n"
        "                     [--secondary-certificate FILE] [--allow-expired] [--device-id D]\n"
        "       muster enrollment update ID --certificate FILE | --secondary-certificate FILE\n"
        "       muster enrollment list [--individual]\n"
        "       muster enrollment show ID [--individual] [--keys]\n"
        "       muster enrollment enable|disable ID [--individual]\n"
        "       muster enrollment delete ID [--individual]\n"
        "       muster enrollment attempts [REGISTRATION_ID] [--count N] [--steps]\n\n"
        "A group unless --individual is given. Also: --data DIR, --json. Keys are made by the\n"
        "server unless given; `show --keys` prints them. An individual enrollment names its "
        "device\n"
        "and so counts as its approval; `gated` in the JSON: the operator's approval counts.\n\n"
        "With x509 a group takes the devices whose certificates its authorities signed (`muster "
        "ca`\n"
        "adds them), an individual enrollment the device that holds the certificate of FILE, PEM "
        "or\n"
        "DER, self-signed or not. --allow-expired: also when that certificate has ended. To roll "
        "it,\n"
        "`update` the other slot: the device comes in with either.\n"
        "`attempts` shows what devices tried, the newest first; of one ID with the steps of the\n"
        "newest, with --steps of all.\n",
    .run = run,
};

struct enrollment_words {
    const char *folder, *attestation, *device_id, *primary_key, *secondary_key;
    const char *certificate, *secondary_certificate, *count;
    bool individual, allow_expired, keys, steps, json;
    const char *id;
};

static void path_of(const struct enrollment_words *w, const char *behind, struct buf *path)
{
    client_path(path, w->individual ? "individualEnrollments/%s" : "enrollmentGroups/%s", w->id);
    buf_append_str(path, behind);
}

/* Certificates show by their thumbprints. */
static void print_pins(struct client *c, const struct json *e)
{
    static const char *const slots[] = {"primary", "secondary"};
    const struct json *pins =
        json_path(e, (slice[]){SLICE("x509"), SLICE("clientCertificates")}, 2);

    for (size_t i = 0; i < COUNT_OF(slots); i++) {
        const struct json *pin = json_member(pins, slice_str(slots[i]));

        if (pin)
            printf("%-13s %s\n", slots[i], client_text(c, pin, "thumbprint"));
    }
}

static void print_one(struct client *c, const struct enrollment_words *w, struct json *e)
{
    static const char *const members[] = {"id",       "kind",       "attestation", "enabled",
                                          "deviceId", "primaryKey", "secondaryKey"};

    if (w->json) {
        client_print_json(e);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (json_member(e, slice_str(members[i])))
            printf("%-13s %s\n", members[i], client_text(c, e, members[i]));
    }
    print_pins(c, e);
}

/* One that is not there may be there as the other kind. */
static void point_to_other_kind(struct client *c, const struct enrollment_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct enrollment_words other = *w;
    struct json *answer;

    other.individual = !w->individual;
    path_of(&other, "", &path);
    c->quiet = true;
    if (client_call(c, "GET", buf_slice(&path), NULL, &answer) == EXIT_DONE)
        fprintf(stderr, "muster enrollment: there is %s of that name: %s --individual\n",
                other.individual ? "an individual enrollment" : "a group",
                other.individual ? "say" : "leave out");
    c->quiet = false;
}

static int call(struct client *c, const struct enrollment_words *w, const char *method,
                const char *behind, const struct buf *body)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *answer = NULL;
    int code;

    path_of(w, behind, &path);
    c->about = w->id;
    code = client_call(c, method, buf_slice(&path), body, &answer);
    c->about = NULL;
    if (code == EXIT_DONE && answer)
        print_one(c, w, answer);
    if (code != EXIT_DONE && c->http_status == 404)
        point_to_other_kind(c, w);
    return code;
}

static void put_text(struct json_writer *body, slice name, const char *value)
{
    if (value)
        json_put_text(body, name, slice_str(value));
}

static bool is_x509(const struct enrollment_words *w)
{
    return w->attestation && strcmp(w->attestation, "x509") == 0;
}

/* What does not go together, as a sentence; NULL: all does. */
static const char *objection(const struct enrollment_words *w)
{
    bool certificates = w->certificate || w->secondary_certificate || w->allow_expired;

    if (w->device_id && !w->individual)
        return "--device-id goes with --individual";
    if (certificates && !is_x509(w))
        return "certificates go with --attestation x509";
    if (certificates && !w->individual)
        return "--certificate goes with --individual; `muster ca add` gives a group its authority";
    if (is_x509(w) && w->individual && !w->certificate)
        return "--individual --attestation x509 needs --certificate FILE, the device's certificate";
    if (is_x509(w) && (w->primary_key || w->secondary_key))
        return "keys go with --attestation symmetricKey";
    return NULL;
}

static bool put_certificate(struct json_writer *writer, slice slot, const char *path, int *ret)
{
    if (!path)
        return true;
    json_open(writer, slot, '{');
    if (!certificate_file_put(&enrollment_command, path, CERTIFICATE_FILE_MAX, writer,
                              SLICE("certificate"), ret))
        return false;
    json_close(writer, '}');
    return true;
}

static bool put_certificates(const struct enrollment_words *w, struct json_writer *writer, int *ret)
{
    json_open(writer, SLICE("x509"), '{');
    json_open(writer, SLICE("clientCertificates"), '{');
    if (!put_certificate(writer, SLICE("primary"), w->certificate, ret) ||
        !put_certificate(writer, SLICE("secondary"), w->secondary_certificate, ret))
        return false;
    json_close(writer, '}');
    json_close(writer, '}');
    if (w->allow_expired)
        json_put_bool(writer, SLICE("expiredLeafAllowed"), true);
    return true;
}

static int add(struct client *c, const struct enrollment_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 4 * CERTIFICATE_FILE_MAX};
    struct json_writer writer = {.to = &body};
    int code;

    if (objection(w))
        return command_fail(c->command, EXIT_USAGE, "%s", objection(w));
    json_open(&writer, (slice){0}, '{');
    put_text(&writer, SLICE("attestation"), w->attestation ? w->attestation : "symmetricKey");
    if (w->certificate && !put_certificates(w, &writer, &code))
        return code;
    put_text(&writer, SLICE("deviceId"), w->device_id);
    put_text(&writer, SLICE("primaryKey"), w->primary_key);
    put_text(&writer, SLICE("secondaryKey"), w->secondary_key);
    json_close(&writer, '}');
    return call(c, w, "PUT", "", &body);
}

/* Only individual enrollments hold certificates of devices. What is not given stays as it is. */
static int update(struct client *c, const struct enrollment_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 4 * CERTIFICATE_FILE_MAX};
    struct json_writer writer = {.to = &body};
    struct enrollment_words individual = *w;
    int code;

    if (!w->certificate && !w->secondary_certificate)
        return command_fail(c->command, EXIT_USAGE,
                            "update needs --certificate FILE or --secondary-certificate FILE");
    individual.individual = true;
    json_open(&writer, (slice){0}, '{');
    if (!put_certificates(w, &writer, &code))
        return code;
    json_close(&writer, '}');
    return call(c, &individual, "PATCH", "", &body);
}

static int show(struct client *c, const struct enrollment_words *w)
{
    return call(c, w, "GET", w->keys ? "?keys=true" : "", NULL);
}

static int delete (struct client *c, const struct enrollment_words *w)
{
    return call(c, w, "DELETE", "", NULL);
}

static int set_enabled(struct client *c, const struct enrollment_words *w, const char *value)
{
    BUF_CLEANUP struct buf body = {.max = 64};

    buf_printf(&body, "{\"enabled\":%s}", value);
    return call(c, w, "PATCH", "", &body);
}

static int enable(struct client *c, const struct enrollment_words *w)
{
    return set_enabled(c, w, "true");
}

static int disable(struct client *c, const struct enrollment_words *w)
{
    return set_enabled(c, w, "false");
}

static int list(struct client *c, const struct enrollment_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *answer, *rows;
    int code;

    buf_append_str(&path, w->individual ? "individualEnrollments" : "enrollmentGroups");
    buf_append_str(&path, "?top=1000");
    code = client_call(c, "GET", buf_slice(&path), NULL, &answer);
    if (code != EXIT_DONE)
        return code;
    rows = json_member(answer, SLICE("value"));
    if (w->json) {
        client_print_json(rows);
        return code;
    }
    for (struct json *e = rows ? rows->first : NULL; e; e = e->next)
        printf("%-40s %-13s %s\n", client_text(c, e, "id"), client_text(c, e, "attestation"),
               json_member(e, SLICE("enabled")) &&
                       json_member(e, SLICE("enabled"))->kind == JSON_TRUE
                   ? "enabled"
                   : "disabled");
    return code;
}

/* --- attempts -------------------------------------------------------------------------------- */

static void print_attempts(struct client *c, const struct enrollment_words *w,
                           const struct json *rows)
{
    for (struct json *a = rows ? rows->first : NULL; a; a = a->next) {
        if (w->json) {
            client_print_json(a);
            continue;
        }
        printf("%-40s ", client_text(c, a, "registrationId"));
        attempt_print(c, a);
        if (w->steps || (w->id && a == rows->first))
            steps_print(c, json_member(a, SLICE("steps")));
    }
}

static int attempts(struct client *c, const struct enrollment_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    const char *count = w->count ? w->count : ATTEMPTS_DEFAULT;
    const struct json *rows;
    struct json *answer;
    int64_t number;
    int code;

    if (!options_number(c->command, "--count", count, 1, 1000, &number))
        return EXIT_USAGE;
    client_path(&path, "registrationAttempts?top=%s", count);
    if (w->id)
        client_path(&path, "&registrationId=%s", w->id);
    code = client_call(c, "GET", buf_slice(&path), NULL, &answer);
    if (code != EXIT_DONE)
        return code;
    rows = json_member(answer, SLICE("value"));
    print_attempts(c, w, rows);
    if (w->id && (!rows || !rows->first))
        fprintf(stderr,
                "muster enrollment: no attempt of %s is kept; `muster explain` judges a "
                "certificate or token without one\n",
                w->id);
    return code;
}

/* --- verbs ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(struct client *c, const struct enrollment_words *w);
    size_t min, max; /* words behind the verb */
    const char *takes;
} verbs[] = {
    {"add", add, 1, 1, "one enrollment ID"},
    {"update", update, 1, 1, "one enrollment ID"},
    {"list", list, 0, 0, "no further word"},
    {"show", show, 1, 1, "one enrollment ID"},
    {"enable", enable, 1, 1, "one enrollment ID"},
    {"disable", disable, 1, 1, "one enrollment ID"},
    {"delete", delete, 1, 1, "one enrollment ID"},
    {"attempts", attempts, 0, 1, "one registration ID or none"},
};

static int run_verb(const struct enrollment_words *w, size_t verb)
{
    struct client client;
    int code;

    if (!client_open(&client, &enrollment_command, w->folder, &code))
        return code;
    code = verbs[verb].run(&client, w);
    client_close(&client);
    return code;
}

static int run(int argc, char **argv)
{
    struct enrollment_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder},
        {.name = "--attestation", .value = &w.attestation},
        {.name = "--individual", .flag = &w.individual},
        {.name = "--device-id", .value = &w.device_id},
        {.name = "--primary-key", .value = &w.primary_key},
        {.name = "--secondary-key", .value = &w.secondary_key},
        {.name = "--certificate", .value = &w.certificate},
        {.name = "--secondary-certificate", .value = &w.secondary_certificate},
        {.name = "--allow-expired", .flag = &w.allow_expired},
        {.name = "--count", .value = &w.count},
        {.name = "--keys", .flag = &w.keys},
        {.name = "--steps", .flag = &w.steps},
        {.name = "--json", .flag = &w.json},
    };
    struct words words;
    int code;

    if (!options_read(&enrollment_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    for (size_t i = 0; i < COUNT_OF(verbs) && words.count > 0; i++) {
        if (strcmp(words.items[0], verbs[i].name) != 0)
            continue;
        if (words.count - 1 < verbs[i].min || words.count - 1 > verbs[i].max)
            return command_fail(&enrollment_command, EXIT_USAGE, "'%s' takes %s", verbs[i].name,
                                verbs[i].takes);
        w.id = words.count > 1 ? words.items[1] : NULL;
        return run_verb(&w, i);
    }
    return command_fail(
        &enrollment_command, EXIT_USAGE,
        "say add, update, list, show, enable, disable, delete or attempts; --help tells more");
}
