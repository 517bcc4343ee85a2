/* The office of `muster cert device`: hands out the IDs, hears what became of them, tells people.
 */
#ifndef MUSTER_CMD_CERT_TALLY_H
#define MUSTER_CMD_CERT_TALLY_H

#include <stdio.h>

#include "base/buf.h"
#include "cmd/cert.h"
#include "cmd/cert/cert_batch.h"
#include "cmd/cert/cert_csv.h"

/* A device ID as certificates name it: the alphabet of registration IDs, at most 64 characters, in
 * lower case. ST_BAD_REQUEST with a sentence that shows the text. */
CHECKED enum status cert_id_take(slice text, char to[CERT_ID_MAX], size_t *ret_len,
                                 bool *ret_changed, struct fault *why);

struct cert_tally {
    const struct cert_words *w;
    const char *out;
    FILE *file; /* of the CSV; NULL: the IDs are words */
    struct cert_csv csv;
    uint64_t file_size; /* 0: not known */
    size_t word;        /* the next */
    bool terminal;      /* a bar is drawn */
    bool broken;        /* nothing can be written any more */
    bool refused_file;  /* from some place on, if not as a whole */
    int64_t started_ms;
    uint64_t rows, made, for_keys, there, refused, lowered;
    struct buf devices; /* JSON, of words */
};
/* Opens the CSV file if there is one. */
CHECKED bool cert_tally_open(struct cert_tally *t, const struct cert_words *w, const char *out,
                             struct fault *why);
struct leaf_office cert_tally_office(struct cert_tally *t);
/* The summary; gives the exit code. */
int cert_tally_close(struct cert_tally *t, bool ran);

#endif
