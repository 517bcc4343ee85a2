#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"
#include "codec/dtmi.h"

static void dtmi_parse_knows_both_grammars(void **state)
{
    static const struct {
        const char *name, *text;
        bool v2, v3;
    } rows[] = {
        {"short", "dtmi:a;1", true, true},
        {"usual", "dtmi:com:example:Thermostat;1", true, true},
        {"digits and underscores inside", "dtmi:com:a_1:b__2c;12", true, true},
        {"nine digits", "dtmi:com:a;999999999", true, true},
        {"ten digits", "dtmi:com:a;1000000000", false, false},
        {"version zero", "dtmi:com:a;0", false, false},
        {"leading zero", "dtmi:com:a;01", false, false},
        {"no version", "dtmi:com:a", false, true},
        {"empty version", "dtmi:com:a;", false, false},
        {"minor part", "dtmi:com:a;1.2", false, true},
        {"minor part of six digits", "dtmi:com:a;999999999.999999", false, true},
        {"minor part of seven digits", "dtmi:com:a;1.1000000", false, false},
        {"minor part of zero", "dtmi:com:a;1.0", false, false},
        {"leading zero in the minor part", "dtmi:com:a;1.01", false, false},
        {"empty minor part", "dtmi:com:a;1.", false, false},
        {"no major part", "dtmi:com:a;.1", false, false},
        {"three parts", "dtmi:com:a;1.2.3", false, false},
        {"two versions", "dtmi:com:a;1;2", false, false},
        {"sign", "dtmi:com:a;+1", false, false},
        {"system segment", "dtmi:com:_a:b;1", true, true},
        {"underscore alone", "dtmi:com:_:b;1", false, false},
        {"underscore last", "dtmi:com:a_;1", false, false},
        {"digit first", "dtmi:com:1a;1", false, false},
        {"hyphen", "dtmi:com:a-b;1", false, false},
        {"blank", "dtmi:com:a b;1", false, false},
        {"letter beyond ASCII", "dtmi:com:\xc3\xa4;1", false, false},
        {"empty segment", "dtmi:com::a;1", false, false},
        {"colon last", "dtmi:com:;1", false, false},
        {"no segment", "dtmi:;1", false, false},
        {"nothing behind the scheme", "dtmi:", false, false},
        {"scheme in capitals", "DTMI:com:a;1", false, false},
        {"older identifier", "urn:com:a:1", false, false},
        {"empty", "", false, false},
    };
    struct dtmi dtmi;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (dtmi_parse(slice_str(rows[i].text), DTMI_V2, &dtmi) != rows[i].v2)
            fail_msg("%s: by version 2", rows[i].name);
        if (dtmi_parse(slice_str(rows[i].text), DTMI_V3, &dtmi) != rows[i].v3)
            fail_msg("%s: by version 3", rows[i].name);
    }
}

static void dtmi_parse_gives_the_parts(void **state)
{
    struct dtmi dtmi;

    (void)state;
    assert_true(dtmi_parse(SLICE("dtmi:com:_a;12.34"), DTMI_V3, &dtmi));
    assert_true(slice_equal(dtmi.unversioned, SLICE("dtmi:com:_a")));
    assert_int_equal(dtmi.major, 12);
    assert_int_equal(dtmi.minor, 34);
    assert_true(dtmi.is_system);
    assert_true(dtmi_parse(SLICE("dtmi:com:a_b"), DTMI_V3, &dtmi));
    assert_true(slice_equal(dtmi.unversioned, SLICE("dtmi:com:a_b")));
    assert_int_equal(dtmi.major, 0);
    assert_int_equal(dtmi.minor, 0);
    assert_false(dtmi.is_system);
}

static bool parses(const char *start, size_t len)
{
    struct buf BUF_CLEANUP text = {.max = 8192};
    struct dtmi dtmi;

    buf_append_str(&text, start);
    while (text.len < len - 2)
        buf_append_byte(&text, 'a');
    buf_append_str(&text, ";1");
    return dtmi_parse(buf_slice(&text), DTMI_V2, &dtmi);
}

static void dtmi_parse_refuses_what_is_too_long(void **state)
{
    (void)state;
    assert_true(parses("dtmi:", DTMI_USER_MAX));
    assert_false(parses("dtmi:", DTMI_USER_MAX + 1));
    assert_true(parses("dtmi:_", DTMI_SYSTEM_MAX));
    assert_false(parses("dtmi:_", DTMI_SYSTEM_MAX + 1));
}

static void dtmi_term_is_the_word_of_the_language(void **state)
{
    static const struct {
        const char *text, *term;
    } rows[] = {
        {"double", "double"},
        {"dtmi:dtdl:instance:Schema:double;2", "double"},
        {"dtmi:standard:schema:geospatial:point;3", "point"},
        {"dtmi:iotcentral:schema:geopoint;2", "geopoint"},
        {"dtmi:dtdl:class:Telemetry;2", "Telemetry"},
        {"dtmi:com:example:acceleration;1", "dtmi:com:example:acceleration;1"},
        {"dtmi:dtdl:no:;2", "dtmi:dtdl:no:;2"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        slice term = dtmi_term(slice_str(rows[i].text));

        if (!slice_equal(term, slice_str(rows[i].term)))
            fail_msg("%s: got %.*s", rows[i].text, SLICE_FMT(term));
    }
    assert_true(dtmi_is_reserved(SLICE("dtmi:dtdl:a;1")));
    assert_true(dtmi_is_reserved(SLICE("dtmi:standard:a;1")));
    assert_false(dtmi_is_reserved(SLICE("dtmi:dtdlx:a;1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dtmi_parse_knows_both_grammars),
        cmocka_unit_test(dtmi_parse_gives_the_parts),
        cmocka_unit_test(dtmi_parse_refuses_what_is_too_long),
        cmocka_unit_test(dtmi_term_is_the_word_of_the_language),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
