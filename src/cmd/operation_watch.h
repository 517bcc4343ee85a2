/* An operation followed to its end, with a bar on a terminal. */
#ifndef MUSTER_CMD_OPERATION_WATCH_H
#define MUSTER_CMD_OPERATION_WATCH_H

#include "cmd/client.h"

/* Polls until it is finished, prints what became of it. EXIT_FAILED unless it was done without
 * errors. */
CHECKED int operation_watch(struct client *c, const struct json *operation, bool as_json);
/* In a few lines; `as_json`: as it is. */
void operation_print(struct client *c, const struct json *operation, bool as_json);

#endif
