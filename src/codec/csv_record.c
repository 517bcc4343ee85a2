#include "codec/csv_record.h"

#include <assert.h>

static const char *const fault_texts[] = {
    [CSV_FINE] = "",
    [CSV_QUOTE_UNCLOSED] = "a quote is opened and never closed",
    [CSV_QUOTE_INSIDE] = "a quote stands in a cell that does not begin with one",
    [CSV_BEHIND_QUOTE] = "text stands behind a closing quote: quotes in a cell are doubled",
    [CSV_LONE_CR] = "a carriage return stands alone: lines end in LF or CR LF",
    [CSV_CELL_TOO_LONG] = "a cell is longer than 4096 bytes; is a quote not closed?",
    [CSV_TOO_MANY_COLUMNS] = "more than 64 columns",
};
static_assert(CSV_CELL_MAX == 4096 && CSV_COLUMNS_MAX == 64, "the texts say so");

const char *csv_fault_text(enum csv_fault fault)
{
    return fault_texts[fault];
}

void csv_record_separate(struct csv_record *r, uint8_t separator)
{
    r->special[r->separator] = 0;
    r->separator = separator;
    r->special[separator] = 1;
    r->special['"'] = 1;
    r->special['\r'] = 1;
    r->special['\n'] = 1;
}

void csv_record_init(struct csv_record *r, uint8_t separator)
{
    *r = (struct csv_record){.separator = separator};
    buf_init(&r->unescaped, (size_t)CSV_COLUMNS_MAX * CSV_CELL_MAX);
    csv_record_separate(r, separator);
    csv_record_next(r);
}

void csv_record_deinit(struct csv_record *r)
{
    buf_deinit(&r->unescaped);
}

void csv_record_next(struct csv_record *r)
{
    r->state = CSV_CELL_BEGIN;
    r->fault = CSV_FINE;
    r->cut = false;
    r->at = r->line_feeds = r->first_line_feed = 0;
    r->cells[0] = (struct csv_cell){0};
    r->cell_count = 1;
}

/* --- unreadable records --------------------------------------------------------------------- */

static enum csv_result break_off(struct csv_record *r, enum csv_fault fault)
{
    r->state = CSV_BROKEN;
    r->fault = fault;
    return CSV_MORE;
}

static enum csv_result give_up_line(struct csv_record *r, slice text, size_t size)
{
    r->size = r->text_size = size;
    r->line_feeds = size > 0 && text.ptr[size - 1] == '\n';
    r->text_size -= r->line_feeds;
    if (r->line_feeds && r->text_size > 0 && text.ptr[r->text_size - 1] == '\r')
        r->text_size--;
    return CSV_UNREADABLE;
}

/* The first line is given up as soon as its end is known, or that it is longer than any readable
 * record. */
static enum csv_result find_line_end(struct csv_record *r, slice text, bool at_end)
{
    size_t line_feed;

    text = slice_first(text, CSV_RECORD_MAX);
    if (r->first_line_feed > 0)
        return give_up_line(r, text, r->first_line_feed);
    if (slice_find(slice_from(text, r->at), '\n', &line_feed))
        return give_up_line(r, text, r->at + line_feed + 1);
    r->at = text.len;
    r->cut = text.len == CSV_RECORD_MAX;
    return r->cut || at_end ? give_up_line(r, text, text.len) : CSV_MORE;
}

/* --- readable ones -------------------------------------------------------------------------- */

static struct csv_cell *current(struct csv_record *r)
{
    return &r->cells[r->cell_count - 1];
}

/* The cell holds what has been read of it so far; at most one byte too many has been counted when
 * the limit is noticed, wherever the text was split. */
static bool cell_fits(struct csv_record *r)
{
    struct csv_cell *cell = current(r);

    cell->len = (uint32_t)(r->at - cell->begin);
    return cell->len - cell->doubled <= CSV_CELL_MAX;
}

static enum csv_result end_record(struct csv_record *r, size_t line_end_size)
{
    r->at++;
    r->line_feeds++;
    r->size = r->at;
    r->text_size = r->at - line_end_size;
    return CSV_COMPLETE;
}

static enum csv_result begin_cell(struct csv_record *r)
{
    if (r->cell_count == CSV_COLUMNS_MAX)
        return break_off(r, CSV_TOO_MANY_COLUMNS);
    r->at++;
    r->cells[r->cell_count++] = (struct csv_cell){.begin = (uint32_t)r->at};
    r->state = CSV_CELL_BEGIN;
    return CSV_MORE;
}

/* What may stand behind a cell; anything else is `fault`. */
static enum csv_result end_cell(struct csv_record *r, uint8_t byte, enum csv_fault fault)
{
    if (byte == r->separator)
        return begin_cell(r);
    if (byte == '\n')
        return end_record(r, 1);
    if (byte != '\r')
        return break_off(r, fault);
    r->at++;
    r->state = CSV_CR_SEEN;
    return CSV_MORE;
}

static enum csv_result open_quote(struct csv_record *r)
{
    r->at++;
    *current(r) = (struct csv_cell){.begin = (uint32_t)r->at, .quoted = true};
    r->state = CSV_QUOTED;
    return CSV_MORE;
}

static enum csv_result read_plain(struct csv_record *r, slice text)
{
    while (r->at < text.len && !r->special[text.ptr[r->at]])
        r->at++;
    if (!cell_fits(r))
        return break_off(r, CSV_CELL_TOO_LONG);
    r->state = CSV_PLAIN;
    return r->at == text.len ? CSV_MORE : end_cell(r, text.ptr[r->at], CSV_QUOTE_INSIDE);
}

/* A quoted cell is read to its next quote or line end. */
static enum csv_result read_quoted(struct csv_record *r, slice text)
{
    while (r->at < text.len && text.ptr[r->at] != '"' && text.ptr[r->at] != '\n')
        r->at++;
    if (!cell_fits(r))
        return break_off(r, CSV_CELL_TOO_LONG);
    if (r->at == text.len)
        return CSV_MORE;
    if (text.ptr[r->at++] == '"') {
        r->state = CSV_QUOTE_SEEN;
        return CSV_MORE;
    }
    r->line_feeds++;
    if (r->first_line_feed == 0)
        r->first_line_feed = r->at;
    return CSV_MORE;
}

static enum csv_result read_behind_quote(struct csv_record *r, uint8_t byte)
{
    if (byte != '"')
        return end_cell(r, byte, CSV_BEHIND_QUOTE);
    r->at++;
    current(r)->doubled++;
    r->state = CSV_QUOTED;
    return CSV_MORE;
}

static enum csv_result read_on(struct csv_record *r, slice text)
{
    uint8_t byte = text.ptr[r->at];

    switch (r->state) {
    case CSV_CELL_BEGIN:
        return byte == '"' ? open_quote(r) : read_plain(r, text);
    case CSV_PLAIN:
        return read_plain(r, text);
    case CSV_QUOTED:
        return read_quoted(r, text);
    case CSV_QUOTE_SEEN:
        return read_behind_quote(r, byte);
    default:
        return byte == '\n' ? end_record(r, 2) : break_off(r, CSV_LONE_CR);
    }
}

/* The last line needs no line feed. */
static enum csv_result end_of_file(struct csv_record *r)
{
    if (r->state == CSV_QUOTED)
        return break_off(r, CSV_QUOTE_UNCLOSED);
    if (r->state == CSV_CR_SEEN)
        return break_off(r, CSV_LONE_CR);
    r->size = r->text_size = r->at;
    return CSV_COMPLETE;
}

enum csv_result csv_record_read(struct csv_record *r, slice text, bool at_end)
{
    enum csv_result result = CSV_MORE;

    while (result == CSV_MORE && r->state != CSV_BROKEN && r->at < text.len)
        result = read_on(r, text);
    if (result == CSV_MORE && r->state != CSV_BROKEN && at_end)
        result = end_of_file(r);
    if (result == CSV_MORE && r->state == CSV_BROKEN)
        result = find_line_end(r, text, at_end);
    return result;
}

bool csv_record_is_blank(const struct csv_record *r)
{
    return r->cell_count == 1 && r->cells[0].len == 0 && !r->cells[0].quoted;
}

/* --- cells ---------------------------------------------------------------------------------- */

static uint8_t *unescape(slice cell, uint8_t *to)
{
    for (size_t i = 0; i < cell.len; i++) {
        *to++ = cell.ptr[i];
        if (cell.ptr[i] == '"')
            i++; /* the second of the pair */
    }
    return to;
}

/* Room for all of them at once: growing would move those that are done. */
static uint8_t *unescape_room(struct csv_record *r)
{
    size_t len = 0;

    for (size_t i = 0; i < r->cell_count; i++)
        len += r->cells[i].doubled ? r->cells[i].len - r->cells[i].doubled : 0;
    buf_clear(&r->unescaped);
    return buf_room(&r->unescaped, len);
}

static bool unescape_cells(struct csv_record *r, slice cells[CSV_COLUMNS_MAX])
{
    uint8_t *to = unescape_room(r);

    if (!to)
        return false;
    for (size_t i = 0; i < r->cell_count; i++) {
        uint8_t *begin = to;

        if (r->cells[i].doubled == 0)
            continue;
        to = unescape(cells[i], to);
        cells[i] = slice_of(begin, (size_t)(to - begin));
    }
    return true;
}

bool csv_record_cells(struct csv_record *r, slice text, slice cells[CSV_COLUMNS_MAX])
{
    uint32_t doubled = 0;

    assert(r->fault == CSV_FINE);
    for (size_t i = 0; i < r->cell_count; i++) {
        cells[i] = slice_of(text.ptr + r->cells[i].begin, r->cells[i].len);
        doubled += r->cells[i].doubled;
    }
    return doubled == 0 || unescape_cells(r, cells);
}
