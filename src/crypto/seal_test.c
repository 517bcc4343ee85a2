#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "crypto/seal.h"

struct fixture {
    char folder[64];
    char path[128];
    struct sealer *sealer;
};

static int make_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct fault why;

    if (!f)
        return -1;
    snprintf(f->folder, sizeof f->folder, "seal_test.XXXXXX");
    if (!mkdtemp(f->folder))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/master.key", f->folder);
    f->sealer = sealer_open(f->path, true, &why);
    *state = f;
    return f->sealer ? 0 : -1;
}

static int drop_fixture(void **state)
{
    struct fixture *f = *state;

    sealer_destroy(f->sealer);
    unlink(f->path);
    if (rmdir(f->folder) != 0) /* also: nothing was left behind */
        return -1;
    free(f);
    return 0;
}

static const struct seal_place keys_of_d1 = {"device", "keys", {(const uint8_t *)"d1", 2}};

static void what_was_sealed_opens(void **state)
{
    struct fixture *f = *state;
    static const size_t lengths[] = {0, 1, 15, 16, 17, 64, 5000};
    static uint8_t plain[5000];

    random_bytes(plain, sizeof plain);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        BUF_CLEANUP struct buf sealed = {.max = 8000}, opened = {.max = 8000};
        struct fault why = {0};

        buf_append_str(&opened, "front");
        seal(f->sealer, keys_of_d1, slice_of(plain, lengths[i]), &sealed);
        assert_false(sealed.failed);
        assert_int_equal(sealed.len, lengths[i] + SEAL_OVERHEAD);
        if (unseal(f->sealer, keys_of_d1, buf_slice(&sealed), &opened, &why) != ST_OK)
            fail_msg("%zu bytes: %s", lengths[i], why.text);
        assert_int_equal(opened.len, 5 + lengths[i]);
        assert_memory_equal(opened.ptr, "front", 5);
        assert_memory_equal(opened.ptr + 5, plain, lengths[i]);
    }
}

static void every_sealing_differs(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf a = {.max = 200}, b = {.max = 200};

    seal(f->sealer, keys_of_d1, SLICE("the same"), &a);
    seal(f->sealer, keys_of_d1, SLICE("the same"), &b);
    assert_int_equal(a.len, b.len);
    assert_memory_not_equal(a.ptr + 8, b.ptr + 8, 16);       /* salt */
    assert_memory_not_equal(a.ptr + 25, b.ptr + 25, 12);     /* nonce */
    assert_memory_not_equal(a.ptr + 38, b.ptr + 38, 8 + 16); /* ciphertext and tag */
}

static void a_value_opens_only_where_it_was_sealed(void **state)
{
    struct fixture *f = *state;
    static const struct seal_place places[] = {
        {"device", "keys", {(const uint8_t *)"d2", 2}},
        {"device", "keys", {NULL, 0}},
        {"device", "key", {(const uint8_t *)"sd1", 3}},
        {"device", "keysd", {(const uint8_t *)"1", 1}},
        {"policy", "keys", {(const uint8_t *)"d1", 2}},
        {"devic", "ekeys", {(const uint8_t *)"d1", 2}},
        {"device.keys", "", {(const uint8_t *)"d1", 2}},
        {"", "device.keys", {(const uint8_t *)"d1", 2}},
    };
    BUF_CLEANUP struct buf sealed = {.max = 200}, opened = {.max = 200};

    seal(f->sealer, keys_of_d1, SLICE("secret"), &sealed);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct fault why = {0};

        if (unseal(f->sealer, places[i], buf_slice(&sealed), &opened, &why) != ST_INTERNAL)
            fail_msg("opens in %s.%s", places[i].table, places[i].column);
        assert_int_equal(opened.len, 0);
        assert_int_equal(why.status, ST_INTERNAL);
    }
}

static void any_changed_bit_or_length_is_refused(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf sealed = {.max = 200}, opened = {.max = 200};

    seal(f->sealer, keys_of_d1, SLICE("secret"), &sealed);
    for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
        sealed.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (unseal(f->sealer, keys_of_d1, buf_slice(&sealed), &opened, NULL) != ST_INTERNAL)
            fail_msg("bit %zu does not count", bit);
        sealed.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 0; len < sealed.len; len++) {
        slice cut = slice_first(buf_slice(&sealed), len);

        if (unseal(f->sealer, keys_of_d1, cut, &opened, NULL) != ST_INTERNAL)
            fail_msg("%zu bytes open", len);
    }
    assert_int_equal(unseal(f->sealer, keys_of_d1, (slice){0}, &opened, NULL), ST_INTERNAL);
    assert_int_equal(opened.len, 0);
    buf_append_byte(&sealed, 0);
    assert_int_equal(unseal(f->sealer, keys_of_d1, buf_slice(&sealed), &opened, NULL), ST_INTERNAL);
}

static void a_full_buffer_fails_and_gets_nothing(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf exact = {.max = 6 + SEAL_OVERHEAD}, small = {.max = 5 + SEAL_OVERHEAD};
    BUF_CLEANUP struct buf opened = {.max = 5};

    seal(f->sealer, keys_of_d1, SLICE("secret"), &exact);
    assert_false(exact.failed);
    seal(f->sealer, keys_of_d1, SLICE("secret"), &small);
    assert_true(small.failed);
    assert_int_equal(small.len, 0);
    assert_int_equal(unseal(f->sealer, keys_of_d1, buf_slice(&exact), &opened, NULL), ST_NO_MEMORY);
    assert_int_equal(opened.len, 0);
}

static void another_master_key_opens_nothing(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf sealed = {.max = 200}, opened = {.max = 200};
    struct sealer *again, *other;
    char path[160];
    struct fault why;

    seal(f->sealer, keys_of_d1, SLICE("secret"), &sealed);
    again = sealer_open(f->path, false, &why);
    assert_non_null(again);
    assert_int_equal(unseal(again, keys_of_d1, buf_slice(&sealed), &opened, &why), ST_OK);
    sealer_destroy(again);
    snprintf(path, sizeof path, "%s/other.key", f->folder);
    other = sealer_open(path, true, &why);
    assert_non_null(other);
    assert_int_equal(unseal(other, keys_of_d1, buf_slice(&sealed), &opened, &why), ST_INTERNAL);
    sealer_destroy(other);
    unlink(path);
}

/* Opens a sealed value with OpenSSL's own HKDF, so that the form is what the header says. */
static void the_subkey_is_hkdf_of_the_master_key(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf sealed = {.max = 200};
    uint8_t master[32], subkey[32], plain[16],
        aad[] = "\0\0\0\6device\0\0\0\4keys\0\0\0\2d1\0\0\0\4"
                "\0\0\0\1";
    char digest[] = "SHA256", info[] = "muster/v1/device.keys";
    EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *kdf = EVP_KDF_CTX_new(hkdf);
    EVP_CIPHER_CTX *gcm = EVP_CIPHER_CTX_new();
    int fd = open(f->path, O_RDONLY), len;

    assert_int_equal(read(fd, master, sizeof master), sizeof master);
    close(fd);
    seal(f->sealer, keys_of_d1, SLICE("secret"), &sealed);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, master, sizeof master),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, sealed.ptr + 8, 16),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, strlen(info)),
        OSSL_PARAM_construct_end(),
    };
    assert_int_equal(EVP_KDF_derive(kdf, subkey, sizeof subkey, params), 1);
    assert_int_equal(EVP_DecryptInit_ex(gcm, EVP_aes_256_gcm(), NULL, subkey, sealed.ptr + 25), 1);
    assert_int_equal(EVP_DecryptUpdate(gcm, NULL, &len, aad, sizeof aad - 1), 1);
    assert_int_equal(EVP_DecryptUpdate(gcm, plain, &len, sealed.ptr + 38, 6), 1);
    assert_memory_equal(plain, "secret", 6);
    EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, 16, sealed.ptr + 44);
    assert_int_equal(EVP_DecryptFinal_ex(gcm, plain, &len), 1);
    EVP_CIPHER_CTX_free(gcm);
    EVP_KDF_CTX_free(kdf);
    EVP_KDF_free(hkdf);
}

static void a_new_key_file_is_ours_alone(void **state)
{
    struct fixture *f = *state;
    struct stat facts;

    assert_int_equal(stat(f->path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    assert_int_equal(facts.st_size, 32);
    assert_int_equal(facts.st_nlink, 1);
}

static void put_file(const char *path, size_t len, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(write(fd, "k", 1), 1);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void a_key_file_that_is_not_safe_is_refused(void **state)
{
    static const struct {
        const char *name;
        size_t len;
        mode_t mode;
        enum status status;
    } rows[] = {
        {"as it should be", 32, 0600, ST_OK},        {"read only", 32, 0400, ST_OK},
        {"group may read", 32, 0640, ST_FORBIDDEN},  {"others may read", 32, 0604, ST_FORBIDDEN},
        {"group may write", 32, 0620, ST_FORBIDDEN}, {"executable", 32, 0700, ST_FORBIDDEN},
        {"set user ID", 32, 04600, ST_FORBIDDEN},    {"empty", 0, 0600, ST_BAD_REQUEST},
        {"a byte short", 31, 0600, ST_BAD_REQUEST},  {"a byte long", 33, 0600, ST_TOO_LARGE},
        {"no key at all", 9, 0644, ST_BAD_REQUEST},
    };
    struct fixture *f = *state;
    char path[160];

    snprintf(path, sizeof path, "%s/row.key", f->folder);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault why = {0};
        struct sealer *s;

        put_file(path, rows[i].len, rows[i].mode);
        s = sealer_open(path, true, &why);
        if (why.status != rows[i].status || (s != NULL) != (rows[i].status == ST_OK))
            fail_msg("%s: %s %s", rows[i].name, status_name(why.status), why.text);
        sealer_destroy(s);
        unlink(path);
    }
}

static void links_folders_and_pipes_are_no_key_files(void **state)
{
    struct fixture *f = *state;
    struct fault why = {0};
    char path[160];

    snprintf(path, sizeof path, "%s/link.key", f->folder);
    assert_int_equal(symlink("master.key", path), 0);
    assert_null(sealer_open(path, true, &why));
    assert_int_equal(why.status, ST_FORBIDDEN);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(sealer_open(path, true, &why));
    assert_int_equal(why.status, ST_FORBIDDEN);
    unlink(path);
    assert_null(sealer_open(f->folder, true, &why));
    assert_int_equal(why.status, ST_FORBIDDEN);
}

static void without_create_a_missing_key_file_stays_missing(void **state)
{
    struct fixture *f = *state;
    struct fault why = {0};
    char path[160];

    snprintf(path, sizeof path, "%s/none.key", f->folder);
    assert_null(sealer_open(path, false, &why));
    assert_int_equal(why.status, ST_NOT_FOUND);
    assert_int_equal(access(path, F_OK), -1);
    snprintf(path, sizeof path, "%s/no/folder.key", f->folder);
    assert_null(sealer_open(path, true, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_opens),
        cmocka_unit_test(every_sealing_differs),
        cmocka_unit_test(a_value_opens_only_where_it_was_sealed),
        cmocka_unit_test(any_changed_bit_or_length_is_refused),
        cmocka_unit_test(a_full_buffer_fails_and_gets_nothing),
        cmocka_unit_test(another_master_key_opens_nothing),
        cmocka_unit_test(the_subkey_is_hkdf_of_the_master_key),
        cmocka_unit_test(a_new_key_file_is_ours_alone),
        cmocka_unit_test(a_key_file_that_is_not_safe_is_refused),
        cmocka_unit_test(links_folders_and_pipes_are_no_key_files),
        cmocka_unit_test(without_create_a_missing_key_file_stays_missing),
    };

    return cmocka_run_group_tests(tests, make_fixture, drop_fixture);
}
