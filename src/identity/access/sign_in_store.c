#include "identity/access/sign_in_store.h"

/* What is shown once is kept as its SHA-256: session IDs and the codes of links. */
const char sign_in_tables[] =
    "CREATE TABLE user_secret ("
    " user_id TEXT NOT NULL PRIMARY KEY,"
    " password TEXT NOT NULL," /* Argon2id in its usual form; '': none */
    " subject TEXT NOT NULL,"  /* who he is at the OpenID Connect issuer; '': not known */
    " changed_at BIGINT NOT NULL);"
    "CREATE UNIQUE INDEX user_secret_by_subject ON user_secret (subject) WHERE subject <> '';"

    "CREATE TABLE user_session ("
    " hash BLOB NOT NULL PRIMARY KEY,"
    " user_id TEXT NOT NULL,"
    " created_at BIGINT NOT NULL,"
    " seen_at BIGINT NOT NULL);"
    "CREATE INDEX user_session_by_user ON user_session (user_id, created_at);"
    "CREATE INDEX user_session_by_age ON user_session (created_at);"

    "CREATE TABLE user_invitation ("
    " user_id TEXT NOT NULL PRIMARY KEY," /* '': whoever comes first */
    " hash BLOB NOT NULL UNIQUE,"
    " expires_at BIGINT NOT NULL);";

static const struct sql end_sessions_sql = {"DELETE FROM user_session WHERE user_id = ?1"};
static const struct sql end_invitation_sql = {"DELETE FROM user_invitation WHERE user_id = ?1"};
static const struct sql forget_sql = {"DELETE FROM user_secret WHERE user_id = ?1"};
static const struct sql set_password_sql = {
    "INSERT INTO user_secret (user_id, password, subject, changed_at)"
    " SELECT user_id, ?2, '', ?3 FROM app_user WHERE user_id = ?1"
    " ON CONFLICT (user_id) DO UPDATE SET password = excluded.password,"
    " changed_at = excluded.changed_at"};

void sign_in_unit_end_access(struct unit *unit, slice user_id)
{
    const struct sql_value value = SQL_TEXT_(user_id);

    unit_add(unit, &end_sessions_sql, &value, 1, EXPECT_ANY);
    unit_add(unit, &end_invitation_sql, &value, 1, EXPECT_ANY);
}

void sign_in_unit_forget(struct unit *unit, slice user_id)
{
    const struct sql_value value = SQL_TEXT_(user_id);

    sign_in_unit_end_access(unit, user_id);
    unit_add(unit, &forget_sql, &value, 1, EXPECT_ANY);
}

void sign_in_unit_set_password(struct unit *unit, slice user_id, slice hash, instant now)
{
    const struct sql_value values[] = {SQL_TEXT_(user_id), SQL_TEXT_(hash), SQL_INT_(now)};

    unit_add(unit, &set_password_sql, values, COUNT_OF(values), EXPECT_ONE);
    sign_in_unit_end_access(unit, user_id);
}
