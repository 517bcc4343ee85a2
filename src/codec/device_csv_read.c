#include "codec/device_csv_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/device_csv_internal.h"

/* A file is taken in pieces of this size, however large the chunks are. */
#define PIECE 65536
#define PENDING_MAX (CSV_RECORD_MAX + CSV_TEXT_ROOM(PIECE))

/*      +-----------------+        +------+
 * ---> | FIRST: a header | -----> | ROWS | <--+     a line that is longer than any record may be
 *      | or a first row  |        +------+    |     is read over without being kept
 *      +-----------------+            +--> SKIP
 */
struct device_csv_reader {
    struct device_csv_options options;
    const struct device_csv_events *events;
    void *context;
    enum status status; /* the first that was not ST_OK */
    bool in_rows, skips_line;
    uint64_t bytes, rows, line; /* `line`: in which the next record begins */
    struct csv_text text;
    struct buf pending; /* text not yet read as records */
    size_t begin;       /* of the next record in it */
    struct csv_record record;
    struct csv_header header;
    struct buf header_text;
    struct id_set seen;
    struct csv_id_room room;
    struct device_csv_row row;
    bool has_header, knows_separator;
};

static uint64_t limit_of(uint64_t wanted, uint64_t most)
{
    return wanted > 0 && wanted < most ? wanted : most;
}

struct device_csv_reader *device_csv_reader_create(const struct device_csv_options *options,
                                                   const struct device_csv_events *events,
                                                   void *context)
{
    struct device_csv_reader *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->options = *options;
    r->options.max_bytes = limit_of(options->max_bytes, DEVICE_CSV_BYTES_MAX);
    r->options.max_rows = limit_of(options->max_rows, DEVICE_CSV_ROWS_MAX);
    r->events = events;
    r->context = context;
    r->line = 1;
    buf_init(&r->pending, PENDING_MAX);
    buf_init(&r->header_text, CSV_RECORD_MAX);
    csv_record_init(&r->record, ',');
    csv_header_init(&r->header);
    id_set_init(&r->seen, options->id_key);
    return r;
}

void device_csv_reader_destroy(struct device_csv_reader *r)
{
    if (!r)
        return;
    buf_deinit(&r->pending);
    buf_deinit(&r->header_text);
    csv_record_deinit(&r->record);
    csv_header_deinit(&r->header);
    id_set_deinit(&r->seen);
    free(r);
}

struct device_csv_facts device_csv_reader_facts(const struct device_csv_reader *r)
{
    return (struct device_csv_facts){
        .encoding = r->text.encoding,
        .separator = r->in_rows ? r->record.separator : 0,
        .has_header = r->has_header,
        .header = buf_slice(&r->header_text),
        .bytes = r->bytes,
        .rows = r->rows,
    };
}

/* --- findings of the file ------------------------------------------------------------------- */

static void report_file(struct device_csv_reader *r, struct device_csv_finding *finding,
                        uint64_t line)
{
    finding->line = line;
    r->events->on_file(r->context, finding);
}

static enum status refuse_file(struct device_csv_reader *r, enum device_csv_code code,
                               uint64_t line, const char *message)
{
    struct device_csv_finding finding;

    device_csv_finding_set(&finding, code, (slice){0}, "%s", message);
    report_file(r, &finding, line);
    return code == CSV_F04_TOO_LARGE ? ST_TOO_LARGE : ST_BAD_REQUEST;
}

static enum status refuse_bytes(struct device_csv_reader *r)
{
    char message[DEVICE_CSV_MESSAGE_MAX];

    snprintf(message, sizeof message, "the file is larger than %" PRIu64 " bytes",
             r->options.max_bytes);
    return refuse_file(r, CSV_F04_TOO_LARGE, r->line, message);
}

static enum status refuse_rows(struct device_csv_reader *r)
{
    char message[DEVICE_CSV_MESSAGE_MAX];

    snprintf(message, sizeof message, "the file has more than %" PRIu64 " rows",
             r->options.max_rows);
    return refuse_file(r, CSV_F04_TOO_LARGE, r->line, message);
}

/* The line where the text ends so far. */
static uint64_t last_line(const struct device_csv_reader *r)
{
    uint64_t line = r->line;

    for (slice rest = slice_from(buf_slice(&r->pending), r->begin); rest.ptr; line++)
        slice_split(&rest, '\n');
    return line > r->line ? line - 1 : line;
}

/* --- rows ----------------------------------------------------------------------------------- */

static enum status deliver(struct device_csv_reader *r)
{
    return r->events->on_row(r->context, &r->row) ? ST_OK : ST_REFUSED;
}

/* Empties the row but for its arrays, which have their counts. */
static enum status begin_row(struct device_csv_reader *r, slice raw)
{
    struct device_csv_row *row = &r->row;

    if (r->rows == r->options.max_rows)
        return refuse_rows(r);
    row->number = ++r->rows;
    row->line = r->line;
    row->raw = raw;
    row->raw_is_cut = false;
    row->id = row->key = row->name = (slice){0};
    row->template_id = row->organization = row->gateway = (slice){0};
    row->sas_primary = row->sas_secondary = (slice){0};
    row->cloud_count = row->finding_count = 0;
    return ST_OK;
}

/* The first wins that is right in itself: a row that is rejected claims no ID. */
static enum id_set_result look_up(struct device_csv_reader *r, const struct device_csv_row *row)
{
    if (!device_csv_row_is_rejected(row))
        return id_set_add(&r->seen, row->key);
    return id_set_has(&r->seen, row->key) ? ID_SET_SEEN : ID_SET_ADDED;
}

static enum status check_seen(struct device_csv_reader *r)
{
    struct device_csv_row *row = &r->row;

    if (row->id.len == 0)
        return ST_OK;
    switch (look_up(r, row)) {
    case ID_SET_ADDED:
        return ST_OK;
    case ID_SET_SEEN:
        device_csv_row_add(row, CSV_R06_ID_TWICE, r->header.names[r->header.where[CSV_COLUMN_ID]],
                           "the device ID stands in the file before; the first one counts");
        return ST_OK;
    default:
        return ST_NO_MEMORY;
    }
}

static enum status deliver_wrong_count(struct device_csv_reader *r, size_t count)
{
    device_csv_row_add(&r->row, CSV_R08_NOT_A_RECORD, (slice){0}, "%zu fields instead of %zu",
                       count, r->header.count);
    return deliver(r);
}

static enum status read_row(struct device_csv_reader *r, slice raw, const slice *cells,
                            size_t count)
{
    enum status status = begin_row(r, raw);

    if (status == ST_OK && count != r->header.count)
        return deliver_wrong_count(r, count);
    if (status != ST_OK)
        return status;
    csv_row_fill(&r->header, &r->options, cells, &r->room, &r->row);
    status = check_seen(r);
    return status == ST_OK ? deliver(r) : status;
}

/* The column is that of the cell where reading broke off, if the header has so many. */
static enum status read_unreadable(struct device_csv_reader *r, slice raw)
{
    size_t at = r->record.cell_count - 1;
    bool has_column = at < r->header.count && r->record.fault != CSV_TOO_MANY_COLUMNS;
    enum status status = begin_row(r, raw);

    if (status != ST_OK)
        return status;
    r->row.raw_is_cut = r->record.cut;
    device_csv_row_add(&r->row, CSV_R08_NOT_A_RECORD, has_column ? r->header.names[at] : (slice){0},
                       "%s", csv_fault_text(r->record.fault));
    return deliver(r);
}

/* --- the first record ----------------------------------------------------------------------- */

static void warn_of_ignored(struct device_csv_reader *r)
{
    struct device_csv_finding finding;

    if (csv_header_ignores_keys(&r->header, r->options.take_keys, &finding))
        report_file(r, &finding, r->line);
    if (csv_header_ignores_others(&r->header, &finding))
        report_file(r, &finding, r->line);
}

static enum status read_header(struct device_csv_reader *r, slice raw, const slice *cells,
                               size_t count)
{
    struct device_csv_finding finding;

    buf_append(&r->header_text, raw);
    if (r->header_text.failed || !csv_header_take(&r->header, cells, count))
        return ST_NO_MEMORY;
    r->has_header = r->in_rows = true;
    if (csv_header_is_refused(&r->header, &finding)) {
        report_file(r, &finding, r->line);
        return ST_BAD_REQUEST;
    }
    warn_of_ignored(r);
    return ST_OK;
}

/* One column by any separator. */
static bool is_one_column(slice raw, size_t count)
{
    size_t at;

    return count == 1 && !slice_find(raw, ';', &at) && !slice_find(raw, '\t', &at);
}

static enum status read_first(struct device_csv_reader *r, slice raw, const slice *cells,
                              size_t count)
{
    if (csv_header_is_one(cells, count))
        return read_header(r, raw, cells, count);
    if (!is_one_column(raw, count))
        return refuse_file(r, CSV_F02_NO_ID_COLUMN, r->line,
                           "the first line names no column IOTC_DEVICEID, and only a file of one "
                           "column needs no header");
    if (!csv_header_take_headerless(&r->header))
        return ST_NO_MEMORY;
    r->in_rows = true;
    return read_row(r, raw, cells, count);
}

static enum status refuse_first(struct device_csv_reader *r)
{
    char message[DEVICE_CSV_MESSAGE_MAX];

    snprintf(message, sizeof message, "the first line cannot be read: %s",
             csv_fault_text(r->record.fault));
    return refuse_file(r, CSV_F02_NO_ID_COLUMN, r->line, message);
}

/* --- records -------------------------------------------------------------------------------- */

static enum status on_record(struct device_csv_reader *r, slice text)
{
    slice cells[CSV_COLUMNS_MAX];
    slice raw = slice_first(text, r->record.text_size);

    if (csv_record_is_blank(&r->record))
        return ST_OK;
    if (!csv_record_cells(&r->record, text, cells))
        return ST_NO_MEMORY;
    if (!r->in_rows)
        return read_first(r, raw, cells, r->record.cell_count);
    return read_row(r, raw, cells, r->record.cell_count);
}

static enum status on_unreadable(struct device_csv_reader *r, slice text)
{
    r->skips_line = r->record.cut;
    if (!r->in_rows)
        return refuse_first(r);
    return read_unreadable(r, slice_first(text, r->record.text_size));
}

/* The separator must be known before the first record is read, and the first line tells it. An
 * empty line tells nothing, and is read as such with any separator. */
static bool find_separator(struct device_csv_reader *r, slice text, bool at_end)
{
    size_t line_feed;

    if (r->knows_separator)
        return true;
    if (slice_find(text, '\n', &line_feed))
        text = slice_first(text, line_feed);
    else if (!at_end && text.len < CSV_RECORD_MAX)
        return false;
    csv_record_separate(&r->record, csv_separator_of(slice_first(text, CSV_RECORD_MAX)));
    r->knows_separator = slice_trim(text).len > 0 && text.ptr[0] != '\r';
    return true;
}

/* Drops the rest of a line that was too long. False when it goes on. */
static bool skip_line(struct device_csv_reader *r, slice text)
{
    size_t line_feed;

    if (!slice_find(text, '\n', &line_feed)) {
        r->begin += text.len;
        return false;
    }
    r->begin += line_feed + 1;
    r->line++;
    r->skips_line = false;
    return true;
}

/* Reads one record, if there is a whole one. */
static bool read_record(struct device_csv_reader *r, bool at_end)
{
    slice text = slice_from(buf_slice(&r->pending), r->begin);
    enum csv_result result;

    if (text.len == 0)
        return false;
    if (r->skips_line)
        return skip_line(r, text);
    if (!find_separator(r, text, at_end))
        return false;
    result = csv_record_read(&r->record, text, at_end);
    if (result == CSV_MORE)
        return false;
    r->status = result == CSV_COMPLETE ? on_record(r, text) : on_unreadable(r, text);
    r->begin += r->record.size;
    r->line += r->record.line_feeds;
    csv_record_next(&r->record);
    return r->status == ST_OK;
}

static void read_records(struct device_csv_reader *r, bool at_end)
{
    while (read_record(r, at_end)) {
    }
    if (r->begin > 0)
        buf_consume(&r->pending, r->begin);
    r->begin = 0;
}

/* --- the whole ------------------------------------------------------------------------------ */

/* What stands before the first byte that is no text is read all the same. */
static void after_text(struct device_csv_reader *r, enum status status, const struct fault *why,
                       bool at_end)
{
    read_records(r, at_end && status == ST_OK);
    if (r->status == ST_OK && status == ST_BAD_REQUEST)
        status = refuse_file(r, CSV_F01_NOT_TEXT, last_line(r), why->text);
    if (r->status == ST_OK)
        r->status = status;
}

static void feed_piece(struct device_csv_reader *r, slice piece)
{
    uint64_t left = r->options.max_bytes - r->bytes;
    bool too_large = piece.len > left;
    struct fault why;
    enum status status;

    piece = slice_first(piece, too_large ? (size_t)left : piece.len);
    status = csv_text_feed(&r->text, piece, &r->pending, &why);
    r->bytes += piece.len;
    after_text(r, status, &why, false);
    if (r->status == ST_OK && too_large)
        r->status = refuse_bytes(r);
}

enum status device_csv_reader_feed(struct device_csv_reader *r, slice bytes)
{
    while (bytes.len > 0 && r->status == ST_OK) {
        feed_piece(r, slice_first(bytes, PIECE));
        bytes = slice_from(bytes, PIECE);
    }
    return r->status;
}

enum status device_csv_reader_finish(struct device_csv_reader *r)
{
    struct fault why;
    enum status status;

    if (r->status != ST_OK)
        return r->status;
    status = csv_text_finish(&r->text, &r->pending, &why);
    after_text(r, status, &why, true);
    if (r->status == ST_OK && !r->in_rows)
        r->status = refuse_file(r, CSV_F02_NO_ID_COLUMN, 1, "the file is empty");
    return r->status;
}
