/* The issuer of the configuration, with the secret that lies in a file of its own. */
#ifndef MUSTER_CMD_OIDC_CONFIG_H
#define MUSTER_CMD_OIDC_CONFIG_H

#include "base/buf.h"
#include "cmd/config.h"
#include "identity/sign_in/oidc.h"

struct oidc_config {
    struct oidc_options options;
    struct buf texts; /* what they borrow; it never moves */
};
CHECKED bool oidc_config_read(struct oidc_config *c, const struct config *config,
                              struct fault *why);
/* The zero struct, too. */
void oidc_config_free(struct oidc_config *c);

#endif
