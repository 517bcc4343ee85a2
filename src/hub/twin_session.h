/* A session's part of its twin: twin_report.c has the reports in flight, twin_desired.c what was
 * notified. It exists only while one of them needs it. */
#ifndef MUSTER_HUB_TWIN_SESSION_H
#define MUSTER_HUB_TWIN_SESSION_H

#include "hub/hub_internal.h"
#include "hub/twin.h"

struct report;

struct session_twin {
    struct session *session;
    /* desired */
    bool notifies;   /* subscribed */
    bool is_sending; /* patches are being read */
    unsigned starts; /* reads of the version under way */
    int64_t sent;    /* the version up to which the device has been told; 0: not known yet */
    int64_t told;    /* the version up to which there is something to tell */
    /* reported */
    struct report *first, *last; /* in order; the first `batched` are being written */
    size_t report_count, report_bytes, batched;
    unsigned attempts;
    bool is_marked;  /* waits for the turn's end */
    bool is_writing; /* a batch is under way: the next one waits for it */
    struct session_twin *next_marked;
};

#endif
