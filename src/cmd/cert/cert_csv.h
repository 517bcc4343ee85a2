/* Device IDs from a CSV file, row by row, in constant memory: the text of codec/csv_text.h, the
 * records of codec/csv_record.h, separated by comma, semicolon or tab, whichever the first line
 * has most of.
 *
 * If the first row names a column IOTC_DEVICEID, device_id, deviceId or id (in any case), that
 * column is read. A file of one column needs no such row. Any other file is refused: its first line
 * would become a device. */
#ifndef MUSTER_CMD_CERT_CSV_H
#define MUSTER_CMD_CERT_CSV_H

#include <stdio.h>

#include "codec/csv_record.h"
#include "codec/csv_text.h"

struct cert_csv {
    FILE *file; /* the caller's */
    struct csv_text text;
    struct buf pending; /* text not yet read as records */
    size_t begin;       /* of the next record in it */
    struct csv_record record;
    size_t column;
    uint64_t line;     /* in which the next record begins, from 1 */
    uint64_t position; /* bytes read */
    bool at_end, knows_separator, knows_column, skips_line;
    bool has_header;
};

struct csv_row {
    uint64_t line;     /* where it begins */
    slice id;          /* in the reader until the next row; empty when the row has no such column */
    const char *fault; /* why the row cannot be read; NULL when it can */
};

void cert_csv_init(struct cert_csv *csv, FILE *file);
void cert_csv_deinit(struct cert_csv *csv);
/* The next row that is not blank. ST_NOT_FOUND at the end; anything else refuses the file. */
CHECKED enum status cert_csv_next(struct cert_csv *csv, struct csv_row *ret, struct fault *why);

#endif
