/* Revocations: they end sessions, wait until those are closed, and are remembered for a while, so
 * that what was authenticated before is not let in after. */
#include <stdlib.h>

#include "base/log.h"
#include "hub/directory.h"

/* --- revocations: remembered, so that what was authenticated before is not let in after ----- */

static void remember(struct directory *d, const struct session_message *m)
{
    d->revocations[d->next_revocation % DIRECTORY_REVOCATIONS] = (struct revocation){
        .hash = m->flag ? directory_device_hash(m->hub, m->device_id) : directory_identity_hash(m),
        .generation = m->number,
        .until_ms = worker_now_ms(d->w->worker) + DIRECTORY_REVOCATION_MS,
        .slots = m->slots,
    };
    d->next_revocation++;
}

bool directory_is_revoked(const struct directory *d, const struct session_message *m)
{
    uint64_t device = directory_device_hash(m->hub, m->device_id),
             identity = directory_identity_hash(m);
    int64_t now = worker_now_ms(d->w->worker);

    for (size_t back = 1; back <= DIRECTORY_REVOCATIONS && back <= d->next_revocation; back++) {
        const struct revocation *r =
            &d->revocations[(d->next_revocation - back) % DIRECTORY_REVOCATIONS];

        if (r->until_ms <= now)
            return false; /* all others are older */
        if ((r->hash == device || r->hash == identity) && (r->slots & m->slots) &&
            m->number < r->generation)
            return true;
    }
    return false;
}

/* --- revocations that wait ------------------------------------------------------------------ */

/* A revocation that waits for sessions to close: one share in it for each, and one while it is
 * being set up. */
struct revoke {
    uint64_t token;
    size_t shares;
};

static void revoke_less(struct directory *d, struct revoke *r)
{
    const struct session_message m = {.kind = MESSAGE_REVOKED, .token = r->token};

    if (--r->shares > 0)
        return;
    free(r);
    hub_tell_asker(d->w, &m);
}

struct revoke_share {
    struct revoke_share *next;
    struct revoke *revoke;
};

void directory_give_shares(struct directory *d, struct revoke_share *shares)
{
    while (shares) {
        struct revoke_share *next = shares->next;
        struct revoke *revoke = shares->revoke;

        free(shares);
        shares = next;
        revoke_less(d, revoke);
    }
}

void directory_drop_shares(struct revoke_share *shares)
{
    while (shares) {
        struct revoke_share *next = shares->next;

        if (--shares->revoke->shares == 0)
            free(shares->revoke);
        free(shares);
        shares = next;
    }
}

/* --- revoking ------------------------------------------------------------------------------- */

static bool is_meant(const struct directory_entry *e, const struct session_message *revoke)
{
    return revoke->flag ? directory_is_device(e, revoke) : directory_is_identity(e, revoke);
}

static bool is_outdated(unsigned slots, int64_t generation, const struct session_message *revoke)
{
    return (slots & revoke->slots) && (revoke->number == 0 || generation < revoke->number);
}

static void take_share(struct directory_entry *e, struct revoke *revoke)
{
    struct revoke_share *share = malloc(sizeof *share);

    if (!share)
        return; /* the asker's time-out answers */
    *share = (struct revoke_share){.next = e->shares, .revoke = revoke};
    e->shares = share;
    revoke->shares++;
}

/* Marks what is to end and refuses who waits; the refused one's serial, or 0. */
static uint64_t condemn(struct directory_entry *e, const struct session_message *m,
                        struct revoke *revoke)
{
    const struct session_message *waiting = directory_waiting(e);

    if (is_outdated(e->slot, e->credential_generation, m)) {
        e->is_condemned = true;
        take_share(e, revoke);
    }
    if (waiting && is_outdated(waiting->slots, waiting->number, m))
        return directory_stop_waiting(e);
    return 0;
}

/* The next one to be told. The chain is walked anew each time, for telling may change it. */
static struct directory_entry *next_condemned(struct directory *d, const struct session_message *m)
{
    struct directory_entry *e = *directory_chain(d, m);

    while (e && !(is_meant(e, m) && e->is_condemned))
        e = e->next;
    return e;
}

static struct revoke *revoke_create(const struct session_message *m)
{
    struct revoke *revoke = malloc(sizeof *revoke);

    if (revoke)
        *revoke = (struct revoke){.token = m->token, .shares = 1};
    return revoke;
}

void directory_revoke(struct directory *d, const struct session_message *m)
{
    struct revoke *revoke = revoke_create(m);
    struct directory_entry *e;

    remember(d, m);
    if (!revoke) {
        LOG_ERROR("revoke_failed", LOG_TEXT("device", m->device_id));
        return;
    }
    for (e = *directory_chain(d, m); e; e = e->next) {
        uint64_t refused = is_meant(e, m) ? condemn(e, m, revoke) : 0;

        if (refused)
            directory_answer_open(d, refused, ST_UNAUTHORIZED);
    }
    while ((e = next_condemned(d, m))) {
        e->is_condemned = false;
        e->is_ending = true;
        directory_tell_end(d, e->serial, SESSION_END_REVOKED);
    }
    revoke_less(d, revoke);
}
