/* What the tests of models share. Include behind cmocka.h. */
#ifndef MUSTER_CODEC_DTDL_FIXTURE_H
#define MUSTER_CODEC_DTDL_FIXTURE_H

#include "codec/dtdl.h"

/* Beginnings of interfaces. */
#define V2 "\"@context\":\"dtmi:dtdl:context;2\","
#define V3 "\"@context\":\"dtmi:dtdl:context;3\","
#define V2_CENTRAL "\"@context\":[\"dtmi:iotcentral:context;2\",\"dtmi:dtdl:context;2\"],"
#define V3_QUANTITIES                                                                              \
    "\"@context\":[\"dtmi:dtdl:context;3\",\"dtmi:dtdl:extension:quantitativeTypes;1\"],"
#define INTERFACE "\"@id\":\"dtmi:a;1\",\"@type\":\"Interface\","

/* An interface of one content, with that @context. */
#define ONE(context, content) "{" context INTERFACE "\"contents\":[" content "]}"

#define MODEL_ARENA_MAX ((size_t)256 << 20)

struct model_fixture {
    struct arena arena;
    struct json *document;
    struct dtdl_report report;
    struct dtdl_model *model; /* NULL when there were errors */
    struct fault why;
};

static inline void model_close(struct model_fixture *f)
{
    arena_deinit(&f->arena);
}

#define MODEL_CLEANUP __attribute__((cleanup(model_close)))

/* Reads; errors are left in the report. `text` lives as long as the fixture. */
static inline enum status model_read(struct model_fixture *f, slice text)
{
    struct fault why;

    arena_init(&f->arena, MODEL_ARENA_MAX);
    f->model = NULL;
    if (json_parse(text, JSON_REFUSE_DUPLICATES, &f->arena, &f->document, &why) != ST_OK)
        fail_msg("%s in %.*s", why.text, SLICE_FMT(text));
    return dtdl_read(f->document, &f->arena, &f->report, &f->model, &f->why);
}

static inline void model_open(struct model_fixture *f, const char *text)
{
    if (model_read(f, slice_str(text)) != ST_OK)
        fail_msg("%s in %s", f->why.text, text);
}

/* Whether a finding has that path and, somewhere, that text. */
static inline bool model_was_told(const struct dtdl_findings *findings, const char *path,
                                  const char *text)
{
    size_t at;

    for (size_t i = 0; i < findings->kept; i++) {
        if (slice_equal(findings->list[i].path, slice_str(path)) &&
            slice_search(findings->list[i].text, slice_str(text), &at))
            return true;
    }
    return false;
}

/* A document, and where it is told what; without an error it is fine. */
struct model_row {
    const char *name, *text;
    const char *error_path, *error;
};

static inline void model_check_rows(const struct model_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct model_fixture MODEL_CLEANUP f = {0};

        model_read(&f, slice_str(rows[i].text));
        if (!rows[i].error && f.report.errors.count > 0)
            fail_msg("%s: %s", rows[i].name, f.why.text);
        if (rows[i].error && !model_was_told(&f.report.errors, rows[i].error_path, rows[i].error))
            fail_msg("%s: got %s", rows[i].name, f.report.errors.count ? f.why.text : "no error");
    }
}

#endif
