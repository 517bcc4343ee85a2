/* A device that announces its model when it connects to the hub is associated like one that does
 * so at registration, if it has no template yet (contract/central.md 5.6). */
#ifndef MUSTER_CENTRAL_MODEL_EVENT_H
#define MUSTER_CENTRAL_MODEL_EVENT_H

#include "central/central.h"

/* Listens, on the first worker, for the life of the bus. Before workers_start. */
CHECKED bool model_event_listen(struct central *c);

#endif
