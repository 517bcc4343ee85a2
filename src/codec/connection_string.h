/* HostName=...;DeviceId=...;SharedAccessKey=... : contract/provisioning.md 1.7. */
#ifndef MUSTER_CODEC_CONNECTION_STRING_H
#define MUSTER_CODEC_CONNECTION_STRING_H

#include "base/buf.h"
#include "base/status.h"

struct connection_string {
    slice host_name, device_id, module_id;
    slice shared_access_key, shared_access_key_name, shared_access_signature;
    slice gateway_host_name;
    bool x509;
};
/* Keys without case, values split at the first '='; unknown keys are ignored, a doubled key or a
 * missing HostName is ST_BAD_REQUEST. At most 4 KiB. Borrows from the text. */
CHECKED enum status connection_string_parse(slice text, struct connection_string *ret,
                                            struct fault *why);
/* The fields that are not empty, in the order of the struct. */
void connection_string_write(const struct connection_string *c, struct buf *to);

#endif
