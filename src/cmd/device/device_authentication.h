/* How a device that an operator adds will prove who it is: keys (unless anything is said), a
 * certificate, or any that a verified authority signed. */
#ifndef MUSTER_CMD_DEVICE_AUTHENTICATION_H
#define MUSTER_CMD_DEVICE_AUTHENTICATION_H

#include "cmd/client.h"

struct device_authentication {
    const char *certificate, *secondary_certificate; /* files */
    const char *thumbprint, *secondary_thumbprint;
    bool by_authority;
};

/* What does not go together, as a sentence; NULL: all does. */
const char *device_authentication_objection(const struct device_authentication *a, size_t devices);
/* The member "authentication" of a device to be added. False after a message. */
CHECKED bool device_authentication_put(const struct command *command,
                                       const struct device_authentication *a, struct json_writer *w,
                                       int *ret);
/* A line of `device show`. */
void device_authentication_print(struct client *c, const struct json *authentication);

#endif
