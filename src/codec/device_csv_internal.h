/* Inside of the device CSV reader: what the header says, and what is asked of a row. */
#ifndef MUSTER_CODEC_DEVICE_CSV_INTERNAL_H
#define MUSTER_CODEC_DEVICE_CSV_INTERNAL_H

#include "codec/device_csv_read.h"

/* The file's columns. */
struct csv_header {
    size_t count;
    enum device_csv_column columns[CSV_COLUMNS_MAX];
    slice names[CSV_COLUMNS_MAX];   /* trimmed; in `text` */
    size_t where[CSV_COLUMN_KNOWN]; /* of each known column, or CSV_COLUMNS_MAX */
    struct buf text;                /* owns the names */
};

void csv_header_init(struct csv_header *h);
void csv_header_deinit(struct csv_header *h);
/* The separator of a header that begins with this line: the one with which most names are known.
 * Comma when there are none. */
uint8_t csv_separator_of(slice line);
/* Whether these cells are a header: one of them is a known name. */
bool csv_header_is_one(const slice *cells, size_t count);
/* Takes over the first record: a header, or a row of the headerless form, whose column it then
 * names. False when out of memory. */
CHECKED bool csv_header_take(struct csv_header *h, const slice *cells, size_t count);
CHECKED bool csv_header_take_headerless(struct csv_header *h);
/* F02 and F03. True when there is one. */
bool csv_header_is_refused(const struct csv_header *h, struct device_csv_finding *ret);
/* W01: the columns of keys and thumbprints, when they are not wanted, and the unknown ones. True
 * when there are any. */
bool csv_header_ignores_keys(const struct csv_header *h, bool take_keys,
                             struct device_csv_finding *ret);
bool csv_header_ignores_others(const struct csv_header *h, struct device_csv_finding *ret);

/* The lower-case IDs of one row. */
struct csv_id_room {
    uint8_t key[CSV_CELL_MAX];
};

/* Reads the cells of a record into `row` and checks them, all but R06. `room` holds what `row`
 * borrows. */
void csv_row_fill(const struct csv_header *h, const struct device_csv_options *options,
                  const slice *cells, struct csv_id_room *room, struct device_csv_row *row);

#endif
