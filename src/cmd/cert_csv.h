/* Device IDs from a CSV file, row by row, in constant memory.
 *
 * RFC 4180 as people write it: a byte-order mark, LF or CRLF or CR, quotes, blanks around values;
 * a comma, a semicolon or a tab between them, for none of these can be in an ID. If the first row
 * names a column IOTC_DEVICEID, device_id, deviceId or id (in any case), that column is read;
 * otherwise the first one, from the first row on. */
#ifndef MUSTER_CMD_CERT_CSV_H
#define MUSTER_CMD_CERT_CSV_H

#include <stdio.h>

#include "base/slice.h"

#define CSV_VALUE_MAX 256 /* bytes of a value that are kept; no ID is so long */

struct cert_csv {
    FILE *file; /* the caller's */
    size_t column;
    bool begun;
    uint64_t line;     /* at which the reader stands, from 1 */
    uint64_t position; /* bytes read */
    char value[CSV_VALUE_MAX];
};

struct csv_row {
    uint64_t line;   /* where it begins */
    slice id;        /* in the reader until the next row; empty when the row has no such column */
    bool open_quote; /* the file ends inside of quotes */
};

void cert_csv_init(struct cert_csv *csv, FILE *file);
/* The next row that is not blank; false at the end. */
CHECKED bool cert_csv_next(struct cert_csv *csv, struct csv_row *ret);

#endif
