#include "front/http/app/app_flow.h"

#define WAITING_MAX (256 * 1024)
#define PIECE_BYTES (64 * 1024)
#define PART_MAX ((size_t)16 << 20) /* more than any unit of work has stored */

static void wipe_part(struct app_flow *flow)
{
    if (flow->part.ptr)
        explicit_bzero(flow->part.ptr, flow->part.len);
    buf_clear(&flow->part);
    flow->sent = 0;
}

static void finish(struct app_flow *flow)
{
    struct exchange *x = flow->x;

    x->on_drained = NULL;
    x->on_gone = NULL;
    wipe_part(flow);
    buf_deinit(&flow->part);
    flow->destroy(flow);
    exchange_release(x);
}

static void ask(struct app_flow *flow)
{
    if (flow->is_gone) {
        finish(flow);
        return;
    }
    flow->is_asking = true;
    flow->ask(flow);
}

static void on_turn(struct mail *mail)
{
    struct app_flow *flow = (struct app_flow *)mail;

    flow->is_posted = false;
    ask(flow);
}

/* Others on this worker get their turn first. */
static void ask_later(struct app_flow *flow)
{
    if (flow->is_posted || flow->is_asking)
        return;
    flow->is_posted = true;
    flow->mail.run = on_turn;
    worker_post(worker_current(), &flow->mail);
}

/* What is waiting is enough for now, or the part is sent. */
static void pump(struct app_flow *flow)
{
    while (flow->sent < flow->part.len && exchange_stream_waiting(flow->x) < WAITING_MAX &&
           !flow->is_gone) {
        slice piece = slice_first(slice_from(buf_slice(&flow->part), flow->sent), PIECE_BYTES);

        flow->sent += piece.len;
        exchange_stream_part(flow->x, piece);
    }
    if (flow->sent < flow->part.len && !flow->is_gone)
        return; /* on_drained goes on */
    wipe_part(flow);
    if (exchange_stream_waiting(flow->x) < WAITING_MAX)
        ask_later(flow);
}

static void on_drained(struct exchange *x)
{
    struct app_flow *flow = x->own;

    if (!flow->is_asking)
        pump(flow);
}

static void on_gone(struct exchange *x)
{
    struct app_flow *flow = x->own;

    flow->is_gone = true;
    if (!flow->is_asking && !flow->is_posted)
        finish(flow);
}

void app_flow_start(struct app_flow *flow)
{
    struct exchange *x = flow->x;

    exchange_hold(x);
    buf_init(&flow->part, PART_MAX);
    x->own = flow;
    x->on_drained = on_drained;
    x->on_gone = on_gone;
    flow->is_gone = !exchange_is_wanted(x);
    ask(flow);
}

static void begin(struct app_flow *flow)
{
    if (flow->has_begun)
        return;
    flow->has_begun = true;
    exchange_header(flow->x, "Content-Disposition", flow->file_name);
    exchange_stream(flow->x, flow->content_type);
}

void app_flow_give(struct app_flow *flow, slice text)
{
    flow->is_asking = false;
    if (flow->is_gone) {
        finish(flow);
        return;
    }
    begin(flow);
    buf_append(&flow->part, text);
    if (flow->part.failed)
        app_flow_fail(flow, ST_NO_MEMORY, NULL);
    else
        pump(flow);
}

void app_flow_end(struct app_flow *flow)
{
    flow->is_asking = false;
    flow->x->on_gone = NULL; /* the end of the answer may be the end of the connection */
    if (!flow->is_gone) {
        begin(flow);
        exchange_stream_end(flow->x);
    }
    finish(flow);
}

void app_flow_fail(struct app_flow *flow, enum status status, const struct fault *why)
{
    struct exchange *x = flow->x;

    flow->is_asking = false;
    x->on_gone = NULL;
    if (!flow->has_begun)
        exchange_answer_error(x, status, why);
    else if (x->connection)
        http_connection_close(x->connection);
    finish(flow);
}
