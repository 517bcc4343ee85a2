#include "codec/device_csv_internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static size_t count_characters(slice text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += (text.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* --- findings ------------------------------------------------------------------------------- */

bool device_csv_row_is_rejected(const struct device_csv_row *row)
{
    for (size_t i = 0; i < row->finding_count; i++) {
        if (device_csv_code_is_error(row->findings[i].code))
            return true;
    }
    return false;
}

void device_csv_row_exists(struct device_csv_row *row)
{
    size_t kept = 0;

    for (size_t i = 0; i < row->finding_count; i++) {
        enum device_csv_code code = row->findings[i].code;

        if (code != CSV_R03_ID_CHARACTER && code != CSV_R04_ID_UPPER_CASE)
            row->findings[kept++] = row->findings[i];
    }
    row->finding_count = kept;
}

static struct device_csv_finding *new_finding(struct device_csv_row *row)
{
    struct device_csv_finding *finding;

    if (row->finding_count == DEVICE_CSV_ROW_FINDINGS_MAX)
        row->finding_count--;
    finding = &row->findings[row->finding_count++];
    finding->line = row->line;
    return finding;
}

void device_csv_row_add(struct device_csv_row *row, enum device_csv_code code, slice column,
                        const char *format, ...)
{
    char message[DEVICE_CSV_MESSAGE_MAX + 1];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    device_csv_finding_set(new_finding(row), code, column, "%s", message);
}

/* --- cells ---------------------------------------------------------------------------------- */

struct filling {
    const struct csv_header *header;
    const struct device_csv_options *options;
    const slice *cells;
    struct device_csv_row *row;
};

/* A cell that is there is not NULL, even when it is empty. */
static slice cell_of(const struct filling *f, enum device_csv_column column)
{
    size_t at = f->header->where[column];

    return at < CSV_COLUMNS_MAX ? f->cells[at] : (slice){0};
}

/* The header's spelling; the documented one for a column that the file has not. */
static slice header_of(const struct filling *f, enum device_csv_column column)
{
    size_t at = f->header->where[column];

    return at < CSV_COLUMNS_MAX ? f->header->names[at] : slice_str(device_csv_column_name(column));
}

/* --- the ID --------------------------------------------------------------------------------- */

/* Writes the lower-case form; *ret_upper and *ret_other tell what was in it. */
static slice lower_id(slice id, struct csv_id_room *room, bool *ret_upper, bool *ret_other)
{
    bool upper = false, other = false;

    for (size_t i = 0; i < id.len; i++) {
        uint8_t c = id.ptr[i];

        upper = upper || is_upper(c);
        other = other || !device_csv_is_id_character(c);
        room->key[i] = is_upper(c) ? (uint8_t)(c + ('a' - 'A')) : c;
    }
    *ret_upper = upper;
    *ret_other = other;
    return slice_of(room->key, id.len);
}

static void check_case(const struct filling *f, slice column)
{
    struct device_csv_row *row = f->row;

    if (f->options->lower_ids) {
        row->id = row->key;
        device_csv_row_add(row, CSV_W02_LOWERED, column,
                           "the device ID has been converted to lower case: %.*s",
                           SLICE_FMT(row->key));
        return;
    }
    if (!f->options->any_case)
        device_csv_row_add(row, CSV_R04_ID_UPPER_CASE, column,
                           "device IDs are lower-case: write %.*s", SLICE_FMT(row->key));
}

static void fill_id(const struct filling *f, struct csv_id_room *room)
{
    struct device_csv_row *row = f->row;
    slice column = header_of(f, CSV_COLUMN_ID);
    bool upper, other;

    row->id = cell_of(f, CSV_COLUMN_ID);
    row->key = lower_id(row->id, room, &upper, &other);
    if (row->id.len == 0)
        device_csv_row_add(row, CSV_R01_ID_EMPTY, column, "the device ID is empty");
    if (row->id.len > DEVICE_CSV_ID_MAX && count_characters(row->id) > DEVICE_CSV_ID_MAX)
        device_csv_row_add(row, CSV_R02_ID_TOO_LONG, column,
                           "the device ID is longer than %d characters", DEVICE_CSV_ID_MAX);
    if (other)
        device_csv_row_add(row, CSV_R03_ID_CHARACTER, column,
                           "a device ID has letters, digits and '-' only");
    if (upper)
        check_case(f, column);
}

/* --- the name ------------------------------------------------------------------------------- */

static void fill_name(const struct filling *f)
{
    struct device_csv_row *row = f->row;

    row->name = cell_of(f, CSV_COLUMN_NAME);
    if (!f->options->keep_apostrophes)
        row->name = device_csv_without_apostrophe(row->name);
    if (row->name.len == 0)
        row->name = row->id;
    else if (row->name.len > DEVICE_CSV_NAME_MAX &&
             count_characters(row->name) > DEVICE_CSV_NAME_MAX)
        device_csv_row_add(row, CSV_R05_NAME_TOO_LONG, header_of(f, CSV_COLUMN_NAME),
                           "the name is longer than %d characters", DEVICE_CSV_NAME_MAX);
}

/* --- keys ----------------------------------------------------------------------------------- */

/* NULL, or what is wrong. Keys are secrets: no message quotes them. */
static const char *key_complaint(slice key)
{
    uint8_t bytes[DEVICE_CSV_KEY_MAX];
    size_t len = 0;
    bool fits;

    if (key.len == 0)
        return "one SAS key is given and the other is not";
    fits = base64_decode(key, bytes, sizeof bytes, &len) && len >= DEVICE_CSV_KEY_MIN;
    explicit_bzero(bytes, sizeof bytes);
    return fits ? NULL : "the SAS key is not Base64 of 16 to 64 bytes";
}

static void check_key(const struct filling *f, enum device_csv_column column, slice key)
{
    const char *wrong = key_complaint(key);

    if (wrong)
        device_csv_row_add(f->row, CSV_R09_KEY, header_of(f, column), "%s", wrong);
}

static void fill_keys(const struct filling *f)
{
    struct device_csv_row *row = f->row;

    row->sas_primary = row->sas_secondary = (slice){0};
    if (!f->options->take_keys)
        return;
    row->sas_primary = cell_of(f, CSV_COLUMN_SAS_PRIMARY);
    row->sas_secondary = cell_of(f, CSV_COLUMN_SAS_SECONDARY);
    if (row->sas_primary.len + row->sas_secondary.len == 0)
        return;
    check_key(f, CSV_COLUMN_SAS_PRIMARY, row->sas_primary);
    check_key(f, CSV_COLUMN_SAS_SECONDARY, row->sas_secondary);
}

/* --- the rest ------------------------------------------------------------------------------- */

static void fill_cloud(const struct filling *f)
{
    const struct csv_header *h = f->header;
    struct device_csv_row *row = f->row;

    row->cloud_count = 0;
    for (size_t i = 0; i < h->count; i++) {
        if (h->columns[i] == CSV_COLUMN_CLOUD && f->cells[i].len > 0)
            row->cloud[row->cloud_count++] =
                (struct device_csv_property){device_csv_cloud_name(h->names[i]), f->cells[i]};
    }
}

void csv_row_fill(const struct csv_header *h, const struct device_csv_options *options,
                  const slice *cells, struct csv_id_room *room, struct device_csv_row *row)
{
    const struct filling f = {h, options, cells, row};

    fill_id(&f, room);
    fill_name(&f);
    fill_keys(&f);
    fill_cloud(&f);
    row->template_id = cell_of(&f, CSV_COLUMN_TEMPLATE);
    row->organization = cell_of(&f, CSV_COLUMN_ORGANIZATION);
    row->gateway = cell_of(&f, CSV_COLUMN_GATEWAY);
}
