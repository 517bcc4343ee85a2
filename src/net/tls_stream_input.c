#include "net/tls_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "net/worker_internal.h"

/* A left-over part of this size or more is read behind in place, not copied to the scratch. */
#define IN_PLACE_MIN 4096
/* What a peer may still send while its stream lingers. */
#define DROP_MAX (1024 * 1024)

/* Where the next bytes go: right behind what is left over. */
struct window {
    uint8_t *ptr;
    size_t len, cap;
};

/* Gives the kept buffer room for `cap` bytes. */
static bool kept_resize(struct tls_stream *s, size_t cap)
{
    uint8_t *resized = realloc(s->kept, cap);

    if (!resized)
        return false;
    s->kept = resized;
    s->kept_cap = (uint32_t)cap;
    return true;
}

static void kept_free(struct tls_stream *s)
{
    free(s->kept);
    s->kept = NULL;
    s->kept_len = s->kept_cap = 0;
}

/* Memory follows the bytes received: a large part gets at most as much again. */
static bool window_in_place(struct tls_stream *s, struct window *ret)
{
    size_t most = (size_t)s->input_max + TLS_RECORD_MAX;
    size_t cap = (size_t)s->kept_len * 2;

    if (cap > most)
        cap = most;
    if (cap <= s->kept_len) /* kept while paused, past the maximum */
        cap = (size_t)s->kept_len + TLS_RECORD_MAX;
    if (s->kept_cap < cap && !kept_resize(s, cap))
        return false;
    *ret = (struct window){s->kept, s->kept_len, s->kept_cap};
    return true;
}

static bool window_open(struct tls_stream *s, struct window *ret)
{
    uint8_t *scratch = tls_streams_of(s)->scratch;

    if (s->kept_len >= IN_PLACE_MIN)
        return window_in_place(s, ret);
    if (s->kept_len > 0)
        memcpy(scratch, s->kept, s->kept_len);
    *ret = (struct window){scratch, s->kept_len, SCRATCH_BYTES};
    return true;
}

/* Reads while TLS holds more, or may: a full record seldom comes alone. Gives the bytes read;
 * *ret_end when the peer has ended. */
static size_t window_fill(struct tls_stream *s, struct window *w, bool *ret_end)
{
    size_t before = w->len, got;

    *ret_end = false;
    s->unread = true;
    tls_clear_errors();
    while (w->len < w->cap) {
        if (SSL_read_ex(s->ssl, w->ptr + w->len, w->cap - w->len, &got) != 1) {
            *ret_end = SSL_get_error(s->ssl, 0) != SSL_ERROR_WANT_READ;
            s->unread = false;
            break;
        }
        w->len += got;
        if (got < TLS_RECORD_MAX && !SSL_has_pending(s->ssl)) {
            s->unread = false;
            break;
        }
    }
    return w->len - before;
}

/* Stores what the handler left, which lies in the scratch or in the kept buffer itself. */
static void keep(struct tls_stream *s, slice rest)
{
    bool in_place = s->kept && rest.ptr >= s->kept && rest.ptr < s->kept + s->kept_cap;

    if (rest.len == 0) {
        kept_free(s);
        return;
    }
    if (rest.len > s->input_max && s->pauses == 0 && !s->offer) {
        tls_stream_end(s, STREAM_END_OVERFLOW);
        return;
    }
    if (!in_place && s->kept_cap < rest.len && !kept_resize(s, rest.len)) {
        tls_stream_end(s, STREAM_END_OVERFLOW);
        return;
    }
    if (rest.ptr != s->kept)
        memmove(s->kept, rest.ptr, rest.len);
    s->kept_len = (uint32_t)rest.len;
    if (s->kept_cap / 4 > rest.len && s->kept_cap > IN_PLACE_MIN)
        (void)kept_resize(s, rest.len); /* failing to shrink does no harm */
}

/* Offers until the handler takes no more; after a change of hands to the new one, too. A handler
 * that resumes the stream meanwhile wants what it leaves again, in the next turn. */
static void offer(struct tls_stream *s, slice input)
{
    const struct stream_handler *handler;

    do {
        size_t taken;

        s->offer = false;
        handler = s->base.handler;
        taken = handler->on_input(s->base.owner, input);
        if (s->state != TLS_OPEN)
            return;
        assert(taken <= input.len);
        input = (slice){input.ptr + taken, input.len - taken};
    } while (handler != s->base.handler && input.len > 0 && s->pauses == 0);
    keep(s, input);
}

static void offer_kept(struct tls_stream *s)
{
    s->offer = false;
    if (s->kept_len > 0)
        offer(s, slice_of(s->kept, s->kept_len));
}

static bool may_read(const struct tls_stream *s)
{
    return s->state == TLS_OPEN && s->pauses == 0 && !s->offer;
}

/* One window full. Gives how many bytes came; 0 ends the turn's reading. */
static size_t read_once(struct tls_stream *s)
{
    struct window w;
    size_t got;
    bool end;

    if (!window_open(s, &w)) {
        tls_stream_end(s, STREAM_END_OVERFLOW);
        return 0;
    }
    got = window_fill(s, &w, &end);
    if (got > 0) {
        s->last_input_ms = worker_now_ms(s->base.worker);
        offer(s, slice_of(w.ptr, w.len));
    }
    if (end) {
        if (s->state == TLS_OPEN)
            tls_stream_end(s, STREAM_END_PEER);
        return 0;
    }
    return got;
}

void tls_stream_read(struct tls_stream *s)
{
    size_t budget = TURN_INPUT_MAX;

    if (s->pauses > 0)
        return;
    if (s->offer)
        offer_kept(s);
    while (may_read(s)) {
        size_t got = read_once(s);

        if (got == 0 || !s->unread)
            return;
        if (got >= budget) { /* the others first; TLS does not announce what it holds */
            tls_stream_mark(s);
            return;
        }
        budget -= got;
    }
}

/* Past TLS: nobody wants these bytes. */
void tls_stream_read_and_drop(struct tls_stream *s)
{
    uint8_t *scratch = tls_streams_of(s)->scratch;
    size_t dropped = 0;

    while (dropped < DROP_MAX) {
        ssize_t got = recv(event_get_fd(&s->event), scratch, SCRATCH_BYTES, MSG_DONTWAIT);

        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0)
            break;
        dropped += (size_t)got;
    }
    tls_stream_end(s, STREAM_END_LOCAL);
}
