/* Documents as people send them, and patches of documents: "document NUL patch". */
#include <assert.h>

#include "central/template/template_document.h"
#include "central/template/template_views.h"

#define INPUT_MAX (64 * 1024)

static const slice id = {(const uint8_t *)"t", 1};

/* What is stored reads back as the same. */
static void check_stored(const struct template_document *d)
{
    struct arena ARENA_CLEANUP arena = {.max = TEMPLATE_ARENA_MAX};
    struct template_document again;
    struct fault why;

    assert(d->text.len > 0 && d->text.len <= TEMPLATE_DOCUMENT_MAX && d->display_name.len > 0);
    if (template_document_read(d->text, id, &arena, &again, &why) != ST_OK)
        assert(why.status == ST_NO_MEMORY || why.status == ST_TOO_LARGE);
    else
        assert(slice_equal(again.text, d->text) && !again.model == !d->model);
}

static void check_views(const struct template_document *d)
{
    struct arena ARENA_CLEANUP arena = {.max = TEMPLATE_ARENA_MAX};
    struct buf BUF_CLEANUP views = {.max = TEMPLATE_VIEWS_MAX};
    struct json *root;

    if (!d->model)
        return;
    template_views_write(d->model, &views);
    assert(!views.failed);
    if (json_parse(buf_slice(&views), JSON_REFUSE_DUPLICATES, &arena, &root, NULL) == ST_OK)
        assert(root->kind == JSON_ARRAY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct template_names names = {.id = {(const uint8_t *)"u", 1}};
    struct arena ARENA_CLEANUP arena = {.max = TEMPLATE_ARENA_MAX};
    struct template_document d, other;
    slice patch = slice_of(data, size), given;
    struct fault why;

    if (size > INPUT_MAX)
        return 0;
    given = slice_split(&patch, 0);
    if (template_document_read(given, id, &arena, &d, &why) != ST_OK)
        return 0;
    check_stored(&d);
    check_views(&d);
    if (d.model && template_document_patch(d.text, patch, id, &arena, &other, &why) == ST_OK)
        check_stored(&other);
    if (template_document_copy(d.text, &names, &arena, &other, &why) == ST_OK)
        assert(other.model_id.len > 0);
    return 0;
}
