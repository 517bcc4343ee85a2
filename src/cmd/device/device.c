/* muster device: what an operator does with devices. */
#include <string.h>

#include "cmd/device/device_acts.h"
#include "cmd/device/device_data.h"
#include "cmd/device/device_files.h"
#include "cmd/device/device_list.h"
#include "cmd/device/device_twin.h"

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
        "       muster device export [--out FILE] [--without-keys] [--extra] [--raw]\n"
        "                     [--search TEXT] [--status S] [--template T] [--unassociated]\n"
        "       muster device telemetry ID [NAME] [--component C] [--from T] [--to T]\n"
        "                     [--buckets N]            last values, points, or a chart\n"
        "       muster device raw-data ID [--component C] [--from T] [--to T]\n"
        "       muster device properties ID [--set JSON [--replace]] [--component C]\n"
        "       muster device command ID NAME [--payload JSON] [--component C] [--timeout S]\n"
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

static const struct {
    const char *name;
    int (*run)(struct client *c, const struct device_words *w);
    size_t min, max; /* words behind the verb */
    const char *takes;
    bool may_match; /* --matching in place of IDs */
} verbs[] = {
    {"add", device_verb_add, 1, OPTIONS_WORDS_MAX, "device IDs", false},
    {"list", device_verb_list, 0, 0, "no further word", false},
    {"show", device_verb_show, 1, OPTIONS_WORDS_MAX, "device IDs", false},
    {"approve", device_verb_approve, 1, OPTIONS_WORDS_MAX, "device IDs", true},
    {"associate", device_verb_associate, 1, OPTIONS_WORDS_MAX, "device IDs and --template T", true},
    {"block", device_verb_block, 1, OPTIONS_WORDS_MAX, "device IDs", true},
    {"unblock", device_verb_unblock, 1, OPTIONS_WORDS_MAX, "device IDs", true},
    {"delete", device_verb_delete, 1, OPTIONS_WORDS_MAX, "device IDs", true},
    {"telemetry", device_verb_telemetry, 1, 2, "a device ID, and perhaps a telemetry's name",
     false},
    {"raw-data", device_verb_raw_data, 1, 1, "one device ID", false},
    {"properties", device_verb_properties, 1, 1, "one device ID", false},
    {"command", device_verb_command, 2, 2, "a device ID and a command's name", false},
    {"commands", device_verb_commands, 1, 1, "one device ID", false},
    {"twin", device_verb_twin, 1, 1, "one device ID", false},
    {"invoke", device_verb_invoke, 2, 2, "a device ID and a method's name", false},
    {"send", device_verb_send, 2, 2, "a device ID and a text", false},
    {"purge", device_verb_purge, 1, 1, "one device ID", false},
    {"feedback", device_verb_feedback, 1, 1, "one device ID", false},
    {"module", device_verb_module, 2, 2, "a device ID and a module ID", false},
    {"credentials", device_verb_credentials, 1, 1, "one device ID", false},
    {"connection-string", device_verb_connection_string, 1, 1, "one device ID", false},
    {"import", device_verb_import, 1, 1, "one file", false},
    {"export", device_verb_export, 0, 0, "no further word", false},
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
    code =
        matches ? device_verb_matching(&client, w, verbs[verb].name) : verbs[verb].run(&client, w);
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
