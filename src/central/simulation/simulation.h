/* Simulated devices: those that an operator added as such, played by the application itself
 * (contract/central.md 1.6 row 2, S6).
 *
 * Each has a session of the hub like any other device, only without a connection: it sends
 * telemetry as its template's model says (codec/dtdl_sample.h), reports its properties,
 * acknowledges what is asked of it and answers commands. All of them live on one worker. What a
 * device is, is read anew whenever it has something to say, so that changes of its template count
 * at once. No more than SIMULATED_MAX run; those beyond stay silent. */
#ifndef MUSTER_CENTRAL_SIMULATION_H
#define MUSTER_CENTRAL_SIMULATION_H

#include "central/central.h"

#define SIMULATED_MAX 100

struct simulation_options {
    int64_t period_ms; /* between two messages of a device */
};
extern const struct simulation_options simulation_defaults;

struct simulation;
/* Before workers_start. */
CHECKED struct simulation *
simulation_create(struct central *c, const struct simulation_options *options, struct fault *why);
/* After workers_stop. */
void simulation_destroy(struct simulation *s);

#endif
