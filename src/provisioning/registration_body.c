#include "provisioning/registration_body.h"

#include "provisioning/model_id.h"

#define TREE_MAX_BYTES (8 * 1024 * 1024)

static bool is_blank(slice body)
{
    for (size_t i = 0; i < body.len; i++) {
        if (!memchr(" \t\r\n", body.ptr[i], 4))
            return false;
    }
    return true;
}

static enum status check_id(const struct json *root, slice registration_id, struct fault *why)
{
    const struct json *id = json_member(root, SLICE("registrationId"));

    if (!id || id->kind == JSON_NULL)
        return ST_OK;
    if (id->kind != JSON_STRING || !slice_equal_nocase(id->text, registration_id))
        return fault_set(why, ST_BAD_REQUEST, "the body names another registration ID");
    return ST_OK;
}

enum status registration_body_read(slice body, slice registration_id, struct arena *arena,
                                   struct registration_body *ret, struct fault *why)
{
    struct arena ARENA_CLEANUP tree = {.max = TREE_MAX_BYTES};
    struct json *root;
    enum status status;

    if (body.len > REGISTRATION_BODY_MAX)
        return fault_set(why, ST_TOO_LARGE, "a registration body of %zu bytes", body.len);
    if (is_blank(body)) {
        *ret = (struct registration_body){0};
        return ST_OK;
    }
    status = json_parse(body, JSON_LAST_WINS, &tree, &root, why);
    if (status == ST_TOO_LARGE)
        status = ST_BAD_REQUEST;
    if (status != ST_OK)
        return status;
    if (root->kind != JSON_OBJECT)
        return fault_set(why, ST_BAD_REQUEST, "the body is no JSON object");
    status = check_id(root, registration_id, why);
    if (status != ST_OK)
        return status;
    ret->model_id = arena_copy(arena, model_id_announced(root, &tree));
    ret->gateway_id = arena_copy(arena, gateway_announced(root, &tree));
    return arena->failed ? fault_set(why, ST_NO_MEMORY, "no memory for a payload") : ST_OK;
}
