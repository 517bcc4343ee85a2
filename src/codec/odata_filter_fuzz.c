#include <assert.h>

#include "codec/odata_fixture.h"

static const struct odata_field fields[] = {
    {"id", ODATA_TEXT},      {"displayName", ODATA_TEXT}, {"template", ODATA_TEXT},
    {"enabled", ODATA_BOOL}, {"type", ODATA_TEXT},
};

static const struct odata_value rows[][COUNT_OF(fields)] = {
    {ODATA_OF_TEXT("pump-1"), ODATA_OF_TEXT("It's x"), ODATA_OF_NULL, ODATA_OF_FLAG(true),
     ODATA_OF_TEXT("EdgeDevice")},
    {ODATA_OF_TEXT("a"), ODATA_OF_TEXT(""), ODATA_OF_TEXT("dtmi:a:b;1"), ODATA_OF_FLAG(false),
     ODATA_OF_NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena ARENA_CLEANUP arena = {.max = 1 << 20};
    struct odata_filter f;
    struct fault why = {0};
    slice text = {data, size};
    bool descending;

    (void)odata_order_parse(text, SLICE("displayName"), &descending, NULL);
    if (odata_filter_parse(text, fields, COUNT_OF(fields), &arena, &f, &why) != ST_OK) {
        assert(f.count == 0 && why.status != ST_OK);
        return 0;
    }
    assert(f.count < COUNT_OF(f.steps));
    for (size_t r = 0; r < COUNT_OF(rows); r++)
        fixture_check_demands(&f, rows[r], COUNT_OF(fields));
    return 0;
}
