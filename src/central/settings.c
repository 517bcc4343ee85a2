#include "central/settings_store.h"

#include <stdlib.h>

#include "base/log.h"
#include "central/central_internal.h"

enum setting {
    SETTING_PROFILE,
    SETTING_AUTO_APPROVE,
    SETTING_REQUIRE_TEMPLATE,
    SETTING_AUTO_ASSOCIATE,
    SETTING_ID_CASE,
    SETTING_COUNT
};

#define WORDS_MAX 3
#define ALLOWED_TEXT_MAX 64

/* The table of contract/central.md 1.2. A value is the position of its word; defaults are given
 * for the profiles seed and later. */
static const struct {
    const char *name, *words[WORDS_MAX];
    int defaults[2];
} settings[SETTING_COUNT] = {
    [SETTING_PROFILE] = {"lifecycleProfile", {"seed", "later"}, {0, 0}},
    [SETTING_AUTO_APPROVE] = {"autoApprove", {"false", "true"}, {0, 1}},
    [SETTING_REQUIRE_TEMPLATE] = {"requireTemplate",
                                  {[TEMPLATE_NEVER] = "never",
                                   [TEMPLATE_DEVICE_ORIGIN] = "deviceOrigin",
                                   [TEMPLATE_ALWAYS] = "always"},
                                  {TEMPLATE_DEVICE_ORIGIN, TEMPLATE_NEVER}},
    [SETTING_AUTO_ASSOCIATE] = {"autoAssociate", {"false", "true"}, {1, 1}},
    [SETTING_ID_CASE] = {"deviceIdCase", {"lower", "any"}, {0, 0}},
};

static int find_setting(slice name)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (slice_equal(slice_str(settings[i].name), name))
            return i;
    }
    return -1;
}

static int find_word(int setting, slice word)
{
    for (int i = 0; i < WORDS_MAX && settings[setting].words[i]; i++) {
        if (slice_equal(slice_str(settings[setting].words[i]), word))
            return i;
    }
    return -1;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct settings_query {
    settings_fn *on_settings;
    void *context;
};

/* What was not set is as the profile has it, so a change of the profile moves it. */
static struct central_settings resolve(const int chosen[SETTING_COUNT], int64_t version)
{
    int profile = chosen[SETTING_PROFILE] == PROFILE_LATER ? PROFILE_LATER : PROFILE_SEED;
    int value[SETTING_COUNT];

    for (int i = 0; i < SETTING_COUNT; i++)
        value[i] = chosen[i] >= 0 ? chosen[i] : settings[i].defaults[profile];
    return (struct central_settings){
        .profile = (enum lifecycle_profile)profile,
        .auto_approve = value[SETTING_AUTO_APPROVE] != 0,
        .require_template = value[SETTING_REQUIRE_TEMPLATE],
        .auto_associate = value[SETTING_AUTO_ASSOCIATE] != 0,
        .device_id_any_case = value[SETTING_ID_CASE] != 0,
        .version = version,
    };
}

/* A word that we do not know fails the read: rather no registration than a gate left open. */
static enum status read_choices(struct rows *rows, int chosen[SETTING_COUNT], int64_t *ret_version,
                                struct fault *why)
{
    int setting;

    while (rows_next(rows)) {
        setting = find_setting(rows_bytes(rows, 0));
        if (setting < 0)
            continue; /* of a newer version */
        chosen[setting] = find_word(setting, rows_bytes(rows, 1));
        if (chosen[setting] < 0)
            return fault_set(why, ST_INTERNAL, "setting %s holds an unknown word",
                             settings[setting].name);
        *ret_version += rows_int(rows, 2);
    }
    return rows_status(rows);
}

static void on_rows(void *context, enum status status, struct rows *rows)
{
    struct settings_query *q = context;
    struct central_settings s;
    struct fault why = {0};
    int chosen[SETTING_COUNT];
    int64_t version = 0;

    for (int i = 0; i < SETTING_COUNT; i++)
        chosen[i] = -1;
    if (status == ST_OK)
        status = read_choices(rows, chosen, &version, &why);
    s = resolve(chosen, version);
    q->on_settings(q->context, status, status == ST_OK ? &s : NULL, &why);
    free(q);
}

void central_get_settings(struct central *c, settings_fn *on_settings, void *context)
{
    struct settings_query *q = malloc(sizeof *q);
    struct fault why = {ST_NO_MEMORY, "no memory for the settings"};

    if (!q) {
        on_settings(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *q = (struct settings_query){on_settings, context};
    settings_read(c->st, on_rows, q);
}

/* --- changing --------------------------------------------------------------------------------- */

struct settings_change {
    struct central *c;
    settings_fn *on_settings;
    void *context;
};

static void on_changed(void *context, enum status status, struct unit *unit)
{
    struct settings_change *change = context;
    struct fault why = {status, "the setting could not be stored"};

    (void)unit;
    if (status == ST_OK)
        central_get_settings(change->c, change->on_settings, change->context);
    else
        change->on_settings(change->context, status, NULL, &why);
    free(change);
}

static void submit(struct settings_change *change, slice name, slice value)
{
    struct unit *unit = unit_create(change->c->st);

    if (!unit) {
        on_changed(change, ST_UNAVAILABLE, NULL);
        return;
    }
    settings_unit_put(unit, name, value);
    unit_submit(unit, on_changed, change);
}

static enum status check(slice name, slice value, struct fault *why)
{
    int setting = find_setting(name);
    const char *const *words;

    if (setting < 0)
        return fault_set(why, ST_BAD_REQUEST, "no setting '%.*s'",
                         SLICE_FMT(slice_first(name, ALLOWED_TEXT_MAX)));
    if (find_word(setting, value) >= 0)
        return ST_OK;
    words = settings[setting].words;
    return fault_set(why, ST_BAD_REQUEST, "%s is one of: %s, %s%s%s", settings[setting].name,
                     words[0], words[1], words[2] ? ", " : "", words[2] ? words[2] : "");
}

void central_set(struct central *c, slice name, slice value, settings_fn *on_settings,
                 void *context)
{
    struct settings_change *change;
    struct fault why = {0};
    enum status status = check(name, value, &why);

    if (status != ST_OK) {
        on_settings(context, status, NULL, &why);
        return;
    }
    change = malloc(sizeof *change);
    if (!change) {
        on_settings(context, fault_set(&why, ST_NO_MEMORY, "no memory for a setting"), NULL, &why);
        return;
    }
    *change = (struct settings_change){c, on_settings, context};
    LOG_INFO("setting_changed", LOG_TEXT("name", name), LOG_TEXT("value", value));
    submit(change, name, value);
}
