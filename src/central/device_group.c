#include "central/device_group.h"

#include <stdlib.h>

#include "central/central_internal.h"
#include "central/device_group_store.h"
#include "central/device_rules.h"
#include "codec/json.h"
#include "identity/access/audit.h"

#define TASK_ARENA_MAX ((size_t)256 * 1024)
#define MEMBERS_ARENA_MAX ((size_t)1 << 20)

/* --- rules ------------------------------------------------------------------------------------ */

bool device_group_id_valid(slice id)
{
    for (size_t i = 0; i < id.len; i++) {
        uint8_t c = id.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '_' && c != '-')
            return false;
    }
    return id.len > 0 && id.len <= DEVICE_GROUP_ID_MAX;
}

static enum status check(const struct device_group *g, struct fault *why)
{
    ARENA_CLEANUP struct arena arena = {.max = MEMBERS_ARENA_MAX};
    struct odata_filter filter;
    enum status status;

    if (!device_group_id_valid(g->id))
        return fault_set(why, ST_BAD_REQUEST,
                         "the ID of a device group has letters, digits, - and _, at most %d",
                         DEVICE_GROUP_ID_MAX);
    if (g->display_name.len == 0)
        return fault_set(why, ST_BAD_REQUEST, "displayName is required");
    if (g->filter.len == 0)
        return fault_set(why, ST_BAD_REQUEST, "filter is required");
    if (g->description.len > DEVICE_GROUP_DESCRIPTION_MAX)
        return fault_set(why, ST_BAD_REQUEST, "description has at most %d bytes",
                         DEVICE_GROUP_DESCRIPTION_MAX);
    status = device_name_check(g->display_name, why);
    return status == ST_OK ? device_query_parse(g->filter, &arena, &filter, why) : status;
}

/* --- members ---------------------------------------------------------------------------------- */

enum status device_group_members_init(struct device_group_members *m, slice filter,
                                      struct fault *why)
{
    enum status status;

    arena_init(&m->arena, MEMBERS_ARENA_MAX);
    filter = arena_copy(&m->arena, filter);
    status = m->arena.failed ? fault_set(why, ST_NO_MEMORY, "no memory for the filter")
                             : device_query_parse(filter, &m->arena, &m->filter, why);
    if (status != ST_OK)
        arena_deinit(&m->arena);
    return status;
}

void device_group_members_deinit(struct device_group_members *m)
{
    arena_deinit(&m->arena);
}

static struct odata_value text_or_null(slice text)
{
    return (struct odata_value){text.len > 0 ? ODATA_TEXT : ODATA_NULL, false, text};
}

static struct odata_value flag(bool value)
{
    return (struct odata_value){ODATA_BOOL, value, {0}};
}

static bool fits(void *context, const struct device *d)
{
    const struct device_group_members *m = context;
    const struct odata_value row[] = {
        [DEVICE_QUERY_ID] = text_or_null(d->id),
        [DEVICE_QUERY_DISPLAY_NAME] = text_or_null(d->display_name),
        [DEVICE_QUERY_TEMPLATE] = text_or_null(d->template_id),
        [DEVICE_QUERY_ORGANIZATION] = text_or_null(d->organization),
        [DEVICE_QUERY_PROVISIONED] = flag(d->provisioned),
        [DEVICE_QUERY_SIMULATED] = flag(d->simulated),
        [DEVICE_QUERY_ENABLED] = flag(d->approved && !d->blocked),
    };
    _Static_assert(COUNT_OF(row) == DEVICE_QUERY_FIELDS, "a value for each field");

    return odata_filter_fits(&m->filter, row);
}

void device_group_members_select(struct device_group_members *m, struct device_filter *ret)
{
    struct odata_value template;

    ret->fits = m->filter.count > 0 ? fits : NULL;
    ret->fits_context = m;
    if (!odata_filter_demands(&m->filter, DEVICE_QUERY_TEMPLATE, &template))
        return;
    ret->unassociated = template.kind == ODATA_NULL;
    ret->template_id = template.text;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct reading {
    device_group_fn *on_group;
    void *context;
};

static struct reading *read_begin(device_group_fn *on_group, void *context)
{
    struct reading *r = malloc(sizeof *r);
    struct fault why = {ST_NO_MEMORY, "no memory for a device group"};

    if (r)
        *r = (struct reading){on_group, context};
    else
        on_group(context, ST_NO_MEMORY, NULL, &why);
    return r;
}

static void read_end(struct reading *r, enum status status, const struct device_group *g,
                     const char *sentence)
{
    struct fault why = {0};

    if (status != ST_OK)
        (void)fault_set(&why, status, "%s", sentence);
    r->on_group(r->context, status, g, &why);
    free(r);
}

static void on_one(void *context, enum status status, struct rows *rows)
{
    struct device_group g;

    if (status == ST_OK && rows_next(rows)) {
        g = device_group_from_row(rows);
        read_end(context, ST_OK, &g, "");
        return;
    }
    if (status == ST_OK)
        status = rows_status(rows);
    if (status == ST_OK)
        read_end(context, ST_NOT_FOUND, NULL, "no such device group");
    else
        read_end(context, status, NULL, "the device group could not be read");
}

void device_group_get(struct central *c, slice id, device_group_fn *on_group, void *context)
{
    struct reading *r = read_begin(on_group, context);

    if (r)
        device_group_read_one(c->st, id, on_one, r);
}

static void on_list(void *context, enum status status, struct rows *rows)
{
    struct reading *r = context;
    struct fault why = {0};

    while (status == ST_OK && rows_next(rows)) {
        struct device_group g = device_group_from_row(rows);

        r->on_group(r->context, ST_OK, &g, &why);
    }
    if (status == ST_OK)
        status = rows_status(rows);
    read_end(r, status, NULL, "the device groups could not be read");
}

void device_group_list(struct central *c, slice after, unsigned limit, device_group_fn *on_group,
                       void *context)
{
    struct reading *r = read_begin(on_group, context);

    if (r)
        device_group_read_list(c->st, after, limit, on_list, r);
}

/* --- changing: the row as it is -> the rules -> one guarded change -----------------------------
 */

struct task {
    struct central *c;
    struct arena arena;
    struct device_group_change change;
    bool deletes, exists;
    struct device_group to;
    slice actor, source, request_id;
    device_group_fn *on_group;
    void *context;
    struct fault why;
};

static void finish(struct task *t, enum status status)
{
    if (status != ST_OK && t->why.status == ST_OK)
        (void)fault_set(&t->why, status, "the device group could not be changed");
    t->on_group(t->context, status, status == ST_OK && !t->deletes ? &t->to : NULL, &t->why);
    arena_deinit(&t->arena);
    free(t);
}

static void on_changed(void *context, enum status status, struct unit *unit)
{
    struct task *t = context;

    (void)unit;
    if (status == ST_CONFLICT && t->exists)
        (void)fault_set(&t->why, status, "the device group changed meanwhile");
    else if (status == ST_CONFLICT)
        status = fault_set(&t->why, ST_QUOTA,
                           "the device group was made meanwhile, or there are %d already",
                           DEVICE_GROUPS_MAX);
    if (status == ST_OK)
        t->to.version++;
    finish(t, status);
}

static void write_facts(const struct device_group *g, struct buf *to)
{
    struct json_writer w = {.to = to};

    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("displayName"), g->display_name);
    json_put_text(&w, SLICE("filter"), g->filter);
    json_close(&w, '}');
}

static void add_audit(struct task *t, struct unit *unit)
{
    BUF_CLEANUP struct buf facts = {.max = AUDIT_ENTRY_MAX / 2};
    struct audit_entry e = {
        .actor = t->actor,
        .source = t->source,
        .action = t->deletes  ? SLICE("groups.delete")
                  : t->exists ? SLICE("groups.update")
                              : SLICE("groups.create"),
        .target = t->to.id,
        .result = SLICE("ok"),
        .request_id = t->request_id,
    };

    write_facts(&t->to, &facts);
    if (!facts.failed && t->deletes)
        e.before = buf_slice(&facts);
    else if (!facts.failed)
        e.after = buf_slice(&facts);
    audit_unit_add(unit, &e);
}

static void submit(struct task *t)
{
    struct unit *unit = unit_create(t->c->st);
    instant now = clock_wall_ms();

    if (!unit) {
        finish(t, ST_UNAVAILABLE);
        return;
    }
    if (t->deletes)
        device_group_unit_delete(unit, t->to.id, t->to.version);
    else if (t->exists)
        device_group_unit_update(unit, &t->to, now);
    else
        device_group_unit_insert(unit, &t->to, now);
    add_audit(t, unit);
    unit_submit(unit, on_changed, t);
}

static void merge(struct task *t)
{
    const struct device_group_change *change = &t->change;

    if (change->display_name.ptr)
        t->to.display_name = change->display_name;
    if (change->description.ptr)
        t->to.description = change->description;
    if (change->filter.ptr)
        t->to.filter = change->filter;
}

static void take_row(struct task *t, const struct device_group *g)
{
    t->exists = true;
    t->to = (struct device_group){
        .id = arena_copy(&t->arena, g->id),
        .display_name = arena_copy(&t->arena, g->display_name),
        .description = arena_copy(&t->arena, g->description),
        .filter = arena_copy(&t->arena, g->filter),
        .version = g->version,
    };
}

static void on_row(void *context, enum status status, const struct device_group *g,
                   const struct fault *why)
{
    struct task *t = context;

    if (status == ST_OK)
        take_row(t, g);
    else
        t->to.id = t->change.id;
    if (status == ST_NOT_FOUND && !t->change.must_exist)
        status = ST_OK;
    else if (status != ST_OK)
        t->why = *why;
    if (status == ST_OK && t->exists && t->change.must_be_new)
        status = fault_set(&t->why, ST_PRECONDITION_FAILED,
                           "there is a device group '%.*s' already", SLICE_FMT(t->to.id));
    if (status == ST_OK && t->change.version != 0 && t->change.version != t->to.version)
        status = fault_set(&t->why, ST_PRECONDITION_FAILED, "the device group has another etag");
    if (status == ST_OK && !t->deletes) {
        merge(t);
        status = check(&t->to, &t->why);
    }
    if (status == ST_OK && t->arena.failed)
        status = ST_NO_MEMORY;
    if (status == ST_OK)
        submit(t);
    else
        finish(t, status);
}

/* What is not given stays NULL. */
static slice copy(struct arena *arena, slice text)
{
    if (!text.ptr)
        return text;
    return text.len > 0 ? arena_copy(arena, text) : SLICE("");
}

static void begin(struct central *c, const struct act *who,
                  const struct device_group_change *change, bool deletes, device_group_fn *on_group,
                  void *context)
{
    struct task *t = calloc(1, sizeof *t);
    struct fault why = {ST_NO_MEMORY, "no memory for a device group"};

    if (!t) {
        on_group(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *t = (struct task){.c = c, .deletes = deletes, .on_group = on_group, .context = context};
    arena_init(&t->arena, TASK_ARENA_MAX);
    t->change = (struct device_group_change){
        .id = arena_copy(&t->arena, change->id),
        .display_name = copy(&t->arena, change->display_name),
        .description = copy(&t->arena, change->description),
        .filter = copy(&t->arena, change->filter),
        .must_exist = change->must_exist,
        .must_be_new = change->must_be_new,
        .version = change->version,
    };
    t->actor = arena_copy(&t->arena, slice_str(who->by->name));
    t->source = arena_copy(&t->arena, who->source);
    t->request_id = arena_copy(&t->arena, who->request_id);
    if (t->arena.failed)
        finish(t, ST_NO_MEMORY);
    else
        device_group_get(c, t->change.id, on_row, t);
}

void device_group_put(struct central *c, const struct act *who,
                      const struct device_group_change *change, device_group_fn *on_group,
                      void *context)
{
    begin(c, who, change, false, on_group, context);
}

void device_group_delete(struct central *c, const struct act *who, slice id, int64_t version,
                         device_group_fn *on_group, void *context)
{
    const struct device_group_change change = {.id = id, .must_exist = true, .version = version};

    begin(c, who, &change, true, on_group, context);
}
