/* One device of a fleet, between simulate_fleet.c and simulate_device*.c. */
#ifndef MUSTER_CMD_SIMULATE_DEVICE_H
#define MUSTER_CMD_SIMULATE_DEVICE_H

#include "cmd/simulate/simulate_fleet.h"
#include "codec/dtdl_sample.h"
#include "codec/mqtt.h"

#define FLEET_HUBS_MAX 16
#define HUB_NAME_MAX 256
#define OPERATION_ID_MAX 64
#define SIM_EPOCH_MS INT64_C(1767225600000) /* 2026-01-01, when every run begins */

enum sim_state {
    SIM_IDLE,
    SIM_REGISTERING,
    SIM_REGISTERED, /* its connection to the DPS is closing */
    SIM_CONNECTING,
    SIM_LIVE,
    SIM_LEAVING, /* its connection is closing, and it will wait */
    SIM_WAITING,
};

struct sim_device {
    struct fleet *fleet;
    struct stream *stream; /* NULL: none */
    struct timer timer;    /* of the state: patience, polls, pings, the end of waiting */
    const char *hub;       /* where it was assigned; NULL: it registers first. One of the fleet's */
    uint64_t seed;
    uint64_t attempts;
    unsigned index;
    char operation[OPERATION_ID_MAX]; /* at the DPS, while it is not decided */
    uint16_t packet_id;
    uint16_t unacknowledged;
    uint8_t state;    /* enum sim_state */
    uint8_t failures; /* since it was live */
};

struct fleet {
    struct fleet_options options;
    struct worker *worker;
    struct timer pacer;
    struct buf out; /* packets under construction */
    struct fleet_counts counts;
    int64_t started_ms;
    uint64_t slots;   /* that are over */
    unsigned started; /* devices that began */
    unsigned hubs;
    bool is_paused, is_stopping;
    char hub_names[FLEET_HUBS_MAX][HUB_NAME_MAX];
    struct sim_device devices[];
};

/* --- simulate_device.c: connections and states ------------------------------------------------ */

void sim_device_begin(struct sim_device *d);
/* What the slot's step has to say; false: the slot passes. */
CHECKED bool sim_device_send(struct sim_device *d, uint64_t step);
void sim_device_stop(struct sim_device *d);
/* Ends the connection; what comes then follows from `to`: SIM_REGISTERED or SIM_LEAVING. */
void sim_device_leave(struct sim_device *d, enum sim_state to);
void sim_device_set_state(struct sim_device *d, enum sim_state state);
/* The connection is through: the hub lets it in. */
void sim_device_is_live(struct sim_device *d);
/* Asks the DPS again after that many seconds. */
void sim_device_poll_later(struct sim_device *d, int64_t seconds);

/* --- simulate_session.c: what is said on them ------------------------------------------------- */

/* Writes CONNECT for the service that the state is about. */
void sim_session_open(struct sim_device *d);
/* Takes whole packets off the front; as stream_handler.on_input. */
size_t sim_session_input(struct sim_device *d, slice input);
/* Asks the DPS how far d->operation is. */
void sim_session_poll(struct sim_device *d);
void sim_session_ping(struct sim_device *d);
void sim_session_goodbye(struct sim_device *d);
/* Packets gather in the fleet's buffer; sim_flush sends them. False, with nothing said, when they
 * did not fit. */
bool sim_flush(struct sim_device *d);
void sim_publish(struct sim_device *d, slice topic, slice body, uint8_t qos);
void sim_subscribe(struct sim_device *d, slice filter, uint8_t qos);
void sim_acknowledge(struct sim_device *d, const struct mqtt_publish *p);
/* The device's ID, inside `to`. */
slice sim_id(const struct sim_device *d, char to[FLEET_ID_MAX]);

/* --- simulate_hub.c --------------------------------------------------------------------------- */

/* Let in: subscribes, reports, and is live. */
void sim_hub_start(struct sim_device *d);
void sim_hub_publish(struct sim_device *d, const struct mqtt_publish *p, struct arena *arena);
/* The messages of one step; false: there were none. */
CHECKED bool sim_hub_telemetry(struct sim_device *d, const struct dtdl_sample *s);

#endif
