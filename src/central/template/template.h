/* Device templates: what a kind of device can do, and when that begins to count.
 *
 *     draft --publish--> published --put draft--> published, with a draft --publish--> ...
 *
 * A draft is stored whatever its model says, and nobody but its editors sees it. What is published
 * has no errors, is shown, and is what devices are associated with. A new version is another
 * template, with an ID of its own, that no device has yet.
 *
 * Each act reads, works out what is to be stored (a long document on the pool), and writes guarded
 * by the version, which is the ETag. Sources: contract/central.md 5.1, 5.3, 5.4. */
#ifndef MUSTER_CENTRAL_TEMPLATE_H
#define MUSTER_CENTRAL_TEMPLATE_H

#include "central/central.h"
#include "codec/dtdl.h"
#include "codec/dtdl_change.h"

/* One that every application has; it cannot be deleted. */
#define GENERIC_TEMPLATE "generic"

struct template
{
    slice id, display_name;
    slice model_id; /* of the published model, else of the draft's; may be empty */
    bool published;
    int64_t version; /* the ETag */
    instant created_at, updated_at;
    instant published_at; /* the last time; 0: never */
    instant draft_at;     /* 0: there is no draft */
    slice document;       /* the part that was asked for, JSON; empty when there is none */
};

enum template_part {
    TEMPLATE_FACTS, /* without a document */
    TEMPLATE_PUBLISHED,
    TEMPLATE_DRAFT,
    TEMPLATE_VIEWS,
};

/* --- reading: on a worker, callbacks may run before the call returns -------------------------- */

/* ST_NOT_FOUND: no such template, or it lacks that part. */
typedef void template_get_fn(void *context, enum status status, const struct template *t,
                             const struct fault *why);
void central_template_get(struct central *c, slice id, enum template_part part,
                          template_get_fn *on_template, void *context);

struct template_filter {
    slice after; /* IDs greater than this */
    unsigned limit;
    bool only_published;
    enum template_part part;
};
/* Each in order of ID until it gives false; then once with t == NULL. */
typedef bool template_row_fn(void *context, enum status status, const struct template *t);
void central_template_page(struct central *c, const struct template_filter *filter,
                           template_row_fn *on_row, void *context);

/* --- acts ------------------------------------------------------------------------------------- */

enum template_act {
    TEMPLATE_PUT_DRAFT,   /* of `given`; makes the template if need be */
    TEMPLATE_DROP_DRAFT,  /* of a published template */
    TEMPLATE_PUBLISH,     /* the draft */
    TEMPLATE_PUT,         /* publishes `given`; a draft stays as it is */
    TEMPLATE_PATCH,       /* `given` is a merge patch: names, descriptions, cloud properties */
    TEMPLATE_NEW_VERSION, /* a draft under another ID, of the draft or what is published */
    TEMPLATE_COMPARE,     /* changes nothing: what publishing the draft would do */
    TEMPLATE_DELETE,      /* ST_CONFLICT while devices have it */
};

struct template_request {
    slice id;
    slice given;      /* JSON; kept until the callback */
    int64_t version;  /* that the caller knows; 0: as `given` says in "etag", if it does */
    bool must_be_new; /* ST_PRECONDITION_FAILED: there is a template of that ID */
    bool force;       /* publish, whatever breaks */
    /* A new version's; what is empty follows from the old one's. */
    slice new_id, new_model_id, new_display_name;
};

struct template_result {
    const struct template *template;  /* as it is now; NULL after a failure, or when it is gone */
    const struct dtdl_report *report; /* of the model in question; NULL when there was none */
    /* Against what is published: of TEMPLATE_COMPARE (NULL: the draft has errors), and of what
     * publishes over it. */
    const struct dtdl_changes *changes;
    bool has_devices;
};
/* ST_BAD_REQUEST because of errors in the model: they are in the report. ST_CONFLICT because it
 * would break what is published: see the changes. ST_NOT_FOUND: no such template, or no draft.
 * ST_PRECONDITION_FAILED: another version. ST_TOO_LARGE, ST_UNAVAILABLE. */
typedef void template_act_fn(void *context, enum status status, const struct template_result *r,
                             const struct fault *why);
void central_template_act(struct central *c, enum template_act act,
                          const struct template_request *request, template_act_fn *on_done,
                          void *context);

#endif
