#include "codec/id_set.h"

#include <stdlib.h>

static uint64_t load_le(const uint8_t *bytes, size_t len)
{
    uint64_t word = 0;

    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)bytes[i] << 8 * i;
    return word;
}

static uint64_t rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

uint64_t sip_hash(const uint64_t key[2], slice bytes)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
    size_t whole = bytes.len / 8 * 8;

    for (size_t at = 0; at < whole; at += 8)
        sip_word(v, load_le(bytes.ptr + at, 8));
    sip_word(v, (uint64_t)bytes.len << 56 | load_le(bytes.ptr + whole, bytes.len - whole));
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* --- the table ------------------------------------------------------------------------------ */

/* Fourfold steps, and a last one that leaves a fifth free: old and new together stay small. */
static const size_t capacities[] = {1u << 10, 1u << 12, 1u << 14,          1u << 16,
                                    1u << 18, 1u << 20, ID_SET_MAX / 4 * 5};

void id_set_init(struct id_set *s, const uint8_t key[ID_SET_KEY_LEN])
{
    *s = (struct id_set){.key = {load_le(key, 8), load_le(key + 8, 8)}};
}

void id_set_deinit(struct id_set *s)
{
    free(s->slots);
    s->slots = NULL;
    s->capacity = s->count = 0;
}

/* Where the hash is, or the free slot where it belongs. Capacities are no powers of two: the hash,
 * as a fraction of 2^64, tells the place. */
static uint64_t *slot_of(uint64_t *slots, size_t capacity, uint64_t hash)
{
    size_t at = (size_t)((unsigned __int128)hash * capacity >> 64);

    while (slots[at] != 0 && slots[at] != hash)
        at = at + 1 < capacity ? at + 1 : 0;
    return &slots[at];
}

static bool grow(struct id_set *s)
{
    size_t step = 0;
    uint64_t *slots;

    while (capacities[step] <= s->capacity)
        step++;
    slots = calloc(capacities[step], sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < s->capacity; i++) {
        if (s->slots[i] != 0)
            *slot_of(slots, capacities[step], s->slots[i]) = s->slots[i];
    }
    free(s->slots);
    s->slots = slots;
    s->capacity = capacities[step];
    return true;
}

/* 0 means a free slot. */
static uint64_t hash_of(const struct id_set *s, slice id)
{
    uint64_t hash = sip_hash(s->key, id);

    return hash != 0 ? hash : 1;
}

bool id_set_has(const struct id_set *s, slice id)
{
    return s->count > 0 && *slot_of(s->slots, s->capacity, hash_of(s, id)) != 0;
}

enum id_set_result id_set_add(struct id_set *s, slice id)
{
    uint64_t hash = hash_of(s, id);
    uint64_t *slot;

    if (s->count >= s->capacity / 5 * 4 && s->count < ID_SET_MAX && !grow(s))
        return ID_SET_NO_MEMORY;
    slot = slot_of(s->slots, s->capacity, hash);
    if (*slot == hash)
        return ID_SET_SEEN;
    if (s->count == ID_SET_MAX)
        return ID_SET_FULL;
    *slot = hash;
    s->count++;
    return ID_SET_ADDED;
}
