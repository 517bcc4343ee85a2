#include <assert.h>

#include "codec/connection_string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read, written and read again is the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BUF_CLEANUP struct buf written = {.max = 8192};
    struct connection_string first, again;

    if (connection_string_parse(slice_of(data, size), &first, NULL) != ST_OK)
        return 0;
    connection_string_write(&first, &written);
    assert(!written.failed);
    if (connection_string_parse(buf_slice(&written), &again, NULL) != ST_OK)
        assert(written.len > 4096);
    else
        assert(slice_equal(first.host_name, again.host_name) &&
               slice_equal(first.device_id, again.device_id) &&
               slice_equal(first.module_id, again.module_id) &&
               slice_equal(first.shared_access_key, again.shared_access_key) &&
               slice_equal(first.shared_access_key_name, again.shared_access_key_name) &&
               slice_equal(first.shared_access_signature, again.shared_access_signature) &&
               slice_equal(first.gateway_host_name, again.gateway_host_name) &&
               first.x509 == again.x509);
    return 0;
}
