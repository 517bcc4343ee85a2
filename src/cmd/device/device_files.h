/* muster device import, export, and acts on many devices at once. */
#ifndef MUSTER_CMD_DEVICE_FILES_H
#define MUSTER_CMD_DEVICE_FILES_H

#include "cmd/client.h"

struct device_import_words {
    const char *template_id;
    bool dry_run, lower_case, update, skip, individual_enrollments, raw, json;
};
CHECKED int device_import(struct client *c, const char *file, const struct device_import_words *w);

struct device_export_words {
    const char *out, *template_id, *status, *search; /* `out` NULL: standard output */
    bool unassociated, without_keys, extra, raw;
};
CHECKED int device_export(struct client *c, const struct device_export_words *w);

/* "approve" and the like, of all that the filter names. */
struct device_matching_words {
    const char *act, *template_id, *status, *search, *of_template;
    bool unassociated, json;
};
CHECKED int device_act_matching(struct client *c, const struct device_matching_words *w);

#endif
