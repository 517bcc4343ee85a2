#include "cmd/schemas.h"

#include "central/central.h"
#include "hub/hub.h"
#include "identity/identity.h"
#include "provisioning/provisioning.h"
#include "stream/stream_log.h"

const struct store_schema *const all_schemas[ALL_SCHEMAS] = {
    &identity_schema, &log_schema, &hub_schema, &provisioning_schema, &central_schema,
};
