/* Pages of devices: by the index that leaves the fewest rows to pass over. */
#include <stdlib.h>

#include "identity/access/organization.h"
#include "identity/device.h"
#include "identity/device_search.h"
#include "identity/device_store.h"
#include "identity/identity_internal.h"

/* A page is gathered in steps of at most this many rows, each in a loop turn of its own: a filter
 * that fits few rows of an index takes longer, but no worker waits for it. */
#define STEP_ROWS 2000
#define PAGE_MAX 1000
#define NAME_BYTES_MAX 1024
#define TERMS_BYTES_MAX 8192
/* A text that the index finds in more devices than this is looked for along the list's own order:
 * where so many hold it, the page is soon full. */
#define FOUND_MAX 4000

/* Behind which row to go on. */
struct place {
    size_t after_len, name_len;
    uint8_t after[DEVICE_ID_MAX]; /* device key of the last row seen */
    uint8_t name[NAME_BYTES_MAX]; /* and its name, with an order by name */
};

struct listing {
    struct mail mail;
    struct identity *id;
    device_fn *on_device;
    void *context;
    struct device_filter filter;
    const struct sql *sql;
    unsigned left;      /* of the page */
    unsigned step;      /* rows to ask for at once */
    struct arena arena; /* of the filter's texts */
    struct buf terms;   /* of the search */
    bool is_found;      /* the index has the devices, and they are few */
    struct place from;  /* parameters of the statement under way: not to be touched */
    struct place next;
};

/* --- which rows ------------------------------------------------------------------------------- */

static const struct sql *choose_found_sql(const struct device_filter *f)
{
    if (f->order == DEVICE_BY_NAME)
        return &device_list_found_name_sql;
    if (f->order == DEVICE_BY_ID)
        return &device_list_found_sql;
    return f->after.len ? &device_list_found_name_down_sql : &device_list_found_last_name_sql;
}

/* What the statement does not decide, `fits` does. */
static const struct sql *choose_sql(const struct device_filter *f)
{
    if (f->order == DEVICE_BY_NAME)
        return &device_list_name_sql;
    if (f->order == DEVICE_BY_NAME_DOWN)
        return f->after.len ? &device_list_name_down_sql : &device_list_last_name_sql;
    if (f->status == DEVICE_BLOCKED)
        return &device_list_blocked_sql;
    if (f->status == DEVICE_PROVISIONED)
        return &device_list_provisioned_sql;
    if (f->status == DEVICE_REGISTERED || f->status == DEVICE_WAITING)
        return &device_list_unsettled_sql;
    if (f->within.len)
        return &device_list_within_sql;
    if (f->unassociated || f->template_id.len)
        return &device_list_template_sql;
    return &device_list_sql;
}

static bool fits(const struct device_filter *f, const struct device *d)
{
    if (!organization_covers(f->within, d->organization_path))
        return false;
    if (f->unassociated && d->template_id.len)
        return false;
    if (f->template_id.len && !slice_equal(f->template_id, d->template_id))
        return false;
    if (f->status >= 0 && device_status_of(d, f->later_profile) != (enum device_status)f->status)
        return false;
    if (f->search.len && !device_holds(d, f->search))
        return false;
    return !f->fits || f->fits(f->fits_context, d);
}

/* Whether every row of the statement fits. */
static bool decides_all(const struct listing *l)
{
    const struct device_filter *f = &l->filter;
    bool by_template = f->unassociated || f->template_id.len;

    return f->status < 0 && !f->search.len && !f->fits &&
           (!f->within.len || l->sql == &device_list_within_sql) &&
           (!by_template || l->sql == &device_list_template_sql);
}

/* --- steps ------------------------------------------------------------------------------------ */

static void finish(struct listing *l, enum status status)
{
    l->on_device(l->context, status, NULL);
    arena_deinit(&l->arena);
    buf_deinit(&l->terms);
    free(l);
}

static void run_step(struct listing *l);

static void run_step_by_mail(struct mail *mail)
{
    run_step((struct listing *)mail);
}

/* Where the next step goes on. */
static void pass(struct listing *l, const struct device *d)
{
    struct place *next = &l->next;

    next->after_len = device_key_of(d->id, next->after).len;
    if (l->filter.order == DEVICE_BY_ID)
        return;
    next->name_len = slice_first(d->display_name, NAME_BYTES_MAX).len;
    if (next->name_len > 0)
        memcpy(next->name, d->display_name.ptr, next->name_len);
}

static void go_on(struct listing *l)
{
    l->from = l->next;
    if (l->sql == &device_list_last_name_sql)
        l->sql = &device_list_name_down_sql;
    else if (l->sql == &device_list_found_last_name_sql)
        l->sql = &device_list_found_name_down_sql;
    worker_post(worker_current(), &l->mail);
}

static void on_step(void *context, enum status status, struct rows *rows)
{
    struct listing *l = context;
    unsigned seen = 0;
    struct device d;

    if (status != ST_OK) {
        finish(l, status);
        return;
    }
    while (l->left > 0 && rows_next(rows)) {
        device_from_row(rows, &d);
        seen++;
        pass(l, &d);
        if (!fits(&l->filter, &d))
            continue;
        l->left--;
        l->on_device(l->context, ST_OK, &d);
    }
    if (l->left == 0)
        finish(l, ST_OK);
    else if (rows_status(rows) != ST_OK || seen < l->step)
        finish(l, rows_status(rows));
    else
        go_on(l);
}

/* How many parameters the statement has. */
static size_t third_parameter(struct listing *l, struct sql_value *ret)
{
    if (l->sql == &device_list_template_sql)
        *ret = SQL_TEXT_(l->filter.template_id);
    else if (l->sql == &device_list_within_sql)
        *ret = SQL_TEXT_(l->filter.within);
    else if (l->sql == &device_list_name_sql || l->sql == &device_list_name_down_sql)
        *ret = SQL_TEXT_(slice_of(l->from.name, l->from.name_len));
    else
        return 2;
    return 3;
}

static void run_step(struct listing *l)
{
    struct sql_value values[4] = {SQL_TEXT_(slice_of(l->from.after, l->from.after_len)),
                                  SQL_INT_(l->step)};
    size_t count = third_parameter(l, &values[2]);

    if (l->is_found) {
        values[2] = SQL_TEXT_(slice_of(l->from.name, l->from.name_len));
        values[3] = SQL_TEXT_(buf_slice(&l->terms));
        count = 4;
    }

    store_read(l->id->store, l->sql, values, count, on_step, l);
}

/* --- what the index knows ----------------------------------------------------------------------
 */

static void on_count(void *context, enum status status, struct rows *rows)
{
    struct listing *l = context;

    if (status != ST_OK || !rows_next(rows)) {
        finish(l, status == ST_OK ? ST_UNAVAILABLE : status);
        return;
    }
    l->is_found = rows_int(rows, 0) <= FOUND_MAX;
    if (l->is_found)
        l->sql = choose_found_sql(&l->filter);
    worker_post(worker_current(), &l->mail);
}

static void look_up(struct listing *l)
{
    const struct sql_value values[] = {SQL_TEXT_(buf_slice(&l->terms)), SQL_INT_(FOUND_MAX + 1)};

    store_read(l->id->store, &device_search_count_sql, values, COUNT_OF(values), on_count, l);
}

/* --- the call --------------------------------------------------------------------------------- */

static unsigned clamp_limit(unsigned limit)
{
    if (limit == 0)
        return 1;
    return limit < PAGE_MAX ? limit : PAGE_MAX;
}

static bool keep_texts(struct listing *l, const struct device_filter *f)
{
    slice name = slice_first(f->after_name, NAME_BYTES_MAX);

    arena_init(&l->arena, f->template_id.len + f->within.len + f->search.len + 4096);
    l->filter.search = arena_copy(&l->arena, f->search);
    l->filter.template_id = arena_copy(&l->arena, f->template_id);
    l->filter.within = arena_copy(&l->arena, f->within);
    l->from.after_len = device_key_of(slice_first(f->after, DEVICE_ID_MAX), l->from.after).len;
    l->filter.after = slice_of(l->from.after, l->from.after_len);
    l->filter.after_name = (slice){0};
    l->from.name_len = name.len;
    if (name.len > 0)
        memcpy(l->from.name, name.ptr, name.len);
    return !l->arena.failed;
}

void device_list(struct identity *id, const struct device_filter *filter, device_fn *on_device,
                 void *context)
{
    struct listing *l = calloc(1, sizeof *l);

    if (!l) {
        on_device(context, ST_NO_MEMORY, NULL);
        return;
    }
    l->mail = (struct mail){.run = run_step_by_mail};
    l->id = id;
    l->on_device = on_device;
    l->context = context;
    l->filter = *filter;
    l->sql = choose_sql(filter);
    l->left = clamp_limit(filter->limit);
    l->step = decides_all(l) ? l->left : STEP_ROWS;
    buf_init(&l->terms, TERMS_BYTES_MAX);
    if (!keep_texts(l, filter))
        finish(l, ST_NO_MEMORY);
    else if (l->filter.search.len && device_search_terms(l->filter.search, &l->terms))
        look_up(l);
    else
        run_step(l);
}
