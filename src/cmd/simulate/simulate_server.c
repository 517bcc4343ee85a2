#include "cmd/simulate/simulate_server.h"

#include <stdlib.h>
#include <unistd.h>

#include "cmd/data_folder.h"

#define MQTTS_PORT 8883
#define PATH_MAX_BYTES 16384
#define POLL_US 100000

static int get(struct client *c, const char *format, const char *argument, struct json **ret)
{
    BUF_CLEANUP struct buf path = {.max = PATH_MAX_BYTES};

    client_path(&path, format, argument);
    return client_call(c, "GET", buf_slice(&path), NULL, ret);
}

/* --- who and where ---------------------------------------------------------------------------- */

static int ask_who(struct client *c, const struct simulate_words *w, struct fleet_options *o)
{
    struct json *info = NULL, *group = NULL;
    slice host, key;
    int code = client_call(c, "GET", SLICE("info"), NULL, &info);

    if (code == EXIT_DONE)
        code = get(c, "enrollmentGroups/%s?keys=true", w->group, &group);
    if (code != EXIT_DONE)
        return code;
    if (!json_get_text(info, SLICE("idScope"), &o->id_scope) ||
        !json_get_text(info, SLICE("provisioningHost"), &host))
        return command_fail(c->command, EXIT_FAILED, "the server does not say where devices go");
    o->host = (const char *)arena_copy(&c->arena, host).ptr;
    if (!json_get_text(group, SLICE("primaryKey"), &key) || !secret_from_base64(key, &o->group_key))
        return command_fail(c->command, EXIT_FAILED, "enrollment group '%s' has no keys", w->group);
    return EXIT_DONE;
}

/* What the server of a data folder wrote when it started. */
static uint16_t find_port(struct client *c, const char *folder)
{
    BUF_CLEANUP struct buf text = {0};
    struct data_folder data = {0};
    struct json *root;
    struct fault why;
    int64_t port = MQTTS_PORT;

    if (!folder && getenv("MUSTER_URL"))
        return MQTTS_PORT;
    if (data_folder_find(&data, folder ? folder : "muster-data", &why) &&
        data_folder_read(&data, "instance.json", &text, &why) &&
        json_parse(buf_slice(&text), JSON_LAST_WINS, &c->arena, &root, &why) == ST_OK &&
        !json_get_int(root, SLICE("mqttsPort"), &port))
        port = MQTTS_PORT;
    data_folder_close(&data);
    return port > 0 && port <= UINT16_MAX ? (uint16_t)port : MQTTS_PORT;
}

/* --mqtts HOST:PORT, else the address where the application was reached. */
static int find_address(struct client *c, const struct simulate_words *w, struct fleet_options *o)
{
    const char *colon = w->address ? strrchr(w->address, ':') : NULL;
    struct fault why = {0};
    uint64_t port;
    slice host;

    if (!w->address && c->connect_to && address_parse(slice_str(c->connect_to), &o->to, &why)) {
        address_set_port(&o->to, find_port(c, w->folder));
        return EXIT_DONE;
    }
    if (!w->address)
        return address_resolve(o->host, find_port(c, w->folder), &o->to, &why)
                   ? EXIT_DONE
                   : command_fail(c->command, EXIT_FAILED, "%s", why.text);
    if (!colon || !slice_to_u64(slice_str(colon + 1), &port) || port == 0 || port > UINT16_MAX)
        return command_fail(c->command, EXIT_USAGE, "--mqtts is HOST:PORT, not '%s'", w->address);
    host = arena_copy(&c->arena, slice_of(w->address, (size_t)(colon - w->address)));
    return address_resolve((const char *)host.ptr, (uint16_t)port, &o->to, &why)
               ? EXIT_DONE
               : command_fail(c->command, EXIT_FAILED, "%s", why.text);
}

/* --- what they are ---------------------------------------------------------------------------- */

static int read_model(struct client *c, const struct simulate_words *w, struct fleet_options *o)
{
    BUF_CLEANUP struct buf path = {.max = PATH_MAX_BYTES};
    struct json *document = NULL;
    struct dtdl_model *model;
    struct dtdl_report *report = arena_alloc(&c->arena, sizeof *report);
    struct fault why = {0};
    int code;

    client_path(&path, "deviceTemplates/%s", w->template_id);
    code = client_rest(c, "GET", buf_slice(&path), NULL, &document);
    if (code != EXIT_DONE)
        return code;
    if (!report || dtdl_read(document, &c->arena, report, &model, &why) != ST_OK)
        return command_fail(c->command, EXIT_FAILED, "template '%s': %s", w->template_id, why.text);
    o->root = model->root;
    return EXIT_DONE;
}

int simulate_ask_server(struct client *c, const struct simulate_words *w, struct fleet_options *o)
{
    int code = ask_who(c, w, o);

    if (code == EXIT_DONE)
        code = find_address(c, w, o);
    if (code == EXIT_DONE && w->template_id)
        code = read_model(c, w, o);
    if (code == EXIT_DONE && (c->arena.failed || !o->host))
        code = command_fail(c->command, EXIT_FAILED, "out of memory");
    return code;
}

/* --- making them known ------------------------------------------------------------------------ */

static int wait_for_import(struct client *c, const struct json *operation)
{
    BUF_CLEANUP struct buf path = {.max = 256};
    struct json *o = NULL;
    slice id = {0}, text;
    int code = EXIT_DONE;

    (void)json_get_text(operation, SLICE("id"), &id);
    buf_append_str(&path, "operations/");
    buf_append(&path, id);
    do {
        usleep(POLL_US);
        code = client_call(c, "GET", buf_slice(&path), NULL, &o);
    } while (code == EXIT_DONE && !json_get_text(o, SLICE("finished"), &text));
    if (code != EXIT_DONE)
        return code;
    if (json_get_text(o, SLICE("state"), &text) && slice_equal(text, SLICE("done")))
        return EXIT_DONE;
    return command_fail(c->command, EXIT_FAILED,
                        "not all devices could be added: muster operation errors %.*s",
                        SLICE_FMT(id));
}

int simulate_add_devices(struct client *c, const struct simulate_words *w, unsigned count)
{
    BUF_CLEANUP struct buf rows = {.max = (size_t)FLEET_DEVICES_MAX * (FLEET_ID_MAX + 2) + 64};
    BUF_CLEANUP struct buf path = {.max = PATH_MAX_BYTES};
    struct json *operation = NULL;
    char id[FLEET_ID_MAX];
    int code;

    buf_append_str(&rows, "IOTC_DEVICEID\n");
    for (unsigned i = 0; i < count; i++) {
        buf_append(&rows, fleet_device_id(w->prefix, i, id));
        buf_append_byte(&rows, '\n');
    }
    buf_append_str(&path, "deviceImports?existing=skip");
    if (w->template_id)
        client_path(&path, "&template=%s", w->template_id);
    if (rows.failed)
        return command_fail(c->command, EXIT_FAILED, "out of memory");
    code = client_upload(c, buf_slice(&path), buf_slice(&rows), "text/csv", &operation);
    return code == EXIT_DONE ? wait_for_import(c, operation) : code;
}
