/* muster device telemetry, properties, command, commands, raw-data: what a device sends and is
 * told, as its template names it. */
#ifndef MUSTER_CMD_DEVICE_DATA_H
#define MUSTER_CMD_DEVICE_DATA_H

#include "cmd/device/device_words.h"

/* All, one by its name, or a chart of it. */
CHECKED int device_verb_telemetry(struct client *c, const struct device_words *w);
CHECKED int device_verb_raw_data(struct client *c, const struct device_words *w);
/* Shown, or with --set given to it. */
CHECKED int device_verb_properties(struct client *c, const struct device_words *w);
CHECKED int device_verb_command(struct client *c, const struct device_words *w);
/* Those that were run, the newest first. */
CHECKED int device_verb_commands(struct client *c, const struct device_words *w);

#endif
