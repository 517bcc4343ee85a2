#include "provisioning/provisioning.h"

#include "base/text.h"
#include "codec/json.h"
#include "codec/wire_error.h"

/* Lower-case: some clients compare with case (provisioning.md 2.0). */
static const char *const state_names[] = {
    [REG_ASSIGNING] = "assigning",
    [REG_ASSIGNED] = "assigned",
    [REG_FAILED] = "failed",
    [REG_DISABLED] = "disabled",
};

/* A string is written or left out, never null: some clients stop at null. */
static void put_text_unless_empty(struct json_writer *w, slice name, slice text)
{
    if (text.len > 0)
        json_put_text(w, name, text);
}

static void put_time(struct json_writer *w, slice name, instant at)
{
    char text[CLOCK_TEXT_MAX];

    json_put_text(w, name, clock_iso(at, text));
}

/* Base64 of a quoted string, as service clients know ETags. */
static void put_etag(struct json_writer *w, int64_t version)
{
    struct buf BUF_CLEANUP quoted = {.max = 64};
    struct buf BUF_CLEANUP encoded = {.max = 128};

    buf_printf(&quoted, "\"%016llx\"", (unsigned long long)version);
    base64_encode(buf_slice(&quoted), &encoded);
    put_text_unless_empty(w, SLICE("etag"), buf_slice(&encoded));
}

static void put_attestation(struct json_writer *w, const struct registration *r)
{
    json_open(w, r->by_certificate ? SLICE("x509") : SLICE("symmetricKey"), '{');
    put_text_unless_empty(w, SLICE("enrollmentGroupId"), r->enrollment_group);
    json_close(w, '}');
}

/* Both or neither. */
static void put_assignment(struct json_writer *w, const struct registration *r)
{
    if (r->assigned_hub.len == 0 || r->device_id.len == 0)
        return;
    json_put_text(w, SLICE("assignedHub"), r->assigned_hub);
    json_put_text(w, SLICE("deviceId"), r->device_id);
}

static void put_state(struct json_writer *w, slice name, const struct registration *r)
{
    bool assigned = r->state == REG_ASSIGNED, done = r->state != REG_ASSIGNING;

    json_open(w, name, '{');
    if (assigned)
        put_attestation(w, r);
    json_put_text(w, SLICE("registrationId"), r->registration_id);
    if (done)
        put_time(w, SLICE("createdDateTimeUtc"), r->created_at);
    if (assigned)
        put_assignment(w, r);
    json_put_text(w, SLICE("status"), slice_str(state_names[r->state]));
    if (assigned)
        put_text_unless_empty(w, SLICE("substatus"), r->substatus);
    if (r->error_code != 0)
        json_put_int(w, SLICE("errorCode"), r->error_code);
    put_text_unless_empty(w, SLICE("errorMessage"), r->error_message);
    if (done) {
        put_time(w, SLICE("lastUpdatedDateTimeUtc"), r->updated_at);
        put_etag(w, r->etag);
    }
    json_close(w, '}');
}

static void write_error(const struct registration *r, slice tracking_id, instant now,
                        struct buf *to)
{
    struct wire_error e = *dps_error(r->status);

    if (r->error_code != 0)
        e.code = r->error_code;
    wire_error_write(&e, r->error_message, tracking_id, now, to);
}

void registration_write_json(const struct registration *r, bool bare, slice tracking_id,
                             instant now, struct buf *to)
{
    struct json_writer w = {.to = to};

    if (r->status != ST_OK) {
        write_error(r, tracking_id, now, to);
        return;
    }
    if (bare) {
        put_state(&w, (slice){0}, r);
        return;
    }
    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("operationId"), r->operation_id);
    json_put_text(&w, SLICE("status"), slice_str(state_names[r->state]));
    if (r->state != REG_ASSIGNING)
        put_state(&w, SLICE("registrationState"), r);
    json_close(&w, '}');
}
