/* Between the parts of the projection (projection.h).
 *
 *     projection.c            life, and the lanes: one for each partition, on one worker
 *     projection_gather.c     a step's messages, by device
 *     projection_group.c      some of its devices as a unit of work, on the pool
 *     projection_models.c     the models that its values are judged by
 *     projection_retention.c  what is too old, and what was forgotten
 *     projection_store.c      their rows
 *
 *          told, paced             end of the log, or enough
 *     IDLE ----------> READING --------------------------> GROUPS --all written--> IDLE
 *                        | ^                                | ^
 *                        +-+ pool: part after part          +-+ pool, commit: one group
 *
 * What is the pool's while a job of the lane is there: the step, and how far it has read. */
#ifndef MUSTER_CENTRAL_PROJECTION_INTERNAL_H
#define MUSTER_CENTRAL_PROJECTION_INTERNAL_H

#include "base/arena.h"
#include "central/property/device_model.h"
#include "central/telemetry/history_chunk.h"
#include "central/telemetry/projection.h"
#include "hub/telemetry.h"

/* --- a step's messages: projection_gather.c --------------------------------------------------- */

struct gathered_message {
    struct gathered_message *next;
    uint64_t offset;
    instant enqueued_at;
    slice bag, body;
};

struct gathered_device {
    struct gathered_device *next, *next_in_bucket;
    slice id, generation_id;
    struct gathered_message *first, *last;
    size_t count, bytes;
    struct gathered_message newest; /* where messages were left out; `text` holds it */
    bool has_newest;
    struct buf text;
};

#define GATHER_BUCKETS 4096
struct gathering {
    struct arena arena;
    struct gathered_device **buckets;
    struct gathered_device *first, *last;
    size_t devices, messages, bytes;
    size_t sampled;      /* messages left out */
    instant first_at;    /* when the first was taken in */
    bool has_first, cut; /* cut: the step ends here though the log goes on */
};

CHECKED bool gathering_begin(struct gathering *g);
void gathering_end(struct gathering *g);
/* False: not taken, the step ends before this message. */
CHECKED bool gathering_add(struct gathering *g, const struct d2c_message *m);

/* --- models: projection_models.c ---------------------------------------------------------------
 */

#define MODELS_KEPT 32
struct lane_models {
    struct lane_model {
        struct device_model model;
        int64_t version; /* of the template */
        uint64_t used_at;
    } list[MODELS_KEPT];
    size_t count, bytes;
    uint64_t clock;
};

struct lane;
/* Borrowed until the next call; NULL: not judged now. `*reads` counts those of a group. */
const struct device_model *lane_model_of(struct lane *lane, slice template_id, int64_t version,
                                         unsigned *reads);
void lane_models_deinit(struct lane_models *m);

/* --- lanes: projection.c -----------------------------------------------------------------------
 */

enum lane_state { LANE_IDLE, LANE_READING, LANE_GROUPS };

struct lane {
    struct timer timer;
    struct mail mail;
    struct pool_job job;
    struct projection *projection;
    struct worker *worker;
    unsigned partition;
    enum lane_state state;
    bool mail_posted;
    uint64_t next; /* the offset that is stored: all before it is told */
    uint64_t at;   /* how far the step has read */
    uint64_t part_from, step_end;
    uint64_t known_end;   /* of the log, as far as we were told */
    int64_t lag;          /* as the metric has it */
    int64_t began_ms;     /* the last step, monotonic */
    int64_t took_ms;      /* the last step */
    int64_t submitted_ms; /* the group's unit, likewise */
    size_t read_bytes;    /* of this part */
    enum status read_status;
    struct gathering step;
    struct gathered_device *group;      /* the first device of the group */
    struct gathered_device *next_group; /* behind its last; NULL: it is the step's last group */
    struct lane_models models;          /* the pool's, too */
    struct unit *unit;                  /* of the group, from the pool to the submit */
};

struct projection_retention {
    struct timer timer;
    struct mail mail;
    struct projection *projection;
};

struct projection {
    struct workers *ws;
    struct store *st;
    struct stream_log *log;
    struct projection_options options;
    struct projection_retention retention;
    unsigned lane_count;
    struct lane lanes[];
};

/* --- projection_group.c: on the pool ------------------------------------------------------------
 */

/* Makes lane->unit of the group; NULL: something is not to be had for now. */
void projection_make_group(struct lane *lane);

/* --- projection_retention.c ----------------------------------------------------------------------
 */

void projection_retention_start(struct projection *p);

#endif
