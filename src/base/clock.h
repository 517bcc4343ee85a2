/* The two clocks. Time-outs use the monotonic one; only SAS expiry, certificates, TTLs and what
 * people read use the wall clock, and only through here. Both count milliseconds. */
#ifndef MUSTER_BASE_CLOCK_H
#define MUSTER_BASE_CLOCK_H

#include "base/slice.h"

typedef int64_t instant; /* milliseconds since the Unix epoch, UTC */

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
instant clock_wall_ms(void);

#define CLOCK_TEXT_MAX 32

/* "2026-01-31T08:15:30.1230000Z": ISO 8601 with the seven digits that Azure prints. Gives the
 * text inside `buffer`. */
slice clock_iso(instant at, char buffer[CLOCK_TEXT_MAX]);
/* "2026-01-31T08:15:30Z" or with 1 to 9 fraction digits, or an offset "+01:00" in place of Z. */
CHECKED bool clock_parse_iso(slice text, instant *ret);
/* "Sat, 31 Jan 2026 08:15:30 GMT", for HTTP's Date. */
slice clock_http_date(instant at, char buffer[CLOCK_TEXT_MAX]);

#endif
