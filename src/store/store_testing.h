/* For tests only: a store in a folder of its own, workers, and ways to wait for them. */
#ifndef MUSTER_STORE_STORE_TESTING_H
#define MUSTER_STORE_STORE_TESTING_H

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/store.h"

struct store_fixture {
    char directory[64];
    struct workers *ws;
    struct store *st;
};

static inline void fixture_remove_folder(const char *directory)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    if (system(command) != 0)
        fprintf(stderr, "could not remove %s\n", directory);
}

static inline void fixture_make_folder(char directory[64])
{
    snprintf(directory, 64, "./muster-test-XXXXXX");
    if (!mkdtemp(directory))
        abort();
}

/* Opens the store in the folder that is there, with `schema` or NULL. */
static inline bool fixture_open(struct store_fixture *f, unsigned workers,
                                const struct store_schema *schema, struct fault *why)
{
    const struct store_options options = {
        .directory = f->directory, .schemas = &schema, .schema_count = schema ? 1 : 0};

    f->ws = workers_create(workers);
    f->st = store_open(f->ws, &options, why);
    return f->st != NULL;
}

static inline void fixture_close(struct store_fixture *f)
{
    workers_stop(f->ws);
    store_close(f->st);
    workers_destroy(f->ws);
}

/* Waits until `sem` was posted `count` times; a test that hangs here is ended by its time limit. */
static inline void fixture_wait(sem_t *sem, unsigned count)
{
    while (count > 0) {
        if (sem_wait(sem) == 0)
            count--;
    }
}

/* Runs one statement as a unit and waits. */
static inline enum status fixture_run(struct store *st, const struct sql *sql,
                                      const struct sql_value *params, size_t count,
                                      enum unit_expect expect)
{
    struct unit *unit = unit_create(st);
    enum status status;

    if (!unit)
        return ST_UNAVAILABLE;
    unit_add(unit, sql, params, count, expect);
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

static inline void fixture_first_int(void *context, enum status status, struct rows *rows)
{
    int64_t *ret = (int64_t *)context;

    *ret = status == ST_OK && rows_next(rows) ? rows_int(rows, 0) : -1;
}

/* The first column of the first row, read on the calling thread; -1 if there is none. */
static inline int64_t fixture_number(struct store *st, const struct sql *sql)
{
    int64_t number = -1;

    if (store_read_now(st, sql, NULL, 0, fixture_first_int, &number) != ST_OK)
        return -1;
    return number;
}

#endif
