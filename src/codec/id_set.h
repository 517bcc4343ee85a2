/* Which IDs have been seen, in eight bytes each: a keyed 64-bit hash stands for the ID.
 *
 * A file of 2,000,000 rows is read in constant memory but for this set, which is 20 MB when full
 * (28 MB while it grows to that). Two IDs share a hash with probability 2^-64: over the pairs of a
 * full file, once in nine million files a row is called a double that is none. The row is in the
 * file of rejected rows and comes in with that. Nobody can make it happen, nor crowd the table,
 * without the key: SipHash-2-4 (J.-P. Aumasson, D. J. Bernstein, 2012).
 *
 *     slots: [ h7 | .. | h2 | h9 | .. | .. | h4 ]    hash order, the next free slot when taken */
#ifndef MUSTER_CODEC_ID_SET_H
#define MUSTER_CODEC_ID_SET_H

#include "base/slice.h"

#define ID_SET_MAX 2000000
#define ID_SET_KEY_LEN 16

struct id_set {
    uint64_t *slots; /* 0 is a free one */
    size_t capacity, count;
    uint64_t key[2];
};

enum id_set_result { ID_SET_ADDED, ID_SET_SEEN, ID_SET_FULL, ID_SET_NO_MEMORY };

/* `key` is random, made for this set. */
void id_set_init(struct id_set *s, const uint8_t key[ID_SET_KEY_LEN]);
void id_set_deinit(struct id_set *s);
/* Adds the ID, unless it was there. */
CHECKED enum id_set_result id_set_add(struct id_set *s, slice id);
bool id_set_has(const struct id_set *s, slice id);

uint64_t sip_hash(const uint64_t key[2], slice bytes);

#endif
