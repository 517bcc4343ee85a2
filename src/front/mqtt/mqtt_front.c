#include "front/mqtt/mqtt_front.h"

#include <stdlib.h>

#include "front/mqtt/connection.h"

#define SCRATCH_TOPIC_MAX (UINT16_MAX + 16) /* MQTT's longest topic, and a fixed header */
#define SCRATCH_ARENA_MAX (1024 * 1024)

struct mqtt_front *mqtt_front_create(struct workers *ws, const struct mqtt_front_options *options)
{
    struct mqtt_front *front = calloc(1, sizeof *front);
    unsigned count = workers_count(ws);

    if (!front)
        return NULL;
    front->options = *options;
    front->workers = ws;
    front->scratch = calloc(count, sizeof *front->scratch);
    if (!front->scratch) {
        free(front);
        return NULL;
    }
    for (unsigned i = 0; i < count; i++) {
        buf_init(&front->scratch[i].topic, SCRATCH_TOPIC_MAX);
        buf_init(&front->scratch[i].head, SCRATCH_TOPIC_MAX);
        arena_init(&front->scratch[i].arena, SCRATCH_ARENA_MAX);
    }
    return front;
}

void mqtt_front_destroy(struct mqtt_front *front)
{
    if (!front)
        return;
    for (unsigned i = 0; i < workers_count(front->workers); i++) {
        buf_deinit(&front->scratch[i].topic);
        buf_deinit(&front->scratch[i].head);
        arena_deinit(&front->scratch[i].arena);
    }
    free(front->scratch);
    free(front);
}
