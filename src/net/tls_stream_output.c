#include <openssl/err.h>

#include "net/tls_stream.h"
#include "net/worker_internal.h"

void tls_clear_errors(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

void tls_stream_append(struct tls_stream *s, slice bytes)
{
    if (s->state != TLS_HANDSHAKE && s->state != TLS_OPEN)
        return;
    if (bytes.len > STREAM_OUTPUT_MAX - s->output.len ||
        !output_append(&s->output, &tls_streams_of(s)->chunks, bytes)) {
        tls_stream_end(s, STREAM_END_OVERFLOW);
        return;
    }
    if (s->output.len > STREAM_OUTPUT_HIGH)
        s->was_high = true;
    tls_stream_mark(s);
}

/* The peer took something, or the wait for it begins. */
static void note_progress(struct tls_stream *s)
{
    if (s->state == TLS_OPEN) /* closing has one deadline for all of it */
        s->since_ms = worker_now_ms(s->base.worker);
}

static void block(struct tls_stream *s)
{
    s->blocked = true;
    tls_stream_watch_deadline(s);
}

/* Records of up to 16 KiB until nothing is left or the socket takes no more. Calls no handler. */
void tls_stream_flush(struct tls_stream *s)
{
    struct worker_streams *streams = tls_streams_of(s);

    note_progress(s);
    tls_clear_errors();
    while (s->output.len > 0) {
        slice record = output_peek(&s->output, streams->record, TLS_RECORD_MAX);
        size_t sent;

        if (SSL_write_ex(s->ssl, record.ptr, record.len, &sent) == 1) {
            output_consume(&s->output, &streams->chunks, sent);
            continue;
        }
        if (SSL_get_error(s->ssl, 0) == SSL_ERROR_WANT_WRITE) {
            block(s);
            return;
        }
        tls_stream_end(s, STREAM_END_PEER);
        return;
    }
}
