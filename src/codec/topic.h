/* Topics and user names of the hub and the DPS over MQTT: what the field writes, taken apart.
 *
 * Pure. Sources: contract/hub-device.md 2.1, 2.5, 2.6, 2.11, 2.12; provisioning.md 2.2. */
#ifndef MUSTER_CODEC_TOPIC_H
#define MUSTER_CODEC_TOPIC_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

/* --- matching ------------------------------------------------------------------------------- */

#define TOPIC_BOUND_MAX 4
struct topic_match {
    slice bound[TOPIC_BOUND_MAX]; /* what each `+`, then the last `#`, stands for */
    size_t count;
};
/* `filter` in MQTT's own notation: `+` binds one level, a last `#` the rest (also none). */
bool topic_match(slice filter, slice topic, struct topic_match *ret);

/* One key of "?$rid=1&$version=5" (a leading '?' is skipped); false when absent. The value is as
 * written. The first occurrence counts. */
bool topic_query(slice query, slice key, slice *ret);

/* --- MQTT user names ------------------------------------------------------------------------ */

struct hub_username {
    slice host;
    slice device_id;
    slice module_id;   /* empty for a device */
    slice api_version; /* empty when absent */
    slice client_type; /* DeviceClientType, percent-decoded leniently */
    slice model_id;    /* percent-decoded leniently; empty when absent */
};
/* Every form of hub-device.md 2.1. Decoded values live in the arena. */
CHECKED enum status hub_username_parse(slice username, struct arena *arena,
                                       struct hub_username *ret, struct fault *why);

struct dps_username {
    slice id_scope;
    slice registration_id;
    slice api_version;
    slice client_version;
};
/* {scope}/registrations/{reg}/api-version=...[&ClientVersion=...] */
CHECKED enum status dps_username_parse(slice username, struct arena *arena,
                                       struct dps_username *ret, struct fault *why);
/* Whether the second segment is "registrations": the DPS form (the caller knows hub names). */
bool dps_username_looks_like(slice username);

/* --- subscriptions -------------------------------------------------------------------------- */

/* What a filter of hub-device.md 2.5 asks for: a set of these bits. */
enum hub_subscription {
    SUB_C2D = 1,
    SUB_TWIN_RES = 2,
    SUB_TWIN_DESIRED = 4,
    SUB_METHODS = 8,
    SUB_INPUTS = 16,
    SUB_C2D_AT_QOS0 = 256, /* with SUB_C2D: granted QoS 0; kept beside it, never parsed */
};
/* 0: unknown filter, or one that names another identity. *ret_method is the name in
 * "$iothub/methods/POST/{name}/#", empty for all methods. */
unsigned hub_filter_parse(slice filter, slice device_id, slice module_id, slice *ret_method);

/* --- what a device publishes ---------------------------------------------------------------- */

enum hub_topic_kind {
    HUB_TOPIC_UNKNOWN,
    HUB_TOPIC_EVENTS,        /* bag: all behind messages/events/, still raw */
    HUB_TOPIC_TWIN_GET,      /* rid */
    HUB_TOPIC_TWIN_REPORTED, /* rid, has_version, version */
    HUB_TOPIC_METHOD_RESULT, /* rid, method_status */
};
struct hub_topic {
    enum hub_topic_kind kind;
    slice bag;
    slice rid;
    bool has_version;
    uint64_t version;
    int64_t method_status;
};
/* The identity in the topic must be this one (compared raw, then percent-decoded once), else
 * HUB_TOPIC_UNKNOWN. Events come first and cost one comparison: the hot path. */
void hub_topic_parse(slice topic, slice device_id, slice module_id, struct hub_topic *ret);

enum dps_topic_kind { DPS_TOPIC_UNKNOWN, DPS_TOPIC_REGISTER, DPS_TOPIC_STATUS };
struct dps_topic {
    enum dps_topic_kind kind;
    slice rid;
    slice operation_id; /* percent-decoded is not needed: our IDs are plain */
};
void dps_topic_parse(slice topic, struct dps_topic *ret);

/* --- identifiers ---------------------------------------------------------------------------- */

/* 1..128 of A-Z a-z 0-9 and - : . + % _ # * ? ! ( ) , = @ ; $ ' (hub-device.md 1.1). */
bool device_id_valid(slice id);
/* Letters, digits, - . _ : ; 1..128; the last a letter, digit or '-' (provisioning.md 3.1). */
bool registration_id_valid(slice id);
/* Printable ASCII without $()<>@,;:\"/[]?={} and blanks, 1..100; '*' allowed (6.4). */
bool method_name_valid(slice name);

#endif
