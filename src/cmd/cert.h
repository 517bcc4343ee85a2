/* The rooms of `muster cert`: cert.c reads the words, each file behind it does one thing.
 *
 *     cert_make.c        root, intermediate, verification
 *     cert_authority.c   the folder of an authority
 *     cert_device.c      which devices, which files, and what is said about them
 *     cert_batch.c       all cores at work       cert_leaf.c   one leaf into its files
 *     cert_csv.c         IDs from a CSV file     cert_files.c  reading and judging files
 *     cert_show.c        what a certificate says, and what provisioning would say of it */
#ifndef MUSTER_CMD_CERT_H
#define MUSTER_CMD_CERT_H

#include "base/clock.h"
#include "base/status.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "crypto/certificate_make.h"

struct cert_words {
    const char *out, *cn, *days, *key, *ca, *csv, *code, *path_length, *key_file, *pass_phrase_file,
        *jobs;
    bool full_chain, p12, self_signed, edge, force, json;
    struct words rest; /* [0] is the kind: "root" */
};

int cert_root(const struct cert_words *w);
int cert_intermediate(const struct cert_words *w);
int cert_verification(const struct cert_words *w);
int cert_device(const struct cert_words *w);
int cert_show(const struct cert_words *w);

/* "muster cert: sentence" on standard error; gives `code`. */
int cert_fail(int code, const struct fault *why);
/* The kind that --key names; false after a message. */
CHECKED bool cert_key_kind(const struct cert_words *w, enum key_kind *ret);

struct cert_span {
    instant not_before, not_after;
};
/* From an hour ago, for devices and servers with a slow clock, for --days. It ends with its issuer
 * at the latest (`issuer_end`; 0: no issuer), which is said. EXIT_DONE, or the code after a
 * message. */
CHECKED int cert_span_of(const struct cert_words *w, int default_days, instant issuer_end,
                         struct cert_span *ret);

#endif
