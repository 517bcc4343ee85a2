/* The forms in which certificates and revocation lists travel: DER, PEM, base64 of either, and PEM
 * whose line ends are written "\n" (JSON typed by hand). Whatever the form, what comes out is a
 * row of DER blocks. */
#ifndef MUSTER_CRYPTO_ARMOUR_H
#define MUSTER_CRYPTO_ARMOUR_H

#include "base/slice.h"

/* The zero struct is closed. */
struct armour {
    slice rest;      /* PEM that is still to be read */
    slice bare;      /* DER that came without armour */
    uint8_t *memory; /* owned, wiped when closed: a key may have been in the file */
    size_t size;
};
/* Begins with `file`, which is borrowed until armour_close. False when memory is short or the
 * bytes have none of the forms. */
CHECKED bool armour_open(struct armour *a, slice file);
void armour_close(struct armour *a);
#define ARMOUR_CLEANUP __attribute__((cleanup(armour_close)))

/* Whether a private key is in it, whole or broken. */
bool armour_holds_key(const struct armour *a);

struct armour_block {
    slice label; /* "CERTIFICATE"; empty: it came without armour */
    slice der;   /* good until the next block; empty: the base64 is broken */
};
/* False when there are no more. */
CHECKED bool armour_next(struct armour *a, struct armour_block *ret);

#endif
