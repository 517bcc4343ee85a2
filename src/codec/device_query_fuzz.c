#include <assert.h>

#include "codec/device_query.h"

#define TEXT(s)                                                                                    \
    {                                                                                              \
        ODATA_TEXT, false,                                                                         \
        {                                                                                          \
            (const uint8_t *)s, sizeof s - 1                                                       \
        }                                                                                          \
    }
#define FLAG(b)                                                                                    \
    {                                                                                              \
        ODATA_BOOL, b,                                                                             \
        {                                                                                          \
            NULL, 0                                                                                \
        }                                                                                          \
    }
#define NONE                                                                                       \
    {                                                                                              \
        ODATA_NULL, false,                                                                         \
        {                                                                                          \
            NULL, 0                                                                                \
        }                                                                                          \
    }

static const struct odata_value rows[][DEVICE_QUERY_FIELDS] = {
    {TEXT("p-1"), TEXT("It's \"x\""), NONE, NONE, FLAG(true), FLAG(false), FLAG(true)},
    {TEXT("a"), NONE, TEXT("dtmi:a:b;1"), TEXT("north"), FLAG(false), FLAG(true), FLAG(false)},
};

static bool equal(const struct odata_value *a, const struct odata_value *b)
{
    return a->kind == b->kind && a->flag == b->flag && slice_equal(a->text, b->text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena ARENA_CLEANUP arena = {.max = 1 << 22};
    struct odata_filter f;
    struct odata_value demanded;
    struct fault why = {0};

    if (device_query_parse((slice){data, size}, &arena, &f, &why) != ST_OK) {
        assert(f.count == 0 && why.status != ST_OK);
        return 0;
    }
    assert(f.count < COUNT_OF(f.steps));
    for (size_t r = 0; r < COUNT_OF(rows); r++) {
        if (!odata_filter_fits(&f, rows[r]))
            continue;
        for (size_t i = 0; i < DEVICE_QUERY_FIELDS; i++) /* who fits has what is demanded */
            assert(!odata_filter_demands(&f, i, &demanded) || equal(&demanded, &rows[r][i]));
    }
    return 0;
}
