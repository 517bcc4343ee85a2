#include "provisioning/attempt.h"

#include <assert.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "provisioning/provisioning_internal.h"

#define PRUNE_ONE_IN 256 /* so that a registration seldom pays for it */

static const struct sql insert_sql = {
    "INSERT INTO attempt (number, at, id_key, id, result, reason, enrollment, protocol, address,"
    " steps) SELECT COALESCE(MAX(number), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM attempt"};
static const struct sql prune_sql = {
    "DELETE FROM attempt WHERE number <= (SELECT MAX(number) FROM attempt) - ?1"};

static bool prunes(void)
{
    uint8_t random;

    static_assert(PRUNE_ONE_IN == UINT8_MAX + 1, "one value of a byte");
    random_bytes(&random, sizeof random);
    return random == 0;
}

void attempt_unit_add(struct unit *unit, const struct attempt *a)
{
    struct arena ARENA_CLEANUP arena = {.max = 4096};
    const struct sql_value params[] = {
        SQL_INT_(a->at),
        SQL_TEXT_(text_lower(&arena, a->registration_id)),
        SQL_TEXT_(a->registration_id),
        SQL_TEXT_(a->result),
        SQL_TEXT_(a->reason),
        SQL_TEXT_(a->enrollment),
        SQL_TEXT_(a->protocol),
        SQL_TEXT_(a->address),
        SQL_TEXT_(a->steps),
    };
    const struct sql_value keep[] = {SQL_INT_(ATTEMPTS_MAX)};

    unit_add(unit, &insert_sql, params, COUNT_OF(params), EXPECT_ONE);
    if (prunes())
        unit_add(unit, &prune_sql, keep, COUNT_OF(keep), EXPECT_ANY);
}

/* --- reading ---------------------------------------------------------------------------------- */

#define COLUMNS "number, at, id, result, reason, enrollment, protocol, address, steps"

struct attempt_query {
    attempt_fn *on_attempt;
    void *context;
};

static void on_rows(void *context, enum status status, struct rows *rows)
{
    struct attempt_query *q = context;

    while (status == ST_OK && rows_next(rows)) {
        const struct attempt a = {
            .number = rows_int(rows, 0),
            .at = rows_int(rows, 1),
            .registration_id = rows_bytes(rows, 2),
            .result = rows_bytes(rows, 3),
            .reason = rows_bytes(rows, 4),
            .enrollment = rows_bytes(rows, 5),
            .protocol = rows_bytes(rows, 6),
            .address = rows_bytes(rows, 7),
            .steps = rows_bytes(rows, 8),
        };

        q->on_attempt(q->context, ST_OK, &a);
    }
    if (status == ST_OK)
        status = rows_status(rows);
    q->on_attempt(q->context, status, NULL);
    free(q);
}

void attempt_list(struct store *st, slice registration_id, int64_t before, unsigned limit,
                  attempt_fn *on_attempt, void *context)
{
    static const struct sql all_sql = {"SELECT " COLUMNS " FROM attempt WHERE number < ?1"
                                       " ORDER BY number DESC LIMIT ?2"};
    static const struct sql one_sql = {"SELECT " COLUMNS " FROM attempt WHERE number < ?1"
                                       " AND id_key = ?3 ORDER BY number DESC LIMIT ?2"};
    struct arena ARENA_CLEANUP arena = {.max = 8192};
    const struct sql_value params[] = {SQL_INT_(before > 0 ? before : INT64_MAX), SQL_INT_(limit),
                                       SQL_TEXT_(text_lower(&arena, registration_id))};
    struct attempt_query *q = malloc(sizeof *q);

    if (!q) {
        on_attempt(context, ST_NO_MEMORY, NULL);
        return;
    }
    *q = (struct attempt_query){on_attempt, context};
    if (registration_id.len > 0)
        store_read(st, &one_sql, params, 3, on_rows, q);
    else
        store_read(st, &all_sql, params, 2, on_rows, q);
}
