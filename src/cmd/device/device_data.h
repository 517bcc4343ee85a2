/* muster device telemetry, properties, command, commands, raw-data: what a device sends and is
 * told, as its template names it. */
#ifndef MUSTER_CMD_DEVICE_DATA_H
#define MUSTER_CMD_DEVICE_DATA_H

#include "cmd/client.h"

struct device_data_words {
    const char *id;
    const char *name; /* of a telemetry (NULL: all) or a command */
    const char *component;
    const char *set;     /* properties, as JSON; NULL: they are shown */
    const char *payload; /* of a command, as JSON */
    const char *timeout, *connect_timeout;
    const char *from, *to, *buckets; /* of a telemetry */
    bool replace, json;
};
CHECKED int device_telemetry(struct client *c, const struct device_data_words *w);
CHECKED int device_properties(struct client *c, const struct device_data_words *w);
CHECKED int device_command_run(struct client *c, const struct device_data_words *w);
CHECKED int device_command_list(struct client *c, const struct device_data_words *w);
CHECKED int device_raw_data(struct client *c, const struct device_data_words *w);

#endif
