/* A fleet of simulated devices over the real protocols: DPS and hub, both MQTT over TLS.
 *
 *     idle -> registering -> connecting -> live
 *                  ^   |         |           |
 *                  |   +---------+-----------+--> waiting, longer each time --> (again)
 *                  +-- the hub refused: it may live elsewhere by now
 *
 * All of it runs on one worker. Messages leave in slots, `rate` a second: slot k is that of device
 * k mod count, and its values follow from seed, device and k alone, so that a run can be repeated.
 * A device that is not there, or has too much unacknowledged, lets its slot pass.
 * Sources: contract/provisioning.md 2.2, hub-device.md 2. */
#ifndef MUSTER_CMD_SIMULATE_FLEET_H
#define MUSTER_CMD_SIMULATE_FLEET_H

#include "codec/dtdl.h"
#include "crypto/crypto.h"
#include "net/tls_client.h"

#define FLEET_DEVICES_MAX 100000
#define FLEET_ID_MAX 64 /* of a device's ID, prefix and number */

struct fleet_options {
    unsigned count;
    double rate;       /* messages a second, of all together */
    unsigned starts_s; /* devices that begin in a second */
    uint64_t seed;
    const char *prefix; /* of device IDs: "sim-1" makes sim-1-00001 */
    union address to;   /* where both services are dialled */
    const char *host;   /* the name by which the DPS is called */
    struct tls_client *tls;
    slice id_scope;
    struct secret group_key;
    const struct dtdl_interface *root; /* NULL: devices without a model */
};

struct fleet_counts {
    /* Devices now. */
    uint64_t idle, registering, connecting, live, waiting;
    uint64_t registered, refused, failed; /* registrations that ended so */
    uint64_t connected, dropped;          /* connections to the hub that began and ended so */
    enum stream_end dropped_by;           /* the last of them */
    uint64_t sent, acknowledged, unacknowledged;
    uint64_t passed;                 /* slots without a message */
    uint64_t desired, commands, c2d; /* that came and were answered */
};

struct fleet;
/* Borrows what the options point to. */
CHECKED struct fleet *fleet_create(struct workers *ws, const struct fleet_options *options);
/* All of these from a thread that is no worker. */
void fleet_start(struct fleet *f);
void fleet_read(struct fleet *f, struct fleet_counts *ret);
/* No further message begins. */
void fleet_pause(struct fleet *f);
/* Says goodbye to every connection; they are gone once all devices are idle. */
void fleet_stop(struct fleet *f);
/* After workers_stop. */
void fleet_destroy(struct fleet *f);

/* "sim-1-00001": of the device of that index. Gives the text inside `to`. */
slice fleet_device_id(const char *prefix, unsigned index, char to[FLEET_ID_MAX]);

#endif
