/* Thumbprints and serials as people write them: "ab:cd 01" is "ABCD01". Pure. */
#ifndef MUSTER_PROVISIONING_HEX_TEXT_H
#define MUSTER_PROVISIONING_HEX_TEXT_H

#include "base/arena.h"

/* Upper-case hex of 40 or 64 digits, in the arena; false when it is anything else. */
CHECKED bool thumbprint_normalise(slice text, struct arena *arena, slice *ret);
/* Upper-case hex of whole bytes without further leading zeros, as certificates are read here;
 * false when it is no hex or longer than a serial may be. */
CHECKED bool serial_normalise(slice text, struct arena *arena, slice *ret);

#endif
