/* What a fleet must know of the server before it starts, asked as its operator. */
#ifndef MUSTER_CMD_SIMULATE_SERVER_H
#define MUSTER_CMD_SIMULATE_SERVER_H

#include "cmd/client.h"
#include "cmd/simulate/simulate_fleet.h"

struct simulate_words {
    const char *folder, *template_id, *group, *prefix, *address;
    bool add;
};

/* Fills what the server decides: address, host, scope, key, model. Strings and the model live in
 * the client's arena. Otherwise an exit code, after a message. */
CHECKED int simulate_ask_server(struct client *c, const struct simulate_words *w,
                                struct fleet_options *o);
/* Makes the fleet's devices known, with their template; those that are there already stay. */
CHECKED int simulate_add_devices(struct client *c, const struct simulate_words *w, unsigned count);

#endif
