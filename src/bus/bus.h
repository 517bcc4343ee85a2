/* The bus: messages between workers, and later between nodes. It holds nothing: what must not be
 * lost is in the store, a message only says where to look. Delivery is at most once, in order
 * from one sender to one receiver.
 *
 * A subject is words joined by dots ("session.3", "identity.changed"); there are no wildcards. A
 * worker subscribes for itself; a handler runs on the worker that subscribed. A message's bytes
 * are copied, so nothing is shared. */
#ifndef MUSTER_BUS_BUS_H
#define MUSTER_BUS_BUS_H

#include "base/slice.h"
#include "base/status.h"
#include "net/worker.h"

struct bus;

#define BUS_MESSAGE_MAX (512 * 1024) /* bytes; larger things are in the store */

CHECKED struct bus *bus_create_local(struct workers *ws);
void bus_destroy(struct bus *bus);

/* `message` is borrowed for the call. */
typedef void bus_fn(void *context, slice subject, slice message);
/* For the whole life of the bus; before workers_start, for that worker. */
CHECKED bool bus_subscribe(struct bus *bus, struct worker *w, const char *subject,
                           bus_fn *on_message, void *context);
/* Any thread. To every subscriber of that subject. Never calls a handler before it returns. */
void bus_publish(struct bus *bus, slice subject, slice message);

/* The name by which others reach this worker across all nodes: a subject prefix. One node: "w0". */
slice bus_worker_name(const struct bus *bus, const struct worker *w);

#endif
