/* Files of devices to import: bytes in, one call back a row out (contract/central.md 3.1, 3.3).
 *
 *     chunks -> csv_text (UTF-8) -> csv_record (cells) -> header -> rows with findings -> on_row
 *
 * All three generations are read: one column of IDs without a header, IOTC_DeviceID and
 * IOTC_DEVICEID with names; separated by comma, semicolon or tab, told from the header. Empty
 * lines are passed over and counted.
 *
 * Memory: less than 2 MB, and 28 MB more at most for the IDs seen (id_set.h), whatever the file.
 * Rows are handed out as they are read, so a finding of the file (F01, F04) may follow good rows:
 * who must not begin before the file is known to be sound reads it twice.
 *
 * What only the application knows (F05, R07, R10, R11, W03) it adds in on_row. R07 is decided
 * before R03 and R04: say device_csv_row_exists for a device that is there. Pure. */
#ifndef MUSTER_CODEC_DEVICE_CSV_READ_H
#define MUSTER_CODEC_DEVICE_CSV_READ_H

#include "base/status.h"
#include "codec/csv_record.h"
#include "codec/csv_text.h"
#include "codec/device_csv.h"
#include "codec/id_set.h"

#define DEVICE_CSV_BYTES_MAX ((uint64_t)200 << 20)
#define DEVICE_CSV_ROWS_MAX ID_SET_MAX
#define DEVICE_CSV_ROW_FINDINGS_MAX 12

struct device_csv_options {
    uint64_t max_bytes;             /* 0: DEVICE_CSV_BYTES_MAX, which is also the most */
    uint64_t max_rows;              /* 0: DEVICE_CSV_ROWS_MAX, which is also the most */
    bool any_case;                  /* deviceIdCase=any */
    bool lower_ids;                 /* Convert to lower case: W02 instead of R04 */
    bool take_keys;                 /* Create individual enrollments from keys in the file */
    bool keep_apostrophes;          /* the file is a raw export */
    uint8_t id_key[ID_SET_KEY_LEN]; /* random: see id_set.h */
};

struct device_csv_property {
    slice name, value;
};

/* A row with what it says of a device. Slices borrow until on_row returns. Of a row with R08 only
 * `number`, `line` and `raw` say anything. A column that the file has not is a NULL slice, an empty
 * cell an empty one. */
struct device_csv_row {
    uint64_t number; /* of the rows, from 1 */
    uint64_t line;   /* of the file, from 1 */
    slice raw;       /* as in the file, but UTF-8 and without the line's end */
    bool raw_is_cut; /* the line is longer than any row may be; raw may end inside a character */
    slice id;        /* the device's, lower-case with lower_ids */
    slice key;       /* lower-case: IDs that differ in case are one device */
    slice name;      /* the ID when the file has none; its apostrophe is off */
    slice template_id, organization, gateway;
    slice sas_primary, sas_secondary; /* base64; with take_keys only, and then both or none */
    struct device_csv_property cloud[CSV_COLUMNS_MAX];
    size_t cloud_count; /* empty cells are left out */
    struct device_csv_finding findings[DEVICE_CSV_ROW_FINDINGS_MAX];
    size_t finding_count;
};

/* Whether a finding is an error: the row must not be applied. */
bool device_csv_row_is_rejected(const struct device_csv_row *row);
/* The device is there already: what rules new IDs only (R03, R04) is taken back. */
void device_csv_row_exists(struct device_csv_row *row);
/* Adds what the application found, in the row's line; the last place is kept when all are taken. */
void device_csv_row_add(struct device_csv_row *row, enum device_csv_code code, slice column,
                        const char *format, ...) PRINTF_LIKE(4, 5);

struct device_csv_events {
    /* Every row, sound or not. False ends the reading. */
    bool (*on_row)(void *context, struct device_csv_row *row);
    /* What concerns the whole file: F01 to F04, which end the reading, and W01. */
    void (*on_file)(void *context, const struct device_csv_finding *finding);
};

/* What the file turned out to be, as far as it has been read. */
struct device_csv_facts {
    enum csv_encoding encoding;
    uint8_t separator; /* 0 while unknown */
    bool has_header;
    slice header; /* the header's text, without the line's end; borrowed from the reader */
    uint64_t bytes, rows;
};

struct device_csv_reader;

/* NULL when out of memory. `events` and `context` are kept. */
struct device_csv_reader *device_csv_reader_create(const struct device_csv_options *options,
                                                   const struct device_csv_events *events,
                                                   void *context);
void device_csv_reader_destroy(struct device_csv_reader *r);

/* The next bytes of the file, as many as there are. Anything but ST_OK is final:
 * ST_BAD_REQUEST after F01 to F03, ST_TOO_LARGE after F04, ST_REFUSED when on_row was false,
 * ST_NO_MEMORY. */
CHECKED enum status device_csv_reader_feed(struct device_csv_reader *r, slice bytes);
/* The end of the file. */
CHECKED enum status device_csv_reader_finish(struct device_csv_reader *r);
struct device_csv_facts device_csv_reader_facts(const struct device_csv_reader *r);

#endif
