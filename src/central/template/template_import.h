/* The forms in which models come, made into one: a template with its capability model inside. */
#ifndef MUSTER_CENTRAL_TEMPLATE_IMPORT_H
#define MUSTER_CENTRAL_TEMPLATE_IMPORT_H

#include "codec/dtdl.h"

/* Changes the tree under `root`. ST_BAD_REQUEST: it is none of them, or an array with errors (in
 * `report`), or one of several models. ST_NO_MEMORY. */
CHECKED enum status template_import(struct json *root, slice id, struct arena *arena,
                                    struct json **ret, struct dtdl_report *report,
                                    struct fault *why);

#endif
