#include "central/central.h"

#include <stdlib.h>

#include "central/central_internal.h"
#include "central/device_group_store.h"
#include "central/model_event.h"
#include "central/operation/job_store.h"
#include "central/operation/operation_store.h"
#include "central/property/device_records.h"
#include "central/relationship.h"
#include "central/telemetry/projection_store.h"
#include "central/template/template_store.h"
#include "central/template/templates.h"

static const char create_tables[] = "CREATE TABLE central_setting ("
                                    " name TEXT NOT NULL PRIMARY KEY,"
                                    " value TEXT NOT NULL,"
                                    " version BIGINT NOT NULL);"
                                    "CREATE TABLE device_template ("
                                    " id TEXT NOT NULL PRIMARY KEY,"
                                    " display_name TEXT NOT NULL,"
                                    " published INTEGER NOT NULL,"
                                    " model TEXT NOT NULL,"
                                    " version BIGINT NOT NULL,"
                                    " created_at BIGINT NOT NULL,"
                                    " updated_at BIGINT NOT NULL);";

static const char *const steps[] = {create_tables,
                                    template_tables,
                                    operation_tables,
                                    projection_tables,
                                    device_records_tables,
                                    relationship_tables,
                                    device_group_tables,
                                    job_tables,
                                    projection_mismatch_columns};

const struct store_schema central_schema = {
    .module = "central", .steps = steps, .count = COUNT_OF(steps)};

struct central *central_create(struct workers *ws, struct store *st, struct bus *bus,
                               struct identity *id, struct hub *hub, struct fault *why)
{
    struct central *c = calloc(1, sizeof *c);

    if (!c) {
        (void)fault_set(why, ST_NO_MEMORY, "no memory for the application");
        return NULL;
    }
    *c = (struct central){.ws = ws, .st = st, .bus = bus, .id = id, .hub = hub};
    if (!templates_make_defaults(c, why)) {
        central_destroy(c);
        return NULL;
    }
    if (!model_event_listen(c)) {
        (void)fault_set(why, ST_NO_MEMORY, "the application cannot listen to the hub");
        central_destroy(c);
        return NULL;
    }
    return c;
}

void central_bind(struct central *c, struct provisioning *p)
{
    c->p = p;
}

void central_destroy(struct central *c)
{
    free(c);
}
