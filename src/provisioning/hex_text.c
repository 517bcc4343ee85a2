#include "provisioning/hex_text.h"

#include "crypto/certificate_read.h"

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c;
    if (c >= 'A' && c <= 'F')
        return c;
    return c >= 'a' && c <= 'f' ? c - 'a' + 'A' : -1;
}

static bool is_separator(uint8_t c)
{
    return c == ':' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The digits of `text`, upper-case, at most `max`; behind room for one zero. */
static bool take_digits(slice text, size_t max, uint8_t *to, size_t *ret_len)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.ptr[i]);

        if (is_separator(text.ptr[i]))
            continue;
        if (digit < 0 || len == max)
            return false;
        to[len++] = (uint8_t)digit;
    }
    *ret_len = len;
    return true;
}

bool thumbprint_normalise(slice text, struct arena *arena, slice *ret)
{
    uint8_t digits[THUMBPRINT_MAX];
    size_t len;

    if (!take_digits(text, sizeof digits, digits, &len) ||
        (len != THUMBPRINT_SHA1_LEN && len != THUMBPRINT_SHA256_LEN))
        return false;
    *ret = arena_copy(arena, slice_of(digits, len));
    return !arena->failed;
}

bool serial_normalise(slice text, struct arena *arena, slice *ret)
{
    uint8_t digits[1 + SERIAL_HEX_MAX] = {'0'};
    size_t len, first = 1;

    if (!take_digits(text, SERIAL_HEX_MAX, digits + 1, &len) || len == 0)
        return false;
    while (first < len && digits[first] == '0')
        first++;
    if ((len + 1 - first) % 2 != 0) /* half a byte: one zero before it */
        digits[--first] = '0';
    *ret = arena_copy(arena, slice_of(digits + first, len + 1 - first));
    return !arena->failed;
}
