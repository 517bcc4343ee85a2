/* How each status leaves the building: one table for the hub's family of errors, one for the
 * DPS's, so that MQTT, AMQP and HTTP cannot disagree. Pure.
 * Sources: contract/hub-device.md 1.4, 2.2, 2.11, 3.10, 4; provisioning.md 2.0. */
#ifndef MUSTER_CODEC_WIRE_ERROR_H
#define MUSTER_CODEC_WIRE_ERROR_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/status.h"

struct wire_error {
    int http_status;
    int code;            /* 401003; 0 for ST_OK */
    const char *name;    /* "IotHubUnauthorized" (hub) */
    const char *message; /* what the peer is told */
    const char *amqp_condition;
    int connack; /* 5 for good, 3 for a transient cause */
};
const struct wire_error *hub_error(enum status status);
const struct wire_error *dps_error(enum status status);

/* {"errorCode":400004,"trackingId":"...","message":"...","timestampUtc":"..."}; `message` empty:
 * the table's. `tracking_id` is logged with the cause by the caller. */
void wire_error_write(const struct wire_error *e, slice message, slice tracking_id, instant now,
                      struct buf *to);

#endif
