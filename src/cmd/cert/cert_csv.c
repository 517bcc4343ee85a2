#include "cmd/cert/cert_csv.h"

#define PIECE 4096 /* so much is read ahead of a program that writes rows into a pipe */
#define PENDING_MAX (CSV_RECORD_MAX + CSV_TEXT_ROOM(PIECE))

void cert_csv_init(struct cert_csv *csv, FILE *file)
{
    *csv = (struct cert_csv){.file = file, .line = 1};
    buf_init(&csv->pending, PENDING_MAX);
    csv_record_init(&csv->record, ',');
}

void cert_csv_deinit(struct cert_csv *csv)
{
    buf_deinit(&csv->pending);
    csv_record_deinit(&csv->record);
}

/* --- text ------------------------------------------------------------------------------------- */

static enum status read_piece(struct cert_csv *csv, struct fault *why)
{
    uint8_t piece[PIECE];
    size_t len = fread(piece, 1, sizeof piece, csv->file);
    enum status status;

    if (csv->begin > 0)
        buf_consume(&csv->pending, csv->begin);
    csv->begin = 0;
    csv->position += len;
    csv->at_end = len == 0;
    status = csv->at_end ? csv_text_finish(&csv->text, &csv->pending, why)
                         : csv_text_feed(&csv->text, slice_of(piece, len), &csv->pending, why);
    return status == ST_NO_MEMORY ? fault_set(why, status, "no memory for a row") : status;
}

/* --- the first line --------------------------------------------------------------------------- */

static uint8_t most_frequent(slice line)
{
    static const uint8_t separators[] = {',', ';', '\t'};
    uint8_t best = ',';
    size_t most = 0;

    for (size_t s = 0; s < COUNT_OF(separators); s++) {
        size_t count = 0;

        for (size_t i = 0; i < line.len; i++)
            count += line.ptr[i] == separators[s];
        if (count > most)
            best = separators[s];
        most = count > most ? count : most;
    }
    return best;
}

/* It must be known before the first record is read. An empty line tells nothing, and is read as
 * such with any separator. False when the line is not all there. */
static bool find_separator(struct cert_csv *csv, slice text)
{
    size_t line_feed;

    if (csv->knows_separator)
        return true;
    if (slice_find(text, '\n', &line_feed))
        text = slice_first(text, line_feed);
    else if (!csv->at_end && text.len < CSV_RECORD_MAX)
        return false;
    csv_record_separate(&csv->record, most_frequent(text));
    csv->knows_separator = slice_trim(text).len > 0 && text.ptr[0] != '\r';
    return true;
}

static bool names_the_column(slice cell)
{
    static const char *const names[] = {"IOTC_DEVICEID", "device_id", "deviceId", "id"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (slice_equal_nocase(slice_trim(cell), slice_str(names[i])))
            return true;
    }
    return false;
}

static enum status refuse_first(slice first, struct fault *why)
{
    if (slice_starts_with(first, SLICE("-----BEGIN ")))
        return fault_set(why, ST_BAD_REQUEST, "that is a PEM file, not a CSV file of device IDs");
    return fault_set(why, ST_BAD_REQUEST,
                     "the first line names no column device_id, deviceId, id or IOTC_DEVICEID, and "
                     "only a file of one column needs no such line");
}

static enum status find_column(struct cert_csv *csv, const slice *cells, size_t count,
                               struct fault *why)
{
    csv->knows_column = true;
    for (size_t i = 0; i < count && !csv->has_header; i++) {
        csv->has_header = names_the_column(cells[i]);
        csv->column = csv->has_header ? i : 0;
    }
    if (csv->has_header || (count == 1 && !slice_starts_with(cells[0], SLICE("-----BEGIN "))))
        return ST_OK;
    return refuse_first(cells[0], why);
}

/* --- records ---------------------------------------------------------------------------------- */

static bool is_blank(const struct csv_record *r, slice text)
{
    const struct csv_cell *cell = &r->cells[0];

    return r->cell_count == 1 && !cell->quoted &&
           slice_trim(slice_of(text.ptr + cell->begin, cell->len)).len == 0;
}

/* ST_NOT_FOUND: it is blank, or the header. */
static enum status take_record(struct cert_csv *csv, slice text, struct csv_row *ret,
                               struct fault *why)
{
    bool first = !csv->knows_column;
    slice cells[CSV_COLUMNS_MAX];
    enum status status = ST_OK;

    if (is_blank(&csv->record, text))
        return ST_NOT_FOUND;
    if (!csv_record_cells(&csv->record, text, cells))
        return fault_set(why, ST_NO_MEMORY, "no memory for a row");
    if (first)
        status = find_column(csv, cells, csv->record.cell_count, why);
    if (status != ST_OK)
        return status;
    if (first && csv->has_header)
        return ST_NOT_FOUND;
    if (csv->column < csv->record.cell_count)
        ret->id = slice_trim(cells[csv->column]);
    return ST_OK;
}

/* Without a first line that can be read nothing tells which column is meant. */
static enum status take_unreadable(struct cert_csv *csv, struct csv_row *ret, struct fault *why)
{
    ret->fault = csv_fault_text(csv->record.fault);
    csv->skips_line = csv->record.cut;
    if (csv->knows_column)
        return ST_OK;
    return fault_set(why, ST_BAD_REQUEST, "the first line cannot be read: %s", ret->fault);
}

/* Drops the rest of a line that was too long for a record. */
static void skip_line(struct cert_csv *csv, slice text)
{
    size_t line_feed;

    csv->skips_line = !slice_find(text, '\n', &line_feed);
    csv->line += !csv->skips_line;
    csv->begin += csv->skips_line ? text.len : line_feed + 1;
}

static bool read_record(struct cert_csv *csv, slice text, enum csv_result *ret)
{
    if (text.len == 0 || !find_separator(csv, text))
        return false;
    *ret = csv_record_read(&csv->record, text, csv->at_end);
    return *ret != CSV_MORE;
}

enum status cert_csv_next(struct cert_csv *csv, struct csv_row *ret, struct fault *why)
{
    enum status status = ST_NOT_FOUND;

    while (status == ST_NOT_FOUND) {
        slice text = slice_from(buf_slice(&csv->pending), csv->begin);
        enum csv_result result;

        if (csv->skips_line && text.len > 0) {
            skip_line(csv, text);
        } else if (read_record(csv, text, &result)) {
            *ret = (struct csv_row){.line = csv->line};
            status = result == CSV_COMPLETE ? take_record(csv, text, ret, why)
                                            : take_unreadable(csv, ret, why);
            csv->begin += csv->record.size;
            csv->line += csv->record.line_feeds;
            csv_record_next(&csv->record);
        } else if (csv->at_end) {
            return ST_NOT_FOUND;
        } else {
            enum status read = read_piece(csv, why);

            if (read != ST_OK)
                return read;
        }
    }
    return status;
}
