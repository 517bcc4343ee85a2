#include "cmd/steps.h"

#include <stdio.h>

#define MARK_WIDTH 8
#define STEP_WIDTH 21

static void print_detail(struct client *c, const struct json *step, const char *name)
{
    if (json_member(step, slice_str(name)))
        printf("%*s%-*s %s\n", MARK_WIDTH, "", STEP_WIDTH, name, client_text(c, step, name));
}

void steps_print(struct client *c, const struct json *steps)
{
    for (const struct json *step = steps ? steps->first : NULL; step; step = step->next) {
        bool passed = false;
        slice value = {0};

        json_get_bool(step, SLICE("passed"), &passed);
        json_get_text(step, SLICE("value"), &value);
        printf("%-*s%-*s %s\n", MARK_WIDTH, passed ? "ok" : "FAILED", STEP_WIDTH,
               client_text(c, step, "step"), value.len > 0 ? client_text(c, step, "value") : "");
        print_detail(c, step, "expected");
        print_detail(c, step, "received");
        print_detail(c, step, "fix");
    }
}

void attempt_print(struct client *c, const struct json *attempt)
{
    slice reason = {0};

    json_get_text(attempt, SLICE("reason"), &reason);
    printf("%s %s%s%s\n", client_text(c, attempt, "at"), client_text(c, attempt, "result"),
           reason.len > 0 ? ": " : "", reason.len > 0 ? client_text(c, attempt, "reason") : "");
}
