/* What a device of a model would say, for devices that are simulated.
 *
 * Every value follows from the seed, the place in the model and the step alone: numbers wander
 * within a range that suits what they measure, states change now and then, events are rare. The
 * same seed gives the same values in the same order. All that is written fits the model
 * (dtdl_value.h); how much it is, is for the buffer to bound: what is too large fails it.
 * Sources: contract/central.md 5.2, 7.2, 7.3, 7.4. Pure. */
#ifndef MUSTER_CODEC_DTDL_SAMPLE_H
#define MUSTER_CODEC_DTDL_SAMPLE_H

#include "base/clock.h"
#include "codec/dtdl.h"

struct dtdl_sample {
    uint64_t seed; /* the device's: dtdl_sample_seed */
    uint64_t step; /* how many samples it gave before */
    instant at;    /* what dates and times say */
};

/* A device's seed out of its fleet's. */
uint64_t dtdl_sample_seed(uint64_t fleet, slice device_id);
/* A number that looks random, and is the same for the same two. */
uint64_t dtdl_sample_hash(uint64_t a, uint64_t b);

/* The same moment of one of its parts, a component, which says something of its own. */
struct dtdl_sample dtdl_sample_of_part(const struct dtdl_sample *s, slice name);

/* A member of that name (empty: an element); nothing when no value fits, as of an empty enum. */
void dtdl_sample_value(const struct dtdl_sample *s, const struct dtdl_typed *typed, slice name,
                       struct json_writer *w);

/* {"temperature":21.4}: the telemetry of an interface that is due. False, with nothing written,
 * when none is. A NULL interface stands for a device without a model. */
CHECKED bool dtdl_sample_telemetry(const struct dtdl_sample *s,
                                   const struct dtdl_interface *interface, struct buf *to);

/* What the device reports when it starts: {"serial":"...","target":{"value":20.5,"ac":203,"av":0},
 * "part":{"__t":"c",...}}. Cloud properties are none of its business. */
void dtdl_sample_properties(const struct dtdl_sample *s, const struct dtdl_interface *root,
                            struct buf *to);

/* The acknowledgement (200) of a desired patch, or of a whole desired section: {"target":{"value":
 * 21,"ac":200,"av":7}}. False, with nothing written, when it asks for nothing. `root` may be
 * NULL: a component is then what says so with "__t". */
CHECKED bool dtdl_sample_acknowledge(const struct dtdl_interface *root, const struct json *desired,
                                     struct buf *to);

/* The answer to a command, "name" or "component*name": `{}` where the model knows of none. */
void dtdl_sample_response(const struct dtdl_sample *s, const struct dtdl_interface *root,
                          slice method, struct buf *to);

#endif
