/* Inside central/: what its files share.
 *
 *     central.c            create, destroy, the tables
 *     settings.c           the settings of 1.2 as a table: names, words, defaults
 *     settings_store.c     their rows
 *     templates.c          device templates read: one, lists, that of a model; the default one
 *     template_acts.c      draft, publish, patch, new version, compare, delete
 *     template_document.c  a template's JSON: pure
 *     template_import.c    the other forms in which models come: pure
 *     template_views.c     the views that go with a published template: pure
 *     template_store.c     their rows
 *     gate_view.c          what a registration asks: settings, and the template of a model
 *     device_rules.c       what an operator may call a device (3.3): pure
 *     device_add.c         new devices
 *     device_act.c         what each act on a device is
 *     device_acts.c        approve, associate, block, unblock, delete, deprovision: of one device
 *     device_edit.c        several facts of one device at once
 *     device_task.c        how both change its row
 *     relationship.c       gateways and what is behind them
 *     operation*.c, device_import.c, import_*.c, device_bulk.c   see operation_internal.h
 *     device_export.c      all devices as a file
 *     device_view.c        the device page's facts, and lists
 *     model_event.c        models that devices announce at the hub
 *     credentials.c        the keys that a device signs with
 *     projection*.c        last values and history of devices, see projection_internal.h
 *     telemetry*.c, history_*.c   what devices have sent: read, charted
 *     device_model.c       a device with what its template says it can do
 *     properties.c         properties and settings; property_list.c, property_change.c: pure
 *     commands.c           commands run; command_outcome.c: what became of them
 *     aliases.c            names for paths in messages; alias_path.c: pure
 *     device_records.c     rows of cloud properties, commands and aliases
 *     template_infer.c     a template of what a device has sent: pure
 *     simulation.c         simulated devices: who runs
 *     simulated_device.c   and what one of them does */
#ifndef MUSTER_CENTRAL_CENTRAL_INTERNAL_H
#define MUSTER_CENTRAL_CENTRAL_INTERNAL_H

#include "base/arena.h"
#include "central/central.h"

struct central {
    struct workers *ws;
    struct store *st;
    struct bus *bus;
    struct identity *id;
    struct hub *hub;
    struct provisioning *p; /* NULL until central_bind */
};

/* What a registration would be told of the moment, for a model ID that may be empty. */
void gate_view_read(struct central *c, slice model_id, gate_view_fn *on_view, void *context);
/* The settings' part of it. */
struct gate_view gate_view_of(const struct central_settings *s);

#endif
