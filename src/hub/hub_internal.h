/* Inside hub/: the hub's parts on each worker, and how they reach each other.
 *
 *     session.c           the states of a session, opening and closing
 *     session_trust.c     those that a certificate opened, looked through when trust changes
 *     session_remote.c    what other workers ask of a session; query, revoke, drain
 *     directory_*.c       the shard of identities that this worker knows: who is live, where
 *     session_message.c   what travels between them
 *     activity.c          last activity, written behind
 *     model.c             announced model IDs
 *     telemetry.c, twin_*.c, method.c, c2d_*.c    what devices do */
#ifndef MUSTER_HUB_HUB_INTERNAL_H
#define MUSTER_HUB_HUB_INTERNAL_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "hub/hub.h"
#include "hub/session.h"
#include "hub/session_message.h"
#include "identity/device.h"

#define HUB_ANSWER_TIMEOUT_MS 2000

/* Whose twin, queue, session: the key of every row. */
struct hub_key {
    slice hub, device_id, module_id;
};

/* Live sessions of one worker, by serial. */
struct session_table {
    struct session **buckets;
    size_t bucket_count, count;
};

/* A question to another worker, embedded first in what its asker keeps. */
struct hub_request {
    struct hub_request *next;
    struct hub_worker *w;
    uint64_t token;
    struct timer timer;
    /* `m` is the answer, or NULL when the time is up. Ends the request, or waits on. */
    void (*on_message)(struct hub_request *r, const struct session_message *m);
    /* Frees what the asker keeps, and tells nobody: the hub ends before an answer came. */
    void (*drop)(struct hub_request *r);
};
#define HUB_REQUEST_BUCKETS 256

struct activity_entry;
/* Closed sessions whose last activity is still to be written, and where the walk over the live
 * ones stands. */
struct hub_activity {
    struct timer timer;
    struct activity_entry *closed;
    size_t closed_count;
    size_t next_bucket;
};

/* One message a batch or so is timed, from its arrival to its acknowledgement. */
struct ack_sample {
    const struct log_waiter *waiter; /* NULL: none under way */
    uint32_t token;
    int64_t started_us;
};

struct session_trust;
struct trust;
/* A walk over the sessions that certificates opened: session_trust.c. */
struct trust_review {
    struct mail mail; /* goes on with it in another turn */
    const struct trust *trust;
    struct session_trust *next;
    bool posted;
};

#define HUB_SUBJECT_MAX 32
struct hub_worker {
    struct hub *hub;
    struct worker *worker;
    unsigned index;
    uint64_t last_number; /* of serials and tokens */
    struct session_table sessions;
    struct session_trust *certified; /* sessions opened by a certificate */
    struct trust_review review;
    struct directory *directory;
    struct hub_request *requests[HUB_REQUEST_BUCKETS];
    struct hub_activity activity;
    struct ack_sample sample;
    struct turn_hook report_hook;
    struct session_twin *reports; /* sessions whose reports wait for the turn's end */
    struct timer sweep;           /* of expired C2D: worker 0's only */
    struct arena scratch;         /* of one computation, reset before it */
    struct buf text, metadata;    /* its results */
    struct buf message;           /* being encoded */
    struct mail drain;
    char session_subject[HUB_SUBJECT_MAX], directory_subject[HUB_SUBJECT_MAX];
};

struct hub {
    struct workers *ws;
    struct store *store;
    struct bus *bus;
    struct identity *identity;
    struct stream_log *log;
    struct hub_options options;
    atomic_bool draining;
    atomic_uint open_calls; /* direct methods of all workers */
    unsigned worker_count;
    struct hub_worker workers[];
};

/* Serials and tokens are unique in the process and tell whose they are. */
#define HUB_WORKER_SHIFT 48
static inline uint64_t hub_next_number(struct hub_worker *w)
{
    return (uint64_t)w->index << HUB_WORKER_SHIFT | ++w->last_number;
}
static inline struct hub_worker *hub_owner_of(struct hub *hub, uint64_t number)
{
    uint64_t index = number >> HUB_WORKER_SHIFT;

    return index < hub->worker_count ? &hub->workers[index] : NULL;
}
/* The hub's part on the worker whose thread this is. */
static inline struct hub_worker *hub_here(struct hub *hub)
{
    return &hub->workers[worker_index(worker_current())];
}
static inline struct hub_worker *hub_worker_of(const struct session *s)
{
    return &s->hub->workers[worker_index(s->worker)];
}
static inline struct hub_key session_key(const struct session *s)
{
    return (struct hub_key){s->hub_name->name, s->device_id, s->module_id};
}

/* To the shard of m's identity, to the worker of m->serial, to the worker of m->token. When that
 * is `from` itself the message is handled inside the call. */
void hub_tell_directory(struct hub_worker *from, const struct session_message *m);
void hub_tell_session(struct hub_worker *from, const struct session_message *m);
void hub_tell_asker(struct hub_worker *from, const struct session_message *m);
/* Tells the identity's session, wherever it is: a new desired version, or (0) C2D is waiting. */
void hub_tell_changed(struct hub_worker *from, const struct hub_key *key, int64_t version);

/* --- requests: session_remote.c ------------------------------------------------------------- */

void request_start(struct hub_worker *w, struct hub_request *r, int64_t timeout_ms);
void request_end(struct hub_request *r);

/* --- the directory's shard: directory.c ---------------------------------- */

CHECKED struct directory *directory_create(struct hub_worker *w);
void directory_destroy(struct directory *d);
void directory_receive(struct directory *d, const struct session_message *m);

/* --- sessions: session.c, session_table.c, session_remote.c --------------------------------- */

CHECKED bool session_table_insert(struct session_table *t, struct session *s);
void session_table_remove(struct session_table *t, struct session *s);
struct session *session_table_find(const struct session_table *t, uint64_t serial);

/* Keeps a session's memory while something that names it is under way. */
void session_hold(struct session *s);
/* May release it: `s` is not to be touched afterwards. */
void session_unhold(struct session *s);
/* Called when telemetry of a session is settled; may release it likewise. */
void session_settled(struct session *s);
void session_end(struct session *s, enum session_end why);
/* MESSAGE_OPENED has come. */
void session_opened(struct session *s, enum status status);
void session_receive(struct hub_worker *w, const struct session_message *m);
void session_drain_worker(struct mail *mail);

void activity_start(struct hub_worker *w);
void activity_stop(struct hub_worker *w);
/* A session closes: its last activity is to be written. */
void activity_note(struct hub_worker *w, const struct session *s);
/* When it was last active, on the wall clock. */
instant activity_at(const struct session *s);

/* Stores a model ID that is new and tells central. */
void model_announce(struct session *s, slice model_id);

/* --- what sessions do ----------------------------------------------------------------------- */

void telemetry_on_done(struct log_waiter *waiter, uint32_t token, enum status status);

/* Starts desired notifications; `on_ready` as session_subscribe's. */
void twin_session_start(struct session *s, void (*on_ready)(struct session *s, void *context),
                        void *context);
void twin_session_stop(struct session *s);
void twin_session_told(struct session *s, int64_t version);
void twin_session_close(struct session *s);
/* Gives the part back when nothing needs it. */
void twin_session_trim(struct session *s);
void twin_reports_run(struct turn_hook *hook);
/* The reporting half of the part. */
struct session_twin *twin_session_part(struct session *s);

/* Which methods the session answers from now on; false when out of memory. */
CHECKED bool method_session_subscribe(struct session *s, bool subscribed, slice filters);
void method_session_close(struct session *s);
void method_session_invoke(struct hub_worker *w, const struct session_message *m);
void method_session_cancel(struct hub_worker *w, const struct session_message *m);

void c2d_session_start(struct session *s);
void c2d_session_stop(struct session *s);
void c2d_session_told(struct session *s);
void c2d_session_close(struct session *s);
void c2d_sweep_start(struct hub_worker *w);

#endif
