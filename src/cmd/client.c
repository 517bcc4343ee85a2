#include "cmd/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cmd/data_folder.h"
#include "net/http_client.h"

#define CALL_TIMEOUT_S 330 /* longer than any direct method may take */
#define ANSWER_ARENA_MAX (64 * 1024 * 1024)
#define API_BASE "/api/muster/v1/"
#define REST_BASE "/api/"
#define REST_VERSION "api-version=2022-07-31"

static char *copy(slice text)
{
    return slice_to_cstr(text);
}

/* The running server wrote instance.json; its token and CA lie beside. */
static bool find_by_folder(struct client *c, const char *folder, struct fault *why)
{
    BUF_CLEANUP struct buf instance = {0}, token = {0};
    struct data_folder data = {0};
    struct json *root;
    slice url;
    bool ok = data_folder_find(&data, folder, why) &&
              data_folder_read(&data, "instance.json", &instance, why) &&
              data_folder_read(&data, "api-token", &token, why) &&
              json_parse(buf_slice(&instance), JSON_LAST_WINS, &c->arena, &root, why) == ST_OK;

    if (ok && json_get_text(root, SLICE("httpsUrl"), &url)) {
        c->url = copy(url);
        c->authorization = copy(buf_slice(&token));
        if (json_get_text(root, SLICE("caFile"), &url))
            c->ca_file = copy(url);
        if (json_get_text(root, SLICE("httpsAddress"), &url))
            c->connect_to = copy(url);
    }
    data_folder_close(&data);
    return ok && c->url && c->authorization;
}

static bool find_by_environment(struct client *c)
{
    const char *url = getenv("MUSTER_URL"), *token = getenv("MUSTER_TOKEN");
    const char *ca = getenv("MUSTER_CA");

    if (!url || !token)
        return false;
    c->url = copy(slice_str(url));
    c->authorization = copy(slice_str(token));
    c->ca_file = ca ? copy(slice_str(ca)) : NULL;
    return c->url && c->authorization;
}

bool client_open(struct client *c, const struct command *command, const char *folder, int *ret)
{
    struct fault why = {0};

    *c = (struct client){.command = command};
    arena_init(&c->arena, ANSWER_ARENA_MAX);
    if (!folder && find_by_environment(c))
        return true;
    if (!folder && (getenv("MUSTER_URL") || getenv("MUSTER_TOKEN"))) {
        *ret = command_fail(command, EXIT_USAGE, "MUSTER_URL and MUSTER_TOKEN go together");
        client_close(c);
        return false;
    }
    if (find_by_folder(c, folder ? folder : "muster-data", &why))
        return true;
    *ret = command_fail(command, EXIT_USAGE,
                        "%s; say where the server's data folder is with --data DIR, or set "
                        "MUSTER_URL and MUSTER_TOKEN",
                        why.text);
    client_close(c);
    return false;
}

bool client_open_at(struct client *c, const struct command *command, const char *url, slice token,
                    const char *ca_file, int *ret)
{
    *c = (struct client){.command = command};
    arena_init(&c->arena, ANSWER_ARENA_MAX);
    c->url = copy(slice_str(url));
    c->authorization = copy(token);
    c->ca_file = ca_file ? copy(slice_str(ca_file)) : NULL;
    if (c->url && c->authorization && (c->ca_file || !ca_file))
        return true;
    *ret = command_fail(command, EXIT_FAILED, "out of memory");
    client_close(c);
    return false;
}

void client_close(struct client *c)
{
    free(c->url);
    free(c->ca_file);
    free(c->authorization);
    free(c->connect_to);
    arena_deinit(&c->arena);
}

/* --- calls ----------------------------------------------------------------------------------- */

static void join_url(const struct client *c, const char *api, slice path, struct buf *url)
{
    size_t base = strlen(c->url);

    while (base > 0 && c->url[base - 1] == '/')
        base--;
    buf_append(url, slice_of(c->url, base));
    buf_append_str(url, api);
    buf_append(url, path);
    buf_append_byte(url, 0);
}

static int print_refusal(struct client *c, const struct http_answer *answer)
{
    struct json *root = NULL;
    struct fault why;
    slice message = SLICE("no reason given");

    if (json_parse(buf_slice(&answer->body), JSON_LAST_WINS, &c->arena, &root, &why) == ST_OK)
        json_get_text(json_member(root, SLICE("error")), SLICE("message"), &message);
    c->http_status = answer->status;
    if (c->quiet)
        return EXIT_FAILED;
    if (c->else_verb && answer->status == 412)
        return command_fail(c->command, EXIT_FAILED, "exists already, use '%s': %.*s", c->else_verb,
                            SLICE_FMT(message));
    if (c->about)
        return command_fail(c->command, EXIT_FAILED, "%s: %.*s (HTTP %d)", c->about,
                            SLICE_FMT(message), answer->status);
    return command_fail(c->command, EXIT_FAILED, "%.*s (HTTP %d)", SLICE_FMT(message),
                        answer->status);
}

static int take_answer(struct client *c, struct http_answer *answer, struct json **ret)
{
    struct fault why;
    slice body;

    if (answer->status < 200 || answer->status > 299)
        return print_refusal(c, answer);
    body = arena_copy(&c->arena, buf_slice(&answer->body));
    *ret = NULL;
    if (body.len > 0 && json_parse(body, JSON_LAST_WINS, &c->arena, ret, &why) != ST_OK)
        return command_fail(c->command, EXIT_FAILED, "the answer is no JSON: %s", why.text);
    return EXIT_DONE;
}

static int unreachable(struct client *c, const char *cause)
{
    return command_fail(c->command, EXIT_FAILED, "no answer from %s, is the server running? (%s)",
                        c->url, cause);
}

static int call_api(struct client *c, const char *api, const char *method, slice path,
                    const struct buf *body, struct json **ret)
{
    BUF_CLEANUP struct buf url = {.max = 16384};
    struct http_answer answer = {0};
    struct fault why;
    int code;

    join_url(c, api, path, &url);
    const struct http_call call = {
        .method = method,
        .url = (const char *)url.ptr,
        .ca_file = c->ca_file,
        .connect_to = c->connect_to,
        .authorization = c->authorization,
        .only_new = c->else_verb != NULL && body != NULL,
        .body = body ? buf_slice(body) : (slice){0},
        .timeout_s = CALL_TIMEOUT_S,
    };
    if (url.failed || http_call(&call, &answer, &why) != ST_OK)
        return unreachable(c, url.failed ? "the address is too long" : why.text);
    code = take_answer(c, &answer, ret);
    buf_deinit(&answer.body);
    return code;
}

int client_call(struct client *c, const char *method, slice path, const struct buf *body,
                struct json **ret)
{
    return call_api(c, API_BASE, method, path, body, ret);
}

int client_rest(struct client *c, const char *method, slice path, const struct buf *body,
                struct json **ret)
{
    BUF_CLEANUP struct buf versioned = {.max = 16384};

    buf_append(&versioned, path);
    buf_append_str(&versioned, "?" REST_VERSION);
    return call_api(c, REST_BASE, method, buf_slice(&versioned), body, ret);
}

/* Where the next page is, below the base; the server's own name for itself does not count. */
static bool find_next(const struct json *page, slice *ret)
{
    slice link;
    size_t at;

    if (!json_get_text(page, SLICE("nextLink"), &link) ||
        !slice_search(link, SLICE(REST_BASE), &at))
        return false;
    *ret = slice_from(link, at + strlen(REST_BASE));
    return true;
}

int client_rest_list(struct client *c, slice path, client_row_fn *on_row, void *context)
{
    BUF_CLEANUP struct buf next = {.max = 16384};
    struct json *page;
    int code;

    buf_append(&next, path);
    buf_append_str(&next, "?" REST_VERSION);
    for (;;) {
        const struct json *rows;

        code = call_api(c, REST_BASE, "GET", buf_slice(&next), NULL, &page);
        if (code != EXIT_DONE)
            return code;
        rows = json_member(page, SLICE("value"));
        for (const struct json *row = rows ? rows->first : NULL; row; row = row->next)
            on_row(c, row, context);
        if (!find_next(page, &path))
            return EXIT_DONE;
        buf_clear(&next);
        buf_append(&next, path);
        arena_reset(&c->arena);
    }
}

int client_upload(struct client *c, slice path, slice body, const char *content_type,
                  struct json **ret)
{
    BUF_CLEANUP struct buf url = {.max = 16384};
    struct http_answer answer = {0};
    struct fault why;
    int code;

    join_url(c, API_BASE, path, &url);
    const struct http_call call = {
        .method = "POST",
        .url = (const char *)url.ptr,
        .ca_file = c->ca_file,
        .connect_to = c->connect_to,
        .authorization = c->authorization,
        .body = body,
        .content_type = content_type,
    };
    if (url.failed || http_call(&call, &answer, &why) != ST_OK)
        return unreachable(c, url.failed ? "the address is too long" : why.text);
    code = take_answer(c, &answer, ret);
    buf_deinit(&answer.body);
    return code;
}

int client_stream(struct client *c, slice path, bool (*on_part)(void *context, slice part),
                  void *context)
{
    BUF_CLEANUP struct buf url = {.max = 16384};
    struct http_answer answer = {0};
    struct fault why;
    int code = EXIT_DONE;

    join_url(c, API_BASE, path, &url);
    const struct http_call call = {
        .method = "GET",
        .url = (const char *)url.ptr,
        .ca_file = c->ca_file,
        .connect_to = c->connect_to,
        .authorization = c->authorization,
        .on_part = on_part,
        .context = context,
    };
    if (url.failed || http_call(&call, &answer, &why) != ST_OK)
        return unreachable(c, url.failed ? "the address is too long" : why.text);
    if (answer.status < 200 || answer.status > 299)
        code = print_refusal(c, &answer);
    buf_deinit(&answer.body);
    return code;
}

void client_path(struct buf *ret, const char *format, const char *argument)
{
    for (const char *at = format; *at; at++) {
        if (at[0] == '%' && at[1] == 's') {
            percent_encode(slice_str(argument), ret);
            at++;
        } else {
            buf_append_byte(ret, (uint8_t)*at);
        }
    }
}

void client_query(struct buf *ret, const char *name, const char *value)
{
    size_t at;

    if (!value)
        return;
    buf_append_byte(ret, slice_find(buf_slice(ret), '?', &at) ? '&' : '?');
    buf_append_str(ret, name);
    client_path(ret, "=%s", value);
}

bool client_check_json(struct client *c, const char *name, const char *text)
{
    struct json *value;
    struct fault why;

    if (json_parse(slice_str(text), JSON_LAST_WINS, &c->arena, &value, &why) == ST_OK)
        return true;
    (void)command_fail(c->command, EXIT_USAGE, "%s is no JSON: %s", name, why.text);
    return false;
}

/* --- printing -------------------------------------------------------------------------------- */

void client_print_json(const struct json *value)
{
    BUF_CLEANUP struct buf text = {.max = ANSWER_ARENA_MAX};

    if (value)
        json_write(value, &text);
    buf_append_byte(&text, '\n');
    fwrite(text.ptr, 1, text.len, stdout);
}

/* Devices have their say in many of these texts, but none in what the terminal does. */
const char *client_printable(struct client *c, slice text)
{
    char *copy_of = arena_alloc(&c->arena, text.len + 1);

    for (size_t i = 0; copy_of && i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        bool is_c1 = i > 0 && text.ptr[i - 1] == 0xc2 && byte < 0xa0;

        copy_of[i] = byte < 0x20 || byte == 0x7f ? '?' : (char)byte;
        if (is_c1)
            copy_of[i - 1] = copy_of[i] = '?';
    }
    return copy_of ? copy_of : "-";
}

const char *client_text(struct client *c, const struct json *object, const char *name)
{
    const struct json *member = json_member(object, slice_str(name));

    if (!member || member->kind == JSON_NULL)
        return "-";
    if (member->kind == JSON_TRUE)
        return "yes";
    if (member->kind == JSON_FALSE)
        return "no";
    return client_printable(c, member->text.ptr ? member->text : member->raw);
}
