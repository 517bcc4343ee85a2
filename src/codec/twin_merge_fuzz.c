#include <assert.h>

#include "codec/json_internal.h"
#include "codec/twin_merge.h"

#define ARENA_MAX (64u << 20)
#define SIZE_LIMIT 64

/* No member of an object is null, and each member has its node in the metadata. */
static void check_section(const struct json *section)
{
    struct json_walk walk = {0};
    const struct json *value;

    assert(twin_patch_check(section, NULL) == ST_OK);
    assert(twin_counted(section) <= SIZE_LIMIT);
    /* In an array anything may be null. */
    while ((value = json_walk_next(&walk, section))) {
        bool in_array = false;

        for (size_t i = 0; i + 1 < walk.depth; i++)
            in_array |= walk.path[i]->kind == JSON_ARRAY;
        assert(in_array || value->kind != JSON_NULL);
    }
}

static void check_metadata(const struct json *section, const struct json *metadata)
{
    slice updated;

    assert(json_get_text(metadata, SLICE("$lastUpdated"), &updated));
    for (const struct json *m = section->first; m; m = m->next)
        assert(json_get_text(json_member(metadata, m->name), SLICE("$lastUpdated"), &updated));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two documents with a NUL between them, which no JSON holds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    struct twin_stamp at = {.at = 1000, .version = 2};
    slice second = {data, size};
    slice first = slice_split(&second, 0);
    struct json *document, *patch, *told;
    struct json *section = json_new(&arena, JSON_OBJECT);
    struct json *metadata = json_new(&arena, JSON_OBJECT);
    struct fault why;

    if (json_parse(first, JSON_LAST_WINS, &arena, &document, &why) != ST_OK ||
        json_parse(second, JSON_LAST_WINS, &arena, &patch, &why) != ST_OK ||
        twin_patch_check(document, &why) != ST_OK || twin_patch_check(patch, &why) != ST_OK)
        return 0;
    if (twin_merge(section, metadata, document, at, SIZE_LIMIT, &arena, &why) != ST_OK)
        return 0;
    check_section(section);
    check_metadata(section, metadata);
    if (twin_merge(section, metadata, patch, at, SIZE_LIMIT, &arena, &why) != ST_OK)
        return 0;
    check_section(section);
    check_metadata(section, metadata);
    /* The document fitted before. */
    assert(twin_replace(section, metadata, document, at, SIZE_LIMIT, &arena, &told, &why) == ST_OK);
    check_section(section);
    check_metadata(section, metadata);
    return 0;
}
