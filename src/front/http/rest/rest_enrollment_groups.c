/* Enrollment groups of the compatible REST API (contract/central.md 4.3, 6.4). */
#include "front/http/application.h"
#include "front/http/rest.h"
#include "provisioning/authority.h"

static struct provisioning *service_of(const struct exchange *x)
{
    return x->front->options.provisioning;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void put_slots(struct json_writer *w, const struct authority_view *views)
{
    json_open(w, SLICE("x509"), '{');
    json_open(w, SLICE("signingCertificates"), '{');
    for (size_t i = 0; views && i < 2; i++) {
        if (views[i].row)
            rest_write_certificate(
                w, views[i].slot == AUTHORITY_PRIMARY ? SLICE("primary") : SLICE("secondary"),
                &views[i]);
    }
    json_close(w, '}');
    json_close(w, '}');
}

/* `views` NULL: the certificates are not looked at. */
static void write_group(struct json_writer *w, const struct enrollment *e,
                        const struct authority_view *views)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), e->id);
    json_put_text(w, SLICE("displayName"), e->display_name);
    json_put_bool(w, SLICE("enabled"), e->enabled);
    json_put_text(w, SLICE("type"), e->iot_edge ? SLICE("iotEdge") : SLICE("iot"));
    json_open(w, SLICE("attestation"), '{');
    json_put_text(w, SLICE("type"), slice_str(attestation_name(e->attestation)));
    if (e->attestation == ATTEST_X509)
        put_slots(w, views);
    else if (e->primary.len > 0)
        rest_put_keys(w, &e->primary, &e->secondary);
    json_close(w, '}');
    app_put_etag(w, e->version);
    json_close(w, '}');
}

/* --- list ------------------------------------------------------------------------------------- */

/* Keys and certificates are shown one group at a time. */
static void on_row(void *context, enum status status, const struct enrollment *e,
                   const struct fault *why)
{
    struct rest_list *list = context;

    if (!e)
        rest_list_end(list, status, why);
    else if (rest_list_row(list, e->id))
        write_group(&list->w, e, NULL);
}

static void groups_list(struct exchange *x)
{
    struct rest_list *list = rest_list_begin(x);

    if (list)
        enrollment_list(service_of(x), ENROLLMENT_GROUP, list->after, list->limit, on_row, list);
}

/* --- the answer ------------------------------------------------------------------------------- */

/* [the group as it is] -> [stored -> its certificates, one upload after the other] -> its slots
 *                                           |  of a new group, when one is refused
 *                                           +-> taken back */
struct group_call {
    struct exchange *x;
    struct json *body;
    bool may_add, is_new;
    struct enrollment *group;            /* the texts and keys that are answered with */
    struct authority_request uploads[2]; /* that the body asks for */
    size_t upload_count, uploaded;
    enum status status; /* that is answered once the group is taken back */
    struct fault why;
};

static void wipe(struct group_call *call)
{
    if (!call->group)
        return;
    secret_wipe(&call->group->primary);
    secret_wipe(&call->group->secondary);
}

static void fail(struct group_call *call, enum status status, const struct fault *why)
{
    wipe(call);
    exchange_answer_error(call->x, status, why);
    exchange_release(call->x);
}

static void answer(struct group_call *call, const struct authority_view *views)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    write_group(&w, call->group, views);
    wipe(call);
    rest_end(call->x, ST_OK, &body, NULL);
    if (body.ptr)
        explicit_bzero(body.ptr, body.cap);
}

static void on_slots(void *context, enum status status, const struct authority_view views[2],
                     const struct fault *why)
{
    struct group_call *call = context;

    if (status == ST_OK)
        answer(call, views);
    else
        fail(call, status, why);
}

/* The group is stored and its certificates are: it is shown. */
static void show(struct group_call *call)
{
    const struct authority_request request = {.act = AUTHORITY_SHOW, .group = call->group->id};

    if (call->group->attestation == ATTEST_X509)
        authority_do(service_of(call->x), &request, on_slots, call);
    else
        answer(call, NULL);
}

/* False: no memory. */
static bool keep(struct group_call *call, const struct enrollment *e)
{
    struct arena *arena = &call->x->arena;

    if (!call->group)
        call->group = arena_alloc(arena, sizeof *call->group);
    if (!call->group)
        return false;
    *call->group = *e;
    call->group->id = arena_copy(arena, e->id);
    call->group->display_name = arena_copy(arena, e->display_name);
    call->group->hub = arena_copy(arena, e->hub);
    call->group->initial_tags = arena_copy(arena, e->initial_tags);
    call->group->initial_desired = arena_copy(arena, e->initial_desired);
    return !arena->failed;
}

/* --- get -------------------------------------------------------------------------------------- */

static struct group_call *create_call(struct exchange *x)
{
    struct group_call *call = arena_alloc(&x->arena, sizeof *call);

    if (call)
        call->x = x;
    else
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
    return call;
}

static void on_got(void *context, enum status status, const struct enrollment *e,
                   const struct fault *why)
{
    struct group_call *call = context;

    if (status == ST_OK && !keep(call, e))
        status = ST_NO_MEMORY;
    if (status == ST_OK)
        show(call);
    else
        fail(call, status, why);
}

static void groups_get(struct exchange *x)
{
    struct group_call *call = create_call(x);

    if (!call)
        return;
    exchange_hold(x);
    enrollment_get(service_of(x), ENROLLMENT_GROUP, x->bound[0], true, on_got, call);
}

/* --- what a body asks for --------------------------------------------------------------------- */

static bool read_slot(struct group_call *call, const struct json *slots, const char *name,
                      enum authority_slot slot)
{
    const struct json *object = json_member(slots, slice_str(name));
    struct authority_request *request = &call->uploads[call->upload_count];
    struct exchange *x = call->x;
    bool has_verified;

    *request = (struct authority_request){
        .act = AUTHORITY_UPLOAD,
        .slot = slot,
        .replace = true,
        .by = slice_str(x->principal.name),
    };
    if (!rest_read_certificate(x, object, &request->file) ||
        !rest_read_flag(x, object, "verified", &has_verified, &request->verified))
        return false;
    call->upload_count += request->file.len > 0;
    return true;
}

static bool read_type(struct exchange *x, const struct json *body, bool *ret_edge)
{
    slice type;

    if (!rest_read_text(x, body, "type", &type))
        return false;
    if (!type.ptr)
        return true;
    *ret_edge = slice_equal(type, SLICE("iotEdge"));
    return *ret_edge || slice_equal(type, SLICE("iot")) ||
           rest_wrong(x, "type must be iot or iotEdge");
}

static bool read_attestation(struct group_call *call, struct enrollment *e)
{
    const struct json *attestation = json_member(call->body, SLICE("attestation"));
    const struct json *slots =
        json_path(attestation, (slice[]){SLICE("x509"), SLICE("signingCertificates")}, 2);

    call->upload_count = 0;
    if (!rest_read_attestation_type(call->x, attestation, &e->attestation))
        return false;
    if (e->attestation == ATTEST_SYMMETRIC_KEY)
        return rest_read_keys(call->x, attestation, e);
    return read_slot(call, slots, "primary", AUTHORITY_PRIMARY) &&
           read_slot(call, slots, "secondary", AUTHORITY_SECONDARY);
}

static bool read_body(struct group_call *call, struct enrollment *e)
{
    struct exchange *x = call->x;
    bool has_enabled;
    slice name;

    if (!rest_read_text(x, call->body, "displayName", &name) ||
        !rest_read_flag(x, call->body, "enabled", &has_enabled, &e->enabled) ||
        !read_type(x, call->body, &e->iot_edge))
        return false;
    if (name.ptr)
        e->display_name = name.len > 0 ? name : e->id;
    return read_attestation(call, e);
}

/* --- put, patch ------------------------------------------------------------------------------- */

static void on_taken_back(void *context, enum status status, const struct enrollment *e,
                          const struct fault *why)
{
    struct group_call *call = context;

    (void)status, (void)e, (void)why;
    fail(call, call->status, &call->why);
}

/* A group that was to be made with certificates is not made without them. */
static void take_back(struct group_call *call, enum status status, const struct fault *why)
{
    if (!call->is_new) {
        fail(call, status, why);
        return;
    }
    call->status = status;
    call->why = *why;
    enrollment_delete(service_of(call->x), ENROLLMENT_GROUP, call->group->id, on_taken_back, call);
}

static void upload_next(struct group_call *call);

static void on_uploaded(void *context, enum status status, const struct authority_view views[2],
                        const struct fault *why)
{
    struct group_call *call = context;

    (void)views;
    if (status == ST_OK)
        upload_next(call);
    else
        take_back(call, status, why);
}

/* At most two of them deep, should each answer at once. */
static void upload_next(struct group_call *call)
{
    struct authority_request *request = &call->uploads[call->uploaded];

    if (call->uploaded == call->upload_count) {
        show(call);
        return;
    }
    call->uploaded++;
    request->group = call->group->id;
    authority_do(service_of(call->x), request, on_uploaded, call);
}

static void on_stored(void *context, enum status status, const struct enrollment *e,
                      const struct fault *why)
{
    struct group_call *call = context;

    wipe(call);
    if (status == ST_OK && !keep(call, e))
        status = ST_NO_MEMORY;
    if (status == ST_OK)
        upload_next(call);
    else
        fail(call, status, why);
}

static void store(struct group_call *call, struct enrollment *e)
{
    enrollment_put(service_of(call->x), e, on_stored, call);
    secret_wipe(&e->primary);
    secret_wipe(&e->secondary);
}

static void change(struct group_call *call, const struct enrollment *was)
{
    int64_t version = rest_version(call->x, call->body);
    struct enrollment e = *was;

    if (!keep(call, was)) {
        fail(call, ST_NO_MEMORY, NULL);
        return;
    }
    if (version > 0)
        e.version = version;
    if (read_body(call, &e)) {
        store(call, &e);
        return;
    }
    wipe(call);
    secret_wipe(&e.primary);
    secret_wipe(&e.secondary);
    exchange_release(call->x);
}

static bool is_whole(struct group_call *call)
{
    static const char *const required[] = {"displayName", "type", "attestation"};

    for (size_t i = 0; i < COUNT_OF(required); i++) {
        if (!json_member(call->body, slice_str(required[i])))
            return rest_wrong(call->x, "a group has a displayName, a type and an attestation");
    }
    return json_path(call->body, (slice[]){SLICE("attestation"), SLICE("type")}, 2) ||
           rest_wrong(call->x, "an attestation has a type");
}

static void add(struct group_call *call)
{
    struct exchange *x = call->x;
    struct enrollment e = {
        .kind = ENROLLMENT_GROUP,
        .id = x->bound[0],
        .display_name = x->bound[0],
        .enabled = true,
        .gated = true,
        .version = rest_version(x, call->body), /* 0, or there is no such thing */
    };

    call->is_new = true;
    if (is_whole(call) && read_body(call, &e)) {
        store(call, &e);
        return;
    }
    secret_wipe(&e.primary);
    secret_wipe(&e.secondary);
    exchange_release(x);
}

static void on_read(void *context, enum status status, const struct enrollment *e,
                    const struct fault *why)
{
    struct group_call *call = context;

    struct fault there;

    if (status == ST_OK && call->may_add && exchange_wants_new(call->x))
        fail(call, fault_set(&there, ST_PRECONDITION_FAILED, "there is a group of that ID already"),
             &there);
    else if (status == ST_OK)
        change(call, e);
    else if (status == ST_NOT_FOUND && call->may_add)
        add(call);
    else
        fail(call, status, why);
}

static void put_group(struct exchange *x, bool may_add)
{
    struct group_call *call = create_call(x);

    if (!call || !exchange_json(x, &call->body))
        return;
    call->may_add = may_add;
    exchange_hold(x);
    enrollment_get(service_of(x), ENROLLMENT_GROUP, x->bound[0], true, on_read, call);
}

static void groups_put(struct exchange *x)
{
    put_group(x, true);
}

static void groups_patch(struct exchange *x)
{
    put_group(x, false);
}

/* --- delete ----------------------------------------------------------------------------------- */

static void on_deleted(void *context, enum status status, const struct enrollment *e,
                       const struct fault *why)
{
    (void)e;
    rest_end(context, status, NULL, why);
}

static void groups_delete(struct exchange *x)
{
    exchange_hold(x);
    enrollment_delete(service_of(x), ENROLLMENT_GROUP, x->bound[0], on_deleted, x);
}

/* --- schemas ---------------------------------------------------------------------------------- */

static const struct rest_schema schemas[] = {
    {"SigningX509", "'signingCertificates'",
     "'signingCertificates':{'type':'object','properties':{'primary':@SigningX509Certificate,"
     "'secondary':@SigningX509Certificate}}"},
    {"GroupAttestation", "'type'",
     "'type':{'type':'string','enum':['symmetricKey','x509']},'symmetricKey':@SymmetricKey,"
     "'x509':@SigningX509"},
    {"EnrollmentGroup", "'displayName','type','attestation'",
     "'id':{'type':'string','readOnly':true},'displayName':{'type':'string'},"
     "'enabled':{'type':'boolean','default':true},"
     "'type':{'type':'string','enum':['iot','iotEdge']},'attestation':@GroupAttestation,"
     "'etag':{'type':'string'}"},
};

/* --- routes ----------------------------------------------------------------------------------- */

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,    "enrollmentGroups",    PERM_CONNECTIVITY_READ_GLOBAL,   groups_list},   "EnrollmentGroups_List",   NULL,              "EnrollmentGroupCollection", 200, 0},
    {{HTTP_GET,    "enrollmentGroups/{}", PERM_CONNECTIVITY_READ_GLOBAL,   groups_get},    "EnrollmentGroups_Get",    NULL,              "EnrollmentGroup",           200, 0},
    {{HTTP_PUT,    "enrollmentGroups/{}", PERM_CONNECTIVITY_MANAGE_GLOBAL, groups_put},    "EnrollmentGroups_Create", "EnrollmentGroup", "EnrollmentGroup",           200, 0},
    {{HTTP_PATCH,  "enrollmentGroups/{}", PERM_CONNECTIVITY_MANAGE_GLOBAL, groups_patch},  "EnrollmentGroups_Update", "EnrollmentGroup", "EnrollmentGroup",           200, 0},
    {{HTTP_DELETE, "enrollmentGroups/{}", PERM_CONNECTIVITY_MANAGE_GLOBAL, groups_delete}, "EnrollmentGroups_Remove", NULL,              NULL,                        204, 0},
};
/* clang-format on */

const struct rest_table rest_enrollment_groups = {routes, COUNT_OF(routes), schemas,
                                                  COUNT_OF(schemas)};
