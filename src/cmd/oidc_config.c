#include "cmd/oidc_config.h"

#include "crypto/key_file.h"

#define SECRET_FILE_MAX 1024

/* A copy with a NUL behind it. There is room for all of them from the start. */
static slice keep(struct oidc_config *c, const char *text)
{
    size_t at = c->texts.len;

    buf_append_str(&c->texts, text);
    buf_append_byte(&c->texts, 0);
    return slice_of(c->texts.ptr + at, strlen(text));
}

/* The line break behind a secret is an editor's. */
static bool read_secret(struct oidc_config *c, const char *path, struct fault *why)
{
    uint8_t text[SECRET_FILE_MAX];
    size_t at = c->texts.len, len;

    if (!path[0])
        return true;
    if (key_file_read(path, text, sizeof text, &len, why) != ST_OK)
        return false;
    while (len > 0 && text[len - 1] <= ' ')
        len--;
    buf_append(&c->texts, slice_of(text, len));
    c->options.client_secret = slice_of(c->texts.ptr + at, len);
    explicit_bzero(text, sizeof text);
    if (len > 0)
        return true;
    fault_set(why, ST_BAD_REQUEST, "%.120s holds no secret", path);
    return false;
}

bool oidc_config_read(struct oidc_config *c, const struct config *config, struct fault *why)
{
    const char *const texts[] = {config->oidc_issuer, config->oidc_client_id, config->oidc_roles,
                                 config->oidc_ca_file, config->oidc_audience};
    size_t size = SECRET_FILE_MAX;

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        size += strlen(texts[i]) + 1;
    buf_init(&c->texts, size);
    if (!buf_room(&c->texts, size)) {
        fault_set(why, ST_NO_MEMORY, "out of memory");
        return false;
    }
    c->options = (struct oidc_options){
        .issuer = keep(c, config->oidc_issuer),
        .client_id = keep(c, config->oidc_client_id),
        .roles = keep(c, config->oidc_roles),
        .audience = keep(c, config->oidc_audience),
        .trusts_email = strcmp(config->oidc_trust_email, "yes") == 0,
    };
    if (config->oidc_ca_file[0])
        c->options.ca_file = (const char *)keep(c, config->oidc_ca_file).ptr;
    return read_secret(c, config->oidc_client_secret_file, why);
}

void oidc_config_free(struct oidc_config *c)
{
    if (c->texts.ptr)
        explicit_bzero(c->texts.ptr, c->texts.len);
    buf_deinit(&c->texts);
}
