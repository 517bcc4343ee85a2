/* A byte stream to a peer: TLS over TCP today, WebSocket messages over that later; what speaks a
 * protocol on it cannot tell.
 *
 *     accepted -> handshake -> open -> closing -> gone
 *
 * Reading: what arrives is offered to `on_input` together with what was left over before. The
 * handler takes whole units off the front and says how many bytes it took; the rest is kept.
 * Nothing is kept for an idle connection: bytes are read into a buffer of the worker, and only a
 * left-over part is stored, in memory that grows with the bytes received, never with a length the
 * peer announced.
 *
 * Writing: stream_write copies into the stream's output; all output of a loop turn leaves in as
 * few records as possible at the turn's end.
 *
 * All functions and handlers run on the stream's worker. A handler may close its own stream. */
#ifndef MUSTER_NET_STREAM_H
#define MUSTER_NET_STREAM_H

#include "base/slice.h"
#include "net/worker.h"

struct stream;
struct x509_st;
struct stack_st_X509;

enum stream_end {
    STREAM_END_PEER,      /* the peer closed, or the network failed */
    STREAM_END_LOCAL,     /* stream_close or stream_abort */
    STREAM_END_HANDSHAKE, /* TLS failed or took longer than 10 s */
    STREAM_END_STALLED,   /* output made no progress for 60 s */
    STREAM_END_OVERFLOW,  /* a left-over part or the output passed its maximum */
};

struct stream_handler {
    /* TLS is up; bytes may be written from now on. May be NULL. */
    void (*on_open)(void *owner);
    /* `input` is borrowed for the call. Returns how many bytes were taken; after closing its
     * stream a handler returns whatever it likes. */
    size_t (*on_input)(void *owner, slice input);
    /* The output fell from above STREAM_OUTPUT_HIGH to nothing: go on producing. May be NULL. */
    void (*on_drained)(void *owner);
    /* The last call. The stream must not be used any more once it returns. */
    void (*on_end)(void *owner, enum stream_end end);
};

/* Set at accept, and again when a stream changes hands (an upgrade). `input_max` bounds the
 * left-over part kept between calls. */
void stream_set_handler(struct stream *s, const struct stream_handler *handler, void *owner,
                        size_t input_max);
void stream_set_input_max(struct stream *s, size_t input_max);

/* Copies. Once the stream is closing nothing is written. More than STREAM_OUTPUT_MAX bytes
 * waiting end the stream. */
#define STREAM_OUTPUT_MAX (1024 * 1024)
#define STREAM_OUTPUT_HIGH (64 * 1024)
void stream_write(struct stream *s, slice bytes);
/* Bytes waiting for the peer to take them. */
size_t stream_output_len(const struct stream *s);
/* Sends what is waiting (for at most 5 s), says goodbye in TLS, closes. on_end comes later in
 * this or another turn, never inside this call. No further input is offered. */
void stream_close(struct stream *s);
/* Closes now and resets the connection (SO_LINGER 0); what was waiting is lost. on_end as above. */
void stream_abort(struct stream *s);

/* Back-pressure: while paused no input is read (the peer's window fills). Counted: each pause
 * wants its resume. What was left over is offered again in a later turn, also when nothing new
 * has come; while paused it may pass `input_max`. */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);

struct worker *stream_worker(const struct stream *s);
/* "127.0.0.1:40112" */
slice stream_peer(const struct stream *s);
/* Monotonic ms of the last byte received. */
int64_t stream_last_input_ms(const struct stream *s);
/* The connection counts against the limits for unauthenticated peers until this is called. */
void stream_set_authenticated(struct stream *s);
/* The client's leaf certificate, borrowed, or NULL. Its key was proven, nothing else. */
struct x509_st *stream_peer_certificate(const struct stream *s);
/* What came with the leaf: the intermediates, as sent, borrowed; NULL when there were none. */
struct stack_st_X509 *stream_peer_intermediates(const struct stream *s);

#endif
