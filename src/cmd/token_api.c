#include "cmd/token_api.h"

#include <stdio.h>

#include "base/clock.h"
#include "cmd/client.h"
#include "cmd/role_words.h"
#include "identity/access/api_token.h"

static void print_token(struct client *c, const struct json *token, void *context)
{
    const struct token_api_words *w = context;

    if (w->json)
        client_print_json(token);
    else
        printf("%-30s %s  %s\n", client_text(c, token, "id"), client_text(c, token, "expiry"),
               role_words_of(c, json_member(token, SLICE("roles"))));
}

static int call(struct client *c, const struct token_api_words *w, const char *method,
                const struct buf *body, struct json **ret)
{
    BUF_CLEANUP struct buf path = {.max = 4096};

    client_path(&path, "apiTokens/%s", w->words->items[2]);
    return client_rest(c, method, buf_slice(&path), body, ret);
}

/* The text alone, for a variable of the shell: it is shown this once. */
static int create(struct client *c, const struct token_api_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 4096};
    struct json_writer writer = {.to = &body};
    char expiry[CLOCK_TEXT_MAX];
    struct json *answer = NULL;
    int64_t days;
    int code;

    if (!w->role)
        return command_fail(c->command, EXIT_USAGE, "create needs --role");
    json_open(&writer, (slice){0}, '{');
    role_words_put(&writer, w->role, w->organization);
    if (w->days) {
        if (!options_number(c->command, "--days", w->days, 1, API_TOKEN_MAX_DAYS, &days))
            return EXIT_USAGE;
        json_put_text(&writer, SLICE("expiry"),
                      clock_iso(clock_wall_ms() + days * API_TOKEN_DAY_MS, expiry));
    }
    json_close(&writer, '}');
    code = call(c, w, "PUT", &body, &answer);
    if (code != EXIT_DONE)
        return code;
    if (w->json)
        client_print_json(answer);
    else
        printf("%s\n", client_text(c, answer, "token"));
    return code;
}

static int list(struct client *c, const struct token_api_words *w)
{
    return client_rest_list(c, SLICE("apiTokens"), print_token, (void *)(uintptr_t)w);
}

static int revoke(struct client *c, const struct token_api_words *w)
{
    struct json *answer;

    return call(c, w, "DELETE", NULL, &answer);
}

static const struct {
    const char *name;
    int (*run)(struct client *c, const struct token_api_words *w);
    size_t words; /* with "api" and the verb */
} verbs[] = {
    {"create", create, 3},
    {"list", list, 2},
    {"revoke", revoke, 3},
};

int token_api_run(const struct token_api_words *w)
{
    struct client client;
    size_t verb = 0;
    int code;

    while (verb < COUNT_OF(verbs) &&
           (w->words->count < 2 || strcmp(w->words->items[1], verbs[verb].name) != 0))
        verb++;
    if (verb == COUNT_OF(verbs))
        return command_fail(&token_command, EXIT_USAGE,
                            "say api create, api list or api revoke; --help tells more");
    if (w->words->count != verbs[verb].words)
        return command_fail(&token_command, EXIT_USAGE, "'api %s' takes %s", verbs[verb].name,
                            verbs[verb].words == 3 ? "one token ID" : "no further word");
    if (!client_open(&client, &token_command, w->folder, &code))
        return code;
    code = verbs[verb].run(&client, w);
    client_close(&client);
    return code;
}
