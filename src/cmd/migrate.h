/* Inside `muster migrate`: one application's things copied into another, kind by kind. */
#ifndef MUSTER_CMD_MIGRATE_H
#define MUSTER_CMD_MIGRATE_H

#include "cmd/client.h"

struct migration_kind {
    const char *path; /* of the list, below /api; also what the kind is called */
    /* Copies one of them; false after it told why not. */
    bool (*copy)(struct client *from, struct client *to, const struct json *row);
    unsigned passes; /* until none fails: a child may be listed before its parent */
};

/* In the order in which they need each other. */
#define MIGRATION_KINDS 5
extern const struct migration_kind migration_kinds[MIGRATION_KINDS];

#endif
