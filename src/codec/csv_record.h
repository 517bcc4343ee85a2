/* One record of a table at a time (RFC 4180), out of text that arrives in pieces.
 *
 *     record = cell *( separator cell ) ( LF / CR LF / end of the file )
 *     cell   = bytes but separator, quote, CR, LF  /  quote *( bytes but quote / quote quote )
 * quote
 *
 *                  separator
 *              +--------------+              every state but the quoted one: LF ends the record,
 *              v              |              CR must have LF behind it
 *         CELL_BEGIN --byte--> PLAIN
 *              | quote
 *              v        quote
 *           QUOTED <-----------> QUOTE_SEEN --separator--> CELL_BEGIN
 *
 * Strict: a quote inside a plain cell, bytes behind a closing quote and a CR alone are refused, not
 * guessed at. A record that cannot be read costs its first line, no more: reading goes on with the
 * second, so that a quote that nobody closed does not swallow the rest of the file. That reads no
 * byte more than three times: a line that leaves a quote open has an odd number of them, the next
 * such line closes it, and the lines between, read again, each end where they end.
 *
 * Cells are positions in the record's text; nothing is copied but cells with doubled quotes. Pure.
 */
#ifndef MUSTER_CODEC_CSV_RECORD_H
#define MUSTER_CODEC_CSV_RECORD_H

#include "base/buf.h"

/* SECURITY-MODEL 6: CSV. */
#define CSV_COLUMNS_MAX 64
#define CSV_CELL_MAX 4096 /* bytes, without the quotes around it, doubled ones counted once */
/* No readable record is longer: all cells full of quotes. */
#define CSV_RECORD_MAX ((size_t)CSV_COLUMNS_MAX * (2 * CSV_CELL_MAX + 3) + 2)

enum csv_fault {
    CSV_FINE,
    CSV_QUOTE_UNCLOSED,
    CSV_QUOTE_INSIDE, /* of a cell that does not begin with one */
    CSV_BEHIND_QUOTE, /* something other than a separator or the end of the line */
    CSV_LONE_CR,
    CSV_CELL_TOO_LONG,
    CSV_TOO_MANY_COLUMNS,
};
/* What is wrong, in words. */
const char *csv_fault_text(enum csv_fault fault);

struct csv_cell {
    uint32_t begin, len; /* in the record's text, without the quotes around it */
    uint32_t doubled;    /* pairs of quotes in it that stand for one */
    bool quoted;
};

enum csv_state {
    CSV_CELL_BEGIN,
    CSV_PLAIN,
    CSV_QUOTED,
    CSV_QUOTE_SEEN,
    CSV_CR_SEEN,
    CSV_BROKEN,
};

enum csv_result {
    CSV_MORE,       /* not all there yet */
    CSV_COMPLETE,   /* a record */
    CSV_UNREADABLE, /* see `fault` and `cell_count`: the column where it stands */
};

struct csv_record {
    enum csv_state state;
    enum csv_fault fault;
    size_t size;       /* bytes of text that the result took, the line's end among them */
    size_t text_size;  /* the same without the line's end */
    size_t line_feeds; /* of them */
    bool cut;          /* unreadable and longer than CSV_RECORD_MAX: the line goes on */
    struct csv_cell cells[CSV_COLUMNS_MAX];
    size_t cell_count;
    /* The rest is the reader's own. */
    size_t at, first_line_feed;
    struct buf unescaped;
    uint8_t special[256]; /* bytes that mean something in a plain cell */
    uint8_t separator;
};

void csv_record_init(struct csv_record *r, uint8_t separator);
void csv_record_deinit(struct csv_record *r);
/* Another separator, before the first record. */
void csv_record_separate(struct csv_record *r, uint8_t separator);

/* Reads on. `text` begins where the record begins and must be given again, with more behind it,
 * after CSV_MORE; `at_end` says that there is no more. After any other result the next record
 * begins `size` bytes further: call csv_record_next. */
enum csv_result csv_record_read(struct csv_record *r, slice text, bool at_end);
void csv_record_next(struct csv_record *r);

/* An empty line: one cell, and nothing in it, not even quotes. */
bool csv_record_is_blank(const struct csv_record *r);
/* The cells of a complete record; they borrow from `text` and from the record. False when out of
 * memory. */
CHECKED bool csv_record_cells(struct csv_record *r, slice text, slice cells[CSV_COLUMNS_MAX]);

#endif
