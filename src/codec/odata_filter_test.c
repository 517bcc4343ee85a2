#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "codec/odata_fixture.h"

enum { NAME, TEMPLATE, ENABLED, FIELD_COUNT };

static const struct odata_field fields[] = {
    [NAME] = {"displayName", ODATA_TEXT},
    [TEMPLATE] = {"template", ODATA_TEXT},
    [ENABLED] = {"enabled", ODATA_BOOL},
};

/* A pump that is enabled and has no template. */
static const struct odata_value pump[] = {
    [NAME] = ODATA_OF_TEXT("It's a pump"),
    [TEMPLATE] = ODATA_OF_NULL,
    [ENABLED] = ODATA_OF_FLAG(true),
};

static void C110_a_filter_fits_what_it_says(void **state)
{
    static const struct {
        const char *text;
        bool fits;
    } rows[] = {
        {"", true},
        {"  ", true},
        {"displayName eq 'It''s a pump'", true},
        {"displayName eq 'it''s a pump'", false},
        {"displayName ne 'It''s a pump'", false},
        {"displayName lt 'J'", true},
        {"displayName le 'It''s a pump'", true},
        {"displayName gt 'It'", true},
        {"displayName ge 'J'", false},
        {"enabled eq true", true},
        {"enabled ne true", false},
        {"enabled eq false", false},
        {"template eq null", true},
        {"template ne null", false},
        {"template eq 't'", false},
        {"template ne 't'", true},
        {"template lt 't'", false},
        {"contains(displayName,'pump')", true},
        {"contains( displayName , 'Pump' )", false},
        {"contains(template,'')", false},
        {"indexof(displayName,'It') eq 0", true},
        {"indexof(displayName,'s a') ge 3", true},
        {"indexof(displayName,'none') eq -1", true},
        {"indexof(template,'x') lt 0", true},
        {"enabled eq false and enabled eq false or enabled eq true", true},
        {"enabled eq true or enabled eq false and enabled eq false", true},
        {"(enabled eq true or enabled eq false) and enabled eq false", false},
        {"((enabled eq true))", true},
        {"enabled eq false or (template eq null and displayName gt 'A')", true},
        {"enabled\teq\ttrue", true},
    };
    struct odata_filter f;
    struct fault why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 65536};

        if (odata_filter_parse(slice_str(rows[i].text), fields, FIELD_COUNT, &arena, &f, &why) !=
            ST_OK)
            fail_msg("%s: %s", rows[i].text, why.text);
        if (odata_filter_fits(&f, pump) != rows[i].fits)
            fail_msg("%s", rows[i].text);
    }
}

static void C110_what_is_no_filter_is_refused_with_the_place(void **state)
{
    static const struct {
        const char *text;
        unsigned character;
    } rows[] = {
        {"name eq 'x'", 1},
        {"displayName", 12},
        {"displayName eq", 15},
        {"displayName is 'x'", 13},
        {"displayName eq 'x", 18},
        {"displayName eq 'x' and", 23},
        {"displayName eq 'x' xor enabled eq true", 20},
        {"displayName eq 7", 16},
        {"enabled eq 'x'", 15},
        {"enabled lt true", 16},
        {"template gt null", 17},
        {"(enabled eq true", 17},
        {"enabled eq true)", 17},
        {"contains(enabled,'x')", 17},
        {"contains displayName", 10},
        {"contains(displayName 'x')", 22},
        {"contains(displayName,'x'", 25},
        {"indexof(displayName,'x')", 25},
        {"indexof(displayName,'x') eq x", 29},
        {"indexof(displayName,'x') eq 99999999999999999999", 29},
        {"enabled eq trueish", 12},
    };
    char place[32];
    struct odata_filter f;
    struct fault why;
    size_t at;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 65536};

        if (odata_filter_parse(slice_str(rows[i].text), fields, FIELD_COUNT, &arena, &f, &why) !=
            ST_BAD_REQUEST)
            fail_msg("%s: taken", rows[i].text);
        snprintf(place, sizeof place, "character %u:", rows[i].character);
        if (!slice_search(slice_str(why.text), slice_str(place), &at))
            fail_msg("%s: %s", rows[i].text, why.text);
        assert_int_equal(f.count, 0);
    }
}

static enum status parse_repeated(const char *first, const char *more, unsigned times,
                                  const char *last)
{
    ARENA_CLEANUP struct arena arena = {.max = 65536};
    BUF_CLEANUP struct buf text = {.max = 65536};
    struct odata_filter f;
    struct fault why;

    buf_append_str(&text, first);
    for (unsigned i = 0; i < times; i++)
        buf_append_str(&text, more);
    buf_append_str(&text, last);
    return odata_filter_parse(buf_slice(&text), fields, FIELD_COUNT, &arena, &f, &why);
}

static void a_filter_has_its_limits(void **state)
{
    (void)state;
    assert_int_equal(parse_repeated("enabled eq true", " or enabled eq true", 63, ""), ST_OK);
    assert_int_equal(parse_repeated("enabled eq true", " or enabled eq true", 64, ""),
                     ST_BAD_REQUEST);
    assert_int_equal(parse_repeated("", "(", 16, "enabled eq true))))))))))))))))"), ST_OK);
    assert_int_equal(parse_repeated("", "(", 17, "enabled eq true)))))))))))))))))"),
                     ST_BAD_REQUEST);
    assert_int_equal(parse_repeated("displayName eq '", "x", 7900, "'"), ST_OK);
    assert_int_equal(parse_repeated("displayName eq '", "x", 8000, "'"), ST_BAD_REQUEST);
}

static void what_every_row_must_be(void **state)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: nothing is demanded */
    } rows[] = {
        {"template eq 't'", "t"},
        {"template eq null", ""},
        {"enabled eq true and template eq 't'", "t"},
        {"(template eq 't' and enabled eq true) and displayName eq 'x'", "t"},
        {"(enabled eq true or displayName eq 'x') and template eq 't'", "t"},
        {"template eq 't' or enabled eq true", NULL},
        {"(template eq 't' or template eq 'u') and enabled eq true", NULL},
        {"template ne 't'", NULL},
        {"contains(template,'t')", NULL},
        {"", NULL},
    };
    struct odata_value value;
    struct odata_filter f;
    struct fault why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 65536};
        bool demanded;

        assert_int_equal(
            odata_filter_parse(slice_str(rows[i].text), fields, FIELD_COUNT, &arena, &f, &why),
            ST_OK);
        demanded = odata_filter_demands(&f, TEMPLATE, &value);
        if (demanded != (rows[i].want != NULL) ||
            (demanded && !slice_equal(value.text, slice_str(rows[i].want))))
            fail_msg("%s", rows[i].text);
    }
}

static void what_every_row_must_have(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: nothing is demanded */
    } rows[] = {
        {"displayName eq 'x'", "x"},
        {"contains(displayName,'x') and enabled eq true", "x"},
        {"indexof(displayName,'x') ge 0", "x"},
        {"indexof(displayName,'x') gt -1", "x"},
        {"indexof(displayName,'x') ne -1", "x"},
        {"indexof(displayName,'x') eq 4", "x"},
        {"indexof(displayName,'x') ge -1", NULL},
        {"indexof(displayName,'x') eq -1", NULL},
        {"indexof(displayName,'x') lt 3", NULL},
        {"indexof(displayName,'x') ne 3", NULL},
        {"contains(displayName,'')", NULL},
        {"contains(template,'x')", NULL},
        {"displayName ge 'x'", NULL},
        {"contains(displayName,'x') or enabled eq true", NULL},
    };
    struct odata_filter f;
    struct fault why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 65536};
        slice part;
        bool demanded;

        assert_int_equal(
            odata_filter_parse(slice_str(rows[i].text), fields, FIELD_COUNT, &arena, &f, &why),
            ST_OK);
        demanded = odata_filter_demands_part(&f, NAME, &part);
        if (demanded != (rows[i].want != NULL) ||
            (demanded && !slice_equal(part, slice_str(rows[i].want))))
            fail_msg("%s", rows[i].text);
    }
}

static void C111_an_order_is_by_the_one_field(void **state)
{
    static const struct {
        const char *text;
        enum status status;
        bool descending;
    } rows[] = {
        {"displayName", ST_OK, false},
        {" displayName ", ST_OK, false},
        {"displayName asc", ST_OK, false},
        {"displayName  desc", ST_OK, true},
        {"displayName down", ST_BAD_REQUEST, false},
        {"id", ST_BAD_REQUEST, false},
        {"", ST_BAD_REQUEST, false},
        {"displayName desc, id", ST_BAD_REQUEST, false},
    };
    struct fault why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool descending = false;

        if (odata_order_parse(slice_str(rows[i].text), SLICE("displayName"), &descending, &why) !=
                rows[i].status ||
            descending != rows[i].descending)
            fail_msg("'%s'", rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C110_a_filter_fits_what_it_says),
        cmocka_unit_test(C110_what_is_no_filter_is_refused_with_the_place),
        cmocka_unit_test(a_filter_has_its_limits),
        cmocka_unit_test(what_every_row_must_be),
        cmocka_unit_test(what_every_row_must_have),
        cmocka_unit_test(C111_an_order_is_by_the_one_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
