/* What registrations, assignments by an operator and explanations share: from "this enrollment
 * decides" to the answer.
 *
 *     device -> gate view -> plan -> one unit of work -> sessions on old keys closed -> answer
 *                 ^                        |
 *                 +---- the facts anew <---+ ST_CONFLICT: someone changed them meanwhile */
#ifndef MUSTER_PROVISIONING_REGISTRATION_FLOW_H
#define MUSTER_PROVISIONING_REGISTRATION_FLOW_H

#include "provisioning/registration_task.h"

#define REGISTRATION_ROUNDS 20

/* Once the task has its decider (task_set_decider). */
void registration_decide(struct registration_task *t);
/* How a round begins: by kind of task. */
void registration_begin(struct registration_task *t);
void assignment_begin(struct registration_task *t);

#endif
