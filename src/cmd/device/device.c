/* muster device: what an operator does with devices. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/device/device_authentication.h"
#include "cmd/device/device_data.h"
#include "cmd/device/device_files.h"
#include "cmd/options.h"
#include "cmd/steps.h"

static int run(int argc, char **argv);

const struct command device_command = {
    .name = "device",
    .summary = "devices: add, list, show, approve, block, delete, import, export, twin, ...",
    .usage =
        "usage: muster device add ID... [--name NAME] [--template T] [--simulated]\n"
        "       muster device add ID --certificate FILE [--secondary-certificate FILE] ...\n"
        "       muster device add ID --thumbprint X [--secondary-thumbprint X] ...\n"
        "       muster device add ID... --certificate-authority ...\n"
        "       muster device list [--search TEXT] [--status S] [--template T] [--unassociated]\n"
        "                     [--order id|name|-name]\n"
        "       muster device show ID...              with the steps of its last attempt\n"
        "       muster device approve|block|unblock|delete ID...\n"
        "       muster device associate ID... --template T\n"
        "       muster device approve|block|unblock|delete|associate --matching\n"
        "                     [--search TEXT] [--status S] [--template T] [--unassociated]\n"
        "                     all that there are;\n"
        "                     of associate --of-template says which they have\n"
        "       muster device import FILE [--template T] [--dry-run] [--lower-case]\n"
        "                     [--update|--skip] [--individual-enrollments] [--raw]\n"
        "                     without --individual-enrollments the keys in the file are\n"
        "                     ignored, and devices have those of their group; thumbprints\n"
        "                     are ignored always: they are given to `device add`\n"
        "       muster device export [--out FILE] [--without-keys] [--extra] [--raw]\n"
        "                     [--search TEXT] [--status S] [--template T] [--unassociated]\n"
        "       muster device telemetry ID [NAME] [--component C] [--from T] [--to T]\n"
        "                     [--buckets N]            last values, points, or a chart\n"
        "       muster device raw-data ID [--component C] [--from T] [--to T]\n"
        "       muster device properties ID [--set JSON [--replace]] [--component C]\n"
        "       muster device command ID NAME [--payload JSON] [--component C] [--timeout S]\n"
        "                     NAME may be COMPONENT.NAME\n"
        "       muster device commands ID             what was asked of it, the newest first\n"
        "       muster device twin ID [--desired JSON] [--module M]\n"
        "       muster device invoke ID METHOD [--payload JSON] [--timeout S] [--module M]\n"
        "       muster device send ID TEXT [--property KEY=VALUE] [--module M]\n"
        "                     [--ack none|positive|negative|full] [--message-id ID]\n"
        "       muster device purge ID\n"
        "       muster device feedback ID\n"
        "       muster device module ID MODULE        makes a module, prints its keys\n"
        "       muster device credentials ID          ID scope and keys\n"
        "       muster device connection-string ID    assigns the device, as a registration "
        "would\n\n"
        "A device has keys, or is known by the certificate whose file or thumbprint is given,\n"
        "or comes with any that a verified authority signed for its ID. The hub lets it in once "
        "it\n"
        "is assigned: by a registration, or by `connection-string`.\n"
        "Also: --data DIR, --json. Status: registered, provisioned, blocked, waiting.\n",
    .run = run,
};

struct device_words {
    const char *folder, *name, *template_id, *status, *desired, *payload, *timeout, *module,
        *property, *ack, *message_id, *connect_timeout, *out, *of_template, *component, *set, *from,
        *to, *buckets, *search, *order;
    struct device_authentication authentication;
    bool simulated, unassociated, json, matching, replace;
    bool dry_run, lower_case, update, skip, individual_enrollments, raw, without_keys, extra;
    struct words ids; /* all words behind the verb */
};

/* --- printing -------------------------------------------------------------------------------- */

static void print_row(struct client *c, struct json *d)
{
    printf("%-40s %-12s %-10s %s\n", client_text(c, d, "id"), client_text(c, d, "status"),
           client_text(c, d, "approved"), client_text(c, d, "template"));
}

static void print_device(struct client *c, const struct device_words *w, struct json *d)
{
    static const char *const members[] = {
        "id",      "displayName", "status",       "approved", "template",
        "refusal", "connected",   "lastActivity", "origin",   "modelId",
    };
    struct json *attempt = json_member(d, SLICE("lastProvisioningAttempt"));
    struct json *refusal = json_member(d, SLICE("lastHubRefusal"));

    if (w->json) {
        client_print_json(d);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(members); i++)
        printf("%-13s %s\n", members[i], client_text(c, d, members[i]));
    device_authentication_print(c, json_member(d, SLICE("authentication")));
    if (attempt && attempt->kind == JSON_OBJECT) {
        printf("%-13s ", "last attempt");
        attempt_print(c, attempt);
        steps_print(c, json_member(attempt, SLICE("steps")));
    }
    if (refusal && refusal->kind == JSON_OBJECT) {
        printf("%-13s ", "hub refusal");
        attempt_print(c, refusal);
    }
}

/* --- calls ----------------------------------------------------------------------------------- */

static void path_of(const struct device_words *w, const char *id, const char *behind,
                    struct buf *path)
{
    client_path(path, "devices/%s", id);
    if (w->module)
        client_path(path, "/modules/%s", w->module);
    buf_append_str(path, behind);
}

static int call(struct client *c, const struct device_words *w, const char *method, const char *id,
                const char *behind, const struct buf *body, struct json **ret)
{
    BUF_CLEANUP struct buf path = {.max = 4096};

    path_of(w, id, behind, &path);
    return client_call(c, method, buf_slice(&path), body, ret);
}

/* The same act on each ID; what is printed is the device after it. Goes on after a failure. */
static int act_on_each(struct client *c, const struct device_words *w, const char *method,
                       const char *behind, const struct buf *body)
{
    int worst = EXIT_DONE;

    for (size_t i = 0; i < w->ids.count; i++) {
        struct json *answer = NULL;
        int code;

        c->about = w->ids.items[i];
        code = call(c, w, method, c->about, behind, body, &answer);
        if (code == EXIT_DONE && answer)
            print_device(c, w, answer);
        worst = code > worst ? code : worst;
    }
    c->about = NULL;
    return worst;
}

/* To be added is not to be let in: the hub takes a device once it is assigned, and with a
 * credential of its own it may never register. */
static void say_next(const struct device_words *w)
{
    const struct device_authentication *a = &w->authentication;

    if (!w->json && (a->certificate || a->thumbprint || a->by_authority))
        fprintf(stderr,
                "muster device: next: `muster device connection-string %s` assigns it to the hub, "
                "which refuses it until then\n",
                w->ids.count == 1 ? w->ids.items[0] : "ID");
}

static int add(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 4096};
    struct json_writer writer = {.to = &body};
    const char *objection = device_authentication_objection(&w->authentication, w->ids.count);
    int code;

    if (objection)
        return command_fail(c->command, EXIT_USAGE, "%s", objection);
    json_open(&writer, (slice){0}, '{');
    if (w->name)
        json_put_text(&writer, SLICE("displayName"), slice_str(w->name));
    if (w->template_id)
        json_put_text(&writer, SLICE("template"), slice_str(w->template_id));
    if (w->simulated)
        json_put_bool(&writer, SLICE("simulated"), true);
    if (!device_authentication_put(c->command, &w->authentication, &writer, &code))
        return code;
    json_close(&writer, '}');
    code = act_on_each(c, w, "PUT", "", &body);
    if (code == EXIT_DONE)
        say_next(w);
    return code;
}

static int show(struct client *c, const struct device_words *w)
{
    return act_on_each(c, w, "GET", "", NULL);
}

static int approve(struct client *c, const struct device_words *w)
{
    return act_on_each(c, w, "POST", "/approve", NULL);
}

static int block(struct client *c, const struct device_words *w)
{
    return act_on_each(c, w, "POST", "/block", NULL);
}

static int unblock(struct client *c, const struct device_words *w)
{
    return act_on_each(c, w, "POST", "/unblock", NULL);
}

static int delete (struct client *c, const struct device_words *w)
{
    return act_on_each(c, w, "DELETE", "", NULL);
}

static int associate(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 4096};
    struct json_writer writer = {.to = &body};

    if (!w->template_id)
        return command_fail(c->command, EXIT_USAGE,
                            "associate needs --template T; muster template list shows them");
    json_open(&writer, (slice){0}, '{');
    json_put_text(&writer, SLICE("template"), slice_str(w->template_id));
    json_close(&writer, '}');
    return act_on_each(c, w, "POST", "/associate", &body);
}

/* --- list: page by page ---------------------------------------------------------------------- */

static void put_query(struct buf *path, const char *name, const char *value)
{
    buf_printf(path, "&%s", name);
    client_path(path, "=%s", value);
}

static void list_path(const struct device_words *w, const char *after, struct buf *path)
{
    buf_append_str(path, "devices?top=500");
    if (w->status)
        put_query(path, "status", w->status);
    if (w->template_id)
        put_query(path, "template", w->template_id);
    if (w->search)
        put_query(path, "search", w->search);
    if (w->order)
        put_query(path, "order", w->order);
    if (w->unassociated)
        buf_append_str(path, "&unassociated=true");
    if (after)
        put_query(path, "after", after);
}

static void print_page(struct client *c, const struct device_words *w, const struct json *rows)
{
    for (struct json *d = rows ? rows->first : NULL; d; d = d->next) {
        if (w->json)
            client_print_json(d);
        else
            print_row(c, d);
    }
}

static int list(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf after = {.max = 1024};
    slice next;

    do {
        BUF_CLEANUP struct buf path = {.max = 8192};
        struct json *answer;
        int code;

        list_path(w, after.len ? (const char *)after.ptr : NULL, &path);
        code = client_call(c, "GET", buf_slice(&path), NULL, &answer);
        if (code != EXIT_DONE)
            return code;
        if (!w->json && after.len == 0)
            printf("%-40s %-12s %-10s %s\n", "ID", "STATUS", "APPROVED", "TEMPLATE");
        print_page(c, w, json_member(answer, SLICE("value")));
        buf_clear(&after);
        if (json_get_text(answer, SLICE("next"), &next)) {
            buf_append(&after, next);
            buf_append_byte(&after, 0);
        }
        arena_reset(&c->arena);
    } while (after.len > 0);
    return EXIT_DONE;
}

/* --- one device: twin, methods, messages ----------------------------------------------------- */

static int call_and_print(struct client *c, const struct device_words *w, const char *method,
                          const char *behind, const struct buf *body)
{
    struct json *answer = NULL;
    int code = call(c, w, method, w->ids.items[0], behind, body, &answer);

    if (code == EXIT_DONE && answer)
        client_print_json(answer);
    return code;
}

static bool check_json(struct client *c, const char *name, const char *text)
{
    struct json *value;
    struct fault why;

    if (json_parse(slice_str(text), JSON_LAST_WINS, &c->arena, &value, &why) == ST_OK)
        return true;
    command_fail(c->command, EXIT_USAGE, "%s is no JSON: %s", name, why.text);
    return false;
}

static int twin(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 1 << 20};
    struct json_writer writer = {.to = &body};

    if (w->desired) {
        if (!check_json(c, "--desired", w->desired))
            return EXIT_USAGE;
        json_open(&writer, (slice){0}, '{');
        json_open(&writer, SLICE("properties"), '{');
        json_put_raw(&writer, SLICE("desired"), slice_str(w->desired));
        json_close(&writer, '}');
        json_close(&writer, '}');
    }
    return call_and_print(c, w, w->desired ? "PATCH" : "GET", "/twin", w->desired ? &body : NULL);
}

static int invoke(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 1 << 20};
    struct json_writer writer = {.to = &body};
    int64_t timeout = 30, connect_timeout = 0;

    if ((w->payload && !check_json(c, "--payload", w->payload)) ||
        (w->timeout && !options_number(c->command, "--timeout", w->timeout, 5, 3600, &timeout)) ||
        (w->connect_timeout && !options_number(c->command, "--connect-timeout", w->connect_timeout,
                                               0, 300, &connect_timeout)))
        return EXIT_USAGE;
    json_open(&writer, (slice){0}, '{');
    json_put_text(&writer, SLICE("methodName"), slice_str(w->ids.items[1]));
    if (w->payload)
        json_put_raw(&writer, SLICE("payload"), slice_str(w->payload));
    json_put_int(&writer, SLICE("responseTimeoutInSeconds"), timeout);
    json_put_int(&writer, SLICE("connectTimeoutInSeconds"), connect_timeout);
    json_close(&writer, '}');
    return call_and_print(c, w, "POST", "/methods", &body);
}

static int send(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 1 << 20};
    struct json_writer writer = {.to = &body};

    json_open(&writer, (slice){0}, '{');
    json_put_text(&writer, SLICE("body"), slice_str(w->ids.items[1]));
    if (w->message_id)
        json_put_text(&writer, SLICE("messageId"), slice_str(w->message_id));
    if (w->ack)
        json_put_text(&writer, SLICE("ack"), slice_str(w->ack));
    if (w->property && !strchr(w->property, '='))
        return command_fail(c->command, EXIT_USAGE, "--property takes KEY=VALUE");
    if (w->property) {
        slice value = slice_str(w->property), key = slice_split(&value, '=');

        json_open(&writer, SLICE("properties"), '{');
        json_put_text(&writer, key, value);
        json_close(&writer, '}');
    }
    json_close(&writer, '}');
    return call_and_print(c, w, "POST", "/messages", &body);
}

static int purge(struct client *c, const struct device_words *w)
{
    return call_and_print(c, w, "DELETE", "/messages", NULL);
}

static int feedback(struct client *c, const struct device_words *w)
{
    return call_and_print(c, w, "GET", "/feedback", NULL);
}

static int module(struct client *c, const struct device_words *w)
{
    struct device_words named = *w;

    named.module = w->ids.items[1];
    return call_and_print(c, &named, "PUT", "", NULL);
}

static int credentials(struct client *c, const struct device_words *w)
{
    return call_and_print(c, w, "GET", "/credentials", NULL);
}

static int connection_string(struct client *c, const struct device_words *w)
{
    struct json *answer;
    slice text;
    int code = call(c, w, "POST", w->ids.items[0], "/connectionString", NULL, &answer);

    if (code != EXIT_DONE)
        return code;
    if (w->json)
        client_print_json(answer);
    else if (json_get_text(answer, SLICE("connectionString"), &text))
        printf("%.*s\n", SLICE_FMT(text));
    return code;
}

/* --- one device: what its template names -------------------------------------------------------
 */

static struct device_data_words data_words(const struct device_words *w)
{
    return (struct device_data_words){
        .id = w->ids.items[0],
        .name = w->ids.count > 1 ? w->ids.items[1] : NULL,
        .component = w->component,
        .set = w->set,
        .payload = w->payload,
        .timeout = w->timeout,
        .connect_timeout = w->connect_timeout,
        .from = w->from,
        .to = w->to,
        .buckets = w->buckets,
        .replace = w->replace,
        .json = w->json,
    };
}

static int telemetry(struct client *c, const struct device_words *w)
{
    const struct device_data_words words = data_words(w);

    return device_telemetry(c, &words);
}

static int raw_data(struct client *c, const struct device_words *w)
{
    const struct device_data_words words = data_words(w);

    return device_raw_data(c, &words);
}

static int properties(struct client *c, const struct device_words *w)
{
    const struct device_data_words words = data_words(w);

    return device_properties(c, &words);
}

static int command(struct client *c, const struct device_words *w)
{
    const struct device_data_words words = data_words(w);

    return device_command_run(c, &words);
}

static int commands(struct client *c, const struct device_words *w)
{
    const struct device_data_words words = data_words(w);

    return device_command_list(c, &words);
}

/* --- many devices ---------------------------------------------------------------------------- */

static int import(struct client *c, const struct device_words *w)
{
    const struct device_import_words words = {
        .template_id = w->template_id,
        .dry_run = w->dry_run,
        .lower_case = w->lower_case,
        .update = w->update,
        .skip = w->skip,
        .individual_enrollments = w->individual_enrollments,
        .raw = w->raw,
        .json = w->json,
    };

    return device_import(c, w->ids.items[0], &words);
}

static int export(struct client *c, const struct device_words *w)
{
    const struct device_export_words words = {
        .out = w->out,
        .template_id = w->template_id,
        .status = w->status,
        .unassociated = w->unassociated,
        .without_keys = w->without_keys,
        .extra = w->extra,
        .raw = w->raw,
        .search = w->search,
    };

    return device_export(c, &words);
}

/* All devices at once is no slip of the tongue. */
static int act_on_matching(struct client *c, const struct device_words *w, const char *act)
{
    bool associates = strcmp(act, "associate") == 0;
    const struct device_matching_words words = {
        .act = act,
        .template_id = associates ? w->template_id : NULL,
        .status = w->status,
        .search = w->search,
        .of_template = associates ? w->of_template : w->template_id,
        .unassociated = w->unassociated,
        .json = w->json,
    };

    if (associates && !w->template_id)
        return command_fail(c->command, EXIT_USAGE, "associate needs --template T");
    if (!words.status && !words.of_template && !words.unassociated && !words.search)
        return command_fail(
            c->command, EXIT_USAGE,
            "--matching what? give --search, --status, --template or --unassociated");
    return device_act_matching(c, &words);
}

/* --- verbs ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(struct client *c, const struct device_words *w);
    size_t min, max; /* words behind the verb */
    const char *takes;
    bool may_match; /* --matching in place of IDs */
} verbs[] = {
    {"add", add, 1, OPTIONS_WORDS_MAX, "device IDs", false},
    {"list", list, 0, 0, "no further word", false},
    {"show", show, 1, OPTIONS_WORDS_MAX, "device IDs", false},
    {"approve", approve, 1, OPTIONS_WORDS_MAX, "device IDs", true},
    {"associate", associate, 1, OPTIONS_WORDS_MAX, "device IDs and --template T", true},
    {"block", block, 1, OPTIONS_WORDS_MAX, "device IDs", true},
    {"unblock", unblock, 1, OPTIONS_WORDS_MAX, "device IDs", true},
    {"delete", delete, 1, OPTIONS_WORDS_MAX, "device IDs", true},
    {"telemetry", telemetry, 1, 2, "a device ID, and perhaps a telemetry's name", false},
    {"raw-data", raw_data, 1, 1, "one device ID", false},
    {"properties", properties, 1, 1, "one device ID", false},
    {"command", command, 2, 2, "a device ID and a command's name", false},
    {"commands", commands, 1, 1, "one device ID", false},
    {"twin", twin, 1, 1, "one device ID", false},
    {"invoke", invoke, 2, 2, "a device ID and a method's name", false},
    {"send", send, 2, 2, "a device ID and a text", false},
    {"purge", purge, 1, 1, "one device ID", false},
    {"feedback", feedback, 1, 1, "one device ID", false},
    {"module", module, 2, 2, "a device ID and a module ID", false},
    {"credentials", credentials, 1, 1, "one device ID", false},
    {"connection-string", connection_string, 1, 1, "one device ID", false},
    {"import", import, 1, 1, "one file", false},
    {"export", export, 0, 0, "no further word", false},
};

static int run_verb(struct device_words *w, size_t verb)
{
    bool matches = w->matching && verbs[verb].may_match;
    struct client client;
    int code;

    if (matches ? w->ids.count > 0
                : w->ids.count < verbs[verb].min || w->ids.count > verbs[verb].max)
        return command_fail(&device_command, EXIT_USAGE, "'%s' takes %s", verbs[verb].name,
                            verbs[verb].takes);
    if (!client_open(&client, &device_command, w->folder, &code))
        return code;
    code = matches ? act_on_matching(&client, w, verbs[verb].name) : verbs[verb].run(&client, w);
    client_close(&client);
    return code;
}

static int run(int argc, char **argv)
{
    struct device_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder},
        {.name = "--name", .value = &w.name},
        {.name = "--template", .value = &w.template_id},
        {.name = "--status", .value = &w.status},
        {.name = "--search", .value = &w.search},
        {.name = "--order", .value = &w.order},
        {.name = "--desired", .value = &w.desired},
        {.name = "--payload", .value = &w.payload},
        {.name = "--timeout", .value = &w.timeout},
        {.name = "--connect-timeout", .value = &w.connect_timeout},
        {.name = "--module", .value = &w.module},
        {.name = "--property", .value = &w.property},
        {.name = "--ack", .value = &w.ack},
        {.name = "--message-id", .value = &w.message_id},
        {.name = "--certificate", .value = &w.authentication.certificate},
        {.name = "--secondary-certificate", .value = &w.authentication.secondary_certificate},
        {.name = "--thumbprint", .value = &w.authentication.thumbprint},
        {.name = "--secondary-thumbprint", .value = &w.authentication.secondary_thumbprint},
        {.name = "--certificate-authority", .flag = &w.authentication.by_authority},
        {.name = "--out", .value = &w.out},
        {.name = "--of-template", .value = &w.of_template},
        {.name = "--component", .value = &w.component},
        {.name = "--set", .value = &w.set},
        {.name = "--from", .value = &w.from},
        {.name = "--to", .value = &w.to},
        {.name = "--buckets", .value = &w.buckets},
        {.name = "--replace", .flag = &w.replace},
        {.name = "--matching", .flag = &w.matching},
        {.name = "--dry-run", .flag = &w.dry_run},
        {.name = "--lower-case", .flag = &w.lower_case},
        {.name = "--update", .flag = &w.update},
        {.name = "--skip", .flag = &w.skip},
        {.name = "--individual-enrollments", .flag = &w.individual_enrollments},
        {.name = "--raw", .flag = &w.raw},
        {.name = "--without-keys", .flag = &w.without_keys},
        {.name = "--extra", .flag = &w.extra},
        {.name = "--simulated", .flag = &w.simulated},
        {.name = "--unassociated", .flag = &w.unassociated},
        {.name = "--json", .flag = &w.json},
    };
    struct words words;
    int code;

    if (!options_read(&device_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    for (size_t i = 0; i < COUNT_OF(verbs) && words.count > 0; i++) {
        if (strcmp(words.items[0], verbs[i].name) != 0)
            continue;
        w.ids.count = words.count - 1;
        memcpy(w.ids.items, words.items + 1, w.ids.count * sizeof words.items[0]);
        return run_verb(&w, i);
    }
    return command_fail(&device_command, EXIT_USAGE, "no verb '%s'; --help lists them",
                        words.count > 0 ? words.items[0] : "");
}
