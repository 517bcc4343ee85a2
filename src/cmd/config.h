/* What `muster serve` may be told: by long option or by [section] key in a file. One table is
 * parsed, checked and printed. */
#ifndef MUSTER_CMD_CONFIG_H
#define MUSTER_CMD_CONFIG_H

#include <stdio.h>

#include "base/status.h"

struct config {
    /* [server] */
    char *data, *host, *aliases, *https, *mqtts, *user, *log_level;
    int64_t workers; /* 0: one a core */
    /* [tls] */
    char *certificate, *key, *rsa_certificate, *rsa_key;
    /* [hub] */
    int64_t sas_tolerance_s, c2d_ttl_s, c2d_hold_ms, method_timeout_max_s;
    char *unknown_filter;
    /* [log] */
    int64_t partitions, retention_hours, retention_mib, history_days;
    /* [dps] */
    char *answer;
    int64_t register_burst, register_refill_ms;
    /* [limits] */
    int64_t unauthenticated, unauthenticated_per_address, accepts_per_second, accepts_burst;
    int64_t disk_free_mib, disk_free_percent;
    int64_t device_limit, sign_ins_per_minute;
    /* [egress] */
    char *egress_allow, *egress_ports;
    /* [oidc] */
    char *oidc_issuer, *oidc_client_id, *oidc_client_secret_file, *oidc_ca_file, *oidc_roles;
    char *oidc_audience, *oidc_trust_email;
    bool https_given; /* an explicit address is never exchanged for another */
    char *file;       /* --config */
    int argc;         /* as given, to be read again on reload */
    char **argv;
    bool help;
};

/* Defaults, then the file, then the options. False with a sentence that says what to do. */
CHECKED bool config_read(struct config *c, int argc, char **argv, struct fault *why);
/* Reads the same file and options anew. */
CHECKED bool config_reread(const struct config *was, struct config *ret, struct fault *why);
void config_free(struct config *c);
/* The options with their defaults and help, for --help. */
void config_print_help(FILE *to);

#endif
