/* The engine of operations. Everything here runs at home, on one worker, but for create and
 * destroy, which run while there are no workers. */
#include "central/operation/operation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "central/operation/import_spool.h"
#include "central/operation/operation_internal.h"
#include "central/operation/operation_store.h"
#include "identity/access/audit.h"

#define RUNNING_MAX 4    /* at once; the others wait in their queue */
#define SETBACKS_MAX 200 /* steps in a row that others' changes undid */
#define WAIT_MS 300      /* until what is not to be had now is asked for again */
#define NO_SPACE_WAIT_MS 2000
#define RUN_ARENA_MAX (4 * 1024 * 1024)

/* --- words ------------------------------------------------------------------------------------ */

static const struct {
    const char *name, *action;
    const struct operation_type *type;
} kinds[OPERATION_KIND_COUNT] = {
    [OPERATION_IMPORT] = {"import", "devices.import", &device_import_type},
    [OPERATION_APPROVE] = {"approve", "devices.approve", &device_bulk_type},
    [OPERATION_ASSOCIATE] = {"associate", "devices.associate", &device_bulk_type},
    [OPERATION_BLOCK] = {"block", "devices.block", &device_bulk_type},
    [OPERATION_UNBLOCK] = {"unblock", "devices.unblock", &device_bulk_type},
    [OPERATION_DELETE] = {"delete", "devices.delete", &device_bulk_type},
    [OPERATION_JOB] = {"job", "jobs.run", &job_type},
};

const char *operation_kind_name(enum operation_kind kind)
{
    return (unsigned)kind < OPERATION_KIND_COUNT ? kinds[kind].name : "unknown";
}

const char *operation_action(enum operation_kind kind)
{
    return kinds[kind].action;
}

const struct operation_type *operation_type_of(enum operation_kind kind)
{
    return kinds[kind].type;
}

const char *operation_state_name(enum operation_state state)
{
    static const char *const names[] = {
        [OPERATION_QUEUED] = "queued", [OPERATION_RUNNING] = "running",
        [OPERATION_DONE] = "done",     [OPERATION_DONE_WITH_ERRORS] = "doneWithErrors",
        [OPERATION_FAILED] = "failed", [OPERATION_CANCELLED] = "cancelled",
    };

    return (unsigned)state < COUNT_OF(names) ? names[state] : "unknown";
}

/* --- runs ------------------------------------------------------------------------------------- */

struct operation_run *operation_run_create(struct operations *ops, enum operation_kind kind,
                                           slice id, slice actor, slice parameters, slice items)
{
    struct operation_run *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    arena_init(&r->arena, RUN_ARENA_MAX);
    buf_init(&r->end.log, REPORT_BYTES_MAX);
    r->ops = ops;
    r->kind = kind;
    r->type = operation_type_of(kind);
    r->id = arena_copy(&r->arena, id);
    r->actor = arena_copy(&r->arena, actor);
    r->parameters = arena_copy(&r->arena, parameters);
    r->items = arena_copy(&r->arena, items);
    r->progress.version = 1;
    r->progress.total = -1;
    if (!r->arena.failed)
        return r;
    operation_run_destroy(r);
    return NULL;
}

void operation_run_destroy(struct operation_run *r)
{
    if (!r)
        return;
    timer_cancel(&r->timer);
    if (r->own)
        r->type->destroy(r);
    buf_deinit(&r->end.log);
    arena_deinit(&r->arena);
    free(r);
}

static struct operation_run **place_of(struct operation_run *r)
{
    struct operation_run **place = &r->ops->runs;

    while (*place && *place != r)
        place = &(*place)->next;
    return place;
}

/* --- steps ------------------------------------------------------------------------------------ */

static void start_queued(struct operations *ops);

static void step(struct operation_run *r)
{
    if (r->is_cancelled && !r->type->stops_itself)
        operation_end(r, OPERATION_CANCELLED, "", (slice){0});
    else
        r->type->step(r);
}

static void on_next(struct mail *mail)
{
    struct operation_run *r = (struct operation_run *)mail;

    r->is_posted = false;
    step(r);
}

void operation_next(struct operation_run *r)
{
    if (r->is_posted)
        return;
    r->is_posted = true;
    r->mail.run = on_next;
    worker_post(r->ops->home, &r->mail);
}

static struct operation_run *run_of(struct timer *t)
{
    return (struct operation_run *)((char *)t - offsetof(struct operation_run, timer));
}

static void on_waited(struct timer *t)
{
    step(run_of(t));
}

void operation_wait(struct operation_run *r)
{
    timer_arm(r->ops->home, &r->timer, WAIT_MS, on_waited);
}

struct unit *operation_unit(struct operation_run *r)
{
    struct unit *unit = unit_create(r->ops->c->st);

    if (!unit)
        operation_wait(r);
    return unit;
}

/* A race with somebody else's change is run again at once; what is not to be had for now, later,
 * and for as long as it takes. */
static void on_rolled_back(struct operation_run *r, enum status status)
{
    r->type->rolled_back(r);
    if (status == ST_INTERNAL || status == ST_TOO_LARGE || r->setbacks == SETBACKS_MAX) {
        LOG_ERROR("operation_failed", LOG_TEXT("id", r->id),
                  LOG_STR("status", status_name(status)));
        operation_end(r, OPERATION_FAILED, "a step could not be stored; the log knows more",
                      (slice){0});
    } else if (status == ST_CONFLICT) {
        r->setbacks++;
        operation_next(r);
    } else {
        r->setbacks += status == ST_NO_MEMORY;
        timer_arm(r->ops->home, &r->timer, status == ST_NO_SPACE ? NO_SPACE_WAIT_MS : WAIT_MS,
                  on_waited);
    }
}

static void on_step(void *context, enum status status, struct unit *unit)
{
    struct operation_run *r = context;

    (void)unit;
    if (status != ST_OK) {
        on_rolled_back(r, status);
        return;
    }
    r->setbacks = 0;
    r->ahead.version = r->progress.version + 1;
    r->progress = r->ahead;
    r->type->committed(r);
}

void operation_commit(struct operation_run *r, struct unit *unit,
                      const struct operation_progress *to, const struct operation_findings *found)
{
    operation_unit_advance(unit, r, to, found, clock_wall_ms());
    r->ahead = *to;
    unit_submit(unit, on_step, r);
}

/* --- the beginning ---------------------------------------------------------------------------- */

static void start(struct operation_run *r);

static void on_start_waited(struct timer *t)
{
    start(run_of(t));
}

static void on_started(void *context, enum status status, struct unit *unit)
{
    struct operation_run *r = context;

    (void)unit;
    if (status != ST_OK) {
        timer_arm(r->ops->home, &r->timer, NO_SPACE_WAIT_MS, on_start_waited);
        return;
    }
    r->is_started = true;
    r->progress.version++;
    step(r);
}

static void start(struct operation_run *r)
{
    struct unit *unit;

    if (!r->own && !r->type->begin(r)) {
        timer_arm(r->ops->home, &r->timer, NO_SPACE_WAIT_MS, on_start_waited);
        return;
    }
    if (r->is_started) { /* by a process that is no more */
        operation_next(r);
        return;
    }
    unit = unit_create(r->ops->c->st);
    if (!unit) {
        timer_arm(r->ops->home, &r->timer, WAIT_MS, on_start_waited);
        return;
    }
    operation_unit_start(unit, r, clock_wall_ms());
    unit_submit(unit, on_started, r);
}

/* In the order in which they were begun. */
static void start_queued(struct operations *ops)
{
    struct operation_run *next;

    for (struct operation_run *r = ops->runs; r && ops->running < RUNNING_MAX; r = next) {
        next = r->next;
        if (r->is_running)
            continue;
        r->is_running = true;
        ops->running++;
        LOG_INFO("operation_started", LOG_TEXT("id", r->id),
                 LOG_STR("kind", operation_kind_name(r->kind)),
                 LOG_INT("from", r->progress.processed));
        start(r);
    }
}

static void push_sent(struct operation_run *r)
{
    r->next = atomic_load(&r->ops->sent);
    while (!atomic_compare_exchange_weak(&r->ops->sent, &r->next, r))
        ;
}

/* The others stay: the mail of each is still on its way. */
static void unlink_sent(struct operation_run *r)
{
    struct operation_run *sent = atomic_exchange(&r->ops->sent, NULL);

    while (sent) {
        struct operation_run *other = sent;

        sent = sent->next;
        if (other != r)
            push_sent(other);
    }
}

static void on_sent(struct mail *mail)
{
    struct operation_run *r = (struct operation_run *)mail;
    struct operation_run **end = &r->ops->runs;

    unlink_sent(r);
    while (*end)
        end = &(*end)->next;
    r->next = NULL;
    *end = r;
    start_queued(r->ops);
}

/* A mail that comes too late for the last turn never runs; what is in the list is freed all the
 * same. */
void operation_run_send(struct operation_run *r)
{
    r->mail.run = on_sent;
    push_sent(r);
    worker_post(r->ops->home, &r->mail);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void submit_end(struct operation_run *r);

static void on_end_waited(struct timer *t)
{
    submit_end(run_of(t));
}

static void prune(struct operations *ops)
{
    struct unit *unit = unit_create(ops->c->st);

    if (!unit)
        return; /* the next end prunes as well */
    operation_unit_prune(unit, clock_wall_ms());
    unit_submit(unit, NULL, NULL);
}

static void on_ended(void *context, enum status status, struct unit *unit)
{
    struct operation_run *r = context;
    struct operations *ops = r->ops;

    (void)unit;
    if (status != ST_OK) { /* tried for as long as it takes, for an operation must end */
        timer_arm(ops->home, &r->timer, NO_SPACE_WAIT_MS, on_end_waited);
        return;
    }
    LOG_INFO("operation_ended", LOG_TEXT("id", r->id),
             LOG_STR("state", operation_state_name(r->end.state)),
             LOG_INT("processed", r->progress.processed), LOG_INT("failed", r->progress.failed));
    if (r->own)
        r->type->finished(r);
    *place_of(r) = r->next;
    operation_run_destroy(r);
    ops->running--;
    prune(ops);
    start_queued(ops);
}

static void add_audit(struct operation_run *r, struct unit *unit)
{
    BUF_CLEANUP struct buf counts = {.max = 4096};

    operation_write_counts(r->type, r->progress.counts, &counts);
    const struct audit_entry e = {
        .actor = r->actor,
        .action = slice_str(operation_action(r->kind)),
        .target = r->id,
        .result = slice_str(operation_state_name(r->end.state)),
        .after = counts.failed ? (slice){0} : buf_slice(&counts),
    };

    audit_unit_add(unit, &e);
}

static void submit_end(struct operation_run *r)
{
    struct unit *unit = unit_create(r->ops->c->st);

    if (!unit) {
        timer_arm(r->ops->home, &r->timer, WAIT_MS, on_end_waited);
        return;
    }
    operation_unit_end(unit, r, clock_wall_ms());
    add_audit(r, unit);
    unit_submit(unit, on_ended, r);
}

void operation_end(struct operation_run *r, enum operation_state state, const char *message,
                   slice log)
{
    if (state == OPERATION_DONE && r->progress.failed > 0)
        state = OPERATION_DONE_WITH_ERRORS;
    r->end.state = state;
    snprintf(r->end.message, sizeof r->end.message, "%s", message);
    buf_append(&r->end.log, log);
    submit_end(r);
}

/* --- life ------------------------------------------------------------------------------------- */

static void on_wake(struct mail *mail)
{
    struct operations *ops =
        (struct operations *)((char *)mail - offsetof(struct operations, wake));

    start_queued(ops);
}

static bool open_folder(struct operations *ops, struct fault *why)
{
    int data = open(ops->options.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ops->folder = -1;
    if (data >= 0 && (mkdirat(data, IMPORT_FOLDER, 0700) == 0 || errno == EEXIST))
        ops->folder = openat(data, IMPORT_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (ops->folder < 0)
        (void)fault_set(why, ST_UNAVAILABLE, "the folder %s/%s: %s", ops->options.directory,
                        IMPORT_FOLDER, strerror(errno));
    if (data >= 0)
        close(data);
    return ops->folder >= 0;
}

struct operations *operations_create(struct central *c, const struct operations_options *options,
                                     struct fault *why)
{
    struct operations *ops = calloc(1, sizeof *ops);

    if (!ops) {
        (void)fault_set(why, ST_NO_MEMORY, "no memory for operations");
        return NULL;
    }
    ops->c = c;
    ops->options = *options;
    ops->home = workers_at(c->ws, 0);
    if (!open_folder(ops, why)) {
        operations_destroy(ops);
        return NULL;
    }
    if (operation_load_live_now(ops, &ops->runs) != ST_OK) {
        (void)fault_set(why, ST_UNAVAILABLE, "the operations could not be read");
        operations_destroy(ops);
        return NULL;
    }
    import_spool_sweep(ops);
    ops->wake.run = on_wake;
    worker_post(ops->home, &ops->wake);
    return ops;
}

static void destroy_runs(struct operation_run *runs)
{
    while (runs) {
        struct operation_run *r = runs;

        runs = r->next;
        operation_run_destroy(r);
    }
}

void operations_destroy(struct operations *ops)
{
    if (!ops)
        return;
    destroy_runs(ops->runs);
    destroy_runs(atomic_load(&ops->sent));
    if (ops->folder >= 0)
        close(ops->folder);
    free(ops);
}

const struct sealer *operations_sealer(const struct operations *ops)
{
    return ops->options.sealer;
}
