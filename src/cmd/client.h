/* The operator's commands speak to a running server through its REST API, like anyone else. */
#ifndef MUSTER_CMD_CLIENT_H
#define MUSTER_CMD_CLIENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "cmd/command.h"
#include "codec/json.h"

struct client {
    const struct command *command; /* for messages */
    char *url, *ca_file, *authorization, *connect_to;
    struct arena arena; /* of parsed answers */
    const char *about;  /* what a refusal is about, said in front of it; NULL: clear without */
    bool quiet;         /* refusals are not printed */
    /* Calls make something, and nothing that is there is changed: then the verb that would is named
     * ("set"). NULL: not so. */
    const char *else_verb;
    int http_status; /* of the last refusal */
};

/* Finds the server: by --data DIR (`folder` not NULL), else MUSTER_URL, MUSTER_TOKEN and, if set,
 * MUSTER_CA, else ./muster-data. False after a message was printed; the exit code is in *ret. */
CHECKED bool client_open(struct client *c, const struct command *command, const char *folder,
                         int *ret);
/* Another server that speaks the compatible API, by its address; texts are copied. `ca_file` NULL:
 * whom the system trusts. */
CHECKED bool client_open_at(struct client *c, const struct command *command, const char *url,
                            slice token, const char *ca_file, int *ret);
void client_close(struct client *c);

/* A call below /api/muster/v1; `body` NULL: none. On success the answer as a tree (NULL when it
 * has no body). Otherwise prints the server's sentence and gives EXIT_FAILED. */
CHECKED int client_call(struct client *c, const char *method, slice path, const struct buf *body,
                        struct json **ret);
/* A call of the compatible API, below /api; the version is added. */
CHECKED int client_rest(struct client *c, const char *method, slice path, const struct buf *body,
                        struct json **ret);
/* Each element of a list there, through all its pages. What on_row is given, and what it gets from
 * calls of its own, lives until the page's end. */
typedef void client_row_fn(struct client *c, const struct json *row, void *context);
CHECKED int client_rest_list(struct client *c, slice path, client_row_fn *on_row, void *context);
/* A file as the body. */
CHECKED int client_upload(struct client *c, slice path, slice body, const char *content_type,
                          struct json **ret);
/* A streamed answer, part by part. */
CHECKED int client_stream(struct client *c, slice path, bool (*on_part)(void *context, slice part),
                          void *context);

/* "devices/{id}/twin": printf with %s arguments percent-encoded. Caller frees ret->ptr by
 * buf_deinit. */
void client_path(struct buf *ret, const char *format, const char *argument);
/* ?name=value, or &name=value behind another; `value` NULL: nothing. */
void client_query(struct buf *ret, const char *name, const char *value);
/* Whether the value of an option is JSON; false after a message. */
CHECKED bool client_check_json(struct client *c, const char *name, const char *text);

/* Prints JSON: as it is, one line. */
void client_print_json(const struct json *value);
/* A member as text for tables: "-" for null or absent, control characters as '?'. The text lives in
 * the client's arena. */
const char *client_text(struct client *c, const struct json *object, const char *name);
/* Any text likewise. */
const char *client_printable(struct client *c, slice text);

#endif
