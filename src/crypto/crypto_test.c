#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/text.h"
#include "crypto/crypto.h"

static void assert_hex(const char *name, const uint8_t *bytes, size_t len, const char *hex)
{
    uint8_t want[64];
    size_t want_len;

    assert_true(hex_decode(slice_str(hex), want, sizeof want, &want_len));
    if (want_len != len || memcmp(want, bytes, len) != 0)
        fail_msg("%s: other bytes", name);
}

static void hmac_sha256_gives_the_vectors_of_rfc_4231(void **state)
{
    static const uint8_t long_key[131] = {[0 ... 130] = 0xaa};
    static const uint8_t key_0b[20] = {[0 ... 19] = 0x0b};
    const struct {
        const char *name;
        slice key, data;
        const char *mac;
    } rows[] = {
        {"case 1", slice_of(key_0b, sizeof key_0b), SLICE("Hi There"),
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"case 2", SLICE("Jefe"), SLICE("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"case 6", slice_of(long_key, sizeof long_key),
         SLICE("Test Using Larger Than Block-Size Key - Hash Key First"),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {"no key, no data",
         {0},
         {0},
         "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
        {"after no key", SLICE("Jefe"), SLICE("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t mac[HMAC_SHA256_LEN];
        slice halves[] = {slice_first(rows[i].data, 5), slice_from(rows[i].data, 5), {0}};

        hmac_sha256(rows[i].key, &rows[i].data, 1, mac);
        assert_hex(rows[i].name, mac, sizeof mac, rows[i].mac);
        hmac_sha256(rows[i].key, halves, COUNT_OF(halves), mac);
        assert_hex(rows[i].name, mac, sizeof mac, rows[i].mac);
    }
}

static void sha256_gives_known_hashes(void **state)
{
    uint8_t hash[SHA256_LEN];

    (void)state;
    sha256((slice){0}, hash);
    assert_hex("nothing", hash, sizeof hash,
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256(SLICE("abc"), hash);
    assert_hex("abc", hash, sizeof hash,
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void *hash_many(void *context)
{
    uint8_t mac[HMAC_SHA256_LEN], first[HMAC_SHA256_LEN];
    slice data = SLICE("data");
    bool *same = context;

    hmac_sha256(slice_of(&same, sizeof same), &data, 1, first);
    *same = true;
    for (size_t i = 0; i < 1000; i++) {
        hmac_sha256(SLICE("another key"), &data, 1, mac);
        hmac_sha256(slice_of(&same, sizeof same), &data, 1, mac);
        *same = *same && memcmp(first, mac, sizeof mac) == 0;
    }
    return NULL;
}

/* Under LeakSanitizer this also shows that a thread that ends frees its contexts. */
static void threads_do_not_disturb_each_other(void **state)
{
    pthread_t threads[4];
    bool same[COUNT_OF(threads)] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_many, &same[i]), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_true(same[i]);
    }
}

static void P010_secret_equal_looks_at_every_byte(void **state)
{
    uint8_t a[HMAC_SHA256_LEN], b[HMAC_SHA256_LEN];

    (void)state;
    random_bytes(a, sizeof a);
    memcpy(b, a, sizeof a);
    assert_true(secret_equal(a, b, sizeof a));
    assert_true(secret_equal(a, b, 0));
    for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(secret_equal(a, b, sizeof a));
        b[bit / 8] = a[bit / 8];
    }
}

static void a_wiped_secret_holds_nothing(void **state)
{
    static const struct secret nothing;
    struct secret s;

    (void)state;
    secret_generate(&s, SECRET_MAX);
    assert_int_equal(s.len, SECRET_MAX);
    assert_memory_not_equal(&s, &nothing, sizeof s);
    secret_wipe(&s);
    assert_memory_equal(&s, &nothing, sizeof s);
}

static void generated_secrets_and_uuids_differ(void **state)
{
    struct secret a, b;
    char first[UUID_LEN], second[UUID_LEN];

    (void)state;
    secret_generate(&a, 32);
    secret_generate(&b, 32);
    assert_int_equal(a.len, 32);
    assert_memory_not_equal(a.bytes, b.bytes, 32);
    random_uuid(first);
    random_uuid(second);
    assert_memory_not_equal(first, second, UUID_LEN);
    for (size_t i = 0; i < UUID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        assert_int_equal(first[i] == '-', dash);
        assert_non_null(strchr("0123456789abcdef-", first[i]));
    }
    assert_int_equal(first[14], '4');
    assert_non_null(strchr("89ab", first[19]));
}

static void P011_a_key_is_base64_of_16_to_64_bytes(void **state)
{
    static const struct {
        size_t len;
        bool taken;
    } rows[] = {{0, false}, {1, false}, {15, false}, {16, true},  {17, true},
                {32, true}, {63, true}, {64, true},  {65, false}, {128, false}};
    static const char *const malformed[] = {
        "AAAAAAAAAAAAAAAAAAAAAA=",         "AAAAAAAAAAAAAAAAAAAAAA",     "AAAAAAAAAAAAAAAAAAAAAB==",
        " AAAAAAAAAAAAAAAAAAAAAA==",       "AAAAAAAAAAAAAAAAAAAAAA==\n", "AAAAAAAAAAAAAAAAAAAAA-==",
        "AAAAAAAAAAAAAAAAAAAAAA==AAAAAAAA"};
    uint8_t bytes[128];

    (void)state;
    random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf text = {.max = 256};
        struct secret key = {.len = 99};

        base64_encode(slice_of(bytes, rows[i].len), &text);
        if (secret_from_base64(buf_slice(&text), &key) != rows[i].taken)
            fail_msg("%zu bytes: expected taken=%d", rows[i].len, rows[i].taken);
        assert_int_equal(key.len, rows[i].taken ? rows[i].len : 99);
        if (rows[i].taken)
            assert_memory_equal(key.bytes, bytes, key.len);
    }
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        struct secret key;

        if (secret_from_base64(slice_str(malformed[i]), &key))
            fail_msg("taken: '%s'", malformed[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmac_sha256_gives_the_vectors_of_rfc_4231),
        cmocka_unit_test(sha256_gives_known_hashes),
        cmocka_unit_test(threads_do_not_disturb_each_other),
        cmocka_unit_test(P010_secret_equal_looks_at_every_byte),
        cmocka_unit_test(a_wiped_secret_holds_nothing),
        cmocka_unit_test(generated_secrets_and_uuids_differ),
        cmocka_unit_test(P011_a_key_is_base64_of_16_to_64_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
