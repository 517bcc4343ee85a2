/* What a reader says of a file, as text: for tests and the fuzz target, which compare it.
 *
 *     2 pump-1|Pump 1            line, ID and name of a row, then what else it has:
 *       t= o= g=                 template, organization, gateway, when the cell is not empty
 *       k=AAAA/BBBB              SAS keys
 *       c.Name=Value             cloud properties
 *       R04(IOTC_DEVICEID)       findings, with the column when there is one
 *     !F02@1(column)             a finding of the file
 *     =bad_request               how it ended */
#ifndef MUSTER_CODEC_DEVICE_CSV_TRANSCRIPT_H
#define MUSTER_CODEC_DEVICE_CSV_TRANSCRIPT_H

#include <inttypes.h>

#include "codec/device_csv_read.h"

struct transcript {
    struct buf text;
    uint64_t rows, rejected;
};

static inline void transcript_finding(struct buf *to, const struct device_csv_finding *finding)
{
    buf_append_str(to, device_csv_code_name(finding->code));
    if (finding->column.len > 0)
        buf_printf(to, "(%.*s)", SLICE_FMT(finding->column));
}

static inline void transcript_cell(struct buf *to, const char *label, slice cell)
{
    if (cell.len > 0)
        buf_printf(to, " %s=%.*s", label, SLICE_FMT(cell));
}

static inline bool transcript_on_row(void *context, struct device_csv_row *row)
{
    struct transcript *t = (struct transcript *)context;
    struct buf *to = &t->text;

    t->rows++;
    t->rejected += device_csv_row_is_rejected(row);
    buf_printf(to, "%" PRIu64 " ", row->line);
    buf_append(to, row->id);
    buf_append_byte(to, '|');
    buf_append(to, row->name);
    transcript_cell(to, "t", row->template_id);
    transcript_cell(to, "o", row->organization);
    transcript_cell(to, "g", row->gateway);
    if (row->sas_primary.len + row->sas_secondary.len > 0)
        buf_printf(to, " k=%.*s/%.*s", SLICE_FMT(row->sas_primary), SLICE_FMT(row->sas_secondary));
    for (size_t i = 0; i < row->cloud_count; i++)
        buf_printf(to, " c.%.*s=%.*s", SLICE_FMT(row->cloud[i].name),
                   SLICE_FMT(row->cloud[i].value));
    for (size_t i = 0; i < row->finding_count; i++) {
        buf_append_byte(to, ' ');
        transcript_finding(to, &row->findings[i]);
    }
    buf_append_byte(to, '\n');
    return true;
}

static inline void transcript_on_file(void *context, const struct device_csv_finding *finding)
{
    struct transcript *t = (struct transcript *)context;

    buf_append_byte(&t->text, '!');
    buf_append_str(&t->text, device_csv_code_name(finding->code));
    buf_printf(&t->text, "@%" PRIu64, finding->line);
    if (finding->column.len > 0)
        buf_printf(&t->text, "(%.*s)", SLICE_FMT(finding->column));
    buf_append_byte(&t->text, '\n');
}

static const struct device_csv_events transcript_events = {transcript_on_row, transcript_on_file};

/* Reads the file: `cut` bytes first, the rest in chunks of `step`. False when out of memory. */
static inline bool transcript_read(struct transcript *t, const struct device_csv_options *options,
                                   slice file, size_t cut, size_t step)
{
    struct device_csv_reader *r = device_csv_reader_create(options, &transcript_events, t);
    enum status status = ST_NO_MEMORY;

    if (r)
        status = device_csv_reader_feed(r, slice_first(file, cut));
    for (slice rest = slice_from(file, cut); rest.len > 0 && status == ST_OK;
         rest = slice_from(rest, step))
        status = device_csv_reader_feed(r, slice_first(rest, step));
    if (status == ST_OK)
        status = device_csv_reader_finish(r);
    buf_printf(&t->text, "=%s", status_name(status));
    device_csv_reader_destroy(r);
    return status != ST_NO_MEMORY && !t->text.failed;
}

#endif
