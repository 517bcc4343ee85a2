#include "cmd/cert/cert_tally.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cert/cert_progress.h"
#include "codec/json.h"
#include "codec/topic.h"
#include "crypto/certificate_read.h"

#define SHOWN_MAX 80
#define LIST_MAX (4 * 1024 * 1024)

/* --- IDs -------------------------------------------------------------------------------------- */

/* For messages: a terminal takes orders from other characters. */
static void make_printable(slice text, char to[SHOWN_MAX + 1])
{
    size_t len = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;

    for (size_t i = 0; i < len; i++)
        to[i] = text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? (char)text.ptr[i] : '?';
    to[len] = '\0';
}

enum status cert_id_take(slice text, char to[CERT_ID_MAX], size_t *ret_len, bool *ret_changed,
                         struct fault *why)
{
    char shown[SHOWN_MAX + 1];

    make_printable(text, shown);
    if (text.len == 0)
        return fault_set(why, ST_BAD_REQUEST, "there is no device ID");
    if (text.len > CERT_ID_MAX)
        return fault_set(why, ST_BAD_REQUEST,
                         "'%s' is too long: a certificate names at most %d characters", shown,
                         CERT_ID_MAX);
    if (!registration_id_valid(text))
        return fault_set(why, ST_BAD_REQUEST,
                         "'%s' is no device ID for a certificate: letters, digits, - . _ : and a "
                         "letter, digit or - at the end",
                         shown);
    *ret_changed = false;
    for (size_t i = 0; i < text.len; i++) {
        bool upper = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';

        to[i] = (char)(upper ? text.ptr[i] + ('a' - 'A') : text.ptr[i]);
        *ret_changed = *ret_changed || upper;
    }
    *ret_len = text.len;
    return ST_OK;
}

/* --- the terminal ----------------------------------------------------------------------------- */

static void clear_bar(const struct cert_tally *t)
{
    if (t->terminal)
        fputs("\r\033[K", stderr);
}

static void draw_bar(const struct cert_tally *t)
{
    BUF_CLEANUP struct buf line = {.max = 256};
    const struct cert_progress p = {
        .done = t->made + t->for_keys + t->there + t->refused,
        .position = t->csv.position,
        .size = t->file_size,
        .elapsed_ms = clock_mono_ms() - t->started_ms,
    };

    cert_progress_write(&p, &line);
    fprintf(stderr, "\r\033[K%.*s", SLICE_FMT(buf_slice(&line)));
    fflush(stderr);
}

static void tick(void *context)
{
    const struct cert_tally *t = context;

    if (t->terminal)
        draw_bar(t);
}

static void say_fault(const struct cert_tally *t, uint64_t line, const struct fault *why)
{
    clear_bar(t);
    if (line > 0)
        command_fail(&cert_command, 0, "line %" PRIu64 ": %s", line, why->text);
    else
        command_fail(&cert_command, 0, "%s", why->text);
}

/* --- IDs out ---------------------------------------------------------------------------------- */

static bool take(struct cert_tally *t, slice text, uint64_t line, struct leaf_job *ret)
{
    struct fault why;
    bool changed = false;

    ret->line = line;
    if (cert_id_take(text, ret->id, &ret->id_len, &changed, &why) != ST_OK) {
        say_fault(t, line, &why);
        t->refused++;
        return false;
    }
    if (changed && !t->file)
        fprintf(stderr, "muster cert: %.*s becomes %.*s: certificates name devices in lower case\n",
                SLICE_FMT(text), (int)ret->id_len, ret->id);
    t->lowered += changed;
    return true;
}

static bool next_word(struct cert_tally *t, struct leaf_job *ret)
{
    while (t->word < t->w->rest.count) {
        t->rows++;
        if (take(t, slice_str(t->w->rest.items[t->word++]), 0, ret))
            return true;
    }
    return false;
}

static bool take_row(struct cert_tally *t, const struct csv_row *row, struct leaf_job *ret)
{
    struct fault why;

    if (!row->fault)
        return take(t, row->id, row->line, ret);
    fault_set(&why, ST_BAD_REQUEST, "%s", row->fault);
    say_fault(t, row->line, &why);
    t->refused++;
    return false;
}

/* Were it a header after all, the operator would find a device of that name. */
static void say_headerless(const struct cert_tally *t, const struct csv_row *row)
{
    char shown[SHOWN_MAX + 1];

    if (t->rows > 1 || t->csv.has_header)
        return;
    make_printable(row->id, shown);
    clear_bar(t);
    fprintf(stderr, "muster cert: no header: the first line is the device '%s'\n", shown);
}

static bool next_row(struct cert_tally *t, struct leaf_job *ret)
{
    struct csv_row row;
    struct fault why = {0};
    enum status status;

    if (t->refused_file)
        return false;
    while ((status = cert_csv_next(&t->csv, &row, &why)) == ST_OK) {
        t->rows++;
        say_headerless(t, &row);
        if (take_row(t, &row, ret))
            return true;
    }
    t->refused_file = status != ST_NOT_FOUND;
    if (t->refused_file)
        command_fail(&cert_command, 0, "%s: %s", t->w->csv, why.text);
    return false;
}

static bool next(void *context, struct leaf_job *ret)
{
    struct cert_tally *t = context;

    return t->file ? next_row(t, ret) : next_word(t, ret);
}

/* --- reports in ------------------------------------------------------------------------------- */

static bool thumbprints_of(const struct leaf *leaf, struct thumbprints *ret)
{
    struct x509_st *certificate = certificate_from_der(leaf->certificate_der);
    bool read = certificate && certificate_thumbprints(certificate, ret);

    certificate_free(certificate);
    return read;
}

static void list_in_json(struct cert_tally *t, slice id, const struct thumbprints *prints)
{
    struct json_writer j = {.to = &t->devices};
    char path[2 * CERT_ID_MAX];

    if (t->devices.len > 0)
        buf_append_byte(&t->devices, ',');
    json_open(&j, (slice){0}, '{');
    json_put_text(&j, SLICE("deviceId"), id);
    snprintf(path, sizeof path, "%.*s.pem", SLICE_FMT(id));
    json_put_text(&j, SLICE("certificate"), slice_str(path));
    snprintf(path, sizeof path, "%.*s.key", SLICE_FMT(id));
    json_put_text(&j, SLICE("key"), slice_str(path));
    json_put_text(&j, SLICE("sha1Thumbprint"), slice_of(prints->sha1, sizeof prints->sha1));
    json_put_text(&j, SLICE("sha256Thumbprint"), slice_of(prints->sha256, sizeof prints->sha256));
    json_close(&j, '}');
}

static void print_device(const struct cert_tally *t, slice id, const struct thumbprints *prints)
{
    printf("%.*s\n  certificate  %s/%.*s.pem\n  key          %s/%.*s.key\n", SLICE_FMT(id), t->out,
           SLICE_FMT(id), t->out, SLICE_FMT(id));
    if (t->w->self_signed)
        printf("  SHA-1        %.*s\n  SHA-256      %.*s\n", (int)sizeof prints->sha1, prints->sha1,
               (int)sizeof prints->sha256, prints->sha256);
}

/* What a self-signed device must be registered with. */
static void print_row(slice id, const struct thumbprints *prints)
{
    printf("%.*s,%.*s,%.*s\n", SLICE_FMT(id), (int)sizeof prints->sha1, prints->sha1,
           (int)sizeof prints->sha256, prints->sha256);
}

static void list(struct cert_tally *t, slice id, const struct leaf *leaf)
{
    struct thumbprints prints;

    if (t->file && (!t->w->self_signed || t->w->json))
        return;
    if (!thumbprints_of(leaf, &prints))
        return;
    if (t->file)
        print_row(id, &prints);
    else if (t->w->json)
        list_in_json(t, id, &prints);
    else
        print_device(t, id, &prints);
}

static bool report(void *context, const struct leaf_job *job, const struct leaf_result *result)
{
    struct cert_tally *t = context;

    if (result->status != ST_OK) {
        say_fault(t, job->line, result->why);
        t->refused++;
        t->broken = result->status != ST_CONFLICT && result->status != ST_BAD_REQUEST;
        return !t->broken;
    }
    t->made += result->outcome == LEAF_MADE;
    t->for_keys += result->outcome == LEAF_FOR_KEY;
    t->there += result->outcome == LEAF_THERE;
    if (result->outcome != LEAF_THERE)
        list(t, slice_of(job->id, job->id_len), result->leaf);
    return true;
}

struct leaf_office cert_tally_office(struct cert_tally *t)
{
    return (struct leaf_office){t, next, report, tick};
}

/* --- begin and end ---------------------------------------------------------------------------- */

bool cert_tally_open(struct cert_tally *t, const struct cert_words *w, const char *out,
                     struct fault *why)
{
    struct stat about;

    *t = (struct cert_tally){.w = w, .out = out, .word = 1, .devices.max = LIST_MAX};
    t->started_ms = clock_mono_ms();
    if (!w->csv)
        return true;
    t->file = strcmp(w->csv, "-") == 0 ? stdin : fopen(w->csv, "re");
    if (!t->file) {
        fault_set(why, ST_NOT_FOUND, "cannot read %s: %s", w->csv, strerror(errno));
        return false;
    }
    cert_csv_init(&t->csv, t->file);
    if (fstat(fileno(t->file), &about) == 0 && S_ISREG(about.st_mode))
        t->file_size = (uint64_t)about.st_size;
    t->terminal = isatty(STDERR_FILENO) == 1;
    return true;
}

static void print_summary(const struct cert_tally *t, double seconds)
{
    /* Thumbprints are for other programs to read. */
    FILE *to = t->w->self_signed ? stderr : stdout;

    fprintf(to, "%" PRIu64 " made", t->made);
    if (t->for_keys > 0)
        fprintf(to, ", %" PRIu64 " for keys that were there", t->for_keys);
    if (t->there > 0)
        fprintf(to, ", %" PRIu64 " there already", t->there);
    if (t->refused > 0)
        fprintf(to, ", %" PRIu64 " refused", t->refused);
    if (t->lowered > 0)
        fprintf(to, "; %" PRIu64 " IDs written in lower case", t->lowered);
    fprintf(to, "; %.1f s, %.0f/s\n", seconds,
            seconds > 0 ? (double)(t->made + t->for_keys) / seconds : 0);
}

static void print_json(struct cert_tally *t, double seconds)
{
    BUF_CLEANUP struct buf text = {.max = 2 * LIST_MAX};
    struct json_writer j = {.to = &text};
    char number[32];

    json_open(&j, (slice){0}, '{');
    json_put_int(&j, SLICE("made"), (int64_t)t->made);
    json_put_int(&j, SLICE("forKeys"), (int64_t)t->for_keys);
    json_put_int(&j, SLICE("thereAlready"), (int64_t)t->there);
    json_put_int(&j, SLICE("refused"), (int64_t)t->refused);
    json_put_int(&j, SLICE("lowerCased"), (int64_t)t->lowered);
    snprintf(number, sizeof number, "%.3f", seconds);
    json_put_raw(&j, SLICE("seconds"), slice_str(number));
    json_put_text(&j, SLICE("folder"), slice_str(t->out));
    if (!t->file) {
        json_open(&j, SLICE("devices"), '[');
        buf_append(&text, buf_slice(&t->devices));
        json_close(&j, ']');
    }
    json_close(&j, '}');
    printf("%.*s\n", (int)text.len, (const char *)text.ptr);
}

static int settle(struct cert_tally *t, bool ran)
{
    double seconds = (double)(clock_mono_ms() - t->started_ms) / 1000;
    bool unread = t->file && ferror(t->file);

    if (!ran)
        return EXIT_FAILED;
    if (t->broken)
        command_fail(&cert_command, 0, "stopped: what is made is whole, the same command goes on");
    if (unread)
        command_fail(&cert_command, 0, "cannot read %s to its end", t->w->csv);
    if (t->rows == 0 && !t->refused_file)
        command_fail(&cert_command, 0, "there is no device ID in %s", t->w->csv);
    if (t->w->json)
        print_json(t, seconds);
    else if (t->file && t->rows > 0)
        print_summary(t, seconds);
    return t->refused > 0 || t->broken || t->refused_file || unread || t->rows == 0 ? EXIT_FAILED
                                                                                    : EXIT_DONE;
}

int cert_tally_close(struct cert_tally *t, bool ran)
{
    int code;

    clear_bar(t);
    code = settle(t, ran);
    if (t->file)
        cert_csv_deinit(&t->csv);
    if (t->file && t->file != stdin)
        fclose(t->file);
    buf_deinit(&t->devices);
    return code;
}
