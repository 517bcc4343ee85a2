#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define LINE_MAX_BYTES 4096
#define LIMITED_EVENTS 256

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static _Atomic int lowest_level = LOG_LEVEL_INFO;

/* How often each limited event was written in the current second; by address of its name. */
static pthread_mutex_t limits_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    const char *event;
    int64_t second;
    unsigned written, swallowed;
} limits[LIMITED_EVENTS];

void log_set_level(enum log_level level)
{
    atomic_store(&lowest_level, (int)level);
}

bool log_level_parse(slice name, enum log_level *ret)
{
    for (size_t i = 0; i < COUNT_OF(level_names); i++) {
        if (slice_equal(name, slice_str(level_names[i]))) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* The event's own slot, so that two events cannot reset each other's count; with more events than
 * slots some share one. */
static size_t slot_of(const char *event)
{
    size_t first = ((uintptr_t)event >> 3) % LIMITED_EVENTS;

    for (size_t i = 0; i < LIMITED_EVENTS; i++) {
        size_t slot = (first + i) % LIMITED_EVENTS;

        if (!limits[slot].event || limits[slot].event == event)
            return slot;
    }
    return first;
}

/* Whether this event may be written now; *ret_swallowed is how many before it were not. */
static bool within_limit(const char *event, unsigned *ret_swallowed)
{
    int64_t second = clock_mono_ms() / 1000;
    size_t slot;
    bool write;

    pthread_mutex_lock(&limits_lock);
    slot = slot_of(event);
    if (limits[slot].event != event || limits[slot].second != second) {
        *ret_swallowed = limits[slot].event == event ? limits[slot].swallowed : 0;
        limits[slot].event = event;
        limits[slot].second = second;
        limits[slot].written = limits[slot].swallowed = 0;
    }
    write = limits[slot].written < LOG_BURST;
    if (write)
        limits[slot].written++;
    else
        limits[slot].swallowed++;
    pthread_mutex_unlock(&limits_lock);
    return write;
}

static bool is_plain(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
            return false;
    }
    return text.len > 0;
}

static void append_text(struct buf *line, slice text)
{
    if (is_plain(text)) {
        buf_append(line, text);
        return;
    }
    buf_append_byte(line, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (c == '"' || c == '\\')
            buf_printf(line, "\\%c", c);
        else if (c < ' ' || c >= 0x7f)
            buf_printf(line, "\\x%02x", c);
        else
            buf_append_byte(line, c);
    }
    buf_append_byte(line, '"');
}

void log_write(enum log_level level, bool limited, const char *event,
               const struct log_field *fields, size_t count)
{
    BUF_CLEANUP struct buf line = {.max = LINE_MAX_BYTES - 1};
    char at[CLOCK_TEXT_MAX];
    unsigned swallowed = 0;

    if ((int)level > atomic_load_explicit(&lowest_level, memory_order_relaxed))
        return;
    if (limited && !within_limit(event, &swallowed))
        return;
    buf_printf(&line, "time=%.*s level=%s event=%s", SLICE_FMT(clock_iso(clock_wall_ms(), at)),
               level_names[level], event);
    for (size_t i = 0; i < count; i++) {
        if (!fields[i].key)
            continue;
        buf_printf(&line, " %s=", fields[i].key);
        if (fields[i].text.ptr)
            append_text(&line, slice_first(fields[i].text, 512));
        else
            buf_printf(&line, "%lld", (long long)fields[i].number);
    }
    if (swallowed > 0)
        buf_printf(&line, " swallowed=%u", swallowed);
    /* A line that was cut short ends all the same, or it would swallow the next. */
    line.failed = false;
    line.max = LINE_MAX_BYTES;
    buf_append_byte(&line, '\n');
    if (write(STDERR_FILENO, line.ptr, line.len) < 0)
        return; /* nobody is left to tell */
}
