/* Device templates, as far as registrations and operators' acts need them. */
#ifndef MUSTER_CENTRAL_TEMPLATES_H
#define MUSTER_CENTRAL_TEMPLATES_H

#include "central/template/template.h"

/* ST_OK when it exists and is published, ST_NOT_FOUND when not. May run inside. */
typedef void template_check_fn(void *context, enum status status);
void template_check_published(struct central *c, slice template_id, template_check_fn *on_check,
                              void *context);

/* The published template that a device of this model gets, or one of that ID; the empty ID when
 * there is none. `id` is borrowed for the call. May run inside. */
typedef void template_found_fn(void *context, enum status status, slice id);
void template_find_by_model(struct central *c, slice model_id, template_found_fn *on_found,
                            void *context);

/* The current row's facts and document, borrowed from it. */
struct rows;
struct template template_from_row(const struct rows *rows);

/* The template that every application has. Blocking. */
CHECKED bool templates_make_defaults(struct central *c, struct fault *why);

#endif
