/* The bus inside one process: a table of subjects, and a queue before each worker. */
#include "bus/bus.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

#define SUBJECT_SLOTS 256            /* lists of subscriptions by hash */
#define INBOX_MAX (64 * 1024 * 1024) /* bytes waiting for one worker; what is over is lost */
#define WORKER_NAME_MAX 16

struct inbox;

struct subscription {
    struct subscription *next; /* of its slot, in the order of subscribing */
    struct inbox *inbox;
    bus_fn *on_message;
    void *context;
    size_t subject_len;
    uint8_t subject[];
};

struct message {
    struct message *next;
    const struct subscription *to;
    size_t len;
    uint8_t bytes[];
};

/* Before one worker. Its mail is posted once for all messages that gather until it runs. */
struct inbox {
    struct mail mail;
    struct worker *worker;
    char name[WORKER_NAME_MAX];
    pthread_mutex_t lock; /* of all below */
    struct message *first, *last;
    size_t bytes;
    bool posted;
};

/* `slots` is written before the workers start and only read afterwards: no lock. */
struct bus {
    struct subscription *slots[SUBJECT_SLOTS];
    unsigned inbox_count;
    struct inbox inboxes[];
};

/* --- life ------------------------------------------------------------------------------------ */

static void run_inbox(struct mail *mail);

struct bus *bus_create_local(struct workers *ws)
{
    unsigned count = workers_count(ws);
    struct bus *bus = calloc(1, sizeof *bus + count * sizeof bus->inboxes[0]);

    if (!bus)
        return NULL;
    bus->inbox_count = count;
    for (unsigned i = 0; i < count; i++) {
        struct inbox *inbox = &bus->inboxes[i];

        inbox->mail.run = run_inbox;
        inbox->worker = workers_at(ws, i);
        pthread_mutex_init(&inbox->lock, NULL);
        snprintf(inbox->name, sizeof inbox->name, "w%u", i);
    }
    return bus;
}

static void destroy_inbox(struct inbox *inbox)
{
    while (inbox->first) {
        struct message *next = inbox->first->next;

        free(inbox->first);
        inbox->first = next;
    }
    pthread_mutex_destroy(&inbox->lock);
}

void bus_destroy(struct bus *bus)
{
    if (!bus)
        return;
    for (unsigned i = 0; i < bus->inbox_count; i++)
        destroy_inbox(&bus->inboxes[i]);
    for (size_t i = 0; i < SUBJECT_SLOTS; i++) {
        while (bus->slots[i]) {
            struct subscription *next = bus->slots[i]->next;

            free(bus->slots[i]);
            bus->slots[i] = next;
        }
    }
    free(bus);
}

/* --- subscribing ----------------------------------------------------------------------------- */

static size_t slot_of(slice subject)
{
    return slice_hash(subject) % SUBJECT_SLOTS;
}

bool bus_subscribe(struct bus *bus, struct worker *w, const char *subject, bus_fn *on_message,
                   void *context)
{
    slice name = slice_str(subject);
    struct subscription *s = calloc(1, sizeof *s + name.len);
    struct subscription **end = &bus->slots[slot_of(name)];

    if (!s)
        return false;
    s->inbox = &bus->inboxes[worker_index(w)];
    s->on_message = on_message;
    s->context = context;
    s->subject_len = name.len;
    if (name.len)
        memcpy(s->subject, name.ptr, name.len);
    while (*end)
        end = &(*end)->next;
    *end = s;
    return true;
}

static slice subject_of(const struct subscription *s)
{
    return slice_of(s->subject, s->subject_len);
}

/* --- messages -------------------------------------------------------------------------------- */

static void run_inbox(struct mail *mail)
{
    struct inbox *inbox = (struct inbox *)mail;
    struct message *message;

    pthread_mutex_lock(&inbox->lock);
    message = inbox->first;
    inbox->first = inbox->last = NULL;
    inbox->bytes = 0;
    inbox->posted = false;
    pthread_mutex_unlock(&inbox->lock);
    while (message) {
        struct message *next = message->next;
        const struct subscription *to = message->to;

        to->on_message(to->context, subject_of(to), slice_of(message->bytes, message->len));
        free(message);
        message = next;
    }
}

static struct message *copy_message(const struct subscription *to, slice bytes)
{
    struct message *m = malloc(sizeof *m + bytes.len);

    if (!m)
        return NULL;
    m->next = NULL;
    m->to = to;
    m->len = bytes.len;
    if (bytes.len)
        memcpy(m->bytes, bytes.ptr, bytes.len);
    return m;
}

/* False when the inbox holds all it may. */
static bool put(struct inbox *inbox, struct message *m)
{
    bool fits, post;

    pthread_mutex_lock(&inbox->lock);
    fits = inbox->bytes + sizeof *m + m->len <= INBOX_MAX;
    post = fits && !inbox->posted;
    if (fits) {
        inbox->bytes += sizeof *m + m->len;
        if (inbox->last)
            inbox->last->next = m;
        else
            inbox->first = m;
        inbox->last = m;
        inbox->posted = true;
    }
    pthread_mutex_unlock(&inbox->lock);
    if (post)
        worker_post(inbox->worker, &inbox->mail);
    return fits;
}

static void deliver(const struct subscription *to, slice message)
{
    struct message *m = copy_message(to, message);

    if (m && put(to->inbox, m))
        return;
    LOG_LIMITED(LOG_LEVEL_WARN, "bus_message_lost", LOG_TEXT("subject", subject_of(to)),
                LOG_STR("cause", m ? "the worker's inbox is full" : "no memory"));
    free(m);
}

void bus_publish(struct bus *bus, slice subject, slice message)
{
    assert(message.len <= BUS_MESSAGE_MAX);
    for (struct subscription *s = bus->slots[slot_of(subject)]; s; s = s->next) {
        if (slice_equal(subject_of(s), subject))
            deliver(s, message);
    }
}

slice bus_worker_name(const struct bus *bus, const struct worker *w)
{
    return slice_str(bus->inboxes[worker_index(w)].name);
}
