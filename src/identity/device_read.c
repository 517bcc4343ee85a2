/* Devices looked up, found and listed. Every call keeps what it needs on the heap, because the
 * store may answer after the call has returned. */
#include <stdlib.h>

#include "identity/device.h"
#include "identity/device_store.h"
#include "identity/identity_internal.h"
#include "store/sql_list.h"

/* --- one device ------------------------------------------------------------------------------ */

struct lookup {
    device_fn *on_device;
    void *context;
    bool is_module;
};

static void answer(struct lookup *l, enum status status, const struct device *d)
{
    l->on_device(l->context, status, d);
    free(l);
}

/* The device's row comes first, then its module's. */
static void on_row(void *context, enum status status, struct rows *rows)
{
    struct lookup *l = context;
    struct device d;

    if (status != ST_OK) {
        answer(l, status, NULL);
        return;
    }
    if (!rows_next(rows)) {
        status = rows_status(rows);
        answer(l, status == ST_OK ? ST_DEVICE_NOT_FOUND : status, NULL);
        return;
    }
    if (l->is_module && !rows_next(rows)) {
        status = rows_status(rows);
        answer(l, status == ST_OK ? ST_MODULE_NOT_FOUND : status, NULL);
        return;
    }
    device_from_row(rows, &d);
    answer(l, ST_OK, &d);
}

static struct lookup *create_lookup(bool is_module, device_fn *on_device, void *context)
{
    struct lookup *l = malloc(sizeof *l);

    if (l)
        *l = (struct lookup){on_device, context, is_module};
    else
        on_device(context, ST_NO_MEMORY, NULL);
    return l;
}

void device_get(struct identity *id, slice hub, slice device_id, slice module_id,
                device_fn *on_device, void *context)
{
    bool is_module = module_id.len > 0;
    struct lookup *l = create_lookup(is_module, on_device, context);
    uint8_t key[DEVICE_ID_MAX];
    const struct sql_value values[] = {SQL_TEXT_(device_key_of(device_id, key)), SQL_TEXT_(hub),
                                       SQL_TEXT_(device_id), SQL_TEXT_(module_id)};

    if (l)
        store_read(id->store, is_module ? &device_get_module_sql : &device_get_sql, values,
                   is_module ? 4 : 3, on_row, l);
}

void device_find(struct identity *id, slice device_id, device_fn *on_device, void *context)
{
    struct lookup *l = create_lookup(false, on_device, context);
    uint8_t key[DEVICE_ID_MAX];
    const struct sql_value value = SQL_TEXT_(device_key_of(device_id, key));

    if (l)
        store_read(id->store, &device_find_sql, &value, 1, on_row, l);
}

/* --- lists that come at once ------------------------------------------------------------------ */

static void on_few(void *context, enum status status, struct rows *rows)
{
    struct lookup *l = context;
    struct device d;

    while (status == ST_OK && rows_next(rows)) {
        device_from_row(rows, &d);
        l->on_device(l->context, ST_OK, &d);
    }
    answer(l, status == ST_OK ? rows_status(rows) : status, NULL);
}

void device_list_simulated(struct identity *id, unsigned limit, device_fn *on_device, void *context)
{
    struct lookup *l = create_lookup(false, on_device, context);
    const struct sql_value values[] = {SQL_TEXT_(SLICE("")), SQL_INT_(limit)};

    if (l)
        store_read(id->store, &device_list_simulated_sql, values, COUNT_OF(values), on_few, l);
}

void device_list_modules(struct identity *id, slice hub, slice device_id, device_fn *on_device,
                         void *context)
{
    struct lookup *l = create_lookup(true, on_device, context);
    uint8_t key[DEVICE_ID_MAX];
    const struct sql_value values[] = {SQL_TEXT_(device_key_of(device_id, key)), SQL_TEXT_(hub),
                                       SQL_TEXT_(device_id)};

    if (l)
        store_read(id->store, &device_list_modules_sql, values, COUNT_OF(values), on_few, l);
}

/* --- many at once, on a thread that may wait -------------------------------------------------- */

struct search {
    device_found_fn *on_found;
    void *context;
    enum status status;
};

static void on_found_rows(void *context, enum status status, struct rows *rows)
{
    struct search *search = context;
    struct device d;

    while (status == ST_OK && rows_next(rows)) {
        device_from_row(rows, &d);
        search->on_found(search->context, &d);
    }
    search->status = status == ST_OK ? rows_status(rows) : status;
}

static enum status find_list(struct identity *id, const slice *device_ids, size_t count,
                             struct search *search)
{
    uint8_t keys[SQL_LIST_LEN][DEVICE_ID_MAX];
    struct sql_value values[SQL_LIST_LEN];

    for (size_t i = 0; i < SQL_LIST_LEN; i++)
        values[i] = SQL_TEXT_(i < count ? device_key_of(device_ids[i], keys[i]) : (slice){0});
    (void)store_read_now(id->store, &device_find_some_sql, values, SQL_LIST_LEN, on_found_rows,
                         search);
    return search->status;
}

enum status device_find_some_now(struct identity *id, const slice *device_ids, size_t count,
                                 device_found_fn *on_found, void *context)
{
    struct search search = {on_found, context, ST_OK};

    for (size_t at = 0; at < count && search.status == ST_OK; at += SQL_LIST_LEN)
        search.status = find_list(id, device_ids + at,
                                  count - at < SQL_LIST_LEN ? count - at : SQL_LIST_LEN, &search);
    return search.status;
}

enum status device_count_now(struct identity *id, int64_t *ret)
{
    return store_read_int_now(id->store, &device_count_sql, NULL, 0, ret);
}
