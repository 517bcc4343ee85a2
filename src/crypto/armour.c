#include "crypto/armour.h"

#include <openssl/crypto.h>

#include "base/text.h"

#define BEGIN SLICE("-----BEGIN ")
#define END SLICE("-----END ")
#define DASHES SLICE("-----")

/* DER of more than 127 bytes: a SEQUENCE whose length takes bytes of its own. No text looks so. */
static bool is_der(slice file)
{
    return file.len > 2 && file.ptr[0] == 0x30 && file.ptr[1] > 0x80;
}

static bool is_pem(slice file)
{
    size_t at;

    return slice_search(file, BEGIN, &at);
}

/* The upper half of the memory is for text without its blanks, the lower for what it decodes to;
 * text that was itself decoded stands behind both. */
static slice decode(const struct armour *a, slice text, uint8_t *to)
{
    uint8_t *clean = a->memory + a->size / 3;
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (c == '\\' && i + 1 < text.len && (text.ptr[i + 1] == 'n' || text.ptr[i + 1] == 'r'))
            i++;
        else if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            clean[len++] = c;
    }
    if (!base64_decode(slice_of(clean, len), to, a->size / 3, &len))
        return (slice){0};
    return slice_of(to, len);
}

bool armour_open(struct armour *a, slice file)
{
    slice inner;

    *a = (struct armour){0};
    if (file.len == 0 || file.len > SIZE_MAX / 3)
        return false;
    if (is_der(file)) {
        a->bare = file;
        return true;
    }
    a->size = file.len * 3;
    a->memory = OPENSSL_malloc(a->size);
    if (!a->memory)
        return false;
    if (is_pem(file)) {
        a->rest = file;
        return true;
    }
    inner = decode(a, file, a->memory + a->size / 3 * 2);
    *(is_pem(inner) ? &a->rest : &a->bare) = inner;
    return inner.len > 0;
}

void armour_close(struct armour *a)
{
    OPENSSL_clear_free(a->memory, a->size);
    *a = (struct armour){0};
}

bool armour_holds_key(const struct armour *a)
{
    size_t at;

    return slice_search(a->rest, SLICE("PRIVATE KEY-----"), &at);
}

static slice take_until(slice *rest, slice mark)
{
    slice taken = *rest;
    size_t at;

    if (!slice_search(*rest, mark, &at)) {
        *rest = (slice){0};
        return taken;
    }
    *rest = slice_from(*rest, at + mark.len);
    return slice_first(taken, at);
}

bool armour_next(struct armour *a, struct armour_block *ret)
{
    slice bare = a->bare, label, body;

    if (bare.len > 0) {
        a->bare = (slice){0};
        *ret = (struct armour_block){.der = bare};
        return true;
    }
    if (!is_pem(a->rest))
        return false;
    take_until(&a->rest, BEGIN);
    label = take_until(&a->rest, DASHES);
    body = take_until(&a->rest, END);
    /* The label behind END must be the same: else two files were cut into each other. */
    *ret = (struct armour_block){.label = label};
    if (slice_equal(take_until(&a->rest, DASHES), label))
        ret->der = decode(a, body, a->memory);
    return true;
}
