/* muster ca deny, denied, allow: which certificates are refused all the same. */
#include <stdio.h>

#include "cmd/ca.h"
#include "cmd/certificate_file.h"

#define LIST_PATH "deniedCertificates?top=1000"

/* What openssl prints is taken as it is: "sha256 Fingerprint=AA:BB", "serial=0A". */
static slice behind_name(const char *text)
{
    const char *equals = text ? strrchr(text, '=') : NULL;

    return slice_str(equals ? equals + 1 : text);
}

/* --- deny ------------------------------------------------------------------------------------- */

static const char *objection(const struct ca_words *w)
{
    int ways = !!w->thumbprint + !!w->certificate + (w->group || w->serial);

    if (ways == 1 && !w->group == !w->serial)
        return NULL;
    return "say one of --thumbprint X, --certificate FILE, and --group GROUP with --serial N";
}

static bool put_certificate(struct json_writer *writer, const struct ca_words *w, int *ret)
{
    struct thumbprints of_file;

    if (w->thumbprint)
        json_put_text(writer, SLICE("thumbprint"), behind_name(w->thumbprint));
    if (w->certificate) {
        if (!certificate_file_thumbprint(&ca_command, w->certificate, &of_file, ret))
            return false;
        json_put_text(writer, SLICE("thumbprint"), slice_of(of_file.sha256, sizeof of_file.sha256));
    }
    if (w->group)
        json_put_text(writer, SLICE("group"), slice_str(w->group));
    if (w->serial)
        json_put_text(writer, SLICE("serial"), behind_name(w->serial));
    return true;
}

int ca_deny(struct client *c, const struct ca_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 8192};
    struct json_writer writer = {.to = &body};
    struct json *answer = NULL;
    int code;

    if (objection(w))
        return command_fail(&ca_command, EXIT_USAGE, "%s", objection(w));
    json_open(&writer, (slice){0}, '{');
    if (!put_certificate(&writer, w, &code))
        return code;
    if (w->reason)
        json_put_text(&writer, SLICE("reason"), slice_str(w->reason));
    json_close(&writer, '}');
    code = client_call(c, "POST", SLICE("deniedCertificates"), &body, &answer);
    if (code != EXIT_DONE)
        return code;
    if (w->json)
        client_print_json(answer);
    else
        printf("%s\n", client_text(c, answer, "key"));
    return code;
}

/* --- the list --------------------------------------------------------------------------------- */

typedef void denial_row_fn(struct client *c, const struct json *row, void *context);

/* Row by row, through all its pages. */
static int each_denial(struct client *c, denial_row_fn *on_row, void *context)
{
    BUF_CLEANUP struct buf path = {.max = 8192};
    struct json *answer;
    bool more = true;

    buf_append_str(&path, LIST_PATH);
    while (more) {
        int code = client_call(c, "GET", buf_slice(&path), NULL, &answer);
        const struct json *rows;
        slice next;

        if (code != EXIT_DONE)
            return code;
        rows = json_member(answer, SLICE("value"));
        for (const struct json *row = rows ? rows->first : NULL; row; row = row->next)
            on_row(c, row, context);
        more = json_get_text(answer, SLICE("next"), &next);
        buf_clear(&path);
        buf_append_str(&path, LIST_PATH);
        if (more)
            client_path(&path, "&after=%s", client_text(c, answer, "next"));
        arena_reset(&c->arena);
    }
    return EXIT_DONE;
}

static void print_denial(struct client *c, const struct json *row, void *context)
{
    const struct ca_words *w = context;

    if (w->json)
        client_print_json(row);
    else
        printf("%-68s %s %s %s\n", client_text(c, row, "key"), client_text(c, row, "at"),
               client_text(c, row, "by"), client_text(c, row, "reason"));
}

int ca_denied(struct client *c, const struct ca_words *w)
{
    struct ca_words words = *w;

    return each_denial(c, print_denial, &words);
}

/* --- allow ------------------------------------------------------------------------------------ */

/* The denial that the words mean: its key, or what it was made with. */
struct search {
    slice key, group, number;
    struct buf found; /* the key of the last */
    unsigned count;
};

/* The digits of a thumbprint or serial, whatever stands between them. */
static bool same_number(slice a, slice b)
{
    for (;;) {
        while (a.len > 0 && (a.ptr[0] == ':' || a.ptr[0] == ' '))
            a = slice_from(a, 1);
        if (a.len == 0 || b.len == 0)
            return a.len == b.len;
        if (!slice_equal_nocase(slice_first(a, 1), slice_first(b, 1)))
            return false;
        a = slice_from(a, 1);
        b = slice_from(b, 1);
    }
}

static slice without_zeros(slice number)
{
    while (number.len > 1 && (number.ptr[0] == '0' || number.ptr[0] == ':'))
        number = slice_from(number, 1);
    return number;
}

static void compare(struct client *c, const struct json *row, void *context)
{
    struct search *s = context;
    slice key = {0}, group = {0}, number = {0};
    bool meant;

    (void)c;
    json_get_text(row, SLICE("key"), &key);
    json_get_text(row, SLICE("group"), &group);
    if (!json_get_text(row, SLICE("thumbprint"), &number))
        json_get_text(row, SLICE("serial"), &number);
    meant = same_number(without_zeros(s->number), without_zeros(number)) &&
            (s->group.len == 0 || slice_equal_nocase(s->group, group));
    if (!meant && !slice_equal(s->key, key))
        return;
    s->count++;
    buf_clear(&s->found);
    buf_append(&s->found, key);
    buf_append_byte(&s->found, 0);
}

static int delete_found(struct client *c, const struct search *s)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *answer;

    if (s->count == 0)
        return command_fail(&ca_command, EXIT_FAILED,
                            "nothing is denied by that; `muster ca denied` lists what is");
    if (s->count > 1)
        return command_fail(&ca_command, EXIT_FAILED,
                            "%u denials are meant; give the KEY of one as `muster ca denied` "
                            "prints it",
                            s->count);
    client_path(&path, "deniedCertificates/%s", (const char *)s->found.ptr);
    return client_call(c, "DELETE", buf_slice(&path), NULL, &answer);
}

static int search_and_delete(struct client *c, struct search *s)
{
    int code = each_denial(c, compare, s);

    if (code == EXIT_DONE)
        code = s->found.failed ? command_fail(&ca_command, EXIT_FAILED, "out of memory")
                               : delete_found(c, s);
    buf_deinit(&s->found);
    return code;
}

int ca_allow(struct client *c, const struct ca_words *w)
{
    struct search s = {.group = slice_str(w->group), .found.max = 4096};
    struct thumbprints of_file;
    int code;

    if (w->first ? objection(w) == NULL : objection(w) != NULL)
        return command_fail(&ca_command, EXIT_USAGE,
                            "say allow KEY, or what the certificate was denied by: a thumbprint, "
                            "a serial, --certificate FILE");
    s.key = slice_str(w->first);
    s.number = behind_name(w->first ? w->first : w->serial ? w->serial : w->thumbprint);
    if (w->certificate) {
        if (!certificate_file_thumbprint(&ca_command, w->certificate, &of_file, &code))
            return code;
        s.number = slice_of(of_file.sha256, sizeof of_file.sha256);
    }
    return search_and_delete(c, &s);
}
