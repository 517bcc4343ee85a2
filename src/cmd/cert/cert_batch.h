/* Leaves on all cores: threads that take a device, make its files, report, and take the next. */
#ifndef MUSTER_CMD_CERT_BATCH_H
#define MUSTER_CMD_CERT_BATCH_H

#include "cmd/cert/cert_leaf.h"

struct leaf_job {
    char id[CERT_ID_MAX];
    size_t id_len;
    uint64_t line; /* of the CSV file; 0: from the command line */
};
struct leaf_result {
    enum status status;
    enum leaf_outcome outcome;
    const struct leaf *leaf; /* unless it was there */
    const struct fault *why;
};

/* The three calls come one at a time, from any thread. */
struct leaf_office {
    void *context;
    bool (*next)(void *context, struct leaf_job *ret); /* false: there are no more */
    bool (*report)(void *context, const struct leaf_job *job,
                   const struct leaf_result *result); /* false: stop */
    void (*tick)(void *context);                      /* a few times a second */
};

/* How many threads this process may run at once. */
unsigned cert_cores(void);

/* Returns when all jobs are done. False when it could not begin. */
CHECKED bool cert_batch_run(const struct leaf_plan *plan, const struct leaf_files *files,
                            const struct leaf_office *office, unsigned threads, struct fault *why);

#endif
