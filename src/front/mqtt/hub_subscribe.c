/* What a device wants to hear. A filter becomes a bit (hub-device.md 2.5); the bits in force are
 * the session's, those of a persistent session are also the identity's and outlive connections. */
#include "front/mqtt/hub_device.h"

#include <stdlib.h>

#define SUBSCRIPTIONS_MAX 50

/* --- per-method filters: names joined by '\n' ------------------------------------------------- */

static size_t count_names(slice names)
{
    size_t count = 0;

    for (slice rest = names; rest.ptr && rest.len > 0; count++)
        slice_split(&rest, '\n');
    return count;
}

static bool has_name(slice names, slice name)
{
    for (slice rest = names; rest.ptr && rest.len > 0;) {
        if (slice_equal(slice_split(&rest, '\n'), name))
            return true;
    }
    return false;
}

static void add_name(struct buf *names, slice name)
{
    if (has_name(buf_slice(names), name))
        return;
    if (names->len > 0)
        buf_append_byte(names, '\n');
    buf_append(names, name);
}

static void remove_name(struct buf *names, slice name)
{
    BUF_CLEANUP struct buf kept = {.max = names->max};

    for (slice rest = buf_slice(names); rest.ptr && rest.len > 0;) {
        slice one = slice_split(&rest, '\n');

        if (!slice_equal(one, name))
            add_name(&kept, one);
    }
    buf_clear(names);
    buf_append(names, buf_slice(&kept));
}

/* --- putting a set into force ----------------------------------------------------------------- */

static void send_suback(struct hub_device *d, const struct hub_suback *ack)
{
    uint8_t packet[24];

    if (ack->unsubscribe)
        mqtt_connection_write(d->connection, mqtt_unsuback_write(ack->packet_id, packet));
    else
        mqtt_connection_write(d->connection,
                              mqtt_suback_write(ack->packet_id, ack->codes, ack->count, packet));
}

static void on_in_force(struct session *s, void *context)
{
    struct hub_device *d = hub_device_of(s);
    struct hub_suback *ack = context;

    for (struct hub_suback **at = &d->subacks; *at; at = &(*at)->next) {
        if (*at != ack)
            continue;
        *at = ack->next;
        send_suback(d, ack);
        free(ack);
        return;
    }
}

static void on_restored(struct session *s, void *context)
{
    (void)s;
    (void)context;
}

static unsigned in_force(const struct hub_device *d)
{
    return timer_is_armed(&d->hold) ? d->subscriptions & ~(unsigned)SUB_C2D : d->subscriptions;
}

/* `ack`, in d->subacks already, is sent when the set is in force; NULL: nothing to acknowledge. */
static void put_in_force(struct hub_device *d, bool names_changed, struct hub_suback *ack)
{
    bool persist;

    d->names_changed |= names_changed;
    persist = !d->clean_session && !timer_is_armed(&d->hold) &&
              (d->names_changed || d->subscriptions != d->stored);
    if (persist) {
        d->stored = d->subscriptions;
        d->names_changed = false;
    }
    session_subscribe(&d->session, in_force(d), buf_slice(&d->method_filters), persist,
                      ack ? on_in_force : on_restored, ack);
}

static void on_hold_over(struct timer *t)
{
    struct hub_device *d = (struct hub_device *)((char *)t - offsetof(struct hub_device, hold));

    put_in_force(d, false, NULL);
}

/* Queued C2D waits until the application has had time to install its handler (2.10). */
void hub_restore_subscriptions(struct hub_device *d)
{
    int64_t hold_ms = d->connection->front->options.c2d_hold_ms;

    d->subscriptions = d->stored;
    if (d->stored == 0)
        return;
    if ((d->stored & SUB_C2D) && hold_ms > 0)
        timer_arm(d->session.worker, &d->hold, hold_ms, on_hold_over);
    put_in_force(d, false, NULL);
}

void hub_subscriptions_end(struct hub_device *d)
{
    timer_cancel(&d->hold);
    while (d->subacks) {
        struct hub_suback *next = d->subacks->next;

        free(d->subacks);
        d->subacks = next;
    }
}

/* --- packets ---------------------------------------------------------------------------------- */

static struct hub_suback *suback_create(struct hub_device *d, uint16_t packet_id, bool unsubscribe)
{
    struct hub_suback *ack = calloc(1, sizeof *ack);
    struct hub_suback **at = &d->subacks;

    if (!ack)
        return NULL;
    ack->packet_id = packet_id;
    ack->unsubscribe = unsubscribe;
    while (*at)
        at = &(*at)->next;
    *at = ack;
    return ack;
}

static size_t count_subscriptions(const struct hub_device *d)
{
    unsigned kinds =
        d->subscriptions & (SUB_C2D | SUB_TWIN_RES | SUB_TWIN_DESIRED | SUB_METHODS | SUB_INPUTS);

    return (size_t)__builtin_popcount(kinds) + count_names(buf_slice(&d->method_filters));
}

/* "All methods" swallows the names; a name adds to names, or to nothing when all are wanted. */
static bool add_methods(struct hub_device *d, slice name)
{
    bool all = (d->subscriptions & SUB_METHODS) && d->method_filters.len == 0;
    size_t before = d->method_filters.len;

    if (name.len == 0)
        buf_clear(&d->method_filters);
    else if (!all)
        add_name(&d->method_filters, name);
    return d->method_filters.len != before;
}

static bool add_filter(struct hub_device *d, slice filter, uint8_t qos, bool *ret_names_changed)
{
    slice method = {0};
    unsigned kind = hub_filter_parse(filter, d->session.device_id, d->session.module_id, &method);

    if (kind == 0 || count_subscriptions(d) >= SUBSCRIPTIONS_MAX)
        return false;
    if (kind & SUB_METHODS)
        *ret_names_changed |= add_methods(d, method);
    if (kind & SUB_C2D) {
        d->subscriptions &= ~(unsigned)SUB_C2D_AT_QOS0;
        if (qos == 0)
            d->subscriptions |= SUB_C2D_AT_QOS0;
        timer_cancel(&d->hold);
    }
    d->subscriptions |= kind;
    return true;
}

enum packet_verdict hub_on_subscribe(struct hub_device *d, slice body)
{
    bool names_changed = false, fail = d->connection->front->options.unknown_filter_fail;
    struct mqtt_subscribe subscribe;
    struct hub_suback *ack;
    struct fault why;
    slice filter;
    uint8_t qos;

    if (mqtt_subscribe_parse(body, &subscribe, &why) != ST_OK || subscribe.count > MQTT_FILTERS_MAX)
        return PACKET_WRONG;
    ack = suback_create(d, subscribe.packet_id, false);
    if (!ack)
        return PACKET_WRONG;
    while (mqtt_subscribe_next(&subscribe, &filter, &qos)) {
        bool known = add_filter(d, filter, qos, &names_changed);

        if (!known && !fail)
            return PACKET_WRONG;
        ack->codes[ack->count++] = known ? (qos > 0 ? 1 : 0) : 0x80;
    }
    put_in_force(d, names_changed, ack);
    return PACKET_TAKEN;
}

static void remove_filter(struct hub_device *d, slice filter, bool *ret_names_changed)
{
    slice method = {0};
    unsigned kind = hub_filter_parse(filter, d->session.device_id, d->session.module_id, &method);

    if ((kind & SUB_METHODS) && method.len > 0) {
        remove_name(&d->method_filters, method);
        *ret_names_changed = true;
        if (d->method_filters.len > 0)
            return;
    }
    if (kind & SUB_METHODS)
        buf_clear(&d->method_filters);
    if (kind & SUB_C2D) {
        kind |= SUB_C2D_AT_QOS0;
        timer_cancel(&d->hold);
    }
    d->subscriptions &= ~kind;
}

enum packet_verdict hub_on_unsubscribe(struct hub_device *d, slice body)
{
    struct mqtt_subscribe unsubscribe;
    bool names_changed = false;
    struct hub_suback *ack;
    struct fault why;
    slice filter;

    if (mqtt_unsubscribe_parse(body, &unsubscribe, &why) != ST_OK)
        return PACKET_WRONG;
    ack = suback_create(d, unsubscribe.packet_id, true);
    if (!ack)
        return PACKET_WRONG;
    while (mqtt_unsubscribe_next(&unsubscribe, &filter))
        remove_filter(d, filter, &names_changed);
    put_in_force(d, names_changed, ack);
    return PACKET_TAKEN;
}
