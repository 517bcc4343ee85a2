/* muster serve: run the server in this process until it is told to stop. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/command.h"
#include "cmd/config.h"
#include "cmd/data_folder.h"
#include "cmd/privileges.h"
#include "cmd/server.h"
#include "codec/json.h"

static int run(int argc, char **argv);

const struct command serve_command = {
    .name = "serve",
    .summary = "run the server",
    .usage =
        "usage: muster serve [--config FILE] [OPTION VALUE]...\n\n"
        "SIGTERM: stop accepting, commit what is in flight, exit. SIGHUP: read certificates and\n"
        "log level anew. In FILE each option is 'key = value' under its [section], with '_' for "
        "'-'.\n",
    .run = run,
};

static int print_help(void)
{
    fputs(serve_command.usage, stdout);
    config_print_help(stdout);
    return EXIT_DONE;
}

/* --- what a newcomer and `muster info` are told ---------------------------------------------- */

/* Where this machine's own commands reach the server, whatever its name resolves to. */
static void write_local_address(const struct config *config, uint16_t port, struct buf *to)
{
    slice address = slice_str(config->https);
    size_t len = address.len;

    while (len > 0 && address.ptr[len - 1] != ':')
        len--;
    address = slice_first(address, len ? len - 1 : 0);
    if (address.len == 0 || slice_equal(address, SLICE("0.0.0.0")))
        address = SLICE("127.0.0.1");
    else if (slice_equal(address, SLICE("[::]")))
        address = SLICE("[::1]");
    buf_printf(to, "%.*s:%u", SLICE_FMT(address), port);
}

static void write_instance(const struct server_about *about, const struct config *config,
                           const struct data_folder *data, struct buf *to)
{
    BUF_CLEANUP struct buf url = {.max = 512}, address = {.max = 512};
    struct json_writer w = {.to = to};
    char *ca = config->certificate[0] ? NULL : data_folder_path(data, "tls/ca.pem");

    buf_printf(&url, "https://%s:%u", about->host, about->https_port);
    write_local_address(config, about->https_port, &address);
    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("idScope"), slice_str(about->id_scope));
    json_put_text(&w, SLICE("provisioningHost"), slice_str(about->host));
    json_put_text(&w, SLICE("hubHost"), slice_str(about->host));
    if (ca)
        json_put_text(&w, SLICE("caFile"), slice_str(ca));
    json_put_text(&w, SLICE("httpsUrl"), buf_slice(&url));
    json_put_text(&w, SLICE("httpsAddress"), buf_slice(&address));
    json_put_int(&w, SLICE("httpsPort"), about->https_port);
    json_put_int(&w, SLICE("mqttsPort"), about->mqtts_port);
    json_put_int(&w, SLICE("pid"), getpid());
    json_put_text(&w, SLICE("version"), SLICE(MUSTER_VERSION));
    json_close(&w, '}');
    buf_append_byte(to, '\n');
    free(ca);
}

/* Not indented: it is to be copied, and a here-document ends at the start of a line. */
static void print_snippet(const struct server_about *about, const struct data_folder *data)
{
    char program[PATH_MAX] = {0};

    if (readlink("/proc/self/exe", program, sizeof program - 1) < 0)
        snprintf(program, sizeof program, "muster");
    printf("\nA first device, in another shell of this user:\n\n"
           "muster() { %s \"$@\"; }; export D=%s\n"
           "python3 -m venv /tmp/first-device && /tmp/first-device/bin/pip install -q "
           "azure-iot-device\n"
           "muster device add first-device --data $D\n"
           "/tmp/first-device/bin/python - $D/tls/ca.pem \"$(muster device connection-string "
           "first-device --data $D)\" <<'END'\n"
           "import sys; from azure.iot.device import IoTHubDeviceClient\n"
           "device = IoTHubDeviceClient.create_from_connection_string(\n"
           "    sys.argv[2], server_verification_cert=open(sys.argv[1]).read())\n"
           "device.send_message('{\"temperature\": 21.5}'); device.shutdown()\n"
           "END\n"
           "muster monitor --from-start --count 1 --data $D\n",
           program, data->path);
    if (about->mqtts_port != 8883)
        printf("\nThe device SDKs dial port 8883; this server listens on %u: that device will not "
               "find it.\n",
               about->mqtts_port);
}

static void print_banner(const struct server_about *about, const struct data_folder *data)
{
    printf("Muster " MUSTER_VERSION " is ready.\n\n"
           "  REST API           https://%s:%u/api/muster/v1   (Authorization: what %s/api-token "
           "holds)\n"
           "  ID scope           %s\n"
           "  provisioning host  %s   (HTTPS %u, MQTT %u)\n"
           "  hub host           %s   (MQTT %u)\n"
           "  CA file            %s/tls/ca.pem\n"
           "  data folder        %s\n",
           about->host, about->https_port, data->path, about->id_scope, about->host,
           about->https_port, about->mqtts_port, about->host, about->mqtts_port, data->path,
           data->path);
    if (about->setup_code)
        printf("  first sign-in      https://%s:%u/app/setup#%s   (for one hour)\n", about->host,
               about->https_port, about->setup_code);
    if (about->https_note)
        printf("\n  Note: %s.\n", about->https_note);
    if (!strchr(about->host, '.'))
        printf("\n  Note: C and Java devices need a host name with a dot; '%s' serves the others. "
               "See --host.\n",
               about->host);
    print_snippet(about, data);
    fflush(stdout);
}

/* --- running --------------------------------------------------------------------------------- */

static void reload(struct server *server, const struct config *config)
{
    struct config fresh;
    struct fault why;

    if (config_reread(config, &fresh, &why)) {
        if (server_reload(server, &fresh, &why))
            LOG_INFO("reloaded", LOG_STR("file", config->file ? config->file : ""));
        else
            LOG_ERROR("reload_failed", LOG_FAULT(&why));
        config_free(&fresh);
    } else {
        LOG_ERROR("reload_failed", LOG_FAULT(&why));
    }
}

static void wait_for_end(struct server *server, const struct config *config,
                         const sigset_t *signals)
{
    int got = 0;

    while (sigwait(signals, &got) == 0) {
        if (got != SIGHUP)
            break;
        reload(server, config);
    }
    LOG_INFO("stopping", LOG_INT("signal", got));
}

static int serve(const struct config *config, const struct data_folder *data)
{
    BUF_CLEANUP struct buf instance = {.max = 8192};
    struct server_about about;
    struct server *server;
    struct fault why = {0};
    sigset_t signals;

    /* Blocked before any thread starts: only sigwait takes them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    server = server_start(config, data, &why);
    if (!server)
        return command_fail(&serve_command, EXIT_FAILED, "%s", why.text);
    about = server_about(server);
    write_instance(&about, config, data, &instance);
    if (!data_folder_write(data, "instance.json", buf_slice(&instance), &why))
        LOG_ERROR("instance_not_written", LOG_FAULT(&why));
    print_banner(&about, data);
    LOG_INFO("ready", LOG_INT("https", about.https_port), LOG_INT("mqtts", about.mqtts_port));
    wait_for_end(server, config, &signals);
    server_stop(server);
    LOG_INFO("stopped", LOG_INT("pid", getpid()));
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct data_folder data = {0};
    struct config config;
    struct fault why = {0};
    enum log_level level;
    int code;

    if (!config_read(&config, argc, argv, &why)) {
        config_free(&config);
        return command_fail(&serve_command, EXIT_USAGE, "%s", why.text);
    }
    if (config.help) {
        config_free(&config);
        return print_help();
    }
    if (log_level_parse(slice_str(config.log_level), &level))
        log_set_level(level);
    privileges_raise_files();
    if (data_folder_open(&data, config.data, &why) && privileges_drop(config.user, data.path, &why))
        code = serve(&config, &data);
    else
        code = command_fail(&serve_command, EXIT_FAILED, "%s", why.text);
    data_folder_close(&data);
    config_free(&config);
    return code;
}
