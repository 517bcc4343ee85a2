#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "codec/id_set.h"

static const uint8_t key[ID_SET_KEY_LEN] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* Vectors of the reference implementation: the bytes 0, 1, 2 ... under the key 0, 1 ... 15. */
static void sip_hash_is_that_of_its_authors(void **state)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } rows[] = {
        {0, 0x726fdb47dd0e0e31u},
        {1, 0x74f839c593dc67fdu},
        {8, 0x93f5f5799a932462u},
        {15, 0xa129ca6149be45e5u},
    };
    const uint64_t words[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(sip_hash(words, slice_of(key, rows[i].len)), rows[i].hash);
}

static enum id_set_result add_number(struct id_set *s, uint64_t number)
{
    char id[32];
    int len = snprintf(id, sizeof id, "pump-%" PRIu64, number);

    return id_set_add(s, slice_of(id, (size_t)len));
}

static void IDs_are_seen_once_through_every_growth_and_up_to_the_limit(void **state)
{
    struct id_set s;

    (void)state;
    id_set_init(&s, key);
    for (uint64_t i = 0; i < ID_SET_MAX; i++) {
        if (add_number(&s, i) != ID_SET_ADDED || add_number(&s, i / 2) != ID_SET_SEEN)
            fail_msg("at %" PRIu64, i);
    }
    assert_int_equal(s.count, ID_SET_MAX);
    assert_true(s.capacity * sizeof *s.slots <= 20000000);
    assert_int_equal(add_number(&s, ID_SET_MAX), ID_SET_FULL);
    assert_int_equal(add_number(&s, ID_SET_MAX - 1), ID_SET_SEEN);
    assert_true(id_set_has(&s, SLICE("pump-0")));
    assert_false(id_set_has(&s, SLICE("pump--1")));
    id_set_deinit(&s);
    assert_false(id_set_has(&s, SLICE("pump-0")));
}

/* Among so many tables some have their last slot taken twice. */
static void IDs_that_belong_behind_the_last_slot_are_found_at_the_front(void **state)
{
    (void)state;
    for (uint8_t byte = 0; byte < UINT8_MAX; byte++) {
        const uint8_t other_key[ID_SET_KEY_LEN] = {byte};
        struct id_set s;

        id_set_init(&s, other_key);
        for (uint64_t i = 0; i < 816; i++)
            assert_int_equal(add_number(&s, i), ID_SET_ADDED);
        for (uint64_t i = 0; i < 816; i++)
            assert_int_equal(add_number(&s, i), ID_SET_SEEN);
        id_set_deinit(&s);
    }
}

static void the_key_decides_where_an_ID_lies(void **state)
{
    const uint64_t one[2] = {1, 2}, other[2] = {1, 3};

    (void)state;
    assert_int_not_equal(sip_hash(one, SLICE("pump-1")), sip_hash(other, SLICE("pump-1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sip_hash_is_that_of_its_authors),
        cmocka_unit_test(IDs_are_seen_once_through_every_growth_and_up_to_the_limit),
        cmocka_unit_test(IDs_that_belong_behind_the_last_slot_are_found_at_the_front),
        cmocka_unit_test(the_key_decides_where_an_ID_lies),
    };

    return cmocka_run_group_tests_name("id_set", tests, NULL, NULL);
}
