/* A session: one live connection of one identity, whatever its protocol; and the directory.
 *
 *     closed -> opening -> live -> closing -> closed
 *
 * A front embeds `struct session` in its connection, fills in `ops`, and opens it with a principal
 * that identity gave. Opening goes through the directory: the shard (a worker, by hash of the
 * identity) that knows who is live evicts an older session of the same identity, waits until it is
 * closed, and only then lets the new one in. So one identity has one live session at most.
 *
 * What travels to a device travels as a message to the worker that holds its session; there the
 * hub calls `ops`. All functions here run on the session's worker unless they say otherwise. */
#ifndef MUSTER_HUB_SESSION_H
#define MUSTER_HUB_SESSION_H

#include "codec/topic.h"
#include "hub/hub.h"
#include "identity/principal.h"

struct session;
struct c2d_delivery;

enum session_end {
    SESSION_END_TAKEN_OVER, /* a newer connection of the same identity: 400027 */
    SESSION_END_REVOKED,    /* blocked, disabled, deleted, key changed */
    SESSION_END_EXPIRED,    /* the token ran out and was not renewed */
};

/* The front's side. The hub never calls into a session that is closed. */
struct session_ops {
    /* End the connection now; the front calls session_close (at once or in this turn). */
    void (*close)(struct session *s, enum session_end why);
    /* The fate of what telemetry_send or telemetry_marker took; in their order. */
    void (*telemetry_done)(struct session *s, uint32_t token, enum status status);
    /* Deliver; the front later calls c2d_complete / _abandon / _reject with d->sequence. */
    void (*deliver_c2d)(struct session *s, const struct c2d_delivery *d);
    /* A committed desired patch; each version once and in order. `patch` is the JSON with its
     * "$version" member. */
    void (*deliver_desired)(struct session *s, int64_t version, slice patch);
    /* Invoke; the front later calls method_respond with the same rid. `payload` is JSON. */
    void (*invoke_method)(struct session *s, slice rid, slice name, slice payload);
    /* Everything that held the session's memory is gone (see session_close). */
    void (*released)(struct session *s);
};

enum session_state { SESSION_CLOSED, SESSION_OPENING, SESSION_LIVE, SESSION_CLOSING };

/* A front sets `ops` and reads what identifies the session; the rest is the hub's. */
struct session {
    const struct session_ops *ops; /* set by the front before session_open */
    struct hub *hub;
    struct worker *worker;
    const struct hub_name *hub_name;
    slice device_id, module_id; /* in `memory` */
    enum session_state state;
    enum credential_slot slot;
    int64_t credential_generation;
    unsigned subscriptions; /* enum hub_subscription bits now in force */
    unsigned partition;
    uint64_t serial;          /* names this session in the directory; holds its worker's index */
    int64_t last_activity_ms; /* monotonic */
    uint8_t *memory;          /* one block: its expiry, if any, and the stamp with the IDs */
    slice stamp;              /* what telemetry records carry: identity, model (d2c_record.h) */
    struct session *next_in_bucket; /* this worker's table */
    struct log_waiter waiter;
    unsigned holds;                  /* what is under way for it, besides telemetry */
    bool is_ending;                  /* ops->close was called */
    bool is_callable;                /* the directory was told that methods are subscribed */
    bool expires;                    /* `memory` begins with a struct session_expiry */
    struct session_twin *twin;       /* while reports are in flight or desired is subscribed */
    struct session_c2d *c2d;         /* while C2D is subscribed or messages are unsettled */
    struct session_methods *methods; /* while methods are subscribed or calls are open */
    struct session_trust *trust;     /* when a certificate opened it */
    void (*on_open)(struct session *s, enum status status);
};

struct session_options {
    slice model_id;             /* announced at connect; empty: none */
    slice client_type;          /* product info, kept for people */
    slice protocol;             /* "mqtt" */
    slice peer;                 /* address */
    bool restore_subscriptions; /* clean session 0: take the stored ones */
};
/* `on_open`: ST_OK, the session is live (s->subscriptions are the restored ones); ST_UNAUTHORIZED:
 * revoked between authentication and now; ST_UNAVAILABLE. Unless ST_OK the session is closed. A
 * model ID is stored when new and told to central by an event. `on_open` may run inside. */
void session_open(struct session *s, struct hub *hub, const struct device_principal *p,
                  const struct session_options *options,
                  void (*on_open)(struct session *s, enum status status));
/* The connection is gone (or never opened). Undelivered C2D goes back to the queue, open methods
 * fail. The memory of `s` must live until ops->released, which comes in a later turn (or inside
 * this call when nothing is in flight). Once for each session_open, whatever its outcome. */
void session_close(struct session *s);

/* The set of enum hub_subscription bits in force from now on; starts or stops C2D, desired
 * notifications and methods. `on_ready` (may run inside) when the change holds, so that an
 * acknowledgement may be sent. `method_filters` names joined by '\n'; empty: all. `persist`:
 * stored for the identity (clean session 0). */
void session_subscribe(struct session *s, unsigned subscriptions, slice method_filters,
                       bool persist, void (*on_ready)(struct session *s, void *context),
                       void *context);

/* --- from anywhere (any worker) ------------------------------------------------------------- */

struct session_info {
    bool connected;
    int64_t last_activity_at; /* wall-clock ms; 0: unknown here */
    slice protocol, client_type, peer;
    instant connected_at;
};
typedef void session_info_fn(void *context, const struct session_info *info);
/* What the directory knows of an identity's live session. */
void session_query(struct hub *hub, const struct hub_name *name, slice device_id, slice module_id,
                   session_info_fn *on_info, void *context);

/* Ends the live sessions of a device that were let in by one of `slots` (and, with an empty
 * module_id and `with_modules`, those of its modules), and refuses openings whose credential
 * generation is below `generation`. `on_done` when they are closed and what they had sent is
 * either durable or dropped; at the latest after 2 s. */
struct session_revoke {
    const struct hub_name *hub;
    slice device_id, module_id;
    bool with_modules;
    unsigned slots; /* enum credential_slot bits */
    int64_t generation;
};
void session_revoke(struct hub *hub, const struct session_revoke *r, void (*on_done)(void *context),
                    void *context);

/* Ends every session of this process (ops->close, SESSION_END_REVOKED), for shutdown: new ones get
 * ST_UNAVAILABLE. Any thread. */
void session_drain(struct hub *hub);

#endif
