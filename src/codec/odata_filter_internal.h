/* What the languages of filters share: a cursor over the text, fields, texts in quotes, and
 * conditions joined by AND, OR and parentheses, which it puts in postfix order. A language says
 * what its conditions look like and how its mistakes are named.
 *
 *     odata_filter_read.c   this
 *     odata_filter.c        $filter of lists, and how filters are judged
 *     device_query.c        the queries of device groups
 *
 * What returns false has named the mistake in `why`. */
#ifndef MUSTER_CODEC_ODATA_FILTER_INTERNAL_H
#define MUSTER_CODEC_ODATA_FILTER_INTERNAL_H

#include "codec/odata_filter.h"

struct filter_reader;

struct filter_language {
    const struct odata_field *fields;
    size_t field_count;
    const char *blanks;                              /* the bytes between words */
    const char *word_signs;                          /* what a word has beside letters and digits */
    const char *quotes;                              /* what a text stands in */
    bool words_have_case;                            /* fields always have */
    const char *no_field, *no_text, *no_connective;  /* what is said where one must stand */
    bool (*read)(struct filter_reader *r);           /* the whole text */
    bool (*read_condition)(struct filter_reader *r); /* and adds it */
};

struct filter_reader {
    const struct filter_language *language;
    slice text;
    size_t at;
    struct arena *arena;
    struct odata_filter *to;
    size_t conditions, depth;
    /* ODATA_AND and ODATA_OR; ODATA_COMPARE stands for an open parenthesis. */
    enum odata_step_kind waiting[ODATA_CONDITIONS_MAX + ODATA_DEPTH_MAX];
    size_t waiting_count;
    struct fault *why;
};

/* All of it: as odata_filter_parse. */
CHECKED enum status filter_parse(const struct filter_language *language, slice text,
                                 struct arena *arena, struct odata_filter *ret, struct fault *why);

/* Names the mistake that stands at the cursor; false. */
bool filter_wrong(struct filter_reader *r, const char *what);

void filter_skip_blanks(struct filter_reader *r);
bool filter_at_end(struct filter_reader *r);
/* Steps over what stands next if it is that. */
bool filter_take(struct filter_reader *r, slice sign);
bool filter_take_word(struct filter_reader *r, const char *word);
/* The word that stands next, without taking it; may be empty. */
slice filter_peek_word(struct filter_reader *r);

CHECKED bool filter_read_field(struct filter_reader *r, size_t *ret);
CHECKED bool filter_read_text(struct filter_reader *r, slice *ret);
/* (field, 'text'), the field a text as well. */
CHECKED bool filter_read_arguments(struct filter_reader *r, struct odata_step *ret);

CHECKED bool filter_add_condition(struct filter_reader *r, const struct odata_step *s);
/* Joins the last two. */
void filter_join(struct filter_reader *r, enum odata_step_kind kind);
/* Conditions up to the end of the text. */
CHECKED bool filter_read_conditions(struct filter_reader *r);

#endif
