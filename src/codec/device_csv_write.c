#include "codec/device_csv_write.h"

#include <inttypes.h>

#define MARK SLICE("\xef\xbb\xbf")
#define LINE_END SLICE("\r\n")

/* --- cells ---------------------------------------------------------------------------------- */

/* Whatever the reader takes for a separator, and blanks that some take off. */
static bool needs_quotes(slice cell)
{
    if (cell.len == 0)
        return false;
    if (device_csv_is_formula(cell) || cell.ptr[0] == ' ' || cell.ptr[cell.len - 1] == ' ')
        return true;
    for (size_t i = 0; i < cell.len; i++) {
        switch (cell.ptr[i]) {
        case '"':
        case ',':
        case ';':
        case '\t':
        case '\r':
        case '\n':
            return true;
        default:
            break;
        }
    }
    return false;
}

static void put_doubling_quotes(slice cell, struct buf *to)
{
    for (slice rest = cell; rest.ptr;) {
        buf_append(to, slice_split(&rest, '"'));
        if (rest.ptr)
            buf_append(to, SLICE("\"\""));
    }
}

static void put_quoted(const char *in_front, slice cell, struct buf *to)
{
    buf_append_byte(to, '"');
    buf_append_str(to, in_front);
    put_doubling_quotes(cell, to);
    buf_append_byte(to, '"');
}

static void put_exact(slice cell, struct buf *to)
{
    if (needs_quotes(cell))
        put_quoted("", cell, to);
    else
        buf_append(to, cell);
}

static void put_name(slice cell, struct buf *to)
{
    if (device_csv_needs_apostrophe(cell))
        put_quoted("'", cell, to);
    else
        put_exact(cell, to);
}

/* --- export --------------------------------------------------------------------------------- */

enum cell_kind { EXACT, NAME, KEY };

/* The columns in their order; the first six are the documented ones. */
static const struct {
    enum device_csv_column column;
    enum cell_kind kind;
    bool is_extra;
    size_t offset;
} export_columns[] = {
    {CSV_COLUMN_ID, EXACT, false, offsetof(struct device_csv_device, id)},
    {CSV_COLUMN_NAME, NAME, false, offsetof(struct device_csv_device, name)},
    {CSV_COLUMN_SAS_PRIMARY, KEY, false, offsetof(struct device_csv_device, sas_primary)},
    {CSV_COLUMN_SAS_SECONDARY, KEY, false, offsetof(struct device_csv_device, sas_secondary)},
    {CSV_COLUMN_THUMBPRINT_PRIMARY, EXACT, false,
     offsetof(struct device_csv_device, thumbprint_primary)},
    {CSV_COLUMN_THUMBPRINT_SECONDARY, EXACT, false,
     offsetof(struct device_csv_device, thumbprint_secondary)},
    {CSV_COLUMN_ID_SCOPE, EXACT, true, offsetof(struct device_csv_device, id_scope)},
    {CSV_COLUMN_PROVISIONING_HOST, EXACT, true,
     offsetof(struct device_csv_device, provisioning_host)},
    {CSV_COLUMN_STATUS, EXACT, true, offsetof(struct device_csv_device, status)},
    {CSV_COLUMN_TEMPLATE, EXACT, true, offsetof(struct device_csv_device, template_id)},
    {CSV_COLUMN_ORGANIZATION, EXACT, true, offsetof(struct device_csv_device, organization)},
};

static size_t column_count(const struct device_csv_export *e)
{
    size_t count = 0;

    while (count < COUNT_OF(export_columns) &&
           (e->extra_columns || !export_columns[count].is_extra))
        count++;
    return count;
}

void device_csv_export_begin(const struct device_csv_export *e, struct buf *to)
{
    size_t count = column_count(e);

    buf_append(to, MARK);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_append_byte(to, ',');
        buf_append_str(to, device_csv_column_name(export_columns[i].column));
    }
    buf_append(to, LINE_END);
}

static void put_cell(const struct device_csv_export *e, enum cell_kind kind, slice cell,
                     struct buf *to)
{
    if (kind == KEY && e->without_keys)
        return;
    if (kind == NAME && !e->raw_names)
        put_name(cell, to);
    else
        put_exact(cell, to);
}

void device_csv_export_device(const struct device_csv_export *e,
                              const struct device_csv_device *device, struct buf *to)
{
    size_t count = column_count(e);

    for (size_t i = 0; i < count; i++) {
        slice cell;

        memcpy(&cell, (const char *)device + export_columns[i].offset, sizeof cell);
        if (i > 0)
            buf_append_byte(to, ',');
        put_cell(e, export_columns[i].kind, cell, to);
    }
    buf_append(to, LINE_END);
}

/* --- the log of an import ------------------------------------------------------------------- */

static bool is_plain_id(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!device_csv_is_id_character(text.ptr[i]))
            return false;
    }
    return true;
}

static void put_for_reading(slice text, struct buf *to)
{
    if (device_csv_is_formula(text) && !is_plain_id(text))
        put_quoted("'", text, to);
    else
        put_exact(text, to);
}

void device_csv_log_begin(struct buf *to)
{
    buf_append(to, MARK);
    buf_append_str(to, "LINE,IOTC_DEVICEID,LEVEL,CODE,COLUMN,MESSAGE");
    buf_append(to, LINE_END);
}

static void put_log_line(uint64_t line, slice id, const char *level, const char *code, slice column,
                         slice message, struct buf *to)
{
    buf_printf(to, "%" PRIu64 ",", line);
    put_for_reading(id, to);
    buf_printf(to, ",%s,%s,", level, code);
    put_for_reading(column, to);
    buf_append_byte(to, ',');
    put_for_reading(message, to);
    buf_append(to, LINE_END);
}

void device_csv_log_finding(slice id, const struct device_csv_finding *finding, struct buf *to)
{
    put_log_line(finding->line, id, device_csv_code_level(finding->code),
                 device_csv_code_name(finding->code), finding->column, slice_str(finding->message),
                 to);
}

void device_csv_log_line(uint64_t line, slice id, const char *level, const char *code,
                         slice message, struct buf *to)
{
    put_log_line(line, id, level, code, (slice){0}, message, to);
}

void device_csv_log_row(const struct device_csv_row *row, struct buf *to)
{
    for (size_t i = 0; i < row->finding_count; i++)
        device_csv_log_finding(row->id, &row->findings[i], to);
}

/* --- rejected rows -------------------------------------------------------------------------- */

void device_csv_rejected_begin(const struct device_csv_facts *facts, struct buf *to)
{
    buf_append(to, MARK);
    if (!facts->has_header)
        return;
    buf_append(to, facts->header);
    buf_append(to, LINE_END);
}

void device_csv_rejected_row(const struct device_csv_row *row, struct buf *to)
{
    if (row->raw_is_cut)
        return;
    buf_append(to, row->raw);
    buf_append(to, LINE_END);
}
