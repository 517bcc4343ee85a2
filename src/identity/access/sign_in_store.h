/* The tables behind sign-in, and what units of others must do about them. */
#ifndef MUSTER_IDENTITY_SIGN_IN_STORE_H
#define MUSTER_IDENTITY_SIGN_IN_STORE_H

#include "store/store.h"

extern const char sign_in_tables[];

/* His roles changed: all his sessions end, and no link is open any more, which somebody may hold
 * who could give him the old roles and not the new. */
void sign_in_unit_end_access(struct unit *unit, slice user_id);
/* He is no user any more. */
void sign_in_unit_forget(struct unit *unit, slice user_id);
/* His password is now that of the hash; his sessions end, and no link is open any more. Changes
 * nothing, with ST_CONFLICT, when there is no such user. */
void sign_in_unit_set_password(struct unit *unit, slice user_id, slice hash, instant now);

#endif
