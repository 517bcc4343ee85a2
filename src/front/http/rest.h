/* The compatible REST API under /api (contract/central.md 6): what the rest_*.c files share.
 *
 * A file exports its rows as a table; rest.c lists the tables. What dispatches a row is also what
 * describes it: operation ID and schemas are those of the published specification. */
#ifndef MUSTER_FRONT_HTTP_REST_H
#define MUSTER_FRONT_HTTP_REST_H

#include "front/http/exchange.h"

#define REST_ANSWER_MAX (960 * 1024) /* below what a stream lets wait */
#define REST_PAGE_DEFAULT 25
#define REST_PAGE_MAX 100

struct rest_route {
    struct http_route http;
    const char *operation;          /* "Users_Get" */
    const char *request, *response; /* names of schemas; NULL: no body */
};

struct rest_table {
    const struct rest_route *routes;
    size_t count;
};
extern const struct rest_table rest_access, rest_organizations, rest_templates;

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
