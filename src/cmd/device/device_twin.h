/* muster device: one device at the hub, its twin, its methods, its messages, its credentials. */
#ifndef MUSTER_CMD_DEVICE_TWIN_H
#define MUSTER_CMD_DEVICE_TWIN_H

#include "cmd/device/device_words.h"

CHECKED int device_verb_twin(struct client *c, const struct device_words *w);
CHECKED int device_verb_invoke(struct client *c, const struct device_words *w);
CHECKED int device_verb_send(struct client *c, const struct device_words *w);
CHECKED int device_verb_purge(struct client *c, const struct device_words *w);
CHECKED int device_verb_feedback(struct client *c, const struct device_words *w);
CHECKED int device_verb_module(struct client *c, const struct device_words *w);
CHECKED int device_verb_credentials(struct client *c, const struct device_words *w);
CHECKED int device_verb_connection_string(struct client *c, const struct device_words *w);

#endif
