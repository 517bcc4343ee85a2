/* For tests, behind cmocka: a world of provisioning_testing.h with the application above it. */
#ifndef MUSTER_CENTRAL_CENTRAL_FIXTURE_H
#define MUSTER_CENTRAL_CENTRAL_FIXTURE_H

#include "central/central.h"
#include "provisioning/provisioning_testing.h"

static inline struct central *central_of(struct fixture *f)
{
    return f->above;
}

/* All but the workers' start: fixture_start. */
static inline void central_fixture_open(struct fixture *f)
{
    struct provisioning_gate gate;
    struct fault why = {0};

    fixture_open_base(f, &central_schema);
    f->above = central_create(f->ws, f->st, f->bus, f->id, f->hub, &why);
    if (!f->above)
        fail_msg("%s", why.text);
    gate = central_gate(central_of(f));
    fixture_open_provisioning(f, &gate, true, 0);
    central_bind(central_of(f), f->p);
}

/* Once the workers have stopped. */
static inline void central_fixture_close(struct fixture *f)
{
    central_destroy(central_of(f));
    fixture_close(f);
}

/* Of a test whose state is the world. */
static inline int central_fixture_teardown(void **state)
{
    struct fixture *f = *state;

    workers_stop(f->ws);
    central_fixture_close(f);
    fixture_remove(f);
    return 0;
}

#endif
