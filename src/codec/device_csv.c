#include "codec/device_csv.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name, *level;
} codes[] = {
    [CSV_F01_NOT_TEXT] = {"F01", "file"},
    [CSV_F02_NO_ID_COLUMN] = {"F02", "file"},
    [CSV_F03_DOUBLE_HEADER] = {"F03", "file"},
    [CSV_F04_TOO_LARGE] = {"F04", "file"},
    [CSV_F05_GONE] = {"F05", "file"},
    [CSV_R01_ID_EMPTY] = {"R01", "row"},
    [CSV_R02_ID_TOO_LONG] = {"R02", "row"},
    [CSV_R03_ID_CHARACTER] = {"R03", "row"},
    [CSV_R04_ID_UPPER_CASE] = {"R04", "row"},
    [CSV_R05_NAME_TOO_LONG] = {"R05", "row"},
    [CSV_R06_ID_TWICE] = {"R06", "row"},
    [CSV_R07_DEVICE_EXISTS] = {"R07", "row"},
    [CSV_R08_NOT_A_RECORD] = {"R08", "row"},
    [CSV_R09_KEY] = {"R09", "row"},
    [CSV_R10_UNKNOWN_REFERENCE] = {"R10", "row"},
    [CSV_R11_DEVICE_LIMIT] = {"R11", "row"},
    [CSV_W01_COLUMN_IGNORED] = {"W01", "file"},
    [CSV_W02_LOWERED] = {"W02", "row"},
    [CSV_W03_SKIPPED] = {"W03", "row"},
};
static_assert(COUNT_OF(codes) == CSV_CODE_COUNT, "every code has a name");

const char *device_csv_code_name(enum device_csv_code code)
{
    return codes[code].name;
}

const char *device_csv_code_level(enum device_csv_code code)
{
    return codes[code].level;
}

bool device_csv_code_is_error(enum device_csv_code code)
{
    return codes[code].name[0] != 'W';
}

/* --- findings ------------------------------------------------------------------------------- */

/* The end of what fits, before a character of which only the beginning does. */
static size_t cut_before_character(const char *text, size_t len)
{
    size_t at = len;

    while (at > 0 && (text[at - 1] & 0xc0) == 0x80)
        at--;
    if (at > 0 && (text[at - 1] & 0xc0) == 0xc0)
        at--;
    return at;
}

void device_csv_finding_set(struct device_csv_finding *f, enum device_csv_code code, slice column,
                            const char *format, ...)
{
    va_list args;
    int len;

    f->code = code;
    f->column = column;
    va_start(args, format);
    len = vsnprintf(f->message, sizeof f->message, format, args);
    va_end(args);
    if (len >= (int)sizeof f->message)
        f->message[cut_before_character(f->message, sizeof f->message - 1)] = '\0';
}

/* --- columns -------------------------------------------------------------------------------- */

static const char *const column_names[] = {
    [CSV_COLUMN_ID] = "IOTC_DEVICEID",
    [CSV_COLUMN_NAME] = "IOTC_DEVICENAME",
    [CSV_COLUMN_SAS_PRIMARY] = "IOTC_SASKEY_PRIMARY",
    [CSV_COLUMN_SAS_SECONDARY] = "IOTC_SASKEY_SECONDARY",
    [CSV_COLUMN_THUMBPRINT_PRIMARY] = "IOTC_X509THUMBPRINT_PRIMARY",
    [CSV_COLUMN_THUMBPRINT_SECONDARY] = "IOTC_X509THUMBPRINT_SECONDARY",
    [CSV_COLUMN_ID_SCOPE] = "MUSTER_IDSCOPE",
    [CSV_COLUMN_PROVISIONING_HOST] = "MUSTER_PROVISIONING_HOST",
    [CSV_COLUMN_STATUS] = "MUSTER_STATUS",
    [CSV_COLUMN_TEMPLATE] = "MUSTER_TEMPLATE",
    [CSV_COLUMN_ORGANIZATION] = "MUSTER_ORGANIZATION",
    [CSV_COLUMN_GATEWAY] = "MUSTER_GATEWAY",
};
static_assert(COUNT_OF(column_names) == CSV_COLUMN_KNOWN, "every known column has a name");

#define CLOUD_PREFIX SLICE("MUSTER_CLOUD_")

const char *device_csv_column_name(enum device_csv_column column)
{
    return column_names[column];
}

enum device_csv_column device_csv_column_of(slice header)
{
    for (size_t i = 0; i < COUNT_OF(column_names); i++) {
        if (slice_equal_nocase(header, slice_str(column_names[i])))
            return (enum device_csv_column)i;
    }
    return device_csv_cloud_name(header).len > 0 ? CSV_COLUMN_CLOUD : CSV_COLUMN_OTHER;
}

slice device_csv_cloud_name(slice header)
{
    if (!slice_starts_with_nocase(header, CLOUD_PREFIX))
        return (slice){0};
    return slice_from(header, CLOUD_PREFIX.len);
}

/* --- IDs and names -------------------------------------------------------------------------- */

bool device_csv_is_id_character(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

bool device_csv_is_formula(slice text)
{
    return text.len > 0 && memchr("=+-@\t\r", text.ptr[0], 6) != NULL;
}

bool device_csv_needs_apostrophe(slice name)
{
    while (name.len > 0 && name.ptr[0] == '\'')
        name = slice_from(name, 1);
    return device_csv_is_formula(name);
}

slice device_csv_without_apostrophe(slice cell)
{
    bool has_one = cell.len > 0 && cell.ptr[0] == '\'';

    return has_one && device_csv_needs_apostrophe(cell) ? slice_from(cell, 1) : cell;
}
