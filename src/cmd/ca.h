/* The rooms of `muster ca`: ca.c reads the words and keeps the slots, ca_denials.c the deny list.
 */
#ifndef MUSTER_CMD_CA_H
#define MUSTER_CMD_CA_H

#include "cmd/client.h"

struct ca_words {
    const char *folder, *slot, *url, *thumbprint, *certificate, *group, *serial, *reason;
    bool verified, replace, fail_closed, off, json;
    const char *first, *second; /* the words behind the verb */
};

int ca_deny(struct client *c, const struct ca_words *w);
int ca_denied(struct client *c, const struct ca_words *w);
int ca_allow(struct client *c, const struct ca_words *w);

#endif
