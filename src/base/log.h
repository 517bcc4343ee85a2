/* The log: one event, one line, key=value, on standard error.
 *
 *     level=warn event=attest_failed device=pump-07 kind=sas cause="sas expired at 1767225600"
 *
 * Event names are fixed words that can be grepped and counted. Values are escaped, so that a
 * device ID cannot forge a line. Never keys, tokens, payloads. Hot paths count (metrics.h)
 * instead. Events that a peer can cause at will go through LOG_LIMITED, which lets through
 * LOG_BURST a second for each event name and then says how many it swallowed. */
#ifndef MUSTER_BASE_LOG_H
#define MUSTER_BASE_LOG_H

#include "base/slice.h"
#include "base/status.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

#define LOG_BURST 20

struct log_field {
    const char *key;
    slice text; /* used when text.ptr is not NULL */
    int64_t number;
};

/* NULL is written as the empty text. */
static inline slice log_text(const char *text)
{
    return slice_str(text ? text : "");
}

#define LOG_TEXT(key, value)                                                                       \
    {                                                                                              \
        key, (value).ptr ? (value) : SLICE(""), 0                                                  \
    }
#define LOG_STR(key, value)                                                                        \
    {                                                                                              \
        key, log_text(value), 0                                                                    \
    }
#define LOG_INT(key, value)                                                                        \
    {                                                                                              \
        key, {0}, (int64_t)(value)                                                                 \
    }
#define LOG_FAULT(why)                                                                             \
    {                                                                                              \
        "cause", slice_str((why)->text), 0                                                         \
    }

#define LOG_AT(level, limited, event, ...)                                                         \
    log_write(level, limited, event, (const struct log_field[]){__VA_ARGS__},                      \
              COUNT_OF(((const struct log_field[]){__VA_ARGS__})))
#define LOG_ERROR(event, ...) LOG_AT(LOG_LEVEL_ERROR, false, event, __VA_ARGS__)
#define LOG_WARN(event, ...) LOG_AT(LOG_LEVEL_WARN, false, event, __VA_ARGS__)
#define LOG_INFO(event, ...) LOG_AT(LOG_LEVEL_INFO, false, event, __VA_ARGS__)
#define LOG_DEBUG(event, ...) LOG_AT(LOG_LEVEL_DEBUG, false, event, __VA_ARGS__)
/* For what a peer can cause at will. */
#define LOG_LIMITED(level, event, ...) LOG_AT(level, true, event, __VA_ARGS__)

/* Any thread. `event` must be a literal. */
void log_write(enum log_level level, bool limited, const char *event,
               const struct log_field *fields, size_t count);
/* What is less grave than this is dropped; info at start. */
void log_set_level(enum log_level level);
CHECKED bool log_level_parse(slice name, enum log_level *ret);

#endif
