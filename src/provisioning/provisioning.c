#include "provisioning/provisioning.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "provisioning/provisioning_internal.h"

const char *attestation_name(enum attestation a)
{
    static const char *const names[] = {
        [ATTEST_SYMMETRIC_KEY] = "symmetricKey",
        [ATTEST_X509] = "x509",
        [ATTEST_TPM] = "tpm",
    };

    return (unsigned)a < COUNT_OF(names) ? names[a] : "none";
}

slice text_lower(struct arena *arena, slice text)
{
    uint8_t *lower = arena_alloc(arena, text.len ? text.len : 1);

    if (!lower)
        return (slice){0};
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        lower[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
    }
    return slice_of(lower, text.len);
}

bool text_is_printable(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return false;
    }
    return utf8_valid(text);
}

struct provisioning_part *provisioning_part(struct provisioning *p)
{
    struct worker *w = worker_current();

    assert(w);
    return &p->parts[worker_index(w)];
}

slice provisioning_id_scope(const struct provisioning *p)
{
    return slice_str(p->id_scope);
}

static bool make_parts(struct provisioning *p, const struct provisioning_options *options)
{
    unsigned count = workers_count(p->ws);

    p->parts = calloc(count, sizeof *p->parts);
    for (unsigned i = 0; p->parts && i < count && options->register_burst > 0; i++) {
        p->parts[i].throttle =
            throttle_create(options->register_burst, options->register_refill_ms);
        if (!p->parts[i].throttle)
            return false;
    }
    return p->parts != NULL;
}

static bool keep_options(struct provisioning *p, const struct provisioning_options *options)
{
    char prefix[OPERATION_PREFIX_LEN + 1];

    p->id_scope = slice_to_cstr(options->id_scope);
    p->service_host = slice_to_cstr(options->service_host);
    p->answer_at_once = options->answer_at_once;
    snprintf(prefix, sizeof prefix, "5.%016llx.",
             (unsigned long long)slice_hash(options->id_scope));
    memcpy(p->operation_prefix, prefix, OPERATION_PREFIX_LEN);
    return p->id_scope && p->service_host;
}

struct provisioning *provisioning_create(struct workers *ws, struct store *st, struct bus *bus,
                                         const struct sealer *sealer, struct identity *id,
                                         struct hub *hub, const struct provisioning_gate *gate,
                                         const struct provisioning_options *options,
                                         struct fault *why)
{
    struct provisioning *p = calloc(1, sizeof *p);

    if (!p) {
        (void)fault_set(why, ST_NO_MEMORY, "no memory for provisioning");
        return NULL;
    }
    *p = (struct provisioning){
        .ws = ws, .st = st, .bus = bus, .sealer = sealer, .id = id, .hub = hub, .gate = *gate};
    if (!keep_options(p, options) || !make_parts(p, options)) {
        (void)fault_set(why, ST_NO_MEMORY, "no memory for provisioning");
        provisioning_destroy(p);
        return NULL;
    }
    if (!provisioning_make_defaults(p, why)) {
        provisioning_destroy(p);
        return NULL;
    }
    return p;
}

void provisioning_destroy(struct provisioning *p)
{
    if (!p)
        return;
    for (unsigned i = 0; p->parts && i < workers_count(p->ws); i++) {
        enrollment_cache_deinit(&p->parts[i].cache);
        throttle_destroy(p->parts[i].throttle);
    }
    free(p->parts);
    free(p->id_scope);
    free(p->service_host);
    free(p);
}
