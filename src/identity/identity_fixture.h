/* For the tests of identity/: a real store in a folder of its own, two workers, two hubs. */
#ifndef MUSTER_IDENTITY_IDENTITY_FIXTURE_H
#define MUSTER_IDENTITY_IDENTITY_FIXTURE_H

#include <dirent.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "codec/sas.h"
#include "identity/device.h"
#include "identity/principal.h"

#define FIXTURE_WORKERS 2
#define NOW 1767225600000 /* of rows; credentials are judged by the real clock */

struct fixture {
    char directory[64], key_path[96];
    struct workers *workers;
    struct store *store;
    struct bus *bus;
    struct sealer *sealer;
    struct identity *id;
    void (*before_start)(struct fixture *f); /* or NULL: for what must exist before the workers */
};

static const slice main_hosts[] = {{(const uint8_t *)"hub.example.org", 15},
                                   {(const uint8_t *)"alias.example.org", 17}};
static const slice other_hosts[] = {{(const uint8_t *)"other.example.org", 17}};
static const struct hub_name fixture_hubs[] = {
    {{(const uint8_t *)"main", 4}, main_hosts, 2},
    {{(const uint8_t *)"other", 5}, other_hosts, 1},
};
static const struct identity_options fixture_identity_options = {
    .hubs = fixture_hubs, .hub_count = 2, .sas_tolerance_s = 300};

static inline void fixture_open(struct fixture *f)
{
    static const struct store_schema *const schemas[] = {&identity_schema};
    const struct store_options options = {
        .directory = f->directory, .schemas = schemas, .schema_count = COUNT_OF(schemas)};
    struct fault why = {0};

    f->workers = workers_create(FIXTURE_WORKERS);
    assert_non_null(f->workers);
    f->sealer = sealer_open(f->key_path, true, &why);
    if (!f->sealer)
        fail_msg("%s", why.text);
    f->store = store_open(f->workers, &options, &why);
    if (!f->store)
        fail_msg("%s", why.text);
    f->bus = bus_create_local(f->workers);
    assert_non_null(f->bus);
    f->id =
        identity_create(f->workers, f->store, f->sealer, f->bus, &fixture_identity_options, &why);
    if (!f->id)
        fail_msg("%s", why.text);
    if (f->before_start)
        f->before_start(f);
    assert_true(workers_start(f->workers, &why));
}

static inline void fixture_close(struct fixture *f)
{
    workers_stop(f->workers);
    identity_destroy(f->id);
    bus_destroy(f->bus);
    store_close(f->store);
    sealer_destroy(f->sealer);
    workers_destroy(f->workers);
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    snprintf(f->directory, sizeof f->directory, "/tmp/muster-identity-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->key_path, sizeof f->key_path, "%s/master.key", f->directory);
    fixture_open(f);
    *state = f;
    return 0;
}

/* Calls `visit` with each file of the fixture's folder. */
static inline void fixture_files(const struct fixture *f,
                                 void (*visit)(const char *path, void *context), void *context)
{
    DIR *dir = opendir(f->directory);
    struct dirent *entry;
    char path[400];

    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", f->directory, entry->d_name);
        visit(path, context);
    }
    closedir(dir);
}

static inline void fixture_unlink(const char *path, void *context)
{
    (void)context;
    unlink(path);
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    fixture_close(f);
    fixture_files(f, fixture_unlink, NULL);
    rmdir(f->directory);
    free(f);
    return 0;
}

/* --- keys and devices ------------------------------------------------------------------------- */

static inline struct secret fixture_key(uint8_t fill)
{
    struct secret key = {.len = 32};

    memset(key.bytes, fill, key.len);
    return key;
}

/* A device that may connect, with keys of 0x11 and 0x22. */
static inline struct device_new fixture_device(const char *hub, const char *device_id,
                                               const char *module_id)
{
    return (struct device_new){.hub = slice_str(hub),
                               .id = slice_str(device_id),
                               .module_id = slice_str(module_id),
                               .enabled = true,
                               .approved = true,
                               .provisioned = true,
                               .primary = fixture_key(0x11),
                               .secondary = fixture_key(0x22),
                               .now = NOW};
}

static inline enum status fixture_insert(struct fixture *f, const struct device_new *n)
{
    struct unit *unit = unit_create(f->store);
    enum status status;

    assert_non_null(unit);
    device_unit_insert(unit, f->id, n);
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

/* --- reading, from the test's thread ---------------------------------------------------------- */

#define COPY_MAX 300

/* A device as it was read, with memory of its own. */
struct device_copy {
    enum status status;
    struct device d;
    uint8_t sealed[COPY_MAX];
    char text[12][COPY_MAX];
};

static inline slice copy_text(struct device_copy *c, size_t at, slice text)
{
    assert_true(text.len <= COPY_MAX);
    if (text.len)
        memcpy(c->text[at], text.ptr, text.len);
    return slice_of(c->text[at], text.len);
}

static inline void copy_device(void *context, enum status status, const struct device *d)
{
    struct device_copy *c = context;

    c->status = status;
    if (!d)
        return;
    c->d = *d;
    assert_true(d->sealed_keys.len <= sizeof c->sealed);
    if (d->sealed_keys.len)
        memcpy(c->sealed, d->sealed_keys.ptr, d->sealed_keys.len);
    c->d.sealed_keys = slice_of(c->sealed, d->sealed_keys.len);
    c->d.hub = copy_text(c, 0, d->hub);
    c->d.id = copy_text(c, 1, d->id);
    c->d.module_id = copy_text(c, 2, d->module_id);
    c->d.generation_id = copy_text(c, 3, d->generation_id);
    c->d.display_name = copy_text(c, 4, d->display_name);
    c->d.template_id = copy_text(c, 5, d->template_id);
    c->d.model_id = copy_text(c, 6, d->model_id);
    c->d.primary_thumbprint = copy_text(c, 7, d->primary_thumbprint);
    c->d.secondary_thumbprint = copy_text(c, 8, d->secondary_thumbprint);
    c->d.enrollment_id = copy_text(c, 9, d->enrollment_id);
    c->d.method_filters = copy_text(c, 10, d->method_filters);
    c->d.attempt.reason = copy_text(c, 11, d->attempt.reason);
}

struct fixture_get {
    struct fixture *f;
    const char *hub, *device_id, *module_id;
    struct device_copy *to;
};

static inline void fixture_run_get(void *context)
{
    struct fixture_get *g = context;

    if (g->hub)
        device_get(g->f->id, slice_str(g->hub), slice_str(g->device_id), slice_str(g->module_id),
                   copy_device, g->to);
    else
        device_find(g->f->id, slice_str(g->device_id), copy_device, g->to);
}

/* device_get, or device_find without a hub. SQLite answers before the call returns. */
static inline enum status fixture_read(struct fixture *f, const char *hub, const char *device_id,
                                       const char *module_id, struct device_copy *to)
{
    struct fixture_get get = {f, hub, device_id, module_id, to};

    to->status = ST_COUNT;
    worker_call(workers_at(f->workers, 0), fixture_run_get, &get);
    assert_int_not_equal(to->status, ST_COUNT);
    return to->status;
}

#endif
