/* The corpus: odd certificates, each in an otherwise good chain, with the verdict they get.
 *
 *     leaf <- middle (sent) <- root (the anchor) */
#include "crypto/chain.h"

#include "crypto/certificate_testing.h"

#define CHARACTERS_64 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789-7"
#define BYTES_20 "7F112233445566778899AABBCCDDEEFF00112233"

enum shape {
    USUAL,
    DIRECT,       /* no middle: the root issued the leaf */
    NOT_SENT,     /* the middle is missing */
    KNOWN,        /* the middle is not sent, but known here */
    CROWDED,      /* sent in the wrong order, among strangers, twice, with leaf and root */
    PARTIAL,      /* the middle is the anchor, the root unknown */
    PARTIAL_SENT, /* the same, and the middle is sent too */
    NO_ANCHORS,
    NAMESAKE,      /* the anchor is another of the root's name */
    NAMESAKE_SENT, /* the same, and the root is sent */
    SPOILT_LEAF,   /* one bit of the signature is another */
    SPOILT_MIDDLE,
    SPOILT_ROOT,
};

struct row {
    const char *name;
    enum chain_reason reason;
    size_t at; /* of the certificate that failed */
    enum shape shape;
    struct spec leaf, middle, root;
};

struct corpus {
    struct lab lab;
    struct holder root, middle, leaf;
    STACK_OF(X509) * sent;
    struct chain_input in;
    X509 *anchor, *known;
};

static X509 *stranger(struct corpus *c, const char *cn)
{
    return lab_authority(&c->lab, cn, NULL).certificate;
}

static void send(struct corpus *c, X509 *certificate)
{
    assert_true(sk_X509_push(c->sent, certificate) > 0);
}

static void arrange_crowd(struct corpus *c)
{
    send(c, stranger(c, "Stranger"));
    send(c, c->root.certificate);
    send(c, c->leaf.certificate);
    send(c, stranger(c, "Middle"));
    send(c, c->middle.certificate);
    send(c, c->middle.certificate);
}

static void arrange(struct corpus *c, enum shape shape)
{
    static const bool middle_is_sent[SPOILT_ROOT + 1] = {
        [USUAL] = true,         [PARTIAL_SENT] = true, [NO_ANCHORS] = true,    [NAMESAKE] = true,
        [NAMESAKE_SENT] = true, [SPOILT_LEAF] = true,  [SPOILT_MIDDLE] = true, [SPOILT_ROOT] = true,
    };

    if (shape == SPOILT_LEAF)
        c->in.leaf = lab_spoil(&c->lab, c->leaf.certificate);
    if (shape == SPOILT_MIDDLE)
        c->middle.certificate = lab_spoil(&c->lab, c->middle.certificate);
    if (shape == SPOILT_ROOT)
        c->anchor = lab_spoil(&c->lab, c->root.certificate);
    if (shape == PARTIAL || shape == PARTIAL_SENT)
        c->anchor = c->middle.certificate;
    if (shape == NAMESAKE || shape == NAMESAKE_SENT)
        c->anchor = stranger(c, "Root");
    if (shape == NAMESAKE_SENT)
        send(c, c->root.certificate);
    if (shape == CROWDED)
        arrange_crowd(c);
    if (middle_is_sent[shape])
        send(c, c->middle.certificate);
    c->known = c->middle.certificate;
    c->in.known_count = shape == KNOWN;
    c->in.anchor_count = shape != NO_ANCHORS;
}

static void corpus_init(struct corpus *c, const struct row *row)
{
    struct spec leaf = row->leaf, middle = row->middle, root = row->root;

    *c = (struct corpus){0};
    root.is_authority = middle.is_authority = true;
    root.cn = root.cn ? root.cn : "Root";
    middle.cn = middle.cn ? middle.cn : "Middle";
    c->root = lab_make(&c->lab, &root, NULL);
    c->middle = lab_make(&c->lab, &middle, &c->root);
    c->leaf = lab_make(&c->lab, &leaf, row->shape == DIRECT ? &c->root : &c->middle);
    c->sent = sk_X509_new_null();
    c->anchor = c->root.certificate;
    c->in = (struct chain_input){
        .leaf = c->leaf.certificate,
        .presented = c->sent,
        .anchors = &c->anchor,
        .known = &c->known,
        .now = LAB_NOW,
    };
    arrange(c, row->shape);
}

static void corpus_deinit(struct corpus *c)
{
    sk_X509_free(c->sent);
    lab_deinit(&c->lab);
}

static void check_row(const struct row *row)
{
    struct corpus c;
    struct chain_path path;
    struct fault why = {0};
    enum chain_reason reason;

    corpus_init(&c, row);
    reason = chain_build(&c.in, &path, &why);
    if (reason != row->reason)
        fail_msg("%s: %s, not %s (%s)", row->name, chain_reason_name(reason),
                 chain_reason_name(row->reason), why.text);
    if (path.count == 0 || path.certificates[0] != c.in.leaf)
        fail_msg("%s: the path does not begin at the leaf", row->name);
    if (reason == CHAIN_GOOD && path.certificates[path.count - 1] != c.anchor)
        fail_msg("%s: the path does not end at the anchor", row->name);
    if (reason != CHAIN_GOOD && (path.failed_at != row->at || why.text[0] == '\0'))
        fail_msg("%s: failed at %zu (%s)", row->name, path.failed_at, why.text);
    if (ERR_peek_error() != 0)
        fail_msg("%s: leaves an error behind", row->name);
    chain_path_deinit(&path);
    corpus_deinit(&c);
}

#define CHECK_ROWS(rows)                                                                           \
    for (size_t i_ = 0; i_ < COUNT_OF(rows); i_++)                                                 \
    check_row(&(rows)[i_])

static void P072_H021_paths_are_built_from_what_is_sent_and_known(void **state)
{
    static const struct row rows[] = {
        {"leaf, middle, root", CHAIN_GOOD, .shape = USUAL},
        {"root issued the leaf", CHAIN_GOOD, .shape = DIRECT},
        {"middle is known here", CHAIN_GOOD, .shape = KNOWN},
        {"shuffled and superfluous", CHAIN_GOOD, .shape = CROWDED},
        {"partial chain", CHAIN_GOOD, .shape = PARTIAL},
        {"partial chain, anchor sent", CHAIN_GOOD, .shape = PARTIAL_SENT},
        {"missing link", CHAIN_NO_ISSUER, .at = 0, .shape = NOT_SENT},
        {"no authorities", CHAIN_NO_ISSUER, .at = 1, .shape = NO_ANCHORS},
        {"foreign root of the same name", CHAIN_BAD_SIGNATURE, .at = 1, .shape = NAMESAKE},
        {"foreign root of the same name, sent", CHAIN_NO_ISSUER, .at = 2, .shape = NAMESAKE_SENT},
        {"no key identifiers", CHAIN_GOOD, .middle.extensions = "basicConstraints=CA:TRUE",
         .leaf.extensions = ""},
        {"issuer and serial in the identifier", CHAIN_GOOD,
         .leaf.extensions = "authorityKeyIdentifier=keyid:always,issuer:always"},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void P072_badly_signed_chains_are_refused(void **state)
{
    static const struct row rows[] = {
        {"leaf", CHAIN_BAD_SIGNATURE, .at = 0, .shape = SPOILT_LEAF},
        {"middle", CHAIN_BAD_SIGNATURE, .at = 1, .shape = SPOILT_MIDDLE},
        /* An anchor is trusted for what it is, not for who signed it. */
        {"root", CHAIN_GOOD, .shape = SPOILT_ROOT},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void P072_chains_out_of_date_are_refused(void **state)
{
    static const struct row rows[] = {
        {"expired leaf", CHAIN_EXPIRED, .at = 0, .leaf.until = -3600},
        {"expired middle", CHAIN_EXPIRED, .at = 1, .middle.until = -3600},
        {"expired root", CHAIN_EXPIRED, .at = 2, .root.until = -3600},
        {"expired anchor of a partial chain", CHAIN_EXPIRED, .at = 1, .shape = PARTIAL,
         .middle.until = -3600},
        {"leaf of tomorrow", CHAIN_NOT_YET_VALID, .at = 0, .leaf.from = DAY_S},
        {"middle of tomorrow", CHAIN_NOT_YET_VALID, .at = 1, .middle.from = DAY_S},
        {"root of tomorrow", CHAIN_NOT_YET_VALID, .at = 2, .root.from = DAY_S},
        {"expired 299 s ago", CHAIN_GOOD, .leaf.until = -299},
        {"expired 300 s ago", CHAIN_GOOD, .leaf.until = -300},
        {"expired 301 s ago", CHAIN_EXPIRED, .at = 0, .leaf.until = -301},
        {"begins in 299 s", CHAIN_GOOD, .leaf.from = 299},
        {"begins in 300 s", CHAIN_GOOD, .leaf.from = 300},
        {"begins in 301 s", CHAIN_NOT_YET_VALID, .at = 0, .leaf.from = 301},
        {"root expired 300 s ago", CHAIN_GOOD, .root.until = -300},
        {"root expired 301 s ago", CHAIN_EXPIRED, .at = 2, .root.until = -301},
        {"until 2076", CHAIN_GOOD, .leaf.until = 50 * 365 * DAY_S},
        {"until 9999", CHAIN_GOOD, .leaf = {.until = 50 * 365 * DAY_S, .date = "99991231235959Z"}},
        {"no seconds", CHAIN_MALFORMED, .at = 0, .leaf.date = "2701010000Z"},
        {"no zone", CHAIN_MALFORMED, .at = 0, .leaf.date = "270101000000"},
        {"other zone", CHAIN_MALFORMED, .at = 0, .leaf.date = "270101000000+0100"},
        {"month 13", CHAIN_MALFORMED, .at = 0, .leaf.date = "271301000000Z"},
        {"no digits", CHAIN_MALFORMED, .at = 0, .leaf.date = "zzzzzzzzzzzzZ"},
        {"empty", CHAIN_MALFORMED, .at = 0, .leaf.date = ""},
        {"middle without a date", CHAIN_MALFORMED, .at = 1, .middle.date = ""},
    };

    (void)state;
    CHECK_ROWS(rows);
}

#define NO_KEY_USAGE "basicConstraints=critical,CA:TRUE" IDENTIFIERS

static void P072_issuers_must_be_authorities(void **state)
{
    static const struct row rows[] = {
        {"CA:TRUE, no keyUsage", CHAIN_GOOD, .middle.extensions = NO_KEY_USAGE},
        {"CA:TRUE not critical", CHAIN_GOOD, .middle.extensions = "basicConstraints=CA:TRUE"},
        {"middle version 1", CHAIN_ISSUER_NO_CA, .at = 1,
         .middle = {.version = 1, .extensions = ""}},
        {"root version 1", CHAIN_ISSUER_NO_CA, .at = 2, .root = {.version = 1, .extensions = ""}},
        {"anchor version 1", CHAIN_ISSUER_NO_CA, .at = 1, .shape = PARTIAL,
         .middle = {.version = 1, .extensions = ""}},
        {"version 1 that says CA:TRUE", CHAIN_ISSUER_NO_CA, .at = 1, .middle.version = 1},
        {"version 2 that says CA:TRUE", CHAIN_ISSUER_NO_CA, .at = 1, .middle.version = 2},
        {"version 4", CHAIN_MALFORMED, .at = 1, .middle.version = 4},
        {"middle CA:FALSE", CHAIN_ISSUER_NO_CA, .at = 1,
         .middle.extensions = "basicConstraints=critical,CA:FALSE" IDENTIFIERS},
        {"root CA:FALSE", CHAIN_ISSUER_NO_CA, .at = 2,
         .root.extensions = "basicConstraints=critical,CA:FALSE" IDENTIFIERS},
        {"keyCertSign without basicConstraints", CHAIN_ISSUER_NO_CA, .at = 1,
         .middle.extensions = "keyUsage=critical,keyCertSign"},
        {"Netscape's CA bit", CHAIN_ISSUER_NO_CA, .at = 1, .middle.extensions = "nsCertType=sslCA"},
        {"no extensions", CHAIN_ISSUER_NO_CA, .at = 1, .middle.extensions = ""},
        {"a device as issuer", CHAIN_ISSUER_NO_CA, .at = 1, .middle.extensions = LEAF_EXTENSIONS},
        {"keyUsage without keyCertSign", CHAIN_ISSUER_MAY_NOT_SIGN, .at = 1,
         .middle.extensions = "basicConstraints=critical,CA:TRUE|keyUsage=cRLSign"},
        {"root without keyCertSign", CHAIN_ISSUER_MAY_NOT_SIGN, .at = 2,
         .root.extensions = "basicConstraints=critical,CA:TRUE|keyUsage=digitalSignature"},
        {"pathlen 0 on the middle", CHAIN_GOOD,
         .middle.extensions = "basicConstraints=critical,CA:TRUE,pathlen:0"},
        {"pathlen 0 on the root", CHAIN_PATH_LENGTH, .at = 2,
         .root.extensions = "basicConstraints=critical,CA:TRUE,pathlen:0"},
        {"pathlen 1 on the root", CHAIN_GOOD,
         .root.extensions = "basicConstraints=critical,CA:TRUE,pathlen:1"},
        {"pathlen 0 on a direct root", CHAIN_GOOD, .shape = DIRECT,
         .root.extensions = "basicConstraints=critical,CA:TRUE,pathlen:0"},
        {"pathlen 0, and a leaf that is a CA", CHAIN_GOOD,
         .middle.extensions = "basicConstraints=critical,CA:TRUE,pathlen:0",
         .leaf.extensions = "basicConstraints=critical,CA:TRUE"},
        {"pathlen below 0", CHAIN_MALFORMED, .at = 1,
         .middle.extensions = "basicConstraints=DER:30060101FF0201FF"},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void weak_keys_and_signatures_are_refused(void **state)
{
    const struct row rows[] = {
        {"RSA 1024", CHAIN_WEAK_KEY, .at = 0, .leaf.key = "rsa1024"},
        {"RSA 2047", CHAIN_WEAK_KEY, .at = 0, .leaf.key = "rsa2047"},
        {"RSA 2048", CHAIN_GOOD, .leaf.key = "rsa2048"},
        {"RSA 4096", CHAIN_GOOD, .leaf.key = "rsa4096"},
        {"RSA 8192", CHAIN_GOOD, .leaf.key = "rsa8192"},
        {"RSA 8193", CHAIN_WEAK_KEY, .at = 0, .leaf.key = "rsa8193"},
        {"RSA with an exponent of 64 bits", CHAIN_GOOD, .leaf.key = "exponent64"},
        {"RSA with an exponent of 65 bits", CHAIN_WEAK_KEY, .at = 0, .leaf.key = "exponent65"},
        {"RSA 2048 middle", CHAIN_GOOD, .middle.key = "RSA2048"},
        {"RSA 1024 middle", CHAIN_WEAK_KEY, .at = 1, .middle.key = "RSA1024"},
        {"RSA 1024 root", CHAIN_WEAK_KEY, .at = 2, .root.key = "RSA1024"},
        {"P-224", CHAIN_WEAK_KEY, .at = 0, .leaf.key = "P-224"},
        {"P-224 middle", CHAIN_WEAK_KEY, .at = 1, .middle.key = "P-224"},
        {"P-384", CHAIN_GOOD, .leaf.key = "P-384", .middle.key = "P-384"},
        {"P-521", CHAIN_GOOD, .leaf.key = "P-521", .root.key = "P-521"},
        {"secp256k1", CHAIN_WEAK_KEY, .at = 0, .leaf.key = "secp256k1"},
        {"brainpoolP256r1", CHAIN_WEAK_KEY, .at = 0, .leaf.key = "brainpoolP256r1"},
        {"P-256 written out", CHAIN_WEAK_KEY, .at = 0, .leaf.key = "explicit"},
        {"Ed25519", CHAIN_GOOD, .leaf.key = "ED25519"},
        {"Ed25519 throughout", CHAIN_GOOD, .leaf.key = "ED25519", .middle.key = "ED25519",
         .root.key = "ED25519"},
        {"Ed448", CHAIN_WEAK_KEY, .at = 0, .leaf.key = "ED448"},
        {"Ed448 root", CHAIN_WEAK_SIGNATURE, .at = 1, .root.key = "ED448"},
        {"X25519", CHAIN_WEAK_KEY, .at = 0, .leaf.key = "X25519"},
        {"DSA", CHAIN_WEAK_KEY, .at = 0, .leaf.key = "DSA"},
        {"MD5 leaf", CHAIN_WEAK_SIGNATURE, .at = 0, .middle.key = "RSA2048",
         .leaf.hash = EVP_md5()},
        {"SHA-1 leaf", CHAIN_WEAK_SIGNATURE, .at = 0, .leaf.hash = EVP_sha1()},
        {"SHA-224 leaf", CHAIN_WEAK_SIGNATURE, .at = 0, .leaf.hash = EVP_sha224()},
        {"SHA-1 middle", CHAIN_WEAK_SIGNATURE, .at = 1, .middle.hash = EVP_sha1()},
        {"SHA-1 root", CHAIN_GOOD, .root.hash = EVP_sha1()},
        {"SHA-1 anchor of a partial chain", CHAIN_GOOD, .shape = PARTIAL,
         .middle.hash = EVP_sha1()},
        {"SHA-384 leaf", CHAIN_GOOD, .leaf.hash = EVP_sha384()},
        {"SHA-512 leaf", CHAIN_GOOD, .leaf.hash = EVP_sha512()},
        {"SHA3-256 leaf", CHAIN_GOOD, .middle.key = "RSA2048", .leaf.hash = EVP_sha3_256()},
    };

    (void)state;
    CHECK_ROWS(rows);
}

#define PURPOSE(usage) "basicConstraints=CA:FALSE|extendedKeyUsage=" usage
#define USAGE(usage) "basicConstraints=CA:FALSE|keyUsage=critical," usage

static void P094_leaves_must_be_for_clients_and_may_be_authorities(void **state)
{
    static const struct row rows[] = {
        {"CA:TRUE", CHAIN_GOOD, .leaf.extensions = "basicConstraints=critical,CA:TRUE"},
        {"CA:TRUE as edge devices have it", CHAIN_GOOD,
         .leaf.extensions = "basicConstraints=critical,CA:TRUE|"
                            "keyUsage=critical,keyCertSign,digitalSignature|"
                            "extendedKeyUsage=clientAuth,serverAuth"},
        {"no extensions", CHAIN_GOOD, .leaf.extensions = ""},
        {"version 1", CHAIN_GOOD, .leaf = {.version = 1, .extensions = ""}},
        {"no extendedKeyUsage", CHAIN_GOOD, .leaf.extensions = USAGE("digitalSignature")},
        {"clientAuth", CHAIN_GOOD, .leaf.extensions = PURPOSE("clientAuth")},
        {"clientAuth and emailProtection", CHAIN_GOOD,
         .leaf.extensions = PURPOSE("clientAuth,emailProtection")},
        {"serverAuth and clientAuth", CHAIN_GOOD,
         .leaf.extensions = PURPOSE("serverAuth,clientAuth")},
        {"serverAuth", CHAIN_WRONG_PURPOSE, .at = 0, .leaf.extensions = PURPOSE("serverAuth")},
        {"any", CHAIN_WRONG_PURPOSE, .at = 0, .leaf.extensions = PURPOSE("anyExtendedKeyUsage")},
        {"unknown purpose", CHAIN_WRONG_PURPOSE, .at = 0, .leaf.extensions = PURPOSE("1.2.3.4")},
        {"middle with clientAuth", CHAIN_GOOD,
         .middle.extensions = NO_KEY_USAGE "|extendedKeyUsage=clientAuth"},
        {"middle with serverAuth", CHAIN_WRONG_PURPOSE, .at = 1,
         .middle.extensions = NO_KEY_USAGE "|extendedKeyUsage=serverAuth"},
        {"root with serverAuth", CHAIN_WRONG_PURPOSE, .at = 2,
         .root.extensions = NO_KEY_USAGE "|extendedKeyUsage=serverAuth"},
        {"digitalSignature among others", CHAIN_GOOD,
         .leaf.extensions = USAGE("digitalSignature,keyEncipherment")},
        {"keyEncipherment alone", CHAIN_WRONG_PURPOSE, .at = 0,
         .leaf.extensions = USAGE("keyEncipherment")},
        {"keyAgreement alone", CHAIN_WRONG_PURPOSE, .at = 0,
         .leaf.extensions = USAGE("keyAgreement")},
    };

    (void)state;
    CHECK_ROWS(rows);
}

#define CONSTRAINED(subtree) NO_KEY_USAGE "|nameConstraints=critical," subtree

static void name_constraints_bind_names_and_not_the_look_of_a_device_id(void **state)
{
    static const struct row rows[] = {
        {"inside the permitted name", CHAIN_GOOD, .leaf.organization = "Plant",
         .middle.extensions = CONSTRAINED("permitted;dirName:plant")},
        {"outside the permitted name", CHAIN_NAME_CONSTRAINT, .at = 0, .leaf.organization = "Other",
         .middle.extensions = CONSTRAINED("permitted;dirName:plant")},
        {"no such name", CHAIN_NAME_CONSTRAINT, .at = 0,
         .middle.extensions = CONSTRAINED("permitted;dirName:plant")},
        {"excluded name", CHAIN_NAME_CONSTRAINT, .at = 0, .leaf.organization = "Other",
         .middle.extensions = CONSTRAINED("excluded;dirName:other")},
        {"beside the excluded name", CHAIN_GOOD, .leaf.organization = "Plant",
         .middle.extensions = CONSTRAINED("excluded;dirName:other")},
        {"root constrains the middle", CHAIN_NAME_CONSTRAINT, .at = 1, .leaf.organization = "Plant",
         .root.extensions = CONSTRAINED("permitted;dirName:plant")},
        {"device ID like a host name", CHAIN_GOOD, .leaf.cn = "pump.example.com",
         .middle.extensions = CONSTRAINED("permitted;DNS:plant.example")},
        {"alternative name outside", CHAIN_NAME_CONSTRAINT, .at = 0,
         .leaf.extensions = "subjectAltName=DNS:pump.example.com",
         .middle.extensions = CONSTRAINED("permitted;DNS:plant.example")},
        {"alternative name inside", CHAIN_GOOD,
         .leaf.extensions = "subjectAltName=DNS:pump.plant.example",
         .middle.extensions = CONSTRAINED("permitted;DNS:plant.example")},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void odd_extensions_and_serials(void **state)
{
    static const struct row rows[] = {
        {"unknown extension", CHAIN_GOOD, .leaf.extensions = "1.2.3.4=DER:0500"},
        {"unknown critical extension", CHAIN_CRITICAL_EXTENSION, .at = 0,
         .leaf.extensions = "1.2.3.4=critical,DER:0500"},
        {"unknown critical extension on the middle", CHAIN_CRITICAL_EXTENSION, .at = 1,
         .middle.extensions = NO_KEY_USAGE "|1.2.3.4=critical,DER:0500"},
        {"unknown critical extension on the root", CHAIN_CRITICAL_EXTENSION, .at = 2,
         .root.extensions = NO_KEY_USAGE "|1.2.3.4=critical,DER:0500"},
        {"basicConstraints twice", CHAIN_MALFORMED, .at = 0,
         .leaf.extensions = "basicConstraints=CA:FALSE|basicConstraints=CA:FALSE"},
        {"unknown extension twice", CHAIN_MALFORMED, .at = 0,
         .leaf.extensions = "1.2.3.4=DER:0500|1.2.3.4=DER:0500"},
        {"basicConstraints unreadable", CHAIN_MALFORMED, .at = 1,
         .middle.extensions = "basicConstraints=DER:0500"},
        {"keyUsage unreadable", CHAIN_MALFORMED, .at = 0, .leaf.extensions = "keyUsage=DER:0500"},
        {"subjectAltName unreadable", CHAIN_MALFORMED, .at = 0,
         .leaf.extensions = "subjectAltName=DER:0500"},
        {"extendedKeyUsage unreadable", CHAIN_MALFORMED, .at = 0,
         .leaf.extensions = "extendedKeyUsage=DER:FFFF"},
        {"proxy certificate", CHAIN_OTHER, .at = 0,
         .leaf.extensions = "proxyCertInfo=critical,language:id-ppl-anyLanguage"},
        {"serial of 20 bytes", CHAIN_GOOD, .leaf.serial = BYTES_20},
        {"serial of 21 bytes", CHAIN_MALFORMED, .at = 0, .leaf.serial = BYTES_20 "01"},
        {"serial of 64 bytes", CHAIN_MALFORMED, .at = 1,
         .middle.serial = BYTES_20 BYTES_20 BYTES_20 "01234567"},
        {"negative serial", CHAIN_GOOD, .leaf.serial = "-5"},
        {"serial 0", CHAIN_GOOD, .leaf.serial = "0"},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void common_names_must_be_one_device_id(void **state)
{
    static const struct row rows[] = {
        {"64 characters", CHAIN_GOOD, .leaf.cn = CHARACTERS_64},
        {"65 characters", CHAIN_BAD_NAME, .at = 0, .leaf.cn = CHARACTERS_64 "x"},
        {"no CN", CHAIN_BAD_NAME, .at = 0, .leaf = {.cn = "", .organization = "Plant"}},
        {"no subject", CHAIN_BAD_NAME, .at = 0, .leaf.cn = ""},
        {"two CNs", CHAIN_BAD_NAME, .at = 0, .leaf.second_cn = "pump-08"},
        {"the same CN twice", CHAIN_BAD_NAME, .at = 0, .leaf.second_cn = "pump-07"},
        {"NUL inside", CHAIN_BAD_NAME, .at = 0, .leaf = {.cn = "pump\0-07", .cn_len = 8}},
        {"NUL behind", CHAIN_BAD_NAME, .at = 0, .leaf = {.cn = "pump-07\0", .cn_len = 8}},
        {"UTF-8", CHAIN_BAD_NAME, .at = 0, .leaf.cn = "p\xc3\xbcmp"},
        {"line feed", CHAIN_BAD_NAME, .at = 0, .leaf.cn = "pump\n07"},
        {"DEL", CHAIN_BAD_NAME, .at = 0, .leaf.cn = "pump\x7f"},
        {"PrintableString", CHAIN_GOOD, .leaf.cn_type = V_ASN1_PRINTABLESTRING},
        {"T61String", CHAIN_GOOD, .leaf.cn_type = V_ASN1_T61STRING},
        {"BMPString", CHAIN_GOOD,
         .leaf = {.cn = "\0p\0u\0m\0p", .cn_len = 8, .cn_type = V_ASN1_BMPSTRING}},
        {"BMPString beyond ASCII", CHAIN_BAD_NAME, .at = 0,
         .leaf = {.cn = "\x01p\0u", .cn_len = 4, .cn_type = V_ASN1_BMPSTRING}},
        {"issuer without CN", CHAIN_GOOD, .middle = {.cn = "", .organization = "Plant"}},
    };

    (void)state;
    CHECK_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(P072_H021_paths_are_built_from_what_is_sent_and_known),
        cmocka_unit_test(P072_badly_signed_chains_are_refused),
        cmocka_unit_test(P072_chains_out_of_date_are_refused),
        cmocka_unit_test(P072_issuers_must_be_authorities),
        cmocka_unit_test(weak_keys_and_signatures_are_refused),
        cmocka_unit_test(P094_leaves_must_be_for_clients_and_may_be_authorities),
        cmocka_unit_test(name_constraints_bind_names_and_not_the_look_of_a_device_id),
        cmocka_unit_test(odd_extensions_and_serials),
        cmocka_unit_test(common_names_must_be_one_device_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
