/* Which bytes may stand where in HTTP's text: RFC 9110, 5.5 and 5.6.2. For codec/http*.c alone. */
#ifndef MUSTER_CODEC_HTTP_BYTES_H
#define MUSTER_CODEC_HTTP_BYTES_H

#include "base/slice.h"

static inline bool http_is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Of a method or a header's name. A table, since every read looks at the whole head again. */
static inline bool http_is_token_byte(uint8_t c)
{
    static const bool token[256] = {
        ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true,
        ['#'] = true,         ['$'] = true,         ['%'] = true,         ['&'] = true,
        ['\''] = true,        ['*'] = true,         ['+'] = true,         ['-'] = true,
        ['.'] = true,         ['^'] = true,         ['_'] = true,         ['`'] = true,
        ['|'] = true,         ['~'] = true,
    };

    return token[c];
}

/* Of a header's value: no control character but the tab, so no CR, LF, NUL or DEL. */
static inline bool http_is_value_byte(uint8_t c)
{
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

#endif
