/* The views that every template has from its publishing (contract/central.md 5.4). Pure.
 *
 *     [{"name":"commands","displayName":"Commands","tiles":[
 *         {"type":"command","component":"","name":"reboot","displayName":"Reboot"}, ...]},
 *      {"name":"overview", ...}, {"name":"about", ...}]
 *
 * A tile shows one capability; `component` is empty for those of the root. */
#ifndef MUSTER_CENTRAL_TEMPLATE_VIEWS_H
#define MUSTER_CENTRAL_TEMPLATE_VIEWS_H

#include "codec/dtdl.h"

#define TEMPLATE_VIEW_BYTES (200 * 1024) /* of one view; what would come after is left out */
#define TEMPLATE_VIEWS_MAX (640 * 1024)  /* of all */

void template_views_write(const struct dtdl_model *model, struct buf *to);

#endif
