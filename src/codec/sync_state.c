#include "codec/sync_state.h"

#include <stdlib.h>

#include "codec/json_equal.h"

#define WRAPPINGS_MAX 2 /* a value inside a value was seen, never more */

enum { CODE_DONE = 200, CODE_CREATED = 201, CODE_ACCEPTED = 202, CODE_BY_DEVICE = 203 };
#define CODE_OTHER_STATUS 400 /* of a legacy word that is neither done nor under way */

const char *sync_state_name(enum sync_state state)
{
    static const char *const names[] = {
        [SYNC_NONE] = "none",
        [SYNC_DEVICE_VALUE] = "deviceValue",
        [SYNC_SET_BY_DEVICE] = "setByDevice",
        [SYNC_PENDING] = "pending",
        [SYNC_SYNCED] = "synced",
        [SYNC_ERROR] = "error",
    };

    return names[state];
}

/* --- reports ---------------------------------------------------------------------------------- */

/* The members by which an acknowledgement is known, of both families. */
static bool is_ack_name(slice name)
{
    static const char *const names[] = {
        "ac", "av", "ad", "status", "statusCode", "desiredVersion", "message",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (slice_equal(name, slice_str(names[i])))
            return true;
    }
    return false;
}

/* An object of a value and members of acknowledgements, and of nothing else. */
static bool is_wrapping(const struct json *object, bool is_object)
{
    bool has_value = false, has_ack = false;

    if (object->kind != JSON_OBJECT)
        return false;
    for (const struct json *m = object->first; m; m = m->next) {
        if (slice_equal(m->name, SLICE("value")))
            has_value = true;
        else if (is_ack_name(m->name))
            has_ack = true;
        else
            return false;
    }
    return has_value && (has_ack || !is_object);
}

/* An acknowledgement may come without its value. */
static bool is_bare_ack(const struct json *object, bool is_object)
{
    if (is_object || object->kind != JSON_OBJECT || !object->first)
        return false;
    for (const struct json *m = object->first; m; m = m->next) {
        if (!is_ack_name(m->name))
            return false;
    }
    return json_member(object, SLICE("ac")) || json_member(object, SLICE("status"));
}

static bool read_int(const struct json *object, const char *name, int64_t *ret)
{
    return json_get_int(object, slice_str(name), ret);
}

/* 2018's words, in today's numbers. */
static bool read_status(const struct json *object, int64_t *ret)
{
    slice word;

    if (read_int(object, "statusCode", ret))
        return true;
    if (!json_get_text(object, SLICE("status"), &word))
        return read_int(object, "status", ret);
    if (slice_equal_nocase(word, SLICE("completed")))
        *ret = CODE_DONE;
    else if (slice_equal_nocase(word, SLICE("pending")))
        *ret = CODE_ACCEPTED;
    else
        *ret = CODE_OTHER_STATUS;
    return true;
}

/* Where both families speak, the later one counts. */
static void read_ack(const struct json *object, struct sync_report *to)
{
    for (const struct json *m = object->first; m; m = m->next)
        to->has_ack |= is_ack_name(m->name);
    if (!to->has_version)
        to->has_version = read_int(object, "av", &to->version) ||
                          read_int(object, "desiredVersion", &to->version);
    if (!to->has_code)
        to->has_code = read_int(object, "ac", &to->code) || read_status(object, &to->code);
    if (to->description.len == 0 && !json_get_text(object, SLICE("ad"), &to->description))
        (void)json_get_text(object, SLICE("message"), &to->description);
}

void sync_report_read(const struct json *reported, bool is_object, struct sync_report *ret)
{
    *ret = (struct sync_report){.value = reported};
    for (unsigned i = 0; i < WRAPPINGS_MAX && ret->value; i++) {
        const struct json *object = ret->value;

        if (is_wrapping(object, is_object))
            ret->value = json_member(object, SLICE("value"));
        else if (i == 0 && is_bare_ack(object, is_object))
            ret->value = NULL;
        else
            return;
        read_ack(object, ret);
    }
}

const struct json *sync_desired_value(const struct json *desired, enum property_format format)
{
    const struct json *value = json_member(desired, SLICE("value"));

    return format == PROPERTY_LEGACY && value && desired->first == desired->last ? value : desired;
}

/* --- state ------------------------------------------------------------------------------------ */

static enum sync_state state_of_code(int64_t code)
{
    switch (code) {
    case CODE_DONE:
        return SYNC_SYNCED;
    case CODE_CREATED:
    case CODE_ACCEPTED:
    case CODE_BY_DEVICE: /* its own value, until it confirms ours */
        return SYNC_PENDING;
    default:
        return SYNC_ERROR;
    }
}

static enum sync_state state_of_device(const struct sync_report *report)
{
    if (report->has_code && report->code == CODE_BY_DEVICE)
        return SYNC_SET_BY_DEVICE;
    return report->value ? SYNC_DEVICE_VALUE : SYNC_NONE;
}

enum sync_state sync_state_of(const struct json *desired, int64_t desired_version,
                              const struct sync_report *report)
{
    bool is_equal;

    if (!desired)
        return state_of_device(report);
    is_equal = report->value && json_is_equal(desired, report->value);
    if (!report->has_ack)
        return is_equal ? SYNC_SYNCED : SYNC_PENDING;
    if (report->has_version ? report->version < desired_version : !is_equal)
        return SYNC_PENDING; /* it answers an earlier question, or does not say which */
    if (report->has_code)
        return state_of_code(report->code);
    return is_equal ? SYNC_SYNCED : SYNC_PENDING;
}
