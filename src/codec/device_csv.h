/* What the CSV files of devices share, read or written: columns, findings, and the apostrophe that
 * keeps names from being formulas. Source: contract/central.md 3. Pure. */
#ifndef MUSTER_CODEC_DEVICE_CSV_H
#define MUSTER_CODEC_DEVICE_CSV_H

#include "base/buf.h"

#define DEVICE_CSV_ID_MAX 128      /* characters */
#define DEVICE_CSV_NAME_MAX 148    /* characters */
#define DEVICE_CSV_KEY_MIN 16      /* bytes, decoded */
#define DEVICE_CSV_KEY_MAX 64      /* bytes, decoded */
#define DEVICE_CSV_MESSAGE_MAX 240 /* bytes, with a NUL */

/* One row a rule of central.md 3.3. F: the file is not read. R: the row is rejected. W: it is
 * applied all the same. */
enum device_csv_code {
    CSV_F01_NOT_TEXT,
    CSV_F02_NO_ID_COLUMN,
    CSV_F03_DOUBLE_HEADER,
    CSV_F04_TOO_LARGE,
    CSV_F05_GONE, /* the chosen template or organization */
    CSV_R01_ID_EMPTY,
    CSV_R02_ID_TOO_LONG,
    CSV_R03_ID_CHARACTER,
    CSV_R04_ID_UPPER_CASE,
    CSV_R05_NAME_TOO_LONG,
    CSV_R06_ID_TWICE,
    CSV_R07_DEVICE_EXISTS,
    CSV_R08_NOT_A_RECORD,
    CSV_R09_KEY,
    CSV_R10_UNKNOWN_REFERENCE,
    CSV_R11_DEVICE_LIMIT,
    CSV_W01_COLUMN_IGNORED,
    CSV_W02_LOWERED,
    CSV_W03_SKIPPED,
    CSV_CODE_COUNT
};
/* "R04". */
const char *device_csv_code_name(enum device_csv_code code);
/* "file" or "row". */
const char *device_csv_code_level(enum device_csv_code code);
bool device_csv_code_is_error(enum device_csv_code code);

/* What was found, and where. */
struct device_csv_finding {
    enum device_csv_code code;
    uint64_t line; /* of the file, from 1; that in which the row begins */
    slice column;  /* the header's spelling; empty when it is no single column */
    char message[DEVICE_CSV_MESSAGE_MAX];
};

/* Fills in all but `line`. A message that is too long is cut between two characters. */
void device_csv_finding_set(struct device_csv_finding *f, enum device_csv_code code, slice column,
                            const char *format, ...) PRINTF_LIKE(4, 5);

/* The known columns, in the order of the export. */
enum device_csv_column {
    CSV_COLUMN_ID,
    CSV_COLUMN_NAME,
    CSV_COLUMN_SAS_PRIMARY,
    CSV_COLUMN_SAS_SECONDARY,
    CSV_COLUMN_THUMBPRINT_PRIMARY,
    CSV_COLUMN_THUMBPRINT_SECONDARY,
    CSV_COLUMN_ID_SCOPE,
    CSV_COLUMN_PROVISIONING_HOST,
    CSV_COLUMN_STATUS,
    CSV_COLUMN_TEMPLATE,
    CSV_COLUMN_ORGANIZATION,
    CSV_COLUMN_GATEWAY,
    CSV_COLUMN_CLOUD, /* MUSTER_CLOUD_<name>: as many as there are names */
    CSV_COLUMN_OTHER, /* not known */
};
#define CSV_COLUMN_KNOWN CSV_COLUMN_CLOUD /* how many have a name of their own */
const char *device_csv_column_name(enum device_csv_column column);
/* Whatever the case of the letters. `header` is trimmed. */
enum device_csv_column device_csv_column_of(slice header);
/* The property's name behind MUSTER_CLOUD_, which keeps its case. */
slice device_csv_cloud_name(slice header);

/* A letter, a digit or '-'. */
bool device_csv_is_id_character(uint8_t c);

/* Spreadsheets take a cell that begins with = + - @ TAB or CR for a formula (SECURITY-MODEL E3). */
bool device_csv_is_formula(slice text);
/* Whether a name goes out with an apostrophe in front: formulas, and for the sake of a way back
 * also what would be read as such an apostrophe and a formula. */
bool device_csv_needs_apostrophe(slice name);
/* The exact inverse: takes one apostrophe off a name that has it for that reason. */
slice device_csv_without_apostrophe(slice cell);

#endif
