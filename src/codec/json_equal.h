/* Whether two JSON values mean the same: numbers by their value, objects without regard to the
 * order of members, no matter how either is spelled. Pure. */
#ifndef MUSTER_CODEC_JSON_EQUAL_H
#define MUSTER_CODEC_JSON_EQUAL_H

#include "codec/json.h"

/* Objects must have no name twice. Values nested deeper than the parser allows, and objects of
 * thousands of members in quite another order, count as different. */
bool json_is_equal(const struct json *a, const struct json *b);

#endif
