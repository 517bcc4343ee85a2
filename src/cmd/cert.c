/* muster cert: certificates for tests and for small factories, offline. */
#include "cmd/cert.h"

#include <stdio.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define BACKDATE_MS (INT64_C(3600) * 1000)
#define DAYS_MAX 36500

static int run(int argc, char **argv);

const struct command cert_command = {
    .name = "cert",
    .summary = "certificates, offline: authorities, a million devices, proofs of possession",
    .usage =
        "usage: muster cert root --out DIR                      a root authority\n"
        "       muster cert intermediate --ca DIR --out DIR     one that DIR's authority signs\n"
        "       muster cert device ID... --ca DIR [--out DIR]   leaves: CN = device ID in lower "
        "case\n"
        "       muster cert device --csv FILE --ca DIR [--out DIR]     one for each row, on all "
        "cores\n"
        "       muster cert device ID... --self-signed          no authority; prints the "
        "thumbprints\n"
        "       muster cert verification --code CODE --ca DIR   the proof of possession\n"
        "       muster cert show FILE                           readable; what DPS would make of "
        "it\n\n"
        "An authority's folder holds ca.pem, ca.key and, unless it is a root, chain.pem (itself "
        "and\n"
        "what is above it, without the root). A device gets ID.pem and ID.key. Keys have mode "
        "0600\n"
        "and no pass phrase.\n\n"
        "  --key KIND         ec (unless given: P-256), p384, rsa2048, rsa3072, rsa4096, ed25519\n"
        "  --key-file FILE    no new key: a certificate for this one, as in a renewal\n"
        "  --days N           how long it holds: a root 3650, an intermediate 1825, a device 365,\n"
        "                     a verification 30 days; never longer than its issuer\n"
        "  --cn NAME          of an authority\n"
        "  --path-length N    how many authorities may stand below this one\n"
        "  --out DIR          where to; a device's is the current folder unless given\n"
        "  --force            replaces keys and certificates that are there\n"
        "devices:\n"
        "  --csv FILE         IDs from its column IOTC_DEVICEID, device_id, deviceId or id, or "
        "from\n"
        "                     its only one; - is standard input. Bad rows are named, the rest is "
        "made.\n"
        "                     Devices whose key and certificate are there are left alone, so the\n"
        "                     same command goes on where it was interrupted\n"
        "  --full-chain       ID-chain.pem too: the leaf and the intermediates\n"
        "  --p12              ID.p12 too: key, leaf and intermediates\n"
        "  --pass-phrase-file FILE    of the .p12: the first line; empty unless given\n"
        "  --edge             may sign for its modules and serve (IoT Edge)\n"
        "  --jobs N           threads in place of all cores\n"
        "  --json             a summary to read by program; with show: the facts\n",
    .run = run,
};

int cert_fail(int code, const struct fault *why)
{
    return command_fail(&cert_command, code, "%s", why->text);
}

static const struct {
    const char *name;
    enum key_kind kind;
} key_kinds[] = {
    {"ec", KEY_P256},         {"p256", KEY_P256},       {"p384", KEY_P384},
    {"rsa", KEY_RSA2048},     {"rsa2048", KEY_RSA2048}, {"rsa3072", KEY_RSA3072},
    {"rsa4096", KEY_RSA4096}, {"ed25519", KEY_ED25519},
};

bool cert_key_kind(const struct cert_words *w, enum key_kind *ret)
{
    for (size_t i = 0; i < COUNT_OF(key_kinds); i++) {
        if (strcmp(w->key ? w->key : "ec", key_kinds[i].name) == 0) {
            *ret = key_kinds[i].kind;
            return true;
        }
    }
    command_fail(&cert_command, EXIT_USAGE,
                 "--key is ec, p384, rsa2048, rsa3072, rsa4096 or ed25519");
    return false;
}

int cert_span_of(const struct cert_words *w, int default_days, instant issuer_end,
                 struct cert_span *ret)
{
    instant now = clock_wall_ms();
    int64_t days = default_days;
    char text[CLOCK_TEXT_MAX];

    if (w->days && !options_number(&cert_command, "--days", w->days, 1, DAYS_MAX, &days))
        return EXIT_USAGE;
    if (issuer_end != 0 && issuer_end <= now)
        return command_fail(&cert_command, EXIT_FAILED,
                            "the authority in %s has expired: renew it (--key-file keeps its key)",
                            w->ca);
    *ret = (struct cert_span){now - BACKDATE_MS, now + days * DAY_MS};
    if (issuer_end == 0 || ret->not_after <= issuer_end)
        return EXIT_DONE;
    ret->not_after = issuer_end;
    if (w->days)
        fprintf(stderr, "muster cert: ends with its authority, on %.10s, not after %s days\n",
                (const char *)clock_iso(issuer_end, text).ptr, w->days);
    return EXIT_DONE;
}

static const struct {
    const char *name;
    int (*run)(const struct cert_words *w);
} kinds[] = {
    {"root", cert_root},     {"intermediate", cert_intermediate},
    {"device", cert_device}, {"verification", cert_verification},
    {"show", cert_show},
};

static int run(int argc, char **argv)
{
    struct cert_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--out", .value = &w.out},
        {.name = "--cn", .value = &w.cn},
        {.name = "--days", .value = &w.days},
        {.name = "--key", .value = &w.key},
        {.name = "--ca", .value = &w.ca},
        {.name = "--csv", .value = &w.csv},
        {.name = "--code", .value = &w.code},
        {.name = "--nonce", .value = &w.code}, /* as the scripts of the SDKs call it */
        {.name = "--path-length", .value = &w.path_length},
        {.name = "--key-file", .value = &w.key_file},
        {.name = "--pass-phrase-file", .value = &w.pass_phrase_file},
        {.name = "--jobs", .value = &w.jobs},
        {.name = "--full-chain", .flag = &w.full_chain},
        {.name = "--p12", .flag = &w.p12},
        {.name = "--self-signed", .flag = &w.self_signed},
        {.name = "--edge", .flag = &w.edge},
        {.name = "--force", .flag = &w.force},
        {.name = "--json", .flag = &w.json},
    };
    int code;

    if (!options_read(&cert_command, argc, argv, specs, COUNT_OF(specs), &w.rest, &code))
        return code;
    for (size_t i = 0; i < COUNT_OF(kinds) && w.rest.count > 0; i++) {
        if (strcmp(w.rest.items[0], kinds[i].name) == 0)
            return kinds[i].run(&w);
    }
    return command_fail(&cert_command, EXIT_USAGE,
                        "say root, intermediate, device, verification or show; --help tells more");
}
