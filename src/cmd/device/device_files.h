/* muster device import, export. */
#ifndef MUSTER_CMD_DEVICE_FILES_H
#define MUSTER_CMD_DEVICE_FILES_H

#include "cmd/device/device_words.h"

CHECKED int device_verb_import(struct client *c, const struct device_words *w);
/* To --out, or to standard output. */
CHECKED int device_verb_export(struct client *c, const struct device_words *w);

#endif
