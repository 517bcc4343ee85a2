/* How the judgement of a credential is shown: one line a step, and of the one that failed what was
 * expected, what came, and what to do. */
#ifndef MUSTER_CMD_STEPS_H
#define MUSTER_CMD_STEPS_H

#include "cmd/client.h"

/* `steps`: the array of the API; NULL prints nothing. */
void steps_print(struct client *c, const struct json *steps);
/* An attempt in one line, without its steps. */
void attempt_print(struct client *c, const struct json *attempt);

#endif
