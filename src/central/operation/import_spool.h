/* An uploaded file on its way to the disk: taken in pieces, written on the pool, kept until the
 * import that reads it ends.
 *
 * Files lie in a folder of their own in the data folder, mode 0600: they may hold keys. What no
 * operation reads is swept away at the next start. */
#ifndef MUSTER_CENTRAL_IMPORT_SPOOL_H
#define MUSTER_CENTRAL_IMPORT_SPOOL_H

#include "central/operation/operation.h"

#define IMPORT_FOLDER "imports"
#define IMPORT_UPLOADS_MAX 4 /* at once */
#define IMPORT_BYTES_MAX ((size_t)200 << 20)

struct import_spool;

/* On the worker of the upload. ST_THROTTLED: too many uploads; ST_NO_SPACE. */
CHECKED enum status import_spool_create(struct operations *ops, struct import_spool **ret,
                                        struct fault *why);
/* How the writing goes so far. */
enum status import_spool_status(const struct import_spool *s, struct fault *why);
/* Copies. False: enough for now, and `on_room` says when to go on; the bytes were taken. */
CHECKED bool import_spool_append(struct import_spool *s, slice bytes,
                                 void (*on_room)(void *context), void *context);
/* All was appended: `on_kept` when it is durable, or with the first failure. */
typedef void import_spool_fn(void *context, enum status status, const struct fault *why);
void import_spool_finish(struct import_spool *s, import_spool_fn *on_kept, void *context);
/* The operation's ID that the file has for a name. */
slice import_spool_id(const struct import_spool *s);
/* Frees; the file stays for the operation, or goes. No callback comes any more. */
void import_spool_release(struct import_spool *s);
void import_spool_discard(struct import_spool *s);

/* -1 with errno. */
int import_spool_open(const struct operations *ops, slice operation_id);
void import_spool_remove(const struct operations *ops, slice operation_id);
/* At start: removes what belongs to no operation. */
void import_spool_sweep(struct operations *ops);

#endif
