/* Cloud-to-device messages: a durable queue for each identity, FIFO, 50 at most (6.2).
 *
 *     enqueued -> delivered (held by the session) -> completed | enqueued again | dead-lettered
 *
 * Feedback records are kept when the sender asked for them (ack). */
#ifndef MUSTER_HUB_C2D_H
#define MUSTER_HUB_C2D_H

#include "codec/property_bag.h"
#include "hub/session.h"

#define C2D_MESSAGE_MAX 65536
#define C2D_QUEUE_MAX 50
#define C2D_IN_FLIGHT_MAX 16

struct c2d_message {
    slice hub_name, device_id, module_id;
    slice body;
    slice properties;   /* raw bag of property_bag.h: system and application, as the sender gave */
    instant expires_at; /* 0: the default time to live */
    enum { C2D_ACK_NONE, C2D_ACK_POSITIVE, C2D_ACK_NEGATIVE, C2D_ACK_FULL } ack;
};
/* ST_OK with the sequence number, durable. ST_QUEUE_FULL, ST_TOO_LARGE, ST_DEVICE_NOT_FOUND. */
typedef void c2d_sent_fn(void *context, enum status status, int64_t sequence,
                         const struct fault *why);
/* Any worker. */
void c2d_send(struct hub *hub, const struct c2d_message *m, c2d_sent_fn *on_sent, void *context);

/* Empties the queue; feedback "Purged". ST_OK with how many. */
void c2d_purge(struct hub *hub, slice hub_name, slice device_id, slice module_id,
               c2d_sent_fn *on_done, void *context);

/* What ops->deliver_c2d gets. Borrowed for the call. */
struct c2d_delivery {
    int64_t sequence;
    slice body, properties;
    instant enqueued_at, expires_at;
    unsigned delivery_count;
    bool again; /* delivered before in this or an earlier session: DUP */
};
/* Outcomes, on the session's worker. An unknown sequence is ignored (lock lost). */
void c2d_complete(struct session *s, int64_t sequence);
void c2d_abandon(struct session *s, int64_t sequence);
void c2d_reject(struct session *s, int64_t sequence);

/* Feedback records, oldest first: {"originalMessageId","enqueuedTimeUtc","statusCode",
 * "description","deviceId","deviceGenerationId"} each; then NULL. Records live an hour. */
typedef void c2d_feedback_fn(void *context, enum status status, const slice *record_json);
void c2d_feedback_list(struct hub *hub, slice hub_name, slice device_id, c2d_feedback_fn *on_record,
                       void *context);

#endif
