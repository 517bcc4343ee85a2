/* A long answer that comes in parts: constant memory, as fast as its reader takes it.
 *
 *     ask -> give -> ... -> ask -> give -> ask -> end
 *
 * Embed it in what makes the parts. All of it runs on the exchange's worker. */
#ifndef MUSTER_FRONT_HTTP_APP_FLOW_H
#define MUSTER_FRONT_HTTP_APP_FLOW_H

#include "front/http/exchange.h"

struct app_flow {
    struct mail mail;
    struct exchange *x;
    slice content_type, file_name; /* literals */
    /* Wants the next part: app_flow_give, app_flow_end or app_flow_fail, once, now or later. */
    void (*ask)(struct app_flow *flow);
    /* The last call, between the others. */
    void (*destroy)(struct app_flow *flow);
    struct buf part;
    size_t sent; /* of the part */
    bool has_begun, is_asking, is_posted, is_gone;
};

/* With the members of the first block filled in. Holds the exchange until the end. */
void app_flow_start(struct app_flow *flow);
/* Copies, and wipes its copy once it is sent: parts may hold keys. */
void app_flow_give(struct app_flow *flow, slice text);
void app_flow_end(struct app_flow *flow);
/* An answer that has begun is cut off, so that nobody takes it for whole. */
void app_flow_fail(struct app_flow *flow, enum status status, const struct fault *why);

#endif
