#include <assert.h>

#include "codec/odata_filter.h"

static const struct odata_field fields[] = {
    {"id", ODATA_TEXT},      {"displayName", ODATA_TEXT}, {"template", ODATA_TEXT},
    {"enabled", ODATA_BOOL}, {"type", ODATA_TEXT},
};

static const struct odata_value rows[][COUNT_OF(fields)] = {
    {{ODATA_TEXT, false, {(const uint8_t *)"pump-1", 6}},
     {ODATA_TEXT, false, {(const uint8_t *)"It's x", 6}},
     {ODATA_NULL, false, {NULL, 0}},
     {ODATA_BOOL, true, {NULL, 0}},
     {ODATA_TEXT, false, {(const uint8_t *)"EdgeDevice", 10}}},
    {{ODATA_TEXT, false, {(const uint8_t *)"a", 1}},
     {ODATA_TEXT, false, {NULL, 0}},
     {ODATA_TEXT, false, {(const uint8_t *)"dtmi:a:b;1", 10}},
     {ODATA_BOOL, false, {NULL, 0}},
     {ODATA_NULL, false, {NULL, 0}}},
};

static bool equal(const struct odata_value *a, const struct odata_value *b)
{
    return a->kind == b->kind && a->flag == b->flag && slice_equal(a->text, b->text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena ARENA_CLEANUP arena = {.max = 1 << 20};
    struct odata_filter f;
    struct odata_value demanded;
    struct fault why = {0};
    slice text = {data, size};
    bool descending;

    (void)odata_order_parse(text, SLICE("displayName"), &descending, NULL);
    if (odata_filter_parse(text, fields, COUNT_OF(fields), &arena, &f, &why) != ST_OK) {
        assert(f.count == 0 && why.status != ST_OK);
        return 0;
    }
    assert(f.count < COUNT_OF(f.steps));
    for (size_t r = 0; r < COUNT_OF(rows); r++) {
        if (!odata_filter_fits(&f, rows[r]))
            continue;
        for (size_t i = 0; i < COUNT_OF(fields); i++) /* what is demanded, a row that fits has */
            assert(!odata_filter_demands(&f, i, &demanded) || equal(&demanded, &rows[r][i]));
    }
    return 0;
}
