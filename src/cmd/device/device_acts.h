/* muster device: what is done to devices by their IDs, or to all that match. */
#ifndef MUSTER_CMD_DEVICE_ACTS_H
#define MUSTER_CMD_DEVICE_ACTS_H

#include "cmd/device/device_words.h"

CHECKED int device_verb_add(struct client *c, const struct device_words *w);
CHECKED int device_verb_show(struct client *c, const struct device_words *w);
CHECKED int device_verb_approve(struct client *c, const struct device_words *w);
CHECKED int device_verb_block(struct client *c, const struct device_words *w);
CHECKED int device_verb_unblock(struct client *c, const struct device_words *w);
CHECKED int device_verb_delete(struct client *c, const struct device_words *w);
CHECKED int device_verb_associate(struct client *c, const struct device_words *w);
/* "approve" and the like, of all that the filter names. */
CHECKED int device_verb_matching(struct client *c, const struct device_words *w, const char *act);

#endif
