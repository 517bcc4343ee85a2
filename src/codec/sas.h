/* Shared access signatures: the signed, expiring password of devices and services.
 *
 *     SharedAccessSignature sr={scope}&sig={signature}&se={expiry}[&skn={policy}]
 *
 * The signature is base64 of HMAC-SHA256 over "{sr}\n{se}", both as sent, under the decoded key.
 * Pure functions: no clock, no store, no log. Fields borrow from the text they were parsed from.
 * Sources: contract/provisioning.md 1, hub-device.md 1.2; SECURITY-MODEL D1. */
#ifndef MUSTER_CODEC_SAS_H
#define MUSTER_CODEC_SAS_H

#include "base/buf.h"
#include "base/status.h"
#include "crypto/crypto.h"

#define SAS_TOKEN_MAX 4096

struct sas_token {
    slice scope;        /* sr as sent: exactly what was signed */
    slice expiry;       /* se as sent */
    slice policy;       /* skn; empty when absent or empty. One with an escape is refused */
    int64_t expires_at; /* se as seconds since the Unix epoch; saturated */
    uint8_t signature[HMAC_SHA256_LEN];
};

/* Field order is free and names have no case; sig, se, sr exactly once, skn at most once, unknown
 * fields ignored. ST_UNAUTHORIZED with the cause. */
CHECKED enum status sas_token_parse(slice text, struct sas_token *ret, struct fault *why);

/* Whether `key` made the signature. Constant time. */
bool sas_token_signed_by(const struct sas_token *token, slice key);

/* Whether it still holds at `now_s` (Unix seconds) given the clock tolerance in seconds. */
bool sas_token_expired(const struct sas_token *token, int64_t now_s, int64_t tolerance_s);

/* The scope as segments, decoded as D1 says: with a literal '/' compared as sent, then decoded
 * once; without one decoded exactly once. A trailing '/' and a last "api-version=..." segment are
 * dropped.
 *
 * Whether it covers the resource {host}{/segment}*: the host without case and equal to one of
 * `hosts`, then every segment of the scope equal to that of the resource, by whole segments
 * (so "h/devices" covers "h/devices/d1"). `nocase` compares segments without case (DPS). */
struct sas_resource {
    const slice *hosts; /* host names and aliases; for the DPS: the ID scope */
    size_t host_count;
    const slice *segments; /* "devices", device ID, "modules", module ID */
    size_t segment_count;
    bool nocase;
};
bool sas_token_covers(const struct sas_token *token, const struct sas_resource *resource);
/* How many segments the scope has behind its first; SIZE_MAX when it cannot be decoded. Lets a
 * caller ask for equality instead of a prefix. */
size_t sas_token_depth(const struct sas_token *token);

/* A token as Azure's SDKs write it: sr percent-encoded, then sig, se and, if not empty, skn. */
void sas_token_write(slice resource, slice key, int64_t expires_at, slice policy, struct buf *to);

#endif
