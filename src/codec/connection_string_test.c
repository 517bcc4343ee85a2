#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "codec/connection_string.h"

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

/* Each is also what it is written as, unless `written` says otherwise. */
static const struct row {
    const char *name, *text, *host, *device, *module, *key, *policy, *signature, *gateway;
    bool x509;
    const char *written;
} rows[] = {
    {"device", "HostName=h.example;DeviceId=d1;SharedAccessKey=" KEY, "h.example", "d1", "", KEY,
     "", "", "", false, NULL},
    {"module behind a gateway",
     "HostName=h;DeviceId=d1;ModuleId=m;SharedAccessKey=" KEY ";GatewayHostName=g", "h", "d1", "m",
     KEY, "", "", "g", false, NULL},
    {"certificate", "HostName=h;DeviceId=d1;x509=true", "h", "d1", "", "", "", "", "", true, NULL},
    {"service", "HostName=h;SharedAccessKeyName=iothubowner;SharedAccessKey=" KEY, "h", "", "", KEY,
     "iothubowner", "", "", false,
     "HostName=h;SharedAccessKey=" KEY ";SharedAccessKeyName=iothubowner"},
    {"signature", "HostName=h;DeviceId=d;SharedAccessSignature=SharedAccessSignature sr=h&sig=a%3D",
     "h", "d", "", "", "", "SharedAccessSignature sr=h&sig=a%3D", "", false, NULL},
    {"other order and case", "X509=TRUE;deviceid=d1;HOSTNAME=H", "H", "d1", "", "", "", "", "",
     true, "HostName=H;DeviceId=d1;x509=true"},
    {"not by certificate", "HostName=h;x509=false", "h", "", "", "", "", "", "", false,
     "HostName=h"},
    {"unknown keys and ';' at the end", "Foo=1;HostName=h;Foo=2;;", "h", "", "", "", "", "", "",
     false, "HostName=h"},
    {"line end and blanks around", " HostName=h; DeviceId=d ", "h", "d", "", "", "", "", "", false,
     "HostName=h;DeviceId=d"},
    {"device ID with signs", "HostName=h;DeviceId=a=b'c", "h", "a=b'c", "", "", "", "", "", false,
     NULL},
    {"empty value", "HostName=h;DeviceId=", "h", "", "", "", "", "", "", false, "HostName=h"},
};

static void assert_field(const struct row *row, slice have, const char *want)
{
    if (!slice_equal(have, slice_str(want)))
        fail_msg("%s: '%.*s' in place of '%s'", row->name, SLICE_FMT(have), want);
}

static void connection_strings_are_read_and_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        BUF_CLEANUP struct buf written = {.max = 4096};
        struct connection_string c;
        struct fault why = {0};

        if (connection_string_parse(slice_str(row->text), &c, &why) != ST_OK)
            fail_msg("%s: %s", row->name, why.text);
        assert_field(row, c.host_name, row->host);
        assert_field(row, c.device_id, row->device);
        assert_field(row, c.module_id, row->module);
        assert_field(row, c.shared_access_key, row->key);
        assert_field(row, c.shared_access_key_name, row->policy);
        assert_field(row, c.shared_access_signature, row->signature);
        assert_field(row, c.gateway_host_name, row->gateway);
        assert_int_equal(c.x509, row->x509);
        connection_string_write(&c, &written);
        assert_field(row, buf_slice(&written), row->written ? row->written : row->text);
    }
}

static void malformed_connection_strings_are_refused(void **state)
{
    static const struct {
        const char *name, *text;
    } bad[] = {
        {"empty", ""},
        {"no HostName", "DeviceId=d;SharedAccessKey=" KEY},
        {"empty HostName", "HostName=;DeviceId=d"},
        {"HostName twice", "HostName=h;HostName=h"},
        {"empty and doubled", "HostName=h;DeviceId=;DeviceId=d"},
        {"doubled in another case", "HostName=h;DeviceId=d;DEVICEID=e"},
        {"x509 twice", "HostName=h;x509=true;X509=true"},
        {"x509 of neither kind", "HostName=h;x509=yes"},
        {"no =", "HostName=h;DeviceId"},
        {"a key alone", KEY},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct connection_string c;
        struct fault why = {0};

        if (connection_string_parse(slice_str(bad[i].text), &c, &why) != ST_BAD_REQUEST ||
            why.text[0] == '\0')
            fail_msg("%s: read", bad[i].name);
    }
}

static void a_connection_string_has_4096_bytes_at_most(void **state)
{
    static char text[4097] = "HostName=h;x=";
    struct connection_string c;

    (void)state;
    for (size_t i = strlen(text); i < sizeof text; i++)
        text[i] = 'x';
    assert_int_equal(connection_string_parse(slice_of(text, 4095), &c, NULL), ST_OK);
    assert_int_equal(connection_string_parse(slice_of(text, 4096), &c, NULL), ST_OK);
    assert_int_equal(connection_string_parse(slice_of(text, 4097), &c, NULL), ST_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_strings_are_read_and_written),
        cmocka_unit_test(malformed_connection_strings_are_refused),
        cmocka_unit_test(a_connection_string_has_4096_bytes_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
