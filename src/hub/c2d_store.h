/* The queues of cloud-to-device messages, and the feedback about them. */
#ifndef MUSTER_HUB_C2D_STORE_H
#define MUSTER_HUB_C2D_STORE_H

#include "hub/c2d.h"
#include "hub/hub_internal.h"

#define C2D_FEEDBACK_LIFE_MS (3600 * 1000LL)

extern const char c2d_tables_sql[];

/* How a message leaves its queue. */
enum c2d_outcome {
    C2D_SUCCESS,
    C2D_EXPIRED,
    C2D_DELIVERY_COUNT_EXCEEDED,
    C2D_REJECTED,
    C2D_PURGED,
};

struct c2d_row {
    int64_t sequence;
    slice body, properties;
    instant enqueued_at, expires_at;
    unsigned delivery_count; /* of deliveries that were abandoned */
    bool was_delivered;
};

/* Adds one message; the unit is ST_CONFLICT when the queue is full. `m->expires_at` is set.
 * Statement 0 returns its sequence number. */
void c2d_unit_enqueue(struct unit *unit, const struct c2d_message *m, slice generation_id,
                      slice message_id, instant now);
/* Takes a message out, with feedback where the sender wanted it; ST_CONFLICT when it is gone. */
void c2d_unit_settle(struct unit *unit, const struct hub_key *key, int64_t sequence,
                     enum c2d_outcome outcome, instant now);
/* Statement 1's changes are how many there were. */
void c2d_unit_purge(struct unit *unit, const struct hub_key *key, instant now);
/* One more delivery that was given back; ST_CONFLICT when the message is gone. */
void c2d_unit_abandon(struct unit *unit, const struct hub_key *key, int64_t sequence);
/* Marks that it went out once, so that the next time it is marked as sent again. */
void c2d_unit_mark_delivered(struct unit *unit, const struct hub_key *key, int64_t sequence);
void c2d_unit_forget_feedback(struct unit *unit, instant before);

/* Messages after `sequence`, in order; read with c2d_row_read. */
void c2d_store_read(struct hub *hub, const struct hub_key *key, int64_t after, unsigned limit,
                    store_rows_fn *on_rows, void *context);
void c2d_row_read(const struct rows *rows, struct c2d_row *ret);
/* What has expired, of all queues: hub, device_id, module_id, sequence. */
void c2d_store_read_expired(struct hub *hub, instant now, unsigned limit, store_rows_fn *on_rows,
                            void *context);
/* Feedback since `since`, oldest first: message ID, enqueued, outcome, device ID, generation. */
void c2d_store_read_feedback(struct hub *hub, slice hub_name, slice device_id, instant since,
                             store_rows_fn *on_rows, void *context);

#endif
