/* A device's registration over HTTPS, from the command line: what a device does at first light. */
#ifndef MUSTER_CMD_REGISTRAR_H
#define MUSTER_CMD_REGISTRAR_H

#include "base/arena.h"
#include "base/status.h"

struct registrar {
    const char *host;    /* HOST or HOST:PORT */
    const char *ca_file; /* NULL: the system's */
    slice id_scope, registration_id;
    slice key; /* the device's, raw */
};
struct registered_device {
    slice hub, device_id; /* in the arena */
};
/* Blocking. ST_UNAUTHORIZED, ST_REFUSED with what the service said, ST_TIMEOUT after 30 s. */
CHECKED enum status registrar_register(const struct registrar *r, struct arena *arena,
                                       struct registered_device *ret, struct fault *why);

#endif
