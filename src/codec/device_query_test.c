#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "codec/device_query.h"
#include "codec/odata_fixture.h"

#define ALL "SELECT * FROM devices"

/* id, displayName, template, organization, provisioned, simulated, enabled */
static const struct odata_value pump[DEVICE_QUERY_FIELDS] = {ODATA_OF_TEXT("pump-1"),
                                                             ODATA_OF_TEXT("It's \"the\" pump"),
                                                             ODATA_OF_TEXT("dtmi:a:pump;1"),
                                                             ODATA_OF_TEXT("north"),
                                                             ODATA_OF_FLAG(true),
                                                             ODATA_OF_FLAG(false),
                                                             ODATA_OF_FLAG(true)};
static const struct odata_value ghost[DEVICE_QUERY_FIELDS] = {
    ODATA_OF_TEXT("ghost"), ODATA_OF_TEXT("ghost"), ODATA_OF_NULL,       ODATA_OF_NULL,
    ODATA_OF_FLAG(false),   ODATA_OF_FLAG(true),    ODATA_OF_FLAG(false)};

static void a_query_finds_who_fits(void **state)
{
    static const struct {
        const char *query;
        bool pump, ghost;
    } rows[] = {
        {ALL, true, true},
        {" select *\n\tfrom DEVICES ", true, true},
        {ALL " WHERE $template = \"dtmi:a:pump;1\"", true, false},
        {ALL " WHERE $template = \"dtmi:a:pump;1\" AND $provisioned = true", true, false},
        {ALL " WHERE $template = 'dtmi:a:pump;1' and $provisioned = FALSE", false, false},
        {ALL " WHERE $template = null", false, true},
        {ALL " WHERE $template != null", true, false},
        {ALL " WHERE $organization = \"north\"", true, false},
        {ALL " WHERE $simulated == true", false, true},
        {ALL " WHERE $enabled <> true", false, true},
        {ALL " WHERE $id >= \"p\"", true, false},
        {ALL " WHERE $id<\"p\"", false, true},
        {ALL " WHERE $id IN [\"a\", \"ghost\"]", false, true},
        {ALL " WHERE $id in ('pump-1','ghost')", true, true},
        {ALL " WHERE $id IN [\"ghost\", \"x\", \"y\"] AND $simulated = false", false, false},
        {ALL " WHERE $displayName = \"It's \"\"the\"\" pump\"", true, false},
        {ALL " WHERE $displayName = 'It''s \"the\" pump'", true, false},
        {ALL " WHERE STARTS_WITH($displayName, \"It\")", true, false},
        {ALL " WHERE STARTS_WITH($displayName, \"pump\")", false, false},
        {ALL " WHERE CONTAINS($displayName, \"pump\")", true, false},
        {ALL " WHERE contains($template, \"pump\")", true, false},
        {ALL " WHERE $id = \"ghost\" OR $provisioned = true AND $enabled = false", false, true},
        {ALL " WHERE ($id = \"ghost\" OR $provisioned = true) AND $enabled = true", true, false},
        {ALL " WHERE (($id = \"a\" OR ($id = \"ghost\")))", false, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
        struct odata_filter f;
        struct fault why = {0};

        if (device_query_parse(slice_str(rows[i].query), &arena, &f, &why) != ST_OK)
            fail_msg("%s: %s", rows[i].query, why.text);
        if (odata_filter_fits(&f, pump) != rows[i].pump ||
            odata_filter_fits(&f, ghost) != rows[i].ghost)
            fail_msg("%s", rows[i].query);
    }
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    static const struct {
        const char *query;
        unsigned place;
        const char *what;
    } rows[] = {
        {"", 1, "SELECT"},
        {"SELECT $id FROM devices", 8, "*"},
        {"SELECT * FROM dtmi", 15, "devices"},
        {ALL " LIMIT 5", 23, "WHERE"},
        {ALL " WHERE", 28, "$id"},
        {ALL " WHERE temperature > 5", 29, "$id"},
        {ALL " WHERE $Template = \"a\"", 29, "$id"},
        {ALL " WHERE $template LIKE \"a\"", 39, "IN"},
        {ALL " WHERE $template = a", 41, "quotes"},
        {ALL " WHERE $template = \"a", 43, "no end"},
        {ALL " WHERE $provisioned = \"true\"", 44, "true or false"},
        {ALL " WHERE $provisioned > true", 42, "= and !="},
        {ALL " WHERE $id < null", 33, "= and !="},
        {ALL " WHERE $id = \"a\" $id = \"b\"", 39, "AND or OR"},
        {ALL " WHERE $id = \"a\" AND", 42, "$id"},
        {ALL " WHERE ($id = \"a\"", 39, "not closed"},
        {ALL " WHERE $id = \"a\")", 39, "not opened"},
        {ALL " WHERE $id IN \"a\"", 36, "["},
        {ALL " WHERE $id IN [\"a\"", 40, "]"},
        {ALL " WHERE $id IN []", 37, "quotes"},
        {ALL " WHERE CONTAINS($provisioned, \"a\")", 50, "no text"},
        {ALL " WHERE CONTAINS $id", 38, "("},
        {ALL " WHERE ((((((((((((((((($id = \"a\")))))))))))))))))", 46, "16"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
        struct odata_filter f;
        struct fault why = {0};
        char place[32];

        snprintf(place, sizeof place, "character %u: ", rows[i].place);
        if (device_query_parse(slice_str(rows[i].query), &arena, &f, &why) != ST_BAD_REQUEST)
            fail_msg("%s: read", rows[i].query);
        if (!strstr(why.text, place) || !strstr(why.text, rows[i].what))
            fail_msg("%s: %s", rows[i].query, why.text);
        assert_int_equal(f.count, 0);
    }
}

static void there_are_at_most_64_conditions_and_8000_characters(void **state)
{
    ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
    BUF_CLEANUP struct buf text = {.max = 65536};
    struct odata_filter f;
    struct fault why = {0};

    (void)state;
    buf_append_str(&text, ALL " WHERE $id IN [\"0\"");
    for (int i = 1; i < 64; i++)
        buf_printf(&text, ",\"%d\"", i);
    buf_append_byte(&text, ']');
    assert_int_equal(device_query_parse(buf_slice(&text), &arena, &f, &why), ST_OK);
    assert_int_equal(f.count, 127);
    buf_append_str(&text, " OR $id = \"x\"");
    assert_int_equal(device_query_parse(buf_slice(&text), &arena, &f, &why), ST_BAD_REQUEST);
    while (text.len <= ODATA_TEXT_MAX)
        buf_append_byte(&text, ' ');
    assert_int_equal(device_query_parse(buf_slice(&text), &arena, &f, &why), ST_BAD_REQUEST);
    assert_non_null(strstr(why.text, "8000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_finds_who_fits),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(there_are_at_most_64_conditions_and_8000_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
