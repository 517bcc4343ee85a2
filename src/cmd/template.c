/* muster template: device templates. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "codec/dtdl.h"
#include "codec/dtmi.h"

#define FILE_MAX ((size_t)1024 * 1024) /* what the server takes */
#define PATH_MAX_BYTES 16384
#define PAGE "500"

static int run(int argc, char **argv);

const struct command template_command = {
    .name = "template",
    .summary = "device templates: list, show, add, set, publish, export, delete",
    .usage = "usage: muster template list\n"
             "       muster template show ID\n"
             "       muster template add FILE [--id ID] [--draft]   '-' is the standard input\n"
             "       muster template set FILE [--id ID] [--draft | --force]\n"
             "       muster template publish ID [--force]           its draft\n"
             "       muster template export ID [--draft] [--out FILE]\n"
             "       muster template delete ID\n\n"
             "FILE holds a template, an interface, or an array of interfaces, as JSON. It is\n"
             "published at once, unless --draft says not yet. Without --id the ID is the @id in\n"
             "the file: of an array, that of the interface to which no other refers. `add`\n"
             "makes a new one, `set` changes one that is there.\n"
             "Nothing is published that takes away or changes what a published template offers,\n"
             "unless with --force: make a new version instead, and migrate the devices to it.\n"
             "Also: --data DIR, --json.\n",
    .run = run,
};

struct template_words {
    const char *folder, *id, *out;
    bool json, draft, force;
    struct words words; /* the verb first */
};

/* --- calls and answers ------------------------------------------------------------------------ */

static int call(struct client *c, const char *method, const char *format, const char *id,
                const struct buf *body, struct json **ret)
{
    BUF_CLEANUP struct buf path = {.max = PATH_MAX_BYTES};

    client_path(&path, format, id);
    return client_call(c, method, buf_slice(&path), body, ret);
}

static int call_rest(struct client *c, const char *method, const char *id, const struct buf *body,
                     struct json **ret)
{
    BUF_CLEANUP struct buf path = {.max = PATH_MAX_BYTES};

    client_path(&path, "deviceTemplates/%s", id);
    return client_rest(c, method, buf_slice(&path), body, ret);
}

static bool is_true(const struct json *object, const char *name)
{
    bool value = false;

    return json_get_bool(object, slice_str(name), &value) && value;
}

static const char *state_of(const struct json *t)
{
    if (!is_true(t, "published"))
        return "draft";
    return is_true(t, "hasDraft") ? "changed" : "published";
}

static void print_row(struct client *c, const struct json *t)
{
    printf("%-40s %-10s %s\n", client_text(c, t, "id"), state_of(t),
           client_text(c, t, "displayName"));
}

/* What the model was told, for people: it is no answer. */
static void print_findings(struct client *c, const struct json *answer, const char *name,
                           const char *word)
{
    const struct json *findings = json_member(answer, slice_str(name));

    for (const struct json *f = findings ? findings->first : NULL; f; f = f->next)
        fprintf(stderr, "%s: %s: %s\n", word, client_text(c, f, "path"), client_text(c, f, "text"));
}

/* --- list, show ------------------------------------------------------------------------------- */

static int next_page(struct client *c, slice after, struct json **ret)
{
    BUF_CLEANUP struct buf path = {.max = PATH_MAX_BYTES};

    buf_append_str(&path, "templates?top=" PAGE "&after=");
    percent_encode(after, &path);
    return client_call(c, "GET", buf_slice(&path), NULL, ret);
}

static void take_rows(struct client *c, const struct json *page, struct json *all)
{
    struct json *rows = json_member(page, SLICE("value")), *next;

    for (struct json *t = rows ? rows->first : NULL; t; t = next) {
        next = t->next;
        if (all)
            json_append(all, t);
        else
            print_row(c, t);
    }
}

static int list(struct client *c, const struct template_words *w)
{
    struct json *all = w->json ? json_new(&c->arena, JSON_ARRAY) : NULL, *page = NULL;
    slice after = {0};
    int code;

    do {
        code = next_page(c, after, &page);
        if (code != EXIT_DONE)
            return code;
        take_rows(c, page, all);
    } while (json_get_text(page, SLICE("next"), &after));
    if (all)
        client_print_json(all);
    return EXIT_DONE;
}

static void print_views(struct client *c, const struct json *t)
{
    const struct json *views = json_member(t, SLICE("views"));

    for (const struct json *view = views ? views->first : NULL; view; view = view->next) {
        const struct json *tiles = json_member(view, SLICE("tiles"));

        printf("%s\n", client_text(c, view, "displayName"));
        for (const struct json *tile = tiles ? tiles->first : NULL; tile; tile = tile->next) {
            slice component = {0};

            (void)json_get_text(tile, SLICE("component"), &component);
            printf("  %-15s %s%s%s\n", client_text(c, tile, "type"),
                   component.len > 0 ? client_text(c, tile, "component") : "",
                   component.len > 0 ? "." : "", client_text(c, tile, "name"));
        }
    }
}

static int show(struct client *c, const struct template_words *w)
{
    static const char *const facts[] = {"id",        "displayName", "modelId",
                                        "createdAt", "publishedAt", "draftAt"};
    struct json *t = NULL;
    int code = call(c, "GET", "templates/%s", w->words.items[1], NULL, &t);

    if (code != EXIT_DONE)
        return code;
    if (w->json) {
        client_print_json(t);
        return code;
    }
    for (size_t i = 0; i < COUNT_OF(facts); i++)
        printf("%-12s %s\n", facts[i], client_text(c, t, facts[i]));
    printf("%-12s %s\n", "state", state_of(t));
    print_views(c, t);
    return code;
}

/* --- add, publish ----------------------------------------------------------------------------- */

static int read_file(struct client *c, const char *path, struct buf *to)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rbe");
    uint8_t part[4096];
    bool failed;
    size_t len;

    if (!file)
        return command_fail(c->command, EXIT_USAGE, "cannot read %s: %s", path, strerror(errno));
    while ((len = fread(part, 1, sizeof part, file)) > 0 && !to->failed)
        buf_append(to, slice_of(part, len));
    failed = ferror(file) != 0;
    if (!is_stdin)
        fclose(file);
    if (to->failed)
        return command_fail(c->command, EXIT_USAGE, "%s has more than %zu KiB, which is the most",
                            path, FILE_MAX / 1024);
    return failed ? command_fail(c->command, EXIT_USAGE, "cannot read %s", path) : EXIT_DONE;
}

/* Of an array the interface to which no other refers, as the server chooses it. */
static bool find_root(struct client *c, const struct json *array, slice *ret)
{
    struct dtdl_report *report = arena_alloc(&c->arena, sizeof *report);
    struct dtdl_model *model = NULL;
    struct fault why = {0};

    if (!report)
        return command_fail(c->command, EXIT_FAILED, "out of memory") == EXIT_DONE;
    if (dtdl_read(array, &c->arena, report, &model, &why) != ST_OK) {
        for (size_t i = 0; i < report->errors.kept; i++)
            fprintf(stderr, "error: %s: %s\n", client_printable(c, report->errors.list[i].path),
                    client_printable(c, report->errors.list[i].text));
        return command_fail(c->command, EXIT_USAGE, "the model has errors") == EXIT_DONE;
    }
    *ret = model->root->element.id;
    return true;
}

/* What nobody meant: a DTMI that is none, or a text with blanks. */
static bool check_id(struct client *c, slice id)
{
    bool is_dtmi = slice_starts_with(id, SLICE("dtmi:"));
    struct dtmi parsed;
    size_t at;

    if (id.len > 0 && !slice_find(id, ' ', &at) && !slice_find(id, '\t', &at) &&
        (!is_dtmi || dtmi_parse(id, DTMI_V3, &parsed)))
        return true;
    return command_fail(c->command, EXIT_USAGE,
                        "'%s' cannot be a template's ID: it is like dtmi:com:example:Pump;1, or a "
                        "word of your own without blanks",
                        client_printable(c, id)) == EXIT_DONE;
}

/* --id, else what the document calls itself. NULL after a message. */
static const char *id_of(struct client *c, const struct template_words *w, const struct buf *text)
{
    struct json *root;
    struct fault why;
    slice id = {0};

    if (w->id)
        return check_id(c, slice_str(w->id)) ? w->id : NULL;
    if (json_parse(buf_slice(text), JSON_REFUSE_DUPLICATES, &c->arena, &root, &why) != ST_OK) {
        (void)command_fail(c->command, EXIT_USAGE, "%s: %s", w->words.items[1], why.text);
        return NULL;
    }
    if (root->kind == JSON_ARRAY) {
        if (!find_root(c, root, &id))
            return NULL;
    } else if (!json_get_text(root, SLICE("@id"), &id)) {
        id = (slice){0};
    }
    if (id.len > 0 && !check_id(c, id))
        return NULL;
    if (id.len > 0 && (id = arena_copy(&c->arena, id)).len > 0)
        return (const char *)id.ptr;
    (void)command_fail(c->command, EXIT_USAGE, "%s has no @id of its own: say --id ID",
                       w->words.items[1]);
    return NULL;
}

static int print_draft(struct client *c, const struct template_words *w, const struct json *t)
{
    print_findings(c, t, "errors", "error");
    print_findings(c, t, "notes", "note");
    if (w->json)
        client_print_json(t);
    else
        print_row(c, t);
    return EXIT_DONE;
}

/* Where it goes, and what that does. */
static const char *place_of(const struct template_words *w)
{
    if (w->draft)
        return "templates/%s/draft";
    return w->force ? "templates/%s?force=true" : "templates/%s";
}

static int put(struct client *c, const struct template_words *w)
{
    BUF_CLEANUP struct buf text = {.max = FILE_MAX};
    int code = read_file(c, w->words.items[1], &text);
    struct json *answer = NULL;
    const char *id;

    if (code != EXIT_DONE)
        return code;
    id = id_of(c, w, &text);
    if (!id)
        return EXIT_USAGE;
    if (!c->else_verb && (code = call(c, "GET", "templates/%s", id, NULL, &answer)) != EXIT_DONE)
        return code;
    code = call(c, "PUT", place_of(w), id, &text, &answer);
    return code == EXIT_DONE ? print_draft(c, w, answer) : code;
}

static int add(struct client *c, const struct template_words *w)
{
    c->else_verb = "set";
    return put(c, w);
}

static int set(struct client *c, const struct template_words *w)
{
    return put(c, w);
}

/* What devices have already would change under them: that is said before it is done. */
static int publish(struct client *c, const struct template_words *w)
{
    const char *id = w->words.items[1];
    struct json *answer = NULL;
    int code = call(c, "GET", "templates/%s/changes", id, NULL, &answer);
    const struct json *changes = json_member(answer, SLICE("changes"));

    if (code != EXIT_DONE)
        return code;
    for (const struct json *change = changes ? changes->first : NULL; change; change = change->next)
        fprintf(stderr, "%s: %s: %s\n", client_text(c, change, "kind"),
                client_text(c, change, "name"), client_text(c, change, "text"));
    code = call(c, "POST", w->force ? "templates/%s/publish?force=true" : "templates/%s/publish",
                id, NULL, &answer);
    return code == EXIT_DONE ? print_draft(c, w, answer) : code;
}

/* --- export, delete --------------------------------------------------------------------------- */

static int write_file(struct client *c, const char *path, const struct json *document)
{
    BUF_CLEANUP struct buf text = {.max = 2 * FILE_MAX};
    FILE *file = fopen(path, "wbe");
    bool failed;

    if (!file)
        return command_fail(c->command, EXIT_FAILED, "cannot write %s: %s", path, strerror(errno));
    json_write(document, &text);
    buf_append_byte(&text, '\n');
    failed = text.failed || fwrite(text.ptr, 1, text.len, file) != text.len;
    failed = fclose(file) != 0 || failed;
    return failed ? command_fail(c->command, EXIT_FAILED, "cannot write %s", path) : EXIT_DONE;
}

/* The document as it would be imported again. */
static int export(struct client *c, const struct template_words *w)
{
    const char *id = w->words.items[1];
    struct json *document = NULL;
    int code = w->draft ? call(c, "GET", "templates/%s/draft", id, NULL, &document)
                        : call_rest(c, "GET", id, NULL, &document);

    if (code != EXIT_DONE)
        return code;
    json_remove(document, SLICE("etag"));
    if (w->out)
        return write_file(c, w->out, document);
    client_print_json(document);
    return EXIT_DONE;
}

static int delete (struct client *c, const struct template_words *w)
{
    struct json *answer;

    return call_rest(c, "DELETE", w->words.items[1], NULL, &answer);
}

/* --- verbs ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    int (*run)(struct client *c, const struct template_words *w);
    size_t words; /* with the verb */
    const char *takes;
} verbs[] = {
    {"list", list, 1, "no further word"},
    {"show", show, 2, "one template ID"},
    {"add", add, 2, "one file"},
    {"set", set, 2, "one file"},
    {"publish", publish, 2, "one template ID"},
    {"export", export, 2, "one template ID"},
    {"delete", delete, 2, "one template ID"},
};

static int run_verb(const struct template_words *w, size_t verb)
{
    struct client client;
    int code;

    if (!client_open(&client, &template_command, w->folder, &code))
        return code;
    code = verbs[verb].run(&client, w);
    client_close(&client);
    return code;
}

static int run(int argc, char **argv)
{
    struct template_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder}, {.name = "--id", .value = &w.id},
        {.name = "--out", .value = &w.out},     {.name = "--draft", .flag = &w.draft},
        {.name = "--force", .flag = &w.force},  {.name = "--json", .flag = &w.json},
    };
    int code;

    if (!options_read(&template_command, argc, argv, specs, COUNT_OF(specs), &w.words, &code))
        return code;
    for (size_t i = 0; i < COUNT_OF(verbs) && w.words.count > 0; i++) {
        if (strcmp(w.words.items[0], verbs[i].name) != 0)
            continue;
        if (w.words.count != verbs[i].words)
            return command_fail(&template_command, EXIT_USAGE, "'%s' takes %s", verbs[i].name,
                                verbs[i].takes);
        return run_verb(&w, i);
    }
    return command_fail(&template_command, EXIT_USAGE,
                        "say list, show, add, set, publish, export or delete; --help tells more");
}
