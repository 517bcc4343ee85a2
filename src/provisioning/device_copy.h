/* A device row kept beyond the callback that gave it. */
#ifndef MUSTER_PROVISIONING_DEVICE_COPY_H
#define MUSTER_PROVISIONING_DEVICE_COPY_H

#include "base/arena.h"
#include "identity/device.h"

/* In the arena; NULL when that is full. */
struct device *device_copy(struct arena *arena, const struct device *d);

#endif
