/* Device templates, as far as registrations and operators' acts need them. */
#ifndef MUSTER_CENTRAL_TEMPLATES_H
#define MUSTER_CENTRAL_TEMPLATES_H

#include "central/central.h"

#define GENERIC_TEMPLATE "generic"

/* ST_OK when it exists and is published, ST_NOT_FOUND when not. May run inside. */
typedef void template_check_fn(void *context, enum status status);
void template_check_published(struct central *c, slice template_id, template_check_fn *on_check,
                              void *context);

/* The template that every application has. Blocking. */
CHECKED bool templates_make_defaults(struct central *c, struct fault *why);

#endif
