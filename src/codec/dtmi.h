/* Digital twin model identifiers: the names of interfaces and of what is in them.
 *
 *     dtmi:{segment}[:{segment}...][;{version}]
 *
 * A segment has letters, digits and underscores, does not begin with a digit and does not end with
 * an underscore; one that begins with an underscore is a system segment. DTDL 2 wants a version of
 * one to nine digits; DTDL 3 may leave it out or add a minor part of one to six. No part begins
 * with a zero. Case counts. Source: Azure/opendigitaltwins-dtdl, DTMI/README.md. Pure. */
#ifndef MUSTER_CODEC_DTMI_H
#define MUSTER_CODEC_DTMI_H

#include "base/slice.h"

#define DTMI_USER_MAX 2048
#define DTMI_SYSTEM_MAX 4096   /* with a system segment in it */
#define DTMI_INTERFACE_MAX 128 /* of an interface; told apart by whoever knows it is one */

enum dtmi_grammar {
    DTMI_V2 = 2, /* a version of one part, always */
    DTMI_V3 = 3  /* no version, or one of one or two parts */
};

struct dtmi {
    slice unversioned; /* all before the semicolon */
    uint32_t major;    /* 0: no version */
    uint32_t minor;    /* 0: no minor part */
    bool is_system;    /* has a segment that begins with an underscore */
};

/* The parts borrow from `text`. */
CHECKED bool dtmi_parse(slice text, enum dtmi_grammar grammar, struct dtmi *ret);

/* Whether the language keeps this prefix for itself. */
bool dtmi_is_reserved(slice text);

/* The last segment without a version, when the identifier is one of the language's own words
 * ("dtmi:dtdl:instance:Schema:double;2" is "double"); any other text as it is. */
slice dtmi_term(slice text);

#endif
