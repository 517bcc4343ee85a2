/* Streams over TLS over TCP, and what a worker keeps for all of its.
 *
 *     HANDSHAKE -> OPEN -> CLOSING -> LINGERING -> ENDED
 *                                                    any state may end
 *
 * CLOSING sends what is waiting. LINGERING has said goodbye and reads and drops until the peer
 * has, too: closing a socket with unread input would reset it and take the last answer along.
 *
 * What happens to a stream in a handler is only marked: a marked stream is on its worker's list
 * of due streams, and the turn's end flushes, says goodbye or frees. So nothing is freed under a
 * caller's feet, and all output of a turn leaves together.
 *
 * One `struct event` a connection, level-triggered; EV_WRITE is asked for only while the socket
 * takes no more. One timer a connection, armed for the nearest deadline and moved only when it
 * fires too early. */
#ifndef MUSTER_NET_TLS_STREAM_H
#define MUSTER_NET_TLS_STREAM_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/ssl.h>

#include "net/accept_limits.h"
#include "net/output_queue.h"
#include "net/stream_class.h"

#define TLS_RECORD_MAX 16384
#define SCRATCH_BYTES (64 * 1024)
/* What one stream may read in a turn before the others have theirs (R3). */
#define TURN_INPUT_MAX (256 * 1024)

enum tls_state { TLS_HANDSHAKE, TLS_OPEN, TLS_CLOSING, TLS_LINGERING, TLS_ENDED };

struct tls_stream {
    struct stream base;
    struct event event;
    struct timer timer;
    SSL *ssl;
    struct tls_stream *next, **link; /* all of the worker's */
    struct tls_stream *next_due;
    int64_t since_ms; /* when the state, or the wait for the peer to take output, began */
    int64_t last_input_ms;

    uint8_t *kept; /* the left-over part */
    uint32_t kept_len, kept_cap, input_max;

    struct output_queue output;
    struct accept_place place;
    uint16_t pauses;
    uint8_t state; /* enum tls_state */
    uint8_t end;   /* enum stream_end, once ended */
    bool due : 1;
    bool blocked : 1;  /* the socket takes no more output */
    bool offer : 1;    /* what is kept is to be offered though nothing came */
    bool unread : 1;   /* TLS may hold input that the socket will not announce */
    bool was_high : 1; /* the output passed STREAM_OUTPUT_HIGH */
    bool reset : 1;    /* no goodbye: SO_LINGER 0 */
    bool outgoing : 1; /* counts against no limit of listeners */
    char peer[];       /* as text, with a NUL */
};

struct worker_streams {
    struct worker *worker;
    struct turn_hook hook;
    struct tls_stream *all;
    struct tls_stream *due, **due_end;
    struct chunk_pool chunks;
    uint8_t scratch[SCRATCH_BYTES]; /* input is read here */
    uint8_t record[TLS_RECORD_MAX]; /* output of several chunks is joined here */
};

CHECKED struct worker_streams *worker_streams_create(struct worker *w);
/* Ends every stream that is still there; the turn's end says so to their owners. */
void worker_streams_end_all(struct worker_streams *streams);
void worker_streams_destroy(struct worker_streams *streams);

/* Takes over `fd` and `place`, on success only. On the worker's thread. */
CHECKED struct stream *tls_stream_create(struct worker *w, int fd, SSL_CTX *context,
                                         const union address *peer, struct accept_place place);
/* The same for a connection that this side made and that may not be through yet; takes over `ssl`
 * too. */
CHECKED struct stream *tls_stream_create_outgoing(struct worker *w, int fd, SSL *ssl,
                                                  const union address *peer);
/* Whether it got a handler or was closed. */
bool tls_stream_is_owned(const struct stream *s);

/* Between the tls_stream*.c files: life, class, input, output. */
extern const struct stream_class tls_stream_class;
struct worker_streams *tls_streams_of(const struct tls_stream *s);
void tls_stream_mark(struct tls_stream *s);
/* To the next state; only tls_stream_end leaps. */
void tls_stream_set_state(struct tls_stream *s, enum tls_state state);
void tls_stream_end(struct tls_stream *s, enum stream_end end);
void tls_stream_update_interest(struct tls_stream *s);
void tls_stream_watch_deadline(struct tls_stream *s);

/* OpenSSL takes an error that others left in the thread's queue for its own. */
void tls_clear_errors(void);

void tls_stream_read(struct tls_stream *s);
void tls_stream_read_and_drop(struct tls_stream *s);

void tls_stream_append(struct tls_stream *s, slice bytes);
void tls_stream_flush(struct tls_stream *s);

#endif
