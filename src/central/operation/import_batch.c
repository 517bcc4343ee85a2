/* Rows judged against what there is, and what follows from them. On the pool. */
#include "central/operation/import_source.h"
#include "central/template/template_store.h"
#include "codec/device_csv_write.h"
#include "provisioning/device_copy.h"
#include "provisioning/device_keys.h"
#include "provisioning/lifecycle.h"

/* Rows of the batch by their lower-case IDs. */
struct row_table {
    struct import_row **buckets;
    size_t mask;
    slice *ids; /* of those in the table */
    size_t count;
};

struct making {
    struct import_source *s;
    struct import_batch *b;
    struct row_table table;
    bool is_out_of_memory;
    struct device_csv_row csv; /* the row that is judged, as the reports want it */
};

static const slice id_column = {(const uint8_t *)"IOTC_DEVICEID", 13};
static const slice template_column = {(const uint8_t *)"MUSTER_TEMPLATE", 15};

/* --- what there is ---------------------------------------------------------------------------- */

/* Whether the row names a device at all, and the first of the file that does. */
static bool may_exist(const struct import_row *row)
{
    if (row->key.len == 0 || row->key.len > DEVICE_ID_MAX)
        return false;
    for (size_t i = 0; i < row->finding_count; i++) {
        if (row->findings[i].code == CSV_R06_ID_TWICE)
            return false;
    }
    return true;
}

static bool make_table(struct making *m)
{
    struct row_table *t = &m->table;
    size_t buckets = 64;

    while (buckets < 2 * m->b->count)
        buckets *= 2;
    t->mask = buckets - 1;
    t->buckets = arena_alloc_array(&m->b->arena, buckets, sizeof(struct import_row *));
    t->ids = arena_alloc_array(&m->b->arena, m->b->count + 1, sizeof *t->ids);
    if (!t->buckets || !t->ids)
        return false;
    for (struct import_row *row = m->b->first; row; row = row->next) {
        struct import_row **bucket = &t->buckets[slice_hash(row->key) & t->mask];

        if (!may_exist(row))
            continue;
        t->ids[t->count++] = row->key;
        row->next_in_bucket = *bucket;
        *bucket = row;
    }
    return true;
}

static struct import_row *go_to(struct import_row *row, slice key)
{
    while (row && !slice_equal(row->key, key))
        row = row->next_in_bucket;
    return row;
}

/* The last of its ID; those before it were rejected by the reader. */
static struct import_row *find_row(const struct making *m, slice id)
{
    uint8_t lower[DEVICE_ID_MAX];

    if (id.len > sizeof lower)
        return NULL;
    for (size_t i = 0; i < id.len; i++)
        lower[i] = id.ptr[i] >= 'A' && id.ptr[i] <= 'Z' ? (uint8_t)(id.ptr[i] | 0x20) : id.ptr[i];
    return go_to(m->table.buckets[slice_hash(slice_of(lower, id.len)) & m->table.mask],
                 slice_of(lower, id.len));
}

static struct import_row *find_next(const struct import_row *row)
{
    return go_to(row->next_in_bucket, row->key);
}

static void on_found(void *context, const struct device *d)
{
    struct making *m = context;
    const struct device *stored = NULL;

    if (m->s->options.existing == IMPORT_UPDATE) {
        stored = device_copy(&m->b->arena, d);
        m->is_out_of_memory = m->is_out_of_memory || !stored;
    }
    for (struct import_row *row = find_row(m, d->id); row; row = find_next(row)) {
        row->exists = true;
        row->stored = stored;
    }
}

static void on_foreign(void *context, slice registration_id)
{
    struct import_row *row = find_row(context, registration_id);

    for (; row; row = find_next(row))
        row->is_foreign = true;
}

static enum status find_existing(struct making *m)
{
    struct central *c = m->s->c;
    enum status status;

    if (!make_table(m))
        return ST_NO_MEMORY;
    status = device_find_some_now(c->id, m->table.ids, m->table.count, on_found, m);
    if (status == ST_OK && m->s->options.take_keys)
        status = device_keys_find_foreign_now(c->p, m->table.ids, m->table.count, on_foreign, m);
    return m->is_out_of_memory ? ST_NO_MEMORY : status;
}

/* --- the rules that only the application knows ------------------------------------------------ */

static bool has_keys(const struct import_row *row)
{
    return row->sas_primary.len > 0;
}

static bool begins_like_a_registration(slice id)
{
    return id.len > 0 && id.ptr[0] != '-';
}

/* One that the reader rejected counts after all when the device is there as it is written. */
static void judge_existing(struct making *m, const struct import_row *row)
{
    const struct import_row *before = find_next(row);

    device_csv_row_exists(&m->csv);
    while (before && !before->is_accepted)
        before = find_next(before);
    if (before)
        device_csv_row_add(&m->csv, CSV_R06_ID_TWICE, id_column,
                           "the device ID stands in the file before; the first one counts");
    if (m->s->options.existing == IMPORT_REFUSE)
        device_csv_row_add(&m->csv, CSV_R07_DEVICE_EXISTS, id_column, "the device exists");
    else if (m->s->options.existing == IMPORT_SKIP)
        device_csv_row_add(&m->csv, CSV_W03_SKIPPED, id_column, "the device exists: skipped");
}

static void judge_keys(struct making *m, const struct import_row *row)
{
    if (!begins_like_a_registration(row->id))
        device_csv_row_add(&m->csv, CSV_R09_KEY, id_column,
                           "an ID that begins with '-' cannot be enrolled by keys of its own");
    if (row->is_foreign)
        device_csv_row_add(&m->csv, CSV_R07_DEVICE_EXISTS, id_column,
                           "an individual enrollment of this ID stands for another device");
}

static void judge(struct making *m, const struct import_row *row)
{
    const struct import_source *s = m->s;

    if (row->exists)
        judge_existing(m, row);
    if (row->template_id.len > 0 && !import_templates_have(s->templates, row->template_id))
        device_csv_row_add(&m->csv, CSV_R10_UNKNOWN_REFERENCE, template_column,
                           "no published template of that ID");
    if (!row->exists && has_keys(row))
        judge_keys(m, row);
    if (!row->exists && s->device_limit > 0 && s->devices >= s->device_limit &&
        !device_csv_row_is_rejected(&m->csv))
        device_csv_row_add(&m->csv, CSV_R11_DEVICE_LIMIT, id_column,
                           "the application may have %lld devices", (long long)s->device_limit);
}

/* --- effects ---------------------------------------------------------------------------------- */

static void note_event(struct making *m, slice device_id, unsigned events)
{
    struct import_event *e = arena_alloc(&m->b->arena, sizeof *e);

    if (!e)
        return; /* seen by who checks the arena */
    *e = (struct import_event){m->b->events, device_id, events};
    m->b->events = e;
}

static slice template_of(const struct import_source *s, const struct import_row *row)
{
    return row->template_id.len > 0 ? row->template_id : s->options.template_id;
}

/* It must still be there when the unit is committed. */
static void use_template(struct making *m, slice id)
{
    struct import_used *used = m->b->templates;

    while (used && !slice_equal(used->id, id))
        used = used->next;
    if (used || id.len == 0)
        return;
    used = arena_alloc(&m->b->arena, sizeof *used);
    if (!used)
        return; /* seen by who checks the arena */
    *used = (struct import_used){m->b->templates, id};
    m->b->templates = used;
    template_unit_guard(m->b->unit, id);
}

static void enroll(struct making *m, const struct import_row *row)
{
    SECRET_CLEANUP struct secret primary = {0}, secondary = {0};

    /* the reader has checked both (R09) */
    if (secret_from_base64(row->sas_primary, &primary) &&
        secret_from_base64(row->sas_secondary, &secondary))
        device_keys_unit_enroll(m->b->unit, m->s->c->p, row->id, &primary, &secondary, m->b->now);
}

static void add_device(struct making *m, const struct import_row *row)
{
    const struct device_new n = {
        .hub = identity_default_hub(m->s->c->id)->name,
        .id = row->id,
        .display_name = row->name,
        .enabled = true,
        .approved = true,
        .template_id = template_of(m->s, row),
        .origin = ORIGIN_IMPORT,
        .auth = AUTH_SAS,
        .now = m->b->now,
    };

    m->b->to.counts[IMPORT_ADDED]++;
    m->s->devices++;
    if (m->s->options.dry_run)
        return;
    device_unit_insert(m->b->unit, m->s->c->id, &n);
    use_template(m, n.template_id);
    if (has_keys(row))
        enroll(m, row);
    note_event(m, row->id, EVENT_REGISTERED);
}

/* What the file does not say stays as it is. */
static void update_device(struct making *m, const struct import_row *row)
{
    slice template_id = template_of(m->s, row);
    struct device_change change = {
        .to = {.display_name = row->name, .template_id = template_id, .now = m->b->now}};

    if (row->has_name && !slice_equal(row->name, row->stored->display_name))
        change.set |= DEVICE_SET_DISPLAY_NAME;
    if (template_id.len > 0 && !slice_equal(template_id, row->stored->template_id))
        change.set |= DEVICE_SET_TEMPLATE;
    if (change.set == 0) {
        m->b->to.counts[IMPORT_UNCHANGED]++;
        return;
    }
    m->b->to.counts[IMPORT_UPDATED]++;
    if (m->s->options.dry_run)
        return;
    device_unit_update(m->b->unit, m->s->c->id, row->stored, &change);
    if (change.set & DEVICE_SET_TEMPLATE) {
        use_template(m, template_id);
        note_event(m, row->stored->id, EVENT_TEMPLATE_CHANGED);
    }
}

static void apply(struct making *m, const struct import_row *row)
{
    if (row->exists && m->s->options.existing == IMPORT_SKIP)
        m->b->to.counts[IMPORT_SKIPPED]++;
    else if (row->exists)
        update_device(m, row);
    else
        add_device(m, row);
}

/* --- reports ---------------------------------------------------------------------------------- */

static void report_findings(struct import_batch *b, const struct device_csv_row *csv)
{
    size_t before = b->log.len;

    for (size_t i = 0; i < csv->finding_count; i++)
        b->to.counts[IMPORT_CODES + csv->findings[i].code]++;
    if (csv->finding_count == 0)
        return;
    if (b->to.log_bytes + (int64_t)before >= REPORT_BYTES_MAX) {
        b->to.counts[IMPORT_LOG_LEFT_OUT] += (int64_t)csv->finding_count;
        return;
    }
    device_csv_log_row(csv, &b->log);
}

static void report_rejected(struct making *m, const struct device_csv_row *csv)
{
    struct import_batch *b = m->b;
    const struct device_csv_facts facts = device_csv_reader_facts(m->s->reader);

    b->to.failed++;
    if (csv->raw_is_cut || b->to.rejected_bytes + (int64_t)b->rejected.len >= REPORT_BYTES_MAX) {
        b->to.counts[IMPORT_REJECTED_LEFT_OUT]++;
        return;
    }
    if (b->to.rejected_bytes == 0 && b->rejected.len == 0)
        device_csv_rejected_begin(&facts, &b->rejected);
    device_csv_rejected_row(csv, &b->rejected);
}

/* --- the batch -------------------------------------------------------------------------------- */

/* The rest of the record is left as it is: its counts say what of it counts. */
static void take_row(struct making *m, const struct import_row *row)
{
    struct device_csv_row *csv = &m->csv;

    csv->number = row->number;
    csv->line = row->line;
    csv->raw = row->raw;
    csv->raw_is_cut = row->raw_is_cut;
    csv->id = row->id;
    csv->key = row->key;
    csv->finding_count = row->finding_count;
    for (size_t i = 0; i < row->finding_count; i++)
        csv->findings[i] = row->findings[i];
}

static void process(struct making *m, struct import_row *row)
{
    bool is_rejected;

    take_row(m, row);
    judge(m, row);
    is_rejected = device_csv_row_is_rejected(&m->csv);
    row->is_accepted = !is_rejected;
    report_findings(m->b, &m->csv);
    if (is_rejected)
        report_rejected(m, &m->csv);
    else
        apply(m, row);
    m->b->to.processed++;
}

enum status import_batch_make(struct import_source *s, struct import_batch *b)
{
    struct making m = {.s = s, .b = b};
    enum status status;

    b->to = s->ahead;
    b->now = clock_wall_ms();
    if (!identity_default_hub(s->c->id))
        return ST_NO_HUB;
    b->unit = unit_create(s->c->st);
    if (!b->unit)
        return ST_UNAVAILABLE;
    status = find_existing(&m);
    if (status != ST_OK)
        return status;
    for (struct import_row *row = b->first; row; row = row->next)
        process(&m, row);
    b->to.log_bytes += (int64_t)b->log.len;
    b->to.rejected_bytes += (int64_t)b->rejected.len;
    if (b->arena.failed || b->log.failed || b->rejected.failed)
        return ST_NO_MEMORY;
    s->ahead = b->to;
    return ST_OK;
}
