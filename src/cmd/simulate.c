/* muster simulate: a fleet of devices that are not there. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/simulate/simulate_server.h"
#include "codec/topic.h"

#define PERIOD_S 10.0     /* between two messages of a device, unless --rate says otherwise */
#define STARTS_DEFAULT 40 /* each is two connections, and a server takes 100 from one address */
#define RATE_MAX 1e6
#define SETTLE_MS 5000
#define STEP_MS 50
#define SPARE_DESCRIPTORS 64

static int run(int argc, char **argv);

const struct command simulate_command = {
    .name = "simulate",
    .summary = "a fleet of simulated devices over the real protocols: demo and load",
    .usage =
        "usage: muster simulate [--count N] [--rate R] [--template T] [--add] [--seed S]\n"
        "                       [--duration S] [--start-rate N] [--group G] [--prefix P]\n"
        "                       [--mqtts HOST:PORT] [--data DIR] [--json]\n\n"
        "  --count N       devices (1)\n"
        "  --rate R        messages a second, of all together (one per device in 10 s); with 0\n"
        "                  they are there, answer, and send nothing of their own accord\n"
        "  --template T    they are what this template says; without, thermometers\n"
        "  --add           add the devices first, with the template; else they knock, and wait\n"
        "                  until an operator approves them\n"
        "  --seed S        the same number makes the same devices, values and order (1)\n"
        "  --duration S    seconds; without, until interrupted\n"
        "  --start-rate N  devices that begin in a second (40)\n"
        "  --group G       the enrollment group whose key they have (SAS-IoT-Devices)\n"
        "  --prefix P      of their IDs (sim-SEED: sim-1-00001, sim-1-00002, ...)\n\n"
        "They register with the group's key, connect to their hub, send telemetry, take over\n"
        "desired properties, answer commands and receive messages. On a terminal a line says all\n"
        "the time how many do what, elsewhere when all are there. At the end stands what they\n"
        "did, with --json as JSON. A connection that is dropped is made anew.\n",
    .run = run,
};

struct simulation {
    struct simulate_words words;
    const char *count_text, *rate_text, *seed_text, *duration_text, *starts_text;
    bool json;
    int64_t count, seed, duration_s, starts_s;
    double rate;
    char prefix[32];
    struct fleet_options options;
    struct workers *workers;
    struct fleet *fleet;
};

/* --- words ------------------------------------------------------------------------------------ */

static bool read_rate(struct simulation *s)
{
    char *end = NULL;

    s->rate = (double)s->count / PERIOD_S;
    if (!s->rate_text)
        return true;
    s->rate = strtod(s->rate_text, &end);
    if (*s->rate_text != '\0' && *end == '\0' && s->rate >= 0 && s->rate <= RATE_MAX)
        return true;
    (void)command_fail(&simulate_command, EXIT_USAGE, "--rate is a number from 0 to %.0f",
                       RATE_MAX);
    return false;
}

static bool read_number(const char *name, const char *text, int64_t min, int64_t max, int64_t usual,
                        int64_t *ret)
{
    *ret = usual;
    return !text || options_number(&simulate_command, name, text, min, max, ret);
}

static bool read_prefix(struct simulation *s)
{
    char id[FLEET_ID_MAX];

    snprintf(s->prefix, sizeof s->prefix, "sim-%" PRId64, s->seed);
    if (!s->words.prefix)
        s->words.prefix = s->prefix;
    if (strlen(s->words.prefix) < FLEET_ID_MAX - 16 &&
        registration_id_valid(fleet_device_id(s->words.prefix, FLEET_DEVICES_MAX, id)))
        return true;
    (void)command_fail(&simulate_command, EXIT_USAGE, "no device ID begins with '%s'",
                       s->words.prefix);
    return false;
}

static bool read_words(struct simulation *s)
{
    if (!s->words.group)
        s->words.group = "SAS-IoT-Devices";
    return read_number("--count", s->count_text, 1, FLEET_DEVICES_MAX, 1, &s->count) &&
           read_number("--seed", s->seed_text, 0, INT64_MAX, 1, &s->seed) &&
           read_number("--duration", s->duration_text, 1, INT32_MAX, 0, &s->duration_s) &&
           read_number("--start-rate", s->starts_text, 1, 100000, STARTS_DEFAULT, &s->starts_s) &&
           read_rate(s) && read_prefix(s);
}

/* --- what is told ----------------------------------------------------------------------------- */

struct figure {
    const char *name;
    size_t offset;
};

static const struct figure figures[] = {
    {"registered", offsetof(struct fleet_counts, registered)},
    {"refused", offsetof(struct fleet_counts, refused)},
    {"failed", offsetof(struct fleet_counts, failed)},
    {"connected", offsetof(struct fleet_counts, connected)},
    {"dropped", offsetof(struct fleet_counts, dropped)},
    {"sent", offsetof(struct fleet_counts, sent)},
    {"acknowledged", offsetof(struct fleet_counts, acknowledged)},
    {"passed", offsetof(struct fleet_counts, passed)},
    {"desired", offsetof(struct fleet_counts, desired)},
    {"commands", offsetof(struct fleet_counts, commands)},
    {"c2d", offsetof(struct fleet_counts, c2d)},
};

static uint64_t figure(const struct fleet_counts *counts, size_t i)
{
    return *(const uint64_t *)((const char *)counts + figures[i].offset);
}

static void print_end(const struct simulation *s, const struct fleet_counts *counts)
{
    if (s->json)
        printf("{\"devices\":%" PRId64 ",\"seed\":%" PRId64, s->count, s->seed);
    for (size_t i = 0; i < COUNT_OF(figures); i++)
        printf(s->json ? ",\"%s\":%" PRIu64 : "%-13s %" PRIu64 "\n", figures[i].name,
               figure(counts, i));
    if (s->json)
        puts("}");
}

static void tell_why_dropped(const struct fleet_counts *counts)
{
    static const char *const reasons[] = {
        [STREAM_END_PEER] = "the server closed it, or the network failed",
        [STREAM_END_LOCAL] = "no answer came in time, or one that was not understood",
        [STREAM_END_HANDSHAKE] = "TLS failed",
        [STREAM_END_STALLED] = "nothing could be sent for 60 s",
        [STREAM_END_OVERFLOW] = "too much was to be sent or read",
    };

    if (counts->dropped > 0)
        fprintf(stderr, "the last connection that was dropped: %s\n", reasons[counts->dropped_by]);
}

static void draw_line(const struct fleet_counts *now, const struct fleet_counts *before)
{
    fprintf(stderr,
            "\r\033[K%" PRIu64 " connected, %" PRIu64 " on their way, %" PRIu64 " waiting, %" PRIu64
            " refused  %" PRIu64 " messages, %" PRIu64 "/s  %" PRIu64 " commands, %" PRIu64
            " properties",
            now->live, now->registering + now->connecting, now->waiting, now->refused,
            now->acknowledged, now->acknowledged - before->acknowledged, now->commands,
            now->desired);
    fflush(stderr);
}

/* --- the run ---------------------------------------------------------------------------------- */

static bool has_room(const struct simulation *s)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return true;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur >= (rlim_t)s->count + SPARE_DESCRIPTORS)
        return true;
    (void)command_fail(&simulate_command, EXIT_FAILED,
                       "a process may have %ju connections here: ulimit -Hn",
                       (uintmax_t)limit.rlim_max);
    return false;
}

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* Once, where no line is drawn. */
static bool tell_all_are_there(const struct simulation *s, const struct fleet_counts *now)
{
    if (now->live < (uint64_t)s->count)
        return false;
    fprintf(stderr, "all %" PRIu64 " connected\n", now->live);
    return true;
}

/* Until a signal comes, or the time is over. */
static void watch(const struct simulation *s, const sigset_t *signals)
{
    static const struct timespec second = {.tv_sec = 1};
    bool draws = isatty(STDERR_FILENO) && !s->json;
    int64_t until_ms = s->duration_s > 0 ? clock_mono_ms() + s->duration_s * 1000 : INT64_MAX;
    struct fleet_counts before = {0}, now;
    bool has_told = draws || s->json;

    while (clock_mono_ms() < until_ms && sigtimedwait(signals, NULL, &second) < 0) {
        fleet_read(s->fleet, &now);
        if (draws)
            draw_line(&now, &before);
        has_told = has_told || tell_all_are_there(s, &now);
        before = now;
    }
    if (draws)
        fputs("\r\033[K", stderr);
}

static bool is_settled(const struct fleet_counts *counts)
{
    return counts->unacknowledged == 0;
}

static bool is_gone(const struct fleet_counts *counts)
{
    return counts->registering + counts->connecting + counts->live + counts->waiting == 0;
}

static void wait_until(const struct simulation *s, bool (*is_so)(const struct fleet_counts *),
                       struct fleet_counts *ret)
{
    int64_t until_ms = clock_mono_ms() + SETTLE_MS;

    for (;;) {
        fleet_read(s->fleet, ret);
        if (is_so(ret) || clock_mono_ms() >= until_ms)
            return;
        pause_ms(STEP_MS);
    }
}

static int simulate(struct simulation *s)
{
    struct fleet_counts counts;
    struct fault why = {0};
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (!workers_start(s->workers, &why))
        return command_fail(&simulate_command, EXIT_FAILED, "%s", why.text);
    fleet_start(s->fleet);
    watch(s, &signals);
    fleet_pause(s->fleet);
    wait_until(s, is_settled, &counts);
    fleet_stop(s->fleet);
    wait_until(s, is_gone, &counts);
    workers_stop(s->workers);
    print_end(s, &counts);
    fflush(stdout);
    if (!s->json)
        tell_why_dropped(&counts);
    return counts.connected > 0 ? EXIT_DONE : EXIT_FAILED;
}

static int prepare_and_run(struct simulation *s, struct client *c)
{
    struct fault why = {0};
    int code = simulate_ask_server(c, &s->words, &s->options);

    if (code == EXIT_DONE && s->words.add && isatty(STDERR_FILENO) && !s->json)
        fprintf(stderr, "adding %" PRId64 " devices\n", s->count);
    if (code == EXIT_DONE && s->words.add)
        code = simulate_add_devices(c, &s->words, (unsigned)s->count);
    if (code != EXIT_DONE)
        return code;
    s->options.count = (unsigned)s->count;
    s->options.rate = s->rate;
    s->options.starts_s = (unsigned)s->starts_s;
    s->options.seed = (uint64_t)s->seed;
    s->options.prefix = s->words.prefix;
    s->options.tls = tls_client_create(c->ca_file, &why);
    if (!s->options.tls)
        return command_fail(&simulate_command, EXIT_FAILED, "%s", why.text);
    s->workers = workers_create(1);
    s->fleet = s->workers ? fleet_create(s->workers, &s->options) : NULL;
    if (!s->fleet)
        return command_fail(&simulate_command, EXIT_FAILED, "out of memory");
    return has_room(s) ? simulate(s) : EXIT_FAILED;
}

static int run(int argc, char **argv)
{
    struct simulation s = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &s.words.folder},
        {.name = "--template", .value = &s.words.template_id},
        {.name = "--group", .value = &s.words.group},
        {.name = "--prefix", .value = &s.words.prefix},
        {.name = "--mqtts", .value = &s.words.address},
        {.name = "--add", .flag = &s.words.add},
        {.name = "--count", .value = &s.count_text},
        {.name = "--rate", .value = &s.rate_text},
        {.name = "--seed", .value = &s.seed_text},
        {.name = "--duration", .value = &s.duration_text},
        {.name = "--start-rate", .value = &s.starts_text},
        {.name = "--json", .flag = &s.json},
    };
    struct client client;
    struct words words;
    int code;

    if (!options_read(&simulate_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    if (words.count > 0)
        return command_fail(&simulate_command, EXIT_USAGE, "no word may follow, not '%s'",
                            words.items[0]);
    if (!read_words(&s))
        return EXIT_USAGE;
    if (!client_open(&client, &simulate_command, s.words.folder, &code))
        return code;
    code = prepare_and_run(&s, &client);
    workers_destroy(s.workers);
    fleet_destroy(s.fleet);
    tls_client_destroy(s.options.tls);
    secret_wipe(&s.options.group_key);
    client_close(&client);
    return code;
}
