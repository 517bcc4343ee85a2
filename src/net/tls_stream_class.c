/* What the users of stream.h ask of a stream over TLS. Nothing here calls a handler. */
#include <assert.h>

#include "net/tls_stream.h"
#include "net/worker_internal.h"

static struct tls_stream *tls_of(const struct stream *s)
{
    return (struct tls_stream *)s;
}

static void tls_taken_over(struct stream *base, size_t input_max)
{
    struct tls_stream *s = tls_of(base);

    s->input_max = input_max < UINT32_MAX ? (uint32_t)input_max : UINT32_MAX;
    if (s->kept_len > 0) {
        s->offer = true;
        tls_stream_mark(s);
    }
}

static void tls_set_input_max(struct stream *base, size_t input_max)
{
    tls_of(base)->input_max = input_max < UINT32_MAX ? (uint32_t)input_max : UINT32_MAX;
}

static void tls_write(struct stream *base, slice bytes)
{
    tls_stream_append(tls_of(base), bytes);
}

static size_t tls_output_len(const struct stream *base)
{
    return tls_of(base)->output.len;
}

static void tls_close(struct stream *base)
{
    struct tls_stream *s = tls_of(base);

    if (s->state == TLS_HANDSHAKE)
        tls_stream_end(s, STREAM_END_LOCAL);
    if (s->state != TLS_OPEN)
        return;
    tls_stream_set_state(s, TLS_CLOSING);
    tls_stream_mark(s);
}

static void tls_abort(struct stream *base)
{
    struct tls_stream *s = tls_of(base);

    s->reset = true;
    tls_stream_end(s, STREAM_END_LOCAL);
}

static void tls_pause(struct stream *base)
{
    struct tls_stream *s = tls_of(base);

    assert(s->pauses < UINT16_MAX);
    s->pauses++;
    if (s->pauses == 1 && s->state != TLS_ENDED)
        tls_stream_mark(s);
}

static void tls_resume(struct stream *base)
{
    struct tls_stream *s = tls_of(base);

    assert(s->pauses > 0);
    s->pauses--;
    if (s->pauses > 0 || s->state == TLS_ENDED)
        return;
    s->offer = s->unread = true;
    tls_stream_mark(s);
}

static slice tls_peer(const struct stream *base)
{
    return slice_str(tls_of(base)->peer);
}

static int64_t tls_last_input_ms(const struct stream *base)
{
    return tls_of(base)->last_input_ms;
}

static void tls_set_authenticated(struct stream *base)
{
    accept_limits_authenticated(base->worker->set->limits, &tls_of(base)->place);
}

static struct x509_st *tls_peer_certificate(const struct stream *base)
{
    return SSL_get0_peer_certificate(tls_of(base)->ssl);
}

static struct stack_st_X509 *tls_peer_intermediates(const struct stream *base)
{
    return SSL_get_peer_cert_chain(tls_of(base)->ssl);
}

const struct stream_class tls_stream_class = {
    .taken_over = tls_taken_over,
    .set_input_max = tls_set_input_max,
    .write = tls_write,
    .output_len = tls_output_len,
    .close = tls_close,
    .abort = tls_abort,
    .pause = tls_pause,
    .resume = tls_resume,
    .peer = tls_peer,
    .last_input_ms = tls_last_input_ms,
    .set_authenticated = tls_set_authenticated,
    .peer_certificate = tls_peer_certificate,
    .peer_intermediates = tls_peer_intermediates,
};
