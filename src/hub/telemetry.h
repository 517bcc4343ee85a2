/* Device-to-cloud messages: into the log, acknowledged when durable; and read back decoded.
 *
 * The hot path. The message is stored as it came (raw bag, raw body) behind the session's stamp;
 * nothing is parsed but what must be refused. */
#ifndef MUSTER_HUB_TELEMETRY_H
#define MUSTER_HUB_TELEMETRY_H

#include "codec/property_bag.h"
#include "hub/session.h"

#define D2C_MESSAGE_MAX 262144

struct telemetry {
    slice bag; /* raw, as behind messages/events/ */
    slice body;
    bool retain, dup, will;
};
/* ST_OK: taken, ops->telemetry_done(token) follows. ST_TOO_LARGE, ST_BAD_REQUEST (more than 256
 * properties): refused for good. ST_UNAVAILABLE: the log has no room, ST_NO_SPACE: none on disk. */
CHECKED enum status telemetry_send(struct session *s, const struct telemetry *t, uint32_t token,
                                   struct fault *why);
/* Lets `token` through after all that was sent before it, for acknowledgements in order. */
void telemetry_marker(struct session *s, uint32_t token);
/* Whether messages of this session wait for their commit. */
bool telemetry_pending(const struct session *s);

/* A record of the log, decoded as far as readers need it. Slices borrow from the record. */
struct d2c_message {
    slice hub, device_id, module_id, generation_id;
    slice auth_method; /* JSON text: iothub-connection-auth-method */
    slice model_id;    /* dt-dataschema */
    instant enqueued_at;
    unsigned partition;
    uint64_t offset;
    bool retain, dup, will;
    slice bag; /* raw: property_bag_parse */
    slice body;
};
/* ST_INTERNAL when the bytes are no record of ours. */
CHECKED enum status d2c_message_parse(const struct log_record *record, struct d2c_message *ret);
/* One JSON object a message: identity, times, position, "properties" (application), "system",
 * and the body as "body" (JSON as it is, text as a string, else "bodyBase64"). */
CHECKED enum status d2c_message_write_json(const struct d2c_message *m, struct buf *to);
/* Messages of the security agent are acknowledged but shown to nobody (2.7). */
bool d2c_message_is_hidden(const struct d2c_message *m);

#endif
