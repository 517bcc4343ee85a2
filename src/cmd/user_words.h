/* Users as people name them: by the ID, or by the e-mail address, which no ID can be taken for. */
#ifndef MUSTER_CMD_USER_WORDS_H
#define MUSTER_CMD_USER_WORDS_H

#include "cmd/client.h"
#include "identity/access/user.h"

struct user_name {
    char id[USER_ID_MAX + 1];
};

bool user_word_is_email(const char *word);
/* ret->id is empty when no user has the e-mail address. An ID stays what it is. */
CHECKED int user_word_find(struct client *c, const char *word, struct user_name *ret);
/* The same, and says so when there is none. */
CHECKED int user_word_resolve(struct client *c, const char *word, struct user_name *ret);

#endif
