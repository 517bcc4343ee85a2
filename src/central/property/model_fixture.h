/* For tests, behind cmocka: a device with a model, without a server. */
#ifndef MUSTER_CENTRAL_MODEL_FIXTURE_H
#define MUSTER_CENTRAL_MODEL_FIXTURE_H

#include "central/property/device_model.h"

#define MODEL_ARENA_MAX ((size_t)16 << 20)

static inline struct json *fixture_json(struct arena *arena, const char *text)
{
    struct json *tree = NULL;
    struct fault why = {0};

    if (json_parse(slice_str(text), JSON_REFUSE_DUPLICATES, arena, &tree, &why) != ST_OK)
        fail_msg("%s: %s", text, why.text);
    return tree;
}

/* `contents`: elements of an interface; NULL: a device without a model. */
static inline void fixture_model(struct device_model *m, const char *contents)
{
    struct dtdl_report report = {0};
    struct fault why = {0};
    struct dtdl_model *model;
    slice text;

    *m = (struct device_model){0};
    arena_init(&m->arena, MODEL_ARENA_MAX);
    if (!contents)
        return;
    text = arena_printf(&m->arena,
                        "{\"@context\":[\"dtmi:iotcentral:context;2\",\"dtmi:dtdl:context;2\"],"
                        "\"@id\":\"dtmi:t:m;1\",\"@type\":\"Interface\",\"contents\":[%s]}",
                        contents);
    if (dtdl_read(fixture_json(&m->arena, (const char *)text.ptr), &m->arena, &report, &model,
                  &why) != ST_OK)
        fail_msg("%s", why.text);
    m->root = model->root;
}

#endif
