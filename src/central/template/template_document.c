#include "central/template/template_document.h"

#include <inttypes.h>

#include "base/text.h"
#include "central/template/template_import.h"
#include "codec/dtmi.h"
#include "codec/json_merge.h"

#define VERSION_MAX 999999999 /* of a DTMI */

bool template_id_valid(slice id)
{
    if (id.len == 0 || id.len > TEMPLATE_ID_MAX || !utf8_valid(id))
        return false;
    for (size_t i = 0; i < id.len; i++) {
        if (id.ptr[i] < 0x20 || id.ptr[i] == 0x7f)
            return false;
    }
    return true;
}

/* --- what a document says of itself ----------------------------------------------------------- */

/* A text for people, of which the English or the first counts. */
static slice text_of(const struct json *value)
{
    const struct json *english = json_member(value, SLICE("en"));

    if (value && value->kind == JSON_OBJECT)
        value = english ? english : value->first;
    return value && value->kind == JSON_STRING ? value->text : (slice){0};
}

static slice display_name_of(const struct json *tree, slice id)
{
    const struct json *model = json_member(tree, SLICE("capabilityModel"));
    slice name = text_of(json_member(tree, SLICE("displayName")));

    if (name.len == 0 || name.len > TEMPLATE_NAME_MAX)
        name = text_of(json_member(model, SLICE("displayName")));
    return name.len == 0 || name.len > TEMPLATE_NAME_MAX ? id : name;
}

static slice model_id_of(const struct json *tree)
{
    slice id;

    if (!json_get_text(json_member(tree, SLICE("capabilityModel")), SLICE("@id"), &id) ||
        id.len > TEMPLATE_ID_MAX)
        return (slice){0};
    return id;
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum status no_memory(const struct arena *arena, struct fault *why)
{
    return arena->used >= arena->max / 2
               ? fault_set(why, ST_TOO_LARGE, "the model needs more than %d MiB",
                           TEMPLATE_ARENA_MAX / 1024 / 1024)
               : fault_set(why, ST_NO_MEMORY, "no memory for the model");
}

static enum status write_text(const struct json *tree, struct arena *arena, slice *ret,
                              struct fault *why)
{
    struct buf BUF_CLEANUP text = {.max = TEMPLATE_DOCUMENT_MAX};

    json_write(tree, &text);
    if (text.failed)
        return fault_set(why, ST_TOO_LARGE, "a template has at most %d KiB",
                         TEMPLATE_DOCUMENT_MAX / 1024);
    *ret = arena_copy(arena, buf_slice(&text));
    return ret->len > 0 ? ST_OK : no_memory(arena, why);
}

/* From a template's tree, whatever is in it. The model is read from what is stored: parts of the
 * tree may come from elsewhere, and lie deeper or longer than where they were. */
static enum status read_tree(struct json *tree, slice id, struct arena *arena,
                             struct template_document *ret, struct fault *why)
{
    struct dtdl_model *model = NULL;
    enum status status;

    if (!json_get_text(tree, SLICE("etag"), &ret->etag))
        ret->etag = (slice){0};
    json_remove(tree, SLICE("etag"));
    json_set(tree, SLICE("@id"), json_new_text(arena, id));
    status = write_text(tree, arena, &ret->text, why);
    if (status == ST_OK)
        status = json_parse(ret->text, JSON_REFUSE_DUPLICATES, arena, &tree, why);
    if (status != ST_OK)
        return status;
    status = dtdl_read(tree, arena, &ret->report, &model, why);
    if (status == ST_NO_MEMORY)
        return no_memory(arena, why);
    ret->model = model;
    ret->model_id = model_id_of(tree);
    ret->display_name = display_name_of(tree, id);
    return ST_OK;
}

enum status template_document_read(slice given, slice id, struct arena *arena,
                                   struct template_document *ret, struct fault *why)
{
    struct json *root, *tree;
    enum status status;

    *ret = (struct template_document){0};
    status = json_parse(given, JSON_REFUSE_DUPLICATES, arena, &root, why);
    if (status == ST_OK)
        status = template_import(root, id, arena, &tree, &ret->report, why);
    if (status == ST_OK)
        status = read_tree(tree, id, arena, ret, why);
    return status == ST_NO_MEMORY ? no_memory(arena, why) : status;
}

/* --- patching --------------------------------------------------------------------------------- */

static bool is_cloud(const struct dtdl_model *model, slice name)
{
    const struct dtdl_content *content = dtdl_content_find(model->root, name);

    return !content || (content->typed.element.markers & DTDL_CLOUD);
}

/* Devices see no difference. */
static enum status check_patch(const struct template_document *was,
                               const struct template_document *now, struct arena *arena,
                               struct fault *why)
{
    struct dtdl_changes changes;

    if (was->model->types != now->model->types || !slice_equal(was->model_id, now->model_id))
        return fault_set(why, ST_BAD_REQUEST, "a PATCH leaves the types and the model's @id alone");
    if (dtdl_compare(was->model, now->model, arena, &changes, why) != ST_OK)
        return no_memory(arena, why);
    for (size_t i = 0; i < changes.count; i++) {
        const struct dtdl_change *change = &changes.list[i];

        if (change->component.len > 0 || !is_cloud(was->model, change->name) ||
            !is_cloud(now->model, change->name))
            return fault_set(why, ST_BAD_REQUEST,
                             "a PATCH changes names and cloud properties only, not '%.*s%s%.*s'",
                             SLICE_FMT(change->component), change->component.len > 0 ? "." : "",
                             SLICE_FMT(change->name));
    }
    return changes.breaking + changes.additive > changes.count
               ? fault_set(why, ST_TOO_LARGE, "a PATCH makes at most %d changes", DTDL_CHANGES_MAX)
               : ST_OK;
}

static enum status read_patched(slice text, slice patch, slice id, struct arena *arena,
                                struct template_document *ret, struct fault *why)
{
    struct json *tree, *changes;
    enum status status = json_parse(text, JSON_REFUSE_DUPLICATES, arena, &tree, why);

    if (status == ST_OK)
        status = json_parse(patch, JSON_REFUSE_DUPLICATES, arena, &changes, why);
    if (status != ST_OK)
        return status;
    if (changes->kind != JSON_OBJECT)
        return fault_set(why, ST_BAD_REQUEST, "a patch is a JSON object");
    if (!json_merge(tree, changes, arena))
        return no_memory(arena, why);
    return read_tree(tree, id, arena, ret, why);
}

enum status template_document_patch(slice text, slice patch, slice id, struct arena *arena,
                                    struct template_document *ret, struct fault *why)
{
    struct template_document was;
    enum status status = template_document_read(text, id, arena, &was, why);

    *ret = (struct template_document){0};
    if (status == ST_OK && !was.model)
        status = fault_set(why, ST_INTERNAL, "a published template has errors");
    if (status == ST_OK)
        status = read_patched(text, patch, id, arena, ret, why);
    if (status == ST_OK && ret->model)
        status = check_patch(&was, ret, arena, why);
    return status;
}

/* --- copying ---------------------------------------------------------------------------------- */

slice template_next_id(slice id, struct arena *arena)
{
    size_t end = id.len;
    uint64_t version;

    while (end > 0 && id.ptr[end - 1] != ';')
        end--;
    if (end == 0)
        return arena_printf(arena, "%.*s;2", SLICE_FMT(id));
    if (!slice_to_u64(slice_from(id, end), &version) || version >= VERSION_MAX)
        return (slice){0};
    return arena_printf(arena, "%.*s%" PRIu64, SLICE_FMT(slice_first(id, end)), version + 1);
}

enum status template_document_copy(slice text, const struct template_names *names,
                                   struct arena *arena, struct template_document *ret,
                                   struct fault *why)
{
    slice model_id = names->model_id;
    enum status status;
    struct json *tree;

    *ret = (struct template_document){0};
    status = json_parse(text, JSON_REFUSE_DUPLICATES, arena, &tree, why);
    if (status != ST_OK)
        return status;
    if (model_id.len == 0 && (model_id = model_id_of(tree)).len > 0)
        model_id = template_next_id(model_id, arena);
    if (model_id.len == 0)
        return fault_set(why, ST_BAD_REQUEST, "say the ID of the new version's model");
    json_set(json_member(tree, SLICE("capabilityModel")), SLICE("@id"),
             json_new_text(arena, model_id));
    if (names->display_name.len > 0)
        json_set(tree, SLICE("displayName"), json_new_text(arena, names->display_name));
    return read_tree(tree, names->id, arena, ret, why);
}
