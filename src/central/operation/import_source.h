/* Inside imports: the file on its way into batches, and the batches into units of work.
 *
 *     file -> device_csv reader -> rows -> batch: judged against what there is -> unit, reports
 *
 * A source belongs to the home worker, and to one pool job while that runs. The file is read twice:
 * once to see whether it is a table at all, how many rows it has, and what of it is ignored
 * (import_source_check); then in batches. To go on somewhere it is read from the start again, and
 * rows up to there are passed over: which IDs came before (R06) is known only so. */
#ifndef MUSTER_CENTRAL_IMPORT_SOURCE_H
#define MUSTER_CENTRAL_IMPORT_SOURCE_H

#include "central/operation/device_import.h"
#include "central/operation/operation_internal.h"
#include "codec/device_csv_read.h"

#define IMPORT_BATCH_ROWS 512
#define IMPORT_BATCH_BYTES ((size_t)4 << 20) /* of rows; one more may come */

/* What becomes of rows; behind them one count for each code of a finding. */
enum import_count {
    IMPORT_ADDED,
    IMPORT_UPDATED,
    IMPORT_UNCHANGED,
    IMPORT_SKIPPED,
    IMPORT_LOG_LEFT_OUT,      /* findings for which the log had no room */
    IMPORT_REJECTED_LEFT_OUT, /* rows likewise */
    IMPORT_CODES,
    IMPORT_COUNTS = IMPORT_CODES + CSV_CODE_COUNT
};
_Static_assert(IMPORT_COUNTS <= OPERATION_COUNTS_MAX, "an operation has as many counts");

/* IDs of published templates, in order. */
struct import_templates {
    struct arena arena;
    slice *ids;
    size_t count, capacity;
};
bool import_templates_have(const struct import_templates *t, slice id);

/* What is kept of a row until its batch is full: a device_csv_row has room for much that few rows
 * have. */
struct import_row {
    struct import_row *next;
    struct import_row *next_in_bucket;
    uint64_t number, line;
    slice raw, id, key, name, template_id, sas_primary, sas_secondary;
    const struct device_csv_finding *findings;
    size_t finding_count;
    bool raw_is_cut;
    bool has_name; /* the file gives one */
    bool exists;
    bool is_accepted;
    const struct device *stored; /* with IMPORT_UPDATE */
    bool is_foreign;             /* an enrollment of its ID stands for another device */
};

struct import_source {
    struct central *c;
    struct device_import_options options;
    const struct import_templates *templates;
    bool any_case;
    int64_t device_limit, devices; /* how many there are, once this is all committed */
    int fd;
    uint64_t offset; /* of the file, read so far */
    uint64_t skip;   /* rows that were done before */
    struct device_csv_reader *reader;
    struct operation_progress ahead; /* behind the last batch that was made */
    bool is_checking, has_references, has_cloud;
    struct buf file_log;                 /* findings of the file */
    char message[OPERATION_MESSAGE_MAX]; /* the finding that ended the reading */
    struct import_batch *filling;
};

/* What a batch changed, told once it is durable. */
struct import_event {
    struct import_event *next;
    slice device_id;
    unsigned events; /* enum lifecycle_event */
};

struct import_used {
    struct import_used *next;
    slice id;
};

struct import_batch {
    struct arena arena;
    struct import_row *first, **end;
    size_t count;
    struct unit *unit;
    instant now;
    struct operation_progress to;
    struct buf log, rejected;
    struct import_event *events;
    struct import_used *templates; /* that new or changed devices get */
    bool is_last;
};

/* Begins (anew) behind what is committed. */
void import_source_rewind(struct import_source *s, const struct operation_progress *committed);
void import_source_deinit(struct import_source *s);

/* --- on the pool ------------------------------------------------------------------------------ */

/* Reads on, some of the file. *ret_end: all of it is read. ST_BAD_REQUEST, ST_TOO_LARGE: the file
 * is refused, see file_log and message. */
CHECKED enum status import_source_check(struct import_source *s, bool *ret_end);
/* The next batch; it may be without rows while those to be passed over are read. */
CHECKED enum status import_source_fill(struct import_source *s, struct import_batch **ret);
/* Judges the rows, and makes the unit and the reports. */
CHECKED enum status import_batch_make(struct import_source *s, struct import_batch *b);
void import_batch_destroy(struct import_batch *b);

#endif
