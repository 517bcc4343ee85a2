/* What the tests and fuzz targets of filters share: values of rows, written as constants. */
#ifndef MUSTER_CODEC_ODATA_FIXTURE_H
#define MUSTER_CODEC_ODATA_FIXTURE_H

#include <assert.h>

#include "codec/odata_filter.h"

/* clang-format off */
#define ODATA_OF_TEXT(s) {ODATA_TEXT, false, {(const uint8_t *)(s), sizeof(s) - 1}}
#define ODATA_OF_FLAG(b) {ODATA_BOOL, (b), {NULL, 0}}
#define ODATA_OF_NULL {ODATA_NULL, false, {NULL, 0}}
/* clang-format on */

/* A row that fits has what is demanded. */
static inline void fixture_check_demands(const struct odata_filter *f,
                                         const struct odata_value *row, size_t field_count)
{
    struct odata_value want;

    for (size_t i = 0; i < field_count && odata_filter_fits(f, row); i++) {
        if (odata_filter_demands(f, i, &want))
            assert(want.kind == row[i].kind && want.flag == row[i].flag &&
                   slice_equal(want.text, row[i].text));
    }
}

#endif
