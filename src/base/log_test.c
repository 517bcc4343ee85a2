#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

#define CAPTURE_MAX 65536

/* Standard error while a test logs. */
struct capture {
    FILE *file;
    int standard_error;
    char text[CAPTURE_MAX];
};

static void begin(struct capture *c)
{
    c->file = tmpfile();
    assert_non_null(c->file);
    c->standard_error = dup(STDERR_FILENO);
    assert_true(dup2(fileno(c->file), STDERR_FILENO) >= 0);
}

static void end(struct capture *c)
{
    size_t len;

    assert_true(dup2(c->standard_error, STDERR_FILENO) >= 0);
    close(c->standard_error);
    rewind(c->file);
    len = fread(c->text, 1, sizeof c->text - 1, c->file);
    c->text[len] = '\0';
    fclose(c->file);
}

static size_t lines(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static void an_event_is_one_line_of_escaped_values(void **state)
{
    static struct capture c;
    struct fault why = {0};

    (void)state;
    fault_set(&why, ST_UNAUTHORIZED, "sas expired at %d", 7);
    begin(&c);
    LOG_WARN("attest_failed", LOG_TEXT("device", SLICE("a\nlevel=error \"b\"\\\x80")),
             LOG_STR("kind", "sas"), LOG_INT("count", -5), LOG_STR("none", NULL), LOG_FAULT(&why));
    end(&c);
    assert_int_equal(lines(c.text), 1);
    assert_memory_equal(c.text, "time=2", 6);
    assert_non_null(strstr(c.text, " level=warn event=attest_failed "
                                   "device=\"a\\x0alevel=error \\\"b\\\"\\\\\\x80\" kind=sas "
                                   "count=-5 none=\"\" cause=\"sas expired at 7\"\n"));
}

static void levels_are_parsed_and_kept(void **state)
{
    static struct capture c;
    enum log_level level;

    (void)state;
    assert_true(log_level_parse(SLICE("warn"), &level));
    assert_int_equal(level, LOG_LEVEL_WARN);
    assert_false(log_level_parse(SLICE("loud"), &level));
    begin(&c);
    log_set_level(level);
    LOG_INFO("not_written", LOG_INT("n", 1));
    LOG_WARN("written", LOG_INT("n", 2));
    log_set_level(LOG_LEVEL_DEBUG);
    LOG_DEBUG("written_too", LOG_INT("n", 3));
    log_set_level(LOG_LEVEL_INFO);
    end(&c);
    assert_int_equal(lines(c.text), 2);
    assert_null(strstr(c.text, "not_written"));
}

static void a_line_too_long_is_cut_and_ended(void **state)
{
    static struct capture c;
    static char text[512];

    (void)state;
    memset(text, 1, sizeof text); /* four characters each when escaped */
    begin(&c);
    for (size_t i = 0; i < 2; i++)
        LOG_INFO("long", LOG_TEXT("a", slice_of(text, sizeof text)),
                 LOG_TEXT("b", slice_of(text, sizeof text)),
                 LOG_TEXT("c", slice_of(text, sizeof text)));
    end(&c);
    assert_int_equal(lines(c.text), 2);
    assert_true(strchr(c.text, '\n') - c.text < 4096);
}

static void limited_events_stop_after_a_burst_each(void **state)
{
    static struct capture c;
    size_t count;

    (void)state;
    begin(&c);
    for (size_t i = 0; i < 10 * LOG_BURST; i++) {
        LOG_LIMITED(LOG_LEVEL_INFO, "first_event", LOG_INT("i", i));
        LOG_LIMITED(LOG_LEVEL_INFO, "second_event", LOG_INT("i", i));
    }
    end(&c);
    count = lines(c.text);
    /* The second may turn meanwhile, once. */
    assert_true(count == 2 * LOG_BURST || (count > 2 * LOG_BURST && count <= 4 * LOG_BURST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_one_line_of_escaped_values),
        cmocka_unit_test(levels_are_parsed_and_kept),
        cmocka_unit_test(a_line_too_long_is_cut_and_ended),
        cmocka_unit_test(limited_events_stop_after_a_burst_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
