/* The compatible REST API under /api (contract/central.md 6): what the rest_*.c files share.
 *
 * A file exports its rows as a table; rest.c lists the tables. The row that dispatches is also the
 * row that describes: openapi.c makes GET /api/openapi.json from the tables, and the tests hold
 * every answer against it. To add an operation:
 *
 *  1. a row: method, pattern, permission, handler; the operation ID of the published
 *     specification; the names of the schemas of request and answer, NULL without a body; the
 *     status of success; what its query may hold.
 *       {{HTTP_PUT, "jobs/{}", PERM_JOBS_EXECUTE, jobs_put}, "Jobs_Create", "Job", "Job", 200, 0},
 *  2. a schema in the same table, once for each name; its text is JSON with ' in place of ", and
 *     @Name refers to another schema:
 *       {"Job", "'displayName','data'", "'id':{'type':'string','readOnly':true},..."},
 *       {"Anything", NULL, "{'type':'object'}"},
 *     Made without you: "XCollection", a page of X; for a PATCH the request "X" without what X
 *     requires, as null removes a member.
 *  3. a path parameter that is new: a row of `path_parameters` in openapi.c.
 *
 * An operation that is not built yet is a row with rest_not_implemented and 501. */
#ifndef MUSTER_FRONT_HTTP_REST_H
#define MUSTER_FRONT_HTTP_REST_H

#include "front/http/exchange.h"
#include "provisioning/enrollment.h"

#define REST_ANSWER_MAX (960 * 1024) /* below what a stream lets wait */
#define REST_PAGE_DEFAULT 25
#define REST_PAGE_MAX 100

/* What a query may hold, beside api-version and (of a collection) the size of a page. */
enum {
    REST_FILTERED = 1 << 0, /* $filter, $orderby */
    REST_FORCED = 1 << 1,   /* force */
};

struct rest_route {
    struct http_route http;
    const char *operation;          /* "Users_Get" */
    const char *request, *response; /* names of schemas; NULL: no body */
    int status;                     /* of success */
    unsigned query;                 /* REST_FILTERED, REST_FORCED, or 0 */
};

/* Of an object: its members, and which of them must be there. `required` NULL: `text` is the
 * schema itself. */
struct rest_schema {
    const char *name, *required, *text;
};

struct rest_table {
    const struct rest_route *routes;
    size_t count;
    const struct rest_schema *schemas;
    size_t schema_count;
};
/* NULL behind the last. */
const struct rest_route *rest_route_at(size_t index);
const struct rest_schema *rest_schema_at(size_t index);
extern const struct rest_table rest_access, rest_attestation, rest_certificates, rest_commands,
    rest_device_groups, rest_devices, rest_enrollment_groups, rest_far, rest_jobs,
    rest_organizations, rest_properties, rest_relationships, rest_system, rest_telemetry,
    rest_templates;

/* A list under construction: {"value":[...],"nextLink":"..."}. Lives in the exchange's arena;
 * rest_list_end answers and frees. */
struct rest_list {
    struct exchange *x;
    struct buf text;
    struct json_writer w;
    slice after;    /* as rest_list_row noted it; empty: from the first */
    unsigned limit; /* rows to ask for: one more than a page has, to know whether there is one */
    unsigned count; /* of the page */
    bool has_more;
    struct buf last; /* where the next page goes on */
};
/* Reads $top and its like and where the page begins; NULL after a 400 was answered. The exchange is
 * held until the end. */
struct rest_list *rest_list_begin(struct exchange *x);
/* Notes a row by what the list would go on after (mostly its ID); the caller then writes it through
 * list->w. False: the page is full, leave it out. */
CHECKED bool rest_list_row(struct rest_list *list, slice place);
void rest_list_end(struct rest_list *list, enum status status, const struct fault *why);

/* The version that the caller knows, by If-Match or the "etag" of the body; 0: whatever it is; one
 * that no version is, when the etag is none of ours: a 412 follows. */
int64_t rest_version(const struct exchange *x, const struct json *body);
/* The status for the answer to a PUT: of what was to be new and is there already, a 412. */
enum status rest_status_of_put(const struct exchange *x, enum status status);
/* A member that is a text or null, which removes: then the empty slice, but not NULL. Absent: a
 * NULL pointer. False after a 400. */
CHECKED bool rest_read_text(struct exchange *x, const struct json *body, const char *name,
                            slice *ret);
/* A member that is true or false. False after a 400. */
CHECKED bool rest_read_flag(struct exchange *x, const struct json *body, const char *name,
                            bool *ret_given, bool *ret);

/* rest_devices.c: a device as one object (1.5). */
void rest_write_device(struct json_writer *w, const struct device *d);
/* A "certificate" as people paste it: with line ends written as \n, too. NULL pointer when there is
 * none; false after a failure was answered. */
CHECKED bool rest_read_certificate(struct exchange *x, const struct json *object, slice *ret);

/* rest_attestation.c: what devices' and groups' attestations share. Reading: false after a 400;
 * what the body does not name stays as it is. */
void rest_put_keys(struct json_writer *w, const struct secret *primary,
                   const struct secret *secondary);
CHECKED bool rest_read_attestation_type(struct exchange *x, const struct json *attestation,
                                        enum attestation *ret);
CHECKED bool rest_read_keys(struct exchange *x, const struct json *attestation,
                            struct enrollment *e);

/* rest_certificates.c: a slot that holds one. */
struct authority_view;
void rest_write_certificate(struct json_writer *w, slice name, const struct authority_view *v);

/* openapi.c: the document of all that the tables hold. */
void rest_openapi_get(struct exchange *x);
/* For rows of operations that are known and not built. */
void rest_not_implemented(struct exchange *x);

/* Answers 400 with the sentence; false, so that refusing is one line. */
bool rest_wrong(struct exchange *x, const char *sentence);
void rest_answer(struct exchange *x, int http_status, const struct buf *body);
/* The last of a handler that held the exchange: 200 with the body, 204 when there is none (NULL),
 * or the error. */
void rest_end(struct exchange *x, enum status status, const struct buf *body,
              const struct fault *why);
/* The same for a change whose unit of work held its entry of the audit log. */
void rest_end_change(struct exchange *x, enum status status, const struct buf *body,
                     const struct fault *why);

#endif
