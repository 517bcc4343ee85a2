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

#define REST_ANSWER_MAX (960 * 1024) /* below what a stream lets wait */
#define REST_PAGE_DEFAULT 25
#define REST_PAGE_MAX 100

/* What a query may hold, beside api-version and (of a collection) the size of a page. */
enum { REST_FILTERED = 1 << 0 }; /* $filter, $orderby */

struct rest_route {
    struct http_route http;
    const char *operation;          /* "Users_Get" */
    const char *request, *response; /* names of schemas; NULL: no body */
    int status;                     /* of success */
    unsigned query;                 /* REST_FILTERED or 0 */
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
extern const struct rest_table rest_access, rest_commands, rest_far, rest_organizations,
    rest_properties, rest_telemetry, rest_templates;

/* A list under construction: {"value":[...],"nextLink":"..."}. Lives in the exchange's arena;
 * rest_list_end answers and frees. */
struct rest_list {
    struct exchange *x;
    struct buf text;
    struct json_writer w;
    slice after;    /* IDs behind this one; empty: from the first */
    unsigned limit; /* rows of a page */
    unsigned count;
    struct buf last; /* ID of the last row */
};
/* Reads $top and its like and where the page begins; NULL after a 400 was answered. The exchange is
 * held until the end. */
struct rest_list *rest_list_begin(struct exchange *x);
/* Notes a row's ID; the caller then writes it through list->w. */
void rest_list_row(struct rest_list *list, slice id);
/* A page that is full has a link to the next. */
void rest_list_end(struct rest_list *list, enum status status, const struct fault *why);

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
