/* How roles are named on the command line: those that every application has by their names too. */
#ifndef MUSTER_CMD_ROLE_WORDS_H
#define MUSTER_CMD_ROLE_WORDS_H

#include "cmd/client.h"

/* "operator" -> its ID; another word is an ID already. */
slice role_word_id(const char *word);
/* A member "roles" of one role in one organization (NULL: the whole application). */
void role_words_put(struct json_writer *w, const char *role, const char *organization);
/* "Operator, guard@plant-7", in the client's arena. */
const char *role_words_of(struct client *c, const struct json *roles);

#endif
