/* Never serve as root (SECURITY-MODEL G2): become an unprivileged user that may still bind low
 * ports, and give that up too once the ports are bound. */
#ifndef MUSTER_CMD_PRIVILEGES_H
#define MUSTER_CMD_PRIVILEGES_H

#include "base/status.h"

/* When root: gives `folder` and what is in it to `user` (or to "nobody" when the default user does
 * not exist), then becomes it, keeping CAP_NET_BIND_SERVICE alone. Else nothing. Also: umask 077,
 * not dumpable, no new privileges. */
CHECKED bool privileges_drop(const char *user, const char *folder, struct fault *why);
/* When root: acts as the owner of the file or folder until privileges_act_as_root: what that one
 * may have put in root's way is then followed with his own rights. Else nothing. */
CHECKED bool privileges_act_as_owner(const char *path, struct fault *why);
void privileges_act_as_root(void);
/* After the listeners are bound. */
void privileges_drop_binding(void);
/* Raises the soft limit of open files to the hard one; gives the limit. */
uint64_t privileges_raise_files(void);

#endif
