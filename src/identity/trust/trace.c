#include "identity/trust/trace.h"

#include <assert.h>
#include <stdio.h>

static const char *const step_names[] = {
    [STEP_ID_SCOPE] = "ID scope",
    [STEP_REGISTRATION_ID] = "registration ID",
    [STEP_CREDENTIAL] = "credential",
    [STEP_TOKEN_FORM] = "token form",
    [STEP_TOKEN_RESOURCE] = "token resource",
    [STEP_TOKEN_EXPIRY] = "token expiry",
    [STEP_INDIVIDUAL] = "individual enrollment",
    [STEP_KEY] = "key",
    [STEP_LEAF] = "certificate",
    [STEP_COMMON_NAME] = "common name",
    [STEP_THUMBPRINT] = "thumbprint",
    [STEP_PATH] = "path",
    [STEP_AUTHORITY] = "authority",
    [STEP_ISSUERS] = "issuers",
    [STEP_REVOCATION] = "revocation",
    [STEP_OCSP] = "OCSP",
    [STEP_ENROLLMENT] = "enrollment",
    [STEP_DEVICE] = "device",
    [STEP_APPROVAL] = "approval",
    [STEP_TEMPLATE] = "template",
    [STEP_HUB] = "hub",
};
static_assert(COUNT_OF(step_names) == STEP_COUNT, "every step has a name");

const char *step_name(enum step step)
{
    return (unsigned)step < COUNT_OF(step_names) ? step_names[step] : "unknown";
}

void trace_begin(struct trace *t)
{
    if (!t)
        return;
    t->count = 0;
    t->values_len = 0;
    t->expected[0] = t->received[0] = 0;
    t->mend = NULL;
}

bool trace_failed(const struct trace *t)
{
    return t && t->count > 0 && !t->steps[t->count - 1].passed;
}

static bool takes_more(const struct trace *t)
{
    return t && !trace_failed(t) && t->count < TRACE_STEPS_MAX;
}

void trace_pass(struct trace *t, enum step step, slice value)
{
    size_t room;

    if (!takes_more(t))
        return;
    room = TRACE_VALUES_MAX - t->values_len;
    value = slice_first(value, room);
    if (value.len > 0)
        memcpy(t->values + t->values_len, value.ptr, value.len);
    t->steps[t->count++] = (struct trace_step){.step = step,
                                               .passed = true,
                                               .value_at = (uint16_t)t->values_len,
                                               .value_len = (uint16_t)value.len};
    t->values_len += value.len;
}

void trace_fail(struct trace *t, enum step step, slice expected, slice received, const char *mend)
{
    if (!takes_more(t))
        return;
    t->steps[t->count++] = (struct trace_step){.step = step};
    snprintf(t->expected, sizeof t->expected, "%.*s", SLICE_FMT(expected));
    snprintf(t->received, sizeof t->received, "%.*s", SLICE_FMT(received));
    t->mend = mend;
}

slice trace_value(const struct trace *t, size_t step)
{
    if (step >= t->count)
        return (slice){0};
    return slice_of(t->values + t->steps[step].value_at, t->steps[step].value_len);
}

void trace_write(const struct trace *t, struct json_writer *w, slice name)
{
    json_open(w, name, '[');
    for (size_t i = 0; t && i < t->count; i++) {
        const struct trace_step *s = &t->steps[i];

        json_open(w, (slice){0}, '{');
        json_put_text(w, SLICE("step"), slice_str(step_name(s->step)));
        json_put_bool(w, SLICE("passed"), s->passed);
        if (s->passed) {
            json_put_text(w, SLICE("value"), trace_value(t, i));
        } else {
            json_put_text(w, SLICE("expected"), slice_str(t->expected));
            json_put_text(w, SLICE("received"), slice_str(t->received));
            json_put_text(w, SLICE("fix"), slice_str(t->mend));
        }
        json_close(w, '}');
    }
    json_close(w, ']');
}
