/* What a device announces in its registration (central.md 5.6): its model, and the gateway that it
 * is behind, as {"payload":{"iotcGateway":{"iotcGatewayId":"..."}}}. Pure. Of the model:
 *
 *     {"payload":{"modelId":"dtmi:..."}}            the documented form; it wins
 *     {"payload":{"iotcModelId":"..."}}
 *     {"payload":{"__iot:interfaces":{"CapabilityModelId":"urn:..."}}}
 *     {"data":{...}}                                any of these, where older clients put it
 *     {"payload":"{\"modelId\":...}"}               a string that itself is such an object
 *
 * Anything else announces nothing; a payload never makes a registration fail. */
#ifndef MUSTER_PROVISIONING_MODEL_ID_H
#define MUSTER_PROVISIONING_MODEL_ID_H

#include "codec/json.h"

#define MODEL_ID_MAX 2048

/* `body` is the request's JSON object. The empty slice when none is announced; else it borrows
 * from the tree or lives in the arena. */
slice model_id_announced(const struct json *body, struct arena *arena);
slice gateway_announced(const struct json *body, struct arena *arena);

#endif
