#include "codec/device_csv_internal.h"

void csv_header_init(struct csv_header *h)
{
    *h = (struct csv_header){0};
    buf_init(&h->text, (size_t)CSV_COLUMNS_MAX * CSV_CELL_MAX);
    for (size_t i = 0; i < CSV_COLUMN_KNOWN; i++)
        h->where[i] = CSV_COLUMNS_MAX;
}

void csv_header_deinit(struct csv_header *h)
{
    buf_deinit(&h->text);
}

/* --- telling what the file is --------------------------------------------------------------- */

static bool is_known(slice name)
{
    return device_csv_column_of(slice_trim(name)) != CSV_COLUMN_OTHER;
}

static slice without_quotes(slice part)
{
    part = slice_trim(part);
    if (part.len >= 2 && part.ptr[0] == '"' && part.ptr[part.len - 1] == '"')
        return slice_of(part.ptr + 1, part.len - 2);
    return part;
}

/* Names with separators in them are not known, so the line may be cut at every separator. */
static size_t count_known(slice line, uint8_t separator)
{
    size_t known = 0;

    for (slice rest = line; rest.ptr;) {
        slice part = without_quotes(slice_split(&rest, separator));

        known += is_known(part);
    }
    return known;
}

uint8_t csv_separator_of(slice line)
{
    static const uint8_t separators[] = {',', ';', '\t'};
    uint8_t best = ',';
    size_t most = 0;

    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    for (size_t i = 0; i < COUNT_OF(separators); i++) {
        size_t known = count_known(line, separators[i]);

        if (known > most) {
            most = known;
            best = separators[i];
        }
    }
    return best;
}

bool csv_header_is_one(const slice *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_known(cells[i]))
            return true;
    }
    return false;
}

/* --- taking it ------------------------------------------------------------------------------ */

static void set_column(struct csv_header *h, size_t i, slice name)
{
    enum device_csv_column column = device_csv_column_of(name);

    h->names[i] = name;
    h->columns[i] = column;
    if (column < CSV_COLUMN_KNOWN && h->where[column] == CSV_COLUMNS_MAX)
        h->where[column] = i;
}

bool csv_header_take(struct csv_header *h, const slice *cells, size_t count)
{
    uint8_t *at;
    size_t len = 0;

    for (size_t i = 0; i < count; i++)
        len += cells[i].len;
    at = buf_room(&h->text, len);
    if (!at)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (cells[i].len > 0)
            memcpy(at, cells[i].ptr, cells[i].len);
        set_column(h, i, slice_trim(slice_of(at, cells[i].len)));
        at += cells[i].len;
    }
    h->count = count;
    return true;
}

bool csv_header_take_headerless(struct csv_header *h)
{
    slice id = slice_str(device_csv_column_name(CSV_COLUMN_ID));

    return csv_header_take(h, &id, 1);
}

/* --- refusing it ---------------------------------------------------------------------------- */

/* Property names keep their case, the others do not. Cells without a name are no doubles. */
static bool is_same_name(const struct csv_header *h, size_t a, size_t b)
{
    if (h->names[a].len == 0 || h->columns[a] != h->columns[b])
        return false;
    if (h->columns[a] == CSV_COLUMN_CLOUD)
        return slice_equal(device_csv_cloud_name(h->names[a]), device_csv_cloud_name(h->names[b]));
    return slice_equal_nocase(h->names[a], h->names[b]);
}

static bool find_double(const struct csv_header *h, size_t *ret)
{
    for (size_t b = 1; b < h->count; b++) {
        for (size_t a = 0; a < b; a++) {
            if (is_same_name(h, a, b)) {
                *ret = b;
                return true;
            }
        }
    }
    return false;
}

bool csv_header_is_refused(const struct csv_header *h, struct device_csv_finding *ret)
{
    size_t at;

    if (find_double(h, &at)) {
        device_csv_finding_set(ret, CSV_F03_DOUBLE_HEADER, h->names[at],
                               "the header names the column '%.*s' twice", SLICE_FMT(h->names[at]));
        return true;
    }
    if (h->where[CSV_COLUMN_ID] < CSV_COLUMNS_MAX)
        return false;
    device_csv_finding_set(ret, CSV_F02_NO_ID_COLUMN, (slice){0},
                           "the header has no column IOTC_DEVICEID");
    return true;
}

/* --- ignoring columns ----------------------------------------------------------------------- */

static bool is_ignored_key(enum device_csv_column column, bool take_keys)
{
    switch (column) {
    case CSV_COLUMN_SAS_PRIMARY:
    case CSV_COLUMN_SAS_SECONDARY:
        return !take_keys;
    case CSV_COLUMN_THUMBPRINT_PRIMARY:
    case CSV_COLUMN_THUMBPRINT_SECONDARY:
        return true;
    default:
        return false;
    }
}

static bool is_ignored_other(enum device_csv_column column)
{
    return column == CSV_COLUMN_OTHER || column == CSV_COLUMN_ID_SCOPE ||
           column == CSV_COLUMN_PROVISIONING_HOST || column == CSV_COLUMN_STATUS;
}

/* One warning for all of them, with the names as far as there is room. */
static bool warn_of(const struct csv_header *h, const bool ignored[CSV_COLUMNS_MAX],
                    const char *kind, struct device_csv_finding *ret)
{
    struct buf BUF_CLEANUP names = {.max = (size_t)CSV_COLUMNS_MAX * (CSV_CELL_MAX + 2)};
    slice first = {0};
    size_t count = 0;

    for (size_t i = 0; i < h->count; i++) {
        if (!ignored[i])
            continue;
        if (count++ == 0)
            first = h->names[i];
        else
            buf_append_str(&names, ", ");
        buf_append(&names, h->names[i]);
    }
    if (count > 0)
        device_csv_finding_set(ret, CSV_W01_COLUMN_IGNORED, count == 1 ? first : (slice){0},
                               "ignored %s: %.*s", kind, SLICE_FMT(names));
    return count > 0;
}

bool csv_header_ignores_keys(const struct csv_header *h, bool take_keys,
                             struct device_csv_finding *ret)
{
    bool ignored[CSV_COLUMNS_MAX] = {0};

    for (size_t i = 0; i < h->count; i++)
        ignored[i] = is_ignored_key(h->columns[i], take_keys);
    return warn_of(h, ignored,
                   take_keys ? "thumbprints"
                             : "keys and thumbprints (keys are taken when individual enrollments "
                               "are asked for)",
                   ret);
}

bool csv_header_ignores_others(const struct csv_header *h, struct device_csv_finding *ret)
{
    bool ignored[CSV_COLUMNS_MAX] = {0};

    for (size_t i = 0; i < h->count; i++)
        ignored[i] = is_ignored_other(h->columns[i]) && h->names[i].len > 0;
    return warn_of(h, ignored, "columns", ret);
}
