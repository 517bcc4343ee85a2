/* Inside the directory's shard. */
#ifndef MUSTER_HUB_DIRECTORY_H
#define MUSTER_HUB_DIRECTORY_H

#include "hub/hub_internal.h"

#define DIRECTORY_WORD_BUCKETS 256
#define DIRECTORY_REVOCATIONS 4096 /* the newest; more than that in a minute forget the oldest */
#define DIRECTORY_REVOCATION_MS 60000

struct word;
struct opening;
struct revoke_share;
struct waiting_call;

/* An identity whose session is live, or is about to be. Small: there is one for each. */
struct directory_entry {
    struct directory_entry *next;
    slice hub;       /* lives as long as the process */
    uint64_t serial; /* of the session; its worker is in the upper bits */
    int64_t credential_generation;
    instant connected_at;
    struct word *protocol, *client_type; /* NULL: no memory was left for them */
    struct opening *opening;             /* who waits until this session is closed */
    struct revoke_share *shares;         /* and which revocations do */
    uint8_t slot;
    bool is_callable;  /* methods are subscribed */
    bool is_ending;    /* it was told to close */
    bool is_condemned; /* and will be, before the revocation at hand returns */
    uint8_t device_len, module_len, peer_len;
    uint8_t text[]; /* device ID, module ID, peer */
};

struct revocation {
    uint64_t hash; /* of the identity, or of the device with all its modules */
    int64_t generation;
    int64_t until_ms;
    unsigned slots;
};

struct directory {
    struct hub_worker *w;
    struct directory_entry **buckets;
    size_t bucket_count, entry_count;
    struct waiting_call *calls;
    size_t next_revocation;
    struct revocation revocations[DIRECTORY_REVOCATIONS];
    struct word *words[DIRECTORY_WORD_BUCKETS];
};

/* --- the table: directory_entry.c ----------------------------------------------------------- */

CHECKED bool directory_table_create(struct directory *d);
uint64_t directory_device_hash(slice hub, slice device_id);
uint64_t directory_identity_hash(const struct session_message *m);
/* Where a device and its modules are. */
struct directory_entry **directory_chain(struct directory *d, const struct session_message *m);
bool directory_is_device(const struct directory_entry *e, const struct session_message *m);
bool directory_is_identity(const struct directory_entry *e, const struct session_message *m);
struct directory_entry *directory_find(struct directory *d, const struct session_message *m);
/* From MESSAGE_OPEN; NULL when out of memory. */
struct directory_entry *directory_insert(struct directory *d, const struct session_message *m);
void directory_unlink(struct directory *d, struct directory_entry *e);
void directory_entry_destroy(struct directory *d, struct directory_entry *e);
slice directory_peer(const struct directory_entry *e);
slice directory_word(const struct word *word);

/* --- openings: directory.c ------------------------------------------------------------------ */

/* What the waiting opener asked, or NULL. */
const struct session_message *directory_waiting(const struct directory_entry *e);
/* Takes the waiting opener out; its serial, or 0 when nobody waited. */
uint64_t directory_stop_waiting(struct directory_entry *e);
void directory_answer_open(struct directory *d, uint64_t serial, enum status status);
void directory_tell_end(struct directory *d, uint64_t serial, enum session_end why);

/* --- revocations: directory_revoke.c -------------------------------------------------------- */

void directory_revoke(struct directory *d, const struct session_message *m);
/* Whether MESSAGE_OPEN was authenticated before a revocation that this shard remembers. */
bool directory_is_revoked(const struct directory *d, const struct session_message *m);
/* A session that revocations waited for is closed. */
void directory_give_shares(struct directory *d, struct revoke_share *shares);
void directory_drop_shares(struct revoke_share *shares);

/* --- method calls: directory_calls.c -------------------------------------------------------- */

/* On to its session, or it waits here until there is one. */
void directory_calls_add(struct directory *d, const struct session_message *m);
/* m's identity has become callable. */
void directory_calls_run(struct directory *d, const struct session_message *m);
void directory_calls_destroy(struct directory *d);

#endif
