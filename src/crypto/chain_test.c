/* Paths where there is a choice; chain_corpus_test.c has the odd certificates. */
#include "crypto/chain.h"

#include "crypto/certificate_testing.h"

#define MANY 130

struct fixture {
    struct lab lab;
    STACK_OF(X509) * sent;
    X509 *anchors[MANY], *known[4];
    struct chain_input in;
    struct chain_path path;
    struct fault why;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->sent = sk_X509_new_null();
    assert_non_null(f->sent);
    f->in = (struct chain_input){
        .presented = f->sent, .anchors = f->anchors, .known = f->known, .now = LAB_NOW};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    chain_path_deinit(&f->path);
    sk_X509_free(f->sent);
    lab_deinit(&f->lab);
    free(f);
    return 0;
}

static void trust(struct fixture *f, const struct holder *anchor)
{
    assert_true(f->in.anchor_count < COUNT_OF(f->anchors));
    f->anchors[f->in.anchor_count++] = anchor->certificate;
}

static void know(struct fixture *f, const struct holder *link)
{
    assert_true(f->in.known_count < COUNT_OF(f->known));
    f->known[f->in.known_count++] = link->certificate;
}

static void send(struct fixture *f, const struct holder *link)
{
    assert_true(sk_X509_push(f->sent, link->certificate) > 0);
}

static void assert_verdict(struct fixture *f, const struct holder *leaf, enum chain_reason want)
{
    enum chain_reason reason;

    chain_path_deinit(&f->path);
    f->in.leaf = leaf->certificate;
    reason = chain_build(&f->in, &f->path, &f->why);
    if (reason != want)
        fail_msg("%s, not %s (%s)", chain_reason_name(reason), chain_reason_name(want),
                 f->why.text);
    assert_int_equal(ERR_peek_error(), 0);
}

static void assert_path(const struct fixture *f, const struct holder *const *want, size_t count)
{
    assert_int_equal(f->path.count, count);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(f->path.certificates[i], want[i]->certificate);
}
#define ASSERT_PATH(f, ...)                                                                        \
    assert_path((f), (const struct holder *const[]){__VA_ARGS__},                                  \
                COUNT_OF(((const struct holder *const[]){__VA_ARGS__})))

/* Without key identifiers, so that only the signature tells them apart. */
static struct holder bare_authority(struct fixture *f, const char *cn, const struct holder *issuer)
{
    return lab_make(
        &f->lab,
        &(struct spec){.cn = cn, .is_authority = true, .extensions = "basicConstraints=CA:TRUE"},
        issuer);
}

static struct holder bare_leaf(struct fixture *f, const struct holder *issuer)
{
    return lab_make(&f->lab, &(struct spec){.extensions = ""}, issuer);
}

/* Another certificate for the name and key of `of`. */
static struct holder renewed(struct fixture *f, const struct holder *of, const char *cn,
                             int64_t until, const struct holder *issuer)
{
    struct spec spec = {.cn = cn, .is_authority = true, .of = of->key, .until = until};

    return lab_make(&f->lab, &spec, issuer);
}

static void both_keys_of_a_rolled_authority_of_one_name_are_tried(void **state)
{
    struct fixture *f = *state;

    for (int bare = 0; bare < 2; bare++) {
        struct holder old =
            bare ? bare_authority(f, "Root", NULL) : lab_authority(&f->lab, "Root", NULL);
        struct holder new =
            bare ? bare_authority(f, "Root", NULL) : lab_authority(&f->lab, "Root", NULL);
        struct holder below_old = bare ? bare_leaf(f, &old) : lab_leaf(&f->lab, "a", &old);
        struct holder below_new = bare ? bare_leaf(f, &new) : lab_leaf(&f->lab, "b", &new);

        trust(f, &old);
        trust(f, &new);
        assert_verdict(f, &below_old, CHAIN_GOOD);
        ASSERT_PATH(f, &below_old, &old);
        assert_verdict(f, &below_new, CHAIN_GOOD);
        ASSERT_PATH(f, &below_new, &new);
    }
}

static void a_renewed_anchor_with_the_same_key_is_found_behind_the_expired_one(void **state)
{
    struct fixture *f = *state;
    struct holder expired, fresh, leaf;

    expired = lab_make(
        &f->lab, &(struct spec){.cn = "Root", .is_authority = true, .until = -DAY_S / 2}, NULL);
    fresh = renewed(f, &expired, "Root", 0, NULL);
    leaf = lab_leaf(&f->lab, "a", &expired);
    trust(f, &expired);
    assert_verdict(f, &leaf, CHAIN_EXPIRED);
    trust(f, &fresh);
    assert_verdict(f, &leaf, CHAIN_GOOD);
    ASSERT_PATH(f, &leaf, &fresh);
}

static void a_cross_signed_intermediate_leads_to_the_root_that_is_trusted(void **state)
{
    struct fixture *f = *state;
    struct holder foreign, root, middle, crossed, leaf;

    foreign = lab_authority(&f->lab, "Foreign", NULL);
    root = lab_authority(&f->lab, "Root", NULL);
    middle = lab_authority(&f->lab, "Middle", &foreign);
    crossed = renewed(f, &middle, "Middle", 0, &root);
    leaf = lab_leaf(&f->lab, "a", &middle);
    trust(f, &root);
    send(f, &middle);
    send(f, &foreign);
    assert_verdict(f, &leaf, CHAIN_NO_ISSUER);
    ASSERT_PATH(f, &leaf, &middle, &foreign);
    send(f, &crossed);
    assert_verdict(f, &leaf, CHAIN_GOOD);
    ASSERT_PATH(f, &leaf, &crossed, &root);
}

/* The new key, vouched for by the old one under the same name. */
static void a_rolled_root_that_the_old_root_signed_is_a_link(void **state)
{
    struct fixture *f = *state;
    struct holder old, new, leaf;

    old = lab_authority(&f->lab, "Root", NULL);
    new = lab_authority(&f->lab, "Root", &old);
    leaf = lab_leaf(&f->lab, "a", &new);
    trust(f, &old);
    send(f, &new);
    assert_verdict(f, &leaf, CHAIN_GOOD);
    ASSERT_PATH(f, &leaf, &new, &old);
}

/* Without key identifiers it looks self-signed, to OpenSSL too. */
static void a_rolled_root_without_key_identifiers_is_no_link(void **state)
{
    struct fixture *f = *state;
    struct holder old, new, leaf;

    old = bare_authority(f, "Root", NULL);
    new = bare_authority(f, "Root", &old);
    leaf = bare_leaf(f, &new);
    trust(f, &old);
    send(f, &new);
    assert_verdict(f, &leaf, CHAIN_NO_ISSUER);
    trust(f, &new);
    assert_verdict(f, &leaf, CHAIN_GOOD);
    ASSERT_PATH(f, &leaf, &new);
}

/* The leaf names the serial of the certificate that its issuer had then. */
static void a_renewed_authority_has_another_serial(void **state)
{
    struct spec spec = {.extensions = "authorityKeyIdentifier=keyid:always,issuer:always"};
    struct fixture *f = *state;
    struct holder old, fresh, leaf;

    old = lab_authority(&f->lab, "Root", NULL);
    fresh = renewed(f, &old, "Root", 0, NULL);
    leaf = lab_make(&f->lab, &spec, &old);
    trust(f, &fresh);
    assert_verdict(f, &leaf, CHAIN_GOOD);
    ASSERT_PATH(f, &leaf, &fresh);
}

static void P069_the_path_stops_at_the_anchor_nearest_to_the_leaf(void **state)
{
    struct fixture *f = *state;
    struct holder root, middle, copy, leaf;

    root = lab_authority(&f->lab, "Root", NULL);
    middle = lab_authority(&f->lab, "Middle", &root);
    copy = renewed(f, &middle, "Middle", 0, &root);
    leaf = lab_leaf(&f->lab, "a", &middle);
    send(f, &root);
    send(f, &copy);
    send(f, &middle);
    trust(f, &root);
    trust(f, &middle);
    assert_verdict(f, &leaf, CHAIN_GOOD);
    ASSERT_PATH(f, &leaf, &middle);
}

/* Else a device could walk around the slot of a disabled group by sending a twin of its CA. */
static void P069_what_is_in_a_slot_goes_before_what_is_sent(void **state)
{
    struct fixture *f = *state;
    struct holder root, middle, copy, leaf;

    root = lab_authority(&f->lab, "Root", NULL);
    middle = lab_authority(&f->lab, "Middle", &root);
    copy = renewed(f, &middle, "Middle", 0, &root);
    leaf = lab_leaf(&f->lab, "a", &middle);
    trust(f, &root);
    send(f, &copy);
    know(f, &middle);
    assert_verdict(f, &leaf, CHAIN_GOOD);
    ASSERT_PATH(f, &leaf, &middle, &root);
}

static void a_self_signed_leaf_is_no_authority_even_when_it_is_the_anchor(void **state)
{
    struct fixture *f = *state;
    struct holder alone, root, middle;

    alone = lab_leaf(&f->lab, "pump-07", NULL);
    root = lab_authority(&f->lab, "pump-07", NULL);
    middle = lab_authority(&f->lab, "Middle", &root);
    assert_verdict(f, &alone, CHAIN_NO_ISSUER);
    trust(f, &root);
    assert_verdict(f, &alone, CHAIN_NO_ISSUER);
    assert_non_null(strstr(f->why.text, "has another key"));
    assert_verdict(f, &root, CHAIN_NO_ISSUER);
    /* An intermediate in a slot is a leaf like another, below the root. */
    trust(f, &middle);
    assert_verdict(f, &middle, CHAIN_WRONG_PURPOSE);
    ASSERT_PATH(f, &middle, &root);
}

/* A root, the authorities below it, and a leaf: `length` in all. */
static void build_chain_of(struct fixture *f, size_t length, enum chain_reason want)
{
    struct holder above = lab_authority(&f->lab, "A", NULL), leaf;

    trust(f, &above);
    for (size_t i = 2; i < length; i++) {
        char cn[2] = {(char)('A' + i), '\0'};

        above = lab_authority(&f->lab, cn, &above);
        send(f, &above);
    }
    leaf = lab_leaf(&f->lab, "a", &above);
    assert_verdict(f, &leaf, want);
}

static void H021_a_chain_of_8_passes(void **state)
{
    struct fixture *f = *state;

    build_chain_of(f, 8, CHAIN_GOOD);
    assert_int_equal(f->path.count, 8);
}

static void H021_a_chain_of_9_does_not_pass(void **state)
{
    struct fixture *f = *state;

    build_chain_of(f, 9, CHAIN_TOO_LONG);
    assert_int_equal(f->path.count, 8);
}

static void more_than_8_certificates_are_not_looked_through(void **state)
{
    struct fixture *f = *state;
    struct holder root, leaf;

    root = lab_authority(&f->lab, "Root", NULL);
    leaf = lab_leaf(&f->lab, "a", &root);
    trust(f, &root);
    for (int i = 0; i < 8; i++)
        send(f, &root);
    assert_verdict(f, &leaf, CHAIN_GOOD);
    send(f, &root);
    assert_verdict(f, &leaf, CHAIN_TOO_LONG);
}

static void loops_of_authorities_end(void **state)
{
    struct fixture *f = *state;
    struct holder a, b, c, leaf;

    a = lab_authority(&f->lab, "A", NULL);
    b = lab_authority(&f->lab, "B", &a);
    c = lab_authority(&f->lab, "C", &b);
    a = renewed(f, &a, "A", 0, &c);
    leaf = lab_leaf(&f->lab, "a", &c);
    send(f, &a);
    send(f, &b);
    send(f, &c);
    assert_verdict(f, &leaf, CHAIN_NO_ISSUER);
    assert_int_equal(f->path.count, 4);
}

/* Each of them could have issued each other: the search is not the product of all. */
static void twins_that_issue_each_other_cost_little(void **state)
{
    struct fixture *f = *state;
    struct holder twin, leaf;

    twin = bare_authority(f, "Twin", NULL);
    leaf = bare_leaf(f, &twin);
    for (int i = 0; i < 8; i++) {
        struct spec spec = {
            .cn = "Twin", .is_authority = true, .of = i % 2 ? NULL : twin.key, .signer = twin.key};
        struct holder next = lab_make(&f->lab, &spec, &twin);

        send(f, &next);
    }
    assert_verdict(f, &leaf, CHAIN_NO_ISSUER);
}

static void authorities_of_one_name_without_key_identifiers_are_tried_up_to_a_limit(void **state)
{
    struct fixture *f = *state;
    struct holder first, last = {0};
    struct holder below_first, below_last;

    first = bare_authority(f, "Test Only", NULL);
    trust(f, &first);
    for (int i = 1; i < MANY; i++) {
        last = bare_authority(f, "Test Only", NULL);
        trust(f, &last);
    }
    below_first = bare_leaf(f, &first);
    below_last = bare_leaf(f, &last);
    assert_verdict(f, &below_first, CHAIN_GOOD);
    assert_verdict(f, &below_last, CHAIN_OTHER);
    f->in.anchors = f->anchors + MANY - 128;
    f->in.anchor_count = 128;
    assert_verdict(f, &below_last, CHAIN_GOOD);
}

static void the_failure_that_came_farthest_is_told(void **state)
{
    struct fixture *f = *state;
    struct holder root, middle, copy, leaf;

    root = lab_authority(&f->lab, "Root", NULL);
    middle = lab_authority(&f->lab, "Middle", NULL);
    copy = renewed(f, &middle, "Middle", -DAY_S / 2, &root);
    leaf = lab_leaf(&f->lab, "a", &middle);
    trust(f, &root);
    send(f, &middle); /* a dead end */
    send(f, &copy);
    assert_verdict(f, &leaf, CHAIN_EXPIRED);
    assert_string_equal(f->why.text, "'CN=Middle' expired at 2025-12-31T12:00:00.0000000Z, now it "
                                     "is 2026-01-01T00:00:00.0000000Z");
    assert_int_equal(f->why.status, ST_UNAUTHORIZED);
    assert_int_equal(f->path.failed_at, 1);
    ASSERT_PATH(f, &leaf, &copy, &root);
}

static void a_path_outlives_what_it_was_built_from(void **state)
{
    struct fixture *f = *state;
    struct chain_path path;
    struct holder root, leaf;

    root = lab_authority(&f->lab, "Root", NULL);
    leaf = lab_leaf(&f->lab, "a", &root);
    trust(f, &root);
    assert_verdict(f, &leaf, CHAIN_GOOD);
    path = f->path;
    f->path = (struct chain_path){0};
    assert_true(chain_is_issued_by(path.certificates[0], path.certificates[1]));
    chain_path_deinit(&path);
    assert_int_equal(path.count, 0);
}

static void a_fault_need_not_be_told(void **state)
{
    struct fixture *f = *state;
    struct holder leaf;

    leaf = lab_leaf(&f->lab, "a", NULL);
    f->in.leaf = leaf.certificate;
    f->in.presented = NULL;
    assert_int_equal(chain_build(&f->in, &f->path, NULL), CHAIN_NO_ISSUER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_keys_of_a_rolled_authority_of_one_name_are_tried),
        TEST(a_renewed_anchor_with_the_same_key_is_found_behind_the_expired_one),
        TEST(a_cross_signed_intermediate_leads_to_the_root_that_is_trusted),
        TEST(a_rolled_root_that_the_old_root_signed_is_a_link),
        TEST(a_rolled_root_without_key_identifiers_is_no_link),
        TEST(a_renewed_authority_has_another_serial),
        TEST(P069_the_path_stops_at_the_anchor_nearest_to_the_leaf),
        TEST(P069_what_is_in_a_slot_goes_before_what_is_sent),
        TEST(a_self_signed_leaf_is_no_authority_even_when_it_is_the_anchor),
        TEST(H021_a_chain_of_8_passes),
        TEST(H021_a_chain_of_9_does_not_pass),
        TEST(more_than_8_certificates_are_not_looked_through),
        TEST(loops_of_authorities_end),
        TEST(twins_that_issue_each_other_cost_little),
        TEST(authorities_of_one_name_without_key_identifiers_are_tried_up_to_a_limit),
        TEST(the_failure_that_came_farthest_is_told),
        TEST(a_path_outlives_what_it_was_built_from),
        TEST(a_fault_need_not_be_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
