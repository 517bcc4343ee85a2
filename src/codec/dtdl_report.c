/* Findings: where in the document, and what. */
#include <stdarg.h>
#include <stdio.h>

#include "codec/dtdl_internal.h"

#define CLIP_MAX 64
#define PATH_MAX_BYTES 512
#define TEXT_MAX_BYTES 512

slice dtdl_clip(slice text)
{
    size_t len = text.len < CLIP_MAX ? text.len : CLIP_MAX;

    while (len < text.len && len > 0 && (text.ptr[len] & 0xc0) == 0x80)
        len--;
    return slice_first(text, len);
}

/* Leaves `walk` with the values from the document down to `at`. */
static bool find_in_document(const struct json *document, const struct json *at,
                             struct json_walk *walk)
{
    const struct json *value;

    while ((value = json_walk_next(walk, document))) {
        if (value == at)
            return true;
    }
    return false;
}

static size_t place_among(const struct json *array, const struct json *element)
{
    size_t place = 0;

    for (const struct json *e = array->first; e && e != element; e = e->next)
        place++;
    return place;
}

static void write_path(const struct json_walk *walk, struct buf *to)
{
    for (size_t i = 1; i < walk->depth; i++) {
        const struct json *parent = walk->path[i - 1], *value = walk->path[i];
        slice name = dtdl_clip(value->name);

        if (parent->kind == JSON_ARRAY)
            buf_printf(to, "[%zu]", place_among(parent, value));
        else
            buf_printf(to, "%s%.*s", to->len ? "." : "", SLICE_FMT(name));
    }
}

/* The name, or the identifier, of the nearest element that has one. */
static slice element_around(const struct json_walk *walk)
{
    slice name = {0};

    for (size_t i = walk->depth; i-- > 0;) {
        if (json_get_text(walk->path[i], SLICE("name"), &name) ||
            json_get_text(walk->path[i], SLICE("@id"), &name))
            break;
    }
    return dtdl_clip(name);
}

static void keep(struct dtdl_reader *r, struct dtdl_findings *findings, const struct json *at,
                 const char *format, va_list args)
{
    struct buf BUF_CLEANUP path = {.max = PATH_MAX_BYTES};
    char text[TEXT_MAX_BYTES];
    struct json_walk walk = {0};
    struct dtdl_finding *finding;
    slice element = {0};

    if (findings->count++ >= DTDL_FINDINGS_MAX)
        return;
    finding = &findings->list[findings->kept++];
    vsnprintf(text, sizeof text, format, args);
    if (find_in_document(r->document, at, &walk)) {
        write_path(&walk, &path);
        element = element_around(&walk);
    }
    finding->path = arena_copy(r->arena, buf_slice(&path));
    if (element.len > 0)
        finding->text = arena_printf(r->arena, "'%.*s': %s", SLICE_FMT(element), text);
    else
        finding->text = arena_copy(r->arena, slice_str(text));
}

void dtdl_error(struct dtdl_reader *r, const struct json *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    keep(r, &r->report->errors, at, format, args);
    va_end(args);
}

void dtdl_note(struct dtdl_reader *r, const struct json *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    keep(r, &r->report->notes, at, format, args);
    va_end(args);
}
