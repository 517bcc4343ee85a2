/* What became of commands: the history, and runs that go on after the device's answer. For
 * commands.c and lists. */
#ifndef MUSTER_CENTRAL_COMMAND_OUTCOME_H
#define MUSTER_CENTRAL_COMMAND_OUTCOME_H

#include "central/central.h"
#include "central/property/device_model.h"

/* ST_NOT_FOUND when the device's template has no such command. `*ret` NULL: there is no model. */
CHECKED enum status command_find(const struct device_model *m, slice component, slice name,
                                 const struct dtdl_content **ret, struct fault *why);

/* A run that the device accepted ends when the device reports a property of the command's name. The
 * twin holds the last such report only, so it is looked at before the next run and before the
 * history is shown. ST_OK when there was nothing to settle. */
typedef void command_settled_fn(void *context, enum status status);
void command_settle(struct central *c, const struct device_model *m, slice component, slice name,
                    command_settled_fn *on_settled, void *context);

#endif
