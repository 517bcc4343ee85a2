/* Between dtdl_value.c and dtdl_value_text.c. */
#ifndef MUSTER_CODEC_DTDL_VALUE_INTERNAL_H
#define MUSTER_CODEC_DTDL_VALUE_INTERNAL_H

#include "codec/dtdl.h"

/* RFC 3339 full-date and date-time; a time may have an offset or none. */
bool dtdl_text_is_date(slice text);
bool dtdl_text_is_date_time(slice text);
bool dtdl_text_is_time(slice text);
/* ISO 8601: P[nY][nM][nD][T[nH][nM][nS]] or PnW, the last number with a fraction if need be. */
bool dtdl_text_is_duration(slice text);
/* A finite number of 64 or 32 bits. */
bool dtdl_text_is_double(slice text);
bool dtdl_text_is_float(slice text);
/* A GeoJSON geometry of that kind. */
bool dtdl_is_geometry(enum dtdl_schema_kind kind, const struct json *value);

#endif
