/* Between simulation.c, who runs, and simulated_device.c, what one does. */
#ifndef MUSTER_CENTRAL_SIMULATION_INTERNAL_H
#define MUSTER_CENTRAL_SIMULATION_INTERNAL_H

#include "central/central_internal.h"
#include "central/simulation/simulation.h"
#include "hub/session.h"

struct simulated_device {
    struct session session; /* first */
    struct simulation *simulation;
    struct simulated_device *next;
    struct timer timer; /* of its next message */
    uint64_t seed, step;
    unsigned tasks; /* under way, which need it */
    bool is_seen;   /* by the list that is being read */
    bool is_over;   /* the session is closed; it goes when no task is left */
    size_t id_len;
    uint8_t id[DEVICE_ID_MAX];
};

struct simulation {
    struct central *c;
    struct simulation_options options;
    struct worker *home;
    struct mail start;
    struct timer timer; /* of the next look at the list */
    struct simulated_device *devices;
    unsigned count;
    bool is_listing, is_stale; /* a list is being read; and what it says is old already */
};

/* Opens its session; it goes by itself when that ends. */
void simulated_device_begin(struct simulation *s, const struct device *d);
void simulated_device_end(struct simulated_device *d);
/* Takes it off the list and frees it. */
void simulation_forget(struct simulated_device *d);

#endif
