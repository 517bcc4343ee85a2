/* Whether a value that a device sent, or a person typed, is what the model says.
 *
 * What does not fit is never refused: it is kept as unmodelled and counted. Numbers are judged by
 * their spelling, so integers of 64 bits are exact; 21.0 is an integer too. An object may lack
 * fields and have more than the schema knows: types are checked, not completeness. No value is
 * null. Sources: contract/central.md 7.2; Azure/opendigitaltwins-dtdl, DTDL.v2.md, primitive and
 * geospatial schemas; RFC 3339; RFC 7946. Pure. */
#ifndef MUSTER_CODEC_DTDL_VALUE_H
#define MUSTER_CODEC_DTDL_VALUE_H

#include "codec/dtdl.h"

/* When it does not, `why` says where in the value and what was expected: "a.b[3]: no integer". */
CHECKED bool dtdl_value_fits(const struct dtdl_schema *schema, const struct json *value,
                             struct fault *why);

#endif
