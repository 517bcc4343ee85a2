/* limits FOLDER SECONDS: the durable twin updates a second that SQLite itself can do.
 *
 * Upserts by a text key among 50,000 rows of 300 bytes, 100 in a transaction, each transaction
 * synced before the next begins: what no server that keeps twins in SQLite can beat with batches
 * of that size. Prints the rows a second. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#define ROWS 50000
#define BODY_LEN 300
#define BATCH 100

static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    "CREATE TABLE twin (device_id TEXT PRIMARY KEY, version INTEGER, body TEXT) WITHOUT ROWID;";
static const char upsert[] = "INSERT INTO twin VALUES (?1, 1, ?2) ON CONFLICT (device_id)"
                             " DO UPDATE SET version = version + 1, body = excluded.body";

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The next of a sequence that looks random enough to leave no page untouched. */
static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static bool put(sqlite3_stmt *statement, uint32_t device, const char *body)
{
    char id[24];
    int len = snprintf(id, sizeof id, "device-%" PRIu32, device);

    sqlite3_bind_text(statement, 1, id, len, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, body, BODY_LEN, SQLITE_STATIC);
    return sqlite3_step(statement) == SQLITE_DONE && sqlite3_reset(statement) == SQLITE_OK;
}

static bool execute(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool fill(sqlite3 *db, sqlite3_stmt *statement, const char *body)
{
    if (!execute(db, "BEGIN"))
        return false;
    for (uint32_t i = 0; i < ROWS; i++) {
        if (!put(statement, i, body))
            return false;
    }
    return execute(db, "COMMIT");
}

static bool update_batch(sqlite3 *db, sqlite3_stmt *statement, const char *body, uint32_t *random)
{
    if (!execute(db, "BEGIN"))
        return false;
    for (int i = 0; i < BATCH; i++) {
        if (!put(statement, next_random(random) % ROWS, body))
            return false;
    }
    return execute(db, "COMMIT");
}

/* Rows a second; negative when SQLite said no. */
static double measure(sqlite3 *db, sqlite3_stmt *statement, double seconds)
{
    char body[BODY_LEN];
    uint32_t random = 1;
    double began, rows = 0;

    memset(body, 'b', sizeof body);
    if (!fill(db, statement, body))
        return -1;
    for (began = now(); now() - began < seconds; rows += BATCH) {
        if (!update_batch(db, statement, body, &random))
            return -1;
    }
    return rows / (now() - began);
}

int main(int argc, char **argv)
{
    char path[4096];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    double rate = -1;

    if (argc != 3 || snprintf(path, sizeof path, "%s/limits.db", argv[1]) >= (int)sizeof path) {
        fprintf(stderr, "usage: limits FOLDER SECONDS\n");
        return 2;
    }
    remove(path);
    if (sqlite3_open(path, &db) == SQLITE_OK && execute(db, schema) &&
        sqlite3_prepare_v2(db, upsert, -1, &statement, NULL) == SQLITE_OK)
        rate = measure(db, statement, strtod(argv[2], NULL));
    if (rate < 0)
        fprintf(stderr, "limits: %s\n", sqlite3_errmsg(db));
    else
        printf("%.0f\n", rate);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    remove(path);
    return rate < 0;
}
