/* How each kind of thing is copied: which of its members are its own, and what hangs on it. What
 * IoT Central does not give away again (certificates, keys of a TPM) is told, not left out. */
#include "cmd/migrate.h"

#include <stdio.h>

#include "base/text.h"

#define ORGANIZATION_DEPTH_MAX 5

/* --- one thing ------------------------------------------------------------------------------- */

/* Writes those of the members that the row has. False: none. */
static bool write_members(const struct json *row, const char *const *names, size_t count,
                          struct buf *to)
{
    struct json_writer w = {.to = to};
    bool any = false;

    json_open(&w, (slice){0}, '{');
    for (size_t i = 0; i < count; i++) {
        const struct json *member = json_member(row, slice_str(names[i]));

        if (!member || member->kind == JSON_NULL)
            continue;
        json_put_raw(&w, slice_str(names[i]), member->raw);
        any = true;
    }
    json_close(&w, '}');
    return any && !to->failed;
}

/* "devices/{id}/attestation" */
static void write_path(struct buf *to, const char *list, slice id, const char *rest)
{
    buf_append_str(to, list);
    buf_append_byte(to, '/');
    percent_encode(id, to);
    buf_append_str(to, rest);
}

static bool put(struct client *to, slice path, const struct buf *body)
{
    struct json *ignored;
    char about[160];
    bool done;

    snprintf(about, sizeof about, "%.*s", SLICE_FMT(slice_first(path, 150)));
    to->about = about;
    done = client_rest(to, "PUT", path, body, &ignored) == EXIT_DONE;
    to->about = NULL;
    return done;
}

static bool copy_members(struct client *to, const char *list, const struct json *row,
                         const char *const *names, size_t count)
{
    BUF_CLEANUP struct buf path = {.max = 4096}, body = {.max = 4 << 20};
    slice id;

    if (!json_get_text(row, SLICE("id"), &id))
        return command_fail(to->command, EXIT_FAILED, "one of %s has no id", list) == EXIT_DONE;
    write_path(&path, list, id, "");
    return write_members(row, names, count, &body) && put(to, buf_slice(&path), &body);
}

/* What the other side shows below a thing: NULL when there is nothing, or it says no. False when it
 * says nothing at all; that was told. */
static bool look(struct client *from, slice path, const struct json **ret)
{
    struct json *answer = NULL;
    int code;

    from->quiet = true;
    code = client_rest(from, "GET", path, NULL, &answer);
    from->quiet = false;
    *ret = code == EXIT_DONE ? answer : NULL;
    return code == EXIT_DONE || from->http_status != 0;
}

/* --- the kinds ------------------------------------------------------------------------------- */

static bool copy_organization(struct client *from, struct client *to, const struct json *row)
{
    static const char *const members[] = {"displayName", "parent"};

    (void)from;
    return copy_members(to, "organizations", row, members, COUNT_OF(members));
}

/* A template's id is the @id of its root; it goes as it came, but for its version of the other
 * store. */
static bool copy_template(struct client *from, struct client *to, const struct json *row)
{
    static const char *const members[] = {"@id", "@type", "displayName", "description",
                                          "capabilityModel"};
    BUF_CLEANUP struct buf path = {.max = 4096}, body = {.max = 4 << 20};
    slice id;

    (void)from;
    if (!json_get_text(row, SLICE("@id"), &id))
        return command_fail(to->command, EXIT_FAILED, "a template has no @id") == EXIT_DONE;
    write_path(&path, "deviceTemplates", id, "");
    return write_members(row, members, COUNT_OF(members), &body) &&
           put(to, buf_slice(&path), &body);
}

static bool copy_certificate(struct client *from, struct client *to, slice group, const char *slot)
{
    BUF_CLEANUP struct buf path = {.max = 4096}, body = {.max = 1 << 20};
    struct json_writer w = {.to = &body};
    const struct json *shown;
    bool is_verified = false;
    slice certificate;

    write_path(&path, "enrollmentGroups", group, slot);
    if (!look(from, buf_slice(&path), &shown))
        return false;
    if (!shown)
        return true;
    if (!json_get_text(shown, SLICE("certificate"), &certificate)) {
        fprintf(stderr,
                "muster migrate: group %.*s: the other side does not show the certificate of %s; "
                "add it with muster ca add\n",
                SLICE_FMT(group), slot + 1);
        return true;
    }
    /* What nobody has proven to be his must not let devices in because it moved. */
    if (!json_get_bool(shown, SLICE("verified"), &is_verified) || !is_verified)
        fprintf(stderr,
                "muster migrate: group %.*s: the certificate of %s was not verified there, and is "
                "not here\n",
                SLICE_FMT(group), slot + 1);
    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("certificate"), certificate);
    json_put_bool(&w, SLICE("verified"), is_verified);
    json_close(&w, '}');
    return put(to, buf_slice(&path), &body);
}

/* A list may leave the keys out; the group itself has them. */
static bool copy_enrollment_group(struct client *from, struct client *to, const struct json *row)
{
    static const char *const members[] = {"displayName", "enabled", "type", "attestation"};
    BUF_CLEANUP struct buf path = {.max = 4096};
    const struct json *group;
    slice id, type = {0};

    if (!json_get_text(row, SLICE("id"), &id))
        return command_fail(to->command, EXIT_FAILED, "an enrollment group has no id") == EXIT_DONE;
    write_path(&path, "enrollmentGroups", id, "");
    if (!look(from, buf_slice(&path), &group) ||
        !copy_members(to, "enrollmentGroups", group ? group : row, members, COUNT_OF(members)))
        return false;
    json_get_text(json_member(row, SLICE("attestation")), SLICE("type"), &type);
    if (!slice_equal(type, SLICE("x509")))
        return true;
    return copy_certificate(from, to, id, "/certificates/primary") &&
           copy_certificate(from, to, id, "/certificates/secondary");
}

/* A device with an enrollment of its own keeps its keys or thumbprints; the others have their
 * group's. */
static bool copy_device(struct client *from, struct client *to, const struct json *row)
{
    static const char *const members[] = {"displayName", "template", "simulated", "enabled",
                                          "organizations"};
    static const char *const of_attestation[] = {"type", "symmetricKey", "x509", "tpm"};
    BUF_CLEANUP struct buf path = {.max = 4096}, body = {.max = 1 << 20};
    const struct json *attestation;
    slice id;

    if (!copy_members(to, "devices", row, members, COUNT_OF(members)) ||
        !json_get_text(row, SLICE("id"), &id))
        return false;
    write_path(&path, "devices", id, "/attestation");
    if (!look(from, buf_slice(&path), &attestation))
        return false;
    return !attestation ||
           (write_members(attestation, of_attestation, COUNT_OF(of_attestation), &body) &&
            put(to, buf_slice(&path), &body));
}

static bool copy_device_group(struct client *from, struct client *to, const struct json *row)
{
    static const char *const members[] = {"displayName", "filter", "description", "organizations"};

    (void)from;
    return copy_members(to, "deviceGroups", row, members, COUNT_OF(members));
}

const struct migration_kind migration_kinds[MIGRATION_KINDS] = {
    {"organizations", copy_organization, ORGANIZATION_DEPTH_MAX},
    {"deviceTemplates", copy_template, 1},
    {"enrollmentGroups", copy_enrollment_group, 1},
    {"devices", copy_device, 1},
    {"deviceGroups", copy_device_group, 1},
};
