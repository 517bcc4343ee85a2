#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/text.h"
#include "codec/sas.h"

#define K32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define G64                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define GDOC                                                                                       \
    "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw=="
#define D2 "E39QatCTEm7t/ejZBZgJQreX8WqJDe8a/oHSRHFfROw="
#define D4 "ELf7QZtlWu7tdtw8/t02ZlR0V6vzwje1a8jDQZ/YmQE="
#define KDOC                                                                                       \
    "18RQk/hOPJR9EbsJlk2j8WA6vWaj/yi+oaYg7zmxfQNdOyMSu+SJ8O7TSlZhDJCYmn4rzEiVKIzNiVAWjLxrGA=="

/* Any signature of the right shape: "00" * 32. */
#define SIG "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D"
#define TOKEN(scope) "SharedAccessSignature sr=" scope "&sig=" SIG "&se=1893456000"

static struct secret key_of(const char *base64)
{
    struct secret key = {0};

    if (!secret_from_base64(slice_str(base64), &key))
        fail_msg("no key: %s", base64);
    return key;
}

static struct sas_token parsed(const char *name, const char *text)
{
    struct sas_token token = {0};
    struct fault why = {0};

    if (sas_token_parse(slice_str(text), &token, &why) != ST_OK)
        fail_msg("%s: %s", name, why.text);
    return token;
}

struct vector {
    const char *name, *key, *scope, *expiry, *signature;
};

static const struct vector vectors[] = {
    {"S1", K32, "0ne00112233/registrations/dev-sas-01", "1795445594",
     "PLnCeqUt8rQFXLUIlXJMMWMaF7FJY3RESSbe4b4Zws0="},
    {"S2", K32, "0ne00112233%2Fregistrations%2Fdev-sas-01", "1795445782",
     "Uf9wqHT/ZIWYyPOZsGfvuKtyy0lQEq1l/gE9b5Je/zI="},
    {"S3", D2, "0ne00AB12CD/registrations/dev-001", "1893456000",
     "dBsNh8d85t3hdja/heBeoXHycYU29DeGCeo3MEBrvDU="},
    {"S4", D2, "0ne00AB12CD%2Fregistrations%2Fdev-001", "1893456000",
     "EEpY887XudeVTfj7Ejh9jLcZcEvzbiSGnYg7USlBIjE="},
    {"S5", D2, "0ne00AB12CD%2fregistrations%2fdev-001", "1893456000",
     "DakekyiUlDks8f9IG80982ZdI/4a6KJrD0GHQTgz3MI="},
    {"S6", D2, "0ne00ab12cd%2fregistrations%2fdev-001", "1893456000",
     "yMoRaGttNLqrPfCGVxkQ6K8PzgApG/S8SbltAhuUhC8="},
    {"S7", D4, "0ne00AB12CD/registrations/sn:00.7_a-b", "1893456000",
     "0bqJZjBj5gxVyPocwmhtGl/IDjAT9IkflmWwPBKDcOs="},
    {"S8", D4, "0ne00AB12CD%2Fregistrations%2Fsn%3A00.7_a-b", "1893456000",
     "8Df9nx6skjOVCMxpiK9LBHBmfqOLXHt3e9MKtBdXhkQ="},
    {"S9", D4, "0ne00AB12CD%2fregistrations%2fsn%3a00.7_a-b", "1893456000",
     "+N9rHcAWl5O6WiuX60nQYNVLMOA2j9UzbnL5brJwG0s="},
    {"S10", D2, "muster-hub.example.org%2Fdevices%2Fdev-001", "1893456000",
     "XHyYgl1GmzxPuz29HqfCxvTwpK4XfZ2KusW/VwTf79Y="},
    {"S11", D2, "muster-hub.example.org%2fdevices%2fdev-001", "1893456000",
     "glHRVDVnCvTOCBP7gf3oSdz/SepdEWmfxNo7JNQjvrc="},
    {"S12", D2, "muster-hub.example.org/devices/dev-001", "1893456000",
     "yxYwROazUl2PtmNPTZNwa1dgz6SG6U6egHF6LIPkFjA="},
    {"S13", K32, "dps1.example.org", "1893456000", "jCz6qOpBHc77Y9Qzri0DVsdlu5vs9u0xRoPpWhdUJgw="},
    {"S14", K32, "muster-hub.example.org", "1893456000",
     "fJhG8yNVMLx+YAeYhc4UlnSgrEmTVpd2UHhxWA7+2QQ="},
    {"S15", KDOC, "MyExampleHub.azure-devices.net%2Fdevices%2Fmy-symkey-device", "1663119026",
     "f+wW8XOKeJOtiPc9Iwjc4OpExvPM7NlhM9qxN2a1aAM="},
};

enum escapes { UPPER, LOWER, RAW };

static void write_token(const struct vector *v, enum escapes how, struct buf *to)
{
    buf_printf(to, "SharedAccessSignature sr=%s&sig=", v->scope);
    for (const char *c = v->signature; *c; c++) {
        if (how == RAW || !strchr("+/=", *c))
            buf_append_byte(to, (uint8_t)*c);
        else
            buf_printf(to, how == LOWER ? "%%%02x" : "%%%02X", *c);
    }
    buf_printf(to, "&se=%s", v->expiry);
    buf_append_byte(to, 0);
}

static void P001_P004_H011_sas_signature_vectors_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        const struct vector *v = &vectors[i];
        SECRET_CLEANUP struct secret key = key_of(v->key);
        SECRET_CLEANUP struct secret other = key_of(GDOC);

        for (enum escapes how = UPPER; how <= RAW; how++) {
            BUF_CLEANUP struct buf text = {.max = SAS_TOKEN_MAX};
            struct sas_token token;

            write_token(v, how, &text);
            token = parsed(v->name, (const char *)text.ptr);
            if (!sas_token_signed_by(&token, secret_slice(&key)))
                fail_msg("%s: the key does not match, escapes %d", v->name, how);
            if (sas_token_signed_by(&token, secret_slice(&other)))
                fail_msg("%s: another key matches", v->name);
        }
    }
}

static void P001_a_signature_holds_for_the_bytes_as_sent_alone(void **state)
{
    /* S4's signature under the scope and the expiry of its neighbours */
    static const struct vector wrong[] = {
        {"raw scope", D2, "0ne00AB12CD/registrations/dev-001", "1893456000",
         "EEpY887XudeVTfj7Ejh9jLcZcEvzbiSGnYg7USlBIjE="},
        {"lower hex", D2, "0ne00AB12CD%2fregistrations%2fdev-001", "1893456000",
         "EEpY887XudeVTfj7Ejh9jLcZcEvzbiSGnYg7USlBIjE="},
        {"expiry with a zero in front", D2, "0ne00AB12CD%2Fregistrations%2Fdev-001", "01893456000",
         "EEpY887XudeVTfj7Ejh9jLcZcEvzbiSGnYg7USlBIjE="},
        {"expiry one later", D2, "0ne00AB12CD%2Fregistrations%2Fdev-001", "1893456001",
         "EEpY887XudeVTfj7Ejh9jLcZcEvzbiSGnYg7USlBIjE="},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        SECRET_CLEANUP struct secret key = key_of(wrong[i].key);
        BUF_CLEANUP struct buf text = {.max = SAS_TOKEN_MAX};
        struct sas_token token;

        write_token(&wrong[i], UPPER, &text);
        token = parsed(wrong[i].name, (const char *)text.ptr);
        if (sas_token_signed_by(&token, secret_slice(&key)))
            fail_msg("%s: signature holds", wrong[i].name);
    }
}

static void P002_four_spellings_of_one_device_cover_it(void **state)
{
    const slice scopes[] = {SLICE("0ne00AB12CD")};
    const slice segments[] = {SLICE("registrations"), SLICE("dev-001")};
    const struct sas_resource device = {scopes, 1, segments, 2, true};

    (void)state;
    for (size_t i = 2; i < 6; i++) {
        BUF_CLEANUP struct buf text = {.max = SAS_TOKEN_MAX};
        struct sas_token token;

        write_token(&vectors[i], UPPER, &text);
        token = parsed(vectors[i].name, (const char *)text.ptr);
        if (!sas_token_covers(&token, &device) || sas_token_depth(&token) != 2)
            fail_msg("%s: not covered", vectors[i].name);
    }
}

static void P003_H011_H014_fields_come_in_any_order_and_case(void **state)
{
    static const struct {
        const char *name, *text, *policy;
    } rows[] = {
        {"sr,sig,skn,se", "SharedAccessSignature sr=h&sig=" SIG "&skn=registration&se=77",
         "registration"},
        {"sr,sig,se", "SharedAccessSignature sr=h&sig=" SIG "&se=77", ""},
        {"sr,sig,se,skn", "SharedAccessSignature sr=h&sig=" SIG "&se=77&skn=device", "device"},
        {"sig,se,sr", "SharedAccessSignature sig=" SIG "&se=77&sr=h", ""},
        {"empty skn", "SharedAccessSignature sr=h&sig=" SIG "&se=77&skn=", ""},
        {"skn without =", "SharedAccessSignature sr=h&sig=" SIG "&se=77&skn", ""},
        {"empty skn within", "SharedAccessSignature sr=h&skn=&sig=" SIG "&se=77", ""},
        {"names in capitals", "SharedAccessSignature SR=h&Sig=" SIG "&sE=77&SKN=p", "p"},
        {"unknown fields", "SharedAccessSignature x=1&sr=h&sig=" SIG "&y&se=77&x=2&", ""},
        {"scheme without case", "sharedaccesssignature sr=h&sig=" SIG "&se=77", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sas_token token = parsed(rows[i].name, rows[i].text);

        if (!slice_equal(token.scope, SLICE("h")) || !slice_equal(token.expiry, SLICE("77")) ||
            token.expires_at != 77)
            fail_msg("%s: wrong fields", rows[i].name);
        if (!slice_equal(token.policy, slice_str(rows[i].policy)))
            fail_msg("%s: policy '%.*s'", rows[i].name, SLICE_FMT(token.policy));
    }
}

static void malformed_tokens_are_refused(void **state)
{
    static const struct {
        const char *name, *text;
    } rows[] = {
        {"nothing", ""},
        {"scheme alone", "SharedAccessSignature "},
        {"no scheme", "sr=h&sig=" SIG "&se=77"},
        {"other scheme", "Bearer sr=h&sig=" SIG "&se=77"},
        {"no blank", "SharedAccessSignaturesr=h&sig=" SIG "&se=77"},
        {"scheme twice", "SharedAccessSignature SharedAccessSignature sr=h&sig=" SIG "&se=77"},
        {"two blanks", "SharedAccessSignature  sr=h&sig=" SIG "&se=77"},
        {"no sr", "SharedAccessSignature sig=" SIG "&se=77"},
        {"empty sr", "SharedAccessSignature sr=&sig=" SIG "&se=77"},
        {"no sig", "SharedAccessSignature sr=h&se=77"},
        {"empty sig", "SharedAccessSignature sr=h&sig=&se=77"},
        {"no se", "SharedAccessSignature sr=h&sig=" SIG},
        {"empty se", "SharedAccessSignature sr=h&sig=" SIG "&se="},
        {"two sr", "SharedAccessSignature sr=h&sr=h&sig=" SIG "&se=77"},
        {"two sig", "SharedAccessSignature sr=h&sig=" SIG "&sig=" SIG "&se=77"},
        {"two se, one in capitals", "SharedAccessSignature sr=h&sig=" SIG "&se=77&SE=99"},
        {"two skn, both empty", "SharedAccessSignature sr=h&sig=" SIG "&se=77&skn=&skn="},
        {"escaped skn", "SharedAccessSignature sr=h&sig=" SIG "&se=77&skn=a%20b"},
        {"signed se", "SharedAccessSignature sr=h&sig=" SIG "&se=+77"},
        {"negative se", "SharedAccessSignature sr=h&sig=" SIG "&se=-77"},
        {"fraction", "SharedAccessSignature sr=h&sig=" SIG "&se=77.0"},
        {"blank in se", "SharedAccessSignature sr=h&sig=" SIG "&se= 77"},
        {"hex se", "SharedAccessSignature sr=h&sig=" SIG "&se=0x77"},
        {"21 digits", "SharedAccessSignature sr=h&sig=" SIG "&se=000000000000000000077"},
        {"sig of 31 bytes", "SharedAccessSignature sr=h&se=77&sig="
                            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D%3D"},
        {"sig of 33 bytes", "SharedAccessSignature sr=h&se=77&sig="
                            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"sig with pad bits", "SharedAccessSignature sr=h&se=77&sig="
                              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB%3D"},
        {"sig with a blank for +", "SharedAccessSignature sr=h&se=77&sig="
                                   " AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D"},
        {"sig with a broken escape", "SharedAccessSignature sr=h&se=77&sig="
                                     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3"},
        {"sig escaped twice", "SharedAccessSignature sr=h&se=77&sig="
                              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%253D"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sas_token token;
        struct fault why = {0};

        if (sas_token_parse(slice_str(rows[i].text), &token, &why) != ST_UNAUTHORIZED)
            fail_msg("%s: parsed", rows[i].name);
        if (why.text[0] == '\0')
            fail_msg("%s: no cause", rows[i].name);
    }
}

static void a_token_of_4096_bytes_parses_and_one_more_does_not(void **state)
{
    static char text[SAS_TOKEN_MAX + 1];
    int len = snprintf(text, sizeof text, "%s&x=", TOKEN("h"));
    struct sas_token token;

    (void)state;
    memset(text + len, 'x', sizeof text - (size_t)len);
    assert_int_equal(sas_token_parse(slice_of(text, SAS_TOKEN_MAX - 1), &token, NULL), ST_OK);
    assert_int_equal(sas_token_parse(slice_of(text, SAS_TOKEN_MAX), &token, NULL), ST_OK);
    assert_int_equal(sas_token_parse(slice_of(text, SAS_TOKEN_MAX + 1), &token, NULL),
                     ST_UNAUTHORIZED);
}

static void P008_expiry_is_kept_with_its_tolerance(void **state)
{
    static const struct {
        const char *name, *expiry;
        int64_t expires_at, now, tolerance;
        bool expired;
    } rows[] = {
        {"before", "1000", 1000, 999, 0, false},
        {"at", "1000", 1000, 1000, 0, false},
        {"after", "1000", 1000, 1001, 0, true},
        {"at the end of the tolerance", "1000", 1000, 1300, 300, false},
        {"behind it", "1000", 1000, 1301, 300, true},
        {"zero", "0", 0, 301, 300, true},
        {"milliseconds", "1893456000000", 1893456000000, 1893456000, 300, false},
        {"INT64_MAX", "9223372036854775807", INT64_MAX, INT64_MAX, 300, false},
        {"one more saturates", "9223372036854775808", INT64_MAX, 1893456000, 300, false},
        {"UINT64_MAX saturates", "18446744073709551615", INT64_MAX, 1893456000, 300, false},
        {"20 digits saturate", "99999999999999999999", INT64_MAX, 1893456000, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[256];
        struct sas_token token;

        snprintf(text, sizeof text, "SharedAccessSignature sr=h&sig=%s&se=%s", SIG, rows[i].expiry);
        token = parsed(rows[i].name, text);
        if (token.expires_at != rows[i].expires_at)
            fail_msg("%s: expires at %lld", rows[i].name, (long long)token.expires_at);
        if (sas_token_expired(&token, rows[i].now, rows[i].tolerance) != rows[i].expired)
            fail_msg("%s: expected expired=%d", rows[i].name, rows[i].expired);
    }
}

#define API_VERSION "/api-version=2016-11-14"

static void P009_H015_H018_H019_a_scope_covers_whole_segments(void **state)
{
    static const struct {
        const char *name, *text, *device;
        bool covers;
        size_t depth;
    } rows[] = {
        {"encoded", TOKEN("h.example%2Fdevices%2Fd1"), "d1", true, 2},
        {"encoded in lower hex", TOKEN("h.example%2fdevices%2fd1"), "d1", true, 2},
        {"raw", TOKEN("h.example/devices/d1"), "d1", true, 2},
        {"host in capitals", TOKEN("H.Example%2Fdevices%2Fd1"), "d1", true, 2},
        {"alias", TOKEN("other.example/devices/d1"), "d1", true, 2},
        {"stranger", TOKEN("h.example.org/devices/d1"), "d1", false, 2},
        {"host cut short", TOKEN("h.exampl/devices/d1"), "d1", false, 2},
        {"host alone", TOKEN("h.example"), "d1", true, 0},
        {"host and devices", TOKEN("h.example%2Fdevices"), "d1", true, 1},
        {"trailing slash", TOKEN("h.example/devices/d1/"), "d1", true, 2},
        {"trailing slash, encoded", TOKEN("h.example%2Fdevices%2Fd1%2F"), "d1", true, 2},
        {"two trailing slashes", TOKEN("h.example/devices/d1//"), "d1", false, 3},
        {"doubled slash", TOKEN("h.example//devices/d1"), "d1", false, 3},
        {"leading slash", TOKEN("/h.example/devices/d1"), "d1", false, 3},
        {"part of an id", TOKEN("h.example/devices/d"), "d1", false, 2},
        {"longer id", TOKEN("h.example/devices/d10"), "d1", false, 2},
        {"part of devices", TOKEN("h.example/device"), "d1", false, 1},
        {"case of the id", TOKEN("h.example/devices/D1"), "d1", false, 2},
        {"case of devices", TOKEN("h.example/Devices/d1"), "d1", false, 2},
        {"module of it", TOKEN("h.example/devices/d1/modules/m"), "d1", false, 4},
        {"api-version, raw", TOKEN("h.example/devices/d1" API_VERSION), "d1", true, 2},
        {"api-version, encoded", TOKEN("h.example%2Fdevices%2Fd1%2Fapi-version%3D2016-11-14"), "d1",
         true, 2},
        {"api-version within", TOKEN("h.example" API_VERSION "/devices/d1"), "d1", false, 3},
        {"api-version twice", TOKEN("h.example/devices/d1" API_VERSION API_VERSION), "d1", false,
         3},
        {"api-version alone", TOKEN("api-version=1"), "d1", false, 0},
        {"another last segment", TOKEN("h.example/devices/d1/version=1"), "d1", false, 3},
        {"id with %41, raw", TOKEN("h.example/devices/a%41"), "a%41", true, 2},
        {"id with %41 encoded, slashes raw", TOKEN("h.example/devices/a%2541"), "a%41", true, 2},
        {"id with %41 encoded", TOKEN("h.example%2Fdevices%2Fa%2541"), "a%41", true, 2},
        {"not decoded twice", TOKEN("h.example%2Fdevices%2Fa%2541"), "aA", false, 2},
        {"id with a lone %, raw", TOKEN("h.example/devices/100%"), "100%", true, 2},
        {"id with a lone %, encoded", TOKEN("h.example%2Fdevices%2F100%25"), "100%", true, 2},
        {"lone % where escapes are due", TOKEN("h.example%2Fdevices%2F100%"), "100%", false,
         SIZE_MAX},
        {"id encoded, slashes raw", TOKEN("h.example/devices/a%3Ab"), "a:b", true, 2},
        {"id with %2F, raw", TOKEN("h.example/devices/d%2Fmodules%2Fm"), "d%2Fmodules%2Fm", true,
         2},
        {"id with %2F is no path", TOKEN("h.example/devices%2Fd1"), "d1", false, 1},
        {"plus is a plus", TOKEN("h.example%2Fdevices%2Fa+b"), "a b", false, 2},
        {"fifteen segments", TOKEN("h.example/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15"), "d1", false,
         15},
        {"sixteen", TOKEN("h.example/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16"), "d1", false,
         SIZE_MAX},
    };
    const slice hosts[] = {SLICE("h.example"), SLICE("OTHER.example")};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const slice segments[] = {SLICE("devices"), slice_str(rows[i].device)};
        const struct sas_resource device = {hosts, COUNT_OF(hosts), segments, 2, false};
        struct sas_token token = parsed(rows[i].name, rows[i].text);

        if (sas_token_covers(&token, &device) != rows[i].covers)
            fail_msg("%s: expected covers=%d", rows[i].name, rows[i].covers);
        if (sas_token_depth(&token) != rows[i].depth)
            fail_msg("%s: depth %zu", rows[i].name, sas_token_depth(&token));
    }
}

static void P009_a_dps_scope_names_one_registration(void **state)
{
    static const struct {
        const char *name, *text;
        bool covers;
    } rows[] = {
        {"encoded", TOKEN("0ne00AB12CD%2fregistrations%2Fdev-001"), true},
        {"other case", TOKEN("0NE00AB12CD/Registrations/DEV-001"), true},
        {"another registration", TOKEN("0ne00AB12CD/registrations/dev-002"), false},
        {"another scope", TOKEN("0ne00AB12CE/registrations/dev-001"), false},
        {"ends inside a segment", TOKEN("0ne00AB12CD/registrations/dev-00"), false},
        {"scope cut short", TOKEN("0ne00AB12C"), false},
    };
    const slice scopes[] = {SLICE("0ne00AB12CD")};
    const slice segments[] = {SLICE("registrations"), SLICE("dev-001")};
    const struct sas_resource registration = {scopes, 1, segments, 2, true};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sas_token token = parsed(rows[i].name, rows[i].text);

        if (sas_token_covers(&token, &registration) != rows[i].covers)
            fail_msg("%s: expected covers=%d", rows[i].name, rows[i].covers);
    }
}

static void P005_derived_device_keys_are_those_of_the_vectors(void **state)
{
    static const struct {
        const char *name, *group_key, *registration_id, *device_key;
    } rows[] = {
        {"D1", GDOC, "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6",
         "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc="},
        {"D2", G64, "dev-001", D2},
        {"D3", G64, "DEV-001", "GQA7sy3OP6Gkmp3HbYozec+EEpw1jC99lm71rBgPd/I="},
        {"D4", G64, "sn:00.7_a-b", D4},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        SECRET_CLEANUP struct secret group = key_of(rows[i].group_key);
        SECRET_CLEANUP struct secret want = key_of(rows[i].device_key);
        SECRET_CLEANUP struct secret have = {0};

        derive_device_key(&group, slice_str(rows[i].registration_id), &have);
        if (have.len != want.len || !secret_equal(have.bytes, want.bytes, want.len))
            fail_msg("%s: another key", rows[i].name);
        derive_device_key(&group, slice_str(rows[i].registration_id), &group);
        if (group.len != want.len || !secret_equal(group.bytes, want.bytes, want.len))
            fail_msg("%s: another key in place", rows[i].name);
    }
}

static void P007_either_key_is_tried_by_its_own_bytes(void **state)
{
    SECRET_CLEANUP struct secret primary = key_of(K32);
    SECRET_CLEANUP struct secret secondary = key_of(D2);
    BUF_CLEANUP struct buf text = {.max = SAS_TOKEN_MAX};
    struct sas_token token;

    (void)state;
    sas_token_write(SLICE("h/devices/d1"), secret_slice(&secondary), 77, (slice){0}, &text);
    assert_int_equal(sas_token_parse(buf_slice(&text), &token, NULL), ST_OK);
    assert_false(sas_token_signed_by(&token, secret_slice(&primary)));
    assert_true(sas_token_signed_by(&token, secret_slice(&secondary)));
    assert_false(sas_token_signed_by(&token, (slice){0}));
}

static void a_written_token_is_that_of_the_vectors(void **state)
{
    SECRET_CLEANUP struct secret key = key_of(K32);
    BUF_CLEANUP struct buf text = {.max = SAS_TOKEN_MAX};

    (void)state;
    sas_token_write(SLICE("0ne00112233/registrations/dev-sas-01"), secret_slice(&key), 1795445782,
                    SLICE("registration"), &text);
    assert_false(text.failed);
    buf_append_byte(&text, 0);
    assert_string_equal((const char *)text.ptr,
                        "SharedAccessSignature sr=0ne00112233%2Fregistrations%2Fdev-sas-01"
                        "&sig=Uf9wqHT%2FZIWYyPOZsGfvuKtyy0lQEq1l%2FgE9b5Je%2FzI%3D"
                        "&se=1795445782&skn=registration");
}

static void a_token_that_does_not_fit_fails_the_buffer(void **state)
{
    BUF_CLEANUP struct buf text = {.max = 64};

    (void)state;
    sas_token_write(SLICE("h/devices/d1"), SLICE("key"), 77, (slice){0}, &text);
    assert_true(text.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(P001_P004_H011_sas_signature_vectors_pass),
        cmocka_unit_test(P001_a_signature_holds_for_the_bytes_as_sent_alone),
        cmocka_unit_test(P002_four_spellings_of_one_device_cover_it),
        cmocka_unit_test(P003_H011_H014_fields_come_in_any_order_and_case),
        cmocka_unit_test(malformed_tokens_are_refused),
        cmocka_unit_test(a_token_of_4096_bytes_parses_and_one_more_does_not),
        cmocka_unit_test(P008_expiry_is_kept_with_its_tolerance),
        cmocka_unit_test(P009_H015_H018_H019_a_scope_covers_whole_segments),
        cmocka_unit_test(P009_a_dps_scope_names_one_registration),
        cmocka_unit_test(P005_derived_device_keys_are_those_of_the_vectors),
        cmocka_unit_test(P007_either_key_is_tried_by_its_own_bytes),
        cmocka_unit_test(a_written_token_is_that_of_the_vectors),
        cmocka_unit_test(a_token_that_does_not_fit_fails_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
