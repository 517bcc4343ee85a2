#include <assert.h>

#include "codec/device_csv_transcript.h"
#include "codec/device_csv_write.h"

#define TEXT_MAX ((size_t)64 << 20)

/* The first byte chooses the options and where the rest, the file, is split. */
static struct device_csv_options options_of(uint8_t byte)
{
    return (struct device_csv_options){
        .max_rows = byte & 8 ? 3 : 0,
        .max_bytes = byte & 16 ? 100 : 0,
        .any_case = byte & 1,
        .lower_ids = byte & 2,
        .take_keys = byte & 4,
        .keep_apostrophes = byte & 32,
    };
}

/* What is said of a file does not depend on how it comes. */
static void check_splits(const struct device_csv_options *options, slice file, uint8_t byte)
{
    struct transcript whole = {.text = {.max = TEXT_MAX}};
    struct transcript split = {.text = {.max = TEXT_MAX}};

    assert(transcript_read(&whole, options, file, 0, SIZE_MAX));
    assert(transcript_read(&split, options, file, byte, 1 + byte % 7));
    assert(slice_equal(buf_slice(&whole.text), buf_slice(&split.text)));
    buf_deinit(&whole.text);
    buf_deinit(&split.text);
}

struct checked {
    const struct device_csv_options *options;
    uint64_t line;
    struct buf log, rejected, exported;
    uint64_t sound;
};

static void check_sound_row(struct checked *c, const struct device_csv_row *row)
{
    const struct device_csv_export e = {.raw_names = c->options->keep_apostrophes};
    struct device_csv_device device = {.id = row->id, .name = row->name};

    assert(row->id.len > 0 && row->id.len <= DEVICE_CSV_ID_MAX && row->name.len > 0);
    assert(row->id.len == row->key.len);
    device_csv_export_device(&e, &device, &c->exported);
    c->sound++;
}

static bool check_row(void *context, struct device_csv_row *row)
{
    struct checked *c = context;

    assert(row->line > c->line);
    assert(row->finding_count <= DEVICE_CSV_ROW_FINDINGS_MAX);
    c->line = row->line;
    device_csv_log_row(row, &c->log);
    if (device_csv_row_is_rejected(row))
        device_csv_rejected_row(row, &c->rejected);
    else
        check_sound_row(c, row);
    return true;
}

static void check_finding(void *context, const struct device_csv_finding *finding)
{
    struct checked *c = context;

    assert(finding->line > 0);
    device_csv_log_finding((slice){0}, finding, &c->log);
}

/* The devices of the sound rows, exported, come in again as they went out. */
static void check_way_back(const struct checked *c)
{
    struct device_csv_options again = *c->options;
    struct transcript t = {.text = {.max = TEXT_MAX}};

    again.max_bytes = 0;
    assert(transcript_read(&t, &again, buf_slice(&c->exported), 0, SIZE_MAX));
    assert(t.rows == c->sound && t.rejected == 0);
    assert(slice_ends_with(buf_slice(&t.text), SLICE("=ok")));
    buf_deinit(&t.text);
}

static void check_rows(const struct device_csv_options *options, slice file)
{
    static const struct device_csv_events events = {check_row, check_finding};
    const struct device_csv_export e = {0};
    struct checked c = {
        .options = options,
        .log = {.max = TEXT_MAX},
        .rejected = {.max = TEXT_MAX},
        .exported = {.max = TEXT_MAX},
    };
    struct device_csv_reader *r = device_csv_reader_create(options, &events, &c);

    assert(r);
    device_csv_export_begin(&e, &c.exported);
    if (device_csv_reader_feed(r, file) == ST_OK)
        assert(device_csv_reader_finish(r) != ST_NO_MEMORY);
    assert(!c.log.failed && !c.rejected.failed && !c.exported.failed);
    check_way_back(&c);
    buf_deinit(&c.log);
    buf_deinit(&c.rejected);
    buf_deinit(&c.exported);
    device_csv_reader_destroy(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice file = slice_from(slice_of(data, size), 1);
    struct device_csv_options options;

    if (size == 0)
        return 0;
    options = options_of(data[0]);
    check_splits(&options, file, data[0]);
    check_rows(&options, file);
    return 0;
}
