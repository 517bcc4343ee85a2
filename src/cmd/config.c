#include "cmd/config.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include <ini.h>

#include "identity/sign_in/oidc.h"
#include "net/egress.h"

enum option_kind { OPTION_TEXT, OPTION_NUMBER };

struct option_row {
    const char *section, *key; /* the long option is --key, with '-' for '_' */
    enum option_kind kind;
    size_t offset;
    const char *standard;
    int64_t min, max;    /* of numbers */
    const char *allowed; /* of texts: words between blanks; NULL: anything */
    const char *help;
    bool (*check)(slice value, struct fault *why); /* of texts with a form; or NULL */
};

#define FORMED(section, key, standard, allowed, help, check)                                       \
    {                                                                                              \
        section, #key, OPTION_TEXT, offsetof(struct config, key), standard, 0, 0, allowed, help,   \
            check                                                                                  \
    }
#define TEXT(section, key, standard, allowed, help)                                                \
    FORMED(section, key, standard, allowed, help, NULL)
#define NUMBER(section, key, standard, min, max, help)                                             \
    {                                                                                              \
        section, #key, OPTION_NUMBER, offsetof(struct config, key), standard, min, max, NULL,      \
            help, NULL                                                                             \
    }

static bool check_egress_allow(slice value, struct fault *why)
{
    struct egress_rules rules;

    return egress_rules_parse(value, SLICE(EGRESS_PORTS), &rules, why);
}

static bool check_egress_ports(slice value, struct fault *why)
{
    struct egress_rules rules;

    return egress_rules_parse((slice){0}, value, &rules, why);
}

/* clang-format off */
static const struct option_row rows[] = {
    TEXT("server", data, "muster-data", NULL, "data folder, made at the first start"),
    TEXT("server", host, "localhost", NULL, "host name by which devices reach this server"),
    TEXT("server", aliases, "", NULL, "further host names and addresses, separated by commas"),
    TEXT("server", https, ":443", NULL, "ADDR:PORT for HTTPS (REST, DPS, health)"),
    TEXT("server", mqtts, ":8883", NULL, "ADDR:PORT for MQTT over TLS"),
    TEXT("server", user, "muster", NULL, "user to become when started by root"),
    TEXT("server", log_level, "info", "error warn info debug", "least grave events to log"),
    NUMBER("server", workers, "0", 0, 64, "event loops; 0: one a core"),
    TEXT("tls", certificate, "", NULL, "server certificate chain, PEM; empty: made by the local CA"),
    TEXT("tls", key, "", NULL, "its key, PEM"),
    TEXT("tls", rsa_certificate, "", NULL, "a second chain with an RSA key, for old firmware"),
    TEXT("tls", rsa_key, "", NULL, "its key, PEM"),
    NUMBER("hub", sas_tolerance_s, "300", 0, 300, "seconds that an expired token is still taken"),
    NUMBER("hub", c2d_ttl_s, "3600", 60, 172800, "default life of a cloud-to-device message"),
    NUMBER("hub", c2d_hold_ms, "5000", 0, 60000, "wait for SUBSCRIBE before queued C2D; 0: as Azure"),
    NUMBER("hub", method_timeout_max_s, "300", 5, 3600, "longest response time-out of a method"),
    TEXT("hub", unknown_filter, "close", "close fail", "what an unknown MQTT filter gets"),
    NUMBER("log", partitions, "4", 1, 32, "partitions of the device-to-cloud log; fixed once used"),
    NUMBER("log", retention_hours, "168", 1, 87600, "life of device-to-cloud messages"),
    NUMBER("log", retention_mib, "0", 0, 1 << 30, "largest size of the log; 0: no limit"),
    NUMBER("log", history_days, "30", 1, 3650, "life of a device's messages in its history"),
    TEXT("dps", answer, "now", "now poll", "tell a registration's result at once or at the first poll"),
    NUMBER("dps", register_burst, "10", 0, 100000, "registrations at once a device; 0: no limit"),
    NUMBER("dps", register_refill_ms, "6000", 1, 3600000, "time to earn another registration"),
    NUMBER("limits", unauthenticated, "2048", 0, 1000000, "unauthenticated connections; 0: no limit"),
    NUMBER("limits", unauthenticated_per_address, "64", 0, 1000000, "the same for one address"),
    NUMBER("limits", accepts_per_second, "100", 0, 1000000, "new connections of one address a second"),
    NUMBER("limits", accepts_burst, "200", 0, 1000000, "and at once"),
    NUMBER("limits", disk_free_mib, "64", 0, 1 << 30, "writes are refused below this much free disk"),
    NUMBER("limits", disk_free_percent, "5", 0, 50, "the same as a share of the file system"),
    NUMBER("limits", device_limit, "0", 0, 1 << 30, "imports add no devices beyond so many; 0: no limit"),
    NUMBER("limits", sign_ins_per_minute, "20", 0, 1000000, "tries of one address to sign in; 0: no limit"),
    FORMED("egress", egress_allow, "", NULL,
           "CIDR[,CIDR]...: what OCSP and OIDC may dial besides the public", check_egress_allow),
    FORMED("egress", egress_ports, EGRESS_PORTS, NULL, "ports that OCSP and OIDC may dial",
           check_egress_ports),
    FORMED("oidc", oidc_issuer, "", NULL, "OpenID Connect issuer where users may sign in; https://...",
           oidc_issuer_check),
    TEXT("oidc", oidc_client_id, "", NULL, "what the issuer calls this server"),
    TEXT("oidc", oidc_client_secret_file, "", NULL, "file of mode 0600 with its secret; empty: none"),
    TEXT("oidc", oidc_ca_file, "", NULL, "CA of the issuer, PEM; empty: the system's"),
    FORMED("oidc", oidc_roles, "", NULL,
           "ADDRESS=ROLE or @DOMAIN=ROLE, separated by commas: who becomes a user by coming",
           oidc_roles_check),
    TEXT("oidc", oidc_audience, "", NULL, "take the issuer's access tokens for this audience; empty: none"),
    TEXT("oidc", oidc_trust_email, "no", "no yes", "take addresses that the issuer did not verify"),
};
/* clang-format on */

static char **text_of(struct config *c, const struct option_row *row)
{
    return (char **)((char *)c + row->offset);
}

static int64_t *number_of(struct config *c, const struct option_row *row)
{
    return (int64_t *)((char *)c + row->offset);
}

static bool word_in(const char *words, slice word)
{
    for (slice rest = slice_str(words); rest.ptr;) {
        if (slice_equal(slice_split(&rest, ' '), word))
            return true;
    }
    return false;
}

static bool set_number(struct config *c, const struct option_row *row, const char *value,
                       struct fault *why)
{
    int64_t number;

    if (!slice_to_i64(slice_str(value), &number) || number < row->min || number > row->max) {
        fault_set(why, ST_BAD_REQUEST,
                  "%s must be a whole number from %" PRId64 " to %" PRId64 ", not '%.40s'",
                  row->key, row->min, row->max, value);
        return false;
    }
    *number_of(c, row) = number;
    return true;
}

static bool set_text(struct config *c, const struct option_row *row, const char *value,
                     struct fault *why)
{
    struct fault cause;
    char *copy;

    if (row->allowed && !word_in(row->allowed, slice_str(value))) {
        fault_set(why, ST_BAD_REQUEST, "%s must be one of: %s; not '%.40s'", row->key, row->allowed,
                  value);
        return false;
    }
    if (row->check && !row->check(slice_str(value), &cause)) {
        fault_set(why, cause.status, "%s: %s", row->key, cause.text);
        return false;
    }
    copy = slice_to_cstr(slice_str(value));
    if (!copy) {
        fault_set(why, ST_NO_MEMORY, "out of memory");
        return false;
    }
    free(*text_of(c, row));
    *text_of(c, row) = copy;
    return true;
}

static bool set(struct config *c, const struct option_row *row, const char *value,
                struct fault *why)
{
    return row->kind == OPTION_NUMBER ? set_number(c, row, value, why)
                                      : set_text(c, row, value, why);
}

/* --- the file --------------------------------------------------------------------------------- */

struct file_reading {
    struct config *config;
    struct fault *why;
    bool failed;
};

static int on_file_line(void *context, const char *section, const char *key, const char *value)
{
    struct file_reading *reading = context;

    if (reading->failed)
        return 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].key, key) == 0) {
            reading->failed = !set(reading->config, &rows[i], value, reading->why);
            if (strcmp(key, "https") == 0)
                reading->config->https_given = true;
            return !reading->failed;
        }
    }
    fault_set(reading->why, ST_BAD_REQUEST, "there is no setting [%.40s] %.40s", section, key);
    reading->failed = true;
    return 0;
}

static bool read_file(struct config *c, const char *path, struct fault *why)
{
    struct file_reading reading = {.config = c, .why = why};
    struct fault cause;
    int line = ini_parse(path, on_file_line, &reading);

    if (line == 0 && !reading.failed)
        return true;
    if (line < 0) {
        fault_set(why, ST_BAD_REQUEST, "cannot read the configuration file %.120s", path);
    } else if (reading.failed) {
        cause = *why;
        fault_set(why, ST_BAD_REQUEST, "%.80s, line %d: %s", path, line, cause.text);
    } else {
        fault_set(why, ST_BAD_REQUEST, "%.80s, line %d: neither [section] nor key = value", path,
                  line);
    }
    return false;
}

/* --- the command line ------------------------------------------------------------------------ */

static bool is_option(const char *word, const char *key)
{
    if (word[0] != '-' || word[1] != '-')
        return false;
    word += 2;
    while (*word && *key && (*word == *key || (*word == '-' && *key == '_'))) {
        word++;
        key++;
    }
    return *key == '\0' && (*word == '\0' || *word == '=');
}

static bool take_value(int argc, char **argv, int *at, const char **ret, struct fault *why)
{
    const char *equals = strchr(argv[*at], '=');

    if (equals) {
        *ret = equals + 1;
    } else if (*at + 1 < argc) {
        *ret = argv[++*at];
    } else {
        fault_set(why, ST_BAD_REQUEST, "%s needs a value", argv[*at]);
        return false;
    }
    return true;
}

static bool read_option(struct config *c, int argc, char **argv, int *at, struct fault *why)
{
    const char *value;

    if (is_option(argv[*at], "config"))
        return take_value(argc, argv, at, &value, why); /* read before */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!is_option(argv[*at], rows[i].key))
            continue;
        if (strcmp(rows[i].key, "https") == 0)
            c->https_given = true;
        return take_value(argc, argv, at, &value, why) && set(c, &rows[i], value, why);
    }
    fault_set(why, ST_BAD_REQUEST, "there is no option '%.60s'; muster serve --help lists them",
              argv[*at]);
    return false;
}

static bool find_file(struct config *c, int argc, char **argv, struct fault *why)
{
    for (int i = 1; i < argc; i++) {
        const char *value;

        if (!is_option(argv[i], "config"))
            continue;
        if (!take_value(argc, argv, &i, &value, why))
            return false;
        free(c->file);
        c->file = slice_to_cstr(slice_str(value));
    }
    return true;
}

static bool set_defaults(struct config *c, struct fault *why)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!set(c, &rows[i], rows[i].standard, why))
            return false;
    }
    return true;
}

/* Chains come whole, and the local CA's are never mixed with others. */
static bool check_certificates(const struct config *c, struct fault *why)
{
    bool own = !c->certificate[0];

    if (!c->key[0] == own && !c->rsa_certificate[0] == !c->rsa_key[0] &&
        !(own && c->rsa_certificate[0]))
        return true;
    fault_set(why, ST_BAD_REQUEST,
              "--certificate and --key go together, and --rsa-certificate and --rsa-key with them");
    return false;
}

static bool check_oidc(const struct config *c, struct fault *why)
{
    if (!c->oidc_issuer[0] != !c->oidc_client_id[0]) {
        fault_set(why, ST_BAD_REQUEST, "--oidc-issuer and --oidc-client-id go together");
        return false;
    }
    /* Else what says who somebody is would also let him do things. */
    if (c->oidc_audience[0] && strcmp(c->oidc_audience, c->oidc_client_id) == 0) {
        fault_set(why, ST_BAD_REQUEST, "--oidc-audience must not be the client ID");
        return false;
    }
    return true;
}

bool config_read(struct config *c, int argc, char **argv, struct fault *why)
{
    *c = (struct config){.argc = argc, .argv = argv};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            c->help = true;
    }
    if (c->help)
        return true;
    if (!set_defaults(c, why) || !find_file(c, argc, argv, why) ||
        (c->file && !read_file(c, c->file, why)))
        return false;
    for (int i = 1; i < argc; i++) {
        if (!read_option(c, argc, argv, &i, why))
            return false;
    }
    return check_certificates(c, why) && check_oidc(c, why);
}

bool config_reread(const struct config *was, struct config *ret, struct fault *why)
{
    if (config_read(ret, was->argc, was->argv, why))
        return true;
    config_free(ret);
    return false;
}

void config_free(struct config *c)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].kind == OPTION_TEXT)
            free(*text_of(c, &rows[i]));
    }
    free(c->file);
    *c = (struct config){0};
}

static void print_option(FILE *to, const struct option_row *row)
{
    char name[40] = "--";

    for (size_t i = 0; row->key[i] && i < sizeof name - 3; i++)
        name[i + 2] = row->key[i] == '_' ? '-' : row->key[i];
    fprintf(to, "  %-30s %s", name, row->help);
    if (row->standard[0])
        fprintf(to, " [%s]", row->standard);
    fputc('\n', to);
}

void config_print_help(FILE *to)
{
    const char *section = "";

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(section, rows[i].section) != 0)
            fprintf(to, "\n [%s]\n", rows[i].section);
        section = rows[i].section;
        print_option(to, &rows[i]);
    }
}
