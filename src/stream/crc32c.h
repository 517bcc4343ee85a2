/* CRC-32C (Castagnoli), the checksum of iSCSI, ext4 and Kafka: by the processor's own instruction
 * where it has one. Against damage, not against forgery. */
#ifndef MUSTER_STREAM_CRC32C_H
#define MUSTER_STREAM_CRC32C_H

#include "base/slice.h"

uint32_t crc32c(slice bytes);
/* The same without the instruction. */
uint32_t crc32c_portable(slice bytes);

#endif
