#include "identity/device_search.h"

#include <stdlib.h>

#define INDEX_ROWS 500 /* in one unit: some 5 ms of the writer's time */
/* Between units while there is something to do: others come first. So long, and so many times as
 * long as the last unit took: the more the writer has to do, the less it is asked for. */
#define PAUSE_MS 20
#define PAUSE_TIMES 4
#define LOOK_EVERY_MS 500
#define GRAM_LEN 3 /* characters */

#define TEXT_OF(row) row ".device_key || char(10) || " row ".display_name"
#define UPTO "(SELECT upto FROM device_search_state)"
#define LAST_ROW "(SELECT COALESCE(MAX(rowid), 0) FROM device)"
#define TEXT_(number) TEXT__(number)
#define TEXT__(number) #number

/* A virtual table is not for triggers (SECURITY-MODEL.md, E2: trusted_schema is off), so these
 * leave a note of what the index holds of a row that has changed: once, the first time.
 * `upto` never lies behind the last row: the number of a row that was deleted there is given to
 * the next that is made. */
const char device_search_tables[] =
    "CREATE VIRTUAL TABLE device_search USING fts5(text, tokenize = 'trigram', detail = none,"
    " content = '', columnsize = 0);"
    "CREATE TABLE device_search_state (id INTEGER NOT NULL PRIMARY KEY, upto BIGINT NOT NULL);"
    "INSERT INTO device_search_state (id, upto) VALUES (1, 0);"
    "CREATE TABLE device_search_stale (number INTEGER NOT NULL PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TRIGGER device_search_renamed AFTER UPDATE OF display_name ON device"
    " WHEN old.display_name <> new.display_name AND old.module_id = '' AND old.rowid <= " UPTO
    " BEGIN"
    " INSERT OR IGNORE INTO device_search_stale (number, text)"
    " VALUES (old.rowid, " TEXT_OF(
        "old") ");"
               " END;"
               "CREATE TRIGGER device_search_deleted AFTER DELETE ON device BEGIN"
               " INSERT OR IGNORE INTO device_search_stale (number, text) SELECT "
               "old.rowid, " TEXT_OF(
                   "old") " WHERE old.module_id = '' AND old.rowid <= " UPTO ";"
                          " UPDATE device_search_state SET upto = " LAST_ROW
                          " WHERE upto > " LAST_ROW ";"
                          " END;"
                          /* For lists of a status that few devices may have, as the
                                                              others of device.h. */
                          "CREATE INDEX device_provisioned ON device (device_key)"
                          " WHERE module_id = '' AND blocked = 0 AND approved = 1 AND "
                          "provisioned = 1;";

const struct sql device_search_count_sql = {
    "SELECT COUNT(*) FROM (SELECT rowid FROM device_search WHERE device_search MATCH ?1 LIMIT ?2)"};

/* --- texts ------------------------------------------------------------------------------------ */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool holds(slice whole, slice text)
{
    for (size_t at = 0; at + text.len <= whole.len; at++) {
        size_t same = 0;

        while (same < text.len && lower(whole.ptr[at + same]) == lower(text.ptr[same]))
            same++;
        if (same == text.len)
            return true;
    }
    return false;
}

bool device_holds(const struct device *d, slice text)
{
    return holds(d->id, text) || holds(d->display_name, text);
}

/* Of the character that begins at `at`. */
static size_t character_len(slice text, size_t at)
{
    size_t len = 1;

    while (at + len < text.len && (text.ptr[at + len] & 0xc0) == 0x80)
        len++;
    return len;
}

static slice gram_at(slice text, size_t at)
{
    size_t len = 0;

    for (int i = 0; i < GRAM_LEN; i++) {
        if (at + len >= text.len)
            return (slice){0};
        len += character_len(text, at + len);
    }
    return slice_of(text.ptr + at, len);
}

static void append_quoted(struct buf *to, slice gram)
{
    buf_append_byte(to, '"');
    for (size_t i = 0; i < gram.len; i++) {
        if (gram.ptr[i] == '"')
            buf_append_byte(to, '"');
        buf_append_byte(to, gram.ptr[i]);
    }
    buf_append_byte(to, '"');
}

bool device_search_terms(slice text, struct buf *ret)
{
    slice gram = gram_at(text, 0);

    if (gram.len == 0)
        return false;
    for (size_t at = 0; gram.len > 0; gram = gram_at(text, at)) {
        if (at > 0)
            buf_append_str(ret, " AND ");
        append_quoted(ret, gram);
        at += character_len(text, at);
    }
    return !ret->failed;
}

/* --- the index, behind ------------------------------------------------------------------------ */

/* On one worker: look -> unit -> look ... Notes come first: the row of one may have got a successor
 * under its number. */
struct indexer {
    struct timer timer;
    struct mail mail;
    struct worker *home;
    struct store *st;
    int64_t asked_at_ms; /* when the unit under way was submitted; monotonic */
};

static const struct sql rest_sql = {"SELECT EXISTS (SELECT 1 FROM device_search_stale),"
                                    " " LAST_ROW " > " UPTO};

#define SOME_NOTES                                                                                 \
    "number <= (SELECT MAX(number) FROM (SELECT number FROM device_search_stale ORDER BY number"   \
    " LIMIT " TEXT_(INDEX_ROWS) "))"
static const struct sql remove_sql = {
    "INSERT INTO device_search (device_search, rowid, text)"
    " SELECT 'delete', number, text FROM device_search_stale WHERE " SOME_NOTES};
static const struct sql replace_sql = {
    "INSERT INTO device_search (rowid, text) SELECT rowid, " TEXT_OF(
        "device") " FROM device"
                  " WHERE rowid IN (SELECT number FROM device_search_stale WHERE " SOME_NOTES ")"
                  " AND rowid <= " UPTO " AND module_id = ''"};
static const struct sql forget_sql = {"DELETE FROM device_search_stale WHERE " SOME_NOTES};

#define NO_NOTES "NOT EXISTS (SELECT 1 FROM device_search_stale)"
static const struct sql index_sql = {
    "INSERT INTO device_search (rowid, text) SELECT rowid, " TEXT_OF(
        "device") " FROM device"
                  " WHERE rowid > " UPTO " AND rowid <= " UPTO
                  " + " TEXT_(INDEX_ROWS) " AND module_id = '' AND " NO_NOTES};
static const struct sql advance_sql = {
    "UPDATE device_search_state SET upto = MIN(upto + " TEXT_(INDEX_ROWS) ", " LAST_ROW ")"
                                                                          " WHERE " NO_NOTES};

static void on_time(struct timer *t);

static void look_again(struct indexer *ix, int64_t delay_ms)
{
    timer_arm(ix->home, &ix->timer, delay_ms, on_time);
}

static void on_indexed(void *context, enum status status, struct unit *unit)
{
    struct indexer *ix = context;
    int64_t took = clock_mono_ms() - ix->asked_at_ms;

    (void)unit;
    look_again(ix, status == ST_OK || status == ST_CONFLICT ? PAUSE_MS + PAUSE_TIMES * took
                                                            : LOOK_EVERY_MS);
}

static void add_statements(struct unit *unit, bool has_notes)
{
    if (has_notes) {
        unit_add(unit, &remove_sql, NULL, 0, EXPECT_ANY);
        unit_add(unit, &replace_sql, NULL, 0, EXPECT_ANY);
        unit_add(unit, &forget_sql, NULL, 0, EXPECT_ANY);
    } else {
        unit_add(unit, &index_sql, NULL, 0, EXPECT_ANY);
        unit_add(unit, &advance_sql, NULL, 0, EXPECT_ONE);
    }
}

static void on_rest(void *context, enum status status, struct rows *rows)
{
    struct indexer *ix = context;
    bool is_known = status == ST_OK && rows_next(rows);
    bool has_notes = is_known && rows_int(rows, 0) != 0;
    bool is_behind = is_known && rows_int(rows, 1) != 0;
    struct unit *unit = has_notes || is_behind ? unit_create(ix->st) : NULL;

    if (!unit) {
        look_again(ix, LOOK_EVERY_MS);
        return;
    }
    add_statements(unit, has_notes);
    ix->asked_at_ms = clock_mono_ms();
    unit_submit(unit, on_indexed, ix);
}

static void on_time(struct timer *t)
{
    struct indexer *ix = (struct indexer *)t;

    store_read(ix->st, &rest_sql, NULL, 0, on_rest, ix);
}

static void on_started(struct mail *mail)
{
    struct indexer *ix = (struct indexer *)((char *)mail - offsetof(struct indexer, mail));

    on_time(&ix->timer);
}

struct indexer *indexer_create(struct workers *ws, struct store *st)
{
    struct indexer *ix = calloc(1, sizeof *ix);

    if (!ix)
        return NULL;
    ix->home = workers_at(ws, 0);
    ix->st = st;
    ix->mail.run = on_started;
    worker_post(ix->home, &ix->mail);
    return ix;
}

void indexer_destroy(struct indexer *ix)
{
    if (ix)
        timer_cancel(&ix->timer);
    free(ix);
}
