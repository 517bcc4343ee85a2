/* muster token api: tokens of the REST API, unlike other tokens made by the server. */
#ifndef MUSTER_CMD_TOKEN_API_H
#define MUSTER_CMD_TOKEN_API_H

#include "cmd/options.h"

struct token_api_words {
    const char *folder, *role, *organization, *days;
    bool json;
    const struct words *words; /* "api", the verb, its ID */
};
CHECKED int token_api_run(const struct token_api_words *w);

#endif
