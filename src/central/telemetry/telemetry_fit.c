/* Whether what a device sent is what its template says: pure. */
#include "central/telemetry/telemetry.h"
#include "codec/dtdl_value.h"

const char *telemetry_fit_name(enum telemetry_fit fit)
{
    static const char *const names[] = {
        [TELEMETRY_NO_MODEL] = "noModel",
        [TELEMETRY_FITS] = "modeled",
        [TELEMETRY_UNKNOWN] = "unmodeled",
        [TELEMETRY_MISMATCH] = "mismatch",
    };

    return names[fit];
}

enum telemetry_fit telemetry_fit(const struct device_model *m, slice component, slice name,
                                 const struct json *value)
{
    const struct dtdl_content *content = device_model_find(m, component, name);
    struct fault why;

    if (!m->root)
        return TELEMETRY_NO_MODEL;
    if (!content || content->kind != DTDL_TELEMETRY)
        return TELEMETRY_UNKNOWN;
    if (!value || !content->typed.schema || !dtdl_value_fits(content->typed.schema, value, &why))
        return TELEMETRY_MISMATCH;
    return TELEMETRY_FITS;
}
