#include "cmd/role_words.h"

#include "identity/access/permission.h"

#define ROLES_TEXT_MAX 4096

slice role_word_id(const char *word)
{
    for (size_t i = 0; i < builtin_role_count; i++) {
        if (slice_equal_nocase(slice_str(word), slice_str(builtin_roles[i].name)))
            return slice_str(builtin_roles[i].id);
    }
    return slice_str(word);
}

void role_words_put(struct json_writer *w, const char *role, const char *organization)
{
    json_open(w, SLICE("roles"), '[');
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("role"), role_word_id(role));
    if (organization)
        json_put_text(w, SLICE("organization"), slice_str(organization));
    json_close(w, '}');
    json_close(w, ']');
}

const char *role_words_of(struct client *c, const struct json *roles)
{
    BUF_CLEANUP struct buf text = {.max = ROLES_TEXT_MAX};
    slice kept;

    for (const struct json *role = roles ? roles->first : NULL; role; role = role->next) {
        const char *id = client_text(c, role, "role");
        const struct builtin_role *builtin = builtin_role_find(slice_str(id));

        buf_printf(&text, "%s%s", text.len > 0 ? ", " : "", builtin ? builtin->name : id);
        if (json_member(role, SLICE("organization")))
            buf_printf(&text, "@%s", client_text(c, role, "organization"));
    }
    kept = arena_copy(&c->arena, buf_slice(&text));
    return kept.ptr ? (const char *)kept.ptr : "-";
}
