#include <assert.h>

#include "codec/device_query.h"
#include "codec/odata_fixture.h"

static const struct odata_value rows[][DEVICE_QUERY_FIELDS] = {
    {ODATA_OF_TEXT("p-1"), ODATA_OF_TEXT("It's \"x\""), ODATA_OF_NULL, ODATA_OF_NULL,
     ODATA_OF_FLAG(true), ODATA_OF_FLAG(false), ODATA_OF_FLAG(true)},
    {ODATA_OF_TEXT("a"), ODATA_OF_NULL, ODATA_OF_TEXT("dtmi:a:b;1"), ODATA_OF_TEXT("north"),
     ODATA_OF_FLAG(false), ODATA_OF_FLAG(true), ODATA_OF_FLAG(false)},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena ARENA_CLEANUP arena = {.max = 1 << 20};
    struct odata_filter f;
    struct fault why = {0};

    if (device_query_parse((slice){data, size}, &arena, &f, &why) != ST_OK) {
        assert(f.count == 0 && why.status != ST_OK);
        return 0;
    }
    assert(f.count < COUNT_OF(f.steps));
    for (size_t r = 0; r < COUNT_OF(rows); r++)
        fixture_check_demands(&f, rows[r], DEVICE_QUERY_FIELDS);
    return 0;
}
