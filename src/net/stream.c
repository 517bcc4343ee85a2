#include "net/stream.h"

#include <assert.h>

#include "net/stream_class.h"

void stream_set_handler(struct stream *s, const struct stream_handler *handler, void *owner,
                        size_t input_max)
{
    assert(handler && handler->on_input && handler->on_end);
    s->handler = handler;
    s->owner = owner;
    s->class->taken_over(s, input_max);
}

void stream_set_input_max(struct stream *s, size_t input_max)
{
    s->class->set_input_max(s, input_max);
}

void stream_write(struct stream *s, slice bytes)
{
    s->class->write(s, bytes);
}

size_t stream_output_len(const struct stream *s)
{
    return s->class->output_len(s);
}

void stream_close(struct stream *s)
{
    s->class->close(s);
}

void stream_abort(struct stream *s)
{
    s->class->abort(s);
}

void stream_pause(struct stream *s)
{
    s->class->pause(s);
}

void stream_resume(struct stream *s)
{
    s->class->resume(s);
}

struct worker *stream_worker(const struct stream *s)
{
    return s->worker;
}

slice stream_peer(const struct stream *s)
{
    return s->class->peer(s);
}

int64_t stream_last_input_ms(const struct stream *s)
{
    return s->class->last_input_ms(s);
}

void stream_set_authenticated(struct stream *s)
{
    s->class->set_authenticated(s);
}

struct x509_st *stream_peer_certificate(const struct stream *s)
{
    return s->class->peer_certificate(s);
}

struct stack_st_X509 *stream_peer_intermediates(const struct stream *s)
{
    return s->class->peer_intermediates(s);
}
