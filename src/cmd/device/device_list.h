/* muster device list: page by page. */
#ifndef MUSTER_CMD_DEVICE_LIST_H
#define MUSTER_CMD_DEVICE_LIST_H

#include "cmd/device/device_words.h"

CHECKED int device_verb_list(struct client *c, const struct device_words *w);

#endif
