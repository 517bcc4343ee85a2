/* What may be a password (SECURITY-MODEL O1): 12 to 128 characters, any Unicode, no rule of what
 * it is made of, but none that everybody tries first. Pure. */
#ifndef MUSTER_IDENTITY_PASSWORD_RULES_H
#define MUSTER_IDENTITY_PASSWORD_RULES_H

#include "base/status.h"

#define PASSWORD_CHARACTERS_MIN 12
#define PASSWORD_CHARACTERS_MAX 128
#define PASSWORD_BYTES_MAX (4 * PASSWORD_CHARACTERS_MAX)

/* ST_BAD_REQUEST with a sentence for the user. `email`: whose it is to be; may be empty. */
CHECKED enum status password_check(slice password, slice email, struct fault *why);

/* Whether it is on the list of common ones: a word that many choose, in any case, with digits in
 * place of letters or not, alone, said several times, or with one of the usual endings; a run of
 * the alphabet or of one character. */
bool password_is_common(slice password);

/* The list itself, sorted: each word with each ending is a password on it. */
extern const char *const password_words[];
extern const size_t password_word_count;
extern const char *const password_endings[];
extern const size_t password_ending_count;

#endif
