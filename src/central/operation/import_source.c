#include "central/operation/import_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "codec/device_csv_write.h"

#define READ_BYTES 65536
#define PIECE_BYTES 4096              /* given to the reader at once, so that batches end soon */
#define JOB_BYTES ((uint64_t)8 << 20) /* read in one job */
#define ROW_ARENA_BYTES ((size_t)32 << 20)

/* --- templates -------------------------------------------------------------------------------- */

static int compare_ids(const void *key, const void *element)
{
    return slice_compare(*(const slice *)key, *(const slice *)element);
}

bool import_templates_have(const struct import_templates *t, slice id)
{
    return t->count > 0 && bsearch(&id, t->ids, t->count, sizeof *t->ids, compare_ids);
}

/* --- rows ------------------------------------------------------------------------------------- */

static const struct device_csv_finding *copy_findings(struct import_batch *b,
                                                      const struct device_csv_row *csv)
{
    size_t count = csv->finding_count;
    struct device_csv_finding *copy;

    if (count == 0)
        return NULL;
    copy = arena_alloc_array(&b->arena, count, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = csv->findings[i];
        copy[i].column = arena_copy(&b->arena, copy[i].column);
    }
    return copy;
}

static bool copy_row(struct import_batch *b, const struct device_csv_row *csv)
{
    struct import_row *row = arena_alloc(&b->arena, sizeof *row);

    if (!row)
        return false;
    *row = (struct import_row){
        .number = csv->number,
        .line = csv->line,
        .raw = arena_copy(&b->arena, csv->raw),
        .raw_is_cut = csv->raw_is_cut,
        .id = arena_copy(&b->arena, csv->id),
        .key = arena_copy(&b->arena, csv->key),
        .name = arena_copy(&b->arena, csv->name),
        .has_name = csv->name.ptr != csv->id.ptr,
        .template_id = arena_copy(&b->arena, csv->template_id),
        .sas_primary = arena_copy(&b->arena, csv->sas_primary),
        .sas_secondary = arena_copy(&b->arena, csv->sas_secondary),
        .findings = copy_findings(b, csv),
        .finding_count = csv->finding_count,
    };
    *b->end = row;
    b->end = &row->next;
    b->count++;
    return !b->arena.failed;
}

/* Columns that stand for what devices do not have yet are told of, not passed over in silence. */
static void note_columns(struct import_source *s, const struct device_csv_row *csv)
{
    s->has_references = s->has_references || csv->organization.ptr || csv->gateway.ptr;
    s->has_cloud = s->has_cloud || csv->cloud_count > 0;
}

static bool on_row(void *context, struct device_csv_row *csv)
{
    struct import_source *s = context;

    if (s->is_checking) {
        note_columns(s, csv);
        return true;
    }
    return csv->number <= s->skip || copy_row(s->filling, csv);
}

/* --- the file --------------------------------------------------------------------------------- */

static void on_file(void *context, const struct device_csv_finding *finding)
{
    struct import_source *s = context;

    if (device_csv_code_is_error(finding->code))
        snprintf(s->message, sizeof s->message, "%s: %s", device_csv_code_name(finding->code),
                 finding->message);
    if (!s->is_checking)
        return; /* told before */
    s->ahead.counts[IMPORT_CODES + finding->code]++;
    device_csv_log_finding((slice){0}, finding, &s->file_log);
}

static const struct device_csv_events events = {.on_row = on_row, .on_file = on_file};

static enum status open_reader(struct import_source *s)
{
    struct device_csv_options options = {
        .any_case = s->any_case,
        .lower_ids = s->options.lower_ids,
        .take_keys = s->options.take_keys,
        .keep_apostrophes = s->options.raw_names,
    };

    if (s->reader)
        return ST_OK;
    random_bytes(options.id_key, sizeof options.id_key);
    s->reader = device_csv_reader_create(&options, &events, s);
    if (!s->reader)
        return ST_NO_MEMORY;
    return s->device_limit > 0 ? device_count_now(s->c->id, &s->devices) : ST_OK;
}

static ssize_t read_some(struct import_source *s, uint8_t *to, size_t len)
{
    ssize_t got;

    do
        got = pread(s->fd, to, len, (off_t)s->offset);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        s->offset += (uint64_t)got;
    return got;
}

static enum status feed(struct import_source *s, slice bytes)
{
    enum status status = device_csv_reader_feed(s->reader, bytes);

    return status == ST_REFUSED ? ST_NO_MEMORY : status; /* that is what on_row has to say */
}

static enum status finish(struct import_source *s, bool *ret_end)
{
    enum status status = device_csv_reader_finish(s->reader);

    *ret_end = true;
    return status == ST_REFUSED ? ST_NO_MEMORY : status;
}

static enum status read_piece(struct import_source *s, uint8_t *bytes, size_t len, bool *ret_end)
{
    ssize_t got = read_some(s, bytes, len);

    if (got < 0)
        return ST_UNAVAILABLE;
    return got > 0 ? feed(s, slice_of(bytes, (size_t)got)) : finish(s, ret_end);
}

/* --- the first reading ------------------------------------------------------------------------ */

static void log_ignored(struct import_source *s, const char *column, const char *message)
{
    struct device_csv_finding finding;

    device_csv_finding_set(&finding, CSV_W01_COLUMN_IGNORED, slice_str(column), "%s", message);
    finding.line = 1;
    on_file(s, &finding);
}

static void end_check(struct import_source *s)
{
    if (s->has_references)
        log_ignored(s, "", "columns of organizations and gateways are not read by this version");
    if (s->has_cloud)
        log_ignored(s, "", "columns of cloud properties are not read by this version");
    s->ahead.total = (int64_t)device_csv_reader_facts(s->reader).rows;
}

enum status import_source_check(struct import_source *s, bool *ret_end)
{
    uint8_t bytes[READ_BYTES];
    uint64_t until = s->offset + JOB_BYTES;
    enum status status = open_reader(s);

    s->is_checking = true;
    *ret_end = false;
    while (status == ST_OK && !*ret_end && s->offset < until)
        status = read_piece(s, bytes, sizeof bytes, ret_end);
    if (status == ST_OK && *ret_end)
        end_check(s);
    return status;
}

/* --- batches ---------------------------------------------------------------------------------- */

void import_batch_destroy(struct import_batch *b)
{
    if (!b)
        return;
    unit_destroy(b->unit);
    buf_deinit(&b->log);
    buf_deinit(&b->rejected);
    arena_deinit(&b->arena);
    free(b);
}

static struct import_batch *batch_create(void)
{
    struct import_batch *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->end = &b->first;
    arena_init(&b->arena, ROW_ARENA_BYTES);
    buf_init(&b->log, UNIT_MAX_BYTES / 2);
    buf_init(&b->rejected, UNIT_MAX_BYTES / 2);
    return b;
}

static bool is_full(const struct import_batch *b)
{
    return b->count >= IMPORT_BATCH_ROWS || b->arena.used >= IMPORT_BATCH_BYTES;
}

static enum status fill(struct import_source *s, struct import_batch *b)
{
    uint8_t bytes[PIECE_BYTES];
    uint64_t until = s->offset + JOB_BYTES;
    enum status status = ST_OK;

    while (status == ST_OK && !b->is_last && !is_full(b) && s->offset < until)
        status = read_piece(s, bytes, sizeof bytes, &b->is_last);
    return status;
}

enum status import_source_fill(struct import_source *s, struct import_batch **ret)
{
    enum status status = open_reader(s);
    struct import_batch *b;

    if (status != ST_OK)
        return status;
    b = batch_create();
    if (!b)
        return ST_NO_MEMORY;
    s->filling = b;
    status = fill(s, b);
    if (status == ST_OK)
        status = import_batch_make(s, b);
    s->filling = NULL;
    if (status == ST_OK)
        *ret = b;
    else
        import_batch_destroy(b);
    return status;
}

/* --- life ------------------------------------------------------------------------------------- */

static void drop_reader(struct import_source *s)
{
    device_csv_reader_destroy(s->reader);
    s->reader = NULL;
    s->offset = 0;
}

void import_source_rewind(struct import_source *s, const struct operation_progress *committed)
{
    drop_reader(s);
    s->is_checking = false;
    s->ahead = *committed;
    s->skip = (uint64_t)committed->processed;
    buf_clear(&s->file_log);
}

void import_source_deinit(struct import_source *s)
{
    drop_reader(s);
    buf_deinit(&s->file_log);
    if (s->fd >= 0)
        close(s->fd);
}
