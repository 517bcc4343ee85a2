/* One line for a terminal: how far a long run is, how fast, how long still. */
#ifndef MUSTER_CMD_CERT_PROGRESS_H
#define MUSTER_CMD_CERT_PROGRESS_H

#include "base/buf.h"

struct cert_progress {
    uint64_t done;           /* devices */
    uint64_t position, size; /* bytes of the file; size 0: not known */
    int64_t elapsed_ms;
};
/* "[=====>    ]  50 %  500000 devices  15000/s  0:33 left" */
void cert_progress_write(const struct cert_progress *p, struct buf *to);

#endif
