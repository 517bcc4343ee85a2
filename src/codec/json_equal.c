#include "codec/json_equal.h"

#include <stdlib.h>

#define NUMBER_MAX 64
/* Names looked at out of their order, so that nobody can make this slow. */
#define LOOKS_MAX 200000

/* Two containers that are being compared: the next child of `a`, with where `b` stands. */
struct pair {
    const struct json *a_next, *b, *b_next;
};

static bool is_integer(slice number)
{
    int64_t ignored;

    return slice_to_i64(number, &ignored);
}

static double to_double(slice number)
{
    char text[NUMBER_MAX + 1];
    size_t len = number.len < NUMBER_MAX ? number.len : NUMBER_MAX;

    memcpy(text, number.ptr, len);
    text[len] = '\0';
    return strtod(text, NULL);
}

/* Integers are compared exactly: a double would take some of them for others. */
static bool equal_numbers(slice a, slice b)
{
    if (slice_equal(a, b))
        return true;
    if (is_integer(a) && is_integer(b)) {
        int64_t left = 0, right = 0;

        return slice_to_i64(a, &left) && slice_to_i64(b, &right) && left == right;
    }
    return to_double(a) == to_double(b);
}

static bool equal_scalars(const struct json *a, const struct json *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == JSON_NUMBER)
        return equal_numbers(a->text, b->text);
    return a->kind != JSON_STRING || slice_equal(a->text, b->text);
}

static size_t count_of(const struct json *container)
{
    size_t count = 0;

    for (const struct json *child = container->first; child; child = child->next)
        count++;
    return count;
}

static bool is_container(const struct json *value)
{
    return value->kind == JSON_OBJECT || value->kind == JSON_ARRAY;
}

static const struct json *find(const struct json *object, slice name, size_t *looks)
{
    for (const struct json *m = object->first; m && *looks < LOOKS_MAX; m = m->next, ++*looks) {
        if (slice_equal(m->name, name))
            return m;
    }
    return NULL;
}

/* What stands in `b` where `a` is in its container. Members in the same order are found at once. */
static const struct json *counterpart(struct pair *p, const struct json *a, size_t *looks)
{
    const struct json *b = p->b_next;

    if (p->b->kind == JSON_OBJECT && (!b || !slice_equal(a->name, b->name)))
        b = find(p->b, a->name, looks);
    p->b_next = b ? b->next : NULL;
    return b;
}

bool json_is_equal(const struct json *a, const struct json *b)
{
    struct pair path[JSON_DEPTH_MAX];
    size_t depth = 0, looks = 0;

    for (;;) {
        if (!b || !equal_scalars(a, b))
            return false;
        if (is_container(a)) {
            if (depth == JSON_DEPTH_MAX || count_of(a) != count_of(b))
                return false;
            path[depth++] = (struct pair){a->first, b, b->first};
        }
        while (depth > 0 && !path[depth - 1].a_next)
            depth--;
        if (depth == 0)
            return true;
        a = path[depth - 1].a_next;
        path[depth - 1].a_next = a->next;
        b = counterpart(&path[depth - 1], a, &looks);
    }
}
