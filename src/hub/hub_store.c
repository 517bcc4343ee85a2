/* The hub's schema, and what it forgets with a device. */
#include "hub/c2d_store.h"
#include "hub/twin_store.h"

static const char *const steps[] = {twin_tables_sql, c2d_tables_sql};

const struct store_schema hub_schema = {.module = "hub", .steps = steps, .count = COUNT_OF(steps)};

#define DEVICE_IS " WHERE hub = ?1 AND device_id = ?2"
#define MODULE_IS DEVICE_IS " AND module_id = ?3"

static const struct sql forget_device[] = {
    {"DELETE FROM twin" DEVICE_IS},        {"DELETE FROM twin_reported" DEVICE_IS},
    {"DELETE FROM twin_patch" DEVICE_IS},  {"DELETE FROM c2d_queue" DEVICE_IS},
    {"DELETE FROM c2d_message" DEVICE_IS}, {"DELETE FROM c2d_feedback" DEVICE_IS},
};
static const struct sql forget_module[] = {
    {"DELETE FROM twin" MODULE_IS},        {"DELETE FROM twin_reported" MODULE_IS},
    {"DELETE FROM twin_patch" MODULE_IS},  {"DELETE FROM c2d_queue" MODULE_IS},
    {"DELETE FROM c2d_message" MODULE_IS}, {"DELETE FROM c2d_feedback" MODULE_IS},
};

void hub_unit_forget(struct unit *unit, slice hub_name, slice device_id, slice module_id)
{
    const struct sql_value params[] = {SQL_TEXT_(hub_name), SQL_TEXT_(device_id),
                                       SQL_TEXT_(module_id)};

    for (size_t i = 0; i < COUNT_OF(forget_device); i++) {
        if (module_id.len == 0)
            unit_add(unit, &forget_device[i], params, 2, EXPECT_ANY);
        else
            unit_add(unit, &forget_module[i], params, 3, EXPECT_ANY);
    }
}
