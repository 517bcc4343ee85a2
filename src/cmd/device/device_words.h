/* What was said behind `muster device`: the same for all of its verbs, by file
 *
 *     device.c          the words read, the verbs listed
 *     device_acts.c     add, show, approve, block, ...: devices by their IDs, or all that match
 *     device_list.c     list
 *     device_twin.c     twin, invoke, send, ...: one device at the hub
 *     device_data.c     telemetry, properties, ...: one device as its template names it
 *     device_files.c    import, export */
#ifndef MUSTER_CMD_DEVICE_WORDS_H
#define MUSTER_CMD_DEVICE_WORDS_H

#include "cmd/client.h"
#include "cmd/device/device_authentication.h"
#include "cmd/options.h"

struct device_words {
    const char *folder, *name, *template_id, *status, *desired, *payload, *timeout, *module,
        *property, *ack, *message_id, *connect_timeout, *out, *of_template, *component, *set, *from,
        *to, *buckets, *search, *order;
    struct device_authentication authentication;
    bool simulated, unassociated, json, matching, replace;
    bool dry_run, lower_case, update, skip, individual_enrollments, raw, without_keys, extra;
    struct words ids; /* all words behind the verb */
};

/* A call of what is `behind` "devices/ID[/modules/M]". */
CHECKED int device_call(struct client *c, const struct device_words *w, const char *method,
                        const char *id, const char *behind, const struct buf *body,
                        struct json **ret);

#endif
