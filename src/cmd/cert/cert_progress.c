#include "cmd/cert/cert_progress.h"

#include <inttypes.h>

#define BAR_WIDTH 30

static void write_bar(double part, struct buf *to)
{
    int filled = (int)(part * BAR_WIDTH);

    buf_append_byte(to, '[');
    for (int i = 0; i < BAR_WIDTH; i++)
        buf_append_byte(to, i < filled ? '=' : i == filled ? '>' : ' ');
    buf_printf(to, "] %3d %%  ", (int)(part * 100));
}

static void write_time(int64_t seconds, struct buf *to)
{
    if (seconds >= 3600)
        buf_printf(to, "%" PRId64 ":%02" PRId64, seconds / 3600, seconds / 60 % 60);
    else
        buf_printf(to, "%" PRId64, seconds / 60);
    buf_printf(to, ":%02" PRId64, seconds % 60);
}

void cert_progress_write(const struct cert_progress *p, struct buf *to)
{
    double elapsed_s = (double)p->elapsed_ms / 1000;
    double part = p->size > 0 ? (double)p->position / (double)p->size : 0;

    if (p->size > 0)
        write_bar(part > 1 ? 1 : part, to);
    buf_printf(to, "%" PRIu64 " devices", p->done);
    if (elapsed_s <= 0)
        return;
    buf_printf(to, "  %.0f/s", (double)p->done / elapsed_s);
    if (part <= 0 || part > 1)
        return;
    buf_append_str(to, "  ");
    write_time((int64_t)(elapsed_s * (1 - part) / part + 0.5), to);
    buf_append_str(to, " left");
}
