#include <assert.h>

#include "stream/log_batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What opens is read to its last byte. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_batch batch;
    struct fault why;
    size_t bytes = LOG_BATCH_HEADER;
    instant at;

    if (log_batch_open(slice_of(data, size), &batch, &why) != ST_OK)
        return 0;
    while (batch.count > 0)
        bytes += LOG_RECORD_HEADER + log_batch_next(&batch, &at).len;
    assert(bytes == size && !batch.records.short_read);
    return 0;
}
