/* A record of the device-to-cloud log, as the hub writes it:
 *
 *     u8 version, u8 flags, u16 stamp length, u32 bag length | stamp | raw bag | raw body
 *
 * The stamp says who sent it and is made once, when a session opens:
 *
 *     u8 auth | u8 length, hub | u8 length, device ID | u8 length, module ID
 *     | u8 length, generation ID | u16 length, model ID */
#ifndef MUSTER_HUB_D2C_RECORD_H
#define MUSTER_HUB_D2C_RECORD_H

#include "base/slice.h"
#include "identity/principal.h"

#define D2C_RECORD_VERSION 1
#define D2C_RECORD_HEAD 8
enum { D2C_FLAG_RETAIN = 1, D2C_FLAG_DUP = 2, D2C_FLAG_WILL = 4 };

struct d2c_stamp {
    enum credential_slot slot;
    slice hub, device_id, module_id, generation_id, model_id;
};
/* 0: a field is longer than its length can say. */
size_t d2c_stamp_size(const struct d2c_stamp *stamp);
/* Writes d2c_stamp_size bytes; the IDs in `stamp` then borrow from there. */
void d2c_stamp_write(struct d2c_stamp *stamp, uint8_t *to);
CHECKED bool d2c_stamp_parse(slice bytes, struct d2c_stamp *ret);

void d2c_head_write(unsigned flags, size_t stamp_len, size_t bag_len, uint8_t to[D2C_RECORD_HEAD]);

#endif
