/* CONNECT: which service a client wants, and what is wrong with a CONNECT whoever it is for. */
#include "front/mqtt/connection.h"

#include "codec/topic.h"

/* The DPS's form on a shared port: second segment "registrations", first no hub's host name. */
static bool wants_dps(const struct mqtt_connection *c, slice username)
{
    slice rest = username, first = slice_split(&rest, '/');

    return dps_username_looks_like(username) &&
           !identity_hub_by_host(c->front->options.identity, first);
}

enum packet_verdict mqtt_connection_on_connect(struct mqtt_connection *c,
                                               const struct mqtt_packet *packet)
{
    struct mqtt_connect connect;
    struct fault why;

    if (packet->type != MQTT_CONNECT)
        return PACKET_WRONG;
    if (mqtt_connect_parse(packet->body, &connect, &why) != ST_OK)
        return PACKET_WRONG;
    if (connect.level != 4 || !slice_equal(connect.protocol, SLICE("MQTT"))) {
        mqtt_connection_refuse(c, MQTT_CONNACK_VERSION);
        return PACKET_TAKEN;
    }
    if (!connect.has_will && packet->size > MQTT_CONNECT_MAX)
        return PACKET_WRONG;
    if (!connect.has_username || connect.username.len > MQTT_CREDENTIAL_MAX ||
        connect.password.len > MQTT_CREDENTIAL_MAX) {
        mqtt_connection_refuse(c, MQTT_CONNACK_NOT_AUTHORIZED);
        return PACKET_TAKEN;
    }
    c->state = CONNECTING;
    if (wants_dps(c, connect.username))
        dps_device_connect(c, &connect);
    else
        hub_device_connect(c, &connect);
    arena_reset(&mqtt_connection_scratch(c)->arena);
    return PACKET_TAKEN;
}
