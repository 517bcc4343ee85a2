/* The whole server as one object: the only place that names every part and ties them together. */
#ifndef MUSTER_CMD_SERVER_H
#define MUSTER_CMD_SERVER_H

#include "cmd/config.h"
#include "cmd/data_folder.h"

struct server;

/* Builds the house from the ground up and starts its workers. */
CHECKED struct server *server_start(const struct config *config, const struct data_folder *data,
                                    struct fault *why);
/* Stops accepting, ends the sessions, commits what is in flight, takes the house down. */
void server_stop(struct server *s);
/* The certificates, read anew; on failure those in use stay. */
CHECKED bool server_reload(struct server *s, const struct config *config, struct fault *why);

struct server_about {
    const char *id_scope;
    const char *host;
    uint16_t https_port, mqtts_port;
    const char *setup_code; /* of the link for the first user; NULL: there is one */
    const char *https_note; /* said when 443 was wanted and is not served; NULL otherwise */
};
struct server_about server_about(const struct server *s);

#endif
