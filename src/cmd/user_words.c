#include "cmd/user_words.h"

#include <stdio.h>

struct search {
    slice email;
    struct user_name *found; /* rows live no longer than their page */
};

static void keep(struct user_name *to, slice id)
{
    snprintf(to->id, sizeof to->id, "%.*s", SLICE_FMT(id));
}

static void look_at(struct client *c, const struct json *user, void *context)
{
    struct search *s = context;
    slice email, id;

    (void)c;
    if (json_get_text(user, SLICE("email"), &email) && slice_equal_nocase(email, s->email) &&
        json_get_text(user, SLICE("id"), &id))
        keep(s->found, id);
}

bool user_word_is_email(const char *word)
{
    return strchr(word, '@') != NULL;
}

int user_word_find(struct client *c, const char *word, struct user_name *ret)
{
    struct search s = {.email = slice_str(word), .found = ret};

    *ret = (struct user_name){0};
    if (user_word_is_email(word))
        return client_rest_list(c, SLICE("users"), look_at, &s);
    keep(ret, slice_str(word));
    return EXIT_DONE;
}

int user_word_resolve(struct client *c, const char *word, struct user_name *ret)
{
    int code = user_word_find(c, word, ret);

    if (code == EXIT_DONE && !ret->id[0])
        code = command_fail(c->command, EXIT_FAILED, "no user has the e-mail address %s",
                            client_printable(c, slice_str(word)));
    return code;
}
