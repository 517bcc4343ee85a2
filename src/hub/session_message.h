/* What workers tell each other about sessions: small messages over the bus, or, when sender and
 * receiver are the same worker, the same struct by a plain call.
 *
 *     to a directory          what a session or a caller wants of the identity's shard
 *     to a session's worker   what the directory, or a caller, wants of a live session
 *     to an asking worker     the answer to its request, by `token` */
#ifndef MUSTER_HUB_SESSION_MESSAGE_H
#define MUSTER_HUB_SESSION_MESSAGE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/status.h"

enum session_message_kind {
    /* to a directory: hub, device_id, module_id are set */
    MESSAGE_OPEN,   /* serial, slots, number: generation, name: protocol, text: client type, peer */
    MESSAGE_CLOSED, /* serial */
    MESSAGE_ONLINE, /* serial, flag: callable */
    MESSAGE_QUERY,  /* token */
    MESSAGE_REVOKE, /* token, slots, number: generation, flag: with modules */
    MESSAGE_CHANGED, /* number: desired version, or 0: C2D is waiting */
    MESSAGE_CALL,    /* token, name, text: payload, number: connect time-out in ms */
    /* to a session's worker: serial is set */
    MESSAGE_OPENED,   /* status */
    MESSAGE_END,      /* number: enum session_end */
    MESSAGE_DESCRIBE, /* token and what MESSAGE_INFO carries */
    MESSAGE_DESIRED,  /* number: version */
    MESSAGE_C2D,
    MESSAGE_INVOKE, /* token, name, text: payload */
    MESSAGE_CANCEL, /* token */
    /* to an asking worker: token is set */
    MESSAGE_INFO, /* flag: connected, number: last activity, at: since, name, text, peer */
    MESSAGE_REVOKED,
    MESSAGE_INVOKED, /* serial: where a method call went */
    MESSAGE_ANSWER,  /* status, number: method status, text: payload */
    MESSAGE_KINDS
};

struct session_message {
    enum session_message_kind kind;
    enum status status;
    unsigned slots; /* enum credential_slot bits */
    bool flag;
    uint64_t serial, token; /* the owner's worker is in the upper bits: hub_internal.h */
    int64_t number;
    instant at;
    slice hub, device_id, module_id;
    slice name, peer, text;
};

void session_message_encode(const struct session_message *m, struct buf *to);
/* Borrows from `bytes`. False for what is no message of ours. */
CHECKED bool session_message_decode(slice bytes, struct session_message *ret);

#endif
