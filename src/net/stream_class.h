/* What a kind of stream does behind stream.h. Embed `struct stream` first. */
#ifndef MUSTER_NET_STREAM_CLASS_H
#define MUSTER_NET_STREAM_CLASS_H

#include "net/stream.h"

struct stream_class {
    /* The handler was set; what is left over is the new one's. */
    void (*taken_over)(struct stream *s, size_t input_max);
    void (*set_input_max)(struct stream *s, size_t input_max);
    void (*write)(struct stream *s, slice bytes);
    size_t (*output_len)(const struct stream *s);
    void (*close)(struct stream *s);
    void (*abort)(struct stream *s);
    void (*pause)(struct stream *s);
    void (*resume)(struct stream *s);
    slice (*peer)(const struct stream *s);
    int64_t (*last_input_ms)(const struct stream *s);
    void (*set_authenticated)(struct stream *s);
    struct x509_st *(*peer_certificate)(const struct stream *s);
    struct stack_st_X509 *(*peer_intermediates)(const struct stream *s);
};

struct stream {
    const struct stream_class *class;
    struct worker *worker;
    const struct stream_handler *handler;
    void *owner;
};

#endif
