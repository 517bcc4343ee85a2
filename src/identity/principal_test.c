#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/metrics.h"
#include "crypto/thumbprint.h"
#include "identity/identity_fixture.h"
#include "identity/policy.h"

#define HUB "hub.example.org"

/* --- logins ---------------------------------------------------------------------------------- */

/* One login and its outcome. */
struct attempt {
    struct fixture *f;
    struct device_login login;
    enum status status;
    struct fault why;
    enum credential_slot slot;
    int64_t expires_at, credential_generation;
    const struct hub_name *hub;
    unsigned answers;
};

static void on_principal(void *context, enum status status, const struct device_principal *p,
                         const struct fault *why)
{
    struct attempt *a = context;

    a->answers++;
    a->status = status;
    a->why = *why;
    assert_true((status == ST_OK) == (p != NULL));
    if (!p)
        return;
    a->slot = p->slot;
    a->expires_at = p->expires_at;
    a->credential_generation = p->credential_generation;
    a->hub = p->hub;
    assert_true(slice_equal(p->device_id, a->login.device_id));
    assert_true(slice_equal(p->module_id, a->login.module_id));
}

static void begin(void *context)
{
    struct attempt *a = context;

    identity_authenticate(a->f->id, &a->login, on_principal, a);
}

static enum status run_on(struct attempt *a, unsigned worker)
{
    a->answers = 0;
    worker_call(workers_at(a->f->workers, worker), begin, a);
    assert_int_equal(a->answers, 1); /* SQLite answers inside the call */
    return a->status;
}

/* What a token is made of. */
struct token {
    const char *scope;
    uint8_t key; /* fill of the key */
    int64_t life_s;
    const char *policy;
};

static slice write_token(const struct token *t, struct buf *to)
{
    struct secret key = fixture_key(t->key);

    to->max = SAS_TOKEN_MAX;
    buf_clear(to);
    sas_token_write(slice_str(t->scope), secret_slice(&key), clock_wall_ms() / 1000 + t->life_s,
                    slice_str(t->policy), to);
    assert_false(to->failed);
    return buf_slice(to);
}

static enum status log_in(struct attempt *a, struct fixture *f, const char *host,
                          const char *device_id, const char *module_id, const struct token *t)
{
    BUF_CLEANUP struct buf text = {0};

    a->f = f;
    a->login = (struct device_login){.host = slice_str(host),
                                     .device_id = slice_str(device_id),
                                     .module_id = slice_str(module_id)};
    if (t)
        a->login.sas_token = write_token(t, &text);
    run_on(a, 0);
    a->login.sas_token = (slice){0};
    return a->status;
}

static void insert(struct fixture *f, const char *hub, const char *device_id, const char *module_id)
{
    struct device_new n = fixture_device(hub, device_id, module_id);

    if (fixture_insert(f, &n) != ST_OK)
        fail_msg("cannot insert %s/%s", device_id, module_id);
}

static void insert_facts(struct fixture *f, const char *device_id, bool enabled, bool blocked,
                         bool approved, bool provisioned)
{
    struct device_new n = fixture_device("main", device_id, "");

    n.enabled = enabled;
    n.blocked = blocked;
    n.approved = approved;
    n.provisioned = provisioned;
    assert_int_equal(fixture_insert(f, &n), ST_OK);
}

static void insert_cast(struct fixture *f)
{
    struct device_new odd = fixture_device("main", "half", "");

    insert(f, "main", "d1", "");
    insert(f, "main", "d10", "");
    insert(f, "main", "d1", "m1");
    insert(f, "other", "o1", "");
    insert_facts(f, "disabled", false, false, true, true);
    insert_facts(f, "blocked", true, true, true, true);
    insert_facts(f, "waiting", true, false, false, false);
    insert_facts(f, "registered", true, false, true, false);
    insert(f, "main", "blocked", "m1");
    odd.secondary.len = 0;
    assert_int_equal(fixture_insert(f, &odd), ST_OK);
}

/* --- the matrix ------------------------------------------------------------------------------ */

struct row {
    const char *name, *host, *device_id, *module_id;
    struct token token;
    enum status status;
    enum metric metric;
    enum credential_slot slot;
};

#define OK_BY(slot) ST_OK, METRIC_CONNECTS_OK, slot
#define WRONG ST_UNAUTHORIZED, METRIC_CONNECTS_UNAUTHORIZED, 0
#define EXPIRED ST_UNAUTHORIZED, METRIC_CONNECTS_EXPIRED, 0
#define DISABLED ST_UNAUTHORIZED, METRIC_CONNECTS_DISABLED, 0
#define MALFORMED ST_UNAUTHORIZED, METRIC_CONNECTS_MALFORMED, 0
#define NO_HUB ST_UNAVAILABLE, METRIC_CONNECTS_UNAVAILABLE, 0
#define D1 HUB "/devices/d1"
#define DAY 86400

static void run_rows(struct fixture *f, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *r = &rows[i];
        int64_t before = metric_value(r->metric);
        struct attempt a = {0};

        log_in(&a, f, r->host, r->device_id, r->module_id, r->token.scope ? &r->token : NULL);
        if (a.status != r->status || a.slot != r->slot)
            fail_msg("%s: %s (%s), slot %d", r->name, status_name(a.status), a.why.text,
                     (int)a.slot);
        if (metric_value(r->metric) != before + 1)
            fail_msg("%s: not counted as it should be (%s)", r->name, a.why.text);
        if (a.status != ST_OK && (!*a.why.text || a.why.status != a.status))
            fail_msg("%s: no cause for the operator", r->name);
    }
}

static void H012_H015_H016_H017_H019_P007_P008_tokens_of_devices(void **state)
{
    static const struct row rows[] = {
        {"primary", HUB, "d1", "", {D1, 0x11, DAY, ""}, OK_BY(CREDENTIAL_PRIMARY)},
        {"secondary", HUB, "d1", "", {D1, 0x22, DAY, ""}, OK_BY(CREDENTIAL_SECONDARY)},
        {"host with port", HUB ":8883", "d1", "", {D1, 0x11, DAY, ""}, OK_BY(CREDENTIAL_PRIMARY)},
        {"alias, other case",
         "ALIAS.example.org",
         "d1",
         "",
         {"Alias.Example.org/devices/d1", 0x11, DAY, ""},
         OK_BY(CREDENTIAL_PRIMARY)},
        {"api-version behind",
         HUB,
         "d1",
         "",
         {D1 "/api-version=2016-11-14", 0x11, DAY, ""},
         OK_BY(CREDENTIAL_PRIMARY)},
        {"module", HUB, "d1", "m1", {D1 "/modules/m1", 0x11, DAY, ""}, OK_BY(CREDENTIAL_PRIMARY)},
        {"wrong key", HUB, "d1", "", {D1, 0x33, DAY, ""}, WRONG},
        {"other device", HUB, "d1", "", {HUB "/devices/d10", 0x11, DAY, ""}, WRONG},
        {"string prefix", HUB, "d10", "", {D1, 0x11, DAY, ""}, WRONG},
        {"too wide for a device", HUB, "d1", "", {HUB "/devices", 0x11, DAY, ""}, WRONG},
        {"whole hub with a device key", HUB, "d1", "", {HUB, 0x11, DAY, ""}, WRONG},
        {"other case of the ID", HUB, "D1", "", {HUB "/devices/D1", 0x11, DAY, ""}, WRONG},
        {"device token for a module", HUB, "d1", "m1", {D1, 0x11, DAY, ""}, WRONG},
        {"module token for a device", HUB, "d1", "", {D1 "/modules/m1", 0x11, DAY, ""}, WRONG},
        {"other hub's token",
         HUB,
         "d1",
         "",
         {"other.example.org/devices/d1", 0x11, DAY, ""},
         WRONG},
        {"device of another hub", HUB, "o1", "", {HUB "/devices/o1", 0x11, DAY, ""}, WRONG},
        {"its own hub",
         "other.example.org",
         "o1",
         "",
         {"other.example.org/devices/o1", 0x11, DAY, ""},
         OK_BY(CREDENTIAL_PRIMARY)},
        {"unknown device", HUB, "nobody", "", {HUB "/devices/nobody", 0x11, DAY, ""}, WRONG},
        {"unknown module", HUB, "d1", "m9", {D1 "/modules/m9", 0x11, DAY, ""}, WRONG},
        {"no credential", HUB, "d1", "", {0}, WRONG},
        {"unknown hub", "nowhere.example.org", "d1", "", {D1, 0x11, DAY, ""}, NO_HUB},
        {"not an ID", HUB, "d 1", "", {HUB "/devices/d 1", 0x11, DAY, ""}, MALFORMED},
        {"expired inside the tolerance",
         HUB,
         "d1",
         "",
         {D1, 0x11, -290, ""},
         OK_BY(CREDENTIAL_PRIMARY)},
        {"expired", HUB, "d1", "", {D1, 0x11, -310, ""}, EXPIRED},
        {"one key is absent",
         HUB,
         "half",
         "",
         {HUB "/devices/half", 0x11, DAY, ""},
         OK_BY(CREDENTIAL_PRIMARY)},
        {"no key of zero bytes", HUB, "half", "", {HUB "/devices/half", 0, DAY, ""}, WRONG},
    };

    insert_cast(*state);
    run_rows(*state, rows, COUNT_OF(rows));
}

static void H023_D5_only_an_enabled_provisioned_device_may_connect(void **state)
{
    static const struct row rows[] = {
        {"disabled", HUB, "disabled", "", {HUB "/devices/disabled", 0x11, DAY, ""}, DISABLED},
        {"blocked", HUB, "blocked", "", {HUB "/devices/blocked", 0x11, DAY, ""}, DISABLED},
        {"waiting", HUB, "waiting", "", {HUB "/devices/waiting", 0x11, DAY, ""}, DISABLED},
        {"registered", HUB, "registered", "", {HUB "/devices/registered", 0x11, DAY, ""}, DISABLED},
        {"blocked device's module",
         HUB,
         "blocked",
         "m1",
         {HUB "/devices/blocked/modules/m1", 0x11, DAY, ""},
         DISABLED},
        {"wrong key of a blocked one",
         HUB,
         "blocked",
         "",
         {HUB "/devices/blocked", 0x33, DAY, ""},
         WRONG},
    };

    insert_cast(*state);
    run_rows(*state, rows, COUNT_OF(rows));
}

/* --- policies -------------------------------------------------------------------------------- */

/* The primary key of a policy, read on worker 0. */
struct policy_read {
    struct fixture *f;
    const char *scope, *name;
    enum status status;
    unsigned rights;
    struct secret primary, secondary;
};

static void on_policy(void *context, enum status status, const struct policy *p)
{
    struct policy_read *r = context;

    r->status = status;
    if (!p)
        return;
    r->rights = p->rights;
    r->primary = p->primary;
    r->secondary = p->secondary;
}

static void begin_policy(void *context)
{
    struct policy_read *r = context;

    policy_get(r->f->id, slice_str(r->scope), slice_str(r->name), on_policy, r);
}

static struct policy_read read_policy(struct fixture *f, const char *scope, const char *name)
{
    struct policy_read r = {.f = f, .scope = scope, .name = name, .status = ST_COUNT};

    worker_call(workers_at(f->workers, 0), begin_policy, &r);
    return r;
}

static void H013_tokens_of_policies(void **state)
{
    static const struct {
        const char *name, *policy, *scope, *device_id, *module_id;
        bool by_secondary;
        enum status status;
    } rows[] = {
        {"owner, whole hub", "iothubowner", HUB, "d1", "", false, ST_OK},
        {"secondary key", "iothubowner", HUB, "d1", "", true, ST_OK},
        {"device policy", "device", HUB "/devices", "d1", "", false, ST_OK},
        {"its device", "device", D1, "d1", "", false, ST_OK},
        {"its device's module", "device", D1, "d1", "m1", false, ST_OK},
        {"another device", "device", D1, "d10", "", false, ST_UNAUTHORIZED},
        {"string prefix", "device", HUB "/dev", "d1", "", false, ST_UNAUTHORIZED},
        {"service lacks the right", "service", HUB, "d1", "", false, ST_UNAUTHORIZED},
        {"registry lacks the right", "registryReadWrite", HUB, "d1", "", false, ST_UNAUTHORIZED},
        {"unknown device", "device", HUB, "nobody", "", false, ST_UNAUTHORIZED},
        {"blocked device", "device", HUB, "blocked", "", false, ST_UNAUTHORIZED},
    };
    struct fixture *f = *state;

    insert_cast(f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct policy_read p = read_policy(f, "hub:main", rows[i].policy);
        BUF_CLEANUP struct buf text = {.max = SAS_TOKEN_MAX};
        struct attempt a = {.f = f};

        assert_int_equal(p.status, ST_OK);
        sas_token_write(slice_str(rows[i].scope),
                        secret_slice(rows[i].by_secondary ? &p.secondary : &p.primary),
                        clock_wall_ms() / 1000 + DAY, slice_str(rows[i].policy), &text);
        a.login = (struct device_login){.host = SLICE(HUB),
                                        .device_id = slice_str(rows[i].device_id),
                                        .module_id = slice_str(rows[i].module_id),
                                        .sas_token = buf_slice(&text)};
        if (run_on(&a, 0) != rows[i].status)
            fail_msg("%s: %s (%s)", rows[i].name, status_name(a.status), a.why.text);
        if (a.status == ST_OK)
            assert_int_equal(a.slot, CREDENTIAL_POLICY);
    }
}

static void H013_H014_a_policy_name_decides_whose_key_counts(void **state)
{
    static const struct row rows[] = {
        {"a device key under a policy's name", HUB, "d1", "", {D1, 0x11, DAY, "device"}, WRONG},
        {"unknown policy", HUB, "d1", "", {D1, 0x11, DAY, "nobody"}, WRONG},
        {"the DPS's policy", HUB, "d1", "", {D1, 0x11, DAY, "provisioningserviceowner"}, WRONG},
    };
    BUF_CLEANUP struct buf text = {0};
    struct attempt a = {.f = *state};
    struct token t = {D1, 0x11, DAY, ""};

    insert_cast(*state);
    run_rows(*state, rows, COUNT_OF(rows));
    write_token(&t, &text);
    buf_append_str(&text, "&skn=");
    a.login = (struct device_login){
        .host = SLICE(HUB), .device_id = SLICE("d1"), .sas_token = buf_slice(&text)};
    assert_int_equal(run_on(&a, 0), ST_OK);
    assert_int_equal(a.slot, CREDENTIAL_PRIMARY);
}

/* --- certificates ---------------------------------------------------------------------------- */

/* Version 1, no extensions, CN=localhost: only the hash counts. */
static const char certificate_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBIzCByQIUOw6knl58SNcin/VHfEn6iNtYMrIwCgYIKoZIzj0EAwIwFDESMBAG\n"
    "A1UEAwwJbG9jYWxob3N0MB4XDTI2MTEyNDA0NDIxMloXDTM2MTEyMTA0NDIxMlow\n"
    "FDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
    "WSWHnhXLz1LIP9Tyht8FTf83tUlUAjeU0mYCOOMVubW4IZHaBK/g2228cJNwc4L7\n"
    "4v0pwD4E8iHyYKqQnWpeIDAKBggqhkjOPQQDAgNJADBGAiEA9SUSD2evG0V8fJF+\n"
    "B3H5lPmYVmPVuQPsmW98ObtODlwCIQDU+BNKqoB6OKlSibPwazSlv+Uc1eZT5nEv\n"
    "iYF3hBZNsg==\n"
    "-----END CERTIFICATE-----\n";
static const char other_pem[] = "-----BEGIN CERTIFICATE-----\n"
                                "MIIBIzCByQIULUOMn7v9WqypoG9seINqYN4unrowCgYIKoZIzj0EAwIwFDESMBAG\n"
                                "A1UEAwwJbG9jYWxob3N0MB4XDTI2MTEyNDA0NDIxMloXDTM2MTEyMTA0NDIxMlow\n"
                                "FDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
                                "8vAf5Zs3y+XRkOvkvDXANNepN7UHEsSbBgwkV1BagI1NX9Hf/PgEz6G/dGqWWyFT\n"
                                "hsSk+DLoytEXF//f9wn5ezAKBggqhkjOPQQDAgNJADBGAiEA8dcKJ86JdeCa2rXl\n"
                                "C1MyQdYJ14Ew17enphWoaIfy+I0CIQDlbxok5hNkSuohBpoTrfPSIh5F8E85Kru5\n"
                                "RyHcCtE/bw==\n"
                                "-----END CERTIFICATE-----\n";

static void insert_certified(struct fixture *f, const char *device_id, slice primary,
                             slice secondary)
{
    struct device_new n = fixture_device("main", device_id, "");

    n.auth = AUTH_SELF_SIGNED;
    n.primary.len = n.secondary.len = 0;
    n.primary_thumbprint = primary;
    n.secondary_thumbprint = secondary;
    assert_int_equal(fixture_insert(f, &n), ST_OK);
}

static void H020_H022_H167_certificates_by_thumbprint(void **state)
{
    static const struct {
        const char *device_id;
        bool by_token, by_other;
        enum status status;
    } rows[] = {
        {"sha256", false, false, ST_OK},
        {"sha1", false, false, ST_OK},
        {"second", false, false, ST_OK},
        {"sha256", false, true, ST_UNAUTHORIZED},
        {"neither", false, false, ST_UNAUTHORIZED},
        {"by-key", false, false, ST_UNAUTHORIZED},
        {"nobody", false, false, ST_UNAUTHORIZED},
        {"sha256", true, false, ST_UNAUTHORIZED},
    };
    struct fixture *f = *state;
    struct x509_st *certificate = certificate_from_pem(slice_str(certificate_pem));
    struct x509_st *other = certificate_from_pem(slice_str(other_pem));
    struct thumbprints t;
    struct device_new by_key = fixture_device("main", "by-key", "");
    slice sha1, sha256;

    assert_non_null(other);
    assert_true(certificate_thumbprints(certificate, &t));
    sha1 = slice_of(t.sha1, sizeof t.sha1);
    sha256 = slice_of(t.sha256, sizeof t.sha256);
    insert_certified(f, "sha256", sha256, (slice){0});
    insert_certified(f, "sha1", sha1, (slice){0});
    insert_certified(f, "second", SLICE("AB"), sha256);
    insert_certified(f, "neither", slice_first(sha256, 40), (slice){0});
    by_key.primary_thumbprint = sha256; /* left from another method: counts for nothing */
    assert_int_equal(fixture_insert(f, &by_key), ST_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf text = {0};
        const struct token token = {HUB "/devices/sha256", 0x11, DAY, ""};
        struct attempt a = {.f = f};

        a.login = (struct device_login){.host = SLICE(HUB),
                                        .device_id = slice_str(rows[i].device_id),
                                        .certificate = rows[i].by_other ? other : certificate};
        if (rows[i].by_token)
            a.login.sas_token = write_token(&token, &text);
        if (run_on(&a, 0) != rows[i].status)
            fail_msg("row %zu, %s: %s (%s)", i, rows[i].device_id, status_name(a.status),
                     a.why.text);
        if (a.status == ST_OK)
            assert_true(a.slot == CREDENTIAL_CERTIFICATE && a.expires_at == 0);
    }
    certificate_free(certificate);
    certificate_free(other);
}

/* --- repeated refusals ----------------------------------------------------------------------- */

static void forget(void *context)
{
    struct attempt *a = context;

    identity_forget_refusals(a->f->id, SLICE("D1"));
}

static void nothing(void *context)
{
    (void)context;
}

static bool was_remembered(const struct attempt *a)
{
    return strstr(a->why.text, "again") != NULL;
}

static void H156_a_repeated_wrong_credential_is_refused_without_a_read(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf text = {0}, good = {0};
    const struct token wrong = {D1, 0x33, DAY, ""}, right = {D1, 0x11, DAY, ""};
    struct attempt a = {.f = f};

    insert(f, "main", "d1", "");
    a.login = (struct device_login){
        .host = SLICE(HUB), .device_id = SLICE("d1"), .sas_token = write_token(&wrong, &text)};
    for (unsigned w = 0; w < FIXTURE_WORKERS; w++) {
        assert_int_equal(run_on(&a, w), ST_UNAUTHORIZED);
        assert_false(was_remembered(&a));
        assert_int_equal(run_on(&a, w), ST_UNAUTHORIZED);
        assert_true(was_remembered(&a));
    }
    a.login.sas_token = write_token(&right, &good); /* another credential is another matter */
    assert_int_equal(run_on(&a, 0), ST_OK);
    a.login.sas_token = buf_slice(&text);
    worker_call(workers_at(f->workers, 0), forget, &a); /* "identity.changed", on all workers */
    for (unsigned w = 0; w < FIXTURE_WORKERS; w++) {
        worker_call(workers_at(f->workers, w), nothing, NULL);
        assert_int_equal(run_on(&a, w), ST_UNAUTHORIZED);
        assert_false(was_remembered(&a));
    }
}

static void C028_a_device_made_after_a_refusal_comes_in_once_that_is_forgotten(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf text = {0};
    const struct token right = {D1, 0x11, DAY, ""};
    struct attempt a = {.f = f};

    a.login = (struct device_login){
        .host = SLICE(HUB), .device_id = SLICE("d1"), .sas_token = write_token(&right, &text)};
    assert_int_equal(run_on(&a, 0), ST_UNAUTHORIZED);
    insert(f, "main", "d1", "");
    worker_call(workers_at(f->workers, 0), forget, &a);
    assert_int_equal(run_on(&a, 0), ST_OK);
}

static void C028_a_status_is_never_remembered(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf text = {0};
    const struct token right = {HUB "/devices/blocked", 0x11, DAY, ""};
    const struct device_change unblock = {.set = DEVICE_SET_BLOCKED, .to = {.now = NOW}};
    struct attempt a = {.f = f};
    struct device_copy was;
    struct unit *unit;

    insert_cast(f);
    a.login = (struct device_login){
        .host = SLICE(HUB), .device_id = SLICE("blocked"), .sas_token = write_token(&right, &text)};
    assert_int_equal(run_on(&a, 0), ST_UNAUTHORIZED);
    assert_int_equal(fixture_read(f, "main", "blocked", "", &was), ST_OK);
    unit = unit_create(f->store);
    assert_non_null(unit);
    device_unit_update(unit, f->id, &was.d, &unblock);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    assert_int_equal(run_on(&a, 0), ST_OK);
}

/* A row whose keys do not open stops its device, and says so as a fault of ours. */
static void keys_that_do_not_open_are_not_taken_for_a_wrong_credential(void **state)
{
    static const struct sql spoil = {"UPDATE device SET keys = ?1 WHERE device_key = ?2"};
    const struct sql_value values[] = {SQL_BLOB_(SLICE("not sealed by anybody")),
                                       SQL_TEXT_(SLICE("d1"))};
    const struct token right = {D1, 0x11, DAY, ""};
    struct fixture *f = *state;
    struct unit *unit = unit_create(f->store);
    struct attempt a = {0};

    insert(f, "main", "d1", "");
    assert_non_null(unit);
    unit_add(unit, &spoil, values, COUNT_OF(values), EXPECT_ONE);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    assert_int_equal(log_in(&a, f, HUB, "d1", "", &right), ST_UNAVAILABLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(H012_H015_H016_H017_H019_P007_P008_tokens_of_devices),
        TEST(H023_D5_only_an_enabled_provisioned_device_may_connect),
        TEST(H013_tokens_of_policies),
        TEST(H013_H014_a_policy_name_decides_whose_key_counts),
        TEST(H020_H022_H167_certificates_by_thumbprint),
        TEST(H156_a_repeated_wrong_credential_is_refused_without_a_read),
        TEST(C028_a_device_made_after_a_refusal_comes_in_once_that_is_forgotten),
        TEST(C028_a_status_is_never_remembered),
        TEST(keys_that_do_not_open_are_not_taken_for_a_wrong_credential),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
