/* Acts on many devices at home: page by page, each page one unit of work.
 *
 *     [template] -> [count] -> page -> unit -> told, sessions closed -> page ...
 *
 * A page that somebody else's change undoes is tried again half as long, so that one restless
 * device keeps none of the others waiting. */
#include "central/operation/device_bulk.h"

#include <stdlib.h>

#include "central/central_internal.h"
#include "central/device_act.h"
#include "central/operation/operation_internal.h"
#include "central/template/template_store.h"
#include "central/template/templates.h"
#include "codec/device_csv_write.h"
#include "codec/json.h"
#include "provisioning/device_copy.h"

#define PAGE_MAX 100
#define COUNT_PAGE 1000
#define ROUNDS_MAX 60 /* for one device alone */
#define PAGE_ARENA_MAX ((size_t)4 << 20)
#define LOG_MAX ((size_t)1 << 20) /* of a page */

enum bulk_count { BULK_CHANGED, BULK_UNCHANGED, BULK_COUNTS };
static const char *const count_names[] = {
    [BULK_CHANGED] = "changed", [BULK_UNCHANGED] = "unchanged"};

enum bulk_phase { BULK_TEMPLATE, BULK_COUNTING, BULK_ACTING };

struct bulk_item {
    struct device_bulk *bulk;
    slice id;
    const struct device *device; /* NULL: there is none */
    int64_t generation;          /* below which sessions are to be closed; 0: none are */
};

struct device_bulk {
    struct operation_run *run;
    bool is_readable; /* what was asked for */
    enum bulk_phase phase;
    enum device_act act;
    slice template_id;
    struct device_filter filter;
    int64_t counted;
    slice rest;         /* of the IDs, behind what is committed */
    struct arena arena; /* the page's */
    struct bulk_item items[PAGE_MAX];
    size_t count, limit;
    size_t ids_bytes; /* of the page, in `rest` */
    unsigned pending, rounds;
    enum status status; /* of the page's reads */
    instant now;
    struct operation_progress to;
    struct buf log;
};

static enum device_act act_of(enum operation_kind kind)
{
    switch (kind) {
    case OPERATION_APPROVE:
        return ACT_APPROVE;
    case OPERATION_ASSOCIATE:
        return ACT_ASSOCIATE;
    case OPERATION_BLOCK:
        return ACT_BLOCK;
    case OPERATION_UNBLOCK:
        return ACT_UNBLOCK;
    default:
        return ACT_DELETE;
    }
}

/* --- what is asked for ------------------------------------------------------------------------ */

int64_t device_bulk_count_ids(slice text)
{
    int64_t count = 0;

    for (slice rest = text; rest.ptr && rest.len > 0; count++)
        slice_split(&rest, '\n');
    return count;
}

static int status_of(slice name)
{
    for (int s = DEVICE_REGISTERED; s <= DEVICE_WAITING; s++) {
        if (slice_equal(name, slice_str(device_status_name((enum device_status)s))))
            return s;
    }
    return -1;
}

static bool read_parameters(struct device_bulk *bulk)
{
    struct operation_run *r = bulk->run;
    struct json *root, *filter;
    slice status = {0};

    if (json_parse(r->parameters, JSON_LAST_WINS, &r->arena, &root, NULL) != ST_OK)
        return false;
    json_get_text(root, SLICE("template"), &bulk->template_id);
    filter = json_member(root, SLICE("filter"));
    bulk->filter.status = -1;
    if (!filter)
        return true;
    if (json_get_text(filter, SLICE("status"), &status))
        bulk->filter.status = status_of(status);
    json_get_text(filter, SLICE("template"), &bulk->filter.template_id);
    json_get_text(filter, SLICE("search"), &bulk->filter.search);
    json_get_bool(filter, SLICE("unassociated"), &bulk->filter.unassociated);
    return true;
}

static bool is_by_ids(const struct device_bulk *bulk)
{
    return bulk->run->items.len > 0;
}

/* --- life ------------------------------------------------------------------------------------- */

static bool begin(struct operation_run *r)
{
    struct device_bulk *bulk = calloc(1, sizeof *bulk);

    if (!bulk)
        return false;
    bulk->run = r;
    bulk->act = act_of(r->kind);
    bulk->limit = PAGE_MAX;
    bulk->rest = r->items;
    for (int64_t i = 0; i < r->progress.processed && bulk->rest.len > 0; i++)
        slice_split(&bulk->rest, '\n');
    bulk->is_readable = read_parameters(bulk);
    arena_init(&bulk->arena, PAGE_ARENA_MAX);
    buf_init(&bulk->log, LOG_MAX);
    r->own = bulk;
    return true;
}

static void destroy(struct operation_run *r)
{
    struct device_bulk *bulk = r->own;

    arena_deinit(&bulk->arena);
    buf_deinit(&bulk->log);
    free(bulk);
}

static void finished(struct operation_run *r)
{
    (void)r;
}

/* --- the template ----------------------------------------------------------------------------- */

static void go_on(struct device_bulk *bulk)
{
    bool is_counted = bulk->run->progress.total >= 0;

    bulk->phase = is_counted ? BULK_ACTING : BULK_COUNTING;
    operation_next(bulk->run);
}

static void on_template(void *context, enum status status)
{
    struct device_bulk *bulk = context;

    if (status == ST_NOT_FOUND)
        operation_end(bulk->run, OPERATION_FAILED, "no published template of the chosen ID",
                      (slice){0});
    else if (status != ST_OK)
        operation_wait(bulk->run);
    else
        go_on(bulk);
}

static void check_template(struct device_bulk *bulk)
{
    if (!bulk->is_readable)
        operation_end(bulk->run, OPERATION_FAILED, "the parameters cannot be read", (slice){0});
    else if (bulk->act == ACT_ASSOCIATE)
        template_check_published(bulk->run->ops->c, bulk->template_id, on_template, bulk);
    else
        go_on(bulk);
}

/* --- counting --------------------------------------------------------------------------------- */

static void commit_total(struct device_bulk *bulk, int64_t total)
{
    struct unit *unit = operation_unit(bulk->run);

    if (!unit)
        return;
    bulk->to = bulk->run->progress;
    bulk->to.total = total;
    operation_commit(bulk->run, unit, &bulk->to, &(struct operation_findings){0});
}

static void set_after(struct operation_progress *to, slice id)
{
    to->cursor_len = id.len <= sizeof to->cursor ? id.len : 0;
    if (to->cursor_len > 0)
        memcpy(to->cursor, id.ptr, to->cursor_len);
}

static void on_counted(void *context, enum status status, const struct device_view *v,
                       const struct fault *why)
{
    struct device_bulk *bulk = context;

    (void)why;
    if (v) {
        bulk->count++;
        set_after(&bulk->to, v->device->id);
        return;
    }
    if (status != ST_OK) {
        operation_wait(bulk->run); /* the page is counted again */
        return;
    }
    bulk->counted += (int64_t)bulk->count;
    bulk->filter.after =
        arena_copy(&bulk->run->arena, slice_of(bulk->to.cursor, bulk->to.cursor_len));
    if (bulk->count == COUNT_PAGE && !bulk->run->arena.failed)
        operation_next(bulk->run);
    else
        commit_total(bulk, bulk->counted);
}

static void count(struct device_bulk *bulk)
{
    if (is_by_ids(bulk)) {
        commit_total(bulk, device_bulk_count_ids(bulk->run->items));
        return;
    }
    bulk->count = 0;
    bulk->filter.limit = COUNT_PAGE;
    central_device_list(bulk->run->ops->c, &bulk->filter, on_counted, bulk);
}

/* --- a page ----------------------------------------------------------------------------------- */

static void fail(struct device_bulk *bulk, const struct bulk_item *item, const char *code,
                 const char *sentence)
{
    struct operation_progress *to = &bulk->to;

    to->failed++;
    if (to->log_bytes + (int64_t)bulk->log.len < REPORT_BYTES_MAX)
        device_csv_log_line((uint64_t)to->processed + 1, item->id, "device", code,
                            slice_str(sentence), &bulk->log);
}

static void judge(struct device_bulk *bulk, struct unit *unit, struct bulk_item *item)
{
    bool is_stuck = bulk->limit == 1 && bulk->rounds >= ROUNDS_MAX;

    item->generation = 0;
    if (!item->device) {
        fail(bulk, item, "NotFound", "no such device");
    } else if (device_act_holds(bulk->act, item->device, bulk->template_id)) {
        bulk->to.counts[BULK_UNCHANGED]++;
        item->generation = item->device->credential_generation;
        item->device = device_act_revokes(bulk->act) ? item->device : NULL;
    } else if (is_stuck) {
        fail(bulk, item, "Conflict", "the device changes all the time");
        item->device = NULL;
    } else {
        bulk->to.counts[BULK_CHANGED]++;
        item->generation = device_next_generation(item->device, bulk->now);
        device_act_unit_add(bulk->run->ops->c, unit, bulk->act, item->device, bulk->template_id,
                            bulk->now);
    }
    bulk->to.processed++;
}

static bool is_changed(const struct device_bulk *bulk, const struct bulk_item *item)
{
    return item->device && !device_act_holds(bulk->act, item->device, bulk->template_id);
}

static void commit_page(struct device_bulk *bulk)
{
    struct unit *unit = operation_unit(bulk->run);

    if (!unit)
        return;
    bulk->to = bulk->run->progress;
    bulk->now = clock_wall_ms();
    buf_clear(&bulk->log);
    for (size_t i = 0; i < bulk->count; i++)
        judge(bulk, unit, &bulk->items[i]);
    if (!is_by_ids(bulk) && bulk->count > 0)
        set_after(&bulk->to, bulk->items[bulk->count - 1].id);
    if (bulk->act == ACT_ASSOCIATE &&
        bulk->to.counts[BULK_CHANGED] > bulk->run->progress.counts[BULK_CHANGED])
        template_unit_guard(unit, bulk->template_id);
    bulk->to.log_bytes += (int64_t)bulk->log.len;
    operation_commit(bulk->run, unit, &bulk->to,
                     &(struct operation_findings){.log = buf_slice(&bulk->log)});
}

static void after_reads(struct device_bulk *bulk)
{
    if (--bulk->pending > 0)
        return;
    if (bulk->status != ST_OK || bulk->arena.failed)
        operation_wait(bulk->run);
    else if (bulk->count == 0)
        operation_end(bulk->run, OPERATION_DONE, "", (slice){0});
    else
        commit_page(bulk);
}

static void note_status(struct device_bulk *bulk, enum status status)
{
    if (bulk->status == ST_OK && status != ST_OK && status != ST_DEVICE_NOT_FOUND)
        bulk->status = status;
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct bulk_item *item = context;

    note_status(item->bulk, status);
    if (d)
        item->device = device_copy(&item->bulk->arena, d);
    after_reads(item->bulk);
}

static void on_listed(void *context, enum status status, const struct device_view *v,
                      const struct fault *why)
{
    struct device_bulk *bulk = context;
    struct bulk_item *item;

    (void)why;
    if (!v) {
        note_status(bulk, status);
        after_reads(bulk);
        return;
    }
    if (bulk->count == PAGE_MAX)
        return;
    item = &bulk->items[bulk->count++];
    item->device = device_copy(&bulk->arena, v->device);
    item->id = item->device ? item->device->id : (slice){0};
}

static void take_ids(struct device_bulk *bulk)
{
    slice rest = bulk->rest;

    while (rest.ptr && rest.len > 0 && bulk->count < bulk->limit)
        bulk->items[bulk->count++].id = slice_split(&rest, '\n');
    bulk->ids_bytes = bulk->rest.len - rest.len;
}

static void read_page(struct device_bulk *bulk)
{
    struct central *c = bulk->run->ops->c;

    arena_reset(&bulk->arena);
    memset(bulk->items, 0, sizeof bulk->items);
    bulk->count = 0;
    bulk->status = ST_OK;
    if (!is_by_ids(bulk)) {
        bulk->pending = 1;
        bulk->filter.limit = (unsigned)bulk->limit;
        bulk->filter.after = slice_of(bulk->run->progress.cursor, bulk->run->progress.cursor_len);
        central_device_list(c, &bulk->filter, on_listed, bulk);
        return;
    }
    take_ids(bulk);
    bulk->pending = (unsigned)bulk->count + 1;
    for (size_t i = 0; i < bulk->count; i++) {
        bulk->items[i].bulk = bulk;
        device_find(c->id, bulk->items[i].id, on_device, &bulk->items[i]);
    }
    after_reads(bulk);
}

/* --- steps ------------------------------------------------------------------------------------ */

static void step(struct operation_run *r)
{
    struct device_bulk *bulk = r->own;

    switch (bulk->phase) {
    case BULK_TEMPLATE:
        check_template(bulk);
        break;
    case BULK_COUNTING:
        count(bulk);
        break;
    case BULK_ACTING:
        read_page(bulk);
        break;
    }
}

static void on_closed(void *context)
{
    struct device_bulk *bulk = context;

    if (--bulk->pending == 0)
        operation_next(bulk->run);
}

/* What was taken away is used by nobody any more before the next step. */
static void close_sessions(struct device_bulk *bulk)
{
    struct central *c = bulk->run->ops->c;

    bulk->pending = 1;
    for (size_t i = 0; i < bulk->count && device_act_revokes(bulk->act); i++) {
        const struct bulk_item *item = &bulk->items[i];

        if (!item->device)
            continue;
        bulk->pending++;
        device_act_revoke(c, item->device, item->generation, on_closed, bulk);
    }
    on_closed(bulk);
}

static void committed(struct operation_run *r)
{
    struct device_bulk *bulk = r->own;

    if (bulk->phase == BULK_COUNTING) {
        bulk->phase = BULK_ACTING;
        operation_next(r);
        return;
    }
    for (size_t i = 0; i < bulk->count; i++) {
        if (is_changed(bulk, &bulk->items[i]))
            device_act_tell(r->ops->c, bulk->act, bulk->items[i].device->id);
    }
    bulk->rest = slice_from(bulk->rest, bulk->ids_bytes);
    bulk->limit = bulk->limit < PAGE_MAX / 2 ? bulk->limit * 2 : PAGE_MAX;
    bulk->rounds = 0;
    close_sessions(bulk);
}

static void rolled_back(struct operation_run *r)
{
    struct device_bulk *bulk = r->own;

    bulk->rounds = bulk->limit == 1 ? bulk->rounds + 1 : 0;
    bulk->limit = bulk->limit > 1 ? bulk->limit / 2 : 1;
    if (bulk->phase == BULK_ACTING)
        bulk->phase = BULK_TEMPLATE; /* it may be the template that is gone */
}

const struct operation_type device_bulk_type = {
    .count_names = count_names,
    .count_count = BULK_COUNTS,
    .shown_counts = BULK_COUNTS,
    .begin = begin,
    .step = step,
    .committed = committed,
    .rolled_back = rolled_back,
    .finished = finished,
    .destroy = destroy,
};
