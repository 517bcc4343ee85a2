/* muster keygen: a device's key from a group's, offline; the seed's dps-keygen spelling too.
 *
 *     dps-keygen -mk:KEY -di:ID             prints the device key
 *     dps-keygen -dk:KEY -di:ID -si:SCOPE   registers over HTTPS, prints the connection string
 *
 * A short flag is three characters, one separator of any kind, the value (-mk:KEY, -mk=KEY,
 * --mk:KEY). Source: contract/provisioning.md 6.1. */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/registrar.h"
#include "codec/connection_string.h"
#include "codec/topic.h"
#include "crypto/crypto.h"

static int run(int argc, char **argv);

const struct command keygen_command = {
    .name = "keygen",
    .summary = "a device's key from its group's key, offline (dps-keygen's spelling works)",
    .usage =
        "usage: muster keygen -mk:GROUP_KEY -di:DEVICE_ID      or --key KEY --device ID\n"
        "       muster keygen -mk:GROUP_KEY -di:DEVICE_ID -si:ID_SCOPE --host HOST[:PORT] "
        "[--ca-file FILE]\n"
        "       muster keygen -dk:DEVICE_KEY ...      the same with the device's own key\n"
        "       muster keygen --key KEY --device ID --hub HOST     a connection string, offline\n"
        "       muster keygen --new-group-key                      a fresh 64-byte key\n\n"
        "With -si the device is registered as it would do itself, and its connection string is\n"
        "printed: the operator must have let it in.\n"
        "A key of - is read from standard input, so that it stays out of the process list.\n"
        "Device IDs should be lower-case. --json prints an object.\n",
    .run = run,
};

struct keygen_words {
    const char *master_key, *device_key, *device_id, *hub, *scope, *host, *ca_file;
    bool json, new_group_key, help;
};

struct keygen_flag {
    const char *short_name; /* behind the dash: "mk" */
    const char *long_name;
    size_t offset;
};

static const struct keygen_flag flags[] = {
    {"mk", "--key", offsetof(struct keygen_words, master_key)},
    {"dk", "--device-key", offsetof(struct keygen_words, device_key)},
    {"di", "--device", offsetof(struct keygen_words, device_id)},
    {"si", "--scope", offsetof(struct keygen_words, scope)},
    {"", "--hub", offsetof(struct keygen_words, hub)},
    {"", "--host", offsetof(struct keygen_words, host)},
    {"", "--ca-file", offsetof(struct keygen_words, ca_file)},
};

/* "-mk:VALUE" or "--mk:VALUE". */
static const char *short_value(const char *word, const char *name)
{
    if (word[0] != '-')
        return NULL;
    word += word[1] == '-' ? 2 : 1;
    return name[0] && strncmp(word, name, 2) == 0 && word[2] && word[3] ? word + 3 : NULL;
}

static const char *long_value(int argc, char **argv, int *at, const char *name)
{
    size_t len = strlen(name);

    if (strncmp(argv[*at], name, len) != 0)
        return NULL;
    if (argv[*at][len] == '=')
        return argv[*at] + len + 1;
    return argv[*at][len] == '\0' && *at + 1 < argc ? argv[++*at] : NULL;
}

static bool read_word(struct keygen_words *w, int argc, char **argv, int *at)
{
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        const char *value = long_value(argc, argv, at, flags[i].long_name);

        if (!value)
            value = short_value(argv[*at], flags[i].short_name);
        if (value) {
            *(const char **)((char *)w + flags[i].offset) = value;
            return true;
        }
    }
    if (strcmp(argv[*at], "--json") == 0)
        w->json = true;
    else if (strcmp(argv[*at], "--new-group-key") == 0)
        w->new_group_key = true;
    else if (strcmp(argv[*at], "--help") == 0 || strcmp(argv[*at], "-h") == 0)
        w->help = true;
    else
        return false;
    return true;
}

static bool read_key(const char *text, struct secret *ret)
{
    char line[256];
    slice key = slice_str(text);

    if (strcmp(text, "-") == 0) {
        if (!fgets(line, sizeof line, stdin))
            return false;
        line[strcspn(line, "\r\n")] = '\0';
        key = slice_str(line);
    }
    return secret_from_base64(key, ret);
}

static void print(const struct keygen_words *w, const char *member, slice text)
{
    if (w->json)
        printf("{\"deviceId\":\"%s\",\"%s\":\"%.*s\"}\n", w->device_id, member, SLICE_FMT(text));
    else
        printf("%.*s\n", SLICE_FMT(text));
}

static void print_connection_string(const struct keygen_words *w, slice hub, slice device_id,
                                    slice key)
{
    BUF_CLEANUP struct buf text = {.max = 4096};
    const struct connection_string c = {
        .host_name = hub,
        .device_id = device_id,
        .shared_access_key = key,
    };

    connection_string_write(&c, &text);
    if (w->scope && !w->json)
        puts("Connection String:");
    print(w, "connectionString", buf_slice(&text));
}

/* Registers as the device would (provisioning.md 2.1); our answers are final at once, or after a
 * few polls two seconds apart. */
static int register_device(const struct keygen_words *w, const struct secret *device_key, slice key)
{
    ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
    struct registered_device device;
    const struct registrar r = {
        .host = w->host,
        .ca_file = w->ca_file,
        .id_scope = slice_str(w->scope),
        .registration_id = slice_str(w->device_id),
        .key = secret_slice(device_key),
    };
    struct fault why;

    if (registrar_register(&r, &arena, &device, &why) != ST_OK)
        return command_fail(&keygen_command, EXIT_FAILED, "%s", why.text);
    print_connection_string(w, device.hub, device.device_id, key);
    return EXIT_DONE;
}

static int make_group_key(void)
{
    BUF_CLEANUP struct buf text = {.max = 256};
    SECRET_CLEANUP struct secret key;

    secret_generate(&key, SECRET_MAX);
    base64_encode(secret_slice(&key), &text);
    printf("%.*s\n", SLICE_FMT(buf_slice(&text)));
    return EXIT_DONE;
}

static int derive(const struct keygen_words *w)
{
    SECRET_CLEANUP struct secret given = {0}, device_key = {0};
    BUF_CLEANUP struct buf key = {.max = 256};
    slice id = slice_str(w->device_id);

    if (!read_key(w->master_key ? w->master_key : w->device_key, &given))
        return command_fail(&keygen_command, EXIT_USAGE, "the key is not base64 of 16 to 64 bytes");
    if (w->device_key)
        device_key = given;
    else
        derive_device_key(&given, id, &device_key);
    base64_encode(secret_slice(&device_key), &key);
    if (w->scope)
        return register_device(w, &device_key, buf_slice(&key));
    if (w->hub)
        print_connection_string(w, slice_str(w->hub), id, buf_slice(&key));
    else
        print(w, "deviceKey", buf_slice(&key));
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct keygen_words w = {0};

    for (int i = 1; i < argc; i++) {
        if (!read_word(&w, argc, argv, &i))
            return command_fail(&keygen_command, EXIT_USAGE,
                                "not understood: '%s'; --help tells "
                                "more",
                                argv[i]);
    }
    if (w.help)
        return command_help(&keygen_command);
    if (w.new_group_key)
        return make_group_key();
    if (!w.master_key == !w.device_key)
        return command_fail(&keygen_command, EXIT_USAGE,
                            "give either the group's key (-mk:KEY) or the device's (-dk:KEY)");
    if (!w.device_id || !registration_id_valid(slice_str(w.device_id)))
        return command_fail(
            &keygen_command, EXIT_USAGE,
            "give the device ID with -di:ID: letters, digits, - . _ :, at most 128");
    if (w.device_key && !w.hub && !w.scope)
        return command_fail(&keygen_command, EXIT_USAGE,
                            "the device key is already there; -si:ID_SCOPE registers the device, "
                            "--hub HOST makes its connection string");
    if (w.scope && !w.host)
        return command_fail(&keygen_command, EXIT_USAGE,
                            "-si needs the provisioning host too: --host HOST[:PORT]");
    return derive(&w);
}
