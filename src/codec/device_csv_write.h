/* CSV files of devices that we write: the export (contract/central.md 3.6), the log of an import,
 * and its rejected rows as a file to correct and import again (3.4).
 *
 * All begin with a byte-order mark and end lines in CR LF, as spreadsheets want. Cells are quoted
 * where a reader might need it, and where an ID or a key begins like a formula: these are never
 * altered (SECURITY-MODEL E3). The buffer's failure sticks: check it once. Pure. */
#ifndef MUSTER_CODEC_DEVICE_CSV_WRITE_H
#define MUSTER_CODEC_DEVICE_CSV_WRITE_H

#include "codec/device_csv_read.h"

struct device_csv_export {
    bool raw_names;     /* no apostrophe before names that a spreadsheet takes for formulas */
    bool without_keys;  /* the SAS columns stay, empty */
    bool extra_columns; /* MUSTER_IDSCOPE to MUSTER_ORGANIZATION behind the six documented ones */
};

/* One device, as it is exported. */
struct device_csv_device {
    slice id, name;
    slice sas_primary, sas_secondary;               /* base64 */
    slice thumbprint_primary, thumbprint_secondary; /* SHA-1, upper-case hex */
    slice id_scope, provisioning_host, status, template_id, organization;
};

void device_csv_export_begin(const struct device_csv_export *e, struct buf *to);
void device_csv_export_device(const struct device_csv_export *e,
                              const struct device_csv_device *device, struct buf *to);

/* The log: LINE,IOTC_DEVICEID,LEVEL,CODE,COLUMN,MESSAGE. What comes out of the file and begins like
 * a formula gets an apostrophe too, but for IDs of letters, digits and '-'. */
void device_csv_log_begin(struct buf *to);
void device_csv_log_finding(slice id, const struct device_csv_finding *finding, struct buf *to);
/* A line of something that is no finding of a file: `level` and `code` are the caller's words. */
void device_csv_log_line(uint64_t line, slice id, const char *level, const char *code,
                         slice message, struct buf *to);
/* A line for each finding of the row. */
void device_csv_log_row(const struct device_csv_row *row, struct buf *to);

/* The rejected rows under the header of their file, word for word. A row that is cut is left out:
 * it could not be corrected. */
void device_csv_rejected_begin(const struct device_csv_facts *facts, struct buf *to);
void device_csv_rejected_row(const struct device_csv_row *row, struct buf *to);

#endif
