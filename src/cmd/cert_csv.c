#include "cmd/cert_csv.h"

void cert_csv_init(struct cert_csv *csv, FILE *file)
{
    *csv = (struct cert_csv){.file = file, .line = 1};
}

/* --- bytes ------------------------------------------------------------------------------------ */

static int look(struct cert_csv *csv)
{
    int c = getc_unlocked(csv->file);

    if (c != EOF)
        ungetc(c, csv->file);
    return c;
}

/* Every way to end a line becomes '\n'. */
static int take(struct cert_csv *csv)
{
    int c = getc_unlocked(csv->file);

    if (c == EOF)
        return EOF;
    csv->position++;
    if (c == '\r') {
        if (look(csv) == '\n') {
            (void)getc_unlocked(csv->file);
            csv->position++;
        }
        c = '\n';
    }
    if (c == '\n')
        csv->line++;
    return c;
}

static void skip_byte_order_mark(struct cert_csv *csv)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};

    for (size_t i = 0; i < sizeof mark && look(csv) == mark[i]; i++)
        (void)take(csv);
}

/* --- values ----------------------------------------------------------------------------------- */

struct value {
    char *to; /* NULL: of a column that is not wanted */
    size_t len;
    int end; /* what ended it: a separator, '\n' or EOF */
    bool quoted, open_quote;
};

static void keep(struct value *v, int c)
{
    if (v->to && v->len < CSV_VALUE_MAX)
        v->to[v->len] = (char)c;
    v->len++;
}

static bool is_separator(int c)
{
    return c == ',' || c == ';' || c == '\t';
}

/* What is between quotes, the first of which is taken; two in a row are one. */
static void read_quoted(struct cert_csv *csv, struct value *v)
{
    int c;

    v->quoted = true;
    while ((c = take(csv)) != EOF) {
        if (c != '"')
            keep(v, c);
        else if (look(csv) == '"')
            keep(v, take(csv));
        else
            return;
    }
    v->open_quote = true;
}

static void drop_blanks_behind(struct value *v, size_t from)
{
    while (v->to && v->len > from && v->len <= CSV_VALUE_MAX && v->to[v->len - 1] == ' ')
        v->len--;
}

static void read_value(struct cert_csv *csv, char *to, struct value *v)
{
    size_t quoted_len = 0;
    int c;

    *v = (struct value){.to = to};
    while (look(csv) == ' ')
        (void)take(csv);
    if (look(csv) == '"') {
        (void)take(csv);
        read_quoted(csv, v);
        quoted_len = v->len;
    }
    while ((c = take(csv)) != EOF && c != '\n' && !is_separator(c))
        keep(v, c);
    drop_blanks_behind(v, quoted_len);
    v->end = c;
}

/* --- rows ------------------------------------------------------------------------------------- */

static bool names_the_column(const char *text, size_t len)
{
    static const char *const names[] = {"IOTC_DEVICEID", "device_id", "deviceId", "id"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (slice_equal_nocase(slice_of(text, len), slice_str(names[i])))
            return true;
    }
    return false;
}

struct row_facts {
    bool blank, header, open_quote;
};

/* The wanted column is kept; of the first row each is looked at, to find the wanted one. */
static struct row_facts read_row(struct cert_csv *csv, bool first, slice *ret)
{
    struct row_facts facts = {.blank = true};
    char scratch[CSV_VALUE_MAX];
    struct value v;

    *ret = (slice){0};
    for (size_t column = 0;; column++) {
        bool wanted = column == csv->column && !facts.header;

        read_value(csv, wanted ? csv->value : first ? scratch : NULL, &v);
        facts.blank = facts.blank && column == 0 && v.len == 0 && !v.quoted;
        facts.open_quote = facts.open_quote || v.open_quote;
        if (wanted)
            *ret = slice_of(csv->value, v.len < CSV_VALUE_MAX ? v.len : CSV_VALUE_MAX);
        if (first && !facts.header && v.len < CSV_VALUE_MAX && names_the_column(v.to, v.len)) {
            facts.header = true;
            csv->column = column;
        }
        if (v.end == EOF || v.end == '\n')
            break;
        facts.blank = false;
    }
    return facts;
}

bool cert_csv_next(struct cert_csv *csv, struct csv_row *ret)
{
    if (csv->line == 1 && csv->position == 0)
        skip_byte_order_mark(csv);
    while (look(csv) != EOF) {
        uint64_t line = csv->line;
        slice id;
        struct row_facts facts = read_row(csv, !csv->begun, &id);

        if (facts.blank)
            continue;
        csv->begun = true;
        if (facts.header)
            continue;
        *ret = (struct csv_row){line, id, facts.open_quote};
        return true;
    }
    return false;
}
