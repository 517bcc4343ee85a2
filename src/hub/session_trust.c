#include "hub/session_trust.h"

#include <stdlib.h>

#include "base/log.h"

#define REVIEW_TURN 2000 /* sessions looked at in one turn of the loop */

struct session_trust {
    struct session_trust *next, **link;
    struct session *session;
    int64_t version; /* of the snapshot that let it in */
    uint64_t authority, anchor;
    size_t count;
    uint64_t marks[];
};

static const char *objection_to(const struct session_trust *t, const struct trust *trust)
{
    struct trust_marks marks = {.authority = t->authority, .anchor = t->anchor, .count = t->count};

    memcpy(marks.marks, t->marks, t->count * sizeof t->marks[0]);
    return trust_objection(trust, &marks);
}

/* --- a session's part ------------------------------------------------------------------------ */

bool session_trust_begin(struct session *s, const struct device_principal *p)
{
    struct hub_worker *w = hub_worker_of(s);
    const struct trust_marks *m = p->marks;
    struct session_trust *t;

    if (!m)
        return true;
    t = malloc(sizeof *t + m->count * sizeof m->marks[0]);
    if (!t)
        return false;
    *t = (struct session_trust){
        .next = w->certified,
        .link = &w->certified,
        .session = s,
        .version = p->trust_version,
        .authority = m->authority,
        .anchor = m->anchor,
        .count = m->count,
    };
    memcpy(t->marks, m->marks, m->count * sizeof m->marks[0]);
    if (t->next)
        t->next->link = &t->next;
    w->certified = t;
    s->trust = t;
    return true;
}

bool session_trust_holds(const struct session *s)
{
    const struct trust *seen = trust_seen(s->hub->identity);

    if (!s->trust || !seen || seen->version <= s->trust->version)
        return true;
    return objection_to(s->trust, seen) == NULL;
}

void session_trust_end(struct session *s)
{
    struct session_trust *t = s->trust;
    struct hub_worker *w = hub_worker_of(s);

    if (!t)
        return;
    s->trust = NULL;
    if (w->review.next == t)
        w->review.next = t->next;
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    free(t);
}

/* --- looking through all of them ------------------------------------------------------------- */

/* An end may take others off the list, so where to go on stands where they see it. */
static void review_one(struct hub_worker *w, struct session_trust *t)
{
    const char *objection = objection_to(t, w->review.trust);

    w->review.next = t->next;
    if (!objection)
        return;
    LOG_LIMITED(LOG_LEVEL_INFO, "session_untrusted", LOG_TEXT("device", t->session->device_id),
                LOG_STR("cause", objection));
    session_end(t->session, SESSION_END_REVOKED);
}

static void review_some(struct hub_worker *w)
{
    for (unsigned i = 0; i < REVIEW_TURN && w->review.next; i++)
        review_one(w, w->review.next);
    if (w->review.next && !w->review.posted) {
        w->review.posted = true;
        worker_post(w->worker, &w->review.mail);
    }
}

static void on_mail(struct mail *mail)
{
    struct hub_worker *w =
        (struct hub_worker *)((char *)mail - offsetof(struct hub_worker, review.mail));

    w->review.posted = false;
    review_some(w);
}

/* A newer snapshot begins anew: it decides on all of them. */
void session_trust_review(struct hub_worker *w, const struct trust *trust)
{
    trust_hold(trust);
    trust_release(w->review.trust);
    w->review.trust = trust;
    w->review.next = w->certified;
    review_some(w);
}

static void on_change(void *context, const struct trust *trust)
{
    session_trust_review(context, trust);
}

bool session_trust_watch(struct hub_worker *w)
{
    w->review.mail.run = on_mail;
    return trust_watch(w->hub->identity, w->worker, on_change, w);
}

void session_trust_unwatch(struct hub_worker *w)
{
    trust_release(w->review.trust);
    w->review.trust = NULL;
}
