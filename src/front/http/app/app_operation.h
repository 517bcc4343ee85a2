/* The JSON of operations, for those that begin them. */
#ifndef MUSTER_FRONT_HTTP_APP_OPERATION_H
#define MUSTER_FRONT_HTTP_APP_OPERATION_H

#include "central/operation/operation.h"
#include "front/http/exchange.h"

/* With a Location where it can be asked for. */
void app_operation_answer(struct exchange *x, int http_status, const struct operation *o);

#endif
