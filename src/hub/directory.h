/* Inside the directory's shard: directory.c and directory_calls.c. */
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

struct directory_entry *directory_find(struct directory *d, const struct session_message *m);
uint64_t directory_device_hash(slice hub, slice device_id);

/* A method call: on to its session, or it waits here until there is one. */
void directory_calls_add(struct directory *d, const struct session_message *m);
/* m's identity has become callable. */
void directory_calls_run(struct directory *d, const struct session_message *m);
void directory_calls_destroy(struct directory *d);

#endif
